//! Answering: the rows of a projection, computed from what is known at a vantage.

use super::definition::{Body, Definition};
use crate::app::error::{AppError, Result};
use crate::app::sql::Prepared;
use crate::app::traded;
use crate::app::vantage::Vantage;
use crate::domain::{Datum, Series, Symbol, Table};
use crate::projections::{Adjusted, Facts, Projection};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};

/// A projection that is being answered.
pub struct Answering<'a> {
    vantage: Vantage,
    definition: &'a Definition,
    query: Option<Prepared>,
}

impl<'a> Answering<'a> {
    /// Makes ready; a query is prepared once for all symbols.
    ///
    /// # Errors
    /// [`AppError::Sql`] for a query that is wrong.
    pub fn new(vantage: &Vantage, definition: &'a Definition) -> Result<Self> {
        let vantage = vantage.inside(&definition.id)?;
        let query = match &definition.body {
            Body::Query { text, .. } => Some(Prepared::new(&vantage, text)?),
            Body::Program(_) => None,
        };
        Ok(Self { vantage, definition, query })
    }

    /// The rows about a symbol, or all of a projection that is answered whole, in a fixed order.
    ///
    /// # Errors
    /// [`AppError::Projection`] when the projection fails or panics.
    pub fn rows(&mut self, symbol: Option<&Symbol>) -> Result<Table> {
        let id = &self.definition.id;
        let mut table = match (&self.definition.body, &mut self.query, symbol) {
            (Body::Program(brought), _, Some(symbol)) => {
                let of = |why: String| AppError::Projection(format!("{id} of {symbol}: {why}"));
                program_rows(&self.vantage, &**brought, symbol)?.map_err(of)?
            }
            (Body::Query { by_symbol: true, .. }, Some(query), Some(symbol)) => {
                query.rows(Some(symbol.as_str()))?
            }
            (Body::Query { by_symbol: false, .. }, Some(query), _) => query.rows(None)?,
            _ => return Err(AppError::Projection(format!("{id} is answered symbol by symbol"))),
        };
        table.sort_by(|a, b| compare(a, b));
        Ok(table)
    }
}

/// Asks a projection of the program; a panic in it is an answer like any other.
fn program_rows(
    vantage: &Vantage,
    brought: &dyn Projection,
    symbol: &Symbol,
) -> Result<std::result::Result<Table, String>> {
    let mut views = BTreeMap::new();
    for view in brought.views() {
        views.insert(*view, vantage.records(*view, symbol)?);
    }
    let mut tables = BTreeMap::new();
    for name in brought.projections() {
        let wrong =
            |error: crate::domain::projection::WrongName| AppError::Projection(error.to_string());
        let id = vantage.id(&name.parse().map_err(wrong)?)?;
        let input = vantage.definition(&id)?;
        // Of a projection that is answered whole each symbol gets its own rows.
        let of_symbol =
            |row: &Vec<Datum>| row.first().and_then(Datum::text) == Some(symbol.as_str());
        let mut rows = vantage.rows(&input, Some(symbol))?;
        rows.retain(of_symbol);
        tables.insert(*name, rows);
    }
    let adjusted = match (views.get(&Series::Spot), views.get(&Series::Splits)) {
        (Some(closes), Some(splits)) => {
            traded::adjustments(&vantage.ledger, symbol, closes, splits)?
        }
        _ => Adjusted::default(),
    };
    let facts = Facts::new(symbol, views, tables).with_adjusted(adjusted);
    let answered = panic::catch_unwind(AssertUnwindSafe(|| brought.rows(&facts)));
    let answered = answered.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(format!("it panicked: {}", text.unwrap_or_else(|| "without a word".to_owned())))
    });
    Ok(answered.and_then(|mut rows| {
        let width = brought.columns().len();
        if let Some(row) = rows.iter().find(|row| row.len() != width) {
            return Err(format!("a row has {} values, not {width}", row.len()));
        }
        rows.iter_mut().for_each(|row| row.insert(0, symbol.as_str().into()));
        Ok(rows)
    }))
}

/// A fixed order of rows, so that equal projections have equal digests.
fn compare(a: &[Datum], b: &[Datum]) -> Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| match (a, b) {
        (Datum::Int(a), Datum::Int(b)) => a.cmp(b),
        (Datum::Real(a), Datum::Real(b)) => a.total_cmp(b),
        (Datum::Text(a), Datum::Text(b)) => a.cmp(b),
        (a, b) => kind(a).cmp(&kind(b)),
    });
    pairs.into_iter().find(|order| order.is_ne()).unwrap_or(a.len().cmp(&b.len()))
}

fn kind(of: &Datum) -> u8 {
    match of {
        Datum::Null => 0,
        Datum::Int(_) => 1,
        Datum::Real(_) => 2,
        Datum::Text(_) => 3,
    }
}
