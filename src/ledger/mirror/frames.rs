//! The frames of a file that may be hurt: what is none is passed over and named.

use super::super::Result;
use super::super::error::LedgerError;
use super::super::files::Files;
use super::super::segment::{FrameKind, PREFIX, read_frame};
use std::io::{BufReader, Read};

/// A stretch of a file.
#[derive(Debug)]
pub(in crate::ledger) enum Scanned {
    /// A frame with a right checksum.
    Frame { kind: FrameKind, body: Vec<u8>, from: u64, to: u64 },
    /// Bytes that are none.
    Damage { from: u64, to: u64 },
}

/// Goes through the frames of a file.
pub(in crate::ledger) struct Frames<'a> {
    files: &'a dyn Files,
    name: &'a str,
    size: u64,
    /// No frame has a longer body.
    longest: usize,
    /// The kinds that the file may have.
    kinds: &'static [u8],
    offset: u64,
    input: Option<BufReader<Box<dyn Read>>>,
}

impl<'a> Frames<'a> {
    pub(in crate::ledger) fn new(
        files: &'a dyn Files,
        name: &'a str,
        size: u64,
        longest: usize,
        kinds: &'static [u8],
    ) -> Self {
        Self { files, name, size, longest, kinds, offset: 0, input: None }
    }

    fn open(&self, offset: u64) -> Result<BufReader<Box<dyn Read>>> {
        let file = self.files.read_from(self.name, offset);
        Ok(BufReader::new(file.map_err(|error| LedgerError::read(self.name, error))?))
    }

    fn step(&mut self) -> Result<Scanned> {
        let from = self.offset;
        let input = match &mut self.input {
            Some(input) => input,
            None => {
                let input = self.open(from)?;
                self.input.insert(input)
            }
        };
        match read_frame(input) {
            Ok(Some((kind, body))) => {
                self.offset += (PREFIX + 1 + body.len()) as u64;
                Ok(Scanned::Frame { kind, body, from, to: self.offset })
            }
            Err(LedgerError::Io { what, source }) => Err(LedgerError::Io { what, source }),
            _ => {
                self.input = None;
                let next = self.next_frame(from + 1)?;
                self.offset = next.unwrap_or(self.size);
                Ok(Scanned::Damage { from, to: self.offset })
            }
        }
    }

    /// Where the next whole frame begins, looking from `offset` on.
    fn next_frame(&self, mut offset: u64) -> Result<Option<u64>> {
        let mut input = self.open(offset)?;
        let (mut window, most) = (Vec::new(), 4 * self.longest);
        loop {
            let room = most.saturating_sub(window.len()) as u64;
            let read = input.by_ref().take(room).read_to_end(&mut window);
            let ended = read.map_err(|error| LedgerError::read(self.name, error))? == 0;
            // Whatever begins in the last part could be a frame that goes on beyond the window.
            let reach = self.longest + PREFIX;
            let upto = if ended { window.len() } else { window.len().saturating_sub(reach) };
            for at in 0..upto {
                let rest = window.get(at..).unwrap_or_default();
                if self.plausible(rest) && matches!(read_frame(&mut &*rest), Ok(Some(_))) {
                    return Ok(Some(offset + at as u64));
                }
            }
            if ended {
                return Ok(None);
            }
            window.drain(..upto);
            offset += upto as u64;
        }
    }

    /// Whether bytes could begin a frame: a length that fits and a kind that the file may have.
    fn plausible(&self, bytes: &[u8]) -> bool {
        let Some(([l0, l1, l2, l3, _, _, _, _, kind], _)) = bytes.split_first_chunk::<9>() else {
            return false;
        };
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        (1..=self.longest).contains(&length) && self.kinds.contains(kind)
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Scanned>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.offset >= self.size {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.offset = self.size; // a disk that fails is asked once
        }
        Some(step)
    }
}
