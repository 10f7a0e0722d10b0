//! The events of a bundle, window by window. They come from elsewhere: what this program would never
//! write, and could not read or show afterwards, is refused before anything is made of it.

use super::super::Result;
use super::super::codec;
use super::super::error::LedgerError;
use super::read::damaged;
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{Day, Window};
use std::cmp::Ordering;

/// Says of what cannot be read that it is the file, and not a ledger, that is wrong.
pub(super) fn of_the_file(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Damaged { what } => damaged(&what),
        error @ (LedgerError::Malformed { .. } | LedgerError::NoSuchSource(_)) => {
            damaged(&error.to_string())
        }
        other => other,
    }
}

/// Adds a block to the window that it belongs to; returns the window when it is whole.
///
/// How many events there are is asked before they are unpacked: columns of even numbers are a few
/// bytes, whatever they say.
///
/// # Errors
/// Events that do not fit, or that cannot be written as they are.
pub(super) fn gather(window: &mut Window, bytes: &[u8]) -> Result<Option<Window>> {
    let header = codec::read_header(bytes).map_err(of_the_file)?;
    let (wanted, before) = (header.window_events as usize, window.len());
    if wanted > WINDOW_EVENTS || header.events as usize > wanted.saturating_sub(before) {
        return Err(damaged("a window has too many events"));
    }
    let (rows, rejects) = (window.rows.len(), window.rejects.len());
    codec::decode_block(bytes, window).map_err(of_the_file)?;
    let heads = window.rows.heads().iter().skip(rows).map(|head| head.offset);
    let mut offsets = heads.chain(window.rejects.iter().skip(rejects).map(|reject| reject.offset));
    if offsets.any(|offset| i64::try_from(offset).is_err()) {
        return Err(damaged("an event stands where no file reaches"));
    }
    match window.len().cmp(&wanted) {
        Ordering::Less => Ok(None),
        Ordering::Equal => Ok(Some(std::mem::take(window))),
        Ordering::Greater => Err(damaged("a window has too many events")),
    }
}

/// Refuses events that no source of this program gives: another ledger's batch becomes part of this
/// one, where they could not be taken out again. `sources` is how many the batch has.
///
/// # Errors
/// The first of them.
pub(super) fn check(window: &Window, sources: usize) -> Result<()> {
    if !window.erased.is_empty() {
        return Err(damaged("events of it are erased"));
    }
    let days = days();
    for head in window.rows.heads() {
        if !days.contains(&head.day) {
            return Err(damaged("a day is not of the years 0 to 9999"));
        }
    }
    let of_rows = window.rows.heads().iter().map(|head| head.source);
    let mut named = of_rows.chain(window.rejects.iter().map(|reject| reject.source));
    match named.any(|source| source as usize >= sources) {
        true => Err(damaged("an event names no source")),
        false => Ok(()),
    }
}

/// The days that can be written as `YYYY-MM-DD`.
fn days() -> std::ops::RangeInclusive<Day> {
    let edge = |year, month, day| Day::from_ymd(year, month, day).unwrap_or_default();
    edge(0, 1, 1)..=edge(9_999, 12, 31)
}

#[cfg(test)]
mod tests;
