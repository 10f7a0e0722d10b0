//! What a fetch planned, asked and got.

use serde::Serialize;
use std::collections::BTreeSet;

/// A fetch: `volledger/fetch/1`, and the member `fetch` of its review.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "schema", rename = "volledger/fetch/1")]
pub struct FetchReport {
    /// The service: `polygon`, `alpha-vantage`, `tradier`.
    pub source: &'static str,
    /// What was planned.
    pub plan: FetchPlan,
    /// Requests that were answered in any way, retries included.
    pub requests: u64,
    /// Questions that were planned and have no answer of any kind.
    pub left: u64,
    /// Pages of this moment that were known already; absent when none was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<FetchCache>,
    /// Pages of an earlier fetch that had not arrived whole and were dropped.
    pub dropped: u64,
    /// How each question was answered, per range of days.
    pub outcomes: Vec<FetchLine>,
    /// Batches of the view from earlier fetches that nobody decided about: their days are not asked
    /// again, and no view has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// What became of the look-ups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Found in the process's memory.
    pub hits_l1: u64,
    /// Found in the ledger.
    pub hits_l2: u64,
    /// Found in neither.
    pub misses: u64,
    /// Put out of the first tier by newer keys.
    pub evictions: u64,
    /// Found too old, in either tier.
    pub expired: u64,
}

impl Counters {
    /// Look-ups in all.
    pub fn lookups(&self) -> u64 {
        self.hits_l1 + self.hits_l2 + self.misses
    }

    /// Share of the look-ups that found something; `None` without any.
    pub fn hit_rate(&self) -> Option<f64> {
        let hits = (self.hits_l1 + self.hits_l2) as f64;
        (self.lookups() > 0).then(|| hits / self.lookups() as f64)
    }
}

/// What became of looking up pages before they were asked for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FetchCache {
    /// How often, where it was found, and what was put out.
    #[serde(flatten)]
    pub counters: Counters,
    /// Share that was found, from 0 to 1.
    pub hit_rate: f64,
}

impl FetchCache {
    /// The counters with their rate; `None` where nothing was looked up.
    pub fn of(counters: &Counters) -> Option<Self> {
        Some(Self { counters: *counters, hit_rate: counters.hit_rate()? })
    }
}

/// What a service allows in a day.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FetchDay {
    /// Requests of a day.
    pub requests: u32,
    /// Requests of the last 24 hours.
    pub spent: u32,
}

/// Questions about all stocks of a day that stand for single ones.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FetchGrouped {
    /// How many.
    pub questions: u64,
    /// The stocks of which their answers are taken; of no other.
    pub symbols: u64,
}

/// The plan of a fetch.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FetchPlan {
    /// Questions; each takes one request or more.
    pub questions: u64,
    /// Questions that an interrupted fetch had answered already.
    pub kept: u64,
    /// Requests a minute; 0 is no limit.
    pub requests_per_minute: u32,
    /// Seconds that the questions take at this pace, at least.
    pub seconds: f64,
    /// Symbols of which nothing is missing.
    pub covered: u64,
    /// What is not known and not asked again, since the service's plan does not include it.
    pub not_entitled: Vec<FetchRefused>,
    /// Questions about all stocks of a day; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouped: Option<FetchGrouped>,
    /// What the service allows in a day; absent where it has no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<FetchDay>,
    /// The requests, when they are only planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl FetchPlan {
    /// Of how many symbols not all is in the service's plan.
    pub fn refused_symbols(&self) -> u64 {
        let symbols: BTreeSet<_> = self.not_entitled.iter().map(|one| &one.symbol).collect();
        symbols.len() as u64
    }

    /// Adds what the service allows in a day and what of it is spent; 0 `requests` is no limit.
    #[must_use]
    pub fn of_a_day(mut self, requests: u32, spent: u32) -> Self {
        self.day = (requests > 0).then_some(FetchDay { requests, spent });
        self
    }
}

/// Days that the service's plan did not include when it was asked.
#[derive(Clone, Debug, Serialize)]
pub struct FetchRefused {
    /// The symbol; null for all of them.
    pub symbol: Option<String>,
    /// What tells the question from others of the view.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// What the service said.
    pub text: String,
}

/// The answer to one question, about one range of its days.
#[derive(Clone, Debug, Serialize)]
pub struct FetchLine {
    /// The view.
    pub series: &'static str,
    /// The symbol; null for all of them.
    pub symbol: Option<String>,
    /// What tells the question from others of the view.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// data, empty, not-entitled, failed.
    pub fact: &'static str,
    /// Items of the whole answer that became events.
    pub rows: u64,
    /// Whether the same was known, so that nothing was added.
    pub unchanged: bool,
    /// How the last request ended.
    pub ended: String,
    /// What the service said, or why it failed.
    pub text: String,
}
