//! Goes through the events of batches symbol by symbol, in bounded memory.
//!
//! Several groups can be worked on at once, each by a thread of its own.
//!
//! Blocks are sorted by symbol within a window, so a file in symbol order is read once; a file in
//! date order is read once per group of symbols. A group holds at most `GROUP_EVENTS` events.

use super::block_runs::BlockRuns;
use super::error::Result;
use super::history::sorted;
use super::parallel;
use crate::domain::rows::Head;
use crate::domain::{BatchId, Day, Op, Rows, Series, Shape, Symbol, Window};
use crate::ledger::Ledger;
use crate::projections::homes::Splitter;
use crate::projections::view::History;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Most events of a group, but for a single symbol that has more. Each thread holds a group with the
/// events of every view that is asked for: with 120,000 two of them took a verification of five million
/// rows from 211 to 309 MiB, and fewer make more blocks be read for two groups.
const GROUP_EVENTS: u64 = 60_000;

/// More blocks hold no group of a file in symbol order.
const GROUP_BLOCKS: usize = 48;

/// After so many ranges in a row whose keys did not suffice, those of the others are not looked at.
const IN_VAIN: u32 = 4;

/// One symbol's events, split by view.
#[derive(Debug, Default)]
pub struct SymbolEvents {
    /// Per view the symbol's events, sorted.
    pub views: BTreeMap<Series, History>,
    /// Per view where they stand.
    pub standing: BTreeMap<Series, BlockRuns>,
}

/// The keys of a symbol's events in one view, each once.
#[derive(Debug, Default)]
pub struct Keys {
    /// The days, ascending.
    pub days: Vec<Day>,
    /// How many values there are.
    pub cells: u64,
    /// Whether an event is of the view's own series.
    pub home: bool,
    /// Where the events stand.
    pub standing: BlockRuns,
}

/// A symbol's keys by view.
pub type SymbolKeys = BTreeMap<Series, Keys>;

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
    most: u64,
    alone: bool,
    /// The views whose events are wanted.
    wanted: Vec<Series>,
    /// Ranges in a row whose keys did not suffice.
    in_vain: AtomicU32,
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
        let count = counts.len();
        Ok(Self { count, symbols: counts.into_iter().peekable(), blocks, ..Self::none() })
    }

    /// No symbols.
    pub fn none() -> Self {
        let (symbols, wanted) = (BTreeMap::new().into_iter().peekable(), Series::ALL.to_vec());
        let (blocks, most, in_vain) = (Vec::new(), GROUP_EVENTS, AtomicU32::new(0));
        Self { count: 0, symbols, blocks, most, alone: false, wanted, in_vain }
    }

    /// Groups with the events of some views only.
    pub fn only(self, wanted: impl IntoIterator<Item = Series>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..self }
    }

    /// Groups of which the first has one symbol.
    pub fn first_alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// Groups of another size.
    #[cfg(test)]
    fn of_at_most(self, most: u64) -> Self {
        Self { most, ..self }
    }

    /// How many symbols there are in all.
    pub fn symbol_count(&self) -> usize {
        self.count
    }

    /// The first and last symbol of the next group.
    pub fn next_range(&mut self) -> Option<(Symbol, Symbol)> {
        let (first, mut total) = self.symbols.next()?;
        let most = if std::mem::take(&mut self.alone) { 0 } else { self.most };
        let mut last = first.clone();
        while let Some((symbol, count)) = self.symbols.next_if(|(_, n)| total + n <= most) {
            (last, total) = (symbol, total + count);
        }
        Some((first, last))
    }

    /// The next symbols, ascending, with their events; `None` after the last.
    pub fn next(&mut self, ledger: &Ledger) -> Result<Option<Group>> {
        let Some(range) = self.next_range() else { return Ok(None) };
        self.events(ledger, &range).map(Some)
    }

    /// The symbols of a range with their events.
    pub fn events(&self, ledger: &Ledger, (first, last): &(Symbol, Symbol)) -> Result<Group> {
        read_group(ledger, &self.blocks, &self.wanted, first, last)
    }

    /// The keys of the symbols of a range, without their values; `None` when values are needed to
    /// tell what the events say: a key is repeated, retracted or has an item.
    pub fn keys(
        &self,
        ledger: &Ledger,
        (first, last): &(Symbol, Symbol),
    ) -> Result<Option<BTreeMap<Symbol, SymbolKeys>>> {
        let mut found: BTreeMap<Symbol, SymbolKeys> = BTreeMap::new();
        let mut rows = Rows::new();
        for block in self.blocks.iter().filter(|b| b.last >= *first && b.first <= *last) {
            rows.clear();
            if ledger.read(block.batch).keys_into(block.index, &mut rows)?.is_none() {
                return Ok(None);
            }
            let mut splitter = Splitter::new(&rows);
            let runs = rows.heads().chunk_by(|a, b| a.symbol == b.symbol && a.shape == b.shape);
            for run in runs {
                let Some((head, symbol)) = run
                    .first()
                    .and_then(|head| Some((head, rows.symbols().get(head.symbol as usize)?)))
                else {
                    continue;
                };
                if symbol < first || symbol > last {
                    continue;
                }
                if run.iter().any(|head| head.op != Op::Put) {
                    return Ok(None);
                }
                if !found.contains_key(symbol) {
                    found.insert(symbol.clone(), SymbolKeys::new());
                }
                let Some(of_symbol) = found.get_mut(symbol) else { continue };
                for (view, shape, slots) in splitter.parts(head.shape, head.series) {
                    let keys = of_symbol.entry(*view).or_default();
                    keys.standing.add(block.batch, block.index, run, !shape.is_empty());
                    keys.days.extend(run.iter().map(|head| head.day));
                    keys.cells += (slots.len() * run.len()) as u64;
                    keys.home |= head.series == *view;
                }
            }
        }
        let increases = |keys: &mut Keys| {
            if !keys.days.is_sorted() {
                keys.days.sort_unstable();
            }
            keys.days.is_sorted_by(|a, b| a < b)
        };
        let plain = found.values_mut().flat_map(BTreeMap::values_mut).all(increases);
        Ok(plain.then_some(found))
    }

    /// Whether it is worth looking at the keys of a range before its values: not where its events are
    /// spread over many blocks, as those of a file in the order of days are, and not after others in vain.
    pub fn are_worth_a_look(&self, (first, last): &(Symbol, Symbol)) -> bool {
        let inside = |block: &&BlockPlace| block.last >= *first && block.first <= *last;
        self.in_vain.load(Relaxed) < IN_VAIN
            && self.blocks.iter().filter(inside).nth(GROUP_BLOCKS).is_none()
    }

    /// Notes whether the keys of a range sufficed.
    pub fn looked(&self, sufficed: bool) {
        match sufficed {
            true => self.in_vain.store(0, Relaxed),
            false => drop(self.in_vain.fetch_add(1, Relaxed)),
        }
    }

    /// What `work` makes of the next ranges of symbols, as many as there are threads, in the order of
    /// symbols; `None` after the last.
    pub fn next_with<T: Send>(
        &mut self,
        threads: usize,
        work: &(impl Fn(&Self, &(Symbol, Symbol)) -> Result<T> + Sync),
    ) -> Result<Option<Vec<T>>> {
        let ranges: Vec<_> = (0..threads.max(1)).map_while(|_| self.next_range()).collect();
        let groups: &Self = self;
        match ranges.as_slice() {
            [] => Ok(None),
            ranges => parallel::map(ranges, threads, |range| work(groups, range)).map(Some),
        }
    }
}

/// Symbols with their events.
pub type Group = BTreeMap<Symbol, SymbolEvents>;

/// A symbol's histories while they are gathered, and where they stand, by the order of
/// [`Series::ALL`]: a row finds its history without a search.
type Gathered = [(History, BlockRuns); Series::ALL.len()];

/// Whether two events can be taken in together: they differ in day and values at most.
pub fn alike(a: &Head, b: &Head) -> bool {
    let kind = |head: &Head| (head.symbol, head.shape, head.series, head.op);
    kind(a) == kind(b) && a.item == 0 && b.item == 0
}

/// Takes neighbouring events of a block that are [`alike`] into the history of their symbol, as far as
/// they speak of its view: under `shape`, with the values at `slots`.
pub fn take(
    history: &mut History,
    batch: BatchId,
    run: &[Head],
    of: &Rows,
    symbol: &Symbol,
    shape: &Shape,
    slots: &[usize],
) {
    let own = &mut history.rows;
    // A history has one symbol, which is the first of its pool.
    let symbol = if own.is_empty() { own.intern_symbol(symbol) } else { 0 };
    let shape = own.intern_shared(shape);
    own.append_parts(run, of, symbol, shape, slots);
    history.batches.extend(std::iter::repeat_n(batch.0, run.len()));
}

/// The events of the symbols from `first` to `last`.
fn read_group(
    ledger: &Ledger,
    blocks: &[BlockPlace],
    wanted: &[Series],
    first: &Symbol,
    last: &Symbol,
) -> Result<Group> {
    let mut group: BTreeMap<Symbol, Gathered> = BTreeMap::new();
    let is_wanted = Series::ALL.map(|view| wanted.contains(&view));
    let mut window = Window::default();
    for block in blocks.iter().filter(|block| block.last >= *first && block.first <= *last) {
        window.clear();
        ledger.read(block.batch).read_into(block.index, &mut window)?;
        let rows = &window.rows;
        let mut splitter = Splitter::new(rows);
        let mut current: Option<(u32, &mut Gathered)> = None;
        for run in rows.heads().chunk_by(alike) {
            let Some((head, symbol)) = run
                .first()
                .and_then(|head| Some((head, rows.symbols().get(head.symbol as usize)?)))
            else {
                continue;
            };
            if current.as_ref().is_none_or(|(symbol, _)| *symbol != head.symbol) {
                if symbol < first || symbol > last {
                    continue;
                }
                if !group.contains_key(symbol) {
                    group.insert(symbol.clone(), Gathered::default());
                }
                current = group.get_mut(symbol).map(|found| (head.symbol, found));
            }
            let Some((_, gathered)) = &mut current else { continue };
            for (view, shape, slots) in splitter.parts(head.shape, head.series) {
                let place = usize::from(view.code()) - 1;
                if !is_wanted.get(place).is_some_and(|wanted| *wanted) {
                    continue;
                }
                let Some((own, standing)) = gathered.get_mut(place) else { continue };
                standing.add(block.batch, block.index, run, !shape.is_empty());
                take(own, block.batch, run, rows, symbol, shape, slots);
                if head.item > 0 {
                    let item = own.rows.intern_item(rows.item_of(head));
                    own.rows.set_item(item);
                }
            }
        }
    }
    let events = group.into_iter().map(|(symbol, gathered)| {
        let mut of = SymbolEvents::default();
        for (view, (history, standing)) in Series::ALL.into_iter().zip(gathered) {
            if !history.batches.is_empty() {
                of.views.insert(view, sorted(history));
                of.standing.insert(view, standing);
            }
        }
        (symbol, of)
    });
    Ok(events.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
    use crate::app::{Clock, Run};

    fn of(group: Group) -> Result<Vec<(Symbol, usize)>> {
        let count = |events: &SymbolEvents| events.views.values().map(|h| h.batches.len()).sum();
        Ok(group.iter().map(|(symbol, events)| (symbol.clone(), count(events))).collect())
    }

    #[test]
    fn several_threads_find_what_one_does() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = String::from("Symbol,Date,IV30,OHLC 20-Day Vol\n");
        for day in 2..9 {
            for symbol in 0..23 {
                text += &format!("S{symbol},2024-01-0{day},{}.5,20.0\n", 10 + symbol);
            }
        }
        std::fs::write(file.path(), text).unwrap();
        let options =
            ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
        let run = Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") };
        let mut ledger = Ledger::in_memory();
        let input = Input::file(file.path());
        let batch = import_csv(&mut ledger, &[input], &options, &run).unwrap().batch.unwrap();
        let found = |most: u64, threads: usize| {
            let mut groups = Groups::of(&ledger, &[batch]).unwrap().of_at_most(most);
            let (mut found, mut rounds) = (Vec::new(), 0);
            let work = |groups: &Groups, range: &_| of(groups.events(&ledger, range)?);
            while let Some(some) = groups.next_with(threads, &work).unwrap() {
                found.extend(some.into_iter().flatten());
                rounds += 1;
            }
            (found, rounds)
        };
        let (all, rounds) = found(GROUP_EVENTS, 1);
        assert_eq!((all.len(), rounds), (23, 1));
        assert_eq!(all.iter().map(|(_, events)| events).sum::<usize>(), 23 * 7 * 2);
        for (most, threads) in [(1, 1), (1, 2), (40, 2), (40, 3), (40, 50)] {
            let (some, rounds) = found(most, threads);
            assert_eq!(some, all, "groups of {most} with {threads} threads");
            assert_eq!(rounds == 1, threads == 50, "groups of {most} with {threads} threads");
        }
    }

    #[test]
    fn keys_are_not_looked_at_after_some_in_vain() {
        let range = (Symbol::exact("A").unwrap(), Symbol::exact("B").unwrap());
        let groups = Groups::none();
        for _ in 1..IN_VAIN {
            groups.looked(false);
            assert!(groups.are_worth_a_look(&range));
        }
        groups.looked(true);
        (1..IN_VAIN).for_each(|_| groups.looked(false));
        assert!(groups.are_worth_a_look(&range), "in a row");
        groups.looked(false);
        assert!(!groups.are_worth_a_look(&range));
    }
}
