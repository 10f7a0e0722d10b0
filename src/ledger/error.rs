//! What can go wrong with a ledger.

use crate::domain::{BatchId, Digest, EventId, Position};
use std::path::PathBuf;

/// An error of the ledger. Damage is its own kind: it is reported and never repaired silently.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// No ledger where one was expected.
    #[error("there is no ledger in {0}")]
    NotFound(PathBuf),
    /// A ledger where none was expected.
    #[error("{0} holds a ledger already")]
    Exists(PathBuf),
    /// A name that a new ledger cannot get.
    #[error("{} cannot become a ledger: {why}", .directory.display())]
    NoPlace {
        /// The name.
        directory: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// Bytes that are not what their place says; damage.
    #[error("the ledger is damaged: {what}")]
    Damaged {
        /// What was found, in a sentence.
        what: String,
    },
    /// A backup or a batch's file that is not as it was written. The ledger is not touched by it.
    #[error("the file is damaged: {what}")]
    Bundle {
        /// What was found.
        what: String,
    },
    /// A file that is no such bundle, or one of the other kind.
    #[error("{what}")]
    NoBundle {
        /// What it is instead, as far as that can be said.
        what: &'static str,
    },
    /// Bytes that do not decode.
    #[error("{what} cannot be decoded")]
    Malformed {
        /// What they should be.
        what: &'static str,
    },
    /// A later version of this program wrote it.
    #[error(
        "the ledger was written by a newer version (format {found}, this program reads {known})"
    )]
    Newer {
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// Another process has the ledger.
    #[error("another process holds the ledger: {holder}")]
    Held {
        /// What is known of it.
        holder: String,
    },
    /// The place cannot be written, or is full.
    #[error("cannot write {what}")]
    NotWritable {
        /// What was to be written.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// An erasure is recorded and was not carried out to its end: what it is to take may still be here.
    #[error("the erasure {at} is recorded, but not finished; until it is, nothing is shown")]
    Unfinished {
        /// Its entry.
        at: Position,
        /// Why it could not go on.
        source: Box<LedgerError>,
    },
    /// The operating system failed a read.
    #[error("cannot read {what}")]
    Io {
        /// What was to be read.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
    /// What was opened is no longer what its name leads to.
    #[error("the ledger was moved or replaced while it was open")]
    Moved,
    /// The storage engine failed.
    #[error("the storage engine failed: {0}")]
    Engine(String),
    /// An earlier write failed half-way, so this handle writes nothing more.
    #[error("an earlier write failed; nothing more is written by this process")]
    Poisoned,
    /// A value above the size that the engine keeps safely.
    #[error("a value of {size} bytes is above the engine's safe size")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// A source is not kept here.
    #[error("source {} is not in the ledger", .0.short())]
    NoSuchSource(Digest),
    /// A proof, checkpoint or key is refused.
    #[error(transparent)]
    Proof(#[from] super::proof::ProofError),
    /// An event is not here.
    #[error("there is no event {0}")]
    NoSuchEvent(EventId),
    /// A control entry is not here.
    #[error("there is no entry {0}")]
    NoSuchEntry(Position),
    /// A batch is not here.
    #[error("there is no batch {0}")]
    NoSuchBatch(BatchId),
    /// A position beyond the head.
    #[error("position {at} is beyond the head {head}")]
    NoSuchPosition {
        /// What was asked for.
        at: Position,
        /// The newest position.
        head: Position,
    },
    /// Whoever waits for the work asked it to stop; nothing of it was acknowledged.
    #[error("it was stopped; nothing of it counts")]
    Stopped,
    /// A batch may hold that many events.
    #[error("a batch holds at most 4,294,967,295 events")]
    TooManyEvents,
}

impl LedgerError {
    /// Damage, described.
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// A failed write.
    pub fn write(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::of_place(source, |source| Self::NotWritable { what: what.into(), source })
    }

    /// What kept an erasure from being finished. Damage and a ledger that was moved stay what they are.
    pub fn unfinished(at: Position, error: Self) -> Self {
        match error {
            error @ (Self::Damaged { .. } | Self::Malformed { .. } | Self::Moved) => error,
            error => Self::Unfinished { at, source: Box::new(error) },
        }
    }

    /// A failed read.
    pub fn read(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::of_place(source, |source| Self::Io { what: what.into(), source })
    }

    /// A file that cannot be opened: because it is looked for in another directory, or for another
    /// reason.
    pub(super) fn of_place(
        source: std::io::Error,
        other: impl FnOnce(std::io::Error) -> Self,
    ) -> Self {
        if super::files::Moved::is(&source) { Self::Moved } else { other(source) }
    }
}
