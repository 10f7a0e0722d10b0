//! A store over what is left of a hurt ledger. It is read; only views are written, in memory.

use super::super::codec::{self, Kept, ManifestSource};
use super::super::error::LedgerError;
use super::super::files::Files;
use super::super::mirror::Gathered;
use super::super::scratch::Folder;
use super::super::store::{MemoryStore, PACKS, Pack, SledStore, Store};
use super::super::{Ledger, Result};
use super::{LostSource, Survey, packs};
use crate::domain::{BatchId, Digest, Stage};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The pack of what the mirror gives: the real ones begin with 1.
const MIRRORED: u32 = 0;

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
    engine: Option<SledStore>,
    _copy: Option<Folder>,
    mirror: Gathered,
    mirror_first: BTreeSet<u32>,
    searched: Option<BTreeMap<Digest, Kept>>,
    /// Control entries, places of sources, views.
    memory: MemoryStore,
    from_engine: BTreeSet<(u32, u32)>,
    from_mirror: BTreeSet<(u32, u32)>,
    done: BTreeSet<Digest>,
}

/// The ledger's files, and one more pack in memory.
#[derive(Debug)]
struct Overlay {
    files: Arc<dyn Files>,
    mirrored: Mutex<Vec<u8>>,
}

fn only_read() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a hurt ledger is only read")
}

impl Files for Overlay {
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        self.files.list(folder)
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        if name != format!("{PACKS}/{MIRRORED:06}.pack") {
            return self.files.read_from(name, offset);
        }
        let bytes = self.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Cursor::new(bytes.get(offset as usize..).unwrap_or_default().to_vec())))
    }

    fn write_at(&self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Err(only_read())
    }

    fn cut(&self, _: &str, _: u64) -> io::Result<()> {
        Err(only_read())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Err(only_read())
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(only_read())
    }
}

impl Salvage {
    pub(super) fn new(
        engine: Option<(SledStore, Folder)>,
        mirror: Gathered,
        files: Arc<dyn Files>,
    ) -> Self {
        let (engine, copy) = engine.unzip();
        let overlay = Arc::new(Overlay { files, mirrored: Mutex::default() });
        // A folder that cannot be listed has no sources that could be read.
        let pack = Pack::on(overlay.clone()).unwrap_or_default();
        let inner = Inner {
            engine,
            _copy: copy,
            mirror,
            mirror_first: BTreeSet::new(),
            searched: None,
            memory: MemoryStore::default(),
            from_engine: BTreeSet::new(),
            from_mirror: BTreeSet::new(),
            done: BTreeSet::new(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), pack, overlay }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the blocks of a batch are taken from the mirror where both have one.
    pub(super) fn prefer_mirror(&self, batch: BatchId, yes: bool) {
        let mut inner = self.inner();
        match yes {
            true => inner.mirror_first.insert(batch.0),
            false => inner.mirror_first.remove(&batch.0),
        };
    }

    pub(super) fn put_entry(&self, position: u64, bytes: &[u8]) -> Result<()> {
        self.inner().memory.put_control(position, bytes)
    }

    /// Forgets the last entry.
    pub(super) fn drop_entry(&self, position: u64) -> Result<()> {
        self.inner().memory.remove_control(position)
    }

    /// Finds the sources of a batch, and notes those that are lost.
    pub(super) fn find_sources(&self, stage: &Stage, survey: &mut Survey) {
        let batch = stage.batch;
        let mut note = |digest: Digest, name: &str| {
            if !self.inner().done.insert(digest) {
                return;
            }
            if !self.find(&digest, name, survey) {
                let name = name.to_owned();
                survey.missing.push(LostSource { digest, name, batch });
            }
        };
        note(stage.manifest, "the manifest");
        note(stage.mapping.digest, "the mapping's definition");
        let bytes = self.read(&stage.manifest).unwrap_or_default();
        let sources = codec::decode_manifest(&bytes).map(|manifest| manifest.sources);
        for ManifestSource { digest, name, .. } in sources.unwrap_or_default() {
            note(digest, &name);
        }
    }

    /// Finds one source: where the engine says, in the packs, in the mirror.
    fn find(&self, digest: &Digest, name: &str, survey: &mut Survey) -> bool {
        let named = |kept: Kept| Kept { name: name.to_owned(), ..kept };
        let place = self.inner().engine.as_ref().and_then(|e| e.kept(digest).ok().flatten());
        if let Some(kept) = place
            && self.try_at(digest, kept)
        {
            survey.sources.engine += 1;
            return true;
        }
        let place = {
            let mut inner = self.inner();
            let overlay = &*self.overlay;
            inner.searched.get_or_insert_with(|| packs::search(overlay)).get(digest).cloned()
        };
        if let Some(kept) = place
            && self.try_at(digest, named(kept))
        {
            survey.sources.packs += 1;
            return true;
        }
        let Some(bytes) = self.inner().mirror.source(&*self.overlay, digest) else {
            return false;
        };
        let mut scratch = Pack::default();
        let Ok((_, kept)) = scratch.keep(&mut bytes.as_slice(), name, 0) else {
            return false;
        };
        let offset = {
            let mut mirrored = self.overlay.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
            let offset = mirrored.len() as u64;
            mirrored.extend_from_slice(scratch.memory());
            offset
        };
        let end = offset + kept.end;
        let found = self.try_at(digest, Kept { pack: MIRRORED, offset, end, ..kept });
        survey.sources.mirror += u64::from(found);
        found
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

    /// Says where the blocks came from, and which of the engine's are hurt.
    pub(super) fn report(&self, survey: &mut Survey) {
        let inner = self.inner();
        survey.blocks.engine = inner.from_engine.len() as u64;
        survey.blocks.mirror = inner.from_mirror.len() as u64;
        if inner.engine.is_some() {
            for (batch, index) in inner.from_mirror.iter().take(100) {
                let what = format!("block {index} of batch b{batch} is hurt or missing");
                survey.hurt.push(super::Damage { place: "engine".into(), what });
            }
        }
    }
}

impl Inner {
    /// A block whose seal is right.
    fn block(&mut self, files: &dyn Files, batch: u32, index: u32) -> Option<Vec<u8>> {
        let sealed = |bytes: &Vec<u8>| codec::read_header(bytes).is_ok();
        let mirrored = |inner: &Self| inner.mirror.block(files, batch, index).filter(sealed);
        let of_engine = |inner: &Self| {
            let block = inner.engine.as_ref()?.block(batch, index).ok()??;
            Some(block).filter(sealed)
        };
        let key = (batch, index);
        let (bytes, mirror) = if self.mirror_first.contains(&batch) {
            match mirrored(self) {
                Some(bytes) => (bytes, true),
                None => (of_engine(self)?, false),
            }
        } else {
            match of_engine(self) {
                Some(bytes) => (bytes, false),
                None => (mirrored(self)?, true),
            }
        };
        let (into, out) = match mirror {
            true => (&mut self.from_mirror, &mut self.from_engine),
            false => (&mut self.from_engine, &mut self.from_mirror),
        };
        into.insert(key);
        out.remove(&key);
        Some(bytes)
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
        Ok(self.inner().block(&*self.overlay, batch, index))
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
