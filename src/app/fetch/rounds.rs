//! Answers that wait, parted into batches.

use super::note::Answered;
use super::{Endpoint, Question};
use crate::domain::{Day, Series, Symbol};
use crate::sources::polygon;
use std::collections::HashMap;

/// Which of the batches of its view each answer goes to. Two answers about the same days are of two
/// times, and two batches: the later one is no contradiction of the earlier. Counted from the end, so
/// that what is newest is together.
pub(super) fn rounds(answers: &[Answered]) -> Vec<usize> {
    type Subject<'a> = (Endpoint, Series, Option<&'a Symbol>, &'a str);
    // One about all stocks speaks of each that it was asked for, as one about it alone does.
    let endpoint = |question: &Question| match question.only.is_empty() {
        true => question.endpoint,
        false => polygon::Endpoint::Aggs.into(),
    };
    let mut known: HashMap<Subject<'_>, Vec<(Day, Day, usize)>> = HashMap::new();
    let mut rounds: Vec<usize> = Vec::new();
    for answer in answers.iter().rev() {
        let question = &answer.question;
        let Question { series, scope, from, to, .. } = question;
        let of_each = question.symbols().into_iter();
        let subjects: Vec<Subject<'_>> =
            of_each.map(|symbol| (endpoint(question), *series, symbol, scope.as_str())).collect();
        let later = subjects.iter().filter_map(|subject| known.get(subject)).flatten();
        // The quotes of a chain may be of a later session than the one it was asked about.
        let meets = |first, last| question.endpoint.is_chain() || (first <= to && from <= last);
        let overlap = later.filter(|(first, last, _)| meets(first, last));
        let number = overlap.map(|(.., number)| number + 1).max().unwrap_or(0);
        for subject in subjects {
            known.entry(subject).or_default().push((*from, *to, number));
        }
        rounds.push(usize::MAX - number);
    }
    rounds.reverse();
    rounds
}
