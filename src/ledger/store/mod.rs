//! The narrow door to storage: what the ledger needs of an engine, and no more.
//!
//! Three implementations: [`SledStore`], the real one; [`MemoryStore`], the test double that
//! also holds a dry run; and in `recover/salvage.rs` what is read of a hurt ledger, whichever place has
//! it. Segment files (`bundle.rs`) carry the same bytes out and back.

mod memory;
mod pack;
mod sled;

pub use self::sled::SledStore;
pub use memory::MemoryStore;
pub(in crate::ledger) use pack::FOLDER as PACKS;
pub use pack::{Pack, PackReader};

use super::codec::Kept;
use super::error::LedgerError;
use crate::domain::Digest;

/// Largest value handed to the engine. sled moves a node (up to 17 values) of more than a quarter
/// of its 2 MiB segment into a file that it never syncs: 17 × 30 KiB stays below that. Larger segments
/// would allow larger values, but leave more of a small ledger empty (measured: 3.4 bytes on disk for
/// each byte stored with 8 MiB, 2.0 with 2 MiB, at 1 M rows).
pub const MAX_VALUE: usize = 30 << 10;

type Result<T> = std::result::Result<T, LedgerError>;

/// Takes over from the old store into the new one what is to stay.
pub type Renewal<'a> = dyn FnMut(&dyn Store, &mut dyn Store) -> Result<()> + 'a;

/// What the ledger asks of a storage engine. One writer at a time.
pub trait Store: Send + Sync {
    /// Keeps a block of a batch that is being staged.
    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Result<()>;
    /// A block.
    fn block(&self, batch: u32, index: u32) -> Result<Option<Vec<u8>>>;
    /// Removes the blocks of `batch` and of all later ones: what an unfinished staging left.
    fn sweep_blocks(&mut self, batch: u32) -> Result<u64>;
    /// Keeps the control entry that leads to `position`.
    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Result<()>;
    /// Removes a control entry that was never acknowledged.
    fn remove_control(&mut self, position: u64) -> Result<()>;
    /// All control entries, by position.
    fn controls(&self) -> Result<Vec<(u64, Vec<u8>)>>;
    /// Where a source is kept.
    fn kept(&self, digest: &Digest) -> Result<Option<Kept>>;
    /// All sources, by digest.
    fn all_kept(&self) -> Result<Vec<(Digest, Kept)>>;
    /// Notes where a source is kept.
    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Result<()>;
    /// The pack that sources are appended to.
    fn pack(&mut self) -> &mut Pack;
    /// A reader over the packs.
    fn pack_reader(&self) -> &Pack;
    /// A value of the views, which can all be rebuilt.
    fn view(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Keeps a value of the views; says whether one stood there.
    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Result<bool>;
    /// Removes a value of the views.
    fn remove_view(&mut self, key: &[u8]) -> Result<()>;
    /// The keys of the views that start with `prefix`.
    fn view_keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>>;
    /// Makes everything written so far durable: sources and the engine's data.
    fn barrier(&mut self) -> Result<()>;
    /// Writes out the views without waiting for the disk; little of them may wait for the next
    /// barrier.
    fn flush_views(&mut self) -> Result<()>;
    /// Whether everything can be written anew, as far as that can be known before.
    ///
    /// # Errors
    /// A place where it cannot.
    fn renewable(&self) -> Result<()> {
        Ok(())
    }
    /// Writes everything anew: `write` takes over what is to stay from this store into an empty one,
    /// which then takes its place at once. Nothing else stays in the engine's files.
    ///
    /// # Errors
    /// A store that cannot be renewed; then nothing is changed.
    fn renew(&mut self, write: &mut Renewal<'_>) -> Result<()> {
        let _ = write;
        Err(LedgerError::Engine("this store cannot be written anew".to_owned()))
    }
    /// Reads everything that the engine stores, so that hidden damage comes to light.
    fn scrub(&self) -> Result<u64>;
}

/// Refuses values that the engine would not keep safely.
pub(in crate::ledger) fn check_size(bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_VALUE { Err(LedgerError::TooLarge { size: bytes.len() }) } else { Ok(()) }
}
