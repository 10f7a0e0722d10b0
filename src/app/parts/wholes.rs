//! The wholes that a part was split from.

use crate::app::error::Result;
use crate::domain::batch::Refusal;
use crate::domain::{BatchId, Digest, Stage};
use crate::ledger::Ledger;

/// The digests of what a batch was read from.
pub(in crate::app) fn sources(ledger: &Ledger, stage: &Stage) -> Result<Vec<Digest>> {
    let manifest = ledger.known_manifest(stage)?;
    Ok(manifest.sources.iter().map(|source| source.digest).collect())
}

/// The earlier batches that a part was split from: they were read from the same sources in the same way
/// and have its rows, so whoever staged one of them brought these rows.
///
/// # Errors
/// A manifest that cannot be read.
pub fn wholes(ledger: &Ledger, id: BatchId) -> Result<Vec<BatchId>> {
    let table = ledger.batches();
    let part = &table.get(id).ok_or(Refusal::NoSuchBatch(id))?.stage;
    let mut found = Vec::new();
    if !part.is_part() {
        return Ok(found);
    }
    let wanted = sources(ledger, part)?;
    for (earlier, batch) in table.iter().take_while(|(earlier, _)| *earlier < id) {
        let stage = &batch.stage;
        if stage.mapping.digest == part.mapping.digest && sources(ledger, stage)? == wanted {
            found.push(earlier);
        }
    }
    Ok(found)
}
