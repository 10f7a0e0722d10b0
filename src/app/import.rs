//! Importing files: from paths and options to a staged batch and its review.

mod files;
mod same_source;

use self::files::Files;
pub use self::files::symbol_of_name;
use super::draft::Draft;
use super::error::{AppError, ReadAs, Result};
pub use super::prepared::{Outcome, Prepared, Staged, with_events};
use super::{Run, moved_announcements};
use crate::domain::entry::MappingRef;
use crate::domain::{Calendar, Class, Collector, Finding, Series, Severity, Symbol};
use crate::ledger::{Ledger, LedgerError};
use crate::sources::csv::{
    CsvOptions, SymbolFrom, finds_columns, finds_symbols, read_csv, read_csv_once,
};
use crate::sources::mapping::Mapping;
use crate::sources::polygon::{CHAIN_MAPPING, FLAT_MAPPING};
use crate::sources::tomic::MAPPING;
use crate::sources::{Limits, ReadError, ReadSummary};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

/// Which mapping reads the files.
#[derive(Clone, Debug)]
pub enum MappingChoice {
    /// The bundled one for the series.
    Default,
    /// A bundled one by its name.
    Named(String),
    /// The user's own.
    Text {
        /// The file's name.
        name: String,
        /// Its content.
        text: String,
    },
}

/// Where the symbols come from.
#[derive(Clone, Debug)]
pub enum SymbolChoice {
    /// All files are about this one.
    Given(Symbol),
    /// The file's name, without what describes the file (`aapl_iv30.csv`).
    FromName,
    /// The mapping's symbol column.
    FromColumn,
}

/// A file to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where its bytes are.
    pub path: PathBuf,
    /// Its name in the ledger: never a whole path of this machine.
    pub name: String,
    /// Whether it came through standard input.
    pub stream: bool,
}

impl Input {
    /// A file, named in the ledger as it is in its directory.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self { path, name, stream: false }
    }
}

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// What the files are a record of.
    pub series: Series,
    /// Which mapping reads them.
    pub mapping: MappingChoice,
    /// Where the symbols come from.
    pub symbol: SymbolChoice,
    /// Whether the values only fill holes.
    pub keep: bool,
    /// Why content that was rolled back may come again.
    pub again: Option<String>,
    /// Whether nothing is to be appended.
    pub dry_run: bool,
    /// Whether the review holds every change.
    pub full: bool,
    /// Whether a TOMIC folder is the whole truth.
    pub snapshot: bool,
}

impl ImportOptions {
    /// The series' own mapping; each file says in its name which symbol it is about.
    ///
    /// What is to be otherwise is named: `ImportOptions { dry_run: true, ..ImportOptions::of(series) }`.
    pub fn of(series: Series) -> Self {
        Self {
            series,
            mapping: MappingChoice::Default,
            symbol: SymbolChoice::FromName,
            keep: false,
            again: None,
            dry_run: false,
            full: false,
            snapshot: false,
        }
    }
}

/// A bundled mapping as a file to start from.
///
/// # Errors
/// [`AppError::Mapping`] when there is none of that name.
pub fn mapping_template(id: &str) -> Result<String> {
    let found = Mapping::bundled(id).ok_or_else(|| not_known(id))?;
    Ok(found.template())
}

/// The id of the mapping that reads the files of a series unless another is named: tests of the floors
/// above ask.
#[cfg(test)]
pub(crate) fn usual_mapping(series: Series) -> Option<&'static str> {
    Mapping::default_id(series)
}

/// The ids of the mappings that the program brings.
pub fn mapping_ids() -> impl Iterator<Item = &'static str> {
    Mapping::bundled_ids()
}

fn not_known(name: &str) -> AppError {
    let known = Mapping::bundled_ids().collect::<Vec<_>>().join(", ");
    AppError::Mapping { name: name.to_owned(), why: format!("not known; there are {known}") }
}

/// The series of a mapping that was named; nothing where each series has its own.
///
/// # Errors
/// [`AppError::Mapping`].
pub fn series_of(choice: &MappingChoice) -> Result<Option<Series>> {
    Ok(named_mapping(choice)?.map(|(_, mapping)| mapping.series))
}

/// Finds the mapping that is meant.
pub fn choose_mapping(choice: &MappingChoice, asked: Series) -> Result<Arc<Mapping>> {
    let Some((name, mapping)) = named_mapping(choice)? else {
        return Mapping::default_for(asked).ok_or_else(|| AppError::Usage(unmapped(asked)));
    };
    match mapping.series == asked {
        true => Ok(mapping),
        false => Err(AppError::OtherSeries { name, series: mapping.series, asked }),
    }
}

/// Which series mappings are for, where one is asked for that none is.
fn unmapped(series: Series) -> String {
    let all = Series::ALL.into_iter().filter(|of| Mapping::default_id(*of).is_some());
    let all = all.map(Series::name).collect::<Vec<_>>().join(", ");
    format!("no mapping reads {series}; there are some of {all}")
}

/// The mapping that was named, with its name.
fn named_mapping(choice: &MappingChoice) -> Result<Option<(String, Arc<Mapping>)>> {
    let (name, text) = match choice {
        MappingChoice::Default => return Ok(None),
        MappingChoice::Named(id) => {
            let mapping = Mapping::bundled(id).ok_or_else(|| not_known(id))?;
            return Ok(Some((id.clone(), mapping)));
        }
        MappingChoice::Text { name, text } => (name, text),
    };
    let wrong = |why: String| AppError::Mapping { name: name.clone(), why };
    let parsed = Mapping::parse(text).map_err(|error| wrong(error.to_string()))?;
    let id = &parsed.id;
    // By its name a batch is taken for what a service answered, or for what was computed; and
    // whoever reads the log takes an id and its version for one definition.
    if sole_reading(id).is_some() {
        return Err(wrong(format!("the id `{id}` is the program's own; choose another")));
    }
    if Mapping::bundled(id).is_some_and(|bundled| bundled.text() != text) {
        return Err(wrong(format!("the id `{id}` is that of a bundled mapping; choose another")));
    }
    if Mapping::default_id(parsed.series).is_none() {
        return Err(wrong(unmapped(parsed.series)));
    }
    Ok(Some((name.clone(), Arc::new(parsed))))
}

/// Why the sources of a batch cannot be read again with a mapping file: `None` when they can.
pub fn sole_reading(mapping: &str) -> Option<&'static str> {
    Some(match mapping {
        MAPPING => "is a TOMIC folder, whose layout has one reading only",
        FLAT_MAPPING => "holds flat files, whose layout has one reading only",
        CHAIN_MAPPING => "holds tables of option chains, which have one reading only",
        fetched if super::fetch::Provider::of_mapping(fetched).is_some() => {
            "was fetched, and the service's answers have one reading only"
        }
        derived if derived.starts_with(MappingRef::COMPUTED) => {
            "was computed from other batches (compute it anew with `volledger derive`)"
        }
        _ => return None,
    })
}

/// Opens a file for reading; a directory is not one.
pub fn open_file(input: &Input) -> Result<File> {
    let unreadable =
        |source| AppError::Unreadable { name: input.path.display().to_string(), source };
    let file = File::open(&input.path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        let kind = io::ErrorKind::IsADirectory;
        return Err(unreadable(io::Error::new(kind, "it is a directory")));
    }
    Ok(file)
}

/// What reads the sources of a batch: files now, kept bytes on a replay.
pub struct Reading<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// Where symbols come from.
    pub symbol: SymbolFrom,
    /// Index of the source.
    pub source: u32,
    /// Whether it is read once, as what most files are.
    pub presume: bool,
    /// Given all bytes of the source, as its rows are read.
    pub seen: &'a dyn Fn(&[u8]),
}

/// Reads one CSV source into the batch that is being written.
pub fn read_source<R: Read + Seek>(
    input: &mut R,
    name: &str,
    reading: &Reading<'_>,
    draft: &mut Draft,
    out: &mut Collector<'_, LedgerError>,
    progress: &dyn Fn(u64),
) -> Result<()> {
    let symbol = match &reading.symbol {
        SymbolFrom::Given(symbol) => Some(symbol),
        SymbolFrom::Column => None,
    };
    let mapping = reading.mapping.about(symbol);
    let options = CsvOptions {
        mapping: &mapping,
        symbol: reading.symbol.clone(),
        source: reading.source,
        as_of: draft.as_of,
        calendar: Calendar::nyse(),
        limits: Limits::default(),
        progress,
        seen: reading.seen,
    };
    let read = match reading.presume {
        true => read_csv_once(input, &options, out),
        false => read_csv(input, &options, out),
    };
    let mut summary = finish(name, read).map_err(|error| match error {
        AppError::Fatal { name, finding, .. } => {
            let read_as = read_as(reading.mapping, symbol, input, &finding.code);
            AppError::Fatal { name, finding, read_as }
        }
        error => error,
    })?;
    // A service may have nothing to say; a file that somebody imports should.
    if summary.rows.read == 0 {
        let text = "there are no rows below the header".to_owned();
        let empty = Finding::about(reading.source, "no_rows", Severity::Warning, text);
        summary.findings.push(empty);
    }
    draft.add(summary.rows, summary.findings);
    Ok(())
}

/// As what a file was to be read that cannot be used, and as what it could be.
fn read_as<R: Read + Seek>(
    mapping: &Mapping,
    symbol: Option<&Symbol>,
    input: &mut R,
    code: &str,
) -> Option<Box<ReadAs>> {
    let own = Mapping::default_id(mapping.series)?;
    let mut fits = |series: &Series| {
        code == "missing_columns"
            && *series != mapping.series
            && Mapping::default_for(*series)
                .is_some_and(|other| finds_columns(input, &other.about(symbol), Limits::default()))
    };
    let fits = Series::ALL.into_iter().filter(|series| fits(series)).collect();
    let mut finds = |id: &&str| {
        let other = Mapping::bundled(id).filter(|of| of.series == mapping.series);
        code == "missing_columns"
            && other.is_some_and(|other| {
                other.id != mapping.id
                    && finds_columns(input, &other.about(symbol), Limits::default())
            })
    };
    let others = Mapping::bundled_ids().filter(|id| finds(id)).collect();
    Some(Box::new(ReadAs { series: mapping.series, mapping: own, fits, others }))
}

/// Turns a reader's outcome into a result; a fatal finding is an error here.
pub fn finish(
    name: &str,
    read: std::result::Result<ReadSummary, ReadError<LedgerError>>,
) -> Result<ReadSummary> {
    let summary = read.map_err(|error| match error {
        ReadError::Io(source) => AppError::Unreadable { name: name.to_owned(), source },
        ReadError::Sink(error) => error.into(),
        ReadError::NotAsPresumed => AppError::NotAsPresumed(name.to_owned()),
        _ => AppError::Changed(name.to_owned()),
    })?;
    match summary.fatal {
        Some(finding) => {
            let (name, finding) = (name.to_owned(), Box::new(finding));
            Err(AppError::Fatal { name, finding, read_as: None })
        }
        None => Ok(summary),
    }
}

/// Whether each of some files says in a column that the mapping knows which symbol its rows are about.
///
/// # Errors
/// A mapping that is not known, or another series'; a file that cannot be read.
pub fn names_symbols(inputs: &[Input], choice: &MappingChoice, asked: Series) -> Result<bool> {
    let mapping = choose_mapping(choice, asked)?;
    for input in inputs {
        if !finds_symbols(&mut open_file(input)?, &mapping, Limits::default()) {
            return Ok(false);
        }
    }
    Ok(!inputs.is_empty())
}

/// Stages CSV files as one batch.
///
/// # Errors
/// A file that cannot be read or used, a mapping that is not known, a symbol that is not; nothing
/// has been appended then.
pub fn import_csv(
    ledger: &mut Ledger,
    inputs: &[Input],
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<Staged> {
    let mapping = choose_mapping(&options.mapping, options.series)?;
    import_by(&mapping, ledger, inputs, options, run)
}

/// As [`import_csv`], with the mapping that was chosen.
fn import_by(
    mapping: &Mapping,
    ledger: &mut Ledger,
    inputs: &[Input],
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<Staged> {
    let again = options.again.clone();
    let mut written = |presume: bool| {
        let mut draft = Draft { again: again.clone(), ..csv_draft(mapping, options.keep, run) };
        let mut before = BTreeSet::new();
        let prepared = with_events(ledger, options.dry_run, |target, writer| {
            let files = Files { inputs, options, mapping, presume };
            before = files.take(target, writer, &mut draft, run)?;
            Ok(())
        });
        prepared.map(|prepared| (prepared, draft, before))
    };
    // A file that is not what most are has shown it by its first row, or nearly always.
    let (prepared, mut draft, mut before) = match written(true) {
        Err(AppError::NotAsPresumed(_)) => written(false),
        other => other,
    }?;
    // A dry run keeps nothing, so that it does not see what is kept.
    if options.dry_run {
        before = draft.manifest.sources.iter().map(|source| source.digest).collect();
    }
    match same_source::findings(ledger, &draft, &before) {
        Ok(found) => draft.findings.extend(found),
        Err(error) => {
            prepared.abandon(ledger)?;
            return Err(error);
        }
    }
    moved_announcements::seal(prepared, ledger, draft, options.full, run)
}

/// The beginning of a batch that a mapping reads; `keep` makes all its values fill only.
pub fn csv_draft(mapping: &Mapping, keep: bool, run: &Run<'_>) -> Draft {
    let class = |view| {
        if keep { Class::Fill } else { mapping.class(view) }
    };
    let definition = (mapping.id.clone(), mapping.version, mapping.text().to_owned());
    Draft::new(definition, mapping.series, class, run)
}

/// A quality report on files, without a ledger.
///
/// # Errors
/// As [`import_csv`].
pub fn check(inputs: &[Input], options: &ImportOptions, run: &Run<'_>) -> Result<Staged> {
    let mut ledger = Ledger::in_memory();
    let options = ImportOptions { dry_run: true, ..options.clone() };
    import_csv(&mut ledger, inputs, &options, run)
}

#[cfg(test)]
mod tests;
