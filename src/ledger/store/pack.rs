//! Packs: append-only files that keep the bytes of sources, compressed, outside the engine.
//!
//! Sources are written once, read seldom and never changed, and they are the largest part of a
//! ledger. In sled they would take twice their size (its log keeps what it rewrote), in a plain
//! file they take it once. The engine keeps only where each source stands.

use super::Result;
use crate::domain::Digest;
use crate::ledger::codec::{Kept, Packing, compress, decompress};
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

/// As much is read first: most sources are small, and room for a whole piece costs more than they do.
const FIRST: usize = 8 << 10;

/// What is written over erased bytes.
const ZEROS: &[u8] = &[0; 1 << 16];

/// Frames are written together up to this many bytes, and this many of the last ones stay in memory
/// until they are durable: whoever mirrors them reads them again.
const RECENT: usize = 64 << 10;

/// A new pack is begun when one is larger than this.
const PACK_SIZE: u64 = 1 << 30;

/// The packs of a ledger; in memory when they have no files.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    files: Option<Arc<dyn Files>>,
    memory: Vec<u8>,
    number: u32,
    end: u64,
    /// The last bytes before the end that are not durable yet.
    recent: Vec<u8>,
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

    /// Appends frames in one write: what a full disk cuts short lies beyond the end.
    fn append(&mut self, frames: &[u8]) -> Result<()> {
        match &self.files {
            None => self.memory.extend_from_slice(frames),
            Some(files) => {
                let wrote = files.write_at(&pack_name(self.number), self.end, frames);
                wrote.map_err(not_written)?;
                if self.recent.len() + frames.len() > RECENT {
                    self.recent.clear();
                }
                if frames.len() <= RECENT {
                    self.recent.extend_from_slice(frames);
                }
            }
        }
        self.end += frames.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// The bytes of a place, while they are in memory.
    fn in_memory(&self, kept: &Kept) -> Option<&[u8]> {
        let begin = self.end.checked_sub(self.recent.len() as u64)?;
        let place = |at: u64| Some(at.checked_sub(begin)? as usize);
        let range = place(kept.offset)?..place(kept.end)?;
        self.recent.get(range).filter(|_| kept.pack == self.number)
    }

    /// The packs, taken out of the ledger for a while; what stays keeps nothing.
    pub(in crate::ledger) fn lend(&mut self) -> Self {
        std::mem::replace(self, Self { failed: true, ..Self::default() })
    }

    /// Appends a source, streaming; returns its digest and place. The caller notes the place.
    pub fn keep(
        &mut self,
        input: &mut dyn Read,
        name: &str,
        observed_ms: i64,
    ) -> Result<(Digest, Kept)> {
        if self.failed {
            return Err(LedgerError::Poisoned);
        }
        if self.end > PACK_SIZE {
            self.sync()?; // the one that is left
            (self.number, self.end) = (self.number + 1, 0);
            self.recent.clear();
        }
        self.number = self.number.max(1);
        let (pack, offset) = (self.number, self.end);
        let (mut hasher, mut size) = (Hasher::default(), 0u64);
        let mut frames = Vec::new();
        let mut next = || {
            let mut piece = Vec::with_capacity(FIRST);
            let mut read = |most: usize| {
                piece.reserve_exact(most);
                let read = input.take(most as u64).read_to_end(&mut piece);
                read.map_err(|error| LedgerError::read(name, error))
            };
            if read(FIRST)? == FIRST {
                read(PIECE - FIRST)?;
            }
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
                            let done =
                                |piece: Vec<u8>| (piece.len(), compress(&piece, Packing::Source));
                            asked.iter().map(done).try_for_each(|done| give.send(done))
                        });
                        (send, given)
                    });
                    send.send(second).map_err(|_| LedgerError::Poisoned)?;
                }
                put_piece(&mut frames, piece.len(), &compress(&piece, Packing::Source)?)?;
                if let (true, Some((_, given))) = (helped, &helper) {
                    let (raw, compressed) = given.recv().map_err(|_| LedgerError::Poisoned)?;
                    put_piece(&mut frames, raw, &compressed?)?;
                }
                if frames.len() > RECENT {
                    self.append(&std::mem::take(&mut frames))?;
                }
            }
        })?;
        let digest = hasher.finish();
        let parts: [&[u8]; 2] = [&digest.0, &size.to_le_bytes()];
        write_frame(&mut frames, FrameKind::SourceEnd, &parts).map_err(not_written)?;
        self.append(&frames)?;
        let (end, name) = (self.end, name.to_owned());
        Ok((digest, Kept { size, pack, offset, end, name, observed_ms }))
    }

    /// Takes back what was appended from `kept` on: it was here already, or cannot be used.
    pub fn forget(&mut self, kept: &Kept) -> Result<()> {
        if kept.pack != self.number || kept.end != self.end {
            return Ok(()); // not the tail: it stays as unreferenced bytes
        }
        let taken = self.recent.len() as u64;
        self.recent.truncate(taken.saturating_sub(self.end - kept.offset) as usize);
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

    /// The last pack, and where it ends.
    pub fn end(&self) -> (u32, u64) {
        (self.number, self.end)
    }

    /// Whether something stands behind the last of these sources: one was being appended when the
    /// process ended, or could not be read to its end. Nothing but zeros is cut off.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn goes_on_behind<'a>(&mut self, kept: impl Iterator<Item = &'a Kept>) -> Result<bool> {
        let own = kept.filter(|kept| kept.pack == self.number);
        let last = own.map(|kept| kept.end).max().unwrap_or(0);
        let Some(files) = self.files.clone().filter(|_| self.end > last) else { return Ok(false) };
        let failed = |error| LedgerError::read("the sources", error);
        let mut rest = files.read_from(&pack_name(self.number), last).map_err(failed)?;
        let mut piece = vec![0; ZEROS.len()];
        loop {
            let count = rest.read(&mut piece).map_err(failed)?;
            let read = piece.get(..count).unwrap_or_default();
            match read.iter().all(|byte| *byte == 0) {
                true if count > 0 => {}
                // They are nothing: where they cannot be cut off, they may stay.
                true => {
                    let _ = self.cut_off(self.number, last);
                    return Ok(false);
                }
                false => return Ok(true),
            }
        }
    }

    /// Cuts off what stands behind the last of these sources; says how many bytes.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn cut_behind<'a>(&mut self, kept: impl Iterator<Item = &'a Kept>) -> Result<u64> {
        let (number, end) = self.end();
        let own = kept.filter(|kept| kept.pack == number);
        let last = own.map(|kept| kept.end).max().unwrap_or(0);
        if self.files.is_none() || end <= last {
            return Ok(0);
        }
        self.cut_off(number, last)?;
        Ok(end - last)
    }

    /// Cuts a pack behind its last source.
    fn cut_off(&mut self, number: u32, last: u64) -> Result<()> {
        let Some(files) = &self.files else { return Ok(()) };
        let cut = files.cut(&pack_name(number), last);
        cut.map_err(|error| LedgerError::write("the sources", error))?;
        if number == self.number {
            (self.end, self.dirty) = (last, true);
            self.recent.clear();
        }
        Ok(())
    }

    /// Overwrites with zeros, durably, whatever stands where no kept source does: what was erased,
    /// and what a crash or a refused import left. Behind the last source it is cut off besides.
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
            let last = places.iter().rfind(|(pack, ..)| *pack == number).map_or(0, |of| of.2);
            if last < size {
                self.cut_off(number, last)?;
            }
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
        self.recent.clear(); // from now on it is the file that is read, and checked
        synced.map_err(|error| LedgerError::write("the sources", error))
    }

    /// The frames of a source of at most so many bytes that is not durable yet.
    pub(in crate::ledger) fn recent(&self, kept: &Kept, most: u64) -> Option<&[u8]> {
        self.in_memory(kept).filter(|_| kept.size <= most)
    }

    /// A reader over one source's bytes, checking each frame as it goes.
    pub fn open(&self, kept: &Kept) -> Result<PackReader> {
        let input: Box<dyn Read> = match &self.files {
            Some(files) => {
                if let Some(frames) = self.in_memory(kept) {
                    let input = Box::new(Cursor::new(frames.to_vec()));
                    return Ok(PackReader { input, left: kept.size, done: false });
                }
                let lost = |error| LedgerError::damaged(format!("the sources' pack: {error}"));
                let input = files.read_from(&pack_name(kept.pack), kept.offset);
                let input = input.map_err(|error| LedgerError::of_place(error, lost))?;
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

fn not_written(error: std::io::Error) -> LedgerError {
    LedgerError::write("a source", error)
}

/// Appends the frame of a piece of a source.
fn put_piece(frames: &mut Vec<u8>, raw: usize, compressed: &[u8]) -> Result<()> {
    let parts: [&[u8]; 2] = [&(raw as u32).to_le_bytes(), compressed];
    write_frame(frames, FrameKind::Piece, &parts).map(|_| ()).map_err(not_written)
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
            let big: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(n) >> 9) as u8).collect();
            let (digest, kept) = pack.keep(&mut big.as_slice(), "big", 5).unwrap();
            assert_eq!((digest, kept.size), (content(&big), 3_000_000));
            let (_, twice) = pack.keep(&mut big.as_slice(), "big", 6).unwrap();
            pack.forget(&twice).unwrap();
            let (_, small) = pack.keep(&mut &b"x"[..], "small", 7).unwrap();
            assert_eq!(small.offset, kept.end);
            // Until it is durable its frames are at hand; a large one's, and another one's, are not.
            let on_disk = pack.files.is_some();
            assert_eq!(pack.recent(&small, 1).is_some(), on_disk);
            assert!(pack.recent(&small, 0).is_none() && pack.recent(&kept, u64::MAX).is_none());
            let (_, second) = pack.keep(&mut &b"yy"[..], "second", 8).unwrap();
            let frames = [&small, &second].map(|of| pack.recent(of, 2).map(<[u8]>::to_vec));
            pack.forget(&second).unwrap();
            assert!(pack.recent(&second, 2).is_none());
            assert_eq!(pack.recent(&small, 1).map(<[u8]>::to_vec), frames[0]);
            let (_, again) = pack.keep(&mut &b"yy"[..], "second", 9).unwrap();
            assert_eq!((again.offset, again.end), (second.offset, second.end));
            assert_eq!(pack.recent(&again, 2).map(<[u8]>::to_vec), frames[1]);
            pack.sync().unwrap();
            assert!(pack.recent(&small, 1).is_none() || !on_disk);
            if let Some(files) = &pack.files {
                let mut stored = Vec::new();
                let file = files.read_from("sources/000001.pack", small.offset);
                file.unwrap().read_to_end(&mut stored).unwrap();
                assert_eq!(stored, frames.map(Option::unwrap_or_default).concat());
            }
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
