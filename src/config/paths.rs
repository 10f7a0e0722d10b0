//! Where the ledger is.

use super::Settings;
use etcetera::base_strategy::{BaseStrategy, Xdg};
use std::path::{Path, PathBuf};

/// The name of a ledger's directory beside the data that it is about.
const NAME: &str = ".volledger";

/// A ledger's place, and what named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The directory; nothing says that there is a ledger in it.
    pub directory: PathBuf,
    /// `--ledger`, `VOLLEDGER_DIR`, `.volledger` or `XDG data`.
    pub by: &'static str,
}

/// The ledger to use: the flag, the variable, the nearest `.volledger` upwards, the data home.
pub fn ledger_directory(flag: Option<&Path>, settings: &Settings) -> Found {
    if let Some(named) = named(flag, settings) {
        return named;
    }
    let near = settings.current.ancestors().map(|up| up.join(NAME)).find(|path| path.is_dir());
    let homeless = || settings.current.join(NAME);
    let fallback = || settings.data_home.is_none().then(homeless);
    if let Some(directory) = near.or_else(fallback) {
        return Found { directory, by: NAME };
    }
    let home = settings.data_home.clone().unwrap_or_default();
    Found { directory: home.join("volledger"), by: "XDG data" }
}

/// The place of a ledger that is to be made: the flag, the variable, `.volledger` right here.
pub fn new_ledger_directory(flag: Option<&Path>, settings: &Settings) -> Found {
    named(flag, settings).unwrap_or_else(|| Found { directory: PathBuf::from(NAME), by: NAME })
}

/// The file of the signing key: the flag, the variable, the user's configuration; `None` without a
/// home directory.
pub fn signing_key_file(flag: Option<&Path>, settings: &Settings) -> Option<PathBuf> {
    let named = flag.map(Path::to_owned).or_else(|| settings.signing_key.clone());
    named.or_else(|| Some(config_home()?.join("volledger").join("signing.key")))
}

/// Whether files can be made in a directory: one is, and removed at once.
pub(super) fn is_writable(directory: &Path) -> bool {
    let probe = directory.join(format!(".writable-{}", std::process::id()));
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&probe).is_ok();
    made && std::fs::remove_file(&probe).is_ok()
}

/// Where the user's configuration files are.
pub(super) fn config_home() -> Option<PathBuf> {
    Xdg::new().ok().map(|xdg| xdg.config_dir())
}

fn named(flag: Option<&Path>, settings: &Settings) -> Option<Found> {
    if let Some(directory) = flag {
        return Some(Found { directory: directory.to_owned(), by: "--ledger" });
    }
    let directory = settings.directory.clone()?;
    Some(Found { directory, by: "VOLLEDGER_DIR" })
}

/// `XDG_DATA_HOME`, or its default; `None` without a home directory.
pub(super) fn data_home() -> Option<PathBuf> {
    Xdg::new().ok().map(|xdg| xdg.data_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_is_looked_for_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        let mut settings = Settings::from_lookup(&|_| None).unwrap();
        settings.current = inner;
        settings.data_home = Some(PathBuf::from("home"));
        let at = |settings: &Settings, flag: Option<&str>| {
            let found = ledger_directory(flag.map(Path::new), settings);
            (found.directory, found.by)
        };
        assert_eq!(at(&settings, None), (PathBuf::from("home/volledger"), "XDG data"));
        let near = folder.path().join("a/.volledger");
        std::fs::create_dir(&near).unwrap();
        assert_eq!(at(&settings, None), (near, ".volledger"));
        settings.directory = Some(PathBuf::from("e"));
        assert_eq!(at(&settings, None), (PathBuf::from("e"), "VOLLEDGER_DIR"));
        assert_eq!(at(&settings, Some("f")), (PathBuf::from("f"), "--ledger"));
        settings.directory = None;
        let new = new_ledger_directory(None, &settings);
        assert_eq!(new.directory, PathBuf::from(".volledger"));
    }
}
