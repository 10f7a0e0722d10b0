//! What `undo` must not step over: it takes decisions about batches back, and no others.

use crate::app::error::{AppError, Result};
use crate::app::trace;
use crate::domain::batch::decide_undo;
use crate::domain::{
    BatchId, BatchState, Decision, EntryKind, Position, ProjectionEntry, ProjectionId,
    ProjectionStep, StateChange, Via,
};
use crate::ledger::Ledger;

/// Refuses an undo where something about a projection was decided later than what it would take back:
/// whoever wants the promotion back would lose a batch.
///
/// # Errors
/// [`AppError::NotLast`] with the command that takes the later step back, and the one that takes back
/// what the undo would have.
pub(super) fn refuse_older(ledger: &Ledger) -> Result<()> {
    let undoable = ledger.batches().undoable().map_or(0, |(at, _)| at.0);
    let later = (undoable + 1..=ledger.position().0).rev().map(Position);
    let mut steps = later.filter_map(|at| match &ledger.entry(at)?.kind {
        EntryKind::Projection(said) => Some((at, said)),
        _ => None,
    });
    let Some((at, said)) = steps.next() else { return Ok(()) };
    let back = match inverse(ledger, at, said) {
        Some(inverse) => format!("`volledger projection {inverse}` takes that back"),
        None => format!("`volledger projection show {}` has its versions", said.id.name),
    };
    let other = decide_undo(ledger.batches()).ok().and_then(|decision| instead(&decision));
    let other = other.map(|(at, command)| format!("; `{command}` takes {at} back"));
    Err(AppError::NotLast {
        what: format!(
            "the last decision is {at}, {}: undo takes back what was decided about batches",
            trace::about_projection(said)
        ),
        next: back + &other.unwrap_or_default(),
    })
}

/// The words of `projection` that take a step back.
fn inverse(ledger: &Ledger, at: Position, said: &ProjectionEntry) -> Option<String> {
    let ProjectionEntry { id, step } = said;
    match step {
        ProjectionStep::Added { .. } => Some(format!("drop {id}")),
        ProjectionStep::Dropped => Some(format!("add {id}")),
        ProjectionStep::Promoted => {
            let before = Position(at.0.saturating_sub(1));
            let version = ledger.projections().promoted(&id.name, before)?;
            let before = ProjectionId { name: id.name.clone(), version };
            Some(format!("promote {before}"))
        }
    }
}

/// What an undo takes back, and the command that does so by the name of its batch, or by its place.
fn instead(undo: &Decision) -> Option<(Position, String)> {
    let Via::Undo(at) = undo.via else { return None };
    let batch = |verb: &str, id: &BatchId| format!("volledger batch {verb} {id}");
    let command = match undo.changes.as_slice() {
        [StateChange { batch: id, to, .. }] => match to {
            BatchState::Active | BatchState::Staged => batch("reinstate", id),
            BatchState::Discarded => batch("discard", id),
            BatchState::RolledBack | BatchState::Superseded => batch("rollback", id),
        },
        _ => format!("volledger rollback --to '#{}'", at.0.saturating_sub(1)),
    };
    Some((at, command))
}
