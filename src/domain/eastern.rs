//! New York's clock: the civil date and time of an instant.

use super::Day;
use chrono::{DateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::America::New_York;

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
#[cfg(test)]
mod tests {
    use super::*;

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
