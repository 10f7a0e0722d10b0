//! The root of a batch, computed again from its stored blocks by several threads.

use super::error::LedgerError;
use super::hash::Blake3Tree;
use super::tree::Tree;
use super::{Ledger, Result};
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{Digest, Stage};
use std::sync::mpsc::sync_channel;

/// How many threads work where the work can be shared.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// The Merkle root over the stored events of a batch.
///
/// Windows are hashed in turn by several threads, and their leaves added to the tree in order: the
/// first error in that order counts.
pub(super) fn batch_root(ledger: &Ledger, stage: &Stage) -> Result<Digest> {
    let mut tree = Tree::<Blake3Tree>::default();
    let mut take = |leaves: Result<Vec<Digest>>| {
        leaves?.into_iter().for_each(|leaf| tree.push(leaf));
        Ok::<(), LedgerError>(())
    };
    let turns = threads();
    if turns == 1 || stage.events <= WINDOW_EVENTS as u64 {
        let mut taken = Ok(());
        each_window(ledger, stage, (0, 1), &mut |leaves| {
            taken = take(leaves);
            taken.is_ok()
        });
        taken?;
    } else {
        std::thread::scope(|scope| {
            let start = |turn| {
                // One window is waited for while the next is hashed; more would only take memory.
                let (send, receive) = sync_channel(1);
                let mut handed = move |leaves| send.send(leaves).is_ok();
                scope.spawn(move || each_window(ledger, stage, (turn, turns), &mut handed));
                receive
            };
            let turns: Vec<_> = (0..turns).map(start).collect();
            // The first thread whose turn it is and that has nothing more is at the end.
            let mut leaves = turns.iter().cycle().map_while(|turn| turn.recv().ok());
            leaves.try_for_each(&mut take)
        })?;
    }
    if tree.size() != stage.events {
        return Err(LedgerError::damaged(format!(
            "batch {} has {} of its {} events",
            stage.batch,
            tree.size(),
            stage.events
        )));
    }
    Ok(tree.root())
}

/// Hands on the leaves of each window of a batch whose turn it is, as long as they are wanted.
fn each_window(
    ledger: &Ledger,
    stage: &Stage,
    (turn, turns): (usize, usize),
    wanted: &mut dyn FnMut(Result<Vec<Digest>>) -> bool,
) {
    let (mut reader, mut first) = (ledger.read(stage.batch), 0);
    for window in 0.. {
        if window % turns != turn {
            // Where this fails, the thread whose turn it is says so.
            let Ok(Some(events)) = reader.pass_window() else { return };
            first += events;
            continue;
        }
        let Some(leaves) = reader.next_leaves(first..stage.events).transpose() else { return };
        first += leaves.as_ref().map_or(0, Vec::len) as u64;
        let failed = leaves.is_err();
        if !wanted(leaves) || failed {
            return;
        }
    }
}
