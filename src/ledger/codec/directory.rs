//! Directories of views: what a view has in each shard, of each symbol, and of a symbol in each
//! period.

use super::super::error::LedgerError;
use super::v1::DirectoryV1;
use super::v2::DirectoryV2;
use super::v3::ShardsV3;
use super::v4::{PeriodsV4, StandsV4};
use super::{Tag, V1, V2, V3, V4, from_bytes, from_bytes_of, leading, to_bytes_of};
use crate::domain::{BatchId, Digest, Position};
use std::collections::BTreeMap;

/// What a directory says of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Assertions stored.
    pub events: u64,
    /// The digest of what is named.
    pub digest: Digest,
}

/// What a symbol's directory says of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedPeriod {
    /// Assertions of it.
    pub events: u64,
    /// How many records are shown when every batch counts, where that follows from the keys alone;
    /// `None` where it does not, and where it was written before this was.
    pub keys: Option<u64>,
    /// Where they stand.
    pub stands: Stands,
}

/// Where the assertions of a period stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// In a chunk of their own, which has this digest.
    Chunk(Digest),
    /// In the log, as they came.
    Log(Blocks),
}

/// One or two blocks of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// The batch.
    pub batch: BatchId,
    /// The number of the first.
    pub first: u32,
    /// The number of the second, if there is one.
    pub second: Option<u32>,
}

/// The periods of a symbol, by the year or the day since 1970.
pub type Periods = BTreeMap<i32, ListedPeriod>;

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

/// Encodes the directory of a symbol in a view.
///
/// # Errors
/// None in practice.
pub fn encode_periods(periods: &Periods) -> Result<Vec<u8>, LedgerError> {
    let entry = |(number, of): (&i32, &ListedPeriod)| {
        let stands = match of.stands {
            Stands::Chunk(digest) => StandsV4::Chunk(digest.0),
            Stands::Log(Blocks { batch, first, second }) => StandsV4::Log(batch.0, first, second),
        };
        (*number, of.events, of.keys, stands)
    };
    let entries = periods.iter().map(entry).collect();
    to_bytes_of(Tag::Directory, V4, &PeriodsV4 { entries })
}

/// Decodes the directory of a symbol in a view, of any version.
///
/// # Errors
/// Bytes that are none; [`LedgerError::Newer`].
pub fn decode_periods(bytes: &[u8]) -> Result<Periods, LedgerError> {
    let what = "a symbol's directory";
    let malformed = || LedgerError::Malformed { what };
    let mut periods = Periods::new();
    let mut take = |number, of| match periods.insert(number, of) {
        None => Ok(()),
        Some(_) => Err(malformed()),
    };
    if bytes.get(1).is_some_and(|version| *version < V3) {
        for (name, events, keys, digest) in named(bytes, what)?.1 {
            let number = name.parse().map_err(|_| malformed())?;
            take(number, ListedPeriod { events, keys, stands: Stands::Chunk(Digest(digest)) })?;
        }
        return Ok(periods);
    }
    let wire: PeriodsV4 = from_bytes_of(Tag::Directory, V4, what, bytes)?;
    for (number, events, keys, stands) in wire.entries {
        let stands = match stands {
            StandsV4::Chunk(digest) => Stands::Chunk(Digest(digest)),
            StandsV4::Log(batch, first, second) => {
                Stands::Log(Blocks { batch: BatchId(batch), first, second })
            }
        };
        take(number, ListedPeriod { events, keys, stands })?;
    }
    Ok(periods)
}

/// Encodes a shard of a view: a directory of symbols.
///
/// # Errors
/// None in practice.
pub fn encode_directory<'a>(
    position: Position,
    entries: impl Iterator<Item = (&'a String, &'a Listed)>,
) -> Result<Vec<u8>, LedgerError> {
    // The fields of `DirectoryV2`, without a copy of each name; only periods told how many keys they had.
    let entries = entries.map(|(name, of)| (name, of.events, None::<u64>, &of.digest.0));
    to_bytes_of(Tag::Directory, V2, &(position.0, entries.collect::<Vec<_>>()))
}

/// Decodes a directory of symbols.
///
/// # Errors
/// Bytes that are none.
pub fn decode_directory(bytes: &[u8]) -> Result<Directory, LedgerError> {
    let (position, entries) = named(bytes, "a view directory")?;
    let listed = |(name, events, _, digest)| (name, Listed { events, digest: Digest(digest) });
    Ok((position, entries.into_iter().map(listed).collect()))
}

/// A line of a directory of the first two versions: name, events, keys, digest.
type Named = (String, u64, Option<u64>, [u8; 32]);

fn named(bytes: &[u8], what: &'static str) -> Result<(Position, Vec<Named>), LedgerError> {
    if bytes.get(1) != Some(&V2) {
        let wire: DirectoryV1 = from_bytes(Tag::Directory, what, bytes)?;
        let line = |(name, events, digest)| (name, events, None, digest);
        return Ok((Position(wire.position), wire.entries.into_iter().map(line).collect()));
    }
    let wire: DirectoryV2 = from_bytes_of(Tag::Directory, V2, what, bytes)?;
    Ok((Position(wire.position), wire.entries))
}

#[cfg(test)]
mod tests {
    use super::super::to_bytes;
    use super::*;

    #[test]
    fn directories_come_back_also_those_of_the_first_version() {
        let digest = Digest([7; 32]);
        let entries = vec![
            ("AAPL".to_owned(), Listed { events: 250, digest }),
            ("MSFT".to_owned(), Listed { events: 4, digest }),
        ];
        let named = |entries: &[(String, Listed)]| {
            let entries = entries.iter().map(|(name, of)| (name, of));
            encode_directory(Position(9), entries).unwrap()
        };
        let bytes = named(&entries);
        // As the struct that is read has it.
        let entry = |(name, of): &(String, Listed)| (name.clone(), of.events, None, of.digest.0);
        let wire = DirectoryV2 { position: 9, entries: entries.iter().map(entry).collect() };
        assert_eq!(bytes, to_bytes_of(Tag::Directory, V2, &wire).unwrap());
        assert_eq!(decode_directory(&bytes).unwrap(), (Position(9), entries));
        let first = DirectoryV1 { position: 3, entries: vec![("AAPL".into(), 5, digest.0)] };
        let old = Listed { events: 5, digest };
        let read = decode_directory(&to_bytes(Tag::Directory, &first).unwrap()).unwrap();
        assert_eq!(read, (Position(3), vec![("AAPL".to_owned(), old)]));
        let mut later = bytes.clone();
        later[1] = 3;
        assert!(matches!(decode_directory(&later), Err(LedgerError::Newer { .. })));
        assert!(decode_directory(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn periods_come_back_and_those_of_directories_before_them_are_read() {
        let digest = Digest([7; 32]);
        let stands = |second| Stands::Log(Blocks { batch: BatchId(70_000), first: 3, second });
        let of = |keys, stands| ListedPeriod { events: 250, keys, stands };
        let periods: Periods = [
            (-5, of(Some(249), Stands::Chunk(digest))),
            (2023, of(Some(250), stands(None))),
            (20_000, of(None, stands(Some(9)))),
        ]
        .into();
        let bytes = encode_periods(&periods).unwrap();
        assert_eq!(decode_periods(&bytes).unwrap(), periods);
        for cut in 0..bytes.len() {
            assert!(decode_periods(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(decode_periods(&[&bytes[..], &[0]].concat()).is_err());
        let mut later = bytes.clone();
        later[1] = 5;
        assert!(matches!(decode_periods(&later), Err(LedgerError::Newer { .. })));
        // What a program knew that came before: it refuses them and reads nothing into them.
        assert!(matches!(decode_directory(&bytes), Err(LedgerError::Newer { .. })));
        let twice = (2023, 1, None, StandsV4::Chunk(digest.0));
        let twice = PeriodsV4 { entries: vec![twice.clone(), twice] };
        assert!(decode_periods(&to_bytes_of(Tag::Directory, V4, &twice).unwrap()).is_err());

        let named = |name: &str, keys| (name.to_owned(), 4, keys, digest.0);
        let second = |entries: &[Named]| {
            let wire = DirectoryV2 { position: 0, entries: entries.to_vec() };
            to_bytes_of(Tag::Directory, V2, &wire).unwrap()
        };
        let read = decode_periods(&second(&[named("-5", None), named("2023", Some(4))])).unwrap();
        let of = |keys| ListedPeriod { events: 4, keys, stands: Stands::Chunk(digest) };
        assert_eq!(read, [(-5, of(None)), (2023, of(Some(4)))].into());
        assert!(decode_periods(&second(&[named("AAPL", None)])).is_err());
        let first = DirectoryV1 { position: 0, entries: vec![("2023".into(), 4, digest.0)] };
        let read = decode_periods(&to_bytes(Tag::Directory, &first).unwrap()).unwrap();
        assert_eq!(read, [(2023, of(None))].into());
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
        let entries = vec![("AAPL".to_owned(), Listed { events: 5, digest })];
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
