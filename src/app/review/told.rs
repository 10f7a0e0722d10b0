//! What a review tells, as a digest: with the content id it makes the confirm token.

use super::Analysis;
use crate::domain::{Day, Digest};
use crate::ledger::hash::Hasher;
use crate::projections::diff::{Change, ChangeKind};

/// A key whose outcome does not follow from the batch alone.
pub(super) fn key(hasher: &mut Hasher, (day, item): (Day, &str)) {
    hasher.text(&day.to_string());
    hasher.text(item);
}

/// A cell of it that would be another one.
pub(super) fn cell(hasher: &mut Hasher, change: &Change) {
    hasher.text(change.kind.name());
    hasher.text(change.field.name());
    hasher.text(&change.old.as_ref().map(ToString::to_string).unwrap_or_default());
    hasher.text(&change.new.as_ref().map(ToString::to_string).unwrap_or_default());
}

/// What becomes of the key; nothing where it would not be shown either.
pub(super) fn shown(hasher: &mut Hasher, kind: Option<ChangeKind>) {
    // No kind of a cell is empty: here its cells end.
    hasher.text("");
    hasher.text(kind.map_or("hidden", ChangeKind::name));
}

/// What `confirm --expect` takes: it changes when the content changes or when what the batch
/// would change does. It names no position, so a decision about other cells leaves it alone.
pub fn token(content: Digest, analysis: &Analysis) -> Digest {
    let mut hasher = Hasher::default();
    hasher.text("volledger/token/2");
    hasher.update(&content.0);
    hasher.update(&analysis.digest.0);
    hasher.finish()
}
