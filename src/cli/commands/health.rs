//! `health`: whether ledger, disk and services are in order, for a person or a monitor.

use super::fetch::reached;
use crate::app::fetch::Provider;
use crate::app::health::{self, HealthQuery};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger health             ledger, disk, inbox: a few milliseconds, nothing is asked
  volledger health --online    asks each service that has a key as well (one request each,
                               which Alpha Vantage counts among those of the day)
  volledger health --json || notify-send \"volledger is not in order\"

The ledger is opened (which recomputes the root of its log) and its newest batch verified when it
is small; the disk is written, synced and its room looked at. The kept bytes of sources are not:
`volledger verify` says which are missing, `volledger verify --deep` reads them and everything else.
Exit code 0 when nothing is wrong, 1 otherwise; a ledger in use and a service without a key are
skipped. Each check has 5 seconds.";

/// Whether ledger, disk and services are in order
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct HealthArgs {
    /// Ask the services too
    #[arg(long)]
    online: bool,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &HealthArgs) -> Outcome<Exit> {
    let mut services = Vec::new();
    for provider in Provider::ALL {
        let reached = reached(provider, &ctx.settings.files)?;
        services.push((provider, reached.has_key().then(|| reached.options())));
    }
    let query = HealthQuery {
        directory: ctx.directory()?,
        options: ctx.options(),
        services,
        online: args.online,
    };
    let health = health::health(query, &ctx.run());
    ui.show(&health)?;
    Ok(if health.healthy { Exit::Done } else { Exit::Failed })
}
