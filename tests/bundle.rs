//! Bundles: backups and single batches go out and come back the same, an independent program
//! agrees with every hash in them, and nothing changed or cut off is taken in.

use crate::support::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use volledger::app::report::Exported;
use volledger::app::{AppError, Ledger, LedgerError, decide, export, import, outside, verify};
use volledger::domain::{BatchId, Series};

/// Every form of a value, unknown keys, and keys in an order of their own.
const ODD: &str = r#"[
  {
    "date": "2024-01-02",
    "atm_iv": 0.24109999999999998,
    "skew": null,
    "naïve \"key\"": {"nested": [1, 2.50, {"deep": null}]},
    "tiny": 1e-05
  },
  {
    "flag": true,
    "other flag": false,
    "date": "2024-01-03",
    "symbol": "ODD",
    "term_m1_m2": -0.0,
    "note": "first line\nsecond – line 🎲",
    "wide": 123456789012345678901234567890123.5,
    "atm_iv": 79228162514264337593543950335
  },
  {
    "date": "2024-01-04",
    "atm_iv": -3.8500
  }
]"#;

/// The next day's file: a day and some fields are gone, so a snapshot retracts them.
const LATER: &str = r#"[
  {
    "date": "2024-01-02",
    "atm_iv": 0.25,
    "skew": null
  },
  {
    "date": "2024-01-04",
    "atm_iv": -3.8500
  }
]"#;

fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(path)
}

fn tomic(root: &Path, text: &str) -> PathBuf {
    let folder = root.join("in");
    std::fs::create_dir_all(folder.join("iv_daily_summary")).unwrap();
    std::fs::write(folder.join("iv_daily_summary/ODD.json"), text).unwrap();
    folder
}

/// Odd JSON, a snapshot that retracts, rejected rows, a rollback, and a batch that waits.
fn small() -> (tempfile::TempDir, Ledger) {
    let (directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &tomic(directory.path(), ODD), false);
    let snapshot = confirmed_tomic(&mut ledger, &tomic(directory.path(), LATER), true);
    assert!(ledger.batches().get(snapshot).unwrap().stage.rows.retracted > 1);
    let options = options(Series::Iv, Some("VOLB"));
    let dirty = stage(&mut ledger, &sample("dirty/VOLB_dirty.csv"), &options);
    assert!(dirty.review.rows.rejected > 3);
    let token = dirty.review.token.as_deref();
    decide::confirm(&mut ledger, dirty.batch.unwrap(), token, &run()).unwrap();
    let reason = Some("a reason – with signs".to_owned());
    decide::roll_back(&mut ledger, dirty.batch.unwrap(), reason, false, &run()).unwrap();
    let waits = directory.path().join("ODD.csv");
    std::fs::write(&waits, "Date,IV30\n2024-02-01,31.5\n").unwrap();
    stage(&mut ledger, &waits, &crate::support::options(Series::Iv, Some("ODD")));
    (directory, ledger)
}

/// The whole sample data besides.
fn large() -> (tempfile::TempDir, Ledger) {
    let (directory, mut ledger) = small();
    for series in [Series::Iv, Series::Hv, Series::Spot] {
        let inputs: Vec<_> = ["VOLA", "VOLB", "VOLC"]
            .map(|symbol| input(&sample(&format!("{series}/{symbol}.csv"))))
            .to_vec();
        let all = options(series, None);
        let staged = import::import_csv(&mut ledger, &inputs, &all, &run()).unwrap();
        decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    }
    confirmed(&mut ledger, &sample("bad/VOLA_wrong_scale.csv"), &options(Series::Iv, Some("VOLA")));
    (directory, ledger)
}

/// The Python that has `blake3`; without one, what needs it says loudly that it is skipped.
pub fn python() -> Option<String> {
    let python = std::env::var("VOLLEDGER_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import blake3"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    // Written directly: cargo hides what passing tests print through the macros.
    let line = format!("SKIPPED: {python} cannot import blake3, bundles not checked by Python\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

fn check(python: &str, file: &Path, more: &[&str]) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify_bundle.py");
    Command::new(python).arg(program).arg(file).args(more).output().unwrap()
}

/// What the independent verifier says of a sound bundle.
pub fn sound(python: &str, file: &Path, more: &[&str]) -> String {
    let output = check(python, file, more);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{}: {told}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

fn backup(ledger: &Ledger, file: &Path, plain: bool) -> Exported {
    outside::backup(ledger, file, plain, &run()).unwrap()
}

/// Everything that the views say, as a TOMIC folder.
fn exports(ledger: &Ledger, root: &Path) -> Vec<(String, Vec<u8>)> {
    let out = tempfile::tempdir_in(root).unwrap();
    let exported = export::tomic::export(ledger, out.path(), &[], None, false, &run()).unwrap();
    let bytes = |name: &String| (name.clone(), std::fs::read(out.path().join(name)).unwrap());
    assert!(!exported.files.is_empty());
    exported.files.iter().map(bytes).collect()
}

fn is_damage(error: &AppError) -> bool {
    use LedgerError::{Bundle, Damaged, Malformed, Newer, NoBundle};
    let is = |error: &LedgerError| {
        matches!(
            error,
            Damaged { .. } | Malformed { .. } | Newer { .. } | Bundle { .. } | NoBundle { .. }
        )
    };
    match error {
        AppError::Ledger(why) | AppError::Bundle { why, .. } => is(why),
        _ => false,
    }
}

#[test]
fn a_restored_backup_is_the_same_ledger() {
    let (directory, ledger) = large();
    let root = directory.path();
    let python = python();
    let (head, all) = (ledger.head(), exports(&ledger, root));
    for plain in [true, false] {
        let file = root.join("backup");
        backup(&ledger, &file, plain);
        let to = root.join(format!("restored-{plain}"));
        assert!(outside::restore(&file, &to, "test", &run()).unwrap().ok);
        let restored = outside::open(&to, "test", Duration::ZERO, &run()).unwrap();
        assert_eq!(restored.notes, Vec::<String>::new());
        let restored = restored.ledger;
        assert_eq!(restored.head(), head);
        assert_eq!(restored.entries(), ledger.entries());
        assert!(exports(&restored, root) == all);
        let report = verify::verify(&restored, true, &run()).unwrap();
        assert!(report.ok, "{report:?}");
        // What was restored is stored like the original, and backed up to the very same bytes.
        let again = root.join("again");
        backup(&restored, &again, plain);
        assert!(std::fs::read(&again).unwrap() == std::fs::read(&file).unwrap());
        drop(restored);
        // A second time it meets a ledger, and leaves that alone.
        let refused = outside::restore(&file, &to, "test", &run()).unwrap_err();
        assert!(matches!(refused, AppError::Ledger(LedgerError::Exists(_))), "{refused}");
        let Some(python) = &python else { continue };
        if plain {
            let events: u64 = ledger.batches().iter().map(|(_, b)| b.stage.events).sum();
            let told = sound(python, &file, &[]);
            let log = format!("log {} {}", head.size, head.root);
            assert!(told.starts_with("ok: 8 batches, "), "{told}");
            assert!(told.replace(',', "").contains(&format!(" {events} events ")), "{told}");
            assert!(told.trim_end().ends_with(&log), "{told}");
        } else {
            let output = check(python, &file, &[]);
            assert_eq!(output.status.code(), Some(2));
            assert!(String::from_utf8_lossy(&output.stderr).contains("--plain"));
        }
    }
    let left: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".restore-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_batch_keeps_its_content_id_and_root_in_another_ledger() {
    let (directory, ledger) = large();
    let python = python();
    for plain in [true, false] {
        let (_other_directory, mut other) = crate::support::ledger();
        for (number, (id, batch)) in (1..).zip(ledger.batches().iter()) {
            let file = directory.path().join("batch");
            outside::export_batch(&ledger, id, &file, plain).unwrap();
            if let (true, Some(python)) = (plain, &python) {
                let told = sound(python, &file, &[]);
                assert!(told.starts_with("ok: 1 batches, "), "{told}");
            }
            let staged = outside::import_batch(&mut other, &file, None, &run()).unwrap();
            assert_eq!(staged.batch, Some(BatchId(number)));
            let (mine, theirs) =
                (&other.batches().get(BatchId(number)).unwrap().stage, &batch.stage);
            assert_eq!(mine.content_id, theirs.content_id);
            assert_eq!((mine.batch_root, mine.events), (theirs.batch_root, theirs.events));
            assert_eq!(mine.manifest, theirs.manifest);
            assert!(mine.findings.iter().any(|finding| finding.code == "imported_batch"));
            // The same once more is the same batch, and no other one.
            let again = outside::import_batch(&mut other, &file, None, &run()).unwrap();
            assert_eq!(again.batch, staged.batch);
            // The two kinds of bundle are not taken for each other.
            let to = directory.path().join("no");
            let refused = outside::restore(&file, &to, "test", &run()).unwrap_err();
            assert!(refused.to_string().contains("batch import"), "{refused}");
        }
        assert!(verify::verify(&other, true, &run()).unwrap().ok);
        let file = directory.path().join("whole");
        backup(&ledger, &file, plain);
        let refused = outside::import_batch(&mut other, &file, None, &run()).unwrap_err();
        assert!(refused.to_string().contains("restore"), "{refused}");
    }
}

/// Positions spread over a file: its first and last bytes, and others between.
fn spread(size: usize, count: usize) -> Vec<usize> {
    let between = (0..count).map(|n| (n * size / count + n * 7919 % 97).min(size - 1));
    [0, 4, 8, 9, 29, size - 1, size - 41].into_iter().chain(between).collect()
}

#[test]
fn a_changed_byte_anywhere_is_refused_by_both() {
    let (directory, ledger) = small();
    let root = directory.path();
    let (python, file, to) = (python(), root.join("backup"), root.join("no"));
    for plain in [true, false] {
        backup(&ledger, &file, plain);
        let bytes = std::fs::read(&file).unwrap();
        for (n, at) in spread(bytes.len(), 60).into_iter().enumerate() {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (n % 8);
            std::fs::write(&file, &bad).unwrap();
            let refused = outside::restore(&file, &to, "test", &run()).unwrap_err();
            assert!(is_damage(&refused), "byte {at}: {refused:?}");
            assert!(!to.exists());
            if let (true, Some(python)) = (plain, &python) {
                let output = check(python, &file, &[]);
                let told = String::from_utf8_lossy(&output.stderr);
                // 2: a kind of frame turned into that of a compressed piece cannot be, for its
                // checksum comes first.
                assert_eq!(output.status.code(), Some(1), "byte {at}: {told}");
                assert!(!told.contains("Traceback") && output.stdout.is_empty(), "{told}");
            }
        }
    }
}

#[test]
fn a_bundle_that_is_cut_off_or_goes_on_is_refused() {
    let (directory, ledger) = small();
    let root = directory.path();
    let (python, file, to) = (python(), root.join("backup"), root.join("no"));
    let batch = root.join("batch");
    let (_other_directory, mut other) = crate::support::ledger();
    for plain in [true, false] {
        backup(&ledger, &file, plain);
        outside::export_batch(&ledger, BatchId(1), &batch, plain).unwrap();
        for file in [&file, &batch] {
            let bytes = std::fs::read(file).unwrap();
            let ends = frame_ends(&bytes);
            let mut cuts: Vec<usize> = (0..12).map(|n| n * bytes.len() / 12).collect();
            cuts.extend([1, 7, 8, bytes.len() - 1]);
            cuts.extend(&ends[..ends.len() - 1]);
            let mut bad: Vec<Vec<u8>> = cuts.iter().map(|cut| bytes[..*cut].to_vec()).collect();
            // A frame twice, another bundle behind it, and one byte more.
            bad.push([&bytes[..ends[0]], &bytes].concat());
            bad.push([&bytes[..], &bytes].concat());
            bad.push([&bytes[..], b"\0"].concat());
            let cut = ends[ends.len() / 2 - 1]..ends[ends.len() / 2];
            bad.push([&bytes[..cut.end], &bytes[cut.start..]].concat());
            for (n, bad) in bad.iter().enumerate() {
                std::fs::write(file, bad).unwrap();
                let refused = match *file == batch {
                    true => outside::import_batch(&mut other, file, None, &run()).unwrap_err(),
                    false => outside::restore(file, &to, "test", &run()).unwrap_err(),
                };
                assert!(is_damage(&refused), "{n}: {refused:?}");
                if let (true, Some(python)) = (plain, &python) {
                    let output = check(python, file, &[]);
                    let told = String::from_utf8_lossy(&output.stderr);
                    assert_eq!(output.status.code(), Some(1), "{n}: {told}");
                    assert!(!told.contains("Traceback"), "{told}");
                }
            }
        }
    }
    assert!(other.batches().is_empty());
    assert_eq!(other.position().0, 0);
}

/// Where each frame of a bundle ends.
fn frame_ends(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let length: [u8; 4] = bytes[at..at + 4].try_into().unwrap();
        at += 8 + u32::from_le_bytes(length) as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn the_independent_verifier_reads_events_as_they_were_written() {
    let Some(python) = python() else { return };
    let (directory, ledger) = small();
    let file = directory.path().join("backup");
    backup(&ledger, &file, true);
    let told = sound(&python, &file, &["--event", "b1/1"]);
    for part in [
        "\"0.24109999999999998\"",
        "{\\\"nested\\\": [1, 2.50, {\\\"deep\\\": null}]}",
        "naïve \\\"key\\\"",
        "\"1e-05\"",
        "\"day\": \"2024-01-02\"",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let told = sound(&python, &file, &["--event", "b1/2"]);
    for part in ["\"-0.0\"", "true", "second – line 🎲", "79228162514264337593543950335"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    // The leaf is the one that this program gives.
    for (batch, event) in [(1, 3), (2, 1), (2, 3), (3, 1), (3, 14)] {
        let id = format!("b{batch}/{event}");
        let found = ledger.locate(id.parse().unwrap()).unwrap().unwrap();
        let told = sound(&python, &file, &["--event", &id]);
        assert!(told.contains(&found.leaf.to_string()), "{id}: {told}");
    }
    let output = check(&python, &file, &["--event", "b9/1"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_changed_byte_under_a_right_checksum_is_refused_by_both() {
    let (directory, ledger) = small();
    let root = directory.path();
    let (python, file, to) = (python(), root.join("bundle"), root.join("no"));
    let (_other_directory, mut other) = crate::support::ledger();
    for whole in [true, false] {
        match whole {
            true => drop(backup(&ledger, &file, true)),
            false => drop(outside::export_batch(&ledger, BatchId(3), &file, true).unwrap()),
        }
        let bytes = std::fs::read(&file).unwrap();
        let mut start = 0;
        for end in frame_ends(&bytes) {
            let body = start + 9..end;
            for at in [body.start, (body.start + end) / 2, end - 1] {
                let mut bad = bytes.clone();
                bad[at] ^= 0x10;
                let checksum = crc32c::crc32c(&bad[start + 8..end]);
                bad[start + 4..start + 8].copy_from_slice(&checksum.to_le_bytes());
                std::fs::write(&file, &bad).unwrap();
                let refused = match whole {
                    true => outside::restore(&file, &to, "test", &run()).unwrap_err(),
                    false => outside::import_batch(&mut other, &file, None, &run()).unwrap_err(),
                };
                let kind = bytes[start + 8] as char;
                let missing = matches!(refused, AppError::Ledger(LedgerError::NoSuchSource(_)));
                assert!(missing || is_damage(&refused), "{kind} at {at}: {refused:?}");
                if let Some(python) = &python {
                    let output = check(python, &file, &[]);
                    let told = String::from_utf8_lossy(&output.stderr);
                    assert_eq!(output.status.code(), Some(1), "{kind} at {at}: {told}");
                    assert!(!told.contains("Traceback"), "{told}");
                }
            }
            start = end;
        }
    }
    assert!(other.batches().is_empty());
}
