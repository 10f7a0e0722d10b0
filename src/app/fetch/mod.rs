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
mod each;
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
mod rounds;
mod service;
mod settle;
mod spent;
mod told;
mod withheld;

pub use super::report::Counters;
pub use ask::{AskOptions, Asked, ask};
pub use cache::{Cache, CacheLimits, Kept, Recorded, recorded};
pub use coverage::{CoverageMap, Range, days_in, is_adjusted, only_of};
pub use cut::CutChains;
pub use endpoint::{Endpoint, Provider};
pub(super) use meaning::gave;
pub use note::{Note, waiting};
pub use plan::{Grouped, NotEntitled, Plan, What, Wish, plan, plan_beside};
pub use service::{
    Pace, Resilience, Service, ServiceOptions, Stop, inbox_to_plan, open_inbox, reach,
};
pub use settle::{SettleOptions, Settled, settle};
pub use spent::{Spent, spent};
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
    /// The symbols for which one about all of them is asked: of its answer only these are taken. None
    /// where all are.
    pub only: Vec<Symbol>,
    /// What tells it from other questions about the same series, for example `1minute`.
    pub scope: String,
    /// First day asked.
    pub from: Day,
    /// Last day asked.
    pub to: Day,
    /// Path and query, without the key.
    pub target: String,
}

impl Question {
    /// The symbols that it is about, as single questions would be; one that is none for all.
    pub(super) fn symbols(&self) -> Vec<Option<&Symbol>> {
        match self.only.is_empty() {
            true => vec![self.symbol.as_ref()],
            false => self.only.iter().map(Some).collect(),
        }
    }

    /// Whether its answer is one to another question, too: to the same, of no other symbols.
    pub(super) fn stands_for(&self, asked: &Self) -> bool {
        let all = self.only.is_empty() || (self.only == asked.only);
        let has = |symbol| self.only.contains(symbol);
        let same = Self { only: Vec::new(), ..self.clone() };
        same == Self { only: Vec::new(), ..asked.clone() }
            && (all || (!asked.only.is_empty() && asked.only.iter().all(has)))
    }

    /// Whether it is about all stocks of a day, whichever of them are taken.
    pub fn is_about_all_stocks(&self) -> bool {
        self.endpoint == crate::sources::polygon::Endpoint::Grouped.into()
    }

    /// How its answers are read, as a manifest says it: the endpoint, and which symbols are taken.
    pub(super) fn reader(&self) -> String {
        let names: Vec<&str> = self.only.iter().map(Symbol::as_str).collect();
        let space = if names.is_empty() { "" } else { " " };
        format!("{}{space}{}", self.endpoint.name(), names.join(","))
    }
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
