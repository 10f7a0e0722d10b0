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
