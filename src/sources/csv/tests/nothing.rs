//! Rows that say nothing of their day.

use super::*;
use crate::sources::mapping::Name;

/// An event without a field is shown by no view, and would stand for a day all the same.
#[test]
fn no_row_that_is_taken_says_nothing() {
    for id in Mapping::bundled_ids() {
        let mapping = Mapping::bundled(id).unwrap();
        let first = |names: &[Name]| names[0].text.clone();
        let mut days = vec![first(&mapping.date)];
        days.extend(mapping.item.first().map(|name| name.text.clone()));
        days.extend(mapping.more.iter().map(|part| first(&part.date)));
        let parts = mapping.more.iter().flat_map(|part| &part.columns);
        let cells: Vec<_> =
            mapping.columns.iter().chain(parts).map(|column| first(&column.names)).collect();
        let header = [days.join(","), first(&mapping.symbol), cells.join(",")].join(",");
        for word in ["", "zzz", "-1e30", "5", "2025-01-02"] {
            let row = [vec!["2025-01-02"; days.len()], vec!["AAPL"], vec![word; cells.len()]];
            let text = format!("{header}\n{}\n", row.concat().join(","));
            let read = read_with(text.as_bytes(), id, SymbolFrom::Column);
            assert_eq!(read.summary.rows.read, 1, "{id}: {text}");
            for line in read.lines() {
                assert!(line.contains('='), "{id} {word:?}: {line}");
            }
        }
    }
    // What cannot be read is as what is not told: the day is known.
    let text = "ticker,earnings_date,timing\nAAPL,2026-01-29,At Lunch\nMSFT,2026-01-28,\n";
    let read = read_with(text.as_bytes(), "earnings", SymbolFrom::Column);
    let want = ["2 AAPL 2026-01-29 timing=UNKNOWN", "3 MSFT 2026-01-28 timing=UNKNOWN"];
    assert_eq!(read.lines(), want);
    assert_eq!(read.summary.optional_field_errors, 1);
}
