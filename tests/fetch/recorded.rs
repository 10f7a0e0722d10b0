//! Recorded answers come back from the views, every number with its digits.

use super::fake::Fake;
use super::{Bench, numbers};
use serde_json::Value;
use std::collections::BTreeMap;

/// The results of recorded bodies, in the order of pages.
fn recorded(paths: &[String]) -> Option<Vec<Value>> {
    let mut items = Vec::new();
    for path in paths {
        let path = crate::support::shared(&format!("data/polygon/{path}"))?;
        let body: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        items.extend(body["results"].as_array().unwrap().iter().cloned());
    }
    Some(items)
}

fn pages(folder: &str, count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("{folder}/page-{n:02}.json")).collect()
}

/// How often each number occurs.
fn counted(items: &[Value], except: &[&str]) -> BTreeMap<String, usize> {
    let mut all = Vec::new();
    items.iter().for_each(|item| numbers(item, except, &mut all));
    let mut counts = BTreeMap::new();
    all.into_iter().for_each(|text| *counts.entry(text).or_default() += 1);
    counts
}

/// The two multisets are equal; if not, the first differences.
#[track_caller]
fn same(shown: &BTreeMap<String, usize>, want: &BTreeMap<String, usize>) {
    assert!(!want.is_empty());
    let differ = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| {
        let odd = a.iter().filter(|(text, count)| b.get(*text) != Some(count));
        odd.take(8).map(|(text, count)| format!("{text} × {count}")).collect::<Vec<_>>()
    };
    let (lost, more) = (differ(want, shown), differ(shown, want));
    assert!(lost.is_empty() && more.is_empty(), "recorded {lost:?}, shown {more:?}");
}

/// The fields of a bar, in the view and in the answer.
const BAR: [(&str, &str); 8] = [
    ("open", "o"),
    ("high", "h"),
    ("low", "l"),
    ("close", "c"),
    ("volume", "v"),
    ("vwap", "vw"),
    ("transactions", "n"),
    ("t", "t"),
];

/// Each row has what the item at its place has, to the character.
#[track_caller]
fn bars_are_equal(rows: &[Value], items: &[&Value]) {
    assert_eq!(rows.len(), items.len());
    for (row, item) in rows.iter().zip(items) {
        for (shown, told) in BAR {
            let text = |value: &Value| (!value.is_null()).then(|| value.to_string());
            assert_eq!(text(&row[shown]), text(&item[told]), "{shown}: {row} {item}");
        }
        let known = item.as_object().unwrap().keys().filter(|name| *name != "T");
        assert!(known.into_iter().all(|name| BAR.iter().any(|(_, told)| told == name)), "{item}");
    }
}

#[test]
fn daily_bars_and_levels() {
    let Some(fake) = Fake::start(&[]) else { return };
    for (words, series, symbol, file, from, to) in [
        (
            "spot AAPL",
            "spot",
            "AAPL",
            "AAPL_1_day_2019-01-01_2019-02-01",
            "2019-01-01",
            "2019-02-01",
        ),
        (
            "spot SPY",
            "spot",
            "SPY",
            "SPY_1_day_2023-01-03_2023-07-28.rebuilt",
            "2023-01-03",
            "2023-07-28",
        ),
        (
            "index I:VIX",
            "index",
            "I:VIX",
            "I_VIX_1_day_2015-01-01_2023-12-31.rebuilt",
            "2015-01-01",
            "2023-12-29",
        ),
        (
            "index NDX",
            "index",
            "I:NDX",
            "I_NDX_1_day_2023-01-01_2023-05-10",
            "2023-01-01",
            "2023-05-10",
        ),
    ] {
        let bench = Bench::new(fake.base());
        let review = bench.confirmed(&format!("{words} --from {from} --to {to} --no-derive"));
        assert_eq!(review["rows"]["rejected"], 0, "{words}");
        let items = recorded(&[format!("aggs/{file}.json")]).unwrap();
        bars_are_equal(&bench.rows(series, symbol), &items.iter().collect::<Vec<_>>());
        let dates: Vec<Value> =
            bench.rows(series, symbol).iter().map(|r| r["date"].clone()).collect();
        let days = super::sessions(from, to);
        for date in &dates {
            let day = date.as_str().unwrap().parse().unwrap();
            // Cboe's history of the VIX has levels of holidays too.
            assert!(symbol == "I:VIX" || days.contains(&day), "{symbol}: {date} is no session");
        }
        bench.verifies();
    }
}

#[test]
fn minute_bars() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    let review = bench.confirmed("bars AAPL --from 2019-01-01 --to 2019-02-08");
    let items = recorded(&["aggs/AAPL_1_minute_2019-01-01_2019-02-08.json".to_owned()]).unwrap();
    assert_eq!((items.len(), &review["rows"]["rejected"]), (18_656, &0.into()));
    // Two recorded minutes have a low of 0: kept as the service gave them, and told.
    let finding = review["findings"].as_array().unwrap();
    let low = finding.iter().find(|finding| finding["code"] == "zero_low").unwrap();
    assert_eq!(low["count"], 2);
    let view = bench.run("view bars AAPL --json").exits(0).out;
    let view: Value = serde_json::from_str(&view).unwrap();
    bars_are_equal(view["rows"].as_array().unwrap(), &items.iter().collect::<Vec<_>>());
    bench.verifies();
}

#[test]
fn chains() {
    for (symbol, now, clock, folder, count, day) in [
        (
            "AAPL",
            "2023-06-27T15:00:00-04:00",
            "2023-06-27T19:05:00Z",
            "AAPL_2023-06-27",
            8,
            "2023-06-27",
        ),
        (
            "QQQ",
            "2025-11-09T12:00:00-05:00",
            "2025-11-09T17:05:00Z",
            "QQQ_2025-11-09",
            10,
            "2025-11-07",
        ),
        (
            "META",
            "2025-11-09T12:00:00-05:00",
            "2025-11-09T17:05:00Z",
            "META_2025-11-09",
            5,
            "2025-11-07",
        ),
    ] {
        let Some(fake) = Fake::start(&["--now", now]) else { return };
        let mut bench = Bench::new(fake.base());
        bench.now = clock.to_owned();
        bench.fetch(&format!("chain {symbol} --yes --no-derive -q")).exits(0);
        let view = bench.run(&format!("view chain {symbol} --json")).exits(0).out;
        let view: Value = serde_json::from_str(&view).unwrap();
        let rows = view["rows"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["date"] == day), "{symbol}: {}", rows[0]);
        let items = recorded(&pages(&format!("options-snapshot/{folder}"), count)).unwrap();
        assert_eq!(rows.len(), items.len());
        same(&counted(rows, &[]), &counted(&items, &[]));
        // And each at its contract.
        let by_name = |name: &str, at: &dyn Fn(&Value) -> &Value, all: &[Value]| {
            let pair = |one: &Value| (at(one)[name].to_string(), one.clone());
            all.iter().map(pair).collect::<BTreeMap<String, Value>>()
        };
        let told = by_name("ticker", &|one| &one["details"], &items);
        let shown = by_name("contract", &|one| one, rows);
        for (ticker, item) in &told {
            let one = std::slice::from_ref(item);
            same(&counted(std::slice::from_ref(&shown[ticker]), &[]), &counted(one, &[]));
            let iv = shown[ticker]["implied_volatility"].as_str().map(str::to_owned);
            assert_eq!(iv, None, "a number, not a text");
        }
        bench.verifies();
    }
}

#[test]
fn contracts_of_a_day_in_the_past() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    bench.fetch("contracts QQQ --date 2025-05-15 --yes -q").exits(0);
    let view = bench.run("view contracts QQQ --json").exits(0).out;
    let view: Value = serde_json::from_str(&view).unwrap();
    let rows = view["rows"].as_array().unwrap();
    let items = recorded(&pages("options-contracts/QQQ_as_of_2025-05-15", 6)).unwrap();
    let shown: BTreeMap<String, &Value> =
        rows.iter().map(|row| (row["contract"].to_string(), row)).collect();
    assert_eq!(shown.len(), rows.len(), "each contract once");
    for item in &items {
        let row = shown.get(&item["ticker"].to_string()).unwrap_or_else(|| panic!("{item}"));
        assert_eq!(row["date"], "2025-05-15");
        let one = std::slice::from_ref(item);
        same(&counted(std::slice::from_ref(row), &[]), &counted(one, &[]));
    }
    assert_eq!(items.len(), 5058);
    bench.verifies();
}

/// The rest of the endpoints: what the fake answers is what the views show.
#[test]
fn every_number_of_other_answers() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    for (words, series, symbols) in [
        ("splits AAPL", "splits", "AAPL"),
        ("quotes AAPL I:VIX O:AAPL251219C00200000", "quotes", ""),
        ("bars SPY --timespan 1hour --from 2023-07-26 --to 2023-07-28", "bars", "SPY"),
    ] {
        let plan = bench.fetch(&format!("{words} --dry-run --json")).exits(0).json();
        let targets = plan["plan"]["targets"].as_array().unwrap();
        let items = targets.iter().flat_map(|target| fake.items(target.as_str().unwrap()));
        let items: Vec<Value> = items.collect();
        bench.confirmed(words);
        let view = bench.run(&format!("view {series} {symbols} --json")).exits(0).out;
        let view: Value = serde_json::from_str(&view).unwrap();
        let views = view["views"].as_array().cloned().unwrap_or_else(|| vec![view.clone()]);
        let rows: Vec<Value> =
            views.iter().flat_map(|one| one["rows"].as_array().unwrap().clone()).collect();
        same(&counted(&rows, &[]), &counted(&items, &[]));
    }
}

/// Recorded bodies that the fake does not serve, served by us.
#[test]
fn recorded_bodies_of_the_reference_endpoints() {
    use super::responder::{Responder, ok};
    for (words, series, symbol, file) in [
        ("dividends CSSEN", "dividends", "", "reference/dividends.json"),
        ("splits SHOP", "splits", "", "reference/splits.json"),
        ("tickers AAPL", "tickers", "AAPL", "reference/ticker_AAPL.json"),
        ("news AAPL --days 90", "news", "", "news/AAPL_2025-09-23.json"),
        ("quotes AAPL", "quotes", "", "snapshot/unified.json"),
    ] {
        let Some(path) = crate::support::shared(&format!("data/polygon/{file}")) else { return };
        let text = std::fs::read_to_string(path).unwrap();
        let mut body: Value = serde_json::from_str(&text).unwrap();
        if matches!(series, "dividends" | "splits") {
            // Recorded of all symbols; asked about one, the service gives those of one.
            let of = words.rsplit(' ').next();
            let results = body["results"].as_array_mut().unwrap();
            results.retain(|item| item["ticker"].as_str() == of);
            assert!(!results.is_empty(), "{words}");
        }
        body.as_object_mut().unwrap().remove("next_url");
        let last = body.to_string();
        let service = Responder::new(move |_, _| ok(&last));
        let bench = Bench::new(service.base());
        bench.confirmed(words);
        let view = bench.run(&format!("view {series} {symbol} --json")).exits(0).out;
        let view: Value = serde_json::from_str(&view).unwrap();
        let views = view["views"].as_array().cloned().unwrap_or_else(|| vec![view.clone()]);
        let rows: Vec<Value> =
            views.iter().flat_map(|one| one["rows"].as_array().unwrap().clone()).collect();
        let want = counted(std::slice::from_ref(&body["results"]), &[]);
        if want.is_empty() {
            assert!(!rows.is_empty(), "{words}");
        } else {
            same(&counted(&rows, &[]), &want);
        }
        bench.verifies();
    }
}
