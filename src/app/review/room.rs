//! Whether the views have room for a batch. A decision that is made cannot be taken out of the log
//! again, and views that cannot follow it would keep every later command from opening the ledger.

use crate::app::error::{AppError, Result};
use crate::app::groups::SymbolKeys;
use crate::app::history::{self, by_period};
use crate::domain::{Row, Series, Symbol, Value, ValueRef};
use crate::ledger::codec::{MAX_BODY, decode_chunk, encode_chunk};
use crate::projections::view::History;
use std::ops::Range;

/// Bytes that are surely read back of a period.
pub(super) const SURE: usize = MAX_BODY;

/// Bytes of an event without values, and of a value without text: never more.
const EVENT: usize = 80;
const VALUE: usize = 40;

/// Bytes that an event takes before anything is packed: never more.
fn weight(row: Row<'_>) -> usize {
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Other(Value::Text(text) | Value::Num(text) | Value::Json(text)) => text.len(),
        _ => 0,
    };
    let values: usize = row.values.refs().map(|value| VALUE + text(value)).sum();
    EVENT + row.item.len() + values
}

/// Refuses a history of which a view could not hold a period. Where more than `sure` bytes might be
/// stored of one, it is tried.
///
/// # Errors
/// [`AppError::NoRoom`].
pub(super) fn check(view: Series, symbol: &Symbol, history: &History, sure: usize) -> Result<()> {
    let weight = |range: Range<usize>| -> usize {
        range.filter_map(|index| history.rows.get(index)).map(weight).sum()
    };
    if weight(0..history.rows.len()) <= sure {
        return Ok(());
    }
    for (period, range) in by_period(view, history) {
        if weight(range.clone()) <= sure {
            continue;
        }
        let batches = history.batches.get(range.clone()).unwrap_or_default();
        let stored = encode_chunk(&history.rows, range.clone(), batches);
        if stored.and_then(|bytes| decode_chunk(&bytes)).is_err() {
            let (symbol, dense, events) = (symbol.clone(), view.is_dense(), range.len());
            return Err(AppError::NoRoom { view, symbol, period, dense, events });
        }
    }
    Ok(())
}

/// A history with the events of a batch, where there is room for both.
///
/// # Errors
/// [`AppError::NoRoom`].
pub(super) fn merged(
    view: Series,
    symbol: &Symbol,
    stored: History,
    batch: &History,
) -> Result<History> {
    let whole = history::merged(stored, batch);
    check(view, symbol, &whole, SURE)?;
    Ok(whole)
}

/// Whether the keys of some symbols alone say that there is room for each of them.
pub(super) fn surely<'a>(mut found: impl Iterator<Item = &'a SymbolKeys>) -> bool {
    found.all(|keys| {
        let weight = |events: usize, cells: u64| events * EVENT + cells as usize * VALUE;
        keys.values().all(|of| weight(of.days.len(), of.cells) <= SURE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::Place;
    use crate::domain::{Day, Field, Op};

    fn history(events: u32, text: &str) -> History {
        let mut history = History::default();
        let symbol = history.rows.intern_symbol(&"AAPL".parse().unwrap());
        let shape = history.rows.intern_shape(&[Field::Known(10), Field::of(Series::Iv, "note")]);
        let first = Day::from_ymd(2024, 1, 1).unwrap().0 - 1;
        for seq in 0..events {
            let place = Place { seq, source: 0, line: 0, offset: 0, len: 0 };
            // One event of 2023, the others of one day of 2024.
            let day = Day(first + i32::from(seq > 0));
            let values = [Value::from_json_number("0.1"), Value::Text(text.into())];
            history.rows.push(place, Series::Iv, Op::Put, symbol, day, shape, values);
            history.batches.push(1);
        }
        history
    }

    #[test]
    fn a_period_that_could_not_be_read_back_is_refused() {
        let symbol = "AAPL".parse().unwrap();
        // More events than are read at once; texts of more bytes; a little less of both.
        for (events, size, fits) in
            [((1 << 20) + 2, 0, false), (1_200, 60_000, false), (1_000, 60_000, true)]
        {
            let history = history(events, &"x".repeat(size));
            for view in [Series::Iv, Series::Bars] {
                if view == Series::Bars && events > 2_000 {
                    continue; // a second time what takes seconds
                }
                let found = check(view, &symbol, &history, 1 << 10);
                assert_eq!(found.is_ok(), fits, "{events} {size}");
                let Err(AppError::NoRoom { period, dense, events: refused, .. }) = found else {
                    assert!(fits);
                    continue;
                };
                let day = Day::from_ymd(2024, 1, 1).unwrap().0;
                assert_eq!((period, dense), if dense { (day, true) } else { (2024, false) });
                assert_eq!(refused, events as usize - 1);
            }
            assert_eq!(check(Series::Iv, &symbol, &history, SURE).is_ok(), fits);
        }
    }
}
