//! `backup` and `restore`: the whole ledger in one file.

use super::verify;
use crate::app::report::Exported;
use crate::app::{AppError, LedgerError, outside};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger backup vol.vlb                          everything, with the sources
  volledger backup vol.vlb --plain                  for other programs (examples/verify_bundle.py)
  volledger restore vol.vlb copy                    checked whole before `copy` gets its name
  volledger -L copy verify --deep";

const BACKUP_EXAMPLES: &str = "\
EXAMPLES
  volledger backup vol.vlb                          everything, with the sources
  volledger backup vol.vlb --plain                  for other programs (examples/verify_bundle.py)
  volledger restore vol.vlb copy                    checked whole before `copy` gets its name

An earlier backup of the same ledger is replaced. Any other file of that name stays as .bak, also a
backup of another ledger, or of a later state of this one.";

/// Write the whole ledger into one file
#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLES)]
pub(in crate::cli) struct BackupArgs {
    /// The file to write
    file: PathBuf,
    /// Do not compress it
    #[arg(long)]
    plain: bool,
}

/// Make a ledger from a backup
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// The directory of the new ledger; must not hold one
    dir: PathBuf,
}

impl RestoreArgs {
    /// The directory of the new ledger.
    pub(in crate::cli) fn dir(&self) -> &Path {
        &self.dir
    }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &BackupArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let written = outside::backup(&ledger, &args.file, args.plain, &ctx.run())?;
    ui.show(&written)?;
    told_kept(ui, &written);
    ui.hint(&format!("try it: `volledger restore {} DIR`", args.file.display()));
    Ok(Exit::Done)
}

/// Says where a file stays that was replaced and that the new one does not hold.
pub(super) fn told_kept(ui: &mut Ui, written: &Exported) {
    for (file, kept) in written.files.iter().zip(&written.kept) {
        ui.note(&format!("what was {file} is no earlier state of this one; it stays as {kept}"));
    }
}

pub(in crate::cli) fn restore(ui: &mut Ui, ctx: &Context, args: &RestoreArgs) -> Outcome<Exit> {
    let report = outside::restore(&args.file, &args.dir, &ctx.holder(), &ctx.run());
    let report = report.map_err(|error| match error {
        AppError::Ledger(there @ LedgerError::Exists(_)) => {
            let dir = args.dir.display();
            let hint =
                format!("name another directory, or look at that one: `volledger -L {dir} status`");
            Failure::of(Exit::Failed, there.to_string(), hint)
        }
        error => error.into(),
    })?;
    let exit = verify::conclude(ui, &report)?;
    // Who may decide and how long rows are kept stands beside the ledger, not in it.
    if exit == Exit::Done {
        ui.note(
            "a backup has no settings: where the ledger had a config.toml (two_person, retention, \
             mirror), copy it into the new directory",
        );
        ui.hint(&format!("use it with `volledger -L {} status`", args.dir.display()));
    }
    Ok(exit)
}
