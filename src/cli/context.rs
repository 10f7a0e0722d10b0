//! What every command needs: settings, the ledger's place, the clock.

use super::args::Command;
use super::commands::fetch;
use super::error::{Failure, Outcome};
use super::exit::Exit;
use super::progress::Bar;
use super::ui::Ui;
use crate::app::erased::{self, Place};
use crate::app::lookup;
use crate::app::report::Part;
use crate::app::{
    AppError, Clock, Ledger, LedgerError, OpenOptions, Registry, Run, outside, recover,
};
use crate::config::{
    self, Found, Settings, ledger_directory, new_ledger_directory, signing_key_file,
};
use crate::domain::{Position, Series};
use crate::render::numbers::counted;
use std::path::{Path, PathBuf};

/// Takes in the settings files that hold for a command. The tour shows the program as it comes, and
/// some commands have nothing to do with a ledger: a wrong file does not stop them.
pub(super) fn with_files(
    settings: Settings,
    ledger: Option<&Path>,
    command: &Command,
) -> Outcome<Settings> {
    let found = match command {
        Command::Tour(_) | Command::Completions(_) | Command::Man(_) | Command::VerifyProof(_) => {
            return Ok(settings);
        }
        Command::Config(args) if args.is_path() => return Ok(settings),
        Command::Init(_) => new_ledger_directory(ledger, &settings),
        // The settings of the damaged one may be what is damaged.
        Command::Recover(args) => match args.new_dir() {
            Some(new) => Found { directory: new.to_owned(), by: "the command" },
            None => return Ok(settings),
        },
        Command::Restore(args) => Found { directory: args.dir().to_owned(), by: "the command" },
        _ => ledger_directory(ledger, &settings),
    };
    let asks = match command {
        Command::Fetch(args) => fetch::asks(args),
        _ => None,
    };
    Ok(settings.with_files(&found.directory, asks)?)
}

/// The surroundings of a command.
pub(super) struct Context {
    pub(super) settings: Settings,
    /// `--ledger`.
    pub(super) ledger: Option<PathBuf>,
    pub(super) progress: Bar,
    /// Whether kept projections are brought up to the head after a decision.
    pub(super) refresh: bool,
    /// Whether `--at` names a past: then a hurt ledger is read as far as it is sound.
    pub(super) past: bool,
    /// Whether the command only reads: then a ledger that cannot be written will do.
    pub(super) reads: bool,
    /// What this run's diagnostics and recorded answers have in common.
    pub(super) correlation: String,
}

impl Context {
    pub(super) fn run(&self) -> Run<'_> {
        Run {
            clock: self.settings.now_ms.map_or(Clock::System, Clock::Fixed),
            actor: self.settings.actor.clone(),
            progress: &self.progress,
            registry: Registry::default(),
            refresh: self.refresh,
            two_person: self.settings.two_person,
            correlation: self.correlation.clone(),
        }
    }

    /// What the lock file says of this process.
    pub(super) fn holder(&self) -> String {
        format!("volledger of {}", self.settings.actor)
    }

    /// How the ledger is opened.
    pub(super) fn options(&self) -> OpenOptions {
        let (patience, mirror) = (self.settings.patience, self.settings.mirror);
        OpenOptions { holder: self.holder(), patience, mirror, lends: false }
    }

    /// Where a new ledger goes.
    pub(super) fn new_directory(&self) -> PathBuf {
        new_ledger_directory(self.ledger.as_deref(), &self.settings).directory
    }

    /// Opens the ledger; what opening noticed goes to the person.
    pub(super) fn open(&self, ui: &mut Ui) -> Outcome<Ledger> {
        let opened = self.opened()?;
        for note in &opened.notes {
            ui.note(note);
        }
        Ok(opened.ledger)
    }

    /// Where the ledger is; one is there.
    pub(super) fn directory(&self) -> Outcome<PathBuf> {
        let Found { directory, by } = ledger_directory(self.ledger.as_deref(), &self.settings);
        if let Some((folder, whose)) = config::shut(&directory) {
            let (place, folder) = (directory.display(), folder.display());
            let error =
                format!("cannot look into {place}: {folder} is for its owner alone ({whose})");
            let hint = "run this as that user, or name another ledger with `-L DIR`";
            return Err(Failure::of(Exit::NotWritable, error, hint));
        }
        if !outside::exists(&directory) {
            let place = directory.display();
            let (error, hint) = match by {
                _ if directory.is_file() => (
                    format!("{place} is a file; a ledger is a directory"),
                    "name the directory with `-L DIR`; a backup becomes one with `volledger \
                     restore FILE DIR`"
                        .to_owned(),
                ),
                "--ledger" | "VOLLEDGER_DIR" => (
                    format!("there is no ledger in {place}"),
                    format!("make one there with `volledger init` ({by} names the place)"),
                ),
                _ => (
                    format!("there is no .volledger here or above, and none in {place}"),
                    "make one here with `volledger init`, or name one with `-L DIR`; `volledger \
                     tour` shows the program without one"
                        .to_owned(),
                ),
            };
            return Err(Failure::of(Exit::Failed, error, hint));
        }
        Ok(directory)
    }

    /// The file of the signing key: the flag, the variable, the configuration folder.
    pub(super) fn key_file(&self, flag: Option<&Path>) -> Outcome<PathBuf> {
        signing_key_file(flag, &self.settings).ok_or_else(|| {
            let hint = "name it with `VOLLEDGER_SIGNING_KEY=FILE`";
            Failure::usage("there is no configuration folder for a signing key", hint)
        })
    }

    /// Opens the ledger, with what opening noticed.
    pub(super) fn opened(&self) -> Outcome<outside::Opened> {
        let directory = self.directory()?;
        match outside::open_with(&directory, &self.options(), &self.run()) {
            Err(AppError::Ledger(LedgerError::Damaged { .. })) if self.past => {
                Ok(recover::open_sound(&directory, &self.run())?)
            }
            Err(AppError::Ledger(why @ LedgerError::NotWritable { .. })) if self.reads => {
                Ok(recover::open_unwritable(&directory, why, &self.run())?)
            }
            other => Ok(other?),
        }
    }

    /// Opens the ledger to verify it, and says what cannot be looked at where it cannot be written.
    pub(super) fn open_to_verify(&self, ui: &mut Ui) -> Outcome<(Ledger, Vec<Part>)> {
        let (directory, run) = (self.directory()?, self.run());
        let (opened, unchecked) = match outside::open_with(&directory, &self.options(), &run) {
            Err(AppError::Ledger(why @ LedgerError::NotWritable { .. })) => {
                recover::open_to_verify(&directory, why, self.settings.mirror, &run)?
            }
            other => (other?, Vec::new()),
        };
        for note in &opened.notes {
            ui.note(note);
        }
        Ok((opened.ledger, unchecked))
    }

    /// Says of which symbols nothing was known where a command looks, and what was erased there.
    pub(super) fn loud(&self, ui: &mut Ui, ledger: &Ledger, place: &Place<'_>) -> Outcome<()> {
        self.unheard(ui, ledger, place)?;
        self.erased(ui, ledger, place)
    }

    /// Says of which symbols nothing was known at a position that is named: they are answered with
    /// nothing, and so is a misspelt one.
    fn unheard(&self, ui: &mut Ui, ledger: &Ledger, place: &Place<'_>) -> Outcome<()> {
        let Some(at) = place.at else { return Ok(()) };
        let views = if place.series.is_empty() { &Series::ALL } else { place.series };
        for symbol in lookup::unheard_of(ledger, place.symbols, views, at)? {
            ui.note(&format!("nothing is known of {symbol} at {at}"));
        }
        Ok(())
    }

    /// Says what was erased from where a command looks: nothing older stands in its place silently.
    pub(super) fn erased(&self, ui: &mut Ui, ledger: &Ledger, place: &Place<'_>) -> Outcome<()> {
        const FEW: usize = 3;
        let erasures = erased::missing(ledger, place)?;
        for erasure in erasures.iter().take(FEW) {
            let (events, batch) = (counted(erasure.events, "event"), &erasure.batch);
            let was = if erasure.events == 1 { "was" } else { "were" };
            ui.note(&format!(
                "{events} of {batch} that this would show {was} {erasure}; older values may stand in \
                 their place"
            ));
        }
        if erasures.len() > FEW {
            ui.note(&format!(
                "and {} more: `volledger log --audit` has all erasures",
                erasures.len() - FEW
            ));
        }
        Ok(())
    }

    /// The position that `--at` names.
    pub(super) fn at(&self, ledger: &Ledger, at: Option<&str>) -> Outcome<Option<Position>> {
        Ok(at.map(|text| lookup::position_of(ledger, text)).transpose()?)
    }
}
