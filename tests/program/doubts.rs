//! Files whose cells are not what their columns say: they wait for a person, or are read as they are meant.

use super::{Desk, sample};

/// What a calendar says of the hour in words that nobody knows is lost, and sessions are inferred then.
#[test]
fn a_calendar_in_other_words_waits_for_a_person() {
    let calendar = std::fs::read_to_string(sample("earnings/calendar.csv")).unwrap();
    let desk = Desk::with_ledger();
    let lunch = desk.write("lunch.csv", &calendar.replace("AMC", "After Lunch"));
    for line in
        [format!("check {lunch} --series earnings"), format!("import earnings {lunch} --yes")]
    {
        let ran = desk.run(&line).exits(11);
        let told = "cells of `timing` cannot be used, the first of them `After Lunch` in line ";
        assert!(ran.err.contains(told) && ran.err.contains("there are BMO, AMC"), "{}", ran.err);
    }
    desk.run("batch discard b1").exits(0);
    let words = calendar.replace("AMC", "After Hours").replace("BMO", "Before Open");
    let words = desk.write("words.csv", &words);
    desk.run(&format!("import earnings {words} --yes")).exits(0);
    let other = Desk::with_ledger();
    other.run(&format!("import earnings {} --yes", sample("earnings/calendar.csv"))).exits(0);
    let shown = "export earnings VOLA -f csv";
    assert_eq!(desk.run(shown).exits(0).out, other.run(shown).exits(0).out);
}

/// Prices as sites write them, and shares in parts, come back from our own CSV as they are.
#[test]
fn prices_with_the_sign_of_a_currency_and_shares_in_parts_are_read() {
    let desk = Desk::with_ledger();
    let text = "Date,Close/Last,Volume,Open,High,Low\n\
        01/05/2024,$181.18,62303300,$181.99,$182.76,$180.17\n\
        01/16/2024,$183.63,4930.5,$182.16,$184.26,$180.93\n";
    let file = desk.write("HistoricalData_1704912345678.csv", text);
    let asked = desk.run(&format!("import spot {file} --yes")).exits(2);
    assert!(asked.err.contains("-s"), "{}", asked.err);
    desk.run(&format!("import spot {file} -s AAPL --yes")).exits(0);
    desk.run("export spot AAPL -f csv -O back.csv").exits(0);
    let back = std::fs::read_to_string(desk.path().join("back.csv")).unwrap();
    assert!(back.contains("183.63") && back.contains("4930.5") && !back.contains('$'), "{back}");
    let other = Desk::with_ledger();
    let again = other.write("back.csv", &back);
    other.run(&format!("import spot {again} --symbol-from column --yes")).exits(0);
    let digest = |desk: &Desk| {
        let shown = desk.run("view spot AAPL --json").exits(0).json();
        shown["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest(&desk), digest(&other));
}

/// What is not usable at all is not to be confirmed, whatever flags say.
#[test]
fn a_batch_of_nothing_is_to_be_dropped() {
    let desk = Desk::with_ledger();
    let file = desk.write("yen.csv", "Date,Close\n2024-01-02,¥5\n2024-01-03,¥6\n");
    for (flags, exit) in [("", 12), (" --yes", 11), (" --stage-only", 0)] {
        let ran = desk.run(&format!("import spot {file} -s AAPL{flags}")).exits(exit);
        let err = &ran.err;
        assert!(err.contains("batch discard b1") && !err.contains("batch confirm"), "{err}");
        let told = "cannot be used for `¥5` under `close`: 2024-01-02,¥5";
        assert!(ran.out.contains(told), "{}", ran.out);
    }
    let checked = desk.run(&format!("check {file} --series spot")).exits(1).err;
    assert!(checked.contains("2 rejected rows, the first for `¥5` under `close`"), "{checked}");
}

/// A mapping of one's own that says another unit than the file has.
#[test]
fn volatilities_in_another_unit_than_the_mapping_says_wait_for_a_person() {
    let desk = Desk::with_ledger();
    let file = "Date,Imp Vol,HV\n2024-01-02,24.11,18.2\n2024-01-03,25,18\n";
    let file = desk.write("n.csv", file);
    let column = |name: &str, field: &str, unit: &str| {
        format!("[[column]]\nnames = [\"{name}\"]\nfield = \"{field}\"\nunit = \"{unit}\"\n")
    };
    for (unit, exit, says) in [
        ("fraction", 11, "of Imp Vol, HV are 3 or more: they look like percentages"),
        ("number", 11, "of Imp Vol, HV are 3 or more: they look like percentages"),
        ("integer", 2, "has the unit `integer`, in which `atm_iv` is not written"),
        ("percent", 0, ""),
    ] {
        let head = "id = \"n\"\nversion = 1\nseries = \"iv\"\ndescription = \"d\"\n";
        let (iv, hv) = (column("Imp Vol", "atm_iv", unit), column("HV", "hv20", unit));
        let text = format!("{head}[date]\nnames = [\"Date\"]\n{iv}need = \"required\"\n{hv}");
        let mapping = desk.write("n.toml", &text);
        let ran = desk.run(&format!("import iv {file} -s A --mapping {mapping} --yes")).exits(exit);
        assert!(ran.err.contains(says), "{unit}: {}", ran.err);
    }
}

/// A wrong `-s`, and one export that was saved under two names: each row is right, so only the bytes show it.
#[test]
fn one_file_under_two_symbols_waits_for_a_person() {
    let desk = Desk::with_ledger();
    let text = "Date,IV30\n2024-03-25,26.10\n2024-03-26,27.40\n";
    let (aaa, bbb) = (desk.write("AAA.csv", text), desk.write("BBB.csv", text));
    let import = "--mapping mc-iv-basic --yes";
    desk.run(&format!("import iv {aaa} {import} -s AAA")).exits(0);
    desk.run(&format!("import iv {aaa} {import} -s AAA")).exits(0);
    let told = "AAA.csv of MSFT has the bytes of AAA.csv of AAA in b1";
    for flags in ["--dry-run", ""] {
        let ran = desk.run(&format!("import iv {aaa} {import} -s MSFT {flags}"));
        assert!(ran.err.contains(told) || ran.out.contains(told), "{} {}", ran.out, ran.err);
        let exit = if flags.is_empty() { 11 } else { 0 };
        ran.exits(exit);
    }
    desk.run("batch discard b2").exits(0);
    // What was taken out is nobody's history.
    desk.run("batch rollback b1 --reason wrong").exits(0);
    desk.run(&format!("import iv {aaa} {import} -s MSFT")).exits(0);
    let other = Desk::with_ledger();
    let ran = other.run(&format!("import iv {aaa} {bbb} {import} --symbol-from name")).exits(11);
    let told = "BBB.csv of BBB has the bytes of AAA.csv of AAA in this batch";
    assert!(ran.err.contains(told) || ran.out.contains(told), "{} {}", ran.out, ran.err);
    other.run("batch confirm b1").exits(0);
}
