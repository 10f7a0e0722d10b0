//! The records of views, a part of a symbol at a time: what every export of many rows reads from.
//!
//! One thread reads, checks and folds what is stored, the caller's writes. Three parts are in
//! memory at most, so an export of any ledger needs the memory of a few thousand records.

use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::app::lookup::ViewQuery;
use crate::app::views::{Period, Roots, ViewDigest, ViewReader};
use crate::domain::{Day, Digest, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Record, Which, fold};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

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
    /// Of every symbol the digest of what the view shows of it, as `view` tells it.
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

/// Records of one symbol, and how many assertions were read for them.
struct Part {
    symbol: Symbol,
    records: Vec<Record>,
    events: u64,
}

impl<'a> Stream<'a> {
    /// Looks up what is wanted.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a symbol that none of the views ever had; a position that is not
    /// there.
    pub fn new(ledger: &'a Ledger, wanted: &'a Wanted) -> Result<Self> {
        let reader = ViewReader::new(ledger)?;
        let known = |symbol: &&Symbol| {
            !wanted.series.iter().any(|series| reader.events(*series, symbol) > 0)
        };
        if let Some(symbol) = wanted.symbols.iter().find(known) {
            return Err(AppError::NotFound(match wanted.series.as_slice() {
                [one] => format!("view {one} has nothing about {symbol}"),
                _ => format!("no view has anything about {symbol}"),
            }));
        }
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
    fn symbols(&self, series: Series) -> Vec<Symbol> {
        let mut known = self.reader().symbols(series);
        let wanted = &self.wanted.symbols;
        known.retain(|symbol| wanted.is_empty() || wanted.contains(symbol));
        known
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
        let symbols = self.symbols(series);
        let reader = self.reader();
        let total = symbols.iter().map(|symbol| reader.events(series, symbol)).sum();
        run.progress.begin(&format!("exporting {series}"), Some(total), "rows");
        let (mut read, mut done) = (Read::default(), 0);
        let (send, receive) = sync_channel(1);
        let digests = std::thread::scope(|scope| {
            let folding = scope.spawn(move || self.produce(series, symbols, &send));
            let mut last: Option<Symbol> = None;
            let mut written = Ok(());
            for part in receive {
                written = sink(&part.symbol, &part.records);
                if written.is_err() {
                    // The other side notices when it sends: nobody listens.
                    break;
                }
                read.rows += part.records.len() as u64;
                if !part.records.is_empty() && last.as_ref() != Some(&part.symbol) {
                    read.symbols += 1;
                    last = Some(part.symbol);
                }
                done += part.events;
                run.progress.at(done);
            }
            let folded = folding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            written.and(folded)
        });
        run.progress.end();
        read.digests = digests?;
        Ok(read)
    }

    /// Reads and folds every symbol; ends early when nobody listens any more.
    fn produce(
        &self,
        series: Series,
        symbols: Vec<Symbol>,
        send: &SyncSender<Part>,
    ) -> Result<Vec<(Symbol, Digest)>> {
        let reader = self.reader();
        let activity = Activity::at(self.ledger.batches(), series, self.at);
        let which = if self.wanted.first { Which::First } else { Which::Latest };
        let from = self.wanted.from.unwrap_or(Day(i32::MIN));
        let to = self.wanted.to.unwrap_or(Day(i32::MAX));
        let mut digests = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            let mut stored = reader.stored(series, &symbol)?;
            if series.is_dense() {
                // As in `lookup`: the digest of a dense view is that of the days asked for.
                stored.retain(|period| (from..=to).contains(&Day(period.number)));
            }
            let parts = parts(&stored);
            let folded = |part: &Range<usize>| -> Result<Vec<Record>> {
                let periods = stored.get(part.clone()).unwrap_or_default();
                let history = reader.read(series, &symbol, periods)?;
                Ok(fold(series, &history, &activity, which))
            };
            let mut digest = ViewDigest::default();
            // The digest begins with the number of records, so many parts are counted first.
            if parts.len() > 1 {
                let mut records = 0;
                for part in &parts {
                    records += folded(part)?.len() as u64;
                }
                digest.begin(series, &symbol, records);
            }
            for part in &parts {
                let mut records = folded(part)?;
                if parts.len() == 1 {
                    digest.begin(series, &symbol, records.len() as u64);
                }
                digest.go_on(&records);
                records.retain(|record| (from..=to).contains(&record.day));
                let periods = stored.get(part.clone()).unwrap_or_default();
                let events = periods.iter().map(|period| period.events).sum();
                let part = Part { symbol: symbol.clone(), records, events };
                if send.send(part).is_err() {
                    return Ok(digests);
                }
            }
            if parts.is_empty() {
                digest.begin(series, &symbol, 0);
            }
            digests.push((symbol, digest.finish()));
        }
        Ok(digests)
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
