//! Fetching: plan what is missing, ask for it, keep each answer as it arrives, stage a batch.
//!
//! ```text
//! plan      coverage of the ledger × what is wanted → the fewest questions
//! ask       threads over one client and pace; every answer goes into the inbox and is synced
//! settle    the inbox → row events, coverage facts, one sealed batch; the inbox is emptied
//! ```
//!
//! The ledger is held while planning and settling, not while asking, which may take hours. Killed
//! at any moment, the next run settles what the inbox has and asks only for the rest.

mod announced;
mod ask;
mod bodies;
mod cache;
mod coverage;
mod cut;
mod endpoint;
mod erased;
mod facts;
mod known;
mod meaning;
mod note;
mod past;
mod plan;
mod reading;
mod remarks;
mod service;
mod settle;
mod spent;
mod withheld;

pub use ask::{AskOptions, Asked, ask};
pub use cache::{Cache, CacheLimits, Counters, Kept, Recorded, recorded};
pub use coverage::{CoverageMap, Range, days_in, is_adjusted, only_of};
pub use cut::CutChains;
pub use endpoint::{Endpoint, Provider};
pub(super) use meaning::gave;
pub use note::{Note, waiting};
pub use plan::{Grouped, NotEntitled, Plan, What, Wish, plan, plan_beside};
pub use service::{Pace, Resilience, Service, ServiceOptions, Stop, open_inbox, reach};
pub use settle::{SettleOptions, Settled, settle};
pub use spent::spent;
pub use withheld::{Forgotten, forget, unless_taken_back};

use crate::domain::{Day, Series, Symbol};

/// One question to the service: answered by one or more pages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// The view that the answer is for.
    pub series: Series,
    /// The symbol asked about; `None` for all of them.
    pub symbol: Option<Symbol>,
    /// What tells it from other questions about the same series, for example `1minute`.
    pub scope: String,
    /// First day asked.
    pub from: Day,
    /// Last day asked.
    pub to: Day,
    /// Path and query, without the key.
    pub target: String,
}

/// How the answer to a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeLine {
    /// The question.
    pub question: Question,
    /// The facts about its days, in order.
    pub facts: Vec<(Day, Day, crate::domain::Fact)>,
    /// Items that became events.
    pub rows: u64,
    /// Whether the same was known already, so that nothing was added.
    pub unchanged: bool,
    /// How the last request ended.
    pub ended: String,
    /// What the service said, if anything.
    pub text: String,
    /// Whether it came in an earlier fetch, which was interrupted.
    pub earlier: bool,
    /// Whether the service refused days behind those that it gave before.
    pub lapsed: bool,
}
