//! Extraction by hand-made chains; the vectors of TOMIC are in `golden_tests.rs`.

use super::*;

fn quote(right: Right, strike: f64, iv: f64, delta: Option<f64>) -> Quote {
    let (strike, right, iv) = (Some(strike), Some(right), Some(iv));
    Quote { strike, right, iv, delta, top_level_strike: true, ..Quote::default() }
}

fn call(strike: f64, iv: f64, delta: Option<f64>) -> Quote {
    quote(Right::Call, strike, iv, delta)
}

fn put(strike: f64, iv: f64, delta: Option<f64>) -> Quote {
    quote(Right::Put, strike, iv, delta)
}

fn front() -> Vec<Quote> {
    vec![call(100.0, 0.2, Some(0.5)), call(105.0, 0.21, Some(0.25)), put(90.0, 0.24, Some(-0.24))]
}

/// The original's own test of 2024-01-03.
#[test]
fn three_months_give_level_terms_and_skew() {
    let (second, third) = ([call(100.0, 0.19, None)], [call(100.0, 0.18, None)]);
    let record = daily_record(100.0, &front(), &second, &third);
    assert_eq!(record.atm_iv, Some(0.2));
    assert_eq!((record.term_m1_m2, record.term_m1_m3), (Some(1.0), Some(2.0)));
    assert_eq!(record.skew, Some(3.0));
    assert_eq!((record.front.call25.unwrap().index, record.front.put25.unwrap().index), (1, 2));
    assert_eq!((record.second.unwrap().iv, record.third.unwrap().iv), (0.19, 0.18));
    assert_eq!(record.notes, []);
}

#[test]
fn missing_parts_are_null_and_noted() {
    let record = daily_record(100.0, &front(), &[], &[put(100.0, 0.3, None)]);
    assert_eq!((record.atm_iv, record.term_m1_m2, record.term_m1_m3), (Some(0.2), None, None));
    assert_eq!(record.notes, [Note::NoAtm(Month::Second), Note::NoAtm(Month::Third)]);

    let bare: Vec<Quote> = front().iter().map(|q| Quote { delta: None, ..*q }).collect();
    let record = daily_record(100.0, &bare, &front(), &front());
    assert_eq!((record.atm_iv, record.skew), (Some(0.2), None));
    assert_eq!(record.notes, [Note::NoWing(Right::Call), Note::NoWing(Right::Put)]);

    for spot in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.004] {
        let record = daily_record(spot, &front(), &front(), &front());
        assert_eq!((record.atm_iv, record.notes), (None, vec![Note::NoSpot]), "{spot}");
    }
}

#[test]
fn a_volatility_of_zero_is_none() {
    let mut chain = front();
    chain[0].iv = Some(0.0);
    assert_eq!(extract(&chain, 100.0).atm_iv(), Some(0.0), "the original takes it");
    let record = daily_record(99.0, &chain, &front(), &front());
    assert_eq!(record.atm_iv, Some(0.21));
    let far = Note::FarFromSpot(Month::Front, 105.0);
    assert_eq!(record.notes, [Note::NoVolatility(Month::Front, 1), far]);
    let texts: Vec<String> = record.notes.iter().map(Note::to_string).collect();
    assert_eq!(
        texts,
        [
            "front month: 1 contract with a volatility of zero or less left out",
            "front month: strike 105 at the money is over 5 % from spot",
        ]
    );
}

#[test]
fn a_wing_outside_the_band_is_noted() {
    let chain = [call(100.0, 0.2, Some(0.5)), put(99.0, 0.24, Some(-0.5))];
    let record = daily_record(100.0, &chain, &chain, &chain);
    assert_eq!(record.skew, Some(4.0));
    let notes = [Note::WingByStrike(Right::Call), Note::WingByStrike(Right::Put)];
    assert_eq!(record.notes, notes);
    // A put with a positive delta is not a wing; its delta still counts as known.
    let odd = [put(90.0, 0.3, Some(0.25)), put(98.0, 0.25, None)];
    assert_eq!(extract(&odd, 100.0).put25.unwrap().strike, 98.0);
}

#[test]
fn the_bounds_of_the_bands_are_inside() {
    for delta in [0.05, 0.45] {
        let chain = [call(100.0, 0.3, Some(0.9)), call(120.0, 0.2, Some(delta))];
        assert_eq!(extract(&chain, 100.0).call25.unwrap().strike, 120.0, "{delta}");
    }
    for (delta, inside) in [(0.049, false), (0.05, true), (0.95, true), (0.951, false)] {
        let found = extract(&[call(100.0, 0.2, Some(delta))], 100.0).atm_call;
        assert_eq!(found.is_some(), inside, "{delta}");
    }
}

#[test]
fn duplicates_go_by_volume_then_update_then_arrival() {
    let one = |iv: f64, volume: f64, updated: Option<i64>| Quote {
        volume,
        updated,
        ..call(100.0, iv, Some(0.5))
    };
    for (quotes, want) in [
        ([one(0.2, 1.0, Some(9)), one(0.3, 2.0, None)], 0.3),
        ([one(0.2, 1.0, Some(9)), one(0.3, 1.0, Some(8))], 0.2),
        ([one(0.2, 1.0, None), one(0.3, 1.0, Some(8))], 0.3),
        ([one(0.2, 1.0, None), one(0.3, 1.0, None)], 0.2),
    ] {
        let found = extract(&quotes, 100.0);
        assert_eq!(found.nearest_call.unwrap().iv, want, "{quotes:?}");
        assert_eq!(found.atm_call.unwrap().iv, 0.2, "step 4 sees the first of them");
    }
    // The winner without a volatility leaves none for this strike, as in the original.
    let hidden = [one(0.2, 1.0, None), Quote { iv: None, ..one(0.2, 5.0, None) }];
    assert_eq!(extract(&hidden, 100.0).nearest_call, None);
    assert_eq!(extract(&hidden, 100.0).atm_iv(), Some(0.2), "step 4 stands in");
}

#[test]
fn ties_go_to_the_lower_top_level_strike_or_to_the_first_arrival() {
    let high_first = [call(101.0, 0.2, None), call(99.0, 0.22, None)];
    assert_eq!(extract(&high_first, 100.0).nearest_call.unwrap().strike, 99.0);
    let nested = high_first.map(|q| Quote { top_level_strike: false, ..q });
    assert_eq!(extract(&nested, 100.0).nearest_call.unwrap().strike, 101.0);
    let mixed = [high_first[1], nested[0]];
    assert_eq!(extract(&mixed, 100.0).nearest_call.unwrap().strike, 101.0);
}

#[test]
fn numbers_that_are_none_are_skipped() {
    let odd = [
        call(f64::NAN, 0.2, None),
        call(100.0, f64::NAN, None),
        call(102.0, 0.2, Some(f64::NAN)),
        Quote { right: None, ..call(100.0, 0.9, None) },
        Quote { strike: None, ..call(100.0, 0.9, None) },
    ];
    let found = extract(&odd, 100.0);
    assert_eq!(found.nearest_call.unwrap().strike, 102.0);
    assert_eq!(found.call25, None, "a delta that is not a number is unknown");
    assert_eq!(extract(&[], 100.0), Extraction::default());
}

/// Expected values are Python's `round(x, 2)`.
#[test]
fn rounding_is_pythons() {
    for (value, want) in [
        (0.125, 0.12),
        (0.375, 0.38),
        (2.675, 2.67),
        (1.005, 1.0),
        (-0.125, -0.12),
        (1e300, 1e300),
        (262.404999, 262.4),
    ] {
        assert_eq!(round2(value), want, "{value}");
    }
    assert!(round2(-0.001).is_sign_positive());
    assert!(round2(f64::NAN).is_nan());
    assert_eq!(points(Some(0.3305), Some(0.2871)), Some(4.34));
    assert_eq!(points(None, Some(0.2)), None);
}
