//! The command line: words in, reports out, an exit code.
//!
//! It knows terminals and people; what a command does is in `app`, how a report looks in
//! `render`. Only [`ui`](self) prints.

mod args;
mod commands;
mod context;
mod error;
mod exit;
mod flow;
mod help;
mod interrupt;
mod pager;
mod progress;
mod prompt;
mod series;
mod shell;
mod ui;

pub use exit::Exit;

use crate::app::{correlation_id, replace};
use crate::config::{self, Settings};
use crate::render::Form;
use args::{Cli, Color, Globals};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use context::Context;
use error::{Failure, Outcome, Told};
use std::ffi::OsString;
use std::fmt;
use std::io::IsTerminal;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use ui::{Manner, Ui};

/// Where the program failed, if it did: the panic hook's word.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program with the words of this process.
pub fn run() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        if let Ok(mut slot) = PANIC.lock() {
            *slot = Some(info.to_string().replace('\n', " "));
        }
    }));
    let words = config::arguments();
    let form = form_of(&words);
    let ended = panic::catch_unwind(AssertUnwindSafe(|| start(&words)));
    let exit = ended.unwrap_or_else(|_| {
        let what = PANIC.lock().ok().and_then(|mut slot| slot.take());
        let hint = "nothing half-written counts; check with `volledger verify --deep`, and please \
                    report it with the line above";
        let told = Told {
            exit: Exit::Bug,
            error: "internal error (a bug)".to_owned(),
            causes: what.into_iter().collect(),
            hint: Some(hint.to_owned()),
        };
        let settings = Settings::from_lookup(&|_| None);
        if let Ok(settings) = settings {
            Ui::new(&settings, plain(form)).failure(&told);
        }
        Exit::Bug
    });
    exit.into()
}

fn start(words: &[OsString]) -> Exit {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&readable(error, words), words),
    };
    let manner = manner(&cli.globals);
    let settings = match Settings::from_environment() {
        Ok(settings) => settings,
        Err(error) => {
            let settings = Settings::from_lookup(&|_| None);
            let failed = Failure::from(error);
            return settings.map_or(Exit::Usage, |s| tell(&mut Ui::new(&s, manner), failed));
        }
    };
    let mut ui = Ui::new(&settings, manner);
    // A server ends in a way of its own.
    if !matches!(cli.command, args::Command::Serve(_)) {
        interrupt::clears_away();
    }
    let quiet = cli.globals.quiet || settings.no_progress;
    let shown = !quiet && std::io::stderr().is_terminal();
    let correlation = correlation_id();
    let timings = cli.globals.timings;
    let ledger = cli.globals.ledger.clone();
    let settings = context::with_files(settings, ledger.as_deref(), &cli.command);
    let outcome = settings.and_then(|settings| {
        diagnostics(&settings, cli.globals.verbose, &correlation)?;
        let progress = progress::Bar::new(shown);
        let refresh = !cli.globals.no_refresh;
        let past = words.iter().filter_map(|word| word.to_str());
        let past = past.into_iter().any(|word| word == "--at" || word.starts_with("--at="));
        let reads = cli.command.only_reads();
        let ctx = Context { settings, ledger, progress, refresh, past, reads, correlation };
        let outcome = commands::run(&mut ui, &ctx, &cli.command);
        if timings {
            ui.say(&ctx.progress.timings());
        }
        outcome
    });
    let exit = outcome.unwrap_or_else(|failure| tell(&mut ui, failure.about(&asked(words))));
    // Who was told to end says so, also where the work was done meanwhile.
    interrupt::wait_if_ending();
    exit
}

/// The command that words ask for, such as `batch diff`; empty where they name none.
fn asked(words: &[OsString]) -> String {
    let mut command = Cli::command();
    let mut names: Vec<String> = Vec::new();
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        match command.find_subcommand(word).cloned() {
            Some(next) => {
                names.push(next.get_name().to_owned());
                command = next;
            }
            None if names.is_empty() || word.starts_with('-') => {}
            None => break,
        }
    }
    names.join(" ")
}

fn tell(ui: &mut Ui, failure: Failure) -> Exit {
    interrupt::wait_if_ending();
    match failure {
        Failure::Closed => Exit::Done,
        Failure::Told(told) => {
            ui.failure(&told);
            told.exit
        }
    }
}

fn manner(globals: &Globals) -> Manner {
    let (colour, quiet, no_input) = (globals.color, globals.quiet, globals.no_input);
    Manner { form: globals.form(), colour, quiet, no_input }
}

fn plain(form: Form) -> Manner {
    Manner { form, colour: Color::Auto, quiet: false, no_input: true }
}

/// The form that was asked for, guessed from words that could not be parsed.
fn form_of(words: &[OsString]) -> Form {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let one = |word: &str| matches!(word, "--json" | "-ojson" | "-o=json" | "--output=json");
    let two = |pair: &[std::borrow::Cow<str>]| matches!(pair, [flag, json] if (flag == "-o" || flag == "--output") && json == "json");
    let json = words.iter().any(|word| one(word)) || words.windows(2).any(two);
    if json { Form::Json } else { Form::Table }
}

/// Help as it fits the terminal.
fn readable(error: clap::Error, words: &[OsString]) -> clap::Error {
    let asks = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let columns = ui::columns().filter(|columns| *columns < help::WIDEST);
    match columns.filter(|_| error.kind() == ErrorKind::DisplayHelp || error.kind() == asks) {
        Some(columns) => {
            let folded = help::within(Cli::command(), columns).try_get_matches_from(words);
            folded.err().unwrap_or(error)
        }
        None => error,
    }
}

/// Help and version are answers; everything else that clap says is a usage error.
fn misunderstood(error: &clap::Error, words: &[OsString]) -> Exit {
    let (printed, form) = (error.print(), form_of(words));
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return Exit::Done,
        _ => {}
    }
    let first = asked(words).is_empty();
    let commands = Cli::command();
    let of_batch = commands.find_subcommand("batch").filter(|_| first).and_then(|batch| {
        let word = match error.get(ContextKind::InvalidSubcommand)? {
            ContextValue::String(word) => word,
            _ => return None,
        };
        batch.find_subcommand(word).map(|found| format!("volledger batch {}", found.get_name()))
    });
    if let (Some(meant), Form::Table, Ok(settings)) =
        (of_batch, form, Settings::from_lookup(&|_| None))
    {
        Ui::new(&settings, plain(form)).hint(&format!("did you mean `{meant}`?"));
    }
    if form == Form::Json && printed.is_ok() {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = Some("`volledger help` lists the commands");
        let document = crate::render::json::error(&first, &[], hint, Exit::Usage.code());
        if let Ok(settings) = Settings::from_lookup(&|_| None) {
            // The exit code says it too.
            let mut ui = Ui::new(&settings, plain(form));
            let _ = ui.answer(document + "\n").and_then(|()| ui.let_go());
        }
    }
    Exit::Usage
}

/// Begins a line of diagnostics: the time, and the run that it belongs to.
struct Stamp(String);

impl FormatTime for Stamp {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        SystemTime.format_time(out)?;
        write!(out, " [{}]", self.0)
    }
}

/// Lets diagnostics through: what `VOLLEDGER_LOG` says, else what `-v` asks, else the settings. They go
/// to standard error, or into the file that the settings name. Each line has the first 8 digits of the run's id.
fn diagnostics(settings: &Settings, verbose: u8, correlation: &str) -> Outcome<()> {
    let filter = match (&settings.log, verbose) {
        (Some(filter), _) => filter.clone(),
        (None, 0) => match log_level(settings) {
            Some(level) => format!("volledger={level}"),
            None => return Ok(()),
        },
        (None, 1) => "volledger=info".to_owned(),
        (None, _) => "volledger=debug".to_owned(),
    };
    let wrong = |why: &str| {
        let error = format!("VOLLEDGER_LOG is {filter:?}, which is no filter: {why}");
        Failure::usage(error, "for example `VOLLEDGER_LOG=volledger=debug`")
    };
    if let Some(word) = odd_word(&filter) {
        return Err(wrong(&format!("{word:?} is no level, and no part of the program")));
    }
    let parsed = tracing_subscriber::EnvFilter::try_new(&filter);
    let parsed = parsed.map_err(|error| wrong(&error.to_string()))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(log_writer(settings)?)
        .with_timer(Stamp(correlation.chars().take(8).collect()))
        .with_ansi(false);
    // There is one already only when a test runs the program in its own process.
    let _ = subscriber.try_init();
    Ok(())
}

/// A word that a filter has alone, and that is neither a level nor begins as our own diagnostics do: the filter
/// takes it for the name of a part that never says anything.
fn odd_word(filter: &str) -> Option<&str> {
    const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "off"];
    let words = filter.split(',').map(str::trim);
    words.into_iter().find(|word| {
        let level = LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
        let number = word.len() == 1 && ("0"..="5").contains(word);
        let other = word.is_empty() || word.contains(['=', '[']) || word.starts_with("volledger");
        !(level || number || other)
    })
}

/// The level that the settings ask for, as the filter calls it. A file without a level gets INFO.
fn log_level(settings: &Settings) -> Option<&'static str> {
    let tuning = config::Tuning::of(&settings.files);
    let of_file = || tuning.is_set("log.file").then(|| "INFO".to_owned());
    let level = tuning.text("log.level").or_else(of_file)?;
    Some(match level.to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "INFO" => "info",
        "WARNING" => "warn",
        _ => "error",
    })
}

/// Where diagnostics go.
fn log_writer(settings: &Settings) -> Outcome<BoxMakeWriter> {
    let Some(path) = config::Tuning::of(&settings.files).text("log.file") else {
        return Ok(BoxMakeWriter::new(std::io::stderr));
    };
    replace::check_place(Path::new(&path))?;
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    let file = file.map_err(|error| {
        let hint = "correct `file` in `[log]` of your settings (`volledger config path`)";
        Failure::usage(format!("cannot write the diagnostics to {path}: {error}"), hint)
    })?;
    Ok(BoxMakeWriter::new(Mutex::new(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_of_nothing_is_no_filter() {
        for (filter, odd) in [
            ("debug", None),
            ("Off,volledger", None),
            ("warn,volledger::net=trace", None),
            ("3", None),
            ("xyz", Some("xyz")),
            ("volledger=info, debgu", Some("debgu")),
        ] {
            assert_eq!(odd_word(filter), odd, "{filter}");
        }
    }

    #[test]
    fn json_is_noticed_in_words_that_do_not_parse() {
        for (line, json) in [
            ("volledger nonsense --json", true),
            ("volledger -o json x", true),
            ("volledger --output=json", true),
            ("volledger -o csv", false),
            ("volledger", false),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(form_of(&words) == Form::Json, json, "{line}");
        }
    }
}
