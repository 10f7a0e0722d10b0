//! The words of `fetch`, and what they wish for.

use crate::app::AppError;
use crate::app::fetch::{Grouped, Provider, What, Wish};
use crate::cli::args::{Again, Decide, Overlap, in_order};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::config::PolygonSettings;
use crate::domain::{Calendar, Day, Symbol, eastern};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
EXAMPLES
  volledger fetch spot AAPL MSFT --years 5 --dry-run    what it would ask, and how long it takes
  volledger fetch spot @watchlist.txt --years 5         one symbol a line; # begins a remark
  volledger fetch index I:VIX --from 2024-01-01
  volledger fetch chain AAPL                            the chain as it is now
  volledger fetch bars SPY --timespan 5minute --days 10
  volledger fetch contracts QQQ --date 2025-05-15
  volledger fetch spot @watchlist.txt --yes --max-change-points 25 --max-rejected 0   (cron)
  volledger fetch earnings                              Alpha Vantage's calendar of 3 months
  volledger fetch earnings LULU ADBE                    and what these two announced before
  volledger fetch spot LULU --days 90 --source alpha-vantage      daily prices as traded
  volledger fetch chain LULU --source tradier           the quote, then each expiration's chain

The key stands in MASSIVE_API_KEY or POLYGON_API_KEY, or in a private file that config.toml names:
  [polygon]
  api_key_file = \"~/.config/volledger/polygon.key\"
  requests_per_minute = 5

Alpha Vantage's key stands in ALPHA_VANTAGE_API_KEY, Tradier's in TRADIER_API_KEY, or in such a
file of [alpha_vantage] or [tradier]. Alpha Vantage allows 5 requests a minute and 25 in 24 hours;
those of earlier runs are counted from the ledger, and what is left over is asked the next day. A
live page of Tradier that was recorded a moment ago (prices 30 s, chains 60 s) is not asked again
without --refresh.

Where that is fewer requests, a day's prices are asked of all stocks at once. The answer is kept
whole, and of it only the stocks that were named are taken. One that it lacks is recorded as empty
(`volledger gaps SYMBOL`) and asked about alone the next time. A calendar of announcements that is
asked of all is taken whole.

Only days that the ledger has no answer about are asked. What the service's plan did not include is
named each time (exit code 42 where nothing else of what is wanted is known) and asked again with
--refresh; what it refused of days behind some that came is asked until it comes. Stopped at any
moment, the same command goes on where it was. `volledger gaps` shows which days of Polygon's daily
prices are covered, `volledger status` how many questions of each view.";

/// Ask a service for what is missing, review it, and decide
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("again", |again| again.help("Ask again for days whose data was rolled back")))]
pub(in crate::cli) struct FetchArgs {
    /// What to fetch
    #[arg(value_parser = one_of(&WHAT))]
    pub(super) what: What,
    /// Symbols, or @FILE with one a line
    #[arg(value_name = "SYMBOL|@FILE")]
    pub(super) symbols: Vec<String>,
    /// Which service is asked [default: polygon; of earnings alpha-vantage]
    #[arg(long, value_parser = one_of(&SOURCE), value_name = "SERVICE")]
    pub(super) source: Option<Provider>,
    /// First day
    #[arg(long, conflicts_with_all = ["years", "days", "date"])]
    pub(super) from: Option<Day>,
    /// Last day [default: the last session before today]
    #[arg(long, conflicts_with = "date")]
    pub(super) to: Option<Day>,
    /// Years back from the last day [default: 2, or PRICE_HISTORY_LOOKBACK_YEARS]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) years: Option<u32>,
    /// Days back from the last day
    #[arg(long, value_name = "N", conflicts_with_all = ["years", "date"], value_parser = clap::value_parser!(u32).range(1..=40_000))]
    pub(super) days: Option<u32>,
    /// One day (contracts as of it)
    #[arg(long)]
    pub(super) date: Option<Day>,
    /// Length of bars: 1minute, 5minute, 1hour … [default: 1minute; Alpha Vantage has days only]
    #[arg(long, value_parser = timespan)]
    pub(super) timespan: Option<String>,
    /// How far the calendar of announcements reaches
    #[arg(long, value_name = "MONTHS", default_value = "3month", value_parser = ["3month", "6month", "12month"])]
    pub(super) horizon: String,
    /// Only this expiry of a chain; may be given several times
    #[arg(long, value_name = "DATE")]
    pub(super) expiry: Vec<Day>,
    /// Ask again for days that are covered
    #[arg(long)]
    pub(super) refresh: bool,
    /// One request about all stocks instead of one per symbol (of a day's prices, of a calendar)
    #[arg(long, value_parser = one_of(&GROUPED), default_value = "auto", value_name = "WHEN")]
    pub(super) grouped: Grouped,
    #[command(flatten)]
    pub(super) service: ServiceArgs,
    #[command(flatten)]
    pub(super) decide: Decide,
    /// Plan only: nothing is asked or appended
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Do not compute what follows (hv from closes, iv from chains) after the confirmation
    #[arg(long)]
    pub(super) no_derive: bool,
    /// What happens on days that are there already
    #[arg(long, value_enum, default_value = "replace")]
    pub(super) overlap: Overlap,
    #[command(flatten)]
    pub(super) again: Again,
    /// All changes and findings, not the largest 20
    #[arg(long)]
    pub(super) full: bool,
}

/// How the service is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Service")]
pub(super) struct ServiceArgs {
    /// Where it is [default: https://api.massive.com for Polygon]
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Requests a minute, retries and pages included; 0 is no limit [default: 5, of Tradier 120]
    #[arg(long, value_name = "N")]
    pub(super) requests_per_minute: Option<u32>,
    /// Requests under way at a time [default: 4, of Alpha Vantage 1, of Tradier 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) jobs: Option<u8>,
}

/// What can be fetched, under its word.
const WHAT: [(&str, What, &str); 12] = [
    ("spot", What::Spot, "Daily bars of stocks"),
    ("bars", What::Bars, "Intraday bars"),
    ("chain", What::Chain, "Option chain snapshots, always of now"),
    ("contracts", What::Contracts, "Option contracts as listed on a day"),
    ("index", What::Index, "Daily levels of indices (I:VIX)"),
    ("news", What::News, "News articles"),
    ("splits", What::Splits, "Stock splits"),
    ("dividends", What::Dividends, "Dividends"),
    ("calendar", What::Calendar, "Coming holidays and the market's status"),
    ("quotes", What::Quotes, "The session so far of tickers of any kind"),
    ("tickers", What::Tickers, "What is known of tickers themselves"),
    (
        "earnings",
        What::Earnings,
        "Announcements of earnings: those to come, and of named symbols those that were",
    ),
];

/// Who can be asked.
const SOURCE: [(&str, Provider, &str); 3] = [
    ("polygon", Provider::Polygon, "Polygon (Massive): everything but earnings"),
    (
        "alpha-vantage",
        Provider::AlphaVantage,
        "Alpha Vantage: earnings, daily prices as traded (spot, bars)",
    ),
    ("tradier", Provider::Tradier, "Tradier: chains"),
];

/// When one request stands for many.
const GROUPED: [(&str, Grouped, &str); 3] = [
    ("auto", Grouped::Auto, "Where it needs fewer requests"),
    ("always", Grouped::Always, "Always"),
    ("never", Grouped::Never, "Never"),
];

/// One of the words of a list, each with what the help says of it.
fn one_of<T>(all: &'static [(&str, T, &str)]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let words = all.iter().map(|(word, _, help)| PossibleValue::new(*word).help(*help));
    PossibleValuesParser::new(words).try_map(|given| {
        let found = all.iter().find(|(word, ..)| *word == given);
        found.map(|(_, of, _)| *of).ok_or("no such word")
    })
}

impl FetchArgs {
    /// The service that is asked.
    pub(in crate::cli) fn provider(&self) -> Provider {
        let usual = match self.what {
            What::Earnings => Provider::AlphaVantage,
            _ => Provider::Polygon,
        };
        self.source.unwrap_or(usual)
    }
}

/// Whether a service has it.
fn serves(provider: Provider, what: What) -> bool {
    match provider {
        Provider::Polygon => what != What::Earnings,
        Provider::AlphaVantage => matches!(what, What::Earnings | What::Spot | What::Bars),
        Provider::Tradier => what == What::Chain,
    }
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

/// What the words of the command wish for.
pub(super) fn wish(
    ctx: &Context,
    args: &FetchArgs,
    settings: &PolygonSettings,
    base_path: &str,
) -> Outcome<Wish> {
    let (what, source) = (args.what, args.provider());
    if !serves(source, what) {
        let text = format!("{} does not have this", source.title());
        let hint = "earnings are of alpha-vantage; spot and bars of polygon or alpha-vantage; \
                    chains of polygon or tradier; everything else of polygon";
        return Err(Failure::usage(text, hint));
    }
    if args.timespan.is_some() && source == Provider::AlphaVantage {
        let hint = "leave out `--timespan`, or ask Polygon for shorter bars";
        return Err(Failure::usage("Alpha Vantage has bars of days only here", hint));
    }
    // A word that this question has no use for would be passed over in silence.
    for (flag, given, of) in [
        ("--expiry", !args.expiry.is_empty(), What::Chain),
        ("--timespan", args.timespan.is_some(), What::Bars),
        ("--horizon", args.horizon != "3month", What::Earnings),
    ] {
        if given && what != of {
            let (of, what) = (of.series().name(), what.series().name());
            let error = format!("`fetch {what}` has no use for `{flag}`");
            return Err(Failure::usage(error, format!("leave it out; it is of `fetch {of}`")));
        }
    }
    let symbols = symbols(&args.symbols, what)?;
    if symbols.is_empty() && !matches!(what, What::Calendar | What::Earnings) {
        let hint = "for example `volledger fetch spot AAPL`, or `@FILE` with one symbol a line";
        return Err(Failure::usage("which symbols?", hint));
    }
    let days_of_prices = matches!(what, What::Spot | What::Bars | What::Index);
    let round_the_clock =
        |symbol: &&Symbol| ["X:", "C:"].iter().any(|of| symbol.as_str().starts_with(of));
    if let (true, Some(symbol)) = (days_of_prices, symbols.iter().find(round_the_clock)) {
        return Err(Failure::usage(
            format!(
                "{symbol} is traded day and night: its days are not New York's, as days are here"
            ),
            "leave it out; stocks, indices (`I:`) and options (`O:`) are kept by session",
        ));
    }
    let dated = args.from.or(args.to).or(args.date).is_some() || args.years.or(args.days).is_some();
    if dated && of_now(what) {
        return Err(Failure::usage(
            "the service answers this as it is now, never as of another day",
            "leave out the dates; what was recorded of a day is in `volledger view`",
        ));
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
    in_order(Some(from), Some(to))?;
    let timespan = args.timespan.clone().unwrap_or_else(|| "1minute".to_owned());
    let (expiries, horizon, base_path) =
        (args.expiry.clone(), args.horizon.clone(), base_path.to_owned());
    let (refresh, again, grouped) = (args.refresh, args.again.again, args.grouped);
    Ok(Wish {
        what,
        source,
        symbols,
        from,
        to,
        timespan,
        expiries,
        horizon,
        base_path,
        refresh,
        again,
        grouped,
        now_ms,
    })
}

/// Whether a service answers it as it is now, never as of another day.
fn of_now(what: What) -> bool {
    matches!(what, What::Chain | What::Quotes | What::Calendar | What::Tickers | What::Earnings)
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
        let symbol = text.parse::<Symbol>().and_then(|symbol| match what {
            What::Index => symbol.as_index(),
            _ => Ok(symbol),
        });
        let symbol = symbol.map_err(|error| Failure::from(AppError::Usage(error.to_string())))?;
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
}
