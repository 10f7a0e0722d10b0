//! The health of the data, symbol by symbol.

use super::GapLine;
use serde::Serialize;

/// What is there of each symbol, and what is wrong with it: `volledger/coverage/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/coverage/1")]
pub struct Coverage {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The day that staleness is measured from.
    pub date: String,
    /// One row a symbol.
    pub rows: Vec<SymbolCoverage>,
}

/// What is there of a symbol.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolCoverage {
    /// The symbol.
    pub symbol: String,
    /// Daily prices; null where there are none.
    pub spot: Option<Span>,
    /// Historical volatilities; null where there are none.
    pub hv: Option<Span>,
    /// Implied volatilities; null where there are none.
    pub iv: Option<Span>,
    /// Records whose atm_iv is above zero.
    pub iv_valid: u64,
    /// Announcements of earnings; null where there are none.
    pub earnings: Option<Announced>,
    /// What is wrong: missing_spot, missing_hv, missing_iv, missing_earnings, earnings_stale,
    /// earnings_missing_future, iv_history_insufficient, spot_stale, hv_stale, iv_stale,
    /// hv_before_spot, hv_after_spot, iv_before_spot, iv_after_spot, and iv_gaps(2:12d): the number
    /// of holes and the trading days in them.
    pub issues: Vec<String>,
    /// Holes of at least five trading days.
    pub holes: Vec<Hole>,
}

/// The days of a series.
#[derive(Clone, Debug, Serialize)]
pub struct Span {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Days with a value; a null is none.
    pub days: u64,
    /// Trading days from the first to the last, both included.
    pub expected: u64,
    /// Trading days of these without a value.
    pub missing: u64,
    /// `missing` in percent of `expected`, 0 to 100.
    pub missing_percent: f64,
}

/// The announcements of a symbol, also those to come.
#[derive(Clone, Debug, Serialize)]
pub struct Announced {
    /// The next, from the day on that staleness is measured from; null where none is known.
    pub next: Option<String>,
    /// The latest before it.
    pub latest: Option<String>,
    /// All.
    pub days: u64,
}

/// A hole of a series.
#[derive(Clone, Debug, Serialize)]
pub struct Hole {
    /// The series.
    pub series: &'static str,
    /// Where it is.
    #[serde(flatten)]
    pub gap: GapLine,
}
