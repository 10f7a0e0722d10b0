//! Blocks: up to 4,096 row events in one stored value, sealed with a digest of its own bytes.

use super::super::canon;
use super::super::error::LedgerError;
use super::super::hash::content;
use super::super::store::MAX_VALUE;
use super::v1::{BlockV1, ColumnsV1, HeadsV1, ItemsV1, RejectV1};
use super::v2::{ColumnsV2, HeadsV2};
use super::{
    MAX_BODY, Packing, Tag, V1, V2, columns, compress, decompress, erased, from_bytes_of, lift,
    to_bytes_of,
};
use crate::domain::{Day, Digest, Erased, Reject, Rows, Series, Symbol, Window};

/// Most events in a block. At the usual 6 to 20 bytes a row a block stays far below the engine's
/// safe value size.
pub const BLOCK_EVENTS: usize = 4_096;

/// Most rejected rows in a block: they are seldom, and their raw text compresses badly.
const REJECTS: usize = 128;

/// Larger plain blocks are halved: one of long texts must stay below what is decoded.
const MAX_PLAIN: usize = 16 << 20;

/// How a block's events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Canonical bytes one after the other: large, and readable with a page of Python.
    Plain,
    /// Columns: what the ledger stores.
    Columns,
}

/// The codec numbers: canonical bytes.
const PLAIN: u8 = 0;
/// Columns of the first version; rejects.
const COLUMNS: u8 = 1;
/// Columns of the first version with items beside them.
const ITEMS: u8 = 2;
/// Columns of packed numbers, of rows that are neighbours in their source.
const PACKED: u8 = 4;
/// Columns of packed numbers with texts, compressed.
const TEXTS: u8 = 5;

/// What a block says about itself before its events are unpacked.
#[derive(Clone, Debug)]
pub struct BlockHeader {
    /// Index of the first event of the block's window.
    pub window_first: u32,
    /// Events of the window, over all its blocks.
    pub window_events: u32,
    /// Events of this block.
    pub events: u32,
    /// Series of the events; `None` for a block of rejects.
    pub series: Option<Series>,
    /// Symbols, ascending, with the number of their events.
    pub symbols: Vec<(Symbol, u32)>,
    /// Smallest and largest day.
    pub days: (Day, Day),
}

/// Encodes a window as blocks.
pub fn encode_blocks(window: &Window, codec: Codec) -> Result<Vec<Vec<u8>>, LedgerError> {
    let rows = &window.rows;
    let firsts = rows.heads().iter().map(|head| head.seq);
    let others = window.rejects.iter().map(|reject| reject.seq);
    let others = others.chain(window.erased.iter().map(|erased| erased.seq));
    let first = firsts.chain(others).min().unwrap_or(0);
    let events = window.len() as u32;
    let order = columns::block_order(rows);
    let rejects: Vec<&[Reject]> = window.rejects.chunks(REJECTS).collect();
    let encode = |part: &[u32]| encode_rows(rows, part, (first, events), codec);
    let widest = rows.shapes().iter().map(|shape| shape.len()).max().unwrap_or(0);
    let most = BLOCK_EVENTS.min(columns::MAX_VALUES / widest.max(1)).max(1);
    let mut blocks = fitting(columns::cut(rows, &order, most), codec, encode)?;
    let encode = |part: &[Reject]| encode_rejects(part, (first, events), codec);
    blocks.extend(fitting(rejects, codec, encode)?);
    for part in window.erased.chunks(erased::MOST) {
        let raw = erased::encode(part)?;
        blocks.push(seal((first, events), part.len(), 0, Vec::new(), (0, 0), erased::CODEC, raw)?);
    }
    Ok(blocks)
}

/// Encodes what is kept of the erased events of a block again, in the place that its header says.
pub fn encode_erased(header: &BlockHeader, erased: &[Erased]) -> Result<Vec<u8>, LedgerError> {
    let window = (header.window_first, header.window_events);
    let raw = erased::encode(erased)?;
    seal(window, erased.len(), 0, Vec::new(), (0, 0), erased::CODEC, raw)
}

/// A block, and the size of what is packed in it.
type Packed = (Vec<u8>, usize);

/// Encodes each part as a block. Unusual values (long texts) can outgrow the engine's safe size,
/// and the size that is decoded again: the events of such a block and of those behind it are halved.
fn fitting<T>(
    mut parts: Vec<&[T]>,
    codec: Codec,
    encode: impl Fn(&[T]) -> Result<Packed, LedgerError>,
) -> Result<Vec<Vec<u8>>, LedgerError> {
    let most = match codec {
        Codec::Columns => MAX_VALUE,
        Codec::Plain => MAX_PLAIN,
    };
    let mut blocks = Vec::with_capacity(parts.len());
    parts.reverse();
    while let Some(part) = parts.pop() {
        let (bytes, size) = encode(part)?;
        if (bytes.len() > most || size > MAX_BODY) && part.len() > 1 {
            // What follows is most often like it.
            let half = part.len().div_ceil(2);
            parts.push(part);
            parts = parts.iter().flat_map(|part| part.chunks(half).rev()).collect();
        } else if size > MAX_BODY {
            return Err(LedgerError::TooLarge { size });
        } else {
            blocks.push(bytes);
        }
    }
    Ok(blocks)
}

fn encode_rows(
    rows: &Rows,
    order: &[u32],
    window: (u32, u32),
    codec: Codec,
) -> Result<Packed, LedgerError> {
    let runs = columns::symbol_runs(rows, order);
    let mut local = vec![0u32; rows.symbols().len()];
    let mut symbols = Vec::with_capacity(runs.len());
    for (index, (symbol, count)) in runs.iter().enumerate() {
        if let Some(slot) = local.get_mut(*symbol as usize) {
            *slot = index as u32;
        }
        let name = rows.symbols().get(*symbol as usize).map(ToString::to_string);
        symbols.push((name.unwrap_or_default(), *count));
    }
    let heads = order.iter().filter_map(|index| rows.heads().get(*index as usize));
    let days = heads.clone().map(|head| head.day.0);
    let days = (days.clone().min().unwrap_or(0), days.max().unwrap_or(0));
    let series = heads.clone().next().map_or(0, |head| head.series.code());
    let (number, raw) = match codec {
        Codec::Columns => {
            let packed = columns::pack(rows, order, &local);
            match columns::has_texts(&packed.heads.items, &packed.columns) {
                _ if !columns::are_neighbours(rows, order) => first_version(packed, order.len())?,
                true => (TEXTS, encode(&packed)?),
                false => (PACKED, encode(&packed)?),
            }
        }
        Codec::Plain => {
            let mut out = Vec::new();
            for row in order.iter().filter_map(|index| rows.get(*index as usize)) {
                let mut event = Vec::new();
                canon::put_row(&mut event, row);
                put_plain(&mut out, row.head.seq - window.0, &event);
            }
            (PLAIN, out)
        }
    };
    let size = raw.len();
    Ok((seal(window, order.len(), series, symbols, days, number, raw)?, size))
}

/// Rows that were brought together from all over their source: there zstd finds what repeats. Of a file in
/// date order it leaves 8.5 bytes a row, where packed numbers take 15.8.
fn first_version(packed: ColumnsV2, count: usize) -> Result<(u8, Vec<u8>), LedgerError> {
    Ok(match lift::columns(packed, count)? {
        (columns, Some(items)) => (ITEMS, encode(&(columns, items))?),
        (columns, None) => (COLUMNS, encode(&columns)?),
    })
}

fn encode<T: bincode::Encode>(value: &T) -> Result<Vec<u8>, LedgerError> {
    bincode::encode_to_vec(value, super::config())
        .map_err(|error| LedgerError::Engine(format!("cannot encode: {error}")))
}

fn encode_rejects(
    rejects: &[Reject],
    window: (u32, u32),
    codec: Codec,
) -> Result<Packed, LedgerError> {
    let (number, raw) = match codec {
        Codec::Columns => {
            let wire: Vec<RejectV1> = rejects
                .iter()
                .map(|r| RejectV1 {
                    seq: r.seq,
                    source: r.source,
                    line: r.line,
                    offset: r.offset,
                    len: r.len,
                    series: r.series.code(),
                    code: r.code.to_string(),
                    raw: r.raw.to_string(),
                })
                .collect();
            (COLUMNS, encode(&wire)?)
        }
        Codec::Plain => {
            let mut out = Vec::new();
            for reject in rejects {
                let mut event = Vec::new();
                canon::put_reject(&mut event, reject);
                put_plain(&mut out, reject.seq - window.0, &event);
            }
            (PLAIN, out)
        }
    };
    let size = raw.len();
    Ok((seal(window, rejects.len(), 0, Vec::new(), (0, 0), number, raw)?, size))
}

fn put_plain(out: &mut Vec<u8>, seq_in_window: u32, event: &[u8]) {
    canon::put_uint(out, u128::from(seq_in_window));
    canon::put_uint(out, event.len() as u128);
    out.extend_from_slice(event);
}

fn seal(
    (window_first, window_events): (u32, u32),
    events: usize,
    series: u8,
    symbols: Vec<(String, u32)>,
    days: (i32, i32),
    codec: u8,
    raw: Vec<u8>,
) -> Result<Vec<u8>, LedgerError> {
    let raw_size = u32::try_from(raw.len()).unwrap_or(u32::MAX);
    let payload = match codec {
        PLAIN | PACKED | erased::CODEC => raw,
        _ => compress(&raw, Packing::Columns)?,
    };
    let version = if codec < PACKED { V1 } else { V2 };
    let events = events as u32;
    let block = BlockV1 {
        window_first,
        window_events,
        events,
        series,
        symbols,
        days,
        codec,
        raw_size,
        payload,
    };
    let mut bytes = to_bytes_of(Tag::Block, version, &block)?;
    let digest = content(&bytes);
    bytes.extend_from_slice(&digest.0);
    Ok(bytes)
}

/// Checks the seal and reads what is before the events.
fn open(bytes: &[u8]) -> Result<(BlockHeader, u8, usize, Vec<u8>), LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a block" };
    let (body, seal) = bytes.split_last_chunk::<32>().ok_or_else(malformed)?;
    if content(body) != Digest(*seal) {
        return Err(LedgerError::damaged("a block's bytes do not match their digest"));
    }
    let version = body.get(1).map_or(V1, |version| (*version).clamp(V1, V2));
    let block: BlockV1 = from_bytes_of(Tag::Block, version, "a block", body)?;
    let mut symbols = Vec::with_capacity(block.symbols.len());
    for (name, count) in &block.symbols {
        symbols.push((Symbol::exact(name).map_err(|_| malformed())?, *count));
    }
    let series = match block.series {
        0 => None,
        code => Some(Series::from_code(code).ok_or_else(malformed)?),
    };
    let header = BlockHeader {
        window_first: block.window_first,
        window_events: block.window_events,
        events: block.events,
        series,
        symbols,
        days: (Day(block.days.0), Day(block.days.1)),
    };
    Ok((header, block.codec, block.raw_size as usize, block.payload))
}

/// Reads a block's header; the seal is checked, the events stay packed.
pub fn read_header(bytes: &[u8]) -> Result<BlockHeader, LedgerError> {
    open(bytes).map(|(header, ..)| header)
}

/// Unpacks a block's events into a window.
pub fn decode_block(bytes: &[u8], into: &mut Window) -> Result<BlockHeader, LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a block" };
    let (header, codec, raw_size, payload) = open(bytes)?;
    let count = header.events as usize;
    let before = into.len();
    match (codec, header.series) {
        (PLAIN, _) => decode_plain(&payload, header.window_first, into)?,
        (erased::CODEC, None) => erased::decode(&payload, into)?,
        (COLUMNS, None) => decode_rejects(&unpacked(codec, raw_size, payload)?, count, into)?,
        (COLUMNS | ITEMS | PACKED | TEXTS, Some(_)) => {
            let raw = unpacked(codec, raw_size, payload)?;
            let (packed, items) = match codec {
                COLUMNS => (decode_exact(&raw)?, None),
                ITEMS => {
                    let (packed, items): (ColumnsV1, ItemsV1) = decode_exact(&raw)?;
                    (packed, Some(items))
                }
                _ => lift::columns(decode_exact(&raw)?, count)?,
            };
            columns::unpack(packed, count, &names(&header), &mut into.rows)?;
            if let Some(items) = items {
                columns::unpack_items(items, count, &mut into.rows)?;
            }
        }
        _ => return Err(malformed()),
    }
    if into.len() - before == count { Ok(header) } else { Err(malformed()) }
}

/// A payload before its compression.
fn unpacked(codec: u8, raw_size: usize, payload: Vec<u8>) -> Result<Vec<u8>, LedgerError> {
    if codec == PACKED { Ok(payload) } else { decompress(&payload, raw_size) }
}

/// The symbols of a block.
fn names(header: &BlockHeader) -> Vec<Symbol> {
    header.symbols.iter().map(|(symbol, _)| symbol.clone()).collect()
}

fn decode_plain(mut rest: &[u8], first: u32, into: &mut Window) -> Result<(), LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a block" };
    while !rest.is_empty() {
        let (seq, after) = take_uint(rest).ok_or_else(malformed)?;
        let (length, after) = take_uint(after).ok_or_else(malformed)?;
        let (event, after) = after.split_at_checked(length).ok_or_else(malformed)?;
        let seq = u32::try_from(seq).ok().and_then(|seq| first.checked_add(seq));
        let seq = seq.ok_or_else(malformed)?;
        canon::read_event(seq, event, &mut into.rows, &mut into.rejects)?;
        rest = after;
    }
    Ok(())
}

fn decode_rejects(raw: &[u8], count: usize, into: &mut Window) -> Result<(), LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a block" };
    // A few bytes unpack to as many rows as a payload has bytes.
    if first_of::<u64>(raw)?.0 != count as u64 {
        return Err(malformed());
    }
    for r in decode_exact::<Vec<RejectV1>>(raw)? {
        into.rejects.push(Reject {
            seq: r.seq,
            source: r.source,
            line: r.line,
            offset: r.offset,
            len: r.len,
            series: Series::from_code(r.series).ok_or_else(malformed)?,
            code: r.code.into(),
            raw: r.raw.into(),
        });
    }
    Ok(())
}

/// Unpacks the keys of a block's events into `rows`, without values, and mostly without their places
/// in the source: a review that finds nothing stored of a symbol has to look at neither.
///
/// # Errors
/// As [`decode_block`]. `None` for a block of another kind: its events have items, are rejected
/// rows, or stand there plainly.
pub fn decode_keys(bytes: &[u8], rows: &mut Rows) -> Result<Option<()>, LedgerError> {
    let (header, codec, raw_size, payload) = open(bytes)?;
    if header.series.is_none() || !matches!(codec, COLUMNS | PACKED | TEXTS) {
        return Ok(None);
    }
    let raw = unpacked(codec, raw_size, payload)?;
    let count = header.events as usize;
    let (heads, items) = match codec {
        COLUMNS => (first_of::<HeadsV1>(&raw)?.0, None),
        _ => lift::keys(first_of::<HeadsV2>(&raw)?.0, count)?,
    };
    if items.is_some() {
        return Ok(None);
    }
    columns::unpack_keys(heads, count, &names(&header), rows)?;
    Ok(Some(()))
}

/// What a payload begins with, and its size.
fn first_of<T: bincode::Decode<()>>(raw: &[u8]) -> Result<(T, usize), LedgerError> {
    bincode::decode_from_slice(raw, super::config())
        .map_err(|_| LedgerError::Malformed { what: "a block's payload" })
}

fn decode_exact<T: bincode::Decode<()>>(raw: &[u8]) -> Result<T, LedgerError> {
    match first_of(raw)? {
        (value, used) if used == raw.len() => Ok(value),
        _ => Err(LedgerError::Malformed { what: "a block's payload" }),
    }
}

fn take_uint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests;
