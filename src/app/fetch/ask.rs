//! Asking: threads over one client; every page is handed on as it arrives.

mod health;

use self::health::Health;
use super::Question;
use super::cache::{self, Cache, Kept};
use super::endpoint::strays;
use super::note::Note;
use crate::app::Clock;
use crate::app::error::Result;
use crate::app::report::Counters;
use crate::domain::Position;
use crate::ledger::Inbox;
use crate::ledger::hash::content;
use crate::net::{Answer, Client, Ended, Stop};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Most pages of one answer.
const MAX_PAGES: u32 = 1000;

/// Most bytes of all pages of one answer together: settling holds its events in memory.
pub(super) const MAX_ANSWER: u64 = 128 << 20;

/// How often a page may come a second time before the service is taken to go in circles.
const REPEATS: u32 = 3;

/// Questions that fail one after the other, each after all its attempts, before the service is
/// taken to be away: the others are not asked then.
const GIVE_UP: u32 = 8;

/// How often a request that used up its attempts is taken up again while the service answers others.
const ROUNDS: u32 = 2;

/// How often a question waits until a service that failed too often may be tried again.
const RESTS: u32 = 1;

/// How often progress is told while waiting.
const TICK: Duration = Duration::from_millis(250);

/// How to ask.
pub struct AskOptions<'a> {
    /// Asks.
    pub client: &'a Client,
    /// Requests under way at a time.
    pub jobs: usize,
    /// Ends the work.
    pub stop: &'a Stop,
    /// What time it is.
    pub clock: Clock,
    /// The run's id, recorded with each answer.
    pub correlation: &'a str,
    /// The ledger's position at which the questions were planned.
    pub position: Position,
    /// The cache of live pages.
    pub cache: &'a Mutex<Cache<Kept>>,
    /// Whether the cache is passed over.
    pub refresh: bool,
    /// Hears how many questions are answered, and how long the next request has to wait.
    pub done: &'a dyn Fn(u64, Duration),
}

/// How asking went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests answered in any way, retries included.
    pub requests: u64,
    /// Why it ended early: the key was refused.
    pub refused: Option<String>,
    /// Why it ended early: nothing but failures came.
    pub gave_up: Option<String>,
    /// Why it ended early: no further request had a chance.
    pub shut: Option<String>,
    /// Questions that have no answer of any kind.
    pub left: u64,
    /// Those of them that were asked all the same, and were tried again when it ended.
    pub tried: u64,
    /// What became of the look-ups in the cache.
    pub cache: Counters,
    /// Whether it was stopped.
    pub stopped: bool,
}

/// What a worker hands on.
struct Arrived {
    note: Note,
    body: Vec<u8>,
    /// Whether no other request has a chance now.
    shut: bool,
}

/// What came so far.
#[derive(Default)]
struct Tally {
    asked: Asked,
    /// Questions that are over.
    done: u64,
    /// Failures in a row.
    failed: u32,
}

impl Tally {
    /// Counts what a worker handed on, and stops the run where no further request can succeed. Gives
    /// what is to be recorded.
    fn count(&mut self, arrived: Arrived, stop: &Stop) -> Option<(Note, Vec<u8>)> {
        let Arrived { note, body, shut } = arrived;
        self.asked.requests += u64::from(note.attempts);
        if note.ended == name(Ended::AuthFailed) {
            stop.set();
            self.asked.refused = Some(note.text);
            return None;
        }
        if shut && !stop.is_set() {
            stop.set();
            self.asked.shut = Some(note.text.clone());
        }
        if shut && note.attempts == 0 {
            // Nothing was asked, so there is nothing to record.
            return None;
        }
        if note.ended == name(Ended::Stopped) {
            self.asked.tried += 1;
            // The service may have heard it, and may count it.
            let question = note.question();
            let counts = question.is_some_and(|of| of.endpoint.provider().counts_days());
            return counts.then_some((note, body));
        }
        self.done += u64::from(note.last);
        let lost =
            matches!(note.ended.as_str(), "network" | "server-error" | "rate-limited" | "refused");
        self.failed = if lost { self.failed + 1 } else { 0 };
        if self.failed >= GIVE_UP && !stop.is_set() {
            stop.set();
            self.asked.gave_up = Some(note.text.clone());
        }
        Some((note, body))
    }
}

/// Asks the questions; whatever arrives goes into the inbox, and is durable before the next wait.
///
/// # Errors
/// An inbox that cannot be written; what arrived before is in it.
pub fn ask(questions: &[Question], inbox: &mut Inbox, how: &AskOptions<'_>) -> Result<Asked> {
    let run = format!("{}-{}", how.clock.now_ms(), inbox.arrivals().len());
    let (next, health) = (AtomicUsize::new(0), Health::default());
    let mut tally = Tally::default();
    let (client, stop, clock, position) = (how.client, how.stop, how.clock, how.position);
    let correlation = how.correlation;
    let (cache, refresh) = (how.cache, how.refresh);
    // When the next request may go, in ms since `begun`: told by whichever thread waits.
    let (begun, until) = (Instant::now(), AtomicU64::new(0));
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let waits = |wait: Duration| {
        let until = &until;
        until.store(millis(begun.elapsed() + wait), Ordering::SeqCst);
    };
    let left = || {
        let until = Duration::from_millis(until.load(Ordering::SeqCst));
        until.saturating_sub(begun.elapsed())
    };
    std::thread::scope(|scope| {
        // Few bodies wait at a time, so memory does not grow with the number of questions.
        let (send, receive) = sync_channel::<Arrived>(how.jobs.max(1));
        for _ in 0..how.jobs.max(1).min(questions.len()) {
            let (send, run, next, waits) = (send.clone(), run.as_str(), &next, &waits);
            let health = &health;
            scope.spawn(move || {
                while !stop.is_set() && !health.shut.load(Ordering::SeqCst) {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(question) = questions.get(number) else { break };
                    let send = &send;
                    let worker = Worker {
                        client,
                        correlation,
                        stop,
                        clock,
                        waits,
                        health,
                        cache,
                        refresh,
                        send,
                    };
                    let mut note = Note::of(run, number as u32, question);
                    note.position = position.0;
                    worker.question(question, note);
                }
            });
        }
        drop(send);
        loop {
            let first = match receive.recv_timeout(TICK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    (how.done)(tally.done, left());
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // What came meanwhile is made durable with it.
            let mut arrived = vec![first];
            arrived.extend(std::iter::from_fn(|| receive.try_recv().ok()).take(how.jobs));
            for one in arrived {
                let Some((note, body)) = tally.count(one, stop) else { continue };
                let text = serde_json::to_string(&note).unwrap_or_default();
                if let Err(error) = inbox.add(&text, &body) {
                    stop.set();
                    return Err(error.into());
                }
            }
            if let Err(error) = inbox.sync() {
                stop.set();
                return Err(error.into());
            }
            (how.done)(tally.done, left());
        }
        let Tally { mut asked, done, .. } = tally;
        let told = asked.refused.is_some() || asked.gave_up.is_some() || asked.shut.is_some();
        asked.stopped = stop.is_set() && !told;
        asked.left = (questions.len() as u64).saturating_sub(done);
        asked.cache = counters(cache);
        Ok(asked)
    })
}

/// The word for how a request ended, in notes and JSON.
pub fn name(ended: Ended) -> &'static str {
    match ended {
        Ended::Ok => "ok",
        Ended::BadPayload => "bad-payload",
        Ended::AuthFailed => "auth-failed",
        Ended::NotEntitled => "not-entitled",
        Ended::NotFound => "not-found",
        Ended::Rejected => "rejected",
        Ended::RateLimited => "rate-limited",
        Ended::ServerError => "server-error",
        Ended::Network => "network",
        Ended::TooLarge => "too-large",
        Ended::Redirected => "redirected",
        Ended::Refused => "refused",
        Ended::Stopped => "stopped",
    }
}

fn locked(cache: &Mutex<Cache<Kept>>) -> MutexGuard<'_, Cache<Kept>> {
    cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn counters(cache: &Mutex<Cache<Kept>>) -> Counters {
    locked(cache).counters()
}

/// What a recorded answer says of the run that asked, among the headers of the service.
pub(super) const CORRELATION: &str = "x-volledger-run";

struct Worker<'a> {
    client: &'a Client,
    correlation: &'a str,
    stop: &'a Stop,
    clock: Clock,
    waits: &'a (dyn Fn(Duration) + Sync),
    health: &'a Health,
    cache: &'a Mutex<Cache<Kept>>,
    refresh: bool,
    send: &'a SyncSender<Arrived>,
}

impl Worker<'_> {
    /// Asks one question to its end, page by page.
    fn question(&self, question: &Question, mut note: Note) {
        let mut asked: Vec<String> = Vec::new();
        let (mut before, mut repeats) = (None, 0);
        // Items and bytes of the pages so far.
        let (mut items_so_far, mut bytes) = (0, 0);
        // Pages that an earlier one named, and that were not asked yet.
        let mut ahead: VecDeque<String> = VecDeque::new();
        loop {
            let answer = self.page(question, &mut note);
            if answer.ended == Ended::Stopped {
                // Nothing came, but it was asked.
                if note.attempts > 0 {
                    note.last = true;
                    self.hand_on(note, Vec::new());
                }
                return;
            }
            let heard = question.endpoint.hear(question, &note.target, &answer.body);
            let (Ended::Ok, Ok(heard)) = (answer.ended, heard) else {
                note.last = true;
                let (body, shut) = (answer.body, answer.shut_for.is_some());
                if shut || answer.ended == Ended::AuthFailed {
                    self.health.shut.store(true, Ordering::SeqCst);
                }
                let _ = self.send.send(Arrived { note, body, shut });
                return;
            };
            ahead.extend(heard.ahead);
            let items = items_of(&answer.body);
            // A page with the items of the page before came twice: it is left out.
            let repeated = heard.items > 0 && before.is_some() && before == items;
            let next = heard.next_url.as_deref().map(|url| self.client.target_of(url));
            let next = match next {
                None => ahead.pop_front(),
                Some(Ok(target)) => Some(target),
                Some(Err(why)) => return self.give_up(note, answer.body, repeated, &why),
            };
            if repeated {
                repeats += 1;
            } else {
                repeats = 0;
                before = items;
            }
            if !repeated {
                items_so_far += heard.items;
                bytes += answer.body.len() as u64;
            }
            let circles = next.as_ref().is_some_and(|next| !repeated && asked.contains(next));
            let missing = heard.promised.filter(|promised| *promised > items_so_far);
            let why = if bytes > MAX_ANSWER {
                let most = MAX_ANSWER >> 20;
                Some(format!("the pages of the answer have more than {most} MiB together"))
            } else if circles || repeats >= REPEATS {
                Some("the service's next page leads back to one that was read".to_owned())
            } else if note.page + 1 >= MAX_PAGES {
                Some(format!("more than {MAX_PAGES} pages"))
            } else if next.as_deref().is_some_and(|next| strays(question, next)) {
                Some("the service's next page is of another symbol".to_owned())
            } else {
                missing.filter(|_| next.is_none()).map(|promised| {
                    format!("the service says {promised} results and gave {items_so_far}")
                })
            };
            if let Some(why) = why {
                return self.give_up(note, answer.body, repeated, &why);
            }
            let Some(next) = next else {
                note.last = true;
                let body = if repeated { Vec::new() } else { answer.body };
                if repeated {
                    note.ended = "repeated".into();
                }
                self.hand_on(note, body);
                return;
            };
            asked.push(std::mem::replace(&mut note.target, next.clone()));
            if !repeated {
                let mut this = note.clone();
                this.target = asked.last().cloned().unwrap_or_default();
                self.hand_on(this, answer.body);
                note.page += 1;
            }
        }
    }

    /// One page: what was recorded a moment ago, else what the service answers.
    fn page(&self, question: &Question, note: &mut Note) -> Answer {
        let live = cache::live(question, &note.target);
        if let (Some((key, lifetime)), false) = (&live, self.refresh) {
            let found = locked(self.cache).get(key, *lifetime, self.clock.now_ms());
            if let Some((_, written, kept)) = found {
                return recalled(note, written, &kept);
            }
        }
        let answer = self.asked(question, note);
        self.describe(note, &answer);
        if let (Some((key, _)), Ended::Ok) = (live, answer.ended) {
            let (headers, body) = (note.headers.clone(), answer.body.as_slice().into());
            let kept = Kept { status: note.status, headers, body };
            locked(self.cache).set(&key, kept, note.observed_ms);
        }
        answer
    }

    /// Asks for a page, again where that is worth it.
    fn asked(&self, question: &Question, note: &Note) -> Answer {
        let usable = |body: &[u8]| question.endpoint.hear(question, &note.target, body).map(drop);
        let get = || self.client.get(&note.target, &usable, self.stop, &self.waits);
        let mut answer = get();
        let (mut rounds, mut rests) = (0, 0);
        loop {
            match (answer.ended, answer.shut_for) {
                // The breaker is open: its end is waited for once.
                (Ended::Refused, Some(left)) if left.is_zero() || rests < RESTS => {
                    rests += u32::from(!left.is_zero());
                    (self.waits)(left);
                    if !self.client.rest(left.max(TICK), self.stop) {
                        break;
                    }
                }
                (_, None) if rounds < ROUNDS && self.health.hopeful(&answer) => rounds += 1,
                _ => break,
            }
            self.health.failed(&answer);
            let before = answer.attempts;
            answer = get();
            answer.attempts.splice(..0, before);
        }
        match answer.ended {
            Ended::Ok => self.health.answered(),
            _ => self.health.failed(&answer),
        }
        if answer.ended == Ended::Refused {
            // Why it failed is what somebody wants to know, not only that it was given up.
            let own = answer.attempts.iter().rev().find_map(|attempt| attempt.why.clone());
            if let Some(cause) = own.or_else(|| self.health.cause()) {
                answer.text = format!("{cause}; {}", answer.text);
            }
        }
        answer
    }

    fn describe(&self, note: &mut Note, answer: &Answer) {
        note.status = answer.status.unwrap_or(0);
        note.attempts = answer.attempts.len() as u32;
        note.headers = answer.headers.clone();
        note.headers.push((CORRELATION.to_owned(), self.correlation.to_owned()));
        note.observed_ms = self.clock.now_ms();
        let date = answer.headers.iter().find(|(name, _)| name == "date");
        note.server_ms = date.and_then(|(_, text)| http_date(text));
        note.ended = name(answer.ended).to_owned();
        note.text = answer.text.clone();
    }

    /// Ends a question whose pages cannot be followed: what it gave is kept, and it counts as
    /// failed.
    fn give_up(&self, mut note: Note, body: Vec<u8>, repeated: bool, why: &str) {
        note.last = true;
        note.ended = if repeated { "repeated-incomplete" } else { "incomplete" }.to_owned();
        note.text = why.to_owned();
        self.hand_on(note, if repeated { Vec::new() } else { body });
    }

    fn hand_on(&self, note: Note, body: Vec<u8>) {
        // The receiver is gone only when the inbox failed; then everything stops.
        let _ = self.send.send(Arrived { note, body, shut: false });
    }
}

/// A page as it was recorded: with the time and the headers of then, and without an attempt.
fn recalled(note: &mut Note, written: i64, kept: &Kept) -> Answer {
    note.status = kept.status;
    note.attempts = 0;
    note.headers = kept.headers.clone();
    note.observed_ms = written;
    let date = kept.headers.iter().find(|(name, _)| name == "date");
    note.server_ms = date.and_then(|(_, text)| http_date(text));
    note.ended = name(Ended::Ok).to_owned();
    note.text = String::new();
    Answer {
        ended: Ended::Ok,
        status: Some(kept.status),
        body: kept.body.to_vec(),
        headers: kept.headers.clone(),
        attempts: Vec::new(),
        text: String::new(),
        shut_for: None,
    }
}

/// An instant of an HTTP header, ms since 1970 UTC.
fn http_date(text: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc2822(text).ok().map(|at| at.timestamp_millis())
}

/// The digest of a body's items, without the envelope that differs at each call.
fn items_of(body: &[u8]) -> Option<crate::domain::Digest> {
    #[derive(Deserialize)]
    struct Items<'a> {
        #[serde(borrow)]
        results: Option<&'a RawValue>,
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let items: Items<'_> = serde_json::from_slice(body).ok()?;
    items.results.map(|results| content(results.get().as_bytes()))
}
