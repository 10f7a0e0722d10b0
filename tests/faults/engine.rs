//! An engine on the simulated disk: a log of puts and removals, as much of which counts as can be
//! read from its beginning. It keeps the same rules as the one around sled.

use super::disk::Disk;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use volledger::app::LedgerError;
use volledger::domain::Digest;
use volledger::ledger::codec::{Kept, decode_kept, encode_kept};
use volledger::ledger::files::Files;
use volledger::ledger::hash::content;
use volledger::ledger::store::{Pack, Store};

type Done<T> = Result<T, LedgerError>;

const LOG: &str = "engine/log";

pub struct Engine {
    disk: Disk,
    pack: Pack,
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    end: u64,
    poisoned: bool,
}

fn lost(error: io::Error) -> LedgerError {
    LedgerError::damaged(format!("the engine: {error}"))
}

fn key(tree: u8, key: &[u8]) -> Vec<u8> {
    [&[tree], key].concat()
}

fn block_key(batch: u32, index: u32) -> Vec<u8> {
    [&batch.to_be_bytes()[..], &index.to_be_bytes()].concat()
}

impl Engine {
    pub fn open(disk: &Disk) -> Done<Self> {
        let pack = Pack::on(Arc::new(disk.clone()))?;
        let mut bytes = Vec::new();
        match disk.read_from(LOG, 0).and_then(|mut log| log.read_to_end(&mut bytes)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(lost(error)),
            _ => {}
        }
        let (mut values, mut rest) = (BTreeMap::new(), bytes.as_slice());
        while let Some((record, next)) = record(rest) {
            rest = next;
            match record {
                (key, Some(value)) => values.insert(key, value),
                (key, None) => values.remove(&key),
            };
        }
        let end = (bytes.len() - rest.len()) as u64;
        if !rest.is_empty() {
            disk.cut(LOG, end).map_err(lost)?;
        }
        Ok(Self { disk: disk.clone(), pack, values, end, poisoned: false })
    }

    fn write(&mut self, key: Vec<u8>, value: Option<&[u8]>) -> Done<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let mut body = vec![u8::from(value.is_some())];
        body.extend((key.len() as u32).to_le_bytes());
        body.extend(&key);
        body.extend(value.unwrap_or_default());
        let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
        bytes.extend(content(&body).0);
        bytes.extend(body);
        let wrote = self.disk.write_at(LOG, self.end, &bytes);
        self.poisoned |= wrote.is_err();
        wrote.map_err(|error| LedgerError::write("the ledger", error))?;
        self.end += bytes.len() as u64;
        match value {
            Some(value) => self.values.insert(key, value.to_vec()),
            None => self.values.remove(&key),
        };
        Ok(())
    }

    fn keys(&self, from: Vec<u8>, tree: u8) -> Vec<Vec<u8>> {
        let keys = self.values.range(from..).map(|(key, _)| key.clone());
        keys.take_while(|key| key[0] == tree).collect()
    }
}

type Record = (Vec<u8>, Option<Vec<u8>>);

fn record(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    if content(body) != Digest(*digest) {
        return None;
    }
    let (put, body) = body.split_first()?;
    let (size, body) = body.split_first_chunk::<4>()?;
    let (key, value) = body.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    Some(((key.to_vec(), (*put == 1).then(|| value.to_vec())), rest))
}

impl Store for Engine {
    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Done<()> {
        self.write(key(b'b', &block_key(batch, index)), Some(bytes))
    }
    fn block(&self, batch: u32, index: u32) -> Done<Option<Vec<u8>>> {
        Ok(self.values.get(&key(b'b', &block_key(batch, index))).cloned())
    }
    fn sweep_blocks(&mut self, batch: u32) -> Done<u64> {
        let keys = self.keys(key(b'b', &block_key(batch, 0)), b'b');
        for key in &keys {
            self.write(key.clone(), None)?;
        }
        Ok(keys.len() as u64)
    }
    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Done<()> {
        self.write(key(b'c', &position.to_be_bytes()), Some(bytes))
    }
    fn remove_control(&mut self, position: u64) -> Done<()> {
        self.write(key(b'c', &position.to_be_bytes()), None)
    }
    fn controls(&self) -> Done<Vec<(u64, Vec<u8>)>> {
        let keys = self.keys(vec![b'c'], b'c').into_iter();
        let number = |key: &[u8]| u64::from_be_bytes(key[1..].try_into().unwrap());
        Ok(keys.map(|key| (number(&key), self.values[&key].clone())).collect())
    }
    fn kept(&self, digest: &Digest) -> Done<Option<Kept>> {
        self.values.get(&key(b'k', &digest.0)).map(|bytes| decode_kept(bytes)).transpose()
    }
    fn all_kept(&self) -> Done<Vec<(Digest, Kept)>> {
        let keys = self.keys(vec![b'k'], b'k').into_iter();
        keys.map(|key| Ok((Digest(key[1..].try_into().unwrap()), decode_kept(&self.values[&key])?)))
            .collect()
    }
    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Done<()> {
        self.write(key(b'k', &digest.0), Some(&encode_kept(kept)?))
    }
    fn pack(&mut self) -> &mut Pack {
        &mut self.pack
    }
    fn pack_reader(&self) -> &Pack {
        &self.pack
    }
    fn view(&self, name: &[u8]) -> Done<Option<Vec<u8>>> {
        Ok(self.values.get(&key(b'v', name)).cloned())
    }
    fn put_view(&mut self, name: &[u8], bytes: &[u8]) -> Done<bool> {
        let key = key(b'v', name);
        let was = self.values.contains_key(&key);
        self.write(key, Some(bytes)).map(|()| was)
    }
    fn remove_view(&mut self, name: &[u8]) -> Done<()> {
        self.write(key(b'v', name), None)
    }
    fn view_keys(&self, prefix: &[u8]) -> Done<Vec<Vec<u8>>> {
        let from = key(b'v', prefix);
        let keys = self.values.range(from.clone()..).map(|(key, _)| key);
        Ok(keys.take_while(|key| key.starts_with(&from)).map(|key| key[1..].to_vec()).collect())
    }
    fn barrier(&mut self) -> Done<()> {
        if self.poisoned {
            return Err(LedgerError::Poisoned);
        }
        let done = self.pack.sync().and_then(|()| {
            let synced = if self.end == 0 { Ok(()) } else { self.disk.sync(LOG) };
            synced.map_err(|error| LedgerError::write("the ledger", error))
        });
        self.poisoned |= done.is_err();
        done
    }
    fn flush_views(&mut self) -> Done<()> {
        Ok(())
    }
    fn scrub(&self) -> Done<u64> {
        Ok(self.values.len() as u64)
    }
}
