//! The market overview, and the sets of rules that it can be made with.

use serde::Serialize;
use std::collections::BTreeMap;

/// Which strategies the rules recommend: `volledger/overview/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/overview/1")]
pub struct Overview {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The day that ages and earnings are counted from.
    pub date: String,
    /// The set of rules.
    pub rules: RulesUsed,
    /// By symbol, category and strategy.
    pub recommendations: Vec<Recommended>,
    /// The symbols looked at, the highest percentile first, those without one last.
    pub rows: Vec<OverviewRow>,
    /// The symbols that lack a view the rules need.
    pub absent: Vec<Absent>,
    /// What was left out, and why.
    pub meta: OverviewMeta,
}

/// A set of rules, as an overview names it.
#[derive(Clone, Debug, Serialize)]
pub struct RulesUsed {
    /// Its name.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// One sentence for a person.
    pub title: String,
    /// Whose ranks say whether there is history enough, and order the rows: `tomic` (the whole
    /// file, 0 to 1) or `windowed` (252 observations, 0 to 100).
    pub ranks: &'static str,
}

/// A strategy that a symbol's metrics recommend.
#[derive(Clone, Debug, Serialize)]
pub struct Recommended {
    /// Its name.
    pub strategy: String,
    /// Its name in the rules.
    pub key: String,
    /// What it lives on, as TOMIC prints it: Vega Short, Delta Directioneel, Vega Long,
    /// Delta Neutraal, Overig.
    pub category: &'static str,
    /// What it does with the greeks.
    pub greeks: String,
    /// What the rule says of itself.
    pub indication: Option<String>,
    /// The expressions that all hold.
    pub criteria: Vec<String>,
    /// The symbol's metrics.
    #[serde(flatten)]
    pub row: OverviewRow,
}

/// A symbol's metrics, each with its day. Volatilities and their differences are fractions, terms
/// and skew points.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OverviewRow {
    /// The symbol.
    pub symbol: String,
    /// Close.
    pub spot: Option<f64>,
    /// Its day.
    pub spot_date: Option<String>,
    /// Implied volatility at the money.
    pub iv: Option<f64>,
    /// The day of it, of ranks, averages, terms and skew.
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
    /// TOMIC's rank against the whole file, 0 to 1.
    pub iv_rank: Option<f64>,
    /// TOMIC's percentile against the whole file, 0 to 1.
    pub iv_percentile: Option<f64>,
    /// Whether these two were `stored` with the record's volatility or are `computed` by TOMIC's
    /// formula.
    pub ranks_from: Option<&'static str>,
    /// Implied less historical volatility of 20 returns.
    pub iv_vs_hv20: Option<f64>,
    /// Of 90 returns.
    pub iv_vs_hv90: Option<f64>,
    /// Front less second month.
    pub term_m1_m2: Option<f64>,
    /// Front less third month.
    pub term_m1_m3: Option<f64>,
    /// 25-delta put less call.
    pub skew: Option<f64>,
    /// As in `rank`, 0 to 100.
    pub iv_rank_252: Option<f64>,
    /// As in `rank`, 0 to 100.
    pub iv_percentile_252: Option<f64>,
    /// As in `rank`.
    pub n_252: u64,
    /// As in `rank`, 0 to 100.
    pub iv_rank_504: Option<f64>,
    /// As in `rank`, 0 to 100.
    pub iv_percentile_504: Option<f64>,
    /// As in `rank`.
    pub n_504: u64,
    /// As in `rank`.
    pub iv_ma20: Option<f64>,
    /// As in `rank`.
    pub iv_vs_ma20: Option<f64>,
    /// Mean of the 21 observations before the day.
    pub iv_mean_21: Option<f64>,
    /// The next earnings announcement, where known.
    pub next_earnings: Option<String>,
    /// Calendar days until then.
    pub days_until_earnings: Option<i32>,
    /// Whether the values are of different days, or older than five sessions.
    pub stale: bool,
}

/// A symbol that was not looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Absent {
    /// The symbol.
    pub symbol: String,
    /// The views in which it has nothing.
    pub lacks: Vec<&'static str>,
}

/// What was left out of an overview.
#[derive(Clone, Debug, Serialize)]
pub struct OverviewMeta {
    /// Strategies whose criteria hold too close to earnings, by symbol.
    pub earnings_filtered: BTreeMap<String, Vec<String>>,
    /// Strategies whose criteria hold while the symbol is not qualified for them, by symbol.
    pub disqualified_filtered: BTreeMap<String, Vec<String>>,
    /// Symbols without a rank; no rule was tried on them.
    pub iv_history_insufficient: Vec<String>,
    /// Rows whose next earnings are known.
    pub earnings_known: u64,
    /// What one should know about this overview.
    pub notes: Vec<String>,
}

/// Sets of rules: `volledger/rules/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/rules/1")]
pub struct RuleSets {
    /// The sets.
    pub sets: Vec<RuleSetLine>,
    /// The names that criteria can use, with what they are.
    pub metrics: Vec<MetricLine>,
}

/// A set of rules.
#[derive(Clone, Debug, Serialize)]
pub struct RuleSetLine {
    /// The set.
    #[serde(flatten)]
    pub set: RulesUsed,
    /// Its rules.
    pub rules: Vec<RuleLine>,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleLine {
    /// Its name in the file.
    pub key: String,
    /// The strategy.
    pub strategy: String,
    /// What it does with the greeks.
    pub greeks: String,
    /// Calendar days before earnings that it keeps clear.
    pub min_days_until_earnings: i32,
    /// The expressions that must all hold.
    pub criteria: Vec<String>,
}

/// A name that criteria can use.
#[derive(Clone, Debug, Serialize)]
pub struct MetricLine {
    /// The name; read in any case.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
}
