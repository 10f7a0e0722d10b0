//! `gaps`: trading days without a value.

use crate::app::erased::Place;
use crate::app::lookup;
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::{Series, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger gaps AAPL                 every view of one symbol
  volledger gaps --series iv          all symbols with IV
  volledger gaps AAPL -o csv          every hole, one a line";

/// Trading days without a value
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct GapsArgs {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// Only this view of one value a day: iv, hv, spot or index
    #[arg(long, value_parser = SeriesParser, hide_possible_values = true)]
    series: Option<Series>,
    #[command(flatten)]
    knowledge: Knowledge,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &GapsArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.knowledge.past.at.as_deref())?;
    ctx.loud(ui, &ledger, &Place { symbols: &args.symbols, at, ..Place::default() })?;
    let which = args.knowledge.which();
    ui.page(&lookup::gaps(&ledger, &args.symbols, args.series, at, which)?)?;
    Ok(Exit::Done)
}
