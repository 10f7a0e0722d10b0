//! Close-to-close historical volatility (`tomic.md` 5).

/// Annualised volatility of the last `window` log returns of `closes` (oldest first), as a
/// fraction: the sample standard deviation (n − 1) × √252.
///
/// Pairs with a non-positive close are skipped. `None` with fewer than two returns; with fewer
/// than `window` returns it is computed from what there is.
pub fn close_to_close(closes: &[f64], window: usize) -> Option<f64> {
    let _ = (closes, window);
    None
}
