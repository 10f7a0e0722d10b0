//! Writing the engine anew: its log keeps what was removed until the space is used again, so what is
//! to be gone for good is left behind with the old files.

use super::super::{Renewal, Result, Store};
use super::SledStore;
use crate::ledger::error::LedgerError;
use crate::ledger::files;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An engine that is being written anew, and the one that it takes the place of.
const NEW: &str = ".sled-new";
const OLD: &str = ".sled-old";

/// Waits until an engine that was dropped has let its file go: that is the last thing it does.
fn until_free(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|error| LedgerError::read("the ledger", error))?;
    for _ in 0..1000 {
        if file.try_lock().is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(LedgerError::Held { holder: "the storage engine's file is locked".into() })
}

fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LedgerError::write("the ledger", error))
        }
        _ => Ok(()),
    }
}

impl SledStore {
    /// Where the engine lies, also when a renewal was cut short.
    pub fn folder(directory: &Path) -> PathBuf {
        let (live, old) = (directory.join("sled"), directory.join(OLD));
        if !live.exists() && old.exists() { old } else { live }
    }

    /// Settles what a renewal left that a crash cut short: the old engine, or the new one where it
    /// had taken its place.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn settle(directory: &Path) -> Result<()> {
        let place = |name: &str| directory.join(name);
        if !place("sled").exists() && place(OLD).exists() {
            let back = std::fs::rename(place(OLD), place("sled"));
            back.map_err(|error| LedgerError::write("the ledger", error))?;
        }
        remove_folder(&place(NEW))?;
        remove_folder(&place(OLD))
    }

    /// Writes the engine anew, and lets the new one take the place of the old one.
    pub(super) fn write_anew(&mut self, write: &mut Renewal<'_>) -> Result<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let failed = |error| LedgerError::write("the ledger", error);
        self.files.in_place().map_err(failed)?;
        let place = |name: &str| self.directory.join(name);
        let (live, new, old) = (place("sled"), place(NEW), place(OLD));
        remove_folder(&new)?;
        remove_folder(&old)?;
        let made = Self::open_in(&self.directory, NEW, self.files.clone()).and_then(|mut made| {
            write(self, &mut made)?;
            made.barrier()
        });
        if let Err(error) = made {
            let _ = remove_folder(&new); // the next opening does it
            return Err(error);
        }
        // An engine is closed by dropping it, so another one takes its place for a moment.
        let scratch = tempfile::tempdir().map_err(failed)?;
        let empty = Self::open_in(scratch.path(), "sled", self.files.clone())?;
        drop(std::mem::replace(self, empty));
        self.poisoned = true;
        // Threads of both may still be writing a snapshot, under names that are about to change.
        until_free(&live.join("db"))?;
        until_free(&new.join("db"))?;
        let directory = live.parent().unwrap_or(&live).to_owned();
        std::fs::rename(&live, &old).map_err(failed)?;
        std::fs::rename(&new, &live).map_err(failed)?;
        files::synced(&directory).map_err(failed)?;
        remove_folder(&old)?;
        let opened = Self::open_in(&directory, "sled", self.files.clone())?;
        drop(std::mem::replace(self, opened));
        Ok(())
    }
}
