//! What an interrupted fetch was answered is not asked again, even if the question has other days
//! today: `--days` and `--years` count back from the last session.

use super::{Calendar, CoverageMap, Day, Plan, Question, Wish, plan, planned};
use crate::app::fetch::facts::final_until;
use crate::app::fetch::note::Answered;

/// Days about which a waiting answer is final.
pub(super) struct Kept<'a> {
    pub(super) question: &'a Question,
    days: (Day, Day),
}

impl Kept<'_> {
    /// Whether a day needs no question.
    pub(super) fn has(&self, day: Day) -> bool {
        (self.days.0..=self.days.1).contains(&day)
    }
}

/// Plans what the answers that wait in the inbox leave missing, and counts those that are of use.
pub fn plan_beside<'w>(
    wish: &Wish,
    coverage: &CoverageMap,
    calendar: &Calendar,
    waiting: &'w [Answered],
) -> (Plan, usize) {
    let first = plan(wish, coverage, calendar);
    let standing = || waiting.iter().filter(|kept| kept.stands(wish.now_ms));
    let is_standing = |asked: &Question| standing().any(|kept| kept.question == *asked);
    // Answers to other questions about the same subject: the days about which they are final.
    let other = |kept: &&Answered| {
        let question = &kept.question;
        let touches = |asked: &Question| {
            (asked.endpoint, asked.series, &asked.symbol, &asked.scope)
                == (question.endpoint, question.series, &question.symbol, &question.scope)
                && asked.from <= question.to
                && question.from <= asked.to
        };
        let lists = question.symbol.is_some() && !question.endpoint.is_of_now();
        lists && first.questions.iter().any(touches) && !first.questions.contains(question)
    };
    let known = |kept: &'w Answered| {
        let question = &kept.question;
        Kept { question, days: (question.from, question.to.min(final_until(kept, calendar))) }
    };
    let others: Vec<Kept<'_>> = standing().filter(other).map(known).collect();
    let mut left = match others.is_empty() {
        true => first,
        false => Plan { covered: first.covered, ..planned(wish, coverage, calendar, &others) },
    };
    let asked = left.questions.len();
    left.questions.retain(|question| !is_standing(question));
    let kept = asked - left.questions.len() + others.len();
    (left, kept)
}
