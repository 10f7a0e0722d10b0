//! Exports of views: CSV, JSON and JSON lines as text; Parquet, SQLite and workbooks as files. Each
//! has the position and the view's digest.

mod about;
mod beside;
mod columns;
#[cfg(feature = "parquet")]
mod parquet;
mod sqlite;
mod stream;
mod text;
pub mod tomic;
#[cfg(feature = "xlsx")]
mod xlsx;

pub use about::about;
pub use columns::{Cell, Column, Kind, Layout};
pub use stream::{Read, Stream, Wanted};
pub use text::{csv_lines, export_view};

use super::Run;
#[cfg(not(all(feature = "parquet", feature = "xlsx")))]
use super::error::AppError;
use super::error::Result;
use super::report::Exported;
use crate::domain::Digest;
use crate::ledger::Ledger;
use crate::ledger::hash::Hasher;
use std::path::Path;
use std::sync::Arc;

/// The form of a view that is exported as text.
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
        Binary::Sqlite => sqlite::export(ledger, &stream, file, run),
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
        Binary::Sqlite => sqlite::export(ledger, &stream, target, run),
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
