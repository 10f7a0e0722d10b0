//! Stub.
#![allow(missing_docs, missing_debug_implementations, unused_imports)]
use super::{AppError, Ledger, error::Result, report::*};
use crate::domain::{Day, Position, Series, Symbol};
pub fn position_of(ledger: &Ledger, text: &str) -> Result<Position> {
    let _ = ledger;
    text.parse()
        .map_err(|e: crate::domain::id::IdError| AppError::Usage(e.to_string()))
}
#[derive(Clone, Debug)]
pub struct ViewQuery {
    pub series: Series,
    pub symbols: Vec<Symbol>,
    pub at: Option<Position>,
    pub from: Option<Day>,
    pub to: Option<Day>,
    pub first: bool,
    pub columns: Vec<String>,
}
pub fn view(_ledger: &Ledger, _query: &ViewQuery) -> Result<Vec<View>> {
    Err(AppError::NotFound("stub".into()))
}
pub fn why(
    _ledger: &Ledger,
    _series: Series,
    _symbol: &Symbol,
    _day: Day,
    _field: Option<&str>,
    _at: Option<Position>,
) -> Result<Why> {
    Err(AppError::NotFound("stub".into()))
}
pub fn show(_ledger: &Ledger, _what: &str) -> Result<Shown> {
    Err(AppError::NotFound("stub".into()))
}
pub fn log(_ledger: &Ledger, _limit: Option<usize>, _at: Option<Position>) -> Result<Log> {
    Err(AppError::NotFound("stub".into()))
}
pub fn batches(_ledger: &Ledger, _at: Option<Position>) -> Result<Batches> {
    Err(AppError::NotFound("stub".into()))
}
pub fn gaps(
    _ledger: &Ledger,
    _symbols: &[Symbol],
    _series: Option<Series>,
    _at: Option<Position>,
) -> Result<Gaps> {
    Err(AppError::NotFound("stub".into()))
}
pub fn status(_ledger: &Ledger, _notes: &[String]) -> Result<Status> {
    Err(AppError::NotFound("stub".into()))
}
pub fn diff(
    _ledger: &Ledger,
    _from: Position,
    _to: Position,
    _series: Option<Series>,
    _symbol: Option<&Symbol>,
) -> Result<PositionDiff> {
    Err(AppError::NotFound("stub".into()))
}
