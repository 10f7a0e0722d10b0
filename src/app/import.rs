//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{AppError, Ledger, Run, error::Result, report::Review};
use crate::domain::{BatchId, Series, Symbol};
use std::path::{Path, PathBuf};
#[derive(Clone, Debug)]
pub enum MappingChoice {
    Default,
    Named(String),
    Text { name: String, text: String },
}
#[derive(Clone, Debug)]
pub enum SymbolChoice {
    Given(Symbol),
    FromName,
    FromColumn,
}
#[derive(Clone, Debug)]
pub struct Input {
    pub path: PathBuf,
    pub name: String,
    pub stream: bool,
}
#[derive(Clone, Debug)]
pub struct ImportOptions {
    pub series: Series,
    pub mapping: MappingChoice,
    pub symbol: SymbolChoice,
    pub keep: bool,
    pub again: Option<String>,
    pub dry_run: bool,
    pub full: bool,
    pub snapshot: bool,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    New,
    AlreadyStaged,
    AlreadyActive,
    DryRun,
}
#[derive(Clone, Debug)]
pub struct Staged {
    pub review: Review,
    pub outcome: Outcome,
    pub batch: Option<BatchId>,
    pub blocking: Vec<String>,
}
pub fn import_csv(
    _ledger: &mut Ledger,
    _inputs: &[Input],
    _options: &ImportOptions,
    _run: &Run,
) -> Result<Staged> {
    Err(AppError::NotFound("stub".into()))
}
pub fn import_tomic(
    _ledger: &mut Ledger,
    _dir: &Path,
    _options: &ImportOptions,
    _run: &Run,
) -> Result<Staged> {
    Err(AppError::NotFound("stub".into()))
}
pub fn check(_inputs: &[Input], _options: &ImportOptions, _run: &Run) -> Result<Review> {
    Err(AppError::NotFound("stub".into()))
}
pub fn mapping_ids() -> Vec<(String, String)> {
    vec![("mc-iv".into(), "Market Chameleon".into())]
}
