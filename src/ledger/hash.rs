//! The only file that names a hash function: BLAKE3 for content, SHA-256 for the log tree.

mod lanes;

pub use lanes::Many;

use crate::domain::Digest;
use sha2::{Digest as _, Sha256};

/// How the leaves and nodes of a Merkle tree are hashed.
pub trait TreeHash {
    /// The hash of a leaf's bytes.
    fn leaf(bytes: &[u8]) -> Digest;
    /// The hash of an inner node.
    fn node(left: &Digest, right: &Digest) -> Digest;
    /// The root of a tree without leaves.
    fn empty() -> Digest;
    /// The root of a complete tree: one whose leaves are a power of two.
    fn complete(leaves: &[Digest]) -> Digest {
        above::<Self>(leaves)
    }
}

/// The root above a level whose nodes are a power of two, one node after the other.
fn above<H: TreeHash + ?Sized>(level: &[Digest]) -> Digest {
    let mut level = level.to_vec();
    while level.len() > 1 {
        level = level.as_chunks().0.iter().map(|[left, right]| H::node(left, right)).collect();
    }
    level.first().map_or_else(H::empty, |root| *root)
}

/// RFC 6962's prefix of a leaf.
pub const LEAF: u8 = 0;
/// RFC 6962's prefix of an inner node.
const NODE: u8 = 1;

/// Batch trees: BLAKE3 with RFC 6962's prefixes.
#[derive(Debug)]
pub struct Blake3Tree;

impl TreeHash for Blake3Tree {
    fn leaf(bytes: &[u8]) -> Digest {
        // One buffer and one call is twice as fast as an incremental hasher for small leaves.
        let mut buffer = [0u8; 256];
        if let Some(room) = buffer.get_mut(1..=bytes.len()) {
            room.copy_from_slice(bytes);
            return content(buffer.get(..=bytes.len()).unwrap_or_default());
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[0]).update(bytes);
        Digest(*hasher.finalize().as_bytes())
    }

    fn node(left: &Digest, right: &Digest) -> Digest {
        let mut buffer = [NODE; 65];
        buffer[1..33].copy_from_slice(&left.0);
        buffer[33..].copy_from_slice(&right.0);
        content(&buffer)
    }

    fn empty() -> Digest {
        content(&[])
    }

    fn complete(leaves: &[Digest]) -> Digest {
        match lanes::tops(leaves) {
            Some(tops) => above::<Self>(&tops),
            None => above::<Self>(leaves),
        }
    }
}

/// The log tree: exactly RFC 6962, SHA-256.
#[derive(Debug)]
pub struct Sha256Tree;

impl TreeHash for Sha256Tree {
    fn leaf(bytes: &[u8]) -> Digest {
        Digest(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
    }

    fn node(left: &Digest, right: &Digest) -> Digest {
        let hasher = Sha256::new().chain_update([1]).chain_update(left.0);
        Digest(hasher.chain_update(right.0).finalize().into())
    }

    fn empty() -> Digest {
        Digest(Sha256::digest([]).into())
    }
}

/// SHA-256 of some bytes: the ids of signing keys.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// The BLAKE3 digest of some bytes: the id of a source, a manifest, a view.
pub fn content(bytes: &[u8]) -> Digest {
    Digest(*blake3::hash(bytes).as_bytes())
}

/// BLAKE3 over a stream of bytes.
#[derive(Debug, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Takes in a text with its length, so that neighbouring texts cannot run together.
    pub fn text(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    /// The digest of everything taken in.
    pub fn finish(&self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_of_any_length_hash_with_their_prefix() {
        for length in [0, 1, 62, 63, 64, 254, 255, 256, 5000] {
            let bytes = vec![7u8; length];
            let mut plain = vec![0u8];
            plain.extend(&bytes);
            assert_eq!(Blake3Tree::leaf(&bytes), content(&plain), "{length}");
        }
        // RFC 6962, section 2.1.1: the empty tree, and the leaf of an empty entry.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256Tree::empty().to_string(), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(Sha256Tree::leaf(&[]).to_string(), leaf);
    }
}
