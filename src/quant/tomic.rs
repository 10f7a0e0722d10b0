//! TOMIC's own `iv_rank` and `iv_percentile`, exactly as its program computes them (`tomic.md` 7.1
//! and 7.3): a compatibility set for comparing with its files, not for deciding anything.
//!
//! They compare a record with the whole file, **later days included**, want no minimum history, and
//! guess the scale of every value, so 105 % enters as 1.05 %. The definitions to use are those of
//! [`super::rank`]. Ranks and percentiles are × 100 here and not cut: −5 and 2 052 204.8 occur.

use super::hv::close_to_close;

/// How the record's own value x is brought to percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// x × 100: what the daily run and the ORATS backfill do.
    Daily,
    /// The same guess as for the rest of the file: what the later recalculation script does.
    Recalculation,
}

/// A record's place in the rest of its file, and the series it was compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileStanding {
    /// Values in the series.
    pub n: usize,
    /// Lowest of the series, in what the guess takes for percent.
    pub low: f64,
    /// Highest of the series, in what the guess takes for percent.
    pub high: f64,
    /// Values of the series that are strictly lower than x.
    pub below: usize,
    /// 100 · (x − low) / (high − low), not cut; `None` when low and high are equal.
    pub rank: Option<f64>,
    /// 100 · `below` / `n`.
    pub percentile: f64,
}

/// TOMIC's guess of a scale: below 1 it is a fraction, else it is already percent.
///
/// Wrong from 100 % on; kept because its files were written with it (`tomic.md` 7.1).
pub fn guessed_percent(value: f64) -> f64 {
    if value < 1.0 { value * 100.0 } else { value }
}

/// `iv_rank (IV)` and `iv_percentile (IV)` of every record of a file (`tomic.md` 7.1, the current
/// version): against all other records, earlier and later ones, each by [`guessed_percent`].
///
/// `atm_iv` holds one entry a record, in any order, as stored; missing and not finite ones are no
/// part of the series, zeros and negative ones are. The result is as long as `atm_iv`: `None` for
/// a record without a value, and for the only value of a file. One sort, then O(log n) a record.
pub fn iv_standings(atm_iv: &[Option<f64>], scale: Scale) -> Vec<Option<FileStanding>> {
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let mut sorted: Vec<f64> = atm_iv.iter().filter_map(finite).map(guessed_percent).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let standing = |value: &Option<f64>| {
        let value = finite(value)?;
        let own = guessed_percent(value);
        let x = match scale {
            Scale::Daily => value * 100.0,
            Scale::Recalculation => own,
        };
        // The record is no part of the series it is compared with: its own value is taken out of
        // the count and, where it is the end of the range, out of that too.
        let below = sorted.partition_point(|other| *other < x) - usize::from(own < x);
        let n = sorted.len().checked_sub(1)?;
        let low = *sorted.get(usize::from(sorted.first() == Some(&own)))?;
        let top = if sorted.last() == Some(&own) { n.checked_sub(1)? } else { n };
        let high = *sorted.get(top)?;
        (n > 0).then(|| place(x, n, low, high, below))
    };
    atm_iv.iter().map(standing).collect()
}

/// `iv_rank (IV)` and `iv_percentile (IV)` of the record `at` alone; see [`iv_standings`].
pub fn iv_standing(atm_iv: &[Option<f64>], at: usize, scale: Scale) -> Option<FileStanding> {
    let value = (*atm_iv.get(at)?)?;
    let others = atm_iv.iter().enumerate().filter(|(index, _)| *index != at);
    let series: Vec<f64> = others.filter_map(|(_, value)| *value).map(guessed_percent).collect();
    let x = match scale {
        Scale::Daily => value * 100.0,
        Scale::Recalculation => guessed_percent(value),
    };
    among(&series, x)
}

/// Closes of the rolling volatility that the legacy rank compares with: 29 returns, one fewer than
/// `hv30` has.
const ROLLING_CLOSES: usize = 30;

/// The series of the legacy "(HV)" rank (`tomic.md` 5 and 7.1): the close-to-close volatility of
/// every 30 closes of a price file, in percent. `closes` is oldest first, the whole file.
pub fn rolling_hv(closes: &[f64]) -> Vec<f64> {
    let of = |window: &[f64]| Some(close_to_close(window, ROLLING_CLOSES - 1)? * 100.0);
    closes.windows(ROLLING_CLOSES).filter_map(of).collect()
}

/// `iv_rank (HV)` and `iv_percentile (HV)` (`tomic.md` 7.1, the version until 2025-11-25): atm_iv ×
/// 100 against [`rolling_hv`] of the **whole** price file, days after the record included.
///
/// `atm_iv` as stored; `None` for one that is not finite and for an empty series.
pub fn hv_standing(rolling_hv: &[f64], atm_iv: f64) -> Option<FileStanding> {
    among(rolling_hv, atm_iv * 100.0)
}

fn among(series: &[f64], x: f64) -> Option<FileStanding> {
    let values = || series.iter().copied().filter(|value| value.is_finite());
    let n = values().count();
    if n == 0 || !x.is_finite() {
        return None;
    }
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    Some(place(x, n, low, high, values().filter(|value| *value < x).count()))
}

fn place(x: f64, n: usize, low: f64, high: f64, below: usize) -> FileStanding {
    let rank = (high > low).then(|| (x - low) / (high - low) * 100.0);
    let percentile = below as f64 / n as f64 * 100.0;
    FileStanding { n, low, high, below, rank, percentile }
}

/// A stored rank or percentile as TOMIC's snapshot and factsheet read it (`tomic.md` 7.3): above 1
/// it is divided by 100, and what then lies outside 0…1 is none.
///
/// So a stored 0.858 (per cent) is read as 85.8 %, and 101 and −5 become "no history".
pub fn as_read(stored: Option<f64>) -> Option<f64> {
    let value = stored?;
    let value = if value > 1.0 { value / 100.0 } else { value };
    (0.0..=1.0).contains(&value).then_some(value)
}

/// Which stored value the snapshot takes (`tomic.md` 12.1): the "(IV)" one, or the "(HV)" one when
/// the first is missing or exactly zero; then [`as_read`]. The result lies on 0…1.
pub fn snapshot_value(of_iv: Option<f64>, of_hv: Option<f64>) -> Option<f64> {
    as_read(of_iv.filter(|value| *value != 0.0).or(of_hv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_compared_with_all_others_later_ones_too() {
        let file = [Some(0.2), Some(0.1), None, Some(0.3)];
        let first = iv_standing(&file, 0, Scale::Daily).unwrap();
        assert_eq!((first.n, first.low, first.high, first.below), (2, 10.0, 30.0, 1));
        assert_eq!((first.rank, first.percentile), (Some(50.0), 50.0));
        assert_eq!(iv_standing(&file, 2, Scale::Daily), None);
        assert_eq!(iv_standing(&file, 4, Scale::Daily), None);
        assert_eq!(iv_standing(&[Some(0.2)], 0, Scale::Daily), None, "nothing to compare with");
        let two = iv_standing(&[Some(0.2), Some(0.3)], 0, Scale::Daily).unwrap();
        assert_eq!((two.rank, two.percentile), (None, 0.0), "one other value has no range");
    }

    #[test]
    fn the_scale_is_guessed_for_the_series_and_by_one_script_for_the_record() {
        let file = [Some(1.05), Some(0.5), Some(0.25)];
        let other = iv_standing(&file, 1, Scale::Daily).unwrap();
        assert_eq!((other.low, other.high), (1.05, 25.0));
        assert_eq!(iv_standing(&file, 0, Scale::Daily).unwrap().rank, Some(320.0));
        let again = iv_standing(&file, 0, Scale::Recalculation).unwrap();
        assert!((again.rank.unwrap() + 95.8).abs() < 1e-9);
    }

    #[test]
    fn the_legacy_series_has_one_return_fewer() {
        let closes: Vec<f64> = (0..31).map(|i| 100.0 + f64::from(i % 4)).collect();
        let series = rolling_hv(&closes);
        assert_eq!(series.len(), 2);
        assert_eq!(series[1], close_to_close(&closes[1..], 29).unwrap() * 100.0);
        assert!(rolling_hv(&closes[..29]).is_empty());
        assert_eq!(hv_standing(&[], 0.3), None);
        assert_eq!(hv_standing(&series, f64::NAN), None);
    }

    /// The cases of `tomic.md` 7.3 and 12.1.
    #[test]
    fn readers_divide_what_is_above_one() {
        let read = [0.858, 62.0, 100.0, 1.0, 0.0].map(|stored| as_read(Some(stored)));
        assert_eq!(read, [Some(0.858), Some(0.62), Some(1.0), Some(1.0), Some(0.0)]);
        for out in [Some(101.0), Some(-5.0), Some(f64::NAN), None] {
            assert_eq!(as_read(out), None);
        }
        assert_eq!(snapshot_value(Some(48.0), Some(20.0)), Some(0.48));
        assert_eq!(snapshot_value(Some(0.0), Some(20.0)), Some(0.2), "zero is falsy");
        assert_eq!(snapshot_value(Some(0.0), None), None);
    }
}
