//! `show`: one event or decision.

use crate::app::report::Shown;
use crate::app::trace;
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::BatchId;
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger show b7/3      the third row of batch 7, with its bytes and proof
  volledger show '#12'     the decision that led to position 12
  volledger show b7/3 --at 2024-12-31    only if it was there by then";

/// One event or decision
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ShowArgs {
    /// A row event (b7/3) or an entry of the log (#12)
    event: String,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ShowArgs) -> Outcome<Exit> {
    if let (Ok(batch), true) = (args.event.parse::<BatchId>(), args.event.starts_with(['b', 'B'])) {
        let hint = format!("`volledger batch show {batch}` has it; its first row is {batch}/1");
        return Err(Failure::usage(format!("{batch} is a batch and no event"), hint));
    }
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.past.at.as_deref())?;
    let shown = trace::show(&ledger, &args.event, at)?;
    ui.show(&shown)?;
    if let Shown::Row(event) = &shown
        && let Some(erasure) = &event.erased
    {
        let what = if event.op == "erased" { "what it said" } else { "its source's bytes" };
        ui.note(&format!("{what}: {erasure}"));
    }
    Ok(Exit::Done)
}
