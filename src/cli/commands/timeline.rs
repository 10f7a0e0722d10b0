//! `undo`, `redo` and `rollback --to`: the inverse of decisions.

use crate::app::clock::rfc3339;
use crate::app::derive::Derivation;
use crate::app::fetch::Provider;
use crate::app::report::Decided;
use crate::app::{Ledger, decide, lookup};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::flow;
use crate::cli::ui::Ui;
use crate::domain::entry::MappingRef;
use crate::domain::{BatchId, BatchState, Position, Series};
use clap::Args;

pub(in crate::cli) const UNDO_EXAMPLES: &str = "\
EXAMPLES
  volledger undo --plan      what it would do
  volledger undo             take the last decision back; again: the one before it
  volledger redo             and make it once more

What an undo takes back stays in the log. `volledger rollback --to` goes back further at once.
Decisions about projections have commands of their own (`volledger projection promote pq@1`):
after one, undo names that and takes nothing back.";

/// Whether to act or only to show
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanArgs {
    /// Show what it would do, and append nothing
    #[arg(long)]
    pub(super) plan: bool,
}

impl PlanArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        self.plan
    }
}

const EXAMPLES: &str = "\
EXAMPLES
  volledger rollback --to '#12' --plan                see what it would do
  volledger rollback --to 2024-12-31 --reason \"bad vendor week\"

A time is one at which things were decided (`volledger log`), not a day of the data.
What came later stays in the ledger; `volledger undo` brings it back.";

/// Go back to how the views were
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RollbackToArgs {
    /// The position (#12) or time to go back to
    #[arg(long, value_name = "POSITION|TIME", required_unless_present = "bare")]
    to: Option<String>,
    /// Taken only to say which words were meant
    #[arg(hide = true, conflicts_with = "to")]
    bare: Option<String>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    plan: PlanArgs,
}

impl RollbackToArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        self.plan.only_reads()
    }
}

pub(in crate::cli) fn undo(ui: &mut Ui, ctx: &Context, args: &PlanArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    let run = ctx.run();
    let decided = decide::undo(&mut ledger, args.plan, &run)?;
    let exit = told(ui, &ledger, &decided, "volledger redo")?;
    if let (false, Some((computed, from))) = (args.plan, computed(&ledger, &decided)) {
        // The next one is what it was computed from, unless somebody decided in between.
        let next = decide::undo(&mut ledger, true, &run).ok();
        if let Some(input) = next.and_then(|next| gone_of(&ledger, &next, from)) {
            ui.hint(&format!(
                "what {computed} was computed from, {input}, still counts: `volledger undo` once more \
                 takes that back as well"
            ));
        }
    }
    Ok(exit)
}

/// The batch of computed values that a decision takes away, and the view that it was computed from.
fn computed(ledger: &Ledger, decided: &Decided) -> Option<(BatchId, Series)> {
    [Derivation::Hv, Derivation::Iv].into_iter().find_map(|what| {
        let id = gone_of(ledger, decided, what.series())?;
        let stage = &ledger.batches().get(id)?.stage;
        stage.mapping.id.starts_with(MappingRef::COMPUTED).then_some((id, what.input()))
    })
}

/// The batch of a view that a decision takes out.
fn gone_of(ledger: &Ledger, decided: &Decided, view: Series) -> Option<BatchId> {
    let gone = decided.batches.iter().filter(|change| change.to == "rolled-back");
    let mut gone = gone.filter_map(|change| change.batch.parse::<BatchId>().ok());
    gone.find(|id| ledger.batches().get(*id).is_some_and(|batch| batch.stage.series == view))
}

pub(in crate::cli) fn redo(ui: &mut Ui, ctx: &Context, args: &PlanArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    let decided = decide::redo(&mut ledger, args.plan, &ctx.run())?;
    told(ui, &ledger, &decided, "volledger undo")
}

pub(in crate::cli) fn rollback(ui: &mut Ui, ctx: &Context, args: &RollbackToArgs) -> Outcome<Exit> {
    let to = args.to.as_deref().ok_or_else(|| meant(args.bare.as_deref().unwrap_or_default()))?;
    let mut ledger = ctx.open(ui)?;
    let to = place(&ledger, to)?;
    let reason = args.reason.clone();
    let decided = decide::rollback_to(&mut ledger, to, reason, args.plan.plan, &ctx.run())?;
    told(ui, &ledger, &decided, "volledger undo")
}

/// The position to go back to. A time before the ledger began is the day of some value, not a time at
/// which somebody knew anything here: all of it would go.
fn place(ledger: &Ledger, to: &str) -> Outcome<Position> {
    let at = lookup::position_of(ledger, to)?;
    match ledger.entries().first() {
        Some(first) if at == Position(0) && to.parse::<Position>().is_err() => {
            let began = rfc3339(first.time_ms);
            Err(Failure::of(
                Exit::Failed,
                format!("the ledger begins at {began} (#1), after {to}"),
                "a time is one at which things were decided (`volledger log`), not a day of the data; \
                 `--to '#0'` takes everything out of the views",
            ))
        }
        _ => Ok(at),
    }
}

/// A place without `--to`: the words that were meant. Nothing is guessed, since going back to #12 is
/// not taking b12 out.
fn meant(bare: &str) -> Failure {
    let (error, hint) = match bare.parse::<BatchId>() {
        Ok(batch) if bare.starts_with(['b', 'B']) => (
            format!("{batch} is a batch and no place in time"),
            format!("take it out of the views with `volledger batch rollback {batch}`"),
        ),
        _ => (
            format!("where to go back to is said with --to, and `{bare}` stands alone"),
            format!("see what it would do with `volledger rollback --to '{bare}' --plan`"),
        ),
    };
    Failure::usage(error, hint)
}

/// What was rolled back with the batch that it had replaced, where that one stays replaced.
fn left_out(ledger: &Ledger, decided: &Decided) -> Vec<(BatchId, BatchId)> {
    let gone = decided.batches.iter().filter(|change| change.to == "rolled-back");
    let gone = gone.filter_map(|change| change.batch.parse::<BatchId>().ok());
    let pairs = gone.filter_map(|id| Some((id, ledger.batches().get(id)?.stage.supersedes?)));
    let still = |id: BatchId| {
        let batch = ledger.batches().get(id);
        let back = decided.batches.iter().any(|change| change.batch == id.to_string());
        !back && batch.is_some_and(|batch| batch.state() == BatchState::Superseded)
    };
    pairs.filter(|(_, replaced)| still(*replaced)).collect()
}

/// What begins to count and has no row that does. Answers of a service count for their days all the same.
fn idle(ledger: &Ledger, decided: &Decided) -> Vec<BatchId> {
    let here = decided.batches.iter().filter(|change| change.to == "active");
    let here = here.filter_map(|change| change.batch.parse::<BatchId>().ok());
    let says_nothing = |id: &BatchId| {
        let stage = ledger.batches().get(*id).map(|batch| &batch.stage);
        stage.is_some_and(|stage| {
            let fetched = Provider::ALL.iter().any(|service| service.name() == stage.mapping.id);
            !fetched && stage.rows.accepted + stage.rows.retracted == 0
        })
    };
    here.filter(says_nothing).collect()
}

/// Shows a decision, says which computed values it leaves behind, and names its inverse.
pub(super) fn told(
    ui: &mut Ui,
    ledger: &Ledger,
    decided: &Decided,
    inverse: &str,
) -> Outcome<Exit> {
    ui.show(decided)?;
    for (gone, replaced) in left_out(ledger, decided) {
        ui.note(&format!(
            "{replaced}, which {gone} replaced, stays out of the views: `volledger batch reinstate \
             {replaced}` brings it back"
        ));
    }
    for batch in idle(ledger, decided) {
        ui.note(&format!("{batch} has no row that can be used: no view shows anything of it"));
    }
    if decided.plan {
        ui.hint("leave out `--plan` to do it");
    } else if decided.action != "none" {
        flow::left_behind(ui, ledger);
        ui.hint(&format!("take it back with `{inverse}`"));
    }
    Ok(Exit::Done)
}
