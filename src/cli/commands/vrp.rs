//! `earnings` and `vrp`: what stocks do on their announcements, and what their options pay for it.

use crate::app::earnings::{self, Announcing, BUNDLED, TierChanges, TierSet, Tiers, Which};
use crate::app::erased::Place;
use crate::app::metrics;
use crate::app::vantage::Vantage;
use crate::cli::args::Knowledge;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::config::Tuning;
use crate::domain::projection::ProjectionName;
use crate::domain::{Day, Series, Symbol};
use crate::render::numbers::counted;
use clap::{Args, Subcommand};
use std::path::Path;
use std::sync::Arc;

const EARNINGS_EXAMPLES: &str = "\
EXAMPLES
  volledger earnings LULU                                 what it did on its announcements
  volledger earnings LULU --projection earnings_moves@1   by the rule that looks a session too early
  volledger earnings LULU --date 2025-06-01 -o csv        seen from that day
  volledger earnings LULU --at 2025-06-01                 as the ledger stood then

A move is measured from the last close before the news to the session that reacts: of the day
itself for BMO and DMH, of the next session for AMC. A bar that is missing is said to be missing,
one that is still to come is awaited. An unknown timing is inferred from the gaps, and marked so.
Which move is summed up, and of how many announcements, say [quarters] and vrp.metric in
config.toml, as for `vrp`.";

/// What a stock did on its announcements, and when the next one is
#[derive(Debug, Args)]
#[command(after_help = EARNINGS_EXAMPLES)]
pub(in crate::cli) struct EarningsArgs {
    /// The symbol
    symbol: Symbol,
    /// The projection that moves are from
    #[arg(long, value_name = "NAME[@VERSION]", default_value = "earnings_moves")]
    projection: ProjectionName,
    /// The day to look from; moves that were not known before it are left out [default: today]
    #[arg(long)]
    date: Option<Day>,
    #[command(flatten)]
    knowledge: Knowledge,
}

const EXAMPLES: &str = "\
EXAMPLES
  volledger vrp LULU ADBE                           implied against past moves, by the newest quotes
  volledger vrp LULU --date 2025-12-06              as of that day; later facts are not looked at
  volledger vrp LULU --projection earnings_moves@1  with the moves of the original's rule
  volledger vrp scan --date 2025-12-10              every stock that announces on that day
  volledger vrp list LULU,ADBE,COST --json
  volledger vrp list LULU,ADBE --tiers balanced     other thresholds; or a file: --tiers ./my.toml

The implied move is a recorded straddle (`import straddles`) or the straddle of a chain
(`import chain`, `fetch chain`) at spot, of the first expiration that still holds the reaction.
The ratio is implied over the mean size of at most 12 past moves. With fewer than 4 there is no
ratio, and that is said. Tiers are data: seed (2.0 / 1.5 / 1.2), balanced, aggressive, legacy.
Without --tiers they are those of [vrp] and [quarters] in config.toml (`volledger config show`).";

/// Whether options pay more than announcements move a stock
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct VrpArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// The symbols
    #[arg(required = true)]
    symbols: Vec<Symbol>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every stock that announces on a day
    Scan(How),
    /// Stocks of a list: LULU,ADBE,COST
    List {
        /// The symbols, with commas or blanks between
        #[arg(required = true, value_delimiter = ',')]
        symbols: Vec<Symbol>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
struct How {
    /// The day [default: of each stock's newest quotes; of a scan today]
    #[arg(long)]
    date: Option<Day>,
    /// The projection that past moves are from
    #[arg(long, value_name = "NAME[@VERSION]", default_value = "earnings_moves")]
    projection: ProjectionName,
    /// The thresholds: a bundled set (seed, balanced, aggressive, legacy) or a file [default: of
    /// the settings, seed]
    #[arg(long, value_name = "NAME|FILE")]
    tiers: Option<String>,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// The set that the settings describe.
pub(super) fn of_settings(tuning: &Tuning<'_>) -> Outcome<TierSet> {
    let word = |key: &str| tuning.text(key).unwrap_or_default().to_lowercase();
    let (excellent, good) = (tuning.number("vrp.excellent"), tuning.number("vrp.good"));
    let tiers = Tiers { excellent, good, marginal: tuning.number("vrp.marginal") };
    let quarters = ["quarters.min", "quarters.max"].map(|key| tuning.whole(key) as usize);
    let (metric, quarters) = (word("vrp.metric"), (quarters[0], quarters[1]));
    let set = TierSet::bundled(&word("vrp.profile"))?;
    Ok(set.changed(&TierChanges { tiers, metric, quarters }))
}

/// Says where the thresholds of the settings stand over the set that they name.
fn tell_changed(ui: &mut Ui, tuning: &Tuning<'_>) {
    let over = ["vrp.excellent", "vrp.good", "vrp.marginal"].map(|key| (key, tuning.is_set(key)));
    let over: Vec<&str> = over.iter().filter(|(_, is)| *is).map(|(key, _)| *key).collect();
    if !over.is_empty() {
        let profile = tuning.text("vrp.profile").unwrap_or_default().to_lowercase();
        ui.note(&format!("the settings say {} instead of the set {profile}", over.join(", ")));
    }
}

/// A bundled set by its name, or the file of that path.
fn tiers(named: &str) -> Outcome<TierSet> {
    if BUNDLED.iter().any(|(name, _)| *name == named) || !Path::new(named).exists() {
        return Ok(TierSet::bundled(named)?);
    }
    let text =
        std::fs::read_to_string(named).map_err(|source| Failure::unreadable(named, source))?;
    Ok(TierSet::parse(named, &text)?)
}

/// The views that moves, straddles and chains come from.
const READ: [Series; 6] = [
    Series::Earnings,
    Series::Moves,
    Series::Straddles,
    Series::Spot,
    Series::Splits,
    Series::Chain,
];

/// The ledger to look from; says what was erased of `symbols` (none means all).
fn vantage(
    ui: &mut Ui,
    ctx: &Context,
    knowledge: &Knowledge,
    symbols: &[Symbol],
) -> Outcome<Vantage> {
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, knowledge.past.at.as_deref())?;
    ctx.loud(ui, &ledger, &Place { series: &READ, symbols, at, ..Place::default() })?;
    let which: metrics::Which = knowledge.which();
    Ok(Vantage::new(Arc::new(ledger), &ctx.run().registry, at, which)?)
}

pub(in crate::cli) fn earnings(ui: &mut Ui, ctx: &Context, args: &EarningsArgs) -> Outcome<Exit> {
    let vantage = vantage(ui, ctx, &args.knowledge, std::slice::from_ref(&args.symbol))?;
    let set = of_settings(&Tuning::of(&ctx.settings.files))?;
    let dates = (args.date, ctx.run().clock.market_day());
    ui.page(&earnings::earnings(&vantage, &args.symbol, &args.projection, &set, dates)?)?;
    Ok(Exit::Done)
}

pub(in crate::cli) fn vrp(ui: &mut Ui, ctx: &Context, args: &VrpArgs) -> Outcome<Exit> {
    let (which, how) = match &args.what {
        Some(What::Scan(how)) => (Which::Announcing, how),
        Some(What::List { symbols, how }) => (Which::Symbols(symbols.clone()), how),
        None => (Which::Symbols(args.symbols.clone()), &args.how),
    };
    let set = match &how.tiers {
        Some(named) => tiers(named)?,
        None => {
            let tuning = Tuning::of(&ctx.settings.files);
            tell_changed(ui, &tuning);
            of_settings(&tuning)?
        }
    };
    let symbols = match &which {
        Which::Symbols(symbols) => symbols.as_slice(),
        Which::Announcing => &[],
    };
    let vantage = vantage(ui, ctx, &how.knowledge, symbols)?;
    let dates = (how.date, ctx.run().clock.market_day());
    let found = earnings::vrp(&vantage, &which, &how.projection, &set, dates)?;
    ui.page(&found)?;
    if matches!(which, Which::Announcing) && found.rows.is_empty() {
        ui.hint(&elsewhere(earnings::nearest(&vantage, how.date.unwrap_or(dates.1))?));
    }
    // One that fails changes nothing; all of them do.
    let failed = found.summary.errors > 0 && found.summary.errors == found.summary.symbols;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Where a scan that found nothing goes on: to the days before and after that have announcements. Told
/// as a flag, since the command may have had others.
fn elsewhere([last, next]: [Option<Announcing>; 2]) -> String {
    let of = |(day, stocks): Announcing| format!("`--date {day}` ({})", counted(stocks, "stock"));
    const MORE: &str = "`volledger import earnings FILE` or `volledger fetch earnings`";
    match (last.map(of), next.map(of)) {
        (Some(last), Some(next)) => {
            format!("the next announcements that are known: {next}; the last before it: {last}")
        }
        (None, Some(next)) => format!("the next announcements that are known: {next}"),
        (Some(last), None) => {
            format!("the last announcements that are known: {last}; later ones come with {MORE}")
        }
        (None, None) => format!("no announcement is known; they come with {MORE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    /// The settings know the numbers of each bundled set, since they check the order of all three.
    #[test]
    fn the_profiles_of_the_settings_are_the_bundled_sets() {
        for (name, _) in BUNDLED {
            let folder = tempfile::tempdir().unwrap();
            let text = format!("[vrp]\nprofile = \"{name}\"\n");
            std::fs::write(folder.path().join("config.toml"), text).unwrap();
            let settings = Settings::from_lookup(&|_| None).unwrap();
            let settings = settings.with_files(folder.path(), None).unwrap();
            let tuning = Tuning::of(&settings.files);
            let tiers = TierSet::bundled(name).unwrap().tiers;
            let (excellent, good) = (tuning.number("vrp.excellent"), tuning.number("vrp.good"));
            let marginal = tuning.number("vrp.marginal");
            assert_eq!(Tiers { excellent, good, marginal }, tiers, "{name}");
        }
    }
}
