//! Batches that are parts of one that was split by symbol.

use super::error::Result;
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Digest, Stage};
use crate::ledger::Ledger;

/// The finding of a part.
pub(super) const CODE: &str = "split";

/// Whether a batch is a part of one that was split.
pub fn is_part(stage: &Stage) -> bool {
    stage.findings.iter().any(|finding| finding.code == CODE)
}

/// The last part that was rolled back of batches with this content that were split: reading their
/// sources again as a whole would bring it back.
///
/// # Errors
/// A manifest that cannot be read.
pub fn rolled_back_part(ledger: &Ledger, content: Digest) -> Result<Option<BatchId>> {
    let table = ledger.batches();
    let of = |stage: &Stage| -> Result<(Digest, Vec<Digest>)> {
        let sources = ledger.manifest_of(stage)?.sources;
        Ok((stage.mapping.digest, sources.iter().map(|source| source.digest).collect()))
    };
    let mut wholes = Vec::new();
    let discarded = |batch: &Batch| batch.state() == BatchState::Discarded;
    for (_, whole) in table.with_content(content).filter(|(_, batch)| discarded(batch)) {
        wholes.push(of(&whole.stage)?);
    }
    if wholes.is_empty() {
        return Ok(None);
    }
    let mut last = None;
    for (id, batch) in table.iter().filter(|(_, batch)| is_part(&batch.stage)) {
        let out = matches!(batch.state(), BatchState::RolledBack | BatchState::Superseded);
        if out && wholes.contains(&of(&batch.stage)?) {
            last = Some(id);
        }
    }
    Ok(last)
}
