//! Where a day's implied volatility stands among its own history (`tomic.md` 7.4): windows of
//! observations that end at the day. What comes after a day never changes its numbers.
//!
//! TOMIC's own whole-file formulas, which do look ahead, are in [`super::tomic`].
//!
//! Volatilities are fractions (0.25 is 25 %), ranks and percentiles lie on 0…100. Nothing guesses
//! a scale: an implied volatility of 1.05 is 105 %.

use std::collections::VecDeque;

/// The size of a window and the least history it wants, both in valid observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Most observations that are looked at.
    pub window: usize,
    /// Valid observations that must lie strictly before the day; with fewer there is no number.
    pub minimum: usize,
}

/// `iv_rank_252` and `iv_percentile_252`: one year (`tomic.md` 7.4).
pub const ONE_YEAR: Definition = Definition { window: 252, minimum: 252 };

/// `iv_rank_504` and `iv_percentile_504`: two years, from a year and a half on (`tomic.md` 7.4).
pub const TWO_YEARS: Definition = Definition { window: 504, minimum: 378 };

/// Where the value of one day stands, and what that was computed from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Valid observations strictly before the day, at most the window: what the percentile
    /// compares with, and what the minimum counts.
    pub n: usize,
    /// How many of those `n` are lower than the day's value; 0 for a day without a value.
    pub below: usize,
    /// 100 · `below` / `n`, 0…100. `None` on a day without a value and with too little history.
    pub percentile: Option<f64>,
    /// 100 · (x − low) / (high − low), 0…100. `None` where the percentile is, and when flat.
    pub rank: Option<f64>,
    /// Lowest and highest of the last `window` valid observations, the day's own included. `None`
    /// where the percentile is.
    pub range: Option<(f64, f64)>,
}

/// Volatilities, as fractions, that differ by no more are one: 48.23 % is 0.4823 in one vendor's file
/// and 0.4822999999999999 in another's.
const TIE: f64 = 1e-12;

/// Whether a value is lower than another, not only written with other last digits.
fn lower(one: f64, other: f64) -> bool {
    one < other - TIE
}

/// The value if it counts as an observation: finite and above zero (`tomic.md` 7.4).
pub fn valid(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && *value > 0.0)
}

/// The standing of every day of a history (`tomic.md` 7.4): the recommended definitions.
///
/// `series` is oldest first, one entry a day, as fractions; what is not [`valid`] is no
/// observation, and its day has no standing but tells its `n`. The result is as long as `series`.
/// Values `..=i` decide the standing of day `i` alone. One sorted window serves all of it: a search
/// of O(log w) a day and a move of at most w numbers.
pub fn windowed(series: &[Option<f64>], definition: Definition) -> Vec<Standing> {
    let mut window = Window::new(definition.window);
    let standing = |value: &Option<f64>| {
        let n = window.len();
        let Some(value) = valid(*value) else { return Standing { n, ..Standing::default() } };
        let below = window.below(value);
        window.push(value);
        stand(definition, value, n, below, window.range())
    };
    series.iter().map(standing).collect()
}

/// The standing of one day (`tomic.md` 7.4), the same as entry `at` of [`windowed`] in O(w).
///
/// `None` only when `series` has no entry `at`.
pub fn windowed_at(series: &[Option<f64>], at: usize, definition: Definition) -> Option<Standing> {
    let (value, past) = (series.get(at)?, series.get(..at)?);
    let before = || past.iter().rev().filter_map(|value| valid(*value)).take(definition.window);
    let n = before().count();
    let Some(value) = valid(*value) else { return Some(Standing { n, ..Standing::default() }) };
    let below = before().filter(|other| lower(*other, value)).count();
    // The day takes one of the places, so the oldest of a full window makes way.
    let others = before().take(definition.window.saturating_sub(1));
    let widen = |(low, high): (f64, f64), other: f64| (low.min(other), high.max(other));
    let range = (definition.window > 0).then(|| others.fold((value, value), widen));
    Some(stand(definition, value, n, below, range))
}

fn stand(
    definition: Definition,
    value: f64,
    n: usize,
    below: usize,
    range: Option<(f64, f64)>,
) -> Standing {
    if n == 0 || n < definition.minimum {
        return Standing { n, below, ..Standing::default() };
    }
    let percentile = Some(100.0 * below as f64 / n as f64);
    let rank = range.and_then(|(low, high)| {
        // Divided first: 100 · r / r may come out a digit above 100.
        lower(low, high)
            .then(|| (value - low) / (high - low) * 100.0)
            .filter(|rank| rank.is_finite())
    });
    Standing { n, below, percentile, rank, range }
}

/// The last observations, by age and by size.
struct Window {
    capacity: usize,
    by_age: VecDeque<f64>,
    by_size: Vec<f64>,
}

impl Window {
    fn new(capacity: usize) -> Self {
        Self { capacity, by_age: VecDeque::new(), by_size: Vec::new() }
    }

    fn len(&self) -> usize {
        self.by_size.len()
    }

    fn below(&self, value: f64) -> usize {
        self.by_size.partition_point(|other| lower(*other, value))
    }

    /// Where a value stands, or would stand.
    fn place(&self, value: f64) -> usize {
        self.by_size.partition_point(|other| *other < value)
    }

    fn range(&self) -> Option<(f64, f64)> {
        Some((*self.by_size.first()?, *self.by_size.last()?))
    }

    /// Takes a finite value in; the oldest leaves a full window.
    fn push(&mut self, value: f64) {
        if self.capacity == 0 {
            return;
        }
        if self.len() >= self.capacity
            && let Some(oldest) = self.by_age.pop_front()
        {
            // Equal values are the same number, so it does not matter which of them goes.
            self.by_size.remove(self.place(oldest));
        }
        self.by_age.push_back(value);
        self.by_size.insert(self.place(value), value);
    }
}

/// Entries that [`entry_rank`] looks back over (`options_platform.md` B11).
pub const ENTRY_LOOKBACK: usize = 252;

/// Observations that [`entry_rank`] wants among them (`options_platform.md` B11).
pub const ENTRY_MINIMUM: usize = 20;

/// A value's place among the last entries of a series, by `options_platform.md` B11.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntryRank {
    /// Entries that held a value.
    pub observations: usize,
    /// Highest of them, a fraction.
    pub high: f64,
    /// Lowest of them, a fraction.
    pub low: f64,
    /// 100 · (current − low) / (high − low); outside 0…100 when the value is beyond the range; 50
    /// when all entries are equal.
    pub raw: f64,
    /// `raw`, cut to 0…100.
    pub rank: f64,
    /// 100 · the share of entries strictly below, 0…100.
    pub percentile: f64,
}

/// The rank and percentile of `current` among the last `lookback` entries of `series`
/// (`options_platform.md` B11, vectors `iv_rank.json`).
///
/// `series` is oldest first, as fractions. This is another definition than [`windowed`]: missing
/// entries (`None` or not finite) are dropped **after** the cut, zeros count, `current` is given
/// apart and need not be an entry, and a flat series ranks 50. `None` (NODATA) with fewer than
/// `minimum` values, with none at all, or for a `current` that is no number.
pub fn entry_rank(
    series: &[Option<f64>],
    current: f64,
    lookback: usize,
    minimum: usize,
) -> Option<EntryRank> {
    let entries = series.get(series.len().saturating_sub(lookback)..)?;
    let values = || entries.iter().copied().flatten().filter(|value| value.is_finite());
    let observations = values().count();
    if observations == 0 || observations < minimum || !current.is_finite() {
        return None;
    }
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let raw = if lower(low, high) { (current - low) / (high - low) * 100.0 } else { 50.0 };
    let below = values().filter(|value| lower(*value, current)).count();
    let percentile = 100.0 * below as f64 / observations as f64;
    Some(EntryRank { observations, high, low, raw, rank: raw.clamp(0.0, 100.0), percentile })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Definition = Definition { window: 3, minimum: 2 };

    #[test]
    fn the_percentile_looks_at_the_past_and_the_rank_at_the_day_too() {
        let series = [0.2, 0.4, 0.3, 0.5, 0.1].map(Some);
        let all = windowed(&series, THREE);
        let got: Vec<_> = all.iter().map(|s| (s.n, s.below, s.range)).collect();
        assert_eq!(got[0], (0, 0, None));
        assert_eq!(got[1], (1, 1, None), "one observation is below the minimum");
        assert_eq!(got[2], (2, 1, Some((0.2, 0.4))));
        assert_eq!(got[3], (3, 3, Some((0.3, 0.5))), "0.2 made way for the day");
        assert_eq!(got[4], (3, 0, Some((0.1, 0.5))));
        assert_eq!((all[1].percentile, all[1].rank), (None, None));
        assert_eq!(all[2].percentile, Some(50.0));
        assert!((all[2].rank.unwrap() - 50.0).abs() < 1e-12);
        assert_eq!((all[3].percentile, all[3].rank), (Some(100.0), Some(100.0)));
        assert_eq!((all[4].percentile, all[4].rank), (Some(0.0), Some(0.0)));
    }

    /// 48.23 divided by a hundred is not the float 0.4823.
    #[test]
    fn other_last_digits_are_no_other_value() {
        let (one, other) = (0.4823, 0.4822999999999999);
        for series in [[one, one, other, one], [one, one, one, one], [other, one, one, other]] {
            let series = series.map(Some);
            let found = windowed(&series, THREE);
            assert_eq!((found[3].below, found[3].rank), (0, None), "{series:?}");
            assert_eq!(windowed_at(&series, 3, THREE), Some(found[3]));
            let entry = entry_rank(&series, one, 4, 2).unwrap();
            assert_eq!((entry.percentile, entry.raw), (0.0, 50.0), "{series:?}");
        }
    }

    #[test]
    fn what_is_no_observation_is_neither_counted_nor_ranked() {
        let junk = [None, Some(0.0), Some(-0.2), Some(f64::NAN), Some(f64::INFINITY)];
        let mut series = vec![Some(0.2), Some(0.4)];
        series.extend(junk);
        series.push(Some(0.3));
        let all = windowed(&series, THREE);
        assert_eq!(all[2..7], [Standing { n: 2, ..Standing::default() }; 5]);
        assert_eq!(all[7], windowed(&[0.2, 0.4, 0.3].map(Some), THREE)[2]);
    }

    #[test]
    fn a_flat_history_has_a_percentile_and_no_rank() {
        let last = windowed(&[Some(0.3); 4], THREE)[3];
        assert_eq!((last.percentile, last.rank), (Some(0.0), None));
        assert_eq!(last.range, Some((0.3, 0.3)));
    }

    #[test]
    fn more_than_a_hundred_percent_is_no_percentage() {
        let standing = windowed(&[0.99, 1.05, 1.5].map(Some), THREE)[2];
        assert_eq!((standing.percentile, standing.rank), (Some(100.0), Some(100.0)));
        assert_eq!(standing.range, Some((0.99, 1.5)));
    }

    #[test]
    fn edges_of_the_definitions_do_no_harm() {
        assert!(windowed(&[], ONE_YEAR).is_empty());
        assert_eq!(windowed_at(&[Some(0.2)], 1, ONE_YEAR), None);
        let nothing = Definition { window: 0, minimum: 0 };
        let series = [Some(0.2), Some(0.3)];
        assert_eq!(windowed(&series, nothing), [Standing::default(); 2]);
        assert_eq!(windowed_at(&series, 1, nothing), Some(Standing::default()));
    }

    #[test]
    fn entries_are_cut_before_missing_ones_are_dropped() {
        let series = [Some(0.9), Some(0.2), None, Some(f64::NAN), Some(0.4)];
        let found = entry_rank(&series, 0.5, 4, 2).unwrap();
        assert_eq!((found.observations, found.low, found.high), (2, 0.2, 0.4));
        assert!((found.raw - 150.0).abs() < 1e-9);
        assert_eq!((found.rank, found.percentile), (100.0, 100.0));
        assert_eq!(entry_rank(&series, 0.5, 4, 3), None);
        assert_eq!(entry_rank(&series, f64::NAN, 4, 2), None);
        assert_eq!(entry_rank(&[], 0.5, 4, 0), None);
        // A flat history has no range to stand in: the middle.
        let flat = entry_rank(&[Some(0.3); 4], 0.3, 4, 2).unwrap();
        assert_eq!((flat.raw, flat.rank, flat.percentile), (50.0, 50.0, 0.0));
    }
}
