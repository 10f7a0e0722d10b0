//! Importing files: from paths and options to a staged batch and its review.

use super::document::{self, Parts};
use super::error::{AppError, Result};
use super::report::Review;
use super::review::{self, Analysis, Wanted};
use super::stage::{self, Draft, Sealed};
use super::{Run, tomic};
use crate::domain::entry::{MappingRef, RowCounts};
use crate::domain::{
    BatchId, BatchState, Calendar, Class, Collector, Digest, Series, Stage, Symbol, Window,
};
use crate::ledger::codec::{Manifest, ManifestSource, SourceKind};
use crate::ledger::hash::{Hasher, content};
use crate::ledger::{BatchWriter, Ledger, LedgerError};
use crate::sources::csv::{CsvOptions, SymbolFrom, read_csv};
use crate::sources::mapping::Mapping;
use crate::sources::{Limits, ReadError, ReadSummary};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

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
    /// The file's name, up to the first dot that is not part of a ticker.
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

/// What became of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new batch is staged.
    New,
    /// The same content was staged before and still waits.
    AlreadyStaged,
    /// The same content counts already.
    AlreadyActive,
    /// Nothing was appended.
    DryRun,
}

/// A staged batch with its review.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The review.
    pub review: Review,
    /// What became of it.
    pub outcome: Outcome,
    /// The batch; `None` for a dry run.
    pub batch: Option<BatchId>,
    /// What `--yes` must not accept on its own.
    pub blocking: Vec<String>,
}

/// Finds the mapping that is meant.
pub fn choose_mapping(choice: &MappingChoice, series: Series) -> Result<Mapping> {
    let (name, found) = match choice {
        MappingChoice::Default => (series.name().to_owned(), Mapping::default_for(series)),
        MappingChoice::Named(id) => (id.clone(), Mapping::bundled(id)),
        MappingChoice::Text { name, text } => {
            let wrong = |error: &dyn std::fmt::Display| AppError::Mapping {
                name: name.clone(),
                why: error.to_string(),
            };
            (name.clone(), Some(Mapping::parse(text).map_err(|error| wrong(&error))?))
        }
    };
    let known = || Mapping::bundled_ids().collect::<Vec<_>>().join(", ");
    let mapping = found.ok_or_else(|| AppError::Mapping {
        name: name.clone(),
        why: format!("not known; there are {}", known()),
    })?;
    if mapping.series != series {
        let why = format!("is for {}, not for {series}", mapping.series);
        return Err(AppError::Mapping { name, why });
    }
    Ok(mapping)
}

/// The symbol that a file's name says: `AAPL.csv`, `BRK.B.csv`, `aapl_iv30.csv`.
fn symbol_of_name(name: &str) -> Result<Symbol> {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let first = stem.split(['_', ' ']).next().unwrap_or_default();
    first.parse().map_err(|_| AppError::NoSymbol(name.to_owned()))
}

/// A file that hashes what is read of it from its start.
struct Hashing {
    file: File,
    hasher: Hasher,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Seek for Hashing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.hasher = Hasher::default();
        self.file.seek(to)
    }
}

/// Opens a file for reading; a directory is not one.
pub fn open_file(input: &Input) -> Result<File> {
    let unreadable =
        |source| AppError::Unreadable { name: input.path.display().to_string(), source };
    let file = File::open(&input.path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::Error::other("it is a directory")));
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
    let options = CsvOptions {
        mapping: reading.mapping,
        symbol: reading.symbol.clone(),
        source: reading.source,
        as_of: draft.as_of,
        calendar: Calendar::nyse(),
        limits: Limits::default(),
        progress,
    };
    let summary = finish(name, read_csv(input, &options, out))?;
    draft.add(summary.rows, summary.findings);
    Ok(())
}

/// Turns a reader's outcome into a result; a fatal finding is an error here.
pub fn finish(
    name: &str,
    read: std::result::Result<ReadSummary, ReadError<LedgerError>>,
) -> Result<ReadSummary> {
    let summary = read.map_err(|error| match error {
        ReadError::Io(source) => AppError::Unreadable { name: name.to_owned(), source },
        ReadError::Sink(error) => error.into(),
        _ => AppError::Changed(name.to_owned()),
    })?;
    match summary.fatal {
        Some(finding) => Err(AppError::Fatal { name: name.to_owned(), finding: Box::new(finding) }),
        None => Ok(summary),
    }
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
    let again = options.again.clone();
    let mut draft = Draft { again, ..csv_draft(&mapping, options.keep, run) };
    with_events(ledger, options.dry_run, |target, writer| {
        read_files(target, writer, inputs, options, &mapping, &mut draft, run)
    })
    .and_then(|prepared| prepared.settle(ledger, draft, options.full, run))
}

/// The beginning of a batch that a mapping reads; `keep` makes all its values fill only.
pub fn csv_draft(mapping: &Mapping, keep: bool, run: &Run<'_>) -> Draft {
    let class = |view| {
        if keep { Class::Fill } else { mapping.class(view) }
    };
    Draft {
        manifest: Manifest::default(),
        mapping: (mapping.id.clone(), mapping.version, mapping.text().to_owned()),
        series: mapping.series,
        classes: Series::ALL.map(|view| (view, class(view))).to_vec(),
        rows: RowCounts::default(),
        findings: Vec::new(),
        as_of: run.clock.today(),
        supersedes: None,
        again: None,
    }
}

fn read_files(
    ledger: &mut Ledger,
    writer: &mut BatchWriter,
    inputs: &[Input],
    options: &ImportOptions,
    mapping: &Mapping,
    draft: &mut Draft,
    run: &Run<'_>,
) -> Result<()> {
    let sizes = inputs.iter().filter_map(|input| std::fs::metadata(&input.path).ok());
    let total: u64 = sizes.map(|file| file.len()).sum();
    run.progress.begin("reading", Some(total), "bytes");
    let mut done = 0;
    let mut digests = Vec::new();
    let mut flush = |window: Window| ledger.write(writer, &window);
    let mut out = Collector::new(&mut flush);
    for (index, input) in (0..).zip(inputs) {
        let symbol = match &options.symbol {
            SymbolChoice::Given(symbol) => SymbolFrom::Given(symbol.clone()),
            SymbolChoice::FromName => SymbolFrom::Given(symbol_of_name(&input.name)?),
            SymbolChoice::FromColumn => SymbolFrom::Column,
        };
        let mut file = Hashing { file: open_file(input)?, hasher: Hasher::default() };
        let reading = Reading { mapping, symbol: symbol.clone(), source: index };
        let heard = |bytes: u64| run.progress.at(done + bytes / 2);
        read_source(&mut file, &input.name, &reading, draft, &mut out, &heard)?;
        done += std::fs::metadata(&input.path).map_or(0, |file| file.len());
        digests.push((file.hasher.finish(), symbol));
    }
    out.finish()?;
    run.progress.end();
    run.progress.begin("keeping the sources", Some(total), "bytes");
    for (input, (read, symbol)) in inputs.iter().zip(digests) {
        let mut file = open_file(input)?;
        let (digest, size) = ledger.keep(&mut file, &input.name, run.clock.now_ms())?;
        // The bytes kept must be the bytes read.
        if digest != read {
            return Err(AppError::Changed(input.name.clone()));
        }
        draft.manifest.sources.push(ManifestSource {
            digest,
            kind: if input.stream { SourceKind::Stream } else { SourceKind::File },
            name: input.name.clone(),
            media_type: "text/csv".into(),
            size,
            observed_ms: run.clock.now_ms(),
            series: options.series,
            symbol: match symbol {
                SymbolFrom::Given(symbol) => Some(symbol),
                SymbolFrom::Column => None,
            },
            http: None,
        });
    }
    run.progress.end();
    Ok(())
}

/// Events that are written, into the ledger or, for a dry run, into one in memory.
pub struct Prepared {
    writer: BatchWriter,
    memory: Option<Ledger>,
}

/// Writes events through `write`; when it fails, nothing stays.
pub fn with_events(
    ledger: &mut Ledger,
    dry_run: bool,
    write: impl FnOnce(&mut Ledger, &mut BatchWriter) -> Result<()>,
) -> Result<Prepared> {
    let mut memory = dry_run.then(|| Ledger::in_memory_after(ledger.batches().len() as u32));
    let target = memory.as_mut().unwrap_or(ledger);
    let mut writer = target.begin()?;
    match write(target, &mut writer) {
        Ok(()) => Ok(Prepared { writer, memory }),
        Err(error) => {
            // The first error is the one to tell; the remains are swept at the next start too.
            let _ = target.abandon(writer);
            Err(error)
        }
    }
}

impl Prepared {
    /// Where the events are: a dry run keeps them apart.
    pub fn events<'a>(&'a self, ledger: &'a Ledger) -> (&'a Ledger, BatchId) {
        (self.memory.as_ref().unwrap_or(ledger), self.writer.batch())
    }

    /// Writes further events.
    pub fn extend(
        &mut self,
        ledger: &mut Ledger,
        write: impl FnOnce(&mut Collector<'_, LedgerError>) -> Result<()>,
    ) -> Result<()> {
        let target = self.memory.as_mut().unwrap_or(ledger);
        let events = self.writer.events() as u32;
        let writer = &mut self.writer;
        let mut flush = |window: Window| target.write(writer, &window);
        let mut out = Collector::resume(events, &mut flush);
        write(&mut out)?;
        out.finish()?;
        Ok(())
    }

    /// Drops what was written.
    pub fn abandon(self, ledger: &mut Ledger) -> Result<()> {
        if self.memory.is_none() {
            ledger.abandon(self.writer)?;
        }
        Ok(())
    }

    /// Seals the batch, or for a dry run only reviews it.
    pub fn settle(
        self,
        ledger: &mut Ledger,
        mut draft: Draft,
        full: bool,
        run: &Run<'_>,
    ) -> Result<Staged> {
        if let Some(memory) = self.memory {
            return dry_run(ledger, &memory, &self.writer, &mut draft, full, run);
        }
        let manifest = draft.manifest.clone();
        match stage::seal(ledger, self.writer, draft, full, run)? {
            Sealed::New(id, analysis) => staged(ledger, id, &manifest, &analysis),
            Sealed::Known(id, state) => {
                let mut review = review::review(ledger, id, full, run)?;
                review.known = true;
                let outcome = match state {
                    BatchState::Active => Outcome::AlreadyActive,
                    _ => Outcome::AlreadyStaged,
                };
                let blocking = ledger.batches().get(id).map(|b| review::blocking(&b.stage));
                let blocking = blocking.unwrap_or_default();
                Ok(Staged { review, outcome, batch: Some(id), blocking })
            }
        }
    }
}

fn staged(
    ledger: &Ledger,
    id: BatchId,
    manifest: &Manifest,
    analysis: &Analysis,
) -> Result<Staged> {
    let batch = ledger.batches().get(id).ok_or(LedgerError::NoSuchBatch(id))?;
    let parts = Parts {
        batch: Some((id, batch.state())),
        stage: &batch.stage,
        manifest,
        analysis,
        base: ledger.position(),
        rejects: document::rejects(ledger, id)?,
    };
    Ok(Staged {
        review: document::document(&parts),
        outcome: Outcome::New,
        batch: Some(id),
        blocking: review::blocking(&batch.stage),
    })
}

fn dry_run(
    ledger: &Ledger,
    memory: &Ledger,
    writer: &BatchWriter,
    draft: &mut Draft,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let wanted = Wanted {
        batch: writer.batch(),
        class: &|view| draft.class(view),
        base: ledger.position(),
        replaces: draft.supersedes,
        full,
    };
    let analysis = review::analyse(ledger, memory, &wanted, run)?;
    draft.rows.effective = analysis.effective;
    draft.findings.extend(stage::duplicates(&analysis));
    let stage = Stage {
        batch: writer.batch(),
        content_id: stage::content_id(draft, writer.events(), writer.root()),
        batch_root: writer.root(),
        events: writer.events(),
        manifest: Digest::default(),
        mapping: MappingRef {
            id: draft.mapping.0.clone(),
            version: draft.mapping.1,
            digest: content(draft.mapping.2.as_bytes()),
        },
        series: draft.series,
        views: stage::view_parts(draft, &analysis),
        symbols: analysis.symbols,
        rows: draft.rows,
        as_of: draft.as_of,
        findings: draft.findings.clone(),
        supersedes: draft.supersedes,
        again: None,
        duplicates_identical: analysis.identical,
        duplicates_conflicting: analysis.conflicting,
    };
    let parts = Parts {
        batch: None,
        stage: &stage,
        manifest: &draft.manifest,
        analysis: &analysis,
        base: ledger.position(),
        rejects: document::rejects(memory, writer.batch())?,
    };
    let review = document::document(&parts);
    let blocking = review::blocking(&stage);
    Ok(Staged { review, outcome: Outcome::DryRun, batch: None, blocking })
}

/// Stages a TOMIC folder as one batch.
///
/// # Errors
/// As [`import_csv`]; a corrupt file is an error, never an empty one.
pub fn import_tomic(
    ledger: &mut Ledger,
    folder: &Path,
    options: &ImportOptions,
    run: &Run<'_>,
) -> Result<Staged> {
    let (prepared, draft) = tomic::prepare(ledger, folder, options, run)?;
    prepared.settle(ledger, draft, options.full, run)
}

/// A quality report on files, without a ledger.
///
/// # Errors
/// As [`import_csv`].
pub fn check(inputs: &[Input], options: &ImportOptions, run: &Run<'_>) -> Result<Review> {
    let mut ledger = Ledger::in_memory();
    let options = ImportOptions { dry_run: true, ..options.clone() };
    import_csv(&mut ledger, inputs, &options, run).map(|staged| staged.review)
}
