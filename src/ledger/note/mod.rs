//! Signed notes: a text and lines of signatures, as C2SP's `signed-note` says, with ed25519.
//!
//! The only folder that names the crates for ed25519 and base64. The secret part of a key is a
//! type that is never printed.

mod key;

pub use key::{SigningKey, VerifierKey};

use super::proof::ProofError;
use crate::domain::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

type Result<T> = std::result::Result<T, ProofError>;

/// Most signature lines of a note; the specification asks for 16 at least.
const MOST_SIGNATURES: usize = 100;

/// Largest note that is read, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Bytes as base64 of RFC 4648, section 4.
pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64 in its only form: padded, without stray bits.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (to_base64(&bytes) == text).then_some(bytes)
}

/// Reads a hash as base64.
pub fn digest_from_base64(text: &str) -> Option<Digest> {
    Some(Digest(from_base64(text)?.try_into().ok()?))
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

/// A text with signatures. Nothing of it may be believed before [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// A text, which ends with a line feed, signed with a key.
    ///
    /// # Errors
    /// A text that a note cannot hold; a failure of the cryptographic library.
    pub fn sign(text: &str, key: &SigningKey) -> Result<Self> {
        let (name, id) = (key.verifier().name().to_owned(), key.verifier().id());
        let bytes = key.signature(text)?;
        let note = Self { text: text.to_owned(), signatures: vec![Signature { name, id, bytes }] };
        // What cannot be read back is not given away.
        match Self::parse(&note.to_string())? == note {
            true => Ok(note),
            false => Err(ProofError::malformed("this text cannot be signed as a note")),
        }
    }

    /// Reads a note; its signatures are not checked.
    ///
    /// # Errors
    /// What is not in its form.
    pub fn parse(whole: &str) -> Result<Self> {
        let wrong = |what: &str| ProofError::malformed(format!("this is no signed note: {what}"));
        if whole.len() > MOST_BYTES {
            return Err(wrong("it is larger than 1 MiB"));
        }
        if whole.chars().any(|c| c.is_ascii_control() && c != '\n') {
            return Err(wrong("it has control characters"));
        }
        let split = whole.rfind("\n\n").ok_or_else(|| wrong("it has no signature lines"))?;
        let (text, rest) = whole.split_at(split + 1);
        let lines = rest.strip_prefix('\n').and_then(|rest| rest.strip_suffix('\n'));
        let lines = lines.ok_or_else(|| wrong("its last line has no end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            let parts = line.strip_prefix(DASH).and_then(|line| line.split_once(' '));
            let (name, code) = parts.ok_or_else(|| wrong("a signature line has another form"))?;
            let bytes = from_base64(code).filter(|bytes| bytes.len() > 4);
            let bytes = bytes.ok_or_else(|| wrong("a signature is no base64"))?;
            let (id, bytes) = bytes.split_first_chunk().ok_or_else(|| wrong("no signature"))?;
            if !key::is_name(name) {
                return Err(wrong("a signature's name is none"));
            }
            let (name, id, bytes) = (name.to_owned(), *id, bytes.to_vec());
            signatures.push(Signature { name, id, bytes });
        }
        if signatures.is_empty() || signatures.len() > MOST_SIGNATURES {
            return Err(wrong("it has no signature, or more than 100"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Checks that the text was signed with a key. Signatures of other keys are passed over.
    ///
    /// # Errors
    /// [`ProofError::Fails`] when there is no signature of this key, or one is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str> {
        let named = |s: &&Signature| s.name == key.name() && s.id == key.id();
        let mut mine = self.signatures.iter().filter(named).peekable();
        if mine.peek().is_none() {
            let names: Vec<_> = self.signatures.iter().map(|s| s.name.as_str()).collect();
            let names = names.join(", ");
            let text = format!("it is signed by {names}, and not with the key of {}", key.name());
            return Err(ProofError::fails(text));
        }
        match mine.all(|signature| key.accepts(&self.text, &signature.bytes)) {
            true => Ok(&self.text),
            false => {
                let text = format!("the signature of {} does not fit the text", key.name());
                Err(ProofError::fails(text))
            }
        }
    }

    /// Whether it says that it is signed with a key; not whether it is.
    pub fn names(&self, key: &VerifierKey) -> bool {
        self.signatures.iter().any(|one| one.name == key.name() && one.id == key.id())
    }

    /// The text, which nobody has checked.
    pub fn unverified(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|Signature { name, id, bytes }| {
            writeln!(f, "{DASH}{name} {}", to_base64(&[id, bytes.as_slice()].concat()))
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
