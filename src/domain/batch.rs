//! The life of a batch: states as a fold of control entries, and deciding as a pure function.

mod committed;
mod confirmer;

pub use committed::{Committed, Ranks};
pub use confirmer::Confirmer;

use super::{
    Action, BatchId, Decision, Digest, Entry, EntryKind, Erasure, Position, Series, Stage,
    StateChange, Via,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// Read and sealed, waiting for a decision; changes no view.
    Staged,
    /// Its values count in the views.
    Active,
    /// Thrown away before it counted.
    Discarded,
    /// Taken out of the views.
    RolledBack,
    /// Replaced by a new reading of the same sources.
    Superseded,
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Staged, Self::Active, Self::RolledBack, Self::Superseded, Self::Discarded];

    /// The word used in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Active => "active",
            Self::Discarded => "discarded",
            Self::RolledBack => "rolled-back",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for BatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Rank of a batch's values against those of other batches, for one view; greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Computed here from what others gave; shows only where none of them gave a value.
    Computed,
    /// Shows only where no vendor's and no person's batch has a value.
    Fill,
    /// What a vendor delivered.
    Vendor,
    /// What a person entered.
    Manual,
}

impl Class {
    /// The word used in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Computed => "computed",
            Self::Fill => "fill",
            Self::Vendor => "vendor",
            Self::Manual => "manual",
        }
    }
}

/// Everything the control log says about one batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The seal.
    pub stage: Stage,
    /// The position of the stage entry.
    pub staged_at: Position,
    /// When it was staged, ms since 1970 UTC.
    pub staged_ms: i64,
    /// Who staged it.
    pub staged_by: String,
    /// The position of the first commit, which is its rank in time for ever.
    pub committed_at: Option<Position>,
    /// When it was first committed, ms since 1970 UTC.
    pub committed_ms: Option<i64>,
    /// Every state it had, with the position from which on.
    pub states: Vec<(Position, BatchState)>,
    /// What was erased of it.
    pub erased: Vec<Erasure>,
}

impl Batch {
    /// The state at a position; `None` before the batch was staged.
    pub fn state_at(&self, at: Position) -> Option<BatchState> {
        let known = self.states.iter().take_while(|(from, _)| *from <= at);
        known.last().map(|(_, state)| *state)
    }

    /// Where it last ceased to count, as seen from a position where it does not count; it may have
    /// been taken back and put back before.
    pub fn counted_until(&self, at: Position) -> Option<Position> {
        let known = self.states.get(..self.states.partition_point(|(from, _)| *from <= at))?;
        let last = known.iter().rposition(|(_, state)| *state == BatchState::Active)?;
        known.get(last + 1).map(|(from, _)| *from)
    }

    /// When it was first committed, if that was by a position; ms since 1970 UTC.
    pub fn committed_by(&self, at: Position) -> Option<i64> {
        self.committed_at.filter(|committed| *committed <= at).and(self.committed_ms)
    }

    /// The state now.
    pub fn state(&self) -> BatchState {
        self.states.last().map_or(BatchState::Staged, |(_, state)| *state)
    }

    /// The class of its values in a view.
    pub fn class(&self, view: Series) -> Class {
        self.stage.class(view)
    }
}

/// All batches of a ledger: the fold of its control entries.
#[derive(Clone, Debug, Default)]
pub struct BatchTable {
    batches: BTreeMap<BatchId, Batch>,
    by_content: HashMap<Digest, Vec<BatchId>>,
    size: u64,
    undo: Vec<Position>,
    redo: Vec<Position>,
    decisions: HashMap<Position, Decision>,
    committed: Committed,
}

impl BatchTable {
    /// Takes in the next entry of the log.
    pub fn apply(&mut self, entry: &Entry) {
        self.size += 1;
        let at = Position(self.size);
        match &entry.kind {
            EntryKind::Stage(stage) => {
                self.by_content.entry(stage.content_id).or_default().push(stage.batch);
                let batch = Batch {
                    stage: (**stage).clone(),
                    staged_at: at,
                    staged_ms: entry.time_ms,
                    staged_by: entry.actor.clone(),
                    committed_at: None,
                    committed_ms: None,
                    states: vec![(at, BatchState::Staged)],
                    erased: Vec::new(),
                };
                self.batches.insert(stage.batch, batch);
            }
            EntryKind::Decision(decision) => {
                for change in &decision.changes {
                    let Some(batch) = self.batches.get_mut(&change.batch) else {
                        continue;
                    };
                    batch.states.push((at, change.to));
                    if change.to == BatchState::Active && batch.committed_at.is_none() {
                        batch.committed_at = Some(at);
                        batch.committed_ms = Some(entry.time_ms);
                    }
                    self.committed.take(change.batch, batch);
                }
                match decision.via {
                    Via::Plain => {
                        self.undo.push(at);
                        self.redo.clear();
                    }
                    Via::Undo(target) => {
                        self.undo.retain(|&position| position != target);
                        self.redo.push(target);
                    }
                    Via::Redo(target) => {
                        self.redo.retain(|&position| position != target);
                        self.undo.push(target);
                    }
                }
                self.decisions.insert(at, decision.clone());
            }
            EntryKind::Erase(erase) => {
                for part in &erase.parts {
                    if let Some(batch) = self.batches.get_mut(&part.batch) {
                        batch.erased.push(Erasure {
                            at,
                            time_ms: entry.time_ms,
                            actor: entry.actor.clone(),
                            reason: erase.reason.clone(),
                            events: part.events,
                            records: part.records,
                        });
                    }
                }
            }
            EntryKind::Note(_) | EntryKind::Projection(_) => {}
        }
    }

    /// How many entries were taken in: the position of the table.
    pub fn position(&self) -> Position {
        Position(self.size)
    }

    /// One batch.
    pub fn get(&self, id: BatchId) -> Option<&Batch> {
        self.batches.get(&id)
    }

    /// All batches, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (BatchId, &Batch)> {
        self.batches.iter().map(|(id, batch)| (*id, batch))
    }

    /// How many batches were staged.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The number of the next batch.
    pub fn next_id(&self) -> BatchId {
        BatchId(self.batches.len() as u32 + 1)
    }

    /// The reason of the last decision about a batch by a position.
    pub fn reason_at(&self, batch: &Batch, at: Position) -> Option<&str> {
        let decided = batch.states.iter().take_while(|(from, _)| *from <= at).last();
        decided.and_then(|(from, _)| self.decisions.get(from)?.reason.as_deref())
    }

    /// The batches that were ever committed, by the series that they speak of.
    pub fn committed(&self) -> &Committed {
        &self.committed
    }

    /// The batches with this content, oldest first.
    pub fn with_content(&self, content: Digest) -> impl Iterator<Item = (BatchId, &Batch)> {
        let ids = self.by_content.get(&content).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| Some((*id, self.batches.get(id)?)))
    }

    /// The decision that the next undo takes back, with its position.
    pub fn undoable(&self) -> Option<(Position, &Decision)> {
        let at = *self.undo.last()?;
        Some((at, self.decisions.get(&at)?))
    }

    /// The decision that the next redo repeats, with its position.
    pub fn redoable(&self) -> Option<(Position, &Decision)> {
        let at = *self.redo.last()?;
        Some((at, self.decisions.get(&at)?))
    }
}

/// What a user asks of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make it count. `token` is what was reviewed, `base` where.
    Confirm {
        /// The confirm token of the review.
        token: Digest,
        /// The position of the review.
        base: Position,
        /// Who confirms.
        by: Confirmer,
    },
    /// Throw it away.
    Discard {
        /// Why.
        reason: Option<String>,
    },
    /// Take it out of the views.
    RollBack {
        /// Why.
        reason: Option<String>,
    },
    /// Put it back where it was.
    Reinstate {
        /// Why.
        reason: Option<String>,
    },
}

/// Why a decision cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such batch.
    #[error("there is no batch {0}")]
    NoSuchBatch(BatchId),
    /// The batch's state does not allow it.
    #[error("cannot {action} {batch}: it is {state}")]
    WrongState {
        /// What was asked.
        action: &'static str,
        /// Of which batch.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
    /// Two persons are wanted, and it is the one who staged it.
    #[error(
        "cannot confirm {batch}: {actor} staged {}, and another person must confirm it",
        confirmer::what_was_staged(.whole.as_ref())
    )]
    SamePerson {
        /// The batch, which stays staged.
        batch: BatchId,
        /// The whole that it is a part of, where it is that one which they staged.
        whole: Option<BatchId>,
        /// Who staged it.
        actor: String,
    },
    /// Nothing to take back.
    #[error("there is no decision to undo")]
    NothingToUndo,
    /// Nothing to repeat.
    #[error("there is no undone decision to redo")]
    NothingToRedo,
    /// The states have moved on since the decision that is to be taken back or repeated.
    #[error("cannot take back {at}: {batch} is {state} by now")]
    MovedOn {
        /// The decision meant.
        at: Position,
        /// The batch that moved.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
}

/// Decides a command on one batch: the entry to append, or why not. Nothing else happens.
pub fn decide(table: &BatchTable, id: BatchId, command: Command) -> Result<Decision, Refusal> {
    use BatchState::{Active, Discarded, RolledBack, Staged, Superseded};
    let batch = table.get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let state = batch.state();
    let change = |to| vec![StateChange { batch: id, from: state, to }];
    let plain = |action, changes, reason| Decision {
        action,
        changes,
        reason,
        token: None,
        base: None,
        via: Via::Plain,
    };
    match (state, command) {
        (Staged, Command::Confirm { token, base, by }) => {
            by.may_confirm(id, batch)?;
            let mut changes = change(Active);
            let old = batch.stage.supersedes;
            let replaced = old.filter(|old| table.get(*old).is_some_and(|b| b.state() == Active));
            if let Some(old) = replaced {
                changes.push(StateChange { batch: old, from: Active, to: Superseded });
            }
            let action = if replaced.is_some() { Action::Supersede } else { Action::Commit };
            Ok(Decision { token: Some(token), base: Some(base), ..plain(action, changes, None) })
        }
        (Staged, Command::Discard { reason }) => {
            Ok(plain(Action::Discard, change(Discarded), reason))
        }
        (Active, Command::RollBack { reason }) => {
            Ok(plain(Action::Rollback, change(RolledBack), reason))
        }
        (RolledBack | Superseded, Command::Reinstate { reason }) => {
            Ok(plain(Action::Reinstate, change(Active), reason))
        }
        (Discarded, Command::Reinstate { reason }) => {
            Ok(plain(Action::Reinstate, change(Staged), reason))
        }
        (state, command) => {
            let action = match command {
                Command::Confirm { .. } => "confirm",
                Command::Discard { .. } => "discard",
                Command::RollBack { .. } => "roll back",
                Command::Reinstate { .. } => "reinstate",
            };
            Err(Refusal::WrongState { action, batch: id, state })
        }
    }
}

/// The decision that makes the active batches those of position `to`, in one entry; `None` when
/// nothing would change.
pub fn decide_rollback_to(
    table: &BatchTable,
    to: Position,
    reason: Option<String>,
) -> Option<Decision> {
    let mut changes = Vec::new();
    for (id, batch) in table.iter() {
        let (now, then) = (batch.state(), batch.state_at(to));
        let was_active = then == Some(BatchState::Active);
        match (now == BatchState::Active, was_active) {
            (true, false) => {
                changes.push(StateChange { batch: id, from: now, to: BatchState::RolledBack });
            }
            (false, true) => {
                changes.push(StateChange { batch: id, from: now, to: BatchState::Active });
            }
            _ => {}
        }
    }
    (!changes.is_empty()).then_some(Decision {
        action: Action::Rollback,
        changes,
        reason,
        token: None,
        base: None,
        via: Via::Plain,
    })
}

/// The inverse of the last decision.
pub fn decide_undo(table: &BatchTable) -> Result<Decision, Refusal> {
    let (at, decision) = table.undoable().ok_or(Refusal::NothingToUndo)?;
    let inverse = decision.changes.iter().map(|c| StateChange {
        batch: c.batch,
        from: c.to,
        // A commit taken back is a rollback: the batch did count once.
        to: if c.from == BatchState::Staged && c.to == BatchState::Active {
            BatchState::RolledBack
        } else {
            c.from
        },
    });
    let changes: Vec<_> = inverse.collect();
    let activates = changes.iter().any(|c| matches!(c.to, BatchState::Active | BatchState::Staged));
    let action = if activates { Action::Reinstate } else { Action::Rollback };
    repeat(table, at, action, changes, Via::Undo(at))
}

/// The decision that was undone last, once more.
pub fn decide_redo(table: &BatchTable) -> Result<Decision, Refusal> {
    let (at, decision) = table.redoable().ok_or(Refusal::NothingToRedo)?;
    let changes = decision.changes.iter().map(|c| StateChange {
        batch: c.batch,
        from: table.get(c.batch).map_or(c.from, |batch| batch.state()),
        to: c.to,
    });
    let changes = changes.collect();
    let action = match decision.action {
        Action::Commit => Action::Reinstate,
        other => other,
    };
    repeat(table, at, action, changes, Via::Redo(at))
}

fn repeat(
    table: &BatchTable,
    at: Position,
    action: Action,
    changes: Vec<StateChange>,
    via: Via,
) -> Result<Decision, Refusal> {
    for change in &changes {
        let batch = table.get(change.batch).ok_or(Refusal::NoSuchBatch(change.batch))?;
        if batch.state() != change.from {
            return Err(Refusal::MovedOn { at, batch: change.batch, state: batch.state() });
        }
    }
    Ok(Decision { action, changes, reason: None, token: None, base: None, via })
}

#[cfg(test)]
mod tests;
