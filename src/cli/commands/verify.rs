//! `verify`: check what is recorded.

use crate::app::report::VerifyReport;
use crate::app::{projection, proof, verify};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger verify                                   the log against HEAD, every block in its place
  volledger verify --deep                            every byte
  volledger verify --against vol.checkpoint          and nothing was lost or changed since then
  volledger verify --against f --key example.com/vol+1a2b3c4d+AX…   and it was signed with that key";

/// Check hashes, order, roots and HEAD
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct VerifyArgs {
    /// Every block, every source, and every view against its rebuild
    #[arg(long)]
    deep: bool,
    /// A checkpoint that was kept elsewhere: the log must begin with what it speaks of
    #[arg(long, value_name = "CHECKPOINT")]
    against: Option<PathBuf>,
    /// The public key that the checkpoint must be signed with
    #[arg(long, value_name = "VKEY", requires = "against")]
    key: Option<String>,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &VerifyArgs) -> Outcome<Exit> {
    let key = args.key.as_deref().map(proof::verifier_key).transpose()?;
    let mut ledger = ctx.open(ui)?;
    let mut report = verify::verify(&ledger, args.deep, &ctx.run())?;
    // Projections can only be compared with views that are sound.
    if args.deep && report.ok {
        let kept = projection::verify(&mut ledger, &[], &ctx.run())?;
        report.projections += kept.projections;
        report.ok = kept.ok;
        report.stale = kept.stale;
    }
    if let Some(file) = &args.against {
        proof::against(&ledger, file, key.as_ref(), &mut report)?;
    }
    conclude(ui, &report)
}

/// Shows a verification, and what it means for the exit code.
pub(super) fn conclude(ui: &mut Ui, report: &VerifyReport) -> Outcome<Exit> {
    ui.show(report)?;
    if report.against.as_ref().is_some_and(|against| !against.ok) {
        ui.hint(
            "keep this directory and the checkpoint; this is not the log that was signed, or an \
             older copy of it: look for the newest copy (`volledger restore FILE DIR`)",
        );
        return Ok(Exit::Damaged);
    }
    if !report.damage.is_empty() {
        ui.hint(
            "nothing was changed; keep this directory and restore a copy with `volledger restore \
             FILE DIR`",
        );
        return Ok(Exit::Damaged);
    }
    if let Some(view) = report.stale.first() {
        ui.hint(&format!("nothing recorded is lost; `volledger projection rebuild {view}`"));
        return Ok(Exit::ProjectionDiffers);
    }
    if !report.deep {
        ui.hint("`volledger verify --deep` reads every block and source and rebuilds the views");
    }
    // A report that is not well without saying why is not taken for well.
    Ok(if report.ok { Exit::Done } else { Exit::Damaged })
}
