//! Aligned columns without lines, and the fallback of signs to ASCII.

use super::Look;
use comfy_table::{CellAlignment, ContentArrangement, Table as Comfy, presets};

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}
use Side::{Left, Right};

/// A table under construction.
pub(super) struct Table {
    sides: Vec<Side>,
    inner: Comfy,
    look: Look,
    rows: usize,
}

impl Table {
    /// A table with these headings; a heading that begins with `>` stands right, with its column.
    pub(super) fn new(look: &Look, headings: &[&str]) -> Self {
        let sides = headings.iter().map(|name| if name.starts_with('>') { Right } else { Left });
        let mut table = Self::bare(look, sides.collect());
        let names = headings.iter().map(|name| name.trim_start_matches('>').to_owned());
        table.inner.set_header(names.map(|name| table.look.cell(&name)).collect::<Vec<_>>());
        table
    }

    /// A table without headings.
    pub(super) fn bare(look: &Look, sides: Vec<Side>) -> Self {
        let mut inner = Comfy::new();
        inner.load_style(presets::NOTHING);
        Self { sides, inner, look: *look, rows: 0 }
    }

    pub(super) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        let look = self.look;
        self.inner.add_row(cells.into_iter().map(|cell| look.cell(&cell)).collect::<Vec<_>>());
        self.rows += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The lines, each indented by two blanks.
    pub(super) fn finish(mut self) -> String {
        for (index, side) in self.sides.iter().enumerate() {
            if let Some(column) = self.inner.column_mut(index) {
                column.set_padding((0, 2));
                column.set_cell_alignment(match side {
                    Left => CellAlignment::Left,
                    Right => CellAlignment::Right,
                });
            }
        }
        // Only a table that does not fit is rearranged: its text cells are wrapped.
        if let Some(width) = self.look.width {
            let needed: usize =
                self.inner.column_max_content_widths().iter().map(|w| usize::from(*w) + 2).sum();
            if needed > usize::from(width) {
                self.inner.set_content_arrangement(ContentArrangement::Dynamic);
                self.inner.set_width(width.saturating_sub(2).max(40));
            }
        }
        let lines = self.inner.lines();
        lines.map(|line| format!("  {}", line.trim_end()).trim_end().to_owned() + "\n").collect()
    }
}

impl Look {
    /// A text as one cell: one line, and only signs that can be shown.
    pub(super) fn cell(&self, text: &str) -> String {
        let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.unicode { flat } else { ascii(&flat) }
    }
}

/// Replaces the signs that need more than ASCII; other text stays as it is.
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '≈' => out.push('.'),
            '−' | '–' | '—' => out.push('-'),
            '·' => out.push('*'),
            '…' => out.push_str(".."),
            '›' | '→' => out.push('>'),
            '“' | '”' => out.push('"'),
            '’' => out.push('\''),
            '\u{a0}' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(look: &Look) -> String {
        let mut table = Table::new(look, &["date", ">change"]);
        table.row(["2024-08-05".into(), "+7.41 pts".into()]);
        table.row(["2024-08-06\u{1b}".into(), "−0.20 pts".into()]);
        table.finish()
    }

    #[test]
    fn numbers_stand_right_and_no_line_ends_in_blanks() {
        let want = "  date            change\n  2024-08-05   +7.41 pts\n  2024-08-06   −0.20 pts\n";
        assert_eq!(sample(&Look::default()), want);
    }

    #[test]
    fn signs_fall_back_to_ascii() {
        let text = sample(&Look { width: None, unicode: false });
        assert!(text.is_ascii() && text.contains("-0.20 pts"), "{text}");
        assert_eq!(ascii("≈ 1 … 2 – ›"), ". 1 .. 2 - >");
    }
}
