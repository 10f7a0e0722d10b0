//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{AppError, Ledger, Run, error::Result, report::Review};
use crate::domain::BatchId;
pub fn review(_ledger: &Ledger, _batch: BatchId, _full: bool, _run: &Run) -> Result<Review> {
    Err(AppError::NotFound("stub".into()))
}
