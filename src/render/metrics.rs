//! Ranks and snapshots.

use super::numbers::MISSING;
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{Rank, Snapshot, SnapshotRow};

pub(super) fn percent(of: Option<f64>) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| format!("{:.2} %", value * 100.0))
}

/// A difference of volatilities is no share of one: `+5.3 pts`.
fn points(of: Option<f64>) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| format!("{:+.1} pts", value * 100.0))
}

fn signed(of: Option<f64>) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| format!("{:+.1} %", value * 100.0))
}

pub(super) fn plain(of: Option<f64>, digits: usize) -> String {
    of.map_or_else(|| MISSING.to_owned(), |value| format!("{value:.digits$}"))
}

fn day(of: Option<&String>) -> String {
    of.cloned().unwrap_or_else(|| MISSING.to_owned())
}

/// The line below a table of the earliest values.
pub(super) fn first_values(which: Option<&str>) -> &'static str {
    match which {
        Some(_) => "  From the values that were confirmed first\n",
        None => "",
    }
}

/// What tables of implied volatility say where none of the symbols has any.
pub(super) const NO_IV: &str = "No symbol has an implied volatility there.\n";

impl Document for Rank {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return NO_IV.to_owned();
        }
        let headings = [
            "symbol", "date", ">atm_iv", ">rank 1y", ">pct 1y", ">n", ">rank 2y", ">pct 2y", ">n",
            ">ma20", ">vs ma20",
        ];
        let mut table = Table::new(look, &headings);
        for row in &self.rows {
            table.row([
                row.symbol.clone(),
                row.date.clone(),
                percent(row.atm_iv),
                plain(row.iv_rank_252, 1),
                plain(row.iv_percentile_252, 1),
                row.n_252.to_string(),
                plain(row.iv_rank_504, 1),
                plain(row.iv_percentile_504, 1),
                row.n_504.to_string(),
                percent(row.iv_ma20),
                signed(row.iv_vs_ma20),
            ]);
        }
        let mut out = table.finish();
        out += "  rank: place between lowest and highest of the window, this day included; pct: \
                share of the n\n  observations before it that are lower. Fewer than 252 (two years: \
                378) give none.\n";
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        Grid::of(&RANK, &self.rows)
    }
}

const RANK: [&str; 11] = [
    "symbol",
    "date",
    "atm_iv",
    "iv_rank_252",
    "iv_percentile_252",
    "n_252",
    "iv_rank_504",
    "iv_percentile_504",
    "n_504",
    "iv_ma20",
    "iv_vs_ma20",
];

const SNAPSHOT: [&str; 19] = [
    "symbol",
    "spot",
    "spot_date",
    "atm_iv",
    "iv_date",
    "hv20",
    "hv30",
    "hv90",
    "hv252",
    "hv_date",
    "iv_rank_252",
    "iv_percentile_252",
    "n_252",
    "iv_vs_hv20",
    "term_m1_m2",
    "term_m1_m3",
    "skew",
    "next_earnings",
    "stale",
];

impl Document for Snapshot {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return "No symbol is known there.\n".to_owned();
        }
        let headings = [
            "symbol", "iv of", ">spot", ">iv", ">hv20", ">hv252", ">rank 1y", ">pct 1y",
            ">iv-hv20", ">term", ">skew", "",
        ];
        let mut table = Table::new(look, &headings);
        for row in &self.rows {
            let SnapshotRow { iv_date, spot_date, hv_date, .. } = row;
            // Whatever is of another day than the volatility says so.
            let other = |name: &str, date: &Option<String>| match date {
                Some(date) if Some(date) != iv_date.as_ref() => format!("{name} of {date} "),
                _ => String::new(),
            };
            let mut note = other("spot", spot_date) + &other("hv", hv_date);
            if row.stale && note.is_empty() {
                note = "old".to_owned();
            }
            table.row([
                row.symbol.clone(),
                day(iv_date.as_ref()),
                plain(row.spot, 2),
                percent(row.atm_iv),
                percent(row.hv20),
                percent(row.hv252),
                plain(row.iv_rank_252, 1),
                plain(row.iv_percentile_252, 1),
                points(row.iv_vs_hv20),
                plain(row.term_m1_m2, 2),
                plain(row.skew, 2),
                note.trim_end().to_owned(),
            ]);
        }
        table.finish() + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        Grid::of(&SNAPSHOT, &self.rows)
    }
}
