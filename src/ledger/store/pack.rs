//! Packs: append-only files that keep the bytes of sources, compressed, outside the engine.
//!
//! Sources are written once, read seldom and never changed, and they are the largest part of a
//! ledger. In sled they would take twice their size (its log keeps what it rewrote), in a plain
//! file they take it once. The engine keeps only where each source stands.

use super::Result;
use crate::domain::Digest;
use crate::ledger::codec::{Kept, compress, decompress};
use crate::ledger::error::LedgerError;
use crate::ledger::files::{Files, Syncing};
use crate::ledger::hash::Hasher;
use crate::ledger::segment::{FrameKind, read_frame, write_frame};
use std::io::{BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// The folder of the packs.
pub(in crate::ledger) const FOLDER: &str = "sources";

/// Raw bytes of a source per frame.
const PIECE: usize = 1 << 20;

/// zstd level of sources: they are text, kept for years and read seldom.
const LEVEL: i32 = 1;

/// What is written over erased bytes.
const ZEROS: &[u8] = &[0; 1 << 16];

/// A new pack is begun when one is larger than this.
const PACK_SIZE: u64 = 1 << 30;

/// The packs of a ledger; in memory when they have no files.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    files: Option<Arc<dyn Files>>,
    memory: Vec<u8>,
    number: u32,
    end: u64,
    dirty: bool,
    failed: bool,
}

impl Pack {
    /// The packs among some files. New sources go to the end of the last one; what a crash left
    /// there is passed over, since every source is found by its noted place.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn on(files: Arc<dyn Files>) -> Result<Self> {
        let mut pack = Self::default();
        let listed = files.list(FOLDER).map_err(|error| LedgerError::read("the sources", error))?;
        for (name, size) in listed {
            let number = name.strip_suffix(".pack").and_then(|digits| digits.parse().ok());
            if let Some(number) = number.filter(|number| *number >= pack.number) {
                (pack.number, pack.end) = (number, size);
            }
        }
        // What a process wrote that was killed may be in memory only, and counts all the same.
        pack.dirty = pack.number > 0;
        pack.files = Some(files);
        Ok(pack)
    }

    /// What was appended to a pack in memory.
    pub(in crate::ledger) fn memory(&self) -> &[u8] {
        &self.memory
    }

    fn append(&mut self, kind: FrameKind, parts: &[&[u8]]) -> Result<()> {
        let wrote = match &self.files {
            None => write_frame(&mut self.memory, kind, parts),
            Some(files) => {
                // One write a frame: a frame that a full disk cuts short lies beyond the end.
                let mut frame = Vec::new();
                write_frame(&mut frame, kind, parts).and_then(|size| {
                    files.write_at(&pack_name(self.number), self.end, &frame).map(|()| size)
                })
            }
        };
        self.end += wrote.map_err(|error| LedgerError::write("a source", error))?;
        self.dirty = true;
        Ok(())
    }

    /// Appends a source, streaming; returns its digest and place. The caller notes the place.
    pub fn keep(
        &mut self,
        input: &mut dyn Read,
        name: &str,
        observed_ms: i64,
    ) -> Result<(Digest, Kept)> {
        if self.end > PACK_SIZE {
            self.sync()?; // the one that is left
            (self.number, self.end) = (self.number + 1, 0);
        }
        self.number = self.number.max(1);
        let (pack, offset) = (self.number, self.end);
        let (mut hasher, mut size) = (Hasher::default(), 0u64);
        let mut next = || {
            let mut piece = Vec::with_capacity(PIECE);
            let read = input.take(PIECE as u64).read_to_end(&mut piece);
            read.map_err(|error| LedgerError::read(name, error))?;
            hasher.update(&piece);
            size += piece.len() as u64;
            Ok::<_, LedgerError>(piece)
        };
        std::thread::scope(|scope| {
            // Of two pieces the second is compressed by a helper, begun when there is one.
            let mut helper = None;
            loop {
                let piece = next()?;
                if piece.is_empty() {
                    return Ok::<(), LedgerError>(());
                }
                let second = if piece.len() == PIECE { next()? } else { Vec::new() };
                let helped = !second.is_empty();
                if helped {
                    let (send, _) = helper.get_or_insert_with(|| {
                        let (send, asked) = sync_channel::<Vec<u8>>(1);
                        let (give, given) = sync_channel(1);
                        scope.spawn(move || {
                            let done = |piece: Vec<u8>| (piece.len(), compress(&piece, LEVEL));
                            asked.iter().map(done).try_for_each(|done| give.send(done))
                        });
                        (send, given)
                    });
                    send.send(second).map_err(|_| LedgerError::Poisoned)?;
                }
                self.piece(piece.len(), &compress(&piece, LEVEL)?)?;
                if let (true, Some((_, given))) = (helped, &helper) {
                    let (raw, compressed) = given.recv().map_err(|_| LedgerError::Poisoned)?;
                    self.piece(raw, &compressed?)?;
                }
            }
        })?;
        let digest = hasher.finish();
        self.append(FrameKind::SourceEnd, &[&digest.0, &size.to_le_bytes()])?;
        let (end, name) = (self.end, name.to_owned());
        Ok((digest, Kept { size, pack, offset, end, name, observed_ms }))
    }

    fn piece(&mut self, raw: usize, compressed: &[u8]) -> Result<()> {
        self.append(FrameKind::Piece, &[&(raw as u32).to_le_bytes(), compressed])
    }

    /// Takes back what was appended from `kept` on: it was here already, or cannot be used.
    pub fn forget(&mut self, kept: &Kept) -> Result<()> {
        if kept.pack != self.number || kept.end != self.end {
            return Ok(()); // not the tail: it stays as unreferenced bytes
        }
        self.end = kept.offset;
        match &self.files {
            None => {
                self.memory.truncate(kept.offset as usize);
                Ok(())
            }
            Some(files) => {
                let cut = files.cut(&pack_name(self.number), kept.offset);
                cut.map_err(|error| LedgerError::write("a source", error))
            }
        }
    }

    /// Overwrites with zeros, durably, whatever stands where no kept source does: what was erased,
    /// and what a crash or a refused import left.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn clear_outside<'a>(&mut self, kept: impl Iterator<Item = &'a Kept>) -> Result<()> {
        let Some(files) = self.files.clone() else {
            return Ok(()); // in memory only
        };
        let mut places: Vec<_> = kept.map(|kept| (kept.pack, kept.offset, kept.end)).collect();
        places.sort_unstable();
        let listed = files.list(FOLDER).map_err(|error| LedgerError::read("the sources", error))?;
        let failed = |error| LedgerError::write("the sources", error);
        for (name, size) in listed {
            let number = name.strip_suffix(".pack").and_then(|digits| digits.parse::<u32>().ok());
            let Some(number) = number else { continue };
            let mut from = 0;
            let own = places.iter().filter(|(pack, ..)| *pack == number);
            let ends = own.map(|(_, offset, end)| (*offset, *end)).chain([(size, size)]);
            for (start, end) in ends {
                while from < start {
                    let length = (start - from).min(ZEROS.len() as u64);
                    let zeros = ZEROS.get(..length as usize).unwrap_or_default();
                    files.write_at(&pack_name(number), from, zeros).map_err(failed)?;
                    from += length;
                }
                from = from.max(end);
            }
            files.sync(&pack_name(number)).map_err(failed)?;
        }
        Ok(())
    }

    /// Makes everything appended durable.
    pub fn sync(&mut self) -> Result<()> {
        let syncing = self.begin_sync()?;
        self.end_sync(syncing)
    }

    /// Begins to make everything appended durable.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`].
    pub fn begin_sync(&mut self) -> Result<Option<Syncing>> {
        if self.failed {
            return Err(LedgerError::Poisoned);
        }
        let files = self.files.as_ref().filter(|_| self.dirty);
        Ok(files.map(|files| files.begin_sync(&pack_name(self.number))))
    }

    /// Waits until what was begun is over.
    ///
    /// # Errors
    /// A disk that fails; nothing more is appended then.
    pub fn end_sync(&mut self, syncing: Option<Syncing>) -> Result<()> {
        let synced = syncing.map_or(Ok(()), |syncing| syncing());
        // A second try could succeed without what the first one lost.
        self.failed |= synced.is_err();
        self.dirty &= self.failed;
        synced.map_err(|error| LedgerError::write("the sources", error))
    }

    /// A reader over one source's bytes, checking each frame as it goes.
    pub fn open(&self, kept: &Kept) -> Result<PackReader> {
        let input: Box<dyn Read> = match &self.files {
            Some(files) => {
                let lost = |error| LedgerError::damaged(format!("the sources' pack: {error}"));
                let input = files.read_from(&pack_name(kept.pack), kept.offset).map_err(lost)?;
                Box::new(BufReader::new(input))
            }
            None => {
                let from = self.memory.get(kept.offset as usize..).unwrap_or_default();
                Box::new(Cursor::new(from.to_vec()))
            }
        };
        Ok(PackReader { input, left: kept.size, done: false })
    }
}

fn pack_name(number: u32) -> String {
    format!("{FOLDER}/{number:06}.pack")
}

/// Reads one source piece by piece.
pub struct PackReader {
    input: Box<dyn Read>,
    left: u64,
    done: bool,
}

impl PackReader {
    /// The next piece of the source, `None` at its end. The caller checks the digest.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>> {
        if self.done {
            return Ok(None);
        }
        let broken = || LedgerError::damaged("a source in its pack does not have its size");
        match read_frame(&mut self.input)? {
            Some((FrameKind::Piece, body)) => {
                let (size, compressed) = body.split_first_chunk::<4>().ok_or_else(broken)?;
                let raw = decompress(compressed, u32::from_le_bytes(*size) as usize)?;
                self.left = self.left.checked_sub(raw.len() as u64).ok_or_else(broken)?;
                Ok(Some(raw))
            }
            Some((FrameKind::SourceEnd, _)) if self.left == 0 => {
                self.done = true;
                Ok(None)
            }
            _ => Err(broken()),
        }
    }
}

impl std::fmt::Debug for PackReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PackReader({} bytes left)", self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hash::content;

    #[test]
    fn sources_come_back_and_forgotten_ones_leave_no_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let files = Arc::new(crate::ledger::files::Directory::new(directory.path()));
        for mut pack in [Pack::default(), Pack::on(files).unwrap()] {
            let big: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
            let (digest, kept) = pack.keep(&mut big.as_slice(), "big", 5).unwrap();
            assert_eq!((digest, kept.size), (content(&big), 3_000_000));
            let (_, twice) = pack.keep(&mut big.as_slice(), "big", 6).unwrap();
            pack.forget(&twice).unwrap();
            let (_, small) = pack.keep(&mut &b"x"[..], "small", 7).unwrap();
            assert_eq!(small.offset, kept.end);
            pack.sync().unwrap();
            for (kept, want) in [(&kept, big.as_slice()), (&small, b"x")] {
                let mut reader = pack.open(kept).unwrap();
                let mut back = Vec::new();
                while let Some(piece) = reader.next_piece().unwrap() {
                    back.extend(piece);
                }
                assert_eq!(back, want);
            }
            let (_, empty) = pack.keep(&mut &b""[..], "empty", 8).unwrap();
            assert_eq!(pack.open(&empty).unwrap().next_piece().unwrap(), None);
        }
    }
}
