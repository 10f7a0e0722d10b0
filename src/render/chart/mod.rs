//! Charts for the terminal: lines of braille dots over the sessions, holes left open.

mod braille;
pub(super) mod words;

use super::ink::{clean, ink};
use super::numbers;
use super::svg::scale::{number, ticks};
use super::table::wrapped;
use super::{Document, Grid, Look};
use crate::app::report::{Chart, ChartLine};
use braille::{Canvas, Cell, mark, overlay, place_of};
use serde_json::Value as Json;
use words::{RANKS, Scale, scale};

/// Rows of characters of the first panel, and of each further one.
const ROWS: usize = 12;
const FURTHER: usize = 7;
/// Columns of a chart without a terminal, and the most of one.
const WIDTH: usize = 100;
/// Fewest columns between two dates.
const APART: usize = 3;

/// Where things stand on the page.
struct Frame {
    /// Columns before the axis.
    margin: usize,
    /// Columns of the chart itself.
    columns: usize,
    unicode: bool,
}

impl Frame {
    fn column(&self, place: usize, count: usize) -> usize {
        place_of(place, count, self.columns)
    }

    fn blank(&self) -> String {
        " ".repeat(self.margin + 1)
    }
}

/// Labels of a value axis, by row.
struct Axis {
    ends: (f64, f64),
    labels: Vec<(usize, String)>,
}

impl Axis {
    fn of(chart: &Chart, panel: usize, rows: usize, scale: &Scale) -> Self {
        let (low, high) = chart.range(panel).unwrap_or((0.0, 0.0));
        let (low, high) = scale.ends(low * scale.factor, high * scale.factor);
        // A flat line stands in the middle of the picture.
        let pad = if high > low { 0.0 } else { (low.abs() * 0.1).max(1e-3) };
        let (low, high) = (low - pad, high + pad);
        let marks = ticks(low, high, (rows / 3).max(2));
        let step = marks.get(1).zip(marks.first()).map_or(1.0, |(b, a)| b - a);
        let ends = marks.first().zip(marks.last()).map_or((low, high), |(a, b)| (*a, *b));
        let row = |value: f64| {
            let share = (ends.1 - value) / (ends.1 - ends.0);
            ((share * (rows * 4 - 1) as f64).round() / 4.0).floor() as usize
        };
        let label = |value: &f64| (row(*value), number(scale, *value, step));
        Self { ends, labels: marks.iter().map(label).collect() }
    }
}

impl Document for Chart {
    fn text(&self, look: &Look) -> String {
        clean(&self.page(look))
    }

    fn inked(&self, look: &Look) -> Option<String> {
        Some(self.page(look))
    }

    fn grid(&self) -> Grid {
        let row = |point: &crate::app::report::ChartPoint| {
            let values = point.values.iter().map(|value| Json::from(*value));
            std::iter::once(Json::from(point.date.as_str())).chain(values).collect()
        };
        let names = self.lines.iter().map(|line| line.field.to_owned());
        let columns = std::iter::once("date".to_owned()).chain(names).collect();
        Grid { columns, rows: self.points.iter().map(row).collect() }
    }
}

impl Chart {
    fn page(&self, look: &Look) -> String {
        let height = |panel| if panel == 0 { ROWS } else { FURTHER };
        let axes: Vec<(Scale, Axis)> = (0..self.panels())
            .map(|panel| {
                let unit = self.of_panel(panel).next().map_or("", |(_, line)| line.unit);
                let scale = scale(unit);
                (scale, Axis::of(self, panel, height(panel), &scale))
            })
            .collect();
        let labels = axes.iter().flat_map(|(_, axis)| &axis.labels);
        let widest = labels.map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let strips = self.strips().iter().map(|line| line.series.len()).max().unwrap_or(0);
        let margin = widest.max(strips) + 1;
        let width = look.width.map_or(WIDTH, usize::from).min(WIDTH + 40);
        let columns = width.saturating_sub(margin + 2).max(16);
        let frame = Frame { margin, columns, unicode: look.unicode };
        let mut out = format!("{}\n", self.title());
        let (title, place) = (self.title().chars().count(), self.place());
        if title + 3 + place.chars().count() <= width {
            out = format!("{}   {place}\n", self.title());
        }
        for (panel, (scale, axis)) in axes.iter().enumerate() {
            out += &self.panel(panel, height(panel), scale, axis, &frame);
        }
        out += &self.dates(&frame);
        for line in self.strips() {
            out += &self.strip(line, &frame);
        }
        out + &self.facts(width)
    }

    /// One panel: what its lines are, and the lines.
    fn panel(
        &self,
        panel: usize,
        rows: usize,
        scale: &Scale,
        axis: &Axis,
        frame: &Frame,
    ) -> String {
        let several = self.of_panel(panel).count() > 1;
        let heading = [(None, format!("({})", scale.heading))];
        let legend = self.of_panel(panel).enumerate().map(|(number, (_, line))| match several {
            true => (Some(number), format!("{} {}", mark(number, frame.unicode), line.field)),
            false => (Some(number), line.field.to_owned()),
        });
        let mut out = flowed(legend.chain(heading), frame);
        let canvas = |(index, _): (usize, &ChartLine)| {
            let mut canvas = Canvas::new(frame.columns, rows);
            let values = self.known(index).map(|(at, value)| (at, value * scale.factor));
            canvas.draw(values, self.points.len(), axis.ends);
            canvas
        };
        let canvases: Vec<Canvas> = self.of_panel(panel).map(canvas).collect();
        let (bar, tick) = if frame.unicode { ("│", "┤") } else { ("|", "+") };
        for (number, cells) in overlay(&canvases, frame.unicode).iter().enumerate() {
            let label = axis.labels.iter().find(|(row, _)| *row == number);
            let (label, bar) = label.map_or(("", bar), |(_, label)| (label.as_str(), tick));
            let margin = frame.margin;
            let line = format!("{label:>margin$} {bar}{}", coloured(cells));
            out += line.trim_end();
            out.push('\n');
        }
        out
    }

    /// The time axis with its dates.
    fn dates(&self, frame: &Frame) -> String {
        let (corner, dash, tick) =
            if frame.unicode { ('└', '─', '┬') } else { ('+', '-', '+') };
        let days: Vec<&str> = self.points.iter().map(|point| point.date.as_str()).collect();
        let room = |label: &str| label.len() + APART;
        let x = |place: usize| frame.column(place, days.len()) as f64;
        let labels = super::svg::scale::dates(&days, &x, 0.0, frame.columns as f64, &|label| {
            room(label) as f64
        });
        let mut axis: Vec<char> = vec![dash; frame.columns];
        let mut text = vec![' '; frame.columns];
        for (place, label) in labels {
            let at = frame.column(place, days.len());
            if let Some(slot) = axis.get_mut(at) {
                *slot = tick;
            }
            let from =
                at.saturating_sub(label.len() / 2).min(frame.columns.saturating_sub(label.len()));
            for (slot, c) in text.iter_mut().skip(from).zip(label.chars()) {
                *slot = c;
            }
        }
        let (axis, text): (String, String) = (axis.iter().collect(), text.iter().collect());
        let blank = frame.blank();
        format!("{blank}{corner}{axis}\n{}\n", format!("{blank} {text}").trim_end())
    }

    /// The lines whose batches are told: one a view, the first of it.
    pub(super) fn strips(&self) -> Vec<&ChartLine> {
        let mut strips: Vec<&ChartLine> = Vec::new();
        for line in &self.lines {
            let told = strips.iter().any(|known| known.series == line.series);
            if !told && !line.batches.is_empty() {
                strips.push(line);
            }
        }
        strips
    }

    /// The places of a batch's days: from the first to the last.
    pub(super) fn places(&self, span: &crate::app::report::BatchSpan) -> (usize, usize) {
        let place = |day: &str| self.points.partition_point(|point| point.date.as_str() < day);
        (place(&span.from), place(&span.to))
    }

    /// Which batch the values of a view are from, under the time axis.
    fn strip(&self, line: &ChartLine, frame: &Frame) -> String {
        let (edge, dash) = if frame.unicode { ('├', '─') } else { ('|', '-') };
        let mut cells = vec![' '; frame.columns];
        let column = |place| frame.column(place, self.points.len());
        for (number, span) in line.batches.iter().enumerate() {
            let (from, last) = self.places(span);
            let next = line.batches.get(number + 1).map(|next| self.places(next).0);
            // Bands of neighbouring sessions touch.
            let (from, to) = match next.filter(|next| *next == last + 1) {
                Some(next) => (column(from), column(next).saturating_sub(1).max(column(from))),
                None => (column(from), column(last)),
            };
            for (at, slot) in cells.iter_mut().enumerate().skip(from).take(to + 1 - from) {
                *slot = if at == from { edge } else { dash };
            }
            // A name stands inside its own days or nowhere.
            if span.batch.len() + 1 < to + 2 - from {
                for (slot, c) in cells.iter_mut().skip(from + 1).zip(span.batch.chars()) {
                    *slot = c;
                }
            }
        }
        let (margin, text): (usize, String) = (frame.margin, cells.iter().collect());
        format!("{:>margin$}  {}\n", line.series, text.trim_end())
    }

    /// What is read off each line, and what is missing.
    fn facts(&self, width: usize) -> String {
        let mut out = String::new();
        let mut more: Vec<String> = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let scale = scale(line.unit);
            let (mut low, mut high, mut last) = (f64::INFINITY, f64::NEG_INFINITY, None);
            for (_, value) in self.known(index) {
                (low, high, last) = (low.min(value), high.max(value), Some(value));
            }
            let shown = |value: f64| scale.shown(value);
            let name =
                if self.lines.len() > 1 { format!("{}: ", line.field) } else { String::new() };
            let all = line.missing + line.known;
            let all = match self.lines.len() {
                1 => numbers::counted(all, "session"),
                _ => numbers::count(all),
            };
            more.push(format!(
                "{name}last {}   low {}   high {}   {} of {all} missing",
                last.map(shown).unwrap_or_default(),
                shown(low),
                shown(high),
                numbers::count(line.missing),
            ));
        }
        if !self.absent.is_empty() {
            more.push(format!("not drawn: {}", self.absent.join(", ")));
        }
        if self.kind == "rank" {
            more.push(RANKS.to_owned());
        }
        for text in more {
            for line in wrapped(&text, width.saturating_sub(2)) {
                out += &format!("  {line}\n");
            }
        }
        out
    }
}

/// The entries of a legend, in as many rows as they need.
fn flowed(entries: impl Iterator<Item = (Option<usize>, String)>, frame: &Frame) -> String {
    let start = frame.margin + 2;
    let mut out = String::new();
    let mut at = 0;
    for (whose, text) in entries {
        let wide = text.chars().count();
        if at == 0 || at + 3 + wide > start + frame.columns {
            out += &format!("{}{}", if at == 0 { "" } else { "\n" }, " ".repeat(start));
            at = start + wide;
        } else {
            out += "   ";
            at += 3 + wide;
        }
        out += &inked(&(whose, text));
    }
    out + "\n"
}

/// Runs of one line's characters in its colour.
fn coloured(cells: &[Cell]) -> String {
    let end = cells.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let mut out = String::new();
    let mut run: (Option<usize>, String) = (None, String::new());
    for cell in cells.iter().take(end) {
        let (sign, whose) = cell.map_or((' ', None), |(sign, number)| (sign, Some(number)));
        if whose != run.0 {
            out += &inked(&run);
            run = (whose, String::new());
        }
        run.1.push(sign);
    }
    out + &inked(&run)
}

fn inked((whose, text): &(Option<usize>, String)) -> String {
    match whose {
        Some(number) => ink(*number, text),
        None => text.clone(),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::{dated, sample};
