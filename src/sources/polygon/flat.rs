//! Flat files: a day of a whole market as CSV, mostly gzipped (`polygon.md` 14).
//!
//! Read as a stream: a day of option minutes has millions of rows. The records are cut by the same
//! code as other CSV files, which knows exact places and ends at lines without an end.

use super::checks::{Notes, prices};
use super::keys::{Clock, DAILY};
use super::stream::{Blind, Ended, settled, unpacked};
use super::times::ms_of_ns;
use crate::domain::occ::Contract;
use crate::domain::series::free_name;
use crate::domain::{Collector, Day, Field, Finding, Key, Op, Series, Severity, Symbol, Value};
use crate::sources::csv::records::{Record, Records};
use crate::sources::{Limits, ReadError, ReadSummary, widen};
use std::borrow::Cow;
use std::io::Read;

/// What a flat file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlatKind {
    /// `us_stocks_sip/day_aggs_v1`: daily bars of stocks.
    StockDays,
    /// `us_stocks_sip/minute_aggs_v1`.
    StockMinutes,
    /// `us_options_opra/day_aggs_v1`: daily bars of option contracts.
    OptionDays,
    /// The same file as a part of the option chains: each contract stands under its root.
    OptionChain,
    /// `us_options_opra/minute_aggs_v1`.
    OptionMinutes,
    /// `us_indices/day_aggs_v1`.
    IndexDays,
    /// `us_indices/minute_aggs_v1`.
    IndexMinutes,
}

impl FlatKind {
    /// The view of the bars, and their length as it stands in the item.
    pub(super) fn bars(self) -> (Series, &'static str) {
        match self {
            Self::StockDays => (Series::Spot, ""),
            Self::IndexDays => (Series::Index, ""),
            Self::OptionDays => (Series::Bars, DAILY),
            Self::OptionChain => (Series::Chain, ""),
            Self::StockMinutes | Self::OptionMinutes | Self::IndexMinutes => {
                (Series::Bars, "1minute")
            }
        }
    }

    /// The view that its rows belong to.
    pub fn series(self) -> Series {
        self.bars().0
    }

    /// What it holds, in words, with the vendor's name of the layout.
    pub fn words(self) -> &'static str {
        match self {
            Self::StockDays => "daily bars of stocks (us_stocks_sip/day_aggs_v1)",
            Self::StockMinutes => "minute bars of stocks (us_stocks_sip/minute_aggs_v1)",
            Self::OptionDays | Self::OptionChain => {
                "daily bars of option contracts (us_options_opra/day_aggs_v1)"
            }
            Self::OptionMinutes => {
                "minute bars of option contracts (us_options_opra/minute_aggs_v1)"
            }
            Self::IndexDays => "daily bars of indices (us_indices/day_aggs_v1)",
            Self::IndexMinutes => "minute bars of indices (us_indices/minute_aggs_v1)",
        }
    }

    /// Whether a ticker is of the market that the file is about.
    fn trades(self, ticker: &str) -> bool {
        let prefix = ticker.get(..2).filter(|prefix| prefix.ends_with(':'));
        match self {
            Self::StockDays | Self::StockMinutes => prefix.is_none(),
            Self::OptionDays | Self::OptionChain | Self::OptionMinutes => prefix == Some("O:"),
            Self::IndexDays | Self::IndexMinutes => prefix == Some("I:"),
        }
    }

    /// Whether its bars are days.
    fn is_daily(self) -> bool {
        !matches!(self, Self::StockMinutes | Self::OptionMinutes | Self::IndexMinutes)
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
    input: impl Read,
    page: &FlatPage,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut input = unpacked(input)?;
    let mut summary = ReadSummary { delimiter: Some("comma"), ..ReadSummary::default() };
    let mut notes = Notes::default();
    let result = records(&mut input, page, &mut summary, &mut notes, out);
    summary.findings.splice(..0, notes.findings(page.source, "line"));
    settled(result, summary, page.source, page.limits)
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

fn records<E>(
    input: &mut impl Read,
    page: &FlatPage,
    summary: &mut ReadSummary,
    notes: &mut Notes,
    out: &mut Collector<'_, E>,
) -> Result<(), Ended<E>> {
    let mut blind = Blind;
    let mut records = Records::new(input, &mut blind, b',', 0, page.limits).map_err(Ended::Stop)?;
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
        let origin = record.origin(page.source);
        let read = row(&record, &header, page, timespan, &mut pass, notes);
        match (read, &pass.symbol) {
            (Ok((day, item)), Some(symbol)) => {
                let item = if page.kind == FlatKind::OptionChain { &pass.ticker } else { &*item };
                summary.rows.accepted += 1;
                widen(&mut summary.days, day);
                let key = Key { symbol, day, item };
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
            summary.findings.push(Finding::about(page.source, "drift_added", Severity::Info, text));
        }
        // The ticker is the key; everything else is a field, each under a name of its own.
        if name != "ticker" || twice {
            let field = match Field::of(series, name) {
                Field::Named(name) => Field::Named(free_name(series, &name)),
                known => known,
            };
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
            summary.findings.push(Finding::about(
                page.source,
                "drift_removed",
                Severity::Warning,
                text,
            ));
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
    /// The last row's ticker, what it stands under, and its expiry if it is an option's. A
    /// market's file has its rows ticker by ticker.
    ticker: String,
    symbol: Option<Symbol>,
    expiry: Option<Day>,
    clock: Clock,
    /// The values of the row.
    values: Vec<Value>,
}

impl Pass {
    /// Takes in the ticker of a row.
    fn ticker(&mut self, ticker: &str, kind: FlatKind) -> Result<(), &'static str> {
        if self.symbol.is_some() && self.ticker == ticker {
            return Ok(());
        }
        let before = self.symbol.take();
        if !kind.trades(ticker) {
            return Err("other_market");
        }
        let contract = ticker.starts_with("O:").then(|| ticker.parse::<Contract>().ok()).flatten();
        self.expiry = contract.as_ref().map(|contract| contract.expiry);
        self.symbol = match kind {
            FlatKind::OptionChain => {
                let root = contract.ok_or("missing_key")?.root;
                let known = before.filter(|known| known.as_str() == root);
                Some(known.map_or_else(|| Symbol::exact(&root), Ok).map_err(|_| "missing_key")?)
            }
            _ => Some(Symbol::exact(ticker).map_err(|_| "missing_key")?),
        };
        self.ticker.clear();
        self.ticker.push_str(ticker);
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
    pass.ticker(ticker, page.kind)?;
    let ms = text(6).and_then(ms_of_ns).ok_or("missing_key")?;
    let (day, item) = pass.clock.bar(if timespan.is_empty() { "day" } else { timespan }, ms)?;
    let item = if timespan.is_empty() { Cow::Borrowed("") } else { item };
    if page.kind.is_daily() && !pass.clock.is_midnight(ms)? {
        notes.add("not_midnight", record.line, Some(day));
    }
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
pub(super) fn value(cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    // A number's text must be JSON's, or the value could not be printed as a number again.
    match serde_json::from_str::<serde_json::Number>(cell) {
        Ok(_) if cell.trim() == cell => Value::from_json_number(cell),
        _ => Value::Text(cell.into()),
    }
}
