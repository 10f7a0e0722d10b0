//! The rows of a view: what the fold shows, as far as a query asks for it.

use super::page::{Cell, Page};
use super::tables::{Filter, sql_of};
use crate::app::error::Result;
use crate::app::vantage::Vantage;
use crate::domain::series::Unit;
use crate::domain::{Day, Field, Series, Symbol, Value};
use crate::projections::view::{Shown, each};

/// The rows about a symbol on the days of a filter.
///
/// # Errors
/// A stored value that cannot be read.
pub fn page(vantage: &Vantage, filter: &Filter, series: Series, symbol: &Symbol) -> Result<Page> {
    let days = filter.days();
    let reader = vantage.reader();
    let history = reader.history_between(series, symbol, *days.start(), *days.end())?;
    let activity = reader.activity(series, vantage.at);
    let columns = Columns::of(series, filter);
    let mut page = Page {
        symbol: symbol.as_str().into(),
        width: columns.first + columns.fields.len(),
        cells: Vec::new(),
    };
    page.cells.reserve_exact(page.width * history.batches.len());
    each(series, &history, &activity, vantage.which, &mut |shown| {
        let (day, item) = match &shown {
            Shown::Event(row) => (row.head.day, row.item),
            Shown::Record(record) => record.key(),
        };
        if !days.contains(&day) {
            return;
        }
        columns.key(&mut page.cells, day, item);
        let start = page.cells.len();
        page.cells.resize(start + columns.fields.len(), Cell::Null);
        let row = page.cells.get_mut(start..).unwrap_or_default();
        match &shown {
            Shown::Event(event) => {
                let values = event.fields().filter_map(|(field, value)| Some((field, value?)));
                values.for_each(|(field, value)| columns.set(row, field, &value));
            }
            Shown::Record(record) => {
                record.cells.iter().for_each(|cell| columns.set(row, &cell.field, &cell.value));
            }
        }
    });
    Ok(page)
}

/// A column of a field.
struct Column {
    code: u16,
    unit: Unit,
    is_asked: bool,
}

/// The columns of a view: symbol, date, the item where there is one, the known fields.
struct Columns {
    /// How many come before the fields.
    first: usize,
    uses_symbol: bool,
    uses_day: bool,
    fields: Vec<Column>,
}

impl Columns {
    fn of(series: Series, filter: &Filter) -> Self {
        let first = 2 + usize::from(series.item_name().is_some());
        let fields = series.fields().enumerate().map(|(index, field)| Column {
            code: field.code,
            unit: field.unit,
            is_asked: filter.uses(first + index),
        });
        let (uses_symbol, uses_day) = (filter.uses(0), filter.uses(1));
        Self { first, uses_symbol, uses_day, fields: fields.collect() }
    }

    fn key(&self, row: &mut Vec<Cell>, day: Day, item: &str) {
        row.push(if self.uses_symbol { Cell::Symbol } else { Cell::Null });
        row.push(if self.uses_day { Cell::Day(day) } else { Cell::Null });
        if self.first == 3 {
            row.push(if item.is_empty() { Cell::Null } else { Cell::Text(item.into()) });
        }
    }

    fn set(&self, row: &mut [Cell], field: &Field, value: &Value) {
        let Field::Known(code) = field else { return };
        let index = self.fields.binary_search_by_key(code, |column| column.code);
        let Ok(index) = index else { return };
        if let (Some(slot), Some(column)) = (row.get_mut(index), self.fields.get(index))
            && column.is_asked
        {
            *slot = sql_of(value, column.unit).into();
        }
    }
}
