//! What was rolled back or erased, and which later answer took its place.

use super::super::meaning::gave;
use super::CoverageMap;
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Coverage, Day, Position, Series, Symbol};

/// Where a batch ceased to count, or something of it was last erased.
pub(in crate::app::fetch) fn taken_at(batch: &Batch) -> Option<Position> {
    let out = |state| matches!(state, BatchState::RolledBack | BatchState::Superseded);
    let gone = batch.states.last().filter(|(_, state)| out(*state)).map(|(at, _)| *at);
    batch.erased.iter().map(|erasure| erasure.at).chain(gone).max()
}

/// Whether the scope of a snapshot of many symbols, a list of names, has a name.
fn lists(scope: &str, name: &str) -> bool {
    scope.split(',').any(|known| known == name)
}

impl CoverageMap {
    pub(super) fn answered(&mut self, id: BatchId, fact: &Coverage) {
        if gave(fact) {
            let subject = (fact.series, fact.symbol.clone(), fact.scope.clone());
            self.answered_by.entry(subject).or_default().push((id, fact.from, fact.to));
        }
    }

    pub(super) fn take_back(&mut self, id: BatchId, fact: Coverage) {
        let subject = (fact.series, fact.symbol.clone(), fact.scope.clone());
        self.rolled_back.entry(subject).or_default().push((id, fact));
    }

    /// The batch whose data about a day was rolled back, if no later answer took its place. A batch
    /// about all symbols counts for each of them.
    pub fn rolled_back(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
        day: Day,
    ) -> Option<BatchId> {
        // This is asked for every symbol and day of a plan, and mostly nothing was taken back.
        if self.rolled_back.is_empty() {
            return None;
        }
        let of = |symbol: Option<Symbol>| {
            self.rolled_back.get(&(series, symbol, scope.to_owned())).into_iter().flatten()
        };
        let facts =
            of(None).chain(symbol.cloned().map(|symbol| of(Some(symbol))).into_iter().flatten());
        let of_day =
            |(_, fact): &&(BatchId, Coverage)| (fact.from..=fact.to).contains(&day) && gave(fact);
        let (id, _) = facts.filter(of_day).max_by_key(|(id, _)| *id)?;
        let replaced = self.answered_by.get(&(series, symbol.cloned(), scope.to_owned()));
        let all = self.answered_by.get(&(series, None, scope.to_owned()));
        let later = |(by, from, to): &(BatchId, Day, Day)| by > id && (*from..=*to).contains(&day);
        let mut later_ones = replaced.into_iter().chain(all).flatten();
        (!later_ones.any(later)).then_some(*id)
    }

    /// A batch whose data about a day, of any symbol, was rolled back: an answer about all symbols
    /// would bring it back.
    pub fn any_rolled_back(&self, series: Series, scope: &str, day: Day) -> Option<BatchId> {
        let mut subjects = self.rolled_back.keys().filter(|of| of.0 == series && of.2 == scope);
        subjects.find_map(|of| self.rolled_back(series, of.1.as_ref(), scope, day))
    }

    /// The batch whose quote of a name was rolled back, whatever else was asked with it.
    pub fn quote_rolled_back(
        &self,
        symbol: Option<&Symbol>,
        name: &str,
        day: Day,
    ) -> Option<BatchId> {
        let series = Series::Quotes;
        let subjects = self.rolled_back.iter().filter(|((of, about, scope), _)| {
            let meant = about.is_none() || symbol.is_none() || about.as_ref() == symbol;
            *of == series && meant && lists(scope, name)
        });
        let of_day =
            |(_, fact): &&(BatchId, Coverage)| (fact.from..=fact.to).contains(&day) && gave(fact);
        let (id, _) = subjects.flat_map(|(_, facts)| facts).filter(of_day).max_by_key(|f| f.0)?;
        let later = |(by, from, to): &(BatchId, Day, Day)| by > id && (*from..=*to).contains(&day);
        let answers =
            self.answered_by.iter().filter(|(of, _)| of.0 == series && lists(&of.2, name));
        (!answers.flat_map(|(_, by)| by).any(later)).then_some(*id)
    }

    /// A batch of which something was taken back after a position, if an answer planned before would
    /// bring that back. What the answer would bring is in its facts.
    pub(in crate::app::fetch) fn taken_back_since(
        &self,
        facts: &[Coverage],
        since: Position,
    ) -> Option<BatchId> {
        if !self.taken_at.values().any(|taken| *taken > since) {
            return None;
        }
        let after = |id: &BatchId| self.taken_at.get(id).is_some_and(|taken| *taken > since);
        let of = |fact: &Coverage, day| match (fact.series, &fact.symbol) {
            (Series::Quotes, None) => {
                fact.scope.split(',').find_map(|name| self.quote_rolled_back(None, name, day))
            }
            (series, None) => self.any_rolled_back(series, &fact.scope, day),
            (series, symbol) => self.rolled_back(series, symbol.as_ref(), &fact.scope, day),
        };
        let mut days = facts.iter().filter(|fact| gave(fact)).flat_map(|fact| {
            let days = super::days_in(fact.from, fact.to);
            days.filter_map(move |day| of(fact, day))
        });
        days.find(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Fact};

    fn fact(symbol: Option<&str>, scope: &str, (from, to): (i32, i32)) -> Coverage {
        Coverage {
            series: if scope.is_empty() { Series::Spot } else { Series::Quotes },
            symbol: symbol.map(|name| name.parse().unwrap()),
            scope: scope.to_owned(),
            from: Day(from),
            to: Day(to),
            fact: Fact::Data,
            settled: Day(to),
            observed_ms: 0,
            meaning: Digest::default(),
            text: String::new(),
        }
    }

    #[test]
    fn what_was_rolled_back_counts_until_a_later_answer_replaces_it() {
        let mut map = CoverageMap::default();
        let a: Symbol = "A".parse().unwrap();
        let day = |map: &CoverageMap, day| {
            map.rolled_back(Series::Spot, Some(&a), "", Day(day)).map(|id| id.0)
        };
        // An answer about all symbols of a day was one about this symbol.
        map.take_back(BatchId(1), fact(None, "", (4, 4)));
        map.take_back(BatchId(2), fact(Some("A"), "", (5, 6)));
        assert_eq!([3, 4, 5, 6].map(|at| day(&map, at)), [None, Some(1), Some(2), Some(2)]);
        let any = |at| map.any_rolled_back(Series::Spot, "", Day(at)).is_some();
        assert_eq!([3, 4, 5].map(any), [false, true, true]);
        // What came again with `--again` may be brought up to date without it.
        map.answered(BatchId(3), &fact(Some("A"), "", (6, 7)));
        assert_eq!([4, 5, 6].map(|at| day(&map, at)), [Some(1), Some(2), None]);
        map.answered(BatchId(4), &fact(None, "", (4, 4)));
        assert_eq!(day(&map, 4), None);
    }

    #[test]
    fn a_quote_is_held_with_whatever_names_it_was_asked() {
        let mut map = CoverageMap::default();
        map.take_back(BatchId(1), fact(None, "A,B", (4, 4)));
        map.take_back(BatchId(2), fact(Some("C"), "C,D", (4, 4)));
        let held = |map: &CoverageMap, name: &str| {
            let symbol: Symbol = name.parse().unwrap();
            map.quote_rolled_back(Some(&symbol), name, Day(4)).map(|id| id.0)
        };
        let names = ["A", "B", "C", "D", "AB"];
        assert_eq!(names.map(|n| held(&map, n)), [Some(1), Some(1), Some(2), None, None]);
        map.answered(BatchId(3), &fact(None, "B,E", (4, 4)));
        assert_eq!(["A", "B"].map(|n| held(&map, n)), [Some(1), None]);
    }

    #[test]
    fn an_answer_brings_back_what_was_taken_back_after_it_was_planned() {
        let mut map = CoverageMap::default();
        map.take_back(BatchId(1), fact(Some("A"), "", (4, 6)));
        map.taken_at.insert(BatchId(1), Position(7));
        let back = |about: Coverage, since| map.taken_back_since(&[about], Position(since));
        let id = Some(BatchId(1));
        assert_eq!(back(fact(Some("A"), "", (6, 9)), 5), id);
        assert_eq!(back(fact(None, "", (4, 4)), 5), id);
        assert_eq!(back(fact(Some("A"), "", (6, 9)), 7), None, "asked for in spite of it");
        assert_eq!(back(fact(Some("A"), "", (7, 9)), 5), None);
        assert_eq!(back(fact(Some("B"), "", (4, 6)), 5), None);
        let empty = Coverage { fact: Fact::Empty, ..fact(Some("A"), "", (4, 6)) };
        assert_eq!(back(empty, 5), None, "it has nothing to bring");
    }
}
