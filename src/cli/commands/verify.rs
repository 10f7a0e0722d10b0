//! `verify`: check what is recorded.

use crate::app::report::VerifyReport;
use crate::app::verify;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::Series;
use crate::domain::projection::ProjectionName;
use clap::Args;

/// Check hashes, order, roots and HEAD
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Every block, every source, and every view against its rebuild
    #[arg(long)]
    deep: bool,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &VerifyArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    let report = match args.deep {
        true => verify::everything(&mut ledger, &ctx.run())?,
        false => verify::verify(&ledger, false, &ctx.run())?,
    };
    conclude(ui, &report)
}

/// Shows a verification, and what it means for the exit code.
pub(super) fn conclude(ui: &mut Ui, report: &VerifyReport) -> Outcome<Exit> {
    ui.show(report)?;
    if !report.damage.is_empty() {
        ui.hint(
            "nothing was changed; keep this directory and restore a copy with `volledger restore \
             FILE DIR`",
        );
        return Ok(Exit::Damaged);
    }
    if let Some(difference) = report.stale.first() {
        let name = named(difference).unwrap_or("NAME");
        ui.hint(&format!("nothing recorded is lost; `volledger projection rebuild {name}`"));
        return Ok(Exit::ProjectionDiffers);
    }
    if !report.deep {
        ui.hint("`volledger verify --deep` reads every block and source and rebuilds the views");
    }
    // A report that is not well without saying why is not taken for well.
    Ok(if report.ok { Exit::Done } else { Exit::Damaged })
}

/// The view or version of a projection that a difference speaks of.
fn named(difference: &str) -> Option<&str> {
    let is_view = |word: &str| Series::ALL.into_iter().any(|view| view.name() == word);
    let is_version = |word: &str| word.contains('@') && word.parse::<ProjectionName>().is_ok();
    difference.split([' ', ':']).find(|word| is_view(word) || is_version(word))
}
