//! What a fetch planned, asked and got.

use crate::app::fetch::{OutcomeLine, Plan};
use serde::Serialize;

/// A fetch: `volledger/fetch/1`, and the member `fetch` of its review.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FetchReport {
    /// `volledger/fetch/1`.
    pub schema: &'static str,
    /// What was planned.
    pub plan: FetchPlan,
    /// Requests that were answered in any way, retries included.
    pub requests: u64,
    /// Pages of an earlier fetch that had not arrived whole and were dropped.
    pub dropped: u64,
    /// How each question was answered, per range of days.
    pub outcomes: Vec<FetchLine>,
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
    /// The requests, when they are only planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl FetchPlan {
    /// What a plan costs at a pace.
    pub fn of(plan: &Plan, kept: usize, per_minute: u32, targets: bool) -> Self {
        let questions = plan.questions.len() as u64;
        let seconds = match per_minute {
            0 => 0.0,
            n => questions.saturating_sub(1) as f64 * 60.0 / f64::from(n),
        };
        let asked = plan.questions.iter().filter(|_| targets);
        Self {
            questions,
            kept: kept as u64,
            requests_per_minute: per_minute,
            seconds,
            covered: plan.covered.len() as u64,
            targets: asked.map(|question| question.target.clone()).collect(),
        }
    }
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

impl FetchLine {
    /// The lines of an answered question.
    pub fn of(outcome: &OutcomeLine) -> Vec<Self> {
        let question = &outcome.question;
        let line = |(from, to, fact): &(crate::domain::Day, _, crate::domain::Fact)| Self {
            series: question.series.name(),
            symbol: question.symbol.as_ref().map(ToString::to_string),
            scope: question.scope.clone(),
            from: from.to_string(),
            to: crate::domain::Day::to_string(to),
            fact: fact.name(),
            rows: outcome.rows,
            unchanged: outcome.unchanged,
            ended: outcome.ended.clone(),
            text: outcome.text.clone(),
        };
        outcome.facts.iter().map(line).collect()
    }
}
