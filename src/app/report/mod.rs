//! Plain results of the application, ready to be rendered as a table or as JSON.
//!
//! Field names are those of the contract (`schemas/output/`). Numbers that came from a source go
//! out with the source's digits, so they are kept as raw JSON.

mod audit;
mod chart;
mod config;
mod coverage;
mod earnings;
mod erased;
mod export;
mod fetch;
mod health;
mod metrics;
mod overview;
mod projection;
mod proof;
mod recover;
mod review;
mod split;
mod trace;

pub use audit::*;
pub use chart::*;
pub use config::*;
pub use coverage::*;
pub use earnings::*;
pub use erased::*;
pub use export::*;
pub use fetch::*;
pub use health::{Health, HealthCheck};
pub use metrics::*;
pub use overview::*;
pub use projection::*;
pub use proof::*;
pub use recover::*;
pub use review::*;
pub use split::*;
pub use trace::*;

use crate::domain::Value;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
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

/// The result of a decision: `volledger/decision/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/decision/1")]
pub struct Decided {
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
    /// Kept projections, brought up to the head.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<Refreshed>,
}

/// What a decision does to one view.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ViewEffect {
    /// The view.
    pub series: &'static str,
    /// Symbols of which a day comes, changes or goes.
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

impl ViewEffect {
    /// Adds what another part of the view counted.
    pub fn add(&mut self, other: &Self) {
        self.symbols += other.symbols;
        self.added += other.added;
        self.changed += other.changed;
        self.removed += other.removed;
        self.days += other.days;
    }
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
#[serde(tag = "schema", rename = "volledger/batches/1")]
pub struct Batches {
    /// Oldest first.
    pub batches: Vec<BatchLine>,
}

/// One batch.
#[derive(Clone, Debug, Default, Serialize)]
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
#[serde(tag = "schema", rename = "volledger/view/1")]
pub struct View {
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
    /// How many events of the days asked for were erased: older values may stand in their place, or
    /// none. Left out when there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub erased: u64,
    /// By which erasures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub erasures: Vec<ErasureLine>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
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
#[serde(tag = "schema", rename = "volledger/verify/1")]
pub struct VerifyReport {
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
    /// Views and projections compared with their rebuild.
    pub projections: u64,
    /// Whether nothing but these was looked at.
    #[serde(skip)]
    pub views_only: bool,
    /// What was not looked at, since the ledger cannot be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<Part>,
    /// What is not as recorded.
    pub damage: Vec<DamageLine>,
    /// Of the damage, files that are not here any more; the events read from them are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingLine>,
    /// Views that differ from their rebuild.
    pub stale: Vec<String>,
    /// The checkpoint that the log was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
}

/// A part of a ledger's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The engine's, with the views in them.
    Engine,
    /// The mirror.
    Mirror,
}

/// Something that is not as recorded.
#[derive(Clone, Debug, Serialize)]
pub struct DamageLine {
    /// What it is about.
    pub place: String,
    /// What was found.
    pub what: String,
}

/// The difference of two positions: `volledger/diff/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/diff/1")]
pub struct PositionDiff {
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
#[serde(tag = "schema", rename = "volledger/gaps/1")]
pub struct Gaps {
    /// The position.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
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
    /// First day with a value.
    pub from: Option<String>,
    /// Last day with a value.
    pub to: Option<String>,
    /// Days with a value; a null is none.
    pub days: u64,
    /// Trading days in between without one.
    pub missing: u64,
    /// The holes.
    pub gaps: Vec<GapLine>,
    /// Days with a value on which the exchange was closed.
    pub non_trading_days: Vec<String>,
    /// What a service was asked about the symbol, and how it answered; other days were not asked.
    pub coverage: Vec<CoverageLine>,
}

/// What is known of having asked about a range of days.
#[derive(Clone, Debug, Serialize)]
pub struct CoverageLine {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// data, empty, not-entitled, failed.
    pub fact: &'static str,
    /// What the service said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// A split after the answer, until the prices of these days are asked again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

/// How many subjects of a view a service was asked about, by the newest answers.
#[derive(Clone, Debug, Serialize)]
pub struct StatusCoverage {
    /// The view.
    pub series: &'static str,
    /// Symbols (and lengths of bars, expiries …) asked about.
    pub asked: u64,
    /// Of those, with at least one day of data.
    pub data: u64,
    /// With at least one day that is empty.
    pub empty: u64,
    /// With at least one day that the plan does not include.
    pub not_entitled: u64,
    /// With at least one day that failed.
    pub failed: u64,
}

/// The state of a ledger: `volledger/status/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/status/1")]
pub struct Status {
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
    /// Kept projections that are not current.
    pub stale: Vec<ProjectionLine>,
    /// Computed values that no longer follow from the data: `derive` brings them up to date.
    pub outdated: Vec<StatusOutdated>,
    /// Per view what a service was asked.
    pub coverage: Vec<StatusCoverage>,
    /// Bytes of answers that an interrupted fetch was given, and that are in no batch yet.
    pub inbox: u64,
    /// Size on disk in bytes.
    pub bytes: u64,
    /// The last entry's time.
    pub last_entry: Option<String>,
    /// What opening noticed.
    pub notes: Vec<String>,
}

/// Computed values in `status` that no longer follow from the data.
#[derive(Clone, Debug, Serialize)]
pub struct StatusOutdated {
    /// The view that shows them.
    pub series: &'static str,
    /// Whose values.
    pub symbols: Vec<String>,
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
