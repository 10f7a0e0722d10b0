//! Directories of views: what a view stores of each symbol, and of a symbol in each period.

use super::super::error::LedgerError;
use super::v1::DirectoryV1;
use super::v2::DirectoryV2;
use super::{Tag, V2, from_bytes, from_bytes_of, to_bytes_of};
use crate::domain::{Digest, Position};

/// What a directory says of a symbol or a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Assertions stored.
    pub events: u64,
    /// How many records are shown when every batch counts, where that follows from the keys alone;
    /// `None` where it does not, and where it was written before this was.
    pub keys: Option<u64>,
    /// The digest of what is named.
    pub digest: Digest,
}

/// A directory's position and its entries by name.
pub type Directory = (Position, Vec<(String, Listed)>);

/// Encodes a directory of a view.
///
/// # Errors
/// None in practice.
pub fn encode_directory(
    position: Position,
    entries: impl Iterator<Item = (String, Listed)>,
) -> Result<Vec<u8>, LedgerError> {
    let entries = entries.map(|(name, of)| (name, of.events, of.keys, of.digest.0)).collect();
    to_bytes_of(Tag::Directory, V2, &DirectoryV2 { position: position.0, entries })
}

/// Decodes a directory of a view.
///
/// # Errors
/// Bytes that are none.
pub fn decode_directory(bytes: &[u8]) -> Result<Directory, LedgerError> {
    let what = "a view directory";
    if bytes.get(1) != Some(&V2) {
        let wire: DirectoryV1 = from_bytes(Tag::Directory, what, bytes)?;
        let listed =
            |(name, events, digest)| (name, Listed { events, keys: None, digest: Digest(digest) });
        return Ok((Position(wire.position), wire.entries.into_iter().map(listed).collect()));
    }
    let wire: DirectoryV2 = from_bytes_of(Tag::Directory, V2, what, bytes)?;
    let listed =
        |(name, events, keys, digest)| (name, Listed { events, keys, digest: Digest(digest) });
    Ok((Position(wire.position), wire.entries.into_iter().map(listed).collect()))
}

#[cfg(test)]
mod tests {
    use super::super::to_bytes;
    use super::*;

    #[test]
    fn directories_come_back_also_those_of_the_first_version() {
        let digest = Digest([7; 32]);
        let entries = vec![
            ("2023".to_owned(), Listed { events: 250, keys: Some(249), digest }),
            ("2024".to_owned(), Listed { events: 4, keys: None, digest }),
        ];
        let bytes = encode_directory(Position(9), entries.clone().into_iter()).unwrap();
        assert_eq!(decode_directory(&bytes).unwrap(), (Position(9), entries));
        let first = DirectoryV1 { position: 3, entries: vec![("AAPL".into(), 5, digest.0)] };
        let old = Listed { events: 5, keys: None, digest };
        let read = decode_directory(&to_bytes(Tag::Directory, &first).unwrap()).unwrap();
        assert_eq!(read, (Position(3), vec![("AAPL".to_owned(), old)]));
        let mut later = bytes.clone();
        later[1] = 3;
        assert!(matches!(decode_directory(&later), Err(LedgerError::Newer { .. })));
        assert!(decode_directory(&bytes[..bytes.len() - 1]).is_err());
    }
}
