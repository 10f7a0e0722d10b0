//! The only file that asks what time it is.

use crate::domain::{Day, eastern};
use chrono::{DateTime, SecondsFormat, Utc};

/// Where "now" comes from: the system, or a fixed instant for tests and reproducible runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this instant, ms since 1970 UTC.
    Fixed(i64),
}

/// A fixed instant: RFC 3339, or a date for its end of day in UTC.
impl std::str::FromStr for Clock {
    type Err = super::AppError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || super::AppError::Usage(format!("`{text}` is neither a time nor a date"));
        parse_instant(text).map(Self::Fixed).ok_or_else(wrong)
    }
}

impl Clock {
    /// Now, in ms since 1970 UTC.
    pub fn now_ms(self) -> i64 {
        match self {
            Self::System => Utc::now().timestamp_millis(),
            Self::Fixed(ms) => ms,
        }
    }

    /// Today in New York: what questions about sessions are asked from.
    pub fn market_day(self) -> Day {
        eastern::day_of(self.now_ms()).unwrap_or_default()
    }

    /// Today's civil date in UTC: the day after which a date counts as future. (UTC is never
    /// behind New York, so no session that has begun there is refused.)
    pub fn today(self) -> Day {
        instant(self.now_ms()).map_or(Day(0), |at| Day::from(at.date_naive()))
    }
}

fn instant(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
}

/// An instant as RFC 3339 in UTC, to the second.
pub fn rfc3339(ms: i64) -> String {
    let text = instant(ms).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    text.unwrap_or_else(|| format!("{ms} ms"))
}

/// Reads RFC 3339, or a date for its end of day in UTC; ms since 1970 UTC.
pub fn parse_instant(text: &str) -> Option<i64> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_millis());
    }
    let day: Day = text.parse().ok()?;
    Some((i64::from(day.0) + 1) * 86_400_000 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_can_be_set_to_an_instant_or_to_the_end_of_a_day() {
        let ms = |text: &str| text.parse::<Clock>().map(Clock::now_ms);
        assert_eq!(ms("2025-12-13T12:00:00Z").unwrap(), 1_765_627_200_000);
        assert_eq!(ms("2025-12-13").unwrap(), 1_765_670_399_999);
        assert_eq!("2025-12-13".parse::<Clock>().unwrap().today().to_string(), "2025-12-13");
        assert!(ms("now").is_err());
        // Half past seven in the evening of the day before, in New York.
        let night = "2025-02-04T00:30:00Z".parse::<Clock>().unwrap();
        assert_eq!(night.market_day().to_string(), "2025-02-03");
        assert_eq!(night.today().to_string(), "2025-02-04");
    }
}
