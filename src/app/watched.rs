//! A store for tests: it counts what is read, and may refuse to be written.

use crate::domain::Digest;
use crate::ledger::codec::Kept;
use crate::ledger::store::{MemoryStore, Pack, Renewal, Store};
use crate::ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

type Done<T> = Result<T, LedgerError>;

/// What was read of a store, and how much more of views may be written.
#[derive(Debug)]
pub struct Watch {
    left: AtomicU64,
    blocks: AtomicU64,
    views: AtomicU64,
    sources: AtomicU64,
}

/// What was asked for of a store, found or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Blocks of batches.
    pub blocks: u64,
    /// Values of views.
    pub views: u64,
    /// Sources, manifests and mappings.
    pub sources: u64,
}

impl Watch {
    /// So many values of views are still written, and no more.
    pub fn allow(&self, writes: u64) {
        self.left.store(writes, Relaxed);
    }

    /// What is read while `work` runs.
    pub fn reads<T>(&self, work: impl FnOnce() -> T) -> (T, Reads) {
        let all = [&self.blocks, &self.views, &self.sources];
        let before = all.map(|count| count.load(Relaxed));
        let done = work();
        let [blocks, views, sources] = [0, 1, 2].map(|of| all[of].load(Relaxed) - before[of]);
        (done, Reads { blocks, views, sources })
    }

    fn may_write(&self) -> Done<()> {
        let one_less = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        one_less.map(|_| ()).map_err(|_| LedgerError::Engine("cut short".to_owned()))
    }
}

/// An empty ledger that is watched.
pub fn ledger() -> (Ledger, Arc<Watch>) {
    let count = AtomicU64::default;
    let left = AtomicU64::new(u64::MAX);
    let watch = Arc::new(Watch { left, blocks: count(), views: count(), sources: count() });
    let store = Watched { inner: MemoryStore::default(), watch: Arc::clone(&watch) };
    (Ledger::on(Box::new(store)), watch)
}

struct Watched {
    inner: MemoryStore,
    watch: Arc<Watch>,
}

impl Store for Watched {
    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Done<bool> {
        self.watch.may_write()?;
        self.inner.put_view(key, bytes)
    }
    fn remove_view(&mut self, key: &[u8]) -> Done<()> {
        self.watch.may_write()?;
        self.inner.remove_view(key)
    }
    fn view(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        self.watch.views.fetch_add(1, Relaxed);
        self.inner.view(key)
    }
    fn view_keys(&self, prefix: &[u8]) -> Done<Vec<Vec<u8>>> {
        self.inner.view_keys(prefix)
    }
    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Done<()> {
        self.inner.put_block(batch, index, bytes)
    }
    fn block(&self, batch: u32, index: u32) -> Done<Option<Vec<u8>>> {
        self.watch.blocks.fetch_add(1, Relaxed);
        self.inner.block(batch, index)
    }
    fn sweep_blocks(&mut self, batch: u32) -> Done<u64> {
        self.inner.sweep_blocks(batch)
    }
    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Done<()> {
        self.inner.put_control(position, bytes)
    }
    fn remove_control(&mut self, position: u64) -> Done<()> {
        self.inner.remove_control(position)
    }
    fn controls(&self) -> Done<Vec<(u64, Vec<u8>)>> {
        self.inner.controls()
    }
    fn kept(&self, digest: &Digest) -> Done<Option<Kept>> {
        self.watch.sources.fetch_add(1, Relaxed);
        self.inner.kept(digest)
    }
    fn all_kept(&self) -> Done<Vec<(Digest, Kept)>> {
        self.inner.all_kept()
    }
    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Done<()> {
        self.inner.put_kept(digest, kept)
    }
    fn pack(&mut self) -> &mut Pack {
        self.inner.pack()
    }
    fn pack_reader(&self) -> &Pack {
        self.inner.pack_reader()
    }
    fn barrier(&mut self) -> Done<()> {
        self.inner.barrier()
    }
    fn flush_views(&mut self) -> Done<()> {
        self.inner.flush_views()
    }
    fn renew(&mut self, write: &mut Renewal<'_>) -> Done<()> {
        self.inner.renew(write)
    }
    fn scrub(&self) -> Done<u64> {
        self.inner.scrub()
    }
}
