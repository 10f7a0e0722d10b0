//! The files of a hurt ledger, and one more pack in memory: what the mirror gives of sources.

use super::super::files::Files;
use super::super::store::PACKS;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// The pack of what the mirror gives: the real ones begin with 1.
pub(super) const MIRRORED: u32 = 0;

/// The ledger's files, to be read.
#[derive(Debug)]
pub(super) struct Overlay {
    files: Arc<dyn Files>,
    mirrored: Mutex<Vec<u8>>,
}

pub(super) fn only_read() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a hurt ledger is only read")
}

impl Overlay {
    pub(super) fn new(files: Arc<dyn Files>) -> Self {
        Self { files, mirrored: Mutex::default() }
    }

    /// Adds bytes to the pack in memory; where they begin.
    pub(super) fn add(&self, bytes: &[u8]) -> u64 {
        let mut mirrored = self.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = mirrored.len() as u64;
        mirrored.extend_from_slice(bytes);
        offset
    }
}

impl Files for Overlay {
    /// A folder of packs that cannot be listed has none that could be read: what the engine and the mirror
    /// hold does not hang on it.
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        match self.files.list(folder) {
            Err(_) if folder == PACKS => Ok(BTreeMap::new()),
            listed => listed,
        }
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        if name != format!("{PACKS}/{MIRRORED:06}.pack") {
            return self.files.read_from(name, offset);
        }
        let bytes = self.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Box::new(Cursor::new(bytes.get(offset as usize..).unwrap_or_default().to_vec())))
    }

    fn write_at(&self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Err(only_read())
    }

    fn cut(&self, _: &str, _: u64) -> io::Result<()> {
        Err(only_read())
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Err(only_read())
    }

    fn replace(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(only_read())
    }
}
