//! The figures of the README: one generated CSV of a million daily rows, through the whole life
//! of a batch, with CPU seconds, peak memory and bytes on disk.
//!
//! `cargo bench` runs it whole; `cargo bench -- SYMBOLS DAYS` on another size.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../examples/make_large_csv.rs"]
#[allow(dead_code)]
mod large_csv;

use std::path::Path;
use std::time::{Duration, Instant};
use volledger::app::import::{ImportOptions, Input, SymbolChoice};
use volledger::app::{Ledger, OpenOptions, Run, decide, import, lookup, outside, verify};
use volledger::domain::Series;

/// CPU seconds (user and system) of this process so far, all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Peak resident memory in MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// Allocated bytes below a directory.
fn allocated(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => allocated(&entry.path()),
        Ok(meta) => meta.blocks() * 512,
        Err(_) => 0,
    };
    entries.map(size).sum()
}

fn measured<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (cpu, wall) = (cpu_seconds(), Instant::now());
    let result = work();
    let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
    println!("{what:<44} {cpu:>7.2} CPU s {wall:>8.3} s wall {:>8.0} MiB peak", peak_mib());
    result
}

/// `VOLLEDGER_MIRROR=0` measures without the mirror.
fn options(holder: &str) -> OpenOptions {
    let mirror = std::env::var("VOLLEDGER_MIRROR").as_deref() != Ok("0");
    OpenOptions { mirror, ..OpenOptions::new(holder, Duration::ZERO) }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (symbols, days) = match numbers.as_slice() {
        [symbols, days, ..] => (*symbols, *days),
        _ => (2_000, 500),
    };
    let directory = tempfile::tempdir().unwrap();
    let csv = directory.path().join("large.csv");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    large_csv::write_csv(&mut out, symbols, days).unwrap();
    drop(out);
    let size = std::fs::metadata(&csv).unwrap().len();
    let rows = (symbols * days) as f64;
    println!("{rows} rows, {:.1} MB, {:.1} bytes a row", size as f64 / 1e6, size as f64 / rows);

    let dir = directory.path().join("ledger");
    let run = Run::new("bench");
    let open = || outside::open_with(&dir, &options("bench"), &run).unwrap().ledger;
    let mut ledger = outside::create_with(&dir, &options("bench")).unwrap();
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
    let inputs = [Input::file(&csv)];
    let begin = cpu_seconds();
    let staged = measured("stage and diff", || {
        import::import_csv(&mut ledger, &inputs, &options, &run).unwrap()
    });
    measured("confirm (views included)", || {
        decide::confirm_staged(&mut ledger, &staged, &run).unwrap()
    });
    println!("stage + diff + confirm: {:.2} CPU s", cpu_seconds() - begin);
    let blocks = block_bytes(&ledger, staged.batch.unwrap());
    let views: usize = [b'c', b's', b'd', b'r']
        .iter()
        .flat_map(|kind| ledger.store().view_keys(&[*kind]).unwrap())
        .map(|key| key.len() + ledger.store().view(&key).unwrap().unwrap().len())
        .sum();
    println!("views {:.1} bytes a row", views as f64 / rows);
    drop(ledger);
    let (sled, packs) = (allocated(&dir.join("sled")), allocated(&dir.join("sources")));
    println!(
        "blocks {:.1} bytes a row; on disk: engine {:.1}, sources {:.1}; whole ledger {:.2} x the CSV",
        blocks as f64 / rows,
        sled as f64 / rows,
        packs as f64 / rows,
        (sled + packs) as f64 / size as f64
    );
    drop(measured("open, the first time", open));
    let mut ledger = measured("open", open);
    println!(
        "whole ledger after opening again: {:.2} x the CSV",
        allocated(&dir) as f64 / size as f64
    );
    let query = lookup::ViewQuery {
        symbols: vec!["SYN00007".parse().unwrap()],
        ..lookup::ViewQuery::of(Series::Iv)
    };
    measured("view of one symbol", || lookup::view(&ledger, &query).unwrap());
    measured("verify --deep", || assert!(verify::verify(&ledger, true, &run).unwrap().ok));
    let batch = staged.batch.unwrap();
    measured("rollback of all of it", || {
        decide::roll_back(&mut ledger, batch, None, false, &run).unwrap()
    });
    measured("reinstate", || decide::reinstate(&mut ledger, batch, None, false, &run).unwrap());
    measured("rebuild of view iv", || verify::rebuild(&mut ledger, Series::Iv, &run).unwrap());
}

fn block_bytes(ledger: &Ledger, batch: volledger::domain::BatchId) -> u64 {
    let sizes = (0..).map_while(|index| ledger.block(batch, index).unwrap());
    sizes.map(|bytes| bytes.len() as u64).sum()
}
