//! Erasing, as a user meets it: gone from every file, proofs and roots whole, reads that speak up.

use crate::program::{Desk, Ran};
use serde_json::Value;
use std::path::Path;

/// What is erased: a text that stands nowhere else.
const CANARY: &str = "canary-7f3a";

/// A ledger with two batches of TOMIC records; the second restates days of the first and has the
/// canary on one of them.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    tomic(&desk, "one", &[("2024-01-02", "0.21", "plain"), ("2024-01-03", "0.22", "plain")]);
    tomic(
        &desk,
        "two",
        &[
            ("2024-01-03", "0.31", CANARY),
            ("2024-01-04", "0.23", "plain"),
            ("2024-01-05", "0.24", "x"),
        ],
    );
    desk
}

fn tomic(desk: &Desk, folder: &str, rows: &[(&str, &str, &str)]) {
    let place = desk.path().join(folder).join("iv_daily_summary");
    std::fs::create_dir_all(&place).unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|(date, iv, note)| {
            format!("  {{\n    \"date\": \"{date}\",\n    \"atm_iv\": {iv},\n    \"note\": \"{note}\"\n  }}")
        })
        .collect();
    std::fs::write(place.join("VOLA.json"), format!("[\n{}\n]", rows.join(",\n"))).unwrap();
    desk.run(&format!("import tomic {folder} --yes")).exits(0);
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let all = crate::support::files(folder).into_iter();
    all.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

/// The files that hold a text, as it is or in anything compressed, wherever it begins.
fn holders(folder: &Path, text: &str) -> Vec<String> {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let packed = |bytes: &[u8]| {
        let magic = [0x28, 0xb5, 0x2f, 0xfd];
        let starts =
            (0..bytes.len().saturating_sub(4)).filter(|at| bytes[*at..].starts_with(&magic));
        starts.into_iter().any(|at| {
            let mut out = Vec::new();
            let mut decoder =
                zstd::stream::read::Decoder::new(&bytes[at..]).unwrap().single_frame();
            let _ = std::io::Read::read_to_end(&mut decoder, &mut out); // as far as it goes
            has(&out)
        })
    };
    let all = files(folder).into_iter();
    all.filter(|(_, bytes)| has(bytes) || packed(bytes)).map(|(name, _)| name).collect()
}

fn row<'a>(view: &'a Value, date: &str) -> &'a Value {
    view["rows"].as_array().unwrap().iter().find(|row| row["date"] == date).unwrap()
}

#[test]
fn what_was_erased_is_in_no_file_and_every_read_says_so() {
    let desk = desk();
    let ledger = desk.path().join(".volledger");
    // Else the search would prove nothing: engine, packs and mirror all have it.
    let before = holders(&ledger, CANARY);
    for place in ["sled", "sources", "mirror"] {
        assert!(before.iter().any(|name| name.contains(place)), "{place}: {before:?}");
    }
    let head = desk.run("log --json").exits(0).json()["position"].as_u64().unwrap();
    // Nothing happens without a word.
    let plan = desk.run("erase b2/1 --reason wrong --plan --json").exits(0).json();
    assert_eq!(
        (&plan["plan"], &plan["events"], &plan["entry"]),
        (&true.into(), &1.into(), &Value::Null)
    );
    assert_eq!(plan["batches"][0]["from"], "2024-01-03");
    let ran = desk.run("erase b2/1 --reason wrong").exits(12);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    desk.run("erase b2/9 --reason wrong --yes").exits(1);
    desk.run("erase b9 --reason wrong --yes").exits(1);
    assert_eq!(holders(&ledger, CANARY).len(), before.len());

    let done = desk.words(&["erase", "b2/1", "--reason", "not ours", "--yes", "--json"]);
    let done = done.exits(0).json();
    assert_eq!((done["entry"].as_u64(), done["events"].as_u64()), (Some(head + 1), Some(1)));
    assert_eq!(holders(&ledger, CANARY), Vec::<String>::new());
    desk.run("verify --deep").exits(0);
    assert_eq!(holders(&ledger, CANARY), Vec::<String>::new(), "rebuilt views have it again");

    // The view shows what stood before, and says so; also at a position before the erasure.
    for at in [String::new(), format!(" --at #{head}")] {
        let ran = desk.run(&format!("view iv VOLA --json{at}")).exits(0);
        assert!(
            ran.err.contains("erased by tester") && ran.err.contains("not ours"),
            "{}",
            ran.err
        );
        let view = ran.json();
        assert_eq!(view["erased"], 1, "{view}");
        assert_eq!(view["erasures"][0]["entry"].as_u64(), Some(head + 1));
        assert_eq!(row(&view, "2024-01-03")["atm_iv"].to_string(), "0.22");
        assert_eq!(row(&view, "2024-01-04")["atm_iv"].to_string(), "0.23");
    }
    let quiet = desk.run("view iv VOLA --from 2024-01-04 --json").exits(0);
    assert!(quiet.json().get("erased").is_none() && !quiet.err.contains("erased"), "{}", quiet.err);
    for line in [
        "why iv VOLA 2024-01-03",
        "show b2/1",
        "export iv VOLA -f csv",
        "snapshot VOLA",
        "gaps VOLA",
        "sql SELECT*FROM(SELECT(1))",
    ] {
        let ran = desk.run(line).exits(0);
        assert!(ran.err.contains("erased by tester"), "{line}: {}", ran.err);
    }
    let shown = desk.run("show b2/1 --json").exits(0).json();
    assert_eq!((&shown["op"], &shown["raw"]), (&"erased".into(), &"".into()));
    assert_eq!(shown["erased"]["reason"], "not ours");
    // The row beside it stands, only its bytes are gone.
    let beside = desk.run("show b2/2 --json").exits(0).json();
    assert_eq!(
        (&beside["op"], &beside["raw"], &beside["proven"]),
        (&"put".into(), &"".into(), &true.into())
    );
    assert_eq!(beside["erased"]["actor"], "tester");
    // What needs the batch whole is refused.
    for line in ["batch export b2 b2.bundle", "batch replay b2"] {
        let ran = desk.run(line).exits(1);
        assert!(ran.err.contains("erased by tester") && ran.err.contains("Hint:"), "{}", ran.err);
    }
    // Nothing comes back through the same file: its content is known.
    let again = desk.run("import tomic two --yes").exits(0);
    assert!(again.err.contains("erased"), "{}", again.err);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    desk.run("verify --deep").exits(0);
    let audit = desk.run("log --audit --json").exits(0).json();
    assert_eq!(audit["batches"][1]["erased"], 1);
    assert!(audit["findings"].as_array().unwrap().iter().any(|f| f["code"] == "erased"));
    // Erased once is erased.
    let none = desk.run("erase b2/1 --reason again --yes --json").exits(0).json();
    assert_eq!((&none["entry"], &none["events"]), (&Value::Null, &0.into()));
}

#[test]
fn a_value_that_only_the_erased_row_had_is_missing_loudly() {
    let desk = desk();
    desk.run("erase b2/3 --reason gone --yes").exits(0);
    let ran = desk.run("why iv VOLA 2024-01-05").exits(1);
    assert!(ran.err.contains("erased by tester") && ran.err.contains("show '#"), "{}", ran.err);
    let view = desk.run("view iv VOLA --json").exits(0).json();
    assert_eq!(view["rows"].as_array().unwrap().len(), 3);
    assert_eq!(view["erased"], 1);
}

/// What comes next may be on a later day than the one asked for; what stood then may not.
#[test]
fn an_erased_announcement_to_come_is_missing_loudly() {
    let desk = desk();
    let calendar = "ticker,announcement_date,timing,confirmed\nVOLA,2024-02-01,AMC,1\n";
    let calendar = desk.write("calendar.csv", calendar);
    desk.run(&format!("import earnings {calendar} --yes")).exits(0);
    desk.run("erase b3/1 --reason gone --yes").exits(0);
    for command in ["snapshot VOLA", "screen spot>0 VOLA", "overview VOLA", "coverage VOLA"] {
        let ran = desk.run(&format!("{command} --date 2024-01-04")).exits(0);
        assert!(ran.err.contains("erased by tester"), "{command}: {}", ran.err);
    }
    let ran = desk.run("rank VOLA --date 2024-01-04").exits(0);
    assert!(!ran.err.contains("erased"), "{}", ran.err);
}

#[test]
fn copies_and_proofs_work_over_erased_rows() {
    let desk = desk();
    let key: Value = desk.run("key new --name example.com/vol -O key --json").exits(0).json();
    let vkey = key["vkey"].as_str().unwrap().to_owned();
    desk.run("erase b2/1 --reason gone --yes").exits(0);
    desk.run("checkpoint sign --key-file key -O c").exits(0);
    desk.run("prove b2/2 -O proof --checkpoint c").exits(0);
    desk.run(&format!("verify-proof proof --key {vkey}")).exits(0);
    let ran = desk.run("prove b2/1 -O no --checkpoint c").exits(1);
    assert!(ran.err.contains("erased by tester"), "{}", ran.err);
    let head = desk.run("verify --json").exits(0).json()["log_root"].clone();
    for line in ["backup whole", "backup plain --plain"] {
        desk.run(line).exits(0);
        let file = line.split(' ').nth(1).unwrap();
        desk.run(&format!("restore {file} restored-{file}")).exits(0);
        let report = desk.run(&format!("-L restored-{file} verify --deep --json")).exits(0).json();
        assert_eq!(report["log_root"], head);
        let view = desk.run(&format!("-L restored-{file} view iv VOLA --json")).exits(0).json();
        assert_eq!(view["erased"], 1);
        assert_eq!(holders(&desk.path().join(format!("restored-{file}")), CANARY), [""; 0]);
        let bytes = std::fs::read(desk.path().join(file)).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
    }
    if let Some(python) = crate::bundle::python() {
        let told = crate::bundle::sound(&python, &desk.path().join("plain"), &[]);
        assert!(told.starts_with("ok: 2 batches, 5 events"), "{told}");
    }
    // From the mirror alone, with the engine gone.
    let report = desk.run("recover .volledger new-one --json").exits(0).json();
    assert_eq!(report["whole"], true, "{report}");
    std::fs::remove_dir_all(desk.path().join(".volledger/sled")).unwrap();
    desk.run("recover .volledger new-two --json").exits(0).json();
    desk.run("-L new-two verify --deep").exits(0);
    assert_eq!(holders(&desk.path().join("new-two"), CANARY), [""; 0]);
}

#[test]
fn announcements_and_what_options_pay_for_them_say_it_too() {
    let desk = Desk::with_ledger();
    let calendar = crate::program::sample("earnings/calendar.csv");
    desk.run(&format!("import earnings {calendar} --yes")).exits(0);
    desk.run("erase b1/1 b1/2 --reason gone --yes").exits(0);
    let whole = desk.run("earnings VOLA").err + &desk.run("earnings VOLB").err;
    assert!(whole.contains("erased by tester"), "{whole}");
    for line in ["vrp VOLA VOLB --date 2024-11-25", "vrp scan --date 2024-11-25"] {
        let said = desk.run(line).err;
        assert!(said.contains("erased by tester"), "{line}: {said}");
    }
    // What they do not read is not theirs to tell.
    let other = self::desk();
    other.run("erase b2/1 --reason gone --yes").exits(0);
    let said = other.run("vrp VOLA --date 2024-01-04").err;
    assert!(!said.contains("erased"), "{said}");
}

fn on(desk: &Desk, day: &str, line: &str) -> Ran {
    let mut command = desk.command(line.split(' '));
    command.env("VOLLEDGER_NOW", format!("{day}T12:00:00Z"));
    crate::program::ran(command, None)
}

#[test]
fn retention_erases_what_is_due_and_nothing_else() {
    let desk = desk();
    let none = desk.run("retention apply --yes").exits(0);
    assert!(none.err.contains("no rules"), "{}", none.err);
    let rules = "[retention]\niv = \"30d\"\nchain = \"5d\"\n";
    std::fs::write(desk.path().join(".volledger/config.toml"), rules).unwrap();
    // 2024-01-03 is exactly 30 days before 2024-02-02, and not due on that day.
    let due = on(&desk, "2024-02-02", "retention apply --dry-run --json").exits(0).json();
    assert_eq!((&due["events"], &due["plan"]), (&1.into(), &true.into()), "{due}");
    assert_eq!(due["batches"][0]["from"], "2024-01-02");
    on(&desk, "2024-02-02", "retention apply").exits(12);
    let done = on(&desk, "2024-02-03", "retention apply --yes --json").exits(0).json();
    assert_eq!(done["events"], 3, "{done}");
    assert_eq!(done["reason"], "retention: iv 30d, chain 5d");
    let entries = desk.run("log --json").exits(0).json()["position"].clone();
    let again = on(&desk, "2024-02-03", "retention apply --yes --json").exits(0).json();
    assert_eq!((&again["events"], &again["position"]), (&0.into(), &entries));
    on(&desk, "2024-02-03", "verify --deep").exits(0);
    let view = desk.run("view iv VOLA --json").exits(0).json();
    let days: Vec<_> = view["rows"].as_array().unwrap().iter().map(|row| &row["date"]).collect();
    assert_eq!(days, ["2024-01-04", "2024-01-05"]);
    assert_eq!(view["erased"], 3);
    assert_eq!(holders(&desk.path().join(".volledger"), CANARY), [""; 0]);
}

#[test]
fn kept_projections_forget_too() {
    let desk = desk();
    desk.write("q.sql", "SELECT symbol, date, atm_iv FROM iv WHERE symbol = :symbol");
    desk.run("projection add mine --sql q.sql").exits(0);
    desk.run("erase b2 --reason gone --yes").exits(0);
    desk.run("verify --deep").exits(0);
    let rows = desk.words(&["sql", "SELECT count(*) FROM mine", "--json"]).exits(0).json();
    assert_eq!(rows["rows"][0][0], 2, "{rows}");
    assert_eq!(holders(&desk.path().join(".volledger"), CANARY), [""; 0]);
}

/// A Market Chameleon file, each row of which has implied and realised volatility, as b1.
fn both() -> Desk {
    let desk = Desk::with_ledger();
    let rows: String = (2..=5).map(|day| format!("2024-01-0{day},20.{day},30.{day}\n")).collect();
    let file = desk.write("VOLA.csv", &format!("Date,IV30,OHLC 20-Day Vol\n{rows}"));
    desk.run(&format!("import iv {file} -s VOLA --yes")).exits(0);
    desk
}

fn rules(desk: &Desk, rules: &str) {
    let text = format!("[retention]\n{rules}\n");
    std::fs::write(desk.path().join(".volledger/config.toml"), text).unwrap();
}

fn days(desk: &Desk, view: &str) -> usize {
    let found = desk.run(&format!("view {view} VOLA --json")).exits(0).json();
    found["rows"].as_array().unwrap().len()
}

#[test]
fn a_row_of_several_views_goes_when_each_has_a_rule_that_is_due() {
    let desk = both();
    assert_eq!((days(&desk, "iv"), days(&desk, "hv")), (4, 4));
    let before = desk.run("log --json").exits(0).json()["position"].clone();
    // One view has no rule: it keeps its rows, whichever of the two it is.
    for (mine, other) in [("iv", "hv"), ("hv", "iv")] {
        rules(&desk, &format!("{mine} = \"30d\""));
        for words in ["--dry-run", "--yes"] {
            let line = format!("retention apply {words}");
            let kept = on(&desk, "2024-06-01", &line).exits(0);
            assert!(kept.out.contains("Nothing to erase"), "{}", kept.out);
            assert!(kept.out.contains(&format!("a rule for {other} too")), "{}", kept.out);
            assert!(kept.err.contains(&format!("{other} = \"…d\"")), "{}", kept.err);
            let kept = on(&desk, "2024-06-01", &format!("{line} --json")).exits(0).json();
            let held = serde_json::json!([{"batch": "b1", "view": mine, "kept_by": other,
                "kept_days": null, "events": 4}]);
            assert_eq!((&kept["events"], &kept["held"]), (&0.into(), &held), "{kept}");
        }
    }
    // Both have one, and the longer one counts.
    rules(&desk, "iv = \"30d\"\nhv = \"90d\"");
    let kept = on(&desk, "2024-03-01", "retention apply --yes --json").exits(0).json();
    assert_eq!((&kept["events"], &kept["held"][0]["kept_days"]), (&0.into(), &90.into()), "{kept}");
    assert_eq!(desk.run("log --json").exits(0).json()["position"], before);
    assert_eq!((days(&desk, "iv"), days(&desk, "hv")), (4, 4));
    // 2024-01-02 and -03 are more than 90 days before 2024-04-03.
    let plan = on(&desk, "2024-04-03", "retention apply --dry-run").exits(0);
    assert!(plan.out.contains("iv hv"), "{}", plan.out);
    let done = on(&desk, "2024-04-03", "retention apply --yes --json").exits(0).json();
    assert_eq!(done["batches"][0]["views"], serde_json::json!(["iv", "hv"]), "{done}");
    assert_eq!((&done["events"], &done["held"][0]["events"]), (&2.into(), &2.into()), "{done}");
    assert_eq!((days(&desk, "iv"), days(&desk, "hv")), (2, 2));
    desk.run("verify --deep").exits(0);
}

#[test]
fn a_view_and_a_batch_of_which_everything_was_erased_say_so() {
    let desk = both();
    let plan = desk.run("erase b1 --reason lic --plan").exits(0);
    assert!(plan.out.contains("iv hv"), "{}", plan.out);
    desk.run("erase b1 --reason lic --yes").exits(0);
    for view in ["iv", "hv"] {
        let view = desk.run(&format!("view {view} VOLA")).exits(1);
        assert!(view.err.contains("4 events of b1") && view.err.contains("lic"), "{}", view.err);
    }
    for line in ["batch diff b1", "batch show b1", "batch diff b1 --json"] {
        let batch = desk.run(line).exits(0);
        assert!(batch.err.contains("4 events of b1 were erased by"), "{line}: {}", batch.err);
    }
}

#[test]
fn an_erasure_names_the_batches_that_have_the_same_rows_still() {
    let desk = both();
    desk.run("batch replay b1 --mapping mc-iv-basic --yes").exits(0);
    let plan = desk.run("erase b1 --reason lic --plan").exits(0);
    assert!(plan.out.contains("in other batches") && plan.out.contains("b2"), "{}", plan.out);
    let command = "volledger erase b1 b2 --reason lic --plan";
    assert!(plan.err.contains(command), "{}", plan.err);
    let plan = desk.run("erase b1/1 b1/3 --reason lic --plan --json").exits(0).json();
    let same = serde_json::json!([{"batch": "b2", "state": "active", "events": 2, "of": 4,
        "what": ["b2/1", "b2/3"]}]);
    assert_eq!(plan["elsewhere"], same, "{plan}");
    let both = desk.run("erase b1 b2 --reason lic --plan --json").exits(0).json();
    assert_eq!(both.get("elsewhere"), None, "{both}");
    let done = desk.run("erase b1 --reason lic --yes").exits(0);
    assert!(done.out.contains("stay in other batches"), "{}", done.out);
    assert!(done.err.contains("volledger erase b2 --reason lic`"), "{}", done.err);
    assert_eq!(days(&desk, "iv"), 4);
    desk.run("erase b2 --reason lic --yes").exits(0);
    desk.run("verify --deep").exits(0);
    // Another file is another source.
    desk.run(&format!("import iv {} -s VOLB --yes", crate::program::sample("iv/VOLB.csv")))
        .exits(0);
    let alone = desk.run("erase b3 --reason lic --plan --json").exits(0).json();
    assert_eq!(alone.get("elsewhere"), None, "{alone}");
}

/// Files of the same bytes about two symbols are not the same rows.
#[test]
fn an_erasure_tells_equal_files_of_two_symbols_apart() {
    let desk = Desk::with_ledger();
    let text = "Date,IV30\n2024-12-02,20\n2024-12-03,21\n";
    let (one, two) = (desk.write("AAA.csv", text), desk.write("BBB.csv", text));
    let import = format!("import iv {one} {two} --symbol-from name --mapping mc-iv-basic --yes");
    // One file under two symbols waits for a person.
    desk.run(&import).exits(11);
    desk.run("batch confirm b1").exits(0);
    desk.run("batch rollback b1 --reason x").exits(0);
    desk.run(&format!("{import} --again --reason y")).exits(11);
    desk.run("batch confirm b2").exits(0);
    let plan = desk.run("erase b1/1 --reason gdpr --plan --json").exits(0).json();
    assert_eq!(plan["elsewhere"][0]["what"], serde_json::json!(["b2/1"]), "{plan}");
    assert_eq!(plan["elsewhere"].as_array().unwrap().len(), 1, "{plan}");
}

/// What a killed fetch left of an answer says what the answer says.
#[test]
fn what_was_cut_from_the_inbox_goes_too() {
    let desk = desk();
    let inbox = desk.path().join(".volledger/inbox");
    std::fs::create_dir(&inbox).unwrap();
    std::fs::write(inbox.join("arrived.cut"), CANARY).unwrap();
    std::fs::write(inbox.join("arrived"), "").unwrap();
    desk.run("erase b2/1 --reason gdpr --yes").exits(0);
    assert_eq!(holders(&desk.path().join(".volledger"), CANARY), [""; 0]);
    assert!(inbox.join("arrived").exists());
}

/// The bytes of a file go with the rows of one batch; others that were read from it cannot be read again.
#[test]
fn a_batch_whose_bytes_went_with_those_of_another_says_so() {
    let desk = Desk::with_ledger();
    let iv = crate::program::sample("iv/VOLA.csv");
    for mapping in ["mc-iv", "mc-iv-basic"] {
        desk.run(&format!("import iv {iv} -s VOLA --mapping {mapping} --force")).exits(0);
    }
    let plan = desk.run("erase b1 --reason gdpr --plan").exits(0);
    assert!(plan.out.contains("The kept bytes of b2 would go too"), "{}", plan.out);
    let both = desk.run("erase b1 b2 --reason gdpr --plan --json").exits(0).json();
    assert_eq!(both.get("without_bytes"), None, "{both}");
    let done = desk.run("erase b1 --reason gdpr --yes --json").exits(0).json();
    assert_eq!(done["without_bytes"], serde_json::json!(["b2"]), "{done}");
    for line in ["batch replay b2 --mapping mc-iv", "batch export b2 b2.vlb"] {
        let ran = desk.run(line).exits(1);
        assert!(ran.err.contains("was read from") && ran.err.contains("erased by"), "{}", ran.err);
    }
}

/// A refused import has written its file before it is known for what it is.
#[test]
fn a_refused_import_brings_nothing_back() {
    let desk = desk();
    let ledger = desk.path().join(".volledger");
    desk.run("erase b2 --reason gdpr --yes").exits(0);
    desk.run("batch rollback b2").exits(0);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    let refused = desk.run("import tomic two --yes").exits(23);
    assert!(refused.err.contains("rolled back"), "{}", refused.err);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    desk.run("backup whole.vlb").exits(0);
    assert_eq!(holders(desk.path(), CANARY).len(), 1, "the folder that was imported alone");
    desk.run("verify --deep").exits(0);
}

/// An import that fails has written what it read before it failed, and nobody knows whether that was
/// what was erased.
#[test]
fn a_failed_import_brings_nothing_back() {
    let desk = Desk::with_ledger();
    let place = desk.path().join("many").join("iv_daily_summary");
    std::fs::create_dir_all(&place).unwrap();
    // More than a window: what is read first is in the engine when the last file is looked at.
    for symbol in 0..60 {
        let rows: Vec<_> = (0..1_100)
            .map(|n| {
                let date = format!("{}-{:02}-{:02}", 2020 + n / 336, n / 28 % 12 + 1, n % 28 + 1);
                let note = if (symbol, n) == (0, 0) { CANARY } else { "plain" };
                format!(
                    "{{\"date\":\"{date}\",\"atm_iv\":0.{},\"note\":\"{note}\"}}",
                    100 + n % 700
                )
            })
            .collect();
        let name = format!(
            "S{}.json",
            char::from(b'A' + symbol % 26).to_string().repeat(1 + symbol as usize / 26)
        );
        std::fs::write(place.join(name), format!("[{}]", rows.join(","))).unwrap();
    }
    desk.run("import tomic many --yes").exits(0);
    let ledger = desk.path().join(".volledger");
    assert!(!holders(&ledger, CANARY).is_empty());
    desk.run("erase b1/1 --reason gdpr --yes").exits(0);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    std::fs::write(place.join("ZBAD.json"), "[{").unwrap();
    let failed = desk.run("import tomic many --yes").exits(1);
    assert!(failed.err.contains("ZBAD"), "{}", failed.err);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    let opened = desk.run("verify --deep").exits(0);
    assert!(!opened.err.contains("unfinished"), "{}", opened.err);
}

/// A file with a column that only one of its two mappings reads: 77.77 is in no other.
const TWO_DAYS: &str =
    "Date,IV30,OHLC 20-Day Vol\n2024-12-02,20.11,77.77\n2024-12-03,21.11,22.22\n";

/// The packs, byte for byte, after something was erased: no text of 77.77 is in any file of the ledger.
fn without_it(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let ledger = desk.path().join(".volledger");
    assert_eq!(holders(&ledger, "77.77"), [""; 0]);
    files(&ledger.join("sources"))
}

/// The bytes of a file go with the rows of one batch, whatever other batches were read from it: no
/// import that adds nothing brings them back.
#[test]
fn an_import_that_is_known_or_refused_brings_no_bytes_back() {
    for rolled_back in [false, true] {
        let desk = Desk::with_ledger();
        let import = format!("import iv {} -s AAA", desk.write("a.csv", TWO_DAYS));
        let (all, basic) =
            (format!("{import} --mapping mc-iv"), format!("{import} --mapping mc-iv-basic"));
        desk.run(&format!("{all} --yes")).exits(0);
        desk.run(&format!("{basic} --yes")).exits(0);
        if rolled_back {
            desk.run("batch rollback b1 --reason bad").exits(0);
        }
        desk.run("erase b1/1 --reason gdpr --yes").exits(0);
        let erased = without_it(&desk);
        desk.run(&format!("{all} --force")).exits(if rolled_back { 23 } else { 0 });
        assert!(without_it(&desk) == erased);
        // Nor by way of the batch of which nothing was erased.
        desk.run(&format!("{basic} --yes")).exits(0);
        assert!(without_it(&desk) == erased);
        let refused = desk.run("batch export b2 x.vlb --plain").exits(1);
        assert!(refused.err.contains("was erased by"), "{}", refused.err);
        if rolled_back {
            // Who asks for it has it, and keeps it.
            desk.run(&format!("{all} --yes --again --reason asked")).exits(0);
            desk.run(&format!("{all} --yes")).exits(0);
            assert!(desk.run("why iv AAA 2024-12-02").exits(0).out.contains("77.77"));
        }
        desk.run("verify --deep").exits(0);
    }
    // What is left of the file is in a part that lost nothing.
    let desk = Desk::with_ledger();
    let text =
        "Symbol,Date,IV30,OHLC 20-Day Vol\nAAA,2024-12-02,20.11,77.77\nBBB,2024-12-02,30,31\n";
    let import = format!("import iv {} --symbol-from column", desk.write("s.csv", text));
    desk.run(&format!("{import} --stage-only")).exits(0);
    desk.run("batch split b1 -s AAA").exits(0);
    desk.run("batch confirm b2").exits(0);
    desk.run("batch rollback b2 --reason bad").exits(0);
    desk.run("erase b2 --reason gdpr --yes").exits(0);
    let erased = without_it(&desk);
    desk.run(&format!("{import} --yes")).exits(23);
    assert!(without_it(&desk) == erased);
    desk.run("verify --deep").exits(0);
}

/// What was erased does not come back for a scheduled import either, whatever became of its batch.
#[test]
fn an_import_brings_no_erased_row_back_unless_it_is_asked_to() {
    let text =
        "Symbol,Date,IV30\nAAA,2024-12-02,20.11\nAAA,2024-12-03,21.11\nBBB,2024-12-02,30.11\n";
    for split in [true, false] {
        let desk = Desk::with_ledger();
        let import = format!("import iv {} --symbol-from column", desk.write("s.csv", text));
        desk.run(&format!("{import} --stage-only")).exits(0);
        let erased = match split {
            true => {
                desk.run("batch split b1 -s AAA").exits(0);
                desk.run("batch confirm b2").exits(0);
                desk.run("batch confirm b3").exits(0);
                "b2/1"
            }
            false => {
                desk.run("batch discard b1").exits(0);
                "b1"
            }
        };
        desk.run(&format!("erase {erased} --reason gdpr --yes")).exits(0);
        let head = || desk.run("log --json").exits(0).json()["position"].clone();
        let before = head();
        // Under another mapping, or beside another file, it is the same file.
        let other = desk.write("CCC.csv", "Symbol,Date,IV30\nCCC,2024-12-02,1.5\n");
        for line in ["--yes", "--force", "--mapping mc-iv-basic --yes", &format!("{other} --yes")] {
            let refused = desk.run(&format!("{import} {line}")).exits(23);
            let told = ["rows of s.csv were erased by tester", "gdpr", "--again"];
            assert!(told.iter().all(|part| refused.err.contains(part)), "{}", refused.err);
            assert_eq!(head(), before);
        }
        desk.run(&format!("{import} --yes --again --reason asked")).exits(0);
        let view = desk.run("view iv AAA --json").exits(0).json();
        assert_eq!(row(&view, "2024-12-02")["atm_iv"].to_string(), "0.2011");
        // It is here by somebody's wish now, for another mapping too.
        desk.run(&format!("{import} --yes")).exits(0);
        desk.run(&format!("{import} --mapping mc-iv-basic --yes")).exits(0);
        desk.run("verify --deep").exits(0);
    }
}

/// An engine on another disk: what goes is what the link leads to, and the link stays.
#[test]
#[cfg(unix)]
fn an_engine_behind_a_link_is_erased_where_it_lies() {
    let desk = desk();
    let (ledger, disk) = (desk.path().join(".volledger"), desk.path().join("disk"));
    std::fs::create_dir(&disk).unwrap();
    std::fs::rename(ledger.join("sled"), disk.join("engine")).unwrap();
    std::os::unix::fs::symlink("../disk/engine", ledger.join("sled")).unwrap();
    // Somebody else's, by a name much like one that is used beside the engine.
    desk.write("disk/.engine-new", "theirs");
    assert!(!holders(&disk, CANARY).is_empty());
    desk.run("erase b2/1 --reason gdpr --yes").exits(0);
    assert!(ledger.join("sled").is_symlink());
    assert_eq!((holders(&disk, CANARY), holders(&ledger, CANARY)), (vec![], vec![]));
    desk.run("verify --deep").exits(0);
    let there = || {
        let names = disk.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(there(), [".engine-new", "engine"]);
    // Between the two renames, and behind them.
    std::fs::rename(disk.join("engine"), disk.join(".engine-volledger-old")).unwrap();
    std::fs::create_dir(disk.join(".engine-volledger-new")).unwrap();
    assert_eq!(desk.run("recover .volledger --dry-run --json").exits(0).json()["whole"], true);
    desk.run("verify --deep").exits(0);
    assert_eq!(there(), [".engine-new", "engine"]);
}

/// Killed between the entry and the work, and then opened where nothing can be written.
#[test]
fn an_erasure_that_is_not_finished_is_not_shown_as_if_it_had_not_been_asked_for() {
    use volledger::app::{AppError, LedgerError, outside, recover};
    let desk = desk();
    let ledger = desk.path().join(".volledger");
    crate::support::copy(&ledger, &desk.path().join("other"));
    desk.run("-L other erase b2/1 --reason gdpr --yes").exits(0);
    let run = crate::support::run();
    let opened = |place: &Path| {
        let patience = std::time::Duration::from_secs(5);
        outside::open(place, "test", patience, &run).unwrap().ledger
    };
    let entry = opened(&desk.path().join("other")).entries().last().unwrap().clone();
    let mut half = opened(&ledger);
    let at = half.append(entry).unwrap();
    drop(half);
    let said = format!("volledger erase 1\nentry {}\n2 0\n", at.0);
    let check = volledger::ledger::hash::content(said.as_bytes());
    std::fs::write(ledger.join("ERASING"), format!("{said}check {}\n", check.short())).unwrap();
    let why = || LedgerError::write("the lock", std::io::Error::other("a read-only place"));
    for refused in [
        recover::open_unwritable(&ledger, why(), &run).map(drop),
        recover::open_sound(&ledger, &run).map(drop),
    ] {
        match refused.unwrap_err() {
            AppError::Ledger(error) => {
                assert!(error.to_string().contains(&format!("erasure {at}")), "{error}");
            }
            other => panic!("{other}"),
        }
    }
    let ran = desk.run("view iv VOLA").exits(0);
    assert!(ran.err.contains("is finished"), "{}", ran.err);
    assert_eq!(holders(&ledger, CANARY), [""; 0]);
    recover::open_unwritable(&ledger, why(), &run).unwrap();
}

#[test]
fn retention_tells_of_rejected_rows_that_no_rule_takes() {
    let desk = Desk::with_ledger();
    let text = "Date,IV30\n2024-01-02,20.5\n2024-01-03,abc\n2024-03-03,21.5\n";
    let file = desk.write("VOLA.csv", text);
    desk.run(&format!("import iv {file} -s VOLA --yes --force")).exits(0);
    rules(&desk, "iv = \"30d\"");
    let apply =
        |day: &str, words: &str| on(&desk, day, &format!("retention apply {words}")).exits(0);
    // As long as a row of the batch stays they are like any others.
    let some = apply("2024-02-20", "--yes --json").json();
    assert_eq!((&some["events"], some.get("rejected")), (&1.into(), None), "{some}");
    let left = serde_json::json!([{"batch": "b1", "events": 1}]);
    for (words, events) in [("--dry-run --json", 1), ("--yes --json", 1), ("--dry-run --json", 0)] {
        let all = apply("2024-05-01", words).json();
        assert_eq!((&all["events"], &all["rejected"]), (&events.into(), &left), "{all}");
    }
    let told = apply("2024-05-01", "--yes");
    assert!(
        told.out.contains("Nothing to erase") && told.out.contains("Rejected rows stay"),
        "{}",
        told.out
    );
    assert!(told.err.contains("volledger erase b1 --reason"), "{}", told.err);
    desk.run("erase b1 --reason old --yes").exits(0);
    let none = apply("2024-05-01", "--dry-run --json").json();
    assert_eq!(none.get("rejected"), None, "{none}");
}

/// A list has room for a line of each entry; `show` says all of it.
#[test]
fn an_erasure_of_many_batches_is_one_short_line_of_the_log() {
    use crate::support::{confirmed, options, run};
    use volledger::app::{erase, trace};
    let (directory, mut ledger) = crate::support::ledger();
    let mut words = Vec::new();
    for day in 1..=28 {
        let file = directory.path().join("VOLA.csv");
        std::fs::write(&file, format!("Date,IV30\n2024-02-{day:02},20.{day}\n")).unwrap();
        let series = volledger::domain::Series::Iv;
        words.push(confirmed(&mut ledger, &file, &options(series, Some("VOLA"))).to_string());
    }
    let selection = erase::selected(&ledger, &words).unwrap();
    let at = erase::erase(&mut ledger, &selection, "all", &run()).unwrap().entry.unwrap();
    let line = trace::log(&ledger, Some(1), None, None).unwrap().entries.remove(0);
    assert!(line.text.contains("of b28") && line.text.len() > 300, "{}", line.text);
    let brief = line.brief();
    assert!(brief.len() < 130 && brief.ends_with(&format!("`volledger show '#{at}'`)")), "{brief}");
}
