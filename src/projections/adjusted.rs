//! What is known of the closes of a stock: which splits are taken out of each.

use super::view::Record;
use crate::domain::{BatchId, Day, code};
use crate::quant::adjustment::Adjustment;
use std::collections::BTreeMap;

/// Which splits are taken out of closes, by the batches that they are from.
#[derive(Clone, Debug, Default)]
pub struct Adjusted {
    batches: BTreeMap<BatchId, Adjustment>,
    /// What is otherwise on single days of a batch.
    days: BTreeMap<(BatchId, Day), Adjustment>,
}

impl FromIterator<(BatchId, Adjustment)> for Adjusted {
    fn from_iter<T: IntoIterator<Item = (BatchId, Adjustment)>>(all: T) -> Self {
        Self { batches: all.into_iter().collect(), days: BTreeMap::new() }
    }
}

impl Adjusted {
    /// Says what is otherwise on a day of a batch.
    pub fn set_day(&mut self, batch: BatchId, day: Day, of: Adjustment) {
        self.days.insert((batch, day), of);
    }

    /// Which splits are taken out of a record's close. Where nothing was said of its batch, nobody
    /// knows of any split.
    pub fn of(&self, record: &Record) -> Adjustment {
        let known = record.known(code::CLOSE).and_then(|cell| {
            let batch = cell.event.batch;
            self.days.get(&(batch, record.day)).or_else(|| self.batches.get(&batch))
        });
        known.copied().unwrap_or(Adjustment::Unknown(Day(i32::MAX)))
    }
}
