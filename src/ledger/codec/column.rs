//! One column of a block: its numbers, or the values of one field, and back.

use super::super::error::LedgerError;
use super::columns::malformed;
use super::packed;
use super::v1::{BytesV1, ColumnV1, DigitsV1, IntsV1};
use super::v2::{ColumnV2, DigitsV2};
use crate::domain::value::{WIDEST, form};
use crate::domain::values::Filling;
use crate::domain::{Cells, Value, ValueRef, Values};
use rust_decimal::Decimal;

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

/// The values of a column while they are gathered.
#[derive(Default)]
pub(super) struct Gathered {
    forms: Vec<u8>,
    /// The digits of the decimals, as long as 64 bits suffice for each.
    digits: Vec<i64>,
    /// All of them, once 64 bits did not.
    wide: Vec<i128>,
    texts: Vec<String>,
}

impl Gathered {
    #[inline]
    pub(super) fn push(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Decimal(digits, scale) => {
                self.forms.push(scale);
                match self.wide.is_empty() {
                    true => self.digits.push(digits),
                    false => self.wide.push(i128::from(digits)),
                }
            }
            ValueRef::Other(value) => self.push_other(value),
        }
    }

    fn push_other(&mut self, value: &Value) {
        self.forms.push(value.form());
        match value {
            Value::Dec(decimal) => {
                let before = self.digits.drain(..).map(i128::from);
                self.wide.extend(before);
                self.wide.push(decimal.mantissa());
            }
            Value::Num(text) | Value::Text(text) | Value::Json(text) => {
                self.texts.push(text.to_string());
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Room for so many values.
    pub(super) fn with_capacity(count: usize) -> Self {
        let (forms, digits) = (Vec::with_capacity(count), Vec::with_capacity(count));
        Self { forms, digits, ..Self::default() }
    }

    /// A column of rows of `width` values each.
    pub(super) fn of_column(values: Cells<'_>, column: usize, width: usize) -> Self {
        if let Some((forms, digits)) = values.decimals(column, width) {
            return Self { forms, digits, ..Self::default() };
        }
        let mut gathered = Self::with_capacity(values.len() / width.max(1));
        values.refs().skip(column).step_by(width.max(1)).for_each(|value| gathered.push(value));
        gathered
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.forms.len()
    }

    /// Brings the digits to the column's largest scale; not where 64 bits cannot say them.
    fn aligned(&mut self) -> bool {
        if !self.wide.is_empty() {
            return false;
        }
        // Most columns have one form.
        if self.forms.iter().all(|form| Some(form) == self.forms.first()) {
            return true;
        }
        let scales = || self.forms.iter().copied().filter(|form| *form <= WIDEST);
        let Some(scale) = scales().max() else { return true };
        if scales().all(|own| own == scale) {
            return true;
        }
        let surplus = surplus_to(scale);
        let aligned = scales().zip(&self.digits).map(|(own, digits)| {
            let surplus = surplus.get(usize::from(own)).filter(|surplus| **surplus > 0)?;
            digits.checked_mul(*surplus)
        });
        let Some(aligned) = aligned.collect() else { return false };
        self.digits = aligned;
        true
    }

    /// The digits as they are, each as the difference to the one before.
    fn plain(self) -> (Vec<u8>, Vec<i128>, Vec<String>) {
        let digits = if self.wide.is_empty() {
            self.digits.into_iter().map(i128::from).collect()
        } else {
            self.wide
        };
        let mut before = 0i128;
        let differences = digits
            .into_iter()
            .map(|digits: i128| digits.wrapping_sub(std::mem::replace(&mut before, digits)));
        (self.forms, differences.collect(), self.texts)
    }

    pub(super) fn packed(mut self) -> ColumnV2 {
        if self.aligned() {
            let count = self.digits.len() as u32;
            let digits = DigitsV2::Aligned(count, packed::pack(&mut self.digits));
            return ColumnV2 { digits, texts: self.texts, forms: pack_bytes(self.forms) };
        }
        let (forms, digits, texts) = self.plain();
        ColumnV2 { digits: DigitsV2::Plain(digits), texts, forms: pack_bytes(forms) }
    }
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
        let scale = forms.iter().copied().filter(|form| *form <= WIDEST).max().unwrap_or(0);
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
    pub(super) fn next_to(&mut self, values: &mut Values) -> Option<()> {
        let form = self.forms.next()?;
        match self.digits(form)? {
            Some(digits) => values.push_decimal(digits, form),
            None => values.push(self.other(form)?),
        }
        Some(())
    }

    /// Fills a column of `count` rows with the next values.
    pub(super) fn fill(
        &mut self,
        rows: &mut Filling<'_>,
        column: usize,
        count: usize,
    ) -> Option<()> {
        // Most columns have one scale.
        if let (Bytes::Same(scale @ 0..=WIDEST), Digits::Aligned(sum, deltas)) =
            (&self.forms, &mut self.digits)
        {
            let next = |delta| {
                *sum = sum.wrapping_add(delta);
                *sum
            };
            let enough = deltas.len() >= count;
            rows.decimals(column, *scale, deltas.by_ref().take(count).map(next));
            return enough.then_some(());
        }
        for row in 0..count {
            let form = self.forms.next()?;
            match self.digits(form)? {
                Some(digits) => rows.put_decimal(row, column, digits, form),
                None => rows.put(row, column, self.other(form)?),
            }
        }
        Some(())
    }

    /// The next digits, of a decimal that a word can say; `None` for another form.
    #[inline]
    fn digits(&mut self, form: u8) -> Option<Option<i64>> {
        let (0..=WIDEST, Digits::Aligned(sum, deltas)) = (form, &mut self.digits) else {
            return Some(None);
        };
        *sum = sum.wrapping_add(deltas.next()?);
        Some(Some(match *self.surplus.get(usize::from(form))? {
            1 => *sum,
            // One division: the remainder would be a second one.
            surplus => {
                let digits = sum.checked_div(surplus)?;
                (digits.wrapping_mul(surplus) == *sum).then_some(digits)?
            }
        }))
    }

    /// The next value, of a form that is less usual.
    fn other(&mut self, form: u8) -> Option<Value> {
        Some(match form {
            0..=WIDEST => {
                let Digits::Plain(sum, deltas) = &mut self.digits else { return None };
                *sum = sum.wrapping_add(deltas.next()?);
                Value::Dec(Decimal::try_from_i128_with_scale(*sum, u32::from(form)).ok()?)
            }
            form::NULL => Value::Null,
            form::FALSE => Value::Bool(false),
            form::TRUE => Value::Bool(true),
            form::NUM => Value::Num(self.texts.next()?.into()),
            form::TEXT => Value::Text(self.texts.next()?.into()),
            form::JSON => Value::Json(self.texts.next()?.into()),
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
