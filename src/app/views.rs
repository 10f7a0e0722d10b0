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
const MARK: u8 = b'm';

fn root_key(view: Series) -> Vec<u8> {
    vec![ROOT, view.code()]
}

fn symbol_key(view: Series, symbol: &Symbol) -> Vec<u8> {
    [&[SYMBOL, view.code()], symbol.as_str().as_bytes()].concat()
}

fn chunk_key(view: Series, symbol: &Symbol, year: i32) -> Vec<u8> {
    let year = ((year as u32) ^ 0x8000_0000).to_be_bytes();
    [&[CHUNK, view.code()], symbol.as_str().as_bytes(), &[0], &year].concat()
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
#[derive(Clone, Debug, Default)]
struct Root {
    position: Position,
    symbols: Entries,
}

fn read_root(ledger: &Ledger, view: Series) -> Result<Root> {
    let Some(bytes) = get(ledger, &root_key(view))? else {
        return Ok(Root::default());
    };
    let wrong =
        || LedgerError::damaged(format!("the root of view {view} does not match its digest"));
    let (body, seal) = bytes.split_last_chunk::<32>().ok_or_else(wrong)?;
    if content(body) != Digest(*seal) {
        return Err(wrong().into());
    }
    let (position, entries) = decode_directory(body)?;
    Ok(Root { position, symbols: entries_of(entries) })
}

fn entries_of(entries: Vec<(String, u64, Digest)>) -> Entries {
    entries.into_iter().map(|(name, events, digest)| (name, (events, digest))).collect()
}

fn listed(entries: &Entries) -> Vec<(String, u64, Digest)> {
    entries.iter().map(|(name, (events, digest))| (name.clone(), *events, *digest)).collect()
}

fn write_root(ledger: &mut Ledger, view: Series, root: &Root) -> Result<()> {
    let mut bytes = encode_directory(root.position, listed(&root.symbols))?;
    bytes.extend_from_slice(&content(&bytes).0);
    put(ledger, &root_key(view), &bytes)
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
        apply(ledger, &views, &batches, progress)?;
        behind.retain(|view, _| !views.contains(view));
    }
    Ok(rebuilt)
}

/// Adds the events of committed batches to views.
fn apply(
    ledger: &mut Ledger,
    views: &[Series],
    batches: &[BatchId],
    progress: &dyn Progress,
) -> Result<()> {
    let mut roots = BTreeMap::new();
    for view in views {
        roots.insert(*view, read_root(ledger, *view)?);
        ledger.store_mut().put_view(&[MARK, view.code()], &[1])?;
    }
    let events = batches.iter().filter_map(|id| ledger.batches().get(*id));
    let (total, mut done) = (events.map(|batch| batch.stage.events).sum(), 0);
    progress.begin("updating views", Some(total), "rows");
    tracing::debug!(?views, ?batches, events = total, "adding events to views");
    let mut groups = Groups::of(ledger, batches)?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, events) in group {
            for (view, history) in events.views {
                let Some(root) = roots.get_mut(&view) else {
                    continue;
                };
                done += history.batches.len() as u64;
                add_symbol(ledger, view, root, &symbol, history)?;
            }
            progress.at(done);
        }
    }
    for (view, mut root) in roots {
        root.position = ledger.position();
        write_root(ledger, view, &root)?;
        ledger.store_mut().remove_view(&[MARK, view.code()])?;
    }
    ledger.store_mut().flush_views()?;
    progress.end();
    Ok(())
}

/// Adds a symbol's events to its chunks; adding them twice changes nothing.
fn add_symbol(
    ledger: &mut Ledger,
    view: Series,
    root: &mut Root,
    symbol: &Symbol,
    history: History,
) -> Result<()> {
    let mut years = match root.symbols.get(symbol.as_str()) {
        Some((_, digest)) => read_years(ledger, view, symbol, digest)?,
        None => Entries::new(),
    };
    for (year, range) in by_period(view, &history) {
        let name = year.to_string();
        let (bytes, events) = match years.get(&name) {
            Some((_, digest)) => {
                let stored = read_chunk(ledger, view, symbol, year, digest)?;
                let whole = merged(stored, &part(&history, range));
                (chunk_bytes(&whole, 0..whole.batches.len())?, whole.batches.len())
            }
            None => (chunk_bytes(&history, range.clone())?, range.len()),
        };
        put(ledger, &chunk_key(view, symbol, year), &bytes)?;
        years.insert(name, (events as u64, content(&bytes)));
    }
    let bytes = encode_directory(Position(0), listed(&years))?;
    put(ledger, &symbol_key(view, symbol), &bytes)?;
    let events = years.values().map(|(events, _)| events).sum();
    root.symbols.insert(symbol.to_string(), (events, content(&bytes)));
    Ok(())
}

fn chunk_bytes(history: &History, range: std::ops::Range<usize>) -> Result<Vec<u8>> {
    let order: Vec<u32> = (range.start as u32..range.end as u32).collect();
    let batches = history.batches.get(range).unwrap_or_default();
    Ok(encode_chunk(&history.rows, &order, batches)?)
}

fn read_years(ledger: &Ledger, view: Series, symbol: &Symbol, digest: &Digest) -> Result<Entries> {
    let what = format!("the directory of {view} {symbol}");
    let bytes = get_checked(ledger, &symbol_key(view, symbol), digest, &what)?;
    Ok(entries_of(decode_directory(&bytes)?.1))
}

fn read_chunk(
    ledger: &Ledger,
    view: Series,
    symbol: &Symbol,
    year: i32,
    digest: &Digest,
) -> Result<History> {
    let what = format!("{view} {symbol} {year}");
    let bytes = get_checked(ledger, &chunk_key(view, symbol, year), digest, &what)?;
    let (rows, batches) = decode_chunk(&bytes)?;
    Ok(History { rows, batches })
}

/// Builds a view anew from the first event.
pub fn rebuild(ledger: &mut Ledger, view: Series, progress: &dyn Progress) -> Result<()> {
    // The mark stays until `apply` is done, so a crash on the way leads here again.
    ledger.store_mut().put_view(&[MARK, view.code()], &[1])?;
    for kind in [ROOT, SYMBOL, CHUNK] {
        for key in ledger.store().view_keys(&[kind, view.code()])? {
            ledger.store_mut().remove_view(&key)?;
        }
    }
    let all = speaking_of(ledger, view, Position(0));
    apply(ledger, &[view], &all, progress)
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
                if let Err(error) = read_chunk(ledger, view, &symbol, year, digest) {
                    differences.push(error.to_string());
                }
            }
            if let Err(error) = read_years(ledger, view, &symbol, &digest) {
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
        let mut whole: Option<History> = None;
        for period in periods {
            let part = read_chunk(self.ledger, view, symbol, period.number, &period.digest)?;
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
        let entry = self.roots.0.get(&view).and_then(|root| root.symbols.get(symbol.as_str()));
        let Some((_, digest)) = entry else { return Ok(Vec::new()) };
        let years = read_years(self.ledger, view, symbol, digest)?;
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

/// The digest of what a view shows: of every symbol its name and records, in order. It depends on
/// nothing else, so equal digests mean equal views.
#[derive(Debug, Default)]
pub struct ViewDigest(crate::ledger::hash::Hasher);

impl ViewDigest {
    /// Takes in one symbol's records.
    pub fn add(&mut self, view: Series, symbol: &Symbol, records: &[Record]) {
        self.begin(view, symbol, records.len() as u64);
        self.go_on(records);
    }

    /// Begins a symbol with so many records, which come with [`Self::go_on`].
    pub fn begin(&mut self, view: Series, symbol: &Symbol, records: u64) {
        self.0.text(view.name());
        self.0.text(symbol.as_str());
        self.0.text(&records.to_string());
    }

    /// Takes in further records of the symbol.
    pub fn go_on(&mut self, records: &[Record]) {
        for record in records {
            self.0.text(&record.day.to_string());
            if !record.item.is_empty() {
                self.0.text(&record.item);
            }
            self.0.text(&record.cells.len().to_string());
            for cell in &record.cells {
                self.0.text(cell.field.name());
                self.0.text(&cell.value.to_string());
            }
        }
    }

    /// The digest of everything taken in.
    pub fn finish(&self) -> Digest {
        self.0.finish()
    }
}
