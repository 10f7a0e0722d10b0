//! SQL over the ledger: SQLite with read-only virtual tables that read the ledger's chunks.
//!
//! No copy is made: a table reads one symbol at a time, and only the symbols and days that a query
//! asks for. Numbers become floats here (analytics); exact digits are in `view` and `why`, and in
//! the texts of `assertions`. A query sees one position of the ledger, and cannot write.

mod export;
mod functions;
mod screen;
mod tables;
mod vtab;

pub(in crate::app) use export::export;
pub use screen::{Screen, screen};
pub(in crate::app) use tables::{Sql, sql_of};

use super::error::{AppError, Result};
use super::views::ViewReader;
use crate::domain::Position;
use crate::ledger::Ledger;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection};
use serde::Serialize;
use std::sync::Arc;
use tables::{Shared, Table};

/// The answer to a query: `volledger/sql/1`.
#[derive(Clone, Debug, Serialize)]
pub struct SqlAnswer {
    /// `volledger/sql/1`.
    pub schema: &'static str,
    /// The position that the query saw.
    pub position: u64,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, a value per column.
    pub rows: Vec<Vec<serde_json::Value>>,
}

/// Answers one query, as the ledger was at a position.
///
/// # Errors
/// [`AppError::Sql`] with SQLite's own words for a query that is wrong or would write.
pub fn query(ledger: Arc<Ledger>, text: &str, at: Option<Position>) -> Result<SqlAnswer> {
    let position = at.unwrap_or(ledger.position());
    let roots = ViewReader::new(&ledger)?.roots();
    let shared = Arc::new(Shared { ledger, roots, at: position });
    let wrong = |error: rusqlite::Error| AppError::Sql(plain(&error));
    let mut connection = Connection::open_in_memory().map_err(wrong)?;
    for table in Table::all() {
        vtab::register(&connection, table, Arc::clone(&shared)).map_err(wrong)?;
    }
    functions::register(&connection).map_err(wrong)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(wrong)?;
    connection.authorizer(Some(allow)).map_err(wrong)?;

    let mut statements = Batch::new(&connection, text);
    let first = statements.next().map_err(wrong)?;
    let mut statement = first.ok_or_else(|| AppError::Sql("there is no query".to_owned()))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = Vec::new();
    {
        let mut rows = statement.query([]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let mut values = Vec::with_capacity(columns.len());
            for index in 0..columns.len() {
                values.push(json(row.get_ref(index).map_err(wrong)?));
            }
            found.push(values);
        }
    }
    drop(statement);
    if statements.next().map_err(wrong)?.is_some() {
        return Err(AppError::Sql("one query at a time".to_owned()));
    }
    Ok(SqlAnswer { schema: "volledger/sql/1", position: position.0, columns, rows: found })
}

/// A query may read and compute; whatever else a statement wants is refused.
fn allow(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

/// SQLite's words, without the prefix of the library.
fn plain(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, text) => match failure.code {
            rusqlite::ErrorCode::AuthorizationForStatementDenied => {
                "a query cannot change, attach or load anything".to_owned()
            }
            _ => said(text.as_deref().unwrap_or(&failure.to_string())),
        },
        rusqlite::Error::SqlInputError { msg, .. } => said(msg),
        other => said(&other.to_string()),
    }
}

/// What SQLite says of a refusal, in our words.
fn said(text: &str) -> String {
    match text.contains("not authorized") {
        true => "a query cannot change, attach or load anything".to_owned(),
        false => text.to_owned(),
    }
}

fn json(value: ValueRef<'_>) -> serde_json::Value {
    match value {
        ValueRef::Null => serde_json::Value::Null,
        ValueRef::Integer(number) => number.into(),
        // Infinity and NaN are no JSON numbers.
        ValueRef::Real(number) => serde_json::Number::from_f64(number).into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()).into(),
    }
}

/// The tables and their columns, for help and errors.
pub fn described() -> Vec<(String, Vec<String>)> {
    Table::all().map(|table| (table.name().to_owned(), table.columns())).collect()
}
