//! Proofs: that a row is in its batch, a batch in the log, a log in a later one.
//!
//! [`paths`] is the mathematics of trees, [`checkpoint`] the signed head of the log, [`file`](Proof)
//! the text that carries a proof to somebody without the ledger, [`says`] what it says in words.

pub mod checkpoint;
mod file;
mod make;
pub mod paths;
pub mod says;

pub use checkpoint::Checkpoint;
pub use file::{LogProof, Proof, Proven};

/// Why a proof, a checkpoint or a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is not in its form; nothing can be said of what it claims.
    #[error("{0}")]
    Malformed(String),
    /// It is in its form, and what it claims does not hold.
    #[error("{0}")]
    Fails(String),
}

impl ProofError {
    /// Something that is not in its form.
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// A claim that does not hold.
    pub fn fails(what: impl Into<String>) -> Self {
        Self::Fails(what.into())
    }
}
