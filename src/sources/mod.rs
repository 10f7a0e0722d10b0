//! Readers of what vendors and other programs deliver: bytes in, row events and findings out.
//!
//! A reader does not fail on a bad row: the row becomes a `reject` event and is summed up in a
//! finding. It knows formats and nothing of the ledger, the views, the clock or the environment;
//! the day that counts as today and the exchange's calendar are parameters.

pub mod alpha_vantage;
pub mod answer;
pub mod csv;
pub mod mapping;
mod notes;
pub mod polygon;
mod raw;
pub mod tomic;
pub mod tradier;

#[cfg(test)]
mod golden_tests;

pub use mapping::{Mapping, MappingError};

use crate::domain::entry::RowCounts;
use crate::domain::{Day, Finding};
use std::{fmt, io};

/// How much of an input is read before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest record in bytes; a quoted cell may span lines, so this bounds memory too.
    pub line_bytes: usize,
    /// Most cells of a record, and most keys of a JSON item.
    pub fields: usize,
    /// Largest file in bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 64 * 1024, fields: 1024, file_bytes: 8 * 1024 * 1024 * 1024 }
    }
}

/// Why reading stopped without a report. `E` is what the receiver of the events fails with.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The input could not be read.
    Io(io::Error),
    /// The second pass did not see the bytes of the first: somebody is writing to the file.
    Changed,
    /// The input is not what it was presumed to be. What was emitted must be dropped, and it is to be
    /// read without presuming.
    NotAsPresumed,
    /// The receiver of the events failed.
    Sink(E),
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("cannot read the source"),
            Self::Changed => f.write_str("the source changed while it was read"),
            Self::NotAsPresumed => f.write_str("the source is not what it was presumed to be"),
            Self::Sink(_) => f.write_str("cannot take in the source's rows"),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for ReadError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Changed | Self::NotAsPresumed => None,
            Self::Sink(error) => Some(error),
        }
    }
}

impl<E> From<io::Error> for ReadError<E> {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Which number comes first in a date such as `03/04/2025`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
}

impl DateOrder {
    /// The word used in JSON and in mapping files.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayFirst => "dmy",
            Self::MonthFirst => "mdy",
        }
    }
}

/// What a reader found out about one source, besides the events it handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSummary {
    /// Everything noticed, rejected rows summed by code; without the fatal finding.
    pub findings: Vec<Finding>,
    /// Why the source cannot be used at all; then it gave no events.
    pub fatal: Option<Finding>,
    /// Rows read, accepted, rejected and blank. Which rows repeat a key is computed elsewhere, so
    /// `effective` and `retracted` stay 0.
    pub rows: RowCounts,
    /// Name of the separator: `comma`, `semicolon`, `tab` or `pipe`. `None` for JSON, and when no
    /// line resembled a header.
    pub delimiter: Option<&'static str>,
    /// Physical line of the header, or of what resembled one most.
    pub header_line: Option<u32>,
    /// Columns that the mapping does not know, in their normal spelling (lower case).
    pub ignored_columns: Vec<String>,
    /// Columns whose absence is fatal, as the mapping spells them.
    pub missing: Vec<String>,
    /// Columns that are absent and may be, as the mapping spells them.
    pub missing_optional: Vec<String>,
    /// The order in dates such as `03/04/2025`, when there are any.
    pub slash_order: Option<DateOrder>,
    /// The order in dates such as `03-04-2025`, when there are any.
    pub dash_order: Option<DateOrder>,
    /// Days of accepted rows on which the exchange was closed; ascending, distinct.
    pub non_trading_days: Vec<Day>,
    /// Days of accepted values at or above the mapping's `high_from` (the finding `iv30_high`);
    /// ascending, distinct.
    pub high_dates: Vec<Day>,
    /// Optional cells that could not be used.
    pub optional_field_errors: u64,
    /// First and last day of the accepted rows.
    pub days: Option<(Day, Day)>,
}

/// Widens the first and last day of what was accepted by one more day.
fn widen(days: &mut Option<(Day, Day)>, day: Day) {
    let (first, last) = days.unwrap_or((day, day));
    *days = Some((first.min(day), last.max(day)));
}
