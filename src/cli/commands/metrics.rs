//! `rank` and `snapshot`: which symbols are rich or cheap.

use crate::app::erase::Place;
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

impl MetricsArgs {
    fn asked(&self, ctx: &Context, ledger: &crate::app::Ledger) -> Outcome<Asked> {
        let at = ctx.at(ledger, self.knowledge.past.at.as_deref())?;
        let which = self.knowledge.which();
        Ok(Asked { symbols: self.symbols.clone(), at, date: self.date, which })
    }
}

/// Where metrics look.
fn place(asked: &Asked) -> Place<'_> {
    Place { symbols: &asked.symbols, to: asked.date, at: asked.at, ..Place::default() }
}

pub(in crate::cli) fn rank(ui: &mut Ui, ctx: &Context, args: &MetricsArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let asked = args.asked(ctx, &ledger)?;
    ctx.loud(ui, &ledger, &place(&asked))?;
    ui.page(&metrics::ranks(&ledger, &asked)?)?;
    Ok(Exit::Done)
}

pub(in crate::cli) fn snapshot(ui: &mut Ui, ctx: &Context, args: &MetricsArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let asked = args.asked(ctx, &ledger)?;
    ctx.loud(ui, &ledger, &place(&asked))?;
    let today = ctx.run().clock.today();
    ui.page(&metrics::snapshot(&ledger, &asked, today)?)?;
    Ok(Exit::Done)
}
