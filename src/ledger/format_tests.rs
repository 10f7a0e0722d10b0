//! `FORMAT.md` says what the program writes: its examples are read from the page and compared.
//!
//! Besides, frozen bytes: whoever changes a stored layout by accident fails here, and whoever
//! means to adds a version instead.

use super::Ledger;
use super::canon;
use super::codec::{self, Codec, decode_block, decode_entry, encode_blocks, encode_entry};
use super::hash::{Blake3Tree, Sha256Tree, TreeHash, content};
use super::head::Head;
use super::note::SigningKey;
use super::proof::{Checkpoint, Proof};
use super::segment::{FrameKind, write_frame};
use super::tree::Tree;
use crate::domain::entry::{MappingRef, RowCounts, ViewPart};
use crate::domain::rows::Place;
use crate::domain::{
    Action, BatchId, BatchState, Class, Day, Decision, Digest, Entry, EntryKind, Field, Finding,
    Op, Position, Reject, Rows, Series, Severity, Stage, StateChange, Value, Via, Window,
};
use secrecy::SecretString;

const PAGE: &str = include_str!("FORMAT.md");

/// The text of the code block that has this name.
fn block(name: &str) -> &'static str {
    let starts = |fence: &str| PAGE.find(&format!("```{fence} {name}\n"));
    let at = starts("hex").or_else(|| starts("text")).expect(name);
    let text = PAGE[at..].split_once('\n').unwrap().1;
    &text[..text.find("```").unwrap()]
}

/// The digits of a code block, remarks left out.
fn digits(name: &str) -> String {
    let lines = block(name).lines().map(|line| line.split('#').next().unwrap());
    lines.flat_map(str::split_whitespace).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The three events of the page, as one batch.
fn window() -> Window {
    let mut rows = Rows::new();
    let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
    let shape = rows.intern_shape(&[
        Field::DateMark,
        Field::Known(10),
        Field::Known(17),
        Field::Known(19),
        Field::of(Series::Iv, "note"),
        Field::SymbolMark,
    ]);
    let values = [
        Value::from_json_number("0.4553"),
        Value::from_json_number("-3.85"),
        Value::Null,
        Value::Text("née".into()),
    ];
    let day: Day = "2025-01-01".parse().unwrap();
    let place = Place { seq: 0, source: 0, line: 7, offset: 300, len: 46 };
    rows.push(place, Series::Iv, Op::Put, symbol, day, shape, values);
    let one = rows.intern_shape(&[Field::Known(10)]);
    let place = Place { seq: 1, source: 1, line: 0, offset: 0, len: 0 };
    rows.push(place, Series::Iv, Op::Retract, symbol, Day(-1), one, []);
    let (code, raw) = ("invalid_date".into(), "2025-02-30,1".into());
    let (seq, source, line, offset, len, series) = (2, 0, 8, 347, 12, Series::Iv);
    let reject = Reject { seq, source, line, offset, len, series, code, raw };
    Window { rows, rejects: vec![reject], ..Window::default() }
}

fn canonical(window: &Window) -> Vec<Vec<u8>> {
    let rows = window.rows.iter().map(|row| {
        let mut bytes = Vec::new();
        canon::put_row(&mut bytes, row);
        bytes
    });
    let rejects = window.rejects.iter().map(|reject| {
        let mut bytes = Vec::new();
        canon::put_reject(&mut bytes, reject);
        bytes
    });
    rows.chain(rejects).collect()
}

fn decision() -> Entry {
    let (from, to) = (BatchState::Active, BatchState::RolledBack);
    Entry {
        time_ms: 1_765_627_200_000,
        actor: "ann".into(),
        tool: "volledger 0.1.0".into(),
        kind: EntryKind::Decision(Decision {
            action: Action::Rollback,
            changes: vec![StateChange { batch: BatchId(300), from, to }],
            reason: Some("wrong file".into()),
            token: None,
            base: Some(Position(12)),
            via: Via::Plain,
        }),
    }
}

#[test]
fn the_pages_events_are_what_is_hashed() {
    let mut tree = Tree::<Blake3Tree>::default();
    for (name, bytes) in ["put", "retract", "reject"].iter().zip(canonical(&window())) {
        assert_eq!(digits(name), hex(&bytes), "{name}");
        let leaf = Blake3Tree::leaf(&bytes);
        assert_eq!(digits(&format!("{name} leaf")), leaf.to_string());
        tree.push(leaf);
    }
    assert_eq!(digits("batch root"), tree.root().to_string());
    assert_eq!(tree.root(), super::batch::leaves(&window(), 0).map(root).unwrap());
}

fn root(leaves: Vec<Digest>) -> Digest {
    let mut tree = Tree::<Blake3Tree>::default();
    leaves.into_iter().for_each(|leaf| tree.push(leaf));
    tree.root()
}

#[test]
fn the_pages_entry_head_and_frame_are_what_is_written() {
    let bytes = encode_entry(&decision()).unwrap();
    assert_eq!(digits("entry"), hex(&bytes));
    assert_eq!(decode_entry(&bytes).unwrap(), decision());
    let mut tree = Tree::<Sha256Tree>::default();
    tree.push(Sha256Tree::leaf(&bytes));
    assert_eq!(digits("entry leaf"), tree.root().to_string());

    let directory = tempfile::tempdir().unwrap();
    let head = Head { size: Position(1), root: tree.root() };
    head.write(&super::files::Directory::new(directory.path())).unwrap();
    let text = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    assert_eq!(block("head"), text("HEAD"));
    let slot = format!("{}{}", block("slot"), "\n".repeat(3981));
    assert_eq!(slot.repeat(2), text("HEADS"));
    let files = super::files::Directory::new(directory.path());
    std::fs::write(directory.path().join("HEAD"), block("head of format 1")).unwrap();
    assert_eq!(Head::read(&files).unwrap(), Some(head));

    let mut frame = Vec::new();
    write_frame(&mut frame, FrameKind::RawPiece, &[b"Date,", b"IV30\n"]).unwrap();
    assert_eq!(digits("frame"), hex(&frame));
}

#[test]
fn the_page_names_every_field_beside_its_codes() {
    for def in crate::domain::series::FIELDS {
        assert!(PAGE.contains(&format!("`{}`", def.name)), "{}", def.name);
    }
}

#[test]
fn the_pages_checkpoint_and_proofs_are_what_is_signed() {
    let key = SigningKey::parse(&SecretString::from(block("secret key"))).unwrap();
    assert_eq!(format!("{}\n", key.verifier()), block("verifier key"));
    let mut ledger = Ledger::in_memory();
    ledger.append(decision()).unwrap();
    let (origin, head) = (key.verifier().name().to_owned(), ledger.head());
    let (size, root, extensions) = (head.size, head.root, Vec::new());
    let note = Checkpoint { origin, size, root, extensions }.sign(&key).unwrap();
    assert_eq!(block("checkpoint"), note.to_string());
    let proof = ledger.prove_entry(Position(1), &note).unwrap();
    assert_eq!(block("entry proof"), proof.text().unwrap());
    Proof::parse(block("entry proof")).unwrap().check(key.verifier()).unwrap();

    let mut ledger = Ledger::in_memory();
    let mut writer = ledger.begin().unwrap();
    ledger.write(&mut writer, &window()).unwrap();
    let (batch, batch_root, events) = (writer.batch(), writer.root(), writer.events());
    let stage = Stage { batch, batch_root, events, ..stage() };
    let kind = EntryKind::Stage(Box::new(stage));
    ledger.append(Entry { kind, ..decision() }).unwrap();
    let (origin, head) = (key.verifier().name().to_owned(), ledger.head());
    let (size, root, extensions) = (head.size, head.root, Vec::new());
    let note = Checkpoint { origin, size, root, extensions }.sign(&key).unwrap();
    let text = ledger.prove_event("b1/1".parse().unwrap(), &note).unwrap().text().unwrap();
    let lines = text.split("entry ").next().unwrap();
    assert_eq!(block("row lines"), lines);
    Proof::parse(&text).unwrap().check(key.verifier()).unwrap();
}

/// Blocks of [`window`]; never to be edited once format 1 is released.
const PLAIN_ROWS: &str = "\
    420100030201010542524b2e420201fbf29c003e3e0110010101010000000542524b2e4201010a002a010001 \
    00ac022e070542524b2e42f2b90206010a04924711028106134000046e6f746544046ec3a96502f9457a31d2 \
    3313f462ab099c58c14929ff557cc396ea72b6066b799fbd9c0284";
const PLAIN_REJECTS: &str = "\
    420100030100000000002424022201020100db020c080c696e76616c69645f646174650c323032352d30322d \
    33302c319b7c8eea742f326e058f478b983b81556deb3cca8b1d175a661827e9d255e148";
/// The same rows as the first version packed them, with some zstd.
const PACKED_ROWS: &str = "\
    420100030201010542524b2e420201fbf29c015f5528b52ffd205f6502009205111ca027e9735535023c0e85 \
    aae51605ddf9f7f9eff5eccd5cf3bbc9940266c138b41254077a5c3b15246a499adb19c4e1900604581cb13c \
    5534eabdbe0dee15ca9df8b60601000fae08fd554c69fb397f43ccd6c7a579ccdc6862be8a136170a5aad926 \
    ef38f0379f75";

#[test]
fn plain_blocks_are_written_as_ever() {
    let blocks = encode_blocks(&window(), Codec::Plain).unwrap();
    let written: Vec<_> = blocks.iter().map(|block| hex(block)).collect();
    let frozen = [PLAIN_ROWS, PLAIN_REJECTS].map(|block| hex(&bytes_of(block)));
    assert_eq!(written, frozen);
}

/// What stands before a block's payload, and the payload itself, decompressed.
fn unpacked(block: &[u8]) -> (String, String) {
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    let at = block.windows(4).position(|four| four == magic).unwrap();
    let (body, seal) = block.split_last_chunk::<32>().unwrap();
    assert_eq!(content(body), Digest(*seal));
    // Before the payload stand the size of what it holds and its own, one byte each.
    let raw = codec::decompress(&body[at..], body[at - 2].into()).unwrap();
    (hex(&body[..at - 1]), hex(&raw))
}

#[test]
fn packed_blocks_of_the_first_version_are_read() {
    let mut back = Window::default();
    decode_block(&bytes_of(PACKED_ROWS), &mut back).unwrap();
    back.rejects = window().rejects;
    assert_eq!(root(super::batch::leaves(&back, 0).unwrap()).to_string(), digits("batch root"));
}

/// The rows of [`window`] with packed numbers: what stands before the payload, and the payload before
/// its compression.
const TEXTS_HEAD: &str = "\
    420200030201010542524b2e420201fbf29c0565";
const TEXTS_RAW: &str = "\
    0002010002010001100000fb580200005c0102010000010001fbf49c00000002010a000601000a0011001300 \
    00046e6f7465020000000200000000040004000100fb922300000002000100fb010300000040000000000000 \
    0044000000000001046ec3a965";
/// Numbers alone, which are not compressed.
const NUMBERS: &str = "\
    4202004646010201413d0542524b2e4209fb409cfbca9c04e5e500000200000000040001503c07cd80202008 \
    0802828020200808028280202008080282802020080802828020200808028280202008080282802020080802 \
    82802020080802026602013c1402666666666666666666666666666666660266020000000100fb409c020100 \
    1202000000000000000000000000000000020001020a00130000000000000000020004004601fb401f480802 \
    060a0e12161a1e22262a2e32363a3e42464a4e52565a5e62666a6e72767a7e82868a8e92969a9ea2a6aaaeb2 \
    b6babec2c6caced2d6dadee2e6eaeef2f6fafe09020d2a742811000000004600000200993e81842598c64a2d \
    fb8aa33a11cfc1be7acfcb6bff36a6641a687414f2d7e4";

#[test]
fn packed_blocks_are_written_as_ever() {
    let blocks = encode_blocks(&window(), Codec::Columns).unwrap();
    let want = (hex(&bytes_of(TEXTS_HEAD)), hex(&bytes_of(TEXTS_RAW)));
    assert_eq!(unpacked(&blocks[0]), want, "but for its compression");
    let mut rows = Rows::new();
    let shape = rows.intern_shape(&[Field::Known(10), Field::Known(19)]);
    for seq in 0..70u32 {
        let symbol = ["A", "BRK.B"][usize::from(seq > 60)];
        let symbol = rows.intern_symbol(&symbol.parse().unwrap());
        let offset = u64::from(40 + seq * 31);
        let place = Place { seq, source: 0, line: seq + 2, offset, len: 30 + seq % 2 };
        let values = [format!("0.{}", 4_000 + seq * seq), seq.to_string()];
        let values = values.map(|text| Value::from_json_number(&text));
        rows.push(place, Series::Iv, Op::Put, symbol, Day(20_000 + seq as i32), shape, values);
    }
    let window = Window { rows, ..Window::default() };
    let blocks = encode_blocks(&window, Codec::Columns).unwrap();
    assert_eq!(hex(&blocks[0]), hex(&bytes_of(NUMBERS)));
}

fn stage() -> Stage {
    let finding = |severity, line, day| Finding {
        code: "future_dates".into(),
        severity,
        source: 1,
        line,
        day,
        count: 70_000,
        text: "é".into(),
    };
    Stage {
        batch: BatchId(2),
        content_id: Digest([0xc1; 32]),
        batch_root: Digest([0xb2; 32]),
        events: 5_000_000_000,
        manifest: Digest([0xa3; 32]),
        mapping: MappingRef { id: "mc-iv".into(), version: 3, digest: Digest([0xd4; 32]) },
        series: Series::Iv,
        views: vec![
            ViewPart { series: Series::Iv, class: Class::Vendor, events: 251 },
            ViewPart { series: Series::Hv, class: Class::Fill, events: 250 },
            ViewPart { series: Series::Spot, class: Class::Manual, events: 0 },
        ],
        symbols: 1,
        rows: RowCounts { read: 1, accepted: 2, rejected: 3, blank: 4, effective: 5, retracted: 6 },
        as_of: Day(20_435),
        findings: vec![
            finding(Severity::Info, None, None),
            finding(Severity::Warning, Some(9), Some(Day(-3))),
            finding(Severity::Reject, Some(0), None),
            finding(Severity::Fatal, None, Some(Day(0))),
        ],
        supersedes: Some(BatchId(1)),
        again: Some("asked".into()),
        duplicates_identical: 7,
        duplicates_conflicting: 8,
    }
}

/// The entry of [`stage`]; never to be edited once format 1 is released.
const STAGE: &str = "\
    45010103616e6e0174010102c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 \
    b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2fd00f2052a01000000a3a3a3 \
    a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3056d632d697603d4d4d4d4d4d4d4d4 \
    d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d401030101fbfb000200fa03020001010203040506 \
    fba69f040c6675747572655f646174657300010000fc7011010002c3a90c6675747572655f64617465730101 \
    01090105fc7011010002c3a90c6675747572655f64617465730201010000fc7011010002c3a90c6675747572 \
    655f64617465730301000100fc7011010002c3a90101010561736b656407080000";

#[test]
fn a_stage_entry_is_written_as_ever() {
    let kind = EntryKind::Stage(Box::new(stage()));
    let (actor, tool) = ("ann".to_owned(), "t".to_owned());
    let entry = Entry { time_ms: -1, actor, tool, kind };
    let bytes = encode_entry(&entry).unwrap();
    assert_eq!(hex(&bytes), hex(&bytes_of(STAGE)));
    assert_eq!(decode_entry(&bytes).unwrap(), entry);
}

#[test]
fn the_pages_erasure_is_what_is_written() {
    let all = window();
    let row = all.rows.iter().nth(1).unwrap();
    let leaf = Digest(bytes_of(&digits("retract leaf")).try_into().unwrap());
    let erased = crate::domain::Erased {
        seq: 1,
        leaf,
        entry: Position(13),
        series: Series::Iv,
        symbol: Some(row.symbol.clone()),
        day: row.head.day,
        source: row.head.source,
    };
    let record = bytes_of(&digits("erased"));
    let records = codec::records_digest(&[&erased]).unwrap();
    assert_eq!(records, super::hash::content(&record));
    let part = crate::domain::ErasedPart { batch: BatchId(300), events: 1, records };
    let erase = crate::domain::Erase { reason: "not ours".into(), parts: vec![part] };
    let entry = Entry { kind: EntryKind::Erase(erase), ..decision() };
    let bytes = codec::encode_entry(&entry).unwrap();
    assert_eq!(digits("erase entry"), hex(&bytes));
    assert_eq!(codec::decode_entry(&bytes).unwrap(), entry);
    // The block holds the record as it is, behind its count.
    let erased = Window { erased: vec![erased], ..Window::default() };
    let blocks = codec::encode_blocks(&erased, Codec::Columns).unwrap();
    let [block] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
    let payload = [&[1], record.as_slice()].concat();
    assert!(block.windows(payload.len()).any(|part| part == payload));
    let mut back = Window::default();
    codec::decode_block(block, &mut back).unwrap();
    assert_eq!(back.erased, erased.erased);
}
