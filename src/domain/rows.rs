//! Row events in memory: what each row of a source asserts, and where it stands in the source.

mod field;

pub use field::{Field, Shape};

use super::{Cells, Day, Series, Symbol, Value, ValueRef, Values};
use std::collections::HashMap;
use std::sync::Arc;

/// What an event does to the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Asserts values.
    Put,
    /// Says that the listed fields have no value from here on; no fields means the whole key.
    Retract,
}

/// One event without its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Index of the leaf in the batch tree.
    pub seq: u32,
    /// Index of the source in the batch.
    pub source: u32,
    /// Physical line of the source, counted from 1 (for JSON: the item's index, from 1).
    pub line: u32,
    /// Byte offset of the row or item in the source.
    pub offset: u64,
    /// Its length in bytes, without the line end.
    pub len: u32,
    /// What the source is a record of.
    pub series: Series,
    /// What the event does.
    pub op: Op,
    /// The day of the key.
    pub day: Day,
    /// The item of the key: 0 for none, else one more than its index into [`Rows::items`].
    pub item: u32,
    /// Index into [`Rows::symbols`].
    pub symbol: u32,
    /// Index into [`Rows::shapes`].
    pub shape: u32,
    /// Index of the first value in `Rows::values`.
    pub first: u32,
}

/// A row that cannot be used: kept with its finding code and raw text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Index of the leaf in the batch tree.
    pub seq: u32,
    /// Index of the source in the batch.
    pub source: u32,
    /// Physical line, counted from 1.
    pub line: u32,
    /// Byte offset in the source.
    pub offset: u64,
    /// Length in bytes, without the line end.
    pub len: u32,
    /// What the source is a record of.
    pub series: Series,
    /// Stable finding code.
    pub code: Box<str>,
    /// The row's text, at most [`MAX_RAW`] bytes of it; the source has it whole.
    pub raw: Box<str>,
}

/// Longest raw text kept inside a `reject` event, in bytes.
pub const MAX_RAW: usize = 512;

/// A set of events: heads, with symbols, shapes and values in shared pools.
///
/// Adding a row allocates nothing unless it brings a new symbol or shape.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    symbols: Vec<Symbol>,
    shapes: Vec<Shape>,
    /// How many values a `put` of each shape has.
    widths: Vec<usize>,
    heads: Vec<Head>,
    values: Values,
    items: Vec<Arc<str>>,
    item_index: HashMap<Arc<str>, u32>,
    symbol_index: HashMap<Symbol, u32>,
    shape_index: HashMap<Shape, u32>,
}

/// The place of a row in its source and batch, as given to [`Rows::push`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the leaf in the batch tree.
    pub seq: u32,
    /// Index of the source in the batch.
    pub source: u32,
    /// Physical line, counted from 1.
    pub line: u32,
    /// Byte offset in the source.
    pub offset: u64,
    /// Length in bytes.
    pub len: u32,
}

/// One event of a [`Rows`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Everything but symbol, fields and values.
    pub head: &'a Head,
    /// The key's symbol.
    pub symbol: &'a Symbol,
    /// What tells the event apart from others of its symbol and day; empty in daily series.
    pub item: &'a str,
    /// The fields in the source's order, marks included.
    pub shape: &'a [Field],
    /// One value per field that is not a mark, in the same order; empty for a retract.
    pub values: Cells<'a>,
}

impl<'a> Row<'a> {
    /// Fields with their values, marks left out; a retracted field has `None`.
    pub fn fields(&self) -> impl Iterator<Item = (&'a Field, Option<Value>)> + use<'a> {
        let values = self.values;
        let fields = self.shape.iter().filter(|field| !field.is_mark());
        fields.enumerate().map(move |(i, field)| (field, values.get(i)))
    }

    /// The value of a field; the first where it is named twice.
    pub fn value(&self, wanted: &Field) -> Option<Value> {
        let mut fields = self.shape.iter().filter(|field| !field.is_mark());
        self.values.get(fields.position(|field| field == wanted)?)
    }
}

/// What an event is about: its key, without the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// The symbol.
    pub symbol: &'a Symbol,
    /// The day.
    pub day: Day,
    /// The item: a contract, a bar's time, an article; empty in daily series.
    pub item: &'a str,
}

/// How many values a row of this shape and operation carries.
pub fn value_count(op: Op, shape: &[Field]) -> usize {
    match op {
        Op::Put => shape.iter().filter(|field| !field.is_mark()).count(),
        Op::Retract => 0,
    }
}

impl Rows {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index of a symbol in the pool, added if it is new.
    pub fn intern_symbol(&mut self, symbol: &Symbol) -> u32 {
        // Sources are mostly runs of one symbol, so the last row's is tried before the map.
        if let Some(last) = self.heads.last()
            && self.symbols.get(last.symbol as usize) == Some(symbol)
        {
            return last.symbol;
        }
        if let Some(&index) = self.symbol_index.get(symbol) {
            return index;
        }
        let index = self.symbols.len() as u32;
        self.symbols.push(symbol.clone());
        self.symbol_index.insert(symbol.clone(), index);
        index
    }

    /// The index of a shape in the pool, added if it is new.
    pub fn intern_shape(&mut self, shape: &[Field]) -> u32 {
        if let Some(last) = self.heads.last()
            && self.shapes.get(last.shape as usize).is_some_and(|known| **known == *shape)
        {
            return last.shape;
        }
        if let Some(&index) = self.shape_index.get(shape) {
            return index;
        }
        self.add_shape(shape.into())
    }

    /// As [`Self::intern_shape`], quicker when the last row has this very shape.
    pub fn intern_shared(&mut self, shape: &Shape) -> u32 {
        if let Some(last) = self.heads.last()
            && self.shapes.get(last.shape as usize).is_some_and(|known| Arc::ptr_eq(known, shape))
        {
            return last.shape;
        }
        if let Some(&index) = self.shape_index.get(shape) {
            return index;
        }
        self.add_shape(shape.clone())
    }

    fn add_shape(&mut self, shape: Shape) -> u32 {
        let index = self.shapes.len() as u32;
        self.widths.push(value_count(Op::Put, &shape));
        self.shapes.push(shape.clone());
        self.shape_index.insert(shape, index);
        index
    }

    /// How many values a row of a shape and operation has.
    fn width(&self, op: Op, shape: u32) -> usize {
        match op {
            Op::Put => self.widths.get(shape as usize).copied().unwrap_or(0),
            Op::Retract => 0,
        }
    }

    /// The number of an item for [`Rows::set_item`], added to the pool if it is new; 0 for none.
    pub fn intern_item(&mut self, item: &str) -> u32 {
        if item.is_empty() {
            return 0;
        }
        if let Some(&number) = self.item_index.get(item) {
            return number;
        }
        let shared: Arc<str> = item.into();
        self.items.push(shared.clone());
        let number = self.items.len() as u32;
        self.item_index.insert(shared, number);
        number
    }

    /// Gives the event that was added last an item, by its number.
    pub fn set_item(&mut self, number: u32) {
        if let Some(head) = self.heads.last_mut() {
            head.item = number;
        }
    }

    /// Gives the event at `index` an item, by its number.
    pub fn set_item_at(&mut self, index: usize, number: u32) {
        if let Some(head) = self.heads.get_mut(index) {
            head.item = number;
        }
    }

    /// The pool of items.
    pub fn items(&self) -> &[Arc<str>] {
        &self.items
    }

    /// The item of a head; empty for none.
    pub fn item_of(&self, head: &Head) -> &str {
        let index = (head.item as usize).checked_sub(1);
        index.and_then(|index| self.items.get(index)).map_or("", |item| item)
    }

    /// Adds an event. `values` holds one value per field of the shape that is not a mark
    /// (none for a retract).
    #[allow(clippy::too_many_arguments)] // a row has that many facts; a struct would only rename them
    pub fn push(
        &mut self,
        place: Place,
        series: Series,
        op: Op,
        symbol: u32,
        day: Day,
        shape: u32,
        values: impl IntoIterator<Item = Value>,
    ) {
        let first = self.values.len() as u32;
        self.values.extend(values);
        self.push_head(place, series, op, symbol, day, shape, first);
    }

    /// As [`Self::push`], with values of a pool.
    #[allow(clippy::too_many_arguments)] // the same
    pub fn push_cells(
        &mut self,
        place: Place,
        series: Series,
        op: Op,
        symbol: u32,
        day: Day,
        shape: u32,
        values: Cells<'_>,
    ) {
        let first = self.values.len() as u32;
        self.values.append(values);
        self.push_head(place, series, op, symbol, day, shape, first);
    }

    #[allow(clippy::too_many_arguments)] // the same
    fn push_head(
        &mut self,
        place: Place,
        series: Series,
        op: Op,
        symbol: u32,
        day: Day,
        shape: u32,
        first: u32,
    ) {
        let Place { seq, source, line, offset, len } = place;
        self.heads.push(Head {
            seq,
            source,
            line,
            offset,
            len,
            series,
            op,
            day,
            item: 0,
            symbol,
            shape,
            first,
        });
    }

    /// Lets `add` put events and their values after those that are there, where there is room
    /// already. Events may come without their values: then [`Self::get`] finds none of them.
    ///
    /// # Errors
    /// Those of `add`; what it added is taken back.
    pub fn extend_with<E>(
        &mut self,
        add: impl FnOnce(&mut Vec<Head>, &mut Values) -> Result<(), E>,
    ) -> Result<(), E> {
        let (heads, values) = (self.heads.len(), self.values.mark());
        let added = add(&mut self.heads, &mut self.values);
        if added.is_err() {
            self.heads.truncate(heads);
            self.values.back_to(values);
        }
        added
    }

    /// Adds the events of another set after those of this one.
    pub fn absorb(&mut self, other: &Self) {
        let symbols: Vec<u32> = other.symbols.iter().map(|s| self.intern_symbol(s)).collect();
        let shapes: Vec<u32> = other.shapes.iter().map(|s| self.intern_shared(s)).collect();
        let mut items = vec![0];
        items.extend(other.items.iter().map(|item| self.intern_item(item)));
        let new = |numbers: &[u32], old: u32| numbers.get(old as usize).copied().unwrap_or(old);
        let before = self.values.len() as u32;
        self.heads.extend(other.heads.iter().map(|head| Head {
            symbol: new(&symbols, head.symbol),
            shape: new(&shapes, head.shape),
            item: new(&items, head.item),
            first: head.first + before,
            ..*head
        }));
        self.values.append(other.values.all());
    }

    /// Adds neighbouring events `of` another set that are alike but for day and values: of those the
    /// values at `slots`, under a shape that lists their fields. They have no item, and where they
    /// stand in their source is not taken over.
    pub fn append_parts(
        &mut self,
        run: &[Head],
        of: &Self,
        symbol: u32,
        shape: u32,
        slots: &[usize],
    ) {
        let Some(head) = run.first() else { return };
        let count = of.width(head.op, head.shape);
        let slots = if head.op == Op::Put { slots } else { &[] };
        let before = self.values.len();
        self.heads.extend(run.iter().enumerate().map(|(index, head)| Head {
            source: 0,
            line: 0,
            offset: 0,
            len: 0,
            item: 0,
            symbol,
            shape,
            first: (before + index * slots.len()) as u32,
            ..*head
        }));
        self.values.reserve(run.len() * slots.len());
        if let Some(values) = of.values_in_order(run.iter(), count) {
            return self.values.extend_columns(values, count, slots);
        }
        for head in run {
            let values = of.values_of(head, count);
            for slot in slots {
                self.values
                    .push_ref(values.get_ref(*slot).unwrap_or(ValueRef::Other(&Value::Null)));
            }
        }
    }

    /// Copies a row of another set into this one.
    pub fn push_row(&mut self, row: Row<'_>) {
        let symbol = self.intern_symbol(row.symbol);
        let shape = self.intern_shape(row.shape);
        let h = row.head;
        let place =
            Place { seq: h.seq, source: h.source, line: h.line, offset: h.offset, len: h.len };
        self.push_cells(place, h.series, h.op, symbol, h.day, shape, row.values);
        if !row.item.is_empty() {
            let item = self.intern_item(row.item);
            self.set_item(item);
        }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The heads, in the order of adding.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The `count` values of a head; none where they are not there.
    pub fn values_of(&self, head: &Head, count: usize) -> Cells<'_> {
        self.values.slice(head.first as usize, count).unwrap_or_default()
    }

    /// The values of some heads of `width` values each, where they stand one after the other.
    pub fn values_in_order<'h>(
        &self,
        heads: impl ExactSizeIterator<Item = &'h Head> + Clone,
        width: usize,
    ) -> Option<Cells<'_>> {
        let first = heads.clone().next()?.first as usize;
        let count = heads.len().checked_mul(width)?;
        let mut heads = (first..).step_by(width.max(1)).zip(heads);
        let in_order = heads.all(|(place, head)| place == head.first as usize);
        self.values.slice(first, count).filter(|_| in_order && width > 0)
    }

    /// Forgets everything, and keeps the room for it.
    pub fn clear(&mut self) {
        self.symbols.clear();
        self.shapes.clear();
        self.widths.clear();
        self.heads.clear();
        self.values.clear();
        self.items.clear();
        self.item_index.clear();
        self.symbol_index.clear();
        self.shape_index.clear();
    }

    /// Bytes of texts in the values.
    pub fn text_bytes(&self) -> usize {
        self.values.text_bytes()
    }

    /// The symbol pool.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The shape pool.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The event at `index`.
    pub fn get(&self, index: usize) -> Option<Row<'_>> {
        let head = self.heads.get(index)?;
        let shape = self.shapes.get(head.shape as usize)?;
        let width = self.width(head.op, head.shape);
        let values = self.values.slice(head.first as usize, width)?;
        let symbol = self.symbols.get(head.symbol as usize)?;
        Some(Row { head, symbol, item: self.item_of(head), shape, values })
    }

    /// Every event, in the order of adding.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests;
