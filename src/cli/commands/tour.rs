//! `tour`: the main job on bundled sample data, with the commands that a newcomer can type.

mod earnings;

use crate::cli::args::Cli;
use crate::cli::commands;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::progress::Bar;
use crate::cli::ui::Ui;
use crate::config;
use crate::render::wrapped;
use clap::{Args, Parser, ValueEnum};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
EXAMPLES
  volledger tour
  volledger tour earnings                a wrong published result, corrected by replay
  volledger tour --keep playground       the ledger and the files stay";

/// See the whole job on bundled sample data
///
/// Everything happens in a temporary directory that is removed at the end; with --keep it happens
/// in DIR and stays, so that you can go on from there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct TourArgs {
    /// What about
    #[arg(value_enum, default_value = "volatility")]
    about: About,
    /// A new or empty directory for the tour's ledger and files, which stay
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What a tour is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum About {
    /// Import, review, confirm, roll back, verify
    Volatility,
    /// A published result that is wrong, corrected by replaying the same facts
    Earnings,
}

/// A file of the sample data: its place, and its text.
type Sample = (&'static str, &'static str);

/// A step: what a person should know, then the words of a command.
type Step = (&'static str, &'static [&'static str]);

impl About {
    fn files(self) -> &'static [Sample] {
        match self {
            Self::Volatility => &FILES,
            Self::Earnings => &earnings::FILES,
        }
    }

    fn steps(self) -> &'static [Step] {
        match self {
            Self::Volatility => STEPS,
            Self::Earnings => earnings::STEPS,
        }
    }

    /// What to type next in a tour that is kept, and how the tour is called.
    fn next(self) -> (&'static str, &'static str) {
        match self {
            Self::Volatility => ("volledger import iv iv/VOLB.csv -s VOLB", "tour"),
            Self::Earnings => ("volledger earnings VOLA", "tour earnings"),
        }
    }
}

/// The sample data (synthetic), compiled in, so that the program needs no other file.
const FILES: [Sample; 9] = [
    ("iv/VOLA.csv", include_str!("../../../data/sample/iv/VOLA.csv")),
    ("iv/VOLB.csv", include_str!("../../../data/sample/iv/VOLB.csv")),
    ("hv/VOLA.csv", include_str!("../../../data/sample/hv/VOLA.csv")),
    ("hv/VOLB.csv", include_str!("../../../data/sample/hv/VOLB.csv")),
    ("spot/VOLA.csv", include_str!("../../../data/sample/spot/VOLA.csv")),
    ("spot/VOLB.csv", include_str!("../../../data/sample/spot/VOLB.csv")),
    ("bad/VOLA_wrong_scale.csv", include_str!("../../../data/sample/bad/VOLA_wrong_scale.csv")),
    ("dirty/VOLB_dirty.csv", include_str!("../../../data/sample/dirty/VOLB_dirty.csv")),
    ("README.md", include_str!("../../../data/sample/README.md")),
];

const STEPS: &[Step] = &[
    ("A ledger is a directory. Start one here.", &["init"]),
    (
        "Three years of implied volatility of VOLA, a made-up symbol, as a vendor exports it. An \
         import stages the rows and shows what they would change; nothing counts yet.",
        &["import", "iv", "iv/VOLA.csv", "-s", "VOLA", "--stage-only"],
    ),
    ("The review looks right: let it count.", &["batch", "confirm", "b1"]),
    (
        "Prices belong to it. --yes confirms what is clean.",
        &["import", "spot", "spot/VOLA.csv", "-s", "VOLA", "--yes"],
    ),
    (
        "The vendor's file brought two realised volatilities along. This one has four, from closing \
         prices, so it differs; --overlap keep lets it only fill what is missing.",
        &["import", "hv", "hv/VOLA.csv", "-s", "VOLA", "--overlap", "keep", "--yes"],
    ),
    (
        "Now the view answers.",
        &["view", "iv", "VOLA", "--from", "2024-12-23", "--columns", "atm_iv"],
    ),
    (
        "Every value leads back to the bytes of the file that it came from.",
        &["why", "iv", "VOLA", "2024-12-30", "atm_iv"],
    ),
    (
        "Later somebody sends the year 2024 again. Every value passes the checks, but the last 60 \
         days were annualised with the wrong number of days. The review shows it: look at the \
         largest changes.",
        &["import", "iv", "bad/VOLA_wrong_scale.csv", "-s", "VOLA", "--stage-only"],
    ),
    ("Suppose nobody looked closely, and it was confirmed.", &["batch", "confirm", "b4"]),
    (
        "The view is wrong now …",
        &["view", "iv", "VOLA", "--from", "2024-12-23", "--columns", "atm_iv"],
    ),
    ("… and `why` says since which batch.", &["why", "iv", "VOLA", "2024-12-30", "atm_iv"]),
    (
        "So take that batch out. Nothing is deleted: the rollback is one more entry in the log.",
        &["batch", "rollback", "b4", "--reason", "annualised with 365 days"],
    ),
    (
        "The view is as it was.",
        &["view", "iv", "VOLA", "--from", "2024-12-23", "--columns", "atm_iv"],
    ),
    (
        "What it said in the meantime can still be asked.",
        &["view", "iv", "VOLA", "--from", "2024-12-30", "--columns", "atm_iv", "--at", "#8"],
    ),
    (
        "A file with defects: `check` tells them before anything is staged, and exits with 11 \
         because rows would be rejected.",
        &["check", "dirty/VOLB_dirty.csv", "-s", "VOLB"],
    ),
    ("The log holds every decision.", &["log"]),
    (
        "Check everything: hashes, order, roots, every block, and every view against its rebuild.",
        &["verify", "--deep"],
    ),
    ("Where things stand.", &["status"]),
];

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &TourArgs) -> Outcome<Exit> {
    if !ui.for_people() {
        return Err(Failure::usage("a tour is for people", "leave out `-o` and `--json`"));
    }
    let place = match &args.keep {
        Some(directory) => Place::kept(directory)?,
        None => Place::passing()?,
    };
    for (name, text) in args.about.files() {
        let path = place.path().join(name);
        let folder = path.parent().unwrap_or(place.path());
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| Failure::unwritable(name, error))?;
    }
    let directory = std::fs::canonicalize(place.path());
    let directory = directory.map_err(|error| Failure::unwritable("the tour's place", error))?;
    let before = config::enter(&directory);
    let before = before.map_err(|error| Failure::unwritable("the tour's place", error))?;
    let mut stage = Ui::on_stage(&ctx.settings, ui.manner());
    let outcome = play(&mut stage, ctx, &directory, args.about.steps());
    // Back first, so that a temporary directory can go on every system.
    let _ = config::enter(&before);
    outcome?;
    let (next, tour) = args.about.next();
    let go_on = match &args.keep {
        Some(directory) => format!(
            "\nEverything is in {} and stays there. Go on with\n\n    cd {}\n    {next}\n    \
             volledger undo\n    volledger --help\n",
            directory.display(),
            directory.display()
        ),
        None => format!(
            "\nThat was all of it, and it is gone again. To go on from here, keep it:\n\n    \
                 volledger {tour} --keep volledger-tour\n\nor start your own: `volledger init`, then \
                 `volledger import iv FILE -s SYMBOL`.\n"
        ),
    };
    stage.tell(go_on.trim_end())?;
    Ok(Exit::Done)
}

/// Runs the steps one after the other, each as if it were typed.
fn play(ui: &mut Ui, ctx: &Context, directory: &Path, steps: &[Step]) -> Outcome<()> {
    let mut settings = ctx.settings.clone();
    settings.current = directory.to_owned();
    settings.directory = None;
    let ctx = Context {
        settings,
        ledger: None,
        progress: Bar::new(false),
        refresh: true,
        past: false,
        reads: false,
        correlation: ctx.correlation.clone(),
    };
    ui.tell(
        "A tour of volledger with made-up data. The lines that begin with $ are commands; you can \
         type them.",
    )?;
    for (text, words) in steps {
        ui.tell("")?;
        for line in wrapped(text, 78) {
            ui.tell(&format!("# {line}"))?;
        }
        ui.tell(&format!("\n$ volledger {}", typed(words)))?;
        let all = ["volledger"].iter().chain(words.iter());
        let cli = Cli::try_parse_from(all);
        let cli = cli.map_err(|error| Failure::usage(error.to_string(), "report this bug"))?;
        let exit = commands::run(ui, &ctx, &cli.command)?;
        if exit != Exit::Done {
            ui.tell(&format!("(exit {})", exit.code()))?;
        }
    }
    Ok(())
}

/// Where the tour takes place.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn kept(directory: &Path) -> Outcome<Self> {
        let name = directory.display().to_string();
        std::fs::create_dir_all(directory).map_err(|error| Failure::unwritable(&name, error))?;
        let mut inside =
            std::fs::read_dir(directory).map_err(|error| Failure::unreadable(&name, error))?;
        if inside.next().is_some() {
            let error = format!("{name} is not empty");
            return Err(Failure::usage(error, "give a new directory: `volledger tour --keep DIR`"));
        }
        Ok(Self::Kept(directory.to_owned()))
    }

    fn passing() -> Outcome<Self> {
        let made = tempfile::Builder::new().prefix("volledger-tour-").tempdir();
        let made = made.map_err(|error| Failure::unwritable("a temporary directory", error))?;
        Ok(Self::Passing(made))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(made) => made.path(),
        }
    }
}

/// Words as a shell takes them.
pub(super) fn typed(words: &[&str]) -> String {
    let quoted = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,@".contains(c);
        if word.chars().all(plain) { (*word).to_owned() } else { format!("\"{word}\"") }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_typed() {
        for (_, words) in STEPS.iter().chain(earnings::STEPS) {
            let all = ["volledger"].iter().chain(words.iter());
            assert!(Cli::try_parse_from(all).is_ok(), "{words:?}");
        }
        assert_eq!(typed(&["log", "#7", "a b"]), "log \"#7\" \"a b\"");
    }
}
