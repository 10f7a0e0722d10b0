//! Who did what with which batch, for whoever has to check it later.

use serde::Serialize;

/// The audit of a ledger: `volledger/audit/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/audit/1")]
pub struct Audit {
    /// The log's size at the position asked about.
    pub position: u64,
    /// The log's root there.
    pub log_root: String,
    /// Only batches that this person had to do with; null for all.
    pub actor: Option<String>,
    /// Only batches with an act since then; null for all.
    pub since: Option<String>,
    /// What an auditor should look at.
    pub findings: Vec<AuditFinding>,
    /// The batches, oldest first, with everything that was done with them.
    pub batches: Vec<AuditBatch>,
}

/// What an auditor should look at.
#[derive(Clone, Debug, Serialize)]
pub struct AuditFinding {
    /// `same_person`, `accepted_findings`, `erased` or `clock_ran_back`.
    pub code: &'static str,
    /// The entry.
    pub position: u64,
    /// The batch, where it is about one.
    pub batch: Option<String>,
    /// Who made the entry.
    pub actor: String,
    /// One line for a person.
    pub text: String,
}

/// A batch, and what was done with it.
#[derive(Clone, Debug, Serialize)]
pub struct AuditBatch {
    /// The batch.
    pub batch: String,
    /// Its state at the position.
    pub state: &'static str,
    /// Its views.
    pub series: Vec<&'static str>,
    /// How many symbols it names.
    pub symbols: u32,
    /// Its events, rejected rows among them.
    pub events: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Events that were erased by then.
    pub erased: u64,
    /// What read it: name and version.
    pub mapping: String,
    /// Its sources; empty where the manifest cannot be read.
    pub sources: Vec<AuditSource>,
    /// Idempotency key of its content.
    pub content_id: String,
    /// Root over its events.
    pub batch_root: String,
    /// What was reviewed when it was confirmed.
    pub token: Option<String>,
    /// Findings when it was staged, by code.
    pub findings: Vec<AuditCount>,
    /// Findings that speak against confirming without a look, and were accepted by confirming it
    /// (by hand or with --force, which the log does not tell apart).
    pub accepted: Vec<String>,
    /// Whether who staged it also confirmed it.
    pub same_person: bool,
    /// Everything that was done with it, oldest first.
    pub acts: Vec<AuditAct>,
}

/// A source of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct AuditSource {
    /// Its name.
    pub name: String,
    /// Digest of its bytes.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Findings of a code.
#[derive(Clone, Debug, Serialize)]
pub struct AuditCount {
    /// The code.
    pub code: String,
    /// info, warning, reject or fatal.
    pub severity: &'static str,
    /// How many.
    pub count: u64,
}

/// Something that was done with a batch.
#[derive(Clone, Debug, Serialize)]
pub struct AuditAct {
    /// stage, commit, discard, rollback, reinstate, supersede or erase.
    pub what: &'static str,
    /// The batch's state from then on; null where it stays.
    pub state: Option<&'static str>,
    /// Who.
    pub actor: String,
    /// When, by the ledger's clock.
    pub time: String,
    /// The program's version.
    pub tool: String,
    /// The entry.
    pub position: u64,
    /// The log's root with that entry.
    pub log_root: String,
    /// `undo #5`, `redo #5`, or null.
    pub via: Option<String>,
    /// Why, where somebody said so.
    pub reason: Option<String>,
    /// How many events were erased.
    pub erased: Option<u64>,
}
