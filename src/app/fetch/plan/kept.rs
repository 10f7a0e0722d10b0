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
    let is_standing = |asked: &Question| standing().any(|kept| kept.question.stands_for(asked));
    // Answers to other questions about the same subject: the days about which they are final.
    let other = |kept: &&Answered| {
        let question = &kept.question;
        let touches = |asked: &Question| {
            let own = asked.endpoint == question.endpoint && asked.symbol == question.symbol;
            // One about all stocks stands for single ones.
            let grouped = [question, asked].iter().any(|of| of.is_about_all_stocks());
            let (of, about) = (question.symbols(), asked.symbols());
            let shares = grouped && of.iter().any(|symbol| about.contains(symbol));
            (asked.series, &asked.scope) == (question.series, &question.scope)
                && (own || shares)
                && asked.from <= question.to
                && question.from <= asked.to
        };
        let listed = question.symbol.is_some() || !question.only.is_empty();
        let is_same = |asked: &Question| question.stands_for(asked);
        let lists = listed && !question.endpoint.is_of_now();
        lists && first.questions.iter().any(touches) && !first.questions.iter().any(is_same)
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
