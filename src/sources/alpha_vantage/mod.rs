//! Bodies of Alpha Vantage (`iv_crush.md` A13): announcements to come (a table), announcements that
//! were (JSON), daily bars as traded (JSON).
//!
//! Its refusals come with a 200; `refusal` tells them from data.

mod daily;
mod earnings;

use super::answer::{Refusal, Wanted, member, object};
use super::polygon::PageSummary;
use super::raw::text_of;
use super::{Limits, ReadError};
use crate::domain::{Collector, Day, Symbol};
use crate::sources::csv::records::{Records, Watch};

/// A function of the service's one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `EARNINGS_CALENDAR`: announcements to come, of one symbol or of all.
    Calendar,
    /// `EARNINGS`: announcements of a symbol that were.
    History,
    /// `TIME_SERIES_DAILY`: daily bars of a symbol, not adjusted.
    Daily,
}

/// How the answers are read; kept with each batch. The table's columns are those of the mapping
/// `earnings`.
pub const DEFINITION: &str = "\
id = \"alpha-vantage\"\nversion = 1\n\
# Answers of Alpha Vantage. EARNINGS_CALENDAR is a table, read as the bundled mapping `earnings`, version 1:\n\
# the announcement's day is reportDate, pre-market is BMO, post-market AMC, an empty cell UNKNOWN. EARNINGS has\n\
# one event for each element of quarterlyEarnings, on reportedDate; `None` says nothing. An unknown time of day is\n\
# left out where the view shows one, and an announcement that both have is that of the answer that came first.\n\
# TIME_SERIES_DAILY has one event for each date, a session in New York; prices are as traded: neither splits nor\n\
# dividends are taken out.\n";

/// Whether a body is an answer; `items` is how many items it has.
///
/// # Errors
/// What it is instead.
pub fn items(endpoint: Endpoint, symbol: Option<&Symbol>, body: &[u8]) -> Result<u64, Refusal> {
    let head = body.trim_ascii_start();
    if endpoint == Endpoint::Calendar && !head.starts_with(b"{") {
        return calendar(body);
    }
    let top = object(body)?;
    if let Some(refusal) = refusal(&top) {
        return Err(refusal);
    }
    if top.is_empty() {
        return Ok(0);
    }
    match endpoint {
        Endpoint::Calendar => Err(Refusal::Payload("the body is an object, not a table".into())),
        Endpoint::History => Ok(earnings::quarters(&top, symbol)?.len() as u64),
        Endpoint::Daily => Ok(daily::bars(&top, symbol)?.len() as u64),
    }
}

/// Whether the service gives something at all, whatever it was asked.
///
/// # Errors
/// What it says instead.
pub fn answers(body: &[u8]) -> Result<(), Refusal> {
    refusal(&object(body)?).map_or(Ok(()), Err)
}

/// Reads the items of a body into events.
///
/// # Errors
/// [`ReadError::Sink`] when the receiver fails.
pub fn read<E>(
    endpoint: Endpoint,
    body: &[u8],
    wanted: &Wanted,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    match endpoint {
        Endpoint::Calendar => earnings::read_calendar(body, wanted, out),
        Endpoint::History => earnings::read_history(body, wanted, out),
        Endpoint::Daily => daily::read(body, wanted, out),
    }
}

/// The refusals that stand in an object of their own.
fn refusal(top: &[super::raw::Entry<'_>]) -> Option<Refusal> {
    let said = |name: &str| member(top, name).and_then(text_of).map(std::borrow::Cow::into_owned);
    if let Some(text) = said("Error Message") {
        let lower = text.to_lowercase();
        let of_key = lower.contains("apikey") || lower.contains("api key");
        return Some(if of_key { Refusal::Key(text) } else { Refusal::NoData(text) });
    }
    let text = said("Note").or_else(|| said("Information"))?;
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // Each of these texts advertises what a premium plan would give, that of a burst "all premium
    // endpoints" too: what is asked of a plan is said of the request itself.
    let throttles = says(&["per second", "per minute", "per day", "rate limit", "call frequency"]);
    if says(&["is a premium"]) || says(&["premium"]) && !throttles {
        return Some(Refusal::Plan(text));
    }
    if says(&["invalid api key", "demo purposes only"]) {
        return Some(Refusal::Key(text));
    }
    let today = says(&["per day", "daily"]) && !says(&["per minute", "per second"]);
    Some(Refusal::Throttled { text, today })
}

/// A reader of the table's first lines needs no checksum of them.
struct Blind;

impl Watch for Blind {
    fn take(&mut self, _: &[u8]) {}
}

/// The rows of a calendar. Throttled, the service spells a word in its first row, letter by letter:
/// a first day that is none is that, and never an empty calendar.
fn calendar(body: &[u8]) -> Result<u64, Refusal> {
    let wrong = |text: &str| Err(Refusal::Payload(text.to_owned()));
    let head = body.trim_ascii_start();
    if head.is_empty() {
        return wrong("the body is empty");
    }
    if head.starts_with(b"<") {
        return wrong("the body is HTML, not a table");
    }
    let (mut input, mut blind) = (body, Blind);
    let records = Records::new(&mut input, &mut blind, b',', 0, Limits::default());
    let Ok(mut records) = records else { return wrong("the table cannot be read") };
    let names: Vec<String> = match records.next() {
        Ok(Some(header)) => header
            .cells()
            .map(|cell| String::from_utf8_lossy(&cell).trim_start_matches('\u{feff}').to_owned())
            .collect(),
        _ => return wrong("the body is no table"),
    };
    let column = |name: &str| names.iter().position(|known| known.trim() == name);
    let Some(date) = column("reportDate").filter(|_| column("symbol").is_some()) else {
        return wrong("the table has no columns `symbol` and `reportDate`");
    };
    let mut rows = 0;
    while let Ok(Some(row)) = records.next() {
        if row.bytes.trim_ascii().is_empty() {
            continue;
        }
        // Each row of the service ends its line: one that does not, and has less, is half of one.
        if !row.terminated && (row.len() < names.len() || row.unclosed) {
            return wrong("the table is cut short");
        }
        let cell = row.cell(date);
        let day: Option<Day> =
            std::str::from_utf8(&cell).ok().and_then(|text| text.trim().parse().ok());
        if rows == 0 && day.is_none() {
            let text = "the calendar's first row has no date: the service is throttling".to_owned();
            return Err(Refusal::Throttled { text, today: false });
        }
        rows += 1;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
