//! Looking: views, batches, gaps, status, differences.

mod known;
mod view;

pub use known::{known, known_at, unheard_of};
pub use view::{ViewQuery, each_view, view};

use super::clock::{parse_instant, rfc3339};
use super::error::{AppError, Result};
use super::fetch::{CoverageMap, Provider, Range, only_of};
use super::report::{
    BatchLine, Batches, ChangeLine, CoverageLine, GapLine, Gaps, GapsLine, PositionDiff,
};
use super::views::ViewReader;
use super::{parallel, threads};
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Calendar, Position, Series, Symbol};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::diff::{self, Change};
use crate::projections::view::{Activity, Which, days_with_value, sides};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

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
