//! The ledger: sources, blocks of row events and the control log, hashed and durable.
//!
//! It knows bytes, order and hashes; it does not know CSV, HTTP or what a volatility means. One
//! path serves now and recovery: staging writes blocks, one control entry seals them, the engine
//! is made durable, HEAD moves. Whatever a crash leaves before HEAD moved is either whole, and
//! then it counts, or it is swept.

mod append;
mod aside;
mod batch;
mod beside;
pub mod bundle;
pub mod canon;
pub mod codec;
pub mod erase;
pub mod error;
pub mod files;
#[cfg(test)]
mod format_tests;
pub mod hash;
pub mod head;
pub mod inbox;
mod lock;
mod mirror;
pub mod modes;
pub mod note;
mod open;
pub mod proof;
pub mod recover;
mod root;
pub mod scratch;
mod segment;
pub mod store;
pub mod tree;
mod verify;

pub use batch::{BatchReader, BatchWriter, Located};
pub use beside::Beside;
pub use error::LedgerError;
pub use head::Head;
pub use inbox::{Arrival, Inbox};
pub use root::threads;
pub use verify::{Damage, Verified};

use crate::domain::{BatchTable, Digest, Entry, EntryKind, Position, ProjectionTable, Stage};
use codec::{Kept, Manifest, ManifestSource};
use files::Files;
use hash::Sha256Tree;
use head::Slots;
use lock::Lock;
pub use lock::wanted;
use mirror::Mirror;
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{MemoryStore, Store};
use tree::Tree;

type Result<T> = std::result::Result<T, LedgerError>;

/// An open ledger. While it lives, no other process has it.
pub struct Ledger {
    store: Box<dyn Store>,
    /// Where HEAD and the mirror are; none in memory.
    files: Option<Arc<dyn Files>>,
    mirror: Option<Mirror>,
    directory: Option<PathBuf>,
    _lock: Option<Lock>,
    /// Where the engine's files were copied to; let go behind the store.
    _copy: Option<scratch::Folder>,
    /// Where HEAD moves to next.
    slots: Slots,
    tree: Tree<Sha256Tree>,
    /// The tree as HEAD names it, where entries beyond it are not durable yet.
    unacknowledged: Option<Tree<Sha256Tree>>,
    /// Whether a stage entry waits for the decision about it.
    waits: bool,
    table: BatchTable,
    projections: ProjectionTable,
    entries: Vec<Entry>,
    notes: Vec<String>,
    /// Where sources stand that were found here again and could be read: a mapping is not read anew
    /// for each batch that was read with it.
    sound: BTreeMap<Digest, (u32, u64)>,
    /// Sources that were not here or could not be read, and were kept since the last batch was staged.
    anew: BTreeSet<Digest>,
    /// What floors above have in memory of the views.
    remembered: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Batches that exist elsewhere: a dry run's batch must not share a number with them.
    batches_before: u32,
}

/// How to open a ledger.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// What the lock file says of this process.
    pub holder: String,
    /// How long to wait for another process.
    pub patience: Duration,
    /// Whether blocks and entries are also written to the mirror.
    pub mirror: bool,
    /// Whether the holder looks if others [wait](wanted) and lets the ledger go for them.
    pub lends: bool,
}

impl OpenOptions {
    /// With a mirror, as usual.
    pub fn new(holder: &str, patience: Duration) -> Self {
        Self { holder: holder.to_owned(), patience, mirror: true, lends: false }
    }
}

impl Ledger {
    /// A ledger that lives in memory: for tests and dry runs.
    pub fn in_memory() -> Self {
        Self {
            store: Box::new(MemoryStore::default()),
            files: None,
            mirror: None,
            directory: None,
            _lock: None,
            _copy: None,
            slots: Slots::new(),
            tree: Tree::default(),
            unacknowledged: None,
            waits: false,
            table: BatchTable::default(),
            projections: ProjectionTable::default(),
            entries: Vec::new(),
            notes: Vec::new(),
            sound: BTreeMap::new(),
            anew: BTreeSet::new(),
            remembered: Mutex::default(),
            batches_before: 0,
        }
    }

    /// A new ledger on an empty store: for tests that watch or injure what lies below.
    pub fn on(store: Box<dyn Store>) -> Self {
        Self { store, ..Self::in_memory() }
    }

    /// A ledger in memory whose first batch follows `batches` others: for dry runs.
    pub fn in_memory_after(batches: u32) -> Self {
        Self { batches_before: batches, ..Self::in_memory() }
    }

    /// Whether a directory looks like a ledger, or like what is left of one.
    pub fn exists(directory: &Path) -> bool {
        ["HEAD", "sled", "mirror"].iter().any(|name| directory.join(name).exists())
    }

    fn take(&mut self, entry: Entry, bytes: &[u8]) {
        use hash::TreeHash;
        if matches!(entry.kind, EntryKind::Stage(_)) {
            self.anew.clear(); // they are that batch's
        }
        self.tree.push(Sha256Tree::leaf(bytes));
        self.table.apply(&entry);
        self.projections.apply(&entry);
        self.entries.push(entry);
    }

    /// The log's size and root.
    pub fn head(&self) -> Head {
        Head { size: Position(self.tree.size()), root: self.tree.root() }
    }

    /// The log's root as it was at a position, recomputed from the stored entries.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPosition`], or entries that cannot be read.
    pub fn root_at(&self, at: Position) -> Result<Digest> {
        let head = self.position();
        if at == head {
            return Ok(self.tree.root());
        }
        if at > head {
            return Err(LedgerError::NoSuchPosition { at, head });
        }
        let mut tree = Tree::<Sha256Tree>::default();
        for (position, bytes) in self.store.controls()? {
            if position <= at.0 {
                tree.push(<Sha256Tree as hash::TreeHash>::leaf(&bytes));
            }
        }
        Ok(tree.root())
    }

    /// The log's root after each entry, the first one first, recomputed from the stored entries.
    ///
    /// # Errors
    /// Entries that cannot be read.
    pub fn roots(&self) -> Result<Vec<Digest>> {
        let mut tree = Tree::<Sha256Tree>::default();
        let mut root = |bytes: &[u8]| {
            tree.push(<Sha256Tree as hash::TreeHash>::leaf(bytes));
            tree.root()
        };
        Ok(self.store.controls()?.iter().map(|(_, bytes)| root(bytes)).collect())
    }

    /// The format of the ledger's files: an earlier one until the next entry is appended.
    pub fn format(&self) -> u32 {
        self.slots.format()
    }

    /// The newest position.
    pub fn position(&self) -> Position {
        Position(self.tree.size())
    }

    /// Every batch with its states.
    pub fn batches(&self) -> &BatchTable {
        &self.table
    }

    /// Every projection that was added.
    pub fn projections(&self) -> &ProjectionTable {
        &self.projections
    }

    /// The control entries; the first is `#1`.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The control entry at a position; `None` where there is none.
    pub fn entry(&self, at: Position) -> Option<&Entry> {
        self.entries.get(usize::try_from(at.0).ok()?.checked_sub(1)?)
    }

    /// What opening noticed and did, for the user to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds to what opening noticed.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// Where the ledger lives; `None` in memory.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Keeps a source's bytes, once: equal bytes are stored one time. Not yet durable.
    pub fn keep(&mut self, input: &mut dyn Read, name: &str, now_ms: i64) -> Result<(Digest, u64)> {
        let (digest, kept) = self.store.pack().keep(input, name, now_ms)?;
        self.note_kept(digest, &kept)?;
        Ok((digest, kept.size))
    }

    /// Notes where a source is kept, or takes it back where it is kept already.
    fn note_kept(&mut self, digest: Digest, kept: &Kept) -> Result<()> {
        // An earlier copy is used only if it can be read: a crash may have left its place without
        // its bytes. What is read there must not be the copy that was written just now.
        let earlier = self.store.kept(&digest)?;
        let apart = |old: &Kept| (old.pack, old.end) <= (kept.pack, kept.offset);
        if earlier.as_ref().is_some_and(apart) && self.check_source(&digest).is_ok() {
            self.store.pack().forget(kept)
        } else {
            self.anew.insert(digest);
            self.store.put_kept(&digest, kept)
        }
    }

    /// The sources of a batch that were lost, and were kept again just now. They are made durable.
    ///
    /// # Errors
    /// Damage of the manifest; a ledger that cannot be written.
    pub fn put_back(&mut self, stage: &Stage) -> Result<Vec<ManifestSource>> {
        let mut back = Vec::new();
        for source in self.known_manifest(stage)?.sources {
            // What was erased is let go again.
            if self.anew.contains(&source.digest) && self.store.kept(&source.digest)?.is_some() {
                back.push(source);
            }
        }
        if !back.is_empty() {
            self.barrier()?;
        }
        Ok(back)
    }

    /// Keeps a source that is in memory: one that is here and can be read is not written first, to
    /// be cut off again. Not yet durable.
    pub fn keep_bytes(&mut self, bytes: &[u8], name: &str, now_ms: i64) -> Result<Digest> {
        let digest = hash::content(bytes);
        if let Some(kept) = self.store.kept(&digest)? {
            let place = (kept.pack, kept.offset);
            if self.sound.get(&digest) == Some(&place) {
                return Ok(digest);
            }
            if self.check_source(&digest).is_ok() {
                self.sound.insert(digest, place);
                return Ok(digest);
            }
        }
        self.keep(&mut &*bytes, name, now_ms).map(|(digest, _)| digest)
    }

    /// Reads a source piece by piece; at the end its digest has been checked.
    pub fn read_source(
        &self,
        digest: &Digest,
        each: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Kept> {
        let kept = self.store.kept(digest)?.ok_or(LedgerError::NoSuchSource(*digest))?;
        let mut hasher = hash::Hasher::default();
        let mut reader = self.store.pack_reader().open(&kept)?;
        while let Some(piece) = reader.next_piece()? {
            hasher.update(&piece);
            each(&piece)?;
        }
        if hasher.finish() != *digest {
            let name = digest.short();
            return Err(LedgerError::damaged(format!("source {name} does not match its digest")));
        }
        Ok(kept)
    }

    /// A source's bytes, checked; for sources that fit in memory.
    pub fn source(&self, digest: &Digest) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_source(digest, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Reads a source only to check it.
    pub fn check_source(&self, digest: &Digest) -> Result<Kept> {
        self.read_source(digest, &mut |_| Ok(()))
    }

    /// The sources of a batch.
    pub fn manifest_of(&self, stage: &Stage) -> Result<Manifest> {
        codec::decode_manifest(&self.source(&stage.manifest)?)
    }

    /// The same for who only looks: of a batch whose manifest was lost for good, so that no source of
    /// it is known any more, none. What would be written or vouched for asks [`Self::manifest_of`].
    ///
    /// # Errors
    /// Damage of a manifest that is here.
    pub fn known_manifest(&self, stage: &Stage) -> Result<Manifest> {
        match self.manifest_of(stage) {
            Err(LedgerError::NoSuchSource(_)) => Ok(Manifest::default()),
            known => known,
        }
    }

    /// The store, for the views that the floors above keep in it.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The store, for writing views: what was [remembered](Self::remember) of them is forgotten.
    pub fn store_mut(&mut self) -> &mut dyn Store {
        self.forget();
        &mut *self.store
    }

    /// Remembers what was read of the views, is stored of them now, or is to be, until any of them is
    /// written: one value of each type.
    pub fn remember<T: Any + Send + Sync>(&self, what: Arc<T>) {
        let mut all = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(TypeId::of::<T>(), what);
    }

    /// What was remembered.
    pub fn remembered<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let all = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    fn forget(&mut self) {
        self.remembered.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({} at {})", self.position(), self.head().root.short())
    }
}
