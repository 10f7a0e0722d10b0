//! GARCH(1,1) with given parameters (`options_platform.md` B10; Bollerslev 1986, Journal of
//! Econometrics 31(3), 307–327).
//!
//! The specification gives the parameters and fits none, so neither does this; SQL's `garch` asks it.
//! What is left of the choice of a start and whether a long-run level exists at all are told with the
//! result.

use super::hv::YEAR;

/// h ← `omega` + `alpha` · r² + `beta` · h, in daily variances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    omega: f64,
    alpha: f64,
    beta: f64,
}

/// What the recursion made of a window of returns. Variances are daily.
#[derive(Clone, Debug, PartialEq)]
pub struct Recursion {
    /// The start: the mean squared return of the window.
    pub start_variance: f64,
    /// The variance for the session after each return, oldest first; as long as the returns.
    pub variances: Vec<f64>,
    /// Last of `variances`: that of the session after the window.
    pub next_variance: f64,
    /// `beta` to the power of the returns: the share of the start that is still in
    /// `next_variance`. Near 1 the result says little more than the mean squared return.
    pub start_weight: f64,
}

impl Parameters {
    /// Parameters that keep a variance from falling below zero; `None` for a negative one and one
    /// that is not finite. `alpha` + `beta` of 1 and more is allowed: see [`Self::long_run`].
    pub fn new(omega: f64, alpha: f64, beta: f64) -> Option<Self> {
        let sound = |value: f64| value.is_finite() && value >= 0.0;
        (sound(omega) && sound(alpha) && sound(beta)).then_some(Self { omega, alpha, beta })
    }

    /// `alpha` + `beta`: how much of a shock is left after a day. Below 1 the variance returns to
    /// its long-run level.
    pub fn persistence(&self) -> f64 {
        self.alpha + self.beta
    }

    /// The daily variance that forecasts converge to, `omega` / (1 − `alpha` − `beta`). `None` when
    /// they converge to nothing: a persistence of 1 or more.
    pub fn long_run(&self) -> Option<f64> {
        let rest = 1.0 - self.persistence();
        (rest > 0.0).then(|| self.omega / rest).filter(|variance| variance.is_finite())
    }

    /// The recursion over daily log `returns`, oldest first, applied once for each.
    ///
    /// `None` without a return, with one that is not finite, and when a variance grows beyond
    /// numbers (only a persistence above 1 does that).
    pub fn run(&self, returns: &[f64]) -> Option<Recursion> {
        if returns.is_empty() || !returns.iter().all(|r| r.is_finite()) {
            return None;
        }
        let squares = returns.iter().map(|r| r * r);
        let start_variance = squares.sum::<f64>() / returns.len() as f64;
        let step = |variance: &mut f64, r: &f64| {
            *variance = self.omega + self.alpha * r * r + self.beta * *variance;
            Some(*variance)
        };
        let variances: Vec<f64> = returns.iter().scan(start_variance, step).collect();
        let next_variance = *variances.last()?;
        let start_weight = self.beta.powf(returns.len() as f64);
        let sound = variances.iter().all(|variance| variance.is_finite());
        sound.then_some(Recursion { start_variance, variances, next_variance, start_weight })
    }
}

/// √(252 · daily variance): an annual volatility as a fraction (`options_platform.md` B10).
pub fn annualised(daily_variance: f64) -> f64 {
    (YEAR * daily_variance).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recursion_is_applied_once_for_each_return() {
        let model = Parameters::new(0.1, 0.25, 0.5).unwrap();
        let run = model.run(&[1.0, 3.0]).unwrap();
        assert_eq!(run.start_variance, 5.0);
        assert_eq!(run.variances, [0.1 + 0.25 + 2.5, 0.1 + 2.25 + 0.5 * 2.85]);
        assert_eq!(run.next_variance, run.variances[1]);
        assert_eq!(run.start_weight, 0.25);
        assert_eq!(model.run(&[]), None);
        assert_eq!(model.run(&[0.1, f64::NAN]), None);
    }

    #[test]
    fn without_return_to_a_level_there_is_none() {
        assert_eq!(Parameters::new(0.1, 0.25, 0.5).unwrap().long_run(), Some(0.4));
        for (alpha, beta) in [(0.5, 0.5), (0.5, 0.75)] {
            assert_eq!(Parameters::new(0.1, alpha, beta).unwrap().long_run(), None);
        }
        let wild = Parameters::new(0.1, 0.5, 1e200).unwrap();
        assert_eq!(wild.run(&[0.1, 0.1, 0.1]), None);
        for wrong in [-1e-9, f64::NAN, f64::INFINITY] {
            assert_eq!(Parameters::new(wrong, 0.1, 0.8), None);
            assert_eq!(Parameters::new(0.1, wrong, 0.8), None);
            assert_eq!(Parameters::new(0.1, 0.1, wrong), None);
        }
    }
}
