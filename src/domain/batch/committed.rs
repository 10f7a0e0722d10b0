//! The committed batches by what they speak of, so that nobody has to look for them among all: what a
//! row costs must not grow with the number of batches.

use super::{Batch, BatchState, Class};
use crate::domain::{BatchId, Position, Series};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The batches that count for a series, with their ranks.
pub type Ranks = HashMap<BatchId, (Class, Position)>;

/// The batches that were ever committed, by the series that they speak of.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    series: BTreeMap<Series, OfSeries>,
}

#[derive(Clone, Debug, Default)]
struct OfSeries {
    /// Every batch that was ever committed, by the position of its first commit.
    all: Vec<(Position, BatchId)>,
    /// The batches that count now. Shared, since whoever looks at the present takes them.
    active: Arc<Ranks>,
    /// The batches that do not count now.
    inactive: BTreeSet<BatchId>,
}

impl Committed {
    /// Takes in where a batch stands now.
    pub(super) fn take(&mut self, id: BatchId, batch: &Batch) {
        let Some(committed) = batch.committed_at else { return };
        for part in &batch.stage.views {
            let of = self.series.entry(part.series).or_default();
            if let Err(place) = of.all.binary_search(&(committed, id)) {
                of.all.insert(place, (committed, id));
            }
            let active = Arc::make_mut(&mut of.active);
            if batch.state() == BatchState::Active {
                active.insert(id, (batch.class(part.series), committed));
                of.inactive.remove(&id);
            } else {
                active.remove(&id);
                of.inactive.insert(id);
            }
        }
    }

    /// The series that some batch speaks of.
    pub fn series(&self) -> impl Iterator<Item = Series> {
        self.series.keys().copied()
    }

    /// The batches that speak of a series and were first committed after a position, by that commit.
    pub fn after(&self, series: Series, position: Position) -> &[(Position, BatchId)] {
        let all = self.series.get(&series).map_or(&[][..], |of| &of.all);
        all.get(all.partition_point(|(at, _)| *at <= position)..).unwrap_or_default()
    }

    /// The batches that speak of a series and count now.
    pub fn active(&self, series: Series) -> Arc<Ranks> {
        self.series.get(&series).map(|of| Arc::clone(&of.active)).unwrap_or_default()
    }

    /// The batches that speak of a series and do not count now.
    pub fn inactive(&self, series: Series) -> impl Iterator<Item = BatchId> {
        self.series.get(&series).into_iter().flat_map(|of| of.inactive.iter().copied())
    }
}
