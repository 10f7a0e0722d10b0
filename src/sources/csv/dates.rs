//! Dates as vendors write them, and which number of them is the day.
//!
//! Forms whose order is open (`03/04/2025`) are decided once per file: a reader that decides row
//! by row turns one month of a file into twelve days of January.

use crate::domain::Day;
use crate::sources::DateOrder;

/// A date cell taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Year, month and day stand where the form says.
    Fixed(i32, u32, u32),
    /// Two numbers whose order the file decides, and the year.
    Open(Form, u32, u32, i32),
}

/// The forms of dates whose order is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `a/b/yyyy` or `a/b/yy`.
    Slash,
    /// `a-b-yyyy`.
    Dash,
}

/// Most bytes of a date without a time.
const LONGEST: usize = 10;

/// A cell without the midnight behind its date, where it has one: `2024-01-31T00:00:00Z`. Programs that
/// only know instants write days so. Midnight of whatever zone they name is the day as they wrote it; of any
/// other time nobody knows which day it was where the market is.
fn without_midnight(text: &[u8]) -> &[u8] {
    if text.len() <= LONGEST {
        return text;
    }
    with_time(text).filter(|(_, time)| is_midnight(time)).map_or(text, |(date, _)| date)
}

/// Date and time of a cell that has both.
fn with_time(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| matches!(byte, b'T' | b't' | b' '))?;
    let (date, time) = (text.get(..at)?, text.get(at + 1..)?);
    time.first()?.is_ascii_digit().then_some((date, time))
}

/// Whether a time is midnight: `00:00`, `0:00:00`, `00:00:00.000`, in whatever zone (`Z`, `-05:00`).
fn is_midnight(time: &[u8]) -> bool {
    let zone = time.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
    let (clock, zone) = time.split_at(zone.unwrap_or(time.len()));
    let mut parts = clock.split(|byte| *byte == b':');
    let is_hour = matches!(parts.next(), Some(b"0" | b"00"));
    let is_minute = parts.next() == Some(b"00");
    let is_second = match parts.next() {
        None => true,
        Some([b'0', b'0']) => true,
        Some([b'0', b'0', b'.', rest @ ..]) => !rest.is_empty() && rest.iter().all(|b| *b == b'0'),
        Some(_) => false,
    };
    is_hour && is_minute && is_second && parts.next().is_none() && is_zone(zone.trim_ascii_start())
}

/// Whether it is a zone, or nothing: `Z`, `UTC`, `+00`, `+0000`, `-05:00`.
fn is_zone(zone: &[u8]) -> bool {
    let offset = match zone {
        b"" | b"Z" | b"z" | b"UTC" => return true,
        [b'+' | b'-', offset @ ..] => offset,
        _ => return false,
    };
    match offset {
        [h, hour]
        | [h, hour, b'0'..=b'5', b'0'..=b'9']
        | [h, hour, b':', b'0'..=b'5', b'0'..=b'9'] => {
            matches!((h, hour), (b'0', b'0'..=b'9') | (b'1', b'0'..=b'4'))
        }
        _ => false,
    }
}

/// Whether a cell that is not read has a date, and a time of day behind it.
pub(super) fn is_timed(text: &[u8]) -> bool {
    with_time(text).is_some_and(|(date, _)| parts(date).is_some())
}

/// Takes a trimmed cell apart; `None` when it has none of the accepted forms.
///
/// Accepted are `Y-m-d`, `Y/m/d`, `Ymd`, `d.m.Y` and the open forms; day and month have one or
/// two digits, the year four, or two after a slash. A time of midnight may stand behind them.
pub(super) fn parts(text: &[u8]) -> Option<Parts> {
    let mut numbers = [0u32; 3];
    let mut lengths = [0usize; 3];
    let mut marks = [0u8; 2];
    let mut at = 0;
    let text = without_midnight(text);
    if text.len() > LONGEST {
        return None;
    }
    for &byte in text {
        if byte.is_ascii_digit() {
            let number = numbers.get_mut(at)?;
            *number = *number * 10 + u32::from(byte - b'0');
            *lengths.get_mut(at)? += 1;
        } else {
            *marks.get_mut(at)? = byte;
            at += 1;
        }
    }
    let [a, b, c] = numbers;
    let short = |length: usize| (1..=2).contains(&length);
    if at == 0 && lengths == [8, 0, 0] {
        return Some(Parts::Fixed((a / 10_000) as i32, a / 100 % 100, a % 100));
    }
    if at != 2 || marks[0] != marks[1] || !short(lengths[1]) {
        return None;
    }
    match (marks[0], lengths[0], lengths[2]) {
        (b'-' | b'/', 4, day) if short(day) => Some(Parts::Fixed(a as i32, b, c)),
        (b'.', day, 4) if short(day) => Some(Parts::Fixed(c as i32, b, a)),
        (b'/', first, 4) if short(first) => Some(Parts::Open(Form::Slash, a, b, c as i32)),
        (b'/', first, 2) if short(first) => {
            let century = if c <= 68 { 2000 } else { 1900 };
            Some(Parts::Open(Form::Slash, a, b, century + c as i32))
        }
        (b'-', first, 4) if short(first) => Some(Parts::Open(Form::Dash, a, b, c as i32)),
        _ => None,
    }
}

/// The accepted forms, as a person is told.
pub const FORMS: &str = "2024-01-31, 2024/01/31, 20240131, 31.01.2024, 31/01/2024, 01/31/2024 or \
     31-01-2024, with no time of day but 00:00";

/// The first day that a file may speak of, 1800-01-01. Programs write days long before it for nothing
/// (`0001-01-01`), or for years of two digits (`0024-01-02`).
const FIRST_DAY: Day = Day(-62_091);

/// What the dates of one open form say about their order.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// The first line with such a date.
    seen: Option<u32>,
    /// The first line whose first number cannot be a month.
    day_first: Option<u32>,
    /// The first line whose second number cannot be a month.
    month_first: Option<u32>,
    /// The first and the last numbers that occur, each a bit.
    firsts: u128,
    lasts: u128,
    /// The first and the last day, were the years to stand first.
    span: Option<(Day, Day)>,
    /// Whether one of the dates is none then.
    not_year_first: bool,
}

/// How far back the years of short files reach, as a rule.
const RECENT_YEARS: u32 = 12;

impl Evidence {
    /// Whether the years seem to stand first, with two digits, up to the year `latest`: the last number
    /// changes more than the first. Of dates that end in a year, the day or the month before it does.
    fn year_first(&self, latest: i32) -> bool {
        let (firsts, lasts) = (self.firsts, self.lasts);
        let Some((first, last)) = self.span.filter(|_| !self.not_year_first) else {
            return false;
        };
        if lasts.count_ones() <= firsts.count_ones() {
            return false;
        }
        let latest = u32::try_from(latest - 2000).unwrap_or_default();
        let highest = |bits: u128| 127 - bits.leading_zeros();
        // Years follow each other, and none of them is still to come.
        let run = firsts >> firsts.trailing_zeros();
        if run & (run + 1) != 0 || highest(firsts) > latest {
            return false;
        }
        // The last numbers of announcements, or of one day a year, may well be years; as days they
        // should lie together then, as those of a week's prices do.
        let years = highest(lasts) <= latest && lasts.trailing_zeros() + RECENT_YEARS > latest;
        !years || i64::from(lasts.count_ones()) * 2 > i64::from(last.0) - i64::from(first.0)
    }

    /// Takes in a date as if its year stood first.
    fn add_year_first(&mut self, day: Option<Day>) {
        self.not_year_first |= day.is_none();
        if let Some(day) = day {
            let (first, last) = self.span.unwrap_or((day, day));
            self.span = Some((first.min(day), last.max(day)));
        }
    }
}

/// The evidence of a whole file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Survey {
    slash: Evidence,
    dash: Evidence,
}

/// The orders of a file's open forms; `None` for a form that does not occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) slash: Option<DateOrder>,
    pub(super) dash: Option<DateOrder>,
    /// The first line of a form for which nothing but custom decides.
    pub(super) ambiguous: Option<u32>,
    /// Whether that is since the years seem to stand first.
    pub(super) year_first: bool,
}

/// Two lines of a file that cannot have the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) day_first_line: u32,
    pub(super) month_first_line: u32,
}

impl Survey {
    /// Takes in one date cell, trimmed.
    pub(super) fn add(&mut self, text: &[u8], line: u32) {
        let text = without_midnight(text);
        let Some(Parts::Open(form, a, b, year)) = parts(text) else {
            return;
        };
        let evidence = match form {
            Form::Slash => &mut self.slash,
            Form::Dash => &mut self.dash,
        };
        evidence.seen.get_or_insert(line);
        let last = u32::try_from(year % 100).unwrap_or_default();
        // A form of two digits has nothing but a digit two places before its end.
        let four = text.iter().rev().nth(2).is_some_and(u8::is_ascii_digit);
        let turned = Day::from_ymd(2000 + a.min(127) as i32, b, last);
        evidence.add_year_first(turned.filter(|_| !four));
        evidence.firsts |= 1 << a.min(127);
        evidence.lasts |= 1 << last;
        if a > 12 {
            evidence.day_first.get_or_insert(line);
        }
        if b > 12 {
            evidence.month_first.get_or_insert(line);
        }
    }

    /// Whether no date needs a decision.
    pub(super) fn is_fixed(&self) -> bool {
        self.slash.seen.is_none() && self.dash.seen.is_none()
    }

    /// Decides the orders; a mapping's own order goes before all evidence. Nothing is of a later year than
    /// `latest`.
    pub(super) fn decide(&self, fixed: Option<DateOrder>, latest: i32) -> Result<Orders, Conflict> {
        let mut orders = Orders::default();
        let slash = decide(self.slash, fixed, DateOrder::MonthFirst, &mut orders.ambiguous);
        let dash = decide(self.dash, fixed, DateOrder::DayFirst, &mut orders.ambiguous);
        (orders.slash, orders.dash) = (slash?, dash?);
        if fixed.is_none() && self.slash.year_first(latest) {
            orders.year_first = true;
            orders.ambiguous = orders.ambiguous.or(self.slash.seen);
        }
        Ok(orders)
    }
}

fn decide(
    evidence: Evidence,
    fixed: Option<DateOrder>,
    custom: DateOrder,
    ambiguous: &mut Option<u32>,
) -> Result<Option<DateOrder>, Conflict> {
    let Some(seen) = evidence.seen else {
        return Ok(None);
    };
    if fixed.is_some() {
        return Ok(fixed);
    }
    match (evidence.day_first, evidence.month_first) {
        (Some(day_first_line), Some(month_first_line)) => {
            Err(Conflict { day_first_line, month_first_line })
        }
        (Some(_), None) => Ok(Some(DateOrder::DayFirst)),
        (None, Some(_)) => Ok(Some(DateOrder::MonthFirst)),
        (None, None) => {
            *ambiguous = Some(ambiguous.map_or(seen, |line| line.min(seen)));
            Ok(Some(custom))
        }
    }
}

impl Orders {
    /// The day of a trimmed cell; `None` when there is no such date.
    pub(super) fn day(&self, text: &[u8]) -> Option<Day> {
        let day = match parts(text)? {
            Parts::Fixed(year, month, day) => Day::from_ymd(year, month, day),
            Parts::Open(form, a, b, year) => {
                let order = match form {
                    Form::Slash => self.slash,
                    Form::Dash => self.dash,
                };
                match order? {
                    DateOrder::DayFirst => Day::from_ymd(year, b, a),
                    DateOrder::MonthFirst => Day::from_ymd(year, a, b),
                }
            }
        };
        day.filter(|day| *day >= FIRST_DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(cells: &[&str]) -> Survey {
        let mut survey = Survey::default();
        for (i, cell) in cells.iter().enumerate() {
            survey.add(cell.as_bytes(), i as u32 + 2);
        }
        survey
    }

    #[test]
    fn forms_with_a_fixed_order() {
        for (text, want) in [
            ("2025-01-09", Some("2025-01-09")),
            ("2025-1-9", Some("2025-01-09")),
            ("2025/01/09", Some("2025-01-09")),
            ("2025/1/9", Some("2025-01-09")),
            ("20250109", Some("2025-01-09")),
            ("09.01.2025", Some("2025-01-09")),
            ("9.1.2025", Some("2025-01-09")),
            ("2024-02-29", Some("2024-02-29")),
            ("2025-02-29", None),
            ("2025-02-30", None),
            ("1800-01-01", Some("1800-01-01")),
            ("1799-12-31", None),
            ("0024-01-02", None),
            ("00240102", None),
            ("02.01.0024", None),
            ("2025-13-01", None),
            ("2025-001-1", None),
            ("2025-01/09", None),
            ("2025-01", None),
            ("2025-01-", None),
            ("-01-09", None),
            ("2025-01-09T", None),
            ("2025.01.09", None),
            ("9.1.25", None),
            ("2025-1-1-1", None),
            ("250109", None),
            ("n.v.t.", None),
            ("", None),
            ("١٢/٣", None),
        ] {
            let day = Orders::default().day(text.as_bytes());
            assert_eq!(day.map(|day| day.to_string()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn midnight_of_any_zone_is_the_day_as_it_was_written() {
        for (time, is_day) in [
            (" 00:00:00", true),
            ("T00:00:00", true),
            ("T00:00:00Z", true),
            ("t00:00z", true),
            (" 00:00", true),
            (" 0:00", true),
            (" 00:00:00.000000", true),
            ("T00:00:00.000Z", true),
            (" 00:00:00+00:00", true),
            (" 00:00:00 +0000", true),
            (" 00:00:00-05:00", true),
            (" 00:00:00+14", true),
            (" 00:00:00 UTC", true),
            ("T05:00:00Z", false),
            (" 16:00", false),
            (" 00:01", false),
            (" 00:00:01", false),
            (" 00:00:00.001", false),
            (" 24:00:00", false),
            (" 12:00:00 AM", false),
            (" 00:00:00 AM", false),
            (" 00:00:00:00", false),
            (" 00:00:00.", false),
            (" 00", false),
            (" 0", false),
            (" 00:0", false),
            (" 00:00:00+15:00", false),
            (" 00:00:00+5:00", false),
            (" 00:00:00+00:00Z", false),
            ("T", false),
            (" ", false),
            ("  00:00", false),
            ("00:00:00", false),
        ] {
            let orders = survey(&["31/01/2024"]).decide(None, 2025).unwrap();
            for date in ["2024-01-31", "20240131", "31.1.2024", "31/1/24", "2024/1/31"] {
                let cell = format!("{date}{time}");
                let day = orders.day(cell.as_bytes()).map(|day| day.to_string());
                assert_eq!(day.as_deref(), is_day.then_some("2024-01-31"), "{cell}");
            }
        }
        for (text, timed) in [
            ("2024-01-31T05:00:00Z", true),
            ("31/1/24 16:00", true),
            ("2 Jan 2024", false),
            ("2024-01-31 x", false),
            ("2024-01-31", false),
            ("total 12", false),
        ] {
            assert_eq!(is_timed(text.as_bytes()), timed, "{text}");
        }
        // What decides the order of a file's dates are the dates, not their length.
        for (cells, day_first, year_first) in [
            (&["13/01/2025 00:00"][..], true, false),
            (&["24/01/02 00:00:00", "24/01/03 00:00:00"], true, true),
            (&["01/13/2025 0:00"], false, false),
        ] {
            let orders = survey(cells).decide(None, 2025).unwrap();
            assert_eq!(orders.slash == Some(DateOrder::DayFirst), day_first, "{cells:?}");
            assert_eq!(orders.year_first, year_first, "{cells:?}");
        }
    }

    #[test]
    fn the_file_decides_open_forms() {
        use DateOrder::{DayFirst, MonthFirst};
        for (cells, slash, dash, ambiguous) in [
            (&["01/02/2025", "13/02/2025"][..], Some(DayFirst), None, None),
            (&["01/02/2025", "2/13/25"], Some(MonthFirst), None, None),
            (&["x", "01/02/2025"], Some(MonthFirst), None, Some(3)),
            (&["01-02-2025"], None, Some(DayFirst), Some(2)),
            (&["01-13-2025"], None, Some(MonthFirst), None),
            (&["13-01-2025", "1/13/2025"], Some(MonthFirst), Some(DayFirst), None),
            (&["2025-01-13", "20250113", "13.01.2025"], None, None, None),
        ] {
            let orders = survey(cells).decide(None, 2025).unwrap();
            assert_eq!(orders, Orders { slash, dash, ambiguous, year_first: false }, "{cells:?}");
        }
        let conflict = survey(&["13/01/2025", "1/1/2025", "1/13/2025"]).decide(None, 2025);
        assert_eq!(conflict, Err(Conflict { day_first_line: 2, month_first_line: 4 }));
        let fixed = survey(&["13/01/2025", "1/13/2025"]).decide(Some(DayFirst), 2025).unwrap();
        assert_eq!(fixed.day(b"2/3/2025").unwrap().to_string(), "2025-03-02");
        assert_eq!(fixed.day(b"1/13/2025"), None);
    }

    #[test]
    fn years_of_two_digits_that_seem_to_stand_first_are_not_decided() {
        for (cells, year_first) in [
            (&["24/01/02", "24/01/03"][..], true),
            (&["23/12/28", "23/12/29", "24/01/02"], true),
            (&["24/01/02", "24/01/03", "24/01/32"], false),
            (&["24/01/02", "24/01/00"], false),
            (&["24/01/02"], false),
            (&["02/01/24", "03/01/24", "24/01/24"], false),
            (&["15/01/2024", "15/01/2025"], false),
            (&["12/31/23", "12/31/24"], false),
            (&["12/29/23", "01/02/24", "01/03/24"], false),
            // What could be years as well: a week's prices, announcements, one day a year or a month.
            (&["24/01/16", "24/01/17", "24/01/19"], true),
            (&["21/11/22", "21/11/23", "20/11/24", "21/02/25"], false),
            (&["31/12/20", "31/12/21", "31/12/22"], false),
            (&["15/11/22", "15/12/22", "15/01/23"], false),
            // Days that are no years of one run, and no day at all were the year first.
            (&["03/10/08", "17/10/08", "03/10/12", "17/10/03"], false),
            (&["24/02/02", "24/02/30"], false),
        ] {
            let orders = survey(cells).decide(None, 2025).unwrap();
            assert_eq!(orders.year_first, year_first, "{cells:?}");
            assert!(!year_first || orders.ambiguous == Some(2), "{cells:?}");
        }
        let said =
            survey(&["24/01/02", "24/01/03"]).decide(Some(DateOrder::DayFirst), 2025).unwrap();
        assert_eq!((said.year_first, said.ambiguous), (false, None));
    }

    #[test]
    fn two_digit_years_turn_at_69() {
        let orders = survey(&["12/31/25"]).decide(None, 2025).unwrap();
        for (text, want) in [("1/2/00", "2000-01-02"), ("1/2/68", "2068-01-02")] {
            assert_eq!(orders.day(text.as_bytes()).unwrap().to_string(), want);
        }
        assert_eq!(orders.day(b"1/2/69").unwrap().to_string(), "1969-01-02");
        assert_eq!(orders.day(b"1-2-69"), None);
    }
}
