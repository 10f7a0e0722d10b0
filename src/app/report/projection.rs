//! What is said of projections.

use serde::Serialize;

/// What became of a projection that was brought up to the head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// Its name and version.
    pub projection: String,
    /// `current` (nothing to do), `refreshed`, `failed` (the stored state is as it was).
    pub state: &'static str,
    /// Parts (symbols, or the whole) that were answered again.
    pub parts: u64,
    /// The position that the stored state shows.
    pub position: Option<u64>,
    /// Its rows.
    pub rows: u64,
    /// Its digest.
    pub digest: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What a refresh did: `volledger/refresh/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/refresh/1")]
pub struct Refresh {
    /// The ledger's position.
    pub position: u64,
    /// Every projection that was looked at, inputs first.
    pub projections: Vec<Refreshed>,
}

/// Views and projections: `volledger/projections/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/projections/1")]
pub struct ProjectionList {
    /// The ledger's position.
    pub position: u64,
    /// Views first, then projections by name and version.
    pub projections: Vec<ProjectionLine>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectionLine {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// `view`, `built-in` or `sql`.
    pub kind: &'static str,
    /// Whether the name alone means this version.
    pub promoted: bool,
    /// `current`, `stale`, `empty` (kept, not yet computed), `broken` (its query is wrong by now),
    /// `on-demand` (not kept: computed when asked for), `dropped`.
    pub state: &'static str,
    /// The position that the stored state shows.
    pub at: Option<u64>,
    /// Parts that are out of date; none where that is not known or all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_parts: Option<u64>,
    /// Symbols with rows; none where it is not kept by symbol.
    pub symbols: Option<u64>,
    /// Stored rows.
    pub rows: Option<u64>,
    /// Digest of the stored state.
    pub digest: Option<String>,
    /// What it is made from.
    pub inputs: Vec<String>,
    /// Why it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One projection: `volledger/projection/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/projection/1")]
pub struct ProjectionShown {
    /// The ledger's position.
    pub position: u64,
    /// Its line in the list.
    #[serde(flatten)]
    pub line: ProjectionLine,
    /// What it answers.
    pub about: String,
    /// Its columns with what they hold, as far as that is known.
    pub columns: Vec<(String, String)>,
    /// Its query.
    pub sql: Option<String>,
    /// Whether the query is asked for each symbol.
    pub by_symbol: bool,
}

/// What became of a projection by a command: `volledger/projection-change/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/projection-change/1")]
pub struct ProjectionChanged {
    /// add, promote, drop; `none` when nothing was to do.
    pub action: &'static str,
    /// The ledger's position afterwards.
    pub position: u64,
    /// The version it is about.
    pub projection: String,
    /// What its name alone means afterwards.
    pub promoted: Option<String>,
    /// What was computed; of a promotion what could not be.
    pub refreshed: Option<Refreshed>,
}

/// Two projections side by side: `volledger/projection-diff/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/projection-diff/1")]
pub struct ProjectionDiff {
    /// The position of both.
    pub position: u64,
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// The columns that rows are told apart by.
    pub keys: Vec<String>,
    /// The columns that are compared.
    pub columns: Vec<String>,
    /// Columns that one of them has only.
    pub other_columns: Vec<String>,
    /// Rows that agree in every column compared.
    pub same: u64,
    /// Rows that differ.
    pub changed: u64,
    /// Rows that only the first has.
    pub only_a: u64,
    /// Rows that only the second has.
    pub only_b: u64,
    /// What differs.
    pub changes: Vec<ProjectionChange>,
}

/// One value that differs.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectionChange {
    /// The row's key.
    pub key: Vec<serde_json::Value>,
    /// The column; none where the row is in one of them only.
    pub column: Option<String>,
    /// The first one's value, or row.
    pub a: serde_json::Value,
    /// The second one's value, or row.
    pub b: serde_json::Value,
}

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
