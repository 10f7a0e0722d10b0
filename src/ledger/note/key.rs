//! Keys of notes, in the text forms that Go's `sumdb/note` began with.

use super::{Result, from_base64, to_base64};
use crate::ledger::hash::sha256;
use crate::ledger::proof::ProofError;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// The type byte of ed25519 before a key's bytes.
const ED25519_TYPE: u8 = 1;

/// What the text of a secret key begins with.
const PRIVATE: &str = "PRIVATE+KEY+";

/// Longest name of a key, in bytes.
const MOST_NAME: usize = 200;

/// Whether a key may have this name: not empty, neither spaces nor `+` nor control characters.
pub(super) fn is_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    !name.is_empty() && name.len() <= MOST_NAME && name.chars().all(allowed)
}

/// A public key with its name: `name+hash+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256 over name, line feed, type and key.
    pub fn id(&self) -> [u8; 4] {
        let typed = [&[ED25519_TYPE], self.public.as_slice()].concat();
        let all = sha256(&[self.name.as_bytes(), b"\n", &typed].concat()).0;
        [all[0], all[1], all[2], all[3]]
    }

    /// Reads `name+hash+base64`.
    ///
    /// # Errors
    /// [`ProofError::Malformed`]; also when the hash is not that of the name and the key.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| ProofError::malformed(format!("this is no verifier key: {why}"));
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(code)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong("it has another form than name+hash+base64"));
        };
        if !is_name(name) {
            return Err(wrong("its name is none"));
        }
        let bytes = from_base64(code).ok_or_else(|| wrong("its last part is no base64"))?;
        let public = match bytes.split_first() {
            Some((&ED25519_TYPE, public)) => public.try_into().ok(),
            _ => None,
        };
        let public = public.ok_or_else(|| wrong("it is not of ed25519"))?;
        let key = Self { name: name.to_owned(), public };
        match hash == hex(key.id()) {
            true => Ok(key),
            false => Err(wrong("its hash does not fit its name and bytes")),
        }
    }

    pub(super) fn accepts(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519_TYPE], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id()), to_base64(&typed))
    }
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// A key that signs. Nothing prints its secret; [`SigningKey::generate`] gives it once.
pub struct SigningKey {
    verifier: VerifierKey,
    pair: Ed25519KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verifier.name)
    }
}

impl SigningKey {
    /// A new key from the system's randomness, and the text to keep it in. The name is made from
    /// the public key where none is given.
    ///
    /// # Errors
    /// A name that cannot be one; a system without randomness.
    pub fn generate(name: Option<&str>) -> Result<(Self, SecretString)> {
        let mut seed = [0u8; 32];
        let random = aws_lc_rs::rand::fill(&mut seed);
        let made = random.map_err(|_| no_crypto()).and_then(|()| Self::of_seed(name, &seed));
        let text = made.map(|key| {
            let mut typed = [[ED25519_TYPE].as_slice(), &seed].concat();
            let mut code = to_base64(&typed);
            let verifier = &key.verifier;
            let text = format!("{PRIVATE}{}+{}+{code}", verifier.name, hex(verifier.id()));
            typed.zeroize();
            code.zeroize();
            (key, SecretString::from(text))
        });
        seed.zeroize();
        text
    }

    /// Reads the text of a secret key.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], which never repeats what it read.
    pub fn parse(text: &SecretString) -> Result<Self> {
        let wrong = || ProofError::malformed("this is no signing key of ed25519");
        let rest = text.expose_secret().trim_end().strip_prefix(PRIVATE).ok_or_else(wrong)?;
        let mut parts = rest.splitn(3, '+');
        let (Some(name), Some(hash), Some(code)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let mut typed = from_base64(code).ok_or_else(wrong)?;
        let key = match typed.split_first() {
            Some((&ED25519_TYPE, seed)) if is_name(name) => Self::of_seed(Some(name), seed),
            _ => Err(wrong()),
        };
        typed.zeroize();
        let key = key.map_err(|_| wrong())?;
        if hash == hex(key.verifier.id()) { Ok(key) } else { Err(wrong()) }
    }

    fn of_seed(name: Option<&str>, seed: &[u8]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| no_crypto())?;
        let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| no_crypto())?;
        let name = match name {
            Some(name) => name.to_owned(),
            None => {
                let [a, b, c, d, ..] = sha256(&public).0;
                format!("volledger-{}", hex([a, b, c, d]))
            }
        };
        if !is_name(&name) {
            let text = "a key's name has neither spaces nor `+` nor control characters, and at \
                        most 200 bytes";
            return Err(ProofError::malformed(text));
        }
        Ok(Self { verifier: VerifierKey { name, public }, pair })
    }

    /// The public part.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(super) fn signature(&self, text: &str) -> Result<Vec<u8>> {
        let signature = self.pair.try_sign(text.as_bytes()).map_err(|_| no_crypto())?;
        Ok(signature.as_ref().to_vec())
    }
}

fn no_crypto() -> ProofError {
    ProofError::fails("the cryptographic library failed")
}
