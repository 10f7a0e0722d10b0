//! The state of a ledger: its batches, views, coverage and size.

use super::clock::rfc3339;
use super::derive;
use super::error::Result;
use super::fetch::CoverageMap;
use super::report::{Status, StatusCoverage, StatusOutdated, StatusView};
use super::views::{Counter, ViewReader};
use super::{parallel, threads};
use crate::domain::{BatchState, Fact, Position, Series};
use crate::ledger::{Inbox, Ledger};
use crate::projections::view::Activity;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was asked of a service until a position, per view.
fn coverage(ledger: &Ledger, at: Position) -> Result<Vec<StatusCoverage>> {
    let map = CoverageMap::at(ledger, at)?;
    let mut lines: BTreeMap<Series, StatusCoverage> = BTreeMap::new();
    for (series, symbol, scope) in map.iter() {
        let line = lines.entry(*series).or_insert_with(|| StatusCoverage {
            series: series.name(),
            asked: 0,
            data: 0,
            empty: 0,
            not_entitled: 0,
            failed: 0,
        });
        let ranges = map.ranges(*series, symbol, scope, &BTreeSet::new());
        let has = |fact| u64::from(ranges.iter().any(|range| range.fact == fact));
        line.asked += 1;
        line.data += has(Fact::Data);
        line.empty += has(Fact::Empty);
        line.not_entitled += has(Fact::NotEntitled);
        line.failed += has(Fact::Failed);
    }
    Ok(lines.into_values().collect())
}

/// The state of the ledger at a position, by default the head: its size on disk is that of now, and
/// whether computed values follow from the data is looked at there only.
///
/// # Errors
/// [`crate::ledger::LedgerError::NoSuchPosition`], or a view that cannot be read.
pub fn status(ledger: &Ledger, at: Option<Position>, notes: &[String]) -> Result<Status> {
    let at = at.unwrap_or(ledger.position());
    let log_root = ledger.root_at(at)?;
    let reader = ViewReader::new(ledger)?;
    let (mut batches, mut open, mut events) = (BTreeMap::new(), Vec::new(), 0);
    for (id, batch) in ledger.batches().iter() {
        let Some(state) = batch.state_at(at) else { continue };
        *batches.entry(state.name()).or_insert(0) += 1;
        events += batch.stage.events;
        if state == BatchState::Staged {
            open.push(id.to_string());
        }
    }
    let mut views = Vec::new();
    for view in Series::ALL {
        let mut line =
            StatusView { series: view.name(), symbols: 0, days: 0, from: None, to: None };
        let activity = Activity::at(ledger.batches(), view, at);
        let counter = Counter::new(&reader, view, activity, &[])?;
        let spans = parallel::map(&reader.symbols(view)?, threads(), |symbol| {
            counter.span(&ViewReader::with(ledger, reader.roots()), symbol)
        })?;
        for span in spans.into_iter().flatten() {
            let (first, last) = (span.first.to_string(), span.last.to_string());
            line.symbols += 1;
            line.days += span.shown;
            line.from = Some(line.from.map_or(first.clone(), |from| from.min(first)));
            line.to = Some(line.to.map_or(last.clone(), |to| to.max(last)));
        }
        // The first three are always told; of the others only what is there.
        if line.symbols > 0 || matches!(view, Series::Iv | Series::Hv | Series::Spot) {
            views.push(line);
        }
    }
    // What was computed is held against the data of now.
    let outdated = if at == ledger.position() { derive::outdated(ledger)? } else { Vec::new() };
    let outdated = outdated.iter().map(|of| StatusOutdated {
        series: of.what.series().name(),
        symbols: of.symbols.iter().map(ToString::to_string).collect(),
    });
    let outdated = outdated.collect();
    // What came to a fetch that was stopped waits now, and not at an earlier position.
    let directory = ledger.directory().filter(|_| at == ledger.position());
    let waiting = directory.and_then(|of| Inbox::bytes_waiting(of).ok().flatten());
    Ok(Status {
        ledger: ledger.directory().map(|dir| dir.display().to_string()).unwrap_or_default(),
        format: ledger.format(),
        position: at.0,
        log_root: log_root.to_string(),
        events,
        batches,
        open,
        views,
        stale: Vec::new(),
        outdated,
        coverage: coverage(ledger, at)?,
        inbox: waiting.unwrap_or_default(),
        bytes: ledger.directory().map(size_of).unwrap_or_default(),
        last_entry: ledger.entry(at).map(|entry| rfc3339(entry.time_ms)),
        notes: notes.to_vec(),
    })
}

/// Bytes on disk below a directory.
fn size_of(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size_of(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
