//! What is written under a name that it will not keep: a ledger that is being restored, a copy of the
//! engine's files, an export that is not whole. It holds the same data as the ledger, so it must not
//! stay when the process is told to end.

use super::modes;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What there is at the moment.
static THERE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// How long it is tried to remove something that a thread still writes to.
const PATIENCE: Duration = Duration::from_secs(5);
/// So often nothing is found before it counts as gone, with so much time between.
const LOOKS: u32 = 4;
const BETWEEN: Duration = Duration::from_millis(15);
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
    let mut left: Vec<Leaving<'_>> =
        there.iter().map(|path| Leaving { path, stopped: false }).collect();
    let (end, mut looks) = (Instant::now() + PATIENCE, 0);
    while looks < LOOKS && Instant::now() < end {
        let mut gone = true;
        for of in &mut left {
            gone &= of.take_away();
        }
        looks = if gone { looks + 1 } else { 0 };
        std::thread::sleep(if gone { BETWEEN } else { Duration::from_millis(2) });
    }
    for of in left.iter().filter(|of| of.stopped) {
        let _ = std::fs::remove_file(of.path);
    }
    std::mem::forget(there); // nobody makes anything behind it
}

/// Something that is removed while other threads go on: one may make a file in a folder that is being
/// emptied, and the engine makes a folder anew that has gone. What they do fails soon.
struct Leaving<'a> {
    path: &'a Path,
    /// Whether a file of nothing stands there, so that no folder is made again.
    stopped: bool,
}

impl Leaving<'_> {
    /// Removes what is there; says whether there was nothing.
    fn take_away(&mut self) -> bool {
        let Ok(found) = self.path.symlink_metadata() else { return true };
        if !found.is_dir() {
            return self.stopped || std::fs::remove_file(self.path).is_err();
        }
        if std::fs::remove_dir_all(self.path).is_ok() {
            self.stopped |= std::fs::File::create_new(self.path).is_ok();
        }
        false
    }
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
