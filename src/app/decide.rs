//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{
    AppError, Ledger, Run,
    error::Result,
    import::{MappingChoice, Staged},
    report::Decided,
};
use crate::domain::{BatchId, Position};
pub fn confirm(
    _ledger: &mut Ledger,
    _batch: BatchId,
    _expect: Option<&str>,
    _run: &Run,
) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn confirm_staged(_ledger: &mut Ledger, _staged: &Staged, _run: &Run) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn discard(
    _ledger: &mut Ledger,
    _batch: BatchId,
    _reason: Option<String>,
    _plan: bool,
    _run: &Run,
) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn roll_back(
    _ledger: &mut Ledger,
    _batch: BatchId,
    _reason: Option<String>,
    _plan: bool,
    _run: &Run,
) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn reinstate(
    _ledger: &mut Ledger,
    _batch: BatchId,
    _reason: Option<String>,
    _plan: bool,
    _run: &Run,
) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn rollback_to(
    _ledger: &mut Ledger,
    _to: Position,
    _reason: Option<String>,
    _plan: bool,
    _run: &Run,
) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn undo(_ledger: &mut Ledger, _plan: bool, _run: &Run) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn redo(_ledger: &mut Ledger, _plan: bool, _run: &Run) -> Result<Decided> {
    Err(AppError::NotFound("stub".into()))
}
pub fn replay(
    _ledger: &mut Ledger,
    _batch: BatchId,
    _mapping: MappingChoice,
    _full: bool,
    _run: &Run,
) -> Result<Staged> {
    Err(AppError::NotFound("stub".into()))
}
