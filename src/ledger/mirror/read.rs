//! Reading a mirror, hurt or whole: what is not a frame is passed over and named.

use super::super::codec;
use super::super::files::Files;
use super::super::head::Head;
use super::super::segment::{FRAME_FORMAT, FrameKind, read_frame};
use super::super::{Result, hash};
use super::{Frames, MAGIC, Scanned, checkpoint, name_of, numbers};
use crate::domain::{Digest, Position};
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

/// No frame of a mirror has a longer body: a block, an entry, or a small piece of a source.
const LONGEST: usize = 80 << 10;

type Place = (u32, u64);

/// What a mirror holds. Later frames take the place of earlier ones: a batch that was being staged
/// when the process died is staged again under its number.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Gathered {
    /// Control entries by position.
    pub(in crate::ledger) controls: BTreeMap<u64, Vec<u8>>,
    /// What stands where no frame can be read.
    pub(in crate::ledger) damage: Vec<String>,
    roots: BTreeMap<u64, (Digest, Place)>,
    /// Entries that stand before the checkpoint of the one before them.
    joined: BTreeSet<u64>,
    blocks: BTreeMap<(u32, u32), Place>,
    /// Every copy: each process mirrors what it needs.
    sources: BTreeMap<Digest, Vec<Place>>,
}

impl Gathered {
    /// The end of the checkpoint of `head`: number of its file and offset.
    pub(super) fn checkpoint_at(&self, head: &Head) -> Option<Place> {
        let (root, place) = self.roots.get(&head.size.0)?;
        (*root == head.root).then_some(*place)
    }

    /// Sizes and roots of the log, as they were written, ascending.
    pub(in crate::ledger) fn checkpoints(&self) -> impl Iterator<Item = (u64, Digest)> + '_ {
        self.roots.iter().map(|(size, (root, _))| (*size, *root))
    }

    /// The root that the log had at a size, if a checkpoint says so.
    pub(in crate::ledger) fn root(&self, size: u64) -> Option<Digest> {
        self.roots.get(&size).map(|(root, _)| *root)
    }

    /// How many entries a crash may have left after that one: two only where they were to be
    /// acknowledged together, or the second cannot be read.
    pub(in crate::ledger) fn left_behind(&self, position: u64) -> u64 {
        let second = position + 2;
        match self.joined.contains(&second) || !self.controls.contains_key(&second) {
            true => 2,
            false => 1,
        }
    }

    /// How many blocks of a batch there are, by index.
    pub(in crate::ledger) fn blocks_of(&self, batch: u32) -> Vec<u32> {
        self.blocks.range((batch, 0)..=(batch, u32::MAX)).map(|((_, index), _)| *index).collect()
    }

    /// A block; `None` when it is not there whole.
    pub(in crate::ledger) fn block(
        &self,
        files: &dyn Files,
        batch: u32,
        index: u32,
    ) -> Option<Vec<u8>> {
        let (number, offset) = self.blocks.get(&(batch, index))?;
        let mut input = files.read_from(&name_of(*number), *offset).ok()?;
        match read_frame(&mut input) {
            Ok(Some((FrameKind::Block, body))) => body.get(8..).map(<[u8]>::to_vec),
            _ => None,
        }
    }

    /// A source's bytes, checked; `None` when it is not there whole.
    pub(in crate::ledger) fn source(&self, files: &dyn Files, digest: &Digest) -> Option<Vec<u8>> {
        let copies = self.sources.get(digest)?;
        copies.iter().rev().find_map(|place| copy(files, *place, digest))
    }

    /// Takes in a frame; `None` when it is not what a mirror has.
    fn take(&mut self, kind: FrameKind, body: Vec<u8>, from: Place, to: Place) -> Option<()> {
        match kind {
            FrameKind::Block => {
                let (batch, rest) = body.split_first_chunk::<4>()?;
                let (index, _) = rest.split_first_chunk::<4>()?;
                let key = (u32::from_le_bytes(*batch), u32::from_le_bytes(*index));
                self.blocks.split_off(&key);
                self.blocks.insert(key, from);
            }
            FrameKind::Control => {
                let (position, bytes) = body.split_first_chunk::<8>()?;
                let position = u64::from_le_bytes(*position);
                self.controls.split_off(&position);
                self.roots.split_off(&position);
                self.joined.split_off(&position);
                if position > 1 && !self.roots.contains_key(&(position - 1)) {
                    self.joined.insert(position);
                }
                self.controls.insert(position, bytes.to_vec());
            }
            FrameKind::Checkpoint => {
                let Head { size: Position(size), root } = checkpoint(&body)?;
                self.roots.insert(size, (root, to));
            }
            FrameKind::Header => {
                let format = body.strip_prefix(MAGIC)?;
                return (format == FRAME_FORMAT.to_le_bytes()).then_some(());
            }
            _ => return None,
        }
        Some(())
    }
}

/// The bytes of one copy of a source; `None` when it is not there whole.
fn copy(files: &dyn Files, (number, offset): Place, digest: &Digest) -> Option<Vec<u8>> {
    let mut input = BufReader::new(files.read_from(&name_of(number), offset).ok()?);
    let mut bytes = Vec::new();
    while let Ok(Some((FrameKind::Piece, body))) = read_frame(&mut input) {
        let (size, packed) = body.split_first_chunk::<4>()?;
        bytes.extend(codec::decompress(packed, u32::from_le_bytes(*size) as usize).ok()?);
    }
    (hash::content(&bytes) == *digest).then_some(bytes)
}

/// Reads a mirror through.
///
/// # Errors
/// A folder that cannot be read; damage is in what is returned.
pub(in crate::ledger) fn gather(files: &dyn Files) -> Result<Gathered> {
    let mut found = Gathered::default();
    for (number, size) in numbers(files)? {
        // A file that cannot be read is worth as much as one that is gone.
        if let Err(error) = gather_file(files, number, size, &mut found) {
            found.damage.push(format!("{}: {error}", name_of(number)));
        }
    }
    Ok(found)
}

fn gather_file(files: &dyn Files, number: u32, size: u64, found: &mut Gathered) -> Result<()> {
    let name = name_of(number);
    let mut source = None;
    for scanned in Frames::new(files, &name, size, LONGEST, b"HBECSZ") {
        let (kind, body, from, to) = match scanned? {
            Scanned::Frame { kind, body, from, to } => (kind, body, from, to),
            Scanned::Damage { from, to } => {
                source = None;
                found.damage.push(format!("{name}: bytes {from} to {to} cannot be read"));
                continue;
            }
        };
        let known = match (kind, body.split_first_chunk::<32>()) {
            (FrameKind::Piece, _) => {
                source.get_or_insert(from);
                Some(())
            }
            (FrameKind::SourceEnd, Some((digest, _))) => {
                let from = source.take().unwrap_or(from);
                found.sources.entry(Digest(*digest)).or_default().push((number, from));
                Some(())
            }
            _ => {
                source = None;
                found.take(kind, body, (number, from), (number, to))
            }
        };
        // A second header stands where something else than this program joined files.
        if known.is_none() || (from == 0) != (kind == FrameKind::Header) {
            found.damage.push(format!("{name}: a strange frame at byte {from}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::files::Directory;
    use super::super::Mirror;
    use super::*;
    use std::sync::Arc;

    #[test]
    fn of_several_copies_of_a_source_one_that_is_whole_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let files: Arc<Directory> = Arc::new(Directory::new(directory.path()));
        let mut mirror = Mirror::at(files.clone(), 1, 0);
        let source = b"a mapping";
        let digest = hash::content(source);
        let mut ends = Vec::new();
        for _ in 0..3 {
            ends.push(mirror.end);
            mirror.piece(source).unwrap();
            mirror.source_end(&digest, source.len() as u64).unwrap();
        }
        mirror.hand_on().unwrap();
        let path = directory.path().join(name_of(1));
        let whole = std::fs::read(&path).unwrap();
        for hurt in [&ends[1..], &ends[2..], &ends[..2]] {
            let mut bytes = whole.clone();
            for end in hurt {
                // In the copy's piece; of the first one in the header before it.
                bytes[*end as usize + 15] ^= 1;
            }
            std::fs::write(&path, bytes).unwrap();
            let found = gather(&*files).unwrap();
            assert!(!found.damage.is_empty());
            assert_eq!(found.source(&*files, &digest).as_deref(), Some(&source[..]), "{hurt:?}");
        }
        std::fs::write(&path, &whole[..ends[1] as usize - 1]).unwrap();
        assert_eq!(gather(&*files).unwrap().source(&*files, &digest), None);
    }
}
