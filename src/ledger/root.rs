//! The root of a batch, computed again from its stored blocks by several threads.

use super::error::LedgerError;
use super::hash::Blake3Tree;
use super::tree::{Subtree, Tree};
use super::{BatchReader, Ledger, Result};
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{BatchId, Digest, Stage};
use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;

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
    let turns = if stage.events > WINDOW_EVENTS as u64 { threads() } else { 1 };
    root_of(ledger, stage.batch, stage.events, turns)
}

/// A window's events and subtrees.
type Hashed = Result<(u64, Vec<Subtree>)>;

/// Windows are hashed in turn by several threads, and their subtrees added to the tree in order: the
/// first error in that order counts.
fn root_of(ledger: &Ledger, batch: BatchId, events: u64, turns: usize) -> Result<Digest> {
    let mut tree = Tree::<Blake3Tree>::default();
    let mut take = |window: Hashed| {
        tree.graft(&window?.1);
        Ok::<(), LedgerError>(())
    };
    let reader = || ledger.read(batch);
    if turns == 1 {
        let mut taken = Ok(());
        each_window(reader(), events, (0, 1), &mut |window| {
            taken = take(window);
            taken.is_ok()
        });
        taken?;
    } else {
        std::thread::scope(|scope| {
            let start = |turn| {
                let (send, receive) = sync_channel(1);
                let mut handed = move |window| send.send(window).is_ok();
                scope.spawn(move || each_window(reader(), events, (turn, turns), &mut handed));
                receive
            };
            let turns: Vec<_> = (0..turns).map(start).collect();
            // The first thread that has nothing more when its turn comes is at the end.
            let mut windows = turns.iter().cycle().map_while(|turn| turn.recv().ok());
            windows.try_for_each(&mut take)
        })?;
    }
    if tree.size() != events {
        return Err(LedgerError::damaged(format!(
            "batch {batch} has {} of its {events} events",
            tree.size(),
        )));
    }
    Ok(tree.root())
}

/// Hands on the subtrees of each window of a batch whose turn it is, as long as they are wanted.
fn each_window(
    mut reader: BatchReader<'_>,
    events: u64,
    (turn, turns): (usize, usize),
    wanted: &mut dyn FnMut(Hashed) -> bool,
) {
    let mut first = 0;
    for window in 0.. {
        if window % turns != turn {
            // Where this fails, the thread whose turn it is says so.
            let Ok(Some(events)) = reader.pass_window() else { return };
            first += events;
            continue;
        }
        let Some(hashed) = reader.next_subtrees(first..events).transpose() else { return };
        first += hashed.as_ref().map_or(0, |(events, _)| *events);
        let failed = hashed.is_err();
        if !wanted(hashed) || failed {
            return;
        }
    }
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
        for turns in 1..8 {
            assert_eq!(root_of(&ledger, batch, events, turns).unwrap(), root, "{turns} threads");
        }
        for index in 0..writer.blocks() {
            let bytes = ledger.store().block(batch.0, index).unwrap().unwrap();
            let mut bad = bytes.clone();
            bad[40] ^= 1;
            for bad in [&bad, &bytes[..0].to_vec()] {
                ledger.store_mut().put_block(batch.0, index, bad).unwrap();
                let said = |turns| root_of(&ledger, batch, events, turns).unwrap_err().to_string();
                let one = said(1);
                (2..6).for_each(|turns| assert_eq!(said(turns), one, "block {index}"));
            }
            ledger.store_mut().put_block(batch.0, index, &bytes).unwrap();
        }
        // More events than the batch is said to have, or fewer.
        for events in [events - 1, events + 1, 0] {
            (1..4).for_each(|turns| assert!(root_of(&ledger, batch, events, turns).is_err()));
        }
    }
}
