//! Retention: which events the rules of the settings say are too old.
//!
//! A row may speak of several views (`projections/homes.rs`), and erasing takes all of it, for good.
//! So it goes only when each of its views has a rule and is older than that. What one rule would take
//! and another view keeps is listed.

use super::erase::{self, RowViews};
use super::error::Result;
use super::report::{ErasedReport, HeldLine, RejectedLine};
use crate::domain::{BatchId, Day, Series, Stage, Window};
use crate::ledger::Ledger;
use crate::ledger::erase::Selection;
use std::collections::BTreeMap;

/// What is to go, and what stays although a rule would take it.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// The events that are to go.
    pub selection: Selection,
    /// Events that stay, by batch, view whose rule would take them and view that keeps them.
    pub held: Vec<HeldLine>,
    /// Rejected rows of batches of which nothing else is left.
    pub rejected: Vec<RejectedLine>,
}

/// What the rules say is too old: rows whose day is more than so many days before `today`, by the rule
/// of each view that they speak of. Rejected rows have no day and stay; where nothing else of their
/// batch is left, they are listed.
///
/// # Errors
/// Damage met on the way.
pub fn due(ledger: &Ledger, rules: &[(Series, u32)], today: Day) -> Result<Due> {
    let limits: BTreeMap<Series, Day> =
        rules.iter().map(|(view, days)| (*view, Day(today.0 - *days as i32))).collect();
    let Some(widest) = limits.values().max().copied() else { return Ok(Due::default()) };
    let mut selection = Selection::new();
    let mut held: BTreeMap<(BatchId, Series, Series), u64> = BTreeMap::new();
    let mut rejected = Vec::new();
    for (id, batch) in ledger.batches().iter() {
        let (mut goes, mut stays) = (0, false);
        let mut reader = ledger.read(id);
        while let Some((index, header)) = reader.next_header()? {
            if header.series.is_none() {
                continue;
            }
            if header.days.0 >= widest {
                stays = true;
                continue;
            }
            let mut window = Window::default();
            reader.read_into(index, &mut window)?;
            let mut views = RowViews::of(&window.rows);
            for head in window.rows.heads() {
                let passed = |view: &Series| limits.get(view).is_some_and(|day| head.day < *day);
                let (old, kept): (Vec<Series>, Vec<Series>) = views.of_row(head).partition(passed);
                match kept.is_empty() && !old.is_empty() {
                    true => {
                        goes += 1;
                        selection.entry(id).or_default().insert(head.seq);
                    }
                    false => stays = true,
                }
                for view in &old {
                    for by in &kept {
                        *held.entry((id, *view, *by)).or_default() += 1;
                    }
                }
            }
        }
        if !stays {
            rejected.extend(left(ledger, &batch.stage, goes > 0, &limits)?);
        }
    }
    let days =
        |view: Series| rules.iter().find(|(series, _)| *series == view).map(|(_, days)| *days);
    let held = held.into_iter().map(|((batch, view, by), events)| HeldLine {
        batch: batch.to_string(),
        view: view.name(),
        kept_by: by.name(),
        kept_days: days(by),
        events,
    });
    Ok(Due { selection, held: held.collect(), rejected })
}

/// The rejected rows of a batch of which no other row stays, if they are older than the rule. Their age
/// is that of the batch's rows that go (`goes`) or went, else that of the day on which it was read.
fn left(
    ledger: &Ledger,
    stage: &Stage,
    goes: bool,
    limits: &BTreeMap<Series, Day>,
) -> Result<Option<RejectedLine>> {
    let Some(limit) = limits.get(&stage.series).filter(|_| stage.rows.rejected > 0) else {
        return Ok(None);
    };
    let (mut events, mut went) = (0, goes || stage.as_of < *limit);
    let mut reader = ledger.read(stage.batch);
    while let Some((index, header)) = reader.next_header()? {
        if header.series.is_none() {
            let mut window = Window::default();
            reader.read_into(index, &mut window)?;
            events += window.rejects.len() as u64;
            went |= window.erased.iter().any(|erased| erased.symbol.is_some());
        }
    }
    Ok((went && events > 0).then(|| RejectedLine { batch: stage.batch.to_string(), events }))
}

/// What would go by the rules, and what would not.
///
/// # Errors
/// Damage met on the way.
pub fn plan(ledger: &Ledger, due: &Due, reason: &str) -> Result<ErasedReport> {
    let (held, rejected) = (due.held.clone(), due.rejected.clone());
    Ok(ErasedReport { held, rejected, ..erase::plan(ledger, &due.selection, reason)? })
}

/// The reason of an erasure by retention: its rules, in words.
pub fn rules_said(rules: &[(Series, u32)]) -> String {
    let said: Vec<_> = rules.iter().map(|(series, days)| format!("{series} {days}d")).collect();
    format!("retention: {}", said.join(", "))
}
