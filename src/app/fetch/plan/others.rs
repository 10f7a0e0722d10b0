//! What Alpha Vantage and Tradier are asked.

use super::{Av, Endpoint, Grouped, Plan, Planner, What, in_path};
use crate::app::fetch::Question;
use crate::app::fetch::coverage::{AS_TRADED, runs};
use crate::app::fetch::facts::SHORT_FORM;
use crate::domain::Symbol;
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Daily bars: the service has two lengths and no range, so one request at most.
    pub(super) fn daily(&self, symbol: &Symbol) -> Vec<Question> {
        let all = self.sessions();
        let missing = self.missing(Some(symbol), AS_TRADED, &all);
        let runs = runs(&all, &missing);
        let (Some((from, _)), Some((_, to))) = (runs.first(), runs.last()) else {
            return Vec::new();
        };
        let sessions = self.calendar.open_days(*from, self.today()).take(SHORT_FORM + 1).count();
        let size = if sessions <= SHORT_FORM { "compact" } else { "full" };
        let target = format!(
            "{}/query?function=TIME_SERIES_DAILY&symbol={}&outputsize={size}&datatype=json",
            self.wish.base_path,
            in_path(symbol)
        );
        vec![self.question(Av::Daily, Some(symbol), AS_TRADED, (*from, *to), target)]
    }

    /// Announcements: the calendar of coming ones, and each symbol's past ones. One calendar of all
    /// symbols replaces one for each symbol where that takes fewer requests.
    pub(super) fn earnings(&self) -> Plan {
        let mut plan = Plan::default();
        let (today, horizon) = ((self.today(), self.today()), &self.wish.horizon);
        let scope = format!("calendar {horizon}");
        let lacks = |symbol: Option<&Symbol>, scope: &str| {
            !self.missing(symbol, scope, &[today.0]).is_empty()
        };
        let base = &self.wish.base_path;
        let path = format!("{base}/query?function=EARNINGS_CALENDAR");
        let all = format!("{path}&horizon={horizon}");
        let calendar = |symbol: Option<&Symbol>, target| {
            self.question(Av::Calendar, symbol, &scope, today, target)
        };
        let mut left_out = BTreeSet::new();
        let mut wanting: Vec<&Symbol> = Vec::new();
        for symbol in &self.wish.symbols {
            let before = self.left_out.get();
            wanting.extend(lacks(Some(symbol), &scope).then_some(symbol));
            left_out.extend((self.left_out.get() > before).then_some(symbol));
        }
        let back = self.coverage.any_rolled_back(self.wish.what.series(), &scope, today.0);
        let back = back.filter(|_| !self.wish.again);
        let whole = match self.wish.grouped {
            _ if self.wish.symbols.is_empty() => lacks(None, &scope),
            Grouped::Always => !wanting.is_empty(),
            Grouped::Auto => wanting.len() > 1,
            Grouped::Never => false,
        };
        // A calendar of all symbols would bring back what was taken back of any of them.
        if self.wish.symbols.is_empty() && whole {
            self.rolled_back.borrow_mut().extend(back);
        }
        let whole = whole && back.is_none();
        if whole {
            plan.questions.push(calendar(None, all));
        }
        for symbol in &self.wish.symbols {
            let (before, left) = (plan.questions.len(), self.left_out.get());
            let name = in_path(symbol);
            if !whole && wanting.contains(&symbol) {
                let target = format!("{path}&symbol={name}&horizon={horizon}");
                plan.questions.push(calendar(Some(symbol), target));
            }
            if lacks(Some(symbol), "history") {
                let target = format!("{base}/query?function=EARNINGS&symbol={name}");
                let asked = self.question(Av::History, Some(symbol), "history", today, target);
                plan.questions.push(asked);
            }
            let left = self.left_out.get() > left || left_out.contains(symbol);
            if before == plan.questions.len() && !left && !wanting.contains(&symbol) {
                plan.covered.push(symbol.clone());
            }
        }
        plan
    }

    /// A chain of Tradier: the quote of the underlying comes first, the rest follows from it.
    pub(super) fn tradier_chain(&self, symbol: &Symbol) -> Vec<Question> {
        let expiries = self.wish.expiries.iter().map(|day| format!("tradier expiry {day}"));
        let mut scopes: Vec<String> = expiries.collect();
        if scopes.is_empty() {
            scopes.push("tradier".to_owned());
        }
        let target = format!("{}/markets/quotes?symbols={}", self.wish.base_path, in_path(symbol));
        let ask = |scope: &String| {
            let session = self.snapshot(symbol, scope)?;
            let range = (session, session);
            let endpoint = Endpoint::TradierChain;
            Some(self.question(endpoint, Some(symbol), scope, range, target.clone()))
        };
        debug_assert_eq!(self.wish.what, What::Chain);
        scopes.iter().filter_map(ask).collect()
    }
}
