//! TOMIC's market overview (`tomic.md` 12.2–12.4): which strategies a snapshot recommends, what
//! was left out and why, and in which order.
//!
//! How a criterion is written and evaluated is not decided here: the caller says whether it holds.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One symbol of a snapshot (`tomic.md` 12.1). Volatilities are fractions, ranks and percentiles
/// lie on 0…1, terms and skew are in points (5.0 is five volatility points).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The symbol.
    pub symbol: String,
    /// Last close, in dollars.
    pub spot: Option<f64>,
    /// Implied volatility at the money.
    pub iv: Option<f64>,
    /// Volatility of 20 returns.
    pub hv20: Option<f64>,
    /// Volatility of 30 returns.
    pub hv30: Option<f64>,
    /// Volatility of 90 returns.
    pub hv90: Option<f64>,
    /// Volatility of 252 returns.
    pub hv252: Option<f64>,
    /// Rank, 0…1 ([`super::tomic::snapshot_value`]).
    pub iv_rank: Option<f64>,
    /// Percentile, 0…1 ([`super::tomic::snapshot_value`]).
    pub iv_percentile: Option<f64>,
    /// First less second month, points.
    pub term_m1_m2: Option<f64>,
    /// First less third month, points.
    pub term_m1_m3: Option<f64>,
    /// 25-delta put less call, points.
    pub skew: Option<f64>,
    /// Calendar days until the next earnings.
    pub days_until_earnings: Option<i32>,
}

impl Row {
    /// A metric by the name rules give it (`tomic.md` 12.2); an unknown name is `None`, as a
    /// missing part is.
    pub fn metric(&self, name: &str) -> Option<f64> {
        match name {
            "IV" => self.iv,
            "HV20" => self.hv20,
            "HV30" => self.hv30,
            "HV90" => self.hv90,
            "HV252" => self.hv252,
            "iv_rank" => self.iv_rank,
            "iv_percentile" => self.iv_percentile,
            "iv_vs_hv20" => super::moving::spread(self.iv, self.hv20),
            "iv_vs_hv90" => super::moving::spread(self.iv, self.hv90),
            "term_m1_m2" => self.term_m1_m2,
            "term_m1_m3" => self.term_m1_m3,
            "skew" => self.skew,
            _ => None,
        }
    }
}

/// The order of a snapshot (`tomic.md` 12.1): highest percentile first, rows without one last,
/// then by symbol.
pub fn sort_rows(rows: &mut [Row]) {
    rows.sort_by(|a, b| {
        let by_percentile = match (a.iv_percentile, b.iv_percentile) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_percentile.then_with(|| a.symbol.cmp(&b.symbol))
    });
}

/// A strategy and when it is recommended (`tomic.md` 12.4). `C` is a criterion in whatever form
/// the caller evaluates.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<C> {
    /// Its name in configuration: `iron_condor`.
    pub key: String,
    /// Its name for people: `Iron Condor`.
    pub strategy: String,
    /// What it does with the greeks, in words.
    pub greeks: String,
    /// All must hold; an empty list matches.
    pub criteria: Vec<C>,
    /// Fewer calendar days until earnings rule it out; 0 never does.
    pub min_days_until_earnings: i32,
}

/// What a strategy lives on, in the order of the overview.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Gains when volatility falls.
    VegaShort,
    /// Gains with the direction of the price.
    DeltaDirectional,
    /// Gains when volatility rises.
    VegaLong,
    /// Wants the price to stay.
    DeltaNeutral,
    /// None of these.
    Other,
}

impl Category {
    /// The category of a greeks text (`tomic.md` 12.3): the first of these words that it contains,
    /// in any case.
    ///
    /// The words are English, as the original's; of its Dutch texts only vega is understood.
    pub fn of(greeks: &str) -> Self {
        let text = greeks.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["vega long"]) {
            Self::VegaLong
        } else if has(&["vega short"]) {
            Self::VegaShort
        } else if has(&["delta directional", "delta positive", "delta negative"]) {
            Self::DeltaDirectional
        } else if has(&["delta neutral"]) {
            Self::DeltaNeutral
        } else {
            Self::Other
        }
    }

    /// The name TOMIC prints.
    pub fn label(self) -> &'static str {
        match self {
            Self::VegaShort => "Vega Short",
            Self::DeltaDirectional => "Delta Directioneel",
            Self::VegaLong => "Vega Long",
            Self::DeltaNeutral => "Delta Neutraal",
            Self::Other => "Overig",
        }
    }
}

/// A rule that a row meets.
#[derive(Debug, PartialEq)]
pub struct Recommendation<'a, C> {
    /// The row.
    pub row: &'a Row,
    /// The rule.
    pub rule: &'a Rule<C>,
    /// Category of the rule's greeks.
    pub category: Category,
}

/// The recommendations and what was left out.
#[derive(Debug, PartialEq)]
pub struct Overview<'a, C> {
    /// By symbol, category and strategy.
    pub recommendations: Vec<Recommendation<'a, C>>,
    /// Strategies that met their criteria too close to earnings, by symbol, in order of the rules.
    pub earnings_filtered: BTreeMap<&'a str, Vec<&'a str>>,
    /// Strategies that met their criteria while the symbol is not qualified, by symbol.
    pub disqualified_filtered: BTreeMap<&'a str, Vec<&'a str>>,
    /// Symbols without a rank, in the order of the rows; no rule was tried on them.
    pub iv_history_insufficient: Vec<&'a str>,
}

/// The overview of a snapshot (`tomic.md` 12.3).
///
/// `holds` evaluates one criterion on a row; by the rules' language a comparison with a missing
/// metric is false, and so is an error. `qualified` says whether a symbol is allowed for a rule.
/// Earnings are looked at first; a row without an earnings date passes them.
pub fn overview<'a, C>(
    rows: &'a [Row],
    rules: &'a [Rule<C>],
    holds: impl Fn(&C, &Row) -> bool,
    qualified: impl Fn(&str, &Rule<C>) -> bool,
) -> Overview<'a, C> {
    let mut found = Overview {
        recommendations: Vec::new(),
        earnings_filtered: BTreeMap::new(),
        disqualified_filtered: BTreeMap::new(),
        iv_history_insufficient: Vec::new(),
    };
    for row in rows {
        let symbol = row.symbol.as_str();
        if row.iv_rank.is_none() {
            found.iv_history_insufficient.push(symbol);
            continue;
        }
        for rule in rules {
            if !rule.criteria.iter().all(|criterion| holds(criterion, row)) {
                continue;
            }
            // With a minimum of 0 not even a date in the past rules anything out.
            let least = rule.min_days_until_earnings;
            let strategy = rule.strategy.as_str();
            if least > 0 && row.days_until_earnings.is_some_and(|days| days < least) {
                found.earnings_filtered.entry(symbol).or_default().push(strategy);
            } else if !qualified(symbol, rule) {
                found.disqualified_filtered.entry(symbol).or_default().push(strategy);
            } else {
                let category = Category::of(&rule.greeks);
                found.recommendations.push(Recommendation { row, rule, category });
            }
        }
    }
    found.recommendations.sort_by(|a, b| {
        let by_symbol = a.row.symbol.cmp(&b.row.symbol).then(a.category.cmp(&b.category));
        by_symbol.then_with(|| a.rule.strategy.cmp(&b.rule.strategy))
    });
    found
}
