//! Bringing views up to the head, and rebuilding them.

use super::inlog::{Unpacked, read_period};
use super::made::{Pointed, PointedSymbols, all_pointed, chunk, stands};
use super::reader::Roots;
use super::root::{Root, read_position};
use super::stored::{LIVE, MARK, Place, read_periods};
use crate::app::block_runs::BlockRuns;
use crate::app::error::{AppError, Result};
use crate::app::groups::{Groups, SymbolEvents};
use crate::app::history::{by_period, merged, part};
use crate::app::large_values::put;
use crate::app::{Progress, threads};
use crate::domain::{BatchId, Position, Series, Symbol};
use crate::ledger::codec::{Listed, Periods, encode_periods};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::History;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The batches committed after a position that speak of a view: only their blocks need to be read
/// for it.
pub(super) fn speaking_of(ledger: &Ledger, view: Series, after: Position) -> Vec<BatchId> {
    ledger.batches().committed().after(view, after).iter().map(|(_, id)| *id).collect()
}

/// Whether a committed batch is not in a view yet: an update of it has failed in this process.
pub(super) fn is_behind(ledger: &Ledger, view: Series, position: Position) -> bool {
    !ledger.batches().committed().after(view, position).is_empty()
}

/// Brings every view up to the head; returns the views that had to be rebuilt.
pub fn catch_up(ledger: &mut Ledger, progress: &dyn Progress) -> Result<Vec<Series>> {
    let mut rebuilt = Vec::new();
    let mut behind: BTreeMap<Series, Vec<BatchId>> = BTreeMap::new();
    let known = ledger.remembered::<Roots>().unwrap_or_default();
    // A view of which no committed batch speaks is empty, and was never written.
    for view in ledger.batches().committed().series().collect::<Vec<_>>() {
        // What is remembered is whole.
        let known = known.0.get(&view);
        if known.is_none() && ledger.store().view(&[MARK, view.code()])?.is_some() {
            tracing::warn!(%view, "an interrupted update: the view is rebuilt");
            rebuild(ledger, view, progress)?;
            rebuilt.push(view);
            continue;
        }
        let position = match known {
            Some(root) => root.position,
            None => read_position(ledger, view)?,
        };
        let of_view = speaking_of(ledger, view, position);
        if !of_view.is_empty() {
            behind.insert(view, of_view);
        }
    }
    if behind.is_empty() {
        return Ok(rebuilt);
    }
    let pointed = ledger.remembered::<Pointed>();
    // They are forgotten by the ledger until they are stored again.
    ledger.store_mut();
    let mut known = Arc::unwrap_or_clone(known);
    // Usually one batch is behind in all its views: its blocks are then read once.
    while let Some((_, batches)) = behind.first_key_value() {
        let batches = batches.clone();
        let views: Vec<Series> =
            behind.iter().filter(|(_, b)| **b == batches).map(|(view, _)| *view).collect();
        let mut roots = BTreeMap::new();
        for view in &views {
            let root = known.0.remove(view).map_or_else(|| Root::read(ledger, *view), Ok)?;
            roots.insert(*view, root);
            ledger.store_mut().put_view(&[MARK, view.code()], &[1])?;
        }
        let pointed = pointed.as_deref().filter(|of| batches == [of.batch]);
        let pointed = pointed.map(|of| &of.symbols);
        known.0.extend(apply(ledger, roots, &batches, (&known.2, pointed), progress, false)?);
        for view in &views {
            ledger.store_mut().remove_view(&[MARK, view.code()])?;
        }
        ledger.store_mut().flush_views()?;
        behind.retain(|view, _| !views.contains(view));
    }
    known.remember(ledger);
    Ok(rebuilt)
}

/// Adds the events of committed batches to views; their roots, and with them their positions, are
/// written last, and returned as they are stored then.
fn apply(
    ledger: &mut Ledger,
    mut roots: BTreeMap<Series, Root>,
    batches: &[BatchId],
    (unpacked, pointed): (&Unpacked, Option<&PointedSymbols>),
    progress: &dyn Progress,
    may_stop: bool,
) -> Result<BTreeMap<Series, Root>> {
    // A row may speak of several views.
    let parts = batches.iter().filter_map(|id| ledger.batches().get(*id));
    let parts = parts.flat_map(|batch| &batch.stage.views);
    let parts = parts.filter(|part| roots.contains_key(&part.series));
    let (total, mut done) = (parts.map(|part| part.events).sum(), 0);
    progress.begin("updating views", Some(total), "rows in views");
    let views: Vec<&Series> = roots.keys().collect();
    tracing::debug!(?views, ?batches, events = total, "adding events to views");
    // What the review found need not be found again.
    let mut found = pointed.map_or(Ok(None), |of| of_news(ledger, &roots, of))?;
    let mut groups = match found {
        Some(_) => Groups::none(),
        None => Groups::of(ledger, batches)?.only(roots.keys().copied()),
    };
    loop {
        // Chunks are made by several threads; the one that holds the ledger writes them.
        let work = |groups: &Groups, range: &_| updates(ledger, &roots, unpacked, groups, range);
        let made = match found.take() {
            Some(found) => Some(vec![found]),
            None => groups.next_with(threads(), &work)?,
        };
        let Some(made) = made else { break };
        for update in made.into_iter().flatten() {
            for (key, bytes) in &update.values {
                put(ledger, key, bytes)?;
            }
            done += update.rows;
            if let Some(root) = roots.get_mut(&update.view) {
                root.set(ledger, &update.symbol, update.entry)?;
            }
        }
        progress.at(done);
        if may_stop && progress.stopped() {
            return Err(LedgerError::Stopped.into());
        }
    }
    for root in roots.values_mut() {
        root.position = ledger.position();
        root.write(ledger)?;
    }
    progress.end();
    Ok(roots)
}

/// What is to be written of a symbol.
struct Updated {
    view: Series,
    symbol: Symbol,
    rows: u64,
    /// Its chunks, then its directory, by key.
    values: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its line in its shard.
    entry: Listed,
}

impl Updated {
    /// What its directory says, after chunks.
    fn of(
        place: Place,
        symbol: Symbol,
        rows: u64,
        mut values: Vec<(Vec<u8>, Vec<u8>)>,
        periods: &Periods,
    ) -> Result<Self> {
        let bytes = encode_periods(periods)?;
        let events = periods.values().map(|of| of.events).sum();
        let entry = Listed { events, digest: content(&bytes) };
        values.push((place.symbol_key(&symbol), bytes));
        Ok(Self { view: place.view, symbol, rows, values, entry })
    }
}

/// What the events of some neighbouring symbols come to.
fn updates(
    ledger: &Ledger,
    roots: &BTreeMap<Series, Root>,
    unpacked: &Unpacked,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Vec<Updated>> {
    if let Some(updates) = pointed(ledger, roots, groups, range)? {
        return Ok(updates);
    }
    let mut updates = Vec::new();
    for (symbol, events) in groups.events(ledger, range)? {
        let SymbolEvents { views, standing } = events;
        for ((view, history), standing) in views.into_iter().zip(standing.values()) {
            if let Some(root) = roots.get(&view) {
                updates.push(updated(ledger, root, unpacked, symbol.clone(), &history, standing)?);
            }
        }
    }
    Ok(updates)
}

/// What is to be written where every period of symbols that are new can be pointed at: for that no
/// value need be looked at.
fn pointed(
    ledger: &Ledger,
    roots: &BTreeMap<Series, Root>,
    groups: &Groups,
    range: &(Symbol, Symbol),
) -> Result<Option<Vec<Updated>>> {
    let (first, last) = (range.0.as_str(), range.1.as_str());
    for root in roots.values() {
        if root.knows(ledger, first, last)? {
            return Ok(None);
        }
    }
    let Some(found) = all_pointed(ledger, groups, range)? else { return Ok(None) };
    of_news(ledger, roots, &found)
}

/// What is to be written of symbols of which every period can be pointed at, as long as they are new.
fn of_news(
    ledger: &Ledger,
    roots: &BTreeMap<Series, Root>,
    found: &PointedSymbols,
) -> Result<Option<Vec<Updated>>> {
    let mut updates = Vec::new();
    for (symbol, views) in found {
        for (view, periods) in views {
            let Some(root) = roots.get(view) else { continue };
            if root.entry(ledger, symbol)?.is_some() {
                return Ok(None);
            }
            let rows = periods.values().map(|of| of.events).sum();
            updates.push(Updated::of(root.place, symbol.clone(), rows, Vec::new(), periods)?);
        }
    }
    Ok(Some(updates))
}

/// A symbol's chunks with further events; adding them twice changes nothing.
fn updated(
    ledger: &Ledger,
    root: &Root,
    unpacked: &Unpacked,
    symbol: Symbol,
    history: &History,
    standing: &BlockRuns,
) -> Result<Updated> {
    let place = root.place;
    let mut periods = match root.entry(ledger, &symbol)? {
        Some(of) => read_periods(ledger, place, &symbol, &of.digest)?,
        None => Periods::new(),
    };
    let mut values = Vec::new();
    for (period, range) in by_period(place.view, history) {
        let listed = match periods.get(&period) {
            None => stands(history, range.clone(), standing),
            // What is there already.
            Some(of) => stands(history, range.clone(), standing).filter(|new| new == of),
        };
        let listed = match (listed, periods.get(&period)) {
            (Some(listed), _) => listed,
            (None, known) => {
                let (bytes, listed) = match known {
                    Some(of) => {
                        let stored = read_period(ledger, unpacked, place, &symbol, period, of)?;
                        let whole = merged(stored, &part(history, range));
                        chunk(&whole, 0..whole.batches.len())?
                    }
                    None => chunk(history, range)?,
                };
                values.push((place.chunk_key(&symbol, period), bytes));
                listed
            }
        };
        periods.insert(period, listed);
    }
    Updated::of(place, symbol, history.batches.len() as u64, values, &periods)
}

/// Builds a view anew from the first event, beside the one in use, and then uses it instead. A
/// crash on the way leaves the old one in use, and so does stopping.
pub fn rebuild(ledger: &mut Ledger, view: Series, progress: &dyn Progress) -> Result<()> {
    let old = Place::live(ledger, view)?;
    let new = old.other();
    new.clear(ledger)?;
    let all = speaking_of(ledger, view, Position(0));
    let roots = [(view, Root::empty(new))].into();
    let apart = (&Unpacked::default(), None);
    if let Err(error) = apply(ledger, roots, &all, apart, progress, true) {
        // The view in use is untouched; what was built beside it goes.
        if matches!(error, AppError::Ledger(LedgerError::Stopped)) {
            new.clear(ledger)?;
        }
        return Err(error);
    }
    ledger.store_mut().flush_views()?;
    ledger.store_mut().put_view(&[LIVE, view.code()], &[u8::from(new.second)])?;
    ledger.store_mut().flush_views()?;
    ledger.store_mut().remove_view(&[MARK, view.code()])?;
    old.clear(ledger)?;
    ledger.store_mut().flush_views()?;
    Ok(())
}
