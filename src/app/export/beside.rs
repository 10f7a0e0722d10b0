//! What a text cannot say of itself, in a file beside it: where it came from.
//!
//! A CSV, an array or lines of JSON have no place for it. Its name is the one under which the W3C's
//! "CSV on the Web" looks for what is known of a table: `FILE-metadata.json`.

use super::text::{Hashed, Seen};
use super::{TOOL, about};
use crate::app::error::Result;
use crate::app::lookup::ViewQuery;
use crate::app::replace::replace_file;
use crate::app::report::{ExportManifest, ManifestColumn, ManifestFile, ManifestSeries};
use crate::domain::Series;
use crate::domain::series::{Unit, field_named};
use crate::ledger::Ledger;
use std::path::{Path, PathBuf};

/// The schema of the file.
const FORMAT: &str = "volledger/export-metadata/1";

/// What stands behind the name of the exported file.
const END: &str = "-metadata.json";

/// What texts say about their numbers.
const DIGITS: &str = "Numbers are decimals with the digits of the sources. Volatilities and moves are fractions: \
0.25 is 25 %.";

/// Says of an exported text, in a file beside it, what it is, with the digest of its records; gives the name of that file. What is no
/// file, such as a pipe, has none.
///
/// # Errors
/// A file that cannot be written, or a position that the ledger does not have.
pub fn describe(
    ledger: &Ledger,
    query: &ViewQuery,
    seen: &Seen,
    (path, written): (&Path, Hashed),
) -> Result<Option<PathBuf>> {
    if !path.metadata().is_ok_and(|there| there.is_file()) {
        return Ok(None);
    }
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let at = query.at.unwrap_or(ledger.position());
    let manifest = ExportManifest {
        schema: FORMAT.to_owned(),
        tool: TOOL.to_owned(),
        position: at.0,
        log_root: ledger.root_at(at)?.to_string(),
        which: if query.first { "first" } else { "latest" }.to_owned(),
        symbols: query.symbols.iter().map(ToString::to_string).collect(),
        from: query.from.map(|day| day.to_string()),
        to: query.to.map(|day| day.to_string()),
        numbers: DIGITS.to_owned(),
        series: vec![ManifestSeries {
            series: query.series.name().to_owned(),
            digest: seen.digest().to_string(),
            symbols: seen.symbols,
            rows: seen.rows,
            columns: columns(query.series, &seen.columns),
        }],
        files: vec![ManifestFile {
            path: name.clone(),
            rows: seen.rows,
            bytes: written.bytes,
            digest: written.hasher.finish().to_string(),
            series: query.series.name().to_owned(),
            year: None,
        }],
    };
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    let beside = path.with_file_name(name + END);
    replace_file(&beside, format!("{text}\n").as_bytes())?;
    Ok(Some(beside))
}

/// What the records have, in the order in which it came.
fn columns(series: Series, names: &[String]) -> Vec<ManifestColumn> {
    let about = about(series);
    let key = |name: &str, kind, about: &str| ManifestColumn {
        name: name.to_owned(),
        kind,
        unit: "",
        about: about.to_owned(),
    };
    let mut columns = vec![
        key("symbol", "string", "The symbol that the record is about."),
        key("date", "date", "The day that the record is about."),
    ];
    for name in names {
        let field = field_named(series, name);
        columns.push(match field {
            Some(field) => ManifestColumn {
                name: name.clone(),
                kind: if field.unit == Unit::Text { "string" } else { "decimal" },
                unit: field.unit.name(),
                about: about.field(name),
            },
            None if series.item_name() == Some(name.as_str()) => {
                key(name, "string", "Tells apart records of one day.")
            }
            None => key(name, "any", "A field of the source, as it came."),
        });
    }
    columns
}
