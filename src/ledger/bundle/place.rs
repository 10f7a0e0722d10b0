//! A directory that gets its name only when everything in it has been verified.

use super::super::error::LedgerError;
use super::super::files::synced;
use super::super::scratch::{self, Folder};
use super::super::{Ledger, Result};
use std::path::{Path, PathBuf};

/// A directory in the making, beside where it will be.
#[derive(Debug)]
pub(in crate::ledger) struct NewPlace {
    directory: PathBuf,
    parent: PathBuf,
    staging: Folder,
}

impl NewPlace {
    /// Begins one.
    ///
    /// # Errors
    /// [`LedgerError::Exists`], [`LedgerError::NoPlace`], [`LedgerError::NotWritable`].
    pub(in crate::ledger) fn beside(directory: &Path) -> Result<Self> {
        if Ledger::exists(directory) {
            return Err(LedgerError::Exists(directory.to_owned()));
        }
        let write = |error| LedgerError::write(directory.display().to_string(), error);
        // A name that leads to an empty directory: that one is replaced, and the name stays.
        let named = directory.canonicalize();
        let no_place = |why| LedgerError::NoPlace { directory: directory.to_owned(), why };
        if named.is_err() && directory.is_symlink() {
            return Err(no_place("it is a link that leads nowhere"));
        }
        let directory = named.as_deref().unwrap_or(directory);
        if Path::new(".").canonicalize().is_ok_and(|here| here == directory) {
            return Err(no_place("the command runs in it"));
        }
        if directory.read_dir().is_ok_and(|mut inside| inside.next().is_some()) {
            return Err(no_place("there are other things in it"));
        }
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        std::fs::create_dir_all(&parent).map_err(write)?;
        // It becomes the ledger's directory: its owner's alone from the first byte on.
        let staging = Folder::new(".restore-", Some(&parent)).map_err(write)?;
        Ok(Self { directory: directory.to_owned(), parent, staging })
    }

    /// Where it is for now.
    pub(in crate::ledger) fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Where it will be.
    pub(in crate::ledger) fn parent(&self) -> &Path {
        &self.parent
    }

    /// Gives it its name, durably.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub(in crate::ledger) fn take_name(self) -> Result<()> {
        let write = |error| LedgerError::write(self.directory.display().to_string(), error);
        let give = || {
            if self.directory.exists() {
                std::fs::remove_dir(&self.directory)?; // only an empty one goes
            }
            std::fs::rename(self.staging.path(), &self.directory)
        };
        scratch::named(give).map_err(write)?;
        self.staging.keep(); // it has another name now, and nothing is to be cleared away
        // The new name is not durable before its directory is.
        synced(&self.parent).map_err(write)
    }
}
