//! Row events as columns and back: what makes a block small.
//!
//! Each column is a list of differences to the row before, so that neighbouring days and lines
//! become small numbers; decimals are brought to one scale per column first, and keep their own.

use super::super::error::LedgerError;
use super::column::{Column, Gathered, pack_bytes, unpack_bytes, unpack_ints};
use super::packed::{self, IntsV2};
use super::v1::{BytesV1, ColumnsV1, HeadsV1, IntsV1, ItemsV1};
use super::v2::{ColumnV2, ColumnsV2, HeadsV2};
use crate::domain::rows::Head;
use crate::domain::{Day, Field, Op, Row, Rows, Series, Symbol, series};
use std::collections::HashMap;

/// Most events, and with [`MAX_VALUES`] most values, that are read or written at once: a column of equal values is a few
/// bytes however long it is, so a hostile one could ask for any memory. Far above what a block or a
/// chunk of a view comes to.
pub const MAX_EVENTS: usize = 1 << 20;
/// See [`MAX_EVENTS`].
pub const MAX_VALUES: usize = 1 << 24;

pub(super) fn malformed() -> LedgerError {
    LedgerError::Malformed { what: "the columns of a block" }
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

/// The fields of some rows: their shapes in the order of first use, so that equal events give equal
/// bytes, and the values of each field.
pub(super) struct Fields {
    pub(super) shapes: Vec<Vec<(u16, String)>>,
    /// Which of them each row has.
    pub(super) of: Vec<i64>,
    pub(super) columns: Vec<Gathered>,
}

impl Fields {
    pub(super) fn of(rows: &Rows, heads: &[&Head]) -> Self {
        let mut renumbered = vec![u32::MAX; rows.shapes().len()];
        let (mut used, mut of) = (Vec::new(), Vec::with_capacity(heads.len()));
        for head in heads {
            if let Some(slot) = renumbered.get_mut(head.shape as usize) {
                if *slot == u32::MAX {
                    *slot = used.len() as u32;
                    used.extend(rows.shapes().get(head.shape as usize));
                }
                of.push(i64::from(*slot));
            }
        }
        let shapes = used.iter().map(|shape| shape.iter().map(field_code).collect()).collect();
        let (slots, count) = column_slots(used.iter().map(|shape| &***shape));
        let alike = heads.iter().all(|head| head.op == Op::Put) && used.len() == 1;
        // Of rows of one shape, none of whose fields is named twice, each column is a stride.
        if let Some(values) = rows.values_in_order(heads.iter().copied(), count).filter(|_| alike)
            && slots.first().is_some_and(|slots| slots.len() == count)
        {
            let columns = (0..count).map(|slot| Gathered::of_column(values, slot, count)).collect();
            return Self { shapes, of, columns };
        }
        // Most rows may lack a field: room for all of them in each would be as many times what is there.
        let mut columns: Vec<Gathered> = Vec::new();
        columns.resize_with(count, Gathered::default);
        let puts = heads.iter().zip(&of).filter(|(head, _)| head.op == Op::Put);
        for (head, shape) in puts {
            let slots = slots.get(*shape as usize).map(Vec::as_slice).unwrap_or_default();
            for (value, slot) in rows.values_of(head, slots.len()).refs().zip(slots) {
                if let Some(column) = columns.get_mut(*slot) {
                    column.push(value);
                }
            }
        }
        Self { shapes, of, columns }
    }
}

/// Packs the rows of a block, in the order of `order`. `symbols` maps the pool's indices to those of
/// the block.
pub fn pack(rows: &Rows, order: &[u32], symbols: &[u32]) -> ColumnsV2 {
    let heads: Vec<_> = order.iter().filter_map(|i| rows.heads().get(*i as usize)).collect();
    let fields = Fields::of(rows, &heads);
    let mut end = 0i64;
    let gap = |head: &&Head| {
        let gap = (head.offset as i64).wrapping_sub(end);
        end = (head.offset as i64).wrapping_add(i64::from(head.len));
        gap
    };
    let symbol =
        |head: &&Head| symbols.get(head.symbol as usize).map_or(0, |index| i64::from(*index));
    let (items, item) = items(rows, heads.iter().copied());
    let mut numbers = Vec::with_capacity(heads.len());
    let heads = HeadsV2 {
        seqs: pack_ints(&mut numbers, heads.iter().map(|h| i64::from(h.seq))),
        sources: pack_ints(&mut numbers, heads.iter().map(|h| i64::from(h.source))),
        lines: pack_ints(&mut numbers, heads.iter().map(|h| i64::from(h.line) - i64::from(h.seq))),
        gaps: pack_ints(&mut numbers, heads.iter().map(gap)),
        lens: pack_ints(&mut numbers, heads.iter().map(|h| i64::from(h.len))),
        ops: pack_bytes(heads.iter().map(|h| u8::from(h.op == Op::Retract)).collect()),
        series: pack_bytes(heads.iter().map(|h| h.series.code()).collect()),
        days: pack_ints(&mut numbers, heads.iter().map(|h| i64::from(h.day.0))),
        symbols: pack_ints(&mut numbers, heads.iter().map(symbol)),
        shapes: fields.shapes,
        shape: pack_ints(&mut numbers, fields.of.into_iter()),
        items,
        item: pack_ints(&mut numbers, item.into_iter()),
    };
    ColumnsV2 { heads, columns: fields.columns.into_iter().map(Gathered::packed).collect() }
}

/// Rows of a source between two that are still neighbours: rejected ones may stand there.
const NEAR: u32 = 8;

/// Whether rows follow each other in their source, in either direction, or nearly so.
pub fn are_neighbours(rows: &Rows, order: &[u32]) -> bool {
    let seq = |index: &u32| rows.heads().get(*index as usize).map_or(0, |head| head.seq);
    order.is_sorted_by(|a, b| seq(a).abs_diff(seq(b)) <= NEAR)
}

/// Whether there is a text in items or values: only that is worth compressing.
pub fn has_texts(items: &[String], columns: &[ColumnV2]) -> bool {
    !items.is_empty() || columns.iter().any(|of| !of.texts.is_empty())
}

/// Packs a column of numbers; `room` is used for each.
pub(super) fn pack_ints(room: &mut Vec<i64>, numbers: impl Iterator<Item = i64>) -> IntsV2 {
    room.clear();
    room.extend(numbers);
    packed::pack(room)
}

/// The different items of some rows, in the order of first use, and which one each has: 0 for none,
/// else one more than the index.
pub(super) fn items<'a>(
    rows: &Rows,
    heads: impl Iterator<Item = &'a Head> + Clone,
) -> (Vec<String>, Vec<i64>) {
    if heads.clone().all(|head| head.item == 0) {
        return (Vec::new(), vec![0; heads.count()]);
    }
    let mut renumbered = vec![0i64; rows.items().len() + 1];
    let (mut names, mut item) = (Vec::new(), Vec::new());
    for head in heads {
        let Some(slot) = renumbered.get_mut(head.item as usize) else { continue };
        if *slot == 0 && head.item > 0 {
            names.push(rows.item_of(head).to_owned());
            *slot = names.len() as i64;
        }
        item.push(*slot);
    }
    (names, item)
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
    for (index, item) in (first..rows.len()).zip(items) {
        let number = *numbers.get(narrow::<usize>(item)?).ok_or_else(malformed)?;
        rows.set_item_at(index, number);
    }
    Ok(())
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, LedgerError> {
    T::try_from(value).map_err(|_| malformed())
}

/// Where the values of unpacked events are.
struct Slots {
    /// Per shape of the block, the column of each value.
    of_shape: Vec<Vec<usize>>,
    /// The shape of each row, among those of the block.
    shape_of: Vec<u32>,
    /// How many values there are.
    values: usize,
}

/// Symbols and shapes by their numbers in a block, taken into the pools of `rows`.
struct Pools {
    symbols: Vec<u32>,
    shapes: Vec<u32>,
    of_shape: Vec<Vec<usize>>,
    columns: usize,
}

impl Pools {
    fn of(packed: &HeadsV1, names: &[Symbol], rows: &mut Rows) -> Self {
        let field = |(code, name): &(u16, String)| field_from(*code, name);
        let shapes: Vec<Vec<Field>> =
            packed.shapes.iter().map(|shape| shape.iter().map(field).collect()).collect();
        let (of_shape, columns) = column_slots(shapes.iter().map(Vec::as_slice));
        Self {
            symbols: names.iter().map(|symbol| rows.intern_symbol(symbol)).collect(),
            shapes: shapes.iter().map(|shape| rows.intern_shape(shape)).collect(),
            of_shape,
            columns,
        }
    }
}

/// Hands each number of a column to its row.
fn each<T>(
    ints: IntsV1,
    rows: &mut [T],
    mut set: impl FnMut(&mut T, i64) -> Option<()>,
) -> Result<(), LedgerError> {
    let mut numbers = unpack_ints(ints, rows.len())?;
    let mut next = |row| set(row, numbers.next()?);
    rows.iter_mut().try_for_each(&mut next).ok_or_else(malformed)
}

/// Puts a number into its place; `None` when that is too small for it.
fn set<T: TryFrom<i64>>(place: &mut T, number: i64) -> Option<()> {
    *place = number.try_into().ok()?;
    Some(())
}

/// Unpacks everything but the values, which follow the first `before` ones: column by column, so that
/// each is a loop of its own.
fn unpack_heads(
    packed: HeadsV1,
    count: usize,
    pools: Pools,
    before: usize,
    all: &mut Vec<Head>,
) -> Result<Slots, LedgerError> {
    if count > MAX_EVENTS {
        return Err(malformed());
    }
    let first = all.len();
    all.resize(first + count, EMPTY);
    let heads = all.get_mut(first..).unwrap_or_default();
    each(packed.seqs, heads, |head, seq| set(&mut head.seq, seq))?;
    each(packed.sources, heads, |head, source| set(&mut head.source, source))?;
    each(packed.lines, heads, |head, line| set(&mut head.line, line))?;
    each(packed.lens, heads, |head, len| set(&mut head.len, len))?;
    let mut end = 0i64;
    each(packed.gaps, heads, |head, gap| {
        let offset = end.wrapping_add(gap);
        end = offset.wrapping_add(i64::from(head.len));
        set(&mut head.offset, offset)
    })?;
    each(packed.days, heads, |head, day| set(&mut head.day.0, day))?;
    each(packed.symbols, heads, |head, symbol| {
        head.symbol = *pools.symbols.get(usize::try_from(symbol).ok()?)?;
        Some(())
    })?;
    let (mut ops, mut codes) =
        (unpack_bytes(packed.ops, count)?, unpack_bytes(packed.series, count)?);
    let mut shape_of = vec![0u32; count];
    each(packed.shape, &mut shape_of, set)?;
    let mut values = 0usize;
    for (head, shape) in heads.iter_mut().zip(&shape_of) {
        let shape = *shape as usize;
        head.op = match ops.next() {
            Some(0) => Op::Put,
            Some(1) => Op::Retract,
            _ => return Err(malformed()),
        };
        head.series = codes.next().and_then(Series::from_code).ok_or_else(malformed)?;
        head.shape = *pools.shapes.get(shape).ok_or_else(malformed)?;
        head.first = u32::try_from(before + values).map_err(|_| malformed())?;
        let width = pools.of_shape.get(shape).ok_or_else(malformed)?.len();
        values += if head.op == Op::Put { width } else { 0 };
        if values > MAX_VALUES {
            return Err(malformed());
        }
    }
    Ok(Slots { of_shape: pools.of_shape, shape_of, values })
}

/// A head before its columns are unpacked.
const EMPTY: Head = Head {
    seq: 0,
    source: 0,
    line: 0,
    offset: 0,
    len: 0,
    series: Series::Iv,
    op: Op::Put,
    day: Day(0),
    item: 0,
    symbol: 0,
    shape: 0,
    first: 0,
};

/// Unpacks into `rows`; returns the batch of each row (all 0 in a block).
pub fn unpack(
    mut packed: ColumnsV1,
    count: usize,
    symbols: &[Symbol],
    rows: &mut Rows,
) -> Result<Vec<u32>, LedgerError> {
    let pools = Pools::of(&packed.heads, symbols, rows);
    if pools.columns != packed.columns.len() {
        return Err(malformed());
    }
    let mut columns: Vec<Column> = packed.columns.into_iter().map(Column::of).collect();
    let mut batches = vec![0u32; count.min(MAX_EVENTS)];
    let alike = (&packed.heads.shape, &packed.heads.ops);
    let alike = matches!(alike, (IntsV1::Same(_), BytesV1::Same(0)));
    let of_batch = std::mem::replace(&mut packed.heads.batches, IntsV1::Same(0));
    each(of_batch, &mut batches, set)?;
    rows.extend_with(|heads, values| {
        let first = heads.len();
        let found = unpack_heads(packed.heads, count, pools, values.len(), heads)?;
        // Rows of one shape, whose fields are the columns in their order: column by column.
        let own = found.shape_of.first().and_then(|shape| found.of_shape.get(*shape as usize));
        let in_order = own.is_some_and(|slots| slots.iter().copied().eq(0..columns.len()));
        if alike && in_order {
            let mut places = values.add_rows(count, columns.len());
            let fill = |(slot, column): (usize, &mut Column)| column.fill(&mut places, slot, count);
            columns.iter_mut().enumerate().try_for_each(fill).ok_or_else(malformed)?;
            return if columns.iter().all(Column::is_spent) { Ok(()) } else { Err(malformed()) };
        }
        values.reserve(found.values);
        let heads = heads.get(first..).unwrap_or_default();
        let puts = heads.iter().zip(&found.shape_of).filter(|(head, _)| head.op == Op::Put);
        for (_, shape) in puts {
            for slot in found.of_shape.get(*shape as usize).into_iter().flatten() {
                let next = columns.get_mut(*slot).and_then(|column| column.next_to(values));
                next.ok_or_else(malformed)?;
            }
        }
        if columns.iter().all(Column::is_spent) { Ok(()) } else { Err(malformed()) }
    })?;
    Ok(batches)
}

/// Unpacks keys and fields into `rows`, and no values.
pub fn unpack_keys(
    packed: HeadsV1,
    count: usize,
    symbols: &[Symbol],
    rows: &mut Rows,
) -> Result<(), LedgerError> {
    let pools = Pools::of(&packed, symbols, rows);
    rows.extend_with(|heads, values| {
        unpack_heads(packed, count, pools, values.len(), heads).map(|_| ())
    })
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

#[cfg(test)]
mod tests {
    use super::super::lift;
    use super::*;
    use crate::domain::Value;
    use crate::domain::rows::Place;

    #[test]
    fn columns_stand_in_the_order_of_all_shapes_also_where_one_is_not_used() {
        let mut rows = Rows::new();
        let symbols = ["A".parse::<Symbol>().unwrap()];
        let symbol = rows.intern_symbol(&symbols[0]);
        let shape = rows.intern_shape(&[Field::Known(10), Field::Known(11)]);
        for seq in 0..3 {
            let place = Place { seq, source: 0, line: seq, offset: 0, len: 1 };
            let values = ["0.1", "7"].map(Value::from_json_number);
            rows.push(place, Series::Iv, Op::Put, symbol, Day(seq as i32), shape, values);
        }
        for (unused, backwards) in [(vec![11, 10], true), (vec![10], false)] {
            let (mut packed, _) = lift::columns(pack(&rows, &[0, 1, 2], &[0]), 3).unwrap();
            let unused = unused.into_iter().map(|code| (code, String::new())).collect();
            packed.heads.shapes.insert(0, unused);
            packed.heads.shape = IntsV1::Same(1);
            if backwards {
                packed.columns.reverse();
            }
            let mut back = Rows::new();
            unpack(packed, 3, &symbols, &mut back).unwrap();
            for (found, want) in back.iter().zip(rows.iter()) {
                assert_eq!((found.shape, found.values), (want.shape, want.values));
            }
            assert_eq!(back.len(), 3);
        }
    }
}
