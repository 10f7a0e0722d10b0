//! What somebody meets who does not know the program yet: words that are nearly right, names that
//! are misspelt, files that are something else.

use super::{Desk, sample};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// An error with its next step.
#[track_caller]
fn told(desk: &Desk, line: &str, exit: i32, says: &str, next: &str) {
    let ran = desk.run(line).exits(exit);
    assert!(ran.err.contains(says), "{line}: {}", ran.err);
    let hint = ran.err.lines().find(|line| line.starts_with("Hint: ")).unwrap_or_default();
    assert!(hint.contains(next), "{line}: {}", ran.err);
}

#[test]
fn words_that_are_nearly_right_lead_to_those_that_are() {
    let desk = Desk::with_iv();
    told(&desk, "rollback #1", 2, "--to", "`volledger rollback --to '#1' --plan`");
    told(&desk, "rollback 2024-12-31", 2, "--to", "--to '2024-12-31'");
    told(&desk, "rollback b1", 2, "b1 is a batch", "`volledger batch rollback b1`");
    told(&desk, "show b1", 2, "b1 is a batch", "`volledger batch show b1`");
    told(&desk, "confirm b1", 2, "unrecognized", "`volledger batch confirm`");
    told(&desk, "view iv VOLA --at soon", 2, "2024-12-31T16:00:00Z", "`volledger view --help`");
    told(&desk, "batch split b1 --symbol ,", 2, "", "`volledger batch split --help`");
    // Nothing of it was done.
    assert_eq!(desk.run("log --json").exits(0).json()["position"], 2);
}

#[test]
fn a_misspelt_symbol_is_said_to_be_unknown() {
    let desk = Desk::with_iv();
    told(&desk, "diff 0 2 --symbol VOLX", 1, "nothing is known of VOLX", "volledger status");
    told(&desk, "diff 0 2 --symbol VOLX --series iv", 1, "view iv has nothing", "volledger status");
    told(&desk, "gaps VOLX", 1, "nothing is known of VOLX", "volledger status");
    told(&desk, "derive hv VOLX", 1, "view spot has nothing about VOLX", "volledger status");
    told(&desk, "export tomic out VOLX", 1, "nothing is known of VOLX", "volledger status");
    assert!(!desk.path().join("out").exists());
    desk.run("gaps VOLA").exits(0);
    desk.run("diff 0 2 --symbol VOLA").exits(0);
    desk.run("export tomic out VOLA").exits(0);
}

#[test]
fn what_has_no_value_a_day_has_no_gaps_and_nothing_is_drawn_of_nothing() {
    let desk = Desk::with_iv();
    for symbol in ["", " VOLA"] {
        let line = format!("gaps{symbol} --series earnings");
        told(&desk, &line, 2, "gaps are of iv, hv, spot and index", "volledger gaps --help");
    }
    told(&desk, "heatmap --from 2040-01-01 --svg none.svg", 1, "nothing to draw", "status");
    told(&desk, "heatmap --from 2040-01-01 --html none.html", 1, "nothing to draw", "status");
    assert!(!desk.path().join("none.svg").exists() && !desk.path().join("none.html").exists());
    desk.run("heatmap --from 2040-01-01").exits(0);
}

/// "2024-01-03 … 2024-01-05 (1)" would be taken for three days.
#[test]
fn gaps_say_that_a_hole_is_between_the_days_that_it_names() {
    let desk = Desk::with_ledger();
    let file = desk.write("hole.csv", "Date,IV30\n2024-01-03,20\n2024-01-05,21\n");
    desk.run(&format!("import iv {file} -s HOLE --yes")).exits(0);
    let gaps = desk.run("gaps HOLE").exits(0).out;
    assert!(gaps.contains("2024-01-03 … 2024-01-05 (1)"), "{gaps}");
    assert!(gaps.contains("is between the two days named"), "{gaps}");
}

#[test]
fn the_help_of_import_lists_the_mappings_as_the_error_says() {
    let desk = Desk::with_iv();
    let said = desk.run("import iv x.csv -s A --mapping nope").exits(2).err;
    assert!(said.contains("`volledger import iv --help` lists the mappings"), "{said}");
    let listed = said.lines().next().unwrap().split("there are ").nth(1).unwrap();
    let help = desk.run("import iv --help").exits(0).out;
    for name in listed.split(", ") {
        assert!(help.contains(name), "{name}: {help}");
    }
}

#[test]
fn a_mapping_of_ones_own_starts_from_one_that_is_printed() {
    let desk = Desk::with_ledger();
    let printed = desk.run("import iv --print-mapping mc-iv").exits(0).out;
    assert!(printed.contains("# The fields of iv: atm_iv, "), "{printed}");
    let own = printed.replace("\"mc-iv\"", "\"own\"").replace("\"IV30\"", "\"Vol, %\"");
    let own = desk.write("own.toml", &own.replace("\"Date\"", "\"Datum\""));
    let file = desk.write("own.csv", "Datum;Vol, %\n2024-01-02;45,5\n");
    let seen = "no line has the columns Date, IV30; line 1 has Datum, Vol, %";
    told(&desk, &format!("check {file}"), 1, seen, "--print-mapping mc-iv");
    desk.run(&format!("import iv {file} -s A --mapping {own} --yes")).exits(0);
    let view = desk.run("view iv A --json").exits(0).json();
    assert_eq!(view["rows"][0]["atm_iv"].to_string(), "0.455");
    let wrong = desk.write("wrong.toml", &printed.replace("\"atm_iv\"", "\"iv\""));
    for (line, said) in [
        (format!("check {file} --mapping {wrong}"), "fields of iv are atm_iv, "),
        ("import iv --print-mapping nope".to_owned(), "there are mc-iv, mc-iv-basic"),
    ] {
        told(&desk, &line, 2, said, "--print-mapping ID");
    }
    desk.run("import earnings --print-mapping earnings").exits(0);
}

/// A mapping that is printed says what its rows are, and both commands that it is for go by it.
#[test]
fn what_a_refused_table_leads_to_can_be_typed_for_every_series() {
    let desk = Desk::with_ledger();
    let file = desk.write("x.csv", "Datum,Naam,Niveau\n2024-01-02,VIX,13.2\n");
    for series in ["iv", "hv", "spot", "index", "earnings", "moves", "straddles"] {
        let import = format!("import {series} {file} -s VIX");
        for line in [import.clone(), format!("check {file} --series {series}")] {
            let said = desk.run(&line).exits(1).err;
            let printed = said.split('`').find(|words| words.contains("--print-mapping")).unwrap();
            let printed = printed.strip_prefix("volledger ").unwrap();
            assert!(printed.starts_with(&format!("import {series} ")), "{line}: {said}");
            let id = printed.rsplit(' ').next().unwrap();
            let own =
                desk.run(printed).exits(0).out.replace(&format!("id = \"{id}\""), "id = \"own\"");
            let own = desk.write("own.toml", &own);
            for typed in [format!("check {file}"), import.clone()] {
                let typed = format!("{typed} --mapping {own}");
                let said = desk.run(&typed).exits(1).err;
                assert!(said.contains("cannot use x.csv: "), "{typed}: {said}");
            }
        }
    }
}

#[test]
fn a_table_of_another_series_leads_to_the_command_that_reads_it() {
    let desk = Desk::with_ledger();
    let file = desk.write("VIX.csv", "Date,Open,High,Low,Close\n2024-01-02,13,14,12,13.2\n");
    for line in [format!("check {file}"), format!("import iv {file} -s VIX")] {
        told(&desk, &line, 1, "lacks IV30", "`volledger import spot` or `volledger import index`");
        told(&desk, &line, 1, "lacks IV30", "`volledger check FILE --series spot`");
    }
    // The mapping says it.
    let ran = desk.run(&format!("check {file} --mapping spot-ohlc")).exits(0);
    assert!(ran.err.contains(&format!("`volledger import spot {file} ")), "{}", ran.err);
    let wrong = "is for spot, not for hv";
    for line in ["import hv -s VIX", "check --series hv"] {
        let line = format!("{line} {file} --mapping spot-ohlc");
        told(&desk, &line, 2, wrong, "with it `volledger import spot` reads the file");
    }
    let printed = desk.run("import spot --print-mapping spot-ohlc").exits(0).out;
    let printed = printed.replace("id = \"spot-ohlc\"", "id = \"own\"");
    let bars = desk.write("bars.toml", &printed.replace("\"spot\"", "\"bars\""));
    for line in ["check", "import spot -s VIX"] {
        let line = format!("{line} {file} --mapping {bars}");
        told(&desk, &line, 2, "bars.toml: no mapping reads bars; there are", "lists the mappings");
    }
    let none = "no mapping reads news; there are some of iv, hv, spot, ";
    told(&desk, &format!("check {file} --series news"), 2, none, "`volledger check --help`");
}

/// What `check` says of a file that cannot be used is all that it can say.
#[test]
fn a_file_that_cannot_be_used_leads_to_what_helps() {
    let desk = Desk::with_iv();
    for (name, text, next) in [
        ("columns.csv", "Day,Vol\n2024-01-02,45\n", "--mapping FILE"),
        ("orders.csv", "Date,IV30\n13/01/2024,45\n01/13/2024,45\n", "order in a mapping"),
        ("packed.csv", "PK\0", "export it again"),
    ] {
        let file = desk.write(name, text);
        for command in ["check", "import iv -s A"] {
            told(&desk, &format!("{command} {file}"), 1, "cannot use", next);
        }
    }
}

#[test]
fn a_long_query_does_not_make_the_log_wide() {
    let desk = Desk::with_iv();
    let query =
        format!("SELECT symbol, date FROM iv WHERE symbol = :symbol{}", " AND 1".repeat(99));
    let file = desk.write("long.sql", &query);
    desk.run(&format!("projection add long --sql {file}")).exits(0);
    let log = desk.run("log").exits(0).out;
    assert!(log.lines().all(|line| line.chars().count() < 190), "{log}");
    assert!(
        log.contains("long@1 is kept: SELECT symbol, date") && log.contains("show '#3'"),
        "{log}"
    );
    assert!(
        desk.run("log --json").exits(0).json()["entries"][0]["text"].as_str().unwrap().len() > 500
    );
}

#[test]
fn why_says_what_it_is_that_is_not_there() {
    let desk = Desk::with_iv();
    told(
        &desk,
        "why iv VOLA 2024-12-30 ATM",
        1,
        "no ATM on 2024-12-30; it has atm_iv",
        "volledger",
    );
    told(&desk, "why iv VOLA 2024-12-30 hv20", 1, "hv20 is a field of view hv", "volledger");
    told(&desk, "why iv VOLA 2024-12-28", 1, "a day without trading", "volledger");
    let chain = "Symbol,Ticker,Strike,Expiration,Type,Bid,Ask\n\
                 VOLA,O:VOLA241220C00100000,100,2024-12-20,call,1.0,1.1\n";
    let file = desk.write("chain.csv", chain);
    desk.run(&format!("import chain {file} -s VOLA --date 2024-12-02 --force")).exits(0);
    told(
        &desk,
        "why chain VOLA 2024-12-02 --item P9",
        1,
        "no contract that ends in P9",
        "volledger",
    );
}

#[test]
fn days_the_wrong_way_round_are_refused() {
    let desk = Desk::with_iv();
    for line in [
        "view iv VOLA",
        "export iv VOLA",
        "export all -f sqlite -O all.sqlite",
        "chart iv VOLA",
        "heatmap",
        "fetch spot VOLA --dry-run",
    ] {
        let line = format!("{line} --from 2024-12-31 --to 2024-01-02");
        told(&desk, &line, 2, "2024-12-31 is after 2024-01-02", "--from");
    }
}

#[test]
fn a_confirmation_can_be_planned_like_any_decision() {
    let desk = Desk::with_ledger();
    let file = sample("iv/VOLA.csv");
    let token =
        desk.run(&format!("import iv {file} -s VOLA --json")).exits(12).json()["token"].clone();
    let plan = desk.run("batch confirm b1 --plan").exits(0);
    assert!(plan.out.contains("Plan, nothing appended: confirm b1"), "{}", plan.out);
    let planned = desk.run("batch confirm b1 --plan --json").exits(0).json();
    assert_eq!((&planned["plan"], &planned["position"]), (&true.into(), &1.into()));
    desk.run("batch confirm b1 --plan --expect 0000000000").exits(20);
    assert_eq!(desk.run("status --json").exits(0).json()["open"][0], "b1");
    let token = token.as_str().unwrap();
    let done = desk.run(&format!("batch confirm b1 --expect {token} --json")).exits(0).json();
    let of = |document: &serde_json::Value, view: &str| {
        let views = document["changes"].as_array().unwrap();
        views.iter().find(|line| line["series"] == view).unwrap()["added"].clone()
    };
    for view in ["iv", "hv"] {
        assert_eq!(of(&planned, view), of(&done, view));
    }
    desk.run("batch confirm b1 --plan").exits(1);
}

#[test]
fn a_file_that_is_no_backup_is_not_taken_for_a_damaged_ledger() {
    let desk = Desk::with_iv();
    desk.run("backup whole").exits(0);
    desk.run("batch export b1 one").exits(0);
    let text = desk.write("text", &"no backup at all, but text\n".repeat(9));
    desk.write("empty", "");
    let short = std::fs::read(desk.path().join("whole")).unwrap();
    std::fs::write(desk.path().join("cut"), &short[..short.len() / 2]).unwrap();
    for (line, exit, says) in [
        (format!("restore {text} new"), 1, "no backup or batch of volledger"),
        ("restore empty new".to_owned(), 1, "no backup or batch of volledger"),
        ("restore one new".to_owned(), 1, "it holds one batch; use `volledger batch import`"),
        ("batch import whole".to_owned(), 1, "it holds a whole ledger; use `volledger restore`"),
        (format!("batch import {text}"), 1, "no backup or batch of volledger"),
        ("restore cut new".to_owned(), 30, "the file is damaged"),
    ] {
        let ran = desk.run(&line).exits(exit);
        assert!(ran.err.contains(says) && ran.err.contains("cannot use"), "{line}: {}", ran.err);
        assert!(!ran.err.contains("the ledger is damaged"), "{line}: {}", ran.err);
        assert!(!ran.err.contains("recover"), "{line}: {}", ran.err);
    }
    assert!(!desk.path().join("new").exists());
}

#[test]
fn a_file_in_the_place_of_a_ledger_is_said_to_be_one() {
    let desk = Desk::new();
    desk.write("file", "x");
    for line in ["-L file status", "-L file init", "-L file view iv"] {
        told(&desk, line, 1, "file is a file; a ledger is a directory", "-L DIR");
    }
}

#[test]
fn answers_say_a_thing_once_and_nothing_of_what_was_not_looked_at() {
    let desk = Desk::with_iv();
    assert!(!desk.run("verify").exits(0).out.contains("0 views"));
    assert!(desk.run("verify --deep").exits(0).out.contains("views compared with the rebuild"));
    let one = desk.run("projection verify iv").exits(0).out;
    assert!(one.contains("1 view compared") && !one.contains("every block"), "{one}");
    desk.run("undo").exits(0);
    let log = desk.run("log").exits(0).out;
    assert_eq!(log.matches("undo #2").count(), 1, "{log}");
    // What a process that finds the ledger in use is told of who has it.
    let lock = std::fs::read_to_string(desk.path().join(".volledger/LOCK")).unwrap();
    assert_eq!(lock.matches("process").count(), 1, "{lock}");
    assert!(lock.contains("volledger of tester"), "{lock}");
}

#[test]
fn what_is_left_out_of_a_folder_is_no_finding_of_a_file_that_was_read() {
    let desk = Desk::with_ledger();
    for name in ["iv_daily_summary", "spot_prices"] {
        std::fs::create_dir_all(desk.path().join("f").join(name)).unwrap();
    }
    desk.write("f/iv_daily_summary/VOLA.json", r#"[{"date":"2024-01-02","atm_iv":0.2}]"#);
    desk.write("f/spot_prices/VOLA_spot.json", r#"{"price":1}"#);
    let review = desk.run("import tomic f --dry-run --json").exits(0).json();
    let finding = &review["findings"][0];
    assert_eq!((&finding["code"], &finding["source"]), (&"skipped_file".into(), &().into()));
    assert!(finding["text"].as_str().unwrap().contains("spot_prices/VOLA_spot.json"));
}

#[test]
fn repeated_days_are_not_laid_to_the_first_of_several_files() {
    let desk = Desk::with_ledger();
    let (clean, dirty) = (sample("bad/VOLA_wrong_scale.csv"), sample("dirty/VOLB_dirty.csv"));
    let line = format!("import iv {clean} {dirty} --symbol-from name");
    let review = desk.run(&format!("{line} --json")).exits(12).json();
    let of = |code: &str| {
        let mut findings = review["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["code"] == code).unwrap()["source"].clone()
    };
    assert_eq!(of("duplicate_dates"), serde_json::Value::Null);
    assert_eq!(of("missing_iv30"), "VOLB_dirty.csv");
}

#[test]
fn rows_of_a_json_file_are_counted_as_its_items() {
    let desk = Desk::with_ledger();
    std::fs::create_dir_all(desk.path().join("f/iv_daily_summary")).unwrap();
    let rows = r#"[{"date":"2024-01-02","atm_iv":0.2},{"date":"2024-01-06","atm_iv":0.3}]"#;
    desk.write("f/iv_daily_summary/VOLA.json", rows);
    let review = desk.run("import tomic f --yes").exits(0).out;
    assert!(review.contains(" item 2 (2024-01-06)") && !review.contains("line 2"), "{review}");
    let why = desk.run("why iv VOLA 2024-01-06").exits(0).out;
    assert!(why.contains("VOLA.json item 2, bytes"), "{why}");
}

/// A device or a pipe is written into; a file of that name in its place would be found by everybody.
#[cfg(unix)]
#[test]
fn exports_go_into_pipes_and_do_not_replace_them() {
    use std::os::unix::fs::FileTypeExt;
    use std::process::{Command, Stdio};
    let desk = Desk::with_iv();
    let pipe = desk.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        return;
    }
    let plain = desk.run("export iv VOLA -f csv").exits(0).out;
    // The report would stand in the middle of what was asked for.
    for place in ["/dev/stdout", "/proc/self/fd/1"] {
        told(&desk, &format!("backup {place}"), 2, "name a file or a pipe", "backup --help");
    }
    for line in ["export iv VOLA -f csv -O pipe", "chart iv VOLA --svg pipe", "backup pipe"] {
        let mut cat = Command::new("cat");
        let mut cat = cat.arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
        let ran = desk.run(line);
        let kept = std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo();
        if !kept {
            let _ = cat.kill();
        }
        assert!(kept, "{line}");
        ran.exits(0);
        let got = cat.wait_with_output().unwrap().stdout;
        assert!(!got.is_empty(), "{line}");
        if line.starts_with("export") {
            assert_eq!(String::from_utf8(got).unwrap(), plain);
        }
    }
}

#[test]
fn a_fetch_refuses_words_that_it_has_no_use_for_and_tells_of_the_network() {
    let desk = Desk::with_ledger();
    told(
        &desk,
        "fetch spot VOLA --expiry 2025-01-17 --dry-run",
        2,
        "no use for `--expiry`",
        "chain",
    );
    told(&desk, "fetch chain VOLA --timespan 5minute --dry-run", 2, "`--timespan`", "fetch bars");
    told(&desk, "fetch news VOLA --horizon 6month --dry-run", 2, "`--horizon`", "fetch earnings");
    desk.run("fetch bars VOLA --timespan 5minute --days 2 --dry-run").exits(0);
    // Nobody listens there. What is staged then has no row that somebody would have to look at.
    let line = "fetch spot VOLA --days 3 --base-url http://127.0.0.1:1 --requests-per-minute 0";
    let mut command = desk.command(line.split_whitespace());
    let output = command.env("POLYGON_API_KEY", "none").output().unwrap();
    assert_eq!(output.status.code(), Some(40), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_difference_of_volatilities_is_in_points() {
    let desk = Desk::with_iv();
    let shown = desk.run("snapshot VOLA --date 2024-06-28").exits(0).out;
    assert!(shown.contains("74.27 %") && shown.contains("+1.5 pts"), "{shown}");
}

#[test]
fn an_erased_row_stands_on_no_line() {
    let desk = Desk::with_iv();
    desk.run("erase b1/3 --reason mistake --yes").exits(0);
    let shown = desk.run("show b1/3").exits(0).out;
    assert!(shown.contains("VOLA.csv, digest") && !shown.contains("line 0"), "{shown}");
}

#[test]
fn the_log_of_a_symbol_is_what_was_done_with_its_batches() {
    let desk = Desk::with_iv();
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run("batch rollback b1 --reason wrong").exits(0);
    desk.run(&format!("import iv {} -s LATER", sample("iv/VOLC.csv"))).exits(12);
    desk.run("batch discard b3").exits(0);
    let of = |words: &str| -> Vec<u64> {
        let log = desk.run(&format!("log {words} --json")).exits(0).json();
        assert_eq!(log["position"], if words.contains("--at") { 3 } else { 7 });
        let entries = log["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["position"].as_u64().unwrap()).collect()
    };
    assert_eq!(of(""), [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(of("--symbol VOLA"), [5, 2, 1]);
    assert_eq!(of("-s VOLB"), [4, 3]);
    assert_eq!(of("--symbol LATER"), [7, 6], "also what was never confirmed");
    assert_eq!(of("--symbol VOLA -n 1"), [5]);
    assert_eq!(of("--symbol VOLB --at 3"), [3]);
    assert_eq!(of("--symbol LATER --at 3"), [0; 0]);
    let log = desk.run("log --symbol VOLA --json").exits(0).json();
    assert_eq!(log["symbol"], "VOLA");
    let out = desk.run("log -s VOLA -n 1").exits(0).out;
    assert!(out.contains("2 earlier entries: `volledger log --symbol VOLA --limit 0`"), "{out}");
    let out = desk.run("log -s LATER --at 3").exits(0).out;
    assert_eq!(out, "No entry up to #3 is about LATER.\n");
    let err = desk.run("log --symbol VOLX").exits(1).err;
    assert!(err.contains("nothing is known of VOLX"), "{err}");
    desk.run("erase b1 --reason mistake --yes").exits(0);
    let log = desk.run("log --symbol VOLA --json").exits(0).json();
    assert_eq!(log["entries"][0]["kind"], "erase", "{log}");
    assert_eq!(log["entries"].as_array().unwrap().len(), 4);
}

#[test]
fn the_log_is_followed_while_others_decide() {
    let desk = Desk::with_iv();
    let follow = |words: &[&str]| {
        let words = ["log", "--follow"].iter().chain(words);
        let mut child = desk.command(words).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines.map(Result::unwrap))
    };
    let (mut child, mut lines) = follow(&["-o", "jsonl"]);
    let (mut text, mut told) = follow(&["-n", "1"]);
    let position = |line: Option<String>| {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        (line["position"].as_u64().unwrap(), line["kind"].as_str().unwrap().to_owned())
    };
    assert_eq!(position(lines.next()), (1, "stage".to_owned()));
    assert_eq!(position(lines.next()), (2, "commit".to_owned()));
    assert!(told.next().unwrap().starts_with("#2 "));
    desk.words(&["batch", "rollback", "b1", "--reason", "quite\n#9 wrong"]).exits(0);
    assert_eq!(position(lines.next()), (3, "rollback".to_owned()));
    let line = told.next().unwrap();
    assert!(
        line.starts_with("#3 ") && line.ends_with("b1 is rolled-back: quite #9 wrong"),
        "{line}"
    );
    desk.run("undo").exits(0);
    assert_eq!(position(lines.next()).0, 4);
    assert!(told.next().unwrap().starts_with("#4 "));
    // Another ledger in the same place, with a shorter log.
    let (place, other) = (desk.path().join(".volledger"), Desk::with_ledger());
    std::fs::remove_dir_all(&place).unwrap();
    std::fs::rename(other.path().join(".volledger"), &place).unwrap();
    desk.run(&format!("import iv {} -s OTHER --yes", sample("iv/VOLA.csv"))).exits(0);
    assert_eq!(position(lines.next()), (1, "stage".to_owned()));
    assert!(told.next().unwrap().contains("staged b1"));
    for child in [&mut child, &mut text] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    self::told(&desk, "log --follow -o csv", 2, "line by line", "-o jsonl");
    self::told(&desk, "log --follow --json", 2, "line by line", "-o jsonl");
    desk.run("log --follow --audit").exits(2);
}

/// The command that `check` ends with reads the file as it was checked, in any shell.
#[test]
fn the_command_that_a_check_ends_with_can_be_copied() {
    let desk = Desk::with_ledger();
    desk.write("my iv.csv", "Symbol,Date,IV30\nAAPL,2024-01-02,20\nNVDA,2024-01-03,40\n");
    desk.write("AAPL.csv", "Date,IV30\n2024-01-02,20\n");
    let (all, one) = ("--mapping mc-iv-basic --symbol-from column", "--mapping mc-iv-basic");
    for (file, words, command) in [
        ("my iv.csv", all, "import iv 'my iv.csv' --symbol-from column --mapping mc-iv-basic"),
        ("my iv.csv", one, "import iv 'my iv.csv' --symbol-from column --mapping mc-iv-basic"),
        ("AAPL.csv", one, "import iv AAPL.csv -s AAPL --mapping mc-iv-basic"),
    ] {
        let words: Vec<&str> = ["check", file].into_iter().chain(words.split(' ')).collect();
        let checked = desk.words(&words).exits(0);
        assert!(checked.err.contains(&format!("`volledger {command}`")), "{}", checked.err);
        let script = "eval \"set -- $0\"; printf '%s\\n' \"$@\"";
        let read = Command::new("sh").args(["-c", script, command]).output().unwrap();
        let read = String::from_utf8(read.stdout).unwrap();
        let words: Vec<&str> = read.lines().chain(["--dry-run"]).collect();
        desk.words(&words).exits(0);
    }
}
