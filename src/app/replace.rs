//! Replacing files and folders that lie outside the ledger: whole or not at all, what was there kept.

mod place;

pub use place::check as check_place;
pub(super) use place::real;

use super::error::{AppError, Result};
use crate::ledger::files::synced;
use crate::ledger::hash;
use crate::ledger::scratch::{self, Folder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Writes a file atomically; what it replaces stays beside it as `.bak`.
///
/// # Errors
/// [`AppError::Unwritable`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_with(path, |new| std::fs::write(new, bytes).map_err(unwritable(path)))
}

/// Makes room for the `.bak` of a file that is to be replaced: an earlier one becomes `.bak.1`,
/// `.bak.2` and so on, unless it can be had again, as `had` says of it, or is there twice.
///
/// # Errors
/// [`AppError::Unwritable`], and those of `had`.
pub fn keep_backup(path: &Path, had: impl FnOnce(&Path) -> Result<bool>) -> Result<()> {
    let backup = backup_of(path);
    if !path.exists() || !backup.exists() || same_bytes(path, &backup) || had(&backup)? {
        return Ok(());
    }
    let mut number = 1_u32;
    let free = loop {
        let mut name = backup.clone().into_os_string();
        name.push(format!(".{number}"));
        let numbered = PathBuf::from(name);
        if numbered.symlink_metadata().is_err() {
            break numbered;
        }
        if same_bytes(&backup, &numbered) {
            return Ok(());
        }
        number += 1;
    };
    std::fs::rename(&backup, free).map_err(unwritable(&backup))
}

/// Whether two files hold the same; not, where one cannot be read.
fn same_bytes(one: &Path, other: &Path) -> bool {
    let size = |file: &Path| file.metadata().map(|about| about.len()).ok();
    let digest = |file: &Path| {
        let mut hasher = hash::Hasher::default();
        let mut input = BufReader::with_capacity(1 << 16, File::open(file).ok()?);
        loop {
            let piece = input.fill_buf().ok()?;
            if piece.is_empty() {
                return Some(hasher.finish());
            }
            hasher.update(piece);
            let read = piece.len();
            input.consume(read);
        }
    };
    size(one).is_some_and(|bytes| size(other) == Some(bytes))
        && digest(one).is_some_and(|bytes| digest(other) == Some(bytes))
}

/// Lets `write` make a file beside `path`, which gets that name when it is whole and durable; what
/// it replaces stays as `.bak`, unless it holds the same bytes: then it is left as it is. When
/// something fails, everything is as before.
///
/// # Errors
/// [`AppError::Unwritable`], and those of `write`.
pub fn replace_with<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    if path.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a directory");
        return Err(unwritable(path)(source));
    }
    check_place(path)?;
    if is_stream(path)? {
        return pour(path, write);
    }
    let durable = |new: &Path| {
        let written = write(new)?;
        let synced = File::options().write(true).open(new).and_then(|file| file.sync_all());
        synced.map_err(unwritable(path)).map(|()| written)
    };
    replace(path, durable, |new| {
        if same_bytes(new, path) {
            return Ok(());
        }
        keep_as_backup(path)?;
        std::fs::rename(new, path)
    })
}

/// Gives a file that is to be replaced the name `.bak` as well.
pub(super) fn keep_as_backup(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let backup = backup_of(path);
    let _ = std::fs::remove_file(&backup);
    // A second name first, so that there is never a moment without the file.
    std::fs::hard_link(path, &backup).or_else(|_| std::fs::rename(path, &backup))
}

/// Whether a name is that of something to write into and never of a file to replace: a device or a
/// pipe.
///
/// # Errors
/// [`AppError::Usage`] for standard output and error: what the command says goes there as well.
pub(super) fn is_stream(path: &Path) -> Result<bool> {
    const OWN: [&str; 6] = ["stdout", "stderr", "fd/1", "fd/2", "self/fd/1", "self/fd/2"];
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = ["/dev", "/proc"].iter().find_map(|folder| whole.strip_prefix(folder).ok());
    if name.is_some_and(|name| OWN.iter().any(|own| name == Path::new(own))) {
        return Err(AppError::Usage(format!(
            "{} is where the command says what it did; name a file or a pipe",
            path.display()
        )));
    }
    Ok(path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()))
}

/// Lets `write` make a file elsewhere, and sends what it holds into a device or pipe.
pub(super) fn pour<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let place = Folder::new(".volledger-", None).map_err(unwritable(path))?;
    let new = place.path().join("new");
    let written = write(&new)?;
    let send = || {
        let mut stream = File::options().write(true).open(path)?;
        io::copy(&mut File::open(&new)?, &mut stream)?;
        stream.flush()
    };
    send().map_err(unwritable(path))?;
    Ok(written)
}

/// Lets `write` make a directory elsewhere, and replaces the one at `path` with it. `ours` says
/// whether a directory that is there may be replaced; its `.bak` must be ours as well. An empty one
/// may always.
///
/// # Errors
/// [`AppError::Usage`] for a directory that is not ours, else as for files.
pub fn replace_folder<T>(
    path: &Path,
    ours: impl Fn(&Path) -> bool,
    write: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    check_place(path)?;
    let backup = backup_of(path);
    let empty = |folder: &Path| folder.read_dir().is_ok_and(|mut inside| inside.next().is_none());
    for there in [path, &backup] {
        if there.symlink_metadata().is_ok() && !empty(there) && !ours(there) {
            let there = there.display();
            return Err(AppError::Usage(format!(
                "{there} is there and no earlier export of volledger: it is not replaced"
            )));
        }
    }
    replace(path, write, |new| {
        if empty(path) {
            std::fs::remove_dir(path)?;
        }
        if !path.exists() {
            return std::fs::rename(new, path);
        }
        if backup.exists() {
            std::fs::remove_dir_all(&backup)?;
        }
        std::fs::rename(path, &backup)?;
        let put = std::fs::rename(new, path);
        if put.is_err() {
            let _ = std::fs::rename(&backup, path);
        }
        put
    })
}

/// `name` as `name.bak`, beside it.
pub(super) fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".bak");
    path.with_file_name(name)
}

fn replace<T>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T>,
    swap: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<T> {
    let unwritable = || unwritable(path);
    if path.file_name().is_none() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        return Err(unwritable()(source));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(unwritable())?;
    // Once more: what was not there could lead anywhere.
    check_place(path)?;
    let place = Folder::new(".volledger-", Some(parent)).map_err(unwritable())?;
    let new = place.path().join("new");
    let written = write(&new)?;
    scratch::named(|| swap(&new)).map_err(unwritable())?;
    synced(parent).map_err(unwritable())?;
    Ok(written)
}

/// The error of a file or directory that cannot be written.
pub(super) fn unwritable(file: &Path) -> impl FnOnce(io::Error) -> AppError {
    let name = file.display().to_string();
    |source| AppError::Unwritable { name, source }
}
