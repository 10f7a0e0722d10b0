//! Lines over sessions: panels one above the other on one time axis, with the batches below.

use super::super::chart::words::{RANKS, Scale, scale};
use super::scale::{dates, number, ticks};
use super::{Anchor, Canvas, SIZE, n, width_of};
use crate::app::report::{Chart, ChartLine};
use std::fmt::Write;

const WIDTH: f64 = 960.0;
/// Least room for the labels of the value axes.
const LEFT: f64 = 86.0;
const RIGHT: f64 = 44.0;
const TOP: f64 = 56.0;
/// Height of the first panel, and of each further one.
const TALL: f64 = 270.0;
const FURTHER: f64 = 150.0;
/// Room for the dates, and a row of batches.
const DATES: f64 = 28.0;
const STRIP: f64 = 22.0;
/// A row of the legend.
const ROW: f64 = 18.0;
/// Least blank between two dates.
const APART: f64 = 14.0;
/// More changes of the batch than that are told by the strips alone.
const MOST_CUTS: usize = 12;

/// Where a panel stands and what its axis is.
#[derive(Clone, Debug)]
pub(in crate::render) struct Panel {
    pub(in crate::render) scale: Scale,
    /// Top of the legend.
    legend: f64,
    pub(in crate::render) top: f64,
    pub(in crate::render) height: f64,
    /// The ticks, in the axis' unit.
    ticks: Vec<f64>,
}

impl Panel {
    fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The height of a value in the axis' unit.
    fn y(&self, value: f64) -> f64 {
        let ends = self.ticks.first().zip(self.ticks.last());
        let (low, high) = ends.map_or((0.0, 1.0), |(low, high)| (*low, *high));
        self.top + self.height * (high - value) / (high - low)
    }
}

/// Where things stand in a chart.
#[derive(Clone, Debug)]
pub(in crate::render) struct Geometry {
    pub(in crate::render) left: f64,
    pub(in crate::render) right: f64,
    pub(in crate::render) panels: Vec<Panel>,
    /// Top of each strip of batches.
    pub(in crate::render) strips: Vec<f64>,
    count: usize,
}

impl Geometry {
    /// The place of a session; a single one stands in the middle and has the whole width.
    fn x(&self, index: f64) -> f64 {
        let wide = self.right - self.left;
        match self.count {
            0 | 1 => self.left + wide * (index + 0.5),
            count => self.left + wide * index / (count - 1) as f64,
        }
    }

    pub(in crate::render) fn bottom(&self) -> f64 {
        self.panels.last().map_or(TOP, Panel::bottom)
    }
}

/// The legend of a panel: rows of a sample and a text.
fn legend<'a>(
    left: f64,
    chart: &'a Chart,
    panel: usize,
    scale: &Scale,
) -> Vec<Vec<(f64, usize, &'a str)>> {
    let start = left + width_of(scale.heading, SIZE) + 20.0;
    let mut rows = vec![Vec::new()];
    let mut x = start;
    for (number, (_, line)) in chart.of_panel(panel).enumerate() {
        let wide = 40.0 + width_of(line.field, SIZE) + 18.0;
        if x + wide > WIDTH - RIGHT && x > start {
            rows.push(Vec::new());
            x = start;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, number, line.field));
        }
        x += wide;
    }
    rows
}

/// Places everything.
pub(in crate::render) fn geometry(chart: &Chart) -> Geometry {
    let axis = |panel: usize| {
        let unit = chart.of_panel(panel).next().map_or("", |(_, line)| line.unit);
        let scale = scale(unit);
        let (low, high) = chart.range(panel).unwrap_or((0.0, 0.0));
        let (low, high) = scale.ends(low * scale.factor, high * scale.factor);
        // A flat line stands in the middle of the picture.
        let pad = if high > low { 0.0 } else { (low.abs() * 0.1).max(1e-3) };
        let height = if panel == 0 { TALL } else { FURTHER };
        (scale, height, ticks(low - pad, high + pad, (height / 48.0) as usize))
    };
    let axes: Vec<(Scale, f64, Vec<f64>)> = (0..chart.panels()).map(axis).collect();
    let labels = axes.iter().flat_map(|(scale, _, ticks)| labels(scale, ticks));
    let left = labels.map(|(_, label)| width_of(&label, SIZE) + 16.0).fold(LEFT, f64::max);
    let mut y = TOP;
    let mut panels = Vec::new();
    for (panel, (scale, height, ticks)) in axes.into_iter().enumerate() {
        let top = y + ROW * legend(left, chart, panel, &scale).len() as f64 + 4.0;
        panels.push(Panel { scale, legend: y, top, height, ticks });
        y = top + height + 20.0;
    }
    let bottom = panels.last().map_or(TOP, Panel::bottom) + DATES;
    let strips = (0..chart.strips().len()).map(|row| bottom + STRIP * row as f64).collect();
    Geometry { left, right: WIDTH - RIGHT, panels, strips, count: chart.points.len() }
}

/// The ticks of an axis with their labels.
fn labels(scale: &Scale, ticks: &[f64]) -> Vec<(f64, String)> {
    let step = ticks.get(1).zip(ticks.first()).map_or(1.0, |(b, a)| b - a);
    ticks.iter().map(|tick| (*tick, number(scale, *tick, step))).collect()
}

/// Draws a chart.
pub(super) fn svg(chart: &Chart) -> String {
    let geometry = geometry(chart);
    let left = geometry.left;
    let mut canvas = Canvas::new();
    canvas.text("t", (left, 24.0), Anchor::Start, &chart.title());
    canvas.text("m", (left, 42.0), Anchor::Start, &chart.place());
    for (index, panel) in geometry.panels.iter().enumerate() {
        let corner = (n(left), n(panel.top), n(WIDTH - RIGHT - left), n(panel.height));
        canvas.raw(&format!(
            "<clipPath id=\"clip{index}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\
             </clipPath>",
            corner.0, corner.1, corner.2, corner.3
        ));
        key(left, chart, index, panel, &mut canvas);
        canvas.raw(&format!("<g id=\"grid{index}\">"));
        values(left, panel, &mut canvas);
        canvas.raw("</g>");
    }
    canvas.raw("<g id=\"time\">");
    time(chart, &geometry, &mut canvas);
    canvas.raw("</g>\n<g id=\"batches\">");
    batches(chart, &geometry, &mut canvas);
    canvas.raw("</g>");
    for (index, panel) in geometry.panels.iter().enumerate() {
        canvas.raw(&format!("<g id=\"lines{index}\" clip-path=\"url(#clip{index})\">"));
        for (number, (line, _)) in chart.of_panel(index).enumerate() {
            path(chart, line, number, panel, &geometry, &mut canvas);
        }
        canvas.raw("</g>");
    }
    canvas.raw("<g id=\"cursor\"></g>");
    let mut notes = Vec::new();
    let missing: Vec<String> =
        chart.lines.iter().map(|line| format!("{} {}", line.field, line.missing)).collect();
    notes.push(format!("Sessions missing (breaks in the line): {}.", missing.join(", ")));
    notes.push("The strips name the batch that asserts each value.".to_owned());
    if !chart.absent.is_empty() {
        notes.push(format!("Not drawn: {}.", chart.absent.join(", ")));
    }
    if chart.kind == "rank" {
        notes.push(RANKS.to_owned());
    }
    let from = geometry.strips.last().map_or(geometry.bottom() + DATES, |top| top + STRIP) + 16.0;
    let end = canvas.paragraph("s m", (left, from), WIDTH - left - RIGHT, &notes.join(" "));
    canvas.finish((WIDTH, end), &chart.title(), &chart.sentence())
}

/// What the axis is in, and which line is which.
fn key(left: f64, chart: &Chart, index: usize, panel: &Panel, canvas: &mut Canvas) {
    let y = panel.legend + 13.0;
    canvas.text("m", (left, y), Anchor::Start, panel.scale.heading);
    for (row, items) in legend(left, chart, index, &panel.scale).iter().enumerate() {
        let y = y + ROW * row as f64;
        for (x, number, name) in items {
            let class = format!("l d{}", number % 6);
            canvas.line(&class, (*x, y - 4.0), (x + 32.0, y - 4.0));
            canvas.text("", (x + 38.0, y), Anchor::Start, name);
        }
    }
}

/// The value axis.
fn values(left: f64, panel: &Panel, canvas: &mut Canvas) {
    for (tick, label) in labels(&panel.scale, &panel.ticks) {
        let y = panel.y(tick);
        canvas.line("grid", (left, y), (WIDTH - RIGHT, y));
        canvas.text("", (left - 8.0, y + 4.0), Anchor::End, &label);
    }
}

/// The time axis, under all panels and through them.
fn time(chart: &Chart, geometry: &Geometry, canvas: &mut Canvas) {
    let left = geometry.left;
    let days: Vec<&str> = chart.points.iter().map(|point| point.date.as_str()).collect();
    let x = |index: usize| geometry.x(index as f64);
    let wide = |label: &str| width_of(label, SIZE) + APART;
    let labels = dates(&days, &x, left - 30.0, WIDTH - 2.0, &wide);
    for (index, label) in labels {
        let at = x(index);
        for panel in &geometry.panels {
            canvas.line("grid", (at, panel.top), (at, panel.bottom()));
        }
        canvas.text("", (at, geometry.bottom() + 17.0), Anchor::Middle, &label);
    }
    for panel in &geometry.panels {
        canvas.line("axis", (left, panel.bottom()), (WIDTH - RIGHT, panel.bottom()));
    }
}

/// Which batch asserts the values of each view, and where that changes.
fn batches(chart: &Chart, geometry: &Geometry, canvas: &mut Canvas) {
    let (left, half) = (geometry.left, 0.5);
    let mut cuts: Vec<usize> = Vec::new();
    for (line, top) in chart.strips().into_iter().zip(&geometry.strips) {
        let middle = top + STRIP / 2.0 + 1.0;
        canvas.text("m", (left - 8.0, middle), Anchor::End, &format!("batch {}", line.series));
        let mut parity = 0;
        for (number, span) in line.batches.iter().enumerate() {
            let (from, to) = chart.places(span);
            if number > 0 {
                cuts.push(from);
            }
            let start = geometry.x(from as f64 - half).max(left);
            let end = geometry.x(to as f64 + half).min(WIDTH - RIGHT);
            let told = format!("{}: {} … {}", span.batch, span.from, span.to);
            let size = ((end - start).max(1.0), STRIP - 8.0);
            canvas.rect(&format!("b b{parity}"), (start, top + 0.5), size, &told);
            parity = 1 - parity;
            // A name stands inside its own band; that of the last may stand after it.
            let wide = width_of(&span.batch, 10.0);
            if end - start >= wide + 4.0 {
                canvas.text("s", ((start + end) / 2.0, middle), Anchor::Middle, &span.batch);
            } else if number + 1 == line.batches.len() && end + 3.0 + wide <= WIDTH {
                canvas.text("s", (end + 3.0, middle), Anchor::Start, &span.batch);
            }
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    if cuts.len() <= MOST_CUTS {
        for cut in cuts {
            let x = geometry.x(cut as f64 - half);
            for panel in &geometry.panels {
                canvas.line("cut", (x, panel.top), (x, panel.bottom()));
            }
        }
    }
}

/// A line; a hole breaks it, and a value between holes is a point.
fn path(
    chart: &Chart,
    line: usize,
    number: usize,
    panel: &Panel,
    geometry: &Geometry,
    canvas: &mut Canvas,
) {
    let (mut lines, mut points) = (String::new(), String::new());
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut close = |run: &mut Vec<(f64, f64)>| {
        // Writing into a String cannot fail.
        match run.as_slice() {
            [] => {}
            [(x, y)] => {
                let _ = write!(points, "M{} {}h0", n(*x), n(*y));
            }
            several => {
                for (index, (x, y)) in several.iter().enumerate() {
                    let step = if index == 0 { 'M' } else { 'L' };
                    let _ = write!(lines, "{step}{} {}", n(*x), n(*y));
                }
            }
        }
        run.clear();
    };
    let mut last: Option<usize> = None;
    for (index, value) in chart.known(line) {
        if last.is_some_and(|last| last + 1 != index) {
            close(&mut run);
        }
        run.push((geometry.x(index as f64), panel.y(value * panel.scale.factor)));
        last = Some(index);
    }
    close(&mut run);
    for (kind, path) in [("l", lines), ("p", points)] {
        if !path.is_empty() {
            canvas.raw(&format!("<path class=\"{kind} d{}\" d=\"{path}\"/>", number % 6));
        }
    }
}

/// A line's batches by their places, for scripts.
pub(in crate::render) fn spans(chart: &Chart, line: &ChartLine) -> Vec<(String, usize, usize)> {
    let place = |span: &crate::app::report::BatchSpan| {
        let (from, to) = chart.places(span);
        (span.batch.clone(), from, to)
    };
    line.batches.iter().map(place).collect()
}
