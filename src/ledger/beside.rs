//! Keeping a source while its events are written: a large file is read once, and compressed by a thread
//! of its own.

use super::error::LedgerError;
use super::store::Pack;
use super::{Ledger, Result};
use crate::domain::Digest;
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Pieces that may wait to be compressed: whoever sends more waits too.
const WAITING: usize = 4;

/// Takes the pieces of a source, in their order.
#[derive(Debug)]
pub struct Beside(SyncSender<Vec<u8>>);

impl Beside {
    /// Takes the next piece. That it cannot be kept is told when all is done.
    pub fn take(&self, piece: &[u8]) {
        let _ = self.0.send(piece.to_vec());
    }
}

/// Pieces that come one after the other, as one file.
pub(super) struct Pieces<F> {
    next: F,
    piece: io::Cursor<Vec<u8>>,
}

impl<F: FnMut() -> io::Result<Option<Vec<u8>>>> Pieces<F> {
    /// Those that `next` gives, `None` after the last.
    pub(super) fn of(next: F) -> Self {
        Self { next, piece: io::Cursor::default() }
    }
}

impl<F: FnMut() -> io::Result<Option<Vec<u8>>>> Read for Pieces<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match (self.next)()? {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None => return Ok(0),
            }
        }
    }
}

impl Ledger {
    /// Keeps the source whose pieces `work` hands over while it writes events. Where `work` fails, nothing
    /// of it stays. Returns its digest and size too. Not yet durable.
    ///
    /// # Errors
    /// Those of `work`, then those of keeping the source.
    pub fn keep_beside<T, E: From<LedgerError>>(
        &mut self,
        name: &str,
        now_ms: i64,
        work: impl FnOnce(&mut Self, Beside) -> std::result::Result<T, E>,
    ) -> std::result::Result<(T, Digest, u64), E> {
        // Where something panics they stay away, and nothing is kept any more.
        let mut packs: Pack = self.store.pack().lend();
        let (done, source) = std::thread::scope(|scope| {
            let (send, incoming) = sync_channel(WAITING);
            // They end when whoever sends them has.
            let mut pieces = Pieces::of(move || Ok(incoming.recv().ok()));
            let packs = &mut packs;
            let keeper = scope.spawn(move || packs.keep(&mut pieces, name, now_ms));
            let done = work(self, Beside(send));
            (done, keeper.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        *self.store.pack() = packs;
        match (done, source) {
            (Ok(done), Ok((digest, kept))) => {
                self.note_kept(digest, &kept)?;
                Ok((done, digest, kept.size))
            }
            (Ok(_), Err(error)) => Err(error.into()),
            (Err(error), source) => {
                // The first error is the one to tell; what stays of a source is read by nobody.
                let _: Result<()> = source.and_then(|(_, kept)| self.store.pack().forget(&kept));
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hash::content;

    #[test]
    fn a_source_is_kept_whole_beside_other_work_or_not_at_all() {
        let bytes: Vec<u8> = (0..3_000_000u32).flat_map(|n| (n / 5).to_le_bytes()).collect();
        let mut ledger = Ledger::in_memory();
        let (kept, digest, size) = ledger
            .keep_beside("big", 7, |ledger, beside| {
                assert!(matches!(ledger.keep_bytes(b"x", "x", 1), Err(LedgerError::Poisoned)));
                bytes.chunks(100_001).for_each(|piece| beside.take(piece));
                Ok::<_, LedgerError>("done")
            })
            .unwrap();
        assert_eq!((kept, digest, size), ("done", content(&bytes), bytes.len() as u64));
        assert_eq!(ledger.source(&digest).unwrap(), bytes);
        let (end, number) =
            (ledger.store.pack().memory().len(), ledger.store().all_kept().unwrap());
        // Twice the same, and one that fails: nothing is added.
        let again = ledger.keep_beside("again", 8, |_, beside| {
            bytes.chunks(65_536).for_each(|piece| beside.take(piece));
            Ok::<_, LedgerError>(())
        });
        assert_eq!(again.unwrap().1, digest);
        let failed = ledger.keep_beside("failed", 9, |_, beside| {
            bytes.chunks(65_536).for_each(|piece| beside.take(&piece[1..]));
            Err::<(), _>(LedgerError::Stopped)
        });
        assert!(matches!(failed, Err(LedgerError::Stopped)));
        assert_eq!(ledger.store.pack().memory().len(), end);
        assert_eq!(ledger.store().all_kept().unwrap(), number);
        ledger.keep_bytes(b"x", "x", 1).unwrap();
    }
}
