//! Every recorded body of the API, and the samples of its flat files.
//!
//! The data lives outside the repository. Without it these tests say so and pass.

use super::*;
use crate::domain::shared;
use crate::sources::{Limits, ReadSummary};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(in super::super) fn data() -> Option<PathBuf> {
    shared::path("polygon")
}

/// Every file of a folder and of the folders in it, by its path there.
fn files(base: &Path, extension: &str) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![base.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|one| one == extension) {
                found.push(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// What a file was asked as, from its folder and name.
fn asked(name: &str) -> Option<Page> {
    let (folder, file) = name.split_once('/')?;
    let symbol = file.split(['_', '.', '/']).next().unwrap();
    let mut asked = match folder {
        "aggs" => {
            let index = file.starts_with("I_");
            let mut parts = file.split('_').skip(usize::from(index));
            let symbol = parts.next().unwrap();
            let symbol = if index { format!("I:{symbol}") } else { symbol.to_owned() };
            let length = format!("{}{}", parts.next().unwrap(), parts.next().unwrap());
            let range = [parts.next().unwrap(), parts.next().unwrap()].map(|t| day(&t[..10]));
            let mut asked = page(Endpoint::Aggs, &symbol);
            asked.range = Some((range[0], range[1]));
            asked.series = match &*length {
                "1day" if index => Series::Index,
                "1day" => Series::Spot,
                _ => Series::Bars,
            };
            asked.timespan = if asked.series == Series::Bars { length } else { String::new() };
            asked
        }
        "prev" => page(Endpoint::Previous, symbol),
        "grouped" => page(Endpoint::Grouped, ""),
        "open-close" => page(Endpoint::OpenClose, symbol),
        "options-contracts" if file.contains("single") => page(Endpoint::Contract, "EVRI"),
        "options-contracts" if file.starts_with("recorded") => page(Endpoint::Contracts, ""),
        "options-contracts" => page(Endpoint::Contracts, "QQQ"),
        "options-snapshot" if file.contains("O_AAPL") => page(Endpoint::ChainContract, "AAPL"),
        "options-snapshot" if file.contains("recorded") => page(Endpoint::Chain, ""),
        "options-snapshot" => page(Endpoint::Chain, symbol),
        "snapshot" if file.starts_with("unified") => page(Endpoint::Snapshot, ""),
        "snapshot" => page(Endpoint::Indices, ""),
        "news" => page(Endpoint::News, symbol),
        "marketstatus" if file == "now.json" => page(Endpoint::MarketStatus, ""),
        "marketstatus" => page(Endpoint::Holidays, ""),
        "reference" if file.starts_with("splits") => page(Endpoint::Splits, ""),
        "reference" if file.starts_with("dividends") => page(Endpoint::Dividends, ""),
        "reference" if file.starts_with("tickers") => page(Endpoint::Tickers, ""),
        "reference" => page(Endpoint::Ticker, ""),
        _ => return None,
    };
    if let Some((_, label)) = name.split_once("_2025-11-0") {
        asked.as_of = day(&format!("2025-11-0{}", &label[..1]));
    }
    Some(asked)
}

/// The recorded bodies with what they were asked as.
pub(super) fn bodies(data: &Path) -> Vec<(String, Page, String)> {
    let names = files(data, "json").into_iter();
    names
        .filter_map(|name| {
            let asked = asked(&name)?;
            let body = std::fs::read_to_string(data.join(&name)).unwrap();
            Some((name, asked, body))
        })
        .collect()
}

/// Adds every number of a JSON value, as it is written.
fn numbers(value: &Json, into: &mut BTreeMap<String, i64>, step: i64) {
    match value {
        Json::Number(number) => *into.entry(number.to_string()).or_default() += step,
        Json::Array(list) => list.iter().for_each(|value| numbers(value, into, step)),
        Json::Object(map) => map.values().for_each(|value| numbers(value, into, step)),
        _ => {}
    }
}

/// What of the numbers of a body's items is not in the events, or the other way round.
fn lost(body: &str, rows: &Rows, rejects: &[Reject]) -> BTreeMap<String, i64> {
    let mut count = BTreeMap::new();
    let whole: Json = serde_json::from_str(body).unwrap();
    numbers(whole.get("results").unwrap_or(&whole), &mut count, 1);
    for row in rows.iter() {
        for (_, value) in row.fields() {
            match value.unwrap() {
                Value::Json(text) => numbers(&serde_json::from_str(&text).unwrap(), &mut count, -1),
                value @ (Value::Dec(_) | Value::Num(_)) => {
                    *count.entry(value.to_string()).or_default() -= 1;
                }
                _ => {}
            }
        }
    }
    for reject in rejects {
        numbers(&serde_json::from_str(&reject.raw).unwrap(), &mut count, -1);
    }
    count.retain(|_, count| *count != 0);
    count
}

#[test]
fn no_number_of_any_recorded_body_is_lost_or_changed() {
    let Some(data) = data() else { return };
    let bodies = bodies(&data);
    assert_eq!(
        bodies.len(),
        files(&data, "json").len() - files(&data.join("errors"), "json").len() - 1
    );
    let mut events = 0;
    for (name, asked, body) in &bodies {
        let envelope = envelope(asked.endpoint, body.as_bytes()).unwrap();
        assert_eq!(envelope.refusal(), None, "{name}");
        assert_eq!(envelope.astray(asked.symbol.as_ref(), true), None, "{name}");
        assert!(envelope.promised.is_none_or(|promised| promised == envelope.items), "{name}");
        let got = read(asked, body);
        let rows = got.summary.rows;
        assert_eq!(envelope.items, rows.read + rows.blank, "{name}");
        assert_eq!(got.rejected(), [""; 0], "{name}");
        assert_eq!(lost(body, &got.rows, &got.rejects), BTreeMap::new(), "{name}");
        for finding in &got.summary.findings {
            let known = match &*finding.code {
                // The vendor's mocks are partly printed examples.
                // Two recorded minutes have a low of 0.
                "zero_low" => name.contains("AAPL_1_minute") && finding.count == 2,
                "ticker_error" => name.starts_with("snapshot"),
                "future_time" => name.starts_with("news/VOO_2026"),
                "vwap_range" | "zero_volume" => name.starts_with("grouped"),
                _ => false,
            };
            assert!(known, "{name}: {finding:?}");
        }
        events += got.rows.len();
    }
    // 21,200 bars, 8,377 rows of days, 5,079 contracts, 5,232 of chains, 72 of other kinds; less
    // three tickers that failed.
    assert_eq!(events, 39_957);
}

#[test]
fn recorded_bars_lie_on_the_days_they_were_asked_for() {
    let Some(data) = data() else { return };
    let read_name = |name: &str| {
        let body = std::fs::read_to_string(data.join(name)).unwrap();
        read(&asked(name).unwrap(), &body)
    };
    let daily = read_name("aggs/AAPL_1_day_2019-01-01_2019-02-01.json");
    assert_eq!((daily.rows.len(), daily.key(0)), (21, "AAPL 2019-01-02".into()));
    assert_eq!(daily.text(0, "volume"), "3.7039737e+07");
    let index = read_name("aggs/I_NDX_1_day_2023-01-01_2023-05-10.json");
    assert_eq!(index.key(0), "I:NDX 2023-02-22");
    assert_eq!(index.text(0, "close"), "12066.27182303612");
    let minutes = read_name("aggs/AAPL_1_minute_2019-01-01_2019-02-08.json");
    assert_eq!(
        (minutes.rows.len(), minutes.key(0)),
        (18_656, "AAPL 2019-01-02 1minute 04:00".into())
    );
    assert_eq!(
        read_name("grouped/2019-02-01.json").summary.days,
        Some((day("2019-02-01"), day("2019-02-01")))
    );
    assert_eq!(read_name("prev/AAPL.json").key(0), "AAPL 2022-04-26");
    assert_eq!(read_name("open-close/AAPL_2021-04-01.json").key(0), "AAPL 2021-04-01");
    let small = read_name("options-snapshot/recorded_O_AAPL251219C00275000_small-plan.json");
    assert_eq!(small.text(0, "implied_volatility"), "0.2418337896503819");
    assert_eq!(small.text(0, "day_updated"), "1761336000000000000");
    let news = read_name("news/AAPL_2025-09-23.json");
    assert!(news.key(1).starts_with("AAPL 2025-09-22 https://"), "{}", news.key(1));
}

#[test]
fn a_recorded_chain_tells_its_session() {
    let Some(data) = data() else { return };
    let mut times = SessionTimes::default();
    let folder = data.join("options-snapshot/AAPL_2023-06-27");
    for name in files(&folder, "json") {
        let body = std::fs::read(folder.join(name)).unwrap();
        times = times.latest(session_times(&body).unwrap());
    }
    assert_eq!(times.options, Some(day("2023-06-27")));
    assert_eq!(times.underlying, Some(day("2023-06-27")));
}

#[test]
fn recorded_failures_are_told_from_answers() {
    let Some(data) = data() else { return };
    for name in files(&data.join("errors"), "json") {
        let text = std::fs::read_to_string(data.join("errors").join(&name)).unwrap();
        let wrapped: BTreeMap<&str, &serde_json::value::RawValue> =
            serde_json::from_str(&text).unwrap();
        let body = wrapped["body"].get();
        for endpoint in [Endpoint::Aggs, Endpoint::OpenClose, Endpoint::Holidays, Endpoint::Ticker]
        {
            let envelope = envelope(endpoint, body.as_bytes()).unwrap();
            assert!(envelope.text.is_some_and(|text| text.len() > 10), "{name}");
            assert_eq!(envelope.items, 0, "{name}");
        }
    }
    let page = std::fs::read(data.join("errors/502_bad_gateway.html")).unwrap();
    assert_eq!(envelope(Endpoint::Aggs, &page).unwrap_err(), "the body is HTML, not JSON");
}

fn flat(name: &str, kind: FlatKind, bytes: &[u8]) -> (ReadSummary, Rows, Vec<Reject>) {
    let page =
        FlatPage { kind, range: None, observed_ms: OBSERVED, source: 0, limits: Limits::default() };
    let (summary, rows, rejects) = collect(|out| read_flat(bytes, &page, out).unwrap());
    assert_eq!(rejects, [], "{name}");
    (summary, rows, rejects)
}

#[test]
fn samples_of_flat_files_are_read_cell_by_cell() {
    let Some(data) = data() else { return };
    let mut read_files = 0;
    for name in files(&data.join("flatfiles"), "csv") {
        let text = std::fs::read_to_string(data.join("flatfiles").join(&name)).unwrap();
        let kind = match &*name {
            _ if name.starts_with("us_indices_minute") => FlatKind::IndexMinutes,
            _ if name.starts_with("us_options_opra_day") => FlatKind::OptionDays,
            _ => FlatKind::StockMinutes,
        };
        let (summary, rows, _) = flat(&name, kind, text.as_bytes());
        if name.contains("2026-decimal") {
            // An excerpt of three columns.
            assert_eq!(summary.fatal.unwrap().code, "unknown_columns");
            continue;
        }
        assert_eq!((summary.findings, summary.fatal), (vec![], None), "{name}");
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(rows.len(), lines.len(), "{name}");
        for (row, line) in rows.iter().zip(lines) {
            let head = row.head;
            assert_eq!(&text[head.offset as usize..][..head.len as usize], line);
            let cells: Vec<String> = row.values.iter().map(|value| value.to_string()).collect();
            assert_eq!(format!("{},{}", row.symbol, cells.join(",")), line);
        }
        read_files += 1;
    }
    assert_eq!(read_files, 3);
}
