//! A ledger that is hurt: what its mirror is for.

use crate::laws::damage::{Read, copy, read, small};
use crate::support::{confirmed, options, run};
use std::path::Path;
use std::time::Duration;
use volledger::app::{OpenOptions, outside, verify};
use volledger::domain::{BatchId, Series};

fn open(dir: &Path, mirror: bool) -> outside::Opened {
    let options = OpenOptions { mirror, ..OpenOptions::new("test", Duration::ZERO) };
    outside::open_with(dir, &options, &run()).unwrap()
}

fn deep(dir: &Path) -> (bool, Vec<String>) {
    let opened = open(dir, true);
    let report = verify::verify(&opened.ledger, true, &run()).unwrap();
    (report.ok, opened.notes)
}

fn mirror(dir: &Path) -> Vec<u8> {
    std::fs::read(dir.join("mirror/000001.vlb")).unwrap()
}

#[test]
fn a_mirror_that_is_gone_or_behind_is_written_anew() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let whole = mirror(&dir);
    assert_eq!(deep(&dir), (true, Vec::new()));
    // A staging that died leaves blocks behind the last checkpoint, or half a frame: cut.
    for tail in [&b"x"[..], &whole[..200]] {
        std::fs::write(dir.join("mirror/000001.vlb"), [&whole, tail].concat()).unwrap();
        assert_eq!(deep(&dir), (true, Vec::new()));
        assert_eq!(mirror(&dir), whole);
    }
    std::fs::remove_dir_all(dir.join("mirror")).unwrap();
    assert_eq!(deep(&dir), (true, Vec::new()), "a ledger from before the mirror");
    assert_eq!(mirror(&dir).len(), whole.len());

    // Without a mirror it stays as it is; with one again, what came meanwhile is added.
    let before = mirror(&dir);
    let file = root.path().join("more.csv");
    std::fs::write(&file, "Date,IV30\n2024-01-08,0.25\n").unwrap();
    let mut opened = open(&dir, false);
    confirmed(&mut opened.ledger, &file, &options(Series::Iv, Some("CCC")));
    assert!(verify::verify(&opened.ledger, true, &run()).unwrap().ok);
    drop(opened);
    assert_eq!(mirror(&dir), before);
    let (ok, notes) = deep(&dir);
    assert!(ok && notes[0].contains("brought up to date"), "{notes:?}");
    assert_eq!(deep(&dir), (true, Vec::new()));
    // An older one is behind, too.
    std::fs::remove_file(dir.join("mirror/000002.vlb")).unwrap();
    assert_eq!((deep(&dir).0, deep(&dir)), (true, (true, Vec::new())));
    std::fs::write(dir.join("mirror/000001.vlb"), &before[..before.len() / 2]).unwrap();
    std::fs::remove_file(dir.join("mirror/000002.vlb")).unwrap();
    assert_eq!((deep(&dir).0, deep(&dir).0), (false, false), "its frame is torn: said for ever");
    std::fs::remove_dir_all(dir.join("mirror")).unwrap();
    assert!(deep(&dir).0);
}

#[test]
fn an_abandoned_batch_leaves_no_trace_in_the_mirror() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let before = mirror(&dir);
    let mut opened = open(&dir, true);
    let window = opened.ledger.read(BatchId(1)).next_window().unwrap().unwrap();
    let mut writer = opened.ledger.begin().unwrap();
    opened.ledger.write(&mut writer, &window).unwrap();
    assert!(mirror(&dir).len() > before.len());
    opened.ledger.abandon(writer).unwrap();
    assert_eq!(mirror(&dir), before);
    // One that is only dropped is cut by the next.
    let mut writer = opened.ledger.begin().unwrap();
    opened.ledger.write(&mut writer, &window).unwrap();
    drop(writer);
    drop(opened.ledger.begin().unwrap());
    assert_eq!(mirror(&dir), before);
}

#[test]
fn any_changed_byte_of_the_mirror_is_noticed_and_nothing_is_served_from_it() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let Read::Sound(before) = read(&dir) else { panic!("not sound before") };
    let whole = mirror(&dir);
    let every = std::env::var("VOLLEDGER_SOAK").is_ok();
    let (hurt, step) = (root.path().join("hurt"), if every { 1 } else { whole.len() / 40 });
    copy(&dir, &hurt);
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(hurt.join("mirror/000001.vlb"), &bytes).unwrap();
        match read(&hurt) {
            Read::Noticed(what, views) => {
                assert!(what.contains("mirror"), "byte {at}: {what}");
                assert_eq!(views, before);
            }
            other => panic!("byte {at}: {other:?}"),
        }
        let _ = std::fs::remove_file(hurt.join("mirror/000002.vlb"));
    }
}
