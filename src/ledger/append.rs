//! Appending control entries, and the one moment at which they become durable.

use super::hash::{Sha256Tree, TreeHash};
use super::head::Head;
use super::mirror::Mirror;
use super::{Ledger, LedgerError, Result, codec, store};
use crate::domain::{BatchTable, Entry, EntryKind, Position, ProjectionTable};

/// Whether a crash can leave these entries beyond HEAD: one that had not been acknowledged, or a
/// stage entry with the decision that was to become durable with it. `None` cannot be read.
pub(super) fn crash_leaves(entries: &[Option<&Entry>]) -> bool {
    match entries {
        [] | [_] => true,
        [first, second] => {
            first.is_none_or(|entry| matches!(entry.kind, EntryKind::Stage(_)))
                && second.is_none_or(|entry| matches!(entry.kind, EntryKind::Decision(_)))
        }
        _ => false,
    }
}

/// While it lives, a stage entry waits for the decision about it. However that ends, the entry is
/// durable when this is gone.
struct Together<'a> {
    ledger: &'a mut Ledger,
    outermost: bool,
}

impl<'a> Together<'a> {
    fn begin(ledger: &'a mut Ledger) -> Self {
        let outermost = !std::mem::replace(&mut ledger.waits, true);
        Self { ledger, outermost }
    }

    fn end(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.outermost) {
            return Ok(());
        }
        match std::mem::take(&mut self.ledger.waits) {
            true => self.ledger.acknowledge(),
            false => Err(LedgerError::Poisoned), // what waited could not be made durable
        }
    }
}

impl Drop for Together<'_> {
    /// Does something only when the work panicked.
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "what was staged could not be made durable");
        }
    }
}

impl Ledger {
    /// Does work that stages a batch and goes on to decide about it: a stage entry that is appended
    /// meanwhile becomes durable together with the decision that is appended next, or when the work
    /// ends, whatever its outcome. So nobody is to be told of the batch before this returns.
    ///
    /// # Errors
    /// The error of the work, or that its entry could not be made durable; the entry then does not
    /// count.
    pub fn together<T, E: From<LedgerError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let mut together = Together::begin(self);
        let done = work(together.ledger);
        match (done, together.end()) {
            (done, Ok(())) | (done @ Err(_), Err(LedgerError::Poisoned)) => done,
            (_, Err(error)) => Err(error.into()),
        }
    }

    /// Appends a control entry; when this returns it is durable, except a stage entry within
    /// [`Self::together`].
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`] and [`LedgerError::Damaged`]; the entry then does not count.
    /// [`LedgerError::Moved`]; it does not either, unless the ledger was moved in the last moment.
    pub fn append(&mut self, entry: Entry) -> Result<Position> {
        self.slots.check()?;
        // Before anything is handed on: whoever opens what was moved finds what had become durable.
        if let (Some(files), None) = (&self.files, &self.unacknowledged) {
            files.in_place().map_err(|error| LedgerError::write("HEAD", error))?;
        }
        let bytes = codec::encode_entry(&entry)?;
        store::check_size(&bytes)?;
        let (stages, decides) = match &entry.kind {
            EntryKind::Stage(_) => (true, false),
            kind => (false, matches!(kind, EntryKind::Decision(_))),
        };
        // What a crash leaves beyond HEAD must be one entry, or such a pair.
        if !decides {
            self.acknowledge()?;
        }
        let waits = self.waits && stages;
        let done = self.put(entry, &bytes);
        let done = done.and_then(|()| if waits { Ok(()) } else { self.acknowledge() });
        if done.is_err() {
            self.take_back();
        }
        done?;
        let (position, bytes) = (self.position(), bytes.len());
        tracing::debug!(%position, bytes, waits, "entry appended and, unless it waits, durable");
        Ok(position)
    }

    /// Hands an entry to mirror and engine, and takes it in.
    fn put(&mut self, entry: Entry, bytes: &[u8]) -> Result<()> {
        let mut next = self.tree.clone();
        next.push(Sha256Tree::leaf(bytes));
        let head = Head { size: Position(next.size()), root: next.root() };
        if let EntryKind::Stage(stage) = &entry.kind {
            self.mirror_sources(stage)?;
        }
        self.mirrored(|mirror| mirror.entry(bytes, &head))?;
        self.mirrored(Mirror::hand_on)?; // before the engine has the entry
        self.store.put_control(head.size.0, bytes)?;
        self.mirrored(Mirror::mark)?;
        if self.unacknowledged.is_none() {
            self.unacknowledged = Some(self.tree.clone());
        }
        self.take(entry, bytes);
        Ok(())
    }

    /// Makes the entries durable that are not yet, and lets HEAD speak of them.
    fn acknowledge(&mut self) -> Result<()> {
        if self.unacknowledged.is_none() {
            return Ok(());
        }
        let done = self.move_head();
        match done {
            Ok(()) => self.unacknowledged = None,
            Err(_) => self.take_back(),
        }
        done
    }

    fn move_head(&mut self) -> Result<()> {
        // A crash before HEAD moves: the entries are in the log or not, and recovery settles it.
        self.barrier()?;
        let head = self.head();
        if let Some(files) = &self.files {
            self.slots.write(&**files, &head)?;
        }
        self.mirrored(Mirror::seal)
    }

    /// Makes everything written so far durable: mirror, sources, engine.
    pub(super) fn barrier(&mut self) -> Result<()> {
        // At the same time: none of them counts before all are durable.
        let mirroring = self.mirror.as_mut().map_or(Ok(None), Mirror::begin_sync)?;
        let stored = self.store.barrier();
        self.mirrored(|mirror| mirror.end_sync(mirroring))?;
        stored
    }

    /// Forgets entries that could not be made durable. Nothing more is written after that, since
    /// whatever failed refuses to go on; the next opening finds out what is there of them.
    fn take_back(&mut self) {
        let Some(tree) = self.unacknowledged.take() else { return };
        let mut lost = self.entries.drain(tree.size() as usize..);
        // Whoever staged it is told, also where the failed decision is all that it sees.
        self.waits &= !lost.any(|entry| matches!(entry.kind, EntryKind::Stage(_)));
        drop(lost);
        self.tree = tree;
        (self.table, self.projections) = (BatchTable::default(), ProjectionTable::default());
        for entry in &self.entries {
            self.table.apply(entry);
            self.projections.apply(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Action, BatchId, Decision, Via, entry};

    #[test]
    fn a_crash_leaves_one_entry_or_a_stage_with_its_decision() {
        let of = |kind| Entry { time_ms: 0, actor: String::new(), tool: String::new(), kind };
        let stage = of(EntryKind::Stage(Box::new(entry::tests::stage(BatchId(1)))));
        let decision = of(EntryKind::Decision(Decision {
            action: Action::Commit,
            changes: Vec::new(),
            reason: None,
            token: None,
            base: None,
            via: Via::Plain,
        }));
        let note = of(EntryKind::Note("n".into()));
        let all = [Some(&stage), Some(&decision), Some(&note), None];
        assert!(crash_leaves(&[]));
        for first in all {
            assert!(crash_leaves(&[first]));
            for second in all {
                // What cannot be read may be either.
                let stages = first.is_none_or(|entry| *entry == stage);
                let decides = second.is_none_or(|entry| *entry == decision);
                assert_eq!(crash_leaves(&[first, second]), stages && decides);
                for third in all {
                    assert!(!crash_leaves(&[first, second, third]));
                }
            }
        }
    }
}
