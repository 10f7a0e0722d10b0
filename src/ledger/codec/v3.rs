//! Version 3 of the stored layouts that have one. Frozen like version 1.

use bincode::{Decode, Encode};

/// A control entry about an erasure.
#[derive(Encode, Decode)]
pub struct EntryV3 {
    /// Milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Who erased.
    pub actor: String,
    /// The program's version.
    pub tool: String,
    /// Why.
    pub reason: String,
    /// Batch, events, digest of what is kept of them.
    pub parts: Vec<(u32, u64, [u8; 32])>,
}

/// The shards of a view, each a directory of symbols: version 3 of a root.
#[derive(Encode, Decode)]
pub struct ShardsV3 {
    /// Position of the log that the view has taken in.
    pub position: u64,
    /// The name from which on its symbols are, their events, how many they are, digest of the shard.
    pub shards: Vec<(String, u64, u64, [u8; 32])>,
}
