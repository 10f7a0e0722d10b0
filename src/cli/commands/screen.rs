//! `screen`: which symbols fulfil a condition.

use super::metrics::asked;
use crate::app::sql;
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger screen \"iv_percentile_504 > 75\"                   high against two years
  volledger screen \"iv_percentile_504 > 75 and iv_vs_ma20 < -0.10\"
  volledger screen \"iv_rank_252 >= 60 and skew <= 1.5 and iv_vs_hv20 > 0 and not stale\"
  volledger screen \"atm_iv > 2 * hv252\" AAPL MSFT --date 2025-12-12

Columns are those of `rank` and `snapshot` (`--json` of either names them): volatilities are
fractions, ranks and percentiles 0 to 100, term_m1_m2 and skew points. The words are SQL's.";

/// Which symbols fulfil a condition on their volatilities
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ScreenArgs {
    /// The condition
    condition: String,
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// The day [default: the newest of each symbol]
    #[arg(long)]
    date: Option<Day>,
    #[command(flatten)]
    knowledge: Knowledge,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ScreenArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let about = (args.symbols.as_slice(), args.date, &args.knowledge);
    let asked = asked(ui, ctx, &ledger, about, None)?;
    let today = ctx.run().clock.market_day();
    ui.page(&sql::screen(&ledger, &args.condition, &asked, today)?)?;
    Ok(Exit::Done)
}
