//! Flat files and tables of option chains, through the built program.

use crate::program::{Desk, sample};
use crate::support::shared;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

const HEADER: &str = "ticker,volume,open,close,high,low,window_start,transactions\n";
/// Midnight in New York of 2025-04-16, and the opening minute, in nanoseconds.
const MIDNIGHT: &str = "1744776000000000000";
const OPENING: &str = "1744810200000000000";

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn put(desk: &Desk, name: &str, bytes: &[u8]) -> String {
    let path = desk.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

fn position(desk: &Desk) -> u64 {
    desk.run("status --json").json()["position"].as_u64().unwrap()
}

/// The codes of a review's findings.
fn codes(review: &Value) -> Vec<String> {
    let findings = review["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn file(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn the_sample_flat_files_come_in_to_the_digit() {
    let Some(folder) = shared("data/polygon/flatfiles") else { return };
    let path = |name: &str| file(&folder.join(name));
    let desk = Desk::with_ledger();
    for (name, symbol, rows) in [
        ("us_indices_minute_aggs_v1.sample.csv", "I:AAVE100", 3),
        ("us_stocks_sip_minute_aggs_v1.sample.csv", "AAPL", 2),
        ("us_options_opra_day_aggs_v1.sample.csv", "O:SPY230327P00390000", 1),
    ] {
        let text = std::fs::read_to_string(path(name)).unwrap();
        desk.run(&format!("import bars {} --yes", path(name))).exits(0);
        let view = desk.run(&format!("view bars {symbol} --json")).json();
        let shown = view["rows"].as_array().unwrap();
        assert_eq!(shown.len(), rows);
        let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let own = text.lines().filter(|line| line.split(',').next() == Some(symbol));
        for (line, row) in own.zip(shown) {
            for (name, cell) in names.iter().zip(line.split(',')).skip(1) {
                assert_eq!(row[name].to_string(), cell, "{row}");
            }
        }
    }
    // The volume with decimals is a column of a whole file; three columns of it are no bars.
    let cut = path("us_stocks_sip_minute_aggs_v1.2026-decimal.sample.csv");
    let refused = desk.run(&format!("import bars {cut} --yes")).exits(1);
    assert!(refused.err.contains("unknown_layout"), "{}", refused.err);
    assert_eq!(position(&desk), 6);
    // The same day of options as chains.
    let days = path("us_options_opra_day_aggs_v1.sample.csv");
    desk.run(&format!("import chain {days} --yes")).exits(0);
    let row = desk.run("view chain SPY --json").json()["rows"][0].clone();
    assert_eq!(
        (&row["date"], &row["contract"]),
        (&"2023-03-13".into(), &"O:SPY230327P00390000".into())
    );
    for (name, want) in
        [("open", "11.82"), ("close", "9.83"), ("volume", "200"), ("transactions", "62")]
    {
        assert_eq!(row[name].to_string(), want, "{row}");
    }
    assert!(row.get("strike_price").is_none_or(Value::is_null), "{row}");
}

#[test]
fn what_a_file_holds_is_told_by_its_content() {
    let row = |ticker: &str, at: &str| format!("{ticker},10.50,1.10,2,3,1,{at},4\n");
    let index =
        |at: &str| format!("ticker,open,close,high,low,window_start\nI:VIX,1.10,2,3,1,{at}\n");
    let all = |ticker: &str, at: &str| format!("{HEADER}{}", row(ticker, at));
    let option = "O:SPY250417P00390000";
    for (text, words, view) in [
        (all("BRK.B", MIDNIGHT), "daily bars of stocks", "spot BRK.B"),
        (all("BRK.B", OPENING), "minute bars of stocks", "bars BRK.B"),
        (all(option, MIDNIGHT), "daily bars of option contracts", "bars O:SPY250417P00390000"),
        (all(option, OPENING), "minute bars of option contracts", "bars O:SPY250417P00390000"),
        (index(MIDNIGHT), "daily bars of indices", "index I:VIX"),
        (index(OPENING), "minute bars of indices", "bars I:VIX"),
    ] {
        for packed in [false, true] {
            let desk = Desk::with_ledger();
            let bytes = if packed { gzip(&text) } else { text.clone().into_bytes() };
            // The name says nothing, and nothing is read from it.
            let path = put(&desk, "day.dat", &bytes);
            let review = desk.run(&format!("import bars {path} --yes --json")).exits(0).json();
            let taken = review["findings"][0]["text"].as_str().unwrap().to_owned();
            assert!(taken.contains(words), "{taken}");
            let shown = desk.run(&format!("view {view} --json")).json();
            assert_eq!(shown["rows"][0]["open"].to_string(), "1.10", "{view}");
            // Places count in the unpacked text; the file is kept as it came.
            let event = desk.run("show b1/1 --json").json();
            assert_eq!(event["raw"].as_str(), text.lines().nth(1), "{event}");
            assert_eq!(event["line"], 2);
        }
    }
}

/// Cboe's own files: VIX as a bar, VVIX with one column that has its name.
#[test]
fn levels_of_a_csv_and_of_the_service_are_the_same_cells() {
    let desk = Desk::with_ledger();
    let flat = format!("ticker,open,close,high,low,window_start\nI:VIX,1.10,2,3,1,{MIDNIGHT}\n");
    let flat = put(&desk, "day.csv", flat.as_bytes());
    desk.run(&format!("import bars {flat} --yes")).exits(0);
    let day = desk.run("view index I:VIX --json").exits(0).json()["rows"][0]["date"].clone();
    let day = day.as_str().unwrap();
    let american = format!("{}/{}/{}", &day[5..7], &day[8..], &day[..4]);
    let vix = format!("DATE,OPEN,HIGH,LOW,CLOSE\n04/14/2025,1,3,1,2.5\n{american},1.10,3,1,2.75\n");
    let vix = put(&desk, "VIX_History.csv", vix.as_bytes());
    // A stock of that name has prices elsewhere.
    for words in ["-s VIX", "-s ^vix", "-s I:VIX", "--symbol-from name"] {
        let line = format!("import index {vix} {words} --dry-run --json");
        let review = desk.run(&line).exits(0).json();
        let part = &review["series"][0];
        assert_eq!(
            (&part["series"], &part["symbol"]),
            (&"index".into(), &"I:VIX".into()),
            "{words}"
        );
        assert_eq!((&part["new"], &part["changed"]), (&1.into(), &1.into()), "{words}");
    }
    let ran = desk.run(&format!("check {vix} --series index")).exits(0);
    assert!(ran.err.contains(&format!("`volledger import index {vix} -s VIX`")), "{}", ran.err);
    desk.run(&format!("import index {vix} -s VIX --yes")).exits(0);
    let rows = desk.run("view index I:VIX --json").exits(0).json()["rows"].clone();
    let shown: Vec<String> =
        rows.as_array().unwrap().iter().map(|row| row["close"].to_string()).collect();
    assert_eq!(shown, ["2.5", "2.75"]);
    desk.run("chart index I:VIX").exits(0);
    let ran = desk.run("view index VIX").exits(1);
    assert!(ran.err.contains("the names of indices are as I:VIX"), "{}", ran.err);

    let vvix = put(&desk, "VVIX_History.csv", b"DATE,VVIX\n03/14/2006,71.73\n03/15/2006,70.97\n");
    let hint = desk.run(&format!("import spot {vvix} -s VVIX")).exits(1).err;
    assert!(hint.contains("it has what `volledger import index` needs"), "{hint}");
    // A column with another index's name is not taken for it.
    desk.run(&format!("import index {vvix} -s VIX")).exits(1);
    desk.run(&format!("import index {vvix} --symbol-from name --yes")).exits(0);
    let shown = desk.run("view index I:VVIX --json").exits(0).json();
    assert_eq!(shown["rows"][0]["close"].to_string(), "71.73");
    let named = put(&desk, "named.csv", b"Date,Symbol,Close\n2024-01-02,^VIX,13.2\n");
    desk.run(&format!("import index {named} -s VIX --yes")).exits(0);
    let ran = desk.run(&format!("import index {named} --symbol-from column")).exits(2);
    assert!(ran.err.contains("name it with `-s SYMBOL`"), "{}", ran.err);
    // The highest level is below another one.
    let odd = put(&desk, "odd.csv", b"Date,Open,High,Low,Close\n2024-01-03,13,12,11,12\n");
    desk.run(&format!("import index {odd} -s VIX --yes")).exits(11);
    // What the ledger has read is read again by its own mapping.
    desk.run("batch replay b3 --stage-only").exits(0);
}

#[test]
fn rows_that_do_not_belong_are_rejected_each_with_its_place() {
    let desk = Desk::with_ledger();
    let text = format!(
        "{HEADER}A,1,1,1,1,1,{MIDNIGHT},1\nB,1,1,1,1,1,{MIDNIGHT},1\n\
         O:SPY250417P00390000,1,1,1,1,1,{MIDNIGHT},1\nC,1,1,1,1,1,{OPENING},1\n"
    );
    let path = put(&desk, "day.csv.gz", &gzip(&text));
    let ran = desk.run(&format!("import bars {path} --yes --json")).exits(11).json();
    let mut found = codes(&ran);
    found.sort();
    assert_eq!(found, ["not_midnight", "other_market", "taken_for"]);
    assert_eq!(
        (ran["rows"]["accepted"].as_u64(), ran["rows"]["rejected"].as_u64()),
        (Some(3), Some(1))
    );
}

#[test]
fn a_cut_stream_is_an_error_and_leaves_nothing() {
    let desk = Desk::with_ledger();
    let rows: String = (0..200_000).map(|n| format!("T{n},{n},1,1,1,1,{MIDNIGHT},1\n")).collect();
    let packed = gzip(&format!("{HEADER}{rows}"));
    for (name, bytes) in [
        ("half.csv.gz", &packed[..packed.len() / 2]),
        ("tail.csv.gz", &packed[..packed.len() - 4]),
        ("head.csv.gz", &packed[..2]),
    ] {
        let path = put(&desk, name, bytes);
        let ran = desk.run(&format!("import bars {path} --yes"));
        assert!(ran.exit != 0 && ran.err.contains("cannot read"), "{name}: {ran:?}");
        assert_eq!(position(&desk), 0, "{name}");
    }
    desk.run("verify").exits(0);
}

#[test]
fn the_same_content_counts_once_and_decisions_are_those_of_other_imports() {
    let desk = Desk::with_ledger();
    let path = put(&desk, "a.csv.gz", &gzip(&format!("{HEADER}A,1,1,5.10,6,1,{MIDNIGHT},1\n")));
    desk.run(&format!("import bars {path} --dry-run")).exits(0);
    assert_eq!(position(&desk), 0);
    desk.run(&format!("import bars {path}")).exits(12);
    desk.run(&format!("import bars {path} --yes")).exits(0);
    // Under another name it is the same file.
    std::fs::copy(&path, desk.path().join("b.csv.gz")).unwrap();
    let known = desk.run("import bars b.csv.gz --yes").exits(0);
    assert!(known.out.contains("already confirmed as b1"), "{}", known.out);
    let other = put(&desk, "c.csv", format!("{HEADER}A,1,1,5.20,6,1,{MIDNIGHT},1\n").as_bytes());
    let close = || desk.run("view spot A --json").json()["rows"][0]["close"].to_string();
    desk.run(&format!("import bars {other} --overlap keep --yes")).exits(0);
    assert_eq!(close(), "5.10");
    desk.words(&["batch", "rollback", "b1", "--reason", "late"]).exits(0);
    assert_eq!(close(), "5.20");
    desk.run(&format!("import bars {path} --yes")).exits(23);
    desk.words(&["import", "bars", &path, "--yes", "--again", "--reason", "right after all"])
        .exits(0);
    assert_eq!(close(), "5.10");
    desk.run("verify").exits(0);
}

#[test]
fn what_has_one_reading_is_not_replayed() {
    let desk = Desk::with_ledger();
    let path = put(&desk, "a.csv", format!("{HEADER}A,1,1,5,6,1,{MIDNIGHT},1\n").as_bytes());
    desk.run(&format!("import bars {path} --yes")).exits(0);
    let chain = put(&desk, "chain.csv", CHAIN.as_bytes());
    desk.run(&format!("import chain {chain} --date 2025-04-16 --yes")).exits(0);
    desk.run(&format!("import spot {} -s VOLA --yes", sample("spot/VOLA.csv"))).exits(0);
    desk.run("derive hv VOLA --yes").exits(0);
    let before = position(&desk);
    for (batch, words) in [("b1", "flat files"), ("b2", "option chains"), ("b4", "computed")] {
        for mapping in ["", "--mapping mc-iv"] {
            let ran = desk.run(&format!("batch replay {batch} {mapping}")).exits(2);
            assert!(ran.err.contains(words), "{}", ran.err);
        }
    }
    assert_eq!(position(&desk), before);
    for id in
        ["polygon", "polygon-flat", "polygon-chain-csv", "derive-hv", "derive-iv", "tomic-json"]
    {
        assert!(volledger::app::import::sole_reading(id).is_some(), "{id}");
    }
    assert!(volledger::app::import::sole_reading("mc-iv").is_none());
}

const CHAIN: &str = "\
ticker,underlying,expiration,dte,strike,type,iv,open_interest,bid,ask,bid_size,ask_size,volume,rho\n\
O:XYZ250516C00100000,XYZ,2025-05-16,30,100.0,C,,10,1.10,1.20,5,6,7,0.5\n\
O:XYZ250516P00100000,XYZ,2025-05-16,30,100.0,P,0.310,20,2.10,2.2000,5,6,,1e-05\n";

#[test]
fn a_chain_of_another_stock_or_in_percent_waits_for_a_person() {
    let desk = Desk::with_ledger();
    let rows = "ticker,bid,ask,strike_price,implied_volatility\n";
    for (name, symbol, text, code) in [
        ("other.csv", "MSFT", "O:AAPL250620C00100000,1,2,100,0.2\n", "other_symbols"),
        ("percent.csv", "AAPL", "O:AAPL250620C00100000,1,2,100,21.5\n", "suspect_scale"),
        ("sign.csv", "AAPL", "O:AAPL250620C00100000,1,2,100,21.5%\n", "suspect_scale"),
    ] {
        let path = put(&desk, name, format!("{rows}{text}").as_bytes());
        let import = format!("import chain {path} -s {symbol} --date 2025-04-16 --yes --json");
        let review = desk.run(&import).exits(11).json();
        assert!(codes(&review).contains(&code.to_owned()), "{name}: {review}");
    }
    let none = "underlying,ticker,bid,ask,strike_price\nN/A,O:AAPL250620C00100000,1,2,100\n";
    let path = put(&desk, "none.csv", none.as_bytes());
    let review = desk.run(&format!("import chain {path} --date 2025-04-16 --yes --json")).exits(11);
    assert!(codes(&review.json()).contains(&"missing_key".to_owned()));
    desk.run(&format!("import chain {path} -s AAPL --date 2025-04-16 --yes")).exits(0);
}

/// Another vendor's identifiers say nothing about strikes, which may be multiplied by 1,000.
#[test]
fn a_chain_whose_tickers_are_no_contracts_waits_for_a_person() {
    let desk = Desk::with_ledger();
    let names = "ticker,strike_price,bid,ask\n";
    for (name, rows, exit) in [
        ("words.csv", "AAPL Jan 19 2024 185 Call,185000,1,2\n", 11),
        ("stock.csv", "AAPL,180000,1,2\nAAPL,185000,1,2\nAAPL,190000,1,2\n", 11),
        ("half.csv", "O:AAPL240119C00185000,185,1,2\nAAPL,185000,1,2\n", 11),
        ("one.csv", "O:AAPL240119C00185000,185,1,2\nO:AAPL240119C00190000,190,1,2\nX,190,1,2\n", 0),
    ] {
        let path = put(&desk, name, format!("{names}{rows}").as_bytes());
        let words = format!("{path} -s AAPL --date 2024-01-05");
        let ran = desk.run(&format!("import chain {words} --yes --json")).exits(exit);
        let review = ran.json();
        let told = codes(&review).contains(&"no_contracts".to_owned());
        assert_eq!(told, exit == 11, "{name}: {review}");
        if told {
            assert!(ran.err.contains("tickers are not those of option contracts"), "{}", ran.err);
            assert!(ran.err.contains("first AAPL"), "{}", ran.err);
            desk.run(&format!("check {words}")).exits(11);
        }
    }
}

#[test]
fn names_of_a_chain_s_columns_are_the_same_with_and_without_underscores() {
    let desk = Desk::with_ledger();
    let text = "contractSymbol,lastPrice,bid,ask,openInterest,impliedVolatility,inTheMoney\n\
                AAPL240119C00185000,1.62,1.61,1.63,61234,0.2023,False\n";
    let path = put(&desk, "yahoo.csv", text.as_bytes());
    desk.run(&format!("import chain {path} -s AAPL --date 2024-01-05 --yes")).exits(0);
    let view = desk.run("view chain AAPL --json").exits(0).json();
    let row = &view["rows"][0];
    for (name, want) in [
        ("implied_volatility", "0.2023"),
        ("open_interest", "61234"),
        ("last_price", "1.62"),
        ("inthemoney", "\"False\""),
    ] {
        assert_eq!(row[name].to_string(), want, "{row}");
    }
}

#[test]
fn a_file_that_is_no_chain_is_told_what_one_has() {
    let desk = Desk::with_ledger();
    let import = |name: &str, text: &str| {
        let path = put(&desk, name, text.as_bytes());
        desk.run(&format!("import chain {path} -s AAPL --date 2024-01-05")).exits(1).err
    };
    let said = import("other.csv", "optionid,best_bid\n1,2\n");
    for words in ["contract_symbol", "implied_volatility", "first line has optionid, best_bid"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.contains("`volledger import chain --help` name the columns"), "{said}");
    let said = import("semi.csv", "\"ticker\";strike;bid\nO:AAPL240119C00185000;185;1\n");
    assert!(said.contains("between semicolons, and only commas are read here"), "{said}");
}

#[test]
fn a_table_of_a_chain_is_read_by_its_columns() {
    let desk = Desk::with_ledger();
    let path = put(&desk, "chain.csv.gz", &gzip(CHAIN));
    // Which session it is of must be said.
    let ran = desk.run(&format!("import chain {path} --yes")).exits(1);
    assert!(ran.err.contains("--date"), "{}", ran.err);
    desk.run(&format!("import bars {path} --yes")).exits(2);
    let review = desk.run(&format!("import chain {path} --date 2025-04-16 --yes --json")).exits(0);
    assert!(!codes(&review.json()).contains(&"dte_mismatch".to_owned()), "{}", review.out);
    let view = desk.run("view chain XYZ --json").json();
    let [call, put_] = [&view["rows"][0], &view["rows"][1]];
    assert_eq!(call["contract_type"], "call");
    assert!(call.get("implied_volatility").is_none_or(Value::is_null), "{call}");
    for (name, want) in [
        ("implied_volatility", "0.310"),
        ("ask", "2.2000"),
        ("rho", "1e-05"),
        ("strike_price", "100.0"),
    ] {
        assert_eq!(put_[name].to_string(), want, "{put_}");
    }
    // Another day than the one that `dte` counts from.
    let review =
        desk.run(&format!("import chain {path} --date 2025-04-17 --dry-run --json")).json();
    let found = codes(&review);
    assert!(found.contains(&"dte_mismatch".to_owned()), "{found:?}");
    // After the expiry there are no quotes; another symbol is another file.
    let late = desk.run(&format!("import chain {path} --date 2025-06-02 --dry-run --json")).json();
    assert_eq!(late["rows"]["rejected"], 2);
    let other =
        desk.run(&format!("import chain {path} -s ABC --date 2025-04-16 --dry-run --json")).json();
    assert!(codes(&other).contains(&"other_symbol".to_owned()), "{other}");
    desk.run(&format!("check {path} --date 2025-04-16")).exits(0);
    desk.run(&format!("check {path}")).exits(1);
}

#[test]
fn the_same_quotes_under_another_date_stay_staged() {
    let desk = Desk::with_ledger();
    let path = put(&desk, "chain.csv", CHAIN.as_bytes());
    let import = |path: &str, date: &str| {
        desk.run(&format!("import chain {path} --date {date} --yes --json"))
    };
    import(&path, "2025-04-16").exits(0);
    let ran = import(&path, "2025-04-15").exits(11);
    let review = ran.json();
    assert_eq!(review["state"], "staged");
    let found = review["findings"].as_array().unwrap();
    let same = found.iter().find(|finding| finding["code"] == "same_quotes_other_date").unwrap();
    assert!(same["text"].as_str().unwrap().contains("under 2025-04-16"), "{same}");
    // A new session has other quotes.
    let next = put(&desk, "next.csv", CHAIN.replace("1.10,1.20", "1.05,1.20").as_bytes());
    import(&next, "2025-04-17").exits(0);
    // What was taken back does not count.
    desk.words(&["batch", "rollback", "b1", "--reason", "wrong date"]).exits(0);
    let review =
        desk.run(&format!("import chain {path} --date 2025-04-14 --dry-run --json")).json();
    assert!(!codes(&review).contains(&"same_quotes_other_date".to_owned()), "{review}");
    // Two dates in one file.
    let lines = |date: &str| {
        let rows = CHAIN.lines().skip(1);
        rows.map(|line| format!("{line},{date}\n")).collect::<String>()
    };
    let header = CHAIN.lines().next().unwrap();
    let both = format!("{header},date\n{}{}", lines("2025-03-03"), lines("2025-03-04"));
    let both = put(&desk, "both.csv", both.as_bytes());
    let review = desk.run(&format!("import chain {both} --dry-run --json")).json();
    assert!(codes(&review).contains(&"same_quotes_other_date".to_owned()), "{review}");
}

/// A CSV without quoted commas inside brackets torn apart: only the cells of `[...]` are quoted.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

/// What the columns of the collected tables are called in the view.
fn field_of(column: &str) -> &str {
    match column {
        "underlying" => "underlying_ticker",
        "expiration" => "expiration_date",
        "strike" => "strike_price",
        "type" => "contract_type",
        "iv" => "implied_volatility",
        "mid" => "midpoint",
        "break_even" => "break_even_price",
        "quote_last_updated" => "quote_updated",
        "price" => "last_price",
        "size" => "last_size",
        "exchange" => "last_exchange",
        "conditions" => "last_conditions",
        "last_updated" => "day_updated",
        "sip_timestamp" => "last_updated",
        "underlying_last_updated" => "underlying_updated",
        "day_change" => "change",
        "day_change_percent" => "change_percent",
        other => other.strip_prefix("day_").unwrap_or(other),
    }
}

#[test]
fn every_number_of_the_collected_tables_comes_back_to_the_digit() {
    let Some(folder) = shared("data/polygon/csv") else { return };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    let (mut numbers, mut seen) = (0, 0);
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let symbol = name.split('_').next().unwrap();
        let date = if name.contains("with_iv") { "2023-06-27" } else { "2025-11-07" };
        let desk = Desk::with_ledger();
        let ran = desk.run(&format!("import chain {} --date {date} --yes --json", file(&path)));
        assert_eq!(ran.exit, 0, "{name}: {}", ran.err);
        assert_eq!(codes(&ran.json()).contains(&"dte_mismatch".into()), name.contains("greeks"));
        let view: Value =
            serde_json::from_str(&desk.run(&format!("view chain {symbol} --json")).out).unwrap();
        let rows: BTreeMap<String, Value> = view["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["contract"].as_str().unwrap().to_owned(), row.clone()))
            .collect();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let header = cells(lines.next().unwrap());
        let key = header.iter().position(|h| h == "ticker" || h == "option_symbol").unwrap();
        for line in lines {
            let cells = cells(line);
            let row = &rows[&cells[key]];
            for (column, cell) in header.iter().zip(&cells) {
                let shown = &row[field_of(column)];
                if *column == header[key] {
                    continue;
                } else if cell.is_empty() {
                    assert!(shown.is_null(), "{name} {column}: {shown}");
                } else if column == "type" {
                    assert_eq!(shown, if cell == "C" { "call" } else { "put" });
                } else {
                    let text = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
                    let spaceless = |text: &str| text.replace(' ', "");
                    assert_eq!(spaceless(&text), spaceless(cell), "{name} {column}");
                    numbers += 1;
                }
            }
        }
        seen += 1;
    }
    assert!(seen == 17 && numbers > 250_000, "{seen} {numbers}");
}

#[test]
fn mislabelled_tables_are_noticed() {
    let Some(folder) = shared("data/polygon/csv") else { return };
    let desk = Desk::with_ledger();
    let real = file(&folder.join("QQQ_chain_run-2025-11-09.csv"));
    desk.run(&format!("import chain {real} --date 2025-11-07 --yes")).exits(0);
    for date in ["2025-10-15", "2025-10-22"] {
        let wrong = file(&folder.join(format!("mislabelled/QQQ_labelled-{date}.csv")));
        let ran = desk.run(&format!("import chain {wrong} --date {date} --yes --json")).exits(11);
        let review = ran.json();
        assert_eq!(review["state"], "staged");
        assert!(codes(&review).contains(&"same_quotes_other_date".to_owned()), "{review}");
        // Its days to expiry are counted from the false date, so they tell nothing.
        assert!(!codes(&review).contains(&"dte_mismatch".to_owned()), "{review}");
        assert!(ran.err.contains("2025-11-07"), "{}", ran.err);
    }
    // Under its own date the second capture is no surprise.
    let again = file(&folder.join("QQQ_chain_run-2025-11-10.csv"));
    desk.run(&format!("import chain {again} --date 2025-11-07 --yes")).exits(0);
}
