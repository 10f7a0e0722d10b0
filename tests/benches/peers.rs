//! One step of the comparison with other stores, measured in a process of its own: what
//! `examples/bench_peers.py` runs. `peers STORE STEP PLACE …` prints one line of JSON.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

#[path = "peers/bare.rs"]
mod bare;
#[path = "../../examples/make_large_csv.rs"]
#[allow(dead_code)]
mod large_csv;
#[path = "peers/ours.rs"]
mod ours;
#[path = "peers/rows.rs"]
mod rows;
#[path = "peers/sqlite.rs"]
mod sqlite;

use rows::Row;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use volledger::domain::Day;

/// Measures what it is handed: work that says how much it did.
type Measure<'a> = &'a mut dyn FnMut(&mut dyn FnMut() -> u64);
/// Is handed what adds one row, durably, and says when it began: a file that holds the row is no part of it.
type Adding<'a> = &'a mut dyn FnMut(&mut dyn FnMut(&Row) -> Instant);

/// A store under measurement. What is measured is handed to `measured`, so that opening is not.
trait Store {
    /// Makes the store from CSV files, each a batch, durable after each.
    fn load(&self, store: &Path, files: &[PathBuf]);
    /// Opens it as far as a first row can be read.
    fn open(&self, store: &Path);
    /// Reads everything and works out the latest row of each symbol and day.
    fn fold(&self, store: &Path, measured: Measure<'_>);
    /// Reads everything and hashes it.
    fn rehash(&self, store: &Path, measured: Measure<'_>);
    /// Makes the stored views anew, where there are any.
    fn rebuild(&self, _: &Path, _: Measure<'_>) {}
    /// Adds single rows, each durable before the next.
    fn commit(&self, store: &Path, one: Adding<'_>);
    /// The wall times of decisions about single rows that stand there already, where there is such
    /// a thing.
    fn decide(&self, _: &Path, _: usize) -> Vec<f64> {
        Vec::new()
    }
    /// Takes one batch out again, where that can be done.
    fn roll_back(&self, _: &Path, _: u32, _: Measure<'_>) {}
    /// Further figures of the stored bytes.
    fn extra(&self, _: &Path) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// CPU time of this process so far, user and system, all threads.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Peak resident memory in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

/// Allocated bytes of a file or below a directory.
fn allocated(place: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(meta) = place.symlink_metadata() else { return 0 };
    let inside = place.read_dir().into_iter().flatten().flatten();
    meta.blocks() * 512 + inside.map(|entry| allocated(&entry.path())).sum::<u64>()
}

fn measured(work: &mut dyn FnMut() -> u64) -> Value {
    let (before, wall) = (cpu(), Instant::now());
    let count = work();
    let (cpu, wall) = ((cpu() - before).as_secs_f64(), wall.elapsed().as_secs_f64());
    json!({ "cpu": cpu, "wall": wall, "peak_kib": peak(), "count": count })
}

/// The row of that number that is added alone.
fn single(number: u32) -> Row {
    Row {
        symbol: format!("SYN{:05}", number % 2_000 + 1),
        day: Day::from_ymd(2025, 11, 3).unwrap().0 + (number / 2_000) as i32,
        values: [f64::from(number % 5_000) / 100.0 + 10.0, 21.5, 22.5, 23.5],
        volume: i64::from(number),
        batch: 1_000 + number,
        number: 1,
    }
}

/// Commits of single rows: their wall times in microseconds.
fn commits(store: &dyn Store, place: &Path, count: u32) -> Vec<f64> {
    let mut times = Vec::new();
    store.commit(place, &mut |add| {
        for number in 0..count {
            let row = single(number);
            let begin = add(&row);
            times.push(begin.elapsed().as_secs_f64() * 1e6);
        }
    });
    times
}

fn percentiles(mut times: Vec<f64>) -> Value {
    if times.is_empty() {
        return Value::Null;
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    json!({ "p50_us": at(0.5), "p99_us": at(0.99), "peak_kib": peak() })
}

fn step(store: &dyn Store, step: &str, place: &Path, rest: &[String]) -> Value {
    let mut result = Value::Null;
    let mut take = |work: &mut dyn FnMut() -> u64| result = measured(work);
    let number = || rest[0].parse::<u32>().unwrap();
    match step {
        "load" => {
            let files: Vec<PathBuf> = rest.iter().map(PathBuf::from).collect();
            take(&mut || {
                store.load(place, &files);
                files.len() as u64
            });
        }
        "open" => take(&mut || {
            store.open(place);
            1
        }),
        "fold" => store.fold(place, &mut take),
        "rehash" => store.rehash(place, &mut take),
        "rebuild" => store.rebuild(place, &mut take),
        "rollback" => store.roll_back(place, number(), &mut take),
        "commit" => result = percentiles(commits(store, place, number())),
        "decide" => result = percentiles(store.decide(place, number() as usize)),
        "size" => {
            result = json!({ "bytes": allocated(place) });
            for (name, value) in store.extra(place) {
                result[name] = value.into();
            }
        }
        other => println!("no step `{other}`"),
    }
    result
}

fn main() {
    // `cargo bench` adds its own flag.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let size = |text: &str| text.parse::<usize>().unwrap();
    let store: Box<dyn Store> = match words.as_slice() {
        [] => return println!("python3 examples/bench_peers.py runs these measurements"),
        ["generate", out, symbols, days] => {
            let mut out = std::io::BufWriter::new(std::fs::File::create(out).unwrap());
            return large_csv::write_csv(&mut out, size(symbols), size(days)).unwrap();
        }
        ["cut", csv, folder, parts, rows] => {
            return rows::cut(csv.as_ref(), folder.as_ref(), size(parts), size(rows));
        }
        ["restate", csv, out, all, days] => {
            return rows::restate(csv.as_ref(), out.as_ref(), size(all), size(days));
        }
        ["volledger", ..] => Box::new(ours::Ours { mirror: true }),
        ["volledger-bare", ..] => Box::new(ours::Ours { mirror: false }),
        ["file", ..] => Box::new(bare::Bare),
        ["sled", ..] => Box::new(bare::Sled),
        ["sqlite", ..] => Box::new(sqlite::Sqlite { audit: false }),
        ["sqlite-audit", ..] => Box::new(sqlite::Sqlite { audit: true }),
        [other, ..] => return println!("no store `{other}`"),
    };
    println!("{}", step(store.as_ref(), words[1], words[2].as_ref(), &args[3..]));
}
