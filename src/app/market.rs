//! Importing market files: the vendor's flat files, and tables of option chains.
//!
//! What a file holds is told by its content. Its bytes are kept as they came; for a gzipped file
//! the places of its rows count in the unpacked text.

use super::Run;
use super::draft::Draft;
use super::error::{AppError, Result};
use super::import::{Input, Staged, finish, open_file, with_events};
use super::same_quotes;
use crate::domain::{Class, Collector, Day, Digest, Finding, Series, Severity, Symbol, Window};
use crate::ledger::codec::{ManifestSource, SourceKind};
use crate::ledger::hash::Hasher;
use crate::ledger::{BatchWriter, Ledger, LedgerError};
use crate::sources::Limits;
use crate::sources::polygon::{
    self, CHAIN_DEFINITION, CHAIN_MAPPING, ChainTable, FLAT_DEFINITION, FLAT_MAPPING, FlatKind,
    FlatPage, Recognised, read_chain_table, read_flat,
};
use std::fs::File;
use std::io::{self, Read};

/// How to import market files.
#[derive(Clone, Debug)]
pub struct MarketOptions {
    /// [`Series::Bars`] for bars of any length, [`Series::Chain`] for option chains.
    pub series: Series,
    /// The underlying of a table that has no column for it.
    pub symbol: Option<Symbol>,
    /// The day of a table's quotes; the only day that may stand in a flat file.
    pub date: Option<Day>,
    /// Whether the values only fill holes.
    pub keep: bool,
    /// Why content that was rolled back may come again.
    pub again: Option<String>,
    /// Whether nothing is to be appended.
    pub dry_run: bool,
    /// Whether the review holds every change.
    pub full: bool,
}

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Flat(FlatKind),
    Table,
}

impl Layout {
    fn series(self) -> Series {
        match self {
            Self::Flat(kind) => kind.series(),
            Self::Table => Series::Chain,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Flat(kind) => kind.words(),
            Self::Table => "a table of an option chain",
        }
    }
}

/// The series that a market file is for, told by its content: `None` for any other file.
///
/// # Errors
/// A file that cannot be read.
pub fn series_of(input: &Input) -> Result<Option<Series>> {
    Ok(match recognised(input)? {
        Recognised::Flat(_) => Some(Series::Bars),
        Recognised::Chain => Some(Series::Chain),
        Recognised::Other(_) => None,
    })
}

fn recognised(input: &Input) -> Result<Recognised> {
    let file = open_file(input)?;
    let unreadable = |source| AppError::Unreadable { name: input.name.clone(), source };
    polygon::recognise(file).map_err(unreadable)
}

/// What each file is to be read as.
fn layouts(inputs: &[Input], series: Series) -> Result<Vec<Layout>> {
    let mut layouts = Vec::new();
    for input in inputs {
        let name = &input.name;
        let usage = |text: String| Err(AppError::Usage(text));
        layouts.push(match (recognised(input)?, series) {
            (Recognised::Flat(FlatKind::OptionDays), Series::Chain) => {
                Layout::Flat(FlatKind::OptionChain)
            }
            (Recognised::Flat(kind), Series::Chain) => {
                let words = kind.words();
                return usage(format!("{name} holds {words}; `import bars` takes it"));
            }
            (Recognised::Flat(kind), _) => Layout::Flat(kind),
            (Recognised::Chain, Series::Chain) => Layout::Table,
            (Recognised::Chain, _) => {
                return usage(format!(
                    "{name} is a table of an option chain; `import chain` takes it"
                ));
            }
            (Recognised::Other(text), _) => {
                let finding = Finding::about(0, "unknown_layout", Severity::Fatal, text);
                let (name, finding) = (name.clone(), Box::new(finding));
                return Err(AppError::Fatal { name, finding, read_as: None });
            }
        });
    }
    let tables = layouts.iter().filter(|layout| **layout == Layout::Table).count();
    if tables > 0 && tables < layouts.len() {
        let text = "flat files and tables of chains are read in different ways: import them apart";
        return Err(AppError::Usage(text.into()));
    }
    Ok(layouts)
}

/// Stages market files as one batch.
///
/// # Errors
/// A file that cannot be read or is no market file, a gzip stream that is cut short; nothing has
/// been appended then.
pub fn import_market(
    ledger: &mut Ledger,
    inputs: &[Input],
    options: &MarketOptions,
    run: &Run<'_>,
) -> Result<Staged> {
    let layouts = layouts(inputs, options.series)?;
    let table = layouts.contains(&Layout::Table);
    let (id, text) =
        if table { (CHAIN_MAPPING, CHAIN_DEFINITION) } else { (FLAT_MAPPING, FLAT_DEFINITION) };
    let class = if options.keep { Class::Fill } else { Class::Vendor };
    let series = layouts.first().map_or(options.series, |layout| layout.series());
    let mut draft = Draft {
        again: options.again.clone(),
        ..Draft::new((id.to_owned(), 1, text.to_owned()), series, |_| class, run)
    };
    let files: Vec<(&Input, Layout)> = inputs.iter().zip(layouts).collect();
    let prepared = with_events(ledger, options.dry_run, |target, writer| {
        read_files(target, writer, &files, options, &mut draft, run)
    })?;
    if table {
        let found = {
            let (events, batch) = prepared.events(ledger);
            same_quotes::findings(ledger, events, batch, run)
        };
        match found {
            Ok(found) => draft.findings.extend(found),
            Err(error) => {
                // The first error is the one to tell.
                let _ = prepared.abandon(ledger);
                return Err(error);
            }
        }
    }
    prepared.settle(ledger, draft, options.full, run)
}

/// A quality report on market files, without a ledger.
///
/// # Errors
/// As [`import_market`].
pub fn check(inputs: &[Input], options: &MarketOptions, run: &Run<'_>) -> Result<Staged> {
    let mut ledger = Ledger::in_memory();
    let options = MarketOptions { dry_run: true, ..options.clone() };
    import_market(&mut ledger, inputs, &options, run)
}

/// A file that hashes what is read of it, and tells how far it was read.
struct Metered<'a> {
    file: File,
    hasher: Hasher,
    done: u64,
    run: &'a Run<'a>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.done += count as u64;
        self.run.progress.at(self.done);
        Ok(count)
    }
}

fn read_files(
    ledger: &mut Ledger,
    writer: &mut BatchWriter,
    files: &[(&Input, Layout)],
    options: &MarketOptions,
    draft: &mut Draft,
    run: &Run<'_>,
) -> Result<()> {
    let sizes = files.iter().filter_map(|(input, _)| std::fs::metadata(&input.path).ok());
    let total: u64 = sizes.map(|file| file.len()).sum();
    run.progress.begin("reading", Some(total), "bytes");
    let mut done = 0;
    let mut read: Vec<(Digest, bool)> = Vec::new();
    let mut flush = |window: &mut Window| {
        run.go_on()?;
        ledger.write(writer, window)
    };
    let mut out = Collector::new(&mut flush);
    for (source, (input, layout)) in (0..).zip(files) {
        let (file, hasher) = (open_file(input)?, Hasher::default());
        let mut file = Metered { file, hasher, done, run };
        let text = format!("{}: taken for {}", input.name, layout.words());
        draft.findings.push(Finding::about(source, "taken_for", Severity::Info, text));
        read_one(&mut file, input, *layout, source, options, draft, &mut out)?;
        // What a reader leaves unread belongs to the source too.
        let unreadable = |source| AppError::Unreadable { name: input.name.clone(), source };
        io::copy(&mut file, &mut io::sink()).map_err(unreadable)?;
        done = file.done;
        read.push((file.hasher.finish(), packed(input)?));
    }
    out.finish()?;
    run.progress.end();
    run.progress.begin("keeping the sources", Some(total), "bytes");
    let mut done = 0;
    for ((input, layout), (digest, packed)) in files.iter().zip(read) {
        let mut file = open_file(input)?;
        let (kept, size) = ledger.keep(&mut file, &input.name, run.clock.now_ms())?;
        // The bytes kept must be the bytes read.
        if kept != digest {
            return Err(AppError::Changed(input.name.clone()));
        }
        draft.manifest.sources.push(ManifestSource {
            digest,
            kind: if input.stream { SourceKind::Stream } else { SourceKind::File },
            name: input.name.clone(),
            media_type: if packed { polygon::GZIP } else { "text/csv" }.into(),
            size,
            observed_ms: run.clock.now_ms(),
            series: layout.series(),
            symbol: options.symbol.clone().filter(|_| *layout == Layout::Table),
            http: None,
        });
        done += size;
        run.progress.at(done);
    }
    run.progress.end();
    Ok(())
}

/// Whether a file is gzipped.
fn packed(input: &Input) -> Result<bool> {
    let mut head = Vec::new();
    let read = open_file(input)?.take(2).read_to_end(&mut head);
    read.map_err(|source| AppError::Unreadable { name: input.name.clone(), source })?;
    Ok(polygon::is_packed(&head))
}

fn read_one(
    file: &mut Metered<'_>,
    input: &Input,
    layout: Layout,
    source: u32,
    options: &MarketOptions,
    draft: &mut Draft,
    out: &mut Collector<'_, LedgerError>,
) -> Result<()> {
    let (observed_ms, limits) = (file.run.clock.now_ms(), Limits::default());
    let summary = match layout {
        Layout::Flat(kind) => {
            let range = options.date.map(|day| (day, day));
            let page = FlatPage { kind, range, observed_ms, source, limits };
            read_flat(file, &page, out)
        }
        Layout::Table => {
            let (symbol, day) = (options.symbol.clone(), options.date);
            let page = ChainTable { symbol, day, observed_ms, source, limits };
            read_chain_table(file, &page, out)
        }
    };
    let summary = finish(&input.name, summary)?;
    draft.add(summary.rows, summary.findings);
    Ok(())
}
