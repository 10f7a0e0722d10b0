//! Option chains of the ledger as the formulas want them.

use crate::app::error::Result;
use crate::app::fetch::CutChains;
use crate::app::traded::{self, Closes, Terms, Underlying};
use crate::app::vantage::Vantage;
use crate::domain::occ::Right;
use crate::domain::{Day, Series, Symbol, code, float};
use crate::projections::view::{Record, fold};
use crate::quant::earnings::liquidity::Market;
use crate::quant::earnings::straddle::Chain;
use crate::quant::earnings::{skew, term};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The chains of a session, by expiration.
pub struct Session {
    /// The session that the quotes are of.
    pub day: Day,
    /// Price of the underlying in dollars, the same in all chains.
    pub spot: Decimal,
    /// Chains by expiration.
    pub chains: BTreeMap<Day, Chain>,
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// No quotes by then.
    NoQuotes,
    /// Quotes of this day, and nothing says what the stock cost.
    NoPrice(Day),
    /// Quotes of this day, and a close that their strikes do not fit.
    Doubtful(Day, Decimal),
}

/// What the quotes of a stock give.
pub struct Found {
    /// The newest session that came whole, or why there is none.
    pub session: std::result::Result<Session, NoSession>,
    /// A newer one that did not, and was passed over: in half a chain another strike is at the money.
    pub cut: Option<Day>,
}

/// The newest session up to a day with quotes of a stock, or why there is none.
///
/// # Errors
/// A view that cannot be read.
pub fn newest(
    vantage: &Vantage,
    cut_chains: &CutChains,
    symbol: &Symbol,
    until: Day,
) -> Result<Found> {
    let mut cut = None;
    let reader = vantage.reader();
    let activity = reader.activity(Series::Chain, vantage.at);
    let sessions = reader.periods(Series::Chain, symbol)?;
    for day in sessions.into_iter().rev().map(Day).filter(|day| *day <= until) {
        let history = reader.history_between(Series::Chain, symbol, day, day)?;
        let records = fold(Series::Chain, &history, &activity, vantage.which);
        if records.is_empty() {
            continue;
        }
        if cut_chains.has(symbol, day, &records) {
            cut.get_or_insert(day);
            continue;
        }
        let none = |why| Ok(Found { session: Err(why), cut });
        let spot = match price(vantage, symbol, day, &records)? {
            Underlying::Cost(price, _) => price,
            Underlying::Doubtful(close) => return none(NoSession::Doubtful(day, close)),
            Underlying::Unknown => return none(NoSession::NoPrice(day)),
        };
        let chains = chains(&records, symbol, spot);
        if !chains.is_empty() {
            return Ok(Found { session: Ok(Session { day, spot, chains }), cut });
        }
    }
    Ok(Found { session: Err(NoSession::NoQuotes), cut })
}

/// The quotes of a session by expiration. An expiration of which no contract is quoted has none: bars
/// of a day are nothing to buy or sell at. Beside quotes a strike without any is one that cannot be
/// traded, as where nobody bids; left out, the next ones would stand around spot.
fn chains(records: &[Record], symbol: &Symbol, spot: Decimal) -> BTreeMap<Day, Chain> {
    let standard = records.iter().filter(|record| traded::is_standard(record, symbol));
    let all = standard.filter_map(|record| Some((record, contract(record)?)));
    let (quoted, unquoted): (Vec<_>, Vec<_>) = all.partition(|(_, of)| of.is_quoted);
    let mut chains: BTreeMap<Day, Chain> = BTreeMap::new();
    for (record, Listed { terms, market, .. }) in quoted {
        let chain =
            chains.entry(terms.expiration).or_insert_with(|| Chain { spot, ..Chain::default() });
        let side = side(chain, terms.right);
        if traded::is_of_own_root(record, symbol) {
            side.insert(terms.strike, market);
        } else {
            side.entry(terms.strike).or_insert(market);
        }
    }
    for (_, Listed { terms, market, .. }) in unquoted {
        if let Some(chain) = chains.get_mut(&terms.expiration) {
            side(chain, terms.right).entry(terms.strike).or_insert(market);
        }
    }
    chains
}

fn side(chain: &mut Chain, right: Right) -> &mut BTreeMap<Decimal, Market> {
    match right {
        Right::Call => &mut chain.calls,
        Right::Put => &mut chain.puts,
    }
}

/// The price of the stock while its options were quoted.
fn price(vantage: &Vantage, symbol: &Symbol, day: Day, records: &[Record]) -> Result<Underlying> {
    let splits = vantage.records(Series::Splits, symbol)?;
    // Where a split comes later, the closes around it tell whether it is taken out.
    let last = splits.iter().map(|split| split.day).max().filter(|split| *split > day);
    let until = last.map_or(day, |split| Day(split.0 + traded::BESIDE));
    let reader = vantage.reader();
    let activity = reader.activity(Series::Spot, vantage.at);
    let history = reader.history_between(Series::Spot, symbol, day, until)?;
    let spot = fold(Series::Spot, &history, &activity, vantage.which);
    Ok(Closes::new(&vantage.ledger, symbol, &spot, &splits)?.underlying(records, day))
}

/// A contract of a session.
struct Listed {
    terms: Terms,
    market: Market,
    /// Whether both a bid and an ask are there.
    is_quoted: bool,
}

fn contract(record: &Record) -> Option<Listed> {
    let named = |name: &str| record.cells.iter().find(|cell| cell.field.name() == name);
    let price = |name: &str| named(name).and_then(|cell| cell.value.decimal());
    let terms = traded::terms(record)?;
    let (bid, ask) = (price("bid"), price("ask"));
    let is_quoted = bid.is_some() && ask.is_some();
    let interest = record.number_of("open_interest").unwrap_or(0.0).max(0.0);
    let iv = record.number(code::IMPLIED_VOLATILITY).filter(|iv| *iv > 0.0).map(|iv| iv * 100.0);
    let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
    let market = Market { bid, ask, iv, open_interest: interest as u64 };
    Some(Listed { terms, market, is_quoted })
}

impl Session {
    /// Volatility at the money of each expiration that has one, in percent.
    pub fn term(&self) -> Vec<term::Point> {
        let point = |(expiration, chain): (&Day, &Chain)| {
            let atm_iv = chain.interpolated().ok()?.avg_iv?;
            Some(term::Point { expiration: *expiration, atm_iv })
        };
        self.chains.iter().filter_map(point).collect()
    }
}

/// The strikes of a chain with both legs liquid and both volatilities known.
pub fn smile_points(chain: &Chain) -> Vec<skew::Point> {
    let spot = float(chain.spot);
    let point = |(strike, call): (&Decimal, &Market)| {
        let put = chain.puts.get(strike)?;
        let x = (float(*strike) - spot) / spot;
        let liquid = call.is_basic_liquid() && put.is_basic_liquid() && x.is_finite();
        liquid.then_some(())?;
        Some(skew::Point { x, call_iv: call.iv?, put_iv: put.iv? })
    };
    chain.calls.iter().filter_map(point).collect()
}
