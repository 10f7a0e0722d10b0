//! A view as a SQLite database: one table with an index, and where it came from.

use crate::app::error::{AppError, Result};
use crate::app::export::digest_of;
use crate::app::lookup::{self, ViewQuery};
use crate::app::report::{Exported, View};
use crate::ledger::Ledger;
use rusqlite::types::Value as Sqlite;
use rusqlite::{Connection, params, params_from_iter};
use serde_json::Value;
use std::path::Path;

/// Writes a view into a new SQLite file; what it replaces stays beside it as `.bak`.
///
/// Table `<view>`: symbol, date, then the view's columns; numbers are floats or integers as SQLite
/// has them. Table `provenance`: the position, and for each symbol the digest of what is shown.
///
/// # Errors
/// A file that cannot be written.
pub fn export(ledger: &Ledger, query: &ViewQuery, file: &Path) -> Result<Exported> {
    let views = lookup::view(ledger, query)?;
    let unwritable = |source| AppError::Unwritable { name: file.display().to_string(), source };
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let place = tempfile::tempdir_in(parent).map_err(unwritable)?;
    let written = place.path().join("export.sqlite");
    let position = query.at.unwrap_or(ledger.position()).0;
    write(&written, query.series.name(), position, &views)
        .map_err(|error| unwritable(std::io::Error::other(error.to_string())))?;
    if file.exists() {
        let mut backup = file.file_name().unwrap_or_default().to_owned();
        backup.push(".bak");
        std::fs::rename(file, file.with_file_name(backup)).map_err(unwritable)?;
    }
    std::fs::rename(&written, file).map_err(unwritable)?;
    let digest = digest_of(&views);
    let rows = views.iter().map(|view| view.rows.len() as u64).sum();
    let files = vec![file.display().to_string()];
    Ok(Exported { schema: "volledger/exported/1", files, rows, position, digest, text: None })
}

fn write(file: &Path, name: &str, position: u64, views: &[View]) -> rusqlite::Result<()> {
    let mut columns: Vec<&String> = Vec::new();
    for column in views.iter().flat_map(|view| &view.columns) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let names: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let list = [vec!["symbol".to_owned(), "date".to_owned()], names].concat();
    let mut connection = Connection::open(file)?;
    let work = connection.transaction()?;
    work.execute_batch(&format!(
        "CREATE TABLE {name}({}); CREATE TABLE provenance(view, symbol, position, digest, tool);",
        list.join(",")
    ))?;
    {
        let places = vec!["?"; list.len()].join(",");
        let mut insert = work.prepare(&format!("INSERT INTO {name} VALUES({places})"))?;
        let mut from = work.prepare("INSERT INTO provenance VALUES(?,?,?,?,?)")?;
        let tool = concat!("volledger ", env!("CARGO_PKG_VERSION"));
        for view in views {
            from.execute(params![name, view.symbol, position as i64, view.digest, tool])?;
            for row in &view.rows {
                let key = [Sqlite::Text(view.symbol.clone()), Sqlite::Text(row.date.clone())];
                let cells = columns.iter().map(|column| stored(row.values.get(*column)));
                insert.execute(params_from_iter(key.into_iter().chain(cells)))?;
            }
        }
    }
    work.execute_batch(&format!("CREATE INDEX {name}_key ON {name}(symbol, date);"))?;
    work.commit()
}

fn stored(value: Option<&Value>) -> Sqlite {
    match value {
        None | Some(Value::Null) => Sqlite::Null,
        Some(Value::Bool(flag)) => Sqlite::Integer(i64::from(*flag)),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(whole) => Sqlite::Integer(whole),
            None => number.as_f64().map_or(Sqlite::Null, Sqlite::Real),
        },
        Some(Value::String(text)) => Sqlite::Text(text.clone()),
        Some(other) => Sqlite::Text(other.to_string()),
    }
}
