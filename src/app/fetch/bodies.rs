//! The bodies of an answer, one at a time: all of them together may be larger than memory.

use super::ask::MAX_ANSWER;
use super::note::Note;
use crate::app::error::{AppError, Result};
use crate::ledger::{Arrival, Inbox, LedgerError};
use std::cell::RefCell;
use std::rc::Rc;

/// Answers up to this size are kept while they are read: they are looked at more than once.
const SMALL: u64 = 16 << 20;

/// An answer larger than this is not read. Asking takes half of it at most, so another program wrote it
/// or the disk changed it.
const TOO_LARGE: u64 = 2 * MAX_ANSWER;

/// The pages of an answer.
pub(super) struct Bodies<'a> {
    inbox: &'a Inbox,
    pages: &'a [(Note, Arrival)],
    read: RefCell<Vec<Option<Rc<Vec<u8>>>>>,
    /// Whether bodies stay in `read`.
    small: bool,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(inbox: &'a Inbox, pages: &'a [(Note, Arrival)]) -> Self {
        let small = size(pages) <= SMALL;
        Self { inbox, pages, read: RefCell::new(vec![None; pages.len()]), small }
    }

    /// How many pages there are.
    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// The notes of the pages, in order.
    pub(super) fn notes(&self) -> impl Iterator<Item = &'a Note> + use<'a> {
        self.pages.iter().map(|(note, _)| note)
    }

    /// The body of a page.
    ///
    /// # Errors
    /// An inbox that cannot be read, or a body that is not what arrived.
    pub(super) fn get(&self, page: usize) -> Result<Rc<Vec<u8>>> {
        if let Some(known) = self.read.borrow().get(page).cloned().flatten() {
            return Ok(known);
        }
        let Some((_, arrival)) = self.pages.get(page) else { return Ok(Rc::default()) };
        let body = Rc::new(self.inbox.body(arrival)?);
        if let (true, Some(place)) = (self.small, self.read.borrow_mut().get_mut(page)) {
            *place = Some(Rc::clone(&body));
        }
        Ok(body)
    }
}

fn size(pages: &[(Note, Arrival)]) -> u64 {
    pages.iter().map(|(_, arrival)| arrival.size).fold(0, u64::saturating_add)
}

/// Why an answer is left out unread, if it is.
pub(super) fn too_large(pages: &[(Note, Arrival)]) -> Option<String> {
    let (size, most) = (size(pages) >> 20, TOO_LARGE >> 20);
    (size > most).then(|| format!("the answer has {size} MiB, more than the {most} that are read"))
}

/// What is wrong with an answer that cannot be read; `None` where the disk is at fault.
pub(super) fn damage(error: &AppError) -> Option<String> {
    match error {
        AppError::Ledger(damaged @ LedgerError::Damaged { .. }) => Some(damaged.to_string()),
        _ => None,
    }
}
