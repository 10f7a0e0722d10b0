//! Screening: which symbols fulfil a condition on their newest metrics.
//!
//! The condition is an SQL expression over the columns of `rank` and `snapshot`. It is evaluated
//! by SQLite over a table of one row a symbol, in memory.

use super::{allow, json, wrong};
use crate::app::error::Result;
use crate::app::metrics::{self, Asked};
use crate::domain::Day;
use crate::ledger::Ledger;
use rusqlite::Connection;
use rusqlite::limits::Limit;
use rusqlite::types::Value as Sqlite;
use serde::Serialize;
use serde_json::{Map, Value};

/// The symbols that fulfil a condition: `volledger/screen/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Screen {
    /// `volledger/screen/1`.
    pub schema: &'static str,
    /// The position.
    pub position: u64,
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
/// [`AppError::Sql`] for a condition that is none; those of [`metrics::ranks`].
pub fn screen(ledger: &Ledger, condition: &str, asked: &Asked, today: Day) -> Result<Screen> {
    let snapshot = metrics::snapshot(ledger, asked, today)?;
    let ranks = metrics::ranks(ledger, asked)?;
    let object = |value: serde_json::Result<Value>| match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for line in &snapshot.rows {
        let mut row = object(serde_json::to_value(line));
        if let Some(rank) = ranks.rows.iter().find(|rank| rank.symbol == line.symbol) {
            for (name, value) in object(serde_json::to_value(rank)) {
                row.entry(name).or_insert(value);
            }
        }
        rows.push(row);
    }
    let mut columns: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(name) && name != "date" {
            columns.push(name.clone());
        }
    }
    let connection = table(&columns, &rows).map_err(wrong)?;
    let unknown = format!("SELECT count(*) FROM screen WHERE ({condition}) IS NULL");
    let unknown: i64 = connection.query_row(&unknown, [], |row| row.get(0)).map_err(wrong)?;
    let text = format!("SELECT * FROM screen WHERE ({condition}) ORDER BY symbol");
    let mut statement = connection.prepare(&text).map_err(wrong)?;
    let mut found = Vec::new();
    let mut hits = statement.query([]).map_err(wrong)?;
    while let Some(row) = hits.next().map_err(wrong)? {
        let mut object = Map::new();
        for (index, name) in columns.iter().enumerate() {
            object.insert(name.clone(), json(row.get_ref(index).map_err(wrong)?));
        }
        found.push(object);
    }
    Ok(Screen {
        schema: "volledger/screen/1",
        position: snapshot.position,
        condition: condition.to_owned(),
        symbols: rows.len() as u64,
        unknown: unknown.unsigned_abs(),
        columns,
        rows: found,
    })
}

/// A table of one row a symbol; afterwards the connection only reads.
fn table(columns: &[String], rows: &[Map<String, Value>]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    // With no symbol at all there is still a table to ask.
    let names = if names.is_empty() { vec!["symbol".to_owned()] } else { names };
    connection.execute_batch(&format!("CREATE TABLE screen({})", names.join(",")))?;
    let places = vec!["?"; names.len()].join(",");
    {
        let mut insert = connection.prepare(&format!("INSERT INTO screen VALUES({places})"))?;
        for row in rows {
            let value = |name: &String| match row.get(name) {
                Some(Value::Number(number)) => match number.as_i64() {
                    Some(whole) => Sqlite::Integer(whole),
                    None => number.as_f64().map_or(Sqlite::Null, Sqlite::Real),
                },
                Some(Value::String(text)) => Sqlite::Text(text.clone()),
                Some(Value::Bool(flag)) => Sqlite::Integer(i64::from(*flag)),
                _ => Sqlite::Null,
            };
            insert.execute(rusqlite::params_from_iter(columns.iter().map(value)))?;
        }
    }
    super::functions::register(&connection)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.authorizer(Some(allow))?;
    Ok(connection)
}
