//! Where values come from, and what was decided when.

use super::ErasureLine;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where a value comes from: `volledger/why/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/why/1")]
pub struct Why {
    /// The view.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// The day.
    pub date: String,
    /// The position asked about.
    pub position: u64,
    /// One entry per shown field.
    pub fields: Vec<WhyField>,
    /// Erasures that took an assertion about this day: what is shown may be an older value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erasures: Vec<ErasureLine>,
}

/// Where one field's value comes from.
#[derive(Clone, Debug, Serialize)]
pub struct WhyField {
    /// The field.
    pub field: String,
    /// The value shown.
    pub value: serde_json::Value,
    /// The event that asserted it.
    pub event: EventLine,
    /// Other assertions about the field, strongest first.
    pub replaced: Vec<Replaced>,
}

/// An assertion that is not shown.
#[derive(Clone, Debug, Serialize)]
pub struct Replaced {
    /// The value; null when it was retracted.
    pub value: Option<serde_json::Value>,
    /// put or retract.
    pub op: &'static str,
    /// The event.
    pub event: String,
    /// The batch's state at the position.
    pub state: &'static str,
}

/// An event with its place and proof.
#[derive(Clone, Debug, Serialize)]
pub struct EventLine {
    /// `b7/3`.
    pub event: String,
    /// put, retract, reject or erased.
    pub op: &'static str,
    /// The hash of its canonical bytes.
    pub leaf: String,
    /// The batch.
    pub batch: String,
    /// The batch's state at the position that was asked about.
    pub state: &'static str,
    /// When it was recorded (staged).
    pub recorded_at: String,
    /// When the batch was first confirmed, if it was by then.
    pub confirmed_at: Option<String>,
    /// The mapping that read it.
    pub mapping: String,
    /// The source's name.
    pub source: String,
    /// The source's digest.
    pub source_digest: String,
    /// Physical line, or item number.
    pub line: u32,
    /// Which of the two: `line`, or `item` of a JSON document.
    #[serde(skip)]
    pub counted: &'static str,
    /// Byte offset in the source.
    pub offset: u64,
    /// Length in bytes.
    pub length: u32,
    /// The bytes themselves, as text.
    pub raw: String,
    /// The finding code of a reject.
    pub code: Option<String>,
    /// The values asserted.
    pub values: BTreeMap<String, serde_json::Value>,
    /// Whether the leaf leads to the batch root, and that root is in the log.
    pub proven: bool,
    /// Whether the bytes of its source are lost, as in a ledger that was recovered: then `raw` is empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// The erasure of the event, or of its source's bytes alone: then `raw` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased: Option<ErasureLine>,
}

/// `volledger/event/1`: an event or a control entry.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema")]
pub enum Shown {
    /// A row event.
    #[serde(rename = "volledger/event/1")]
    Row(Box<EventLine>),
    /// A control entry.
    #[serde(rename = "volledger/event/1")]
    Entry(Box<EntryLine>),
}

/// A control entry.
#[derive(Clone, Debug, Serialize)]
pub struct EntryLine {
    /// Its position.
    pub position: u64,
    /// When it was recorded.
    pub time: String,
    /// Who recorded it.
    pub actor: String,
    /// The program's version.
    pub tool: String,
    /// stage, commit, discard, rollback, reinstate, supersede, note, erase, or a step of a projection.
    pub kind: &'static str,
    /// The batches that it is about.
    pub batches: Vec<String>,
    /// `undo #5`, `redo #5`, or null.
    pub via: Option<String>,
    /// Why, or the note's text.
    pub reason: Option<String>,
    /// One line for a person.
    pub text: String,
    /// Whether its clock stands before that of the entry before it.
    pub clock_ran_back: bool,
}

impl EntryLine {
    /// The text for a list: a query may be as long as a page, and an erasure of hundreds of batches.
    pub fn brief(&self) -> String {
        const MOST: usize = 80;
        match self.text.char_indices().nth(MOST) {
            Some((end, _)) if ["projection-add", "erase"].contains(&self.kind) => {
                let text = self.text.get(..end).unwrap_or_default();
                format!("{text} … (`volledger show '#{}'`)", self.position)
            }
            _ => self.text.clone(),
        }
    }
}

/// The control log: `volledger/log/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/log/1")]
pub struct Log {
    /// The position looked back to.
    pub position: u64,
    /// The log's root there.
    pub log_root: String,
    /// The symbol whose batches are told of, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// How many earlier entries are left out.
    #[serde(skip)]
    pub earlier: u64,
    /// Newest first.
    pub entries: Vec<EntryLine>,
}
