//! How large a change is, and which ones a review shows.

use super::SHOWN_CHANGES;
use crate::projections::diff::{Change, ChangeKind};
use rust_decimal::Decimal;

/// The size of a change that a limit applies to: volatility points, or percent of a price.
pub(super) fn size_of(change: &Change) -> Option<Decimal> {
    if change.kind != ChangeKind::Changed && change.kind != ChangeKind::Drifted {
        return None;
    }
    if let Some(points) = change.delta_points {
        return Some(points.abs());
    }
    let crate::domain::Field::Known(code) = change.field else { return None };
    let price = crate::domain::series::field(code)?.unit == crate::domain::series::Unit::Price;
    let (old, new) = (change.old.as_ref()?.decimal()?, change.new.as_ref()?.decimal()?);
    let share = new.checked_sub(old)?.checked_div(old)?.checked_mul(Decimal::from(100))?;
    price.then_some(share.abs())
}

/// Keeps the largest changes.
pub(super) fn trim(changes: &mut Vec<Change>) {
    changes.sort_by(|a, b| {
        let size = |change: &Change| change.delta_points.map(|points| points.abs());
        let by_size = size(b).cmp(&size(a));
        let place = |change: &Change| {
            (change.symbol.clone(), change.series, change.day, change.item.clone())
        };
        a.kind.cmp(&b.kind).then(by_size).then_with(|| place(a).cmp(&place(b)))
    });
    changes.truncate(SHOWN_CHANGES);
}
