//! Grids as Markdown tables, for a journal.

use super::{Grid, json};

pub(super) fn write(grid: &Grid) -> String {
    let mut out = row(&grid.columns);
    out += &row(&grid.columns.iter().map(|_| "---".to_owned()).collect::<Vec<_>>());
    for cells in &grid.rows {
        out += &row(&cells.iter().map(json::cell).collect::<Vec<_>>());
    }
    out
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
