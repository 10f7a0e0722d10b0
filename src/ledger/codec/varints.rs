//! Long lists of numbers in bincode's layout, read and written at once: a block has a dozen of them,
//! and most of its numbers take one byte.

use bincode::de::Decoder;
use bincode::de::read::Reader;
use bincode::enc::Encoder;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use bincode::{Decode, Encode};

/// Numbers whose stored bytes are those of a `Vec<i64>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Varints(pub Vec<i64>);

const INT: usize = size_of::<i64>();

/// A number as one without a sign: small ones stay small.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Reverses [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The number that nine bytes begin with, and how many of them it takes; `None` for a mark that
/// no such number has.
fn first_of(bytes: &[u8; 9]) -> Option<(u64, usize)> {
    let [mark, a, b, c, d, e, f, g, h] = *bytes;
    Some(match mark {
        0..=250 => (u64::from(mark), 1),
        251 => (u64::from(u16::from_le_bytes([a, b])), 3),
        252 => (u64::from(u32::from_le_bytes([a, b, c, d])), 5),
        253 => (u64::from_le_bytes([a, b, c, d, e, f, g, h]), 9),
        _ => return None,
    })
}

/// Whether each of eight bytes is a number of its own.
fn are_small(bytes: [u8; 8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(bytes);
    // Adding 5 carries into the top bit of what is 251 or more, where that bit is set besides.
    ((word & (0x7f * EACH)) + 5 * EACH) & word & (0x80 * EACH) == 0
}

impl Encode for Varints {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        let mut bytes = Vec::with_capacity(2 * self.0.len());
        for value in &self.0 {
            let value = zigzag(*value);
            if value <= 250 {
                bytes.push(value as u8);
            } else if let Ok(value) = u16::try_from(value) {
                let [a, b] = value.to_le_bytes();
                bytes.extend_from_slice(&[251, a, b]);
            } else if let Ok(value) = u32::try_from(value) {
                bytes.push(252);
                bytes.extend_from_slice(&value.to_le_bytes());
            } else {
                bytes.push(253);
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        encoder.writer().write(&bytes)
    }
}

impl<C> Decode<C> for Varints {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let count = u64::decode(decoder)?;
        let count = usize::try_from(count).map_err(|_| DecodeError::OutsideUsizeRange(count))?;
        // Checks the length against the limit before memory is asked for.
        decoder.claim_container_read::<i64>(count)?;
        let mut values = Vec::with_capacity(count);
        while values.len() < count {
            let next = decoder.reader().peek_read(9).and_then(|next| next.first_chunk::<9>());
            let eight = next.and_then(|next| next.first_chunk::<8>()).copied();
            if let Some(eight) = eight.filter(|eight| are_small(*eight))
                && count - values.len() >= eight.len()
            {
                decoder.reader().consume(eight.len());
                values.extend(eight.map(|byte| unzigzag(u64::from(byte))));
            } else if let Some((value, used)) = next.and_then(first_of) {
                decoder.reader().consume(used);
                values.push(unzigzag(value));
            } else {
                // The last bytes, and what is no number: bincode's own reader has the error.
                decoder.unclaim_bytes_read(INT);
                values.push(i64::decode(decoder)?);
            }
        }
        Ok(Self(values))
    }
}

bincode::impl_borrow_decode!(Varints);

#[cfg(test)]
mod tests {
    use super::super::{MAX_BODY, config};
    use super::*;

    fn samples() -> Vec<i64> {
        let edges = [0, 1, 124, 125, 126, 32_767, 32_768, 1 << 31, 1 << 40, i64::MAX, i64::MIN];
        edges.iter().flat_map(|edge| [*edge, edge.wrapping_neg(), edge.wrapping_sub(1)]).collect()
    }

    #[test]
    fn bytes_are_those_of_a_plain_list_in_both_directions() {
        for count in 0..samples().len() {
            let values = samples().split_off(count);
            let plain = bincode::encode_to_vec(&values, config()).unwrap();
            assert_eq!(bincode::encode_to_vec(Varints(values.clone()), config()).unwrap(), plain);
            let back: (Varints, usize) = bincode::decode_from_slice(&plain, config()).unwrap();
            assert_eq!(back, (Varints(values), plain.len()));
        }
    }

    #[test]
    fn what_a_plain_list_refuses_is_refused() {
        let plain = bincode::encode_to_vec(samples(), config()).unwrap();
        let same = |bytes: &[u8]| {
            let ours = bincode::decode_from_slice::<Varints, _>(bytes, config());
            let theirs = bincode::decode_from_slice::<Vec<i64>, _>(bytes, config());
            assert_eq!(ours.map(|(v, n)| (v.0, n)).ok(), theirs.ok(), "{bytes:?}");
        };
        (0..plain.len()).for_each(|cut| same(&plain[..cut]));
        for at in 0..plain.len() {
            for byte in [0, 250, 251, 252, 253, 254, 255] {
                let mut bad = plain.clone();
                bad[at] = byte;
                same(&bad);
            }
        }
        // Longer than anything that is decoded: refused before memory is asked for.
        let long = bincode::encode_to_vec((MAX_BODY / 8 + 1) as u64, config()).unwrap();
        same(&long);
        same(&bincode::encode_to_vec(u64::MAX, config()).unwrap());
    }
}
