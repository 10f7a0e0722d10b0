//! Reads the vectors of `vectors_ivcrush` for the tests of this floor.

use crate::domain::shared;

/// The text of a file; `None`, loudly, where it is absent.
pub(super) fn text(name: &str) -> Option<String> {
    shared::text(&format!("vectors_ivcrush/{name}"))
}

/// The lines of a CSV file without its header, as texts; `None`, loudly, where it is absent.
pub(super) fn vectors(name: &str) -> Option<Vec<Vec<String>>> {
    let text = text(name)?;
    let lines = text.lines().skip(1);
    let lines: Vec<_> = lines.map(|l| l.split(',').map(str::to_owned).collect()).collect();
    assert!(lines.len() > 5, "{name} is nearly empty");
    Some(lines)
}

/// Within 1e-9, relative or absolute, as the vectors' README says.
pub(super) fn close(found: f64, wanted: &str) {
    let wanted: f64 = wanted.parse().unwrap();
    assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{found}, not {wanted}");
}
