//! Reading views at any position.

use super::stored::{Root, read_chunk, read_root, read_years};
use crate::app::error::Result;
use crate::app::history::period_of;
use crate::domain::{Day, Digest, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, History, Record, Which, fold};
use std::collections::BTreeMap;
use std::sync::Arc;

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
        let root = self.roots.0.get(&view);
        let entry = root.and_then(|root| Some((root.place, root.symbols.get(symbol.as_str())?)));
        let Some((place, (_, digest))) = entry else {
            return Ok(History::default());
        };
        let mut whole: Option<History> = None;
        let years = read_years(self.ledger, place, symbol, digest)?;
        let mut numbers: Vec<(i32, Digest)> =
            years.iter().filter_map(|(year, (_, d))| Some((year.parse().ok()?, *d))).collect();
        let periods = period_of(view, from)..=period_of(view, to);
        numbers.retain(|(period, _)| periods.contains(period));
        numbers.sort_by_key(|(year, _)| *year);
        for (year, digest) in numbers {
            let part = read_chunk(self.ledger, place, symbol, year, &digest)?;
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

    /// The periods of which a view stores something about a symbol, ascending: years, or in dense
    /// views days since 1970.
    pub fn periods(&self, view: Series, symbol: &Symbol) -> Result<Vec<i32>> {
        let root = self.roots.0.get(&view);
        let entry = root.and_then(|root| Some((root.place, root.symbols.get(symbol.as_str())?)));
        let Some((place, (_, digest))) = entry else { return Ok(Vec::new()) };
        let years = read_years(self.ledger, place, symbol, digest)?;
        let mut periods: Vec<i32> = years.keys().filter_map(|name| name.parse().ok()).collect();
        periods.sort_unstable();
        Ok(periods)
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
        self.0.text(view.name());
        self.0.text(symbol.as_str());
        self.0.text(&records.len().to_string());
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
