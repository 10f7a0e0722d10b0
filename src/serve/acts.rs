//! What forms do: decisions, with the same functions as the commands.

use super::ask::Ask;
use super::routes::{Act, Done};
use crate::app::error::{AppError, Result};
use crate::app::report::Decided;
use crate::app::{Ledger, Run, decide};
use crate::domain::BatchId;

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

type Named = fn(&mut Ledger, BatchId, Option<String>, bool, &Run<'_>) -> Result<Decided>;

fn named(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>, act: Named) -> Result<Done> {
    let batch: BatchId = ask.name(0)?;
    let plan = ask.word("plan").is_some();
    let reason = ask.word("reason").map(one_line);
    let decided = act(ledger, batch, reason, plan, run)?;
    Ok(match plan {
        true => Done::Planned(Box::new(decided)),
        false => Done::See(format!("/batches/{batch}?done={}", decided.position)),
    })
}

type Last = fn(&mut Ledger, bool, &Run<'_>) -> Result<Decided>;

/// Takes the last decision back, if it is still the one that the page showed.
fn last(ledger: &mut Ledger, ask: &Ask, run: &Run<'_>, act: Last) -> Result<Done> {
    let shown: u64 = ask.parsed("position")?.unwrap_or(0);
    let now = ledger.position().0;
    if shown != now {
        return Err(AppError::Usage(format!(
            "the ledger moved on: the page showed #{shown}, and it stands at #{now} now"
        )));
    }
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
