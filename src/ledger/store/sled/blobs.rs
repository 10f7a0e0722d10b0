//! The files that sled makes for large values, which must not be there.

use super::super::Result;
use crate::ledger::error::LedgerError;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longer than a tick of the clock that file systems take times from.
const TICK: Duration = Duration::from_secs(2);

/// sled's folder for values above a quarter of a segment.
#[derive(Debug)]
pub(super) struct Blobs {
    folder: PathBuf,
    /// When it had changed last, the last time that nothing was found in it: looking into it at each
    /// commit costs more than a look at its time.
    empty: Option<SystemTime>,
}

impl Blobs {
    /// Those of an engine's folder.
    pub(super) fn of(engine: &Path) -> Self {
        Self { folder: engine.join("blobs"), empty: None }
    }

    /// A file there is never synced by sled: with one, durability cannot be promised.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`].
    pub(super) fn check(&mut self) -> Result<()> {
        let changed = std::fs::metadata(&self.folder).and_then(|folder| folder.modified()).ok();
        if changed.is_some() && changed == self.empty {
            return Ok(());
        }
        // The engine's are numbers; what a desktop leaves wherever somebody looked begins with a dot.
        let ours = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.map_or(true, |entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        };
        match std::fs::read_dir(&self.folder).map(|mut entries| entries.any(ours)) {
            Ok(true) => Err(LedgerError::damaged("the storage engine made blob files")),
            _ => {
                // What comes within the same tick as the last change would not be seen.
                let past = |at: &SystemTime| at.elapsed().is_ok_and(|since| since > TICK);
                self.empty = changed.filter(past);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_however_soon_it_comes() {
        let engine = tempfile::tempdir().unwrap();
        let mut blobs = Blobs::of(engine.path());
        assert!(blobs.check().is_ok(), "no folder");
        let folder = engine.path().join("blobs");
        std::fs::create_dir(&folder).unwrap();
        assert!(blobs.check().is_ok());
        std::fs::write(folder.join(".DS_Store"), "x").unwrap();
        assert!(blobs.check().is_ok(), "nobody's");
        assert_eq!(blobs.empty, None, "too young to be sure");
        let old = SystemTime::now() - 2 * TICK;
        std::fs::File::open(&folder).unwrap().set_modified(old).unwrap();
        assert!(blobs.check().is_ok() && blobs.check().is_ok());
        assert_eq!(blobs.empty, Some(old));
        std::fs::write(folder.join("1"), b"x").unwrap();
        assert!(blobs.check().is_err() && blobs.check().is_err());
        std::fs::remove_file(folder.join("1")).unwrap();
        assert!(blobs.check().is_ok());
    }
}
