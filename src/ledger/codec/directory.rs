//! Directories of views: what a view stores in each shard, of each symbol, and of a symbol in each
//! period.

use super::super::error::LedgerError;
use super::v1::DirectoryV1;
use super::v2::DirectoryV2;
use super::v3::ShardsV3;
use super::{Tag, V1, V2, V3, from_bytes, from_bytes_of, leading, to_bytes_of};
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

/// What a root says of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedShard {
    /// Its symbols are not below this name, and below that of the next shard.
    pub from: String,
    /// Assertions stored of its symbols.
    pub events: u64,
    /// How many symbols it has.
    pub symbols: u64,
    /// The digest of the shard.
    pub digest: Digest,
}

/// What a root names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootEntries {
    /// Shards of symbols.
    Shards(Vec<ListedShard>),
    /// Symbols, as roots did before there were shards.
    Symbols(Vec<(String, Listed)>),
}

/// Encodes the root of a view.
///
/// # Errors
/// None in practice.
pub fn encode_root<'a>(
    position: Position,
    shards: impl Iterator<Item = &'a ListedShard>,
) -> Result<Vec<u8>, LedgerError> {
    // The fields of `ShardsV3`, without a copy of each name.
    let shards = shards.map(|of| (&of.from, of.events, of.symbols, &of.digest.0));
    to_bytes_of(Tag::Directory, V3, &(position.0, shards.collect::<Vec<_>>()))
}

/// Decodes the root of a view, of any version.
///
/// # Errors
/// Bytes that are none; [`LedgerError::Newer`].
pub fn decode_root(bytes: &[u8]) -> Result<(Position, RootEntries), LedgerError> {
    if bytes.get(1).is_none_or(|version| *version < V3) {
        let (position, symbols) = decode_directory(bytes)?;
        return Ok((position, RootEntries::Symbols(symbols)));
    }
    let wire: ShardsV3 = from_bytes_of(Tag::Directory, V3, ROOT, bytes)?;
    let listed = |(from, events, symbols, digest)| ListedShard {
        from,
        events,
        symbols,
        digest: Digest(digest),
    };
    let shards = wire.shards.into_iter().map(listed).collect();
    Ok((Position(wire.position), RootEntries::Shards(shards)))
}

/// The position of a root of any version, without what it names.
///
/// # Errors
/// As [`decode_root`], of the root's beginning.
pub fn decode_root_position(bytes: &[u8]) -> Result<Position, LedgerError> {
    leading(Tag::Directory, V1..=V3, ROOT, bytes).map(Position)
}

const ROOT: &str = "the root of a view";

/// Encodes a directory of a view: a shard's, or a symbol's.
///
/// # Errors
/// None in practice.
pub fn encode_directory<'a>(
    position: Position,
    entries: impl Iterator<Item = (&'a String, &'a Listed)>,
) -> Result<Vec<u8>, LedgerError> {
    // The fields of `DirectoryV2`, without a copy of each name.
    let entries = entries.map(|(name, of)| (name, of.events, of.keys, &of.digest.0));
    to_bytes_of(Tag::Directory, V2, &(position.0, entries.collect::<Vec<_>>()))
}

/// Decodes a directory of a view that is none of shards.
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
        let named = |entries: &[(String, Listed)]| {
            let entries = entries.iter().map(|(name, of)| (name, of));
            encode_directory(Position(9), entries).unwrap()
        };
        let bytes = named(&entries);
        // As the struct that is read has it.
        let entry = |(name, of): &(String, Listed)| (name.clone(), of.events, of.keys, of.digest.0);
        let wire = DirectoryV2 { position: 9, entries: entries.iter().map(entry).collect() };
        assert_eq!(bytes, to_bytes_of(Tag::Directory, V2, &wire).unwrap());
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

    #[test]
    fn roots_of_each_version_come_back_with_their_position() {
        let digest = Digest([7; 32]);
        let of = |from: &str| ListedShard { from: from.into(), events: 9, symbols: 2, digest };
        let shards = vec![of(""), of("MSFT")];
        let bytes = encode_root(Position(70_000), shards.iter()).unwrap();
        let shard = |of: &ListedShard| (of.from.clone(), of.events, of.symbols, of.digest.0);
        let wire = ShardsV3 { position: 70_000, shards: shards.iter().map(shard).collect() };
        assert_eq!(bytes, to_bytes_of(Tag::Directory, V3, &wire).unwrap());
        let read = decode_root(&bytes).unwrap();
        assert_eq!(read, (Position(70_000), RootEntries::Shards(shards)));
        let entries = vec![("AAPL".to_owned(), Listed { events: 5, keys: None, digest })];
        let named = entries.iter().map(|(name, of)| (name, of));
        let second = encode_directory(Position(70_000), named).unwrap();
        let first = DirectoryV1 { position: 70_000, entries: vec![("AAPL".into(), 5, digest.0)] };
        let first = to_bytes(Tag::Directory, &first).unwrap();
        for old in [&first, &second] {
            let symbols = RootEntries::Symbols(entries.clone());
            assert_eq!(decode_root(old).unwrap(), (Position(70_000), symbols));
        }
        for bytes in [&first, &second, &bytes] {
            assert_eq!(decode_root_position(bytes).unwrap(), Position(70_000));
            assert!(decode_root(&bytes[..bytes.len() - 1]).is_err());
            assert!(decode_root_position(&bytes[..4]).is_err(), "torn in the position");
            assert!(decode_root_position(b"").is_err());
            let mut later = bytes.clone();
            later[1] = 4;
            assert!(matches!(decode_root(&later), Err(LedgerError::Newer { .. })));
            assert!(matches!(decode_root_position(&later), Err(LedgerError::Newer { .. })));
            later[..2].copy_from_slice(&[b'M', 2]);
            assert!(decode_root_position(&later).is_err(), "something else");
        }
        // What a program knew that came before shards: it refuses them and reads nothing into them.
        assert!(matches!(decode_directory(&bytes), Err(LedgerError::Newer { .. })));
    }
}
