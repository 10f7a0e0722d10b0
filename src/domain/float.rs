//! The float nearest to a decimal, in one place: analytics, tables and SQL see the same number.

use rust_decimal::Decimal;

/// The powers of ten that a float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The most places whose power of ten fits into 64 bits.
const NARROW: u32 = 19;

/// The float nearest to a decimal, a tie to the even one: what reading its text gives.
pub fn float(decimal: Decimal) -> f64 {
    let (mantissa, scale) = (decimal.mantissa(), decimal.scale());
    // Both parts are exact below 2^53, and one division rounds once.
    if mantissa.unsigned_abs() < 1 << 53
        && let Some(power) = POWERS.get(scale as usize)
    {
        return mantissa as f64 / power;
    }
    if scale > NARROW {
        return decimal.to_string().parse().unwrap_or(f64::NAN);
    }
    // The digits of a float written in full come here. Moved to the top of 128 bits and divided by
    // less than 64 of them, more than 62 bits are left; the last one says whether anything remained,
    // so the one rounding is that of the conversion. A power of two changes no bit of it.
    let size = mantissa.unsigned_abs();
    let (shift, divisor) = (size.leading_zeros(), 10u128.pow(scale));
    let moved = size << shift;
    let quotient = (moved / divisor) | u128::from(moved % divisor != 0);
    let nearest = quotient as f64 / 2f64.powi(shift as i32);
    if mantissa < 0 { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_that_the_library_rounds_twice_are_read_once() {
        for text in
            ["0.38162168133023644", "-0.38162168133023644", "0.4822999999999999", "0", "0.0"]
        {
            let want: f64 = text.parse().unwrap();
            assert_eq!(float(text.parse().unwrap()).to_bits(), want.to_bits(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn every_decimal_is_the_float_of_its_text(
            size in any::<u128>(), bits in 1u32..=96, scale in 0u32..=28, minus in any::<bool>(),
        ) {
            let mantissa = (size >> (128 - bits)) as i128;
            let mantissa = if minus { -mantissa } else { mantissa };
            let decimal = Decimal::try_from_i128_with_scale(mantissa, scale).unwrap();
            let want: f64 = decimal.to_string().parse().unwrap();
            // A zero has no sign that a mantissa could tell.
            prop_assert_eq!((float(decimal) + 0.0).to_bits(), (want + 0.0).to_bits(), "{}", decimal);
        }
    }
}
