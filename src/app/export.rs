//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{AppError, Ledger, Run, error::Result, lookup::ViewQuery, report::Exported};
use crate::domain::{Position, Symbol};
use std::path::Path;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Jsonl,
}
pub fn export_view(
    _ledger: &Ledger,
    _query: &ViewQuery,
    _format: Format,
    _file: Option<&Path>,
    _run: &Run,
) -> Result<Exported> {
    Err(AppError::NotFound("stub".into()))
}
pub fn export_tomic(
    _ledger: &Ledger,
    _dir: &Path,
    _symbols: &[Symbol],
    _at: Option<Position>,
    _run: &Run,
) -> Result<Exported> {
    Err(AppError::NotFound("stub".into()))
}
