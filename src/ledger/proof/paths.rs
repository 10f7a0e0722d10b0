//! Inclusion and consistency proofs of RFC 6962's trees: made in one pass over the leaves with
//! logarithmic memory, checked as RFC 9162 says (sections 2.1.3.2 and 2.1.4.2).

use crate::domain::Digest;
use crate::ledger::hash::TreeHash;
use crate::ledger::tree::Tree;
use std::ops::Range;

/// The leaves below each hash of an inclusion path (RFC 6962, 2.1.1), from the leaf's sibling
/// upwards; `None` when there is no such leaf.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let (mut lo, mut hi) = (0, size);
    let mut ranges = Vec::new();
    while hi - lo > 1 {
        let middle = lo + left_part(hi - lo);
        if index < middle {
            ranges.push(middle..hi);
            hi = middle;
        } else {
            ranges.push(lo..middle);
            lo = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// The leaves below each hash of a consistency proof (RFC 6962, 2.1.2) from the first `old` leaves
/// to all `size`; `None` when the old tree is the larger one.
pub fn consistency(old: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if old > size {
        return None;
    }
    let mut ranges = Vec::new();
    if old == 0 {
        return Some(ranges);
    }
    let (mut lo, mut hi) = (0, size);
    while old != hi {
        let middle = lo + left_part(hi - lo);
        if old <= middle {
            ranges.push(middle..hi);
            hi = middle;
        } else {
            ranges.push(lo..middle);
            lo = middle;
        }
    }
    // A whole old tree is known to whoever checks; a part of it is not.
    if lo > 0 {
        ranges.push(lo..hi);
    }
    ranges.reverse();
    Some(ranges)
}

/// The largest power of two below `size`, which is at least 2.
fn left_part(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// Takes the leaves of a tree as they come and keeps the roots of some disjoint ranges of them.
#[derive(Debug)]
pub struct Gatherer<H> {
    ranges: Vec<Range<u64>>,
    trees: Vec<Tree<H>>,
    whole: Tree<H>,
}

impl<H: TreeHash> Gatherer<H> {
    /// Waits for the leaves of these ranges.
    pub fn new(ranges: Vec<Range<u64>>) -> Self {
        let trees = ranges.iter().map(|_| Tree::default()).collect();
        Self { ranges, trees, whole: Tree::default() }
    }

    /// The next leaf.
    pub fn push(&mut self, leaf: Digest) {
        let at = self.whole.size();
        self.whole.push(leaf);
        let mine = self.ranges.iter().position(|range| range.contains(&at));
        if let Some(tree) = mine.and_then(|i| self.trees.get_mut(i)) {
            tree.push(leaf);
        }
    }

    /// How many leaves have come.
    pub fn size(&self) -> u64 {
        self.whole.size()
    }

    /// The root over all leaves, and those of the ranges in their order.
    pub fn finish(self) -> (Digest, Vec<Digest>) {
        (self.whole.root(), self.trees.iter().map(Tree::root).collect())
    }
}

/// The root that a leaf and its inclusion path lead to; `None` when a tree of this size has no
/// path of this length there.
pub fn root_from_inclusion<H: TreeHash>(
    leaf: Digest,
    index: u64,
    size: u64,
    path: &[Digest],
) -> Option<Digest> {
    let (mut at, mut last, mut node) = (index, size.checked_sub(1)?, leaf);
    if at > last {
        return None;
    }
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            node = H::node(sibling, &node);
            promote(&mut at, &mut last);
        } else {
            node = H::node(&node, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(node)
}

/// An odd last node goes up as it is until it is a right child, or the root.
fn promote(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        (*at, *last) = (*at >> 1, *last >> 1);
    }
}

/// Whether a tree of `size` leaves with `root` begins with the `old_size` leaves of `old_root`.
pub fn is_consistent<H: TreeHash>(
    (old_size, old_root): (u64, Digest),
    (size, root): (u64, Digest),
    proof: &[Digest],
) -> bool {
    if old_size > size {
        return false;
    }
    if old_size == size {
        return proof.is_empty() && old_root == root;
    }
    let Some(mut at) = old_size.checked_sub(1) else {
        return proof.is_empty() && old_root == H::empty();
    };
    let mut last = size - 1;
    let (seed, rest) = match proof.split_first() {
        // A whole old tree stands in the new one as it is, so its root is not sent.
        _ if old_size.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut old, mut new) = (seed, seed);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = H::node(sibling, &old);
            new = H::node(sibling, &new);
            promote(&mut at, &mut last);
        } else {
            new = H::node(&new, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old == old_root && new == root
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
