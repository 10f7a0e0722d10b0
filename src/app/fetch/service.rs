//! The service that is asked, as the floors above see it.

use super::Provider;
use super::ask::{AskOptions, Asked, ask};
use super::cache::{Cache, CacheLimits, Kept, Recorded};
use super::plan::Plan;
use super::spent::Spent;
use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::domain::Position;
use crate::ledger::{Inbox, LedgerError, OpenOptions};
use crate::net::{Client, ClientOptions, Ended, KeyIn, Limit, Spread, SystemTime, Unusable, Waits};
use crate::sources::answer::Refusal;
use crate::sources::{alpha_vantage, polygon, tradier};
use secrecy::SecretString;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use crate::net::Stop;

/// Largest answer of Alpha Vantage and Tradier, in bytes.
const MAX_BODY: u64 = 10 << 20;

/// Longest that Tradier is waited for.
const TRADIER_PATIENCE: Duration = Duration::from_secs(10);

/// Most requests to Tradier at once: its burst over 120 a minute is 150.
const BURST: f64 = 1.25;

/// How failures are met (`iv_crush.md` A14); Polygon has rules of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resilience {
    /// Most attempts per request.
    pub attempts: u32,
    /// The factor from one pause to the next; the first pause is a second.
    pub backoff_base: f64,
    /// The longest pause.
    pub max_backoff: Duration,
    /// Failures in a row after which a service is left alone.
    pub failures: u32,
    /// For how long.
    pub recovery: Duration,
    /// Time for a whole request.
    pub timeout: Duration,
}

impl Default for Resilience {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff_base: 2.0,
            max_backoff: Duration::from_secs(60),
            failures: 5,
            recovery: Duration::from_secs(60),
            timeout: Duration::from_secs(30),
        }
    }
}

/// What a service allows; 0 is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Requests a second, evenly spaced.
    pub per_second: u32,
    /// Requests a minute: of Polygon evenly spaced, of the others as many at once.
    pub per_minute: u32,
    /// Requests a day.
    pub per_day: u32,
    /// Requests that earlier runs made.
    pub spent: Spent,
}

/// How to reach a service.
pub struct ServiceOptions {
    /// Which.
    pub provider: Provider,
    /// Scheme, host and port.
    pub base_url: String,
    /// What stands before each path.
    pub base_path: String,
    /// The key.
    pub key: Option<SecretString>,
    /// What it allows.
    pub pace: Pace,
    /// How failures are met.
    pub resilience: Resilience,
    /// Requests under way at a time.
    pub jobs: usize,
}

impl ServiceOptions {
    fn client(self) -> ClientOptions {
        let plain = ClientOptions { key: self.key, ..ClientOptions::new(self.base_url) };
        let (pace, how) = (self.pace, self.resilience);
        if self.provider == Provider::Polygon {
            let since_last = pace.spent.since_last;
            return ClientOptions { per_minute: pace.per_minute, since_last, ..plain };
        }
        let mut limits = Vec::new();
        if pace.per_minute > 0 {
            let burst = match self.provider {
                Provider::Tradier => (f64::from(pace.per_minute) * BURST) as u32,
                _ => pace.per_minute,
            };
            let spent = pace.spent.in_a_minute;
            limits.push(Limit { burst, spent, ..Limit::per(pace.per_minute, 60) });
        }
        if pace.per_day > 0 {
            let spent = pace.spent.in_a_day;
            limits.push(Limit { spent, ..Limit::per(pace.per_day, 86_400) });
        }
        let of_query = self.provider == Provider::AlphaVantage;
        let timeout = if of_query { how.timeout } else { how.timeout.min(TRADIER_PATIENCE) };
        ClientOptions {
            key_in: if of_query { KeyIn::Query("apikey") } else { KeyIn::Header },
            per_minute: pace.per_second.saturating_mul(60),
            attempts: how.attempts.max(1),
            waits: Waits {
                base: how.backoff_base,
                most: how.max_backoff,
                spread: Spread::TenthMore,
            },
            limits,
            since_last: pace.spent.since_last,
            breaker: Some((how.failures, how.recovery)),
            connect_timeout: timeout.min(Duration::from_secs(10)),
            timeout,
            max_body: MAX_BODY,
            ..plain
        }
    }
}

/// A service that can be asked.
pub struct Service {
    client: Client,
    jobs: usize,
    cache: Mutex<Cache<Kept>>,
    refresh: bool,
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
        let jobs = options.jobs;
        let client = Client::new(options.client(), Arc::new(SystemTime::default()));
        let client = client.map_err(|error| AppError::Usage(error.to_string()))?;
        let cache = Mutex::new(Cache::new(CacheLimits::default(), Recorded::new()));
        Ok(Self { client, jobs, cache, refresh: false })
    }

    /// Answers live questions with what is recorded, as long as it is young; with `refresh`, only
    /// notes what comes.
    #[must_use]
    pub fn with_cache(
        mut self,
        limits: CacheLimits,
        recorded: Recorded<Kept>,
        refresh: bool,
    ) -> Self {
        self.cache = Mutex::new(Cache::new(limits, recorded));
        self.refresh = refresh;
        self
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
        let how = AskOptions {
            client: &self.client,
            jobs: self.jobs,
            stop,
            clock: run.clock,
            correlation: &run.correlation,
            position,
            cache: &self.cache,
            refresh: self.refresh,
            done: &done,
        };
        let asked = ask(&plan.questions, inbox, &how);
        run.progress.end();
        asked
    }
}

/// Whether a body is an answer.
type Check = fn(&[u8]) -> std::result::Result<(), Refusal>;

/// A small request that shows whether a service answers, and the check of its answer: Polygon is asked
/// whether markets are open, the others for a quote of one symbol.
fn probe(provider: Provider, base_path: &str) -> (String, Check) {
    match provider {
        Provider::Polygon => ("/v1/marketstatus/now".to_owned(), |body| {
            polygon::answers(body).map_err(Refusal::Payload)
        }),
        Provider::AlphaVantage => {
            let target = format!("{base_path}/query?function=GLOBAL_QUOTE&symbol=SPY");
            (target, alpha_vantage::answers)
        }
        Provider::Tradier => (format!("{base_path}/markets/quotes?symbols=SPY"), |body| {
            tradier::items(tradier::Page::Quote, body).map(drop)
        }),
    }
}

/// Asks the service one small thing, once.
///
/// # Errors
/// What went wrong, for a person; never holds the key.
pub fn reach(options: ServiceOptions, patience: Duration) -> std::result::Result<(), String> {
    let (target, check) = probe(options.provider, &options.base_path);
    let client = ClientOptions {
        attempts: 1,
        timeout: patience,
        connect_timeout: patience,
        ..options.client()
    };
    let client = Client::new(client, Arc::new(SystemTime::default()));
    let client = client.map_err(|error| error.to_string())?;
    let usable = |body: &[u8]| check(body).map_err(Unusable::from);
    let answer = client.get(&target, &usable, &Stop::default(), &|_| {});
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

/// The inbox of the ledger in `directory` as far as a plan looks at it: where nothing can be written, it
/// is read as it is.
///
/// # Errors
/// Those of [`Inbox::open`] and [`Inbox::look`].
pub fn inbox_to_plan(directory: &Path, holder: &str, patience: Duration) -> Result<Inbox> {
    match open_inbox(directory, holder, patience) {
        Err(AppError::Ledger(LedgerError::NotWritable { .. })) => Ok(Inbox::look(directory)?),
        other => other,
    }
}
