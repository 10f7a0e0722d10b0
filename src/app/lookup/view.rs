//! The days of a view, as they are shown.

use super::known;
use crate::app::erased;
use crate::app::error::{AppError, Result};
use crate::app::report::{ErasureLine, View, ViewRow, json_value};
use crate::app::views::{ViewDigest, ViewReader};
use crate::domain::{Class, Day, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::{Which, fold};

/// What to show of a view.
#[derive(Clone, Debug)]
pub struct ViewQuery {
    /// The view.
    pub series: Series,
    /// The symbols; none means all.
    pub symbols: Vec<Symbol>,
    /// The position; the head when absent.
    pub at: Option<Position>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// Whether the earliest values are wanted.
    pub first: bool,
    /// The fields, in order; none means all.
    pub columns: Vec<String>,
}

impl ViewQuery {
    /// All symbols, days and fields of a view, as they are known at the head.
    ///
    /// What is to be otherwise is named: `ViewQuery { at: Some(position), ..ViewQuery::of(series) }`.
    pub fn of(series: Series) -> Self {
        Self {
            series,
            symbols: Vec::new(),
            at: None,
            from: None,
            to: None,
            first: false,
            columns: Vec::new(),
        }
    }
}

/// Shows a view, one document per symbol.
///
/// # Errors
/// [`AppError::NotFound`] as of [`known`], [`AppError::Usage`] for a column
/// that no field has.
pub fn view(ledger: &Ledger, query: &ViewQuery) -> Result<Vec<View>> {
    let mut views = Vec::new();
    each_view(ledger, query, |view, _| views.push(view))?;
    Ok(views)
}

/// Shows a view symbol by symbol, so that a whole ledger need not be in memory: hands each document to
/// `sink`, with whether it is the only one.
///
/// # Errors
/// Those of [`view()`]; what was handed on before is then no answer.
pub fn each_view(
    ledger: &Ledger,
    query: &ViewQuery,
    mut sink: impl FnMut(View, bool),
) -> Result<()> {
    let reader = ViewReader::new(ledger)?;
    known(ledger, &query.symbols, &[query.series], query.at)?;
    let mut symbols = query.symbols.clone();
    if symbols.is_empty() {
        symbols = reader.symbols(query.series)?;
    }
    let place = erased::Place {
        series: &[query.series],
        symbols: &query.symbols,
        from: query.from,
        to: query.to,
        at: query.at,
    };
    let erased = erased::missing_by_symbol(ledger, &place)?;
    let item = query.series.item_name();
    let known =
        |name: &str| query.series.fields().any(|field| field.name == name) || item == Some(name);
    // What no field is called may still be one of a source's own.
    let mut strange = query.columns.clone();
    strange.retain(|name| !known(name));
    // The last one waits until it is known whether another one follows.
    let (mut last, mut several) = (None, false);
    for symbol in &symbols {
        let erasures = erased.get(symbol).cloned().unwrap_or_default();
        let (view, records) = shown_of(&reader, query, symbol, erasures)?;
        // One that came later, or counts no more, is shown where it is asked for.
        if records == 0 && query.symbols.is_empty() {
            continue;
        }
        strange.retain(|name| !view.rows.iter().any(|row| row.values.contains_key(name)));
        if let Some(before) = last.replace(view) {
            several = true;
            sink(before, false);
        }
    }
    if let Some(name) = strange.first() {
        let fields: Vec<_> = query.series.fields().map(|field| field.name).collect();
        let (series, fields) = (query.series, fields.join(", "));
        return Err(AppError::Usage(format!(
            "view {series} has no column `{name}`; it has {fields}"
        )));
    }
    if let Some(last) = last {
        sink(last, !several);
    }
    Ok(())
}

/// Shows one symbol, of which something was erased or not; and how many records there are on all days.
fn shown_of(
    reader: &ViewReader<'_>,
    query: &ViewQuery,
    symbol: &Symbol,
    erasures: Vec<ErasureLine>,
) -> Result<(View, usize)> {
    let at = query.at.unwrap_or(reader.ledger().position());
    let which = if query.first { Which::First } else { Which::Latest };
    // The digest is that of the whole view, so in a daily one all of it is read; of a dense one
    // only the days asked for, and the digest is theirs.
    let (from, to) = match query.series.is_dense() {
        true => (query.from.unwrap_or(Day(i32::MIN)), query.to.unwrap_or(Day(i32::MAX))),
        false => (Day(i32::MIN), Day(i32::MAX)),
    };
    let activity = reader.activity(query.series, at);
    let history = reader.history_between(query.series, symbol, from, to)?;
    let records = fold(query.series, &history, &activity, which);
    let mut digest = ViewDigest::default();
    digest.add(query.series, symbol, &records);
    let (mut rows, mut columns, mut items) = (Vec::new(), Vec::new(), false);
    let wanted =
        |name: &str| query.columns.is_empty() || query.columns.iter().any(|column| column == name);
    let within =
        |day: Day| query.from.is_none_or(|from| day >= from) && query.to.is_none_or(|to| day <= to);
    for record in records.iter().filter(|record| within(record.day)) {
        let (mut values, mut fill) = (serde_json::Map::new(), Vec::new());
        if let (Some(name), false) = (query.series.item_name(), record.item.is_empty()) {
            values.insert(name.to_owned(), record.item.to_string().into());
            items = true;
        }
        for cell in record.cells.iter().filter(|cell| wanted(cell.field.name())) {
            let name = cell.field.name().to_owned();
            if cell.class <= Class::Fill {
                fill.push(name.clone());
            }
            if !columns.contains(&name) {
                columns.push(name.clone());
            }
            values.insert(name, json_value(&cell.value));
        }
        rows.push(ViewRow { date: record.day.to_string(), values, fill });
    }
    // Known fields come in their usual order, others after them.
    let usual: Vec<_> = query.series.fields().map(|field| field.name).collect();
    let place = |name: &String| usual.iter().position(|known| known == name).unwrap_or(usize::MAX);
    columns.sort_by_key(place);
    if !query.columns.is_empty() {
        columns = query.columns.clone();
    }
    if let (Some(name), true) = (query.series.item_name(), items) {
        columns.retain(|column| column != name);
        columns.insert(0, name.to_owned());
    }
    let view = View {
        series: query.series.name(),
        symbol: symbol.to_string(),
        position: at.0,
        digest: digest.finish().to_string(),
        which: query.first.then_some("first"),
        columns,
        rows,
        erased: erasures.iter().map(|erasure| erasure.events).sum(),
        erasures,
    };
    Ok((view, records.len()))
}
