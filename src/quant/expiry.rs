//! Choice of expiries: third Fridays (`tomic.md` 8.1) and the next weekly one
//! (`options_pipeline.md` 11.3).

use crate::domain::{Calendar, Day};
use chrono::Datelike;

/// Calendar days to expiry that a front month may have (`tomic.md` 8.1, step 3).
pub const FRONT_DAYS: std::ops::RangeInclusive<i32> = 13..=48;

/// How many months ahead are looked at for the front, second and third month.
pub const MONTHS_AHEAD: usize = 4;

/// The third Friday of a month (1–12), whether or not the exchange opens; `None` when there is no
/// such month.
pub fn third_friday(year: i32, month: u32) -> Option<Day> {
    let fifteenth = Day::from_ymd(year, month, 15)?;
    let weekday = i64::from(fifteenth.date().weekday().num_days_from_monday());
    let ahead = (4 - weekday).rem_euclid(7); // Friday is weekday 4
    Some(Day(fifteenth.0 + ahead as i32))
}

/// The day on which a month's options expire: its third Friday, or the trading day before when
/// that is a closure (2025-04-18 was Good Friday, so 2025-04-17).
pub fn monthly_expiry(year: i32, month: u32, calendar: &Calendar) -> Option<Day> {
    third_friday(year, month).map(|friday| at_or_before(friday, calendar))
}

/// The next `count` monthly expiries strictly after `today`: third Fridays, or the trading day
/// before a closed one.
pub fn next_monthly_expiries(today: Day, count: usize, calendar: &Calendar) -> Vec<Day> {
    let expiries = months_from(today).filter_map(|(y, m)| monthly_expiry(y, m, calendar));
    expiries.filter(after(today)).take(count).collect()
}

fn after(today: Day) -> impl Fn(&Day) -> bool {
    move |day| *day > today
}

/// This month and all later ones that the calendar of chrono has, as (year, month).
fn months_from(today: Day) -> impl Iterator<Item = (i32, u32)> {
    let (year, month) = (today.year(), today.date().month0());
    let later = (0i32..).map(move |ahead| month as i32 + ahead);
    let months = later.map(move |m| (year.saturating_add(m / 12), (m % 12) as u32 + 1));
    months.take_while(|(year, _)| *year < 10_000)
}

/// The months that a daily record is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The front month: the nearest expiry that is 13 to 48 days away.
    pub front: Day,
    /// The expiry after it.
    pub second: Option<Day>,
    /// The expiry after that.
    pub third: Option<Day>,
}

/// Picks the months from ascending expiries; `None` when none of them is 13 to 48 days away.
pub fn choose(today: Day, expiries: &[Day]) -> Option<Months> {
    let suits = |day: &Day| FRONT_DAYS.contains(&day.0.saturating_sub(today.0));
    let mut from_front = expiries.iter().copied().skip_while(|day| !suits(day));
    Some(Months { front: from_front.next()?, second: from_front.next(), third: from_front.next() })
}

/// The months for a New York date, by the exchange's calendar (`tomic.md` 8.1 with its REC).
pub fn months(today: Day, calendar: &Calendar) -> Option<Months> {
    choose(today, &next_monthly_expiries(today, MONTHS_AHEAD, calendar))
}

/// The day itself when it is a session, else the last session before it.
fn at_or_before(day: Day, calendar: &Calendar) -> Day {
    if calendar.is_open(day) { day } else { calendar.previous_open(day) }
}

/// The weekly expiry strictly after a day: a Friday, or the last session before a closed one. The
/// day before a closed Friday has the week after's, since its own has come.
pub fn next_weekly(day: Day, calendar: &Calendar) -> Day {
    let weekday = day.date().weekday().num_days_from_monday() as i32;
    let friday = day.0.saturating_add((4 - weekday - 1).rem_euclid(7) + 1);
    let expiry = at_or_before(Day(friday), calendar);
    if expiry > day { expiry } else { at_or_before(Day(friday.saturating_add(7)), calendar) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn closed_third_fridays_expire_on_the_trading_day_before() {
        for (year, month, want) in [
            (2019, 4, "2019-04-18"),
            (2022, 4, "2022-04-14"),
            (2025, 4, "2025-04-17"),
            (2026, 6, "2026-06-18"),
            (2027, 6, "2027-06-17"),
            (2025, 12, "2025-12-19"),
        ] {
            assert_eq!(monthly_expiry(year, month, Calendar::nyse()), Some(day(want)));
        }
        assert_eq!(third_friday(2025, 13), None);
    }

    #[test]
    fn the_day_of_expiry_looks_to_the_next_month() {
        let nyse = Calendar::nyse();
        let next = |today: &str| next_monthly_expiries(day(today), 1, nyse)[0];
        assert_eq!(next("2025-04-16"), day("2025-04-17"));
        assert_eq!(next("2025-04-17"), day("2025-05-16"));
        assert_eq!(next("2025-12-19"), day("2026-01-16"));
        // 49 days to the month after and none nearer: nothing to record.
        assert_eq!(choose(day("2025-01-01"), &[day("2025-01-13"), day("2025-02-19")]), None);
        let edge = choose(day("2025-01-01"), &[day("2025-01-14")]).unwrap();
        assert_eq!((edge.front, edge.second), (day("2025-01-14"), None));
        assert!(next_monthly_expiries(Day(i32::MAX), 4, nyse).is_empty());
        assert_eq!(next_monthly_expiries(day("2025-01-01"), 0, nyse), []);
    }

    /// Every day of 25 years has a front month within reach, and the months ascend.
    #[test]
    fn every_day_has_a_front_month() {
        let nyse = Calendar::nyse();
        for today in (day("2003-01-02").0..day("2028-06-30").0).map(Day) {
            let months = months(today, nyse).unwrap_or_else(|| panic!("{today}"));
            let (second, third) = (months.second.unwrap(), months.third.unwrap());
            assert!(months.front < second && second < third, "{today}");
            assert!(nyse.is_open(months.front), "{today}");
        }
    }
}
