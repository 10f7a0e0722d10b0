//! The signing key: a file of the user's own, never inside a ledger.

use crate::app::error::{AppError, Result};
use crate::app::replace::real;
use crate::app::report::NewKey;
use crate::ledger::Ledger;
use crate::ledger::note::SigningKey;
use secrecy::{ExposeSecret, SecretString};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

/// Largest key file, in bytes.
const MOST_BYTES: u64 = 4096;

fn refused(file: &Path, why: impl Into<String>, next: impl Into<String>) -> AppError {
    AppError::Key { file: file.display().to_string(), why: why.into(), next: next.into() }
}

/// Makes a key and writes it to a new file that only its owner may read.
///
/// # Errors
/// A name that cannot be one; a file that is there, or would stand inside a ledger.
pub fn new_key(file: &Path, name: Option<&str>, ledger: Option<&Path>) -> Result<NewKey> {
    // Before folders are made for it, and once they are there.
    outside_of_ledgers(file, ledger)?;
    let unwritable = |source| AppError::Unwritable { name: file.display().to_string(), source };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    outside_of_ledgers(file, ledger)?;
    let (key, text) = SigningKey::generate(name)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let next = "use it as it is, or name another file: `volledger key new -O FILE`";
            refused(file, "there is a file already, and a key is never replaced", next)
        }
        _ => unwritable(error),
    })?;
    let mut write = || {
        new.write_all(text.expose_secret().as_bytes())?;
        new.write_all(b"\n")?;
        new.sync_all()
    };
    if let Err(error) = write() {
        // Half a key is none.
        let _ = std::fs::remove_file(file);
        return Err(unwritable(error));
    }
    let (name, vkey) = (key.verifier().name().to_owned(), key.verifier().to_string());
    Ok(NewKey { name, vkey, file: file.display().to_string() })
}

/// Reads a signing key.
///
/// # Errors
/// [`AppError::Key`]: no file, one that others may read, one inside a ledger, one without a key.
pub fn read_key(file: &Path, ledger: Option<&Path>) -> Result<SigningKey> {
    let mut opened = File::open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            refused(file, "there is no signing key", "make one with `volledger key new`")
        }
        _ => AppError::Unreadable { name: file.display().to_string(), source: error },
    })?;
    let unreadable = |source| AppError::Unreadable { name: file.display().to_string(), source };
    // Of the open file, which nobody can exchange any more.
    let found = opened.metadata().map_err(unreadable)?;
    if !found.is_file() || found.len() > MOST_BYTES {
        let next = "name the key with `--key-file FILE`";
        return Err(refused(file, "this is no key file", next));
    }
    if let Some(mode) = open_to_others(&found) {
        let why = format!("its mode is {mode:04o}; a key is for its owner alone");
        let next = format!("make it so with `chmod 600 {}`", file.display());
        return Err(refused(file, why, next));
    }
    outside_of_ledgers(&std::fs::canonicalize(file).map_err(unreadable)?, ledger)?;
    let mut text = String::new();
    let read = opened.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(unreadable)?;
    SigningKey::parse(&text).map_err(|error| {
        refused(file, error.to_string(), "make a key in another file: `volledger key new -O FILE`")
    })
}

/// The mode of a file that is neither 0600 nor 0400.
#[cfg(unix)]
fn open_to_others(found: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o7777;
    (!matches!(mode, 0o600 | 0o400)).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> Option<u32> {
    None
}

/// Refuses a place in a ledger's directory: a key that is copied with the ledger proves nothing
/// against whoever has the copy.
fn outside_of_ledgers(file: &Path, ledger: Option<&Path>) -> Result<()> {
    let real = real(file);
    let ledger = ledger.and_then(|ledger| std::fs::canonicalize(ledger).ok());
    let inside = real.ancestors().any(|up| Ledger::exists(up) || Some(up) == ledger.as_deref());
    if !inside {
        return Ok(());
    }
    let why = "a signing key never lies inside a ledger: whoever could change the one could then \
               sign the change";
    Err(refused(file, why, "choose a place outside: `volledger key new -O FILE`"))
}
