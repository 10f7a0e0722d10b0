//! Announcements of one fetch, from a calendar of coming ones and from lists of past ones.
//!
//! On its day an announcement may be in both. Then the answer that came first is taken: both would
//! contradict each other in one batch, although neither is wrong.

use crate::domain::{Collector, Day, Key, Op, Origin, Symbol, Window};
use std::collections::BTreeSet;
use std::convert::Infallible;

/// The announcements of the answers that were read so far.
#[derive(Debug, Default)]
pub(super) struct Announced(BTreeSet<(Symbol, Day)>);

impl Announced {
    /// The events of an answer that no earlier answer of the fetch has, and how many were left out.
    pub(super) fn sift(&mut self, windows: &[Window]) -> (Vec<Window>, u64) {
        let (mut kept, mut repeated, mut own) = (Vec::new(), 0, BTreeSet::new());
        let mut take = |window: &mut Window| -> Result<(), Infallible> {
            kept.push(std::mem::take(window));
            Ok(())
        };
        let mut out = Collector::new(&mut take);
        for window in windows {
            for row in window.rows.iter() {
                let head = row.head;
                let announced = (row.symbol.clone(), head.day);
                if self.0.contains(&announced) {
                    repeated += 1;
                    continue;
                }
                let key = Key { symbol: row.symbol, day: head.day, item: row.item };
                let origin = Origin::from(head);
                let values = row.values.iter();
                let Ok(()) = out.event(origin, head.series, Op::Put, key, row.shape, values);
                own.insert(announced);
            }
            for r in &window.rejects {
                let origin = Origin::from(r);
                let Ok(()) = out.reject(origin, r.series, &r.code, &r.raw);
            }
        }
        let Ok(_) = out.finish();
        self.0.append(&mut own);
        (kept, repeated)
    }
}
