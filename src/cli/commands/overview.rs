//! `overview`: which strategies a set of rules recommends.

use super::metrics::asked;
use crate::app::overview;
use crate::app::rules::{BUNDLED, RuleSet};
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Symbol};
use clap::Args;
use std::path::Path;

const EXAMPLES: &str = "\
EXAMPLES
  volledger overview                            TOMIC's overview, over all symbols
  volledger overview --rules windowed           the same strategies by our own ranks
  volledger overview AAPL CVX --date 2025-12-05   of that day; later days are not looked at
  volledger overview --rules ./mine.toml        by rules of your own
  volledger overview --print-rules --rules windowed > mine.toml
  volledger overview --list-rules               sets, their criteria, and what these can use

The default set, tomic-compat, is for comparing with TOMIC: its ranks lie on 0 to 1, are measured
against the whole file and guess the scale of each value. Ranks stored in its files are taken as
they are, but for days whose volatility another source replaced since. The set windowed
ranks a day among its last 252 or 504 observations, on 0 to 100.

Criteria are SQL expressions, all of which must hold; one that needs a missing value does not.
Each part of a line is the newest record up to the day, and says so when that is another day.
A strategy that wants clear days before earnings looks at the calendar (`import earnings`); a symbol
without an announcement to come passes.";

/// Which strategies a set of rules recommends
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct OverviewArgs {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// The rules: a bundled set (tomic-compat, windowed) or a file
    #[arg(long, value_name = "NAME|FILE")]
    rules: Option<String>,
    /// The day [default: the newest records, seen from today]
    #[arg(long)]
    date: Option<Day>,
    /// List the rules, all bundled sets or the one given, and what criteria can use
    #[arg(long, conflicts_with_all = ["symbols", "date", "print_rules"])]
    list_rules: bool,
    /// Print the rules as a file to start from
    #[arg(long, conflicts_with_all = ["symbols", "date"])]
    print_rules: bool,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// A bundled set by its name, or the file of that path.
fn rules(named: &str) -> Outcome<RuleSet> {
    if BUNDLED.iter().any(|(name, _)| *name == named) || !Path::new(named).exists() {
        return Ok(RuleSet::bundled(named)?);
    }
    let text =
        std::fs::read_to_string(named).map_err(|source| Failure::unreadable(named, source))?;
    Ok(RuleSet::parse(named, &text)?)
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &OverviewArgs) -> Outcome<Exit> {
    if args.list_rules && args.rules.is_none() {
        let all: Result<Vec<RuleSet>, _> =
            BUNDLED.iter().map(|(name, _)| RuleSet::bundled(name)).collect();
        ui.page(&overview::described(&all?))?;
        return Ok(Exit::Done);
    }
    let set = rules(args.rules.as_deref().unwrap_or(BUNDLED[0].0))?;
    if args.list_rules {
        ui.page(&overview::described(&[set]))?;
        return Ok(Exit::Done);
    }
    if args.print_rules {
        ui.answer(&set.text)?;
        return Ok(Exit::Done);
    }
    let ledger = ctx.open(ui)?;
    let about = (args.symbols.as_slice(), args.date, &args.knowledge);
    let asked = asked(ui, ctx, &ledger, about, None)?;
    let today = ctx.run().clock.market_day();
    let earnings = overview::known_earnings(&ledger, &asked)?;
    ui.page(&overview::overview(&ledger, &asked, &set, &earnings, today)?)?;
    Ok(Exit::Done)
}
