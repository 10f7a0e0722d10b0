//! `recover`: a new ledger from what verifies of a hurt one.

use crate::app::recover;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger recover .volledger --dry-run       what is sound, and what is not
  volledger recover .volledger .volledger-new  write everything that verifies into a new ledger

Each entry, block and source is taken from the storage engine, the mirror or the packs, whichever
matches the recorded digests. Entries that HEAD and the mirror do not vouch for are taken where
their batches are whole; the report tells them apart. The hurt directory is not changed. The exit
code is 30 when something that was acknowledged is lost, or may be; the report says what.";

/// Write everything of a damaged ledger that verifies into a new one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct RecoverArgs {
    /// The damaged ledger's directory; it is left as it is
    dir: PathBuf,
    /// The directory of the new ledger; must not hold one
    #[arg(required_unless_present = "dry_run")]
    new: Option<PathBuf>,
    /// Only say what is sound, and what is not
    #[arg(long, conflicts_with = "new")]
    dry_run: bool,
}

impl RecoverArgs {
    /// The directory of the new ledger; none where one only looks.
    pub(in crate::cli) fn new_dir(&self) -> Option<&Path> {
        self.new.as_deref()
    }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &RecoverArgs) -> Outcome<Exit> {
    let report = recover::recover(&args.dir, args.new.as_deref(), &ctx.options(), &ctx.run())
        .map_err(Failure::from)?;
    ui.show(&report)?;
    let settings = |dir: &Path| dir.join("config.toml").is_file();
    match args.new.as_deref().filter(|_| settings(&args.dir)) {
        Some(new) if settings(new) => ui.note("its settings, config.toml, were copied as they are"),
        Some(_) => ui.note(
            "its settings, config.toml, could not be read: write them anew, or none of its rules hold \
             in the new ledger",
        ),
        None => {}
    }
    let only_files = report.lost.is_empty() && !report.missing.is_empty();
    match &args.new {
        Some(new) if only_files => ui.hint(&format!(
            "every event is there; how the files come back is said by `volledger -L {} verify`",
            new.display()
        )),
        Some(new) => ui.hint(&format!("look at it: `volledger -L {} verify`", new.display())),
        None => ui.hint(&format!("write it: `volledger recover {} DIR`", args.dir.display())),
    }
    Ok(if report.whole { Exit::Done } else { Exit::Damaged })
}
