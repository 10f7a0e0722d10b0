//! Erasures in a ledger that is hurt, or whose note is: nothing else goes with them.

use super::*;
use crate::ledger::error::LedgerError;
use crate::ledger::recover::{Survey, recover};

/// The source of a batch.
fn source_of(ledger: &Ledger, id: BatchId) -> Digest {
    let stage = ledger.batches().get(id).unwrap().stage.clone();
    ledger.manifest_of(&stage).unwrap().sources[0].digest
}

/// Changes a byte of what a pack has of a source.
fn flip(ledger: &Ledger, place: &Path, digest: &Digest) {
    let kept = ledger.store().kept(digest).unwrap().unwrap();
    let pack = place.join(format!("sources/{:06}.pack", kept.pack));
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes[kept.offset as usize + 16] ^= 1;
    std::fs::write(pack, bytes).unwrap();
    assert!(ledger.check_source(digest).is_err());
}

fn opened(place: &Path) -> Result<Ledger> {
    Ledger::open(place, &options())
}

fn recovered(place: &Path, new: &Path) -> Survey {
    recover(place, Some(new), &options(), 1).unwrap()
}

#[test]
fn what_the_packs_lost_and_the_mirror_has_is_kept_anew() {
    // By an erasure, and by one that the next opening finishes.
    for finishes in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("l");
        let mut ledger = made(directory.path());
        let (stays, goes) = (source_of(&ledger, BatchId(1)), source_of(&ledger, BatchId(2)));
        let stage = ledger.batches().get(BatchId(1)).unwrap().stage.clone();
        let bytes = ledger.source(&stays).unwrap();
        let selection = of(BatchId(2), [0]);
        if finishes {
            note::write(&ledger, Position(3), &selection).unwrap();
            append(&mut ledger, &selection);
        }
        // The one that goes is hurt as well: it does not come back from the mirror.
        for digest in [&stays, &stage.mapping.digest, &goes] {
            flip(&ledger, &place, digest);
        }
        if finishes {
            drop(ledger);
            ledger = opened(&place).unwrap();
        } else {
            ledger.erase(&selection, "why", &entry).unwrap();
        }
        let told = |note: &String| note.contains("2 sources") && note.contains("from the mirror");
        assert!(ledger.notes().iter().any(told), "{:?}", ledger.notes());
        assert_eq!(ledger.source(&stays).unwrap(), bytes);
        assert!(ledger.store().kept(&goes).unwrap().is_none());
        sound(&ledger);
        drop(ledger);
        let new = directory.path().join("new");
        let survey = recovered(&place, &new);
        assert!(survey.whole() && survey.hurt.is_empty(), "{survey:?}");
        assert_eq!(opened(&new).unwrap().source(&stays).unwrap(), bytes);
    }
}

#[test]
fn an_erasure_is_refused_where_another_batch_lost_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = made(directory.path());
    let mirror = || std::fs::read(place.join("mirror/000001.vlb")).unwrap();
    let (before, head) = (mirror(), ledger.head());
    ledger.store_mut().sweep_blocks(2).unwrap();
    let refused = ledger.erase(&of(BatchId(1), [3]), "why", &entry);
    assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{refused:?}");
    assert!(mirror() == before && ledger.head() == head && !place.join("ERASING").exists());
    // Nor is the engine written anew without them for any other reason.
    assert!(ledger.forget_again().is_err());
    drop(ledger);
    let new = directory.path().join("new");
    assert!(recovered(&place, &new).whole());
    assert_eq!(opened(&new).unwrap().head(), head);
}

/// Notes that are hurt, or of another erasure than that of event 5 of b1 as #3.
fn strange() -> Vec<Vec<u8>> {
    let note = |at, selection: &Selection| {
        let directory = tempfile::tempdir().unwrap();
        let files = crate::ledger::files::Directory::new(directory.path());
        let ledger = Ledger { files: Some(std::sync::Arc::new(files)), ..Ledger::in_memory() };
        note::write(&ledger, at, selection).unwrap();
        std::fs::read(directory.path().join("ERASING")).unwrap()
    };
    vec![
        note(Position(3), &of(BatchId(2), 0..3)),
        note(Position(3), &of(BatchId(1), [4, 5])),
        note(Position(3), &of(BatchId(1), [5])),
        note(Position(3), &of(BatchId(9), [4])),
        note(Position(1), &of(BatchId(1), [4])),
        note(Position(7), &of(BatchId(1), [4])),
        b"volledger erase 1\nentry 3\n".to_vec(),
        vec![0xff; 40],
    ]
}

#[test]
fn a_note_that_is_not_of_its_entry_destroys_nothing() {
    for bytes in strange() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("l");
        let mut ledger = made(directory.path());
        ledger.erase(&of(BatchId(1), [4]), "why", &entry).unwrap();
        drop(ledger);
        // The erasure was carried out: nothing is left to do.
        std::fs::write(place.join("ERASING"), &bytes).unwrap();
        let new = directory.path().join("new");
        assert!(recovered(&place, &new).whole());
        for place in [&place, &new] {
            let ledger = opened(place).unwrap();
            assert!(!place.join("ERASING").exists());
            assert_eq!(ledger.erased_of(BatchId(1)).unwrap().len(), 1);
            assert_eq!(ledger.erased_of(BatchId(2)).unwrap(), []);
            sound(&ledger);
        }
    }
}

#[test]
fn an_erasure_of_which_nobody_knows_what_it_takes_is_left_out() {
    for bytes in strange() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("l");
        let mut ledger = made(directory.path());
        append(&mut ledger, &of(BatchId(1), [4]));
        drop(ledger);
        std::fs::write(place.join("ERASING"), &bytes).unwrap();
        let (packs_before, mirror) = (packs(&place), place.join("mirror/000001.vlb"));
        let before = std::fs::read(&mirror).unwrap();
        let refused = opened(&place).unwrap_err();
        assert!(refused.to_string().contains("ERASING"), "{refused}");
        assert!(packs(&place) == packs_before && std::fs::read(&mirror).unwrap() == before);
        let new = directory.path().join("new");
        let survey = recovered(&place, &new);
        assert!(!survey.whole(), "{survey:?}");
        assert!(survey.unknown && survey.unfinished == Some(Position(3)), "{survey:?}");
        assert_eq!(survey.sound.size, Position(2));
        let told = |damage: &crate::ledger::Damage| damage.what.contains("asked for again");
        assert!(survey.hurt.iter().any(told), "{survey:?}");
        let mut ledger = opened(&new).unwrap();
        assert_eq!(
            (ledger.position(), ledger.erased_of(BatchId(1)).unwrap()),
            (Position(2), vec![])
        );
        sound(&ledger);
        ledger.erase(&of(BatchId(1), [4]), "why", &entry).unwrap();
        sound(&ledger);
    }
}

/// Without any note the entry is believed: it was carried out, and what is not as it says is an older
/// copy, from which nothing erased comes back.
#[test]
fn an_erasure_without_a_note_was_carried_out() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = made(directory.path());
    append(&mut ledger, &of(BatchId(1), [4]));
    drop(ledger);
    let survey = recovered(&place, &directory.path().join("new"));
    assert!(!survey.whole() && !survey.unknown && survey.unfinished.is_none(), "{survey:?}");
    let lost: Vec<_> = survey.lost.iter().map(|lost| (lost.batch, lost.what.as_str())).collect();
    let why = "the ledger is damaged: what is left of batch b1 is not as erased by #3";
    assert_eq!(lost, [(BatchId(1), why)]);
    assert_eq!((survey.sound.size, survey.behind), (Position(0), vec![BatchId(2)]));
}

/// The engine is done, and says what it was; packs and mirror are not.
#[test]
fn an_erasure_whose_note_is_hurt_is_finished_where_the_engine_knows_it() {
    for bytes in strange() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("l");
        let mut ledger = made(directory.path());
        let (selection, goes) = (of(BatchId(2), 0..3), source_of(&ledger, BatchId(2)));
        let at = append(&mut ledger, &selection);
        ledger.renew(at, &selection, &[goes].into()).unwrap();
        drop(ledger);
        std::fs::write(place.join("ERASING"), &bytes).unwrap();
        let before = packs(&place);
        let ledger = opened(&place).unwrap();
        assert!(!place.join("ERASING").exists() && packs(&place) != before);
        assert!(ledger.source(&goes).is_err());
        sound(&ledger);
    }
}

#[test]
fn an_erasure_that_is_not_finished_is_told_to_whoever_only_reads() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    let mut ledger = made(directory.path());
    let selection = of(BatchId(2), [1]);
    note::write(&ledger, Position(3), &selection).unwrap();
    let unfinished = || Ledger::sound_part(&place, None, true).unwrap().1.unfinished;
    append(&mut ledger, &selection);
    // A backup of what is open there could never be restored.
    let mut out = Vec::new();
    let refused = crate::ledger::bundle::write_backup(&ledger, &mut out, true, &mut |_| {});
    assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{refused:?}");
    drop(ledger);
    assert_eq!(unfinished(), Some(Position(3)));
    for engine in [true, false] {
        let (_, survey) = Ledger::sound_part(&place, None, engine).unwrap();
        assert!(survey.whole() && survey.unfinished == Some(Position(3)), "{survey:?}");
    }
    drop(opened(&place).unwrap());
    assert_eq!(unfinished(), None);
    // One that was noted and never appended is none.
    let ledger = opened(&place).unwrap();
    note::write(&ledger, Position(4), &of(BatchId(1), [1])).unwrap();
    drop(ledger);
    assert_eq!(unfinished(), None);
}

/// Without HEAD nothing says which place is the newer one, so each is hashed; but none of them twice.
#[test]
fn what_is_left_of_a_batch_is_hashed_once_a_place() {
    let hashed = || crate::ledger::root::HASHED.get();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("l");
    drop(made(directory.path()));
    let surveyed = || {
        let before = hashed();
        let (ledger, survey) = Ledger::sound_part(&place, None, true).unwrap();
        let times = hashed() - before;
        sound(&ledger);
        assert_eq!(ledger.batches().len(), 2);
        (times, survey.blocks, survey.whole())
    };
    let (times, blocks, whole) = surveyed();
    assert!(times == 2 && whole && blocks.engine > 0 && blocks.mirror == 0, "{times} {blocks:?}");
    for name in ["HEAD", "HEADS"] {
        std::fs::remove_file(place.join(name)).unwrap();
    }
    assert_eq!(surveyed(), (4, blocks, true), "both are as good, and the engine's are taken");
    std::fs::remove_dir_all(place.join("mirror")).unwrap();
    let (times, of_engine, _) = surveyed();
    assert_eq!((times, of_engine), (4, blocks));
}
