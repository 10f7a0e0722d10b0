//! Erasing: what an event said is gone for good, that it was there stays provable.

use super::{BatchId, Day, Digest, Position, Series, Symbol};

/// The control entry of an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erase {
    /// Why; never empty.
    pub reason: String,
    /// What was erased, by batch, ascending.
    pub parts: Vec<ErasedPart>,
}

/// What an erasure took of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasedPart {
    /// The batch.
    pub batch: BatchId,
    /// How many of its events.
    pub events: u64,
    /// Digest of what is kept of them, in the order of their numbers.
    pub records: Digest,
}

/// An erasure as one batch sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The position of its entry.
    pub at: Position,
    /// When, ms since 1970 UTC.
    pub time_ms: i64,
    /// Who erased.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// How many events of the batch.
    pub events: u64,
    /// Digest of what is kept of them.
    pub records: Digest,
}

/// What is kept of an erased event: enough for the trees, and to speak up where it would show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Its number in the batch, from 0.
    pub seq: u32,
    /// The hash of its canonical bytes.
    pub leaf: Digest,
    /// The entry that erased it.
    pub entry: Position,
    /// Its series.
    pub series: Series,
    /// Its symbol; none of a rejected row.
    pub symbol: Option<Symbol>,
    /// Its day; 0 of a rejected row.
    pub day: Day,
    /// The index of its source in the batch's manifest.
    pub source: u32,
}

/// So many batches fit into one entry, which has to stay below the engine's value size.
pub const MAX_PARTS: usize = 500;
