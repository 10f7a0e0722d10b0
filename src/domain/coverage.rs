//! Coverage: what is known about having asked a service, per series, symbol and range of days.

use super::{Day, Digest, Series, Symbol};

/// How a question about a range of days was answered. Not having asked is the absence of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The service gave data.
    Data,
    /// The service has nothing for these days.
    Empty,
    /// The plan does not include these days.
    NotEntitled,
    /// No usable answer came.
    Failed,
}

impl Fact {
    /// Every fact.
    pub const ALL: [Self; 4] = [Self::Data, Self::Empty, Self::NotEntitled, Self::Failed];

    /// The word used in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Empty => "empty",
            Self::NotEntitled => "not-entitled",
            Self::Failed => "failed",
        }
    }
}

/// One answered range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// What was asked for.
    pub series: Series,
    /// About which symbol; `None` is every symbol of the day (grouped bars, a calendar).
    pub symbol: Option<Symbol>,
    /// What tells the question from others about the same series, for example `1minute`.
    pub scope: String,
    /// First day asked.
    pub from: Day,
    /// Last day asked, itself included.
    pub to: Day,
    /// How it was answered.
    pub fact: Fact,
    /// Up to which day the answer is final: later days are provisional and asked again.
    pub settled: Day,
    /// When, ms since 1970 UTC.
    pub observed_ms: i64,
    /// Digest of what the answer means, without what differs at each call.
    pub meaning: Digest,
    /// What the service said, or why it failed; one sentence.
    pub text: String,
}
