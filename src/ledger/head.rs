//! `HEAD`: how long the log is, and its root, beside the engine's data.
//!
//! No storage engine notices that the end of its log is lost; this notices. It moves after the data
//! that it speaks of is durable, in place: two slots of a second file, `HEADS`, are written in turn,
//! so that a slot that is torn is never the only one, and neither a name nor a size changes. `HEAD`
//! itself says the format only, in words that every earlier program understands.

use super::error::LedgerError;
use super::files::Files;
use super::hash::content;
use crate::domain::{Digest, Position};
use std::io::{self, Read};

/// The newest format of a ledger that this program reads, and the one that it writes.
pub const LEDGER_FORMAT: u32 = 2;

const TITLE: &str = "volledger";

/// Says the format; of format 1 also size and root.
const NAME: &str = "HEAD";

/// The two slots.
const SLOTS: &str = "HEADS";

/// The size of a slot, in bytes: a page, so that writing one touches nothing of the other.
const SLOT: usize = 4096;

/// How long the log is, and the root of its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of control entries.
    pub size: Position,
    /// Root of the log tree (RFC 6962, SHA-256).
    pub root: Digest,
}

/// Lines with their checksum.
fn sealed(format: u32, lines: &str) -> String {
    let body = format!("{TITLE}\nformat {format}\n{lines}");
    format!("{body}check {}\n", content(body.as_bytes()).short())
}

/// The format of sealed lines, and the lines between it and the checksum.
fn unsealed(text: &[u8]) -> Option<(u32, &str)> {
    let text = std::str::from_utf8(text).ok()?;
    let lines = text.strip_prefix(TITLE)?.strip_prefix("\nformat ")?;
    let (format, lines) = lines.split_once('\n')?;
    let (lines, _) = lines.split_at_checked(lines.find("check ")?)?;
    let format = format.parse().ok()?;
    (sealed(format, lines) == text).then_some((format, lines))
}

fn damaged(what: &str) -> LedgerError {
    LedgerError::damaged(what)
}

/// The bytes of a small file; `None` when there is none.
fn bytes_of(files: &dyn Files, name: &str) -> Result<Option<Vec<u8>>, LedgerError> {
    let mut bytes = Vec::new();
    let most = 4 * SLOT as u64; // of what is longer, no byte more is needed to refuse it
    let read = files.read_from(name, 0);
    match read.and_then(|file| file.take(most).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::read(name, error)),
    }
}

impl Head {
    fn lines(&self) -> String {
        format!("size {}\nroot {}\n", self.size.0, self.root)
    }

    fn parse(lines: &str) -> Option<Self> {
        let (size, root) = lines.strip_prefix("size ")?.split_once('\n')?;
        let root = root.strip_prefix("root ")?.strip_suffix('\n')?;
        let head = Self { size: Position(size.parse().ok()?), root: root.parse().ok()? };
        (head.lines() == lines).then_some(head)
    }

    /// A slot: the lines, filled up with line feeds.
    pub(super) fn slot(&self) -> Vec<u8> {
        let mut slot = sealed(LEDGER_FORMAT, &self.lines()).into_bytes();
        slot.resize(SLOT, b'\n');
        slot
    }

    /// Reads HEAD; `None` when there is none.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`], [`LedgerError::Newer`], [`LedgerError::Io`].
    pub fn read(files: &dyn Files) -> Result<Option<Self>, LedgerError> {
        Ok(Slots::read(files)?.map(|(head, _)| head))
    }

    /// Writes HEAD whole, durably: where there is none, or one of format 1. A crash leaves the old
    /// or the new one.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn write(&self, files: &dyn Files) -> Result<(), LedgerError> {
        let slots = [self.slot(), self.slot()].concat();
        // Slots mean nothing before HEAD is of their format.
        let replaced = files.replace(SLOTS, &slots);
        let replaced = replaced.and_then(|()| files.replace(NAME, notice().as_bytes()));
        replaced.map_err(|error| LedgerError::write(NAME, error))
    }
}

/// What `HEAD` holds beside slots.
pub(super) fn notice() -> String {
    sealed(LEDGER_FORMAT, &format!("slots {SLOTS}\n"))
}

/// Where HEAD moves to next.
#[derive(Debug, Default)]
pub struct Slots {
    /// The slot that holds HEAD: the other one is written next. None of format 1.
    last: Option<bool>,
    torn: bool,
    failed: bool,
}

impl Slots {
    /// The slots that [`Head::write`] has just written.
    pub(super) fn new() -> Self {
        Self { last: Some(false), ..Self::default() }
    }

    /// Reads HEAD: of two sound slots the one with more entries. `None` when there is none.
    ///
    /// # Errors
    /// Those of [`Head::read`].
    pub(super) fn read(files: &dyn Files) -> Result<Option<(Head, Self)>, LedgerError> {
        let Some(text) = bytes_of(files, NAME)? else {
            return Ok(None);
        };
        let wrong = || damaged("HEAD does not match its checksum");
        let (format, lines) = unsealed(&text).ok_or_else(wrong)?;
        match format {
            1 => {
                let head = Head::parse(lines).ok_or_else(wrong)?;
                return Ok(Some((head, Self::default())));
            }
            LEDGER_FORMAT if text == notice().as_bytes() => {}
            0 | LEDGER_FORMAT => return Err(wrong()),
            found => return Err(LedgerError::Newer { found, known: LEDGER_FORMAT }),
        }
        let slots = bytes_of(files, SLOTS)?.ok_or_else(|| damaged("HEADS is missing"))?;
        let (first, second) = slots
            .split_at_checked(SLOT)
            .filter(|(_, second)| second.len() == SLOT)
            .ok_or_else(|| damaged("HEADS does not have its size"))?;
        let sound = |slot: &[u8]| {
            let text = slot.trim_ascii_end().len();
            let (format, lines) = unsealed(slot.get(..=text)?)?;
            let head = Head::parse(lines).filter(|_| format == LEDGER_FORMAT)?;
            (head.slot() == slot).then_some(head)
        };
        let (head, last, torn) = match (sound(first), sound(second)) {
            (Some(one), Some(other)) if one.size == other.size && one.root != other.root => {
                return Err(damaged("the slots of HEAD contradict each other"));
            }
            (Some(one), Some(other)) if other.size > one.size => (other, true, false),
            (Some(one), other) => (one, false, other.is_none()),
            (None, Some(other)) => (other, true, true),
            (None, None) => return Err(damaged("both slots of HEAD are hurt")),
        };
        Ok(Some((head, Self { last: Some(last), torn, failed: false })))
    }

    /// Whether one slot is hurt: it was being written, and then everything that it was to say is
    /// durable, or was hurt later.
    pub(super) fn torn(&self) -> bool {
        self.torn
    }

    /// The format of the ledger.
    pub(super) fn format(&self) -> u32 {
        if self.last.is_some() { LEDGER_FORMAT } else { 1 }
    }

    /// Refuses to go on when HEAD could not be moved: what it says on disk is not known then, and
    /// another entry under the same position could contradict it.
    pub(super) fn check(&self) -> Result<(), LedgerError> {
        if self.failed { Err(LedgerError::Poisoned) } else { Ok(()) }
    }

    /// Makes what was read durable: a process that was killed, or whose disk failed, may have left it in
    /// memory only, and then a loss of power tears a slot of which everything counts already.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub(super) fn sync(&self, files: &dyn Files) -> Result<(), LedgerError> {
        let synced = if self.last.is_some() { files.sync(SLOTS) } else { Ok(()) };
        synced.map_err(|error| LedgerError::write(NAME, error))
    }

    /// Moves HEAD, durably: into the slot that does not hold it, or whole where it is of format 1.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`]; nothing more is written then.
    pub(super) fn write(&mut self, files: &dyn Files, head: &Head) -> Result<(), LedgerError> {
        self.check()?;
        let next = self.last.is_some_and(|last| !last);
        let wrote = match self.last {
            None => head.write(files),
            // Looked at again: what is durable by now may be elsewhere than whoever opens it next looks.
            Some(_) => files
                .in_place()
                .and_then(|()| {
                    files.write_at(SLOTS, if next { SLOT as u64 } else { 0 }, &head.slot())
                })
                .and_then(|()| files.sync(SLOTS))
                .map_err(|error| LedgerError::write(NAME, error)),
        };
        self.failed = wrote.is_err();
        wrote?;
        (self.last, self.torn) = (Some(next), false);
        Ok(())
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
