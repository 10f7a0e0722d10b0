//! The whole ledger as Parquet files by view and year (`series=iv/year=2024/part-0.parquet`), with
//! a manifest of digests.

use super::{Out, described};
use crate::app::Run;
use crate::app::error::Result;
use crate::app::export::columns::Layout;
use crate::app::export::stream::Stream;
use crate::app::export::{NUMBERS, TOOL, joined, which};
use crate::app::replace::{replace_folder, unwritable};
use crate::app::report::{ExportManifest, Exported, ManifestColumn, ManifestFile, ManifestSeries};
use crate::domain::Series;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

/// The manifest's name.
const MANIFEST: &str = "manifest.json";
/// The manifest's schema.
const FORMAT: &str = "volledger/export-manifest/1";
/// Bytes that wait for their row groups in all files of a view together, at most.
const WAITING: usize = 64 << 20;

/// Writes views into a directory, which is built beside its place and gets its name when it is
/// whole. An earlier export there stays as `.bak`; anything else there is refused.
///
/// # Errors
/// A directory that is not ours, damage, or files that cannot be written.
pub fn export_all(stream: &Stream<'_>, folder: &Path, run: &Run<'_>) -> Result<Exported> {
    let manifest = replace_folder(folder, is_ours, |new| {
        let mut manifest = ExportManifest {
            schema: FORMAT.to_owned(),
            tool: TOOL.to_owned(),
            position: stream.at.0,
            log_root: stream.log_root.to_string(),
            which: which(stream.wanted).to_owned(),
            symbols: stream.wanted.symbols.iter().map(ToString::to_string).collect(),
            from: stream.wanted.from.map(|day| day.to_string()),
            to: stream.wanted.to.map(|day| day.to_string()),
            numbers: NUMBERS.to_owned(),
            series: Vec::new(),
            files: Vec::new(),
        };
        std::fs::create_dir(new).map_err(unwritable(folder))?;
        for series in &stream.wanted.series {
            export_series(stream, *series, new, &mut manifest, run)?;
        }
        let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        let place = new.join(MANIFEST);
        std::fs::write(&place, format!("{text}\n")).map_err(unwritable(&place))?;
        let synced = std::fs::File::open(&place).and_then(|file| file.sync_all());
        synced.map_err(unwritable(&place))?;
        Ok(manifest)
    })?;
    let names = manifest.files.iter().map(|file| file.path.as_str()).chain([MANIFEST]);
    let digests = manifest.series.iter().filter_map(|series| series.digest.parse().ok());
    let files = names.map(|name| folder.join(name).display().to_string()).collect();
    let rows = manifest.series.iter().map(|series| series.rows).sum();
    Ok(Exported::of(files, rows, stream.at.0, joined(digests)))
}

/// Whether a directory is an earlier export: it has a manifest of ours.
fn is_ours(folder: &Path) -> bool {
    let manifest = std::fs::read(folder.join(MANIFEST)).ok();
    let manifest: Option<serde_json::Value> =
        manifest.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    manifest.is_some_and(|manifest| manifest.get("schema").is_some_and(|name| name == FORMAT))
}

/// Writes the files of one view; a view without records has none.
fn export_series(
    stream: &Stream<'_>,
    series: Series,
    folder: &Path,
    manifest: &mut ExportManifest,
    run: &Run<'_>,
) -> Result<()> {
    let layout = Layout::of(series, &[])?;
    let mut years: BTreeMap<i32, Out> = BTreeMap::new();
    let read = stream.each(series, run, |symbol, records| {
        layout.rows(symbol, records, |record, row| {
            let year = record.day.year();
            let out = match years.entry(year) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let place = folder.join(place(series, year));
                    let parent = place.parent().unwrap_or(folder);
                    std::fs::create_dir_all(parent).map_err(unwritable(parent))?;
                    new.insert(Out::create(&place, &layout)?)
                }
            };
            out.push(row)
        })?;
        // Many years share the memory: the fullest ones make room.
        while years.values().map(|out| out.bytes).sum::<usize>() > WAITING {
            let fullest = years.values_mut().max_by_key(|out| out.bytes);
            fullest.map_or(Ok(()), Out::flush)?;
        }
        Ok(())
    })?;
    if read.rows == 0 {
        return Ok(());
    }
    for (year, out) in years {
        let finished = out.finish(described(stream, &layout, &read))?;
        manifest.files.push(ManifestFile {
            path: place(series, year),
            rows: finished.rows,
            bytes: finished.bytes,
            digest: finished.digest.to_string(),
            series: series.name().to_owned(),
            year: Some(year),
        });
    }
    manifest.series.push(ManifestSeries {
        series: series.name().to_owned(),
        digest: read.digest().to_string(),
        symbols: read.symbols,
        rows: read.rows,
        columns: layout.columns.iter().map(ManifestColumn::from).collect(),
    });
    Ok(())
}

/// The path of a year's file, with `/` on every system.
fn place(series: Series, year: i32) -> String {
    format!("series={series}/year={year:04}/part-0.parquet")
}
