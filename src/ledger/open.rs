//! Making and opening a ledger: the one path that also mends what a crash left.

use super::append::crash_leaves;
use super::error::LedgerError;
use super::files::{Directory, Files};
use super::head::{Head, Slots};
use super::lock::Lock;
use super::store::{SledStore, Store};
use super::{Ledger, OpenOptions, Result, bundle, codec, modes, root};
use crate::domain::batch::Batch;
use crate::domain::{EntryKind, Stage};
use std::path::Path;
use std::sync::Arc;

impl Ledger {
    /// Makes a new ledger in a directory, which may exist but must not hold one, nor what is left
    /// of one. What an earlier call left that was interrupted is none.
    ///
    /// # Errors
    /// [`LedgerError::Exists`], [`LedgerError::NotWritable`].
    pub fn create(directory: &Path, options: &OpenOptions) -> Result<Self> {
        let write = |error| LedgerError::write(directory.display().to_string(), error);
        let exists = || Err(LedgerError::Exists(directory.to_owned()));
        let begun = Self::exists(directory);
        if begun && !only_begun(directory) {
            return exists();
        }
        // A directory with other things in it is not only the ledger's: its rights stay, and `status`
        // says what they let others do.
        let shared = !begun && directory.read_dir().is_ok_and(|mut inside| inside.next().is_some());
        modes::private_folder(directory).map_err(write)?;
        if !shared {
            modes::restrict(directory, 0o700).map_err(write)?;
        }
        let lock = Lock::take(directory, options)?;
        let files = Directory::new(directory);
        files.held_by(lock.file());
        let files: Arc<dyn Files> = Arc::new(files);
        let engine = directory.join("sled");
        if begun && engine.join("db").metadata().map_or(true, |db| db.len() == 0) {
            // Its configuration may be there in part; there is nothing else.
            match std::fs::remove_dir_all(&engine) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(write(error));
                }
                _ => {}
            }
        }
        let store = SledStore::open(directory, files.clone())?;
        if begun && !store.controls()?.is_empty() {
            return exists();
        }
        let ledger = Self::create_on(Box::new(store), files, options.mirror)?;
        Ok(Self { directory: Some(directory.to_owned()), _lock: Some(lock), ..ledger })
    }

    /// A new ledger on an empty store and empty files: what [`Self::create`] does with those of a
    /// directory, and a test with others.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn create_on(
        mut store: Box<dyn Store>,
        files: Arc<dyn Files>,
        mirror: bool,
    ) -> Result<Self> {
        store.barrier()?;
        let mut ledger = Self { store, files: Some(files.clone()), ..Self::in_memory() };
        if mirror {
            ledger.attach_mirror(&ledger.head())?;
        }
        // HEAD last: without it the directory is not a ledger yet.
        ledger.head().write(&*files)?;
        Ok(ledger)
    }

    /// Opens a ledger, compares it with HEAD and clears away what an unfinished staging left.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::Held`], [`LedgerError::Damaged`],
    /// [`LedgerError::Newer`], [`LedgerError::NotWritable`].
    pub fn open(directory: &Path, options: &OpenOptions) -> Result<Self> {
        if !Self::exists(directory) {
            return Err(LedgerError::NotFound(directory.to_owned()));
        }
        let files = Directory::new(directory);
        Head::read(&files)?; // a ledger that is too new is not even locked
        let lock = Lock::take(directory, options)?;
        files.held_by(lock.file());
        let files: Arc<dyn Files> = Arc::new(files);
        Head::read(&*files)?.ok_or_else(no_head)?;
        SledStore::settle(directory)?;
        if !directory.join("sled").join("db").exists() {
            return Err(LedgerError::damaged("the storage engine's file is missing"));
        }
        let store = SledStore::open(directory, files.clone())?;
        let ledger = Self::open_on(Box::new(store), files, options.mirror)?;
        Ok(Self { directory: Some(directory.to_owned()), _lock: Some(lock), ..ledger })
    }

    /// Opens the ledger on a store and its files: what [`Self::open`] does with those of a
    /// directory, and a test with others. Nothing may be written to them meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`], [`LedgerError::Newer`], [`LedgerError::NotWritable`].
    pub fn open_on(store: Box<dyn Store>, files: Arc<dyn Files>, mirror: bool) -> Result<Self> {
        let (head, slots) = Slots::read(&*files)?.ok_or_else(no_head)?;
        let mut ledger = Self { store, files: Some(files), slots, ..Self::in_memory() };
        ledger.recover(head, mirror)?;
        Ok(ledger)
    }

    /// Reads the control log, checks it against HEAD, and settles what lies beyond HEAD.
    fn recover(&mut self, head: Head, mirror: bool) -> Result<()> {
        let mut beyond = Vec::new();
        for (expected, (position, bytes)) in (1..).zip(self.store.controls()?) {
            if position != expected {
                return Err(LedgerError::damaged(format!(
                    "entry #{expected} of the log is missing"
                )));
            }
            if position > head.size.0 {
                beyond.push((position, bytes));
                continue;
            }
            let entry = codec::decode_entry(&bytes)
                .map_err(|error| LedgerError::damaged(format!("entry #{position}: {error}")))?;
            self.take(entry, &bytes);
        }
        let size = self.tree.size();
        if size < head.size.0 {
            return Err(LedgerError::damaged(format!(
                "HEAD says {} entries, the log has {size}: its end is lost",
                head.size.0
            )));
        }
        if self.tree.root() != head.root {
            return Err(LedgerError::damaged("the log's root is not the one that HEAD holds"));
        }
        let cut = self.take_beyond(beyond)?;
        let ahead = self.tree.size() > head.size.0;
        if self.slots.torn() && !ahead {
            return Err(LedgerError::damaged(
                "a slot of HEAD is hurt, and the log has no more than the other one says: its end \
                 may be lost",
            ));
        }
        let swept = self.store.sweep_blocks(self.table.next_id().0)?;
        tracing::debug!(entries = self.tree.size(), swept, "log read and compared with HEAD");
        if swept > 0 {
            self.notes.push(format!("removed {swept} blocks that an unfinished import left"));
        }
        // Before the mirror: it must not be ahead of an engine that then loses its end.
        if ahead || swept > 0 || cut {
            self.store.barrier()?;
        }
        if mirror {
            self.attach_mirror(&head)?;
        }
        // Only then: a torn slot is plausible only where the log goes on beyond the other one.
        if let Some(files) = self.files.clone() {
            let head = self.head();
            match ahead {
                true => self.slots.write(&*files, &head)?,
                false => self.slots.sync(&*files)?,
            }
        }
        if swept > 0 {
            self.cut_packs();
        }
        self.finish_erasing(swept > 0 || cut)
    }

    /// Cuts off what an unfinished import left in the packs behind the last source that is noted. Not where
    /// a source that a batch needs is not: it may be what stands there, and `recover` finds it. What was
    /// read in a ledger with erasures is overwritten besides, elsewhere. Nothing hangs on it, so a disk
    /// that refuses it is no reason to stop.
    fn cut_packs(&mut self) {
        let noted = |stage: &Stage| -> Result<bool> {
            for digest in bundle::sources_of(self, stage)? {
                if self.store.kept(&digest)?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let whole = |batch: &Batch| batch.erased.is_empty() && noted(&batch.stage).unwrap_or(false);
        if !self.table.iter().all(|(_, batch)| whole(batch)) {
            return;
        }
        let Ok(kept) = self.store.all_kept() else { return };
        let bytes = self.store.pack().cut_behind(kept.iter().map(|(_, kept)| kept)).unwrap_or(0);
        if bytes > 0 {
            self.notes.push(format!("and {bytes} bytes that it had kept of its files"));
        }
    }

    /// Entries beyond HEAD were never acknowledged. They follow each other in the log, so the whole
    /// ones count as if the crash had come a moment later, and the rest is cut: says whether
    /// something was. Of more than a crash leaves HEAD is an older one, and where one of its slots
    /// is hurt, HEAD was already moving: nothing is cut then.
    fn take_beyond(&mut self, beyond: Vec<(u64, Vec<u8>)>) -> Result<bool> {
        let mut entries = Vec::new();
        for (position, bytes) in beyond {
            entries.push((position, codec::decode_entry(&bytes).ok(), bytes));
        }
        let read: Vec<_> = entries.iter().map(|(_, entry, _)| entry.as_ref()).collect();
        let all_read = read.len() < 2 || read.iter().all(Option::is_some);
        let older = !(all_read && crash_leaves(&read));
        let mut cut = Vec::new();
        for (position, entry, bytes) in entries {
            let entry = entry.filter(|entry| match &entry.kind {
                EntryKind::Stage(stage) => self.batch_is_whole(stage),
                _ => true,
            });
            match entry {
                Some(entry) if cut.is_empty() => self.take(entry, &bytes),
                _ if older || self.slots.torn() => {
                    let why = if older { "HEAD is an older one" } else { "a slot of HEAD is hurt" };
                    return Err(LedgerError::damaged(format!(
                        "{why}, and entry #{position} behind it is not whole"
                    )));
                }
                _ => cut.push(position),
            }
        }
        // From the end on: a crash in between leaves no hole.
        for position in cut.iter().rev() {
            self.store.remove_control(*position)?;
        }
        let told = |position| format!("entry #{position} was not finished and has been removed");
        self.notes.extend(cut.iter().map(told));
        Ok(!cut.is_empty())
    }

    fn batch_is_whole(&self, stage: &Stage) -> bool {
        let sources = self.manifest_of(stage).and_then(|manifest| {
            self.check_source(&stage.mapping.digest)?;
            manifest.sources.iter().try_for_each(|s| self.check_source(&s.digest).map(|_| ()))
        });
        sources
            .and_then(|()| root::batch_root(self, stage))
            .is_ok_and(|root| root == stage.batch_root)
    }
}

/// Whether a directory has nothing in it that a ledger would have with its first entry: neither
/// HEAD nor a source nor anything in its mirror.
fn only_begun(directory: &Path) -> bool {
    let empty = |folder: &str| match directory.join(folder).read_dir() {
        Ok(mut entries) => entries.all(|entry| {
            entry.and_then(|entry| entry.metadata()).is_ok_and(|file| file.len() == 0)
        }),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    !directory.join("HEAD").exists() && empty("mirror") && empty(super::store::PACKS)
}

fn no_head() -> LedgerError {
    LedgerError::damaged("HEAD is missing")
}
