//! From a staged batch to a decision: by flags, by asking, or not at all.

use super::args::Decide;
use super::context::Context;
use super::error::Outcome;
use super::exit::Exit;
use super::prompt::{self, Answer};
use super::ui::Ui;
use crate::app::error::AppError;
use crate::app::import::{Outcome as Came, Staged};
use crate::app::prepared::{self, Replaced};
use crate::app::report::ViewEffect;
use crate::app::{self, Ledger, Run, decide, derive, review};
use crate::domain::{BatchId, EntryKind, float};
use crate::render::ReviewPage;
use crate::render::numbers::counted;

/// What is done with a staged batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Confirm,
    Ask,
    Keep(Exit),
}

/// The decision table of the contract.
fn step(flags: &Decide, blocked: bool, may_ask: bool) -> Step {
    match flags {
        Decide { force: true, .. } => Step::Confirm,
        Decide { yes: true, .. } if blocked => Step::Keep(Exit::Findings),
        Decide { yes: true, .. } => Step::Confirm,
        Decide { stage_only: true, .. } => Step::Keep(Exit::Done),
        _ if may_ask => Step::Ask,
        _ => Step::Keep(Exit::NotAsked),
    }
}

/// Applies the limits that the user set for confirming without being asked.
fn limits(ledger: &Ledger, staged: &mut Staged, flags: &Decide) {
    let batch = staged.batch.and_then(|id| ledger.batches().get(id));
    if let Some(batch) = batch {
        staged.blocking = review::blocking(&batch.stage, flags.max_rejected);
        staged.blocking.extend_from_slice(&staged.left_out);
    }
    let otherwise = otherwise(staged);
    staged.blocking.extend(otherwise);
    let largest = staged.largest.map(float);
    if let (Some(most), Some(largest)) = (flags.max_change_points, largest)
        && largest > most
    {
        let text = format!(
            "a value changes by {largest:.2} points (a price: percent), more than the {most} allowed"
        );
        staged.blocking.push(text);
    }
}

/// What the batch that is here would do otherwise than the command says.
fn otherwise(staged: &Staged) -> Vec<String> {
    let mut found = Vec::new();
    if staged.other_overlap {
        found.push(format!(
            "it was staged with `--overlap {}`: for another, discard it and import it again",
            staged.review.overlap
        ));
    }
    let id = staged.batch.map(|id| id.to_string()).unwrap_or_default();
    found.extend(staged.other_replaced.map(|replaced| match replaced {
        Replaced { here: Some(old), asked } => {
            let not = asked.map(|asked| format!(", not {asked}")).unwrap_or_default();
            format!(
                "it would replace {old}{not}, since it was staged by a replay: `volledger batch confirm {id}` \
                 does that; else discard it with `volledger batch discard {id}` and run this again"
            )
        }
        Replaced { here: None, asked } => {
            let old = asked.map(|asked| asked.to_string()).unwrap_or_default();
            format!(
                "it would not replace {old}: discard it with `volledger batch discard {id}` and run this \
                 again, or confirm it and take {old} out with `volledger batch rollback {old}`"
            )
        }
    }));
    found
}

/// What is done with what was staged, and who may not confirm it.
fn planned(
    ledger: &Ledger,
    staged: &Staged,
    flags: &Decide,
    may_ask: bool,
    run: &Run<'_>,
) -> (Step, Option<AppError>) {
    let batch = match (staged.outcome, staged.batch) {
        (Came::DryRun | Came::AlreadyActive, _) | (_, None) => {
            return (Step::Keep(Exit::Done), None);
        }
        (_, Some(batch)) => batch,
    };
    // Who may not confirm is not asked either.
    match decide::may_confirm(ledger, batch, run).err() {
        // What was staged is not what the command says, and no finding that `--force` could accept.
        None if flags.force && !otherwise(staged).is_empty() => (Step::Keep(Exit::Findings), None),
        None => (step(flags, !staged.blocking.is_empty(), may_ask), None),
        Some(refusal) => {
            let exit = if flags.stage_only { Exit::Done } else { Exit::NotAsked };
            (Step::Keep(exit), Some(refusal))
        }
    }
}

/// How what is staged is shown and decided about.
pub(super) struct Deciding<'a> {
    pub(super) ui: &'a mut Ui,
    pub(super) ctx: &'a Context,
    pub(super) flags: &'a Decide,
    /// Whether reviews hold every change.
    pub(super) full: bool,
}

impl Deciding<'_> {
    /// Stages something, shows its review, decides about it, and says what that leaves behind.
    pub(super) fn finish(
        mut self,
        ledger: &mut Ledger,
        stage: impl FnOnce(&mut Ledger) -> app::error::Result<Staged>,
    ) -> Outcome<Exit> {
        let before = ledger.entries().len();
        let (exit, shown) = self.settle(ledger, stage)?;
        if shown {
            self.ui.hint("take it back with `volledger undo`");
        }
        let mut since = ledger.entries().iter().skip(before);
        if since.any(|entry| matches!(entry.kind, EntryKind::Decision(_))) {
            left_behind(self.ui, ledger);
        }
        Ok(exit)
    }

    /// Confirms a batch that was staged before, where flags do without asking; else the exit code of
    /// why it stays staged. In a line: the document of a command is that of its own batch.
    pub(super) fn beside(
        &mut self,
        ledger: &mut Ledger,
        batch: BatchId,
    ) -> Outcome<std::result::Result<(), Exit>> {
        let run = self.ctx.run();
        let mut staged = prepared::staged_before(ledger, batch, false, &run)?;
        limits(ledger, &mut staged, self.flags);
        let (next, refused) = planned(ledger, &staged, self.flags, false, &run);
        let exit = match next {
            Step::Confirm => {
                decide::confirm_staged(ledger, &staged, &run)?;
                self.ui.note(&format!("{batch} is confirmed before what came now"));
                return Ok(Ok(()));
            }
            Step::Keep(exit) => exit,
            Step::Ask => Exit::NotAsked,
        };
        kept(self.ui, batch, &staged, exit, refused.as_ref());
        Ok(Err(exit))
    }

    /// Stages something, shows its review and decides about it. Where flags have decided already,
    /// both are done before anything is shown: a batch that is told of is durable. Says too whether a
    /// view shows anything else now: how that is taken back depends on what follows from it.
    pub(super) fn settle(
        &mut self,
        ledger: &mut Ledger,
        stage: impl FnOnce(&mut Ledger) -> app::error::Result<Staged>,
    ) -> Outcome<(Exit, bool)> {
        let (ui, ctx, flags, full) = (&mut *self.ui, self.ctx, self.flags, self.full);
        let (run, may_ask) = (ctx.run(), ui.may_ask());
        let mut plan = (Step::Keep(Exit::Done), None);
        let agreed = |ledger: &Ledger, staged: &mut Staged| {
            limits(ledger, staged, flags);
            plan = planned(ledger, staged, flags, may_ask, &run);
            plan.0 == Step::Confirm
        };
        let (mut staged, decided) = decide::stage_and_confirm(ledger, &run, stage, agreed)?;
        let (mut next, refused) = plan;
        let Some(batch) = staged.batch.filter(|_| staged.outcome != Came::DryRun) else {
            ui.page(&ReviewPage::new(&staged.review, full))?;
            ui.hint("nothing was appended; leave out `--dry-run` to stage it");
            return Ok((Exit::Done, false));
        };
        if staged.outcome == Came::AlreadyActive {
            already_active(ui, ledger, batch, &staged, full)?;
            let heard = !flags.yes || flags.force || staged.left_out.is_empty();
            let done = !(flags.yes || flags.force) || staged.other_replaced.is_none();
            return Ok((if heard && done { Exit::Done } else { Exit::Findings }, false));
        }
        if staged.outcome == Came::AlreadyStaged {
            ui.say(&format!("This content is already staged as {batch}"));
            for text in otherwise(&staged).iter().filter(|_| flags.stage_only) {
                ui.note(&format!("{batch} is not what was asked for: {text}"));
            }
        }
        // A person sees the review before the decision, a program the outcome after it.
        if ui.for_people() {
            ui.show(&ReviewPage::new(&staged.review, full))?;
        }
        if next == Step::Ask {
            next = match asked(ui, ctx, ledger, batch, &staged)? {
                Some(next) => next,
                None => return Ok((Exit::Done, false)),
            };
        }
        let mut shown = false;
        let exit = match next {
            Step::Confirm => {
                let decided = match decided {
                    Some(decided) => decided?,
                    // Others may have decided while a person was asked.
                    None => decide::confirm(ledger, batch, staged.review.token.as_deref(), &run)?,
                };
                staged.review.state = Some("active");
                if ui.for_people() {
                    ui.show(&decided)?;
                }
                let touched = |view: &ViewEffect| view.added + view.changed + view.removed > 0;
                shown = decided.changes.iter().any(touched);
                Exit::Done
            }
            Step::Ask => Exit::NotAsked,
            Step::Keep(exit) => {
                kept(ui, batch, &staged, exit, refused.as_ref());
                exit
            }
        };
        if !ui.for_people() {
            if next == Step::Keep(Exit::Findings) {
                staged.review.blocking = Some(staged.blocking);
            }
            ui.show(&ReviewPage::new(&staged.review, full))?;
        }
        Ok((exit, shown))
    }
}

/// Says that nothing is to be done, and what of the batch was erased since.
fn already_active(
    ui: &mut Ui,
    ledger: &mut Ledger,
    batch: BatchId,
    staged: &Staged,
    full: bool,
) -> Outcome<()> {
    if !ui.for_people() {
        ui.show(&ReviewPage::new(&staged.review, full))?;
    }
    ui.tell(&format!("Nothing to do: this content is already confirmed as {batch}"))?;
    let found = ledger.batches().get(batch);
    for erasure in found.map(|batch| batch.erased.as_slice()).unwrap_or_default() {
        let (at, reason) = (erasure.at, &erasure.reason);
        let (events, actor) = (counted(erasure.events, "event"), &erasure.actor);
        let stay = if erasure.events == 1 { "stays" } else { "stay" };
        ui.note(&format!("{events} of {batch} {stay} erased: by {actor}, {at}: {reason}"));
    }
    for name in &staged.back {
        ui.note(&format!("{name} of {batch} is back: its bytes were lost"));
    }
    if staged.other_overlap {
        ui.note(&format!(
            "{batch} was staged with `--overlap {}`, and that stands: for another, roll it back and import \
             it with `--again --reason TEXT`",
            staged.review.overlap
        ));
    }
    if let Some(old) = staged.other_replaced.and_then(|replaced| replaced.asked) {
        ui.note(&format!(
            "{old} counts as well, since {batch} was not staged to replace it: take it out with `volledger \
             batch rollback {old}`"
        ));
    }
    for file in &staged.left_out {
        ui.note(file);
    }
    ui.hint(&format!("see it with `volledger batch show {batch}`"));
    Ok(())
}

/// Asks a person what to do; nothing is left to do after the batch was discarded. Nobody else waits for the
/// ledger meanwhile: it is opened again for what is answered, which is about the review that was shown.
fn asked(
    ui: &mut Ui,
    ctx: &Context,
    ledger: &mut Ledger,
    batch: BatchId,
    staged: &Staged,
) -> Outcome<Option<Step>> {
    for finding in &staged.blocking {
        ui.say(&format!("  ! {finding}"));
    }
    loop {
        *ledger = Ledger::in_memory();
        ui.let_go()?;
        let answer = prompt::confirm(ui, &batch.to_string(), staged.review.token.as_deref());
        if let Answer::No | Answer::Gone = answer {
            // What is told about it besides can be left out while somebody else has it.
            if let Ok(opened) = ctx.opened() {
                *ledger = opened.ledger;
            }
            let exit = if answer == Answer::No { Exit::Done } else { Exit::NotAsked };
            return Ok(Some(Step::Keep(exit)));
        }
        *ledger = ctx.open(ui)?;
        match answer {
            Answer::Yes => return Ok(Some(Step::Confirm)),
            Answer::Diff => {
                let all = review::review(ledger, batch, true, &ctx.run())?;
                ui.page(&ReviewPage::new(&all, true))?;
            }
            _ => {
                let decided = decide::discard(ledger, batch, None, false, &ctx.run())?;
                ui.show(&decided)?;
                ui.hint("take it back with `volledger undo`");
                return Ok(None);
            }
        }
    }
}

/// Says why a batch stays staged, and what can be done with it.
fn kept(ui: &mut Ui, batch: BatchId, staged: &Staged, exit: Exit, refused: Option<&AppError>) {
    if exit == Exit::Findings {
        ui.reason(&format!("Not confirmed, {batch} stays staged:"));
        for finding in &staged.blocking {
            ui.reason(&format!("  ! {finding}"));
        }
    }
    if let (Some(refusal), Exit::NotAsked) = (refused, exit) {
        ui.reason(&format!("Not confirmed, {batch} stays staged:"));
        ui.reason(&format!("  ! {refusal}"));
    }
    let rows = &staged.review.rows;
    let nothing = rows.accepted == 0 && rows.retracted == 0;
    ui.hint(&match exit {
        _ if nothing => {
            let then = match staged.review.fetch {
                Some(_) => "; the same command asks for its days again",
                None => " and correct the file",
            };
            format!(
                "nothing in {batch} can be used: look at `volledger batch show {batch}`, then drop it with \
                 `volledger batch discard {batch}`{then}"
            )
        }
        _ if refused.is_some() => format!(
            "another person reviews with `volledger batch diff {batch}`, then confirms \
             with `volledger batch confirm {batch}`; you may discard it with `volledger \
             batch discard {batch}`"
        ),
        Exit::Findings => format!(
            "look at `volledger batch show {batch}`, then accept it as it is with \
             `volledger batch confirm {batch}`, or drop it with `volledger batch discard \
             {batch}`"
        ),
        Exit::NotAsked => format!(
            "{batch} is staged and changes nothing yet (nobody could be asked): review \
             with `volledger batch diff {batch}`, then `volledger batch confirm {batch}`"
        ),
        _ => format!(
            "{batch} is staged and changes nothing yet: review with `volledger batch \
             diff {batch}`, then `volledger batch confirm {batch}`"
        ),
    });
}

/// Says which computed values a decision left behind. It stands, whatever becomes of this.
pub(super) fn left_behind(ui: &mut Ui, ledger: &Ledger) {
    let found = derive::outdated(ledger).unwrap_or_else(|error| {
        ui.note(&format!("whether computed values still follow could not be seen: {error}"));
        Vec::new()
    });
    for left in found {
        let (view, input) = (left.what.series(), left.what.input());
        let few: Vec<_> = left.symbols.iter().take(6).map(ToString::to_string).collect();
        let more = if left.symbols.len() > few.len() { " …" } else { "" };
        let few = few.join(" ");
        ui.note(&format!(
            "{view} of {few}{more} no longer follows from {input}: `volledger derive {view}` \
             computes it anew"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_table_is_that_of_the_contract() {
        let flags = |stage_only, yes, force| {
            let (max_change_points, max_rejected) = (None, 0);
            Decide { stage_only, yes, force, max_change_points, max_rejected }
        };
        for (flags, blocked, may_ask, want) in [
            (flags(false, false, false), false, true, Step::Ask),
            (flags(false, false, false), true, false, Step::Keep(Exit::NotAsked)),
            (flags(true, false, false), true, true, Step::Keep(Exit::Done)),
            (flags(false, true, false), false, true, Step::Confirm),
            (flags(false, true, false), true, true, Step::Keep(Exit::Findings)),
            (flags(false, false, true), true, false, Step::Confirm),
            (flags(false, true, true), true, false, Step::Confirm),
        ] {
            assert_eq!(step(&flags, blocked, may_ask), want, "{flags:?} {blocked} {may_ask}");
        }
    }
}
