//! A hurt ledger: what of it still verifies, read where it lies, and written into a new one.
//!
//! Nothing in the hurt directory is changed. sled is opened from a copy, since opening writes.
//! Each entry and block is taken from the engine or from the mirror, whichever gives the recorded
//! roots; each source from its pack or from the mirror, whichever gives its digest. So nothing is
//! taken on trust except where a report says so.

mod choose;
mod erased;
mod packs;
mod rescue;
mod salvage;

pub use choose::Confirmed;
pub use rescue::recover;

use super::error::LedgerError;
use super::files::{Directory, Files};
use super::head::{Head, Slots};
use super::lock::Lock;
use super::mirror::gather;
use super::root::batch_root;
use super::scratch::Folder;
use super::store::{SledStore, Store};
use super::verify::Damage;
use super::{Ledger, Result, codec, modes};
use crate::domain::{BatchId, Digest, EntryKind, Position, Stage};
use choose::Chosen;
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

/// What of a hurt ledger verifies, and what does not.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What HEAD says; nothing when it is lost or hurt.
    pub head: Option<Head>,
    /// The log that is sound: as long as that, with that root.
    pub sound: Head,
    /// What vouches for its root.
    pub confirmed: Confirmed,
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
    /// Whether nothing that HEAD acknowledges is lost.
    pub fn whole(&self) -> bool {
        let all = self.head.is_none_or(|head| self.sound.size >= head.size);
        all && self.confirmed != Confirmed::Nothing
            && self.lost.is_empty()
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
        let engine = match engine.then(|| copied(directory, scratch, &files)) {
            Some(Ok(engine)) => Some(engine),
            Some(Err(error @ LedgerError::NotWritable { .. })) => return Err(error),
            Some(Err(error)) => {
                note("engine", error.to_string());
                None
            }
            None => None,
        };
        let mirror = gather(&*files).unwrap_or_default();
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
        let Chosen { entries, confirmed } = choose::log(head, torn, &controls, &mirror);
        if let Some(head) = head
            && engine.is_some()
            && (controls.len() as u64) < head.size.0
        {
            let (has, says) = (controls.len(), head.size.0);
            note("engine", format!("it has {has} of the {says} entries of the log"));
        }
        if head.is_some() && confirmed != Confirmed::Head {
            note("HEAD", "it does not hold the root of any log that is here".into());
        }
        let noted = erased::note_of(&*files, &mut note);
        let salvage = Salvage::new(engine, mirror, files);
        let mut survey = Survey {
            head,
            sound: Head { size: Position(0), root: Self::in_memory().head().root },
            confirmed,
            entries: Taken::default(),
            blocks: Taken::default(),
            sources: Taken::default(),
            lost: Vec::new(),
            behind: Vec::new(),
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
        ledger.take_sound(&salvage, entries, torn, &mut survey)?;
        ledger.settle_erasure(&salvage, noted.as_ref(), &mut survey)?;
        salvage.report(&mut survey);
        Ok((ledger, survey))
    }

    /// Takes the entries as far as every batch has its root.
    fn take_sound(
        &mut self,
        salvage: &Salvage,
        entries: Vec<choose::Pick>,
        torn: bool,
        survey: &mut Survey,
    ) -> Result<()> {
        // Beside a hurt slot, HEAD may have been moving beyond what the sound one names.
        let acknowledged = survey.head.filter(|_| !torn).map_or(u64::MAX, |head| head.size.0);
        for (position, pick) in (1..).zip(entries) {
            let entry = codec::decode_entry(&pick.bytes)?;
            if let EntryKind::Stage(stage) = &entry.kind {
                if let Err(error) = self.rescue_batch(salvage, stage) {
                    if position > acknowledged {
                        break; // never acknowledged, and not whole
                    }
                    survey.lost.push(LostBatch {
                        batch: stage.batch,
                        staged_at: Position(position),
                        events: stage.events,
                        what: error.to_string(),
                    });
                } else if !survey.lost.is_empty() {
                    survey.behind.push(stage.batch);
                }
                if survey.lost.is_empty() {
                    salvage.find_sources(stage, survey);
                }
            }
            if !survey.lost.is_empty() {
                continue;
            }
            match pick.mirrored {
                true => survey.entries.mirror += 1,
                false => survey.entries.engine += 1,
            }
            salvage.put_entry(position, &pick.bytes)?;
            self.take(entry, &pick.bytes);
        }
        survey.sound = self.head();
        // What was erased is not lost.
        let erased = self.erased_sources().unwrap_or_default();
        survey.missing.retain(|source| !erased.contains(&source.digest));
        Ok(())
    }

    /// Makes sure that the blocks of a batch give its root: those of the engine where they are
    /// whole, else those of the mirror.
    fn rescue_batch(&self, salvage: &Salvage, stage: &Stage) -> Result<()> {
        let mut last = None;
        for mirror_first in [false, true] {
            salvage.prefer_mirror(stage.batch, mirror_first);
            match batch_root(self, stage) {
                Ok(root) if root == stage.batch_root => return Ok(()),
                Ok(_) => last = Some(LedgerError::damaged("its events do not give its root")),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| LedgerError::damaged("its events are gone")))
    }
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
