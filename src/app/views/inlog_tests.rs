//! Views that point at the log: what they show, and when they stop to.

use super::root::Root;
use super::root::tests::{import, name, run, sound, staged};
use super::stored::{Place, read_periods};
use super::{ViewReader, rebuild};
use crate::app::Silent;
use crate::app::decide::{confirm_staged, roll_back};
use crate::app::groups::Groups;
use crate::app::import::{ImportOptions, Input, Staged, SymbolChoice, import_csv};
use crate::app::large_values::put;
use crate::app::watched;
use crate::domain::{BatchId, Day, Series};
use crate::ledger::Ledger;
use crate::ledger::codec::{Blocks, Listed, Periods, Stands, encode_periods};
use crate::ledger::hash::content;
use crate::projections::view::History;

const VIEWS: [Series; 2] = [Series::Iv, Series::Hv];

/// Confirms lines of `symbol,day,iv,hv`.
fn confirm(ledger: &mut Ledger, lines: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("Symbol,Date,IV30,OHLC 20-Day Vol\n{lines}")).unwrap();
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
    let staged = import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap();
    confirm_staged(ledger, &staged, &run()).unwrap();
}

/// Days of a symbol from a year's first on.
fn days(symbol: usize, year: i32, count: i32) -> String {
    let first = Day::from_ymd(year, 1, 1).unwrap().0;
    let line =
        |n: i32| format!("{},{},{}.5,2{}.25\n", name(symbol), Day(first + n), 10 + n % 50, n % 7);
    (0..count).map(line).collect()
}

fn periods(ledger: &Ledger, view: Series, symbol: usize) -> Periods {
    let root = Root::read(ledger, view).unwrap();
    let of = root.entry(ledger, &name(symbol)).unwrap().unwrap();
    read_periods(ledger, root.place, &name(symbol), &of.digest).unwrap()
}

/// The years of a symbol, each with the blocks that are pointed at.
fn pointed(ledger: &Ledger, symbol: usize) -> Vec<(i32, Option<Blocks>)> {
    let of = |periods: Periods| {
        let blocks = |of: &Stands| match of {
            Stands::Log(blocks) => Some(*blocks),
            Stands::Chunk(_) => None,
        };
        periods.iter().map(|(year, of)| (*year, blocks(&of.stands))).collect::<Vec<_>>()
    };
    let [iv, hv] = VIEWS.map(|view| of(periods(ledger, view, symbol)));
    assert_eq!(iv, hv);
    iv
}

fn blocks(batch: u32, first: u32, second: Option<u32>) -> Option<Blocks> {
    Some(Blocks { batch: BatchId(batch), first, second })
}

/// What is read of a symbol in a view, and what the log says of it: the same.
fn as_the_log_says(ledger: &Ledger, symbols: std::ops::Range<usize>) {
    let all: Vec<BatchId> = (1..=ledger.batches().len() as u32).map(BatchId).collect();
    let groups = Groups::of(ledger, &all).unwrap();
    let reader = ViewReader::new(ledger).unwrap();
    let told = |history: &History| {
        let event = |(row, batch): (crate::domain::Row<'_>, &u32)| {
            let values: Vec<String> = row.values.iter().map(|of| of.to_string()).collect();
            let head = (row.head.day, row.head.seq, row.head.op);
            format!("{batch} {head:?} {} {:?} {values:?}", row.symbol, row.shape)
        };
        history.rows.iter().zip(&history.batches).map(event).collect::<Vec<_>>()
    };
    for symbol in symbols {
        let events = groups.events(ledger, &(name(symbol), name(symbol))).unwrap();
        for view in VIEWS {
            let read = reader.history(view, &name(symbol)).unwrap();
            assert_eq!(told(&read), told(&events[&name(symbol)].views[&view]), "{view} {symbol}");
            assert_eq!(reader.events(view, &name(symbol)).unwrap(), read.batches.len() as u64);
        }
    }
}

#[test]
fn a_period_of_one_batch_is_read_where_it_stands() {
    let mut ledger = Ledger::in_memory();
    let all: String = (1..4).map(|symbol| days(symbol, 2015, 2_500)).collect();
    confirm(&mut ledger, &all);
    // 2,500 days are more than six years, and 4,096 rows are a block.
    let year = |year, first, second| (year, blocks(1, first, second));
    let whole = |from: i32, to: i32, block| (from..=to).map(move |of| year(of, block, None));
    assert_eq!(pointed(&ledger, 1), whole(2015, 2021, 0).collect::<Vec<_>>());
    let second: Vec<_> = whole(2015, 2018, 0).chain([year(2019, 0, Some(1))]).collect();
    assert_eq!(pointed(&ledger, 2), [second, whole(2020, 2021, 1).collect()].concat());
    let third: Vec<_> = whole(2015, 2021, 1).collect();
    assert_eq!(pointed(&ledger, 3), third);
    as_the_log_says(&ledger, 1..4);
    sound(&ledger);
    // Only what another batch speaks of is kept once more, also when that does not count any more.
    confirm(&mut ledger, &days(2, 2016, 3));
    roll_back(&mut ledger, BatchId(2), None, false, &run()).unwrap();
    let mut touched = pointed(&ledger, 2);
    assert_eq!(touched.iter().position(|(_, of)| of.is_none()), Some(1));
    touched[1].1 = blocks(1, 0, None);
    assert_eq!(touched.len(), 7);
    assert!(touched.iter().all(|(_, of)| of.is_some()));
    as_the_log_says(&ledger, 1..4);
    sound(&ledger);
}

#[test]
fn views_that_are_kept_up_and_rebuilt_ones_point_alike() {
    let mut ledger = Ledger::in_memory();
    let both = [days(1, 2020, 400), days(2, 2020, 400)].concat();
    confirm(&mut ledger, &both);
    // A later year, an earlier one, the same days again, a day between, days twice, days backwards.
    confirm(&mut ledger, &days(1, 2022, 300));
    confirm(&mut ledger, &[days(1, 2019, 20), days(3, 2019, 2)].concat());
    confirm(&mut ledger, &days(2, 2020, 30).replace(".5,", ".75,"));
    confirm(&mut ledger, &days(4, 2021, 3));
    confirm(&mut ledger, &[days(5, 2021, 3), days(5, 2021, 3).replace(".5,", ".75,")].concat());
    confirm(
        &mut ledger,
        &days(6, 2021, 30).lines().rev().map(|line| format!("{line}\n")).collect::<String>(),
    );
    // Files in the order of days, of few symbols and of many.
    for symbols in [7..11, 11..21] {
        let all: String = symbols.map(|n| days(n, 2023, 90)).collect();
        let mut lines: Vec<&str> = all.lines().collect();
        lines.sort_by_key(|line| line.split(',').nth(1));
        confirm(&mut ledger, &(lines.join("\n") + "\n"));
    }
    let all = |ledger: &Ledger| -> Vec<Periods> {
        VIEWS.iter().flat_map(|view| (1..21).map(|n| periods(ledger, *view, n))).collect()
    };
    let before = all(&ledger);
    as_the_log_says(&ledger, 1..21);
    sound(&ledger);
    assert_eq!(pointed(&ledger, 1).iter().filter(|(_, of)| of.is_some()).count(), 4);
    assert_eq!(pointed(&ledger, 2).iter().filter(|(_, of)| of.is_some()).count(), 1);
    assert_eq!(pointed(&ledger, 5), [(2021, None)], "two events of a day");
    assert_eq!(pointed(&ledger, 12), [(2023, None)], "far off from each other in their file");
    // A block has its rows in the order of days, wherever they stood in the file.
    assert!(pointed(&ledger, 6).iter().chain(&pointed(&ledger, 9)).all(|(_, of)| of.is_some()));
    for view in VIEWS {
        rebuild(&mut ledger, view, &Silent).unwrap();
    }
    assert_eq!(all(&ledger), before);
    as_the_log_says(&ledger, 1..21);
    sound(&ledger);
}

#[test]
fn what_points_elsewhere_is_found_and_never_read() {
    let wrong = |change: fn(&mut Periods)| {
        let mut ledger = Ledger::in_memory();
        confirm(&mut ledger, &[days(1, 2020, 366), days(2, 2020, 4_000)].concat());
        import(&mut ledger, [(3, 2)].into_iter());
        let mut periods = periods(&ledger, Series::Iv, 1);
        change(&mut periods);
        // Every digest on the way is right.
        let place = Place::live(&ledger, Series::Iv).unwrap();
        let bytes = encode_periods(&periods).unwrap();
        put(&mut ledger, &place.symbol_key(&name(1)), &bytes).unwrap();
        let mut root = Root::read(&ledger, Series::Iv).unwrap();
        let events = periods.values().map(|of| of.events).sum();
        root.set(&ledger, &name(1), Listed { events, digest: content(&bytes) }).unwrap();
        root.write(&mut ledger).unwrap();
        let found = super::compare_with_log(&ledger, &VIEWS, &mut |_, _| true).unwrap();
        assert_eq!(found, ["view iv of S0001 differs from its rebuild"]);
        let read = ViewReader::new(&ledger).unwrap().history(Series::Iv, &name(1));
        read.map(|history| history.batches.len()).map_err(|error| error.to_string())
    };
    fn stands(periods: &mut Periods, batch: u32, first: u32, second: Option<u32>) {
        let of = periods.get_mut(&2020).unwrap();
        of.stands = Stands::Log(Blocks { batch: BatchId(batch), first, second });
    }
    let lost = "the ledger is damaged: iv S0001 2020 is not where its view says";
    assert_eq!(wrong(|of| stands(of, 1, 1, None)).unwrap_err(), lost);
    assert_eq!(wrong(|of| stands(of, 2, 0, None)).unwrap_err(), lost);
    assert_eq!(wrong(|of| of.get_mut(&2020).unwrap().events = 365).unwrap_err(), lost);
    let missing = "the ledger is damaged: block 99 of batch b1 is missing";
    assert_eq!(wrong(|of| stands(of, 1, 0, Some(99))).unwrap_err(), missing);
    // Harmless, and told all the same.
    assert_eq!(wrong(|of| stands(of, 1, 0, Some(1))), Ok(366));
    assert_eq!(wrong(|of| of.get_mut(&2020).unwrap().keys = None), Ok(366));
}

#[test]
fn a_staged_batch_is_not_pointed_at() {
    let mut ledger = Ledger::in_memory();
    import(&mut ledger, [(1, 2)].into_iter());
    staged(&mut ledger, [(1, 3), (2, 3)].into_iter());
    import(&mut ledger, [(2, 4)].into_iter());
    assert_eq!(pointed(&ledger, 1), [(2024, blocks(1, 0, None))]);
    assert_eq!(pointed(&ledger, 2), [(2024, blocks(3, 0, None))]);
}

#[test]
fn what_a_review_found_is_not_read_again() {
    let (mut ledger, watch) = watched::ledger();
    let confirmed = |ledger: &mut Ledger, staged: &Staged| {
        watch.reads(|| confirm_staged(ledger, staged, &run()).unwrap()).1.blocks
    };
    let first = staged(&mut ledger, [(1, 2), (1, 3), (2, 2), (9, 2)].into_iter());
    assert_eq!(confirmed(&mut ledger, &first), 0);
    assert_eq!(pointed(&ledger, 1), [(2024, blocks(1, 0, None))]);
    // One that is known, and a day twice, are read.
    let known = staged(&mut ledger, [(2, 4), (3, 2)].into_iter());
    assert!(confirmed(&mut ledger, &known) > 0);
    let twice = staged(&mut ledger, [(4, 2), (4, 2)].into_iter());
    assert!(confirmed(&mut ledger, &twice) > 0);
    assert_eq!([2, 4].map(|n| pointed(&ledger, n)[0].1), [None, None]);
    // What was found goes by its own batch, and only until the views change.
    let before = staged(&mut ledger, [(5, 2), (6, 2)].into_iter());
    let after = staged(&mut ledger, [(5, 3), (7, 2)].into_iter());
    assert!(confirmed(&mut ledger, &before) > 0);
    assert!(confirmed(&mut ledger, &after) > 0);
    assert_eq!(pointed(&ledger, 5), [(2024, None)]);
    assert_eq!([6, 7].map(|n| pointed(&ledger, n)[0].1), [blocks(4, 0, None), blocks(5, 0, None)]);
    as_the_log_says(&ledger, 1..8);
    sound(&ledger);
}
