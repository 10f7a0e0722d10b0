//! Verifying: the ledger's hashes, and the views against their rebuild.

use super::error::{AppError, Result};
use super::report::{DamageLine, MissingLine, Part, VerifyReport};
use super::{Run, projection, views};
use crate::domain::{Digest, Series};
use crate::ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Checks the log, HEAD, batches and sources; `deep` reads every block and source and compares
/// every view with its rebuild.
///
/// # Errors
/// [`LedgerError::Stopped`], [`LedgerError::Moved`]; what is wrong is in the report.
pub fn verify(ledger: &Ledger, deep: bool, run: &Run<'_>) -> Result<VerifyReport> {
    let mut report = hashes(ledger, deep, run)?;
    // Views can only be compared with a log that is sound.
    if deep && report.ok {
        run.progress.begin("comparing views with their rebuild", Some(report.events), "events");
        let mut done = BTreeMap::new();
        let compared = views::compare_with_log(ledger, &Series::ALL, &mut |view, events| {
            let done: &mut u64 = done.entry(view).or_default();
            *done += events;
            run.progress.at(*done);
            !run.progress.stopped()
        });
        match compared {
            Err(AppError::Ledger(LedgerError::Stopped)) => return Err(LedgerError::Stopped.into()),
            Ok(differences) => {
                report.projections += Series::ALL.len() as u64;
                report.stale.extend(differences);
            }
            Err(error) => {
                let what = error.to_string();
                report.damage.push(DamageLine { place: "views".into(), what });
            }
        }
        run.progress.end();
        report.ok = report.damage.is_empty() && report.stale.is_empty();
    }
    Ok(report)
}

/// Checks what is hashed: the log, HEAD, batches and sources; `deep` reads every block and source.
fn hashes(ledger: &Ledger, deep: bool, run: &Run<'_>) -> Result<VerifyReport> {
    let events = ledger.batches().iter().map(|(_, batch)| batch.stage.events).sum();
    run.progress.begin("recomputing hashes", Some(events), "events");
    let mut done = 0;
    let mut heard = |events| {
        done += events;
        run.progress.at(done);
    };
    let found = ledger.verify_until(deep, &mut heard, &|| run.progress.stopped());
    run.progress.end();
    if found.moved {
        return Err(LedgerError::Moved.into());
    }
    if found.stopped {
        return Err(LedgerError::Stopped.into());
    }
    let damage: Vec<DamageLine> = found
        .damage
        .into_iter()
        .map(|damage| DamageLine { place: damage.place, what: damage.what })
        .collect();
    let head = ledger.head();
    Ok(VerifyReport {
        ok: damage.is_empty(),
        missing: missing(ledger, &found.missing),
        deep,
        position: head.size.0,
        log_root: head.root.to_string(),
        events: found.events,
        batches: ledger.batches().len() as u64,
        sources: found.sources,
        projections: 0,
        views_only: false,
        unchecked: Vec::new(),
        damage,
        stale: Vec::new(),
        against: None,
    })
}

/// Which files these sources were, and of which batch.
fn missing(ledger: &Ledger, lost: &[Digest]) -> Vec<MissingLine> {
    let mut found: Vec<MissingLine> = Vec::new();
    for (id, batch) in ledger.batches().iter().filter(|_| !lost.is_empty()) {
        // A manifest that cannot be read is damage already.
        let sources = ledger.manifest_of(&batch.stage).map(|manifest| manifest.sources);
        for source in sources.unwrap_or_default() {
            let digest = source.digest.to_string();
            let is_new = found.iter().all(|line| line.source != digest);
            if is_new && lost.contains(&source.digest) {
                let (name, batch) = (source.name, id.to_string());
                found.push(MissingLine { source: digest, name, batch });
            }
        }
    }
    found
}

/// Checks what can be checked of a ledger that was opened without `unchecked`, since it cannot be
/// written (`recover::open_to_verify`).
///
/// # Errors
/// [`LedgerError::Stopped`]; what is wrong is in the report.
pub fn possible(
    ledger: &mut Ledger,
    deep: bool,
    mut unchecked: Vec<Part>,
    run: &Run<'_>,
) -> Result<VerifyReport> {
    // The mirror is no part of what is not deep.
    unchecked.retain(|part| deep || *part != Part::Mirror);
    let report = match deep {
        // Views that were made in memory a moment ago would be compared with themselves.
        _ if unchecked.contains(&Part::Engine) => hashes(ledger, deep, run),
        true => everything(ledger, run),
        false => verify(ledger, false, run),
    }?;
    Ok(VerifyReport { unchecked, ..report })
}

/// Checks everything: [`verify`] with every block, source and view, then every kept projection
/// against its rebuild. The ledger is lent to the projections; nothing is written.
///
/// # Errors
/// [`LedgerError::Stopped`]; what is wrong is in the report.
pub fn everything(ledger: &mut Ledger, run: &Run<'_>) -> Result<VerifyReport> {
    let mut report = verify(ledger, true, run)?;
    // Projections can only be compared with views that are sound.
    if report.ok {
        let kept = projection::verify(ledger, &[], run)?;
        report.projections += kept.projections;
        report.ok = kept.ok;
        report.stale = kept.stale;
    }
    Ok(report)
}

/// Compares one view with its rebuild.
///
/// # Errors
/// A view that cannot be read.
pub fn verify_one(ledger: &Ledger, view: Series, run: &Run<'_>) -> Result<VerifyReport> {
    run.progress.begin("comparing", None, "events");
    let mut done = 0;
    let stale = views::compare_with_log(ledger, &[view], &mut |_, events| {
        done += events;
        run.progress.at(done);
        !run.progress.stopped()
    })?;
    run.progress.end();
    let head = ledger.head();
    Ok(VerifyReport {
        ok: stale.is_empty(),
        deep: true,
        position: head.size.0,
        log_root: head.root.to_string(),
        events: done,
        batches: ledger.batches().len() as u64,
        sources: 0,
        projections: 1,
        views_only: true,
        unchecked: Vec::new(),
        damage: Vec::new(),
        missing: Vec::new(),
        stale,
        against: None,
    })
}

/// Builds a view anew from the first event, then compares it.
///
/// # Errors
/// A ledger that cannot be written.
pub fn rebuild(ledger: &mut Ledger, view: Series, run: &Run<'_>) -> Result<VerifyReport> {
    views::rebuild(ledger, view, run.progress)?;
    verify_one(ledger, view, run)
}
