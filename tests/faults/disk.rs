//! A disk that forgets, tears, reorders and fails, from a seed.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};
use volledger::ledger::files::Files;

/// Random numbers from a seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound.max(1)
    }
}

/// What goes wrong at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails, and nothing of it is done.
    Io,
    /// There is no room: a part of a write is done.
    Full,
    /// A part of a write is done, and an error told. A failed sync may have lost what it was for.
    Short,
    /// From here on nothing is done any more, and all memory is lost.
    Power,
}

impl Fault {
    pub const ALL: [Self; 4] = [Self::Io, Self::Full, Self::Short, Self::Power];
}

#[derive(Clone, Debug)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { size: usize },
}

impl Pending {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                file.resize(file.len().max(offset + bytes.len()), 0);
                file[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
            Self::Cut { size } => file.resize(*size, 0),
        }
    }
}

#[derive(Debug, Default)]
struct File {
    /// What a reader sees.
    live: Vec<u8>,
    /// What survives for certain; nothing when not even the name does.
    durable: Option<Vec<u8>>,
    pending: Vec<Pending>,
}

#[derive(Debug)]
struct State {
    files: BTreeMap<String, File>,
    random: Random,
    /// Sector size of torn writes.
    sector: usize,
    operations: u64,
    plan: Option<(u64, Fault)>,
    dead: bool,
    struck: bool,
    told: bool,
}

/// The disk; clones are the same one.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

fn error(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => io::ErrorKind::StorageFull.into(),
        _ => io::Error::from_raw_os_error(5), // EIO
    }
}

impl Disk {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let sector = if random.below(2) == 0 { 512 } else { 4096 };
        let (files, plan) = (BTreeMap::new(), None);
        let state = State {
            files,
            random,
            sector,
            operations: 0,
            plan,
            dead: false,
            struck: false,
            told: false,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Lets something go wrong `after` so many further operations.
    pub fn plan(&self, after: u64, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.plan = Some((state.operations + after, fault));
        state.struck = false;
    }

    /// Tells on standard error what is done from here on.
    pub fn tell(&self) {
        self.0.lock().unwrap().told = true;
    }

    /// Takes the plan back; says whether it was carried out.
    pub fn unplan(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        state.plan = None;
        state.struck
    }

    /// Whether the power is gone.
    pub fn is_dead(&self) -> bool {
        self.0.lock().unwrap().dead
    }

    /// The power comes back: of what was not synced, any part may be there, sector by sector.
    pub fn power_cycle(&self) {
        let mut state = self.0.lock().unwrap();
        let State { files, random, sector, dead, plan, told, .. } = &mut *state;
        (*dead, *plan) = (false, None);
        if *told {
            eprintln!("the power is gone");
        }
        // Nearly nothing, half of it, nearly everything.
        let share = [0, 10, 50, 90, 100][random.below(5) as usize];
        let mut gone = Vec::new();
        for (name, file) in files.iter_mut() {
            let mut kept = match file.durable.take() {
                Some(durable) => durable,
                None if random.below(100) < share => Vec::new(),
                None => {
                    gone.push(name.clone());
                    continue;
                }
            };
            for pending in std::mem::take(&mut file.pending) {
                survive(&pending, &mut kept, random, *sector, share);
            }
            file.live.clone_from(&kept);
            file.durable = Some(kept);
        }
        for name in gone {
            files.remove(&name);
        }
    }

    /// The next operation, and what goes wrong with it.
    fn operate(state: &mut State, what: &str, name: &str) -> io::Result<Option<Fault>> {
        if state.dead {
            return Err(error(Fault::Power));
        }
        state.operations += 1;
        if state.told {
            let size = state.files.get(name).map(|file| file.live.len());
            eprintln!("  {what} {name} {size:?} {:?}", state.plan);
        }
        match state.plan {
            Some((at, fault)) if state.operations > at => {
                state.plan = None;
                state.struck = true;
                state.dead = fault == Fault::Power;
                Ok(Some(fault))
            }
            _ => Ok(None),
        }
    }
}

/// Applies the sectors of a write that reached the disk.
fn survive(pending: &Pending, file: &mut Vec<u8>, random: &mut Random, sector: usize, share: u64) {
    let Pending::Write { offset, bytes } = pending else {
        if random.below(100) < share {
            pending.apply(file);
        }
        return;
    };
    let mut at = 0;
    while at < bytes.len() {
        let end = ((offset + at) / sector + 1) * sector - offset;
        let part = bytes[at..end.min(bytes.len())].to_vec();
        if random.below(100) < share {
            Pending::Write { offset: offset + at, bytes: part }.apply(file);
        }
        at = end;
    }
}

impl Files for Disk {
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        let mut state = self.0.lock().unwrap();
        if let Some(fault) = Self::operate(&mut state, "list", folder)? {
            return Err(error(fault));
        }
        let inside = |name: &str| name.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let files = state.files.iter();
        Ok(files.filter_map(|(name, f)| Some((inside(name)?, f.live.len() as u64))).collect())
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        let mut state = self.0.lock().unwrap();
        if let Some(fault) = Self::operate(&mut state, "read_from", name)? {
            return Err(error(fault));
        }
        let file = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let bytes = file.live.get(offset as usize..).unwrap_or_default().to_vec();
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fault = Self::operate(&mut state, "write_at", name)?;
        let done = match fault {
            None => bytes.len(),
            Some(Fault::Io) => 0,
            Some(_) => state.random.below(bytes.len() as u64 + 1) as usize,
        };
        let pending = Pending::Write { offset: offset as usize, bytes: bytes[..done].to_vec() };
        let file = state.files.entry(name.to_owned()).or_default();
        pending.apply(&mut file.live);
        file.pending.push(pending);
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn cut(&self, name: &str, size: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fault = Self::operate(&mut state, "cut", name)?;
        if matches!(fault, None | Some(Fault::Power)) {
            let pending = Pending::Cut { size: size as usize };
            let file = state.files.entry(name.to_owned()).or_default();
            pending.apply(&mut file.live);
            file.pending.push(pending);
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fault = Self::operate(&mut state, "sync", name)?;
        let State { files, random, sector, .. } = &mut *state;
        let Some(file) = files.get_mut(name) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        match fault {
            None => {
                file.pending.clear();
                file.durable = Some(file.live.clone());
                Ok(())
            }
            Some(Fault::Short) => {
                // As Linux does: the pages are taken for clean, and the next sync succeeds.
                let mut kept = file.durable.take().unwrap_or_default();
                for pending in std::mem::take(&mut file.pending) {
                    survive(&pending, &mut kept, random, *sector, 50);
                }
                file.durable = Some(kept);
                Err(error(Fault::Short))
            }
            Some(fault) => Err(error(fault)),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fault = Self::operate(&mut state, "replace", name)?;
        // Renamed or not when it fails, and when the power goes.
        let done = fault.is_none() || (fault != Some(Fault::Full) && state.random.below(2) == 0);
        if done {
            let durable = Some(bytes.to_vec());
            let file = File { live: bytes.to_vec(), durable, pending: Vec::new() };
            state.files.insert(name.to_owned(), file);
        }
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }
}
