//! Projections: the list, one of them, what was refreshed, and two side by side.

use super::numbers::{self, MISSING, count, counted};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{
    ProjectionChanged, ProjectionDiff, ProjectionList, ProjectionShown, Refresh, Refreshed,
};
use serde_json::Value as Json;

/// Most differences of a table for people; the other forms have all.
const SHOWN: usize = 200;

fn maybe(number: Option<u64>) -> String {
    number.map_or_else(|| MISSING.to_owned(), count)
}

fn short(digest: Option<&String>) -> String {
    digest.map_or(MISSING, |digest| numbers::short(digest)).to_owned()
}

impl Document for ProjectionList {
    fn text(&self, look: &Look) -> String {
        let mut table = Table::new(
            look,
            &["projection", "kind", "state", ">at", ">symbols", ">rows", "digest", "made from"],
        );
        table.spare(&[(6, "digest"), (3, "at"), (1, "kind")]);
        for line in &self.projections {
            let other = if line.promoted { "" } else { " (not promoted)" };
            let parts = line.stale_parts.map(|parts| format!(" ({})", counted(parts, "symbol")));
            table.row([
                format!("{}@{}{other}", line.name, line.version),
                line.kind.to_owned(),
                format!("{}{}", line.state, parts.unwrap_or_default()),
                line.at.map_or_else(|| MISSING.to_owned(), |at| format!("#{at}")),
                maybe(line.symbols),
                maybe(line.rows),
                short(line.digest.as_ref()),
                line.inputs.join(", "),
            ]);
        }
        let mut out = format!("Projections at #{}\n{}", self.position, table.finish());
        for line in &self.projections {
            if let Some(error) = &line.error {
                out += &format!("  ! {}@{}: {error}\n", line.name, line.version);
            }
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.projections)
    }

    fn grid(&self) -> Grid {
        let columns =
            ["name", "version", "kind", "promoted", "state", "at", "symbols", "rows", "digest"];
        Grid::of(&columns, &self.projections)
    }
}

impl Document for ProjectionShown {
    fn text(&self, look: &Look) -> String {
        let line = &self.line;
        let mut out = format!("{}@{}: {}\n", line.name, line.version, self.about);
        out += &format!("  {}, {}", line.kind, line.state);
        if let Some(at) = line.at {
            out += &format!(" at #{at}");
        }
        let how = if self.by_symbol { "for each symbol" } else { "whole" };
        out += &format!("; made from {}, answered {how}\n", line.inputs.join(", "));
        let mut table = Table::new(look, &["column", "holds"]);
        for (name, about) in &self.columns {
            table.row([name.clone(), about.clone()]);
        }
        out += &table.finish();
        if let Some(query) = &self.sql {
            out += &format!("\n{}\n", query.trim_end());
        }
        out
    }

    fn grid(&self) -> Grid {
        let row =
            |(name, about): &(String, String)| vec![name.clone().into(), about.clone().into()];
        let columns = vec!["column".to_owned(), "holds".to_owned()];
        Grid { columns, rows: self.columns.iter().map(row).collect() }
    }
}

/// What became of projections, a line each.
pub(super) fn refreshed(done: &[Refreshed], look: &Look) -> String {
    let mut table =
        Table::new(look, &["projection", "state", ">symbols", ">rows", ">at", "digest"]);
    for of in done {
        table.row([
            of.projection.clone(),
            of.state.to_owned(),
            count(of.parts),
            count(of.rows),
            of.position.map_or_else(|| MISSING.to_owned(), |at| format!("#{at}")),
            short(of.digest.as_ref()),
        ]);
    }
    let mut out = table.finish();
    for of in done {
        if let Some(error) = &of.error {
            out += &format!("  ! {}: {error}\n", of.projection);
        }
    }
    out
}

impl Document for Refresh {
    fn text(&self, look: &Look) -> String {
        match self.projections.is_empty() {
            true => "No projection is kept\n".to_owned(),
            false => refreshed(&self.projections, look),
        }
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.projections)
    }

    fn grid(&self) -> Grid {
        let columns = ["projection", "state", "parts", "rows", "position", "digest", "error"];
        Grid::of(&columns, &self.projections)
    }
}

impl Document for ProjectionChanged {
    fn text(&self, look: &Look) -> String {
        let id = &self.projection;
        let name = id.split('@').next().unwrap_or_default();
        let mut out = match self.action {
            "add" => format!("{id} is kept\n"),
            "promote" => format!("{name} means {id}\n"),
            "drop" => format!("{id} is not kept any more\n"),
            _ => format!("Nothing to do for {id}\n"),
        };
        if let Some(done) = &self.refreshed {
            out += &refreshed(std::slice::from_ref(done), look);
        }
        out
    }

    fn grid(&self) -> Grid {
        Grid::of(&["action", "projection", "promoted", "position"], std::slice::from_ref(self))
    }
}

impl Document for ProjectionDiff {
    fn text(&self, look: &Look) -> String {
        let mut out = format!(
            "{} and {} at #{}: {} the same, {} different, {} only in {}, {} only in {}\n",
            self.a,
            self.b,
            self.position,
            counted(self.same, "row"),
            count(self.changed),
            count(self.only_a),
            self.a,
            count(self.only_b),
            self.b
        );
        if !self.other_columns.is_empty() {
            let names = self.other_columns.join(", ");
            out += &format!("  not compared, one of them lacks it: {names}\n");
        }
        if self.changes.is_empty() {
            return out;
        }
        let mut names: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let (a, b) = (format!(">{}", self.a), format!(">{}", self.b));
        names.extend(["column", &a, &b]);
        let mut table = Table::new(look, &names);
        for change in self.changes.iter().take(SHOWN) {
            let mut row: Vec<String> = change.key.iter().map(cell).collect();
            row.push(change.column.clone().unwrap_or_else(|| "(row)".to_owned()));
            row.extend([cell(&change.a), cell(&change.b)]);
            table.row(row);
        }
        out += &table.finish();
        if self.changes.len() > SHOWN {
            out += &format!("  The first {SHOWN} are shown; all with `-o csv` or `--json`\n");
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.changes)
    }

    fn grid(&self) -> Grid {
        let columns = self.keys.iter().cloned();
        let columns = columns.chain(["column", "a", "b"].map(str::to_owned)).collect();
        let row = |change: &crate::app::report::ProjectionChange| {
            let column = change.column.clone().map_or(Json::Null, Json::from);
            let mut row = change.key.clone();
            row.extend([column, flat(&change.a), flat(&change.b)]);
            row
        };
        Grid { columns, rows: self.changes.iter().map(row).collect() }
    }
}

/// A value that fits into a cell.
fn flat(value: &Json) -> Json {
    match value {
        Json::Array(_) | Json::Object(_) => value.to_string().into(),
        other => other.clone(),
    }
}

/// A value of a projection for a person.
pub fn cell(value: &Json) -> String {
    match value {
        Json::Null => MISSING.to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
