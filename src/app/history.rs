//! Histories: the events of one symbol in one view, kept sorted.

use crate::domain::{Day, Rows, Series};
use crate::projections::view::History;
use std::collections::BTreeSet;
use std::ops::Range;

/// The order in which a history stands: by day and item, then batch, then place in the batch.
type Key<'a> = (Day, &'a str, u32, u32);

/// Sorts a history, leaving out events that stand in it twice.
pub fn sorted(history: History) -> History {
    let heads = history.rows.heads().iter().zip(&history.batches);
    // Daily series have no items, and are mostly in order: no text need be looked at.
    let plain = heads.clone().map(|(head, batch)| (head.item, head.day, *batch, head.seq));
    if plain.is_sorted_by(|a, b| a.0 == 0 && b.0 == 0 && a < b) {
        return history;
    }
    let keys = heads.map(|(head, batch)| (head.day, history.rows.item_of(head), *batch, head.seq));
    if keys.clone().is_sorted_by(|a, b| a < b) {
        return history;
    }
    let keys: Vec<Key<'_>> = keys.collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|index| keys.get(*index));
    order.dedup_by_key(|index| keys.get(*index));
    let (mut rows, mut batches) = (Rows::new(), Vec::with_capacity(order.len()));
    for index in order {
        if let (Some(row), Some(batch)) = (history.rows.get(index), history.batches.get(index)) {
            rows.push_row(row);
            batches.push(*batch);
        }
    }
    History { rows, batches }
}

/// Two histories in one.
pub fn merged(mut first: History, second: &History) -> History {
    first.rows.absorb(&second.rows);
    first.batches.extend(&second.batches);
    sorted(first)
}

/// The parts of a sorted history that are stored together, as ranges of its events: by calendar
/// year, or in dense series by day (named by its number since 1970).
pub fn by_period(view: Series, history: &History) -> Vec<(i32, Range<usize>)> {
    parts(view, history.rows.heads().iter().map(|head| head.day))
}

/// As [`by_period`], of days that ascend.
pub fn parts(view: Series, days: impl Iterator<Item = Day>) -> Vec<(i32, Range<usize>)> {
    let mut parts: Vec<(i32, Range<usize>)> = Vec::new();
    let mut until = None;
    for (index, day) in days.enumerate() {
        if until.is_none_or(|until| day > until) {
            let period = period_of(view, day);
            until = Some(days_of(view, period).1);
            parts.push((period, index..index));
        }
        if let Some((_, range)) = parts.last_mut() {
            range.end = index + 1;
        }
    }
    parts
}

/// The periods that some days are stored under.
pub fn periods_of(view: Series, days: impl Iterator<Item = Day>) -> BTreeSet<i32> {
    let mut periods = BTreeSet::new();
    let mut last: Option<(Day, Day)> = None;
    for day in days {
        // Neighbours are mostly of one period.
        if last.is_none_or(|(first, last)| day < first || day > last) {
            let period = period_of(view, day);
            last = Some(days_of(view, period));
            periods.insert(period);
        }
    }
    periods
}

/// The first and the last day that are stored under a period. A day before the first year that can be
/// told is stored under that, one after the last under the last.
pub fn days_of(view: Series, period: i32) -> (Day, Day) {
    if view.is_dense() {
        return (Day(period), Day(period));
    }
    let (first, last) = (Day::from_ymd(period, 1, 1), Day::from_ymd(period, 12, 31));
    let (earliest, latest) = (Day(i32::MIN), Day(i32::MAX));
    (
        first.filter(|_| period > earliest.year()).unwrap_or(earliest),
        last.filter(|_| period < latest.year()).unwrap_or(latest),
    )
}

/// The period that a day is stored under.
pub fn period_of(view: Series, day: Day) -> i32 {
    if view.is_dense() { day.0 } else { day.year() }
}

/// A part of a history as a history of its own.
pub fn part(history: &History, range: Range<usize>) -> History {
    let mut part = History::default();
    for index in range {
        if let (Some(row), Some(batch)) = (history.rows.get(index), history.batches.get(index)) {
            part.rows.push_row(row);
            part.batches.push(*batch);
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_the_periods_that_have_them() {
        let numbers = [i32::MIN, i32::MIN + 1, -96_000_000, -719_529, -366, -365, -1, 0, 364, 365];
        let later = [19_722, 19_723, 20_087, 20_088, 96_000_000, i32::MAX - 1, i32::MAX];
        let days: Vec<Day> = numbers.into_iter().chain(later).map(Day).collect();
        for view in [Series::Iv, Series::Bars] {
            for day in &days {
                let (first, last) = days_of(view, period_of(view, *day));
                assert!(first <= *day && *day <= last, "{view} {day:?}: {first:?} to {last:?}");
                assert_eq!(period_of(view, first), period_of(view, last), "{view} {day:?}");
                let beside = [first.0.checked_sub(1), last.0.checked_add(1)];
                for other in beside.into_iter().flatten() {
                    assert_ne!(
                        period_of(view, Day(other)),
                        period_of(view, *day),
                        "{view} {day:?}"
                    );
                }
            }
            let parts = parts(view, days.iter().copied());
            assert!(parts.is_sorted_by(|a, b| a.0 < b.0 && a.1.end == b.1.start), "{parts:?}");
            assert_eq!(parts.last().map(|(_, range)| range.end), Some(days.len()));
            let named = |(period, range): &(i32, Range<usize>)| {
                days[range.clone()].iter().all(|day| period_of(view, *day) == *period)
            };
            assert!(parts.iter().all(named), "{parts:?}");
            let backwards = periods_of(view, days.iter().rev().copied());
            assert!(backwards.into_iter().eq(parts.iter().map(|(period, _)| *period)));
        }
    }
}
