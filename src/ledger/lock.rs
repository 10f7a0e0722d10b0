//! One process at a time: the lock file and what it says about its holder.

use super::error::LedgerError;
use super::modes;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The ledger's lock; released when dropped or when the process ends in any way.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, waiting at most `patience` for its holder.
    pub fn take(directory: &Path, holder: &str, patience: Duration) -> Result<Self, LedgerError> {
        let path = directory.join("LOCK");
        let options = modes::private().create(true).read(true).write(true).truncate(false).clone();
        let mut file =
            options.open(&path).map_err(|error| LedgerError::write("the lock", error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = file.read_to_string(&mut text); // best effort: only names the holder
                    let text = text.trim();
                    let unknown = if text.is_empty() { "its name is not known" } else { text };
                    return Err(LedgerError::Held { holder: unknown.to_owned() });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(LedgerError::write("the lock", error));
                }
            }
        }
        let text = format!("process {}, {holder}\n", std::process::id());
        let note = file.set_len(0).and_then(|()| file.rewind());
        note.and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|error| LedgerError::write("the lock", error))?;
        Ok(Self { file })
    }
}

impl Lock {
    /// Makes sure that no process works there, and keeps it so, without writing anything: for a
    /// directory that must stay as it is. `None` where there is no lock file.
    pub fn look(directory: &Path) -> Result<Option<Self>, LedgerError> {
        let Ok(file) = File::open(directory.join("LOCK")) else {
            return Ok(None);
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => {
                let text = std::io::read_to_string(&file).unwrap_or_default();
                Err(LedgerError::Held { holder: text.trim().to_owned() })
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
