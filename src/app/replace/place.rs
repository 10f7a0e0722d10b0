//! Where no file is written: inside a ledger, and under the name that means standard output.

use crate::app::error::{AppError, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Refuses a place that cannot be meant for a file or folder of the user's: one inside a ledger, where a
/// wrong completion of a name would replace what the ledger is, and `-`, which is no name.
///
/// # Errors
/// [`AppError::InsideLedger`], [`AppError::Usage`].
pub fn check(path: &Path) -> Result<()> {
    if path == Path::new("-") {
        return Err(AppError::Usage(
            "this is not written to standard output: name a file (`./-` is one of that name)"
                .to_owned(),
        ));
    }
    let place = real(path);
    let inside = place.ancestors().find(|up| is_ledger(up));
    match inside.filter(|ledger| is_its_own(&place, ledger)) {
        None => Ok(()),
        Some(ledger) => {
            let name = path.display().to_string();
            Err(AppError::InsideLedger { name, ledger: ledger.display().to_string() })
        }
    }
}

/// Whether a place below a ledger's directory is the ledger's. Whoever made it in a folder of other things
/// (`init -L .`) goes on keeping those there.
fn is_its_own(place: &Path, ledger: &Path) -> bool {
    let own = |name: &OsStr| {
        let name = name.to_string_lossy();
        OWN.contains(&&*name) || LEFT.iter().any(|left| name.starts_with(left))
    };
    let first = place.strip_prefix(ledger).ok().and_then(|below| below.iter().next());
    let is_alone = || {
        let names = std::fs::read_dir(ledger).into_iter().flatten().flatten();
        names.map(|entry| entry.file_name()).all(|name| own(&name))
    };
    first.is_none_or(own) || is_alone()
}

/// What a ledger has in its directory (FORMAT.md, section 1).
const OWN: [&str; 10] = [
    "HEAD",
    "HEADS",
    "LOCK",
    "WAIT",
    "sled",
    "sources",
    "mirror",
    "inbox",
    "config.toml",
    "ERASING",
];

/// How the names begin of what a crash leaves there.
const LEFT: [&str; 4] = [".head-", ".sled-", ".writable-", ".health-"];

/// A name without links in the folders that it goes through, as far as these are there. What the name
/// itself may be a link to is replaced by nobody.
pub(in crate::app) fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if let Ok(folder) = std::fs::canonicalize(&whole)
        && folder.is_dir()
    {
        return folder;
    }
    let there = |up: &Path| {
        let below = whole.strip_prefix(up).ok()?;
        Some(std::fs::canonicalize(up).ok()?.join(below))
    };
    whole.ancestors().skip(1).find_map(there).unwrap_or_else(|| whole.clone())
}

/// Whether a directory has what only a ledger has side by side. One of these names alone may be anybody's:
/// the folder of a git repository has a `HEAD` as well.
fn is_ledger(directory: &Path) -> bool {
    let names = ["HEAD", "HEADS", "sled", "mirror"];
    names.iter().filter(|name| directory.join(name).exists()).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_ledger_is_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(folder.path().join("a/HEAD"), "ref: refs/heads/main\n").unwrap();
        for file in [inner.join("x.csv"), inner.join("not/there/x.csv"), folder.path().join("a")] {
            assert!(check(&file).is_ok(), "{}", file.display());
        }
        std::fs::remove_dir(&inner).unwrap();
        std::fs::create_dir(folder.path().join("a/sled")).unwrap();
        for file in [inner.join("x.csv"), inner.join("not/there/x.csv"), folder.path().join("a")] {
            let refused = check(&file).unwrap_err();
            assert!(matches!(refused, AppError::InsideLedger { .. }), "{refused}");
        }
        // In a folder that has other things too, the ledger's own are its own.
        std::fs::create_dir(&inner).unwrap();
        let a = folder.path().join("a");
        assert!(check(&inner.join("x.csv")).is_ok() && check(&a.join("x.csv")).is_ok());
        for own in [a.clone(), a.join("HEADS"), a.join("config.toml"), a.join("inbox/x")] {
            assert!(check(&own).is_err(), "{}", own.display());
        }
        assert!(check(&folder.path().join("x.csv")).is_ok());
        assert!(check(Path::new("-")).is_err() && check(Path::new("./-")).is_ok());
    }
}
