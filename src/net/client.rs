//! The HTTP client: the only home of `reqwest`.

mod base;
#[cfg(test)]
mod tests;
mod trouble;
mod verdict;
mod wire;

use super::backoff::{Jitter, Waits};
use super::breaker::{Breaker, Outcome};
use super::limits::{Limit, Limits, Refused};
use super::pace::Pace;
use super::said;
use super::time::{Stop, Time};
use base::Base;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use verdict::{Next, PATIENCE, Turn};
use wire::Wire;

/// Redirects that one request follows.
const MOST_REDIRECTS: u32 = 5;

/// Where a request carries the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyIn {
    /// In the `Authorization` header.
    #[default]
    Header,
    /// In a parameter of this name, which is added when a request is sent and is nowhere else.
    Query(&'static str),
}

/// Why the body of a 200 is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// How the request ended: [`Ended::RateLimited`] and [`Ended::BadPayload`] are tried again.
    pub ended: Ended,
    /// What the service said, for a person.
    pub text: String,
    /// Whether it will say so to every request of today.
    pub for_today: bool,
}

impl From<String> for Unusable {
    fn from(text: String) -> Self {
        Self { ended: Ended::BadPayload, text, for_today: false }
    }
}

/// Says whether a body is what was asked for.
pub type Usable<'a> = dyn Fn(&[u8]) -> Result<(), Unusable> + 'a;

/// How a client asks.
pub struct ClientOptions {
    /// Scheme, host and port, such as `https://api.massive.com`.
    pub base_url: String,
    /// The key.
    pub key: Option<SecretString>,
    /// How the service wants to be shown it.
    pub key_in: KeyIn,
    /// Requests a minute; 0 is no limit.
    pub per_minute: u32,
    /// Most attempts per request.
    pub attempts: u32,
    /// The waits between attempts; a service that asks for more gets more, within reason.
    pub waits: Waits,
    /// What else the service allows, of all requests together.
    pub limits: Vec<Limit>,
    /// How long ago an earlier run made its last request, where that is known: the pace goes on from it.
    pub since_last: Option<Duration>,
    /// After so many failures in a row the service is left alone for so long.
    pub breaker: Option<(u32, Duration)>,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole request.
    pub timeout: Duration,
    /// Largest body, after decompression, in bytes.
    pub max_body: u64,
}

impl ClientOptions {
    /// What suits the free plan: five requests a minute, five attempts, a minute for each. There
    /// is no key yet.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            key: None,
            key_in: KeyIn::Header,
            per_minute: 5,
            attempts: 5,
            waits: Waits::default(),
            limits: Vec::new(),
            since_last: None,
            breaker: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            max_body: 64 << 20,
        }
    }

    /// The key, or an empty text.
    fn exposed(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.expose_secret())
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientOptions")
            .field("base_url", &base::shown(&self.base_url, self.exposed()))
            .field("key", &self.key.as_ref().map(|_| "****"))
            .field("key_in", &self.key_in)
            .field("per_minute", &self.per_minute)
            .field("attempts", &self.attempts)
            .field("waits", &self.waits)
            .field("limits", &self.limits)
            .field("breaker", &self.breaker)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .finish()
    }
}

/// How a request ended, after all attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// 200, and the body is what the caller's check accepts.
    Ok,
    /// 200, and the body was not usable, twice; or the service echoed the key.
    BadPayload,
    /// 401: the key is missing or wrong; nothing else will work either.
    AuthFailed,
    /// 403: the plan does not include it.
    NotEntitled,
    /// 404.
    NotFound,
    /// 400 or another 4xx: the request itself is refused.
    Rejected,
    /// 429 until the attempts were used up.
    RateLimited,
    /// 5xx until the attempts were used up.
    ServerError,
    /// No answer: name, connection, TLS, reset, time-out, a body cut short.
    Network,
    /// The body is larger than allowed.
    TooLarge,
    /// A redirect to another host: the key would have gone there.
    Redirected,
    /// The service failed too often of late; it was not asked.
    Refused,
    /// The user stopped it.
    Stopped,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// How long was waited before it, besides the pace.
    pub waited: Duration,
    /// What went wrong, if anything did; never holds the key.
    pub why: Option<String>,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it ended.
    pub ended: Ended,
    /// The last status.
    pub status: Option<u16>,
    /// The last body; empty when none came, and when it held the key.
    pub body: Vec<u8>,
    /// Chosen headers of the last answer (`content-type`, `x-request-id`, `date`), lower case.
    pub headers: Vec<(String, String)>,
    /// Every attempt.
    pub attempts: Vec<Attempt>,
    /// What the service said, or what went wrong, for a person.
    pub text: String,
    /// That no other request has a chance either before so long has passed: a limit is used up, or
    /// the service is left alone.
    pub shut_for: Option<Duration>,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The base URL is not one.
    #[error("`{0}` is not a base URL such as https://api.massive.com")]
    BaseUrl(String),
    /// The base URL would send the key unencrypted over the network.
    #[error("`{0}` would send the key unencrypted: use https, http is for this machine only")]
    InClear(String),
    /// The key has characters that a header cannot carry.
    #[error("the key has characters that an HTTP header cannot carry")]
    Key,
    /// The TLS library could not be set up.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

/// Asks one service. Shared by all threads of a run; not for use inside an async runtime.
pub struct Client {
    options: ClientOptions,
    base: Base,
    wire: Wire,
    pace: Pace,
    limits: Limits,
    breaker: Option<Breaker>,
    jitter: Jitter,
    time: Arc<dyn Time>,
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for `options.base_url`.
    ///
    /// # Errors
    /// [`NetError`].
    pub fn new(options: ClientOptions, time: Arc<dyn Time>) -> Result<Self, NetError> {
        Self::seeded(options, time, Jitter::seed())
    }

    /// A client whose random waits follow from `seed`.
    fn seeded(options: ClientOptions, time: Arc<dyn Time>, seed: u64) -> Result<Self, NetError> {
        let base = Base::parse(&options.base_url, options.exposed())?;
        let wire = Wire::new(&options, &base, options.exposed())?;
        let pace = Pace::new(options.per_minute);
        if let Some(since) = options.since_last {
            pace.pause(&*time, pace.interval().saturating_sub(since));
        }
        let limits = Limits::new(&options.limits);
        let breaker = options.breaker.map(|(most, pause)| Breaker::new(most, pause));
        Ok(Self { options, base, wire, pace, limits, breaker, jitter: Jitter::new(seed), time })
    }

    /// Waits; `false` when it was stopped.
    pub fn rest(&self, wait: Duration, stop: &Stop) -> bool {
        self.time.sleep_until(self.time.now().saturating_add(wait), stop)
    }

    /// Asks for `target` (path and query, without the key). `usable` says whether a body of a 200
    /// is what was expected; `heard` is told of waits.
    pub fn get(
        &self,
        target: &str,
        usable: &Usable<'_>,
        stop: &Stop,
        heard: &dyn Fn(Duration),
    ) -> Answer {
        let mut target = target.to_owned();
        let mut attempts = Vec::new();
        let (mut failed, mut redirects) = (0, 0);
        let mut waited = Duration::ZERO;
        loop {
            let url = match self.base.url(&target) {
                Ok(url) if said::holds_key(url.as_str().as_bytes(), self.options.exposed()) => {
                    let text = "the request holds the key, which is added when it is sent";
                    return self.refused(text, attempts);
                }
                Ok(url) => url,
                Err(text) => return self.refused(&text, attempts),
            };
            // From the outside in: retry, breaker, limits, call. Each attempt is a request for the
            // service: retries, redirects and pages as well.
            if let Some(refusal) = self.refuses(stop, heard) {
                return refusal.into_answer(attempts);
            }
            let turn = self.judge(self.wire.ask(&url, stop), &target, usable);
            self.tell(match turn.ended {
                Ended::Network | Ended::ServerError | Ended::RateLimited => Outcome::Failed,
                Ended::Stopped => Outcome::Dropped,
                _ => Outcome::Answered,
            });
            self.note(&target, &turn, waited, &mut attempts);
            let (least, initial) = match turn.next {
                Next::End => return turn.into_answer(attempts),
                Next::Follow(_) if redirects == MOST_REDIRECTS => {
                    let text = format!("the service redirected more than {MOST_REDIRECTS} times");
                    return Turn { text, ..turn }.into_answer(attempts);
                }
                Next::Follow(to) => {
                    redirects += 1;
                    target = to;
                    waited = Duration::ZERO;
                    continue;
                }
                Next::Again { least, initial } => (least, initial),
            };
            failed += 1;
            let wait = self.jitter.wait(failed, initial, &self.options.waits).max(least);
            if turn.ended == Ended::RateLimited {
                // For everyone, also when this request gives up: the service counts them all.
                self.pace.pause(&*self.time, wait);
            }
            if failed >= self.options.attempts {
                return turn.into_answer(attempts);
            }
            heard(wait);
            if !self.time.sleep_until(self.time.now().saturating_add(wait), stop) {
                return stopped(attempts);
            }
            waited = wait;
        }
    }

    /// Why an attempt is not made, if it is not: the breaker or a limit, after what waits they ask.
    fn refuses(&self, stop: &Stop, heard: &dyn Fn(Duration)) -> Option<Turn> {
        if let Some(Err(left)) = self.breaker.as_ref().map(|breaker| breaker.admit(&*self.time)) {
            let text = match left.as_secs_f64().ceil() {
                0.0 => "the service failed too often, and another request tries it now".to_owned(),
                seconds => {
                    format!("the service failed too often; it is left alone for {seconds} s")
                }
            };
            let shut_for = Some(left);
            return Some(Turn { shut_for, ..Turn::new(Ended::Refused, text) });
        }
        let refusal = match self.limits.wait(&*self.time, PATIENCE, stop, heard) {
            Ok(()) if self.pace.take(&*self.time, stop, heard) => return None,
            Ok(()) | Err(Refused::Stopped) => Turn::new(Ended::Stopped, "stopped".to_owned()),
            Err(Refused::Until(wait)) => {
                let text = "the limit is used up for now".to_owned();
                Turn { shut_for: Some(wait), ..Turn::new(Ended::RateLimited, text) }
            }
            Err(Refused::Never) => {
                let text = "the limits allow no request".to_owned();
                Turn { shut_for: Some(Duration::MAX), ..Turn::new(Ended::RateLimited, text) }
            }
        };
        self.tell(Outcome::Dropped);
        Some(refusal)
    }

    /// Tells the breaker how an attempt ended.
    fn tell(&self, outcome: Outcome) {
        if let Some(breaker) = &self.breaker {
            breaker.ended(&*self.time, outcome);
        }
    }

    /// The path and query of an absolute `next_url`, to be asked of the configured base. A path
    /// alone is taken as it is; an `apiKey` parameter is left out.
    ///
    /// # Errors
    /// The host that it names, when that is neither the base's nor the vendor's own
    /// (`api.massive.com`, `api.polygon.io`).
    pub fn target_of(&self, next_url: &str) -> Result<String, String> {
        self.base.target_of(next_url).map_err(|text| self.clean(&text))
    }

    fn clean(&self, text: &str) -> String {
        said::clean(text, self.options.exposed())
    }

    /// Writes an attempt down, and a line of diagnostics.
    fn note(&self, target: &str, turn: &Turn, waited: Duration, attempts: &mut Vec<Attempt>) {
        let why = (turn.ended != Ended::Ok).then(|| turn.text.clone());
        tracing::debug!(
            path = %self.clean(target),
            attempt = attempts.len() + 1,
            status = turn.status,
            waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            bytes = turn.body.len(),
            ended = ?turn.ended,
            why,
            "asked"
        );
        attempts.push(Attempt { status: turn.status, waited, why });
    }

    /// A request that is not sent.
    fn refused(&self, text: &str, attempts: Vec<Attempt>) -> Answer {
        Turn::new(Ended::Rejected, self.clean(text)).into_answer(attempts)
    }
}

fn stopped(attempts: Vec<Attempt>) -> Answer {
    Turn::new(Ended::Stopped, "stopped".to_owned()).into_answer(attempts)
}
