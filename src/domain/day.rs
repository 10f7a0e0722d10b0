//! A civil date, held as days since 1970-01-01: small to store, quick to compare.

use chrono::{Datelike, NaiveDate, Weekday};
use std::fmt;
use std::str::FromStr;

/// Days from 0001-01-01 (chrono's day 1) to 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

/// A civil date without a time zone: the exchange's day that a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

impl Day {
    /// The day of a calendar date, `None` when there is no such date.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from)
    }

    /// The calendar date; days beyond chrono's range saturate at its ends.
    pub fn date(self) -> NaiveDate {
        let from_ce = self.0.saturating_add(EPOCH_FROM_CE);
        let edge = if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
        NaiveDate::from_num_days_from_ce_opt(from_ce).unwrap_or(edge)
    }

    /// The calendar year.
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u32 {
        self.date().month()
    }

    /// The next calendar day.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether the day is a Saturday or a Sunday.
    pub fn is_weekend(self) -> bool {
        matches!(self.date().weekday(), Weekday::Sat | Weekday::Sun)
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }
}

impl Day {
    /// `YYYY-MM-DD` without an allocation; `None` outside the years 0 to 9999.
    pub fn ascii(self) -> Option<[u8; 10]> {
        let date = self.date();
        let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999)?;
        // Each remainder is below ten.
        let digit = |number: u32| b'0' + (number % 10) as u8;
        let (month, day) = (date.month(), date.day());
        Some([
            digit(year / 1_000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
        ])
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ascii = self.ascii();
        if let Some(text) = ascii.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            return f.write_str(text);
        }
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    /// Reads `YYYY-MM-DD` and nothing else; vendors' forms belong to the readers.
    fn from_str(text: &str) -> Result<Self, NotADay> {
        let wrong = || NotADay(text.to_owned());
        let bytes = text.as_bytes();
        let shape = |i: usize, byte: u8| match i {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        if bytes.len() != 10 || !bytes.iter().enumerate().all(|(i, &b)| shape(i, b)) {
            return Err(wrong());
        }
        let number = |from: usize, to: usize| {
            bytes.iter().take(to).skip(from).fold(0, |n, b| n * 10 + u32::from(b - b'0'))
        };
        let year = i32::try_from(number(0, 4)).map_err(|_| wrong())?;
        Self::from_ymd(year, number(5, 7), number(8, 10)).ok_or_else(wrong)
    }
}

/// Text that is not a `YYYY-MM-DD` date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date of the form YYYY-MM-DD")]
pub struct NotADay(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_print_and_parse_back() {
        assert_eq!("1970-01-01".parse::<Day>().unwrap(), Day(0));
        assert_eq!("1969-12-31".parse::<Day>().unwrap(), Day(-1));
        assert_eq!("2024-02-29".parse::<Day>().unwrap().to_string(), "2024-02-29");
        assert_eq!("2025-01-09".parse::<Day>().unwrap().year(), 2025);
        for wrong in ["2025-02-29", "2025-1-9", "20250109", "", "2025-01-09T", "éé25-01-09"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        assert!("2024-11-30".parse::<Day>().unwrap().is_weekend());
        let _ = Day(i32::MAX).to_string() + &Day(i32::MIN).to_string();
    }
}
