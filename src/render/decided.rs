//! What a decision did, and how two positions differ.

use super::changes::Named;
use super::numbers::{count, counted, noun, short};
use super::table::{Side, Table};
use super::{Document, Grid, Look, changes, json};
use crate::app::report::{BatchChange, ChangeLine, Decided, PositionDiff};

/// What happened, as a verb in the past: `Rolled back`.
pub fn verb(action: &str) -> &'static str {
    match action {
        "commit" => "Confirmed",
        "discard" => "Discarded",
        "rollback" => "Rolled back",
        "reinstate" => "Reinstated",
        "supersede" => "Superseded",
        _ => "Nothing to do",
    }
}

impl Decided {
    /// The batches that what happened is said of: replacing one by another, and undoing that, moves both.
    fn named(&self) -> Vec<&str> {
        let meant = |to: &str| match self.action {
            "supersede" => to == "superseded",
            "reinstate" => to == "active" || to == "staged",
            _ => true,
        };
        let named = self.batches.iter().filter(|change| meant(change.to));
        named.map(|change| change.batch.as_str()).collect()
    }
}

impl Document for Decided {
    fn text(&self, look: &Look) -> String {
        let names = self.named();
        if self.action == "none" {
            return format!("Nothing to do {}\n", names.join(" ")).trim_end().to_owned() + "\n";
        }
        let verb = verb(self.action);
        let mut out = match (self.plan, self.via) {
            (true, via) => {
                let lower = if self.action == "commit" { "confirm" } else { self.action };
                let via = via.map(|via| format!(" ({via})")).unwrap_or_default();
                format!("Plan, nothing appended: {lower} {}{via}\n", names.join(" "))
            }
            (false, Some(via)) => {
                let first = if via == "undo" { "Undid" } else { "Redid" };
                let lower = verb.to_lowercase();
                format!("{first} the last decision: {lower} {}\n", names.join(" "))
            }
            (false, None) => format!("{verb} {}\n", names.join(" ")),
        };
        let mut table = Table::bare(look, vec![Side::Left; 2]);
        for BatchChange { batch, from, to } in &self.batches {
            table.row([batch.clone(), format!("{from} → {to}")]);
        }
        out += &table.finish();
        if let Some(reason) = &self.reason {
            out += &format!("  reason: {reason}\n");
        }
        let mut table = Table::bare(look, vec![Side::Left; 5]);
        let shown = if self.plan { "would be shown" } else { "shown now" };
        for view in self.changes.iter().filter(|view| view.symbols > 0) {
            let (days, symbols) =
                (counted(view.days, noun(view.series)), counted(view.symbols, "symbol"));
            table.row([
                format!("view {}", view.series),
                format!("+ {}", count(view.added)),
                format!("~ {}", count(view.changed)),
                format!("- {}", count(view.removed)),
                format!("{}s; {days} of {symbols} {shown}", noun(view.series)),
            ]);
        }
        let unchanged = "  no day that is shown changes\n".to_owned();
        out += &if table.is_empty() { unchanged } else { table.finish() };
        for of in self.projections.iter().filter(|of| of.state != "current") {
            out += &match &of.error {
                Some(error) => format!("  ! projection {} failed: {error}\n", of.projection),
                None => {
                    let parts = counted(of.parts, "part");
                    format!("  projection {} is current again: {parts} computed\n", of.projection)
                }
            };
        }
        if !self.plan {
            let root = short(&self.log_root);
            out += &format!("  Head #{} {root}\n", self.position);
        }
        out
    }

    fn grid(&self) -> Grid {
        Grid::of(&["batch", "from", "to"], &self.batches)
    }
}

impl Document for PositionDiff {
    fn text(&self, look: &Look) -> String {
        let mut out = format!("From #{} to #{}\n", self.from, self.to);
        let mut table = Table::bare(look, vec![Side::Left, Side::Left, Side::Right]);
        for (kind, number) in &self.counts {
            table.row([changes::sign(kind).to_owned(), (*kind).to_owned(), count(*number)]);
        }
        out += &table.finish();
        if self.changes.is_empty() {
            return out + "  The views are the same.\n";
        }
        let shown: Vec<&ChangeLine> = self.changes.iter().collect();
        let (old, new) = (format!("at #{}", self.from), format!("at #{}", self.to));
        out + "\n" + &changes::table(&shown, Named { view: true, symbol: true }, (&old, &new), look)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.changes)
    }

    fn grid(&self) -> Grid {
        let columns = ["kind", "series", "symbol", "date", "field", "old", "new", "delta_points"];
        Grid::of(&columns, &self.changes)
    }
}
