//! `prove` and `verify-proof`: one row for somebody who has no ledger.

use crate::app::proof::{self, Claim};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger prove b7/3 -O row.proof                        a row, in the newest signed checkpoint
  volledger prove '#12' -O entry.proof                     a decision
  volledger prove b7/3 --checkpoint old.checkpoint -O f    in a checkpoint that was kept elsewhere
  volledger prove --consistency '#5' '#9' -O log.proof     #9 begins with #5 (positions or files)

`volledger why` names the event of a value. The proof is a text that `volledger verify-proof` (and
examples/verify_proof.py) checks with nothing but the public key.";

const VERIFY_EXAMPLES: &str = "\
EXAMPLES
  volledger verify-proof row.proof --key example.com/vol+1a2b3c4d+AX…

Needs no ledger and no network. Exit 0: it is proven what the sentence says. Exit 30: it is not.";

/// Prove a row, a decision, or that nothing was changed since a checkpoint
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ProveArgs {
    /// A row event (b7/3) or an entry of the log (#12)
    #[arg(required_unless_present = "consistency", conflicts_with = "consistency")]
    event: Option<String>,
    /// The file to write
    #[arg(short = 'O', long = "out", value_name = "FILE")]
    file: PathBuf,
    /// The checkpoint to lead to [default: the newest that was signed here]
    #[arg(long, value_name = "FILE", conflicts_with = "consistency")]
    checkpoint: Option<PathBuf>,
    /// That the log of the second checkpoint begins with that of the first
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    consistency: Option<Vec<String>>,
    /// The signing key, beside which the checkpoints are noted; it is not read
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Check a proof with nothing but the public key
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(in crate::cli) struct VerifyProofArgs {
    /// The proof
    file: PathBuf,
    /// The public key: name+hash+base64
    #[arg(long, value_name = "VKEY")]
    key: String,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ProveArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let key = ctx.key_file(args.key_file.as_deref())?;
    let claim = match (args.consistency.as_deref(), &args.event) {
        (Some([from, to]), _) => Claim::Consistency(from, to),
        (None, Some(event)) => Claim::Event(event, args.checkpoint.as_deref()),
        _ => return Err(Failure::usage("what is to be proven?", "see `volledger prove --help`")),
    };
    let written = proof::prove(&ledger, claim, &key, &args.file)?;
    ui.show(&written)?;
    let file = &written.file;
    match &written.vkey {
        Some(vkey) => {
            ui.hint(&format!("check it anywhere: `volledger verify-proof {file} --key {vkey}`"));
        }
        None => ui.hint(&format!(
            "who signed the checkpoint was not checked, since that key has signed nothing here; \
             `volledger verify-proof {file} --key VKEY` does"
        )),
    }
    Ok(Exit::Done)
}

pub(in crate::cli) fn verify(ui: &mut Ui, args: &VerifyProofArgs) -> Outcome<Exit> {
    let key = proof::verifier_key(&args.key)?;
    ui.show(&proof::verify_proof(&args.file, &key)?)?;
    Ok(Exit::Done)
}
