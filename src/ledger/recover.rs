//! A hurt ledger: what of it still verifies, read where it lies, and written into a new one.
//!
//! Nothing in the hurt directory is changed. sled is opened from a copy, since opening writes.
//! Each entry is taken from the engine or from the mirror, whichever gives the root that HEAD or a
//! checkpoint of the mirror holds (`choose`); the blocks of each batch from the place that has it whole,
//! else from both (`places`), if they give its root and are erased as the log says (`take`); each source
//! from its pack or from the mirror, whichever gives its digest. So nothing is taken on trust except where
//! a report says so: entries that follow the others and that nothing vouches for.

mod choose;
mod erased;
mod overlay;
mod packs;
mod places;
mod rescue;
mod salvage;
mod take;

pub use choose::Confirmed;
pub use rescue::recover;

use super::error::LedgerError;
use super::files::{Directory, Files};
use super::head::{Head, Slots};
use super::lock::Lock;
use super::mirror::{Gathered, gather};
use super::scratch::Folder;
use super::store::{PACKS, SledStore, Store};
use super::verify::Damage;
use super::{Ledger, Result, modes};
use crate::domain::{BatchId, Digest, Position};
use choose::Found;
use overlay::Overlay;
use salvage::Salvage;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// How many things came from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// From the engine, or for sources from where the engine says.
    pub engine: u64,
    /// From the mirror.
    pub mirror: u64,
    /// Sources that only a search through the packs found.
    pub packs: u64,
}

/// A batch whose events are lost: neither engine nor mirror gives its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostBatch {
    /// Its number.
    pub batch: BatchId,
    /// Where it was staged.
    pub staged_at: Position,
    /// How many events it had.
    pub events: u64,
    /// Why they are no longer there.
    pub what: String,
}

/// A source whose bytes are lost. The events that were read from it are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostSource {
    /// Its digest.
    pub digest: Digest,
    /// Its name.
    pub name: String,
    /// Of which batch.
    pub batch: BatchId,
}

/// Entries that are there, and not taken: they are not those of the log that is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where: `engine`, `mirror`, `engine and mirror`.
    pub place: String,
    /// The first of them.
    pub from: Position,
    /// How many.
    pub entries: u64,
    /// The batches that they stage.
    pub batches: Vec<BatchId>,
}

/// An erasure whose entry is not in the sound log, though batches of that log lost events by it: another
/// entry says so in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restated {
    /// The entry, which follows the sound log.
    pub at: Position,
    /// Where it stood.
    pub was: Position,
    /// Whether what it said is still known: who erased, when and why.
    pub known: bool,
    /// The batches.
    pub batches: Vec<BatchId>,
    /// How many events of them.
    pub events: u64,
}

/// What of a hurt ledger verifies, and what does not.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What HEAD says; nothing when it is lost or hurt.
    pub head: Option<Head>,
    /// The log that is sound: as long as that, with that root.
    pub sound: Head,
    /// As far as something vouches for it: what follows decodes, and its batches are whole.
    pub vouched: Position,
    /// What does.
    pub confirmed: Confirmed,
    /// The batches that are taken though nothing vouches for their entries.
    pub beyond: Vec<BatchId>,
    /// Whether something says that no more was acknowledged than is here.
    pub ends: bool,
    /// Control entries, by where they were read.
    pub entries: Taken,
    /// Blocks, by where they were read.
    pub blocks: Taken,
    /// Sources, manifests and mappings, by where they were read.
    pub sources: Taken,
    /// Batches whose events are lost; the sound log ends before the first of them.
    pub lost: Vec<LostBatch>,
    /// Batches that are whole, but staged after a lost one.
    pub behind: Vec<BatchId>,
    /// Entries that are there, and not taken.
    pub left_out: Vec<LeftOut>,
    /// Erasures that are said by other entries now.
    pub restated: Vec<Restated>,
    /// Sources that are lost.
    pub missing: Vec<LostSource>,
    /// What is hurt in the directory.
    pub hurt: Vec<Damage>,
    /// An erasure that is not finished: what it is to take may still be here, and is not to be shown.
    pub unfinished: Option<Position>,
    /// Whether nobody knows what that is: its entry is not taken then.
    pub unknown: bool,
}

impl Survey {
    /// Whether nothing that was acknowledged is lost, as far as anything here can say that.
    pub fn whole(&self) -> bool {
        self.ends
            && self.head.is_none_or(|head| self.sound.size >= head.size)
            && self.lost.is_empty()
            && self.left_out.is_empty()
            && self.restated.is_empty()
            && self.missing.is_empty()
            && !self.unknown
    }
}

impl Ledger {
    /// Opens what is sound of a hurt ledger, to be read only: every batch of its log has its root.
    /// Without the `engine`, only the mirror is looked at, which is quick. A copy of the engine's
    /// files is made in `scratch`, else where temporary files are.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::Held`], [`LedgerError::Newer`], or no room for a
    /// copy of the engine's files.
    pub fn sound_part(
        directory: &Path,
        scratch: Option<&Path>,
        engine: bool,
    ) -> Result<(Self, Survey)> {
        if !Self::exists(directory) {
            return Err(LedgerError::NotFound(directory.to_owned()));
        }
        let lock = Lock::look(directory)?;
        let mut hurt = Vec::new();
        let mut note = |place: &str, what: String| {
            hurt.push(Damage { place: place.to_owned(), what });
        };
        let files: Arc<dyn Files> = Arc::new(Directory::new(directory));
        let (head, torn) = match Slots::read(&*files) {
            Ok(Some((head, slots))) => {
                if slots.torn() {
                    note("HEAD", "one of its slots is hurt".into());
                }
                (Some(head), slots.torn())
            }
            Ok(None) => {
                note("HEAD", "it is missing".into());
                (None, false)
            }
            Err(LedgerError::Newer { found, known }) => {
                return Err(LedgerError::Newer { found, known });
            }
            Err(error) => {
                note("HEAD", error.to_string());
                (None, false)
            }
        };
        if let Err(error) = files.list(PACKS) {
            note("sources", error.to_string());
        }
        let overlay = Arc::new(Overlay::new(files.clone()));
        let reading: Arc<dyn Files> = overlay.clone();
        let engine = match engine.then(|| copied(directory, scratch, &reading)) {
            Some(Ok(engine)) => Some(engine),
            Some(Err(error @ LedgerError::NotWritable { .. })) => return Err(error),
            Some(Err(error)) => {
                note("engine", error.to_string());
                None
            }
            None => None,
        };
        let mirror = gather(&*files).unwrap_or_else(|error| {
            note("mirror", said(&error));
            Gathered::default()
        });
        mirror.damage.iter().for_each(|what| note("mirror", what.clone()));
        let controls = engine.as_ref().map(|(store, _)| store.controls());
        let controls = match controls {
            Some(Err(error)) => {
                note("engine", error.to_string());
                None
            }
            Some(Ok(controls)) => Some(controls),
            None => None,
        };
        let controls: BTreeMap<u64, Vec<u8>> = controls.into_iter().flatten().collect();
        let chosen = choose::log(&Found { head, torn, engine: &controls, mirror: &mirror });
        if let Some(head) = head
            && engine.is_some()
            && (controls.len() as u64) < head.size.0
        {
            let (has, says) = (controls.len(), head.size.0);
            note("engine", format!("it has {has} of the {says} entries of the log"));
        }
        if chosen.foreign_head {
            note("HEAD", "it does not hold the root of any log that is here".into());
        }
        let noted = erased::note_of(&*files, &mut note);
        hurt.extend(chosen.hurt.iter().cloned());
        let salvage = Salvage::new(engine, mirror, overlay)?;
        let mut survey = Survey {
            head,
            sound: Head { size: Position(0), root: Self::in_memory().head().root },
            vouched: Position(chosen.vouched),
            confirmed: chosen.confirmed,
            beyond: Vec::new(),
            ends: chosen.ends,
            entries: Taken::default(),
            blocks: Taken::default(),
            sources: Taken::default(),
            lost: Vec::new(),
            behind: Vec::new(),
            left_out: chosen.left_out.clone(),
            restated: Vec::new(),
            missing: Vec::new(),
            hurt,
            unfinished: None,
            unknown: false,
        };
        let mut ledger = Self {
            store: Box::new(salvage.clone()),
            directory: Some(directory.to_owned()),
            _lock: lock,
            ..Self::in_memory()
        };
        ledger.take_sound(&salvage, chosen, noted.as_ref(), &mut survey)?;
        salvage.report(&mut survey);
        Ok((ledger, survey))
    }
}

/// An error with what the system says of it.
fn said(error: &LedgerError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// The engine, opened from a copy of its files.
pub(super) fn copied(
    directory: &Path,
    scratch: Option<&Path>,
    files: &Arc<dyn Files>,
) -> Result<(SledStore, Folder)> {
    let write = |error| LedgerError::write("a copy of the storage engine's files", error);
    let folder = SledStore::folder(directory);
    if !folder.join("db").exists() {
        return Err(LedgerError::damaged("its file is missing"));
    }
    let prefix = if scratch.is_some() { ".recover-" } else { "volledger-" };
    let copy = Folder::new(prefix, scratch).map_err(write)?;
    copy_folder(&folder, &copy.path().join("sled")).map_err(write)?;
    room(copy.path()).map_err(write)?;
    Ok((SledStore::open(copy.path(), files.clone())?, copy))
}

/// Makes sure that the engine has room to work in: a place that fills up while it opens would look
/// like damage.
fn room(folder: &Path) -> std::io::Result<()> {
    use std::io::Write;
    const SEGMENTS: usize = 4;
    let mut file = tempfile::tempfile_in(folder)?;
    let segment = vec![0xa5; 2 << 20];
    (0..SEGMENTS).try_for_each(|_| file.write_all(&segment))
}

/// Copies a file, whose copy is its owner's alone.
fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut file = modes::private().write(true).create(true).truncate(true).open(to)?;
    std::io::copy(&mut std::fs::File::open(from)?, &mut file).map(drop)
}

/// Copies a folder with everything in it, for its owner alone.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    modes::private_folder(to)?;
    for entry in std::fs::read_dir(from)? {
        let (entry, target) = (entry?.path(), to);
        let target = target.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            copy_folder(&entry, &target)?;
        } else {
            copy_file(&entry, &target)?;
        }
    }
    Ok(())
}
