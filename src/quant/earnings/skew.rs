//! The slope of the smile (`iv_crush.md` A7). Volatilities are percent, x is (strike − spot) / spot.

use super::fit::parabola;

/// Fewest strikes that a parabola is fitted to.
const MIN_POINTS: usize = 5;
/// Strikes further from spot than this part of it are left out.
const FAR: f64 = 0.15;
/// The parity form leaves out what is nearer than this.
const NEAR: f64 = 0.02;
/// Strikes at a bound belong to it, whatever the error of floats.
const EDGE: f64 = 1e-12;

/// A strike with both legs liquid; the others do not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// (strike − spot) / spot.
    pub x: f64,
    /// Implied volatility of the call in percent.
    pub call_iv: f64,
    /// Of the put.
    pub put_iv: f64,
}

/// Put against call volatility at equal strikes, as the original has it. Weak evidence: the two
/// differ by carry, noise and early exercise only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parity {
    /// Strikes used.
    pub n: usize,
    /// Put less call at spot, points.
    pub skew_atm: f64,
    /// Slope at spot, points for x = 1.
    pub slope: f64,
    /// Curvature, points.
    pub curvature: f64,
    /// Share of the scatter that the parabola explains.
    pub r_squared: f64,
    /// `smile`, `inverse_smile` or `smirk`.
    pub shape: &'static str,
    /// What the slope says, for example `weak_bearish`.
    pub raw_bias: &'static str,
    /// R² × min(1, |slope| / 150).
    pub confidence: f64,
    /// The bias; `neutral` below a confidence of 0.15.
    pub bias: &'static str,
}

/// The smile of what is out of the money: puts below spot, calls above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smile {
    /// Strikes used.
    pub n: usize,
    /// Volatility at spot in percent.
    pub atm_iv: f64,
    /// Slope at spot, points for x = 1; negative where puts are dearer.
    pub slope: f64,
    /// Curvature, points.
    pub curvature: f64,
    /// Share of the scatter that the parabola explains.
    pub r_squared: f64,
    /// Volatility at 90 % less that at 110 % of spot along the slope, points.
    pub iv_90_minus_110: f64,
}

/// Whether the parity form looks at a strike.
pub fn in_parity(x: f64) -> bool {
    x.abs() >= NEAR - EDGE && x.abs() <= FAR + EDGE
}

/// The parity form; `None` with fewer than 5 strikes.
pub fn parity(points: &[Point]) -> Option<Parity> {
    let used = points.iter().filter(|point| in_parity(point.x));
    let used: Vec<(f64, f64)> = used.map(|point| (point.x, point.put_iv - point.call_iv)).collect();
    let found = parabola(&used).filter(|_| used.len() >= MIN_POINTS)?;
    let curvature = 2.0 * found.a;
    let confidence = found.r_squared * (found.b.abs() / 150.0).min(1.0);
    let raw_bias = bias(found.b);
    Some(Parity {
        n: used.len(),
        skew_atm: found.c,
        slope: found.b,
        curvature,
        r_squared: found.r_squared,
        shape: match curvature {
            _ if curvature > 1.0 => "smile",
            _ if curvature < -1.0 => "inverse_smile",
            _ => "smirk",
        },
        raw_bias,
        confidence,
        bias: if confidence < 0.15 { "neutral" } else { raw_bias },
    })
}

fn bias(slope: f64) -> &'static str {
    match (slope.abs(), slope > 0.0) {
        (size, _) if size <= 30.0 => "neutral",
        (size, true) if size <= 80.0 => "weak_bullish",
        (size, true) if size <= 150.0 => "bullish",
        (_, true) => "strong_bullish",
        (size, false) if size <= 80.0 => "weak_bearish",
        (size, false) if size <= 150.0 => "bearish",
        (_, false) => "strong_bearish",
    }
}

/// The smile form; `None` with fewer than 5 strikes.
pub fn smile(points: &[Point]) -> Option<Smile> {
    let used = points.iter().filter(|point| point.x.abs() <= FAR + EDGE);
    let volatility = |point: &Point| match point.x {
        x if x < 0.0 => point.put_iv,
        x if x > 0.0 => point.call_iv,
        _ => (point.put_iv + point.call_iv) / 2.0,
    };
    let used: Vec<(f64, f64)> = used.map(|point| (point.x, volatility(point))).collect();
    let found = parabola(&used).filter(|_| used.len() >= MIN_POINTS)?;
    Some(Smile {
        n: used.len(),
        atm_iv: found.c,
        slope: found.b,
        curvature: 2.0 * found.a,
        r_squared: found.r_squared,
        iv_90_minus_110: -0.2 * found.b,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_strikes_fit_nothing() {
        let point = |x: f64| Point { x, call_iv: 50.0, put_iv: 51.0 };
        let near: Vec<Point> = [-0.01, 0.0, 0.01, 0.015, 0.018].map(point).to_vec();
        assert_eq!(parity(&near), None);
        assert!(smile(&near).is_some());
        assert_eq!(smile(near.get(..4).unwrap()), None);
    }

    #[test]
    fn the_slope_has_seven_words() {
        let words = [-151.0, -150.0, -80.0, 0.0, 80.0, 150.0, 151.0].map(bias);
        let want = ["strong_bearish", "bearish", "weak_bearish", "neutral", "weak_bullish"];
        assert_eq!(words.get(..5), Some(want.as_slice()));
        assert_eq!(words.get(5..), Some(["bullish", "strong_bullish"].as_slice()));
    }
}
