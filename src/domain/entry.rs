//! Control entries: the log of what was staged and decided.

use super::{BatchId, BatchState, Class, Digest, Finding, Position, Series};

/// One entry of the control log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was recorded, in milliseconds since 1970-01-01 UTC. Order is by position, never by
    /// this.
    pub time_ms: i64,
    /// Who recorded it.
    pub actor: String,
    /// The program's version.
    pub tool: String,
    /// What happened.
    pub kind: EntryKind,
}

/// What a control entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A batch was read, checked and sealed; nothing that a user sees changed.
    Stage(Box<Stage>),
    /// One or more batches changed their state.
    Decision(Decision),
    /// A remark for those who read the log later.
    Note(String),
    /// A projection was added, promoted or dropped.
    Projection(super::ProjectionEntry),
    /// What events said was erased; their hashes stay.
    Erase(super::Erase),
}

/// The seal of a staged batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The batch's number in this ledger.
    pub batch: BatchId,
    /// Idempotency key: digest over series, sources, mapping, row count and `batch_root`.
    pub content_id: Digest,
    /// Merkle root over the row events in source order.
    pub batch_root: Digest,
    /// How many row events the batch has.
    pub events: u64,
    /// Digest of the batch's manifest (the list of its sources with their names).
    pub manifest: Digest,
    /// The mapping that read the sources.
    pub mapping: MappingRef,
    /// The series that the import was about.
    pub series: Series,
    /// What the batch holds for each view, with the class of its values there.
    pub views: Vec<ViewPart>,
    /// How many symbols it names.
    pub symbols: u32,
    /// The rows of the sources, counted.
    pub rows: RowCounts,
    /// The day after which dates counted as future.
    pub as_of: super::Day,
    /// Findings, row findings summed by code; each rejected row is an event besides.
    pub findings: Vec<Finding>,
    /// The batch that confirming this one takes out of the views.
    pub supersedes: Option<BatchId>,
    /// Why content that had been rolled back was staged again.
    pub again: Option<String>,
    /// A duplicate count: rows repeating an earlier key of the batch with equal values.
    pub duplicates_identical: u64,
    /// Rows repeating an earlier key of the batch with other values.
    pub duplicates_conflicting: u64,
}

impl Stage {
    /// The finding of a part of a batch that was split.
    pub const PART: &str = "split";

    /// The class of the batch's values in a view.
    pub fn class(&self, view: Series) -> Class {
        let part = self.views.iter().find(|part| part.series == view);
        part.map_or(Class::Vendor, |part| part.class)
    }

    /// Whether it is a part of a batch that was split by symbol: it has some rows of its sources.
    pub fn is_part(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == Self::PART)
    }
}

/// Which mapping read a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRef {
    /// Name, for example `mc-iv`.
    pub id: String,
    /// Version of the mapping.
    pub version: u32,
    /// Digest of its definition, which is kept as a source.
    pub digest: Digest,
}

impl MappingRef {
    /// What the names of all formulas begin with. No mapping file may have such a name, so it tells
    /// what was computed here.
    pub const COMPUTED: &str = "derive-";
}

/// What a batch holds for one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewPart {
    /// The view.
    pub series: Series,
    /// Rank of the batch's values against those of other batches.
    pub class: Class,
    /// Events that assert something for the view.
    pub events: u64,
}

/// The rows of a batch's sources, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows that are not blank.
    pub read: u64,
    /// Rows that became `put` events.
    pub accepted: u64,
    /// Rows that became `reject` events.
    pub rejected: u64,
    /// Rows without content, not events.
    pub blank: u64,
    /// Distinct keys among the accepted rows.
    pub effective: u64,
    /// `retract` events derived from what the source lacks.
    pub retracted: u64,
}

/// A decision about batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub action: Action,
    /// The state changes that follow, complete.
    pub changes: Vec<StateChange>,
    /// Why, in the user's words.
    pub reason: Option<String>,
    /// What was reviewed: the confirm token (of a commit or supersede).
    pub token: Option<Digest>,
    /// The position that the review was made at (of a commit or supersede).
    pub base: Option<Position>,
    /// Whether this takes back or repeats another decision.
    pub via: Via,
}

/// The kinds of decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A staged batch became active.
    Commit,
    /// A staged batch was thrown away.
    Discard,
    /// Active batches were taken out of the views.
    Rollback,
    /// Batches were put back into their earlier state, at their old place.
    Reinstate,
    /// A new reading of the same sources became active and the old one left.
    Supersede,
}

impl Action {
    /// The word used in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Discard => "discard",
            Self::Rollback => "rollback",
            Self::Reinstate => "reinstate",
            Self::Supersede => "supersede",
        }
    }
}

/// One batch's change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The batch.
    pub batch: BatchId,
    /// Its state before.
    pub from: BatchState,
    /// Its state from this entry on.
    pub to: BatchState,
}

/// How a decision relates to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A decision of its own.
    Plain,
    /// The inverse of the decision at this position.
    Undo(Position),
    /// The repetition of the decision at this position, after its undo.
    Redo(Position),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::Day;

    /// The seal of a batch with nothing in it.
    pub(crate) fn stage(batch: BatchId) -> Stage {
        let none = Digest([0; 32]);
        Stage {
            batch,
            content_id: none,
            batch_root: none,
            events: 0,
            manifest: none,
            mapping: MappingRef { id: "m".to_owned(), version: 1, digest: none },
            series: Series::Iv,
            views: Vec::new(),
            symbols: 0,
            rows: RowCounts::default(),
            as_of: Day(0),
            findings: Vec::new(),
            supersedes: None,
            again: None,
            duplicates_identical: 0,
            duplicates_conflicting: 0,
        }
    }
}
