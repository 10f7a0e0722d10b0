//! A hurt ledger of which something was erased: it gives what one gives of which nothing was, and nothing
//! that was erased comes back.

use super::attacks::{copied, frames, replace};
use super::deep;
use super::program::no_panic;
use crate::program::Desk;
use crate::support::{copy, run};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use volledger::app::report::RecoverReport;
use volledger::app::{OpenOptions, outside, recover};
use volledger::ledger::files::Directory;
use volledger::ledger::store::SledStore;

/// What is erased: digits that stand nowhere else.
const CANARY: &str = "43.97531";

/// Three batches of iv, and a copy `whole` of the ledger; then the canary, b2/1, is erased.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    for (name, first) in [("AAA", "20.5"), ("BBB", CANARY), ("CCC", "60.25")] {
        let rows = format!("Date,IV30\n2024-01-02,{first}\n2024-01-03,21\n2024-01-04,22\n");
        let file = desk.write(&format!("{name}.csv"), &rows);
        desk.run(&format!("import iv {file} -s {name} --yes --force")).exits(0);
    }
    copied(&desk, "whole");
    desk.run("erase b2/1 --reason gdpr --yes").exits(0);
    desk
}

/// The place of the frame of a mirror that begins so.
fn place(dir: &Path, kind: u8, number: u8) -> (PathBuf, Vec<u8>, usize) {
    let path = dir.join("mirror/000001.vlb");
    let bytes = std::fs::read(&path).unwrap();
    let at = frames(&bytes, kind).into_iter().find(|at| bytes[at + 9] == number).unwrap();
    (path, bytes, at)
}

fn hurt(dir: &Path, kind: u8, number: u8) {
    let (path, mut bytes, at) = place(dir, kind, number);
    bytes[at + 30] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn cut(dir: &Path, kind: u8, number: u8) {
    let (path, bytes, at) = place(dir, kind, number);
    std::fs::write(path, &bytes[..at]).unwrap();
}

fn gone(dir: &Path, name: &str) {
    let path = dir.join(name);
    match path.is_dir() {
        true => std::fs::remove_dir_all(path).unwrap(),
        false => std::fs::remove_file(path).unwrap(),
    }
}

fn recovered(hurt: &Path, new: &Path) -> RecoverReport {
    let options = OpenOptions::new("test", Duration::ZERO);
    let _ = std::fs::remove_dir_all(new);
    let report = recover::recover(hurt, Some(new), &options, &run());
    report.unwrap_or_else(|error| panic!("{}: {error}", hurt.display()))
}

/// Whether any plain backup of a ledger has the canary.
fn has_canary(desk: &Desk, ledger: &str) -> bool {
    let _ = std::fs::remove_file(desk.path().join("plain.vlb"));
    desk.run(&format!("-L {ledger} backup plain.vlb --plain")).exits(0);
    let bytes = std::fs::read(desk.path().join("plain.vlb")).unwrap();
    bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes())
}

#[test]
fn whatever_a_ledger_without_erasures_gives_one_with_an_erasure_gives_too() {
    type Injury = (&'static str, Box<dyn Fn(&Path)>);
    let desk = desk();
    let mut injuries: Vec<Injury> = Vec::new();
    for number in 1..=3u8 {
        let place: &'static str = ["", "b1", "b2", "b3"][number as usize];
        let injure = move |dir: &Path| {
            gone(dir, "sled");
            hurt(dir, b'B', number);
        };
        injuries.push((place, Box::new(injure)));
        let injure = move |dir: &Path| {
            gone(dir, "HEAD");
            cut(dir, b'E', 2 * number);
        };
        injuries.push(("HEAD gone, the mirror cut", Box::new(injure)));
    }
    for number in 1..=6u8 {
        let injure = move |dir: &Path| {
            gone(dir, "sled");
            hurt(dir, b'E', number);
        };
        injuries.push(("an entry", Box::new(injure)));
        let injure = move |dir: &Path| {
            gone(dir, "sled");
            cut(dir, b'E', number);
        };
        injuries.push(("an end", Box::new(injure)));
    }
    for names in [&["mirror", "sources"][..], &["sled", "sources"], &["sources"], &["HEAD", "sled"]]
    {
        let injure = move |dir: &Path| names.iter().for_each(|name| gone(dir, name));
        injuries.push(("folders", Box::new(injure)));
    }
    let (without, with) = (desk.path().join("without"), desk.path().join("with"));
    let (new, other) = (desk.path().join("new"), desk.path().join("other"));
    for (number, (name, injure)) in injuries.iter().enumerate() {
        let case = format!("case {number}: {name}");
        for (from, to) in [("whole", &without), (".volledger", &with)] {
            let _ = std::fs::remove_dir_all(to);
            copy(&desk.path().join(from), to);
            injure(to);
        }
        let (first, second) = (recovered(&without, &other), recovered(&with, &new));
        assert!(second.position >= first.position, "{case}: {first:?}\n{second:?}");
        let lost = |report: &RecoverReport| -> Vec<String> {
            report.lost.iter().map(|lost| lost.batch.clone()).collect()
        };
        assert_eq!(lost(&first), lost(&second), "{case}");
        // What is missing of the one but for what was erased is missing of the other.
        let missing = |report: &RecoverReport| -> Vec<String> {
            report.missing.iter().map(|missing| missing.source.clone()).collect()
        };
        let (first_lost, second_lost) = (missing(&first), missing(&second));
        assert!(second_lost.iter().all(|one| first_lost.contains(one)), "{case}: {second:?}");
        assert_eq!(deep(&new).0, second.missing.is_empty(), "{case}: {second:?}");
        let opened = outside::open(&new, "test", Duration::ZERO, &run()).unwrap();
        let said = second.erased_again.len() as u64;
        assert_eq!(opened.ledger.position().0, second.position + said, "{case}");
        drop(opened);
        if second.position >= 4 {
            let view = desk.run("-L new view iv BBB --json").exits(0);
            assert!(!view.out.contains("2024-01-02") || view.json()["erased"] == 1, "{}", view.out);
            assert!(!view.out.contains(CANARY), "{case}: {}", view.out);
        }
        if second.missing.is_empty() {
            assert!(!has_canary(&desk, "new"), "{case}");
        }
    }
}

/// The batch was erased by an entry that is lost: the new ledger says it in another place.
#[test]
fn an_erasure_whose_entry_is_lost_is_said_again() {
    let desk = desk();
    // The entry is behind a lost batch, and still there.
    let behind = copied(&desk, "behind");
    gone(&behind, "sled");
    hurt(&behind, b'B', 3);
    let report = desk.run("recover behind behind-new --json").exits(30).json();
    assert_eq!((&report["position"], &report["lost"][0]["batch"]), (&json!(4), &json!("b3")));
    let again = json!([{"entry": 5, "was": 7, "known": true, "batches": ["b2"], "events": 1}]);
    assert_eq!(report["erased_again"], again, "{report}");
    desk.run("-L behind-new verify --deep").exits(0);
    let ran = desk.run("-L behind-new view iv BBB --json").exits(0);
    assert!(
        ran.err.contains("erased by tester") && ran.err.contains("gdpr (entry #7"),
        "{}",
        ran.err
    );
    assert_eq!(ran.json()["erased"], 1);
    let past = no_panic(desk.run("-L behind view iv BBB --at #4").exits(0));
    assert!(past.err.contains("erased by tester"), "{}", past.err);
    // It is gone with the end of the log.
    let end = copied(&desk, "end");
    gone(&end, "sled");
    cut(&end, b'E', 7);
    let report = desk.run("recover end end-new --json").exits(30).json();
    assert_eq!((&report["position"], &report["missing"]), (&json!(6), &json!([])), "{report}");
    let again = json!([{"entry": 7, "was": 7, "known": false, "batches": ["b2"], "events": 1}]);
    assert_eq!(report["erased_again"], again, "{report}");
    desk.run("-L end-new verify --deep").exits(0);
    let ran = desk.run("-L end-new view iv BBB").exits(0);
    assert!(ran.err.contains("what it said is lost"), "{}", ran.err);
    let said = desk.run("recover end --dry-run").exits(30).out;
    assert!(said.contains("erased by #7, which is not in this log"), "{said}");
    // New work goes on behind it.
    let more = desk.write("DDD.csv", "Date,IV30\n2024-01-02,30.5\n");
    desk.run(&format!("-L end-new import iv {more} -s DDD --yes")).exits(0);
    desk.run("-L end-new verify --deep").exits(0);
}

/// An older copy of the engine or the packs has what was erased since: it is not taken from there.
#[test]
fn what_was_erased_does_not_come_back_from_an_older_copy() {
    let desk = desk();
    for name in ["sources", "sled"] {
        let hurt = copied(&desk, name);
        replace(&desk.path().join("whole"), &hurt, name);
        let report = desk.run(&format!("recover {name} {name}-new --json")).exits(0).json();
        assert_eq!((&report["position"], &report["whole"]), (&json!(7), &json!(true)), "{report}");
        desk.run(&format!("-L {name}-new verify --deep")).exits(0);
        assert!(!has_canary(&desk, &format!("{name}-new")), "{name}");
        let why = desk.run(&format!("-L {name}-new show b2/1 --json")).exits(0).json();
        assert_eq!((&why["op"], &why["raw"]), (&json!("erased"), &json!("")), "{why}");
        // Not even noted where it was, nor its bytes kept.
        let new = desk.path().join(format!("{name}-new"));
        let kept = std::fs::read(desk.path().join("BBB.csv")).unwrap();
        let digest = volledger::ledger::hash::content(&kept);
        let store = SledStore::open(&new, std::sync::Arc::new(Directory::new(&new))).unwrap();
        use volledger::ledger::store::Store;
        assert!(store.kept(&digest).unwrap().is_none(), "{name}");
    }
    // Engine and HEAD are older, and the mirror's end is lost: its blocks are those of after the erasure.
    let hurt = copied(&desk, "older");
    replace(&desk.path().join("whole"), &hurt, "sled");
    replace(&desk.path().join("whole"), &hurt, "HEADS");
    gone(&hurt, "HEAD");
    cut(&hurt, b'E', 7);
    let report = desk.run("recover older older-new --json").exits(30).json();
    assert_eq!(report["erased_again"][0]["batches"], json!(["b2"]), "{report}");
    assert!(!has_canary(&desk, "older-new"));
    // Nothing has the batch as it was erased: it is lost, and nothing else is taken for it.
    let hurt = copied(&desk, "before");
    replace(&desk.path().join("whole"), &hurt, "sled");
    self::hurt(&hurt, b'B', 2);
    let report = desk.run("recover before before-new --json").exits(30).json();
    assert_eq!((&report["position"], &report["lost"][0]["batch"]), (&json!(2), &json!("b2")));
}
