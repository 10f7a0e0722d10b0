//! The requests of a day that are counted are those that the service heard.

use super::responder::{Play, Responder, ok, whole};
use super::{Bench, wait_until};
use std::process::Command;
use volledger::app::fetch::{Note, Question, open_inbox};
use volledger::domain::Series;
use volledger::sources::alpha_vantage::Endpoint;

const WORDS: &str = "--from 2025-11-13 --source alpha-vantage --no-derive";

fn good() -> Play {
    ok(
        r#"{"Time Series (Daily)":{"2025-11-13":{"1. open":"7","2. high":"9","3. low":"6","4. close":"8","5. volume":"1"}}}"#,
    )
}

/// What a plan says was spent.
fn spent(bench: &Bench) -> usize {
    let plan = bench.fetch(&format!("spot NEW {WORDS} --dry-run --json")).exits(0).json();
    plan["plan"]["day"]["spent"].as_u64().unwrap() as usize
}

/// Starts a fetch, and stops it when the service heard `count` requests.
#[track_caller]
fn stopped(bench: &Bench, service: &Responder, symbols: &str, count: usize) -> String {
    let child = bench.start(&format!("spot {symbols} {WORDS} --yes"));
    wait_until("it was asked", || service.asked().len() >= count);
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    err
}

#[test]
fn a_request_that_was_stopped_counts() {
    let service = Responder::new(|_, _| Play::Hang);
    let mut bench = Bench::new(service.base());
    for count in 1..=3 {
        let err = stopped(&bench, &service, "AAA", count);
        assert!(err.contains("stopped; 0 of 1 answers are kept"), "{err}");
        assert_eq!((spent(&bench), service.asked().len()), (count, count));
    }
    // Before a retry as well; whether it went is the service's to say.
    let busy = Responder::new(|_, _| {
        ok(r#"{"Information":"Please spread out your requests (1 request per second)."}"#)
    });
    bench.base = busy.base();
    stopped(&bench, &busy, "BBB", 1);
    let heard = 3 + busy.asked().len();
    assert_eq!(spent(&bench), heard);
    // When they leave the inbox, they are in the ledger; what failed then is not told now.
    let well = Responder::new(|_, _| good());
    bench.base = well.base();
    bench.fetch(&format!("spot AAA {WORDS} --yes")).exits(0);
    assert_eq!((spent(&bench), well.asked().len()), (heard + 1, 1));
    assert_eq!(bench.size().1["active"], 1, "{:?}", bench.size());
    bench.verifies();
}

#[test]
fn a_failure_that_was_made_good_counts() {
    let service = Responder::new(|_, before| match before {
        0 | 1 => whole("500 Broken", "{}"),
        2 => Play::Hang,
        _ => good(),
    });
    let bench = Bench::new(service.base());
    bench.settings("[retry]\nmax_attempts = 2\n");
    stopped(&bench, &service, "AAA BBB", 3);
    assert_eq!(spent(&bench), 3);
    bench.fetch(&format!("spot AAA BBB {WORDS} --yes")).exits(0);
    assert_eq!((spent(&bench), service.asked().len()), (5, 5));
    assert_eq!((bench.count("spot", "AAA"), bench.count("spot", "BBB")), (1, 1));
    assert_eq!(bench.size().1["active"], 1, "{:?}", bench.size());
    bench.verifies();
}

#[test]
fn an_answer_that_cannot_be_read_counts() {
    let service = Responder::new(|_, _| good());
    let bench = Bench::new(service.base());
    let day = "2025-11-13".parse().unwrap();
    let question = Question {
        endpoint: Endpoint::Daily.into(),
        series: Series::Spot,
        symbol: Some("ODD".parse().unwrap()),
        only: Vec::new(),
        scope: "alpha-vantage".to_owned(),
        from: day,
        to: day,
        target: "/query?function=TIME_SERIES_DAILY&symbol=ODD".to_owned(),
    };
    let observed_ms = chrono::DateTime::parse_from_rfc3339(&bench.now).unwrap().timestamp_millis();
    let mut note = Note::of("1", 0, &question);
    (note.last, note.ended, note.status, note.attempts) = (true, "ok".into(), 200, 2);
    note.observed_ms = observed_ms;
    let mut inbox = open_inbox(&bench.ledger(), "test", std::time::Duration::ZERO).unwrap();
    inbox.add(&serde_json::to_string(&note).unwrap(), b"[1]").unwrap();
    inbox.sync().unwrap();
    drop(inbox);
    assert_eq!(spent(&bench), 2);
    let ran = bench.fetch(&format!("spot AAA {WORDS} --yes")).exits(40);
    assert!(ran.err.contains("ODD (unreadable)"), "{}", ran.err);
    assert_eq!((spent(&bench), bench.count("spot", "AAA")), (3, 1));
    bench.fetch(&format!("spot ODD {WORDS} --yes")).exits(0);
    assert_eq!((spent(&bench), bench.count("spot", "ODD")), (4, 1));
    bench.verifies();
}

/// Three runs in a row are no three bursts: the pace goes on from the last request that is recorded.
#[test]
fn the_pace_of_a_minute_outlives_a_run() {
    let service = Responder::new(|target, _| {
        let symbol = if target.contains("/AAA/") { "AAA" } else { "BBB" };
        ok(format!(r#"{{"ticker":"{symbol}","adjusted":true,"status":"OK","resultsCount":0}}"#))
    });
    let bench = Bench::new(service.base());
    let ask = |symbol: &str| {
        let words = "--from 2025-11-10 --to 2025-11-13 --stage-only --no-derive";
        let begun = std::time::Instant::now();
        let base = &bench.base;
        bench
            .run(&format!("fetch spot {symbol} {words} --requests-per-minute 30 --base-url {base}"))
            .exits(0);
        begun.elapsed().as_secs_f64()
    };
    ask("AAA");
    assert_eq!(service.asked().len(), 1);
    // By the clock of these tests no time passes between the two, so a whole interval is waited.
    let took = ask("BBB");
    assert_eq!(service.asked().len(), 2);
    assert!(took >= 2.0, "{took}");
}
