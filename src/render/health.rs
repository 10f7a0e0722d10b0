//! `health`: one line a check.

use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::Health;

impl Document for Health {
    fn text(&self, look: &Look) -> String {
        let mut table = Table::new(look, &["check", "state", "ms", "found"]);
        for check in &self.checks {
            let state = match check.healthy {
                Some(true) => "✓ healthy",
                Some(false) => "✗ not in order",
                None => "– skipped",
            };
            let latency = format!("{:.1}", check.latency_ms);
            table.row([check.name.to_owned(), state.to_owned(), latency, check.note.clone()]);
        }
        table.finish()
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.checks)
    }

    fn grid(&self) -> Grid {
        Grid::of(&["name", "healthy", "latency_ms", "note"], &self.checks)
    }
}
