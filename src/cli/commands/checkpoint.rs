//! `checkpoint`: the head of the log, signed.

use crate::app::proof::record;
use crate::cli::context::Context;
use crate::cli::error::{ANOTHER_KEY, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger checkpoint sign -O vol.checkpoint        sign the log as it is now
  volledger checkpoint list                          what was signed, and whether it still holds
  volledger verify --against vol.checkpoint          has the log lost or changed anything since?

A checkpoint is a C2SP tlog-checkpoint in a signed note: the log's size and root. Kept where the
ledger is not (mailed, printed, in another's hands), it shows any later change to what was recorded
before it. What was signed is noted beside the key, and nothing is signed that contradicts it.";

/// The head of the log, signed
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CheckpointArgs {
    #[command(subcommand)]
    what: What,
}

impl CheckpointArgs {
    /// Whether the ledger stays as it is, and nothing is signed.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        matches!(self.what, What::List(_))
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign the log as it is now
    Sign(SignArgs),
    /// What was signed, and whether the log still extends it
    List(ListArgs),
}

#[derive(Debug, Args)]
struct SignArgs {
    /// The file to write; without one the checkpoint is printed
    #[arg(short = 'O', long = "out", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The signing key [else VOLLEDGER_SIGNING_KEY, signing.key in the configuration folder]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// The signing key [else VOLLEDGER_SIGNING_KEY, signing.key in the configuration folder]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &CheckpointArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    match &args.what {
        What::Sign(args) => {
            let key = ctx.key_file(args.key_file.as_deref())?;
            ui.show(&record::sign(&ledger, &key, args.file.as_deref(), &ctx.run())?)?;
            ui.hint(
                "keep it where the ledger is not; compare with `volledger verify --against FILE`",
            );
            Ok(Exit::Done)
        }
        What::List(args) => {
            let key = ctx.key_file(args.key_file.as_deref())?;
            let list = record::list(&ledger, &key)?;
            ui.show(&list)?;
            if list.ok {
                return Ok(Exit::Done);
            }
            ui.hint(&format!(
                "the ledger is not the one that was signed, or an older copy of it: keep both and \
                 look for the newest copy; {ANOTHER_KEY}"
            ));
            Ok(Exit::Damaged)
        }
    }
}
