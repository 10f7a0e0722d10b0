//! Answers with a 200 that answer something else, or less than they say: nothing of them becomes a
//! fact that is not asked about again.

use super::responder::{Responder, ok, whole};
use super::{Bench, KEY, bars_body, range_of, sessions, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use volledger::app::fetch::{Note, Question, open_inbox};
use volledger::domain::Series;
use volledger::sources::polygon;

const WEEK: &str = "--from 2025-10-20 --to 2025-10-23 --grouped never --no-derive --yes";

/// The symbol that a request for bars names.
fn asked(target: &str) -> &str {
    target.split('/').nth(4).unwrap_or_default()
}

fn week(symbol: &str) -> String {
    bars_body(symbol, &sessions("2025-10-20", "2025-10-23"), |n| format!("2{n}.5"))
}

/// The facts of a fetch, by symbol.
fn facts(bench: &Bench, words: &str, exit: i32) -> (Vec<(String, String)>, String) {
    let ran = bench.fetch(&format!("{words} --json")).exits(exit);
    let report = ran.json();
    let outcomes = report["fetch"]["outcomes"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let told = outcomes.map(|one| (text(&one["symbol"]), text(&one["fact"])));
    (told.collect(), ran.err)
}

#[test]
fn a_200_that_is_no_answer_is_asked_again_and_never_empty() {
    let good = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&good);
    let service = Responder::new(move |target, _| {
        let symbol = asked(target);
        let body = week(symbol);
        if theirs.load(Ordering::SeqCst) {
            return ok(body);
        }
        ok(match symbol {
            "OTHER" => week("MSFT"),
            "UNADJ" => body.replace("\"adjusted\":true", "\"adjusted\":false"),
            "BRACES" => "{}".to_owned(),
            "GATEWAY" => r#"{"msg":"service unavailable","code":503}"#.to_owned(),
            "ERRDATA" => body.replace("\"OK\"", "\"ERROR\",\"error\":\"timeout\""),
            "NEXTNUM" => body.replace("\"status\"", "\"next_url\":5,\"status\""),
            "ESCAPED" => {
                let key = format!("\\u00{:02x}{}", KEY.as_bytes()[0], &KEY[1..]);
                body.replace("\"n\":7", &format!("\"n\":7,\"note\":\"{key}\""))
            }
            _ => unreachable!("{target}"),
        })
    });
    let bench = Bench::new(service.base());
    let names = ["OTHER", "UNADJ", "BRACES", "GATEWAY", "ERRDATA", "NEXTNUM", "ESCAPED"];
    let words = format!("spot {} {WEEK} --jobs 7", names.join(" "));
    let (told, _) = facts(&bench, &words, 40);
    assert_eq!(told.len(), names.len());
    assert!(told.iter().all(|(_, fact)| fact == "failed"), "{told:?}");
    for name in names {
        assert_eq!(bench.count("spot", name), 0, "{name}");
    }
    good.store(true, Ordering::SeqCst);
    bench.fetch(&words).exits(0);
    for name in names {
        assert_eq!(bench.count("spot", name), 4, "{name}");
    }
    bench.verifies();
}

#[test]
fn an_answer_that_has_less_than_it_says_is_incomplete() {
    let service = Responder::new(|target, _| {
        let symbol = asked(target);
        let body = week(symbol);
        ok(match symbol {
            "MORE" => body.replace("\"resultsCount\":4", "\"resultsCount\":500"),
            "NONE" => {
                let head = body.split("\"results\":[").next().unwrap();
                format!("{head}\"results\":[],\"status\":\"OK\"}}")
            }
            // The second page would be of another symbol.
            "PAGES" => {
                let next = target.replace("/PAGES/", "/MSFT/");
                body.replace("\"status\"", &format!("\"next_url\":\"{next}\",\"status\""))
            }
            _ => unreachable!("{target}"),
        })
    });
    let bench = Bench::new(service.base());
    let words = format!("spot MORE NONE PAGES {WEEK}");
    for round in 1..=2 {
        let (told, err) = facts(&bench, &words, 40);
        assert!(told.iter().all(|(_, fact)| fact == "failed"), "{told:?}");
        assert!(err.contains("(incomplete)"), "{err}");
        assert_eq!(service.targets().len(), round * 3, "each is asked again, MSFT never");
    }
    bench.verifies();
}

#[test]
fn a_session_without_any_stock_is_asked_again() {
    let service = Responder::new(|_, _| ok(r#"{"status":"OK","results":[]}"#));
    let bench = Bench::new(service.base());
    let words = "spot AAA BBB CCC --from 2025-10-13 --to 2025-10-14 --grouped always --yes";
    for round in 1..=2 {
        bench.fetch(words).exits(0);
        assert_eq!(service.targets().len(), round * 2, "{:?}", service.targets());
    }
}

#[test]
fn two_years_of_a_symbol_that_is_not_found_are_asked_again() {
    let unknown = r#"{"status":"NOT_FOUND","message":"Ticker not found."}"#;
    let service = Responder::new(move |_, _| whole("404 Not Found", unknown));
    let bench = Bench::new(service.base());
    for round in 1..=2 {
        bench.fetch("spot GONE --from 2023-11-25 --to 2025-11-13 --yes").exits(1);
        assert_eq!(service.targets().len(), round);
    }
}

/// Gateways and proxies say 404 in JSON too; the service says 200 of bars that it has not.
#[test]
fn a_few_days_that_are_not_found_are_asked_again_and_come() {
    let service = Responder::new(|target, number| match number {
        0 => whole("404 Not Found", r#"{"message":"no Route matched with those values"}"#),
        _ => {
            let (from, to) = range_of(target);
            ok(bars_body("AAPL", &sessions(&from, &to), |n| format!("27{n}")))
        }
    });
    let bench = Bench::new(service.base());
    let words = "spot AAPL --from 2025-11-03 --to 2025-11-05 --yes";
    let ran = bench.fetch(words).exits(1);
    assert!(ran.err.contains("no Route matched"), "{}", ran.err);
    let ran = bench.fetch(words).exits(0);
    assert!(!ran.out.contains("knows all of it"), "{}", ran.out);
    assert_eq!((service.targets().len(), bench.rows("spot", "AAPL").len()), (2, 3));
    let ran = bench.fetch(words).exits(0);
    assert!(ran.out.contains("knows all of it"), "{}", ran.out);
    assert_eq!(service.targets().len(), 2);
    bench.verifies();
}

#[test]
fn a_day_whose_bar_was_rejected_is_asked_again_alone() {
    let service = Responder::new(|target, number| {
        let body = week("VOLA");
        if number > 0 {
            assert!(target.contains("/2025-10-22/2025-10-22?"), "{target}");
            return ok(bars_body("VOLA", &sessions("2025-10-22", "2025-10-22"), |_| "9".into()));
        }
        ok(body.replace("\"h\":22.5", "\"h\":1"))
    });
    let bench = Bench::new(service.base());
    let words = format!("spot VOLA {WEEK} --max-rejected 1");
    for _ in 0..3 {
        bench.fetch(&words).exits(0);
    }
    assert_eq!(service.targets().len(), 2);
    assert_eq!(bench.rows("spot", "VOLA").len(), 4);
    bench.verifies();
}

/// The same of a service whose answers have more days than were asked about.
#[test]
fn a_day_whose_bar_alpha_vantage_garbled_is_asked_again() {
    let good = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&good);
    let service = Responder::new(move |_, _| {
        let bar = |day: u32| {
            let odd = day == 22 && !theirs.load(Ordering::SeqCst);
            let high = if odd { "1.00" } else { "9.00" };
            format!(
                r#""2025-10-{day}":{{"1. open":"7.00","2. high":"{high}","3. low":"6.00","4. close":"7.50","5. volume":"12"}}"#
            )
        };
        let bars: Vec<String> = (17..=24).map(bar).collect();
        ok(format!(r#"{{"Time Series (Daily)":{{{}}}}}"#, bars.join(",")))
    });
    let mut bench = Bench::new(service.base());
    let words = "spot TST --source alpha-vantage --from 2025-10-20 --to 2025-10-23 --no-derive";
    bench.fetch(&format!("{words} --yes --max-rejected 5")).exits(0);
    assert_eq!(bench.count("spot", "TST"), 3);
    good.store(true, Ordering::SeqCst);
    bench.now = "2025-11-17T21:35:00Z".into();
    let review = bench.confirmed(words);
    assert_eq!(review["series"][0]["new"], 1, "{review}");
    assert_eq!((service.asked().len(), bench.count("spot", "TST")), (2, 4));
    bench.confirmed(words);
    assert_eq!(service.asked().len(), 2, "it is known now");
    bench.verifies();
}

#[test]
fn a_split_without_a_day_keeps_its_range_open() {
    let service = Responder::new(|_, _| {
        let split = |id: u8, day: &str| {
            format!(
                r#"{{"id":"{id}","ticker":"VOLA","execution_date":"{day}","split_from":1,"split_to":4}}"#
            )
        };
        let (good, bad) = (split(1, "2025-10-14"), split(2, "soon"));
        ok(format!(r#"{{"status":"OK","results":[{good},{bad}]}}"#))
    });
    let bench = Bench::new(service.base());
    let words = "splits VOLA --from 2025-10-01 --to 2025-10-31 --max-rejected 1 --yes";
    bench.fetch(words).exits(0);
    let before = bench.size();
    bench.fetch(words).exits(0);
    assert_eq!((service.targets().len(), bench.size()), (2, before));
}

#[test]
fn an_answer_of_too_many_bytes_ends_and_is_told() {
    let blank = " ".repeat(50 << 20);
    let service = Responder::new(move |target, number| {
        let (path, _) = target.split_once('?').unwrap();
        let next = format!("{path}?cursor={number}");
        let day = sessions("2025-10-20", "2025-10-23")[number % 4];
        let body = bars_body("FAT", &[day], |_| "9.5".into());
        ok(body.replace("\"status\"", &format!("\"next_url\":\"{next}\",{blank}\"status\"")))
    });
    let bench = Bench::new(service.base());
    let mut child = bench.start(&format!("spot FAT {WEEK}"));
    let peak = super::faults::peak(&mut child);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(40), "{err}");
    assert!(err.contains("FAT (incomplete)") && err.contains("more than 128 MiB"), "{err}");
    assert_eq!(service.targets().len(), 3);
    assert!(peak < 600 * 1024, "{peak} KiB");
    bench.verifies();
}

/// An inbox is never in the way of the fetches that come: what cannot be read is left out.
#[test]
fn an_answer_that_cannot_be_read_does_not_block_the_others() {
    let service = Responder::new(|target, _| ok(week(asked(target))));
    let bench = Bench::new(service.base());
    let mut inbox = open_inbox(&bench.ledger(), "test", std::time::Duration::from_secs(5)).unwrap();
    for (number, (name, body)) in [
        ("ONES", format!(r#"{{"status":"OK","results":[{}1]}}"#, "1,".repeat(100_000))),
        ("VOLA", week("VOLA")),
    ]
    .into_iter()
    .enumerate()
    {
        let question = Question {
            endpoint: polygon::Endpoint::Aggs.into(),
            series: Series::Spot,
            symbol: Some(name.parse().unwrap()),
            only: Vec::new(),
            scope: String::new(),
            from: "2025-10-20".parse().unwrap(),
            to: "2025-10-23".parse().unwrap(),
            target: format!(
                "/v2/aggs/ticker/{name}/range/1/day/2025-10-20/2025-10-23?adjusted=true&\
                 limit=50000&sort=asc"
            ),
        };
        let mut note = Note::of("run", number as u32, &question);
        (note.last, note.ended, note.status, note.attempts) = (true, "ok".into(), 200, 1);
        note.observed_ms = 1_763_154_000_000;
        inbox.add(&serde_json::to_string(&note).unwrap(), body.as_bytes()).unwrap();
    }
    inbox.sync().unwrap();
    drop(inbox);
    let words = format!("spot ONES VOLA {WEEK}");
    let ran = bench.fetch(&words).exits(40);
    assert!(
        ran.err.contains("ONES (unreadable): the body has more than 100000 items"),
        "{}",
        ran.err
    );
    assert_eq!((service.targets().len(), bench.rows("spot", "VOLA").len()), (0, 4));
    bench.fetch(&words).exits(0);
    assert_eq!((service.targets().len(), bench.rows("spot", "ONES").len()), (1, 4));
    bench.verifies();
}

#[test]
fn a_service_that_asks_for_an_hour_is_left_alone() {
    let service = Responder::new(|target, number| match number {
        0 => ok(week(asked(target))),
        _ => whole("429 Too Many\r\nRetry-After: 3600", r#"{"status":"ERROR","error":"slow"}"#),
    });
    let bench = Bench::new(service.base());
    let ran = bench.fetch(&format!("spot A B C D E F G H {WEEK} --jobs 1")).exits(40);
    assert_eq!(service.targets().len(), 2, "{}", ran.err);
    assert!(ran.err.contains("6 questions were not asked: slow (it asks to wait"), "{}", ran.err);
    assert_eq!(bench.rows("spot", "A").len(), 4);
}

/// Resumed a session later, `--days` begins a session later, and so do all its questions.
#[test]
fn what_was_kept_counts_on_the_next_day_too() {
    let gate = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, number| {
        while number == 2 && !theirs.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let mut parts = target.split(['/', '?']).skip(8);
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        ok(bars_body("VOLA", &sessions(from, to), |n| format!("{}", 10 + n)))
    });
    let mut bench = Bench::new(service.base());
    let words = "bars VOLA --timespan 1hour --days 140 --yes --jobs 1";
    let mut child = bench.start(words);
    wait_until("the third was asked", || service.targets().len() == 3 && bench.arrived() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.store(true, Ordering::SeqCst);
    bench.now = "2025-11-17T21:35:00Z".to_owned();
    let ran = bench.fetch(words).exits(0);
    assert_eq!(service.targets().len(), 4, "{:?}", service.targets());
    assert!(ran.err.contains("2 answers kept from an interrupted fetch"), "{}", ran.err);
    let all = sessions("2025-06-27", "2025-11-14").len();
    assert_eq!(bench.rows("bars", "VOLA").len(), all);
    bench.fetch(words).exits(0);
    assert_eq!(service.targets().len(), 4);
    bench.verifies();
}

#[test]
fn names_are_asked_as_they_are_and_coins_not_at_all() {
    let bench = Bench::new("http://127.0.0.1:9");
    let plan = bench.fetch("spot TpC --days 5 --dry-run --json").exits(0).json();
    assert!(plan["plan"]["targets"][0].as_str().unwrap().contains("/ticker/TpC/range/"), "{plan}");
    for words in ["spot X:BTCUSD", "bars X:BTCUSD --days 3", "spot AAPL C:EURUSD"] {
        let ran = bench.fetch(&format!("{words} --dry-run")).exits(2);
        assert!(ran.err.contains("day and night"), "{}", ran.err);
    }
}
