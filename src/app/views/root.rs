//! A view's root and its shards: runs of neighbouring symbols, of which only those that are touched
//! are read and written.
//!
//! A shard is named by where it begins: its symbols are not below that name, and below that of the
//! next one. The first begins below every name, so a shard keeps its name, and the key that it stands
//! under, for as long as the view is; one that grows too large is split, and its later parts are new.

use super::stored::{Entries, Place, directory_bytes, entries_of, get_checked};
use crate::app::error::Result;
use crate::app::large_values::{get, put};
use crate::domain::{Digest, Position, Series, Symbol};
use crate::ledger::codec::{
    Listed, ListedShard, RootEntries, decode_root, decode_root_position, encode_root,
};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use std::ops::Bound;
use std::sync::OnceLock;

/// Most symbols of a shard: to add one row of 2,000 symbols, a root of some 50 shards and one shard
/// are written, 2 to 3 KB each.
pub(super) const MAX_SYMBOLS: usize = 64;

/// A view's root: the log position it has taken in, and its symbols in shards.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) place: Place,
    pub(super) position: Position,
    /// Ascending; of a view without symbols there is none.
    shards: Vec<Shard>,
}

/// A run of a view's symbols.
#[derive(Clone, Debug)]
struct Shard {
    line: ListedShard,
    /// Where the next one begins.
    until: Option<String>,
    /// Its symbols, once they are needed.
    read: OnceLock<Entries>,
    /// Whether they differ from what is stored.
    changed: bool,
}

/// The bytes of a view's root, checked and without their seal.
fn sealed(ledger: &Ledger, place: Place) -> Result<Option<Vec<u8>>> {
    let Some(mut bytes) = get(ledger, &place.root_key())? else { return Ok(None) };
    let view = place.view;
    let wrong =
        || LedgerError::damaged(format!("the root of view {view} does not match its digest"));
    let (body, seal) = bytes.split_last_chunk::<32>().ok_or_else(wrong)?;
    if content(body) != Digest(*seal) {
        return Err(wrong().into());
    }
    bytes.truncate(body.len());
    Ok(Some(bytes))
}

/// The position that a view's root has taken in.
///
/// # Errors
/// A root that is not as it was written.
pub(super) fn read_position(ledger: &Ledger, view: Series) -> Result<Position> {
    let root = sealed(ledger, Place::live(ledger, view)?)?;
    Ok(root.map_or(Ok(Position(0)), |body| decode_root_position(&body))?)
}

impl Root {
    pub(super) fn empty(place: Place) -> Self {
        Self { place, position: Position(0), shards: Vec::new() }
    }

    /// The root of a view in use. Of its shards nothing is read yet.
    ///
    /// # Errors
    /// A root that is not as it was written.
    pub(super) fn read(ledger: &Ledger, view: Series) -> Result<Self> {
        let place = Place::live(ledger, view)?;
        let Some(body) = sealed(ledger, place)? else { return Ok(Self::empty(place)) };
        let (position, entries) = decode_root(&body)?;
        let mut root = Self { position, ..Self::empty(place) };
        match entries {
            RootEntries::Shards(lines) => {
                let ascend = lines.is_sorted_by(|a, b| a.from < b.from);
                if !ascend || lines.first().is_some_and(|first| !first.from.is_empty()) {
                    let what = format!("the root of view {view} names no sequence of shards");
                    return Err(LedgerError::damaged(what).into());
                }
                let next = lines.iter().skip(1).map(|line| Some(line.from.clone()));
                let next: Vec<_> = next.chain([None]).collect();
                let shard =
                    |(line, until)| Shard { line, until, read: OnceLock::new(), changed: false };
                root.shards = lines.into_iter().zip(next).map(shard).collect();
            }
            // Written before there were shards: one of all symbols, split when it is written next.
            RootEntries::Symbols(symbols) if symbols.is_empty() => {}
            RootEntries::Symbols(symbols) => {
                root.shards.push(Shard::new(String::new(), symbols.into_iter().collect()));
            }
        }
        Ok(root)
    }

    /// The shard that a symbol is in, if the view has it.
    fn place_of(&self, symbol: &str) -> usize {
        self.shards.partition_point(|shard| *shard.line.from <= *symbol).saturating_sub(1)
    }

    /// What the view stores of a symbol.
    ///
    /// # Errors
    /// A shard that is not as it was written.
    pub(super) fn entry(&self, ledger: &Ledger, symbol: &Symbol) -> Result<Option<Listed>> {
        let Some(shard) = self.shards.get(self.place_of(symbol.as_str())) else { return Ok(None) };
        Ok(shard.entries(ledger, self.place)?.get(symbol.as_str()).copied())
    }

    /// Whether the view has a symbol from `first` to `last`.
    ///
    /// # Errors
    /// A shard that is not as it was written.
    pub(super) fn knows(&self, ledger: &Ledger, first: &str, last: &str) -> Result<bool> {
        let from = self.place_of(first);
        for shard in self.shards.iter().skip(from).take_while(|shard| *shard.line.from <= *last) {
            let range = (Bound::Included(first), Bound::Included(last));
            if shard.entries(ledger, self.place)?.range::<str, _>(range).next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The symbols of each shard, ascending; of one that cannot be read its error.
    pub(super) fn shards<'a>(
        &'a self,
        ledger: &'a Ledger,
    ) -> impl Iterator<Item = Result<&'a Entries>> {
        self.shards.iter().map(move |shard| shard.entries(ledger, self.place))
    }

    /// Takes in what is stored of a symbol now.
    ///
    /// # Errors
    /// A shard that is not as it was written.
    pub(super) fn set(&mut self, ledger: &Ledger, symbol: &Symbol, of: Listed) -> Result<()> {
        if self.shards.is_empty() {
            self.shards.push(Shard::new(String::new(), Entries::new()));
        }
        let (place, at) = (self.place, self.place_of(symbol.as_str()));
        let Some(shard) = self.shards.get_mut(at) else { return Ok(()) };
        shard.entries(ledger, place)?;
        if let Some(entries) = shard.read.get_mut() {
            let before = entries.insert(symbol.to_string(), of);
            shard.changed |= before != Some(of);
        }
        Ok(())
    }

    /// Writes what has changed: shards, those that grew too large in parts, then the root, which is
    /// what is stored then.
    ///
    /// # Errors
    /// A ledger that cannot be written.
    pub(super) fn write(&mut self, ledger: &mut Ledger) -> Result<()> {
        for mut shard in std::mem::take(&mut self.shards) {
            match shard.read.take() {
                Some(entries) if shard.changed => {
                    let parts = parts(shard.line.from, entries);
                    let next = parts.iter().skip(1).map(|(from, _)| Some(from.clone()));
                    let next: Vec<_> = next.chain([shard.until]).collect();
                    for ((from, part), until) in parts.into_iter().zip(next) {
                        let bytes = directory_bytes(&part)?;
                        put(ledger, &self.place.shard_key(&from), &bytes)?;
                        let line = line(from, &part, content(&bytes));
                        let read = OnceLock::from(part);
                        self.shards.push(Shard { line, until, read, changed: false });
                    }
                }
                read => {
                    let read = read.map_or_else(OnceLock::new, OnceLock::from);
                    self.shards.push(Shard { read, ..shard });
                }
            }
        }
        let lines = self.shards.iter().map(|shard| &shard.line);
        let mut bytes = encode_root(self.position, lines)?;
        bytes.extend_from_slice(&content(&bytes).0);
        put(ledger, &self.place.root_key(), &bytes)
    }

    /// How many symbols the view has.
    pub(super) fn symbols(&self) -> u64 {
        self.shards.iter().map(|shard| shard.line.symbols).sum()
    }
}

/// The parts of a shard's symbols that are stored, each with where it begins: as few as can be, of
/// about the same size.
fn parts(from: String, mut rest: Entries) -> Vec<(String, Entries)> {
    let count = rest.len().div_ceil(MAX_SYMBOLS);
    let size = rest.len().div_ceil(count.max(1));
    let (mut parts, mut from) = (Vec::with_capacity(count), from);
    while let Some(next) = rest.keys().nth(size).cloned() {
        let later = rest.split_off(&next);
        parts.push((std::mem::replace(&mut from, next), std::mem::replace(&mut rest, later)));
    }
    parts.push((from, rest));
    parts
}

/// What the root says of a shard.
fn line(from: String, entries: &Entries, digest: Digest) -> ListedShard {
    let events = entries.values().map(|of| of.events).sum();
    ListedShard { from, events, symbols: entries.len() as u64, digest }
}

impl Shard {
    /// One that is not stored yet.
    fn new(from: String, entries: Entries) -> Self {
        let line = line(from, &entries, Digest::default());
        Self { line, until: None, read: OnceLock::from(entries), changed: true }
    }

    /// Its symbols, read and checked when they are asked for first.
    fn entries(&self, ledger: &Ledger, place: Place) -> Result<&Entries> {
        if let Some(entries) = self.read.get() {
            return Ok(entries);
        }
        let from = &self.line.from;
        let what = match from.as_str() {
            "" => format!("the first shard of view {}", place.view),
            from => format!("the shard of view {} from {from}", place.view),
        };
        let bytes = get_checked(ledger, &place.shard_key(from), &self.line.digest, &what)?;
        let entries = entries_of(&bytes)?;
        let (first, last) = (entries.keys().next(), entries.keys().next_back());
        let inside = first.is_none_or(|first| first >= from)
            && self.until.as_ref().is_none_or(|until| last.is_none_or(|last| last < until));
        if !inside || line(from.clone(), &entries, self.line.digest) != self.line {
            let what = format!("{what} has other symbols than the root says");
            return Err(LedgerError::damaged(what).into());
        }
        // Where two threads have read it, both have read the same.
        Ok(self.read.get_or_init(|| entries))
    }
}

#[cfg(test)]
#[path = "root_tests.rs"]
pub(super) mod tests;
