//! Proofs of a small ledger: whole, with every bit turned, and as another implementation sees them.

use super::*;
use crate::domain::entry::{MappingRef, RowCounts};
use crate::domain::rows::Place;
use crate::domain::{BatchId, Class, Day, Field, Op, Series, Value, Window};
use crate::ledger::note::SigningKey;
use crate::ledger::{Ledger, LedgerError};

fn key() -> SigningKey {
    SigningKey::generate(Some("example.com/log")).unwrap().0
}

fn entry(kind: EntryKind) -> Entry {
    Entry { time_ms: 1_765_627_200_000, actor: "ann é".into(), tool: "t".into(), kind }
}

/// A batch of `events` rows whose last one was rejected.
fn batch(ledger: &mut Ledger, events: u32) {
    let mut rows = Rows::new();
    let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
    let shape =
        rows.intern_shape(&[Field::DateMark, Field::Known(10), Field::of(Series::Iv, "a note")]);
    for seq in 0..events - 1 {
        let place = Place { seq, source: 0, line: seq + 2, offset: u64::from(seq) * 46, len: 46 };
        let number = Value::from_json_number(&format!("0.{}", 4553 + seq));
        let values = [number, Value::Text("née \"x\"\n".into())];
        rows.push(place, Series::Iv, Op::Put, symbol, Day(20_000 + seq as i32), shape, values);
    }
    let (code, raw) = ("invalid_date".into(), "2025-02-30,1".into());
    let (seq, series) = (events - 1, Series::Iv);
    let reject = Reject { seq, source: 0, line: 9, offset: 0, len: 12, series, code, raw };
    let window = Window { rows, rejects: vec![reject], ..Window::default() };
    let mut writer = ledger.begin().unwrap();
    ledger.write(&mut writer, &window).unwrap();
    let stage = Stage {
        batch: writer.batch(),
        content_id: Digest([0xc1; 32]),
        batch_root: writer.root(),
        events: writer.events(),
        manifest: Digest([0xa3; 32]),
        mapping: MappingRef { id: "mc-iv".into(), version: 1, digest: Digest([0xd4; 32]) },
        series: Series::Iv,
        views: vec![crate::domain::entry::ViewPart {
            series: Series::Iv,
            class: Class::Vendor,
            events: events.into(),
        }],
        symbols: 1,
        rows: RowCounts::default(),
        as_of: Day(20_435),
        findings: Vec::new(),
        supersedes: None,
        again: None,
        duplicates_identical: 0,
        duplicates_conflicting: 0,
    };
    ledger.append(entry(EntryKind::Stage(Box::new(stage)))).unwrap();
}

fn sign(ledger: &Ledger, key: &SigningKey) -> Note {
    let head = ledger.head();
    let (origin, size, root) = (key.verifier().name().to_owned(), head.size, head.root);
    Checkpoint { origin, size, root, extensions: Vec::new() }.sign(key).unwrap()
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::in_memory();
    ledger.append(entry(EntryKind::Note("first \u{202e}".into()))).unwrap();
    batch(&mut ledger, 11);
    batch(&mut ledger, 1);
    ledger.append(entry(EntryKind::Note("last".into()))).unwrap();
    ledger
}

/// Reads and checks a proof as `verify-proof` does.
fn believed(text: &[u8], key: &VerifierKey) -> Result<Proven> {
    let text = std::str::from_utf8(text).map_err(|_| ProofError::malformed("not text"))?;
    Proof::parse(text)?.check(key)
}

fn id(text: &str) -> EventId {
    text.parse().unwrap()
}

#[test]
fn every_row_and_entry_is_proven_by_its_text() {
    let (mut ledger, key) = (ledger(), key());
    let note = sign(&ledger, &key);
    for (batch, events) in [("b1", 11), ("b2", 1)] {
        for number in 1..=events {
            let event = id(&format!("{batch}/{number}"));
            let proof = ledger.prove_event(event, &note).unwrap();
            let text = proof.text().unwrap();
            assert!(text.is_ascii() || text.matches('\u{2014}').count() == 1, "{text}");
            assert_eq!(Proof::parse(&text).unwrap(), proof);
            let Proven::Row { event: of, rows, reject, stage, position, .. } =
                believed(text.as_bytes(), key.verifier()).unwrap()
            else {
                panic!("{text}");
            };
            assert_eq!((of, stage.events), (event, events));
            assert_eq!(
                (reject.is_some(), rows.len()),
                (number == events, (number < events).into())
            );
            assert_eq!(position.0, if batch == "b1" { 2 } else { 3 });
        }
    }
    for at in 1..=4 {
        let text = ledger.prove_entry(Position(at), &note).unwrap().text().unwrap();
        let proven = believed(text.as_bytes(), key.verifier()).unwrap();
        assert!(matches!(proven, Proven::Entry { position, .. } if position.0 == at));
    }
    let first = ledger.prove_event(id("b1/1"), &note).unwrap().text().unwrap();
    let says =
        "\nsays put iv BRK.B 2024-10-04 atm_iv=0.4553 \"a note\"=\"n\\u00e9e \\\"x\\\"\\n\"\n";
    assert!(first.contains(says), "{first}");
    let reject = ledger.prove_event(id("b2/1"), &note).unwrap().text().unwrap();
    assert!(reject.contains("\nsays reject iv invalid_date \"2025-02-30,1\"\n"), "{reject}");
    assert!(matches!(ledger.prove_event(id("b1/12"), &note), Err(LedgerError::NoSuchEvent(_))));
    assert!(matches!(ledger.prove_event(id("b9/1"), &note), Err(LedgerError::NoSuchBatch(_))));
    assert!(ledger.prove_entry(Position(0), &note).is_err());
    // What came after the checkpoint is not in it.
    ledger.append(entry(EntryKind::Note("later".into()))).unwrap();
    assert!(ledger.prove_entry(Position(5), &note).is_err());
    assert!(ledger.prove_entry(Position(4), &note).is_ok());
}

/// Turns every bit of a text and says how many texts were refused; none may be believed.
fn every_bit(text: &str, key: &VerifierKey) -> usize {
    assert!(believed(text.as_bytes(), key).is_ok());
    for at in 0..text.len() * 8 {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        let read = believed(&bytes, key);
        assert!(read.is_err(), "bit {at}: {}", String::from_utf8_lossy(&bytes));
    }
    for cut in 0..text.len() {
        assert!(believed(&text.as_bytes()[..cut], key).is_err(), "cut {cut}");
        let twice = [&text.as_bytes()[..cut], &text.as_bytes()[cut.saturating_sub(1)..]].concat();
        assert!(cut == 0 || believed(&twice, key).is_err(), "doubled {cut}");
    }
    text.len() * 8
}

#[test]
fn every_turned_bit_of_a_proof_is_refused() {
    let (mut ledger, key) = (ledger(), key());
    let old = sign(&ledger, &key);
    let mut refused = 0;
    for event in ["b1/3", "b1/11", "b2/1"] {
        let text = ledger.prove_event(id(event), &old).unwrap().text().unwrap();
        refused += every_bit(&text, key.verifier());
    }
    let text = ledger.prove_entry(Position(1), &old).unwrap().text().unwrap();
    refused += every_bit(&text, key.verifier());
    batch(&mut ledger, 2);
    let new = sign(&ledger, &key);
    let text = ledger.prove_consistency(&old, &new).unwrap().text().unwrap();
    refused += every_bit(&text, key.verifier());
    assert!(refused > 25_000, "{refused}");
}

#[test]
fn parts_of_sound_proofs_do_not_make_another() {
    let (ledger, ours) = (ledger(), key());
    let note = sign(&ledger, &ours);
    let proof = |event: &str| ledger.prove_event(id(event), &note).unwrap();
    let Proof::Row { row, path, log, .. } = proof("b1/3") else { panic!() };
    let Proof::Row { row: other, log: second, .. } = proof("b2/1") else { panic!() };
    let fails = |proof: Proof| {
        // The text is written from the parts, so `says` fits them.
        let text = proof.text().unwrap();
        let read = believed(text.as_bytes(), ours.verifier());
        assert!(matches!(read, Err(ProofError::Fails(_))), "{read:?}");
    };
    let event = id("b1/3");
    fails(Proof::Row { event, row: other.clone(), path: path.clone(), log: log.clone() });
    fails(Proof::Row { event, row: row.clone(), path: path.clone(), log: second.clone() });
    let event = id("b1/4");
    fails(Proof::Row { event, row: row.clone(), path: path.clone(), log: log.clone() });
    let event = EventId { batch: BatchId(2), seq: 2 };
    fails(Proof::Row { event, row: row.clone(), path: path.clone(), log: log.clone() });
    let Proof::Entry(first) = ledger.prove_entry(Position(1), &note).unwrap() else { panic!() };
    fails(Proof::Row {
        event: id("b1/3"),
        row: row.clone(),
        path: path.clone(),
        log: first.clone(),
    });
    let moved = LogProof { index: 3, ..first.clone() };
    fails(Proof::Entry(moved));
    let swapped = LogProof { entry: second.entry.clone(), ..first };
    fails(Proof::Entry(swapped));
    // Signed, but with another key of the same name.
    let event = id("b1/3");
    let forged = LogProof { checkpoint: sign(&ledger, &key()), ..log };
    fails(Proof::Row { event, row, path, log: forged });
}

#[test]
fn a_ledger_that_was_rolled_back_or_rewritten_does_not_extend_its_checkpoint() {
    let (mut ours, key) = (ledger(), key());
    let old = Checkpoint::unverified(&sign(&ours, &key)).unwrap();
    assert!(ours.extends(&old).is_ok());
    ours.append(entry(EntryKind::Note("later".into()))).unwrap();
    let new = sign(&ours, &key);
    let later = Checkpoint::unverified(&new).unwrap();
    assert!(ours.extends(&old).is_ok() && ours.extends(&later).is_ok());
    let copy = ledger();
    let told = copy.extends(&later).unwrap_err().to_string();
    assert!(told.contains("older copy") && told.contains("#5"), "{told}");
    let mut rewritten = ledger();
    rewritten.append(entry(EntryKind::Note("another".into()))).unwrap();
    let told = rewritten.extends(&later).unwrap_err().to_string();
    assert!(told.contains("rewritten"), "{told}");
    assert!(rewritten.extends(&old).is_ok());
    assert!(rewritten.prove_entry(Position(1), &new).is_err());
    assert!(ours.prove_consistency(&new, &sign(&ledger(), &key)).is_err());
}

#[test]
fn another_implementation_accepts_our_log_proofs() {
    use tlog_tiles::{Hash, check_record, check_tree, record_hash};
    let theirs = |digest: &Digest| Hash(digest.0);
    let all = |path: &[Digest]| path.iter().map(theirs).collect::<Vec<_>>();
    let (mut ledger, key) = (Ledger::in_memory(), key());
    let mut notes = Vec::new();
    for size in 1..=20u64 {
        ledger.append(entry(EntryKind::Note(format!("note {size}")))).unwrap();
        notes.push(sign(&ledger, &key));
        let root = Hash(ledger.head().root.0);
        for at in 1..=size {
            let Proof::Entry(log) =
                ledger.prove_entry(Position(at), &notes[size as usize - 1]).unwrap()
            else {
                panic!();
            };
            let leaf = record_hash(&log.entry);
            check_record(&all(&log.path), size, root, log.index, leaf).unwrap();
            assert!(check_record(&all(&log.path), size, root, at % size + size, leaf).is_err());
            let (old, new) = (&notes[at as usize - 1], &notes[size as usize - 1]);
            let Proof::Consistency { path, .. } = ledger.prove_consistency(old, new).unwrap()
            else {
                panic!();
            };
            let old = Checkpoint::unverified(old).unwrap();
            check_tree(&all(&path), size, root, at, theirs(&old.root)).unwrap();
        }
    }
}
