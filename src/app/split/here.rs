//! Parts that are here already: staged when a split was cut short, or by an earlier one.

use super::counts;
use crate::app::error::{AppError, Result};
use crate::app::parts::sources;
use crate::app::review::document::overlap;
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Class, Series, Stage, Symbol};
use crate::ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// The class of a batch's values in a view.
fn class(stage: &Stage, view: Series) -> Class {
    let part = stage.views.iter().find(|part| part.series == view);
    part.map_or(Class::Vendor, |part| part.class)
}

/// Refuses to split a batch where one of its parts is here already, staged with another overlap. The
/// split would take that batch for the part, and confirming it would do what the whole was staged not
/// to do. `all` has the events of each symbol.
///
/// # Errors
/// [`AppError::Usage`].
pub(super) fn refuse_other_overlap(
    ledger: &Ledger,
    stage: &Stage,
    all: &BTreeMap<Symbol, u64>,
    chosen: &BTreeSet<Symbol>,
) -> Result<()> {
    for takes in [true, false] {
        let mine = all.iter().filter(|(symbol, _)| chosen.contains(*symbol) == takes);
        let rejected = if takes { 0 } else { stage.rows.rejected };
        let Some((id, batch)) = here(ledger, stage, &mine.collect(), rejected)? else { continue };
        let other = &batch.stage;
        if other.views.iter().all(|part| part.class == class(stage, part.series)) {
            continue;
        }
        let away = if batch.state() == BatchState::Active { "rollback" } else { "discard" };
        let whole = stage.batch;
        let text = format!(
            "{id} has some of these rows already, with `--overlap {}`, and {whole} was staged with \
             `--overlap {}`: take it away first, with `volledger batch {away} {id}`",
            overlap(other),
            overlap(stage)
        );
        return Err(AppError::Usage(text));
    }
    Ok(())
}

/// The batch that would be taken for a part: an active one with the same content, else a staged one.
fn here<'l>(
    ledger: &'l Ledger,
    stage: &Stage,
    mine: &BTreeMap<&Symbol, &u64>,
    rejected: u64,
) -> Result<Option<(BatchId, &'l Batch)>> {
    let events = mine.values().copied().sum::<u64>() + rejected;
    let kind = |of: &Stage| (of.series, of.mapping.id == stage.mapping.id, of.mapping.version);
    let wanted = sources(ledger, stage)?;
    let mut waiting = None;
    for (id, batch) in ledger.batches().iter() {
        let (other, state) = (&batch.stage, batch.state());
        let alike = id != stage.batch
            && matches!(state, BatchState::Active | BatchState::Staged)
            && (kind(other), other.events, other.rows.rejected) == (kind(stage), events, rejected);
        if !alike || sources(ledger, other)? != wanted {
            continue;
        }
        if !counts(ledger, id)?.keys().eq(mine.keys().copied()) {
            continue;
        }
        if state == BatchState::Active {
            return Ok(Some((id, batch)));
        }
        waiting = waiting.or(Some((id, batch)));
    }
    Ok(waiting)
}
