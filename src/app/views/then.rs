//! Which batches counted at an earlier position, worked out once and not for each symbol.

use crate::domain::{BatchTable, Position, Series};
use crate::projections::view::Activity;
use std::collections::BTreeMap;
#[cfg(test)]
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// So many are kept, which are those of all views at two positions or more: each has a few bytes for every
/// batch of its view.
const KEPT: usize = 48;

/// What counted then, by position and view. It stays true: what the log says of a position never changes.
#[derive(Debug, Default)]
pub(super) struct Then {
    known: Mutex<BTreeMap<(Position, Series), Activity>>,
    /// How often it was worked out.
    #[cfg(test)]
    pub(super) made: AtomicU64,
}

impl Clone for Then {
    /// A copy begins anew: it is of roots that are about to change.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Then {
    /// As [`Activity::at`].
    pub(super) fn activity(&self, table: &BatchTable, view: Series, at: Position) -> Activity {
        // What counts now is at hand, and is another one after the next decision.
        if at >= table.position() {
            return Activity::at(table, view, at);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&(at, view)) {
            return known.clone();
        }
        if known.len() >= KEPT {
            known.clear();
        }
        #[cfg(test)]
        self.made.fetch_add(1, Relaxed);
        known.entry((at, view)).insert_entry(Activity::at(table, view, at)).get().clone()
    }
}
