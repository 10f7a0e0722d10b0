//! The estimators against the vectors of the options platform, and what must hold for any bars.

use super::estimators::{Bar, Estimator, NoEstimate};
use super::garch::{Parameters, annualised};
use super::golden_tests::{list, table};
use super::hv::close_to_close;
use crate::domain::shared;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

fn near(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-9 * want.abs()
}

/// The 41 bars of each set.
fn sets(data: &Path) -> BTreeMap<String, Vec<Bar>> {
    let mut sets: BTreeMap<String, Vec<Bar>> = BTreeMap::new();
    for row in table(&data.join("ohlc_41.csv")) {
        let cell = |name: &str| row[name].parse::<f64>().unwrap();
        let (open, high, low, close) = (cell("open"), cell("high"), cell("low"), cell("close"));
        let bars = sets.entry(row["set"].clone()).or_default();
        assert_eq!(row["index"], bars.len().to_string());
        bars.push(Bar { open, high, low, close });
    }
    sets
}

#[test]
fn volatilities_of_two_sets() {
    let Some(data) = shared::path("vectors_platform") else { return };
    let sets = sets(&data);
    let rows = table(&data.join("hv_expected.csv"));
    assert_eq!((sets.len(), rows.len()), (2, 20));
    for row in &rows {
        let bars = &sets[&row["set"]];
        let window: usize = row["window"].parse().unwrap();
        let end: usize = row["end_index"].parse().unwrap();
        for estimator in Estimator::ALL {
            let want: f64 = row[estimator.name()].parse().unwrap();
            let got = estimator.estimate(&bars[..=end], window, &[]).unwrap();
            let what = format!("{} {row:?}", estimator.name());
            assert!(near(got.volatility, want), "{} {what}", got.volatility);
            assert_eq!((got.observations, got.negative), (window, false), "{what}");
            assert_eq!(estimator.series(bars, window, &[])[end], Ok(got), "{what}");
        }
        // The volatility that the ledger records is the same number.
        let closes: Vec<f64> = bars[..=end].iter().map(|bar| bar.close).collect();
        let want: f64 = row["close_to_close"].parse().unwrap();
        assert!(near(close_to_close(&closes, window).unwrap(), want));
    }
}

#[test]
fn garch_of_two_sets() {
    let Some(data) = shared::path("vectors_platform") else { return };
    let sets = sets(&data);
    let cases = list(&data.join("garch_expected.json"));
    assert_eq!(cases.len(), 2);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let count = |name: &str| case[name].as_u64().unwrap() as usize;
        let (end, returns) = (count("end_index"), count("returns"));
        let bars = &sets[case["set"].as_str().unwrap()][end - returns..=end];
        let pairs = bars.iter().zip(&bars[1..]);
        let returns: Vec<f64> = pairs.map(|(a, b)| (b.close / a.close).ln()).collect();
        let model = Parameters::new(number("omega"), number("alpha"), number("beta")).unwrap();
        let run = model.run(&returns).unwrap();
        // The vector's first variance is the one after the first return, not the start.
        assert!(near(run.variances[0], number("first_variance")));
        assert!(near(annualised(run.next_variance), number("annualized_vol_next_day")));
        let level = annualised(model.long_run().unwrap());
        assert!(near(level, number("long_run_annualized_vol")));
        assert!(run.start_weight > 0.01, "40 returns do not quite forget the start");
    }
}

fn flat(price: f64) -> Bar {
    Bar { open: price, high: price, low: price, close: price }
}

#[test]
fn a_window_needs_its_bars_and_for_some_the_close_before() {
    for estimator in Estimator::ALL {
        let bars = vec![flat(10.0); 21];
        let need = 20 + usize::from(estimator.needs_previous());
        let few = estimator.estimate(&bars[..need - 1], 20, &[]);
        assert_eq!(few, Err(NoEstimate::TooFew { have: need - 1, need }), "{estimator:?}");
        let got = estimator.estimate(&bars[..need], 20, &[]).unwrap();
        assert_eq!((got.volatility, got.negative), (0.0, false), "{estimator:?} without movement");
        assert!(estimator.estimate(&bars, 0, &[]).is_err(), "{estimator:?}");
        assert!(estimator.estimate(&[], usize::MAX, &[]).is_err());
        assert!(estimator.series(&[], 20, &[]).is_empty());
    }
    assert!(Estimator::YangZhang.estimate(&[flat(1.0); 9], 1, &[]).is_err());
}

#[test]
fn wrong_prices_are_invalid_where_they_are_read() {
    for estimator in Estimator::ALL {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut bars = vec![flat(10.0); 25];
            bars[22].close = wrong;
            let got = estimator.estimate(&bars, 10, &[]);
            assert_eq!(got, Err(NoEstimate::Invalid { index: 22 }), "{estimator:?} {wrong}");
            bars[22] = flat(10.0);
            bars[2].close = wrong;
            assert!(estimator.estimate(&bars, 10, &[]).is_ok(), "before the window");
            // Of the bar before the window only the close counts.
            bars[14] = Bar { close: 10.0, ..flat(wrong) };
            assert!(estimator.estimate(&bars, 10, &[]).is_ok(), "{estimator:?}");
            bars[20].open = wrong;
            assert_eq!(estimator.estimate(&bars, 10, &[]).is_ok(), estimator.needs_only_closes());
        }
    }
}

#[test]
fn a_break_inside_the_window_leaves_no_data() {
    let bars = vec![flat(10.0); 30];
    for estimator in Estimator::ALL {
        // Bars 20…29, and bar 19 for those that read the close before.
        let first = 20 - usize::from(estimator.needs_previous());
        let at = |index: usize| estimator.estimate(&bars, 10, &[3, index, 40]);
        assert!(at(first).is_ok(), "{estimator:?}");
        let gap = Err(NoEstimate::Gap { index: first + 1 });
        assert_eq!(at(first + 1), gap, "{estimator:?}");
        assert_eq!(at(29), Err(NoEstimate::Gap { index: 29 }));
        assert!(at(30).is_ok());
    }
}

#[test]
fn a_variance_below_zero_is_zero_and_told() {
    // The day ends where it began to move: range 0.1, body −0.1.
    let bars = [flat(10.0), Bar { open: 11.0, high: 11.0, low: 10.0, close: 10.0 }];
    let range = (1.1f64).ln();
    let plain = Estimator::GarmanKlass.estimate(&bars, 1, &[]).unwrap();
    let want = (252.0 * (0.5 - (2.0 * 2f64.ln() - 1.0))).sqrt() * range;
    assert!(near(plain.volatility, want) && !plain.negative);
    // An opening price that the range leaves out.
    let bars = [flat(10.0), Bar { open: 20.0, high: 11.0, low: 10.0, close: 10.0 }];
    let got = Estimator::GarmanKlass.estimate(&bars, 1, &[]).unwrap();
    assert_eq!((got.volatility, got.negative), (0.0, true));
}

#[test]
fn prices_beyond_logarithms_are_invalid() {
    let bars = [flat(1.0), Bar { high: 1e300, low: 1e-300, ..flat(1.0) }, flat(1e-300)];
    for estimator in Estimator::ALL {
        let got = estimator.estimate(&bars, 2, &[]);
        assert!(
            got.is_ok_and(|got| got.volatility.is_finite())
                || matches!(got, Err(NoEstimate::Invalid { .. }))
        );
    }
    let beyond = [flat(1e300), Bar { high: 1e300, low: 1e-300, ..flat(1.0) }];
    let got = Estimator::Parkinson.estimate(&beyond, 2, &[]);
    assert_eq!(got, Err(NoEstimate::Invalid { index: 0 }));
}

fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let bar = (1.0f64..200.0, 0.0f64..0.2, 0.0f64..=1.0, 0.0f64..=1.0).prop_map(
        |(low, spread, open, close)| {
            let high = low * (1.0 + spread);
            let inside = |part: f64| (low + part * (high - low)).clamp(low, high);
            Bar { open: inside(open), high, low, close: inside(close) }
        },
    );
    prop::collection::vec(bar, 2..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Prices in another unit, and bars before the window, change nothing.
    #[test]
    fn unit_and_past_do_not_matter(bars in bars(), window in 2usize..20, unit in 0.01f64..100.0) {
        let scaled: Vec<Bar> = bars.iter().map(|bar| Bar {
            open: bar.open * unit,
            high: bar.high * unit,
            low: bar.low * unit,
            close: bar.close * unit,
        }).collect();
        for estimator in Estimator::ALL {
            let whole = estimator.estimate(&bars, window, &[]);
            let need = window + usize::from(estimator.needs_previous());
            if let Ok(found) = whole {
                prop_assert!(found.volatility.is_finite() && found.volatility >= 0.0);
                let other = estimator.estimate(&scaled, window, &[]).unwrap();
                let distance = (other.volatility - found.volatility).abs();
                prop_assert!(distance <= 1e-6 * (1.0 + found.volatility));
                let last = bars[bars.len() - need..].to_vec();
                prop_assert_eq!(estimator.estimate(&last, window, &[]), Ok(found));
            } else {
                prop_assert_eq!(whole, Err(NoEstimate::TooFew { have: bars.len(), need }));
            }
        }
    }

    /// Value `i` of a series is the estimate of the bars up to `i`: nothing looks ahead.
    #[test]
    fn a_series_does_not_look_ahead(bars in bars(), window in 1usize..20, cut in 0usize..60) {
        let cut = cut.min(bars.len());
        for estimator in Estimator::ALL {
            let whole = estimator.series(&bars, window, &[5]);
            prop_assert_eq!(&whole[..cut], &estimator.series(&bars[..cut], window, &[5])[..]);
        }
    }
}
