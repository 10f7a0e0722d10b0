//! Laws 9 and 10: crashes and changed bytes, on real directories.

use super::machine::shown;
use super::model::Shown;
use crate::support::{confirmed, copy, files, input, options, run};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use volledger::app::{Ledger, decide, import, outside, verify};
use volledger::domain::{BatchId, Series};

/// A small ledger with everything in it: active, rolled back and staged batches, three views.
pub fn small(root: &Path) -> PathBuf {
    let dir = root.join("l");
    let mut ledger = outside::create(&dir, "test", Duration::ZERO).unwrap();
    let file = |name: &str, head: &str, rows: &[&str]| {
        let path = root.join(name);
        std::fs::write(&path, format!("{head}\n{}\n", rows.join("\n"))).unwrap();
        path
    };
    let head = "Date,IV30,OHLC 20-Day Vol";
    let one = file("one.csv", head, &["2023-12-28,20.5,18", "2024-01-02,21,19", "x,1,2"]);
    let two = file("two.csv", head, &["2023-12-28,25.5,18.5", "2024-01-03,22,"]);
    let three = file("three.csv", head, &["2023-12-29,30.5,28.5"]);
    let spot = file("spot.csv", "Date,Close", &["2023-12-28,100.25", "2024-01-02,101"]);
    let first = confirmed(&mut ledger, &one, &options(Series::Iv, Some("AAA")));
    confirmed(&mut ledger, &two, &options(Series::Iv, Some("AAA")));
    confirmed(&mut ledger, &spot, &options(Series::Spot, Some("AAA")));
    let gone = confirmed(&mut ledger, &three, &options(Series::Iv, Some("BBB")));
    decide::roll_back(&mut ledger, gone, Some("wrong".into()), false, &run()).unwrap();
    decide::roll_back(&mut ledger, first, None, false, &run()).unwrap();
    decide::undo(&mut ledger, false, &run()).unwrap();
    let waits = file("waits.csv", head, &["2024-01-04,22.5,18.5"]);
    import::import_csv(&mut ledger, &[input(&waits)], &options(Series::Iv, Some("AAA")), &run())
        .unwrap();
    dir
}

/// What a reader gets of a directory: every past and present view, or the words of a refusal.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    Refused(String),
    /// Served, but `verify` says what is wrong.
    Noticed(String, Vec<Result<Shown, String>>),
    Sound(Vec<Result<Shown, String>>),
}

/// Like `machine::shown`, with errors as values.
pub fn try_shown(ledger: &Ledger, at: u64) -> Result<Shown, String> {
    use volledger::app::lookup::{ViewQuery, view};
    let mut found = Shown::new();
    for series in Series::ALL {
        let query =
            ViewQuery { at: Some(volledger::domain::Position(at)), ..ViewQuery::of(series) };
        for view in view(ledger, &query).map_err(|error| error.to_string())? {
            for row in &view.rows {
                let key = (series, view.symbol.clone(), row.date.clone());
                let fields = row.values.iter().map(|(k, v)| (k.clone(), v.to_string()));
                found.insert(key, fields.collect());
            }
        }
    }
    Ok(found)
}

pub fn read(dir: &Path) -> Read {
    let opened = match outside::open(dir, "test", Duration::ZERO, &run()) {
        Ok(opened) => opened,
        Err(error) => return Read::Refused(error.to_string()),
    };
    let ledger = opened.ledger;
    let views = (0..=ledger.position().0).map(|at| try_shown(&ledger, at)).collect();
    let report = verify::verify(&ledger, true, &run()).unwrap();
    drop(ledger);
    match report.ok {
        true => Read::Sound(views),
        false => Read::Noticed(format!("{:?} {:?}", report.damage, report.stale), views),
    }
}

/// Reads in a thread of its own, so that a panic or a hang is a result too.
pub fn watched(dir: &Path) -> Result<Read, String> {
    let (sender, receiver) = mpsc::channel();
    let dir = dir.to_owned();
    let thread = std::thread::Builder::new().name("flip".into());
    let worker = thread.spawn(move || {
        let _ = sender.send(read(&dir));
    });
    match receiver.recv_timeout(Duration::from_secs(20)) {
        Ok(read) => Ok(read),
        Err(mpsc::RecvTimeoutError::Timeout) => Err("it hangs".into()),
        Err(_) => {
            let panic = worker.unwrap().join().unwrap_err();
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| t.to_string()));
            Err(format!("a panic escapes: {}", text.unwrap_or_default()))
        }
    }
}

/// Flips bits and says every case that breaks law 10.
pub fn flips(wanted: usize, every: bool, seed: u64) -> (usize, [usize; 3], Vec<String>) {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let Read::Sound(before) = read(&dir) else {
        panic!("not sound before");
    };
    let mut state = seed;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    // Of the mostly empty file of the engine, the written parts are what matters.
    let mut places = Vec::new();
    for path in files(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_owned();
        if name == Path::new("LOCK") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let written = |at: &usize| {
            let near = bytes.get(at.saturating_sub(8)..(at + 8).min(bytes.len()));
            near.unwrap_or_default().iter().any(|byte| *byte != 0)
        };
        let of_file: Vec<usize> = (0..bytes.len()).filter(written).collect();
        eprintln!("{} has {} bytes, {} written", name.display(), bytes.len(), of_file.len());
        let share = if every { of_file.len() } else { wanted / 4 };
        for index in 0..share.min(of_file.len().max(share)) {
            let at = match every {
                true => index,
                false => (random() % of_file.len().max(1) as u64) as usize,
            };
            if let Some(at) = of_file.get(at) {
                places.push((name.clone(), *at, 1u8 << (random() % 8)));
            }
        }
        if !bytes.is_empty() {
            for _ in 0..wanted / 20 {
                let at = (random() % bytes.len() as u64) as usize;
                places.push((name.clone(), at, 1 << (random() % 8)));
            }
        }
    }
    let (mut wrong, mut counts) = (Vec::new(), [0; 3]);
    let tried = root.path().join("t");
    for (name, at, bit) in &places {
        let _ = std::fs::remove_dir_all(&tried);
        copy(&dir, &tried);
        let path = tried.join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[*at] ^= bit;
        std::fs::write(&path, bytes).unwrap();
        let place = format!("{} byte {at} bit {bit}", name.display());
        if let Ok(file) = std::env::var("VOLLEDGER_FLIPS") {
            std::fs::write(file, &place).unwrap(); // what an abort leaves to be read
        }
        match watched(&tried) {
            Ok(Read::Refused(_)) => counts[0] += 1,
            Ok(Read::Noticed(what, views)) => {
                counts[1] += 1;
                // Told of the damage or not, no reader may get another value.
                let same = views.len() == before.len()
                    && views.iter().zip(&before).all(|(a, b)| a.is_err() || a == b);
                if !same {
                    wrong.push(format!("{place}: another view is served; verify: {what}"));
                }
            }
            Ok(Read::Sound(views)) => {
                counts[2] += 1;
                let head = name == Path::new("HEAD");
                if views != before || head {
                    wrong.push(format!("{place}: undetected (HEAD), or shows something else"));
                }
            }
            Err(what) => wrong.push(format!("{place}: {what}")),
        }
    }
    (places.len(), counts, wrong)
}

/// Law 9: every mixture of the old and the new files that a crash can leave is the old or the new
/// ledger; every other one is that too, or is refused.
pub fn crashes() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let path = root.path().join("late.csv");
    std::fs::write(&path, "Date,IV30\n2024-01-05,33.1\n").unwrap();
    let open = |dir: &Path| outside::open(dir, "test", Duration::ZERO, &run()).unwrap().ledger;
    let steps: [&dyn Fn(&mut Ledger); 5] = [
        &|ledger| {
            let options = options(Series::Iv, Some("CCC"));
            import::import_csv(ledger, &[input(&path)], &options, &run()).unwrap();
        },
        &|ledger| {
            let last = ledger.batches().iter().next_back().unwrap().0;
            decide::confirm(ledger, last, None, &run()).unwrap();
        },
        &|ledger| {
            decide::roll_back(ledger, BatchId(2), None, false, &run()).unwrap();
        },
        &|ledger| {
            decide::undo(ledger, false, &run()).unwrap();
        },
        &|ledger| {
            decide::discard(ledger, BatchId(5), None, false, &run()).unwrap();
        },
    ];
    for (number, step) in steps.into_iter().enumerate() {
        let (old, new) = (root.path().join("old"), root.path().join("new"));
        for dir in [&old, &new] {
            let _ = std::fs::remove_dir_all(dir);
        }
        copy(&dir, &old);
        let mut ledger = open(&dir);
        step(&mut ledger);
        drop(ledger);
        copy(&dir, &new);
        let (before, after) = (read(&old), read(&new));
        assert!(matches!((&before, &after), (Read::Sound(_), Read::Sound(_))));
        for mix in 0..8u8 {
            let mixed = root.path().join("mixed");
            let _ = std::fs::remove_dir_all(&mixed);
            std::fs::create_dir_all(&mixed).unwrap();
            std::fs::copy(new.join("HEAD"), mixed.join("HEAD")).unwrap();
            for (bit, name) in ["sources", "sled", "HEADS"].into_iter().enumerate() {
                let from = if mix & (1 << bit) == 0 { &old } else { &new };
                match from.join(name).is_dir() {
                    true => copy(&from.join(name), &mixed.join(name)),
                    false => {
                        std::fs::copy(from.join(name), mixed.join(name)).unwrap();
                    }
                }
            }
            let found = watched(&mixed).unwrap();
            let place = format!("step {number}, mixture {mix:03b}: {found:?}");
            // The order of writing is sources, engine, HEAD.
            let possible = matches!(mix, 0b000 | 0b001 | 0b011 | 0b111);
            let sound = found == before || found == after;
            let lost = mix == 0b111 && found != after;
            assert!(!lost, "acknowledged and lost: {place}");
            match found {
                Read::Refused(_) => assert!(!possible, "{place}"),
                // Sources that are gone are noticed; what is shown is old or new all the same.
                Read::Noticed(_, views) => {
                    let shown = Read::Sound(views);
                    assert!(!possible && (shown == before || shown == after), "{place}");
                }
                Read::Sound(_) => assert!(sound, "{place}"),
            }
        }
    }
}

/// Law 9: blocks without a seal are swept at the next start, which says so.
pub fn unsealed() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let open = || outside::open(&dir, "test", Duration::ZERO, &run()).unwrap();
    let mut ledger = open().ledger;
    let before = (shown(&ledger, None), ledger.head());
    let mut writer = ledger.begin().unwrap();
    let staged = volledger::domain::BatchId(1);
    let window = ledger.read(staged).next_window().unwrap().unwrap();
    ledger.write(&mut writer, &window).unwrap();
    ledger.keep(&mut &b"never sealed"[..], "x", 1).unwrap();
    drop(writer);
    ledger.store_mut().barrier().unwrap();
    drop(ledger);
    let opened = open();
    assert!(opened.notes.iter().any(|note| note.contains("unfinished")), "{:?}", opened.notes);
    assert_eq!((shown(&opened.ledger, None), opened.ledger.head()), before);
    assert!(verify::verify(&opened.ledger, true, &run()).unwrap().ok);
    drop(opened);
    assert!(open().notes.is_empty(), "swept once");
}

/// Law 10 behind the engine's own checksums: values changed through the engine itself.
pub fn forged() {
    let root = tempfile::tempdir().unwrap();
    let dir = small(root.path());
    let Read::Sound(before) = read(&dir) else {
        panic!("not sound before");
    };
    type Forge = Box<dyn Fn(&mut Ledger)>;
    let mut forgeries: Vec<(String, Forge)> = Vec::new();
    let ledger = outside::open(&dir, "test", Duration::ZERO, &run()).unwrap().ledger;
    let places = |len: usize| (0..len).step_by((len / 5).max(1)).chain([len - 1]);
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 4;
        bytes
    };
    let controls = ledger.store().controls().unwrap();
    // Entries that decode, but are not those of the log.
    for (position, _) in &controls {
        for (other, bytes) in controls.iter().filter(|(other, _)| other != position) {
            let (position, bytes) = (*position, bytes.clone());
            let forge: Forge = Box::new(move |ledger| {
                ledger.store_mut().put_control(position, &bytes).unwrap();
            });
            forgeries.push((format!("entry {other} in place of {position}"), forge));
        }
    }
    for (position, bytes) in controls {
        for at in places(bytes.len()) {
            let bad = flipped(&bytes, at);
            let forge: Forge = Box::new(move |ledger| {
                ledger.store_mut().put_control(position, &bad).unwrap();
            });
            forgeries.push((format!("entry {position} byte {at}"), forge));
        }
    }
    for (id, _) in ledger.batches().iter() {
        let bytes = ledger.block(id, 0).unwrap().unwrap();
        for at in places(bytes.len()) {
            let bad = flipped(&bytes, at);
            let forge: Forge = Box::new(move |ledger| {
                ledger.store_mut().put_block(id.0, 0, &bad).unwrap();
            });
            forgeries.push((format!("block of {id} byte {at}"), forge));
        }
    }
    let keys = ledger.store().view_keys(&[]).unwrap();
    for key in &keys {
        let bytes = ledger.store().view(key).unwrap().unwrap();
        for at in places(bytes.len()) {
            let (bad, key) = (flipped(&bytes, at), key.clone());
            let name = format!("view {} byte {at}", key.escape_ascii());
            let forge: Forge = Box::new(move |ledger| {
                ledger.store_mut().put_view(&key, &bad).unwrap();
            });
            forgeries.push((name, forge));
        }
        let lost = key.clone();
        let forge: Forge = Box::new(move |ledger| {
            ledger.store_mut().remove_view(&lost).unwrap();
        });
        forgeries.push((format!("view {} lost", key.escape_ascii()), forge));
        // A whole value of another key in its place is no better.
        let (key, other) = (key.clone(), ledger.store().view(&keys[0]).unwrap().unwrap());
        if key != keys[0] {
            let name = format!("view {} exchanged", key.escape_ascii());
            let forge: Forge = Box::new(move |ledger| {
                ledger.store_mut().put_view(&key, &other).unwrap();
            });
            forgeries.push((name, forge));
        }
    }
    drop(ledger);
    let tried = root.path().join("t");
    let mut wrong = Vec::new();
    for (name, forge) in &forgeries {
        let _ = std::fs::remove_dir_all(&tried);
        copy(&dir, &tried);
        let mut ledger = outside::open(&tried, "test", Duration::ZERO, &run()).unwrap().ledger;
        forge(&mut ledger);
        ledger.store_mut().barrier().unwrap();
        drop(ledger);
        let same = |views: &[Result<Shown, String>]| {
            let each = |(a, b): (&Result<_, _>, _)| a.is_err() || a == b;
            views.len() == before.len() && views.iter().zip(&before).all(each)
        };
        match watched(&tried) {
            Ok(Read::Refused(_)) => {}
            Ok(Read::Noticed(what, views)) if !same(&views) => {
                wrong.push(format!("{name}: another view is served; verify: {what}"));
            }
            Ok(Read::Noticed(..)) => {}
            Ok(Read::Sound(views)) if views == before => {}
            Ok(Read::Sound(_)) => {
                wrong.push(format!("{name}: another view, and verify is content"))
            }
            Err(what) => wrong.push(format!("{name}: {what}")),
        }
    }
    assert!(wrong.is_empty(), "{} forgeries:\n{}", forgeries.len(), wrong.join("\n"));
}
