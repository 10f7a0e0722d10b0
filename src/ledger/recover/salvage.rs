//! A store over what is left of a hurt ledger. It is read; only views are written, in memory.

use super::super::codec::{self, Kept, ManifestSource};
use super::super::error::LedgerError;
use super::super::mirror::Gathered;
use super::super::scratch::Folder;
use super::super::store::{MemoryStore, Pack, SledStore, Store};
use super::super::{Ledger, Result};
use super::overlay::{MIRRORED, Overlay, only_read};
use super::places::{Held, Places, Way};
use super::{LostSource, Survey, packs};
use crate::domain::{BatchId, Digest, Erased, Position, Stage};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is left of a hurt ledger; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Salvage {
    inner: Arc<Mutex<Inner>>,
    /// The packs, and as number 0 what the mirror has of them.
    pack: Pack,
    overlay: Arc<Overlay>,
}

#[derive(Debug)]
struct Inner {
    // The engine is let go before its files are.
    places: Places,
    _copy: Option<Folder>,
    searched: Option<BTreeMap<Digest, Kept>>,
    /// Control entries, places of sources, views.
    memory: MemoryStore,
    /// Where each source was found; none where it was not.
    sources: BTreeMap<Digest, Option<FoundIn>>,
}

/// Where a source was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FoundIn {
    /// Where the engine says.
    Engine,
    Packs,
    Mirror,
}

impl Salvage {
    pub(super) fn new(
        engine: Option<(SledStore, Folder)>,
        mirror: Gathered,
        overlay: Arc<Overlay>,
    ) -> Result<Self> {
        let (engine, copy) = engine.unzip();
        let pack = Pack::on(overlay.clone())?;
        let inner = Inner {
            places: Places::new(engine, mirror),
            _copy: copy,
            searched: None,
            memory: MemoryStore::default(),
            sources: BTreeMap::new(),
        };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), pack, overlay })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the blocks of a batch some way from now on.
    pub(super) fn take(&self, stage: &Stage, way: Way) {
        self.inner().places.take(stage.batch, stage.events, way);
    }

    /// How a batch is taken, and what was read of it so.
    pub(super) fn held(&self, batch: BatchId) -> Held {
        self.inner().places.held(batch)
    }

    /// Takes a batch as it was taken before, without reading it once more.
    pub(super) fn take_again(&self, batch: BatchId, held: Held) {
        self.inner().places.take_again(batch, held);
    }

    /// What is kept of the erased events of a batch that was read to its end.
    pub(super) fn erased(&self, batch: BatchId) -> Result<Vec<Erased>> {
        self.inner().places.erased(&*self.overlay, batch)
    }

    /// The entry of an erasure stands elsewhere from now on.
    pub(super) fn moves(&self, from: Position, to: Position) {
        self.inner().places.moves(from, to);
    }

    pub(super) fn put_entry(&self, position: u64, bytes: &[u8]) -> Result<()> {
        self.inner().memory.put_control(position, bytes)
    }

    /// Forgets the last entry.
    pub(super) fn drop_entry(&self, position: u64) -> Result<()> {
        self.inner().memory.remove_control(position)
    }

    /// Finds the sources of a batch: those that were not looked for yet, and of them the lost ones.
    pub(super) fn find_sources(&self, stage: &Stage) -> (Vec<Digest>, Vec<LostSource>) {
        let batch = stage.batch;
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        let mut look = |digest: Digest, name: &str| {
            if self.inner().sources.contains_key(&digest) {
                return;
            }
            let place = self.find(&digest, name);
            self.inner().sources.insert(digest, place);
            found.push(digest);
            if place.is_none() {
                lost.push(LostSource { digest, name: name.to_owned(), batch });
            }
        };
        look(stage.manifest, "the manifest");
        look(stage.mapping.digest, "the mapping's definition");
        let bytes = self.read(&stage.manifest).unwrap_or_default();
        let sources = codec::decode_manifest(&bytes).map(|manifest| manifest.sources);
        for ManifestSource { digest, name, .. } in sources.unwrap_or_default() {
            look(digest, &name);
        }
        (found, lost)
    }

    /// Lets go of sources that were found: nothing refers to them, or they are not to be here.
    pub(super) fn let_go<'a>(&self, sources: impl Iterator<Item = &'a Digest>) {
        let mut inner = self.inner();
        for digest in sources {
            inner.memory.remove_kept(digest);
            inner.sources.remove(digest);
        }
    }

    /// Finds one source: where the engine says, in the packs, in the mirror.
    fn find(&self, digest: &Digest, name: &str) -> Option<FoundIn> {
        let named = |kept: Kept| Kept { name: name.to_owned(), ..kept };
        let noted = |inner: &Inner| inner.places.engine.as_ref()?.kept(digest).ok()?;
        let place = noted(&self.inner());
        if place.is_some_and(|kept| self.try_at(digest, kept)) {
            return Some(FoundIn::Engine);
        }
        let place = {
            let mut inner = self.inner();
            let overlay = &*self.overlay;
            inner.searched.get_or_insert_with(|| packs::search(overlay)).get(digest).cloned()
        };
        if place.is_some_and(|kept| self.try_at(digest, named(kept))) {
            return Some(FoundIn::Packs);
        }
        let bytes = self.inner().places.mirror.source(&*self.overlay, digest)?;
        let mut scratch = Pack::default();
        let (_, kept) = scratch.keep(&mut bytes.as_slice(), name, 0).ok()?;
        let offset = self.overlay.add(scratch.memory());
        let kept = Kept { pack: MIRRORED, offset, end: offset + kept.end, ..kept };
        self.try_at(digest, kept).then_some(FoundIn::Mirror)
    }

    /// Notes a place if the source really is there.
    fn try_at(&self, digest: &Digest, kept: Kept) -> bool {
        let put = self.inner().memory.put_kept(digest, &kept);
        if put.is_ok() && self.read(digest).is_some() {
            return true;
        }
        self.inner().memory.remove_kept(digest);
        false
    }

    /// A source's bytes, checked.
    fn read(&self, digest: &Digest) -> Option<Vec<u8>> {
        let ledger = Ledger { store: Box::new(self.clone()), ..Ledger::in_memory() };
        ledger.source(digest).ok()
    }

    /// Says where blocks and sources came from, and which blocks of the engine are hurt.
    pub(super) fn report(&self, survey: &mut Survey) {
        let inner = self.inner();
        (survey.blocks.engine, survey.blocks.mirror) = inner.places.counts();
        survey.hurt.extend(inner.places.hurt());
        for from in inner.sources.values().flatten() {
            *match from {
                FoundIn::Engine => &mut survey.sources.engine,
                FoundIn::Packs => &mut survey.sources.packs,
                FoundIn::Mirror => &mut survey.sources.mirror,
            } += 1;
        }
    }
}

fn refused() -> LedgerError {
    LedgerError::write("a hurt ledger", only_read())
}

impl Store for Salvage {
    fn put_block(&mut self, _: u32, _: u32, _: &[u8]) -> Result<()> {
        Err(refused())
    }

    fn block(&self, batch: u32, index: u32) -> Result<Option<Vec<u8>>> {
        self.inner().places.block(&*self.overlay, batch, index)
    }

    fn sweep_blocks(&mut self, _: u32) -> Result<u64> {
        Err(refused())
    }

    fn put_control(&mut self, _: u64, _: &[u8]) -> Result<()> {
        Err(refused())
    }

    fn remove_control(&mut self, _: u64) -> Result<()> {
        Err(refused())
    }

    fn controls(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        self.inner().memory.controls()
    }

    fn kept(&self, digest: &Digest) -> Result<Option<Kept>> {
        self.inner().memory.kept(digest)
    }

    fn all_kept(&self) -> Result<Vec<(Digest, Kept)>> {
        self.inner().memory.all_kept()
    }

    fn put_kept(&mut self, _: &Digest, _: &Kept) -> Result<()> {
        Err(refused())
    }

    fn pack(&mut self) -> &mut Pack {
        &mut self.pack // every write to its files is refused
    }

    fn pack_reader(&self) -> &Pack {
        &self.pack
    }

    fn view(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner().memory.view(key)
    }

    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Result<bool> {
        self.inner().memory.put_view(key, bytes)
    }

    fn remove_view(&mut self, key: &[u8]) -> Result<()> {
        self.inner().memory.remove_view(key)
    }

    fn view_keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
        self.inner().memory.view_keys(prefix)
    }

    fn barrier(&mut self) -> Result<()> {
        Err(refused())
    }

    fn flush_views(&mut self) -> Result<()> {
        Ok(())
    }

    fn scrub(&self) -> Result<u64> {
        Ok(0)
    }
}
