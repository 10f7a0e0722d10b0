//! Views as a SQLite database: a table of each with an index, what its columns mean, the batches
//! and sources behind it, and where it came from.

use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::app::export::{Cell, Kind, Layout, NUMBERS, Read, Stream, TOOL, about, joined, which};
use crate::app::replace::replace_with;
use crate::app::report::Exported;
use crate::app::sql::{Filter, Table};
use crate::app::vantage::Vantage;
use crate::domain::Series;
use crate::ledger::Ledger;
use crate::projections::view::Which;
use rusqlite::types::{ToSqlOutput, Value as Sqlite, ValueRef};
use rusqlite::{Connection, ToSql, Transaction, params, params_from_iter};
use std::io;
use std::path::Path;
use std::sync::Arc;

const FIXED: &str = "\
CREATE TABLE columns(view TEXT, name TEXT, type TEXT, unit TEXT, about TEXT);
CREATE TABLE provenance(view TEXT, symbol TEXT, rows INTEGER, position INTEGER, log_root TEXT, \
                        digest TEXT, which TEXT, tool TEXT, about TEXT);";

/// Writes views into a new SQLite file; what it replaces stays beside it as `.bak`.
///
/// Table `<view>`: symbol, date, item, the view's known fields, then `other` and the events behind
/// the row. Table `columns`: the meaning of every column. Tables `batches` and `sources` as
/// `volledger sql` has them. Table `provenance`: for each view (symbol null) and each symbol the
/// digest of what is shown.
///
/// # Errors
/// A file that cannot be written.
pub fn export(
    ledger: &Arc<Ledger>,
    stream: &Stream<'_>,
    file: &Path,
    run: &Run<'_>,
) -> Result<Exported> {
    let failed = |error: rusqlite::Error| AppError::Unwritable {
        name: file.display().to_string(),
        source: io::Error::other(error),
    };
    let reads = replace_with(file, |new| {
        let mut connection = Connection::open(new).map_err(failed)?;
        // The file has no name yet: a crash leaves nothing that could be taken for it.
        let quick = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";
        connection.execute_batch(quick).map_err(failed)?;
        let work = connection.transaction().map_err(failed)?;
        work.execute_batch(FIXED).map_err(failed)?;
        let mut reads = Vec::new();
        for series in &stream.wanted.series {
            let layout = Layout::of(*series, &stream.wanted.columns)?;
            if let Some(read) = write_view(&work, stream, &layout, run, &failed)? {
                reads.push((*series, read));
            }
        }
        let root = stream.log_root.to_string();
        write_provenance(&work, stream, &root, &reads).map_err(failed)?;
        let (at, which) = (Some(stream.at), Which::Latest);
        let vantage = Vantage::new(Arc::clone(ledger), &run.registry, at, which)?;
        for table in [Table::Batches, Table::Sources] {
            write_table(&work, table, &vantage, &failed)?;
        }
        work.commit().map_err(failed)?;
        connection.close().map_err(|(_, error)| failed(error))?;
        Ok(reads)
    })?;
    let rows = reads.iter().map(|(_, read)| read.rows).sum();
    let digest = joined(reads.iter().map(|(_, read)| read.digest()));
    Ok(Exported::of(vec![file.display().to_string()], rows, stream.at.0, digest))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Day => "TEXT",
        Kind::Whole => "INTEGER",
        Kind::Real => "REAL",
    }
}

fn places(count: usize) -> String {
    vec!["?"; count].join(",")
}

/// Writes the table of a view; `None` for one without records, unless it was asked for alone.
fn write_view(
    work: &Transaction<'_>,
    stream: &Stream<'_>,
    layout: &Layout,
    run: &Run<'_>,
    failed: &dyn Fn(rusqlite::Error) -> AppError,
) -> Result<Option<Read>> {
    let name = quoted(layout.series.name());
    if stream.is_one() {
        begin_view(work, layout).map_err(failed)?;
    }
    let mut begun = stream.is_one();
    let places = places(layout.columns.len());
    let text = format!("INSERT INTO {name} VALUES({places})");
    let read = stream.each(layout.series, run, |symbol, records| {
        if !begun && !records.is_empty() {
            begin_view(work, layout).map_err(failed)?;
            begun = true;
        }
        if records.is_empty() {
            return Ok(());
        }
        let mut insert = work.prepare(&text).map_err(failed)?;
        layout.rows(symbol, records, |_, row| {
            insert.execute(params_from_iter(row.iter().map(Stored))).map_err(failed)?;
            Ok(())
        })
    })?;
    if !begun {
        return Ok(None);
    }
    let keys = layout.columns.iter().take(layout.keys()).map(|column| quoted(&column.name));
    let keys = keys.collect::<Vec<_>>().join(",");
    let index = quoted(&format!("{}_key", layout.series));
    let index = format!("CREATE UNIQUE INDEX {index} ON {name}({keys})");
    work.execute_batch(&index).map_err(failed)?;
    Ok(Some(read))
}

fn begin_view(work: &Transaction<'_>, layout: &Layout) -> rusqlite::Result<()> {
    let name = layout.series.name();
    let columns = layout.columns.iter().map(|column| {
        let needed = if column.required { " NOT NULL" } else { "" };
        format!("{} {}{needed}", quoted(&column.name), type_of(column.kind))
    });
    let columns = columns.collect::<Vec<_>>().join(",");
    work.execute_batch(&format!("CREATE TABLE {}({columns})", quoted(name)))?;
    let mut insert = work.prepare("INSERT INTO columns VALUES(?,?,?,?,?)")?;
    insert.execute(params![name, None::<&str>, None::<&str>, "", about(layout.series).view()])?;
    for column in &layout.columns {
        let kind = type_of(column.kind);
        insert.execute(params![name, column.name, kind, column.unit, column.about])?;
    }
    Ok(())
}

fn write_provenance(
    work: &Transaction<'_>,
    stream: &Stream<'_>,
    root: &str,
    reads: &[(Series, Read)],
) -> rusqlite::Result<()> {
    let mut insert = work.prepare("INSERT INTO provenance VALUES(?,?,?,?,?,?,?,?,?)")?;
    let (at, which) = (stream.at.0 as i64, which(stream.wanted));
    for (series, read) in reads {
        let (view, rows) = (series.name(), read.rows as i64);
        let digest = read.digest().to_string();
        let whole = None::<&str>;
        insert.execute(params![view, whole, rows, at, root, digest, which, TOOL, NUMBERS])?;
        for (symbol, digest) in &read.digests {
            let digest = digest.to_string();
            let none = None::<i64>;
            let symbol = symbol.as_str();
            insert.execute(params![view, symbol, none, at, root, digest, which, TOOL, whole])?;
        }
    }
    Ok(())
}

/// Writes a table of `volledger sql` as it is.
fn write_table(
    work: &Transaction<'_>,
    table: Table,
    vantage: &Vantage,
    failed: &dyn Fn(rusqlite::Error) -> AppError,
) -> Result<()> {
    let columns: Vec<String> = table.columns(vantage)?.iter().map(|name| quoted(name)).collect();
    let name = table.name();
    let create = format!("CREATE TABLE {name}({})", columns.join(","));
    work.execute_batch(&create).map_err(failed)?;
    let text = format!("INSERT INTO {name} VALUES({})", places(columns.len()));
    let mut insert = work.prepare(&text).map_err(failed)?;
    let mut scan = table.scan(vantage, Filter { used: u64::MAX, ..Filter::default() })?;
    while let Some(page) = scan.next_page()? {
        for row in 0..page.rows() {
            let cells = (0..page.width).map(|column| page.stored(row, column));
            insert.execute(params_from_iter(cells)).map_err(failed)?;
        }
    }
    Ok(())
}

/// A cell as SQLite stores it; nothing is copied.
struct Stored<'a>(&'a Cell<'a>);

impl ToSql for Stored<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::None => ToSqlOutput::Owned(Sqlite::Null),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Day(day) => ToSqlOutput::Owned(Sqlite::Text(day.to_string())),
            Cell::Whole(number) => ToSqlOutput::Owned(Sqlite::Integer(*number)),
            Cell::Real(number) => ToSqlOutput::Owned(Sqlite::Real(*number)),
        })
    }
}
