//! The figures of the README about answers: 2,000 symbols of 2,500 days each, read in every way.
//!
//! `cargo bench --bench answers` runs it whole; `… -- SYMBOLS DAYS` on another size.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../examples/make_large_csv.rs"]
#[allow(dead_code)]
mod large_csv;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use volledger::app::import::{ImportOptions, Input, SymbolChoice};
use volledger::app::metrics::{self, Asked};
use volledger::app::vantage::Vantage;
use volledger::app::{
    Ledger, Registry, Run, Silent, Which, decide, import, outside, projection, sql, verify, views,
};
use volledger::domain::{Position, Series};

/// CPU seconds (user and system) of this process so far, all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn measured<T>(what: &str, work: impl FnOnce() -> T) -> (T, f64) {
    let (cpu, begin) = (cpu_seconds(), Instant::now());
    let result = work();
    let (cpu, took) = (cpu_seconds() - cpu, begin.elapsed().as_secs_f64());
    println!("{what:<58} {took:>8.3} s wall {cpu:>8.2} CPU s");
    (result, took)
}

fn confirmed(ledger: &mut Ledger, path: &Path, run: &Run<'_>) {
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
    let inputs = [Input::file(path)];
    let staged = import::import_csv(ledger, &inputs, &options, run).unwrap();
    decide::confirm_staged(ledger, &staged, run).unwrap();
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (symbols, days) = match numbers.as_slice() {
        [symbols, days, ..] => (*symbols, *days),
        _ => (2_000, 2_500),
    };
    let directory = tempfile::tempdir().unwrap();
    let csv = directory.path().join("large.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    large_csv::write_csv(&mut out, symbols, days).unwrap();
    drop(out);
    let run = Run::new("bench");
    let dir = directory.path().join("ledger");
    let mut ledger = outside::create(&dir, "bench", Duration::ZERO).unwrap();
    let rows = (symbols * days) as f64;
    println!("{symbols} symbols x {days} days = {rows} rows");
    measured("import and confirm", || confirmed(&mut ledger, &csv, &run));
    let old = ledger.position();
    // The newest day of every symbol comes again with other values: the present has two batches.
    let again = directory.path().join("again.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&again).unwrap());
    out.write_all(b"Symbol,Date,IV30\n").unwrap();
    for number in 1..=symbols {
        writeln!(out, "SYN{number:05},2025-10-31,{}.25", 20 + number % 50).unwrap();
    }
    drop(out);
    measured("a later batch that restates one day of each symbol", || {
        confirmed(&mut ledger, &again, &run);
    });

    let asked = |at| Asked { at, ..Asked::default() };
    let today = run.clock.today();
    let snapshot = |ledger: &Ledger, at| {
        let found = metrics::snapshot(ledger, &asked(at), today).unwrap();
        assert_eq!(found.rows.len(), symbols);
    };
    measured("snapshot of all", || snapshot(&ledger, None));
    measured("snapshot of all, --at the old position", || snapshot(&ledger, Some(old)));
    measured("rank of all", || metrics::ranks(&ledger, &asked(None)).unwrap());
    let ((), rebuilt) = measured("rebuild of view iv", || {
        views::rebuild(&mut ledger, Series::Iv, &Silent).unwrap()
    });
    println!("{:<58} {:>8.2} M rows a second", "", (rows + symbols as f64) / rebuilt / 1e6);
    let report = verify::verify_one(&ledger, Series::Iv, &run).unwrap();
    assert!(report.ok, "{report:?}");

    let shared = Arc::new(ledger);
    let text = "SELECT count(*), avg(atm_iv), min(date), max(date), sum(options_volume) FROM iv";
    let query = |at: Option<Position>| {
        let registry = Registry::default();
        let vantage = Vantage::new(Arc::clone(&shared), &registry, at, Which::Latest).unwrap();
        let found = sql::query(&vantage, text).unwrap();
        assert_eq!(found.rows[0][0], symbols * days);
    };
    let ((), now) = measured("SQL aggregate over the whole table", || query(None));
    let ((), then) = measured("SQL aggregate, --at the old position", || query(Some(old)));
    println!("{:<58} {:>8.2} x the present", "", then / now);
    let mut ledger = Arc::try_unwrap(shared).unwrap();

    let name = "iv_metrics".parse().unwrap();
    measured("projection add iv_metrics (a rank for each day)", || {
        let done = projection::add(&mut ledger, &name, None, &run).unwrap();
        assert_eq!(done.refreshed.unwrap().state, "refreshed");
    });
    let one = directory.path().join("one.csv");
    std::fs::write(&one, "Symbol,Date,IV30\nSYN00007,2025-10-31,44.5\n").unwrap();
    measured("a batch of one day, with the projection's refresh", || {
        confirmed(&mut ledger, &one, &run);
    });
    let last = ledger.batches().iter().last().unwrap().0;
    measured("its rollback, with the projection's refresh", || {
        decide::roll_back(&mut ledger, last, None, false, &run).unwrap()
    });
}
