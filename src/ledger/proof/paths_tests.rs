//! Every (i, n) and (m, n) up to 256 against the definitions of RFC 6962, word for word.

use super::*;
use crate::ledger::hash::{Blake3Tree, Sha256Tree};
use std::collections::HashMap;
use std::marker::PhantomData;

const MOST: u64 = 256;

/// Where the largest power of two below the length ends.
fn split(lo: usize, hi: usize) -> usize {
    lo + (hi - lo).next_power_of_two() / 2
}

/// The definitions, with the roots of ranges remembered: each is computed once.
struct Oracle<H> {
    leaves: Vec<Digest>,
    roots: HashMap<(usize, usize), Digest>,
    hash: PhantomData<H>,
}

impl<H: TreeHash> Oracle<H> {
    fn new() -> Self {
        let leaves = (0..MOST as u32).map(|n| H::leaf(&n.to_le_bytes())).collect();
        Self { leaves, roots: HashMap::new(), hash: PhantomData }
    }

    /// MTH of section 2.1, over the leaves `lo..hi`.
    fn root(&mut self, lo: usize, hi: usize) -> Digest {
        match hi - lo {
            0 => return H::empty(),
            1 => return self.leaves[lo],
            _ => {}
        }
        if let Some(known) = self.roots.get(&(lo, hi)) {
            return *known;
        }
        let middle = split(lo, hi);
        let root = H::node(&self.root(lo, middle), &self.root(middle, hi));
        self.roots.insert((lo, hi), root);
        root
    }

    /// PATH of section 2.1.1.
    fn path(&mut self, index: usize, lo: usize, hi: usize) -> Vec<Digest> {
        if hi - lo == 1 {
            return Vec::new();
        }
        let middle = split(lo, hi);
        let (mut below, beside) = match index < middle {
            true => (self.path(index, lo, middle), self.root(middle, hi)),
            false => (self.path(index, middle, hi), self.root(lo, middle)),
        };
        below.push(beside);
        below
    }

    /// SUBPROOF of section 2.1.2; `old` counts from the first leaf of all.
    fn subproof(&mut self, old: usize, lo: usize, hi: usize, whole: bool) -> Vec<Digest> {
        if old == hi {
            return if whole { Vec::new() } else { vec![self.root(lo, hi)] };
        }
        let middle = split(lo, hi);
        let (mut below, beside) = match old <= middle {
            true => (self.subproof(old, lo, middle, whole), self.root(middle, hi)),
            false => (self.subproof(old, middle, hi, false), self.root(lo, middle)),
        };
        below.push(beside);
        below
    }

    fn roots_of(&mut self, ranges: &[Range<u64>]) -> Vec<Digest> {
        ranges.iter().map(|range| self.root(range.start as usize, range.end as usize)).collect()
    }
}

fn gathered<H: TreeHash>(ranges: Vec<Range<u64>>, leaves: &[Digest]) -> (Digest, Vec<Digest>) {
    let mut gatherer = Gatherer::<H>::new(ranges);
    leaves.iter().for_each(|leaf| gatherer.push(*leaf));
    gatherer.finish()
}

/// Numbers that repeat from run to run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// The same hashes with one bit turned, one missing, one too many, two exchanged.
fn forged(proof: &[Digest], state: &mut u64) -> Vec<Vec<Digest>> {
    let mut all = vec![[proof, &[Digest([7; 32])]].concat(), [&[Digest([7; 32])], proof].concat()];
    if !proof.is_empty() {
        let at = next(state) as usize % proof.len();
        let mut less = proof.to_vec();
        less.remove(at);
        let mut other = proof.to_vec();
        let bit = next(state) as usize % 256;
        other[at].0[bit / 8] ^= 1 << (bit % 8);
        let mut twice = proof.to_vec();
        twice.insert(at, proof[at]);
        all.extend([less, other, twice]);
        if at > 0 {
            let mut turned = proof.to_vec();
            turned.swap(at, at - 1);
            all.push(turned);
        }
    }
    all
}

fn every_inclusion<H: TreeHash>() {
    let (mut oracle, mut state, mut refused) = (Oracle::<H>::new(), 1, 0);
    for size in 1..=MOST {
        let whole = oracle.root(0, size as usize);
        let some = oracle.leaves[..size as usize].to_vec();
        for index in 0..size {
            let want = oracle.path(index as usize, 0, size as usize);
            let ranges = inclusion(index, size).unwrap();
            assert_eq!(oracle.roots_of(&ranges), want, "{index} of {size}");
            let leaf = some[index as usize];
            let leads = |leaf, index, size, path: &[Digest]| {
                root_from_inclusion::<H>(leaf, index, size, path) == Some(whole)
            };
            assert!(leads(leaf, index, size, &want), "{index} of {size}");
            let turn = next(&mut state) % size;
            assert!(turn == index || !leads(leaf, turn, size, &want), "{turn} for {index}");
            assert!(turn == index || !leads(some[turn as usize], index, size, &want));
            for other in [index + size, u64::MAX] {
                assert!(!leads(leaf, other, size, &want));
            }
            for forged in forged(&want, &mut state) {
                if forged != want {
                    refused += 1;
                    assert!(!leads(leaf, index, size, &forged), "{index} of {size}");
                }
            }
        }
        assert_eq!(inclusion(size, size), None);
        let path = oracle.path(size as usize / 3, 0, size as usize);
        assert_eq!(gathered::<H>(inclusion(size / 3, size).unwrap(), &some), (whole, path));
    }
    assert!(refused > 150_000, "{refused}");
    let leaf = oracle.leaves[0];
    assert_eq!(root_from_inclusion::<H>(leaf, 0, 0, &[]), None);
    assert_eq!(root_from_inclusion::<H>(leaf, 0, 1, &[]), Some(leaf));
}

#[test]
fn every_leaf_of_every_log_is_proven_and_no_forgery_is() {
    every_inclusion::<Sha256Tree>();
}

#[test]
fn every_leaf_of_every_batch_is_proven_and_no_forgery_is() {
    every_inclusion::<Blake3Tree>();
}

fn every_consistency<H: TreeHash>() {
    let (mut oracle, mut state, mut refused) = (Oracle::<H>::new(), 2, 0);
    let roots: Vec<_> = (0..=MOST as usize).map(|size| oracle.root(0, size)).collect();
    for size in 0..=MOST {
        let new = (size, roots[size as usize]);
        for old_size in 0..=size {
            let want = match old_size {
                0 => Vec::new(),
                _ => oracle.subproof(old_size as usize, 0, size as usize, true),
            };
            let ranges = consistency(old_size, size).unwrap();
            assert_eq!(oracle.roots_of(&ranges), want, "{old_size} to {size}");
            let old = (old_size, roots[old_size as usize]);
            assert!(is_consistent::<H>(old, new, &want), "{old_size} to {size}");
            let bit = next(&mut state) as usize % 256;
            let turned = |(size, mut root): (u64, Digest)| {
                root.0[bit / 8] ^= 1 << (bit % 8);
                (size, root)
            };
            assert!(!is_consistent::<H>(turned(old), new, &want), "{old_size} to {size}");
            // From nothing everything follows, whatever its root.
            assert!(old_size == 0 || !is_consistent::<H>(old, turned(new), &want));
            let other = next(&mut state) % (MOST + 1);
            if other != old_size && other > 0 {
                let wrong = (other, old.1);
                assert!(!is_consistent::<H>(wrong, new, &want), "{other} for {old_size} to {size}");
            }
            for forged in forged(&want, &mut state) {
                if forged != want {
                    refused += 1;
                    assert!(!is_consistent::<H>(old, new, &forged), "{old_size} to {size}");
                }
            }
        }
        assert_eq!(consistency(size + 1, size), None);
        let third = size as usize / 3;
        let want = match third {
            0 => Vec::new(),
            _ => oracle.subproof(third, 0, size as usize, true),
        };
        let ranges = consistency(size / 3, size).unwrap();
        let some = &oracle.leaves[..size as usize];
        assert_eq!(gathered::<H>(ranges, some), (roots[size as usize], want));
    }
    assert!(refused > 150_000, "{refused}");
}

#[test]
fn every_log_follows_from_every_earlier_one_and_no_forgery_does() {
    every_consistency::<Sha256Tree>();
}

#[test]
fn the_same_holds_with_the_hash_of_batches() {
    every_consistency::<Blake3Tree>();
}

#[test]
fn every_bit_of_a_proof_matters() {
    let mut oracle = Oracle::<Sha256Tree>::new();
    for size in [1usize, 2, 3, 7, 8, 100, 255] {
        let root = oracle.root(0, size);
        for index in [0, size / 2, size - 1] {
            let (path, leaf) = (oracle.path(index, 0, size), oracle.leaves[index]);
            for at in 0..path.len() * 256 {
                let mut forged = path.clone();
                forged[at / 256].0[at % 256 / 8] ^= 1 << (at % 8);
                let (index, size) = (index as u64, size as u64);
                let leads = root_from_inclusion::<Sha256Tree>(leaf, index, size, &forged);
                assert_ne!(leads, Some(root), "bit {at}");
            }
        }
    }
}

#[test]
fn sizes_of_any_width_end_without_a_panic() {
    for size in [1, 2, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX] {
        for index in [0, 1, size / 2, size - 1, size, u64::MAX] {
            let ranges = inclusion(index, size);
            assert_eq!(ranges.is_some(), index < size);
            let _ = root_from_inclusion::<Sha256Tree>(Digest([1; 32]), index, size, &[]);
            let some = [Digest([2; 32]); 70];
            let root = root_from_inclusion::<Sha256Tree>(Digest([1; 32]), index, size, &some);
            assert_eq!(root, None);
            let ends = ((index, some[0]), (size, some[1]));
            assert!(!is_consistent::<Sha256Tree>(ends.0, ends.1, &some));
            let _ = consistency(index, size);
        }
    }
}
