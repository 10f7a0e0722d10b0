//! The market overview: which strategies a set of rules recommends on a day.
//!
//! Each component of a symbol is its newest record up to the day, whatever day that is: TOMIC's
//! defect, kept for comparing with it (`tomic.md` 12.1). So a row has the day of each component and
//! a flag where they are not one picture.

use super::error::Result;
use super::metrics::{Asked, Past, rank_row, stale};
use super::report::{
    Absent, MetricLine, Overview, OverviewMeta, OverviewRow, Recommended, RuleLine, RuleSetLine,
    RuleSets, RulesUsed,
};
use super::rules::{METRICS, Ranks, RuleSet};
use super::sql::Metrics;
use crate::domain::{Day, Position, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::projections::view::{Cell, Record};
use crate::quant::overview as pure;
use crate::quant::{moving, rank, tomic};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The days of earnings announcements that are known, ascending.
pub type Earnings = BTreeMap<Symbol, Vec<Day>>;

/// The announcements that the ledger has of the symbols asked for, or of all.
///
/// # Errors
/// A view that cannot be read.
pub fn known_earnings(ledger: &Ledger, asked: &Asked) -> Result<Earnings> {
    let past = Past::of(ledger, asked)?;
    let mut found = Earnings::new();
    for symbol in past.reader.symbols(Series::Earnings)? {
        if asked.symbols.is_empty() || asked.symbols.contains(&symbol) {
            found.insert(symbol.clone(), past.announced(&symbol)?);
        }
    }
    Ok(found)
}

/// The overview of the symbols asked for.
///
/// Without a day the newest records are taken and ages are counted from `today`. A symbol without
/// `earnings` passes their filter, as in TOMIC.
///
/// # Errors
/// [`super::AppError::NotFound`] for a symbol that no view knows.
pub fn overview(
    ledger: &Ledger,
    asked: &Asked,
    rules: &RuleSet,
    earnings: &Earnings,
    today: Day,
) -> Result<Overview> {
    let past = Past::of(ledger, asked)?;
    let date = asked.date.unwrap_or(today);
    let (mut rows, mut absent) = (Vec::new(), Vec::new());
    let committed =
        |cell: &Cell| ledger.batches().get(cell.event.batch).and_then(|batch| batch.committed_at);
    let mut of_another = Vec::new();
    for symbol in past.symbols(asked, &[Series::Iv, Series::Hv, Series::Spot])? {
        // TOMIC's ranks look at the whole file.
        let iv = past.newest(Series::Iv, &symbol, code::ATM_IV, usize::MAX)?;
        let hv = past.newest(Series::Hv, &symbol, code::HV20, 1)?;
        let spot = past.newest(Series::Spot, &symbol, code::CLOSE, 1)?;
        let parts = [(Series::Iv, iv), (Series::Hv, hv), (Series::Spot, spot)];
        // Its facts came later: here nobody had heard of it.
        if asked.symbols.is_empty() && parts.iter().all(|(_, records)| records.is_empty()) {
            continue;
        }
        let lacks = |series: &Series| parts.iter().any(|(s, r)| s == series && r.is_empty());
        let lacking: Vec<&Series> = rules.needs.iter().filter(|series| lacks(series)).collect();
        if !lacking.is_empty() || parts.iter().all(|(_, records)| records.is_empty()) {
            let all: Vec<&'static str> = match lacking.is_empty() {
                true => parts.iter().map(|(series, _)| series.name()).collect(),
                false => lacking.iter().map(|series| series.name()).collect(),
            };
            absent.push(Absent { symbol: symbol.to_string(), lacks: all });
            continue;
        }
        let next = earnings.get(&symbol).and_then(|days| days.iter().find(|day| **day >= date));
        let [(_, iv), (_, hv), (_, spot)] = &parts;
        let row = row_of(&symbol, [iv, hv, spot], rules.ranks, &committed, next.copied(), date);
        let shown = row.iv_date.as_ref().and_then(|day| day.parse().ok());
        let shown = shown.and_then(|day: Day| iv.iter().rfind(|record| record.day == day));
        if shown.is_some_and(|record| SHAPE.iter().any(|code| is_older(record, *code, &committed)))
        {
            of_another.push(row.symbol.clone());
        }
        rows.push(row);
    }
    let mut found = judged(rows, rules)?;
    found.position = past.at.0;
    found.which = asked.which.told();
    found.date = date.to_string();
    found.absent = absent;
    if !of_another.is_empty() {
        found.meta.notes.push(format!(
            "term structure and skew were recorded with another volatility than the one shown: {}",
            of_another.join(", ")
        ));
    }
    Ok(found)
}

/// A symbol's metrics from its records up to the day, oldest first.
fn row_of(
    symbol: &Symbol,
    [iv, hv, spot]: [&[Record]; 3],
    ranks: Ranks,
    committed: Committed<'_>,
    earnings: Option<Day>,
    date: Day,
) -> OverviewRow {
    let series: Vec<Option<f64>> = iv.iter().map(|record| record.number(code::ATM_IV)).collect();
    // TOMIC takes the newest record, whatever is in it; windows end at an observation.
    let at = match ranks {
        Ranks::Tomic => series.len().checked_sub(1),
        Ranks::Windowed => series.iter().rposition(|value| rank::valid(*value).is_some()),
    };
    let iv_record = at.and_then(|at| iv.get(at));
    let (hv, spot) = (hv.last(), spot.last());
    let of = |record: Option<&Record>, code| record.and_then(|record| record.number(code));
    let days: Vec<Day> = [iv_record, hv, spot].into_iter().flatten().map(|r| r.day).collect();
    let text = |record: Option<&Record>| record.map(|record| record.day.to_string());
    let standing = iv_record.and_then(|record| rank_row(symbol, iv, Some(record.day)));
    let standing = standing.as_ref();
    let (iv_rank, iv_percentile, ranks_from) =
        at.map(|at| tomic_ranks(iv, &series, at, committed)).unwrap_or_default();
    let (value, hv20, hv90) = (of(iv_record, code::ATM_IV), of(hv, code::HV20), of(hv, code::HV90));
    let before = at.and_then(|at| moving::iv_mean_21(series.get(..=at)?).pop());
    OverviewRow {
        symbol: symbol.to_string(),
        spot: of(spot, code::CLOSE),
        spot_date: text(spot),
        iv: value,
        iv_date: text(iv_record),
        hv20,
        hv30: of(hv, code::HV30),
        hv90,
        hv252: of(hv, code::HV252),
        hv_date: text(hv),
        iv_rank,
        iv_percentile,
        ranks_from,
        iv_vs_hv20: moving::spread(value, hv20),
        iv_vs_hv90: moving::spread(value, hv90),
        term_m1_m2: of(iv_record, code::TERM_M1_M2),
        term_m1_m3: of(iv_record, code::TERM_M1_M3),
        skew: of(iv_record, code::SKEW),
        iv_rank_252: standing.and_then(|row| row.iv_rank_252),
        iv_percentile_252: standing.and_then(|row| row.iv_percentile_252),
        n_252: standing.map_or(0, |row| row.n_252),
        iv_rank_504: standing.and_then(|row| row.iv_rank_504),
        iv_percentile_504: standing.and_then(|row| row.iv_percentile_504),
        n_504: standing.map_or(0, |row| row.n_504),
        iv_ma20: standing.and_then(|row| row.iv_ma20),
        iv_vs_ma20: standing.and_then(|row| row.iv_vs_ma20),
        iv_mean_21: before.flatten(),
        next_earnings: earnings.map(|day| day.to_string()),
        days_until_earnings: earnings.map(|day| day.0 - date.0),
        stale: stale(&days, date),
    }
}

/// When the batch of a value was confirmed.
type Committed<'a> = &'a dyn Fn(&Cell) -> Option<Position>;

/// What a record says of the volatilities around its own.
const SHAPE: [u16; 3] = [code::TERM_M1_M2, code::TERM_M1_M3, code::SKEW];

/// Whether a field of a record was confirmed before its volatility: that took the place of another one,
/// which the field was about (`tomic.md` 4.4).
fn is_older(record: &Record, code: u16, committed: Committed<'_>) -> bool {
    let of = record.known(code).zip(record.known(code::ATM_IV));
    of.is_some_and(|(field, iv)| committed(field) < committed(iv))
}

/// TOMIC's rank and percentile of a record, 0 to 1: those that were stored of its volatility, else those
/// that it would have computed on that day, from the records up to it.
fn tomic_ranks(
    iv: &[Record],
    series: &[Option<f64>],
    at: usize,
    committed: Committed<'_>,
) -> (Option<f64>, Option<f64>, Option<&'static str>) {
    let of = |code: u16| {
        let record = iv.get(at).filter(|record| !is_older(record, code, committed))?;
        record.number(code)
    };
    let rank = (of(code::IV_RANK_IV), of(code::IV_RANK_HV));
    let percentile = (of(code::IV_PERCENTILE_IV), of(code::IV_PERCENTILE_HV));
    let stored = [rank.0, rank.1, percentile.0, percentile.1];
    if stored.iter().any(Option::is_some) {
        let read = |(iv, hv)| tomic::snapshot_value(iv, hv);
        return (read(rank), read(percentile), Some("stored"));
    }
    let known = series.get(..=at).unwrap_or_default();
    match tomic::iv_standing(known, at, tomic::Scale::Daily) {
        Some(found) => {
            (tomic::as_read(found.rank), tomic::as_read(Some(found.percentile)), Some("computed"))
        }
        None => (None, None, None),
    }
}

/// Tries the rules on the rows.
fn judged(mut rows: Vec<OverviewRow>, rules: &RuleSet) -> Result<Overview> {
    let mut plain: Vec<pure::Row> = rows.iter().map(|row| plain_row(row, rules.ranks)).collect();
    pure::sort_rows(&mut plain);
    let order: BTreeMap<String, usize> =
        plain.iter().enumerate().map(|(index, row)| (row.symbol.clone(), index)).collect();
    rows.sort_by_key(|row| order.get(&row.symbol).copied());
    let columns = METRICS.map(|(name, _)| name);
    let metrics = Metrics::new(&columns, &rows.iter().map(metrics_of).collect::<Vec<_>>())?;
    let mut holding: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for criterion in rules.rules.iter().flat_map(|rule| &rule.criteria) {
        if !holding.contains_key(criterion.as_str()) {
            holding.insert(criterion, metrics.holding(criterion)?.into_iter().collect());
        }
    }
    let holds = |criterion: &String, row: &pure::Row| {
        let index = order.get(&row.symbol);
        let rows = holding.get(criterion.as_str());
        index.zip(rows).is_some_and(|(index, rows)| rows.contains(index))
    };
    // Which symbols are allowed for which strategies is TOMIC's own list, which has no place here.
    let found = pure::overview(&plain, &rules.rules, holds, |_, _| true);
    let recommended = |one: &pure::Recommendation<'_, String>| {
        let rule = rules.rules.iter().position(|rule| rule.key == one.rule.key);
        let indication = rule.and_then(|index| rules.indications.get(index)).cloned().flatten();
        let row = order.get(&one.row.symbol).and_then(|index| rows.get(*index));
        Recommended {
            strategy: one.rule.strategy.clone(),
            key: one.rule.key.clone(),
            category: one.category.label(),
            greeks: one.rule.greeks.clone(),
            indication,
            criteria: one.rule.criteria.clone(),
            row: row.cloned().unwrap_or_default(),
        }
    };
    let owned = |by: &BTreeMap<&str, Vec<&str>>| {
        let texts = |names: &Vec<&str>| names.iter().map(|name| (*name).to_owned()).collect();
        by.iter().map(|(symbol, names)| ((*symbol).to_owned(), texts(names))).collect()
    };
    let insufficient = found.iv_history_insufficient.iter().map(|name| (*name).to_owned());
    let earnings_known = rows.iter().filter(|row| row.next_earnings.is_some()).count() as u64;
    let meta = OverviewMeta {
        earnings_filtered: owned(&found.earnings_filtered),
        disqualified_filtered: owned(&found.disqualified_filtered),
        iv_history_insufficient: insufficient.collect(),
        earnings_known,
        notes: notes(rules, earnings_known),
    };
    let recommendations = found.recommendations.iter().map(recommended).collect();
    Ok(Overview {
        position: 0,
        which: None,
        date: String::new(),
        rules: used(rules),
        recommendations,
        rows,
        absent: Vec::new(),
        meta,
    })
}

fn notes(rules: &RuleSet, earnings_known: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if rules.ranks == Ranks::Tomic {
        let note = "ranks are TOMIC's (whole file, guessed scale); beyond 0 to 1 is no history";
        notes.push(note.to_owned());
    }
    if earnings_known == 0 {
        notes.push("no earnings to come are in the ledger, so none filtered anything".to_owned());
    }
    notes
}

/// What decides about history and order, on 0 to 1 as the pure part wants it.
fn plain_row(row: &OverviewRow, ranks: Ranks) -> pure::Row {
    let part = |percent: Option<f64>| percent.map(|percent| percent / 100.0);
    let (iv_rank, iv_percentile) = match ranks {
        Ranks::Tomic => (row.iv_rank, row.iv_percentile),
        Ranks::Windowed => (part(row.iv_rank_252), part(row.iv_percentile_252)),
    };
    pure::Row {
        symbol: row.symbol.clone(),
        spot: row.spot,
        iv: row.iv,
        hv20: row.hv20,
        hv30: row.hv30,
        hv90: row.hv90,
        hv252: row.hv252,
        iv_rank,
        iv_percentile,
        term_m1_m2: row.term_m1_m2,
        term_m1_m3: row.term_m1_m3,
        skew: row.skew,
        days_until_earnings: row.days_until_earnings,
    }
}

/// A row by the names of [`METRICS`].
fn metrics_of(row: &OverviewRow) -> Map<String, Value> {
    let Ok(Value::Object(known)) = serde_json::to_value(row) else { return Map::new() };
    let value = |name: &str| {
        let member = match name {
            "atm_iv" => "iv".to_owned(),
            "iv_vs_iv_ma20" => "iv_vs_ma20".to_owned(),
            // Members are in small letters, as SQL reads them.
            other => other.to_lowercase(),
        };
        known.get(&member).cloned().unwrap_or(Value::Null)
    };
    METRICS.iter().map(|(name, _)| ((*name).to_owned(), value(name))).collect()
}

fn used(set: &RuleSet) -> RulesUsed {
    RulesUsed {
        id: set.id.clone(),
        version: set.version,
        title: set.title.clone(),
        ranks: set.ranks.name(),
    }
}

/// Sets of rules, described.
pub fn described(sets: &[RuleSet]) -> RuleSets {
    let line = |set: &RuleSet| RuleSetLine {
        set: used(set),
        rules: set
            .rules
            .iter()
            .map(|rule| RuleLine {
                key: rule.key.clone(),
                strategy: rule.strategy.clone(),
                greeks: rule.greeks.clone(),
                min_days_until_earnings: rule.min_days_until_earnings,
                criteria: rule.criteria.clone(),
            })
            .collect(),
    };
    let metrics = METRICS.map(|(name, meaning)| MetricLine { name, meaning }).to_vec();
    RuleSets { sets: sets.iter().map(line).collect(), metrics }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_a_member_of_a_row() {
        let row = OverviewRow {
            symbol: "A".into(),
            iv: Some(0.5),
            iv_vs_ma20: Some(0.1),
            ..OverviewRow::default()
        };
        let known = serde_json::to_value(&row).unwrap();
        for (name, _) in METRICS {
            let own = matches!(name, "atm_iv" | "iv_vs_iv_ma20");
            assert!(own || known.get(name.to_lowercase()).is_some(), "{name}");
        }
        let metrics = metrics_of(&row);
        assert_eq!(
            (&metrics["atm_iv"], &metrics["iv_vs_iv_ma20"]),
            (&metrics["IV"], &metrics["iv_vs_ma20"])
        );
        assert_eq!(metrics["IV"], 0.5);
    }

    fn sample(symbol: &str, days: Option<i32>) -> OverviewRow {
        OverviewRow {
            symbol: symbol.into(),
            iv: Some(0.5),
            iv_rank: Some(0.6),
            iv_percentile: Some(0.7),
            skew: Some(1.0),
            iv_vs_hv20: Some(0.2),
            next_earnings: days.map(|_| "2025-01-01".into()),
            days_until_earnings: days,
            ..OverviewRow::default()
        }
    }

    /// The cases at the end of `tomic.md` 12.3 and 12.4, through the rules as they are shipped.
    #[test]
    fn the_shipped_rules_decide_as_the_specification_says() {
        let rules = RuleSet::bundled("tomic-compat").unwrap();
        let rows = vec![
            sample("FAR", Some(31)),
            sample("NEAR", Some(3)),
            sample("NONE", None),
            OverviewRow { iv_rank: Some(0.1), iv_vs_hv20: Some(-0.1), ..sample("LOW", None) },
            OverviewRow { iv_rank: None, ..sample("YOUNG", None) },
            OverviewRow { iv_vs_hv20: None, ..sample("NOHV", None) },
        ];
        let found = judged(rows, &rules).unwrap();
        let told: Vec<(&str, &str)> =
            found.recommendations.iter().map(|r| (r.row.symbol.as_str(), r.key.as_str())).collect();
        let both = ["atm_iron_butterfly", "iron_condor"];
        assert_eq!(
            told,
            [("FAR", both[0]), ("FAR", both[1]), ("NONE", both[0]), ("NONE", both[1])]
        );
        assert_eq!(found.meta.earnings_filtered["NEAR"], ["Iron Condor", "ATM Iron Butterfly"]);
        assert_eq!(found.meta.iv_history_insufficient, ["YOUNG"]);
        assert_eq!((found.meta.earnings_known, found.meta.notes.len()), (2, 1));
        let nothing = judged(Vec::new(), &rules).unwrap();
        assert!(nothing.recommendations.is_empty() && nothing.meta.notes.len() == 2);
    }
}
