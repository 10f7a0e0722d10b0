//! What forms do: decisions, with the same functions as the commands.

use super::ask::{Ask, encoded};
use super::routes::{Act, Done};
use crate::app::error::{AppError, Result};
use crate::app::report::Decided;
use crate::app::split::{self, Choice};
use crate::app::{Ledger, Run, decide, projection, threads, verify};
use crate::domain::projection::ProjectionName;
use crate::domain::{BatchId, BatchState, Series};

/// What the fields of ticked symbols begin with: a form has each of its names once.
pub(super) const TICK: &str = "symbol ";

/// Every act with its address.
pub(super) const ALL: &[(&str, Act)] = &[
    ("/batches/{batch}/confirm", confirm),
    ("/batches/{batch}/discard", |ledger, ask, run| named(ledger, ask, run, decide::discard)),
    ("/batches/{batch}/rollback", |ledger, ask, run| named(ledger, ask, run, decide::roll_back)),
    ("/batches/{batch}/reinstate", |ledger, ask, run| named(ledger, ask, run, decide::reinstate)),
    ("/undo", |ledger, ask, run| last(ledger, ask, run, decide::undo)),
    ("/redo", |ledger, ask, run| last(ledger, ask, run, decide::redo)),
];

/// Confirms what was reviewed: the form carries the token of the review that was shown.
fn confirm(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>) -> Result<Done> {
    let batch: BatchId = ask.name(0)?;
    let expect = ask.word("expect").ok_or_else(|| {
        AppError::Usage("the form does not say what was reviewed; load the page again".to_owned())
    })?;
    let decided = decide::confirm(ledger, batch, Some(expect), run)?;
    Ok(Done::See(format!("/batches/{batch}?done={}", decided.position)))
}

/// An act that may take long: the address of the page that shows what came of it.
pub(super) type Task = fn(&mut Ledger, &Ask, &Run<'_>) -> Result<String>;

/// Every act that runs as a job, with its address and what it is called.
pub(super) const LONG: &[(&str, &str, Task)] = &[
    ("/batches/{batch}/split", "Split", divide),
    ("/projections/{name}/rebuild", "Rebuild", |ledger, ask, run| renew(ledger, ask, run, true)),
    ("/projections/{name}/refresh", "Refresh", |ledger, ask, run| renew(ledger, ask, run, false)),
    ("/projections/{name}/promote", "Promote", promote),
];

/// The ticked symbols, and those that the pattern fits, as one batch; the others as another.
fn divide(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>) -> Result<String> {
    let batch: BatchId = ask.name(0)?;
    let ticked = ask.words.keys().filter_map(|name| name.strip_prefix(TICK));
    let choice = Choice::of(ticked.chain(ask.word("symbols")))?;
    let parts = split::split(ledger, batch, &choice, ask.word("reason").map(one_line), run)?;
    let (chosen, rest) = (&parts.chosen.batch, &parts.rest);
    // The page says that it waits.
    let rest = match rest.state == BatchState::Staged.name() {
        true => format!("&rest={}", rest.batch),
        false => String::new(),
    };
    Ok(format!("/batches/{chosen}?done={}{rest}", parts.position))
}

/// Computes a view or projection again from the first event, or brings one up to the head.
fn renew(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>, anew: bool) -> Result<String> {
    let name: ProjectionName = ask.name(0)?;
    if let Some(view) = Series::ALL.into_iter().find(|view| view.name() == &*name.name) {
        let report = verify::rebuild(ledger, view, run)?;
        return match report.ok {
            true => Ok(format!("/projections?built={view}")),
            false => Err(AppError::ProjectionDiffers(report.stale.join("; "))),
        };
    }
    let ids = projection::named(ledger, &[name])?;
    let done = projection::refresh_with(ledger, &ids, anew, threads(), run);
    run.go_on()?;
    match done.projections.into_iter().find_map(|one| one.error) {
        Some(error) => Err(AppError::Projection(error)),
        None => Ok(format!("/projections?built={}", encoded(&ask.names.concat()))),
    }
}

/// Lets a name mean another version.
fn promote(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>) -> Result<String> {
    let name: ProjectionName = ask.name(0)?;
    let changed = projection::promote(ledger, &name, run)?;
    Ok(format!("/projections?promoted={}", encoded(&changed.projection)))
}

type Named = fn(&mut Ledger, BatchId, Option<String>, bool, &Run<'_>) -> Result<Decided>;

fn named(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>, act: Named) -> Result<Done> {
    let batch: BatchId = ask.name(0)?;
    let plan = ask.word("plan").is_some();
    // A plan is of the ledger as it stood: what it showed is what is done, or nothing.
    if let (false, Some(shown)) = (plan, ask.parsed("position")?) {
        unmoved(ledger, shown, "look at the plan again: it may be another one now")?;
    }
    let reason = ask.word("reason").map(one_line);
    let decided = act(ledger, batch, reason, plan, run)?;
    Ok(match plan {
        true => Done::Planned(Box::new(decided)),
        false => Done::See(format!("/batches/{batch}?done={}", decided.position)),
    })
}

/// Refuses what was shown for another position of the ledger.
fn unmoved(ledger: &Ledger, shown: u64, next: &str) -> Result<()> {
    let now = ledger.position().0;
    if shown == now {
        return Ok(());
    }
    Err(AppError::NotLast {
        what: format!("the ledger moved on: the page showed #{shown}, and it stands at #{now} now"),
        next: next.to_owned(),
    })
}

type Last = fn(&mut Ledger, bool, &Run<'_>) -> Result<Decided>;

/// Takes the last decision back, if it is still the one that the page showed.
fn last(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>, act: Last) -> Result<Done> {
    let shown = ask.parsed("position")?.unwrap_or(0);
    unmoved(
        ledger,
        shown,
        "look at the log again: what is last there is what would be taken back",
    )?;
    let plan = ask.word("plan").is_some();
    let decided = act(ledger, plan, run)?;
    Ok(match plan {
        true => Done::Planned(Box::new(decided)),
        false => Done::See(format!("/events?done={}", decided.position)),
    })
}

/// A reason stands on one line of the log.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}
