//! Erasing events for good, by hand or by the rules of retention.

mod elsewhere;

pub use elsewhere::elsewhere;

use super::error::{AppError, Result};
use super::fetch::{Forgotten, forget};
use super::report::{ErasedPartLine, ErasedReport};
use super::stage::entry_of;
use super::{Run, projection, views};
use crate::domain::rows::Head;
use crate::domain::{BatchId, Day, Digest, EventId, Rows, Series};
use crate::ledger::erase::Selection;
use crate::ledger::{Ledger, LedgerError, canon};
use crate::projections::homes::Splitter;
use std::collections::BTreeSet;

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
    super::parts::with_twins(ledger, &mut selection)?;
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
