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
        // The mean follows from what stands beside it, and ranks come without too few observations.
        let means = [(9, "ma20"), (8, "n of 2y"), (5, "n of 1y")];
        let ranks = [(7, "pct 2y"), (6, "rank 2y"), (1, "date")];
        table.spare(&[means, ranks].concat());
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
        out += &look.below(
            "rank: place between lowest and highest of the window, this day included; pct: share of \
             the n observations before it that are lower. Fewer than 252 (two years: 378) give none.",
        );
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        Grid::whole(&self.rows)
    }
}

impl Document for Snapshot {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return "No symbol is known there.\n".to_owned();
        }
        let headings = [
            "symbol", "iv of", ">spot", ">iv", ">hv20", ">hv252", ">rank 1y", ">pct 1y",
            ">iv-hv20", ">term", ">skew", "",
        ];
        // In a narrow terminal the day makes room, and the exceptions are noted.
        let usual = self.rows.iter().filter_map(|row| row.iv_date.as_ref()).max();
        let usual = usual.filter(|_| look.width.is_some_and(|width| width < 100));
        let mut table = Table::new(look, &headings);
        let mut spare = vec![(5, "hv252"), (7, "pct 1y"), (8, "iv-hv20"), (10, "skew")];
        if usual.is_some() {
            spare.insert(0, (1, ""));
        }
        table.spare(&spare);
        for row in &self.rows {
            let SnapshotRow { iv_date, spot_date, hv_date, .. } = row;
            // Whatever is of another day than the volatility says so.
            let other = |name: &str, date: &Option<String>| match date {
                Some(date) if Some(date) != iv_date.as_ref() => format!("{name} of {date} "),
                _ => String::new(),
            };
            let mut note = match (iv_date, usual) {
                (Some(date), Some(usual)) if date != usual => format!("iv of {date} "),
                _ => String::new(),
            };
            note += &(other("spot", spot_date) + &other("hv", hv_date));
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
        let mut out = table.finish();
        if let Some(usual) = usual {
            out += &format!("  Volatilities are of {usual} where no other day is noted\n");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::RankRow;

    fn texts(document: &impl Document) -> [String; 3] {
        [Some(80), Some(120), None].map(|width| document.text(&Look { width, unicode: true }))
    }

    fn fits(text: &str, width: usize) {
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
    }

    #[test]
    fn ranks_do_without_some_columns_in_a_narrow_terminal_and_say_which() {
        let row = RankRow {
            symbol: "GOOGL".to_owned(),
            date: "2025-12-12".to_owned(),
            atm_iv: Some(1.2056),
            iv_rank_252: Some(100.0),
            iv_percentile_252: Some(100.0),
            n_252: 252,
            iv_rank_504: Some(8.746),
            iv_percentile_504: Some(7.9),
            n_504: 504,
            iv_ma20: Some(0.3),
            iv_vs_ma20: Some(-0.31),
        };
        let rank = Rank { position: 1, which: None, rows: vec![row] };
        let [narrow, wide, piped] = texts(&rank);
        fits(&narrow, 80);
        assert!(narrow.contains("rank 2y") && narrow.contains("-31.0 %"), "{narrow}");
        assert!(narrow.contains("Not shown for want of width: ma20"), "{narrow}");
        assert!(!narrow.contains("30.00 %"), "{narrow}");
        assert!(wide == piped && wide.contains("30.00 %"), "{wide}");
    }

    #[test]
    fn a_narrow_snapshot_notes_the_days_that_are_not_the_newest() {
        let of = |symbol: &str, day: &str, hv: &str| SnapshotRow {
            symbol: symbol.to_owned(),
            spot: Some(1234.5),
            spot_date: Some(day.to_owned()),
            atm_iv: Some(1.0),
            iv_date: Some(day.to_owned()),
            hv20: Some(1.0),
            hv252: Some(1.0),
            hv_date: Some(hv.to_owned()),
            iv_rank_252: Some(100.0),
            iv_percentile_252: Some(100.0),
            iv_vs_hv20: Some(-0.253),
            term_m1_m2: Some(-0.25),
            skew: Some(-0.25),
            ..SnapshotRow::default()
        };
        let one = "2025-12-12";
        let rows = vec![of("GOOGL", one, one)];
        let mut snapshot = Snapshot { position: 1, which: None, rows };
        let [narrow, wide, piped] = texts(&snapshot);
        fits(&narrow, 80);
        assert!(narrow.contains("Volatilities are of 2025-12-12") && wide == piped, "{narrow}");
        assert!(narrow.contains("pct 1y") && narrow.contains("skew"), "{narrow}");
        snapshot.rows.push(of("AAPL", "2025-12-11", "2025-12-10"));
        let [narrow, wide, piped] = texts(&snapshot);
        fits(&narrow, 80);
        assert!(narrow.contains("iv of 2025-12-11"), "{narrow}");
        assert!(narrow.contains("width: hv252, pct 1y, iv-hv20"), "{narrow}");
        fits(&wide, 120);
        assert!(!piped.contains("iv of 2025-12-11") && piped.contains("hv252"), "{piped}");
    }
}
