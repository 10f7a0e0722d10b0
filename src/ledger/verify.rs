//! Recomputing every hash and comparing it with what is recorded.

use super::codec::{self, Kept};
use super::error::LedgerError;
use super::hash::{Sha256Tree, TreeHash};
use super::head::Slots;
use super::root::{batch_root, threads};
use super::tree::Tree;
use super::{Ledger, Result};
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{BatchId, Digest, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

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

impl Verified {
    fn hurt(place: impl Into<String>, error: &LedgerError) -> Self {
        let damage = vec![Damage { place: place.into(), what: error.to_string() }];
        // Without its files nothing more can be found.
        Self { damage, moved: matches!(error, LedgerError::Moved), ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.sources += other.sources;
        self.values += other.values;
        self.damage.extend(other.damage);
        self.missing.extend(other.missing);
        self.moved |= other.moved;
    }
}

/// Something that can be looked at without the rest.
#[derive(Debug)]
enum Part<'a> {
    Batch(BatchId, &'a Stage),
    Source(Digest),
    Mirror,
    Engine,
}

impl Part<'_> {
    /// Whether it is a batch that is hashed by several threads.
    fn is_large(&self) -> bool {
        matches!(self, Self::Batch(_, stage) if stage.events > WINDOW_EVENTS as u64)
    }
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
        let mut found = Verified::default();
        if let Err(error) = self.verify_log() {
            found.add(Verified::hurt("log", &error));
        }
        let (mut parts, mut sources) = (Vec::new(), BTreeSet::new());
        for (id, batch) in self.table.iter() {
            let stage = &batch.stage;
            sources.extend([stage.manifest, stage.mapping.digest]);
            match self.manifest_of(stage) {
                Ok(manifest) => sources.extend(manifest.sources.iter().map(|s| s.digest)),
                Err(error) => found.add(Verified::hurt(format!("batch {id}"), &error)),
            }
            parts.push(Part::Batch(id, stage));
        }
        // Where it cannot be read, its batch is among the damage already.
        let erased = self.erased_sources().unwrap_or_default();
        sources.retain(|digest| {
            !erased.contains(digest) || !matches!(self.store.kept(digest), Ok(None))
        });
        parts.extend(sources.into_iter().map(Part::Source));
        if deep {
            parts.extend([Part::Mirror, Part::Engine]);
        }
        let events: u64 = self.table.iter().map(|(_, batch)| batch.stage.events).sum();
        let threads = if events > WINDOW_EVENTS as u64 { threads() } else { 1 };
        let mut moved = found.moved;
        let mut heard = |part: &Part<'_>, found: &Verified| {
            if let Part::Batch(_, stage) = part {
                progress(stage.events);
            }
            moved |= found.moved;
            !moved && !stop()
        };
        let begun = !stop();
        let looked =
            if begun { self.look_at_each(&parts, deep, threads, &mut heard) } else { Vec::new() };
        let whole = looked.len() == parts.len();
        looked.into_iter().for_each(|part| found.add(part));
        // Nor is what could not be found where it is looked for by name.
        let away = || self.files.as_ref().is_some_and(|files| files.in_place().is_err());
        let moved = found.moved || (!found.damage.is_empty() && away());
        Verified { stopped: !whole && !moved, moved, ..found }
    }

    /// Looks at the parts, with so many threads, as long as `heard` says to go on. What is found is in the
    /// order of the parts.
    fn look_at_each(
        &self,
        parts: &[Part<'_>],
        deep: bool,
        threads: usize,
        heard: &mut dyn FnMut(&Part<'_>, &Verified) -> bool,
    ) -> Vec<Verified> {
        let mut seen = BTreeMap::new();
        let mut goes_on = |(index, part, found): (usize, &Part<'_>, Verified)| {
            let goes_on = heard(part, &found);
            seen.insert(index, found);
            goes_on
        };
        let look = |(index, part)| (index, part, self.look_at(part, deep));
        // Each has threads of its own. More than there are cores would only take more memory.
        let (large, others): (Vec<_>, Vec<_>) =
            parts.iter().enumerate().partition(|(_, part)| deep && part.is_large());
        let next = AtomicUsize::new(0);
        let take = || others.get(next.fetch_add(1, Ordering::Relaxed)).map(|part| look(*part));
        if large.into_iter().map(look).all(&mut goes_on) {
            std::thread::scope(|scope| {
                let (send, looked) = channel();
                for _ in 1..threads {
                    let (take, send) = (&take, send.clone());
                    // Where nobody hears any more, the rest is not wanted.
                    scope
                        .spawn(move || while take().is_some_and(|part| send.send(part).is_ok()) {});
                }
                drop(send);
                // This thread takes its share itself: what it gives back of memory is used again.
                while let Some(own) = take() {
                    if !goes_on(own) || !looked.try_iter().all(&mut goes_on) {
                        return;
                    }
                }
                looked.iter().all(goes_on);
            });
        }
        seen.into_values().collect()
    }

    fn look_at(&self, part: &Part<'_>, deep: bool) -> Verified {
        let found = Verified::default();
        let looked = match part {
            Part::Batch(_, stage) => {
                let checked = if deep { self.verify_batch(stage) } else { self.count_batch(stage) };
                checked.map(|()| Verified { events: stage.events, ..found })
            }
            Part::Source(digest) => {
                let checked = if deep { self.check_source(digest) } else { self.place_of(digest) };
                checked.map(|_| Verified { sources: 1, ..found })
            }
            Part::Mirror => self.verify_mirror().map(|wrong| {
                let damage = |what| Damage { place: "mirror".into(), what };
                Verified { damage: wrong.into_iter().map(damage).collect(), ..found }
            }),
            Part::Engine => self.store.scrub().map(|values| Verified { values, ..found }),
        };
        looked.unwrap_or_else(|error| {
            let place = match part {
                Part::Batch(id, _) => format!("batch {id}"),
                Part::Source(digest) => format!("source {}", digest.short()),
                Part::Mirror => "mirror".into(),
                Part::Engine => "engine".into(),
            };
            let missing = match (part, &error) {
                (Part::Source(digest), LedgerError::NoSuchSource(_)) => vec![*digest],
                _ => Vec::new(),
            };
            Verified { missing, ..Verified::hurt(place, &error) }
        })
    }

    /// Where a source is kept; its bytes are not read.
    fn place_of(&self, digest: &Digest) -> Result<Kept> {
        self.store.kept(digest)?.ok_or(LedgerError::NoSuchSource(*digest))
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

    #[test]
    fn any_number_of_threads_finds_the_same_in_the_same_order_and_stops_when_told() {
        let place = tempfile::tempdir().unwrap();
        let files = Arc::new(Directory::new(place.path()));
        let mut ledger = Ledger::create_on(Box::new(MemoryStore::default()), files, false).unwrap();
        let parts: Vec<_> = (0..40u8)
            .map(|n| match n % 3 {
                0 => Part::Source(Digest([n; 32])),
                1 => Part::Source(ledger.keep_bytes(&[n; 5_000], "a source", 1).unwrap()),
                _ => Part::Engine,
            })
            .collect();
        let alone = ledger.look_at_each(&parts, true, 1, &mut |_, _| true);
        assert_eq!((alone.len(), alone[0].missing.len(), alone[1].sources), (40, 1, 1));
        for threads in 2..6 {
            let found = ledger.look_at_each(&parts, true, threads, &mut |_, _| true);
            assert_eq!(found, alone, "{threads} threads");
        }
        for threads in 1..6 {
            let mut left = 7;
            let mut heard = |_: &Part<'_>, _: &Verified| {
                left -= 1;
                left > 0
            };
            assert_eq!(ledger.look_at_each(&parts, true, threads, &mut heard).len(), 7);
        }
    }

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
