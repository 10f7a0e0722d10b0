//! Grids as Markdown tables, for a journal.

use super::{Grid, json};
use serde_json::Value as Json;

pub(super) fn write(grid: &Grid) -> String {
    head(&grid.columns) + &rows(&grid.rows)
}

/// The line of the columns' names, and the one that parts it from the rows.
pub(super) fn head(columns: &[String]) -> String {
    row(columns) + &row(&columns.iter().map(|_| "---".to_owned()).collect::<Vec<_>>())
}

/// The lines of rows.
pub(super) fn rows(rows: &[Vec<Json>]) -> String {
    rows.iter().map(|cells| row(&cells.iter().map(json::cell).collect::<Vec<_>>())).collect()
}

fn row(cells: &[String]) -> String {
    let escape = |cell: &String| {
        let flat = cell.replace(['\n', '\r'], " ");
        flat.replace('\\', "\\\\").replace('|', "\\|")
    };
    format!("| {} |\n", cells.iter().map(escape).collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_line_breaks_do_not_break_the_table() {
        let grid = Grid { columns: vec!["a".into()], rows: vec![vec!["x|y\nz".into()]] };
        assert_eq!(write(&grid), "| a |\n| --- |\n| x\\|y z |\n");
    }
}
