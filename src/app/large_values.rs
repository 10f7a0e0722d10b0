//! Values of any size in a store whose values are small: the first piece under the key, the others
//! beside it.

use super::error::Result;
use crate::ledger::store::MAX_VALUE;
use crate::ledger::{Ledger, LedgerError};

/// Between a value's key and the number of a further piece of it.
const PART: u8 = 0xff;

/// Keeps a value of any size: the first piece under the key, the others beside it. Those of a longer
/// value that stood there go.
///
/// # Errors
/// A ledger that cannot be written.
pub fn put(ledger: &mut Ledger, key: &[u8], bytes: &[u8]) -> Result<()> {
    let store = ledger.store_mut();
    let pieces: Vec<&[u8]> = bytes.chunks(MAX_VALUE - 8).collect();
    for (number, piece) in pieces.iter().enumerate().skip(1) {
        store.put_view(&part_key(key, number), piece)?;
    }
    let mut first = (pieces.len() as u32).to_be_bytes().to_vec();
    first.extend_from_slice(pieces.first().copied().unwrap_or_default());
    // Beside a key that is new stands nothing, but for what a crash left, which is never read.
    if !store.put_view(key, &first)? {
        return Ok(());
    }
    // From the last one on, so that what a crash leaves of them is found the next time.
    let old = (pieces.len().max(1)..).map(|number| part_key(key, number));
    let old = old.map(|key| Ok(store.view(&key)?.map(|_| key)));
    let old: Vec<Vec<u8>> = old.map_while(Result::transpose).collect::<Result<_>>()?;
    old.iter().rev().try_for_each(|key| Ok(store.remove_view(key)?))
}

fn part_key(key: &[u8], number: usize) -> Vec<u8> {
    [key, &[PART], &(number as u32).to_be_bytes()].concat()
}

/// A value that [`put`] kept.
///
/// # Errors
/// [`LedgerError::Damaged`] when a piece of it is missing.
pub fn get(ledger: &Ledger, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let lost = || LedgerError::damaged("a part of a stored value is missing");
    let Some(mut first) = ledger.store().view(key)? else {
        return Ok(None);
    };
    let count = first.split_first_chunk::<4>().map(|(count, _)| u32::from_be_bytes(*count));
    let count = count.ok_or_else(lost)?;
    first.drain(..4);
    for number in 1..count {
        first.extend(ledger.store().view(&part_key(key, number as usize))?.ok_or_else(lost)?);
    }
    Ok(Some(first))
}

/// Removes a value with all its pieces.
///
/// # Errors
/// A ledger that cannot be written.
pub fn remove(ledger: &mut Ledger, key: &[u8]) -> Result<()> {
    let first = ledger.store().view(key)?.unwrap_or_default();
    let count = first.split_first_chunk::<4>().map_or(0, |(count, _)| u32::from_be_bytes(*count));
    for number in 1..count {
        ledger.store_mut().remove_view(&part_key(key, number as usize))?;
    }
    Ok(ledger.store_mut().remove_view(key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_value_leaves_no_piece_of_the_longer_one() {
        let mut ledger = Ledger::in_memory();
        let (key, beside) = (b"k".as_slice(), b"kk".as_slice());
        put(&mut ledger, beside, &[1; 3 * MAX_VALUE]).unwrap();
        let others = ledger.store().view_keys(b"").unwrap().len();
        for (size, pieces) in [(5 * MAX_VALUE, 6), (2 * MAX_VALUE, 3), (9, 1), (0, 1), (40_000, 2)]
        {
            put(&mut ledger, key, &vec![7; size]).unwrap();
            assert_eq!(get(&ledger, key).unwrap().unwrap(), vec![7; size]);
            assert_eq!(ledger.store().view_keys(b"").unwrap().len(), others + pieces, "{size}");
        }
        remove(&mut ledger, key).unwrap();
        assert_eq!(ledger.store().view_keys(b"").unwrap().len(), others);
        assert_eq!(get(&ledger, beside).unwrap().unwrap().len(), 3 * MAX_VALUE);
    }
}
