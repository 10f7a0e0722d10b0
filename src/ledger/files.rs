//! The files of a ledger that are not the engine's: HEAD, its slots, packs and mirror, by name.
//!
//! One narrow door, so that tests can put a disk behind it that tears, forgets and fails.

use super::modes;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files by name (`HEAD`, `sources/000001.pack`). One writer at a time.
pub trait Files: Send + Sync + Debug {
    /// The names in a folder, and the size of each; none when there is no such folder.
    ///
    /// # Errors
    /// A folder that cannot be read.
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>>;

    /// The bytes of a file from an offset on.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or a disk that fails.
    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>>;

    /// Writes bytes at an offset, and makes the file where there is none. Not yet durable.
    ///
    /// # Errors
    /// A full disk, or one that fails; some of the bytes may be written then.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to a size. Not yet durable.
    ///
    /// # Errors
    /// A disk that fails.
    fn cut(&self, name: &str, size: u64) -> io::Result<()>;

    /// Makes a file, its size and its name durable.
    ///
    /// # Errors
    /// A disk that fails; nothing is known of what was written since the last time then.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Replaces a file whole, durably: a crash leaves the old or the new one.
    ///
    /// # Errors
    /// A disk that fails.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file, durably; where that cannot be done, it is empty afterwards.
    ///
    /// # Errors
    /// A disk that fails.
    fn remove(&self, name: &str) -> io::Result<()> {
        self.replace(name, b"")
    }
}

/// The files of a directory.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    open: Mutex<Handles>,
}

#[derive(Debug, Default)]
struct Handles {
    files: BTreeMap<String, File>,
    /// Files whose name may not be durable yet: each, until it was synced once. Also one that was
    /// here before: the process that made it may have been killed.
    unnamed: BTreeSet<String>,
}

impl Directory {
    /// The files under `root`, which need not be there yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), open: Mutex::default() }
    }

    /// A panic between lock and release leaves whole handles all the same.
    fn handles(&self) -> MutexGuard<'_, Handles> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut handles = self.handles();
        if !handles.files.contains_key(name) {
            let path = self.root.join(name);
            if let Some(folder) = path.parent() {
                modes::private_folder(folder)?;
            }
            let options = modes::private().create(true).write(true).truncate(false).clone();
            handles.files.insert(name.to_owned(), options.open(path)?);
            handles.unnamed.insert(name.to_owned());
        }
        let file = handles.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        work(file)
    }
}

impl Files for Directory {
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        let listed = match std::fs::read_dir(self.root.join(folder)) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut found = BTreeMap::new();
        for entry in listed {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                found.insert(name, entry.metadata()?.len());
            }
        }
        Ok(found)
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        let mut file = File::open(self.root.join(name))?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        #[cfg(unix)]
        return self.with(name, |file| file.write_all_at(bytes, offset));
        #[cfg(not(unix))]
        self.with(name, |file| {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        })
    }

    fn cut(&self, name: &str, size: u64) -> io::Result<()> {
        self.with(name, |file| file.set_len(size))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.with(name, |file| file.sync_data())?;
        if self.handles().unnamed.contains(name) {
            // A new file is there after a crash only when its folder, and that one's, say so.
            let mut folder = Path::new(name).parent();
            while let Some(inner) = folder {
                synced(&self.root.join(inner))?;
                folder = inner.parent();
            }
            self.handles().unnamed.remove(name);
        }
        Ok(())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".head-").tempfile_in(&self.root)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(self.root.join(name)).map_err(|error| error.error)?;
        self.handles().files.remove(name); // that is another file now
        synced(&self.root)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.handles().files.remove(name),
        };
        synced(&self.root)
    }
}

/// A name is not durable before its directory is.
#[cfg(unix)]
pub(super) fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a directory is no file that could be synced.
#[cfg(not(unix))]
pub(super) fn synced(_: &Path) -> io::Result<()> {
    Ok(())
}
