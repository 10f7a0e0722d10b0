//! Deciding: confirm, discard, roll back, reinstate, undo, redo, supersede by replay.

mod last;

use super::draft::Draft;
use super::error::{AppError, Result};
use super::import::{
    self, MappingChoice, Reading, Staged, choose_mapping, csv_draft, read_source, with_events,
};
use super::report::{BatchChange, Decided, Refreshed};
use super::stage::append;
use super::{Run, effects, moved_announcements, parts, projection, review, stale, views};
use crate::domain::batch::{self, Command, Refusal, decide_redo, decide_rollback_to, decide_undo};
use crate::domain::{
    BatchId, BatchState, Class, Collector, Decision, Digest, EntryKind, Position, Stage, Via,
    Window,
};
use crate::ledger::{Ledger, LedgerError};
use crate::sources::csv::SymbolFrom;
use crate::sources::mapping::Mapping;
use std::io::{Seek, Write};

/// Confirms a staged batch. With `expect`, the review's token must be that (8 hex digits or
/// more of it do); without, the cells that the batch touches must be as they were at staging.
///
/// # Errors
/// [`AppError::TokenDiffers`], [`AppError::Stale`], [`AppError::Refused`].
pub fn confirm(
    ledger: &mut Ledger,
    id: BatchId,
    expect: Option<&str>,
    run: &Run<'_>,
) -> Result<Decided> {
    let (token, here) = agreed(ledger, id, expect, run)?;
    commit(ledger, id, token, here, run)
}

/// What [`confirm`] would do; nothing is appended.
///
/// # Errors
/// As [`confirm`].
pub fn plan_confirm(
    ledger: &Ledger,
    id: BatchId,
    expect: Option<&str>,
    run: &Run<'_>,
) -> Result<Decided> {
    let (token, here) = agreed(ledger, id, expect, run)?;
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    ledger.verify_batch(&batch.stage)?;
    let decision = batch::decide(ledger.batches(), id, run.confirm(token, here))?;
    let changes = effects::reviewed(ledger, &decision, &review::review(ledger, id, false, run)?);
    let action = decision.action.name();
    Ok(Decided { changes, ..decided(ledger, action, Some(&decision), true) })
}

/// The token of the present review, which is the one that is confirmed, and where it was made.
fn agreed(
    ledger: &Ledger,
    id: BatchId,
    expect: Option<&str>,
    run: &Run<'_>,
) -> Result<(Digest, Position)> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let content = batch.stage.content_id;
    if batch.state() != BatchState::Staged {
        let (state, action) = (batch.state(), "confirm");
        return Err(Refusal::WrongState { action, batch: id, state }.into());
    }
    may_confirm(ledger, id, run)?;
    let here = ledger.position();
    let (_, now) = review::analyse_sealed(ledger, id, Some(here), false, run)?;
    let token = review::token(content, &now);
    match expect {
        Some(expected) => {
            let enough = expected.len() >= 8 && token.to_string().starts_with(expected);
            if !enough {
                let expected = expected.to_owned();
                return Err(AppError::TokenDiffers { batch: id, expected, found: token });
            }
        }
        None => stale::refuse(ledger, id, &now, run)?,
    }
    Ok((token, here))
}

/// Whether who acts may confirm a batch: under the two-person rule not who staged it, nor who staged
/// the batch that it was split from.
///
/// # Errors
/// [`Refusal::SamePerson`], [`Refusal::NoSuchBatch`].
pub fn may_confirm(ledger: &Ledger, id: BatchId, run: &Run<'_>) -> Result<()> {
    let table = ledger.batches();
    let batch = table.get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let by = run.confirmer();
    by.may_confirm(id, batch)?;
    if by.two_person {
        for whole in parts::wholes(ledger, id)? {
            let its = table.get(whole).ok_or(Refusal::NoSuchBatch(whole))?;
            by.may_confirm_part(id, (whole, its))?;
        }
    }
    Ok(())
}

/// Confirms what was staged a moment ago in this process, with its review as the token.
///
/// # Errors
/// As [`confirm`].
pub fn confirm_staged(ledger: &mut Ledger, staged: &Staged, run: &Run<'_>) -> Result<Decided> {
    let id = staged.batch.ok_or_else(|| AppError::NotFound("a dry run has no batch".into()))?;
    let fresh = staged.outcome == super::import::Outcome::New
        && staged.review.position == ledger.position().0;
    let token = staged.review.token.as_deref();
    match token.and_then(|token| token.parse::<Digest>().ok()) {
        // Nothing was appended since: this very review is what is confirmed, and this very
        // process wrote and hashed the blocks.
        Some(token) if fresh => {
            let here = ledger.position();
            let decision = batch::decide(ledger.batches(), id, run.confirm(token, here))?;
            append(ledger, EntryKind::Decision(decision.clone()), run)?;
            update(ledger, run)?;
            let projections = refreshed(ledger, run);
            let changes = effects::reviewed(ledger, &decision, &staged.review);
            Ok(Decided {
                changes,
                projections,
                ..decided(ledger, decision.action.name(), Some(&decision), false)
            })
        }
        _ => confirm(ledger, id, token, run),
    }
}

/// Whether what was staged is in the log.
pub(super) fn is_there(ledger: &Ledger, staged: &Staged) -> bool {
    staged.batch.is_some_and(|batch| ledger.batches().get(batch).is_some())
}

/// Stages through `stage` and, where `agreed` says so, confirms at once: both entries become durable
/// together, which costs half as much. Nobody is told of the batch before this returns; whatever
/// comes in between, it is staged then, durably, with what kept it from being confirmed.
///
/// # Errors
/// Those of `stage`, and entries that cannot be made durable; those of [`confirm`] are inside.
pub fn stage_and_confirm(
    ledger: &mut Ledger,
    run: &Run<'_>,
    stage: impl FnOnce(&mut Ledger) -> Result<Staged>,
    agreed: impl FnOnce(&Ledger, &mut Staged) -> bool,
) -> Result<(Staged, Option<Result<Decided>>)> {
    ledger.together(|ledger| {
        let mut staged = stage(ledger)?;
        let agreed = agreed(ledger, &mut staged);
        match agreed.then(|| confirm_staged(ledger, &staged, run)) {
            // Neither entry could be made durable.
            Some(Err(error)) if !is_there(ledger, &staged) => Err(error),
            decided => Ok((staged, decided)),
        }
    })
}

/// Brings kept projections up to the head, unless told otherwise. What fails there does not touch
/// the decision, which is made.
fn refreshed(ledger: &mut Ledger, run: &Run<'_>) -> Vec<Refreshed> {
    match run.refresh {
        true => projection::refresh(ledger, &[], run).projections,
        false => Vec::new(),
    }
}

fn commit(
    ledger: &mut Ledger,
    id: BatchId,
    token: Digest,
    base: Position,
    run: &Run<'_>,
) -> Result<Decided> {
    // What was sealed is what is confirmed: the stored events must still give the root.
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    ledger.verify_batch(&batch.stage)?;
    let decision = batch::decide(ledger.batches(), id, run.confirm(token, base))?;
    settle(ledger, decision, false, run)
}

/// Throws a staged batch away.
///
/// # Errors
/// [`AppError::Refused`].
pub fn discard(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::Discard { reason })?;
    settle(ledger, decision, plan, run)
}

/// Takes an active batch out of the views.
///
/// # Errors
/// [`AppError::Refused`].
pub fn roll_back(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::RollBack { reason })?;
    settle(ledger, decision, plan, run)
}

/// Puts a batch back where it was.
///
/// # Errors
/// [`AppError::Refused`].
pub fn reinstate(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::Reinstate { reason })?;
    settle(ledger, decision, plan, run)
}

/// Makes the active batches those of an earlier position, in one entry.
///
/// # Errors
/// [`LedgerError::NoSuchPosition`].
pub fn rollback_to(
    ledger: &mut Ledger,
    to: Position,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let head = ledger.position();
    if to > head {
        return Err(LedgerError::NoSuchPosition { at: to, head }.into());
    }
    match decide_rollback_to(ledger.batches(), to, reason) {
        Some(decision) => settle(ledger, decision, plan, run),
        None => Ok(decided(ledger, "none", None, plan)),
    }
}

/// Takes the last decision about batches back, where no later one is about a projection.
///
/// # Errors
/// [`AppError::Refused`], [`AppError::NotLast`].
pub fn undo(ledger: &mut Ledger, plan: bool, run: &Run<'_>) -> Result<Decided> {
    last::refuse_older(ledger)?;
    let decision = decide_undo(ledger.batches())?;
    settle(ledger, decision, plan, run)
}

/// Repeats the decision that was undone last.
///
/// # Errors
/// [`AppError::Refused`].
pub fn redo(ledger: &mut Ledger, plan: bool, run: &Run<'_>) -> Result<Decided> {
    let decision = decide_redo(ledger.batches())?;
    settle(ledger, decision, plan, run)
}

fn decided(
    ledger: &Ledger,
    action: &'static str,
    decision: Option<&Decision>,
    plan: bool,
) -> Decided {
    let changes = decision.map(|decision| decision.changes.as_slice()).unwrap_or_default();
    Decided {
        action,
        plan,
        via: decision.and_then(|decision| match decision.via {
            Via::Plain => None,
            Via::Undo(_) => Some("undo"),
            Via::Redo(_) => Some("redo"),
        }),
        position: ledger.position().0,
        log_root: ledger.head().root.to_string(),
        batches: changes
            .iter()
            .map(|change| BatchChange {
                batch: change.batch.to_string(),
                from: change.from.name(),
                to: change.to.name(),
            })
            .collect(),
        reason: decision.and_then(|decision| decision.reason.clone()),
        changes: Vec::new(),
        projections: Vec::new(),
    }
}

/// Brings the views up to a decision that was just made. When that fails, the decision stands.
fn update(ledger: &mut Ledger, run: &Run<'_>) -> Result<()> {
    match views::catch_up(ledger, run.progress) {
        Ok(_) => Ok(()),
        Err(AppError::Ledger(source)) => {
            Err(AppError::ViewsBehind { at: ledger.position(), source })
        }
        Err(other) => Err(other),
    }
}

/// Appends a decision (unless it is only planned) and says what it does to the views.
fn settle(ledger: &mut Ledger, decision: Decision, plan: bool, run: &Run<'_>) -> Result<Decided> {
    if !plan {
        append(ledger, EntryKind::Decision(decision.clone()), run)?;
        update(ledger, run)?;
    }
    let projections = if plan { Vec::new() } else { refreshed(ledger, run) };
    let changes = effects::of(ledger, &decision, plan, run)?;
    let action = decision.action.name();
    Ok(Decided { changes, projections, ..decided(ledger, action, Some(&decision), plan) })
}

/// Refuses what needs the bytes that a batch was read from, when those went with events of another
/// batch that was read from them too.
pub(super) fn refuse_erased_sources(ledger: &Ledger, id: BatchId) -> Result<()> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    for source in ledger.manifest_of(&batch.stage)?.sources {
        if let Some(erasure) = super::erased::of_source(ledger, &source.digest)? {
            let what = format!("{}, which {id} was read from,", source.name);
            return Err(AppError::Erased { what, erasure: Box::new(erasure) });
        }
    }
    Ok(())
}

/// Reads the kept bytes of a batch again under another mapping, into a new staged batch that
/// would replace it. The files are not needed any more.
///
/// # Errors
/// [`AppError::Mapping`], [`AppError::Usage`] for a batch that no mapping file read.
pub fn replay(
    ledger: &mut Ledger,
    id: BatchId,
    choice: MappingChoice,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?.clone();
    super::erased::refuse_batch(ledger, id)?;
    refuse_erased_sources(ledger, id)?;
    if let Some(what) = import::sole_reading(&batch.stage.mapping.id) {
        let text = format!("{id} {what}: it cannot be replayed");
        return Err(AppError::Usage(text));
    }
    parts::refuse_part(&batch.stage)?;
    let choice = match choice {
        MappingChoice::Default => own_mapping(ledger, &batch.stage)?,
        other => other,
    };
    let mapping = choose_mapping(&choice, batch.stage.series)?;
    let manifest = ledger.manifest_of(&batch.stage)?;
    // A batch that only filled holes goes on doing so.
    let keeps = batch.stage.views.iter().all(|part| part.class == Class::Fill);
    let mut draft = Draft {
        // Dates are judged as they were when the bytes came in.
        as_of: batch.stage.as_of,
        supersedes: (batch.state() == BatchState::Active).then_some(id),
        again: Some(format!("replay of {id}")),
        ..csv_draft(&mapping, keeps, run)
    };
    let spool = |name: &str| {
        let name = name.to_owned();
        move |source| AppError::Unwritable { name: format!("a copy of {name}"), source }
    };
    with_events(ledger, false, |target, writer| {
        let mut done = 0;
        for (index, source) in (0..).zip(&manifest.sources) {
            let mut file = tempfile::tempfile().map_err(spool(&source.name))?;
            let write = |source| LedgerError::write("a copy of a source", source);
            target
                .read_source(&source.digest, &mut |piece| file.write_all(piece).map_err(write))?;
            file.rewind().map_err(spool(&source.name))?;
            let symbol = match &source.symbol {
                Some(symbol) => SymbolFrom::Given(symbol.clone()),
                None => SymbolFrom::Column,
            };
            let mut flush = |window: &mut Window| target.write(writer, window);
            let mut out = Collector::resume(done, &mut flush);
            let (mapping, seen) = (&mapping, &|_: &[u8]| {});
            let reading = Reading { mapping, symbol, source: index, presume: false, seen };
            read_source(&mut file, &source.name, &reading, &mut draft, &mut out, &|_| {})?;
            done = out.finish()?;
        }
        draft.manifest = manifest;
        Ok(())
    })
    .and_then(|prepared| moved_announcements::seal(prepared, ledger, draft, full, run))
}

/// The mapping that a batch was read with: a bundled one as it is now, or the file that was kept.
fn own_mapping(ledger: &Ledger, stage: &Stage) -> Result<MappingChoice> {
    let name = stage.mapping.id.clone();
    if Mapping::bundled(&name).is_some() {
        return Ok(MappingChoice::Named(name));
    }
    let kept = ledger.source(&stage.mapping.digest)?;
    let text = String::from_utf8_lossy(&kept).into_owned();
    Ok(MappingChoice::Text { name, text })
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
