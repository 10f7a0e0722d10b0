//! `status`: what is in the ledger and what waits.

use crate::app::{outside, projection, status};
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger status
  volledger status --json             for scripts
  volledger status --at 2024-12-31    what was there then, and what waited for a decision";

/// What is in the ledger and what waits for a decision
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct StatusArgs {
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &StatusArgs) -> Outcome<Exit> {
    let mut opened = ctx.opened()?;
    opened.notes.extend(outside::open_to_others(&opened.ledger));
    let at = ctx.at(&opened.ledger, args.past.at.as_deref())?;
    let mut status = status::status(&opened.ledger, at, &opened.notes)?;
    if at.is_some() {
        ui.show(&status)?; // nothing waits for anybody there
        return Ok(Exit::Done);
    }
    status.stale = projection::stale(&mut opened.ledger, &ctx.run())?;
    ui.show(&status)?;
    match status.open.first() {
        None if status.inbox > 0 => {
            ui.hint(
                "the `volledger fetch` that was stopped goes on where it was, in the same words",
            );
        }
        Some(batch) => ui.hint(&format!("review with `volledger batch diff {batch}`")),
        None if status.position == 0 => {
            ui.hint("stage a file with `volledger import iv FILE -s SYMBOL`");
        }
        None if !status.stale.is_empty() => {
            ui.hint("bring projections up to the head with `volledger projection refresh`");
        }
        None => {
            if let Some(line) = status.outdated.first() {
                ui.hint(&format!("compute it anew with `volledger derive {}`", line.series));
            }
        }
    }
    Ok(Exit::Done)
}
