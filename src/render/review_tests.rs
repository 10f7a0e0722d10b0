use super::*;
use crate::app::report::{Duplicates, RowsLine, SourceLine};

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
