//! Comparing views with the log.

use super::made::{all_pointed, chunk, stands};
use super::root::Root;
use super::stored::{read_chunk, read_periods};
use super::update::speaking_of;
use crate::app::block_runs::BlockRuns;
use crate::app::error::Result;
use crate::app::groups::{Groups, SymbolEvents};
use crate::app::history::by_period;
use crate::app::large_values::get;
use crate::app::threads;
use crate::domain::{BatchId, Position, Series, Symbol};
use crate::ledger::codec::{ListedPeriod, Periods, Stands, decode_chunk, is_earlier_chunk};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::History;
use std::collections::{BTreeMap, BTreeSet};

/// Builds views anew in memory, symbol by symbol, and compares them with the stored ones; returns
/// what differs, view by view. The events are read once for all of them.
///
/// `progress` hears of each symbol's events, those of one view after those of the other, and says
/// whether to go on.
///
/// # Errors
/// A view that cannot be read; [`LedgerError::Stopped`].
pub fn compare_with_log(
    ledger: &Ledger,
    views: &[Series],
    progress: &mut dyn FnMut(Series, u64) -> bool,
) -> Result<Vec<String>> {
    let mut roots = BTreeMap::new();
    let mut all = BTreeSet::new();
    for view in views {
        let root = Root::read(ledger, *view)?;
        let (mut left, mut differences) = (BTreeSet::new(), Vec::new());
        for shard in root.shards(ledger) {
            match shard {
                Ok(symbols) => left.extend(symbols.keys().cloned()),
                Err(error) => differences.push(error.to_string()),
            }
        }
        roots.insert(*view, (root, left, differences));
        all.extend(speaking_of(ledger, *view, Position(0)));
    }
    let all: Vec<BatchId> = all.into_iter().collect();
    let mut groups = Groups::of(ledger, &all)?.only(views.iter().copied());
    loop {
        let roots_read = &roots;
        let root_of = |view: &Series| roots_read.get(view).map(|(root, ..)| root);
        let work = |groups: &Groups, range: &_| compared(ledger, &root_of, groups, range);
        let Some(found) = groups.next_with(threads(), &work)? else { break };
        for Compared { symbol, view, events, differs } in found.into_iter().flatten() {
            if !progress(view, events) {
                return Err(LedgerError::Stopped.into());
            }
            if let Some((_, left, differences)) = roots.get_mut(&view) {
                left.remove(symbol.as_str());
                differences.extend(differs);
            }
        }
    }
    let each = roots.into_iter().flat_map(|(view, (_, left, mut differences))| {
        let surplus = |symbol| format!("view {view} has {symbol}, which the log has not");
        differences.extend(left.into_iter().map(surplus));
        differences
    });
    Ok(each.collect())
}

/// A symbol in a view, and how what is stored of it differs from the log.
struct Compared {
    symbol: Symbol,
    view: Series,
    events: u64,
    differs: Vec<String>,
}

/// Compares the symbols of a range.
fn compared<'r>(
    ledger: &Ledger,
    root_of: &impl Fn(&Series) -> Option<&'r Root>,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Vec<Compared>> {
    if let Some(compared) = all_as_pointed(ledger, root_of, groups, range)? {
        return Ok(compared);
    }
    let mut compared = Vec::new();
    for (symbol, events) in groups.events(ledger, range)? {
        let SymbolEvents { views, standing } = events;
        for ((view, history), standing) in views.into_iter().zip(standing.values()) {
            let Some(root) = root_of(&view) else { continue };
            let differs = compare_symbol(ledger, root, &symbol, &history, standing)?;
            let (symbol, events) = (symbol.clone(), history.batches.len() as u64);
            compared.push(Compared { symbol, view, events, differs });
        }
    }
    Ok(compared)
}

/// What is found where every period of a range can be pointed at and is: then no value need be looked
/// at, since the views have none. `None` where anything is otherwise.
fn all_as_pointed<'r>(
    ledger: &Ledger,
    root_of: &impl Fn(&Series) -> Option<&'r Root>,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Option<Vec<Compared>>> {
    let Some(found) = all_pointed(ledger, groups, range)? else { return Ok(None) };
    let mut compared = Vec::new();
    for (symbol, views) in found {
        for (view, periods) in views {
            let Some(root) = root_of(&view) else { continue };
            let events = periods.values().map(|of| of.events).sum();
            let Ok(Some(of)) = root.entry(ledger, &symbol) else { return Ok(None) };
            let stored = read_periods(ledger, root.place, &symbol, &of.digest);
            if of.events != events || !stored.is_ok_and(|stored| stored == periods) {
                return Ok(None);
            }
            compared.push(Compared { symbol: symbol.clone(), view, events, differs: Vec::new() });
        }
    }
    Ok(Some(compared))
}

/// How what is stored of a symbol differs from what its events give.
fn compare_symbol(
    ledger: &Ledger,
    root: &Root,
    symbol: &Symbol,
    history: &History,
    standing: &BlockRuns,
) -> Result<Vec<String>> {
    let (place, view) = (root.place, root.place.view);
    // That a shard cannot be read was said once for all its symbols.
    let Ok(listed) = root.entry(ledger, symbol) else { return Ok(Vec::new()) };
    let stored = match listed {
        Some(of) => read_periods(ledger, place, symbol, &of.digest),
        None => Ok(Periods::new()),
    };
    let mut stored = match stored {
        Ok(periods) => periods,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let events = history.batches.len() as u64;
    let (mut wrong, mut differs) = (Vec::new(), listed.is_none_or(|of| of.events != events));
    for (period, range) in by_period(view, history) {
        match stored.remove(&period) {
            Some(of) if matches!(of.stands, Stands::Log(_)) => {
                differs |= stands(history, range, standing) != Some(of);
            }
            // Also where it could be pointed at: as views were before they pointed.
            of => {
                let (bytes, made) = chunk(history, range)?;
                let found = get(ledger, &place.chunk_key(symbol, period))?;
                let (found, of) = as_of_now(found, of)?;
                // A directory of an earlier version does not know the keys.
                let keys = |of: &ListedPeriod| of.keys.and(made.keys);
                differs |= of.is_none_or(|of| of != ListedPeriod { keys: keys(&of), ..made });
                // Most often the value is what it has to be; only what is not is looked at.
                if let Stands::Chunk(digest) = made.stands
                    && found.is_none_or(|found| found != bytes)
                {
                    let error = read_chunk(ledger, place, symbol, period, &digest).err();
                    wrong.extend(error.map(|error| error.to_string()));
                }
            }
        }
    }
    if differs || !stored.is_empty() {
        return Ok(vec![format!("view {view} of {symbol} differs from its rebuild")]);
    }
    Ok(wrong)
}

/// A stored chunk and what its directory says of it; one of an earlier version as it would be written
/// now.
fn as_of_now(
    found: Option<Vec<u8>>,
    listed: Option<ListedPeriod>,
) -> Result<(Option<Vec<u8>>, Option<ListedPeriod>)> {
    match (found, listed) {
        (Some(old), Some(of))
            if is_earlier_chunk(&old) && of.stands == Stands::Chunk(content(&old)) =>
        {
            let (rows, batches) = decode_chunk(&old)?;
            let history = History { rows, batches };
            let (bytes, now) = chunk(&history, 0..history.batches.len())?;
            Ok((Some(bytes), Some(ListedPeriod { keys: of.keys.and(now.keys), ..now })))
        }
        other => Ok(other),
    }
}
