//! What is stored of a projection: tables by symbol, a root that names them, and one small value
//! that names the root.
//!
//! Tables and roots are stored under their digests and never overwritten. That small value is
//! written last and at once, so a reader sees the old state or the new one, whole.

use crate::app::error::Result;
use crate::app::large_values;
use crate::domain::{Digest, ProjectionId, Symbol, Table};
use crate::ledger::codec::{
    TablePart, TableRoot, decode_table, decode_table_root, encode_table_root,
};
use crate::ledger::hash::content;
use crate::ledger::{Ledger, LedgerError};
use std::collections::BTreeSet;

const TABLE: u8 = b't';
const ROOT: u8 = b'q';
const CURRENT: u8 = b'p';
const MEANT: u8 = b'n';

/// The name under which the rows of a projection that is answered whole are stored.
pub const WHOLE: &str = "";

fn key(kind: u8, id: &ProjectionId, digest: &[u8]) -> Vec<u8> {
    [&[kind], id.to_string().as_bytes(), &[0], digest].concat()
}

/// Stores an encoded table.
///
/// # Errors
/// A ledger that cannot be written.
pub fn put_table(
    ledger: &mut Ledger,
    id: &ProjectionId,
    digest: &Digest,
    bytes: &[u8],
) -> Result<()> {
    large_values::put(ledger, &key(TABLE, id, &digest.0), bytes)
}

/// The root of a projection; `None` when nothing is stored.
///
/// # Errors
/// [`LedgerError::Damaged`] for one that is not as it was stored.
pub fn read_root(ledger: &Ledger, id: &ProjectionId) -> Result<Option<TableRoot>> {
    let Some(current) = ledger.store().view(&key(CURRENT, id, &[]))? else { return Ok(None) };
    let wrong = || LedgerError::damaged(format!("the root of projection {id} is lost"));
    let bytes = large_values::get(ledger, &key(ROOT, id, &current))?.ok_or_else(wrong)?;
    if content(&bytes).0.as_slice() != current.as_slice() {
        return Err(wrong().into());
    }
    Ok(Some(decode_table_root(&bytes)?))
}

/// The stored rows about a symbol, or all of a projection that is answered whole.
///
/// # Errors
/// [`LedgerError::Damaged`] for rows that are not as they were stored.
pub fn read_part(
    ledger: &Ledger,
    id: &ProjectionId,
    root: &TableRoot,
    symbol: Option<&Symbol>,
) -> Result<Table> {
    let whole = root.parts.get(WHOLE);
    let part = whole.or_else(|| root.parts.get(symbol.map_or(WHOLE, Symbol::as_str)));
    match part {
        Some(part) => read_table(ledger, id, &part.digest),
        None => Ok(Table::new()),
    }
}

fn read_table(ledger: &Ledger, id: &ProjectionId, digest: &Digest) -> Result<Table> {
    let lost = || LedgerError::damaged(format!("a table of projection {id} is lost"));
    let bytes = large_values::get(ledger, &key(TABLE, id, &digest.0))?.ok_or_else(lost)?;
    Ok(decode_table(&bytes, digest)?)
}

/// Which versions the names among a projection's inputs meant when it was last computed.
///
/// # Errors
/// A ledger that cannot be read.
pub fn meant(ledger: &Ledger, id: &ProjectionId) -> Result<Option<Vec<u8>>> {
    Ok(ledger.store().view(&key(MEANT, id, &[]))?.map(|bytes| bytes.to_vec()))
}

/// Makes a root the current one; its tables are stored already. `meant` is what [`meant()`] tells.
///
/// # Errors
/// A ledger that cannot be written.
pub fn switch(ledger: &mut Ledger, id: &ProjectionId, root: &TableRoot, meant: &str) -> Result<()> {
    switch_root(ledger, id, root)?;
    // Behind the root: a crash between them leaves another meaning, and everything is computed anew.
    if meant.is_empty() {
        return Ok(ledger.store_mut().remove_view(&key(MEANT, id, &[]))?);
    }
    ledger.store_mut().put_view(&key(MEANT, id, &[]), meant.as_bytes())?;
    Ok(())
}
fn switch_root(ledger: &mut Ledger, id: &ProjectionId, root: &TableRoot) -> Result<()> {
    let before = ledger.store().view(&key(CURRENT, id, &[]))?;
    let old = read_root(ledger, id).ok().flatten();
    let bytes = encode_table_root(root)?;
    let digest = content(&bytes);
    large_values::put(ledger, &key(ROOT, id, &digest.0), &bytes)?;
    ledger.store_mut().flush_views()?;
    ledger.store_mut().put_view(&key(CURRENT, id, &[]), &digest.0)?;
    ledger.store_mut().flush_views()?;
    // What only the old state named goes; a crash before that leaves it to the next sweep.
    let named: BTreeSet<Digest> = root.parts.values().map(|part| part.digest).collect();
    let parts = old.map(|old| old.parts).unwrap_or_default();
    for TablePart { digest, .. } in parts.values().filter(|part| !named.contains(&part.digest)) {
        large_values::remove(ledger, &key(TABLE, id, &digest.0))?;
    }
    if let Some(before) = before.filter(|before| before.as_slice() != digest.0.as_slice()) {
        large_values::remove(ledger, &key(ROOT, id, &before))?;
    }
    Ok(())
}

/// Removes tables and roots that nothing names: what an interrupted computation left.
///
/// # Errors
/// A ledger that cannot be written.
pub fn sweep(ledger: &mut Ledger, id: &ProjectionId) -> Result<()> {
    let mut named: BTreeSet<Vec<u8>> = BTreeSet::new();
    if let Ok(Some(root)) = read_root(ledger, id) {
        named.extend(root.parts.values().map(|part| key(TABLE, id, &part.digest.0)));
        let current = ledger.store().view(&key(CURRENT, id, &[]))?;
        named.extend(current.map(|current| key(ROOT, id, &current)));
    }
    for kind in [TABLE, ROOT] {
        let length = key(kind, id, &[0; 32]).len();
        for found in ledger.store().view_keys(&key(kind, id, &[]))? {
            // Further pieces of a value have longer keys that begin with its own.
            let whole = found.get(..length).unwrap_or(&found);
            if !named.contains(whole) {
                ledger.store_mut().remove_view(&found)?;
            }
        }
    }
    Ok(())
}

/// Removes everything that is stored of a projection.
///
/// # Errors
/// A ledger that cannot be written.
pub fn forget(ledger: &mut Ledger, id: &ProjectionId) -> Result<()> {
    ledger.store_mut().remove_view(&key(CURRENT, id, &[]))?;
    ledger.store_mut().remove_view(&key(MEANT, id, &[]))?;
    sweep(ledger, id)
}
