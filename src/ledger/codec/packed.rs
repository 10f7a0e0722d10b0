//! Lists of numbers in as few bits as their differences take, in groups of 64.
//!
//! A view's chunk has a few hundred numbers in each column: too few for a general compressor, whose
//! tables cost more time than the numbers, and enough for neighbours to be alike. So are those of a block
//! whose rows follow each other in their source.

use super::columns::malformed;
use super::varints::{unzigzag, zigzag};
use crate::ledger::error::LedgerError;
use bincode::{Decode, Encode};

/// Numbers in a group; each group has a width of its own, so that one odd number costs little.
const GROUP: usize = 64;

/// A column of numbers. Part of version 2 of the stored layouts: frozen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum IntsV2 {
    /// The first number, and what is added for each next one.
    Even(i64, i64),
    /// The first number, then the differences, zigzag: for each group of 64 the number of bits, u8,
    /// and so many bits of each, the lowest bits first, in whole bytes.
    Packed(i64, Vec<u8>),
}

fn bytes_of(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Packs numbers; they are overwritten by their differences.
pub fn pack(numbers: &mut [i64]) -> IntsV2 {
    let Some((&mut first, rest)) = numbers.split_first_mut() else { return IntsV2::Even(0, 0) };
    let mut before = first;
    for number in &mut *rest {
        *number = number.wrapping_sub(std::mem::replace(&mut before, *number));
    }
    let step = rest.first().copied().unwrap_or(0);
    if rest.iter().all(|difference| *difference == step) {
        return IntsV2::Even(first, step);
    }
    let mut out = Vec::with_capacity(rest.len() * 2);
    for group in rest.chunks(GROUP) {
        let all = group.iter().fold(0, |all, difference| all | zigzag(*difference));
        let width = u64::BITS - all.leading_zeros();
        out.push(width as u8);
        let end = out.len() + bytes_of(group.len(), width);
        let (mut word, mut filled) = (0u64, 0);
        for difference in group {
            let bits = zigzag(*difference);
            word |= bits << filled;
            filled += width;
            if filled >= u64::BITS {
                out.extend_from_slice(&word.to_le_bytes());
                filled -= u64::BITS;
                word = bits.checked_shr(width - filled).unwrap_or(0);
            }
        }
        out.extend_from_slice(&word.to_le_bytes());
        out.truncate(end);
    }
    IntsV2::Packed(first, out)
}

/// The first number and the differences of `count` numbers.
///
/// # Errors
/// Bytes that are not those of so many numbers.
pub fn unpack(ints: &IntsV2, count: usize) -> Result<Vec<i64>, LedgerError> {
    let (first, mut bytes) = match ints {
        IntsV2::Even(first, step) => {
            let mut differences = vec![*step; count];
            differences.first_mut().into_iter().for_each(|place| *place = *first);
            return Ok(differences);
        }
        IntsV2::Packed(first, bytes) => (*first, bytes.as_slice()),
    };
    let mut differences = Vec::with_capacity(count);
    if count > 0 {
        differences.push(first);
    }
    // Room after the group, so that a whole word can be read from each of its bytes on.
    let mut group = [0u8; GROUP * 8 + 16];
    while differences.len() < count {
        let some = (count - differences.len()).min(GROUP);
        let (width, rest) = bytes.split_first().ok_or_else(malformed)?;
        let width = usize::from(*width);
        if width > 64 {
            return Err(malformed());
        }
        let (own, rest) =
            rest.split_at_checked(bytes_of(some, width as u32)).ok_or_else(malformed)?;
        bytes = rest;
        let place = group.get_mut(..own.len()).ok_or_else(malformed)?;
        place.copy_from_slice(own);
        // Bits of an earlier group beyond this one's end are masked off, or never reached.
        let mask = u64::MAX.checked_shr(64 - width as u32).unwrap_or(0);
        let wide = |bit: usize| {
            let word = group.get(bit / 8..).and_then(|from| from.first_chunk::<16>());
            (word.map_or(0, |word| u128::from_le_bytes(*word)) >> (bit % 8)) as u64
        };
        let narrow = |bit: usize| {
            let word = group.get(bit / 8..).and_then(|from| from.first_chunk::<8>());
            word.map_or(0, |word| u64::from_le_bytes(*word)) >> (bit % 8)
        };
        let bits = (0..some).map(|index| index * width);
        // Behind up to seven bits of another number, one of so many still is in a word.
        match width <= 57 {
            true => differences.extend(bits.map(|bit| unzigzag(narrow(bit) & mask))),
            false => differences.extend(bits.map(|bit| unzigzag(wide(bit) & mask))),
        }
    }
    if bytes.is_empty() { Ok(differences) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back(numbers: &[i64]) -> Vec<i64> {
        let packed = pack(&mut numbers.to_vec());
        let mut sum = 0i64;
        let differences = unpack(&packed, numbers.len()).unwrap();
        let sum = |difference| {
            sum = sum.wrapping_add(difference);
            sum
        };
        differences.into_iter().map(sum).collect()
    }

    #[test]
    fn even_numbers_take_no_room_and_odd_ones_only_in_their_group() {
        assert_eq!(pack(&mut []), IntsV2::Even(0, 0));
        assert_eq!(pack(&mut [7]), IntsV2::Even(7, 0));
        assert_eq!(pack(&mut [7, 5, 3]), IntsV2::Even(7, -2));
        let mut numbers: Vec<i64> = (0..257).map(|n| n % 2).collect();
        numbers[200] = i64::MIN;
        assert_eq!(back(&numbers), numbers);
        let IntsV2::Packed(0, bytes) = pack(&mut numbers) else { panic!("not even") };
        // Three groups of two bits, and the one with the odd number.
        assert_eq!(bytes.len(), 3 * (1 + 16) + 1 + 8 * 64);
        let IntsV2::Packed(3, bytes) = pack(&mut [3, 4, 2, 2]) else { panic!("not even") };
        assert_eq!(bytes, [2, 0b00_1110]); // +1, -2, 0 as 2, 3, 0 in two bits each
    }

    #[test]
    fn other_bytes_than_those_of_so_many_numbers_are_refused() {
        let mut numbers: Vec<i64> = (0..100).map(|n| n * n).collect();
        let IntsV2::Packed(first, bytes) = pack(&mut numbers) else { panic!("not even") };
        for cut in 0..bytes.len() {
            assert!(unpack(&IntsV2::Packed(first, bytes[..cut].to_vec()), 100).is_err());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(unpack(&IntsV2::Packed(first, longer), 100).is_err());
        let wide = [&[65], &[0; 1000][..]].concat();
        assert!(unpack(&IntsV2::Packed(0, wide), 2).is_err());
    }

    proptest! {
        #[test]
        fn numbers_of_any_size_come_back(
            numbers in prop::collection::vec(
                prop_oneof![0i64..3, -1000i64..1000, any::<i64>(), Just(i64::MIN), Just(i64::MAX)], 0..300,
            )
        ) {
            prop_assert_eq!(back(&numbers), numbers);
        }
    }
}
