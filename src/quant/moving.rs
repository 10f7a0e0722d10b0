//! Moving averages of implied volatility, its changes, and its distance from the realised one
//! (`tomic.md` 12.2 and 14, `options_platform.md` B11).
//!
//! Every function goes by observations: a day whose value is not valid (finite and above zero) has
//! no result that needs that value, and no window counts it. Series are oldest first, one entry a
//! day, as fractions; results are as long as the series. Entry `i` depends on entries `..=i` only.

use super::rank::valid;

/// Observations of `iv_ma20`.
pub const AVERAGE: usize = 20;

/// Observations of `iv_mean_21`.
pub const MEAN_BEFORE: usize = 21;

/// The steps of the changes that are shown, in observations.
pub const STEPS: [usize; 3] = [1, 5, 20];

/// `iv_percentile_504` above this is "high, two years" (`tomic.md` 14).
pub const HIGH_PERCENTILE: f64 = 75.0;

/// `iv_vs_iv_ma20` at or below the first is compressed, at or above the second expanded
/// (`tomic.md` 14, REC; both may be configured).
pub const BANDS: (f64, f64) = (-0.10, 0.10);

/// `iv_ma20` (`tomic.md` 14): the mean of the last 20 valid values, the day's own included.
///
/// A fraction; `None` with fewer, and on a day without a valid value. Never to be mixed with the
/// average a vendor delivers.
pub fn iv_ma20(series: &[Option<f64>]) -> Vec<Option<f64>> {
    mean_including(series, AVERAGE)
}

/// `iv_mean_21` (`tomic.md` 13 and 14): the mean of the 21 valid values strictly before the day.
///
/// A fraction; `None` with fewer. The day itself needs no value: this stands in for it.
pub fn iv_mean_21(series: &[Option<f64>]) -> Vec<Option<f64>> {
    mean_before(series, MEAN_BEFORE)
}

/// The mean of the last `count` valid values up to and including the day; see [`iv_ma20`].
pub fn mean_including(series: &[Option<f64>], count: usize) -> Vec<Option<f64>> {
    let values = observations(series);
    let upto = |seen: usize| mean_of_last(values.get(..seen)?, count);
    each(series, |value, before| value.and_then(|_| upto(before + 1)))
}

/// The mean of the last `count` valid values strictly before the day; see [`iv_mean_21`].
pub fn mean_before(series: &[Option<f64>], count: usize) -> Vec<Option<f64>> {
    let values = observations(series);
    each(series, |_, before| mean_of_last(values.get(..before)?, count))
}

/// `iv_vs_iv_ma20` (`tomic.md` 14): value / average − 1, a fraction (−0.07 is 7 % below).
pub fn iv_vs_iv_ma20(series: &[Option<f64>]) -> Vec<Option<f64>> {
    let averages = iv_ma20(series);
    let pairs = series.iter().zip(averages);
    pairs.map(|(value, average)| Some(ratio(*value, average)? - 1.0)).collect()
}

/// How a value differs from the one some observations earlier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Value − earlier value, as a fraction (0.02 is two volatility points).
    pub absolute: f64,
    /// Value / earlier value − 1.
    pub relative: f64,
}

/// The change of every day against the value `steps` **observations** earlier.
///
/// Not calendar days nor sessions: over a hole of the history one step is as long as the hole.
/// `None` on a day without a valid value and where fewer than `steps` precede.
pub fn changes(series: &[Option<f64>], steps: usize) -> Vec<Option<Change>> {
    let values = observations(series);
    each(series, |value, before| {
        let (value, earlier) = (value?, *values.get(before.checked_sub(steps)?)?);
        Some(Change { absolute: value - earlier, relative: value / earlier - 1.0 })
    })
}

/// `iv_vs_hv20`, `iv_vs_hv90` (`tomic.md` 12.2): iv − hv of the same day, as a fraction (0.05 is
/// five volatility points). `None` unless both are numbers; a volatility of zero is one.
pub fn spread(iv: Option<f64>, hv: Option<f64>) -> Option<f64> {
    Some(iv? - hv?).filter(|spread| spread.is_finite())
}

/// iv / hv of the same day (`options_platform.md` B11). `None` unless both are valid.
pub fn ratio(iv: Option<f64>, hv: Option<f64>) -> Option<f64> {
    Some(valid(iv)? / valid(hv)?).filter(|ratio| ratio.is_finite())
}

/// "High, two years" (`tomic.md` 14): `iv_percentile_504` (0…100) above 75. `None` stays `None`:
/// too little history is no "no".
pub fn is_high(iv_percentile_504: Option<f64>) -> Option<bool> {
    iv_percentile_504.map(|percentile| percentile > HIGH_PERCENTILE)
}

/// Whether a value is compressed against its 20-day average: `iv_vs_iv_ma20` ≤ the lower band.
pub fn is_compressed(iv_vs_iv_ma20: Option<f64>, bands: (f64, f64)) -> Option<bool> {
    iv_vs_iv_ma20.map(|distance| distance <= bands.0)
}

/// Whether a value is expanded against its 20-day average: `iv_vs_iv_ma20` ≥ the upper band.
pub fn is_expanded(iv_vs_iv_ma20: Option<f64>, bands: (f64, f64)) -> Option<bool> {
    iv_vs_iv_ma20.map(|distance| distance >= bands.1)
}

fn observations(series: &[Option<f64>]) -> Vec<f64> {
    series.iter().filter_map(|value| valid(*value)).collect()
}

/// Calls `of` with every day's valid value and the number of valid values before it.
fn each<T>(series: &[Option<f64>], of: impl Fn(Option<f64>, usize) -> Option<T>) -> Vec<Option<T>> {
    let mut before = 0;
    let day = |value: &Option<f64>| {
        let value = valid(*value);
        let found = of(value, before);
        before += usize::from(value.is_some());
        found
    };
    series.iter().map(day).collect()
}

/// Summed afresh, oldest first: a sum carried along would drift over a long history.
fn mean_of_last(values: &[f64], count: usize) -> Option<f64> {
    let last = values.get(values.len().checked_sub(count)?..)?;
    let mean = last.iter().sum::<f64>() / count as f64;
    (count > 0).then_some(mean).filter(|mean| mean.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_count_observations() {
        let series = [Some(0.1), None, Some(0.3), Some(0.0), Some(0.5), None];
        assert_eq!(mean_including(&series, 2)[..2], [None, None]);
        assert_eq!(mean_including(&series, 2)[2..], [Some(0.2), None, Some(0.4), None]);
        let before = mean_before(&series, 2);
        assert_eq!(before, [None, None, None, Some(0.2), Some(0.2), Some(0.4)]);
        assert!(mean_before(&series, 0).iter().all(Option::is_none));
        assert!(mean_including(&series, 4).iter().all(Option::is_none));
        assert!(iv_ma20(&[]).is_empty());
    }

    #[test]
    fn twenty_make_an_average_and_twenty_one_must_lie_before() {
        let series = [Some(0.25); 22];
        assert_eq!(iv_ma20(&series).iter().flatten().count(), 3);
        assert_eq!(iv_mean_21(&series).iter().flatten().count(), 1);
        assert_eq!(iv_vs_iv_ma20(&series)[18..], [None, Some(0.0), Some(0.0), Some(0.0)]);
    }

    #[test]
    fn changes_step_over_days_without_a_value() {
        let series = [Some(0.2), None, Some(0.3), Some(f64::NAN), Some(0.15)];
        let one = changes(&series, 1);
        assert_eq!((one[0], one[1], one[3]), (None, None, None));
        let change = one[2].unwrap();
        assert!((change.absolute - 0.1).abs() < 1e-12 && (change.relative - 0.5).abs() < 1e-12);
        assert!((changes(&series, 2)[4].unwrap().relative + 0.25).abs() < 1e-12);
        assert!(changes(&series, 3).iter().all(Option::is_none));
        for steps in STEPS {
            assert!(changes(&[Some(0.2); 21], steps)[20].is_some());
        }
    }

    #[test]
    fn distance_from_realised_volatility() {
        assert_eq!(spread(Some(0.5), Some(0.25)), Some(0.25));
        assert_eq!(spread(Some(0.5), Some(0.0)), Some(0.5));
        assert_eq!(ratio(Some(0.5), Some(0.0)), None);
        assert_eq!(ratio(Some(0.5), Some(0.25)), Some(2.0));
        for missing in [None, Some(f64::NAN)] {
            assert_eq!((spread(missing, Some(0.2)), ratio(Some(0.2), missing)), (None, None));
        }
    }

    #[test]
    fn flags_of_nothing_are_nothing() {
        assert_eq!(
            [is_high(None), is_high(Some(75.0)), is_high(Some(75.1))],
            [None, Some(false), Some(true)]
        );
        let flags = |x| (is_compressed(x, BANDS), is_expanded(x, BANDS));
        assert_eq!(flags(Some(-0.1)), (Some(true), Some(false)));
        assert_eq!(flags(Some(0.1)), (Some(false), Some(true)));
        assert_eq!(flags(None), (None, None));
    }
}
