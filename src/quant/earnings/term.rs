//! Volatility at the money over expirations (`iv_crush.md` A8). Volatilities are percent.

use super::fit;
use crate::domain::Day;

/// Volatility at the money of one expiration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The expiration.
    pub expiration: Day,
    /// Implied volatility at the money in percent.
    pub atm_iv: f64,
}

/// The volatility between two expirations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forward {
    /// The nearer expiration.
    pub from: Day,
    /// The later one.
    pub to: Day,
    /// Annualised percent; `None` where the variance between them is negative.
    pub iv: Option<f64>,
}

/// The term structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Least-squares slope, points a 30 days.
    pub slope: f64,
    /// The nearest less the last volatility, points.
    pub front_minus_back: f64,
    /// `backwardation`, `contango` or `flat`.
    pub state: &'static str,
    /// Between neighbours.
    pub forwards: Vec<Forward>,
}

/// The term structure seen from a day; expirations ascending, those not after the day are left
/// out. `None` with fewer than two.
pub fn structure(as_of: Day, points: &[Point]) -> Option<Term> {
    let days = |point: &Point| f64::from(point.expiration.0.saturating_sub(as_of.0));
    let points: Vec<&Point> = points.iter().filter(|point| point.expiration > as_of).collect();
    let curve: Vec<(f64, f64)> = points.iter().map(|point| (days(point), point.atm_iv)).collect();
    let slope = fit::line(&curve)?.slope * 30.0;
    let forward = |pair: &[&Point]| {
        let [near, far] = pair else { return None };
        let variance = far.atm_iv.powi(2) * days(far) - near.atm_iv.powi(2) * days(near);
        let variance = variance / (days(far) - days(near));
        let iv = (variance >= 0.0).then(|| variance.sqrt());
        Some(Forward { from: near.expiration, to: far.expiration, iv })
    };
    Some(Term {
        slope,
        front_minus_back: points.first()?.atm_iv - points.last()?.atm_iv,
        state: match slope {
            _ if slope < 0.0 => "backwardation",
            _ if slope > 0.0 => "contango",
            _ => "flat",
        },
        forwards: points.windows(2).filter_map(forward).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expiration_is_no_curve_and_a_negative_variance_is_said() {
        let point = |day: i32, atm_iv: f64| Point { expiration: Day(day), atm_iv };
        assert_eq!(structure(Day(0), &[point(7, 50.0)]), None);
        assert_eq!(structure(Day(7), &[point(7, 50.0), point(14, 40.0)]), None);
        let steep = structure(Day(0), &[point(7, 90.0), point(14, 40.0)]).unwrap();
        assert_eq!((steep.state, steep.forwards.first().unwrap().iv), ("backwardation", None));
    }
}
