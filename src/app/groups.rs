//! Goes through the events of batches symbol by symbol, in bounded memory.
//!
//! Blocks are sorted by symbol within a window, so a file in symbol order is read once; a file in
//! date order is read once per group of symbols. A group holds at most [`GROUP_EVENTS`] events.

use super::error::Result;
use super::history::sorted;
use crate::domain::rows::Place;
use crate::domain::{BatchId, Series, Symbol, Value, Window};
use crate::ledger::Ledger;
use crate::projections::homes::Splitter;
use crate::projections::view::History;
use std::collections::BTreeMap;

/// Most events held at a time, but for a single symbol that has more.
const GROUP_EVENTS: u64 = 300_000;

/// One symbol's events, split by view.
#[derive(Debug, Default)]
pub struct SymbolEvents {
    /// Per view the symbol's events, sorted.
    pub views: BTreeMap<Series, History>,
}

struct BlockPlace {
    batch: BatchId,
    index: u32,
    first: Symbol,
    last: Symbol,
}

/// The symbols of some batches, portioned into groups.
pub struct Groups {
    symbols: std::iter::Peekable<std::collections::btree_map::IntoIter<Symbol, u64>>,
    blocks: Vec<BlockPlace>,
    count: usize,
}

impl Groups {
    /// Reads the headers of the batches' blocks.
    pub fn of(ledger: &Ledger, batches: &[BatchId]) -> Result<Self> {
        let mut counts: BTreeMap<Symbol, u64> = BTreeMap::new();
        let mut blocks = Vec::new();
        for batch in batches {
            let mut reader = ledger.read(*batch);
            while let Some((index, header)) = reader.next_header()? {
                let ends = (header.symbols.first().cloned(), header.symbols.last().cloned());
                if let (Some((first, _)), Some((last, _))) = ends {
                    blocks.push(BlockPlace { batch: *batch, index, first, last });
                }
                for (symbol, count) in header.symbols {
                    *counts.entry(symbol).or_default() += u64::from(count);
                }
            }
        }
        Ok(Self { count: counts.len(), symbols: counts.into_iter().peekable(), blocks })
    }

    /// How many symbols there are in all.
    pub fn symbol_count(&self) -> usize {
        self.count
    }

    /// The next symbols, ascending, with their events; `None` after the last.
    pub fn next(&mut self, ledger: &Ledger) -> Result<Option<BTreeMap<Symbol, SymbolEvents>>> {
        let Some((first, mut total)) = self.symbols.next() else {
            return Ok(None);
        };
        let mut last = first.clone();
        while let Some((symbol, count)) = self.symbols.next_if(|(_, n)| total + n <= GROUP_EVENTS) {
            (last, total) = (symbol, total + count);
        }
        read_group(ledger, &self.blocks, &first, &last).map(Some)
    }
}

/// A symbol's histories while they are gathered, by the order of [`Series::ALL`]: a row finds its
/// history without a search.
type Gathered = [History; Series::ALL.len()];

/// The events of the symbols from `first` to `last`.
fn read_group(
    ledger: &Ledger,
    blocks: &[BlockPlace],
    first: &Symbol,
    last: &Symbol,
) -> Result<BTreeMap<Symbol, SymbolEvents>> {
    let mut group: BTreeMap<Symbol, Gathered> = BTreeMap::new();
    for block in blocks.iter().filter(|block| block.last >= *first && block.first <= *last) {
        let mut window = Window::default();
        ledger.read(block.batch).read_into(block.index, &mut window)?;
        let rows = &window.rows;
        let mut splitter = Splitter::new(rows);
        let mut current: Option<(u32, &mut Gathered)> = None;
        for row in rows.iter() {
            if current.as_ref().is_none_or(|(symbol, _)| *symbol != row.head.symbol) {
                if row.symbol < first || row.symbol > last {
                    continue;
                }
                if !group.contains_key(row.symbol) {
                    group.insert(row.symbol.clone(), Gathered::default());
                }
                current = group.get_mut(row.symbol).map(|found| (row.head.symbol, found));
            }
            let Some((_, gathered)) = &mut current else { continue };
            splitter.split(row, |view, shape, slots| {
                let Some(history) = gathered.get_mut(usize::from(view.code()) - 1) else { return };
                // A history has one symbol, which is the first of its pool.
                let symbol = match history.rows.is_empty() {
                    true => history.rows.intern_symbol(row.symbol),
                    false => 0,
                };
                let shape = history.rows.intern_shared(shape);
                // Where the row stands in its source is looked up in its block when asked for.
                let place = Place { seq: row.head.seq, source: 0, line: 0, offset: 0, len: 0 };
                let head = row.head;
                let values =
                    slots.iter().map(|slot| row.values.get(*slot).cloned().unwrap_or(Value::Null));
                history.rows.push(place, head.series, head.op, symbol, head.day, shape, values);
                if head.item > 0 {
                    let item = history.rows.intern_item(row.item);
                    history.rows.set_item(item);
                }
                history.batches.push(block.batch.0);
            });
        }
    }
    let events = group.into_iter().map(|(symbol, gathered)| {
        let some = Series::ALL.into_iter().zip(gathered).filter(|(_, h)| !h.batches.is_empty());
        let views = some.map(|(view, history)| (view, sorted(history))).collect();
        (symbol, SymbolEvents { views })
    });
    Ok(events.collect())
}
