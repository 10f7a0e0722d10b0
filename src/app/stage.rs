//! Staging: from a source's rows to a sealed batch that waits for a decision.

use super::draft::{Draft, content_id};
use super::error::{AppError, Result};
use super::report::DUPLICATE_DATES;
use super::review::{self, Analysis, Wanted};
use super::{Run, Silent, known};
use crate::domain::entry::{MappingRef, ViewPart};
use crate::domain::{
    BatchId, BatchState, Digest, Entry, EntryKind, Finding, Position, Severity, Stage,
};
use crate::ledger::codec::encode_manifest;
use crate::ledger::{BatchWriter, Ledger, LedgerError};
use crate::sources::tomic;

/// What sealing gave.
#[derive(Debug)]
pub enum Sealed {
    /// A new batch.
    New(BatchId, Box<Analysis>),
    /// The same content is here already, in this state.
    Known(BatchId, BatchState),
}

/// Most findings in a stage entry; more are summed by code, since each rejected row is an event
/// besides and the entry must stay small.
const MAX_FINDINGS: usize = 100;

/// Sums findings of the same code where there are many.
fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    if findings.len() <= MAX_FINDINGS {
        return findings;
    }
    let mut summed: Vec<(Finding, u64)> = Vec::new();
    for finding in findings {
        // Each file that was left out is named nowhere else; there are few.
        let named = finding.code == tomic::LEFT_OUT;
        let alike = |known: &Finding| {
            (&known.code, known.severity) == (&finding.code, finding.severity) && !named
        };
        match summed.iter_mut().find(|(known, _)| alike(known)) {
            Some((known, sources)) => {
                known.count += finding.count;
                *sources += 1;
            }
            None => summed.push((finding, 1)),
        }
    }
    let said = summed.into_iter().map(|(mut finding, sources)| {
        if sources > 1 {
            finding.text = format!("in {sources} sources, first: {}", finding.text);
        }
        finding
    });
    said.collect()
}

/// What a batch holds for each view. One without a usable row still says for its own series
/// whether it was to fill or to replace: a later reading of its sources goes by that.
fn view_parts(draft: &Draft, analysis: &Analysis) -> Vec<ViewPart> {
    let mut events = analysis.view_events.clone();
    if events.is_empty() {
        events.insert(draft.series, 0);
    }
    let part = |(series, events)| ViewPart { series, class: draft.class(series), events };
    events.into_iter().map(part).collect()
}

/// The finding about repeated keys, which only the whole batch can show.
fn duplicates(analysis: &Analysis) -> Option<Finding> {
    let count = analysis.identical + analysis.conflicting;
    (count > 0).then(|| {
        let text = format!(
            "{count} {} an earlier day ({} with equal values, {} with others); the last row of a day \
             counts",
            if count == 1 { "row repeats" } else { "rows repeat" },
            analysis.identical,
            analysis.conflicting
        );
        Finding { count, ..Finding::about(0, DUPLICATE_DATES, Severity::Warning, text) }
    })
}

/// Seals a batch: its events are written, now its entry is appended; nothing is durable before.
///
/// # Errors
/// [`AppError::RolledBackBefore`] and [`AppError::ErasedBefore`] when it was taken out before and `again`
/// gives no reason.
pub fn seal(
    ledger: &mut Ledger,
    writer: BatchWriter,
    draft: Draft,
    full: bool,
    run: &Run<'_>,
) -> Result<Sealed> {
    let (batch, events) = (writer.batch(), writer.events());
    let content = content_id(&draft, events, writer.root());
    // Answers without an item have the same content whatever was asked: `{}` about one symbol says
    // nothing of another. Whether they say something new is known before they come here.
    let facts_only = events == 0 && !draft.manifest.coverage.is_empty();
    let before = match facts_only {
        true => Ok(None),
        false => known::known(ledger, &draft, content),
    };
    match before {
        Ok(None) => {}
        // Nothing of it stays, refused or not: the next start would take it for a crash.
        Ok(Some((id, state))) => {
            drop_known(ledger, writer, &draft, run)?;
            return Ok(Sealed::Known(id, state));
        }
        Err(refusal) => {
            match &refusal {
                AppError::RolledBackBefore { .. } | AppError::ErasedBefore { .. } => {
                    drop_known(ledger, writer, &draft, run)?;
                }
                _ => abandon(ledger, writer)?,
            }
            return Err(refusal);
        }
    }
    let wanted = Wanted {
        batch,
        class: &|view| draft.class(view),
        base: ledger.position(),
        replaces: draft.supersedes,
        full,
    };
    let mut analysis = match review::analyse(ledger, ledger, &wanted, run) {
        // The last moment at which a stop leaves nothing.
        Ok(analysis) if !run.progress.stopped() => analysis,
        Err(error) if !run.progress.stopped() => {
            let _ = abandon(ledger, writer); // the first error is the one to tell
            return Err(error);
        }
        _ => {
            abandon(ledger, writer)?;
            return Err(LedgerError::Stopped.into());
        }
    };
    let now = run.clock.now_ms();
    let bytes = encode_manifest(&draft.manifest)?;
    let manifest = ledger.keep_bytes(&bytes, "manifest", now)?;
    let (id, _, definition) = &draft.mapping;
    let mapping = ledger.keep_bytes(definition.as_bytes(), &format!("mapping {id}"), now)?;
    let stage = seal_of(draft, &writer, &analysis, (manifest, mapping));
    tracing::info!(%batch, events, %content, "batch sealed");
    append(ledger, EntryKind::Stage(Box::new(stage)), run)?;
    std::mem::take(&mut analysis.pointing).remember(ledger, batch);
    Ok(Sealed::New(batch, Box::new(analysis)))
}

/// The seal of a batch whose events are written and compared with the views. `manifest` and `mapping`
/// are the digests of what is kept with it.
pub fn seal_of(
    mut draft: Draft,
    writer: &BatchWriter,
    analysis: &Analysis,
    (manifest, mapping): (Digest, Digest),
) -> Stage {
    let content_id = content_id(&draft, writer.events(), writer.root());
    let views = view_parts(&draft, analysis);
    draft.findings.extend(duplicates(analysis));
    draft.rows.effective = analysis.effective;
    let (id, version, _) = draft.mapping;
    Stage {
        batch: writer.batch(),
        content_id,
        batch_root: writer.root(),
        events: writer.events(),
        manifest,
        mapping: MappingRef { id, version, digest: mapping },
        series: draft.series,
        views,
        symbols: analysis.symbols,
        rows: draft.rows,
        as_of: draft.as_of,
        findings: bounded(draft.findings),
        supersedes: draft.supersedes,
        again: draft.again,
        duplicates_identical: analysis.identical,
        duplicates_conflicting: analysis.conflicting,
    }
}

/// Drops what was written of a batch that is here already, or may not be. Where rows of its sources were
/// erased, from whichever batch, reading them anew has brought that back: it goes again.
fn drop_known(
    ledger: &mut Ledger,
    writer: BatchWriter,
    draft: &Draft,
    run: &Run<'_>,
) -> Result<()> {
    // First, as below.
    if !ledger.gone(|digest| known::reads(draft, digest))?.is_empty() {
        ledger.forget_again()?;
        super::views::catch_up(ledger, run.progress)?;
    }
    Ok(ledger.abandon(writer)?)
}

/// Drops what was written of a batch that nobody knows, since it was not read to its end: it may be what
/// was erased.
///
/// # Errors
/// A ledger that cannot be written; then the next start takes it for a crash.
pub fn abandon(ledger: &mut Ledger, writer: BatchWriter) -> Result<()> {
    // Before its blocks are removed, by which the next start would know of it.
    if ledger.forget_unfinished(writer.events() > 0)? {
        super::views::catch_up(ledger, &Silent)?;
    }
    Ok(ledger.abandon(writer)?)
}

/// Longest reason or remark of an entry, in bytes; an entry must stay small.
const MAX_REASON: usize = 4_000;

/// Appends a control entry of now.
pub fn append(ledger: &mut Ledger, kind: EntryKind, run: &Run<'_>) -> Result<Position> {
    let words = match &kind {
        EntryKind::Stage(stage) => stage.again.as_ref(),
        EntryKind::Decision(decision) => decision.reason.as_ref(),
        EntryKind::Note(text) => Some(text),
        EntryKind::Erase(erase) => Some(&erase.reason),
        EntryKind::Projection(_) => None,
    };
    short_enough(words.map(String::as_str))?;
    Ok(ledger.append(entry_of(kind, run))?)
}

/// Refuses a reason that would make its entry too large.
pub(super) fn short_enough(words: Option<&str>) -> Result<()> {
    if words.is_some_and(|words| words.len() > MAX_REASON) {
        return Err(AppError::Usage(format!("a reason has at most {MAX_REASON} bytes")));
    }
    Ok(())
}

/// A control entry of now.
pub(super) fn entry_of(kind: EntryKind, run: &Run<'_>) -> Entry {
    Entry {
        time_ms: run.clock.now_ms(),
        actor: run.actor.clone(),
        tool: concat!("volledger ", env!("CARGO_PKG_VERSION")).to_owned(),
        kind,
    }
}
