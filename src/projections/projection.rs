//! A projection: a question answered for every symbol from what the views show of it.
//!
//! It is a pure function of one symbol's records at one position. Which assertions those records
//! come from is the view's business, so a rollback, a reinstatement and a replay need nothing of a
//! projection but that it answers again for the symbols whose records changed.

use super::adjusted::Adjusted;
use super::view::Record;
use crate::domain::{Day, Series, Symbol, Table, code};
use crate::quant::adjustment::Adjustment;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column of a projection, after `symbol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds, with its unit.
    pub about: &'static str,
}

impl Column {
    /// A column and what it holds.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about }
    }
}

/// What a symbol is judged by: the records of the views that a projection names, and the rows of
/// the projections that it names.
#[derive(Debug)]
pub struct Facts<'a> {
    symbol: &'a Symbol,
    views: BTreeMap<Series, Vec<Record>>,
    tables: BTreeMap<&'static str, Table>,
    adjusted: Adjusted,
}

impl<'a> Facts<'a> {
    /// The facts about a symbol; tables have `symbol` as their first column.
    pub fn new(
        symbol: &'a Symbol,
        views: BTreeMap<Series, Vec<Record>>,
        tables: BTreeMap<&'static str, Table>,
    ) -> Self {
        Self { symbol, views, tables, adjusted: Adjusted::default() }
    }

    /// The same, with what is known of the closes.
    #[must_use]
    pub fn with_adjusted(self, adjusted: Adjusted) -> Self {
        Self { adjusted, ..self }
    }

    /// Which splits are taken out of a record's close. Beside one of which that is not so it may be in
    /// other shares.
    pub fn adjustment(&self, record: &Record) -> Adjustment {
        self.adjusted.of(record)
    }

    /// The [`splits`] of the symbol.
    pub fn splits(&self) -> Vec<(Day, f64)> {
        splits(self.records(Series::Splits))
    }

    /// The symbol.
    pub fn symbol(&self) -> &'a Symbol {
        self.symbol
    }

    /// What a view shows, ascending by day; nothing of a view that is no input.
    pub fn records(&self, view: Series) -> &[Record] {
        self.views.get(&view).map(Vec::as_slice).unwrap_or_default()
    }

    /// What a projection holds; nothing of one that is no input.
    pub fn table(&self, name: &str) -> &[Vec<crate::domain::Datum>] {
        self.tables.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The splits that have a ratio: the first day in new shares, and how many of them one old share
/// became.
pub fn splits(records: &[Record]) -> Vec<(Day, f64)> {
    let ratio = |record: &Record| {
        let ratio = record.number(code::SPLIT_TO)? / record.number(code::SPLIT_FROM)?;
        (ratio.is_finite() && ratio > 0.0).then_some((record.day, ratio))
    };
    records.iter().filter_map(ratio).collect()
}

/// A projection that the program (or a program that uses this library) brings.
pub trait Projection: Send + Sync {
    /// Its name: small letters, digits and `_`.
    fn name(&self) -> &'static str;

    /// Its version, from 1: another number whenever an answer may differ.
    fn version(&self) -> u32;

    /// What it answers, in a sentence.
    fn about(&self) -> &'static str;

    /// The views that it reads.
    fn views(&self) -> &'static [Series];

    /// The projections that it reads, by name.
    fn projections(&self) -> &'static [&'static str] {
        &[]
    }

    /// The columns, without `symbol`, which comes first.
    fn columns(&self) -> &'static [Column];

    /// The rows about a symbol, a value per column each.
    ///
    /// # Errors
    /// In words, why there is no answer; the projection then stays as it was.
    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String>;
}

/// The projections that a program brings.
#[derive(Clone)]
pub struct Registry(Vec<Arc<dyn Projection>>);

impl Registry {
    /// The same with one more; it stands for the one of its name and version that was there.
    #[must_use]
    pub fn with(mut self, projection: impl Projection + 'static) -> Self {
        let projection: Arc<dyn Projection> = Arc::new(projection);
        let same = |of: &Arc<dyn Projection>| {
            (of.name(), of.version()) == (projection.name(), projection.version())
        };
        self.0.retain(|of| !same(of));
        self.0.push(projection);
        self
    }

    /// Every projection, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Projection>> {
        self.0.iter()
    }

    /// A version of a projection; the newest when none is named.
    pub fn get(&self, name: &str, version: Option<u32>) -> Option<&Arc<dyn Projection>> {
        let named = self.0.iter().filter(|of| of.name() == name);
        named.filter(|of| version.is_none_or(|v| v == of.version())).max_by_key(|of| of.version())
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self(super::builtin::all())
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.iter().map(|of| format!("{}@{}", of.name(), of.version()));
        f.debug_list().entries(names).finish()
    }
}
