//! Whether what is to be staged is here already, and whether it may come again.
//!
//! A batch that counts or waits is found by its content id. A batch that was taken out must stay out
//! however the ledger has changed since. So it is found by what was asked for: the same sources, read
//! by the same mapping. What a reading retracts depends on the views at that time, and which days it
//! rejects as future depends on the date; neither is compared.

use super::draft::Draft;
use super::error::{AppError, Result};
use super::{clock, erased};
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Digest, Series};
use crate::ledger::Ledger;
use crate::ledger::hash::content;
use crate::sources::mapping::Mapping;
use crate::sources::polygon::{CHAIN_MAPPING, FLAT_MAPPING};
use std::collections::BTreeSet;

/// The batch that a draft would only repeat, with its state; nothing is to be staged then.
///
/// What was rolled back is refused even where somebody has staged it again to look at it: else `--yes`
/// of a scheduled import would confirm that batch.
///
/// A service's answers never only repeat a batch: whether they say something new is known before they come
/// here, and equal bytes do where they correct a later answer back, or make their days final.
///
/// # Errors
/// [`AppError::RolledBackBefore`] and [`AppError::ErasedBefore`] where the draft has no reason to come
/// again; damage met on the way.
pub fn known(
    ledger: &Ledger,
    draft: &Draft,
    content: Digest,
) -> Result<Option<(BatchId, BatchState)>> {
    let in_state = |state| {
        let mut same = ledger.batches().with_content(content);
        same.find(|(_, batch)| batch.state() == state).map(|(id, _)| id)
    };
    let active = match in_state(BatchState::Active) {
        None => active_reading(ledger, draft)?,
        same => same,
    };
    let is_answer = !draft.manifest.coverage.is_empty();
    if let Some(active) = active {
        return Ok((!is_answer).then_some((active, BatchState::Active)));
    }
    let staged = in_state(BatchState::Staged);
    if draft.again.is_none() {
        if let Some((id, batch)) = taken_out(ledger, draft, content)? {
            let decided = batch.states.last().and_then(|(at, _)| ledger.entry(*at));
            let reason = ledger.batches().reason_at(batch, ledger.position());
            return Err(AppError::RolledBackBefore {
                batch: id,
                state: batch.state().name().replace('-', " "),
                at: clock::rfc3339(decided.map_or(0, |entry| entry.time_ms)),
                reason: reason.map(str::to_owned),
                staged,
            });
        }
        if staged.is_none() {
            refuse_erased(ledger, draft)?;
        }
    }
    Ok(staged.filter(|_| !is_answer).map(|id| (id, BatchState::Staged)))
}

/// Whether a draft's sources and mapping are all that was asked for. They are not for a service's
/// answer, which differs from time to time and has coverage instead, nor for a market file, whose day
/// is given beside it.
fn is_a_reading(draft: &Draft) -> bool {
    let market = [FLAT_MAPPING, CHAIN_MAPPING].contains(&draft.mapping.0.as_str());
    draft.manifest.coverage.is_empty() && !market
}

/// Whether a batch was read by a draft's mapping. A bundled mapping is compared by its version, as in a
/// content id, since a later program may read more cells with the same version; any other by its text.
fn same_mapping(draft: &Draft, batch: &Batch) -> bool {
    let (ours, theirs) = (&draft.mapping, &batch.stage.mapping);
    let named = (ours.0.as_str(), ours.1) == (theirs.id.as_str(), theirs.version);
    (named && Mapping::bundled(&ours.0).is_some()) || theirs.digest == content(ours.2.as_bytes())
}

/// Whether a batch is what a draft asks for, or a part of that.
fn same_reading(ledger: &Ledger, draft: &Draft, batch: &Batch) -> Result<bool> {
    let stage = &batch.stage;
    if stage.series != draft.series || !same_mapping(draft, batch) {
        return Ok(false);
    }
    let theirs = ledger.known_manifest(stage)?.sources;
    let ours = draft.manifest.sources.iter().map(|source| (source.digest, &source.symbol));
    Ok(theirs.iter().map(|source| (source.digest, &source.symbol)).eq(ours))
}

/// The active batch with the rows that were read for a draft. Its retractions may differ: they depended
/// on the views at that time.
fn active_reading(ledger: &Ledger, draft: &Draft) -> Result<Option<BatchId>> {
    let Some((events, root)) = draft.read else { return Ok(None) };
    for (id, batch) in ledger.batches().iter() {
        let (stage, state) = (&batch.stage, batch.state());
        let all = stage.events.checked_sub(stage.rows.retracted) == Some(events);
        if state == BatchState::Active && all && !stage.is_part() {
            let same = same_reading(ledger, draft, batch)?;
            if same && ledger.root_of_first(id, events)? == root {
                return Ok(Some(id));
            }
        }
    }
    Ok(None)
}

/// The last batch that was rolled back or replaced and that has this content, or that was read from the
/// same sources in the same way; a part of a split counts as well, whatever became of the whole. `None`
/// where such a whole counts again: somebody let it in since.
fn taken_out<'l>(
    ledger: &'l Ledger,
    draft: &Draft,
    content: Digest,
) -> Result<Option<(BatchId, &'l Batch)>> {
    let table = ledger.batches();
    let out =
        |batch: &Batch| matches!(batch.state(), BatchState::RolledBack | BatchState::Superseded);
    let same = table.with_content(content).filter(|(_, batch)| out(batch)).last();
    if same.is_some() || !is_a_reading(draft) {
        return Ok(same);
    }
    let mut last = None;
    for (id, batch) in table.iter().rev().filter(|(_, batch)| out(batch)) {
        if same_reading(ledger, draft, batch)? {
            last = Some((id, batch));
            break;
        }
    }
    if last.is_some() {
        for (_, batch) in table.iter() {
            let counts = batch.state() == BatchState::Active && !batch.stage.is_part();
            if counts && same_reading(ledger, draft, batch)? {
                return Ok(None);
            }
        }
    }
    Ok(last)
}

/// Refuses a draft that would bring back what was erased. A service's answers are let through: a fetch
/// does not ask about erased days.
fn refuse_erased(ledger: &Ledger, draft: &Draft) -> Result<()> {
    if !draft.manifest.coverage.is_empty() {
        return Ok(());
    }
    let gone = ledger.gone(|digest| reads(draft, digest))?;
    let lost =
        draft.manifest.sources.iter().find_map(|source| Some((source, gone.get(&source.digest)?)));
    let Some((source, (at, batch))) = lost else { return Ok(()) };
    let mut erasures = erased::of_batch(ledger, *batch).into_iter();
    match erasures.find(|erasure| erasure.entry == at.0) {
        Some(erasure) => {
            let name = source.name.clone();
            Err(AppError::ErasedBefore { name, erasure: Box::new(erasure) })
        }
        None => Ok(()),
    }
}

/// Whether a draft was read from a source.
pub fn reads(draft: &Draft, digest: &Digest) -> bool {
    draft.manifest.sources.iter().any(|source| source.digest == *digest)
}

/// The active batches that were read from these sources and retracted something. A second reading of
/// the sources must be compared with views without these retractions, or it would retract nothing and
/// be another batch.
pub fn took_back(ledger: &Ledger, series: Series, sources: &[Digest]) -> Result<BTreeSet<BatchId>> {
    let mut found = BTreeSet::new();
    for (id, batch) in ledger.batches().iter() {
        let stage = &batch.stage;
        let takes = stage.series == series && stage.rows.retracted > 0;
        if takes && batch.state() == BatchState::Active {
            let theirs = ledger.known_manifest(stage)?.sources;
            if theirs.iter().map(|source| &source.digest).eq(sources) {
                found.insert(id);
            }
        }
    }
    Ok(found)
}
