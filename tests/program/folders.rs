//! TOMIC folders, as a user meets them: nothing is left out in silence, nothing is taken back for
//! want of a file that could not be read, and every file has the name of one symbol.

use super::{Desk, sample};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

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
        let line = ["import", "iv", &sample("iv/VOLA.csv"), "-s", symbol, "--yes"];
        desk.words(&line).exits(0);
    }
    desk.run("export tomic one").exits(0);
    let one = files(&desk.path().join("one"));
    let iv: Vec<_> = one.keys().filter_map(|name| name.strip_prefix("iv_daily_summary/")).collect();
    let names =
        ["BRK%2FB.json", "BRK%3AB.json", "BRK%70A.json", "BRK.B.json", "BRKPA.json", "^VIX.json"];
    assert_eq!(iv, names);
    // Twice gives `.bak` of the same names, and those are passed over.
    desk.run("export tomic one").exits(0);
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
