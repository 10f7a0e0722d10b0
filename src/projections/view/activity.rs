//! Which batches count, and with which rank.

use crate::domain::batch::Ranks;
use crate::domain::{BatchId, BatchState, BatchTable, Class, Position, Series};
use std::collections::HashMap;
use std::sync::Arc;

/// Which batches count for a view at a position, with their rank; of those that say nothing of the
/// view none does.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    ranks: Arc<Ranks>,
    /// What is otherwise for some batches.
    apart: HashMap<BatchId, Option<(Class, Position)>>,
}

impl Activity {
    /// The active batches of a view at a position. Those of the present are at hand, however many
    /// there are; for an earlier one all that were committed by then are looked at.
    pub fn at(table: &BatchTable, view: Series, at: Position) -> Self {
        if at >= table.position() {
            return Self { ranks: table.committed().active(view), apart: HashMap::new() };
        }
        let all = table.committed().after(view, Position(0)).iter();
        let then = all.take_while(|(committed, _)| *committed <= at).filter_map(|(_, id)| {
            let batch = table.get(*id)?;
            let active = batch.state_at(at) == Some(BatchState::Active);
            active.then_some((*id, (batch.class(view), batch.committed_at?)))
        });
        Self { ranks: Arc::new(then.collect()), apart: HashMap::new() }
    }

    /// Adds a batch, or gives it another rank.
    pub fn with(mut self, batch: BatchId, class: Class, committed: Position) -> Self {
        self.apart.insert(batch, Some((class, committed)));
        self
    }

    /// Takes a batch out.
    pub fn without(mut self, batch: BatchId) -> Self {
        match self.ranks.contains_key(&batch) {
            true => self.apart.insert(batch, None),
            false => self.apart.remove(&batch),
        };
        self
    }

    /// A batch's rank; `None` when it does not count.
    pub fn rank(&self, batch: BatchId) -> Option<(Class, Position)> {
        match self.apart.is_empty() {
            true => self.ranks.get(&batch).copied(),
            false => {
                self.apart.get(&batch).copied().unwrap_or_else(|| self.ranks.get(&batch).copied())
            }
        }
    }

    /// The batches that were committed, speak of the view (the one that this is of) and do not count
    /// here, ascending.
    pub fn left_out(&self, table: &BatchTable, view: Series) -> Vec<BatchId> {
        let mut out: Vec<BatchId> = match Arc::ptr_eq(&self.ranks, &table.committed().active(view))
        {
            true => table.committed().inactive(view).chain(self.apart.keys().copied()).collect(),
            false => table.committed().after(view, Position(0)).iter().map(|(_, id)| *id).collect(),
        };
        out.retain(|id| self.rank(*id).is_none());
        out.sort_unstable();
        out.dedup();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::ViewPart;
    use crate::domain::{Action, Decision, Entry, EntryKind, StateChange, Via, entry};

    const VIEWS: [Series; 4] = [Series::Iv, Series::Hv, Series::Spot, Series::News];

    /// Batches of some views, staged and decided about at random: each step a lawful one.
    fn history(mut seed: u64, steps: usize) -> BatchTable {
        use BatchState::{Active, Discarded, RolledBack, Staged, Superseded};
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut table = BatchTable::default();
        for _ in 0..steps {
            let known = table.len() as u64;
            let kind = if known == 0 || next(3) == 0 {
                let mut stage = entry::tests::stage(table.next_id());
                let classes = [Class::Vendor, Class::Fill, Class::Manual];
                for series in VIEWS.into_iter().take(3) {
                    let (class, speaks) = (classes[next(3) as usize], next(2) == 0);
                    stage.views.extend(speaks.then_some(ViewPart { series, class, events: 1 }));
                }
                EntryKind::Stage(Box::new(stage))
            } else {
                let mut changes: Vec<StateChange> = Vec::new();
                for _ in 0..=next(3) {
                    let batch = BatchId(next(known) as u32 + 1);
                    let from = table.get(batch).unwrap().state();
                    let to = match (from, next(2)) {
                        (Staged, 0) => Discarded,
                        (Staged | RolledBack | Superseded, _) => Active,
                        (Active, 0) => RolledBack,
                        (Active, _) => Superseded,
                        (Discarded, _) => Staged,
                    };
                    if changes.iter().all(|change| change.batch != batch) {
                        changes.push(StateChange { batch, from, to });
                    }
                }
                let (action, via) = (Action::Commit, Via::Plain);
                let (reason, token, base) = (None, None, None);
                EntryKind::Decision(Decision { action, changes, reason, token, base, via })
            };
            let (actor, tool) = (String::new(), String::new());
            table.apply(&Entry { time_ms: 0, actor, tool, kind });
        }
        table
    }

    /// A batch's rank, looked up in the batch itself.
    fn rank(
        table: &BatchTable,
        view: Series,
        id: BatchId,
        at: Position,
    ) -> Option<(Class, Position)> {
        let batch = table.get(id)?;
        let speaks = batch.stage.views.iter().any(|part| part.series == view);
        let counts = speaks && batch.state_at(at) == Some(BatchState::Active);
        counts.then_some((batch.class(view), batch.committed_at?))
    }

    fn committed(table: &BatchTable, view: Series, after: Position) -> Vec<(Position, BatchId)> {
        let speaking = table.iter().filter(|(id, batch)| {
            let speaks = batch.stage.views.iter().any(|part| part.series == view);
            speaks && batch.committed_at.is_some_and(|at| at > after) && id.0 > 0
        });
        let mut found: Vec<_> =
            speaking.filter_map(|(id, batch)| Some((batch.committed_at?, id))).collect();
        found.sort();
        found
    }

    #[test]
    fn what_is_at_hand_is_what_the_batches_say() {
        for seed in 0..60 {
            let table = history(seed, 40);
            let ids: Vec<BatchId> = table.iter().map(|(id, _)| id).collect();
            for view in VIEWS {
                for at in (0..=table.position().0 + 1).map(Position) {
                    let activity = Activity::at(&table, view, at);
                    for id in &ids {
                        assert_eq!(activity.rank(*id), rank(&table, view, *id, at), "{seed} {at}");
                    }
                    let all = committed(&table, view, Position(0));
                    let out = all.iter().map(|(_, id)| *id);
                    let mut out: Vec<_> = out.filter(|id| activity.rank(*id).is_none()).collect();
                    out.sort();
                    assert_eq!(activity.left_out(&table, view), out, "{seed} {view} {at}");
                    assert_eq!(table.committed().after(view, at), committed(&table, view, at));
                }
                let now = committed(&table, view, Position(0)).into_iter().map(|(_, id)| id);
                let idle = |id: &BatchId| table.get(*id).unwrap().state() != BatchState::Active;
                let mut idle: Vec<_> = now.filter(idle).collect();
                idle.sort();
                let told = table.committed().inactive(view);
                assert_eq!(told.collect::<Vec<_>>(), idle, "{seed} {view}");
            }
            let spoken: Vec<Series> = VIEWS
                .into_iter()
                .filter(|view| !committed(&table, *view, Position(0)).is_empty())
                .collect();
            assert_eq!(table.committed().series().collect::<Vec<_>>(), spoken, "{seed}");
        }
    }

    #[test]
    fn batches_set_apart_are_those_alone() {
        let table = history(7, 60);
        let now = Activity::at(&table, Series::Iv, table.position());
        let ids: Vec<BatchId> = table.iter().map(|(id, _)| id).collect();
        let of_view = committed(&table, Series::Iv, Position(0));
        for one in &ids {
            let other = Some((Class::Manual, Position(99)));
            let without = now.clone().without(*one);
            let with = now.clone().with(*one, Class::Manual, Position(99));
            let back = without.clone().with(*one, Class::Manual, Position(99)).without(*one);
            for id in &ids {
                let stays = if id == one { None } else { now.rank(*id) };
                assert_eq!((without.rank(*id), back.rank(*id)), (stays, stays));
                assert_eq!(with.rank(*id), if id == one { other } else { now.rank(*id) });
            }
            for activity in [&without, &with, &back] {
                let out = of_view.iter().map(|(_, id)| *id);
                let mut out: Vec<_> = out.filter(|id| activity.rank(*id).is_none()).collect();
                out.sort();
                assert_eq!(activity.left_out(&table, Series::Iv), out, "{one}");
            }
        }
    }
}
