//! A series for drawing: a value a session, with holes where the ledger has none.

use super::error::{AppError, Result};
use super::report::Chart;
use super::views::ViewReader;
use crate::domain::series::{self, FieldDef};
use crate::domain::{Calendar, Day, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Which, fold};

/// What to draw.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The view.
    pub series: Series,
    /// The symbol.
    pub symbol: Symbol,
    /// The field; the view's first when absent.
    pub field: Option<String>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// The position; the head when absent.
    pub at: Option<Position>,
}

/// The values of a field on every session between the first and the last day with one.
///
/// # Errors
/// [`AppError::Usage`] for a view without a record a day or an unknown field,
/// [`AppError::NotFound`] when there is nothing to draw.
pub fn chart(ledger: &Ledger, drawn: &Drawn) -> Result<Chart> {
    let (series, symbol) = (drawn.series, &drawn.symbol);
    if !series.is_daily() {
        let text = format!("{series} has no value a day; charts are of iv, hv, spot and index");
        return Err(AppError::Usage(text));
    }
    let field = field(series, drawn.field.as_deref())?;
    let at = drawn.at.unwrap_or(ledger.position());
    let days = drawn.from.unwrap_or(Day(i32::MIN))..=drawn.to.unwrap_or(Day(i32::MAX));
    let activity = Activity::at(ledger.batches(), series, at);
    let history = ViewReader::new(ledger)?.history(series, symbol)?;
    let mut known: Vec<(Day, f64)> = Vec::new();
    for record in fold(series, &history, &activity, Which::Latest) {
        let value = record.number(field.code).filter(|_| days.contains(&record.day));
        known.extend(value.map(|value| (record.day, value)));
    }
    let nothing = || AppError::NotFound(format!("{series} {symbol} has no {} to draw", field.name));
    let (first, last) = known.first().zip(known.last()).ok_or_else(nothing)?;
    let (first, last) = (first.0, last.0);
    // Every session has a place, so that a hole is as wide as it is long.
    let mut sessions: Vec<Day> = Calendar::nyse().open_days(first, last).collect();
    sessions.extend(known.iter().map(|(day, _)| *day));
    sessions.sort();
    sessions.dedup();
    let value = |day: &Day| {
        let found = known.binary_search_by_key(day, |(day, _)| *day).ok();
        found.and_then(|index| known.get(index)).map(|(_, value)| *value)
    };
    Ok(Chart {
        schema: "volledger/chart/1",
        series: series.name(),
        symbol: symbol.to_string(),
        field: field.name,
        position: at.0,
        points: sessions.iter().map(|day| (day.to_string(), value(day))).collect(),
    })
}

fn field(series: Series, name: Option<&str>) -> Result<&'static FieldDef> {
    let found = match name {
        None => series::field(series.primary()),
        Some(name) => series::field_named(series, name),
    };
    found.ok_or_else(|| {
        let known: Vec<_> = series.fields().map(|field| field.name).collect();
        let name = name.unwrap_or_default();
        AppError::Usage(format!("view {series} has no field `{name}`; it has {}", known.join(", ")))
    })
}
