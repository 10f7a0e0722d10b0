//! Computed values that no longer follow from the data: an input was rolled back, corrected or put
//! back since.
//!
//! Nothing is marked when a decision is made. The log says which batches of inputs began or ceased
//! to count after a computation, and only their symbols are computed again, in memory.

use super::{Derivation, ViewReader, own, shown};
use crate::app::error::Result;
use crate::domain::{BatchState, Day, Position, Series, Symbol, batch::Batch};
use crate::ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// Values of a view that are shown and would be other ones if they were computed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// What computes them.
    pub what: Derivation,
    /// Whose values.
    pub symbols: Vec<Symbol>,
}

/// What was computed of a kind.
#[derive(Default)]
struct Earlier {
    /// Per symbol the position that its newest computation looked at.
    seen: BTreeMap<Symbol, Position>,
    /// The newest day of all.
    newest: Option<Day>,
}

/// The computed values that are out of date. Days that nobody has computed yet are not among them.
///
/// # Errors
/// A view or a batch that cannot be read.
pub fn outdated(ledger: &Ledger) -> Result<Vec<Outdated>> {
    let mut found = Vec::new();
    for what in [Derivation::Hv, Derivation::Iv] {
        let earlier = earlier(ledger, what)?;
        let Some(newest) = earlier.newest else { continue };
        let doubtful = doubtful(ledger, what, &earlier.seen, newest)?;
        if doubtful.is_empty() {
            continue;
        }
        let (reader, own) = (ViewReader::new(ledger)?, own(ledger, what));
        let mut symbols = Vec::new();
        for symbol in doubtful {
            let now = what.compute(ledger, &reader, &symbol)?.days;
            let holds = |(day, values): (&Day, &super::Values)| {
                now.get(day).is_some_and(|now| values.iter().all(|value| now.contains(value)))
            };
            if !shown(&reader, &own, what, &symbol)?.iter().all(holds) {
                symbols.push(symbol);
            }
        }
        if !symbols.is_empty() {
            found.push(Outdated { what, symbols });
        }
    }
    Ok(found)
}

fn earlier(ledger: &Ledger, what: Derivation) -> Result<Earlier> {
    let (mapping, ..) = what.mapping();
    let mut earlier = Earlier::default();
    for (id, batch) in ledger.batches().iter() {
        if batch.stage.mapping.id != mapping || batch.state() != BatchState::Active {
            continue;
        }
        // It was computed from what counted before its own stage entry.
        let seen = Position(batch.staged_at.0.saturating_sub(1));
        let mut blocks = ledger.read(id);
        while let Some((_, header)) = blocks.next_header()? {
            earlier.newest = earlier.newest.max(Some(header.days.1));
            for (symbol, _) in header.symbols {
                let known = earlier.seen.entry(symbol).or_insert(seen);
                *known = (*known).max(seen);
            }
        }
    }
    Ok(earlier)
}

/// The symbols of which an input changed since, on days of which something was computed.
fn doubtful(
    ledger: &Ledger,
    what: Derivation,
    seen: &BTreeMap<Symbol, Position>,
    newest: Day,
) -> Result<BTreeSet<Symbol>> {
    let inputs = [what.input(), Series::Spot, Series::Splits];
    let positions: BTreeSet<Position> = seen.values().copied().collect();
    let counted = |batch: &Batch, at: Position| batch.state_at(at) == Some(BatchState::Active);
    let mut doubtful = BTreeSet::new();
    for (id, batch) in ledger.batches().iter() {
        let counts = batch.state() == BatchState::Active;
        let moved = positions.iter().any(|at| counted(batch, *at) != counts);
        if !moved || !batch.stage.views.iter().any(|part| inputs.contains(&part.series)) {
            continue;
        }
        let mut blocks = ledger.read(id);
        while let Some((_, header)) = blocks.next_header()? {
            if header.days.0 > newest {
                continue;
            }
            let moved =
                |symbol: &Symbol| seen.get(symbol).is_some_and(|at| counted(batch, *at) != counts);
            let symbols = header.symbols.into_iter().map(|(symbol, _)| symbol);
            doubtful.extend(symbols.filter(moved));
        }
    }
    Ok(doubtful)
}
