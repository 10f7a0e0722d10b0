//! Cells that are not of the kind that their column is read as: how many of a column, and what the first says.

use crate::domain::{Day, Finding, Severity};
use crate::sources::mapping::Column;
use crate::sources::notes::Counts;

/// How much of a cell is told, in characters.
const TOLD: usize = 40;

/// The cells of one column in rows that are used.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// How many say nothing.
    empty: u64,
    /// How many cannot be used.
    unread: u64,
    /// The first of these, with its line.
    first: Option<(u32, String)>,
}

impl Tally {
    /// How many say something, of so many rows.
    fn filled(&self, rows: u64) -> u64 {
        rows.saturating_sub(self.empty)
    }
}

/// What could not be used, cell by cell. Only cells that give no value are noted here: those that do are
/// counted by their rows.
pub(super) struct Unread<'m> {
    /// Cells of columns that a row can do without.
    all: Counts<'m>,
    columns: Vec<Tally>,
    /// The columns of the row under way that give no value, and whether their cell says nothing.
    row: Vec<(usize, bool)>,
    /// What the first row was rejected for, by its code.
    rejected: Vec<(&'m str, String)>,
}

impl<'m> Unread<'m> {
    /// For so many columns.
    pub(super) fn new(columns: usize) -> Self {
        let columns = vec![Tally::default(); columns];
        Self { all: Counts::default(), columns, row: Vec::new(), rejected: Vec::new() }
    }

    /// Forgets the row under way, which was rejected.
    pub(super) fn begin(&mut self) {
        self.row.clear();
    }

    /// Takes in a cell of the row under way that says nothing.
    pub(super) fn empty(&mut self, column: usize) {
        self.row.push((column, true));
    }

    /// Takes in a cell of the row under way that cannot be used, of a column that it can do without.
    pub(super) fn add(
        &mut self,
        column: usize,
        (line, day): (u32, Day),
        cell: impl FnOnce() -> String,
    ) {
        self.all.add("optional_field_errors", line, Some(day));
        self.row.push((column, false));
        if let Some(tally) = self.columns.get_mut(column) {
            tally.first.get_or_insert_with(|| (line, cell()));
        }
    }

    /// The row under way is used.
    pub(super) fn settle(&mut self) {
        for (column, empty) in self.row.drain(..) {
            if let Some(tally) = self.columns.get_mut(column) {
                *(if empty { &mut tally.empty } else { &mut tally.unread }) += 1;
            }
        }
    }

    /// Takes in the cell for which a row is rejected, with the name of its column.
    pub(super) fn reject(&mut self, code: &'m str, told: impl FnOnce() -> (String, String)) {
        if !self.rejected.iter().any(|(known, _)| *known == code) {
            let (cell, column) = told();
            self.rejected.push((code, format!("{} under `{column}`", quoted(&cell))));
        }
    }

    /// How many cells of columns that their rows can do without could not be used.
    pub(super) fn total(&self) -> u64 {
        self.all.total()
    }

    /// The finding about rejected rows, with the cell for which the first of them was.
    pub(super) fn explained(&self, finding: Finding) -> Finding {
        let cell = self.rejected.iter().find(|(code, _)| *code == finding.code);
        match cell {
            Some((_, cell)) => finding.first_for(cell),
            None => finding,
        }
    }

    /// The cells that could not be used, and the columns that seem to be of another kind: a word that is none of
    /// the column's, or half of what they say or more. One cell among others that are read is just a bad cell.
    pub(super) fn findings(
        &self,
        source: u32,
        rows: u64,
        columns: impl Iterator<Item = (&'m Column, &'m str)>,
    ) -> Vec<Finding> {
        let words = ["optional cell not usable", "optional cells not usable"];
        let all = self.all.findings(source, Severity::Warning, words, "line");
        let odd = self.columns.iter().zip(columns).filter_map(|(tally, (column, name))| {
            let (line, cell) = tally.first.as_ref()?;
            let (unread, filled) = (tally.unread, tally.filled(rows));
            let most = unread * 2 >= filled && (unread > 1 || filled == 1);
            if unread == 0 || (!most && column.one_of.is_empty()) {
                return None;
            }
            let cells = if filled == 1 { "cell" } else { "cells" };
            let known = match column.one_of.is_empty() {
                true => String::new(),
                false => format!("; there are {}", column.one_of.join(", ")),
            };
            let text = format!(
                "{unread} of {filled} {cells} of `{name}` cannot be used, the first of them {} in line \
                 {line}{known}",
                quoted(cell)
            );
            let found = Finding::about(source, "unread_column", Severity::Warning, text);
            Some(Finding { line: Some(*line), count: unread, ..found })
        });
        all.chain(odd).collect()
    }
}

/// A cell as it is told.
fn quoted(cell: &str) -> String {
    let cell = cell.trim();
    match cell.char_indices().nth(TOLD) {
        Some((end, _)) => format!("`{}…`", cell.get(..end).unwrap_or_default()),
        None => format!("`{cell}`"),
    }
}
