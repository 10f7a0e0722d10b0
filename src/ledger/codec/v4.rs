//! Version 4 of the stored layouts that have one. Frozen like version 1.

use bincode::{Decode, Encode};

/// The directory of a symbol in a view.
#[derive(Encode, Decode)]
pub struct PeriodsV4 {
    /// Year or day since 1970, events, records shown when every batch counts (where known), and where
    /// the events stand.
    pub entries: Vec<(i32, u64, Option<u64>, StandsV4)>,
}

/// Where the events of a period stand.
#[derive(Clone, Encode, Decode)]
pub enum StandsV4 {
    /// In a chunk: its digest.
    Chunk([u8; 32]),
    /// In the log: a batch, the number of a block of it, and of a second one.
    Log(u32, u32, Option<u32>),
}
