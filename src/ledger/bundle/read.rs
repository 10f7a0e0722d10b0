//! Reading bundles: restoring a ledger, importing a batch. Whatever is not exactly as a writer
//! would have written it is refused, checksummed or not.

use super::super::codec::{self, Codec};
use super::super::error::LedgerError;
use super::super::files::{Directory, Files};
use super::super::hash::{Hasher, Sha256Tree, TreeHash};
use super::super::head::Head;
use super::super::segment::{FRAME_FORMAT, FrameKind, read_frame};
use super::super::store::{SledStore, Store};
use super::super::tree::Tree;
use super::super::{BatchWriter, Ledger, OpenOptions, Result};
use super::window::{check, gather, of_the_file};
use super::{Kind, MAGIC, NewPlace, THE_FILE};
use crate::domain::{BatchId, Digest, Entry, EntryKind, Op, Origin, Position, Stage, Window};
use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// Receives what a bundle holds, in its order: sources, control entries, blocks.
trait Receiver {
    /// A source; its digest is known at its end, and checked against the bytes by the caller.
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest>;
    /// The next control entry.
    fn control(&mut self, bytes: &[u8]) -> Result<()>;
    /// The next block.
    fn block(&mut self, batch: BatchId, bytes: &[u8]) -> Result<()>;
}

pub(super) fn damaged(what: &str) -> LedgerError {
    LedgerError::Bundle { what: what.to_owned() }
}

/// The next frame of a bundle. What is wrong with it is wrong with the file, not with a ledger.
fn next_frame(mut input: &mut dyn Read) -> Result<Option<(FrameKind, Vec<u8>)>> {
    read_frame(&mut input).map_err(|error| match error {
        LedgerError::Damaged { what } => damaged(what.trim_start_matches("a segment file: ")),
        LedgerError::Io { source, .. } => LedgerError::read(THE_FILE, source),
        other => other,
    })
}

/// Reads the pieces of one source as a stream.
struct Pieces<'a> {
    input: &'a mut dyn Read,
    piece: io::Cursor<Vec<u8>>,
    first: Option<(FrameKind, Vec<u8>)>,
    end: Option<(Digest, u64)>,
    hasher: Hasher,
    size: u64,
    /// What an [`io::Error`] cannot carry: that the bundle is damaged, not the disk.
    failed: Option<LedgerError>,
}

impl Pieces<'_> {
    fn next(&mut self) -> Result<()> {
        let frame = match self.first.take() {
            Some(frame) => Some(frame),
            None => next_frame(&mut self.input)?,
        };
        let raw = match frame {
            Some((FrameKind::RawPiece, raw)) => raw,
            Some((FrameKind::Piece, body)) => {
                let (size, compressed) =
                    body.split_first_chunk::<4>().ok_or_else(|| damaged("a piece of a source"))?;
                codec::decompress(compressed, u32::from_le_bytes(*size) as usize)?
            }
            Some((FrameKind::SourceEnd, body)) => {
                self.end = Some(source_end(&body)?);
                return Ok(());
            }
            _ => return Err(damaged("a source has no end")),
        };
        self.hasher.update(&raw);
        self.size += raw.len() as u64;
        self.piece = io::Cursor::new(raw);
        Ok(())
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() || self.end.is_some() {
                return Ok(count);
            }
            if let Err(error) = self.next() {
                let told = io::Error::other(error.to_string());
                self.failed = Some(error);
                return Err(told);
            }
        }
    }
}

fn source_end(body: &[u8]) -> Result<(Digest, u64)> {
    let wrong = || damaged("the end of a source");
    let (digest, size) = body.split_first_chunk::<32>().ok_or_else(wrong)?;
    let size: [u8; 8] = size.try_into().map_err(|_| wrong())?;
    Ok((Digest(*digest), u64::from_le_bytes(size)))
}

/// Reads the header; a bundle of the other kind is refused before anything of it is taken in.
fn read_header(input: &mut dyn Read, wanted: Kind) -> Result<()> {
    let strange = || LedgerError::NoBundle { what: "it is no backup or batch of volledger" };
    let header = match next_frame(input) {
        Err(LedgerError::Bundle { .. }) => return Err(strange()),
        header => header?,
    };
    let Some((FrameKind::Header, body)) = header else {
        return Err(strange());
    };
    let rest = body.strip_prefix(MAGIC).ok_or_else(strange)?;
    let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(strange)?;
    let found = u32::from_le_bytes(*format);
    if found > FRAME_FORMAT {
        let known = FRAME_FORMAT;
        return Err(LedgerError::Newer { found, known });
    }
    let kinds = [Kind::Backup, Kind::Batch];
    let kind = kinds.into_iter().find(|kind| rest == [kind.byte()]);
    match kind {
        _ if found == 0 => Err(strange()),
        None => Err(damaged("its kind is not known")),
        Some(kind) if kind == wanted => Ok(()),
        Some(Kind::Batch) => {
            Err(LedgerError::NoBundle { what: "it holds one batch; use `volledger batch import`" })
        }
        Some(Kind::Backup) => {
            Err(LedgerError::NoBundle { what: "it holds a whole ledger; use `volledger restore`" })
        }
    }
}

/// Reads one source whose first frame has been read already.
fn read_source(
    input: &mut dyn Read,
    first: (FrameKind, Vec<u8>),
    receiver: &mut dyn Receiver,
) -> Result<()> {
    let mut pieces = Pieces {
        input,
        piece: io::Cursor::new(Vec::new()),
        first: Some(first),
        end: None,
        hasher: Hasher::default(),
        size: 0,
        failed: None,
    };
    let digest = match receiver.source(&mut pieces) {
        Ok(digest) => digest,
        Err(error) => return Err(pieces.failed.unwrap_or(error)),
    };
    let end = pieces.end.ok_or_else(|| damaged("a source has no end"))?;
    if end != (pieces.hasher.finish(), pieces.size) || digest != end.0 {
        return Err(damaged("a source does not match its digest"));
    }
    Ok(())
}

/// Reads a bundle through; returns its checkpoint.
fn read(input: &mut dyn Read, wanted: Kind, receiver: &mut dyn Receiver) -> Result<Head> {
    read_header(input, wanted)?;
    let (mut part, mut entries) = (0, 0u64);
    let mut last: Option<(u32, u32)> = None;
    loop {
        let (frame, body) = next_frame(input)?.ok_or_else(|| damaged("it is cut off"))?;
        let this = match frame {
            FrameKind::Piece | FrameKind::RawPiece | FrameKind::SourceEnd => 0,
            FrameKind::Control => 1,
            FrameKind::Block => 2,
            FrameKind::Checkpoint => 3,
            FrameKind::Header => return Err(damaged("a second header")),
            FrameKind::Arrival => return Err(damaged("an answer of an inbox in it")),
        };
        if this < part {
            return Err(damaged("its frames are not in order"));
        }
        part = this;
        match frame {
            FrameKind::Control => {
                let wrong = || damaged("its control entries are not consecutive");
                let (position, bytes) = body.split_first_chunk::<8>().ok_or_else(wrong)?;
                entries += 1;
                if u64::from_le_bytes(*position) != entries {
                    return Err(wrong());
                }
                receiver.control(bytes)?;
            }
            FrameKind::Block => {
                let wrong = || damaged("its blocks are not consecutive");
                let (batch, rest) = body.split_first_chunk::<4>().ok_or_else(wrong)?;
                let (index, bytes) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
                let (batch, index) = (u32::from_le_bytes(*batch), u32::from_le_bytes(*index));
                let follows = match last {
                    Some((before, at)) if before == batch => Some(index) == at.checked_add(1),
                    Some((before, _)) => before < batch && index == 0,
                    None => index == 0,
                };
                if !follows {
                    return Err(wrong());
                }
                last = Some((batch, index));
                receiver.block(BatchId(batch), bytes)?;
            }
            FrameKind::Checkpoint => {
                let wrong = || damaged("its checkpoint");
                let (size, root) = body.split_first_chunk::<8>().ok_or_else(wrong)?;
                let root = Digest(root.try_into().map_err(|_| wrong())?);
                let size = Position(u64::from_le_bytes(*size));
                if next_frame(input)?.is_some() {
                    return Err(damaged("something follows its checkpoint"));
                }
                return Ok(Head { size, root });
            }
            _ => read_source(input, (frame, body), receiver)?,
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

impl Restore<'_> {
    fn window_is_whole(&self) -> Result<()> {
        if self.window.is_empty() {
            return Ok(());
        }
        Err(damaged("a batch ends within a window"))
    }
}

impl Receiver for Restore<'_> {
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest> {
        let (digest, kept) = self.store.pack().keep(bytes, "restored", self.now_ms)?;
        self.store.put_kept(&digest, &kept)?;
        Ok(digest)
    }

    fn control(&mut self, bytes: &[u8]) -> Result<()> {
        self.tree.push(Sha256Tree::leaf(bytes));
        self.store.put_control(self.tree.size(), bytes)
    }

    fn block(&mut self, batch: BatchId, bytes: &[u8]) -> Result<()> {
        if self.batch.replace(batch) != Some(batch) {
            self.window_is_whole()?;
            self.next = 0;
        }
        let Some(window) = gather(&mut self.window, bytes)? else {
            return Ok(());
        };
        for block in codec::encode_blocks(&window, Codec::Columns)? {
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
    let place = NewPlace::beside(directory)?;
    let files: Arc<dyn Files> = Arc::new(Directory::new(place.path()));
    let head = {
        let mut store = SledStore::open(place.path(), files.clone())?;
        let mut restore = Restore {
            store: &mut store,
            tree: Tree::default(),
            window: Window::default(),
            batch: None,
            next: 0,
            now_ms,
        };
        let head = read(input, Kind::Backup, &mut restore)?;
        restore.window_is_whole()?;
        if (head.size.0, head.root) != (restore.tree.size(), restore.tree.root()) {
            return Err(damaged("its log does not give its checkpoint"));
        }
        store.barrier()?;
        head
    };
    head.write(&*files)?;
    verified(place.path(), options)?;
    place.take_name()
}

/// Opens what was restored as any ledger and recomputes everything: only then it takes its name.
fn verified(directory: &Path, options: &OpenOptions) -> Result<()> {
    let ledger = Ledger::open(directory, options).map_err(of_the_file)?;
    // Opening sweeps blocks that no entry seals; a backup has none.
    if let Some(note) = ledger.notes().first() {
        return Err(damaged(note));
    }
    match ledger.verify(true, &mut |_| {}).damage.first() {
        Some(first) => Err(damaged(&format!("{}: {}", first.place, first.what))),
        None => Ok(()),
    }
}

/// What a batch bundle says of its batch.
#[derive(Debug)]
pub struct BatchBundle {
    /// The stage entry, as it was in the other ledger.
    pub stage: Stage,
    /// The entry as it was recorded there.
    pub entry: Entry,
    /// What was counted of its events: what its entry says of them is another's word.
    pub counted: Counted,
}

/// What the events of a bundle are, counted as they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// `put` events.
    pub puts: u64,
    /// `retract` events.
    pub retracts: u64,
    /// Rejected rows.
    pub rejects: u64,
    /// Lines of sources that these are from, where the entry says that several events may be from one.
    pub lines: Option<u64>,
    /// How far into each of its sources they reach; 0 where none is from it.
    pub ends: Vec<u64>,
}

impl Counted {
    fn add(&mut self, window: &Window, lines: &mut Option<HashSet<(u32, u32)>>) {
        let heads = window.rows.heads().iter();
        for head in heads.clone() {
            match head.op {
                Op::Put => self.puts += 1,
                Op::Retract => self.retracts += 1,
            }
        }
        self.rejects += window.rejects.len() as u64;
        let rows = heads.map(|head| (Origin::from(head), head.op == Op::Put));
        let rejects = window.rejects.iter().map(|reject| (Origin::from(reject), true));
        for (Origin { source, line, offset, len }, read) in rows.chain(rejects) {
            if let Some(lines) = lines.as_mut().filter(|_| read) {
                lines.insert((source, line));
            }
            if let Some(end) = self.ends.get_mut(source as usize) {
                *end = (*end).max(offset.saturating_add(u64::from(len)));
            }
        }
    }
}

/// Takes a batch's sources and events into a ledger.
struct Import<'a> {
    ledger: &'a mut Ledger,
    writer: &'a mut BatchWriter,
    window: Window,
    found: Option<BatchBundle>,
    counted: Counted,
    lines: Option<HashSet<(u32, u32)>>,
    tree: Tree<Sha256Tree>,
    now_ms: i64,
}

impl Receiver for Import<'_> {
    fn source(&mut self, bytes: &mut dyn Read) -> Result<Digest> {
        Ok(self.ledger.keep(bytes, "imported", self.now_ms)?.0)
    }

    fn control(&mut self, bytes: &[u8]) -> Result<()> {
        let entry = codec::decode_entry(bytes).map_err(of_the_file)?;
        match &entry.kind {
            EntryKind::Stage(stage) if self.found.is_none() => {
                let stage = (**stage).clone();
                let sources = self.ledger.manifest_of(&stage).map_err(of_the_file)?.sources;
                self.counted.ends = vec![0; sources.len()];
                let each = stage.rows.accepted.checked_add(stage.rows.rejected);
                self.lines = (each != Some(stage.rows.read)).then(HashSet::new);
                self.tree.push(Sha256Tree::leaf(bytes));
                let counted = Counted::default();
                self.found = Some(BatchBundle { stage, entry, counted });
                Ok(())
            }
            _ => Err(damaged("its entry is not that of a batch")),
        }
    }

    fn block(&mut self, batch: BatchId, bytes: &[u8]) -> Result<()> {
        if self.found.as_ref().map(|found| found.stage.batch) != Some(batch) {
            return Err(damaged("a block of another batch"));
        }
        match gather(&mut self.window, bytes)? {
            Some(window) => {
                check(&window, self.counted.ends.len())?;
                self.counted.add(&window, &mut self.lines);
                self.ledger.write(self.writer, &window)
            }
            None => Ok(()),
        }
    }
}

/// Reads a batch bundle into a batch that is being staged; its root has been recomputed and all
/// its sources are kept.
///
/// # Errors
/// Anything in the bundle that is not as recorded.
pub fn read_batch(
    input: &mut dyn Read,
    ledger: &mut Ledger,
    writer: &mut BatchWriter,
    now_ms: i64,
) -> Result<BatchBundle> {
    let mut import = Import {
        ledger,
        writer,
        window: Window::default(),
        found: None,
        counted: Counted::default(),
        lines: None,
        tree: Tree::default(),
        now_ms,
    };
    let head = read(input, Kind::Batch, &mut import)?;
    let whole = import.window.is_empty();
    let (size, root) = (import.tree.size(), import.tree.root());
    let found = import.found.ok_or_else(|| damaged("it has no entry"))?;
    let lines = import.lines.map(|lines| lines.len() as u64);
    let found = BatchBundle { counted: Counted { lines, ..import.counted }, ..found };
    if (head.size.0, head.root) != (size, root) {
        return Err(damaged("its entry does not give its checkpoint"));
    }
    let stage = &found.stage;
    if !whole || (writer.root(), writer.events()) != (stage.batch_root, stage.events) {
        return Err(damaged("its events do not give its root"));
    }
    // A batch whose sources are elsewhere could be neither traced nor read again.
    for source in ledger.manifest_of(stage).map_err(of_the_file)?.sources {
        let name = source.digest.short();
        match ledger.store().kept(&source.digest)? {
            None => return Err(damaged(&format!("source {name} is missing"))),
            Some(kept) if kept.size != source.size => {
                return Err(damaged(&format!("source {name} has another size")));
            }
            Some(_) => {}
        }
    }
    Ok(found)
}
