//! One process at a time: the lock file and what it says about its holder.
//!
//! A holder that works for long but only now and then (a server) lends: it says so in the lock
//! file, looks whether anybody [waits](wanted), and lets the ledger go between two pieces of work.
//! Who waits holds a second file's lock meanwhile, shared with others who wait; the system frees it
//! with the process, so no sign of a waiter outlives it.

use super::error::LedgerError;
use super::{OpenOptions, modes};
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Who finds the lock with a holder that lends waits so long, even if told not to wait: a piece of
/// the holder's work may take that long.
const LENT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 15 });
/// The file's name.
pub(super) const NAME: &str = "LOCK";
/// How often who waits looks again.
const STEP: Duration = Duration::from_millis(20);
/// The first word of the line that a holder who lends adds.
const LENDS: &str = "lends";

/// Whether another process waits for a ledger that this one holds.
pub fn wanted(directory: &Path) -> bool {
    let Ok(file) = File::open(directory.join("WAIT")) else {
        return false;
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => true,
        Ok(()) => {
            let _ = file.unlock(); // closing it is the other way
            false
        }
        Err(TryLockError::Error(_)) => false,
    }
}

/// The sign of a process that waits; gone when dropped.
struct Waiting(File);

impl Waiting {
    /// `None` where it cannot be set up: then a holder that lends does not hear of this one, and
    /// it waits like for any other.
    fn sign(directory: &Path) -> Option<Self> {
        let options = modes::private().create(true).read(true).write(true).truncate(false).clone();
        let file = options.open(directory.join("WAIT")).ok()?;
        // Shared: only a holder that looks is in the way, for an instant.
        file.lock_shared().ok()?;
        Some(Self(file))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.unlock(); // as below
    }
}

/// The ledger's lock; released when dropped or when the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, waiting for its holder as long as `options` say, and a little longer for one
    /// that lends.
    pub fn take(directory: &Path, options: &OpenOptions) -> Result<Self, LedgerError> {
        let (holder, patience) = (&options.holder, options.patience);
        let path = directory.join(NAME);
        let opening = modes::private().create(true).read(true).write(true).truncate(false).clone();
        let mut file =
            opening.open(&path).map_err(|error| LedgerError::write("the lock", error))?;
        let start = Instant::now();
        let mut waiting = None;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let waited = start.elapsed();
                    if waited >= patience {
                        let (name, lends) = said(&mut file);
                        if !lends || waited >= LENT {
                            return Err(LedgerError::Held { holder: name });
                        }
                    }
                    if waiting.is_none() {
                        waiting = Waiting::sign(directory);
                    }
                    std::thread::sleep(STEP);
                }
                Err(TryLockError::Error(error)) => {
                    return Err(LedgerError::write("the lock", error));
                }
            }
        }
        let lends =
            if options.lends { format!("{LENDS} it to who waits\n") } else { String::new() };
        let text = format!("process {}, {holder}\n{lends}", std::process::id());
        let note = file.set_len(0).and_then(|()| file.rewind());
        note.and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|error| LedgerError::write("the lock", error))?;
        Ok(Self { file })
    }
}

impl Lock {
    /// The file that is held.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

/// What the lock file says of its holder: a name, and whether it lends.
fn said(file: &mut File) -> (String, bool) {
    let mut text = String::new();
    // Best effort: it only names the holder.
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let name = text.lines().next().unwrap_or_default().trim();
    let name = if name.is_empty() { "its name is not known" } else { name };
    (name.to_owned(), text.lines().skip(1).any(|line| line.starts_with(LENDS)))
}

impl Lock {
    /// Makes sure that no process writes there, and keeps it so, without writing anything: for a
    /// directory that must stay as it is. Others may look too. `None` where there is no lock file.
    pub fn look(directory: &Path) -> Result<Option<Self>, LedgerError> {
        let Ok(file) = File::open(directory.join(NAME)) else {
            return Ok(None);
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => {
                let mut file = file;
                Err(LedgerError::Held { holder: said(&mut file).0 })
            }
            Err(TryLockError::Error(error)) => Err(LedgerError::read("the lock", error)),
        }
    }
}

impl Drop for Lock {
    /// Closing the file would not do: a child that another thread is just starting has a copy of
    /// the handle until it runs its own program, and the lock with it.
    fn drop(&mut self) {
        let _ = self.file.unlock(); // closing it is the other way
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(holder: &str, lends: bool, patience: Duration) -> OpenOptions {
        OpenOptions { lends, ..OpenOptions::new(holder, patience) }
    }

    #[test]
    fn who_waits_is_noticed_and_gets_what_is_let_go() {
        let place = tempfile::tempdir().unwrap();
        let held = Lock::take(place.path(), &options("server", true, Duration::ZERO)).unwrap();
        assert!(!wanted(place.path()));
        std::thread::scope(|scope| {
            // Told not to wait, and yet: the holder lends.
            let patience = Duration::ZERO;
            let path = place.path();
            let other = scope.spawn(move || Lock::take(path, &options("command", false, patience)));
            let start = Instant::now();
            while !wanted(place.path()) {
                assert!(start.elapsed() < LENT, "nobody waits");
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(held);
            let taken = other.join().unwrap().unwrap();
            assert!(!wanted(place.path()), "the sign stays");
            // One that does not lend is not waited for.
            let third = Lock::take(place.path(), &options("third", false, Duration::ZERO));
            let told = third.unwrap_err().to_string();
            assert!(told.contains("command") && !told.contains("server"), "{told}");
            drop(taken);
        });
    }

    #[test]
    fn a_holder_that_does_not_lend_is_waited_for_as_long_as_asked() {
        let place = tempfile::tempdir().unwrap();
        let held = Lock::take(place.path(), &options("one", false, Duration::ZERO)).unwrap();
        let start = Instant::now();
        let patience = Duration::from_millis(60);
        let told = Lock::take(place.path(), &options("two", false, patience)).unwrap_err();
        assert!(start.elapsed() >= patience && told.to_string().contains("one"), "{told}");
        std::thread::scope(|scope| {
            let (path, patience) = (place.path(), Duration::from_secs(60));
            let other = scope.spawn(move || Lock::take(path, &options("two", false, patience)));
            while !wanted(path) && !other.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            drop(held);
            other.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_holder_that_lends_and_does_not_is_named_in_the_end() {
        let place = tempfile::tempdir().unwrap();
        let _held = Lock::take(place.path(), &options("server", true, Duration::ZERO)).unwrap();
        let start = Instant::now();
        let told = Lock::take(place.path(), &options("x", false, Duration::ZERO)).unwrap_err();
        assert!(start.elapsed() >= LENT && told.to_string().contains("server"), "{told}");
        assert!(!told.to_string().contains(LENDS), "{told}");
    }
}
