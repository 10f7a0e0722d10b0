//! Flat files: columns by name, places, refusals.

use super::*;
use crate::sources::{Limits, ReadError, ReadSummary};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn asked(kind: FlatKind) -> FlatPage {
    FlatPage { kind, range: None, observed_ms: OBSERVED, source: 5, limits: Limits::default() }
}

fn read_as(page: &FlatPage, bytes: &[u8]) -> (ReadSummary, Rows, Vec<Reject>) {
    collect(|out| read_flat(bytes, page, out).unwrap())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

const HEADER: &str = "ticker,volume,open,close,high,low,window_start,transactions\n";

fn key(rows: &Rows, index: usize) -> String {
    let row = rows.get(index).unwrap();
    format!("{} {} {}", row.symbol, row.head.day, row.item).trim_end().to_owned()
}

#[test]
fn the_kind_decides_series_and_item() {
    let option = "O:SPY250417P00390000";
    for (kind, series, ticker, want) in [
        (FlatKind::StockDays, Series::Spot, "AAPL", "AAPL 2025-04-16"),
        (FlatKind::IndexDays, Series::Index, "I:VIX", "I:VIX 2025-04-16"),
        (FlatKind::OptionDays, Series::Bars, option, "O:SPY250417P00390000 2025-04-16 1day"),
        (FlatKind::OptionChain, Series::Chain, option, "SPY 2025-04-16 O:SPY250417P00390000"),
        (FlatKind::StockMinutes, Series::Bars, "AAPL", "AAPL 2025-04-16 1minute 00:00"),
        (
            FlatKind::OptionMinutes,
            Series::Bars,
            option,
            "O:SPY250417P00390000 2025-04-16 1minute 00:00",
        ),
        (FlatKind::IndexMinutes, Series::Bars, "I:VIX", "I:VIX 2025-04-16 1minute 00:00"),
    ] {
        // Midnight New York of 2025-04-16, in nanoseconds.
        let text = format!("{HEADER}{ticker},10.50,1,2,3,1,1744776000000000000,4\r\n");
        let (summary, rows, rejects) = read_as(&asked(kind), text.as_bytes());
        assert_eq!((key(&rows, 0), rejects.len()), (want.to_owned(), 0));
        let row = rows.get(0).unwrap();
        assert_eq!((row.head.series, row.head.source, row.head.line), (series, 5, 2));
        let fields: Vec<_> =
            row.fields().map(|(f, v)| format!("{}={}", f.name(), v.unwrap())).collect();
        let want = "volume=10.50 open=1 close=2 high=3 low=1 window_start=1744776000000000000 \
                    transactions=4";
        assert_eq!(fields.join(" "), want);
        // An index has neither volume nor transactions: here they are news.
        let news =
            if kind == FlatKind::IndexDays || kind == FlatKind::IndexMinutes { 2 } else { 0 };
        assert_eq!((summary.findings.len(), summary.fatal), (news, None));
        // The same packed, also in several members.
        let mut packed = gzip(&text[..30]);
        packed.extend(gzip(&text[30..]));
        let (_, again, _) = read_as(&asked(kind), &packed);
        assert_eq!(again.get(0).unwrap().values, row.values);
        assert_eq!(again.get(0).unwrap().head.offset, HEADER.len() as u64);
    }
}

#[test]
fn columns_may_stand_anywhere_and_new_ones_are_kept() {
    let text = "low,high,close,open,window_start,ticker,volume,transactions,decimal_volume\n\
                1,3,2,1,1744776000000000000,BRKpA,5,4,5.250\n\n\
                1,3,2,1,1744776000000000000,A B,5,4,\n\
                1,3,2,1,1744776000000000000,C,5\n\
                1,3,2,1,yesterday,C,5,4,\n\
                4,3,2,1,1744776000000000000,C,5,4,\n\
                1,3,2,,1744776000000000000,C,5,4,\n\
                1,3,2,1,1744862400000000000,D,0,4,\n";
    let (summary, rows, rejects) = read_as(&asked(FlatKind::StockDays), text.as_bytes());
    assert_eq!((key(&rows, 0), key(&rows, 1)), ("BRKpA 2025-04-16".into(), "D 2025-04-17".into()));
    let codes: Vec<&str> = rejects.iter().map(|reject| &*reject.code).collect();
    assert_eq!(codes, ["missing_key", "cell_count", "missing_key", "ohlc", "missing"]);
    let last = rows.get(0).unwrap().fields().last().unwrap();
    assert_eq!((last.0.name(), last.1.unwrap().to_string()), ("decimal_volume", "5.250".into()));
    assert_eq!(rows.get(1).unwrap().values.iter().last(), Some(Value::Null));
    let rows = summary.rows;
    assert_eq!((rows.read, rows.accepted, rows.rejected, rows.blank), (7, 2, 5, 1));
    assert_eq!(summary.ignored_columns, ["decimal_volume"]);
    let codes: Vec<&str> = summary.findings.iter().map(|finding| &*finding.code).collect();
    assert_eq!(
        codes,
        ["cell_count", "missing_key", "missing", "ohlc", "zero_volume", "drift_added"]
    );
    let page = FlatPage {
        range: Some((day("2025-04-16"), day("2025-04-16"))),
        ..asked(FlatKind::StockDays)
    };
    assert_eq!(read_as(&page, text.as_bytes()).2.last().unwrap().code, "wrong_day".into());
}

#[test]
fn other_files_are_refused_in_one_sentence() {
    let fatal = |bytes: &[u8]| read_as(&asked(FlatKind::StockDays), bytes).0.fatal.unwrap();
    assert_eq!(fatal(b"").text, "the file is empty");
    assert_eq!(fatal(b"ticker,open\nA,1\n").code, "unknown_columns");
    assert!(fatal(b"<html>").text.contains("no column `ticker`, `open`"));
    let endless = format!("{HEADER}{}", "9".repeat(200_000));
    assert_eq!(fatal(endless.as_bytes()).code, "line_too_long");
    // A stream that is cut short is an error: the rest of the day is not there.
    let packed = gzip(&format!("{HEADER}A,1,1,1,1,1,1744776000000000000,1\n"));
    let cut = &packed[..packed.len() - 6];
    let (result, ..) = collect(|out| read_flat(cut, &asked(FlatKind::StockDays), out));
    assert!(matches!(result, Err(ReadError::Io(_))));
}

#[test]
fn windows_are_handed_on_while_a_long_file_is_read() {
    let rows = 150_000;
    let line = "O:SPY230327P00390000,200,11.82,9.83,11.82,8.09,1678680000000000000,62\n";
    let packed = gzip(&format!("{HEADER}{}", line.repeat(rows)));
    let (mut windows, mut events) = (0, 0);
    let mut flush = |window: &mut Window| -> Result<(), ()> {
        (windows, events) = (windows + 1, events + window.len());
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let summary = read_flat(&*packed, &asked(FlatKind::OptionDays), &mut out).unwrap();
    out.finish().unwrap();
    assert_eq!((summary.rows.accepted, events, windows), (rows as u64, rows, 3));
}

#[test]
fn columns_without_a_name_of_their_own_get_one() {
    let header = HEADER.trim_end();
    let text = format!("{header},x,x,,open\nA,1,1,1,1,1,1744776000000000000,1,2,3,4,5\n");
    let (_, rows, _) = read_as(&asked(FlatKind::StockDays), text.as_bytes());
    let fields: Vec<_> = rows.get(0).unwrap().fields().skip(7).collect();
    let names: Vec<&str> = fields.iter().map(|(field, _)| field.name()).collect();
    assert_eq!(names, ["x", "x (column 10)", "(column 11)", "open (column 12)"]);
}

#[test]
fn no_row_is_taken_after_a_contract_ends() {
    // 2025-04-16 and the day after.
    let row = |ticker: &str, t: i64| format!("{ticker},1,1,1,1,1,{t}000000,1\n");
    let text = format!(
        "{HEADER}{}{}{}",
        row("O:SPY250416P00390000", 1_744_776_000_000),
        row("O:SPY250416P00390000", 1_744_862_400_000),
        row("O:SPY250417P00390000", 1_744_862_400_000),
    );
    let (_, rows, rejects) = read_as(&asked(FlatKind::OptionDays), text.as_bytes());
    assert_eq!((rows.len(), &*rejects[0].code, rejects[0].line), (2, "expired", 3));
}
