//! Ranks and snapshots.

use super::numbers::{or_missing, percent_of, plain, signed};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{Rank, Snapshot};

/// The line below a table of the earliest values.
pub(super) fn first_values(which: Option<&str>) -> &'static str {
    match which {
        Some(_) => "  From the values that were confirmed first\n",
        None => "",
    }
}

/// What tables of implied volatility say where none of the symbols has any.
pub(super) const NO_IV: &str = "No symbol has an implied volatility there.\n";

/// Whatever of a line is of another day than its volatility, or that all of it is old. Where the
/// volatility's own day has no column it is named too, unless it is the usual one.
pub(super) fn note(
    [iv, spot, hv]: [&Option<String>; 3],
    stale: bool,
    usual: Option<&String>,
) -> String {
    let other = |name: &str, date: &Option<String>| match date {
        Some(date) if Some(date) != iv.as_ref() => format!("{name} of {date} "),
        _ => String::new(),
    };
    let own = usual.zip(iv.as_ref()).filter(|(usual, own)| usual != own);
    let own = own.map(|(_, own)| format!("iv of {own} ")).unwrap_or_default();
    let note = own + &other("spot", spot) + &other("hv", hv);
    match stale && note.is_empty() {
        true => "old".to_owned(),
        false => note.trim_end().to_owned(),
    }
}

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
                percent_of(row.atm_iv),
                plain(row.iv_rank_252, 1),
                plain(row.iv_percentile_252, 1),
                row.n_252.to_string(),
                plain(row.iv_rank_504, 1),
                plain(row.iv_percentile_504, 1),
                row.n_504.to_string(),
                percent_of(row.iv_ma20),
                signed(row.iv_vs_ma20, 1, "%"),
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
            table.row([
                row.symbol.clone(),
                or_missing(&row.iv_date),
                plain(row.spot, 2),
                percent_of(row.atm_iv),
                percent_of(row.hv20),
                percent_of(row.hv252),
                plain(row.iv_rank_252, 1),
                plain(row.iv_percentile_252, 1),
                signed(row.iv_vs_hv20, 1, "pts"),
                plain(row.term_m1_m2, 2),
                plain(row.skew, 2),
                note([&row.iv_date, &row.spot_date, &row.hv_date], row.stale, usual),
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
    use crate::app::report::{RankRow, SnapshotRow};

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
        assert!(narrow.contains("rank 2y") && narrow.contains("−31.0 %"), "{narrow}");
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
