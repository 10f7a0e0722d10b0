//! A store in memory: the test double, and the ground for a dry run.

use super::{Pack, Renewal, Result, Store, check_size};
use crate::domain::Digest;
use crate::ledger::codec::Kept;
use std::collections::BTreeMap;

/// Keeps everything in maps; durable as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    blocks: BTreeMap<(u32, u32), Vec<u8>>,
    controls: BTreeMap<u64, Vec<u8>>,
    kept: BTreeMap<Digest, Kept>,
    views: BTreeMap<Vec<u8>, Vec<u8>>,
    pack: Pack,
}

impl MemoryStore {
    /// Takes back where a source is kept.
    pub(in crate::ledger) fn remove_kept(&mut self, digest: &Digest) {
        self.kept.remove(digest);
    }
}

impl Store for MemoryStore {
    fn renew(&mut self, write: &mut Renewal<'_>) -> Result<()> {
        let mut new = Self::default();
        write(self, &mut new)?;
        *self = Self { pack: std::mem::take(&mut self.pack), ..new };
        Ok(())
    }

    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Result<()> {
        check_size(bytes)?;
        self.blocks.insert((batch, index), bytes.to_vec());
        Ok(())
    }

    fn block(&self, batch: u32, index: u32) -> Result<Option<Vec<u8>>> {
        Ok(self.blocks.get(&(batch, index)).cloned())
    }

    fn sweep_blocks(&mut self, batch: u32) -> Result<u64> {
        Ok(self.blocks.split_off(&(batch, 0)).len() as u64)
    }

    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        check_size(bytes)?;
        self.controls.insert(position, bytes.to_vec());
        Ok(())
    }

    fn remove_control(&mut self, position: u64) -> Result<()> {
        self.controls.remove(&position);
        Ok(())
    }

    fn controls(&self) -> Result<Vec<(u64, Vec<u8>)>> {
        Ok(self.controls.iter().map(|(position, bytes)| (*position, bytes.clone())).collect())
    }

    fn kept(&self, digest: &Digest) -> Result<Option<Kept>> {
        Ok(self.kept.get(digest).cloned())
    }

    fn all_kept(&self) -> Result<Vec<(Digest, Kept)>> {
        Ok(self.kept.iter().map(|(digest, kept)| (*digest, kept.clone())).collect())
    }

    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Result<()> {
        self.kept.insert(*digest, kept.clone());
        Ok(())
    }

    fn pack(&mut self) -> &mut Pack {
        &mut self.pack
    }

    fn pack_reader(&self) -> &Pack {
        &self.pack
    }

    fn view(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.views.get(key).cloned())
    }

    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Result<bool> {
        check_size(bytes)?;
        Ok(self.views.insert(key.to_vec(), bytes.to_vec()).is_some())
    }

    fn remove_view(&mut self, key: &[u8]) -> Result<()> {
        self.views.remove(key);
        Ok(())
    }

    fn view_keys(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
        let from = self.views.range(prefix.to_vec()..);
        let keys = from.map(|(key, _)| key.clone());
        Ok(keys.take_while(|key| key.starts_with(prefix)).collect())
    }

    fn barrier(&mut self) -> Result<()> {
        Ok(())
    }

    fn flush_views(&mut self) -> Result<()> {
        Ok(())
    }

    fn scrub(&self) -> Result<u64> {
        Ok((self.blocks.len() + self.controls.len() + self.views.len()) as u64)
    }
}
