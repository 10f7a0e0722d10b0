//! `log`: the decisions, newest first.

use crate::app::trace;
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;

/// So many entries for a person; programs get all.
const SCREENFUL: usize = 30;

/// The decisions, newest first
#[derive(Debug, Args)]
pub(in crate::cli) struct LogArgs {
    /// At most so many, 0 for all [default: 30 in tables, else all]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &LogArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.past.at.as_deref())?;
    let usual = if ui.for_people() { SCREENFUL } else { 0 };
    let limit = Some(args.limit.unwrap_or(usual)).filter(|limit| *limit > 0);
    ui.page(&trace::log(&ledger, limit, at)?)?;
    Ok(Exit::Done)
}
