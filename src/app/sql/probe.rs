//! One symbol's rows, kept while a join asks for its days one after the other.
//!
//! The inner side of a join is asked anew for each row of the outer one. Stored values hold a year,
//! so what was read for one day answers for its neighbours.

use super::page::{Cell, Page};
use super::tables::{Filter, Table};
use super::view;
use crate::app::error::Result;
use crate::app::vantage::Vantage;
use crate::domain::{Day, Symbol};
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

/// The column of days.
const DATE: usize = 1;

/// A symbol's rows over some days.
pub struct Probe {
    symbol: String,
    used: u64,
    days: RangeInclusive<Day>,
    /// The rows.
    pub page: Rc<Page>,
    /// The day of each row, ascending.
    at: Vec<Day>,
}

impl Probe {
    /// The one day of one symbol that a filter asks for.
    fn asked(filter: &Filter) -> Option<(&str, Day)> {
        let day = filter.from.filter(|from| filter.to == Some(*from))?;
        Some((filter.symbol.as_deref()?, day))
    }

    /// The rows that a filter asks for; `None` when they were not read.
    pub fn rows(&self, filter: &Filter) -> Option<Range<usize>> {
        let (symbol, day) = Self::asked(filter)?;
        let known = self.symbol == symbol && self.used == filter.used && self.days.contains(&day);
        let from = self.at.partition_point(|of| *of < day);
        known.then(|| from..self.at.partition_point(|of| *of <= day))
    }

    /// Reads what a filter asks for, and its neighbours; `None` for a filter or table of another
    /// kind.
    ///
    /// # Errors
    /// A stored value that cannot be read, a projection that cannot be answered.
    pub fn read(table: &Table, vantage: &Vantage, filter: &Filter) -> Result<Option<Self>> {
        let Some((name, day)) = Self::asked(filter) else { return Ok(None) };
        let Ok(symbol) = Symbol::exact(name) else { return Ok(None) };
        let (page, days) = match table {
            Table::View(series) => {
                let year = |month, last| Day::from_ymd(day.year(), month, last).unwrap_or(day);
                let days = if series.is_dense() { day..=day } else { year(1, 1)..=year(12, 31) };
                let (from, to) = (Some(*days.start()), Some(*days.end()));
                let used = filter.used | 1 << DATE;
                let wide = Filter { symbol: None, from, to, used };
                (view::page(vantage, &wide, *series, &symbol)?, days)
            }
            Table::Projection(projection) => {
                let definition = vantage.definition(&vantage.id(projection)?)?;
                let by_date = definition.columns.get(DATE).is_some_and(|column| column == "date");
                // Asked for each symbol of a join: the others are not gone through.
                let known = vantage.symbols_among(&definition, std::iter::once(name))?;
                if !by_date || known.is_none_or(|known| known.is_empty()) {
                    return Ok(None);
                }
                let rows = vantage.rows(&definition, Some(&symbol))?;
                (rows.into(), Day(i32::MIN)..=Day(i32::MAX))
            }
            _ => return Ok(None),
        };
        let day_of = |row: usize| match page.cell(row, DATE) {
            Some(Cell::Day(day)) => Some(*day),
            Some(Cell::Text(text)) => text.parse().ok(),
            _ => None,
        };
        let at: Option<Vec<Day>> = (0..page.rows()).map(day_of).collect();
        let Some(at) = at.filter(|days| days.is_sorted()) else { return Ok(None) };
        let (symbol, used, page) = (name.to_owned(), filter.used, Rc::new(page));
        Ok(Some(Self { symbol, used, days, page, at }))
    }
}
