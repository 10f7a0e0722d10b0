//! `derive`: compute what follows from the data, review it, and decide.

use crate::app::derive::{self, Derivation};
use crate::app::{AppError, Ledger, decide, lookup};
use crate::cli::args::Decide;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::flow::Deciding;
use crate::cli::ui::Ui;
use crate::domain::{BatchId, Finding, Symbol};
use crate::render::ReviewPage;
use crate::render::numbers::counted;
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
EXAMPLES
  volledger derive hv                 historical volatility of every symbol with closes
  volledger derive iv AAPL --yes      the daily record from the chains of AAPL

The values are a batch of their own that names its inputs. They only fill holes: what a file or a
service gave is shown before them, also with `--overlap keep`. `fetch spot` and `fetch chain` do
this after a confirmation.";

/// Compute what follows from the data, as a batch that names its inputs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct DeriveArgs {
    /// What to compute
    #[arg(value_enum)]
    what: WhatArg,
    /// The symbols [default: all that have the data]
    symbols: Vec<Symbol>,
    #[command(flatten)]
    decide: Decide,
    /// All changes and findings, not the largest 20
    #[arg(long)]
    full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhatArg {
    /// hv20, hv30, hv90 and hv252 from closes
    Hv,
    /// atm_iv, term structure and skew from chain snapshots
    Iv,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &DeriveArgs) -> Outcome<Exit> {
    let what = match args.what {
        WhatArg::Hv => Derivation::Hv,
        WhatArg::Iv => Derivation::Iv,
    };
    let mut ledger = ctx.open(ui)?;
    lookup::known(&ledger, &args.symbols, &[what.input()], None)?;
    let derived = derive::derive(&mut ledger, what, &args.symbols, &ctx.run())?;
    match derived.staged {
        Some(staged) => {
            let deciding = Deciding { ui, ctx, flags: &args.decide, full: args.full };
            deciding.finish(&mut ledger, |_| Ok(staged))
        }
        None => {
            let review = crate::app::report::Review::of_nothing(ledger.position().0, "derived/1");
            if ui.for_people() {
                tell(ui, &derived.findings);
                ui.tell("Nothing new: every value that can be computed is recorded")?;
            } else {
                ui.show(&ReviewPage::new(&review, args.full))?;
            }
            Ok(Exit::Done)
        }
    }
}

/// Says why values are missing or doubtful; holes are no news, `gaps` has them.
fn tell(ui: &mut Ui, findings: &[Finding]) {
    const FEW: usize = 5;
    let told: Vec<_> = findings.iter().filter(|finding| finding.code != "hole").collect();
    for finding in told.iter().take(FEW) {
        ui.say(&format!("! {}", finding.text));
    }
    if told.len() > FEW {
        ui.say(&format!("! and {} more", told.len() - FEW));
    }
}

/// Computes what follows from what was just confirmed, and confirms it: it adds no knowledge, and
/// like any decision it can be taken back. Returns the batch that was confirmed.
pub(super) fn follow(
    ui: &mut Ui,
    ctx: &Context,
    ledger: &mut Ledger,
    what: Derivation,
    symbols: &[Symbol],
) -> Outcome<Option<BatchId>> {
    let run = ctx.run();
    let (derived, decided) = derive::derive_and_confirm(ledger, what, symbols, &run)?;
    tell(ui, &derived.findings);
    let Some(staged) = derived.staged else { return Ok(None) };
    let (days, view) = (counted(staged.review.rows.effective, "day"), what.series());
    let batch = staged.batch.ok_or_else(|| {
        Failure::from(AppError::NotFound("what was computed has no batch".into()))
    })?;
    if let Some(decided) = decided {
        decided?;
    } else if let Err(refusal) = decide::may_confirm(ledger, batch, &run) {
        ui.note(&format!("{view} of {days} was computed and stays staged: {refusal}"));
        return Ok(None);
    }
    ui.say(&format!("Computed {view} of {days} from {}, confirmed as {batch}", what.input()));
    Ok(Some(batch))
}
