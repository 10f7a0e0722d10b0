//! One column of a block: its numbers, or the values of one field, and back.

use super::super::canon;
use super::super::error::LedgerError;
use super::columns::malformed;
use super::v1::{BytesV1, ColumnV1, DigitsV1, IntsV1};
use super::varints::Varints;
use crate::domain::Value;
use rust_decimal::Decimal;

/// Leaves out what a column of equal numbers need not say.
pub(super) fn pack_ints(values: impl Iterator<Item = i64>) -> IntsV1 {
    let values: Vec<i64> = values.collect();
    let first = values.first().copied().unwrap_or(0);
    match values.iter().all(|value| *value == first) {
        true => IntsV1::Same(first),
        false => IntsV1::Deltas(deltas(values)),
    }
}

fn deltas(mut values: Vec<i64>) -> Varints {
    let mut before = 0i64;
    for value in &mut values {
        *value = value.wrapping_sub(std::mem::replace(&mut before, *value));
    }
    Varints(values)
}

/// The numbers of a column, one after the other; a column of equal numbers has no end.
pub(super) enum Ints {
    Same(i64),
    Deltas(i64, std::vec::IntoIter<i64>),
}

impl Iterator for Ints {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        match self {
            Self::Same(value) => Some(*value),
            Self::Deltas(sum, deltas) => {
                *sum = sum.wrapping_add(deltas.next()?);
                Some(*sum)
            }
        }
    }
}

pub(super) fn unpack_ints(ints: IntsV1, count: usize) -> Result<Ints, LedgerError> {
    match ints {
        IntsV1::Same(value) => Ok(Ints::Same(value)),
        IntsV1::Deltas(deltas) if deltas.0.len() == count => {
            Ok(Ints::Deltas(0, deltas.0.into_iter()))
        }
        IntsV1::Deltas(_) => Err(malformed()),
    }
}

pub(super) fn pack_bytes(values: Vec<u8>) -> BytesV1 {
    let first = values.first().copied().unwrap_or(0);
    match values.iter().all(|value| *value == first) {
        true => BytesV1::Same(first),
        false => BytesV1::Each(values),
    }
}

/// As [`Ints`], for small numbers.
pub(super) enum Bytes {
    Same(u8),
    Each(std::vec::IntoIter<u8>),
}

impl Iterator for Bytes {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        match self {
            Self::Same(value) => Some(*value),
            Self::Each(values) => values.next(),
        }
    }
}

pub(super) fn unpack_bytes(bytes: BytesV1, count: usize) -> Result<Bytes, LedgerError> {
    match bytes {
        BytesV1::Same(value) => Ok(Bytes::Same(value)),
        BytesV1::Each(values) if values.len() == count => Ok(Bytes::Each(values.into_iter())),
        BytesV1::Each(_) => Err(malformed()),
    }
}

/// What a decimal of each scale up to `scale` is multiplied with to have that one; 0 where 64 bits
/// cannot say.
fn surplus_to(scale: u8) -> Vec<i64> {
    (0..=scale).map(|own| 10i64.checked_pow(u32::from(scale - own)).unwrap_or(0)).collect()
}

pub(super) fn pack_column(values: &[&Value]) -> ColumnV1 {
    let forms: Vec<u8> = values.iter().map(|value| canon::form(value)).collect();
    let surplus = surplus_to(forms.iter().copied().filter(|form| *form <= 28).max().unwrap_or(0));
    let decimals = || {
        values.iter().filter_map(|value| match value {
            Value::Dec(decimal) => Some(decimal),
            _ => None,
        })
    };
    let aligned = decimals().map(|decimal| {
        let digits = i64::try_from(decimal.mantissa()).ok()?;
        match surplus.get(decimal.scale() as usize) {
            Some(1) => Some(digits),
            // A decimal's minus sign on zero has no place in the digits; such values are texts.
            Some(surplus) if *surplus > 0 => digits.checked_mul(*surplus),
            _ => None,
        }
    });
    let digits = match aligned.collect::<Option<Vec<i64>>>() {
        Some(digits) => DigitsV1::Aligned(deltas(digits)),
        None => {
            let mut before = 0i128;
            let plain = decimals().map(|decimal| {
                let digits = decimal.mantissa();
                digits.wrapping_sub(std::mem::replace(&mut before, digits))
            });
            DigitsV1::Plain(plain.collect())
        }
    };
    let texts = values.iter().filter_map(|value| match value {
        Value::Num(text) | Value::Text(text) | Value::Json(text) => Some(text.to_string()),
        _ => None,
    });
    ColumnV1 { digits, texts: texts.collect(), forms: pack_bytes(forms) }
}

/// The digits of a column's decimals, one after the other.
enum Digits {
    Aligned(i64, std::vec::IntoIter<i64>),
    Plain(i128, std::vec::IntoIter<i128>),
}

/// The values of a column, one after the other.
pub(super) struct Column {
    forms: Bytes,
    digits: Digits,
    surplus: Vec<i64>,
    texts: std::vec::IntoIter<String>,
}

impl Column {
    pub(super) fn of(packed: ColumnV1) -> Self {
        let forms: &[u8] = match &packed.forms {
            BytesV1::Same(form) => std::slice::from_ref(form),
            BytesV1::Each(forms) => forms,
        };
        let scale = forms.iter().copied().filter(|form| *form <= 28).max().unwrap_or(0);
        Self {
            surplus: surplus_to(scale),
            forms: match packed.forms {
                BytesV1::Same(form) => Bytes::Same(form),
                BytesV1::Each(forms) => Bytes::Each(forms.into_iter()),
            },
            digits: match packed.digits {
                DigitsV1::Aligned(digits) => Digits::Aligned(0, digits.0.into_iter()),
                DigitsV1::Plain(digits) => Digits::Plain(0, digits.into_iter()),
            },
            texts: packed.texts.into_iter(),
        }
    }

    /// Adds the next value to `values`; `None` when there is none, or a wrong one.
    ///
    /// Decimals are made where they stay: one that is handed on while it is made costs twice as much.
    #[inline]
    pub(super) fn next_to(&mut self, values: &mut Vec<Value>) -> Option<()> {
        let form = self.forms.next()?;
        if let (0..=28, Digits::Aligned(sum, deltas)) = (form, &mut self.digits) {
            *sum = sum.wrapping_add(deltas.next()?);
            let digits = match *self.surplus.get(usize::from(form))? {
                1 => *sum,
                surplus if sum.checked_rem(surplus)? == 0 => *sum / surplus,
                _ => return None,
            };
            values.push(Value::Dec(Decimal::new(digits, u32::from(form))));
            return Some(());
        }
        values.push(self.other(form)?);
        Some(())
    }

    /// The next value, of a form that is less usual.
    fn other(&mut self, form: u8) -> Option<Value> {
        Some(match form {
            0..=28 => {
                let Digits::Plain(sum, deltas) = &mut self.digits else { return None };
                *sum = sum.wrapping_add(deltas.next()?);
                Value::Dec(Decimal::try_from_i128_with_scale(*sum, u32::from(form)).ok()?)
            }
            canon::FORM_NULL => Value::Null,
            canon::FORM_FALSE => Value::Bool(false),
            canon::FORM_TRUE => Value::Bool(true),
            canon::FORM_NUM => Value::Num(self.texts.next()?.into()),
            canon::FORM_TEXT => Value::Text(self.texts.next()?.into()),
            canon::FORM_JSON => Value::Json(self.texts.next()?.into()),
            _ => return None,
        })
    }

    /// Whether nothing is left, of what has an end.
    pub(super) fn is_spent(&self) -> bool {
        let digits = match &self.digits {
            Digits::Aligned(_, left) => left.len(),
            Digits::Plain(_, left) => left.len(),
        };
        let forms = match &self.forms {
            Bytes::Same(_) => 0,
            Bytes::Each(left) => left.len(),
        };
        (digits, forms, self.texts.len()) == (0, 0, 0)
    }
}
