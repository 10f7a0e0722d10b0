//! The same rows in a batch that was split and in its parts.

use crate::app::error::Result;
use crate::domain::{BatchId, Digest};
use crate::ledger::Ledger;
use crate::ledger::codec::{Manifest, encode_manifest};
use crate::ledger::erase::Selection;
use crate::ledger::hash::content;
use std::collections::{BTreeMap, BTreeSet};

/// Where an event stands in its source, and whom and which day it is about.
type Spot = (u32, u32, u64, Option<(String, i32)>);

/// Adds the copies of these events that a split made: in the whole batch, and in its parts.
///
/// # Errors
/// Damage met on the way.
pub fn with_twins(ledger: &Ledger, selection: &mut Selection) -> Result<()> {
    let table = ledger.batches();
    if table.iter().all(|(_, batch)| !batch.stage.is_part()) {
        return Ok(());
    }
    let is_part = |id: &BatchId| table.get(*id).is_some_and(|batch| batch.stage.is_part());
    let families = families(ledger, selection)?;
    for (id, numbers) in selection.clone() {
        let family = families.iter().find(|family| family.contains(&id));
        let near = |other: &BatchId| *other != id && (is_part(other) || is_part(&id));
        let mut family: Vec<BatchId> = family.into_iter().flatten().copied().collect();
        family.retain(near);
        if family.is_empty() {
            continue;
        }
        let mut wanted = BTreeSet::new();
        spots(ledger, id, &mut |seq, spot| {
            if numbers.contains(&seq) {
                wanted.insert(spot);
            }
        })?;
        for other in family {
            let mut found = Vec::new();
            spots(ledger, other, &mut |seq, spot| {
                if wanted.contains(&spot) {
                    found.push(seq);
                }
            })?;
            if !found.is_empty() {
                selection.entry(other).or_default().extend(found);
            }
        }
    }
    Ok(())
}

/// The batches with the sources of a selected one, by these sources: each manifest is read once, however
/// many batches are selected.
fn families(ledger: &Ledger, selection: &Selection) -> Result<Vec<Vec<BatchId>>> {
    let table = ledger.batches();
    let mut families: BTreeMap<Digest, Vec<BatchId>> = BTreeMap::new();
    // A whole has the sources of its parts, and no other batch that is no part counts beside it.
    let of_parts = selection.keys().filter_map(|id| table.get(*id)).any(|of| of.stage.is_part());
    for (id, batch) in table.iter() {
        if of_parts || batch.stage.is_part() || selection.contains_key(&id) {
            let sources = ledger.known_manifest(&batch.stage)?.sources;
            let sources = encode_manifest(&Manifest { sources, coverage: Vec::new() })?;
            families.entry(content(&sources)).or_default().push(id);
        }
    }
    families.retain(|_, family| family.iter().any(|id| selection.contains_key(id)));
    Ok(families.into_values().collect())
}

/// Tells of every event of a batch that is still there.
fn spots(ledger: &Ledger, id: BatchId, each: &mut dyn FnMut(u32, Spot)) -> Result<()> {
    let mut reader = ledger.read(id);
    while let Some(window) = reader.next_window()? {
        for row in window.rows.iter() {
            let head = row.head;
            let about = Some((row.symbol.to_string(), head.day.0));
            each(head.seq, (head.source, head.line, head.offset, about));
        }
        for reject in &window.rejects {
            each(reject.seq, (reject.source, reject.line, reject.offset, None));
        }
    }
    Ok(())
}
