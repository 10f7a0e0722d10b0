//! Target strikes around a price (`options_pipeline.md` 11.2), in exact decimals.

use rust_decimal::Decimal;

/// Strikes wanted around a price, in dollars, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetStrikes {
    /// Strictly above the price, ascending.
    pub calls: Vec<Decimal>,
    /// At or below the price, descending, all positive.
    pub puts: Vec<Decimal>,
}

/// The multiples of `step` around `opening`: `calls` of them strictly above it and `puts` at or
/// below it; strikes of zero and less are left out, so there may be fewer puts.
///
/// Both amounts are dollars. `None` unless both are positive, or beyond what a decimal holds.
pub fn target_strikes(
    opening: Decimal,
    step: Decimal,
    calls: usize,
    puts: usize,
) -> Option<TargetStrikes> {
    if opening <= Decimal::ZERO || step <= Decimal::ZERO {
        return None;
    }
    // The remainder is exact where a quotient would be rounded at 28 digits.
    let at_or_below = opening.checked_sub(opening.checked_rem(step)?)?;
    let mut targets = TargetStrikes::default();
    let mut strike = at_or_below;
    for _ in 0..calls {
        strike = strike.checked_add(step)?;
        targets.calls.push(strike.normalize());
    }
    strike = at_or_below;
    for _ in 0..puts {
        if strike <= Decimal::ZERO {
            break;
        }
        targets.puts.push(strike.normalize());
        strike = strike.checked_sub(step)?;
    }
    Some(targets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn text(strikes: &[Decimal]) -> String {
        strikes.iter().map(Decimal::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The original divided binary floats: 0.30 with step 0.1 gave the put 0.20.
    #[test]
    fn d21_strikes_are_exact() {
        let targets = target_strikes(dec("0.30"), dec("0.1"), 1, 1).unwrap();
        assert_eq!((text(&targets.calls), text(&targets.puts)), ("0.4".into(), "0.3".into()));
        let nickel = target_strikes(dec("4.35"), dec("0.05"), 2, 2).unwrap();
        assert_eq!(text(&nickel.puts), "4.35 4.3");
        let third = target_strikes(dec("2.9999999999999999999999999999"), dec("3"), 1, 1).unwrap();
        assert_eq!((text(&third.calls), text(&third.puts)), ("3".into(), String::new()));
    }

    #[test]
    fn strikes_are_positive_and_amounts_too() {
        let low = target_strikes(dec("1.2"), dec("0.5"), 0, 5).unwrap();
        assert_eq!((text(&low.calls), text(&low.puts)), (String::new(), "1 0.5".into()));
        for (opening, step) in [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-0.5")] {
            assert_eq!(target_strikes(dec(opening), dec(step), 1, 1), None);
        }
        assert_eq!(target_strikes(Decimal::MAX, Decimal::ONE, 1, 1), None);
    }

    proptest! {
        #[test]
        fn strikes_equal_whole_number_arithmetic(mills in 1i64..2_000_000, step in 1i64..20_000) {
            let of = |mills: i64| Decimal::new(mills, 3);
            let got = target_strikes(of(mills), of(step), 3, 3).unwrap();
            let k = mills / step;
            let calls: Vec<_> = (1..=3).map(|n| of((k + n) * step)).collect();
            let puts: Vec<_> =
                (0..3).map(|n| (k - n) * step).filter(|m| *m > 0).map(of).collect();
            prop_assert_eq!((got.calls, got.puts), (calls, puts));
        }
    }
}
