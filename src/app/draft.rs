//! A batch before it is sealed: its sources and their mapping, what was counted and found so far.

use super::Run;
use super::report::DUPLICATE_DATES;
use crate::domain::entry::RowCounts;
use crate::domain::{BatchId, Class, Day, Digest, Finding, Series, Severity, Stage};
use crate::ledger::codec::Manifest;
use crate::ledger::hash::Hasher;

/// What is known of a batch before it is sealed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The sources, in the order that events index them.
    pub manifest: Manifest,
    /// The mapping's name and version, and its definition.
    pub mapping: (String, u32, String),
    /// What the import was about.
    pub series: Series,
    /// Class of the values per view.
    pub classes: Vec<(Series, Class)>,
    /// Rows so far.
    pub rows: RowCounts,
    /// Findings so far.
    pub findings: Vec<Finding>,
    /// The day after which dates counted as future.
    pub as_of: Day,
    /// The batch that this one is to replace.
    pub supersedes: Option<BatchId>,
    /// Why content that was rolled back may come again.
    pub again: Option<String>,
    /// How many events were read and their root, where more follow from what the views show: what they
    /// take back.
    pub read: Option<(u64, Digest)>,
}

impl Draft {
    /// One without sources and rows yet, whose dates are judged by today; `class` is that of a view.
    pub(super) fn new(
        mapping: (String, u32, String),
        series: Series,
        class: impl Fn(Series) -> Class,
        run: &Run<'_>,
    ) -> Self {
        Self {
            manifest: Manifest::default(),
            mapping,
            series,
            classes: Series::ALL.map(|view| (view, class(view))).to_vec(),
            rows: RowCounts::default(),
            findings: Vec::new(),
            as_of: run.clock.today(),
            supersedes: None,
            again: None,
            read: None,
        }
    }

    /// The draft of a batch that is staged again. It keeps what `stage` said of its rows, but for
    /// repeated days, which are found again, and gets a finding (code and text) that says where it
    /// is from.
    pub(super) fn of_staged(
        stage: &Stage,
        manifest: Manifest,
        definition: String,
        (code, text): (&str, String),
    ) -> Self {
        let mut findings = stage.findings.clone();
        findings.retain(|finding| finding.code != DUPLICATE_DATES);
        findings.push(Finding::about(0, code, Severity::Info, text));
        Self {
            manifest,
            mapping: (stage.mapping.id.clone(), stage.mapping.version, definition),
            series: stage.series,
            classes: Series::ALL.map(|view| (view, stage.class(view))).to_vec(),
            rows: stage.rows,
            findings,
            as_of: stage.as_of,
            supersedes: None,
            again: None,
            read: None,
        }
    }

    /// The class of the batch's values in a view.
    pub fn class(&self, view: Series) -> Class {
        let known = self.classes.iter().find(|(series, _)| *series == view);
        known.map_or(Class::Vendor, |(_, class)| *class)
    }

    /// Adds what a reader found out.
    pub fn add(&mut self, rows: RowCounts, findings: Vec<Finding>) {
        self.rows.read += rows.read;
        self.rows.accepted += rows.accepted;
        self.rows.rejected += rows.rejected;
        self.rows.blank += rows.blank;
        self.findings.extend(findings);
    }
}

/// The idempotency key of a batch.
pub fn content_id(draft: &Draft, events: u64, root: Digest) -> Digest {
    let mut hasher = Hasher::default();
    hasher.text("volledger/content/1");
    hasher.text(draft.series.name());
    for source in &draft.manifest.sources {
        hasher.update(&source.digest.0);
    }
    hasher.text(&draft.mapping.0);
    hasher.text(&draft.mapping.1.to_string());
    hasher.text(&events.to_string());
    hasher.update(&root.0);
    hasher.finish()
}
