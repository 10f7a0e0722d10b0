//! Proofs: making them from a ledger, and checking them without one.

pub mod keys;
pub mod record;

use super::clock::rfc3339;
use super::error::{AppError, Result};
use super::replace;
use super::report::{
    Against, CheckpointLine, ProofWritten, ProvenBy, ProvenReport, VerifyReport, json_value,
};
use crate::domain::{EventId, Op, Position};
use crate::ledger::note::{Note, VerifierKey};
use crate::ledger::proof::{Checkpoint, Proof, ProofError, Proven, says};
use crate::ledger::{Ledger, LedgerError};
use std::path::Path;

/// Largest proof or checkpoint that is read, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// What is to be proven.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// A row (`b7/3`) or an entry (`#12`), in the log of a checkpoint: this one, or the newest one
    /// that was signed here and speaks of it.
    Event(&'a str, Option<&'a Path>),
    /// That the log of one checkpoint begins with that of another; each a position or a file.
    Consistency(&'a str, &'a str),
}

/// Proves something and writes the proof. What was signed here is taken from beside the key.
///
/// # Errors
/// Nothing signed speaks of it; a checkpoint that the ledger does not extend.
pub fn prove(
    ledger: &Ledger,
    claim: Claim<'_>,
    key_file: &Path,
    file: &Path,
) -> Result<ProofWritten> {
    let (proof, key, proves, subject) = match claim {
        Claim::Event(what, given) => {
            let event = what.parse::<EventId>();
            let at = match &event {
                Ok(event) => {
                    let nothing = || LedgerError::NoSuchEvent(*event);
                    ledger.batches().get(event.batch).ok_or_else(nothing)?.staged_at
                }
                Err(error) => {
                    let wrong = |_| AppError::Usage(error.to_string());
                    what.parse::<Position>().map_err(wrong)?
                }
            };
            if at == Position(0) || at > ledger.position() {
                return Err(LedgerError::NoSuchEntry(at).into());
            }
            let (note, key) = match given {
                Some(path) => given_note(path, key_file)?,
                None => record::covering(key_file, at)?,
            };
            let (proof, proves) = match event {
                Ok(event) => {
                    super::erased::refuse_event(ledger, event)?;
                    (ledger.prove_event(event, &note)?, "row")
                }
                Err(_) => (ledger.prove_entry(at, &note)?, "entry"),
            };
            let subject = event.map_or_else(|_| at.to_string(), |event| event.to_string());
            (proof, key, proves, subject)
        }
        Claim::Consistency(from, to) => {
            let (old, key) = note_named(from, key_file)?;
            let (new, later) = note_named(to, key_file)?;
            let key = key.or(later);
            let ends = [Checkpoint::unverified(&old)?.size, Checkpoint::unverified(&new)?.size];
            let subject = format!("{}–{}", ends[0], ends[1]);
            (ledger.prove_consistency(&old, &new)?, key, "consistency", subject)
        }
    };
    // Nothing leaves that its reader would refuse.
    if let Some(key) = &key {
        proof.check(key)?;
    }
    let text = proof.text()?;
    replace::replace_file(file, text.as_bytes())?;
    let note = match &proof {
        Proof::Row { log, .. } | Proof::Entry(log) => &log.checkpoint,
        Proof::Consistency { new, .. } => new,
    };
    Ok(ProofWritten {
        proves,
        subject,
        file: file.display().to_string(),
        bytes: text.len() as u64,
        checkpoint: by(&Checkpoint::unverified(note)?),
        vkey: key.map(|key| key.to_string()),
    })
}

/// A checkpoint that was signed here at a position, or that a file holds.
fn note_named(name: &str, key_file: &Path) -> Result<(Note, Option<VerifierKey>)> {
    match name.parse::<Position>() {
        Ok(at) => record::exactly(key_file, at),
        Err(_) => given_note(Path::new(name), key_file),
    }
}

/// A checkpoint that a file holds, and the key that it is signed with if that has signed here.
fn given_note(path: &Path, key_file: &Path) -> Result<(Note, Option<VerifierKey>)> {
    let note = read_note(path)?;
    let key = record::key_of(key_file, &note)?;
    Ok((note, key))
}

fn read(path: &Path) -> Result<String> {
    let name = path.display().to_string();
    let unreadable = |source| AppError::Unreadable { name: name.clone(), source };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    let malformed = |what: &str| ProofError::malformed(format!("{name} {what}"));
    if size > MOST_BYTES {
        return Err(malformed("is larger than a proof can be").into());
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    Ok(String::from_utf8(bytes).map_err(|_| malformed("is not UTF-8 text"))?)
}

fn read_note(path: &Path) -> Result<Note> {
    Ok(Note::parse(&read(path)?)?)
}

fn by(checkpoint: &Checkpoint) -> ProvenBy {
    let Checkpoint { origin, size, root, .. } = checkpoint;
    ProvenBy { origin: origin.clone(), position: size.0, log_root: root.to_string() }
}

/// Reads a public key, as a person gave it.
///
/// # Errors
/// [`AppError::Usage`].
pub fn verifier_key(text: &str) -> Result<VerifierKey> {
    VerifierKey::parse(text.trim()).map_err(|error| AppError::Usage(error.to_string()))
}

/// Checks a proof with the public key alone.
///
/// # Errors
/// What does not hold, or is not in its form.
pub fn verify_proof(file: &Path, key: &VerifierKey) -> Result<ProvenReport> {
    let proven = Proof::parse(&read(file)?)?.check(key)?;
    let mut report = ProvenReport::default();
    match &proven {
        Proven::Row { event, rows, reject, stage, entry, position, checkpoint } => {
            let row = rows.get(0);
            let said = match (&row, reject) {
                (Some(row), _) => says::row(row),
                (None, Some(reject)) => says::reject(reject),
                (None, None) => String::new(),
            };
            let (number, recorded) = (u64::from(event.seq) + 1, rfc3339(entry.time_ms));
            report.proves = "row";
            report.sentence = format!(
                "`{said}` is row {number} of the {} of batch {} ({event}), recorded {recorded} by \
                 {} as entry {position} of the log whose first {} entries {} signed",
                stage.events,
                stage.batch,
                entry.actor.escape_debug(),
                checkpoint.size.0,
                checkpoint.origin
            );
            report.event = Some(event.to_string());
            report.op = Some(match (&row, reject) {
                (Some(row), _) if row.head.op == Op::Retract => "retract",
                (Some(_), _) => "put",
                _ => "reject",
            });
            report.batch = Some(stage.batch.to_string());
            report.content_id = Some(stage.content_id.to_string());
            report.manifest = Some(stage.manifest.to_string());
            if let Some(row) = &row {
                report.series = Some(row.head.series.name());
                report.symbol = Some(row.symbol.to_string());
                report.date = Some(row.head.day.to_string());
                report.item = (!row.item.is_empty()).then(|| row.item.to_owned());
                let fields = row.fields().filter(|(field, _)| !field.is_mark());
                report.values = fields
                    .map(|(field, value)| {
                        let value = value.as_ref().map_or(serde_json::Value::Null, json_value);
                        (field.name().to_owned(), value)
                    })
                    .collect();
            }
            (report.entry, report.recorded_at) = (Some(position.0), Some(recorded));
            report.checkpoint = by(checkpoint);
        }
        Proven::Entry { entry, position, checkpoint } => {
            report.proves = "entry";
            report.sentence = format!(
                "`{}` is entry {position} of the log whose first {} entries {} signed",
                says::entry(*position, entry),
                checkpoint.size.0,
                checkpoint.origin
            );
            report.entry = Some(position.0);
            report.recorded_at = Some(rfc3339(entry.time_ms));
            report.checkpoint = by(checkpoint);
        }
        Proven::Consistency { old, new } => {
            report.proves = "consistency";
            report.sentence = format!(
                "the log of {} entries that {} signed begins with the log of {} entries that it \
                 signed before: nothing in it was changed or taken away",
                new.size.0, new.origin, old.size.0
            );
            (report.checkpoint, report.since) = (by(new), Some(by(old)));
        }
    }
    Ok(report)
}

/// Compares the ledger with a checkpoint that was kept elsewhere, and notes it in a verification.
///
/// # Errors
/// A checkpoint that cannot be read; what does not fit is in the report.
pub fn against(
    ledger: &Ledger,
    file: &Path,
    key: Option<&VerifierKey>,
    report: &mut VerifyReport,
) -> Result<()> {
    let note = read_note(file)?;
    let read = Checkpoint::unverified(&note)?;
    let signed = key.map(|key| Checkpoint::verified(&note, key).map(|_| ()));
    let extends = ledger.extends(&read).map_err(|error| error.to_string());
    let signature = match &signed {
        None => "not checked",
        Some(Ok(())) => "good",
        Some(Err(_)) => "bad",
    };
    let signed = signed.unwrap_or(Ok(())).map_err(|error| error.to_string());
    let ok = signed.is_ok() && extends.is_ok();
    for what in [signed, extends].into_iter().filter_map(std::result::Result::err) {
        let place = format!("checkpoint {}", read.size);
        report.damage.push(super::report::DamageLine { place, what });
    }
    report.ok &= ok;
    report.against = Some(Against { checkpoint: by(&read), signature, ok });
    Ok(())
}

/// What is known of a checkpoint that was signed here.
fn line(signed: &record::Signed, ledger: &Ledger) -> CheckpointLine {
    let good = Checkpoint::verified(&signed.note, &signed.key);
    let read = Checkpoint::unverified(&signed.note);
    CheckpointLine {
        position: read.as_ref().map_or(0, |read| read.size.0),
        origin: read.as_ref().map_or_else(|_| String::new(), |read| read.origin.clone()),
        log_root: read.as_ref().map_or_else(|_| String::new(), |read| read.root.to_string()),
        signed_at: signed.signed_at.clone(),
        vkey: signed.key.to_string(),
        signature: good.is_ok(),
        holds: read.is_ok_and(|read| ledger.extends(&read).is_ok()),
        note: signed.note.to_string(),
    }
}
