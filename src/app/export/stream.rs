//! The records of views, a part of a symbol at a time: what every export of many rows reads from.
//!
//! One part is in memory at a time, so an export of any ledger needs the memory of a few thousand
//! records. One thread does it all: with a second one for the reading, a million rows took the
//! same time or longer and up to twice the CPU (what one thread allocates the other frees).

use crate::app::Run;
use crate::app::error::Result;
use crate::app::lookup::{ViewQuery, known};
use crate::app::views::{Counter, Period, Roots, ViewDigest, ViewReader};
use crate::domain::{Day, Digest, Position, Series, Symbol};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::{Activity, Record, Which, fold};
use std::ops::Range;
use std::sync::Arc;

/// Assertions that are read at once; a stored period (a year, a day of a dense view) stays whole.
const PART: u64 = 8_192;

/// What to export.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The views.
    pub series: Vec<Series>,
    /// The symbols; none means all.
    pub symbols: Vec<Symbol>,
    /// The position; the head when absent.
    pub at: Option<Position>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// Whether the earliest values are wanted.
    pub first: bool,
    /// The fields, in order; none means all known ones.
    pub columns: Vec<String>,
}

impl From<&ViewQuery> for Wanted {
    fn from(query: &ViewQuery) -> Self {
        Self {
            series: vec![query.series],
            symbols: query.symbols.clone(),
            at: query.at,
            from: query.from,
            to: query.to,
            first: query.first,
            columns: query.columns.clone(),
        }
    }
}

/// What was read of a view.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Records within the days that were asked for.
    pub rows: u64,
    /// Symbols that have one.
    pub symbols: u64,
    /// Of every symbol with a record the digest of what the view shows of it, as `view` tells it.
    pub digests: Vec<(Symbol, Digest)>,
}

impl Read {
    /// The digest of the view, as the report of an export tells it.
    pub fn digest(&self) -> Digest {
        super::joined(self.digests.iter().map(|(_, digest)| *digest))
    }
}

/// Views that are about to be exported.
pub struct Stream<'a> {
    /// Where they are.
    pub ledger: &'a Ledger,
    /// What of them is wanted.
    pub wanted: &'a Wanted,
    /// The position that is exported.
    pub at: Position,
    /// The log's root at the position.
    pub log_root: Digest,
    roots: Arc<Roots>,
}

impl<'a> Stream<'a> {
    /// Looks up what is wanted.
    ///
    /// # Errors
    /// Those of [`known`]; a position that is not there.
    pub fn new(ledger: &'a Ledger, wanted: &'a Wanted) -> Result<Self> {
        known(ledger, &wanted.symbols, &wanted.series, wanted.at)?;
        let reader = ViewReader::new(ledger)?;
        let at = wanted.at.unwrap_or(ledger.position());
        let log_root = ledger.root_at(at)?;
        Ok(Self { ledger, wanted, at, log_root, roots: reader.roots() })
    }

    /// Whether one view was asked for: it is then exported even if it is empty.
    pub fn is_one(&self) -> bool {
        self.wanted.series.len() == 1
    }

    fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }

    fn reader(&self) -> ViewReader<'a> {
        ViewReader::with(self.ledger, self.roots())
    }

    /// The symbols of a view that are wanted, ascending.
    fn symbols(&self, series: Series) -> Result<Vec<Symbol>> {
        let mut known = self.reader().symbols(series)?;
        let wanted = &self.wanted.symbols;
        known.retain(|symbol| wanted.is_empty() || wanted.contains(symbol));
        Ok(known)
    }

    /// Hands the records of a view to `sink`, ascending by symbol, day and item.
    ///
    /// # Errors
    /// A stored value that is damaged, and those of `sink`.
    pub fn each(
        &self,
        series: Series,
        run: &Run<'_>,
        mut sink: impl FnMut(&Symbol, &[Record]) -> Result<()>,
    ) -> Result<Read> {
        let symbols = self.symbols(series)?;
        let reader = self.reader();
        let events = symbols.iter().map(|symbol| reader.events(series, symbol));
        let events = events.collect::<Result<Vec<u64>>>()?;
        let total = events.iter().sum();
        run.progress.begin(&format!("exporting {series}"), Some(total), "rows");
        let activity = Activity::at(self.ledger.batches(), series, self.at);
        let counter = self.counter(series, &activity, &events)?;
        let counts = (&activity, counter.as_ref());
        let (mut read, mut done) = (Read::default(), 0);
        for symbol in symbols {
            let before = read.rows;
            let (digest, shown) = self.symbol(series, &symbol, counts, |records, events| {
                sink(&symbol, records)?;
                read.rows += records.len() as u64;
                done += events;
                run.progress.at(done);
                Ok(())
            })?;
            read.symbols += u64::from(read.rows > before);
            // One that came later is no part of what was known, so the digest stays what it was.
            if shown > 0 || self.wanted.symbols.contains(&symbol) {
                read.digests.push((symbol, digest));
            }
        }
        run.progress.end();
        Ok(read)
    }

    /// What tells how many records there are of a symbol without reading it. The batches that do not count
    /// are looked through for it, so only where they have less than half of what would be read twice, by
    /// the assertions that each symbol has. How many records the earliest values make is nowhere noted.
    fn counter(
        &self,
        series: Series,
        activity: &Activity,
        events: &[u64],
    ) -> Result<Option<Counter>> {
        let table = self.ledger.batches();
        let twice: u64 = events.iter().filter(|events| **events > PART).sum();
        if self.wanted.first || twice == 0 {
            return Ok(None);
        }
        let apart = activity.left_out(table, series).into_iter().filter_map(|id| table.get(id));
        if 2 * apart.map(|batch| batch.stage.events).sum::<u64>() > twice {
            return Ok(None);
        }
        Counter::new(&self.reader(), series, activity.clone(), &[]).map(Some)
    }

    /// Hands the records of one symbol to `sink`, part by part, with the number of assertions that
    /// were read for them; returns the digest of what the view shows of it, and of how many records.
    fn symbol(
        &self,
        series: Series,
        symbol: &Symbol,
        (activity, counter): (&Activity, Option<&Counter>),
        mut sink: impl FnMut(&[Record], u64) -> Result<()>,
    ) -> Result<(Digest, u64)> {
        let reader = self.reader();
        let which = if self.wanted.first { Which::First } else { Which::Latest };
        let from = self.wanted.from.unwrap_or(Day(i32::MIN));
        let to = self.wanted.to.unwrap_or(Day(i32::MAX));
        let mut stored = reader.stored(series, symbol)?;
        if series.is_dense() {
            // As in `lookup`: the digest of a dense view is that of the days asked for.
            stored.retain(|period| (from..=to).contains(&Day(period.number)));
        }
        let folded = |periods: &[Period]| -> Result<Vec<Record>> {
            let history = reader.read(series, symbol, periods)?;
            Ok(fold(series, &history, activity, which))
        };
        let parts: Vec<&[Period]> =
            parts(&stored).into_iter().filter_map(|part| stored.get(part)).collect();
        let mut digest = ViewDigest::default();
        let (several, mut shown) = (parts.len() != 1, 0);
        if several {
            // The digest begins with the number of records, so they are counted first.
            shown = match counter {
                Some(counter) => counter.shown(&reader, symbol, &stored)?,
                None => {
                    let counts = parts.iter().map(|part| Ok(folded(part)?.len() as u64));
                    counts.sum::<Result<u64>>()?
                }
            };
            digest.begin(series, symbol, shown);
        }
        let mut read = 0;
        for part in parts {
            let mut records = folded(part)?;
            read += records.len() as u64;
            if !several {
                shown = records.len() as u64;
                digest.begin(series, symbol, shown);
            }
            digest.go_on(&records);
            records.retain(|record| (from..=to).contains(&record.day));
            sink(&records, part.iter().map(|period| period.events).sum())?;
        }
        if read != shown {
            let what = format!("view {series} of {symbol} shows {read} records, and notes {shown}");
            return Err(LedgerError::damaged(what).into());
        }
        Ok((digest.finish(), shown))
    }
}

/// Cuts a symbol's stored periods into parts that are read at once.
fn parts(stored: &[Period]) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut events) = (Vec::new(), 0, 0);
    for (index, period) in stored.iter().enumerate() {
        if events > 0 && events + period.events > PART {
            parts.push(start..index);
            (start, events) = (index, 0);
        }
        events += period.events;
    }
    if start < stored.len() {
        parts.push(start..stored.len());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_periods_and_hold_everything_once() {
        let cut = |events: &[u64]| {
            let period = |(number, events): (i32, &u64)| Period::of(number, *events);
            let stored: Vec<Period> = (0..).zip(events).map(period).collect();
            parts(&stored)
        };
        assert!(cut(&[]).is_empty());
        assert_eq!(cut(&[10, 1]), vec![0..2; 1]);
        assert_eq!(cut(&[PART, 1, 1]), [0..1, 1..3]);
        assert_eq!(cut(&[1, PART * 3, 1]), [0..1, 1..2, 2..3]);
        assert_eq!(cut(&[PART / 2, PART / 2, 1]), [0..2, 2..3]);
    }
}
