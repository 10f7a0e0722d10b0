//! Whether what a run needs is in order.

use serde::Serialize;

/// Every check: `volledger/health/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/health/1")]
pub struct Health {
    /// When, in UTC.
    pub checked_at: String,
    /// Whether nothing was found that is not in order.
    pub healthy: bool,
    /// The checks.
    pub checks: Vec<HealthCheck>,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct HealthCheck {
    /// `ledger`, `disk`, `inbox`, or a service: `polygon`, `alpha-vantage`, `tradier`.
    pub name: &'static str,
    /// Whether it is in order; null when it was not looked at.
    pub healthy: Option<bool>,
    /// How long looking took, in milliseconds.
    pub latency_ms: f64,
    /// What was found, or why it was not looked at.
    pub note: String,
}
