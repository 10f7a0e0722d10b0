//! `config`: the settings in effect, and the files that they come from.

use super::fetch::providers;
use crate::app::report::{ConfigFileLine, ConfigLine, ConfigPaths, ConfigReport};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::config::{Found, ledger_directory};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
EXAMPLES
  volledger config show            what is in effect, and what said so
  volledger config path            which files are read, the stronger one last

A flag stands over a variable, a variable over config.toml in the ledger's directory, that one over
your own (VOLLEDGER_CONFIG, else volledger/config.toml in XDG_CONFIG_HOME). All keys:

  actor = \"desk 3\"             # who acts, in every entry [else VOLLEDGER_ACTOR, the system's user]
  mirror = true                 # write blocks and entries a second time [VOLLEDGER_MIRROR]
  max_concurrent_requests = 10  # to Tradier
  request_timeout = 30          # seconds; Alpha Vantage, and Tradier up to 10
  [access]
  two_person = false            # a batch is confirmed by another person than who staged it
  [retention]                   # `volledger retention apply` erases what is older
  chain = \"90d\"               # one line a view; a row of several (iv, hv) needs all their rules
  [polygon]                     # in your own file only
  base_url = \"https://api.massive.com\"
  api_key_file = \"~/keys/polygon\"   # readable by you alone
  requests_per_minute = 5
  jobs = 4
  years = 2
  [alpha_vantage]               # in your own file only; base_url and api_key_file as above
  per_minute = 5
  per_day = 25                  # in 24 hours, earlier runs included
  [tradier]                     # likewise
  per_second = 10
  per_minute = 120
  [retry]                       # of Alpha Vantage and Tradier; [breaker] too
  max_attempts = 3
  backoff_base = 2.0            # each pause is so many times the one before; the first is 1 s
  max_backoff = 60              # seconds
  [breaker]
  failure_threshold = 5         # so many failures in a row, and the service is left alone
  recovery_timeout = 60         # for so many seconds
  [cache]                       # live pages of Tradier; seconds
  l1_ttl = 30                   # within a run
  l2_ttl = 300                  # recorded in the ledger
  l1_max = 1000                 # pages
  [vrp]                         # what `vrp` takes without --tiers
  profile = \"seed\"              # balanced, aggressive, legacy
  excellent = 2.0               # each stands over the profile's; so do good and marginal
  metric = \"close\"              # intraday, gap
  [quarters]
  min = 4
  max = 12
  [log]                         # in your own file only
  level = \"INFO\"                # DEBUG, WARNING, ERROR, CRITICAL [VOLLEDGER_LOG, -v]
  file = \"volledger.log\"        # diagnostics go there instead of to standard error";

/// The settings in effect, and the files that they come from
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ConfigArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every setting with what said so
    Show,
    /// The files that are read, the stronger one last
    Path,
}

impl ConfigArgs {
    /// Whether only the files' places are wanted: then they need not be right.
    pub(in crate::cli) fn is_path(&self) -> bool {
        matches!(self.what, What::Path)
    }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ConfigArgs) -> Outcome<Exit> {
    let place: Found = ledger_directory(ctx.ledger.as_deref(), &ctx.settings);
    let files = ctx.settings.config_files(&place.directory);
    let files = files.into_iter().map(|file| ConfigFileLine {
        what: file.what,
        there: file.path.is_file(),
        path: file.path.display().to_string(),
    });
    let files: Vec<_> = files.collect();
    match args.what {
        What::Path => ui.show(&ConfigPaths { files })?,
        What::Show => {
            let providers = providers(&ctx.settings.files)?;
            let settings = ctx.settings.effective(&place, &providers).into_iter();
            let line = |is: crate::config::Effective| ConfigLine {
                key: is.key,
                value: is.value,
                from: is.from,
            };
            let settings = settings.map(line).collect();
            ui.show(&ConfigReport { files, settings })?;
        }
    }
    Ok(Exit::Done)
}
