//! Taking the log: its entries, as far as each batch has its events and is erased as the log says.

use super::super::codec;
use super::super::erase::note::Noted;
use super::super::error::LedgerError;
use super::super::root::batch_root;
use super::super::verify::Damage;
use super::super::{Ledger, Result};
use super::choose::{Chosen, Pick};
use super::places::{Held, Way};
use super::salvage::Salvage;
use super::{LostBatch, Restated, Survey};
use crate::domain::{
    BatchId, Digest, Entry, EntryKind, Erase, Erased, ErasedPart, Position, Stage,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the log says of erasures, also behind the first batch that is lost.
struct Told {
    parts: BTreeMap<BatchId, Vec<(Position, ErasedPart)>>,
    last: Position,
    /// Whether HEAD says that it is the whole log.
    sure: bool,
    /// Whether the last erasure may not be carried out yet.
    unfinished: bool,
}

/// What a place has of a batch, held against what was erased of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Whether each erasure of the log was carried out there.
    done: bool,
    /// How many events were erased by entries that are lost with the end of the log.
    lost: usize,
}

impl Told {
    fn of(chosen: &Chosen, unfinished: bool) -> Self {
        let mut parts: BTreeMap<BatchId, Vec<_>> = BTreeMap::new();
        for (at, pick) in (1..).map(Position).zip(&chosen.entries) {
            if let EntryKind::Erase(erase) = &pick.entry.kind {
                for part in &erase.parts {
                    parts.entry(part.batch).or_default().push((at, *part));
                }
            }
        }
        let last = Position(chosen.entries.len() as u64);
        Self { parts, last, sure: chosen.sure, unfinished }
    }

    /// Holds what is left of a batch against what was erased of it.
    fn fits(&self, batch: BatchId, erased: &[Erased]) -> Result<Fit> {
        let mut done = true;
        let mut left: BTreeMap<Position, Vec<&Erased>> = BTreeMap::new();
        for one in erased {
            left.entry(one.entry).or_default().push(one);
        }
        for (at, part) in self.parts.get(&batch).into_iter().flatten() {
            let records = left.remove(at).unwrap_or_default();
            if self.unfinished && *at == self.last && records.is_empty() {
                done = false;
                continue;
            }
            let counts = records.len() as u64 == part.events;
            if !counts || codec::records_digest(&records)? != part.records {
                let what = format!("what is left of batch {batch} is not as erased by {at}");
                return Err(LedgerError::damaged(what));
            }
        }
        match left.keys().find(|at| **at <= self.last) {
            Some(at) => Err(LedgerError::damaged(format!(
                "events of batch {batch} are gone, and {at} does not say that they were erased"
            ))),
            None => Ok(Fit { done, lost: left.values().map(Vec::len).sum() }),
        }
    }
}

/// The batches that entries erased something of, as their blocks say.
type Erasing = BTreeMap<Position, BTreeSet<BatchId>>;

impl Ledger {
    /// Takes the entries as far as every batch has its root.
    pub(super) fn take_sound(
        &mut self,
        salvage: &Salvage,
        chosen: Chosen,
        noted: Option<&Noted>,
        survey: &mut Survey,
    ) -> Result<()> {
        let told = Told::of(&chosen, noted.is_some());
        let mut erasing = Erasing::new();
        for (position, Pick { entry, bytes, mirrored }) in (1..).zip(&chosen.entries) {
            let expected = position <= chosen.acknowledged;
            if let EntryKind::Stage(stage) = &entry.kind {
                match self.take_batch(salvage, stage, &told) {
                    Ok(_) if !survey.lost.is_empty() => survey.behind.push(stage.batch),
                    Ok(erased) => {
                        let (found, lost) = salvage.find_sources(stage);
                        // As when the ledger is opened.
                        if !expected && position > chosen.vouched && !lost.is_empty() {
                            salvage.let_go(found.iter());
                            survey.hurt.push(unfinished(*mirrored, position));
                            break;
                        }
                        survey.missing.extend(lost);
                        if position > chosen.vouched {
                            survey.beyond.push(stage.batch);
                        }
                        for one in erased {
                            erasing.entry(one.entry).or_default().insert(stage.batch);
                        }
                    }
                    Err(_) if !expected => {
                        survey.hurt.push(unfinished(*mirrored, position));
                        break;
                    }
                    Err(error) => survey.lost.push(LostBatch {
                        batch: stage.batch,
                        staged_at: Position(position),
                        events: stage.events,
                        what: error.to_string(),
                    }),
                }
            }
            if !survey.lost.is_empty() {
                continue;
            }
            match mirrored {
                true => survey.entries.mirror += 1,
                false => survey.entries.engine += 1,
            }
            salvage.put_entry(position, bytes)?;
            self.take(entry.clone(), bytes);
        }
        survey.sound = self.head();
        self.settle_erasure(salvage, noted, survey)?;
        survey.vouched = survey.vouched.min(survey.sound.size);
        if told.unfinished
            && told.last > survey.sound.size
            && !survey.unknown
            && erase_at(&chosen.entries, told.last).is_some()
        {
            let at = told.last;
            let what = format!(
                "the erasure {at} may not be carried out yet, and its entry is behind what is lost: ask for \
                 it again"
            );
            survey.hurt.push(Damage { place: "ERASING".to_owned(), what });
            survey.unfinished = Some(at);
        }
        self.restate(salvage, &chosen.entries, erasing, survey)?;
        // What was erased is neither lost nor to be here, though an older pack may have it.
        let gone = self.gone_for_good()?;
        salvage.let_go(gone.iter());
        let erased = self.erased_sources()?;
        let is_erased = |digest: &Digest| gone.contains(digest) || erased.contains(digest);
        survey.missing.retain(|source| !is_erased(&source.digest));
        Ok(())
    }

    /// Takes the blocks of a batch: of one place if they give its root and are erased as the log says, else
    /// of both. What is kept of its erased events.
    fn take_batch(&self, salvage: &Salvage, stage: &Stage, told: &Told) -> Result<Vec<Erased>> {
        let checked = |way| {
            salvage.take(stage, way);
            if batch_root(self, stage)? != stage.batch_root {
                return Err(LedgerError::damaged("its events do not give its root"));
            }
            let erased = salvage.erased(stage.batch)?;
            told.fits(stage.batch, &erased).map(|fit| (fit, erased))
        };
        let mut best: Option<(Fit, Vec<Erased>, Held)> = None;
        let mut last = None;
        for way in Way::ALL {
            if best.is_some() && !way.is_whole() {
                break;
            }
            match checked(way) {
                Ok((fit, erased)) if told.sure && fit.done && fit.lost == 0 => return Ok(erased),
                // Where the end of the log is lost, whichever has more of its erasures is the later one.
                Ok((fit, erased)) if best.as_ref().is_none_or(|(other, ..)| fit > *other) => {
                    best = Some((fit, erased, salvage.held(stage.batch)));
                }
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        match (best, last) {
            (Some((_, erased, held)), _) => {
                salvage.take_again(stage.batch, held);
                Ok(erased)
            }
            (None, Some(error)) => Err(error),
            (None, None) => Err(LedgerError::damaged("its events are gone")),
        }
    }

    /// Says again what was erased of these batches by entries that are not in the sound log: else nothing
    /// would say that they are not lost.
    fn restate(
        &mut self,
        salvage: &Salvage,
        entries: &[Pick],
        mut erasing: Erasing,
        survey: &mut Survey,
    ) -> Result<()> {
        let last = survey.sound.size;
        for (was, batches) in erasing.split_off(&Position(last.0 + 1)) {
            let at = Position(self.position().0 + 1);
            salvage.moves(was, at);
            let mut parts = Vec::new();
            for batch in batches {
                let mut erased = salvage.erased(batch)?;
                erased.retain(|one| one.entry == was);
                erased.iter_mut().for_each(|one| one.entry = at);
                let erased: Vec<&Erased> = erased.iter().collect();
                let (events, records) = (erased.len() as u64, codec::records_digest(&erased)?);
                parts.push(ErasedPart { batch, events, records });
            }
            let known = erase_at(entries, was);
            survey.ends &= known.is_some(); // else it was behind everything that is here
            survey.restated.push(Restated {
                at,
                was,
                known: known.is_some(),
                batches: parts.iter().map(|part| part.batch).collect(),
                events: parts.iter().map(|part| part.events).sum(),
            });
            let said = known.map_or("what it said is lost", |(_, reason)| reason.as_str());
            let reason = format!("{said} (entry {was} of the ledger that this was recovered from)");
            let like = known.map(|(entry, _)| entry).or(self.entries().last());
            let entry = Entry {
                time_ms: like.map_or(0, |entry| entry.time_ms),
                actor: known.map_or("unknown", |(entry, _)| &entry.actor).to_owned(),
                tool: like.map(|entry| entry.tool.clone()).unwrap_or_default(),
                kind: EntryKind::Erase(Erase { reason, parts }),
            };
            let bytes = codec::encode_entry(&entry)?;
            salvage.put_entry(at.0, &bytes)?;
            self.take(entry, &bytes);
        }
        Ok(())
    }

    /// The sources that [are gone](Self::gone), also where a manifest that is lost could say that a later
    /// batch asked for them again.
    fn gone_for_good(&self) -> Result<BTreeSet<Digest>> {
        Ok(self.gone_unless(|_| true, false)?.into_keys().collect())
    }
}

/// The entry of an erasure, and its reason.
fn erase_at(entries: &[Pick], at: Position) -> Option<(&Entry, &String)> {
    let entry = &entries.get(usize::try_from(at.0).ok()?.checked_sub(1)?)?.entry;
    match &entry.kind {
        EntryKind::Erase(erase) => Some((entry, &erase.reason)),
        _ => None,
    }
}

fn unfinished(mirrored: bool, position: u64) -> Damage {
    let place = if mirrored { "mirror" } else { "engine" };
    let what = format!("entry #{position} was not finished, and nobody was told of it");
    Damage { place: place.to_owned(), what }
}
