//! Reading ahead: while SQLite works on the rows of one symbol, a thread reads those of the next.

use super::page::Page;
use super::tables::Scan;
use crate::app::error::Result;
use crate::app::projection::refresh::contained;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Parts below which a thread costs more than it gives.
const FEW: usize = 16;

/// Parts that are read before they are asked for, at most.
const AHEAD: usize = 8;

/// A table that is being read, with or without a thread of its own.
pub enum Ahead {
    /// Read when asked.
    Asked(Box<Scan>),
    /// Read by a thread.
    Thread {
        /// What it has read; none once nobody listens.
        pages: Option<Receiver<Result<Page>>>,
        /// The thread, until it is waited for.
        reader: Option<JoinHandle<()>>,
    },
}

impl Ahead {
    /// Begins to read.
    pub fn new(mut scan: Scan) -> Self {
        if scan.parts_left() < FEW {
            return Self::Asked(Box::new(scan));
        }
        let (send, pages) = sync_channel(AHEAD);
        let reader = std::thread::spawn(move || {
            while let Some(read) = contained(|| scan.next_page()).transpose() {
                let failed = read.is_err();
                if send.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self::Thread { pages: Some(pages), reader: Some(reader) }
    }

    /// The next rows; `None` after the last. A panic is an error: SQLite calls this, and nothing may
    /// unwind through it.
    ///
    /// # Errors
    /// A stored value that cannot be read.
    pub fn next_page(&mut self) -> Result<Option<Page>> {
        match self {
            Self::Asked(scan) => contained(|| scan.next_page()),
            Self::Thread { pages, .. } => match pages.as_ref().map(Receiver::recv) {
                Some(Ok(read)) => read.map(Some),
                _ => Ok(None),
            },
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if let Self::Thread { pages, reader } = self {
            // It holds the ledger until it ends; once nobody listens it does.
            drop(pages.take());
            if let Some(reader) = reader.take() {
                let _ = reader.join();
            }
        }
    }
}
