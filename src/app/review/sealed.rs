//! The review of a batch that is sealed: as it stands now, or as it stood at a position.

use super::{Analysis, Wanted, analyse, document};
use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::app::report::Review;
use crate::domain::{BatchId, BatchState, Position};
use crate::ledger::Ledger;
use rust_decimal::Decimal;

/// Analyses a sealed batch: a staged one against the present, any other against the moment
/// before it was committed.
pub fn analyse_sealed(
    ledger: &Ledger,
    id: BatchId,
    base: Option<Position>,
    full: bool,
    run: &Run<'_>,
) -> Result<(Position, Analysis)> {
    let batch = ledger.batches().get(id).ok_or_else(|| no_batch(id))?;
    let then = batch.committed_at.map(|at| Position(at.0.saturating_sub(1)));
    let base = base.or(then).unwrap_or(ledger.position());
    let wanted = Wanted {
        batch: id,
        class: &|view| batch.class(view),
        base,
        replaces: batch.stage.supersedes,
        full,
    };
    Ok((base, analyse(ledger, ledger, &wanted, run)?))
}

fn no_batch(id: BatchId) -> AppError {
    crate::domain::batch::Refusal::NoSuchBatch(id).into()
}

/// The review of a batch.
///
/// # Errors
/// [`AppError::Refused`] when there is no such batch.
pub fn review(ledger: &Ledger, id: BatchId, full: bool, run: &Run<'_>) -> Result<Review> {
    reviewed(ledger, id, full, run).map(|(review, _)| review)
}

/// The review of a batch as it was to be read at a position: its state then, and what it would
/// have changed then, or did when it was committed.
///
/// # Errors
/// [`AppError::Refused`] when there is no such batch, [`AppError::NotFound`] when it came later.
pub fn review_at(
    ledger: &Ledger,
    id: BatchId,
    at: Position,
    full: bool,
    run: &Run<'_>,
) -> Result<Review> {
    let batch = ledger.batches().get(id).ok_or_else(|| no_batch(id))?;
    let state = batch.state_at(at).ok_or_else(|| {
        AppError::NotFound(format!("{id} came with {}, after {at}", batch.staged_at))
    })?;
    let base = match batch.committed_at {
        Some(committed) if committed <= at => None,
        _ => Some(at),
    };
    written(ledger, (id, state), base, full, run).map(|(review, _)| review)
}

/// The review of a batch, with the largest change that it would make.
///
/// # Errors
/// [`AppError::Refused`] when there is no such batch.
pub fn reviewed(
    ledger: &Ledger,
    id: BatchId,
    full: bool,
    run: &Run<'_>,
) -> Result<(Review, Option<Decimal>)> {
    let batch = ledger.batches().get(id).ok_or_else(|| no_batch(id))?;
    written(ledger, (id, batch.state()), None, full, run)
}

fn written(
    ledger: &Ledger,
    (id, state): (BatchId, BatchState),
    base: Option<Position>,
    full: bool,
    run: &Run<'_>,
) -> Result<(Review, Option<Decimal>)> {
    let (base, analysis) = analyse_sealed(ledger, id, base, full, run)?;
    let batch = ledger.batches().get(id).ok_or_else(|| no_batch(id))?;
    let manifest = ledger.known_manifest(&batch.stage)?;
    let parts = document::Parts {
        batch: Some((id, state)),
        stage: &batch.stage,
        manifest: &manifest,
        analysis: &analysis,
        base,
        rejects: document::rejects(ledger, &batch.stage)?,
    };
    Ok((document::document(&parts), analysis.largest))
}
