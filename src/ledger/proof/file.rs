//! The text that carries a proof. It has one form only: what is read is written again and
//! compared, so that no sign of it is free.

use super::paths::{is_consistent, root_from_inclusion};
use super::{Checkpoint, ProofError, says};
use crate::domain::{Digest, Entry, EntryKind, EventId, Position, Reject, Rows, Stage, rows::Row};
use crate::ledger::canon;
use crate::ledger::codec;
use crate::ledger::hash::{Blake3Tree, Sha256Tree, TreeHash};
use crate::ledger::note::{Note, VerifierKey, digest_from_base64, from_base64, to_base64};

type Result<T> = std::result::Result<T, ProofError>;

const TITLE: &str = "volledger proof 1\n";
const CONSISTENCY: &str = "consistency\n\n";
/// The part that other programs read: C2SP's `tlog-proof`.
const TLOG_PROOF: &str = "c2sp.org/tlog-proof@v1\n";

/// Largest proof that is read, in bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// That an entry stands in the log of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    /// The entry as stored.
    pub entry: Vec<u8>,
    /// Its place, from 0.
    pub index: u64,
    /// The hashes beside its way to the root.
    pub path: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

/// A proof that needs neither the ledger nor this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A row stands in a batch, whose seal stands in the log.
    Row {
        /// Which row.
        event: EventId,
        /// Its canonical bytes.
        row: Vec<u8>,
        /// The hashes beside its way to the batch's root.
        path: Vec<Digest>,
        /// The stage entry in the log.
        log: LogProof,
    },
    /// An entry stands in the log.
    Entry(LogProof),
    /// One log begins with another.
    Consistency {
        /// The checkpoint of the shorter one.
        old: Note,
        /// The hashes that lead to both roots.
        path: Vec<Digest>,
        /// The checkpoint of the longer one.
        new: Note,
    },
}

/// What a proof has shown.
#[derive(Debug)]
pub enum Proven {
    /// A row, with the seal of its batch.
    Row {
        /// Which row.
        event: EventId,
        /// The row, alone in its set; empty for a reject.
        rows: Box<Rows>,
        /// The row, when it was rejected.
        reject: Option<Box<Reject>>,
        /// The seal.
        stage: Box<Stage>,
        /// The seal's entry.
        entry: Box<Entry>,
        /// Its position.
        position: Position,
        /// The log that it stands in.
        checkpoint: Checkpoint,
    },
    /// An entry.
    Entry {
        /// The entry.
        entry: Box<Entry>,
        /// Its position.
        position: Position,
        /// The log that it stands in.
        checkpoint: Checkpoint,
    },
    /// Two logs, the second of which begins with the first.
    Consistency {
        /// The shorter one.
        old: Checkpoint,
        /// The longer one.
        new: Checkpoint,
    },
}

impl LogProof {
    fn position(&self) -> Position {
        Position(self.index.saturating_add(1))
    }

    fn entry(&self) -> Result<Entry> {
        let entry = codec::decode_entry(&self.entry);
        entry.map_err(|error| ProofError::malformed(format!("the entry's bytes: {error}")))
    }

    fn text(&self) -> Result<String> {
        let says = says::entry(self.position(), &self.entry()?);
        let mut out = format!("entry {}\nsays {says}\n\n{TLOG_PROOF}", to_base64(&self.entry));
        out += &format!("index {}\n", self.index);
        self.path.iter().for_each(|hash| out += &format!("{}\n", to_base64(&hash.0)));
        Ok(format!("{out}\n{}", self.checkpoint))
    }

    fn check(&self, key: &VerifierKey) -> Result<(Entry, Checkpoint)> {
        let checkpoint = Checkpoint::verified(&self.checkpoint, key)?;
        let (leaf, size) = (Sha256Tree::leaf(&self.entry), checkpoint.size.0);
        let root = root_from_inclusion::<Sha256Tree>(leaf, self.index, size, &self.path);
        if root != Some(checkpoint.root) {
            return Err(ProofError::fails(format!(
                "the entry does not lead to the checkpoint's root as {} of {size}",
                self.position()
            )));
        }
        Ok((self.entry()?, checkpoint))
    }
}

/// The row or reject that canonical bytes hold; bytes of another form are none.
fn event(seq: u32, bytes: &[u8]) -> Result<(Rows, Option<Reject>)> {
    let (mut rows, mut rejects) = (Rows::new(), Vec::new());
    let wrong = || ProofError::malformed("the row's bytes are not an event's canonical bytes");
    canon::read_event(seq, bytes, &mut rows, &mut rejects).map_err(|_| wrong())?;
    Ok((rows, rejects.pop()))
}

impl Proof {
    /// The text of the proof.
    ///
    /// # Errors
    /// Bytes that say nothing.
    pub fn text(&self) -> Result<String> {
        match self {
            Self::Row { event: id, row, path, log } => {
                let (rows, reject) = event(id.seq, row)?;
                let first: Option<Row<'_>> = rows.get(0);
                let says = match (&reject, first) {
                    (Some(reject), _) => says::reject(reject),
                    (None, Some(row)) => says::row(&row),
                    (None, None) => String::new(),
                };
                let mut out = format!("{TITLE}event {id}\nsays {says}\nrow {}\n", to_base64(row));
                path.iter().for_each(|hash| out += &format!("path {}\n", to_base64(&hash.0)));
                Ok(out + &log.text()?)
            }
            Self::Entry(log) => Ok(format!("{TITLE}{}", log.text()?)),
            Self::Consistency { old, path, new } => {
                let size = Checkpoint::unverified(old)?.size.0;
                let mut out = format!("{TITLE}{CONSISTENCY}{old}\nold {size}\n");
                path.iter().for_each(|hash| out += &format!("{}\n", to_base64(&hash.0)));
                Ok(format!("{out}\n{new}"))
            }
        }
    }

    /// Reads a proof; nothing of it is checked but its form.
    ///
    /// # Errors
    /// What is not in its form.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > MOST_BYTES {
            return Err(ProofError::malformed("this is no proof: it is larger than 64 MiB"));
        }
        let body = text.strip_prefix(TITLE);
        let body = body.ok_or_else(|| {
            let known = TITLE.trim_end();
            ProofError::malformed(format!("this is no proof: its first line is not `{known}`"))
        })?;
        let read = match body.strip_prefix(CONSISTENCY) {
            Some(rest) => parse_consistency(rest),
            None => parse_inclusion(body),
        }?;
        // Another spelling of the same, or a `says` that says something else.
        if read.text()? != text {
            let line = read.text()?.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
            return Err(ProofError::fails(format!(
                "line {} does not say what the proof's bytes say",
                line + 1
            )));
        }
        Ok(read)
    }

    /// Checks the proof with nothing but the public key.
    ///
    /// # Errors
    /// [`ProofError::Fails`], which names what does not hold.
    pub fn check(&self, key: &VerifierKey) -> Result<Proven> {
        match self {
            Self::Entry(log) => {
                let (entry, checkpoint) = log.check(key)?;
                Ok(Proven::Entry { entry: Box::new(entry), position: log.position(), checkpoint })
            }
            Self::Row { event: id, row, path, log } => {
                let (entry, checkpoint) = log.check(key)?;
                let EntryKind::Stage(stage) = &entry.kind else {
                    let text = "the entry that should seal the batch is no stage entry";
                    return Err(ProofError::fails(text));
                };
                if stage.batch != id.batch {
                    let text = format!("the entry seals batch {}, not {}", stage.batch, id.batch);
                    return Err(ProofError::fails(text));
                }
                let (leaf, index) = (Blake3Tree::leaf(row), u64::from(id.seq));
                let root = root_from_inclusion::<Blake3Tree>(leaf, index, stage.events, path);
                if root != Some(stage.batch_root) {
                    let text = format!("the row does not lead to the root of its batch as {id}");
                    return Err(ProofError::fails(text));
                }
                let (rows, reject) = event(id.seq, row)?;
                let (event, stage, position) = (*id, stage.clone(), log.position());
                let (entry, rows) = (Box::new(entry), Box::new(rows));
                let reject = reject.map(Box::new);
                Ok(Proven::Row { event, rows, reject, stage, entry, position, checkpoint })
            }
            Self::Consistency { old, path, new } => {
                let old = Checkpoint::verified(old, key)?;
                let new = Checkpoint::verified(new, key)?;
                let ends = ((old.size.0, old.root), (new.size.0, new.root));
                match is_consistent::<Sha256Tree>(ends.0, ends.1, path) {
                    true => Ok(Proven::Consistency { old, new }),
                    false => Err(ProofError::fails(format!(
                        "the log at {} does not begin with the log at {}",
                        new.size, old.size
                    ))),
                }
            }
        }
    }
}

fn cut(what: &str) -> ProofError {
    ProofError::malformed(format!("the proof has no {what}, or in another form"))
}

fn hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Digest>> {
    lines.map(|line| digest_from_base64(line).ok_or_else(|| cut("path of hashes"))).collect()
}

fn parse_consistency(rest: &str) -> Result<Proof> {
    // A note's text has no blank line and its signatures begin with a dash: this is the first.
    let at = rest.find("\n\nold ").ok_or_else(|| cut("line `old`"))?;
    let (old, rest) = rest.split_at(at + 1);
    let (path, new) = rest.trim_start_matches('\n').split_once("\n\n").ok_or_else(|| cut("end"))?;
    let path = hashes(path.lines().skip(1))?;
    Ok(Proof::Consistency { old: Note::parse(old)?, path, new: Note::parse(new)? })
}

fn parse_inclusion(body: &str) -> Result<Proof> {
    let (head, rest) = body.split_once("\n\n").ok_or_else(|| cut("part for the log"))?;
    let (tlog, checkpoint) = rest.split_once("\n\n").ok_or_else(|| cut("checkpoint"))?;
    let mut tlog = tlog.strip_prefix(TLOG_PROOF).ok_or_else(|| cut("tlog-proof"))?.split('\n');
    let index = tlog.next().and_then(|line| line.strip_prefix("index ")?.parse().ok());
    let index = index.filter(|index| *index < u64::MAX).ok_or_else(|| cut("index"))?;
    let (log_path, checkpoint) = (hashes(tlog)?, Note::parse(checkpoint)?);
    let (mut id, mut row, mut entry, mut path) = (None, None, None, Vec::new());
    for line in head.split('\n') {
        let (word, rest) = line.split_once(' ').ok_or_else(|| cut("words"))?;
        match word {
            "event" => id = Some(rest.parse().map_err(|_| cut("event"))?),
            "row" => row = Some(from_base64(rest).ok_or_else(|| cut("row"))?),
            "entry" => entry = Some(from_base64(rest).ok_or_else(|| cut("entry"))?),
            "path" => path.push(digest_from_base64(rest).ok_or_else(|| cut("path of hashes"))?),
            "says" => {}
            _ => return Err(cut("known words")),
        }
    }
    let entry = entry.ok_or_else(|| cut("entry"))?;
    let log = LogProof { entry, index, path: log_path, checkpoint };
    match (id, row) {
        (Some(event), Some(row)) => Ok(Proof::Row { event, row, path, log }),
        (None, None) => Ok(Proof::Entry(log)),
        _ => Err(cut("event or row")),
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
