//! What is not asked because the service's plan does not include it: it was recorded as such, is not
//! asked again, and is not known either.

use super::Planner;
use crate::app::fetch::coverage::runs;
use crate::domain::{Calendar, Coverage, Day, Fact, Symbol};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Days that the service's plan does not include, as it said when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotEntitled {
    /// The symbol; `None` for all of them.
    pub symbol: Option<Symbol>,
    /// What tells the question from others about the same series.
    pub scope: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// What the service said.
    pub text: String,
}

/// Symbol, scope, and what the service said.
type Subject<'a> = (Option<Symbol>, String, &'a str);

/// Gathers such days while questions are planned.
#[derive(Default)]
pub(super) struct Refused<'a> {
    days: RefCell<BTreeMap<Subject<'a>, Vec<Day>>>,
    has_data: Cell<bool>,
}

impl<'a> Refused<'a> {
    /// Notes what is known of the days of a subject, and gives how many of them the plan does not
    /// include.
    pub(super) fn note(
        &self,
        symbol: Option<&Symbol>,
        scope: &str,
        known: &[(Day, Option<&'a Coverage>)],
    ) -> u64 {
        let mut refused = 0;
        for (day, fact) in known {
            match fact {
                Some(fact) if fact.fact == Fact::NotEntitled => {
                    let subject = (symbol.cloned(), scope.to_owned(), fact.text.as_str());
                    self.days.borrow_mut().entry(subject).or_default().push(*day);
                    refused += 1;
                }
                Some(fact) if fact.fact == Fact::Data => self.has_data.set(true),
                _ => {}
            }
        }
        refused
    }

    /// The days, joined to ranges where no session lies between, and whether there is data beside them.
    pub(super) fn told(&self, calendar: &Calendar) -> (Vec<NotEntitled>, bool) {
        let mut told: Vec<NotEntitled> = Vec::new();
        for ((symbol, scope, text), mut days) in self.days.take() {
            // A question may be looked at twice.
            days.sort();
            let first = told.len();
            for day in days {
                match told.get_mut(first..).and_then(<[_]>::last_mut) {
                    Some(last) if calendar.open_days_between(last.to, day) == 0 => last.to = day,
                    _ => told.push(NotEntitled {
                        symbol: symbol.clone(),
                        scope: scope.clone(),
                        from: day,
                        to: day,
                        text: text.to_owned(),
                    }),
                }
            }
        }
        (told, self.has_data.get())
    }
}

impl Planner<'_> {
    /// The ranges of missing days, as first and last day. What was refused is asked apart: what is refused
    /// again takes no day with it that was never asked.
    pub(super) fn ranges(
        &self,
        symbol: Option<&Symbol>,
        scope: &str,
        all: &[Day],
        missing: &[Day],
    ) -> Vec<(Day, Day)> {
        if self.wish.refresh {
            return runs(all, missing);
        }
        let refusals = self.coverage.refusals(self.wish.what.series(), symbol, scope);
        let is_refused = |day: &Day| refusals.iter().any(|of| (of.from..=of.to).contains(day));
        let (again, fresh): (Vec<Day>, Vec<Day>) = missing.iter().partition(|day| is_refused(day));
        let mut ranges = [runs(all, &again), runs(all, &fresh)].concat();
        ranges.sort();
        ranges
    }
}
