//! Columns of packed numbers as columns of the first version, which is what events are made of.

use super::columns::{MAX_EVENTS, MAX_VALUES, malformed};
use super::packed::{self, IntsV2};
use super::v1::{ColumnV1, ColumnsV1, DigitsV1, HeadsV1, IntsV1, ItemsV1};
use super::v2::{ColumnV2, ColumnsV2, DigitsV2, HeadsV2};
use super::varints::Varints;
use crate::ledger::error::LedgerError;

/// The columns of a block, and the items of its events where one has any.
///
/// # Errors
/// Numbers that are not those of so many events.
pub fn columns(of: ColumnsV2, count: usize) -> Result<(ColumnsV1, Option<ItemsV1>), LedgerError> {
    let (heads, items) = heads(of.heads, count)?;
    Ok((ColumnsV1 { heads, columns: values(of.columns)? }, items))
}

/// Everything of a block's events but their values, and their items.
///
/// # Errors
/// As [`columns`].
pub fn heads(of: HeadsV2, count: usize) -> Result<(HeadsV1, Option<ItemsV1>), LedgerError> {
    let (sources, lines) = (ints(&of.sources, count)?, ints(&of.lines, count)?);
    let (gaps, lens) = (ints(&of.gaps, count)?, ints(&of.lens, count)?);
    let (keys, items) = keys(of, count)?;
    Ok((HeadsV1 { sources, lines: sums(&keys.seqs, lines), gaps, lens, ..keys }, items))
}

/// As [`heads`], without where the events stand in their sources.
///
/// # Errors
/// As [`columns`].
pub fn keys(of: HeadsV2, count: usize) -> Result<(HeadsV1, Option<ItemsV1>), LedgerError> {
    let left_out = || IntsV1::Same(0);
    let heads = HeadsV1 {
        batches: left_out(),
        seqs: ints(&of.seqs, count)?,
        sources: left_out(),
        lines: left_out(),
        gaps: left_out(),
        lens: left_out(),
        ops: of.ops,
        series: of.series,
        days: ints(&of.days, count)?,
        symbols: ints(&of.symbols, count)?,
        shapes: of.shapes,
        shape: ints(&of.shape, count)?,
    };
    Ok((heads, items(of.items, &of.item, count)?))
}

/// The items of events; `None` where none has one.
pub fn items(
    names: Vec<String>,
    item: &IntsV2,
    count: usize,
) -> Result<Option<ItemsV1>, LedgerError> {
    let item = ints(item, count)?;
    Ok((!names.is_empty()).then_some(ItemsV1 { names, item }))
}

/// The numbers of so many events.
pub fn ints(of: &IntsV2, count: usize) -> Result<IntsV1, LedgerError> {
    if count > MAX_EVENTS {
        return Err(malformed());
    }
    Ok(match of {
        IntsV2::Even(first, 0) => IntsV1::Same(*first),
        other => IntsV1::Deltas(Varints(packed::unpack(other, count)?)),
    })
}

/// The sums of two columns of numbers: those of their differences.
fn sums(a: &IntsV1, b: IntsV1) -> IntsV1 {
    let (first, mut differences) = match (a, b) {
        (IntsV1::Same(a), IntsV1::Same(b)) => return IntsV1::Same(a.wrapping_add(b)),
        (IntsV1::Same(same), IntsV1::Deltas(Varints(of))) => (*same, of),
        (IntsV1::Deltas(Varints(of)), IntsV1::Same(same)) => (same, of.clone()),
        (IntsV1::Deltas(Varints(a)), IntsV1::Deltas(Varints(mut b))) => {
            b.iter_mut().zip(a).for_each(|(b, a)| *b = b.wrapping_add(*a));
            (0, b)
        }
    };
    differences.iter_mut().take(1).for_each(|place| *place = place.wrapping_add(first));
    IntsV1::Deltas(Varints(differences))
}

/// The values of each field.
pub fn values(of: Vec<ColumnV2>) -> Result<Vec<ColumnV1>, LedgerError> {
    // Even digits take no bytes however many there are: checked before memory is asked for.
    let digits = of.iter().map(|column| match column.digits {
        DigitsV2::Aligned(count, _) => count as usize,
        DigitsV2::Plain(_) => 0,
    });
    if digits.sum::<usize>() > MAX_VALUES {
        return Err(malformed());
    }
    let column = |of: ColumnV2| {
        let digits = match of.digits {
            DigitsV2::Aligned(count, digits) => {
                DigitsV1::Aligned(Varints(packed::unpack(&digits, count as usize)?))
            }
            DigitsV2::Plain(digits) => DigitsV1::Plain(digits),
        };
        Ok(ColumnV1 { forms: of.forms, digits, texts: of.texts })
    };
    of.into_iter().map(column).collect()
}
