//! What somebody may do to a ledger's files who does not know what they are, or does.

use super::program::{change, desk, file, no_panic};
use crate::program::{Desk, sample};
use crate::support::{copy, files, run};
use std::path::{Path, PathBuf};
use std::time::Duration;
use volledger::app::outside;

/// A copy of the desk's ledger under another name.
pub fn copied(desk: &Desk, name: &str) -> PathBuf {
    let to = desk.path().join(name);
    copy(&desk.path().join(".volledger"), &to);
    to
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

pub fn replace(from: &Path, to: &Path, name: &str) {
    let to = to.join(name);
    if to.is_dir() {
        std::fs::remove_dir_all(&to).unwrap();
    }
    match from.join(name).is_dir() {
        true => copy(&from.join(name), &to),
        false => drop(std::fs::copy(from.join(name), to).unwrap()),
    }
}

/// Where the frames of one kind begin.
pub fn frames(bytes: &[u8], kind: u8) -> Vec<usize> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        if bytes[at + 8] == kind {
            found.push(at);
        }
        at += 8 + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    found
}

#[test]
fn a_new_ledger_is_never_written_over_or_into_something() {
    let desk = desk();
    change(&desk, "sled/db", |bytes| bytes.truncate(1000));
    let hurt = desk.path().join(".volledger");
    std::fs::create_dir(desk.path().join("mine")).unwrap();
    desk.write("mine/notes.txt", "of value");
    let before = contents(desk.path());
    for new in ["mine", ".volledger", ".volledger/new", ".volledger/a/b", "mine/../.volledger/x"] {
        let ran = no_panic(desk.run(&format!("recover .volledger {new}"))).exits(2);
        assert!(ran.err.contains("cannot become a ledger"), "{new}: {}", ran.err);
        assert_eq!(contents(desk.path()), before, "{new}");
    }
    assert!(!hurt.join("a").exists());
    // An empty directory may be taken, and one whose parents are not there yet.
    std::fs::create_dir(desk.path().join("empty")).unwrap();
    for new in ["empty", "far/away/new"] {
        desk.run(&format!("recover .volledger {new}")).exits(0);
        desk.run(&format!("-L {new} verify --deep")).exits(0);
    }
}

#[test]
fn what_another_process_holds_is_left_alone() {
    let desk = desk();
    let dir = desk.path().join(".volledger");
    let held = outside::open(&dir, "somebody", Duration::ZERO, &run()).unwrap();
    let before = contents(&dir);
    for line in ["recover .volledger new", "recover .volledger --dry-run"] {
        let ran = no_panic(desk.run(line).exits(21));
        assert!(ran.err.contains("somebody"), "{}", ran.err);
    }
    assert_eq!(contents(&dir), before);
    assert!(!desk.path().join("new").exists());
    drop(held);
    desk.run("recover .volledger new").exits(0);
}

#[test]
fn engine_and_mirror_hurt_in_different_places_make_up_for_each_other() {
    let desk = desk();
    let dir = desk.path().join(".volledger");
    let views = desk.run("view iv LARGE -o csv").out;
    // The engine: a block of the third batch and the entries 2 and 6.
    let mut opened = outside::open(&dir, "test", Duration::ZERO, &run()).unwrap();
    let store = opened.ledger.store_mut();
    let mut block = store.block(3, 0).unwrap().unwrap();
    let at = block.len() / 2;
    block[at] ^= 4;
    store.put_block(3, 0, &block).unwrap();
    for position in [2, 6] {
        let mut entry = store.controls().unwrap()[position - 1].1.clone();
        *entry.last_mut().unwrap() ^= 1;
        store.put_control(position as u64, &entry).unwrap();
    }
    store.barrier().unwrap();
    drop(opened);
    // The mirror: a block of the second batch and the entries 1 and 5.
    change(&desk, "mirror/000001.vlb", |bytes| {
        let blocks = frames(bytes, b'B');
        let second = blocks.into_iter().find(|at| bytes[at + 9..at + 13] == [2, 0, 0, 0]);
        let entries = frames(bytes, b'E');
        for at in [second.unwrap(), entries[0], entries[4]] {
            bytes[at + 30] ^= 1;
        }
    });
    no_panic(desk.run("status").exits(30));
    let report = desk.run("recover .volledger new --json").exits(0).json();
    assert_eq!((&report["position"], &report["confirmed_by"]), (&6.into(), &"HEAD".into()));
    assert!(report["hurt"].as_array().unwrap().len() >= 4, "{report}");
    desk.run("-L new verify --deep").exits(0);
    assert_eq!(desk.run("-L new view iv LARGE -o csv").out, views);
}

#[test]
fn an_older_engine_with_its_head_is_refused_while_the_mirror_knows_better() {
    let desk = desk();
    let dir = desk.path().join(".volledger");
    let old = copied(&desk, "old");
    let steps = [
        format!("import iv {} -s VOLD --force", sample("iv/VOLA.csv")),
        "batch rollback b1 --reason x".to_owned(),
    ];
    steps.iter().for_each(|line| drop(desk.run(line).exits(0)));
    let new = copied(&desk, "new");
    replace(&old, &dir, "sled");
    replace(&old, &dir, "HEADS");
    let ran = no_panic(desk.run("status").exits(30));
    assert!(ran.err.contains("the log is an older one"), "{}", ran.err);
    assert_eq!(contents(&dir.join("mirror")).len(), 1);
    assert_eq!(desk.run("recover .volledger one --json").exits(0).json()["position"], 9);

    // Also where the mirror's own checkpoint of that position is hurt.
    change(&desk, "mirror/000001.vlb", |bytes| {
        let at = frames(bytes, b'C')[5];
        bytes[at + 20] ^= 1;
    });
    no_panic(desk.run("status").exits(30));
    assert_eq!(desk.run("recover .volledger two --json").exits(0).json()["position"], 9);

    // One entry behind is what a crash leaves as well: it is said.
    std::fs::remove_dir_all(&dir).unwrap();
    copy(&new, &dir);
    let before = copied(&desk, "before");
    desk.run("undo").exits(0);
    replace(&before, &dir, "sled");
    replace(&before, &dir, "HEADS");
    let ran = desk.run("status").exits(0);
    let said = "entry #10 was not finished and has been removed";
    assert!(ran.out.contains(said), "{}", ran.out);
    desk.run("verify --deep").exits(0);
    assert!(!desk.run("status").exits(0).out.contains(said), "said once");
}

#[test]
fn an_older_head_cuts_nothing() {
    let desk = Desk::with_iv();
    let dir = desk.path().join(".volledger");
    let old = copied(&desk, "old");
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run("batch rollback b1 --reason x").exits(0);
    replace(&old, &dir, "HEADS");
    let half = copied(&desk, "half");
    // Whole entries behind it count.
    assert_eq!(desk.run("status --json").exits(0).json()["position"], 5);
    desk.run("verify --deep").exits(0);
    // What is not whole behind it was acknowledged, and is not cut.
    let mut store = volledger::ledger::store::SledStore::open(
        &half,
        std::sync::Arc::new(volledger::ledger::files::Directory::new(&half)),
    )
    .unwrap();
    use volledger::ledger::store::Store;
    let mut entry = store.controls().unwrap()[3].1.clone();
    entry.truncate(3);
    store.put_control(4, &entry).unwrap();
    store.barrier().unwrap();
    drop(store);
    let ran = no_panic(desk.run("-L half status").exits(30));
    assert!(ran.err.contains("HEAD is an older one"), "{}", ran.err);
    assert_eq!(desk.run("recover half whole --json").exits(0).json()["position"], 5);
}

#[test]
fn files_of_another_ledger_are_not_believed() {
    let desk = desk();
    let other = Desk::with_ledger();
    for name in ["A", "B", "C", "D", "E"] {
        let file = sample("iv/VOLA.csv");
        other.run(&format!("import iv {file} -s {name} --yes --force")).exits(0);
    }
    let short = Desk::with_ledger();
    short.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    let view = desk.run("view iv VOLA -o csv").out;
    for (number, foreign) in [&other, &short].into_iter().enumerate() {
        let foreign = foreign.path().join(".volledger");
        for name in ["mirror", "HEADS", "sources", "sled"] {
            let hurt = copied(&desk, &format!("{name}{number}"));
            replace(&foreign, &hurt, name);
            let at = format!("-L {name}{number}");
            let look = no_panic(desk.run(&format!("recover {name}{number} --dry-run --json")));
            let look = look.json();
            // The large source stands in its pack alone, and a HEAD that names more entries than
            // there are speaks of a loss.
            let all = !["sources", "HEADS"].contains(&name);
            assert_eq!(look["whole"], all, "{name}: {look}");
            assert_eq!(look["position"], 6, "{name}: {look}");
            let ran = no_panic(desk.run(&format!("{at} view iv VOLA -o csv")));
            match name {
                "HEADS" | "sled" => assert_eq!(ran.exit, 30, "{name}: {}", ran.err),
                _ => assert_eq!((ran.exit, &ran.out), (0, &view), "{name}: {}", ran.err),
            }
            let verified = no_panic(desk.run(&format!("{at} verify --deep")));
            assert_eq!(verified.exit, if name == "mirror" { 0 } else { 30 }, "{}", verified.err);
            desk.run(&format!("recover {name}{number} {name}{number}-new"));
            let again = desk.run(&format!("-L {name}{number}-new view iv VOLA -o csv")).exits(0);
            assert_eq!(again.out, view);
        }
    }
}

#[test]
fn lengths_that_no_frame_has_are_passed_over() {
    let desk = desk();
    let whole = copied(&desk, "whole");
    for length in [u32::MAX, 80 << 20, (80 << 20) + 1, 1 << 20, 1, 0] {
        for (name, kind) in [("mirror/000001.vlb", b'B'), ("sources/000001.pack", b'S')] {
            let dir = desk.path().join(".volledger");
            std::fs::remove_dir_all(&dir).unwrap();
            copy(&whole, &dir);
            change(&desk, name, |bytes| {
                let at = *frames(bytes, kind).last().unwrap();
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
            });
            let start = std::time::Instant::now();
            assert_eq!(no_panic(desk.run("verify --deep")).exit, 30, "{name} {length}");
            let look = no_panic(desk.run("recover .volledger --dry-run --json").exits(0)).json();
            assert_eq!(look["whole"], true, "{name} {length}");
            assert!(start.elapsed() < Duration::from_secs(20), "{name} {length}");
        }
    }
}

#[test]
fn a_mirror_that_was_off_for_a_while_gives_what_it_has() {
    let desk = Desk::with_iv();
    let off = |line: &str| {
        let mut command = desk.command(line.split_whitespace());
        command.env("VOLLEDGER_MIRROR", "0");
        crate::program::ran(command, None).exits(0)
    };
    off(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv")));
    let hurt = copied(&desk, "hurt");
    std::fs::remove_dir_all(hurt.join("sled")).unwrap();
    let ran = no_panic(desk.run("-L hurt status").exits(30));
    assert!(ran.err.contains("the mirror has it up to #2"), "{}", ran.err);
    let report = desk.run("recover hurt hurt-new --json").exits(30).json();
    let said = (&report["position"], &report["head"], &report["whole"]);
    assert_eq!(said, (&2.into(), &4.into(), &false.into()));
    desk.run("-L hurt-new verify --deep").exits(0);
    // On again, it is brought up to date, and then gives everything.
    let ran = desk.run("status").exits(0);
    assert!(ran.out.contains("brought up to date"), "{}", ran.out);
    std::fs::remove_dir_all(file(&desk, "sled")).unwrap();
    assert_eq!(desk.run("recover .volledger new --json").exits(0).json()["position"], 4);
}

#[test]
fn what_is_left_of_a_ledger_is_no_place_for_a_new_one() {
    let desk = Desk::with_ledger();
    let staged = format!("import iv {} -s VOLA --stage-only", sample("iv/VOLA.csv"));
    desk.run(&staged).exits(0); // one entry only
    for name in ["HEAD", "sled", "sources"] {
        let path = file(&desk, name);
        match path.is_dir() {
            true => std::fs::remove_dir_all(path).unwrap(),
            false => std::fs::remove_file(path).unwrap(),
        }
        let before = contents(&desk.path().join(".volledger"));
        let ran = desk.run("init").exits(1);
        assert!(ran.err.contains("holds a ledger already"), "{}", ran.err);
        no_panic(desk.run("status").exits(30));
        no_panic(desk.run(&staged).exits(30));
        let now = contents(&desk.path().join(".volledger"));
        let but_lock = |all: Vec<(PathBuf, Vec<u8>)>| -> Vec<_> {
            all.into_iter().filter(|(path, _)| !path.ends_with("LOCK")).collect()
        };
        if name != "HEAD" {
            assert_eq!(but_lock(now), but_lock(before), "{name}");
        }
        let report = desk.run("recover .volledger --dry-run --json").json();
        assert_eq!((&report["position"], &report["confirmed_by"]), (&1.into(), &"mirror".into()));
    }
}

#[test]
fn strange_things_in_the_folders_are_no_harm() {
    let desk = desk();
    let dir = desk.path().join(".volledger");
    std::fs::create_dir(dir.join("mirror/000009.vlb")).unwrap();
    std::fs::write(dir.join("mirror/notes.txt"), "x").unwrap();
    std::fs::write(dir.join("mirror/99999999999999999999.vlb"), "x").unwrap();
    std::fs::write(dir.join("sources/7.pack.bak"), "x").unwrap();
    no_panic(desk.run("view iv VOLA"));
    let look = no_panic(desk.run("recover .volledger --dry-run --json").exits(0)).json();
    assert_eq!(look["whole"], true, "{look}");
    // A folder where the mirror's file should be, and a file where its folder should be.
    std::fs::remove_dir_all(dir.join("mirror")).unwrap();
    std::fs::write(dir.join("mirror"), "x").unwrap();
    let ran = no_panic(desk.run("status"));
    assert_ne!(ran.exit, 0, "{}", ran.out);
    let look = no_panic(desk.run("recover .volledger --dry-run --json").exits(0)).json();
    assert_eq!(look["whole"], true, "{look}");
    std::fs::remove_file(dir.join("mirror")).unwrap();
    desk.run("verify --deep").exits(0);
    // A blob of the engine, which is never synced: refused, and nothing of it is needed.
    std::fs::write(dir.join("sled/blobs/1"), "x").unwrap();
    no_panic(desk.run("status").exits(30));
    desk.run("recover .volledger new").exits(0);
}
