//! The bytes on disk: the only files that name `bincode` and `zstd`.
//!
//! A stored value is a tag (what it is), a version, and a body in bincode's standard
//! configuration. Wire structs of a released version are frozen; a later version is added beside
//! them and lifted to today's types in `upcast`.

mod block;
mod chunk;
mod column;
mod columns;
mod directory;
mod erased;
mod lift;
mod manifest;
mod packed;
mod table;
mod upcast;
mod v1;
mod v2;
mod v3;
mod v4;
mod varints;

pub use block::{
    BLOCK_EVENTS, BlockHeader, Codec, decode_block, decode_keys, encode_blocks, encode_erased,
    read_header,
};
pub use chunk::{decode_chunk, encode_chunk, is_earlier_chunk};
pub use directory::{
    Blocks, Directory, Listed, ListedPeriod, ListedShard, Periods, RootEntries, Stands,
    decode_directory, decode_periods, decode_root, decode_root_position, encode_directory,
    encode_periods, encode_root,
};
pub use erased::records_digest;
pub use manifest::{Http, Manifest, ManifestSource, SourceKind, decode_manifest, encode_manifest};
pub use table::{
    TablePart, TableRoot, decode_table, decode_table_root, encode_table, encode_table_root,
};
pub use upcast::{Kept, decode_entry, decode_kept, encode_entry, encode_kept};

use super::error::LedgerError;
use std::cell::RefCell;
use std::ops::RangeInclusive;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};

/// Largest body that is decoded, so that hostile lengths cannot ask for memory.
pub const MAX_BODY: usize = 64 << 20;

/// What a stored value is: its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Block = b'B',
    Entry = b'E',
    Kept = b'K',
    Manifest = b'M',
    Chunk = b'C',
    ItemChunk = b'I',
    Directory = b'D',
    Table = b'T',
    TableRoot = b'R',
}

/// The first version of the stored layouts.
const V1: u8 = 1;
/// The second: manifests of what was fetched, projections, directories and chunks of views.
const V2: u8 = 2;
/// The third: entries about erasures, roots of views.
const V3: u8 = 3;
/// The fourth: directories of a symbol's periods.
const V4: u8 = 4;

fn config() -> Configuration<LittleEndian, Varint, Limit<MAX_BODY>> {
    bincode::config::standard().with_limit::<MAX_BODY>()
}

fn to_bytes<T: bincode::Encode>(tag: Tag, body: &T) -> Result<Vec<u8>, LedgerError> {
    to_bytes_of(tag, V1, body)
}

fn to_bytes_of<T: bincode::Encode>(
    tag: Tag,
    version: u8,
    body: &T,
) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = vec![tag as u8, version];
    bincode::encode_into_std_write(body, &mut bytes, config())
        .map_err(|error| LedgerError::Engine(format!("cannot encode: {error}")))?;
    Ok(bytes)
}

fn from_bytes<T: bincode::Decode<()>>(
    tag: Tag,
    what: &'static str,
    bytes: &[u8],
) -> Result<T, LedgerError> {
    from_bytes_of(tag, V1, what, bytes)
}

fn from_bytes_of<T: bincode::Decode<()>>(
    tag: Tag,
    version: u8,
    what: &'static str,
    bytes: &[u8],
) -> Result<T, LedgerError> {
    let malformed = || LedgerError::Malformed { what };
    match bytes {
        [first, found, body @ ..] if *first == tag as u8 && *found == version => {
            let (value, used) =
                bincode::decode_from_slice(body, config()).map_err(|_| malformed())?;
            if used == body.len() { Ok(value) } else { Err(malformed()) }
        }
        [first, found, ..] if *first == tag as u8 && *found > version => {
            Err(LedgerError::Newer { found: u32::from(*found), known: u32::from(version) })
        }
        _ => Err(malformed()),
    }
}

/// What a value of some versions begins with.
fn leading<T: bincode::Decode<()>>(
    tag: Tag,
    versions: RangeInclusive<u8>,
    what: &'static str,
    bytes: &[u8],
) -> Result<T, LedgerError> {
    let malformed = || LedgerError::Malformed { what };
    match bytes {
        [first, found, body @ ..] if *first == tag as u8 && versions.contains(found) => {
            bincode::decode_from_slice(body, config()).map(|(of, _)| of).map_err(|_| malformed())
        }
        [first, found, ..] if *first == tag as u8 && *found > *versions.end() => Err({
            LedgerError::Newer { found: u32::from(*found), known: u32::from(*versions.end()) }
        }),
        _ => Err(malformed()),
    }
}

thread_local! {
    /// Making a compressor costs more than a small value takes to compress; one of each kind is kept.
    static COMPRESSORS: RefCell<Vec<(Packing, zstd::bulk::Compressor<'static>)>> =
        const { RefCell::new(Vec::new()) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
        const { RefCell::new(None) };
}

/// What is compressed, and with it how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Columns and tables: level 1, the cheapest; higher ones gain little.
    Columns,
    /// Sources: text that repeats what stands a few rows above. Level 1 with a table that remembers
    /// little more than that stays in the processor's nearest cache: 12 to 22 % less time on CSV and JSON
    /// files, and smaller.
    Source,
    /// Sources that begin with few quotes, as CSV does: there a look at fewer places takes 10 to 30 % less
    /// time and finds nearly as much (3 to 5 % larger, prices of minutes 20 %). Of JSON it would leave 10 %
    /// more.
    Numbers,
    /// Bundles, which are sent and kept elsewhere: level 3.
    Bundle,
}

impl Packing {
    fn compressor(self) -> std::io::Result<zstd::bulk::Compressor<'static>> {
        use zstd::zstd_safe::CParameter::{
            HashLog, LiteralCompressionMode, MinMatch, TargetLength,
        };
        use zstd::zstd_safe::ParamSwitch;
        let mut compressor = zstd::bulk::Compressor::new(match self {
            Self::Columns | Self::Source | Self::Numbers => 1,
            Self::Bundle => 3,
        })?;
        if matches!(self, Self::Source | Self::Numbers) {
            compressor.set_parameter(HashLog(10))?;
            compressor.set_parameter(MinMatch(7))?;
        }
        if self == Self::Numbers {
            compressor.set_parameter(TargetLength(4))?;
            // Else what it does not find again would stay as it is.
            compressor.set_parameter(LiteralCompressionMode(ParamSwitch::Enable))?;
        }
        Ok(compressor)
    }

    /// How a source is best packed, by what it begins with.
    fn for_bytes(self, bytes: &[u8]) -> Self {
        let head = bytes.get(..4096).unwrap_or(bytes);
        let quotes = head.iter().filter(|byte| **byte == b'"').count();
        if self == Self::Source && quotes * 32 <= head.len() { Self::Numbers } else { self }
    }
}

/// Compresses with zstd.
pub fn compress(bytes: &[u8], packing: Packing) -> Result<Vec<u8>, LedgerError> {
    let engine = |error: std::io::Error| LedgerError::Engine(error.to_string());
    let packing = packing.for_bytes(bytes);
    COMPRESSORS.with_borrow_mut(|known| {
        if let Some((_, compressor)) = known.iter_mut().find(|(of, _)| *of == packing) {
            return compressor.compress(bytes).map_err(engine);
        }
        let mut compressor = packing.compressor().map_err(engine)?;
        let compressed = compressor.compress(bytes).map_err(engine);
        known.push((packing, compressor));
        compressed
    })
}

/// Reverses [`compress`]; `size` is the exact size expected.
pub fn decompress(bytes: &[u8], size: usize) -> Result<Vec<u8>, LedgerError> {
    let malformed = || LedgerError::Malformed { what: "compressed bytes" };
    if size > MAX_BODY {
        return Err(malformed());
    }
    DECOMPRESSOR.with_borrow_mut(|known| {
        if known.is_none() {
            *known = Some(zstd::bulk::Decompressor::new().map_err(|_| malformed())?);
        }
        match known.as_mut().map(|decompressor| decompressor.decompress(bytes, size)) {
            Some(Ok(raw)) if raw.len() == size => Ok(raw),
            _ => Err(malformed()),
        }
    })
}
