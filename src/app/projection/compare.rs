//! Two projections side by side.

use super::definition::Definition;
use crate::app::error::{AppError, Result};
use crate::app::report::{ProjectionChange, ProjectionDiff};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{Datum, Symbol};
use std::collections::{BTreeMap, BTreeSet};

/// Columns that tell rows apart, where both have them.
const KEYS: [&str; 4] = ["symbol", "date", "earnings_date", "item"];

/// Rows by key; rows of the same key in order.
type ByKey = BTreeMap<Vec<String>, Vec<Vec<Datum>>>;

/// Compares two projections (or versions of one), as they answer at a vantage.
///
/// # Errors
/// [`AppError::NoProjection`], [`AppError::Usage`] for two without a column in common.
pub fn compare(
    vantage: &Vantage,
    a: &ProjectionName,
    b: &ProjectionName,
) -> Result<ProjectionDiff> {
    let (a, b) = (vantage.id(a)?, vantage.id(b)?);
    let (first, second) = (vantage.definition(&a)?, vantage.definition(&b)?);
    let common: Vec<&String> =
        first.columns.iter().filter(|name| second.columns.contains(name)).collect();
    if common.is_empty() {
        return Err(AppError::Usage(format!("{a} and {b} have no column in common")));
    }
    let is_key = |name: &&&String| KEYS.contains(&name.as_str());
    let keys: Vec<&String> = common.iter().filter(is_key).copied().collect();
    let columns: Vec<&String> = common.iter().filter(|name| !is_key(name)).copied().collect();
    let all: BTreeSet<&String> = first.columns.iter().chain(&second.columns).collect();
    let names = |of: &[&String]| of.iter().map(|name| (*name).clone()).collect::<Vec<_>>();
    let mut diff = ProjectionDiff {
        position: vantage.at.0,
        a: a.to_string(),
        b: b.to_string(),
        keys: names(&keys),
        columns: names(&columns),
        other_columns: all.into_iter().filter(|name| !common.contains(name)).cloned().collect(),
        same: 0,
        changed: 0,
        only_a: 0,
        only_b: 0,
        changes: Vec::new(),
    };
    let (of_a, of_b) = (vantage.symbols(&first)?, vantage.symbols(&second)?);
    // Symbol by symbol where both are kept so, else all at once.
    let parts: Vec<Option<Symbol>> = match (of_a, of_b) {
        (Some(of_a), Some(of_b)) => {
            let both: BTreeSet<Symbol> = of_a.into_iter().chain(of_b).collect();
            both.into_iter().map(Some).collect()
        }
        _ => vec![None],
    };
    for part in &parts {
        let rows_a = by_key(rows(vantage, &first, part.as_ref())?, &first, &keys, &columns);
        let rows_b = by_key(rows(vantage, &second, part.as_ref())?, &second, &keys, &columns);
        merge(&mut diff, rows_a, rows_b);
    }
    Ok(diff)
}

/// The rows of a part; all of them where none is named.
fn rows(vantage: &Vantage, of: &Definition, part: Option<&Symbol>) -> Result<Vec<Vec<Datum>>> {
    match part {
        None => vantage.whole(of),
        part => vantage.rows(of, part),
    }
}

fn by_key(rows: Vec<Vec<Datum>>, of: &Definition, keys: &[&String], columns: &[&String]) -> ByKey {
    let place = |name: &&String| of.columns.iter().position(|column| column == *name);
    let keys: Vec<usize> = keys.iter().filter_map(place).collect();
    let columns: Vec<usize> = columns.iter().filter_map(place).collect();
    let mut found = ByKey::new();
    for row in rows {
        let value = |index: &usize| row.get(*index).cloned().unwrap_or(Datum::Null);
        let key = keys.iter().map(|index| text(&value(index))).collect();
        found.entry(key).or_default().push(columns.iter().map(value).collect());
    }
    found
}

fn merge(diff: &mut ProjectionDiff, mut a: ByKey, mut b: ByKey) {
    let keys: BTreeSet<Vec<String>> = a.keys().chain(b.keys()).cloned().collect();
    for key in keys {
        let (of_a, of_b) = (a.remove(&key).unwrap_or_default(), b.remove(&key).unwrap_or_default());
        let (mut of_a, mut of_b) = (of_a.into_iter(), of_b.into_iter());
        let shown: Vec<serde_json::Value> = key.into_iter().map(Into::into).collect();
        loop {
            let whole = |row: &[Datum]| row.iter().map(json).collect::<Vec<_>>().into();
            let change = |column, a, b| ProjectionChange { key: shown.clone(), column, a, b };
            match (of_a.next(), of_b.next()) {
                (None, None) => break,
                (Some(row), None) => {
                    diff.only_a += 1;
                    diff.changes.push(change(None, whole(&row), serde_json::Value::Null));
                }
                (None, Some(row)) => {
                    diff.only_b += 1;
                    diff.changes.push(change(None, serde_json::Value::Null, whole(&row)));
                }
                (Some(one), Some(other)) if one == other => diff.same += 1,
                (Some(one), Some(other)) => {
                    diff.changed += 1;
                    for ((name, one), other) in diff.columns.iter().zip(&one).zip(&other) {
                        if one != other {
                            let change = change(Some(name.clone()), json(one), json(other));
                            diff.changes.push(change);
                        }
                    }
                }
            }
        }
    }
}

fn text(datum: &Datum) -> String {
    match datum {
        Datum::Null => String::new(),
        Datum::Int(number) => number.to_string(),
        Datum::Real(number) => number.to_string(),
        Datum::Text(text) => text.to_string(),
    }
}

fn json(datum: &Datum) -> serde_json::Value {
    match datum {
        Datum::Null => serde_json::Value::Null,
        Datum::Int(number) => (*number).into(),
        Datum::Real(number) => serde_json::Number::from_f64(*number).into(),
        Datum::Text(text) => text.to_string().into(),
    }
}
