//! Carrying an erasure out: engine, packs and mirror without what is to go.

use super::{Selection, blank};
use crate::domain::{BatchId, Digest, Position, Window};
use crate::ledger::codec::{self, Codec};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Store;
use crate::ledger::{Ledger, Result, inbox};
use std::collections::BTreeSet;

impl Ledger {
    /// Takes events and sources from every file.
    pub(super) fn carry_out(
        &mut self,
        at: Position,
        selection: &Selection,
        sources: &BTreeSet<Digest>,
    ) -> Result<()> {
        self.renew(at, selection, sources)?;
        let kept = self.store.all_kept()?;
        self.store.pack().clear_outside(kept.iter().map(|(_, kept)| kept))?;
        if let Some(files) = &self.files {
            inbox::remove_cut(&**files)?;
        }
        self.renew_mirror()
    }

    /// Writes the engine anew, without what is to go and without views.
    pub(super) fn renew(
        &mut self,
        at: Position,
        selection: &Selection,
        sources: &BTreeSet<Digest>,
    ) -> Result<()> {
        let batches: Vec<(BatchId, u64)> =
            self.table.iter().map(|(id, batch)| (id, batch.stage.events)).collect();
        self.forget();
        self.store.renew(&mut |old: &dyn Store, new: &mut dyn Store| {
            for (position, bytes) in old.controls()? {
                new.put_control(position, &bytes)?;
            }
            for (digest, kept) in old.all_kept()? {
                if !sources.contains(&digest) {
                    new.put_kept(&digest, &kept)?;
                }
            }
            for (id, events) in &batches {
                let found = match selection.get(id) {
                    None => copied(*id, old, new)?,
                    Some(numbers) => blanked(*id, numbers, at, old, new)?,
                };
                if found != *events {
                    return Err(LedgerError::damaged(format!(
                        "batch {id} has {found} of its {events} events"
                    )));
                }
            }
            Ok(())
        })
    }
}

/// Copies the blocks of a batch as they are; says how many events they have.
fn copied(batch: BatchId, old: &dyn Store, new: &mut dyn Store) -> Result<u64> {
    let (mut index, mut events) = (0, 0);
    while let Some(bytes) = old.block(batch.0, index)? {
        events += u64::from(codec::read_header(&bytes)?.events);
        new.put_block(batch.0, index, &bytes)?;
        index += 1;
    }
    Ok(events)
}

/// Copies the blocks of a batch without what the events said that are to go; says how many it has.
fn blanked(
    batch: BatchId,
    numbers: &BTreeSet<u32>,
    at: Position,
    old: &dyn Store,
    new: &mut dyn Store,
) -> Result<u64> {
    let (mut index, mut next, mut window, mut wanted) = (0, 0, Window::default(), 0);
    let mut events = 0;
    while let Some(bytes) = old.block(batch.0, index)? {
        index += 1;
        wanted = codec::decode_block(&bytes, &mut window)?.window_events as usize;
        if window.len() < wanted {
            continue;
        }
        events += window.len() as u64;
        let whole = blank(std::mem::take(&mut window), numbers, at)?;
        for block in codec::encode_blocks(&whole, Codec::Columns)? {
            new.put_block(batch.0, next, &block)?;
            next += 1;
        }
    }
    match window.is_empty() {
        true => Ok(events),
        false => Err(LedgerError::damaged(format!(
            "a window of batch {batch} has {} of its {wanted} events",
            window.len()
        ))),
    }
}
