//! What was recovered of a hurt ledger.

use super::DamageLine;
use serde::Serialize;

/// What of a hurt ledger verifies: `volledger/recover/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/recover/1")]
pub struct RecoverReport {
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
    /// What vouches for the log as far as `confirmed_to`: `HEAD`, `mirror`, `nothing`.
    pub confirmed_by: &'static str,
    /// As far as that vouches for it.
    pub confirmed_to: u64,
    /// The batches behind that: they are whole and taken, and nothing says that they were acknowledged.
    pub beyond: Vec<String>,
    /// Whether something says that no more was acknowledged than is here.
    pub end_known: bool,
    /// What was taken from where: a line for entries, blocks and sources.
    pub taken: Vec<TakenLine>,
    /// Batches whose events are lost.
    pub lost: Vec<LostLine>,
    /// Batches that are whole, but staged after a lost one, and so not in the new ledger.
    pub behind: Vec<String>,
    /// Entries that are there, and not taken: they are not those of this log.
    pub left_out: Vec<LeftOutLine>,
    /// Erasures of these batches whose entries are not in the sound log: another entry says so.
    pub erased_again: Vec<ErasedAgainLine>,
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

/// Entries that are there, and not taken.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOutLine {
    /// `engine`, `mirror`, `engine and mirror`.
    pub place: String,
    /// The position of the first.
    pub from: u64,
    /// How many.
    pub entries: u64,
    /// The batches that they stage.
    pub batches: Vec<String>,
}

/// An erasure that another entry says now.
#[derive(Clone, Debug, Serialize)]
pub struct ErasedAgainLine {
    /// That entry, behind the sound log.
    pub entry: u64,
    /// Where the erasure stood before.
    pub was: u64,
    /// Whether who erased, when and why is still known.
    pub known: bool,
    /// The batches.
    pub batches: Vec<String>,
    /// How many events of them.
    pub events: u64,
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
