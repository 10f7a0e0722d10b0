//! What a review says.

use super::{json_decimal, json_value};
use crate::domain::Finding;
use crate::projections::diff::{Change, Gap, SymbolDiff};
use crate::sources::tomic;
use serde::Serialize;

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
    /// Why `--yes` did not confirm it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking: Option<Vec<String>>,
    /// What a fetch asked and got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Box<super::FetchReport>>,
}

impl Review {
    /// The review of nothing: a fetch that found nothing new.
    pub fn of_nothing(position: u64, mapping: &str) -> Self {
        Self {
            schema: "volledger/review/1",
            batch: None,
            state: None,
            content_id: None,
            token: None,
            position,
            known: true,
            mapping: mapping.to_owned(),
            overlap: "replace",
            supersedes: None,
            sources: Vec::new(),
            rows: RowsLine::default(),
            series: Vec::new(),
            findings: Vec::new(),
            changes: Vec::new(),
            changes_total: 0,
            blocking: None,
            fetch: None,
        }
    }
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

/// The code of the finding about repeated keys.
pub(in crate::app) const DUPLICATE_DATES: &str = "duplicate_dates";

/// The code of the finding about one snapshot under two dates; it keeps `--yes` from confirming.
pub(in crate::app) const SAME_QUOTES: &str = "same_quotes_other_date";

/// Findings about a batch as a whole, or about a file that was left out of it: recorded with its
/// first source, of which they say nothing.
const OF_THE_BATCH: [&str; 8] = [
    DUPLICATE_DATES,
    tomic::LEFT_OUT,
    "imported_batch",
    "invalid_symbol",
    SAME_QUOTES,
    "skipped_file",
    "split",
    "untold_rejects",
];

impl FindingLine {
    /// A finding of a source.
    pub fn of(finding: &Finding, source: Option<String>) -> Self {
        let of_all = finding.line.is_none() && OF_THE_BATCH.contains(&finding.code.as_str());
        let source = source.filter(|_| !of_all);
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
    /// The contract, bar or article, in series that have several a day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub item: String,
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
            item: change.item.to_string(),
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
