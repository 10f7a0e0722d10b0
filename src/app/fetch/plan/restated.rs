//! Days outside of what is wanted whose prices a split put on another scale: they are asked with the
//! rest, or a view would have a step at the edge of what was wanted.

use super::Planner;
use crate::app::fetch::coverage::runs;
use crate::domain::{Coverage, Day, Symbol};

impl Planner<'_> {
    /// Ranges of such days of a symbol, as first and last day. They are questions of their own: if the
    /// plan has those years no more, the refusal takes no wanted day with it.
    pub(super) fn restated(&self, symbol: &Symbol, scope: &str) -> Vec<(Day, Day)> {
        let wanted = self.wish.from..=self.wish.to;
        let mut known = self.coverage.restated(self.wish.what.series(), symbol, scope);
        known.retain(|(day, _)| !wanted.contains(day) && self.calendar.is_open(*day));
        let (Some((first, _)), Some((last, _))) = (known.first(), known.last()) else {
            return Vec::new();
        };
        let all: Vec<Day> = self.calendar.open_days(*first, *last).collect();
        let all: Vec<Day> = all.into_iter().filter(|day| !wanted.contains(day)).collect();
        let (refused, open): (Vec<(Day, Option<&Coverage>)>, Vec<_>) =
            known.into_iter().partition(|(_, refusal)| refusal.is_some());
        self.left_out.set(self.left_out.get() + self.refused.note(Some(symbol), scope, &refused));
        let mut missing: Vec<Day> = open.into_iter().map(|(day, _)| day).collect();
        self.retain_missing(Some(symbol), scope, &mut missing);
        // Days before and after what is wanted are not neighbours.
        let (before, after): (Vec<Day>, Vec<Day>) =
            missing.iter().partition(|day| **day < self.wish.from);
        [runs(&all, &before), runs(&all, &after)].concat()
    }
}
