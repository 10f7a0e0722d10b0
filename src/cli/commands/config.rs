//! `config`: the settings in effect, and the files that they come from.

use crate::app::report::{ConfigFileLine, ConfigLine, ConfigPaths, ConfigReport};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::config::{Found, PolygonSettings, ledger_directory};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
EXAMPLES
  volledger config show            what is in effect, and what said so
  volledger config path            which files are read, the stronger one last

A flag stands over a variable, a variable over config.toml in the ledger's directory, that one over
your own (VOLLEDGER_CONFIG, else volledger/config.toml in XDG_CONFIG_HOME). All keys:

  actor = \"desk 3\"             # who acts, in every entry [else VOLLEDGER_ACTOR, the system's user]
  mirror = true                 # write blocks and entries a second time [VOLLEDGER_MIRROR]
  [access]
  two_person = false            # a batch is confirmed by another person than who staged it
  [retention]                   # `volledger retention apply` erases what is older
  chain = \"90d\"               # one line a series: chain, quotes, news, bars, iv …
  [polygon]                     # in your own file only
  base_url = \"https://api.massive.com\"
  api_key_file = \"~/keys/polygon\"   # readable by you alone
  requests_per_minute = 5
  jobs = 4
  years = 2";

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
        What::Path => ui.show(&ConfigPaths { schema: "volledger/config-path/1", files })?,
        What::Show => {
            let polygon = PolygonSettings::from_environment(&ctx.settings.files)?;
            let settings = ctx.settings.effective(&place, &polygon).into_iter();
            let line = |is: crate::config::Effective| ConfigLine {
                key: is.key,
                value: is.value,
                from: is.from,
            };
            let settings = settings.map(line).collect();
            ui.show(&ConfigReport { schema: "volledger/config/1", files, settings })?;
        }
    }
    Ok(Exit::Done)
}
