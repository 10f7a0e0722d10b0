//! Events on their way from a source into a batch: numbered, gathered, handed on in windows.

use super::rows::{Head, Key, MAX_RAW, Place, Reject, Rows, Shape};
use super::{Cells, Day, Erased, Field, Op, Series, Symbol, Value};

/// A run of consecutive events of a batch, in source order: the unit in which sources hand
/// events over, so that memory does not grow with the input.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Usable rows.
    pub rows: Rows,
    /// Rows that cannot be used.
    pub rejects: Vec<Reject>,
    /// What is kept of erased events.
    pub erased: Vec<Erased>,
}

/// Largest number of events in a window: 16 blocks of 4,096.
pub const WINDOW_EVENTS: usize = 65_536;

impl Window {
    /// Events in the window.
    pub fn len(&self) -> usize {
        self.rows.len() + self.rejects.len() + self.erased.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all events, and keeps the room for them.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.rejects.clear();
        self.erased.clear();
    }
}

/// Gathers the events of a batch, numbers them, and hands them on in windows.
///
/// Sources write into it; `E` is whatever the receiver of the windows may fail with.
pub struct Collector<'a, E> {
    window: Window,
    next_seq: u32,
    flush: &'a mut dyn FnMut(&mut Window) -> Result<(), E>,
}

/// A row's place in its source, before it has a number in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index of the source in the batch.
    pub source: u32,
    /// Physical line, counted from 1 (for JSON: the item's index, from 1).
    pub line: u32,
    /// Byte offset in the source.
    pub offset: u64,
    /// Length in bytes, without the line end.
    pub len: u32,
}

impl From<&Head> for Origin {
    fn from(head: &Head) -> Self {
        Self { source: head.source, line: head.line, offset: head.offset, len: head.len }
    }
}

impl From<&Reject> for Origin {
    fn from(reject: &Reject) -> Self {
        let Reject { source, line, offset, len, .. } = *reject;
        Self { source, line, offset, len }
    }
}

impl<'a, E> Collector<'a, E> {
    /// A collector that hands each full window to `flush`, which may take it or leave it for the next
    /// events.
    pub fn new(flush: &'a mut dyn FnMut(&mut Window) -> Result<(), E>) -> Self {
        Self { window: Window::default(), next_seq: 0, flush }
    }

    /// A collector that goes on after `events` events of the batch.
    pub fn resume(events: u32, flush: &'a mut dyn FnMut(&mut Window) -> Result<(), E>) -> Self {
        Self { next_seq: events, ..Self::new(flush) }
    }

    /// Adds an event of a daily series. `values` holds one value per field of the shape that is
    /// not a mark (none for a retract).
    #[allow(clippy::too_many_arguments)] // a row has that many facts; a struct would only rename them
    pub fn row(
        &mut self,
        origin: Origin,
        series: Series,
        op: Op,
        symbol: &Symbol,
        day: Day,
        shape: &[Field],
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), E> {
        self.event(origin, series, op, Key { symbol, day, item: "" }, shape, values)
    }

    /// Adds an event of any key. `values` holds one value per field of the shape that is not a
    /// mark (none for a retract).
    pub fn event(
        &mut self,
        origin: Origin,
        series: Series,
        op: Op,
        key: Key<'_>,
        shape: &[Field],
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), E> {
        let place = self.place(origin);
        let rows = &mut self.window.rows;
        let (symbol, shape) = (rows.intern_symbol(key.symbol), rows.intern_shape(shape));
        rows.push(place, series, op, symbol, key.day, shape, values);
        self.ended(key.item)
    }

    /// As [`Self::event`], for a put whose values are in a pool already.
    pub fn put(
        &mut self,
        origin: Origin,
        series: Series,
        key: Key<'_>,
        shape: &Shape,
        values: Cells<'_>,
    ) -> Result<(), E> {
        let place = self.place(origin);
        let rows = &mut self.window.rows;
        let (symbol, shape) = (rows.intern_symbol(key.symbol), rows.intern_shared(shape));
        rows.push_cells(place, series, Op::Put, symbol, key.day, shape, values);
        self.ended(key.item)
    }

    fn place(&self, Origin { source, line, offset, len }: Origin) -> Place {
        Place { seq: self.next_seq, source, line, offset, len }
    }

    /// Ends an event that was added.
    fn ended(&mut self, item: &str) -> Result<(), E> {
        if !item.is_empty() {
            let item = self.window.rows.intern_item(item);
            self.window.rows.set_item(item);
        }
        self.counted()
    }

    /// Adds a row that cannot be used; its raw text is cut at [`MAX_RAW`] bytes.
    pub fn reject(
        &mut self,
        origin: Origin,
        series: Series,
        code: &str,
        raw: &str,
    ) -> Result<(), E> {
        let mut cut = raw.len().min(MAX_RAW);
        while !raw.is_char_boundary(cut) {
            cut -= 1;
        }
        let raw = raw.get(..cut).unwrap_or_default().into();
        let (seq, code) = (self.next_seq, code.into());
        self.window.rejects.push(Reject {
            seq,
            source: origin.source,
            line: origin.line,
            offset: origin.offset,
            len: origin.len,
            series,
            code,
            raw,
        });
        self.counted()
    }

    /// Hands on what is left. Call it once, at the end.
    pub fn finish(mut self) -> Result<u32, E> {
        if !self.window.is_empty() {
            (self.flush)(&mut self.window)?;
        }
        Ok(self.next_seq)
    }

    fn counted(&mut self) -> Result<(), E> {
        self.next_seq += 1;
        if self.window.len() >= WINDOW_EVENTS {
            (self.flush)(&mut self.window)?;
            self.window.clear();
        }
        Ok(())
    }
}
