//! Histories: the events of one symbol in one view, kept sorted.

use crate::domain::{Day, Rows, Series};
use crate::projections::view::History;
use std::collections::BTreeSet;

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
pub fn by_period(view: Series, history: &History) -> Vec<(i32, std::ops::Range<usize>)> {
    let mut parts: Vec<(i32, std::ops::Range<usize>)> = Vec::new();
    let mut until = Day(i32::MIN);
    for (index, head) in history.rows.heads().iter().enumerate() {
        if head.day >= until {
            let period = period_of(view, head.day);
            until = match view.is_dense() {
                true => head.day.next(),
                false => Day::from_ymd(period + 1, 1, 1).unwrap_or(Day(i32::MAX)),
            };
            // No day is later than the last period that can be told: there `until` is its own last
            // day, and what is stored under one name must be one part.
            if parts.last().is_none_or(|(last, _)| *last != period) {
                parts.push((period, index..index));
            }
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
    let mut last = None;
    for day in days {
        // Neighbours are mostly of one period.
        let period = period_of(view, day);
        if last.replace(period) != Some(period) {
            periods.insert(period);
        }
    }
    periods
}

/// The period that a day is stored under.
pub fn period_of(view: Series, day: Day) -> i32 {
    if view.is_dense() { day.0 } else { day.year() }
}

/// A part of a history as a history of its own.
pub fn part(history: &History, range: std::ops::Range<usize>) -> History {
    let mut part = History::default();
    for index in range {
        if let (Some(row), Some(batch)) = (history.rows.get(index), history.batches.get(index)) {
            part.rows.push_row(row);
            part.batches.push(*batch);
        }
    }
    part
}
