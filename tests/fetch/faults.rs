//! Faults on the way change nothing of what arrives.

use super::fake::Fake;
use super::{Bench, exported, soak};
use serde_json::Value;
use std::process::Child;

const FAULTS: &str = r#"{"error_every": 7, "reset_every": 11, "truncate_every": 13,
    "duplicate_page_every": 3, "rate_per_min": 14, "rate_window_s": 3.0}"#;

const NONE: &str = r#"{"error_every": 0, "reset_every": 0, "truncate_every": 0,
    "duplicate_page_every": 0, "rate_per_min": 0}"#;

/// The largest memory that a process had, in KiB, watched until it ends.
pub fn peak(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most = most.max(size.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    most
}

fn count(stats: &Value, what: &str, name: &str) -> u64 {
    stats[what][name].as_u64().unwrap_or(0)
}

#[test]
fn five_years_of_many_symbols_are_the_same_with_faults() {
    let Some(fake) = Fake::start(&[]) else { return };
    let symbols = soak(50, 500);
    let words = "--years 5 --yes --no-derive --jobs 8 -q -o json";
    let calm = Bench::new(fake.base());
    let (list, names) = calm.watchlist(symbols);
    calm.fetch(&format!("spot {list} {words}")).exits(0);
    let want = exported(&calm);
    assert!(want.lines().count() > 1200 * symbols, "{} rows", want.lines().count());
    assert!(names.iter().all(|name| want.contains(name.as_str())));
    assert_eq!(fake.requests(), symbols as u64);

    fake.reset();
    fake.control(FAULTS);
    let rough = Bench::new(fake.base());
    let (list, _) = rough.watchlist(symbols);
    let mut child = rough.start(&format!("spot {list} {words}"));
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let read = |mut from: Box<dyn std::io::Read + Send>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            from.read_to_string(&mut text).unwrap();
            text
        })
    };
    let (out, err) = (read(Box::new(out)), read(Box::new(err)));
    let peak = peak(&mut child);
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(0), "{out}\n{err}");

    let stats = fake.stats();
    // The faults were played, or the test shows nothing.
    for status in ["500", "429"] {
        assert!(count(&stats, "by_status", status) > 0, "{stats}");
    }
    for fault in ["reset", "truncate"] {
        assert!(fake.log().iter().any(|one| one["fault"] == fault), "no {fault}");
    }
    assert_eq!(stats["key_in_url"], 0);
    assert_eq!(stats["by_auth"].as_object().unwrap().len(), 1, "{stats}");
    assert_eq!(count(&stats, "by_auth", "header"), fake.requests());
    assert!(exported(&rough) == want, "the views differ");
    assert_eq!(rough.shown(), calm.shown());
    rough.verifies();
    assert!(peak > 1024, "{peak} KiB");
    assert!(peak <= 400 * 1024, "{peak} KiB");
}

#[test]
fn pages_of_a_chain_are_the_same_with_faults() {
    let Some(fake) = Fake::start(&[]) else { return };
    let calm = Bench::new(fake.base());
    calm.fetch("chain AAPL --yes").exits(0);
    calm.fetch("contracts AAPL --date 2025-11-12 --yes").exits(0);
    fake.reset();
    fake.control(r#"{"duplicate_page_every": 3, "error_every": 7, "reset_every": 11}"#);
    let rough = Bench::new(fake.base());
    rough.fetch("chain AAPL --yes").exits(0);
    rough.fetch("contracts AAPL --date 2025-11-12 --yes").exits(0);
    assert!(fake.log().iter().any(|one| one["fault"] == "duplicate page"));
    assert_eq!(rough.shown(), calm.shown());
    assert!(calm.rows("chain", "AAPL").len() > 1000);

    // A service whose next page never ends.
    fake.control(NONE);
    fake.control(r#"{"loop_next_url": true}"#);
    fake.reset();
    let rounds = Bench::new(fake.base());
    let ran = rounds.fetch("chain AAPL --yes").exits(40);
    assert!(ran.err.contains("leads back"), "{}", ran.err);
    assert!(fake.requests() < 20, "{}", fake.requests());
    rounds.verifies();
}
