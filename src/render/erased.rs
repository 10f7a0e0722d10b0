//! Erasures: `erase`, `retention apply`.

use super::numbers::{MISSING, count, counted, size};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::ErasedReport;

impl Document for ErasedReport {
    fn text(&self, look: &Look) -> String {
        if self.batches.is_empty() {
            return "Nothing to erase.\n".to_owned();
        }
        let verb = if self.plan { "Would erase" } else { "Erased" };
        let entry = self.entry.map(|entry| format!(" as #{entry}")).unwrap_or_default();
        let (events, reason) = (counted(self.events, "event"), look.cell(&self.reason));
        let mut out = format!("{verb} {events}, {}{entry}: {reason}\n", size(self.bytes));
        let headings =
            ["batch", "state", ">events", "of", "series", ">symbols", "from", "to", "source bytes"];
        let mut table = Table::new(look, &headings);
        let missing = |text: &Option<String>| text.clone().unwrap_or_else(|| MISSING.to_owned());
        for part in &self.batches {
            table.row([
                part.batch.clone(),
                part.state.to_owned(),
                count(part.events),
                count(part.of),
                part.series.join(" "),
                count(part.symbols),
                missing(&part.from),
                missing(&part.to),
                part.sources.join(" "),
            ]);
        }
        out += &table.finish();
        out + "  The kept bytes of these sources go whole; other rows of theirs stay as events.\n"
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.batches)
    }

    fn grid(&self) -> Grid {
        let columns = [
            "batch", "state", "events", "of", "series", "symbols", "from", "to", "bytes", "sources",
        ];
        Grid::of(&columns, &self.batches)
    }
}
