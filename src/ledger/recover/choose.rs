//! Which control entries are those of the log, where engine and mirror say different things.

use super::super::codec;
use super::super::hash::{Sha256Tree, TreeHash};
use super::super::head::Head;
use super::super::mirror::Gathered;
use super::super::tree::Tree;
use std::collections::BTreeMap;

/// What vouches for the root of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmed {
    /// Nothing: its entries follow each other and decode, and that is all.
    Nothing,
    /// A checkpoint of the mirror.
    Mirror,
    /// HEAD.
    Head,
}

impl Confirmed {
    /// As a report says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Mirror => "mirror",
            Self::Head => "HEAD",
        }
    }
}

/// An entry and where it was.
pub(super) struct Pick {
    pub(super) bytes: Vec<u8>,
    pub(super) mirrored: bool,
}

/// A log from its first entry on.
pub(super) struct Chosen {
    pub(super) entries: Vec<Pick>,
    pub(super) confirmed: Confirmed,
}

/// How to choose between two that decode.
#[derive(Clone, Copy)]
enum By {
    /// The one that gives the mirror's checkpoint, else the engine's.
    Checkpoint,
    Engine,
    Mirror,
}

/// The longest log that something vouches for; `torn` when one of HEAD's slots is hurt.
pub(super) fn log(
    head: Option<Head>,
    torn: bool,
    engine: &BTreeMap<u64, Vec<u8>>,
    mirror: &Gathered,
) -> Chosen {
    let ways = [By::Checkpoint, By::Engine, By::Mirror];
    let logs = ways.into_iter().map(|by| one((head, torn), engine, mirror, by));
    // The first of those that are equally good.
    let best = logs.reduce(|best, other| {
        let rank = |chosen: &Chosen| (chosen.confirmed, chosen.entries.len());
        if rank(&other) > rank(&best) { other } else { best }
    });
    best.unwrap_or(Chosen { entries: Vec::new(), confirmed: Confirmed::Nothing })
}

fn one(
    (head, torn): (Option<Head>, bool),
    engine: &BTreeMap<u64, Vec<u8>>,
    mirror: &Gathered,
    by: By,
) -> Chosen {
    let mut tree = Tree::<Sha256Tree>::default();
    let mut entries = Vec::new();
    let (mut by_head, mut by_mirror) = (None, None);
    if head.is_some_and(|head| head.size.0 == 0 && head.root == tree.root()) {
        by_head = Some(0);
    }
    for position in 1.. {
        let sound = |bytes: &&Vec<u8>| {
            let again = codec::decode_entry(bytes).and_then(|entry| codec::encode_entry(&entry));
            again.is_ok_and(|again| again == **bytes)
        };
        let from_engine = engine.get(&position).filter(sound).map(|bytes| (bytes, false));
        let from_mirror = mirror.controls.get(&position).filter(sound).map(|bytes| (bytes, true));
        let (first, second) = match by {
            By::Mirror => (from_mirror, from_engine),
            _ => (from_engine, from_mirror),
        };
        let next = |bytes: &[u8]| {
            let mut next = tree.clone();
            next.push(Sha256Tree::leaf(bytes));
            next
        };
        let wanted = match head {
            Some(head) if head.size.0 == position => Some(head.root),
            _ => mirror.root(position),
        };
        let fits = |(bytes, _): &(&Vec<u8>, bool)| wanted == Some(next(bytes).root());
        let fitting = match by {
            By::Checkpoint => first.filter(fits).or(second.filter(fits)),
            _ => None,
        };
        let Some((bytes, mirrored)) = fitting.or(first).or(second) else {
            break;
        };
        tree = next(bytes);
        entries.push(Pick { bytes: bytes.clone(), mirrored });
        if head.is_some_and(|head| head.size.0 == position && head.root == tree.root()) {
            by_head = Some(position);
        }
        if mirror.root(position) == Some(tree.root()) {
            by_mirror = Some(position);
        }
    }
    let (size, confirmed) = match (by_head, by_mirror) {
        // Beyond HEAD nothing was acknowledged; what a checkpoint vouches for may count all the
        // same, because HEAD may be an older one.
        // What the hurt slot spoke of was durable in the engine as well.
        (Some(head), mirror) => {
            let behind = if torn { (entries.len() as u64).min(head + 2) } else { head };
            (mirror.unwrap_or(0).max(behind), Confirmed::Head)
        }
        (None, Some(mirror)) => (mirror, Confirmed::Mirror),
        (None, None) => {
            // Entries beyond those that HEAD names were never acknowledged.
            let most = head.map_or(u64::MAX, |head| head.size.0.saturating_sub(1));
            (most.min(entries.len() as u64), Confirmed::Nothing)
        }
    };
    entries.truncate(size as usize);
    Chosen { entries, confirmed }
}
