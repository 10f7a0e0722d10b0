//! What is written under a name that it will not keep: a ledger that is being restored, a copy of the
//! engine's files, an export that is not whole. It holds the same data as the ledger, so it must not
//! stay when the process is told to end.

use super::modes;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What there is at the moment.
static THERE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Whom to tell before there is something.
static LISTEN: OnceLock<fn()> = OnceLock::new();

fn there() -> MutexGuard<'static, Vec<PathBuf>> {
    THERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something under a passing name; when this is dropped it has gone, or has another name.
#[derive(Debug)]
pub struct Noted(PathBuf);

/// Makes something under a passing name, and notes it; `path` says where it is.
///
/// # Errors
/// Those of making it.
pub fn made<T>(
    make: impl FnOnce() -> io::Result<T>,
    path: impl FnOnce(&T) -> &Path,
) -> io::Result<(T, Noted)> {
    if let Some(listen) = LISTEN.get() {
        listen();
    }
    // Held meanwhile: there is nothing that is not noted, and nothing is made behind `clear_away`.
    let mut there = there();
    let made = make()?;
    // The directory of the process may be another one later.
    let path = std::path::absolute(path(&made))?;
    there.push(path.clone());
    Ok((made, Noted(path)))
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut there = there();
        if let Some(index) = there.iter().position(|path| *path == self.0) {
            there.swap_remove(index);
        }
    }
}

/// Calls `listen` each time before something is made and noted: whoever ends the process clears away first.
pub fn when_noted(listen: fn()) {
    let _ = LISTEN.set(listen); // the first one stays
}

/// Gives what is noted, or something in it, the name that it keeps: wholly before [`clear_away`], which
/// would go on removing it under that name, or never, since this does not return behind it.
pub fn named<T>(give: impl FnOnce() -> T) -> T {
    let _held = there();
    give()
}

/// Removes all that is noted. For a process that ends now: what its threads still write goes nowhere,
/// and nothing is [`named`] any more.
pub fn clear_away() {
    let there = there();
    for path in there.iter() {
        // A thread may make a file while its folder is being emptied.
        for _ in 0..50 {
            let gone = match path.is_dir() {
                true => std::fs::remove_dir_all(path),
                false => std::fs::remove_file(path),
            };
            match gone {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                _ => break,
            }
        }
    }
    std::mem::forget(there); // nobody makes anything behind it
}

/// A folder under a passing name, its owner's alone; removed when dropped.
#[derive(Debug)]
pub struct Folder {
    place: tempfile::TempDir,
    _noted: Noted,
}

impl Folder {
    /// Makes one in `parent`, else where temporary files are.
    ///
    /// # Errors
    /// A place that cannot be written.
    pub fn new(prefix: &str, parent: Option<&Path>) -> io::Result<Self> {
        let make = || {
            let mut place = tempfile::Builder::new();
            let place = match parent {
                Some(parent) => place.prefix(prefix).tempdir_in(parent)?,
                None => place.prefix(prefix).tempdir()?,
            };
            modes::restrict(place.path(), 0o700).map(|()| place)
        };
        let (place, _noted) = made(make, |place| place.path())?;
        Ok(Self { place, _noted })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Leaves it: it has got its name.
    pub fn keep(self) {
        let _ = self.place.keep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::TryLockError;

    /// `clear_away` holds it to the end.
    #[test]
    fn nothing_is_cleared_away_while_it_gets_its_name() {
        let held = || matches!(THERE.try_lock(), Err(TryLockError::WouldBlock));
        assert!(named(held));
        let folder = Folder::new("test-", None).unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        std::fs::write(&old, "x").unwrap();
        named(|| std::fs::rename(&old, &new)).unwrap();
        assert!(new.exists());
    }
}
