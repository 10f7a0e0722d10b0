//! The trader's views.

use serde::Serialize;

/// Where volatilities stand: `volledger/rank/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/rank/1")]
pub struct Rank {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// One row a symbol, the highest percentile first.
    pub rows: Vec<RankRow>,
}

/// One symbol on one day. Volatilities are fractions, ranks and percentiles 0 to 100.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RankRow {
    /// The symbol.
    pub symbol: String,
    /// The day.
    pub date: String,
    /// Implied volatility at the money.
    pub atm_iv: Option<f64>,
    /// Place between lowest and highest of the last 252 observations, this one included.
    pub iv_rank_252: Option<f64>,
    /// Share of the 252 observations before it that are lower.
    pub iv_percentile_252: Option<f64>,
    /// Observations before it, at most 252; with fewer there is no rank.
    pub n_252: u64,
    /// As `iv_rank_252`, over 504 observations; from 378 on.
    pub iv_rank_504: Option<f64>,
    /// As `iv_percentile_252`, over 504 observations; from 378 on.
    pub iv_percentile_504: Option<f64>,
    /// Observations before it, at most 504.
    pub n_504: u64,
    /// Mean of the last 20 observations, this one included.
    pub iv_ma20: Option<f64>,
    /// Volatility over that mean, less 1.
    pub iv_vs_ma20: Option<f64>,
}

/// One line a symbol: `volledger/snapshot/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/snapshot/1")]
pub struct Snapshot {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// One row a symbol.
    pub rows: Vec<SnapshotRow>,
}

/// A symbol's newest values, each with its day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SnapshotRow {
    /// The symbol.
    pub symbol: String,
    /// Close.
    pub spot: Option<f64>,
    /// Its day.
    pub spot_date: Option<String>,
    /// Implied volatility at the money.
    pub atm_iv: Option<f64>,
    /// The day of it, of rank, term structure and skew.
    pub iv_date: Option<String>,
    /// Historical volatility of 20 returns.
    pub hv20: Option<f64>,
    /// Of 30.
    pub hv30: Option<f64>,
    /// Of 90.
    pub hv90: Option<f64>,
    /// Of 252.
    pub hv252: Option<f64>,
    /// The day of them.
    pub hv_date: Option<String>,
    /// As in `rank`.
    pub iv_rank_252: Option<f64>,
    /// As in `rank`.
    pub iv_percentile_252: Option<f64>,
    /// As in `rank`.
    pub n_252: u64,
    /// Implied less historical volatility of 20 returns, a fraction.
    pub iv_vs_hv20: Option<f64>,
    /// Front less second month, points.
    pub term_m1_m2: Option<f64>,
    /// Front less third month, points.
    pub term_m1_m3: Option<f64>,
    /// 25-delta put less call, points.
    pub skew: Option<f64>,
    /// The next earnings announcement, where the calendar has one.
    pub next_earnings: Option<String>,
    /// Whether the values are of different days, or older than five sessions.
    pub stale: bool,
}
