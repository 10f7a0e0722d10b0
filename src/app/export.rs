//! Exports of views: CSV, JSON and JSON lines as text; Parquet, SQLite and workbooks as files. Each
//! has the position and the view's digest.

mod about;
mod beside;
mod columns;
#[cfg(feature = "parquet")]
mod parquet;
mod stream;
#[cfg(feature = "xlsx")]
mod xlsx;

pub use about::about;
pub use columns::{Cell, Column, Kind, Layout};
pub use stream::{Read, Stream, Wanted};

use super::Run;
#[cfg(not(all(feature = "parquet", feature = "xlsx")))]
use super::error::AppError;
use super::error::Result;
use super::lookup::ViewQuery;
use super::outside::replace_file;
use super::report::{Exported, View};
use crate::domain::Digest;
use crate::domain::guard::guarded;
use crate::ledger::Ledger;
use crate::ledger::hash::Hasher;
use std::path::Path;
use std::sync::Arc;

/// The form of an exported view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, one row a day, fractions.
    Csv,
    /// One array of records per symbol, keyed by symbol when there are several.
    Json,
    /// One record a line.
    Jsonl,
}

/// The form of an exported file that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Parquet; of several views a directory of files.
    Parquet,
    /// A SQLite database.
    Sqlite,
    /// A workbook of Excel.
    Xlsx,
}

/// The program that exports, as files name it.
pub const TOOL: &str = concat!("volledger ", env!("CARGO_PKG_VERSION"));

/// What files with numbers as floats say about them.
pub const NUMBERS: &str = "Numbers are binary floats or integers, for analytics. The exact digits of \
the sources are in `volledger view --json`, in CSV and JSON exports, and behind `volledger why`.";

/// The word for the values that are exported.
pub fn which(wanted: &Wanted) -> &'static str {
    if wanted.first { "first" } else { "latest" }
}

/// Exports one view into a file; what it replaces stays beside it as `.bak`.
///
/// # Errors
/// [`NotFound`](super::AppError::NotFound) for a symbol that the view never had,
/// [`NotBuilt`](super::AppError::NotBuilt), damage, a file that cannot be written.
pub fn export_file(
    ledger: &Arc<Ledger>,
    wanted: &Wanted,
    format: Binary,
    file: &Path,
    run: &Run<'_>,
) -> Result<Exported> {
    let stream = Stream::new(ledger, wanted)?;
    match format {
        Binary::Parquet => parquet::export(&stream, file, run),
        Binary::Sqlite => super::sql::export(ledger, &stream, file, run),
        Binary::Xlsx => xlsx::export(&stream, file, run),
    }
}

/// Exports several views: into a directory (Parquet), or one file with a table or sheet of each.
/// Views without records are left out.
///
/// # Errors
/// As [`export_file`]; [`Usage`](super::AppError::Usage) for a directory that is no earlier export.
pub fn export_all(
    ledger: &Arc<Ledger>,
    wanted: &Wanted,
    format: Binary,
    target: &Path,
    run: &Run<'_>,
) -> Result<Exported> {
    let stream = Stream::new(ledger, wanted)?;
    match format {
        Binary::Parquet => parquet::export_all(&stream, target, run),
        Binary::Sqlite => super::sql::export(ledger, &stream, target, run),
        Binary::Xlsx => xlsx::export(&stream, target, run),
    }
}

/// Stands for what this build was made without.
#[cfg(not(feature = "parquet"))]
mod parquet {
    use super::*;

    pub fn export(_: &Stream<'_>, _: &Path, _: &Run<'_>) -> Result<Exported> {
        Err(AppError::NotBuilt { what: "Parquet", feature: "parquet" })
    }

    pub use export as export_all;
}

/// Stands for what this build was made without.
#[cfg(not(feature = "xlsx"))]
mod xlsx {
    use super::*;

    pub fn export(_: &Stream<'_>, _: &Path, _: &Run<'_>) -> Result<Exported> {
        Err(AppError::NotBuilt { what: "workbooks", feature: "xlsx" })
    }
}

/// Exports a view; without a file the text is in the result. A file has another one beside it, which
/// says what it is.
///
/// # Errors
/// A file that cannot be written.
pub fn export_view(
    ledger: &Ledger,
    query: &ViewQuery,
    format: Format,
    file: Option<&Path>,
    run: &Run<'_>,
) -> Result<Exported> {
    let views = super::lookup::view(ledger, query)?;
    run.progress.begin("writing", Some(views.len() as u64), "symbols");
    let text = match format {
        Format::Csv => csv_text(&views),
        Format::Json => json_text(&views),
        Format::Jsonl => jsonl_text(&views),
    };
    let rows = views.iter().map(|view| view.rows.len() as u64).sum();
    let digest = digest_of(&views);
    let files = match file {
        Some(path) => {
            replace_file(path, text.as_bytes())?;
            let beside = beside::describe(ledger, query, (&views, digest), (path, &text))?;
            let files = [Some(path.to_owned()), beside].into_iter().flatten();
            files.map(|file| file.display().to_string()).collect()
        }
        None => Vec::new(),
    };
    run.progress.end();
    let position = query.at.unwrap_or(ledger.position()).0;
    let text = file.is_none().then_some(text);
    Ok(Exported { text, ..Exported::of(files, rows, position, digest) })
}

/// The digest of exported views.
pub fn digest_of(views: &[View]) -> Digest {
    joined(views.iter().map(|view| view.digest.parse().unwrap_or_default()))
}

/// One digest of several: one symbol's export carries the very digest that `view` shows.
pub fn joined(digests: impl Iterator<Item = Digest>) -> Digest {
    let digests: Vec<Digest> = digests.collect();
    if let [one] = digests.as_slice() {
        return *one;
    }
    let mut hasher = Hasher::default();
    digests.iter().for_each(|digest| hasher.text(&digest.to_string()));
    hasher.finish()
}

fn json_text(views: &[View]) -> String {
    let rows = |view: &View| serde_json::to_value(&view.rows).unwrap_or_default();
    let document = match views {
        [one] => rows(one),
        many => {
            let pairs = many.iter().map(|view| (view.symbol.clone(), rows(view)));
            serde_json::Value::Object(pairs.collect())
        }
    };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    format!("{text}\n")
}

fn jsonl_text(views: &[View]) -> String {
    let mut out = String::new();
    for view in views {
        for row in &view.rows {
            let mut line = serde_json::Map::new();
            line.insert("series".into(), view.series.into());
            line.insert("symbol".into(), view.symbol.clone().into());
            if let Ok(serde_json::Value::Object(row)) = serde_json::to_value(row) {
                line.extend(row);
            }
            out.push_str(&serde_json::Value::Object(line).to_string());
            out.push('\n');
        }
    }
    out
}

/// A cell that a spreadsheet does not take for a formula.
fn harmless(text: String) -> String {
    guarded(&text).into_owned()
}

fn csv_text(views: &[View]) -> String {
    let mut columns: Vec<&String> = Vec::new();
    for column in views.iter().flat_map(|view| &view.columns) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = columns.iter().map(|column| harmless((*column).clone()));
    let head = ["symbol", "date"].map(str::to_owned).into_iter().chain(heads);
    // Writing to memory fails only when rows differ in length, and these do not.
    let mut all = vec![writer.write_record(head)];
    for view in views {
        for row in &view.rows {
            let cells = columns.iter().map(|column| match row.values.get(*column) {
                None | Some(serde_json::Value::Null) => String::new(),
                Some(serde_json::Value::String(text)) => harmless(text.clone()),
                Some(other) => harmless(other.to_string()),
            });
            let key = [harmless(view.symbol.clone()), row.date.clone()];
            all.push(writer.write_record(key.into_iter().chain(cells)));
        }
    }
    debug_assert!(all.iter().all(|written| written.is_ok()));
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}
