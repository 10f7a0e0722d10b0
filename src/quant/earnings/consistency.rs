//! How steady a stock's moves are (`iv_crush.md` A6).

use super::fit;
use super::mean;
use super::vrp::{History, NoRatio};

/// What a move of one quarter earlier weighs.
pub const DECAY: f64 = 0.85;

/// Steadiness by deviations from the median (A6.1): 1 − MAD / median; 1 is perfectly steady, and
/// it may be negative. `None` when the median is 0.
pub fn by_median(history: &History) -> Option<f64> {
    (history.median > 0.0).then(|| 1.0 - history.mad / history.median)
}

/// Where the moves are heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// More than 0.5 percentage points a quarter upwards: the bad sign for a seller.
    Increasing,
    /// Between.
    Stable,
    /// More than 0.5 percentage points a quarter downwards.
    Decreasing,
}

impl Trend {
    /// The word in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Increasing => "increasing",
            Self::Stable => "stable",
            Self::Decreasing => "decreasing",
        }
    }
}

/// Steadiness by exponential weights (A6.2). Moves are percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// Weighted mean in percent.
    pub mean: f64,
    /// Unweighted deviation about the weighted mean (n − 1), as the original has it, in percent.
    pub std: f64,
    /// Weighted deviation without bias, in percent.
    pub weighted_std: f64,
    /// 100 (1 − deviation / mean), cut to 0 … 100.
    pub score: f64,
    /// Least-squares slope in percentage points a quarter, oldest to newest.
    pub slope: f64,
    /// What the slope is called.
    pub trend: Trend,
    /// score / 100 × n / (n + 4), times 0.7 where moves increase; 0 … 1.
    pub trust: f64,
    /// How much the newest 4 lie above the weighted mean, in percent of it.
    pub recent_bias: f64,
}

/// Steadiness of moves in percent, the newest first.
///
/// # Errors
/// As [`History::of`].
pub fn weighted(newest_first: &[f64], decay: f64, wanted: usize) -> Result<Weighted, NoRatio> {
    History::of(newest_first, wanted.max(2))?;
    let sizes: Vec<f64> = newest_first.iter().map(|of| of.abs()).collect();
    let n = sizes.len() as f64;
    let weights: Vec<f64> = (0..).take(sizes.len()).map(|age| decay.powi(age)).collect();
    let total: f64 = weights.iter().sum();
    let weighted = |of: &dyn Fn(f64) -> f64| -> f64 {
        sizes.iter().zip(&weights).map(|(size, weight)| weight * of(*size)).sum()
    };
    let average = weighted(&|size| size) / total;
    let square = |size: f64| (size - average).powi(2);
    let std = (sizes.iter().map(|size| square(*size)).sum::<f64>() / (n - 1.0)).sqrt();
    let free = total - weights.iter().map(|weight| weight * weight).sum::<f64>() / total;
    let score = (100.0 * (1.0 - std / average)).clamp(0.0, 100.0);
    let in_time: Vec<(f64, f64)> =
        (0..).zip(sizes.iter().rev()).map(|(at, size)| (f64::from(at), *size)).collect();
    let slope = fit::line(&in_time).map_or(0.0, |line| line.slope);
    let trend = match slope {
        _ if slope > 0.5 => Trend::Increasing,
        _ if slope < -0.5 => Trend::Decreasing,
        _ => Trend::Stable,
    };
    let caution = if trend == Trend::Increasing { 0.7 } else { 1.0 };
    let recent = mean(sizes.get(..4).unwrap_or(&sizes)).unwrap_or(average);
    Ok(Weighted {
        mean: average,
        std,
        weighted_std: (weighted(&square) / free).sqrt(),
        score,
        slope,
        trend,
        trust: (score / 100.0 * n / (n + 4.0) * caution).clamp(0.0, 1.0),
        recent_bias: (recent - average) / average * 100.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_moves_are_perfectly_steady() {
        let history = History::of(&[5.0; 6], 4).unwrap();
        assert_eq!(by_median(&history), Some(1.0));
        let found = weighted(&[5.0, -5.0, 5.0, -5.0, 5.0, 5.0], DECAY, 4).unwrap();
        assert!((found.score - 100.0).abs() < 1e-9 && found.trend == Trend::Stable);
        assert!((found.trust - 0.6).abs() < 1e-9, "{}", found.trust);
    }

    #[test]
    fn a_median_of_zero_has_no_steadiness() {
        let history = History::of(&[0.0, 0.0, 0.0, 4.0], 4).unwrap();
        assert_eq!(by_median(&history), None);
        assert!(weighted(&[1.0; 3], DECAY, 4).is_err());
    }
}
