//! `verify`: check what is recorded.

use crate::app::report::{Part, VerifyReport};
use crate::app::{outside, proof, verify};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::Series;
use crate::domain::projection::ProjectionName;
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
    let (mut ledger, unchecked) = ctx.open_to_verify(ui)?;
    if let Some(warning) = outside::open_to_others(&ledger) {
        ui.note(&warning);
    }
    let mut report = verify::possible(&mut ledger, args.deep, unchecked, &ctx.run())?;
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
    let only_files = report.missing.len() == report.damage.len();
    if let Some(first) = report.missing.first().filter(|_| only_files) {
        let (name, batch) = (&first.name, &first.batch);
        let (more, same) = match report.missing.len() {
            1 => ("is lost".to_owned(), "the same file"),
            n => (format!("and {} more are lost", n - 1), "the same files"),
        };
        ui.hint(&format!(
            "every event is sound, only {name}, which {batch} was read from, {more}: import {same} \
             again (or a copy of the batch, `volledger batch import FILE`) to put it back; no view \
             changes"
        ));
        return Ok(Exit::Damaged);
    }
    if !report.damage.is_empty() {
        ui.hint(
            "nothing was changed; keep this directory, and write what verifies into a new one with \
             `volledger recover DIR NEWDIR`",
        );
        return Ok(Exit::Damaged);
    }
    if let Some(difference) = report.stale.first() {
        let name = named(difference).unwrap_or("NAME");
        ui.hint(&format!("nothing recorded is lost; `volledger projection rebuild {name}`"));
        return Ok(Exit::ProjectionDiffers);
    }
    // What was looked at is well, but that is not the whole ledger: no script takes it for that.
    if let Some(part) = report.unchecked.first() {
        ui.hint(match part {
            Part::Engine => {
                "name a place with room for a copy of the engine's files, `TMPDIR=DIR volledger \
                 verify`, or let the ledger be written"
            }
            Part::Mirror => {
                "let the ledger be written: its mirror is mended then, and can be compared"
            }
        });
        return Ok(Exit::NotWritable);
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
