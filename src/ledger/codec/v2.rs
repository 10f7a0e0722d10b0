//! Later versions of stored layouts that version 1 has no place for. Frozen like it.

use bincode::{Decode, Encode};

/// A control entry about a projection.
#[derive(Encode, Decode)]
pub struct EntryV2 {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Who recorded it.
    pub actor: String,
    /// The program's version.
    pub tool: String,
    /// The projection's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// 1 added, 2 promoted, 3 dropped.
    pub step: u8,
    /// The query, of one that was added.
    pub definition: Option<String>,
}

/// The symbols of a view, or the years of a symbol, with the digests of what they name.
#[derive(Encode, Decode)]
pub struct DirectoryV2 {
    /// Position of the log that the view has taken in (of the root directory).
    pub position: u64,
    /// Name, events, records shown when every batch counts (where known), digest of the value named.
    pub entries: Vec<(String, u64, Option<u64>, [u8; 32])>,
}

/// The shards of a view, each a directory of symbols: version 3 of a root.
#[derive(Encode, Decode)]
pub struct ShardsV3 {
    /// Position of the log that the view has taken in.
    pub position: u64,
    /// The name from which on its symbols are, their events, how many they are, digest of the shard.
    pub shards: Vec<(String, u64, u64, [u8; 32])>,
}
