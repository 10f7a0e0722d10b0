//! What was taken back stays away: also where an answer of before waits, where another question would
//! bring it, and where its day is another one in UTC.

use super::responder::{Responder, ok, whole};
use super::{Bench, bars_body, sessions, wait_until};
use crate::program::Ran;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const DAYS: &str = "--from 2025-11-03 --to 2025-11-12 --no-derive --grouped never";

/// Daily bars; with `same` two answers about one symbol are the same bytes. Of BBB it answers when the
/// gate is open.
fn bars(gate: &Arc<AtomicBool>, same: bool) -> Responder {
    let gate = Arc::clone(gate);
    Responder::new(move |target, call| {
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        if parts[1] == "v3" {
            return ok(r#"{"results":[],"status":"OK","request_id":"r"}"#);
        }
        while parts[4] == "BBB" && !gate.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let body =
            bars_body(parts[4], &sessions(parts[8], parts[9]), |n| format!("{}.25", 100 + n));
        let id = if same { 0 } else { call };
        ok(body.replace(r#""request_id":"r""#, &format!(r#""request_id":"r{id}""#)))
    })
}

/// Stops a fetch in order, once so many requests were made.
#[track_caller]
fn stop(service: &Responder, child: Child, requests: usize) {
    wait_until("it was asked", || service.asked().len() == requests);
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("1 of 2 answers are kept"), "{err}");
}

#[test]
fn what_was_taken_back_after_it_was_asked_for_does_not_come_with_an_answer_that_waits() {
    for back in ["batch rollback b1 --reason wrong", "erase b1/3 --reason licence --yes --json"] {
        // The fetch that goes on is of both, or of the other alone.
        for next in ["AAA BBB", "BBB"] {
            let gate = Arc::new(AtomicBool::new(false));
            let service = bars(&gate, false);
            let bench = Bench::new(service.base());
            bench.confirmed(&format!("spot AAA {DAYS}"));
            let left = if back.starts_with("erase") { 7 } else { 0 };
            stop(
                &service,
                bench.start(&format!("spot AAA BBB {DAYS} --refresh --jobs 1 --yes")),
                3,
            );
            let inbox = bench.ledger().join("inbox/arrived");
            let waits = std::fs::metadata(&inbox).unwrap().len();
            let ran = bench.run(back).exits(0);
            if left > 0 {
                assert_eq!(ran.json()["waiting"], 1, "{}", ran.out);
                assert!(std::fs::metadata(&inbox).unwrap().len() < waits, "its bytes are gone");
            }
            gate.store(true, Ordering::SeqCst);
            let ran = bench.fetch(&format!("spot {next} {DAYS} --yes")).exits(0);
            assert!(
                ran.err.contains("the answer about spot of AAA that waited is left out"),
                "{}",
                ran.err
            );
            assert!(ran.err.contains("(b1)"), "{}", ran.err);
            assert_eq!(
                (bench.count("spot", "AAA"), bench.count("spot", "BBB")),
                (left, 8),
                "{back}"
            );
            assert_eq!(std::fs::metadata(&inbox).unwrap().len(), 0);
            let ran = bench.fetch(&format!("spot AAA {DAYS} --yes")).exits(23);
            assert!(ran.err.contains("b1"), "{}", ran.err);
            bench.confirmed(&format!("spot AAA {DAYS} --again --reason meant"));
            assert_eq!(bench.count("spot", "AAA"), 8);
            bench.verifies();
        }
    }
}

/// Rows that another service, another view or another day says are no reason to lose an answer.
#[test]
fn an_erasure_leaves_answers_that_say_nothing_of_it() {
    let gate = Arc::new(AtomicBool::new(false));
    let service = bars(&gate, false);
    let bench = Bench::new(service.base());
    bench.confirmed("spot AAA --from 2025-10-20 --to 2025-10-24 --no-derive --grouped never");
    let file = bench.desk.write("AAA.csv", "Date,Close\n2025-11-04,5\n");
    bench.run(&format!("import spot {file} -s AAA --yes")).exits(0);
    stop(&service, bench.start(&format!("spot AAA BBB {DAYS} --jobs 1 --yes")), 3);
    let done = bench.run("erase b1 b2 --reason licence --yes --json").exits(0).json();
    assert_eq!(done["waiting"], serde_json::Value::Null, "{done}");
    gate.store(true, Ordering::SeqCst);
    let ran = bench.fetch(&format!("spot AAA BBB {DAYS} --yes")).exits(0);
    assert!(ran.err.contains("1 answer kept from an interrupted fetch"), "{}", ran.err);
    assert_eq!((service.asked().len(), bench.count("spot", "AAA")), (4, 8));
    bench.verifies();
}

/// While somebody fetches, an erasure does not wait for it, and the fetch brings nothing back.
#[test]
fn an_erasure_beside_a_fetch_holds() {
    let gate = Arc::new(AtomicBool::new(false));
    let service = bars(&gate, false);
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot AAA {DAYS}"));
    let child = bench.start(&format!("spot AAA BBB {DAYS} --refresh --jobs 1 --yes"));
    wait_until("the other was asked", || service.asked().len() == 3);
    let done = bench.run("erase b1/3 --reason licence --yes --json").exits(0).json();
    assert_eq!(done["inbox_held"], true, "{done}");
    gate.store(true, Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("spot of AAA that waited is left out"), "{err}");
    assert_eq!((bench.count("spot", "AAA"), bench.count("spot", "BBB")), (7, 8));
    bench.verifies();
}

#[test]
fn what_is_refused_of_the_inbox_stops_no_later_fetch() {
    let gate = Arc::new(AtomicBool::new(false));
    let service = bars(&gate, true);
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot AAA {DAYS}"));
    bench.run("batch rollback b1 --reason wrong").exits(0);
    let again = format!("spot AAA BBB {DAYS} --again --reason meant --jobs 1 --yes");
    stop(&service, bench.start(&again), 3);
    for note in [true, false] {
        let ran = bench.fetch("splits ZZZ --yes").exits(0);
        let told = ran.err.contains("spot of an earlier fetch is left out");
        assert_eq!(told && ran.err.contains("b1"), note, "{}", ran.err);
    }
    assert_eq!(bench.count("spot", "AAA"), 0);
    // Where it is what was asked for, that is a refusal as before.
    let again = format!("spot AAA BBB {DAYS} --again --reason meant --jobs 1 --yes");
    let asked = service.asked().len();
    stop(&service, bench.start(&again), asked + 2);
    let ran = bench.fetch(&format!("spot AAA {DAYS} --yes"));
    assert!(ran.exits(23).err.contains("b1"));
    assert_eq!(bench.count("spot", "AAA"), 0);
    bench.verifies();
}

/// Articles, filtered as the service does: each `published_utc` from a bound on, until before another.
fn articles(published: &'static [&'static str]) -> Responder {
    Responder::new(move |target, call| {
        let bound = |name: &str| {
            let found = target.split(['?', '&']).find_map(|part| part.strip_prefix(name));
            found.unwrap().to_owned()
        };
        let (from, to) = (bound("published_utc.gte="), bound("published_utc.lt="));
        let found = published.iter().filter(|at| (&*from..&*to).contains(*at));
        let article = |at: &&str| {
            format!(
                r#"{{"id":"{at}","publisher":{{"name":"P"}},"title":"T{at}","published_utc":"{at}","article_url":"https://p/{at}","tickers":["AAA"]}}"#
            )
        };
        let found: Vec<String> = found.map(article).collect();
        let count = found.len();
        ok(format!(
            r#"{{"results":[{}],"status":"OK","request_id":"{call}","count":{count}}}"#,
            found.join(",")
        ))
    })
}

#[test]
fn an_erased_article_of_the_evening_is_not_in_the_next_day_s_answer() {
    let service =
        articles(&["2025-11-12T15:00:00Z", "2025-11-14T02:10:00Z", "2025-11-14T15:00:00Z"]);
    let mut bench = Bench::new(service.base());
    bench.now = "2025-11-14T17:00:00Z".into();
    bench.confirmed("news AAA --days 5");
    let days = |bench: &Bench| -> Vec<String> {
        bench.rows("news", "AAA").iter().map(|row| row["date"].as_str().unwrap().into()).collect()
    };
    assert_eq!(days(&bench), ["2025-11-12", "2025-11-13", "2025-11-14"]);
    bench.run("erase b1/2 --reason gone --yes").exits(0);
    bench.now = "2025-11-14T18:30:00Z".into();
    bench.fetch("news AAA --days 5 --yes").exits(0);
    assert_eq!(days(&bench), ["2025-11-12", "2025-11-14"]);
    // At 23:30 of the last day, and at 0:30 of the day after it; in summer time too.
    let service = articles(&[
        "2025-11-14T04:30:00Z",
        "2025-11-14T05:30:00Z",
        "2025-07-11T03:30:00Z",
        "2025-07-11T04:30:00Z",
    ]);
    bench = Bench::new(service.base());
    bench.confirmed("news AAA --from 2025-11-12 --to 2025-11-13");
    bench.confirmed("news AAA --from 2025-07-09 --to 2025-07-10");
    assert_eq!(days(&bench), ["2025-07-10", "2025-11-13"]);
}

/// What the service says of the market; each answer has a time of its own.
fn market() -> Responder {
    Responder::new(|target, call| {
        if target.contains("/upcoming") {
            return ok(
                r#"[{"date":"2025-11-20","exchange":"NYSE","name":"WRONG","status":"closed"}]"#,
            );
        }
        if target.contains("/now") {
            return ok(format!(
                r#"{{"market":"closed","earlyHours":false,"afterHours":false,"serverTime":"2025-11-14T16:35:{call:02}-05:00","exchanges":{{"nyse":"closed"}},"currencies":{{"fx":"open"}}}}"#
            ));
        }
        let names = target.rsplit_once("any_of=").unwrap().1.split('&').next().unwrap();
        let quote = |name: &str| {
            format!(
                r#"{{"ticker":"{name}","type":"stocks","name":"{name}","session":{{"close":{call}.5}}}}"#
            )
        };
        let quotes: Vec<String> = names.split(',').map(quote).collect();
        ok(format!(r#"{{"results":[{}],"status":"OK","request_id":"{call}"}}"#, quotes.join(",")))
    })
}

#[test]
fn a_calendar_and_quotes_that_were_rolled_back_stay_so_for_the_day() {
    let service = market();
    let mut bench = Bench::new(service.base());
    bench.confirmed("calendar");
    bench.run("batch rollback b1 --reason none").exits(0);
    let ran = bench.fetch("calendar --yes").exits(23);
    assert!(ran.err.contains("b1") && ran.err.contains("tomorrow"), "{}", ran.err);
    bench.confirmed("calendar --again --reason meant");
    bench.confirmed("calendar");
    bench.confirmed("quotes A B");
    let last = |bench: &Bench| bench.size().1["active"].as_u64().unwrap() + 1;
    bench.run(&format!("batch rollback b{} --reason wrong", last(&bench))).exits(0);
    let asked = service.asked().len();
    bench.fetch("quotes A B --yes").exits(23);
    bench.fetch("quotes B --yes --refresh").exits(23);
    // One that was not taken back is asked for alone.
    let ran = bench.fetch("quotes A C --yes").exits(0);
    assert!(ran.err.contains("are not asked"), "{}", ran.err);
    let targets = service.targets().split_off(asked);
    assert!(targets.len() == 1 && targets[0].ends_with("any_of=C"), "{targets:?}");
    assert_eq!((bench.count("quotes", "A"), bench.count("quotes", "C")), (0, 1));
    bench.confirmed("quotes A --again --reason meant");
    bench.confirmed("quotes A");
    assert_eq!(bench.count("quotes", "A"), 1);
    bench.now = "2025-11-17T21:35:00Z".into();
    bench.confirmed("quotes A B");
    bench.verifies();
}

#[test]
fn no_list_of_all_announcements_brings_one_back() {
    let service = Responder::new(|target, _| {
        if target.contains("function=EARNINGS&") {
            return ok(r#"{"quarterlyEarnings":[]}"#);
        }
        let rows = ["LULU,Lululemon,2025-12-04", "ADBE,Adobe,2025-12-10", "NKE,Nike,2025-12-18"];
        let asked = target.split('&').find_map(|part| part.strip_prefix("symbol="));
        let rows = rows.iter().filter(|row| asked.is_none_or(|name| row.starts_with(name)));
        let rows: Vec<String> = rows.map(|row| format!("{row},2025-10-31,1,USD,\r\n")).collect();
        let header = "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay\r\n";
        whole(
            "200 OK\r\nContent-Type: application/x-download",
            format!("{header}{}", rows.concat()),
        )
    });
    let bench = Bench::new(service.base());
    bench.confirmed("earnings LULU");
    bench.run("batch rollback b1 --reason wrong").exits(0);
    let counts = |names: [&str; 3]| names.map(|name| bench.count("earnings", name));
    let told = |ran: Ran| assert!(ran.err.contains("b1"), "{}", ran.err);
    told(bench.fetch("earnings --yes").exits(23));
    told(bench.fetch("earnings LULU ADBE NKE --yes").exits(0));
    assert_eq!(counts(["LULU", "ADBE", "NKE"]), [0, 1, 1]);
    bench.confirmed("earnings --again --reason meant");
    assert_eq!(counts(["LULU", "ADBE", "NKE"]), [1, 1, 1]);
}

/// Of a service that counts requests, what is left out counts all the same.
#[test]
fn an_answer_that_is_left_out_is_a_request_that_was_made() {
    for back in ["batch rollback b1 --reason wrong", "erase b1 --reason licence --yes"] {
        let gate = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&gate);
        let service = Responder::new(move |target, _| {
            let symbol = target.split('&').find_map(|part| part.strip_prefix("symbol=")).unwrap();
            while symbol == "BBB" && !theirs.load(Ordering::SeqCst) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let bar =
                r#"{"1. open":"5","2. high":"5","3. low":"5","4. close":"5","5. volume":"9"}"#;
            ok(format!(
                r#"{{"Meta Data":{{"2. Symbol":"{symbol}"}},"Time Series (Daily)":{{"2025-11-12":{bar}}}}}"#
            ))
        });
        let bench = Bench::new(service.base());
        let words = "--from 2025-11-12 --to 2025-11-12 --source alpha-vantage --no-derive --yes";
        bench.fetch(&format!("spot AAA {words}")).exits(0);
        stop(&service, bench.start(&format!("spot AAA BBB {words} --refresh --jobs 1")), 3);
        bench.run(back).exits(0);
        gate.store(true, Ordering::SeqCst);
        let ran = bench.fetch(&format!("spot BBB {words}")).exits(0);
        assert!(ran.err.contains("spot of AAA that waited is left out"), "{}", ran.err);
        assert_eq!((bench.count("spot", "AAA"), bench.count("spot", "BBB")), (0, 1));
        let plan = bench.fetch("earnings NEW --dry-run --json").exits(0).json();
        assert_eq!(
            (&plan["plan"]["day"]["spent"], service.asked().len()),
            (&4.into(), 4),
            "{back}"
        );
        bench.verifies();
    }
}
