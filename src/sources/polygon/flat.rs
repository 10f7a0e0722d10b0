//! Flat files: a day of a whole market as CSV, mostly gzipped (`polygon.md` 14).
//!
//! Read as a stream: a day of option minutes has millions of rows. The records are cut by the same
//! code as other CSV files, which knows exact places and ends at lines without an end.

use super::checks::{Notes, prices};
use super::keys::{Clock, DAILY};
use super::times::ms_of_ns;
use crate::domain::occ::Contract;
use crate::domain::{
    Collector, Day, Field, Finding, Key, Op, Origin, Series, Severity, Symbol, Value,
};
use crate::sources::csv::records::{Record, Records, Stop, Watch};
use crate::sources::notes::finding;
use crate::sources::{Limits, ReadError, ReadSummary};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::{self, Read};

/// What a flat file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlatKind {
    /// `us_stocks_sip/day_aggs_v1`: daily bars of stocks.
    StockDays,
    /// `us_stocks_sip/minute_aggs_v1`.
    StockMinutes,
    /// `us_options_opra/day_aggs_v1`: daily bars of option contracts.
    OptionDays,
    /// `us_options_opra/minute_aggs_v1`.
    OptionMinutes,
    /// `us_indices/day_aggs_v1`.
    IndexDays,
    /// `us_indices/minute_aggs_v1`.
    IndexMinutes,
}

impl FlatKind {
    /// The view of the bars, and their length as it stands in the item.
    fn bars(self) -> (Series, &'static str) {
        match self {
            Self::StockDays => (Series::Spot, ""),
            Self::IndexDays => (Series::Index, ""),
            Self::OptionDays => (Series::Bars, DAILY),
            Self::StockMinutes | Self::OptionMinutes | Self::IndexMinutes => {
                (Series::Bars, "1minute")
            }
        }
    }

    /// Whether the columns of an index are due, which has neither volume nor trades.
    fn is_index(self) -> bool {
        matches!(self, Self::IndexDays | Self::IndexMinutes)
    }
}

/// How to read a flat file.
#[derive(Clone, Debug)]
pub struct FlatPage {
    /// What it holds.
    pub kind: FlatKind,
    /// First and last day that belong in it; rows outside are rejected.
    pub range: Option<(Day, Day)>,
    /// When the file was fetched, ms since 1970 UTC.
    pub observed_ms: i64,
    /// Index of the source in its batch.
    pub source: u32,
    /// How much is read before the file is refused.
    pub limits: Limits,
}

/// Columns in the documented order: close stands before high and low.
const COLUMNS: [&str; 8] =
    ["ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"];

/// Reads a flat file, unpacking it when it is gzipped. Places count in the unpacked text.
///
/// # Errors
/// [`ReadError::Io`] when the input or its gzip stream cannot be read, [`ReadError::Sink`] when
/// the receiver fails. A file of another form gives a summary with a fatal finding.
pub fn read_flat<E>(
    mut input: impl Read,
    page: &FlatPage,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut magic = Vec::with_capacity(2);
    input.by_ref().take(2).read_to_end(&mut magic)?;
    let packed = magic == [0x1f, 0x8b];
    let mut input = io::Cursor::new(magic).chain(input);
    match packed {
        true => read(&mut MultiGzDecoder::new(input), page, out),
        false => read(&mut input, page, out),
    }
}

/// What a column of the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// One of [`COLUMNS`], by its place there.
    Known(usize),
    /// Any other: kept under its own name.
    Other,
}

/// The columns of one file.
struct Header {
    columns: Vec<Column>,
    fields: Vec<Field>,
}

/// Nothing is watched: the caller has hashed the bytes.
struct Blind;

impl Watch for Blind {
    fn take(&mut self, _: &[u8]) {}
}

fn read<E>(
    input: &mut impl Read,
    page: &FlatPage,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut summary = ReadSummary { delimiter: Some("comma"), ..ReadSummary::default() };
    let (mut blind, mut notes) = (Blind, Notes::default());
    let result = records(input, &mut blind, page, &mut summary, &mut notes, out);
    summary.findings.splice(..0, notes.findings(page.source, "line"));
    let (code, line, text) = match result {
        Ok(()) => return Ok(summary),
        Err(Ended::Sink(error)) => return Err(ReadError::Sink(error)),
        Err(Ended::Stop(Stop::Io(error))) => return Err(ReadError::Io(error)),
        Err(Ended::Stop(Stop::LineTooLong(line))) => {
            let text = format!("a line is longer than {} bytes", page.limits.line_bytes);
            ("line_too_long", Some(line), text)
        }
        Err(Ended::Stop(Stop::TooManyFields(line))) => {
            let text = format!("a line has more than {} cells", page.limits.fields);
            ("too_many_fields", Some(line), text)
        }
        Err(Ended::Stop(Stop::FileTooLarge)) => {
            let text = format!("the file is larger than {} bytes", page.limits.file_bytes);
            ("file_too_large", None, text)
        }
        Err(Ended::Header(text)) => ("missing_columns", Some(1), text),
    };
    summary.fatal = Some(Finding { line, ..finding(page.source, code, Severity::Fatal, text) });
    Ok(summary)
}

/// Why the reading ended before the file did.
enum Ended<E> {
    Stop(Stop),
    Header(String),
    Sink(E),
}

fn records<E>(
    input: &mut impl Read,
    blind: &mut Blind,
    page: &FlatPage,
    summary: &mut ReadSummary,
    notes: &mut Notes,
    out: &mut Collector<'_, E>,
) -> Result<(), Ended<E>> {
    let mut records = Records::new(input, blind, b',', 0, page.limits).map_err(Ended::Stop)?;
    let first = records.next().map_err(Ended::Stop)?;
    let Some(first) = first else {
        return Err(Ended::Header("the file is empty".into()));
    };
    summary.header_line = Some(first.line);
    let header = header(&first, page, summary)?;
    let (series, timespan) = page.kind.bars();
    let mut pass = Pass::default();
    while let Some(record) = records.next().map_err(Ended::Stop)? {
        if record.bytes.is_empty() {
            summary.rows.blank += 1;
            continue;
        }
        summary.rows.read += 1;
        let origin = Origin {
            source: page.source,
            line: record.line,
            offset: record.offset,
            len: u32::try_from(record.bytes.len()).unwrap_or(u32::MAX),
        };
        let read = row(&record, &header, page, timespan, &mut pass, notes);
        match (read, &pass.symbol) {
            (Ok((day, item)), Some(symbol)) => {
                summary.rows.accepted += 1;
                let days = summary.days.get_or_insert((day, day));
                *days = (days.0.min(day), days.1.max(day));
                let key = Key { symbol, day, item: &item };
                out.event(origin, series, Op::Put, key, &header.fields, pass.values.drain(..))
                    .map_err(Ended::Sink)?;
            }
            (read, _) => {
                let code = read.err().unwrap_or("missing_key");
                summary.rows.rejected += 1;
                notes.add(code, record.line, None);
                let raw = String::from_utf8_lossy(record.bytes);
                out.reject(origin, series, code, &raw).map_err(Ended::Sink)?;
            }
        }
    }
    Ok(())
}

/// Reads the header: columns are found by name, in any order.
fn header<E>(
    record: &Record<'_>,
    page: &FlatPage,
    summary: &mut ReadSummary,
) -> Result<Header, Ended<E>> {
    let (series, _) = page.kind.bars();
    let mut header = Header { columns: Vec::new(), fields: Vec::new() };
    for cell in record.cells() {
        let name = String::from_utf8_lossy(&cell);
        let name = name.trim_start_matches('\u{feff}').trim();
        let known = COLUMNS.iter().position(|column| *column == name);
        let twice = known.is_some_and(|at| header.columns.contains(&Column::Known(at)));
        header.columns.push(match known {
            Some(at) if !twice => Column::Known(at),
            _ => Column::Other,
        });
        let due = known.is_some()
            && !(page.kind.is_index() && (name == "volume" || name == "transactions"));
        if !due || twice {
            summary.ignored_columns.push(name.to_lowercase());
            let text = format!("the column `{name}` is new, and kept under that name");
            summary.findings.push(finding(page.source, "drift_added", Severity::Info, text));
        }
        // The ticker is the key; everything else is a field, each under a name of its own.
        if name != "ticker" || twice {
            let field = Field::of(series, name);
            let taken = name.is_empty() || twice || header.fields.contains(&field);
            let number = header.columns.len();
            let free = || Field::Named(format!("{name} (column {number})").trim_start().into());
            header.fields.push(if taken { free() } else { field });
        }
    }
    for (at, name) in COLUMNS.iter().enumerate() {
        let optional = page.kind.is_index() && (*name == "volume" || *name == "transactions");
        if optional || header.columns.contains(&Column::Known(at)) {
            continue;
        }
        if *name == "volume" || *name == "transactions" {
            summary.missing_optional.push((*name).into());
            let text = format!("the column `{name}` is missing");
            summary.findings.push(finding(page.source, "drift_removed", Severity::Warning, text));
        } else {
            summary.missing.push((*name).into());
        }
    }
    match summary.missing.is_empty() {
        true => Ok(header),
        false => {
            let names = summary.missing.join("`, `");
            Err(Ended::Header(format!("the file has no column `{names}`")))
        }
    }
}

/// What is kept from row to row.
#[derive(Default)]
struct Pass {
    /// The last row's ticker, and its expiry if it is an option's. A market's file has its rows
    /// ticker by ticker.
    symbol: Option<Symbol>,
    expiry: Option<Day>,
    clock: Clock,
    /// The values of the row.
    values: Vec<Value>,
}

impl Pass {
    /// Takes in the ticker of a row.
    fn ticker(&mut self, ticker: &str) -> Result<(), &'static str> {
        if self.symbol.as_ref().is_none_or(|known| known.as_str() != ticker) {
            self.symbol = None;
            self.symbol = Some(Symbol::exact(ticker).map_err(|_| "missing_key")?);
            let option = ticker.starts_with("O:").then(|| ticker.parse::<Contract>().ok());
            self.expiry = option.flatten().map(|contract| contract.expiry);
        }
        Ok(())
    }
}

/// Reads a row's values; gives its day and item, and leaves its ticker in `pass`.
fn row<'a>(
    record: &Record<'_>,
    header: &Header,
    page: &FlatPage,
    timespan: &'a str,
    pass: &mut Pass,
    notes: &mut Notes,
) -> Result<(Day, Cow<'a, str>), &'static str> {
    pass.values.clear();
    if record.len() != header.columns.len() {
        return Err("cell_count");
    }
    let mut texts = [const { None::<Cow<'_, [u8]>> }; COLUMNS.len()];
    for (column, cell) in header.columns.iter().zip(record.cells()) {
        let is_ticker = *column == Column::Known(0);
        if !is_ticker {
            pass.values.push(value(std::str::from_utf8(&cell).map_err(|_| "not_utf8")?));
        }
        if let Column::Known(at) = column
            && let Some(place) = texts.get_mut(*at)
        {
            *place = Some(cell);
        }
    }
    let text = |at: usize| {
        let cell = texts.get(at).and_then(|cell| cell.as_deref());
        cell.and_then(|cell| std::str::from_utf8(cell).ok()).filter(|text| !text.is_empty())
    };
    let ticker = text(0).ok_or("missing_key")?;
    pass.ticker(ticker)?;
    let ms = text(6).and_then(ms_of_ns).ok_or("missing_key")?;
    let (day, item) = pass.clock.bar(if timespan.is_empty() { "day" } else { timespan }, ms)?;
    let item = if timespan.is_empty() { Cow::Borrowed("") } else { item };
    if page.range.is_some_and(|(first, last)| !(first..=last).contains(&day)) {
        return Err("wrong_day");
    }
    if pass.expiry.is_some_and(|expiry| day > expiry) {
        return Err("expired");
    }
    let line = record.line;
    for code in prices([text(2), text(4), text(5), text(3), text(1), None])?.into_iter().flatten() {
        notes.add(code, line, Some(day));
    }
    if ms > page.observed_ms.saturating_add(super::checks::DAY_MS) {
        notes.add("future_time", line, Some(day));
    }
    Ok((day, item))
}

/// A cell as it stands: a number with its digits, or a text. An empty cell is no value.
fn value(cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    // A number's text must be JSON's, or the value could not be printed as a number again.
    match serde_json::from_str::<serde_json::Number>(cell) {
        Ok(_) if cell.trim() == cell => Value::from_json_number(cell),
        _ => Value::Text(cell.into()),
    }
}
