//! Merkle trees of RFC 6962's shape, built leaf by leaf in logarithmic memory.

use super::hash::TreeHash;
use crate::domain::Digest;
use std::marker::PhantomData;

/// A growing tree: the roots of the complete subtrees so far, largest first.
#[derive(Debug)]
pub struct Tree<H> {
    peaks: Vec<(u32, Digest)>,
    size: u64,
    hash: PhantomData<H>,
}

impl<H> Default for Tree<H> {
    fn default() -> Self {
        Self { peaks: Vec::new(), size: 0, hash: PhantomData }
    }
}

impl<H> Clone for Tree<H> {
    fn clone(&self) -> Self {
        Self { peaks: self.peaks.clone(), size: self.size, hash: PhantomData }
    }
}

/// A complete subtree: its height and its root.
pub type Subtree = (u32, Digest);

/// Highest subtree that is hashed at once. What it takes stays in the processor's cache; of a lower one
/// more nodes would be hashed alone.
const HEIGHT: u32 = 12;

/// The complete subtrees of leaves that follow `first` others, in order. They can be found without
/// the tree, by any thread, and many nodes at once.
pub fn subtrees<H: TreeHash>(first: u64, mut leaves: &[Digest]) -> Vec<Subtree> {
    let mut found = Vec::new();
    let mut size = first;
    while !leaves.is_empty() {
        // The largest that may stand here and that there are leaves for.
        let height = size.trailing_zeros().min(leaves.len().ilog2()).min(HEIGHT);
        let (some, rest) = leaves.split_at(1 << height);
        found.push((height, H::complete(some)));
        (size, leaves) = (size + (1 << height), rest);
    }
    found
}

impl<H: TreeHash> Tree<H> {
    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Digest) {
        self.push_peak(0, leaf);
    }

    /// Adds leaves by their hashes: what pushing each would, many nodes at once.
    pub fn extend(&mut self, leaves: &[Digest]) {
        self.graft(&subtrees::<H>(self.size, leaves));
    }

    /// Adds the [`subtrees`] of leaves that follow those of the tree.
    pub fn graft(&mut self, subtrees: &[Subtree]) {
        subtrees.iter().for_each(|(height, root)| self.push_peak(*height, *root));
    }

    /// Adds a complete subtree of a height that the size is a multiple of.
    fn push_peak(&mut self, height: u32, node: Digest) {
        self.size += 1 << height;
        let (mut height, mut node) = (height, node);
        while let Some(&(top, left)) = self.peaks.last() {
            if top != height {
                break;
            }
            node = H::node(&left, &node);
            height += 1;
            self.peaks.pop();
        }
        self.peaks.push((height, node));
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root: odd nodes are promoted, never duplicated.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => H::empty(),
            Some(&(_, last)) => peaks.fold(last, |right, (_, left)| H::node(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash::{Blake3Tree, Sha256Tree};
    use super::*;

    /// The definition of RFC 6962, section 2.1, word for word.
    fn naive<H: TreeHash>(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => H::empty(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                H::node(&naive::<H>(left), &naive::<H>(right))
            }
        }
    }

    #[test]
    fn roots_agree_with_the_definition() {
        let leaves: Vec<_> = (0..130u32).map(|n| Blake3Tree::leaf(&n.to_le_bytes())).collect();
        let mut tree = Tree::<Blake3Tree>::default();
        for size in 0..=leaves.len() {
            let some = &leaves[..size];
            assert_eq!(tree.root(), naive::<Blake3Tree>(some), "size {size}");
            if let Some(leaf) = leaves.get(size) {
                tree.push(*leaf);
            }
        }
        assert_eq!(tree.size(), 130);
        // In pieces of every size, beginning anywhere.
        for (first, piece) in (0..40).flat_map(|first| (1..90).map(move |piece| (first, piece))) {
            let mut tree = Tree::<Blake3Tree>::default();
            leaves[..first].iter().for_each(|leaf| tree.push(*leaf));
            tree.extend(&leaves[first..first + piece]);
            assert_eq!(tree.size(), (first + piece) as u64);
            assert_eq!(
                tree.root(),
                naive::<Blake3Tree>(&leaves[..first + piece]),
                "{first} {piece}"
            );
            tree.push(leaves[0]);
        }
        // More than one subtree of the largest height.
        let many: Vec<_> = (0..9_000u32).map(|n| Blake3Tree::leaf(&n.to_le_bytes())).collect();
        for first in [0, 1, 1_000, 1_024, 4_095, 4_096] {
            let mut tree = Tree::<Blake3Tree>::default();
            tree.extend(&many[..first]);
            tree.graft(&subtrees::<Blake3Tree>(first as u64, &many[first..]));
            assert_eq!((tree.size(), tree.root()), (9_000, naive::<Blake3Tree>(&many)), "{first}");
        }
        let shas: Vec<_> = (0..7u8).map(|n| Sha256Tree::leaf(&[n])).collect();
        let mut tree = Tree::<Sha256Tree>::default();
        shas.iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(tree.root(), naive::<Sha256Tree>(&shas));
    }
}
