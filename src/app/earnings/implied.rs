//! What options expect of a stock's next announcement: a recorded straddle, or a chain.

use super::chain::{self, NoSession, Session};
use super::history::Announcement;
use crate::app::error::Result;
use crate::app::fetch::CutChains;
use crate::app::vantage::Vantage;
use crate::domain::{Calendar, Day, Series, Symbol, code, float};
use crate::projections::view::Record;
use crate::quant::earnings::liquidity::Tier;
use crate::quant::earnings::{expiration, skew, straddle, term};

/// So much of it a recorded implied move may be off for being rounded, as of 5 % to one decimal.
const ROUNDED: f64 = 0.01;

/// An implied move with where it comes from.
#[derive(Clone, Debug)]
pub struct Implied {
    /// The day of the quotes.
    pub day: Day,
    /// The announcement that they are about.
    pub earnings_date: Day,
    /// `straddles` or `chain`.
    pub from: &'static str,
    /// The expiration, where it is known.
    pub expiration: Option<String>,
    /// Price of the stock in dollars.
    pub stock_price: f64,
    /// The reference strike.
    pub strike: Option<f64>,
    /// Call and put together in dollars.
    pub straddle: f64,
    /// Straddle over price, a fraction.
    pub implied_move: f64,
    /// How a chain's straddle was priced.
    pub method: Option<&'static str>,
    /// Mean volatility of the legs in percent.
    pub avg_iv: Option<f64>,
    /// The worst leg.
    pub liquidity: Option<Tier>,
    /// The smile of that expiration.
    pub smile: Option<skew::Smile>,
    /// The original's form of it.
    pub parity: Option<skew::Parity>,
    /// The term structure of the session.
    pub term: Option<term::Term>,
    /// What a person should know of it.
    pub warnings: Vec<String>,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Later quotes are not looked at.
    pub until: Day,
    /// Earlier announcements are not meant.
    pub from: Option<Day>,
    /// The announcement, where one is meant.
    pub event: Option<Day>,
}

/// The newest implied move of a stock, or in words why there is none. Of a straddle and a chain of
/// the same day the chain is taken, since its straddle is priced at spot itself. Newer quotes that
/// cannot be used are told with it.
///
/// # Errors
/// A view that cannot be read.
pub fn newest(
    vantage: &Vantage,
    cut_chains: &CutChains,
    symbol: &Symbol,
    announced: &[Announcement],
    asked: Asked,
) -> Result<std::result::Result<Implied, Vec<String>>> {
    let straddles = vantage.records(Series::Straddles, symbol)?;
    let by_then = straddles.iter().filter(|record| record.day <= asked.until);
    let (recorded, short) = recorded(by_then.clone(), announced, asked);
    // Of the day of an announcement before the open no quote was taken before it.
    let until = match asked.event {
        Some(event) if !is_before(asked.until, event, announced) => Day(event.0 - 1),
        _ => asked.until,
    };
    let found = chain::newest(vantage, cut_chains, symbol, until.min(asked.until))?;
    // Quotes of a day that cannot be used, and why.
    let mut passed: Vec<(Day, String)> = short.into_iter().collect();
    if let Some(day) = found.cut {
        let text = format!("the chain of {day} did not come whole: nothing is computed from it");
        passed.push((day, text));
    }
    let chained = match &found.session {
        Ok(session) => of_chain(session, announced, asked),
        Err(NoSession::NoPrice(day)) => {
            Err(format!("neither the chain of {day} nor a close says what the stock cost"))
        }
        Err(NoSession::Doubtful(day, close)) => Err(format!(
            "the strikes of {day} do not fit the close of {close}, which may be restated for a split"
        )),
        Err(NoSession::NoQuotes) if by_then.clone().next().is_some() => {
            let text = "no straddle in the ledger by then is about an announcement still to come";
            Err(text.to_owned())
        }
        Err(NoSession::NoQuotes) if until < asked.until => Err(format!(
            "neither a straddle nor a chain of before the news of {} is in the ledger",
            asked.until
        )),
        Err(NoSession::NoQuotes) => {
            Err("neither a straddle nor a chain is in the ledger by then".to_owned())
        }
    };
    let chain_of = match &found.session {
        Ok(session) => Some(session.day),
        Err(NoSession::NoPrice(day) | NoSession::Doubtful(day, _)) => Some(*day),
        Err(NoSession::NoQuotes) => None,
    };
    let mut chosen = match (recorded, chained) {
        (Some(recorded), Ok(chained)) if recorded.day > chained.day => recorded,
        (_, Ok(chained)) => chained,
        (Some(recorded), Err(why)) => {
            passed.extend(chain_of.map(|day| (day, why)));
            recorded
        }
        (None, Err(why)) => {
            let mut said: Vec<String> = passed.into_iter().map(|(_, why)| why).collect();
            // Why quotes that are there cannot be used says more than that there are no others.
            if said.is_empty() || chain_of.is_some() {
                said.push(why);
            }
            return Ok(Err(said));
        }
    };
    let newer = |day: Day| day > chosen.day || (day == chosen.day && chosen.from == "straddles");
    let newer: Vec<String> =
        passed.into_iter().filter(|(day, _)| newer(*day)).map(|(_, why)| why).collect();
    chosen.warnings.extend(newer);
    Ok(Ok(chosen))
}

/// Whether quotes of a day were taken before an announcement, as far as days can tell: those of its
/// own day were not where it came before the open.
pub fn is_before(quotes: Day, event: Day, announced: &[Announcement]) -> bool {
    let opens = announced.iter().any(|of| of.day == event && of.timing == "BMO");
    if opens { quotes < event } else { quotes <= event }
}

/// The first announcement that quotes of a day can be about, from a day on.
pub fn next(announced: &[Announcement], quotes: Day, from: Option<Day>) -> Option<Day> {
    let mut days = announced.iter().map(|of| of.day);
    days.find(|day| is_before(quotes, *day, announced) && from.is_none_or(|from| *day >= from))
}

/// The newest straddle that was recorded about an announcement that was still to come; and the newest
/// one that expires before the news is in prices, which says nothing of it (`iv_crush.md` A11), with its
/// day.
fn recorded<'a>(
    straddles: impl Iterator<Item = &'a Record>,
    announced: &[Announcement],
    asked: Asked,
) -> (Option<Implied>, Option<(Day, String)>) {
    let about = |record: &Record| {
        let event: Day = record.item.parse().ok()?;
        let from = asked.from.is_none_or(|from| event >= from);
        let meant = asked.event.map_or(from, |meant| meant == event);
        (meant && is_before(record.day, event, announced)).then_some(event)
    };
    let usable = straddles.filter_map(|record| of_record(record, about(record)?));
    let (holding, short): (Vec<Implied>, Vec<Implied>) =
        usable.partition(|found| holds_news(found, announced));
    // Of several announcements on one sheet the nearest is meant.
    let newest = |all: Vec<Implied>| {
        all.into_iter().max_by_key(|found| (found.day, std::cmp::Reverse(found.earnings_date)))
    };
    let short = newest(short).map(|found| {
        let Implied { day, earnings_date, expiration, .. } = found;
        let expires = expiration.unwrap_or_default();
        let text = format!(
            "the straddle of {day} expires on {expires}: it says nothing of the news of {earnings_date}"
        );
        (day, text)
    });
    (newest(holding), short)
}

/// Whether a straddle still stands when the news is in prices, as far as it says when it expires.
fn holds_news(found: &Implied, announced: &[Announcement]) -> bool {
    let event = found.earnings_date;
    let in_session = |of: &Announcement| of.day == event && matches!(&*of.timing, "BMO" | "DMH");
    let first = match announced.iter().any(in_session) {
        true => event,
        false => expiration::first_session_after(Calendar::nyse(), event),
    };
    let expires = found.expiration.as_ref().and_then(|text| text.parse::<Day>().ok());
    expires.is_none_or(|expires| expires >= first)
}

fn of_record(record: &Record, earnings_date: Day) -> Option<Implied> {
    let stock_price = record.number(code::STOCK_PRICE).filter(|price| *price > 0.0)?;
    let [call, put] = [code::CALL_MID, code::PUT_MID].map(|code| record.number(code));
    let straddle = record.number(code::STRADDLE_COST).or_else(|| Some(call? + put?))?;
    let mut warnings = Vec::new();
    if let (Some(call), Some(put)) = (call, put)
        && (call + put - straddle).abs() > 1e-9 * straddle.abs().max(1.0)
    {
        warnings.push("call and put mid do not add up to the straddle".to_owned());
    }
    let implied_move = straddle / stock_price;
    warnings.extend(straddle::warnings(straddle, stock_price).into_iter().map(str::to_owned));
    if let Some(said) = record.number_of("implied_move")
        && (said - implied_move).abs() > ROUNDED * implied_move.max(0.05)
    {
        warnings.push(format!(
            "the record says an implied move of {:.2} %, its straddle over its price is {:.2} %",
            said * 100.0,
            implied_move * 100.0
        ));
    }
    let expiration = record.known(code::STRADDLE_EXPIRATION).map(|cell| cell.value.to_string());
    let expires = expiration.as_ref().and_then(|text| text.parse::<Day>().ok());
    let after = expires.map_or(0, |day| day.0 - earnings_date.0);
    if after > expiration::MAX_DAYS {
        let s = if after == 1 { "" } else { "s" };
        warnings.push(format!("the straddle expires {after} day{s} after the announcement"));
    }
    (straddle > 0.0).then(|| Implied {
        day: record.day,
        earnings_date,
        from: "straddles",
        expiration,
        stock_price,
        strike: record.number(code::ATM_STRIKE),
        straddle,
        implied_move,
        method: None,
        avg_iv: None,
        liquidity: None,
        smile: None,
        parity: None,
        term: None,
        warnings,
    })
}

/// The straddle of the first expiration that still holds the reaction.
fn of_chain(
    session: &Session,
    announced: &[Announcement],
    asked: Asked,
) -> std::result::Result<Implied, String> {
    let next = || next(announced, session.day, asked.from);
    let Some(earnings_date) = asked.event.or_else(next) else {
        let from = asked.from.map_or(session.day, |from| from.max(session.day));
        let news = announced.iter().any(|of| of.day == session.day && from == session.day);
        return Err(match news {
            true => format!(
                "the quotes of {from} are of after its news, and no later announcement is known"
            ),
            false => format!("the calendar has no announcement from {from} on"),
        });
    };
    let listed: Vec<Day> = session.chains.keys().copied().collect();
    let chosen = expiration::for_implied_move(Calendar::nyse(), earnings_date, &listed);
    let chain = chosen.and_then(|day| Some((day, session.chains.get(&day)?)));
    let Some((expiration, chain)) = chain else {
        let first = expiration::first_after(Calendar::nyse(), earnings_date, &listed);
        return Err(match first {
            None => format!("the chain of {} ends before {earnings_date}", session.day),
            Some(first) => format!(
                "the chain of {} has no expiration in the {} days after {earnings_date}: the first \
                 one is {first}",
                session.day,
                expiration::MAX_DAYS
            ),
        });
    };
    let found = chain
        .interpolated()
        .map_err(|why| format!("chain of {}, expiration {expiration}: {why}", session.day))?;
    let points = chain::smile_points(chain);
    Ok(Implied {
        day: session.day,
        earnings_date,
        from: "chain",
        expiration: Some(expiration.to_string()),
        stock_price: float(session.spot),
        strike: Some(float(found.reference_strike)),
        straddle: found.straddle,
        implied_move: found.implied_move,
        method: Some(straddle::Method::name(found.method)),
        avg_iv: found.avg_iv,
        liquidity: Some(found.liquidity),
        smile: skew::smile(&points),
        parity: skew::parity(&points),
        term: term::structure(session.day, &session.term()),
        warnings: found.warnings.iter().map(|text| (*text).to_owned()).collect(),
    })
}
