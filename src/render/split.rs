//! What became of a batch that was split.

use super::numbers::{count, counted, short};
use super::table::Table;
use super::{Document, Grid, Look};
use crate::app::report::SplitReport;
use crate::domain::BatchState;

impl Document for SplitReport {
    fn text(&self, look: &Look) -> String {
        let mut out = format!("Split {} by symbol; {}\n", self.batch, self.states());
        let mut table = Table::new(look, &["", "batch", "state", ">symbols", ">rows", ">rejected"]);
        for (what, part) in [("chosen", &self.chosen), ("rest", &self.rest)] {
            let counts = [count(part.symbols), count(part.rows), count(part.rejected)];
            let [symbols, rows, rejected] = counts;
            let (batch, state) = (part.batch.clone(), part.state.to_owned());
            table.row([what.to_owned(), batch, state, symbols, rows, rejected]);
        }
        out += &table.finish();
        let root = short(&self.log_root);
        let both = counted(self.chosen.rows + self.rest.rows, "row");
        out + &format!(
            "  {} is discarded, {both} went over. Head #{} {root}\n",
            self.batch, self.position
        )
    }

    fn grid(&self) -> Grid {
        let parts = [&self.chosen, &self.rest];
        Grid::of(&["batch", "state", "symbols", "rows", "rejected", "token"], &parts)
    }
}

impl SplitReport {
    /// What the two parts wait for.
    fn states(&self) -> String {
        let both = [&self.chosen, &self.rest];
        let (waits, here): (Vec<_>, Vec<_>) =
            both.into_iter().partition(|part| part.state == BatchState::Staged.name());
        match (waits.as_slice(), here.as_slice()) {
            ([], _) => "both parts counted already".to_owned(),
            ([one], [other]) => {
                let (one, other) = (&one.batch, &other.batch);
                format!("{one} waits for a decision, {other} counted already")
            }
            _ => "both parts wait for a decision".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::SplitPart;

    #[test]
    fn a_part_that_counts_already_waits_for_nothing() {
        let part = |batch: &str, state| {
            let (batch, token) = (batch.to_owned(), None);
            SplitPart { batch, state, symbols: 1, rows: 1, rejected: 0, token }
        };
        for (one, other, told) in [
            ("staged", "staged", "both parts wait for a decision"),
            ("active", "staged", "b3 waits for a decision, b2 counted already"),
            ("staged", "active", "b2 waits for a decision, b3 counted already"),
            ("active", "active", "both parts counted already"),
        ] {
            let report = SplitReport {
                batch: "b1".to_owned(),
                position: 9,
                log_root: "00".to_owned(),
                chosen: part("b2", one),
                rest: part("b3", other),
            };
            assert_eq!(report.states(), told);
        }
    }
}
