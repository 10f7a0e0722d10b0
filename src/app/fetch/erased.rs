//! Days that were erased from an answer: no longer known, and not to be brought back by a plain fetch.

use super::meaning::gave;
use crate::app::error::Result;
use crate::domain::{BatchId, Coverage, Day, Digest, Fact, Series, Symbol};
use crate::ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// A symbol's day of which something was erased.
type Gone = (Series, Symbol, Day);

/// The facts of a batch, apart from what was erased of it.
#[derive(Debug, Default)]
pub struct Parted {
    /// What the batch still says.
    pub left: Vec<Coverage>,
    /// Days on which it no longer says anything, each of one symbol.
    pub gone: Vec<Coverage>,
}

/// The symbols' days of which events of a batch were erased.
///
/// # Errors
/// A batch that cannot be read.
pub fn gone(ledger: &Ledger, batch: BatchId) -> Result<BTreeSet<Gone>> {
    let erased = ledger.erased_of(batch)?.into_iter();
    Ok(erased.filter_map(|one| Some((one.series, one.symbol?, one.day))).collect())
}

/// Takes erased days out of the facts of a batch. In an answer about one symbol the day leaves the
/// range that was asked; an answer about all symbols still speaks of the others. Neither is the answer
/// that it was, so its digest is removed: no later answer counts as the same.
pub fn part(facts: Vec<Coverage>, gone: &BTreeSet<Gone>) -> Parted {
    let mut of: BTreeMap<(Series, Option<&Symbol>), Vec<usize>> = BTreeMap::new();
    for (at, fact) in facts.iter().enumerate() {
        of.entry((fact.series, fact.symbol.as_ref())).or_default().push(at);
    }
    // By fact the symbols' days that it lacks.
    let mut lost: BTreeMap<usize, BTreeSet<(&Symbol, Day, Day)>> = BTreeMap::new();
    for (series, symbol, day) in gone {
        let own = of.get(&(*series, Some(symbol))).into_iter().flatten();
        let about: Vec<usize> =
            own.chain(of.get(&(*series, None)).into_iter().flatten()).copied().collect();
        let has =
            |at: &usize| facts.get(*at).is_some_and(|fact| (fact.from..=fact.to).contains(day));
        let (data, others): (Vec<usize>, Vec<usize>) =
            about.into_iter().partition(|at| facts.get(*at).is_some_and(gave));
        // A list as of one day has events of any day, so an erasure concerns all of it. Older ledgers
        // call a day empty if an item of it was rejected, whatever else it has.
        let whole = !data.iter().chain(&others).any(has);
        let about = if whole || data.iter().any(has) { data } else { others };
        for at in about.into_iter().filter(|at| whole || has(at)) {
            let Some(fact) = facts.get(at) else { continue };
            let days = if whole { (fact.from, fact.to) } else { (*day, *day) };
            lost.entry(at).or_default().insert((symbol, days.0, days.1));
        }
    }
    let mut parted = Parted::default();
    for (at, fact) in facts.iter().enumerate() {
        let Some(lost) = lost.get(&at) else {
            parted.left.push(fact.clone());
            continue;
        };
        let changed = Coverage { meaning: Digest::default(), ..fact.clone() };
        let mut from = fact.from;
        for (symbol, first, last) in lost {
            let symbol = Some((*symbol).clone());
            // Something was there, or nothing could have been erased.
            parted.gone.push(Coverage {
                symbol,
                from: *first,
                to: *last,
                fact: Fact::Data,
                ..changed.clone()
            });
            if fact.symbol.is_some() {
                if from < *first {
                    parted.left.push(Coverage { from, to: Day(first.0 - 1), ..changed.clone() });
                }
                from = last.next();
            }
        }
        if from <= fact.to {
            parted.left.push(Coverage { from, ..changed });
        }
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(symbol: Option<&str>, from: i32, to: i32) -> Coverage {
        Coverage {
            series: Series::Spot,
            symbol: symbol.map(|name| name.parse().unwrap()),
            scope: String::new(),
            from: Day(from),
            to: Day(to),
            fact: Fact::Data,
            settled: Day(to),
            observed_ms: 0,
            meaning: Digest([7; 32]),
            text: String::new(),
        }
    }

    fn parted(facts: Vec<Coverage>, days: &[(&str, i32)]) -> (Vec<String>, Vec<String>) {
        let gone = days.iter().map(|(name, day)| (Series::Spot, name.parse().unwrap(), Day(*day)));
        let parted = part(facts, &gone.collect());
        let told = |facts: Vec<Coverage>| {
            let one = |fact: Coverage| {
                let name = fact.symbol.map_or("all".to_owned(), |symbol| symbol.to_string());
                let same = if fact.meaning == Digest([7; 32]) { "" } else { "!" };
                format!("{name} {}-{}{same}", fact.from.0, fact.to.0)
            };
            facts.into_iter().map(one).collect()
        };
        (told(parted.left), told(parted.gone))
    }

    #[test]
    fn an_erased_day_goes_out_of_its_range_and_out_of_no_other() {
        let facts = vec![fact(Some("A"), 1, 9), fact(Some("B"), 1, 9), fact(None, 4, 4)];
        let (left, gone) = parted(facts.clone(), &[("A", 1), ("A", 5), ("A", 6)]);
        assert_eq!(left, ["A 2-4!", "A 7-9!", "B 1-9", "all 4-4"]);
        assert_eq!(gone, ["A 1-1!", "A 5-5!", "A 6-6!"]);
        let (left, gone) = parted(facts.clone(), &[("B", 9), ("C", 4)]);
        assert_eq!(left, ["A 1-9", "B 1-8!", "all 4-4!"]);
        assert_eq!(gone, ["B 9-9!", "C 4-4!"]);
        let (left, gone) = parted(facts, &[]);
        assert_eq!((left.len(), gone.len()), (3, 0));
    }

    #[test]
    fn a_day_that_was_called_empty_is_that_day_and_no_other() {
        let empty = Coverage { fact: Fact::Empty, ..fact(Some("A"), 3, 3) };
        let facts = vec![fact(Some("A"), 1, 2), empty, fact(Some("A"), 4, 9)];
        let (left, gone) = parted(facts, &[("A", 3)]);
        assert_eq!((left, gone), (vec!["A 1-2".to_owned(), "A 4-9".into()], vec!["A 3-3!".into()]));
    }

    #[test]
    fn of_a_list_as_of_one_day_all_is_meant() {
        let facts = vec![fact(Some("A"), 20, 20), fact(Some("B"), 20, 20)];
        let (left, gone) = parted(facts, &[("A", 3), ("A", 5)]);
        assert_eq!((left, gone), (vec!["B 20-20".to_owned()], vec!["A 20-20!".to_owned()]));
    }
}
