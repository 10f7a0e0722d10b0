//! Plain results of the application, ready to be rendered as a table or as JSON.
//!
//! Field names are those of the contract (`schemas/output/`). Numbers that came from a source go
//! out with the source's digits, so they are kept as raw JSON.

use crate::domain::{Digest, Finding, Value};
use crate::projections::diff::{Change, Gap, SymbolDiff};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A number as JSON with exactly these digits, or the nearest JSON value.
pub fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Dec(decimal) => json_decimal(decimal),
        Value::Num(text) | Value::Json(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| text.to_string().into())
        }
        Value::Text(text) => text.to_string().into(),
    }
}

/// A decimal as a JSON number with its digits.
pub fn json_decimal(decimal: &Decimal) -> serde_json::Value {
    serde_json::from_str(&decimal.to_string()).unwrap_or(serde_json::Value::Null)
}

fn shown<T: ToString, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&value.to_string())
}

/// A review of a batch: `volledger/review/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    /// `volledger/review/1`.
    pub schema: &'static str,
    /// The batch; `None` for a dry run.
    pub batch: Option<String>,
    /// Its state; `None` for a dry run.
    pub state: Option<&'static str>,
    /// Its content id.
    pub content_id: Option<String>,
    /// What `confirm --expect` takes.
    pub token: Option<String>,
    /// The position that it was compared with.
    pub position: u64,
    /// Whether this content was here before.
    pub known: bool,
    /// The mapping that read it.
    pub mapping: String,
    /// `replace`, or `keep` for a batch that only fills.
    pub overlap: &'static str,
    /// The batch that confirming this one takes out of the views.
    pub supersedes: Option<String>,
    /// The sources.
    pub sources: Vec<SourceLine>,
    /// The rows, counted.
    pub rows: RowsLine,
    /// Per view and symbol what would change.
    pub series: Vec<SeriesLine>,
    /// What the reader noticed.
    pub findings: Vec<FindingLine>,
    /// The largest changes, or all of them.
    pub changes: Vec<ChangeLine>,
    /// How many changes there are in all.
    pub changes_total: u64,
}

/// A source of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct SourceLine {
    /// How it arrived.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub digest: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Rows, counted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct RowsLine {
    /// Rows that are not blank.
    pub read: u64,
    /// Rows that are used.
    pub accepted: u64,
    /// Rows that cannot be used.
    pub rejected: u64,
    /// Rows without content.
    pub blank: u64,
    /// Distinct keys among the accepted rows.
    pub effective: u64,
    /// `retract` events derived from what the source lacks.
    pub retracted: u64,
}

/// One view and symbol of a review.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesLine {
    /// The view.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// First day of the batch.
    pub from: Option<String>,
    /// Last day of the batch.
    pub to: Option<String>,
    /// Largest difference that counts as drift, in volatility points.
    pub threshold_points: Option<serde_json::Value>,
    /// Days that are not there yet.
    pub new: u64,
    /// Days that differ by more than the threshold.
    pub changed: u64,
    /// Days that differ by less.
    pub drifted: u64,
    /// Days that are the same.
    pub same: u64,
    /// Days that get further fields, or other secondary values.
    pub extended: u64,
    /// Days that stay and get another value in anything.
    pub touched: u64,
    /// Days that would not be shown any more.
    pub removed: u64,
    /// Days of the view that the batch says nothing about.
    pub only_here: u64,
    /// Rows that repeat a key.
    pub duplicates: Duplicates,
    /// Holes between neighbouring days of the batch.
    pub gaps: Vec<GapLine>,
    /// New and changed days without a value in the hv view.
    pub missing_hv: u64,
    /// New and changed days without a value in the spot view.
    pub missing_spot: u64,
}

/// Rows that repeat a key.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Duplicates {
    /// With equal values.
    pub identical: u64,
    /// With other values.
    pub conflicting: u64,
}

/// A hole, in trading days.
#[derive(Clone, Debug, Serialize)]
pub struct GapLine {
    /// The day before it.
    pub from: String,
    /// The day after it.
    pub to: String,
    /// Trading days missing.
    pub missing: u32,
}

impl From<&Gap> for GapLine {
    fn from(gap: &Gap) -> Self {
        Self { from: gap.from.to_string(), to: gap.to.to_string(), missing: gap.missing }
    }
}

/// A finding.
#[derive(Clone, Debug, Serialize)]
pub struct FindingLine {
    /// Stable code.
    pub code: String,
    /// info, warning, reject, fatal.
    pub severity: &'static str,
    /// The source's name.
    pub source: Option<String>,
    /// Physical line.
    pub line: Option<u32>,
    /// The day meant.
    pub date: Option<String>,
    /// How many rows or cells.
    pub count: u64,
    /// One sentence.
    pub text: String,
}

impl FindingLine {
    /// A finding of a source.
    pub fn of(finding: &Finding, source: Option<String>) -> Self {
        Self {
            code: finding.code.clone(),
            severity: finding.severity.name(),
            source,
            line: finding.line,
            date: finding.day.map(|day| day.to_string()),
            count: finding.count,
            text: finding.text.clone(),
        }
    }
}

/// One cell that differs.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeLine {
    /// new, changed, drifted, added, removed, same.
    pub kind: &'static str,
    /// The view.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// The day.
    pub date: String,
    /// The field.
    pub field: String,
    /// The value before.
    pub old: Option<serde_json::Value>,
    /// The value after.
    pub new: Option<serde_json::Value>,
    /// The difference in volatility points.
    pub delta_points: Option<serde_json::Value>,
}

impl From<&Change> for ChangeLine {
    fn from(change: &Change) -> Self {
        Self {
            kind: change.kind.name(),
            series: change.series.name(),
            symbol: change.symbol.to_string(),
            date: change.day.to_string(),
            field: change.field.name().to_owned(),
            old: change.old.as_ref().map(json_value),
            new: change.new.as_ref().map(json_value),
            delta_points: change.delta_points.as_ref().map(json_decimal),
        }
    }
}

impl From<&SymbolDiff> for SeriesLine {
    fn from(diff: &SymbolDiff) -> Self {
        Self {
            series: diff.series.name(),
            symbol: diff.symbol.to_string(),
            from: diff.days.map(|(from, _)| from.to_string()),
            to: diff.days.map(|(_, to)| to.to_string()),
            threshold_points: diff.threshold_points.map(|points| {
                // Always with a decimal, as the contract shows it: 3.0.
                let text = points.normalize().to_string();
                let text = if text.contains('.') { text } else { format!("{text}.0") };
                serde_json::from_str(&text).unwrap_or(serde_json::Value::Null)
            }),
            new: diff.new,
            changed: diff.changed,
            drifted: diff.drifted,
            same: diff.same,
            extended: diff.extended,
            touched: diff.touched,
            removed: diff.removed,
            only_here: diff.only_here,
            duplicates: Duplicates { identical: diff.identical, conflicting: diff.conflicting },
            gaps: diff.gaps.iter().map(GapLine::from).collect(),
            missing_hv: diff.missing_hv,
            missing_spot: diff.missing_spot,
        }
    }
}

/// The result of a decision: `volledger/decision/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// `volledger/decision/1`.
    pub schema: &'static str,
    /// commit, discard, rollback, reinstate, supersede; `none` when nothing was to do.
    pub action: &'static str,
    /// Whether it was only planned.
    pub plan: bool,
    /// `undo`, `redo` or null.
    pub via: Option<&'static str>,
    /// The position after it.
    pub position: u64,
    /// The log's root after it.
    pub log_root: String,
    /// The batches and their states.
    pub batches: Vec<BatchChange>,
    /// Why.
    pub reason: Option<String>,
    /// Shown days that come, change and go, by view.
    pub changes: Vec<ViewEffect>,
}

/// What a decision does to one view.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ViewEffect {
    /// The view.
    pub series: &'static str,
    /// Symbols touched.
    pub symbols: u64,
    /// Days that come.
    pub added: u64,
    /// Days that get other values.
    pub changed: u64,
    /// Days that go.
    pub removed: u64,
    /// Days that the view shows of these symbols afterwards.
    pub days: u64,
}

/// A batch's change of state.
#[derive(Clone, Debug, Serialize)]
pub struct BatchChange {
    /// The batch.
    pub batch: String,
    /// Its state before.
    pub from: &'static str,
    /// Its state after.
    pub to: &'static str,
}

/// All batches: `volledger/batches/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Batches {
    /// `volledger/batches/1`.
    pub schema: &'static str,
    /// Oldest first.
    pub batches: Vec<BatchLine>,
}

/// One batch.
#[derive(Clone, Debug, Serialize)]
pub struct BatchLine {
    /// Its number.
    pub batch: String,
    /// Its state.
    pub state: &'static str,
    /// The views that it speaks of.
    pub series: Vec<&'static str>,
    /// How many symbols.
    pub symbols: u32,
    /// Accepted rows.
    pub rows: u64,
    /// Rejected rows.
    pub rejected: u64,
    /// The mapping that read it.
    pub mapping: String,
    /// The first source's name, and how many more.
    pub source: String,
    /// When it was staged, RFC 3339.
    pub staged_at: String,
    /// When it was first confirmed.
    pub confirmed_at: Option<String>,
    /// The reason given with the last decision about it.
    pub reason: Option<String>,
}

/// One symbol of a view: `volledger/view/1`.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// `volledger/view/1`.
    pub schema: &'static str,
    /// The view.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// The position shown.
    pub position: u64,
    /// The digest of everything that the view shows of the symbol at this position.
    pub digest: String,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The columns, in order, without `date`.
    #[serde(skip)]
    pub columns: Vec<String>,
    /// One object a day.
    pub rows: Vec<ViewRow>,
}

/// One day of a view.
#[derive(Clone, Debug, Serialize)]
pub struct ViewRow {
    /// The day.
    pub date: String,
    /// The values by field.
    #[serde(flatten)]
    pub values: serde_json::Map<String, serde_json::Value>,
    /// The fields that only fill a hole (a lower class of source).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fill: Vec<String>,
}

/// The result of a verification: `volledger/verify/1`.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyReport {
    /// `volledger/verify/1`.
    pub schema: &'static str,
    /// Whether everything is as recorded.
    pub ok: bool,
    /// Whether blocks, sources and views were read whole.
    pub deep: bool,
    /// The log's size.
    pub position: u64,
    /// The log's root.
    pub log_root: String,
    /// Row events.
    pub events: u64,
    /// Batches.
    pub batches: u64,
    /// Sources (with manifests and mappings).
    pub sources: u64,
    /// Views compared with their rebuild (deep) or present.
    pub projections: u64,
    /// What is not as recorded.
    pub damage: Vec<DamageLine>,
    /// Views that differ from their rebuild.
    pub stale: Vec<String>,
}

/// Something that is not as recorded.
#[derive(Clone, Debug, Serialize)]
pub struct DamageLine {
    /// What it is about.
    pub place: String,
    /// What was found.
    pub what: String,
}

/// Where a value comes from: `volledger/why/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Why {
    /// `volledger/why/1`.
    pub schema: &'static str,
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
    /// put, retract or reject.
    pub op: &'static str,
    /// The hash of its canonical bytes.
    pub leaf: String,
    /// The batch.
    pub batch: String,
    /// The batch's state now.
    pub state: &'static str,
    /// When it was recorded (staged).
    pub recorded_at: String,
    /// When the batch was first confirmed.
    pub confirmed_at: Option<String>,
    /// The mapping that read it.
    pub mapping: String,
    /// The source's name.
    pub source: String,
    /// The source's digest.
    pub source_digest: String,
    /// Physical line, or item number.
    pub line: u32,
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
}

/// `volledger/event/1`: an event or a control entry.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// A row event.
    Row {
        /// `volledger/event/1`.
        schema: &'static str,
        /// The event.
        #[serde(flatten)]
        event: Box<EventLine>,
    },
    /// A control entry.
    Entry {
        /// `volledger/event/1`.
        schema: &'static str,
        /// The entry.
        #[serde(flatten)]
        entry: Box<EntryLine>,
    },
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
    /// stage, commit, discard, rollback, reinstate, supersede, note.
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

/// The control log: `volledger/log/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Log {
    /// `volledger/log/1`.
    pub schema: &'static str,
    /// The log's size.
    pub position: u64,
    /// The log's root.
    pub log_root: String,
    /// Newest first.
    pub entries: Vec<EntryLine>,
}

/// The difference of two positions: `volledger/diff/1`.
#[derive(Clone, Debug, Serialize)]
pub struct PositionDiff {
    /// `volledger/diff/1`.
    pub schema: &'static str,
    /// The first position.
    pub from: u64,
    /// The second position.
    pub to: u64,
    /// How many changes of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// All changes.
    pub changes: Vec<ChangeLine>,
}

/// Missing trading days: `volledger/gaps/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Gaps {
    /// `volledger/gaps/1`.
    pub schema: &'static str,
    /// The position.
    pub position: u64,
    /// Per symbol and view.
    pub rows: Vec<GapsLine>,
}

/// The holes of one series.
#[derive(Clone, Debug, Serialize)]
pub struct GapsLine {
    /// The view.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// First day shown.
    pub from: Option<String>,
    /// Last day shown.
    pub to: Option<String>,
    /// Days shown.
    pub days: u64,
    /// Trading days missing in between.
    pub missing: u64,
    /// The holes.
    pub gaps: Vec<GapLine>,
    /// Days shown on which the exchange was closed.
    pub non_trading_days: Vec<String>,
}

/// The state of a ledger: `volledger/status/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// `volledger/status/1`.
    pub schema: &'static str,
    /// Where it is.
    pub ledger: String,
    /// The format of what is stored.
    pub format: u32,
    /// The log's size.
    pub position: u64,
    /// The log's root.
    pub log_root: String,
    /// Row events in all batches.
    pub events: u64,
    /// Batches by state.
    pub batches: BTreeMap<&'static str, u64>,
    /// Batches that wait for a decision.
    pub open: Vec<String>,
    /// Per view the symbols and days.
    pub views: Vec<StatusView>,
    /// Size on disk in bytes.
    pub bytes: u64,
    /// The last entry's time.
    pub last_entry: Option<String>,
    /// What opening noticed.
    pub notes: Vec<String>,
}

/// A view in `status`.
#[derive(Clone, Debug, Serialize)]
pub struct StatusView {
    /// The view.
    pub series: &'static str,
    /// Symbols with at least one day.
    pub symbols: u64,
    /// Days over all symbols.
    pub days: u64,
    /// First day.
    pub from: Option<String>,
    /// Last day.
    pub to: Option<String>,
}

/// What an export wrote.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// `volledger/exported/1`.
    pub schema: &'static str,
    /// The files written.
    pub files: Vec<String>,
    /// Records written.
    pub rows: u64,
    /// The position exported.
    pub position: u64,
    /// The digest of what was exported.
    #[serde(serialize_with = "shown")]
    pub digest: Digest,
    /// The document itself, where it goes to standard output.
    #[serde(skip)]
    pub text: Option<String>,
}

/// A JSON text that is already written.
pub type Raw = Box<RawValue>;
