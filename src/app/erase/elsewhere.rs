//! Which other batches have the rows of an erasure too: a replayed batch has the rows of the first.

use crate::app::error::Result;
use crate::app::report::ElsewhereLine;
use crate::domain::{BatchId, Digest, EventId, Symbol, Window};
use crate::ledger::Ledger;
use crate::ledger::codec::Manifest;
use crate::ledger::erase::Selection;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most events of a batch that are named one by one; of more only the count is told.
const NAMED: usize = 1_000;

/// The rows and rejected rows of a window by number, source and line.
fn places(window: &Window) -> impl Iterator<Item = (u32, u32, u32)> {
    let rows = window.rows.heads().iter().map(|head| (head.seq, head.source, head.line));
    rows.chain(window.rejects.iter().map(|reject| (reject.seq, reject.source, reject.line)))
}

/// A source and the symbol that it was read for: two symbols may have files of the same bytes.
type Read = (Digest, Option<Symbol>);

fn read_of(manifest: &Manifest, source: u32) -> Option<Read> {
    let source = manifest.sources.get(source as usize)?;
    Some((source.digest, source.symbol.clone()))
}

/// The batches outside a selection with rows of the same lines of the same sources.
///
/// # Errors
/// Damage met on the way.
pub fn elsewhere(ledger: &Ledger, selection: &Selection) -> Result<Vec<ElsewhereLine>> {
    let shared = shared(ledger)?;
    let mut wanted: BTreeMap<Read, HashSet<u32>> = BTreeMap::new();
    for (id, numbers) in selection {
        let Some(batch) = ledger.batches().get(*id) else { continue };
        let manifest = ledger.known_manifest(&batch.stage)?;
        if !manifest.sources.iter().any(|source| shared.contains(&source.digest)) {
            continue;
        }
        let mut reader = ledger.read(*id);
        while let Some(window) = reader.next_window()? {
            for (_, source, line) in places(&window).filter(|(seq, ..)| numbers.contains(seq)) {
                let read = read_of(&manifest, source);
                if let Some(read) = read.filter(|(digest, _)| shared.contains(digest)) {
                    wanted.entry(read).or_default().insert(line);
                }
            }
        }
    }
    let mut found = Vec::new();
    let none = BTreeSet::new();
    for (id, batch) in ledger.batches().iter() {
        let manifest = ledger.known_manifest(&batch.stage)?;
        let reads = 0..manifest.sources.len() as u32;
        let reads: Vec<Read> = reads.filter_map(|source| read_of(&manifest, source)).collect();
        if !reads.iter().any(|read| wanted.contains_key(read)) {
            continue;
        }
        let goes = selection.get(&id).unwrap_or(&none);
        let (mut same, mut left, mut named) = (0, 0, Vec::new());
        let mut reader = ledger.read(id);
        while let Some(window) = reader.next_window()? {
            for (seq, source, line) in places(&window).filter(|(seq, ..)| !goes.contains(seq)) {
                left += 1;
                let lines = reads.get(source as usize).and_then(|read| wanted.get(read));
                if lines.is_some_and(|lines| lines.contains(&line)) {
                    same += 1;
                    if named.len() < NAMED {
                        named.push(EventId { batch: id, seq });
                    }
                }
            }
        }
        if same > 0 {
            found.push(ElsewhereLine {
                batch: id.to_string(),
                state: batch.state().name(),
                events: same,
                of: batch.stage.events,
                what: words(id, same == left, &named),
            });
        }
    }
    Ok(found)
}

/// The sources that several batches have. Mostly there is none, and then no row is looked at.
fn shared(ledger: &Ledger) -> Result<BTreeSet<Digest>> {
    let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
    for (_, batch) in ledger.batches().iter() {
        let manifest = ledger.known_manifest(&batch.stage)?;
        let own: BTreeSet<Digest> = manifest.sources.iter().map(|source| source.digest).collect();
        shared.extend(own.into_iter().filter(|digest| !seen.insert(*digest)));
    }
    Ok(shared)
}

/// What `erase` is told, to erase these too.
fn words(id: BatchId, whole: bool, named: &[EventId]) -> Vec<String> {
    match whole {
        true => vec![id.to_string()],
        false => named.iter().map(EventId::to_string).collect(),
    }
}
