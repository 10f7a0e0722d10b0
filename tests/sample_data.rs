//! The committed sample data is what its generator writes, and has the mistakes that it promises.

#[allow(dead_code)] // its `main`
#[path = "../examples/make_sample_data.rs"]
mod generator;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use volledger::domain::{Calendar, Day};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample")
}

/// Every file below a folder, by its path there.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(dir).unwrap().components();
            let parts: Vec<_> = inside.map(|c| c.as_os_str().to_string_lossy()).collect();
            found.insert(parts.join("/"), fs::read(&path).unwrap());
        }
    }
    found
}

/// The rows of a committed CSV by day, heading left out.
fn rows(path: &str) -> Vec<(Day, Vec<String>)> {
    let text = fs::read_to_string(committed().join(path)).unwrap();
    let cells = text.lines().skip(1).map(|line| line.split(','));
    let row = |mut cells: std::str::Split<'_, char>| {
        let day = cells.next().unwrap().parse().unwrap();
        (day, cells.map(str::to_owned).collect())
    };
    cells.map(row).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap()
}

#[test]
fn the_generator_still_writes_the_committed_bytes() {
    let fresh = tempfile::tempdir().unwrap();
    generator::write_all(fresh.path()).unwrap();
    let (new, old) = (files(fresh.path()), files(&committed()));
    assert_eq!(new.keys().collect::<Vec<_>>(), old.keys().collect::<Vec<_>>());
    for (path, bytes) in &new {
        // Not assert_eq: it would print both files.
        assert!(Some(bytes) == old.get(path), "{path} differs");
    }
    let size: usize = old.values().map(Vec::len).sum();
    assert!(size < 600_000, "{size} bytes");
}

#[test]
fn every_series_is_on_trading_days_and_plausible() {
    let (first, last) = ("2022-01-03".parse().unwrap(), "2024-12-31".parse::<Day>().unwrap());
    let days: Vec<Day> = Calendar::nyse().open_days(first, last).collect();
    for symbol in ["VOLA", "VOLB", "VOLC"] {
        let iv = rows(&format!("iv/{symbol}.csv"));
        assert_eq!(iv.iter().map(|(day, _)| *day).collect::<Vec<_>>(), days);
        for (day, cells) in &iv {
            assert_eq!(cells.len(), 5, "{symbol} {day}");
            let volatilities = cells.iter().take(4).map(|cell| number(cell));
            assert!(volatilities.clone().all(|v| (5.0..250.0).contains(&v)), "{symbol} {day}");
        }
        let spot = rows(&format!("spot/{symbol}.csv"));
        assert_eq!(spot.iter().map(|(day, _)| *day).collect::<Vec<_>>(), days);
        for (day, cells) in &spot {
            let [open, high, low, close] = [0, 1, 2, 3].map(|i: usize| number(&cells[i]));
            assert!(
                low <= open.min(close) && high >= open.max(close) && low > 0.0,
                "{symbol} {day}"
            );
        }
    }
}

#[test]
fn historical_volatility_is_that_of_the_closes() {
    for symbol in ["VOLA", "VOLB", "VOLC"] {
        let spot = rows(&format!("spot/{symbol}.csv"));
        let closes: Vec<f64> = spot.iter().map(|(_, cells)| number(&cells[3])).collect();
        let hv = rows(&format!("hv/{symbol}.csv"));
        assert_eq!(hv.len() + 20, spot.len());
        for (i, (day, cells)) in hv.iter().enumerate() {
            assert_eq!(*day, spot[i + 20].0);
            for (cell, window) in cells.iter().zip([20usize, 30, 90, 252]) {
                let Some(start) = (i + 20).checked_sub(window) else {
                    assert_eq!(cell, "", "{symbol} {day}");
                    continue;
                };
                let used = &closes[start..=i + 20];
                let returns: Vec<f64> = used.windows(2).map(|w| (w[1] / w[0]).ln()).collect();
                let mean = returns.iter().sum::<f64>() / window as f64;
                let squares: f64 = returns.iter().map(|r| (r - mean).powi(2)).sum();
                let want = (squares / (window - 1) as f64 * 252.0).sqrt() * 100.0;
                assert!((number(cell) - want).abs() < 0.00501, "{symbol} {day} {window}");
            }
        }
    }
}

#[test]
fn the_bad_backfill_is_wrong_on_its_last_sixty_days_only() {
    let good: BTreeMap<_, _> = rows("iv/VOLA.csv").into_iter().collect();
    let bad = rows("bad/VOLA_wrong_scale.csv");
    assert_eq!(bad.len(), 252);
    for (i, (day, cells)) in bad.iter().enumerate() {
        if i < 252 - 60 {
            assert_eq!(cells, &good[day], "{day}");
        } else {
            let off = number(&cells[0]) - number(&good[day][0]);
            assert!((10.0..25.0).contains(&off), "{day}: {off}");
        }
    }
}

#[test]
fn the_dirty_file_has_the_promised_defects() {
    let text = fs::read_to_string(committed().join("dirty/VOLB_dirty.csv")).unwrap();
    let has = |what: &dyn Fn(&str) -> bool| text.lines().filter(|line| what(line)).count();
    assert_eq!(has(&|line| line.trim().is_empty()), 2);
    assert_eq!(has(&|line| line == ",,,,,"), 1);
    assert_eq!(has(&|line| line.contains(",N/A,")), 1);
    assert_eq!(has(&|line| line.contains(",0.2411,")), 1);
    assert_eq!(has(&|line| line.starts_with("2024-02-30,")), 1);
    assert_eq!(has(&|line| line.ends_with(",\"1,234,567\"")), 1);
    let cell = |line: &str, i: usize| line.split(',').nth(i).map(str::to_owned);
    let empty = |i| has(&|line| line.starts_with("20") && cell(line, i).as_deref() == Some(""));
    assert_eq!((empty(1), empty(2)), (1, 1));
    let cut = text.lines().last().unwrap();
    assert!(!text.ends_with('\n') && cut.split(',').count() < 6, "{cut}");
    let mut dates: Vec<_> = text.lines().skip(1).filter_map(|l| cell(l, 0)).collect();
    dates.retain(|date| date.starts_with("20"));
    let all = dates.len();
    dates.dedup();
    assert_eq!(all - dates.len(), 2);
}
