//! What a run depends on besides the ledger, and who hears of its progress.

use super::clock::Clock;
use crate::domain::batch::{Command, Confirmer};
use crate::domain::{Digest, Position};
use crate::ledger::LedgerError;
use crate::projections::Registry;

/// What a run depends on besides the ledger: time, the person, and who hears of progress.
pub struct Run<'a> {
    /// Where "now" comes from.
    pub clock: Clock,
    /// Who acts, as recorded in control entries.
    pub actor: String,
    /// Hears of progress; never changes a result.
    pub progress: &'a dyn Progress,
    /// The projections that the program brings.
    pub registry: Registry,
    /// Whether kept projections are brought up to the head after a decision.
    pub refresh: bool,
    /// Whether a batch must be confirmed by another person than the one who staged it.
    pub two_person: bool,
    /// What lines of diagnostics and recorded answers of this run have in common.
    pub correlation: String,
}

/// An id for a run, 16 hex digits, another one each time.
pub fn correlation_id() -> String {
    use std::hash::{BuildHasher, Hasher};
    // The standard library's hash keys are random.
    format!("{:016x}", std::hash::RandomState::new().build_hasher().finish())
}

impl Run<'static> {
    /// A run of a program that uses this library: the system's clock, nobody who hears of
    /// progress, the projections of [`Registry::default`], kept projections brought up to the head.
    ///
    /// What is to be otherwise is named: `Run { registry, ..Run::new("me") }`.
    pub fn new(actor: impl Into<String>) -> Self {
        Self {
            clock: Clock::System,
            actor: actor.into(),
            progress: &Silent,
            registry: Registry::default(),
            refresh: true,
            two_person: false,
            correlation: correlation_id(),
        }
    }
}

impl Run<'_> {
    /// Fails when whoever listens wants the work to stop.
    ///
    /// # Errors
    /// [`LedgerError::Stopped`].
    pub(crate) fn go_on(&self) -> std::result::Result<(), LedgerError> {
        if self.progress.stopped() { Err(LedgerError::Stopped) } else { Ok(()) }
    }

    /// Who would confirm, under which rule.
    pub(crate) fn confirmer(&self) -> Confirmer {
        Confirmer { actor: self.actor.clone(), two_person: self.two_person }
    }

    /// The command to confirm what was reviewed at `base`.
    pub(super) fn confirm(&self, token: Digest, base: Position) -> Command {
        Command::Confirm { token, base, by: self.confirmer() }
    }

    pub(super) fn holder(&self) -> String {
        format!("{}, process {}", self.actor, std::process::id())
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.actor)
    }
}

/// Hears how far a long piece of work is.
pub trait Progress {
    /// A piece of work begins; `total` in `unit`s where it is known.
    fn begin(&self, what: &str, total: Option<u64>, unit: &'static str);
    /// That much is done in all.
    fn at(&self, done: u64);
    /// That much is done, and what comes next has to wait.
    fn waiting(&self, done: u64, wait: std::time::Duration) {
        let _ = wait;
        self.at(done);
    }
    /// The piece of work is over.
    fn end(&self);
    /// Whether whoever listens wants the work to stop. It does so where nothing half is left.
    fn stopped(&self) -> bool {
        false
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>, _: &'static str) {}
    fn at(&self, _: u64) {}
    fn end(&self) {}
}
