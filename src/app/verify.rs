//! Verifying: the ledger's hashes, and the views against their rebuild.

use super::error::{AppError, Result};
use super::report::{DamageLine, VerifyReport};
use super::{Run, projection, views};
use crate::domain::Series;
use crate::ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Checks the log, HEAD, batches and sources; `deep` reads every block and source and compares
/// every view with its rebuild.
///
/// # Errors
/// [`LedgerError::Stopped`]; what is wrong is in the report.
pub fn verify(ledger: &Ledger, deep: bool, run: &Run<'_>) -> Result<VerifyReport> {
    let events = ledger.batches().iter().map(|(_, batch)| batch.stage.events).sum();
    run.progress.begin("recomputing hashes", Some(events), "events");
    let mut done = 0;
    let mut heard = |events| {
        done += events;
        run.progress.at(done);
    };
    let found = ledger.verify_until(deep, &mut heard, &|| run.progress.stopped());
    run.progress.end();
    if found.stopped {
        return Err(LedgerError::Stopped.into());
    }
    let mut damage: Vec<DamageLine> = found
        .damage
        .into_iter()
        .map(|damage| DamageLine { place: damage.place, what: damage.what })
        .collect();
    let (mut projections, mut stale) = (0, Vec::new());
    // Views can only be compared with a log that is sound.
    if deep && damage.is_empty() {
        run.progress.begin("comparing views with their rebuild", Some(events), "events");
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
                projections += Series::ALL.len() as u64;
                stale.extend(differences);
            }
            Err(error) => {
                damage.push(DamageLine { place: "views".into(), what: error.to_string() });
            }
        }
        run.progress.end();
    }
    let head = ledger.head();
    Ok(VerifyReport {
        schema: "volledger/verify/1",
        ok: damage.is_empty() && stale.is_empty(),
        deep,
        position: head.size.0,
        log_root: head.root.to_string(),
        events: found.events,
        batches: ledger.batches().len() as u64,
        sources: found.sources,
        projections,
        views_only: false,
        damage,
        stale,
        against: None,
    })
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
        schema: "volledger/verify/1",
        ok: stale.is_empty(),
        deep: true,
        position: head.size.0,
        log_root: head.root.to_string(),
        events: done,
        batches: ledger.batches().len() as u64,
        sources: 0,
        projections: 1,
        views_only: true,
        damage: Vec::new(),
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
