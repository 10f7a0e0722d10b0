//! Option chains as tables: CSV that others made from answers of the service.
//!
//! Nothing in such a table says reliably which session its quotes are of (`data/polygon/README.md`,
//! traps 1 and 3), so the day is given, and what the table says of it is held against that.

use super::chain_columns::{self as columns, Columns, Role};
use super::chain_witness::{Witness, is_on};
use super::checks::Notes;
use super::flat::value;
use super::stream::{Blind, Ended, settled, unpacked};
use super::times::date;
use crate::domain::occ::{Contract, Right};
use crate::domain::{
    Collector, Day, Field, Finding, Key, Op, Series, Severity, Symbol, Value, eastern,
};
use crate::sources::csv::records::{Record, Records};
use crate::sources::csv::symbols::says_none;
use crate::sources::{Limits, ReadError, ReadSummary, widen};
use std::borrow::Cow;
use std::io::Read;

/// How to read a table of an option chain.
#[derive(Clone, Debug)]
pub struct ChainTable {
    /// The underlying; needed when the table has no column for it.
    pub symbol: Option<Symbol>,
    /// The session that the quotes are of; needed when the table has no column for it.
    pub day: Option<Day>,
    /// When the table was read, ms since 1970 UTC.
    pub observed_ms: i64,
    /// Index of the source in its batch.
    pub source: u32,
    /// How much is read before the file is refused.
    pub limits: Limits,
}

/// Reads a table of an option chain, unpacking it when it is gzipped. Places count in the
/// unpacked text.
///
/// An empty cell says nothing. Numbers keep their digits; `C` and `P` become `call` and `put`,
/// as the service writes them.
///
/// # Errors
/// [`ReadError::Io`] when the input or its gzip stream cannot be read, [`ReadError::Sink`] when
/// the receiver fails. A file of another form gives a summary with a fatal finding.
pub fn read_chain_table<E>(
    input: impl Read,
    page: &ChainTable,
    out: &mut Collector<'_, E>,
) -> Result<ReadSummary, ReadError<E>> {
    let mut input = unpacked(input)?;
    let mut summary = ReadSummary { delimiter: Some("comma"), ..ReadSummary::default() };
    let mut notes = Notes::default();
    let mut witness = Witness::default();
    let result = records(&mut input, page, &mut summary, &mut notes, &mut witness, out);
    summary.findings.splice(..0, notes.findings(page.source, "line"));
    witness.finish(page.source, &mut summary);
    settled(result, summary, page.source, page.limits)
}

fn records<E>(
    input: &mut impl Read,
    page: &ChainTable,
    summary: &mut ReadSummary,
    notes: &mut Notes,
    witness: &mut Witness,
    out: &mut Collector<'_, E>,
) -> Result<(), Ended<E>> {
    let mut blind = Blind;
    let mut records = Records::new(input, &mut blind, b',', 0, page.limits).map_err(Ended::Stop)?;
    let first = records.next().map_err(Ended::Stop)?;
    let first = first.ok_or_else(|| Ended::Header("the file is empty".into()))?;
    summary.header_line = Some(first.line);
    let names: Vec<String> = first.cells().map(|cell| columns::normal(&cell)).collect();
    let columns = Columns::of(&names);
    if !columns.has(|role| *role == Role::Contract) {
        let text = "the file has no column for the contract's ticker";
        return Err(Ended::Header(text.to_owned()));
    }
    let untold = |code, text: &str| Err(Ended::Untold(code, text.to_owned()));
    if page.symbol.is_none() && !columns.has(|role| matches!(role, Role::Symbol(_))) {
        let text = "the file has no column for the underlying; name it with -s SYMBOL";
        return untold("no_underlying", text);
    }
    if page.day.is_none() && !columns.has(|role| *role == Role::Date) {
        let text =
            "the file does not say which session its quotes are of; say it with --date YYYY-MM-DD";
        return untold("no_session", text);
    }
    for name in &columns.unknown {
        let text = format!("the column `{name}` is not known, and kept under that name");
        summary.findings.push(Finding::about(page.source, "drift_added", Severity::Info, text));
    }
    summary.ignored_columns.clone_from(&columns.unknown);
    let mut pass = Pass::default();
    while let Some(record) = records.next().map_err(Ended::Stop)? {
        if record.bytes.is_empty() {
            summary.rows.blank += 1;
            continue;
        }
        summary.rows.read += 1;
        let origin = record.origin(page.source);
        match row(&record, &columns, page, &mut pass, notes, witness) {
            Ok(key) => {
                summary.rows.accepted += 1;
                widen(&mut summary.days, key.day);
                let key = Key { symbol: &key.symbol, day: key.day, item: &key.item };
                let values = pass.values.drain(..);
                out.event(origin, Series::Chain, Op::Put, key, &pass.fields, values)
                    .map_err(Ended::Sink)?;
            }
            Err(code) => {
                summary.rows.rejected += 1;
                notes.add(code, record.line, None);
                let raw = String::from_utf8_lossy(record.bytes);
                out.reject(origin, Series::Chain, code, &raw).map_err(Ended::Sink)?;
            }
        }
    }
    Ok(())
}

/// The fields and values of the row; kept for their memory.
#[derive(Default)]
struct Pass {
    fields: Vec<Field>,
    values: Vec<Value>,
}

/// The key of a row.
struct RowKey {
    symbol: Symbol,
    day: Day,
    item: String,
}

/// Reads a row's fields and values into `pass`; gives its key.
fn row(
    record: &Record<'_>,
    columns: &Columns,
    page: &ChainTable,
    pass: &mut Pass,
    notes: &mut Notes,
    witness: &mut Witness,
) -> Result<RowKey, &'static str> {
    pass.fields.clear();
    pass.values.clear();
    if record.len() != columns.roles.len() {
        return Err("cell_count");
    }
    let (mut item, mut symbol, mut day, mut dte) = (None, None, None, None);
    for (role, cell) in columns.roles.iter().zip(record.cells()) {
        let cell = match cell {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed),
            Cow::Owned(bytes) => std::str::from_utf8(&bytes).map(|t| Cow::Owned(t.to_owned())),
        };
        let cell = cell.map_err(|_| "not_utf8")?;
        let text = cell.trim();
        if text.is_empty() {
            continue;
        }
        let field = match role {
            Role::Contract => {
                item = Some(text.to_owned());
                continue;
            }
            Role::Date => {
                day = Some(date(text).ok_or("missing_key")?);
                continue;
            }
            Role::Symbol(_) if says_none(text) => continue,
            Role::Symbol(field) => {
                symbol = Some(Symbol::exact(text).map_err(|_| "missing_key")?);
                field
            }
            Role::Dte(field) => {
                dte = value(text).decimal();
                field
            }
            Role::Field(field) => field,
        };
        let Some(value) = meaning(field, text) else { continue };
        if columns::is_numeric(field) && matches!(value, Value::Text(_)) {
            notes.add("not_a_number", record.line, None);
        }
        if *field == Field::Known(columns::IV) {
            witness.volatilities.add(&value, record.line);
        }
        pass.fields.push(field.clone());
        pass.values.push(value);
    }
    let given = symbol.is_none();
    let symbol = match (symbol, &page.symbol) {
        (Some(told), Some(given)) if told != *given => return Err("other_symbol"),
        (told, given) => told.or_else(|| given.clone()).ok_or("missing_key")?,
    };
    let day = match (day, page.day) {
        (Some(told), Some(given)) if told != given => return Err("wrong_day"),
        (told, given) => told.or(given).ok_or("missing_key")?,
    };
    let item = item.ok_or("missing_key")?;
    let contract: Option<Contract> = item.parse().ok();
    witness.tickers.add(&item, contract.is_some(), record.line);
    let told = |code: u16| {
        let place = pass.fields.iter().position(|field| *field == Field::Known(code));
        place.and_then(|at| pass.values.get(at))
    };
    match &contract {
        None => notes.add("option_ticker", record.line, Some(day)),
        Some(contract) if contradicts(contract, told) => {
            notes.add("option_mismatch", record.line, Some(day));
        }
        Some(contract) if given && !is_on(contract, &symbol) => {
            notes.add("other_symbols", record.line, Some(day));
        }
        Some(_) => {}
    }
    let written = told(columns::EXPIRY).and_then(|value| date(&value.to_string()));
    let expiry = contract.as_ref().map(|contract| contract.expiry).or(written);
    if expiry.is_some_and(|expiry| day > expiry) {
        return Err("expired");
    }
    if eastern::day_of(page.observed_ms).is_some_and(|today| day > today) {
        notes.add("future_time", record.line, Some(day));
    }
    witness.add(record.line, day, expiry, dte, columns::TIMES.map(told));
    // The same contract has the same item however its ticker is written.
    let item = contract.map_or(item, |contract| contract.to_string());
    Ok(RowKey { symbol, day, item })
}

/// Words that programs write where there is no number.
const NOTHING: [&str; 5] = ["nan", "none", "null", "n/a", "<na>"];

/// A cell's value; `None` when it says that there is none.
fn meaning(field: &Field, text: &str) -> Option<Value> {
    if NOTHING.contains(&text.to_ascii_lowercase().as_str()) {
        return None;
    }
    if *field == Field::Known(columns::TYPE) {
        return Some(Value::Text(match text.to_ascii_lowercase().as_str() {
            "c" | "call" => "call".into(),
            "p" | "put" => "put".into(),
            _ => text.into(),
        }));
    }
    let nested = text.starts_with(['[', '{'])
        && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    Some(if nested { Value::Json(text.into()) } else { value(text) })
}

/// Whether the row says something else of a contract than its ticker does.
fn contradicts<'v>(contract: &Contract, told: impl Fn(u16) -> Option<&'v Value>) -> bool {
    let strike = told(columns::STRIKE).and_then(Value::decimal);
    let expiry = told(columns::EXPIRY).and_then(|value| date(&value.to_string()));
    let right = match told(columns::TYPE) {
        Some(Value::Text(word)) if &**word == "call" => Some(Right::Call),
        Some(Value::Text(word)) if &**word == "put" => Some(Right::Put),
        _ => None,
    };
    strike.is_some_and(|strike| strike != contract.strike())
        || expiry.is_some_and(|expiry| expiry != contract.expiry)
        || right.is_some_and(|right| right != contract.right)
}
