//! How large a change is, and which ones a review shows.

use super::SHOWN_CHANGES;
use crate::domain::Field;
use crate::domain::series::{self, Unit};
use crate::projections::diff::{Change, ChangeKind};
use rust_decimal::Decimal;
use std::cmp::Reverse;

/// The size of a change that a limit applies to: volatility points, or percent of a price.
pub(super) fn size_of(change: &Change) -> Option<Decimal> {
    let (limited, size) = weight(change)?;
    limited.then_some(size)
}

/// How much a change weighs: whether a limit applies to it, and volatility points or percent of the
/// number before. A number that was zero has changed by more than any percentage.
fn weight(change: &Change) -> Option<(bool, Decimal)> {
    if change.kind != ChangeKind::Changed && change.kind != ChangeKind::Drifted {
        return None;
    }
    if let Some(points) = change.delta_points {
        return Some((true, points.abs()));
    }
    let Field::Known(code) = change.field else { return None };
    let price = series::field(code)?.unit == Unit::Price;
    let (old, new) = (change.old.as_ref()?.decimal()?, change.new.as_ref()?.decimal()?);
    let share = new.checked_sub(old).and_then(|by| by.checked_div(old));
    let percent = share.and_then(|share| share.checked_mul(Decimal::ONE_HUNDRED));
    Some((price, percent.map_or(Decimal::MAX, |percent| percent.abs())))
}

/// Puts the largest changes first, kind by kind: volatilities and prices, then other numbers, then what
/// is none.
pub(super) fn sort(changes: &mut [Change]) {
    changes.sort_by_cached_key(|change| {
        let place = (change.symbol.clone(), change.series, change.day, change.item.clone());
        (change.kind, Reverse(weight(change)), place)
    });
}

/// Keeps the largest changes.
pub(super) fn trim(changes: &mut Vec<Change>) {
    sort(changes);
    changes.truncate(SHOWN_CHANGES);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code;
    use crate::domain::{Day, Series, Value};

    fn change(day: i32, field: u16, old: &str, new: &str) -> Change {
        let value = |digits: &str| Some(Value::from_json_number(digits));
        Change {
            kind: ChangeKind::Changed,
            series: Series::Spot,
            symbol: "VOLA".parse().unwrap(),
            day: Day(day),
            item: "".into(),
            field: Field::Known(field),
            old: value(old),
            new: value(new),
            delta_points: None,
        }
    }

    #[test]
    fn a_price_that_jumps_stands_before_those_that_moved_a_little_and_before_volumes() {
        let mut changes: Vec<Change> =
            (1..60).map(|day| change(day, code::CLOSE, "113.90", "113.91")).collect();
        changes.push(change(60, code::VOLUME, "1", "1000"));
        changes.push(change(91, code::CLOSE, "78.15", "113.32"));
        changes.push(change(92, code::CLOSE, "0", "0.01"));
        changes.push(Change {
            delta_points: Some(Decimal::from(50)),
            ..change(93, code::CLOSE, "1", "1")
        });
        trim(&mut changes);
        let days: Vec<i32> = changes.iter().map(|change| change.day.0).collect();
        assert_eq!(days[..5], [92, 93, 91, 1, 2]);
        assert_eq!(days.len(), SHOWN_CHANGES);
        assert_eq!(size_of(&change(1, code::VOLUME, "1", "1000")), None);
        assert_eq!(size_of(&change(1, code::CLOSE, "200", "190")), Some(Decimal::from(5)));
    }
}
