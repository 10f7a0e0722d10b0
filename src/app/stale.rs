//! What became of the keys of a batch since it was staged, where it is confirmed without the token of a
//! review.

use super::error::{AppError, Result};
use super::groups::Groups;
use super::review::{self, Analysis};
use super::views::ViewReader;
use super::{Run, history};
use crate::domain::batch::Refusal;
use crate::domain::{BatchId, BatchState, Day, EntryKind, Erasure, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::diff::{self, Change};
use crate::projections::view::sides;
use std::collections::{BTreeMap, BTreeSet};

/// Cells that an error names.
const NAMED: usize = 5;

/// Cells, of which some are named.
#[derive(Default)]
struct Cells {
    named: Vec<String>,
    count: u64,
}

impl Cells {
    fn add(&mut self, cell: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(cell());
        }
    }

    fn erased(&mut self, symbol: &Symbol, day: Day, (series, by): (Series, Position)) {
        self.add(|| format!("{series} {symbol} {day} (erased by {by})"));
    }
}

/// Refuses a batch that would do something else now, which `now` tells, than when it was staged.
///
/// # Errors
/// [`AppError::Stale`].
pub(super) fn refuse(ledger: &Ledger, id: BatchId, now: &Analysis, run: &Run<'_>) -> Result<()> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let base = batch.staged_at;
    let stale = |cells: Cells| {
        let Cells { named: cells, count } = cells;
        Err(AppError::Stale { batch: id, base, cells, count })
    };
    // What was shown then cannot be had again, so there is nothing to compare.
    let gone = erased_since(ledger, id, base)?;
    if gone.count > 0 {
        return stale(gone);
    }
    if !decided_since(ledger, base) {
        return Ok(());
    }
    let (_, then) = review::analyse_sealed(ledger, id, Some(base), false, run)?;
    if then.digest == now.digest {
        return Ok(());
    }
    let found = changed(ledger, id, base, false)?;
    match found.count {
        // What was taken back meanwhile, or no longer is, shows by what the batch would show.
        0 => stale(changed(ledger, id, base, true)?),
        _ => stale(found),
    }
}

fn decided_since(ledger: &Ledger, at: Position) -> bool {
    let later = ledger.entries().iter().skip(at.0 as usize);
    later.into_iter().any(|entry| matches!(entry.kind, EntryKind::Decision(_)))
}

/// What was erased since of the batch itself, of the one that it would replace, and of what counted
/// then on its days.
fn erased_since(ledger: &Ledger, id: BatchId, base: Position) -> Result<Cells> {
    let table = ledger.batches();
    let batch = table.get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let speaks = |view| batch.stage.views.iter().any(|part| part.series == view);
    let mut near: BTreeMap<Symbol, BTreeMap<Day, (Series, Position)>> = BTreeMap::new();
    let mut found = Cells::default();
    let since = |erased: &[Erasure]| erased.iter().any(|erasure| erasure.at > base);
    for (other, known) in table.iter().filter(|(_, known)| since(&known.erased)) {
        let counted = known.state_at(base) == Some(BatchState::Active);
        let whole = other == id || (counted && Some(other) == batch.stage.supersedes);
        let meets = counted && known.stage.views.iter().any(|part| speaks(part.series));
        if !(whole || meets) {
            continue;
        }
        for one in ledger.erased_of(other)?.into_iter().filter(|one| one.entry > base) {
            // A rejected row never showed.
            let Some(symbol) = one.symbol else { continue };
            let by = (one.series, one.entry);
            match whole {
                true => found.erased(&symbol, one.day, by),
                false => drop(near.entry(symbol).or_default().insert(one.day, by)),
            }
        }
    }
    if near.is_empty() {
        return Ok(found);
    }
    let mut groups = Groups::of(ledger, &[id])?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, events) in group {
            let Some(days) = near.get(&symbol) else { continue };
            let heads = events.views.values().flat_map(|own| own.rows.heads());
            let own: BTreeSet<Day> = heads.map(|head| head.day).collect();
            for (day, by) in days.iter().filter(|(day, _)| own.contains(day)) {
                found.erased(&symbol, *day, *by);
            }
        }
    }
    Ok(found)
}

/// The cells that are others than at `base` on the days of the batch: as the views show them, or as they
/// would `with` it.
fn changed(ledger: &Ledger, id: BatchId, base: Position, with: bool) -> Result<Cells> {
    let reader = ViewReader::new(ledger)?;
    let table = ledger.batches();
    let batch = table.get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let mut found = Cells::default();
    let mut groups = Groups::of(ledger, &[id])?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, events) in group {
            for (view, own) in events.views {
                let days: BTreeSet<_> = own.rows.heads().iter().map(|head| head.day).collect();
                let [then, now] = [base, ledger.position()].map(|at| {
                    let shown = reader.activity(view, at);
                    match (with, batch.stage.supersedes) {
                        (false, _) => shown,
                        (true, None) => shown.with(id, batch.class(view), Position(at.0 + 1)),
                        (true, Some(old)) => {
                            shown.with(id, batch.class(view), Position(at.0 + 1)).without(old)
                        }
                    }
                });
                let mut whole = reader.history(view, &symbol)?;
                if with {
                    whole = history::merged(whole, &own);
                }
                let mut heard = |change: Change| {
                    let field = change.field.name();
                    found.add(|| format!("{view} {symbol} {} {field}", change.day));
                };
                sides(view, &whole, &then, &now, &mut |key| {
                    if key.moved && days.contains(&key.key().0) {
                        let (before, after) = (key.before(), key.after());
                        let (before, after) = (before.as_ref(), after.as_ref());
                        diff::compare_day(view, &symbol, before, after, None, &mut heard);
                    }
                });
            }
        }
    }
    Ok(found)
}
