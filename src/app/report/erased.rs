//! What was erased, and where that shows.

use serde::Serialize;

/// What an erasure took, or would take: `volledger/erased/1`.
#[derive(Clone, Debug, Serialize)]
pub struct ErasedReport {
    /// `volledger/erased/1`.
    pub schema: &'static str,
    /// Whether this is only what would be.
    pub plan: bool,
    /// The entry that says so; null when nothing was erased.
    pub entry: Option<u64>,
    /// The log's size afterwards.
    pub position: u64,
    /// Why.
    pub reason: String,
    /// How many events in all.
    pub events: u64,
    /// The size of what they said, in bytes.
    pub bytes: u64,
    /// Batch by batch.
    pub batches: Vec<ErasedPartLine>,
}

/// What an erasure takes of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct ErasedPartLine {
    /// The batch.
    pub batch: String,
    /// Its state.
    pub state: &'static str,
    /// Events that are erased.
    pub events: u64,
    /// Events that it has.
    pub of: u64,
    /// The series of the erased events.
    pub series: Vec<&'static str>,
    /// How many symbols they are about.
    pub symbols: u64,
    /// Their first day; null for rejected rows alone.
    pub from: Option<String>,
    /// Their last day.
    pub to: Option<String>,
    /// The size of what they said, in bytes.
    pub bytes: u64,
    /// The sources whose kept bytes go with them, whole.
    pub sources: Vec<String>,
}

/// An erasure, where it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErasureLine {
    /// The entry that says so.
    pub entry: u64,
    /// The batch.
    pub batch: String,
    /// How many events it took from here.
    pub events: u64,
    /// Who.
    pub actor: String,
    /// When.
    pub time: String,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for ErasureLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entry, actor, time, reason, .. } = self;
        write!(f, "erased by {actor} at {time} (#{entry}: {reason})")
    }
}
