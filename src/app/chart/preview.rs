//! What a batch would change of one symbol, as two lines: without it and with it.

use super::super::error::{AppError, Result};
use super::super::report::{BatchSpan, Chart, ChartLine, ChartPoint, Review};
use super::super::views::ViewReader;
use super::unit_name;
use crate::domain::{Calendar, Day, Position, Series, Symbol, series};
use crate::ledger::Ledger;
use crate::projections::view::Which;
use std::collections::{BTreeMap, BTreeSet};

/// A day's value without the batch and with it.
type Pair = (Option<f64>, Option<f64>);

/// The main field of a view before a batch and with it, from a review that holds every change.
///
/// # Errors
/// [`AppError::NotFound`] when there is nothing to draw, [`AppError::Usage`] for a view that has no
/// number a day.
pub fn preview(ledger: &Ledger, review: &Review, view: Series, symbol: &Symbol) -> Result<Chart> {
    let field = series::field(view.primary()).filter(|_| view.is_daily());
    let drawn = field.and_then(|field| Some((field, unit_name(field.unit)?)));
    let Some((field, unit)) = drawn else {
        return Err(AppError::Usage(format!("{view} has no number a day to draw")));
    };
    let reader = ViewReader::new(ledger)?;
    let base = reader.records(view, symbol, Position(review.position), Which::Latest)?;
    let mut days: BTreeMap<Day, Pair> = base
        .iter()
        .map(|record| (record.day, record.number(field.code)))
        .map(|(day, value)| (day, (value, value)))
        .collect();
    let name = symbol.to_string();
    let mut touched = BTreeSet::new();
    let own = review.changes.iter().filter(|change| {
        change.series == view.name() && change.symbol == name && change.field == field.name
    });
    for change in own {
        let day = change.date.parse().map_err(|_| AppError::NotFound(change.date.clone()))?;
        let number = change.new.as_ref().and_then(serde_json::Value::as_f64);
        touched.insert(day);
        days.entry(day).or_default().1 = number.filter(|number| number.is_finite());
    }
    days.retain(|_, (before, after)| before.is_some() || after.is_some());
    let edges = days.keys().next().copied().zip(days.keys().next_back().copied());
    let Some((first, last)) = edges else {
        return Err(AppError::NotFound(format!("there is nothing of {view} {symbol} to draw")));
    };
    for day in Calendar::nyse().open_days(first, last) {
        days.entry(day).or_default();
    }
    let names = match review.state {
        Some("staged") | None => ["now", "if confirmed"],
        _ => ["before", "with it"],
    };
    let values = |pick: fn(&Pair) -> Option<f64>| days.values().map(pick).collect::<Vec<_>>();
    let lines = [values(|of| of.0), values(|of| of.1)];
    let spans = |name| match name {
        "now" | "before" => Vec::new(),
        _ => spans(review.batch.as_deref().unwrap_or_default(), &days, &touched),
    };
    let line = |(name, values): (&'static str, &Vec<Option<f64>>)| ChartLine {
        series: view.name(),
        field: name,
        unit,
        panel: 0,
        known: values.iter().flatten().count() as u64,
        missing: missing(values),
        batches: spans(name),
    };
    // A line without a value would have no place on the axis.
    let kept: Vec<usize> =
        (0..2).filter(|of| lines.get(*of).is_some_and(|v| v.iter().any(Option::is_some))).collect();
    let points = days.iter().map(|(day, (before, after))| ChartPoint {
        date: day.to_string(),
        values: kept.iter().map(|of| if *of == 0 { *before } else { *after }).collect(),
    });
    let points = points.collect();
    let told = names.into_iter().zip(&lines).enumerate().filter(|(of, _)| kept.contains(of));
    Ok(Chart {
        kind: view.name(),
        series: view.name(),
        symbol: name,
        field: field.name,
        position: review.position,
        which: None,
        lines: told.map(|(_, pair)| line(pair)).collect(),
        absent: Vec::new(),
        points,
    })
}

/// The runs of days whose value the batch changes.
fn spans(batch: &str, days: &BTreeMap<Day, Pair>, touched: &BTreeSet<Day>) -> Vec<BatchSpan> {
    let mut spans: Vec<BatchSpan> = Vec::new();
    let mut runs = false;
    for day in days.keys() {
        let of = touched.contains(day);
        let text = day.to_string();
        match spans.last_mut().filter(|_| runs && of) {
            Some(span) => span.to = text,
            None if of => {
                spans.push(BatchSpan { batch: batch.to_owned(), from: text.clone(), to: text });
            }
            None => {}
        }
        runs = of;
    }
    spans
}

/// Sessions without a value between the first and the last that have one.
fn missing(values: &[Option<f64>]) -> u64 {
    let first = values.iter().position(Option::is_some);
    let last = values.iter().rposition(Option::is_some);
    let Some((first, last)) = first.zip(last) else { return 0 };
    let between = values.get(first..=last).unwrap_or_default();
    between.iter().filter(|value| value.is_none()).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_counted_between_the_ends_only() {
        let known = Some(1.0);
        assert_eq!(missing(&[None, known, None, None, known, None]), 2);
        assert_eq!((missing(&[None]), missing(&[known]), missing(&[])), (0, 0, 0));
    }
}
