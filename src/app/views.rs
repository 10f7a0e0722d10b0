//! The materialised views: one value per view, symbol and year (in dense series: day), each
//! checked when it is read.
//!
//! A chunk holds every assertion ever committed for its symbol and year, active or not; which of
//! them count at a position is decided by the batch table when it is read. So a rollback writes
//! nothing here, and `--at` reads what the present reads.
//!
//! Digests form a chain: root directory (symbols) → symbol directory (years) → chunk, so that a
//! lost or stale value is noticed. A view that was being updated when the process died is marked,
//! and rebuilt from the log at the next start.

pub use super::digest::ViewDigest;

use super::Progress;
use super::error::Result;
use super::groups::Groups;
use super::history::{by_period, merged, part, period_of};
use super::pieces::{get, put};
use crate::domain::{BatchId, BatchTable, Day, Digest, Position, Series, Symbol};
use crate::ledger::codec::{decode_chunk, decode_directory, encode_chunk, encode_directory};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::{Activity, History, Record, Which, fold};
use std::collections::BTreeMap;
use std::sync::Arc;

const ROOT: u8 = b'r';
const SYMBOL: u8 = b's';
const CHUNK: u8 = b'c';
/// A view that is being updated.
const MARK: u8 = b'm';
/// Which of a view's two places is in use.
const LIVE: u8 = b'g';

/// Where a view is stored: one of two places, so that a rebuild stands beside the one in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    view: Series,
    second: bool,
}

impl Place {
    /// The place in use.
    fn live(ledger: &Ledger, view: Series) -> Result<Self> {
        let second = ledger.store().view(&[LIVE, view.code()])?.is_some_and(|of| of == [1]);
        Ok(Self { view, second })
    }

    fn other(self) -> Self {
        Self { second: !self.second, ..self }
    }

    fn code(self) -> u8 {
        self.view.code() | (u8::from(self.second) << 7)
    }

    fn root_key(self) -> Vec<u8> {
        vec![ROOT, self.code()]
    }

    fn symbol_key(self, symbol: &Symbol) -> Vec<u8> {
        [&[SYMBOL, self.code()], symbol.as_str().as_bytes()].concat()
    }

    fn chunk_key(self, symbol: &Symbol, year: i32) -> Vec<u8> {
        let year = ((year as u32) ^ 0x8000_0000).to_be_bytes();
        [&[CHUNK, self.code()], symbol.as_str().as_bytes(), &[0], &year].concat()
    }

    /// Removes everything that is stored here.
    fn clear(self, ledger: &mut Ledger) -> Result<()> {
        for kind in [ROOT, SYMBOL, CHUNK] {
            for key in ledger.store().view_keys(&[kind, self.code()])? {
                ledger.store_mut().remove_view(&key)?;
            }
        }
        Ok(())
    }
}

/// A value whose digest is known.
fn get_checked(ledger: &Ledger, key: &[u8], digest: &Digest, what: &str) -> Result<Vec<u8>> {
    match get(ledger, key)? {
        Some(bytes) if content(&bytes) == *digest => Ok(bytes),
        Some(_) => Err(LedgerError::damaged(format!("{what} does not match its digest")).into()),
        None => Err(LedgerError::damaged(format!("{what} is missing")).into()),
    }
}

/// Names, event counts and digests.
type Entries = BTreeMap<String, (u64, Digest)>;

/// A view's root: the log position it has taken in, and its symbols.
#[derive(Clone, Debug)]
struct Root {
    place: Place,
    position: Position,
    symbols: Entries,
}

impl Root {
    fn empty(place: Place) -> Self {
        Self { place, position: Position(0), symbols: Entries::new() }
    }
}

fn read_root(ledger: &Ledger, view: Series) -> Result<Root> {
    let place = Place::live(ledger, view)?;
    let Some(bytes) = get(ledger, &place.root_key())? else {
        return Ok(Root::empty(place));
    };
    let wrong =
        || LedgerError::damaged(format!("the root of view {view} does not match its digest"));
    let (body, seal) = bytes.split_last_chunk::<32>().ok_or_else(wrong)?;
    if content(body) != Digest(*seal) {
        return Err(wrong().into());
    }
    let (position, entries) = decode_directory(body)?;
    Ok(Root { place, position, symbols: entries_of(entries) })
}

fn entries_of(entries: Vec<(String, u64, Digest)>) -> Entries {
    entries.into_iter().map(|(name, events, digest)| (name, (events, digest))).collect()
}

fn listed(entries: &Entries) -> Vec<(String, u64, Digest)> {
    entries.iter().map(|(name, (events, digest))| (name.clone(), *events, *digest)).collect()
}

fn write_root(ledger: &mut Ledger, root: &Root) -> Result<()> {
    let mut bytes = encode_directory(root.position, listed(&root.symbols))?;
    bytes.extend_from_slice(&content(&bytes).0);
    put(ledger, &root.place.root_key(), &bytes)
}

/// The batches that were committed after a position, up to the head.
fn committed_after(table: &BatchTable, position: Position) -> Vec<BatchId> {
    let mut late: Vec<(Position, BatchId)> = table
        .iter()
        .filter_map(|(id, batch)| Some((batch.committed_at?, id)))
        .filter(|(at, _)| *at > position)
        .collect();
    late.sort();
    late.into_iter().map(|(_, id)| id).collect()
}

/// The committed batches that speak of a view: only their blocks need to be read for it.
fn speaking_of(ledger: &Ledger, view: Series, after: Position) -> Vec<BatchId> {
    let mut late = committed_after(ledger.batches(), after);
    late.retain(|id| {
        let batch = ledger.batches().get(*id);
        batch.is_some_and(|b| b.stage.views.iter().any(|part| part.series == view))
    });
    late
}

/// Brings every view up to the head; returns the views that had to be rebuilt.
pub fn catch_up(ledger: &mut Ledger, progress: &dyn Progress) -> Result<Vec<Series>> {
    let mut rebuilt = Vec::new();
    let mut behind: BTreeMap<Series, Vec<BatchId>> = BTreeMap::new();
    for view in Series::ALL {
        if ledger.store().view(&[MARK, view.code()])?.is_some() {
            tracing::warn!(%view, "an interrupted update: the view is rebuilt");
            rebuild(ledger, view, progress)?;
            rebuilt.push(view);
            continue;
        }
        let root = read_root(ledger, view)?;
        let of_view = speaking_of(ledger, view, root.position);
        if !of_view.is_empty() {
            behind.insert(view, of_view);
        }
    }
    // Usually one batch is behind in all its views: its blocks are then read once.
    while let Some((_, batches)) = behind.first_key_value() {
        let batches = batches.clone();
        let views: Vec<Series> =
            behind.iter().filter(|(_, b)| **b == batches).map(|(view, _)| *view).collect();
        let mut roots = BTreeMap::new();
        for view in &views {
            roots.insert(*view, read_root(ledger, *view)?);
            ledger.store_mut().put_view(&[MARK, view.code()], &[1])?;
        }
        apply(ledger, roots, &batches, progress)?;
        for view in &views {
            ledger.store_mut().remove_view(&[MARK, view.code()])?;
        }
        ledger.store_mut().flush_views()?;
        behind.retain(|view, _| !views.contains(view));
    }
    Ok(rebuilt)
}

/// Adds the events of committed batches to views; their roots, and with them their positions, are
/// written last.
fn apply(
    ledger: &mut Ledger,
    mut roots: BTreeMap<Series, Root>,
    batches: &[BatchId],
    progress: &dyn Progress,
) -> Result<()> {
    let events = batches.iter().filter_map(|id| ledger.batches().get(*id));
    let (total, mut done) = (events.map(|batch| batch.stage.events).sum(), 0);
    progress.begin("updating views", Some(total), "rows");
    let views: Vec<&Series> = roots.keys().collect();
    tracing::debug!(?views, ?batches, events = total, "adding events to views");
    let mut groups = Groups::of(ledger, batches)?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, events) in group {
            for (view, history) in events.views {
                let Some(root) = roots.get_mut(&view) else {
                    continue;
                };
                done += history.batches.len() as u64;
                add_symbol(ledger, root, &symbol, history)?;
            }
            progress.at(done);
        }
    }
    for mut root in roots.into_values() {
        root.position = ledger.position();
        write_root(ledger, &root)?;
    }
    progress.end();
    Ok(())
}

/// Adds a symbol's events to its chunks; adding them twice changes nothing.
fn add_symbol(
    ledger: &mut Ledger,
    root: &mut Root,
    symbol: &Symbol,
    history: History,
) -> Result<()> {
    let place = root.place;
    let mut years = match root.symbols.get(symbol.as_str()) {
        Some((_, digest)) => read_years(ledger, place, symbol, digest)?,
        None => Entries::new(),
    };
    for (year, range) in by_period(place.view, &history) {
        let name = year.to_string();
        let (bytes, events) = match years.get(&name) {
            Some((_, digest)) => {
                let stored = read_chunk(ledger, place, symbol, year, digest)?;
                let whole = merged(stored, &part(&history, range));
                (chunk_bytes(&whole, 0..whole.batches.len())?, whole.batches.len())
            }
            None => (chunk_bytes(&history, range.clone())?, range.len()),
        };
        put(ledger, &place.chunk_key(symbol, year), &bytes)?;
        years.insert(name, (events as u64, content(&bytes)));
    }
    let bytes = encode_directory(Position(0), listed(&years))?;
    put(ledger, &place.symbol_key(symbol), &bytes)?;
    let events = years.values().map(|(events, _)| events).sum();
    root.symbols.insert(symbol.to_string(), (events, content(&bytes)));
    Ok(())
}

fn chunk_bytes(history: &History, range: std::ops::Range<usize>) -> Result<Vec<u8>> {
    let order: Vec<u32> = (range.start as u32..range.end as u32).collect();
    let batches = history.batches.get(range).unwrap_or_default();
    Ok(encode_chunk(&history.rows, &order, batches)?)
}

fn read_years(ledger: &Ledger, place: Place, symbol: &Symbol, digest: &Digest) -> Result<Entries> {
    let what = format!("the directory of {} {symbol}", place.view);
    let bytes = get_checked(ledger, &place.symbol_key(symbol), digest, &what)?;
    Ok(entries_of(decode_directory(&bytes)?.1))
}

fn read_chunk(
    ledger: &Ledger,
    place: Place,
    symbol: &Symbol,
    year: i32,
    digest: &Digest,
) -> Result<History> {
    let what = format!("{} {symbol} {year}", place.view);
    let bytes = get_checked(ledger, &place.chunk_key(symbol, year), digest, &what)?;
    let (rows, batches) = decode_chunk(&bytes)?;
    Ok(History { rows, batches })
}

/// Builds a view anew from the first event, beside the one in use, and then uses it instead. A
/// crash on the way leaves the old one in use.
pub fn rebuild(ledger: &mut Ledger, view: Series, progress: &dyn Progress) -> Result<()> {
    let old = Place::live(ledger, view)?;
    let new = old.other();
    new.clear(ledger)?;
    let all = speaking_of(ledger, view, Position(0));
    apply(ledger, [(view, Root::empty(new))].into(), &all, progress)?;
    ledger.store_mut().flush_views()?;
    ledger.store_mut().put_view(&[LIVE, view.code()], &[u8::from(new.second)])?;
    ledger.store_mut().flush_views()?;
    ledger.store_mut().remove_view(&[MARK, view.code()])?;
    old.clear(ledger)?;
    ledger.store_mut().flush_views()?;
    Ok(())
}

/// Builds a view anew in memory, symbol by symbol, and compares it with the stored one; returns
/// what differs.
pub fn compare_with_log(
    ledger: &Ledger,
    view: Series,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    let root = read_root(ledger, view)?;
    let mut left = root.symbols.clone();
    let all = speaking_of(ledger, view, Position(0));
    let mut groups = Groups::of(ledger, &all)?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, mut events) in group {
            let Some(history) = events.views.remove(&view) else {
                continue;
            };
            progress(history.batches.len() as u64);
            let stored = left.remove(symbol.as_str());
            let mut years = Entries::new();
            for (year, range) in by_period(view, &history) {
                let digest = content(&chunk_bytes(&history, range.clone())?);
                years.insert(year.to_string(), (range.len() as u64, digest));
            }
            let digest = content(&encode_directory(Position(0), listed(&years))?);
            if stored.is_none_or(|(_, stored)| stored != digest) {
                differences.push(format!("view {view} of {symbol} differs from its rebuild"));
                continue;
            }
            // The chain is right; now the values that it names.
            for (year, (_, digest)) in &years {
                let year = year.parse().unwrap_or(0);
                if let Err(error) = read_chunk(ledger, root.place, &symbol, year, digest) {
                    differences.push(error.to_string());
                }
            }
            if let Err(error) = read_years(ledger, root.place, &symbol, &digest) {
                differences.push(error.to_string());
            }
        }
    }
    let surplus = left.keys().map(|s| format!("view {view} has {s}, which the log has not"));
    differences.extend(surplus);
    Ok(differences)
}

/// A stored part of a symbol's history: a year of it, or in dense views a day.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// The year, or the day since 1970.
    pub number: i32,
    /// How many assertions it holds.
    pub events: u64,
    digest: Digest,
}

#[cfg(test)]
impl Period {
    /// One of which nothing is read.
    pub fn of(number: i32, events: u64) -> Self {
        Self { number, events, digest: Digest::default() }
    }
}

/// Reads views at any position.
pub struct ViewReader<'a> {
    ledger: &'a Ledger,
    roots: Arc<Roots>,
}

/// The roots of all views: read once, they can be shared by readers of the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Roots(BTreeMap<Series, Root>);

impl<'a> ViewReader<'a> {
    /// A reader over the stored views. They must be caught up.
    pub fn new(ledger: &'a Ledger) -> Result<Self> {
        let mut roots = BTreeMap::new();
        for view in Series::ALL {
            roots.insert(view, read_root(ledger, view)?);
        }
        Ok(Self { ledger, roots: Arc::new(Roots(roots)) })
    }

    /// A reader with roots that another one of the same ledger has read.
    pub fn with(ledger: &'a Ledger, roots: Arc<Roots>) -> Self {
        Self { ledger, roots }
    }

    /// The ledger that is read.
    pub fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// The roots, for further readers.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }

    /// The symbols that the view ever had, ascending.
    pub fn symbols(&self, view: Series) -> Vec<Symbol> {
        let names = self.roots.0.get(&view).map(|root| root.symbols.keys());
        names.into_iter().flatten().filter_map(|name| Symbol::exact(name).ok()).collect()
    }

    /// Every assertion ever committed about a symbol, with each stored value checked.
    pub fn history(&self, view: Series, symbol: &Symbol) -> Result<History> {
        self.history_between(view, symbol, Day(i32::MIN), Day(i32::MAX))
    }

    /// The same, without the stored periods that lie wholly outside a range of days.
    pub fn history_between(
        &self,
        view: Series,
        symbol: &Symbol,
        from: Day,
        to: Day,
    ) -> Result<History> {
        let mut stored = self.stored(view, symbol)?;
        let periods = period_of(view, from)..=period_of(view, to);
        stored.retain(|period| periods.contains(&period.number));
        self.read(view, symbol, &stored)
    }

    /// What some stored periods of a symbol hold, in their order.
    pub fn read(&self, view: Series, symbol: &Symbol, periods: &[Period]) -> Result<History> {
        let Some(root) = self.roots.0.get(&view) else { return Ok(History::default()) };
        let mut whole: Option<History> = None;
        for period in periods {
            let part = read_chunk(self.ledger, root.place, symbol, period.number, &period.digest)?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => {
                    for row in part.rows.iter() {
                        whole.rows.push_row(row);
                    }
                    whole.batches.extend(part.batches);
                }
            }
        }
        Ok(whole.unwrap_or_default())
    }

    /// The periods of which a view stores something about a symbol, ascending.
    pub fn stored(&self, view: Series, symbol: &Symbol) -> Result<Vec<Period>> {
        let root = self.roots.0.get(&view);
        let entry = root.and_then(|root| Some((root.place, root.symbols.get(symbol.as_str())?)));
        let Some((place, (_, digest))) = entry else { return Ok(Vec::new()) };
        let years = read_years(self.ledger, place, symbol, digest)?;
        let period = |(name, (events, digest)): (&String, &(u64, Digest))| {
            Some(Period { number: name.parse().ok()?, events: *events, digest: *digest })
        };
        let mut periods: Vec<Period> = years.iter().filter_map(period).collect();
        periods.sort_unstable_by_key(|period| period.number);
        Ok(periods)
    }

    /// The numbers of these periods: years, or in dense views days since 1970.
    pub fn periods(&self, view: Series, symbol: &Symbol) -> Result<Vec<i32>> {
        Ok(self.stored(view, symbol)?.into_iter().map(|period| period.number).collect())
    }

    /// How many assertions a view stores of a symbol.
    pub fn events(&self, view: Series, symbol: &Symbol) -> u64 {
        let root = self.roots.0.get(&view);
        root.and_then(|root| root.symbols.get(symbol.as_str())).map_or(0, |(events, _)| *events)
    }

    /// A symbol's records as known at a position.
    pub fn records(
        &self,
        view: Series,
        symbol: &Symbol,
        at: Position,
        which: Which,
    ) -> Result<Vec<Record>> {
        let activity = Activity::at(self.ledger.batches(), view, at);
        Ok(fold(view, &self.history(view, symbol)?, &activity, which))
    }
}

impl std::fmt::Debug for ViewReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ViewReader({:?})", self.ledger)
    }
}
