//! Conditions over metrics: a table of one row a symbol in memory, asked by SQLite.
//!
//! Used by `screen` and by the rules of `overview`. Its columns are known beforehand, so that a
//! name that is none is refused, also where SQLite would take it for a text.

use super::{allow, chained::chained, functions, plain, wrong};
use crate::app::error::{AppError, Result};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::Value as Sqlite;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

/// Rows of metrics that conditions are asked about.
pub struct Metrics {
    connection: Connection,
    columns: Vec<String>,
}

impl Metrics {
    /// A table of these columns; what a row lacks is null.
    ///
    /// # Errors
    /// [`AppError::Sql`] when SQLite fails.
    pub fn new(columns: &[&str], rows: &[Map<String, Value>]) -> Result<Self> {
        let connection = filled(columns, rows).map_err(wrong)?;
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { connection, columns })
    }

    /// Its columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The connection, which only reads.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Why a condition cannot be asked; nothing when it can.
    pub fn refusal(&self, condition: &str) -> Option<String> {
        if let Some(found) = chained(condition) {
            return Some(format!(
                "`{}` compares twice in a row, and SQL would compare a truth value with a number; \
                 write `{}`, or `x BETWEEN low AND high`",
                found.clause, found.instead
            ));
        }
        self.connection.prepare(&query(condition)).err().map(|error| plain(&error))
    }

    /// The numbers of the rows, from 0, on which a condition holds. One that cannot be told,
    /// because a value is missing, does not hold.
    ///
    /// # Errors
    /// [`AppError::Condition`] for a condition that cannot be asked.
    pub fn holding(&self, condition: &str) -> Result<Vec<usize>> {
        if let Some(why) = self.refusal(condition) {
            return Err(self.refused(why));
        }
        let wrong = |error: rusqlite::Error| self.refused(plain(&error));
        let mut statement = self.connection.prepare(&query(condition)).map_err(wrong)?;
        let numbers = statement.query_map([], |row| row.get::<_, i64>(0)).map_err(wrong)?;
        let number = |id: rusqlite::Result<i64>| {
            id.map(|id| usize::try_from(id - 1).unwrap_or(usize::MAX)).map_err(wrong)
        };
        numbers.map(number).collect()
    }

    /// The error of a condition, with the names that it could use.
    pub(super) fn refused(&self, why: String) -> AppError {
        AppError::Condition { why, known: self.columns.clone() }
    }
}

/// The rows on which a condition holds. The line break ends a comment in it.
fn query(condition: &str) -> String {
    format!("SELECT rowid FROM metrics WHERE ({condition}\n) ORDER BY rowid")
}

/// Numbers compare as numbers, also with a number in quotes.
fn affinity(column: &str) -> &'static str {
    match column {
        "symbol" | "next_earnings" => "TEXT",
        "stale" | "n_252" | "n_504" | "days_until_earnings" => "INTEGER",
        date if date.ends_with("_date") => "TEXT",
        _ => "REAL",
    }
}

fn filled(columns: &[&str], rows: &[Map<String, Value>]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    // Else a name in double quotes that is no column would be a text, greater than every number.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    let names: Vec<String> =
        columns.iter().map(|name| format!("\"{name}\" {}", affinity(name))).collect();
    connection.execute_batch(&format!("CREATE TABLE metrics({})", names.join(",")))?;
    let places = vec!["?"; names.len()].join(",");
    let work = connection.transaction()?;
    {
        let mut insert = work.prepare(&format!("INSERT INTO metrics VALUES({places})"))?;
        for row in rows {
            let value = |name: &&str| match row.get(*name) {
                Some(Value::Number(number)) => match number.as_i64() {
                    Some(whole) => Sqlite::Integer(whole),
                    None => number.as_f64().map_or(Sqlite::Null, Sqlite::Real),
                },
                Some(Value::String(text)) => Sqlite::Text(text.clone()),
                Some(Value::Bool(flag)) => Sqlite::Integer(i64::from(*flag)),
                _ => Sqlite::Null,
            };
            insert.execute(params_from_iter(columns.iter().map(value)))?;
        }
    }
    work.commit()?;
    functions::register(&connection)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.authorizer(Some(allow))?;
    Ok(connection)
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Metrics({})", self.columns.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metrics() -> Metrics {
        let row = |value: Value| value.as_object().unwrap().clone();
        let rows = [
            row(json!({"symbol": "A", "rank": 0.5, "n_252": 252, "stale": false})),
            row(json!({"symbol": "B", "rank": null, "n_252": 10, "stale": true})),
        ];
        Metrics::new(&["symbol", "rank", "n_252", "stale"], &rows).unwrap()
    }

    #[test]
    fn what_is_missing_does_not_hold() {
        let metrics = metrics();
        for (condition, want) in [
            ("rank >= 0.5", &[0][..]),
            ("RANK < 1", &[0]),
            ("not rank > 0.9", &[0]),
            ("rank is null", &[1]),
            ("not stale and rank between 0.5 and 1", &[0]),
            ("1 -- all", &[0, 1]),
            ("rank > '0.4'", &[0]),
            ("n_252 / 100 = 2", &[0]),
            ("symbol = 'B'", &[1]),
        ] {
            assert_eq!(metrics.holding(condition).unwrap(), want, "{condition}");
        }
    }

    #[test]
    fn names_that_are_none_and_comparisons_in_a_row_are_refused() {
        let metrics = metrics();
        for (condition, says) in [
            ("rnk > 1", "no such column: rnk"),
            ("\"rnk\" > 1", "no such column: \"rnk\""),
            ("0.4 <= rank < 0.8", "write `0.4 <= rank AND rank < 0.8`"),
            ("rank >", "syntax error"),
            ("rank 0.4-0.8", "syntax error"),
            ("", "syntax error"),
            ("twice(rank) > 1", "no such function: twice"),
            ("1); DELETE FROM metrics; --", "cannot change"),
        ] {
            let why = metrics.refusal(condition).unwrap();
            assert!(why.contains(says), "{condition}: {why}");
            let error = metrics.holding(condition).unwrap_err();
            assert!(matches!(error, AppError::Condition { .. }), "{condition}: {error}");
        }
        assert_eq!(metrics.refusal("rank > 1"), None);
    }
}
