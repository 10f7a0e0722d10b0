//! The figures of the README about earnings: 500 stocks with 12 quarters and 750 bars each
//! (`iv_crush.md` A18), asked by the program itself, process start included.
//!
//! `cargo bench --bench earnings` runs it whole; `… -- SYMBOLS RUNS` on another size.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use volledger::app::import::{ImportOptions, Input, SymbolChoice};
use volledger::app::{Ledger, Run, decide, import, outside, projection};
use volledger::domain::{Calendar, Day, Series};

/// Sessions of each stock.
const BARS: usize = 750;
/// Sessions between announcements.
const QUARTER: usize = 63;

fn name(number: usize) -> String {
    format!("SYN{number:04}")
}

fn confirmed(ledger: &mut Ledger, file: &Path, series: Series, run: &Run<'_>) {
    let options = ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(series) };
    let staged = import::import_csv(ledger, &[Input::file(file)], &options, run).unwrap();
    assert_eq!(staged.review.rows.rejected, 0, "{:?}", staged.review.findings);
    decide::confirm_staged(ledger, &staged, run).unwrap();
}

fn fill(directory: &Path, symbols: usize) -> Ledger {
    let run = Run::new("bench");
    let mut ledger = outside::create(&directory.join("l"), "bench", Duration::ZERO).unwrap();
    let last: Day = "2025-12-05".parse().unwrap();
    let mut days: Vec<Day> = Calendar::nyse().open_days(Day(last.0 - 1_200), last).collect();
    days.drain(..days.len() - BARS);
    let mut calendar = "ticker,announcement_date,timing,confirmed\n".to_owned();
    let mut bars = "ticker,date,open,high,low,close,volume\n".to_owned();
    let mut straddles =
        "ticker,earnings_date,expiration,scan_date,stock_price,straddle_cost\n".to_owned();
    for number in 0..symbols {
        let symbol = name(number);
        for (at, day) in days.iter().enumerate() {
            if at % QUARTER == 5 {
                writeln!(calendar, "{symbol},{day},AMC,1").unwrap();
            }
            // The session after each announcement moves by 3 to 9 percent.
            let close = if at % QUARTER == 6 { 103 + (number + at / QUARTER) % 7 } else { 100 };
            let volume = 1_000_000 + at * 7 + number;
            writeln!(bars, "{symbol},{day},100,110,99,{close},{volume}").unwrap();
        }
        writeln!(calendar, "{symbol},2025-12-10,AMC,1").unwrap();
        writeln!(straddles, "{symbol},2025-12-10,2025-12-12,2025-12-05,100,{}.5", 4 + number % 9)
            .unwrap();
    }
    for (file, text, series) in [
        ("calendar.csv", calendar, Series::Earnings),
        ("bars.csv", bars, Series::Spot),
        ("straddles.csv", straddles, Series::Straddles),
    ] {
        let path = directory.join(file);
        std::fs::write(&path, text).unwrap();
        confirmed(&mut ledger, &path, series, &run);
    }
    ledger
}

/// Median and worst of some runs of the program.
fn ran(directory: &Path, words: &[String], runs: usize) -> (f64, f64) {
    let once = |_| {
        let begin = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_volledger"))
            .arg("-L")
            .arg(directory.join("l"))
            .args(words)
            .env("VOLLEDGER_NOW", "2025-12-05T21:00:00Z")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        begin.elapsed().as_secs_f64() * 1_000.0
    };
    let mut took: Vec<f64> = (0..runs).map(once).collect();
    took.sort_by(f64::total_cmp);
    (took[took.len() / 2], took[took.len() - 1])
}

fn told(what: &str, (median, worst): (f64, f64)) {
    println!("{what:<58} {median:>9.1} ms median {worst:>9.1} ms worst");
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (symbols, runs) = match numbers.as_slice() {
        [symbols, runs, ..] => (*symbols, *runs),
        _ => (500, 30),
    };
    let directory = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    let mut ledger = fill(directory.path(), symbols);
    let took = begin.elapsed().as_secs_f64();
    println!("{symbols} stocks x (13 announcements + {BARS} bars + 1 straddle): {took:.1} s");
    drop(ledger);
    let asked = |count: usize| {
        let names: Vec<String> = (0..count.min(symbols)).map(name).collect();
        let words = ["vrp", "list", "--date", "2025-12-05", "--json"];
        words.into_iter().map(str::to_owned).chain(names).collect::<Vec<String>>()
    };
    for count in [1, 100] {
        let what = format!("vrp of {count}, moves computed when asked");
        told(&what, ran(directory.path(), &asked(count), runs));
    }
    let run = Run::new("bench");
    let dir = directory.path().join("l");
    ledger = outside::open(&dir, "bench", Duration::from_secs(5), &run).unwrap().ledger;
    let begin = Instant::now();
    let name = "earnings_moves@2".parse().unwrap();
    let done = projection::add(&mut ledger, &name, None, &run).unwrap().refreshed.unwrap();
    assert_eq!((done.state, done.rows), ("refreshed", 13 * symbols as u64));
    let took = begin.elapsed().as_secs_f64();
    let events = (symbols * (BARS + 13)) as f64;
    println!("{:<58} {:>9.0} events a second", "replay into earnings_moves@2", events / took);
    drop(ledger);
    for count in [1, 100] {
        told(&format!("vrp of {count}, moves kept"), ran(directory.path(), &asked(count), runs));
    }
    let scan = ["vrp", "scan", "--date", "2025-12-10", "--json"].map(str::to_owned);
    told(&format!("scan of a day on which {symbols} announce"), ran(directory.path(), &scan, runs));
    let one = ["earnings", "SYN0001", "--json"].map(str::to_owned);
    told("earnings of 1", ran(directory.path(), &one, runs));
    let health = ["health", "--json"].map(str::to_owned);
    told("health, without network", ran(directory.path(), &health, runs));
}
