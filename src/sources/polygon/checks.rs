//! What is checked of an item, and the notes that come of it.

use super::keys::ItemKey;
use super::walk::{Got, Walk};
use super::{Endpoint, Page};
use crate::domain::occ::Contract;
use crate::domain::value::parse_plain;
use crate::domain::{Day, Finding, Severity, Value};
use crate::sources::notes::Counts;
use crate::sources::raw::text_of;
use rust_decimal::Decimal;

/// Something to note about items, summed by code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) code: &'static str,
    severity: Severity,
    words: [&'static str; 2],
}

const fn reject(code: &'static str, words: [&'static str; 2]) -> Note {
    Note { code, severity: Severity::Reject, words }
}

const fn warning(code: &'static str, words: [&'static str; 2]) -> Note {
    Note { code, severity: Severity::Warning, words }
}

const fn info(code: &'static str, words: [&'static str; 2]) -> Note {
    Note { code, severity: Severity::Info, words }
}

/// Every note, in the order of the findings.
const NOTES: &[Note] = &[
    reject("not_an_object", ["item that is no object", "items that are no objects"]),
    reject(
        "invalid_record",
        ["item with a name that is no text", "items with names that are no text"],
    ),
    reject("duplicate_key", ["item with a name twice", "items with a name twice"]),
    reject("too_many_fields", ["item with too many fields", "items with too many fields"]),
    reject(
        "cell_count",
        [
            "row with more or fewer cells than the header",
            "rows with more or fewer cells than the header",
        ],
    ),
    reject("not_utf8", ["row that is not UTF-8", "rows that are not UTF-8"]),
    reject("missing_key", ["item without a readable key", "items without a readable key"]),
    reject(
        "time_range",
        [
            "item of a time before 1990 or beyond all calendars",
            "items of times before 1990 or beyond all calendars",
        ],
    ),
    reject(
        "missing",
        ["bar without one of its four prices", "bars without one of their four prices"],
    ),
    reject(
        "not_a_price",
        [
            "bar with a price that is no number, or too large or small for one",
            "bars with prices that are no numbers, or too large or small for one",
        ],
    ),
    reject(
        "nonpositive",
        ["bar with a price of zero or less", "bars with a price of zero or less"],
    ),
    reject(
        "ohlc",
        [
            "bar whose four prices contradict each other",
            "bars whose four prices contradict each other",
        ],
    ),
    reject("volume", ["bar with a negative volume", "bars with a negative volume"]),
    reject("wrong_day", ["item outside the days asked for", "items outside the days asked for"]),
    reject("expired", ["row after the contract's expiry", "rows after the contract's expiry"]),
    reject(
        "other_market",
        ["row of another market than the file's", "rows of other markets than the file's"],
    ),
    reject(
        "other_symbol",
        [
            "row of another underlying than the one given",
            "rows of other underlyings than the one given",
        ],
    ),
    reject(
        "news_key",
        [
            "article without a title or without an address",
            "articles without a title or without an address",
        ],
    ),
    warning(
        "other_symbols",
        [
            "row with a contract on another underlying than the one given",
            "rows with contracts on another underlying than the one given",
        ],
    ),
    warning("zero_low", ["bar with a low of zero", "bars with a low of zero"]),
    warning("ticker_error", ["ticker that failed", "tickers that failed"]),
    warning(
        "future_time",
        ["item of a time after the answer's", "items of a time after the answer's"],
    ),
    warning(
        "time_grid",
        ["minute bar that begins inside a minute", "minute bars that begin inside a minute"],
    ),
    warning(
        "vwap_range",
        [
            "bar whose volume-weighted price is far outside its range",
            "bars whose volume-weighted price is far outside its range",
        ],
    ),
    warning(
        "not_midnight",
        [
            "daily bar that does not begin at midnight in New York",
            "daily bars that do not begin at midnight in New York",
        ],
    ),
    warning(
        "not_a_number",
        ["cell that is no number, kept as text", "cells that are no numbers, kept as text"],
    ),
    warning("order", ["bar that breaks the page's order", "bars that break the page's order"]),
    warning(
        "option_ticker",
        ["option ticker that cannot be read", "option tickers that cannot be read"],
    ),
    warning(
        "option_mismatch",
        ["contract that its ticker contradicts", "contracts that their tickers contradict"],
    ),
    warning(
        "insight_value",
        ["article with an unknown sentiment", "articles with an unknown sentiment"],
    ),
    info("zero_volume", ["bar without volume", "bars without volume"]),
    info(
        "dup_in_page",
        ["item that the page has already, left out", "items that the page has already, left out"],
    ),
];

/// Notes summed by code.
#[derive(Debug, Default)]
pub(super) struct Notes(Counts<'static>);

impl Notes {
    pub(super) fn add(&mut self, code: &'static str, line: u32, day: Option<Day>) {
        self.0.add(code, line, day);
    }

    /// One finding per code, in the order of the table.
    pub(super) fn findings(&self, source: u32, unit: &str) -> Vec<Finding> {
        let other = reject("", ["item rejected", "items rejected"]);
        let place = |code: &str| NOTES.iter().position(|note| note.code == code);
        let mut found: Vec<_> = self
            .0
            .findings_by(source, unit, |code| {
                let note = place(code).and_then(|at| NOTES.get(at)).unwrap_or(&other);
                (note.severity, note.words)
            })
            .collect();
        found.sort_by_key(|finding| place(&finding.code).unwrap_or(0));
        found
    }
}

/// A number, quickly when it is written plainly; also one in quotes.
fn number(raw: &str) -> Option<Decimal> {
    let plain = |raw: &str| parse_plain(raw).or_else(|| Value::from_json_number(raw).decimal());
    plain(raw).or_else(|| text_of(raw).and_then(|text| plain(text.trim())))
}

/// The latest instant that is no surprise: a day after the answer came.
pub(super) const DAY_MS: i64 = 86_400_000;

/// Checks an item whose key is known; remarks go to `notes`.
///
/// # Errors
/// The code with which the item is rejected.
pub(super) fn check(
    page: &Page,
    walk: &Walk,
    leaves: &[Got<'_>],
    key: &ItemKey<'_>,
    line: u32,
    notes: &mut Notes,
) -> Result<(), &'static str> {
    let day = key.day;
    if let Some(paths) = &walk.table.prices {
        if let Some((first, last)) = page.range
            && !(first..=last).contains(&day)
            && !super::keys::is_long(&page.timespan)
        {
            return Err("wrong_day");
        }
        if expiry(page, key).is_some_and(|expiry| day > expiry) {
            return Err("expired");
        }
        let raw = paths.map(|path| walk.raw(leaves, path));
        for code in prices(raw)?.into_iter().flatten() {
            notes.add(code, line, Some(day));
        }
        if page.timespan.ends_with("minute") && key.ms.is_some_and(|ms| ms % 60_000 != 0) {
            notes.add("time_grid", line, Some(day));
        }
    }
    if key.ms.is_some_and(|ms| ms > page.observed_ms.saturating_add(DAY_MS)) {
        notes.add("future_time", line, Some(day));
    }
    let prefix = match page.endpoint {
        Endpoint::Contracts | Endpoint::Contract => "",
        Endpoint::Chain | Endpoint::ChainContract => "details.",
        _ => return Ok(()),
    };
    if let Some(code) = contract(walk, leaves, &key.item, prefix) {
        notes.add(code, line, Some(day));
    }
    Ok(())
}

/// The expiry of an option whose bars these are.
fn expiry(page: &Page, key: &ItemKey<'_>) -> Option<Day> {
    let symbol = page.symbol.as_ref().unwrap_or(&key.symbol).as_str();
    symbol.starts_with("O:").then(|| symbol.parse::<Contract>().ok())?.map(|one| one.expiry)
}

/// Checks open, high, low, close, volume and volume-weighted price, and gives what is remarkable.
///
/// A price that is no number is no price: nothing that is computed from the bar could be checked.
pub(super) fn prices(raw: [Option<&str>; 6]) -> Result<[Option<&'static str>; 3], &'static str> {
    let [open, high, low, close, volume, vwap] = raw;
    if [open, high, low, close].contains(&None) {
        return Err("missing");
    }
    let [open, high, low, close, volume, vwap] =
        [open, high, low, close, volume, vwap].map(|raw| raw.and_then(number));
    // The service has given minutes with a low of 0 and three sound prices: those are kept, and
    // told. Nothing is computed from a low.
    let none = low.is_some_and(|low| low.is_zero());
    let checked = [open, high, low.filter(|_| !none), close];
    if checked.into_iter().flatten().any(|price| price <= Decimal::ZERO) {
        return Err("nonpositive");
    }
    let (Some(open), Some(high), Some(low), Some(close)) = (open, high, low, close) else {
        return Err("not_a_price");
    };
    if low > open.min(close) || high < open.max(close) {
        return Err("ohlc");
    }
    if volume.is_some_and(|volume| volume < Decimal::ZERO) {
        return Err("volume");
    }
    let zero = volume.is_some_and(|volume| volume.is_zero());
    // Half a percent: trades that do not move high and low still count for the average.
    let slack = Decimal::new(5, 3);
    let far = |vwap: Decimal| {
        let below = low.checked_sub(vwap).zip(low.checked_mul(slack));
        let above = vwap.checked_sub(high).zip(high.checked_mul(slack));
        [below, above].into_iter().flatten().any(|(by, slack)| by > slack)
    };
    // Without trades the average is 0.
    let far = !zero && vwap.is_some_and(far);
    let (far, zero) = (far.then_some("vwap_range"), zero.then_some("zero_volume"));
    Ok([far, zero, none.then_some("zero_low")])
}

/// Compares a contract with what its ticker says; the fields are kept as they are in any case.
fn contract(walk: &Walk, leaves: &[Got<'_>], ticker: &str, prefix: &str) -> Option<&'static str> {
    let Ok(told) = ticker.parse::<Contract>() else { return Some("option_ticker") };
    let at = |name: &str| walk.raw(leaves, &format!("{prefix}{name}"));
    let strike = at("strike_price").and_then(number);
    let expiry = at("expiration_date").and_then(|raw| raw.trim_matches('"').parse::<Day>().ok());
    let other = strike.is_some_and(|strike| strike != told.strike())
        || expiry.is_some_and(|expiry| expiry != told.expiry);
    other.then_some("option_mismatch")
}

/// Watches whether the bars of a page come in one order.
#[derive(Debug, Default)]
pub(super) struct Order {
    first: Option<i64>,
    last: Option<i64>,
    /// Bars that are not later, and not earlier, than the one before.
    steps: Vec<(u32, Day, bool, bool)>,
}

impl Order {
    pub(super) fn add(&mut self, ms: i64, line: u32, day: Day) {
        if let Some(last) = self.last
            && self.steps.len() < MAX_STEPS
        {
            self.steps.push((line, day, ms <= last, ms >= last));
        }
        self.first.get_or_insert(ms);
        self.last = Some(ms);
    }

    /// Notes the bars that break the order which the page has as a whole.
    pub(super) fn finish(self, notes: &mut Notes) {
        let falls = self.first > self.last;
        for (line, day, not_later, not_earlier) in self.steps {
            if if falls { not_earlier } else { not_later } {
                notes.add("order", line, Some(day));
            }
        }
    }
}

/// More bars than a page can have.
const MAX_STEPS: usize = 100_000;
