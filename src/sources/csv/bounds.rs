//! The bounds of a column's numbers.

use crate::sources::mapping::Column;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Holds a number, given by how it compares, against its column's bounds; says whether it is
/// remarkably high.
pub(super) fn check(column: &Column, cmp: impl Fn(&Decimal) -> Ordering) -> Result<bool, &str> {
    let range = &column.range;
    let is = |bound: &Option<Decimal>, wanted: fn(Ordering) -> bool| {
        bound.as_ref().is_some_and(|bound| wanted(cmp(bound)))
    };
    let outside = is(&range.above, Ordering::is_le)
        || is(&range.at_least, Ordering::is_lt)
        || is(&range.at_most, Ordering::is_gt);
    if outside {
        return Err(&column.codes.out_of_range);
    }
    if is(&range.suspect_below, Ordering::is_lt) {
        return Err(&column.codes.suspect_scale);
    }
    Ok(is(&range.high_from, Ordering::is_ge))
}
