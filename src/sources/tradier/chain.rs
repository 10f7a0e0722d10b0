//! The options of a chain.

use super::super::ReadError;
use super::super::answer::{Wanted, members, place};
use super::super::notes::Counts;
use super::super::polygon::PageSummary;
use super::super::raw::{text_of, value_of};
use super::{Page, Quote, items};
use crate::domain::occ::{Contract, Right};
use crate::domain::series::free_name;
use crate::domain::{Collector, Field, Key, Op, Origin, Series, Severity, Symbol, Value};
use rust_decimal::Decimal;

const IV: u16 = 100;
const BID: u16 = 106;
const ASK: u16 = 107;
const UNDERLYING_PRICE: u16 = 131;

/// Which leaf of an option is which field; every other one keeps its path as its name.
const FIELDS: &[(&str, u16)] = &[
    ("open_interest", 101),
    ("greeks.delta", 102),
    ("greeks.gamma", 103),
    ("greeks.theta", 104),
    ("greeks.vega", 105),
    ("bid", BID),
    ("ask", ASK),
    ("bidsize", 108),
    ("asksize", 109),
    ("last", 115),
    ("open", 121),
    ("high", 122),
    ("low", 123),
    ("close", 124),
    ("volume", 125),
    ("change", 127),
    ("change_percentage", 128),
    ("prevclose", 129),
    ("underlying", 132),
    ("strike", 138),
    ("expiration_date", 139),
    ("option_type", 140),
    ("contract_size", 141),
];

/// Where a volatility may be, the better first; 0 is none.
const VOLS: [&str; 2] = ["greeks.mid_iv", "greeks.smv_vol"];

/// Reads the options of one expiration into events; `underlying` is the quote that came with them.
///
/// # Errors
/// [`ReadError::Sink`] when the receiver fails.
pub fn read<E>(
    body: &[u8],
    wanted: &Wanted,
    underlying: &Quote,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let mut summary = PageSummary::default();
    let Some(symbol) = &wanted.symbol else { return Ok(summary) };
    let options = match items(Page::Chain, body) {
        Ok(options) => options,
        Err(refusal) => return Ok(refusal.summary(wanted.source)),
    };
    let (mut rejects, mut notes) = (Counts::default(), Counts::default());
    for (line, text) in (1..).zip(options) {
        let (offset, len) = place(body, text);
        let origin = Origin { source: wanted.source, line, offset, len };
        summary.rows.read += 1;
        let option = match option(text, symbol, underlying) {
            Ok(option) => option,
            Err(code) => {
                summary.rows.rejected += 1;
                summary.reject_day(Some(wanted.as_of));
                rejects.add(code, line, None);
                out.reject(origin, Series::Chain, code, text).map_err(ReadError::Sink)?;
                continue;
            }
        };
        for code in option.notes {
            notes.add(code, line, Some(wanted.as_of));
        }
        let (shape, values): (Vec<Field>, Vec<Value>) = option.fields.into_iter().unzip();
        let key = Key { symbol, day: wanted.as_of, item: &option.item };
        out.event(origin, Series::Chain, Op::Put, key, &shape, values).map_err(ReadError::Sink)?;
        summary.rows.accepted += 1;
        summary.days = Some((wanted.as_of, wanted.as_of));
    }
    let source = wanted.source;
    let words = |code: &str| match code {
        "not_an_object" => ["item that is no object", "items that are no objects"],
        _ => ["item without a readable ticker", "items without a readable ticker"],
    };
    let told = |code: &str| (Severity::Reject, words(code));
    summary.findings.extend(rejects.findings_by(source, "item", told));
    let words = |code: &str| match code {
        "smv_vol" => (
            Severity::Info,
            [
                "contract without mid_iv, whose volatility is smv_vol",
                "contracts without mid_iv, whose volatility is smv_vol",
            ],
        ),
        "crossed_quote" => {
            (Severity::Warning, ["quote with its bid above its ask", "quotes with bids above asks"])
        }
        _ => (
            Severity::Warning,
            [
                "contract that its ticker or the question contradicts",
                "contracts that their tickers or the question contradict",
            ],
        ),
    };
    summary.findings.extend(notes.findings_by(source, "item", words));
    Ok(summary)
}

/// An option as it is recorded.
struct Read {
    item: String,
    fields: Vec<(Field, Value)>,
    notes: Vec<&'static str>,
}

/// Reads one option.
///
/// # Errors
/// The code with which it is rejected.
fn option(text: &str, symbol: &Symbol, underlying: &Quote) -> Result<Read, &'static str> {
    if !text.starts_with('{') {
        return Err("not_an_object");
    }
    let of = members(text).map_err(|_| "not_an_object")?;
    let mut leaves: Vec<(String, &str)> = Vec::with_capacity(of.len() + 12);
    for (name, raw) in &of {
        match raw.get() {
            raw if raw.starts_with('{') && name == "greeks" => {
                let inner = members(raw).map_err(|_| "not_an_object")?;
                leaves.extend(inner.iter().map(|(n, raw)| (format!("greeks.{n}"), raw.get())));
            }
            raw => leaves.push((name.to_string(), raw)),
        }
    }
    let leaf = |path: &str| leaves.iter().find(|(known, _)| known == path).map(|(_, raw)| *raw);
    let ticker = leaf("symbol").and_then(text_of).filter(|ticker| !ticker.trim().is_empty());
    let item = format!("O:{}", ticker.ok_or("missing_key")?.trim());
    let contract: Contract = item.parse().map_err(|_| "missing_key")?;
    let positive = |path: &&str| {
        let number = leaf(path).map(value_of).and_then(|value| value.decimal());
        number.is_some_and(|number| number > Decimal::ZERO)
    };
    let mut notes = Vec::new();
    let mut fields: Vec<(Field, Value)> = Vec::with_capacity(leaves.len() + 3);
    if let Some(path) = VOLS.iter().find(|path| positive(path)) {
        let source = path.trim_start_matches("greeks.");
        fields.push((Field::Known(IV), leaf(path).map(value_of).unwrap_or(Value::Null)));
        fields.push((Field::Named("iv_source".into()), Value::Text(source.into())));
        if source == "smv_vol" {
            notes.push("smv_vol");
        }
    }
    for (path, raw) in &leaves {
        let known = FIELDS.iter().find(|(known, _)| known == path).map(|(_, code)| *code);
        let field = match known {
            _ if path == "symbol" => continue,
            Some(code) => Field::Known(code),
            None => Field::Named(free_name(Series::Chain, path)),
        };
        if !fields.iter().any(|(known, _)| *known == field) {
            fields.push((field, value_of(raw)));
        }
    }
    if let Some(last) = &underlying.last {
        fields.push((Field::Known(UNDERLYING_PRICE), last.clone()));
    }
    let exact = |code: u16| {
        let found = fields.iter().find(|(field, _)| *field == Field::Known(code));
        found.and_then(|(_, value)| value.decimal())
    };
    if exact(BID).zip(exact(ASK)).is_some_and(|(bid, ask)| bid > ask) {
        notes.push("crossed_quote");
    }
    let word = if contract.right == Right::Call { "call" } else { "put" };
    // The ticker's root may be another one, of adjusted or weekly options; the underlying may not.
    let other = |told: &str| !told.eq_ignore_ascii_case(symbol.as_str());
    let differs = leaf("underlying").and_then(text_of).is_some_and(|told| other(&told))
        || exact(138).is_some_and(|strike| strike != contract.strike())
        || leaf("option_type").and_then(text_of).is_some_and(|told| told != word)
        || leaf("expiration_date")
            .and_then(text_of)
            .is_some_and(|d| *d != contract.expiry.to_string());
    if differs {
        notes.push("option_mismatch");
    }
    Ok(Read { item, fields, notes })
}
