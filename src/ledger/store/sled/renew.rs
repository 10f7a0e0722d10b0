//! Writing the engine anew: its log keeps what was removed until the space is used again, so what is
//! to be gone for good is left behind with the old files.

use super::super::{Renewal, Result, Store};
use super::SledStore;
use crate::ledger::error::LedgerError;
use crate::ledger::{files, modes};
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where an engine lies; beside it one that is being written anew, and the one whose place it takes.
/// A link is followed, since the bytes that are to go are where it leads.
struct Places {
    live: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Places {
    fn of(directory: &Path) -> Self {
        let here = directory.join("sled");
        let live = followed(here.clone());
        // Elsewhere other things may lie beside it, which are not ours to remove.
        let ours = if live == here { "" } else { "-volledger" };
        let beside = |what: &str| {
            let mut name = OsString::from(".");
            name.push(live.file_name().unwrap_or_default());
            name.push(format!("{ours}-{what}"));
            live.with_file_name(name)
        };
        let (new, old) = (beside("new"), beside("old"));
        Self { live, new, old }
    }
}

/// Where links lead, whether or not anything is there: between two renames there is nothing.
fn followed(mut path: PathBuf) -> PathBuf {
    const MOST: usize = 40;
    if !path.is_symlink() {
        return path;
    }
    if let Ok(there) = path.canonicalize() {
        return there;
    }
    for _ in 0..MOST {
        let Ok(to) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    path
}

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

/// Makes the names of a new database durable: sled syncs its file, but not its folder.
pub(super) fn sync_names(path: &Path) -> Result<()> {
    let named = File::open(path.join("conf")).and_then(|conf| conf.sync_all());
    let folders = [path, path.parent().unwrap_or(path)];
    let named = named.and_then(|()| folders.into_iter().try_for_each(files::synced));
    named.map_err(|error| LedgerError::write("the ledger", error))
}

fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(LedgerError::write("the ledger", error))
        }
        _ => Ok(()),
    }
}

impl SledStore {
    /// Where the engine lies, also when a renewal was cut short.
    pub fn folder(directory: &Path) -> PathBuf {
        let Places { live, old, .. } = Places::of(directory);
        if !live.exists() && old.exists() { old } else { live }
    }

    /// Settles what a renewal left that a crash cut short: the old engine, or the new one where it
    /// had taken its place.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn settle(directory: &Path) -> Result<()> {
        let Places { live, new, old } = Places::of(directory);
        if !live.exists() && old.exists() {
            let back = std::fs::rename(&old, &live);
            back.map_err(|error| LedgerError::write("the ledger", error))?;
        }
        remove_folder(&new)?;
        remove_folder(&old)
    }

    /// Whether another engine can be written beside this one and take its place.
    pub(super) fn has_room_beside(&self) -> Result<()> {
        let Places { live, new, .. } = Places::of(&self.directory);
        let failed = |error| LedgerError::write("the storage engine anew", error);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let disk = |path: &Path| path.metadata().map(|found| found.dev()).map_err(failed);
            let apart = |around: &Path| Ok::<bool, LedgerError>(disk(&live)? != disk(around)?);
            if live.parent().map_or(Ok(true), apart)? {
                let other =
                    "its folder is a disk of its own; let `sled` be a link to a folder on it";
                return Err(failed(std::io::Error::other(other)));
            }
        }
        remove_folder(&new)?;
        modes::private_folder(&new).map_err(failed)?;
        remove_folder(&new)
    }

    /// Writes the engine anew, and lets the new one take the place of the old one.
    pub(super) fn write_anew(&mut self, write: &mut Renewal<'_>) -> Result<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let failed = |error| LedgerError::write("the ledger", error);
        self.files.in_place().map_err(failed)?;
        let Places { live, new, old } = Places::of(&self.directory);
        remove_folder(&new)?;
        remove_folder(&old)?;
        modes::private_folder(&new).map_err(failed)?;
        let made = Self::open_at(&self.directory, &new, self.files.clone()).and_then(|mut made| {
            write(self, &mut made)?;
            made.barrier()
        });
        if let Err(error) = made {
            let _ = remove_folder(&new); // the next opening does it
            return Err(error);
        }
        // An engine is closed by dropping it, so another one takes its place for a moment.
        let scratch = tempfile::tempdir().map_err(failed)?;
        let empty = Self::open(scratch.path(), self.files.clone())?;
        let directory = self.directory.clone();
        drop(std::mem::replace(self, empty));
        self.poisoned = true;
        // Threads of both may still be writing a snapshot, under names that are about to change.
        until_free(&live.join("db"))?;
        until_free(&new.join("db"))?;
        std::fs::rename(&live, &old).map_err(failed)?;
        std::fs::rename(&new, &live).map_err(failed)?;
        files::synced(live.parent().unwrap_or(&live)).map_err(failed)?;
        remove_folder(&old)?;
        let opened = Self::open(&directory, self.files.clone())?;
        drop(std::mem::replace(self, opened));
        Ok(())
    }
}
