//! Version 2 of stored layouts that version 1 has no place for. Frozen like it.

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
