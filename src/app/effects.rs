//! What a decision does to the views, counted in records: days come, change and go.
//!
//! Only what the moved batches speak of is looked at; the rest of a view stays as it is.

use super::Run;
use super::error::Result;
use super::groups::Groups;
use super::history::parts;
use super::report::{Review, ViewEffect};
use super::views::{Counter, Period, ViewReader};
use crate::domain::{BatchId, BatchState, Class, Day, Decision, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Sides, sides};
use std::collections::BTreeMap;

/// A view and what a decision changes in it.
struct Side<'a> {
    view: Series,
    before: Activity,
    after: Activity,
    counter: Counter,
    /// Whether every moved batch comes (or else every one goes); `None` for some of each.
    comes: Option<bool>,
    reader: &'a ViewReader<'a>,
    effect: ViewEffect,
}

/// The difference that a decision makes, per view.
///
/// # Errors
/// A block or a stored period that is not as it was written.
pub fn of(
    ledger: &Ledger,
    decision: &Decision,
    plan: bool,
    run: &Run<'_>,
) -> Result<Vec<ViewEffect>> {
    let touches = |state| state == BatchState::Active;
    // A batch that was never committed is in no view yet; its plan is its review.
    let committed = |id| ledger.batches().get(id).is_some_and(|b| b.committed_at.is_some());
    let moved = decision.changes.iter().filter(|c| touches(c.from) != touches(c.to));
    let moved: Vec<_> = moved.filter(|change| committed(change.batch)).collect();
    let ids: Vec<BatchId> = moved.iter().map(|change| change.batch).collect();
    let comes = moved.first().map(|change| touches(change.to));
    let comes = comes.filter(|first| moved.iter().all(|change| touches(change.to) == *first));
    let reader = ViewReader::new(ledger)?;
    let spoken = |view: Series| {
        let mut batches = ids.iter().filter_map(|id| ledger.batches().get(*id));
        batches.any(|batch| batch.stage.views.iter().any(|part| part.series == view))
    };
    let mut found: BTreeMap<Series, Side<'_>> = BTreeMap::new();
    for view in Series::ALL.into_iter().filter(|view| spoken(*view)) {
        let now = Activity::at(ledger.batches(), view, ledger.position());
        let mut other = now.clone();
        for change in &moved {
            // In a plan the other side lies ahead, after a decision it lies behind.
            let active_there = touches(if plan { change.to } else { change.from });
            let batch = ledger.batches().get(change.batch);
            let committed = batch.and_then(|batch| batch.committed_at);
            let class = batch.map_or(Class::Vendor, |batch| batch.class(view));
            other = match committed {
                Some(at) if active_there => other.with(change.batch, class, at),
                _ => other.without(change.batch),
            };
        }
        let (before, after) = if plan { (now, other) } else { (other, now) };
        let counter = Counter::new(&reader, view, after.clone(), &ids)?;
        let effect = ViewEffect { series: view.name(), ..ViewEffect::default() };
        found.insert(view, Side { view, before, after, counter, comes, reader: &reader, effect });
    }
    let mut groups = Groups::of(ledger, &ids)?.only(found.keys().copied());
    run.progress.begin("comparing", Some(groups.symbol_count() as u64), "symbols");
    let mut done = 0;
    while let Some(range) = groups.next_range() {
        if let Some(plain) = groups.keys(ledger, &range)? {
            for (symbol, views) in plain {
                for (view, keys) in views {
                    if let Some(side) = found.get_mut(&view) {
                        side.count(&symbol, &keys.days, true)?;
                    }
                }
                done += 1;
                run.progress.at(done);
            }
            continue;
        }
        for (symbol, events) in groups.events(ledger, &range)? {
            for (view, own) in events.views {
                let days: Vec<Day> = own.rows.heads().iter().map(|head| head.day).collect();
                if let Some(side) = found.get_mut(&view) {
                    side.count(&symbol, &days, false)?;
                }
            }
            done += 1;
            run.progress.at(done);
        }
    }
    run.progress.end();
    Ok(found.into_values().map(|side| side.effect).collect())
}

impl Side<'_> {
    /// Takes in a symbol that the moved batches speak of on `days` (ascending); `plain`: each of
    /// their events puts a value of a key of its own.
    fn count(&mut self, symbol: &Symbol, days: &[Day], plain: bool) -> Result<()> {
        let own = parts(self.view, days.iter().copied()).into_iter();
        let own: BTreeMap<i32, u64> = own.map(|(of, range)| (of, range.len() as u64)).collect();
        let (touched, untouched): (Vec<Period>, Vec<Period>) = self
            .reader
            .stored(self.view, symbol)?
            .into_iter()
            .partition(|period| own.contains_key(&period.number));
        let mut counts = ViewEffect::default();
        counts.days += self.counter.shown(self.reader, symbol, &untouched)?;
        let mut read = Vec::new();
        for period in touched {
            let own = own.get(&period.number).copied().unwrap_or_default();
            match self.comes {
                // Every event of the period is one of theirs: no value need be looked at.
                Some(comes) if plain && period.keys == Some(own) && period.events == own => {
                    match comes {
                        true => {
                            (counts.added, counts.days) = (counts.added + own, counts.days + own)
                        }
                        false => counts.removed += own,
                    }
                }
                _ => read.push(period),
            }
        }
        let history = self.reader.read(self.view, symbol, &read)?;
        sides(self.view, &history, &self.before, &self.after, &mut |key| {
            one(key, &mut counts);
        });
        counts.symbols = u64::from(counts.added + counts.changed + counts.removed > 0);
        // Of a symbol in which nothing moves no day is told.
        if counts.symbols > 0 {
            self.effect.add(&counts);
        }
        Ok(())
    }
}

/// Counts one key.
fn one(key: &Sides<'_, '_>, counts: &mut ViewEffect) {
    // By records and not by their cells: a record without any is a day too.
    let is = key.shows_after();
    counts.days += u64::from(is);
    if !key.moved {
        return;
    }
    match (key.shows_before(), is) {
        (false, true) => counts.added += 1,
        (true, false) => counts.removed += 1,
        (false, false) => {}
        (true, true) => counts.changed += u64::from(key.differs()),
    }
}

/// What a decision that confirms a staged batch does, as the review of that one said: the same views in
/// the same order as of a decision that is made.
pub fn reviewed(ledger: &Ledger, decision: &Decision, review: &Review) -> Vec<ViewEffect> {
    let empty = |view: Series| ViewEffect { series: view.name(), ..ViewEffect::default() };
    let moved = decision.changes.iter().filter_map(|change| ledger.batches().get(change.batch));
    let spoken = moved.flat_map(|batch| batch.stage.views.iter().map(|part| part.series));
    let mut found: BTreeMap<Series, ViewEffect> = spoken.map(|view| (view, empty(view))).collect();
    for line in &review.series {
        let Ok(view) = line.series.parse::<Series>() else { continue };
        let effect = found.entry(view).or_insert_with(|| empty(view));
        if line.new + line.removed + line.touched == 0 {
            continue;
        }
        effect.added += line.new;
        effect.removed += line.removed;
        effect.changed += line.touched;
        effect.days += line.new + line.changed + line.drifted + line.same + line.only_here;
        effect.symbols += 1;
    }
    found.into_values().collect()
}
