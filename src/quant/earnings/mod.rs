//! Earnings: what a stock does on its announcements, what its options expect, and how the two
//! compare (`iv_crush.md` A4 to A12). Pure functions.
//!
//! Prices of quotes and strikes are exact decimals, since liquidity tiers have sharp edges; what
//! is computed from them are floats. Moves and implied moves are fractions of the reference price
//! (0.05 is 5 %), volatilities here are percent, as the thresholds of the rules are.

pub mod consistency;
pub mod expiration;
pub mod fit;
pub mod liquidity;
pub mod moves;
pub mod score;
pub mod skew;
pub mod straddle;
pub mod term;
pub mod vrp;

#[cfg(test)]
mod golden_tests;

/// Arithmetic mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let upper = *sorted.get(half)?;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => Some((sorted.get(half.checked_sub(1)?)? + upper) / 2.0),
    }
}
