//! Numbers as vendors write them: thousands, decimal commas, percent signs, words for "nothing".
//!
//! The digits stay as written; no binary float is involved anywhere.

use crate::domain::value;
use crate::sources::mapping::{CellUnit, DecimalMark};
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Nothing, or a word for it.
    Missing,
    /// Something that is not a number, or not one that can be held exactly.
    Invalid,
    /// A number, in the unit of the cell, and what it tells of its file.
    Value(Decimal, Marked),
}

/// What a number tells of the decimal mark of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// Nothing.
    Not,
    /// This mark can only be the decimal one.
    Sure(u8),
    /// This mark was taken for the decimal one; before three digits it could also group thousands.
    Doubtful(u8),
    /// This mark was taken to group thousands, since the column is of whole numbers; standing once, it
    /// could also be the decimal one.
    Grouped(u8),
}

/// Longest number read: longer ones are not numbers.
const MAX_DIGITS: usize = 64;

/// Words that mean "no value", in lower case.
pub(super) const MISSING: [&str; 8] = ["-", "--", "n/a", "na", "null", "none", "nan", "#n/a"];

/// A number that is not negative and fits a machine word, as `mantissa / 10^scale`.
///
/// Nearly every cell is one, and a [`Decimal`] is only made of it where it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    mantissa: i64,
    scale: u32,
}

/// Powers of ten, as far as a machine word has them.
const UNITS: [i64; 19] = {
    let mut units = [1; 19];
    let mut scale = 1;
    while scale < units.len() {
        units[scale] = units[scale - 1] * 10;
        scale += 1;
    }
    units
};

impl Plain {
    /// Compares with a bound, by value.
    pub(super) fn cmp(self, bound: &Decimal) -> Ordering {
        let whole = i64::try_from(bound.mantissa()).ok().filter(|_| bound.scale() == 0);
        match (whole, UNITS.get(self.scale as usize)) {
            (Some(whole), Some(unit)) => {
                i128::from(self.mantissa).cmp(&(i128::from(whole) * i128::from(*unit)))
            }
            _ => Decimal::new(self.mantissa, self.scale).cmp(bound),
        }
    }

    /// What its point tells, if it has one.
    pub(super) fn marked(self) -> Marked {
        match (self.scale, self.mantissa) {
            (0, _) => Marked::Not,
            (3, 1_000..=999_999) => Marked::Doubtful(b'.'),
            _ => Marked::Sure(b'.'),
        }
    }

    /// The digits of the number in the unit of the field, and how many stand after the point; see
    /// [`to_field`].
    pub(super) fn to_field(self, unit: CellUnit) -> (i64, u8) {
        let shift = if unit == CellUnit::Percent { 2 } else { 0 };
        (self.mantissa, self.scale as u8 + shift)
    }
}

/// Numbers of a column that were found within its bounds and nothing remarkable, by scale: the smallest
/// and the largest. Bounds have one side each, so whatever lies between two such numbers is one, too.
#[derive(Clone, Debug)]
pub(super) struct Usual([(i64, i64); UNITS.len()]);

impl Default for Usual {
    fn default() -> Self {
        Self([(i64::MAX, i64::MIN); UNITS.len()])
    }
}

impl Usual {
    /// Whether a number is known to be one.
    pub(super) fn has(&self, plain: Plain) -> bool {
        let known = self.0.get(plain.scale as usize);
        known.is_some_and(|(least, most)| (*least..=*most).contains(&plain.mantissa))
    }

    /// Takes in one more.
    pub(super) fn add(&mut self, plain: Plain) {
        if let Some((least, most)) = self.0.get_mut(plain.scale as usize) {
            *least = plain.mantissa.min(*least);
            *most = plain.mantissa.max(*most);
        }
    }
}

/// Reads `digits` or `digits.digits`, which is what nearly every cell is; anything else gives
/// `None` and goes through [`parse`].
pub(super) fn fast(cell: &[u8], unit: CellUnit, mark: DecimalMark) -> Option<Plain> {
    let point_allowed = unit != CellUnit::Integer && mark != DecimalMark::Comma;
    // 18 digits fit a word, and the scale stays far below a decimal's 28.
    if cell.is_empty() || cell.len() > 18 {
        return None;
    }
    let mut mantissa = 0i64;
    let mut bytes = cell.iter();
    for (digits, &byte) in bytes.by_ref().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            if byte != b'.' || !point_allowed || digits == 0 || bytes.len() == 0 {
                return None;
            }
            break;
        }
        mantissa = mantissa * 10 + i64::from(digit);
    }
    let scale = bytes.len() as u32;
    for &byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        mantissa = mantissa * 10 + i64::from(digit);
    }
    Some(Plain { mantissa, scale })
}

/// Reads a cell's text.
pub(super) fn parse(text: &str, unit: CellUnit, mark: DecimalMark) -> Number {
    let text = text.trim();
    if text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Number::Missing;
    }
    let mut digits = [0u8; MAX_DIGITS];
    let mut length = 0;
    for c in text.chars() {
        let byte = match c {
            // The sign of a currency is none of a percentage or a count.
            '€' | '£' if unit == CellUnit::Number => b'$',
            // Spaces and apostrophes group thousands in one country or another.
            '\u{a0}' | '\u{202f}' | '\u{2009}' => b' ',
            '\u{2019}' => b'\'',
            _ => u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or_default(),
        };
        match digits.get_mut(length) {
            Some(slot) if byte != 0 => *slot = byte,
            _ => return Number::Invalid,
        }
        length += 1;
    }
    let number = digits.get(..length).and_then(|digits| signed(digits, unit, mark));
    number.map_or(Number::Invalid, |(number, marked)| Number::Value(number, marked))
}

/// `[+-] number [%]`, of prices `[+-] [$] number`, or the sign of the currency behind it
fn signed(text: &[u8], unit: CellUnit, mark: DecimalMark) -> Option<(Decimal, Marked)> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let text = match text {
        // A percent sign contradicts a column of fractions or prices.
        [rest @ .., b'%'] if matches!(unit, CellUnit::Percent | CellUnit::Integer) => rest,
        [b'$', rest @ ..] | [rest @ .., b'$'] if unit == CellUnit::Number => rest,
        _ => text,
    };
    let text = text.trim_ascii();
    let exponent_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match exponent_at {
        Some(at) => (text.get(..at)?, exponent(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let (mantissa, scale, marked) = ungrouped(mantissa, unit, mark)?;
    let scale = scale - exponent;
    let number = match u32::try_from(scale) {
        Ok(scale) => Decimal::try_from_i128_with_scale(mantissa, scale).ok()?,
        Err(_) => {
            let factor = 10i128.checked_pow(scale.unsigned_abs())?;
            Decimal::try_from_i128_with_scale(mantissa.checked_mul(factor)?, 0).ok()?
        }
    };
    Some((if negative && !number.is_zero() { -number } else { number }, marked))
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0, |n, b| n * 10 + i32::from(b - b'0'));
    Some(if negative { -size } else { size })
}

/// As [`unmarked`], of a number whose thousands may be grouped by spaces or apostrophes. Anywhere else
/// these are no part of a number: `110'18` is a price in thirty-seconds.
fn ungrouped(text: &[u8], unit: CellUnit, mark: DecimalMark) -> Option<(i128, i32, Marked)> {
    let Some(group) = text.iter().copied().find(|byte| matches!(byte, b' ' | b'\'')) else {
        return unmarked(text, unit, mark);
    };
    let end = text.iter().position(|byte| matches!(byte, b'.' | b','));
    let (whole, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    if !is_grouped(whole, group) {
        return None;
    }
    let mut digits = [0u8; MAX_DIGITS];
    let mut length = 0;
    for (slot, byte) in
        digits.iter_mut().zip(whole.iter().filter(|byte| **byte != group).chain(rest))
    {
        *slot = *byte;
        length += 1;
    }
    unmarked(digits.get(..length)?, unit, mark)
}

/// The digits as one whole number, how many of them stand after the decimal mark, and what that tells.
fn unmarked(text: &[u8], unit: CellUnit, mark: DecimalMark) -> Option<(i128, i32, Marked)> {
    let last_of = |mark: u8| text.iter().rposition(|byte| *byte == mark);
    // Which mark is decimal and which one groups; a mark that does not occur harms neither way.
    let sure = |decimal: u8, group: u8| (Some(decimal), group, Marked::Sure(decimal));
    let (decimal, group, marked) = match (mark, last_of(b'.'), last_of(b',')) {
        (DecimalMark::Point, ..) => (Some(b'.'), b',', Marked::Not),
        (DecimalMark::Comma, ..) => (Some(b','), b'.', Marked::Not),
        (DecimalMark::Auto, Some(point), Some(comma)) if point > comma => sure(b'.', b','),
        (DecimalMark::Auto, Some(_), Some(_)) => sure(b',', b'.'),
        (DecimalMark::Auto, None, None) => (None, b',', Marked::Not),
        (DecimalMark::Auto, point, _) => {
            let (only, other) = if point.is_some() { (b'.', b',') } else { (b',', b'.') };
            let count = text.iter().filter(|byte| **byte == only).count();
            let grouped = is_grouped(text, only);
            match unit {
                CellUnit::Integer if grouped && count == 1 => (None, only, Marked::Grouped(only)),
                CellUnit::Integer if grouped => (None, only, Marked::Sure(other)),
                // 1,234 is a price of one dollar or of a thousand: nobody can know.
                CellUnit::Number if count == 1 && only == b',' && grouped => return None,
                _ if count == 1 && grouped => (Some(only), other, Marked::Doubtful(only)),
                _ if count == 1 => sure(only, other),
                _ => (None, only, Marked::Sure(other)),
            }
        }
    };
    let decimal_at = decimal.and_then(last_of);
    let (whole, fraction) = match decimal_at {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    let grouped = whole.contains(&group);
    if grouped && !is_grouped(whole, group) {
        return None;
    }
    let mut mantissa = 0i128;
    let mut count = 0;
    for &byte in whole.iter().chain(fraction) {
        if byte == group && grouped {
            continue;
        }
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
        count += 1;
    }
    // A group mark after the decimal mark is no number: 1.234,5.6
    let clean = fraction.iter().all(u8::is_ascii_digit);
    (count > 0 && clean).then_some((mantissa, i32::try_from(fraction.len()).ok()?, marked))
}

/// Whether the marks cut the digits into thousands: `1,234,567`, but not `1234,567` or `0,123`.
fn is_grouped(text: &[u8], mark: u8) -> bool {
    let mut groups = text.split(|byte| *byte == mark);
    let first = groups.next().unwrap_or_default();
    let digits = |group: &[u8]| group.iter().all(u8::is_ascii_digit);
    let mut more = false;
    let starts = (1..=3).contains(&first.len()) && digits(first) && !first.starts_with(b"0");
    let rest = groups.all(|group| {
        more = true;
        group.len() == 3 && digits(group)
    });
    starts && rest && more
}

/// The number in the unit of the field: percentages become fractions, the rest stays.
///
/// `None` when it cannot be held exactly, or is not whole although the column is.
pub(super) fn to_field(number: Decimal, unit: CellUnit) -> Option<Decimal> {
    match unit {
        CellUnit::Percent => value::percent_to_fraction(number),
        CellUnit::Fraction | CellUnit::Number => Some(number),
        CellUnit::Flag | CellUnit::Word | CellUnit::Day => None,
        CellUnit::Integer => (number.scale() == 0 || number.fract().is_zero()).then_some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CellUnit::{Fraction, Integer, Number as Price, Percent};
    use DecimalMark::{Auto, Comma, Point};

    fn shown(text: &str, unit: CellUnit, mark: DecimalMark) -> String {
        // Both ways of reading agree wherever the fast one answers.
        if let Some(plain) = fast(text.as_bytes(), unit, mark) {
            let Number::Value(number, marked) = parse(text, unit, mark) else { panic!("{text}") };
            let told = if mark == Auto { plain.marked() } else { Marked::Not };
            assert_eq!(marked, told, "{text}");
            let (digits, scale) = plain.to_field(unit);
            let found = Decimal::new(digits, u32::from(scale));
            assert_eq!(Some(found), to_field(number, unit), "{text}");
            for bound in ["0", "45.53", "119", "123456789012345678901.5"] {
                let bound: Decimal = bound.parse().unwrap();
                assert_eq!(plain.cmp(&bound), number.cmp(&bound), "{text} and {bound}");
            }
        }
        match parse(text, unit, mark) {
            Number::Missing => "missing".to_owned(),
            Number::Invalid => "invalid".to_owned(),
            Number::Value(number, _) => number.to_string(),
        }
    }

    #[test]
    fn numbers_as_vendors_write_them() {
        for (text, unit, want) in [
            ("45.53", Percent, "45.53"),
            ("45.530", Percent, "45.530"),
            ("007", Percent, "7"),
            ("0", Percent, "0"),
            ("-0", Percent, "0"),
            (" 34.5 % ", Percent, "34.5"),
            ("+34.5%", Percent, "34.5"),
            ("-24.11", Percent, "-24.11"),
            ("25,17", Percent, "25.17"),
            ("1.234,56", Percent, "1234.56"),
            ("1,234.56", Percent, "1234.56"),
            ("1,234,567.8", Percent, "1234567.8"),
            ("1.234.567,8", Percent, "1234567.8"),
            ("1,234", Percent, "1.234"),
            ("1.234", Percent, "1.234"),
            ("1.234.567", Percent, "1234567"),
            ("11.405.000", Percent, "11405000"),
            ("1.23.456", Percent, "invalid"),
            ("1,23.4", Percent, "invalid"),
            ("1.2,3.4", Percent, "invalid"),
            ("0,9939", Percent, "0.9939"),
            (".5", Percent, "0.5"),
            ("5.", Percent, "5"),
            ("1e2", Percent, "100"),
            ("1E+2", Percent, "100"),
            ("1,5e2", Percent, "150"),
            ("2.5e-3", Percent, "0.0025"),
            ("1e28", Percent, "10000000000000000000000000000"),
            ("1e29", Percent, "invalid"),
            ("1e999", Percent, "invalid"),
            ("1e", Percent, "invalid"),
            ("e2", Percent, "invalid"),
            ("12345678901234567890.25", Percent, "12345678901234567890.25"),
            ("0.12345678901234567890123456789", Percent, "invalid"),
            ("753,961", Integer, "753961"),
            ("529.510", Integer, "529510"),
            ("1 234 567", Integer, "1234567"),
            ("1\u{a0}234\u{a0}567", Integer, "1234567"),
            ("1'234'567", Integer, "1234567"),
            ("1\u{2019}234", Integer, "1234"),
            ("1,234,567", Integer, "1234567"),
            ("1.234.567", Integer, "1234567"),
            ("1 234 567,50", Price, "1234567.50"),
            ("1'234.5", Price, "1234.5"),
            ("1 234,567", Price, "1234.567"),
            ("- 1 234 %", Percent, "-1234"),
            // Thirty-seconds, ranges, two numbers in a cell, and grouping that nobody has.
            ("110'18", Price, "invalid"),
            ("4512'25", Price, "invalid"),
            ("4512'250", Price, "invalid"),
            ("110 31", Price, "invalid"),
            ("12 34", Integer, "invalid"),
            ("1 234'567", Integer, "invalid"),
            ("1 2345", Integer, "invalid"),
            ("1'234 567", Integer, "invalid"),
            ("1 234 5", Integer, "invalid"),
            ("1 234.567.890", Integer, "invalid"),
            ("1 .5", Price, "invalid"),
            ("1.5 0", Price, "invalid"),
            ("1.234 567", Price, "invalid"),
            ("'1234", Price, "invalid"),
            ("1,234.0", Integer, "1234.0"),
            ("115328808.0", Integer, "115328808.0"),
            ("12.5", Integer, "12.5"),
            ("0,123", Integer, "0.123"),
            ("1234,567", Integer, "1234.567"),
            ("119.02", Price, "119.02"),
            ("119,02", Price, "119.02"),
            ("1,234", Price, "invalid"),
            ("1,234.50", Price, "1234.50"),
            ("1.234", Price, "1.234"),
            ("0.2411", Fraction, "0.2411"),
            ("24.11%", Fraction, "invalid"),
            ("$181.18", Price, "181.18"),
            ("-$0.12", Price, "-0.12"),
            ("1.181,18 €", Price, "1181.18"),
            ("£1,181", Price, "invalid"),
        ] {
            assert_eq!(shown(text, unit, Auto), want, "{text} as {unit:?}");
        }
    }

    #[test]
    fn numbers_tell_of_their_marks() {
        use Marked::{Doubtful, Grouped, Not, Sure};
        for (text, unit, want) in [
            ("998", Price, Not),
            ("998.50", Price, Sure(b'.')),
            ("998,50", Price, Sure(b',')),
            ("1.012", Price, Doubtful(b'.')),
            ("\u{a0}1.012", Price, Doubtful(b'.')),
            ("1,012", Percent, Doubtful(b',')),
            ("0.998", Price, Sure(b'.')),
            ("1012.125", Price, Sure(b'.')),
            ("1.001,25", Price, Sure(b',')),
            ("1 012,125", Price, Sure(b',')),
            ("1.234.567", Price, Sure(b',')),
            ("529.510", Integer, Grouped(b'.')),
            ("753,961", Integer, Grouped(b',')),
            ("1,753,961", Integer, Sure(b'.')),
            ("1834.000", Integer, Sure(b'.')),
        ] {
            let Number::Value(_, marked) = parse(text, unit, Auto) else { panic!("{text}") };
            assert_eq!(marked, want, "{text}");
        }
    }

    #[test]
    fn a_mapping_may_say_which_mark_is_decimal() {
        for (text, unit, mark, want) in [
            ("1,234", Price, Point, "1234"),
            ("1,234", Price, Comma, "1.234"),
            ("1.234", Price, Comma, "1234"),
            ("12.34", Price, Comma, "invalid"),
            ("12,34", Price, Point, "invalid"),
            ("12,34", Price, Comma, "12.34"),
            ("1.234", Integer, Point, "1.234"),
            ("1.234", Integer, Comma, "1234"),
        ] {
            assert_eq!(shown(text, unit, mark), want, "{text} as {unit:?}, {mark:?}");
        }
    }

    #[test]
    fn words_for_nothing_and_things_that_are_no_number() {
        for text in
            ["", " ", "\u{a0}", "-", " -- ", "N/A", "na", "NULL", "None", "nan", "NaN", "#N/A"]
        {
            assert_eq!(shown(text, Percent, Auto), "missing", "{text:?}");
        }
        for text in [
            "inf", "-inf", "Infinity", "abc", "12a", "--5", "+-5", "5%%", "%", "+", "1_0", "€€5",
            "12\n34", "٣", "1.2.3", ",", ".", "1..2", "0x10", "1e1.5", "5-", "(5)", "$5$", "$",
            "¥5",
        ] {
            assert_eq!(shown(text, Percent, Auto), "invalid", "{text:?}");
            assert_eq!(shown(text, Integer, Auto), "invalid", "{text:?}");
            assert_eq!(shown(text, Price, Auto), "invalid", "{text:?}");
        }
        assert_eq!(shown("$5", Integer, Auto), "invalid");
        assert_eq!(shown(&"1".repeat(65), Percent, Auto), "invalid");
        assert_eq!(shown("5 %", Integer, Auto), "5");
    }

    #[test]
    fn only_whole_numbers_fit_whole_columns() {
        let number = |text| value::parse_plain(text).unwrap();
        assert_eq!(to_field(number("45.53"), Percent).unwrap().to_string(), "0.4553");
        assert_eq!(to_field(number("5.0"), Integer).unwrap().to_string(), "5.0");
        assert_eq!(to_field(number("5.1"), Integer), None);
        let tiny = Decimal::new(1, 27);
        assert_eq!(to_field(tiny, Percent), None);
    }
}
