//! What a key has signed: a file beside the key, so that a ledger that was rolled back or rewritten
//! cannot make the signer forget.
//!
//! One JSON object a line, written and synced before the signature is given away. A line without
//! its end was never given away and does not count.

use super::{keys, line};
use crate::app::Run;
use crate::app::clock::rfc3339;
use crate::app::error::{AppError, Result};
use crate::app::replace;
use crate::app::report::{CheckpointSigned, Checkpoints};
use crate::domain::Position;
use crate::ledger::note::{Note, VerifierKey};
use crate::ledger::proof::{Checkpoint, ProofError};
use crate::ledger::{Ledger, LedgerError};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    signed_at: String,
    vkey: String,
    note: String,
}

/// A checkpoint that was signed with a key here.
#[derive(Clone, Debug)]
pub struct Signed {
    /// When, RFC 3339; the signer's word, not signed itself.
    pub signed_at: String,
    /// With which key.
    pub key: VerifierKey,
    /// The signed note.
    pub note: Note,
}

/// The record of a key file.
fn record_of(key_file: &Path) -> PathBuf {
    let mut name = key_file.as_os_str().to_owned();
    name.push(".signed");
    PathBuf::from(name)
}

fn parse(text: &str, name: &str) -> Result<Vec<Signed>> {
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    let lines = whole.split('\n').filter(|line| !line.is_empty()).enumerate();
    let read = |(number, line): (usize, &str)| {
        let wrong = || {
            let text = format!("line {} of {name} is no signed checkpoint", number + 1);
            AppError::from(ProofError::fails(text))
        };
        let line: Line = serde_json::from_str(line).map_err(|_| wrong())?;
        let key = VerifierKey::parse(&line.vkey).map_err(|_| wrong())?;
        let note = Note::parse(&line.note).map_err(|_| wrong())?;
        // A line that was changed since must not pass for what was signed.
        Checkpoint::verified(&note, &key).map_err(|_| wrong())?;
        Ok(Signed { signed_at: line.signed_at, key, note })
    };
    lines.map(read).collect()
}

/// Everything that a key has signed, oldest first; nothing where there is no record.
///
/// # Errors
/// A record that cannot be read, or was changed.
pub fn signed(key_file: &Path) -> Result<Vec<Signed>> {
    let path = record_of(key_file);
    let name = path.display().to_string();
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text, &name),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(AppError::Unreadable { name, source }),
    }
}

/// The key of which a note says that it is signed with it, among those that have signed here.
pub(super) fn key_of(key_file: &Path, note: &Note) -> Result<Option<VerifierKey>> {
    let mut keys = signed(key_file)?.into_iter().map(|signed| signed.key);
    Ok(keys.find(|key| note.names(key)))
}

/// The newest checkpoint that speaks of an entry.
pub(super) fn covering(key_file: &Path, at: Position) -> Result<(Note, Option<VerifierKey>)> {
    let covers = |signed: &Signed| Checkpoint::unverified(&signed.note).is_ok_and(|c| c.size >= at);
    let found = signed(key_file)?.into_iter().rev().find(covers);
    let found = found.ok_or_else(|| AppError::NoCheckpoint {
        what: format!("no checkpoint that was signed here speaks of {at}"),
    })?;
    Ok((found.note, Some(found.key)))
}

/// The checkpoint that was signed at a position.
pub(super) fn exactly(key_file: &Path, at: Position) -> Result<(Note, Option<VerifierKey>)> {
    let is = |signed: &Signed| Checkpoint::unverified(&signed.note).is_ok_and(|c| c.size == at);
    let found = signed(key_file)?.into_iter().rev().find(is);
    let found = found.ok_or_else(|| AppError::NoCheckpoint {
        what: format!("no checkpoint was signed here at {at}"),
    })?;
    Ok((found.note, Some(found.key)))
}

/// Signs the head of the ledger, unless the key has signed something that the ledger contradicts.
/// Signing the same head again gives the same note.
///
/// # Errors
/// A key that cannot be used; [`ProofError::Fails`] when the log does not extend what was signed.
pub fn sign(
    ledger: &Ledger,
    key_file: &Path,
    file: Option<&Path>,
    run: &Run<'_>,
) -> Result<CheckpointSigned> {
    let key = keys::read_key(key_file, ledger.directory())?;
    let path = record_of(key_file);
    let name = path.display().to_string();
    let unwritable = |source| AppError::Unwritable { name: name.clone(), source };
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut record = options.open(&path).map_err(unwritable)?;
    // Another ledger's process may sign with the same key.
    record.lock().map_err(unwritable)?;
    let mut text = String::new();
    record.read_to_string(&mut text).map_err(unwritable)?;
    let before = parse(&text, &name)?;
    for signed in &before {
        if signed.key.name() == key.verifier().name() {
            let extends = ledger.extends(&Checkpoint::unverified(&signed.note)?);
            extends.map_err(|why| match why {
                LedgerError::Proof(ProofError::Fails(_)) => {
                    AppError::SignedOther { file: key_file.display().to_string(), why }
                }
                why => why.into(),
            })?;
        }
    }
    let head = ledger.head();
    let (origin, size, root) = (key.verifier().name().to_owned(), head.size, head.root);
    let checkpoint = Checkpoint { origin, size, root, extensions: Vec::new() };
    let note = checkpoint.sign(&key)?;
    let known = before.iter().find(|signed| signed.note == note);
    let again = known.is_some();
    let signed_at = match known {
        Some(known) => known.signed_at.clone(),
        None => rfc3339(run.clock.now_ms()),
    };
    if !again {
        let (vkey, note) = (key.verifier().to_string(), note.to_string());
        let line = Line { signed_at: signed_at.clone(), vkey, note };
        append(&mut record, &path, &text, &line).map_err(unwritable)?;
    }
    if let Some(file) = file {
        replace::replace_file(file, note.to_string().as_bytes())?;
    }
    Ok(CheckpointSigned {
        origin: checkpoint.origin,
        position: head.size.0,
        log_root: head.root.to_string(),
        signed_at,
        again,
        vkey: key.verifier().to_string(),
        file: file.map(|file| file.display().to_string()),
        note: note.to_string(),
    })
}

/// Adds a line, durably; what a crash left of one is cut first.
fn append(record: &mut File, path: &Path, text: &str, line: &Line) -> std::io::Result<()> {
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        record.set_len(whole as u64)?;
    }
    let line = serde_json::to_string(line).map_err(std::io::Error::other)?;
    record.write_all(format!("{line}\n").as_bytes())?;
    record.sync_all()?;
    // A new file is durable with its folder only.
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && text.is_empty()) {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// What was signed, and whether the ledger still extends it.
///
/// # Errors
/// A record that cannot be read.
pub fn list(ledger: &Ledger, key_file: &Path) -> Result<Checkpoints> {
    let lines: Vec<_> = signed(key_file)?.iter().map(|signed| line(signed, ledger)).collect();
    let ok = lines.iter().all(|line| line.signature && line.holds);
    Ok(Checkpoints { ok, position: ledger.position().0, checkpoints: lines })
}
