//! How many records are shown, without reading what shows them.

use super::reader::{Period, ViewReader};
use crate::app::error::Result;
use crate::app::history::period_of;
use crate::domain::{BatchId, Day, Series, Symbol};
use crate::projections::view::{Activity, sides};
use std::collections::BTreeMap;

/// Counts the records that a view shows in stored periods that nobody needs to look at.
///
/// A period knows how many records it shows when all its batches count. So it need be read only where a
/// batch may speak of it which does not count.
#[derive(Debug)]
pub struct Counter {
    view: Series,
    activity: Activity,
    /// Per symbol from which period to which there may be assertions that do not count.
    doubtful: BTreeMap<Symbol, Vec<(i32, i32)>>,
}

impl Counter {
    /// A counter of what counts in `activity`. Of the batches in `apart` nothing may stand in the
    /// periods that are asked for.
    ///
    /// # Errors
    /// A block that cannot be read.
    pub fn new(
        reader: &ViewReader<'_>,
        view: Series,
        activity: Activity,
        apart: &[BatchId],
    ) -> Result<Self> {
        let ledger = reader.ledger();
        let mut doubtful: BTreeMap<Symbol, Vec<(i32, i32)>> = BTreeMap::new();
        let left_out = activity.left_out(ledger.batches(), view);
        for id in left_out.into_iter().filter(|id| !apart.contains(id)) {
            let mut blocks = ledger.read(id);
            while let Some((_, header)) = blocks.next_header()? {
                let (first, last) = header.days;
                let periods = (period_of(view, first), period_of(view, last));
                for (symbol, _) in header.symbols {
                    let known = doubtful.entry(symbol).or_default();
                    if known.last() != Some(&periods) {
                        known.push(periods);
                    }
                }
            }
        }
        Ok(Self { view, activity, doubtful })
    }

    /// The records shown of a symbol in some of its stored periods.
    ///
    /// # Errors
    /// A stored period that is not as it was written.
    pub fn shown(
        &self,
        reader: &ViewReader<'_>,
        symbol: &Symbol,
        periods: &[Period],
    ) -> Result<u64> {
        let doubtful = self.doubtful.get(symbol).map(Vec::as_slice).unwrap_or_default();
        let sure = |period: &Period| {
            !doubtful.iter().any(|(first, last)| (*first..=*last).contains(&period.number))
        };
        let mut shown = 0;
        for period in periods {
            match period.keys.filter(|_| sure(period)) {
                Some(keys) => shown += keys,
                None => {
                    let history = reader.read(self.view, symbol, std::slice::from_ref(period))?;
                    sides(self.view, &history, &self.activity, &self.activity, &mut |key| {
                        shown += u64::from(key.shows_before());
                    });
                }
            }
        }
        Ok(shown)
    }

    /// The records shown of a symbol, and the first and last day that have one; `None` of a symbol
    /// that shows nothing.
    ///
    /// # Errors
    /// As [`Self::shown`].
    pub fn span(&self, reader: &ViewReader<'_>, symbol: &Symbol) -> Result<Option<Span>> {
        let periods = reader.stored(self.view, symbol)?;
        let shown = self.shown(reader, symbol, &periods)?;
        if shown == 0 {
            return Ok(None);
        }
        let day = |period: &Period, last: bool| -> Result<Option<Day>> {
            let history = reader.read(self.view, symbol, std::slice::from_ref(period))?;
            let mut found = None;
            sides(self.view, &history, &self.activity, &self.activity, &mut |key| {
                if key.shows_before() && (last || found.is_none()) {
                    found = Some(key.key().0);
                }
            });
            Ok(found)
        };
        let ends = (
            periods.iter().find_map(|period| day(period, false).transpose()).transpose()?,
            periods.iter().rev().find_map(|period| day(period, true).transpose()).transpose()?,
        );
        Ok(ends.0.zip(ends.1).map(|(first, last)| Span { shown, first, last }))
    }
}

/// What a view shows of a symbol, in short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Records.
    pub shown: u64,
    /// The first day with one.
    pub first: Day,
    /// The last.
    pub last: Day,
}
