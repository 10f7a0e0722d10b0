//! From written events to a staged batch with its review, or to a dry run's review alone.

use super::Run;
use super::draft::Draft;
use super::error::Result;
use super::report::Review;
use super::review::document::{self, Parts};
use super::review::{self, Analysis, Wanted};
use super::stage::{self, Sealed};
use crate::domain::collector::WINDOW_EVENTS;
use crate::domain::{BatchId, BatchState, Class, Collector, Digest, Series, Window};
use crate::ledger::codec::Manifest;
use crate::ledger::hash::content;
use crate::ledger::{BatchWriter, Ledger, LedgerError};
use std::panic::resume_unwind;
use std::sync::mpsc::{channel, sync_channel};

/// What became of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new batch is staged.
    New,
    /// The same content was staged before and still waits.
    AlreadyStaged,
    /// The same content counts already.
    AlreadyActive,
    /// Nothing was appended.
    DryRun,
}

/// A staged batch with its review.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The review.
    pub review: Review,
    /// What became of it.
    pub outcome: Outcome,
    /// The batch; `None` for a dry run.
    pub batch: Option<BatchId>,
    /// What `--yes` must not accept on its own.
    pub blocking: Vec<String>,
    /// Files that were left out now, of which the entry of a batch that is here already says nothing.
    pub left_out: Vec<String>,
    /// The largest change of a shown value: volatility points, or percent of a price.
    pub largest: Option<rust_decimal::Decimal>,
    /// Whether the content is here with another `--overlap` than was asked for now.
    pub other_overlap: bool,
    /// What the batch that is here takes out of the views, where something else was asked for now.
    pub other_replaced: Option<Replaced>,
    /// Files of a batch that is here whose bytes had been lost, and are back.
    pub back: Vec<String>,
}

/// Which batch confirming takes out of the views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// That which the batch that is here would take out.
    pub here: Option<BatchId>,
    /// That which was to go.
    pub asked: Option<BatchId>,
}

/// Events that are written, into the ledger or, for a dry run, into one in memory.
pub struct Prepared {
    writer: BatchWriter,
    memory: Option<Ledger>,
}

/// Writes events through `write`; when it fails, nothing stays.
pub fn with_events(
    ledger: &mut Ledger,
    dry_run: bool,
    write: impl FnOnce(&mut Ledger, &mut BatchWriter) -> Result<()>,
) -> Result<Prepared> {
    let mut memory = dry_run.then(|| Ledger::in_memory_after(ledger.batches().len() as u32));
    let target = memory.as_mut().unwrap_or(ledger);
    let mut writer = target.begin()?;
    match write(target, &mut writer) {
        Ok(()) => Ok(Prepared { writer, memory }),
        Err(error) => {
            // The first error is the one to tell; the remains are swept at the next start too.
            let _ = stage::abandon(target, writer);
            Err(error)
        }
    }
}

/// Writes the events that `read` gathers. From the first whole window on another thread hashes and
/// stores them while `read` goes on; what is stored is the same.
///
/// # Errors
/// The first error in the order of the events. What could not be written was read earlier than what
/// was being read meanwhile, so its error goes first.
pub fn write_events(
    ledger: &mut Ledger,
    writer: &mut BatchWriter,
    run: &Run<'_>,
    read: impl FnOnce(&mut Collector<'_, LedgerError>) -> Result<()>,
) -> Result<()> {
    let events = writer.events() as u32;
    std::thread::scope(|scope| {
        let mut idle = Some((ledger, writer));
        let mut busy = None;
        let mut flush = |window: &mut Window| {
            run.go_on()?;
            if window.len() < WINDOW_EVENTS
                && let Some((ledger, writer)) = &mut idle
            {
                return ledger.write(writer, window);
            }
            if let Some((ledger, writer)) = idle.take() {
                let (send, receive) = sync_channel::<Window>(1);
                let (back, written) = channel::<Window>();
                let work = move || {
                    receive.iter().try_for_each(|mut window| {
                        ledger.write(writer, &window)?;
                        window.clear();
                        // Nobody is there to use its room again once everything is read.
                        let _ = back.send(window);
                        Ok::<(), LedgerError>(())
                    })
                };
                busy = Some((send, written, scope.spawn(work)));
            }
            // When nobody takes it, the writer has failed, and says below what with.
            match &busy {
                Some((send, written, _)) => {
                    let empty = written.try_recv().unwrap_or_default();
                    let full = std::mem::replace(window, empty);
                    send.send(full).map_err(|_| LedgerError::Poisoned)
                }
                None => Err(LedgerError::Poisoned),
            }
        };
        let mut out = Collector::resume(events, &mut flush);
        let read = read(&mut out).and_then(|()| Ok(out.finish()?));
        if let Some((send, _, thread)) = busy {
            drop(send);
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        read.map(|_| ())
    })
}

impl Prepared {
    /// Where the events are: a dry run keeps them apart.
    pub fn events<'a>(&'a self, ledger: &'a Ledger) -> (&'a Ledger, BatchId) {
        (self.memory.as_ref().unwrap_or(ledger), self.writer.batch())
    }

    /// How many events were written so far, and their root.
    pub fn read(&self) -> (u64, Digest) {
        (self.writer.events(), self.writer.root())
    }

    /// Writes further events.
    pub fn extend(
        &mut self,
        ledger: &mut Ledger,
        run: &Run<'_>,
        write: impl FnOnce(&mut Collector<'_, LedgerError>) -> Result<()>,
    ) -> Result<()> {
        let target = self.memory.as_mut().unwrap_or(ledger);
        write_events(target, &mut self.writer, run, write)
    }

    /// Drops what was written.
    pub fn abandon(self, ledger: &mut Ledger) -> Result<()> {
        if self.memory.is_none() {
            stage::abandon(ledger, self.writer)?;
        }
        Ok(())
    }

    /// Seals the batch, or for a dry run only reviews it.
    pub fn settle(
        self,
        ledger: &mut Ledger,
        draft: Draft,
        full: bool,
        run: &Run<'_>,
    ) -> Result<Staged> {
        if let Some(memory) = self.memory {
            return dry_run(ledger, &memory, &self.writer, draft, full, run);
        }
        let (manifest, classes) = (draft.manifest.clone(), draft.classes.clone());
        let supersedes = draft.supersedes;
        match stage::seal(ledger, self.writer, draft, full, run)? {
            Sealed::New(id, analysis) => staged(ledger, id, &manifest, &analysis),
            Sealed::Known(id, state) => {
                let outcome = match state {
                    BatchState::Active => Outcome::AlreadyActive,
                    _ => Outcome::AlreadyStaged,
                };
                let mut staged = known(ledger, id, outcome, full, run)?;
                staged.asked_again(ledger, id, &classes, supersedes);
                if let Some(stage) = ledger.batches().get(id).map(|batch| batch.stage.clone()) {
                    let back = ledger.put_back(&stage)?;
                    staged.back = back.into_iter().map(|source| source.name).collect();
                }
                Ok(staged)
            }
        }
    }
}

impl Staged {
    /// Holds the batch that is here against what was asked for now: its overlap, and what it replaces,
    /// were chosen when it was staged, so confirming it would not do what the command says.
    fn asked_again(
        &mut self,
        ledger: &Ledger,
        id: BatchId,
        classes: &[(Series, Class)],
        supersedes: Option<BatchId>,
    ) {
        let Some(batch) = ledger.batches().get(id) else { return };
        let mut parts = batch.stage.views.iter();
        self.other_overlap = parts.any(|part| !classes.contains(&(part.series, part.class)));
        let counts = |old: &BatchId| {
            let old = ledger.batches().get(*old).filter(|_| *old != id);
            old.is_some_and(|old| old.state() == BatchState::Active)
        };
        // What counts already takes nothing out any more.
        let waits = batch.state() == BatchState::Staged;
        let here = batch.stage.supersedes.filter(|old| waits && counts(old));
        let asked = supersedes.filter(counts);
        self.other_replaced = (here != asked).then_some(Replaced { here, asked });
    }
}

/// A batch that is here already, with its review.
fn known(
    ledger: &Ledger,
    id: BatchId,
    outcome: Outcome,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let (mut review, largest) = review::reviewed(ledger, id, full, run)?;
    review.known = true;
    let blocking = ledger.batches().get(id).map(|b| review::blocking(&b.stage, 0));
    let blocking = blocking.unwrap_or_default();
    Ok(Staged {
        review,
        outcome,
        batch: Some(id),
        blocking,
        left_out: Vec::new(),
        largest,
        other_overlap: false,
        other_replaced: None,
        back: Vec::new(),
    })
}

/// A batch that was staged before and still waits, with its review, for a decision now.
///
/// # Errors
/// [`super::AppError::Refused`] when there is no such batch.
pub fn staged_before(ledger: &Ledger, id: BatchId, full: bool, run: &Run<'_>) -> Result<Staged> {
    known(ledger, id, Outcome::AlreadyStaged, full, run)
}

fn staged(
    ledger: &Ledger,
    id: BatchId,
    manifest: &Manifest,
    analysis: &Analysis,
) -> Result<Staged> {
    let batch = ledger.batches().get(id).ok_or(LedgerError::NoSuchBatch(id))?;
    let parts = Parts {
        batch: Some((id, batch.state())),
        stage: &batch.stage,
        manifest,
        analysis,
        base: ledger.position(),
        rejects: document::rejects(ledger, &batch.stage)?,
    };
    Ok(Staged {
        review: document::document(&parts),
        outcome: Outcome::New,
        batch: Some(id),
        blocking: review::blocking(&batch.stage, 0),
        left_out: Vec::new(),
        largest: analysis.largest,
        other_overlap: false,
        other_replaced: None,
        back: Vec::new(),
    })
}

fn dry_run(
    ledger: &Ledger,
    memory: &Ledger,
    writer: &BatchWriter,
    draft: Draft,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let wanted = Wanted {
        batch: writer.batch(),
        class: &|view| draft.class(view),
        base: ledger.position(),
        replaces: draft.supersedes,
        full,
    };
    let analysis = review::analyse(ledger, memory, &wanted, run)?;
    let (manifest, mapping) = (draft.manifest.clone(), content(draft.mapping.2.as_bytes()));
    let stage = stage::seal_of(draft, writer, &analysis, (Digest::default(), mapping));
    let parts = Parts {
        batch: None,
        stage: &stage,
        manifest: &manifest,
        analysis: &analysis,
        base: ledger.position(),
        rejects: document::rejects(memory, &stage)?,
    };
    let review = document::document(&parts);
    Ok(Staged {
        review,
        outcome: Outcome::DryRun,
        batch: None,
        blocking: review::blocking(&stage, 0),
        left_out: Vec::new(),
        largest: analysis.largest,
        other_overlap: false,
        other_replaced: None,
        back: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::AppError;
    use super::*;
    use crate::domain::{Day, Field, Op, Origin, Series, Value};

    /// Adds `events` rows, of which one has a text that no block can hold.
    fn add(out: &mut Collector<'_, LedgerError>, events: u32, long: Option<u32>) -> Result<()> {
        let symbol = "AAPL".parse().map_err(|_| AppError::Usage("symbol".into()))?;
        let shape = [Field::of(Series::Iv, "note")];
        for line in 0..events {
            let mut noise = u64::from(line) + 1;
            let text: String = (0..if long == Some(line) { 80_000 } else { 3 })
                .map(|_| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(33 + (noise >> 33) as u8 % 90)
                })
                .collect();
            let (origin, value) =
                (Origin { source: 0, line, offset: 0, len: 3 }, Value::Text(text.into()));
            out.row(origin, Series::Iv, Op::Put, &symbol, Day(line as i32), &shape, [value])?;
        }
        Ok(())
    }

    #[test]
    fn a_second_thread_stores_what_one_does_and_its_error_is_the_first() {
        let events = WINDOW_EVENTS as u32 * 2 + 77;
        let mut plain = Ledger::in_memory();
        let mut one = plain.begin().unwrap();
        let mut flush = |window: &mut Window| plain.write(&mut one, window);
        let mut out = Collector::new(&mut flush);
        add(&mut out, events, None).unwrap();
        out.finish().unwrap();

        let mut ledger = Ledger::in_memory();
        let mut two = ledger.begin().unwrap();
        write_events(&mut ledger, &mut two, &Run::new("t"), |out| add(out, events, None)).unwrap();
        let all = |writer: &BatchWriter| (writer.events(), writer.blocks(), writer.root());
        assert_eq!(all(&two), all(&one));
        for index in 0..one.blocks() {
            let block = |ledger: &Ledger| ledger.block(one.batch(), index).unwrap();
            assert_eq!(block(&ledger), block(&plain));
        }

        // The writer fails in the first window, the reader long afterwards, or not at all.
        for reader_fails in [true, false] {
            let mut ledger = Ledger::in_memory();
            let mut writer = ledger.begin().unwrap();
            let failed = write_events(&mut ledger, &mut writer, &Run::new("t"), |out| {
                add(out, events, Some(5))?;
                match reader_fails {
                    true => Err(AppError::Usage("the reader".into())),
                    false => Ok(()),
                }
            });
            let failed = failed.unwrap_err();
            assert!(matches!(failed, AppError::Ledger(LedgerError::TooLarge { .. })), "{failed}");
        }
        // The reader alone fails.
        let mut writer = ledger.begin().unwrap();
        let failed = write_events(&mut ledger, &mut writer, &Run::new("t"), |out| {
            add(out, WINDOW_EVENTS as u32 + 1, None)?;
            Err(AppError::Usage("the reader".into()))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the reader");
    }
}
