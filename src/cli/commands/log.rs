//! `log`: the decisions, newest first.

use super::follow::follow;
use crate::app::audit::{AuditQuery, audit};
use crate::app::{replace, trace};
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::Symbol;
use crate::render::audit_page;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger log                                    the decisions, newest first
  volledger log --symbol AAPL                      only what was done with batches that have it
  volledger log --follow                           the same as they are made, until Ctrl-C
  volledger log --audit                            who did what with each batch, and what stands out
  volledger log --audit --actor ann --since 2025-01-01
  volledger log --audit --html audit.html          a page for the file, complete and on its own

The audit points out batches that their stager confirmed (same_person), that were confirmed in
spite of findings (accepted_findings; by hand or by --force), erasures, and a clock that ran back.";

/// So many entries for a person; programs get all.
const SCREENFUL: usize = 30;

/// The decisions, newest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct LogArgs {
    /// At most so many, 0 for all [default: 30 in tables, else all]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    /// Only entries about batches that have events of this symbol
    #[arg(short, long, conflicts_with_all = ["audit", "follow"])]
    symbol: Option<Symbol>,
    /// The last 10 (or -n), oldest first, and then each new one as it is made
    #[arg(long, conflicts_with_all = ["audit", "at"])]
    follow: bool,
    /// Batch by batch: who staged, confirmed, rolled back and erased it, with digests
    #[arg(long, conflicts_with = "limit")]
    audit: bool,
    /// With --audit: only batches that this person had to do with
    #[arg(long, value_name = "NAME", requires = "audit")]
    actor: Option<String>,
    /// With --audit: only batches with an act since a position (#12) or time (2025-01-01)
    #[arg(long, value_name = "POSITION|TIME", requires = "audit")]
    since: Option<String>,
    /// With --audit: write it as a page, which works from a file without any network
    #[arg(long, value_name = "FILE", requires = "audit")]
    html: Option<PathBuf>,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &LogArgs) -> Outcome<Exit> {
    if args.follow {
        return follow(ui, ctx, args.limit);
    }
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.past.at.as_deref())?;
    if args.audit {
        let query = AuditQuery { actor: args.actor.clone(), since: args.since.clone(), at };
        let report = audit(&ledger, &query)?;
        if let Some(file) = &args.html {
            replace::replace_file(file, audit_page(&report).as_bytes())?;
            ui.tell(&format!("Wrote {}", file.display()))?;
        }
        if args.html.is_none() || !ui.for_people() {
            ui.page(&report)?;
        }
        return Ok(Exit::Done);
    }
    let usual = if ui.for_people() { SCREENFUL } else { 0 };
    let limit = Some(args.limit.unwrap_or(usual)).filter(|limit| *limit > 0);
    ui.page(&trace::log(&ledger, limit, at, args.symbol.as_ref())?)?;
    Ok(Exit::Done)
}
