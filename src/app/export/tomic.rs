//! Writing TOMIC folders: what the views show, and nothing that only the folder has is lost.

use crate::app::error::{AppError, Result};
use crate::app::report::Exported;
use crate::app::tomic::{DATASETS, relative};
use crate::app::views::{ViewDigest, ViewReader};
use crate::app::{Run, lookup, replace};
use crate::domain::{BatchTable, Field, Position, Series, Symbol, Value};
use crate::ledger::{Ledger, hash};
use crate::projections::view::{Cell, Record, Which};
use crate::sources::tomic::{MAPPING, TomicFile, file_name, list_folder};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// A number as TOMIC's own writer would have printed it: shortest, whole floats with `.0`.
fn float_text(decimal: &Decimal) -> String {
    if decimal.scale() == 0 {
        return decimal.to_string();
    }
    let text = decimal.normalize().to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

fn value_text(cell: &Cell, table: &BatchTable) -> String {
    let json = table.get(cell.event.batch).is_some_and(|batch| batch.stage.mapping.id == MAPPING);
    match &cell.value {
        // What came as JSON goes out with the very same digits.
        Value::Dec(decimal) if !json => float_text(decimal),
        Value::Text(text) => serde_json::Value::from(text.as_ref()).to_string(),
        other => other.to_string(),
    }
}

/// One TOMIC file: two-space indent, no newline at the end.
fn file_text(symbol: &Symbol, records: &[Record], table: &BatchTable) -> String {
    let mut out = String::from("[");
    for (index, record) in records.iter().enumerate() {
        out.push_str(if index == 0 { "\n  {" } else { ",\n  {" });
        for (index, field) in record.order.iter().enumerate() {
            let value = match field {
                Field::DateMark => format!("\"{}\"", record.day),
                Field::SymbolMark => serde_json::Value::from(symbol.as_str()).to_string(),
                field => match record.cell(field) {
                    Some(cell) => value_text(cell, table),
                    None => continue,
                },
            };
            let name = serde_json::Value::from(field.name());
            out.push_str(if index == 0 { "\n    " } else { ",\n    " });
            out.push_str(&format!("{name}: {value}"));
        }
        out.push_str("\n  }");
    }
    out.push_str(if records.is_empty() { "]" } else { "\n]" });
    out
}

/// Writes the views as a TOMIC folder. A file that holds the same bytes is left alone; one that is
/// replaced stays as `.bak`, and a `.bak` of which the ledger has no copy is never replaced: it
/// becomes `.bak.1`, `.bak.2` and so on. Files of symbols that are no longer shown are named, and
/// left: only their owner knows what else is in them.
///
/// # Errors
/// A file that cannot be written; files already written stay.
pub fn export(
    ledger: &Ledger,
    folder: &Path,
    symbols: &[Symbol],
    at: Option<Position>,
    first: bool,
    run: &Run<'_>,
) -> Result<Exported> {
    replace::check_place(folder)?;
    let reader = ViewReader::new(ledger)?;
    let which = if first { Which::First } else { Which::Latest };
    let at = at.unwrap_or(ledger.position());
    let (mut files, mut unchanged, mut hidden) = (Vec::new(), Vec::new(), BTreeSet::new());
    let (mut rows, mut digest) = (0, ViewDigest::default());
    for (name, view) in DATASETS {
        let known = reader.symbols(view)?;
        let wanted: Vec<_> =
            known.iter().filter(|s| symbols.is_empty() || symbols.contains(s)).collect();
        run.progress.begin(name, Some(wanted.len() as u64), "symbols");
        for (index, symbol) in wanted.into_iter().enumerate() {
            let records = reader.records(view, symbol, at, which)?;
            run.progress.at(index as u64 + 1);
            if records.is_empty() {
                hidden.insert((view, symbol.clone()));
                continue;
            }
            let file = format!("{name}/{}", file_name(symbol));
            let text = file_text(symbol, &records, ledger.batches());
            digest.add(view, symbol, &records);
            rows += records.len() as u64;
            let path = folder.join(&file);
            if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
                unchanged.push(file);
                continue;
            }
            replace::keep_backup(&path, |backup| had(&reader, (view, symbol, which), backup))?;
            replace::replace_file(&path, text.as_bytes())?;
            files.push(file);
        }
        run.progress.end();
    }
    let leftover = leftover(folder, &hidden)?;
    Ok(Exported { unchanged, leftover, ..Exported::of(files, rows, at.0, digest.finish()) })
}

/// Whether the ledger can give a file again: it keeps its bytes as a source, or the views gave them
/// when it was written. Anything else may be what a person wrote, and this the only copy.
fn had(
    reader: &ViewReader<'_>,
    (view, symbol, which): (Series, &Symbol, Which),
    file: &Path,
) -> Result<bool> {
    let ledger = reader.ledger();
    let (Ok(bytes), Ok(about)) = (std::fs::read(file), file.metadata()) else { return Ok(false) };
    if ledger.check_source(&hash::content(&bytes)).is_ok() {
        return Ok(true);
    }
    let written = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let Some(ms) = written.and_then(|time| i64::try_from(time.as_millis()).ok()) else {
        return Ok(false);
    };
    let then = lookup::position_by(ledger, ms);
    let records = reader.records(view, symbol, then, which)?;
    Ok(bytes == file_text(symbol, &records, ledger.batches()).as_bytes())
}

/// The files of a folder that have records of these symbols.
fn leftover(folder: &Path, hidden: &BTreeSet<(Series, Symbol)>) -> Result<Vec<String>> {
    let listed = match list_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(|source| {
            let name = folder.display().to_string();
            AppError::Unreadable { name, source }
        })?,
    };
    let said = |file: &&TomicFile| hidden.contains(&(file.series, file.symbol.clone()));
    let left = listed.files.iter().filter(said).filter(|file| !is_empty(&file.path));
    Ok(left.map(|file| relative(&file.path)).collect())
}

/// Whether a file has no record: nothing, or `[]`.
fn is_empty(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|mut bytes| {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        matches!(bytes.as_slice(), b"" | b"[]")
    })
}
