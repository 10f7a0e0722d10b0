//! `export`: a view as a file, the whole ledger, or TOMIC's JSON folders.

use super::view::Which;
use crate::app::erased::Place;
use crate::app::export::{self, Binary, Format, Wanted};
use crate::app::lookup;
use crate::app::report::Exported;
use crate::cli::args::{Knowledge, in_order};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXAMPLES: &str = "\
EXAMPLES
  volledger export iv AAPL -f csv -O AAPL_iv.csv
  volledger export spot -f jsonl --from 2024-01-01       all symbols, to standard output
  volledger export chain AAPL --from 2025-11-14 -f sqlite -O chain.sqlite
  volledger export iv AAPL MSFT -f xlsx -O iv.xlsx       a sheet, and one that says where from
  volledger export all -f parquet -O ledger              ledger/series=iv/year=2024/part-0.parquet
  volledger export all AAPL --series iv,hv -f sqlite -O aapl.sqlite
  volledger export tomic tomic/data AAPL MSFT            JSON folders, a .bak of what is replaced
  volledger sql \"SELECT * FROM iv_metrics\" -o csv > m.csv   what a projection or a query answers

Beside a CSV or JSON file that -O names stands FILE-metadata.json: position, log root, digest of the
view, columns with their units, and the file's BLAKE3. Parquet, SQLite and xlsx have that inside.
CSV comes back by import with --mapping iv-fraction, hv-fraction, spot-full, moves-fraction or
straddles-fraction; earnings and an index without any.";

const TOMIC_EXAMPLES: &str = "\
EXAMPLES
  volledger export tomic tomic/data                      every symbol
  volledger export tomic tomic/data AAPL MSFT            two of them; other files are left alone
  volledger export tomic then --at '#4'                  as it was known then

A file that holds the same bytes already is left alone. One that is replaced stays as .bak. A .bak
is replaced only where the ledger can give it again (it was imported from or exported to here);
else it becomes .bak.1, .bak.2 and so on, so what you wrote yourself is never lost.

Files of symbols that the ledger knows and no longer shows (rolled back, erased) are named and not
touched, and the exit code is 11: whoever reads the folder would take them for data.";

/// Write a view, the whole ledger, or TOMIC's JSON folders
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ExportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The iv view
    Iv(ViewFile),
    /// The hv view
    Hv(ViewFile),
    /// The spot view
    Spot(ViewFile),
    /// Intraday bars
    Bars(ViewFile),
    /// Option chain snapshots
    Chain(ViewFile),
    /// Listed option contracts
    Contracts(ViewFile),
    /// Daily levels of indices
    Index(ViewFile),
    /// News articles
    News(ViewFile),
    /// Stock splits
    Splits(ViewFile),
    /// Dividends
    Dividends(ViewFile),
    /// Sessions of exchanges
    Calendar(ViewFile),
    /// Sessions so far
    Quotes(ViewFile),
    /// What is known of tickers
    Tickers(ViewFile),
    /// Earnings announcements
    Earnings(ViewFile),
    /// Moves on earnings, as vendors computed them
    Moves(ViewFile),
    /// Straddles around earnings
    Straddles(ViewFile),
    /// Every view: a directory of Parquet files, or one file with a table or sheet of each
    All(Everything),
    /// TOMIC's JSON folders
    #[command(after_help = TOMIC_EXAMPLES)]
    Tomic {
        /// The folder that holds iv_daily_summary, historical_volatility, spot_prices
        dir: PathBuf,
        /// The symbols; none means all
        symbols: Vec<Symbol>,
        #[command(flatten)]
        knowledge: Knowledge,
    },
}

/// What of the ledger, and into which file or directory.
#[derive(Debug, Args)]
struct Everything {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// Only these views, for example iv,hv
    #[arg(long, value_delimiter = ',', value_name = "VIEWS", value_parser = SeriesParser, hide_possible_values = true)]
    series: Vec<Series>,
    /// From this day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// To this day, included
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    #[command(flatten)]
    knowledge: Knowledge,
    /// The format
    #[arg(short, long, value_enum)]
    format: AllFormat,
    /// The directory (parquet) or file to write
    #[arg(short = 'O', long, value_name = "PATH")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AllFormat {
    /// A directory of files by view and year, with a manifest of digests
    Parquet,
    /// One database with a table of each view, and the batches and sources behind them
    Sqlite,
    /// One workbook with a sheet of each view
    Xlsx,
}

#[derive(Debug, Args)]
struct ViewFile {
    #[command(flatten)]
    which: Which,
    /// The file's format [default: what the file's name ends with, else csv]
    #[arg(short, long, value_enum)]
    format: Option<FileFormat>,
    /// The file to write [default: standard output]
    #[arg(short = 'O', long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FileFormat {
    /// Header, fractions, ISO dates
    Csv,
    /// Arrays of objects with date and atm_iv
    Json,
    /// One object a line
    Jsonl,
    /// Columns for pandas, DuckDB, Arrow; wants -O
    Parquet,
    /// A SQLite database with one table, an index and where it came from; wants -O
    Sqlite,
    /// A workbook with a sheet, and one that says where it came from; wants -O
    Xlsx,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ExportArgs) -> Outcome<Exit> {
    match &args.what {
        What::Iv(file) => view(ui, ctx, Series::Iv, file),
        What::Hv(file) => view(ui, ctx, Series::Hv, file),
        What::Spot(file) => view(ui, ctx, Series::Spot, file),
        What::Bars(file) => view(ui, ctx, Series::Bars, file),
        What::Chain(file) => view(ui, ctx, Series::Chain, file),
        What::Contracts(file) => view(ui, ctx, Series::Contracts, file),
        What::Index(file) => view(ui, ctx, Series::Index, file),
        What::News(file) => view(ui, ctx, Series::News, file),
        What::Splits(file) => view(ui, ctx, Series::Splits, file),
        What::Dividends(file) => view(ui, ctx, Series::Dividends, file),
        What::Calendar(file) => view(ui, ctx, Series::Calendar, file),
        What::Quotes(file) => view(ui, ctx, Series::Quotes, file),
        What::Tickers(file) => view(ui, ctx, Series::Tickers, file),
        What::Earnings(file) => view(ui, ctx, Series::Earnings, file),
        What::Moves(file) => view(ui, ctx, Series::Moves, file),
        What::Straddles(file) => view(ui, ctx, Series::Straddles, file),
        What::All(all) => everything(ui, ctx, all),
        What::Tomic { dir, symbols, knowledge } => {
            let ledger = ctx.open(ui)?;
            let at = ctx.at(&ledger, knowledge.past.at.as_deref())?;
            let first = knowledge.first;
            let series = [Series::Iv, Series::Hv, Series::Spot];
            lookup::known(&ledger, symbols, &series, at)?;
            ctx.loud(ui, &ledger, &Place { series: &series, symbols, at, ..Place::default() })?;
            let exported = export::tomic::export(&ledger, dir, symbols, at, first, &ctx.run())?;
            ui.show(&exported)?;
            if exported.leftover.is_empty() {
                return Ok(Exit::Done);
            }
            ui.hint(&format!(
                "move them out of {}: TOMIC and `volledger import tomic` would take them for data",
                dir.display()
            ));
            Ok(Exit::Findings)
        }
    }
}

fn everything(ui: &mut Ui, ctx: &Context, args: &Everything) -> Outcome<Exit> {
    in_order(args.from, args.to)?;
    let ledger = ctx.open(ui)?;
    let mut series = args.series.clone();
    if series.is_empty() {
        series = Series::ALL.to_vec();
    }
    series.sort_unstable();
    series.dedup();
    let wanted = Wanted {
        series,
        symbols: args.symbols.clone(),
        at: ctx.at(&ledger, args.knowledge.past.at.as_deref())?,
        from: args.from,
        to: args.to,
        first: args.knowledge.first,
        columns: Vec::new(),
    };
    let place = Place {
        series: &wanted.series,
        symbols: &wanted.symbols,
        from: wanted.from,
        to: wanted.to,
        at: wanted.at,
    };
    ctx.loud(ui, &ledger, &place)?;
    let format = match args.format {
        AllFormat::Parquet => Binary::Parquet,
        AllFormat::Sqlite => Binary::Sqlite,
        AllFormat::Xlsx => Binary::Xlsx,
    };
    let exported = export::export_all(&Arc::new(ledger), &wanted, format, &args.out, &ctx.run())?;
    ui.show(&exported)?;
    empty(ui, "the ledger", &exported, wanted.symbols.is_empty());
    Ok(Exit::Done)
}

fn view(ui: &mut Ui, ctx: &Context, series: Series, args: &ViewFile) -> Outcome<Exit> {
    let file = args.out.as_deref().filter(|file| *file != Path::new("-"));
    let named = |what: &str, end: &str| {
        file.ok_or_else(|| Failure::usage(what, format!("name it with `-O FILE.{end}`")))
    };
    let (binary, file_of) = match args.format.unwrap_or_else(|| format_of(file)) {
        FileFormat::Parquet => (Binary::Parquet, named("Parquet goes to a file", "parquet")?),
        FileFormat::Sqlite => (Binary::Sqlite, named("a database is a file", "sqlite")?),
        FileFormat::Xlsx => (Binary::Xlsx, named("a workbook is a file", "xlsx")?),
        FileFormat::Csv => return text(ui, ctx, series, args, Format::Csv, file),
        FileFormat::Json => return text(ui, ctx, series, args, Format::Json, file),
        FileFormat::Jsonl => return text(ui, ctx, series, args, Format::Jsonl, file),
    };
    let ledger = ctx.open(ui)?;
    let query = args.which.query(series, ctx, &ledger)?;
    ctx.loud(ui, &ledger, &super::view::place_of(&query))?;
    let wanted = Wanted::from(&query);
    let exported = export::export_file(&Arc::new(ledger), &wanted, binary, file_of, &ctx.run())?;
    ui.show(&exported)?;
    empty(ui, series.name(), &exported, wanted.symbols.is_empty());
    Ok(Exit::Done)
}

/// The format that a file's name speaks of, CSV where it speaks of none.
fn format_of(file: Option<&Path>) -> FileFormat {
    let end = file.and_then(Path::extension).and_then(|end| end.to_str());
    match end.unwrap_or_default().to_ascii_lowercase().as_str() {
        "json" => FileFormat::Json,
        "jsonl" | "ndjson" => FileFormat::Jsonl,
        "parquet" => FileFormat::Parquet,
        "sqlite" | "db" => FileFormat::Sqlite,
        "xlsx" => FileFormat::Xlsx,
        _ => FileFormat::Csv,
    }
}

fn text(
    ui: &mut Ui,
    ctx: &Context,
    series: Series,
    args: &ViewFile,
    format: Format,
    file: Option<&Path>,
) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let query = args.which.query(series, ctx, &ledger)?;
    ctx.loud(ui, &ledger, &super::view::place_of(&query))?;
    let (exported, text) = export::export_view(&ledger, &query, format, file, &ctx.run())?;
    match text {
        Some(text) => ui.spooled(text)?,
        None => ui.show(&exported)?,
    }
    empty(ui, series.name(), &exported, query.symbols.is_empty());
    Ok(Exit::Done)
}

/// Says that an export has no record; of symbols that were named that is told by name.
fn empty(ui: &mut Ui, what: &str, exported: &Exported, all: bool) {
    if all && exported.rows == 0 {
        let at = exported.position;
        ui.note(&format!("no record was exported: at #{at} {what} has none of what was asked for"));
    }
}
