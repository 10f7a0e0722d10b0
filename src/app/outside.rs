//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::import::Staged;
use super::{
    AppError, Ledger, Run,
    error::Result,
    report::{Exported, VerifyReport},
};
use crate::domain::BatchId;
use std::path::Path;
use std::time::Duration;
pub struct Opened {
    pub ledger: Ledger,
    pub notes: Vec<String>,
}
pub fn create(dir: &Path, holder: &str, patience: Duration) -> Result<Ledger> {
    Ok(Ledger::create(
        dir,
        &super::OpenOptions {
            holder: holder.into(),
            patience,
        },
    )?)
}
pub fn open(dir: &Path, holder: &str, patience: Duration, _run: &Run) -> Result<Opened> {
    Ok(Opened {
        ledger: Ledger::open(
            dir,
            &super::OpenOptions {
                holder: holder.into(),
                patience,
            },
        )?,
        notes: vec![],
    })
}
pub fn exists(dir: &Path) -> bool {
    Ledger::exists(dir)
}
pub fn export_batch(
    _ledger: &Ledger,
    _batch: BatchId,
    _file: &Path,
    _plain: bool,
    _run: &Run,
) -> Result<Exported> {
    Err(AppError::NotFound("stub".into()))
}
pub fn import_batch(
    _ledger: &mut Ledger,
    _file: &Path,
    _again: Option<String>,
    _run: &Run,
) -> Result<Staged> {
    Err(AppError::NotFound("stub".into()))
}
pub fn backup(_ledger: &Ledger, _file: &Path, _plain: bool, _run: &Run) -> Result<Exported> {
    Err(AppError::NotFound("stub".into()))
}
pub fn restore(_file: &Path, _dir: &Path, _holder: &str, _run: &Run) -> Result<VerifyReport> {
    Err(AppError::NotFound("stub".into()))
}
