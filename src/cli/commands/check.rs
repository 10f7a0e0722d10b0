//! `check`: judge a file without a ledger.

use super::import::{self, Reading};
use crate::app::import::{ImportOptions, MappingChoice, SymbolChoice, symbol_of_name};
use crate::app::market::{self, MarketOptions};
use crate::app::report::FindingLine;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::shell::quoted;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series};
use crate::render::ReviewPage;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger check AAPL.csv                   is it usable, and what is wrong with it
  volledger check AAPL.csv --series spot     as a file of prices
  volledger check 2025-11-07.csv.gz          a flat file of bars
  volledger check AAPL_chain.csv --date 2025-11-07
  cat AAPL.csv | volledger check -           from standard input

Exits with 0 when every row is usable, 11 when rows would be rejected or somebody should decide
about what was found, 1 when nothing is usable.";

/// Files that a hint names.
const FEW: usize = 4;

/// Judge a file without a ledger
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CheckArgs {
    /// The files; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What it holds: iv, hv, spot, index, bars, chain, earnings, moves or straddles; a mapping says it, and flat files and chains are told by their content
    #[arg(long, value_parser = SeriesParser, hide_possible_values = true)]
    series: Option<Series>,
    /// The session that the quotes of a chain are of, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    #[command(flatten)]
    reading: Reading,
    /// All findings, not the first 20
    #[arg(long)]
    full: bool,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &CheckArgs) -> Outcome<Exit> {
    let inputs = import::inputs(&args.files)?;
    let mapping = import::mapping(args.reading.mapping.as_deref())?;
    // A mapping says what its rows are.
    let said = match args.series {
        Some(series) => Some(series),
        None => crate::app::import::series_of(&mapping)?,
    };
    let market = match (said, inputs.all.first()) {
        (None, Some(first)) => market::series_of(first)?,
        (said, _) => said.filter(|series| matches!(series, Series::Bars | Series::Chain)),
    };
    let series = market.or(said).unwrap_or(Series::Iv);
    let staged = match market {
        Some(_) => {
            let options = market_options(args, series);
            market::check(&inputs.all, &options, &ctx.run())?
        }
        None => {
            let options = csv_options(args, series, mapping);
            crate::app::import::check(&inputs.all, &options, &ctx.run())?
        }
    };
    let (mut review, mut blocking) = (staged.review, staged.blocking);
    review.schema = "volledger/check/1";
    // Which symbol it is about was not said, so a column that says it contradicts nothing.
    let unsaid = args.reading.symbol().is_none();
    let named = |finding: &FindingLine| unsaid && finding.code == "other_symbols";
    let (by_column, findings) = review.findings.into_iter().partition::<Vec<_>, _>(named);
    review.findings = findings;
    blocking.retain(|text| !by_column.iter().any(|finding| finding.text == *text));
    ui.page(&ReviewPage { check: true, ..ReviewPage::new(&review, args.full) })?;
    let fatal = review.findings.iter().any(|finding| finding.severity == "fatal");
    let rows = &review.rows;
    Ok(if fatal || rows.accepted == 0 {
        let undated = |finding: &FindingLine| finding.code == "invalid_date";
        // No mapping adds rows, or a form of dates.
        let unmapped = rows.read == 0 || review.findings.iter().any(undated);
        let else_ = match unmapped {
            true => "",
            false => {
                "; `--mapping FILE` says which columns and units are meant, and the decimal mark"
            }
        };
        ui.hint(&format!("nothing in it can be used: {}{else_}", blocking.join("; ")));
        Exit::Failed
    } else if rows.rejected > 0 {
        ui.hint(&format!(
            "an import stages it and keeps the rejected rows without using them: {}",
            blocking.join("; ")
        ));
        Exit::Findings
    } else if !blocking.is_empty() {
        ui.hint(&format!("an import with `--yes` does not accept it: {}", blocking.join("; ")));
        Exit::Findings
    } else {
        let symbol = match args.files.as_slice() {
            _ if !by_column.is_empty() && series != Series::Index => {
                "--symbol-from column".to_owned()
            }
            [one] => symbol_of_name(&one.to_string_lossy())
                .map_or("-s SYMBOL".to_owned(), |symbol| format!("-s {symbol}")),
            _ => "--symbol-from name".to_owned(),
        };
        let words = match (series, args.date) {
            (Series::Bars, _) => String::new(),
            (Series::Chain, Some(date)) => format!(" --date {date}"),
            (Series::Chain, None) => " --date DATE".to_owned(),
            (series, _) if import::is_events(series) => String::new(),
            _ => format!(" {}", args.reading.words(&symbol)),
        };
        let files = args.files.iter().take(FEW).map(|file| quoted(&file.to_string_lossy()));
        let more = if args.files.len() > FEW { " …" } else { "" };
        let files = files.collect::<Vec<_>>().join(" ");
        ui.hint(&format!("import it with `volledger import {series} {files}{more}{words}`"));
        Exit::Done
    })
}

fn csv_options(args: &CheckArgs, series: Series, mapping: MappingChoice) -> ImportOptions {
    ImportOptions {
        series,
        mapping,
        symbol: symbol(args, series),
        keep: false,
        again: None,
        dry_run: true,
        full: args.full,
        snapshot: false,
    }
}

fn market_options(args: &CheckArgs, series: Series) -> MarketOptions {
    let given = match args.reading.symbol() {
        Some(SymbolChoice::Given(symbol)) => Some(symbol),
        _ => None,
    };
    MarketOptions {
        series,
        symbol: given,
        date: args.date,
        keep: false,
        again: None,
        dry_run: true,
        full: args.full,
    }
}

/// The symbol matters little for the quality of a file: its name will do, or any.
fn symbol(args: &CheckArgs, series: Series) -> SymbolChoice {
    if let Some(choice) = args.reading.symbol() {
        return choice;
    }
    // Tables of events are about many symbols, and say which.
    if import::is_events(series) {
        return SymbolChoice::FromColumn;
    }
    let name = args.files.first();
    let named = name.and_then(|name| symbol_of_name(&name.to_string_lossy()).ok());
    match named.or_else(|| "UNNAMED".parse().ok()) {
        Some(symbol) => SymbolChoice::Given(symbol),
        None => SymbolChoice::FromName,
    }
}
