//! The same rows in a batch that was split and in its parts.

use crate::app::error::Result;
use crate::domain::BatchId;
use crate::ledger::Ledger;
use crate::ledger::erase::Selection;
use std::collections::BTreeSet;

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
    for (id, numbers) in selection.clone() {
        let Some(batch) = table.get(id) else { continue };
        let sources = ledger.known_manifest(&batch.stage)?.sources;
        let mut family = Vec::new();
        for (other, known) in table.iter().filter(|(other, _)| *other != id) {
            let near = known.stage.is_part() || batch.stage.is_part();
            if near && ledger.known_manifest(&known.stage)?.sources == sources {
                family.push(other);
            }
        }
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
