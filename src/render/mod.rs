//! Turns reports into text: tables for people, JSON, CSV and Markdown for programs and notes.
//!
//! No I/O of its own, no terminal, no colour: what a page depends on comes in with [`Look`]. Signs carry the
//! meaning (`+ ~ ≈ = -`), the front end may colour them. A report knows how to show itself by
//! implementing [`Document`]; the four formats follow from that.

mod audit;
mod changes;
mod chart;
mod config;
mod coverage;
mod csv;
mod days;
mod decided;
mod earnings;
mod entry;
mod erased;
mod fetch;
mod health;
mod heat;
mod html;
pub mod ink;
pub mod json;
mod markdown;
mod metrics;
pub mod numbers;
mod overview;
pub mod projection;
mod proof;
mod recover;
mod review;
mod split;
mod sql;
mod svg;
mod table;
mod tables;
mod view;

pub use changes::{difference, sign};
pub use days::kind_name;
pub use decided::verb;
pub use entry::entry_line;
pub use fetch::{FetchPage, grouped, refused};
pub use html::{CHART_SCRIPT, CONTROLS, Figure, Page, audit_page};
pub use review::ReviewPage;
pub use svg::{PICTURE_STYLE, Picture};
pub use table::{ascii, wrapped};
pub use view::ViewText;

use serde_json::Value as Json;

/// What a page depends on besides the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; `None` for a pipe, which is never cut.
    pub width: Option<u16>,
    /// Whether signs beyond ASCII can be shown.
    pub unicode: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: None, unicode: true }
    }
}

/// The form in which a report goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a header.
    Csv,
    /// A table for notes.
    Markdown,
}

/// Rows and columns of plain values, for CSV and Markdown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value for every column.
    pub rows: Vec<Vec<Json>>,
}

impl Grid {
    /// A grid of serialised objects: the named members of each, `null` where one is missing.
    pub fn of<T: serde::Serialize>(columns: &[&str], items: &[T]) -> Self {
        let row = |item: &T| {
            let value = serde_json::to_value(item).unwrap_or(Json::Null);
            let cell = |name: &&str| value.get(*name).cloned().unwrap_or(Json::Null);
            columns.iter().map(cell).collect()
        };
        let columns_owned = columns.iter().map(|name| (*name).to_owned()).collect();
        Self { columns: columns_owned, rows: items.iter().map(row).collect() }
    }

    /// A grid of all that objects have, in their order. They have the same members whatever is in them:
    /// none is left out where it is missing.
    pub fn whole<T: Default + serde::Serialize>(items: &[T]) -> Self {
        let members = serde_json::to_value(T::default()).unwrap_or(Json::Null);
        let members = members.as_object().into_iter().flatten();
        let columns: Vec<&str> = members.map(|(name, _)| name.as_str()).collect();
        Self::of(&columns, items)
    }
}

/// A report that can be shown.
///
/// Its one JSON document is what it serialises to.
pub trait Document: json::Line {
    /// The page for people, ending with a line break.
    fn text(&self, look: &Look) -> String;

    /// The same page with the marks of [`ink`], where a page has more colours than its lines' signs
    /// give it.
    fn inked(&self, _look: &Look) -> Option<String> {
        None
    }

    /// One JSON object for each item; by default the document is the only one.
    fn json_lines(&self) -> Vec<String> {
        vec![self.line()]
    }

    /// The items as a plain table.
    fn grid(&self) -> Grid;

    /// The report in a form.
    fn render(&self, form: Form, look: &Look) -> String {
        match form {
            Form::Table => self.text(look),
            Form::Json => self.line() + "\n",
            Form::JsonLines => self.json_lines().iter().map(|line| format!("{line}\n")).collect(),
            Form::Csv => csv::write(&self.grid()),
            Form::Markdown => markdown::write(&self.grid()),
        }
    }
}
