//! Batches that are parts of one that was split by symbol.

use crate::domain::Stage;

/// The finding of a part.
pub(super) const CODE: &str = Stage::PART;

/// Whether a batch is a part of one that was split.
pub fn is_part(stage: &Stage) -> bool {
    stage.is_part()
}
