//! Frames: how values stand one after the other in an append-only file.
//!
//! `length u32 LE · CRC32C u32 LE · kind u8 · body`, the length and the checksum over kind and
//! body. Packs of sources and bundles (backup, export) are made of them.

use super::error::LedgerError;
use std::io::{self, Read, Write};

/// The format of frames, as a bundle and the mirror say it; a ledger has one of its own, in `HEAD`.
pub const FRAME_FORMAT: u32 = 1;

/// Bytes before a frame's kind.
pub const PREFIX: usize = 8;

/// Largest body: a megabyte of source does not grow when compressed beyond this.
pub const MAX_BODY: usize = 80 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// First frame of a bundle: format and what it is.
    Header = b'H',
    /// A piece of a source, compressed: raw size u32 LE, then zstd bytes.
    Piece = b'S',
    /// A piece of a source as it is, in plain bundles: whoever checks one needs no zstd.
    RawPiece = b'R',
    /// The end of a source: its digest and size u64 LE.
    SourceEnd = b'Z',
    /// A block: batch u32 LE, index u32 LE, the block's bytes.
    Block = b'B',
    /// A control entry: position u64 LE, the entry's bytes.
    Control = b'E',
    /// An answer that waits in the inbox: a note about it, its digest, its size and its bytes.
    Arrival = b'A',
    /// The end of a bundle: size u64 LE and root of the log tree.
    Checkpoint = b'C',
}

impl FrameKind {
    fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Header,
            Self::Piece,
            Self::RawPiece,
            Self::SourceEnd,
            Self::Block,
            Self::Control,
            Self::Arrival,
            Self::Checkpoint,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Appends a frame made of several parts; returns its size in the file.
pub fn write_frame(out: &mut impl Write, kind: FrameKind, parts: &[&[u8]]) -> io::Result<u64> {
    let length: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut checksum = crc32c::crc32c(&[kind as u8]);
    for part in parts {
        checksum = crc32c::crc32c_append(checksum, part);
    }
    out.write_all(&(length as u32).to_le_bytes())?;
    out.write_all(&checksum.to_le_bytes())?;
    out.write_all(&[kind as u8])?;
    for part in parts {
        out.write_all(part)?;
    }
    Ok((PREFIX + length) as u64)
}

/// Reads the next frame; `None` at a clean end. A torn or changed frame is damage.
pub fn read_frame(input: &mut impl Read) -> Result<Option<(FrameKind, Vec<u8>)>, LedgerError> {
    let damaged = |what: &str| LedgerError::damaged(format!("a segment file: {what}"));
    let io = |error| LedgerError::read("a segment file", error);
    let mut prefix = [0u8; PREFIX];
    let mut have = 0;
    while have < PREFIX {
        match input.read(prefix.get_mut(have..).unwrap_or_default()).map_err(io)? {
            0 if have == 0 => return Ok(None),
            0 => return Err(damaged("it ends within a frame")),
            more => have += more,
        }
    }
    let [l0, l1, l2, l3, c0, c1, c2, c3] = prefix;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length == 0 || length > MAX_BODY {
        return Err(damaged("a frame's length is impossible"));
    }
    let mut body = Vec::new();
    let got = input.take(length as u64).read_to_end(&mut body).map_err(io)?;
    if got < length {
        return Err(damaged("it ends within a frame"));
    }
    if crc32c::crc32c(&body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(damaged("a frame does not match its checksum"));
    }
    let kind = body.first().copied().and_then(FrameKind::of);
    let kind = kind.ok_or_else(|| damaged("a frame of an unknown kind"))?;
    body.remove(0);
    Ok(Some((kind, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_any_change_is_found() {
        let mut file = Vec::new();
        write_frame(&mut file, FrameKind::Block, &[b"ab", b"", b"cde"]).unwrap();
        write_frame(&mut file, FrameKind::Control, &[&[9; 300]]).unwrap();
        let mut input = file.as_slice();
        assert_eq!(read_frame(&mut input).unwrap(), Some((FrameKind::Block, b"abcde".to_vec())));
        assert_eq!(read_frame(&mut input).unwrap().unwrap().1.len(), 300);
        assert_eq!(read_frame(&mut input).unwrap(), None);
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            let mut input = bad.as_slice();
            let mut read = || -> Result<(), LedgerError> {
                while read_frame(&mut input)?.is_some() {}
                Ok(())
            };
            assert!(read().is_err(), "byte {at}");
        }
        for cut in 1..file.len() {
            let mut input = &file[..cut];
            let first = read_frame(&mut input);
            assert!(first.is_err() || cut == 14 || read_frame(&mut input).is_err(), "cut {cut}");
        }
    }
}
