//! Grids as CSV: a header, fractions, ISO dates, an empty cell for what is missing.

use super::{Grid, json};

pub(super) fn write(grid: &Grid) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory fails only when rows differ in length, which a grid does not allow.
    let mut all = vec![writer.write_record(&grid.columns)];
    for row in &grid.rows {
        all.push(writer.write_record(row.iter().map(json::cell)));
    }
    debug_assert!(all.iter().all(Result::is_ok));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
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
    }
}
