//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use crate::domain::BatchId;
use super::{Ledger,Run,AppError,error::Result,report::Review};
pub fn review(_ledger: &Ledger, _batch: BatchId, _full: bool, _run: &Run) -> Result<Review> { Err(AppError::NotFound("stub".into())) }
