//! The keys that a batch has in one view of a symbol, before anything is compared.

use crate::domain::{Calendar, Day, Op, Series, Symbol};
use crate::projections::diff::{self, SymbolDiff};
use crate::projections::view::History;
use rust_decimal::Decimal;

/// The keys of a batch in one view of a symbol, ascending, and how often it repeats itself.
pub(super) struct BatchKeys<'a> {
    pub(super) keys: Vec<(Day, &'a str)>,
    pub(super) identical: u64,
    pub(super) conflicting: u64,
}

impl BatchKeys<'_> {
    /// The days, each once.
    pub(super) fn days(&self) -> Vec<Day> {
        let mut days: Vec<Day> = self.keys.iter().map(|(day, _)| *day).collect();
        days.dedup();
        days
    }
}

/// A batch's keys, with its repetitions.
pub(super) fn batch_keys(history: &History) -> BatchKeys<'_> {
    let mut found =
        BatchKeys { keys: Vec::with_capacity(history.batches.len()), identical: 0, conflicting: 0 };
    let mut before: Option<crate::domain::Row<'_>> = None;
    for row in history.rows.iter().filter(|row| row.head.op == Op::Put) {
        let key = (row.head.day, row.item);
        if let Some(last) = before.filter(|last| (last.head.day, last.item) == key) {
            let equal = last.shape == row.shape
                && last.values.refs().zip(row.values.refs()).all(|(a, b)| a.same_meaning(b));
            found.identical += u64::from(equal);
            found.conflicting += u64::from(!equal);
        } else {
            found.keys.push(key);
        }
        before = Some(row);
    }
    found
}

/// What is said of a symbol in a view before anything is compared.
pub(super) fn unchanged(view: Series, symbol: &Symbol, days: &[Day]) -> SymbolDiff {
    SymbolDiff {
        series: view,
        symbol: symbol.clone(),
        days: days.first().copied().zip(days.last().copied()),
        threshold_points: view.default_threshold_points().map(Decimal::from),
        new: 0,
        changed: 0,
        drifted: 0,
        same: 0,
        extended: 0,
        touched: 0,
        removed: 0,
        only_here: 0,
        identical: 0,
        conflicting: 0,
        gaps: match view.is_daily() {
            true => diff::gaps(days, Calendar::nyse()),
            false => Vec::new(),
        },
        missing_hv: 0,
        missing_spot: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::analyse_sealed;
    use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
    use crate::app::{Clock, Run};
    use crate::domain::Series;
    use crate::ledger::Ledger;

    #[test]
    fn counting_keys_finds_what_comparing_values_finds() {
        let run = Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") };
        let options =
            ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
        for repeats in [false, true] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let mut text = String::from("Symbol,Date,IV30,OHLC 20-Day Vol\n");
            for day in (2..26).rev() {
                for symbol in 0..23 {
                    let hv = if symbol % 3 == 0 { "" } else { "20.0" };
                    text += &format!("S{symbol},2024-01-{day:02},{}.5,{hv}\n", 10 + symbol);
                }
            }
            if repeats {
                text += "S7,2024-01-05,17.5,20.0\nS9,2024-01-05,77.5,20.0\n";
            }
            std::fs::write(file.path(), text).unwrap();
            let mut ledger = Ledger::in_memory();
            let input = Input::file(file.path());
            let batch = import_csv(&mut ledger, &[input], &options, &run).unwrap().batch.unwrap();
            let (_, counted) = analyse_sealed(&ledger, batch, None, false, &run).unwrap();
            let (_, compared) = analyse_sealed(&ledger, batch, None, true, &run).unwrap();
            assert_eq!(format!("{:?}", counted.diffs), format!("{:?}", compared.diffs));
            assert_eq!(counted.view_events, compared.view_events);
            assert_eq!(
                (counted.total, counted.effective, counted.symbols, counted.digest),
                (compared.total, compared.effective, compared.symbols, compared.digest)
            );
            assert_eq!(
                (counted.identical, counted.conflicting),
                match repeats {
                    true => (1, 1),
                    false => (0, 0),
                }
            );
            assert!(counted.changes.len() < compared.changes.len());
        }
    }
}
