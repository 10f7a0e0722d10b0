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
