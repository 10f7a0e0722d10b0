//! Announcements: the calendar of those to come, and a symbol's past ones.

use super::super::answer::{Refusal, Wanted, member, members, object, one_or_many, place};
use super::super::csv::{CsvOptions, SymbolFrom, read_csv};
use super::super::notes::Counts;
use super::super::polygon::PageSummary;
use super::super::raw::{Entry, text_of};
use super::super::{Limits, Mapping, ReadError, widen};
use crate::domain::series::free_name;
use crate::domain::value::parse_plain;
use crate::domain::{
    Calendar, Collector, Day, Field, Key, Op, Origin, Series, Severity, Symbol, Value,
};
use std::io::Cursor;

const TIMING: u16 = 370;
const FISCAL: u16 = 372;
const ACTUAL: u16 = 373;
const ESTIMATE: u16 = 374;

/// Reads the table of announcements to come, by its header, as an imported calendar is read.
pub(super) fn read_calendar<E>(
    body: &[u8],
    wanted: &Wanted,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let Some(mapping) = Mapping::default_for(Series::Earnings) else {
        return Ok(PageSummary::default());
    };
    let options = CsvOptions {
        mapping: &mapping,
        symbol: SymbolFrom::Column,
        source: wanted.source,
        as_of: wanted.as_of,
        calendar: Calendar::nyse(),
        limits: Limits::default(),
        progress: &|_| {},
        seen: &|_| {},
    };
    let read = read_csv(&mut Cursor::new(body), &options, out)?;
    let mut findings = read.findings;
    findings.extend(read.fatal);
    Ok(PageSummary { rows: read.rows, findings, days: read.days, ..PageSummary::default() })
}

/// The past announcements of a body, each by its source text.
pub(super) fn quarters<'b>(
    top: &[Entry<'b>],
    symbol: Option<&Symbol>,
) -> Result<Vec<&'b str>, Refusal> {
    about(member(top, "symbol"), symbol)?;
    let due = || Refusal::Payload("the body has no `quarterlyEarnings`".into());
    match top.iter().any(|(name, _)| name == "quarterlyEarnings") {
        true => one_or_many(member(top, "quarterlyEarnings").unwrap_or("[]")),
        false => Err(due()),
    }
}

/// Checks that an answer is about the symbol that was asked for.
pub(super) fn about(told: Option<&str>, symbol: Option<&Symbol>) -> Result<(), Refusal> {
    let told = told.and_then(text_of);
    match (told, symbol) {
        (Some(told), Some(symbol)) if !told.eq_ignore_ascii_case(symbol.as_str()) => {
            let told: String = told.chars().take(40).collect();
            Err(Refusal::Payload(format!("the answer is about `{told}`, not about {symbol}")))
        }
        _ => Ok(()),
    }
}

/// Reads a symbol's past announcements.
pub(super) fn read_history<E>(
    body: &[u8],
    wanted: &Wanted,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let mut summary = PageSummary::default();
    let Some(symbol) = &wanted.symbol else { return Ok(summary) };
    let found = object(body).and_then(|top| match top.is_empty() {
        true => Ok(Vec::new()),
        false => quarters(&top, Some(symbol)),
    });
    let items = match found {
        Ok(items) => items,
        Err(refusal) => return Ok(refusal.summary(wanted.source)),
    };
    let (mut rejects, mut words) = (Counts::default(), Counts::default());
    for (line, text) in (1..).zip(items) {
        let (offset, len) = place(body, text);
        let origin = Origin { source: wanted.source, line, offset, len };
        summary.rows.read += 1;
        let row = members(text).ok().and_then(|of| quarter(&of));
        let Some(Quarter { day, fields, odd }) = row else {
            summary.rows.rejected += 1;
            summary.reject_day(None);
            rejects.add("missing_key", line, None);
            out.reject(origin, Series::Earnings, "missing_key", text).map_err(ReadError::Sink)?;
            continue;
        };
        if odd {
            words.add("drift_enum", line, Some(day));
        }
        let (shape, values): (Vec<Field>, Vec<Value>) = fields.into_iter().unzip();
        let key = Key { symbol, day, item: "" };
        out.event(origin, Series::Earnings, Op::Put, key, &shape, values)
            .map_err(ReadError::Sink)?;
        summary.rows.accepted += 1;
        widen(&mut summary.days, day);
    }
    let what =
        ["item without a readable `reportedDate`", "items without a readable `reportedDate`"];
    let source = wanted.source;
    summary.findings.extend(rejects.findings(source, Severity::Reject, what, "item"));
    let what = ["`reportTime` that is a new word", "`reportTime` that are new words"];
    summary.findings.extend(words.findings(source, Severity::Warning, what, "item"));
    Ok(summary)
}

/// A past announcement as it is recorded.
struct Quarter {
    day: Day,
    fields: Vec<(Field, Value)>,
    /// Whether its time is a word that is not known.
    odd: bool,
}

/// An announcement's day and fields; `None` without a readable day.
fn quarter(of: &[Entry<'_>]) -> Option<Quarter> {
    let day = member(of, "reportedDate").and_then(text_of)?.trim().parse().ok()?;
    let time = member(of, "reportTime").and_then(text_of).unwrap_or_default();
    let timing = match time.trim() {
        "pre-market" => Some("BMO"),
        "post-market" => Some("AMC"),
        "" | "None" => Some("UNKNOWN"),
        _ => None,
    };
    let mut fields = vec![(Field::Known(TIMING), Value::Text(timing.unwrap_or("UNKNOWN").into()))];
    for (name, raw) in of {
        let field = match &**name {
            "reportedDate" => continue,
            "reportTime" if timing.is_some() => continue,
            "fiscalDateEnding" => Field::Known(FISCAL),
            "reportedEPS" => Field::Known(ACTUAL),
            "estimatedEPS" => Field::Known(ESTIMATE),
            other => Field::Named(free_name(Series::Earnings, other)),
        };
        let value = told(raw.get());
        // `None` says nothing, and takes nothing back.
        if value != Value::Null && !fields.iter().any(|(known, _)| *known == field) {
            fields.push((field, value));
        }
    }
    Some(Quarter { day, fields, odd: timing.is_none() })
}

/// A value as the service writes it: numbers stand in quotes, and `None` says nothing.
pub(super) fn told(raw: &str) -> Value {
    match text_of(raw).as_deref().map(str::trim) {
        None => super::super::raw::value_of(raw),
        Some("None" | "null" | "-" | "") => Value::Null,
        Some(text) if parse_plain(text).is_some() => Value::from_json_number(text),
        Some(text) => Value::Text(text.into()),
    }
}
