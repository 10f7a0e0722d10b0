//! `projection`: the views as they are stored.

use super::verify;
use crate::app::{lookup, verify as check};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::Series;
use crate::render::Projections;
use clap::{Args, Subcommand};

/// The views as they are stored
#[derive(Debug, Args)]
pub(in crate::cli) struct ProjectionArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The views, with their symbols and days
    List,
    /// Throw a view away and compute it again from the batches
    Rebuild {
        /// The view: iv, hv or spot
        name: Series,
    },
    /// Compare a stored view with its rebuild; changes nothing
    Verify {
        /// The view: iv, hv or spot
        name: Series,
    },
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ProjectionArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    match args.what {
        What::List => {
            ui.show(&Projections(&lookup::status(&ledger, &[])?))?;
            Ok(Exit::Done)
        }
        What::Rebuild { name } => {
            verify::conclude(ui, &check::rebuild(&mut ledger, name, &ctx.run())?)
        }
        What::Verify { name } => {
            verify::conclude(ui, &check::verify_one(&ledger, name, &ctx.run())?)
        }
    }
}
