//! `rank` and `snapshot`: which symbols are rich or cheap.

use crate::app::Ledger;
use crate::app::erased::Place;
use crate::app::metrics::{self, Asked};
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger rank                          every symbol, the dearest first
  volledger rank AAPL MSFT --date 2025-12-12
  volledger snapshot -o csv               one line a symbol, each value with its day
  volledger snapshot --at 2025-06-30      as the ledger stood then
  volledger rank --first                  from the values that were confirmed first

A rank wants 252 observations before the day (378 for the two-year one); with fewer there is
none. Days after the one asked for are never looked at.";

/// What to look at
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct MetricsArgs {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// The day [default: the newest of each symbol]
    #[arg(long)]
    date: Option<Day>,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// What a command about symbols on a day asks; says what was erased of that, up to the day `to`.
pub(super) fn asked(
    ui: &mut Ui,
    ctx: &Context,
    ledger: &Ledger,
    (symbols, date, knowledge): (&[Symbol], Option<Day>, &Knowledge),
    to: Option<Day>,
) -> Outcome<Asked> {
    let at = ctx.at(ledger, knowledge.past.at.as_deref())?;
    ctx.loud(ui, ledger, &Place { symbols, to, at, ..Place::default() })?;
    Ok(Asked { symbols: symbols.to_vec(), at, date, which: knowledge.which() })
}

pub(in crate::cli) fn rank(ui: &mut Ui, ctx: &Context, args: &MetricsArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let about = (args.symbols.as_slice(), args.date, &args.knowledge);
    let asked = asked(ui, ctx, &ledger, about, args.date)?;
    ui.page(&metrics::ranks(&ledger, &asked)?)?;
    Ok(Exit::Done)
}

pub(in crate::cli) fn snapshot(ui: &mut Ui, ctx: &Context, args: &MetricsArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let about = (args.symbols.as_slice(), args.date, &args.knowledge);
    // The announcement that comes next may be on any later day.
    let asked = asked(ui, ctx, &ledger, about, None)?;
    let today = ctx.run().clock.market_day();
    ui.page(&metrics::snapshot(&ledger, &asked, today)?)?;
    Ok(Exit::Done)
}
