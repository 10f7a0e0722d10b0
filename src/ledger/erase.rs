//! Erasing: payloads go from every file of the ledger, leaf hashes stay.
//!
//! The order is: what is to go is noted in `ERASING`, the control entry is appended, then it is
//! carried out, then the note is removed. A crash at any point leaves the note, and opening finishes
//! the work; before the entry there was nothing to finish. Carrying out writes the engine anew
//! (its log keeps old bytes in dead space), overwrites the packs wherever no kept source stands,
//! and writes the mirror anew. It may be done twice.

mod anew;
mod finish;
pub(super) mod note;
#[cfg(test)]
mod tests;
mod whole;

use super::batch::leaves;
use super::codec;
use super::error::LedgerError;
use super::{Ledger, Result};
use crate::domain::erase::MAX_PARTS;
use crate::domain::{
    BatchId, Digest, Entry, EntryKind, Erase, Erased, ErasedPart, EventId, Position, Rows, Stage,
    Window,
};
use std::collections::{BTreeMap, BTreeSet};

/// The numbers of events, from 0, by batch.
pub type Selection = BTreeMap<BatchId, BTreeSet<u32>>;

/// The last entry that erased events of a source, and of which batch.
pub type Gone = (Position, BatchId);

/// What an erasure takes.
pub(super) struct Taken {
    /// Of each batch, as its entry says it.
    pub(super) parts: Vec<ErasedPart>,
    /// The sources that go with it.
    pub(super) sources: BTreeSet<Digest>,
}

/// What is kept of the events of `gone` in a window; the window is left without them.
fn blank(window: Window, gone: &BTreeSet<u32>, entry: Position) -> Result<Window> {
    let first = first_of(&window);
    let hashes = leaves(&window, u64::from(first))?;
    let leaf = |seq: u32| hashes.get((seq - first) as usize).copied();
    let mut rows = Rows::new();
    let mut erased = window.erased;
    for row in window.rows.iter() {
        let seq = row.head.seq;
        match leaf(seq).filter(|_| gone.contains(&seq)) {
            None => rows.push_row(row),
            Some(leaf) => erased.push(Erased {
                seq,
                leaf,
                entry,
                series: row.head.series,
                symbol: Some(row.symbol.clone()),
                day: row.head.day,
                source: row.head.source,
            }),
        }
    }
    let mut rejects = Vec::new();
    for reject in window.rejects {
        match leaf(reject.seq).filter(|_| gone.contains(&reject.seq)) {
            None => rejects.push(reject),
            Some(leaf) => erased.push(Erased {
                seq: reject.seq,
                leaf,
                entry,
                series: reject.series,
                symbol: None,
                day: crate::domain::Day(0),
                source: reject.source,
            }),
        }
    }
    erased.sort_by_key(|erased| erased.seq);
    Ok(Window { rows, rejects, erased })
}

/// What could be read; damage is told where it counts, and is no reason to say nothing of the rest.
fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(LedgerError::Moved) => Err(LedgerError::Moved),
        Err(_) => Ok(None),
    }
}

/// The number of a window's first event.
fn first_of(window: &Window) -> u32 {
    let rows = window.rows.heads().iter().map(|head| head.seq);
    let rejects = window.rejects.iter().map(|reject| reject.seq);
    let erased = window.erased.iter().map(|erased| erased.seq);
    rows.chain(rejects).chain(erased).min().unwrap_or(0)
}

impl Ledger {
    /// What is kept of the erased events of a batch, in the order of their numbers.
    ///
    /// # Errors
    /// Damage of its blocks.
    pub fn erased_of(&self, batch: BatchId) -> Result<Vec<Erased>> {
        let mut reader = self.read(batch);
        let mut found = Window::default();
        while let Some((index, header)) = reader.next_header()? {
            if header.series.is_none() {
                reader.read_into(index, &mut found)?;
            }
        }
        found.erased.sort_by_key(|erased| erased.seq);
        Ok(found.erased)
    }

    /// The sources whose bytes may be gone, since events that were read from them were erased. Of a batch
    /// whose blocks or manifest cannot be read nothing is said.
    ///
    /// # Errors
    /// [`LedgerError::Moved`].
    pub fn erased_sources(&self) -> Result<BTreeSet<Digest>> {
        let mut found = BTreeSet::new();
        for (id, batch) in self.table.iter().filter(|(_, batch)| !batch.erased.is_empty()) {
            let sources = self.erased_of(id).and_then(|of| self.sources_behind(&batch.stage, &of));
            found.extend(readable(sources)?.unwrap_or_default());
        }
        Ok(found)
    }

    /// The sources that erased events were read from.
    fn sources_behind(&self, stage: &Stage, erased: &[Erased]) -> Result<BTreeSet<Digest>> {
        let manifest = self.manifest_of(stage)?;
        let numbers: BTreeSet<u32> = erased.iter().map(|erased| erased.source).collect();
        let source = |number: u32| manifest.sources.get(number as usize).map(|s| s.digest);
        Ok(numbers.into_iter().filter_map(source).collect())
    }

    /// Takes away again what reading erased content anew has brought back: blocks that were not sealed,
    /// and the bytes of sources that are [gone](Self::gone). Views are gone afterwards, to be rebuilt.
    ///
    /// # Errors
    /// As [`Ledger::erase`].
    pub fn forget_again(&mut self) -> Result<()> {
        let sources = self.brought_back()?;
        self.renew(self.position(), &Selection::new(), &sources)?;
        let kept = self.store.all_kept()?;
        self.store.pack().clear_outside(kept.iter().map(|(_, kept)| kept))
    }

    /// The sources whose bytes an erasure took and that nobody has read anew since, each with the batch
    /// that lost events last and the entry by which it did. A batch staged before the erasure has lost
    /// its sources, even if some of its rows are left; a batch that is read anew brings them back, one
    /// that is split off does not. Nothing is said of sources other than `asked`, nor of those of a
    /// batch whose blocks or manifest cannot be read; a later batch whose manifest cannot be read may
    /// have asked for any.
    ///
    /// # Errors
    /// [`LedgerError::Moved`].
    pub fn gone(&self, asked: impl Fn(&Digest) -> bool) -> Result<BTreeMap<Digest, Gone>> {
        self.gone_unless(asked, true)
    }

    /// The same; `unread` is whether a batch whose manifest cannot be read counts as one that asked for
    /// all sources, or for none.
    pub(super) fn gone_unless(
        &self,
        asked: impl Fn(&Digest) -> bool,
        unread: bool,
    ) -> Result<BTreeMap<Digest, Gone>> {
        let mut gone: BTreeMap<Digest, Gone> = BTreeMap::new();
        for (id, batch) in self.table.iter().filter(|(_, batch)| !batch.erased.is_empty()) {
            let sources = readable(self.manifest_of(&batch.stage))?.unwrap_or_default().sources;
            if !sources.iter().any(|source| asked(&source.digest)) {
                continue;
            }
            for erased in readable(self.erased_of(id))?.unwrap_or_default() {
                let source = sources.get(erased.source as usize);
                if let Some(source) = source.filter(|source| asked(&source.digest)) {
                    let last = gone.entry(source.digest).or_insert((erased.entry, id));
                    *last = (*last).max((erased.entry, id));
                }
            }
        }
        let Some(first) = gone.values().map(|(at, _)| *at).min() else { return Ok(gone) };
        for (_, batch) in self.table.iter() {
            // A manifest that somebody imported as data stays what it is.
            gone.remove(&batch.stage.manifest);
            gone.remove(&batch.stage.mapping.digest);
            if batch.staged_at > first && !batch.stage.is_part() {
                let manifest = readable(self.manifest_of(&batch.stage))?;
                let read = manifest.map(|manifest| -> BTreeSet<Digest> {
                    manifest.sources.iter().map(|source| source.digest).collect()
                });
                let reads =
                    |digest: &Digest| read.as_ref().map_or(unread, |read| read.contains(digest));
                gone.retain(|digest, (at, _)| *at > batch.staged_at || !reads(digest));
            }
        }
        Ok(gone)
    }

    /// Sources that are [gone](Self::gone) and here all the same.
    fn brought_back(&self) -> Result<BTreeSet<Digest>> {
        let mut found = BTreeSet::new();
        for digest in self.gone(|_| true)?.into_keys() {
            if readable(self.store.kept(&digest))?.flatten().is_some() {
                found.insert(digest);
            }
        }
        Ok(found)
    }

    /// Whether the erased events of a batch are those that entries of the log have erased.
    pub(super) fn verify_erased(&self, stage: &Stage) -> Result<()> {
        let batch = stage.batch;
        let erased = self.erased_of(batch)?;
        let mut by_entry: BTreeMap<Position, Vec<&Erased>> = BTreeMap::new();
        for one in &erased {
            by_entry.entry(one.entry).or_default().push(one);
        }
        let known = self.table.get(batch).map(|batch| batch.erased.as_slice()).unwrap_or_default();
        for erasure in known {
            let (at, records) = (erasure.at, by_entry.remove(&erasure.at).unwrap_or_default());
            let counts = records.len() as u64 == erasure.events;
            if !counts || codec::records_digest(&records)? != erasure.records {
                let what = format!("what is left of batch {batch} is not as erased by {at}");
                return Err(LedgerError::damaged(what));
            }
        }
        match by_entry.first_key_value() {
            None => Ok(()),
            Some((at, records)) => {
                let (count, seq) = (records.len(), records.first().map_or(0, |r| r.seq));
                let event = EventId { batch, seq };
                Err(LedgerError::damaged(format!(
                    "{count} events of batch {batch}, the first {event}, are gone, and no entry says \
                     that they were erased ({at} does not)"
                )))
            }
        }
    }

    /// Leaves out of a selection what is erased already or is not there.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchBatch`], [`LedgerError::NoSuchEvent`]; damage.
    pub fn erasable(&self, mut wanted: Selection) -> Result<Selection> {
        for (id, numbers) in &mut wanted {
            let stage = &self.table.get(*id).ok_or(LedgerError::NoSuchBatch(*id))?.stage;
            if let Some(last) = numbers.last().filter(|last| u64::from(**last) >= stage.events) {
                return Err(LedgerError::NoSuchEvent(EventId { batch: *id, seq: *last }));
            }
            for erased in self.erased_of(*id)? {
                numbers.remove(&erased.seq);
            }
        }
        wanted.retain(|_, numbers| !numbers.is_empty());
        Ok(wanted)
    }

    /// Erases events: appends the entry that says so, then takes what they said from every file of
    /// the ledger, and the bytes of their sources with it. Views are gone afterwards, to be rebuilt.
    /// `entry` makes the control entry of what was erased.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`]: before the entry nothing is changed, after it the next opening
    /// goes on. [`LedgerError::Damaged`] for batches that are not as recorded.
    pub fn erase(
        &mut self,
        selection: &Selection,
        reason: &str,
        entry: &dyn Fn(EntryKind) -> Entry,
    ) -> Result<Position> {
        let mut last = self.position();
        let all: Vec<_> = selection.iter().collect();
        for part in all.chunks(MAX_PARTS) {
            let part: Selection = part.iter().map(|(id, set)| (**id, (*set).clone())).collect();
            last = self.erase_part(&part, reason, entry)?;
        }
        Ok(last)
    }

    fn erase_part(
        &mut self,
        selection: &Selection,
        reason: &str,
        entry: &dyn Fn(EntryKind) -> Entry,
    ) -> Result<Position> {
        let at = Position(self.position().0 + 1);
        for id in selection.keys() {
            let stage = self.table.get(*id).ok_or(LedgerError::NoSuchBatch(*id))?.stage.clone();
            // What is erased cannot be looked at again: it must be as recorded now.
            self.verify_batch(&stage)?;
        }
        let taken = self.takes(at, selection)?;
        self.store.renewable()?;
        self.make_whole(&taken.sources)?;
        note::write(self, at, selection)?;
        let erase = Erase { reason: reason.to_owned(), parts: taken.parts };
        let appended = self.append(entry(EntryKind::Erase(erase)))?;
        let done = self.carry_out(at, selection, &taken.sources).and_then(|()| note::remove(self));
        done.map_err(|error| LedgerError::unfinished(at, error))?;
        Ok(appended)
    }

    /// What erasing a selection as the entry `at` takes, or took where it was carried out.
    pub(super) fn takes(&self, at: Position, selection: &Selection) -> Result<Taken> {
        let (mut parts, mut sources) = (Vec::new(), BTreeSet::new());
        for (id, numbers) in selection {
            let stage = &self.table.get(*id).ok_or(LedgerError::NoSuchBatch(*id))?.stage;
            let mut records = Vec::new();
            let mut reader = self.read(*id);
            while let Some(window) = reader.next_window()? {
                let kept = blank(window, numbers, at)?.erased;
                records.extend(kept.into_iter().filter(|one| one.entry == at));
            }
            sources.extend(self.sources_behind(stage, &records)?);
            parts.push(part_of(*id, &records.iter().collect::<Vec<_>>())?);
        }
        for (_, batch) in self.table.iter() {
            // A manifest that somebody imported as data stays what it is.
            sources.remove(&batch.stage.manifest);
            sources.remove(&batch.stage.mapping.digest);
        }
        Ok(Taken { parts, sources })
    }
}

/// What an entry says of the records of its batch.
fn part_of(batch: BatchId, records: &[&Erased]) -> Result<ErasedPart> {
    let (events, records) = (records.len() as u64, codec::records_digest(records)?);
    Ok(ErasedPart { batch, events, records })
}
