//! Whether symbols that are asked for by name are known, now or at a position.

use crate::app::error::{AppError, Result};
use crate::app::views::ViewReader;
use crate::domain::{Position, Series, Symbol};
use crate::ledger::Ledger;

/// Makes sure that each symbol is one that some of these views ever had. Where a position is named
/// every symbol will do: whether it came later is not to be seen from there, so that nothing is said of
/// it then and now.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn known(
    ledger: &Ledger,
    symbols: &[Symbol],
    views: &[Series],
    at: Option<Position>,
) -> Result<()> {
    match at {
        None => known_at(ledger, symbols, views, ledger.position()),
        Some(_) => Ok(()),
    }
}

/// Makes sure that each symbol is one that some of these views had by a position.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn known_at(ledger: &Ledger, symbols: &[Symbol], views: &[Series], at: Position) -> Result<()> {
    match unheard_of(ledger, symbols, views, at)?.first() {
        Some(symbol) => Err(AppError::nothing_about(symbol, views)),
        None => Ok(()),
    }
}

/// The symbols that none of some views had heard of by a position.
///
/// # Errors
/// A view that cannot be read.
pub fn unheard_of(
    ledger: &Ledger,
    symbols: &[Symbol],
    views: &[Series],
    at: Position,
) -> Result<Vec<Symbol>> {
    let reader = ViewReader::new(ledger)?;
    let mut none = Vec::new();
    for symbol in symbols {
        let mut had = views.iter().map(|view| reader.had(*view, symbol, at));
        if !had.try_fold(false, |any, one| one.map(|one| any || one))? {
            none.push(symbol.clone());
        }
    }
    Ok(none)
}
