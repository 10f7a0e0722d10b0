//! What options expect of a stock's next announcement: a recorded straddle, or a chain.

use super::chain::{self, Session};
use super::history::Announcement;
use crate::app::error::Result;
use crate::app::vantage::Vantage;
use crate::domain::{Calendar, Day, Series, Symbol};
use crate::projections::view::Record;
use crate::quant::earnings::liquidity::Tier;
use crate::quant::earnings::{expiration, skew, straddle, term};

/// straddle cost, stock price, strike, call and put mid, expiration of the straddles view.
const COST: u16 = 410;
const PRICE: u16 = 411;
const STRIKE: u16 = 412;
const MIDS: [u16; 2] = [413, 414];
const EXPIRATION: u16 = 416;

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
    /// The announcement, where one is meant.
    pub event: Option<Day>,
}

/// The newest implied move of a stock, or in words why there is none. Of a straddle and a chain of
/// the same day the chain is taken, since its straddle is priced at spot itself.
///
/// # Errors
/// A view that cannot be read.
pub fn newest(
    vantage: &Vantage,
    symbol: &Symbol,
    announced: &[Announcement],
    asked: Asked,
) -> Result<std::result::Result<Implied, String>> {
    let recorded = recorded(vantage, symbol, asked)?;
    let session = chain::newest(vantage, symbol, asked.until)?;
    let chained = session.map(|session| of_chain(&session, announced, asked.event));
    Ok(match (recorded, chained) {
        (Some(recorded), Some(Ok(chained))) if recorded.day > chained.day => Ok(recorded),
        (_, Some(Ok(chained))) => Ok(chained),
        (Some(recorded), _) => Ok(recorded),
        (None, Some(Err(why))) => Err(why),
        (None, None) => Err("neither a straddle nor a chain is in the ledger by then".to_owned()),
    })
}

/// The newest straddle that was recorded about an announcement that was still to come.
fn recorded(vantage: &Vantage, symbol: &Symbol, asked: Asked) -> Result<Option<Implied>> {
    let records = vantage.records(Series::Straddles, symbol)?;
    let about = |record: &Record| {
        let event: Day = record.item.parse().ok()?;
        let meant = asked.event.map_or(event >= record.day, |meant| meant == event);
        (record.day <= asked.until && meant).then_some(event)
    };
    let usable = records.iter().filter_map(|record| of_record(record, about(record)?));
    // Of several announcements on one sheet the nearest is meant.
    Ok(usable.max_by_key(|found| (found.day, std::cmp::Reverse(found.earnings_date))))
}

fn of_record(record: &Record, earnings_date: Day) -> Option<Implied> {
    let stock_price = record.number(PRICE).filter(|price| *price > 0.0)?;
    let [call, put] = MIDS.map(|code| record.number(code));
    let straddle = record.number(COST).or_else(|| Some(call? + put?))?;
    let mut warnings = Vec::new();
    if let (Some(call), Some(put)) = (call, put)
        && (call + put - straddle).abs() > 1e-9 * straddle.abs().max(1.0)
    {
        warnings.push("call and put mid do not add up to the straddle".to_owned());
    }
    (straddle > 0.0).then(|| Implied {
        day: record.day,
        earnings_date,
        from: "straddles",
        expiration: record.known(EXPIRATION).map(|cell| cell.value.to_string()),
        stock_price,
        strike: record.number(STRIKE),
        straddle,
        implied_move: straddle / stock_price,
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
    event: Option<Day>,
) -> std::result::Result<Implied, String> {
    let next = announced.iter().map(|of| of.day).find(|day| *day >= session.day);
    let Some(earnings_date) = event.or(next) else {
        return Err(format!("the calendar has no announcement from {} on", session.day));
    };
    let listed: Vec<Day> = session.chains.keys().copied().collect();
    let chosen = expiration::for_implied_move(Calendar::nyse(), earnings_date, &listed);
    let chain = chosen.and_then(|day| Some((day, session.chains.get(&day)?)));
    let Some((expiration, chain)) = chain else {
        return Err(format!("the chain of {} ends before {earnings_date}", session.day));
    };
    let found = chain
        .interpolated()
        .map_err(|why| format!("chain of {}, expiration {expiration}: {why}", session.day))?;
    let points = chain::smile_points(chain);
    let number = |of: rust_decimal::Decimal| of.to_string().parse().unwrap_or(f64::NAN);
    Ok(Implied {
        day: session.day,
        earnings_date,
        from: "chain",
        expiration: Some(expiration.to_string()),
        stock_price: number(session.spot),
        strike: Some(number(found.reference_strike)),
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
