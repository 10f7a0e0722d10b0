//! The ledger's directory is another ledger now: what is shown and decided is about that one.

use super::client::Site;
use super::{deciding, hidden};
use crate::program::{Desk, sample};
use std::path::PathBuf;

fn place(desk: &Desk) -> PathBuf {
    desk.path().join(".volledger")
}

/// Puts another desk's ledger where this desk's was; this one's is moved to `old`.
fn replace(desk: &Desk, other: &Desk) -> PathBuf {
    let old = desk.path().join("old");
    std::fs::rename(place(desk), &old).unwrap();
    std::fs::rename(place(other), place(desk)).unwrap();
    old
}

fn other() -> Desk {
    let other = Desk::with_ledger();
    other.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    other.run(&format!("import iv {} -s VOLC --yes", sample("iv/VOLC.csv"))).exits(0);
    other
}

#[test]
fn a_decision_is_about_the_ledger_that_is_there() {
    let (desk, other) = (Desk::with_iv(), other());
    let (site, token) = deciding(&desk);
    assert_eq!(site.get("/status.json").is(200).json()["position"], 2);
    let old = replace(&desk, &other);
    let form = [("token", token.as_str()), ("reason", "meant for what is there")];
    let done = site.post("/batches/b1/rollback", &form).is(303);
    assert_eq!(done.header("location"), Some("/batches/b1?done=5"));
    assert_eq!(site.get("/status.json").is(200).json()["position"], 5);
    drop(site);
    desk.run("verify --deep").exits(0);
    assert_eq!(desk.run("batch show b1 --json").exits(0).json()["state"], "rolled-back");
    // The one that was taken away is as it was.
    let old = old.to_str().unwrap();
    desk.words(&["-L", old, "verify", "--deep"]).exits(0);
    assert_eq!(desk.words(&["-L", old, "log", "--json"]).exits(0).json()["position"], 2);
}

#[test]
fn nothing_is_decided_where_the_ledger_was_taken_away() {
    let desk = super::desk();
    let (site, token) = deciding(&desk);
    let expect = hidden(&site.get("/batches/b3").is(200), "expect");
    std::fs::rename(place(&desk), desk.path().join("old")).unwrap();
    let refused = site.post("/batches/b3/confirm", &[("token", &token), ("expect", &expect)]);
    assert!(refused.status >= 400, "{}", refused.head);
    assert!(site.get("/status.json").status >= 400);
    assert!(!place(&desk).exists(), "half a ledger was made");
    std::fs::rename(desk.path().join("old"), place(&desk)).unwrap();
    assert_eq!(site.get("/batches/b3.json").is(200).json()["state"], "staged");
}

#[test]
fn pages_and_reviews_are_those_of_the_ledger_that_is_there() {
    let (desk, other) = (Desk::with_iv(), other());
    let site = Site::of(&desk, &[]);
    let review = || site.get("/batches/b1.json").is(200).json()["sources"][0]["name"].clone();
    assert_eq!(review(), "VOLA.csv");
    // The server lends its ledger, and has not taken it back when it is replaced.
    desk.run("status").exits(0);
    replace(&desk, &other);
    assert_eq!(review(), "VOLB.csv");
    assert!(site.get("/symbols").is(200).body.contains("VOLC"));
    site.get("/symbols/VOLA").is(404);
}

/// Who waits for a ledger that was moved waits where it lies now, which the server does not look at.
#[test]
fn a_ledger_that_was_moved_is_let_go() {
    let desk = Desk::with_iv();
    let (_site, _) = deciding(&desk);
    let old = desk.path().join("old");
    std::fs::rename(place(&desk), &old).unwrap();
    desk.words(&["-L", old.to_str().unwrap(), "undo"]).exits(0);
}
