//! What only the whole file tells: decimal marks and units that contradict each other.

use super::*;

#[test]
fn numbers_that_contradict_each_other_about_the_decimal_mark_are_noticed() {
    let finding = |text: &str, mapping: &str| {
        let read = read(text.as_bytes(), mapping);
        let found = read.summary.findings.into_iter().find(|f| f.code == "decimal_marks");
        found.map(|found| (found.line, found.text))
    };
    let mixed = "Date;Close\n02.01.2024;998,50\n03.01.2024;1.012\n04.01.2024;1.001,25\n";
    let (line, text) = finding(mixed, "spot-ohlc").unwrap();
    assert_eq!(line, Some(3));
    assert!(text.contains("in line 2 is the comma; `decimal = \"comma\"`"), "{text}");
    let late = "Date;Close\n2024-01-02;1.012\n2024-01-03;\"1.013\"\n2024-01-04;998,50\n";
    assert_eq!(finding(late, "spot-ohlc").unwrap().0, Some(2));
    let other = "Date;IV30\n2024-01-02;98.5\n2024-01-03;1,012.5\n2024-01-04;3,012\n";
    assert_eq!(finding(other, "mc-iv-basic").unwrap().0, Some(4));
    for (text, mapping) in [
        ("Date;Close\n2024-01-02;998,50\n2024-01-03;1012,00\n2024-01-04;1.001,25\n", "spot-ohlc"),
        ("Date,Close,Volume\n2024-01-02,1.012,\"1,234\"\n2024-01-03,998.50,\n", "spot-ohlc"),
        ("Date;IV30;Options Volume\n2024-01-02;25,170;529.510\n", "mc-iv"),
        ("Date,IV30,Options Volume\n2024-01-02,25.170,\"529,510\"\n", "mc-iv"),
        ("Date;Close;Volume\n2024-01-02;998,50;529.510\n", "spot-ohlc"),
        ("Date,Close,Volume\n2024-01-02,998.50,\"529,510\"\n", "spot-ohlc"),
        (
            "Date,Close,Volume\n2024-01-02,998.50,529.510\n2024-01-03,997.50,1.234.567\n",
            "spot-ohlc",
        ),
        ("Date,IV30\n2024-01-02,24.110\n2024-01-03,8.600\n", "mc-iv-basic"),
    ] {
        assert_eq!(finding(text, mapping), None, "{text}");
    }
    // Whole numbers with three places, as programs write them that write every number so, and prices.
    for volumes in [["123.000", "1234.000"], ["123.000", "123.000"]] {
        let [first, second] = volumes;
        let text =
            format!("Date,Close,Volume\n2024-01-02,185.64,{first}\n2024-01-03,184.25,{second}\n");
        let (line, text) = finding(&text, "spot-ohlc").unwrap();
        assert_eq!(line, Some(2));
        assert!(text.contains("the thousands mark, which in line 2 is the decimal one"), "{text}");
        assert!(text.contains("`decimal = \"point\"`"), "{text}");
    }
    let all = "Date,IV30,Options Volume\n2024-01-02,25.170,512.000\n2024-01-03,25.270,1834.000\n";
    let (_, text) = finding(all, "mc-iv").unwrap();
    assert!(text.contains("which in line 3 is the decimal one; `decimal = \"point\"`"), "{text}");
    // Nothing says which of the two it is.
    let either = "Date,IV30,Options Volume\n2024-01-02,25,512.000\n2024-01-03,25.170,\n";
    let (line, text) = finding(either, "mc-iv").unwrap();
    assert_eq!(line, Some(2));
    assert!(text.contains("line 3 one that is read as the decimal mark"), "{text}");
    let comma = "Date;Close;Volume\n2024-01-02;998,50;529,510\n";
    assert!(finding(comma, "spot-ohlc").unwrap().1.contains("`decimal = \"comma\"`"));
    // Whole numbers as a German spreadsheet groups them: nothing else in the file says what a point is.
    for text in [
        "Date;Open;Close\n02.01.2024;33.288;33.360\n03.01.2024;33.193;33.299\n",
        "Date;Close\n2024-01-02;16.769\n",
        "Date,Close\n02.01.2024,16.769\n",
    ] {
        let (line, said) = finding(text, "spot-ohlc").unwrap();
        assert_eq!(line, Some(2), "{text}");
        assert!(
            said.contains("it was read as the decimal mark; `decimal = \"point\"` or"),
            "{said}"
        );
    }
    for text in [
        "Date,Close\n2024-01-02,33.288\n2024-01-03,33.360\n",
        "Date;Close\n2024-01-02;33.288\n2024-01-03;33.36\n",
        "Date;Close\n02.01.2024;184.5\n03.01.2024;184.532\n",
    ] {
        assert_eq!(finding(text, "spot-ohlc"), None, "{text}");
    }
    let own = Mapping::bundled("spot-ohlc").unwrap();
    let points = Mapping::parse(&format!("decimal = \"point\"\n{}", own.text())).unwrap();
    let text = "Date;Close\n02.01.2024;33.288\n";
    let read = read_from(&mut Cursor::new(text), &points, given(), Limits::default()).unwrap();
    assert_eq!(read.codes(), ["missing_optional_columns"]);
    let own = Mapping::parse(&format!("decimal = \"comma\"\n{}", own.text())).unwrap();
    let limits = Limits::default();
    let read = read_from(&mut Cursor::new(mixed), &own, given(), limits).unwrap();
    assert_eq!(read.codes(), ["missing_optional_columns"]);
    assert_eq!(read.lines()[1], "3 AAPL 2024-01-03 close=1012");
}

#[test]
fn realised_volatility_in_another_unit_shows_in_the_whole_file() {
    let finding = |text: &str, mapping: &str| {
        let read = read(text.as_bytes(), mapping);
        let found = read.summary.findings.into_iter().find(|f| f.code == "suspect_scale");
        found.map(|found| (found.line, found.count, found.text))
    };
    let rows = |cells: &[&str], times: usize| format!("{}\n", cells.join("\n")).repeat(times);
    let mixed = ["2024-01-02,0.3089,28.1", "2024-01-03,\"0,31\",30"];
    let columns = |rows: String| format!("date,hv20,hv252\n{rows}");
    let (line, count, text) = finding(&columns(rows(&mixed, 5)), "hv-percent").unwrap();
    assert_eq!((line, count), (Some(2), 10));
    assert_eq!(
        text,
        "10 of 10 numbers of hv20 are below 2 %: they look like fractions, which `--mapping \
         hv-fraction` reads; a mapping with another `mostly_from` takes them as they are"
    );
    let few = columns(rows(&["2024-01-02,0.3089,0.281"], 1));
    assert_eq!(finding(&few, "hv-percent").unwrap().1, 2);
    let (.., text) =
        finding("date,hv20\n2024-01-02,23.4\n2024-01-03,2.1\n", "hv-fraction").unwrap();
    assert_eq!(
        text,
        "1 of 2 numbers of hv20 are 3 or more: they look like percentages, which `--mapping \
         hv-percent` reads; a mapping with another `mostly_below` takes them as they are"
    );
    // One day of a stock that is being taken over, and what never moved.
    let quiet = "date,hv20,hv30,hv90,hv252\n2024-01-02,1.8,2.4,12.1,14\n";
    assert_eq!(finding(quiet, "hv-percent"), None);
    assert_eq!(finding(&columns(rows(&mixed, 4)), "hv-percent"), None);
    for nothing in ["2024-01-02,0,28.1", "2024-01-02,0,0.00"] {
        assert_eq!(finding(&columns(rows(&[nothing], 12)), "hv-percent"), None, "{nothing}");
    }
    // Quiet days, and a stock that was taken over or went wild, are no mistake.
    let quiet = "date,hv20,hv252\n2024-01-02,0.5,12\n2024-01-03,5,\n2024-01-04,7.5,11\n";
    assert_eq!(finding(quiet, "hv-percent"), None);
    assert_eq!(
        finding("date,hv20\n2024-01-02,0.3\n2024-01-03,4.5\n2024-01-04,2\n", "hv-fraction"),
        None
    );
}

#[test]
fn prices_that_contradict_each_other_are_noticed_in_bars() {
    let finding = |text: &str, mapping: &str| {
        let read = read(text.as_bytes(), mapping);
        assert_eq!(read.summary.rows.rejected, 0, "{text}");
        let found = read.summary.findings.into_iter().find(|found| found.code == "ohlc");
        found.map(|found| (found.line, found.count, found.severity, found.text))
    };
    let head = "date,open,high,low,close,volume\n";
    let swapped = format!("{head}2024-01-02,11,10,12,11,5\n2024-01-03,11,10,12,11,\n");
    for mapping in ["spot-ohlc", "event-bars"] {
        let (line, count, severity, text) = finding(&swapped, mapping).unwrap();
        assert_eq!((line, count, severity), (Some(2), 2, Severity::Warning));
        assert_eq!(
            text,
            "2 rows whose high is below their low, or whose open or close lies outside of the two: \
             lines 2, 3"
        );
    }
    let rows = |row: &str| finding(&format!("{head}2024-01-02,1,2,1,2,5\n{row}\n"), "spot-ohlc");
    for row in [
        "2024-01-03,106.5,107.02,105.9,159.89,5",
        "2024-01-03,106.5,107.02,105.9,105.8,5",
        "2024-01-03,108,107.02,105.9,106,5",
        "2024-01-03,\"105,5\",107.02,105.9,106,5",
        "2024-01-03,,107.02,108,107.02,",
        "2024-01-03,0,107.02,105.9,107.2,5",
        "2024-01-03,106.5,107.02,0,107.2,5",
        "2024-01-03,200,107.02,,106,5",
        "2024-01-03,12345678901234567890.5,107.02,105.9,107,5",
    ] {
        assert_eq!(rows(row).map(|found| (found.0, found.1)), Some((Some(3), 1)), "{row}");
    }
    for row in [
        "2024-01-03,106.5,107.02,105.9,106,5",
        "2024-01-03,107,107,107,107,5",
        "2024-01-03,107.00001,107,107.0000000000001,106.995,5",
        "2024-01-03,0,107.02,105.9,106,5",
        "2024-01-03,106,107.02,0,106,5",
        "2024-01-03,0,0,0,106,0",
        "2024-01-03,,,,106,5",
        ",,,,,",
    ] {
        assert_eq!(rows(row), None, "{row}");
    }
    assert_eq!(finding("date,open,high,close\n2024-01-02,9,8,9\n", "spot-ohlc"), None);
    let own = Mapping::bundled("spot-ohlc").unwrap();
    let own = own.text().replace("series = \"spot\"", "series = \"bars\"");
    let own = Mapping::parse(&own).unwrap();
    let read = read_from(&mut Cursor::new(&swapped), &own, given(), Limits::default()).unwrap();
    assert_eq!(read.codes(), ["ohlc"]);
}

#[test]
fn dates_that_end_in_a_year_are_not_taken_for_ones_that_begin_with_it() {
    let codes = |rows: &str| {
        let text = format!("Symbol,Date,Timing\n{rows}");
        let read = read_with(text.as_bytes(), "earnings", SymbolFrom::Column);
        assert!(read.rejects.is_empty());
        (read.lines()[0].clone(), read.codes().contains(&"ambiguous_date_order"))
    };
    let (line, odd) = codes("A,21/11/22,AMC\nB,21/11/23,AMC\nC,20/11/24,BMO\nD,21/02/25,AMC\n");
    assert!(line.starts_with("2 A 2022-11-21 "), "{line}");
    assert!(!odd);
    assert!(!codes("A,31/12/20,AMC\nA,31/12/21,AMC\nA,31/12/22,AMC\n").1);
    assert!(codes("A,24/02/01,AMC\nA,24/05/02,AMC\nA,24/08/01,AMC\n").1);
}

#[test]
fn a_column_that_cannot_be_read_is_named_with_its_first_cell() {
    let finding = |text: &str, mapping: &str| {
        let read = read(text.as_bytes(), mapping);
        let mut found = read.summary.findings.into_iter().filter(|f| f.code == "unread_column");
        let first = found.next().map(|found| (found.line, found.count, found.text));
        assert_eq!(found.next(), None, "{text}");
        first
    };
    let words = "date,ticker,timing\n2024-01-02,A,BMO\n2024-01-03,A,\n2024-01-04,A,After Lunch\n";
    let (line, count, text) = finding(words, "earnings").unwrap();
    assert_eq!((line, count), (Some(4), 1));
    assert_eq!(
        text,
        "1 of 3 cells of `timing` cannot be used, the first of them `After Lunch` in line 4; there are BMO, \
         AMC, DMH, UNKNOWN"
    );
    let rows = |cells: &[&str]| {
        let rows = cells.iter().zip(2..).map(|(cell, day)| format!("2024-01-{day:02},7,{cell}\n"));
        format!("Date,Close,Vol\n{}", rows.collect::<String>())
    };
    let (line, count, text) = finding(&rows(&["62.30M", "", "-", "58.41M"]), "spot-ohlc").unwrap();
    assert_eq!((line, count), (Some(2), 2));
    assert_eq!(text, "2 of 2 cells of `vol` cannot be used, the first of them `62.30M` in line 2");
    assert_eq!(finding(&rows(&["5", "x", "6", "x"]), "spot-ohlc").unwrap().1, 2);
    assert_eq!(finding(&rows(&["", "x", "n/a"]), "spot-ohlc").unwrap().1, 1);
    // Single cells among others, and shares in parts, as Stooq and Interactive Brokers write them.
    for cells in [&["5", "x"][..], &["x", "5", "6", "x", "7"], &["58765470.4", "4930.5"], &["", ""]]
    {
        assert_eq!(finding(&rows(cells), "spot-ohlc"), None, "{cells:?}");
    }
    // Rows that are rejected do not count, and contracts have no parts.
    let null = "Date,HV20,HV30\n2024-01-02,20,x\n2024-01-03,20,30\n2024-01-04,,\n2024-01-05,,x\n";
    assert_eq!(finding(null, "hv-percent"), None);
    let contracts = "Date,IV30,Options Volume\n2024-01-02,20,4930.5\n";
    assert_eq!(finding(contracts, "mc-iv").unwrap().1, 1);
    // Rows that are rejected name the cell, too.
    let text = "date,close,open\n2024-01-02,x,\n";
    let told = read(text.as_bytes(), "spot-ohlc").summary.findings;
    let told = told.iter().find(|found| found.code == "invalid_close").unwrap();
    assert_eq!(told.text, "1 row rejected: line 2; the first for `x` under `close`");
    assert_eq!(told.first(), Some("`x` under `close`"));
}
