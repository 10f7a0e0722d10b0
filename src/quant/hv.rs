//! Close-to-close historical volatility (`tomic.md` 5), and what makes a value not worth
//! recording: prices that jump because a split was not applied, and holes in the history.

use crate::domain::value::parse_plain;
use crate::domain::{Calendar, Day};
use rust_decimal::Decimal;

/// Windows of the recorded values `hv20`, `hv30`, `hv90` and `hv252`, in returns. A window of 20
/// needs 21 closes.
pub const WINDOWS: [usize; 4] = [20, 30, 90, 252];

/// Trading days of a year, which annualise a daily deviation.
pub(super) const YEAR: f64 = 252.0;

/// Factors between neighbouring closes that a market makes by itself (`tomic.md` 5, REC). A split
/// of 3:2 (0.667) lies within and cannot be seen from prices alone.
const PLAIN_FACTORS: std::ops::RangeInclusive<f64> = 0.6..=1.6;

/// Annualised volatility of the last `window` log returns of `closes` (oldest first), as a
/// fraction: the sample standard deviation (n − 1) × √252.
///
/// Pairs with a non-positive close are skipped. `None` with fewer than two returns; with fewer
/// than `window` returns it is computed from what there is.
pub fn close_to_close(closes: &[f64], window: usize) -> Option<f64> {
    let latest = (1..closes.len()).rev().filter_map(|at| log_return(closes, at)).take(window);
    let mut returns: Vec<f64> = latest.collect();
    // Oldest first, as every other computation sums them: the last digit depends on the order.
    returns.reverse();
    annualised(&returns)
}

/// The volatility at every close: value `i` is that of the last `window` returns up to the one
/// that ends at close `i`, as an annualised fraction.
///
/// This is the strict form, the one to record: `None` where fewer than `window` returns precede,
/// and where no return ends at `i` because that close or the one before is not a positive number.
/// The result is as long as `closes`.
///
/// A window that spans a break has no value. `breaks` are indices into `closes`, ascending: the pair
/// (`i − 1`, `i`) is not to be trusted ([`Jump::index`], [`Hole::index`]).
pub fn hv_series(closes: &[f64], window: usize, breaks: &[usize]) -> Vec<Option<f64>> {
    let mut values = vec![None; closes.len()];
    let (ends, returns): (Vec<usize>, Vec<f64>) =
        (1..closes.len()).filter_map(|at| Some((at, log_return(closes, at)?))).unzip();
    if window < 2 {
        return values; // One return has no deviation; `windows(0)` would panic.
    }
    // Both passes run afresh over each window: sums carried along would drift.
    for (used, ended) in returns.windows(window).zip(ends.windows(window)) {
        let (Some(&first), Some(&last)) = (ended.first(), ended.last()) else { continue };
        let until = breaks.partition_point(|at| *at <= last);
        let broken = until.checked_sub(1).and_then(|at| breaks.get(at));
        if broken.is_some_and(|at| *at >= first) {
            continue;
        }
        if let Some(slot) = values.get_mut(last) {
            *slot = annualised(used);
        }
    }
    values
}

/// ln(c₂/c₁) of the pair that ends at `at`; `None` unless both are positive numbers.
fn log_return(closes: &[f64], at: usize) -> Option<f64> {
    factor(closes, at).map(f64::ln)
}

/// c₂/c₁ of the pair that ends at `at`; `None` unless both are positive numbers.
fn factor(closes: &[f64], at: usize) -> Option<f64> {
    let (before, close) = (*closes.get(at.checked_sub(1)?)?, *closes.get(at)?);
    let usable = |price: f64| price.is_finite() && price > 0.0;
    let factor = close / before;
    (usable(before) && usable(close) && usable(factor)).then_some(factor)
}

/// The same where a market may have made it: within 0.6…1.6.
pub(super) fn plain_factor(closes: &[f64], at: usize) -> Option<f64> {
    factor(closes, at).filter(|factor| PLAIN_FACTORS.contains(factor))
}

/// Two-pass sample deviation × √252; `None` below two returns.
fn annualised(returns: &[f64]) -> Option<f64> {
    if returns.len() < 2 {
        return None;
    }
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    Some((squares / (count - 1.0)).sqrt() * YEAR.sqrt())
}

/// A pair of neighbouring closes too far apart for a market day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    /// Index of the later close.
    pub index: usize,
    /// Day of the earlier close.
    pub before: Day,
    /// Day of the later close.
    pub day: Day,
    /// Later close / earlier close.
    pub factor: f64,
}

/// Pairs of closes with a factor outside 0.6…1.6 that no listed split accounts for, ascending.
///
/// `splits` are (day of the first trade after it, new shares for one old share): 10:1 is 10.0, a
/// reverse split 1:20 is 0.05. A listed split accounts for a jump when it brings the factor back
/// into the range; apply [`split_adjusted`] before computing from such closes. `days` and `closes`
/// belong together, oldest first; what is longer is cut.
pub fn suspicious_jumps(days: &[Day], closes: &[f64], splits: &[(Day, f64)]) -> Vec<Jump> {
    let seen = jumps(days, closes);
    seen.filter(|jump| explaining_split(jump, splits).is_none()).collect()
}

/// Closes in today's shares: those before an unapplied split are divided by its ratio.
///
/// A split counts as unapplied when it is listed for the day of a jump outside 0.6…1.6, or for one
/// between the two closes, and brings the factor back into it, so a series that its vendor adjusted
/// comes out as it went in.
pub fn split_adjusted(days: &[Day], closes: &[f64], splits: &[(Day, f64)]) -> Vec<f64> {
    let mut adjusted = closes.to_vec();
    for jump in jumps(days, closes) {
        let Some(ratio) = explaining_split(&jump, splits) else { continue };
        adjusted.iter_mut().take(jump.index).for_each(|close| *close /= ratio);
    }
    adjusted
}

/// Pairs of closes within 0.6…1.6 that a listed split between them explains better than the market
/// does, ascending: 3:2 looks like a fall of a third. Whether the vendor applied it cannot be told,
/// so nothing is to be computed across them.
///
/// The split lies after the earlier close and not after the later one, and brings the factor nearer
/// to 1, by logarithms.
pub fn doubtful_splits(days: &[Day], closes: &[f64], splits: &[(Day, f64)]) -> Vec<Jump> {
    let pairs = days.windows(2).enumerate().filter_map(|(at, pair)| {
        let (&[before, day], index) = (pair, at + 1) else { return None };
        let factor = plain_factor(closes, index)?;
        let mut between = splits.iter().filter(|(split, _)| before < *split && *split <= day);
        let explains =
            |(_, ratio): &(Day, f64)| (factor.ln() + ratio.ln()).abs() < factor.ln().abs();
        between.any(explains).then_some(Jump { index, before, day, factor })
    });
    pairs.collect()
}

fn jumps(days: &[Day], closes: &[f64]) -> impl Iterator<Item = Jump> {
    let pairs = days.iter().zip(days.iter().skip(1)).enumerate();
    pairs.filter_map(|(at, (&before, &day))| {
        let (index, factor) = (at + 1, factor(closes, at + 1)?);
        (!PLAIN_FACTORS.contains(&factor)).then_some(Jump { index, before, day, factor })
    })
}

fn explaining_split(jump: &Jump, splits: &[(Day, f64)]) -> Option<f64> {
    // Its own day may have no close: a hole in the prices, or a day on which nothing was traded.
    let between = |day: Day| jump.before < day && day <= jump.day;
    let of_pair = splits.iter().filter(|(day, _)| between(*day));
    let mut ratios = of_pair.map(|(_, ratio)| *ratio);
    // That leaves ratios above zero only, since factors are.
    ratios.find(|ratio| PLAIN_FACTORS.contains(&(jump.factor * ratio)))
}

/// Trading days without a close between two neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Index of the first close after the hole.
    pub index: usize,
    /// Last day before the hole.
    pub after: Day,
    /// First day after the hole.
    pub until: Day,
    /// Trading days missing in between.
    pub missing_days: u32,
}

/// The holes of a history over trading days, ascending; weekends and closures are none.
pub fn holes(days: &[Day], calendar: &Calendar) -> Vec<Hole> {
    let neighbours = days.iter().zip(days.iter().skip(1)).enumerate();
    let found = neighbours.map(|(at, (&after, &until))| Hole {
        index: at + 1,
        after,
        until,
        missing_days: calendar.open_days_between(after, until),
    });
    found.filter(|hole| hole.missing_days > 0).collect()
}

/// A volatility as it is recorded: 9 decimals, a tie to the even digit, no zero at the end save
/// the one of a whole number (`0.26721805`, `0.0`), as TOMIC's files print it (`tomic.md` 2.5).
///
/// `None` for what is not finite or beyond a decimal: a made-up number is never recorded.
pub fn recorded(value: f64) -> Option<Decimal> {
    if !value.is_finite() {
        return None;
    }
    // The formatter rounds the exact binary value, as the original's `round(value, 9)` does.
    let text = format!("{value:.9}");
    let short = text.trim_end_matches('0');
    let kept = if short.ends_with('.') { short.len() + 1 } else { short.len() };
    parse_plain(text.get(..kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn close_to(value: Option<f64>, want: f64) -> bool {
        value.is_some_and(|value| (value - want).abs() < 1e-12)
    }

    #[test]
    fn deviation_divides_by_one_less_than_the_returns() {
        // ln 1.1 and ln 1/1.1: mean 0, squares 2 · 0.0953², over n − 1 = 1.
        let want = 1.1f64.ln() * 2f64.sqrt() * 252f64.sqrt();
        assert!(close_to(close_to_close(&[100.0, 110.0, 100.0], 20), want));
        assert!(close_to(close_to_close(&[7.0, 100.0, 110.0, 100.0], 2), want));
        for few in [&[][..], &[1.0], &[1.0, 2.0], &[1.0, 0.0, 2.0], &[1.0, f64::NAN, 2.0]] {
            assert_eq!(close_to_close(few, 20), None, "{few:?}");
        }
        assert_eq!(close_to_close(&[1.0, 2.0, 3.0], 0), None);
    }

    #[test]
    fn pairs_with_a_close_that_is_no_price_are_skipped() {
        let closes = [100.0, 110.0, 0.0, 100.0, 90.0, -1.0, f64::INFINITY, 80.0, 84.0];
        let clean: Vec<f64> = vec![1.1f64.ln(), 0.9f64.ln(), (84.0f64 / 80.0).ln()];
        assert!(close_to(close_to_close(&closes, 20), annualised(&clean).unwrap()));
        let series = hv_series(&closes, 2, &[]);
        let at: Vec<usize> = (0..series.len()).filter(|i| series[*i].is_some()).collect();
        assert_eq!(at, [4, 8]);
        // Nor is what divides to nothing, or to more than a number holds.
        for odd in [[80.0, f64::INFINITY], [1e308, 1e-308], [1e-308, 1e308]] {
            assert_eq!(factor(&odd, 1), None, "{odd:?}");
        }
    }

    #[test]
    fn a_series_has_the_value_of_each_day_and_is_strict() {
        let closes: Vec<f64> = (0..300).map(|i| 100.0 + f64::from(i % 7) * 1.3).collect();
        let series = hv_series(&closes, 20, &[]);
        for (at, value) in series.iter().enumerate() {
            let want = (at >= 20).then(|| close_to_close(&closes[..=at], 20).unwrap());
            assert_eq!(*value, want, "{at}");
        }
        assert!(
            hv_series(&closes, 0, &[])
                .iter()
                .chain(&hv_series(&closes, 1, &[]))
                .all(Option::is_none)
        );
        assert!(hv_series(&closes, 300, &[]).iter().all(Option::is_none));
        assert!(hv_series(&[], 20, &[]).is_empty());
    }

    /// The original's own test: 280 closes growing 1 % a day give 28 records, all of them zero.
    #[test]
    fn constant_growth_has_no_volatility() {
        let closes: Vec<f64> = (0..280).map(|i| 100.0 * 1.01f64.powi(i)).collect();
        let values: Vec<f64> = hv_series(&closes, 252, &[]).into_iter().flatten().collect();
        assert_eq!(values.len(), 28);
        assert!(values.iter().all(|value| value.abs() < 1e-12));
        assert!(values.iter().all(|value| recorded(*value).unwrap().to_string() == "0.0"));
    }

    #[test]
    fn values_leave_out_windows_over_a_break() {
        let closes: Vec<f64> = (0..12).map(|i| 100.0 + f64::from(i % 3)).collect();
        let whole = hv_series(&closes, 3, &[]);
        let cut = hv_series(&closes, 3, &[5]);
        for at in 0..closes.len() {
            // Value `at` uses the pairs that end at `at − 2`, `at − 1` and `at`.
            let want = if (5..=7).contains(&at) { None } else { whole[at] };
            assert_eq!(cut[at], want, "{at}");
        }
    }

    #[test]
    fn unapplied_splits_are_seen_and_listed_ones_are_applied() {
        let days: Vec<Day> = (0..4).map(|i| Day(day("2025-11-13").0 + i)).collect();
        let closes = [1154.0, 1112.0, 110.0, 114.0];
        let seen = suspicious_jumps(&days, &closes, &[]);
        assert_eq!((seen.len(), seen[0].index, seen[0].day), (1, 2, day("2025-11-15")));
        let splits = [(day("2025-11-15"), 10.0)];
        assert!(suspicious_jumps(&days, &closes, &splits).is_empty());
        let adjusted = split_adjusted(&days, &closes, &splits);
        assert_eq!(adjusted, [115.4, 111.2, 110.0, 114.0]);
        assert_eq!(split_adjusted(&days, &adjusted, &splits), adjusted, "already adjusted");
        // A split of another day or of another ratio explains nothing.
        for other in ["2025-11-14", "2025-11-16"].map(|of| (day(of), 10.0)).into_iter().chain([
            (day("2025-11-15"), 0.1),
            (day("2025-11-15"), -10.0),
            (day("2025-11-15"), f64::INFINITY),
        ]) {
            assert_eq!(suspicious_jumps(&days, &closes, &[other]).len(), 1);
            assert_eq!(split_adjusted(&days, &closes, &[other]), closes);
        }
        // One whose own day has no close lies between the two that are there.
        let hole = [days[0], days[1], day("2025-11-18"), day("2025-11-19")];
        for split in ["2025-11-15", "2025-11-18"].map(|of| [(day(of), 10.0)]) {
            assert!(suspicious_jumps(&hole, &closes, &split).is_empty());
            assert_eq!(split_adjusted(&hole, &closes, &split), adjusted);
        }
        assert!(suspicious_jumps(&days[..2], &[100.0, 160.0], &[]).is_empty());
        assert_eq!(suspicious_jumps(&days[..2], &[100.0, 59.9], &[]).len(), 1);
    }

    #[test]
    fn a_small_split_that_explains_a_fall_is_doubtful() {
        let days: Vec<Day> = (0..4).map(|i| Day(day("2025-11-13").0 + 2 * i)).collect();
        let of = |closes: [f64; 4], split: &str, ratio: f64| -> Vec<usize> {
            let found = doubtful_splits(&days, &closes, &[(day(split), ratio)]);
            found.iter().map(|jump| jump.index).collect()
        };
        let halves = [150.0, 151.0, 102.0, 101.0];
        assert_eq!(of(halves, "2025-11-17", 1.5), [2]);
        assert_eq!(of(halves, "2025-11-16", 1.5), [2], "between the two closes");
        assert_eq!(of(halves, "2025-11-18", 1.5), [0; 0], "after both");
        // Of another day, the other way round, or already applied.
        assert_eq!(of(halves, "2025-11-15", 1.5), [0; 0]);
        assert_eq!(of(halves, "2025-11-17", 2.0 / 3.0), [0; 0]);
        assert_eq!(of([100.0, 100.7, 102.0, 101.0], "2025-11-17", 1.5), [0; 0]);
        // One that cannot be overseen is another matter: see `suspicious_jumps`.
        assert_eq!(of([300.0, 302.0, 102.0, 101.0], "2025-11-17", 3.0), [0; 0]);
    }

    #[test]
    fn holes_count_trading_days() {
        let days: Vec<Day> =
            ["2024-10-11", "2024-10-14", "2024-11-27", "2024-11-29"].map(day).into();
        let found = holes(&days, Calendar::nyse());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].index, found[0].missing_days), (2, 31));
        assert!(holes(&[], Calendar::nyse()).is_empty());
    }

    #[test]
    fn recorded_values_print_as_the_files_do() {
        for (value, want) in [
            (0.26721805, "0.26721805"),
            (0.15227116524833906, "0.152271165"),
            (8.194625266996285, "8.194625267"),
            (2.0, "2.0"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (4e-10, "0.0"),
            (1e-9, "0.000000001"),
            (0.5f64.powi(10), "0.000976562"), // …5625 exactly: a tie goes to the even digit
        ] {
            assert_eq!(recorded(value).unwrap().to_string(), want);
        }
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert_eq!(recorded(wrong), None);
        }
    }
}
