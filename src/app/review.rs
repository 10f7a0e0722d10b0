//! Reviewing: what a batch would change, symbol by symbol, compared with the views.

mod blocking;
pub mod document;
mod keys;
mod largest;
mod room;
mod sealed;
mod told;

pub use blocking::blocking;
pub use sealed::{analyse_sealed, review, review_at, reviewed};
pub use told::token;

use super::error::Result;
use super::groups::{Groups, SymbolEvents, SymbolKeys};
use super::history::periods_of;
use super::views::{Counter, Period, Pointing, ViewReader};
use super::{Run, parallel, threads};
use crate::domain::{BatchId, Class, Day, Digest, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::ledger::hash::Hasher;
use crate::projections::diff::{self, Change, ChangeKind, SymbolDiff};
use crate::projections::view::{Activity, History, sides};
use keys::{batch_keys, unchanged};
use largest::{size_of, trim};
use rust_decimal::Decimal;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many changes a review shows unless it is asked for all.
pub const SHOWN_CHANGES: usize = 20;

/// What to analyse.
pub struct Wanted<'a> {
    /// The batch.
    pub batch: BatchId,
    /// The class of its values in a view.
    pub class: &'a dyn Fn(Series) -> Class,
    /// The position to compare with.
    pub base: Position,
    /// A batch that would leave.
    pub replaces: Option<BatchId>,
    /// Whether every change is wanted.
    pub full: bool,
}

/// What a batch would change.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Per view and symbol.
    pub diffs: Vec<SymbolDiff>,
    /// The largest changes, or all.
    pub changes: Vec<Change>,
    /// How many changes there are.
    pub total: u64,
    /// Distinct keys.
    pub effective: u64,
    /// Rows that repeat a key with equal values.
    pub identical: u64,
    /// Rows that repeat a key with other values.
    pub conflicting: u64,
    /// Symbols.
    pub symbols: u32,
    /// Events per view.
    pub view_events: BTreeMap<Series, u64>,
    /// Digest over what would change: with the content id it makes the confirm token.
    pub digest: Digest,
    /// The largest change of a value that is shown: in volatility points, or in percent of a
    /// price.
    pub largest: Option<Decimal>,
    /// What the views may say of the batch without looking at it again.
    pub pointing: Pointing,
}

/// Compares the batch (its blocks are in `events`) with the views of `ledger`.
pub fn analyse(
    ledger: &Ledger,
    events: &Ledger,
    wanted: &Wanted<'_>,
    run: &Run<'_>,
) -> Result<Analysis> {
    let mut work = Work::of(ledger, wanted)?;
    // The first symbol alone gives the examples that are shown of what is new.
    let mut groups = Groups::of(events, &[wanted.batch])?.first_alone();
    // Cells that only the replaced batch has would go, so its symbols are looked at too, and of
    // the symbols of both the views that only it speaks of.
    let replaced = wanted.replaces.map(|old| Groups::of(ledger, &[old])).transpose()?;
    run.progress.begin("comparing with the views", Some(groups.symbol_count() as u64), "symbols");
    let (mut seen, mut pointing) = (BTreeSet::new(), Pointing::default());
    loop {
        run.go_on()?;
        let counts = replaced.is_none() && work.only_counts();
        let most = if counts { threads() } else { 1 };
        let ranges: Vec<_> = (0..most).map_while(|_| groups.next_range()).collect();
        if ranges.is_empty() {
            break;
        }
        // Of symbols that nothing is known of, everything is new: no value need be looked at.
        let reader = &work.reader;
        let keys =
            parallel::map(&ranges, most, |range| match counts && !reader.knows_any(range)? {
                true => {
                    Ok(groups.keys(events, range)?.filter(|found| room::surely(found.values())))
                }
                false => Ok(None),
            })?;
        for (range, keys) in ranges.iter().zip(keys) {
            if let Some(found) = keys {
                for (symbol, keys) in found {
                    pointing.keys(&symbol, &keys);
                    work.count(&symbol, keys)?;
                    work.found.symbols += 1;
                    run.progress.at(u64::from(work.found.symbols));
                }
                continue;
            }
            for (symbol, events) in groups.events(events, range)? {
                if replaced.is_some() {
                    seen.extend(events.views.keys().map(|view| (symbol.clone(), *view)));
                }
                pointing.events(&symbol, &events);
                work.symbol(&symbol, events)?;
                work.found.symbols += 1;
                run.progress.at(u64::from(work.found.symbols));
            }
        }
    }
    if let Some(replaced) = replaced {
        work.replaced_alone(ledger, replaced, &seen)?;
    }
    run.progress.end();
    let mut found = work.found;
    found.digest = work.hasher.finish();
    found.pointing = pointing;
    match wanted.full {
        true => largest::sort(&mut found.changes),
        false => trim(&mut found.changes),
    }
    // The series that the import was about comes first for each symbol.
    found.diffs.sort_by(|a, b| (&a.symbol, a.series).cmp(&(&b.symbol, b.series)));
    Ok(found)
}

struct Work<'a> {
    reader: ViewReader<'a>,
    wanted: &'a Wanted<'a>,
    stored: bool,
    before: BTreeMap<Series, Activity>,
    after: BTreeMap<Series, Activity>,
    counters: BTreeMap<Series, Counter>,
    hasher: Hasher,
    found: Analysis,
    new_kept: usize,
}

impl<'a> Work<'a> {
    fn of(ledger: &'a Ledger, wanted: &'a Wanted<'a>) -> Result<Self> {
        let committed = ledger.batches().get(wanted.batch).and_then(|batch| batch.committed_at);
        let rank = committed.unwrap_or(Position(wanted.base.0 + 1));
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        for view in Series::ALL {
            let without = Activity::at(ledger.batches(), view, wanted.base).without(wanted.batch);
            let mut with = without.clone().with(wanted.batch, (wanted.class)(view), rank);
            if let Some(old) = wanted.replaces {
                with = with.without(old);
            }
            before.insert(view, without);
            after.insert(view, with);
        }
        Ok(Self {
            reader: ViewReader::new(ledger)?,
            wanted,
            // A batch that was committed is in the views already.
            stored: committed.is_some(),
            before,
            after,
            counters: BTreeMap::new(),
            hasher: Hasher::default(),
            found: Analysis::default(),
            new_kept: 0,
        })
    }

    /// Compares what only the replaced batch speaks of: `seen` is what the batch speaks of.
    fn replaced_alone(
        &mut self,
        ledger: &Ledger,
        mut replaced: Groups,
        seen: &BTreeSet<(Symbol, Series)>,
    ) -> Result<()> {
        while let Some(group) = replaced.next(ledger)? {
            for (symbol, events) in group {
                let views = events.views.into_keys();
                let views = views.filter(|view| !seen.contains(&(symbol.clone(), *view)));
                let views = views.map(|view| (view, History::default())).collect();
                self.symbol(&symbol, SymbolEvents { views, ..SymbolEvents::default() })?;
            }
        }
        Ok(())
    }

    fn symbol(&mut self, symbol: &Symbol, events: SymbolEvents) -> Result<()> {
        let own_days: HashMap<Series, Vec<Day>> = [Series::Hv, Series::Spot]
            .into_iter()
            .filter_map(|view| Some((view, batch_keys(events.views.get(&view)?).days())))
            .collect();
        for (view, batch) in events.views {
            self.view(view, symbol, batch, &own_days)?;
        }
        Ok(())
    }

    fn view(
        &mut self,
        view: Series,
        symbol: &Symbol,
        batch: History,
        own_days: &HashMap<Series, Vec<Day>>,
    ) -> Result<()> {
        let keys = batch_keys(&batch);
        let days = keys.days();
        if !batch.batches.is_empty() {
            *self.found.view_events.entry(view).or_default() += batch.batches.len() as u64;
        }
        let home = batch.rows.heads().iter().any(|head| head.series == view);
        let (identical, conflicting) =
            if home { (keys.identical, keys.conflicting) } else { (0, 0) };
        self.found.identical += identical;
        self.found.conflicting += conflicting;
        if home {
            self.found.effective += keys.keys.len() as u64;
        }
        let mut result = unchanged(view, symbol, &days);
        (result.identical, result.conflicting) = (identical, conflicting);
        let mut periods = self.reader.stored(view, symbol)?;
        if let Some((first, last)) = days.first().zip(days.last()).filter(|_| view.is_dense()) {
            // A dense view is compared on the days of the batch only: the others stay as they are.
            periods.retain(|period| (first.0..=last.0).contains(&period.number));
        }
        if self.wanted.replaces.is_none() {
            // What the batch says nothing about stays as it is, and is only counted.
            let own = periods_of(view, batch.rows.heads().iter().map(|head| head.day));
            let untouched: Vec<Period> =
                periods.extract_if(.., |period| !own.contains(&period.number)).collect();
            result.only_here = self.counted(view, symbol, &untouched)?;
        }
        let stored = self.reader.read(view, symbol, &periods)?;
        let fresh = stored.rows.is_empty() && keys.identical + keys.conflicting == 0;
        let mut affected: Vec<Day> = Vec::new();
        if fresh && self.only_counts() {
            room::check(view, symbol, &batch, room::SURE)?;
            // Everything is new and enough examples are kept: only count.
            result.new = keys.keys.len() as u64;
            let cells: usize = batch.rows.iter().map(|row| row.values.len()).sum();
            self.found.total += cells as u64;
            affected.extend(&days);
        } else {
            let whole = match self.stored {
                true => stored,
                false => room::merged(view, symbol, stored, &batch)?,
            };
            self.compare(view, symbol, &whole, &keys.keys, &mut result, &mut affected);
        }
        self.close(result, &affected, own_days)
    }

    /// How many records the view shows of a symbol in periods of which the batch says nothing.
    fn counted(&mut self, view: Series, symbol: &Symbol, periods: &[Period]) -> Result<u64> {
        let counter = match self.counters.entry(view) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let before = self.before.get(&view).cloned().unwrap_or_default();
                entry.insert(Counter::new(&self.reader, view, before, &[self.wanted.batch])?)
            }
        };
        counter.shown(&self.reader, symbol, periods)
    }

    /// Whether enough examples of what is new are kept, so that further ones are only counted.
    fn only_counts(&self) -> bool {
        !self.wanted.full && self.new_kept >= SHOWN_CHANGES
    }

    /// Takes in a symbol that the views know nothing of, by the keys of its events.
    fn count(&mut self, symbol: &Symbol, keys: SymbolKeys) -> Result<()> {
        let own_days: HashMap<Series, Vec<Day>> = [Series::Hv, Series::Spot]
            .into_iter()
            .filter_map(|view| Some((view, keys.get(&view)?.days.clone())))
            .collect();
        for (view, keys) in keys {
            let events = keys.days.len() as u64;
            *self.found.view_events.entry(view).or_default() += events;
            self.found.effective += if keys.home { events } else { 0 };
            self.found.total += keys.cells;
            let result = SymbolDiff { new: events, ..unchanged(view, symbol, &keys.days) };
            self.close(result, &keys.days, &own_days)?;
        }
        Ok(())
    }

    /// Completes what was found of a symbol in a view.
    fn close(
        &mut self,
        mut result: SymbolDiff,
        affected: &[Day],
        own_days: &HashMap<Series, Vec<Day>>,
    ) -> Result<()> {
        let (view, symbol) = (result.series, result.symbol.clone());
        self.support(view, &symbol, affected, own_days, &mut result)?;
        for text in [view.name(), symbol.as_str()] {
            self.hasher.text(text);
        }
        for count in [result.new, result.changed, result.drifted, result.same, result.removed] {
            self.hasher.update(&count.to_le_bytes());
        }
        self.found.diffs.push(result);
        Ok(())
    }

    fn compare(
        &mut self,
        view: Series,
        symbol: &Symbol,
        history: &History,
        keys: &[(Day, &str)],
        result: &mut SymbolDiff,
        affected: &mut Vec<Day>,
    ) {
        let none = Activity::default();
        let before = self.before.get(&view).unwrap_or(&none);
        let after = self.after.get(&view).unwrap_or(&none);
        let (found, hasher, kept) = (&mut self.found, &mut self.hasher, &mut self.new_kept);
        let (full, batch) = (self.wanted.full, self.wanted.batch);
        let mut keep = |change: Change| {
            found.total += 1;
            if change.kind == ChangeKind::New {
                if !full && *kept >= SHOWN_CHANGES {
                    return;
                }
                *kept += 1;
            } else {
                found.largest = found.largest.max(size_of(&change));
            }
            found.changes.push(change);
            if !full && found.changes.len() > 4_000 {
                trim(&mut found.changes);
            }
        };
        sides(view, history, before, after, &mut |key| {
            if !key.moved {
                result.only_here += u64::from(key.shows_before());
                return;
            }
            let (a, b) = (key.before(), key.after());
            if a == b && keys.binary_search(&key.key()).is_err() {
                result.only_here += u64::from(a.is_some());
                return;
            }
            // What is new, and as the batch alone has it, follows from the content id: counting it
            // suffices, once it is told which keys are not.
            let told = a.is_some() || !key.follows_from(batch);
            if told {
                told::key(hasher, key.key());
            }
            if a.is_none() && b.is_none() {
                if told {
                    told::shown(hasher, None);
                }
                return;
            }
            let mut real = false;
            let mut heard = |change: Change| {
                real |= change.is_real();
                if told {
                    told::cell(hasher, &change);
                }
                keep(change);
            };
            let (a, b) = (a.as_ref(), b.as_ref());
            let did = diff::compare_day(view, symbol, a, b, result.threshold_points, &mut heard);
            if told {
                told::shown(hasher, Some(did.kind));
            }
            result.touched += u64::from(real && a.is_some() && b.is_some());
            match did.kind {
                ChangeKind::New => result.new += 1,
                ChangeKind::Removed => result.removed += 1,
                ChangeKind::Changed | ChangeKind::Added => result.changed += 1,
                ChangeKind::Drifted => result.drifted += 1,
                ChangeKind::Same => result.same += 1,
            }
            result.extended += u64::from(did.extended);
            if matches!(did.kind, ChangeKind::New | ChangeKind::Changed) {
                affected.push(key.key().0);
            }
        });
    }

    /// Counts new and changed days that the other views say nothing about.
    fn support(
        &self,
        view: Series,
        symbol: &Symbol,
        affected: &[Day],
        own_days: &HashMap<Series, Vec<Day>>,
        result: &mut SymbolDiff,
    ) -> Result<()> {
        let missing = |support: Series| -> Result<u64> {
            let own = own_days.get(&support).map(Vec::as_slice).unwrap_or_default();
            if own == affected {
                return Ok(0);
            }
            let wanted = || affected.iter().filter(|day| own.binary_search(day).is_err());
            let mut periods = match wanted().next() {
                None => Vec::new(),
                Some(_) => self.reader.stored(support, symbol)?,
            };
            if !periods.is_empty() {
                let wanted = periods_of(support, wanted().copied());
                periods.retain(|period| wanted.contains(&period.number));
            }
            let history = self.reader.read(support, symbol, &periods)?;
            let none = Activity::default();
            let activity = self.before.get(&support).unwrap_or(&none);
            let mut shown = Vec::new();
            sides(support, &history, activity, activity, &mut |key| {
                shown.extend(key.shows_before().then_some(key.key().0));
            });
            let supported =
                |day: &Day| own.binary_search(day).is_ok() || shown.binary_search(day).is_ok();
            Ok(affected.iter().filter(|day| !supported(day)).count() as u64)
        };
        if view == Series::Iv {
            result.missing_hv = missing(Series::Hv)?;
        }
        if matches!(view, Series::Iv | Series::Hv) {
            result.missing_spot = missing(Series::Spot)?;
        }
        Ok(())
    }
}
