//! A ledger that is hurt: what its mirror is for.

mod attacks;
mod choice;
mod erased;
mod program;
mod slots;

use crate::laws::damage::{Read, read, small, try_shown, watched};
use crate::support::{confirmed, copy, files, options, run};
use std::path::{Path, PathBuf};
use std::time::Duration;
use volledger::app::{OpenOptions, outside, recover, verify};
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
    // So little waits in memory; `ledger/mirror.rs` tests what was handed on.
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

/// What is done to a copy of a ledger.
type Injury = Box<dyn Fn(&Path)>;

/// Injures copies of a ledger, and says each case in which something false is served, a panic is
/// shown, or something is not restored.
fn injured(dir: &Path, injuries: Vec<(String, Injury)>) -> Vec<String> {
    let Read::Sound(before) = read(dir) else { panic!("not sound before") };
    let root = tempfile::tempdir().unwrap();
    let (hurt, new) = (root.path().join("hurt"), root.path().join("new"));
    let mut wrong = Vec::new();
    for (place, injure) in injuries {
        let known = wrong.len();
        for dir in [&hurt, &new] {
            let _ = std::fs::remove_dir_all(dir);
        }
        copy(dir, &hurt);
        injure(&hurt);
        let as_found = snapshot(&hurt);
        let options = OpenOptions::new("test", Duration::ZERO);
        let report = std::panic::catch_unwind(|| {
            recover::recover(&hurt, Some(&new), &options, &run()).map_err(|e| e.to_string())
        });
        match report {
            Ok(Ok(report)) if report.whole => match watched(&new) {
                Ok(Read::Sound(views)) if views == before => {}
                other => wrong.push(format!("{place}: recovered is {other:?}: {report:?}")),
            },
            Ok(other) => wrong.push(format!("{place}: not restored whole: {other:?}")),
            Err(_) => wrong.push(format!("{place}: recover panics")),
        }
        if snapshot(&hurt) != as_found {
            wrong.push(format!("{place}: recover changed the hurt directory"));
        }
        match watched(&hurt) {
            Ok(Read::Refused(what)) if !what.contains("panic") => {
                // As a reader with `--at` gets it.
                let sound = recover::open_sound(&hurt, &run()).map(|opened| {
                    let upto = opened.ledger.position().0;
                    (0..=upto).map(|at| try_shown(&opened.ledger, at)).collect::<Vec<_>>()
                });
                if !sound.as_ref().is_ok_and(|views| *views == before) {
                    wrong.push(format!("{place}: refused ({what}), and its sound part: {sound:?}"));
                }
            }
            Ok(Read::Noticed(_, views)) => {
                let same = views.iter().zip(&before).all(|(a, b)| a.is_err() || a == b);
                if !same || views.len() != before.len() {
                    wrong.push(format!("{place}: another view is served"));
                }
            }
            Ok(Read::Sound(views)) if views == before => {}
            other => wrong.push(format!("{place}: {other:?}")),
        }
        // At once: all of them take half an hour.
        wrong.iter().skip(known).for_each(|case| eprintln!("{case}"));
    }
    wrong
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn none(wrong: &[String], tried: usize) {
    assert!(wrong.is_empty(), "{} of {tried} cases:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{tried} injuries: each restored whole");
}

/// Names of the files of a ledger, without the lock, which means nothing.
fn names(dir: &Path) -> Vec<PathBuf> {
    drop(read(dir)); // opening gives the engine's snapshot another name
    let all = files(dir).into_iter().map(|path| path.strip_prefix(dir).unwrap().to_owned());
    all.filter(|name| name != Path::new("LOCK")).collect()
}

/// Where the frames of a file begin.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        found.push(at);
        at += 8 + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    found
}

#[test]
fn a_changed_byte_is_restored_whole() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let every = std::env::var("VOLLEDGER_SOAK").is_ok();
    let mut injuries: Vec<(String, Injury)> = Vec::new();
    let all = names(&dir);
    eprintln!("{all:?}");
    for name in all {
        let bytes = std::fs::read(dir.join(&name)).unwrap();
        let near = |at: usize| &bytes[at.saturating_sub(8)..(at + 8).min(bytes.len())];
        let written = (0..bytes.len()).filter(|at| near(*at).iter().any(|byte| *byte != 0));
        let written: Vec<usize> = written.collect();
        let step = if every { 1 } else { (written.len() / 12).max(1) };
        for at in written.iter().skip(step / 2).step_by(step).copied() {
            let (name, bit) = (name.clone(), 1u8 << (at % 8));
            let place = format!("{} byte {at} bit {bit}", name.display());
            let injure = move |dir: &Path| {
                let mut bytes = std::fs::read(dir.join(&name)).unwrap();
                bytes[at] ^= bit;
                std::fs::write(dir.join(&name), bytes).unwrap();
            };
            injuries.push((place, Box::new(injure)));
        }
    }
    let tried = injuries.len();
    none(&injured(&dir, injuries), tried);
}

#[test]
fn a_file_that_is_cut_gone_swapped_or_old_is_restored_whole() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let old = root.path().join("old");
    copy(&dir, &old);
    let file = root.path().join("late.csv");
    std::fs::write(&file, "Date,IV30\n2024-01-05,33.1\n").unwrap();
    let mut opened = open(&dir, true);
    confirmed(&mut opened.ledger, &file, &options(Series::Iv, Some("CCC")));
    drop(opened);
    let every = std::env::var("VOLLEDGER_SOAK").is_ok();
    let mut injuries: Vec<(String, Injury)> = Vec::new();
    let all = names(&dir);
    for (number, name) in all.iter().enumerate() {
        let bytes = std::fs::read(dir.join(name)).unwrap();
        let framed = name.starts_with("mirror") || name.starts_with("sources");
        let mut cuts: Vec<usize> = match framed {
            true => boundaries(&bytes)
                .iter()
                .flat_map(|at| [at.saturating_sub(1), *at, at + 1])
                .collect(),
            false if every => {
                // Each sector and page, as far as anything is written.
                let end = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 4096;
                (0..end.min(bytes.len()) + 1)
                    .step_by(512)
                    .flat_map(|at| [at.saturating_sub(1), at, at + 1])
                    .chain((0..8).map(|eighth| bytes.len() * eighth / 8))
                    .collect()
            }
            false => (0..8).map(|eighth| bytes.len() * eighth / 8).collect(),
        };
        cuts.push(bytes.len().saturating_sub(1));
        let step = if every || !framed { 1 } else { (cuts.len() / 12).max(1) };
        for cut in cuts.into_iter().step_by(step) {
            let name = name.clone();
            let place = format!("{} cut to {cut}", name.display());
            let injure = move |dir: &Path| {
                let bytes = std::fs::read(dir.join(&name)).unwrap();
                std::fs::write(dir.join(&name), &bytes[..cut.min(bytes.len())]).unwrap();
            };
            injuries.push((place, Box::new(injure)));
        }
        let gone = name.clone();
        let injure = move |dir: &Path| std::fs::remove_file(dir.join(&gone)).unwrap();
        injuries.push((format!("{} gone", name.display()), Box::new(injure)));
        if old.join(name).exists() {
            let (name, old) = (name.clone(), old.clone());
            let place = format!("an older {}", name.display());
            let injure = move |dir: &Path| {
                std::fs::copy(old.join(&name), dir.join(&name)).unwrap();
            };
            injuries.push((place, Box::new(injure)));
        }
        let (one, other) = (name.clone(), all[(number + 1) % all.len()].clone());
        let place = format!("{} and {} swapped", one.display(), other.display());
        let injure = move |dir: &Path| {
            let kept = std::fs::read(dir.join(&one)).unwrap();
            std::fs::copy(dir.join(&other), dir.join(&one)).unwrap();
            std::fs::write(dir.join(&other), kept).unwrap();
        };
        // The mirror and the only other copy at once: nothing could give that back.
        if !place.contains("mirror") {
            injuries.push((place, Box::new(injure)));
        }
    }
    // A whole older ledger but for the mirror: only that knows of what came later.
    let rolled = move |dir: &Path| {
        std::fs::remove_dir_all(dir.join("sled")).unwrap();
        copy(&old.join("sled"), &dir.join("sled"));
        std::fs::copy(old.join("HEADS"), dir.join("HEADS")).unwrap();
    };
    injuries.push(("engine and HEAD older".into(), Box::new(rolled)));
    for folder in ["sled", "sources", "mirror"] {
        let injure = move |dir: &Path| std::fs::remove_dir_all(dir.join(folder)).unwrap();
        injuries.push((format!("{folder} gone"), Box::new(injure)));
    }
    let tried = injuries.len();
    none(&injured(&dir, injuries), tried);
}
