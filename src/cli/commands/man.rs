//! `man` and `completions`: made from the same words that are parsed.

use crate::cli::args::Cli;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

const EXAMPLES: &str = "\
EXAMPLES
  volledger completions bash > ~/.local/share/bash-completion/completions/volledger
  volledger completions fish > ~/.config/fish/completions/volledger.fish";

/// Completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// The manual page
#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  volledger man | man -l -\n  volledger man batch confirm | man -l -"
)]
pub(in crate::cli) struct ManArgs {
    /// Of this command; none means the program
    command: Vec<String>,
}

pub(in crate::cli) fn completions(ui: &mut Ui, args: &CompletionsArgs) -> Outcome<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "volledger", &mut script);
    ui.answer(String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub(in crate::cli) fn run(ui: &mut Ui, args: &ManArgs) -> Outcome<Exit> {
    let mut command = Cli::command();
    command.build();
    let mut name = "volledger".to_owned();
    for word in &args.command {
        let Some(inner) = command.find_subcommand(word) else {
            let error = format!("there is no command `{name} {word}`");
            return Err(Failure::usage(error, format!("`{name} --help` lists them")));
        };
        command = inner.clone();
        name = format!("{name} {word}");
    }
    let main = args.command.is_empty();
    let mut page = Vec::new();
    // Memory takes everything.
    let _ = clap_mangen::Man::new(command).render(&mut page);
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if main {
        page += &exit_codes();
    }
    ui.answer(page)?;
    Ok(Exit::Done)
}

/// The section about exit codes, in roff.
fn exit_codes() -> String {
    let mut out = ".SH \"EXIT STATUS\"\n".to_owned();
    for (exit, meaning) in Exit::ALL {
        let meaning = meaning.replace('-', "\\-");
        out += &format!(".TP\n\\fB{}\\fR\n{meaning}\n", exit.code());
    }
    out
}
