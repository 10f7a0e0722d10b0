//! Comparing the mirror with what the engine holds.

use super::super::hash::{Sha256Tree, TreeHash};
use super::super::tree::Tree;
use super::super::{Ledger, Result};
use super::{Gathered, gather};

impl Ledger {
    /// What in the mirror is not as in the engine; nothing when there is no mirror. What the engine
    /// cannot give is not compared: that is damage of its own.
    pub(in crate::ledger) fn verify_mirror(&self) -> Result<Vec<String>> {
        match (&self.mirror, &self.files) {
            (Some(_), Some(files)) => self.compare_mirror(&gather(&**files)?),
            _ => Ok(Vec::new()),
        }
    }

    /// What is not as in the engine in a mirror that was read already.
    pub(super) fn compare_mirror(&self, found: &Gathered) -> Result<Vec<String>> {
        let Some(files) = &self.files else {
            return Ok(Vec::new());
        };
        let mut wrong = found.damage.clone();
        let mut tree = Tree::<Sha256Tree>::default();
        for (position, bytes) in self.store.controls()? {
            tree.push(Sha256Tree::leaf(&bytes));
            if found.controls.get(&position) != Some(&bytes)
                || found.root(position) != Some(tree.root())
            {
                wrong.push(format!("entry #{position} is not in the mirror as in the log"));
            }
        }
        if found.controls.len() as u64 > tree.size() {
            wrong.push("the mirror has entries that the log does not have".to_owned());
        }
        for (id, _) in self.table.iter() {
            let mut index = 0;
            while let Ok(Some(bytes)) = self.store.block(id.0, index) {
                if found.block(&**files, id.0, index).as_ref() != Some(&bytes) {
                    wrong.push(format!("block {index} of batch {id} is not in the mirror"));
                }
                index += 1;
            }
            if found.blocks_of(id.0).len() as u64 > u64::from(index) {
                wrong.push(format!("the mirror has blocks that batch {id} does not have"));
            }
        }
        Ok(wrong)
    }
}
