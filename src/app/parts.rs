//! What a split left: a part of a batch beside the other part, and the whole that both came from.

mod twins;
mod wholes;

pub use twins::with_twins;
pub(super) use wholes::sources;
pub use wholes::wholes;

use super::error::{AppError, Result};
use crate::domain::Stage;

/// Refuses to read the sources of a part anew: they hold more rows than the part.
///
/// # Errors
/// [`AppError::Usage`].
pub fn refuse_part(stage: &Stage) -> Result<()> {
    if !stage.is_part() {
        return Ok(());
    }
    let text = format!(
        "{} is a part of a batch that was split, and its sources hold more than it: it cannot be \
         replayed; take back both parts, reinstate the whole and replay that",
        stage.batch
    );
    Err(AppError::Usage(text))
}
