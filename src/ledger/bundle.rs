//! Bundles: a ledger, or one batch, as a file of frames. Backup, export and the way out of the
//! storage engine.
//!
//! Frames: a header; per source its pieces and its end; control entries; blocks; a checkpoint.
//! With plain blocks the file is larger, and a page of Python can check it.

use super::codec::{self, Codec};
use super::error::LedgerError;
use super::hash::{Hasher, Sha256Tree, TreeHash};
use super::head::{FORMAT, Head};
use super::segment::{FrameKind, read_frame, write_frame};
use super::store::{SledStore, Store};
use super::tree::Tree;
use super::{Ledger, OpenOptions, Result};
use crate::domain::{BatchId, Digest, Entry, EntryKind, Position, Stage, Window};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::Path;

const MAGIC: &[u8] = b"volledger bundle";

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
}

impl Writer<'_> {
    fn frame(&mut self, kind: FrameKind, parts: &[&[u8]]) -> Result<()> {
        write_frame(&mut self.out, kind, parts).map(|_| ()).map_err(write_error)
    }

    fn header(&mut self, kind: Kind) -> Result<()> {
        self.frame(FrameKind::Header, &[MAGIC, &FORMAT.to_le_bytes(), &[kind.byte()]])
    }

    fn source(&mut self, ledger: &Ledger, digest: &Digest) -> Result<()> {
        let kept = ledger.read_source(digest, &mut |piece| {
            let size = (piece.len() as u32).to_le_bytes();
            self.frame(FrameKind::Piece, &[&size, &codec::compress(piece, 3)?])
        })?;
        self.frame(FrameKind::SourceEnd, &[&digest.0, &kept.size.to_le_bytes()])
    }

    fn blocks(&mut self, ledger: &Ledger, batch: BatchId, codec: Codec) -> Result<()> {
        let number = batch.0.to_le_bytes();
        let mut index = 0u32;
        if codec == Codec::Columns {
            while let Some(bytes) = ledger.block(batch, index)? {
                self.frame(FrameKind::Block, &[&number, &index.to_le_bytes(), &bytes])?;
                index += 1;
            }
            return Ok(());
        }
        let mut reader = ledger.read(batch);
        while let Some(window) = reader.next_window()? {
            for bytes in codec::encode_blocks(&window, Codec::Plain)? {
                self.frame(FrameKind::Block, &[&number, &index.to_le_bytes(), &bytes])?;
                index += 1;
            }
        }
        Ok(())
    }
}

/// The sources that a batch needs.
fn sources_of(ledger: &Ledger, stage: &Stage) -> Result<BTreeSet<Digest>> {
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
    let mut writer = Writer { out };
    writer.header(Kind::Backup)?;
    let mut sources = BTreeSet::new();
    for (_, batch) in ledger.batches().iter() {
        sources.extend(sources_of(ledger, &batch.stage)?);
    }
    for digest in &sources {
        writer.source(ledger, digest)?;
    }
    for (position, bytes) in ledger.store().controls()? {
        writer.frame(FrameKind::Control, &[&position.to_le_bytes(), &bytes])?;
    }
    let codec = if plain { Codec::Plain } else { Codec::Columns };
    for (id, batch) in ledger.batches().iter() {
        writer.blocks(ledger, id, codec)?;
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
    let mut writer = Writer { out };
    writer.header(Kind::Batch)?;
    for digest in sources_of(ledger, &batch.stage)? {
        writer.source(ledger, &digest)?;
    }
    let index = (batch.staged_at.0 as usize).wrapping_sub(1);
    let entry = ledger.entries().get(index).ok_or(LedgerError::NoSuchBatch(id))?;
    let bytes = codec::encode_entry(entry)?;
    writer.frame(FrameKind::Control, &[&1u64.to_le_bytes(), &bytes])?;
    writer.blocks(ledger, id, if plain { Codec::Plain } else { Codec::Columns })?;
    let root = Sha256Tree::leaf(&bytes);
    writer.frame(FrameKind::Checkpoint, &[&1u64.to_le_bytes(), &root.0])?;
    writer.out.flush().map_err(write_error)
}

/// Receives what a bundle holds, in its order.
pub trait Receiver {
    /// A source; its digest is known at its end, and checked against the bytes by the caller.
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest>;
    /// A control entry.
    fn control(&mut self, position: u64, bytes: &[u8]) -> Result<()>;
    /// A block.
    fn block(&mut self, batch: BatchId, index: u32, bytes: &[u8]) -> Result<()>;
}

fn damaged(what: &str) -> LedgerError {
    LedgerError::damaged(format!("the bundle: {what}"))
}

/// Reads the pieces of one source as a stream.
struct Pieces<'a> {
    input: &'a mut dyn Read,
    piece: io::Cursor<Vec<u8>>,
    end: Option<(Digest, u64)>,
    hasher: Hasher,
    size: u64,
    first: Option<Vec<u8>>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<bool> {
        let body = match self.first.take() {
            Some(body) => body,
            None => match read_frame(&mut self.input)? {
                Some((FrameKind::Piece, body)) => body,
                Some((FrameKind::SourceEnd, body)) => {
                    self.end = Some(source_end(&body)?);
                    return Ok(false);
                }
                _ => return Err(damaged("a source has no end")),
            },
        };
        let (size, compressed) =
            body.split_first_chunk::<4>().ok_or_else(|| damaged("a piece of a source"))?;
        let raw = codec::decompress(compressed, u32::from_le_bytes(*size) as usize)?;
        self.hasher.update(&raw);
        self.size += raw.len() as u64;
        self.piece = io::Cursor::new(raw);
        Ok(true)
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.end.is_some() {
                return Ok(count);
            }
            self.next().map_err(|error| io::Error::other(error.to_string()))?;
        }
    }
}

fn source_end(body: &[u8]) -> Result<(Digest, u64)> {
    let wrong = || damaged("the end of a source");
    let (digest, size) = body.split_first_chunk::<32>().ok_or_else(wrong)?;
    let size: [u8; 8] = size.try_into().map_err(|_| wrong())?;
    Ok((Digest(*digest), u64::from_le_bytes(size)))
}

/// Reads a bundle through; returns what it is and its checkpoint.
///
/// # Errors
/// Anything that is not as written.
pub fn read(input: &mut dyn Read, receiver: &mut dyn Receiver) -> Result<(Kind, Head)> {
    let header = match read_frame(&mut &mut *input)? {
        Some((FrameKind::Header, body)) => body,
        _ => return Err(damaged("it does not begin like one")),
    };
    let rest = header.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin like one"))?;
    let kind = match rest {
        [a, b, c, d, kind] => {
            let found = u32::from_le_bytes([*a, *b, *c, *d]);
            if found > FORMAT {
                return Err(LedgerError::Newer { found, known: FORMAT });
            }
            [Kind::Backup, Kind::Batch].into_iter().find(|known| known.byte() == *kind)
        }
        _ => None,
    };
    let kind = kind.ok_or_else(|| damaged("its kind is not known"))?;
    loop {
        let (frame, body) =
            read_frame(&mut &mut *input)?.ok_or_else(|| damaged("it is cut off"))?;
        match frame {
            FrameKind::Piece | FrameKind::SourceEnd => {
                let end = match frame {
                    FrameKind::SourceEnd => Some(source_end(&body)?),
                    _ => None,
                };
                let first = (frame == FrameKind::Piece).then_some(body);
                let piece = io::Cursor::new(Vec::new());
                let hasher = Hasher::default();
                let mut pieces = Pieces { input: &mut *input, piece, end, hasher, size: 0, first };
                let digest = receiver.source(&mut pieces)?;
                let whole = pieces.end.ok_or_else(|| damaged("a source was not read whole"))?;
                if whole != (pieces.hasher.finish(), pieces.size) || digest != whole.0 {
                    return Err(damaged("a source does not match its digest"));
                }
            }
            FrameKind::Control => {
                let wrong = || damaged("a control entry");
                let (position, bytes) = body.split_first_chunk::<8>().ok_or_else(wrong)?;
                receiver.control(u64::from_le_bytes(*position), bytes)?;
            }
            FrameKind::Block => {
                let wrong = || damaged("a block");
                let (batch, rest) = body.split_first_chunk::<4>().ok_or_else(wrong)?;
                let (index, bytes) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
                let batch = BatchId(u32::from_le_bytes(*batch));
                receiver.block(batch, u32::from_le_bytes(*index), bytes)?;
            }
            FrameKind::Checkpoint => {
                let wrong = || damaged("its checkpoint");
                let (size, root) = body.split_first_chunk::<8>().ok_or_else(wrong)?;
                let root = Digest(root.try_into().map_err(|_| wrong())?);
                let size = Position(u64::from_le_bytes(*size));
                if read_frame(&mut &mut *input)?.is_some() {
                    return Err(damaged("something follows its checkpoint"));
                }
                return Ok((kind, Head { size, root }));
            }
            FrameKind::Header => return Err(damaged("a second header")),
        }
    }
}

/// Writes what a backup holds into a new store. Blocks are packed again where they are plain.
struct Restore<'a> {
    store: &'a mut dyn Store,
    tree: Tree<Sha256Tree>,
    window: Window,
    batch: Option<BatchId>,
    next: u32,
    now_ms: i64,
}

impl Receiver for Restore<'_> {
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest> {
        let (digest, kept) = self.store.pack().keep(bytes, "restored", self.now_ms)?;
        self.store.put_kept(&digest, &kept)?;
        Ok(digest)
    }

    fn control(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        if position != self.tree.size() + 1 {
            return Err(damaged("its control entries are not consecutive"));
        }
        self.tree.push(Sha256Tree::leaf(bytes));
        self.store.put_control(position, bytes)
    }

    fn block(&mut self, batch: BatchId, _: u32, bytes: &[u8]) -> Result<()> {
        if self.batch.replace(batch) != Some(batch) {
            (self.next, self.window) = (0, Window::default());
        }
        let header = codec::decode_block(bytes, &mut self.window)?;
        if self.window.len() < header.window_events as usize {
            return Ok(());
        }
        for block in codec::encode_blocks(&std::mem::take(&mut self.window), Codec::Columns)? {
            self.store.put_block(batch.0, self.next, &block)?;
            self.next += 1;
        }
        Ok(())
    }
}

/// Restores a backup into a directory that holds no ledger. Everything is verified before the
/// directory gets its name.
///
/// # Errors
/// [`LedgerError::Exists`], and anything in the backup that is not as recorded.
pub fn restore(
    input: &mut dyn Read,
    directory: &Path,
    options: &OpenOptions,
    now_ms: i64,
) -> Result<()> {
    if Ledger::exists(directory) {
        return Err(LedgerError::Exists(directory.to_owned()));
    }
    let write = |error| LedgerError::write(directory.display().to_string(), error);
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(write)?;
    let staging = tempfile::Builder::new().prefix(".restore-").tempdir_in(parent).map_err(write)?;
    let head = {
        let mut store = SledStore::open(staging.path())?;
        let (tree, window) = (Tree::default(), Window::default());
        let (batch, next) = (None, 0);
        let mut restore = Restore { store: &mut store, tree, window, batch, next, now_ms };
        let (kind, head) = read(input, &mut restore)?;
        if kind != Kind::Backup {
            return Err(damaged("it holds one batch; use `batch import`"));
        }
        if (head.size.0, head.root) != (restore.tree.size(), restore.tree.root()) {
            return Err(damaged("its log does not give its checkpoint"));
        }
        store.barrier()?;
        head
    };
    head.write(staging.path())?;
    // Opened as any ledger, and everything recomputed: only then does it take the name.
    let found = Ledger::open(staging.path(), options)?.verify(true, &mut |_| {});
    if let Some(first) = found.damage.first() {
        return Err(damaged(&format!("{}: {}", first.place, first.what)));
    }
    if directory.exists() {
        std::fs::remove_dir(directory).map_err(write)?; // only an empty one goes
    }
    let staging = staging.keep();
    std::fs::rename(&staging, directory).map_err(write)
}

/// Reads a batch bundle's entry and events into memory-bounded calls; the sources are kept in
/// `ledger`.
pub struct BatchBundle {
    /// The stage entry, as it was in the other ledger.
    pub stage: Stage,
    /// The entry as it was recorded there.
    pub entry: Entry,
}

struct Import<'a> {
    ledger: &'a mut Ledger,
    writer: &'a mut super::BatchWriter,
    window: Window,
    found: Option<BatchBundle>,
    now_ms: i64,
}

impl Receiver for Import<'_> {
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest> {
        Ok(self.ledger.keep(bytes, "imported", self.now_ms)?.0)
    }

    fn control(&mut self, _: u64, bytes: &[u8]) -> Result<()> {
        let entry = codec::decode_entry(bytes)?;
        match &entry.kind {
            EntryKind::Stage(stage) => {
                let stage = (**stage).clone();
                self.found = Some(BatchBundle { stage, entry });
                Ok(())
            }
            _ => Err(damaged("its entry is not that of a batch")),
        }
    }

    fn block(&mut self, _: BatchId, _: u32, bytes: &[u8]) -> Result<()> {
        let header = codec::decode_block(bytes, &mut self.window)?;
        if self.window.len() < header.window_events as usize {
            return Ok(());
        }
        self.ledger.write(self.writer, &std::mem::take(&mut self.window))
    }
}

/// Reads a batch bundle into a batch that is being staged; its root has been recomputed.
///
/// # Errors
/// Anything in the bundle that is not as recorded.
pub fn read_batch(
    input: &mut dyn Read,
    ledger: &mut Ledger,
    writer: &mut super::BatchWriter,
    now_ms: i64,
) -> Result<BatchBundle> {
    let mut import = Import { ledger, writer, window: Window::default(), found: None, now_ms };
    let (kind, _) = read(input, &mut import)?;
    if kind != Kind::Batch {
        return Err(damaged("it holds a whole ledger; use `restore`"));
    }
    let found = import.found.take().ok_or_else(|| damaged("it has no entry"))?;
    if (writer.root(), writer.events()) != (found.stage.batch_root, found.stage.events) {
        return Err(damaged("its events do not give its root"));
    }
    Ok(found)
}
