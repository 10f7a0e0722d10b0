//! `serve`: the page, on this machine, for its user.

use crate::app::OpenOptions;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome, SEE_HELP, Told};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::config::Tuning;
use crate::serve::{Hand, Lang, Options, Said, Server};
use clap::{Args, ValueEnum};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const EXAMPLES: &str = "\
EXAMPLES
  volledger serve                           look at the ledger on http://127.0.0.1:7878/
  volledger serve --allow-decisions         upload, confirm, discard and roll back there too
  volledger serve --port 0                  on any free port
  volledger serve --lang nl                 in Dutch
  volledger serve --address 10.0.0.5 --allow-host desk.lan

The server asks nothing of any network, and answers nobody who calls it by another name than
localhost, 127.0.0.1, [::1] or one of --allow-host. There are no accounts: whoever can reach it
sees everything, and with --allow-decisions decides in your name. It lends the ledger to every
command that wants it meanwhile. Every page has a twin for programs: /batches and /batches.json;
/api/openapi.json describes them. Ctrl-C stops it.";

/// Look at the ledger in a browser, and decide there
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 7878)]
    port: u16,
    /// The address to listen on; others than this machine's own can be reached from the network
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Let pages stage files and make decisions
    #[arg(long)]
    allow_decisions: bool,
    /// The language of the pages; each has a link to the other one
    #[arg(long, value_enum, default_value = "en", value_name = "LANG")]
    lang: PageLang,
    /// A further name by which the server may be called, several times for several
    #[arg(long, value_name = "NAME", value_parser = crate::serve::host)]
    allow_host: Vec<String>,
}

impl ServeArgs {
    /// Whether pages leave the ledger as it is.
    pub(in crate::cli) fn only_reads(&self) -> bool {
        !self.allow_decisions
    }
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PageLang {
    /// English
    En,
    /// Nederlands
    Nl,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ServeArgs) -> Outcome<Exit> {
    let directory = ctx.directory()?;
    // What is wrong with the ledger is told now, not on the first page.
    drop(ctx.open(ui)?);
    let run = ctx.run();
    let hand = Hand {
        clock: run.clock,
        actor: run.actor.clone(),
        refresh: run.refresh,
        two_person: run.two_person,
    };
    let holder = format!("the server of {}", ctx.holder());
    let options = Options {
        directory: directory.clone(),
        open: OpenOptions { holder, lends: true, ..ctx.options() },
        hand,
        address: SocketAddr::new(args.address, args.port),
        hosts: args.allow_host.clone(),
        allow_decisions: args.allow_decisions,
        lang: match args.lang {
            PageLang::En => Lang::En,
            PageLang::Nl => Lang::Nl,
        },
        tiers: super::vrp::of_settings(&Tuning::of(&ctx.settings.files))?,
        said: |error| {
            let Failure::Told(told) = Failure::from(error) else {
                return Said { exit: 0, error: String::new(), causes: Vec::new(), hint: None };
            };
            let Told { exit, error, causes, hint } = *told;
            // Of no use on a page, whose words are in its form.
            let hint = hint.filter(|hint| hint != SEE_HELP);
            Said { exit: exit.code(), error, causes, hint }
        },
    };
    let server = Server::bind(options).map_err(|error| {
        let place = SocketAddr::new(args.address, args.port);
        let hint = "another program may have it: name a free port with `--port N`, or 0 for any";
        Failure::of(Exit::Failed, format!("cannot listen on {place}: {error}"), hint)
    })?;
    if !args.address.is_loopback() {
        ui.note("this address can be reached from the network, and there are no accounts");
    }
    let mode = if args.allow_decisions { "decisions allowed" } else { "read-only" };
    let (place, address) = (directory.display(), server.place());
    ui.say(&format!("Serving {place}, {mode}, on http://{address}/  (Ctrl-C stops)"));
    server.run().map_err(|error| {
        Failure::of(Exit::Failed, format!("the server failed: {error}"), "start it again")
    })?;
    ui.say("Stopped.");
    Ok(Exit::Done)
}
