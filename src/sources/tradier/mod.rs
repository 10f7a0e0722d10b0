//! Bodies of Tradier (`iv_crush.md` A13): a quote of the underlying, its expirations, and the chain
//! of one expiration. Together they are one snapshot of a chain.
//!
//! One element stands where a list is due, and `null`, or the text `null`, where an object is.

mod chain;

pub use chain::read;

use super::answer::{Refusal, member, members, object, one_or_many};
use super::polygon::SessionTimes;
use super::raw::{Entry, text_of, value_of};
use crate::domain::{Day, Symbol, Value, eastern};

/// What an address of the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// `/markets/quotes`.
    Quote,
    /// `/markets/options/expirations`.
    Expirations,
    /// `/markets/options/chains`.
    Chain,
}

/// How the answers are read; kept with each batch.
pub const DEFINITION: &str = "\
id = \"tradier\"\nversion = 1\n\
# Answers of Tradier. Each option is an event under its ticker with `O:` before it; each leaf of it a field, a\n\
# number with the digits of the answer. implied_volatility is greeks.mid_iv where that is above 0, else\n\
# greeks.smv_vol where that is, and iv_source says which; underlying_price is `last` of the quote that came with\n\
# the chain. A chain stands on the session of its newest quote.\n";

impl Page {
    /// What an address answers; `None` for any other.
    pub fn of(target: &str) -> Option<Self> {
        let path = target.split('?').next().unwrap_or_default();
        let pages = [
            ("/markets/quotes", Self::Quote),
            ("/markets/options/expirations", Self::Expirations),
            ("/markets/options/chains", Self::Chain),
        ];
        pages.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, page)| page)
    }

    /// The names under which the items are.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Quote => ["quotes", "quote"],
            Self::Expirations => ["expirations", "date"],
            Self::Chain => ["options", "option"],
        }
    }
}

/// The items of a body, each by its source text.
///
/// # Errors
/// What it is instead.
pub fn items(page: Page, body: &[u8]) -> Result<Vec<&str>, Refusal> {
    let top = object(body)?;
    let [outer, inner] = page.names();
    if !top.iter().any(|(name, _)| name == outer) {
        let said = ["fault", "errors", "error"].iter().find_map(|name| member(&top, name));
        let text = said.map_or_else(
            || format!("the body has no `{outer}`"),
            |said| format!("the service says {}", said.chars().take(120).collect::<String>()),
        );
        return Err(Refusal::Payload(text));
    }
    let Some(raw) = member(&top, outer) else { return Ok(Vec::new()) };
    let of = members(raw)?;
    member(&of, inner).map_or_else(|| Ok(Vec::new()), one_or_many)
}

/// The expirations of a body, as they stand in it.
///
/// # Errors
/// What it is instead, or a date that is none.
pub fn expirations(body: &[u8]) -> Result<Vec<Day>, Refusal> {
    let mut days = Vec::new();
    for item in items(Page::Expirations, body)? {
        // With further details asked for, each is an object.
        let of = if item.starts_with('{') { members(item)? } else { Vec::new() };
        let text = member(&of, "date").or(Some(item)).and_then(text_of);
        let day = text.and_then(|text| text.trim().parse().ok());
        days.push(day.ok_or_else(|| Refusal::Payload("an expiration is no date".into()))?);
    }
    days.sort();
    days.dedup();
    Ok(days)
}

/// The quote of a chain's underlying.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// Last price as written; `None` where none is told.
    pub last: Option<Value>,
    /// When that was, ms since 1970 UTC.
    pub last_ms: Option<i64>,
}

/// The quote of a symbol in a body; nothing is known where it has none.
pub fn quote(body: &[u8], symbol: &Symbol) -> Quote {
    for item in items(Page::Quote, body).unwrap_or_default() {
        let Ok(of) = members(item) else { continue };
        let told = member(&of, "symbol").and_then(text_of);
        if told.is_some_and(|told| told.eq_ignore_ascii_case(symbol.as_str())) {
            let last = member(&of, "last").map(value_of).filter(|last| last.decimal().is_some());
            return Quote { last, last_ms: instant(&of, "trade_date") };
        }
    }
    Quote::default()
}

/// An instant in ms since 1970 UTC; 0 is none.
fn instant(of: &[Entry<'_>], name: &str) -> Option<i64> {
    member(of, name)?.trim_matches('"').parse().ok().filter(|ms| *ms > 0)
}

/// The times in the pages of a snapshot: of the newest quote or trade of an option, and of the
/// price of the underlying.
pub fn session_times(page: Page, body: &[u8]) -> SessionTimes {
    let newest = |names: &[&str]| {
        let items = items(page, body).unwrap_or_default();
        let of = items.into_iter().filter_map(|item| members(item).ok());
        of.flat_map(|of| names.iter().filter_map(|n| instant(&of, n)).collect::<Vec<_>>()).max()
    };
    let mut times = SessionTimes::default();
    match page {
        Page::Quote => times.underlying_ms = newest(&["trade_date"]),
        Page::Chain => times.options_ms = newest(&["trade_date", "bid_date", "ask_date"]),
        Page::Expirations => {}
    }
    times.options = times.options_ms.and_then(eastern::day_of);
    times.underlying = times.underlying_ms.and_then(eastern::day_of);
    times
}

#[cfg(test)]
mod tests;
