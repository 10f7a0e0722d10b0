//! Reading one body.

use super::Endpoint;
use crate::domain::entry::RowCounts;
use crate::domain::{Collector, Day, Finding, Series, Symbol};
use crate::sources::ReadError;

/// What a page was asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The view that the items are for: [`Endpoint::series`], or `bars` and `index` for bars.
    pub series: Series,
    /// The symbol asked for; for a chain or contracts the underlying. `None` when each item names
    /// its own.
    pub symbol: Option<Symbol>,
    /// Length of intraday bars, such as `1minute`; empty otherwise.
    pub timespan: String,
    /// First and last day asked, for bars; items outside are rejected.
    pub range: Option<(Day, Day)>,
    /// The day that listed contracts are as of, and that a snapshot without any time is dated.
    pub as_of: Day,
    /// When the body arrived, ms since 1970 UTC.
    pub observed_ms: i64,
    /// Index of the source in its batch.
    pub source: u32,
}

/// What a body says about itself, cheaply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `status`, if there is one.
    pub status: Option<String>,
    /// `error` or `message`, if there is one.
    pub text: Option<String>,
    /// `next_url`, if there is one.
    pub next_url: Option<String>,
    /// How many items there are.
    pub items: u64,
}

/// A ticker that failed inside a 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickerError {
    /// The ticker.
    pub ticker: String,
    /// `NOT_FOUND`, `NOT_ENTITLED` …
    pub code: String,
    /// What the service says.
    pub message: String,
}

/// What reading a page gave, besides the events.
#[derive(Clone, Debug, Default)]
pub struct PageSummary {
    /// Items read, accepted and rejected.
    pub rows: RowCounts,
    /// What was noticed, summed by code; drift included.
    pub findings: Vec<Finding>,
    /// First and last day of the accepted items.
    pub days: Option<(Day, Day)>,
    /// Tickers that failed inside a 200.
    pub errors: Vec<TickerError>,
}

/// Reads what a body says about itself.
///
/// # Errors
/// One sentence: why it is not an answer of this endpoint (not JSON, cut short, another shape).
pub fn envelope(endpoint: Endpoint, body: &[u8]) -> Result<Envelope, String> {
    let _ = (endpoint, body);
    Err("not built yet".into())
}

/// Reads the items of a body into events.
///
/// # Errors
/// [`ReadError::Sink`] when the receiver fails. A body of another shape is a fatal finding of
/// [`crate::sources::ReadSummary`]'s kind: here an item-less summary with a finding `bad_payload`.
pub fn read_page<E>(
    body: &[u8],
    page: &Page,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let _ = (body, page, out);
    Ok(PageSummary::default())
}

/// What the times in a chain say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTimes {
    /// The newest New York date of a quote, trade or bar.
    pub day: Option<Day>,
    /// The newest time of the underlying's price, ms since 1970 UTC.
    pub underlying_ms: Option<i64>,
}

/// The times of a chain's quotes and of its underlying.
pub fn session_times(body: &[u8]) -> Option<SessionTimes> {
    let _ = body;
    None
}
