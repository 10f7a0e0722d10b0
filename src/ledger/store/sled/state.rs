//! What handles of one engine share: whether it may be written, and how much waits to be written out.

use super::super::{Result, ViewWriter, check_size};
use super::{weigh, writing};
use crate::ledger::error::LedgerError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Bytes of views that may wait in memory for the next barrier. They follow each other in the
/// engine's log, so what a killed process loses of them is their end, and that is made up for by the
/// next opening.
const LITTLE: usize = 64 << 10;

/// The state of an engine.
#[derive(Debug, Default)]
pub struct State {
    /// Bytes of views that were handed to the engine since it last wrote out everything.
    waiting: AtomicUsize,
    poisoned: AtomicBool,
}

impl State {
    /// Whether it may be written.
    ///
    /// # Errors
    /// [`LedgerError::Poisoned`] after a write that failed.
    pub fn check(&self) -> Result<()> {
        if self.poisoned.load(Relaxed) { Err(LedgerError::Poisoned) } else { Ok(()) }
    }

    /// Nothing more is to be written.
    pub fn poison(&self) {
        self.poisoned.store(true, Relaxed);
    }

    /// What a write gave: one that failed is the last.
    pub fn told<T>(&self, done: Result<T>) -> Result<T> {
        if done.is_err() {
            self.poison();
        }
        done
    }

    /// Keeps a value; says whether one stood there.
    pub fn put(&self, tree: &sled::Tree, key: &[u8], bytes: &[u8]) -> Result<bool> {
        check_size(bytes)?;
        self.check()?;
        self.told(writing(|| {
            let was = tree.insert(key, bytes)?;
            weigh(tree, key, bytes.len()).map(|()| was.is_some())
        }))
    }

    /// So many more bytes of views wait.
    pub fn wait(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Relaxed);
    }

    /// Whether so little waits that it may go on waiting.
    pub fn waits_little(&self) -> bool {
        self.waiting.load(Relaxed) < LITTLE
    }

    /// Everything is written out.
    pub fn written(&self) {
        self.waiting.store(0, Relaxed);
    }
}

/// Keeps values of the views.
pub struct Writer {
    views: sled::Tree,
    state: Arc<State>,
}

impl Writer {
    pub fn of(views: &sled::Tree, state: &Arc<State>) -> Self {
        Self { views: views.clone(), state: Arc::clone(state) }
    }
}

impl ViewWriter for Writer {
    fn put_new(&self, key: &[u8], bytes: &[u8]) -> Result<()> {
        self.state.wait(bytes.len());
        self.state.put(&self.views, key, bytes).map(drop)
    }
}
