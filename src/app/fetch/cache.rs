//! Two tiers before a live question: what this process heard a moment ago, and what the ledger
//! recorded a little earlier (`iv_crush.md` A15).
//!
//! The ledger is the second tier: an answer is recorded anyway, with the time at which it came. Only
//! what is asked of this very moment has a lifetime; what is of a day is covered or it is not.

use super::endpoint::Provider;
use super::{Note, Question};
use crate::app::error::Result;
use crate::app::report::Counters;
use crate::domain::{BatchState, eastern};
use crate::ledger::{Inbox, Ledger};
use crate::sources::tradier;
use std::collections::HashMap;
use std::sync::Arc;

/// Lifetimes and room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheLimits {
    /// Longest time in the first tier, in ms.
    pub first_ms: i64,
    /// Longest time in the second, in ms.
    pub second_ms: i64,
    /// Most keys in the first.
    pub most: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { first_ms: 30_000, second_ms: 300_000, most: 1000 }
    }
}

/// Which tier answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The process's memory.
    First,
    /// What is recorded.
    Second,
}

/// The second tier, which outlives the process: values with the time at which they were written.
pub type Recorded<V> = HashMap<String, (i64, V)>;

struct Entry<V> {
    key: String,
    /// When it was written first, and until when it is served from here, ms since 1970 UTC.
    written: i64,
    until: i64,
    value: V,
}

/// Both tiers.
pub struct Cache<V> {
    limits: CacheLimits,
    /// Least recently used first.
    first: Vec<Entry<V>>,
    second: Recorded<V>,
    counters: Counters,
}

impl<V: Clone> Cache<V> {
    /// An empty first tier over what is recorded.
    pub fn new(limits: CacheLimits, second: Recorded<V>) -> Self {
        Self { limits, first: Vec::new(), second, counters: Counters::default() }
    }

    /// The value of a key that is younger than `lifetime` (ms) and than its tier allows, with the
    /// time at which it was written. One of the second tier moves up, and keeps that time.
    pub fn get(&mut self, key: &str, lifetime: i64, now: i64) -> Option<(Tier, i64, V)> {
        let alive = |written: i64, until: i64| {
            // What was written in the future was written by another clock.
            written <= now && now < until && now < written.saturating_add(lifetime)
        };
        if let Some(at) = self.first.iter().position(|entry| entry.key == key) {
            let entry = self.first.remove(at);
            if alive(entry.written, entry.until) {
                let found = (Tier::First, entry.written, entry.value.clone());
                self.first.push(entry);
                self.counters.hits_l1 += 1;
                return Some(found);
            }
            self.counters.expired += 1;
        }
        let Some((written, value)) = self.second.get(key).cloned() else {
            self.counters.misses += 1;
            return None;
        };
        if !alive(written, written.saturating_add(self.limits.second_ms)) {
            self.second.remove(key);
            self.counters.expired += 1;
            self.counters.misses += 1;
            return None;
        }
        self.counters.hits_l2 += 1;
        self.enter(key, written, value.clone(), now);
        Some((Tier::Second, written, value))
    }

    /// Writes a value into both tiers.
    pub fn set(&mut self, key: &str, value: V, now: i64) {
        self.first.retain(|entry| entry.key != key);
        self.second.insert(key.to_owned(), (now, value.clone()));
        self.enter(key, now, value, now);
    }

    fn enter(&mut self, key: &str, written: i64, value: V, now: i64) {
        let end = written.saturating_add(self.limits.second_ms);
        let until = now.saturating_add(self.limits.first_ms).min(end);
        if self.first.len() >= self.limits.most.max(1) {
            self.first.remove(0);
            self.counters.evictions += 1;
        }
        self.first.push(Entry { key: key.to_owned(), written, until, value });
    }

    /// What became of the look-ups so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

/// A page as it was recorded.
#[derive(Clone, Debug)]
pub struct Kept {
    /// HTTP status.
    pub status: u16,
    /// Chosen headers; they name the run that asked.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Arc<[u8]>,
}

/// The key of a live page and its lifetime in ms; `None` for a page that is not live, or that has
/// coverage.
pub fn live(question: &Question, target: &str) -> Option<(String, i64)> {
    if question.endpoint.provider() != Provider::Tradier {
        return None;
    }
    let symbol = question.symbol.as_ref()?.as_str().to_ascii_uppercase();
    Some(match tradier::Page::of(target)? {
        tradier::Page::Quote => (format!("v1:stock_price:{symbol}"), 30_000),
        tradier::Page::Expirations => (format!("v1:expirations:{symbol}"), i64::MAX),
        tradier::Page::Chain => {
            let after = target.split_once("expiration=").map_or("", |(_, after)| after);
            let expiry = after.split('&').next().unwrap_or_default();
            (format!("v1:option_chain:{symbol}:{expiry}"), 60_000)
        }
    })
}

/// The live answers that the ledger and its inbox recorded within the second tier's lifetime.
/// Bodies are checked against their digests as they are read; one that does not match is left out.
///
/// # Errors
/// A manifest that cannot be read.
pub fn recorded(
    ledger: &Ledger,
    inbox: &Inbox,
    limits: CacheLimits,
    now: i64,
) -> Result<Recorded<Kept>> {
    let mut found: Recorded<Kept> = HashMap::new();
    let young = |observed: i64| observed <= now && now - observed < limits.second_ms;
    let mut add = |key: String, observed: i64, kept: Kept| {
        if found.get(&key).is_none_or(|(known, _)| *known < observed) {
            found.insert(key, (observed, kept));
        }
    };
    // A batch of the day before yesterday has nothing so young; one that was taken back is asked again.
    let since = eastern::day_of(now).unwrap_or_default().0 - 2;
    for (_, batch) in ledger.batches().iter() {
        let of_it = Provider::of_mapping(&batch.stage.mapping.id) == Some(Provider::Tradier);
        let counts = matches!(batch.state(), BatchState::Staged | BatchState::Active);
        if !of_it || !counts || batch.stage.as_of.0 < since {
            continue;
        }
        for source in ledger.known_manifest(&batch.stage)?.sources {
            let Some(http) = source.http.filter(|http| http.status == 200) else { continue };
            let live = tradier::Page::of(&source.name).is_some() && young(source.observed_ms);
            let Some(symbol) = source.symbol.filter(|_| live) else { continue };
            let asked = Question {
                endpoint: super::Endpoint::TradierChain,
                series: source.series,
                symbol: Some(symbol),
                only: Vec::new(),
                scope: String::new(),
                from: batch.stage.as_of,
                to: batch.stage.as_of,
                target: source.name.clone(),
            };
            let body = ledger.source(&source.digest);
            if let (Ok(body), Some((key, _))) = (body, self::live(&asked, &source.name)) {
                let (status, headers) = (http.status, http.headers);
                add(key, source.observed_ms, Kept { status, headers, body: body.into() });
            }
        }
    }
    for arrival in inbox.arrivals() {
        let Ok(note) = serde_json::from_str::<Note>(&arrival.note) else { continue };
        let Some(question) = note.question().filter(|_| note.ended == "ok") else { continue };
        let Some((key, _)) = live(&question, &note.target).filter(|_| young(note.observed_ms))
        else {
            continue;
        };
        if let Ok(body) = inbox.body(arrival) {
            let (status, headers) = (note.status, note.headers);
            add(key, note.observed_ms, Kept { status, headers, body: body.into() });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
