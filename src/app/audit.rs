//! The audit: who staged, confirmed, rolled back and erased what, and what they accepted by it.

use super::clock::{parse_instant, rfc3339};
use super::error::{AppError, Result};
use super::report::{Audit, AuditAct, AuditBatch, AuditCount, AuditFinding, AuditSource};
use super::review;
use crate::domain::{
    BatchId, BatchState, Day, Digest, Entry, EntryKind, Finding, Position, Stage, StateChange, Via,
};
use crate::ledger::Ledger;
use std::collections::BTreeMap;

/// What an audit is about.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only batches that this person had to do with.
    pub actor: Option<String>,
    /// Only batches with an act since then: a position, a day (its beginning) or an instant.
    pub since: Option<String>,
    /// The ledger as it was.
    pub at: Option<Position>,
}

/// From when on acts are wanted.
enum Since {
    Position(Position),
    Time(i64),
}

impl Since {
    fn parse(text: &str) -> Result<Self> {
        if let Ok(at) = text.parse() {
            return Ok(Self::Position(at));
        }
        if let Ok(day) = text.parse::<Day>() {
            return Ok(Self::Time(i64::from(day.0) * 86_400_000));
        }
        let wrong = || AppError::Usage(format!("`{text}` is neither a position (#12) nor a time"));
        parse_instant(text).map(Self::Time).ok_or_else(wrong)
    }

    fn has(&self, at: Position, time_ms: i64) -> bool {
        match self {
            Self::Position(from) => at >= *from,
            Self::Time(from) => time_ms >= *from,
        }
    }
}

/// The audit of a ledger.
///
/// # Errors
/// [`AppError::Usage`] for a time that is none; damage of the log, and of what says which sources a
/// batch was read from.
pub fn audit(ledger: &Ledger, query: &AuditQuery) -> Result<Audit> {
    let until = query.at.unwrap_or(ledger.position());
    let since = query.since.as_deref().map(Since::parse).transpose()?;
    let roots = ledger.roots()?;
    let root = |at: Position| (at.0 as usize).checked_sub(1).and_then(|index| roots.get(index));
    let root = |at| root(at).copied().unwrap_or_else(|| ledger.head().root);
    let mut batches: BTreeMap<BatchId, (AuditBatch, bool)> = BTreeMap::new();
    let (mut findings, mut before) = (Vec::new(), i64::MIN);
    for (at, entry) in (1..).map(Position).zip(ledger.entries()).take(until.0 as usize) {
        let wanted = since.as_ref().is_none_or(|since| since.has(at, entry.time_ms));
        if entry.time_ms < before {
            let text = "its clock stands before that of the entry before".to_owned();
            findings.push((finding("clock_ran_back", at, None, entry, text), wanted));
        }
        before = entry.time_ms;
        for (id, what, change, erased) in acts(entry) {
            if let EntryKind::Stage(stage) = &entry.kind {
                batches.insert(id, (line(ledger, stage, until)?, false));
            }
            let Some((line, hit)) = batches.get_mut(&id) else { continue };
            *hit |= wanted;
            if change.is_some_and(confirms) {
                line.token = token(entry).map(|token| token.to_string());
                let by_stager = line.acts.first().is_some_and(|act| act.actor == entry.actor);
                if by_stager {
                    line.same_person = true;
                    let text = format!("{} staged {id} and confirmed it", entry.actor);
                    findings.push((finding("same_person", at, Some(id), entry, text), wanted));
                }
                let batch = ledger.batches().get(id);
                line.accepted = batch.map(|b| review::blocking(&b.stage, 0)).unwrap_or_default();
                if !line.accepted.is_empty() {
                    let text = format!("{id} was confirmed with {}", line.accepted.join("; "));
                    let code = "accepted_findings";
                    findings.push((finding(code, at, Some(id), entry, text), wanted));
                }
            }
            if let Some(events) = erased {
                line.erased += events;
                let plural = if events == 1 { "event" } else { "events" };
                let text = format!("{events} {plural} of {id} erased: {}", reason(entry));
                findings.push((finding("erased", at, Some(id), entry, text), wanted));
            }
            line.acts.push(AuditAct {
                what,
                state: change.map(|change| change.to.name()),
                actor: entry.actor.clone(),
                time: rfc3339(entry.time_ms),
                tool: entry.tool.clone(),
                position: at.0,
                log_root: root(at).to_string(),
                via: via(entry),
                reason: Some(reason(entry)).filter(|reason| !reason.is_empty()),
                erased,
            });
        }
    }
    let mine = |actor: &str| query.actor.as_deref().is_none_or(|wanted| wanted == actor);
    let batches = batches
        .into_values()
        .filter(|(line, hit)| *hit && line.acts.iter().any(|act| mine(&act.actor)));
    let findings = findings.into_iter().filter(|(finding, hit)| *hit && mine(&finding.actor));
    Ok(Audit {
        position: until.0,
        log_root: root(until).to_string(),
        actor: query.actor.clone(),
        since: query.since.clone(),
        findings: findings.map(|(finding, _)| finding).collect(),
        batches: batches.map(|(line, _)| line).collect(),
    })
}

/// A batch that somebody did something with: what, the change of state, events erased.
type Act<'a> = (BatchId, &'static str, Option<&'a StateChange>, Option<u64>);

/// What an entry did, batch by batch.
fn acts(entry: &Entry) -> Vec<Act<'_>> {
    match &entry.kind {
        EntryKind::Stage(stage) => vec![(stage.batch, "stage", None, None)],
        EntryKind::Decision(decision) => {
            let name = decision.action.name();
            let changes = decision.changes.iter();
            changes.map(|change| (change.batch, name, Some(change), None)).collect()
        }
        EntryKind::Erase(erase) => {
            let act =
                |part: &crate::domain::ErasedPart| (part.batch, "erase", None, Some(part.events));
            erase.parts.iter().map(act).collect()
        }
        EntryKind::Note(_) | EntryKind::Projection(_) => Vec::new(),
    }
}

/// Whether a change is a confirmation: a staged batch begins to count.
fn confirms(change: &StateChange) -> bool {
    (change.from, change.to) == (BatchState::Staged, BatchState::Active)
}

fn token(entry: &Entry) -> Option<Digest> {
    match &entry.kind {
        EntryKind::Decision(decision) => decision.token,
        _ => None,
    }
}

fn via(entry: &Entry) -> Option<String> {
    match &entry.kind {
        EntryKind::Decision(decision) => match decision.via {
            Via::Plain => None,
            Via::Undo(target) => Some(format!("undo {target}")),
            Via::Redo(target) => Some(format!("redo {target}")),
        },
        _ => None,
    }
}

fn reason(entry: &Entry) -> String {
    match &entry.kind {
        EntryKind::Stage(stage) => stage.again.clone(),
        EntryKind::Decision(decision) => decision.reason.clone(),
        EntryKind::Erase(erase) => Some(erase.reason.clone()),
        EntryKind::Note(_) | EntryKind::Projection(_) => None,
    }
    .unwrap_or_default()
}

fn finding(
    code: &'static str,
    at: Position,
    batch: Option<BatchId>,
    entry: &Entry,
    text: String,
) -> AuditFinding {
    let (batch, actor) = (batch.map(|batch| batch.to_string()), entry.actor.clone());
    AuditFinding { code, position: at.0, batch, actor, text }
}

/// A batch before anything was done with it.
fn line(ledger: &Ledger, stage: &Stage, until: Position) -> Result<AuditBatch> {
    let state = ledger.batches().get(stage.batch).and_then(|batch| batch.state_at(until));
    let sources = ledger.known_manifest(stage)?.sources;
    let source = |source: crate::ledger::codec::ManifestSource| AuditSource {
        name: source.name,
        digest: source.digest.to_string(),
        bytes: source.size,
    };
    Ok(AuditBatch {
        batch: stage.batch.to_string(),
        state: state.unwrap_or(BatchState::Staged).name(),
        series: stage.views.iter().map(|part| part.series.name()).collect(),
        symbols: stage.symbols,
        events: stage.events,
        rejected: stage.rows.rejected,
        erased: 0,
        mapping: format!("{}/{}", stage.mapping.id, stage.mapping.version),
        sources: sources.into_iter().map(source).collect(),
        content_id: stage.content_id.to_string(),
        batch_root: stage.batch_root.to_string(),
        token: None,
        findings: counted(&stage.findings),
        accepted: Vec::new(),
        same_person: false,
        acts: Vec::new(),
    })
}

/// Findings by code, in the order of their first.
fn counted(findings: &[Finding]) -> Vec<AuditCount> {
    let mut counts: Vec<AuditCount> = Vec::new();
    for finding in findings {
        match counts.iter_mut().find(|known| known.code == finding.code) {
            Some(known) => known.count += finding.count,
            None => counts.push(AuditCount {
                code: finding.code.clone(),
                severity: finding.severity.name(),
                count: finding.count,
            }),
        }
    }
    counts
}
