//! What became of a batch that was split.

use serde::Serialize;

/// A batch that was split by symbol: `volledger/split/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/split/1")]
pub struct SplitReport {
    /// The batch that was split, discarded now.
    pub batch: String,
    /// The position after it.
    pub position: u64,
    /// The log's root after it.
    pub log_root: String,
    /// The chosen symbols.
    pub chosen: SplitPart,
    /// All others, and the rejected rows.
    pub rest: SplitPart,
}

/// One of the two batches.
#[derive(Clone, Debug, Serialize)]
pub struct SplitPart {
    /// Its name, `b8`.
    pub batch: String,
    /// Its state: `active` where its rows counted already.
    pub state: &'static str,
    /// Symbols in it.
    pub symbols: u64,
    /// Its usable rows.
    pub rows: u64,
    /// Its rejected rows.
    pub rejected: u64,
    /// The confirm token of its review.
    pub token: Option<String>,
}
