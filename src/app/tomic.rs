//! Staging a TOMIC folder, also as a snapshot.

use super::draft::Draft;
use super::error::{AppError, Result};
use super::groups::Groups;
use super::import::{ImportOptions, finish};
use super::prepared::{Prepared, Staged, with_events};
use super::report::FindingLine;
use super::views::ViewReader;
use super::{Run, known};
use crate::domain::{
    BatchId, Calendar, Class, Collector, Day, Field, Finding, Op, Origin, Series, Severity, Symbol,
    Window,
};
use crate::ledger::Ledger;
use crate::ledger::codec::{ManifestSource, SourceKind};
use crate::projections::view::{Activity, Which, fold};
use crate::sources::Limits;
use crate::sources::tomic::{
    DEFINITION, JsonOptions, LEFT_OUT, MAPPING, TomicFolder, list_folder, read_json,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Stages a TOMIC folder as one batch.
///
/// # Errors
/// As [`import_csv`](super::import::import_csv); a corrupt file is an error, never an empty one.
pub fn import(
    ledger: &mut Ledger,
    folder: &Path,
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<Staged> {
    let (prepared, draft) = prepare(ledger, folder, options, run)?;
    let left: Vec<Finding> =
        draft.findings.iter().filter(|finding| finding.code == LEFT_OUT).cloned().collect();
    let mut staged = prepared.settle(ledger, draft, options.full, run)?;
    // Content that is here already was staged from another folder perhaps, which had no such file.
    for finding in left {
        if !staged.review.findings.iter().any(|known| known.text == finding.text) {
            staged.review.findings.push(FindingLine::of(&finding, None));
            staged.left_out.push(finding.text);
        }
    }
    Ok(staged)
}

/// Reads a folder into a batch that is not sealed yet.
///
/// # Errors
/// A folder of which nothing can be read, a corrupt file; for a snapshot, a folder that does not say
/// all that it holds.
pub fn prepare(
    ledger: &mut Ledger,
    folder: &Path,
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<(Prepared, Draft)> {
    let unreadable = |source| AppError::Unreadable { name: folder.display().to_string(), source };
    let listed = list_folder(folder).map_err(unreadable)?;
    let datasets: BTreeSet<Series> =
        DATASETS.iter().filter(|(name, _)| folder.join(name).is_dir()).map(|(_, s)| *s).collect();
    if datasets.is_empty() {
        let names = DATASETS.map(|(name, _)| name).join(", ");
        let folder = folder.display();
        return Err(AppError::Usage(format!("{folder} has none of the folders {names}")));
    }
    says_enough(folder, &listed, options.snapshot)?;
    let class = if options.keep { Class::Fill } else { Class::Vendor };
    let mapping = (MAPPING.into(), 1, DEFINITION.into());
    let mut draft = Draft {
        findings: listed.findings.clone(),
        again: options.again.clone(),
        ..Draft::new(mapping, Series::Iv, |_| class, run)
    };
    let mut prepared = with_events(ledger, options.dry_run, |target, writer| {
        read_files(target, writer, &listed, &mut draft, run)
    })?;
    if draft.rows.read == 0 {
        let text = "no file has a record".to_owned();
        draft.findings.push(Finding::about(0, "no_rows", Severity::Warning, text));
    }
    if options.snapshot {
        let found = retract(ledger, folder, &datasets, &mut prepared, &mut draft, options, run);
        if let Err(error) = found {
            // The first error is the one to tell.
            let _ = prepared.abandon(ledger);
            return Err(error);
        }
    }
    Ok((prepared, draft))
}

/// Refuses a folder of which nothing can be read, and one that leaves out files where what it lacks
/// is to be taken back.
fn says_enough(folder: &Path, listed: &TomicFolder, snapshot: bool) -> Result<()> {
    let left: Vec<&str> = listed.left_out().map(|finding| finding.text.as_str()).collect();
    let (code, text) = match (listed.files.is_empty(), snapshot && !left.is_empty()) {
        (true, _) => ("no_files", "it has no file of daily records that can be read"),
        (_, true) => {
            (LEFT_OUT, "--snapshot would take back what is in files that had to be left out")
        }
        _ => return Ok(()),
    };
    let few: Vec<_> = left.iter().take(5).copied().collect();
    let more = match left.len() - few.len() {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let some = if few.is_empty() { "" } else { ": " };
    let text = format!("{text}{some}{}{more}", few.join("; "));
    Err(unusable(&folder.display().to_string(), code, text))
}

fn unusable(name: &str, code: &str, text: String) -> AppError {
    let finding = Box::new(Finding::about(0, code, Severity::Fatal, text));
    AppError::Fatal { name: name.to_owned(), finding, read_as: None }
}

/// Writes what the views have and the folder lacks as retractions, whose source is its listing.
fn retract(
    ledger: &mut Ledger,
    folder: &Path,
    datasets: &BTreeSet<Series>,
    prepared: &mut Prepared,
    draft: &mut Draft,
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<()> {
    let listing: Vec<_> =
        draft.manifest.sources.iter().map(|s| format!("{} {}\n", s.digest, s.name)).collect();
    let listing = listing.concat();
    let listed = crate::ledger::hash::content(listing.as_bytes());
    let mut sources: Vec<_> = draft.manifest.sources.iter().map(|source| source.digest).collect();
    sources.push(listed);
    let own = known::took_back(ledger, draft.series, &sources)?;
    let missing = missing(ledger, prepared, datasets, &own)?;
    // A file without a byte is one whose writing was cut short: it says nothing.
    for source in draft.manifest.sources.iter().filter(|source| source.size == 0) {
        let is_its = |(view, symbol, ..): &&Missing| {
            (*view, Some(symbol)) == (source.series, source.symbol.as_ref())
        };
        let days = missing.iter().filter(is_its).count();
        if days > 0 {
            let noun = if days == 1 { "day" } else { "days" };
            let text =
                format!("it is empty, and --snapshot would take back {days} {noun} for that");
            return Err(unusable(&source.name, "empty_file", text));
        }
    }
    let now = run.clock.now_ms();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "folder".into());
    let (digest, size) = match options.dry_run {
        true => (listed, 0),
        false => ledger.keep(&mut listing.as_bytes(), &name, now)?,
    };
    let source = draft.manifest.sources.len() as u32;
    draft.manifest.sources.push(ManifestSource {
        digest,
        kind: SourceKind::Listing,
        name,
        media_type: "text/plain".into(),
        size,
        observed_ms: now,
        series: Series::Iv,
        symbol: None,
        http: None,
    });
    draft.rows.retracted = missing.len() as u64;
    prepared.extend(ledger, run, |out| {
        let origin = Origin { source, line: 0, offset: 0, len: 0 };
        for (view, symbol, day, fields) in &missing {
            out.row(origin, *view, Op::Retract, symbol, *day, fields, [])?;
        }
        Ok(())
    })
}

/// TOMIC's folders and the views that they hold.
pub const DATASETS: [(&str, Series); 3] = [
    ("iv_daily_summary", Series::Iv),
    ("historical_volatility", Series::Hv),
    ("spot_prices", Series::Spot),
];

fn read_files(
    ledger: &mut Ledger,
    writer: &mut crate::ledger::BatchWriter,
    folder: &TomicFolder,
    draft: &mut Draft,
    run: &Run<'_>,
) -> Result<()> {
    run.progress.begin("reading", Some(folder.files.len() as u64), "files");
    let now = run.clock.now_ms();
    let mut contents = Vec::new();
    for (index, file) in (0..).zip(&folder.files) {
        run.go_on()?;
        let name = relative(&file.path);
        let unreadable = |source| AppError::Unreadable { name: name.clone(), source };
        let bytes = std::fs::read(&file.path).map_err(unreadable)?;
        let (digest, size) = ledger.keep(&mut bytes.as_slice(), &name, now)?;
        let mut flush = |window: &mut Window| ledger.write(writer, window);
        let mut out = Collector::resume(writer_events(draft), &mut flush);
        let options = JsonOptions {
            as_of: draft.as_of,
            calendar: Calendar::nyse(),
            limits: Limits::default(),
        };
        let read = read_json(&bytes, file.series, &file.symbol, index, &options, &mut out);
        let summary = finish(&name, read)?;
        contents.push(out.finish()?);
        draft.add(summary.rows, summary.findings);
        draft.manifest.sources.push(ManifestSource {
            digest,
            kind: SourceKind::File,
            name,
            media_type: "application/json".into(),
            size,
            observed_ms: now,
            series: file.series,
            symbol: Some(file.symbol.clone()),
            http: None,
        });
        run.progress.at(u64::from(index) + 1);
    }
    run.progress.end();
    Ok(())
}

/// Events so far: every row that is not blank is one.
fn writer_events(draft: &Draft) -> u32 {
    (draft.rows.accepted + draft.rows.rejected) as u32
}

/// `iv_daily_summary/AAPL.json`: the last two parts of a path.
pub(super) fn relative(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    parts.iter().rev().map(AsRef::as_ref).collect::<Vec<&str>>().join("/")
}

/// What the folder lacks of a view: the whole record when no fields are named.
type Missing = (Series, Symbol, Day, Vec<Field>);

/// The keys and fields that the views have and the folder lacks. A dataset that the folder does
/// not have says nothing about its view. What `own` took back, batches of the same folder, is seen as if
/// they had not: so the same folder is the same batch as long as nobody else says something new.
fn missing(
    ledger: &Ledger,
    prepared: &Prepared,
    datasets: &BTreeSet<Series>,
    own: &BTreeSet<BatchId>,
) -> Result<Vec<Missing>> {
    let (events, batch) = prepared.events(ledger);
    let reader = ViewReader::new(ledger)?;
    let mut here: BTreeMap<(Series, Symbol), BTreeMap<Day, Vec<Field>>> = BTreeMap::new();
    let mut groups = Groups::of(events, &[batch])?;
    while let Some(group) = groups.next(events)? {
        for (symbol, events) in group {
            for (view, history) in events.views {
                let days = here.entry((view, symbol.clone())).or_default();
                for row in history.rows.iter() {
                    let fields = row.shape.iter().filter(|field| !field.is_mark());
                    days.entry(row.head.day).or_default().extend(fields.cloned());
                }
            }
        }
    }
    let mut found = Vec::new();
    for view in datasets {
        let activity = Activity::at(ledger.batches(), *view, ledger.position());
        let activity = own.iter().fold(activity, |activity, batch| activity.without(*batch));
        for symbol in reader.symbols(*view)? {
            let history = reader.history(*view, &symbol)?;
            let records = fold(*view, &history, &activity, Which::Latest);
            let days = here.get(&(*view, symbol.clone()));
            for record in records {
                match days.and_then(|days| days.get(&record.day)) {
                    None => found.push((*view, symbol.clone(), record.day, Vec::new())),
                    Some(fields) => {
                        let lacking = record.cells.iter().map(|cell| &cell.field);
                        let lacking: Vec<_> =
                            lacking.filter(|field| !fields.contains(field)).cloned().collect();
                        if !lacking.is_empty() {
                            found.push((*view, symbol.clone(), record.day, lacking));
                        }
                    }
                }
            }
        }
    }
    Ok(found)
}
