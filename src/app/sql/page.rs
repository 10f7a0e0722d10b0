//! Rows on their way to SQLite: one allocation for the rows of a symbol.

use crate::domain::{Datum, Day, Table as Rows};
use rusqlite::types::Value as Sqlite;
use std::hash::{Hash, Hasher};

/// A value of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// No value, or one that is not asked for.
    #[default]
    Null,
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(Box<str>),
    /// A day, which SQL sees as text.
    Day(Day),
    /// The symbol that the page is about.
    Symbol,
}

impl From<Datum> for Cell {
    fn from(datum: Datum) -> Self {
        match datum {
            Datum::Null => Self::Null,
            Datum::Int(number) => Self::Int(number),
            Datum::Real(number) => Self::Real(number),
            Datum::Text(text) => Self::Text(text),
        }
    }
}

/// Rows, a value per column each.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What [`Cell::Symbol`] stands for.
    pub symbol: Box<str>,
    /// Columns.
    pub width: usize,
    /// The values, row after row.
    pub cells: Vec<Cell>,
}

impl Page {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// A value as SQLite stores it.
    pub fn stored(&self, row: usize, column: usize) -> Sqlite {
        match self.cell(row, column) {
            Some(Cell::Int(number)) => Sqlite::Integer(*number),
            Some(Cell::Real(number)) => Sqlite::Real(*number),
            Some(Cell::Text(text)) => Sqlite::Text(text.to_string()),
            Some(Cell::Day(day)) => Sqlite::Text(day.to_string()),
            Some(Cell::Symbol) => Sqlite::Text(self.symbol.to_string()),
            Some(Cell::Null) | None => Sqlite::Null,
        }
    }

    /// Takes the values of a row into a hash.
    pub fn hash_row(&self, row: usize, hasher: &mut impl Hasher) {
        for column in 0..self.width {
            match self.cell(row, column) {
                Some(Cell::Int(number)) => (1u8, number).hash(hasher),
                Some(Cell::Real(number)) => (2u8, number.to_bits()).hash(hasher),
                Some(Cell::Text(text)) => (3u8, text).hash(hasher),
                Some(Cell::Day(day)) => (4u8, day.0).hash(hasher),
                Some(Cell::Symbol) => (5u8, &self.symbol).hash(hasher),
                Some(Cell::Null) | None => 0u8.hash(hasher),
            }
        }
    }

    /// A value.
    pub fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        self.cells.get(row * self.width + column).filter(|_| column < self.width)
    }
}

impl From<Rows> for Page {
    fn from(rows: Rows) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let cells = rows.into_iter().flatten().map(Cell::from).collect();
        Self { symbol: Box::default(), width, cells }
    }
}
