//! Axes: round steps between two values, dates that never touch.

use super::super::chart::words::Scale;
use crate::domain::Day;

/// Round steps that cover a range, about as many parts as wanted and never many more.
pub(in crate::render) fn ticks(low: f64, high: f64, parts: usize) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite()) {
        return vec![0.0, 1.0];
    }
    let wide = (high - low).max(low.abs().max(high.abs()) * 1e-9).max(f64::MIN_POSITIVE);
    let rough = wide / parts.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|part| part * power);
    let step = step.into_iter().find(|step| *step >= rough * 0.999_999).unwrap_or(power * 10.0);
    // A hair over a step needs no further one.
    let first = (low / step + 1e-9).floor() as i64;
    let last = ((high / step - 1e-9).ceil() as i64).max(first + 1);
    (first..=last).map(|index| index as f64 * step).collect()
}

/// Digits that tell the steps apart, and no more.
pub(in crate::render) fn digits(step: f64) -> usize {
    let shown = |digits: usize| {
        let text = format!("{step:.digits$}");
        text.parse::<f64>().is_ok_and(|back| (back - step).abs() <= step.abs() * 1e-6)
    };
    (0..9).find(|digits| shown(*digits)).unwrap_or(9)
}

/// A tick's number with its unit; in millions where it would be too long for a margin.
pub(in crate::render) fn number(scale: &Scale, value: f64, step: f64) -> String {
    if value.abs() < MILLION {
        return scale.scaled(value, digits(step));
    }
    let text = scale.scaled(value / MILLION, digits(step / MILLION));
    format!("{} M{}", text.strip_suffix(scale.suffix).unwrap_or(&text), scale.suffix)
}

const MILLION: f64 = 1e6;

/// How much of a date is told: the year, the month, or all of it.
fn part(day: &str, days: i64) -> &str {
    let long = match days {
        1501.. => 4,
        60.. => 7,
        _ => 10,
    };
    day.get(..long).unwrap_or(day)
}

/// Where the time axis is labelled: at the first session of a year, a month or at a day, with
/// the room that each label wants around its place, all of it between the two ends.
pub(in crate::render) fn dates(
    days: &[&str],
    x: &dyn Fn(usize) -> f64,
    left: f64,
    right: f64,
    width: &dyn Fn(&str) -> f64,
) -> Vec<(usize, String)> {
    let day = |at: Option<&&str>| at.and_then(|text| text.parse::<Day>().ok());
    let span = day(days.first()).zip(day(days.last()));
    let span = span.map_or(0, |(first, last)| i64::from(last.0) - i64::from(first.0));
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut end = f64::NEG_INFINITY;
    let mut before = days.first().map(|day| part(day, span)).filter(|_| span >= 60);
    for (index, day) in days.iter().enumerate() {
        let label = part(day, span);
        if before == Some(label) {
            continue;
        }
        before = Some(label);
        let (at, half) = (x(index), width(label) / 2.0);
        if at - half >= end && at - half >= left && at + half <= right {
            end = at + half;
            found.push((index, label.to_owned()));
        }
    }
    if found.is_empty() {
        let middle = days.len() / 2;
        found.extend(days.get(middle).map(|day| (middle, (*day).to_owned())));
    }
    found
}
