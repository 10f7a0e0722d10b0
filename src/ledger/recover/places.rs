//! The blocks of a hurt ledger: of each batch those of one place, or of both, as many as it has events.

use super::super::codec::{self, BlockHeader};
use super::super::files::Files;
use super::super::mirror::Gathered;
use super::super::store::{SledStore, Store};
use super::super::{Result, verify::Damage};
use crate::domain::{BatchId, Erased, Position, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Where the blocks of a batch are taken from. A place may hold other blocks under the same numbers, of a
/// staging that was not finished, of another ledger or of before an erasure; so each is tried whole
/// before one fills the holes of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Engine,
    Mirror,
    EngineFirst,
    MirrorFirst,
}

impl Way {
    pub(super) const ALL: [Self; 4] =
        [Self::Engine, Self::Mirror, Self::EngineFirst, Self::MirrorFirst];

    /// Whether all is of one place.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Engine | Self::Mirror)
    }
}

/// A batch whose blocks are taken some way.
#[derive(Clone, Debug)]
struct Taken {
    way: Way,
    /// How many events it has: where these are together it has no more blocks.
    events: u64,
    /// Events up to each block, that one included.
    sums: Vec<u64>,
    /// Blocks of rejected or erased events.
    others: BTreeSet<u32>,
}

impl Taken {
    fn is_complete(&self) -> bool {
        self.sums.last().copied().unwrap_or(0) >= self.events
    }
}

/// What reading a batch some way has shown of it.
#[derive(Debug)]
pub(super) struct Held {
    taken: Option<Taken>,
    from_engine: Vec<(u32, u32)>,
    from_mirror: Vec<(u32, u32)>,
}

/// A block as it stands somewhere.
struct Stored {
    bytes: Vec<u8>,
    header: BlockHeader,
    mirrored: bool,
}

/// Engine and mirror.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) engine: Option<SledStore>,
    pub(super) mirror: Gathered,
    taken: BTreeMap<u32, Taken>,
    from_engine: BTreeSet<(u32, u32)>,
    from_mirror: BTreeSet<(u32, u32)>,
    /// Entries of erasures that stand elsewhere in the log that was recovered.
    moved: BTreeMap<Position, Position>,
}

impl Places {
    pub(super) fn new(engine: Option<SledStore>, mirror: Gathered) -> Self {
        Self {
            engine,
            mirror,
            taken: BTreeMap::new(),
            from_engine: BTreeSet::new(),
            from_mirror: BTreeSet::new(),
            moved: BTreeMap::new(),
        }
    }

    /// Takes the blocks of a batch of so many events some way from now on.
    pub(super) fn take(&mut self, batch: BatchId, events: u64, way: Way) {
        for from in [&mut self.from_engine, &mut self.from_mirror] {
            let before: Vec<_> = from.range((batch.0, 0)..=(batch.0, u32::MAX)).copied().collect();
            for key in before {
                from.remove(&key);
            }
        }
        let taken = Taken { way, events, sums: Vec::new(), others: BTreeSet::new() };
        self.taken.insert(batch.0, taken);
    }

    /// How a batch is taken, and what was read of it so.
    pub(super) fn held(&self, batch: BatchId) -> Held {
        let of = |from: &BTreeSet<(u32, u32)>| {
            from.range((batch.0, 0)..=(batch.0, u32::MAX)).copied().collect()
        };
        let (from_engine, from_mirror) = (of(&self.from_engine), of(&self.from_mirror));
        Held { taken: self.taken.get(&batch.0).cloned(), from_engine, from_mirror }
    }

    /// Takes a batch as it was taken before, without reading it once more.
    pub(super) fn take_again(&mut self, batch: BatchId, held: Held) {
        let Some(taken) = held.taken else { return };
        self.take(batch, taken.events, taken.way);
        self.taken.insert(batch.0, taken);
        self.from_engine.extend(held.from_engine);
        self.from_mirror.extend(held.from_mirror);
    }

    /// The entry of an erasure stands elsewhere from now on.
    pub(super) fn moves(&mut self, from: Position, to: Position) {
        self.moved.insert(from, to);
    }

    /// What is kept of the erased events of a batch that was read to its end, by number; their entries as
    /// they stand in the blocks.
    pub(super) fn erased(&mut self, files: &dyn Files, batch: BatchId) -> Result<Vec<Erased>> {
        let others = self.taken.get(&batch.0).map(|of| of.others.clone()).unwrap_or_default();
        let mut window = Window::default();
        for index in others {
            if let Some(block) = self.stored(files, batch.0, index) {
                codec::decode_block(&block.bytes, &mut window)?;
            }
        }
        window.erased.sort_by_key(|erased| erased.seq);
        Ok(window.erased)
    }

    /// A block; none behind the last one, nor of a batch that is not taken.
    pub(super) fn block(
        &mut self,
        files: &dyn Files,
        batch: u32,
        index: u32,
    ) -> Result<Option<Vec<u8>>> {
        // What is before it says whether it is one of the batch.
        loop {
            let Some(taken) = self.taken.get(&batch) else { return Ok(None) };
            let known = taken.sums.len() as u32;
            if index < known {
                break;
            }
            if taken.is_complete() {
                return Ok(None);
            }
            let Some(block) = self.stored(files, batch, known) else { return Ok(None) };
            if let Some(taken) = self.taken.get_mut(&batch) {
                let before = taken.sums.last().copied().unwrap_or(0);
                taken.sums.push(before + u64::from(block.header.events));
                if block.header.series.is_none() {
                    taken.others.insert(known);
                }
            }
            if index == known {
                return self.handed(batch, index, block).map(Some);
            }
        }
        let block = self.stored(files, batch, index);
        block.map(|block| self.handed(batch, index, block)).transpose()
    }

    /// Counts where a block came from; one of erased events names their entries as they stand now.
    fn handed(&mut self, batch: u32, index: u32, block: Stored) -> Result<Vec<u8>> {
        let from = if block.mirrored { &mut self.from_mirror } else { &mut self.from_engine };
        from.insert((batch, index));
        if self.moved.is_empty() || block.header.series.is_some() {
            return Ok(block.bytes);
        }
        let mut window = Window::default();
        codec::decode_block(&block.bytes, &mut window)?;
        if window.erased.is_empty() {
            return Ok(block.bytes);
        }
        for erased in &mut window.erased {
            erased.entry = self.moved.get(&erased.entry).copied().unwrap_or(erased.entry);
        }
        codec::encode_erased(&block.header, &window.erased)
    }

    /// A block whose seal is right.
    fn stored(&self, files: &dyn Files, batch: u32, index: u32) -> Option<Stored> {
        let of_engine = || self.of_engine(batch, index);
        let of_mirror = || {
            let bytes = self.mirror.block(files, batch, index)?;
            let header = codec::read_header(&bytes).ok()?;
            Some(Stored { bytes, header, mirrored: true })
        };
        match self.taken.get(&batch)?.way {
            Way::Engine => of_engine(),
            Way::Mirror => of_mirror(),
            Way::EngineFirst => of_engine().or_else(of_mirror),
            Way::MirrorFirst => of_mirror().or_else(of_engine),
        }
    }

    fn of_engine(&self, batch: u32, index: u32) -> Option<Stored> {
        let bytes = self.engine.as_ref()?.block(batch, index).ok()??;
        let header = codec::read_header(&bytes).ok()?;
        Some(Stored { bytes, header, mirrored: false })
    }

    /// How many blocks came from the engine, and how many from the mirror.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.from_engine.len() as u64, self.from_mirror.len() as u64)
    }

    /// What the engine does not have as it should.
    pub(super) fn hurt(&self) -> Vec<Damage> {
        const MOST: usize = 100;
        let mut hurt = Vec::new();
        let damage = |what| Damage { place: "engine".to_owned(), what };
        if self.engine.is_none() {
            return hurt;
        }
        let batches: BTreeSet<u32> = self.from_mirror.iter().map(|(batch, _)| *batch).collect();
        for batch in batches {
            let own =
                self.from_mirror.range((batch, 0)..=(batch, u32::MAX)).map(|(_, index)| *index);
            let all = own.clone().count();
            let lost: Vec<_> = own.filter(|at| self.of_engine(batch, *at).is_none()).collect();
            match lost.as_slice() {
                [] => hurt.push(damage(format!("what it has of batch b{batch} are other blocks"))),
                [_, _, ..] if lost.len() == all => {
                    hurt.push(damage(format!("all blocks of batch b{batch} are hurt or missing")));
                }
                lost => hurt.extend(lost.iter().map(|index| {
                    damage(format!("block {index} of batch b{batch} is hurt or missing"))
                })),
            }
            if hurt.len() >= MOST {
                hurt.truncate(MOST);
                break;
            }
        }
        hurt
    }
}
