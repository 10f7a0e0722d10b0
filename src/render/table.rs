//! Aligned columns without lines, and the fallback of signs to ASCII.

use super::Look;
use comfy_table::{CellAlignment, ColumnConstraint, Table as Comfy, Width, presets};

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}
use Side::{Left, Right};

/// The text of the last column is not wrapped to less than that.
const FEWEST: usize = 20;

/// Another text is not wrapped to less: a time, or the span between two days.
const SPAN: usize = 24;

/// A line below a table is not longer than that.
const LONGEST: usize = 96;

/// A table under construction.
pub(super) struct Table {
    sides: Vec<Side>,
    inner: Comfy,
    look: Look,
    rows: usize,
    /// The longest word of each column.
    words: Vec<usize>,
    spare: Vec<(usize, String)>,
    hidden: Vec<(usize, String)>,
}

impl Table {
    /// A table with these headings; a heading that begins with `>` stands right, with its column.
    pub(super) fn new(look: &Look, headings: &[&str]) -> Self {
        let sides = headings.iter().map(|name| if name.starts_with('>') { Right } else { Left });
        let mut table = Self::bare(look, sides.collect());
        let names = headings.iter().map(|name| table.look.cell(name.trim_start_matches('>')));
        let names = names.collect::<Vec<_>>();
        table.measure(&names);
        table.inner.set_header(names);
        table
    }

    /// A table without headings.
    pub(super) fn bare(look: &Look, sides: Vec<Side>) -> Self {
        let mut inner = Comfy::new();
        inner.load_style(presets::NOTHING);
        let (spare, hidden, words) = (Vec::new(), Vec::new(), vec![0; sides.len()]);
        Self { sides, inner, look: *look, rows: 0, words, spare, hidden }
    }

    /// The columns that a narrow terminal may do without, those that go first first, and what the line
    /// below the table calls them; one without a name is not missed.
    pub(super) fn spare(&mut self, columns: &[(usize, &str)]) {
        self.spare = columns.iter().map(|(column, name)| (*column, (*name).to_owned())).collect();
    }

    pub(super) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        let look = self.look;
        let cells = cells.into_iter().map(|cell| look.cell(&cell)).collect::<Vec<_>>();
        self.measure(&cells);
        self.inner.add_row(cells);
        self.rows += 1;
    }

    fn measure(&mut self, cells: &[String]) {
        for (longest, cell) in self.words.iter_mut().zip(cells) {
            let word = cell.split(' ').map(|word| word.chars().count()).max();
            *longest = word.unwrap_or_default().max(*longest);
        }
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
        self.fit();
        let lines = self.inner.lines();
        let mut out: String = lines
            .map(|line| format!("  {}", line.trim_end()).trim_end().to_owned() + "\n")
            .collect();
        let missed = self.hidden.iter().map(|(_, name)| name.as_str());
        let missed = missed.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        if !missed.is_empty() {
            let text = format!("Not shown for want of width: {missed}; `--json` has them");
            out += &self.look.below(&text);
        }
        out
    }

    /// What is shown with the widths at which it fits, the widest texts wrapped: numbers never are. Where
    /// it is `tight` a text keeps no more than the room of its longest word. `None` where that is not
    /// enough.
    fn fitted(&self, contents: &[usize], room: usize, tight: bool) -> Option<Vec<(usize, usize)>> {
        let is_hidden = |column: usize| self.hidden.iter().any(|(hidden, _)| *hidden == column);
        let all = contents.iter().copied().enumerate();
        let mut widths: Vec<_> = all.filter(|(column, _)| !is_hidden(*column)).collect();
        // Nothing stands behind the last one, and nothing before it when it is empty.
        let last = widths.iter().rposition(|(_, width)| *width > 0).unwrap_or(0);
        loop {
            let all = widths.iter().map(|(_, width)| width).sum::<usize>() + last * 2;
            let excess = all.saturating_sub(room);
            if excess == 0 {
                return Some(widths);
            }
            let spare = |(place, (index, width)): (usize, &(usize, usize))| {
                let least = match self.words.get(*index) {
                    Some(word) if tight => *word,
                    _ if place == last => FEWEST,
                    _ => SPAN,
                };
                let text = self.sides.get(*index) == Some(&Left);
                let spare = if text { width.saturating_sub(least) } else { 0 };
                (spare > 0).then_some((*width, spare, place))
            };
            let widest = widths.iter().enumerate().filter_map(spare).max()?;
            widths.get_mut(widest.2)?.1 -= widest.1.min(excess);
        }
    }

    /// Makes a table fit the terminal: texts are wrapped, then spare columns are hidden until the others
    /// fit; of those hidden before, what fits all the same comes back. Where that is not enough texts are
    /// wrapped at every blank. Numbers and words never are: where even then they have no room the table
    /// runs over, and a pager scrolls sideways.
    fn fit(&mut self) {
        let Some(width) = self.look.width else { return };
        let room = usize::from(width).saturating_sub(2);
        let widths = self.inner.column_max_content_widths();
        let contents: Vec<usize> = widths.into_iter().map(usize::from).collect();
        let mut spare = std::mem::take(&mut self.spare).into_iter();
        while self.fitted(&contents, room, false).is_none()
            && let Some(next) = spare.next()
        {
            self.hidden.push(next);
        }
        for index in (0..self.hidden.len()).rev() {
            let back = self.hidden.remove(index);
            if back.1.is_empty() || self.fitted(&contents, room, false).is_none() {
                self.hidden.insert(index, back);
            }
        }
        let wrapped = self.fitted(&contents, room, false);
        let wrapped = wrapped.or_else(|| self.fitted(&contents, room, true)).unwrap_or_default();
        let wrapped =
            wrapped.into_iter().filter(|(column, width)| contents.get(*column) > Some(width));
        for (column, width) in wrapped {
            if let Some(column) = self.inner.column_mut(column) {
                let padded = u16::try_from(width + 2).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(padded)));
            }
        }
        for (column, _) in &self.hidden {
            if let Some(column) = self.inner.column_mut(*column) {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
}

impl Look {
    /// Lines below a table, each indented like its rows.
    pub(super) fn below(&self, text: &str) -> String {
        let width = self.width.map_or(LONGEST, usize::from).clamp(40, LONGEST);
        wrapped(text, width - 2).iter().map(|line| format!("  {line}\n")).collect()
    }

    /// Lines that are cut at blanks where the terminal is narrower, the rest of each below its beginning.
    pub(super) fn flow(&self, text: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let mut out = String::new();
        for line in text.lines() {
            let bare = line.trim_start();
            let indent = line.len() - bare.len();
            let room = usize::from(width).saturating_sub(indent).max(FEWEST);
            for part in wrapped(bare, room) {
                out += &format!("{}{part}\n", &line[..indent]);
            }
        }
        out
    }

    /// A text as one cell: one line, and only signs that can be shown.
    pub(super) fn cell(&self, text: &str) -> String {
        let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.unicode { flat } else { ascii(&flat) }
    }
}

/// A text in lines of at most that many characters, cut at blanks.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
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
    fn the_widest_texts_are_wrapped_and_no_number_when_the_terminal_is_narrow() {
        let look = Look { width: Some(40), unicode: true };
        let mut table = Table::bare(&look, vec![Left, Left]);
        table.row(["as read".into(), "2024-01-29 N/A 35.03 35.30 36.32 79108".into()]);
        let text = table.finish();
        assert!(text.starts_with("  as read  2024-01-29 N/A"), "{text}");
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= 40), "{text}");
        let look = Look { width: Some(80), unicode: true };
        let headings = ["what", ">rows", "of", "reason", "hash"];
        let mut table = Table::new(&look, &headings);
        table.spare(&[(4, "hash")]);
        let [what, reason] =
            ["some words of what was done ", "because "].map(|text| text.repeat(9));
        table.row([what, "1,234,567".into(), "AAPL".into(), reason, "#".repeat(12)]);
        let text = table.finish();
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.contains("  1,234,567  AAPL  because") && text.contains("hash"), "{text}");
        // Without the other words the last column has room again.
        let mut table = Table::new(&look, &headings);
        table.spare(&[(4, "hash")]);
        table.row(["x", "1", "AAPL", "y", "#"].map(str::to_owned));
        assert!(!table.finish().contains("Not shown"));
    }

    #[test]
    fn a_text_is_cut_at_blanks() {
        assert_eq!(wrapped("aa bb cc", 5), ["aa bb", "cc"]);
    }

    #[test]
    fn signs_fall_back_to_ascii() {
        let text = sample(&Look { width: None, unicode: false });
        assert!(text.is_ascii() && text.contains("-0.20 pts"), "{text}");
        assert_eq!(ascii("≈ 1 … 2 – ›"), ". 1 .. 2 - >");
    }
}
