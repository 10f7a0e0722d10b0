//! Updates and rebuilds of views that are cut short before any of their writes.

use super::root::tests::{import, name, old_root, run, sound, staged};
use super::{ViewReader, catch_up, rebuild};
use crate::app::decide::confirm_staged;
use crate::app::error::AppError;
use crate::app::{Silent, lookup};
use crate::domain::{Digest, Series};
use crate::ledger::codec::Kept;
use crate::ledger::store::{MemoryStore, Pack, Store};
use crate::ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

type Done<T> = Result<T, LedgerError>;

/// A store that writes no more values of views once so many are written.
struct Cut {
    inner: MemoryStore,
    left: Arc<AtomicU64>,
}

impl Cut {
    fn may_write(&self) -> Done<()> {
        let one_less = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        one_less.map(|_| ()).map_err(|_| LedgerError::Engine("cut short".to_owned()))
    }
}

impl Store for Cut {
    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Done<bool> {
        self.may_write()?;
        self.inner.put_view(key, bytes)
    }
    fn remove_view(&mut self, key: &[u8]) -> Done<()> {
        self.may_write()?;
        self.inner.remove_view(key)
    }
    fn view(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        self.inner.view(key)
    }
    fn view_keys(&self, prefix: &[u8]) -> Done<Vec<Vec<u8>>> {
        self.inner.view_keys(prefix)
    }
    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Done<()> {
        self.inner.put_block(batch, index, bytes)
    }
    fn block(&self, batch: u32, index: u32) -> Done<Option<Vec<u8>>> {
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
    fn scrub(&self) -> Done<u64> {
        self.inner.scrub()
    }
}

/// A ledger whose only shard of each view is full, with roots of today or of an earlier program.
fn full(old: bool) -> (Ledger, Arc<AtomicU64>) {
    let left = Arc::new(AtomicU64::new(u64::MAX));
    let store = Cut { inner: MemoryStore::default(), left: Arc::clone(&left) };
    let mut ledger = Ledger::on(Box::new(store));
    import(&mut ledger, (0..64).map(|n| (2 * n, 2)));
    if old {
        old_root(&mut ledger, Series::Iv, false);
    }
    (ledger, left)
}

/// What two views show.
fn shown(ledger: &Ledger) -> Vec<String> {
    let of = |series| lookup::view(ledger, &lookup::ViewQuery::of(series)).unwrap();
    let views = [Series::Iv, Series::Hv].into_iter().flat_map(of);
    views.map(|view| format!("{} {}", view.symbol, view.digest)).collect()
}

#[test]
fn an_update_that_splits_a_shard_may_end_before_any_of_its_writes() {
    for old in [false, true] {
        let more = || [(6, 3), (63, 2), (126, 3)].into_iter();
        let (mut whole, _) = full(old);
        import(&mut whole, more());
        sound(&whole);
        let wanted = shown(&whole);
        let mut cuts = 0;
        for after in 0.. {
            let (mut ledger, left) = full(old);
            let staged = staged(&mut ledger, more());
            left.store(after, Relaxed);
            let done = confirm_staged(&mut ledger, &staged, &run());
            left.store(u64::MAX, Relaxed);
            if done.is_ok() {
                break;
            }
            cuts += 1;
            assert!(matches!(done, Err(AppError::ViewsBehind { .. })), "{after}: {done:?}");
            // A reader in this process has all of it, or is refused; the next start mends it.
            if ViewReader::new(&ledger).is_ok() {
                assert_eq!(shown(&ledger), wanted, "cut after {after}");
            }
            catch_up(&mut ledger, &Silent).unwrap();
            sound(&ledger);
            assert_eq!(shown(&ledger), wanted, "cut after {after}, then mended");
        }
        // Marks, chunks, directories, two shards, roots: of two views.
        assert!(cuts > 20, "{cuts}");
    }
}

#[test]
fn a_rebuild_may_end_before_any_of_its_writes() {
    for old in [false, true] {
        let mut cuts = 0;
        for after in (0..).step_by(3) {
            let (mut ledger, left) = full(old);
            let wanted = shown(&ledger);
            left.store(after, Relaxed);
            let done = rebuild(&mut ledger, Series::Iv, &Silent);
            left.store(u64::MAX, Relaxed);
            assert_eq!(shown(&ledger), wanted, "cut after {after}");
            sound(&ledger);
            if done.is_ok() {
                break;
            }
            cuts += 1;
            import(&mut ledger, [(7, 2)].into_iter());
            rebuild(&mut ledger, Series::Iv, &Silent).unwrap();
            sound(&ledger);
            assert_eq!(ViewReader::new(&ledger).unwrap().events(Series::Iv, &name(7)).unwrap(), 1);
        }
        assert!(cuts > 20, "{cuts}");
    }
}
