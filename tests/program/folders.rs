//! TOMIC folders, as a user meets them: nothing is left out in silence, nothing is taken back for
//! want of a file that could not be read, and every file has the name of one symbol.

use super::{Desk, ran, sample};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use volledger::domain::{Calendar, Day};

const IV: &str = "iv_daily_summary";

/// A folder whose IV files have these names, each with a day of its own.
fn folder(desk: &Desk, name: &str, files: &[&str]) {
    let place = desk.path().join(name).join(IV);
    std::fs::create_dir_all(&place).unwrap();
    for (number, file) in (2..).zip(files) {
        let text =
            format!("[\n  {{\n    \"date\": \"2024-01-0{number}\",\n    \"atm_iv\": 0.2\n  }}\n]");
        std::fs::write(place.join(file), text).unwrap();
    }
}

/// The files below a folder, with what they hold.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for dataset in std::fs::read_dir(folder).unwrap().flatten() {
        for file in std::fs::read_dir(dataset.path()).unwrap().flatten() {
            let name = file.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            found.insert(name, std::fs::read_to_string(file.path()).unwrap());
        }
    }
    found
}

/// The finding about files that were left out.
fn left_out(review: &Value) -> Vec<(&str, &str, &Value)> {
    let findings = review["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["code"] == "file_left_out")
        .map(|finding| {
            let [severity, text] = ["severity", "text"].map(|key| finding[key].as_str().unwrap());
            (severity, text, &finding["source"])
        })
        .collect()
}

/// A percentage for a fraction and the prices of another company are what a person must see; what is
/// confirmed all the same goes out as it came.
#[test]
fn numbers_that_cannot_be_and_strangers_wait_for_a_person() {
    let desk = Desk::with_ledger();
    let write = |folder: &str, name: &str, text: &str| {
        let place = desk.path().join(folder);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(name), text).unwrap();
    };
    let record = |lines: &str| format!("  {{\n{lines}\n  }}");
    let iv = |day: &str, iv: &str| {
        record(&format!("    \"atm_iv\": {iv},\n    \"date\": \"2024-01-{day}\""))
    };
    write(
        "f/iv_daily_summary",
        "QQ.json",
        &format!("[\n{},\n{}\n]", iv("02", "30.5"), iv("03", "-0.2")),
    );
    let of = |symbol: &str, day: &str, close: &str| {
        let key = format!("    \"symbol\": \"{symbol}\",\n    \"date\": \"2024-01-{day}\"");
        record(&format!("{key},\n    \"close\": {close}"))
    };
    let both = format!("[\n{},\n{}\n]", of("ZZ", "02", "12.50"), of("QQ", "03", "-12.50"));
    write("f/spot_prices", "QQ.json", &both);
    let staged = desk.run("import tomic f --yes").exits(11);
    for said in ["1 record names another symbol", "2 implied volatilities", "1 close of zero"] {
        assert!(staged.out.contains(said) && staged.err.contains(said), "{said}: {staged:?}");
    }
    desk.run("batch confirm b1").exits(0);
    desk.run("export tomic out").exits(0);
    assert_eq!(files(&desk.path().join("out")), files(&desk.path().join("f")));
    desk.run("import tomic f --yes").exits(0);
    // Zero is what the original wrote where it had no value.
    write("g/iv_daily_summary", "QQ.json", &format!("[\n{}\n]", iv("04", "0.0")));
    desk.run("import tomic g --yes").exits(0);
}

/// A day that was asked for in vain is `null` in the folder, which is the same as no record of it.
#[test]
fn days_whose_value_is_null_are_missing() {
    let desk = Desk::with_ledger();
    let (first, last) = ("2024-01-02".parse().unwrap(), "2024-03-28".parse().unwrap());
    let sessions: Vec<_> = Calendar::nyse().open_days(first, last).collect();
    assert_eq!(sessions.len(), 61);
    let record = |(number, day): (usize, &Day)| {
        let iv = match number {
            20..40 => "null",
            45..55 => "0.0",
            _ => "0.25",
        };
        format!(r#"{{"date":"{day}","atm_iv":{iv},"skew":1.5}}"#)
    };
    let records: Vec<_> = sessions.iter().enumerate().map(record).collect();
    let place = desk.path().join("f").join(IV);
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("NUL.json"), format!("[{}]", records.join(","))).unwrap();
    desk.run("import tomic f --yes").exits(0);
    let found = desk.run("gaps NUL --series iv --json").exits(0).json();
    let line = &found["rows"][0];
    assert_eq!((&line["days"], &line["missing"]), (&41.into(), &20.into()), "{line}");
    let hole = serde_json::json!({
        "from": sessions[19].to_string(), "to": sessions[40].to_string(), "missing": 20
    });
    assert_eq!(line["gaps"], serde_json::json!([hole]));
    let days = desk.run("chart gaps NUL --json").exits(0).json();
    let counts = &days["views"][0]["counts"];
    assert_eq!((&counts["value"], &counts["missing"]), (&41.into(), &20.into()), "{days}");
    let health = desk.run("coverage NUL --date 2024-03-28 --json").exits(0).json();
    let row = &health["rows"][0];
    assert_eq!((&row["iv"]["days"], &row["iv"]["missing"]), (&41.into(), &20.into()), "{row}");
    assert_eq!(row["iv_valid"], 31);
    assert!(row["issues"].to_string().contains("iv_gaps(1:20d)"), "{row}");
    // Of one that has nothing else it is told that there is none.
    let only = place.join("NONE.json");
    std::fs::write(only, r#"[{"date":"2024-01-02","atm_iv":null}]"#).unwrap();
    desk.run("import tomic f --yes").exits(0);
    let health = desk.run("coverage --date 2024-03-28 --json").exits(0).json();
    assert_eq!(health["rows"][0]["symbol"], "NONE");
    assert!(health["rows"][0]["issues"].to_string().contains("missing_iv"), "{health}");
    let found = desk.run("gaps --json").exits(0).json();
    assert_eq!(
        (&found["rows"][0]["symbol"], &found["rows"][0]["days"]),
        (&"NONE".into(), &0.into())
    );
}

#[test]
fn a_file_that_is_left_out_is_told_and_decided_about() {
    let desk = Desk::with_ledger();
    folder(
        &desk,
        "f",
        &["AAPL.json", "_VIX.json", "temp_AAPL.json", ".AAPL.json", "AAPL.json.bak"],
    );
    let staged = desk.run("import tomic f --yes").exits(11);
    for name in ["_VIX.json", "temp_AAPL.json"] {
        let said = format!("{IV}/{name} was left out");
        assert!(staged.out.contains(&said) && staged.err.contains(&said), "{staged:?}");
    }
    assert!(staged.out.contains("^VIX.json"), "{}", staged.out);
    let review = desk.run("import tomic f --yes --json").exits(11).json();
    let left = left_out(&review);
    assert_eq!((left.len(), left[0].0, left[0].2), (2, "reject", &Value::Null), "{review}");
    assert!(left[0].1.starts_with("iv_daily_summary/_VIX.json "), "{review}");
    let shown = desk.run("batch show b1 --json").exits(0).json();
    assert_eq!(left_out(&shown), left);
    // Accepted by name, it is not asked about again.
    desk.run("batch confirm b1").exits(0);
    desk.run("import tomic f --yes").exits(0);
    // A further one is: the content is the same, and the entry of b1 does not speak of it.
    folder(&desk, "f", &["AAPL.json", "_SPX.json"]);
    let again = desk.run("import tomic f --yes").exits(11);
    assert!(again.err.contains("_SPX.json was left out") && again.out.contains("b1"), "{again:?}");
    let again = desk.run("import tomic f --yes --json").exits(11).json();
    assert_eq!((left_out(&again).len(), &again["state"]), (3, &"active".into()));
}

#[test]
fn among_many_findings_each_file_that_is_left_out_keeps_its_name() {
    let desk = Desk::with_ledger();
    folder(&desk, "f", &["AAPL.json", "_VIX.json", "_SPX.json", "BRK_B.json"]);
    std::fs::create_dir(desk.path().join("f/spot_prices")).unwrap();
    for number in 0..120 {
        desk.write(&format!("f/spot_prices/S{number}_spot.json"), "{}");
    }
    let review = desk.run("import tomic f --yes --json").exits(11).json();
    let left: Vec<_> = left_out(&review).iter().map(|(_, text, _)| text.to_string()).collect();
    for (name, text) in ["BRK_B", "_SPX", "_VIX"].iter().zip(&left) {
        assert!(text.starts_with(&format!("{IV}/{name}.json was left out")), "{left:?}");
    }
    assert_eq!(left.len(), 3, "{left:?}");
    // The others are summed.
    assert_eq!(review["findings"].as_array().unwrap().len(), 4, "{review}");
}

#[test]
fn a_snapshot_takes_nothing_back_for_want_of_a_file_that_was_left_out() {
    let desk = Desk::with_ledger();
    folder(&desk, "f", &["AAPL.json", "^VIX.json"]);
    desk.run("import tomic f --yes").exits(0);
    let before = desk.run("log --json").exits(0).json()["position"].clone();
    let at = |name: &str| desk.path().join("f").join(IV).join(name);
    std::fs::rename(at("^VIX.json"), at("_VIX.json")).unwrap();
    for line in ["import tomic f --snapshot --yes", "import tomic f --snapshot --force"] {
        let refused = desk.run(line).exits(1);
        assert!(refused.err.contains("_VIX.json was left out"), "{}", refused.err);
        assert!(refused.err.contains("without `--snapshot`"), "{}", refused.err);
    }
    // What was cut short says nothing either.
    std::fs::rename(at("_VIX.json"), at("^VIX.json")).unwrap();
    std::fs::write(at("^VIX.json"), "").unwrap();
    let refused = desk.run("import tomic f --snapshot --yes").exits(1);
    assert!(
        refused.err.contains("^VIX.json") && refused.err.contains("take back 1 day "),
        "{refused:?}"
    );
    assert_eq!(desk.run("log --json").exits(0).json()["position"], before);
    desk.run("verify --deep").exits(0);
    // A file that is gone is what a snapshot is for.
    std::fs::remove_file(at("^VIX.json")).unwrap();
    desk.run("import tomic f --snapshot --yes").exits(0);
    let view = desk.run("view iv ^VIX --json").exits(0).json();
    assert_eq!(view["rows"].as_array().unwrap().len(), 0, "{view}");
}

/// What a snapshot retracts follows from the views of its time; which folder it is does not.
#[test]
fn a_folder_that_was_rolled_back_stays_out_whatever_others_said_since() {
    let desk = Desk::with_ledger();
    folder(&desk, "f", &["AAPL.json", "MSFT.json"]);
    desk.run("import tomic f --yes").exits(0);
    folder(&desk, "bad", &["MSFT.json"]);
    let bad = "import tomic bad --snapshot --yes";
    desk.run(bad).exits(0);
    let head = || desk.run("log --json").exits(0).json()["position"].clone();
    let before = head();
    // It took back a day, which it does not take back twice.
    let told = desk.run(bad).exits(0);
    assert!(format!("{}{}", told.out, told.err).contains("already confirmed as b2"), "{told:?}");
    assert_eq!(head(), before);
    desk.words(&["batch", "rollback", "b2", "--reason", "bad night"]).exits(0);
    desk.run(bad).exits(23);
    let day = desk.write("n.csv", "Date,IV30\n2024-12-03,21\n");
    desk.run(&format!("import iv {day} -s AAPL --yes")).exits(0);
    let before = head();
    let refused = desk.run(bad).exits(23);
    assert!(refused.err.contains("as b2") && refused.err.contains("bad night"), "{}", refused.err);
    assert_eq!(head(), before);
    // Once somebody let it in, it is the truth again, of what others said since too.
    desk.run(&format!("{bad} --again --reason right")).exits(0);
    desk.run(&format!(
        "import iv {} -s AAPL --yes",
        desk.write("o.csv", "Date,IV30\n2024-12-04,22\n")
    ))
    .exits(0);
    desk.run(bad).exits(0);
    let view = desk.run("view iv AAPL --json").exits(0).json();
    assert_eq!(view["rows"].as_array().unwrap().len(), 0, "{view}");
}

#[test]
fn what_only_fills_takes_nothing_out() {
    let desk = Desk::with_ledger();
    folder(&desk, "f", &["AAPL.json"]);
    let refused = desk.run("import tomic f --snapshot --overlap keep --yes").exits(2);
    assert!(refused.err.contains("nothing would be retracted"), "{}", refused.err);
    desk.run("import tomic f --snapshot --yes").exits(0);
}

#[test]
fn a_folder_of_which_nothing_can_be_read_is_no_batch() {
    let desk = Desk::with_ledger();
    folder(&desk, "none", &[]);
    folder(&desk, "odd", &["_VIX.json"]);
    for line in ["import tomic none --yes", "import tomic odd --yes", "import tomic odd --force"] {
        let refused = desk.run(line).exits(1);
        assert!(refused.err.contains("no file of daily records"), "{}", refused.err);
        assert_eq!(line.contains("odd"), refused.err.contains("_VIX.json"), "{}", refused.err);
    }
    assert_eq!(desk.run("batch list --json").exits(0).json()["batches"], Value::Array(vec![]));
    folder(&desk, "empty", &["AAPL.json"]);
    desk.write("empty/iv_daily_summary/AAPL.json", "[]");
    let staged = desk.run("import tomic empty --yes").exits(11);
    assert!(staged.err.contains("no file has a record"), "{}", staged.err);
}

#[test]
fn every_symbol_has_a_file_of_its_own_that_comes_back_as_it() {
    let desk = Desk::with_ledger();
    let symbols = ["BRK/B", "BRK:B", "BRK.B", "^VIX", "BRKpA", "BRKPA"];
    for symbol in symbols {
        let line = ["import", "iv", &sample("iv/VOLA.csv"), "-s", symbol, "--force"];
        desk.words(&line).exits(0);
    }
    desk.run("export tomic one").exits(0);
    let one = files(&desk.path().join("one"));
    let iv: Vec<_> = one.keys().filter_map(|name| name.strip_prefix("iv_daily_summary/")).collect();
    let names =
        ["BRK%2FB.json", "BRK%3AB.json", "BRK%70A.json", "BRK.B.json", "BRKPA.json", "^VIX.json"];
    assert_eq!(iv, names);
    // A `.bak` is passed over.
    desk.write("one/iv_daily_summary/^VIX.json.bak", "[]");
    let other = Desk::with_ledger();
    let from = desk.path().join("one").to_string_lossy().into_owned();
    other.words(&["import", "tomic", &from, "--yes"]).exits(0);
    other.run("export tomic two").exits(0);
    assert_eq!(files(&other.path().join("two")), one);
    for symbol in symbols {
        let view = other.words(&["view", "iv", symbol, "--json"]).exits(0).json();
        assert!(!view["rows"].as_array().unwrap().is_empty(), "{symbol}");
    }
}

#[test]
fn files_of_what_is_no_longer_shown_are_named_and_left() {
    let desk = Desk::with_ledger();
    folder(&desk, "f", &["AAPL.json", "NONE.json"]);
    desk.write("f/iv_daily_summary/NONE.json", "[]");
    desk.run("import tomic f --yes").exits(0);
    desk.write("z.csv", "Date,IV30,OHLC 20-Day Vol\n2024-12-02,99.11,30\n");
    desk.run("import iv z.csv -s ZZZ --yes").exits(0);
    desk.run("export tomic f").exits(0);
    let before = files(&desk.path().join("f"));
    desk.run("undo").exits(0);
    let left = desk.run("export tomic f").exits(11);
    let names = ["iv_daily_summary/ZZZ.json", "historical_volatility/ZZZ.json"];
    for said in
        ["! 2 files here have days of symbols that the view does not show", names[0], names[1]]
    {
        assert!(left.out.contains(said), "{}", left.out);
    }
    assert!(left.err.contains("move them out of f:"), "{}", left.err);
    let told = desk.run("export tomic f --json").exits(11).json();
    assert_eq!((&told["leftover"], told["files"].as_array().unwrap().len()), (&names.into(), 0));
    assert_eq!(files(&desk.path().join("f")), before);
    // Of what is not asked for nothing is said, and of what the ledger never knew neither.
    desk.run("export tomic f AAPL").exits(0);
    folder(&desk, "f", &["AAPL.json", "OWN.json"]);
    for name in names {
        std::fs::remove_file(desk.path().join("f").join(name)).unwrap();
    }
    let clean = desk.run("export tomic f --json").exits(0).json();
    assert_eq!(
        (&clean["leftover"], &clean["unchanged"]),
        (&serde_json::json!([]), &["iv_daily_summary/AAPL.json",].into())
    );
}

#[test]
fn an_export_never_replaces_the_only_copy_of_what_a_person_wrote() {
    let desk = Desk::with_iv();
    let place = desk.path().join("f").join(IV);
    let named = |end: &str| place.join(format!("VOLA.json{end}"));
    let read = |end: &str| std::fs::read_to_string(named(end)).unwrap_or_default();
    folder(&desk, "f", &["VOLA.json"]);
    let own = read("");
    desk.run("export tomic f").exits(0);
    let (first, stands) = (read(""), named("").metadata().unwrap().modified().unwrap());
    assert!(read(".bak") == own && first != own);
    // Nothing changed: nothing is touched.
    let again = desk.run("export tomic f").exits(0);
    assert!(
        again.out.contains("Nothing to write; 2 files were as they should be"),
        "{}",
        again.out
    );
    assert_eq!(
        (read(".bak"), named("").metadata().unwrap().modified().unwrap()),
        (own.clone(), stands)
    );
    // Another value, and an export of it at a time of its own.
    let mut number = 0;
    let mut export = || {
        number += 1;
        let file = desk.write("one.csv", &format!("Date,IV30\n2024-03-01,{}\n", 20 + number));
        for line in [
            format!("import iv {file} -s VOLA --mapping mc-iv-basic --yes"),
            "export tomic f".to_owned(),
        ] {
            let mut command = desk.command(line.split_whitespace());
            command.env("VOLLEDGER_NOW", format!("2025-12-1{}T12:00:00Z", 3 + number));
            ran(command, None).exits(0);
        }
        // A file's time is that of the machine; the ledger's is that of this test.
        let noon = 1_765_627_200 + 86_400 * number;
        let file = std::fs::File::options().write(true).open(named("")).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(noon + 60)).unwrap();
        read("")
    };
    let second = export();
    assert_eq!((read(".bak"), read(".bak.1")), (first.clone(), own.clone()));
    // The first was written by the machine's clock, so it is not known for what it is.
    let third = export();
    assert_eq!((read(".bak"), read(".bak.1"), read(".bak.2")), (second, own.clone(), first));
    // The second can be had again with `--at`, and the third was kept with an import.
    desk.run("import tomic f --yes --force").exits(0);
    let fourth = export();
    assert_eq!((read(".bak"), named(".bak.3").exists()), (third.clone(), false));
    std::fs::write(named(""), &own).unwrap();
    export();
    assert_eq!((read(".bak"), named(".bak.3").exists()), (own.clone(), false));
    // What a person put back stands under another name already.
    let fifth = export();
    assert_ne!(fifth, fourth);
    assert_eq!((read(".bak.1"), named(".bak.3").exists()), (own, false));
}
