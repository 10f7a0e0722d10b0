//! The mirror: blocks and control entries a second time, in append-only files without an engine.
//!
//! sled can lose the end of its log, or refuse a database over one changed bit. So whatever HEAD
//! acknowledges also stands in `mirror/NNNNNN.vlb`, in the frames of a bundle, durable before HEAD
//! moves. Sources stand in packs, outside the engine, and are not doubled; small ones are, since
//! without its manifest a batch is none. Each control entry is followed by a checkpoint, so that
//! one look at the end of the last file says whether the mirror is complete; of two that were
//! acknowledged together both checkpoints stand after the second.

mod check;
mod frames;
mod read;

pub(super) use frames::{Frames, Scanned};
pub(super) use read::{Gathered, gather};

use super::error::LedgerError;
use super::files::{Files, Syncing};
use super::head::Head;
use super::segment::{FRAME_FORMAT, FrameKind, PREFIX, read_frame, write_frame};
use super::{Ledger, Result, codec};
use crate::domain::{Digest, EntryKind, Position, Stage};
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

/// The folder of the mirror.
const FOLDER: &str = "mirror";

/// What a mirror's files begin with.
const MAGIC: &[u8] = b"volledger mirror";

/// Sources up to this size are mirrored; manifests and mappings always are.
pub(super) const SMALL: u64 = 64 << 10;

/// A new file is begun when one is larger than this.
const FILE_SIZE: u64 = 256 << 20;

/// Frames are written together up to this many bytes.
const TOGETHER: usize = 256 << 10;

/// The size of a checkpoint's frame.
const CHECKPOINT: u64 = PREFIX as u64 + 1 + 8 + 32;

fn name_of(number: u32) -> String {
    format!("{FOLDER}/{number:06}.vlb")
}

fn write_error(error: std::io::Error) -> LedgerError {
    LedgerError::write("the mirror", error)
}

/// The numbers of the mirror's files, with their sizes.
fn numbers(files: &dyn Files) -> Result<Vec<(u32, u64)>> {
    let listed = files.list(FOLDER).map_err(|error| LedgerError::read("the mirror", error))?;
    let number = |name: &str| name.strip_suffix(".vlb").and_then(|digits| digits.parse().ok());
    Ok(listed.iter().filter_map(|(name, size)| Some((number(name)?, *size))).collect())
}

/// The end of the mirror that is written to.
#[derive(Debug)]
pub(super) struct Mirror {
    files: Arc<dyn Files>,
    number: u32,
    /// The end, after what waits to be written.
    end: u64,
    /// Frames that are not handed to the file yet: one write for many.
    waiting: Vec<u8>,
    /// The end of what belongs to the last entry of the log.
    sealed: u64,
    dirty: bool,
    failed: bool,
    /// What the log is with each entry that was written and is to be acknowledged next.
    heads: Vec<Head>,
    /// Sources that this process has mirrored.
    known: BTreeSet<Digest>,
}

impl Mirror {
    fn at(files: Arc<dyn Files>, number: u32, end: u64) -> Self {
        // What a process wrote that was killed may be in memory only, and counts all the same.
        let (known, dirty, heads) = (BTreeSet::new(), end > 0, Vec::new());
        let (waiting, failed) = (Vec::new(), false);
        Self { files, number, end, waiting, sealed: end, dirty, failed, heads, known }
    }

    /// Refuses after a failed write: where the file ends is not known then.
    fn usable(&self) -> Result<()> {
        if self.failed { Err(LedgerError::Poisoned) } else { Ok(()) }
    }

    fn frame(&mut self, kind: FrameKind, parts: &[&[u8]]) -> Result<()> {
        self.usable()?;
        self.header()?;
        self.end += write_frame(&mut self.waiting, kind, parts).map_err(write_error)?;
        self.taken()
    }

    /// Frames that stand in a pack as they are to stand here.
    fn frames(&mut self, bytes: &[u8]) -> Result<()> {
        self.usable()?;
        self.header()?;
        self.waiting.extend_from_slice(bytes);
        self.end += bytes.len() as u64;
        self.taken()
    }

    /// What a file begins with.
    fn header(&mut self) -> Result<()> {
        if self.end == 0 {
            let parts: [&[u8]; 2] = [MAGIC, &FRAME_FORMAT.to_le_bytes()];
            let wrote = write_frame(&mut self.waiting, FrameKind::Header, &parts);
            self.end = wrote.map_err(write_error)?;
        }
        Ok(())
    }

    fn taken(&mut self) -> Result<()> {
        self.dirty = true;
        if self.waiting.len() < TOGETHER { Ok(()) } else { self.hand_on() }
    }

    /// Where what waits begins: the end of what the file was handed.
    fn handed(&self) -> u64 {
        self.end - self.waiting.len() as u64
    }

    /// Hands everything to the file. Not yet durable.
    pub(super) fn hand_on(&mut self) -> Result<()> {
        self.usable()?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let wrote = self.files.write_at(&name_of(self.number), self.handed(), &self.waiting);
        self.failed |= wrote.is_err();
        self.waiting.clear();
        wrote.map_err(write_error)
    }

    /// A block of a batch that is being staged.
    pub(super) fn block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Result<()> {
        self.frame(FrameKind::Block, &[&batch.to_le_bytes(), &index.to_le_bytes(), bytes])
    }

    fn piece(&mut self, raw: &[u8]) -> Result<()> {
        let size = (raw.len() as u32).to_le_bytes();
        self.frame(FrameKind::Piece, &[&size, &codec::compress(raw, codec::Packing::Source)?])
    }

    fn source_end(&mut self, digest: &Digest, size: u64) -> Result<()> {
        self.frame(FrameKind::SourceEnd, &[&digest.0, &size.to_le_bytes()])
    }

    /// A control entry; what the log is with it follows when it is acknowledged. So of two entries
    /// with nothing between them neither was acknowledged alone.
    pub(super) fn entry(&mut self, bytes: &[u8], head: &Head) -> Result<()> {
        self.frame(FrameKind::Control, &[&head.size.0.to_le_bytes(), bytes])?;
        self.heads.push(*head);
        Ok(())
    }

    fn checkpoints(&mut self) -> Result<()> {
        for head in std::mem::take(&mut self.heads) {
            self.frame(FrameKind::Checkpoint, &[&head.size.0.to_le_bytes(), &head.root.0])?;
        }
        Ok(())
    }

    /// Makes everything written durable.
    pub(super) fn sync(&mut self) -> Result<()> {
        let syncing = self.begin_sync()?;
        self.end_sync(syncing)
    }

    /// Begins to make everything written durable.
    pub(super) fn begin_sync(&mut self) -> Result<Option<Syncing>> {
        self.checkpoints()?;
        self.hand_on()?;
        Ok(self.dirty.then(|| self.files.begin_sync(&name_of(self.number))))
    }

    /// Waits until what was begun is over.
    pub(super) fn end_sync(&mut self, syncing: Option<Syncing>) -> Result<()> {
        let synced = syncing.map_or(Ok(()), |syncing| syncing());
        self.failed |= synced.is_err();
        self.dirty &= self.failed;
        synced.map_err(write_error)
    }

    /// Everything written so far belongs to the log.
    pub(super) fn mark(&mut self) -> Result<()> {
        self.sealed = self.end;
        Ok(())
    }

    /// HEAD speaks of everything written so far.
    pub(super) fn seal(&mut self) -> Result<()> {
        self.mark()?;
        if self.end > FILE_SIZE {
            (self.number, self.end, self.sealed) = (self.number + 1, 0, 0);
        }
        Ok(())
    }

    /// Cuts what belongs to a batch that will not be sealed.
    pub(super) fn forget(&mut self) -> Result<()> {
        if self.end == self.sealed || self.failed {
            return Ok(());
        }
        let cut = match self.sealed.checked_sub(self.handed()) {
            Some(stays) => {
                self.waiting.truncate(stays as usize);
                Ok(())
            }
            None => {
                self.waiting.clear();
                self.files.cut(&name_of(self.number), self.sealed)
            }
        };
        self.failed |= cut.is_err();
        (self.end, self.dirty) = (self.sealed, true);
        self.known.clear();
        cut.map_err(write_error)
    }
}

/// Whether the last file ends with a checkpoint of `head`.
fn ends_with(files: &dyn Files, number: u32, size: u64, head: &Head) -> bool {
    let Some(offset) = size.checked_sub(CHECKPOINT) else {
        return false;
    };
    let read = || -> Result<Option<Head>> {
        let end = files.read_from(&name_of(number), offset);
        let mut end = end.map_err(|error| LedgerError::read("the mirror", error))?.take(CHECKPOINT);
        Ok(match read_frame(&mut end)? {
            Some((FrameKind::Checkpoint, body)) => checkpoint(&body),
            _ => None,
        })
    };
    matches!(read(), Ok(Some(found)) if found == *head)
}

fn checkpoint(body: &[u8]) -> Option<Head> {
    let (size, root) = body.split_first_chunk::<8>()?;
    let root = Digest(root.try_into().ok()?);
    Some(Head { size: Position(u64::from_le_bytes(*size)), root })
}

impl Ledger {
    /// Finds the mirror, and brings it up to the log where it is behind: it was switched off, is
    /// hurt, or the process died. What it holds is cut only after a checkpoint of the very log,
    /// `acknowledged` by HEAD, because what follows that was never acknowledged; in every other
    /// case a new file is begun.
    pub(super) fn attach_mirror(&mut self, acknowledged: &Head) -> Result<()> {
        let Some(files) = self.files.clone() else {
            return Ok(());
        };
        let head = self.head();
        let mut numbers = numbers(&*files)?;
        numbers.retain(|(_, size)| *size > 0); // one that was cut to nothing is taken again
        let (last, size) = numbers.last().copied().unwrap_or((0, 0));
        // An entry that counts, but that HEAD had not acknowledged, may be in the mirror in parts.
        let clean = head == *acknowledged;
        if clean && ends_with(&*files, last, size, &head) {
            self.mirror = Some(Mirror::at(files, last, size));
            return Ok(());
        }
        let found = gather(&*files)?;
        let sound = match clean || self.compare_mirror(&found)?.is_empty() {
            true => &head,
            false => acknowledged,
        };
        let ahead = found.checkpoints().last().map_or(0, |(size, _)| size);
        let upto = self.agreed(&found)?;
        let checkpoint = match sound.size.0 {
            0 => Some((0, 0)),
            _ => found.checkpoint_at(sound),
        };
        // What was being acknowledged may be here alone; more of it than a crash leaves was. Where
        // a slot of HEAD is hurt, all of it was durable in the engine as well.
        let most = match self.slots.torn() {
            true => head.size.0,
            false => head.size.0.max(acknowledged.size.0 + found.left_behind(acknowledged.size.0)),
        };
        if ahead > most && (checkpoint.is_some() || upto > 0) {
            let log = head.size;
            return Err(LedgerError::damaged(format!(
                "the log ends at {log}, its mirror at #{ahead}: the log is an older one"
            )));
        }
        if let Some((number, end)) = checkpoint {
            if ahead > head.size.0 {
                let cut = "was not finished and has been removed from the mirror";
                self.notes.push(format!("entry #{ahead} {cut}"));
            }
            for (later, _) in numbers.iter().filter(|(later, _)| *later > number) {
                files.cut(&name_of(*later), 0).map_err(write_error)?;
            }
            self.mirror = Some(if number == last && number > 0 {
                files.cut(&name_of(number), end).map_err(write_error)?;
                Mirror::at(files, number, end)
            } else {
                Mirror::at(files, last.max(1), 0)
            });
            return self.mirror_from(sound.size.0);
        }
        if last > 0 {
            self.notes.push(format!("the mirror ended at #{upto} and is brought up to date"));
        }
        self.mirror = Some(Mirror::at(files, last + 1, 0));
        self.mirror_from(upto)
    }

    /// Writes the mirror anew from what the engine holds; one that is not kept up any more is
    /// emptied. The last file goes first: what is left of it never looks complete.
    pub(super) fn renew_mirror(&mut self) -> Result<()> {
        let Some(files) = self.files.clone() else {
            return Ok(());
        };
        for (number, _) in numbers(&*files)?.into_iter().rev() {
            let name = name_of(number);
            files.cut(&name, 0).and_then(|()| files.sync(&name)).map_err(write_error)?;
        }
        if self.mirror.is_none() {
            return Ok(());
        }
        self.mirror = Some(Mirror::at(files, 1, 0));
        self.mirror_from(0)
    }

    /// The last position at which a checkpoint of the mirror has the log's own root; 0 for none.
    fn agreed(&self, found: &Gathered) -> Result<u64> {
        use super::hash::{Sha256Tree, TreeHash};
        let mut tree = super::tree::Tree::<Sha256Tree>::default();
        let mut agreed = 0;
        for (_, bytes) in self.store.controls()? {
            tree.push(Sha256Tree::leaf(&bytes));
            if found.root(tree.size()) == Some(tree.root()) {
                agreed = tree.size();
            }
        }
        Ok(agreed)
    }

    /// Mirrors everything after a position.
    fn mirror_from(&mut self, upto: u64) -> Result<()> {
        use super::hash::{Sha256Tree, TreeHash};
        let mut tree = super::tree::Tree::<Sha256Tree>::default();
        for (position, bytes) in self.store.controls()? {
            tree.push(Sha256Tree::leaf(&bytes));
            if position <= upto || position > self.tree.size() {
                continue;
            }
            if let EntryKind::Stage(stage) = codec::decode_entry(&bytes)?.kind {
                let mut index = 0;
                while let Some(block) = self.store.block(stage.batch.0, index)? {
                    self.mirrored(|mirror| mirror.block(stage.batch.0, index, &block))?;
                    index += 1;
                }
                self.mirror_sources(&stage)?;
            }
            let head = Head { size: Position(position), root: tree.root() };
            self.mirrored(|mirror| mirror.entry(&bytes, &head))?;
            self.mirrored(Mirror::checkpoints)?;
        }
        self.mirrored(Mirror::sync)?;
        self.mirrored(Mirror::seal)
    }

    /// Does something with the mirror, where there is one.
    pub(super) fn mirrored(&mut self, work: impl FnOnce(&mut Mirror) -> Result<()>) -> Result<()> {
        self.mirror.as_mut().map_or(Ok(()), work)
    }

    /// Mirrors what a batch cannot do without, and its small sources.
    pub(super) fn mirror_sources(&mut self, stage: &Stage) -> Result<()> {
        let Some(mut mirror) = self.mirror.take() else {
            return Ok(());
        };
        let done = self.mirror_sources_to(&mut mirror, stage);
        mirror.failed |= done.is_err();
        self.mirror = Some(mirror);
        done
    }

    fn mirror_sources_to(&self, mirror: &mut Mirror, stage: &Stage) -> Result<()> {
        // A hurt source is no reason to do without the rest; `verify` names it.
        let Ok(manifest) = self.manifest_of(stage) else {
            return Ok(());
        };
        let small = manifest.sources.iter().filter(|source| source.size <= SMALL);
        let needed = [stage.manifest, stage.mapping.digest];
        for digest in needed.into_iter().chain(small.map(|source| source.digest)) {
            if mirror.known.contains(&digest) {
                continue;
            }
            // What was kept a moment ago has the very frames that it is to have here.
            let kept = self.store.kept(&digest).ok().flatten();
            let pack = self.store.pack_reader();
            if let Some(frames) = kept.and_then(|kept| pack.recent(&kept, SMALL)) {
                mirror.frames(frames)?;
                mirror.known.insert(digest);
                continue;
            }
            let Ok(bytes) = self.source(&digest) else {
                continue;
            };
            for piece in bytes.chunks(SMALL as usize) {
                mirror.piece(piece)?;
            }
            mirror.source_end(&digest, bytes.len() as u64)?;
            mirror.known.insert(digest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Directory;
    use super::*;

    #[test]
    fn what_waits_is_handed_on_whole_or_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let files = Arc::new(Directory::new(directory.path()));
        let size = || std::fs::metadata(directory.path().join(name_of(1))).map_or(0, |f| f.len());
        let mut mirror = Mirror::at(files.clone(), 1, 0);
        let head = |size| Head { size: Position(size), root: Digest([size as u8; 32]) };
        mirror.block(1, 0, &[7; 100]).unwrap();
        mirror.entry(b"one", &head(1)).unwrap();
        mirror.mark().unwrap();
        let (marked, waiting) = (mirror.end, mirror.waiting.clone());
        assert_eq!((size(), waiting.len() as u64), (0, marked));
        // Of a batch that is given up nothing stays: neither what waits, nor what was handed on.
        for block in [100, 2 * TOGETHER] {
            mirror.block(2, 0, &vec![8; block]).unwrap();
            mirror.known.insert(Digest([9; 32]));
            mirror.forget().unwrap();
            // A source among what was cut has to come again.
            assert_eq!((mirror.end, mirror.known.len()), (marked, 0));
            assert_eq!(size() + mirror.waiting.len() as u64, marked);
        }
        mirror.sync().unwrap();
        mirror.seal().unwrap();
        assert_eq!(size(), mirror.end);
        let mut bytes = Vec::new();
        files.read_from(&name_of(1), 0).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes[..waiting.len()], waiting);
        assert!(ends_with(&*files, 1, size(), &head(1)));
        // What is handed on after that stands beyond it.
        mirror.block(2, 0, b"x").unwrap();
        mirror.hand_on().unwrap();
        assert_eq!((size(), mirror.waiting.len()), (mirror.end, 0));
        mirror.forget().unwrap();
        assert_eq!(size(), bytes.len() as u64);
    }
}
