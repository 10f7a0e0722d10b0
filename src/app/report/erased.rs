//! What was erased, and where that shows.

use serde::Serialize;

/// What an erasure took, or would take: `volledger/erased/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/erased/1")]
pub struct ErasedReport {
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
    /// What a rule of retention would take, and another view keeps. Left out when there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldLine>,
    /// Rejected rows of batches of which nothing else stays: no rule of retention takes them. Left out
    /// when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedLine>,
    /// Batches that stay and hold rows of the same sources. Left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<ElsewhereLine>,
    /// Other batches that were read from the same sources: afterwards they cannot be replayed or sent.
    /// Left out when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_bytes: Vec<String>,
    /// Answers of an interrupted fetch that held some of these events; their bytes are gone too. Left
    /// out when there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub waiting: u64,
    /// Whether a fetch is under way, whose answers could not be looked at: what they say of it is left
    /// out when they are settled. Left out when there is none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inbox_held: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Rows that are old enough by a view's rule, and are kept since they speak of another view too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeldLine {
    /// The batch.
    pub batch: String,
    /// The view whose rule says that they are too old.
    pub view: &'static str,
    /// The view that keeps them.
    pub kept_by: &'static str,
    /// For how many days that one's rule keeps them; null when it has no rule.
    pub kept_days: Option<u32>,
    /// How many rows.
    pub events: u64,
}

/// Rejected rows that are all that stays of a batch: they have no day that a rule could go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RejectedLine {
    /// The batch; erasing it takes them.
    pub batch: String,
    /// How many rejected rows.
    pub events: u64,
}

/// A batch that stays and holds rows that are erased elsewhere: the same lines of the same sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ElsewhereLine {
    /// The batch.
    pub batch: String,
    /// Its state.
    pub state: &'static str,
    /// How many of its events are of these rows.
    pub events: u64,
    /// Events that it has.
    pub of: u64,
    /// What `erase` is told to erase them too: the batch, or up to 1,000 of the events.
    pub what: Vec<String>,
}

/// What an erasure takes of a batch.
#[derive(Clone, Debug, Default, Serialize)]
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
    /// The views that they speak of: each loses something, where the batch counts.
    pub views: Vec<&'static str>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
