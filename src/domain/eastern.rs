//! New York's clock: the civil date and time of an instant, and the session that it falls in.

use super::{Calendar, Day};
use chrono::{DateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::America::New_York;
use std::fmt;

/// The New York date of an instant, ms since 1970 UTC. Daylight saving is taken into account.
pub fn day_of(ms: i64) -> Option<Day> {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(ms)?;
    Some(Day::from(at.with_timezone(&New_York).date_naive()))
}

/// The New York date and time of day (`09:30`, or `09:30:15` when there are seconds).
pub fn clock(ms: i64) -> Option<(Day, String)> {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(ms)?;
    let local = at.with_timezone(&New_York);
    let form = if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    Some((Day::from(local.date_naive()), local.format(form).to_string()))
}

/// The instant of a New York wall-clock time, ms since 1970 UTC; the earlier one when the hour
/// comes twice, `None` when it does not come at all.
pub fn instant(day: Day, hour: u32, minute: u32) -> Option<i64> {
    let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
    let local = New_York.from_local_datetime(&day.date().and_time(time)).earliest()?;
    Some(local.timestamp_millis())
}

/// What the exchange does at a moment (`options_pipeline.md` 9.3), by New York's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Session {
    /// From 04:00 to the open at 09:30.
    Pre,
    /// From 09:30 to the close: 16:00, or 13:00 on a half day.
    Regular,
    /// From the close to 20:00, or to 17:00 on a half day.
    Post,
    /// The rest of a trading day.
    ClosedOvernight,
    /// A Saturday or Sunday.
    ClosedWeekend,
    /// A weekday on which the exchange does not open.
    ClosedHoliday,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pre => "pre",
            Self::Regular => "regular",
            Self::Post => "post",
            Self::ClosedOvernight => "closed_overnight",
            Self::ClosedWeekend => "closed_weekend",
            Self::ClosedHoliday => "closed_holiday",
        })
    }
}

/// The minutes of a session of a trading day, from midnight by New York's wall clock.
const PRE_FROM: i32 = 4 * 60;
const OPEN: i32 = 9 * 60 + 30;
const CLOSE: i32 = 16 * 60;
const EARLY_CLOSE: i32 = 13 * 60;
const POST_UNTIL: i32 = 20 * 60;
const EARLY_POST_UNTIL: i32 = 17 * 60;

/// The session of an instant (ms since 1970 UTC), each with its start and without its end.
pub fn session(ms: i64, calendar: &Calendar) -> Option<Session> {
    let (day, minute) = minute_of_day(ms)?;
    let early = calendar.is_early_close(day);
    let (close, until) = if early { (EARLY_CLOSE, EARLY_POST_UNTIL) } else { (CLOSE, POST_UNTIL) };
    Some(match minute {
        _ if day.is_weekend() => Session::ClosedWeekend,
        _ if !calendar.is_open(day) => Session::ClosedHoliday,
        _ if (PRE_FROM..OPEN).contains(&minute) => Session::Pre,
        _ if (OPEN..close).contains(&minute) => Session::Regular,
        _ if (close..until).contains(&minute) => Session::Post,
        _ => Session::ClosedOvernight,
    })
}

/// Minutes from 09:30 by New York's wall clock, seconds cut off; negative before the open. Counted
/// on closed days too (`options_pipeline.md` 9.3).
pub fn minutes_since_open(ms: i64) -> Option<i32> {
    minute_of_day(ms).map(|(_, minute)| minute - OPEN)
}

/// The New York date of an instant, and its minute from midnight by the wall clock.
fn minute_of_day(ms: i64) -> Option<(Day, i32)> {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(ms)?;
    let local = at.with_timezone(&New_York);
    let minute = local.hour() * 60 + local.minute();
    Some((Day::from(local.date_naive()), minute as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shared;

    /// The original knew no holidays of the past and no half days.
    #[test]
    fn d24_sessions_know_holidays_and_half_days() {
        let nyse = Calendar::nyse();
        let at = |text: &str, hour: u32, minute: u32| {
            session(instant(text.parse().unwrap(), hour, minute).unwrap(), nyse).unwrap()
        };
        assert_eq!(at("2012-10-29", 11, 0), Session::ClosedHoliday);
        assert_eq!(at("2025-01-09", 11, 0), Session::ClosedHoliday);
        assert_eq!(at("2024-07-03", 12, 59), Session::Regular);
        assert_eq!(at("2024-07-03", 13, 0), Session::Post);
        assert_eq!(at("2024-07-03", 17, 0), Session::ClosedOvernight);
        assert_eq!(at("2024-07-02", 17, 0), Session::Post);
        assert_eq!(at("2024-07-02", 3, 59), Session::ClosedOvernight);
        assert_eq!(at("2024-07-02", 4, 0), Session::Pre);
        assert_eq!(at("2024-07-02", 9, 29), Session::Pre);
        assert_eq!(at("2024-07-02", 9, 30), Session::Regular);
        assert_eq!(at("2024-07-02", 15, 59), Session::Regular);
        assert_eq!(at("2024-07-02", 16, 0), Session::Post);
        assert_eq!(at("2024-07-02", 19, 59), Session::Post);
        assert_eq!(at("2024-07-02", 20, 0), Session::ClosedOvernight);
        assert_eq!(at("2024-07-06", 11, 0), Session::ClosedWeekend);
        let minutes = |hour: u32, minute: u32| {
            minutes_since_open(instant("2024-07-02".parse().unwrap(), hour, minute).unwrap())
        };
        assert_eq!(
            (minutes(9, 0), minutes(9, 30), minutes(11, 15)),
            (Some(-30), Some(0), Some(105))
        );
        assert_eq!(session(i64::MAX, nyse), None);
        assert_eq!(minutes_since_open(i64::MIN), None);
    }

    #[test]
    fn sessions_equal_the_shared_vectors() {
        let Some(text) = shared::text("vectors/sessions.csv") else { return };
        let mut rows = 0;
        for line in text.lines().skip(1) {
            // The label may hold commas in quotes; the other cells are read from the end.
            let cells: Vec<&str> = line.rsplitn(6, ',').collect();
            let [minutes, name, _, ms, local, _] = cells[..] else { panic!("{line}") };
            let ms: i64 = ms.parse().unwrap();
            assert_eq!(session(ms, Calendar::nyse()).unwrap().to_string(), name, "{line}");
            assert_eq!(minutes_since_open(ms), minutes.parse().ok(), "{line}");
            let (day, time) = clock(ms).unwrap();
            assert!(local.starts_with(&format!("{day}T{time}")), "{line}");
            rows += 1;
        }
        assert_eq!(rows, 17);
    }

    #[test]
    fn bars_land_on_the_new_york_date_in_summer_and_winter() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        // Stock bars: midnight New York, 05:00Z in winter and 04:00Z in summer.
        assert_eq!(day_of(1_546_405_200_000), Some(day("2019-01-02")));
        assert_eq!(day_of(1_562_126_400_000), Some(day("2019-07-03")));
        // Index bars: midnight Central, one hour later.
        assert_eq!(day_of(1_546_405_200_000 + 3_600_000), Some(day("2019-01-02")));
        // Grouped and previous close: 16:00 New York.
        let close = instant(day("2019-02-01"), 16, 0).unwrap();
        assert_eq!(close, 1_549_054_800_000);
        assert_eq!(clock(close).unwrap(), (day("2019-02-01"), "16:00".into()));
        // 20:00 New York in winter is the next day in UTC.
        let late = instant(day("2019-01-02"), 20, 0).unwrap();
        assert_eq!(day_of(late), Some(day("2019-01-02")));
        assert_eq!(day_of(i64::MAX), None);
        assert_eq!(instant(day("2019-03-10"), 2, 30), None);
    }
}
