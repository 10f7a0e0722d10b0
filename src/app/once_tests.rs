//! What a command works out or reads once, however many symbols, batches or rows it is about.

use super::decide::{confirm_staged, roll_back};
use super::import::{ImportOptions, Input, Staged, SymbolChoice, import_csv};
use super::lookup::{self, ViewQuery};
use super::metrics::{self, Asked};
use super::views::{Roots, ViewReader};
use super::watched::{self, Watch};
use super::{Clock, Run, health};
use crate::domain::{BatchId, Day, Position, Series};
use crate::ledger::Ledger;
use crate::projections::view::Activity;
use std::sync::Arc;

fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Stages the rows of a file.
fn staged(ledger: &mut Ledger, series: Series, text: &str) -> Staged {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let options = ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(series) };
    import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap()
}

/// Confirms them too.
fn import(ledger: &mut Ledger, series: Series, text: &str) -> BatchId {
    let staged = staged(ledger, series, text);
    confirm_staged(ledger, &staged, &run()).unwrap();
    staged.batch.unwrap()
}

/// Implied and realised volatility of some symbols on a day.
fn volatilities(symbols: std::ops::Range<u32>, day: &str) -> String {
    let row = |n| format!("S{n},{day},{}.5,20.25\n", 10 + n);
    format!("Symbol,Date,IV30,OHLC 20-Day Vol\n{}", symbols.map(row).collect::<String>())
}

/// Eight symbols in four batches, one of which was rolled back, after which there is a fifth.
fn eight() -> (Ledger, Arc<Watch>) {
    let (mut ledger, watch) = watched::ledger();
    for (last, day) in [(8, "2024-01-02"), (6, "2024-01-03"), (8, "2024-01-04"), (3, "2024-01-05")]
    {
        import(&mut ledger, Series::Iv, &volatilities(0..last, day));
    }
    roll_back(&mut ledger, BatchId(3), None, false, &run()).unwrap();
    import(&mut ledger, Series::Iv, &volatilities(2..8, "2024-01-08"));
    (ledger, watch)
}

#[test]
fn what_counted_earlier_is_worked_out_once_for_all_symbols() {
    let (ledger, _) = eight();
    let roots = ledger.remembered::<Roots>().unwrap();
    let asked = Asked { at: Some(Position(8)), ..Asked::default() };
    let today = day("2024-01-09");
    let times = |work: &dyn Fn()| {
        let before = roots.worked_out();
        work();
        roots.worked_out() - before
    };
    // Of each view once, and not again by the next command.
    assert_eq!(times(&|| assert_eq!(metrics::ranks(&ledger, &asked).unwrap().rows.len(), 8)), 1);
    let query = ViewQuery { at: asked.at, ..ViewQuery::of(Series::Iv) };
    assert_eq!(times(&|| assert_eq!(lookup::view(&ledger, &query).unwrap().len(), 8)), 0);
    let snapshot = || assert_eq!(metrics::snapshot(&ledger, &asked, today).unwrap().rows.len(), 8);
    assert_eq!(times(&snapshot), 3, "hv, spot and earnings besides");
    let coverage = || assert_eq!(health::coverage(&ledger, &asked, today).unwrap().rows.len(), 8);
    assert_eq!(times(&coverage), 0);
    // At the head nothing has to be.
    assert_eq!(times(&|| drop(metrics::ranks(&ledger, &Asked::default()).unwrap())), 0);
}

#[test]
fn what_counted_earlier_stays_what_it_is_when_more_is_decided() {
    let (mut ledger, _) = eight();
    let ids: Vec<BatchId> = (1..=6).map(BatchId).collect();
    let holds = |ledger: &Ledger| {
        let reader = ViewReader::new(ledger).unwrap();
        // More than are kept, and some of them twice.
        for at in (0..=ledger.position().0).chain([3, 8, ledger.position().0]).map(Position) {
            for view in [Series::Iv, Series::Hv, Series::Spot, Series::News, Series::Iv] {
                let (known, plain) =
                    (reader.activity(view, at), Activity::at(ledger.batches(), view, at));
                for id in &ids {
                    assert_eq!(known.rank(*id), plain.rank(*id), "{view} {at} {id}");
                }
                let table = ledger.batches();
                assert_eq!(known.left_out(table, view), plain.left_out(table, view), "{view} {at}");
            }
        }
    };
    holds(&ledger);
    // Neither writes a view, so what was read stays in memory; what was the head is an earlier position.
    let roots = ledger.remembered::<Roots>().unwrap();
    for id in [BatchId(1), BatchId(4)] {
        roll_back(&mut ledger, id, None, false, &run()).unwrap();
        assert!(Arc::ptr_eq(&roots, &ledger.remembered::<Roots>().unwrap()));
        holds(&ledger);
    }
}
