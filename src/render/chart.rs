//! Charts for the terminal: a line of braille dots over the sessions, holes left open.

use super::numbers::{self, unit};
use super::{Document, Grid, Look, json};
use crate::app::report::Chart;
use crate::domain::series::Unit;
use serde_json::Value as Json;

/// Rows of characters; each holds four dots.
const ROWS: usize = 12;
/// Width without a terminal, and the most of one.
const WIDTH: usize = 100;

/// The dots of a chart: `columns` × 2 wide, `ROWS` × 4 high, counted from the top left.
struct Canvas {
    columns: usize,
    dots: Vec<bool>,
}

impl Canvas {
    fn new(columns: usize) -> Self {
        Self { columns, dots: vec![false; columns * 2 * ROWS * 4] }
    }

    fn set(&mut self, x: usize, y: usize) {
        if let Some(dot) = self.dots.get_mut(y * self.columns * 2 + x) {
            *dot = true;
        }
    }

    fn is_set(&self, x: usize, y: usize) -> bool {
        self.dots.get(y * self.columns * 2 + x).copied().unwrap_or(false)
    }

    /// A vertical stroke, so that neighbouring columns touch.
    fn stroke(&mut self, x: usize, from: usize, to: usize) {
        (from.min(to)..=from.max(to)).for_each(|y| self.set(x, y));
    }

    fn row(&self, row: usize, unicode: bool) -> String {
        // Bits of a braille cell, column by column from the top.
        const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let cell = |column: usize| {
            let mut bits = 0;
            for (dx, of_column) in BITS.iter().enumerate() {
                for (dy, bit) in of_column.iter().enumerate() {
                    if self.is_set(column * 2 + dx, row * 4 + dy) {
                        bits |= bit;
                    }
                }
            }
            match (bits, unicode) {
                (0, _) => ' ',
                (_, false) => '*',
                (bits, true) => char::from_u32(0x2800 + bits).unwrap_or(' '),
            }
        };
        (0..self.columns).map(cell).collect::<String>().trim_end().to_owned()
    }
}

fn shown(chart: &Chart, value: f64) -> String {
    match unit(chart.series, chart.field) {
        Some(Unit::Vol) => format!("{:.1} %", value * 100.0),
        Some(Unit::Points) => format!("{value:.1} pts"),
        Some(Unit::Count) => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

impl Document for Chart {
    fn text(&self, look: &Look) -> String {
        let values: Vec<f64> = self.points.iter().filter_map(|(_, value)| *value).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A flat line stands in the middle of the picture.
        let (bottom, top) = if high > low { (low, high) } else { (low - 1.0, high + 1.0) };
        let labels = [high, (high + low) / 2.0, low].map(|value| shown(self, value));
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) + 1;
        let width = look.width.map_or(WIDTH, usize::from).min(WIDTH + margin);
        let columns = width.saturating_sub(margin + 3).clamp(16, WIDTH);
        let canvas = self.drawn(columns, bottom, top);
        let (first, last) = (self.points.first(), self.points.last());
        let day = |point: Option<&(String, Option<f64>)>| {
            point.map(|(day, _)| day.clone()).unwrap_or_default()
        };
        let (bar, corner, dash) =
            if look.unicode { ("│", "└", "─") } else { ("|", "+", "-") };
        let mut out = format!("{} {}, {}\n", self.series, self.symbol, self.field);
        for row in 0..ROWS {
            let label = match row {
                0 => labels.first(),
                row if row == ROWS / 2 && high > low => labels.get(1),
                row if row == ROWS - 1 && high > low => labels.get(2),
                _ => None,
            };
            let label = label.map(String::as_str).unwrap_or_default();
            let line = format!("{label:>margin$} {bar}{}", canvas.row(row, look.unicode));
            out += line.trim_end();
            out.push('\n');
        }
        let (blank, line) = (" ".repeat(margin + 1), dash.repeat(columns));
        out += &format!("{blank}{corner}{line}\n");
        let (first, last) = (day(first), day(last));
        let space = columns.saturating_sub(first.len() + last.len()).max(1);
        out += &format!("{blank} {first}{}{last}\n", " ".repeat(space));
        let missing = self.points.len() - values.len();
        let latest = values.last().map(|value| shown(self, *value)).unwrap_or_default();
        out += &format!(
            "  last {latest}   low {}   high {}   {missing} of {} sessions missing\n",
            shown(self, low),
            shown(self, high),
            numbers::count(self.points.len() as u64)
        );
        out
    }

    fn json(&self) -> String {
        json::line(self)
    }

    fn grid(&self) -> Grid {
        let row =
            |(day, value): &(String, Option<f64>)| vec![Json::from(day.as_str()), (*value).into()];
        let columns = vec!["date".to_owned(), self.field.to_owned()];
        Grid { columns, rows: self.points.iter().map(row).collect() }
    }
}

impl Chart {
    /// Draws the line. Several sessions may share a column of dots: it spans their values.
    fn drawn(&self, columns: usize, bottom: f64, top: f64) -> Canvas {
        let mut canvas = Canvas::new(columns);
        let (wide, high) = (columns * 2, ROWS * 4);
        let last = self.points.len().saturating_sub(1).max(1);
        let height = |value: f64| {
            let share = (top - value) / (top - bottom);
            (share * (high - 1) as f64).round() as usize
        };
        let mut before: Option<(usize, usize)> = None;
        for (index, (_, value)) in self.points.iter().enumerate() {
            let x = index * (wide - 1) / last;
            let Some(y) = value.map(height) else {
                // A hole breaks the line.
                before = None;
                continue;
            };
            match before {
                Some((at, level)) if at == x => canvas.stroke(x, level, y),
                Some((at, level)) => {
                    for step in at + 1..=x {
                        let part = |to: usize| {
                            let share = (to - at) as f64 / (x - at) as f64;
                            (level as f64 + share * (y as f64 - level as f64)).round() as usize
                        };
                        canvas.stroke(step, part(step - 1), part(step));
                    }
                }
                None => canvas.set(x, y),
            }
            before = Some((x, y));
        }
        canvas
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<f64>]) -> Chart {
        let day = |index: usize| format!("2024-01-{:02}", index + 1);
        let points = values.iter().enumerate().map(|(index, value)| (day(index), *value));
        Chart {
            schema: "volledger/chart/1",
            series: "iv",
            symbol: "A".into(),
            field: "atm_iv",
            position: 1,
            points: points.collect(),
        }
    }

    fn page(values: &[Option<f64>], width: u16, unicode: bool) -> String {
        chart(values).text(&Look { width: Some(width), unicode })
    }

    #[test]
    fn a_rising_line_rises_and_a_hole_is_a_hole() {
        let rising = page(&[Some(0.1), Some(0.2), Some(0.3)], 40, false);
        let lines: Vec<&str> = rising.lines().collect();
        assert!(lines[1].contains("30.0 %") && lines[1].ends_with('*'), "{rising}");
        assert!(lines[ROWS].contains("10.0 %") && lines[ROWS].contains("|*"), "{rising}");
        assert!(rising.contains("2024-01-01") && rising.contains("2024-01-03"));
        assert!(rising.contains("0 of 3 sessions missing"));
        let broken = page(&[Some(0.1), None, Some(0.3)], 40, false);
        assert_eq!(broken.matches('*').count(), 2, "{broken}");
        assert!(broken.contains("1 of 3 sessions missing"), "{broken}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let wave: Vec<_> = (0..31).map(|i| Some(0.2 + 0.1 * f64::from(i).sin())).collect();
        for width in [30, 60, 80, 120, 200] {
            for unicode in [true, false] {
                let page = page(&wave, width, unicode);
                let widest = page.lines().take(ROWS + 3).map(|line| line.chars().count()).max();
                assert!(widest <= Some(usize::from(width)), "{width}: {widest:?}\n{page}");
            }
        }
        // One value, and a flat line, are drawn too.
        for values in [vec![Some(0.2)], vec![Some(0.2); 5]] {
            assert!(page(&values, 80, true).contains("20.0 %"));
        }
    }
}
