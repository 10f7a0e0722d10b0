//! What a fetch would ask, and what it got.

use super::numbers::{count, counted};
use super::table::{Side, Table};
use super::{Document, Grid, Look};
use crate::app::report::{FetchGrouped, FetchLine, FetchPlan, FetchRefused, FetchReport};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Outcomes told one by one; the counts are complete.
const FEW: usize = 12;

/// Ranges told in a sentence; `--json` has all.
const FEW_REFUSED: usize = 3;

/// A fetch, before or after it.
#[derive(Clone, Copy, Debug)]
pub struct FetchPage<'a> {
    /// What is known of it.
    pub report: &'a FetchReport,
    /// Whether it is only planned.
    pub planned: bool,
}

impl FetchPage<'_> {
    fn plan(&self) -> String {
        let plan = &self.report.plan;
        let mut out = format!("Plan: {}", counted(plan.questions, "request"));
        if plan.requests_per_minute > 0 && plan.seconds > 0.0 {
            let (minutes, seconds) = (plan.seconds as u64 / 60, plan.seconds as u64 % 60);
            let pace = plan.requests_per_minute;
            out += &format!(", at {pace} a minute at least {minutes} min {seconds} s");
        }
        out.push('\n');
        for target in plan.targets.iter().take(FEW) {
            out += &format!("  GET {target}\n");
        }
        let hidden = plan.targets.len().saturating_sub(FEW);
        if hidden > 0 {
            out += &format!("  and {} more: all with `--json`\n", count(hidden as u64));
        }
        if let Some(grouped) = grouped(plan) {
            out += &format!("  {grouped}\n");
        }
        if let Some(day) = &plan.day {
            let (requests, spent) = (day.requests, day.spent);
            let are = if spent == 1 { "is" } else { "are" };
            out += &format!("  {spent} of the {requests} requests of a day {are} spent\n");
        }
        if plan.covered > 0 {
            out += &format!("  of {} nothing is missing\n", counted(plan.covered, "symbol"));
        }
        if let Some(refused) = refused(plan) {
            out += &format!(
                "  not asked again, since the service's plan does not include it: {refused}\n"
            );
        }
        out
    }
}

/// What a plan says of answers about all stocks of a day.
pub fn grouped(plan: &FetchPlan) -> Option<String> {
    let FetchGrouped { questions, symbols } = plan.grouped?;
    let (them, these) = match questions {
        1 => ("1 is".to_owned(), "it"),
        many => (format!("{} are", count(many)), "them"),
    };
    let symbols = counted(symbols, "symbol");
    Some(format!(
        "{them} about all stocks of a day: of {these} only the {symbols} wanted are taken"
    ))
}

/// The first ranges that the service's plan does not include; `None` where there are none.
pub fn refused(plan: &FetchPlan) -> Option<String> {
    let all = &plan.not_entitled;
    let one = |refused: &FetchRefused| {
        let symbol = refused.symbol.as_deref().unwrap_or("all symbols");
        let scope = match refused.scope.as_str() {
            "" => String::new(),
            scope => format!(" ({scope})"),
        };
        let FetchRefused { from, to, .. } = refused;
        let days = if from == to { from.clone() } else { format!("{from} … {to}") };
        format!("{symbol}{scope} {days}")
    };
    let mut told: Vec<String> = all.iter().take(FEW_REFUSED).map(one).collect();
    if let more @ 1.. = all.len().saturating_sub(FEW_REFUSED) {
        told.push(format!("{} more", count(more as u64)));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// Lines that a person should see: what is not plain data.
fn odd(line: &&FetchLine) -> bool {
    line.fact != "data"
}

impl Serialize for FetchPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.report.serialize(serializer)
    }
}

impl Document for FetchPage<'_> {
    fn text(&self, look: &Look) -> String {
        if self.planned {
            return self.plan();
        }
        let report = self.report;
        let mut facts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for line in &report.outcomes {
            let entry = facts.entry(line.fact).or_default();
            entry.0 += 1;
            entry.1 += u64::from(line.unchanged);
        }
        let requests = counted(report.requests, "request");
        let mut out = format!("Fetched with {requests}\n");
        let mut table = Table::bare(look, vec![Side::Left, Side::Right, Side::Left]);
        for (fact, (all, unchanged)) in &facts {
            let known = match unchanged {
                0 => String::new(),
                n => format!("{} known already", count(*n)),
            };
            table.row([fact.replace('-', " "), count(*all), known]);
        }
        out += &table.finish();
        if let Some(cache) = report.cache.filter(|cache| cache.hit_rate > 0.0) {
            let found = cache.counters;
            out += &format!(
                "  {} of {} were known from a moment ago ({} in this run, {} in the ledger)\n",
                count(found.hits_l1 + found.hits_l2),
                counted(found.lookups(), "page"),
                count(found.hits_l1),
                count(found.hits_l2)
            );
        }
        let odd: Vec<_> = report.outcomes.iter().filter(odd).collect();
        let mut table = Table::bare(look, vec![Side::Left; 5]);
        for line in odd.iter().take(FEW) {
            let symbol = line.symbol.clone().unwrap_or_else(|| "all".to_owned());
            let days = format!("{} … {}", line.from, line.to);
            let sign = if line.fact == "failed" { "!" } else { "·" };
            let fact = line.fact.replace('-', " ");
            table.row([sign.to_owned(), symbol, days, fact, line.text.clone()]);
        }
        out += &table.finish();
        if odd.len() > FEW {
            out += &format!("  and {} more: all with `--json`\n", count((odd.len() - FEW) as u64));
        }
        if report.dropped > 0 {
            let pages = counted(report.dropped, "page");
            out += &format!("  {pages} of answers that had not arrived whole were dropped\n");
        }
        out.push('\n');
        out
    }

    fn grid(&self) -> Grid {
        let columns =
            ["series", "symbol", "from", "to", "fact", "rows", "unchanged", "ended", "text"];
        Grid::of(&columns, &self.report.outcomes)
    }
}
