//! One field's value, exactly as its source wrote it.

use rust_decimal::Decimal;
use std::fmt;

/// A value as asserted by a source. No binary float is ever held here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// The source said "no value" (JSON `null`); different from a field that is absent.
    Null,
    /// A JSON boolean.
    Bool(bool),
    /// A number whose decimal text is canonical: printing it gives the source's digits.
    Dec(Decimal),
    /// A number whose text a [`Decimal`] cannot reproduce (`1e-05`, `-0.0`, 40 digits).
    Num(Box<str>),
    /// Text.
    Text(Box<str>),
    /// A nested JSON value, as its source text.
    Json(Box<str>),
}

/// What a value is, as a number that is stored: it never changes. 0 to [`WIDEST`] are decimals of that
/// many places.
pub mod form {
    /// "No value".
    pub const NULL: u8 = 0x40;
    /// Boolean false.
    pub const FALSE: u8 = 0x41;
    /// Boolean true.
    pub const TRUE: u8 = 0x42;
    /// A number kept as text.
    pub const NUM: u8 = 0x43;
    /// Text.
    pub const TEXT: u8 = 0x44;
    /// A nested JSON value as text.
    pub const JSON: u8 = 0x45;
}

/// Most digits after a decimal's point.
pub const WIDEST: u8 = 28;

impl Value {
    /// What it is: see [`form`].
    pub fn form(&self) -> u8 {
        match self {
            Self::Dec(decimal) => decimal.scale() as u8,
            Self::Null => form::NULL,
            Self::Bool(false) => form::FALSE,
            Self::Bool(true) => form::TRUE,
            Self::Num(_) => form::NUM,
            Self::Text(_) => form::TEXT,
            Self::Json(_) => form::JSON,
        }
    }

    /// Reads a JSON number, keeping its digits: `115328808.0` stays that way.
    pub fn from_json_number(text: &str) -> Self {
        match parse_plain(text) {
            Some(decimal) if decimal.to_string() == text => Self::Dec(decimal),
            _ => Self::Num(text.into()),
        }
    }

    /// The exact number, also for [`Value::Num`] texts within a decimal's range.
    pub fn decimal(&self) -> Option<Decimal> {
        match self {
            Self::Dec(decimal) => Some(*decimal),
            Self::Num(text) => {
                Decimal::from_scientific(text).ok().or_else(|| text.parse::<Decimal>().ok())
            }
            _ => None,
        }
    }

    /// The float nearest to the number, for analytics.
    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Dec(decimal) => Some(super::float(*decimal)),
            Self::Num(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// Whether two values are the same to the digit: `0.50` is not `0.5`.
    pub fn same_text(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dec(a), Self::Dec(b)) => a == b && a.scale() == b.scale(),
            _ => self == other,
        }
    }

    /// Whether two values mean the same: numbers by value, everything else by content.
    pub fn same_meaning(&self, other: &Self) -> bool {
        match (self.decimal(), other.decimal()) {
            (Some(a), Some(b)) => a == b,
            _ => self == other,
        }
    }
}

impl fmt::Display for Value {
    /// The source's text; `null` for [`Value::Null`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Dec(decimal) => write!(f, "{decimal}"),
            Self::Num(text) | Self::Text(text) | Self::Json(text) => f.write_str(text),
        }
    }
}

/// Parses `-?digits[.digits]` exactly; exponents, signs `+` and anything else give `None`.
///
/// The scale is the number of digits written after the point, so trailing zeros survive.
pub fn parse_plain(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !numeric(whole) || (digits.contains('.') && !numeric(fraction)) {
        return None;
    }
    let (count, scale) = (whole.len() + fraction.len(), fraction.len());
    if count > 18 {
        // Beyond i64: the library's parser, refused when it had to round.
        let decimal = Decimal::from_str_exact(text).ok()?;
        let exact = decimal.scale() as usize == scale && !decimal.is_zero();
        return exact.then_some(decimal);
    }
    let magnitude = whole.bytes().chain(fraction.bytes());
    let mantissa = magnitude.fold(0i64, |m, b| m * 10 + i64::from(b - b'0'));
    let mut decimal = Decimal::new(mantissa, scale as u32);
    // A decimal zero has no sign here: `-0.0` would not survive as digits and a scale.
    decimal.set_sign_negative(text.starts_with('-') && mantissa != 0);
    Some(decimal)
}

/// Moves the decimal point two places to the left without touching a digit: 45.53 % is 0.4553.
///
/// `None` when the result needs more than 28 decimal places.
pub fn percent_to_fraction(percent: Decimal) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(percent.mantissa(), percent.scale() + 2).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_keep_their_digits() {
        for text in [
            "0",
            "119.02",
            "115328808.0",
            "0.24109999999999998",
            "-3.85",
            "50.0",
            "-0.0",
            "1e-05",
            "1E5",
            "2052204.8275862068",
            "0.1000",
            "-0",
            "123456789012345678901234567890123",
            "0.12345678901234567890123456789",
            "79228162514264337593543950335",
            "-0.00000000000000000000",
            "0.00000000000000000000",
        ] {
            assert_eq!(Value::from_json_number(text).to_string(), text);
        }
        assert!(matches!(Value::from_json_number("1e-05"), Value::Num(_)));
        assert!(matches!(Value::from_json_number("-0.0"), Value::Num(_)));
        assert!(Value::from_json_number("1e-05").decimal().is_some());
    }

    #[test]
    fn every_two_decimal_percentage_shifts_exactly() {
        for hundredths in 0..=10_000u32 {
            let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let fraction = percent_to_fraction(parse_plain(&text).unwrap()).unwrap();
            let want = format!("{}.{:04}", hundredths / 10_000, hundredths % 10_000);
            assert_eq!(fraction.to_string(), want);
        }
    }

    #[test]
    fn numbers_compare_by_value_and_texts_by_content() {
        let dec = |text: &str| Value::Dec(parse_plain(text).unwrap());
        assert!(dec("0.50").same_meaning(&dec("0.5")));
        assert!(!dec("0.50").same_text(&dec("0.5")) && dec("0.5").same_text(&dec("0.5")));
        assert!(!dec("0.50").same_text(&dec("0.60")) && !dec("0.5").same_text(&Value::Null));
        assert!(dec("0.00001").same_meaning(&Value::Num("1e-05".into())));
        assert!(!dec("0").same_meaning(&Value::Null));
        assert!(!Value::Text("0.5".into()).same_meaning(&dec("0.5")));
    }

    #[test]
    fn only_plain_numbers_parse() {
        for wrong in ["", "-", ".", ".5", "5.", "+1", "1e3", "1_0", "1.2.3", "NaN", "١"] {
            assert!(parse_plain(wrong).is_none(), "{wrong}");
        }
    }
}
