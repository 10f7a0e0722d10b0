//! A long text that is written first and told later. What a ledger shows may be gigabytes, and whoever
//! reads it may take long: neither memory nor the ledger is kept for it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// So much of a text waits in memory; more goes to a temporary file.
const HELD: usize = 4 << 20;

/// A text of any length that waits until it is told.
///
/// Its file has no name, so nothing of it stays however the process ends. Where there is no room for one
/// the text stays in memory: a full disk keeps nobody from an answer.
#[derive(Debug, Default)]
pub struct Spool {
    head: Vec<u8>,
    file: Option<File>,
    /// How much of the text is in the file, and what comes behind it.
    filed: u64,
    tail: Vec<u8>,
    /// Whether the file takes no more.
    full: bool,
    lines: usize,
    short: Vec<Short>,
    fill: Fill,
}

/// Rows up to a place that lack so many cells at their end.
#[derive(Clone, Copy, Debug)]
struct Short {
    end: u64,
    cells: usize,
}

/// How a row gets a cell with nothing in it at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fill {
    /// The cell, with what parts it from the one before.
    pub cell: &'static str,
    /// Whether a line break may stand in a cell, between quotes.
    pub quotes: bool,
}

impl From<String> for Spool {
    fn from(text: String) -> Self {
        let mut spool = Self::default();
        spool.add(text.into_bytes());
        spool
    }
}

impl Spool {
    /// Adds to the text.
    pub fn push(&mut self, text: &str) {
        self.count(text.as_bytes());
        self.tail.extend_from_slice(text.as_bytes());
        self.file_away();
    }

    fn add(&mut self, text: Vec<u8>) {
        self.count(&text);
        self.tail = text;
        self.file_away();
    }

    fn count(&mut self, text: &[u8]) {
        self.lines += text.iter().filter(|byte| **byte == b'\n').count();
    }

    /// Moves what waits in memory to the file, where it is much.
    fn file_away(&mut self) {
        if self.tail.len() >= HELD && !self.full {
            self.full = self.moved().is_err();
        }
    }

    fn moved(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        // What was written of it when that fails is behind what counts.
        file.write_all(&self.tail)?;
        self.filed += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.head.len() as u64 + self.filed + self.tail.len() as u64
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Tells the text, all of it each time.
    ///
    /// # Errors
    /// Those of `out`, or a temporary file that cannot be read.
    pub fn tell(&mut self, out: &mut dyn Write) -> io::Result<()> {
        const PIECE: usize = 1 << 16;
        out.write_all(&self.head)?;
        let short = self.short.iter().copied().collect();
        let mut filled =
            Filled { out, at: 0, short, fill: self.fill, quoted: false, piece: Vec::new() };
        if let Some(file) = &mut self.file {
            file.rewind()?;
            let mut buffer = vec![0; PIECE];
            let mut filed = file.take(self.filed);
            loop {
                match filed.read(&mut buffer)? {
                    0 => break,
                    read => filled.write(buffer.get(..read).unwrap_or_default())?,
                }
            }
            if filed.limit() > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.tail.chunks(PIECE).try_for_each(|piece| filled.write(piece))
    }
}

/// Rows as text whose columns come to light one after the other: those of a view are known when all of
/// its symbols were seen. A row that was written before a column was known gets its cell when it is told.
#[derive(Debug, Default)]
pub struct Rows {
    spool: Spool,
    columns: Vec<String>,
    /// From where on rows have so many columns.
    steps: Vec<(u64, usize)>,
}

impl Rows {
    /// The columns that are known so far.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Adds those columns that are not known yet.
    pub fn widen(&mut self, columns: &[String]) {
        for column in columns {
            if !self.columns.contains(column) {
                self.columns.push(column.clone());
            }
        }
    }

    /// Adds rows, whole ones, with the columns that are known so far.
    pub fn push(&mut self, rows: &str) {
        let now = self.columns.len();
        if self.steps.last().is_none_or(|(_, columns)| *columns != now) {
            self.steps.push((self.spool.written(), now));
        }
        self.spool.push(rows);
    }

    /// The text of all rows behind `head`.
    pub fn finish(self, head: &str, fill: Fill) -> Spool {
        let Self { mut spool, columns, steps } = self;
        if !fill.cell.is_empty() {
            // Up to the end, since a column may have no row.
            let ends = steps.iter().skip(1).map(|(start, _)| *start).chain([spool.written()]);
            let short = steps.iter().zip(ends);
            let short = short.map(|((_, had), end)| Short { end, cells: columns.len() - had });
            (spool.short, spool.fill) = (short.filter(|short| short.cells > 0).collect(), fill);
        }
        spool.count(head.as_bytes());
        spool.head = head.as_bytes().to_vec();
        spool
    }
}

/// Writes rows with the cells that they lack.
struct Filled<'a> {
    out: &'a mut dyn Write,
    at: u64,
    short: std::collections::VecDeque<Short>,
    fill: Fill,
    quoted: bool,
    /// What is written at once.
    piece: Vec<u8>,
}

impl Filled<'_> {
    fn write(&mut self, mut text: &[u8]) -> io::Result<()> {
        while let Some(short) = self.short.front().copied() {
            let before = usize::try_from(short.end - self.at).unwrap_or(usize::MAX);
            let (now, later) = text.split_at(before.min(text.len()));
            self.at += now.len() as u64;
            self.filled(now, short.cells)?;
            text = later;
            if self.at < short.end {
                return Ok(());
            }
            self.short.pop_front();
        }
        self.out.write_all(text)
    }

    fn filled(&mut self, text: &[u8], cells: usize) -> io::Result<()> {
        self.piece.clear();
        for byte in text {
            match byte {
                // A quote in a cell stands there twice.
                b'"' if self.fill.quotes => self.quoted = !self.quoted,
                b'\n' if !self.quoted => {
                    let filled = std::iter::repeat_n(self.fill.cell.as_bytes(), cells);
                    self.piece.extend(filled.flatten());
                }
                _ => {}
            }
            self.piece.push(*byte);
        }
        self.out.write_all(&self.piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(spool: &mut Spool) -> String {
        let mut out = Vec::new();
        spool.tell(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn columns(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    const CSV: Fill = Fill { cell: ",", quotes: true };

    #[test]
    fn a_row_gets_the_cells_of_columns_that_came_to_light_behind_it() {
        let mut rows = Rows::default();
        rows.widen(&columns("a b"));
        rows.push("1,2\n\"3\n\"\"\",4\n");
        rows.push("5,6\n");
        rows.widen(&columns("b c a d"));
        rows.push("7,8,9,\"\n\"\n");
        rows.widen(&columns("e"));
        rows.push("1,2,3,4,5\n");
        assert_eq!(rows.columns(), columns("a b c d e"));
        let mut text = rows.finish("a,b,c,d,e\n", CSV);
        let want = "a,b,c,d,e\n1,2,,,\n\"3\n\"\"\",4,,,\n5,6,,,\n7,8,9,\"\n\",\n1,2,3,4,5\n";
        assert_eq!((told(&mut text).as_str(), text.lines()), (want, 8));
        // Of columns that nobody has a row for, and of no rows.
        let mut rows = Rows::default();
        rows.push("1\n");
        rows.widen(&columns("a"));
        rows.push("");
        assert_eq!(told(&mut rows.finish("", CSV)), "1,\n");
        assert_eq!(told(&mut Rows::default().finish("a\n", CSV)), "a\n");
    }

    #[test]
    fn what_is_long_waits_outside_memory_and_is_told_as_often_as_one_likes() {
        let mut rows = Rows::default();
        let mut want = String::new();
        for number in 0..400_000 {
            if number % 100_000 == 0 {
                rows.widen(&[format!("c{number}")]);
            }
            let cells = vec![number.to_string(); rows.columns().len()].join(",");
            want += &format!("{cells}{}\n", ",".repeat(4 - rows.columns().len()));
            rows.push(&(cells + "\n"));
        }
        let mut text = rows.finish("", CSV);
        assert!(text.file.is_some() && text.filed > HELD as u64 && text.tail.len() < HELD);
        assert!(text.tail.capacity() < 3 * HELD);
        assert!(told(&mut text) == want);
        // A reader who left does not take it away from the next one.
        let mut left: &mut [u8] = &mut [0; 1 << 17];
        assert!(text.tell(&mut left).is_err());
        assert!(told(&mut text) == want && text.lines() == 400_000);
    }

    #[test]
    fn a_file_that_takes_no_more_loses_nothing() {
        let mut text = Spool::default();
        let piece = "x".repeat(HELD - 1) + "\n";
        text.push(&piece);
        let file = text.file.as_mut().unwrap();
        // Half a piece that was torn, in a file that takes no more.
        file.write_all(b"torn").unwrap();
        text.full = true;
        for _ in 0..2 {
            text.push(&piece);
        }
        assert!(told(&mut text) == piece.repeat(3));
        assert_eq!((text.filed, text.written(), text.lines()), (HELD as u64, 3 * HELD as u64, 3));
    }
}
