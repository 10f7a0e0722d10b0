//! Earnings: what a stock did on its announcements, and whether its options pay more than that
//! (`iv_crush.md` A5, A12).
//!
//! Nothing here is stored: facts come from the views, moves from a projection, both as a vantage
//! sees them, so every number can be had as of any position.

mod chain;
mod history;
mod implied;
mod moves;
mod tiers;
mod vrp;

pub use crate::quant::earnings::vrp::Tiers;
pub use moves::{VIEWS, earnings};
pub use tiers::{BUNDLED, TierChanges, TierSet, metric_words};
pub use vrp::{Announcing, Which, nearest, vrp};
