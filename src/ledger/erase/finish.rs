//! Finishing what a crash cut short: an erasure, or an import in a ledger with erasures.

use super::note;
use crate::domain::{EntryKind, Stage};
use crate::ledger::{Ledger, Result};

impl Ledger {
    /// Finishes an erasure that a crash cut short; says so. `unfinished` is whether an import was cut
    /// short: nobody knows any more what it was reading, and it may have been what was erased.
    pub(in crate::ledger) fn finish_erasing(&mut self, unfinished: bool) -> Result<()> {
        if let Some((at, selection)) = note::read(self)? {
            if self.entry(at).is_some_and(|entry| matches!(entry.kind, EntryKind::Erase(_))) {
                let taken = self.takes(at, &selection)?;
                self.make_whole(&taken.sources)?;
                self.carry_out(at, &selection, &taken.sources)?;
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
