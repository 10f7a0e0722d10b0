//! Writing and reading the row events of a batch.

use super::canon;
use super::codec::{self, BlockHeader, Codec};
use super::error::LedgerError;
use super::hash::{Blake3Tree, LEAF, Many, TreeHash};
use super::mirror::Mirror;
use super::tree::{Subtree, Tree, subtrees};
use super::{Ledger, Result};
use crate::domain::rows::Row;
use crate::domain::{BatchId, Digest, Erased, EventId, Reject, Rows, Window};
use std::ops::Range;

/// A batch that is being staged: its blocks are in the engine, its seal is not.
#[derive(Debug)]
pub struct BatchWriter {
    batch: BatchId,
    blocks: u32,
    tree: Tree<Blake3Tree>,
    leaves: Leaves,
}

impl BatchWriter {
    /// The number that the batch will have.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.tree.size()
    }

    /// The Merkle root over the events so far.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Blocks so far.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }
}

/// One event with its leaf and the place in the ledger where it stands.
#[derive(Debug)]
pub struct Located {
    /// The event, alone in its set; empty for a reject and for one that was erased.
    pub rows: Rows,
    /// The event, when it is a reject.
    pub reject: Option<Reject>,
    /// What is kept of it, when it was erased.
    pub erased: Option<Erased>,
    /// The hash of its canonical bytes.
    pub leaf: Digest,
}

/// The leaves of a window in source order; its first event is number `first` of the batch.
///
/// The number is not in the hashed bytes: it follows from the order, and must be what the blocks
/// say, else an event could be called by another's name without the root noticing.
#[derive(Debug, Default)]
struct Leaves {
    first: u64,
    leaves: Vec<Digest>,
    taken: Vec<bool>,
    buffer: Vec<u8>,
}

impl Leaves {
    /// Makes place for a window of so many events, in the room of the one before.
    fn begin(&mut self, first: u64, events: usize) {
        self.first = first;
        self.leaves.clear();
        self.leaves.resize(events, Digest::default());
        self.taken.clear();
        self.taken.resize(events, false);
    }

    /// Takes in a whole window; its leaves.
    fn of(&mut self, window: &Window, first: u64) -> Result<&[Digest]> {
        self.begin(first, window.len());
        self.add(window)?;
        // As many places as events, and none taken twice: all are.
        Ok(&self.leaves)
    }

    /// Takes in some of the window's events.
    fn add(&mut self, part: &Window) -> Result<()> {
        let Self { first, leaves, taken, buffer } = self;
        let mut place = |seq: u32| {
            let at = u64::from(seq).checked_sub(*first).map(|at| at as usize);
            let free = at.and_then(|at| taken.get_mut(at)).filter(|taken| !**taken);
            let wrong = || LedgerError::damaged("the events of a window are not consecutive");
            *free.ok_or_else(wrong)? = true;
            Ok::<usize, LedgerError>((u64::from(seq) - *first) as usize)
        };
        let mut many = Many::new(leaves);
        for row in part.rows.iter() {
            buffer.clear();
            canon::put_row(buffer, row);
            many.push(place(row.head.seq)?, LEAF, buffer);
        }
        for reject in &part.rejects {
            buffer.clear();
            canon::put_reject(buffer, reject);
            many.push(place(reject.seq)?, LEAF, buffer);
        }
        many.finish();
        for erased in &part.erased {
            let at = place(erased.seq)?;
            if let Some(leaf) = leaves.get_mut(at) {
                *leaf = erased.leaf;
            }
        }
        Ok(())
    }
}

/// The leaves of a whole window.
pub(super) fn leaves(window: &Window, first: u64) -> Result<Vec<Digest>> {
    let mut leaves = Leaves::default();
    leaves.of(window, first)?;
    Ok(leaves.leaves)
}

impl Ledger {
    /// Begins a batch. Its blocks count only when a stage entry seals them.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`] where HEAD could not be moved: it may speak of a batch of this number
    /// all the same, whose blocks must stay. Else those of the store.
    pub fn begin(&mut self) -> Result<BatchWriter> {
        self.slots.check()?;
        let batch = BatchId(self.table.next_id().0 + self.batches_before);
        // Blocks of a staging that failed in this process.
        self.store.sweep_blocks(batch.0)?;
        self.mirrored(Mirror::forget)?;
        Ok(BatchWriter { batch, blocks: 0, tree: Tree::default(), leaves: Leaves::default() })
    }

    /// Adds a window of events to a batch that is being staged.
    pub fn write(&mut self, writer: &mut BatchWriter, window: &Window) -> Result<()> {
        if writer.events() + window.len() as u64 > u64::from(u32::MAX) {
            return Err(LedgerError::TooManyEvents);
        }
        let first = writer.events();
        writer.tree.extend(writer.leaves.of(window, first)?);
        for block in codec::encode_blocks(window, Codec::Columns)? {
            let (batch, index) = (writer.batch.0, writer.blocks);
            self.store.put_block(batch, index, &block)?;
            self.mirrored(|mirror| mirror.block(batch, index, &block))?;
            writer.blocks += 1;
        }
        Ok(())
    }

    /// Drops a batch that was not sealed.
    pub fn abandon(&mut self, writer: BatchWriter) -> Result<()> {
        self.store.sweep_blocks(writer.batch.0)?;
        self.mirrored(Mirror::forget)
    }

    /// Reads the blocks of a batch, sealed or still being staged.
    pub fn read(&self, batch: BatchId) -> BatchReader<'_> {
        self.read_from(batch, 0)
    }

    /// Reads the blocks of a batch from a block on.
    pub fn read_from(&self, batch: BatchId, block: u32) -> BatchReader<'_> {
        BatchReader { ledger: self, batch, next: block }
    }

    /// The Merkle root over the first so many events of a batch.
    ///
    /// # Errors
    /// Damage of its blocks.
    pub fn root_of_first(&self, batch: BatchId, events: u64) -> Result<Digest> {
        let (mut tree, mut reader) = (Tree::<Blake3Tree>::default(), self.read(batch));
        while tree.size() < events
            && let Some(window) = reader.next_window()?
        {
            let all = leaves(&window, tree.size())?;
            let left = (events - tree.size()).min(all.len() as u64) as usize;
            tree.extend(all.get(..left).unwrap_or_default());
        }
        Ok(tree.root())
    }

    /// The stored bytes of one block; a missing block is `None`.
    pub fn block(&self, batch: BatchId, index: u32) -> Result<Option<Vec<u8>>> {
        self.store.block(batch.0, index)
    }

    /// Finds one event.
    pub fn locate(&self, event: EventId) -> Result<Option<Located>> {
        let mut index = 0;
        while let Some(bytes) = self.store.block(event.batch.0, index)? {
            let header = codec::read_header(&bytes)?;
            let end = header.window_first.saturating_add(header.window_events);
            if (header.window_first..end).contains(&event.seq) {
                let mut window = Window::default();
                codec::decode_block(&bytes, &mut window)?;
                if let Some(found) = find(&window, event.seq) {
                    return Ok(Some(found));
                }
            }
            index += 1;
        }
        Ok(None)
    }
}

fn find(window: &Window, seq: u32) -> Option<Located> {
    let mut bytes = Vec::new();
    let mut rows = Rows::new();
    let row = window.rows.iter().find(|row: &Row<'_>| row.head.seq == seq);
    let reject = window.rejects.iter().find(|reject| reject.seq == seq).cloned();
    match (row, &reject) {
        (Some(row), _) => {
            canon::put_row(&mut bytes, row);
            rows.push_row(row);
        }
        (None, Some(reject)) => canon::put_reject(&mut bytes, reject),
        (None, None) => {
            let erased = window.erased.iter().find(|erased| erased.seq == seq)?.clone();
            let leaf = erased.leaf;
            return Some(Located { rows, reject, erased: Some(erased), leaf });
        }
    }
    Some(Located { rows, reject, erased: None, leaf: Blake3Tree::leaf(&bytes) })
}

/// A whole window as it is stored.
#[derive(Debug)]
pub(super) struct StoredWindow {
    /// Events in all.
    pub(super) events: u64,
    blocks: Vec<Vec<u8>>,
}

/// Hashes windows one after the other, in the same room.
#[derive(Debug, Default)]
pub(super) struct WindowHasher {
    part: Window,
    leaves: Leaves,
}

impl WindowHasher {
    /// The [`subtrees`] of a window's leaves, which are among those of the batch that `left` says. One
    /// block is unpacked at a time: that much stays in the processor's cache.
    pub(super) fn subtrees(
        &mut self,
        window: &StoredWindow,
        left: Range<u64>,
    ) -> Result<Vec<Subtree>> {
        let most = left.end.saturating_sub(left.start);
        self.leaves.begin(left.start, window.events.min(most) as usize);
        for block in &window.blocks {
            self.part.clear();
            codec::decode_block(block, &mut self.part)?;
            self.leaves.add(&self.part)?;
        }
        Ok(subtrees::<Blake3Tree>(left.start, &self.leaves.leaves))
    }
}

/// Goes through the blocks of a batch.
#[derive(Debug)]
pub struct BatchReader<'a> {
    ledger: &'a Ledger,
    batch: BatchId,
    next: u32,
}

impl BatchReader<'_> {
    /// The number of the block that comes next.
    pub fn block(&self) -> u32 {
        self.next
    }

    /// The next block's header, with its number; its events stay packed.
    pub fn next_header(&mut self) -> Result<Option<(u32, BlockHeader)>> {
        let Some(bytes) = self.ledger.store.block(self.batch.0, self.next)? else {
            return Ok(None);
        };
        self.next += 1;
        Ok(Some((self.next - 1, codec::read_header(&bytes)?)))
    }

    /// Unpacks the next block into `window`; `begun` when it must be there.
    fn next_into(&mut self, window: &mut Window, begun: bool) -> Result<Option<BlockHeader>> {
        let Some(bytes) = self.ledger.store.block(self.batch.0, self.next)? else {
            return if begun { Err(self.missing(self.next)) } else { Ok(None) };
        };
        self.next += 1;
        codec::decode_block(&bytes, window).map(Some)
    }

    /// The next whole window of events, put together from its blocks.
    pub fn next_window(&mut self) -> Result<Option<Window>> {
        let mut window = Window::default();
        let mut wanted = None;
        while wanted.is_none_or(|wanted| window.len() < wanted) {
            let Some(header) = self.next_into(&mut window, wanted.is_some())? else {
                return Ok(None);
            };
            wanted = Some(header.window_events as usize);
        }
        Ok(Some(window))
    }

    /// The next whole window as it is stored.
    pub(super) fn next_stored(&mut self) -> Result<Option<StoredWindow>> {
        let (mut window, mut wanted) = (StoredWindow { events: 0, blocks: Vec::new() }, None);
        while wanted.is_none_or(|wanted| window.events < wanted) {
            let Some(block) = self.ledger.store.block(self.batch.0, self.next)? else {
                return if wanted.is_none() { Ok(None) } else { Err(self.missing(self.next)) };
            };
            self.next += 1;
            let header = codec::read_header(&block)?;
            window.events += u64::from(header.events);
            wanted = Some(u64::from(header.window_events));
            window.blocks.push(block);
        }
        Ok(Some(window))
    }

    /// Unpacks one block into `window`.
    pub fn read_into(&self, index: u32, window: &mut Window) -> Result<()> {
        codec::decode_block(&self.bytes(index)?, window).map(|_| ())
    }

    /// Unpacks the keys of one block into `rows`; `None` when they cannot be had without values.
    pub fn keys_into(&self, index: u32, rows: &mut Rows) -> Result<Option<()>> {
        codec::decode_keys(&self.bytes(index)?, rows)
    }

    /// The stored bytes of a block that must be there.
    fn bytes(&self, index: u32) -> Result<Vec<u8>> {
        let stored = self.ledger.store.block(self.batch.0, index)?;
        stored.ok_or_else(|| self.missing(index))
    }

    fn missing(&self, index: u32) -> LedgerError {
        LedgerError::damaged(format!("block {index} of batch {} is missing", self.batch))
    }
}
