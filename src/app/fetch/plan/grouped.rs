//! Daily bars of many stocks: one request about all stocks of a day may stand for one of each.

use super::{Grouped, P, Plan, Planner, Question, Series};
use crate::app::fetch::each::{LACKS, REJECTED};
use crate::domain::{Day, Fact, Symbol};
use std::collections::{BTreeMap, BTreeSet};

impl Planner<'_> {
    /// One request per hole and symbol; or, where that is fewer, one per day about all stocks, of which
    /// those are taken that lack the day.
    pub(super) fn spot(&self) -> Plan {
        let mut plan = self.each(|symbol| self.bars(symbol, "", "day", usize::MAX));
        // Only stocks are in such an answer.
        let stocks = self.wish.symbols.iter().all(|symbol| !symbol.as_str().contains(':'));
        if self.wish.grouped == Grouped::Never || !stocks {
            return plan;
        }
        let (mut single, mut others): (Vec<_>, Vec<_>) = std::mem::take(&mut plan.questions)
            .into_iter()
            .enumerate()
            .map(|(place, question)| (self.days_of(&question), place, question))
            .partition(|(days, _, question)| self.is_lacking(days, question));
        // Those of the fewest days first: a symbol whose years are missing is asked about alone.
        others.sort_by_key(|(days, ..)| days.len());
        let together = match self.wish.grouped {
            Grouped::Always => others.len(),
            _ => cheapest(others.iter().map(|(days, ..)| days.as_slice())),
        };
        single.extend(others.split_off(together));
        single.sort_by_key(|(_, place, _)| *place);
        let mut wanting: BTreeMap<Day, BTreeSet<Symbol>> = BTreeMap::new();
        for (days, _, question) in others {
            for day in days {
                wanting.entry(day).or_default().extend(question.symbol.clone());
            }
        }
        let path = "/v2/aggs/grouped/locale/us/market/stocks";
        let ask = |(day, symbols): (Day, BTreeSet<Symbol>)| {
            let target = format!("{path}/{day}?adjusted=true");
            let only = symbols.into_iter().collect();
            Question { only, ..self.question(P::Grouped, None, "", (day, day), target) }
        };
        plan.questions.extend(wanting.into_iter().map(ask));
        plan.questions.extend(single.into_iter().map(|(.., question)| question));
        plan
    }

    fn days_of(&self, question: &Question) -> Vec<Day> {
        self.calendar.open_days(question.from, question.to).collect()
    }

    /// Whether an answer about all stocks has nothing of the symbol on one of the days: it would have
    /// nothing again.
    fn is_lacking(&self, days: &[Day], question: &Question) -> bool {
        let of_day = |day: &Day| {
            let known = self.coverage.fact(Series::Spot, question.symbol.as_ref(), "", *day);
            known.is_some_and(|known| {
                known.fact == Fact::Empty && [LACKS, REJECTED].contains(&known.text.as_str())
            })
        };
        days.iter().any(of_day)
    }
}

/// How many questions, of the fewest days first, are asked best by their days, so that there are the
/// fewest requests; none where nothing is gained.
fn cheapest<'d>(questions: impl ExactSizeIterator<Item = &'d [Day]>) -> usize {
    let (all, mut days) = (questions.len(), BTreeSet::<Day>::new());
    let (mut best, mut fewest) = (0, all);
    for (number, of_one) in (1..).zip(questions) {
        days.extend(of_one.iter().copied());
        let requests = days.len() + all - number;
        if requests < fewest {
            (best, fewest) = (number, requests);
        }
    }
    best
}
