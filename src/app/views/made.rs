//! What a view has of a symbol in a period, as its events give it.

use crate::app::error::Result;
use crate::app::groups::Groups;
use crate::app::history::parts;
use crate::app::standing::Standing;
use crate::domain::{BatchId, Series, Symbol};
use crate::ledger::Ledger;
use crate::ledger::codec::{ListedPeriod, Periods, Stands, encode_chunk};
use crate::ledger::hash::content;
use crate::projections::view::{History, keys_shown};
use std::collections::BTreeMap;
use std::ops::Range;

/// Where a period's events stand in the log, if a view can point there: one batch alone speaks of it, and
/// each event puts a value on a day of its own, as most of an import do. It goes by the batches that were
/// ever committed and by nothing else, so a view that was kept up and its rebuild point alike.
pub(super) fn stands(
    history: &History,
    range: Range<usize>,
    standing: &Standing,
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

/// What views say of the symbols of a range, where each period of theirs can be pointed at; found
/// without the values of their events.
///
/// # Errors
/// A block that cannot be read.
pub(super) fn all_pointed(
    ledger: &Ledger,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Option<BTreeMap<Symbol, BTreeMap<Series, Periods>>>> {
    if groups.are_spread(range) {
        return Ok(None);
    }
    let Some(found) = groups.keys(ledger, range)? else { return Ok(None) };
    let mut all: BTreeMap<Symbol, BTreeMap<Series, Periods>> = BTreeMap::new();
    for (symbol, views) in found {
        let mut of_symbol = BTreeMap::new();
        for (view, keys) in views {
            let mut periods = Periods::new();
            for (period, range) in parts(view, keys.days.iter().copied()) {
                let days = keys.days.get(range).unwrap_or_default();
                let (Some(first), Some(last)) = (days.first(), days.last()) else { continue };
                let batch = keys.standing.only(*first, *last);
                let Some(blocks) = batch.and_then(|of| keys.standing.blocks(of, *first, *last))
                else {
                    return Ok(None);
                };
                periods.insert(period, listed(days.len(), Stands::Log(blocks)));
            }
            of_symbol.insert(view, periods);
        }
        all.insert(symbol, of_symbol);
    }
    Ok(Some(all))
}

/// The value of a chunk, and what its directory says of it.
pub(super) fn chunk(history: &History, range: Range<usize>) -> Result<(Vec<u8>, ListedPeriod)> {
    let batches = history.batches.get(range.clone()).unwrap_or_default();
    let bytes = encode_chunk(&history.rows, range.clone(), batches)?;
    let (events, stands) = (range.len() as u64, Stands::Chunk(content(&bytes)));
    Ok((bytes, ListedPeriod { events, keys: keys_shown(history, range), stands }))
}
