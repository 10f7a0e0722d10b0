//! `export`: a view as a file, or TOMIC's JSON folders.

use super::view::Which;
use crate::app::export::{self, Format};
use crate::app::sql;
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Series, Symbol};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger export iv AAPL -f csv -O AAPL_iv.csv
  volledger export spot -f jsonl --from 2024-01-01       all symbols, to standard output
  volledger export chain AAPL --from 2025-11-14 -f sqlite -O chain.sqlite
  volledger export tomic tomic/data AAPL MSFT            JSON folders, a .bak of what is replaced";

/// Write a view, or TOMIC's JSON folders
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
    /// TOMIC's JSON folders
    Tomic {
        /// The folder that holds iv_daily_summary, historical_volatility, spot_prices
        dir: PathBuf,
        /// The symbols; none means all
        symbols: Vec<Symbol>,
        #[command(flatten)]
        past: Past,
    },
}

#[derive(Debug, Args)]
struct ViewFile {
    #[command(flatten)]
    which: Which,
    /// The file's format
    #[arg(short, long, value_enum, default_value = "csv")]
    format: FileFormat,
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
    /// A SQLite database with one table, an index and where it came from; wants -O
    Sqlite,
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
        What::Tomic { dir, symbols, past } => {
            let ledger = ctx.open(ui)?;
            let at = ctx.at(&ledger, past.at.as_deref())?;
            ui.show(&export::export_tomic(&ledger, dir, symbols, at, &ctx.run())?)?;
            Ok(Exit::Done)
        }
    }
}

fn view(ui: &mut Ui, ctx: &Context, series: Series, args: &ViewFile) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let query = args.which.query(series, ctx, &ledger)?;
    let file = args.out.as_deref().filter(|file| *file != Path::new("-"));
    let format = match args.format {
        FileFormat::Sqlite => {
            let file = file.ok_or_else(|| {
                Failure::usage("a database is a file", "name it with `-O FILE.sqlite`")
            })?;
            ui.show(&sql::export(&ledger, &query, file)?)?;
            return Ok(Exit::Done);
        }
        FileFormat::Csv => Format::Csv,
        FileFormat::Json => Format::Json,
        FileFormat::Jsonl => Format::Jsonl,
    };
    let exported = export::export_view(&ledger, &query, format, file, &ctx.run())?;
    match &exported.text {
        Some(text) => ui.answer(text)?,
        None => ui.show(&exported)?,
    }
    Ok(Exit::Done)
}
