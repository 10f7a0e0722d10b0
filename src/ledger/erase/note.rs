//! `ERASING`: what is being erased, so that a crash does not leave it half done.

use super::super::error::LedgerError;
use super::super::files::Files;
use super::super::hash::content;
use super::super::{Ledger, Result};
use super::Selection;
use crate::domain::{BatchId, EntryKind, Position};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::{ErrorKind, Read};

/// The file's name.
const NAME: &str = "ERASING";

fn write_error(error: std::io::Error) -> LedgerError {
    LedgerError::write("the note of an erasure", error)
}

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum Noted {
    /// What the entry at a position is to erase.
    Of(Position, Selection),
    /// It is hurt.
    Hurt,
}

/// Runs of numbers as text: `0-99,120`.
fn runs(numbers: &BTreeSet<u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let text = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    text.collect::<Vec<_>>().join(",")
}

fn numbers(text: &str) -> Option<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    for run in text.split(',') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        found.extend(first.parse().ok()?..=last.parse::<u32>().ok()?);
    }
    Some(found)
}

/// Notes durably what the entry at `at` will erase.
pub(super) fn write(ledger: &Ledger, at: Position, selection: &Selection) -> Result<()> {
    let Some(files) = &ledger.files else { return Ok(()) };
    files.replace(NAME, text(at, selection).as_bytes()).map_err(write_error)
}

fn text(at: Position, selection: &Selection) -> String {
    let mut text = format!("volledger erase 1\nentry {}\n", at.0);
    for (batch, gone) in selection {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{} {}", batch.0, runs(gone));
    }
    let _ = writeln!(text, "check {}", content(text.as_bytes()).short());
    text
}

/// What a crash left undone; `None` where there is no note.
pub(super) fn read(ledger: &Ledger) -> Result<Option<Noted>> {
    ledger.files.as_ref().map_or(Ok(None), |files| find(&**files))
}

/// The note that lies among these files.
///
/// # Errors
/// A file that cannot be read; one whose bytes are none is [hurt](Noted::Hurt).
pub(in crate::ledger) fn find(files: &dyn Files) -> Result<Option<Noted>> {
    let mut bytes = Vec::new();
    match files.read_from(NAME, 0).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LedgerError::read("the note of an erasure", error)),
        Ok(0) => Ok(None),
        Ok(_) => {
            let noted = std::str::from_utf8(&bytes).ok().and_then(parse);
            Ok(Some(noted.map_or(Noted::Hurt, |(at, selection)| Noted::Of(at, selection))))
        }
    }
}

/// Takes a note along to where a ledger is recovered, if it is that of an entry there: opening finishes
/// it there.
pub(in crate::ledger) fn carry(ledger: &Ledger, from: &dyn Files, to: &dyn Files) -> Result<()> {
    match find(from) {
        Ok(Some(Noted::Of(at, selection))) if fits(ledger, at, &selection) => {
            to.replace(NAME, text(at, &selection).as_bytes()).map_err(write_error)
        }
        _ => Ok(()),
    }
}

/// Whether a note is that of the last entry of a ledger.
pub(in crate::ledger) fn fits(ledger: &Ledger, at: Position, selection: &Selection) -> bool {
    let entry = ledger.entry(at).filter(|_| at == ledger.position());
    match entry.map(|entry| &entry.kind) {
        Some(EntryKind::Erase(erase)) => {
            matches!(ledger.fitting(at, selection, erase), Ok(Some(_)))
        }
        _ => false,
    }
}

fn parse(text: &str) -> Option<(Position, Selection)> {
    let cut = text.trim_end_matches('\n').rfind('\n')? + 1;
    let (body, check) = text.split_at_checked(cut)?;
    if check.trim_end() != format!("check {}", content(body.as_bytes()).short()) {
        return None;
    }
    let mut lines = body.lines();
    let at = match (lines.next()?, lines.next()?.split_once(' ')?) {
        ("volledger erase 1", ("entry", at)) => Position(at.parse().ok()?),
        _ => return None,
    };
    let mut selection = Selection::new();
    for line in lines {
        let (batch, gone) = line.split_once(' ')?;
        selection.insert(BatchId(batch.parse().ok()?), numbers(gone)?);
    }
    Some((at, selection))
}

/// The work is done.
pub(super) fn remove(ledger: &Ledger) -> Result<()> {
    let Some(files) = &ledger.files else { return Ok(()) };
    files.remove(NAME).map_err(write_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_and_a_hurt_one_is_refused() {
        let set = |all: &[u32]| all.iter().copied().collect::<BTreeSet<u32>>();
        assert_eq!(runs(&set(&[0, 1, 2, 5, 7, 8])), "0-2,5,7-8");
        let directory = tempfile::tempdir().unwrap();
        let files =
            std::sync::Arc::new(super::super::super::files::Directory::new(directory.path()));
        let ledger = Ledger { files: Some(files), ..Ledger::in_memory() };
        assert_eq!(read(&ledger).unwrap(), None);
        let selection =
            Selection::from([(BatchId(1), set(&[0, 1, 2, 9])), (BatchId(4), set(&[3]))]);
        write(&ledger, Position(7), &selection).unwrap();
        assert_eq!(read(&ledger).unwrap(), Some(Noted::Of(Position(7), selection)));
        let path = directory.path().join(NAME);
        let text = std::fs::read_to_string(&path).unwrap();
        for hurt in [text.replace("0-2", "0-3").as_bytes(), b"v", &[0xff, 0xfe]] {
            std::fs::write(&path, hurt).unwrap();
            assert_eq!(read(&ledger).unwrap(), Some(Noted::Hurt));
        }
        remove(&ledger).unwrap();
        assert_eq!(read(&ledger).unwrap(), None);
        // What cannot be read may name something: a folder can be opened, and no more.
        std::fs::create_dir(&path).unwrap();
        assert!(read(&ledger).is_err());
    }
}
