//! Erasing events for good, by hand or by the rules of retention, and naming erasures wherever they
//! show.

mod elsewhere;

pub use elsewhere::elsewhere;

use super::clock::rfc3339;
use super::error::{AppError, Result};
use super::fetch::{Forgotten, forget};
use super::report::{ErasedPartLine, ErasedReport, ErasureLine};
use super::stage::entry_of;
use super::{Run, projection, views};
use crate::domain::rows::Head;
use crate::domain::{
    BatchId, BatchState, Day, Digest, Erasure, EventId, Position, Rows, Series, Symbol,
};
use crate::ledger::erase::Selection;
use crate::ledger::{Ledger, LedgerError, canon};
use crate::projections::homes::Splitter;
use std::collections::{BTreeMap, BTreeSet};

/// The events that the words of a command name: `b7/3` is one, `b7` all of a batch.
///
/// # Errors
/// [`AppError::Usage`], [`LedgerError::NoSuchBatch`], [`LedgerError::NoSuchEvent`].
pub fn selected(ledger: &Ledger, words: &[String]) -> Result<Selection> {
    let mut selection = Selection::new();
    for word in words {
        if let Ok(id) = word.parse::<BatchId>() {
            let nothing = || LedgerError::NoSuchBatch(id);
            let events = ledger.batches().get(id).ok_or_else(nothing)?.stage.events;
            selection.entry(id).or_default().extend(0..events as u32);
            continue;
        }
        let event: EventId = word.parse().map_err(|_| {
            AppError::Usage(format!("`{word}` is neither an event (b7/3) nor a batch (b7)"))
        })?;
        let batch = ledger.batches().get(event.batch);
        if batch.is_none_or(|batch| u64::from(event.seq) >= batch.stage.events) {
            return Err(LedgerError::NoSuchEvent(event).into());
        }
        selection.entry(event.batch).or_default().insert(event.seq);
    }
    // A split leaves a row in the whole and in a part: it is erased from both.
    super::split::with_twins(ledger, &mut selection)?;
    Ok(ledger.erasable(selection)?)
}

/// The views that the rows of one window or block speak of.
pub(super) struct RowViews<'a>(Splitter<'a>);

impl<'a> RowViews<'a> {
    pub(super) fn of(rows: &'a Rows) -> Self {
        Self(Splitter::new(rows))
    }

    pub(super) fn of_row(&mut self, head: &Head) -> impl Iterator<Item = Series> {
        self.0.parts(head.shape, head.series).iter().map(|(view, ..)| *view)
    }
}

/// What erasing a selection would take.
///
/// # Errors
/// Damage met on the way.
pub fn plan(ledger: &Ledger, selection: &Selection, reason: &str) -> Result<ErasedReport> {
    let (mut parts, mut digests) = (Vec::new(), BTreeSet::new());
    for (id, numbers) in selection {
        parts.push(part(ledger, *id, numbers, &mut digests)?);
    }
    let mut without_bytes = Vec::new();
    for (id, batch) in ledger.batches().iter().filter(|(id, _)| !selection.contains_key(id)) {
        let manifest = ledger.known_manifest(&batch.stage)?;
        if manifest.sources.iter().any(|source| digests.contains(&source.digest)) {
            without_bytes.push(id.to_string());
        }
    }
    Ok(ErasedReport {
        plan: true,
        entry: None,
        position: ledger.position().0,
        reason: reason.to_owned(),
        events: parts.iter().map(|part| part.events).sum(),
        bytes: parts.iter().map(|part| part.bytes).sum(),
        batches: parts,
        held: Vec::new(),
        rejected: Vec::new(),
        elsewhere: Vec::new(),
        without_bytes,
        waiting: 0,
        inbox_held: false,
    })
}

/// What goes of one batch; the sources that it was read from go to `digests`.
fn part(
    ledger: &Ledger,
    id: BatchId,
    numbers: &BTreeSet<u32>,
    digests: &mut BTreeSet<Digest>,
) -> Result<ErasedPartLine> {
    let nothing = || LedgerError::NoSuchBatch(id);
    let batch = ledger.batches().get(id).ok_or_else(nothing)?;
    let (mut symbols, mut series, mut sources) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut views: BTreeSet<Series> = BTreeSet::new();
    let (mut first, mut last, mut bytes, mut buffer) = (None, None, 0, Vec::new());
    let mut reader = ledger.read(id);
    while let Some(window) = reader.next_window()? {
        let mut homes = RowViews::of(&window.rows);
        for row in window.rows.iter().filter(|row| numbers.contains(&row.head.seq)) {
            views.extend(homes.of_row(row.head));
            symbols.insert(row.symbol.clone());
            series.insert(row.head.series);
            sources.insert(row.head.source);
            first = Some(first.map_or(row.head.day, |first: Day| first.min(row.head.day)));
            last = Some(last.map_or(row.head.day, |last: Day| last.max(row.head.day)));
            buffer.clear();
            canon::put_row(&mut buffer, row);
            bytes += buffer.len() as u64;
        }
        for reject in window.rejects.iter().filter(|reject| numbers.contains(&reject.seq)) {
            series.insert(reject.series);
            sources.insert(reject.source);
            buffer.clear();
            canon::put_reject(&mut buffer, reject);
            bytes += buffer.len() as u64;
        }
    }
    let manifest = ledger.manifest_of(&batch.stage)?;
    let sources: Vec<_> =
        sources.into_iter().filter_map(|number| manifest.sources.get(number as usize)).collect();
    digests.extend(sources.iter().map(|source| source.digest));
    Ok(ErasedPartLine {
        batch: id.to_string(),
        state: batch.state().name(),
        events: numbers.len() as u64,
        of: batch.stage.events,
        series: series.into_iter().map(Series::name).collect(),
        views: views.into_iter().map(Series::name).collect(),
        symbols: symbols.len() as u64,
        from: first.map(|day| day.to_string()),
        to: last.map(|day| day.to_string()),
        bytes,
        sources: sources.into_iter().map(|source| source.name.clone()).collect(),
    })
}

/// Erases a selection, and brings views and kept projections up to what is left.
///
/// # Errors
/// [`AppError::Usage`] without a reason; those of [`Ledger::erase`].
pub fn erase(
    ledger: &mut Ledger,
    selection: &Selection,
    reason: &str,
    run: &Run<'_>,
) -> Result<ErasedReport> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(AppError::Usage("an erasure needs a reason".to_owned()));
    }
    let report = plan(ledger, selection, reason)?;
    if selection.is_empty() {
        return Ok(ErasedReport { plan: false, ..report });
    }
    super::stage::short_enough(Some(reason))?;
    // First, so that a crash costs at most an answer, which is asked for again; one that stayed could
    // bring the rows back.
    let Forgotten { answers, held } = forget(ledger, selection)?;
    let (waiting, inbox_held) = (answers as u64, held);
    let at = ledger.erase(selection, reason, &|kind| entry_of(kind, run))?;
    views::catch_up(ledger, run.progress)?;
    if run.refresh {
        projection::refresh(ledger, &[], run);
    }
    let (entry, position) = (Some(at.0), ledger.position().0);
    Ok(ErasedReport { plan: false, entry, position, waiting, inbox_held, ..report })
}

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
