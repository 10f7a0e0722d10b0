//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{AppError, Ledger, Run, error::Result, report::VerifyReport};
use crate::domain::Series;
pub fn verify(_ledger: &Ledger, _deep: bool, _run: &Run) -> Result<VerifyReport> {
    Err(AppError::NotFound("stub".into()))
}
pub fn rebuild(_ledger: &mut Ledger, _view: Series, _run: &Run) -> Result<VerifyReport> {
    Err(AppError::NotFound("stub".into()))
}
pub fn verify_one(_ledger: &Ledger, _view: Series, _run: &Run) -> Result<VerifyReport> {
    Err(AppError::NotFound("stub".into()))
}
