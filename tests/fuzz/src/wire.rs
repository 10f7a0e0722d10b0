//! What stands around stored bytes, written by hand: without seals, checksums and compression that
//! fit, a fuzzer would hardly ever come to what is inside. `src/ledger/FORMAT.md` has it all.

use volledger::ledger::hash::content;

/// Bytes with their digest behind them.
pub fn sealed(bytes: &[u8]) -> Vec<u8> {
    [bytes, &content(bytes).0].concat()
}

/// An integer as bincode's standard configuration writes it.
fn put(out: &mut Vec<u8>, value: u64) {
    match value {
        0..=250 => out.push(value as u8),
        251..=0xffff => {
            out.push(251);
            out.extend((value as u16).to_le_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(252);
            out.extend((value as u32).to_le_bytes());
        }
        _ => {
            out.push(253);
            out.extend(value.to_le_bytes());
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

/// A zstd frame that holds its bytes as they are.
fn stored(raw: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    out.extend((raw.len() as u32).to_le_bytes());
    let mut pieces = raw.chunks(100_000).peekable();
    if raw.is_empty() {
        out.extend([1, 0, 0]);
    }
    while let Some(piece) = pieces.next() {
        let head = (piece.len() as u32) << 3 | u32::from(pieces.peek().is_none());
        out.extend(&head.to_le_bytes()[..3]);
        out.extend(piece);
    }
    out
}

/// A sealed block of events of one symbol, which unpack to `raw`.
pub fn block(events: u32, series: u8, codec: u8, raw: &[u8]) -> Vec<u8> {
    let version = if matches!(codec, 4 | 5) { 2 } else { 1 };
    let mut out = vec![b'B', version];
    put(&mut out, 0);
    put(&mut out, u64::from(events));
    put(&mut out, u64::from(events));
    out.push(series);
    put(&mut out, u64::from(series > 0));
    if series > 0 {
        put_bytes(&mut out, b"VOLA");
        put(&mut out, u64::from(events));
    }
    put(&mut out, 39_000); // days, zigzag
    put(&mut out, 39_010);
    out.push(codec);
    put(&mut out, raw.len() as u64);
    match codec {
        4 => put_bytes(&mut out, raw),
        _ => put_bytes(&mut out, &stored(raw)),
    }
    sealed(&out)
}

/// A view chunk of one symbol, of the first version.
pub fn chunk(tag: u8, events: u32, raw: &[u8]) -> Vec<u8> {
    whole_chunk([tag, 1], events, raw.len(), &stored(raw))
}

/// One of the second version, whose body is as it is, or packed.
pub fn chunk_v2(events: u32, body: &[u8], packed: bool) -> Vec<u8> {
    match packed {
        true => whole_chunk([b'C', 2], events, body.len(), &stored(body)),
        false => whole_chunk([b'C', 2], events, 0, body),
    }
}

fn whole_chunk(head: [u8; 2], events: u32, size: usize, body: &[u8]) -> Vec<u8> {
    let mut out = head.to_vec();
    put(&mut out, u64::from(events));
    put(&mut out, 1);
    put_bytes(&mut out, b"VOLA");
    put(&mut out, size as u64);
    put_bytes(&mut out, body);
    out
}

/// A bundle whose frames have the checksums, and whose blocks have the seals, that fit what they
/// hold. What is not a frame stays.
pub fn mended(bundle: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(bundle.len()), bundle);
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some((body, after)) = after.split_at_checked(length) else { break };
        let mut body = body.to_vec();
        if body.first() == Some(&b'B') && body.len() > 41 {
            let end = body.len() - 32;
            let seal = content(&body[9..end]).0;
            body[end..].copy_from_slice(&seal);
        }
        out.extend((body.len() as u32).to_le_bytes());
        out.extend(crc32c::crc32c(&body).to_le_bytes());
        out.extend(&body);
        rest = after;
    }
    out.extend(rest);
    out
}

/// The blocks of a bundle.
pub fn blocks_of(bundle: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut rest) = (Vec::new(), bundle);
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some((body, after)) = after.split_at_checked(length) else { break };
        // The kind, batch and index stand before it.
        found.extend(body.strip_prefix(b"B").and_then(|body| body.get(8..)));
        rest = after;
    }
    found
}

/// Reads what [`put`] wrote.
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        251 => 2,
        252 => 4,
        253 => 8,
        small => {
            *bytes = rest;
            return Some(u64::from(*small));
        }
    };
    let (number, rest) = rest.split_at_checked(width)?;
    *bytes = rest;
    Some(number.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(bytes)? as usize;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// What a block holds: events, series, codec, unpacked bytes.
pub fn of_block(block: &[u8]) -> Option<(u32, u8, u8, Vec<u8>)> {
    let mut bytes = block.get(2..)?;
    let rest = &mut bytes;
    let (_, _, events) = (take(rest)?, take(rest)?, take(rest)?);
    let series = take(rest)? as u8;
    for _ in 0..take(rest)? {
        let (_, _) = (take_bytes(rest)?, take(rest)?);
    }
    let (_, _, codec) = (take(rest)?, take(rest)?, take(rest)? as u8);
    let size = take(rest)? as usize;
    let packed = take_bytes(rest)?;
    let raw = match codec {
        0 | 4 => packed.to_vec(),
        _ => volledger::ledger::codec::decompress(packed, size).ok()?,
    };
    Some((events as u32, series, codec, raw))
}

/// What a view chunk of the second version holds: events, and its body unpacked.
pub fn of_chunk(chunk: &[u8]) -> Option<(u32, Vec<u8>)> {
    let mut bytes = chunk.strip_prefix(b"C\x02")?;
    let rest = &mut bytes;
    let events = take(rest)? as u32;
    for _ in 0..take(rest)? {
        take_bytes(rest)?;
    }
    let size = take(rest)? as usize;
    let body = take_bytes(rest)?;
    Some(match size {
        0 => (events, body.to_vec()),
        _ => (events, volledger::ledger::codec::decompress(body, size).ok()?),
    })
}
