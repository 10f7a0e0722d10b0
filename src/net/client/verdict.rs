//! What an attempt means: how the request would end with it, and what is to be done next.

use super::wire::{Got, Reply};
use super::{Answer, Attempt, Client, Ended, Usable};
use crate::net::{backoff, said};
use std::time::Duration;

/// Longest wait that a service may ask for. Whoever says "come back tomorrow" gets no silent
/// program that sleeps until then, but an end that says so.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// How long a limit of a day may last.
const DAY: Duration = Duration::from_secs(86_400);

/// One attempt, judged.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) ended: Ended,
    pub(super) status: Option<u16>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) text: String,
    pub(super) next: Next,
    /// See [`Answer::shut_for`].
    pub(super) shut_for: Option<Duration>,
}

/// What to do after an attempt.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing more: the outcome stands.
    End,
    /// Ask for another target on the same host.
    Follow(String),
    /// Ask again after a wait of at least `least` and of about `initial`, doubled each time.
    Again { least: Duration, initial: Duration },
}

impl Turn {
    /// An end without an answer of the service.
    pub(super) fn new(ended: Ended, text: String) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { ended, status: None, headers, body, text, next: Next::End, shut_for: None }
    }

    pub(super) fn into_answer(self, attempts: Vec<Attempt>) -> Answer {
        let Self { ended, status, headers, body, text, shut_for, .. } = self;
        Answer { ended, status, body, headers, attempts, text, shut_for }
    }
}

impl Client {
    /// Judges what came for `target`.
    pub(super) fn judge(&self, got: Got, target: &str, usable: &Usable<'_>) -> Turn {
        let again = Next::Again { least: Duration::ZERO, initial: backoff::INITIAL };
        match got {
            Got::Stopped => Turn::new(Ended::Stopped, "stopped".to_owned()),
            Got::Nothing(text) => {
                Turn { next: again, ..Turn::new(Ended::Network, self.clean(&text)) }
            }
            Got::TooLarge(reply) => {
                let most = self.options.max_body;
                let text = format!("the answer is larger than the {most} bytes that are allowed");
                self.turn(reply, Ended::TooLarge, &text, Next::End).0
            }
            Got::Reply(reply) if reply.status == 200 => {
                let said = usable(&reply.body).err();
                let ended = said.as_ref().map_or(Ended::Ok, |said| said.ended);
                let for_today = said.as_ref().is_some_and(|said| said.for_today);
                let next = match ended {
                    Ended::BadPayload | Ended::RateLimited if !for_today => again,
                    _ => Next::End,
                };
                let text = said.map(|said| said.text).unwrap_or_default();
                let (turn, echoed) = self.turn(reply, ended, &text, next);
                let turn = Turn { shut_for: for_today.then_some(DAY), ..turn };
                // A refusal that names the key is still a refusal; its body is not kept.
                if !echoed || !matches!(ended, Ended::Ok | Ended::BadPayload) {
                    return turn;
                }
                let text = "the service echoed the key: its answer is not kept".to_owned();
                let body = Vec::new();
                Turn { ended: Ended::BadPayload, text, body, next: Next::End, ..turn }
            }
            Got::Reply(reply) => self.judge_status(reply, target),
        }
    }

    fn judge_status(&self, reply: Reply, target: &str) -> Turn {
        let said =
            said::said(reply.status, reply.header("content-type").unwrap_or_default(), &reply.body);
        if let (300..400, Some(location)) = (reply.status, reply.location.as_deref()) {
            let (text, next) = match self.base.follow(target, location) {
                Ok(to) => (format!("redirected to {to}"), Next::Follow(to)),
                Err(text) => (text, Next::End),
            };
            return self.turn(reply, Ended::Redirected, &text, next).0;
        }
        // The service says in JSON what its plan lacks and what it does not know. A page is of
        // something else on the way (a wrong base URL, a gateway) and says nothing about data.
        let spoken = serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok();
        let ended = match reply.status {
            401 => Ended::AuthFailed,
            403 | 404 if !spoken => Ended::Rejected,
            403 => Ended::NotEntitled,
            404 => Ended::NotFound,
            408 | 429 => Ended::RateLimited,
            500.. => Ended::ServerError,
            _ => Ended::Rejected,
        };
        let initial = match ended {
            // Token buckets keep a distance of their own.
            Ended::RateLimited if self.options.limits.is_empty() && self.options.per_minute > 0 => {
                self.pace.interval()
            }
            Ended::RateLimited => backoff::INITIAL,
            Ended::ServerError => backoff::INITIAL,
            _ => return self.turn(reply, ended, &said, Next::End).0,
        };
        let date = reply.header("date");
        let asked =
            reply.retry_after.as_deref().and_then(|value| backoff::retry_after(value, date));
        let least = asked.unwrap_or_default();
        if least > PATIENCE.max(self.options.waits.most) {
            let hours = least.as_secs().div_ceil(3600);
            let text = format!("{said} (it asks to wait {} s, about {hours} h)", least.as_secs());
            // What it says of this request holds for every other one.
            let (turn, _) = self.turn(reply, ended, &text, Next::End);
            return Turn { shut_for: Some(least), ..turn };
        }
        self.turn(reply, ended, &said, Next::Again { least, initial }).0
    }

    /// Puts a turn together, and says whether the service echoed the key. What it echoed is
    /// taken out: bodies and headers are kept as evidence, and evidence is shown around.
    fn turn(&self, reply: Reply, ended: Ended, text: &str, next: Next) -> (Turn, bool) {
        let key = self.options.exposed();
        let Reply { status, mut headers, mut body, .. } = reply;
        let mut echoed = said::holds_key(&body, key);
        if echoed {
            body = Vec::new();
        }
        for (_, value) in &mut headers {
            echoed |= said::holds_key(value.as_bytes(), key);
            *value = self.clean(value);
        }
        let (status, text) = (Some(status), self.clean(text));
        (Turn { ended, status, headers, body, text, next, shut_for: None }, echoed)
    }
}
