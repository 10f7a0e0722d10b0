//! The HTTP client: the only file that names `reqwest`.

use super::pace::Pace;
use super::time::{Stop, Time};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// How a client asks.
pub struct ClientOptions {
    /// Scheme, host and port, such as `https://api.massive.com`.
    pub base_url: String,
    /// The key, sent in the `Authorization` header only.
    pub key: Option<SecretString>,
    /// Requests a minute; 0 is no limit.
    pub per_minute: u32,
    /// Most attempts per request.
    pub attempts: u32,
    /// Longest wait between two attempts.
    pub max_wait: Duration,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time for a whole request.
    pub timeout: Duration,
    /// Largest body, after decompression, in bytes.
    pub max_body: u64,
}

/// How a request ended, after all attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// 200, and the body is what the caller's check accepts.
    Ok,
    /// 200, and the body was not usable, twice.
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
    /// The last body; empty when none came.
    pub body: Vec<u8>,
    /// Chosen headers of the last answer (`content-type`, `x-request-id`, `date`), lower case.
    pub headers: Vec<(String, String)>,
    /// Every attempt.
    pub attempts: Vec<Attempt>,
    /// What the service said, or what went wrong, for a person.
    pub text: String,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The base URL is not one.
    #[error("`{0}` is not a base URL such as https://api.massive.com")]
    BaseUrl(String),
    /// The key has characters that a header cannot carry.
    #[error("the key has characters that an HTTP header cannot carry")]
    Key,
    /// The TLS library could not be set up.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

/// Asks one service. Shared by all threads of a run.
pub struct Client {
    options: ClientOptions,
    pace: Pace,
    time: Arc<dyn Time>,
}

impl Client {
    /// A client for `options.base_url`.
    ///
    /// # Errors
    /// [`NetError`].
    pub fn new(options: ClientOptions, time: Arc<dyn Time>) -> Result<Self, NetError> {
        let pace = Pace::new(options.per_minute);
        Ok(Self { options, pace, time })
    }

    /// The pace of all requests.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Asks for `target` (path and query, without the key). `usable` says whether a body of a 200
    /// is what was expected; `heard` is told of waits.
    pub fn get(
        &self,
        target: &str,
        usable: &dyn Fn(&[u8]) -> Result<(), String>,
        stop: &Stop,
        heard: &dyn Fn(Duration),
    ) -> Answer {
        let _ = (target, usable, stop, heard, &self.options, &self.time);
        Answer {
            ended: Ended::Stopped,
            status: None,
            body: Vec::new(),
            headers: Vec::new(),
            attempts: Vec::new(),
            text: String::new(),
        }
    }

    /// The path and query of an absolute `next_url`, to be asked of the configured base.
    ///
    /// # Errors
    /// The host that it names, when that is neither the base's nor the vendor's own
    /// (`api.massive.com`, `api.polygon.io`).
    pub fn target_of(&self, next_url: &str) -> Result<String, String> {
        Err(next_url.to_owned())
    }
}
