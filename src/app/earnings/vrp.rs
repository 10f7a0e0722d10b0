//! `vrp`: whether the options on a stock pay more than its announcements move it.

use super::history::{Announcement, EventMove, Moves, announcements};
use super::implied::{self, Implied};
use super::moves::{before, known, last_known, near_text, summed, too_near, without_move};
use super::tiers::{TierSet, metric_words};
use crate::app::error::{AppError, Result};
use crate::app::fetch::CutChains;
use crate::app::parallel::{self, threads};
use crate::app::report::{
    Vrp, VrpForward, VrpMove, VrpRow, VrpSkew, VrpSummary, VrpTerm, VrpTiers,
};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{Calendar, Day, Series, Symbol};
use crate::quant::earnings::score::score;
use crate::quant::earnings::straddle;
use crate::quant::earnings::vrp::History;
use std::collections::BTreeMap;

/// From this many days on quotes are more about the time before an announcement than about it.
const FAR_OFF: i32 = 30;

/// Which stocks are looked at.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Symbols(Vec<Symbol>),
    /// All that announce on the day asked for.
    Announcing,
}

/// Judges stocks by what their options pay for the next announcement, as seen on a day; on the day
/// of each one's newest quotes where none is named.
///
/// A stock without enough past moves, or without an implied move, is said to be so and not scored.
/// One that cannot be answered does not stop the others.
///
/// # Errors
/// [`AppError::NotFound`] where none of the symbols is known, or the projection is not; a stored
/// value that cannot be read.
pub fn vrp(
    vantage: &Vantage,
    which: &Which,
    name: &ProjectionName,
    set: &TierSet,
    (date, today): (Option<Day>, Day),
) -> Result<Vrp> {
    let moves = Moves::of(vantage, name)?;
    let cut = &CutChains::at(&vantage.ledger, vantage.at)?;
    let asking = Asking { vantage, cut, moves: &moves, set, date, today, event: None };
    let (symbols, asking) = match which {
        Which::Symbols(symbols) => {
            let strange = symbols.iter().map(|symbol| known(vantage, symbol));
            let strange: Vec<AppError> = strange.filter_map(std::result::Result::err).collect();
            if strange.len() == symbols.len()
                && let Some(error) = strange.into_iter().next()
            {
                return Err(error);
            }
            (symbols.clone(), asking)
        }
        Which::Announcing => {
            let day = date.unwrap_or(today);
            (announcing(vantage, day)?, Asking { event: Some(day), ..asking })
        }
    };
    let mut rows = parallel::map(&symbols, threads(), |symbol| match asking.row(symbol) {
        // What one projection or symbol cannot answer is told in its row; damage stops everything.
        Err(
            error @ (AppError::Projection(_) | AppError::NotFound(_) | AppError::NoProjection(_)),
        ) => Ok(asking.blank(symbol, "ERROR", error.to_string())),
        other => other,
    })?;
    rows.sort_by(|a, b| {
        let score = |row: &VrpRow| row.score.unwrap_or(f64::NEG_INFINITY);
        let liquidity = |row: &VrpRow| match row.liquidity {
            Some("EXCELLENT") => 0,
            Some("GOOD") => 1,
            Some("WARNING") => 2,
            None => 3,
            Some(_) => 4,
        };
        let order = score(b).total_cmp(&score(a));
        order.then(liquidity(a).cmp(&liquidity(b))).then_with(|| a.symbol.cmp(&b.symbol))
    });
    rows.dedup_by(|a, b| a.symbol == b.symbol);
    let count = |of: &dyn Fn(&VrpRow) -> bool| rows.iter().filter(|row| of(row)).count() as u64;
    let summary = VrpSummary {
        symbols: rows.len() as u64,
        analysed: count(&|row| row.status == "SUCCESS"),
        tradeable: count(&|row| row.tradeable),
        no_history: count(&|row| row.status == "NO_HISTORICAL_DATA"),
        no_implied_move: count(&|row| row.status == "NO_IMPLIED_MOVE"),
        errors: count(&|row| row.status == "ERROR"),
    };
    Ok(Vrp {
        position: vantage.at.0,
        which: vantage.which.told(),
        date: date.map(|date| date.to_string()),
        projection: moves.id.to_string(),
        tiers: VrpTiers {
            id: set.id.clone(),
            version: set.version,
            title: set.title.clone(),
            excellent: set.tiers.excellent,
            good: set.tiers.good,
            marginal: set.tiers.marginal,
            metric: set.metric.column(),
            min_quarters: set.min_quarters as u64,
            max_quarters: set.max_quarters as u64,
        },
        rows,
        summary,
    })
}

/// The stocks that announce on a day.
fn announcing(vantage: &Vantage, day: Day) -> Result<Vec<Symbol>> {
    let mut found = Vec::new();
    for symbol in vantage.reader().symbols(Series::Earnings)? {
        let records = vantage.records(Series::Earnings, &symbol)?;
        if records.iter().any(|record| record.day == day) {
            found.push(symbol);
        }
    }
    Ok(found)
}

/// A day on which stocks announce, and how many.
pub type Announcing = (Day, u64);

/// The days with announcements nearest to one without: the last before it and the next after it.
///
/// # Errors
/// A stored value that cannot be read.
pub fn nearest(vantage: &Vantage, day: Day) -> Result<[Option<Announcing>; 2]> {
    let mut days: BTreeMap<Day, u64> = BTreeMap::new();
    for symbol in vantage.reader().symbols(Series::Earnings)? {
        let records = vantage.records(Series::Earnings, &symbol)?;
        let last = records.iter().rev().find(|record| record.day < day);
        let next = records.iter().find(|record| record.day > day);
        for record in last.into_iter().chain(next) {
            *days.entry(record.day).or_default() += 1;
        }
    }
    let of = |(day, stocks): (&Day, &u64)| (*day, *stocks);
    let (last, next) = (days.range(..day).next_back().map(of), days.range(day..).next().map(of));
    Ok([last, next])
}

/// What is asked of each stock.
struct Asking<'a> {
    vantage: &'a Vantage,
    cut: &'a CutChains,
    moves: &'a Moves<'a>,
    set: &'a TierSet,
    date: Option<Day>,
    today: Day,
    /// The announcement that is meant, in a scan.
    event: Option<Day>,
}

impl Asking<'_> {
    fn blank(&self, symbol: &Symbol, status: &'static str, reason: String) -> VrpRow {
        VrpRow {
            symbol: symbol.to_string(),
            status,
            projection: self.moves.id.to_string(),
            reasons: vec![reason],
            ..VrpRow::default()
        }
    }

    fn row(&self, symbol: &Symbol) -> Result<VrpRow> {
        known(self.vantage, symbol)?;
        let announced = announcements(self.vantage, symbol)?;
        let until = self.date.unwrap_or(self.today);
        let asked = implied::Asked { until, from: self.date, event: self.event };
        let implied = implied::newest(self.vantage, self.cut, symbol, &announced, asked)?;
        let found = implied.as_ref().ok();
        let all = self.moves.about(symbol)?;
        // Nothing of the announcement itself, and nothing that was not known on the day.
        let day = self.date.or(found.map(|of| of.day)).unwrap_or(self.today);
        let event = found.map(|of| of.earnings_date).or(self.event);
        let used = before(&all, self.set, day, event.unwrap_or(day));
        let sizes: Vec<f64> = used.iter().map(|(_, size)| *size).collect();
        let history = summed(&sizes, self.set.min_quarters);
        let mut row = match (&implied, &history) {
            (Ok(of), Ok((history, _))) => self.scored(of, history),
            (Ok(of), Err(why)) => {
                let row = of_implied(of);
                VrpRow { status: "NO_HISTORICAL_DATA", reasons: vec![why.to_string()], ..row }
            }
            (Err(why), _) => VrpRow {
                status: "NO_IMPLIED_MOVE",
                reasons: why.clone(),
                earnings_date: event.map(|day| day.to_string()),
                ..VrpRow::default()
            },
        };
        row.symbol = symbol.to_string();
        row.projection = self.moves.id.to_string();
        row.name = announced.iter().rev().find_map(|of| of.name.clone());
        row.timing = event.and_then(|day| timing_of(&announced, day));
        row.n = used.len() as u64;
        row.moves = used.iter().map(|(event, size)| used_move(event, *size)).collect();
        if let Ok((_, said)) = history {
            row.mean_move = Some(said.mean_move);
            row.history = Some(said);
        }
        if let Some(why) = event.and_then(|event| self.untradeable(event, &announced)) {
            row.tradeable = false;
            row.reasons.push(why);
        }
        row.reasons.extend(self.remarks(found, &announced, &used));
        row.reasons.extend(without_move(&all, day, day));
        Ok(row)
    }

    fn scored(&self, of: &Implied, history: &History) -> VrpRow {
        let ratio = history.ratio(of.implied_move);
        let tier = self.set.tiers.of(ratio);
        let percent = |fraction: f64| format!("{:.2} %", fraction * 100.0);
        let reason = format!(
            "options pay for {} ({} {:.2} on {:.2}), {} past announcement{} moved it {}{} on average",
            percent(of.implied_move),
            if of.from == "chain" { "chain:" } else { "straddle" },
            of.straddle,
            of.stock_price,
            history.n,
            if history.n == 1 { "" } else { "s" },
            percent(history.mean),
            metric_words(self.set.metric.column()),
        );
        let bound = self.bound(tier.name(), ratio);
        VrpRow {
            status: "SUCCESS",
            vrp: Some(ratio),
            edge_score: Some(history.edge(of.implied_move)),
            tier: Some(tier.name()),
            tradeable: tier.is_tradeable(),
            score: Some(score(ratio, Some(of.implied_move * 100.0), of.liquidity)),
            reasons: vec![reason, bound],
            ..of_implied(of)
        }
    }

    /// Why nobody can trade on an announcement, whatever options once paid for it.
    fn untradeable(&self, event: Day, announced: &[Announcement]) -> Option<String> {
        if !Calendar::nyse().is_open(event) {
            return Some(format!("no exchange is open on {event}: that date is wrong"));
        }
        // Seen from a day that is named, only what is still to come is judged.
        let over = self.date.is_none() && !implied::is_before(self.today, event, announced);
        over.then(|| format!("the announcement of {event} is over"))
    }

    /// Which bound the ratio reached, or missed.
    fn bound(&self, tier: &str, ratio: f64) -> String {
        let tiers = &self.set.tiers;
        let (word, bound) = match tier {
            "EXCELLENT" => ("reaches", tiers.excellent),
            "GOOD" => ("reaches", tiers.good),
            "MARGINAL" => ("reaches", tiers.marginal),
            _ => ("is below", tiers.marginal),
        };
        format!("{ratio:.2} {word} {bound} of the set {}: {tier}", self.set.id)
    }

    /// What a person should know before believing the number.
    fn remarks(
        &self,
        implied: Option<&Implied>,
        announced: &[Announcement],
        used: &[(&EventMove, f64)],
    ) -> Vec<String> {
        let mut said = Vec::new();
        if let Some(of) = implied {
            said.extend(of.warnings.iter().cloned());
            let about = of.earnings_date;
            let next = implied::next(announced, of.day, self.date);
            if let Some(next) = next.filter(|next| *next != about) {
                said.push(format!("the calendar says {next}, the quotes are about {about}"));
            }
            let timing = timing_of(announced, about);
            if about == of.day && timing.is_some_and(|timing| timing != "AMC") {
                let text =
                    "the quotes are of the announcement's own day and may be of after the news";
                said.push(text.to_owned());
            }
            let ahead = about.0 - of.day.0;
            if ahead > FAR_OFF {
                said.push(format!("the announcement is {ahead} days after the quotes"));
            }
            let asked = self.date.unwrap_or(self.today);
            if asked.0 - of.day.0 > 7 {
                said.push(format!("the quotes are of {}", of.day));
            }
        }
        let event = implied.map(|of| of.earnings_date).or(self.event);
        let counts =
            |day: Day| event == Some(day) || used.iter().any(|(of, _)| of.earnings_date == day);
        let (cutoff, asked) = (self.date.unwrap_or(Day(i32::MAX)), self.date.unwrap_or(self.today));
        let mut near = too_near(announced, last_known(announced, cutoff, asked));
        near.retain(|(one, other)| counts(*one) || counts(*other));
        said.extend(near.into_iter().map(near_text));
        let same_session = |event: &EventMove| {
            event.timing.as_deref() == Some("AMC")
                && event.reaction_session == Some(event.earnings_date)
        };
        let count = used.iter().filter(|(event, _)| same_session(event)).count();
        if count > 0 {
            said.push(format!(
                "{count} of the moves are of the session before the news: announced after its close"
            ));
        }
        let count = used.iter().filter(|(event, _)| event.is_inferred()).count();
        if count > 0 {
            said.push(format!(
                "{count} of the moves are of a session inferred from the gaps, the larger of two: no \
                 timing is known"
            ));
        }
        said
    }
}

fn timing_of(announced: &[Announcement], day: Day) -> Option<String> {
    announced.iter().find(|of| of.day == day).map(|of| of.timing.clone())
}

fn used_move(event: &EventMove, size: f64) -> VrpMove {
    VrpMove {
        earnings_date: event.earnings_date.to_string(),
        reaction_session: event.reaction_session.map(|day| day.to_string()),
        size,
    }
}

/// The part of a row that the options say.
fn of_implied(of: &Implied) -> VrpRow {
    let skew = (of.smile.is_some() || of.parity.is_some()).then(|| VrpSkew {
        atm_iv_percent: of.smile.map(|smile| smile.atm_iv),
        slope: of.smile.map(|smile| smile.slope),
        curvature: of.smile.map(|smile| smile.curvature),
        r_squared: of.smile.map(|smile| smile.r_squared),
        iv_90_minus_110: of.smile.map(|smile| smile.iv_90_minus_110),
        parity_slope: of.parity.map(|parity| parity.slope),
        directional_bias: of.parity.map(|parity| parity.bias),
        bias_confidence: of.parity.map(|parity| parity.confidence),
    });
    let forward = |of: &crate::quant::earnings::term::Forward| VrpForward {
        from: of.from.to_string(),
        to: of.to.to_string(),
        forward_iv_percent: of.iv,
    };
    let term = of.term.as_ref().map(|term| VrpTerm {
        slope_per_30d: term.slope,
        front_minus_back: term.front_minus_back,
        state: term.state,
        forwards: term.forwards.iter().map(forward).collect(),
    });
    let (lower, upper) = straddle::bounds(of.straddle, of.stock_price);
    VrpRow {
        earnings_date: Some(of.earnings_date.to_string()),
        date: Some(of.day.to_string()),
        implied_from: Some(of.from),
        expiration: of.expiration.clone(),
        stock_price: Some(of.stock_price),
        strike: of.strike,
        straddle: Some(of.straddle),
        method: of.method,
        implied_move: Some(of.implied_move),
        upper_bound: Some(upper),
        lower_bound: Some(lower),
        avg_iv_percent: of.avg_iv,
        liquidity: of.liquidity.map(|tier| tier.name()),
        skew,
        term,
        ..VrpRow::default()
    }
}
