//! Values that differ, one a line, with the sign of their kind.

use super::table::Table;
use super::{Look, numbers};
use crate::app::report::ChangeLine;
use crate::domain::Series;
use serde_json::Value as Json;

/// What a table has to name, because it is not the same on every line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) view: bool,
    pub(super) symbol: bool,
}

/// A table of cells that differ.
pub(super) fn table(
    shown: &[&ChangeLine],
    named: Named,
    (old, new): (&str, &str),
    look: &Look,
) -> String {
    let primary = |change: &&ChangeLine| {
        let series: Option<Series> = change.series.parse().ok();
        let main = series.and_then(|series| crate::domain::series::field(series.primary()));
        main.is_some_and(|main| main.name == change.field)
    };
    let fields = named.view || !shown.iter().all(primary);
    let mut headings = vec!["", "date"];
    headings.extend(named.view.then_some("view"));
    headings.extend(named.symbol.then_some("symbol"));
    if fields {
        headings.push("field");
    }
    let (old, new) = (format!(">{old}"), format!(">{new}"));
    headings.extend([old.as_str(), new.as_str(), ">change"]);
    let mut table = Table::new(look, &headings);
    // The field mostly tells the view, and the change follows from both values.
    let places = ["view", "change", old.trim_start_matches('>')];
    let spare = places.into_iter().filter_map(|name| {
        let at = headings.iter().position(|heading| heading.trim_start_matches('>') == name)?;
        Some((at, name))
    });
    table.spare(&spare.collect::<Vec<_>>());
    for change in shown {
        let mut cells = vec![sign(change.kind).to_owned(), change.date.clone()];
        cells.extend(named.view.then(|| change.series.to_owned()));
        cells.extend(named.symbol.then(|| change.symbol.clone()));
        if fields {
            cells.push(change.field.clone());
        }
        let show = |of: &Option<Json>| numbers::optional(change.series, &change.field, of.as_ref());
        cells.extend([show(&change.old), show(&change.new), difference(change)]);
        table.row(cells);
    }
    table.finish()
}

/// The sign of a kind of change.
pub fn sign(kind: &str) -> &'static str {
    match kind {
        "new" | "added" => "+",
        "changed" => "~",
        "drifted" => "≈",
        "same" => "=",
        _ => "-",
    }
}

/// What a change adds: volatility points, or a number of the field's unit; empty where there is none.
pub fn difference(change: &ChangeLine) -> String {
    let points = change.delta_points.as_ref().and_then(numbers::decimal);
    if let Some(points) = points {
        return numbers::points(points);
    }
    let number = |of: &Option<Json>| of.as_ref().and_then(numbers::decimal);
    match (number(&change.old), number(&change.new)) {
        (Some(old), Some(new)) => {
            let Some(delta) = new.checked_sub(old) else {
                return String::new();
            };
            let text = numbers::fixed(delta, delta.normalize().scale().min(4));
            if text.starts_with('−') { text } else { format!("+{text}") }
        }
        _ => String::new(),
    }
}
