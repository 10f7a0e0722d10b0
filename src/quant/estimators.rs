//! Nine estimators of realised volatility over daily bars (`options_platform.md` B10).
//!
//! Volatilities are annual fractions, √(252 · daily variance). With bars i = 1…N and the close C₀
//! before them: r = ln(Cᵢ/Cᵢ₋₁), o = ln(Oᵢ/Cᵢ₋₁), c = ln(Cᵢ/Oᵢ), h = ln(Hᵢ/Lᵢ). A bar without
//! movement contributes 0. Prices must be split-adjusted within the window.
//!
//! [`super::hv`] holds the close-to-close volatility that TOMIC records, which steps over closes
//! that are no prices; here such a close makes the window invalid.

use super::hv::YEAR;
use std::f64::consts::LN_2;

/// The decay of RiskMetrics 1996 for daily returns.
const DECAY: f64 = 0.94;

/// The prices of one session, split-adjusted. What an estimator does not use may be NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

/// A way to estimate the daily variance of a window of N bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Estimator {
    /// Σ(r − r̄)² / (N − 1), the sample variance.
    CloseToClose,
    /// Σr² / N.
    CloseToCloseZeroMean,
    /// Σh² / (4 N ln 2). Parkinson 1980, Journal of Business 53(1), 61–65.
    Parkinson,
    /// Σ[h²/2 − (2 ln 2 − 1) c²] / N. Garman and Klass 1980, Journal of Business 53(1), 67–78.
    GarmanKlass,
    /// Garman–Klass with the overnight term o², as in Yang and Zhang 2000.
    GarmanKlassYangZhang,
    /// Σ[ln(H/C) ln(H/O) + ln(L/C) ln(L/O)] / N. Rogers and Satchell 1991, Annals of Applied
    /// Probability 1(4), 504–512.
    RogersSatchell,
    /// Vo + k Vc + (1 − k) Vrs with the sample variances Vo of o and Vc of c, Vrs of Rogers and
    /// Satchell, and k = 0.34 / (1.34 + (N + 1)/(N − 1)). Yang and Zhang 2000, Journal of Business
    /// 73(3), 477–491.
    YangZhang,
    /// Weights 0.94^(N − i), normalised; the variance of r around the weighted mean. The
    /// program that the specification describes calls this "garch"; it is none.
    EwmaDemeaned,
    /// The same around 0. RiskMetrics 1996.
    EwmaZeroMean,
}

/// A volatility and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Annual volatility, a fraction.
    pub volatility: f64,
    /// Bars of the window.
    pub observations: usize,
    /// The variance came out below zero, as Garman–Klass and Rogers–Satchell do for bars that open
    /// or close outside their range; `volatility` is then 0.
    pub negative: bool,
}

/// Why there is no volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEstimate {
    /// NODATA: fewer bars than the window and the close before it need, or a window too small for
    /// the formula.
    TooFew {
        /// Bars there are.
        have: usize,
        /// Bars it takes.
        need: usize,
    },
    /// INVALID: a price that is used is not above zero, or the prices are beyond logarithms.
    Invalid {
        /// The bar, as an index of the bars given.
        index: usize,
    },
    /// NODATA: sessions are missing inside the window.
    Gap {
        /// First bar after the hole, as an index of the bars given.
        index: usize,
    },
}

impl Estimator {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 9] = [
        Self::CloseToClose,
        Self::CloseToCloseZeroMean,
        Self::Parkinson,
        Self::GarmanKlass,
        Self::GarmanKlassYangZhang,
        Self::RogersSatchell,
        Self::YangZhang,
        Self::EwmaDemeaned,
        Self::EwmaZeroMean,
    ];

    /// The name by which the specification calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloseToClose => "close_to_close",
            Self::CloseToCloseZeroMean => "close_to_close_zero_mean",
            Self::Parkinson => "parkinson",
            Self::GarmanKlass => "garman_klass",
            Self::GarmanKlassYangZhang => "garman_klass_yang_zhang",
            Self::RogersSatchell => "rogers_satchell",
            Self::YangZhang => "yang_zhang",
            Self::EwmaDemeaned => "ewma_094_demeaned",
            Self::EwmaZeroMean => "ewma_094_zero_mean",
        }
    }

    /// Whether the close before the window is needed: N + 1 bars instead of N.
    pub fn needs_previous(self) -> bool {
        !matches!(self, Self::Parkinson | Self::GarmanKlass | Self::RogersSatchell)
    }

    /// Whether closes alone are enough.
    pub fn needs_only_closes(self) -> bool {
        matches!(
            self,
            Self::CloseToClose
                | Self::CloseToCloseZeroMean
                | Self::EwmaDemeaned
                | Self::EwmaZeroMean
        )
    }

    /// The smallest window: a spread around a mean takes two values.
    fn least(self) -> usize {
        match self {
            Self::CloseToClose | Self::YangZhang | Self::EwmaDemeaned => 2,
            _ => 1,
        }
    }

    /// The volatility of the last `window` of `bars` (oldest first; earlier ones are not read); NODATA
    /// when the bars used span a break.
    ///
    /// `breaks` are indices into `bars`, ascending: sessions are missing between bar `i − 1` and
    /// bar `i` ([`super::hv::Hole::index`]). Without breaks gaps are allowed.
    pub fn estimate(
        self,
        bars: &[Bar],
        window: usize,
        breaks: &[usize],
    ) -> Result<Estimate, NoEstimate> {
        let window_needed = window.max(self.least());
        let need = window_needed.saturating_add(usize::from(self.needs_previous()));
        let too_few = NoEstimate::TooFew { have: bars.len(), need };
        let start = bars.len().checked_sub(need).filter(|_| window >= self.least());
        let start = start.ok_or(too_few)?;
        let used = bars.get(start..).ok_or(too_few)?;
        let broken = breaks.get(breaks.partition_point(|at| *at <= start)..).unwrap_or_default();
        if let Some(&index) = broken.first().filter(|at| **at < bars.len()) {
            return Err(NoEstimate::Gap { index });
        }
        // Of the bar before the window only the close is read.
        let lead = usize::from(self.needs_previous());
        let sound = |(at, bar): (usize, &Bar)| {
            let close_only = self.needs_only_closes() || at < lead;
            if close_only { price(bar.close) } else { whole(bar) }
        };
        if let Some(at) = used.iter().enumerate().position(|place| !sound(place)) {
            return Err(NoEstimate::Invalid { index: start + at });
        }
        let variance = self.variance(used).filter(|variance| variance.is_finite());
        // Prices above zero whose logarithms still run out of numbers: 1e308 over 1e-308.
        let variance = variance.ok_or(NoEstimate::Invalid { index: start })?;
        let volatility = (YEAR * variance.max(0.0)).sqrt();
        Ok(Estimate { volatility, observations: window, negative: variance < 0.0 })
    }

    /// Entry `i` is the volatility of the window that ends at bar `i`; as long as `bars`.
    ///
    /// Each window is summed afresh, so nothing drifts: O(n · w).
    pub fn series(
        self,
        bars: &[Bar],
        window: usize,
        breaks: &[usize],
    ) -> Vec<Result<Estimate, NoEstimate>> {
        let upto = |end: usize| bars.get(..end).unwrap_or_default();
        (1..=bars.len()).map(|end| self.estimate(upto(end), window, breaks)).collect()
    }

    /// The daily variance of checked bars, the one before the window included where it is needed.
    fn variance(self, used: &[Bar]) -> Option<f64> {
        let pairs = || used.iter().zip(used.iter().skip(1));
        let returns = || pairs().map(|(before, bar)| (bar.close / before.close).ln());
        let overnight = || pairs().map(|(before, bar)| (bar.open / before.close).ln());
        let inside = || used.iter().skip(usize::from(self.needs_previous()));
        match self {
            Self::CloseToClose => sample_variance(returns()),
            Self::CloseToCloseZeroMean => mean(returns().map(square)),
            Self::Parkinson => Some(mean(inside().map(|bar| square(range(bar))))? / (4.0 * LN_2)),
            Self::GarmanKlass => mean(inside().map(garman_klass)),
            Self::GarmanKlassYangZhang => {
                mean(overnight().zip(inside()).map(|(o, bar)| square(o) + garman_klass(bar)))
            }
            Self::RogersSatchell => mean(inside().map(rogers_satchell)),
            Self::YangZhang => {
                let count = inside().count() as f64;
                let k = 0.34 / (1.34 + (count + 1.0) / (count - 1.0));
                let body = sample_variance(inside().map(body))?;
                let range = mean(inside().map(rogers_satchell))?;
                Some(sample_variance(overnight())? + k * body + (1.0 - k) * range)
            }
            Self::EwmaDemeaned => {
                let centre = decayed_mean(returns());
                Some(decayed_mean(returns().map(|r| square(r - centre))))
            }
            Self::EwmaZeroMean => Some(decayed_mean(returns().map(square))),
        }
    }
}

fn price(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// That they do not contradict each other was checked when the bar arrived (B7.1).
fn whole(bar: &Bar) -> bool {
    [bar.open, bar.high, bar.low, bar.close].into_iter().all(price)
}

fn square(value: f64) -> f64 {
    value * value
}

fn range(bar: &Bar) -> f64 {
    (bar.high / bar.low).ln()
}

fn body(bar: &Bar) -> f64 {
    (bar.close / bar.open).ln()
}

fn garman_klass(bar: &Bar) -> f64 {
    0.5 * square(range(bar)) - (2.0 * LN_2 - 1.0) * square(body(bar))
}

fn rogers_satchell(bar: &Bar) -> f64 {
    let up = (bar.high / bar.close).ln() * (bar.high / bar.open).ln();
    up + (bar.low / bar.close).ln() * (bar.low / bar.open).ln()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Two passes: squares of large values less their mean would lose the digits that matter.
fn sample_variance(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let centre = mean(values.clone())?;
    let (sum, count) =
        values.fold((0.0, 0u32), |(sum, count), value| (sum + square(value - centre), count + 1));
    (count > 1).then(|| sum / f64::from(count - 1))
}

/// Σ 0.94^(N − i) xᵢ / Σ 0.94^(N − i), newest last.
fn decayed_mean(values: impl Iterator<Item = f64>) -> f64 {
    let fold = |(sum, weights), value| (sum * DECAY + value, weights * DECAY + 1.0);
    let (sum, weights) = values.fold((0.0, 0.0), fold);
    sum / weights
}
