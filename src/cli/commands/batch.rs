//! `batch`: list, review and decide on batches.

use super::import;
use super::timeline::{PlanArgs, told};
use crate::app::report::Review;
use crate::app::split::{self, Choice};
use crate::app::{Ledger, decide, erased, lookup, outside, review};
use crate::cli::args::{Again, Decide, Past};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::flow::Deciding;
use crate::cli::ui::Ui;
use crate::domain::BatchId;
use crate::render::ReviewPage;
use crate::render::numbers::counted;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger batch list
  volledger batch diff b2 --full                      every value that would change
  volledger batch diff b2 --at '#7'                   what it would have changed after #7
  volledger batch confirm b2 --expect 5be04d1c93aa    only if the review is still that one
  volledger batch rollback b2 --reason \"vendor restated August\"
  volledger batch reinstate b2
  volledger batch split b3 --symbol 'AAPL,BRK*'       those as one batch, the others as another

Decisions act at once, since each can be taken back; --plan shows first what one would do.";

/// List, review and decide on batches
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct BatchArgs {
    #[command(subcommand)]
    what: What,
}

impl BatchArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        match &self.what {
            What::List { .. } | What::Show(_) | What::Diff { .. } | What::Export { .. } => true,
            What::Confirm { plan, .. } => plan.only_reads(),
            What::Discard(of) | What::Rollback(of) | What::Reinstate(of) => of.plan.only_reads(),
            What::Split { .. } | What::Replay { .. } | What::Import { .. } => false,
        }
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// All batches and their states
    List {
        #[command(flatten)]
        past: Past,
    },
    /// What a batch holds and what was noticed
    Show(Look),
    /// What a batch would change
    Diff {
        #[command(flatten)]
        look: Look,
        /// Exit with 10 if there are changes
        #[arg(long)]
        exit_code: bool,
    },
    /// Let a staged batch count in the views
    Confirm {
        /// The batch, for example b7
        batch: BatchId,
        /// Only if the review's token is still this one, or begins so
        #[arg(long, value_name = "TOKEN")]
        expect: Option<String>,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Throw a staged batch away
    Discard(Reasoned),
    /// Take a confirmed batch out of the views
    Rollback(Reasoned),
    /// Put a batch back that was rolled back
    Reinstate(Reasoned),
    /// Part a staged batch by symbol in two that are decided about apart
    Split {
        /// The batch, for example b7
        batch: BatchId,
        /// Symbols for the first part, or patterns like 'BRK*'; the rest goes into the second
        #[arg(short, long, required = true, value_name = "SYMBOL,…", value_delimiter = ',')]
        symbol: Vec<String>,
        /// Why, for the log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Read a batch's sources anew, with the mapping as it is now or another one
    Replay {
        /// The batch, for example b7
        batch: BatchId,
        /// How to read the columns: a name or a file of your own
        #[arg(long, value_name = "ID|FILE")]
        mapping: Option<String>,
        /// All changes, not the largest 20
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        decide: Decide,
    },
    /// Write a batch with its sources into a file
    Export {
        /// The batch, for example b7
        batch: BatchId,
        /// The file to write
        file: PathBuf,
        /// Do not compress it
        #[arg(long)]
        plain: bool,
    },
    /// Stage a batch from such a file
    Import {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        again: Again,
        /// All changes, not the largest 20
        #[arg(long)]
        full: bool,
        #[command(flatten)]
        decide: Decide,
    },
}

#[derive(Debug, Args)]
struct Look {
    /// The batch, for example b7
    batch: BatchId,
    /// All changes and findings, not the largest 20
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    past: Past,
}

#[derive(Debug, Args)]
struct Reasoned {
    /// The batch, for example b7
    batch: BatchId,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    plan: PlanArgs,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &BatchArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    let run = ctx.run();
    match &args.what {
        What::List { past } => {
            let at = ctx.at(&ledger, past.at.as_deref())?;
            ui.page(&lookup::batches(&ledger, at)?)?;
            Ok(Exit::Done)
        }
        What::Show(look) => {
            reviewed(ui, ctx, &ledger, look)?;
            Ok(Exit::Done)
        }
        What::Diff { look, exit_code } => {
            let review = reviewed(ui, ctx, &ledger, look)?;
            let differs = *exit_code && review.changes_total > 0;
            Ok(if differs { Exit::Changes } else { Exit::Done })
        }
        What::Confirm { batch, expect, plan } => {
            let expect = expect.as_deref();
            let decided = match plan.plan {
                true => decide::plan_confirm(&ledger, *batch, expect, &run)?,
                false => decide::confirm(&mut ledger, *batch, expect, &run)?,
            };
            told(ui, &ledger, &decided, "volledger undo")
        }
        What::Discard(Reasoned { batch, reason, plan }) => {
            let decided = decide::discard(&mut ledger, *batch, reason.clone(), plan.plan, &run)?;
            told(ui, &ledger, &decided, "volledger undo")
        }
        What::Rollback(Reasoned { batch, reason, plan }) => {
            let decided = decide::roll_back(&mut ledger, *batch, reason.clone(), plan.plan, &run)?;
            told(ui, &ledger, &decided, "volledger undo")
        }
        What::Reinstate(Reasoned { batch, reason, plan }) => {
            let decided = decide::reinstate(&mut ledger, *batch, reason.clone(), plan.plan, &run)?;
            told(ui, &ledger, &decided, "volledger undo")
        }
        What::Split { batch, symbol, reason } => {
            let choice = Choice::of(symbol.iter().map(String::as_str))?;
            let parts = split::split(&mut ledger, *batch, &choice, reason.clone(), &run)?;
            ui.show(&parts)?;
            let both = [&parts.chosen, &parts.rest];
            let waits: Vec<_> = both.into_iter().filter(|part| part.state == "staged").collect();
            if let Some(first) = waits.first().map(|part| &part.batch) {
                let rest = waits.get(1).map(|part| format!("; and likewise for {}", part.batch));
                let rest = rest.unwrap_or_default();
                ui.hint(&format!(
                    "`volledger batch diff {first}`, then `volledger batch confirm {first}`{rest}"
                ));
            }
            Ok(Exit::Done)
        }
        What::Replay { batch, mapping, full, decide } => {
            let mapping = import::mapping(mapping.as_deref())?;
            let stage = |ledger: &mut _| decide::replay(ledger, *batch, mapping, *full, &run);
            Deciding { ui, ctx, flags: decide, full: *full }.finish(&mut ledger, stage)
        }
        What::Export { batch, file, plain } => {
            let written = outside::export_batch(&ledger, *batch, file, *plain)?;
            ui.show(&written)?;
            super::backup::told_kept(ui, &written);
            Ok(Exit::Done)
        }
        What::Import { file, again, full, decide } => {
            let reason = &again.reason;
            let stage = |ledger: &mut _| outside::import_batch(ledger, file, reason.clone(), &run);
            Deciding { ui, ctx, flags: decide, full: *full }.finish(&mut ledger, stage)
        }
    }
}

/// Shows the review of a batch, with what can be done with it now.
fn reviewed(ui: &mut Ui, ctx: &Context, ledger: &Ledger, look: &Look) -> Outcome<Review> {
    let at = ctx.at(ledger, look.past.at.as_deref())?;
    let review = match at {
        None => review::review(ledger, look.batch, look.full, &ctx.run())?,
        Some(at) => review::review_at(ledger, look.batch, at, look.full, &ctx.run())?,
    };
    ui.page(&ReviewPage { at, ..ReviewPage::new(&review, look.full) })?;
    for erasure in erased::of_batch(ledger, look.batch) {
        let (events, batch) = (counted(erasure.events, "event"), &erasure.batch);
        let was = if erasure.events == 1 { "was" } else { "were" };
        ui.note(&format!(
            "{events} of {batch} {was} {erasure}; the counts of its rows are those of its staging, \
             what it would change is what is left"
        ));
    }
    if at.is_none() {
        next(ui, look.batch, review.state);
    }
    Ok(review)
}

/// What can be done with a batch in its state.
fn next(ui: &mut Ui, batch: BatchId, state: Option<&str>) {
    match state {
        Some("staged") => ui.hint(&format!(
            "`volledger batch confirm {batch}` lets it count, `volledger batch discard {batch}` \
             throws it away"
        )),
        Some("active") => {
            ui.hint(&format!("take it out of the views with `volledger batch rollback {batch}`"))
        }
        Some("rolled-back") => {
            ui.hint(&format!("put it back with `volledger batch reinstate {batch}`"));
        }
        _ => {}
    }
}
