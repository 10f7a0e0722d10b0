use super::*;
use crate::app::report::{Duplicates, FindingLine, RowsLine, SourceLine};

fn line(symbol: &str, counts: [u64; 5]) -> SeriesLine {
    let [new, changed, drifted, same, only_here] = counts;
    SeriesLine {
        series: "iv",
        symbol: symbol.to_owned(),
        from: Some("2019-10-14".to_owned()),
        to: Some("2024-10-11".to_owned()),
        threshold_points: serde_json::from_str("3.0").ok(),
        new,
        changed,
        drifted,
        same,
        extended: 0,
        touched: 0,
        removed: 0,
        only_here,
        duplicates: Duplicates { identical: 1, conflicting: 0 },
        gaps: Vec::new(),
        missing_hv: 0,
        missing_spot: new,
    }
}

fn change(kind: &'static str, date: &str, old: &str, new: &str, points: &str) -> ChangeLine {
    let json = |text: &str| serde_json::from_str(text).ok();
    ChangeLine {
        kind,
        series: "iv",
        symbol: "AAPL".to_owned(),
        date: date.to_owned(),
        item: String::new(),
        field: "atm_iv".to_owned(),
        old: json(old),
        new: json(new),
        delta_points: json(points),
    }
}

fn finding(code: &str, severity: &'static str, line: u32, date: Option<&str>) -> FindingLine {
    FindingLine {
        code: code.to_owned(),
        severity,
        source: Some("AAPL.csv".to_owned()),
        line: Some(line),
        date: date.map(str::to_owned),
        count: 1,
        text: format!("text of {code}"),
    }
}

fn review(series: Vec<SeriesLine>, changes: Vec<ChangeLine>) -> Review {
    Review {
        schema: "volledger/review/1",
        batch: Some("b2".to_owned()),
        state: Some("staged"),
        content_id: None,
        token: Some("5be04d1c93aa".to_owned()),
        position: 3,
        known: false,
        mapping: "mc-iv".to_owned(),
        overlap: "replace",
        supersedes: None,
        sources: vec![SourceLine {
            kind: "file",
            name: "AAPL.csv".to_owned(),
            digest: "ab".to_owned(),
            bytes: 12345,
        }],
        rows: RowsLine {
            read: 1259,
            accepted: 1257,
            rejected: 2,
            effective: 1256,
            ..RowsLine::default()
        },
        series,
        findings: vec![
            finding("duplicate_date", "info", 175, Some("2020-06-19")),
            finding("invalid_iv30", "reject", 68, None),
        ],
        changes_total: 235,
        blocking: None,
        fetch: None,
        changes,
    }
}

fn page(review: &Review, full: bool) -> String {
    ReviewPage::new(review, full).text(&Look::default())
}

#[test]
fn one_symbol_is_told_kind_by_kind() {
    let changes = vec![
        change("changed", "2024-08-05", "0.3812", "0.4553", "7.41"),
        change("changed", "2024-04-19", "0.3375", "0.2891", "-4.84"),
        change("drifted", "2024-04-22", "0.3375", "0.3350", "-0.25"),
        change("new", "2019-10-14", "null", "0.2891", "null"),
    ];
    let text = page(&review(vec![line("AAPL", [1040, 6, 189, 21, 0])], changes), false);
    let want = "\
Read AAPL.csv: 12,345 bytes, 1,259 rows, 2019-10-14 … 2024-10-11
Batch b2 staged, read with mapping mc-iv
  1,256 days usable, 2 rows rejected, 1 repeated row
  confirm token 5be04d1c93aa

If confirmed, view iv AAPL would change like this:
  +  new        1,040  2019-10-14 … 2024-10-11
  ~  changed        6  by more than 3.00 vol points
  ≈  drifted      189  by 3.00 vol points or less
  =  same          21
  -  only here      0  in the view but not in the file (would stay)

     date            now     file     change
  ~  2024-08-05  38.12 %  45.53 %  +7.41 pts
  ~  2024-04-19  33.75 %  28.91 %  −4.84 pts
  ≈  2024-04-22  33.75 %  33.50 %  −0.25 pts
  The 3 largest changes of 235 differing values. All: `volledger batch diff b2 --full`

Findings
  !  invalid_iv30    line 68                text of invalid_iv30
  ·  duplicate_date  line 175 (2020-06-19)  text of duplicate_date

Support data for the new and changed days
  spot  none for 1,040 of 1,046 days  `volledger import spot FILE -s SYMBOL`
";
    assert_eq!(text, want);
}

/// Rows that are rejected alike would hide everything else that was noticed.
#[test]
fn many_findings_of_one_code_are_one_line() {
    let mut review = review(vec![line("AAPL", [1, 0, 0, 0, 0])], Vec::new());
    let day = |n: u32| format!("2024-01-{n:02}");
    let row = |n: u32| finding("invalid_date", "reject", n, Some(&day(n)));
    review.findings.extend((2..22).map(row));
    review.findings.extend((2..21).map(|n| finding("missing_iv30", "reject", n, None)));
    if let Some(last) = review.findings.get_mut(21) {
        last.text = "another text".to_owned();
    }
    let told = |text: &str| -> Vec<String> {
        let lines = text.lines().skip_while(|line| *line != "Findings").skip(1);
        lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let lines = told(&page(&review, false));
    let place = "line 2 (2024-01-02) … line 21 (2024-01-21), 20 times";
    let want = format!("  !  invalid_date  {place}  the first: text of invalid_date");
    assert_eq!(lines[1], want);
    assert_eq!(lines.iter().filter(|line| line.contains("missing_iv30")).count(), 18);
    assert_eq!(lines[20], "  … and 2 findings more; `volledger batch diff b2 --full` shows all");
    // One more, and these are one line as well.
    review.findings.push(finding("missing_iv30", "reject", 30, None));
    let lines = told(&page(&review, false));
    assert!(lines[2].contains("line 2 … line 30, 20 times"), "{lines:?}");
    assert!(lines[2].ends_with("  text of missing_iv30"), "{lines:?}");
    let how = "`volledger batch diff b2 --full`";
    assert_eq!(lines[4], format!("  Findings of one kind stand in one line; {how} shows each"));
    assert_eq!(told(&page(&review, true)).len(), 42);
    // Of very many rows the first are listed, beside their sum.
    let sum = finding("invalid_date", "reject", 2, None);
    review.findings.push(FindingLine { count: 7_548, ..sum });
    let lines = told(&page(&review, false));
    assert!(lines[1].contains("line 21 (2024-01-21), 20 listed"), "{lines:?}");
    assert!(lines[3].contains("line 2, 7,548 in all"), "{lines:?}");
}

#[test]
fn many_symbols_are_told_in_a_table_that_says_what_it_hides() {
    let mut lines: Vec<_> = (0..25).map(|i| line(&format!("S{i:02}"), [1, 0, 0, 5, 0])).collect();
    lines.push(line("BIG", [0, 1234, 3, 0, 7]));
    let mut review = review(lines, Vec::new());
    review.findings.clear();
    let text = page(&review, false);
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("  iv")).collect();
    assert_eq!(shown.len(), 20);
    assert!(shown[0].contains("BIG") && shown[0].contains("1,234"), "{text}");
    assert!(text.contains("  all   26 symbols"), "{text}");
    assert!(text.contains("6 more in `volledger batch diff b2 --full`"), "{text}");
    assert_eq!(page(&review, true).matches("  iv  ").count(), 26);
}

#[test]
fn prices_have_no_threshold_and_a_dry_run_no_batch() {
    let mut spot = line("AAPL", [3, 0, 0, 0, 0]);
    spot.series = "spot";
    spot.threshold_points = None;
    let mut review = review(vec![spot], Vec::new());
    (review.batch, review.state) = (None, None);
    let text = page(&review, false);
    assert!(text.contains("Dry run, nothing staged, read with mapping mc-iv"), "{text}");
    assert!(text.contains("to another value") && !text.contains("drifted"), "{text}");
    let check = ReviewPage { check: true, ..ReviewPage::new(&review, false) };
    let text = check.text(&Look { width: None, unicode: false });
    assert!(text.contains("Findings") && !text.contains("If confirmed"), "{text}");
    assert_eq!(check.grid().rows.len(), 2);
}

#[test]
fn in_a_narrow_terminal_the_numbers_of_several_views_come_before_their_days() {
    let mut lines = vec![line("VOLA", [1, 2, 3, 4, 5]), line("VOLB", [6, 7, 8, 9, 1_000])];
    lines[0].extended = 1_000_000;
    let review = review(lines, Vec::new());
    let page = ReviewPage::new(&review, false);
    let text = |width| page.text(&Look { width, unicode: true });
    let (narrow, wide) = (text(Some(80)), text(Some(120)));
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert!(narrow.contains("+ extended") && narrow.contains("in a wider terminal"), "{narrow}");
    assert!(wide.contains("2019-10-14 … 2024-10-11   "), "{wide}");
    assert_eq!(wide, text(None));
}

/// Nothing of a review runs over a terminal of forty columns: what has no room there is named.
#[test]
fn a_review_fits_forty_columns() {
    let mut lines = vec![line("VOLA", [1, 2, 3, 4, 5]), line("VOLB", [6, 7, 8, 9, 1_000])];
    lines[0].extended = 1_000_000;
    let mut change = change("changed", "2024-08-05", "0.3812", "0.4553", "7.41");
    change.symbol = "VOLB".to_owned();
    let mut review = review(lines, vec![change]);
    let mut far = finding("truncated_last_line", "reject", 68, Some("2024-03-28"));
    far.text = "cannot be used for `2024-02-30` under `date`: 2024-02-30,42.27,36.06".to_owned();
    review.findings.push(far);
    let text = |width| ReviewPage::new(&review, false).text(&Look { width, unicode: true });
    let narrow = text(Some(40));
    let long: Vec<_> = narrow.lines().filter(|line| line.chars().count() > 40).collect();
    assert!(long.is_empty(), "{long:#?}");
    for part in
        ["+ new", "~ changed", "truncated_last_line line 68", "    cannot be used for", "45.53 %"]
    {
        assert!(narrow.contains(part), "{part}: {narrow}");
    }
    assert!(!narrow.contains("= same  ") && narrow.contains("for want of"), "{narrow}");
    assert_eq!(text(Some(200)), text(None));
}

#[test]
fn a_past_review_stays_in_the_past_and_gives_no_token() {
    let changes = vec![change("changed", "2024-08-05", "0.3812", "0.4553", "7.41")];
    let review = review(vec![line("AAPL", [1040, 6, 189, 21, 0])], changes);
    let past = ReviewPage { at: Some(Position(7)), ..ReviewPage::new(&review, false) };
    let text = past.text(&Look::default());
    assert!(text.contains("`volledger batch diff b2 --full --at 7`"), "{text}");
    assert!(text.contains("Batch b2 staged at #7, read") && !text.contains("token"), "{text}");
    // A program gets what the contract says.
    let json = |page: &ReviewPage<'_>| serde_json::to_value(page).unwrap();
    assert_eq!(json(&past), json(&ReviewPage::new(&review, false)));
}
