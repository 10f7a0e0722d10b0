//! The projections that the program brings. A new one is a file here and a line in [`all`].

mod earnings_moves;
mod hv_estimators;
mod iv_hv;
mod iv_metrics;

use super::projection::Projection;
use std::sync::Arc;

/// Every one.
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(iv_metrics::IvMetrics),
        Arc::new(iv_hv::IvHv),
        Arc::new(hv_estimators::HvEstimators::FIRST),
        Arc::new(hv_estimators::HvEstimators::SECOND),
        Arc::new(hv_estimators::HvEstimators::NEW),
        Arc::new(earnings_moves::EarningsMoves::OLD),
        Arc::new(earnings_moves::EarningsMoves::NEW),
    ]
}
