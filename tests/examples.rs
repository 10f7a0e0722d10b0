//! The examples, run as they are, with what they say.

use std::collections::BTreeMap;

#[allow(dead_code)] // their `main`
#[path = "../examples/auditor.rs"]
mod auditor;
#[allow(dead_code)]
#[path = "../examples/backtest.rs"]
mod backtest;
#[allow(dead_code)]
#[path = "../examples/custom_projection.rs"]
mod custom_projection;
#[allow(dead_code)]
#[path = "../examples/sql_projection.rs"]
mod sql_projection;

/// What an example prints.
fn said(run: impl FnOnce(&mut Vec<u8>) -> Result<(), Box<dyn std::error::Error>>) -> Vec<String> {
    let mut out = Vec::new();
    run(&mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// Days of a symbol in the sample, with one number of each, by a reader of the test's own.
fn numbers(file: &str, column: usize) -> Vec<(String, f64)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let number = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Some((cells[0].to_owned(), cells.get(column)?.parse().ok()?))
    };
    text.lines().skip(1).filter_map(number).collect()
}

/// Moves of more than three points; the files have hundredths of a point.
fn jumps(days: &[(String, f64)]) -> usize {
    days.windows(2).filter(|pair| ((pair[1].1 - pair[0].1) * 100.0).abs().round() > 300.0).count()
}

#[test]
fn a_projection_of_ones_own_is_kept_and_computed_again_where_a_rollback_changed_something() {
    let mut vola = numbers("iv/VOLA.csv", 1);
    let right = jumps(&vola);
    for (day, iv) in numbers("bad/VOLA_wrong_scale.csv", 1) {
        vola.iter_mut().filter(|(known, _)| *known == day).for_each(|(_, old)| *old = iv);
    }
    let wrong = jumps(&vola);
    assert_ne!(right, wrong, "else the rollback shows nothing");
    let others = ["B", "C"].map(|of| jumps(&numbers(&format!("iv/VOL{of}.csv"), 1)));
    let others: usize = others.into_iter().sum();
    let lines = said(custom_projection::run);
    assert_eq!(lines[0], format!("kept iv_jumps@1: {} rows", wrong + others));
    assert!(lines[1].starts_with(&format!("  VOLA {wrong} jumps, ")), "{lines:?}");
    let rows = right + others;
    assert_eq!(
        lines[4],
        format!("rolled b4 back: iv_jumps@1 has {rows} rows, 1 symbol computed again")
    );
    assert!(lines[5].starts_with(&format!("  VOLA {right} jumps, ")), "{lines:?}");
    assert_eq!(lines[2..4], lines[6..8], "the other symbols are as they were");
}

#[test]
fn a_query_gets_a_next_version_that_holds_from_its_promotion_on() {
    let rich = |more_than: f64| {
        let of = |symbol| {
            // A row of implied volatility also has a realised one, which the file of that adds to.
            let iv = format!("iv/{symbol}.csv");
            let mut hv: BTreeMap<String, f64> = numbers(&iv, 3).into_iter().collect();
            hv.extend(numbers(&format!("hv/{symbol}.csv"), 1));
            let dear = |(day, iv): &(String, f64)| iv / hv[day] > more_than;
            numbers(&iv, 1).iter().filter(|day| dear(day)).count()
        };
        ["VOLA", "VOLB", "VOLC"].map(of).into_iter().sum::<usize>()
    };
    let (first, second) = (rich(1.0), rich(1.2));
    assert!(second > 0 && first > second);
    let gone = first - second;
    let lines = said(sql_projection::run);
    assert_eq!(
        lines[..3],
        [
            format!("rich_iv@1: {first} rows"),
            format!("rich_iv@2: {second} rows"),
            format!("rich_iv: {first} rows"),
        ]
    );
    assert_eq!(lines[3], format!("rich_iv@1 -> rich_iv@2: {second} rows stay, {gone} go, 0 come"));
    assert_eq!(lines[5], format!("rich_iv: {second} rows"));
    assert_eq!(lines[6], format!("rich_iv as of #6: {first} rows"));
}

#[test]
fn an_auditor_finds_the_noted_root_and_every_value_in_its_file() {
    let lines = said(auditor::run);
    assert_eq!(lines[0], "verified 1506 events of 2 batches: yes");
    assert_eq!(lines[1], "the log at #2 has the root noted then: yes");
    assert_eq!(lines[2], "entries since: 2");
    assert!(lines[3].ends_with("VOLA.csv:2: 2022-01-03,67.00,65.15,60.17,65.64,415799"));
    assert_eq!(lines[4], "VOLA: 2259 of 2259 values proven and found in the original file");
}

#[test]
fn an_auditor_is_not_content_with_another_log() {
    let place = tempfile::tempdir().unwrap();
    let (directory, other) = (place.path().join("ledger"), place.path().join("other"));
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    auditor::kept_by_someone(&directory, &sample).unwrap();
    // Both have the same values; their logs were written at different times.
    std::thread::sleep(std::time::Duration::from_millis(2));
    let noted = auditor::kept_by_someone(&other, &sample).unwrap();
    let mut out = Vec::new();
    let audited = auditor::audit(&directory, &sample, &noted, &mut out);
    assert!(audited.is_err());
    let said = String::from_utf8(out).unwrap();
    assert!(said.contains("the log at #2 has the root noted then: NO"), "{said}");
}

#[test]
fn a_backtest_decides_with_what_was_known_and_stays_the_same() {
    let lines = said(backtest::run);
    let column = |index: usize| -> Vec<&str> {
        lines[1..14].iter().map(|line| line.split_whitespace().nth(index).unwrap()).collect()
    };
    // The rank of each month's end, from the 252 observations up to it of the file itself.
    let vola = numbers("iv/VOLA.csv", 1);
    let rank = |day: &str| {
        let end = vola.iter().position(|(known, _)| known == day).unwrap();
        let window = vola[end - 251..=end].iter().map(|(_, iv)| *iv);
        let (low, high) = (window.clone().fold(f64::MAX, f64::min), window.fold(0.0, f64::max));
        format!("{:.1}", (vola[end].1 - low) / (high - low) * 100.0)
    };
    let want: Vec<String> = column(0).into_iter().map(rank).collect();
    assert_eq!(column(1), want);
    let future: Vec<&str> = lines[1..14]
        .iter()
        .filter(|line| line.ends_with("<- from the future"))
        .map(|l| &l[..10])
        .collect();
    assert_eq!(future, ["2024-10-31", "2024-11-29", "2024-12-31"], "the wrong 60 days");
    assert_eq!(lines[14], "after the restatement the back-test is the same: true");
    assert_eq!(lines[15], "after its rollback the back-test is the same: true");
}
