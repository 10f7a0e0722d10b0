//! The digest of what a view shows, as every report and export tells it.

use crate::domain::{Digest, Series, Symbol};
use crate::ledger::hash::Hasher;
use crate::projections::view::Record;

/// The digest of what a view shows: of every symbol its name and records, in order. It depends on
/// nothing else, so equal digests mean equal views.
#[derive(Debug, Default)]
pub struct ViewDigest(Hasher);

impl ViewDigest {
    /// Takes in one symbol's records.
    pub fn add(&mut self, view: Series, symbol: &Symbol, records: &[Record]) {
        self.begin(view, symbol, records.len() as u64);
        self.go_on(records);
    }

    /// Begins a symbol with so many records, which come with [`Self::go_on`].
    pub fn begin(&mut self, view: Series, symbol: &Symbol, records: u64) {
        self.0.text(view.name());
        self.0.text(symbol.as_str());
        self.0.text(&records.to_string());
    }

    /// Takes in further records of the symbol.
    pub fn go_on(&mut self, records: &[Record]) {
        for record in records {
            self.0.text(&record.day.to_string());
            if !record.item.is_empty() {
                self.0.text(&record.item);
            }
            self.0.text(&record.cells.len().to_string());
            for cell in &record.cells {
                self.0.text(cell.field.name());
                self.0.text(&cell.value.to_string());
            }
        }
    }

    /// The digest of everything taken in.
    pub fn finish(&self) -> Digest {
        self.0.finish()
    }
}
