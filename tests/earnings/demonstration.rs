//! The demonstration: the page's blocks as they stand, and the tour.

use crate::program::Desk;

#[test]
fn the_page_says_what_happens() {
    let scratch = tempfile::tempdir().unwrap();
    trycmd::TestCases::new()
        .case("examples/earnings_replay.md")
        .register_bin("volledger", assert_cmd::cargo::cargo_bin!("volledger"))
        .env("VOLLEDGER_DIR", scratch.path().join("ledger").to_string_lossy())
        .env("VOLLEDGER_NOW", "2026-11-21T09:00:00Z")
        .env("VOLLEDGER_ACTOR", "you")
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1");
}

#[test]
fn the_tour_of_earnings_runs_from_the_wrong_table_to_the_right_one() {
    let desk = Desk::new();
    let ran = desk.run("tour earnings").exits(0);
    let text = &ran.out;
    let place = |part: &str, from: usize| match text[from..].find(part) {
        Some(at) => from + at,
        None => panic!("{part}\n{text}"),
    };
    // Rich by the old rule, poor by the new one, rich again by the wrong calendar, and back.
    let mut at = 0;
    for part in [
        "2.15x",
        "11 of the moves are of the session before the news",
        "earnings_moves means earnings_moves@2",
        "1.06x",
        "Confirmed b5",
        "2.15x",
        "Rolled back b5",
        "1.06x",
        "2.15x",
        "views compared with the rebuild",
    ] {
        at = place(part, at);
    }
    assert!(!text.contains("(exit "), "no step fails: {text}");
    assert!(!desk.path().join(".volledger").exists());
}
