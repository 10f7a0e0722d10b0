//! Announcements with their moves, and what options pay for the next one.

use super::metrics::first_values;
use super::numbers::{MISSING, counted, or_missing, percent_of, plain, signed};
use super::table::{Side, Table};
use super::{Document, Grid, Look, json};
use crate::app::earnings::metric_words;
use crate::app::report::{Earnings, MoveHistory, Vrp, VrpRow};

/// A name of at most 20 characters, cut at a word.
fn short(name: Option<&String>) -> String {
    let Some(name) = name else { return MISSING.to_owned() };
    if name.chars().count() <= 20 {
        return name.clone();
    }
    let cut: String = name.chars().take(20).collect();
    match cut.rsplit_once(' ') {
        Some((words, _)) if !words.is_empty() => words.to_owned(),
        _ => cut,
    }
}

/// One line about past moves of a column.
fn history_line(of: &MoveHistory, metric: &str) -> String {
    let steady = of.consistency_score.map_or_else(|| MISSING.to_owned(), |s| format!("{s:.0}"));
    format!(
        "  {}{}: mean {}, median {}, deviation {}, greatest {} ({} tail risk); \
         steadiness {steady} of 100, {}\n",
        counted(of.n, "past move"),
        metric_words(metric),
        percent_of(Some(of.mean_move)),
        percent_of(Some(of.median_move)),
        percent_of(Some(of.std_move)),
        percent_of(Some(of.max_move)),
        of.tail_risk.to_lowercase(),
        of.trend.unwrap_or("no trend"),
    )
}

impl Document for Earnings {
    fn text(&self, look: &Look) -> String {
        let mut out = self.symbol.clone();
        if let Some(name) = &self.name {
            out += &format!(", {name}");
        }
        out += &match &self.next {
            Some(next) => {
                let sure = match next.confirmed {
                    Some(true) => ", confirmed",
                    Some(false) => ", not confirmed",
                    None => "",
                };
                let when = match next.days {
                    0 => "today".to_owned(),
                    days => format!("in {}", counted(u64::from(days.unsigned_abs()), "day")),
                };
                format!("\n  Next: {} {}{sure}, {when}\n", next.earnings_date, next.timing)
            }
            None => format!("\n  No announcement is known from {} on\n", self.date),
        };
        out += &format!("  Moves by {}\n", self.projection);
        if let Some(history) = &self.history {
            out += &history_line(history, self.metric);
        }
        for note in &self.notes {
            out += &format!("  {note}\n");
        }
        if !self.rows.is_empty() {
            out.push('\n');
            let headings = [
                "announced",
                "timing",
                "measured",
                ">reference",
                ">close",
                ">gap",
                ">range",
                ">move",
                "",
            ];
            let mut table = Table::new(look, &headings);
            for row in &self.rows {
                let ok = row.status.as_deref() == Some("OK");
                let note = match (&row.reason, ok) {
                    (Some(reason), true) => reason.clone(),
                    (reason, false) => {
                        let status = row.status.clone().unwrap_or_default();
                        format!("{status} {}", reason.clone().unwrap_or_default())
                    }
                    (None, true) => row.basis.clone().filter(|b| b != "bars").unwrap_or_default(),
                };
                table.row([
                    row.earnings_date.clone(),
                    or_missing(&row.timing),
                    or_missing(&row.reaction_session),
                    plain(row.reference_close, 2),
                    plain(row.close, 2),
                    signed(row.gap_move, 2, "%"),
                    percent_of(row.intraday_move),
                    signed(row.close_move, 2, "%"),
                    note.trim().to_owned(),
                ]);
            }
            out += &table.finish();
        }
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        Grid::whole(&self.rows)
    }
}

impl Vrp {
    fn ranked(&self, look: &Look) -> String {
        let scored: Vec<&VrpRow> = self.rows.iter().filter(|row| row.score.is_some()).collect();
        if scored.is_empty() {
            return String::new();
        }
        let named = scored.iter().any(|row| row.name.is_some());
        let headings = [
            ">#",
            "symbol",
            "name",
            "earnings",
            "",
            ">score",
            ">vrp",
            ">implied",
            ">mean",
            ">n",
            ">edge",
            "tier",
            "liquidity",
        ];
        let keep = |index: usize| index != 2 || named;
        let cells = |of: Vec<String>| {
            of.into_iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, c)| c).collect::<Vec<_>>()
        };
        let kept = headings.into_iter().enumerate().filter(|(i, _)| keep(*i));
        let mut table = Table::new(look, &kept.map(|(_, name)| name).collect::<Vec<_>>());
        for (index, row) in scored.iter().enumerate() {
            let ratio = row.vrp.map_or_else(|| MISSING.to_owned(), |vrp| format!("{vrp:.2}x"));
            table.row(cells(vec![
                (index + 1).to_string(),
                row.symbol.clone(),
                short(row.name.as_ref()),
                or_missing(&row.earnings_date),
                row.timing.clone().unwrap_or_default(),
                plain(row.score, 1),
                ratio,
                percent_of(row.implied_move),
                percent_of(row.mean_move),
                row.n.to_string(),
                plain(row.edge_score, 2),
                row.tier.unwrap_or(MISSING).to_owned(),
                row.liquidity.unwrap_or(MISSING).to_owned(),
            ]));
        }
        table.finish()
    }

    /// What is said of each stock; of those that were scored only where there are few.
    fn reasons(&self, look: &Look) -> String {
        let few = self.rows.len() <= 5;
        let mut table = Table::bare(look, vec![Side::Left; 2]);
        for row in &self.rows {
            let first_is_known = row.score.is_some();
            let skipped = if first_is_known && !few { 2 } else { 0 };
            for (index, reason) in row.reasons.iter().skip(skipped).enumerate() {
                let symbol = if index == 0 { row.symbol.clone() } else { String::new() };
                table.row([symbol, reason.clone()]);
            }
        }
        match table.is_empty() {
            true => String::new(),
            false => format!("\n{}", table.finish()),
        }
    }

    /// Blocks about a stock that is asked about alone.
    fn alone(&self) -> String {
        let [row] = self.rows.as_slice() else { return String::new() };
        let mut out = String::new();
        if let (Some(move_), Some(date)) = (row.implied_move, &row.date) {
            out += &format!(
                "\n  {} of {date}: {} at {} ({} … {}), expiration {}\n",
                if row.implied_from == Some("chain") { "Chain" } else { "Straddle" },
                plain(row.straddle, 2),
                percent_of(Some(move_)),
                plain(row.lower_bound, 2),
                plain(row.upper_bound, 2),
                or_missing(&row.expiration),
            );
        }
        if let Some(history) = &row.history {
            out += &history_line(history, self.tiers.metric);
            // A range has no direction.
            let is_range = self.tiers.metric == "intraday_move";
            let size =
                |size| if is_range { percent_of(Some(size)) } else { signed(Some(size), 2, "%") };
            let moves = row.moves.iter().take(3);
            let moves: Vec<String> =
                moves.map(|of| format!("{} {}", of.earnings_date, size(of.size))).collect();
            out += &format!("  Newest: {}\n", moves.join(", "));
        }
        if let Some(skew) = &row.skew {
            let points = plain(skew.iv_90_minus_110, 1);
            let bias = skew.directional_bias.unwrap_or(MISSING);
            out +=
                &format!("  Smile: 90 % less 110 % of spot {points} points; parity says {bias}\n");
        }
        if let Some(term) = &row.term {
            let slope = term.slope_per_30d;
            out += &format!("  Term structure: {}, {slope:+.1} points a 30 days\n", term.state);
        }
        out
    }
}

impl Document for Vrp {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            let day = self.date.as_ref().map_or("today".to_owned(), |date| format!("on {date}"));
            return format!("The calendar has no announcement {day}.\n");
        }
        let summary = &self.summary;
        let mut out = self.ranked(look) + &self.alone() + &self.reasons(look);
        out += &format!(
            "\n  {} looked at: {} with a ratio, {} of them tradeable; {} without enough past moves, \
             {} without an implied move{}\n",
            summary.symbols,
            summary.analysed,
            summary.tradeable,
            summary.no_history,
            summary.no_implied_move,
            match summary.errors {
                0 => String::new(),
                errors => format!(", {errors} failed"),
            },
        );
        out += &format!(
            "  Past moves{} by {}; tiers {}: EXCELLENT from {}, GOOD from {}, MARGINAL from {}\n",
            metric_words(self.tiers.metric),
            self.projection,
            self.tiers.id,
            self.tiers.excellent,
            self.tiers.good,
            self.tiers.marginal,
        );
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        let mut grid = Grid::of(&VRP, &self.rows);
        // Sentences, which one cell tells apart by more than blanks.
        grid.columns.push("reasons".to_owned());
        for (cells, row) in grid.rows.iter_mut().zip(&self.rows) {
            cells.push(row.reasons.join("; ").into());
        }
        grid
    }
}

const VRP: [&str; 20] = [
    "symbol",
    "name",
    "status",
    "earnings_date",
    "timing",
    "date",
    "expiration",
    "stock_price",
    "straddle",
    "implied_move",
    "mean_move",
    "vrp",
    "edge_score",
    "tier",
    "n",
    "score",
    "liquidity",
    "tradeable",
    "projection",
    "method",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_a_word() {
        let short = |name: &str| super::short(Some(&name.to_owned()));
        assert_eq!(short("Test, Inc."), "Test, Inc.");
        assert_eq!(short("A Very Long Company Name"), "A Very Long Company");
        assert_eq!(short("Donaudampfschifffahrtsgesellschaft"), "Donaudampfschifffahr");
        assert_eq!(super::short(None), MISSING);
    }
}
