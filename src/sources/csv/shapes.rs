//! The fields that rows have, each list of them kept once.

use crate::domain::{Field, Shape};
use std::collections::HashMap;

/// The fields of rows: of all rows that have the same ones, the same list.
#[derive(Default)]
pub(super) struct Shapes {
    /// Codes of the fields of the row under way.
    codes: Vec<u16>,
    /// Codes of the fields of the last row.
    before: Vec<u16>,
    last: Shape,
    known: HashMap<Vec<u16>, Shape>,
}

impl Shapes {
    pub(super) fn begin(&mut self) {
        self.codes.clear();
    }

    pub(super) fn add(&mut self, field: u16) {
        self.codes.push(field);
    }

    /// Codes of the fields that were added.
    pub(super) fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// Takes the fields that were added for those of the row.
    pub(super) fn found(&mut self) {
        if self.codes == self.before && !self.known.is_empty() {
            return;
        }
        if !self.known.contains_key(&self.codes) {
            let shape = self.codes.iter().copied().map(Field::Known).collect();
            self.known.insert(self.codes.clone(), shape);
        }
        if let Some(shape) = self.known.get(&self.codes) {
            self.last = shape.clone();
            self.before.clone_from(&self.codes);
        }
    }

    /// The fields that were found last.
    pub(super) fn last(&self) -> &Shape {
        &self.last
    }
}
