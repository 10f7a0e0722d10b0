//! The values of many events in little room: a byte for what each one is, a word for its digits.
//!
//! Nearly every value is a decimal of a few digits. Held as [`Value`]s, they are most of what an import
//! moves through memory; here one takes nine bytes, and columns are made of them without a look at each.

use super::Value;
use super::value::{WIDEST, form};
use rust_decimal::Decimal;

/// The form of a value that is no decimal of a word stands with its kind; this marks a decimal whose
/// digits need more than a word.
const WIDE: u8 = 0x80;

/// Values, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// What each is: see [`form`]; with [`WIDE`] where it stands among the others.
    forms: Vec<u8>,
    /// The digits of each, or its index among the others.
    words: Vec<i64>,
    /// What a word cannot hold: texts, and decimals of many digits.
    others: Vec<Value>,
}

/// A value as it is held.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A decimal: its digits, and how many of them stand after the point.
    Decimal(i64, u8),
    /// Any other.
    Other(&'a Value),
}

impl ValueRef<'_> {
    /// The value.
    #[inline]
    pub fn get(self) -> Value {
        match self {
            Self::Decimal(digits, scale) => Value::Dec(Decimal::new(digits, u32::from(scale))),
            Self::Other(value) => value.clone(),
        }
    }

    /// As [`Value::same_meaning`].
    pub fn same_meaning(self, other: Self) -> bool {
        match (self, other) {
            (Self::Decimal(a, scale), Self::Decimal(b, of)) if scale == of => a == b,
            _ => self.get().same_meaning(&other.get()),
        }
    }
}

/// How many values there were, to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize);

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.forms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// Forgets all, and keeps the room for them.
    pub fn clear(&mut self) {
        self.forms.clear();
        self.words.clear();
        self.others.clear();
    }

    /// Bytes of the texts among them.
    pub fn text_bytes(&self) -> usize {
        let bytes = |value: &Value| match value {
            Value::Num(text) | Value::Text(text) | Value::Json(text) => text.len(),
            Value::Null | Value::Bool(_) | Value::Dec(_) => 0,
        };
        self.others.iter().map(bytes).sum()
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, count: usize) {
        self.forms.reserve(count);
        self.words.reserve(count);
    }

    /// Where it ends now.
    pub fn mark(&self) -> Mark {
        Mark(self.forms.len(), self.others.len())
    }

    /// Forgets what came after a mark.
    pub fn back_to(&mut self, Mark(count, others): Mark) {
        self.forms.truncate(count);
        self.words.truncate(count);
        self.others.truncate(others);
    }

    /// Adds a decimal of at most 28 places.
    #[inline]
    pub fn push_decimal(&mut self, digits: i64, scale: u8) {
        debug_assert!(scale <= WIDEST);
        self.forms.push(scale);
        self.words.push(digits);
    }

    /// Adds a value.
    pub fn push(&mut self, value: Value) {
        let (form, word) = self.held(value);
        self.forms.push(form);
        self.words.push(word);
    }

    /// The form and word of a value; what a word cannot hold is kept.
    fn held(&mut self, value: Value) -> (u8, i64) {
        let form = value.form();
        let mut keep = |value| {
            self.others.push(value);
            (self.others.len() - 1) as i64
        };
        match value {
            Value::Null | Value::Bool(_) => (form, 0),
            Value::Dec(decimal) => match i64::try_from(decimal.mantissa()) {
                Ok(digits) => (form, digits),
                Err(_) => (form | WIDE, keep(value)),
            },
            Value::Num(_) | Value::Text(_) | Value::Json(_) => (form, keep(value)),
        }
    }

    /// Adds the values of another pool.
    #[inline]
    pub fn append(&mut self, more: Cells<'_>) {
        if more.others.is_empty() {
            self.forms.extend_from_slice(more.forms);
            self.words.extend_from_slice(more.words);
        } else {
            more.refs().for_each(|value| self.push_ref(value));
        }
    }

    /// Adds of rows of `width` values the ones in some columns, row by row.
    pub fn extend_columns(&mut self, rows: Cells<'_>, width: usize, columns: &[usize]) {
        let width = width.max(1);
        if rows.others.is_empty() {
            let (forms, words) = (rows.forms.chunks_exact(width), rows.words.chunks_exact(width));
            for (forms, words) in forms.zip(words) {
                for column in columns {
                    self.forms.push(forms.get(*column).copied().unwrap_or(form::NULL));
                    self.words.push(words.get(*column).copied().unwrap_or(0));
                }
            }
            return;
        }
        for row in 0..rows.len() / width {
            for column in columns {
                match rows.get_ref(row * width + column) {
                    Some(value) => self.push_ref(value),
                    None => self.push(Value::Null),
                }
            }
        }
    }

    /// Adds a value of another pool.
    #[inline]
    pub fn push_ref(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Decimal(digits, scale) => self.push_decimal(digits, scale),
            ValueRef::Other(value) => self.push(value.clone()),
        }
    }

    /// Some neighbouring values; `None` when there are not so many.
    #[inline]
    pub fn slice(&self, first: usize, count: usize) -> Option<Cells<'_>> {
        let range = first..first.checked_add(count)?;
        let (forms, words) = (self.forms.get(range.clone())?, self.words.get(range)?);
        Some(Cells { forms, words, others: &self.others })
    }

    /// All of them.
    pub fn all(&self) -> Cells<'_> {
        Cells { forms: &self.forms, words: &self.words, others: &self.others }
    }

    /// Adds `rows` rows of `width` values each, to be filled column by column; until then each is null.
    pub fn add_rows(&mut self, rows: usize, width: usize) -> Filling<'_> {
        let first = self.len();
        self.forms.resize(first + rows * width, form::NULL);
        self.words.resize(first + rows * width, 0);
        Filling { values: self, first, width }
    }
}

impl Extend<Value> for Values {
    fn extend<I: IntoIterator<Item = Value>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

/// Rows of values that are filled column by column.
#[derive(Debug)]
pub struct Filling<'a> {
    values: &'a mut Values,
    first: usize,
    width: usize,
}

impl Filling<'_> {
    /// Fills a column with decimals of one scale, as long as there are any.
    pub fn decimals(&mut self, column: usize, scale: u8, digits: impl Iterator<Item = i64>) {
        let from = self.first + column;
        let forms = self.values.forms.get_mut(from..).unwrap_or_default();
        let words = self.values.words.get_mut(from..).unwrap_or_default();
        let places = forms.iter_mut().step_by(self.width).zip(words.iter_mut().step_by(self.width));
        for ((form, word), digits) in places.zip(digits) {
            (*form, *word) = (scale, digits);
        }
    }

    /// Puts a decimal into its row and column.
    #[inline]
    pub fn put_decimal(&mut self, row: usize, column: usize, digits: i64, scale: u8) {
        let at = self.first + row * self.width + column;
        if let (Some(form), Some(word)) =
            (self.values.forms.get_mut(at), self.values.words.get_mut(at))
        {
            (*form, *word) = (scale, digits);
        }
    }

    /// Puts a value into its row and column.
    pub fn put(&mut self, row: usize, column: usize, value: Value) {
        let (form, word) = self.values.held(value);
        self.put_decimal(row, column, word, form);
    }
}

/// Neighbouring values, borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cells<'a> {
    forms: &'a [u8],
    words: &'a [i64],
    others: &'a [Value],
}

impl<'a> Cells<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.forms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<Value> {
        self.get_ref(index).map(ValueRef::get)
    }

    /// One of them, as it is held.
    #[inline]
    pub fn get_ref(&self, index: usize) -> Option<ValueRef<'a>> {
        Some(self.held(*self.forms.get(index)?, *self.words.get(index)?))
    }

    /// All of them, as they are held.
    #[inline]
    pub fn refs(self) -> impl Iterator<Item = ValueRef<'a>> + Clone {
        self.forms.iter().zip(self.words).map(move |(form, word)| self.held(*form, *word))
    }

    /// The forms and digits of a column of rows of `width` values each, as long as all of it are
    /// decimals of a word.
    pub fn decimals(&self, column: usize, width: usize) -> Option<(Vec<u8>, Vec<i64>)> {
        let forms: Vec<u8> = self.forms.iter().skip(column).step_by(width).copied().collect();
        let digits = || self.words.iter().skip(column).step_by(width).copied().collect();
        forms.iter().all(|form| *form <= WIDEST).then(|| (forms, digits()))
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Value> + Clone {
        self.refs().map(ValueRef::get)
    }

    #[inline]
    fn held(&self, form: u8, word: i64) -> ValueRef<'a> {
        const NULL: &Value = &Value::Null;
        match form {
            0..=WIDEST => ValueRef::Decimal(word, form),
            form::NULL => ValueRef::Other(NULL),
            form::FALSE => ValueRef::Other(&Value::Bool(false)),
            form::TRUE => ValueRef::Other(&Value::Bool(true)),
            _ => ValueRef::Other(self.others.get(word as usize).unwrap_or(NULL)),
        }
    }
}

impl PartialEq for Cells<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Value> {
        let numbers = ["0.4553", "-7", "1.00", "79228162514264337593543950335", "-0.0", "1e-05"];
        let edges = [i64::MIN, i64::MAX].map(|n| Value::Dec(Decimal::new(n, 28)));
        let others = [Value::Null, Value::Bool(true), Value::Bool(false)];
        let texts = [Value::Text("naïve".into()), Value::Json("[1]".into())];
        let numbers = numbers.map(Value::from_json_number);
        numbers.into_iter().chain(edges).chain(others).chain(texts).collect()
    }

    /// Values with their digits, which equality leaves out.
    fn said(values: Cells<'_>) -> Vec<String> {
        values.iter().map(|value| format!("{value:?}")).collect()
    }

    #[test]
    fn values_come_back_to_the_digit_from_everywhere() {
        let (samples, mut values) = (samples(), Values::default());
        values.extend(samples.clone());
        let want: Vec<String> = samples.iter().map(|value| format!("{value:?}")).collect();
        assert_eq!(said(values.all()), want);
        let mut more = Values::default();
        more.push(Value::Text("before".into()));
        let mark = more.mark();
        more.append(values.all());
        assert_eq!(said(more.slice(1, samples.len()).unwrap()), want);
        more.back_to(mark);
        // Other ones than those that stood there.
        more.append(values.slice(1, 3).unwrap());
        more.push(samples[12].clone());
        assert_eq!(said(more.slice(1, 4).unwrap()), [&want[1..4], &want[12..13]].concat());
        assert!(more.slice(2, 4).is_none() && more.slice(usize::MAX, 2).is_none());
        assert_eq!(more.all().get(0), Some(Value::Text("before".into())));
        more.clear();
        assert!(more.is_empty() && more.others.is_empty());
    }

    #[test]
    fn rows_are_filled_column_by_column() {
        let (samples, mut values) = (samples(), Values::default());
        values.push(Value::Null);
        let count = samples.len();
        let mut rows = values.add_rows(count, 3);
        rows.decimals(0, 2, 1..);
        for (row, value) in samples.iter().enumerate() {
            rows.put(row, 2, value.clone());
        }
        assert_eq!(values.len(), 1 + 3 * count);
        for (row, value) in samples.iter().enumerate() {
            let found = values.slice(1 + 3 * row, 3).unwrap();
            let want = [Value::Dec(Decimal::new(row as i64 + 1, 2)), Value::Null, value.clone()];
            assert_eq!(said(found), want.map(|value| format!("{value:?}")));
        }
    }

    #[test]
    fn columns_of_rows_are_the_same_whatever_else_stands_among_them() {
        let number = |digits: i64| Value::Dec(Decimal::new(digits, 2));
        let text = Value::Text("t".into());
        for odd in [number(9), text, Value::Null] {
            let rows = [number(1), odd.clone(), number(3), number(4), number(5), odd.clone()];
            let mut values = Values::default();
            values.extend(rows);
            let mut picked = Values::default();
            picked.extend_columns(values.all(), 3, &[2, 1]);
            let want = [number(3), odd.clone(), odd.clone(), number(5)];
            assert_eq!(said(picked.all()), want.map(|value| format!("{value:?}")));
        }
    }

    #[test]
    fn cells_are_equal_when_all_of_them_mean_the_same() {
        let of = |texts: &[&str]| {
            let mut values = Values::default();
            values.extend(texts.iter().map(|text| Value::from_json_number(text)));
            values
        };
        let (one, same) = (of(&["0.5", "1e-05"]), of(&["0.50", "1e-05"]));
        assert_eq!(one.all(), same.all());
        for other in [&["0.5"][..], &["0.5", "1e-06"], &["0.6", "1e-05"], &["0.5", "1e-05", "1"]] {
            assert_ne!(one.all(), of(other).all());
        }
    }

    #[test]
    fn values_as_they_are_held_mean_what_they_are() {
        let (samples, mut values) = (samples(), Values::default());
        values.extend(samples.clone());
        values.push(Value::from_json_number("-7.00"));
        let all: Vec<Value> = values.all().iter().collect();
        for (a, of) in all.iter().zip(values.all().refs()) {
            for (b, other) in all.iter().zip(values.all().refs()) {
                assert_eq!(of.same_meaning(other), a.same_meaning(b), "{a:?} {b:?}");
            }
        }
    }
}
