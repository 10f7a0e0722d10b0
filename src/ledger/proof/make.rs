//! Making proofs from a ledger.

use super::paths::{Gatherer, consistency, inclusion};
use super::{Checkpoint, LogProof, Proof, ProofError};
use crate::domain::{EventId, Position};
use crate::ledger::batch::leaves;
use crate::ledger::hash::{Blake3Tree, Sha256Tree, TreeHash};
use crate::ledger::note::Note;
use crate::ledger::{Ledger, LedgerError, Result, canon};

impl Ledger {
    /// Whether the log begins with the entries that a checkpoint speaks of, recomputed from the
    /// stored entries.
    ///
    /// # Errors
    /// [`ProofError::Fails`] when it is shorter, or other entries give another root.
    pub fn extends(&self, checkpoint: &Checkpoint) -> Result<()> {
        let (size, head) = (checkpoint.size, self.position());
        if size > head {
            let text = format!(
                "the log ends at {head}, and the checkpoint speaks of {size}: what came after \
                 {head} is missing; this is an older copy, its end was taken away, or it is another \
                 ledger"
            );
            return Err(ProofError::fails(text).into());
        }
        if self.root_at(size)? != checkpoint.root {
            let text = format!(
                "the log's entries up to {size} do not give the root of the checkpoint: history \
                 was rewritten, or it is of another ledger"
            );
            return Err(ProofError::fails(text).into());
        }
        Ok(())
    }

    /// Proves a control entry in the log of a checkpoint.
    ///
    /// # Errors
    /// A checkpoint that this log does not extend, or that ends before the entry.
    pub fn prove_entry(&self, at: Position, note: &Note) -> Result<Proof> {
        self.log_proof(at, note).map(Proof::Entry)
    }

    /// Proves a row: that it is in its batch, and the batch's seal in the log of a checkpoint.
    ///
    /// # Errors
    /// As [`Ledger::prove_entry`]; events that are not there, or do not give the batch's root.
    pub fn prove_event(&self, event: EventId, note: &Note) -> Result<Proof> {
        let no_batch = || LedgerError::NoSuchBatch(event.batch);
        let batch = self.batches().get(event.batch).ok_or_else(no_batch)?;
        let stage = &batch.stage;
        let missing = || LedgerError::NoSuchEvent(event);
        let ranges = inclusion(event.seq.into(), stage.events).ok_or_else(missing)?;
        let located = self.locate(event)?.ok_or_else(missing)?;
        let mut row = Vec::new();
        match (&located.reject, located.rows.get(0)) {
            (Some(reject), _) => canon::put_reject(&mut row, reject),
            (None, Some(found)) => canon::put_row(&mut row, found),
            (None, None) => return Err(missing()),
        }
        let mut gatherer = Gatherer::<Blake3Tree>::new(ranges);
        let mut reader = self.read(event.batch);
        while let Some(window) = reader.next_window()? {
            for leaf in leaves(&window, gatherer.size())? {
                gatherer.push(leaf);
            }
        }
        let (root, path) = gatherer.finish();
        if root != stage.batch_root {
            let text = format!("the events of batch {} do not give its root", event.batch);
            return Err(LedgerError::damaged(text));
        }
        let log = self.log_proof(batch.staged_at, note)?;
        Ok(Proof::Row { event, row, path, log })
    }

    /// Proves that the log of one checkpoint begins with the log of another.
    ///
    /// # Errors
    /// Checkpoints that this log does not extend, or in the wrong order.
    pub fn prove_consistency(&self, old: &Note, new: &Note) -> Result<Proof> {
        let (from, to) = (Checkpoint::unverified(old)?, Checkpoint::unverified(new)?);
        self.extends(&from)?;
        self.extends(&to)?;
        let ranges = consistency(from.size.0, to.size.0).ok_or_else(|| {
            let text =
                format!("the first checkpoint, {}, is beyond the second, {}", from.size, to.size);
            ProofError::malformed(text)
        })?;
        let mut gatherer = Gatherer::<Sha256Tree>::new(ranges);
        for (position, bytes) in self.store().controls()? {
            if position <= to.size.0 {
                gatherer.push(Sha256Tree::leaf(&bytes));
            }
        }
        let (_, path) = gatherer.finish();
        Ok(Proof::Consistency { old: old.clone(), path, new: new.clone() })
    }

    fn log_proof(&self, at: Position, note: &Note) -> Result<LogProof> {
        let checkpoint = Checkpoint::unverified(note)?;
        self.extends(&checkpoint)?;
        let beyond = || {
            let text = format!("the checkpoint ends at {}, before {at}", checkpoint.size);
            ProofError::malformed(text)
        };
        let index = at.0.checked_sub(1).ok_or_else(beyond)?;
        let ranges = inclusion(index, checkpoint.size.0).ok_or_else(beyond)?;
        let mut gatherer = Gatherer::<Sha256Tree>::new(ranges);
        let mut entry = Vec::new();
        for (position, bytes) in self.store().controls()? {
            if position <= checkpoint.size.0 {
                gatherer.push(Sha256Tree::leaf(&bytes));
            }
            if position == at.0 {
                entry = bytes;
            }
        }
        let (_, path) = gatherer.finish();
        Ok(LogProof { entry, index, path, checkpoint: note.clone() })
    }
}
