//! Who confirms, and under which rule.

use super::{Batch, Refusal};
use crate::domain::BatchId;

/// Who confirms, and under which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmer {
    /// The name that the entry will bear.
    pub actor: String,
    /// Whether it must be another one than who staged the batch.
    pub two_person: bool,
}

impl Confirmer {
    /// Whether the two-person rule lets them confirm a batch.
    ///
    /// # Errors
    /// [`Refusal::SamePerson`].
    pub fn may_confirm(&self, id: BatchId, batch: &Batch) -> Result<(), Refusal> {
        self.is_another(id, None, batch)
    }

    /// Whether it lets them confirm a batch whose rows came with a whole that it is a part of.
    ///
    /// # Errors
    /// [`Refusal::SamePerson`].
    pub fn may_confirm_part(
        &self,
        id: BatchId,
        (whole, batch): (BatchId, &Batch),
    ) -> Result<(), Refusal> {
        self.is_another(id, Some(whole), batch)
    }

    fn is_another(
        &self,
        id: BatchId,
        whole: Option<BatchId>,
        staged: &Batch,
    ) -> Result<(), Refusal> {
        if self.two_person && self.actor == staged.staged_by {
            return Err(Refusal::SamePerson { batch: id, whole, actor: self.actor.clone() });
        }
        Ok(())
    }
}

/// What somebody staged: the batch itself, or the whole that it is a part of.
pub(super) fn what_was_staged(whole: Option<&BatchId>) -> String {
    whole.map_or_else(|| "it".to_owned(), |whole| format!("{whole}, of which it is a part"))
}
