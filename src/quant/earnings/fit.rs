//! Least squares: a line and a parabola.

/// y = slope · x + level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Change of y a unit of x.
    pub slope: f64,
    /// y at x = 0.
    pub level: f64,
}

/// The line nearest to the points; `None` with fewer than two different x.
pub fn line(points: &[(f64, f64)]) -> Option<Line> {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / n, y / n);
    // About the means, so that nothing large is subtracted from something large.
    let (mut xx, mut xy) = (0.0, 0.0);
    for point in points {
        xx += (point.0 - x) * (point.0 - x);
        xy += (point.0 - x) * (point.1 - y);
    }
    (xx > 0.0).then(|| Line { slope: xy / xx, level: y - xy / xx * x })
}

/// y = a x² + b x + c, and how much of the scatter it explains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parabola {
    /// Half the curvature.
    pub a: f64,
    /// Slope at x = 0.
    pub b: f64,
    /// y at x = 0.
    pub c: f64,
    /// 1 − unexplained / total squares; 0 when all y are equal.
    pub r_squared: f64,
}

/// The parabola nearest to the points, by orthogonal polynomials; `None` with fewer than three
/// different x.
pub fn parabola(points: &[(f64, f64)]) -> Option<Parabola> {
    let n = points.len() as f64;
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 { points.iter().map(|p| of(p.0, p.1)).sum() };
    // p0 = 1, p1 = x − m, p2 = p1² − k p1 − s: each orthogonal to those before.
    let m = sum(&|x, _| x) / n;
    let s1 = sum(&|x, _| (x - m).powi(2));
    if s1.is_nan() || s1 <= 0.0 {
        return None;
    }
    let (k, s) = (sum(&|x, _| (x - m).powi(3)) / s1, s1 / n);
    let p2 = |x: f64| (x - m).powi(2) - k * (x - m) - s;
    let s2 = sum(&|x, _| p2(x).powi(2));
    // Two different x leave only rounding errors of p2.
    if s2.is_nan() || s2 <= s1 * s1 / n * 1e-12 {
        return None;
    }
    let level = sum(&|_, y| y) / n;
    let first = sum(&|x, y| (x - m) * y) / s1;
    let second = sum(&|x, y| p2(x) * y) / s2;
    let (a, b) = (second, first - second * (2.0 * m + k));
    let c = level - first * m + second * (m * m + k * m - s);
    let total = sum(&|_, y| (y - level).powi(2));
    let rest = sum(&|x, y| (y - (a * x * x + b * x + c)).powi(2));
    let r_squared = if total > 0.0 { 1.0 - rest / total } else { 0.0 };
    Some(Parabola { a, b, c, r_squared })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_parabola_is_found_again(
            a in -900.0..900.0, b in -90.0..90.0, c in 0.0..90.0, shift in -0.1..0.1,
        ) {
            let (a, b, c): (f64, f64, f64) = (a, b, c);
            let at = |x: f64| a * x * x + b * x + c;
            let points: Vec<(f64, f64)> =
                (0..7).map(|i| f64::from(i) * 0.04 + shift).map(|x| (x, at(x))).collect();
            let found = parabola(&points).unwrap();
            prop_assert!((found.a - a).abs() < 1e-6, "{found:?}");
            prop_assert!((found.b - b).abs() < 1e-6, "{found:?}");
            prop_assert!((found.c - c).abs() < 1e-6, "{found:?}");
        }
    }

    #[test]
    fn too_few_different_points_fit_nothing() {
        assert_eq!(line(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(line(&[]), None);
        assert_eq!(line(&[(0.0, 1.0), (2.0, 5.0)]), Some(Line { slope: 2.0, level: 1.0 }));
        assert_eq!(parabola(&[(0.0, 1.0), (1.0, 2.0), (1.0, 2.5)]), None);
        assert_eq!(parabola(&[]), None);
        let flat = parabola(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]).unwrap();
        assert_eq!((flat.c, flat.r_squared), (1.0, 0.0));
    }
}
