//! A year's days as weeks × weekdays: what is known of each.

use super::super::days::{KINDS, kind_name};
use super::heatmap::MONTHS;
use super::{Anchor, Canvas, SIZE, n, width_of};
use crate::app::report::{DayKind, Days, DaysView};
use crate::domain::Day;
use std::collections::BTreeMap;
use std::fmt::Write;

const STEP: f64 = 14.0;
const CELL: f64 = 12.0;
const MARGIN: f64 = 16.0;
/// Left of the weeks: the year, the names of the weekdays.
const LEFT: f64 = 96.0;
const WIDE: f64 = LEFT + 54.0 * STEP + MARGIN;

/// The weekday of a day, 0 for Monday. 1970-01-01 was a Thursday.
pub(in crate::render) fn weekday(day: Day) -> i32 {
    (day.0 + 3).rem_euclid(7)
}

/// The column of a day in its year: weeks begin on Mondays.
pub(in crate::render) fn week(day: Day) -> i32 {
    let first = Day::from_ymd(day.year(), 1, 1).unwrap_or(day);
    let monday = first.0 - weekday(first);
    (day.0 - monday) / 7
}

/// The days of a view by year.
pub(in crate::render) fn years(view: &DaysView) -> BTreeMap<i32, BTreeMap<Day, DayKind>> {
    let mut years: BTreeMap<i32, BTreeMap<Day, DayKind>> = BTreeMap::new();
    for (day, kind) in &view.days {
        if let Ok(day) = day.parse::<Day>() {
            years.entry(day.year()).or_default().insert(day, *kind);
        }
    }
    years
}

/// How many weekdays a view needs: five, or seven where something stands on a weekend.
pub(in crate::render) fn rows(view: &DaysView) -> i32 {
    let weekend = |(day, _): &(String, DayKind)| day.parse().is_ok_and(|day: Day| day.is_weekend());
    if view.days.iter().any(weekend) { 7 } else { 5 }
}

pub(super) fn svg(days: &Days) -> String {
    let mut canvas = Canvas::new();
    canvas.text("t", (MARGIN, 26.0), Anchor::Start, &days.title());
    let mut y = legend(&mut canvas, 48.0) + 12.0;
    for view in &days.views {
        y = canvas.paragraph("", (MARGIN, y + 14.0), WIDE - 2.0 * MARGIN, &view.sentence()) - 6.0;
        for (year, known) in years(view) {
            y = one_year(view, year, &known, y, &mut canvas);
        }
        y += 8.0;
    }
    canvas.finish((WIDE, y), &days.title(), &days.sentence())
}

/// One year; returns the height below it.
fn one_year(
    view: &DaysView,
    year: i32,
    known: &BTreeMap<Day, DayKind>,
    y: f64,
    canvas: &mut Canvas,
) -> f64 {
    let rows = rows(view);
    let top = y + 16.0;
    canvas.text("", (MARGIN, top + STEP * 2.0 + 10.0), Anchor::Start, &year.to_string());
    for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri")] {
        let y = top + STEP * f64::from(row) + 10.0;
        canvas.text("s m", (LEFT - 8.0, y), Anchor::End, name);
    }
    for (month, name) in (1u32..).zip(MONTHS) {
        if let Some(first) = Day::from_ymd(year, month, 1) {
            // The week in which the month's first weekday falls.
            let column = week(first) + i32::from(weekday(first) >= rows);
            let x = LEFT + STEP * f64::from(column);
            canvas.text("s m", (x, top - 5.0), Anchor::Start, name);
        }
    }
    let ends = view.from.parse::<Day>().ok().zip(view.to.parse::<Day>().ok());
    let whole = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
    let Some(((from, to), (first, last))) = ends.zip(whole) else { return top };
    // Thousands of equal cells are one path.
    let (mut values, mut closed) = (String::new(), String::new());
    for day in (from.max(first).0..=to.min(last).0).map(Day).filter(|day| weekday(*day) < rows) {
        let x = LEFT + STEP * f64::from(week(day));
        let y = top + STEP * f64::from(weekday(day));
        match known.get(&day) {
            Some(DayKind::Value) => square(&mut values, x, y, CELL),
            None => square(&mut closed, x + 4.0, y + 4.0, CELL - 8.0),
            Some(kind) => cell(*kind, (x, y), &format!("{day}: {}", kind_name(*kind)), canvas),
        }
    }
    for (class, path) in [("value", values), ("closed", closed)] {
        if !path.is_empty() {
            canvas.raw(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
    }
    top + STEP * f64::from(rows) + 4.0
}

fn square(path: &mut String, x: f64, y: f64, size: f64) {
    let size = n(size);
    // Writing into a String cannot fail.
    let _ = write!(path, "M{} {}h{size}v{size}h-{size}z", n(x), n(y));
}

/// A day that is told by more than a colour: outline, hatching, or a mark.
fn cell(kind: DayKind, (x, y): (f64, f64), told: &str, canvas: &mut Canvas) {
    let inner = ((x + 0.7, y + 0.7), (CELL - 1.4, CELL - 1.4));
    match kind {
        DayKind::Value => canvas.rect("value", (x, y), (CELL, CELL), told),
        DayKind::Missing => canvas.rect("missing", inner.0, inner.1, told),
        DayKind::Empty => {
            canvas.rect("empty", inner.0, inner.1, told);
            canvas.line("hatch", (x + 1.0, y + CELL - 1.0), (x + CELL - 1.0, y + 1.0));
        }
        DayKind::ClosedValue => {
            canvas.rect("odd", (x, y), (CELL, CELL), told);
            canvas.rect("odd-mark", (x + 4.0, y + 4.0), (CELL - 8.0, CELL - 8.0), "");
        }
        DayKind::NotAsked => canvas.rect("none", inner.0, inner.1, told),
    }
}

/// What the cells mean, in as many rows as they need; returns the height below them.
fn legend(canvas: &mut Canvas, top: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top);
    let mut item = |name: &str, draw: &dyn Fn((f64, f64), &mut Canvas)| {
        let wide = CELL + 6.0 + width_of(name, SIZE) + 18.0;
        if x + wide > WIDE && x > MARGIN {
            (x, y) = (MARGIN, y + 20.0);
        }
        draw((x, y - 10.0), canvas);
        canvas.text("", (x + CELL + 6.0, y), Anchor::Start, name);
        x += wide;
        y
    };
    let mut end = top;
    for kind in KINDS {
        end = item(kind_name(kind), &|at, canvas| cell(kind, at, "", canvas));
    }
    let closed = |(x, y): (f64, f64), canvas: &mut Canvas| {
        canvas.rect("closed", (x + 4.0, y + 4.0), (CELL - 8.0, CELL - 8.0), "");
    };
    end = end.max(item("exchange closed", &closed));
    end
}
