//! The shared TOMIC data: real imports reproduced, folders given back byte for byte, 25 real
//! versions of one file replayed, rolled back and reinstated in any order.

use crate::support::*;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use volledger::app::import::{ImportOptions, MappingChoice};
use volledger::app::report::SeriesLine;
use volledger::app::{Ledger, decide, export, verify};
use volledger::domain::{BatchId, Position, Series};

fn export_to(ledger: &Ledger, dir: &Path, at: Option<u64>) {
    export::tomic::export(ledger, dir, &[], at.map(Position), false, &run()).unwrap();
}

fn json(path: &Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn golden_imports_are_reproduced() {
    let Some(golden) = shared("data/tomic/golden_import") else {
        return;
    };
    let csvs = shared("data/tomic/mc_csv").unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(&golden).unwrap() {
        let dir = entry.unwrap().path();
        let symbol = dir.file_name().unwrap().to_string_lossy().into_owned();
        let (directory, mut ledger) = ledger();
        let folder = directory.path().join("in");
        std::fs::create_dir_all(folder.join("iv_daily_summary")).unwrap();
        let name = format!("iv_daily_summary/{symbol}.json");
        std::fs::copy(dir.join("before.json"), folder.join(&name)).unwrap();
        confirmed_tomic(&mut ledger, &folder, false);
        let options = ImportOptions {
            mapping: MappingChoice::Named("mc-iv-basic".into()),
            ..options(Series::Iv, Some(&symbol))
        };
        confirmed(&mut ledger, &csvs.join(format!("{symbol}.csv")), &options);
        let out = directory.path().join("out");
        export_to(&ledger, &out, None);
        let ours = std::fs::read_to_string(out.join(&name)).unwrap();
        let theirs = std::fs::read_to_string(dir.join("after.json")).unwrap();
        same_layout(&symbol, &ours, &theirs);
        let before = std::fs::read_to_string(dir.join("before.json")).unwrap();
        keeps_digits(&ours, &before);
        seen += 1;
    }
    assert_eq!(seen, 7);
}

/// Line by line the same but for the digits of numbers, which agree within 1e-12; ours are never
/// longer.
fn same_layout(symbol: &str, ours: &str, theirs: &str) {
    let (mut a, mut b) = (ours.lines(), theirs.lines());
    loop {
        let (Some(left), Some(right)) = (a.next(), b.next()) else {
            assert!(a.next().is_none() && b.next().is_none(), "{symbol}: lengths differ");
            return;
        };
        if left == right {
            continue;
        }
        let split = |line: &str| {
            let (key, value) = line.rsplit_once(": ").unwrap();
            (key.to_owned(), value.trim_end_matches(',').to_owned(), line.ends_with(','))
        };
        let ((key, x, comma), (other, y, other_comma)) = (split(left), split(right));
        assert_eq!((key, comma), (other, other_comma), "{symbol}");
        let distance = (x.parse::<f64>().unwrap() - y.parse::<f64>().unwrap()).abs();
        assert!(distance <= 1e-12 && x.len() <= y.len(), "{symbol}: {x} against {y}");
    }
}

/// Values that came in as JSON and were not overwritten go out with the very same digits.
fn keeps_digits(ours: &str, before: &str) {
    let lines: std::collections::HashSet<&str> =
        ours.lines().map(|line| line.trim_end_matches(',')).collect();
    for line in before.lines().filter(|line| line.contains("skew") || line.contains("term_")) {
        assert!(lines.contains(line.trim_end_matches(',')), "{line}");
    }
}

#[test]
fn the_shared_folder_goes_out_as_it_came_in() {
    let Some(folder) = shared("data/tomic") else {
        return;
    };
    let (directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let out = directory.path().join("out");
    export_to(&ledger, &out, None);
    let mut files = 0;
    for dataset in ["iv_daily_summary", "historical_volatility", "spot_prices"] {
        for entry in std::fs::read_dir(folder.join(dataset)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let theirs = std::fs::read(&path).unwrap();
            let exported = out.join(dataset).join(&name);
            if theirs.is_empty() || name.ends_with("_spot.json") {
                assert!(!exported.exists(), "{name}");
                continue;
            }
            assert!(std::fs::read(&exported).unwrap() == theirs, "{dataset}/{name}");
            files += 1;
        }
    }
    assert!(files > 50, "{files}");
    let report = verify::verify(&ledger, true, &run()).unwrap();
    assert!(report.ok, "{report:?}");
    // Again the same folder: nothing new, the same batch.
    let options = options(Series::Iv, None);
    let again = volledger::app::tomic::import(&mut ledger, &folder, &options, &run());
    let again = again.unwrap();
    assert_eq!(again.outcome, volledger::app::import::Outcome::AlreadyActive);
    assert!(again.blocking.is_empty(), "{:?}", again.blocking);
}

/// The 25 versions as batches; returns the position after each, with the file's text.
fn stages(ledger: &mut Ledger, root: &Path, versions: &Path) -> Vec<(BatchId, u64, String)> {
    let mut names: Vec<_> =
        std::fs::read_dir(versions).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| !path.ends_with("index.json"));
    names.sort();
    let folder = root.join("in");
    std::fs::create_dir_all(folder.join("iv_daily_summary")).unwrap();
    names
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(folder.join("iv_daily_summary/CRCL.json"), &text).unwrap();
            let batch = confirmed_tomic(ledger, &folder, true);
            (batch, ledger.position().0, text)
        })
        .collect()
}

fn crcl(ledger: &Ledger, root: &Path, at: Option<u64>) -> String {
    let out = root.join("out");
    let _ = std::fs::remove_dir_all(&out);
    export_to(ledger, &out, at);
    std::fs::read_to_string(out.join("iv_daily_summary/CRCL.json")).unwrap_or_default()
}

#[test]
fn twenty_five_real_versions_replay_and_roll_back_in_any_order() {
    let Some(versions) = shared("data/tomic/stages/CRCL") else {
        return;
    };
    let (directory, mut ledger) = ledger();
    let root = directory.path();
    let all = stages(&mut ledger, root, &versions);
    assert_eq!(all.len(), 25);
    for (batch, position, text) in &all {
        assert!(&crcl(&ledger, root, Some(*position)) == text, "version of {batch}");
    }
    drop(ledger);
    let mut ledger = reopen(&directory);
    let last = crcl(&ledger, root, None);
    assert_eq!(last, all.last().unwrap().2);

    // Without one batch the view is the fold without it: a ledger that never confirmed it, fed
    // with the very same events.
    for skipped in 0..all.len() {
        let (batch, ..) = all[skipped];
        decide::roll_back(&mut ledger, batch, None, false, &run()).unwrap();
        let ours = crcl(&ledger, root, None);
        let theirs = without(&mut ledger, &all, &[batch]);
        assert!(ours == theirs, "without {batch}");
        decide::reinstate(&mut ledger, batch, None, false, &run()).unwrap();
        assert!(crcl(&ledger, root, None) == last, "after reinstating {batch}");
    }
    // Several, in two orders.
    for order in [[3, 10, 20], [20, 3, 10]] {
        let before = ledger.position().0;
        for index in order {
            decide::roll_back(&mut ledger, all[index].0, None, false, &run()).unwrap();
        }
        let ours = crcl(&ledger, root, None);
        let out: Vec<_> = order.iter().map(|index| all[*index].0).collect();
        assert!(ours == without(&mut ledger, &all, &out), "{order:?}");
        decide::rollback_to(&mut ledger, Position(before), None, false, &run()).unwrap();
        assert_eq!(crcl(&ledger, root, None), last);
    }
    assert!(verify::verify(&ledger, true, &run()).unwrap().ok);
}

/// What a ledger shows that got the same batches, but never confirmed some of them.
fn without(ledger: &mut Ledger, all: &[(BatchId, u64, String)], out: &[BatchId]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let other = volledger::app::outside::create(
        &directory.path().join("l"),
        "test",
        std::time::Duration::ZERO,
    );
    let mut other = other.unwrap();
    for (batch, ..) in all {
        let bundle = directory.path().join("bundle");
        volledger::app::outside::export_batch(ledger, *batch, &bundle, true).unwrap();
        let staged =
            volledger::app::outside::import_batch(&mut other, &bundle, None, &run()).unwrap();
        if !out.contains(batch) {
            decide::confirm(
                &mut other,
                staged.batch.unwrap(),
                staged.review.token.as_deref(),
                &run(),
            )
            .unwrap();
        }
    }
    crcl(&other, directory.path(), None)
}

#[test]
fn an_import_under_a_wrong_symbol_leaves_no_trace_and_every_value_comes_back() {
    let Some(folder) = shared("data/tomic") else {
        return;
    };
    let (_directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let before = shown(&ledger);
    // AMD's real file as AAPL: 5,000 rows over AAPL's history.
    let path = folder.join("mc_csv/AMD.csv");
    let staged = stage(&mut ledger, &path, &options(Series::Iv, Some("AAPL")));
    let line = staged.review.series.iter().find(|line| line.series == "iv").unwrap();
    assert!(line.changed + line.drifted > 1_651, "{line:?}");
    decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    assert_ne!(shown(&ledger), before);
    let reason = Some("wrong symbol".to_owned());
    decide::roll_back(&mut ledger, staged.batch.unwrap(), reason, false, &run()).unwrap();
    assert_eq!(shown(&ledger), before);
}

/// The counts of a review against those of an expected report.
fn assert_report(line: &SeriesLine, report: &Json, file: &str) {
    let number = |key: &str| report[key].as_u64().unwrap();
    let ours = [
        line.new,
        line.changed,
        line.drifted,
        line.same,
        line.only_here,
        line.gaps.len() as u64,
        line.gaps.iter().map(|gap| u64::from(gap.missing)).sum(),
        line.missing_hv,
        line.missing_spot,
    ];
    let theirs = [
        "new_days",
        "updates",
        "within_tolerance",
        "identical",
        "existing_only_days",
        "gaps",
        "gap_trading_days",
        "missing_hv_affected",
        "missing_spot_affected",
    ];
    assert_eq!(ours, theirs.map(number), "{file}");
}

#[test]
fn reports_against_the_files_before_the_real_imports_are_as_expected() {
    let Some(folder) = shared("data/tomic") else { return };
    let expected = json(&folder.join("expected/import_reports.json"));
    let mut compared = 0;
    for (file, want) in expected.as_object().unwrap() {
        let Some(report) = want.get("report_vs_golden_before") else { continue };
        let symbol = want["symbol"].as_str().unwrap();
        let (directory, mut ledger) = ledger();
        let before = directory.path().join("in");
        let put = |from: PathBuf, dataset: &str| {
            std::fs::create_dir_all(before.join(dataset)).unwrap();
            let to = before.join(dataset).join(format!("{symbol}.json"));
            from.exists().then(|| std::fs::copy(from, to).unwrap());
        };
        put(folder.join(format!("golden_import/{symbol}/before.json")), "iv_daily_summary");
        for dataset in ["historical_volatility", "spot_prices"] {
            put(folder.join(dataset).join(format!("{symbol}.json")), dataset);
        }
        confirmed_tomic(&mut ledger, &before, false);
        let review =
            stage(&mut ledger, &folder.join(file), &options(Series::Iv, Some(symbol))).review;
        let line = review.series.iter().find(|line| line.series == "iv").unwrap();
        assert_report(line, report, file);
        compared += 1;
    }
    assert_eq!(compared, 7);
}

#[test]
fn reports_against_the_current_files_are_as_expected() {
    let Some(folder) = shared("data/tomic") else {
        return;
    };
    let expected = json(&folder.join("expected/import_reports.json"));
    let (_directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let mut compared = 0;
    for (file, want) in expected.as_object().unwrap() {
        let Some(report) = want.get("report_vs_current") else {
            continue;
        };
        let symbol = want["symbol"].as_str().unwrap();
        let options = ImportOptions { dry_run: true, ..options(Series::Iv, Some(symbol)) };
        let review = stage(&mut ledger, &folder.join(file), &options).review;
        let line = review.series.iter().find(|line| line.series == "iv").unwrap();
        assert_report(line, report, file);
        let parse = &want["parse"];
        let count = |key: &str| parse[key].as_u64().unwrap();
        let rows = review.rows;
        assert_eq!(
            [rows.read, rows.accepted, rows.rejected, rows.blank, rows.effective],
            ["data_rows", "accepted_rows", "rejected", "blank_rows", "effective_days"].map(count),
            "{file}"
        );
        assert_eq!(
            [line.duplicates.identical, line.duplicates.conflicting],
            ["duplicate_rows_identical", "duplicate_rows_conflicting"].map(count),
            "{file}"
        );
        let mut warnings: Vec<&str> = review
            .findings
            .iter()
            .filter(|finding| finding.severity == "warning")
            .map(|finding| finding.code.as_str())
            .collect();
        let mut wanted: Vec<&str> =
            parse["warnings"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
        warnings.sort();
        wanted.sort();
        assert_eq!(warnings, wanted, "{file}");
        let rejects: Vec<(u64, &str)> = review
            .findings
            .iter()
            .filter(|finding| finding.severity == "reject")
            .map(|finding| (u64::from(finding.line.unwrap()), finding.code.as_str()))
            .collect();
        let wanted = parse["rejected_lines"].as_array().unwrap().iter();
        let wanted: Vec<_> =
            wanted.map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_str().unwrap())).collect();
        assert_eq!(rejects, wanted, "{file}");
        compared += 1;
    }
    assert_eq!(compared, 32);
    assert_eq!(ledger.position().0, 2, "dry runs append nothing");
}
