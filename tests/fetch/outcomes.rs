//! Each way to fail has its own outcome, and none loses anything.

use super::fake::Fake;
use super::responder::{Play, Responder, ok, whole};
use super::{Bench, bars_body, range_of, sessions};
use std::net::TcpListener;
use std::time::Instant;

/// A week of spot of OLD is in the ledger before each case, and must be there after it.
fn with_earlier_data() -> Bench {
    let days = sessions("2025-10-06", "2025-10-10");
    let service = Responder::new(move |_, _| ok(bars_body("OLD", &days, |n| format!("1{n}.5"))));
    let bench = Bench::new(service.base());
    bench.confirmed("spot OLD --from 2025-10-06 --to 2025-10-10 --no-derive");
    bench
}

/// What a case has to give: exit code, a word of standard error, and the fact in the ledger.
struct Want {
    exit: i32,
    text: &'static str,
    fact: &'static str,
}

/// Fetches NEW from `base` on a desk with earlier data, twice, and checks what came of it.
#[track_caller]
fn fails(name: &str, base: String, want: &Want) {
    let mut bench = with_earlier_data();
    let before = bench.run("view spot OLD --json").exits(0).out;
    let (events, _, position) = bench.size();
    bench.base = base;
    let words = "spot NEW --from 2025-10-20 --to 2025-10-23 --grouped never --yes --json";
    let ran = bench.fetch(words);
    assert_eq!(ran.exit, want.exit, "{name}: {}\n{}", ran.out, ran.err);
    assert!(ran.err.contains(want.text), "{name}: {}", ran.err);
    assert!(!ran.err.contains("panicked"), "{name}: {}", ran.err);
    if want.fact.is_empty() {
        assert_eq!(bench.size().2, position, "{name}: something was appended");
    } else {
        let review = ran.json();
        let outcomes = review["fetch"]["outcomes"].as_array().unwrap();
        let facts: Vec<&str> = outcomes.iter().map(|one| one["fact"].as_str().unwrap()).collect();
        assert_eq!(facts, [want.fact], "{name}: {review}");
        assert_eq!(outcomes[0]["symbol"], "NEW");
    }
    assert_eq!(bench.size().0, events, "{name}: events were made up");
    let after = bench.run("view spot OLD --json").exits(0).out;
    let digest = |text: &str| {
        let view: serde_json::Value = serde_json::from_str(text).unwrap();
        (view["digest"].clone(), view["rows"].clone())
    };
    assert_eq!(digest(&before), digest(&after), "{name}");
    bench.verifies();

    // What failed or is not found is asked again, and then it is there; what was answered is not.
    let days = sessions("2025-10-20", "2025-10-23");
    let service = Responder::new(move |_, _| ok(bars_body("NEW", &days, |n| format!("2{n}.5"))));
    bench.base = service.base();
    // What is not in the plan stays unknown.
    bench.fetch(words).exits(if want.fact == "not-entitled" { want.exit } else { 0 });
    let again = want.exit != 0 && want.fact != "not-entitled";
    assert_eq!(service.asked().len(), usize::from(again), "{name}");
    if again {
        assert_eq!(bench.rows("spot", "NEW").len(), 4, "{name}");
    }
    bench.verifies();
}

/// Cases side by side: the waits between attempts are real.
fn all_fail(cases: Vec<(&'static str, Responder, Want)>) {
    std::thread::scope(|scope| {
        for (name, service, want) in &cases {
            scope.spawn(move || fails(name, service.base(), want));
        }
    });
    for (name, service, want) in &cases {
        let most = if want.fact == "failed" { 5 } else { 1 };
        let asked = service.asked().len();
        assert!((1..=most).contains(&asked), "{name}: asked {asked} times");
    }
}

fn always(name: &'static str, head: &'static str, body: &'static str, want: Want) -> Case {
    (name, Responder::new(move |_, _| whole(head, body)), want)
}

type Case = (&'static str, Responder, Want);

fn want(exit: i32, text: &'static str, fact: &'static str) -> Want {
    Want { exit, text, fact }
}

#[test]
fn what_is_not_tried_again_has_its_own_outcome() {
    let refused = r#"{"status":"ERROR","request_id":"r","error":"Unknown API Key"}"#;
    let plan = r#"{"status":"NOT_AUTHORIZED","request_id":"r","message":"You are not entitled to this data."}"#;
    let unknown = r#"{"status":"NOT_FOUND","request_id":"r","message":"Ticker not found."}"#;
    let wrong = r#"{"status":"ERROR","request_id":"r","error":"Could not parse the time"}"#;
    let null = r#"{"results":null,"status":"OK"}"#;
    let moved = "302 Found\r\nLocation: http://elsewhere.invalid/v2/aggs";
    all_fail(vec![
        always("401", "401 Unauthorized", refused, want(41, "Unknown API Key", "")),
        always("403", "403 Forbidden", plan, want(42, "not entitled to this data", "not-entitled")),
        always("404", "404 Not Found", unknown, want(1, "Ticker not found", "empty")),
        always("400", "400 Bad Request", wrong, want(1, "Could not parse the time", "failed")),
        always("null", "200 OK\r\nContent-Type: application/json", null, want(0, "", "empty")),
        always("moved", moved, "", want(40, "elsewhere.invalid", "failed")),
    ]);
}

#[test]
fn what_is_tried_again_without_end_gives_up() {
    let page = "<html><h1>502 Bad Gateway</h1><hr>nginx</html>";
    let busy = r#"{"status":"ERROR","error":"You've exceeded the maximum requests per minute"}"#;
    let half = r#"{"ticker":"NEW","results":[{"v":1,"o":1"#;
    let html = "502 Bad Gateway\r\nContent-Type: text/html";
    let cut = || Play::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"results".to_vec());
    all_fail(vec![
        always(
            "429",
            "429 Too Many Requests\r\nRetry-After: 1",
            busy,
            want(40, "exceeded", "failed"),
        ),
        always("502", html, page, want(40, "502", "failed")),
        always("empty", "200 OK", "", want(40, "bad-payload", "failed")),
        always("{}", "200 OK", "{}", want(40, "bad-payload", "failed")),
        always("half", "200 OK", half, want(40, "bad-payload", "failed")),
        always(
            "a page with 200",
            "200 OK\r\nContent-Type: text/html",
            page,
            want(40, "bad-payload", "failed"),
        ),
        ("reset", Responder::new(move |_, _| cut()), want(40, "network", "failed")),
    ]);
}

#[test]
fn no_service_at_all_is_a_network_failure() {
    // Bound and closed again: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Responder::new(|_, _| ok("{}"));
    let tls = plain.base().replace("http:", "https:");
    let cases = [
        ("refused", format!("http://{closed}"), "network"),
        ("DNS", "https://no-such-host.invalid".to_owned(), "no-such-host.invalid"),
        ("TLS", tls, "network"),
    ];
    std::thread::scope(|scope| {
        for (name, base, text) in cases {
            scope.spawn(move || fails(name, base, &want(40, text, "failed")));
        }
    });
    assert!(plain.asked().is_empty());
}

#[test]
fn a_body_without_end_is_refused_quickly() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let told = [head.as_slice(), b"Content-Length: 3000000000\r\n\r\n"].concat();
    let untold = [head.as_slice(), b"Connection: close\r\n\r\n"].concat();
    for head in [told, untold] {
        let service = Responder::new(move |_, _| Play::Endless(head.clone()));
        let bench = Bench::new(service.base());
        let begun = Instant::now();
        let words = "spot NEW --from 2025-11-10 --to 2025-11-13 --grouped never --yes --json";
        let mut child = bench.start(words);
        let peak = super::faults::peak(&mut child);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(40), "{err}");
        assert!(err.contains("too-large"), "{err}");
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
        assert!(peak < 250 * 1024, "{peak} KiB");
        assert!(service.sent() < 200 << 20, "{} bytes", service.sent());
        assert_eq!(service.asked().len(), 1);
        bench.verifies();
    }
}

#[test]
fn without_a_key_nothing_is_asked() {
    let service = Responder::new(|_, _| ok(r#"{"status":"OK","resultsCount":0}"#));
    let bench = Bench::new(service.base());
    let mut command = bench.command(&bench.fetch_line("spot NEW --yes"));
    command.env_remove("MASSIVE_API_KEY");
    let ran = crate::program::ran(command, None).exits(41);
    assert!(ran.err.contains("MASSIVE_API_KEY"), "{}", ran.err);
    let mut other = bench.command(&bench.fetch_line("spot NEW --yes"));
    other.env_remove("MASSIVE_API_KEY").env("POLYGON_API_KEY", super::KEY);
    assert!(service.asked().is_empty());
    crate::program::ran(other, None).exits(0);
    assert_eq!(service.asked().len(), 1);
    assert!(
        service.asked()[0]
            .to_lowercase()
            .contains(&format!("authorization: bearer {}", super::KEY.to_lowercase()))
    );
    // In clear over the network: never.
    let ran = bench.run("fetch spot NEW --base-url http://example.invalid --yes").exits(2);
    assert!(ran.err.contains("unencrypted"), "{}", ran.err);
}

#[test]
fn one_symbol_that_fails_does_not_stop_the_others() {
    let days = sessions("2025-10-20", "2025-10-23");
    let service = Responder::new(move |target, _| match target.split('/').nth(4) {
        Some("BAD") => whole("400 Bad Request", r#"{"status":"ERROR","error":"no"}"#),
        Some("GONE") => whole("404 Not Found", r#"{"status":"NOT_FOUND","message":"gone"}"#),
        Some("PAID") => whole("403 Forbidden", r#"{"status":"NOT_AUTHORIZED","message":"plan"}"#),
        Some(symbol) => ok(bars_body(symbol, &days, |n| format!("3{n}"))),
        None => whole("500 Oops", ""),
    });
    let bench = Bench::new(service.base());
    let words = "spot ONE BAD GONE PAID TWO --from 2025-10-20 --to 2025-10-23 --grouped never \
                 --yes --json";
    let ran = bench.fetch(words).exits(1);
    assert!(ran.err.contains("1 of 5 questions failed, the first was BAD"), "{}", ran.err);
    let review = ran.json();
    let outcomes = review["fetch"]["outcomes"].as_array().unwrap();
    let fact = |symbol: &str| {
        let one = outcomes.iter().find(|one| one["symbol"] == symbol).unwrap();
        one["fact"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        ["ONE", "TWO", "BAD", "GONE", "PAID"].map(fact),
        ["data", "data", "failed", "empty", "not-entitled"]
    );
    assert_eq!((bench.rows("spot", "ONE").len(), bench.rows("spot", "TWO").len()), (4, 4));
    let asked = service.asked().len();
    bench.fetch(words).exits(1);
    assert_eq!(service.asked().len(), asked + 2, "what failed and what is not found: asked again");
    bench.verifies();
}

#[test]
fn errors_of_single_tickers_inside_an_answer_are_findings() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    let review = bench.confirmed("quotes AAPL NOSUCHX I:VIX");
    let findings = review["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["code"] == "ticker_error").unwrap();
    assert_eq!((found["count"].as_u64(), found["severity"].as_str()), (Some(1), Some("warning")));
    assert_eq!(bench.rows("quotes", "AAPL").len(), 1);
    bench.verifies();
}

#[test]
fn a_clock_that_is_a_year_off_loses_nothing() {
    let Some(fake) = Fake::start(&[]) else { return };
    let right = Bench::new(fake.base());
    right.fetch("spot AAPL --from 2024-01-02 --to 2025-11-13 --yes").exits(0);
    let want = right.rows("spot", "AAPL");
    for wrong in ["2024-11-14T21:35:00Z", "2026-11-13T21:35:00Z"] {
        let mut bench = Bench::new(fake.base());
        bench.now = wrong.to_owned();
        bench.fetch("spot AAPL --from 2024-01-02 --yes").exits(0);
        bench.fetch("chain MSFT --yes").exits(0);
        bench.verifies();
        bench.now = super::NOW.to_owned();
        bench.fetch("spot AAPL --from 2024-01-02 --to 2025-11-13 --yes").exits(0);
        let rows: Vec<_> = bench.rows("spot", "AAPL");
        let within = rows.iter().filter(|row| row["date"].as_str() <= Some("2025-11-13"));
        assert!(within.eq(want.iter()), "{wrong}");
        // The chain is dated by its quotes, not by the clock.
        assert!(bench.rows("chain", "MSFT").iter().all(|row| row["date"] == "2025-11-14"));
        bench.verifies();
    }
}

/// The days that a clock which is ahead asked for are not taken for empty once they are there.
#[test]
fn days_that_had_not_come_yet_are_asked_again() {
    let service = Responder::new(move |target, number| {
        let (from, to) = range_of(target);
        // The service knows what day it is.
        let days = sessions(&from, if number == 0 { "2025-11-14" } else { &to });
        let body = bars_body("NEW", &days, |n| format!("{}", 50 + n));
        let date = "Date: Fri, 14 Nov 2025 21:35:00 GMT";
        whole(&format!("200 OK\r\n{date}\r\nContent-Type: application/json"), body)
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2026-11-13T21:35:00Z".to_owned();
    bench.fetch("spot NEW --from 2025-11-03 --yes").exits(0);
    bench.now = "2025-12-02T21:35:00Z".to_owned();
    bench.fetch("spot NEW --from 2025-11-03 --yes").exits(0);
    assert_eq!(bench.rows("spot", "NEW").len(), 20);
    bench.verifies();
}

/// A label on a snapshot of now would be an invented day.
#[test]
fn what_is_always_of_now_takes_no_date() {
    let bench = Bench::new("http://127.0.0.1:9");
    for words in ["chain AAPL --date 2025-10-01", "quotes AAPL --days 3", "calendar --years 1"] {
        let ran = bench.fetch(&format!("{words} --dry-run")).exits(2);
        assert!(ran.err.contains("as it is now"), "{words}: {}", ran.err);
    }
}

/// A bar that cannot be is no fault of a file, and asking again may mend it.
#[test]
fn what_to_do_about_answers_that_cannot_be_used_is_said() {
    let days = sessions("2025-11-12", "2025-11-12");
    let service = Responder::new(move |target, _| match target.contains("/NO/") {
        true => whole("400 Bad Request", r#"{"status":"ERROR","error":"no such range"}"#),
        false => ok(bars_body("ODD", &days, |_| "5".into()).replace("\"h\":5", "\"h\":1")),
    });
    let bench = Bench::new(service.base());
    let words = "--from 2025-11-12 --to 2025-11-12 --grouped never --yes";
    let ran = bench.fetch(&format!("spot ODD {words}")).exits(11);
    let again = "`volledger batch discard b1`; the same command asks for its days again";
    assert!(ran.err.contains(again) && !ran.err.contains("the file"), "{}", ran.err);
    let ran = bench.fetch(&format!("spot NO {words}")).exits(1);
    assert!(ran.err.contains("no such range"), "{}", ran.err);
    assert!(ran.err.contains("refuses again") && ran.err.contains("/ticker/NO/"), "{}", ran.err);
    assert!(!ran.err.contains("asks for the rest"), "{}", ran.err);
}
