//! What became of a batch that was split.

use super::numbers::{count, counted};
use super::table::Table;
use super::{Document, Grid, Look};
use crate::app::report::SplitReport;

impl Document for SplitReport {
    fn text(&self, look: &Look) -> String {
        let mut out = format!("Split {} by symbol; both parts wait for a decision\n", self.batch);
        let mut table = Table::new(look, &["", "batch", ">symbols", ">rows", ">rejected"]);
        for (what, part) in [("chosen", &self.chosen), ("rest", &self.rest)] {
            let counts = [count(part.symbols), count(part.rows), count(part.rejected)];
            let [symbols, rows, rejected] = counts;
            table.row([what.to_owned(), part.batch.clone(), symbols, rows, rejected]);
        }
        out += &table.finish();
        let root: String = self.log_root.chars().take(12).collect();
        let both = counted(self.chosen.rows + self.rest.rows, "row");
        out + &format!(
            "  {} is discarded, {both} went over. Head #{} {root}\n",
            self.batch, self.position
        )
    }

    fn grid(&self) -> Grid {
        let parts = [&self.chosen, &self.rest];
        Grid::of(&["batch", "symbols", "rows", "rejected", "token"], &parts)
    }
}
