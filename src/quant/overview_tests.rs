//! The overview against the cases of `tomic.md` 12 and the outputs at five dates.

use super::golden_tests::{json, list};
use super::overview::{Category, Row, Rule, overview, sort_rows};
use super::tomic::snapshot_value;
use crate::domain::shared;
use serde_json::Value as Json;

type Criterion = fn(&Row) -> bool;

/// The days before earnings that TOMIC's configuration keeps clear, by rule key (`tomic.md` 12.3).
fn min_days(key: &str) -> i32 {
    match key {
        "iron_condor" => 14,
        "atm_iron_butterfly" => 30,
        _ => 0,
    }
}

/// `name op bound`; a comparison with a missing metric is false.
fn at_least(row: &Row, name: &str, bound: f64) -> bool {
    row.metric(name).is_some_and(|value| value >= bound)
}

fn at_most(row: &Row, name: &str, bound: f64) -> bool {
    row.metric(name).is_some_and(|value| value <= bound)
}

fn rule(key: &str, strategy: &str, greeks: &str, criteria: &[Criterion]) -> Rule<Criterion> {
    Rule {
        key: key.into(),
        strategy: strategy.into(),
        greeks: greeks.into(),
        criteria: criteria.to_vec(),
        min_days_until_earnings: min_days(key),
    }
}

/// The rules of 12.4 that can match; the greeks are those of the expected outputs.
fn rules() -> Vec<Rule<Criterion>> {
    let premium: Criterion = |row| row.metric("iv_vs_hv20").is_some_and(|spread| spread > 0.0);
    let condor = "delta neutraal, theta positief, vega short, gamma short";
    let butterfly = "delta neutraal, theta sterk positief, vega short, gamma short";
    let calendar = "delta neutraal, theta positief rond ATM, vega long, gamma vlak tot licht long";
    vec![
        rule(
            "iron_condor",
            "Iron Condor",
            condor,
            &[
                |row| at_least(row, "iv_rank", 0.6),
                |row| at_least(row, "iv_percentile", 0.6),
                |row| at_most(row, "skew", 1.5),
                premium,
            ],
        ),
        rule(
            "atm_iron_butterfly",
            "ATM Iron Butterfly",
            butterfly,
            &[
                |row| at_least(row, "iv_rank", 0.6),
                |row| at_least(row, "iv_percentile", 0.7),
                |row| at_most(row, "skew", 2.0),
                premium,
            ],
        ),
        rule(
            "calendar",
            "Calendar",
            calendar,
            &[
                |row| at_most(row, "iv_rank", 0.4),
                |row| at_most(row, "iv_percentile", 0.4),
                |row| at_least(row, "term_m1_m2", 0.0),
            ],
        ),
        rule(
            "short_put_spread",
            "Short Put Spread",
            "vega short",
            &[|row| at_least(row, "iv_rank", 99.0)],
        ),
    ]
}

fn row(of: &Json) -> Row {
    let number = |name: &str| of[name].as_f64();
    Row {
        symbol: of["symbol"].as_str().unwrap().to_owned(),
        spot: number("spot"),
        iv: number("iv"),
        hv20: number("hv20"),
        hv30: number("hv30"),
        hv90: number("hv90"),
        hv252: number("hv252"),
        iv_rank: number("iv_rank"),
        iv_percentile: number("iv_percentile"),
        term_m1_m2: number("term_m1_m2"),
        term_m1_m3: number("term_m1_m3"),
        skew: number("skew"),
        days_until_earnings: of["days_until_earnings"].as_i64().map(|days| days as i32),
    }
}

#[test]
fn outputs_at_five_dates() {
    let Some(data) = shared::path("tomic") else { return };
    let cases = list(&data.join("expected/market_overview.json"));
    assert_eq!(cases.len(), 5);
    let rules = rules();
    let mut recommended = 0;
    for case in cases {
        let mut rows: Vec<Row> = case["rows"].as_array().unwrap().iter().map(row).collect();
        rows.reverse();
        sort_rows(&mut rows);
        let order: Vec<&str> = rows.iter().map(|row| row.symbol.as_str()).collect();
        assert_eq!(serde_json::json!(order), case["row_order"], "{}", case["as_of"]);
        let found = overview(&rows, &rules, |criterion, row| criterion(row), |_, _| true);
        let want = case["recommendations"].as_array().unwrap();
        assert_eq!(found.recommendations.len(), want.len(), "{}", case["as_of"]);
        for (got, want) in found.recommendations.iter().zip(want) {
            recommended += 1;
            assert_eq!(*got.row, row(want));
            assert_eq!(got.rule.strategy, want["strategy"].as_str().unwrap());
            assert_eq!(got.rule.greeks, want["greeks"].as_str().unwrap());
            assert_eq!(got.category.label(), want["category"].as_str().unwrap());
        }
        let meta = &case["meta"];
        assert_eq!(serde_json::json!(found.earnings_filtered), meta["earnings_filtered"]);
        assert_eq!(serde_json::json!(found.disqualified_filtered), meta["disqualified_filtered"]);
        let insufficient = serde_json::json!(found.iv_history_insufficient);
        assert_eq!(insufficient, meta["iv_history_insufficient"]);
    }
    assert_eq!(recommended, 8);
}

/// The rank and the percentile of a row are the stored ones of the latest record, as TOMIC reads
/// them.
#[test]
fn ranks_of_the_rows_are_read_from_the_stored_ones() {
    let Some(data) = shared::path("tomic") else { return };
    let mut compared = 0;
    for case in list(&data.join("expected/market_overview.json")) {
        for want in case["rows"].as_array().unwrap() {
            let symbol = want["symbol"].as_str().unwrap();
            let records = json(&data.join(format!("iv_daily_summary/{symbol}.json")));
            let records = records.as_array().unwrap().clone();
            let known = |record: &&Json| record["date"].as_str() <= case["as_of"].as_str();
            let record = records.iter().rfind(known).unwrap();
            for (name, iv, hv) in [
                ("iv_rank", "iv_rank (IV)", "iv_rank (HV)"),
                ("iv_percentile", "iv_percentile (IV)", "iv_percentile (HV)"),
            ] {
                let got = snapshot_value(record[iv].as_f64(), record[hv].as_f64());
                assert_eq!(got, want[name].as_f64(), "{symbol} {} {name}", case["as_of"]);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * (11 + 4 * 10));
}

fn sample() -> Row {
    Row {
        symbol: "XYZ".into(),
        iv: Some(0.5),
        hv20: Some(0.3),
        iv_rank: Some(0.6),
        iv_percentile: Some(0.7),
        skew: Some(1.0),
        ..Row::default()
    }
}

fn strategies(row: Row) -> Vec<String> {
    let (rows, rules) = ([row], rules());
    let found = overview(&rows, &rules, |criterion, row| criterion(row), |_, _| true);
    found.recommendations.iter().map(|got| got.rule.strategy.clone()).collect()
}

/// The cases at the end of 12.4, and those of 12.3.
#[test]
fn cases_of_the_specification() {
    assert_eq!(strategies(sample()), ["ATM Iron Butterfly", "Iron Condor"]);
    let low = Row { iv_rank: Some(0.1), hv20: Some(0.6), ..sample() };
    assert!(strategies(low).is_empty());
    assert!(strategies(Row { iv_rank: None, ..sample() }).is_empty());
    assert!(strategies(Row { hv20: None, ..sample() }).is_empty(), "none compares to nothing");

    let always: Vec<Rule<Criterion>> = vec![
        rule("iron_condor", "Iron Condor", "delta neutral, Vega Short", &[]),
        rule("short_put_spread", "Short Put Spread", "delta directional", &[]),
    ];
    let rows = [Row { days_until_earnings: Some(3), ..sample() }];
    let found = overview(&rows, &always, |criterion, row| criterion(row), |_, _| true);
    assert_eq!(found.earnings_filtered["XYZ"], ["Iron Condor"]);
    assert_eq!(found.recommendations.len(), 1);
    assert_eq!(found.recommendations[0].category, Category::DeltaDirectional);
    for days in [None, Some(14)] {
        let rows = [Row { days_until_earnings: days, ..sample() }];
        let found = overview(&rows, &always, |criterion, row| criterion(row), |_, _| true);
        assert!(found.earnings_filtered.is_empty());
        let order: Vec<_> = found.recommendations.iter().map(|got| got.category).collect();
        assert_eq!(order, [Category::VegaShort, Category::DeltaDirectional]);
    }
    let unfit = |_: &str, rule: &Rule<Criterion>| rule.key != "iron_condor";
    let rows = [sample()];
    let found = overview(&rows, &always, |criterion, row| criterion(row), unfit);
    assert_eq!(found.disqualified_filtered["XYZ"], ["Iron Condor"]);
    let nothing: [Rule<Criterion>; 0] = [];
    assert!(overview(&rows, &nothing, |c, row| c(row), |_, _| true).recommendations.is_empty());
}

#[test]
fn categories_of_texts() {
    for (text, want) in [
        ("VEGA LONG, vega short", Category::VegaLong),
        ("delta neutral, vega short", Category::VegaShort),
        ("delta negative", Category::DeltaDirectional),
        ("delta neutral", Category::DeltaNeutral),
        ("delta neutraal", Category::Other),
        ("", Category::Other),
    ] {
        assert_eq!(Category::of(text), want, "{text}");
    }
}
