//! What is said of rows that were not taken as they stand: of one, and of several.

use super::dates;

/// The code of a row that says nothing of a day: as an event it would be shown by no view. Each day of a
/// mapping has a column that is required or has a default; that of a further day may be unreadable.
pub(super) const NO_VALUE: &str = "no_value";

pub(super) const TIMED: [&str; 2] = [
    "date with a time of day, which is another day in another zone (write the day alone)",
    "dates with a time of day, which is another day in another zone (write the day alone)",
];

pub(super) const SHORT: [&str; 2] = [
    "row ends before a column that is read, which is missing there",
    "rows end before a column that is read, which is missing there",
];

pub(super) const OTHERS: [&str; 2] = [
    "row names another symbol, which `--symbol-from column` would go by",
    "rows name another symbol, which `--symbol-from column` would go by",
];

pub(super) const BARS: [&str; 2] = [
    "row whose high is below its low, or whose open or close lies outside of the two",
    "rows whose high is below their low, or whose open or close lies outside of the two",
];

pub(super) const HIGH: [&str; 2] = ["remarkably high value", "remarkably high values"];

/// Of rows without a date, with the forms that are read.
pub(super) fn no_date() -> [String; 2] {
    ["row", "rows"]
        .map(|rows| format!("{rows} rejected, without a date that is read ({})", dates::FORMS))
}

/// Of rejected rows, by their code.
pub(super) fn rejected<'a>(code: &str, no_date: &'a [String; 2]) -> [&'a str; 2] {
    match code {
        "cell_count" => [
            "row rejected, with more cells than the header has names",
            "rows rejected, with more cells than the header has names",
        ],
        "invalid_date" => no_date.each_ref().map(String::as_str),
        NO_VALUE => [
            "row rejected, with a day and no value that is read",
            "rows rejected, with a day and no value that is read",
        ],
        _ => ["row rejected", "rows rejected"],
    }
}
