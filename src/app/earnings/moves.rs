//! `earnings`: the announcements of a stock with their moves.

use super::history::{Announcement, EventMove, Moves, announcements};
use super::tiers::TierSet;
use crate::app::error::{AppError, Result};
use crate::app::report::{Earnings, EarningsRow, MoveHistory, NextEarnings};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{Day, Series, Symbol};
use crate::quant::earnings::consistency;
use crate::quant::earnings::moves::{NoMove, QUARTER};
use crate::quant::earnings::vrp::{History, NoRatio};

/// The announcements of a stock as seen from a day (today, with all that is known, where none is
/// named), with the moves of a projection, summed up as a set of tiers wants them.
///
/// # Errors
/// [`AppError::NotFound`] for a symbol without announcements, moves or straddles, and for a
/// projection that is none.
pub fn earnings(
    vantage: &Vantage,
    symbol: &Symbol,
    name: &ProjectionName,
    set: &TierSet,
    (date, today): (Option<Day>, Day),
) -> Result<Earnings> {
    known(vantage, symbol)?;
    // Seen from a day, what was not known before it is not there.
    let (cutoff, date) = (date.unwrap_or(Day(i32::MAX)), date.unwrap_or(today));
    let moves = Moves::of(vantage, name)?;
    let all = moves.about(symbol)?;
    let announced = announcements(vantage, symbol)?;
    let next = announced.iter().find(|of| of.day >= date);
    let last = last_known(&announced, cutoff, date);
    let next = next.map(|of| NextEarnings {
        earnings_date: of.day.to_string(),
        timing: of.timing.clone(),
        confirmed: of.confirmed,
        days: of.day.0 - date.0,
    });
    let used = before(&all, set, cutoff, Day(i32::MAX));
    let sizes: Vec<f64> = used.iter().map(|(_, size)| *size).collect();
    let mut notes = Vec::new();
    let history = match summed(&sizes, set.min_quarters) {
        Ok((_, said)) => Some(said),
        Err(why) => {
            notes.push(why.to_string());
            None
        }
    };
    notes.extend(without_move(&all, cutoff, date));
    notes.extend(too_near(&announced, last).into_iter().map(near_text));
    let shown = all.iter().rev().filter(|event| event.earnings_date <= last);
    Ok(Earnings {
        position: vantage.at.0,
        which: vantage.which.told(),
        symbol: symbol.to_string(),
        name: announced.iter().rev().find_map(|of| of.name.clone()),
        date: date.to_string(),
        projection: moves.id.to_string(),
        metric: set.metric.column(),
        next,
        history,
        notes,
        rows: shown.map(|event| row(&seen(event, cutoff))).collect(),
    })
}

/// The views of earnings: of a symbol that none of them had nothing can be told.
pub const VIEWS: [Series; 4] = [Series::Earnings, Series::Moves, Series::Straddles, Series::Chain];

/// Refuses a symbol that no view of earnings ever heard of; where a position is named, every symbol
/// will do (as of [`lookup::known`](crate::app::lookup::known)).
pub(super) fn known(vantage: &Vantage, symbol: &Symbol) -> Result<()> {
    if vantage.named {
        return Ok(());
    }
    for view in VIEWS {
        if vantage.had(view, symbol)? {
            return Ok(());
        }
    }
    Err(AppError::NotFound(format!("nothing is known of earnings of {symbol}")))
}

/// The newest moves that were known before a day, of announcements before another, newest first,
/// with the size that the set goes by.
pub(super) fn before<'a>(
    all: &'a [EventMove],
    set: &TierSet,
    known_before: Day,
    announced_before: Day,
) -> Vec<(&'a EventMove, f64)> {
    let earlier = all
        .iter()
        .rev()
        .filter(|event| event.known_on() < known_before && event.earnings_date < announced_before);
    let sized = earlier.filter_map(|event| Some((event, event.metric(set.metric.column())?)));
    sized.take(set.max_quarters).collect()
}

/// The last day of which an announcement may be spoken where nothing is that came later than a day
/// (`cutoff`): of what was still to come on `date`, the next one alone was announced.
pub(super) fn last_known(announced: &[Announcement], cutoff: Day, date: Day) -> Day {
    let next = announced.iter().find(|of| of.day >= date);
    cutoff.max(next.map_or(cutoff, |of| of.day))
}

/// Announcements before a day of which no move was known before another (`cutoff`), told by reason.
pub(super) fn without_move(all: &[EventMove], cutoff: Day, date: Day) -> Option<String> {
    let past = all.iter().filter(|event| event.earnings_date < date);
    let past = past.map(|event| seen(event, cutoff));
    let without: Vec<EventMove> = past.filter(|event| event.close_move.is_none()).collect();
    let mut reasons: Vec<&str> =
        without.iter().filter_map(|event| event.reason.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let count = without.len();
    let plural = if count == 1 { "" } else { "s" };
    let reasons = reasons.join(", ");
    (count > 0).then(|| format!("{count} past announcement{plural} without a move ({reasons})"))
}

/// Announcements up to a day that are so near to each other that one of them was probably moved to the
/// other (`iv_crush.md` A10.4).
pub(super) fn too_near(announced: &[Announcement], last: Day) -> Vec<(Day, Day)> {
    let near = |pair: &[Announcement]| match pair {
        [one, other] if other.day <= last && other.day.0 - one.day.0 < QUARTER => {
            Some((one.day, other.day))
        }
        _ => None,
    };
    announced.windows(2).filter_map(near).collect()
}

/// What is to be said of such two.
pub(super) fn near_text((one, other): (Day, Day)) -> String {
    let apart = other.0 - one.0;
    let s = if apart == 1 { "" } else { "s" };
    format!("{one} and {other} are {apart} day{s} apart: one of them is probably an old date")
}

/// Moves as fractions, the newest first, summed up: for the formulas and for the report.
pub(super) fn summed(
    sizes: &[f64],
    wanted: usize,
) -> std::result::Result<(History, MoveHistory), NoRatio> {
    let history = History::of(sizes, wanted)?;
    let percent: Vec<f64> = sizes.iter().map(|size| size * 100.0).collect();
    let weighted = consistency::weighted(&percent, consistency::DECAY, wanted).ok();
    let (tail_risk_ratio, tail_risk) = history.tail_risk();
    let said = MoveHistory {
        n: history.n as u64,
        mean_move: history.mean,
        median_move: history.median,
        std_move: history.std,
        mad_move: history.mad,
        max_move: history.max,
        min_move: history.min,
        cv: history.cv(),
        tail_risk_ratio,
        tail_risk,
        consistency: consistency::by_median(&history),
        consistency_score: weighted.map(|of| of.score),
        trend: weighted.map(|of| of.trend.name()),
        trend_slope: weighted.map(|of| of.slope),
        trust: weighted.map(|of| of.trust),
        recent_bias_percent: weighted.map(|of| of.recent_bias),
    };
    Ok((history, said))
}

/// What was known of an announcement before a day: its move came later.
fn seen(event: &EventMove, cutoff: Day) -> EventMove {
    // That no exchange is open on a day is known ahead.
    let wrong = event.reason.as_deref() == Some(NoMove::NotASession.reason());
    if event.known_on() < cutoff || wrong {
        return event.clone();
    }
    EventMove {
        earnings_date: event.earnings_date,
        timing: event.timing.clone(),
        status: Some(NoMove::NotYet.status().to_owned()),
        reason: Some(NoMove::NotYet.reason().to_owned()),
        ..EventMove::default()
    }
}

fn row(event: &EventMove) -> EarningsRow {
    let text = |day: Option<Day>| day.map(|day| day.to_string());
    EarningsRow {
        earnings_date: event.earnings_date.to_string(),
        timing: event.timing.clone(),
        status: event.status.clone(),
        reason: event.reason.clone(),
        reference_session: text(event.reference_session),
        reaction_session: text(event.reaction_session),
        reference_close: event.reference_close,
        close: event.close,
        gap_move: event.gap_move,
        intraday_move: event.intraday_move,
        close_move: event.close_move,
        basis: event.basis.clone(),
    }
}
