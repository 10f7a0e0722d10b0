//! The root of a batch, computed again from its stored blocks by several threads.

use super::batch::{StoredWindow, WindowHasher};
use super::error::LedgerError;
use super::hash::Blake3Tree;
use super::tree::Tree;
use super::{BatchReader, Ledger, Result};
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{BatchId, Digest, Stage};
use std::panic::resume_unwind;
use std::sync::{LazyLock, Mutex, PoisonError};

/// How many threads work where the work can be shared. Asked of the system once: it reads files.
pub fn threads() -> usize {
    static THREADS: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from).min(8));
    *THREADS
}

#[cfg(test)]
thread_local! {
    /// How many batches this thread had hashed.
    pub(super) static HASHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// The Merkle root over the stored events of a batch.
pub(super) fn batch_root(ledger: &Ledger, stage: &Stage) -> Result<Digest> {
    #[cfg(test)]
    HASHED.set(HASHED.get() + 1);
    let threads = if stage.events > WINDOW_EVENTS as u64 { threads() } else { 1 };
    root_of(ledger, stage.batch, stage.events, threads)
}

/// Windows that are still to be hashed.
struct Left<'a> {
    reader: BatchReader<'a>,
    /// The number of the next one, and of its first event.
    next: (usize, u64),
    /// Whether there are none, or none that are of use.
    over: bool,
}

impl Left<'_> {
    /// The next window, with its number and that of its first event.
    fn take(&mut self) -> Option<(usize, u64, Result<StoredWindow>)> {
        let window = if self.over { None } else { self.reader.next_stored().transpose() };
        self.over = !matches!(window, Some(Ok(_)));
        let (number, first) = self.next;
        let events = window.as_ref()?.as_ref().map_or(0, |window| window.events);
        self.next = (number + 1, first + events);
        Some((number, first, window?))
    }
}

/// Windows are hashed by several threads, each the next one that none has taken, and their subtrees
/// added to the tree in order: the first error in that order counts.
fn root_of(ledger: &Ledger, batch: BatchId, events: u64, threads: usize) -> Result<Digest> {
    let reader = ledger.read(batch);
    let left = Mutex::new(Left { reader, next: (0, 0), over: false });
    let lock = || left.lock().unwrap_or_else(PoisonError::into_inner);
    let hashed = || {
        let (mut hasher, mut found) = (WindowHasher::default(), Vec::new());
        loop {
            let taken = lock().take();
            let Some((number, first, window)) = taken else { return found };
            let hashed = window.and_then(|window| hasher.subtrees(&window, first..events));
            lock().over |= hashed.is_err();
            found.push((number, hashed));
        }
    };
    let mut found = hashed_by(threads, &hashed);
    found.sort_unstable_by_key(|(number, _)| *number);
    let mut tree = Tree::<Blake3Tree>::default();
    for (_, hashed) in found {
        tree.graft(&hashed?);
    }
    if tree.size() != events {
        return Err(LedgerError::damaged(format!(
            "batch {batch} has {} of its {events} events",
            tree.size(),
        )));
    }
    Ok(tree.root())
}

/// What so many threads find, this one among them.
fn hashed_by<T: Send>(threads: usize, work: &(impl Fn() -> Vec<T> + Sync)) -> Vec<T> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut found = work();
        for other in others {
            // A panic goes on as one: it is a bug wherever it happens.
            found.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::Place;
    use crate::domain::{Day, Field, Op, Series, Value, Window};

    #[test]
    fn any_number_of_threads_finds_the_same_root_and_the_same_first_error() {
        let mut ledger = Ledger::in_memory();
        let mut writer = ledger.begin().unwrap();
        for events in [5_000u32, 30, 1, 64, 4_097] {
            let mut window = Window::default();
            let shape = window.rows.intern_shape(&[Field::Known(10)]);
            for row in 0..events {
                // Not in the order in which blocks are sorted.
                let symbol = format!("S{}", row % 7).parse().unwrap();
                let symbol = window.rows.intern_symbol(&symbol);
                let seq = writer.events() as u32 + row;
                let place = Place { seq, source: 0, line: seq, offset: 0, len: 1 };
                let value = Value::from_json_number(&format!("0.{seq}"));
                window.rows.push(place, Series::Iv, Op::Put, symbol, Day(9), shape, [value]);
            }
            ledger.write(&mut writer, &window).unwrap();
        }
        let (batch, events, root) = (writer.batch(), writer.events(), writer.root());
        for threads in 1..8 {
            assert_eq!(
                root_of(&ledger, batch, events, threads).unwrap(),
                root,
                "{threads} threads"
            );
        }
        for index in 0..writer.blocks() {
            let bytes = ledger.store().block(batch.0, index).unwrap().unwrap();
            let mut bad = bytes.clone();
            bad[40] ^= 1;
            for bad in [&bad, &bytes[..0].to_vec()] {
                ledger.store_mut().put_block(batch.0, index, bad).unwrap();
                let said =
                    |threads| root_of(&ledger, batch, events, threads).unwrap_err().to_string();
                let one = said(1);
                (2..6).for_each(|threads| assert_eq!(said(threads), one, "block {index}"));
            }
            ledger.store_mut().put_block(batch.0, index, &bytes).unwrap();
        }
        // More events than the batch is said to have, or fewer.
        for events in [events - 1, events + 1, 0] {
            (1..4).for_each(|threads| assert!(root_of(&ledger, batch, events, threads).is_err()));
        }
    }
}
