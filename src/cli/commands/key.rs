//! `key`: the key that signs checkpoints.

use crate::app::proof::keys;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger key new                                 a key in your configuration folder
  volledger key new --name example.com/vol          with a name of your own
  volledger key new -O ~/keys/desk.key              in another file

The file holds the secret: it is readable by you alone, lies outside every ledger and is never
replaced. What is printed is the public part; give it to whoever is to check your checkpoints. One
key is for one ledger, and another ledger needs a key of its own: `volledger key new -O other.key`,
then `volledger checkpoint sign --key-file other.key`. VOLLEDGER_SIGNING_KEY names another file than
the usual one.";

/// The key that signs checkpoints
#[derive(Debug, Args)]
pub(in crate::cli) struct KeyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a signing key
    New(NewArgs),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct NewArgs {
    /// Its name, best an address without a scheme (example.com/vol) [default: made from the key]
    #[arg(long)]
    name: Option<String>,
    /// The file to write [else VOLLEDGER_SIGNING_KEY, signing.key in the configuration folder]
    #[arg(short = 'O', long = "out", value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &KeyArgs) -> Outcome<Exit> {
    let What::New(args) = &args.what;
    let file = ctx.key_file(args.file.as_deref())?;
    // There need not be a ledger; where there is one, the key must not lie in it.
    let ledger = ctx.directory().ok();
    ui.show(&keys::new_key(&file, args.name.as_deref(), ledger.as_deref())?)?;
    ui.hint(
        "keep a copy of the file where the ledger is not; sign with `volledger checkpoint sign`",
    );
    Ok(Exit::Done)
}
