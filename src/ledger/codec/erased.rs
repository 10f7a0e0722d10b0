//! What is kept of erased events, and the control entries about them.

use super::super::error::LedgerError;
use super::super::hash::content;
use super::upcast::series_of;
use super::v1::ErasedV1;
use super::v3::EntryV3;
use super::{Tag, V3, config, from_bytes_of, to_bytes_of};
use crate::domain::{
    BatchId, Day, Digest, Entry, EntryKind, Erase, Erased, ErasedPart, Position, Symbol, Window,
};

/// The codec number of a block of erased events. Its payload is not compressed: hashes do not yield.
pub(super) const CODEC: u8 = 3;

/// Most erased events in a block: 400 of 33 bytes and a symbol stay below the engine's value size.
pub(super) const MOST: usize = 400;

pub(super) fn encode_entry(entry: &Entry, erase: &Erase) -> Result<Vec<u8>, LedgerError> {
    let parts = erase.parts.iter().map(|part| (part.batch.0, part.events, part.records.0));
    let wire = EntryV3 {
        time_ms: entry.time_ms,
        actor: entry.actor.clone(),
        tool: entry.tool.clone(),
        reason: erase.reason.clone(),
        parts: parts.collect(),
    };
    to_bytes_of(Tag::Entry, V3, &wire)
}

pub(super) fn decode_entry(bytes: &[u8]) -> Result<Entry, LedgerError> {
    let wire: EntryV3 = from_bytes_of(Tag::Entry, V3, "a control entry", bytes)?;
    let part = |(batch, events, records)| ErasedPart {
        batch: BatchId(batch),
        events,
        records: Digest(records),
    };
    let parts = wire.parts.into_iter().map(part).collect();
    let kind = EntryKind::Erase(Erase { reason: wire.reason, parts });
    Ok(Entry { time_ms: wire.time_ms, actor: wire.actor, tool: wire.tool, kind })
}

fn wire(erased: &Erased) -> ErasedV1 {
    ErasedV1 {
        seq: erased.seq,
        leaf: erased.leaf.0,
        entry: erased.entry.0,
        series: erased.series.code(),
        symbol: erased.symbol.as_ref().map(ToString::to_string).unwrap_or_default(),
        day: erased.day.0,
        source: erased.source,
    }
}

/// The payload of a block of erased events.
pub(super) fn encode(erased: &[Erased]) -> Result<Vec<u8>, LedgerError> {
    let wires: Vec<ErasedV1> = erased.iter().map(wire).collect();
    bincode::encode_to_vec(wires, config())
        .map_err(|error| LedgerError::Engine(format!("cannot encode: {error}")))
}

/// Reads such a payload into a window.
pub(super) fn decode(payload: &[u8], into: &mut Window) -> Result<(), LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a block of erased events" };
    let (wires, used): (Vec<ErasedV1>, usize) =
        bincode::decode_from_slice(payload, config()).map_err(|_| malformed())?;
    if used != payload.len() {
        return Err(malformed());
    }
    for wire in wires {
        let symbol = match wire.symbol.as_str() {
            "" => None,
            name => Some(Symbol::exact(name).map_err(|_| malformed())?),
        };
        into.erased.push(Erased {
            seq: wire.seq,
            leaf: Digest(wire.leaf),
            entry: Position(wire.entry),
            series: series_of(wire.series)?,
            symbol,
            day: Day(wire.day),
            source: wire.source,
        });
    }
    Ok(())
}

/// Digest over what is kept of the events that one entry erased of one batch, in the order of their
/// numbers: the entry has it, so nothing of a record can be altered afterwards.
pub fn records_digest(erased: &[&Erased]) -> Result<Digest, LedgerError> {
    let mut bytes = Vec::with_capacity(erased.len() * 48);
    for one in erased {
        bincode::encode_into_std_write(wire(one), &mut bytes, config())
            .map_err(|error| LedgerError::Engine(format!("cannot encode: {error}")))?;
    }
    Ok(content(&bytes))
}
