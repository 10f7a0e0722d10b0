//! What a command works out or reads once, however many symbols, batches or rows it is about.

use super::decide::{confirm_staged, roll_back};
use super::erased::{self, Place};
use super::export::{Stream, Wanted};
use super::import::{ImportOptions, Input, Staged, SymbolChoice, import_csv};
use super::lookup::{self, ViewQuery};
use super::metrics::{self, Asked};
use super::split::{self, Choice};
use super::views::{Counter, Roots, ViewReader};
use super::watched::{self, Watch};
use super::{Clock, Run, coverage, erase};
use crate::domain::{BatchId, Day, Position, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::ledger::erase::Selection;
use crate::projections::view::{Activity, Shown, Which, fold, has_value};
use std::collections::BTreeSet;
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
    let coverage = || assert_eq!(coverage::coverage(&ledger, &asked, today).unwrap().rows.len(), 8);
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

#[test]
fn what_was_erased_of_a_batch_is_read_once_for_all_symbols() {
    let (mut ledger, watch) = eight();
    for words in [["b1/1", "b1/4"], ["b1/5", "b2/4"], ["b5/1", "b4/1"]] {
        let selection = erase::selected(&ledger, &words.map(str::to_owned)).unwrap();
        erase::erase(&mut ledger, &selection, "why", &run()).unwrap();
    }
    let of_view = Place { series: &[Series::Iv], ..Place::default() };
    let (told, once) = watch.reads(|| erased::missing(&ledger, &of_view).unwrap());
    assert_eq!(told.iter().map(|line| line.events).collect::<Vec<_>>(), [2, 1, 1, 1, 1]);
    let query = ViewQuery::of(Series::Iv);
    let (views, reads) = watch.reads(|| lookup::view(&ledger, &query).unwrap());
    assert_eq!((views.len(), reads.blocks), (8, once.blocks));
    // Each symbol is told of its own, as if it were asked about alone.
    let names: Vec<Symbol> = (0..8).map(|n| format!("S{n}").parse().unwrap()).collect();
    let (first, last) = (day("2024-01-02"), day("2024-01-03"));
    for (from, to) in
        [(None, None), (Some(last), None), (None, Some(first)), (Some(first), Some(last))]
    {
        for at in [None, Some(Position(4)), Some(Position(8)), Some(Position(0))] {
            let place = Place { from, to, at, ..of_view };
            let mut all = erased::missing_by_symbol(&ledger, &place).unwrap();
            let mut events = 0;
            for symbol in &names {
                let alone = Place { symbols: std::slice::from_ref(symbol), ..place };
                let alone = erased::missing(&ledger, &alone).unwrap();
                events += alone.iter().map(|line| line.events).sum::<u64>();
                assert_eq!(all.remove(symbol).unwrap_or_default(), alone, "{symbol} {at:?}");
            }
            assert!(all.is_empty());
            let told = erased::missing(&ledger, &place).unwrap();
            assert_eq!(told.iter().map(|line| line.events).sum::<u64>(), events, "{at:?}");
        }
    }
}

#[test]
fn the_batches_of_a_split_are_found_by_reading_each_manifest_once() {
    let (mut ledger, watch) = watched::ledger();
    staged(&mut ledger, Series::Iv, &volatilities(0..8, "2024-01-02"));
    // b1 into b2 and b3, and that one into b4 and b5.
    for (id, symbols) in [(1, "S0,S1,S2"), (3, "S3,S4")] {
        let choice = Choice::of([symbols]).unwrap();
        split::split(&mut ledger, BatchId(id), &choice, None, &run()).unwrap();
    }
    for day in ["2024-01-03", "2024-01-04", "2024-01-05"] {
        import(&mut ledger, Series::Iv, &volatilities(0..2, day));
    }
    let all = |id: u32| {
        let events = ledger.batches().get(BatchId(id)).unwrap().stage.events as u32;
        (BatchId(id), (0..events).collect::<BTreeSet<u32>>())
    };
    let one = |id: u32, seq: u32| (BatchId(id), BTreeSet::from([seq]));
    let family: Selection = (1..=5).map(all).collect();
    for (selected, wanted) in [
        (Selection::from([all(1)]), family.clone()),
        (family.clone(), family),
        ((1..=8).map(all).collect(), (1..=8).map(all).collect()),
        (Selection::from([one(4, 0)]), Selection::from([one(4, 0), one(3, 0), one(1, 3)])),
        (Selection::from([one(2, 2)]), Selection::from([one(2, 2), one(1, 2)])),
        (Selection::from([all(6), one(7, 1)]), Selection::from([all(6), one(7, 1)])),
    ] {
        let mut found = selected.clone();
        let (done, reads) = watch.reads(|| super::parts::with_twins(&ledger, &mut found));
        done.unwrap();
        assert_eq!(found, wanted, "{selected:?}");
        assert!(reads.sources <= 8, "{selected:?}: {reads:?}");
    }
}

/// Every day of some years as one symbol's volatility, from so many percent on.
fn long(years: std::ops::Range<i32>, least: i32) -> String {
    let (first, last) =
        (Day::from_ymd(years.start, 1, 1).unwrap(), Day::from_ymd(years.end, 1, 1).unwrap());
    let row = |day: i32| format!("LONG,{},{}.5\n", Day(day), least + day % 70);
    format!("Symbol,Date,IV30\n{}", (first.0..last.0).map(row).collect::<String>())
}

#[test]
fn an_export_reads_a_long_history_once_to_tell_its_digest() {
    let (mut ledger, watch) = watched::ledger();
    import(&mut ledger, Series::Iv, &long(1990..2016, 9));
    let symbol: Symbol = "LONG".parse().unwrap();
    // What the stream reads, and whether it tells the digest of the whole.
    let exported = |ledger: &Ledger, wanted: &Wanted| {
        let stream = Stream::new(ledger, wanted).unwrap();
        let (read, reads) = watch.reads(|| stream.each(Series::Iv, &run(), |_, _| Ok(())));
        let query = ViewQuery { at: wanted.at, first: wanted.first, ..ViewQuery::of(Series::Iv) };
        let view = lookup::view(ledger, &query).unwrap().remove(0);
        let read = read.unwrap();
        let digests = read.digests.into_iter().map(|(_, digest)| digest.to_string());
        assert_eq!(digests.collect::<Vec<_>>(), [view.digest], "{wanted:?}");
        assert_eq!(read.rows, view.rows.len() as u64);
        reads.views
    };
    let wanted = |at, first| Wanted { series: vec![Series::Iv], at, first, ..Wanted::default() };
    // Of one batch the views have nothing of their own, and each of its blocks is unpacked once.
    let (read, reads) = watch.reads(|| exported(&ledger, &wanted(None, false)));
    assert!(read <= 2, "{read}");
    // Three for the export, and three for the view that it is compared with.
    assert!((3..=6).contains(&reads.blocks), "{reads:?}");
    import(&mut ledger, Series::Iv, &long(1990..2016, 10));
    let (_, once) = watch.reads(|| ViewReader::new(&ledger).unwrap().history(Series::Iv, &symbol));
    let once = once.views;
    assert_eq!(exported(&ledger, &wanted(None, false)), once);
    // Nobody noted how many records the earliest values make.
    assert!(exported(&ledger, &wanted(None, true)) > once);
    // Of a batch that counts no more only its year is read twice.
    let old = import(&mut ledger, Series::Iv, &long(1995..1996, 11));
    roll_back(&mut ledger, old, None, false, &run()).unwrap();
    let (_, year) = watch.reads(|| {
        let (first, last) = (day("1995-01-01"), day("1995-12-31"));
        ViewReader::new(&ledger).unwrap().history_between(Series::Iv, &symbol, first, last)
    });
    assert!(exported(&ledger, &wanted(None, false)) <= once + year.views);
    // Before two batches of all years nothing is spared, and nothing more is read.
    let at = Some(ledger.position());
    for least in [12, 13] {
        import(&mut ledger, Series::Iv, &long(1990..2016, least));
    }
    assert!(exported(&ledger, &wanted(None, false)) <= once + year.views + 4);
    let (_, all) = watch.reads(|| ViewReader::new(&ledger).unwrap().history(Series::Iv, &symbol));
    let before = watch.reads(|| exported(&ledger, &wanted(at, false)));
    assert!(before.0 <= 2 * all.views && before.1.blocks == 0, "{before:?} {all:?}");
}

#[test]
fn what_a_directory_says_is_shown_is_what_is_shown() {
    let mut ledger = Ledger::in_memory();
    let announced = |rows: &str| format!("symbol,earnings_date,confirmed\n{rows}");
    for rows in [
        "AAA,2024-02-01,no\nBBB,2024-02-06,yes\n",
        "AAA,2024-02-08,yes\nBBB,2024-05-07,no\n",
        "AAA,2024-05-02,no\nAAA,2025-01-30,no\nBBB,2024-05-14,yes\n",
        "AAA,2025-02-06,yes\nCCC,2025-02-06,yes\n",
    ] {
        import(&mut ledger, Series::Earnings, &announced(rows));
    }
    for id in [2, 3] {
        roll_back(&mut ledger, BatchId(id), None, false, &run()).unwrap();
    }
    let reader = ViewReader::new(&ledger).unwrap();
    let mut counted = BTreeSet::new();
    for at in (0..=ledger.position().0).map(Position) {
        let activity = reader.activity(Series::Earnings, at);
        let counter = Counter::new(&reader, Series::Earnings, activity.clone(), &[]).unwrap();
        for symbol in reader.symbols(Series::Earnings).unwrap() {
            let stored = reader.stored(Series::Earnings, &symbol).unwrap();
            let history = reader.history(Series::Earnings, &symbol).unwrap();
            let shown = counter.shown(&reader, &symbol, &stored).unwrap();
            let records = fold(Series::Earnings, &history, &activity, Which::Latest);
            assert_eq!(shown, records.len() as u64, "{symbol} {at}");
            counted.insert(shown);
        }
    }
    assert_eq!(counted, [0, 1, 2, 3].into());
}

/// Coverage looks at what is shown without making records of it; each of them says the same.
#[test]
fn coverage_says_what_the_records_say() {
    let (mut ledger, _) = eight();
    // Several batches say something of a day, and one that there is nothing.
    import(&mut ledger, Series::Iv, "Symbol,Date,IV30\nS1,2024-01-03,44.5\nS1,2024-01-09,n/a\n");
    let calendar = "symbol,earnings_date\nS1,2023-11-02\nS1,2024-02-08\nS2,2024-05-02\n";
    import(&mut ledger, Series::Earnings, calendar);
    import(&mut ledger, Series::Spot, "symbol,date,close\nS1,2024-01-03,5\nS9,2024-01-04,7\n");
    let (reader, today) = (ViewReader::new(&ledger).unwrap(), day("2024-01-09"));
    let dates = [None, Some(day("2024-01-03")), Some(day("2023-12-31"))];
    for at in (0..=ledger.position().0).step_by(3).map(Position).chain([ledger.position()]) {
        for (date, which) in dates.into_iter().flat_map(|d| [(d, Which::Latest), (d, Which::First)])
        {
            let asked = Asked { at: Some(at), date, which, ..Asked::default() };
            let found = coverage::coverage(&ledger, &asked, today).unwrap();
            let mut named = Vec::new();
            for symbol in (0..10).map(|n| format!("S{n}").parse::<Symbol>().unwrap()) {
                let records = |view| {
                    let mut records = reader.records(view, &symbol, at, which).unwrap();
                    records.retain(|record| date.is_none_or(|date| record.day <= date));
                    records
                };
                let [spot, hv, iv] = coverage::VIEWS.map(records);
                if [&spot, &hv, &iv].into_iter().all(Vec::is_empty) {
                    continue;
                }
                let row = found.rows.iter().find(|row| row.symbol == symbol.as_str()).unwrap();
                let valid = iv.iter().filter(|r| r.number(code::ATM_IV).is_some_and(|v| v > 0.0));
                assert_eq!(row.iv_valid, valid.count() as u64, "{symbol} {at}");
                let spans = [&row.spot, &row.hv, &row.iv].map(|span| {
                    span.as_ref().map(|span| (span.from.clone(), span.to.clone(), span.days))
                });
                let wanted =
                    coverage::VIEWS.into_iter().zip([spot, hv, iv]).map(|(view, records)| {
                        let days = records.into_iter().filter_map(|record| {
                            let day = record.day.to_string();
                            has_value(view, &Shown::Record(record)).then_some(day)
                        });
                        let days: Vec<String> = days.collect();
                        let ends = days.first().cloned().zip(days.last().cloned());
                        ends.map(|(from, to)| (from, to, days.len() as u64))
                    });
                assert_eq!(spans.to_vec(), wanted.collect::<Vec<_>>(), "{symbol} {at} {date:?}");
                let announced = reader.records(Series::Earnings, &symbol, at, which).unwrap();
                let told = row.earnings.as_ref().map_or(0, |told| told.days);
                assert_eq!(told, announced.len() as u64, "{symbol} {at}");
                named.push(symbol.to_string());
            }
            let rows: Vec<_> = found.rows.iter().map(|row| row.symbol.clone()).collect();
            assert_eq!(rows, named, "{at} {date:?}");
        }
    }
}

/// Years that came by as many files: whoever asks for one symbol after the other unpacks each block once.
#[test]
fn neighbours_in_many_batches_share_their_blocks() {
    let (mut ledger, watch) = watched::ledger();
    let symbols: Vec<Symbol> = (0..30).map(|n| format!("S{n:02}").parse().unwrap()).collect();
    for year in 1995..2015 {
        let days = long(year..year + 1, 9);
        let days = days.split_once('\n').unwrap().1;
        let rows: String = symbols.iter().map(|of| days.replace("LONG", of.as_str())).collect();
        import(&mut ledger, Series::Iv, &format!("Symbol,Date,IV30\n{rows}"));
    }
    let reader = ViewReader::new(&ledger).unwrap();
    let (_, reads) = watch.reads(|| {
        for symbol in &symbols {
            assert_eq!(reader.history(Series::Iv, symbol).unwrap().batches.len(), 7_305);
        }
    });
    // 30 symbols of a year stand in three blocks.
    assert_eq!(reads.blocks, 20 * 3, "{reads:?}");
}
