//! Recomputing every hash and comparing it with what is recorded.

use super::error::LedgerError;
use super::hash::{Sha256Tree, TreeHash};
use super::head::Slots;
use super::root::batch_root;
use super::tree::Tree;
use super::{Ledger, Result, codec};
use crate::domain::{Digest, Stage};
use std::cell::Cell;
use std::collections::BTreeSet;

/// Something that is not as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What it is about: `HEAD`, `log`, `batch b3`, `source 12ab…`, `mirror`, `engine`.
    pub place: String,
    /// What was found.
    pub what: String,
}

/// What a verification read and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Row events whose leaves were recomputed.
    pub events: u64,
    /// Sources whose bytes were read and hashed (counted only, when not deep).
    pub sources: u64,
    /// Stored values that the engine read back.
    pub values: u64,
    /// What is not as recorded.
    pub damage: Vec<Damage>,
    /// Sources that are not here at all; each is among the damage.
    pub missing: Vec<Digest>,
    /// Whether it was stopped before everything was looked at.
    pub stopped: bool,
    /// Whether the ledger was moved or replaced meanwhile: what was found then is not about it.
    pub moved: bool,
}

impl Ledger {
    /// Recomputes the root of one batch from its stored events and compares it with its seal.
    pub fn verify_batch(&self, stage: &Stage) -> Result<()> {
        if batch_root(self, stage)? == stage.batch_root {
            return self.verify_erased(stage);
        }
        let batch = stage.batch;
        Err(LedgerError::damaged(format!("the events of batch {batch} do not give its root")))
    }

    /// Checks the log against HEAD and, for every batch, blocks against root and sources against
    /// digests. Not `deep`: the log and HEAD, and that every block and source is in its place.
    pub fn verify(&self, deep: bool, progress: &mut dyn FnMut(u64)) -> Verified {
        self.verify_until(deep, progress, &|| false)
    }

    /// As [`Self::verify`]; `stop` is asked between batches and between sources.
    pub fn verify_until(
        &self,
        deep: bool,
        progress: &mut dyn FnMut(u64),
        stop: &dyn Fn() -> bool,
    ) -> Verified {
        // Without its files nothing more can be found.
        let gone = Cell::new(false);
        let gone_or_stopped = || gone.get() || stop();
        let found = self.find_damage(deep, progress, &gone_or_stopped, &|error| {
            gone.set(gone.get() || matches!(error, LedgerError::Moved));
            error.to_string()
        });
        // Nor is what could not be found where it is looked for by name.
        let away = || self.files.as_ref().is_some_and(|files| files.in_place().is_err());
        let moved = gone.get() || (!found.damage.is_empty() && away());
        Verified { stopped: found.stopped && !moved, moved, ..found }
    }

    /// Gathers what is not as recorded; `told` says what an error means.
    fn find_damage(
        &self,
        deep: bool,
        progress: &mut dyn FnMut(u64),
        stop: &dyn Fn() -> bool,
        told: &dyn Fn(LedgerError) -> String,
    ) -> Verified {
        let mut found = Verified::default();
        let damage = |found: &mut Verified, place: String, error: LedgerError| {
            found.damage.push(Damage { place, what: told(error) });
        };
        if let Err(error) = self.verify_log() {
            damage(&mut found, "log".into(), error);
        }
        let mut sources = BTreeSet::new();
        for (id, batch) in self.table.iter() {
            if stop() {
                return Verified { stopped: true, ..found };
            }
            let stage = &batch.stage;
            sources.extend([stage.manifest, stage.mapping.digest]);
            match self.manifest_of(stage) {
                Ok(manifest) => sources.extend(manifest.sources.iter().map(|s| s.digest)),
                Err(error) => damage(&mut found, format!("batch {id}"), error),
            }
            let checked = if deep { self.verify_batch(stage) } else { self.count_batch(stage) };
            match checked {
                Ok(()) => found.events += stage.events,
                Err(error) => damage(&mut found, format!("batch {id}"), error),
            }
            progress(stage.events);
        }
        // Where it cannot be read, its batch is among the damage already.
        let erased = self.erased_sources().unwrap_or_default();
        for digest in sources {
            if stop() {
                return Verified { stopped: true, ..found };
            }
            if erased.contains(&digest) && matches!(self.store.kept(&digest), Ok(None)) {
                continue;
            }
            let checked = match deep {
                true => self.check_source(&digest).map(|_| ()),
                false => match self.store.kept(&digest) {
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => Err(LedgerError::NoSuchSource(digest)),
                    Err(error) => Err(error),
                },
            };
            match checked {
                Ok(()) => found.sources += 1,
                Err(error) => {
                    if matches!(error, LedgerError::NoSuchSource(_)) {
                        found.missing.push(digest);
                    }
                    damage(&mut found, format!("source {}", digest.short()), error);
                }
            }
        }
        if deep {
            let wrong = self.verify_mirror().unwrap_or_else(|error| vec![told(error)]);
            let wrong = wrong.into_iter().map(|what| Damage { place: "mirror".into(), what });
            found.damage.extend(wrong);
            match self.store.scrub() {
                Ok(values) => found.values = values,
                Err(error) => damage(&mut found, "engine".into(), error),
            }
        }
        found
    }

    /// Reads the log from the engine again and compares it with HEAD and with memory.
    fn verify_log(&self) -> Result<()> {
        let mut tree = Tree::<Sha256Tree>::default();
        for (position, bytes) in self.store.controls()? {
            if position != tree.size() + 1 {
                return Err(LedgerError::damaged("positions of the log are not consecutive"));
            }
            let again = codec::encode_entry(&codec::decode_entry(&bytes)?)?;
            if again != bytes {
                return Err(LedgerError::damaged(format!("entry #{position} is not canonical")));
            }
            tree.push(Sha256Tree::leaf(&bytes));
        }
        let head = match &self.files {
            None => self.head(),
            Some(files) => {
                let missing = || LedgerError::damaged("HEAD is missing");
                let (head, slots) = Slots::read(&**files)?.ok_or_else(missing)?;
                if slots.torn() {
                    return Err(LedgerError::damaged("a slot of HEAD is hurt"));
                }
                head
            }
        };
        if (head.size.0, head.root) != (tree.size(), tree.root()) || head != self.head() {
            return Err(LedgerError::damaged("the log does not give the root that HEAD holds"));
        }
        Ok(())
    }

    /// Whether every event of a batch is in its place.
    pub(super) fn count_batch(&self, stage: &Stage) -> Result<()> {
        let (mut reader, mut events) = (self.read(stage.batch), 0);
        while let Some((_, header)) = reader.next_header()? {
            events += u64::from(header.events);
        }
        if events == stage.events {
            return Ok(());
        }
        let (batch, all) = (stage.batch, stage.events);
        Err(LedgerError::damaged(format!("batch {batch} has {events} of its {all} events")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Directory;
    use super::super::store::MemoryStore;
    use super::*;
    use std::sync::Arc;

    /// Engine and HEAD agree with each other; what this process would append to and answer from is
    /// another log.
    #[test]
    fn a_log_in_memory_that_is_not_the_one_on_disk_is_damage() {
        let place = tempfile::tempdir().unwrap();
        let files = Arc::new(Directory::new(place.path()));
        let store = Box::new(MemoryStore::default());
        let mut ledger = Ledger::create_on(store, files, false).unwrap();
        assert!(ledger.verify_log().is_ok());
        ledger.tree.push(Sha256Tree::leaf(b"an entry that is nowhere else"));
        let damage = ledger.verify(false, &mut |_| {}).damage;
        assert!(damage.len() == 1 && damage[0].place == "log", "{damage:?}");
    }
}
