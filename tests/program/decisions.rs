//! From import to rollback: which flag decides what, and the exit codes.

use super::{Desk, sample};

fn iv(flags: &str) -> String {
    format!("import iv {} -s VOLA {flags}", sample("iv/VOLA.csv"))
}

fn dirty(flags: &str) -> String {
    format!("import iv {} -s VOLB {flags}", sample("dirty/VOLB_dirty.csv"))
}

#[test]
fn without_a_terminal_a_batch_stays_staged() {
    let desk = Desk::with_ledger();
    let ran = desk.run(&iv("")).exits(12);
    assert!(ran.out.contains("Batch b1 staged"), "{}", ran.out);
    assert!(ran.err.contains("volledger batch confirm b1"), "{}", ran.err);
    // The same content is not staged twice.
    let again = desk.run(&iv("--json")).exits(12);
    assert_eq!(
        (again.json()["batch"].as_str(), again.json()["state"].as_str()),
        (Some("b1"), Some("staged"))
    );
    desk.run(&iv("--stage-only")).exits(0);
    let confirmed = desk.run(&iv("--yes --json")).exits(0).json();
    assert_eq!(confirmed["state"], "active");
    let known = desk.run(&iv("--yes")).exits(0);
    assert!(known.out.contains("already confirmed as b1"), "{}", known.out);
    assert_eq!(desk.run("log --json").json()["position"], 2);
}

/// A batch of which no row can be used is confirmed like any other, and it is said that it shows nothing.
#[test]
fn a_batch_without_a_usable_row_is_confirmed_with_a_word_about_it() {
    let desk = Desk::with_ledger();
    let file = desk.write("empty.csv", "Date,IV30\n");
    desk.run(&format!("import iv {file} -s VOLE --mapping mc-iv-basic --stage-only")).exits(0);
    for line in ["batch confirm b1 --plan", "batch confirm b1"] {
        let ran = desk.run(line).exits(0);
        assert!(ran.err.contains("Note: b1 has no row that can be used"), "{line}: {}", ran.err);
    }
    assert!(!desk.run("undo").exits(0).err.contains("no row that can be used"));
    desk.run(&iv("--stage-only")).exits(0);
    assert!(!desk.run("batch confirm b2").exits(0).err.contains("no row that can be used"));
}

#[test]
fn a_dry_run_appends_nothing_whatever_else_is_said() {
    let desk = Desk::with_ledger();
    for flags in ["--dry-run", "--dry-run --yes", "--dry-run --force", "--dry-run --json"] {
        desk.run(&dirty(flags)).exits(0);
    }
    let review = desk.run(&dirty("--dry-run --json")).json();
    assert!(review["batch"].is_null() && review["rows"]["rejected"] == 5, "{review}");
    assert_eq!(desk.run("status --json").json()["position"], 0);
}

#[test]
fn yes_does_not_confirm_rejected_rows_and_force_does() {
    let desk = Desk::with_ledger();
    let ran = desk.run(&dirty("--yes")).exits(11);
    assert!(ran.err.contains("5 rejected rows"), "{}", ran.err);
    assert_eq!(desk.run("batch show b1 --json").json()["state"], "staged");
    // A crontab line hears why, and nothing else; so does a program.
    let quiet = desk.run(&dirty("--yes -q")).exits(11);
    assert!(quiet.err.contains("5 rejected rows") && !quiet.err.contains("Hint"), "{}", quiet.err);
    let review = desk.run(&dirty("--yes --json")).exits(11).json();
    let blocking = review["blocking"][0].as_str().unwrap();
    assert!(blocking.contains("5 rejected rows"), "{review}");
    assert!(quiet.err.contains(blocking), "{}", quiet.err);
    let confirmed = desk.run(&dirty("--yes --force --json")).exits(0).json();
    assert!(confirmed["state"] == "active" && confirmed["blocking"].is_null(), "{confirmed}");
    desk.run("batch confirm b1").exits(1);
}

#[test]
fn decisions_are_taken_back_and_repeated() {
    let desk = Desk::with_iv();
    let bad = format!("import iv {} -s VOLA --stage-only", sample("bad/VOLA_wrong_scale.csv"));
    desk.run(&bad).exits(0);
    desk.run("batch diff b2 --exit-code").exits(10);
    let token = desk.run("batch show b2 --json").json()["token"].as_str().unwrap().to_owned();
    desk.run("batch confirm b2 --expect 0123456789ab").exits(20);
    desk.run(&format!("batch confirm b2 --expect {}", &token[..12])).exits(0);
    let value = || {
        let view = desk.run("view iv VOLA --from 2024-12-30 --to 2024-12-30 --json").json();
        view["rows"][0]["atm_iv"].to_string()
    };
    assert_eq!(value(), "0.7683");
    let plan = desk.run("batch rollback b2 --plan --json").exits(0).json();
    assert_eq!((plan["plan"].as_bool(), value()), (Some(true), "0.7683".to_owned()));
    desk.words(&["batch", "rollback", "b2", "--reason", "wrong scale"]).exits(0);
    assert_eq!(value(), "0.6384");
    let again = desk.run(&bad).exits(23);
    assert!(again.err.contains("(wrong scale)") && again.err.contains("--again"), "{}", again.err);
    desk.run("undo").exits(0);
    assert_eq!(value(), "0.7683");
    desk.run("redo --json").exits(0).json();
    assert_eq!(value(), "0.6384");
    desk.run("redo").exits(1);
    desk.run("batch reinstate b2").exits(0);
    desk.words(&["rollback", "--to", "#2", "--reason", "back"]).exits(0);
    assert_eq!(value(), "0.6384");
    let diff = desk.run("diff 2 4 --series iv --exit-code --json").exits(10).json();
    assert!(diff["changes"].as_array().is_some_and(|all| !all.is_empty()), "{diff}");
}

#[test]
fn standard_input_is_a_file_with_a_symbol() {
    let desk = Desk::with_ledger();
    let text = std::fs::read_to_string(sample("iv/VOLC.csv")).unwrap();
    let review = desk.fed("import iv - -s VOLC --yes --json", &text).exits(0).json();
    assert_eq!(review["sources"][0]["name"], "-");
    desk.fed("import iv - --symbol-from name", &text).exits(2);
    desk.fed("check - --json", &text).exits(0).json();
    desk.run("import iv - - -s VOLC").exits(2);
}

#[test]
fn check_says_by_its_exit_code_what_a_file_is_worth() {
    let desk = Desk::new();
    desk.run(&format!("check {}", sample("iv/VOLA.csv"))).exits(0);
    let report = desk.run(&format!("check {} --json", sample("dirty/VOLB_dirty.csv"))).exits(11);
    assert_eq!(report.json()["schema"], "volledger/check/1");
    let file = desk.write("odd.csv", "a,b\n1,2\n");
    desk.run(&format!("check {file}")).exits(1);
    desk.run("check missing.csv").exits(1);
    // No ledger was made on the way.
    desk.run("status").exits(1);
}

/// A close that was wrong is rolled back: what was computed from it says so until it is computed
/// again, and days that nobody has computed yet are not called out of date.
#[test]
fn computed_values_that_no_longer_follow_are_told() {
    let desk = Desk::with_ledger();
    let spot = sample("spot/VOLA.csv");
    desk.run(&format!("import spot {spot} -s VOLA --yes")).exits(0);
    desk.run("derive hv --yes").exits(0);
    let outdated = || desk.run("status --json").json()["outdated"].to_string();
    assert_eq!(outdated(), "[]");

    let wrong = desk.write("wrong.csv", "Date,Close\n2024-12-02,70\n");
    let ran = desk.run(&format!("import spot {wrong} -s VOLA --yes")).exits(0);
    assert!(ran.err.contains("hv of VOLA no longer follows from spot"), "{}", ran.err);
    let told = r#"[{"series":"hv","symbols":["VOLA"]}]"#;
    assert_eq!(outdated(), told, "a correction leaves it behind");
    assert!(desk.run("status").err.contains("volledger derive hv"));
    desk.run("derive hv --yes").exits(0);
    assert_eq!(outdated(), "[]");

    let plan = desk.words(&["batch", "rollback", "b3", "--reason", "typo", "--plan"]).exits(0);
    assert!(!plan.err.contains("no longer follows"), "{}", plan.err);
    let ran = desk.words(&["batch", "rollback", "b3", "--reason", "typo"]).exits(0);
    assert!(ran.err.contains("hv of VOLA no longer follows from spot"), "{}", ran.err);
    assert_eq!(outdated(), told);
    // Put back, it follows again without being computed.
    let ran = desk.run("undo").exits(0);
    assert!(!ran.err.contains("no longer follows"), "{}", ran.err);
    assert_eq!(outdated(), "[]");
    desk.run("redo").exits(0);
    desk.run("derive hv --yes").exits(0);
    assert_eq!(outdated(), "[]");

    let more = desk.write("more.csv", "Date,Close\n2025-01-02,65\n2025-01-03,66\n");
    desk.run(&format!("import spot {more} -s VOLA --yes")).exits(0);
    assert_eq!(outdated(), "[]", "nothing was computed of these days");
}

/// What waits once more after a rollback is confirmed by a person, not by a scheduled import.
#[test]
fn a_scheduled_import_does_not_confirm_what_was_rolled_back() {
    let desk = Desk::with_ledger();
    let file = desk.write("bad.csv", "Date,Close\n2024-12-02,70\n");
    let import = |more: &str| desk.run(&format!("import spot {file} -s VOLA {more}"));
    import("--yes").exits(0);
    desk.run("batch rollback b1 --reason wrong").exits(0);
    import("--stage-only --again --reason look").exits(0);
    let refused = import("--yes").exits(23);
    assert!(refused.err.contains("batch confirm b2"), "{}", refused.err);
    assert_eq!(desk.run("batch show b2 --json").json()["state"], "staged");
    // The same where it was staged twice before one of them was rolled back.
    desk.run("batch discard b2").exits(0);
    import("--stage-only --again --reason look").exits(0);
    import("--yes").exits(23);
    import("--yes --again --reason right").exits(0);
    assert_eq!(desk.run("batch show b3 --json").json()["state"], "active");
}

/// Overlap is chosen when a batch is staged: the same content with another one is not that batch.
#[test]
fn another_overlap_for_known_content_is_told() {
    let desk = Desk::with_ledger();
    let file = desk.write("a.csv", "Date,Close\n2024-12-02,70\n");
    let import = |more: &str| desk.run(&format!("import spot {file} -s VOLA {more}"));
    import("--stage-only --overlap keep").exits(0);
    let held = import("--yes").exits(11);
    assert!(held.err.contains("`--overlap keep`"), "{}", held.err);
    let held = import("--force").exits(11);
    assert!(held.err.contains("`--overlap keep`"), "{}", held.err);
    import("--yes --overlap keep").exits(0);
    let told = import("--yes --overlap replace").exits(0);
    assert!(told.err.contains("`--overlap keep`, and that stands"), "{}", told.err);
    assert!(!import("--yes --overlap keep").exits(0).err.contains("--overlap"));
}

/// What a batch replaces is chosen when it is staged, as its overlap is.
#[test]
fn a_replay_and_an_import_are_not_taken_for_each_other() {
    let desk = Desk::with_ledger();
    let file =
        desk.write("a.csv", "Date,IV30,IV30 20-Day MA,OHLC 20-Day Vol\n2024-12-02,20,21,22\n");
    let import = |more: &str| desk.run(&format!("import iv {file} -s AAA {more}"));
    let replay = |more: &str| desk.run(&format!("batch replay b1 --mapping mc-iv-basic {more}"));
    let state =
        |batch: &str| desk.run(&format!("batch show {batch} --json")).json()["state"].clone();
    import("--yes").exits(0);
    import("--mapping mc-iv-basic --stage-only").exits(0);
    for how in ["--yes", "--force"] {
        let held = replay(how).exits(11);
        assert!(held.err.contains("it would not replace b1"), "{}", held.err);
        assert!(held.err.contains("`volledger batch discard b2`"), "{}", held.err);
        assert!(held.err.contains("`volledger batch rollback b1`"), "{}", held.err);
    }
    assert!(replay("--stage-only").exits(0).err.contains("it would not replace b1"));
    assert_eq!((state("b1"), state("b2")), ("active".into(), "staged".into()));
    desk.run("batch discard b2").exits(0);
    replay("--stage-only").exits(0);
    // Nobody asks an import to take anything out.
    for how in ["--yes", "--force"] {
        let held = import(&format!("--mapping mc-iv-basic {how}")).exits(11);
        assert!(held.err.contains("it would replace b1"), "{}", held.err);
        assert!(held.err.contains("`volledger batch confirm b3`"), "{}", held.err);
    }
    assert_eq!((state("b1"), state("b3")), ("active".into(), "staged".into()));
    // The same replay is that batch; done, there is nothing left to do.
    replay("--yes").exits(0);
    assert_eq!((state("b1"), state("b3")), ("superseded".into(), "active".into()));
    replay("--yes").exits(0);
    assert!(!import("--mapping mc-iv-basic --yes").exits(0).err.contains("replace"));
    // Both count: what was asked for is not done.
    desk.run("batch reinstate b1").exits(0);
    let told = replay("--yes").exits(11);
    assert!(told.err.contains("b1 counts as well"), "{}", told.err);
    replay("").exits(0);
    desk.run("batch replay b1 --yes").exits(0);
}

/// A batch that was split is discarded: what its parts said may have been rolled back since.
#[test]
fn a_scheduled_import_does_not_bring_back_a_part_that_was_rolled_back() {
    let desk = Desk::with_ledger();
    let text = "Symbol,Date,IV30\nAAA,2024-12-02,20\nBBB,2024-12-02,30\n";
    let file = desk.write("s.csv", text);
    let import = format!("import iv {file} --symbol-from column");
    desk.run(&format!("{import} --stage-only")).exits(0);
    desk.run("batch split b1 -s AAA").exits(0);
    desk.run("batch confirm b2").exits(0);
    desk.run("batch rollback b2 --reason bad").exits(0);
    let refused = desk.run(&format!("{import} --yes")).exits(23);
    assert!(refused.err.contains("as b2") && refused.err.contains("bad"), "{}", refused.err);
    // Nor where the whole waits once more.
    desk.run("batch reinstate b1").exits(0);
    let refused = desk.run(&format!("{import} --yes")).exits(23);
    assert!(
        refused.err.contains("as b2") && refused.err.contains("batch confirm b1"),
        "{refused:?}"
    );
    desk.run("batch discard b1").exits(0);
    desk.run(&format!("{import} --yes --again --reason mended")).exits(0);
    // Of a part that nobody took back, the whole may come again.
    let desk = Desk::with_ledger();
    let file = desk.write("s.csv", text);
    let import = format!("import iv {file} --symbol-from column");
    desk.run(&format!("{import} --stage-only")).exits(0);
    desk.run("batch split b1 -s AAA").exits(0);
    desk.run(&format!("{import} --yes")).exits(0);
}

/// A row of tomorrow is rejected today and read tomorrow: it is the same file.
#[test]
fn what_was_rolled_back_stays_out_when_a_day_that_it_names_has_come() {
    let desk = Desk::with_ledger();
    let file = desk.write("a.csv", "Date,IV30\n2025-12-12,90\n2025-12-15,91\n");
    let on = |day: &str, more: &str| {
        let line = format!("import iv {file} -s AAA --mapping mc-iv-basic {more}");
        let mut command = desk.command(line.split(' '));
        command.env("VOLLEDGER_NOW", format!("2025-12-{day}T12:00:00Z"));
        super::ran(command, None)
    };
    on("13", "--force").exits(0);
    // While it counts, the day that has come is news.
    on("16", "--stage-only").exits(0);
    desk.run("batch discard b2").exits(0);
    desk.run("batch rollback b1 --reason bad").exits(0);
    let refused = on("16", "--yes").exits(23);
    assert!(refused.err.contains("as b1") && refused.err.contains("(bad)"), "{}", refused.err);
    on("16", "--yes --again --reason right").exits(0);
    on("17", "--yes").exits(0);
}

/// A mapping file of one's own is kept with the batch, under a name that no other mapping has.
#[test]
fn a_batch_is_read_again_with_the_mapping_file_that_it_was_read_with() {
    let desk = Desk::with_ledger();
    let own = "id = \"mc-iv\"\nversion = 1\nseries = \"spot\"\ndescription = \"x\"\n[date]\nnames = [\"Tag\"]\n\
               [[column]]\nnames = [\"Kurs\"]\nfield = \"close\"\nunit = \"number\"\nneed = \"required\"\n";
    let file = desk.write("a.csv", "Tag,Kurs\n2024-12-02,70\n");
    let taken = desk.write("taken.toml", own);
    let import =
        |mapping: &str| desk.run(&format!("import spot {file} -s VOLA --yes --mapping {mapping}"));
    let refused = import(&taken).exits(2);
    assert!(refused.err.contains("the id `mc-iv` is that of a bundled mapping"), "{}", refused.err);
    let mine = desk.write("mine.toml", &own.replace("\"mc-iv\"", "\"kurse\""));
    import(&mine).exits(0);
    std::fs::remove_file(&mine).unwrap();
    let same = desk.run("batch replay b1 --yes").exits(0);
    assert!(same.out.contains("already confirmed as b1"), "{}", same.out);
    // Replaced by another reading and that one rolled back, it stays out until it is brought back.
    let next = own.replace("\"mc-iv\"", "\"kurse\"").replace("version = 1", "version = 2");
    let next = desk.write("next.toml", &next);
    desk.run(&format!("batch replay b1 --yes --mapping {next}")).exits(0);
    let undone = desk.run("batch rollback b2 --reason test").exits(0);
    assert!(undone.err.contains("`volledger batch reinstate b1` brings it back"), "{}", undone.err);
}

/// Whoever wants a promotion back would have lost the last import.
#[test]
fn an_undo_does_not_step_over_what_was_decided_about_a_projection() {
    let desk = Desk::with_iv();
    let add = |times: u32| {
        let query = format!("SELECT symbol, date, atm_iv * {times} AS v FROM iv");
        let file = desk.write("q.sql", &query);
        desk.run(&format!("projection add pq --sql {file}")).exits(0);
    };
    let refused = |last: &str, back: &str, other: &str| {
        for undo in ["undo --plan", "undo"] {
            let said = desk.run(undo).exits(1).err;
            assert!(said.contains(&format!("the last decision is {last}: undo takes")), "{said}");
            let hint = format!("Hint: `volledger {back}` takes that back; `volledger {other}`");
            assert!(said.contains(&hint), "{said}");
        }
        assert_eq!(desk.run("batch show b1 --json").json()["state"], "active");
        desk.run(back).exits(0);
    };
    let rollback = "batch rollback b1";
    add(1);
    refused("#3, pq@1 is kept", "projection drop pq@1", rollback);
    refused("#4, pq@1 is not kept any more", "projection add pq@1", rollback);
    add(2);
    let promoted = desk.run("projection promote pq@2").exits(0);
    let hint = "Hint: take it back with `volledger projection promote pq@1`";
    assert!(promoted.err.contains(hint), "{}", promoted.err);
    refused("#7, pq means pq@2", "projection promote pq@1", rollback);
    // What is newer than that is taken back as ever, and nothing older.
    desk.run("batch rollback b1 --reason bad").exits(0);
    desk.run("undo").exits(0);
    refused("#8, pq means pq@1", "projection promote pq@2", rollback);
    let again = format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"));
    desk.run(&again).exits(0);
    desk.run("rollback --to #1 --reason bad").exits(0);
    desk.run("projection promote pq@1").exits(0);
    let said = desk.run("undo").exits(1).err;
    assert!(said.contains("`volledger rollback --to '#13'` takes #14 back"), "{said}");
    desk.run("rollback --to #13").exits(0);
    for batch in ["b1", "b2"] {
        assert_eq!(desk.run(&format!("batch show {batch} --json")).json()["state"], "active");
    }
    // Without any decision about a batch there is nothing else to name.
    let empty = Desk::with_ledger();
    empty.run("projection add iv_metrics").exits(0);
    let said = empty.run("undo").exits(1).err;
    assert!(said.contains("projection drop iv_metrics@1` takes that back\n"), "{said}");
}

/// Days are told of the symbols in which something moves, however a decision is made.
#[test]
fn a_decision_tells_days_of_what_it_moves_alone() {
    let desk = Desk::with_ledger();
    let days = |symbol: &str| {
        let text = "Date,IV30\n2024-03-25,26.10\n2024-03-26,27.40\n2024-03-27,28.10\n";
        desk.write(
            &format!("{symbol}.csv"),
            &format!(
                "{text}{}",
                match symbol {
                    "BBB" => "2024-03-28,29.20\n",
                    _ => "",
                }
            ),
        )
    };
    let (first, second) = (days("AAA"), days("BBB"));
    let of_iv = |ran: super::Ran| {
        let iv = ran.exits(0).json()["changes"][0].clone();
        ["symbols", "added", "removed", "days"].map(|name| iv[name].as_u64().unwrap())
    };
    let names = ["--symbol-from", "name", "--yes", "--mapping", "mc-iv-basic"];
    desk.words(&[&["import", "iv", &first][..], &names].concat()).exits(0);
    desk.words(&[&["import", "iv", &first, &second][..], &names].concat()).exits(0);
    for line in ["undo --plan --json", "undo --json"] {
        assert_eq!(of_iv(desk.run(line)), [1, 0, 4, 0], "{line}");
    }
    for line in ["redo --plan --json", "redo --json"] {
        assert_eq!(of_iv(desk.run(line)), [1, 4, 0, 4], "{line}");
    }
    // As the review says it, where a batch is confirmed a moment after.
    desk.run("undo").exits(0);
    desk.run("batch rollback b1 --reason anew").exits(0);
    desk.run("batch reinstate b1").exits(0);
    let more = [&["import", "iv", &first, &second][..], &names[..2], &names[3..]].concat();
    desk.words(&[&more[..], &["--again", "--reason", "anew"]].concat());
    assert_eq!(of_iv(desk.run("batch confirm b3 --json")), [1, 4, 0, 4]);
}

/// Dates of a trader are dates of data; going back to before the ledger began would empty every view.
#[test]
fn going_back_to_before_the_ledger_began_is_refused() {
    let desk = Desk::with_iv();
    let before = desk.run("log --json").exits(0).out;
    for line in ["rollback --to 2024-12-31 --reason x", "rollback --to 2024-12-31 --plan"] {
        let told = desk.run(line).exits(1);
        assert!(told.err.contains("begins at 2025-12-13"), "{}", told.err);
        assert!(told.err.contains("--to '#0'"), "{}", told.err);
    }
    assert_eq!(desk.run("log --json").exits(0).out, before);
    desk.run("rollback --to #0 --reason all").exits(0);
    assert_ne!(desk.run("log --json").exits(0).out, before);
}

#[test]
fn a_folder_and_a_place_that_is_taken_are_told_with_the_next_step() {
    let desk = Desk::with_iv();
    std::fs::create_dir(desk.path().join("folder")).unwrap();
    let told = desk.run("import iv folder --symbol-from name").exits(1);
    assert!(told.err.contains("folder/*.csv"), "{}", told.err);
    desk.run("backup f").exits(0);
    desk.run("restore f there").exits(0);
    let told = desk.run("restore f there").exits(1);
    assert!(told.err.contains("volledger -L there status"), "{}", told.err);
}
