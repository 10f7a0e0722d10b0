//! A ledger that cannot be written, opened whole to be verified: the engine, which writes when it
//! opens, from a copy of its files, and everything else where it lies, through a door that writes
//! nothing.

use super::error::LedgerError;
use super::files::{Directory, Files};
use super::head::Head;
use super::lock::Lock;
use super::recover::copied;
use super::{Ledger, Result};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// The files of a directory, to be read.
#[derive(Debug)]
struct OnlyRead(Directory);

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "it is opened to be read only")
}

impl Files for OnlyRead {
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        self.0.list(folder)
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        self.0.read_from(name, offset)
    }

    fn write_at(&self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Err(refused())
    }

    fn cut(&self, _: &str, _: u64) -> io::Result<()> {
        Err(refused())
    }

    /// Nothing was written through this door, and what others wrote is theirs to sync.
    fn sync(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(refused())
    }

    fn in_place(&self) -> io::Result<()> {
        self.0.in_place()
    }
}

impl Ledger {
    /// Opens a ledger as [`Self::open`] does, with everything that is checked then, and writes
    /// nothing there. The copy of the engine's files lies where temporary ones are, until the ledger
    /// is dropped; what its views lack is added there.
    ///
    /// # Errors
    /// Those of [`Self::open`]; [`LedgerError::NotWritable`] where there is no room for the copy,
    /// and where a crash left something beside the engine that only writing can settle.
    pub fn open_aside(directory: &Path, mirror: bool) -> Result<Self> {
        if !Self::exists(directory) {
            return Err(LedgerError::NotFound(directory.to_owned()));
        }
        let files: Arc<dyn Files> = Arc::new(OnlyRead(Directory::new(directory)));
        let lock = Lock::look(directory)?;
        Head::read(&*files)?.ok_or_else(|| LedgerError::damaged("HEAD is missing"))?;
        let (store, copy) = copied(directory, None, &files)?;
        let ledger = Self::open_on(Box::new(store), files, mirror)?;
        Ok(Self { directory: Some(directory.to_owned()), _lock: lock, _copy: Some(copy), ..ledger })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OpenOptions, Verified};
    use super::*;
    use std::time::Duration;

    fn bytes_of(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => bytes_of(&path, into),
                false => {
                    let bytes = std::fs::read(&path).unwrap();
                    into.insert(path.display().to_string(), bytes);
                }
            }
        }
    }

    #[test]
    fn what_is_opened_aside_is_the_same_ledger_and_nothing_is_written_there() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path();
        let options = OpenOptions::new("test", Duration::ZERO);
        let mut ledger = Ledger::create(dir, &options).unwrap();
        ledger.keep_bytes(b"a source", "a.csv", 1).unwrap();
        drop(ledger);
        drop(Ledger::open(dir, &options).unwrap());
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        bytes_of(dir, &mut before);
        let mut aside = Ledger::open_aside(dir, true).unwrap();
        assert_eq!(aside.verify(true, &mut |_| {}).damage, Verified::default().damage);
        assert!(matches!(
            aside.keep_bytes(b"another", "b.csv", 2),
            Err(LedgerError::NotWritable { .. })
        ));
        // Another process may not come in between either.
        assert!(matches!(Ledger::open(dir, &options), Err(LedgerError::Held { .. })));
        drop(aside);
        bytes_of(dir, &mut after);
        assert!(before == after, "something was written");
        assert!(matches!(
            Ledger::open_aside(&dir.join("none"), true),
            Err(LedgerError::NotFound(_))
        ));
    }
}
