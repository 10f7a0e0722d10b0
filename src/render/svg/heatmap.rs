//! Heat maps: a row a symbol, a column a month, the number in each cell.

use super::super::heat::{Bands, cell_text, told, wide_title};
use super::{Anchor, Canvas, SIZE, width_of};
use crate::app::report::Heatmap;

const CELL: (f64, f64) = (38.0, 22.0);
const MARGIN: f64 = 16.0;
/// Room for title, definition and the two rows of headings.
const HEAD: f64 = 44.0;

/// Names of the months, as headings.
pub(in crate::render) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The name of a month written `2025-11`.
pub(in crate::render) fn month_name(month: &str) -> &'static str {
    let number = month.get(5..).and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
    MONTHS.get(number.saturating_sub(1)).copied().unwrap_or("")
}

pub(super) fn svg(map: &Heatmap) -> String {
    let bands = Bands::of(map);
    let names = map.rows.iter().map(|row| width_of(&row.symbol, SIZE));
    let left = MARGIN + names.fold(60.0, f64::max) + 10.0;
    let right = left + CELL.0 * map.months.len() as f64;
    // Where one has to scroll, the names stand at the newest end too.
    let again = map.months.len() > 12;
    let named = right + if again { 52.0 + left - MARGIN } else { 60.0 };
    let wide = named.max(680.0);
    let mut canvas = Canvas::new();
    canvas.text("t", (MARGIN, 26.0), Anchor::Start, &wide_title(map));
    let mut y = canvas.paragraph("m", (MARGIN, HEAD), wide - 2.0 * MARGIN, &map.definition_line());
    y = legend(&bands, y + 4.0, &mut canvas) + 38.0;
    headings(map, left, y, &mut canvas);
    canvas.text("m", (right + 40.0, y), Anchor::End, "n");
    y += 8.0;
    for row in &map.rows {
        let base = y + CELL.1 / 2.0 + 4.0;
        canvas.text("", (left - 8.0, base), Anchor::End, &row.symbol);
        for (index, cell) in row.cells.iter().enumerate() {
            let x = left + CELL.0 * index as f64;
            let month = map.months.get(index).map(String::as_str).unwrap_or_default();
            let told = told(map, &row.symbol, month, cell.as_ref());
            let size = (CELL.0 - 2.0, CELL.1 - 2.0);
            match cell.as_ref().and_then(|cell| cell.value) {
                Some(value) => {
                    let band = bands.band(value);
                    canvas.rect(&format!("q{band}"), (x + 1.0, y + 1.0), size, &told);
                    let text = cell_text(map, value);
                    let middle = (x + CELL.0 / 2.0, base);
                    canvas.text(&format!("w{band}"), middle, Anchor::Middle, &text);
                }
                None => {
                    canvas.rect("none", (x + 1.5, y + 1.5), (size.0 - 1.0, size.1 - 1.0), &told)
                }
            }
        }
        canvas.text("m", (right + 40.0, base), Anchor::End, &row.n.to_string());
        if again {
            canvas.text("", (right + 52.0, base), Anchor::Start, &row.symbol);
        }
        y += CELL.1;
    }
    let note = map.note();
    let end = canvas.paragraph("s m", (MARGIN, y + 18.0), wide - 2.0 * MARGIN, &note);
    canvas.finish((wide, end), &wide_title(map), &map.sentence())
}

/// Years over their first month, and the months.
fn headings(map: &Heatmap, left: f64, y: f64, canvas: &mut Canvas) {
    let mut year = "";
    let mut free = f64::NEG_INFINITY;
    for (index, month) in map.months.iter().enumerate() {
        let x = left + CELL.0 * index as f64;
        let of = month.get(..4).unwrap_or_default();
        if of != year && x >= free {
            year = of;
            free = x + width_of(of, SIZE) + 6.0;
            canvas.text("", (x + 4.0, y - 16.0), Anchor::Start, of);
        }
        canvas.text("s m", (x + CELL.0 / 2.0, y), Anchor::Middle, month_name(month));
    }
    // At the newest end once more, where that is far from its January.
    let right = left + CELL.0 * map.months.len() as f64;
    if map.months.len() > 12 && free + 2.0 * CELL.0 < right {
        canvas.text("", (right, y - 16.0), Anchor::End, year);
    }
}

/// What the shades mean; returns the height below it.
fn legend(bands: &Bands, y: f64, canvas: &mut Canvas) -> f64 {
    let (wide, high) = (CELL.0, 14.0);
    let (low, high_end) = bands.ends();
    canvas.text("m", (MARGIN, y + 11.0), Anchor::Start, &low);
    let start = MARGIN + width_of(&low, SIZE) + 8.0;
    for band in 0..10 {
        let x = start + wide * f64::from(band);
        canvas.rect(&format!("q{band}"), (x, y), (wide - 1.0, high), "");
    }
    let end = start + wide * 10.0;
    canvas.text("m", (end + 8.0, y + 11.0), Anchor::Start, &high_end);
    let empty = end + 8.0 + width_of(&high_end, SIZE) + 24.0;
    canvas.rect("none", (empty, y), (wide - 2.0, high), "");
    canvas.text("m", (empty + wide + 6.0, y + 11.0), Anchor::Start, "no value");
    y + high
}
