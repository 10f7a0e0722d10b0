//! `HEAD`: a small file beside the engine's data that says how long the log is, and its root.
//!
//! No storage engine notices that the end of its log is lost; this file does. It is replaced
//! atomically after the data that it speaks of is durable.

use super::error::LedgerError;
use super::files::Files;
use super::hash::content;
use crate::domain::{Digest, Position};
use std::io::Read;

/// The newest format that this program reads and writes.
pub const FORMAT: u32 = 1;

const TITLE: &str = "volledger";

/// How long the log is, and the root of its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of control entries.
    pub size: Position,
    /// Root of the log tree (RFC 6962, SHA-256).
    pub root: Digest,
}

impl Head {
    fn text(&self) -> String {
        let body = format!("{TITLE}\nformat {FORMAT}\nsize {}\nroot {}\n", self.size.0, self.root);
        format!("{body}check {}\n", content(body.as_bytes()).short())
    }

    /// Reads `HEAD`; `None` when there is none.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`], [`LedgerError::Newer`], [`LedgerError::Io`].
    pub fn read(files: &dyn Files) -> Result<Option<Self>, LedgerError> {
        let mut text = Vec::new();
        let read = files.read_from("HEAD", 0).and_then(|mut file| file.read_to_end(&mut text));
        let text = match read {
            Ok(_) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::read("HEAD", error)),
        };
        let damaged = || LedgerError::damaged("HEAD does not match its checksum");
        let text = String::from_utf8(text).map_err(|_| damaged())?;
        let at = text.find("check ").ok_or_else(damaged)?;
        let (body, check) = text.split_at_checked(at).ok_or_else(damaged)?;
        if check != format!("check {}\n", content(body.as_bytes()).short()) {
            return Err(damaged());
        }
        let mut lines = body.lines();
        if lines.next() != Some(TITLE) {
            return Err(damaged());
        }
        let mut next = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let format: u32 = next("format").and_then(|n| n.parse().ok()).ok_or_else(damaged)?;
        if format > FORMAT {
            return Err(LedgerError::Newer { found: format, known: FORMAT });
        }
        let size = next("size").and_then(|n| n.parse().ok()).ok_or_else(damaged)?;
        let root = next("root").and_then(|n| n.parse().ok()).ok_or_else(damaged)?;
        Ok(Some(Self { size: Position(size), root }))
    }

    /// Replaces `HEAD`, durably. A crash leaves the old or the new one.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn write(&self, files: &dyn Files) -> Result<(), LedgerError> {
        let replaced = files.replace("HEAD", self.text().as_bytes());
        replaced.map_err(|error| LedgerError::write("HEAD", error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Directory;
    use super::*;

    #[test]
    fn head_comes_back_and_any_change_is_found() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Head::read(&Directory::new(directory.path())).unwrap(), None);
        let head = Head { size: Position(7), root: Digest([3; 32]) };
        head.write(&Directory::new(directory.path())).unwrap();
        assert_eq!(Head::read(&Directory::new(directory.path())).unwrap(), Some(head));
        let path = directory.path().join("HEAD");
        let text = std::fs::read(&path).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bad = text.clone();
                bad[at] ^= 1 << bit;
                std::fs::write(&path, bad).unwrap();
                assert!(
                    Head::read(&Directory::new(directory.path())).is_err(),
                    "byte {at} bit {bit}"
                );
            }
        }
        for cut in 0..text.len() {
            std::fs::write(&path, &text[..cut]).unwrap();
            assert!(Head::read(&Directory::new(directory.path())).is_err(), "cut {cut}");
        }
    }

    #[test]
    fn a_newer_format_is_named_not_guessed() {
        let directory = tempfile::tempdir().unwrap();
        let body = format!("{TITLE}\nformat 2\nsomething new\n");
        let text = format!("{body}check {}\n", content(body.as_bytes()).short());
        std::fs::write(directory.path().join("HEAD"), text).unwrap();
        let newer = Head::read(&Directory::new(directory.path()));
        assert!(matches!(newer, Err(LedgerError::Newer { found: 2, known: 1 })));
    }
}
