//! Deciding: confirm, discard, roll back, reinstate, undo, redo, supersede by replay.

use super::error::{AppError, Result};
use super::groups::Groups;
use super::import::{
    self, MappingChoice, Reading, Staged, choose_mapping, csv_draft, read_source, with_events,
};
use super::report::{BatchChange, Decided, Refreshed, ViewEffect};
use super::stage::{Draft, append};
use super::views::{self, ViewReader};
use super::{Run, projection, review, withdraw};
use crate::domain::batch::{self, Command, Refusal, decide_redo, decide_rollback_to, decide_undo};
use crate::domain::{
    BatchId, BatchState, Class, Collector, Day, Decision, Digest, EntryKind, Op, Position, Series,
    Symbol, Via, Window,
};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::diff;
use crate::projections::view::{Activity, History, Record, Which, fold};
use crate::sources::csv::SymbolFrom;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, Write};

/// Confirms a staged batch. With `expect`, the review's token must be that (12 hex digits or
/// more of it do); without, the cells that the batch touches must be as they were at staging.
///
/// # Errors
/// [`AppError::TokenDiffers`], [`AppError::Stale`], [`AppError::Refused`].
pub fn confirm(
    ledger: &mut Ledger,
    id: BatchId,
    expect: Option<&str>,
    run: &Run<'_>,
) -> Result<Decided> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    let (content, staged_at) = (batch.stage.content_id, batch.staged_at);
    if batch.state() != BatchState::Staged {
        let (state, action) = (batch.state(), "confirm");
        return Err(Refusal::WrongState { action, batch: id, state }.into());
    }
    run.confirmer().may_confirm(id, batch)?;
    let here = ledger.position();
    let (_, now) = review::analyse_sealed(ledger, id, Some(here), false, run)?;
    let token = review::token(content, &now);
    match expect {
        Some(expected) => {
            let enough = expected.len() >= 8 && token.to_string().starts_with(expected);
            if !enough {
                let expected = expected.to_owned();
                return Err(AppError::TokenDiffers { batch: id, expected, found: token });
            }
        }
        None if decided_since(ledger, staged_at) => {
            let (_, then) = review::analyse_sealed(ledger, id, Some(staged_at), false, run)?;
            if then.digest != now.digest {
                return Err(stale(ledger, id, staged_at)?);
            }
        }
        None => {}
    }
    commit(ledger, id, token, here, run)
}

/// Whether who acts may confirm a batch: under the two-person rule not who staged it.
///
/// # Errors
/// [`Refusal::SamePerson`], [`Refusal::NoSuchBatch`].
pub fn may_confirm(
    ledger: &Ledger,
    id: BatchId,
    run: &Run<'_>,
) -> std::result::Result<(), Refusal> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    run.confirmer().may_confirm(id, batch)
}

/// Confirms what was staged a moment ago in this process, with its review as the token.
///
/// # Errors
/// As [`confirm`].
pub fn confirm_staged(ledger: &mut Ledger, staged: &Staged, run: &Run<'_>) -> Result<Decided> {
    let id = staged.batch.ok_or_else(|| AppError::NotFound("a dry run has no batch".into()))?;
    let fresh = staged.outcome == super::import::Outcome::New
        && staged.review.position == ledger.position().0;
    let token = staged.review.token.as_deref();
    match token.and_then(|token| token.parse::<Digest>().ok()) {
        // Nothing was appended since: this very review is what is confirmed, and this very
        // process wrote and hashed the blocks.
        Some(token) if fresh => {
            let here = ledger.position();
            let decision = batch::decide(ledger.batches(), id, run.confirm(token, here))?;
            append(ledger, EntryKind::Decision(decision.clone()), run)?;
            update(ledger, run)?;
            let projections = refreshed(ledger, run);
            let changes = reviewed(staged);
            Ok(Decided {
                changes,
                projections,
                ..decided(ledger, decision.action.name(), Some(&decision), false)
            })
        }
        _ => confirm(ledger, id, token, run),
    }
}

/// Brings kept projections up to the head, unless told otherwise. What fails there does not touch
/// the decision, which is made.
fn refreshed(ledger: &mut Ledger, run: &Run<'_>) -> Vec<Refreshed> {
    match run.refresh {
        true => projection::refresh(ledger, &[], run).projections,
        false => Vec::new(),
    }
}

fn decided_since(ledger: &Ledger, at: Position) -> bool {
    let later = ledger.entries().iter().skip(at.0 as usize);
    later.into_iter().any(|entry| matches!(entry.kind, EntryKind::Decision(_)))
}

/// Names the cells that changed between the review and now.
fn stale(ledger: &Ledger, id: BatchId, base: Position) -> Result<AppError> {
    let reader = ViewReader::new(ledger)?;
    let (mut cells, mut count) = (Vec::new(), 0);
    let mut groups = Groups::of(ledger, &[id])?;
    while let Some(group) = groups.next(ledger)? {
        for (symbol, events) in group {
            for (view, own) in events.views {
                let days: BTreeSet<_> = own.rows.heads().iter().map(|head| head.day).collect();
                let before = reader.records(view, &symbol, base, Which::Latest)?;
                let after = reader.records(view, &symbol, ledger.position(), Which::Latest)?;
                diff::compare(view, &symbol, &before, &after, None, &mut |change| {
                    if days.contains(&change.day) {
                        count += 1;
                        if cells.len() < 5 {
                            let field = change.field.name();
                            cells.push(format!("{view} {symbol} {} {field}", change.day));
                        }
                    }
                });
            }
        }
    }
    Ok(AppError::Stale { batch: id, base, cells, count })
}

fn commit(
    ledger: &mut Ledger,
    id: BatchId,
    token: Digest,
    base: Position,
    run: &Run<'_>,
) -> Result<Decided> {
    // What was sealed is what is confirmed: the stored events must still give the root.
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    ledger.verify_batch(&batch.stage)?;
    let decision = batch::decide(ledger.batches(), id, run.confirm(token, base))?;
    settle(ledger, decision, false, run)
}

/// Throws a staged batch away.
///
/// # Errors
/// [`AppError::Refused`].
pub fn discard(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::Discard { reason })?;
    settle(ledger, decision, plan, run)
}

/// Takes an active batch out of the views.
///
/// # Errors
/// [`AppError::Refused`].
pub fn roll_back(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::RollBack { reason })?;
    settle(ledger, decision, plan, run)
}

/// Puts a batch back where it was.
///
/// # Errors
/// [`AppError::Refused`].
pub fn reinstate(
    ledger: &mut Ledger,
    id: BatchId,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let decision = batch::decide(ledger.batches(), id, Command::Reinstate { reason })?;
    settle(ledger, decision, plan, run)
}

/// Makes the active batches those of an earlier position, in one entry.
///
/// # Errors
/// [`LedgerError::NoSuchPosition`].
pub fn rollback_to(
    ledger: &mut Ledger,
    to: Position,
    reason: Option<String>,
    plan: bool,
    run: &Run<'_>,
) -> Result<Decided> {
    let head = ledger.position();
    if to > head {
        return Err(LedgerError::NoSuchPosition { at: to, head }.into());
    }
    match decide_rollback_to(ledger.batches(), to, reason) {
        Some(decision) => settle(ledger, decision, plan, run),
        None => Ok(decided(ledger, "none", None, plan)),
    }
}

/// Takes the last decision back.
///
/// # Errors
/// [`AppError::Refused`].
pub fn undo(ledger: &mut Ledger, plan: bool, run: &Run<'_>) -> Result<Decided> {
    let decision = decide_undo(ledger.batches())?;
    settle(ledger, decision, plan, run)
}

/// Repeats the decision that was undone last.
///
/// # Errors
/// [`AppError::Refused`].
pub fn redo(ledger: &mut Ledger, plan: bool, run: &Run<'_>) -> Result<Decided> {
    let decision = decide_redo(ledger.batches())?;
    settle(ledger, decision, plan, run)
}

fn decided(
    ledger: &Ledger,
    action: &'static str,
    decision: Option<&Decision>,
    plan: bool,
) -> Decided {
    let changes = decision.map(|decision| decision.changes.as_slice()).unwrap_or_default();
    Decided {
        schema: "volledger/decision/1",
        action,
        plan,
        via: decision.and_then(|decision| match decision.via {
            Via::Plain => None,
            Via::Undo(_) => Some("undo"),
            Via::Redo(_) => Some("redo"),
        }),
        position: ledger.position().0,
        log_root: ledger.head().root.to_string(),
        batches: changes
            .iter()
            .map(|change| BatchChange {
                batch: change.batch.to_string(),
                from: change.from.name(),
                to: change.to.name(),
            })
            .collect(),
        reason: decision.and_then(|decision| decision.reason.clone()),
        changes: Vec::new(),
        projections: Vec::new(),
    }
}

/// Brings the views up to a decision that was just made. When that fails, the decision stands.
fn update(ledger: &mut Ledger, run: &Run<'_>) -> Result<()> {
    match views::catch_up(ledger, run.progress) {
        Ok(_) => Ok(()),
        Err(AppError::Ledger(source)) => {
            Err(AppError::ViewsBehind { at: ledger.position(), source })
        }
        Err(other) => Err(other),
    }
}

/// Appends a decision (unless it is only planned) and says what it does to the views.
fn settle(ledger: &mut Ledger, decision: Decision, plan: bool, run: &Run<'_>) -> Result<Decided> {
    if !plan {
        append(ledger, EntryKind::Decision(decision.clone()), run)?;
        update(ledger, run)?;
    }
    let projections = if plan { Vec::new() } else { refreshed(ledger, run) };
    let changes = effects(ledger, &decision, plan, run)?;
    let action = decision.action.name();
    Ok(Decided { changes, projections, ..decided(ledger, action, Some(&decision), plan) })
}

/// The difference that a decision makes, per view.
fn effects(
    ledger: &Ledger,
    decision: &Decision,
    plan: bool,
    run: &Run<'_>,
) -> Result<Vec<ViewEffect>> {
    let touches = |state| state == BatchState::Active;
    let moved: Vec<_> =
        decision.changes.iter().filter(|c| touches(c.from) != touches(c.to)).collect();
    // A batch that was never committed is in no view yet; its plan is its review.
    let ids: Vec<BatchId> = moved
        .iter()
        .map(|change| change.batch)
        .filter(|id| ledger.batches().get(*id).is_some_and(|b| b.committed_at.is_some()))
        .collect();
    let reader = ViewReader::new(ledger)?;
    let mut found: BTreeMap<Series, ViewEffect> = BTreeMap::new();
    let mut activities: BTreeMap<Series, (Activity, Activity)> = BTreeMap::new();
    for view in Series::ALL {
        let now = Activity::at(ledger.batches(), view, ledger.position());
        let mut other = now.clone();
        for change in &moved {
            // In a plan the other side lies ahead, after a decision it lies behind.
            let active_there = touches(if plan { change.to } else { change.from });
            let batch = ledger.batches().get(change.batch);
            let committed = batch.and_then(|batch| batch.committed_at);
            let class = batch.map_or(Class::Vendor, |batch| batch.class(view));
            other = match committed {
                Some(at) if active_there => other.with(change.batch, class, at),
                _ => other.without(change.batch),
            };
        }
        activities.insert(view, if plan { (now, other) } else { (other, now) });
    }
    let mut touched: BTreeSet<(Series, Symbol)> = BTreeSet::new();
    for id in ids {
        let mut blocks = ledger.read(id);
        let views = ledger.batches().get(id).map(|b| b.stage.views.clone()).unwrap_or_default();
        while let Some((_, header)) = blocks.next_header()? {
            for (symbol, _) in header.symbols {
                touched.extend(views.iter().map(|part| (part.series, symbol.clone())));
            }
        }
    }
    run.progress.begin("comparing", Some(touched.len() as u64), "symbols");
    for (index, (view, symbol)) in touched.into_iter().enumerate() {
        let Some((before, after)) = activities.get(&view) else {
            continue;
        };
        let history = reader.history(view, &symbol)?;
        let effect = found.entry(view).or_default();
        effect.series = view.name();
        count(view, &symbol, &history, before, after, effect);
        run.progress.at(index as u64 + 1);
    }
    run.progress.end();
    Ok(found.into_values().collect())
}

fn count(
    view: Series,
    symbol: &Symbol,
    history: &History,
    before: &Activity,
    after: &Activity,
    effect: &mut ViewEffect,
) {
    let was = effect.added + effect.changed + effect.removed;
    match (plain(history, before), plain(history, after)) {
        // Only one side shows anything: no need to fold.
        (Some(0), Some(days)) => {
            effect.added += days;
            effect.days += days;
        }
        (Some(days), Some(0)) => effect.removed += days,
        _ => {
            let before = fold(view, history, before, Which::Latest);
            let after = fold(view, history, after, Which::Latest);
            effect.days += after.len() as u64;
            let mut differs = BTreeSet::new();
            diff::compare(view, symbol, &before, &after, None, &mut |change| {
                if change.is_real() {
                    differs.insert((change.day, change.item));
                }
            });
            // By records and not by their cells: a record without any is a day too.
            let has = |records: &[Record], key: (Day, &str)| {
                records.binary_search_by(|record| record.key().cmp(&key)).is_ok()
            };
            effect.added += after.iter().filter(|r| !has(&before, r.key())).count() as u64;
            effect.removed += before.iter().filter(|r| !has(&after, r.key())).count() as u64;
            let both = |(day, item): &&(Day, Box<str>)| {
                has(&before, (*day, item)) && has(&after, (*day, item))
            };
            effect.changed += differs.iter().filter(both).count() as u64;
        }
    }
    effect.symbols += u64::from(effect.added + effect.changed + effect.removed > was);
}

/// Days shown, when one batch shows them all, each day once; `None` otherwise.
fn plain(history: &History, activity: &Activity) -> Option<u64> {
    let (mut days, mut only, mut last) = (0, None, None);
    for (head, batch) in history.rows.heads().iter().zip(&history.batches) {
        // Neighbours are mostly of one batch, so its rank is asked for once.
        if only != Some(*batch) {
            if activity.rank(BatchId(*batch)).is_none() {
                continue;
            }
            if only.replace(*batch).is_some() {
                return None;
            }
        }
        let key = (head.day, history.rows.item_of(head));
        if last.replace(key) == Some(key) || head.op == Op::Retract {
            return None;
        }
        days += 1;
    }
    Some(days)
}

/// What confirming a fresh batch does, as its review said.
fn reviewed(staged: &Staged) -> Vec<ViewEffect> {
    let mut found: BTreeMap<&str, ViewEffect> = BTreeMap::new();
    for line in &staged.review.series {
        let effect = found.entry(line.series).or_default();
        effect.series = line.series;
        effect.added += line.new;
        effect.removed += line.removed;
        effect.changed += line.touched;
        effect.days += line.new + line.changed + line.drifted + line.same + line.only_here;
        effect.symbols += u64::from(line.new + line.removed + line.touched > 0);
    }
    found.into_values().collect()
}

/// Reads the kept bytes of a batch again under another mapping, into a new staged batch that
/// would replace it. The files are not needed any more.
///
/// # Errors
/// [`AppError::Mapping`], [`AppError::Usage`] for a batch that no mapping file read.
pub fn replay(
    ledger: &mut Ledger,
    id: BatchId,
    choice: MappingChoice,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?.clone();
    super::erase::refuse_batch(ledger, id)?;
    if let Some(what) = import::sole_reading(&batch.stage.mapping.id) {
        let text = format!("{id} {what}: it cannot be replayed");
        return Err(AppError::Usage(text));
    }
    super::split::refuse_part(&batch.stage)?;
    let choice = match choice {
        MappingChoice::Default => MappingChoice::Named(batch.stage.mapping.id.clone()),
        other => other,
    };
    let mapping = choose_mapping(&choice, batch.stage.series)?;
    let manifest = ledger.manifest_of(&batch.stage)?;
    // A batch that only filled holes goes on doing so.
    let keeps = batch.stage.views.iter().all(|part| part.class == Class::Fill);
    let mut draft = Draft {
        // Dates are judged as they were when the bytes came in.
        as_of: batch.stage.as_of,
        supersedes: (batch.state() == BatchState::Active).then_some(id),
        again: Some(format!("replay of {id}")),
        ..csv_draft(&mapping, keeps, run)
    };
    let spool = |name: &str| {
        let name = name.to_owned();
        move |source| AppError::Unwritable { name: format!("a copy of {name}"), source }
    };
    with_events(ledger, false, |target, writer| {
        let mut done = 0;
        for (index, source) in (0..).zip(&manifest.sources) {
            let mut file = tempfile::tempfile().map_err(spool(&source.name))?;
            let write = |source| LedgerError::write("a copy of a source", source);
            target
                .read_source(&source.digest, &mut |piece| file.write_all(piece).map_err(write))?;
            file.rewind().map_err(spool(&source.name))?;
            let symbol = match &source.symbol {
                Some(symbol) => SymbolFrom::Given(symbol.clone()),
                None => SymbolFrom::Column,
            };
            let mut flush = |window: Window| target.write(writer, &window);
            let mut out = Collector::resume(done, &mut flush);
            let reading = Reading { mapping: &mapping, symbol, source: index };
            read_source(&mut file, &source.name, &reading, &mut draft, &mut out, &|_| {})?;
            done = out.finish()?;
        }
        draft.manifest = manifest;
        Ok(())
    })
    .and_then(|prepared| withdraw::settle(prepared, ledger, draft, full, run))
}
