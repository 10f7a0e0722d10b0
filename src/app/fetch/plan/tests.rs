use super::*;
use crate::domain::{Coverage, Digest, Fact};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn wish(what: What, symbols: &[&str], from: &str, to: &str) -> Wish {
    Wish {
        what,
        symbols: symbols.iter().map(|name| name.parse().unwrap()).collect(),
        from: day(from),
        to: day(to),
        timespan: "1minute".into(),
        source: Provider::Polygon,
        horizon: "3month".into(),
        base_path: String::new(),
        expiries: Vec::new(),
        refresh: false,
        again: false,
        grouped: Grouped::Auto,
        now_ms: eastern::instant(day("2025-11-14"), 12, 0).unwrap(),
    }
}

fn known(symbol: &str, from: &str, to: &str) -> CoverageMap {
    let mut map = CoverageMap::default();
    map.add(Coverage {
        series: Series::Spot,
        symbol: Some(symbol.parse().unwrap()),
        scope: String::new(),
        from: day(from),
        to: day(to),
        fact: Fact::Data,
        settled: day(to),
        observed_ms: 0,
        meaning: Digest::default(),
        text: String::new(),
    });
    map
}

fn targets(wish: &Wish, coverage: &CoverageMap) -> Vec<String> {
    let plan = plan(wish, coverage, Calendar::nyse());
    plan.questions.into_iter().map(|question| question.target).collect()
}

#[test]
fn years_of_days_are_one_request_and_a_covered_middle_makes_two() {
    let wish = wish(What::Spot, &["AAPL"], "2020-01-01", "2025-11-13");
    let whole = targets(&wish, &CoverageMap::default());
    let path = "/v2/aggs/ticker/AAPL/range/1/day";
    let rest = "?adjusted=true&limit=50000&sort=asc";
    assert_eq!(whole, [format!("{path}/2020-01-02/2025-11-13{rest}")]);
    let known = known("AAPL", "2022-01-03", "2024-12-31");
    let around = targets(&wish, &known);
    let want = ["2020-01-02/2021-12-31", "2025-01-02/2025-11-13"];
    assert_eq!(around, want.map(|range| format!("{path}/{range}{rest}")));
    let refresh = Wish { refresh: true, ..wish };
    assert_eq!(targets(&refresh, &known), whole);
}

#[test]
fn one_day_of_many_symbols_is_asked_for_all_at_once() {
    let names = ["A", "B", "C", "D"];
    let grouped = "/v2/aggs/grouped/locale/us/market/stocks/2025-11-13?adjusted=true";
    let one = wish(What::Spot, &names, "2025-11-13", "2025-11-13");
    assert_eq!(targets(&one, &CoverageMap::default()), [grouped]);
    let week = wish(What::Spot, &names, "2025-11-10", "2025-11-14");
    assert_eq!(targets(&week, &CoverageMap::default()).len(), 4);
    let always = Wish { grouped: Grouped::Always, ..week };
    assert_eq!(targets(&always, &CoverageMap::default()).len(), 5);
    // Indices and options are in no grouped answer.
    let index = wish(What::Spot, &["A", "B", "I:VIX"], "2025-11-13", "2025-11-13");
    assert_eq!(targets(&index, &CoverageMap::default()).len(), 3);
}

#[test]
fn minutes_come_in_parts_that_fit_one_answer() {
    let year = wish(What::Bars, &["SPY"], "2024-01-01", "2024-12-31");
    let parts = targets(&year, &CoverageMap::default());
    assert_eq!(parts.len(), 6); // 252 sessions, 45 each; D15: the original made 365
    assert!(parts[0].contains("/range/1/minute/2024-01-02/2024-03-06?"), "{}", parts[0]);
}

#[test]
fn contracts_of_the_past_are_asked_on_both_sides() {
    let past = wish(What::Contracts, &["QQQ"], "2025-05-15", "2025-05-15");
    let both = targets(&past, &CoverageMap::default());
    assert_eq!(both.len(), 2);
    // D2: a past expiry is found only when `expired` is sent.
    assert!(both[0].contains("expired=false") && both[1].contains("expired=true"));
    let today = wish(What::Contracts, &["QQQ"], "2025-11-14", "2025-11-14");
    assert_eq!(targets(&today, &CoverageMap::default()).len(), 1);
}

#[test]
fn a_snapshot_belongs_to_the_session_that_runs_or_ran() {
    let at = |day_text, hour| {
        let now = eastern::instant(day(day_text), hour, 0).unwrap();
        session_at(now, Calendar::nyse()).to_string()
    };
    assert_eq!(at("2025-11-14", 12), "2025-11-14");
    assert_eq!(at("2025-11-14", 8), "2025-11-13");
    assert_eq!(at("2025-11-16", 12), "2025-11-14"); // a Sunday
    assert_eq!(at("2025-11-27", 12), "2025-11-26"); // Thanksgiving
}
