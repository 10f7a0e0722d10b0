//! `why`: where a value comes from.

use crate::app::trace;
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger why iv AAPL 2024-08-05             all fields of that day
  volledger why iv AAPL 2024-08-05 atm_iv      one of them
  volledger why iv AAPL 2024-08-05 --at '#4'   as the ledger stood after #4
  volledger why chain AAPL 2023-06-27 bid --item O:AAPL230630C00190000";

/// Where a value comes from, and what it replaced
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct WhyArgs {
    /// The view: iv, hv, spot, chain and so on
    #[arg(value_parser = SeriesParser, hide_possible_values = true)]
    series: Series,
    /// The symbol
    symbol: Symbol,
    /// The day, YYYY-MM-DD
    date: Day,
    /// One field, for example atm_iv; none means all
    field: Option<String>,
    /// Which contract, bar or article, where a day has several (its end suffices)
    #[arg(long)]
    item: Option<String>,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &WhyArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.past.at.as_deref())?;
    let (item, field) = (args.item.as_deref(), args.field.as_deref());
    let why = trace::why(&ledger, args.series, &args.symbol, args.date, item, field, at)?;
    ui.page(&why)?;
    for erasure in &why.erasures {
        ui.note(&format!("something about this day was {erasure}; an older value may show"));
    }
    if let Some(first) = why.fields.first() {
        ui.hint(&format!("the whole batch: `volledger batch show {}`", first.event.batch));
    }
    Ok(Exit::Done)
}
