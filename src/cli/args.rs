//! The words of the command line. The doc comments are the manual.

#[cfg(test)]
mod tests;

use super::commands::{
    backup, batch, chart, check, checkpoint, config, coverage, derive, diff, erase, export, fetch,
    gaps, health, heatmap, import, key, log, man, menu, metrics, overview, projection, prove,
    recover, screen, serve, show, sql, status, timeline, tour, verify, view, vrp, why,
};
use super::error::{Failure, Outcome};
use crate::app::metrics::Which;
use crate::domain::Day;
use crate::render::Form;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger tour                                   see the whole job on sample data
  volledger init                                   start a ledger here
  volledger import iv AAPL.csv -s AAPL             review an IV file and decide
  volledger fetch spot AAPL --years 5              ask Polygon for what is missing
  volledger view iv AAPL --from 2024-08-01         what the ledger says now
  volledger why iv AAPL 2024-08-05                 where that value comes from
  volledger batch rollback b2 --reason \"restated\"  take a batch out of the views
  volledger undo                                   take the last decision back

Nothing changes a view except a decision, and every decision can be taken back.
Answers go to standard output, the conversation to standard error.";

/// An auditable ledger of volatility history: import, review, confirm, undo, and look back in time
#[derive(Debug, Parser)]
#[command(name = "volledger", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(super) globals: Globals,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(super) struct Globals {
    /// The ledger's directory [else VOLLEDGER_DIR, the nearest .volledger upwards, XDG data]
    #[arg(short = 'L', long, global = true, value_name = "DIR")]
    pub(super) ledger: Option<PathBuf>,
    /// How the answer looks
    #[arg(short, long, global = true, value_enum, default_value = "table", value_name = "FORM")]
    pub(super) output: Output,
    /// One JSON document, the same as `-o json`
    #[arg(long, global = true, conflicts_with = "output")]
    pub(super) json: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: Color,
    /// Never ask; what needs an answer stays staged
    #[arg(long, global = true)]
    pub(super) no_input: bool,
    /// After a decision, leave kept projections as they are (`projection refresh` later)
    #[arg(long, global = true)]
    pub(super) no_refresh: bool,
    /// No hints, no progress
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Diagnostics on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// How long each part of the work took, on standard error, when it is over
    #[arg(long, global = true)]
    pub(super) timings: bool,
}

impl Globals {
    pub(super) fn form(&self) -> Form {
        match self.output {
            _ if self.json => Form::Json,
            Output::Table => Form::Table,
            Output::Json => Form::Json,
            Output::Jsonl => Form::JsonLines,
            Output::Csv => Form::Csv,
            Output::Markdown => Form::Markdown,
        }
    }
}

/// How the answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
    /// Comma-separated values with a header
    Csv,
    /// A Markdown table
    Markdown,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// At a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do with what was staged.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Decision")]
pub(super) struct Decide {
    /// Stage only, decide later
    #[arg(long, conflicts_with_all = ["yes", "force"])]
    pub(super) stage_only: bool,
    /// Confirm if nothing was rejected and nothing speaks against it
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Confirm in spite of rejected rows and warnings
    #[arg(long)]
    pub(super) force: bool,
    /// With --yes: keep it staged when a shown value would change by more than N volatility
    /// points, or N percent of a price
    #[arg(long, value_name = "N", requires = "yes")]
    pub(super) max_change_points: Option<f64>,
    /// With --yes: accept up to N rejected rows
    #[arg(long, value_name = "N", requires = "yes", default_value_t = 0)]
    pub(super) max_rejected: u64,
}

/// Whether what was taken back before may come again.
#[derive(Debug, Clone, Args)]
pub(super) struct Again {
    /// Stage content again that was rolled back or replaced before
    #[arg(long, requires = "reason")]
    pub(super) again: bool,
    /// Why it is staged again
    #[arg(long, value_name = "TEXT", requires = "again")]
    pub(super) reason: Option<String>,
}

/// What a batch does on days that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Overlap {
    /// The file's values win
    Replace,
    /// Values that are shown stay; the file only fills holes
    Keep,
}

/// Refuses days that are the wrong way round: nothing could lie between them.
pub(super) fn in_order(from: Option<Day>, to: Option<Day>) -> Outcome<()> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(Failure::usage(
            format!("{from} is after {to}"),
            "give `--from` a day before `--to`",
        )),
        _ => Ok(()),
    }
}

/// The past to look at.
#[derive(Debug, Clone, Args)]
pub(super) struct Past {
    /// The ledger as it was: a position (#12) or a time (2024-12-31, 2024-12-31T16:00:00Z)
    #[arg(long, value_name = "POSITION|TIME")]
    pub(super) at: Option<String>,
}

/// What was known, and when: for commands that read views.
#[derive(Debug, Clone, Args)]
pub(super) struct Knowledge {
    #[command(flatten)]
    pub(super) past: Past,
    /// As confirmed first, not as corrected; of the strongest source, since it was last taken back
    #[arg(long)]
    pub(super) first: bool,
}

impl Knowledge {
    /// Which of several assertions about a value counts.
    pub(super) fn which(&self) -> Which {
        if self.first { Which::First } else { Which::Latest }
    }
}

/// A command without words of its own.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Nothing {}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a ledger: in .volledger here, or where -L says
    #[command(
        after_help = "EXAMPLES\n  volledger init\n  volledger -L ~/vol init        in a directory of that name"
    )]
    Init(Nothing),
    /// See the whole job on bundled sample data, from import to rollback and verify
    Tour(tour::TourArgs),
    /// Read files, review what they would change, and decide
    Import(import::ImportArgs),
    /// Ask a service (Polygon, Alpha Vantage, Tradier) for what is missing, review it, and decide
    Fetch(fetch::FetchArgs),
    /// Compute what follows from the data, as a batch that names its inputs
    Derive(derive::DeriveArgs),
    /// Judge a file without a ledger
    Check(check::CheckArgs),
    /// List, review and decide on batches
    Batch(batch::BatchArgs),
    /// Take the last decision back
    #[command(after_help = timeline::UNDO_EXAMPLES)]
    Undo(timeline::PlanArgs),
    /// Repeat the decision that was undone last
    #[command(after_help = timeline::UNDO_EXAMPLES)]
    Redo(timeline::PlanArgs),
    /// Go back to how the views were at a position or time
    Rollback(timeline::RollbackToArgs),
    /// The days of a view
    View(view::ViewArgs),
    /// Where a value comes from, down to the bytes of the file, and what it replaced
    Why(why::WhyArgs),
    /// Where implied volatility stands among its own history, the dearest symbol first
    Rank(metrics::MetricsArgs),
    /// One line a symbol: price, volatilities, ranks, term structure, each with its day
    Snapshot(metrics::MetricsArgs),
    /// Which strategies a set of rules recommends; by default TOMIC's market overview
    Overview(overview::OverviewArgs),
    /// A series as a picture, in the terminal or a file
    Chart(chart::ChartArgs),
    /// Symbols × months: where implied volatility stood at the end of each
    Heatmap(heatmap::HeatmapArgs),
    /// Which symbols fulfil a condition on their volatilities
    Screen(screen::ScreenArgs),
    /// What a stock did on its announcements, and when the next one is
    Earnings(vrp::EarningsArgs),
    /// Whether options pay more than announcements move a stock
    Vrp(vrp::VrpArgs),
    /// Ask with SQL, over the views and the facts behind them
    Sql(sql::SqlArgs),
    /// How the views differ between two positions, or two versions of a projection
    Diff(diff::DiffArgs),
    /// The health of the data: what each symbol has, how complete, how old, and what is wrong
    Coverage(coverage::CoverageArgs),
    /// Trading days without a value
    Gaps(gaps::GapsArgs),
    /// The decisions, newest first
    Log(log::LogArgs),
    /// One event (b7/3) or decision (#12)
    Show(show::ShowArgs),
    /// What is in the ledger and what waits for a decision
    Status(status::StatusArgs),
    /// Whether ledger, disk and service are in order, in a moment
    Health(health::HealthArgs),
    /// Check hashes, order, roots and HEAD
    Verify(verify::VerifyArgs),
    /// The key that signs checkpoints
    Key(key::KeyArgs),
    /// The head of the log, signed
    Checkpoint(checkpoint::CheckpointArgs),
    /// Prove a row, a decision, or that nothing was changed since a checkpoint
    Prove(prove::ProveArgs),
    /// Check a proof with nothing but the public key
    VerifyProof(prove::VerifyProofArgs),
    /// Write a view, the whole ledger, or TOMIC's JSON folders
    Export(export::ExportArgs),
    /// Write the whole ledger into one file
    Backup(backup::BackupArgs),
    /// Make a ledger from a backup
    Restore(backup::RestoreArgs),
    /// Write everything of a damaged ledger that verifies into a new one
    Recover(recover::RecoverArgs),
    /// Questions that are kept answered: views, built-in projections, queries
    Projection(projection::ProjectionArgs),
    /// Erase what events said, for good; their hashes stay
    Erase(erase::EraseArgs),
    /// Erase what the settings say is too old
    Retention(erase::RetentionArgs),
    /// Look at the ledger in a browser, and decide there
    Serve(serve::ServeArgs),
    /// A menu of numbers for those who never liked flags
    Menu(menu::MenuArgs),
    /// The settings in effect, and the files that they come from
    Config(config::ConfigArgs),
    /// Completions for a shell
    Completions(man::CompletionsArgs),
    /// The manual page
    Man(man::ManArgs),
}

impl Command {
    /// Whether the command leaves a ledger as it is, and what it tells of it does not depend on how it
    /// was opened.
    pub(super) fn only_reads(&self) -> bool {
        match self {
            Self::Batch(args) => args.only_reads(),
            Self::Import(args) => args.only_reads(),
            Self::Fetch(args) => args.dry_run,
            Self::Serve(args) => args.only_reads(),
            Self::Projection(args) => args.only_reads(),
            Self::Checkpoint(args) => args.only_reads(),
            Self::Erase(args) => args.only_reads(),
            Self::Retention(args) => args.only_reads(),
            Self::Undo(args) | Self::Redo(args) => args.only_reads(),
            Self::Rollback(args) => args.only_reads(),
            Self::View(_)
            | Self::Why(_)
            | Self::Rank(_)
            | Self::Snapshot(_)
            | Self::Overview(_)
            | Self::Chart(_)
            | Self::Heatmap(_)
            | Self::Screen(_)
            | Self::Earnings(_)
            | Self::Vrp(_)
            | Self::Sql(_)
            | Self::Diff(_)
            | Self::Coverage(_)
            | Self::Gaps(_)
            | Self::Log(_)
            | Self::Show(_)
            | Self::Status(_)
            | Self::Prove(_)
            | Self::Export(_)
            | Self::Backup(_) => true,
            _ => false,
        }
    }
}
