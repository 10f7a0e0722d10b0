//! `menu`: numbers instead of flags, line by line.

use crate::program::{Desk, sample};

#[test]
fn a_backfill_by_numbers() {
    let desk = Desk::with_iv();
    let file = sample("bad/VOLA_wrong_scale.csv");
    desk.run(&format!("import iv {file} -s VOLA --stage-only")).exits(0);
    // Review what is open (the answer that is offered), confirm it, take it back, leave.
    let said = desk.fed("menu", "7\n\ny\n8\n0\n").exits(0);
    for part in [
        "$ volledger batch diff b2",
        "confirm token",
        "$ volledger batch confirm b2",
        "Confirmed b2",
        "$ volledger undo",
        "Undid the last decision",
        "#4 · 0 open",
        "#5 · 0 open",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    assert_eq!(desk.run("batch show b2 --json").json()["state"], "rolled-back");
    // The safe answer keeps it; a quoted path is a path; what fails does not end the menu.
    let input = format!("1\nNEW\n'{file}'\n7\n\n\n16\niv\nNONE\n2024-01-02\n20\n");
    let said = desk.fed("menu", &input).exits(0);
    assert!(said.err.contains("Error:") && said.out.contains("$ volledger status"), "{}", said.out);
    assert!(
        said.out.contains("$ volledger batch diff b3") && !said.out.contains("batch confirm b3")
    );
    assert_eq!(desk.run("batch show b3 --json").json()["state"], "staged");
}

/// On a screen of 24 lines the entries would scroll every answer away.
#[test]
fn an_answer_is_followed_by_the_prompt_alone() {
    let desk = Desk::with_iv();
    let said = desk.fed("menu", "20\n99\nzzz\n0\n").exits(0);
    let (list, answer) = said.out.split_once("$ volledger status").unwrap();
    assert!(list.contains("Where things stand"), "{list}");
    assert!(answer.contains("#2 · 0 open") && !answer.contains("Where things stand"), "{answer}");
    assert!(said.err.contains("empty line: the menu ›"), "{}", said.err);
    let said = desk.fed("menu", "20\n\n0\n").exits(0);
    assert_eq!(said.out.matches("Where things stand").count(), 2, "{}", said.out);
}

#[test]
fn letters_filter_and_titles_are_dutch_where_asked_for() {
    let desk = Desk::new();
    let said = desk.fed("menu --lang nl", "backfill\n0\n").exits(0);
    let (whole, filtered) = said.out.split_once("Niet hier:").unwrap();
    assert!(whole.contains("DATA & MARKTDATA") && whole.contains("Grafiek van een symbool"));
    assert!(
        filtered.contains("IV-backfill uit CSV") && !filtered.contains("Grafiek"),
        "{filtered}"
    );
    assert!(said.out.contains("volledger import iv FILE -s SYMBOL"));
    // Nothing in, nothing done; a program has no use for it.
    desk.run("menu").exits(0);
    desk.run("menu --json").exits(2);
    let mut dumb = desk.command(["menu"]);
    dumb.env("TERM", "dumb");
    let said = crate::program::ran(dumb, Some("0\n")).exits(0);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'));
}
