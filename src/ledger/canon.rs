//! An event's canonical bytes: what is hashed, independent of packing and compression.
//!
//! The layout is documented with worked examples in `FORMAT.md`; whoever can read that can check
//! a ledger. It never changes for events of version 1.

use super::error::LedgerError;
use crate::domain::rows::{Place, Row, value_count};
use crate::domain::value::form;
use crate::domain::{Day, Field, Op, Reject, Rows, Series, Symbol, Value, ValueRef, series};
use rust_decimal::Decimal;

/// First byte of an event of a daily series: the version of this layout.
pub const VERSION: u8 = 1;

/// First byte of a `put` or `retract` event whose key has an item: as version 1, with the item
/// (text) after the day.
pub const VERSION_ITEM: u8 = 2;

const OP_PUT: u8 = 0;
const OP_RETRACT: u8 = 1;
const OP_REJECT: u8 = 2;

/// Field code of a field kept under its own name.
const NAMED: u64 = 0;

/// Appends an unsigned LEB128 number.
pub fn put_uint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number: zigzag, then LEB128.
fn put_int(out: &mut Vec<u8>, value: i128) {
    put_uint(out, ((value << 1) ^ (value >> 127)) as u128);
}

/// As [`put_uint`], for what fits a word: nearly every number.
fn put_word(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// As [`put_int`], for what fits a word.
fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_word(out, ((value << 1) ^ (value >> 63)) as u64);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_word(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_field(out: &mut Vec<u8>, field: &Field) {
    match field {
        Field::Known(code) => put_word(out, u64::from(*code)),
        Field::DateMark => put_uint(out, u128::from(series::DATE_MARK)),
        Field::SymbolMark => put_uint(out, u128::from(series::SYMBOL_MARK)),
        Field::Named(name) => {
            put_uint(out, u128::from(NAMED));
            put_text(out, name);
        }
    }
}

/// Appends the canonical bytes of a `put` or `retract` event.
pub fn put_row(out: &mut Vec<u8>, row: Row<'_>) {
    let head = row.head;
    let op = match head.op {
        Op::Put => OP_PUT,
        Op::Retract => OP_RETRACT,
    };
    let version = if row.item.is_empty() { VERSION } else { VERSION_ITEM };
    out.extend_from_slice(&[version, op, head.series.code()]);
    put_word(out, u64::from(head.source));
    put_word(out, head.offset);
    put_word(out, u64::from(head.len));
    put_word(out, u64::from(head.line));
    put_text(out, row.symbol.as_str());
    put_signed(out, i64::from(head.day.0));
    if !row.item.is_empty() {
        put_text(out, row.item);
    }
    put_word(out, row.shape.len() as u64);
    let mut values = row.values.refs();
    for field in row.shape {
        put_field(out, field);
        if field.is_mark() || head.op == Op::Retract {
            continue;
        }
        match values.next().unwrap_or(ValueRef::Other(&Value::Null)) {
            ValueRef::Decimal(digits, scale) => {
                out.push(scale);
                put_signed(out, digits);
            }
            ValueRef::Other(value) => put_value(out, value),
        }
    }
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    out.push(value.form());
    match value {
        Value::Dec(decimal) => put_int(out, decimal.mantissa()),
        Value::Num(text) | Value::Text(text) | Value::Json(text) => put_text(out, text),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Appends the canonical bytes of a `reject` event.
pub fn put_reject(out: &mut Vec<u8>, reject: &Reject) {
    out.extend_from_slice(&[VERSION, OP_REJECT, reject.series.code()]);
    put_uint(out, u128::from(reject.source));
    put_uint(out, u128::from(reject.offset));
    put_uint(out, u128::from(reject.len));
    put_uint(out, u128::from(reject.line));
    put_text(out, &reject.code);
    put_text(out, &reject.raw);
}

/// Reads canonical bytes back; used for blocks that hold events uncompressed.
struct Reader<'a> {
    bytes: &'a [u8],
}

type Read<T> = Result<T, LedgerError>;

fn malformed() -> LedgerError {
    LedgerError::Malformed { what: "an event's canonical bytes" }
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.bytes.split_first().ok_or_else(malformed)?;
        self.bytes = rest;
        Ok(*first)
    }

    fn uint(&mut self) -> Read<u128> {
        let mut value = 0u128;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // One encoding a number, else two byte strings could mean one event.
                return if byte == 0 && shift > 0 { Err(malformed()) } else { Ok(value) };
            }
        }
        Err(malformed())
    }

    fn number<T: TryFrom<u128>>(&mut self) -> Read<T> {
        T::try_from(self.uint()?).map_err(|_| malformed())
    }

    fn int(&mut self) -> Read<i128> {
        let zigzag = self.uint()?;
        Ok((zigzag >> 1) as i128 ^ -((zigzag & 1) as i128))
    }

    fn text(&mut self) -> Read<&'a str> {
        let length: usize = self.number()?;
        let (text, rest) = self.bytes.split_at_checked(length).ok_or_else(malformed)?;
        self.bytes = rest;
        std::str::from_utf8(text).map_err(|_| malformed())
    }

    fn field(&mut self) -> Read<Field> {
        match self.number::<u16>()? {
            0 => Ok(Field::Named(self.text()?.into())),
            series::DATE_MARK => Ok(Field::DateMark),
            series::SYMBOL_MARK => Ok(Field::SymbolMark),
            code => Ok(Field::Known(code)),
        }
    }

    fn value(&mut self) -> Read<Value> {
        Ok(match self.byte()? {
            scale @ 0..=28 => {
                let mantissa = self.int()?;
                let decimal = Decimal::try_from_i128_with_scale(mantissa, u32::from(scale));
                Value::Dec(decimal.map_err(|_| malformed())?)
            }
            form::NULL => Value::Null,
            form::FALSE => Value::Bool(false),
            form::TRUE => Value::Bool(true),
            form::NUM => Value::Num(self.text()?.into()),
            form::TEXT => Value::Text(self.text()?.into()),
            form::JSON => Value::Json(self.text()?.into()),
            _ => return Err(malformed()),
        })
    }
}

/// Reads one event's canonical bytes into `rows` or `rejects`.
pub fn read_event(
    seq: u32,
    bytes: &[u8],
    rows: &mut Rows,
    rejects: &mut Vec<Reject>,
) -> Result<(), LedgerError> {
    let mut reader = Reader { bytes };
    let version = reader.byte()?;
    if version != VERSION && version != VERSION_ITEM {
        return Err(malformed());
    }
    let op = reader.byte()?;
    let series = Series::from_code(reader.byte()?).ok_or_else(malformed)?;
    let source = reader.number()?;
    let offset = reader.number()?;
    let len = reader.number()?;
    let line = reader.number()?;
    if op == OP_REJECT {
        if version != VERSION {
            return Err(malformed());
        }
        let (code, raw) = (reader.text()?.into(), reader.text()?.into());
        rejects.push(Reject { seq, source, line, offset, len, series, code, raw });
    } else {
        let op = match op {
            OP_PUT => Op::Put,
            OP_RETRACT => Op::Retract,
            _ => return Err(malformed()),
        };
        let symbol = Symbol::exact(reader.text()?).map_err(|_| malformed())?;
        let day = Day(reader.int()?.try_into().map_err(|_| malformed())?);
        let item = if version == VERSION_ITEM { reader.text()? } else { "" };
        if version == VERSION_ITEM && item.is_empty() {
            return Err(malformed());
        }
        let count: usize = reader.number()?;
        let (mut shape, mut values) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let field = reader.field()?;
            if op == Op::Put && !field.is_mark() {
                values.push(reader.value()?);
            }
            shape.push(field);
        }
        debug_assert_eq!(values.len(), value_count(op, &shape));
        let (symbol, shape) = (rows.intern_symbol(&symbol), rows.intern_shape(&shape));
        let place = Place { seq, source, line, offset, len };
        rows.push(place, series, op, symbol, day, shape, values);
        let item = rows.intern_item(item);
        rows.set_item(item);
    }
    if reader.bytes.is_empty() { Ok(()) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Rows, Vec<Reject>) {
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
        let shape = rows.intern_shape(&[
            Field::Known(10),
            Field::DateMark,
            Field::of(Series::Iv, "naïve key"),
            Field::Known(19),
        ]);
        let wide = Value::from_json_number("-79228162514264337593543950335");
        let values = [
            Value::from_json_number("0.24109999999999998"),
            Value::Json("[1, {\"a\":2}]".into()),
            wide,
        ];
        let place = Place { seq: 0, source: 3, line: 70_000, offset: 5_000_000_000, len: 46 };
        rows.push(place, Series::Iv, Op::Put, symbol, Day(-5), shape, values);
        let all = rows.intern_shape(&[]);
        rows.push(Place { seq: 1, ..place }, Series::Iv, Op::Retract, symbol, Day(9), all, []);
        rows.push(Place { seq: 3, ..place }, Series::Bars, Op::Retract, symbol, Day(9), all, []);
        let item = rows.intern_item("1minute 09:30");
        rows.set_item(item);
        let code = "invalid_date".into();
        let raw = "2025-02-30,1".into();
        let series = Series::Iv;
        let reject = Reject { seq: 2, source: 0, line: 9, offset: 1, len: 2, series, code, raw };
        (rows, vec![reject])
    }

    #[test]
    fn canonical_bytes_read_back_and_every_truncation_is_refused() {
        let (rows, rejects) = sample();
        for row in rows.iter() {
            let mut bytes = Vec::new();
            put_row(&mut bytes, row);
            let (mut back, mut none) = (Rows::new(), Vec::new());
            read_event(row.head.seq, &bytes, &mut back, &mut none).unwrap();
            let again = back.get(0).unwrap();
            assert_eq!((again.symbol, again.shape), (row.symbol, row.shape));
            assert_eq!(again.item, row.item);
            assert_eq!(again.values, row.values);
            assert_eq!(again.head.offset, row.head.offset);
            for cut in 0..bytes.len() {
                let mut rows = Rows::new();
                assert!(read_event(0, &bytes[..cut], &mut rows, &mut none).is_err(), "{cut}");
            }
        }
        let mut bytes = Vec::new();
        put_reject(&mut bytes, &rejects[0]);
        let mut back = Vec::new();
        read_event(2, &bytes, &mut Rows::new(), &mut back).unwrap();
        assert_eq!(back, rejects);
    }

    #[test]
    fn every_form_of_a_value_reads_back() {
        let texts = ["0.45530", "-7", "-0.0", "1e-05", "-0.0000000000000000000000000001"];
        let numbers = texts.map(Value::from_json_number);
        let flags = [Value::Null, Value::Bool(true), Value::Bool(false)];
        let texts = [Value::Text("naïve".into()), Value::Json("[1]".into())];
        let values: Vec<Value> = numbers.into_iter().chain(flags).chain(texts).collect();
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"A".parse().unwrap());
        let fields = (0..values.len()).map(|n| Field::of(Series::Iv, &format!("field {n}")));
        let shape = rows.intern_shape(&fields.collect::<Vec<_>>());
        let place = Place { seq: 0, source: 0, line: 1, offset: 0, len: 1 };
        rows.push(place, Series::Iv, Op::Put, symbol, Day(0), shape, values.clone());
        let mut bytes = Vec::new();
        put_row(&mut bytes, rows.get(0).unwrap());
        let (mut back, mut none) = (Rows::new(), Vec::new());
        read_event(0, &bytes, &mut back, &mut none).unwrap();
        // Printed, since equality of decimals leaves out their digits.
        let back: Vec<Value> = back.get(0).unwrap().values.iter().collect();
        assert_eq!(format!("{back:?}"), format!("{values:?}"));
    }

    #[test]
    fn bytes_that_no_event_has_are_refused() {
        let (rows, rejects) = sample();
        let refused =
            |bytes: &[u8]| read_event(0, bytes, &mut Rows::new(), &mut Vec::new()).is_err();
        let of = |index: usize| {
            let mut bytes = Vec::new();
            put_row(&mut bytes, rows.get(index).unwrap());
            bytes
        };
        let mut reject = Vec::new();
        put_reject(&mut reject, &rejects[0]);
        for bytes in [of(0), of(1), of(2), reject.clone()] {
            assert!(!refused(&bytes));
            let with = |at: usize, byte: u8| {
                let mut other = bytes.clone();
                other[at] = byte;
                other
            };
            for version in (0..=u8::MAX).filter(|version| *version != bytes[0]) {
                assert!(refused(&with(0, version)), "version {version}");
            }
            assert!(refused(&with(1, OP_REJECT + 1)), "an operation that does not exist");
            assert!(refused(&with(2, 0xff)), "a series that does not exist");
            assert!(refused(&[&bytes[..], &[0]].concat()), "more than an event");
        }
        // A number has one spelling: no zeros that lead.
        let source = 3;
        assert_eq!(of(1)[source], 3);
        let long = [&of(1)[..source], &[0x83, 0x00], &of(1)[source + 1..]].concat();
        assert!(refused(&long), "3 in two bytes");
    }

    #[test]
    fn a_daily_iv_row_fits_one_compression() {
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"GOOGL".parse().unwrap());
        let codes = [10, 11, 40, 43, 12].map(Field::Known);
        let shape = rows.intern_shape(&codes);
        let texts = ["0.4553", "0.4412", "0.3821", "0.3512", "1234567"];
        let place = Place { seq: 0, source: 0, line: 999_999, offset: 45_000_000, len: 47 };
        let values = texts.map(Value::from_json_number);
        rows.push(place, Series::Iv, Op::Put, symbol, Day(20_000), shape, values);
        let mut bytes = Vec::new();
        put_row(&mut bytes, rows.get(0).unwrap());
        assert!(bytes.len() < 64, "{}", bytes.len());
    }
}
