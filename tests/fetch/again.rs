//! The same command again: nothing new, unless the vendor's data changed.

use super::Bench;
use super::fake::Fake;
use super::responder::{Responder, ok, whole};
use super::{bars_body, range_of, sessions};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ALL: &[&str] = &[
    "spot AAPL MSFT --years 1",
    "bars SPY --timespan 5minute --days 5",
    "index I:VIX --days 60",
    "chain AAPL",
    "chain QQQ --expiry 2025-12-19",
    "contracts AAPL --date 2025-11-12",
    "news AAPL --days 30",
    "splits AAPL NVDA",
    "calendar",
    "quotes AAPL I:VIX",
];

#[test]
fn the_same_command_twice_adds_nothing() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    for words in ALL {
        let review = bench.confirmed(words);
        assert!(review["batch"].is_string(), "{words}: {review}");
        let before = bench.size();
        bench.confirmed(words);
        assert_eq!(bench.size(), before, "{words}");
        let requests = fake.requests();
        let review = bench.confirmed(&format!("{words} --refresh"));
        assert!(fake.requests() > requests, "{words}: --refresh asked nothing");
        assert_eq!(bench.size(), before, "{words} --refresh: {review}");
        assert_eq!(review["batch"], Value::Null, "{words}");
        let outcomes = review["fetch"]["outcomes"].as_array().unwrap();
        assert!(!outcomes.is_empty(), "{words}");
        assert!(outcomes.iter().all(|one| one["unchanged"] == true), "{words}: {review}");
    }
    bench.verifies();
}

#[test]
fn a_later_run_of_the_same_day_adds_nothing_either() {
    let Some(fake) = Fake::start(&["--now", "2025-11-14T18:00:00-05:00"]) else { return };
    let mut bench = Bench::new(fake.base());
    bench.now = "2025-11-14T23:00:00Z".to_owned();
    for words in ["spot AAPL --days 30", "chain AAPL", "news AAPL --days 9", "index I:VIX --days 9"]
    {
        bench.confirmed(words);
    }
    let before = bench.size();
    bench.now = "2025-11-15T01:30:00Z".to_owned();
    for words in ["spot AAPL --days 30", "chain AAPL", "news AAPL --days 9", "index I:VIX --days 9"]
    {
        bench.confirmed(words);
        assert_eq!(bench.size(), before, "{words}");
    }
}

/// A chain item whose volatility and greeks have other late digits at each call.
fn chain_body(call: usize, bid: &str) -> String {
    let item = |contract: &str, strike: u32| {
        format!(
            r#"{{"day":{{}},"details":{{"contract_type":"call","exercise_style":"american",
            "expiration_date":"2025-12-19","shares_per_contract":100,"strike_price":{strike},
            "ticker":"{contract}"}},"greeks":{{"delta":0.51{call}7,"gamma":0.02{call}1,
            "theta":-0.11{call}3,"vega":0.2{call}}},"implied_volatility":0.24{call}8,
            "last_quote":{{"ask":5.2,"bid":{bid},"last_updated":1763154000123456789}},
            "open_interest":17,"underlying_asset":{{"price":205.06,"ticker":"VOLA",
            "last_updated":1763154000000000000}}}}"#
        )
    };
    let items = [item("O:VOLA251219C00200000", 200), item("O:VOLA251219C00210000", 210)].join(",");
    format!(r#"{{"results":[{items}],"status":"OK","request_id":"call-{call}"}}"#)
}

#[test]
fn greeks_computed_anew_are_no_change_and_a_quote_is() {
    let service =
        Responder::new(|_, call| ok(chain_body(call, if call < 3 { "5.1" } else { "5" })));
    let bench = Bench::new(service.base());
    bench.confirmed("chain VOLA --no-derive");
    let before = bench.size();
    for _ in 0..2 {
        bench.confirmed("chain VOLA --refresh --no-derive");
        assert_eq!(bench.size(), before);
    }
    // Another bid is another fact: both are kept, and the diff shows it.
    let review = bench.confirmed("chain VOLA --refresh --no-derive --full");
    assert_eq!(service.asked().len(), 4);
    assert!(bench.size().0 > before.0);
    let changes = review["changes"].as_array().unwrap();
    let bid = changes.iter().find(|one| one["field"] == "bid").unwrap();
    assert_eq!((bid["old"].to_string(), bid["new"].to_string()), ("5.1".into(), "5".into()));
    bench.verifies();
}

#[test]
fn a_bar_that_the_vendor_restates_is_a_changed_row() {
    let days = sessions("2025-10-01", "2025-10-31");
    let count = days.len();
    let service = Responder::new(move |_, call| {
        let close = |n: usize| match (call, n) {
            (1.., 5) => "999.5".to_owned(),
            _ => format!("{}.5", 200 + n),
        };
        ok(bars_body("VOLA", &days, close))
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-10-01 --to 2025-10-31 --grouped never --no-derive";
    bench.confirmed(words);
    bench.confirmed(words);
    assert_eq!(service.asked().len(), 1, "what is covered is not asked");
    let review = bench.confirmed(&format!("{words} --refresh --full"));
    let series = &review["series"][0];
    assert_eq!((&series["new"], &series["changed"]), (&0.into(), &1.into()), "{series}");
    assert_eq!(series["same"].as_u64(), Some(count as u64 - 1));
    let changes = review["changes"].as_array().unwrap();
    let close = changes.iter().find(|one| one["field"] == "close").unwrap();
    assert_eq!(close["kind"], "changed");
    assert_eq!(close["date"], "2025-10-08");
    assert_eq!(
        (close["old"].to_string(), close["new"].to_string()),
        ("205.5".into(), "999.5".into())
    );
    // Undone, the first answer is shown again.
    bench.run("undo").exits(0);
    let row = &bench.rows("spot", "VOLA")[5];
    assert_eq!(row["close"].to_string(), "205.5");
    bench.verifies();
}

#[test]
fn the_guard_of_a_cron_line_stops_a_large_change() {
    let days = sessions("2025-10-01", "2025-10-31");
    let service = Responder::new(move |_, call| {
        let close = |n: usize| format!("{}.5", if call == 0 { 200 + n } else { 400 + n });
        ok(bars_body("VOLA", &days, close))
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-10-01 --to 2025-10-31 --grouped never --no-derive \
                 --max-rejected 0 --max-change-points 25";
    bench.confirmed(words);
    let before = bench.rows("spot", "VOLA");
    let ran = bench.fetch(&format!("{words} --refresh --yes --json"));
    assert_ne!(ran.exit, 0, "{}", ran.out);
    assert_eq!(bench.rows("spot", "VOLA"), before);
    bench.verifies();
}

/// cron mails what is printed: nothing as long as all is well, and one line with the reason when not.
#[test]
fn the_crontab_of_the_readme_is_silent_until_something_is_wrong() {
    let days = sessions("2023-11-14", "2025-11-13");
    let service = Responder::new(move |target, call| match target.split('/').nth(4) {
        _ if call >= 6 => whole("401 Unauthorized", r#"{"status":"ERROR","error":"no such key"}"#),
        Some(symbol) if target.starts_with("/v2/aggs") => {
            ok(bars_body(symbol, &days, |n| format!("{}.5", 300 + n % 7)))
        }
        _ => ok(r#"{"status":"OK","results":[],"resultsCount":0}"#),
    });
    let bench = Bench::new(service.base());
    let (list, _) = bench.watchlist(3);
    let readme = include_str!("../../README.md");
    let lines: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.split_once("  volledger -q fetch "))
        .map(|l| l.1)
        .collect();
    assert_eq!(lines.len(), 2);
    let run = |line: &str, more: &str| {
        let words = line.strip_suffix(" >/dev/null").unwrap();
        let words = words.replace("--requests-per-minute 5", "").replace("@watchlist.txt", &list);
        bench.fetch(&format!("-q {words} {more}"))
    };
    for line in &lines {
        let ran = run(line, "").exits(0);
        assert_eq!(ran.err, "", "{line}");
    }
    assert_eq!((service.asked().len(), bench.rows("spot", "S0002").len()), (6, 502));
    let ran = run(lines[1], "--refresh").exits(41);
    assert!(ran.err.contains("no such key"), "{}", ran.err);
}

#[test]
fn a_plan_that_shortens_a_range_is_recorded_and_not_asked_again() {
    let Some(fake) = Fake::start(&["--plan", "basic"]) else { return };
    let bench = Bench::new(fake.base());
    let review = bench.confirmed("spot AAPL MSFT --years 5 --grouped never");
    let outcomes = review["fetch"]["outcomes"].as_array().unwrap();
    for symbol in ["AAPL", "MSFT"] {
        let of = |fact: &str| {
            let mut found =
                outcomes.iter().filter(|one| one["symbol"] == symbol && one["fact"] == fact);
            let one = found.next().unwrap_or_else(|| panic!("{symbol} {fact}: {review}"));
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("from"), text("to"))
        };
        assert_eq!(of("not-entitled"), ("2020-11-16".into(), "2023-11-14".into()));
        assert_eq!(of("data"), ("2023-11-15".into(), "2025-11-13".into()));
        assert_eq!(bench.rows("spot", symbol)[0]["date"], "2023-11-15");
    }
    let (requests, before) = (fake.requests(), bench.size());
    let review = bench.confirmed("spot AAPL MSFT --years 5 --grouped never");
    assert_eq!(review["fetch"]["requests"], 0);
    assert_eq!((fake.requests(), bench.size()), (requests, before));
    let gaps = bench.run("gaps --json").exits(0).out;
    assert!(gaps.contains("not-entitled"), "{gaps}");
    // A range that is older as a whole is refused with 403.
    let ran =
        bench.fetch("spot NVDA --from 2021-01-04 --to 2021-03-01 --grouped never --yes").exits(42);
    assert!(ran.err.contains("timeframe"), "{}", ran.err);
    let ran = bench.fetch("chain AAPL --yes").exits(42);
    assert!(ran.err.contains("--refresh"), "{}", ran.err);
    // Another plan, and `--refresh`: all of it.
    fake.control(r#"{"plan": "advanced"}"#);
    bench.confirmed("spot AAPL --years 5 --grouped never --refresh");
    assert_eq!(bench.rows("spot", "AAPL")[0]["date"], "2020-11-16");
    bench.verifies();
}

/// What the plan does not include is not known: the second run says so as the first one did.
#[test]
fn what_is_not_in_the_plan_stays_so_until_it_is_asked_again() {
    let days = sessions("2025-10-20", "2025-10-23");
    let service = Responder::new(move |target, call| match target.split('/').nth(4) {
        Some("PAID") if call < 2 => {
            whole("403 Forbidden", r#"{"status":"NOT_AUTHORIZED","message":"upgrade your plan"}"#)
        }
        Some(symbol) => ok(bars_body(symbol, &days, |n| format!("3{n}"))),
        None => whole("500 Oops", ""),
    });
    let bench = Bench::new(service.base());
    let rest = "--from 2025-10-20 --to 2025-10-23 --grouped never --no-derive --yes";
    let one = format!("spot PAID {rest}");
    bench.fetch(&one).exits(42);
    for _ in 0..2 {
        let ran = bench.fetch(&one).exits(42);
        assert!(!ran.out.contains("knows all"), "{}", ran.out);
        let range = "PAID 2025-10-20 … 2025-10-23";
        assert!(ran.out.contains(&format!("not in the service's plan: {range}")), "{}", ran.out);
        assert!(ran.err.contains("of 1 symbol not all is in"), "{}", ran.err);
        assert!(!ran.err.contains("nothing is missing"), "{}", ran.err);
        let reason = format!("! the plan does not include {range}: upgrade your plan");
        assert!(ran.err.contains(&reason), "{}", ran.err);
        assert!(ran.err.contains("--refresh"), "{}", ran.err);
    }
    let review = bench.fetch(&format!("{one} --json")).exits(42).json();
    let plan = &review["fetch"]["plan"];
    let refused = serde_json::json!([{"symbol": "PAID", "from": "2025-10-20", "to": "2025-10-23",
        "text": "upgrade your plan"}]);
    assert_eq!((&plan["covered"], &plan["not_entitled"]), (&0.into(), &refused), "{review}");
    assert_eq!(review["known"], false);
    let planned = bench.fetch(&format!("{one} --dry-run")).exits(0).out;
    assert!(planned.contains("not asked again") && planned.contains("PAID"), "{planned}");
    assert_eq!(service.asked().len(), 1, "what was refused is not asked again");
    // Beside what came it is told, and the rest is as good as ever: as the first time.
    let two = format!("spot PAID OPEN {rest}");
    bench.fetch(&two).exits(0);
    let ran = bench.fetch(&two).exits(0);
    assert!(ran.out.contains("not in the service's plan: PAID"), "{}", ran.out);
    assert!(ran.err.contains("nothing is missing of 1 symbol; of 1 symbol not"), "{}", ran.err);
    assert!(ran.err.contains("--refresh"), "{}", ran.err);
    // Another plan.
    bench.fetch(&format!("{one} --refresh")).exits(0);
    let ran = bench.fetch(&one).exits(0);
    assert!(ran.out.contains("the ledger knows all of it already"), "{}", ran.out);
    assert_eq!(bench.rows("spot", "PAID").len(), 4);
    bench.verifies();
}

/// A plan that lapses for a morning leaves no hole: the days that it refused are asked again, apart from
/// those that were never asked, and it is said until they came. The old end of a range stays settled.
#[test]
fn days_that_were_refused_behind_others_are_asked_until_they_come() {
    let lapsed = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&lapsed);
    let service = Responder::new(move |target, _| {
        let (from, to) = range_of(target);
        let symbol = target.split('/').nth(4).unwrap();
        let old = from.as_str() < "2023-11-15";
        if old || symbol == "PAID" && theirs.load(Ordering::SeqCst) {
            let text =
                r#"{"status":"NOT_AUTHORIZED","message":"You are not entitled to this data."}"#;
            return whole("403 Forbidden", text);
        }
        ok(bars_body(symbol, &sessions(&from, &to), |n| format!("3{n}")))
    });
    let bench = Bench::new(service.base());
    let run = |symbols: &str, from: &str, to: &str| {
        let rest = "--grouped never --no-derive --yes";
        bench.fetch(&format!("-q spot {symbols} --from {from} --to {to} {rest}"))
    };
    let day = |symbol: &str, (from, to): (&str, &str)| {
        format!("/v2/aggs/ticker/{symbol}/range/1/day/{from}/{to}?")
    };
    let asked = |since: usize| -> Vec<String> {
        let targets = service.targets();
        targets[since..].iter().map(|t| t[..=t.find('?').unwrap()].to_owned()).collect()
    };
    run("PAID OPEN", "2025-11-03", "2025-11-04").exits(0);
    lapsed.store(true, Ordering::SeqCst);
    // Others come: it is said all the same, in the one line that `-q` leaves.
    let ran = run("PAID OPEN", "2025-11-03", "2025-11-05").exits(42);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert!(ran.err.contains("PAID (not-entitled), of which earlier days came"), "{}", ran.err);
    let before = service.targets().len();
    let ran = run("PAID OPEN", "2025-11-03", "2025-11-06").exits(42);
    assert!(ran.err.contains("PAID (not-entitled), of which earlier days came"), "{}", ran.err);
    let mut want = [("PAID", "05", "05"), ("PAID", "06", "06"), ("OPEN", "06", "06")].map(
        |(symbol, from, to)| day(symbol, (&format!("2025-11-{from}"), &format!("2025-11-{to}"))),
    );
    let mut told = asked(before);
    want.sort();
    told.sort();
    assert_eq!(told, want);
    lapsed.store(false, Ordering::SeqCst);
    let before = service.targets().len();
    let ran = run("PAID OPEN", "2025-11-03", "2025-11-06").exits(0);
    assert_eq!(ran.err, "");
    assert_eq!(asked(before), [day("PAID", ("2025-11-05", "2025-11-06"))]);
    assert_eq!(bench.rows("spot", "PAID").len(), 4);
    // Before the first day that came the plan has nothing: asked once.
    let ran = run("PAID", "2022-01-03", "2025-11-06").exits(42);
    assert!(ran.err.contains("does not include PAID"), "{}", ran.err);
    let before = service.targets().len();
    run("PAID", "2022-01-03", "2025-11-06").exits(0);
    assert_eq!(asked(before), Vec::<String>::new());
    bench.verifies();
}
