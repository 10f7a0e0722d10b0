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
        if to.0 - from.0 <= 1 {
            return 0;
        }
        let first = from.next();
        // 1970-01-01 was a Thursday, so day + 3 counts from a Monday.
        let weekdays_before = |day: Day| {
            let shifted = i64::from(day.0) + 3;
            shifted.div_euclid(7) * 5 + shifted.rem_euclid(7).min(5)
        };
        let weekdays = weekdays_before(to) - weekdays_before(first);
        let closed = self
            .special
            .range(first..to)
            .filter(|(_, kind)| **kind == Special::Closed);
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

    /// Trading days from `from` to `to`, both included.
    pub fn open_days(&self, from: Day, to: Day) -> impl Iterator<Item = Day> + '_ {
        (from.0..=to.0).map(Day).filter(|day| self.is_open(*day))
    }
}
