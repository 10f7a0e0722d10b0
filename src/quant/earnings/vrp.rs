//! Implied against realised: the ratio, its tiers, and the history behind it (`iv_crush.md` A5).

use super::{mean, median};

/// What stands for a deviation relative to a median of 0.
const NO_MEDIAN: f64 = 999.0;

/// A history of moves, summed up. All moves are magnitudes, in the unit in which they came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct History {
    /// How many.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Median distance from the median.
    pub mad: f64,
    /// The greatest.
    pub max: f64,
    /// The least.
    pub min: f64,
}

/// Why there is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRatio {
    /// Too few moves.
    #[error("{found} of {wanted} past moves are known")]
    TooFew {
        /// Moves that are known.
        found: usize,
        /// Moves that are needed.
        wanted: usize,
    },
    /// The mean is 0 or no number.
    #[error("the stock did not move on any of its announcements")]
    NoMovement,
}

impl NoRatio {
    /// The code: data that is missing, or that cannot be right.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFew { .. } => "NODATA",
            Self::NoMovement => "INVALID",
        }
    }
}

impl History {
    /// Sums up moves by their magnitudes; a signed mean would be near 0 for any stock.
    ///
    /// # Errors
    /// [`NoRatio::TooFew`] below `wanted`, [`NoRatio::NoMovement`] for a mean of 0.
    pub fn of(moves: &[f64], wanted: usize) -> Result<Self, NoRatio> {
        let too_few = NoRatio::TooFew { found: moves.len(), wanted };
        if moves.len() < wanted.max(1) {
            return Err(too_few);
        }
        let sizes: Vec<f64> = moves.iter().map(|of| of.abs()).collect();
        let (Some(average), Some(middle)) = (mean(&sizes), median(&sizes)) else {
            return Err(too_few);
        };
        if !(average.is_finite() && average > 0.0) {
            return Err(NoRatio::NoMovement);
        }
        let distances: Vec<f64> = sizes.iter().map(|size| (size - middle).abs()).collect();
        let squares: Vec<f64> = sizes.iter().map(|size| (size - average).powi(2)).collect();
        Ok(Self {
            n: sizes.len(),
            mean: average,
            median: middle,
            std: mean(&squares).unwrap_or_default().sqrt(),
            mad: median(&distances).unwrap_or_default(),
            max: sizes.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            min: sizes.iter().copied().fold(f64::INFINITY, f64::min),
        })
    }

    /// Deviation relative to the median; 999 when the median is 0.
    pub fn consistency_factor(&self) -> f64 {
        if self.median > 0.0 { self.mad / self.median } else { NO_MEDIAN }
    }

    /// Standard deviation over mean.
    pub fn cv(&self) -> f64 {
        self.std / self.mean
    }

    /// The greatest move over the mean, and what that is called: `HIGH` above 2.5, `NORMAL` from
    /// 1.5, `LOW` below.
    pub fn tail_risk(&self) -> (f64, &'static str) {
        let ratio = self.max / self.mean;
        let level = match ratio {
            _ if ratio > 2.5 => "HIGH",
            _ if ratio >= 1.5 => "NORMAL",
            _ => "LOW",
        };
        (ratio, level)
    }

    /// An implied move (in the unit of the history) over the mean.
    pub fn ratio(&self, implied_move: f64) -> f64 {
        implied_move / self.mean
    }

    /// The ratio, less for an unsteady history: ratio / (1 + factor).
    pub fn edge(&self, implied_move: f64) -> f64 {
        self.ratio(implied_move) / (1.0 + self.consistency_factor())
    }
}

/// From which ratio on a stock is of which tier; each bound belongs to the better tier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tiers {
    /// From here on `EXCELLENT`.
    pub excellent: f64,
    /// From here on `GOOD`.
    pub good: f64,
    /// From here on `MARGINAL`; below it `SKIP`.
    pub marginal: f64,
}

/// What a ratio is called, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Below every bound.
    Skip,
    /// Hardly more than the stock does.
    Marginal,
    /// Tradeable.
    Good,
    /// Tradeable, and rich.
    Excellent,
}

impl Tier {
    /// The word in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Skip => "SKIP",
            Self::Marginal => "MARGINAL",
            Self::Good => "GOOD",
            Self::Excellent => "EXCELLENT",
        }
    }

    /// Whether it is one to trade.
    pub fn is_tradeable(self) -> bool {
        matches!(self, Self::Good | Self::Excellent)
    }
}

impl Tiers {
    /// The tier of a ratio. A ratio that equals a bound up to the error of floats reaches it.
    pub fn of(&self, ratio: f64) -> Tier {
        let reaches = |bound: f64| ratio >= bound * (1.0 - 1e-12);
        match ratio {
            _ if reaches(self.excellent) => Tier::Excellent,
            _ if reaches(self.good) => Tier::Good,
            _ if reaches(self.marginal) => Tier::Marginal,
            _ => Tier::Skip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_history_is_never_scored() {
        let moves = [0.05; 3];
        let too_few = NoRatio::TooFew { found: 3, wanted: 4 };
        assert_eq!(History::of(&moves, 4), Err(too_few));
        assert_eq!(too_few.to_string(), "3 of 4 past moves are known");
        assert_eq!(History::of(&[], 0), Err(NoRatio::TooFew { found: 0, wanted: 0 }));
        assert_eq!(History::of(&[0.0; 5], 4), Err(NoRatio::NoMovement));
        assert_eq!(History::of(&[f64::NAN; 5], 4), Err(NoRatio::NoMovement));
    }

    #[test]
    fn both_signs_count_alike() {
        let history = History::of(&[-4.0, 4.0, -4.0, 4.0], 4).unwrap();
        assert_eq!((history.mean, history.mad, history.consistency_factor()), (4.0, 0.0, 0.0));
        assert_eq!((history.ratio(12.0), history.edge(12.0)), (3.0, 3.0));
    }

    #[test]
    fn a_median_of_zero_has_hardly_an_edge() {
        let history = History::of(&[0.0, 0.0, 0.0, 4.0], 4).unwrap();
        assert_eq!(history.consistency_factor(), 999.0);
        assert_eq!(history.edge(2.0), 2.0 / 1000.0);
    }

    #[test]
    fn bounds_belong_to_the_better_tier() {
        let tiers = Tiers { excellent: 7.0, good: 4.0, marginal: 1.5 };
        // 35.7 / 5.1 is 7 but for the error of floats, on either side.
        assert_eq!(tiers.of(35.7 / 5.1), Tier::Excellent);
        assert_eq!(tiers.of(0.357 / 0.051), Tier::Excellent);
        assert_eq!(tiers.of(6.999), Tier::Good);
        assert_eq!(tiers.of(1.499), Tier::Skip);
        assert!(Tier::Good.is_tradeable() && !Tier::Marginal.is_tradeable());
    }
}
