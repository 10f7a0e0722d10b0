//! One file for each command: its words, one `run`, and small helpers.
//!
//! Each reads: get the inputs, call one function of `app`, show the report, say what to do next.

pub(super) mod backup;
pub(super) mod batch;
pub(super) mod chart;
pub(super) mod check;
pub(super) mod checkpoint;
pub(super) mod config;
pub(super) mod coverage;
pub(super) mod derive;
pub(super) mod diff;
pub(super) mod erase;
pub(super) mod export;
pub(super) mod fetch;
mod follow;
pub(super) mod gaps;
pub(super) mod health;
pub(super) mod heatmap;
pub(super) mod import;
pub(super) mod init;
pub(super) mod key;
pub(super) mod log;
pub(super) mod man;
pub(super) mod menu;
pub(super) mod metrics;
pub(super) mod overview;
mod picture;
pub(super) mod projection;
pub(super) mod prove;
pub(super) mod recover;
pub(super) mod screen;
pub(super) mod serve;
pub(super) mod show;
pub(super) mod sql;
pub(super) mod status;
pub(super) mod timeline;
pub(super) mod tour;
pub(super) mod verify;
pub(super) mod view;
pub(super) mod vrp;
pub(super) mod why;

use super::args::Command;
use super::context::Context;
use super::error::Outcome;
use super::exit::Exit;
use super::ui::Ui;

/// Runs a command. What it has to tell that may take somebody long to read is told when its ledger is
/// closed.
pub(super) fn run(ui: &mut Ui, ctx: &Context, command: &Command) -> Outcome<Exit> {
    let outcome = begun(ui, ctx, command);
    let told = ui.let_go();
    let exit = outcome?;
    told.map(|()| exit)
}

fn begun(ui: &mut Ui, ctx: &Context, command: &Command) -> Outcome<Exit> {
    match command {
        Command::Init(_) => init::run(ui, ctx),
        Command::Tour(args) => tour::run(ui, ctx, args),
        Command::Import(args) => import::run(ui, ctx, args),
        Command::Derive(args) => derive::run(ui, ctx, args),
        Command::Fetch(args) => fetch::run(ui, ctx, args),
        Command::Check(args) => check::run(ui, ctx, args),
        Command::Batch(args) => batch::run(ui, ctx, args),
        Command::Undo(args) => timeline::undo(ui, ctx, args),
        Command::Redo(args) => timeline::redo(ui, ctx, args),
        Command::Rollback(args) => timeline::rollback(ui, ctx, args),
        Command::View(args) => view::run(ui, ctx, args),
        Command::Why(args) => why::run(ui, ctx, args),
        Command::Diff(args) => diff::run(ui, ctx, args),
        Command::Coverage(args) => coverage::run(ui, ctx, args),
        Command::Gaps(args) => gaps::run(ui, ctx, args),
        Command::Log(args) => log::run(ui, ctx, args),
        Command::Menu(args) => menu::run(ui, ctx, args),
        Command::Serve(args) => serve::run(ui, ctx, args),
        Command::Show(args) => show::run(ui, ctx, args),
        Command::Rank(args) => metrics::rank(ui, ctx, args),
        Command::Snapshot(args) => metrics::snapshot(ui, ctx, args),
        Command::Chart(args) => chart::run(ui, ctx, args),
        Command::Heatmap(args) => heatmap::run(ui, ctx, args),
        Command::Screen(args) => screen::run(ui, ctx, args),
        Command::Overview(args) => overview::run(ui, ctx, args),
        Command::Earnings(args) => vrp::earnings(ui, ctx, args),
        Command::Vrp(args) => vrp::vrp(ui, ctx, args),
        Command::Sql(args) => sql::run(ui, ctx, args),
        Command::Status(args) => status::run(ui, ctx, args),
        Command::Verify(args) => verify::run(ui, ctx, args),
        Command::Health(args) => health::run(ui, ctx, args),
        Command::Export(args) => export::run(ui, ctx, args),
        Command::Backup(args) => backup::run(ui, ctx, args),
        Command::Restore(args) => backup::restore(ui, ctx, args),
        Command::Recover(args) => recover::run(ui, ctx, args),
        Command::Projection(args) => projection::run(ui, ctx, args),
        Command::Key(args) => key::run(ui, ctx, args),
        Command::Checkpoint(args) => checkpoint::run(ui, ctx, args),
        Command::Prove(args) => prove::run(ui, ctx, args),
        Command::VerifyProof(args) => prove::verify(ui, args),
        Command::Erase(args) => erase::run(ui, ctx, args),
        Command::Retention(args) => erase::retention(ui, ctx, args),
        Command::Config(args) => config::run(ui, ctx, args),
        Command::Completions(args) => man::completions(ui, args),
        Command::Man(args) => man::run(ui, args),
    }
}
