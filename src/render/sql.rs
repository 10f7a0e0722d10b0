//! The answer to a query.

use super::projection::cell;
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::sql::{Screen, SqlAnswer};
use serde_json::Value as Json;

/// Most rows of a table for people; the other forms have all.
const SHOWN: usize = 1_000;

impl Document for SqlAnswer {
    fn text(&self, look: &Look) -> String {
        // A column of numbers stands right, as its heading says.
        let number = |index: usize| {
            let mut cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.any(Json::is_number)
                && !self.rows.iter().any(|r| r.get(index).is_some_and(Json::is_string))
        };
        let headings = self.columns.iter().enumerate();
        let headings: Vec<String> = headings
            .map(|(index, name)| if number(index) { format!(">{name}") } else { name.clone() })
            .collect();
        let names: Vec<&str> = headings.iter().map(String::as_str).collect();
        let mut table = Table::new(look, &names);
        for row in self.rows.iter().take(SHOWN) {
            table.row(row.iter().map(cell));
        }
        let mut out = table.finish();
        out += &format!(
            "  {} at #{}\n",
            super::numbers::counted(self.rows.len() as u64, "row"),
            self.position
        );
        if self.rows.len() > SHOWN {
            out += &format!("  The first {SHOWN} are shown; all with `-o csv` or `--json`\n");
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        // Of two columns with one name both are kept: an object has each name once.
        let mut names: Vec<String> = Vec::new();
        for column in &self.columns {
            let free = |name: &String| !names.contains(name);
            let others = (2..).map(|n| format!("{column}_{n}"));
            let name = std::iter::once(column.clone()).chain(others).find(free);
            names.extend(name);
        }
        let object = |row: &Vec<Json>| {
            let pairs = names.iter().cloned().zip(row.iter().cloned());
            Json::Object(pairs.collect()).to_string()
        };
        self.rows.iter().map(object).collect()
    }

    fn grid(&self) -> Grid {
        Grid { columns: self.columns.clone(), rows: self.rows.clone() }
    }
}

impl Document for Screen {
    fn text(&self, look: &Look) -> String {
        let shown = [
            ("symbol", "symbol"),
            ("iv_date", "date"),
            ("atm_iv", ">atm_iv"),
            ("iv_rank_252", ">rank 1y"),
            ("iv_percentile_252", ">pct 1y"),
            ("iv_rank_504", ">rank 2y"),
            ("iv_percentile_504", ">pct 2y"),
            ("iv_vs_ma20", ">vs ma20"),
            ("hv20", ">hv20"),
            ("term_m1_m2", ">term"),
            ("skew", ">skew"),
        ];
        let headings = shown.map(|(_, heading)| heading);
        let mut table = Table::new(look, &headings);
        for row in &self.rows {
            table.row(shown.map(|(name, _)| match row.get(name) {
                Some(Json::Number(number)) => {
                    let value = number.as_f64().unwrap_or(f64::NAN);
                    match name {
                        "atm_iv" | "hv20" | "iv_vs_ma20" => format!("{:.2} %", value * 100.0),
                        _ => format!("{value:.2}"),
                    }
                }
                Some(other) => cell(other),
                None => cell(&Json::Null),
            }));
        }
        let mut out = if self.rows.is_empty() { String::new() } else { table.finish() };
        let (hits, all) = (self.rows.len(), self.symbols);
        out += &format!("  {hits} of {all} symbols at #{}\n", self.position);
        if self.unknown > 0 {
            out += &format!("  {} lack a value that the condition needs\n", self.unknown);
        }
        out + super::metrics::first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        let row = |row: &serde_json::Map<String, Json>| {
            self.columns.iter().map(|name| row.get(name).cloned().unwrap_or(Json::Null)).collect()
        };
        Grid { columns: self.columns.clone(), rows: self.rows.iter().map(row).collect() }
    }
}
