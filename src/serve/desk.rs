//! The ledger between the server and everybody else.
//!
//! One process at a time has a ledger. The server keeps it open while nobody else wants it, and lets
//! it go between two requests as soon as somebody does ([`Desk::lend`]); the next request takes it
//! back. So commands work as ever beside a running server, and each sees what the other decided.
//!
//! Where nothing can be written, pages are answered from what of the ledger can be read, as commands are.

use crate::app::{AppError, Ledger, LedgerError, OpenOptions, outside, recover};
use crate::app::{Clock, Run, error::Result};
use crate::domain::Position;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Who waits looks again within this time: then the ledger is theirs, not the next request's.
const TURN: Duration = Duration::from_millis(80);
/// And at least so long for who holds it once its turn has come, however long that took: nobody should fail
/// at a command that is over in a moment.
const LEAST: Duration = Duration::from_secs(2);
/// How long a decision waits for long readers of this server: longer than a query may take.
const BESIDE: Duration = Duration::from_secs(12);
/// How long a request waits for the ledger.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);

/// What a request's work depends on besides the ledger.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Where "now" comes from.
    pub clock: Clock,
    /// Who acts.
    pub actor: String,
    /// Whether kept projections follow decisions.
    pub refresh: bool,
    /// Whether another person than the one who staged must confirm.
    pub two_person: bool,
}

impl Hand {
    pub(super) fn run(&self) -> Run<'static> {
        Run {
            clock: self.clock,
            refresh: self.refresh,
            two_person: self.two_person,
            ..Run::new(self.actor.clone())
        }
    }
}

/// The place of the ledger, with it or without.
#[derive(Default)]
struct Slot {
    ledger: Option<Arc<Ledger>>,
    /// Its lock file, by which it is known from another ledger that was put in its place.
    lock: Option<FileId>,
    /// The ledger cannot be written, and this is what could be read of it when HEAD said so.
    read_at: Option<Option<Position>>,
    /// When it was let go for somebody else.
    lent: Option<Instant>,
}

impl Slot {
    /// Lets go what is only read of a ledger that cannot be written: its lock is in the way of whoever
    /// opens the ledger itself.
    fn needs_itself(&mut self) {
        if self.read_at.take().is_some() {
            self.ledger = None;
        }
    }
}

/// What a file is known by wherever it is moved: its device and its number there.
type FileId = (u64, u64);

/// The lock file of whatever ledger is in a directory now; `None` without one, and on systems that
/// do not number files.
fn lock_of(directory: &Path) -> Option<FileId> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(directory.join("LOCK")).ok()?;
        Some((file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    None
}

/// The desk on which the ledger lies.
pub(super) struct Desk {
    directory: PathBuf,
    options: OpenOptions,
    pub(super) hand: Hand,
    slot: RwLock<Slot>,
    /// Decisions that wait for long readers.
    deciding: AtomicUsize,
}

impl Desk {
    pub(super) fn new(directory: PathBuf, options: OpenOptions, hand: Hand) -> Self {
        Self { directory, options, hand, slot: RwLock::default(), deciding: AtomicUsize::default() }
    }

    // A panic in between leaves a slot with a ledger or without one; both are fine.
    fn reading(&self) -> RwLockReadGuard<'_, Slot> {
        self.slot.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> RwLockWriteGuard<'_, Slot> {
        self.slot.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the ledger go if its directory was replaced: what is asked and decided is about the one that
    /// is there now.
    fn look_again(&self, slot: &mut Slot) {
        if slot.ledger.is_some() && slot.lock != lock_of(&self.directory) {
            (slot.ledger, slot.read_at) = (None, None);
        }
    }

    /// Opens the ledger, giving way to whoever waits for it.
    fn open(&self, slot: &mut Slot, deadline: Instant) -> Result<Ledger> {
        if let Some(lent) = slot.lent.take() {
            while lent.elapsed() < TURN && outside::wanted(&self.directory) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let patience = deadline.saturating_duration_since(Instant::now()).max(LEAST);
        let options = OpenOptions { patience, ..self.options.clone() };
        // Looked at before: if it is replaced meanwhile, the next request notices.
        let lock = lock_of(&self.directory);
        let opened = outside::open_with(&self.directory, &options, &self.hand.run());
        slot.lock = lock.or_else(|| lock_of(&self.directory));
        Ok(opened?.ledger)
    }

    /// Opens the ledger to be read, also where it cannot be written.
    fn open_to_read(&self, slot: &mut Slot, deadline: Instant) -> Result<()> {
        slot.ledger = None;
        slot.read_at = None;
        let head = outside::head(&self.directory);
        let ledger = match self.open(slot, deadline) {
            Err(AppError::Ledger(why @ LedgerError::NotWritable { .. })) => {
                let opened = recover::open_unwritable(&self.directory, why, &self.hand.run())?;
                slot.read_at = Some(head);
                opened.ledger
            }
            other => other?,
        };
        slot.ledger = Some(Arc::new(ledger));
        Ok(())
    }

    /// Whether there is a ledger to be read. What could be read of one that cannot be written holds until
    /// HEAD moves: then others can write it.
    fn is_there(&self, slot: &Slot) -> bool {
        slot.ledger.is_some()
            && slot.lock == lock_of(&self.directory)
            && slot.read_at.is_none_or(|head| outside::head(&self.directory) == head)
    }

    /// Does something that only reads; several may at once.
    ///
    /// # Errors
    /// Those of opening the ledger, and of the work.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Arc<Ledger>) -> Result<T>) -> Result<T> {
        let slot = self.to_read()?;
        match &slot.ledger {
            Some(ledger) => work(ledger),
            None => Err(AppError::NotFound("the ledger was let go".to_owned())),
        }
    }

    /// Does something that only reads and may take long: it holds the ledger and not the slot, so that
    /// whoever waits for the ledger is in nobody's way but its own.
    ///
    /// # Errors
    /// Those of opening the ledger, and of the work; [`LedgerError::Held`] while somebody else has been
    /// waiting for the ledger.
    pub(super) fn read_long<T>(&self, work: impl FnOnce(&Arc<Ledger>) -> Result<T>) -> Result<T> {
        // One after the other they would keep the ledger from everybody else.
        let end = Instant::now() + PATIENCE;
        let others =
            || self.deciding.load(Ordering::Relaxed) > 0 || outside::wanted(&self.directory);
        while self.reading().ledger.is_some() && others() {
            if Instant::now() >= end {
                let holder = "a command or decision waits for its turn".to_owned();
                return Err(LedgerError::Held { holder }.into());
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        let own = self.read(|ledger| Ok(Arc::clone(ledger)))?;
        work(&own)
    }

    /// The slot with a ledger that can be read.
    fn to_read(&self) -> Result<RwLockReadGuard<'_, Slot>> {
        let deadline = Instant::now() + PATIENCE;
        let slot = self.reading();
        if self.is_there(&slot) {
            return Ok(slot);
        }
        drop(slot);
        let mut slot = self.writing();
        if !self.is_there(&slot) {
            self.open_to_read(&mut slot, deadline)?;
        }
        // Nobody lets it go before this request had its turn.
        Ok(RwLockWriteGuard::downgrade(slot))
    }

    /// Does something that may append.
    ///
    /// # Errors
    /// Those of opening the ledger, and of the work.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut Ledger) -> Result<T>) -> Result<T> {
        self.deciding.fetch_add(1, Ordering::Relaxed);
        let alone = self.alone(Instant::now() + BESIDE);
        self.deciding.fetch_sub(1, Ordering::Relaxed);
        let mut slot = alone?;
        slot.needs_itself();
        self.look_again(&mut slot);
        // Out of its place meanwhile: after a panic it is opened anew.
        let held = slot.ledger.take().and_then(Arc::into_inner);
        let mut ledger = match held {
            Some(ledger) => ledger,
            None => self.open(&mut slot, Instant::now() + PATIENCE)?,
        };
        let done = work(&mut ledger);
        // Opening mends what a failed write left.
        if !matches!(done, Err(AppError::Ledger(_) | AppError::ViewsBehind { .. })) {
            slot.ledger = Some(Arc::new(ledger));
        }
        done
    }

    /// Gives the ledger itself, not what can be read of one that cannot be written, to work that only
    /// reads and takes long. Other readers go on beside it; whoever wants to write waits for its end.
    ///
    /// # Errors
    /// Those of opening the ledger, and of the work.
    pub(super) fn share<T>(&self, work: impl FnOnce(&Arc<Ledger>) -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        let mut slot = self.writing();
        slot.needs_itself();
        self.look_again(&mut slot);
        let own = match &slot.ledger {
            Some(ledger) => Arc::clone(ledger),
            None => Arc::new(self.open(&mut slot, deadline)?),
        };
        slot.ledger = Some(Arc::clone(&own));
        drop(slot);
        work(&own)
    }

    /// Waits until no long reader has the ledger; nobody reads it as long as the slot is held.
    fn alone(&self, deadline: Instant) -> Result<RwLockWriteGuard<'_, Slot>> {
        loop {
            let slot = self.writing();
            if slot.ledger.as_ref().is_none_or(|ledger| Arc::strong_count(ledger) == 1) {
                return Ok(slot);
            }
            drop(slot);
            if Instant::now() >= deadline {
                let holder = "this server, for a verification or a query".to_owned();
                return Err(LedgerError::Held { holder }.into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets the ledger go if somebody waits for it, or if it lies elsewhere now: who waits for it there
    /// cannot say so here.
    pub(super) fn lend(&self) {
        // A long reader keeps it anyway; to queue for the slot would only stop the pages beside it.
        let free =
            |slot: &Slot| slot.ledger.as_ref().is_some_and(|ledger| Arc::strong_count(ledger) == 1);
        let (held, moved) = {
            let slot = self.reading();
            (free(&slot), slot.lock != lock_of(&self.directory))
        };
        if held && (moved || outside::wanted(&self.directory)) {
            let mut slot = self.writing();
            // Readers of pages hold the slot: only a long reader has it besides, and it stays.
            if !free(&slot) {
                return;
            }
            slot.ledger = None;
            slot.lent = Some(Instant::now());
        }
    }

    /// Lets the ledger go for good. Work that has not ended keeps it until the process does, like
    /// after a crash.
    pub(super) fn close(&self) {
        if let Ok(mut slot) = self.slot.try_write() {
            slot.ledger = None;
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.directory.display())
    }
}
