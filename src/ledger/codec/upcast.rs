//! From stored wire structs to today's types and back: the place where later versions are lifted.

use super::super::error::LedgerError;
use super::v1::{DecisionV1, EntryV1, FindingV1, KeptV1, StageV1};
use super::v2::EntryV2;
use super::{Tag, V2, V3, erased, from_bytes, from_bytes_of, to_bytes, to_bytes_of};
use crate::domain::entry::{MappingRef, RowCounts, ViewPart};
use crate::domain::{
    Action, BatchId, BatchState, Class, Day, Decision, Digest, Entry, EntryKind, Finding, Position,
    ProjectionEntry, ProjectionId, ProjectionStep, Series, Severity, Stage, StateChange, Via,
};

/// Gives an enum its stored numbers, both ways.
macro_rules! numbers {
    ($to:ident, $from:ident, $type:ty, $what:literal, $($number:literal = $value:path),+) => {
        fn $to(value: $type) -> u8 {
            match value { $($value => $number),+ }
        }
        fn $from(number: u8) -> Result<$type, LedgerError> {
            match number {
                $($number => Ok($value),)+
                _ => Err(LedgerError::Malformed { what: $what }),
            }
        }
    };
}

numbers!(
    state_number,
    state_of,
    BatchState,
    "a batch state",
    1 = BatchState::Staged,
    2 = BatchState::Active,
    3 = BatchState::Discarded,
    4 = BatchState::RolledBack,
    5 = BatchState::Superseded
);
numbers!(
    action_number,
    action_of,
    Action,
    "a decision",
    1 = Action::Commit,
    2 = Action::Discard,
    3 = Action::Rollback,
    4 = Action::Reinstate,
    5 = Action::Supersede
);
numbers!(
    severity_number,
    severity_of,
    Severity,
    "a severity",
    0 = Severity::Info,
    1 = Severity::Warning,
    2 = Severity::Reject,
    3 = Severity::Fatal
);

fn class_number(class: Class) -> u8 {
    match class {
        Class::Computed | Class::Fill => 0,
        Class::Vendor => 1,
        Class::Manual => 2,
    }
}

/// What was computed here was always stored as what fills holes; its mapping tells it apart.
fn class_of(number: u8, mapping: &str) -> Result<Class, LedgerError> {
    match number {
        0 if mapping.starts_with(MappingRef::COMPUTED) => Ok(Class::Computed),
        0 => Ok(Class::Fill),
        1 => Ok(Class::Vendor),
        2 => Ok(Class::Manual),
        _ => Err(LedgerError::Malformed { what: "a class" }),
    }
}

pub(super) fn series_of(code: u8) -> Result<Series, LedgerError> {
    Series::from_code(code).ok_or(LedgerError::Malformed { what: "a series" })
}

/// Encodes a control entry; these bytes are the leaf of the log tree.
pub fn encode_entry(entry: &Entry) -> Result<Vec<u8>, LedgerError> {
    let (actor, tool) = (entry.actor.clone(), entry.tool.clone());
    let time_ms = entry.time_ms;
    let (kind, stage, decision, note) = match &entry.kind {
        EntryKind::Stage(stage) => (1, Some(stage_to(stage)), None, None),
        EntryKind::Decision(decision) => (2, None, Some(decision_to(decision)), None),
        EntryKind::Note(text) => (3, None, None, Some(text.clone())),
        EntryKind::Erase(erase) => return erased::encode_entry(entry, erase),
        EntryKind::Projection(ProjectionEntry { id, step }) => {
            let (step, definition) = match step {
                ProjectionStep::Added { definition } => (1, definition.clone()),
                ProjectionStep::Promoted => (2, None),
                ProjectionStep::Dropped => (3, None),
            };
            let (name, version) = (id.name.to_string(), id.version);
            let wire = EntryV2 { time_ms, actor, tool, name, version, step, definition };
            return to_bytes_of(Tag::Entry, V2, &wire);
        }
    };
    to_bytes(Tag::Entry, &EntryV1 { time_ms, actor, tool, kind, stage, decision, note })
}

/// Decodes a control entry.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, LedgerError> {
    if bytes.get(1).is_some_and(|version| *version >= V3) {
        return erased::decode_entry(bytes);
    }
    if bytes.get(1).is_some_and(|version| *version >= V2) {
        return projection_entry(from_bytes_of(Tag::Entry, V2, "a control entry", bytes)?);
    }
    let wire: EntryV1 = from_bytes(Tag::Entry, "a control entry", bytes)?;
    let kind = match (wire.kind, wire.stage, wire.decision, wire.note) {
        (1, Some(stage), None, None) => EntryKind::Stage(Box::new(stage_from(stage)?)),
        (2, None, Some(decision), None) => EntryKind::Decision(decision_from(decision)?),
        (3, None, None, Some(text)) => EntryKind::Note(text),
        _ => {
            return Err(LedgerError::Malformed { what: "a control entry" });
        }
    };
    Ok(Entry { time_ms: wire.time_ms, actor: wire.actor, tool: wire.tool, kind })
}

fn projection_entry(wire: EntryV2) -> Result<Entry, LedgerError> {
    let malformed = LedgerError::Malformed { what: "an entry about a projection" };
    let step = match (wire.step, wire.definition) {
        (1, definition) => ProjectionStep::Added { definition },
        (2, None) => ProjectionStep::Promoted,
        (3, None) => ProjectionStep::Dropped,
        _ => return Err(malformed),
    };
    let id = ProjectionId::new(&wire.name, wire.version).map_err(|_| malformed)?;
    let kind = EntryKind::Projection(ProjectionEntry { id, step });
    Ok(Entry { time_ms: wire.time_ms, actor: wire.actor, tool: wire.tool, kind })
}

fn stage_to(stage: &Stage) -> StageV1 {
    let views = stage.views.iter();
    let rows = stage.rows;
    StageV1 {
        batch: stage.batch.0,
        content_id: stage.content_id.0,
        batch_root: stage.batch_root.0,
        events: stage.events,
        manifest: stage.manifest.0,
        mapping_id: stage.mapping.id.clone(),
        mapping_version: stage.mapping.version,
        mapping_digest: stage.mapping.digest.0,
        series: stage.series.code(),
        views: views.map(|v| (v.series.code(), class_number(v.class), v.events)).collect(),
        symbols: stage.symbols,
        rows: [rows.read, rows.accepted, rows.rejected, rows.blank, rows.effective, rows.retracted],
        as_of: stage.as_of.0,
        findings: stage.findings.iter().map(finding_to).collect(),
        supersedes: stage.supersedes.map(|batch| batch.0),
        again: stage.again.clone(),
        duplicates: [stage.duplicates_identical, stage.duplicates_conflicting],
    }
}

fn stage_from(wire: StageV1) -> Result<Stage, LedgerError> {
    let mut views = Vec::with_capacity(wire.views.len());
    for (series, class, events) in wire.views {
        let class = class_of(class, &wire.mapping_id)?;
        views.push(ViewPart { series: series_of(series)?, class, events });
    }
    let [read, accepted, rejected, blank, effective, retracted] = wire.rows;
    let findings = wire.findings.into_iter().map(finding_from);
    let [duplicates_identical, duplicates_conflicting] = wire.duplicates;
    Ok(Stage {
        batch: BatchId(wire.batch),
        content_id: Digest(wire.content_id),
        batch_root: Digest(wire.batch_root),
        events: wire.events,
        manifest: Digest(wire.manifest),
        mapping: MappingRef {
            id: wire.mapping_id,
            version: wire.mapping_version,
            digest: Digest(wire.mapping_digest),
        },
        series: series_of(wire.series)?,
        views,
        symbols: wire.symbols,
        rows: RowCounts { read, accepted, rejected, blank, effective, retracted },
        as_of: Day(wire.as_of),
        findings: findings.collect::<Result<_, _>>()?,
        supersedes: wire.supersedes.map(BatchId),
        again: wire.again,
        duplicates_identical,
        duplicates_conflicting,
    })
}

fn finding_to(finding: &Finding) -> FindingV1 {
    FindingV1 {
        code: finding.code.clone(),
        severity: severity_number(finding.severity),
        source: finding.source,
        line: finding.line,
        day: finding.day.map(|day| day.0),
        count: finding.count,
        text: finding.text.clone(),
    }
}

fn finding_from(wire: FindingV1) -> Result<Finding, LedgerError> {
    Ok(Finding {
        code: wire.code,
        severity: severity_of(wire.severity)?,
        source: wire.source,
        line: wire.line,
        day: wire.day.map(Day),
        count: wire.count,
        text: wire.text,
    })
}

fn decision_to(decision: &Decision) -> DecisionV1 {
    let change = |c: &StateChange| (c.batch.0, state_number(c.from), state_number(c.to));
    DecisionV1 {
        action: action_number(decision.action),
        changes: decision.changes.iter().map(change).collect(),
        reason: decision.reason.clone(),
        token: decision.token.map(|token| token.0),
        base: decision.base.map(|base| base.0),
        via: match decision.via {
            Via::Plain => (0, 0),
            Via::Undo(at) => (1, at.0),
            Via::Redo(at) => (2, at.0),
        },
    }
}

fn decision_from(wire: DecisionV1) -> Result<Decision, LedgerError> {
    let mut changes = Vec::with_capacity(wire.changes.len());
    for (batch, from, to) in wire.changes {
        let (from, to) = (state_of(from)?, state_of(to)?);
        changes.push(StateChange { batch: BatchId(batch), from, to });
    }
    Ok(Decision {
        action: action_of(wire.action)?,
        changes,
        reason: wire.reason,
        token: wire.token.map(Digest),
        base: wire.base.map(Position),
        via: match wire.via {
            (0, 0) => Via::Plain,
            (1, at) => Via::Undo(Position(at)),
            (2, at) => Via::Redo(Position(at)),
            _ => return Err(LedgerError::Malformed { what: "a decision" }),
        },
    })
}

/// Where a source's bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Size of the source in bytes.
    pub size: u64,
    /// Pack file number.
    pub pack: u32,
    /// Offset of its first frame in the pack.
    pub offset: u64,
    /// End of its last frame.
    pub end: u64,
    /// Name under which the bytes were first kept.
    pub name: String,
    /// When they were first observed, ms since 1970 UTC.
    pub observed_ms: i64,
}

/// Encodes where a source is kept.
pub fn encode_kept(kept: &Kept) -> Result<Vec<u8>, LedgerError> {
    let Kept { size, pack, offset, end, name, observed_ms } = kept.clone();
    to_bytes(Tag::Kept, &KeptV1 { size, pack, offset, end, name, observed_ms })
}

/// Decodes where a source is kept.
pub fn decode_kept(bytes: &[u8]) -> Result<Kept, LedgerError> {
    let KeptV1 { size, pack, offset, end, name, observed_ms } =
        from_bytes(Tag::Kept, "a source's place", bytes)?;
    Ok(Kept { size, pack, offset, end, name, observed_ms })
}
