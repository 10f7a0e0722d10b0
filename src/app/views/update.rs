//! Bringing views up to the head, rebuilding them, comparing them with the log.

use super::reader::Roots;
use super::root::{Root, read_position};
use super::stored::{Entries, LIVE, MARK, Place, directory_bytes, read_chunk, read_years};
use crate::app::error::{AppError, Result};
use crate::app::groups::{Group, Groups};
use crate::app::history::{by_period, merged, part};
use crate::app::pieces::{get, put};
use crate::app::{Progress, threads};
use crate::domain::{BatchId, Position, Series, Symbol};
use crate::ledger::codec::{Listed, decode_chunk, encode_chunk, is_earlier_chunk};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::{History, keys_shown};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The batches committed after a position that speak of a view: only their blocks need to be read
/// for it.
fn speaking_of(ledger: &Ledger, view: Series, after: Position) -> Vec<BatchId> {
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
        known.0.extend(apply(ledger, roots, &batches, threads(), progress, false)?);
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
    threads: usize,
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
    let mut groups = Groups::of(ledger, batches)?.only(roots.keys().copied());
    loop {
        // Chunks are made by several threads; the one that holds the ledger writes them.
        let made = groups.next_with(ledger, threads, &|group: Group| {
            let events = group.into_iter().flat_map(|(symbol, events)| {
                events.views.into_iter().map(move |(view, history)| (view, symbol.clone(), history))
            });
            let asked = events.filter_map(|(view, symbol, history)| {
                Some(updated(ledger, roots.get(&view)?, symbol, &history))
            });
            asked.collect::<Result<Vec<Updated>>>()
        })?;
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

/// A symbol's chunks with further events; adding them twice changes nothing.
fn updated(ledger: &Ledger, root: &Root, symbol: Symbol, history: &History) -> Result<Updated> {
    let place = root.place;
    let mut years = match root.entry(ledger, &symbol)? {
        Some(of) => read_years(ledger, place, &symbol, &of.digest)?,
        None => Entries::new(),
    };
    let mut values = Vec::new();
    for (year, range) in by_period(place.view, history) {
        let name = year.to_string();
        let (bytes, listed) = match years.get(&name) {
            Some(of) => {
                let stored = read_chunk(ledger, place, &symbol, year, &of.digest)?;
                let whole = merged(stored, &part(history, range));
                chunk(&whole, 0..whole.batches.len())?
            }
            None => chunk(history, range)?,
        };
        years.insert(name, listed);
        values.push((place.chunk_key(&symbol, year), bytes));
    }
    let bytes = directory_bytes(&years)?;
    let events = years.values().map(|of| of.events).sum();
    let entry = Listed { events, keys: None, digest: content(&bytes) };
    values.push((place.symbol_key(&symbol), bytes));
    let (view, rows) = (place.view, history.batches.len() as u64);
    Ok(Updated { view, symbol, rows, values, entry })
}

/// The value of a chunk, and what its directory says of it.
fn chunk(history: &History, range: std::ops::Range<usize>) -> Result<(Vec<u8>, Listed)> {
    let batches = history.batches.get(range.clone()).unwrap_or_default();
    let bytes = encode_chunk(&history.rows, range.clone(), batches)?;
    let (events, digest) = (range.len() as u64, content(&bytes));
    Ok((bytes, Listed { events, keys: keys_shown(history, range), digest }))
}

/// A stored chunk and what its directory says of it; one of an earlier version as it would be written
/// now.
fn as_of_now(
    found: Option<Vec<u8>>,
    listed: Option<Listed>,
) -> Result<(Option<Vec<u8>>, Option<Listed>)> {
    match (found, listed) {
        (Some(old), Some(of)) if is_earlier_chunk(&old) && content(&old) == of.digest => {
            let (rows, batches) = decode_chunk(&old)?;
            let history = History { rows, batches };
            let (bytes, listed) = chunk(&history, 0..history.batches.len())?;
            Ok((Some(bytes), Some(Listed { keys: of.keys.and(listed.keys), ..listed })))
        }
        other => Ok(other),
    }
}

/// Builds a view anew from the first event, beside the one in use, and then uses it instead. A
/// crash on the way leaves the old one in use, and so does stopping.
pub fn rebuild(ledger: &mut Ledger, view: Series, progress: &dyn Progress) -> Result<()> {
    let old = Place::live(ledger, view)?;
    let new = old.other();
    new.clear(ledger)?;
    let all = speaking_of(ledger, view, Position(0));
    let roots = [(view, Root::empty(new))].into();
    if let Err(error) = apply(ledger, roots, &all, threads(), progress, true) {
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
        let compared = |group: Group| {
            let of_views = group.into_iter().flat_map(|(symbol, events)| {
                events.views.into_iter().map(move |(view, history)| (symbol.clone(), view, history))
            });
            let found = of_views.filter_map(|(symbol, view, history)| {
                let (root, ..) = roots_read.get(&view)?;
                let found = compare_symbol(ledger, root, &symbol, &history);
                Some(found.map(|found| (symbol, view, history.batches.len() as u64, found)))
            });
            found.collect::<Result<Vec<_>>>()
        };
        let Some(found) = groups.next_with(ledger, threads(), &compared)? else { break };
        for (symbol, view, events, found) in found.into_iter().flatten() {
            if !progress(view, events) {
                return Err(LedgerError::Stopped.into());
            }
            if let Some((_, left, differences)) = roots.get_mut(&view) {
                left.remove(symbol.as_str());
                differences.extend(found);
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

/// How what is stored of a symbol differs from what its events give.
fn compare_symbol(
    ledger: &Ledger,
    root: &Root,
    symbol: &Symbol,
    history: &History,
) -> Result<Vec<String>> {
    let (place, view) = (root.place, root.place.view);
    // That a shard cannot be read was said once for all its symbols.
    let Ok(listed) = root.entry(ledger, symbol) else { return Ok(Vec::new()) };
    let stored = match listed {
        Some(of) => read_years(ledger, place, symbol, &of.digest),
        None => Ok(Entries::new()),
    };
    let mut stored = match stored {
        Ok(years) => years,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let events = history.batches.len() as u64;
    let (mut wrong, mut differs) = (Vec::new(), listed.is_none_or(|of| of.events != events));
    for (year, range) in by_period(view, history) {
        let (bytes, made) = chunk(history, range)?;
        let found = get(ledger, &place.chunk_key(symbol, year))?;
        let (found, listed) = as_of_now(found, stored.remove(&year.to_string()))?;
        // A directory of an earlier version does not know the keys.
        differs |= listed.is_none_or(|of| of != Listed { keys: of.keys.and(made.keys), ..made });
        // Most often the value is what it has to be; only what is not is looked at.
        if found.is_none_or(|found| found != bytes) {
            let error = read_chunk(ledger, place, symbol, year, &made.digest).err();
            wrong.extend(error.map(|error| error.to_string()));
        }
    }
    if differs || !stored.is_empty() {
        return Ok(vec![format!("view {view} of {symbol} differs from its rebuild")]);
    }
    Ok(wrong)
}
