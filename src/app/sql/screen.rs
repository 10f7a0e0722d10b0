//! Screening: which symbols fulfil a condition on their newest metrics.
//!
//! The condition is an SQL expression over the columns of `rank` and `snapshot`. It is evaluated
//! by SQLite over a table of one row a symbol, in memory.

use super::{Metrics, json, plain};
use crate::app::error::Result;
use crate::app::metrics::{self, Asked};
use crate::app::report::{RankRow, SnapshotRow};
use crate::domain::Day;
use crate::ledger::Ledger;
use serde::Serialize;
use serde_json::{Map, Value};

/// The symbols that fulfil a condition: `volledger/screen/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/screen/1")]
pub struct Screen {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The condition.
    pub condition: String,
    /// Symbols looked at.
    pub symbols: u64,
    /// Symbols of which it cannot be told: a value that it needs is missing.
    pub unknown: u64,
    /// The columns.
    pub columns: Vec<String>,
    /// One object a symbol that fulfils it.
    pub rows: Vec<Map<String, Value>>,
}

/// Finds the symbols that fulfil a condition.
///
/// # Errors
/// [`crate::app::AppError::Condition`] for a condition that is none; those of [`metrics::snapshot`].
pub fn screen(ledger: &Ledger, condition: &str, asked: &Asked, today: Day) -> Result<Screen> {
    let lines = metrics::lines(ledger, asked, today)?;
    let object = |value: serde_json::Result<Value>| match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for (line, standing) in &lines {
        let mut row = object(serde_json::to_value(line));
        // All of one day: that of the volatility that is shown.
        for (name, value) in standing.iter().flat_map(|rank| object(serde_json::to_value(rank))) {
            row.entry(name).or_insert(value);
        }
        rows.push(row);
    }
    // Of no symbol at all, too: the columns are the same whatever is known.
    let (line, rank) = (SnapshotRow::default(), RankRow::default());
    let every = object(serde_json::to_value(line)).into_iter();
    let every: Vec<String> =
        every.chain(object(serde_json::to_value(rank))).map(|(name, _)| name).collect();
    let mut columns: Vec<&str> = Vec::new();
    for name in &every {
        if !columns.contains(&name.as_str()) && name != "date" {
            columns.push(name);
        }
    }
    let metrics = Metrics::new(&columns, &rows)?;
    if let Some(why) = metrics.refusal(condition) {
        return Err(metrics.refused(why));
    }
    let wrong = |error: rusqlite::Error| metrics.refused(plain(&error));
    let connection = metrics.connection();
    let unknown = format!("SELECT count(*) FROM metrics WHERE ({condition}\n) IS NULL");
    let unknown: i64 = connection.query_row(&unknown, [], |row| row.get(0)).map_err(wrong)?;
    let text = format!("SELECT * FROM metrics WHERE ({condition}\n) ORDER BY symbol");
    let mut statement = connection.prepare(&text).map_err(wrong)?;
    let mut found = Vec::new();
    let mut hits = statement.query([]).map_err(wrong)?;
    while let Some(row) = hits.next().map_err(wrong)? {
        let mut object = Map::new();
        for (index, name) in metrics.columns().iter().enumerate() {
            object.insert(name.clone(), json(row.get_ref(index).map_err(wrong)?));
        }
        found.push(object);
    }
    Ok(Screen {
        position: asked.at.unwrap_or(ledger.position()).0,
        which: asked.which.told(),
        condition: condition.to_owned(),
        symbols: rows.len() as u64,
        unknown: unknown.unsigned_abs(),
        columns: metrics.columns().to_vec(),
        rows: found,
    })
}
