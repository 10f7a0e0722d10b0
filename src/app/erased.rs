//! What was erased, and by whom: asked wherever an erasure could show.

use super::clock::rfc3339;
use super::error::{AppError, Result};
use super::report::ErasureLine;
use crate::domain::{BatchId, BatchState, Day, Digest, Erasure, EventId, Position, Series, Symbol};
use crate::ledger::Ledger;
use std::collections::BTreeMap;

/// Where an erasure could show.
#[derive(Clone, Debug, Default)]
pub struct Place<'a> {
    /// The views; none means all.
    pub series: &'a [Series],
    /// The symbols; none means all.
    pub symbols: &'a [Symbol],
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// The position; the head when absent.
    pub at: Option<Position>,
}

fn told(batch: BatchId, erasure: &Erasure, events: u64) -> ErasureLine {
    ErasureLine {
        entry: erasure.at.0,
        batch: batch.to_string(),
        events,
        actor: erasure.actor.clone(),
        time: rfc3339(erasure.time_ms),
        reason: erasure.reason.clone(),
    }
}

/// The erasures that took events of batches that count at a place. They are named for every position,
/// also one before the erasure: the events are gone from all of them.
///
/// # Errors
/// Damage met on the way.
pub fn missing(ledger: &Ledger, place: &Place<'_>) -> Result<Vec<ErasureLine>> {
    Ok(missing_by(ledger, place, |_| ())?.remove(&()).unwrap_or_default())
}

/// What [`missing`] says of each symbol of a place that lost something there. No block is read twice for it.
///
/// # Errors
/// Damage met on the way.
pub fn missing_by_symbol(
    ledger: &Ledger,
    place: &Place<'_>,
) -> Result<BTreeMap<Symbol, Vec<ErasureLine>>> {
    missing_by(ledger, place, |symbol| symbol)
}

fn missing_by<K: Ord>(
    ledger: &Ledger,
    place: &Place<'_>,
    of: impl Fn(Symbol) -> K,
) -> Result<BTreeMap<K, Vec<ErasureLine>>> {
    let at = place.at.unwrap_or(ledger.position());
    let mut found: BTreeMap<K, Vec<ErasureLine>> = BTreeMap::new();
    for (id, batch) in ledger.batches().iter().filter(|(_, batch)| !batch.erased.is_empty()) {
        if batch.state_at(at) != Some(BatchState::Active) {
            continue;
        }
        let views = batch.stage.views.iter().map(|part| part.series);
        let speaks = |series: Series| place.series.contains(&series);
        if !place.series.is_empty() && !views.into_iter().any(speaks) {
            continue;
        }
        let mut counts: BTreeMap<(K, Position), u64> = BTreeMap::new();
        for erased in ledger.erased_of(id)? {
            // A rejected row never showed.
            let Some(symbol) = erased.symbol else { continue };
            let here = (place.symbols.is_empty() || place.symbols.contains(&symbol))
                && place.from.is_none_or(|from| erased.day >= from)
                && place.to.is_none_or(|to| erased.day <= to);
            if here {
                *counts.entry((of(symbol), erased.entry)).or_default() += 1;
            }
        }
        for ((key, entry), events) in counts {
            let by = batch.erased.iter().find(|erasure| erasure.at == entry);
            found.entry(key).or_default().extend(by.map(|erasure| told(id, erasure, events)));
        }
    }
    Ok(found)
}

/// What was erased of one batch, in whatever state it is.
pub fn of_batch(ledger: &Ledger, id: BatchId) -> Vec<ErasureLine> {
    let erased = ledger.batches().get(id).map(|batch| batch.erased.as_slice()).unwrap_or_default();
    erased.iter().map(|erasure| told(id, erasure, erasure.events)).collect()
}

/// The erasure of one event; `None` when it is there.
///
/// # Errors
/// Damage met on the way.
pub fn of_event(ledger: &Ledger, event: EventId) -> Result<Option<ErasureLine>> {
    let Some(batch) = ledger.batches().get(event.batch).filter(|b| !b.erased.is_empty()) else {
        return Ok(None);
    };
    let erased = ledger.erased_of(event.batch)?;
    let Some(erased) = erased.iter().find(|erased| erased.seq == event.seq) else {
        return Ok(None);
    };
    let by = batch.erased.iter().find(|erasure| erasure.at == erased.entry);
    Ok(by.map(|erasure| told(event.batch, erasure, 1)))
}

/// Refuses an event that was erased.
///
/// # Errors
/// [`AppError::Erased`].
pub fn refuse_event(ledger: &Ledger, event: EventId) -> Result<()> {
    match of_event(ledger, event)? {
        Some(erasure) => {
            Err(AppError::Erased { what: event.to_string(), erasure: Box::new(erasure) })
        }
        None => Ok(()),
    }
}

/// Refuses what needs a whole batch, if something of it was erased.
///
/// # Errors
/// [`AppError::Erased`].
pub fn refuse_batch(ledger: &Ledger, id: BatchId) -> Result<()> {
    let erasure = ledger.batches().get(id).and_then(|batch| batch.erased.last());
    match erasure {
        Some(erasure) => {
            let events = erasure.events;
            let noun = if events == 1 { "event" } else { "events" };
            let what = format!("a part of {id} ({events} {noun})");
            Err(AppError::Erased { what, erasure: Box::new(told(id, erasure, events)) })
        }
        None => Ok(()),
    }
}

/// The erasure that took a source's bytes; `None` when they are there.
///
/// # Errors
/// Damage met on the way.
pub fn of_source(ledger: &Ledger, digest: &Digest) -> Result<Option<ErasureLine>> {
    if ledger.store().kept(digest)?.is_some() {
        return Ok(None);
    }
    for (id, batch) in ledger.batches().iter().filter(|(_, batch)| !batch.erased.is_empty()) {
        let manifest = ledger.known_manifest(&batch.stage)?;
        let number = manifest.sources.iter().position(|source| source.digest == *digest);
        let Some(number) = number else { continue };
        let erased = ledger.erased_of(id)?;
        let by = erased.iter().find(|erased| erased.source as usize == number);
        let by = by.and_then(|one| batch.erased.iter().find(|e| e.at == one.entry));
        if let Some(erasure) = by {
            return Ok(Some(told(id, erasure, erasure.events)));
        }
    }
    Ok(None)
}
