//! Version 2 of the stored layouts that have one. Frozen like version 1. Their packed numbers are in
//! [`super::packed`].

use super::packed::IntsV2;
use super::v1::{BytesV1, ManifestSourceV1};
use bincode::{Decode, Encode};

/// Row events as columns, in the block's order: codec 4, compressed codec 5.
#[derive(Encode, Decode)]
pub struct ColumnsV2 {
    /// Everything but the values.
    pub heads: HeadsV2,
    /// One column per distinct field, in the order of first appearance.
    pub columns: Vec<ColumnV2>,
}

/// Row events without their values; stands first, so that it can be read alone.
#[derive(Encode, Decode)]
pub struct HeadsV2 {
    /// Index of the leaf in the batch.
    pub seqs: IntsV2,
    /// Index of the source.
    pub sources: IntsV2,
    /// Line in the source, less the index of the leaf.
    pub lines: IntsV2,
    /// Offset minus the end of the row before.
    pub gaps: IntsV2,
    /// Length of the row.
    pub lens: IntsV2,
    /// 0 put, 1 retract.
    pub ops: BytesV1,
    /// Series codes; a block has one.
    pub series: BytesV1,
    /// Days since 1970-01-01.
    pub days: IntsV2,
    /// Index of the symbol.
    pub symbols: IntsV2,
    /// The field lists: code, and the name where the code is 0.
    pub shapes: Vec<Vec<(u16, String)>>,
    /// Index of the field list.
    pub shape: IntsV2,
    /// The different items.
    pub items: Vec<String>,
    /// 0 for none, else one more than the index of the item.
    pub item: IntsV2,
}

/// A control entry about a projection.
#[derive(Encode, Decode)]
pub struct EntryV2 {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Who recorded it.
    pub actor: String,
    /// The program's version.
    pub tool: String,
    /// The projection's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// 1 added, 2 promoted, 3 dropped.
    pub step: u8,
    /// The query, of one that was added.
    pub definition: Option<String>,
}

/// The symbols of a view, or the years of a symbol, with the digests of what they name.
#[derive(Encode, Decode)]
pub struct DirectoryV2 {
    /// Position of the log that the view has taken in (of the root directory).
    pub position: u64,
    /// Name, events, records shown when every batch counts (where known), digest of the value named.
    pub entries: Vec<(String, u64, Option<u64>, [u8; 32])>,
}

/// A chunk of a view: the events of a symbol and a period. Where they stand in their sources is in the
/// log only.
#[derive(Encode, Decode)]
pub struct ChunkV2 {
    /// How many events.
    pub events: u32,
    /// The symbols that events name.
    pub symbols: Vec<String>,
    /// Size of the body before compression; 0 where it is not compressed.
    pub raw_size: u32,
    /// A [`BodyV2`]; compressed with zstd where it has texts.
    pub body: Vec<u8>,
}

/// The events of a chunk as columns.
#[derive(Encode, Decode)]
pub struct BodyV2 {
    /// The batch of each event.
    pub batches: IntsV2,
    /// Index of the leaf in the batch.
    pub seqs: IntsV2,
    /// Days since 1970-01-01.
    pub days: IntsV2,
    /// Index of the symbol.
    pub symbol: IntsV2,
    /// 0 put, 1 retract.
    pub ops: BytesV1,
    /// Series codes.
    pub series: BytesV1,
    /// The field lists: code, and the name where the code is 0.
    pub shapes: Vec<Vec<(u16, String)>>,
    /// Index of the field list.
    pub shape: IntsV2,
    /// The different items.
    pub items: Vec<String>,
    /// 0 for none, else one more than the index of the item.
    pub item: IntsV2,
    /// One column per distinct field, in the order of first appearance.
    pub columns: Vec<ColumnV2>,
}

/// The values of one field of a chunk, or of a block of codec 4 or 5.
#[derive(Encode, Decode)]
pub struct ColumnV2 {
    /// Form of each value: 0–28 a decimal of that scale, else a code of `canon`.
    pub forms: BytesV1,
    /// Digits of the decimals.
    pub digits: DigitsV2,
    /// Texts of the other forms that have one.
    pub texts: Vec<String>,
}

/// The digits of a column's decimals.
#[derive(Encode, Decode)]
pub enum DigitsV2 {
    /// How many there are; brought to the column's largest scale, in 64 bits.
    Aligned(u32, IntsV2),
    /// As written, in 128 bits, where 64 do not suffice: differences to the one before.
    Plain(Vec<i128>),
}

/// The sources of a batch that was fetched: version 2 of a manifest.
#[derive(Encode, Decode)]
pub struct ManifestV2 {
    pub sources: Vec<(ManifestSourceV1, Option<HttpV2>)>,
    pub coverage: Vec<CoverageV2>,
}

/// What is known of a response besides its body.
#[derive(Encode, Decode)]
pub struct HttpV2 {
    pub status: u16,
    pub attempts: u32,
    /// Number of the question in its run, and of the page in its answer, from 0.
    pub question: u32,
    pub page: u32,
    /// Chosen headers, lower case.
    pub headers: Vec<(String, String)>,
    /// How the reader was told to read it.
    pub reader: String,
}

/// One answered range of days.
#[derive(Encode, Decode)]
pub struct CoverageV2 {
    pub series: u8,
    /// Empty for every symbol.
    pub symbol: String,
    pub scope: String,
    pub from: i32,
    pub to: i32,
    /// 1 data, 2 empty, 3 not entitled, 4 failed.
    pub fact: u8,
    pub settled: i32,
    pub observed_ms: i64,
    pub meaning: [u8; 32],
    pub text: String,
}
