//! The only file that names sled.
//!
//! What is known about sled 0.34 and how it is contained here: `flush` is not an fsync, so the
//! barrier syncs sled's file through a handle of its own; values above [`MAX_VALUE`] would become
//! files that are never synced, so they are refused and `blobs/` must stay empty; hurt files make
//! it panic, so every call is caught and becomes damage; neither batches nor transactions are used;
//! a snapshot that was being written when the process died makes it refuse a sound database, so
//! such a file is removed before opening.

mod ahead;
mod blobs;
mod renew;

use self::ahead::Ahead;
use self::blobs::Blobs;
use self::renew::sync_names;
use super::{MAX_VALUE, Pack, Renewal, Result, Store, check_size};
use crate::domain::Digest;
use crate::ledger::codec::{Kept, decode_kept, encode_kept};
use crate::ledger::error::LedgerError;
use crate::ledger::files::Files;
use crate::ledger::hash::content;
use crate::ledger::modes::EngineFiles;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The size of a segment of sled's file, in bytes.
const SEGMENT: u64 = 2 << 20;

/// What the engine may keep of pages in memory: nothing here reads a value twice in a row.
const CACHE: u64 = 16 << 20;

/// Bytes of views that may wait in memory for the next barrier. They follow each other in the
/// engine's log, so what a killed process loses of them is their end, and that is made up for by the
/// next opening.
const LITTLE: usize = 64 << 10;

/// Bytes of a value that count as one access: more keep more of the engine in memory, fewer cost time.
const ACCESS: usize = 4 << 10;

/// The ledger's data in a sled database, with the sources' packs beside it.
pub struct SledStore {
    db: sled::Db,
    blocks: sled::Tree,
    controls: sled::Tree,
    kept: sled::Tree,
    views: sled::Tree,
    pack: Pack,
    files: Arc<dyn Files>,
    directory: PathBuf,
    file: File,
    blobs: Blobs,
    ahead: Ahead,
    /// Bytes of views that were handed to the engine since it last wrote out everything.
    waiting: usize,
    poisoned: bool,
    /// The last of the handles to go.
    _last: Last,
    /// The last field: it is dropped when the engine is.
    _files: EngineFiles,
}

/// The handle that is let go last, guarded: sled syncs its file then, and panics when it cannot.
/// Whatever was acknowledged is durable before; views can be made again.
struct Last(Option<sled::Db>);

impl Drop for Last {
    fn drop(&mut self) {
        let db = self.0.take();
        let closed = guarded(|| {
            drop(db);
            Ok(())
        });
        if closed.is_err() {
            tracing::warn!("the storage engine could not sync its file when it was closed");
        }
    }
}

/// Runs a call of the engine: its errors and panics become ours.
fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Corruption { .. })) => {
            Err(LedgerError::damaged("the storage engine found corrupt data"))
        }
        Ok(Err(sled::Error::Io(error))) => match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::PermissionDenied
            | std::io::ErrorKind::ReadOnlyFilesystem
            | std::io::ErrorKind::QuotaExceeded => Err(LedgerError::write("the ledger", error)),
            _ => Err(LedgerError::damaged(format!("the storage engine: {error}"))),
        },
        Ok(Err(error)) => Err(LedgerError::damaged(format!("the storage engine: {error}"))),
        Err(_) => Err(LedgerError::damaged("the storage engine stopped at data it cannot read")),
    }
}

/// Calls the engine to write. A disk that fails the write has hurt nothing that was there, so that
/// is no damage.
fn writing<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T> {
    let mut failed = None;
    let done = guarded(|| {
        call().map_err(|error| match error {
            sled::Error::Io(error) => {
                failed = Some(LedgerError::write("the ledger", error));
                sled::Error::Unsupported(String::new())
            }
            other => other,
        })
    });
    done.map_err(|error| failed.unwrap_or(error))
}

/// Opens the engine. The ledger's own lock is held, so when the engine's is taken, an earlier
/// handle of this very process is still being let go by a thread of the engine, or copied into a
/// child that has not begun to run its own program.
fn open_patiently(config: &sled::Config) -> Result<sled::Db> {
    for _ in 0..200 {
        match guarded(|| config.open()) {
            Err(LedgerError::Damaged { what }) if what.contains("could not acquire lock") => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
    Err(LedgerError::Held { holder: "the storage engine's file is locked".into() })
}

/// Removes snapshots that were not finished. sled writes one under a name of its own, syncs and
/// renames it, but when it opens it takes the unfinished file for a snapshot too and calls the
/// whole database corrupt. The log and the snapshot before are all that it needs.
fn sweep_snapshots(path: &Path) -> Result<()> {
    let listed = match std::fs::read_dir(path) {
        Ok(listed) => listed,
        Err(_) => return Ok(()), // a new ledger: sled makes the directory
    };
    for entry in listed.flatten() {
        let name = entry.file_name();
        let unfinished = name
            .to_str()
            .is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating"));
        if unfinished {
            tracing::debug!(?name, "an unfinished snapshot of the engine is removed");
            std::fs::remove_file(entry.path())
                .map_err(|error| LedgerError::write("the ledger", error))?;
        }
    }
    Ok(())
}

/// Reads everything that sled is about to read when it opens. sled takes a read that fails for
/// the end of its log and overwrites what follows there, so one moment of a bad cable would lose
/// the end of the log for good. Failing here leaves the file as it is; what was read once comes
/// from memory the second time.
///
/// sled reads the head of each segment, and those whole that were written since its last
/// snapshot: the file's name ends in the position up to which that one goes, and a segment's head
/// has its own position, with all bits but the highest inverted.
fn read_ahead(path: &Path) -> Result<()> {
    const HEAD: usize = 20;
    let unreadable = |error| LedgerError::read("the storage engine's file", error);
    let Ok(mut file) = File::open(path.join("db")) else {
        return Ok(()); // sled says why, or makes it
    };
    let names = std::fs::read_dir(path).map_err(unreadable)?.flatten().map(|e| e.file_name());
    let upto = names
        .filter_map(|name| u64::from_str_radix(name.to_str()?.strip_prefix("snap.")?, 16).ok());
    let upto = upto.max().unwrap_or(0);
    let mut buffer = vec![0; 256 << 10];
    for segment in 0.. {
        file.seek(SeekFrom::Start(segment * SEGMENT)).map_err(unreadable)?;
        let mut head = Vec::with_capacity(HEAD);
        file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
        let Some((_, rest)) = head.split_first_chunk::<4>() else {
            return Ok(());
        };
        let position = rest.first_chunk().map(|lsn| u64::from_le_bytes(*lsn) ^ (u64::MAX >> 1));
        // One that is none, or of zeroes, has no position below that: it is read whole.
        if position.is_none_or(|position| position.saturating_add(SEGMENT) > upto) {
            let mut rest = file.by_ref().take(SEGMENT);
            while rest.read(&mut buffer).map_err(unreadable)? > 0 {}
        }
    }
    Ok(())
}

impl SledStore {
    /// Opens or creates the database in `directory/sled`; the packs are among `files`.
    pub fn open(directory: &Path, files: Arc<dyn Files>) -> Result<Self> {
        Self::open_at(directory, &directory.join("sled"), files)
    }

    /// As [`Self::open`], where the database lies at `path`.
    fn open_at(directory: &Path, path: &Path, files: Arc<dyn Files>) -> Result<Self> {
        sweep_snapshots(path)?;
        read_ahead(path)?;
        let new = !path.join("db").exists();
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            .segment_size(SEGMENT as usize)
            .flush_every_ms(None);
        let db = open_patiently(&config)?;
        let _last = Last(Some(db.clone()));
        let db = db; // let go before the one above, also when something below fails
        if new {
            sync_names(path)?;
        }
        let tree = |name: &str| guarded(|| db.open_tree(name));
        let (blocks, controls) = (tree("blocks")?, tree("control")?);
        let (kept, views) = (tree("sources")?, tree("views")?);
        let lost = |error| LedgerError::damaged(format!("the storage engine's file: {error}"));
        let file = File::open(path.join("db")).map_err(lost)?;
        let mut store = Self {
            db,
            blocks,
            controls,
            kept,
            views,
            pack: Pack::on(files.clone())?,
            files,
            directory: directory.to_owned(),
            file,
            blobs: Blobs::of(path),
            ahead: Ahead::default(),
            waiting: 0,
            poisoned: false,
            _last,
            _files: EngineFiles::of(path),
        };
        store.blobs.check()?;
        Ok(store)
    }

    fn sync_engine(&mut self) -> Result<()> {
        writing(|| self.db.flush())?;
        self.blobs.check()?;
        self.file.sync_data().map_err(|error| LedgerError::write("the ledger", error))
    }

    /// Keeps a value; says whether one stood there.
    fn put(&mut self, tree: fn(&Self) -> &sled::Tree, key: &[u8], bytes: &[u8]) -> Result<bool> {
        check_size(bytes)?;
        self.changing(|store| {
            let tree = tree(store);
            let was = tree.insert(key, bytes)?;
            weigh(tree, key, bytes.len()).map(|()| was.is_some())
        })
    }

    /// Lets the engine change something; after a change that failed there is no other.
    fn changing<T>(&mut self, change: impl FnOnce(&Self) -> sled::Result<T>) -> Result<T> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let done = writing(|| change(self));
        self.poisoned |= done.is_err();
        done
    }

    fn get(&self, tree: &sled::Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        guarded(|| {
            let found = tree.get(key)?.map(|bytes| bytes.to_vec());
            weigh(tree, key, found.as_ref().map_or(0, Vec::len))?;
            Ok(found)
        })
    }

    fn remove(&mut self, tree: fn(&Self) -> &sled::Tree, key: &[u8]) -> Result<()> {
        self.changing(|store| tree(store).remove(key).map(drop))
    }
}

/// The engine lets pages go only after 64 accesses to one of its 256 shards, however large they are: all
/// blocks that were ever read stayed in memory, 150 MiB of 20,000,000 rows. So a large value is accessed
/// as often as small ones of its size would be.
fn weigh(tree: &sled::Tree, key: &[u8], size: usize) -> sled::Result<()> {
    (0..size / ACCESS).try_for_each(|_| tree.get(key).map(|_| ()))
}

/// Everything of a tree from a key on.
fn all(tree: &sled::Tree, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    guarded(|| {
        let pairs = tree.scan_prefix(prefix);
        pairs.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
    })
}

fn block_key(batch: u32, index: u32) -> [u8; 8] {
    let mut key = [0u8; 8];
    key[..4].copy_from_slice(&batch.to_be_bytes());
    key[4..].copy_from_slice(&index.to_be_bytes());
    key
}

impl Store for SledStore {
    fn renewable(&self) -> Result<()> {
        self.has_room_beside()
    }

    fn renew(&mut self, write: &mut Renewal<'_>) -> Result<()> {
        self.write_anew(write)
    }

    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Result<()> {
        self.go_ahead(batch, index)?;
        self.put(|store| &store.blocks, &block_key(batch, index), bytes).map(drop)
    }

    fn block(&self, batch: u32, index: u32) -> Result<Option<Vec<u8>>> {
        let found = self.get(&self.blocks, &block_key(batch, index))?;
        Ok(found.filter(|bytes| !bytes.is_empty())) // a key that was put ahead
    }

    fn sweep_blocks(&mut self, batch: u32) -> Result<u64> {
        self.fall_back()?;
        let from = block_key(batch, 0);
        let found = self.blocks.range(from..);
        let found = found.map(|pair| pair.map(|(key, block)| (key, u64::from(!block.is_empty()))));
        let found: Vec<_> = guarded(|| found.collect::<sled::Result<_>>())?;
        for (key, _) in &found {
            self.remove(|store| &store.blocks, key)?;
        }
        Ok(found.iter().map(|(_, blocks)| blocks).sum())
    }

    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        self.put(|store| &store.controls, &position.to_be_bytes(), bytes).map(drop)
    }

    fn remove_control(&mut self, position: u64) -> Result<()> {
        self.remove(|store| &store.controls, &position.to_be_bytes())
    }

    fn controls(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        let number = |key: Vec<u8>| {
            let wrong = |_| LedgerError::damaged("a key of the control log");
            key.try_into().map(u64::from_be_bytes).map_err(wrong)
        };
        let pairs = all(&self.controls, &[])?.into_iter();
        pairs.map(|(key, value)| Ok((number(key)?, value))).collect()
    }

    fn kept(&self, digest: &Digest) -> Result<Option<Kept>> {
        self.get(&self.kept, &digest.0)?.map(|bytes| open_kept(digest, &bytes)).transpose()
    }

    fn all_kept(&self) -> Result<Vec<(Digest, Kept)>> {
        let pairs = all(&self.kept, &[])?.into_iter();
        pairs
            .map(|(key, value)| {
                let wrong = |_| LedgerError::damaged("a key of the sources");
                let digest = Digest(key.try_into().map_err(wrong)?);
                Ok((digest, open_kept(&digest, &value)?))
            })
            .collect()
    }

    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Result<()> {
        let mut bytes = encode_kept(kept)?;
        bytes.extend_from_slice(&content(&bytes).0);
        self.put(|store| &store.kept, &digest.0, &bytes).map(drop)
    }

    fn pack(&mut self) -> &mut Pack {
        &mut self.pack
    }

    fn pack_reader(&self) -> &Pack {
        &self.pack
    }

    fn view(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(&self.views, key)
    }

    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Result<bool> {
        self.waiting += bytes.len();
        self.put(|store| &store.views, key, bytes)
    }

    fn remove_view(&mut self, key: &[u8]) -> Result<()> {
        self.remove(|store| &store.views, key)
    }

    fn view_keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
        guarded(|| self.views.scan_prefix(prefix).keys().map(|k| k.map(|k| k.to_vec())).collect())
    }

    fn barrier(&mut self) -> Result<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        self.fall_back()?;
        let done = self.pack.begin_sync().and_then(|packing| {
            let stored = self.sync_engine();
            self.pack.end_sync(packing)?;
            stored
        });
        self.waiting = 0;
        // After a failed sync the page cache may no longer match the disk: write nothing more.
        self.poisoned |= done.is_err();
        done
    }

    fn flush_views(&mut self) -> Result<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        if self.waiting < LITTLE {
            return Ok(());
        }
        self.waiting = 0;
        writing(|| self.db.flush()).map(|_| ())
    }

    fn scrub(&self) -> Result<u64> {
        let mut values = 0;
        for tree in [&self.blocks, &self.controls, &self.kept, &self.views] {
            values += guarded(|| {
                let mut count = 0u64;
                for pair in tree.iter() {
                    let (key, value) = pair?;
                    debug_assert!(value.len() <= MAX_VALUE);
                    // Going through a tree accesses a page once for all its values.
                    tree.get(&key)?;
                    weigh(tree, &key, value.len())?;
                    count += 1;
                }
                Ok(count)
            })?;
        }
        Ok(values)
    }
}

/// Checks the seal of a source's place.
fn open_kept(digest: &Digest, bytes: &[u8]) -> Result<Kept> {
    match bytes.split_last_chunk::<32>() {
        Some((body, seal)) if content(body) == Digest(*seal) => decode_kept(body),
        _ => Err(LedgerError::damaged(format!("the place of source {}", digest.short()))),
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SledStore({})", self.directory.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::files::Directory;

    fn open(directory: &Path) -> Result<SledStore> {
        SledStore::open(directory, Arc::new(Directory::new(directory)))
    }

    #[test]
    fn a_snapshot_that_was_not_finished_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open(directory.path()).unwrap();
        store.put_control(1, b"entry").unwrap();
        store.barrier().unwrap();
        drop(store);
        // As a kill -9 in the middle of sled's own clean-up left it.
        let unfinished = directory.path().join("sled").join("snap.00000000000072AE.generating");
        for half in [&b""[..], b"half a snapshot"] {
            std::fs::write(&unfinished, half).unwrap();
            let store = open(directory.path()).unwrap();
            assert_eq!(store.controls().unwrap(), [(1, b"entry".to_vec())]);
            assert!(!unfinished.exists());
        }
    }

    #[test]
    fn the_engines_lock_is_waited_for_a_moment() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                drop(first);
            });
            assert!(open(directory.path()).is_ok());
        });
    }
}
