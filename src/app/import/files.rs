//! The files of a CSV import: read into the batch, and kept as its sources.

use super::{ImportOptions, Input, Reading, SymbolChoice, open_file, read_source};
use crate::app::Run;
use crate::app::draft::Draft;
use crate::app::error::{AppError, Result};
use crate::app::prepared::write_events;
use crate::domain::{Digest, Series, Symbol};
use crate::ledger::codec::{ManifestSource, SourceKind};
use crate::ledger::hash::{Hasher, content};
use crate::ledger::{BatchWriter, Beside, Ledger};
use crate::sources::csv::SymbolFrom;
use crate::sources::mapping::Mapping;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

/// Bytes of small files that an import holds in memory: each of them is read once.
const HELD: u64 = 1 << 20;

/// Files of one batch, and how they are read.
pub(super) struct Files<'a> {
    pub(super) inputs: &'a [Input],
    pub(super) options: &'a ImportOptions,
    pub(super) mapping: &'a Mapping,
    /// Whether each is read once, as what most files are.
    pub(super) presume: bool,
}

/// What is known of a file that was read: its bytes, where it is small, else their digest.
enum Taken {
    Bytes(Vec<u8>),
    Digest(Digest),
}

impl Taken {
    fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => content(bytes),
            Self::Digest(digest) => *digest,
        }
    }
}

impl Files<'_> {
    /// Reads the files into a batch, and keeps them as its sources. Tells which of them were kept
    /// before, or may have been: of one large file that is not known before it is read.
    ///
    /// # Errors
    /// A file that cannot be read or used.
    pub(super) fn take(
        &self,
        ledger: &mut Ledger,
        writer: &mut BatchWriter,
        draft: &mut Draft,
        run: &Run<'_>,
    ) -> Result<BTreeSet<Digest>> {
        let size_of = |input: &Input| std::fs::metadata(&input.path).map_or(0, |file| file.len());
        let sizes: Vec<u64> = self.inputs.iter().map(size_of).collect();
        let total = sizes.iter().sum();
        run.progress.begin("reading", Some(total), "bytes");
        // One large file is kept while it is read. Of several, one may turn out to be here already when
        // others stand behind it in the pack.
        if let ([input], true) = (self.inputs, self.presume && total > HELD) {
            let read = |ledger: &mut Ledger, beside: Beside| {
                self.read(ledger, writer, &sizes, draft, Some(beside), run)
            };
            let now = run.clock.now_ms();
            let (_, digest, size) = ledger.keep_beside(&input.name, now, read)?;
            run.progress.end();
            draft.manifest.sources.push(self.source(input, digest, size, run)?);
            return Ok(BTreeSet::from([digest]));
        }
        let taken = self.read(ledger, writer, &sizes, draft, None, run)?;
        run.progress.end();
        run.progress.begin("keeping the sources", Some(total), "bytes");
        let mut before = BTreeSet::new();
        for taken in &taken {
            let digest = taken.digest();
            if ledger.store().kept(&digest)?.is_some() {
                before.insert(digest);
            }
        }
        let mut done = 0;
        for (input, taken) in self.inputs.iter().zip(taken) {
            let now = run.clock.now_ms();
            let (digest, size) = match taken {
                Taken::Bytes(bytes) => ledger.keep(&mut bytes.as_slice(), &input.name, now)?,
                Taken::Digest(read) => {
                    let kept = ledger.keep(&mut open_file(input)?, &input.name, now)?;
                    // The bytes kept must be the bytes read.
                    if kept.0 != read {
                        return Err(AppError::Changed(input.name.clone()));
                    }
                    kept
                }
            };
            draft.manifest.sources.push(self.source(input, digest, size, run)?);
            done += size;
            run.progress.at(done);
        }
        run.progress.end();
        Ok(before)
    }

    /// Reads the files into a batch; the bytes of the only one go to `beside`.
    fn read(
        &self,
        ledger: &mut Ledger,
        writer: &mut BatchWriter,
        sizes: &[u64],
        draft: &mut Draft,
        beside: Option<Beside>,
        run: &Run<'_>,
    ) -> Result<Vec<Taken>> {
        let (mut done, mut held) = (0, 0);
        let mut taken = Vec::with_capacity(sizes.len());
        write_events(ledger, writer, run, |out| {
            for (source, (input, size)) in (0..).zip(self.inputs.iter().zip(sizes)) {
                let symbol = self.symbol_of(input)?;
                let mut file = open_file(input)?;
                let hasher = RefCell::new(Hasher::default());
                let seen = |bytes: &[u8]| match &beside {
                    Some(beside) => beside.take(bytes),
                    None => hasher.borrow_mut().update(bytes),
                };
                let (mapping, presume, seen) = (self.mapping, self.presume, &seen);
                let reading = Reading { mapping, symbol, source, presume, seen };
                let heard = |bytes: u64| run.progress.at(done + bytes / 2);
                let small = match held + size <= HELD {
                    true => whole(&file, *size, input)?,
                    false => None,
                };
                taken.push(match small {
                    Some(bytes) => {
                        let mut bytes = Cursor::new(bytes);
                        read_source(&mut bytes, &input.name, &reading, draft, out, &heard)?;
                        held += size;
                        Taken::Bytes(bytes.into_inner())
                    }
                    None => {
                        read_source(&mut file, &input.name, &reading, draft, out, &heard)?;
                        Taken::Digest(hasher.take().finish())
                    }
                });
                done += size;
            }
            Ok(())
        })?;
        Ok(taken)
    }

    /// Where the symbols of a file come from.
    fn symbol_of(&self, input: &Input) -> Result<SymbolFrom> {
        let is_index = self.options.series == Series::Index;
        let symbol = match &self.options.symbol {
            SymbolChoice::Given(symbol) => symbol.clone(),
            SymbolChoice::FromName => symbol_of_name(&input.name)?,
            // Cells rarely have the prefix that tells an index from a stock.
            SymbolChoice::FromColumn if is_index => {
                let text = "a file of levels is about one index: name it with `-s SYMBOL`";
                return Err(AppError::Usage(text.to_owned()));
            }
            SymbolChoice::FromColumn => return Ok(SymbolFrom::Column),
        };
        let symbol = match is_index {
            true => symbol.as_index().map_err(|error| AppError::Usage(error.to_string()))?,
            false => symbol,
        };
        Ok(SymbolFrom::Given(symbol))
    }

    /// A file as a source of the batch.
    fn source(
        &self,
        input: &Input,
        digest: Digest,
        size: u64,
        run: &Run<'_>,
    ) -> Result<ManifestSource> {
        Ok(ManifestSource {
            digest,
            kind: if input.stream { SourceKind::Stream } else { SourceKind::File },
            name: input.name.clone(),
            media_type: "text/csv".into(),
            size,
            observed_ms: run.clock.now_ms(),
            series: self.options.series,
            symbol: match self.symbol_of(input)? {
                SymbolFrom::Given(symbol) => Some(symbol),
                SymbolFrom::Column => None,
            },
            http: None,
        })
    }
}

/// The symbol that a file's name says: `AAPL.csv`, `BRK.B.csv`, `aapl_iv30.csv`, `IV_AAPL.csv`. A name
/// that may say another one (`BRK_B.csv`) says none.
///
/// # Errors
/// [`AppError::NoSymbol`].
pub fn symbol_of_name(name: &str) -> Result<Symbol> {
    let mut stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // Windows hides an ending, and gets another one: AAPL.csv.csv.
    while let Some((rest, _)) =
        stem.rsplit_once('.').filter(|(_, end)| end.eq_ignore_ascii_case("csv"))
    {
        stem = rest;
    }
    let mut words: Vec<&str> = stem.split(['_', ' ']).filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| !describes(word)) {
        let all = words.len();
        words.retain(|word| !describes(word)); // else one of them is a ticker: SPOT.csv
        // The time of a download, or a date, beside them: HistoricalData_1704912345678.csv.
        let letters = |word: &&str| word.bytes().any(|byte| byte.is_ascii_alphabetic());
        if words.len() < all && !words.first().is_some_and(letters) {
            words.clear();
        }
    }
    let ticker = |word: &&str| word.len() <= 5 && word.bytes().all(|b| b.is_ascii_uppercase());
    let (first, others) = words.split_first().unwrap_or((&"", &[]));
    match first.parse() {
        Ok(symbol) if !others.iter().any(ticker) => Ok(symbol),
        _ => Err(AppError::NoSymbol(name.to_owned())),
    }
}

/// Whether a word of a file's name says what is in the file rather than whom it is about.
fn describes(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "iv", "iv30", "hv", "spot", "ohlc", "eod", "daily", "data", "prices", "history", "export",
        "csv",
    ];
    let word = word.to_ascii_lowercase();
    WORDS.contains(&word.as_str()) || word.starts_with("historical")
}

/// The bytes of a file that is to have so many; `None` of one that has more, or is no plain file.
fn whole(mut file: &File, size: u64, input: &Input) -> Result<Option<Vec<u8>>> {
    let unreadable =
        |source| AppError::Unreadable { name: input.path.display().to_string(), source };
    if size == 0 {
        return Ok(None); // whatever it is
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    file.take(size + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 <= size {
        return Ok(Some(bytes));
    }
    file.rewind().map_err(unreadable)?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_name_says_whom_it_is_about_or_nothing() {
        let said = |name: &str| symbol_of_name(name).map(|symbol| symbol.to_string()).ok();
        for (name, symbol) in [
            ("AAPL.csv", "AAPL"),
            ("BRK.B.csv", "BRK.B"),
            ("aapl_iv30.csv", "AAPL"),
            ("AAPL_iv_2024-01.csv", "AAPL"),
            ("IV_AAPL.csv", "AAPL"),
            ("historical_iv_NVDA.csv", "NVDA"),
            ("SPOT.csv", "SPOT"),
            ("SPOT_iv.csv", "SPOT"),
            ("AAPL.csv.csv", "AAPL"),
            ("aapl_iv.CSV.txt", "AAPL"),
            ("7203.csv", "7203"),
        ] {
            assert_eq!(said(name).as_deref(), Some(symbol), "{name}");
        }
        for name in [
            "BRK_B.csv",
            "IV_SPOT.csv",
            "_.csv",
            "$SPX.csv",
            ".csv",
            "HistoricalData_1704912345678.csv",
            "HistoricalData_1704912345678 (1).csv",
            "iv_2024-01-05.csv",
        ] {
            assert_eq!(said(name), None, "{name}");
        }
    }
}
