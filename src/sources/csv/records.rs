//! Cutting a stream of bytes into records and cells, with exact places and bounded memory.
//!
//! The rules are those of the `csv` crate (RFC 4180; a quote is special only where a cell begins),
//! and a test compares both. The crate itself is not used for reading because a ledger needs what
//! it does not tell: the physical line, the byte range of each record (its position is off by one
//! after CRLF), blank lines (it skips them), whether the last line was cut off, and an end to
//! memory when a line has no end.

use crate::domain::Origin;
use crate::sources::Limits;
use memchr::memchr3;
use std::borrow::Cow;
use std::io::{self, Read};

/// Why no further record can be cut.
#[derive(Debug)]
pub(in crate::sources) enum Stop {
    Io(io::Error),
    /// The record that begins in this line is longer than allowed.
    LineTooLong(u32),
    /// The record that begins in this line has more cells than allowed.
    TooManyFields(u32),
    /// More bytes than allowed.
    FileTooLarge,
}

/// One record, borrowed from the reader's buffer.
#[derive(Clone, Copy, Debug)]
pub(in crate::sources) struct Record<'b> {
    /// The record's bytes, without its line end.
    pub(in crate::sources) bytes: &'b [u8],
    /// Where each cell ends in `bytes`.
    ends: &'b [u32],
    /// The physical line it begins in, counted from 1.
    pub(in crate::sources) line: u32,
    /// Where it begins in the source.
    pub(in crate::sources) offset: u64,
    /// Whether a line end follows.
    pub(in crate::sources) terminated: bool,
    /// Whether the source ended inside a quoted cell.
    pub(in crate::sources) unclosed: bool,
}

impl<'b> Record<'b> {
    /// How many cells there are; a blank line has one.
    pub(in crate::sources) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where it stands in a source.
    pub(in crate::sources) fn origin(&self, source: u32) -> Origin {
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        Origin { source, line: self.line, offset: self.offset, len }
    }

    /// A cell as it was written, quotes included; empty when there is none.
    pub(in crate::sources) fn raw(&self, index: usize) -> &'b [u8] {
        let end = self.ends.get(index).copied();
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.map_or(0, |end| *end as usize + 1);
        end.and_then(|end| self.bytes.get(start..end as usize)).unwrap_or_default()
    }

    /// A cell without its quotes.
    pub(in crate::sources) fn cell(&self, index: usize) -> Cow<'b, [u8]> {
        unquoted(self.raw(index))
    }

    /// Every cell without its quotes.
    pub(in crate::sources) fn cells(&self) -> impl Iterator<Item = Cow<'b, [u8]>> {
        let record = *self;
        (0..record.len()).map(move |index| record.cell(index))
    }
}

/// Takes the quotes off a cell; text after the closing quote is kept, as the `csv` crate does.
fn unquoted(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = raw.strip_prefix(b"\"") else {
        return Cow::Borrowed(raw);
    };
    let first_quote = inner.iter().position(|byte| *byte == b'"').unwrap_or(inner.len());
    if first_quote + 1 >= inner.len() {
        return Cow::Borrowed(inner.get(..first_quote).unwrap_or_default());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'"' {
            out.push(byte);
        } else if bytes.next_if_eq(&b'"').is_some() {
            out.push(b'"');
        } else {
            out.extend(bytes);
            break;
        }
    }
    Cow::Owned(out)
}

/// What one look at the buffer found.
enum Scan {
    /// A whole record.
    Found(Found),
    /// The buffer ends before the record does.
    Incomplete,
    TooManyFields,
}

#[derive(Clone, Copy)]
struct Found {
    /// Length without the line end.
    len: usize,
    /// Length with the line end.
    consumed: usize,
    /// Line ends inside quoted cells.
    inner_lines: u32,
    unclosed: bool,
}

/// How to look for the end of a record.
#[derive(Clone, Copy)]
struct Look {
    delimiter: u8,
    /// Whether nothing follows the bytes that are looked at.
    at_end: bool,
    /// Most cells.
    fields: usize,
    /// How many cells need to be known.
    wanted: usize,
}

/// Looks for the end of the record that begins at `bytes[0]` and notes where its cells end, at least
/// those that are wanted.
fn scan(bytes: &[u8], look: Look, ends: &mut Vec<u32>) -> Scan {
    let Look { delimiter, at_end, fields, wanted } = look;
    ends.clear();
    let (mut i, mut inner_lines) = (0, 0);
    let found = |len, consumed, inner_lines, unclosed| {
        Scan::Found(Found { len, consumed, inner_lines, unclosed })
    };
    loop {
        if bytes.get(i) == Some(&b'"') {
            i += 1;
            loop {
                match (bytes.get(i), bytes.get(i + 1)) {
                    // The byte after these decides what they are.
                    (None, _) | (Some(b'"' | b'\r'), None) if !at_end => return Scan::Incomplete,
                    (None, _) => {
                        ends.push(i as u32);
                        return found(i, i, inner_lines, true);
                    }
                    (Some(b'"'), Some(b'"')) => i += 2,
                    (Some(b'"'), _) => {
                        i += 1;
                        break;
                    }
                    (Some(b'\r'), Some(b'\n')) => {
                        inner_lines += 1;
                        i += 2;
                    }
                    (Some(b'\r' | b'\n'), _) => {
                        inner_lines += 1;
                        i += 1;
                    }
                    _ => i += 1,
                }
            }
        }
        let rest = bytes.get(i..).unwrap_or_default();
        let special = |byte: &u8| *byte == delimiter || *byte == b'\n' || *byte == b'\r';
        let Some(length) = rest.iter().position(special) else {
            if !at_end {
                return Scan::Incomplete;
            }
            ends.push(bytes.len() as u32);
            return found(bytes.len(), bytes.len(), inner_lines, false);
        };
        i += length;
        if ends.len() >= fields {
            return Scan::TooManyFields;
        }
        ends.push(i as u32);
        match (bytes.get(i), bytes.get(i + 1)) {
            (Some(b'\n'), _) => return found(i, i + 1, inner_lines, false),
            (Some(b'\r'), Some(b'\n')) => return found(i, i + 2, inner_lines, false),
            (Some(b'\r'), None) if !at_end => return Scan::Incomplete,
            (Some(b'\r'), _) => return found(i, i + 1, inner_lines, false),
            _ => i += 1,
        }
        if ends.len() == wanted
            && let Some((end, next)) = plain_end(bytes, i, fields - ends.len())
        {
            return found(end, next, inner_lines, false);
        }
    }
}

/// Where the line ends that goes on at `from`, and where the next one begins; `None` where that takes
/// a closer look: a quote may come before it, more cells than are `left`, or the end of the bytes.
fn plain_end(bytes: &[u8], from: usize, left: usize) -> Option<(usize, usize)> {
    let rest = bytes.get(from..)?;
    let length = memchr3(b'\n', b'\r', b'"', rest)?;
    let end = from + length;
    match (bytes.get(end)?, bytes.get(end + 1)) {
        _ if length >= left => None,
        (b'\n', _) => Some((end, end + 1)),
        (b'\r', Some(b'\n')) => Some((end, end + 2)),
        (b'\r', Some(_)) => Some((end, end + 1)),
        _ => None,
    }
}

/// Looks at each chunk as it comes in.
pub(in crate::sources) trait Watch {
    /// Takes in the next bytes of the source.
    fn take(&mut self, bytes: &[u8]);
}

/// Smallest buffer: large enough that moving its tail to the front costs nothing to speak of.
const BUFFER: usize = 128 * 1024;

/// Cuts a source into records, holding one buffer of it.
pub(in crate::sources) struct Records<'r, R, W> {
    input: &'r mut R,
    watch: &'r mut W,
    limits: Limits,
    delimiter: u8,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `buffer[0]` stands in the source.
    base: u64,
    at_end: bool,
    line: u32,
    ends: Vec<u32>,
}

impl<'r, R: Read, W: Watch> Records<'r, R, W> {
    /// Begins at the input's place, which is the start of the source; `bom` bytes are passed over.
    pub(in crate::sources) fn new(
        input: &'r mut R,
        watch: &'r mut W,
        delimiter: u8,
        bom: usize,
        limits: Limits,
    ) -> Result<Self, Stop> {
        let buffer = vec![0; BUFFER.max(limits.line_bytes.saturating_mul(2))];
        let mut records = Self {
            input,
            watch,
            limits,
            delimiter,
            buffer,
            start: 0,
            end: 0,
            base: 0,
            at_end: false,
            line: 1,
            ends: Vec::new(),
        };
        records.refill()?;
        records.start = bom.min(records.end);
        Ok(records)
    }

    /// The next record; blank lines are records too.
    pub(in crate::sources) fn next(&mut self) -> Result<Option<Record<'_>>, Stop> {
        self.next_upto(usize::MAX)
    }

    /// The next record, of which only the first `wanted` cells need to be known: the others may be
    /// missing from it.
    pub(in crate::sources) fn next_upto(
        &mut self,
        wanted: usize,
    ) -> Result<Option<Record<'_>>, Stop> {
        let found = loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            if bytes.is_empty() && self.at_end {
                return Ok(None);
            }
            let (delimiter, at_end) = (self.delimiter, self.at_end);
            let look = Look { delimiter, at_end, fields: self.limits.fields, wanted };
            match scan(bytes, look, &mut self.ends) {
                Scan::Found(found) => break found,
                Scan::TooManyFields => return Err(Stop::TooManyFields(self.line)),
                Scan::Incomplete if bytes.len() > self.limits.line_bytes + 1 => {
                    return Err(Stop::LineTooLong(self.line));
                }
                Scan::Incomplete => self.refill()?,
            }
        };
        let (line, start) = (self.line, self.start);
        if found.len > self.limits.line_bytes {
            return Err(Stop::LineTooLong(line));
        }
        let terminated = found.consumed > found.len;
        self.line = line.saturating_add(found.inner_lines + u32::from(terminated));
        self.start += found.consumed;
        Ok(Some(Record {
            bytes: self.buffer.get(start..start + found.len).unwrap_or_default(),
            ends: &self.ends,
            line,
            offset: self.base + start as u64,
            terminated,
            unclosed: found.unclosed,
        }))
    }

    /// Moves what is left to the front and fills the rest of the buffer.
    fn refill(&mut self) -> Result<(), Stop> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            let count = match self.input.read(room) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Io(error)),
            };
            if count == 0 {
                self.at_end = true;
                break;
            }
            self.watch.take(room.get(..count).unwrap_or_default());
            self.end += count;
            if self.base + self.end as u64 > self.limits.file_bytes {
                return Err(Stop::FileTooLarge);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
