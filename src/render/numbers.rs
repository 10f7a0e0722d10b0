//! How numbers look: percent and points for people. Data formats carry the source's digits.

use crate::domain::Series;
use crate::domain::series::{Unit, field_named};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value as Json;

/// What is shown where there is no value.
pub const MISSING: &str = "–";

/// A count with separators: `1,040`.
pub fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A count with its noun: `1 day`, `2 days`, `2 batches`, `2 entries`.
pub fn counted(number: u64, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    let number = count(number);
    match noun.strip_suffix("ry") {
        Some(stem) => format!("{number} {stem}ries"),
        None if noun.ends_with("ch") => format!("{number} {noun}es"),
        None => format!("{number} {noun}s"),
    }
}

/// A size: `12,345 bytes`, `3.2 MB`.
pub fn size(bytes: u64) -> String {
    const MEGA: u64 = 1_000_000;
    match bytes {
        0..=99_999 => format!("{} bytes", count(bytes)),
        100_000..=999_999 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", count(bytes / MEGA), (bytes % MEGA) / (MEGA / 10)),
    }
}

/// A volatility as a fraction, in percent: `45.53 %`.
pub fn percent(fraction: Decimal) -> String {
    match fraction.checked_mul(Decimal::ONE_HUNDRED) {
        Some(percent) => format!("{} %", fixed(percent, 2)),
        None => fraction.to_string(),
    }
}

/// A difference in volatility points, always with its sign: `+7.41 pts`.
pub fn points(points: Decimal) -> String {
    let text = fixed(points, 2);
    let sign = if text.starts_with('−') { "" } else { "+" };
    format!("{sign}{text} pts")
}

/// A decimal with that many digits after the point, separators and a real minus sign.
pub fn fixed(number: Decimal, digits: u32) -> String {
    let rounded = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    let text = format!("{:.*}", digits as usize, rounded.abs());
    let minus = if rounded.is_sign_negative() && !rounded.is_zero() { "−" } else { "" };
    format!("{minus}{}", grouped(&text))
}

/// A float that may be missing, with that many digits after the point.
pub fn plain(of: Option<f64>, digits: usize) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| rounded(value, digits))
}

/// A fraction that may be missing, in percent: `45.53 %`.
pub fn percent_of(of: Option<f64>) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| format!("{} %", rounded(value * 100.0, 2)))
}

/// A hundred times a difference that may be missing, always with its sign: `+5.3 pts`, `−31.0 %`. A
/// difference of volatilities is in points, for it is no share of one.
pub fn signed(of: Option<f64>, digits: usize, unit: &str) -> String {
    let Some(value) = of else { return MISSING.to_owned() };
    let text = rounded(value * 100.0, digits);
    let sign = if text.starts_with('−') { "" } else { "+" };
    format!("{sign}{text} {unit}")
}

/// A float with that many digits after the point and a real minus sign, which zero has not.
fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// A text that may be missing.
pub fn or_missing(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| MISSING.to_owned())
}

/// The first digits of a digest, which tell it from others.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// A JSON number as an exact decimal, if it is one.
pub fn decimal(value: &Json) -> Option<Decimal> {
    let Json::Number(number) = value else {
        return None;
    };
    let text = number.to_string();
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// What the records of a view are called: days, where each day has one.
pub fn noun(series: &str) -> &'static str {
    match series.parse::<Series>() {
        Ok(series) if series.item_name().is_some() => "record",
        _ => "day",
    }
}

/// What the number of a field means, if the field is known.
pub fn unit(series: &str, field: &str) -> Option<Unit> {
    let series: Series = series.parse().ok()?;
    field_named(series, field).map(|field| field.unit)
}

/// A field's value as a person reads it.
pub fn value(series: &str, field: &str, value: &Json) -> String {
    match value {
        Json::Null => return MISSING.to_owned(),
        Json::String(text) => return text.clone(),
        Json::Number(_) => {}
        other => return other.to_string(),
    }
    let (Some(number), Some(unit)) = (decimal(value), unit(series, field)) else {
        return value.to_string();
    };
    match unit {
        Unit::Vol | Unit::Move => percent(number),
        Unit::Points => format!("{} pts", fixed(number, 2)),
        Unit::Rank => fixed(number, 1),
        Unit::Price => fixed(number, number.scale().clamp(2, 4)),
        Unit::Count => fixed(number, number.normalize().scale().min(2)),
        Unit::Number => fixed(number, number.normalize().scale().min(6)),
        Unit::Time | Unit::Text => value.to_string(),
    }
}

/// A value that may be missing.
pub fn optional(series: &str, field: &str, of: Option<&Json>) -> String {
    of.map_or_else(|| MISSING.to_owned(), |known| value(series, field, known))
}

/// Puts separators between thousands of the digits before the point.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_once('.').map_or((text, None), |(w, r)| (w, Some(r)));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    match rest {
        Some(rest) => out + "." + rest,
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn counts_have_separators() {
        for (number, want) in [(0, "0"), (999, "999"), (1040, "1,040"), (1234567, "1,234,567")] {
            assert_eq!(count(number), want);
        }
        assert_eq!(
            (counted(1, "day"), counted(1040, "row")),
            ("1 day".into(), "1,040 rows".into())
        );
        assert_eq!((size(12345), size(3_270_000)), ("12,345 bytes".into(), "3.2 MB".into()));
    }

    #[test]
    fn volatilities_are_percent_and_differences_points() {
        for (number, want) in [
            ("0.4553", "45.53 %"),
            ("0.45535", "45.54 %"),
            ("12.5", "1,250.00 %"),
            ("0", "0.00 %"),
            ("-0.1", "−10.00 %"),
            ("0.00001", "0.00 %"),
        ] {
            assert_eq!(percent(dec(number)), want);
        }
        for (number, want) in [
            ("7.41", "+7.41 pts"),
            ("-4.84", "−4.84 pts"),
            ("0", "+0.00 pts"),
            ("-0.001", "+0.00 pts"),
        ] {
            assert_eq!(points(dec(number)), want);
        }
        let _ = percent(Decimal::MAX) + &points(Decimal::MIN);
    }

    #[test]
    fn floats_look_like_decimals() {
        assert_eq!([plain(Some(-0.25), 2), plain(Some(-0.001), 2)], ["−0.25", "0.00"]);
        assert_eq!([percent_of(Some(-0.1)), percent_of(None)], ["−10.00 %", MISSING]);
        for (value, want) in [(-0.31, "−31.0 %"), (0.053, "+5.3 %"), (-0.0001, "+0.0 %")] {
            assert_eq!(signed(Some(value), 1, "%"), want);
        }
    }

    #[test]
    fn a_field_looks_like_its_unit() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        for (series, field, text, want) in [
            ("iv", "atm_iv", "0.4553", "45.53 %"),
            ("iv", "atm_iv", "null", "–"),
            ("iv", "options_volume", "415799", "415,799"),
            ("iv", "iv_rank (IV)", "51.94", "51.9"),
            ("iv", "skew", "-1.5", "−1.50 pts"),
            ("spot", "close", "113.9", "113.90"),
            ("spot", "close", "1.23456", "1.2346"),
            ("spot", "volume", "1e6", "1,000,000"),
            ("iv", "unheard of", "0.40", "0.40"),
            ("iv", "atm_iv", "\"n/a\"", "n/a"),
            ("iv", "atm_iv", "1e400", "1e+400"),
        ] {
            assert_eq!(value(series, field, &json(text)), want, "{field} {text}");
        }
    }
}
