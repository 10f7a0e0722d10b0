//! Histories: the events of one symbol in one view, kept sorted.

use crate::domain::{Day, Head, Rows};
use crate::projections::view::History;

/// The order in which a history stands: by day, then batch, then place in the batch.
type Key = (Day, u32, u32);

fn key(head: &Head, batch: u32) -> Key {
    (head.day, batch, head.seq)
}

/// Sorts a history, leaving out events that stand in it twice.
pub fn sorted(history: History) -> History {
    let heads = history.rows.heads().iter().zip(&history.batches);
    let keys = heads.map(|(head, batch)| key(head, *batch));
    if keys.clone().is_sorted_by(|a, b| a < b) {
        return history;
    }
    let keys: Vec<Key> = keys.collect();
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
    for (row, batch) in second.rows.iter().zip(&second.batches) {
        first.rows.push_row(row);
        first.batches.push(*batch);
    }
    sorted(first)
}

/// The parts of a sorted history by calendar year, as ranges of its events.
pub fn by_year(history: &History) -> Vec<(i32, std::ops::Range<usize>)> {
    let mut parts: Vec<(i32, std::ops::Range<usize>)> = Vec::new();
    let mut until = Day(i32::MIN);
    for (index, head) in history.rows.heads().iter().enumerate() {
        if head.day >= until {
            let year = head.day.year();
            until = Day::from_ymd(year + 1, 1, 1).unwrap_or(Day(i32::MAX));
            parts.push((year, index..index));
        }
        if let Some((_, range)) = parts.last_mut() {
            range.end = index + 1;
        }
    }
    parts
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
