//! The last erasure of a hurt ledger: it may have been cut short. Then nothing is shown as if it had not
//! been asked for, and where nobody knows what it was to take, its entry is not taken.

use super::super::erase::note::{self, Noted};
use super::super::files::Files;
use super::super::store::Store;
use super::super::verify::Damage;
use super::super::{Ledger, Result};
use super::Survey;
use super::salvage::Salvage;
use crate::domain::{EntryKind, Erase, Position};

/// The note of an erasure that was cut short, if there is one. One that cannot be read is hurt.
pub(super) fn note_of(files: &dyn Files, told: &mut dyn FnMut(&str, String)) -> Option<Noted> {
    note::find(files).unwrap_or_else(|error| {
        told("ERASING", error.to_string());
        Some(Noted::Hurt)
    })
}

impl Ledger {
    /// Says whether the erasure that the sound log ends with is finished.
    pub(super) fn settle_erasure(
        &mut self,
        salvage: &Salvage,
        noted: Option<&Noted>,
        survey: &mut Survey,
    ) -> Result<()> {
        let at = self.position();
        let Some(EntryKind::Erase(erase)) = self.entry(at).map(|entry| entry.kind.clone()) else {
            return Ok(());
        };
        // Of each batch the place was taken that has it as erased, if one has.
        let done = erase.parts.iter().all(|part| self.is_erased(at, part).unwrap_or(false));
        // The note goes when engine, packs and mirror are done: until then some of them may not be. That of
        // an entry that comes next was written, and the entry was not.
        let next = |noted: &&Noted| matches!(noted, Noted::Of(of, _) if *of > at);
        survey.unfinished = noted.filter(|noted| !next(noted)).map(|_| at);
        if !done && !self.is_of(noted, at, &erase) {
            (survey.unfinished, survey.unknown) = (Some(at), true);
            let batches: Vec<_> = erase.parts.iter().map(|part| part.batch.to_string()).collect();
            let what = format!(
                "the erasure {at} of events of {} was not carried out, and no note says which: it is \
                 left out, and has to be asked for again",
                batches.join(", ")
            );
            survey.hurt.push(Damage { place: "ERASING".to_owned(), what });
            self.leave_out(salvage, at)?;
            survey.sound = self.head();
        }
        Ok(())
    }

    fn is_of(&self, noted: Option<&Noted>, at: Position, erase: &Erase) -> bool {
        match noted {
            Some(Noted::Of(of, selection)) if *of == at => {
                matches!(self.fitting(at, selection, erase), Ok(Some(_)))
            }
            _ => false,
        }
    }

    /// The ledger without its last entry.
    fn leave_out(&mut self, salvage: &Salvage, last: Position) -> Result<()> {
        salvage.drop_entry(last.0)?;
        let entries = std::mem::take(&mut self.entries);
        let empty = Self::in_memory();
        (self.tree, self.table, self.projections) = (empty.tree, empty.table, empty.projections);
        for (entry, (_, bytes)) in entries.into_iter().zip(salvage.controls()?) {
            self.take(entry, &bytes);
        }
        Ok(())
    }
}
