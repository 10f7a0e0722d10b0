//! What a view has of a symbol in a period, as its events give it.

use crate::app::block_runs::BlockRuns;
use crate::app::error::Result;
use crate::app::groups::{Groups, SymbolEvents, SymbolKeys};
use crate::app::history::{by_period, parts};
use crate::domain::{BatchId, Series, Symbol};
use crate::ledger::Ledger;
use crate::ledger::codec::{ListedPeriod, Periods, Stands, encode_chunk};
use crate::ledger::hash::content;
use crate::projections::view::{History, keys_shown};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Where a period's events stand in the log, if a view can point there: one batch alone speaks of it, and
/// each event puts a value on a day of its own, as most of an import do. It goes by the batches that were
/// ever committed and by nothing else, so a view that was kept up and its rebuild point alike.
pub(super) fn stands(
    history: &History,
    range: Range<usize>,
    standing: &BlockRuns,
) -> Option<ListedPeriod> {
    let batches = history.batches.get(range.clone())?;
    let heads = history.rows.heads().get(range)?;
    let (batch, first, last) = (batches.first()?, heads.first()?.day, heads.last()?.day);
    if batches.iter().any(|of| of != batch) {
        return None;
    }
    Some(listed(heads.len(), Stands::Log(standing.blocks(BatchId(*batch), first, last)?)))
}

fn listed(events: usize, stands: Stands) -> ListedPeriod {
    // Every event shows a record of its own.
    ListedPeriod { events: events as u64, keys: Some(events as u64), stands }
}

/// What the views say of a symbol whose periods can all be pointed at.
type PointedSymbol = BTreeMap<Series, Periods>;

/// What they say of symbols, all of whose periods can.
pub(super) type PointedSymbols = BTreeMap<Symbol, PointedSymbol>;

/// What the views will say of a batch that its review has looked through, where each period of each symbol
/// can be pointed at as long as no other batch speaks of the symbol. So its blocks need not be read again
/// when it is confirmed at once.
#[derive(Debug)]
pub struct Pointed {
    pub(super) batch: BatchId,
    pub(super) symbols: PointedSymbols,
}

/// So many symbols are remembered, some 10 MiB for ten years of two views.
const REMEMBERED: usize = 8_000;

/// Gathers what the views will say of a batch, symbol by symbol.
#[derive(Clone, Debug, Default)]
pub struct Pointing {
    symbols: PointedSymbols,
    /// Whether a symbol has a period that cannot be pointed at.
    failed: bool,
}

impl Pointing {
    /// Takes in a symbol by the keys of its events.
    pub fn keys(&mut self, symbol: &Symbol, keys: &SymbolKeys) {
        if !self.failed {
            self.take(symbol, pointed(keys));
        }
    }

    /// Takes in a symbol by its events, as long as nothing was missing.
    pub fn events(&mut self, symbol: &Symbol, events: &SymbolEvents) {
        let of_view = |((view, history), standing): ((&Series, &History), &BlockRuns)| {
            let of = |(period, range)| Some((period, stands(history, range, standing)?));
            let periods = by_period(*view, history).into_iter().map(of);
            Some((*view, periods.collect::<Option<Periods>>()?))
        };
        if !self.failed {
            let views = events.views.iter().zip(events.standing.values());
            self.take(symbol, views.map(of_view).collect());
        }
    }

    fn take(&mut self, symbol: &Symbol, found: Option<PointedSymbol>) {
        match found.filter(|_| self.symbols.len() < REMEMBERED) {
            Some(found) => drop(self.symbols.insert(symbol.clone(), found)),
            None => *self = Self { failed: true, ..Self::default() },
        }
    }

    /// Has the ledger remember it until a view is written.
    pub fn remember(self, ledger: &Ledger, batch: BatchId) {
        if !self.failed {
            ledger.remember(Arc::new(Pointed { batch, symbols: self.symbols }));
        }
    }
}

/// What the views say of a symbol, by the keys of its events.
fn pointed(views: &SymbolKeys) -> Option<PointedSymbol> {
    let mut found = PointedSymbol::new();
    for (view, keys) in views {
        let mut periods = Periods::new();
        for (period, range) in parts(*view, keys.days.iter().copied()) {
            let days = keys.days.get(range)?;
            let (first, last) = (*days.first()?, *days.last()?);
            let blocks = keys.standing.blocks(keys.standing.only(first, last)?, first, last)?;
            periods.insert(period, listed(days.len(), Stands::Log(blocks)));
        }
        found.insert(*view, periods);
    }
    Some(found)
}

/// What views say of the symbols of a range, where each period of theirs can be pointed at; found
/// without the values of their events.
///
/// # Errors
/// A block that cannot be read.
pub(super) fn all_pointed(
    ledger: &Ledger,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Option<PointedSymbols>> {
    if !groups.are_worth_a_look(range) {
        return Ok(None);
    }
    let found = groups.keys(ledger, range)?.and_then(|all| {
        let of = |(symbol, keys)| Some((symbol, pointed(&keys)?));
        all.into_iter().map(of).collect::<Option<PointedSymbols>>()
    });
    groups.looked(found.is_some());
    Ok(found)
}

/// The value of a chunk, and what its directory says of it.
pub(super) fn chunk(history: &History, range: Range<usize>) -> Result<(Vec<u8>, ListedPeriod)> {
    let batches = history.batches.get(range.clone()).unwrap_or_default();
    let bytes = encode_chunk(&history.rows, range.clone(), batches)?;
    let (events, stands) = (range.len() as u64, Stands::Chunk(content(&bytes)));
    Ok((bytes, ListedPeriod { events, keys: keys_shown(history, range), stands }))
}
