//! The head of the log as C2SP's `tlog-checkpoint`: who speaks, how long, which root.

use super::ProofError;
use crate::domain::{Digest, Position};
use crate::ledger::note::{Note, SigningKey, VerifierKey, digest_from_base64, to_base64};

/// The text of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is: here the name of the key that signs it.
    pub origin: String,
    /// How many entries the log has.
    pub size: Position,
    /// The root over them.
    pub root: Digest,
    /// Further lines of other programs; this one writes none.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Self { origin, size, root, extensions } = self;
        let mut text = format!("{origin}\n{}\n{}\n", size.0, to_base64(&root.0));
        extensions.iter().for_each(|line| text += &format!("{line}\n"));
        text
    }

    /// Reads a text; whose it is, its note says.
    ///
    /// # Errors
    /// What is not in its form.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let wrong = |what: &str| ProofError::malformed(format!("this is no checkpoint: {what}"));
        let mut lines = text.lines();
        let origin = lines.next().unwrap_or_default().to_owned();
        let size = lines.next().and_then(|line| line.parse().ok());
        let size = Position(size.ok_or_else(|| wrong("its second line is no size"))?);
        let root = lines.next().and_then(digest_from_base64);
        let root = root.ok_or_else(|| wrong("its third line is no root"))?;
        let extensions = lines.map(str::to_owned).collect();
        let read = Self { origin, size, root, extensions };
        let empty = read.origin.is_empty() || read.extensions.iter().any(String::is_empty);
        // One text a checkpoint: `+7` and `007` are not sizes.
        match read.text() == text && !empty {
            true => Ok(read),
            false => Err(wrong("its lines have another form")),
        }
    }

    /// Signs it.
    ///
    /// # Errors
    /// A failure of the cryptographic library.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, ProofError> {
        Note::sign(&self.text(), key)
    }

    /// The checkpoint of a note that was signed with this key, and speaks of the key's own log.
    ///
    /// # Errors
    /// [`ProofError::Fails`] for another's signature or log, [`ProofError::Malformed`].
    pub fn verified(note: &Note, key: &VerifierKey) -> Result<Self, ProofError> {
        let read = Self::parse(note.verify(key)?)?;
        if read.origin != key.name() {
            let text =
                format!("the checkpoint is of the log {}, not of {}", read.origin, key.name());
            return Err(ProofError::fails(text));
        }
        Ok(read)
    }

    /// The checkpoint of a note that nobody has checked.
    ///
    /// # Errors
    /// What is not in its form.
    pub fn unverified(note: &Note) -> Result<Self, ProofError> {
        Self::parse(note.unverified())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_one_text_and_another_program_reads_it() {
        let (origin, size) = ("example.com/log".to_owned(), Position(12));
        let checkpoint = Checkpoint { origin, size, root: Digest([5; 32]), extensions: vec![] };
        let text = checkpoint.text();
        assert_eq!(Checkpoint::parse(&text).unwrap(), checkpoint);
        let theirs = tlog_tiles::Checkpoint::from_bytes(format!("{text}\n").as_bytes());
        let theirs = theirs.or_else(|_| tlog_tiles::Checkpoint::from_bytes(text.as_bytes()));
        let theirs = theirs.unwrap();
        assert_eq!((theirs.size(), theirs.hash().0), (12, [5; 32]));
        assert_eq!(theirs.origin(), "example.com/log");
        let root = to_base64(&[5; 32]);
        for wrong in [
            String::new(),
            format!("\n12\n{root}\n"),
            format!("a\n+12\n{root}\n"),
            format!("a\n012\n{root}\n"),
            format!("a\n12\n{root}"),
            format!("a\r\n12\n{root}\n"),
            format!("a\n12\n{root}\n\n"),
            format!("a\n12\n{}\n", root.trim_end_matches('=')),
            format!("a\n99999999999999999999\n{root}\n"),
        ] {
            assert!(Checkpoint::parse(&wrong).is_err(), "{wrong:?}");
        }
        let more = format!("{text}extension\n");
        assert_eq!(Checkpoint::parse(&more).unwrap().extensions, ["extension"]);
    }

    #[test]
    fn a_checkpoint_of_another_log_is_refused_though_signed() {
        let key = SigningKey::generate(Some("one")).unwrap().0;
        let root = Digest([5; 32]);
        let of = |origin: &str| {
            let (origin, size) = (origin.to_owned(), Position(0));
            Checkpoint { origin, size, root, extensions: vec![] }.sign(&key).unwrap()
        };
        assert!(Checkpoint::verified(&of("one"), key.verifier()).is_ok());
        let other = Checkpoint::verified(&of("two"), key.verifier());
        assert!(matches!(other, Err(ProofError::Fails(_))));
    }
}
