//! Ranks, percentiles, averages and distances: against the vectors and TOMIC's own files, against
//! a slow form that follows the words of the specification, and that nothing looks ahead.

use super::golden_tests::{closes, day, json, list};
use super::moving::{
    BANDS, changes, is_compressed, is_expanded, is_high, iv_ma20, iv_mean_21, iv_vs_iv_ma20,
    mean_before, mean_including, spread,
};
use super::rank::{
    Definition, ENTRY_LOOKBACK, ENTRY_MINIMUM, ONE_YEAR, Standing, TWO_YEARS, entry_rank, valid,
    windowed, windowed_at,
};
use super::tomic::{Scale, hv_standing, iv_standing, iv_standings, rolling_hv};
use crate::domain::{Day, shared};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::path::Path;

/// Days, implied volatilities and records of a symbol's file, oldest first.
fn iv_file(data: &Path, symbol: &str) -> (Vec<Day>, Vec<Option<f64>>, Vec<Json>) {
    let records = list(&data.join(format!("iv_daily_summary/{symbol}.json")));
    let days = records.iter().map(|record| day(&record["date"])).collect();
    let values = records.iter().map(|record| record["atm_iv"].as_f64()).collect();
    (days, values, records)
}

/// `None` where the vector has null; else within what rounding to 9 decimals leaves.
fn same(got: Option<f64>, want: &Json, what: &str) {
    match (got, want.as_f64()) {
        (None, None) => assert!(want.is_null(), "{what}: {want}"),
        (Some(got), Some(want)) => assert!((got - want).abs() < 1e-9, "{what}: {got} {want}"),
        (got, _) => panic!("{what}: {got:?} {want}"),
    }
}

#[test]
fn windowed_vectors() {
    let Some(data) = shared::path("tomic") else { return };
    let vectors = json(&data.join("expected/iv_metrics.json"));
    let vectors = vectors["windowed"].as_array().unwrap();
    assert_eq!(vectors.len(), 16);
    for vector in vectors {
        let what = format!("{} {}", vector["symbol"], vector["date"]);
        let symbol = vector["symbol"].as_str().unwrap();
        let (days, series, _) = iv_file(&data, symbol);
        let at = days.binary_search(&day(&vector["date"])).unwrap();
        same(series[at], &vector["atm_iv"], &what);
        let before = series[..at].iter().filter(|value| valid(**value).is_some()).count();
        assert_eq!(before as u64, vector["valid_history_before"].as_u64().unwrap(), "{what}");
        let mut long = None;
        for (definition, name) in [(ONE_YEAR, "252"), (TWO_YEARS, "504")] {
            let found = windowed(&series, definition)[at];
            assert_eq!(windowed_at(&series, at, definition), Some(found), "{what}");
            same(found.percentile, &vector[format!("iv_percentile_{name}")], &what);
            same(found.rank, &vector[format!("iv_rank_{name}")], &what);
            let window = &vector[format!("window_{name}")];
            assert_eq!(found.n as u64, window["n_prev"].as_u64().unwrap(), "{what}");
            same(found.range.map(|range| range.0), &window["lo"], &what);
            same(found.range.map(|range| range.1), &window["hi"], &what);
            if found.percentile.is_some() {
                assert_eq!(found.below as u64, window["below"].as_u64().unwrap(), "{what}");
            }
            long = found.percentile;
        }
        same(iv_ma20(&series)[at], &vector["iv_ma20"], &what);
        let distance = iv_vs_iv_ma20(&series)[at];
        same(distance, &vector["iv_vs_iv_ma20"], &what);
        same(iv_mean_21(&series)[at], &vector["iv_mean_21_before"], &what);
        // MARA has no file of volatilities at all, CVX none of that day.
        let path = data.join(format!("historical_volatility/{symbol}.json"));
        let records = if path.is_file() { list(&path) } else { Vec::new() };
        let hv = records.iter().find(|record| record["date"] == vector["date"]);
        for name in ["20", "90"] {
            let hv = hv.and_then(|record| record[format!("hv{name}")].as_f64());
            same(spread(series[at], hv), &vector[format!("iv_vs_hv{name}")], &what);
        }
        for (flag, name) in [
            (is_high(long), "high_iv_2y"),
            (is_compressed(distance, BANDS), "iv_compressed"),
            (is_expanded(distance, BANDS), "iv_expanded"),
        ] {
            assert_eq!(serde_json::json!(flag), vector[name], "{what} {name}");
        }
    }
}

#[test]
fn whole_file_vectors() {
    let Some(data) = shared::path("tomic") else { return };
    let vectors = json(&data.join("expected/iv_metrics.json"));
    let vectors = vectors["tomic_formula"].as_array().unwrap();
    assert_eq!(vectors.len(), 7);
    for vector in vectors {
        let what = format!("{} {}", vector["symbol"], vector["date"]);
        let (days, series, records) = iv_file(&data, vector["symbol"].as_str().unwrap());
        let at = days.binary_search(&day(&vector["date"])).unwrap();
        same(series[at], &vector["atm_iv"], &what);
        let found = iv_standing(&series, at, Scale::Daily).unwrap();
        assert_eq!(iv_standings(&series, Scale::Daily)[at], Some(found), "{what}");
        assert_eq!(found.n as u64, vector["series_n"].as_u64().unwrap(), "{what}");
        assert_eq!(found.below as u64, vector["below"].as_u64().unwrap(), "{what}");
        same(Some(found.low), &vector["series_lo"], &what);
        same(Some(found.high), &vector["series_hi"], &what);
        same(found.rank, &vector["rank_recomputed"], &what);
        same(Some(found.percentile), &vector["percentile_recomputed"], &what);
        for (name, stored) in vector["stored"].as_object().unwrap() {
            same(stored.as_f64(), &records[at][name], &what);
        }
    }
}

/// How many of the ranks in the files follow from the files of today. The others were computed
/// when the file was shorter.
#[test]
fn stored_ranks_that_follow_from_the_whole_file() {
    let Some(data) = shared::path("tomic") else { return };
    let (mut stored_ranks, mut reproduced) = (0, 0);
    for entry in std::fs::read_dir(data.join("iv_daily_summary")).unwrap() {
        let path = entry.unwrap().path();
        if std::fs::metadata(&path).unwrap().len() == 0 {
            continue;
        }
        let (_, series, records) = iv_file(&data, path.file_stem().unwrap().to_str().unwrap());
        let daily = iv_standings(&series, Scale::Daily);
        let again = iv_standings(&series, Scale::Recalculation);
        for (at, record) in records.iter().enumerate() {
            let Some(stored) = record["iv_rank (IV)"].as_f64() else { continue };
            stored_ranks += 1;
            let is = |found: &[Option<super::tomic::FileStanding>]| {
                let rank = found[at].and_then(|found| found.rank);
                rank.is_some_and(|rank| (rank - stored).abs() < 1e-9)
            };
            reproduced += u32::from(is(&daily) || is(&again));
        }
    }
    assert_eq!((stored_ranks, reproduced), (6_141, 5_939));
}

/// The examples with the legacy series in 7.2.
#[test]
fn legacy_ranks_of_the_worked_examples() {
    let Some(data) = shared::path("tomic") else { return };
    let (_, prices) = closes(&data, "AAPL");
    let rolling = rolling_hv(&prices);
    let first = hv_standing(&rolling, 0.33031).unwrap();
    assert_eq!((first.n, first.below), (1267, 1063));
    assert!((first.low - 12.630612649744513).abs() < 1e-9, "{first:?}");
    assert!((first.high - 69.7326341384446).abs() < 1e-9, "{first:?}");
    assert!((first.rank.unwrap() - 35.726208667222956).abs() < 1e-9, "{first:?}");
    assert!((first.percentile - 83.899).abs() < 5e-4);
    let second = hv_standing(&rolling, 0.22707).unwrap();
    assert!((second.rank.unwrap() - 17.646).abs() < 5e-4, "{second:?}");
    assert!((second.percentile - 41.12).abs() < 5e-3, "{second:?}");
}

#[test]
fn entry_rank_vectors() {
    let Some(path) = shared::path("vectors_platform/iv_rank.json") else { return };
    let cases = list(&path);
    assert_eq!(cases.len(), 7);
    for case in cases {
        let what = case["id"].to_string();
        let series = case["series_oldest_first"].as_array().unwrap();
        let series: Vec<Option<f64>> = series.iter().map(Json::as_f64).collect();
        let count = |name: &str| case[name].as_u64().unwrap() as usize;
        let (lookback, minimum) = (count("lookback"), count("min_observations"));
        assert_eq!((lookback, minimum), (ENTRY_LOOKBACK, ENTRY_MINIMUM));
        let found = entry_rank(&series, case["current"].as_f64().unwrap(), lookback, minimum);
        let want = &case["expected"];
        let Some(found) = found else {
            assert_eq!(want["error"], "NODATA", "{what}");
            continue;
        };
        assert!(want["error"].is_null(), "{what}");
        assert_eq!(found.observations as u64, want["observations"].as_u64().unwrap(), "{what}");
        same(Some(found.high), &want["high"], &what);
        same(Some(found.low), &want["low"], &what);
        same(Some(found.raw), &want["iv_rank_raw"], &what);
        same(Some(found.rank), &want["iv_rank"], &what);
        same(Some(found.percentile), &want["iv_percentile"], &what);
    }
}

/// Every day of the real files, by the series and alone.
#[test]
fn whole_histories_agree_with_single_days() {
    let Some(data) = shared::path("tomic") else { return };
    for symbol in ["ABBV", "MARA", "SMCI", "CRCL"] {
        let (_, series, _) = iv_file(&data, symbol);
        for definition in [ONE_YEAR, TWO_YEARS] {
            for (at, found) in windowed(&series, definition).into_iter().enumerate() {
                assert_eq!(windowed_at(&series, at, definition), Some(found), "{symbol} {at}");
            }
        }
    }
}

/// 7.4 word by word, over the values before a day and the day's own.
fn naive(series: &[Option<f64>], at: usize, definition: Definition) -> Standing {
    let Definition { window, minimum } = definition;
    let mut values: Vec<f64> = series[..at].iter().filter_map(|value| valid(*value)).collect();
    let past = values[values.len().saturating_sub(window)..].to_vec();
    let n = past.len();
    let Some(x) = valid(series[at]) else { return Standing { n, ..Standing::default() } };
    let below = past.iter().filter(|value| **value < x).count();
    if n == 0 || n < minimum {
        return Standing { n, below, ..Standing::default() };
    }
    values.push(x);
    values.drain(..values.len().saturating_sub(window));
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[0], values[values.len() - 1]);
    let rank = (high != low).then(|| (x - low) / (high - low) * 100.0);
    let percentile = Some(100.0 * below as f64 / n as f64);
    Standing { n, below, percentile, rank, range: Some((low, high)) }
}

/// Values of few sizes, so that ties occur, among all that is no observation.
fn entry() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        6 => (1u8..30).prop_map(|step| Some(f64::from(step) / 20.0)),
        3 => (1e-6f64..5.0).prop_map(Some),
        1 => Just(None),
        1 => prop::sample::select(vec![0.0, -0.0, -0.3, f64::NAN, f64::INFINITY]).prop_map(Some),
    ]
}

fn history(most: usize) -> impl Strategy<Value = Vec<Option<f64>>> {
    prop::collection::vec(entry(), 0..most)
}

fn definition() -> impl Strategy<Value = Definition> {
    let small = (1usize..25, 0usize..25);
    prop_oneof![
        small.prop_map(|(window, minimum)| Definition { window, minimum }),
        Just(ONE_YEAR),
        Just(TWO_YEARS),
    ]
}

/// All that the windowed metrics say of the first `days` days.
fn everything(series: &[Option<f64>], definition: Definition, days: usize) -> String {
    let cut = |values: Vec<Option<f64>>| values[..days].to_vec();
    let standings = windowed(series, definition)[..days].to_vec();
    let averages = [iv_ma20(series), iv_mean_21(series), iv_vs_iv_ma20(series)].map(cut);
    let short = [mean_including(series, 3), mean_before(series, 3)].map(cut);
    let changes = [1, 5, 20].map(|steps| changes(series, steps)[..days].to_vec());
    format!("{standings:?} {averages:?} {short:?} {changes:?}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_sorted_window_says_what_the_slow_form_says(
        series in history(120),
        definition in definition(),
    ) {
        let all = windowed(&series, definition);
        prop_assert_eq!(all.len(), series.len());
        for (at, found) in all.into_iter().enumerate() {
            prop_assert_eq!(found, naive(&series, at, definition));
            prop_assert_eq!(windowed_at(&series, at, definition), Some(found));
            for share in [found.rank, found.percentile].into_iter().flatten() {
                prop_assert!((0.0..=100.0).contains(&share));
            }
        }
    }

    /// Days after D may come, go and change: nothing said of D and before it moves.
    #[test]
    fn nothing_looks_ahead(
        upto in history(80),
        after in history(60),
        instead in history(60),
        definition in definition(),
    ) {
        let days = upto.len();
        let known = everything(&upto, definition, days);
        for later in [after, instead] {
            let series = [upto.clone(), later].concat();
            prop_assert_eq!(&everything(&series, definition, days), &known);
            for at in 0..days {
                let alone = windowed_at(&series, at, definition);
                prop_assert_eq!(alone, windowed_at(&upto, at, definition));
            }
        }
    }

    #[test]
    fn averages_and_changes_say_what_their_words_say(series in history(80), count in 1usize..8) {
        let (including, before) = (mean_including(&series, count), mean_before(&series, count));
        let changed = changes(&series, count);
        for at in 0..series.len() {
            let past: Vec<f64> = series[..at].iter().filter_map(|value| valid(*value)).collect();
            let mean = |values: &[f64]| {
                let last = &values[values.len().checked_sub(count)?..];
                Some(last.iter().sum::<f64>() / count as f64)
            };
            prop_assert_eq!(before[at], mean(&past));
            let Some(x) = valid(series[at]) else {
                prop_assert_eq!((including[at], changed[at]), (None, None));
                continue;
            };
            prop_assert_eq!(including[at], mean(&[past.clone(), vec![x]].concat()));
            let earlier = past.len().checked_sub(count).map(|index| past[index]);
            prop_assert_eq!(changed[at].map(|change| change.absolute), earlier.map(|p| x - p));
            prop_assert_eq!(changed[at].map(|change| change.relative), earlier.map(|p| x / p - 1.0));
        }
    }

    /// One sort for a whole file says what a look at all other records says.
    #[test]
    fn tomics_file_at_once_and_record_by_record(series in history(60)) {
        for scale in [Scale::Daily, Scale::Recalculation] {
            let all = iv_standings(&series, scale);
            for (at, found) in all.iter().enumerate() {
                prop_assert_eq!(*found, iv_standing(&series, at, scale), "{:?} {}", scale, at);
            }
        }
    }
}
