//! Looking: views, batches, gaps, status, differences.

mod known;
mod view;

pub use known::{known, known_at, unheard_of};
pub use view::{ViewQuery, each_view, view};

use super::clock::{parse_instant, rfc3339};
use super::derive;
use super::error::{AppError, Result};
use super::fetch::{CoverageMap, Provider, Range, only_of};
use super::report::{
    BatchLine, Batches, ChangeLine, CoverageLine, GapLine, Gaps, GapsLine, PositionDiff, Status,
    StatusCoverage, StatusOutdated, StatusView,
};
use super::views::{Counter, ViewReader};
use super::{parallel, threads};
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Calendar, Fact, Position, Series, Symbol};
use crate::ledger::{Inbox, Ledger, LedgerError};
use crate::projections::diff::{self, Change};
use crate::projections::view::{Activity, Which, days_with_value, sides};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The position that `--at` means: `#12`, `12`, an RFC 3339 time, or a date for its end.
///
/// A time means the longest beginning of the log whose entries were all recorded by then, so that
/// a clock that once ran ahead hides more rather than less.
///
/// # Errors
/// [`AppError::Usage`], [`LedgerError::NoSuchPosition`].
pub fn position_of(ledger: &Ledger, text: &str) -> Result<Position> {
    let head = ledger.position();
    if let Ok(at) = text.parse::<Position>() {
        return match at <= head {
            true => Ok(at),
            false => Err(LedgerError::NoSuchPosition { at, head }.into()),
        };
    }
    let wrong = || {
        AppError::Usage(format!(
            "`{text}` is neither a position (#12) nor a time (2024-12-31, 2024-12-31T16:00:00Z)"
        ))
    };
    Ok(position_by(ledger, parse_instant(text).ok_or_else(wrong)?))
}

/// The position that was reached by a time.
pub(super) fn position_by(ledger: &Ledger, ms: i64) -> Position {
    let until = ledger.entries().iter().take_while(|entry| entry.time_ms <= ms);
    Position(until.count() as u64)
}

/// All batches, oldest first.
///
/// # Errors
/// A manifest that cannot be read.
pub fn batches(ledger: &Ledger, at: Option<Position>) -> Result<Batches> {
    let at = at.unwrap_or(ledger.position());
    let mut lines = Vec::new();
    for (id, batch) in ledger.batches().iter() {
        if let Some(state) = batch.state_at(at) {
            lines.push(batch_line(ledger, (id, batch), state, at)?);
        }
    }
    Ok(Batches { batches: lines })
}

fn batch_line(
    ledger: &Ledger,
    (id, batch): (BatchId, &Batch),
    state: BatchState,
    at: Position,
) -> Result<BatchLine> {
    let stage = &batch.stage;
    let sources = ledger.known_manifest(stage)?.sources;
    let first = sources.first().map(|source| source.name.clone()).unwrap_or_default();
    let source = match sources.len() {
        0 | 1 => first,
        more => format!("{first} and {} more", more - 1),
    };
    Ok(BatchLine {
        batch: id.to_string(),
        state: state.name(),
        series: stage.views.iter().map(|part| part.series.name()).collect(),
        symbols: stage.symbols,
        rows: stage.rows.accepted,
        rejected: stage.rows.rejected,
        mapping: format!("{}/{}", stage.mapping.id, stage.mapping.version),
        source,
        staged_at: rfc3339(batch.staged_ms),
        confirmed_at: batch.committed_by(at).map(rfc3339),
        reason: ledger.batches().reason_at(batch, at).map(str::to_owned),
    })
}

/// The trading days that series lack.
///
/// # Errors
/// A view that cannot be read.
pub fn gaps(
    ledger: &Ledger,
    symbols: &[Symbol],
    series: Option<Series>,
    at: Option<Position>,
    which: Which,
) -> Result<Gaps> {
    if let Some(series) = series.filter(|series| !series.is_daily()) {
        let text = format!("{series} has no value a day; gaps are of iv, hv, spot and index");
        return Err(AppError::Usage(text));
    }
    let asked = at;
    let at = at.unwrap_or(ledger.position());
    let (reader, calendar) = (ViewReader::new(ledger)?, Calendar::nyse());
    let mut covered = CoverageMap::at(ledger, at)?;
    let mut rows = Vec::new();
    let views = Series::ALL.into_iter().filter(|view| view.is_daily());
    for view in views.filter(|view| series.is_none_or(|s| s == *view)) {
        let known = reader.symbols(view)?;
        let wanted = if symbols.is_empty() { known.as_slice() } else { symbols };
        let activity = Activity::at(ledger.batches(), view, at);
        let about_all = covered.about_all(view);
        let fetched = only_of(ledger, view, at, Provider::Polygon);
        let shown = parallel::map(wanted, threads(), |symbol| {
            let history = ViewReader::with(ledger, reader.roots()).history(view, symbol)?;
            let (days, any) = days_with_value(view, &history, &activity, which);
            // What an answer about all symbols says of this one is what it has of it.
            let mut lack = about_all.clone();
            if !lack.is_empty() {
                sides(view, &history, &fetched, &fetched, &mut |key| {
                    if key.shows_after() {
                        lack.remove(&key.key().0);
                    }
                });
            }
            Ok((days, any, lack))
        })?;
        for (symbol, (days, any, lack)) in wanted.iter().zip(shown) {
            if !any && symbols.is_empty() {
                continue;
            }
            if view == Series::Spot {
                covered.know_splits_at(&reader, symbol, at)?;
            }
            let gaps = diff::gaps(&days, calendar);
            let closed = days.iter().filter(|day| !calendar.is_open(**day));
            rows.push(GapsLine {
                series: view.name(),
                symbol: symbol.to_string(),
                from: days.first().map(ToString::to_string),
                to: days.last().map(ToString::to_string),
                days: days.len() as u64,
                missing: gaps.iter().map(|gap| u64::from(gap.missing)).sum(),
                gaps: gaps.iter().map(GapLine::from).collect(),
                non_trading_days: closed.map(ToString::to_string).collect(),
                coverage: covered.ranges(view, Some(symbol), "", &lack).iter().map(told).collect(),
            });
        }
    }
    // One that a service was asked about in vain is known as well.
    let unheard = |symbol: &&Symbol| {
        let mut lines = rows.iter().filter(|line| line.symbol == symbol.as_str());
        lines.all(|line| line.days == 0 && line.coverage.is_empty())
    };
    if let Some(symbol) = symbols.iter().find(unheard) {
        known(ledger, std::slice::from_ref(symbol), &Series::ALL, asked)?;
    }
    let which = which.told();
    Ok(Gaps { position: at.0, which, rows })
}

fn told(range: &Range) -> CoverageLine {
    CoverageLine {
        from: range.from.to_string(),
        to: range.to.to_string(),
        fact: range.fact.name(),
        text: range.text.clone(),
        split: range.split.map(|day| day.to_string()),
    }
}

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
/// [`LedgerError::NoSuchPosition`], or a view that cannot be read.
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

/// What differs between two positions.
///
/// # Errors
/// A view that cannot be read.
pub fn diff(
    ledger: &Ledger,
    from: Position,
    to: Position,
    series: Option<Series>,
    symbol: Option<&Symbol>,
) -> Result<PositionDiff> {
    let reader = ViewReader::new(ledger)?;
    let (mut counts, mut changes) = (BTreeMap::new(), Vec::new());
    for view in Series::ALL.into_iter().filter(|view| series.is_none_or(|s| s == *view)) {
        let before = Activity::at(ledger.batches(), view, from);
        let after = Activity::at(ledger.batches(), view, to);
        let threshold = view.default_threshold_points().map(Decimal::from);
        let known = reader.symbols(view)?;
        for known in known.iter().filter(|known| symbol.is_none_or(|s| s == *known)) {
            let history = reader.history(view, known)?;
            let mut heard = |change: Change| {
                *counts.entry(change.kind.name()).or_insert(0) += 1;
                changes.push(ChangeLine::from(&change));
            };
            sides(view, &history, &before, &after, &mut |key| {
                if key.moved {
                    let (old, new) = (key.before(), key.after());
                    let (old, new) = (old.as_ref(), new.as_ref());
                    diff::compare_day(view, known, old, new, threshold, &mut heard);
                }
            });
        }
    }
    Ok(PositionDiff { from: from.0, to: to.0, counts, changes })
}
