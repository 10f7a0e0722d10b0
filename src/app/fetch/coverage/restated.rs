//! Days whose prices the service restated after they were answered: a split came.

use super::{AS_TRADED, CoverageMap, days_in, is_adjusted};
use crate::app::error::Result;
use crate::app::views::ViewReader;
use crate::domain::{Coverage, Day, Fact, Position, Series, Symbol, eastern};
use crate::projections::view::Which;
use std::collections::BTreeSet;

impl CoverageMap {
    /// Reads the splits of a symbol that happened by `today`; one that is announced has changed nothing.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub(super) fn know_splits(
        &mut self,
        reader: &ViewReader<'_>,
        symbol: &Symbol,
        at: Position,
        today: Day,
    ) -> Result<()> {
        let splits = reader.records(Series::Splits, symbol, at, Which::Latest)?;
        let days = splits.iter().map(|record| record.day);
        let days: Vec<Day> = days.filter(|split| *split <= today).collect();
        if !days.is_empty() {
            self.splits.insert(symbol.clone(), days);
        }
        Ok(())
    }

    /// As [`Self::compare_with_views`], for reading alone: the splits of a symbol that had happened when
    /// a service was last asked anything.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub fn know_splits_at(
        &mut self,
        reader: &ViewReader<'_>,
        symbol: &Symbol,
        at: Position,
    ) -> Result<()> {
        let Some(today) = self.last_asked.and_then(eastern::day_of) else { return Ok(()) };
        self.know_splits(reader, symbol, at, today)
    }

    /// The last split known of a symbol that came after an answer about earlier days: the days before it
    /// are on the old scale there.
    pub(super) fn split_since(&self, fact: &Coverage, symbol: &Symbol) -> Option<Day> {
        // Prices as traded have a scope of their own; nobody restates them.
        if !is_adjusted(fact.series) || fact.scope == AS_TRADED {
            return None;
        }
        let splits = self.splits.get(symbol)?.iter().copied();
        splits
            .filter(|split| {
                let asked = eastern::day_of(fact.observed_ms).unwrap_or(fact.from);
                fact.from < *split && asked < *split
            })
            .max()
    }

    /// The days of which there is data from before a split and no later answer, ascending; with each
    /// the refusal, where the service refused it since.
    pub(in crate::app::fetch) fn restated(
        &self,
        series: Series,
        symbol: &Symbol,
        scope: &str,
    ) -> Vec<(Day, Option<&Coverage>)> {
        if !self.splits.contains_key(symbol) {
            return Vec::new();
        }
        let absent = self.absent.get(symbol);
        let mut days: BTreeSet<Day> = BTreeSet::new();
        let data = self.about(series, Some(symbol), scope).filter(|of| of.fact == Fact::Data);
        for fact in data {
            let Some(split) = self.split_since(fact, symbol) else { continue };
            let of_all = fact.symbol.is_none();
            let lacks = |day: &Day| of_all && absent.is_some_and(|absent| absent.contains(day));
            days.extend(days_in(fact.from, fact.to.min(Day(split.0 - 1))).filter(|d| !lacks(d)));
        }
        // What was refused since stays refused, also where others of its age came before the split: it
        // would be asked in vain at every run.
        let refusals = self.refusals(series, Some(symbol), scope);
        let refused = |day: Day| {
            let of_day = |of: &&&Coverage| {
                (of.from..=of.to).contains(&day) && self.counts(of, Some(symbol), day)
            };
            refusals.iter().rfind(of_day).copied()
        };
        let known = self.answers(series, Some(symbol), scope, days.into_iter());
        let left = known.into_iter().filter_map(|(day, fact)| match fact {
            None => Some((day, refused(day))),
            Some(of) if of.fact == Fact::NotEntitled => Some((day, Some(of))),
            Some(_) => None,
        });
        left.collect()
    }
}
