//! A canvas of dots for the terminal: a braille character holds two by four of them.

/// Places of marks on a line are that many columns apart.
const MARK_EVERY: usize = 14;

/// The marks of lines in one panel, where several share it: never told by colour alone.
pub(super) const MARKS: [char; 6] = ['●', '▲', '■', '◆', '○', '△'];

/// The marks of lines for terminals without Unicode: there the whole line is drawn with its mark.
pub(super) const LETTERS: [char; 6] = ['*', '+', 'x', 'o', '#', '@'];

/// The dots of one line in a panel of `columns` × 2 by `rows` × 4, counted from the top left.
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<bool>,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self { columns, rows, dots: vec![false; columns * 2 * rows * 4] }
    }

    fn set(&mut self, x: usize, y: usize) {
        if x < self.columns * 2
            && let Some(dot) = self.dots.get_mut(y * self.columns * 2 + x)
        {
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

    /// Draws values, given by their place of `count`, between the ends of the axis. Several may
    /// share a column of dots: it spans them. A place that is left out breaks the line.
    pub(super) fn draw(
        &mut self,
        values: impl Iterator<Item = (usize, f64)>,
        count: usize,
        (bottom, top): (f64, f64),
    ) {
        let (wide, high) = (self.columns * 2, self.rows * 4);
        let height = |value: f64| {
            let share = (top - value) / (top - bottom);
            ((share * (high - 1) as f64).round().max(0.0) as usize).min(high - 1)
        };
        let mut before: Option<(usize, usize, usize)> = None;
        for (place, value) in values {
            let (x, y) = (place_of(place, count, wide), height(value));
            match before.filter(|(last, ..)| last + 1 == place) {
                Some((_, at, level)) if at == x => self.stroke(x, level, y),
                Some((_, at, level)) => {
                    for step in at + 1..=x {
                        let part = |to: usize| {
                            let share = (to - at) as f64 / (x - at) as f64;
                            (level as f64 + share * (y as f64 - level as f64)).round() as usize
                        };
                        self.stroke(step, part(step - 1), part(step));
                    }
                }
                None => self.set(x, y),
            }
            before = Some((place, x, y));
        }
    }

    /// The bits of a character's braille pattern.
    fn bits(&self, row: usize, column: usize) -> u32 {
        // Column by column from the top.
        const BITS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let mut bits = 0;
        for (dx, of_column) in BITS.iter().enumerate() {
            for (dy, bit) in of_column.iter().enumerate() {
                if self.is_set(column * 2 + dx, row * 4 + dy) {
                    bits |= bit;
                }
            }
        }
        bits
    }

    /// The row of a column in which the line is seen, the middle one where it is steep.
    fn row_at(&self, column: usize) -> Option<usize> {
        let rows: Vec<usize> = (0..self.rows).filter(|row| self.bits(*row, column) != 0).collect();
        rows.get(rows.len() / 2).copied()
    }
}

/// The dot of a place among `count`; a single one stands in the middle.
pub(super) fn place_of(place: usize, count: usize, wide: usize) -> usize {
    match count {
        0 | 1 => wide / 2,
        _ => (place * (wide - 1) / (count - 1)).min(wide - 1),
    }
}

/// One character of a panel and the line that it belongs to.
pub(super) type Cell = Option<(char, usize)>;

/// Lays the canvases of a panel over each other: where lines cross, the first one gives the colour.
pub(super) fn overlay(canvases: &[Canvas], unicode: bool) -> Vec<Vec<Cell>> {
    let (columns, rows) = canvases.first().map_or((0, 0), |canvas| (canvas.columns, canvas.rows));
    let mut cells: Vec<Vec<Cell>> = vec![vec![None; columns]; rows];
    let mut put = |row: usize, column: usize, cell: Cell| {
        if let Some(slot) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
            *slot = cell;
        }
    };
    let several = canvases.len() > 1;
    for row in 0..rows {
        for column in 0..columns {
            let seen = |canvas: &Canvas| canvas.bits(row, column);
            let Some(number) = canvases.iter().position(|canvas| seen(canvas) != 0) else {
                continue;
            };
            // Dots of all lines stay; a character has one colour only.
            let bits = canvases.iter().map(seen).fold(0, |all, bits| all | bits);
            let dots = char::from_u32(0x2800 + bits).unwrap_or(' ');
            let sign = if unicode { dots } else { mark(number, false) };
            put(row, column, Some((sign, number)));
        }
    }
    if unicode && several {
        // Staggered, so that the marks of two lines do not stand upon each other.
        for (number, canvas) in canvases.iter().enumerate().rev() {
            let step = MARK_EVERY / canvases.len().max(1);
            for column in (number * step.max(1)..columns).step_by(MARK_EVERY) {
                if let Some(row) = canvas.row_at(column) {
                    put(row, column, Some((mark(number, true), number)));
                }
            }
            // A short line has a mark as well.
            let last = (0..columns).rev().find_map(|c| Some((c, canvas.row_at(c)?)));
            if let Some((column, row)) = last {
                put(row, column, Some((mark(number, true), number)));
            }
        }
    }
    cells
}

/// The mark of a line among those of its panel.
pub(super) fn mark(number: usize, unicode: bool) -> char {
    let marks = if unicode { MARKS } else { LETTERS };
    marks.get(number % marks.len()).copied().unwrap_or('*')
}
