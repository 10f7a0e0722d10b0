//! Announcements of one fetch, from a calendar of those to come and from lists of those that were.
//!
//! On its day an announcement may be in both. It is one fact then, that of the answer that came first:
//! two would contradict each other in one batch, although neither is wrong. And where the service says
//! nothing of the time of day, it takes nothing back from a calendar that knew it.

use crate::app::error::Result;
use crate::app::views::ViewReader;
use crate::domain::{Collector, Day, Field, Key, Op, Origin, Series, Symbol, Value, Window, code};
use crate::projections::view::Which;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// The word for a time that nobody told.
const UNKNOWN: &str = "UNKNOWN";

/// The announcements of the answers that were read so far.
#[derive(Debug, Default)]
pub(super) struct Announced {
    seen: BTreeSet<(Symbol, Day)>,
    /// Of symbols that were looked up: the days whose time is shown.
    timed: BTreeMap<Symbol, BTreeSet<Day>>,
}

impl Announced {
    /// The events of an answer without what an earlier answer of the fetch has, and how many that were;
    /// and without a time that is unknown where the view shows one.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub(super) fn sift(
        &mut self,
        reader: &ViewReader<'_>,
        windows: &[Window],
    ) -> Result<(Vec<Window>, u64)> {
        let (mut kept, mut repeated, mut own) = (Vec::new(), 0, BTreeSet::new());
        let mut take = |window: &mut Window| -> std::result::Result<(), Infallible> {
            kept.push(std::mem::take(window));
            Ok(())
        };
        let mut out = Collector::new(&mut take);
        for window in windows {
            for row in window.rows.iter() {
                let (symbol, day) = (row.symbol.clone(), row.head.day);
                if self.seen.contains(&(symbol.clone(), day)) {
                    repeated += 1;
                    continue;
                }
                let silent = |(field, value): &(&Field, Option<Value>)| {
                    **field == Field::Known(code::TIMING)
                        && matches!(value, Some(Value::Text(word)) if &**word == UNKNOWN)
                };
                let hushed =
                    row.fields().any(|of| silent(&of)) && self.knows(reader, &symbol, day)?;
                let told = row.fields().filter(|of| !(hushed && silent(of)));
                let told = told.filter_map(|(field, value)| Some((field.clone(), value?)));
                let (shape, values): (Vec<Field>, Vec<Value>) = told.unzip();
                let head = row.head;
                let origin = Origin::from(head);
                let key = Key { symbol: row.symbol, day, item: row.item };
                let Ok(()) = out.event(origin, head.series, Op::Put, key, &shape, values);
                own.insert((symbol, day));
            }
            for r in &window.rejects {
                let origin = Origin::from(r);
                let Ok(()) = out.reject(origin, r.series, &r.code, &r.raw);
            }
        }
        let Ok(_) = out.finish();
        self.seen.append(&mut own);
        Ok((kept, repeated))
    }

    /// Whether the view shows the time of an announcement.
    fn knows(&mut self, reader: &ViewReader<'_>, symbol: &Symbol, day: Day) -> Result<bool> {
        if !self.timed.contains_key(symbol) {
            let at = reader.ledger().position();
            let records = reader.records(Series::Earnings, symbol, at, Which::Latest)?;
            let timed = records.iter().filter(|record| {
                let cell = record.cell(&Field::Known(code::TIMING)).map(|cell| &cell.value);
                matches!(cell, Some(Value::Text(word)) if &**word != UNKNOWN)
            });
            self.timed.insert(symbol.clone(), timed.map(|record| record.day).collect());
        }
        Ok(self.timed.get(symbol).is_some_and(|days| days.contains(&day)))
    }
}
