//! The market overview, and sets of rules.

use super::metrics::{first_values, note};
use super::numbers::{counted, or_missing, percent_of, plain};
use super::table::{Side, Table};
use super::{Document, Grid, Look, json};
use crate::app::report::{Overview, OverviewRow, Recommended, RuleSetLine, RuleSets};

/// Names of a line of symbols before the rest is only counted.
const NAMED: usize = 12;

/// Rank and percentile as the rules of the overview have them, in percent.
fn ranks(row: &OverviewRow, windowed: bool) -> [String; 2] {
    let hundred = |of: Option<f64>| of.map(|value| value * 100.0);
    match windowed {
        true => [plain(row.iv_rank_252, 0), plain(row.iv_percentile_252, 0)],
        false => [plain(hundred(row.iv_rank), 0), plain(hundred(row.iv_percentile), 0)],
    }
}

impl Overview {
    fn recommended(&self, look: &Look) -> String {
        if self.recommendations.is_empty() {
            return "  No recommendation\n".to_owned();
        }
        let windowed = self.rules.ranks == "windowed";
        let headings = [
            ">#", "symbol", "strategy", "category", "iv of", ">iv", ">rank", ">pct", ">term",
            ">skew", "earnings", "",
        ];
        // A column that says nothing is left out.
        let earnings = self.recommendations.iter().any(|one| one.row.next_earnings.is_some());
        // In a narrow terminal the category makes room, which follows from the strategy, and the
        // day, of which the exceptions are noted.
        let narrow = look.width.is_some_and(|width| width < 100);
        let usual = self.rows.iter().filter_map(|row| row.iv_date.as_ref()).max();
        let usual = usual.filter(|_| narrow);
        let keep = |index: usize| match index {
            10 => earnings,
            3 | 4 => !narrow,
            _ => true,
        };
        let shown: Vec<&str> =
            headings.into_iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, h)| h).collect();
        let mut table = Table::new(look, &shown);
        for (index, one) in self.recommendations.iter().enumerate() {
            let Recommended { row, strategy, category, .. } = one;
            let [rank, percentile] = ranks(row, windowed);
            let cells = [
                (index + 1).to_string(),
                row.symbol.clone(),
                strategy.clone(),
                (*category).to_owned(),
                or_missing(&row.iv_date),
                percent_of(row.iv),
                rank,
                percentile,
                plain(row.term_m1_m2, 2),
                plain(row.skew, 2),
                or_missing(&row.next_earnings),
                note([&row.iv_date, &row.spot_date, &row.hv_date], row.stale, usual),
            ];
            let cells = cells.into_iter().enumerate();
            table.row(cells.filter(|(index, _)| keep(*index)).map(|(_, cell)| cell));
        }
        table.finish()
    }

    /// What was left out: a line a reason.
    fn left_out(&self, look: &Look) -> String {
        let mut table = Table::bare(look, vec![Side::Left; 2]);
        let mut line = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                let more = names.len().saturating_sub(NAMED);
                let mut shown = names.into_iter().take(NAMED).collect::<Vec<_>>().join(" ");
                if more > 0 {
                    shown += &format!(" and {more} more");
                }
                table.row([what.to_owned(), shown]);
            }
        };
        let meta = &self.meta;
        line("too little history", meta.iv_history_insufficient.clone());
        let strategies = |by: &std::collections::BTreeMap<String, Vec<String>>| {
            by.iter().map(|(symbol, names)| format!("{symbol} ({})", names.join(", "))).collect()
        };
        line("earnings too near", strategies(&meta.earnings_filtered));
        line("not qualified", strategies(&meta.disqualified_filtered));
        let mut reasons: Vec<String> =
            self.absent.iter().map(|one| format!("no {}", one.lacks.join(", no "))).collect();
        reasons.sort();
        reasons.dedup();
        for reason in reasons {
            let of = |one: &&crate::app::report::Absent| {
                format!("no {}", one.lacks.join(", no ")) == reason
            };
            let names = self.absent.iter().filter(of).map(|one| one.symbol.clone()).collect();
            line(&reason, names);
        }
        match table.is_empty() {
            true => String::new(),
            false => format!("\nLeft out\n{}", table.finish()),
        }
    }
}

impl Document for Overview {
    fn text(&self, look: &Look) -> String {
        let rules = &self.rules;
        let mut out = format!(
            "Overview of {} at #{}\n  by the rules {}/{}: {}\n\n",
            self.date, self.position, rules.id, rules.version, rules.title
        );
        out += &self.recommended(look);
        out += &self.left_out(look);
        let symbols = counted(self.rows.len() as u64, "symbol");
        let newest = self.rows.iter().filter_map(|row| row.iv_date.as_ref()).max();
        let newest = newest.map(|day| format!(", newest iv of {day}")).unwrap_or_default();
        out += &format!("\n  {symbols} tried{newest}; all metrics and criteria with `--json`\n");
        for note in &self.meta.notes {
            let mut letters = note.chars();
            let first = letters.next().map(char::to_uppercase).into_iter().flatten();
            out += &format!("  {}{}\n", first.collect::<String>(), letters.as_str());
        }
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.recommendations)
    }

    fn grid(&self) -> Grid {
        Grid::of(&COLUMNS, &self.recommendations)
    }
}

const COLUMNS: [&str; 30] = [
    "symbol",
    "strategy",
    "key",
    "category",
    "greeks",
    "spot",
    "spot_date",
    "iv",
    "iv_date",
    "hv20",
    "hv30",
    "hv90",
    "hv252",
    "hv_date",
    "iv_rank",
    "iv_percentile",
    "iv_vs_hv20",
    "iv_vs_hv90",
    "term_m1_m2",
    "term_m1_m3",
    "skew",
    "iv_rank_252",
    "iv_percentile_252",
    "iv_rank_504",
    "iv_percentile_504",
    "iv_ma20",
    "iv_vs_ma20",
    "next_earnings",
    "days_until_earnings",
    "stale",
];

impl Document for RuleSets {
    fn text(&self, look: &Look) -> String {
        let mut out = String::new();
        for RuleSetLine { set, rules } in &self.sets {
            out += &format!("{}/{}: {}\n", set.id, set.version, set.title);
            let mut table = Table::new(look, &["rule", "strategy", ">earnings", "criteria"]);
            for rule in rules {
                let days = match rule.min_days_until_earnings {
                    0 => String::new(),
                    days => format!("{days} d"),
                };
                let all = rule.criteria.join(" and ");
                table.row([rule.key.clone(), rule.strategy.clone(), days, all]);
            }
            out += &table.finish();
            out += "\n";
        }
        let mut table = Table::new(look, &["metric", "what it is"]);
        for metric in &self.metrics {
            table.row([metric.name.to_owned(), metric.meaning.to_owned()]);
        }
        out + &table.finish()
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.sets)
    }

    fn grid(&self) -> Grid {
        let names = ["set", "key", "strategy", "greeks", "min_days_until_earnings", "criteria"];
        let mut grid = Grid { columns: names.map(str::to_owned).to_vec(), rows: Vec::new() };
        for RuleSetLine { set, rules } in &self.sets {
            for rule in rules {
                grid.rows.push(vec![
                    set.id.clone().into(),
                    rule.key.clone().into(),
                    rule.strategy.clone().into(),
                    rule.greeks.clone().into(),
                    rule.min_days_until_earnings.into(),
                    rule.criteria.join(" and ").into(),
                ]);
            }
        }
        grid
    }
}
