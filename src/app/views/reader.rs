//! Reading views at any position.

use super::inlog::{Unpacked, read_period};
use super::root::Root;
use super::stored::read_periods;
use super::then::Then;
use super::update::is_behind;
use crate::app::error::Result;
use crate::app::history::period_of;
use crate::domain::{BatchId, Day, Position, Series, Symbol};
use crate::ledger::codec::{ListedPeriod, Stands};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::{Activity, History, Record, Which, fold};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stored part of a symbol's history: a year of it, or in dense views a day.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// The year, or the day since 1970.
    pub number: i32,
    /// How many assertions it holds.
    pub events: u64,
    /// How many records it shows when all its batches count, where that is known.
    pub keys: Option<u64>,
    stands: Stands,
}

#[cfg(test)]
impl Period {
    /// One of which nothing is read.
    pub fn of(number: i32, events: u64) -> Self {
        Self { number, events, keys: None, stands: Stands::Chunk(Default::default()) }
    }
}

/// Reads views at any position.
pub struct ViewReader<'a> {
    ledger: &'a Ledger,
    roots: Arc<Roots>,
}

/// The roots of all views: read once, they can be shared by readers of the same ledger. What they
/// name is read when it is first asked for, and then kept.
#[derive(Clone, Debug, Default)]
pub struct Roots(pub(super) BTreeMap<Series, Root>, Then, pub(super) Unpacked);

/// Roots of so many symbols, in all views, stay in memory while the ledger is open: some 4 MiB.
const REMEMBERED: u64 = 20_000;

impl Roots {
    /// How often it was worked out which batches counted at an earlier position.
    #[cfg(test)]
    pub fn worked_out(&self) -> u64 {
        self.1.made.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Keeps them for the next reader or update: they are what is stored.
    pub(super) fn remember(self, ledger: &Ledger) {
        if self.0.values().map(Root::symbols).sum::<u64>() <= REMEMBERED {
            ledger.remember(Arc::new(self));
        }
    }
}

impl<'a> ViewReader<'a> {
    /// A reader over the stored views. They must be caught up: one that is behind, because its
    /// update failed, would show a state that never was.
    ///
    /// # Errors
    /// A root that is not as stored; [`LedgerError::Poisoned`] for a view that is behind.
    pub fn new(ledger: &'a Ledger) -> Result<Self> {
        let mut roots = ledger.remembered::<Roots>().unwrap_or_default();
        // A view of which no committed batch speaks has no root.
        for view in ledger.batches().committed().series() {
            if !roots.0.contains_key(&view) {
                Arc::make_mut(&mut roots).0.insert(view, Root::read(ledger, view)?);
            }
            let root = roots.0.get(&view);
            if root.is_none_or(|root| is_behind(ledger, view, root.position)) {
                return Err(LedgerError::Poisoned.into());
            }
        }
        Ok(Self { ledger, roots })
    }

    /// A reader with roots that another one of the same ledger has read.
    pub fn with(ledger: &'a Ledger, roots: Arc<Roots>) -> Self {
        Self { ledger, roots }
    }

    /// The ledger that is read.
    pub fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// The roots, for further readers.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }

    /// The symbols that the view ever had, ascending.
    ///
    /// # Errors
    /// A stored value that is not as it was written; so below.
    pub fn symbols(&self, view: Series) -> Result<Vec<Symbol>> {
        let mut symbols = Vec::new();
        for shard in self.roots.0.get(&view).into_iter().flat_map(|root| root.shards(self.ledger)) {
            symbols.extend(shard?.keys().filter_map(|name| Symbol::exact(name).ok()));
        }
        Ok(symbols)
    }

    /// Every assertion ever committed about a symbol, with each stored value checked.
    pub fn history(&self, view: Series, symbol: &Symbol) -> Result<History> {
        self.history_between(view, symbol, Day(i32::MIN), Day(i32::MAX))
    }

    /// Whether any view ever heard of a symbol from `first` to `last`.
    pub fn knows_any(&self, (first, last): &(Symbol, Symbol)) -> Result<bool> {
        for root in self.roots.0.values() {
            if root.knows(self.ledger, first.as_str(), last.as_str())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`Self::history`], without the stored periods that lie wholly outside a range of days.
    pub fn history_between(
        &self,
        view: Series,
        symbol: &Symbol,
        from: Day,
        to: Day,
    ) -> Result<History> {
        let mut stored = self.stored(view, symbol)?;
        let periods = period_of(view, from)..=period_of(view, to);
        stored.retain(|period| periods.contains(&period.number));
        self.read(view, symbol, &stored)
    }

    /// What some stored periods of a symbol hold, in their order.
    pub fn read(&self, view: Series, symbol: &Symbol, periods: &[Period]) -> Result<History> {
        let Some(root) = self.roots.0.get(&view) else { return Ok(History::default()) };
        let mut whole: Option<History> = None;
        for period in periods {
            let Period { number, events, keys, stands } = *period;
            let of = ListedPeriod { events, keys, stands };
            let part = read_period(self.ledger, &self.roots.2, root.place, symbol, number, &of)?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => {
                    whole.rows.absorb(&part.rows);
                    whole.batches.extend(part.batches);
                }
            }
        }
        Ok(whole.unwrap_or_default())
    }

    /// The periods of which a view stores something about a symbol, ascending.
    pub fn stored(&self, view: Series, symbol: &Symbol) -> Result<Vec<Period>> {
        let Some(root) = self.roots.0.get(&view) else { return Ok(Vec::new()) };
        let Some(of) = root.entry(self.ledger, symbol)? else { return Ok(Vec::new()) };
        let periods = read_periods(self.ledger, root.place, symbol, &of.digest)?;
        let period = |(number, of): (&i32, &ListedPeriod)| {
            let ListedPeriod { events, keys, stands } = *of;
            Period { number: *number, events, keys, stands }
        };
        Ok(periods.iter().map(period).collect())
    }

    /// The numbers of these periods: years, or in dense views days since 1970.
    pub fn periods(&self, view: Series, symbol: &Symbol) -> Result<Vec<i32>> {
        Ok(self.stored(view, symbol)?.into_iter().map(|period| period.number).collect())
    }

    /// How many assertions a view stores of a symbol.
    pub fn events(&self, view: Series, symbol: &Symbol) -> Result<u64> {
        let Some(root) = self.roots.0.get(&view) else { return Ok(0) };
        Ok(root.entry(self.ledger, symbol)?.map_or(0, |of| of.events))
    }

    /// Whether a view had anything about a symbol by a position, whether or not it still counts: what
    /// was committed later must not tell the past that the symbol would come.
    ///
    /// # Errors
    /// A stored value that is not as it was written.
    pub fn had(&self, view: Series, symbol: &Symbol, at: Position) -> Result<bool> {
        let table = self.ledger.batches();
        if table.committed().after(view, at).is_empty() {
            return Ok(self.events(view, symbol)? > 0);
        }
        let by_then = |number: &u32| {
            table.get(BatchId(*number)).is_some_and(|batch| batch.committed_by(at).is_some())
        };
        for period in self.stored(view, symbol)? {
            if let Stands::Log(blocks) = period.stands {
                if by_then(&blocks.batch.0) {
                    return Ok(true);
                }
            } else if self.read(view, symbol, &[period])?.batches.iter().any(by_then) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A symbol's records as known at a position.
    pub fn records(
        &self,
        view: Series,
        symbol: &Symbol,
        at: Position,
        which: Which,
    ) -> Result<Vec<Record>> {
        let activity = self.activity(view, at);
        Ok(fold(view, &self.history(view, symbol)?, &activity, which))
    }

    /// Which batches count at a position, as [`Activity::at`] says it. Readers that share their roots work
    /// out an earlier one once, however many symbols they are asked about.
    pub fn activity(&self, view: Series, at: Position) -> Activity {
        self.roots.1.activity(self.ledger.batches(), view, at)
    }
}

impl std::fmt::Debug for ViewReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ViewReader({:?})", self.ledger)
    }
}
