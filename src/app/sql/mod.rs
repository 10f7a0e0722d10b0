//! SQL over the ledger: SQLite with read-only virtual tables that read the ledger's chunks.
//!
//! No copy is made: a table reads one symbol at a time, and only the symbols and days that a query
//! asks for. Numbers become floats here (analytics); exact digits are in `view` and `why`, and in
//! the texts of `assertions`. A query sees one position of the ledger, and cannot write.

mod ahead;
mod chained;
mod conditions;
mod define;
mod functions;
mod page;
mod probe;
mod screen;
mod tables;
mod view;
mod vtab;

pub use conditions::Metrics;
pub use define::{Prepared, define, is_free, is_taken};
pub use screen::{Screen, screen};
pub(in crate::app) use tables::{Filter, Table, sql_of};

use super::error::{AppError, Result};
use super::vantage::Vantage;
use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The answer to a query: `volledger/sql/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/sql/1")]
pub struct SqlAnswer {
    /// The position that the query saw.
    pub position: u64,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, a value per column.
    pub rows: Vec<Vec<serde_json::Value>>,
}

/// The tables and their columns, as an answer: a row for each column.
pub fn tables(vantage: &Vantage) -> SqlAnswer {
    let rows = described(vantage).flat_map(|(table, columns)| {
        columns.into_iter().map(move |column| vec![table.clone().into(), column.into()])
    });
    SqlAnswer {
        position: vantage.at.0,
        columns: ["table", "column"].map(str::to_owned).into(),
        rows: rows.collect(),
    }
}

/// Answers one query, as the ledger was at a vantage.
///
/// # Errors
/// [`AppError::Sql`] with SQLite's own words for a query that is wrong or would write.
pub fn query(vantage: &Vantage, text: &str) -> Result<SqlAnswer> {
    answer(vantage, text, None)
}

/// How much a query may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The query is given up after so long.
    pub time: Duration,
    /// Rows beyond so many are left out.
    pub rows: usize,
    /// A query whose answer takes more memory is given up, and one with a value a tenth as large.
    pub bytes: usize,
}

/// Asks a query of unknown cost (from a page), within limits.
///
/// # Errors
/// Those of [`query`], [`AppError::Sql`] when it takes too long and [`AppError::Usage`] when it is too large.
pub fn query_within(vantage: &Vantage, text: &str, limits: Limits) -> Result<SqlAnswer> {
    answer(vantage, text, Some(limits)).map_err(|error| match error {
        AppError::Sql(said) if said == TOO_BIG => {
            AppError::Sql(format!("{TOO_BIG} for a page; `volledger sql` takes larger ones"))
        }
        other => other,
    })
}

/// A value beyond a limit, ours or SQLite's of a thousand million bytes.
const TOO_BIG: &str = "a value is too large";

fn answer(vantage: &Vantage, text: &str, limits: Option<Limits>) -> Result<SqlAnswer> {
    let mut connection = connect(vantage)?;
    let began = Instant::now();
    if let Some(Limits { time, bytes, .. }) = limits {
        let largest = i32::try_from(bytes / 10).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, largest).map_err(wrong)?;
        let over = move || began.elapsed() > time;
        connection.progress_handler(1000, Some(over)).map_err(wrong)?;
    }
    let most = limits.map_or(usize::MAX, |limits| limits.rows);
    let mut left = limits.map_or(usize::MAX, |limits| limits.bytes);
    connection.authorizer(Some(allow)).map_err(wrong)?;
    one(&connection, text)?;
    let mut statement = connection.prepare(text).map_err(wrong)?;
    if statement.parameter_count() > 0 {
        return Err(AppError::Sql(
            "nothing says what its parameter is: `:symbol` is for a query that is kept, `volledger \
             projection add NAME --sql FILE`"
                .to_owned(),
        ));
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = statement.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        let mut values = Vec::with_capacity(columns.len());
        for index in 0..columns.len() {
            let value = json(row.get_ref(index).map_err(wrong)?);
            left = left.checked_sub(room(&value)).ok_or_else(too_large)?;
            values.push(value);
        }
        found.push(values);
        if found.len() >= most {
            break;
        }
    }
    let position = vantage.at.0;
    Ok(SqlAnswer { position, columns, rows: found })
}

/// A connection that knows the tables and functions, and nothing else.
fn connect(vantage: &Vantage) -> Result<Connection> {
    let connection = Connection::open_in_memory().map_err(wrong)?;
    // Else a name in double quotes that is no column would be a text.
    for quoted in [DbConfig::SQLITE_DBCONFIG_DQS_DML, DbConfig::SQLITE_DBCONFIG_DQS_DDL] {
        connection.set_db_config(quoted, false).map_err(wrong)?;
    }
    for table in Table::all(vantage) {
        vtab::register(&connection, table, vantage.clone()).map_err(wrong)?;
    }
    functions::register(&connection).map_err(wrong)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(wrong)?;
    Ok(connection)
}

/// Refuses a text that is not exactly one statement.
fn one(connection: &Connection, text: &str) -> Result<()> {
    let mut statements = Batch::new(connection, text);
    if statements.next().map_err(wrong)?.is_none() {
        return Err(AppError::Sql("there is no query".to_owned()));
    }
    match statements.next() {
        Ok(None) => Ok(()),
        _ => Err(AppError::Sql("one query at a time".to_owned())),
    }
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

fn wrong(error: rusqlite::Error) -> AppError {
    AppError::Sql(plain(&error))
}

/// SQLite's words, without the prefix of the library.
fn plain(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, text) => match failure.code {
            rusqlite::ErrorCode::AuthorizationForStatementDenied => {
                "a query cannot change, attach or load anything".to_owned()
            }
            rusqlite::ErrorCode::OperationInterrupted => "the query took too long".to_owned(),
            rusqlite::ErrorCode::TooBig => TOO_BIG.to_owned(),
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

/// What a value takes in memory, at most: as JSON or on a page some signs are written with six.
fn room(value: &serde_json::Value) -> usize {
    let written = |byte: u8| match byte {
        0..=31 | b'"' | b'\\' | b'<' | b'>' | b'&' | b'\'' => 6,
        _ => 1,
    };
    size_of_val(value) + value.as_str().map_or(0, |text| text.bytes().map(written).sum())
}

fn too_large() -> AppError {
    AppError::Usage("the answer is too large for a page; `volledger sql` has no limit".to_owned())
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

/// The tables and their columns; a projection whose query is wrong by now is left out.
fn described(vantage: &Vantage) -> impl Iterator<Item = (String, Vec<String>)> {
    let known = Table::all(vantage).into_iter();
    known.filter_map(|table| Some((table.name(), table.columns(vantage).ok()?)))
}

/// The tables and their columns for people, as a query writes them: what SQL knows as something else,
/// such as `index`, stands in quotes.
///
/// # Errors
/// [`AppError::Sql`] where there is no memory.
pub fn written(vantage: &Vantage) -> Result<Vec<(String, Vec<String>)>> {
    let bare = Connection::open_in_memory().map_err(wrong)?;
    let quoted = |name: String| match define::stands(&bare, &name) {
        true => name,
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    };
    let line = |(table, columns): (String, Vec<String>)| {
        (quoted(table), columns.into_iter().map(quoted).collect())
    };
    Ok(described(vantage).map(line).collect())
}
