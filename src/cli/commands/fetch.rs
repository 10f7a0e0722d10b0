//! `fetch`: plan what is missing, ask the service, review what came, and decide.

use super::derive;
use crate::app::derive::Derivation;
use crate::app::fetch::{
    self, CoverageMap, Grouped, OutcomeLine, Plan, Service, ServiceOptions, Settled, Stop, What,
    Wish,
};
use crate::app::report::{FetchLine, FetchPlan, FetchReport, Review};
use crate::app::{AppError, Ledger};
use crate::cli::args::Decide;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::flow;
use crate::cli::ui::Ui;
use crate::config::PolygonSettings;
use crate::domain::{BatchState, Calendar, Day, Fact, Symbol, eastern};
use crate::render::{FetchPage, ReviewPage};
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
use std::sync::Arc;

const EXAMPLES: &str = "\
EXAMPLES
  volledger fetch spot AAPL MSFT --years 5 --dry-run    what it would ask, and how long it takes
  volledger fetch spot @watchlist.txt --years 5         one symbol a line; # begins a remark
  volledger fetch index I:VIX --from 2024-01-01
  volledger fetch chain AAPL                            the chain as it is now
  volledger fetch bars SPY --timespan 5minute --days 10
  volledger fetch contracts QQQ --date 2025-05-15
  volledger fetch spot @watchlist.txt --yes --max-change-points 25 --max-rejected 0   (cron)

The key stands in MASSIVE_API_KEY or POLYGON_API_KEY, or in a private file that config.toml names:
  [polygon]
  api_key_file = \"~/.config/volledger/polygon.key\"
  requests_per_minute = 5

Only days that the ledger has no answer about are asked. Stopped at any moment, the same
command goes on where it was. `volledger gaps` and `volledger status` show what is covered.";

/// Ask Polygon (Massive) for what is missing, review it, and decide
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct FetchArgs {
    /// What to fetch
    #[arg(value_enum)]
    what: WhatArg,
    /// Symbols, or @FILE with one a line
    #[arg(value_name = "SYMBOL|@FILE")]
    symbols: Vec<String>,
    /// First day
    #[arg(long, conflicts_with_all = ["years", "days", "date"])]
    from: Option<Day>,
    /// Last day [default: the last session before today]
    #[arg(long, conflicts_with = "date")]
    to: Option<Day>,
    /// Years back from the last day [default: 2, or PRICE_HISTORY_LOOKBACK_YEARS]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    years: Option<u32>,
    /// Days back from the last day
    #[arg(long, value_name = "N", conflicts_with_all = ["years", "date"], value_parser = clap::value_parser!(u32).range(1..=40_000))]
    days: Option<u32>,
    /// One day (contracts as of it)
    #[arg(long)]
    date: Option<Day>,
    /// Length of bars: 1minute, 5minute, 1hour …
    #[arg(long, default_value = "1minute", value_parser = timespan)]
    timespan: String,
    /// Only this expiry of a chain; may be given several times
    #[arg(long, value_name = "DATE")]
    expiry: Vec<Day>,
    /// Ask again for days that are covered
    #[arg(long)]
    refresh: bool,
    /// One request for all symbols of a day instead of one per symbol
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    grouped: GroupedArg,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    decide: Decide,
    /// Plan only: nothing is asked or appended
    #[arg(long)]
    dry_run: bool,
    /// Do not compute what follows (hv from closes, iv from chains) after the confirmation
    #[arg(long)]
    no_derive: bool,
    /// The answers only fill holes; values that are shown stay
    #[arg(long)]
    fill_only: bool,
    /// Stage content again that was rolled back or discarded before
    #[arg(long, requires = "reason")]
    again: bool,
    /// Why it is staged again
    #[arg(long, value_name = "TEXT", requires = "again")]
    reason: Option<String>,
    /// All changes and findings, not the largest 20
    #[arg(long)]
    full: bool,
}

/// How the service is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Service")]
struct ServiceArgs {
    /// Where it is [default: https://api.massive.com]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Requests a minute, retries and pages included; 0 is no limit [default: 5, the free plan]
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// Requests under way at a time [default: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhatArg {
    /// Daily bars of stocks
    Spot,
    /// Intraday bars
    Bars,
    /// Option chain snapshots, always of now
    Chain,
    /// Option contracts as listed on a day
    Contracts,
    /// Daily levels of indices (I:VIX)
    Index,
    /// News articles
    News,
    /// Stock splits
    Splits,
    /// Dividends
    Dividends,
    /// Coming holidays and the market's status
    Calendar,
    /// The session so far of tickers of any kind
    Quotes,
    /// What is known of tickers themselves
    Tickers,
}

impl From<WhatArg> for What {
    fn from(what: WhatArg) -> Self {
        match what {
            WhatArg::Spot => Self::Spot,
            WhatArg::Bars => Self::Bars,
            WhatArg::Chain => Self::Chain,
            WhatArg::Contracts => Self::Contracts,
            WhatArg::Index => Self::Index,
            WhatArg::News => Self::News,
            WhatArg::Splits => Self::Splits,
            WhatArg::Dividends => Self::Dividends,
            WhatArg::Calendar => Self::Calendar,
            WhatArg::Quotes => Self::Quotes,
            WhatArg::Tickers => Self::Tickers,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GroupedArg {
    /// Where it needs fewer requests
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A length of bars: a number and a unit.
fn timespan(text: &str) -> Result<String, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (size, unit) = text.split_at(digits);
    let size: u32 =
        if size.is_empty() { 1 } else { size.parse().map_err(|_| "a number is due")? };
    match unit {
        "second" | "minute" | "hour" if (1..=10_000).contains(&size) => Ok(format!("{size}{unit}")),
        _ => Err("bars are of seconds, minutes or hours: 1minute, 5minute, 1hour (daily bars are \
                  `fetch spot`)"
            .to_owned()),
    }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &FetchArgs) -> Outcome<Exit> {
    let settings = PolygonSettings::from_environment()?;
    if settings.keys_differ {
        ui.note("MASSIVE_API_KEY and POLYGON_API_KEY hold two keys; the first one is used");
    }
    let wish = wish(ctx, args, &settings)?;
    let per_minute = args.service.requests_per_minute.unwrap_or(settings.requests_per_minute);

    // The ledger is not held while the service is asked: that may take hours.
    let ledger = ctx.open(ui)?;
    let coverage = CoverageMap::of(&ledger)?;
    let mut plan = fetch::plan(&wish, &coverage, Calendar::nyse());
    let directory = ledger.directory().map(std::path::Path::to_owned).unwrap_or_default();
    drop(ledger);
    let mut inbox = fetch::open_inbox(&directory, &ctx.holder(), ctx.settings.patience)?;
    let (waiting, _) = fetch::waiting(&inbox);
    let kept = plan.questions.len();
    plan.questions.retain(|asked| waiting.iter().all(|kept| kept.question != *asked));
    let kept = kept - plan.questions.len();
    let mut report = FetchReport {
        schema: "volledger/fetch/1",
        plan: FetchPlan::of(&plan, kept, per_minute, args.dry_run),
        ..FetchReport::default()
    };
    if args.dry_run {
        ui.page(&FetchPage { report: &report, planned: true })?;
        ui.hint("nothing was asked; leave out `--dry-run` to ask");
        return Ok(Exit::Done);
    }
    announce(ui, &plan, &report.plan);
    if !plan.questions.is_empty() {
        let (key, jobs) =
            (settings.key.clone(), args.service.jobs.map_or(settings.jobs, usize::from));
        if !settings.has_key() {
            return Err(Failure::of(
                Exit::Credentials,
                "there is no key for the service",
                "put it into MASSIVE_API_KEY (or POLYGON_API_KEY), or into a private file that \
                 config.toml names: see `volledger fetch --help`",
            ));
        }
        let base_url = args.service.base_url.clone().unwrap_or(settings.base_url);
        let service = Service::new(ServiceOptions { base_url, key, per_minute, jobs })?;
        let stop = Arc::new(Stop::default());
        let heard = Arc::clone(&stop);
        // A second handler is refused only when a test runs two fetches in one process.
        let _ = ctrlc::set_handler(move || heard.set());
        let asked = service.ask(&plan, &mut inbox, &stop, &ctx.run())?;
        report.requests = asked.requests;
        report.stopped = asked.stopped;
        let kept = fetch::waiting(&inbox).0.len();
        if let Some(text) = asked.refused {
            return Err(Failure::of(
                Exit::Credentials,
                format!("the service refused the key from {}: {text}", settings.key_from),
                format!("check the key; {kept} answers are kept, and the same command goes on"),
            ));
        }
        if asked.stopped {
            return Err(Failure::of(
                Exit::Interrupted,
                format!("stopped; {kept} of {} answers are kept", plan.questions.len()),
                "the same command goes on where it was",
            ));
        }
    }
    let mut ledger = ctx.open(ui)?;
    let options =
        fetch::SettleOptions { keep: args.fill_only, again: args.reason.clone(), full: args.full };
    let settled = fetch::settle(&mut ledger, &mut inbox, &options, &ctx.run())?;
    drop(inbox);
    finish(ui, ctx, &mut ledger, settled, report, &wish, args)
}

/// Shows what came, and goes on to the decision about it.
fn finish(
    ui: &mut Ui,
    ctx: &Context,
    ledger: &mut Ledger,
    settled: Settled,
    mut report: FetchReport,
    wish: &Wish,
    args: &FetchArgs,
) -> Outcome<Exit> {
    report.dropped = settled.dropped as u64;
    report.outcomes = settled.outcomes.iter().flat_map(FetchLine::of).collect();
    let told = verdict(&settled.outcomes);
    if ui.for_people() {
        ui.show(&FetchPage { report: &report, planned: false })?;
    }
    let mut own = None;
    for staged in settled.staged {
        let of_wish = staged.batch.and_then(|id| ledger.batches().get(id));
        if of_wish.is_some_and(|batch| batch.stage.series == wish.what.series()) {
            own = Some(staged);
        } else if let Some(batch) = staged.batch {
            ui.note(&format!("{batch} was staged from an earlier fetch that had been interrupted"));
        }
    }
    let exit = match own {
        Some(mut staged) => {
            staged.review.fetch = Some(Box::new(report));
            let batch = staged.batch;
            let exit = flow::finish(ui, ctx, ledger, staged, &args.decide, args.full)?;
            let state = batch.and_then(|id| ledger.batches().get(id)).map(|batch| batch.state());
            if let (Some(BatchState::Active), Some(what), false) =
                (state, follows(wish.what), args.no_derive)
            {
                derive::follow(ui, ctx, ledger, what, &wish.symbols)?;
            }
            exit
        }
        None => {
            let mut review = Review::of_nothing(ledger.position().0, "polygon/1");
            review.fetch = Some(Box::new(report));
            if ui.for_people() {
                ui.tell("Nothing new: the ledger knows all of it already")?;
            } else {
                ui.show(&ReviewPage { review: &review, full: args.full, check: false })?;
            }
            Exit::Done
        }
    };
    Ok(match told {
        Some((told, text, hint)) => {
            ui.say(&format!("! {text}"));
            ui.hint(hint);
            told
        }
        None => exit,
    })
}

/// What is computed from what was fetched.
fn follows(what: What) -> Option<Derivation> {
    match what {
        What::Spot => Some(Derivation::Hv),
        What::Chain => Some(Derivation::Iv),
        _ => None,
    }
}

/// What the answers say as a whole, when not all is well.
fn verdict(outcomes: &[OutcomeLine]) -> Option<(Exit, String, &'static str)> {
    let has = |outcome: &OutcomeLine, fact| outcome.facts.iter().any(|(_, _, f)| *f == fact);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| has(outcome, Fact::Failed)).collect();
    let name = |outcome: &OutcomeLine| {
        let symbol = outcome.question.symbol.as_ref().map(ToString::to_string);
        format!("{} ({})", symbol.unwrap_or_else(|| "all symbols".into()), outcome.ended)
    };
    if let Some(first) = failed.first() {
        let refused = failed.iter().all(|outcome| outcome.ended == "rejected");
        let exit = if refused { Exit::Failed } else { Exit::Network };
        let count = failed.len();
        let text = format!(
            "{count} of {} questions failed, the first was {}: {}",
            outcomes.len(),
            name(first),
            first.text
        );
        return Some((exit, text, "the same command asks for the rest again"));
    }
    let any = outcomes.iter().any(|outcome| has(outcome, Fact::Data));
    let denied = outcomes.iter().find(|outcome| has(outcome, Fact::NotEntitled));
    if let (false, Some(denied)) = (any, denied) {
        let text = format!("the plan does not include {}: {}", name(denied), denied.text);
        let hint = "after a change of plan ask again with `--refresh`";
        return Some((Exit::Plan, text, hint));
    }
    let lost = outcomes.iter().find(|outcome| outcome.ended == "not-found");
    if let (false, Some(lost)) = (any, lost) {
        let text = format!("the service does not know {}: {}", name(lost), lost.text);
        return Some((Exit::Failed, text, "check the symbol; indices begin with `I:`"));
    }
    None
}

fn announce(ui: &mut Ui, plan: &Plan, told: &FetchPlan) {
    let count = plan.questions.len();
    let mut text = match count {
        0 => "Plan: nothing to ask".to_owned(),
        1 => "Plan: 1 request".to_owned(),
        _ => format!("Plan: {count} requests"),
    };
    match told.requests_per_minute {
        0 => {}
        n if count > 1 => {
            text += &format!(", at {n} a minute at least {}", duration(told.seconds));
        }
        n => text += &format!(", {n} a minute allowed"),
    }
    if told.kept > 0 {
        text += &format!("; {} answers are kept from an interrupted fetch", told.kept);
    }
    if told.covered > 0 {
        text += &format!("; of {} symbols nothing is missing", told.covered);
    }
    ui.say(&text);
}

/// A duration as a person says it.
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// What the words of the command wish for.
fn wish(ctx: &Context, args: &FetchArgs, settings: &PolygonSettings) -> Outcome<Wish> {
    let what = What::from(args.what);
    let symbols = symbols(&args.symbols, what)?;
    if symbols.is_empty() && what != What::Calendar {
        let hint = "for example `volledger fetch spot AAPL`, or `@FILE` with one symbol a line";
        return Err(Failure::usage("which symbols?", hint));
    }
    let now_ms = ctx.run().clock.now_ms();
    let today = eastern::day_of(now_ms).unwrap_or_default();
    let last = match what {
        What::News | What::Splits | What::Dividends => today,
        // Bars of a running session would change; the service refuses them on the free plan.
        _ => Calendar::nyse().previous_open(today),
    };
    let to = args.date.or(args.to).unwrap_or(last);
    let years = args.years.unwrap_or(settings.years);
    let from = match (args.from, args.days, args.date) {
        (Some(from), ..) => from,
        (_, Some(days), _) => Day(to.0 - days as i32 + 1),
        (.., Some(date)) => date,
        _ if what == What::Contracts => to,
        // One request has all of them, and adjusting prices needs them from the beginning.
        _ if args.years.is_none() && matches!(what, What::Splits | What::Dividends) => {
            Day::from_ymd(2003, 9, 10).unwrap_or(to).min(to)
        }
        _ => Day(to.0 - 365 * years as i32),
    };
    if from > to {
        let text = format!("{from} is after {to}");
        return Err(Failure::usage(text, "give `--from` a day before `--to`"));
    }
    let grouped = match args.grouped {
        GroupedArg::Auto => Grouped::Auto,
        GroupedArg::Always => Grouped::Always,
        GroupedArg::Never => Grouped::Never,
    };
    let (timespan, expiries) = (args.timespan.clone(), args.expiry.clone());
    let refresh = args.refresh;
    Ok(Wish { what, symbols, from, to, timespan, expiries, refresh, grouped, now_ms })
}

/// The symbols of the command line and of its files, each once.
fn symbols(words: &[String], what: What) -> Outcome<Vec<Symbol>> {
    let mut texts: Vec<String> = Vec::new();
    for word in words {
        let Some(path) = word.strip_prefix('@') else {
            texts.push(word.clone());
            continue;
        };
        let file = std::fs::read_to_string(path);
        let file = file.map_err(|error| Failure::unreadable(path, error))?;
        let lines = file.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        texts.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let mut seen = BTreeSet::new();
    let mut symbols = Vec::new();
    for text in texts {
        let text = match what {
            What::Index if !text.contains(':') => format!("I:{text}"),
            _ => text,
        };
        let symbol: Symbol = text.parse().map_err(|error: crate::domain::symbol::NotASymbol| {
            Failure::from(AppError::Usage(error.to_string()))
        })?;
        if seen.insert(symbol.clone()) {
            symbols.push(symbol);
        }
    }
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_bars_are_checked() {
        assert_eq!(timespan("minute").unwrap(), "1minute");
        assert_eq!(timespan("5minute").unwrap(), "5minute");
        for wrong in ["", "5", "day", "1day", "0minute", "99999minute", "minutes"] {
            assert!(timespan(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_watchlist_is_one_symbol_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "aapl\n# tech\nMSFT  # the other\n\nAAPL\n").unwrap();
        let words = [format!("@{}", file.path().display()), "spy".to_owned()];
        let found = symbols(&words, What::Spot).unwrap_or_else(|_| panic!("refused"));
        let names: Vec<_> = found.iter().map(Symbol::as_str).collect();
        assert_eq!(names, ["AAPL", "MSFT", "SPY"]);
        let vix = symbols(&["vix".to_owned()], What::Index).unwrap_or_else(|_| panic!("refused"));
        assert_eq!(vix[0].as_str(), "I:VIX");
        assert!(symbols(&["@/no/such".to_owned()], What::Spot).is_err());
    }

    #[test]
    fn durations_are_said_shortly() {
        for (seconds, want) in [(0.0, "0 s"), (59.2, "1 min 0 s"), (5988.0, "1 h 39 min")] {
            assert_eq!(duration(seconds), want);
        }
    }
}
