//! Daily bars.

use super::super::answer::{Refusal, Wanted, member, members, object, place};
use super::super::notes::Counts;
use super::super::polygon::PageSummary;
use super::super::raw::Entry;
use super::super::{ReadError, widen};
use super::earnings::{about, told};
use crate::domain::series::free_name;
use crate::domain::{Collector, Day, Field, Key, Op, Origin, Series, Severity, Symbol, Value};
use rust_decimal::Decimal;

/// What tells a daily bar from others in the view of bars.
const DAILY: &str = "1day";

/// The fields of a view that a bar's words go to.
fn code(series: Series, word: &str) -> Option<u16> {
    let place = ["close", "open", "high", "low", "volume"].iter().position(|w| *w == word)? as u16;
    Some(if series == Series::Bars { 180 + place } else { 60 + place })
}

/// The bars of a body: the date as written, and the source text.
pub(super) fn bars<'b>(
    top: &[Entry<'b>],
    symbol: Option<&Symbol>,
) -> Result<Vec<Entry<'b>>, Refusal> {
    if let Some(about_it) = member(top, "Meta Data") {
        about(member(&members(about_it)?, "2. Symbol"), symbol)?;
    }
    match member(top, "Time Series (Daily)") {
        Some(raw) => members(raw),
        None => Err(Refusal::Payload("the body has no `Time Series (Daily)`".into())),
    }
}

/// Reads the bars of the days asked for.
pub(super) fn read<E>(
    body: &[u8],
    wanted: &Wanted,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let mut summary = PageSummary::default();
    let Some(symbol) = &wanted.symbol else { return Ok(summary) };
    let found = object(body).and_then(|top| match top.is_empty() {
        true => Ok(Vec::new()),
        false => bars(&top, Some(symbol)),
    });
    let bars = match found {
        Ok(bars) => bars,
        Err(refusal) => return Ok(refusal.summary(wanted.source)),
    };
    let mut notes = Counts::default();
    let item = if wanted.series == Series::Bars { DAILY } else { "" };
    for (line, (date, raw)) in (1..).zip(bars) {
        let (offset, len) = place(body, raw.get());
        let origin = Origin { source: wanted.source, line, offset, len };
        summary.rows.read += 1;
        let day: Option<Day> = date.parse().ok();
        if day.zip(wanted.range).is_some_and(|(day, (from, to))| !(from..=to).contains(&day)) {
            // A range cannot be asked for: what lies outside says nothing of what was asked.
            summary.rows.read -= 1;
            summary.rows.blank += 1;
            continue;
        }
        let fields = day.ok_or("missing_key").and_then(|day| Ok((day, bar(raw.get(), wanted)?)));
        let (day, fields) = match fields {
            Ok(read) => read,
            Err(code) => {
                summary.rows.rejected += 1;
                summary.reject_day(day);
                notes.add(code, line, day);
                let text = format!("{date}: {}", raw.get());
                out.reject(origin, wanted.series, code, &text).map_err(ReadError::Sink)?;
                continue;
            }
        };
        let (shape, values): (Vec<Field>, Vec<Value>) = fields.into_iter().unzip();
        let key = Key { symbol, day, item };
        out.event(origin, wanted.series, Op::Put, key, &shape, values).map_err(ReadError::Sink)?;
        summary.rows.accepted += 1;
        widen(&mut summary.days, day);
    }
    let words = |code: &str| match code {
        "missing_key" => ["bar without a readable date", "bars without a readable date"],
        "missing" => {
            ["bar without one of its four prices", "bars without one of their four prices"]
        }
        _ => ["bar whose prices contradict each other", "bars whose prices contradict each other"],
    };
    let told = |code: &str| (Severity::Reject, words(code));
    summary.findings.extend(notes.findings_by(wanted.source, "item", told));
    Ok(summary)
}

/// The fields of a bar.
///
/// # Errors
/// The code with which it is rejected.
fn bar(raw: &str, wanted: &Wanted) -> Result<Vec<(Field, Value)>, &'static str> {
    let of = members(raw).map_err(|_| "missing")?;
    let mut fields: Vec<(Field, Value)> = Vec::with_capacity(of.len());
    for (name, raw) in &of {
        // `1. open`; the number is another one for the same word at other endpoints.
        let word = name.split_once(". ").map_or(&**name, |(_, word)| word);
        let free = || Field::Named(free_name(wanted.series, name));
        let field = code(wanted.series, word).map_or_else(free, Field::Known);
        if !fields.iter().any(|(known, _)| *known == field) {
            fields.push((field, told(raw.get())));
        }
    }
    let price = |word: &str| -> Result<Decimal, &'static str> {
        let code = code(wanted.series, word).ok_or("missing")?;
        let found = fields.iter().find(|(field, _)| *field == Field::Known(code));
        found.and_then(|(_, value)| value.decimal()).ok_or("missing")
    };
    let (open, high) = (price("open")?, price("high")?);
    let (low, close) = (price("low")?, price("close")?);
    let sound = low > Decimal::ZERO && low <= open.min(close) && high >= open.max(close);
    if sound { Ok(fields) } else { Err("ohlc") }
}
