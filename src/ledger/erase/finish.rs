//! Finishing what a crash cut short: an erasure, or an import in a ledger with erasures.

use super::note::Noted;
use super::{Selection, Taken, note, part_of};
use crate::domain::{EntryKind, Erase, Erased, ErasedPart, Position, Stage};
use crate::ledger::error::LedgerError;
use crate::ledger::{Ledger, Result};

/// What is left to do of an erasure.
type Rest = (Position, Selection, Taken);

impl Ledger {
    /// Finishes an erasure that a crash cut short; says so. `unfinished` is whether an import was cut
    /// short: nobody knows any more what it was reading, and it may have been what was erased.
    pub(in crate::ledger) fn finish_erasing(&mut self, unfinished: bool) -> Result<()> {
        if let Some(noted) = note::read(self)? {
            if let Some((at, selection, taken)) = self.rest_of(&noted)? {
                let done = self
                    .make_whole(&taken.sources)
                    .and_then(|()| self.carry_out(at, &selection, &taken.sources));
                done.map_err(|error| LedgerError::unfinished(at, error))?;
                self.notes.push(format!("the erasure {at} had been interrupted and is finished"));
            }
            note::remove(self)?;
        }
        if self.forget_unfinished(unfinished)? {
            self.notes.push(
                "what an unfinished import left is overwritten, since events of this ledger are erased"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// What a note says that is still to be done; nothing where its entry was never appended.
    ///
    /// # Errors
    /// A note that cannot be read, or is another's, beside an erasure that was not carried out: which
    /// events it took is not known then.
    fn rest_of(&self, noted: &Noted) -> Result<Option<Rest>> {
        if let Noted::Of(at, selection) = noted {
            if at.0 == self.position().0 + 1 {
                return Ok(None);
            }
            let entry = self.entry(*at).map(|entry| &entry.kind);
            if let Some(EntryKind::Erase(erase)) = entry
                && let Some(taken) = self.fitting(*at, selection, erase)?
            {
                return Ok(Some((*at, selection.clone(), taken)));
            }
        }
        // Another's, or hurt. Nothing is appended before an erasure is finished, so it is that of the last
        // entry if any; what it took the engine says where that was written anew already.
        for (_, batch) in self.table.iter().filter(|(_, batch)| !batch.erased.is_empty()) {
            self.verify_erased(&batch.stage).map_err(|_| {
                LedgerError::damaged(
                    "an erasure is not finished, and ERASING, its note, cannot be read or is another's: \
                     which events it took is not known",
                )
            })?;
        }
        let at = self.position();
        let Some(EntryKind::Erase(erase)) = self.entry(at).map(|entry| &entry.kind) else {
            return Ok(None);
        };
        let mut selection = Selection::new();
        for part in &erase.parts {
            let erased = self.erased_of(part.batch)?;
            let numbers = erased.iter().filter(|one| one.entry == at).map(|one| one.seq);
            selection.insert(part.batch, numbers.collect());
        }
        let taken = self.takes(at, &selection)?;
        Ok(Some((at, selection, taken)))
    }

    /// What a selection takes, where that is what an entry says.
    pub(in crate::ledger) fn fitting(
        &self,
        at: Position,
        selection: &Selection,
        erase: &Erase,
    ) -> Result<Option<Taken>> {
        let named = selection.keys().eq(erase.parts.iter().map(|part| &part.batch));
        let there = selection.keys().all(|id| self.table.get(*id).is_some());
        if !named || !there {
            return Ok(None);
        }
        let taken = self.takes(at, selection)?;
        Ok((taken.parts == erase.parts).then_some(taken))
    }

    /// Whether what is left of a batch is as the entry `at` says.
    ///
    /// # Errors
    /// Damage of its blocks.
    pub(in crate::ledger) fn is_erased(&self, at: Position, part: &ErasedPart) -> Result<bool> {
        let erased = self.erased_of(part.batch)?;
        let records: Vec<&Erased> = erased.iter().filter(|one| one.entry == at).collect();
        Ok(part_of(part.batch, &records)? == *part)
    }

    /// Whether the packs end with what seals a batch, as they do unless an import was not finished, or
    /// took its sources in another order. Of most ledgers that is known with a look at the last batch.
    fn ends_sealed(&self, end: (u32, u64)) -> Result<bool> {
        let seals = |stage: &Stage| [stage.manifest, stage.mapping.digest];
        let last = self.table.iter().last().map(|(_, of)| seals(&of.stage));
        for digest in last.iter().flatten() {
            if self.store.kept(digest)?.is_some_and(|kept| (kept.pack, kept.end) == end) {
                return Ok(true);
            }
        }
        let kept = self.store.all_kept()?;
        let last = kept.iter().find(|(_, kept)| (kept.pack, kept.end) == end);
        let sealing = |digest| self.table.iter().any(|(_, of)| seals(&of.stage).contains(digest));
        Ok(last.is_some_and(|(digest, _)| sealing(digest)))
    }

    /// [Takes away again](Self::forget_again) what an import left that will not be finished, where
    /// events of the ledger are erased: it may have been reading these. `unfinished` is whether blocks
    /// of it are, or were, in the engine; without them the packs tell. Says whether something went, and
    /// the views with it.
    ///
    /// # Errors
    /// As [`Ledger::erase`].
    pub fn forget_unfinished(&mut self, unfinished: bool) -> Result<bool> {
        if !self.table.iter().any(|(_, batch)| !batch.erased.is_empty()) {
            return Ok(false);
        }
        if !unfinished && self.ends_sealed(self.store.pack_reader().end())? {
            return Ok(false);
        }
        let kept = self.store.all_kept()?;
        let left = self.store.pack().goes_on_behind(kept.iter().map(|(_, kept)| kept))?;
        let all = unfinished || left || !self.brought_back()?.is_empty();
        if all {
            self.forget_again()?;
        }
        Ok(all)
    }
}
