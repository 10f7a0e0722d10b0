//! The daily record of implied volatility from chain snapshots (`tomic.md` 8).

use super::super::error::Result;
use super::super::fetch::CutChains;
use super::super::traded::{Closes, Terms, Underlying, instant, is_among, is_standard, terms};
use super::super::views::ViewReader;
use super::{Computed, Values, digest_of, warning};
use crate::domain::occ::Right;
use crate::domain::{Calendar, Day, Field, Series, Symbol, Value, code, float};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Record, Which, fold};
use crate::quant::atm_iv::{self, Quote};
use crate::quant::{expiry, hv};
use rust_decimal::Decimal;
use serde_json::json;

/// What the formula is; kept with each batch.
pub const DEFINITION: &str = "\
id = \"derive-iv\"\nversion = 2\n\
# atm_iv: implied volatility of the call nearest to spot in the front month (the first monthly expiry 13\n\
# to 48 days away). term_m1_m2, term_m1_m3: front less second and third month, in points. skew: 25-delta\n\
# put less 25-delta call of the front month, in points. Spot is the price of the underlying in the\n\
# snapshot if it is of the same day, else the close of the session in the shares of that day; where nobody\n\
# knows these, or the close lies beyond all calls, nothing is recorded. Contracts that are not for 100\n\
# shares alone are left out.\n";

/// Computes every session of which there is a chain.
pub fn compute(
    ledger: &Ledger,
    reader: &ViewReader<'_>,
    cut: &CutChains,
    symbol: &Symbol,
) -> Result<Computed> {
    let at = ledger.position();
    let activity = Activity::at(ledger.batches(), Series::Chain, at);
    let spot = reader.records(Series::Spot, symbol, at, Which::Latest)?;
    let splits = reader.records(Series::Splits, symbol, at, Which::Latest)?;
    let closes = Closes::new(ledger, symbol, &spot, &splits)?;
    let mut computed = Computed::default();
    let mut sessions = Vec::new();
    // One session at a time: a chain has thousands of contracts.
    for day in reader.periods(Series::Chain, symbol)?.into_iter().map(Day) {
        let history = reader.history_between(Series::Chain, symbol, day, day)?;
        let chain = fold(Series::Chain, &history, &activity, Which::Latest);
        if chain.is_empty() {
            continue;
        }
        if cut.has(symbol, day, &chain) {
            let text = format!(
                "{symbol} {day}: the chain did not come whole: nothing is computed from it"
            );
            computed.findings.push(warning("cut_chain", Some(day), text));
            continue;
        }
        let (price, from) = match closes.underlying(&chain, day) {
            Underlying::Cost(price, from) => (price, from),
            Underlying::Doubtful(close) => {
                computed.findings.push(warning("no_spot", Some(day), doubtful(symbol, day, close)));
                continue;
            }
            Underlying::Unknown => {
                let text =
                    format!("{symbol}: neither a close nor a price of the underlying of {day}");
                computed.findings.push(warning("no_spot", Some(day), text));
                continue;
            }
        };
        let Some(months) = expiry::months(day, Calendar::nyse()) else {
            let text = format!("{symbol}: no monthly expiry 13 to 48 days after {day}");
            computed.findings.push(warning("no_front_month", Some(day), text));
            continue;
        };
        let standard = chain.iter().filter(|record| is_standard(record, symbol));
        let contracts: Vec<(&Record, Terms)> =
            standard.filter_map(|record| Some((record, terms(record)?))).collect();
        let of = |expiry: Option<Day>| -> Vec<(&Record, Quote)> {
            let of_expiry = contracts.iter().filter(|(_, of)| Some(of.expiration) == expiry);
            of_expiry.map(|(record, of)| (*record, quote(record, *of))).collect()
        };
        let front = of(Some(months.front));
        let (second, third) = (of(months.second), of(months.third));
        let quotes =
            |of: &[(&Record, Quote)]| -> Vec<Quote> { of.iter().map(|(_, q)| *q).collect() };
        let spot_price = float(price);
        let found =
            atm_iv::daily_record(spot_price, &quotes(&front), &quotes(&second), &quotes(&third));
        let atm = found.front.atm().and_then(|used| front.get(used.index));
        let exact = atm
            .and_then(|(record, _)| record.known(code::IMPLIED_VOLATILITY))
            .map(|cell| cell.value.clone());
        for note in &found.notes {
            computed.findings.push(warning("chain", Some(day), format!("{symbol} {day}: {note}")));
        }
        // Of a split that nobody knows of, nothing but the strikes tells.
        let calls = contracts.iter().map(|(_, of)| of);
        let calls = calls.filter(|of| of.expiration == months.front && of.right == Right::Call);
        let strikes: Vec<Decimal> = calls.map(|of| of.strike).collect();
        if from == "close" && !strikes.is_empty() && !is_among(price, &strikes) {
            computed.findings.push(warning("no_spot", Some(day), doubtful(symbol, day, price)));
            continue;
        }
        let Some(exact) = exact.filter(|_| found.atm_iv.is_some()) else { continue };
        let mut values: Values = vec![(Field::Known(code::ATM_IV), exact)];
        let points = [
            (code::TERM_M1_M2, found.term_m1_m2),
            (code::TERM_M1_M3, found.term_m1_m3),
            (code::SKEW, found.skew),
        ];
        for (code, value) in points {
            if let Some(value) = value.and_then(hv::recorded) {
                values.push((Field::Known(code), Value::Dec(value)));
            }
        }
        computed.days.insert(day, values);
        let name = |of: &[(&Record, Quote)], used: Option<atm_iv::Used>| {
            used.and_then(|used| of.get(used.index)).map(|(record, _)| record.item.to_string())
        };
        sessions.push(json!({
            "date": day.to_string(),
            "chain": digest_of(Series::Chain, symbol, &chain).to_string(),
            "spot": spot_price,
            "spot_from": from,
            "front": months.front.to_string(),
            "second": months.second.map(|day| day.to_string()),
            "third": months.third.map(|day| day.to_string()),
            "atm": name(&front, found.front.atm()),
            "call25": name(&front, found.front.call25),
            "put25": name(&front, found.front.put25),
            "atm_second": name(&second, found.second),
            "atm_third": name(&third, found.third),
        }));
    }
    computed.inputs.insert("sessions".into(), sessions.into());
    Ok(computed)
}

/// Why a close says nothing of what the quotes are about.
fn doubtful(symbol: &Symbol, day: Day, close: Decimal) -> String {
    format!(
        "{symbol} {day}: the strikes do not fit the close of {close}, which may be restated for a split: \
         nothing is recorded"
    )
}

/// A contract as the formula looks at it.
fn quote(record: &Record, of: Terms) -> Quote {
    Quote {
        strike: Some(float(of.strike)),
        right: Some(of.right),
        iv: record.number(code::IMPLIED_VOLATILITY),
        delta: record.number(code::DELTA),
        volume: record.number(code::DAY_VOLUME).unwrap_or(0.0),
        updated: instant(record, code::DAY_UPDATED),
        top_level_strike: false,
    }
}
