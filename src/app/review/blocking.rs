//! Findings that stop a batch from being confirmed in passing.

use crate::app::report::SAME_QUOTES;
use crate::domain::{Finding, Severity, Stage};
use crate::sources::csv::DATE_FORMS;
use crate::sources::polygon::NO_CONTRACTS;
use crate::sources::tomic;

/// Codes of readings that were a guess, of a file that says nothing, and of one that was left out.
const ODD: [&str; 11] = [
    "ambiguous_date_order",
    "decimal_marks",
    NO_CONTRACTS,
    "no_rows",
    "other_symbols",
    "repeated_columns",
    SAME_QUOTES,
    "same_source",
    "suspect_scale",
    tomic::LEFT_OUT,
    "unread_column",
];

/// Codes of bars whose prices contradict each other, and of numbers that cannot be: elsewhere such rows are
/// rejected, and judged by how many of them are allowed; those of these findings are used.
const USED: [&str; 4] = ["close_out_of_range", "hv_out_of_range", "iv_out_of_range", "ohlc"];

/// A number with its noun.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Findings that a person should decide about: more rejected rows than are allowed, and what is odd
/// about the whole.
pub fn blocking(stage: &Stage, max_rejected: u64) -> Vec<String> {
    let mut found = Vec::new();
    if stage.rows.rejected > max_rejected {
        let mut text = counted(stage.rows.rejected, "rejected row", "rejected rows");
        let undated = stage.findings.iter().filter(|finding| {
            finding.severity == Severity::Reject && finding.code == "invalid_date"
        });
        let undated: u64 = undated.map(|finding| finding.count).sum();
        if undated > 0 {
            text += &format!(", {undated} without a date that is read ({DATE_FORMS})");
        }
        let rejects = stage.findings.iter().filter(|of| of.severity == Severity::Reject);
        if let Some(cell) = rejects.filter_map(Finding::first).next() {
            text += &format!(", the first for {cell}");
        }
        found.push(text);
    }
    if stage.duplicates_conflicting > 0 {
        let count = stage.duplicates_conflicting;
        found.push(counted(count, "row that contradicts another", "rows that contradict others"));
    }
    let odd = stage.findings.iter().filter(|finding| {
        let used = finding.severity != Severity::Reject;
        ODD.contains(&finding.code.as_str()) || (USED.contains(&finding.code.as_str()) && used)
    });
    found.extend(odd.map(|finding| finding.text.clone()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchId;

    #[test]
    fn bars_that_cannot_be_wait_where_they_are_used() {
        let stage = |severity| {
            let mut stage = crate::domain::entry::tests::stage(BatchId(1));
            stage.rows.rejected = u64::from(severity == Severity::Reject);
            stage.findings.push(Finding::about(0, "ohlc", severity, "a bar".to_owned()));
            stage
        };
        assert_eq!(blocking(&stage(Severity::Warning), 0), ["a bar"]);
        assert_eq!(blocking(&stage(Severity::Reject), 0), ["1 rejected row"]);
        assert_eq!(blocking(&stage(Severity::Reject), 1), [""; 0]);
    }
}
