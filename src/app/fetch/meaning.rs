//! A digest of what an answer says, without what differs at each call: equal digests need no second
//! batch.

use crate::domain::{Coverage, Digest, Fact, Field, Window, series};
use crate::ledger::hash::Hasher;

/// Digest over the events of an answer: keys and values, but neither places in the body nor values
/// that a vendor computes anew at each call (`polygon.md` 4).
pub fn meaning(windows: &[Window]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.text("volledger/meaning/1");
    for window in windows {
        for row in window.rows.iter() {
            hasher.text(row.head.series.name());
            hasher.text(row.symbol.as_str());
            hasher.text(&row.head.day.to_string());
            hasher.text(row.item);
            for (field, value) in row.fields() {
                hasher.text(field.name());
                // Its digits differ at each call; only that there is one counts.
                if matches!(field, Field::Known(code) if series::is_volatile(*code)) {
                    continue;
                }
                hasher.text(&value.as_ref().map(ToString::to_string).unwrap_or_default());
            }
        }
        for reject in &window.rejects {
            hasher.text(&reject.code);
        }
    }
    hasher.finish()
}

/// Whether anything came of the days of a fact; of a failed answer the pages before the failure count.
pub(in crate::app) fn gave(fact: &Coverage) -> bool {
    match fact.fact {
        Fact::Data => true,
        Fact::Failed => fact.meaning != meaning(&[]),
        Fact::Empty | Fact::NotEntitled => false,
    }
}
