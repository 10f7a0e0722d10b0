//! The ledger: sources, blocks of row events and the control log, hashed and durable.
//!
//! It knows bytes, order and hashes; it does not know CSV, HTTP or what a volatility means. One
//! path serves now and recovery: staging writes blocks, one control entry seals them, the engine
//! is made durable, HEAD moves. Whatever a crash leaves before HEAD moved is either whole, and
//! then it counts, or it is swept.

mod batch;
pub mod bundle;
pub mod canon;
pub mod codec;
pub mod error;
#[cfg(test)]
mod format_tests;
pub mod hash;
pub mod head;
pub mod inbox;
mod lock;
pub mod note;
pub mod proof;
mod segment;
pub mod store;
pub mod tree;
mod verify;

pub use batch::{BatchReader, BatchWriter, Located};
pub use error::LedgerError;
pub use head::Head;
pub use inbox::{Arrival, Inbox};
pub use verify::{Damage, Verified};

use crate::domain::{BatchTable, Digest, Entry, EntryKind, Position, ProjectionTable, Stage};
use codec::{Kept, Manifest};
use hash::Sha256Tree;
use lock::Lock;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{MemoryStore, SledStore, Store};
use tree::Tree;

type Result<T> = std::result::Result<T, LedgerError>;

/// An open ledger. While it lives, no other process has it.
pub struct Ledger {
    store: Box<dyn Store>,
    directory: Option<PathBuf>,
    _lock: Option<Lock>,
    tree: Tree<Sha256Tree>,
    table: BatchTable,
    projections: ProjectionTable,
    entries: Vec<Entry>,
    notes: Vec<String>,
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
}

impl Ledger {
    /// Makes a new ledger in a directory, which may exist but must not hold one.
    ///
    /// # Errors
    /// [`LedgerError::Exists`], [`LedgerError::NotWritable`].
    pub fn create(directory: &Path, options: &OpenOptions) -> Result<Self> {
        let write = |error| LedgerError::write(directory.display().to_string(), error);
        if directory.join("HEAD").exists() || directory.join("sled").exists() {
            return Err(LedgerError::Exists(directory.to_owned()));
        }
        std::fs::create_dir_all(directory).map_err(write)?;
        restrict(directory).map_err(write)?;
        let lock = Lock::take(directory, &options.holder, options.patience)?;
        let mut store = SledStore::open(directory)?;
        store.barrier()?;
        // HEAD last: without it the directory is not a ledger yet.
        Head { size: Position(0), root: Tree::<Sha256Tree>::default().root() }.write(directory)?;
        Ok(Self {
            store: Box::new(store),
            directory: Some(directory.to_owned()),
            _lock: Some(lock),
            ..Self::in_memory()
        })
    }

    /// A ledger that lives in memory: for tests and dry runs.
    pub fn in_memory() -> Self {
        Self {
            store: Box::new(MemoryStore::default()),
            directory: None,
            _lock: None,
            tree: Tree::default(),
            table: BatchTable::default(),
            projections: ProjectionTable::default(),
            entries: Vec::new(),
            notes: Vec::new(),
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

    /// Whether a directory looks like a ledger.
    pub fn exists(directory: &Path) -> bool {
        directory.join("HEAD").exists() || directory.join("sled").exists()
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
        let head = Head::read(directory)?;
        let lock = Lock::take(directory, &options.holder, options.patience)?;
        // Another process may have moved HEAD while this one waited.
        let head = Head::read(directory)?.or(head);
        let head = head.ok_or_else(|| LedgerError::damaged("HEAD is missing"))?;
        if !directory.join("sled").join("db").exists() {
            return Err(LedgerError::damaged("the storage engine's file is missing"));
        }
        let mut ledger = Self {
            store: Box::new(SledStore::open(directory)?),
            directory: Some(directory.to_owned()),
            _lock: Some(lock),
            ..Self::in_memory()
        };
        ledger.recover(head)?;
        Ok(ledger)
    }

    /// Reads the control log, checks it against HEAD, and settles what lies beyond HEAD.
    fn recover(&mut self, head: Head) -> Result<()> {
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
        // Entries beyond HEAD were never acknowledged. They follow each other in the log, so the
        // whole ones count as if the crash had come a moment later, and the rest is cut.
        let mut whole = true;
        for (position, bytes) in beyond {
            let entry = codec::decode_entry(&bytes).ok().filter(|entry| match &entry.kind {
                EntryKind::Stage(stage) => self.batch_is_whole(stage),
                _ => true,
            });
            match entry {
                Some(entry) if whole => self.take(entry, &bytes),
                _ => {
                    whole = false;
                    self.store.remove_control(position)?;
                    let cut = format!("entry #{position} was not finished and has been removed");
                    self.notes.push(cut);
                }
            }
        }
        let swept = self.store.sweep_blocks(self.table.next_id().0)?;
        tracing::debug!(entries = self.tree.size(), swept, "log read and compared with HEAD");
        if swept > 0 {
            self.notes.push(format!("removed {swept} blocks that an unfinished import left"));
        }
        if self.tree.size() > head.size.0 || swept > 0 || !whole {
            self.settle()?;
        }
        Ok(())
    }

    fn batch_is_whole(&self, stage: &Stage) -> bool {
        let sources = self.manifest_of(stage).map(|_| ());
        sources
            .and_then(|()| verify::batch_root(self, stage))
            .is_ok_and(|root| root == stage.batch_root)
    }

    fn take(&mut self, entry: Entry, bytes: &[u8]) {
        use hash::TreeHash;
        self.tree.push(Sha256Tree::leaf(bytes));
        self.table.apply(&entry);
        self.projections.apply(&entry);
        self.entries.push(entry);
    }

    /// Makes everything written durable, then moves HEAD.
    fn settle(&mut self) -> Result<()> {
        self.store.barrier()?;
        match &self.directory {
            Some(directory) => self.head().write(directory),
            None => Ok(()),
        }
    }

    /// Appends a control entry; when this returns it is durable.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`] and [`LedgerError::Damaged`]; the entry then does not count.
    pub fn append(&mut self, entry: Entry) -> Result<Position> {
        let bytes = codec::encode_entry(&entry)?;
        let position = self.tree.size() + 1;
        self.store.put_control(position, &bytes)?;
        // A crash before HEAD moves: the entry is in the log or not, and recovery settles it.
        let mut next = self.tree.clone();
        next.push(<Sha256Tree as hash::TreeHash>::leaf(&bytes));
        self.store.barrier()?;
        if let Some(directory) = &self.directory {
            let head = Head { size: Position(position), root: next.root() };
            head.write(directory)?;
        }
        self.take(entry, &bytes);
        tracing::debug!(position, bytes = bytes.len(), "entry appended and durable");
        Ok(Position(position))
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

    /// What opening noticed and did, for the user to know.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where the ledger lives; `None` in memory.
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Keeps a source's bytes, once: equal bytes are stored one time. Not yet durable.
    pub fn keep(&mut self, input: &mut dyn Read, name: &str, now_ms: i64) -> Result<(Digest, u64)> {
        let (digest, kept) = self.store.pack().keep(input, name, now_ms)?;
        let size = kept.size;
        // An earlier copy is used only if it can be read: a crash may have left its place without
        // its bytes.
        if self.store.kept(&digest)?.is_some() && self.check_source(&digest).is_ok() {
            self.store.pack().forget(&kept)?;
        } else {
            self.store.put_kept(&digest, &kept)?;
        }
        Ok((digest, size))
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

    /// The store, for the views that the floors above keep in it.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The store, for writing views.
    pub fn store_mut(&mut self) -> &mut dyn Store {
        &mut *self.store
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({} at {})", self.position(), self.head().root.short())
    }
}

/// A ledger is its owner's: others may not even list it.
#[cfg(unix)]
fn restrict(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}
