//! A plan and its outcomes as a report tells them.

use super::{NotEntitled, OutcomeLine, Plan};
use crate::app::report::{FetchGrouped, FetchLine, FetchPlan, FetchRefused};
use crate::domain::{Day, Fact};
use std::collections::BTreeSet;

impl FetchGrouped {
    fn of(plan: &Plan) -> Option<Self> {
        let all = plan.questions.iter().filter(|question| !question.only.is_empty());
        let symbols: BTreeSet<_> = all.clone().flat_map(|question| &question.only).collect();
        let (questions, symbols) = (all.count() as u64, symbols.len() as u64);
        (questions > 0).then_some(Self { questions, symbols })
    }
}

impl FetchPlan {
    /// What a plan costs at a pace: requests a minute, and how many may go at once.
    pub fn of(plan: &Plan, kept: usize, (per_minute, at_once): (u32, u32), targets: bool) -> Self {
        let questions = plan.questions.len() as u64;
        let seconds = match per_minute {
            0 => 0.0,
            n => questions.saturating_sub(u64::from(at_once.max(1))) as f64 * 60.0 / f64::from(n),
        };
        let asked = plan.questions.iter().filter(|_| targets);
        Self {
            questions,
            kept: kept as u64,
            requests_per_minute: per_minute,
            seconds,
            covered: plan.covered.len() as u64,
            not_entitled: plan.not_entitled.iter().map(FetchRefused::of).collect(),
            grouped: FetchGrouped::of(plan),
            day: None,
            targets: asked.map(|question| question.target.clone()).collect(),
        }
    }
}

impl FetchRefused {
    fn of(refused: &NotEntitled) -> Self {
        Self {
            symbol: refused.symbol.as_ref().map(ToString::to_string),
            scope: refused.scope.clone(),
            from: refused.from.to_string(),
            to: refused.to.to_string(),
            text: refused.text.clone(),
        }
    }
}

impl FetchLine {
    /// The lines of an answered question.
    pub fn of(outcome: &OutcomeLine) -> Vec<Self> {
        let question = &outcome.question;
        let line = |(from, to, fact): &(Day, _, Fact)| Self {
            series: question.series.name(),
            symbol: question.symbol.as_ref().map(ToString::to_string),
            scope: question.scope.clone(),
            from: from.to_string(),
            to: Day::to_string(to),
            fact: fact.name(),
            rows: outcome.rows,
            unchanged: outcome.unchanged,
            ended: outcome.ended.clone(),
            text: outcome.text.clone(),
        };
        outcome.facts.iter().map(line).collect()
    }
}
