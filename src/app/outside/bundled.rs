//! Taking in the batch of a bundle. Hashes say that its events are as they were sent; what its entry says
//! of them besides is another's word: it is counted anew, or refused.

use super::unusable;
use crate::app::Run;
use crate::app::clock::rfc3339;
use crate::app::draft::{Draft, content_id};
use crate::app::error::{AppError, Result};
use crate::app::prepared::{Staged, with_events};
use crate::domain::entry::RowCounts;
use crate::domain::{Class, Finding, Severity, Stage};
use crate::ledger::bundle::{self, BatchBundle, Counted};
use crate::ledger::codec::{Manifest, ManifestSource};
use crate::ledger::{Ledger, LedgerError};
use crate::sources::polygon::{Unpacker, is_packed};
use crate::sources::tomic;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

/// The code of rejected rows of which a bundle says nothing.
const UNTOLD: &str = "untold_rejects";

/// Stages the batch of a bundle; its leaves and content id are those of the other ledger.
///
/// # Errors
/// A bundle that is not as written, or says what its events do not.
pub fn import_batch(
    ledger: &mut Ledger,
    file: &Path,
    again: Option<String>,
    run: &Run<'_>,
) -> Result<Staged> {
    let name = file.display().to_string();
    let unreadable = |source| AppError::Unreadable { name: name.clone(), source };
    let mut input = BufReader::new(File::open(file).map_err(unreadable)?);
    let mut draft = None;
    let prepared = with_events(ledger, false, |target, writer| {
        let bundle = bundle::read_batch(&mut input, target, writer, run.clock.now_ms());
        let bundle = bundle.map_err(unusable(file))?;
        draft = Some(draft_of(target, bundle, again)?);
        Ok(())
    })?;
    let draft = draft.ok_or_else(|| AppError::NotFound("the bundle holds no batch".into()))?;
    prepared.settle(ledger, draft, false, run)
}

/// The draft that gives a bundle's batch the content id that it had.
fn draft_of(ledger: &Ledger, bundle: BatchBundle, again: Option<String>) -> Result<Draft> {
    let BatchBundle { stage, entry, counted } = bundle;
    let definition = ledger.source(&stage.mapping.digest)?;
    let definition = String::from_utf8(definition).map_err(|_| strange("its mapping"))?;
    let (batch, actor) = (stage.batch, entry.actor);
    let text = format!("staged elsewhere as {batch} by {actor} at {}", rfc3339(entry.time_ms));
    let about = ("imported_batch", text);
    // It would outrank whatever anybody delivers, and no program makes one.
    if stage.views.iter().any(|part| part.class == Class::Manual) {
        return Err(strange("its values are to count as entered by a person").into());
    }
    let manifest = ledger.manifest_of(&stage)?;
    let bytes = within(ledger, &manifest, &counted)?;
    let rows = rows(&stage, &counted, bytes)?;
    let mut draft = Draft { again, rows, ..Draft::of_staged(&stage, manifest, definition, about) };
    // Else the same content could be staged twice under two names.
    if content_id(&draft, stage.events, stage.batch_root) != stage.content_id {
        return Err(strange("its content id is not that of its content").into());
    }
    told(&mut draft.findings, counted.rejects, bytes);
    Ok(draft)
}

fn strange(what: &str) -> LedgerError {
    LedgerError::Bundle { what: what.to_owned() }
}

/// What the rows of a batch are, by its events.
fn rows(stage: &Stage, counted: &Counted, bytes: u64) -> Result<RowCounts> {
    if stage.rows.blank > bytes {
        return Err(strange("it names more blank rows than its sources have bytes").into());
    }
    let Counted { puts, retracts, rejects, lines, .. } = *counted;
    let read = lines.unwrap_or(puts + rejects);
    let (accepted, rejected, retracted) = (puts, rejects, retracts);
    Ok(RowCounts { read, accepted, rejected, retracted, ..stage.rows })
}

/// Tells that rows were rejected also where the bundle's findings do not.
fn told(findings: &mut Vec<Finding>, rejects: u64, bytes: u64) {
    for finding in findings.iter_mut() {
        // Each is about a cell at least.
        finding.count = finding.count.min(bytes.max(1));
    }
    let rejected = |finding: &&Finding| {
        finding.severity == Severity::Reject && finding.code != tomic::LEFT_OUT
    };
    let told: u64 = findings.iter().filter(rejected).map(|finding| finding.count).sum();
    let count = rejects.saturating_sub(told);
    if count > 0 {
        let (rows, were) = if count == 1 { ("row", "was") } else { ("rows", "were") };
        let text = format!("{count} {rows} {were} rejected, and the bundle does not say so");
        findings.push(Finding { count, ..Finding::about(0, UNTOLD, Severity::Reject, text) });
    }
}

/// Refuses events that stand where their source has nothing: nobody could look at them there, and no
/// backup of the ledger would be sound. Says how many bytes the sources have.
fn within(ledger: &Ledger, manifest: &Manifest, counted: &Counted) -> Result<u64> {
    let mut bytes = 0u64;
    for (source, end) in manifest.sources.iter().zip(&counted.ends) {
        let size = if *end == 0 { source.size } else { text_size(ledger, source)? };
        if *end > size {
            let name = source.name.escape_debug();
            return Err(strange(&format!("an event stands where {name} has nothing")).into());
        }
        bytes = bytes.saturating_add(size);
    }
    Ok(bytes)
}

/// How many bytes events may point into: of a gzip file those that it unpacks to.
fn text_size(ledger: &Ledger, source: &ManifestSource) -> Result<u64> {
    let broken = |_| strange("a gzip file in it cannot be unpacked");
    let (mut unpacker, mut begun) = (None, !source.name.ends_with(".gz"));
    ledger.read_source(&source.digest, &mut |piece| {
        if !std::mem::replace(&mut begun, true) && is_packed(piece) {
            unpacker = Some(Unpacker::new(Counter(0)));
        }
        unpacker.as_mut().map_or(Ok(()), |unpacker| unpacker.take(piece).map_err(broken))
    })?;
    match unpacker {
        None => Ok(source.size),
        Some(unpacker) => Ok(unpacker.finish().map_err(broken)?.0),
    }
}

/// Counts what is written into it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0 += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
