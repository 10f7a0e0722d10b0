//! Grids as CSV: a header, fractions, ISO dates, an empty cell for what is missing. No text in it
//! becomes a formula where a spreadsheet opens it.

use super::{Grid, json};
use crate::app::export::csv_lines;
use crate::domain::guard::guarded;
use serde_json::Value as Json;

pub(super) fn write(grid: &Grid) -> String {
    head(&grid.columns) + &rows(&grid.rows)
}

/// The line of the columns' names.
pub(super) fn head(columns: &[String]) -> String {
    csv_lines([columns.iter().map(|name| guarded(name).into_owned())])
}

/// The lines of rows.
pub(super) fn rows(rows: &[Vec<Json>]) -> String {
    // What is a number in the report is one here, also a negative one.
    let cell = |value: &Json| match value {
        Json::Number(number) => number.to_string(),
        other => guarded(&json::cell(other)).into_owned(),
    };
    csv_lines(rows.iter().map(|row| row.iter().map(cell)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_needed() {
        let row = vec!["2024-08-05".into(), serde_json::Value::Null, "a, \"b\"".into()];
        let columns = ["date", "atm_iv", "note"].map(str::to_owned).to_vec();
        let text = write(&Grid { columns, rows: vec![row] });
        assert_eq!(text, "date,atm_iv,note\n2024-08-05,,\"a, \"\"b\"\"\"\n");
        let row = vec!["=1".into(), (-0.25).into(), "-0.25".into(), vec!["@a", "b"].into()];
        let columns = ["a", "b", "c", "=d"].map(str::to_owned).to_vec();
        assert_eq!(write(&Grid { columns, rows: vec![row] }), "a,b,c,'=d\n'=1,-0.25,-0.25,'@a b\n");
    }
}
