//! Reading one TOMIC file: an array of flat records, each number with the digits it was written in.

use super::doubts::Doubts;
use crate::domain::Finding;
use crate::domain::{Calendar, Collector, Day, Field, Op, Origin, Series, Severity, Symbol, Value};
use crate::sources::notes::{Counts, DayNotes};
use crate::sources::raw::{entries, value_of};
use crate::sources::{Limits, ReadError, ReadSummary};
use serde_json::value::RawValue;

/// How to read a JSON file.
#[derive(Clone, Copy)]
pub struct JsonOptions<'a> {
    /// Records of later days are kept and remarked upon.
    pub as_of: Day,
    /// The exchange's days.
    pub calendar: &'a Calendar,
    /// How much is read before the file is refused.
    pub limits: Limits,
}

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a file's bytes: one event per record, with its keys in their order.
///
/// Records of future days are kept (warning `future_dates`): the file is a state that some program
/// already lives with, and leaving records out would not give it back as it was.
pub fn read_json<E>(
    bytes: &[u8],
    series: Series,
    symbol: &Symbol,
    source: u32,
    options: &JsonOptions<'_>,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut summary = ReadSummary::default();
    if bytes.is_empty() {
        let text = "the file is empty".to_owned();
        summary.findings.push(Finding::about(source, "empty_file", Severity::Warning, text));
        return Ok(summary);
    }
    if bytes.len() as u64 > options.limits.file_bytes {
        let text = format!("the file is larger than {} bytes", options.limits.file_bytes);
        summary.fatal = Some(Finding::about(source, "file_too_large", Severity::Fatal, text));
        return Ok(summary);
    }
    let content = bytes.strip_prefix(UTF8_BOM);
    if content.is_some() {
        let text = "the file begins with a byte order mark, which was passed over".to_owned();
        summary.findings.push(Finding::about(source, "utf8_bom_stripped", Severity::Warning, text));
    }
    let items = match items(content.unwrap_or(bytes), source) {
        Ok(items) => items,
        Err(fatal) => {
            summary.fatal = Some(fatal);
            return Ok(summary);
        }
    };
    let mut pass = Pass {
        series,
        symbol,
        limit: options.limits.fields,
        names: Vec::new(),
        shape: Vec::new(),
        values: Vec::new(),
        stranger: false,
    };
    let mut doubts = Doubts::default();
    let mut days = DayNotes::new(options.calendar);
    let (mut rejects, mut future) = (Counts::default(), Counts::default());
    let mut previous = None;
    for (index, item) in items.into_iter().enumerate() {
        let text = item.get();
        let line = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        let origin = Origin {
            source,
            line,
            // The item borrows from the input, so the distance of the two is its place.
            offset: (text.as_ptr() as usize - bytes.as_ptr() as usize) as u64,
            len: u32::try_from(text.len()).unwrap_or(u32::MAX),
        };
        summary.rows.read += 1;
        match pass.read(text) {
            Ok(day) => {
                summary.rows.accepted += 1;
                days.add(day, previous.replace(day), line);
                if day > options.as_of {
                    future.add("future_dates", line, Some(day));
                }
                doubts.add((&pass.shape, &pass.values), pass.stranger, (line, day));
                let values = pass.values.drain(..);
                out.row(origin, series, Op::Put, symbol, day, &pass.shape, values)
                    .map_err(ReadError::Sink)?;
            }
            Err(code) => {
                summary.rows.rejected += 1;
                rejects.add(code, line, None);
                out.reject(origin, series, code, text).map_err(ReadError::Sink)?;
            }
        }
    }
    let words = ["record rejected", "records rejected"];
    summary.findings.extend(rejects.findings(source, Severity::Reject, words, "item"));
    let words = ["record of a future day", "records of future days"];
    summary.findings.extend(future.findings(source, Severity::Warning, words, "item"));
    summary.findings.extend(doubts.findings(source));
    days.finish(&mut summary, source, "item");
    Ok(summary)
}

/// The items of the top-level array, or why the file cannot be used at all.
fn items(content: &[u8], source: u32) -> Result<Vec<&RawValue>, Finding> {
    let fatal = |code: &str, line: Option<u32>, text: String| Finding {
        line,
        ..Finding::about(source, code, Severity::Fatal, text)
    };
    let text = std::str::from_utf8(content).map_err(|error| {
        let text = format!("the file is not UTF-8 at byte {}", error.valid_up_to());
        fatal("invalid_json", None, text)
    })?;
    let wrong = |error: serde_json::Error| {
        let line = u32::try_from(error.line()).ok().filter(|line| *line > 0);
        // The error's own text names line and column.
        fatal("invalid_json", line, format!("the file is not JSON: {error}"))
    };
    let whole: &RawValue = serde_json::from_str(text).map_err(wrong)?;
    if !whole.get().starts_with('[') {
        let text = "the file is not an array of records".to_owned();
        return Err(fatal("not_an_array", None, text));
    }
    serde_json::from_str(whole.get()).map_err(wrong)
}

/// Reads records into the shape and values of events.
struct Pass<'s> {
    series: Series,
    symbol: &'s Symbol,
    limit: usize,
    /// Fields by key, as met so far: files repeat a handful of keys.
    names: Vec<(Box<str>, Field)>,
    shape: Vec<Field>,
    values: Vec<Value>,
    /// Whether the record names another symbol than the file's.
    stranger: bool,
}

impl Pass<'_> {
    /// Reads one item; `Err` is the code it is rejected with.
    fn read(&mut self, text: &str) -> Result<Day, &'static str> {
        self.shape.clear();
        self.values.clear();
        self.stranger = false;
        if !text.starts_with('{') {
            return Err("not_an_object");
        }
        let entries = entries(text, self.limit).map_err(|_| "invalid_record")?;
        if entries.len() > self.limit {
            return Err("too_many_fields");
        }
        let mut day = Err("missing_date");
        for (index, (key, raw)) in entries.iter().enumerate() {
            if entries.iter().take(index).any(|(other, _)| other == key) {
                return Err("duplicate_key");
            }
            let value = value_of(raw.get());
            if key == "date" {
                day = match value {
                    Value::Text(text) => text.parse().map_err(|_| "invalid_date"),
                    Value::Null => Err("missing_date"),
                    _ => Err("invalid_date"),
                };
                self.shape.push(Field::DateMark);
            } else if key == "symbol" && self.series == Series::Spot && self.is_own(&value) {
                self.shape.push(Field::SymbolMark);
            } else {
                self.stranger |= key == "symbol" && !self.may_be_own(&value);
                let field = self.field(key);
                self.shape.push(field);
                self.values.push(value);
            }
        }
        day
    }

    /// Whether a value is the file's symbol, letter by letter.
    fn is_own(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if **text == *self.symbol.as_str())
    }

    /// Whether a value is the file's symbol, in whichever letters, or none.
    fn may_be_own(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(text) => text.parse().is_ok_and(|symbol: Symbol| symbol == *self.symbol),
            _ => false,
        }
    }

    fn field(&mut self, key: &str) -> Field {
        if let Some((_, field)) = self.names.iter().find(|(name, _)| **name == *key) {
            return field.clone();
        }
        let field = Field::of(self.series, key);
        if self.names.len() < self.limit {
            self.names.push((key.into(), field.clone()));
        }
        field
    }
}

#[cfg(test)]
mod tests;
