//! What was recovered of a hurt ledger.

use super::DamageLine;
use serde::Serialize;

/// What of a hurt ledger verifies: `volledger/recover/1`.
#[derive(Clone, Debug, Serialize)]
pub struct RecoverReport {
    /// `volledger/recover/1`.
    pub schema: &'static str,
    /// Whether nothing that was acknowledged is lost.
    pub whole: bool,
    /// The hurt ledger's directory.
    pub from: String,
    /// The new ledger's directory; none when this was only a look.
    pub to: Option<String>,
    /// The log's size as HEAD says; none when HEAD is lost.
    pub head: Option<u64>,
    /// The size of the log that is sound.
    pub position: u64,
    /// Its root.
    pub log_root: String,
    /// What vouches for the root: `HEAD`, `mirror`, `nothing`.
    pub confirmed_by: &'static str,
    /// What was taken from where: a line for entries, blocks and sources.
    pub taken: Vec<TakenLine>,
    /// Batches whose events are lost.
    pub lost: Vec<LostLine>,
    /// Batches that are whole, but staged after a lost one, and so not in the new ledger.
    pub behind: Vec<String>,
    /// Sources whose bytes are lost; the events read from them are not.
    pub missing: Vec<MissingLine>,
    /// What is hurt in the directory.
    pub hurt: Vec<DamageLine>,
}

/// How many things came from where.
#[derive(Clone, Debug, Serialize)]
pub struct TakenLine {
    /// `entries`, `blocks`, `sources`.
    pub what: &'static str,
    /// From the engine, or where the engine says.
    pub engine: u64,
    /// From the mirror.
    pub mirror: u64,
    /// Found by searching the packs.
    pub packs: u64,
}

/// A batch whose events are lost.
#[derive(Clone, Debug, Serialize)]
pub struct LostLine {
    /// Its name, `b3`.
    pub batch: String,
    /// Where it was staged.
    pub staged_at: u64,
    /// How many events it had.
    pub events: u64,
    /// Why they are lost.
    pub what: String,
}

/// A source whose bytes are lost.
#[derive(Clone, Debug, Serialize)]
pub struct MissingLine {
    /// Its digest.
    pub source: String,
    /// Its name.
    pub name: String,
    /// The first batch that was read from it.
    pub batch: String,
}
