//! Exchange days: which civil dates the New York Stock Exchange traded on.

use super::Day;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The exchange's closures as data: `YYYY-MM-DD,closed|early,reason` a line.
const NYSE: &str = include_str!("../../data/calendar/xnys.csv");

/// How an exchange day differs from a full session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    Closed,
    EarlyClose,
}

/// The trading days of one exchange.
///
/// Beyond the years that the data covers, only weekends count as closed.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    special: BTreeMap<Day, Special>,
}

impl Calendar {
    /// The New York Stock Exchange, 2003 to 2028.
    pub fn nyse() -> &'static Self {
        static NYSE_CALENDAR: OnceLock<Calendar> = OnceLock::new();
        NYSE_CALENDAR.get_or_init(|| Self::from_text(NYSE))
    }

    /// Reads calendar data; lines that are comments, headings or unreadable are passed over (a
    /// test reads the bundled data strictly).
    pub fn from_text(text: &str) -> Self {
        let mut special = BTreeMap::new();
        for line in text.lines() {
            let mut cells = line.split(',');
            let day = cells.next().and_then(|cell| cell.parse::<Day>().ok());
            let kind = match cells.next() {
                Some("closed") => Some(Special::Closed),
                Some("early") => Some(Special::EarlyClose),
                _ => None,
            };
            if let (Some(day), Some(kind)) = (day, kind) {
                special.insert(day, kind);
            }
        }
        Self { special }
    }

    /// Whether the exchange traded on that day, half days included.
    pub fn is_open(&self, day: Day) -> bool {
        !day.is_weekend() && self.special.get(&day) != Some(&Special::Closed)
    }

    /// Whether the session ended early.
    pub fn is_early_close(&self, day: Day) -> bool {
        self.special.get(&day) == Some(&Special::EarlyClose)
    }

    /// Trading days strictly between two days.
    pub fn open_days_between(&self, from: Day, to: Day) -> u32 {
        if i64::from(to.0) - i64::from(from.0) <= 1 {
            return 0;
        }
        let first = from.next();
        // 1970-01-01 was a Thursday, so day + 3 counts from a Monday.
        let weekdays_before = |day: Day| {
            let shifted = i64::from(day.0) + 3;
            shifted.div_euclid(7) * 5 + shifted.rem_euclid(7).min(5)
        };
        let weekdays = weekdays_before(to) - weekdays_before(first);
        if weekdays == 0 {
            return 0; // a weekend: the usual gap of a daily series
        }
        let closed = self.special.range(first..to).filter(|(_, kind)| **kind == Special::Closed);
        let closed = closed.filter(|(day, _)| !day.is_weekend()).count() as i64;
        u32::try_from(weekdays - closed).unwrap_or(0)
    }

    /// The closest trading day before `day`.
    pub fn previous_open(&self, day: Day) -> Day {
        let mut candidate = Day(day.0.saturating_sub(1));
        while !self.is_open(candidate) && candidate.0 > i32::MIN {
            candidate = Day(candidate.0.saturating_sub(1));
        }
        candidate
    }

    /// The closest trading day after `day`.
    pub fn next_open(&self, day: Day) -> Day {
        let mut candidate = day.next();
        while !self.is_open(candidate) && candidate.0 < i32::MAX {
            candidate = candidate.next();
        }
        candidate
    }

    /// Trading days from `from` to `to`, both included.
    pub fn open_days(&self, from: Day, to: Day) -> impl Iterator<Item = Day> + '_ {
        (from.0..=to.0).map(Day).filter(|day| self.is_open(*day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shared;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// The lines of calendar data, read strictly: anything odd is a message.
    fn strict(text: &str) -> Result<Vec<(Day, Special)>, String> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        if lines.next() != Some("date,kind,reason") {
            return Err("the heading is missing".into());
        }
        let mut days: Vec<(Day, Special)> = Vec::new();
        for line in lines {
            let wrong = |what: &str| format!("{line}: {what}");
            let [date, kind, reason] = line.splitn(3, ',').collect::<Vec<_>>()[..] else {
                return Err(wrong("not three cells"));
            };
            let day: Day = date.parse().map_err(|e| wrong(&format!("{e}")))?;
            let kind = match kind {
                "closed" => Special::Closed,
                "early" => Special::EarlyClose,
                _ => return Err(wrong("unknown kind")),
            };
            if reason.trim().is_empty() || reason.contains(',') {
                return Err(wrong("no plain reason"));
            }
            if day.is_weekend() {
                return Err(wrong("a weekend day"));
            }
            if days.last().is_some_and(|(before, _)| *before >= day) {
                return Err(wrong("not after the line before"));
            }
            days.push((day, kind));
        }
        Ok(days)
    }

    #[test]
    fn the_bundled_data_reads_strictly_and_completely() {
        let days = strict(NYSE).unwrap();
        assert_eq!(days.len(), Calendar::nyse().special.len());
        for year in 2003..=2028 {
            let of_year = |kind| days.iter().filter(move |(d, k)| d.year() == year && *k == kind);
            let closed = of_year(Special::Closed).count();
            assert!((8..=11).contains(&closed), "{year}: {closed} closures");
            let early = of_year(Special::EarlyClose).count();
            assert!((1..=4).contains(&early), "{year}: {early} half days");
        }
        assert!(days.iter().all(|(d, _)| (2003..=2028).contains(&d.year())));
    }

    #[test]
    fn strict_reading_refuses_what_is_odd() {
        let head = "# about\ndate,kind,reason\n";
        assert!(strict(&format!("{head}2024-07-03,early,Eve\n2024-07-04,closed,X\n")).is_ok());
        for wrong in [
            "2024-07-04,closed,X\n2024-07-04,early,X\n",
            "2024-07-04,closed,X\n2024-07-03,early,X\n",
            "2024-07-06,closed,a Saturday\n",
            "2024-07-04,shut,X\n",
            "2024-07-04,closed\n",
            "2024-07-04,closed, \n",
            "2024-02-30,closed,X\n",
            "\n",
        ] {
            assert!(strict(&format!("{head}{wrong}")).is_err(), "{wrong}");
        }
        assert!(strict("2024-07-04,closed,X\n").is_err());
    }

    #[test]
    fn known_days_are_known() {
        let nyse = Calendar::nyse();
        for closed in [
            "2004-06-11", // Reagan
            "2007-01-02", // Ford
            "2012-10-29", // Sandy
            "2012-10-30",
            "2018-12-05", // Bush
            "2025-01-09", // Carter
            "2019-04-19", // Good Friday
            "2022-06-20", // Juneteenth, observed
            "2024-06-01", // a Saturday
        ] {
            assert!(!nyse.is_open(day(closed)), "{closed}");
            assert!(!nyse.is_early_close(day(closed)), "{closed}");
        }
        for open in [
            "2024-10-14", // Columbus Day
            "2024-11-11", // Veterans Day
            "2021-06-18", // Juneteenth was not yet a holiday of the exchange
            "2021-12-31", // New Year's Day on a Saturday moves nothing
            "2025-01-10",
        ] {
            assert!(nyse.is_open(day(open)), "{open}");
            assert!(!nyse.is_early_close(day(open)), "{open}");
        }
        for early in ["2003-12-26", "2023-07-03", "2024-11-29", "2025-12-24"] {
            assert!(nyse.is_open(day(early)), "{early}");
            assert!(nyse.is_early_close(day(early)), "{early}");
        }
    }

    #[test]
    fn previous_open_steps_over_closures() {
        let nyse = Calendar::nyse();
        for (from, want) in [
            ("2012-10-31", "2012-10-26"),
            ("2025-01-10", "2025-01-08"),
            ("2024-04-01", "2024-03-28"),
            ("2024-10-15", "2024-10-14"),
            ("2024-07-07", "2024-07-05"),
        ] {
            assert_eq!(nyse.previous_open(day(from)), day(want), "{from}");
        }
        let _ = nyse.previous_open(Day(i32::MIN));
    }

    proptest! {
        #[test]
        fn counting_open_days_equals_looking_at_each(from in 10_000i32..23_000, len in -20i32..900) {
            let nyse = Calendar::nyse();
            let (from, to) = (Day(from), Day(from + len));
            let naive = (from.0 + 1..to.0).filter(|d| nyse.is_open(Day(*d))).count();
            prop_assert_eq!(nyse.open_days_between(from, to) as usize, naive);
            prop_assert_eq!(nyse.open_days(from.next(), Day(to.0 - 1)).count(), naive);
        }
    }

    fn days_of(kind: Special, years: std::ops::RangeInclusive<i32>) -> BTreeSet<Day> {
        let all = Calendar::nyse().special.iter();
        let wanted = all.filter(|(d, k)| **k == kind && years.contains(&d.year()));
        wanted.map(|(d, _)| *d).collect()
    }

    #[test]
    fn closures_equal_the_shared_list() {
        let Some(text) = shared::text("tomic/calendar/nyse_full_closures_2003_2027.txt") else {
            return;
        };
        let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        let theirs: BTreeSet<Day> = lines.map(day).collect();
        assert_eq!(days_of(Special::Closed, 2003..=2027), theirs);
    }

    #[test]
    fn closures_and_half_days_equal_the_shared_vectors() {
        let Some(text) = shared::text("vectors/nyse_calendar_2024_2028.csv") else {
            return;
        };
        let theirs = |kind: &str| -> BTreeSet<Day> {
            let lines = text.lines().skip(1).map(|line| line.split(','));
            let pairs = lines.map(|mut cells| (cells.next().unwrap(), cells.next().unwrap()));
            pairs.filter(|(_, k)| *k == kind).map(|(d, _)| day(d)).collect()
        };
        assert_eq!(days_of(Special::Closed, 2024..=2028), theirs("closed"));
        assert_eq!(days_of(Special::EarlyClose, 2024..=2028), theirs("early_close"));
    }
}
