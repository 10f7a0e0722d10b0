//! `coverage`: the health of the data, symbol by symbol.

use super::metrics::asked;
use crate::app::coverage;
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger coverage                      prices and volatilities of every symbol, and what is wrong
  volledger coverage AAPL TSLA            of these, also where nothing is there
  volledger coverage --date 2025-12-05    as seen on that day; of later ones only announcements
  volledger coverage -o csv               one line a symbol

Issues: missing_spot, missing_hv, missing_iv, missing_earnings; iv_history_insufficient (fewer than
252 values above zero); spot_stale (newest more than 3 calendar days back), hv_stale, iv_stale (7),
earnings_stale (latest 120); earnings_missing_future (no announcement to come is known);
hv_before_spot, hv_after_spot, iv_before_spot, iv_after_spot (newest days differ); iv_gaps(2:12d),
two holes of five trading days or more, 12 in all. `volledger gaps` has the smaller ones.";

/// The health of the data
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CoverageArgs {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// The day that staleness is measured from [default: today]
    #[arg(long)]
    date: Option<Day>,
    #[command(flatten)]
    knowledge: Knowledge,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &CoverageArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    // The announcement that comes next may be on any later day.
    let about = (args.symbols.as_slice(), args.date, &args.knowledge);
    let asked = asked(ui, ctx, &ledger, about, None)?;
    let today = ctx.run().clock.market_day();
    ui.page(&coverage::coverage(&ledger, &asked, today)?)?;
    Ok(Exit::Done)
}
