//! Row events as columns and back: what makes a block small.
//!
//! Each column is a list of differences to the row before, so that neighbouring days and lines
//! become small numbers; decimals are brought to one scale per column first, and keep their own.

use super::super::canon;
use super::super::error::LedgerError;
use super::v1::{BytesV1, ColumnV1, ColumnsV1, DigitsV1, HeadsV1, IntsV1, ItemsV1};
use crate::domain::rows::Head;
use crate::domain::{Day, Field, Op, Row, Rows, Series, Symbol, Value, series};
use rust_decimal::Decimal;
use std::collections::HashMap;

fn malformed() -> LedgerError {
    LedgerError::Malformed { what: "the columns of a block" }
}

fn pack_ints(values: impl Iterator<Item = i64> + Clone) -> IntsV1 {
    let first = values.clone().next().unwrap_or(0);
    if values.clone().all(|value| value == first) {
        return IntsV1::Same(first);
    }
    let mut before = 0i64;
    IntsV1::Deltas(
        values.map(|value| value.wrapping_sub(std::mem::replace(&mut before, value))).collect(),
    )
}

fn unpack_ints(ints: IntsV1, count: usize) -> Result<Vec<i64>, LedgerError> {
    match ints {
        IntsV1::Same(value) => Ok(vec![value; count]),
        IntsV1::Deltas(mut deltas) => {
            if deltas.len() != count {
                return Err(malformed());
            }
            let mut sum = 0i64;
            for value in &mut deltas {
                sum = sum.wrapping_add(*value);
                *value = sum;
            }
            Ok(deltas)
        }
    }
}

fn pack_bytes(values: Vec<u8>) -> BytesV1 {
    let first = values.first().copied().unwrap_or(0);
    match values.iter().all(|value| *value == first) {
        true => BytesV1::Same(first),
        false => BytesV1::Each(values),
    }
}

fn unpack_bytes(bytes: BytesV1, count: usize) -> Result<Vec<u8>, LedgerError> {
    match bytes {
        BytesV1::Same(value) => Ok(vec![value; count]),
        BytesV1::Each(values) if values.len() == count => Ok(values),
        BytesV1::Each(_) => Err(malformed()),
    }
}

fn power_of_ten(exponent: u32) -> Option<i64> {
    10i64.checked_pow(exponent)
}

fn pack_column(values: &[&Value]) -> ColumnV1 {
    let decimals = || {
        values.iter().filter_map(|value| match value {
            Value::Dec(decimal) => Some(decimal),
            _ => None,
        })
    };
    let scale = decimals().map(Decimal::scale).max().unwrap_or(0);
    let aligned = decimals().map(|decimal| {
        let digits = i64::try_from(decimal.mantissa()).ok()?;
        // A decimal's minus sign on zero has no place in the digits; such values are texts.
        digits.checked_mul(power_of_ten(scale - decimal.scale())?)
    });
    let digits = match aligned.collect::<Option<Vec<i64>>>() {
        Some(mut digits) => {
            let mut before = 0i64;
            for value in &mut digits {
                *value = value.wrapping_sub(std::mem::replace(&mut before, *value));
            }
            DigitsV1::Aligned(digits)
        }
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
    let texts = texts.collect();
    let forms = pack_bytes(values.iter().map(|value| canon::form(value)).collect());
    ColumnV1 { forms, digits, texts }
}

/// Puts the values of a column at `places`, of which there are `count`.
fn unpack_column(
    column: ColumnV1,
    count: usize,
    places: impl Iterator<Item = usize>,
    values: &mut [Value],
) -> Result<(), LedgerError> {
    let forms = unpack_bytes(column.forms, count)?;
    let scale = forms.iter().copied().filter(|form| *form <= 28).max().unwrap_or(0);
    let mut texts = column.texts.into_iter();
    let mut text = || texts.next().map(String::into_boxed_str).ok_or_else(malformed);
    let mut aligned = Vec::new().into_iter();
    let mut plain = Vec::new().into_iter();
    let is_aligned = match column.digits {
        DigitsV1::Aligned(digits) => {
            aligned = digits.into_iter();
            true
        }
        DigitsV1::Plain(digits) => {
            plain = digits.into_iter();
            false
        }
    };
    let (mut sum, mut wide) = (0i64, 0i128);
    // What a value of each scale was multiplied with to be aligned; 0 where 64 bits cannot say.
    let surplus: Vec<i64> =
        (0..=scale).map(|form| power_of_ten(u32::from(scale - form)).unwrap_or(0)).collect();
    for (form, place) in forms.into_iter().zip(places) {
        let value = match form {
            0..=28 if is_aligned => {
                sum = sum.wrapping_add(aligned.next().ok_or_else(malformed)?);
                let digits = match surplus.get(usize::from(form)) {
                    Some(1) => sum,
                    Some(0) | None => return Err(malformed()),
                    Some(surplus) if sum % surplus != 0 => return Err(malformed()),
                    Some(surplus) => sum / surplus,
                };
                Value::Dec(Decimal::new(digits, u32::from(form)))
            }
            0..=28 => {
                wide = wide.wrapping_add(plain.next().ok_or_else(malformed)?);
                let decimal = Decimal::try_from_i128_with_scale(wide, u32::from(form));
                Value::Dec(decimal.map_err(|_| malformed())?)
            }
            canon::FORM_NULL => Value::Null,
            canon::FORM_FALSE => Value::Bool(false),
            canon::FORM_TRUE => Value::Bool(true),
            canon::FORM_NUM => Value::Num(text()?),
            canon::FORM_TEXT => Value::Text(text()?),
            canon::FORM_JSON => Value::Json(text()?),
            _ => return Err(malformed()),
        };
        *values.get_mut(place).ok_or_else(malformed)? = value;
    }
    let spent = aligned.next().is_none() && plain.next().is_none() && texts.next().is_none();
    if spent { Ok(()) } else { Err(malformed()) }
}

fn field_code(field: &Field) -> (u16, String) {
    match field {
        Field::Known(code) => (*code, String::new()),
        Field::DateMark => (series::DATE_MARK, String::new()),
        Field::SymbolMark => (series::SYMBOL_MARK, String::new()),
        Field::Named(name) => (0, name.to_string()),
    }
}

fn field_from(code: u16, name: &str) -> Field {
    match code {
        0 => Field::Named(name.into()),
        series::DATE_MARK => Field::DateMark,
        series::SYMBOL_MARK => Field::SymbolMark,
        code => Field::Known(code),
    }
}

/// For each shape, the column of each of its fields that carries a value.
fn column_slots<'a>(shapes: impl Iterator<Item = &'a [Field]>) -> (Vec<Vec<usize>>, usize) {
    let mut known: HashMap<&Field, usize> = HashMap::new();
    let mut slots = Vec::new();
    for shape in shapes {
        let mut of_shape = Vec::new();
        for field in shape.iter().filter(|field| !field.is_mark()) {
            let next = known.len();
            of_shape.push(*known.entry(field).or_insert(next));
        }
        slots.push(of_shape);
    }
    (slots, known.len())
}

/// Packs the rows at `order`, in that order. `batches` is empty, or one batch number per row.
/// `symbols` maps the pool's indices to those of the block.
pub fn pack(rows: &Rows, order: &[u32], batches: &[u32], symbols: &[u32]) -> ColumnsV1 {
    let heads: Vec<_> = order.iter().filter_map(|i| rows.heads().get(*i as usize)).collect();
    let ints = |of: fn(&Head) -> i64| pack_ints(heads.iter().map(move |h| of(h)));

    // Shapes in the order of first use, so that equal events give equal bytes.
    let mut renumbered = vec![u32::MAX; rows.shapes().len()];
    let (mut used, mut shape_of) = (Vec::new(), Vec::with_capacity(heads.len()));
    for head in &heads {
        if let Some(slot) = renumbered.get_mut(head.shape as usize) {
            if *slot == u32::MAX {
                *slot = used.len() as u32;
                used.extend(rows.shapes().get(head.shape as usize));
            }
            shape_of.push(i64::from(*slot));
        }
    }
    let (slots, columns) = column_slots(used.iter().map(|shape| &***shape));
    let mut values: Vec<Vec<&Value>> = vec![Vec::new(); columns];
    for (index, shape) in order.iter().zip(&shape_of) {
        let (Some(row), Some(slots)) = (rows.get(*index as usize), slots.get(*shape as usize))
        else {
            continue;
        };
        for (value, slot) in row.values.iter().zip(slots) {
            if let Some(column) = values.get_mut(*slot) {
                column.push(value);
            }
        }
    }

    let mut end = 0i64;
    let gaps: Vec<i64> = heads
        .iter()
        .map(|head| {
            let gap = (head.offset as i64).wrapping_sub(end);
            end = (head.offset as i64).wrapping_add(i64::from(head.len));
            gap
        })
        .collect();
    let symbol =
        |head: &Head| symbols.get(head.symbol as usize).map_or(0, |index| i64::from(*index));
    let heads = HeadsV1 {
        batches: pack_ints(batches.iter().map(|batch| i64::from(*batch))),
        seqs: ints(|h| i64::from(h.seq)),
        sources: ints(|h| i64::from(h.source)),
        lines: ints(|h| i64::from(h.line)),
        gaps: pack_ints(gaps.iter().copied()),
        lens: ints(|h| i64::from(h.len)),
        ops: pack_bytes(heads.iter().map(|h| u8::from(h.op == Op::Retract)).collect()),
        series: pack_bytes(heads.iter().map(|h| h.series.code()).collect()),
        days: ints(|h| i64::from(h.day.0)),
        symbols: pack_ints(heads.iter().map(|h| symbol(h))),
        shapes: used.iter().map(|shape| shape.iter().map(field_code).collect()).collect(),
        shape: pack_ints(shape_of.iter().copied()),
    };
    ColumnsV1 { heads, columns: values.iter().map(|column| pack_column(column)).collect() }
}

/// Packs the items of the rows at `order`; `None` when none has one.
pub fn pack_items(rows: &Rows, order: &[u32]) -> Option<ItemsV1> {
    let heads = order.iter().filter_map(|index| rows.heads().get(*index as usize));
    if heads.clone().all(|head| head.item == 0) {
        return None;
    }
    let mut renumbered = vec![0i64; rows.items().len() + 1];
    let (mut names, mut item) = (Vec::new(), Vec::with_capacity(order.len()));
    for head in heads {
        let Some(slot) = renumbered.get_mut(head.item as usize) else { continue };
        if *slot == 0 && head.item > 0 {
            names.push(rows.item_of(head).to_owned());
            *slot = names.len() as i64;
        }
        item.push(*slot);
    }
    Some(ItemsV1 { names, item: pack_ints(item.into_iter()) })
}

/// Gives the last `count` rows of `rows` their items.
pub fn unpack_items(packed: ItemsV1, count: usize, rows: &mut Rows) -> Result<(), LedgerError> {
    let mut numbers = vec![0u32];
    for name in &packed.names {
        if name.is_empty() {
            return Err(malformed());
        }
        numbers.push(rows.intern_item(name));
    }
    let items = unpack_ints(packed.item, count)?;
    let first = rows.len().checked_sub(count).ok_or_else(malformed)?;
    for (index, item) in items.iter().enumerate() {
        let number = *numbers.get(narrow::<usize>(*item)?).ok_or_else(malformed)?;
        rows.set_item_at(first + index, number);
    }
    Ok(())
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, LedgerError> {
    T::try_from(value).map_err(|_| malformed())
}

/// Heads that were unpacked, before they have values.
struct Heads {
    heads: Vec<Head>,
    batches: Vec<u32>,
    /// Per shape of the block, the column of each value.
    slots: Vec<Vec<usize>>,
    /// How many columns there are.
    columns: usize,
    /// The shape of each row, among those of the block.
    shape_of: Vec<u32>,
    /// How many values there are.
    values: usize,
}

/// Unpacks everything but the values; the pools of `rows` take in symbols and shapes.
fn unpack_heads(
    packed: HeadsV1,
    count: usize,
    symbols: &[Symbol],
    rows: &mut Rows,
) -> Result<Heads, LedgerError> {
    let batches = unpack_ints(packed.batches, count)?;
    let batches = batches.into_iter().map(narrow).collect::<Result<_, _>>()?;
    let shapes: Vec<Vec<Field>> = packed
        .shapes
        .iter()
        .map(|shape| shape.iter().map(|(code, name)| field_from(*code, name)).collect())
        .collect();
    let (slots, columns) = column_slots(shapes.iter().map(Vec::as_slice));
    let symbol_ids: Vec<u32> = symbols.iter().map(|symbol| rows.intern_symbol(symbol)).collect();
    let shape_ids: Vec<u32> = shapes.iter().map(|shape| rows.intern_shape(shape)).collect();

    let mut heads = Vec::with_capacity(count);
    let mut shape_of = Vec::with_capacity(count);
    let (mut end, mut values) = (0i64, 0usize);
    let places = unpack_ints(packed.seqs, count)?
        .into_iter()
        .zip(unpack_ints(packed.sources, count)?)
        .zip(unpack_ints(packed.lines, count)?)
        .zip(unpack_ints(packed.gaps, count)?)
        .zip(unpack_ints(packed.lens, count)?);
    let kinds = unpack_bytes(packed.ops, count)?
        .into_iter()
        .zip(unpack_bytes(packed.series, count)?)
        .zip(unpack_ints(packed.days, count)?)
        .zip(unpack_ints(packed.symbols, count)?)
        .zip(unpack_ints(packed.shape, count)?);
    for (((((seq, source), line), gap), len), ((((op, code), day), symbol), shape)) in
        places.zip(kinds)
    {
        let offset = end.wrapping_add(gap);
        end = offset.wrapping_add(len);
        let op = match op {
            0 => Op::Put,
            1 => Op::Retract,
            _ => return Err(malformed()),
        };
        let shape: u32 = narrow(shape)?;
        let of_shape = slots.get(shape as usize).ok_or_else(malformed)?;
        heads.push(Head {
            seq: narrow(seq)?,
            source: narrow(source)?,
            line: narrow(line)?,
            offset: narrow(offset)?,
            len: narrow(len)?,
            series: Series::from_code(code).ok_or_else(malformed)?,
            op,
            day: Day(narrow(day)?),
            item: 0,
            symbol: *symbol_ids.get(narrow::<usize>(symbol)?).ok_or_else(malformed)?,
            shape: *shape_ids.get(shape as usize).ok_or_else(malformed)?,
            first: u32::try_from(values).map_err(|_| malformed())?,
        });
        shape_of.push(shape);
        values += if op == Op::Put { of_shape.len() } else { 0 };
    }
    Ok(Heads { heads, batches, slots, columns, shape_of, values })
}

/// Unpacks into `rows`; returns the batch of each row (all 0 in a block).
pub fn unpack(
    packed: ColumnsV1,
    count: usize,
    symbols: &[Symbol],
    rows: &mut Rows,
) -> Result<Vec<u32>, LedgerError> {
    let found = unpack_heads(packed.heads, count, symbols, rows)?;
    if found.columns != packed.columns.len() {
        return Err(malformed());
    }
    let mut values = vec![Value::Null; found.values];
    for (index, column) in packed.columns.into_iter().enumerate() {
        // Where in a row of each shape the column's value stands.
        let within: Vec<Vec<usize>> = found
            .slots
            .iter()
            .map(|slots| (0..slots.len()).filter(|at| slots.get(*at) == Some(&index)).collect())
            .collect();
        let puts = found.heads.iter().zip(&found.shape_of).filter(|(head, _)| head.op == Op::Put);
        let places = puts.flat_map(|(head, shape)| {
            let within = within.get(*shape as usize).map(Vec::as_slice).unwrap_or_default();
            within.iter().map(move |at| head.first as usize + at)
        });
        let count = places.clone().count();
        unpack_column(column, count, places, &mut values)?;
    }
    rows.append(found.heads.into_iter(), values);
    Ok(found.batches)
}

/// Unpacks keys, fields and places into `rows`, and no values.
pub fn unpack_keys(
    packed: HeadsV1,
    count: usize,
    symbols: &[Symbol],
    rows: &mut Rows,
) -> Result<(), LedgerError> {
    let found = unpack_heads(packed, count, symbols, rows)?;
    rows.append(found.heads.into_iter(), Vec::new());
    Ok(())
}

/// The row's order within a block: by series, symbol and day, then as the source had it.
pub fn block_order(rows: &Rows) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    let mut by_name: Vec<u32> = (0..rows.symbols().len() as u32).collect();
    by_name.sort_by_key(|index| rows.symbols().get(*index as usize));
    let mut rank = vec![0u32; by_name.len()];
    for (place, index) in by_name.iter().enumerate() {
        if let Some(slot) = rank.get_mut(*index as usize) {
            *slot = place as u32;
        }
    }
    let key = |index: &u32| {
        let head = rows.heads().get(*index as usize);
        head.map(|h| (h.series, rank.get(h.symbol as usize).copied(), h.day, h.seq))
    };
    // Already in order for the usual file: one pass instead of a sort.
    if !order.is_sorted_by_key(key) {
        order.sort_by_cached_key(key);
    }
    order
}

/// The rows at `order`, cut where the series changes or a block is full.
pub fn cut<'a>(rows: &Rows, order: &'a [u32], most: usize) -> Vec<&'a [u32]> {
    let series = |index: &u32| rows.heads().get(*index as usize).map(|head| head.series);
    let runs = order.chunk_by(|a, b| series(a) == series(b));
    runs.flat_map(|run| run.chunks(most)).collect()
}

/// The symbols of some rows in their order, each once, with the number of their rows.
pub fn symbol_runs(rows: &Rows, order: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for row in order.iter().filter_map(|index| rows.get(*index as usize)) {
        let Row { head, .. } = row;
        match runs.last_mut() {
            Some((symbol, count)) if *symbol == head.symbol => *count += 1,
            _ => runs.push((head.symbol, 1)),
        }
    }
    runs
}
