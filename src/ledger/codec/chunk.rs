//! Chunks of views: the events of one symbol and period, with the batch of each.
//!
//! They are small and made often, so their numbers are packed in bits and only texts are compressed.
//! They follow from the log and can be made again; those of version 1 are still read.

use super::super::error::LedgerError;
use super::column::{Gathered, pack_bytes};
use super::columns::{self, Fields};
use super::v1::{ColumnsV1, HeadsV1, IntsV1, ItemsV1};
use super::v2::{BodyV2, ChunkV2};
use super::{
    Packing, Tag, V2, compress, config, decompress, from_bytes, from_bytes_of, lift, to_bytes_of,
};
use crate::domain::rows::Head;
use crate::domain::{Op, Rows, Symbol};
use std::ops::Range;

fn malformed() -> LedgerError {
    LedgerError::Malformed { what: "a view chunk" }
}

/// Encodes neighbouring events as a chunk; `batches` has the batch of each. Where they stand in their
/// sources is left out: that is in the log.
///
/// # Errors
/// More events or values than can be read back.
pub fn encode_chunk(
    rows: &Rows,
    range: Range<usize>,
    batches: &[u32],
) -> Result<Vec<u8>, LedgerError> {
    let heads: Vec<&Head> = rows.heads().get(range).unwrap_or_default().iter().collect();
    let fields = Fields::of(rows, &heads);
    let values: usize = fields.columns.iter().map(Gathered::len).sum();
    if heads.len() > columns::MAX_EVENTS || values > columns::MAX_VALUES {
        let what = format!("{} events of one symbol and year in a view", heads.len());
        return Err(LedgerError::Engine(format!("{what} are more than can be read back")));
    }
    let mut numbers = Vec::with_capacity(heads.len());
    let (items, item) = columns::items(rows, heads.iter().copied());
    let body = BodyV2 {
        batches: columns::pack_ints(&mut numbers, batches.iter().map(|batch| i64::from(*batch))),
        seqs: columns::pack_ints(&mut numbers, heads.iter().map(|head| i64::from(head.seq))),
        days: columns::pack_ints(&mut numbers, heads.iter().map(|head| i64::from(head.day.0))),
        symbol: columns::pack_ints(&mut numbers, heads.iter().map(|head| i64::from(head.symbol))),
        ops: pack_bytes(heads.iter().map(|head| u8::from(head.op == Op::Retract)).collect()),
        series: pack_bytes(heads.iter().map(|head| head.series.code()).collect()),
        shapes: fields.shapes,
        shape: columns::pack_ints(&mut numbers, fields.of.into_iter()),
        items,
        item: columns::pack_ints(&mut numbers, item.into_iter()),
        columns: fields.columns.into_iter().map(Gathered::packed).collect(),
    };
    let texts = columns::has_texts(&body.items, &body.columns);
    let raw = bincode::encode_to_vec(&body, config())
        .map_err(|error| LedgerError::Engine(format!("cannot encode: {error}")))?;
    let (raw_size, body) = match texts {
        true => (raw.len() as u32, compress(&raw, Packing::Columns)?),
        false => (0, raw),
    };
    let symbols = rows.symbols().iter().map(ToString::to_string).collect();
    let events = heads.len() as u32;
    to_bytes_of(Tag::Chunk, V2, &ChunkV2 { events, symbols, raw_size, body })
}

/// Decodes a chunk: its events and the batch of each.
///
/// # Errors
/// Bytes that are none.
pub fn decode_chunk(bytes: &[u8]) -> Result<(Rows, Vec<u32>), LedgerError> {
    let (count, names, packed, items) = match bytes {
        [_, version, ..] if *version >= V2 => lifted(bytes)?,
        _ => first_version(bytes)?,
    };
    let symbols = names.iter().map(|name| Symbol::exact(name).map_err(|_| malformed()));
    let symbols = symbols.collect::<Result<Vec<_>, _>>()?;
    let mut rows = Rows::new();
    let batches = columns::unpack(packed, count as usize, &symbols, &mut rows)?;
    if let Some(items) = items {
        columns::unpack_items(items, count as usize, &mut rows)?;
    }
    Ok((rows, batches))
}

/// Whether a chunk is of an earlier version: its bytes are not those that [`encode_chunk`] makes of
/// the same events.
pub fn is_earlier_chunk(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|version| *version < V2)
}

/// A chunk's events, symbols, columns and items.
type Parts = (u32, Vec<String>, ColumnsV1, Option<ItemsV1>);

fn first_version(bytes: &[u8]) -> Result<Parts, LedgerError> {
    let with_items = bytes.first() == Some(&(Tag::ItemChunk as u8));
    let tag = if with_items { Tag::ItemChunk } else { Tag::Chunk };
    let (count, names, raw_size, compressed): (u32, _, u32, Vec<u8>) =
        from_bytes(tag, "a view chunk", bytes)?;
    let raw = decompress(&compressed, raw_size as usize)?;
    let (packed, items) = match with_items {
        true => {
            let (packed, items) = whole(&raw)?;
            (packed, Some(items))
        }
        false => (whole(&raw)?, None),
    };
    Ok((count, names, packed, items))
}

fn whole<T: bincode::Decode<()>>(raw: &[u8]) -> Result<T, LedgerError> {
    match bincode::decode_from_slice(raw, config()) {
        Ok((value, used)) if used == raw.len() => Ok(value),
        _ => Err(malformed()),
    }
}

/// The second version as columns of the first, which is what events are made of.
fn lifted(bytes: &[u8]) -> Result<Parts, LedgerError> {
    let ChunkV2 { events, symbols, raw_size, body } =
        from_bytes_of(Tag::Chunk, V2, "a view chunk", bytes)?;
    let raw = if raw_size == 0 { body } else { decompress(&body, raw_size as usize)? };
    let body: BodyV2 = whole(&raw)?;
    let count = events as usize;
    let none = || IntsV1::Same(0);
    let heads = HeadsV1 {
        batches: lift::ints(&body.batches, count)?,
        seqs: lift::ints(&body.seqs, count)?,
        sources: none(),
        lines: none(),
        gaps: none(),
        lens: none(),
        ops: body.ops,
        series: body.series,
        days: lift::ints(&body.days, count)?,
        symbols: lift::ints(&body.symbol, count)?,
        shapes: body.shapes,
        shape: lift::ints(&body.shape, count)?,
    };
    let items = lift::items(body.items, &body.item, count)?;
    Ok((events, symbols, ColumnsV1 { heads, columns: lift::values(body.columns)? }, items))
}

#[cfg(test)]
mod tests {
    use super::super::packed::IntsV2;
    use super::super::v2::{ColumnV2, DigitsV2};
    use super::*;
    use crate::domain::rows::Place;
    use crate::domain::{Day, Field, Series, Value};

    /// Events of several shapes, with gaps, wide numbers, texts and something taken back.
    fn sample(items: bool) -> (Rows, Vec<u32>) {
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"BRK.B".parse().unwrap());
        let whole = rows.intern_shape(&[Field::Known(10), Field::Known(11)]);
        let part = rows.intern_shape(&[Field::Known(11), Field::of(Series::Iv, "note")]);
        for seq in 0..300u32 {
            let place = Place { seq: seq * 3, source: 0, line: 0, offset: 0, len: 0 };
            let day = Day(20_000 + seq as i32);
            let number = |text: String| Value::from_json_number(&text);
            match seq % 7 {
                5 => rows.push(place, Series::Iv, Op::Retract, symbol, day, part, []),
                3 => {
                    let values = [Value::Null, Value::Text(format!("note {seq}").into())];
                    rows.push(place, Series::Iv, Op::Put, symbol, day, part, values);
                }
                _ => {
                    let wide = number("-79228162514264337593543950335".into());
                    let first = number(format!("0.{}", 4_000 + seq));
                    let second = if seq == 200 { wide } else { number(format!("{seq}.5")) };
                    rows.push(place, Series::Iv, Op::Put, symbol, day, whole, [first, second]);
                }
            }
            if items && seq % 2 == 0 {
                let item = rows.intern_item(&format!("item {}", seq % 10));
                rows.set_item(item);
            }
        }
        (rows, (0..300).map(|seq| seq / 250 + 1).collect())
    }

    fn same(rows: &Rows, range: Range<usize>, back: &Rows) {
        assert_eq!(back.len(), range.len());
        for (want, found) in range.filter_map(|index| rows.get(index)).zip(back.iter()) {
            let places = |head: &Head| Head { symbol: 0, shape: 0, item: 0, first: 0, ..*head };
            assert_eq!(places(found.head), places(want.head));
            assert_eq!((found.symbol, found.item), (want.symbol, want.item));
            assert_eq!((found.shape, found.values), (want.shape, want.values));
        }
    }

    #[test]
    fn chunks_come_back_and_damaged_ones_never_panic() {
        for (items, range) in [(false, 0..300), (true, 0..300), (false, 17..18), (false, 0..0)] {
            let (rows, batches) = sample(items);
            let bytes = encode_chunk(&rows, range.clone(), &batches[range.clone()]).unwrap();
            let (back, of) = decode_chunk(&bytes).unwrap();
            same(&rows, range.clone(), &back);
            assert_eq!(of, batches[range.clone()]);
            assert!(!is_earlier_chunk(&bytes));
            let (again, len) = (back, range.len());
            assert_eq!(encode_chunk(&again, 0..len, &of).unwrap(), bytes, "one spelling");
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << (at % 8);
                let _ = decode_chunk(&bad);
                assert!(decode_chunk(&bytes[..at]).is_err(), "cut at {at}");
            }
        }
    }

    #[test]
    fn a_year_of_one_vendor_takes_a_few_bytes_a_day() {
        let mut rows = Rows::new();
        let symbol = rows.intern_symbol(&"AAPL".parse().unwrap());
        let shape = rows.intern_shape(&[Field::Known(10), Field::Known(11)]);
        for seq in 0..250u32 {
            let place = Place { seq, source: 0, line: 0, offset: 0, len: 0 };
            let value = |of: u32| Value::from_json_number(&format!("0.{}", 2_000 + of * of % 97));
            let values = [value(seq), value(seq + 3)];
            rows.push(place, Series::Iv, Op::Put, symbol, Day(20_000 + seq as i32), shape, values);
        }
        let bytes = encode_chunk(&rows, 0..250, &[1; 250]).unwrap();
        // Two columns of differences up to 96 in eight bits; days and numbers are even.
        assert!(bytes.len() < 250 * 2 + 100, "{}", bytes.len());
    }

    #[test]
    fn a_chunk_of_the_first_version_is_read() {
        // As it was written before the second one.
        let (rows, batches) = sample(false);
        let order: Vec<u32> = (0..300).collect();
        let (packed, _) = lift::columns(columns::pack(&rows, &order, &[0]), 300).unwrap();
        let batches_of = batches.iter().map(|batch| i64::from(*batch));
        let batches_of = columns::pack_ints(&mut Vec::new(), batches_of);
        let heads = HeadsV1 { batches: lift::ints(&batches_of, 300).unwrap(), ..packed.heads };
        let raw = bincode::encode_to_vec(ColumnsV1 { heads, ..packed }, config()).unwrap();
        let wire =
            (300u32, vec!["BRK.B"], raw.len() as u32, compress(&raw, Packing::Columns).unwrap());
        let bytes = super::super::to_bytes(Tag::Chunk, &wire).unwrap();
        assert!(is_earlier_chunk(&bytes));
        let (back, of) = decode_chunk(&bytes).unwrap();
        same(&rows, 0..300, &back);
        assert_eq!(of, batches);
    }

    #[test]
    fn a_few_bytes_cannot_ask_for_any_memory() {
        let column = || ColumnV2 {
            forms: pack_bytes(vec![2]),
            digits: DigitsV2::Aligned(1 << 20, IntsV2::Even(1, 0)),
            texts: Vec::new(),
        };
        let none = || IntsV2::Even(0, 0);
        let body = BodyV2 {
            batches: none(),
            seqs: none(),
            days: none(),
            symbol: none(),
            ops: pack_bytes(vec![0]),
            series: pack_bytes(vec![1]),
            shapes: Vec::new(),
            shape: none(),
            items: Vec::new(),
            item: none(),
            columns: (0..1000).map(|_| column()).collect(),
        };
        let body = bincode::encode_to_vec(body, config()).unwrap();
        let chunk = ChunkV2 { events: 1, symbols: vec!["A".into()], raw_size: 0, body };
        let bytes = to_bytes_of(Tag::Chunk, V2, &chunk).unwrap();
        assert!(matches!(decode_chunk(&bytes), Err(LedgerError::Malformed { .. })));
    }
}
