//! Erasures cut short, forged, and over windows of every shape.

mod hurt;

use super::*;
use crate::domain::entry::{MappingRef, RowCounts, ViewPart};
use crate::domain::rows::Place;
use crate::domain::{Class, Day, Field, Finding, Op, Reject, Series, Value};
use crate::ledger::codec::{Manifest, ManifestSource, SourceKind, encode_manifest};
use crate::ledger::{Ledger, OpenOptions};
use std::path::Path;
use std::time::Duration;

fn options() -> OpenOptions {
    OpenOptions::new("test", Duration::from_secs(5))
}

fn entry(kind: EntryKind) -> Entry {
    Entry { time_ms: 1_765_627_200_000, actor: "ann".into(), tool: "t".into(), kind }
}

/// A batch of `events` rows whose last one was rejected, with a source of its own.
fn batch(ledger: &mut Ledger, events: u32) -> BatchId {
    let text = format!("the bytes of batch {}", ledger.batches().next_id());
    batch_of(ledger, events, text.as_bytes(), |stage| stage)
}

/// The same with these bytes as its source and another seal.
fn batch_of(
    ledger: &mut Ledger,
    events: u32,
    bytes: &[u8],
    seal: impl Fn(Stage) -> Stage,
) -> BatchId {
    let mut rows = Rows::new();
    let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
    let shape = rows.intern_shape(&[Field::Known(10), Field::of(Series::Iv, "a note")]);
    for seq in 0..events - 1 {
        let place = Place { seq, source: 0, line: seq + 2, offset: 0, len: 4 };
        let number = Value::from_json_number(&format!("0.{}", 4553 + seq));
        let values = [number, Value::Text(format!("canary {seq}").into())];
        rows.push(place, Series::Iv, Op::Put, symbol, Day(20_000 + seq as i32), shape, values);
    }
    let (code, raw) = ("invalid_date".into(), "canary row".into());
    let (seq, series) = (events - 1, Series::Iv);
    let reject = Reject { seq, source: 0, line: 9, offset: 0, len: 4, series, code, raw };
    let window = Window { rows, rejects: vec![reject], ..Window::default() };
    let mut writer = ledger.begin().unwrap();
    ledger.write(&mut writer, &window).unwrap();
    let (digest, size) = ledger.keep(&mut &bytes[..], "a.csv", 1).unwrap();
    let source = ManifestSource {
        digest,
        kind: SourceKind::File,
        name: "a.csv".into(),
        media_type: "text/csv".into(),
        size,
        observed_ms: 1,
        series: Series::Iv,
        symbol: None,
        http: None,
    };
    let manifest = Manifest { sources: vec![source], coverage: Vec::new() };
    let manifest = encode_manifest(&manifest).unwrap();
    let (manifest, _) = ledger.keep(&mut manifest.as_slice(), "manifest", 1).unwrap();
    let (mapping, _) = ledger.keep(&mut &b"mapping"[..], "mapping", 1).unwrap();
    let stage = Stage {
        batch: writer.batch(),
        content_id: Digest([0xc1; 32]),
        batch_root: writer.root(),
        events: writer.events(),
        manifest,
        mapping: MappingRef { id: "m".into(), version: 1, digest: mapping },
        series: Series::Iv,
        views: vec![ViewPart { series: Series::Iv, class: Class::Vendor, events: events.into() }],
        symbols: 1,
        rows: RowCounts::default(),
        as_of: Day(20_435),
        findings: Vec::<Finding>::new(),
        supersedes: None,
        again: None,
        duplicates_identical: 0,
        duplicates_conflicting: 0,
    };
    let id = writer.batch();
    ledger.append(entry(EntryKind::Stage(Box::new(seal(stage))))).unwrap();
    id
}

fn of(batch: BatchId, numbers: impl IntoIterator<Item = u32>) -> Selection {
    Selection::from([(batch, numbers.into_iter().collect())])
}

fn sound(ledger: &Ledger) {
    let verified = ledger.verify(true, &mut |_| {});
    assert_eq!(verified.damage, []);
}

fn damage(ledger: &Ledger) -> String {
    let verified = ledger.verify(true, &mut |_| {});
    let said: Vec<_> = verified.damage.iter().map(|d| format!("{}: {}", d.place, d.what)).collect();
    said.join("; ")
}

/// Takes events from every file, whatever entries say.
fn taken(ledger: &mut Ledger, at: Position, selection: &Selection) {
    let sources = ledger.takes(at, selection).unwrap().sources;
    ledger.carry_out(at, selection, &sources).unwrap();
}

/// Appends the entry of an erasure, and no more.
fn append(ledger: &mut Ledger, selection: &Selection) -> Position {
    let at = Position(ledger.position().0 + 1);
    let parts = ledger.takes(at, selection).unwrap().parts;
    let erase = Erase { reason: "why".into(), parts };
    ledger.append(entry(EntryKind::Erase(erase))).unwrap()
}

fn made(directory: &Path) -> Ledger {
    let mut ledger = Ledger::create(&directory.join("l"), &options()).unwrap();
    batch(&mut ledger, 40);
    batch(&mut ledger, 3);
    ledger
}

#[test]
fn every_part_of_a_batch_can_be_erased_and_its_root_stays() {
    for numbers in [vec![0], vec![39], (0..40).collect(), vec![1, 2, 38, 39], vec![7]] {
        let mut ledger = Ledger::in_memory();
        let id = batch(&mut ledger, 40);
        let stage = ledger.batches().get(id).unwrap().stage.clone();
        let selection = of(id, numbers.iter().copied());
        ledger.erase(&selection, "why", &entry).unwrap();
        sound(&ledger);
        assert_eq!(crate::ledger::root::batch_root(&ledger, &stage).unwrap(), stage.batch_root);
        let erased = ledger.erased_of(id).unwrap();
        assert_eq!(erased.iter().map(|one| one.seq).collect::<Vec<_>>(), numbers);
        assert!(erased.iter().all(|one| one.entry == Position(2)));
        // Erased twice is erased once; the rest can still be.
        assert_eq!(ledger.erasable(selection).unwrap(), Selection::new());
        let rest = ledger.erasable(of(id, 0..40)).unwrap();
        if !rest.is_empty() {
            ledger.erase(&rest, "the rest", &entry).unwrap();
            sound(&ledger);
        }
        let erased = ledger.erased_of(id).unwrap();
        assert!(erased.iter().map(|one| one.seq).eq(0..40), "{numbers:?}");
        let located = ledger.locate(EventId { batch: id, seq: 0 }).unwrap().unwrap();
        assert!(located.erased.is_some() && located.rows.is_empty());
        assert!(ledger.erasable(of(id, [40])).is_err());
    }
}

#[test]
fn an_erasure_without_an_entry_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let mut ledger = made(directory.path());
    let id = BatchId(1);
    // The payload is replaced by its hash, and the root still holds; but nobody said so.
    taken(&mut ledger, Position(3), &of(id, [4, 5]));
    assert!(damage(&ledger).contains("2 events of batch b1, the first b1/5, are gone"));
    // Nor does the entry of another erasure cover it.
    ledger.erase(&of(BatchId(2), [0]), "why", &entry).unwrap();
    let said = damage(&ledger);
    assert!(said.contains("b1/5") && !said.contains("batch b2"), "{said}");
}

#[test]
fn more_erased_than_the_entry_says_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let mut ledger = made(directory.path());
    let at = ledger.erase(&of(BatchId(1), [4]), "why", &entry).unwrap();
    sound(&ledger);
    taken(&mut ledger, at, &of(BatchId(1), [5]));
    assert!(damage(&ledger).contains("not as erased by"), "{}", damage(&ledger));
}

#[test]
fn an_entry_that_was_not_carried_out_is_damage() {
    let mut ledger = Ledger::in_memory();
    let id = batch(&mut ledger, 5);
    let part = ErasedPart { batch: id, events: 1, records: Digest([7; 32]) };
    let erase = Erase { reason: "why".into(), parts: vec![part] };
    ledger.append(entry(EntryKind::Erase(erase))).unwrap();
    assert!(damage(&ledger).contains("not as erased by"), "{}", damage(&ledger));
}

#[test]
fn a_crash_at_any_step_is_finished_by_the_next_opening() {
    let selection = || Selection::from([(BatchId(1), (3..9).collect()), (BatchId(2), [0].into())]);
    // Noted, but nothing was appended: nothing happened.
    let directory = tempfile::tempdir().unwrap();
    let ledger = made(directory.path());
    note::write(&ledger, Position(3), &selection()).unwrap();
    drop(ledger);
    let ledger = Ledger::open(&directory.path().join("l"), &options()).unwrap();
    assert_eq!(ledger.erased_of(BatchId(1)).unwrap(), []);
    assert!(!directory.path().join("l/ERASING").exists());
    sound(&ledger);
    drop(ledger);
    // Appended, and not carried out; with an engine being swapped, before and after.
    for step in 0..3 {
        let directory = tempfile::tempdir().unwrap();
        let (mut ledger, at) = (made(directory.path()), Position(3));
        note::write(&ledger, at, &selection()).unwrap();
        append(&mut ledger, &selection());
        drop(ledger);
        let place = directory.path().join("l");
        match step {
            1 => {
                std::fs::rename(place.join("sled"), place.join(".sled-old")).unwrap();
                std::fs::create_dir(place.join(".sled-new")).unwrap();
            }
            2 => std::fs::create_dir(place.join(".sled-old")).unwrap(),
            _ => {}
        }
        // Recovered as it lies, or opened: both finish it.
        let new = directory.path().join("new");
        let survey = crate::ledger::recover::recover(&place, Some(&new), &options(), 1).unwrap();
        assert!(survey.whole(), "{survey:?}");
        let ledger = Ledger::open(&new, &options()).unwrap();
        assert_eq!(ledger.erased_of(BatchId(1)).unwrap().len(), 6);
        sound(&ledger);
        drop(ledger);
        let ledger = Ledger::open(&place, &options()).unwrap();
        assert!(ledger.notes().iter().any(|note| note.contains("interrupted and is finished")));
        assert_eq!(ledger.erased_of(BatchId(1)).unwrap().len(), 6);
        assert!(!place.join("ERASING").exists() && !place.join(".sled-old").exists());
        assert!(!place.join(".sled-new").exists());
        sound(&ledger);
        drop(ledger);
        let ledger = Ledger::open(&place, &options()).unwrap();
        assert_eq!(ledger.notes(), Vec::<String>::new());
        assert!(
            ledger
                .check_source(&ledger.erased_sources().unwrap().into_iter().next().unwrap())
                .is_err()
        );
    }
}

#[test]
fn what_is_to_go_is_noted_before_the_entry_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let mut ledger = made(directory.path());
    let path = directory.path().join("l/ERASING");
    let noted = std::cell::RefCell::new(String::new());
    let looking = |kind| {
        noted.replace(std::fs::read_to_string(&path).unwrap_or_default());
        entry(kind)
    };
    ledger.erase(&of(BatchId(1), 3..9), "why", &looking).unwrap();
    assert!(noted.borrow().contains("entry 3\n1 3-8\n"), "{noted:?}");
    assert!(!path.exists());
}

#[test]
fn what_is_not_as_recorded_is_not_erased() {
    let mut ledger = Ledger::in_memory();
    let forged = |stage| Stage { batch_root: Digest([9; 32]), ..stage };
    let id = batch_of(&mut ledger, 5, b"bytes", forged);
    let refused = ledger.erase(&of(id, [1]), "why", &entry);
    assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{refused:?}");
    assert_eq!((ledger.position(), ledger.erased_of(id).unwrap()), (Position(1), Vec::new()));
}

/// Nor is a batch sound whose manifest or mapping is gone: nobody could read its source again.
#[test]
fn what_a_batch_was_read_with_is_verified_too() {
    let mut ledger = Ledger::in_memory();
    let lost = |stage: Stage| {
        let mapping = MappingRef { digest: Digest([5; 32]), ..stage.mapping.clone() };
        Stage { mapping, ..stage }
    };
    batch_of(&mut ledger, 5, b"bytes", lost);
    let gone = format!("source {}", Digest([5; 32]).short());
    for deep in [false, true] {
        let verified = ledger.verify(deep, &mut |_| {});
        let places: Vec<_> = verified.damage.iter().map(|damage| &damage.place).collect();
        assert_eq!((places, verified.sources), (vec![&gone], 2), "deep: {deep}");
    }
    // The engine's values are all read only where the whole of it was asked for.
    let mut ledger = Ledger::in_memory();
    batch(&mut ledger, 5);
    let values = |deep| ledger.verify(deep, &mut |_| {}).values;
    assert!(values(false) == 0 && values(true) > 0);
}

#[test]
fn a_manifest_that_was_imported_as_data_stays() {
    let mut ledger = Ledger::in_memory();
    let one = batch(&mut ledger, 5);
    let stage = ledger.batches().get(one).unwrap().stage.clone();
    let bytes = ledger.source(&stage.manifest).unwrap();
    let two = batch_of(&mut ledger, 4, &bytes, |stage| stage);
    ledger.erase(&of(two, 0..4), "why", &entry).unwrap();
    assert_eq!(ledger.source(&stage.manifest).unwrap(), bytes);
    // A source that nothing else needs goes with its events.
    let manifest = ledger.manifest_of(&stage).unwrap();
    ledger.erase(&of(one, 0..5), "why", &entry).unwrap();
    assert!(ledger.source(&manifest.sources[0].digest).is_err());
    sound(&ledger);
}

#[test]
fn a_ledger_goes_on_after_an_erasure() {
    let directory = tempfile::tempdir().unwrap();
    let mut ledger = made(directory.path());
    ledger.erase(&of(BatchId(2), 0..3), "why", &entry).unwrap();
    let id = batch(&mut ledger, 9);
    assert_eq!(id, BatchId(3));
    ledger.erase(&of(id, [1]), "why", &entry).unwrap();
    let head = ledger.head();
    drop(ledger);
    let ledger = Ledger::open(&directory.path().join("l"), &options()).unwrap();
    assert_eq!((ledger.head(), ledger.notes()), (head, &[][..]));
    sound(&ledger);
}

/// The bytes of all packs.
fn packs(place: &Path) -> Vec<u8> {
    let packs = place.join("sources").read_dir().unwrap();
    packs.flat_map(|pack| std::fs::read(pack.unwrap().path()).unwrap()).collect()
}

/// Reading an erased file again writes its bytes before anybody can know them. A process that is
/// killed meanwhile leaves them; the next opening does not.
#[test]
fn what_a_killed_import_brought_back_goes_when_the_ledger_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = made(directory.path());
    let stage = ledger.batches().get(BatchId(2)).unwrap().stage.clone();
    let source = ledger.manifest_of(&stage).unwrap().sources[0].digest;
    let bytes = ledger.source(&source).unwrap();
    ledger.erase(&of(BatchId(2), 0..3), "why", &entry).unwrap();
    let erased = packs(&place);
    let opened = || Ledger::open(&place, &options()).unwrap();
    // Killed with blocks and the source in the engine; the same without blocks; in a pack alone.
    for step in 0..3 {
        let mut writer = ledger.begin().unwrap();
        if step == 0 {
            let window = ledger.read(BatchId(1)).next_window().unwrap().unwrap();
            ledger.write(&mut writer, &window).unwrap();
        }
        match step {
            0 | 1 => drop(ledger.keep(&mut &bytes[..], "a.csv", 1).unwrap()),
            _ => drop(ledger.store_mut().pack().keep(&mut &bytes[..], "a.csv", 1).unwrap()),
        }
        ledger.barrier().unwrap();
        drop(ledger);
        assert!(packs(&place).len() > erased.len(), "step {step}");
        ledger = opened();
        let told = ledger.notes().iter().any(|note| note.contains("is overwritten"));
        assert!(told, "step {step}: {:?}", ledger.notes());
        assert_eq!(packs(&place), erased, "step {step}");
        assert!(ledger.source(&source).is_err(), "step {step}");
        sound(&ledger);
    }
    drop(ledger);
    ledger = opened();
    assert_eq!(ledger.notes(), [""; 0]);
    // Earlier versions left zeros there: nothing is told of them.
    drop(ledger);
    let pack = place.join("sources/000001.pack");
    let longer = [erased.as_slice(), &[0; 100_000]].concat();
    std::fs::write(&pack, longer).unwrap();
    ledger = opened();
    assert_eq!((ledger.notes(), packs(&place)), (&[][..], erased));
    batch(&mut ledger, 4);
    drop(ledger);
    sound(&opened());
}

/// The next batch would seal the pack behind it, and no opening would look there.
#[test]
fn what_a_failed_import_brought_back_goes_before_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = made(directory.path());
    let stage = ledger.batches().get(BatchId(2)).unwrap().stage.clone();
    let source = ledger.manifest_of(&stage).unwrap().sources[0].digest;
    let bytes = ledger.source(&source).unwrap();
    let block = ledger.block(BatchId(2), 0).unwrap().unwrap();
    assert!(!ledger.forget_unfinished(true).unwrap(), "nothing is erased");
    ledger.erase(&of(BatchId(2), 0..3), "why", &entry).unwrap();
    let erased = packs(&place);
    assert!(!ledger.forget_unfinished(false).unwrap());
    let engine = || std::fs::read(place.join("sled/db")).unwrap();
    let has = |all: &[u8], part: &[u8]| all.windows(part.len()).any(|there| there == part);
    for blocks in [true, false] {
        let writer = ledger.begin().unwrap();
        ledger.keep(&mut &bytes[..], "a.csv", 1).unwrap();
        if blocks {
            ledger.store_mut().put_block(writer.batch().0, 0, &block).unwrap();
        }
        ledger.barrier().unwrap();
        assert_eq!(has(&engine(), &block), blocks);
        assert!(ledger.forget_unfinished(blocks).unwrap());
        ledger.abandon(writer).unwrap();
        assert!(packs(&place) == erased && !has(&engine(), &block));
    }
    batch(&mut ledger, 4);
    sound(&ledger);
}

/// Without erasures, what an import left means nothing and costs nothing.
#[test]
fn a_ledger_without_erasures_is_not_written_anew() {
    let directory = tempfile::tempdir().unwrap();
    let mut ledger = made(directory.path());
    ledger.begin().unwrap();
    ledger.keep(&mut &b"others"[..], "a.csv", 1).unwrap();
    ledger.barrier().unwrap();
    drop(ledger);
    let ledger = Ledger::open(&directory.path().join("l"), &options()).unwrap();
    assert_eq!(ledger.notes(), [""; 0]);
}

/// Other batches were read from the same bytes: those of before lost them too, one that was staged since
/// was asked for, and one that was split off has read nothing.
#[test]
fn bytes_that_came_back_are_kept_for_those_who_asked_since() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = Ledger::create(&place, &options()).unwrap();
    let one = batch_of(&mut ledger, 5, b"bytes", |stage| stage);
    let two = batch_of(&mut ledger, 6, b"bytes", |stage| stage);
    let digest = crate::ledger::hash::content(b"bytes");
    let gone = |ledger: &Ledger| ledger.gone(|asked| *asked == digest).unwrap().remove(&digest);
    assert_eq!(gone(&ledger), None);
    ledger.erase(&of(one, [1]), "why", &entry).unwrap();
    assert_eq!(gone(&ledger), Some((Position(3), one)));
    assert!(ledger.gone(|asked| *asked != digest).unwrap().is_empty());
    let erased = packs(&place);
    let killed = |mut ledger: Ledger| {
        ledger.begin().unwrap();
        ledger.keep(&mut &b"bytes"[..], "a.csv", 1).unwrap();
        ledger.barrier().unwrap();
        drop(ledger);
        Ledger::open(&place, &options()).unwrap()
    };
    ledger = killed(ledger);
    assert!(packs(&place) == erased && ledger.source(&digest).is_err());
    let finding = Finding::about(0, Stage::PART, crate::domain::Severity::Info, String::new());
    let part = |stage| Stage { findings: vec![finding.clone()], ..stage };
    batch_of(&mut ledger, 4, b"bytes", part);
    ledger.forget_again().unwrap();
    assert!(gone(&ledger).is_some() && ledger.source(&digest).is_err());
    let asked = batch_of(&mut ledger, 6, b"bytes", |stage| stage);
    ledger.forget_again().unwrap();
    assert_eq!((gone(&ledger), ledger.source(&digest).unwrap()), (None, b"bytes".to_vec()));
    // Erased once more, it is gone for all of them.
    ledger.erase(&of(two, [1]), "why", &entry).unwrap();
    assert_eq!(gone(&ledger), Some((Position(6), two)));
    assert!(ledger.batches().get(asked).unwrap().erased.is_empty());
    sound(&killed(ledger));
}

/// Interrupted three times, an import of a large file left its bytes three times, in a ledger without it.
#[test]
fn the_bytes_of_an_unfinished_import_go_with_its_blocks() {
    for lost in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("l");
        let mut ledger = Ledger::create(&place, &options()).unwrap();
        // A source of a batch that is nowhere may be what stands at the end.
        let seal = |mut stage: Stage| {
            if lost {
                stage.mapping.digest = Digest([9; 32]);
            }
            stage
        };
        batch_of(&mut ledger, 3, b"the bytes of b1", seal);
        let pack = place.join("sources/000001.pack");
        let size = || pack.metadata().unwrap().len();
        let before = size();
        let cut_short = |ledger: &mut Ledger| {
            let bytes: Vec<u8> = (0..9_000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
            ledger.store_mut().pack().keep(&mut bytes.as_slice(), "large.csv", 1).unwrap();
            ledger.store_mut().put_block(2, 0, b"a block").unwrap();
        };
        cut_short(&mut ledger);
        drop(ledger);
        let left = size();
        assert!(left > before + 9_000, "{left}");
        let mut ledger = Ledger::open(&place, &options()).unwrap();
        assert!(ledger.notes()[0].contains("unfinished import"), "{:?}", ledger.notes());
        assert_eq!(size(), if lost { left } else { before });
        // What comes next stands where it ended.
        batch(&mut ledger, 2);
        drop(ledger);
        assert_eq!(Ledger::open(&place, &options()).unwrap().notes(), [""; 0]);
    }
}
