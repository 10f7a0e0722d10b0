//! How views are stored: keys, and values with their digests.

use crate::app::error::Result;
use crate::app::large_values::get;
use crate::domain::{Digest, Position, Series, Symbol};
use crate::ledger::codec::{
    Listed, Periods, decode_chunk, decode_directory, decode_periods, encode_directory,
};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::History;
use std::collections::BTreeMap;

const ROOT: u8 = b'r';
const SHARD: u8 = b'd';
const SYMBOL: u8 = b's';
const CHUNK: u8 = b'c';
/// A view that is being updated.
pub(super) const MARK: u8 = b'm';
/// Which of a view's two places is in use.
pub(super) const LIVE: u8 = b'g';

/// Where a view is stored: one of two places, so that a rebuild stands beside the one in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) view: Series,
    pub(super) second: bool,
}

impl Place {
    /// The place in use.
    pub(super) fn live(ledger: &Ledger, view: Series) -> Result<Self> {
        let second = ledger.store().view(&[LIVE, view.code()])?.is_some_and(|of| of == [1]);
        Ok(Self { view, second })
    }

    pub(super) fn other(self) -> Self {
        Self { second: !self.second, ..self }
    }

    fn code(self) -> u8 {
        self.view.code() | (u8::from(self.second) << 7)
    }

    pub(super) fn root_key(self) -> Vec<u8> {
        vec![ROOT, self.code()]
    }

    pub(super) fn shard_key(self, from: &str) -> Vec<u8> {
        [&[SHARD, self.code()], from.as_bytes()].concat()
    }

    pub(super) fn symbol_key(self, symbol: &Symbol) -> Vec<u8> {
        [&[SYMBOL, self.code()], symbol.as_str().as_bytes()].concat()
    }

    pub(super) fn chunk_key(self, symbol: &Symbol, year: i32) -> Vec<u8> {
        let year = ((year as u32) ^ 0x8000_0000).to_be_bytes();
        [&[CHUNK, self.code()], symbol.as_str().as_bytes(), &[0], &year].concat()
    }

    /// Removes everything that is stored here.
    pub(super) fn clear(self, ledger: &mut Ledger) -> Result<()> {
        for kind in [ROOT, SHARD, SYMBOL, CHUNK] {
            for key in ledger.store().view_keys(&[kind, self.code()])? {
                ledger.store_mut().remove_view(&key)?;
            }
        }
        Ok(())
    }
}

/// A value whose digest is known.
pub(super) fn get_checked(
    ledger: &Ledger,
    key: &[u8],
    digest: &Digest,
    what: &str,
) -> Result<Vec<u8>> {
    match get(ledger, key)? {
        Some(bytes) if content(&bytes) == *digest => Ok(bytes),
        Some(_) => Err(LedgerError::damaged(format!("{what} does not match its digest")).into()),
        None => Err(LedgerError::damaged(format!("{what} is missing")).into()),
    }
}

/// The symbols of a shard.
pub(super) type Entries = BTreeMap<String, Listed>;

/// The value of a shard.
pub(super) fn directory_bytes(entries: &Entries) -> Result<Vec<u8>> {
    Ok(encode_directory(Position(0), entries.iter())?)
}

/// Reverses [`directory_bytes`].
pub(super) fn entries_of(bytes: &[u8]) -> Result<Entries> {
    Ok(decode_directory(bytes)?.1.into_iter().collect())
}

/// The periods of a symbol.
pub(super) fn read_periods(
    ledger: &Ledger,
    place: Place,
    symbol: &Symbol,
    digest: &Digest,
) -> Result<Periods> {
    let what = format!("the directory of {} {symbol}", place.view);
    let bytes = get_checked(ledger, &place.symbol_key(symbol), digest, &what)?;
    Ok(decode_periods(&bytes)?)
}

pub(super) fn read_chunk(
    ledger: &Ledger,
    place: Place,
    symbol: &Symbol,
    period: i32,
    digest: &Digest,
) -> Result<History> {
    let what = format!("{} {symbol} {period}", place.view);
    let bytes = get_checked(ledger, &place.chunk_key(symbol, period), digest, &what)?;
    let (rows, batches) = decode_chunk(&bytes)?;
    Ok(History { rows, batches })
}
