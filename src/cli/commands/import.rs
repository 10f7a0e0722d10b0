//! `import`: read files, review what they would change, and decide.

mod inputs;

pub(super) use inputs::inputs;

use crate::app::import::{self, ImportOptions, MappingChoice, SymbolChoice};
use crate::app::market::{MarketOptions, import_market};
use crate::app::{AppError, tomic};
use crate::cli::args::{Again, Decide, Overlap};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::flow::Deciding;
use crate::cli::series::MappingParser;
use crate::cli::shell::quoted;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger import iv AAPL.csv -s AAPL                   review, then answer y or n
  volledger import iv AAPL.csv MSFT.csv --symbol-from name --yes
  volledger import spot prices.csv --symbol-from column --stage-only
  curl … | volledger import iv - -s AAPL --dry-run --json
  volledger import index VIX_History.csv -s VIX          levels, in the view index as I:VIX
  volledger import tomic tomic/data --snapshot
  volledger import bars 2025-11-07.csv.gz                stocks, options, indices; days or minutes
  volledger import chain 2025-11-07.csv.gz               daily bars of options, as chains
  volledger import chain quotes.csv --date 2025-11-07    a table of a chain
  volledger import earnings calendar.csv                 announcements, also those to come

Mappings: mc-iv (usual for iv), mc-iv-basic (Date and IV30 alone), iv-fraction; hv-percent
(usual for hv), hv-fraction; spot-ohlc (usual for spot), spot-full, event-bars, event-closes;
index-ohlc; earnings, moves, moves-fraction, straddles, straddles-fraction. Those in fractions and
spot-full read what `export -f csv` wrote. For another vendor's columns start from one of them:
  volledger import iv --print-mapping mc-iv > my.toml    and say --mapping ./my.toml

Nothing changes a view until the batch is confirmed. Without a terminal and without
a decision flag it stays staged, and the command exits with 12.";

/// Read files, review what they would change, and decide
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

impl ImportArgs {
    /// Whether the ledger stays as it is: a dry run stages in memory.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        match &self.what {
            What::Iv(csv) | What::Spot(csv) | What::Hv(csv) | What::Index(csv) => &csv.flags,
            What::Earnings(csv) | What::Moves(csv) | What::Straddles(csv) => &csv.flags,
            What::Bars(bars) => &bars.flags,
            What::Chain(chain) => &chain.flags,
            What::Tomic { flags, .. } => flags,
        }
        .dry_run
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Implied volatility, as Market Chameleon exports it
    Iv(Csv),
    /// Daily prices; the levels of an index are for `import index`
    Spot(Csv),
    /// Daily levels of an index, as Cboe publishes them
    Index(Csv),
    /// Realised volatility
    Hv(Csv),
    /// Flat files of Polygon (Massive): bars of stocks, options and indices
    Bars(Bars),
    /// Option chains: tables of quotes, or the flat file of a day's option bars
    Chain(Chain),
    /// Earnings announcements: day, BMO, AMC or DMH, confirmed or not
    #[command(after_help = EVENTS_EXAMPLES)]
    Earnings(Csv),
    /// Moves on earnings as a vendor computed them
    #[command(after_help = EVENTS_EXAMPLES)]
    Moves(Csv),
    /// Straddles around earnings, in the layout of an iv_log
    #[command(after_help = EVENTS_EXAMPLES)]
    Straddles(Csv),
    /// TOMIC's JSON folders, all symbols as one batch
    ///
    /// Each file is one symbol's: AAPL.json, BRK.B.json, and BRK%2FB.json for BRK/B, as `export tomic`
    /// names them. A file that ends in .json and has no such name is left out: the review says so,
    /// `--yes` does not confirm it, and `--snapshot` is refused. Hidden files, .bak files and
    /// SYMBOL_spot.json (a single quote) are passed over.
    Tomic {
        /// The folder that holds iv_daily_summary, historical_volatility, spot_prices
        dir: PathBuf,
        /// What the views have and the folder lacks is retracted; not with `--overlap keep`
        #[arg(long)]
        snapshot: bool,
        #[command(flatten)]
        flags: Flags,
    },
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Csv {
    /// The files; - for standard input
    #[arg(required_unless_present = "print_mapping", value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Print a mapping as a file to start from, with what its keys mean
    #[arg(long, value_name = "ID", value_parser = MappingParser, hide_possible_values = true)]
    #[arg(conflicts_with = "files")]
    print_mapping: Option<String>,
    #[command(flatten)]
    flags: Flags,
}

const EVENTS_EXAMPLES: &str = "\
EXAMPLES
  volledger import earnings calendar.csv                 each row says its symbol
  volledger import earnings AAPL.csv -s AAPL --yes
  volledger import moves historical_moves.csv --stage-only
  volledger import straddles iv_log.csv --yes
  volledger import spot closes.csv --mapping event-closes
  volledger import spot bars.csv --mapping event-bars

A calendar's day may be in the future. One that differs by less than 45 days from the day that the
ledger has for the same symbol, and is not in the file as well, takes the old day back: rolling the
batch back brings it back. A vendor's moves are kept as the vendor's; `volledger earnings` measures
its own from bars.";

const BARS_EXAMPLES: &str = "\
EXAMPLES
  volledger import bars 2025-11-07.csv.gz                review, then answer y or n
  volledger import bars day1.csv.gz day2.csv.gz --yes    several files as one batch
  volledger import bars minutes.csv --dry-run --json

What a file holds is told by its header, its tickers and its times, and the review says it.
Its columns are ticker, open, high, low, close and window_start (nanoseconds), with volume and
transactions where there are any; further ones keep their names.
Days of stocks go to the view spot, days of indices to index, everything else to bars.
The file is kept as it came; places of rows in a gzipped file count in the unpacked text.";

#[derive(Debug, Args)]
#[command(after_help = BARS_EXAMPLES)]
struct Bars {
    /// The files, .csv or .csv.gz; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

const CHAIN_EXAMPLES: &str = "\
EXAMPLES
  volledger import chain AAPL_chain.csv --date 2025-11-07
  volledger import chain quotes.csv.gz -s AAPL --date 2025-11-07 --yes
  volledger import chain us_options_2025-11-07.csv.gz    daily bars of all contracts

A table needs a column for the contract's ticker: option_symbol, ticker, contract, option_ticker
or contract_symbol. What it has of the others is read: underlying, date, strike, expiration, type,
bid, ask, iv, delta, gamma, open_interest and more, in any order; unknown ones keep their names.
Commas part them; capitals and `_` do not matter (contractSymbol).

Tables of chains rarely say which session their quotes are of, so it is asked for. Quotes that
are in the ledger under another date already keep `--yes` from confirming. A flat file of daily
option bars (us_options_opra/day_aggs_v1) has its dates; each contract stands under its root.
The file is kept as it came; places of rows in a gzipped file count in the unpacked text.";

#[derive(Debug, Args)]
#[command(after_help = CHAIN_EXAMPLES)]
struct Chain {
    /// The files, .csv or .csv.gz; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The underlying, when the table has no column for it
    #[arg(short, long)]
    symbol: Option<Symbol>,
    /// The session that the quotes are of, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    #[command(flatten)]
    flags: Flags,
}

/// How a file is read.
#[derive(Debug, Args)]
pub(in crate::cli) struct Reading {
    /// The symbol of the file
    #[arg(short, long, conflicts_with = "symbol_from")]
    symbol: Option<Symbol>,
    /// Where the symbol stands
    #[arg(long, value_enum, value_name = "WHERE")]
    symbol_from: Option<SymbolFrom>,
    /// How to read the columns: a name (mc-iv, mc-iv-basic …) or a file of your own
    #[arg(long, value_name = "ID|FILE")]
    pub(super) mapping: Option<String>,
}

impl Reading {
    pub(super) fn symbol(&self) -> Option<SymbolChoice> {
        match (&self.symbol, self.symbol_from) {
            (Some(symbol), _) => Some(SymbolChoice::Given(symbol.clone())),
            (None, Some(SymbolFrom::Name)) => Some(SymbolChoice::FromName),
            (None, Some(SymbolFrom::Column)) => Some(SymbolChoice::FromColumn),
            (None, None) => None,
        }
    }

    /// The same words again, for a command that is to be copied; without a symbol those that `symbol`
    /// says.
    pub(super) fn words(&self, symbol: &str) -> String {
        let symbol = match (&self.symbol, self.symbol_from) {
            (Some(symbol), _) => format!("-s {}", quoted(symbol.as_str())),
            (None, Some(SymbolFrom::Name)) => "--symbol-from name".to_owned(),
            (None, Some(SymbolFrom::Column)) => "--symbol-from column".to_owned(),
            (None, None) => symbol.to_owned(),
        };
        let mapping = self.mapping.as_ref();
        mapping.map_or(symbol.clone(), |of| format!("{symbol} --mapping {}", quoted(of)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SymbolFrom {
    /// The file's name: AAPL.csv, BRK.B.csv, aapl_iv30.csv
    Name,
    /// A column of the file
    Column,
}

#[derive(Debug, Args)]
struct Flags {
    #[command(flatten)]
    decide: Decide,
    /// Review only, append nothing
    #[arg(long)]
    dry_run: bool,
    /// What happens on days that are there already
    #[arg(long, value_enum, default_value = "replace")]
    overlap: Overlap,
    #[command(flatten)]
    again: Again,
    /// All changes and findings, not the largest 20
    #[arg(long)]
    full: bool,
}

impl Flags {
    fn deciding<'a>(&'a self, ui: &'a mut Ui, ctx: &'a Context) -> Deciding<'a> {
        Deciding { ui, ctx, flags: &self.decide, full: self.full }
    }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ImportArgs) -> Outcome<Exit> {
    match &args.what {
        What::Iv(csv) => table(ui, ctx, Series::Iv, csv),
        What::Spot(csv) => table(ui, ctx, Series::Spot, csv),
        What::Hv(csv) => table(ui, ctx, Series::Hv, csv),
        What::Index(csv) => table(ui, ctx, Series::Index, csv),
        What::Earnings(csv) => table(ui, ctx, Series::Earnings, csv),
        What::Moves(csv) => table(ui, ctx, Series::Moves, csv),
        What::Straddles(csv) => table(ui, ctx, Series::Straddles, csv),
        What::Bars(bars) => market(ui, ctx, &bars.files, Series::Bars, (None, None), &bars.flags),
        What::Chain(chain) => {
            let told = (chain.symbol.clone(), chain.date);
            market(ui, ctx, &chain.files, Series::Chain, told, &chain.flags)
        }
        What::Tomic { dir, snapshot, flags } => {
            // What only fills cannot take anything out.
            if *snapshot && flags.overlap == Overlap::Keep {
                return Err(Failure::usage(
                    "with `--overlap keep` nothing would be retracted, which is what `--snapshot` is for",
                    "leave out one of the two",
                ));
            }
            let choices = (MappingChoice::Default, SymbolChoice::FromName);
            let options = options(Series::Iv, choices, flags, *snapshot);
            let mut ledger = ctx.open(ui)?;
            let run = ctx.run();
            let stage = |ledger: &mut _| tomic::import(ledger, dir, &options, &run);
            flags.deciding(ui, ctx).finish(&mut ledger, stage)
        }
    }
}

fn unnamed(files: &[PathBuf]) -> Failure {
    let name = files.first().map(|file| file.display().to_string()).unwrap_or_default();
    AppError::NoSymbol(name).into()
}

/// Whether a table of a series is about many symbols, of which each row names one.
pub(super) fn is_events(series: Series) -> bool {
    matches!(series, Series::Earnings | Series::Moves | Series::Straddles)
}

fn table(ui: &mut Ui, ctx: &Context, series: Series, csv: &Csv) -> Outcome<Exit> {
    if let Some(id) = &csv.print_mapping {
        ui.answer(&import::mapping_template(id)?)?;
        return Ok(Exit::Done);
    }
    let Csv { files, reading, flags, .. } = csv;
    let usual = is_events(series).then_some(SymbolChoice::FromColumn);
    let symbol = reading.symbol().or(usual);
    // A mapping that was named may know where the symbol stands.
    if symbol.is_none() && reading.mapping.is_none() {
        return Err(unnamed(files));
    }
    if matches!(symbol, Some(SymbolChoice::FromName))
        && files.iter().any(|file| inputs::is_stream(file))
    {
        return Err(Failure::usage(
            "standard input has no name",
            "name the symbol with `-s SYMBOL`",
        ));
    }
    let mapping = mapping(reading.mapping.as_deref())?;
    // Standard input may be a download: nobody else waits for the ledger meanwhile.
    let inputs = inputs(files)?;
    let symbol = match symbol {
        Some(symbol) => symbol,
        None if import::names_symbols(&inputs.all, &mapping, series)? => SymbolChoice::FromColumn,
        None => return Err(unnamed(files)),
    };
    let options = options(series, (mapping, symbol), flags, false);
    let mut ledger = ctx.open(ui)?;
    let run = ctx.run();
    let stage = |ledger: &mut _| import::import_csv(ledger, &inputs.all, &options, &run);
    flags.deciding(ui, ctx).finish(&mut ledger, stage)
}

fn market(
    ui: &mut Ui,
    ctx: &Context,
    files: &[PathBuf],
    series: Series,
    (symbol, date): (Option<Symbol>, Option<Day>),
    flags: &Flags,
) -> Outcome<Exit> {
    let options = MarketOptions {
        series,
        symbol,
        date,
        keep: flags.overlap == Overlap::Keep,
        again: flags.again.reason.clone(),
        dry_run: flags.dry_run,
        full: flags.full,
    };
    let inputs = inputs(files)?; // as in `table`
    let mut ledger = ctx.open(ui)?;
    let run = ctx.run();
    let stage = |ledger: &mut _| import_market(ledger, &inputs.all, &options, &run);
    flags.deciding(ui, ctx).finish(&mut ledger, stage)
}

fn options(
    series: Series,
    (mapping, symbol): (MappingChoice, SymbolChoice),
    flags: &Flags,
    snapshot: bool,
) -> ImportOptions {
    ImportOptions {
        series,
        mapping,
        symbol,
        keep: flags.overlap == Overlap::Keep,
        again: flags.again.reason.clone(),
        dry_run: flags.dry_run,
        full: flags.full,
        snapshot,
    }
}

/// A mapping by name, or the text of one's own.
pub(super) fn mapping(given: Option<&str>) -> Outcome<MappingChoice> {
    let Some(given) = given else {
        return Ok(MappingChoice::Default);
    };
    let path = Path::new(given);
    let is_file = given.contains(['/', '\\']) || given.ends_with(".toml") || path.is_file();
    if !is_file {
        return Ok(MappingChoice::Named(given.to_owned()));
    }
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::unreadable(given, error))?;
    Ok(MappingChoice::Text { name: given.to_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_a_name_or_a_file() {
        let named = mapping(Some("mc-iv"));
        assert!(matches!(named, Ok(MappingChoice::Named(name)) if name == "mc-iv"));
        assert!(matches!(mapping(None), Ok(MappingChoice::Default)));
        for missing in ["no/such", "none.toml"] {
            assert!(mapping(Some(missing)).is_err(), "{missing}");
        }
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        std::fs::write(file.path(), "id = 1").unwrap();
        let given = file.path().to_string_lossy();
        let read = mapping(Some(&given));
        assert!(matches!(read, Ok(MappingChoice::Text { text, .. }) if text == "id = 1"));
    }

    #[test]
    fn standard_input_is_read_once() {
        let twice = [PathBuf::from("-"), PathBuf::from("-")];
        assert!(inputs(&twice).is_err());
        let one = inputs(&[PathBuf::from("a/AAPL.csv")]).unwrap_or_else(|_| panic!("refused"));
        assert_eq!(one.all[0].name, "AAPL.csv");
    }
}
