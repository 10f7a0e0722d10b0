//! Records in, events and findings out.

use super::*;
use crate::domain::{Reject, Rows, Window};

fn read(bytes: &[u8], series: Series) -> (ReadSummary, Rows, Vec<Reject>) {
    let (mut rows, mut rejects) = (Rows::new(), Vec::new());
    let mut flush = |window: &mut Window| -> Result<(), ()> {
        window.rows.iter().for_each(|row| rows.push_row(row));
        rejects.append(&mut window.rejects);
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let options = JsonOptions {
        as_of: "2025-12-13".parse().unwrap(),
        calendar: &Calendar::default(),
        limits: Limits { fields: 8, ..Limits::default() },
    };
    let symbol = "AAPL".parse().unwrap();
    let summary = read_json(bytes, series, &symbol, 5, &options, &mut out).unwrap();
    out.finish().unwrap();
    (summary, rows, rejects)
}

#[test]
fn records_keep_their_order_and_their_digits() {
    let text = r#"[
  {"atm_iv": 0.24109999999999998, "skew": -0.0, "date": "2025-01-02", "iv_rank (IV)": null},
  {"date": "2025-01-03", "atm_iv": 1e-05, "odd": {"a": [1.50]}, "note": "\u00e9", "ok": true},
  {"date": "2025-01-06", "symbol": "AAPL"}
]"#;
    let (summary, rows, _) = read(text.as_bytes(), Series::Iv);
    assert_eq!((summary.rows.read, summary.rows.accepted), (3, 3));
    assert!(summary.findings.is_empty() && summary.fatal.is_none());
    let row = rows.get(0).unwrap();
    let names: Vec<&str> = row.shape.iter().map(Field::name).collect();
    assert_eq!(names, ["atm_iv", "skew", "date", "iv_rank (IV)"]);
    assert!(row.shape[2].is_mark());
    let values: Vec<String> = row.values.iter().map(|value| value.to_string()).collect();
    assert_eq!(values, ["0.24109999999999998", "-0.0", "null"]);
    assert_eq!(row.values.get(2), Some(Value::Null));
    let (at, len) = (row.head.offset as usize, row.head.len as usize);
    assert_eq!(&text[at..at + len], text.lines().nth(1).unwrap().trim().trim_end_matches(','));
    let row = rows.get(1).unwrap();
    assert_eq!((row.head.line, row.head.source), (2, 5));
    assert_eq!(
        row.values.iter().collect::<Vec<_>>(),
        [
            Value::Num("1e-05".into()),
            Value::Json(r#"{"a": [1.50]}"#.into()),
            Value::Text("é".into()),
            Value::Bool(true)
        ]
    );
    // Only price files say the symbol in each record.
    assert_eq!(rows.get(2).unwrap().shape[1], Field::Named("symbol".into()));
}

#[test]
fn price_records_mark_the_place_of_their_symbol() {
    let text = r#"[{"symbol":"AAPL","date":"2025-01-02","close":1564,"volume":115328808.0},
        {"symbol":"aapl","date":"2025-01-03","close":1.50}]"#;
    let (_, rows, _) = read(text.as_bytes(), Series::Spot);
    assert_eq!(rows.get(0).unwrap().shape[..2], [Field::SymbolMark, Field::DateMark]);
    assert_eq!(rows.get(0).unwrap().values.get(1).unwrap().to_string(), "115328808.0");
    assert_eq!(rows.get(1).unwrap().shape[0], Field::Named("symbol".into()));
    assert_eq!(rows.get(1).unwrap().values.get(0), Some(Value::Text("aapl".into())));
}

#[test]
fn bad_items_are_rejected_one_by_one() {
    let items = [
        ("1", "not_an_object"),
        ("[]", "not_an_object"),
        ("{}", "missing_date"),
        (r#"{"date":null}"#, "missing_date"),
        (r#"{"date":"2025-02-30"}"#, "invalid_date"),
        (r#"{"date":"2025-1-2"}"#, "invalid_date"),
        (r#"{"date":20250102}"#, "invalid_date"),
        (r#"{"date":"2025-01-02","a":1,"a":1}"#, "duplicate_key"),
        (r#"{"date":"2025-01-02","\u0064ate":"2025-01-02"}"#, "duplicate_key"),
        (
            r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"date":"2025-01-02"}"#,
            "too_many_fields",
        ),
    ];
    let texts: Vec<&str> = items.iter().map(|(text, _)| *text).collect();
    let text = format!("[{}, {{\"date\":\"2025-01-02\"}}]", texts.join(" ,\n "));
    let (summary, rows, rejects) = read(text.as_bytes(), Series::Iv);
    assert_eq!(rows.len(), 1);
    let got: Vec<_> = rejects.iter().map(|r| (&*r.raw, &*r.code)).collect();
    assert_eq!(got, items);
    for (i, reject) in rejects.iter().enumerate() {
        assert_eq!(reject.line as usize, i + 1);
        let at = reject.offset as usize;
        assert_eq!(&text[at..at + reject.len as usize], items[i].0);
    }
    assert_eq!(summary.rows.rejected, 10);
    let duplicate = summary.findings.iter().find(|f| f.code == "duplicate_key").unwrap();
    assert_eq!((duplicate.count, duplicate.line), (2, Some(8)));
    assert_eq!(duplicate.text, "2 records rejected: items 8, 9");
}

#[test]
fn corrupt_files_are_errors_and_never_empty() {
    for (text, code, line) in [
        (&b"[{\"date\":\"2025-01-02\"}\n"[..], "invalid_json", Some(2)),
        (b"[\n{\"date\":NaN}]", "invalid_json", Some(2)),
        (b"[] x", "invalid_json", Some(1)),
        (b" ", "invalid_json", Some(1)),
        (b"[\"\xff\"]", "invalid_json", None),
        (b"{\"price\": 1}", "not_an_array", None),
        (b"null", "not_an_array", None),
    ] {
        let (summary, rows, rejects) = read(text, Series::Iv);
        let fatal = summary.fatal.unwrap();
        assert_eq!((fatal.code.as_str(), fatal.line), (code, line), "{text:?}");
        assert!(rows.is_empty() && rejects.is_empty());
    }
    let (summary, ..) = read(b"", Series::Iv);
    assert_eq!(summary.fatal, None);
    assert_eq!(summary.findings[0].code, "empty_file");
    assert_eq!(summary.findings[0].severity, Severity::Warning);
    let (summary, ..) = read(b"[]", Series::Iv);
    assert_eq!(summary, ReadSummary::default());
}

#[test]
fn days_are_remarked_upon() {
    let text =
        "\u{feff}[{\"date\":\"2025-01-04\"},{\"date\":\"2024-01-02\"},{\"date\":\"2031-01-02\"}]";
    let (summary, rows, _) = read(text.as_bytes(), Series::Iv);
    assert_eq!(rows.get(0).unwrap().head.offset, 4);
    let codes: Vec<_> = summary.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["utf8_bom_stripped", "future_dates", "unsorted_rows", "non_trading_days"]);
    assert_eq!(summary.days.unwrap().1.year(), 2031);
}

/// Values stay as they are, for the export; what no volatility or price can be is told.
#[test]
fn what_cannot_be_is_told_and_kept() {
    let found = |series, text: &str| -> Vec<(String, Option<u32>, u64)> {
        let (summary, rows, rejects) = read(text.as_bytes(), series);
        assert_eq!((rows.len() as u64, rejects.len()), (summary.rows.read, 0));
        assert!(summary.findings.iter().all(|of| of.severity == Severity::Warning));
        summary.findings.into_iter().map(|of| (of.code, of.line, of.count)).collect()
    };
    let records = |field: &str, numbers: &[&str]| {
        let one = |(day, number): (usize, &&str)| {
            format!(r#"{{"date":"2025-01-{:02}","{field}":{number}}}"#, [2, 3, 6, 7, 8, 9][day])
        };
        format!("[{}]", numbers.iter().enumerate().map(one).collect::<Vec<_>>().join(","))
    };
    let told = |code: &str, line, count| vec![(code.to_owned(), Some(line), count)];
    let iv = records("atm_iv", &["30.5", "-0.2", "0.0", "10", "1E+2", "1e400"]);
    assert_eq!(found(Series::Iv, &iv), told("iv_out_of_range", 1, 4));
    let iv = records("atm_iv", &["0.305", "null", "-0.0", "8.1", "\"30.5\""]);
    assert_eq!(found(Series::Iv, &iv), []);
    let close = records("close", &["12.5", "0", "-12.50"]);
    assert_eq!(found(Series::Spot, &close), told("close_out_of_range", 2, 2));
    // Single days of a squeeze are above what most are below; a whole file is not.
    let hv = records("hv20", &["8.2", "6.7", "0.5", "0.4"]);
    assert_eq!(found(Series::Hv, &hv), []);
    let hv = records("hv20", &["21.5", "22.0", "2.9"]);
    assert_eq!(found(Series::Hv, &hv), [("suspect_scale".to_owned(), None, 2)]);
    let hv = records("hv252", &["0.2", "-0.1", "0.3"]);
    assert_eq!(found(Series::Hv, &hv), told("hv_out_of_range", 2, 1));
    // `MSFT` in the file of AAPL; other letters are the same symbol, and nothing names none.
    let names = records("symbol", &["\"AAPL\"", "\"aapl\"", "null", "\"MSFT\"", "7"]);
    for series in [Series::Spot, Series::Iv] {
        assert_eq!(found(series, &names), told("other_symbols", 4, 2));
    }
}
