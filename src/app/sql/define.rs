//! Queries as projections: what they read, and their rows as values.

use super::tables::Table;
use super::{allow, connect, one, plain, wrong};
use crate::app::error::{AppError, Result};
use crate::app::projection::definition::{Body, Definition, Inputs};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{Datum, ProjectionId, Series, Table as Rows};
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext};
use rusqlite::types::{Null, ValueRef};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a query asked for each symbol calls it.
const SYMBOL: &str = ":symbol";

/// Functions whose answer is another one each time.
const FICKLE: [&str; 6] =
    ["random", "randomblob", "current_date", "current_time", "current_timestamp", "sqlite_version"];

/// Functions that speak of the present when they are not given a time.
const CLOCKS: [&str; 7] =
    ["date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"];

/// What a query has touched while it was prepared.
#[derive(Default)]
struct Touched {
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
}

/// Whether a table of facts has this name, so that no projection can.
pub fn is_taken(name: &str) -> bool {
    Table::facts().any(|table| table.name() == name)
}

/// Whether a name can stand in a query for a new table: no word or table of SQLite's own.
pub fn is_free(name: &str) -> bool {
    let asked = Connection::open_in_memory().map(|connection| stands(&connection, name));
    !name.starts_with("sqlite_") && asked.unwrap_or(true)
}

/// Whether a name can stand without quotes, as a connection without any table sees it.
pub(super) fn stands(connection: &Connection, name: &str) -> bool {
    let text = format!("SELECT 1 FROM {name}");
    let said = connection.prepare(&text).map(|_| ()).err().map(|error| plain(&error));
    !name.contains('.') && said.is_some_and(|said| said == format!("no such table: {name}"))
}

/// Reads a query as the definition of a projection.
///
/// # Errors
/// [`AppError::Sql`] for a query that is wrong, or whose answer is not the same each time;
/// [`AppError::Projection`] for one that is made from itself.
pub fn define(vantage: &Vantage, id: &ProjectionId, text: &str) -> Result<Definition> {
    let touched = Arc::new(Mutex::new(Touched::default()));
    let mut connection = connect(vantage)?;
    let seen = Arc::clone(&touched);
    let note = move |context: AuthContext<'_>| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match context.action {
            // A table of which no column is looked at has the name as it is written in the query.
            AuthAction::Read { table_name, .. } => {
                seen.tables.insert(table_name.to_ascii_lowercase());
            }
            AuthAction::Function { function_name } => {
                seen.functions.insert(function_name.to_ascii_lowercase());
            }
            _ => {}
        }
        allow(context)
    };
    connection.authorizer(Some(note)).map_err(wrong)?;
    one(&connection, text)?;
    let statement = connection.prepare(text).map_err(wrong)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let names: BTreeSet<&String> = columns.iter().collect();
    if names.len() < columns.len() {
        let text = "two columns have the same name; name them apart with AS";
        return Err(AppError::Sql(text.to_owned()));
    }
    let by_symbol = statement.parameter_index(SYMBOL).map_err(wrong)?.is_some();
    if statement.parameter_count() > usize::from(by_symbol) {
        return Err(AppError::Sql(format!("{SYMBOL} is the only parameter that there is")));
    }
    drop(statement);
    let touched = touched.lock().unwrap_or_else(PoisonError::into_inner);
    steady(&touched.functions, text)?;
    let mut inputs = Inputs::default();
    for name in &touched.tables {
        match Series::ALL.into_iter().find(|view| view.name() == name) {
            Some(view) => {
                inputs.views.insert(view);
            }
            None if is_taken(name) => inputs.log = true,
            // What else there is are projections, and parts of the query itself.
            None => inputs.projections.extend(
                name.parse::<ProjectionName>().ok().filter(|name| vantage.id(name).is_ok()),
            ),
        }
    }
    // An input may be made from this one: that comes to light when its columns are asked for.
    for name in &inputs.projections {
        vantage.definition(&vantage.id(name)?)?;
    }
    if inputs == Inputs::default() {
        return Err(AppError::Sql("the query reads no table".to_owned()));
    }
    let body = Body::Query { text: text.to_owned(), by_symbol };
    Ok(Definition { id: id.clone(), body, inputs, columns })
}

/// Refuses what makes a query's answer depend on when or how often it is asked.
fn steady(functions: &BTreeSet<String>, text: &str) -> Result<()> {
    let refuse = |name: &str| {
        Err(AppError::Sql(format!(
            "a projection gives the same answer at any time, and {name} does not"
        )))
    };
    if let Some(name) = FICKLE.into_iter().find(|name| functions.contains(*name)) {
        return refuse(name);
    }
    let Some(name) = CLOCKS.into_iter().find(|name| functions.contains(*name)) else {
        return Ok(());
    };
    let text: String = text.to_ascii_lowercase().split_whitespace().collect();
    let bare = |name: &str| text.contains(&format!("{name}()"));
    // A format without a time is that of the present.
    let closes = |rest: &str| rest.split_once('\'').is_some_and(|(_, rest)| rest.starts_with(')'));
    let alone = text.split("strftime('").skip(1).any(closes);
    let word = text.contains("'now") || text.contains("'subsec");
    match word || alone || CLOCKS.into_iter().any(bare) {
        true => refuse(&format!("{name} of the present")),
        false => Ok(()),
    }
}

/// A query that is ready to be answered, for one symbol after the other.
pub struct Prepared {
    connection: Connection,
    text: String,
}

impl Prepared {
    /// Makes a query ready.
    ///
    /// # Errors
    /// [`AppError::Sql`] for one that is wrong.
    pub fn new(vantage: &Vantage, text: &str) -> Result<Self> {
        let mut connection = connect(vantage)?;
        connection.authorizer(Some(allow)).map_err(wrong)?;
        Ok(Self { connection, text: text.to_owned() })
    }

    /// The rows, of a symbol where the query names `:symbol`.
    ///
    /// # Errors
    /// [`AppError::Sql`] when the query fails on the way.
    pub fn rows(&mut self, symbol: Option<&str>) -> Result<Rows> {
        let mut statement = self.connection.prepare_cached(&self.text).map_err(wrong)?;
        if let Some(index) = statement.parameter_index(SYMBOL).map_err(wrong)? {
            match symbol {
                Some(symbol) => statement.raw_bind_parameter(index, symbol),
                None => statement.raw_bind_parameter(index, Null),
            }
            .map_err(wrong)?;
        }
        let width = statement.column_count();
        let named = statement.column_name(0).is_ok_and(|name| name == "symbol");
        let (mut found, mut rows) = (Rows::new(), statement.raw_query());
        while let Some(row) = rows.next().map_err(wrong)? {
            let mut values = Vec::with_capacity(width);
            for index in 0..width {
                values.push(datum(row.get_ref(index).map_err(wrong)?)?);
            }
            let own = values.first().and_then(Datum::text);
            if named && symbol.is_some() && own != symbol {
                let text = "the column `symbol` of a query about :symbol holds another one";
                return Err(AppError::Sql(text.to_owned()));
            }
            found.push(values);
        }
        Ok(found)
    }
}

fn datum(value: ValueRef<'_>) -> Result<Datum> {
    Ok(match value {
        ValueRef::Null => Datum::Null,
        ValueRef::Integer(number) => Datum::Int(number),
        // NaN is null in SQLite; an infinity is kept as one.
        ValueRef::Real(number) => Datum::Real(number),
        ValueRef::Text(text) => Datum::Text(String::from_utf8_lossy(text).into()),
        ValueRef::Blob(_) => {
            return Err(AppError::Sql("a projection holds numbers and texts, no blobs".to_owned()));
        }
    })
}
