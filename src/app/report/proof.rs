//! Keys, checkpoints and proofs.

use serde::Serialize;
use std::collections::BTreeMap;

/// A new signing key: `volledger/key/1`. The secret is in the file and nowhere else.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/key/1")]
pub struct NewKey {
    /// Its name, and the origin of the checkpoints that it signs.
    pub name: String,
    /// The public key: `name+hash+base64`.
    pub vkey: String,
    /// The file that holds the secret.
    pub file: String,
}

/// A signed checkpoint: `volledger/checkpoint/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/checkpoint/1")]
pub struct CheckpointSigned {
    /// Which log it is: the key's name.
    pub origin: String,
    /// The log's size.
    pub position: u64,
    /// The log's root, in hex.
    pub log_root: String,
    /// When it was signed first, RFC 3339.
    pub signed_at: String,
    /// Whether this head had been signed before.
    pub again: bool,
    /// The public key.
    pub vkey: String,
    /// The file that it was written to.
    pub file: Option<String>,
    /// The signed note.
    pub note: String,
}

/// What was signed: `volledger/checkpoints/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/checkpoints/1")]
pub struct Checkpoints {
    /// Whether every signature is good and the ledger extends every checkpoint.
    pub ok: bool,
    /// The log's size.
    pub position: u64,
    /// Oldest first.
    pub checkpoints: Vec<CheckpointLine>,
}

/// One checkpoint.
#[derive(Clone, Debug, Serialize)]
pub struct CheckpointLine {
    /// The log's size.
    pub position: u64,
    /// Which log it is.
    pub origin: String,
    /// The log's root, in hex.
    pub log_root: String,
    /// When it was signed, RFC 3339.
    pub signed_at: String,
    /// The public key.
    pub vkey: String,
    /// Whether the signature is that of the key.
    pub signature: bool,
    /// Whether the present log begins with the entries that it speaks of.
    pub holds: bool,
    /// The signed note.
    pub note: String,
}

/// The checkpoint that something is proven by.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProvenBy {
    /// Which log it is.
    pub origin: String,
    /// The log's size.
    pub position: u64,
    /// The log's root, in hex.
    pub log_root: String,
}

/// A proof that was written: `volledger/proof/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/proof/1")]
pub struct ProofWritten {
    /// row, entry or consistency.
    pub proves: &'static str,
    /// `b7/3`, `#12` or `#5–#9`.
    pub subject: String,
    /// The file.
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The checkpoint that it leads to; the later one of two.
    pub checkpoint: ProvenBy,
    /// The public key that it was checked with; null for a checkpoint from a file.
    pub vkey: Option<String>,
}

/// A proof that holds: `volledger/proven/1`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "schema", rename = "volledger/proven/1")]
pub struct ProvenReport {
    /// row, entry or consistency.
    pub proves: &'static str,
    /// What is proven, in a sentence.
    pub sentence: String,
    /// `b7/3`.
    pub event: Option<String>,
    /// put, retract or reject.
    pub op: Option<&'static str>,
    /// The batch.
    pub batch: Option<String>,
    /// The batch's content id.
    pub content_id: Option<String>,
    /// The digest of the manifest that names the batch's sources.
    pub manifest: Option<String>,
    /// The series.
    pub series: Option<&'static str>,
    /// The symbol.
    pub symbol: Option<String>,
    /// The day.
    pub date: Option<String>,
    /// The contract, bar or article.
    pub item: Option<String>,
    /// The values asserted.
    pub values: BTreeMap<String, serde_json::Value>,
    /// The position of the entry: of the batch's seal, or the one asked for.
    pub entry: Option<u64>,
    /// When that was recorded, RFC 3339.
    pub recorded_at: Option<String>,
    /// The checkpoint.
    pub checkpoint: ProvenBy,
    /// The earlier checkpoint of a consistency proof.
    pub since: Option<ProvenBy>,
}

/// A checkpoint that a verification compared the ledger with.
#[derive(Clone, Debug, Serialize)]
pub struct Against {
    /// What it says.
    #[serde(flatten)]
    pub checkpoint: ProvenBy,
    /// `good`, `bad` or `not checked` (without a key).
    pub signature: &'static str,
    /// Whether the log begins with what it speaks of, and the signature is not bad.
    pub ok: bool,
}
