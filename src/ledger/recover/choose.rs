//! Which control entries are those of the log, where engine and mirror say different things.
//!
//! Three ways of reading them are compared, and the best one is taken: first one that holds HEAD's root,
//! then one for which more is vouched, then the longest. Entries that nothing vouches for are taken all
//! the same, as opening does, and told apart: they follow the others in a place that has no other log.

use super::super::append::crash_leaves;
use super::super::codec;
use super::super::hash::{Sha256Tree, TreeHash};
use super::super::head::Head;
use super::super::mirror::Gathered;
use super::super::tree::Tree;
use super::super::verify::Damage;
use super::LeftOut;
use crate::domain::{Digest, Entry, EntryKind, Position};
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

/// What is there to choose from.
pub(super) struct Found<'a> {
    /// What HEAD says; nothing when it is lost or hurt.
    pub(super) head: Option<Head>,
    /// Whether one of its slots is hurt: it may have been moving beyond what the sound one names.
    pub(super) torn: bool,
    /// The engine's entries, by position.
    pub(super) engine: &'a BTreeMap<u64, Vec<u8>>,
    pub(super) mirror: &'a Gathered,
}

/// An entry and where it was.
#[derive(Clone)]
pub(super) struct Pick {
    pub(super) entry: Entry,
    pub(super) bytes: Vec<u8>,
    pub(super) mirrored: bool,
}

/// A log from its first entry on.
pub(super) struct Chosen {
    pub(super) entries: Vec<Pick>,
    /// As far as HEAD or a checkpoint of the mirror vouches for it.
    pub(super) vouched: u64,
    /// What does that.
    pub(super) confirmed: Confirmed,
    /// What follows this and is not whole was never acknowledged: a crash leaves it.
    pub(super) acknowledged: u64,
    /// Whether something says that no more was acknowledged.
    pub(super) ends: bool,
    /// Whether that is HEAD.
    pub(super) sure: bool,
    /// Whether HEAD's root is that of another log.
    pub(super) foreign_head: bool,
    /// Entries that are there, and not those of this log.
    pub(super) left_out: Vec<LeftOut>,
    /// What is not as it should be, and loses nothing.
    pub(super) hurt: Vec<Damage>,
}

/// The entries of a place that decode, and are as they would be encoded.
type Log<'a> = BTreeMap<u64, (Entry, &'a [u8])>;

fn decoded(controls: &BTreeMap<u64, Vec<u8>>) -> Log<'_> {
    let sound = |bytes: &[u8]| {
        let entry = codec::decode_entry(bytes).ok()?;
        (codec::encode_entry(&entry).ok()? == bytes).then_some(entry)
    };
    let all = controls.iter();
    all.filter_map(|(at, bytes)| Some((*at, (sound(bytes)?, &**bytes)))).collect()
}

/// How to choose between two that decode.
#[derive(Clone, Copy)]
enum By {
    /// The one that gives HEAD's root or the mirror's checkpoint, else the engine's.
    Checkpoint,
    Engine,
    Mirror,
}

/// One way of reading the log.
struct Way<'a> {
    entries: Vec<(&'a (Entry, &'a [u8]), bool)>,
    root: Digest,
    by_head: Option<u64>,
    by_mirror: Option<u64>,
}

impl Way<'_> {
    fn vouched(&self) -> u64 {
        self.by_head.max(self.by_mirror).unwrap_or(0)
    }

    /// The first position at which a place has another entry than this log.
    fn differs(&self, log: &Log<'_>) -> Option<u64> {
        let own = (1..).zip(&self.entries);
        let mut other = own.filter(|(at, (own, _))| log.get(at).is_some_and(|of| of.1 != own.1));
        other.next().map(|(at, _)| at)
    }
}

/// The best log of what is there.
pub(super) fn log(found: &Found<'_>) -> Chosen {
    let (engine, mirror) = (decoded(found.engine), decoded(&found.mirror.controls));
    let ways = [By::Checkpoint, By::Engine, By::Mirror];
    let ways = ways.into_iter().map(|by| one(found, &engine, &mirror, by));
    // The first of those that are equally good.
    let best = ways.reduce(|best, other| {
        let rank = |way: &Way<'_>| (way.by_head.is_some(), way.vouched(), way.entries.len());
        if rank(&other) > rank(&best) { other } else { best }
    });
    let none = || Way { entries: Vec::new(), root: empty(), by_head: None, by_mirror: None };
    judged(found, &engine, &mirror, best.unwrap_or_else(none))
}

fn empty() -> Digest {
    Tree::<Sha256Tree>::default().root()
}

fn one<'a>(found: &Found<'_>, engine: &'a Log<'a>, mirror: &'a Log<'a>, by: By) -> Way<'a> {
    let head = found.head;
    let mut tree = Tree::<Sha256Tree>::default();
    let mut way = Way { entries: Vec::new(), root: tree.root(), by_head: None, by_mirror: None };
    if head.is_some_and(|head| head.size.0 == 0 && head.root == tree.root()) {
        way.by_head = Some(0);
    }
    // Whether a place has had another entry than this log: what follows there is of another one, unless
    // a root says that it is not.
    let (mut strange_engine, mut strange_mirror) = (false, false);
    let mut doubted = None;
    for position in 1.. {
        let from_engine = engine.get(&position).map(|read| (read, false));
        let from_mirror = mirror.get(&position).map(|read| (read, true));
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
            _ => found.mirror.root(position),
        };
        let fits = |(read, _): &(&(Entry, &[u8]), bool)| wanted == Some(next(read.1).root());
        let fitting = match by {
            By::Checkpoint => first.filter(fits).or(second.filter(fits)),
            _ => None,
        };
        let Some((read, mirrored)) = fitting.or(first).or(second) else {
            break;
        };
        let strange = if mirrored { strange_mirror } else { strange_engine };
        if strange && fitting.is_none() && doubted.is_none() {
            doubted = Some(position);
        }
        strange_engine |= from_engine.is_some_and(|(of, _)| of.1 != read.1);
        strange_mirror |= from_mirror.is_some_and(|(of, _)| of.1 != read.1);
        tree = next(read.1);
        way.entries.push((read, mirrored));
        if head.is_some_and(|head| head.size.0 == position && head.root == tree.root()) {
            way.by_head = Some(position);
        }
        if found.mirror.root(position) == Some(tree.root()) {
            way.by_mirror = Some(position);
        }
    }
    if let Some(first) = doubted {
        way.cut((first - 1).max(way.vouched()));
    } else {
        way.root = tree.root();
    }
    way
}

impl Way<'_> {
    /// Leaves out what is behind a position.
    fn cut(&mut self, size: u64) {
        let mut tree = Tree::<Sha256Tree>::default();
        self.entries.truncate(size as usize);
        self.entries.iter().for_each(|(read, _)| tree.push(Sha256Tree::leaf(read.1)));
        self.root = tree.root();
    }
}

/// Judges the best log: as far as something vouches for it, whether more was acknowledged, and what is
/// not taken.
fn judged(found: &Found<'_>, engine: &Log<'_>, mirror: &Log<'_>, mut way: Way<'_>) -> Chosen {
    let moved = way.by_head.filter(|_| !found.torn);
    // Of a log that HEAD names, each place that is of it.
    let own = |log: &Log<'_>, head: u64| way.differs(log).is_none_or(|at| at > head);
    let older = way.by_head.is_some_and(|head| {
        let left = found.mirror.left_behind(head);
        let ahead = found.mirror.checkpoints().last().map_or(0, |(size, _)| size);
        let engine = own(engine, head) && !left_by_a_crash(head, found.engine, engine);
        engine || (own(mirror, head) && ahead > head + left)
    });
    // As when the ledger is opened: what only the mirror has, without a checkpoint, was not finished.
    if let Some(head) = moved.filter(|_| !older) {
        let at = (way.vouched() + 1..).find(|at| {
            let own = way.entries.get(*at as usize - 1);
            own.is_none_or(|(own, _)| engine.get(at).is_none_or(|of| of.1 != own.1))
        });
        way.cut(at.map_or(head, |at| at - 1));
    }
    let size = way.entries.len() as u64;
    // What the hurt slot spoke of was durable.
    let behind = way.by_head.map(|head| if found.torn { size.min(head + 2) } else { head });
    let (vouched, confirmed) = match (behind, way.by_mirror) {
        (Some(head), mirror) if mirror.unwrap_or(0) <= head => (head, Confirmed::Head),
        (_, Some(mirror)) => (mirror, Confirmed::Mirror),
        _ => (0, Confirmed::Nothing),
    };
    let ends_in = |raw: &BTreeMap<u64, Vec<u8>>, log: &Log<'_>| {
        size > 0
            && way.differs(log).is_none()
            && log.contains_key(&size)
            && raw.keys().next_back() == Some(&size)
    };
    let together = ends_in(found.engine, engine)
        && ends_in(&found.mirror.controls, mirror)
        && found.mirror.root(size) == Some(way.root);
    let ends = match (found.head, way.by_head) {
        (None, _) => together,
        (Some(_), None) => false,
        (Some(_), Some(head)) if found.torn => together || (vouched == size && size > head),
        (Some(_), Some(_)) => together || vouched == size || !older,
    };
    let mut chosen = Chosen {
        entries: Vec::new(),
        vouched,
        confirmed,
        acknowledged: moved.filter(|_| !older).unwrap_or(u64::MAX),
        ends,
        sure: ends && way.by_head.is_some(),
        foreign_head: found.head.is_some() && way.by_head.is_none(),
        left_out: Vec::new(),
        hurt: Vec::new(),
    };
    for (place, raw, log) in
        [("engine", found.engine, engine), ("mirror", &found.mirror.controls, mirror)]
    {
        let differs = way.differs(log);
        let from = differs.unwrap_or(size + 1);
        let entries = raw.range(from..).count() as u64;
        if entries == 0 {
            continue;
        }
        let batches = log.range(from..).filter_map(|(_, (entry, _))| match &entry.kind {
            EntryKind::Stage(stage) => Some(stage.batch),
            _ => None,
        });
        let (place, batches) = (place.to_owned(), batches.collect());
        let left = LeftOut { place, from: Position(from), entries, batches };
        match moved {
            Some(head) if differs.is_some_and(|at| at <= head) => {
                chosen.strange(left, "another log than the one that HEAD names");
            }
            Some(_) if !older => {
                chosen.strange(left, "what was not finished, and nobody was told of")
            }
            _ => chosen.leave_out(left),
        }
    }
    let pick = |((entry, bytes), mirrored): (&(Entry, &[u8]), bool)| Pick {
        entry: entry.clone(),
        bytes: bytes.to_vec(),
        mirrored,
    };
    chosen.entries =
        way.entries.into_iter().map(|(read, mirrored)| pick((read, mirrored))).collect();
    chosen
}

/// Whether a crash can leave what the engine has behind HEAD, as [`super::super::Ledger::open`] judges it.
fn left_by_a_crash(head: u64, raw: &BTreeMap<u64, Vec<u8>>, log: &Log<'_>) -> bool {
    let tail: Vec<_> = raw.range(head + 1..).map(|(at, _)| log.get(at).map(|of| &of.0)).collect();
    (tail.len() < 2 || tail.iter().all(Option::is_some)) && crash_leaves(&tail)
}

impl Chosen {
    /// Notes entries that are not taken, and that nothing acknowledges.
    fn strange(&mut self, left: LeftOut, what: &str) {
        let names: Vec<_> = left.batches.iter().map(ToString::to_string).collect();
        let with =
            if names.is_empty() { String::new() } else { format!(" with {}", names.join(" ")) };
        let entries = if left.entries == 1 { "entry" } else { "entries" };
        let what =
            format!("from {} on it holds {what}: {} {entries}{with}", left.from, left.entries);
        self.hurt.push(Damage { place: left.place, what });
    }

    /// Notes entries that are not taken and may have been acknowledged; what both places have is said once.
    fn leave_out(&mut self, left: LeftOut) {
        match self.left_out.last_mut() {
            Some(last)
                if (last.from, last.entries, &last.batches)
                    == (left.from, left.entries, &left.batches) =>
            {
                last.place = format!("{} and {}", last.place, left.place);
            }
            _ => self.left_out.push(left),
        }
    }
}
