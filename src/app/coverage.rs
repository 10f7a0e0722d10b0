//! The health of the data, symbol by symbol (`tomic.md` 15): what is there of prices and
//! volatilities, how complete, how old, and whether the three go together; and how far the calendar
//! of earnings goes.

use super::error::Result;
use super::metrics::Asked;
use super::parallel::{self, threads};
use super::report::{Announced, Coverage, GapLine, Hole, Span, SymbolCoverage};
use super::vantage::Vantage;
use super::views::{Counter, ViewReader};
use crate::domain::{Calendar, Day, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::projections::diff::{self, Gap};
use crate::projections::view::{Shown, each, has_value};
use crate::quant::rank;
use std::collections::BTreeSet;

/// The views that are looked at, in the order of the columns: those of stocks.
pub const VIEWS: [Series; 3] = [Series::Spot, Series::Hv, Series::Iv];

/// Observations below which there is no rank of a year.
const ENOUGH: u64 = rank::ONE_YEAR.minimum as u64;

/// Calendar days after which the newest record is stale.
pub fn patience(series: Series) -> i32 {
    match series {
        Series::Spot => 3,
        _ => 7,
    }
}

/// Calendar days after which the latest announcement is stale.
const QUARTER_AND_A_MONTH: i32 = 120;

/// Trading days from which a hole is one to speak of.
const HOLE: u32 = 5;

/// What is there of the symbols asked for; of all that have a record when none are named.
///
/// A named symbol of which nothing is known has a row too: that is what one wants to know. With a
/// day, later ones are not looked at but for announcements, and staleness is measured from it instead of
/// `today`.
///
/// # Errors
/// A view that cannot be read.
pub fn coverage(ledger: &Ledger, asked: &Asked, today: Day) -> Result<Coverage> {
    let reader = ViewReader::new(ledger)?;
    let at = asked.at.unwrap_or(ledger.position());
    let date = asked.date.unwrap_or(today);
    let known = VIEWS.iter().map(|view| reader.symbols(*view)).collect::<Result<Vec<_>>>()?;
    let mut known = known.concat();
    known.sort();
    known.dedup();
    let symbols = if asked.symbols.is_empty() { &known } else { &asked.symbols };
    let until = asked.date.unwrap_or(Day(i32::MAX));
    let shown = |view, symbol: &Symbol, until, take: &mut dyn FnMut(&Shown<'_>)| -> Result<()> {
        let history = reader.history_between(view, symbol, Day(i32::MIN), until)?;
        each(view, &history, &reader.activity(view, at), asked.which, &mut |shown| {
            if shown.day() <= until {
                take(&shown);
            }
        });
        Ok(())
    };
    let rows = parallel::map(symbols, threads(), |symbol| {
        let (mut days, mut iv_valid, mut nothing) = ([const { Vec::new() }; 3], 0, true);
        for (view, days) in VIEWS.into_iter().zip(&mut days) {
            shown(view, symbol, until, &mut |shown| {
                nothing = false;
                let valid = || rank::valid(shown.number(code::ATM_IV)).is_some();
                iv_valid += u64::from(view == Series::Iv && valid());
                days.extend(has_value(view, shown).then_some(shown.day()));
            })?;
        }
        if nothing && asked.symbols.is_empty() {
            return Ok(None);
        }
        let mut announced = Vec::new();
        let to_come = Day(i32::MAX);
        shown(Series::Earnings, symbol, to_come, &mut |shown| announced.push(shown.day()))?;
        let days = days.each_ref().map(Vec::as_slice);
        Ok(Some(row(symbol.to_string(), days, (iv_valid, &announced), date)))
    })?;
    let rows = rows.into_iter().flatten().collect();
    let which = asked.which.told();
    Ok(Coverage { position: at.0, which, date: date.to_string(), rows })
}

/// The symbols of which one of these views shows something: of others all was taken back, or came later.
///
/// # Errors
/// A stored view that cannot be read.
pub fn showing(vantage: &Vantage, views: &[Series]) -> Result<Vec<Symbol>> {
    let (ledger, reader) = (&vantage.ledger, vantage.reader());
    let mut found = BTreeSet::new();
    for view in views {
        let counter = Counter::new(&reader, *view, reader.activity(*view, vantage.at), &[])?;
        let shown = parallel::map(&reader.symbols(*view)?, threads(), |symbol| {
            let reader = ViewReader::with(ledger, reader.roots());
            let shown = counter.shown(&reader, symbol, &reader.stored(*view, symbol)?)?;
            Ok((shown > 0).then(|| symbol.clone()))
        })?;
        found.extend(shown.into_iter().flatten());
    }
    Ok(found.into_iter().collect())
}

/// The days of a series, ascending; nothing without any.
fn span(days: &[Day], calendar: &Calendar) -> Option<Span> {
    let (from, to) = (*days.first()?, *days.last()?);
    let expected = calendar.open_days(from, to).count() as u64;
    // Days on which the exchange was closed are no part of what is expected.
    let there = days.iter().filter(|day| calendar.is_open(**day)).count() as u64;
    let missing = expected.saturating_sub(there);
    let share = if expected == 0 { 0.0 } else { missing as f64 / expected as f64 };
    Some(Span {
        from: from.to_string(),
        to: to.to_string(),
        days: days.len() as u64,
        expected,
        missing,
        missing_percent: share * 100.0,
    })
}

/// The announcements of earnings, past and to come, ascending; nothing without any.
fn announced((past, to_come): (&[Day], &[Day])) -> Option<Announced> {
    let days = (past.len() + to_come.len()) as u64;
    (days > 0).then(|| Announced {
        next: to_come.first().map(ToString::to_string),
        latest: past.last().map(ToString::to_string),
        days,
    })
}

/// What is wrong with the announcements.
fn of_earnings((past, to_come): (&[Day], &[Day]), date: Day) -> Vec<&'static str> {
    let old = past.last().is_some_and(|last| date.0 - last.0 > QUARTER_AND_A_MONTH);
    let issues = [
        ("missing_earnings", past.is_empty() && to_come.is_empty()),
        ("earnings_stale", old),
        ("earnings_missing_future", !past.is_empty() && to_come.is_empty()),
    ];
    issues.into_iter().filter(|(_, met)| *met).map(|(issue, _)| issue).collect()
}

/// A symbol's row from the days of spot, hv and iv, ascending; with how many volatilities there are a
/// rank of, and the announcements.
fn row(
    symbol: String,
    days: [&[Day]; 3],
    (iv_valid, earnings): (u64, &[Day]),
    date: Day,
) -> SymbolCoverage {
    let calendar = Calendar::nyse();
    let [spot, hv, iv] = days;
    let earnings = earnings.split_at(earnings.partition_point(|day| *day < date));
    let large = |days: &[Day]| -> Vec<Gap> {
        let mut gaps = diff::gaps(days, calendar);
        gaps.retain(|gap| gap.missing >= HOLE);
        gaps
    };
    let named = || VIEWS.into_iter().zip(days);
    let hole = |series: Series, gap: &Gap| Hole { series: series.name(), gap: GapLine::from(gap) };
    let holes = named().flat_map(|(series, days)| {
        large(days).iter().map(|gap| hole(series, gap)).collect::<Vec<_>>()
    });
    let mut issues = Vec::new();
    for (series, days) in named() {
        match days.last() {
            None => issues.push(format!("missing_{series}")),
            Some(last) if date.0 - last.0 > patience(series) => {
                issues.push(format!("{series}_stale"));
            }
            Some(_) => {}
        }
    }
    issues.extend(of_earnings(earnings, date).into_iter().map(str::to_owned));
    if !iv.is_empty() && iv_valid < ENOUGH {
        issues.push("iv_history_insufficient".to_owned());
    }
    for (series, days) in named().filter(|(series, _)| *series != Series::Spot) {
        match days.last().zip(spot.last()).map(|(last, spot)| last.cmp(spot)) {
            Some(std::cmp::Ordering::Less) => issues.push(format!("{series}_before_spot")),
            Some(std::cmp::Ordering::Greater) => issues.push(format!("{series}_after_spot")),
            _ => {}
        }
    }
    let gaps = large(iv);
    if !gaps.is_empty() {
        let missing: u32 = gaps.iter().map(|gap| gap.missing).sum();
        issues.push(format!("iv_gaps({}:{missing}d)", gaps.len()));
    }
    SymbolCoverage {
        symbol,
        spot: span(spot, calendar),
        hv: span(hv, calendar),
        iv: span(iv, calendar),
        iv_valid,
        earnings: announced(earnings),
        issues,
        holes: holes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn days(texts: &[&str]) -> Vec<Day> {
        texts.iter().map(|text| day(text)).collect()
    }

    /// Every trading day of a range.
    fn all(from: &str, to: &str) -> Vec<Day> {
        Calendar::nyse().open_days(day(from), day(to)).collect()
    }

    /// The case of `tomic.md` 15: five of the nine trading days of 2024-01-02 to 12.
    #[test]
    fn the_share_of_missing_days_counts_trading_days_only() {
        let five = ["2024-01-02", "2024-01-03", "2024-01-05", "2024-01-09", "2024-01-12"];
        let found = span(&days(&five), Calendar::nyse()).unwrap();
        assert_eq!((found.days, found.expected, found.missing), (5, 9, 4));
        assert_eq!(format!("{:.1}", found.missing_percent), "44.4");
        let whole = span(&all("2024-01-02", "2024-01-12"), Calendar::nyse()).unwrap();
        assert_eq!((whole.missing, whole.missing_percent), (0, 0.0));
        // A Saturday is shown, and neither expected nor in place of a day.
        let more = ["2024-01-06", "2024-01-08", "2024-01-10"];
        let found = span(&days(&more), Calendar::nyse()).unwrap();
        assert_eq!((found.days, found.expected, found.missing), (3, 3, 1));
        let closed = span(&days(&["2024-01-06"]), Calendar::nyse()).unwrap();
        assert_eq!((closed.expected, closed.missing_percent), (0, 0.0));
        assert!(span(&[], Calendar::nyse()).is_none());
    }

    fn issues(spot: &[Day], hv: &[Day], iv: &[Day], date: &str) -> Vec<String> {
        let calendar = [day(date)];
        row("X".into(), [spot, hv, iv], (iv.len() as u64, &calendar), day(date)).issues
    }

    /// The cases of `tomic.md` 15 for the calendar, which says what is to come as well.
    #[test]
    fn announcements_that_are_missing_or_old_are_named() {
        let year = all("2023-01-03", "2024-01-12");
        let of = |days: &[&str]| {
            let earnings = self::days(days);
            let found = [&year[..]; 3];
            let row = row("X".into(), found, (252, &earnings), day("2024-01-12"));
            let (told, issues) = (row.earnings, row.issues);
            (told.map(|told| (told.next, told.latest, told.days)), issues)
        };
        let text = |day: &str| Some(day.to_owned());
        assert_eq!(of(&[]), (None, vec!["missing_earnings".to_owned()]));
        let (told, issues) = of(&["2023-10-26", "2024-01-12", "2024-04-25"]);
        assert_eq!(told, Some((text("2024-01-12"), text("2023-10-26"), 3)), "today is to come");
        assert_eq!(issues, [""; 0]);
        let (told, issues) = of(&["2023-10-26"]);
        assert_eq!(told, Some((None, text("2023-10-26"), 1)));
        assert_eq!(issues, ["earnings_missing_future"]);
        // 120 days, and one more.
        assert_eq!(of(&["2023-09-14"]).1, ["earnings_missing_future"]);
        assert_eq!(of(&["2023-09-13"]).1, ["earnings_stale", "earnings_missing_future"]);
        assert_eq!(of(&["2023-09-13", "2024-02-01"]).1, ["earnings_stale"]);
        assert_eq!(of(&["2024-02-01"]).1, [""; 0]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let year = all("2023-01-03", "2024-01-12");
        assert!(year.len() > 252);
        assert_eq!(issues(&year, &year, &year, "2024-01-12"), [""; 0]);
        let nothing = issues(&[], &[], &[], "2024-01-12");
        assert_eq!(nothing, ["missing_spot", "missing_hv", "missing_iv"]);
        assert_eq!(issues(&year, &year, &[], "2024-01-12"), ["missing_iv"]);
        let short = &year[year.len() - 251..];
        assert_eq!(issues(&year, &year, short, "2024-01-12"), ["iv_history_insufficient"]);
        assert_eq!(issues(&year, &year, &year[year.len() - 252..], "2024-01-12"), [""; 0]);
    }

    #[test]
    fn age_is_counted_in_calendar_days() {
        let year = all("2023-01-03", "2024-01-12");
        let at = |date| issues(&year, &year, &year, date);
        assert_eq!(at("2024-01-15"), [""; 0], "three days");
        assert_eq!(at("2024-01-16"), ["spot_stale"]);
        assert_eq!(at("2024-01-19"), ["spot_stale"], "seven days");
        assert_eq!(at("2024-01-20"), ["spot_stale", "hv_stale", "iv_stale"]);
        assert_eq!(at("2023-06-01"), [""; 0]);
    }

    #[test]
    fn volatilities_of_another_day_than_the_price_and_holes_are_named() {
        let year = all("2023-01-03", "2024-01-12");
        let less = &year[..year.len() - 1];
        assert_eq!(issues(less, &year, &year, "2024-01-12"), ["hv_after_spot", "iv_after_spot"]);
        assert_eq!(issues(&year, less, less, "2024-01-12"), ["hv_before_spot", "iv_before_spot"]);
        assert_eq!(issues(&[], &year, &year, "2024-01-12"), ["missing_spot"]);
        // Holes of five and seven trading days count, one of four does not.
        let mut holed = all("2022-01-03", "2024-01-12");
        holed.drain(200..204);
        holed.drain(150..155);
        holed.drain(100..107);
        let of = |days, iv_valid| row("X".into(), days, (iv_valid, &year), day("2024-01-12"));
        let found = of([&year, &year, &holed], holed.len() as u64);
        assert_eq!(found.issues, ["iv_gaps(2:12d)"]);
        let sizes: Vec<u32> = found.holes.iter().map(|hole| hole.gap.missing).collect();
        assert_eq!((sizes.as_slice(), found.holes[0].series), (&[7, 5][..], "iv"));
        assert_eq!(found.iv.unwrap().missing, 16);
        // A hole in prices is listed, and no issue of its own.
        let found = of([&holed, &year, &year], 260);
        assert_eq!((found.issues.len(), found.holes.len()), (0, 2));
    }
}
