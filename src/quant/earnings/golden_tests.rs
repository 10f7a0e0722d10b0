//! The functions against every vector of `vectors_ivcrush`, to the tolerance of its README.

use super::liquidity::{Market as Quote, Tier as Liquidity};
use super::moves::{Bar, Market, Timing};
use super::skew::{self, Point};
use super::straddle::{Chain, ImpliedMove, Method, NoMove, bounds};
use super::vrp::{History, Tiers};
use super::{consistency, expiration, score, term};
use crate::domain::{Calendar, Day, float, shared};
use crate::quant::golden_tests::{day, list, table};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// 1e-9 relative, 1e-9 absolute near zero; the expected numbers have 12 digits.
fn close(found: f64, want: f64, what: &str) {
    let room = 1e-9 * want.abs().max(1.0);
    assert!((found - want).abs() <= room, "{what}: {found}, expected {want}");
}

fn number(value: &Json) -> f64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn exact(value: &Json) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

/// The cells of a table whose last column may hold commas.
type Row = BTreeMap<String, String>;

fn cell<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).map(String::as_str).unwrap_or_else(|| panic!("no column {name}"))
}

fn chain(given: &Json) -> Chain {
    let mut chain = Chain { spot: exact(&given["stock_price"]), ..Chain::default() };
    for quote in given["quotes"].as_array().unwrap() {
        let side = match quote["right"].as_str().unwrap() {
            "C" => &mut chain.calls,
            _ => &mut chain.puts,
        };
        let market = Quote {
            bid: exact(&quote["bid"]),
            ask: exact(&quote["ask"]),
            iv: quote["iv_pct"].as_f64(),
            open_interest: quote["open_interest"].as_u64().unwrap(),
        };
        side.insert(exact(&quote["strike"]), market);
    }
    chain
}

fn same_move(chain: &Chain, found: Result<ImpliedMove, NoMove>, want: &Json, what: &str) {
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            assert_eq!(Json::from(why.code()), want["error"], "{what}");
            assert_eq!(Json::from(why.reason()), want["reason"], "{what}");
            return;
        }
    };
    assert!(want["error"].is_null(), "{what}: {found:?}");
    assert_eq!(found.reference_strike, exact(&want["reference_strike"]), "{what}");
    close(found.straddle, number(&want["straddle"]), what);
    close(found.implied_move * 100.0, number(&want["implied_move_pct"]), what);
    let (lower, upper) = bounds(found.straddle, float(chain.spot));
    close(upper, number(&want["upper_bound"]), what);
    close(lower, number(&want["lower_bound"]), what);
    assert_eq!(found.method.name(), want["method"].as_str().unwrap(), "{what}");
    assert_eq!(found.avg_iv.is_none(), want["avg_iv_pct"].is_null(), "{what}");
    if let Some(iv) = found.avg_iv {
        close(iv, number(&want["avg_iv_pct"]), what);
    }
    if let Method::Interpolated(bracket) | Method::SingleBracket(bracket) = found.method {
        assert_eq!(bracket.lower, exact(&want["lower_strike"]), "{what}");
        assert_eq!(bracket.upper, exact(&want["upper_strike"]), "{what}");
        close(bracket.weight, number(&want["weight"]), what);
    }
}

#[test]
fn implied_moves() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let (given, wanted) =
        (list(&data.join("chains.json")), list(&data.join("implied_move_expected.json")));
    assert_eq!((given.len(), wanted.len()), (12, 12));
    for (given, want) in given.iter().zip(&wanted) {
        assert_eq!(given["id"], want["id"]);
        let (chain, what) = (chain(given), given["id"].to_string());
        same_move(&chain, chain.nearest(), &want["nearest"], &format!("{what} nearest"));
        same_move(
            &chain,
            chain.interpolated(),
            &want["interpolated"],
            &format!("{what} interpolated"),
        );
    }
}

#[test]
fn ratios_and_tiers() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let rows = table(&data.join("vrp_cases.csv"));
    assert_eq!(rows.len(), 13);
    let tiers = |excellent, good, marginal| Tiers { excellent, good, marginal };
    let sets = [
        ("tier_seed", tiers(2.0, 1.5, 1.2)),
        ("tier_balanced", tiers(1.8, 1.4, 1.2)),
        ("tier_aggressive", tiers(1.5, 1.3, 1.1)),
        ("tier_legacy", tiers(7.0, 4.0, 1.5)),
    ];
    for row in &rows {
        let get = |name: &str| cell(row, name);
        let number = |name: &str| get(name).parse::<f64>().unwrap();
        let what = get("case");
        let moves: Vec<f64> =
            get("signed_moves_pct").split(';').map(|of| of.parse().unwrap()).collect();
        let history = match History::of(&moves, 4) {
            Ok(history) => history,
            Err(why) => {
                assert_eq!(why.code(), get("error"), "{what}");
                continue;
            }
        };
        assert_eq!(get("error"), "", "{what}");
        let implied = number("implied_move_pct");
        close(history.mean, number("mean_abs"), what);
        close(history.median, number("median_abs"), what);
        close(history.mad, number("mad"), what);
        close(history.consistency_factor(), number("consistency_factor"), what);
        close(history.ratio(implied), number("vrp_ratio"), what);
        close(history.edge(implied), number("edge_score"), what);
        for (name, set) in sets {
            assert_eq!(set.of(history.ratio(implied)).name(), get(name), "{what} {name}");
        }
    }
}

#[test]
fn steadiness() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let cases = list(&data.join("consistency.json"));
    assert_eq!(cases.len(), 5);
    for case in &cases {
        let moves = case["signed_moves_pct_newest_first"].as_array().unwrap();
        let moves: Vec<f64> = moves.iter().map(number).collect();
        let (want, what) = (&case["expected"], case["id"].to_string());
        let same = |found: f64, name: &str| {
            close(found, number(&want[name]), &format!("{what} {name}"));
        };
        let history = History::of(&moves, 4).unwrap();
        assert_eq!(Json::from(history.n), want["n"]);
        same(history.mean, "mean");
        same(history.median, "median");
        same(history.mad, "mad");
        same(history.consistency_factor() * 100.0, "mad_pct");
        same(consistency::by_median(&history).unwrap(), "mad_consistency");
        same(history.std, "population_std");
        same(history.cv(), "cv");
        same(history.max, "max");
        same(history.min, "min");
        let (ratio, level) = history.tail_risk();
        same(ratio, "tail_risk_ratio");
        assert_eq!(want["tail_risk_level"], level);
        let decay = number(&case["decay"]);
        assert_eq!(decay, consistency::DECAY);
        let found = consistency::weighted(&moves, decay, 4).unwrap();
        same(found.mean, "weighted_mean");
        same(found.std, "std_about_weighted_mean");
        same(found.weighted_std, "weighted_std_unbiased");
        same(found.score, "ew_consistency_score");
        same(found.slope, "trend_slope");
        assert_eq!(want["trend"], found.trend.name(), "{what}");
        same(found.trust, "trustworthiness");
        same(found.recent_bias, "recent_bias_pct");
    }
}

#[test]
fn smiles() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let cases = list(&data.join("skew_fit.json"));
    assert_eq!(cases.len(), 3);
    for case in &cases {
        let what = case["id"].to_string();
        let spot = number(&case["stock_price"]);
        let points = case["points"].as_array().unwrap().iter().filter_map(|point| {
            let liquid = |name: &str| point[name].as_bool().unwrap();
            let (call_iv, put_iv) = (point["call_iv_pct"].as_f64()?, point["put_iv_pct"].as_f64()?);
            let x = (number(&point["strike"]) - spot) / spot;
            (liquid("call_liquid") && liquid("put_liquid")).then_some(Point { x, call_iv, put_iv })
        });
        let points: Vec<Point> = points.collect();
        let want = &case["expected"]["parity_skew"];
        let same = |found: f64, want: &Json, name: &str| {
            close(found, number(&want[name]), &format!("{what} {name}"));
        };
        match skew::parity(&points) {
            None => assert_eq!(want["error"], "NODATA", "{what}"),
            Some(found) => {
                assert_eq!(Json::from(found.n), want["num_points"], "{what}");
                let used = points.iter().filter(|point| skew::in_parity(point.x));
                let used: Vec<f64> = used.map(|point| spot * (1.0 + point.x)).collect();
                let strikes = want["strikes_used"].as_array().unwrap();
                assert_eq!(used.len(), strikes.len(), "{what}");
                for (used, strike) in used.iter().zip(strikes) {
                    close(*used, number(strike), &what);
                }
                same(found.curvature / 2.0, want, "a");
                same(found.slope, want, "b");
                same(found.skew_atm, want, "c");
                same(found.r_squared, want, "r_squared");
                same(found.skew_atm, want, "skew_atm_pct");
                same(found.curvature, want, "curvature");
                same(found.confidence, want, "bias_confidence");
                let words = [found.shape, found.raw_bias, found.bias];
                for (word, name) in words.iter().zip(["shape", "raw_bias", "directional_bias"]) {
                    assert_eq!(want[name], *word, "{what} {name}");
                }
            }
        }
        let (want, found) = (&case["expected"]["otm_smile"], skew::smile(&points).unwrap());
        assert_eq!(Json::from(found.n), want["num_points"], "{what}");
        same(found.atm_iv, want, "atm_iv_pct");
        same(found.slope, want, "slope");
        same(found.curvature, want, "curvature");
        same(found.r_squared, want, "r_squared");
        same(found.iv_90_minus_110, want, "iv_90_minus_110_pct");
    }
}

#[test]
fn term_structures() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let cases = list(&data.join("term_structure.json"));
    assert_eq!(cases.len(), 2);
    for case in &cases {
        let (want, what) = (&case["expected"], case["id"].to_string());
        let points = case["points"].as_array().unwrap().iter().map(|point| term::Point {
            expiration: day(&point["expiration"]),
            atm_iv: number(&point["atm_iv_pct"]),
        });
        let points: Vec<term::Point> = points.collect();
        let found = term::structure(day(&case["as_of"]), &points).unwrap();
        close(found.slope, number(&want["slope_pct_per_30d"]), &what);
        close(found.front_minus_back, number(&want["front_minus_back_pct"]), &what);
        assert_eq!(want["state"], found.state, "{what}");
        let forwards = want["forwards"].as_array().unwrap();
        assert_eq!(found.forwards.len(), forwards.len(), "{what}");
        for (found, want) in found.forwards.iter().zip(forwards) {
            assert_eq!((found.from, found.to), (day(&want["from"]), day(&want["to"])));
            assert_eq!(want["negative_forward_variance"], found.iv.is_none(), "{what}");
            close(found.iv.unwrap(), number(&want["forward_iv_pct"]), &what);
        }
    }
}

#[test]
fn moves_of_made_up_bars() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let rows = table(&data.join("moves_bars.csv"));
    let bars = rows.iter().map(|row| {
        let number = |name: &str| cell(row, name).parse::<f64>().unwrap();
        Bar {
            day: cell(row, "date").parse().unwrap(),
            open: Some(number("open")),
            high: Some(number("high")),
            low: Some(number("low")),
            close: number("close"),
            volume: Some(number("volume")),
        }
    });
    let bars: Vec<Bar> = bars.collect();
    assert_eq!(bars.len(), 175);
    let events = table(&data.join("moves_expected.csv"));
    assert_eq!(events.len(), 12);
    for event in &events {
        same_reaction(event, &bars);
    }
}

fn same_reaction(event: &Row, bars: &[Bar]) {
    let get = |name: &str| cell(event, name);
    let number = |name: &str| get(name).parse::<f64>().unwrap();
    let what = get("event");
    let withheld: Vec<Day> = get("bars_withheld")
        .split(';')
        .filter(|day| !day.is_empty())
        .map(|day| day.parse().unwrap())
        .collect();
    let bars: Vec<Bar> = bars.iter().filter(|bar| !withheld.contains(&bar.day)).copied().collect();
    let market = Market { calendar: Calendar::nyse(), bars: &bars };
    let found =
        market.reaction(get("announcement_date").parse().unwrap(), Timing::of(get("timing")));
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            assert_eq!((why.status(), why.reason()), (get("status"), get("reason")), "{what}");
            return;
        }
    };
    assert_eq!(get("status"), "OK", "{what}");
    assert_eq!(found.sessions.inferred, get("reason") == "inferred", "{what}");
    assert_eq!(found.sessions.timing.name(), get("effective_timing"), "{what}");
    assert_eq!(found.sessions.reference.to_string(), get("reference_session"), "{what}");
    assert_eq!(found.sessions.reaction.to_string(), get("reaction_session"), "{what}");
    close(found.reference_close, number("reference_close"), what);
    for (found, name) in [
        (found.bar.open, "open"),
        (found.bar.high, "high"),
        (found.bar.low, "low"),
        (Some(found.bar.close), "close"),
        (found.gap.map(|of| of * 100.0), "gap_move_pct"),
        (found.intraday.map(|of| of * 100.0), "intraday_move_pct"),
        (Some(found.close * 100.0), "close_move_pct"),
        (found.volume_before, "volume_before"),
        (found.bar.volume, "volume_reaction"),
    ] {
        close(found.unwrap(), number(name), &format!("{what} {name}"));
    }
}

/// 119 real events with their bars, and the 513 whose closes a second source has.
#[test]
fn moves_of_real_bars() {
    let Some(data) = shared::path("ivcrush") else { return };
    let mut bars: BTreeMap<(String, String), Vec<Bar>> = BTreeMap::new();
    for row in &table(&data.join("event_bars_ohlc.csv")) {
        let number = |name: &str| Some(cell(row, name).parse::<f64>().unwrap());
        let bar = Bar {
            day: cell(row, "date").parse().unwrap(),
            open: number("open"),
            high: number("high"),
            low: number("low"),
            close: number("close").unwrap(),
            volume: number("volume"),
        };
        let event = (cell(row, "ticker").to_owned(), cell(row, "earnings_date").to_owned());
        bars.entry(event).or_default().push(bar);
    }
    let events = table(&data.join("event_moves_expected.csv"));
    assert_eq!((events.len(), bars.len()), (119, 119));
    for row in &events {
        let get = |name: &str| cell(row, name);
        let what = format!("{} {}", get("ticker"), get("earnings_date"));
        let of_event = &bars[&(get("ticker").to_owned(), get("earnings_date").to_owned())];
        let market = Market { calendar: Calendar::nyse(), bars: of_event };
        let announced = get("earnings_date").parse().unwrap();
        let found = market.reaction(announced, Timing::of(get("timing"))).unwrap();
        assert_eq!(found.sessions.reference.to_string(), get("reference_session"), "{what}");
        assert_eq!(found.sessions.reaction.to_string(), get("reaction_session"), "{what}");
        for (found, name) in [
            (Some(found.reference_close), "reference_close"),
            (found.gap.map(|of| of * 100.0), "gap_move_pct"),
            (found.intraday.map(|of| of * 100.0), "intraday_move_pct"),
            (Some(found.close * 100.0), "close_move_pct"),
        ] {
            close(found.unwrap(), get(name).parse().unwrap(), &format!("{what} {name}"));
        }
    }
}

#[test]
fn liquidity_tiers() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let rows = table(&data.join("liquidity.csv"));
    assert_eq!(rows.len(), 16);
    for row in &rows {
        let get = |name: &str| cell(row, name);
        let quote = Quote {
            bid: get("bid").parse().unwrap(),
            ask: get("ask").parse().unwrap(),
            iv: None,
            open_interest: get("open_interest").parse().unwrap(),
        };
        let what = get("quote");
        let spread: f64 = quote.spread_percent().to_string().parse().unwrap();
        close(spread, get("spread_pct_of_mid").parse().unwrap(), what);
        assert_eq!(quote.passes_seed_filter(), get("seed_filter") == "PASS", "{what}");
        assert_eq!(quote.tier().name(), get("tier_4"), "{what}");
        assert_eq!(quote.is_basic_liquid().to_string(), get("basic_liquid"), "{what}");
    }
}

#[test]
fn expirations() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let (rows, calendar) = (table(&data.join("expirations.csv")), Calendar::nyse());
    assert_eq!(rows.len(), 12);
    for row in &rows {
        let get = |name: &str| cell(row, name);
        let announced: Day = get("announcement_date").parse().unwrap();
        let target = expiration::first_session_after(calendar, announced);
        assert_eq!(target.to_string(), get("implied_move_target"), "{announced}");
        let friday = expiration::friday_of(announced);
        assert_eq!(friday.to_string(), get("friday_rule_raw"), "{announced}");
        assert_eq!(calendar.is_open(friday).to_string(), get("raw_is_session"), "{announced}");
        let chosen = expiration::to_trade(calendar, announced);
        assert_eq!(chosen.to_string(), get("trading_expiration"), "{announced}");
        assert_eq!((chosen.0 - announced.0).to_string(), get("calendar_dte"), "{announced}");
        let listed = [announced, Day(target.0 + 9), target];
        assert_eq!(expiration::for_implied_move(calendar, announced, &listed), Some(target));
        assert_eq!(expiration::for_implied_move(calendar, announced, &[announced]), None);
    }
}

#[test]
fn scan_scores() {
    let Some(data) = shared::path("vectors_ivcrush") else { return };
    let rows = table(&data.join("scan_score.csv"));
    assert_eq!(rows.len(), 7);
    for row in &rows {
        let get = |name: &str| cell(row, name);
        let tiers = [Liquidity::Reject, Liquidity::Warning, Liquidity::Good, Liquidity::Excellent];
        let tier = tiers.into_iter().find(|tier| tier.name() == get("liquidity_tier"));
        let implied = get("implied_move_pct").parse().ok();
        let found = score::score(get("vrp_ratio").parse().unwrap(), implied, tier);
        close(found, get("score_capped_ours").parse().unwrap(), get("case"));
    }
}
