//! `projection`: questions that are kept answered.

use super::verify;
use crate::app::vantage::Vantage;
use crate::app::{Ledger, Which, projection, threads, verify as check};
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::projection::ProjectionName;
use crate::domain::{Position, Series};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::sync::Arc;

const EXAMPLES: &str = "\
EXAMPLES
  volledger projection list
  volledger projection add iv_metrics                keep a built-in one: computed once
  volledger projection add rich --sql rich.sql       keep a query, for `sql` and other queries
  volledger sql \"SELECT * FROM rich WHERE date = '2025-12-12'\"
  volledger sql \"SELECT * FROM rich\" -o csv > rich.csv      all of it, as a file
  volledger projection add rich --sql rich2.sql      the next version, rich@2, beside rich@1
  volledger projection diff rich@1 rich@2
  volledger projection promote rich@2                from here on `rich` means rich@2
  volledger projection drop rich@1

A query that names :symbol is asked for each symbol, and after a decision only for those whose
facts changed; any other query is asked once, whole. A projection can be read at any position of
the ledger, also those before it was added.";

/// Questions that are kept answered: views, built-in projections, queries
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ProjectionArgs {
    #[command(subcommand)]
    what: What,
}

impl ProjectionArgs {
    /// Whether the ledger stays as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        matches!(self.what, What::List { .. } | What::Show { .. } | What::Diff { .. })
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Views and projections, and whether they are current
    List {
        #[command(flatten)]
        past: Past,
    },
    /// What a projection answers, its columns and its query
    Show {
        /// The projection, for example iv_metrics or rich@2
        name: ProjectionName,
        #[command(flatten)]
        past: Past,
    },
    /// Keep a projection: a built-in one, or a query
    Add {
        /// Its name
        name: ProjectionName,
        /// The file with the query
        #[arg(long, value_name = "FILE")]
        sql: Option<PathBuf>,
    },
    /// Let a name mean this version
    Promote {
        /// The version, for example rich@2
        name: ProjectionName,
    },
    /// Keep a version no more; its query stays in the log
    Drop {
        /// The version, for example rich@1
        name: ProjectionName,
    },
    /// How the rows of two projections, or versions of one, differ
    Diff {
        /// The first, for example rich@1
        a: ProjectionName,
        /// The second, for example rich@2
        b: ProjectionName,
        #[command(flatten)]
        past: Past,
    },
    /// Bring kept projections up to the head
    Refresh {
        /// Projections; none means all that are kept
        names: Vec<ProjectionName>,
    },
    /// Compute a view or projection again from the first event, beside the one in use
    Rebuild {
        /// A view (iv, hv, spot …) or a projection
        name: ProjectionName,
    },
    /// Compare what is stored with its rebuild; changes nothing
    Verify {
        /// A view (iv, hv, spot …) or a projection
        name: ProjectionName,
    },
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ProjectionArgs) -> Outcome<Exit> {
    let mut ledger = ctx.open(ui)?;
    let run = ctx.run();
    match &args.what {
        What::List { past } => {
            let at = ctx.at(&ledger, past.at.as_deref())?;
            let vantage = Vantage::new(Arc::new(ledger), &run.registry, at, Which::Latest)?;
            ui.page(&projection::list(&vantage)?)?;
        }
        What::Show { name, past } => {
            let at = ctx.at(&ledger, past.at.as_deref())?;
            let vantage = Vantage::new(Arc::new(ledger), &run.registry, at, Which::Latest)?;
            ui.page(&projection::show(&vantage, name)?)?;
        }
        What::Add { name, sql } => {
            let read = |file: &PathBuf| {
                std::fs::read_to_string(file).map_err(|error| {
                    let text = format!("cannot read {}: {error}", file.display());
                    Failure::of(Exit::Failed, text, "name a file with one SELECT".to_owned())
                })
            };
            let query = sql.as_ref().map(read).transpose()?;
            let changed = projection::add(&mut ledger, name, query, &run)?;
            ui.show(&changed)?;
            if changed.action == "none" {
                ui.hint("it is kept already, as it is");
            } else if changed.promoted.as_ref() != Some(&changed.projection) {
                let id = &changed.projection;
                ui.hint(&format!("`volledger projection promote {id}` lets the name mean it"));
            } else {
                ui.hint(&format!("read it with `volledger sql \"SELECT * FROM {}\"`", name.name));
            }
            return Ok(failed(changed.refreshed.as_slice()));
        }
        What::Promote { name } => {
            let before = ledger.projections().promoted(&name.name, ledger.position());
            let changed = projection::promote(&mut ledger, name, &run)?;
            ui.show(&changed)?;
            if let (true, Some(before)) = (changed.action == "promote", before) {
                let before = format!("{}@{before}", name.name);
                ui.hint(&format!("take it back with `volledger projection promote {before}`"));
            }
            return Ok(failed(changed.refreshed.as_slice()));
        }
        What::Drop { name } => ui.show(&projection::drop(&mut ledger, name, &run)?)?,
        What::Diff { a, b, past } => {
            let at = ctx.at(&ledger, past.at.as_deref())?;
            compare(ui, ctx, ledger, at, [a, b])?;
        }
        What::Refresh { names } => {
            let ids = projection::named(&ledger, names)?;
            let done = projection::refresh(&mut ledger, &ids, &run);
            ui.show(&done)?;
            return Ok(failed(&done.projections));
        }
        What::Rebuild { name } => {
            if let Some(view) = view(name) {
                return verify::conclude(ui, &check::rebuild(&mut ledger, view, &run)?);
            }
            let ids = projection::named(&ledger, std::slice::from_ref(name))?;
            let threads = threads();
            let done = projection::refresh_with(&mut ledger, &ids, true, threads, &run);
            ui.show(&done)?;
            return Ok(failed(&done.projections));
        }
        What::Verify { name } => {
            let report = match view(name) {
                Some(view) => check::verify_one(&ledger, view, &run)?,
                None => projection::verify(&mut ledger, std::slice::from_ref(name), &run)?,
            };
            return verify::conclude(ui, &report);
        }
    }
    Ok(Exit::Done)
}

/// Shows how two projections differ; gives whether they do.
pub(super) fn compare(
    ui: &mut Ui,
    ctx: &Context,
    ledger: Ledger,
    at: Option<Position>,
    [a, b]: [&ProjectionName; 2],
) -> Outcome<bool> {
    let vantage = Vantage::new(Arc::new(ledger), &ctx.run().registry, at, Which::Latest)?;
    let diff = projection::compare::compare(&vantage, a, b)?;
    ui.page(&diff)?;
    Ok(diff.changed + diff.only_a + diff.only_b > 0)
}

/// The view of this name.
fn view(name: &ProjectionName) -> Option<Series> {
    Series::ALL.into_iter().find(|view| view.name() == &*name.name)
}

/// Something that could not be answered is a failure, though nothing is lost.
fn failed(done: &[crate::app::report::Refreshed]) -> Exit {
    match done.iter().any(|of| of.state == "failed") {
        true => Exit::Failed,
        false => Exit::Done,
    }
}
