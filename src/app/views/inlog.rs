//! Periods of which a view keeps nothing of its own: their events are read where they stand in the log.

use super::stored::{Place, read_chunk};
use crate::app::error::Result;
use crate::app::groups::{alike, take};
use crate::app::history::days_of;
use crate::app::threads;
use crate::domain::rows::Head;
use crate::domain::{BatchId, Series, Symbol, Window};
use crate::ledger::codec::{Blocks, ListedPeriod, Stands};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::homes::Splitter;
use crate::projections::view::History;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// So many unpacked blocks of a batch are kept for each thread: neighbouring symbols, and the periods and
/// views of one, stand in the same ones, and who goes on leaves them behind.
const KEPT: usize = 3;

/// And so many of all batches, some 50 MiB of numbers. A symbol whose years came by as many files stands in
/// as many blocks, and so does the next one.
const MOST: usize = 128;

/// Blocks with more bytes of texts are not kept.
const TEXTS: usize = 1 << 18;

/// A block's events, by its batch and number.
type Block = ((BatchId, u32), Arc<Window>);

/// Blocks that were unpacked a moment ago. What a committed batch says never changes.
#[derive(Debug, Default)]
pub(super) struct Unpacked(Mutex<VecDeque<Block>>);

impl Clone for Unpacked {
    /// A copy begins anew.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Unpacked {
    /// A block's events, checked against its seal when it is unpacked.
    fn block(&self, ledger: &Ledger, batch: BatchId, index: u32) -> Result<Arc<Window>> {
        let mut room = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, window)) = kept.iter().find(|(of, _)| *of == (batch, index)) {
                return Ok(Arc::clone(window));
            }
            // Room is used again: fresh memory costs a page fault for each 4 KiB.
            let mut of_batch =
                (0..).zip(&*kept).filter(|(_, ((of, _), _))| *of == batch).map(|(at, _)| at);
            let oldest = match of_batch.clone().count() >= KEPT * threads() {
                true => of_batch.next(),
                false => (kept.len() >= MOST).then_some(0),
            };
            let oldest = oldest.and_then(|at| kept.remove(at));
            oldest.and_then(|(_, window)| Arc::try_unwrap(window).ok()).unwrap_or_default()
        };
        room.clear();
        ledger.read(batch).read_into(index, &mut room)?;
        let small = room.rows.text_bytes() <= TEXTS;
        let window = Arc::new(room);
        if !small {
            return Ok(window);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(((batch, index), Arc::clone(&window)));
        Ok(window)
    }
}

/// What a view has of a symbol in a period.
///
/// # Errors
/// A chunk or a block that is not as it was written.
pub(super) fn read_period(
    ledger: &Ledger,
    unpacked: &Unpacked,
    place: Place,
    symbol: &Symbol,
    period: i32,
    of: &ListedPeriod,
) -> Result<History> {
    match of.stands {
        Stands::Chunk(digest) => read_chunk(ledger, place, symbol, period, &digest),
        Stands::Log(blocks) => {
            let found = from_log(ledger, unpacked, place.view, symbol, period, blocks)?;
            if found.batches.len() as u64 == of.events {
                return Ok(found);
            }
            let what = format!("{} {symbol} {period} is not where its view says", place.view);
            Err(LedgerError::damaged(what).into())
        }
    }
}

fn from_log(
    ledger: &Ledger,
    unpacked: &Unpacked,
    view: Series,
    symbol: &Symbol,
    period: i32,
    Blocks { batch, first, second }: Blocks,
) -> Result<History> {
    let mut found = History::default();
    let (first_day, last_day) = days_of(view, period);
    for index in [Some(first), second].into_iter().flatten() {
        let window = unpacked.block(ledger, batch, index)?;
        let rows = &window.rows;
        // A block's symbols ascend, and so do its rows by symbol and day (`columns::block_order`).
        let number = rows.symbols().partition_point(|of| of < symbol);
        if rows.symbols().get(number).is_none_or(|of| of != symbol) {
            continue;
        }
        let place = |of: &Head| (of.symbol as usize, of.day);
        let from = rows.heads().partition_point(|head| place(head) < (number, first_day));
        let to = rows.heads().partition_point(|head| place(head) <= (number, last_day));
        let mut splitter = Splitter::new(rows);
        for run in rows.heads().get(from..to).unwrap_or_default().chunk_by(alike) {
            let Some(head) = run.first() else { continue };
            let parts = splitter.parts(head.shape, head.series).iter();
            for (_, shape, slots) in parts.filter(|(of, ..)| *of == view) {
                take(&mut found, batch, run, rows, symbol, shape, slots);
            }
        }
    }
    Ok(found)
}
