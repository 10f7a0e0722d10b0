//! The key of an item: its symbol, its day, and what tells it apart.

use super::times::{date, integer, ms_of_ns, ms_of_text, word};
use super::walk::{Got, Walk};
use super::{Endpoint, Page};
use crate::domain::{Day, Series, Symbol, eastern};
use crate::sources::raw::text_of;
use std::borrow::Cow;

/// The key of one item.
#[derive(Debug)]
pub(super) struct ItemKey<'a> {
    pub(super) symbol: Cow<'a, Symbol>,
    pub(super) day: Day,
    pub(super) item: Cow<'a, str>,
    /// The instant that the day comes from, if it comes from one.
    pub(super) ms: Option<i64>,
}

/// 1990-01-01 in New York: nothing of the service is older, so an earlier instant is another unit.
pub(super) const FIRST_MS: i64 = 631_170_000_000;

/// The length of a daily bar of an option, whose bars are all in the view of bars.
pub(super) const DAILY: &str = "1day";

const MISSING: &str = "missing_key";
const RANGE: &str = "time_range";
const OTHER: &str = "other_symbol";

/// The key of an item.
///
/// # Errors
/// The code with which the item is rejected.
pub(super) fn key<'a>(
    page: &'a Page,
    series: Series,
    walk: &Walk,
    leaves: &[Got<'a>],
    clock: &mut Clock,
) -> Result<ItemKey<'a>, &'static str> {
    let text = |path: &str| word(walk, leaves, path).ok_or(MISSING);
    let exact = |path: &str| {
        let text = text(path)?;
        Symbol::exact(&text).map(Cow::Owned).map_err(|_| MISSING)
    };
    let asked = || page.symbol.as_ref().map(Cow::Borrowed);
    // An event of another symbol than the one asked for says nothing about that one.
    let own = |path: &str| match (exact(path)?, &page.symbol) {
        (symbol, Some(asked)) if *symbol != *asked => Err(OTHER),
        (symbol, _) => Ok(symbol),
    };
    let under = |path: &str| match (word(walk, leaves, path), &page.symbol) {
        (Some(told), Some(asked)) if !is_underlying(&told, asked) => Err(OTHER),
        _ => Ok(()),
    };
    let dated = |symbol, day, item| Ok(ItemKey { symbol, day, item, ms: None });
    let none = Cow::Borrowed("");
    match page.endpoint {
        Endpoint::Aggs | Endpoint::Previous | Endpoint::Grouped => {
            let ms = walk.raw(leaves, "t").and_then(integer).ok_or(MISSING)?;
            let (symbol, timespan) = match page.endpoint {
                Endpoint::Aggs => (asked().ok_or(MISSING)?, &*page.timespan),
                _ => (exact("T")?, DAILY),
            };
            let (day, item) = match series {
                Series::Bars => clock.bar(timespan, ms)?,
                _ => (day_of(ms)?, none),
            };
            Ok(ItemKey { symbol, day, item, ms: Some(ms) })
        }
        Endpoint::OpenClose => {
            let day = date(&text("from")?).ok_or(MISSING)?;
            let item = if series == Series::Bars { DAILY } else { "" };
            dated(exact("symbol")?, day, Cow::Borrowed(item))
        }
        Endpoint::Contracts | Endpoint::Contract => {
            under("underlying_ticker")?;
            // Filed under the name that was asked for, as its coverage is.
            let symbol = asked().map_or_else(|| exact("underlying_ticker"), Ok)?;
            dated(symbol, page.as_of, text("ticker")?)
        }
        Endpoint::Chain | Endpoint::ChainContract => {
            under("underlying_asset.ticker")?;
            let symbol = asked().map_or_else(|| exact("underlying_asset.ticker"), Ok)?;
            let item = text("details.ticker").or_else(|_| text("ticker"))?;
            dated(symbol, page.as_of, item)
        }
        Endpoint::Snapshot | Endpoint::Indices => {
            let symbol = exact("ticker")?;
            match walk.raw(leaves, "last_updated").and_then(ms_of_ns) {
                Some(ms) => Ok(ItemKey { symbol, day: day_of(ms)?, item: none, ms: Some(ms) }),
                None => dated(symbol, page.as_of, none),
            }
        }
        Endpoint::News => {
            text("title").map_err(|_| "news_key")?;
            let item = text("article_url").or_else(|_| text("id")).map_err(|_| "news_key")?;
            let ms = ms_of_text(&text("published_utc")?).ok_or(MISSING)?;
            let tickers = tickers(walk, leaves);
            let is = |asked: &Symbol, told: &String| {
                is_underlying(told, asked) || told.eq_ignore_ascii_case(asked.as_str())
            };
            let symbol = match asked() {
                // One without any says nothing of whom it is about.
                Some(asked) if tickers.is_empty() || tickers.iter().any(|t| is(&asked, t)) => asked,
                Some(_) => return Err(OTHER),
                None => {
                    let first = tickers.first().ok_or(MISSING)?;
                    Cow::Owned(Symbol::exact(first).map_err(|_| MISSING)?)
                }
            };
            Ok(ItemKey { symbol, day: day_of(ms)?, item, ms: Some(ms) })
        }
        Endpoint::Splits => {
            let day = date(&text("execution_date")?).ok_or(MISSING)?;
            dated(own("ticker")?, day, none)
        }
        Endpoint::Dividends => {
            let day = date(&text("ex_dividend_date")?).ok_or(MISSING)?;
            let item = text("id").or_else(|_| text("dividend_type")).unwrap_or(none);
            dated(own("ticker")?, day, item)
        }
        Endpoint::Holidays => {
            let day = date(&text("date")?).ok_or(MISSING)?;
            dated(exact("exchange")?, day, none)
        }
        Endpoint::MarketStatus => {
            let item = text("serverTime")?;
            let ms = ms_of_text(&item).ok_or(MISSING)?;
            let symbol = Symbol::exact("US").map_err(|_| MISSING)?;
            Ok(ItemKey { symbol: Cow::Owned(symbol), day: day_of(ms)?, item, ms: Some(ms) })
        }
        Endpoint::Tickers | Endpoint::Ticker => dated(own("ticker")?, page.as_of, none),
    }
}

/// Whether an option's underlying is the one asked for. Indices have a prefix in some answers and none
/// in others, and classes of shares are written `BRK.B`, `BRK/B` and `BRKB`.
pub fn is_underlying(told: &str, asked: &Symbol) -> bool {
    let bare = |name: &str| -> String {
        let name = name.strip_prefix("I:").unwrap_or(name);
        name.chars().filter(char::is_ascii_alphanumeric).collect()
    };
    bare(told) == bare(asked.as_str())
}

/// The New York day of an instant that can be one.
fn day_of(ms: i64) -> Result<Day, &'static str> {
    if ms < FIRST_MS {
        return Err(RANGE);
    }
    eastern::day_of(ms).ok_or(RANGE)
}

/// New York's clock for bars in a row: asked once an hour, because asking costs more than all
/// other work on a bar. Since 1990 New York differs from UTC by whole hours.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The hour since 1970 that was asked for, its day, and its digits.
    hour: Option<(i64, Day, String)>,
}

const HOUR_MS: i64 = 3_600_000;

impl Clock {
    /// Day and item of a bar: its length, and its New York time unless it is a day or longer.
    pub(super) fn bar<'a>(
        &mut self,
        timespan: &'a str,
        ms: i64,
    ) -> Result<(Day, Cow<'a, str>), &'static str> {
        if is_daily(timespan) {
            return Ok((day_of(ms)?, Cow::Borrowed(timespan)));
        }
        let (day, hour) = self.hour(ms)?;
        let seconds = ms % HOUR_MS / 1000;
        let (minute, second) = (seconds / 60, seconds % 60);
        let item = match second {
            0 => format!("{timespan} {hour}:{minute:02}"),
            _ => format!("{timespan} {hour}:{minute:02}:{second:02}"),
        };
        Ok((day, Cow::Owned(item)))
    }

    /// Whether an instant is the first of a day in New York.
    pub(super) fn is_midnight(&mut self, ms: i64) -> Result<bool, &'static str> {
        Ok(self.hour(ms)?.1 == "00" && ms % HOUR_MS == 0)
    }

    /// The New York day and hour of an instant.
    fn hour(&mut self, ms: i64) -> Result<(Day, &str), &'static str> {
        if ms < FIRST_MS {
            return Err(RANGE);
        }
        let number = ms / HOUR_MS;
        if self.hour.as_ref().is_none_or(|(known, ..)| *known != number) {
            let (day, mut text) = eastern::clock(number * HOUR_MS).ok_or(RANGE)?;
            text.truncate(2);
            self.hour = Some((number, day, text));
        }
        self.hour.as_ref().map(|(_, day, hour)| (*day, hour.as_str())).ok_or(RANGE)
    }
}

/// Whether bars of this length are days or longer.
fn is_daily(timespan: &str) -> bool {
    timespan.ends_with("day") || is_long(timespan)
}

/// Whether bars of this length begin before the first day asked for: their windows are snapped.
pub(super) fn is_long(timespan: &str) -> bool {
    ["week", "month", "quarter", "year"].iter().any(|unit| timespan.ends_with(unit))
}

/// The tickers that an article names.
fn tickers(walk: &Walk, leaves: &[Got<'_>]) -> Vec<String> {
    let raw = walk.raw(leaves, "tickers").unwrap_or("[]");
    let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw).unwrap_or_default();
    list.iter().map(|one| text_of(one.get()).unwrap_or_default().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hourly_clock_agrees_with_the_real_one() {
        let mut clock = Clock::default();
        // Three years in odd steps: both changes of the clock, all hours, seconds too.
        let mut ms = 1_672_531_200_000;
        while ms < 1_767_225_600_000 {
            let (day, time) = eastern::clock(ms).unwrap();
            let (got, item) = clock.bar("1minute", ms).unwrap();
            assert_eq!((got, &*item), (day, &*format!("1minute {time}")));
            ms += 1_234_567;
        }
    }
}
