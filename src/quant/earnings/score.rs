//! The score that a scan is ranked by (`iv_crush.md` A12).

use super::liquidity::Tier;

/// 0 to 100 with one decimal: up to 55 for the ratio, 20 for liquidity, 25 for a small move.
///
/// `vrp` is the ratio, `implied_percent` the implied move in percent; a missing one has half of
/// its part, an unknown liquidity 12.
pub fn score(vrp: f64, implied_percent: Option<f64>, liquidity: Option<Tier>) -> f64 {
    let of_ratio = 55.0 * (vrp / 4.0).clamp(0.0, 1.0);
    let of_liquidity = match liquidity {
        Some(Tier::Excellent) => 20.0,
        Some(Tier::Good) => 16.0,
        Some(Tier::Warning) | None => 12.0,
        Some(Tier::Reject) => 4.0,
    };
    let of_move = implied_percent.map_or(12.5, |percent| 25.0 * (1.0 - percent / 20.0).max(0.0));
    round_half_even(of_ratio + of_liquidity + of_move)
}

/// One decimal; what lies half way goes to the even digit.
fn round_half_even(number: f64) -> f64 {
    let tenths = number * 10.0;
    let below = tenths.floor();
    let half = (tenths - below - 0.5).abs() < 1e-9;
    let whole = if half { below + below.rem_euclid(2.0) } else { tenths.round() };
    whole / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_counts_up_to_four_and_a_half_goes_to_the_even_digit() {
        assert_eq!(score(4.0, Some(0.0), Some(Tier::Excellent)), 100.0);
        assert_eq!(score(400.0, Some(0.0), Some(Tier::Excellent)), 100.0);
        assert_eq!(score(0.0, Some(40.0), Some(Tier::Reject)), 4.0);
        assert_eq!(score(0.0, None, None), 24.5);
        for (number, want) in [(38.75, 38.8), (38.65, 38.6), (0.05, 0.0), (0.15, 0.2)] {
            assert_eq!(round_half_even(number), want, "{number}");
        }
    }
}
