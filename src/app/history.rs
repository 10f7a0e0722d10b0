//! Histories: the events of one symbol in one view, kept sorted.

use crate::domain::rows::Row;
use crate::domain::{Day, Rows};
use crate::projections::view::History;

/// The order in which a history stands: by day, then batch, then place in the batch.
type Key = (Day, u32, u32);

fn key(row: Row<'_>, batch: u32) -> Key {
    (row.head.day, batch, row.head.seq)
}

/// Sorts a history, leaving out events that stand in it twice.
pub fn sorted(history: History) -> History {
    let keys: Vec<Key> = history
        .rows
        .iter()
        .zip(&history.batches)
        .map(|(row, batch)| key(row, *batch))
        .collect();
    if keys.is_sorted_by(|a, b| a < b) {
        return history;
    }
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

/// The parts of a sorted history by calendar year.
pub fn by_year(history: History) -> Vec<(i32, History)> {
    let year = |row: Row<'_>| row.head.day.year();
    let first = history.rows.get(0).map(year);
    let last = history
        .rows
        .get(history.rows.len().wrapping_sub(1))
        .map(year);
    match (first, last) {
        (None, _) | (_, None) => Vec::new(),
        (Some(first), Some(last)) if first == last => vec![(first, history)],
        _ => {
            let mut parts: Vec<(i32, History)> = Vec::new();
            let mut until = Day(i32::MIN);
            for (row, batch) in history.rows.iter().zip(&history.batches) {
                if row.head.day >= until {
                    let year = year(row);
                    until = Day::from_ymd(year + 1, 1, 1).unwrap_or(Day(i32::MAX));
                    parts.push((year, History::default()));
                }
                if let Some((_, part)) = parts.last_mut() {
                    part.rows.push_row(row);
                    part.batches.push(*batch);
                }
            }
            parts
        }
    }
}
