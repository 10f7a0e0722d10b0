//! The health of the data.

use super::metrics::first_values;
use super::numbers::{MISSING, count};
use super::table::{Side, Table};
use super::{Document, Grid, Look, json, review};
use crate::app::report::{Announced, Coverage, GapLine, Span, SymbolCoverage};
use serde_json::Value as Json;

/// Columns that the wide form wants.
const WIDE: u16 = 172;

/// The share of missing days, and nothing where none is missing.
fn share(span: &Span) -> String {
    match span.missing {
        0 => String::new(),
        _ => format!("{:.1} %", span.missing_percent),
    }
}

fn days(span: Option<&Span>) -> String {
    span.map_or_else(|| MISSING.to_owned(), |span| format!("{} … {}", span.from, span.to))
}

/// The next announcement, or else the latest, and how many there are.
fn announcements(announced: Option<&Announced>) -> (String, String) {
    let Some(announced) = announced else { return (MISSING.to_owned(), String::new()) };
    let latest = || Some(format!("after {}", announced.latest.as_ref()?));
    let told = announced.next.clone().or_else(latest).unwrap_or_default();
    (told, count(announced.days))
}

/// What of a symbol's issues belongs to a series.
fn issues_of(row: &SymbolCoverage, series: &str) -> String {
    let other = format!("missing_{series}");
    let own = |issue: &&String| issue.starts_with(&format!("{series}_")) || **issue == other;
    row.issues.iter().filter(own).cloned().collect::<Vec<_>>().join(" ")
}

impl Coverage {
    /// One line a symbol.
    fn wide(&self, look: &Look) -> String {
        let headings =
            ["symbol", "spot", ">", "hv", ">", "iv", ">", ">iv > 0", "earnings", ">", "issues"];
        let mut table = Table::new(look, &headings);
        for row in &self.rows {
            let mut cells = vec![row.symbol.clone()];
            for span in [&row.spot, &row.hv, &row.iv] {
                cells.push(days(span.as_ref()));
                cells.push(span.as_ref().map(share).unwrap_or_default());
            }
            cells.push(count(row.iv_valid));
            cells.extend(<[String; 2]>::from(announcements(row.earnings.as_ref())));
            cells.push(row.issues.join(" "));
            table.row(cells);
        }
        table.finish()
    }

    /// A line for each series of a symbol, for narrow terminals.
    fn narrow(&self, look: &Look) -> String {
        let headings = ["symbol", "", "days", ">missing", ">n", "issues"];
        let mut table = Table::new(look, &headings);
        table.spare(&[(4, "n"), (3, "missing"), (2, "days")]);
        for row in &self.rows {
            let parts = [("spot", &row.spot), ("hv", &row.hv), ("iv", &row.iv)];
            for (index, (series, span)) in parts.into_iter().enumerate() {
                let span = span.as_ref();
                let number = match series {
                    "iv" => row.iv_valid,
                    _ => span.map_or(0, |span| span.days),
                };
                table.row([
                    if index == 0 { row.symbol.clone() } else { String::new() },
                    series.to_owned(),
                    days(span),
                    span.map(share).unwrap_or_default(),
                    count(number),
                    issues_of(row, series),
                ]);
            }
            let (told, number) = announcements(row.earnings.as_ref());
            let issues = issues_of(row, "earnings");
            let empty = String::new;
            table.row([empty(), "earnings".to_owned(), told, empty(), number, issues]);
        }
        table.finish()
    }

    /// The holes of every series, the largest few of each.
    fn holes(&self, look: &Look) -> String {
        let mut table = Table::bare(look, vec![Side::Left; 3]);
        for row in &self.rows {
            for series in ["spot", "hv", "iv"] {
                let own = row.holes.iter().filter(|hole| hole.series == series);
                let mut gaps: Vec<GapLine> = own.map(|hole| hole.gap.clone()).collect();
                if gaps.is_empty() {
                    continue;
                }
                gaps.sort_by_key(|gap| std::cmp::Reverse(gap.missing));
                table.row([row.symbol.clone(), series.to_owned(), review::gaps(&gaps, 3)]);
            }
        }
        match table.is_empty() {
            true => String::new(),
            false => {
                format!("\nHoles of five trading days or more\n{}", table.finish())
            }
        }
    }
}

impl Document for Coverage {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return "No symbol is known there.\n".to_owned();
        }
        let mut out = match look.width {
            Some(width) if width < WIDE => self.narrow(look),
            _ => self.wide(look),
        };
        out += &self.holes(look);
        let sound = self.rows.iter().filter(|row| row.issues.is_empty()).count();
        let told = format!(
            "\n  {sound} of {} symbols without an issue, seen from {} at #{}\n",
            self.rows.len(),
            self.date,
            self.position
        );
        out += &look.flow(&told);
        let shares =
            "  Shares: trading days missing between first and last. Every hole: `--json`\n";
        out += &look.flow(shares);
        out + first_values(self.which)
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        let parts = ["from", "to", "days", "expected", "missing", "missing_percent"];
        let mut columns = vec!["symbol".to_owned()];
        for series in ["spot", "hv", "iv"] {
            columns.extend(parts.map(|part| format!("{series}_{part}")));
        }
        columns.push("iv_valid".to_owned());
        let calendar = ["next", "latest", "days"];
        columns.extend(calendar.map(|part| format!("earnings_{part}")));
        columns.push("issues".to_owned());
        let mut rows = Vec::new();
        for row in &self.rows {
            let mut cells: Vec<Json> = vec![row.symbol.clone().into()];
            for span in [&row.spot, &row.hv, &row.iv] {
                let span = serde_json::to_value(span).unwrap_or(Json::Null);
                cells.extend(parts.map(|part| span.get(part).cloned().unwrap_or(Json::Null)));
            }
            cells.push(row.iv_valid.into());
            let announced = serde_json::to_value(&row.earnings).unwrap_or(Json::Null);
            let part = |part| announced.get(part).cloned().unwrap_or(Json::Null);
            cells.extend(calendar.map(part));
            cells.push(row.issues.join(" ").into());
            rows.push(cells);
        }
        Grid { columns, rows }
    }
}
