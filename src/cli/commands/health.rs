//! `health`: whether ledger, disk and service are in order, for a person or a monitor.

use crate::app::fetch::ServiceOptions;
use crate::app::services::{self, HealthQuery};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::config::PolygonSettings;
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger health             ledger, disk, inbox: a few milliseconds, nothing is asked
  volledger health --online    asks Polygon as well (one request)
  volledger health --json || notify-send \"volledger is not in order\"

The ledger is opened (which recomputes the root of its log) and its newest batch verified when it
is small; the disk is written, synced and its room looked at. `volledger verify --deep` checks
everything. Exit code 0 when nothing is wrong, 1 otherwise; a ledger in use and a service without a
key are skipped. Each check has 5 seconds.";

/// Whether ledger, disk and service are in order
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct HealthArgs {
    /// Ask the service too
    #[arg(long)]
    online: bool,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &HealthArgs) -> Outcome<Exit> {
    let polygon = PolygonSettings::from_environment(&ctx.settings.files)?;
    let (base_url, jobs) = (polygon.base_url, polygon.jobs);
    let per_minute = polygon.requests_per_minute;
    let service =
        polygon.key.map(|key| ServiceOptions { base_url, key: Some(key), per_minute, jobs });
    let query = HealthQuery {
        directory: ctx.directory()?,
        options: ctx.options(),
        service,
        online: args.online,
    };
    let health = services::health(query, &ctx.run());
    ui.show(&health)?;
    Ok(if health.healthy { Exit::Done } else { Exit::Failed })
}
