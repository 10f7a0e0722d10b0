//! The service that is asked, as the floors above see it.

use super::ask::{AskOptions, Asked, ask};
use super::plan::Plan;
use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::domain::Position;
use crate::ledger::{Inbox, OpenOptions};
use crate::net::{Client, ClientOptions, Ended, SystemTime};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use crate::net::Stop;

/// How to reach the service.
pub struct ServiceOptions {
    /// Scheme, host and port.
    pub base_url: String,
    /// The key.
    pub key: Option<SecretString>,
    /// Requests a minute; 0 is no limit.
    pub per_minute: u32,
    /// Requests under way at a time.
    pub jobs: usize,
}

/// A service that can be asked.
pub struct Service {
    client: Client,
    jobs: usize,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Service({} jobs)", self.jobs)
    }
}

impl Service {
    /// Makes a client; nothing is asked yet.
    ///
    /// # Errors
    /// [`AppError::Usage`] for a base URL or key that cannot be used.
    pub fn new(options: ServiceOptions) -> Result<Self> {
        let client = ClientOptions {
            key: options.key,
            per_minute: options.per_minute,
            ..ClientOptions::new(options.base_url)
        };
        let client = Client::new(client, Arc::new(SystemTime::default()));
        let client = client.map_err(|error| AppError::Usage(error.to_string()))?;
        Ok(Self { client, jobs: options.jobs })
    }

    /// Time between two requests.
    pub fn interval(&self) -> Duration {
        self.client.pace().interval()
    }

    /// Asks questions that were planned at a position of the ledger; the answers are in the inbox afterwards, as far as they came.
    ///
    /// # Errors
    /// An inbox that cannot be written.
    pub fn ask(
        &self,
        plan: &Plan,
        inbox: &mut Inbox,
        position: Position,
        stop: &Stop,
        run: &Run<'_>,
    ) -> Result<Asked> {
        run.progress.begin("asking", Some(plan.questions.len() as u64), "questions");
        let done = |done: u64, wait: Duration| run.progress.waiting(done, wait);
        let (client, jobs, clock) = (&self.client, self.jobs, run.clock);
        let correlation = &run.correlation;
        let how = AskOptions { client, jobs, stop, clock, correlation, position, done: &done };
        let asked = ask(&plan.questions, inbox, &how);
        run.progress.end();
        asked
    }
}

/// Asks the service one small thing (whether markets are open), once.
///
/// # Errors
/// What went wrong, for a person; never holds the key.
pub fn reach(options: ServiceOptions, patience: Duration) -> std::result::Result<(), String> {
    let client = ClientOptions {
        key: options.key,
        attempts: 1,
        timeout: patience,
        connect_timeout: patience,
        ..ClientOptions::new(options.base_url)
    };
    let client = Client::new(client, Arc::new(SystemTime::default()));
    let client = client.map_err(|error| error.to_string())?;
    let usable = |_: &[u8]| Ok(());
    let answer = client.get("/v1/marketstatus/now", &usable, &Stop::default(), &|_| {});
    match answer.ended {
        Ended::Ok => Ok(()),
        _ => Err(answer.text),
    }
}

/// Opens the inbox of a ledger; one fetch has it at a time.
///
/// # Errors
/// Those of [`Inbox::open`].
pub fn open_inbox(directory: &Path, holder: &str, patience: Duration) -> Result<Inbox> {
    let options = OpenOptions::new(holder, patience);
    Ok(Inbox::open(directory, &options)?)
}
