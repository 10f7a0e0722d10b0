//! Answers in the inbox of which only the request is recorded: failures that a later answer has made
//! old news, and answers that cannot be read.

use super::meaning::meaning;
use super::note::{Answered, Note};
use super::withheld::about;
use crate::domain::{Coverage, Day, Fact};

/// The fact about the days of an answer that cannot be read: nothing is known of them.
pub(super) fn lost(answer: &Answered, why: &str) -> Coverage {
    Coverage {
        fact: Fact::Failed,
        settled: Day(i32::MIN),
        observed_ms: answer.pages.last().map_or(0, |(note, _)| Note::certain_ms(note)),
        meaning: meaning(&[]),
        text: why.to_owned(),
        ..about(&answer.question, answer.question.symbol.as_ref())
    }
}

/// The answers that are settled, and the failures that are not told any more: their question was
/// answered since, or they gave nothing and a later answer has some of their days. What is still
/// missing of their days is asked again.
pub(super) fn parted(answers: Vec<Answered>) -> (Vec<Answered>, Vec<Answered>) {
    let is_past = |(at, failed): (usize, &Answered)| {
        let mut answers = answers.iter().enumerate().filter(|(_, answer)| answer.is_answer());
        let instead = |(number, answer): (usize, &Answered)| {
            let (one, other) = (&failed.question, &answer.question);
            let same = (one.endpoint, one.series, &one.symbol, &one.scope)
                == (other.endpoint, other.series, &other.symbol, &other.scope);
            let meet = one.from <= other.to && other.from <= one.to;
            one == other || (same && meet && at < number && !failed.gave())
        };
        !failed.is_answer() && answers.any(instead)
    };
    let past: Vec<bool> = answers.iter().enumerate().map(is_past).collect();
    let (mut left, mut gone) = (Vec::new(), Vec::new());
    for (answer, past) in answers.into_iter().zip(past) {
        if past { gone.push(answer) } else { left.push(answer) }
    }
    (left, gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fetch::Question;
    use crate::domain::Series;
    use crate::ledger::Arrival;
    use crate::sources::polygon::Endpoint;

    /// An answer about days of a symbol, by how each of its pages ended.
    fn answer(symbol: &str, (from, to): (i32, i32), ended: &[&str]) -> Answered {
        let question = Question {
            endpoint: Endpoint::Aggs.into(),
            series: Series::Spot,
            symbol: Some(symbol.parse().unwrap()),
            only: Vec::new(),
            scope: String::new(),
            from: Day(from),
            to: Day(to),
            target: String::new(),
        };
        let page = |ended: &&str| {
            let mut note = Note::of("", 0, &question);
            note.ended = (*ended).to_owned();
            (note, Arrival::default())
        };
        Answered { pages: ended.iter().map(page).collect(), question }
    }

    #[test]
    fn a_failure_is_no_news_once_its_days_were_answered() {
        let (failed, good) = (["server-error"].as_slice(), ["ok"].as_slice());
        let answers = vec![
            answer("A", (1, 5), failed),
            answer("B", (1, 5), failed),
            answer("C", (1, 5), &["ok", "server-error"]),
            answer("D", (1, 5), &["ok", "server-error"]),
            answer("E", (1, 5), good),
            answer("A", (2, 6), good),
            answer("B", (6, 7), good),
            answer("C", (1, 5), good),
            answer("D", (2, 6), good),
            answer("E", (2, 6), failed),
        ];
        let (left, past) = parted(answers);
        let told = |of: &[Answered]| -> String {
            let one = |one: &Answered| one.question.symbol.as_ref().unwrap().to_string();
            of.iter().map(one).collect()
        };
        assert_eq!((told(&past), told(&left)), ("AC".to_owned(), "BDEABCDE".to_owned()));
    }
}
