//! Which expiration goes with an announcement (`iv_crush.md` A11).

use crate::domain::{Calendar, Day};
use chrono::{Datelike, Weekday};

/// Calendar days from an announcement to an expiration that still speaks of it, at most.
pub const MAX_DAYS: i32 = 30;

/// Calendar days that a traded option has at least.
const MIN_DAYS: i32 = 3;

/// The first session after an announcement's day: an option that expires there or later still
/// holds the reaction, whatever the hour of the announcement.
pub fn first_session_after(calendar: &Calendar, announcement: Day) -> Day {
    calendar.next_open(announcement)
}

/// The first expiration listed on or after the first session after the announcement. `None` if none
/// is listed; an earlier one says nothing of it.
pub fn first_after(calendar: &Calendar, announcement: Day, listed: &[Day]) -> Option<Day> {
    let target = first_session_after(calendar, announcement);
    listed.iter().copied().filter(|day| *day >= target).min()
}

/// The expiration whose straddle says the implied move: [`first_after`], unless it lies more than
/// [`MAX_DAYS`] days after the announcement, when most of what is paid for is not the reaction.
pub fn for_implied_move(calendar: &Calendar, announcement: Day, listed: &[Day]) -> Option<Day> {
    let first = first_after(calendar, announcement, listed);
    first.filter(|day| day.0 - announcement.0 <= MAX_DAYS)
}

/// The expiration to trade: that week's Friday for announcements on Monday or Tuesday, else the
/// next week's; on a holiday the session before it, unless that leaves less than 3 days: then a
/// week later.
pub fn to_trade(calendar: &Calendar, announcement: Day) -> Day {
    let friday = friday_of(announcement);
    let session = |friday: Day| match calendar.is_open(friday) {
        true => friday,
        false => calendar.previous_open(friday),
    };
    let chosen = session(friday);
    match chosen.0 - announcement.0 >= MIN_DAYS {
        true => chosen,
        false => session(Day(friday.0 + 7)),
    }
}

/// The Friday by the rule, holidays not looked at.
pub fn friday_of(announcement: Day) -> Day {
    let weekday = announcement.date().weekday();
    let from_monday = weekday.num_days_from_monday() as i32;
    let this_week = announcement.0 + Weekday::Fri.num_days_from_monday() as i32 - from_monday;
    Day(if from_monday <= 1 { this_week } else { this_week + 7 })
}
