//! Texts in, events and findings out.

mod doubts;
mod nothing;
mod whole;

use super::*;
use crate::domain::{Rows, Value, Window};
use std::cell::RefCell;
use std::io::{self, Cursor};

/// What reading a text gave.
struct CsvRead {
    summary: ReadSummary,
    rows: Rows,
    rejects: Vec<crate::domain::Reject>,
    /// The bytes that the rows were read from.
    heard: Vec<u8>,
}

/// Reads in two passes.
fn read_from<R: Read + Seek>(
    input: &mut R,
    mapping: &Mapping,
    symbol: SymbolFrom,
    limits: Limits,
) -> Result<CsvRead, ReadError<()>> {
    read_by(read_csv, input, mapping, symbol, limits)
}

type Reader<R> =
    fn(&mut R, &CsvOptions<'_>, &mut Collector<'_, ()>) -> Result<ReadSummary, ReadError<()>>;

fn read_by<R: Read + Seek>(
    read: Reader<R>,
    input: &mut R,
    mapping: &Mapping,
    symbol: SymbolFrom,
    limits: Limits,
) -> Result<CsvRead, ReadError<()>> {
    let (mut rows, mut rejects) = (Rows::new(), Vec::new());
    let mut flush = |window: &mut Window| {
        window.rows.iter().for_each(|row| rows.push_row(row));
        rejects.append(&mut window.rejects);
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let heard = RefCell::new(Vec::new());
    let options = CsvOptions {
        mapping,
        symbol,
        source: 3,
        as_of: "2025-12-13".parse().unwrap(),
        calendar: &Calendar::default(),
        limits,
        progress: &|_| {},
        seen: &|bytes| heard.borrow_mut().extend_from_slice(bytes),
    };
    let summary = read(input, &options, &mut out)?;
    out.finish().unwrap();
    Ok(CsvRead { summary, rows, rejects, heard: heard.take() })
}

fn read_with(text: &[u8], mapping: &str, symbol: SymbolFrom) -> CsvRead {
    let mapping = Mapping::bundled(mapping).unwrap();
    let limits = Limits::default();
    let once = read_by(read_csv_once, &mut Cursor::new(text), &mapping, symbol.clone(), limits);
    let read = read_from(&mut Cursor::new(text), &mapping, symbol, limits).unwrap();
    // What is read in one pass is what two find.
    match once {
        Ok(once) => {
            assert_eq!(once.summary, read.summary);
            assert_eq!(once.lines(), read.lines());
            assert_eq!(once.rejects, read.rejects);
            assert_eq!(once.heard, read.heard);
        }
        Err(error) => assert!(matches!(error, ReadError::NotAsPresumed)),
    }
    if read.summary.fatal.is_none() {
        assert_eq!(read.heard, text, "all of it, once");
    }
    let bytes = |offset: u64, len: u32| &text[offset as usize..offset as usize + len as usize];
    // Every event's place holds a whole record of the original bytes.
    for row in read.rows.iter() {
        let after = text.get(row.head.offset as usize + row.head.len as usize);
        assert!(matches!(after, None | Some(b'\n' | b'\r')));
        let before = row.head.offset.checked_sub(1).and_then(|at| text.get(at as usize));
        assert!(matches!(before, Some(b'\n' | b'\r')));
    }
    for reject in &read.rejects {
        let raw = bytes(reject.offset, reject.len);
        if let Ok(raw) = std::str::from_utf8(raw) {
            assert!(raw.starts_with(&*reject.raw));
        }
    }
    read
}

fn given() -> SymbolFrom {
    SymbolFrom::Given("AAPL".parse().unwrap())
}

fn read(text: &[u8], mapping: &str) -> CsvRead {
    read_with(text, mapping, given())
}

impl CsvRead {
    /// `line symbol day field=value …` per row.
    fn lines(&self) -> Vec<String> {
        let row = |row: crate::domain::Row<'_>| {
            let mut line = format!("{} {} {}", row.head.line, row.symbol, row.head.day);
            for (field, value) in row.fields() {
                let value = value.as_ref().map(Value::to_string).unwrap_or_default();
                line += &format!(" {}={value}", field.name());
            }
            line
        };
        self.rows.iter().map(row).collect()
    }

    fn rejected(&self) -> Vec<(u32, &str)> {
        self.rejects.iter().map(|reject| (reject.line, &*reject.code)).collect()
    }

    fn codes(&self) -> Vec<&str> {
        self.summary.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    fn fatal(&self) -> &str {
        assert!(self.rows.is_empty() && self.rejects.is_empty());
        self.summary.fatal.as_ref().map_or("none", |finding| finding.code.as_str())
    }
}

#[test]
fn a_row_is_one_event_with_the_fields_it_has() {
    let text = b"Options Volume,Date,IV30,OHLC 20-Day Vol\n\
        \"1,234\",2025-01-02,24.110,30.5\n\
        ,2025-01-03,25,\n\
        -5,2025-01-06,26,x\n";
    let read = read(text, "mc-iv");
    assert_eq!(
        read.lines(),
        [
            "2 AAPL 2025-01-02 atm_iv=0.24110 hv20=0.305 options_volume=1234",
            "3 AAPL 2025-01-03 atm_iv=0.25",
            "4 AAPL 2025-01-06 atm_iv=0.26",
        ]
    );
    assert_eq!(read.codes(), ["missing_optional_columns", "optional_field_errors"]);
    assert_eq!(read.summary.optional_field_errors, 2);
    assert_eq!(read.summary.missing_optional, ["IV30 20-Day MA", "OHLC 52-Week Vol"]);
    let rows = read.summary.rows;
    assert_eq!((rows.read, rows.accepted, rows.rejected, rows.blank), (3, 3, 0, 0));
    assert!(read.rows.heads().iter().all(|head| head.source == 3));
}

#[test]
fn line_ends_blank_lines_and_quoted_line_ends_keep_lines_physical() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "Date,IV30,Note",
            "2025-01-02,20,",
            "",
            "2025-01-03,x,",
            ", ,\u{a0}",
            "2025-01-06,21,\"two",
            "lines\"",
            "2025-01-07,,",
            "",
        ];
        let read = read(lines.join(end).as_bytes(), "mc-iv-basic");
        assert_eq!(
            read.lines(),
            ["2 AAPL 2025-01-02 atm_iv=0.20", "6 AAPL 2025-01-06 atm_iv=0.21"],
            "{end:?}"
        );
        assert_eq!(read.rejected(), [(4, "invalid_iv30"), (8, "missing_iv30")]);
        assert_eq!(&*read.rejects[0].raw, "2025-01-03,x,");
        assert_eq!(read.summary.rows.blank, 2);
        assert_eq!(read.codes(), ["ignored_columns", "invalid_iv30", "missing_iv30"]);
    }
}

#[test]
fn a_byte_order_mark_counts_in_offsets() {
    let text = b"\xef\xbb\xbfDate,IV30\n2025-01-02,20\n";
    let read = read(text, "mc-iv-basic");
    assert_eq!(read.rows.heads()[0].offset, 13);
    assert_eq!(read.codes(), ["utf8_bom_stripped"]);
}

#[test]
fn windows_1252_is_a_fallback_with_original_offsets() {
    let text = b"Caf\xe9\nDate;IV30;Options Volume\n2025-01-02;20;1\xa0234\n2025-01-03;\x80;2\n";
    let read = read(text, "mc-iv");
    assert_eq!(read.lines(), ["3 AAPL 2025-01-02 atm_iv=0.20 options_volume=1234"]);
    assert_eq!(read.rejected(), [(4, "invalid_iv30")]);
    assert_eq!((&*read.rejects[0].raw, read.rejects[0].len), ("2025-01-03;€;2", 14));
    assert_eq!(
        read.codes(),
        [
            "encoding_fallback_cp1252",
            "preamble_skipped",
            "missing_optional_columns",
            "invalid_iv30"
        ]
    );
    assert_eq!(read.summary.delimiter, Some("semicolon"));
}

#[test]
fn dates_are_read_in_one_order_per_file() {
    let text = b"Date,IV30\n03/04/2025,20\n04/25/2025,21\n25/04/2025,22\n";
    assert_eq!(read(text, "mc-iv-basic").fatal(), "date_order_conflict");
    let text = b"Date,IV30\n03/04/2025,20\n\"04/25/2025\",21\n";
    let read_ = read(text, "mc-iv-basic");
    assert_eq!(read_.summary.slash_order, Some(crate::sources::DateOrder::MonthFirst));
    assert_eq!(read_.lines()[0], "2 AAPL 2025-03-04 atm_iv=0.20");
    let read_ = read(b"Date,IV30\n 03-04-2025 ,20\n", "mc-iv-basic");
    assert_eq!(read_.lines()[0], "2 AAPL 2025-04-03 atm_iv=0.20");
    assert_eq!(read_.codes(), ["ambiguous_date_order"]);
    let text = b"Date,IV30\n2025-12-13,20\n2025-12-14,20\n,20\n2025-02-29,20\n";
    let read_ = read(text, "mc-iv-basic");
    assert_eq!(read_.rejected(), [(3, "future_date"), (4, "missing_date"), (5, "invalid_date")]);
}

#[test]
fn the_end_of_the_file_tells_what_was_cut_off() {
    for (text, accepted, rejected) in [
        ("Date,IV30,X\n2025-01-02,20", 0, &[(2, "truncated_last_line")][..]),
        ("Date,IV30,X\n2025-01-02,20,1", 1, &[]),
        ("Date,IV30,X\n2025-01-02,20,\"1", 0, &[(2, "truncated_last_line")]),
        ("Date,IV30,X\n2025-01-02,20,1\n  ", 1, &[]),
    ] {
        let read = read(text.as_bytes(), "mc-iv-basic");
        assert_eq!(read.rows.len(), accepted, "{text}");
        assert_eq!(read.rejected(), rejected, "{text}");
        assert!(read.codes().contains(&"no_final_newline"));
    }
    // A short row elsewhere only lacks its last cells.
    let short = read(b"Date,IV30,X\n2025-01-02,20\n", "mc-iv-basic");
    assert_eq!((short.rows.len(), short.codes()), (1, vec!["ignored_columns"]));
}

#[test]
fn rows_that_do_not_fit_the_header_are_not_read_shifted() {
    // An unquoted separator inside a number, and a cell that no column is for.
    let text = b"Date,Volume,Close\n2024-01-02,412990,1,163.85\n2024-01-03,5,7,,\n\
        2024-01-04,5,7, ,x\n2024-01-05,5,8,\xc2\xa0,\" \"\n";
    let read_ = read(text, "spot-ohlc");
    assert_eq!(
        read_.lines(),
        ["3 AAPL 2024-01-03 close=7 volume=5", "5 AAPL 2024-01-05 close=8 volume=5"]
    );
    assert_eq!(read_.rejected(), [(2, "cell_count"), (4, "cell_count")]);
    let found = read_.summary.findings.iter().find(|found| found.code == "cell_count").unwrap();
    assert_eq!(found.severity, Severity::Reject);
    assert_eq!(
        found.text,
        "2 rows rejected, with more cells than the header has names: lines 2, 4"
    );
    // A header that ends in a separator, as its rows do, has no column there: it would take in a cell
    // that was moved.
    let codes = |text: &str, mapping: &str| {
        let read = read(text.as_bytes(), mapping);
        let codes: Vec<String> =
            read.rejects.iter().map(|reject| reject.code.to_string()).collect();
        (read.rows.len(), codes)
    };
    for (text, mapping, rows, rejected) in [
        ("Date,Close,\n2024-01-02,\"4,742.83\",\n2024-01-03,4,704.81\n", "spot-ohlc", 1, 1),
        ("Date,Close,Volume,\n2024-01-02,185,64,82488700\n", "spot-ohlc", 0, 1),
        (
            "Date,IV30,Options Volume,\n2024-01-02,24.11,1,012\n2024-01-03,24.2,987,\n",
            "mc-iv",
            1,
            1,
        ),
        ("Date,IV30,,\n2024-01-02,24,11\n2024-01-03,25,,02\n", "mc-iv-basic", 0, 2),
        ("Date,Close,Volume,\n2024-01-02,185.64,5,\n2024-01-03,185.7,6, \n", "spot-ohlc", 2, 0),
        (",Date,Close,\n0,2024-01-02,185.64,\n", "spot-ohlc", 1, 0),
    ] {
        assert_eq!(codes(text, mapping), (rows, vec!["cell_count".to_owned(); rejected]), "{text}");
    }
    // Its row is whole where all cells with a name are there, and cut off elsewhere.
    for (text, rejected) in [("2024-01-02,24.11,", 0), ("2024-01-02,24.11", 1)] {
        let read = read(format!("Date,IV30,\n{text}").as_bytes(), "mc-iv-basic");
        assert_eq!(read.rejected().len(), rejected, "{text}");
    }
    // Cells that are missing stay missing, and that is said where somebody reads them.
    let text = b"Date,Close,Volume,Note\n2024-01-02,7\n2024-01-03,8,5\n2024-01-04,9,6,x\n";
    let read_ = read(text, "spot-ohlc");
    assert_eq!(read_.rows.len(), 3);
    let short = read_.summary.findings.iter().find(|found| found.code == "cell_count").unwrap();
    assert_eq!((short.count, short.line, short.severity), (1, Some(2), Severity::Warning));
}

#[test]
fn a_word_for_nothing_is_no_symbol() {
    let text = b"Date,IV30,Symbol\n2025-01-02,20,N/A\n2025-01-02,20,nan\n2025-01-02,20,NAN\n\
        2025-01-02,20,#N/A\n2025-01-02,20,None\n2025-01-02,20,NA\n";
    let read_ = read_with(text, "mc-iv-basic", SymbolFrom::Column);
    let missing = [2, 3, 5, 6].map(|line| (line, "missing_symbol"));
    assert_eq!(read_.rejected(), missing);
    assert_eq!(read_.rows.len(), 2);
    assert!(!read(text, "mc-iv-basic").rows.is_empty());
}

#[test]
fn iv30_is_checked_in_percent() {
    let cells = ["0", "-1", "1000.01", "2.99", "3", "400", "1e3", "inf", "nan", "0.5%"];
    let rows: String =
        cells.iter().enumerate().map(|(i, c)| format!("2025-01-{:02},{c}\n", i + 1)).collect();
    let read = read(format!("Date,IV30\n{rows}").as_bytes(), "mc-iv-basic");
    assert_eq!(
        read.rejected(),
        [
            (2, "iv30_out_of_range"),
            (3, "iv30_out_of_range"),
            (4, "iv30_out_of_range"),
            (5, "iv30_suspect_scale"),
            (9, "invalid_iv30"),
            (10, "missing_iv30"),
            (11, "iv30_suspect_scale"),
        ]
    );
    let high: Vec<String> = read.summary.high_dates.iter().map(Day::to_string).collect();
    assert_eq!(high, ["2025-01-06", "2025-01-07"]);
    let summed = read.summary.findings.iter().find(|f| f.code == "iv30_out_of_range").unwrap();
    assert_eq!((summed.count, summed.line, summed.severity), (3, Some(2), Severity::Reject));
    assert_eq!(summed.text, "3 rows rejected: lines 2, 3, 4; the first for `0` under `iv30`");
}

#[test]
fn rejects_name_five_lines_and_count_the_rest() {
    let text = format!("Date,IV30\n{}", "2025-01-02,\n".repeat(7));
    let read = read(text.as_bytes(), "mc-iv-basic");
    let finding = read.summary.findings.first().unwrap();
    assert_eq!(finding.text, "7 rows rejected: lines 2, 3, 4, 5, 6 and 2 more");
}

#[test]
fn a_symbol_column_makes_keys_of_several_symbols() {
    let text = b"Ticker,Date,IV30\naapl,2025-01-03,20\nMSFT,2025-01-02,21\n\
        AAPL,2025-01-02,22\nMSFT,2025-01-03,22\n,2025-01-03,9\nA B,2025-01-03,9\n";
    let read = read_with(text, "mc-iv-basic", SymbolFrom::Column);
    assert_eq!(
        read.lines(),
        [
            "2 AAPL 2025-01-03 atm_iv=0.20",
            "3 MSFT 2025-01-02 atm_iv=0.21",
            "4 AAPL 2025-01-02 atm_iv=0.22",
            "5 MSFT 2025-01-03 atm_iv=0.22",
        ]
    );
    assert_eq!(read.rejected(), [(6, "missing_symbol"), (7, "invalid_symbol")]);
    // Only AAPL goes back in time.
    let unsorted = read.summary.findings.iter().find(|f| f.code == "unsorted_rows").unwrap();
    assert_eq!((unsorted.count, unsorted.line), (1, Some(4)));
    let none = read_with(b"Date,IV30\n2025-01-02,20\n", "mc-iv-basic", SymbolFrom::Column);
    assert_eq!(none.fatal(), "symbol_missing");
}

#[test]
fn a_column_that_names_another_symbol_than_the_given_one_is_noticed() {
    let text = b"Date,IV30,Symbol\n2025-01-02,20,aapl\n2025-01-03,21,MSFT\n2025-01-06,22,\n\
        2025-01-07,23,A B\n2025-01-08,24,AAPL\n";
    let given = read(text, "mc-iv-basic");
    assert_eq!((given.rows.len(), given.codes()), (5, vec!["other_symbols"]));
    let others = given.summary.findings.first().unwrap();
    assert_eq!((others.count, others.line, others.severity), (2, Some(3), Severity::Warning));
    let same = read(b"Date,IV30,Symbol\n2025-01-02,20,AAPL\n", "mc-iv-basic");
    assert_eq!(same.codes(), [""; 0]);
}

#[test]
fn of_equal_columns_the_first_is_read_and_that_is_said() {
    let read = read(b"Date,IV30,iv30 ,x\n2025-01-02,20,30,1\n", "mc-iv-basic");
    assert_eq!(read.lines(), ["2 AAPL 2025-01-02 atm_iv=0.20"]);
    assert_eq!(read.codes(), ["ignored_columns", "repeated_columns"]);
    assert_eq!(read.summary.ignored_columns, ["x"]);
    assert_eq!(read.summary.findings.last().unwrap().severity, Severity::Warning);
}

#[test]
fn realised_volatility_needs_one_of_its_columns() {
    let text = b"Date,HV20,HV252\n2025-01-02,20.5,\n2025-01-03,,30\n2025-01-06,,\n2025-01-07,,x\n\
        2025-01-08,x,30\n";
    let read_ = read(text, "hv-percent");
    assert_eq!(
        read_.lines(),
        [
            "2 AAPL 2025-01-02 hv20=0.205",
            "3 AAPL 2025-01-03 hv252=0.30",
            "6 AAPL 2025-01-08 hv252=0.30"
        ]
    );
    assert_eq!(read_.rejected(), [(4, "missing_hv"), (5, "invalid_hv")]);
    let read_ = read(b"date,hv20\n2025-01-02,0.205\n", "hv-fraction");
    assert_eq!(read_.lines(), ["2 AAPL 2025-01-02 hv20=0.205"]);
}

#[test]
fn prices_stay_as_written() {
    let text = b"Date,Open,Close,Adj Close,Volume\n2025-01-02,1.50,119.020,9,115328808.0\n\
        2025-01-03,,\"1,234\",9,5\n2025-01-06,,\"1,234.50\",9,5.5\n2025-01-07,,0,,\n";
    let read = read(text, "spot-ohlc");
    assert_eq!(
        read.lines(),
        [
            "2 AAPL 2025-01-02 close=119.020 open=1.50 volume=115328808.0",
            "4 AAPL 2025-01-06 close=1234.50 volume=5.5",
        ]
    );
    assert_eq!(read.rejected(), [(3, "invalid_close"), (5, "close_out_of_range")]);
    assert_eq!(read.summary.ignored_columns, ["adj close"]);
}
