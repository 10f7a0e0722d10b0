//! Which splits are taken out of a close, and where closes that differ in that meet.

use super::hv::{self, Jump};
use crate::domain::Day;

/// Which splits the one who gave a close had taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// None: it is as traded.
    AsTraded,
    /// Those up to this day, on which a service that takes them out was asked.
    Until(Day),
    /// Nobody said. It came on this day, and of splits after that nobody knew.
    Unknown(Day),
}

impl Adjustment {
    /// Whether a split after the close's day is taken out of it; `None` where that cannot be told.
    pub fn has_out(self, split: Day) -> Option<bool> {
        match self {
            Self::AsTraded => Some(false),
            Self::Until(day) => Some(split <= day),
            Self::Unknown(day) => (split > day).then_some(false),
        }
    }
}

/// Whether a split after two neighbouring closes stands between them, since one has it taken out and
/// the other has not. `factor` is the later close over the earlier one, `ratio` new shares for one old
/// share.
///
/// Where that is told of one close alone, the split has to explain the step better than the market
/// does: taken out of the earlier close, it is a rise by the ratio, of the later one a fall.
pub fn is_seam(
    (before, after): (Adjustment, Adjustment),
    factor: f64,
    (split, ratio): (Day, f64),
) -> bool {
    let step = match (before.has_out(split), after.has_out(split)) {
        (Some(before), Some(after)) => return before != after,
        (Some(true), None) | (None, Some(false)) => ratio.ln(),
        (Some(false), None) | (None, Some(true)) => -ratio.ln(),
        (None, None) => return false,
    };
    (factor.ln() - step).abs() < factor.ln().abs()
}

/// Pairs of closes between which a later split stands ([`is_seam`]), ascending. What lies outside
/// 0.6…1.6 is left to [`hv::suspicious_jumps`].
///
/// `days`, `closes` and `adjusted` belong together, oldest first.
pub fn seams(
    days: &[Day],
    closes: &[f64],
    adjusted: &[Adjustment],
    splits: &[(Day, f64)],
) -> Vec<Jump> {
    let pairs = days.windows(2).zip(adjusted.windows(2)).enumerate();
    let found = pairs.filter_map(|(at, (days, adjusted))| {
        let (&[before, day], &[one, other]) = (days, adjusted) else { return None };
        if one == other {
            return None;
        }
        let factor = hv::plain_factor(closes, at + 1)?;
        let mut later = splits.iter().filter(|(split, _)| *split > day);
        let stands = later.any(|split| is_seam((one, other), factor, *split));
        stands.then_some(Jump { index: at + 1, before, day, factor })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Adjustment::{AsTraded, Unknown, Until};

    const SPLIT: (Day, f64) = (Day(100), 1.5);

    #[test]
    fn what_is_known_of_both_sides_decides() {
        let of = |one, other, factor: f64| is_seam((one, other), factor, SPLIT);
        // Whatever the market did beside it.
        assert!(of(Until(Day(200)), AsTraded, 1.125) && of(AsTraded, Until(Day(100)), 1.0));
        // Asked before the split, the service had nothing to take out.
        assert!(!of(Until(Day(99)), AsTraded, 0.75) && !of(Unknown(Day(99)), AsTraded, 1.5));
        assert!(
            !of(Until(Day(200)), Until(Day(150)), 1.5) && of(Until(Day(50)), Until(Day(150)), 1.0)
        );
    }

    #[test]
    fn where_one_side_is_unknown_the_step_has_its_direction() {
        let of = |one, other, factor: f64| is_seam((one, other), factor, SPLIT);
        let unknown = Unknown(Day(200));
        assert!(of(unknown, AsTraded, 1.48) && !of(unknown, AsTraded, 0.67));
        assert!(of(AsTraded, unknown, 0.68) && !of(AsTraded, unknown, 1.5));
        assert!(of(unknown, Until(Day(200)), 0.68) && of(Until(Day(200)), unknown, 1.48));
        assert!(!of(unknown, AsTraded, 1.02), "it has not been taken out of either");
        assert!(!of(unknown, Unknown(Day(300)), 1.5), "nothing is known of either");
    }

    #[test]
    fn seams_are_pairs_of_neighbours_before_the_split() {
        let days = [1, 2, 3, 4].map(Day);
        let closes = [150.0, 151.0, 102.0, 101.0];
        let adjusted = [AsTraded, AsTraded, Until(Day(200)), Until(Day(200))];
        let found = |splits: &[(Day, f64)]| -> Vec<usize> {
            seams(&days, &closes, &adjusted, splits).iter().map(|jump| jump.index).collect()
        };
        assert_eq!(found(&[SPLIT]), [2]);
        // The prices of the day that a split is of are after it on both sides.
        assert_eq!(found(&[(Day(3), 1.5)]), [0; 0]);
        assert_eq!(found(&[]), [0; 0]);
    }
}
