//! `export`: a view as a file, or TOMIC's JSON folders.

use super::view::Which;
use crate::app::export::{self, Format};
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Series, Symbol};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger export iv AAPL -f csv -O AAPL_iv.csv
  volledger export spot -f jsonl --from 2024-01-01       all symbols, to standard output
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
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ExportArgs) -> Outcome<Exit> {
    match &args.what {
        What::Iv(file) => view(ui, ctx, Series::Iv, file),
        What::Hv(file) => view(ui, ctx, Series::Hv, file),
        What::Spot(file) => view(ui, ctx, Series::Spot, file),
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
    let format = match args.format {
        FileFormat::Csv => Format::Csv,
        FileFormat::Json => Format::Json,
        FileFormat::Jsonl => Format::Jsonl,
    };
    let file = args.out.as_deref().filter(|file| *file != Path::new("-"));
    let exported = export::export_view(&ledger, &query, format, file, &ctx.run())?;
    match &exported.text {
        Some(text) => ui.answer(text)?,
        None => ui.show(&exported)?,
    }
    Ok(Exit::Done)
}
