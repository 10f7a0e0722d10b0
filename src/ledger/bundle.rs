//! Bundles: a ledger, or one batch, as a file of frames. Backup, export and the way out of the
//! storage engine.
//!
//! Frames: a header; per source its pieces and its end; control entries; blocks; a checkpoint.
//! A plain bundle holds blocks of canonical events and raw pieces of sources: the file is larger,
//! needs no decompressor, and `examples/verify_bundle.py` can check it.

mod place;
mod read;
mod window;

pub(in crate::ledger) use place::NewPlace;
pub use read::{BatchBundle, Counted, read_batch, restore};

use super::codec::{self, Codec};
use super::error::LedgerError;
use super::hash::{Sha256Tree, TreeHash};
use super::segment::{FRAME_FORMAT, FrameKind, PREFIX, read_frame, write_frame};
use super::{Head, Ledger, Result};
use crate::domain::{BatchId, Digest, Position, Stage};
use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Write};

const MAGIC: &[u8] = b"volledger bundle";

/// What an error of reading a bundle calls it, whose name it does not know.
pub const THE_FILE: &str = "the file";

/// What a bundle holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole ledger.
    Backup,
    /// One batch.
    Batch,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Backup => 1,
            Self::Batch => 2,
        }
    }
}

fn write_error(error: io::Error) -> LedgerError {
    LedgerError::write("the bundle", error)
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    codec: Codec,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut dyn Write, plain: bool) -> Self {
        let codec = if plain { Codec::Plain } else { Codec::Columns };
        Self { out, codec }
    }

    fn frame(&mut self, kind: FrameKind, parts: &[&[u8]]) -> Result<()> {
        write_frame(&mut self.out, kind, parts).map(|_| ()).map_err(write_error)
    }

    fn header(&mut self, kind: Kind) -> Result<()> {
        self.frame(FrameKind::Header, &[MAGIC, &FRAME_FORMAT.to_le_bytes(), &[kind.byte()]])
    }

    fn source(&mut self, ledger: &Ledger, digest: &Digest) -> Result<()> {
        let kept = ledger.read_source(digest, &mut |piece| match self.codec {
            Codec::Plain => self.frame(FrameKind::RawPiece, &[piece]),
            Codec::Columns => {
                let size = (piece.len() as u32).to_le_bytes();
                self.frame(
                    FrameKind::Piece,
                    &[&size, &codec::compress(piece, codec::Packing::Bundle)?],
                )
            }
        })?;
        self.frame(FrameKind::SourceEnd, &[&digest.0, &kept.size.to_le_bytes()])
    }

    fn blocks(&mut self, ledger: &Ledger, stage: &Stage) -> Result<()> {
        let batch = stage.batch;
        let number = batch.0.to_le_bytes();
        let (mut index, mut events) = (0u32, 0u64);
        if self.codec == Codec::Columns {
            while let Some(bytes) = ledger.block(batch, index)? {
                // The seal is checked, so that a backup is not found to be damaged when it is
                // needed.
                events += u64::from(codec::read_header(&bytes)?.events);
                self.frame(FrameKind::Block, &[&number, &index.to_le_bytes(), &bytes])?;
                index += 1;
            }
        } else {
            let mut reader = ledger.read(batch);
            while let Some(window) = reader.next_window()? {
                events += window.len() as u64;
                for bytes in codec::encode_blocks(&window, Codec::Plain)? {
                    self.frame(FrameKind::Block, &[&number, &index.to_le_bytes(), &bytes])?;
                    index += 1;
                }
            }
        }
        if events == stage.events {
            return Ok(());
        }
        let all = stage.events;
        Err(LedgerError::damaged(format!("batch {batch} has {events} of its {all} events")))
    }
}

/// What a file says it holds, by its first frame and its last one: the log of a bundle, at its end.
/// `None` for what is no bundle, or was cut off.
pub fn ends_at(input: &mut (impl Read + Seek)) -> Option<(Kind, Head)> {
    const LAST: i64 = (PREFIX + 1 + 8 + 32) as i64;
    let (_, header) = read_frame(input).ok()?.filter(|(kind, _)| *kind == FrameKind::Header)?;
    let (format, kind) = header.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let kind = [Kind::Backup, Kind::Batch].into_iter().find(|known| kind == [known.byte()])?;
    input.seek(SeekFrom::End(-LAST)).ok()?;
    let (_, last) = read_frame(input).ok()?.filter(|(kind, _)| *kind == FrameKind::Checkpoint)?;
    let (size, root) = last.split_first_chunk::<8>()?;
    let (size, root) = (Position(u64::from_le_bytes(*size)), Digest(root.try_into().ok()?));
    (u32::from_le_bytes(*format) <= FRAME_FORMAT).then_some((kind, Head { size, root }))
}

/// The sources that a batch needs.
pub(in crate::ledger) fn sources_of(ledger: &Ledger, stage: &Stage) -> Result<BTreeSet<Digest>> {
    let manifest = ledger.manifest_of(stage)?;
    let mut sources: BTreeSet<Digest> = manifest.sources.iter().map(|s| s.digest).collect();
    sources.extend([stage.manifest, stage.mapping.digest]);
    Ok(sources)
}

/// Writes a whole ledger.
///
/// # Errors
/// Damage met on the way, or a file that cannot be written.
pub fn write_backup(
    ledger: &Ledger,
    out: &mut dyn Write,
    plain: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let mut writer = Writer::new(out, plain);
    writer.header(Kind::Backup)?;
    let mut sources = BTreeSet::new();
    for (_, batch) in ledger.batches().iter() {
        // Else nobody could restore it, and it may hold what was to be erased.
        if !batch.erased.is_empty() {
            ledger.verify_erased(&batch.stage)?;
        }
        sources.extend(sources_of(ledger, &batch.stage)?);
    }
    // Those that were erased are not there to be written; the entries that say so are.
    for digest in ledger.erased_sources()? {
        if ledger.store().kept(&digest)?.is_none() {
            sources.remove(&digest);
        }
    }
    for digest in &sources {
        writer.source(ledger, digest)?;
    }
    for (position, bytes) in ledger.store().controls()? {
        writer.frame(FrameKind::Control, &[&position.to_le_bytes(), &bytes])?;
    }
    for (_, batch) in ledger.batches().iter() {
        writer.blocks(ledger, &batch.stage)?;
        progress(batch.stage.events);
    }
    let head = ledger.head();
    writer.frame(FrameKind::Checkpoint, &[&head.size.0.to_le_bytes(), &head.root.0])?;
    writer.out.flush().map_err(write_error)
}

/// Writes one batch, with its stage entry as the first entry of a log of its own.
///
/// # Errors
/// As [`write_backup`].
pub fn write_batch(ledger: &Ledger, id: BatchId, out: &mut dyn Write, plain: bool) -> Result<()> {
    let batch = ledger.batches().get(id).ok_or(LedgerError::NoSuchBatch(id))?;
    let mut writer = Writer::new(out, plain);
    writer.header(Kind::Batch)?;
    for digest in sources_of(ledger, &batch.stage)? {
        writer.source(ledger, &digest)?;
    }
    let entry = ledger.entry(batch.staged_at).ok_or(LedgerError::NoSuchBatch(id))?;
    let bytes = codec::encode_entry(entry)?;
    writer.frame(FrameKind::Control, &[&1u64.to_le_bytes(), &bytes])?;
    writer.blocks(ledger, &batch.stage)?;
    let root = Sha256Tree::leaf(&bytes);
    writer.frame(FrameKind::Checkpoint, &[&1u64.to_le_bytes(), &root.0])?;
    writer.out.flush().map_err(write_error)
}
