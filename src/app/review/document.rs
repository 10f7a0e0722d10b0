//! Writing down what a review found.

use super::{Analysis, token};
use crate::app::error::Result;
use crate::app::report::{ChangeLine, FindingLine, Review, RowsLine, SeriesLine, SourceLine};
use crate::domain::{BatchId, BatchState, Class, Day, Position, Reject, Severity, Stage};
use crate::ledger::Ledger;
use crate::ledger::codec::Manifest;
use std::collections::BTreeSet;

/// Rejected rows listed one by one in a review; the counts are complete.
const LISTED_REJECTS: usize = 1_000;

/// What a review document is made of.
pub struct Parts<'a> {
    /// The batch and its state; `None` for a dry run.
    pub batch: Option<(BatchId, BatchState)>,
    /// Its seal.
    pub stage: &'a Stage,
    /// Its sources.
    pub manifest: &'a Manifest,
    /// What it would change.
    pub analysis: &'a Analysis,
    /// Compared with which position.
    pub base: Position,
    /// Its rejected rows, the first of them.
    pub rejects: Vec<Reject>,
}

/// The rejected rows of a batch, at most `LISTED_REJECTS`.
pub fn rejects(ledger: &Ledger, stage: &Stage) -> Result<Vec<Reject>> {
    let mut found = Vec::new();
    if stage.rows.rejected == 0 {
        return Ok(found); // no block need be looked at
    }
    let mut reader = ledger.read(stage.batch);
    while let Some((index, header)) = reader.next_header()? {
        if header.series.is_none() && found.len() < LISTED_REJECTS {
            let mut window = crate::domain::Window::default();
            reader.read_into(index, &mut window)?;
            found.extend(window.rejects);
        }
    }
    found.truncate(LISTED_REJECTS);
    Ok(found)
}

/// The first ISO date within a text.
fn date_in(text: &str) -> Option<Day> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    words.filter_map(|word| word.parse().ok()).next()
}

/// What a batch was staged to do on days that are there already: `keep` if it only fills.
pub fn overlap(stage: &Stage) -> &'static str {
    let keeps = stage.views.iter().all(|part| part.class <= Class::Fill) && !stage.views.is_empty();
    if keeps { "keep" } else { "replace" }
}

/// Writes a review document.
pub fn document(parts: &Parts<'_>) -> Review {
    let (stage, analysis) = (parts.stage, parts.analysis);
    let source_name =
        |index: u32| parts.manifest.sources.get(index as usize).map(|source| source.name.clone());
    let cause = |reject: &Reject| {
        let mut sums = stage.findings.iter().filter(|sum| sum.severity == Severity::Reject);
        let of = sums.find(|sum| sum.source == reject.source && sum.code == *reject.code)?;
        of.first().filter(|_| of.line == Some(reject.line))
    };
    let mut findings: Vec<FindingLine> = parts
        .rejects
        .iter()
        .map(|reject| FindingLine {
            code: reject.code.to_string(),
            severity: Severity::Reject.name(),
            source: source_name(reject.source),
            line: Some(reject.line),
            date: date_in(&reject.raw).map(|day| day.to_string()),
            count: 1,
            text: match (&*reject.code, cause(reject)) {
                ("cell_count", _) => format!("not as many cells as the header: {}", reject.raw),
                (_, Some(cell)) => format!("cannot be used for {cell}: {}", reject.raw),
                (_, None) => format!("cannot be used: {}", reject.raw),
            },
        })
        .collect();
    // Sums of rejected rows are left out where each row is listed; what else was rejected, such as a
    // file of a folder, is no row.
    let listed_all = stage.rows.rejected == parts.rejects.len() as u64;
    let codes: BTreeSet<&str> = parts.rejects.iter().map(|reject| &*reject.code).collect();
    let others = stage.findings.iter().filter(|finding| {
        let sum = finding.severity == Severity::Reject && codes.contains(finding.code.as_str());
        !(sum && listed_all)
    });
    findings.extend(others.map(|finding| FindingLine::of(finding, source_name(finding.source))));
    let rows = stage.rows;
    Review {
        schema: "volledger/review/1",
        batch: parts.batch.map(|(id, _)| id.to_string()),
        state: parts.batch.map(|(_, state)| state.name()),
        content_id: Some(stage.content_id.to_string()),
        token: Some(token(stage.content_id, analysis).to_string()),
        position: parts.base.0,
        known: false,
        mapping: format!("{}/{}", stage.mapping.id, stage.mapping.version),
        overlap: overlap(stage),
        supersedes: stage.supersedes.map(|id| id.to_string()),
        sources: parts
            .manifest
            .sources
            .iter()
            .map(|source| SourceLine {
                kind: source.kind.name(),
                name: source.name.clone(),
                digest: source.digest.to_string(),
                bytes: source.size,
            })
            .collect(),
        rows: RowsLine {
            read: rows.read,
            accepted: rows.accepted,
            rejected: rows.rejected,
            blank: rows.blank,
            effective: rows.effective,
            retracted: rows.retracted,
        },
        series: analysis.diffs.iter().map(SeriesLine::from).collect(),
        findings,
        changes: analysis.changes.iter().map(ChangeLine::from).collect(),
        changes_total: analysis.total,
        blocking: None,
        fetch: None,
    }
}
