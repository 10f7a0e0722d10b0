//! Version 1 of each stored layout. Frozen: nothing here is edited once released. What has had a later
//! version since has it in [`super::v2`] and [`super::v3`].
//!
//! Enums carry explicit numbers in `u8` fields instead of derived variants, so that reordering a
//! Rust enum cannot change stored bytes. `Varints` has the bytes of a `Vec<i64>`.

use super::varints::Varints;
use bincode::{Decode, Encode};

/// A block of row events.
#[derive(Encode, Decode)]
pub struct BlockV1 {
    /// Index of the first event of the window that this block belongs to.
    pub window_first: u32,
    /// Events in that window, over all its blocks.
    pub window_events: u32,
    /// Events in this block.
    pub events: u32,
    /// Series code of the events; 0 for a block of rejects.
    pub series: u8,
    /// The symbols of the block, ascending, with the number of their events.
    pub symbols: Vec<(String, u32)>,
    /// Smallest and largest day, days since 1970-01-01.
    pub days: (i32, i32),
    /// How the payload is written: 0 canonical events, 1 columns + zstd.
    pub codec: u8,
    /// Size of the payload before compression.
    pub raw_size: u32,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Integers of a column.
#[derive(Encode, Decode)]
pub enum IntsV1 {
    /// All the same.
    Same(i64),
    /// Differences to the one before, the first to 0.
    Deltas(Varints),
}

/// Small numbers of a column.
#[derive(Encode, Decode)]
pub enum BytesV1 {
    /// All the same.
    Same(u8),
    /// One each.
    Each(Vec<u8>),
}

/// The digits of a column's decimals, as differences to the one before.
#[derive(Encode, Decode)]
pub enum DigitsV1 {
    /// Brought to the column's largest scale, in 64 bits.
    Aligned(Varints),
    /// As written, in 128 bits, where 64 do not suffice.
    Plain(Vec<i128>),
}

/// The values of one field of a block.
#[derive(Encode, Decode)]
pub struct ColumnV1 {
    /// Form of each value: 0–28 a decimal of that scale, else a code of `canon`.
    pub forms: BytesV1,
    /// Digits of the decimals.
    pub digits: DigitsV1,
    /// Texts of the other forms that have one.
    pub texts: Vec<String>,
}

/// Row events as columns, in the block's order.
#[derive(Encode, Decode)]
pub struct ColumnsV1 {
    /// Everything but the values.
    pub heads: HeadsV1,
    /// One column per distinct field, in the order of first appearance.
    pub columns: Vec<ColumnV1>,
}

/// Row events without their values; stands first, so that it can be read alone.
#[derive(Encode, Decode)]
pub struct HeadsV1 {
    /// For a view chunk: the batch of each event; empty in a block.
    pub batches: IntsV1,
    /// Index of the leaf in the batch.
    pub seqs: IntsV1,
    /// Index of the source.
    pub sources: IntsV1,
    /// Line in the source.
    pub lines: IntsV1,
    /// Offset minus the end of the row before.
    pub gaps: IntsV1,
    /// Length of the row.
    pub lens: IntsV1,
    /// 0 put, 1 retract.
    pub ops: BytesV1,
    /// Series codes (of a view chunk; a block has one).
    pub series: BytesV1,
    /// Days since 1970-01-01.
    pub days: IntsV1,
    /// Index of the symbol (of a view chunk always 0).
    pub symbols: IntsV1,
    /// The field lists: code, and the name where the code is 0.
    pub shapes: Vec<Vec<(u16, String)>>,
    /// Index of the field list.
    pub shape: IntsV1,
}

/// A row that cannot be used.
#[derive(Encode, Decode)]
pub struct RejectV1 {
    pub seq: u32,
    pub source: u32,
    pub line: u32,
    pub offset: u64,
    pub len: u32,
    pub series: u8,
    pub code: String,
    pub raw: String,
}

/// A control entry.
#[derive(Encode, Decode)]
pub struct EntryV1 {
    pub time_ms: i64,
    pub actor: String,
    pub tool: String,
    /// 1 stage, 2 decision, 3 note; exactly the matching field is present.
    pub kind: u8,
    pub stage: Option<StageV1>,
    pub decision: Option<DecisionV1>,
    pub note: Option<String>,
}

/// The seal of a batch.
#[derive(Encode, Decode)]
pub struct StageV1 {
    pub batch: u32,
    pub content_id: [u8; 32],
    pub batch_root: [u8; 32],
    pub events: u64,
    pub manifest: [u8; 32],
    pub mapping_id: String,
    pub mapping_version: u32,
    pub mapping_digest: [u8; 32],
    pub series: u8,
    /// Series code, class (0 fill or computed, 1 vendor, 2 manual), events.
    pub views: Vec<(u8, u8, u64)>,
    pub symbols: u32,
    /// Read, accepted, rejected, blank, effective, retracted.
    pub rows: [u64; 6],
    pub as_of: i32,
    pub findings: Vec<FindingV1>,
    pub supersedes: Option<u32>,
    pub again: Option<String>,
    /// Identical, conflicting.
    pub duplicates: [u64; 2],
}

/// A finding.
#[derive(Encode, Decode)]
pub struct FindingV1 {
    pub code: String,
    /// 0 info, 1 warning, 2 reject, 3 fatal.
    pub severity: u8,
    pub source: u32,
    pub line: Option<u32>,
    pub day: Option<i32>,
    pub count: u64,
    pub text: String,
}

/// A decision.
#[derive(Encode, Decode)]
pub struct DecisionV1 {
    /// 1 commit, 2 discard, 3 rollback, 4 reinstate, 5 supersede.
    pub action: u8,
    /// Batch, state before, state after (1 staged, 2 active, 3 discarded, 4 rolled back,
    /// 5 superseded).
    pub changes: Vec<(u32, u8, u8)>,
    pub reason: Option<String>,
    pub token: Option<[u8; 32]>,
    pub base: Option<u64>,
    /// 0 plain, 1 undo, 2 redo; and the position meant.
    pub via: (u8, u64),
}

/// Where a source's bytes are kept.
#[derive(Encode, Decode)]
pub struct KeptV1 {
    /// Size of the source in bytes.
    pub size: u64,
    /// Pack file number.
    pub pack: u32,
    /// Offset of the first frame in it.
    pub offset: u64,
    /// End of the last frame.
    pub end: u64,
    /// Name under which the bytes were first kept.
    pub name: String,
    /// When they were first observed, ms since 1970 UTC.
    pub observed_ms: i64,
}

/// The sources of a batch.
#[derive(Encode, Decode)]
pub struct ManifestV1 {
    pub sources: Vec<ManifestSourceV1>,
}

/// One source of a batch.
#[derive(Encode, Decode)]
pub struct ManifestSourceV1 {
    pub digest: [u8; 32],
    /// 1 file, 2 http, 3 stream, 4 folder listing.
    pub kind: u8,
    pub name: String,
    pub media_type: String,
    pub size: u64,
    pub observed_ms: i64,
    /// What the reader was told: series code and symbol, empty for "from the column".
    pub read_as: (u8, String),
}

/// The symbols of a view, or the years of a symbol, with the digests of what they name.
#[derive(Encode, Decode)]
pub struct DirectoryV1 {
    /// Position of the log that the view has taken in (of the root directory).
    pub position: u64,
    /// Name, number of events, digest of the value named.
    pub entries: Vec<(String, u64, [u8; 32])>,
}

/// The items of row events, beside their columns: a later addition, in blocks of codec 2, item
/// chunks and nowhere else.
#[derive(Encode, Decode)]
pub struct ItemsV1 {
    /// The items, in the order of first use.
    pub names: Vec<String>,
    /// For each event 0, or one more than the index of its item.
    pub item: IntsV1,
}

/// What is kept of an erased event.
#[derive(Encode, Decode)]
pub struct ErasedV1 {
    /// Its number in the batch, from 0.
    pub seq: u32,
    /// The hash of its canonical bytes.
    pub leaf: [u8; 32],
    /// The position of the entry that erased it.
    pub entry: u64,
    /// Code of its series.
    pub series: u8,
    /// Its symbol; empty of a rejected row.
    pub symbol: String,
    /// Its day; 0 of a rejected row.
    pub day: i32,
    /// Index of its source in the batch's manifest.
    pub source: u32,
}
