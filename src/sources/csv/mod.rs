//! Reading a vendor's CSV file in two streaming passes, or in one.
//!
//! The first pass decides what only the whole file can tell: the encoding and the order of the
//! numbers in its dates. The second one emits the rows. Neither holds more than one buffer of the
//! file, and both note a checksum, so a file that changes in between is noticed.
//!
//! Nearly all files are UTF-8 with dates that begin with the year. That can be presumed: the rows are
//! then emitted at once, and a file that is otherwise is refused where it shows, to be read in two.

mod bars;
mod bounds;
mod columns;
mod dates;
mod doubts;
mod numbers;
pub(super) mod records;
mod rows;
mod shapes;
pub(super) mod symbols;
mod text;
mod told;
mod unread;
mod words;

use super::mapping::Mapping;
use super::{Limits, ReadError, ReadSummary};
use crate::domain::{Calendar, Collector, Day, Finding, Severity, Symbol};
use columns::Header;
pub(super) use columns::few;
pub use dates::FORMS as DATE_FORMS;
use dates::{Orders, Survey};
use records::{Record, Records, Stop};
use std::io::{Read, Seek, SeekFrom};
use text::{Bytes, Encoding, Utf8Check};

/// Where the symbol of a row comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolFrom {
    /// The whole file is about this one.
    Given(Symbol),
    /// The mapping's symbol column says it.
    Column,
}

/// How to read a CSV file.
#[derive(Clone)]
pub struct CsvOptions<'a> {
    /// Which columns mean what.
    pub mapping: &'a Mapping,
    /// Where the symbols come from.
    pub symbol: SymbolFrom,
    /// Index of the file among the sources of its batch.
    pub source: u32,
    /// Later days are refused as future.
    pub as_of: Day,
    /// The exchange's days.
    pub calendar: &'a Calendar,
    /// How much is read before the file is refused.
    pub limits: Limits,
    /// Told now and then how many bytes were worked through; both passes count, so a file of
    /// `n` bytes ends at `2 * n`.
    pub progress: &'a dyn Fn(u64),
    /// Given the bytes that the rows are read from: all of the file, piece by piece, once.
    pub seen: &'a dyn Fn(&[u8]),
}

/// Reads a CSV file from its start: events and rejects go to `out`, the rest into the summary.
///
/// A file that cannot be used gives a summary with `fatal` and no events.
///
/// # Errors
/// An input that cannot be read or that changes meanwhile, and what `out` fails with.
pub fn read_csv<R: Read + Seek, E>(
    input: &mut R,
    options: &CsvOptions<'_>,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    read(input, options, false, out)
}

/// As [`read_csv`], in one pass: the file is presumed to be UTF-8 with dates of a fixed order.
///
/// # Errors
/// As [`read_csv`], and [`ReadError::NotAsPresumed`]: the file is otherwise, or something about it is
/// wrong. What was emitted must be dropped then, and the file read with [`read_csv`].
pub fn read_csv_once<R: Read + Seek, E>(
    input: &mut R,
    options: &CsvOptions<'_>,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    read(input, options, true, out)
}

fn read<R: Read + Seek, E>(
    input: &mut R,
    options: &CsvOptions<'_>,
    presume: bool,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut summary = ReadSummary::default();
    match prepare(input, options, presume, &mut summary) {
        Ok(plan) => {
            rows::read_rows(input, options, &plan, &mut summary, out)?;
        }
        Err(Refused::Io(error)) => return Err(ReadError::Io(error)),
        Err(Refused::Fatal(finding)) => summary.fatal = Some(finding),
    }
    Ok(summary)
}

/// Whether a file's header has what a mapping needs, and says of which of its values it has any.
///
/// What cannot be read has nothing.
pub fn finds_columns<R: Read + Seek>(input: &mut R, mapping: &Mapping, limits: Limits) -> bool {
    let Ok(head) = read_head(input) else { return false };
    let bom = if head.starts_with(UTF8_BOM) { UTF8_BOM.len() } else { 0 };
    match columns::find_header(input, bom, mapping, limits) {
        // A mapping that can do without any of its columns would fit every table with dates.
        Ok(Some(header)) => header.missing.is_empty() && header.all_columns() > 0,
        _ => false,
    }
}

/// Whether a table has the columns that a mapping needs, and one that says the symbol of each row.
pub fn finds_symbols<R: Read + Seek>(input: &mut R, mapping: &Mapping, limits: Limits) -> bool {
    let Ok(head) = read_head(input) else { return false };
    let bom = if head.starts_with(UTF8_BOM) { UTF8_BOM.len() } else { 0 };
    let header = columns::find_header(input, bom, mapping, limits);
    header.is_ok_and(|header| header.is_some_and(|header| header.symbol.is_some()))
}

/// What the second pass goes by.
struct Plan<'m> {
    header: Header<'m>,
    bom: usize,
    encoding: Encoding,
    orders: Orders,
    seen: Seen,
}

/// What is known of a file's bytes before its rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// Length and checksum of what the first pass saw.
    Whole(u64, u32),
    /// Length and last byte; the rest is presumed.
    End(u64, Option<u8>),
}

/// Why there is no second pass.
enum Refused {
    Io(std::io::Error),
    Fatal(Finding),
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// A finding for which the file is refused.
fn fatal(source: u32, code: &str, line: Option<u32>, text: String) -> Refused {
    Refused::Fatal(Finding { line, ..Finding::about(source, code, Severity::Fatal, text) })
}

/// Why records could not be cut any further, as the user is told.
fn stopped(stop: Stop, options: &CsvOptions<'_>) -> Refused {
    let (source, limits) = (options.source, options.limits);
    match stop {
        Stop::Io(error) => Refused::Io(error),
        Stop::LineTooLong(line) => {
            let text = format!("line {line} is longer than {} bytes", limits.line_bytes);
            fatal(source, "line_too_long", Some(line), text)
        }
        Stop::TooManyFields(line) => {
            let text = format!("line {line} has more than {} cells", limits.fields);
            fatal(source, "too_many_fields", Some(line), text)
        }
        Stop::FileTooLarge => {
            let text = format!("the file is larger than {} bytes", limits.file_bytes);
            fatal(source, "file_too_large", None, text)
        }
    }
}

/// The refusal of a file that has NUL bytes, named by what such files mostly are.
fn binary(head: &[u8], source: u32) -> Refused {
    let text = match head.get(..2) {
        Some(b"\x1f\x8b") => "the file is compressed with gzip; unpack it first",
        Some(b"PK") => "the file is a ZIP archive or a workbook; save it as CSV",
        _ => "the file has NUL bytes; it is no text, or UTF-16 without a mark",
    };
    fatal(source, "binary_file", None, text.to_owned())
}

/// What a file is that has no header, where its first bytes tell.
fn no_table(head: &[u8]) -> Option<&'static str> {
    let head = head.strip_prefix(UTF8_BOM).unwrap_or(head).trim_ascii_start();
    match head.first() {
        None => Some("the file is empty"),
        Some(b'<' | b'[') if names_in_brackets(head) => None,
        Some(b'<') => Some("the file is a web page or XML, not a table"),
        Some(b'{' | b'[') => Some("the file is JSON, not a table"),
        Some(_) => None,
    }
}

/// Whether the first line is names of columns in brackets: `<DATE>,<CLOSE>`, `[Date];Close`.
fn names_in_brackets(head: &[u8]) -> bool {
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let bracket = |byte: &u8| matches!(byte, b'<' | b'>' | b'[' | b']');
    let wrapped = |cell: &[u8]| match cell.trim_ascii() {
        [b'<', name @ .., b'>'] | [b'[', name @ .., b']'] => !name.iter().any(bracket),
        _ => false,
    };
    columns::DELIMITERS.iter().any(|(delimiter, _)| {
        let mut cells = line.split(|byte| byte == delimiter);
        let mut others = cells.clone().skip(1).peekable();
        cells.next().is_some_and(wrapped)
            && others.peek().is_some()
            && others.all(|cell| wrapped(cell) || !cell.iter().any(bracket))
    })
}

/// The first pass, unless its outcome is presumed, and all findings about the file as a whole.
fn prepare<'m, R: Read + Seek>(
    input: &mut R,
    options: &CsvOptions<'m>,
    presume: bool,
    summary: &mut ReadSummary,
) -> Result<Plan<'m>, Refused> {
    let source = options.source;
    let size = input.seek(SeekFrom::End(0))?;
    if size > options.limits.file_bytes {
        return Err(stopped(Stop::FileTooLarge, options));
    }
    let head = read_head(input)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        let text = "the file is UTF-16; save it as UTF-8".to_owned();
        return Err(fatal(source, "unsupported_encoding", None, text));
    }
    if head.contains(&0) {
        return Err(binary(&head, source));
    }
    let bom = if head.starts_with(UTF8_BOM) { UTF8_BOM.len() } else { 0 };
    if bom > 0 {
        let text = "the file begins with a byte order mark, which was passed over".to_owned();
        summary.findings.push(Finding::about(source, "utf8_bom_stripped", Severity::Warning, text));
    }
    let header = usable_header(input, (&head, bom), options, summary)?;
    let (survey, encoding, seen, last) = match presume {
        true => {
            let last = last_byte(input)?;
            (Survey::default(), Encoding::Utf8, Seen::End(size, last), last)
        }
        false => {
            let surveyed = survey(input, &header, bom, options);
            let (survey, bytes) = surveyed.map_err(|stop| stopped(stop, options))?;
            if bytes.nul {
                return Err(binary(&head, source));
            }
            (survey, bytes.encoding(), Seen::Whole(bytes.len, bytes.crc), bytes.last)
        }
    };
    if encoding == Encoding::Windows1252 {
        let text = "the file is not UTF-8; it was read as Windows-1252".to_owned();
        let code = "encoding_fallback_cp1252";
        summary.findings.push(Finding::about(source, code, Severity::Warning, text));
    }
    note_columns(&header, options.mapping, source, summary);
    if !matches!(last, Some(b'\n' | b'\r')) {
        let text = "the last line has no line end; the file may have been cut off".to_owned();
        summary.findings.push(Finding::about(source, "no_final_newline", Severity::Warning, text));
    }
    let latest = options.as_of.year() + i32::from(options.mapping.future);
    let orders = survey.decide(options.mapping.date_order, latest).map_err(|conflict| {
        let (day_first, month_first) = (conflict.day_first_line, conflict.month_first_line);
        let text =
            format!("line {day_first} has the day first, line {month_first} has the month first");
        fatal(source, "date_order_conflict", Some(day_first.max(month_first)), text)
    })?;
    if orders.ambiguous.is_some() {
        let order = orders.slash.or(orders.dash).map_or("", |order| order.name());
        let doubt = match orders.year_first {
            true => "the years seem to stand first, with two digits, which is not read",
            false => "no date tells the day from the month",
        };
        let text =
            format!("{doubt}; read as {order}, which `order` under `[date]` of a mapping changes");
        let found = Finding::about(source, "ambiguous_date_order", Severity::Warning, text);
        summary.findings.push(Finding { line: orders.ambiguous, ..found });
    }
    summary.missing_optional.clone_from(&header.missing_optional);
    summary.ignored_columns.clone_from(&header.ignored);
    (summary.slash_order, summary.dash_order) = (orders.slash, orders.dash);
    Ok(Plan { header, bom, encoding, orders, seen })
}

/// The header, refused where a column is missing that nothing works without.
fn usable_header<'m, R: Read + Seek>(
    input: &mut R,
    (head, bom): (&[u8], usize),
    options: &CsvOptions<'m>,
    summary: &mut ReadSummary,
) -> Result<Header<'m>, Refused> {
    let (mapping, source) = (options.mapping, options.source);
    let header = columns::find_header(input, bom, mapping, options.limits);
    let header = header.map_err(|stop| stopped(stop, options))?;
    if header.as_ref().is_none_or(|header| !header.missing.is_empty())
        && let Some(text) = no_table(head)
    {
        summary.missing = columns::all_missing(mapping);
        return Err(fatal(source, "no_table", None, text.to_owned()));
    }
    let Some(header) = header else {
        summary.missing = columns::all_missing(mapping);
        let text = format!("no line has the columns {}", summary.missing.join(", "));
        let seen = columns::first_line(input, bom, options.limits);
        let seen = seen.map(|(line, cells)| format!("; line {line} has {cells}"));
        let text = text + &seen.unwrap_or_default();
        return Err(fatal(source, "missing_columns", None, text));
    };
    summary.delimiter = Some(header.delimiter_name);
    summary.header_line = Some(header.line);
    summary.missing.clone_from(&header.missing);
    if !header.missing.is_empty() {
        let besides = match columns::few(&header.ignored) {
            besides if besides.is_empty() => besides,
            besides => format!("; not known to the mapping: {besides}"),
        };
        let text = format!("the header lacks {}{besides}", header.missing.join(", "));
        return Err(fatal(source, "missing_columns", Some(header.line), text));
    }
    if options.symbol == SymbolFrom::Column && header.symbol.is_none() {
        let names: Vec<&str> = mapping.symbol.iter().map(|name| name.text.as_str()).collect();
        let text = match names.is_empty() {
            true => format!("the mapping {} knows no symbol column", mapping.id),
            false => format!("the header has no symbol column ({})", names.join(", ")),
        };
        return Err(fatal(source, "symbol_missing", Some(header.line), text));
    }
    Ok(header)
}

/// What is to be said of the lines above the header and of its columns.
fn note_columns(header: &Header<'_>, mapping: &Mapping, source: u32, summary: &mut ReadSummary) {
    let mut noted = |code: &str, severity: Severity, count: u64, text: String| {
        let found = Finding::about(source, code, severity, text);
        summary.findings.push(Finding { line: Some(header.line), count, ..found });
    };
    if header.line > 1 {
        let text =
            format!("the header stands in line {}; what is above was passed over", header.line);
        noted("preamble_skipped", Severity::Warning, u64::from(header.line) - 1, text);
    }
    let (absent, ignored, repeated) = (&header.missing_optional, &header.ignored, &header.repeated);
    if !absent.is_empty() {
        let text = format!("the header lacks {}, which are optional", absent.join(", "));
        noted("missing_optional_columns", Severity::Warning, absent.len() as u64, text);
    }
    if !ignored.is_empty() {
        let other = mapping.that_reads(ignored);
        let other = other.map(|id| format!(" (`--mapping {id}` reads such columns)"));
        let text = format!(
            "not known to the mapping: {}{}",
            ignored.join(", "),
            other.unwrap_or_default()
        );
        noted("ignored_columns", Severity::Info, ignored.len() as u64, text);
    }
    if !repeated.is_empty() {
        let text = format!("of equal columns the first was read: {}", repeated.join(", "));
        noted("repeated_columns", Severity::Warning, repeated.len() as u64, text);
    }
}

/// The first bytes of the file, enough to recognise what is not text.
fn read_head<R: Read + Seek>(input: &mut R) -> std::io::Result<Vec<u8>> {
    input.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    input.by_ref().take(8 * 1024).read_to_end(&mut head)?;
    Ok(head)
}

/// The file's last byte; `None` of an empty one.
fn last_byte<R: Read + Seek>(input: &mut R) -> std::io::Result<Option<u8>> {
    if input.seek(SeekFrom::End(0))? == 0 {
        return Ok(None);
    }
    input.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    input.read_exact(&mut last)?;
    Ok(Some(last[0]))
}

/// Reads the whole file for what only the whole file can tell.
fn survey<'p, R: Read + Seek>(
    input: &mut R,
    header: &Header<'_>,
    bom: usize,
    options: &CsvOptions<'p>,
) -> Result<(Survey, Bytes<'p>), Stop> {
    input.seek(SeekFrom::Start(0)).map_err(Stop::Io)?;
    let mut bytes = Bytes::new(Some(Utf8Check::default()), 0, options.progress);
    let mut survey = Survey::default();
    let mut records = Records::new(input, &mut bytes, header.delimiter, bom, options.limits)?;
    let wanted = header.dates().max().map_or(0, |last| last + 1);
    while let Some(record) = records.next_upto(wanted)? {
        if record.line > header.line {
            survey.take(record, header);
        }
    }
    Ok((survey, bytes))
}

impl Survey {
    /// Takes in the date cells of a record.
    fn take(&mut self, record: Record<'_>, header: &Header<'_>) {
        for date in header.dates() {
            // `2025-…` has a fixed order, and it is what most files have.
            let year_first =
                record.raw(date).get(..4).is_some_and(|start| start.iter().all(u8::is_ascii_digit));
            if !year_first {
                let cell = text::trimmed(record.cell(date), text::guessed_text);
                self.add(&cell, record.line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
