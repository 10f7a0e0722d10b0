//! BLAKE3 of many short inputs at once, sixteen beside each other, one in each lane of a vector.
//!
//! The `blake3` crate hashes one short input after the other; leaves are one or two blocks and nodes
//! two, so most of its width lies idle (about 180 ns a node, 24 ns here). These are plain loops over
//! arrays that the compiler vectorises where the machine has AVX2 or AVX-512; elsewhere, and for what is left
//! over, the crate hashes. It is also the oracle of the tests.
//! Compression: the BLAKE3 paper, section 2.2; an input of one chunk, section 2.4.

use super::{NODE, content};
use crate::domain::Digest;

/// Inputs side by side.
const LANES: usize = 16;
/// Bytes of a block.
const BLOCK: usize = 64;
/// Longer inputs are hashed alone: more blocks make waiting groups large, and are rare.
const MOST_BLOCKS: usize = 8;

/// Words of a block.
const WORDS: usize = BLOCK / 4;

/// One word of each input.
type Words = [u32; LANES];

const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;

/// Which word of the message each step of each round takes.
const SCHEDULE: [[usize; 16]; 7] = {
    const NEXT: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut rounds = [[0; 16]; 7];
    let (mut round, mut word) = (1, 0);
    while word < 16 {
        rounds[0][word] = word;
        word += 1;
    }
    while round < 7 {
        word = 0;
        while word < 16 {
            rounds[round][word] = rounds[round - 1][NEXT[word]];
            word += 1;
        }
        round += 1;
    }
    rounds
};

/// Inputs of as many blocks, waiting until there is one for each lane.
#[derive(Default)]
struct Group {
    /// The words of all inputs: those at the same place in each side by side.
    words: Vec<Words>,
    /// Where each digest goes, and how many bytes the input's last block has.
    places: Vec<(usize, u32)>,
    /// Words of the longest input so far: what follows them is zero.
    used: usize,
}

/// Hashes inputs by their numbers: `out[number]` is the digest.
pub struct Many<'a> {
    out: &'a mut [Digest],
    groups: [Group; MOST_BLOCKS],
}

impl<'a> Many<'a> {
    /// Fills `out`; where no input is pushed it stays as it is.
    pub fn new(out: &'a mut [Digest]) -> Self {
        Self { out, groups: Default::default() }
    }

    /// Takes the input `prefix ‖ bytes`, whose digest goes to `out[number]`; a number without a
    /// place is passed over.
    pub fn push(&mut self, number: usize, prefix: u8, bytes: &[u8]) {
        let length = bytes.len() + 1;
        let blocks = length.div_ceil(BLOCK);
        let Some(group) = self.groups.get_mut(blocks - 1) else {
            let whole = [&[prefix], bytes].concat();
            return put(self.out, number, content(&whole));
        };
        group.take(blocks, prefix, bytes);
        group.places.push((number, (length - (blocks - 1) * BLOCK) as u32));
        if group.places.len() == LANES {
            group.hash(self.out);
        }
    }

    /// Hashes what still waits.
    pub fn finish(mut self) {
        for group in &mut self.groups {
            group.alone(self.out);
        }
    }
}

fn put(out: &mut [Digest], number: usize, digest: Digest) {
    if let Some(place) = out.get_mut(number) {
        *place = digest;
    }
}

impl Group {
    /// Writes an input into the next lane.
    #[inline(always)]
    fn take(&mut self, blocks: usize, prefix: u8, bytes: &[u8]) {
        let lane = self.places.len();
        self.words.resize(blocks * WORDS, [0; LANES]);
        let (head, tail) = bytes.split_at(bytes.len().min(3));
        let first = match *head {
            [] => [prefix, 0, 0, 0],
            [a] => [prefix, a, 0, 0],
            [a, b] => [prefix, a, b, 0],
            [a, b, c, ..] => [prefix, a, b, c],
        };
        let (words, rest) = tail.as_chunks();
        // A copy of a length that is not known costs more than the rest of this.
        let last = match *rest {
            [] => [0; 4],
            [a] => [a, 0, 0, 0],
            [a, b] => [a, b, 0, 0],
            [a, b, c, ..] => [a, b, c, 0],
        };
        let used = self.words.len().min(words.len() + 2);
        if let Some((row, rows)) = self.words.split_first_mut() {
            row[lane] = u32::from_le_bytes(first);
            for (row, word) in rows.iter_mut().zip(words) {
                row[lane] = u32::from_le_bytes(*word);
            }
            if let Some(row) = rows.get_mut(words.len()) {
                row[lane] = u32::from_le_bytes(last);
            }
        }
        let longer = self.words.get_mut(used..self.used).unwrap_or_default();
        // Whatever a longer input left in this lane.
        longer.iter_mut().for_each(|row| row[lane] = 0);
        self.used = self.used.max(used);
    }

    /// Hashes a full group.
    fn hash(&mut self, out: &mut [Digest]) {
        let mut lengths = [0; LANES];
        for (length, (_, last)) in lengths.iter_mut().zip(&self.places) {
            *length = *last;
        }
        let Some(state) = side_by_side(&self.words, &lengths) else { return self.alone(out) };
        for (lane, (number, _)) in self.places.iter().enumerate() {
            put(out, *number, digest(&state, lane));
        }
        self.places.clear();
    }

    /// Hashes what there is, one after the other.
    fn alone(&mut self, out: &mut [Digest]) {
        for (lane, (number, last)) in self.places.iter().enumerate() {
            let words = self.words.iter().flat_map(|row| row[lane].to_le_bytes());
            let input: Vec<u8> =
                words.take((self.words.len() / WORDS - 1) * BLOCK + *last as usize).collect();
            put(out, *number, content(&input));
        }
        self.places.clear();
    }
}

fn digest(state: &[Words; 8], lane: usize) -> Digest {
    let mut digest = Digest::default();
    for (bytes, word) in digest.0.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word[lane].to_le_bytes());
    }
    digest
}

/// The chaining values of a full group; `None` where lanes would be slower than the crate: without
/// AVX2, and in builds that are not optimised.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn side_by_side(words: &[Words], last: &Words) -> Option<[Words; 8]> {
    let fast = multiversion::target::target_cfg_f!(any(
        target_feature = "avx2",
        target_feature = "avx512f"
    ));
    (fast && !cfg!(debug_assertions)).then(|| chunk(words, last))
}

/// Hashes sixteen inputs of one chunk: the words of their blocks, the last of which has `last` bytes.
#[inline(always)]
fn chunk(words: &[Words], last: &Words) -> [Words; 8] {
    let mut state = IV.map(|word| [word; LANES]);
    let blocks = words.as_chunks::<WORDS>().0;
    for (index, message) in blocks.iter().enumerate() {
        let (first, end) = (index == 0, index + 1 == blocks.len());
        let flags = u32::from(first) * CHUNK_START + u32::from(end) * (CHUNK_END | ROOT);
        compress(&mut state, message, if end { last } else { &[BLOCK as u32; LANES] }, flags);
    }
    state
}

/// The sixteen uppermost nodes of a complete tree over many leaves; `None` as [`side_by_side`], and
/// where leaves are few.
///
/// Each lane has a sixteenth of the tree for itself: children of a node stand in the same lane, and
/// no word moves from one to another.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
pub fn tops(leaves: &[Digest]) -> Option<[Digest; LANES]> {
    let fast = multiversion::target::target_cfg_f!(any(
        target_feature = "avx2",
        target_feature = "avx512f"
    ));
    (fast && !cfg!(debug_assertions) && leaves.len() > LANES).then(|| climb(leaves))
}

#[inline(always)]
fn climb(leaves: &[Digest]) -> [Digest; LANES] {
    let groups = leaves.len() / LANES;
    // Nodes that wait for what stands right of them, the highest first.
    let mut lefts: Vec<[Words; 8]> = Vec::new();
    let mut node = [[0; LANES]; 8];
    for group in 0..groups {
        node = beside(leaves, group, groups);
        for left in (0..(group + 1).trailing_zeros()).map_while(|_| lefts.pop()) {
            node = parents(&left, &node);
        }
        lefts.push(node);
    }
    std::array::from_fn(|lane| digest(&node, lane))
}

/// Sixteen of the digests, so many steps from each other.
#[inline(always)]
fn beside(digests: &[Digest], first: usize, step: usize) -> [Words; 8] {
    let mut words = [[0; LANES]; 8];
    for (lane, digest) in digests.iter().skip(first).step_by(step).enumerate() {
        for (row, word) in words.iter_mut().zip(digest.0.as_chunks().0) {
            row[lane] = u32::from_le_bytes(*word);
        }
    }
    words
}

/// The node above what stands in each lane.
#[inline(always)]
fn parents(left: &[Words; 8], right: &[Words; 8]) -> [Words; 8] {
    // The prefix before them moves all words by a byte: each takes a byte of the one before.
    let mut words = [[0; LANES]; 18];
    words[0] = [u32::from(NODE) << 24; LANES];
    words[1..9].copy_from_slice(left);
    words[9..17].copy_from_slice(right);
    let mut message = [[0; LANES]; 2 * WORDS];
    let (before, after) = (words.as_flattened(), words.as_flattened()[LANES..].iter());
    for ((word, before), after) in message.as_flattened_mut().iter_mut().zip(before).zip(after) {
        *word = before >> 24 | after << 8;
    }
    chunk(&message, &[1; LANES])
}

#[inline(always)]
fn compress(state: &mut [Words; 8], message: &[Words; WORDS], length: &Words, flags: u32) {
    let mut v = [[0; LANES]; 16];
    v[..8].copy_from_slice(state);
    for (row, word) in v[8..12].iter_mut().zip(IV) {
        *row = [word; LANES];
    }
    v[14] = *length;
    v[15] = [flags; LANES];
    for s in &SCHEDULE {
        let m = |step: usize| &message[s[step]];
        mix(&mut v, [0, 4, 8, 12], m(0), m(1));
        mix(&mut v, [1, 5, 9, 13], m(2), m(3));
        mix(&mut v, [2, 6, 10, 14], m(4), m(5));
        mix(&mut v, [3, 7, 11, 15], m(6), m(7));
        mix(&mut v, [0, 5, 10, 15], m(8), m(9));
        mix(&mut v, [1, 6, 11, 12], m(10), m(11));
        mix(&mut v, [2, 7, 8, 13], m(12), m(13));
        mix(&mut v, [3, 4, 9, 14], m(14), m(15));
    }
    // In one line: of a loop in a loop the compiler makes one over rows, which gathers.
    let (low, high) = v.as_flattened().split_at(8 * LANES);
    for ((word, a), b) in state.as_flattened_mut().iter_mut().zip(low).zip(high) {
        *word = a ^ b;
    }
}

/// The quarter round.
#[inline(always)]
fn mix(v: &mut [Words; 16], [a, b, c, d]: [usize; 4], x: &Words, y: &Words) {
    v[a] = sum(&sum(&v[a], &v[b]), x);
    v[d] = turned(&v[d], &v[a], 16);
    v[c] = sum(&v[c], &v[d]);
    v[b] = turned(&v[b], &v[c], 12);
    v[a] = sum(&sum(&v[a], &v[b]), y);
    v[d] = turned(&v[d], &v[a], 8);
    v[c] = sum(&v[c], &v[d]);
    v[b] = turned(&v[b], &v[c], 7);
}

#[inline(always)]
fn sum(a: &Words, b: &Words) -> Words {
    let mut sum = [0; LANES];
    for lane in 0..LANES {
        sum[lane] = a[lane].wrapping_add(b[lane]);
    }
    sum
}

#[inline(always)]
fn turned(a: &Words, b: &Words, bits: u32) -> Words {
    let mut turned = [0; LANES];
    for lane in 0..LANES {
        turned[lane] = (a[lane] ^ b[lane]).rotate_right(bits);
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input(seed: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| (seed * 131 + at * 7 + (at >> 3)) as u8).collect()
    }

    #[test]
    fn lanes_agree_with_the_crate_at_every_length() {
        for blocks in 1..=MOST_BLOCKS {
            for last in 1..=BLOCK {
                // Each lane has another length, so none takes its neighbour's.
                let lengths: Vec<_> = (0..LANES).map(|lane| 1 + (last + lane) % BLOCK).collect();
                let mut group = Group::default();
                // Longest inputs that leave nothing behind where shorter ones follow.
                for lane in 0..LANES {
                    group.take(blocks, 1, &input(lane, blocks * BLOCK - 1));
                    group.places.push((lane, BLOCK as u32));
                }
                group.places.clear();
                let mut lens = [0; LANES];
                let mut want = Vec::new();
                for (lane, length) in lengths.iter().enumerate() {
                    let whole = input(lane + last, (blocks - 1) * BLOCK + length);
                    want.push(content(&whole));
                    lens[lane] = *length as u32;
                    group.take(blocks, whole[0], &whole[1..]);
                    group.places.push((lane, *length as u32));
                }
                let state = chunk(&group.words, &lens);
                let found: Vec<_> = (0..LANES).map(|lane| digest(&state, lane)).collect();
                assert_eq!(found, want, "{blocks} blocks, {last}");
            }
        }
    }

    #[test]
    fn the_uppermost_nodes_are_those_of_one_after_the_other() {
        use super::super::{Blake3Tree, TreeHash};
        for leaves in [16, 32, 64, 1024] {
            let leaves: Vec<_> = (0..leaves).map(|seed| content(&input(seed, 9))).collect();
            let mut level = leaves.clone();
            while level.len() > LANES {
                let pairs = level.as_chunks().0.iter();
                level = pairs.map(|[left, right]| Blake3Tree::node(left, right)).collect();
            }
            assert_eq!(climb(&leaves).to_vec(), level, "{}", leaves.len());
        }
    }

    proptest! {
        #[test]
        fn many_inputs_of_any_length_get_their_own_digests(
            lengths in prop::collection::vec(0usize..700, 0..120), prefix in 0u8..2,
        ) {
            let mut out = vec![Digest::default(); lengths.len()];
            let mut many = Many::new(&mut out);
            // Pushed from the last to the first: numbers say where digests go, not their order.
            for (number, length) in lengths.iter().enumerate().rev() {
                many.push(number, prefix, &input(number, *length));
            }
            many.push(lengths.len(), prefix, b"without a place");
            many.finish();
            for (number, length) in lengths.iter().enumerate() {
                let whole = [&[prefix][..], &input(number, *length)].concat();
                prop_assert_eq!(out[number], content(&whole), "{}", number);
            }
        }
    }
}
