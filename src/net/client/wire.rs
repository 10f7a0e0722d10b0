//! One attempt: one GET, its headers, and its body up to a limit.

use super::base::Base;
use super::trouble::{Scene, Stage, no_answer, plain};
use super::{ClientOptions, KeyIn, NetError};
use crate::net::said;
use crate::net::time::Stop;
use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Headers that are kept with an answer.
const KEPT: [&str; 3] = ["content-type", "x-request-id", "date"];

/// How often a request that is under way looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Most that is read of a body that only explains a refusal.
const MOST_OF_A_REFUSAL: u64 = 1 << 20;

/// What one attempt brought.
pub(super) enum Got {
    /// Status, headers and a whole body.
    Reply(Reply),
    /// No answer, and why.
    Nothing(String),
    /// The body of a 200 is larger than allowed.
    TooLarge(Reply),
    /// The user stopped it.
    Stopped,
}

/// An answer of the service.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A kept header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.as_str())
    }
}

/// The way to the service.
#[derive(Clone)]
pub(super) struct Wire {
    http: Client,
    bearer: Option<HeaderValue>,
    parameter: Option<(&'static str, SecretString)>,
    accept: &'static str,
    host: String,
    connect_timeout: Duration,
    timeout: Duration,
    max_body: u64,
}

impl Wire {
    pub(super) fn new(options: &ClientOptions, base: &Base, key: &str) -> Result<Self, NetError> {
        let bearer = match (key, options.key_in) {
            ("", _) | (_, KeyIn::Query(_)) => None,
            (key, KeyIn::Header) => {
                let mut value =
                    HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| NetError::Key)?;
                // From here on no Debug prints it.
                value.set_sensitive(true);
                Some(value)
            }
        };
        let parameter = match options.key_in {
            KeyIn::Query(name) if !key.is_empty() => Some((name, SecretString::from(key))),
            _ => None,
        };
        let mut http = Client::builder()
            .user_agent(concat!("volledger/", env!("CARGO_PKG_VERSION")))
            // A proxy of the environment would see which data is asked for; none is used.
            .no_proxy()
            // reqwest would follow to any host, and past our pace.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout);
        if !base.is_secure() {
            // Loopback needs no certificates, and a machine without any can still be tested on.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            NetError::Setup(said::clean(&cause.unwrap_or_else(|| error.to_string()), key))
        })?;
        Ok(Self {
            http,
            bearer,
            parameter,
            // A service that answers tables as well says itself what comes.
            accept: if options.key_in == KeyIn::Header { "application/json" } else { "*/*" },
            host: base.host(),
            connect_timeout: options.connect_timeout,
            timeout: options.timeout,
            max_body: options.max_body,
        })
    }

    /// Asks once.
    ///
    /// The request runs on a thread of its own, so that the one that waits can be stopped at
    /// once and holds to the time limit whatever the service does. A thread that nobody waits
    /// for ends at its next piece of the body, at the latest at its own time limit.
    pub(super) fn ask(&self, url: &reqwest::Url, stop: &Stop) -> Got {
        let (send, receive) = sync_channel(1);
        let left = Arc::new(AtomicBool::new(false));
        let (wire, url, theirs) = (self.clone(), url.clone(), Arc::clone(&left));
        let started = Instant::now();
        let work = move || drop(send.send(wire.exchange(url, &theirs)));
        if let Err(error) = std::thread::Builder::new().name("http".to_owned()).spawn(work) {
            return Got::Nothing(format!("cannot start a thread: {error}"));
        }
        // A little more than the time limit: the thread itself knows better what happened.
        let most = self.timeout.saturating_add(LOOK * 4);
        loop {
            match receive.recv_timeout(LOOK) {
                Ok(got) => return got,
                Err(RecvTimeoutError::Disconnected) => {
                    return Got::Nothing("the request broke off".to_owned());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let late = started.elapsed() >= most;
            if stop.is_set() || late {
                left.store(true, Ordering::Relaxed);
                return if late { Got::Nothing(no_answer(self.timeout)) } else { Got::Stopped };
            }
        }
    }

    fn exchange(&self, mut url: reqwest::Url, left: &AtomicBool) -> Got {
        let started = Instant::now();
        if let Some((name, key)) = &self.parameter {
            // Here and nowhere before: whoever holds the address holds no key.
            url.query_pairs_mut().append_pair(name, key.expose_secret());
        }
        let mut request = self.http.get(url).header(ACCEPT, self.accept);
        if let Some(bearer) = &self.bearer {
            request = request.header(AUTHORIZATION, bearer.clone());
        }
        let mut response = match request.send() {
            Ok(response) => response,
            Err(error) => return Got::Nothing(self.plain(&error.without_url(), Stage::Asking)),
        };
        let mut reply = reply_of(&response);
        if reply.location.is_some() && (300..400).contains(&reply.status) {
            return Got::Reply(reply);
        }
        let whole = reply.status == 200;
        let most = if whole { self.max_body } else { self.max_body.min(MOST_OF_A_REFUSAL) };
        if whole && announced(response.headers()).is_some_and(|length| length > most) {
            return Got::TooLarge(reply);
        }
        match self.read(&mut response, &mut reply.body, most, left, started) {
            Ok(true) => Got::Reply(reply),
            Ok(false) if whole => {
                reply.body = Vec::new();
                Got::TooLarge(reply)
            }
            Err(why) if whole => Got::Nothing(why),
            // The status says enough: a 401 stays one when its page is too long or cut short.
            Ok(false) | Err(_) => Got::Reply(reply),
        }
    }

    /// Reads at most `most` bytes; `false` when there are more. The bytes are counted after
    /// decompression, so a small answer cannot unpack into a large one.
    fn read(
        &self,
        response: &mut Response,
        body: &mut Vec<u8>,
        most: u64,
        left: &AtomicBool,
        started: Instant,
    ) -> Result<bool, String> {
        let mut piece = vec![0; 64 * 1024];
        loop {
            if left.load(Ordering::Relaxed) || started.elapsed() >= self.timeout {
                return Err(no_answer(self.timeout));
            }
            let read = match response.read(&mut piece) {
                Ok(0) => return Ok(true),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.plain(&error, Stage::Body)),
            };
            let fits =
                usize::try_from(most.saturating_sub(body.len() as u64)).unwrap_or(usize::MAX);
            body.extend_from_slice(piece.get(..read.min(fits)).unwrap_or_default());
            if read > fits {
                return Ok(false);
            }
        }
    }

    fn plain(&self, error: &(dyn std::error::Error + 'static), stage: Stage) -> String {
        let scene = Scene {
            host: &self.host,
            stage,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
        };
        plain(error, &scene)
    }
}

/// Status and headers.
fn reply_of(response: &Response) -> Reply {
    let text = |name: &str| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Reply {
        status: response.status().as_u16(),
        headers: KEPT.iter().filter_map(|name| Some(((*name).to_owned(), text(name)?))).collect(),
        location: text("location"),
        retry_after: text("retry-after"),
        body: Vec::new(),
    }
}

/// How long the body will be, as far as it says so. (Of a compressed one this is less than what
/// it unpacks to, and reqwest hides it.)
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
