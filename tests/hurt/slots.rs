//! A slot of HEAD that is hurt, alone and together with what it speaks of: nothing that was
//! acknowledged is cut, and nothing else is taken for it.

use super::program::{change, desk, file, no_panic};
use crate::program::{Desk, sample};
use crate::support::copy;
use std::path::Path;
use std::sync::Arc;
use volledger::ledger::files::Directory;
use volledger::ledger::store::{SledStore, Store};

const SLOT: usize = 4096;

/// Turns a bit of the slot that names so many entries.
fn hurt(desk: &Desk, size: u64) {
    change(desk, "HEADS", |bytes| {
        let line = format!("size {size}\n");
        let begins = |slot: &[u8]| String::from_utf8_lossy(slot).contains(&line);
        let slot = bytes.chunks_mut(SLOT).find(|slot| begins(slot)).unwrap();
        slot[25] ^= 1;
    });
}

fn store(dir: &Path) -> SledStore {
    SledStore::open(dir, Arc::new(Directory::new(dir))).unwrap()
}

/// Refused, with nothing removed; recovered whole with every entry.
fn refused(desk: &Desk, words: &str) {
    let ran = no_panic(desk.run("status").exits(30));
    assert!(ran.err.contains(words), "{}", ran.err);
    let report = desk.run("recover .volledger new --json").exits(0).json();
    assert_eq!((&report["position"], &report["whole"]), (&6.into(), &true.into()), "{report}");
    assert!(report["hurt"].to_string().contains("HEAD"), "{report}");
    desk.run("-L new verify --deep").exits(0);
}

#[test]
fn the_slot_that_counts_is_made_up_for_by_the_log() {
    let desk = desk();
    let whole = std::fs::read(file(&desk, "HEADS")).unwrap();
    hurt(&desk, 6);
    let hurt = std::fs::read(file(&desk, "HEADS")).unwrap();
    // As it lies there, it can be recovered whole; opened, it is as it was.
    let report = desk.run("recover .volledger --dry-run --json").exits(0).json();
    assert_eq!((&report["position"], &report["head"]), (&6.into(), &4.into()));
    assert_eq!(report["whole"], true);
    assert_eq!(std::fs::read(file(&desk, "HEADS")).unwrap(), hurt);
    let ran = desk.run("status --json").exits(0);
    assert_eq!(ran.json()["position"], 6);
    assert_eq!(std::fs::read(file(&desk, "HEADS")).unwrap(), whole);
    desk.run("verify --deep").exits(0);
}

#[test]
fn the_slot_and_the_end_of_the_log_are_damage() {
    // A whole group is lost, and no mirror knows of it.
    let desk = Desk::with_iv();
    for name in ["LARGE", "VOLB"] {
        desk.run(&format!("import iv {} -s {name} --force", sample("iv/VOLB.csv"))).exits(0);
    }
    let full = desk.path().join("full");
    copy(&desk.path().join(".volledger"), &full);
    let older = |desk: &Desk| {
        let mut store = store(&desk.path().join(".volledger"));
        store.remove_control(6).unwrap();
        store.remove_control(5).unwrap();
        store.barrier().unwrap();
    };
    older(&desk);
    hurt(&desk, 6);
    refused(&desk, "its end may be lost");
    std::fs::remove_dir_all(file(&desk, "mirror")).unwrap();
    let ran = no_panic(desk.run("status").exits(30));
    assert!(ran.err.contains("its end may be lost"), "{}", ran.err);

    // Half of it is lost: the mirror knows.
    std::fs::remove_dir_all(desk.path().join(".volledger")).unwrap();
    std::fs::remove_dir_all(desk.path().join("new")).unwrap();
    copy(&full, &desk.path().join(".volledger"));
    let mut store = store(&desk.path().join(".volledger"));
    store.remove_control(6).unwrap();
    store.barrier().unwrap();
    drop(store);
    hurt(&desk, 6);
    refused(&desk, "the log is an older one");
}

#[test]
fn the_slot_and_something_of_the_last_batch_are_damage() {
    let desk = desk();
    hurt(&desk, 6);
    change(&desk, "sources/000001.pack", |bytes| {
        let at = bytes.len() - 60;
        bytes[at] ^= 1;
    });
    refused(&desk, "a slot of HEAD is hurt, and entry #5 behind it is not whole");
    // Nothing was cut by looking.
    assert_eq!(store(&desk.path().join(".volledger")).controls().unwrap().len(), 6);
}

#[test]
fn the_slot_that_does_not_count_is_damage_too() {
    let desk = desk();
    hurt(&desk, 4);
    refused(&desk, "its end may be lost");
    // Found as well while the ledger is open.
    let desk = super::program::desk();
    let dir = desk.path().join(".volledger");
    let run = crate::support::run();
    let opened = volledger::app::outside::open(&dir, "test", std::time::Duration::ZERO, &run);
    let ledger = opened.unwrap().ledger;
    hurt(&desk, 4);
    let report = volledger::app::verify::verify(&ledger, false, &run).unwrap();
    assert!(!report.ok && format!("{:?}", report.damage).contains("a slot of HEAD is hurt"));
}

/// Engine and HEAD of before an import that was confirmed at once are what a crash leaves, too: it
/// is said. Of before two acknowledged entries they are not.
#[test]
fn an_older_engine_and_head_are_told_from_a_crash_by_the_mirror() {
    let desk = Desk::with_iv();
    let (dir, old) = (desk.path().join(".volledger"), desk.path().join("old"));
    copy(&dir, &old);
    let older = || {
        std::fs::remove_dir_all(dir.join("sled")).unwrap();
        copy(&old.join("sled"), &dir.join("sled"));
        std::fs::copy(old.join("HEADS"), dir.join("HEADS")).unwrap();
    };
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    older();
    let ran = desk.run("status").exits(0);
    let said = "entry #4 was not finished and has been removed from the mirror";
    assert!(ran.out.contains(said), "{}", ran.out);
    desk.run("verify --deep").exits(0);

    desk.run(&format!("import iv {} -s VOLB --stage-only", sample("iv/VOLB.csv"))).exits(0);
    desk.run("batch confirm b2").exits(0);
    older();
    let ran = no_panic(desk.run("status").exits(30));
    assert!(ran.err.contains("the log is an older one"), "{}", ran.err);
    assert_eq!(desk.run("recover .volledger new --json").exits(0).json()["position"], 4);
}
