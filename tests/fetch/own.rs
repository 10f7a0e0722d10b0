//! Plan, faults and reading on bodies of our own: these run without `../shared`.

use super::responder::{Play, Responder, ok, whole};
use super::{Bench, bars_body, sessions};
use serde_json::{Value, json};

#[test]
fn a_plan_asks_nothing_and_names_each_request() {
    let service = Responder::new(|_, _| ok("{}"));
    let bench = Bench::new(service.base());
    let line = "fetch spot AAPL MSFT --from 2025-01-01 --to 2025-10-31 --dry-run --json";
    let plan = bench.run(&format!("{line} --requests-per-minute 5")).exits(0).json();
    assert_eq!(plan["plan"]["questions"], 2);
    assert_eq!(plan["plan"]["seconds"].as_f64(), Some(12.0));
    assert_eq!(
        plan["plan"]["targets"][1],
        "/v2/aggs/ticker/MSFT/range/1/day/2025-01-02/2025-10-31?adjusted=true&limit=50000&sort=asc"
    );
    assert!(service.asked().is_empty());
    assert_eq!(bench.size().2, 0);
    // No key is needed to plan.
    let mut command = bench.command(line);
    command.env_remove("MASSIVE_API_KEY");
    crate::program::ran(command, None).exits(0);
}

#[test]
fn only_holes_are_asked() {
    let service = Responder::new(|target, _| {
        let mut parts = target.split(['/', '?']).skip(8);
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        ok(bars_body("VOLA", &sessions(from, to), |n| format!("{}", 10 + n)))
    });
    let bench = Bench::new(service.base());
    for (from, to) in [("2025-03-03", "2025-03-31"), ("2025-05-01", "2025-05-30")] {
        bench.confirmed(&format!("spot VOLA --from {from} --to {to} --no-derive --grouped never"));
    }
    bench.confirmed("spot VOLA --from 2025-02-24 --to 2025-06-30 --no-derive --grouped never");
    let ranges: Vec<String> = service
        .targets()
        .iter()
        .map(|target| target.split(['/', '?']).skip(8).take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        ranges[2..].iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
        ["2025-02-24 2025-02-28", "2025-04-01 2025-04-30", "2025-06-02 2025-06-30"].into()
    );
    assert_eq!(bench.rows("spot", "VOLA").len(), sessions("2025-02-24", "2025-06-30").len());
    bench.confirmed("spot VOLA --from 2025-02-24 --to 2025-06-30 --no-derive --grouped never");
    assert_eq!(service.asked().len(), 5);
    // What is rolled back is missing again, and asked only when somebody says so: a scheduled
    // run must not bring it back.
    bench.run("batch rollback b1").exits(0);
    let all = "spot VOLA --from 2025-02-24 --to 2025-06-30 --no-derive --grouped never";
    let told = bench.fetch(&format!("{all} --yes")).exits(23);
    assert!(told.err.contains("rolled back before, with b1"), "{}", told.err);
    assert_eq!(service.asked().len(), 5);
    let plan = bench.fetch(&format!("{all} --dry-run --json --again --reason restated")).json();
    assert!(plan["plan"]["targets"][0].as_str().unwrap().contains("/2025-03-03/2025-03-31?"));
    bench.verifies();
}

#[test]
fn all_symbols_of_a_day_are_one_request_where_that_is_cheaper() {
    let service = Responder::new(|target, _| {
        if target.starts_with("/v2/aggs/ticker/ZZZ/range/1/day/2025-11-13/2025-11-13?") {
            return ok(bars_body("ZZZ", &sessions("2025-11-13", "2025-11-13"), |_| "4.40".into()));
        }
        assert!(target.starts_with("/v2/aggs/grouped/locale/us/market/stocks/2025-11-13?"));
        let bar = |symbol: &str, close: &str| {
            format!(
                r#"{{"T":"{symbol}","v":9,"vw":{close},"o":{close},"c":{close},"h":{close},"l":{close},"t":1763067600000,"n":1}}"#
            )
        };
        let bars = [bar("AAA", "1.10"), bar("BBB", "2.20"), bar("CCC", "3.30")].join(",");
        ok(format!(
            r#"{{"queryCount":3,"resultsCount":3,"adjusted":true,"results":[{bars}],"status":"OK"}}"#
        ))
    });
    let bench = Bench::new(service.base());
    bench.confirmed("spot AAA BBB ZZZ --from 2025-11-13 --to 2025-11-13 --no-derive");
    assert_eq!(service.asked().len(), 1);
    let rows = bench.rows("spot", "AAA");
    assert_eq!((rows.len(), rows[0]["close"].to_string()), (1, "1.10".into()));
    assert_eq!(rows[0]["date"], "2025-11-13");
    bench.confirmed("spot BBB --from 2025-11-13 --to 2025-11-13 --no-derive");
    assert_eq!(service.asked().len(), 1, "one answer was about all of them");
    // It need not have all of them: who is not in it is asked about alone, and then known.
    for _ in 0..2 {
        bench.confirmed("spot ZZZ --from 2025-11-13 --to 2025-11-13 --no-derive");
        assert_eq!(service.asked().len(), 2);
    }
    assert_eq!(bench.rows("spot", "ZZZ")[0]["close"].to_string(), "4.40");
    bench.verifies();
}

#[test]
fn faults_before_a_good_answer_are_tried_again() {
    let days = sessions("2025-11-10", "2025-11-13");
    let service = Responder::new(move |_, number| match number {
        0 => whole("429 Too Many Requests\r\nRetry-After: 1", r#"{"error":"slowly"}"#),
        1 => whole("500 Oops", r#"{"error":"oops"}"#),
        2 => Play::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"res".to_vec()),
        _ => ok(bars_body("VOLA", &days, |n| format!("7{n}.000"))),
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-11-10 --to 2025-11-13 --grouped never --no-derive";
    let review = bench.confirmed(words);
    assert_eq!(service.asked().len(), 4);
    assert_eq!(review["fetch"]["requests"], 4);
    let closes: Vec<String> =
        bench.rows("spot", "VOLA").iter().map(|row| row["close"].to_string()).collect();
    assert_eq!(closes, ["70.000", "71.000", "72.000", "73.000"]);
    bench.verifies();
}

/// Pages: one comes twice, and the last one closes the list.
#[test]
fn pages_are_followed_and_one_that_comes_twice_counts_once() {
    let article = |n: usize| {
        format!(
            r#"{{"id":"n{n}","title":"T{n}","author":"A. Person","published_utc":"2025-11-{:02}T12:00:00Z",
            "article_url":"https://example.invalid/{n}","tickers":["VOLA"],"publisher":{{"name":"P"}}}}"#,
            n + 3
        )
    };
    let page = move |range: std::ops::Range<usize>, next: Option<&str>| {
        let items: Vec<String> = range.map(article).collect();
        let next = next.map(|c| {
            format!(r#","next_url":"https://api.polygon.io/v2/reference/news?cursor={c}""#)
        });
        let items = items.join(",");
        ok(format!(
            r#"{{"results":[{items}],"status":"OK","count":10{}}}"#,
            next.unwrap_or_default()
        ))
    };
    let service = Responder::new(move |target, number| match (target, number) {
        ("/v2/reference/news?cursor=b", _) => page(2..4, Some("c")),
        ("/v2/reference/news?cursor=c", 2) => page(2..4, Some("c")),
        ("/v2/reference/news?cursor=c", _) => page(4..5, None),
        _ => page(0..2, Some("b")),
    });
    let bench = Bench::new(service.base());
    bench.confirmed("news VOLA --from 2025-11-03 --to 2025-11-10");
    assert_eq!(service.asked().len(), 4);
    let rows = bench.rows("news", "VOLA");
    assert_eq!(rows.len(), 5, "{rows:?}");
    let before = bench.size();
    bench.confirmed("news VOLA --from 2025-11-03 --to 2025-11-10");
    assert_eq!(bench.size(), before);
    bench.verifies();
}

#[test]
fn what_is_unknown_in_an_answer_is_a_finding_with_its_path() {
    let days = sessions("2025-11-10", "2025-11-13");
    let service = Responder::new(move |_, _| {
        let body = bars_body("VOLA", &days, |n| format!("8{n}"));
        ok(body.replace(r#""n":7"#, r#""n":"7","zz":"1.5""#))
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-11-10 --to 2025-11-13 --grouped never --no-derive";
    let review = bench.confirmed(words);
    assert_eq!(review["rows"]["accepted"], 4);
    let findings = review["findings"].as_array().unwrap();
    let told = |word: &str| findings.iter().any(|one| one["text"].as_str().unwrap().contains(word));
    assert!(told("`zz`") && told("`n`"), "{findings:?}");
    let rows = bench.rows("spot", "VOLA");
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().all(|row| row.to_string().contains(r#""1.5""#)), "{}", rows[0]);
    bench.verifies();
}

/// Two fetches at once: one of them has the inbox, the other says so.
#[test]
fn one_fetch_at_a_time() {
    let service = Responder::new(|_, _| Play::Hang);
    let bench = Bench::new(service.base());
    let mut first = bench.start("spot VOLA --from 2025-11-10 --yes");
    super::wait_until("it asks", || !service.asked().is_empty());
    let mut second = bench.command(&bench.fetch_line("spot VOLA --from 2025-11-10 --yes"));
    second.env("VOLLEDGER_LOCK_WAIT", "0");
    crate::program::ran(second, None).exits(21);
    assert_eq!(service.asked().len(), 1);
    // Meanwhile the ledger itself is free.
    let file = bench.desk.write("OTHER.csv", "date,close\n2025-11-13,5.5\n");
    bench.run(&format!("import spot {file} -s OTHER --yes")).exits(0);
    assert_eq!(bench.rows("spot", "OTHER").len(), 1);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn the_review_of_a_fetch_tells_every_outcome() {
    let days = sessions("2025-11-10", "2025-11-13");
    let service = Responder::new(move |_, _| ok(bars_body("VOLA", &days, |n| format!("9{n}"))));
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-11-03 --to 2025-11-13 --grouped never --stage-only --json";
    let review = bench.fetch(words).exits(0).json();
    let lines: Vec<String> = review["fetch"]["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["from", "to", "fact"].map(|name| one[name].as_str().unwrap()).join(" "))
        .collect();
    assert_eq!(lines, ["2025-11-03 2025-11-09 empty", "2025-11-10 2025-11-13 data"]);
    assert_eq!(review["sources"][0]["kind"], "http");
    assert_eq!(review["state"], "staged");
    assert_eq!(bench.run("status --json").exits(0).json()["open"], json!(["b1"]));
    assert_ne!(review["fetch"], Value::Null);
}

#[test]
fn what_a_service_was_asked_later_is_not_told_of_the_past() {
    let service = Responder::new(|_, _| ok(r#"{"status":"OK","resultsCount":0}"#));
    let bench = Bench::new(service.base());
    let file = bench.desk.write("VOLA.csv", "date,close\n2025-11-13,5.5\n");
    bench.run(&format!("import spot {file} -s VOLA --yes")).exits(0);
    bench.confirmed("spot VOLA --from 2025-10-01 --to 2025-10-31 --grouped never --no-derive");
    for (at, asked) in [("", 1), ("--at 2", 0)] {
        let gaps = bench.run(&format!("gaps VOLA --series spot {at} --json")).exits(0).json();
        assert_eq!(gaps["rows"][0]["coverage"].as_array().unwrap().len(), asked, "{gaps}");
        let status = bench.run(&format!("status {at} --json")).exits(0).json();
        assert_eq!(status["coverage"].as_array().unwrap().len(), asked, "{status}");
    }
}

/// Two answers of the same bytes about two symbols are two facts, and a third run asks nothing.
#[test]
fn equal_answers_without_items_about_two_symbols_are_two_facts() {
    let service = Responder::new(|_, _| ok(r#"{"status":"OK","resultsCount":0}"#));
    let bench = Bench::new(service.base());
    let words = |symbol: &str| {
        format!("spot {symbol} --from 2025-10-01 --to 2025-10-31 --grouped never --no-derive")
    };
    for symbol in ["ONE", "TWO", "ONE", "TWO"] {
        bench.confirmed(&words(symbol));
    }
    assert_eq!(service.asked().len(), 2);
    assert_eq!(bench.size().1["active"], 2);
    // Rolled back, it may be asked and said again.
    bench.run("batch rollback b1").exits(0);
    bench.confirmed(&words("ONE"));
    assert_eq!(service.asked().len(), 3);
    assert_eq!(bench.size().1["active"], 2);
    bench.verifies();
}

/// The same failure twice is a failure twice, also where the clock stands still.
#[test]
fn a_second_failure_is_not_taken_for_the_first() {
    let service = Responder::new(|_, _| whole("400 Bad Request", r#"{"error":"no"}"#));
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-10-01 --to 2025-10-31 --grouped never --yes --json";
    for run in 1..=3 {
        let review = bench.fetch(words).exits(1).json();
        assert_eq!(review["fetch"]["outcomes"][0]["fact"], "failed", "run {run}: {review}");
        assert_eq!(service.asked().len(), run);
    }
    bench.verifies();
}

/// Bad luck of one question, while the service answers others, is no failure; an outage is.
#[test]
fn a_question_with_bad_luck_is_asked_on_while_others_are_answered() {
    let days = sessions("2025-11-10", "2025-11-13");
    let unlucky = std::sync::atomic::AtomicUsize::new(0);
    let service = Responder::new(move |target, _| {
        let symbol = target.split('/').nth(4).unwrap();
        let order = std::sync::atomic::Ordering::SeqCst;
        if symbol == "UNLUCKY" && unlucky.fetch_add(1, order) < 6 {
            return whole("500 Oops", r#"{"error":"oops"}"#);
        }
        ok(bars_body(symbol, &days, |n| format!("6{n}.5")))
    });
    let bench = Bench::new(service.base());
    let words = "spot LUCKY UNLUCKY --from 2025-11-10 --to 2025-11-13 --grouped never --no-derive";
    let review = bench.confirmed(&format!("{words} --jobs 1"));
    assert_eq!(review["fetch"]["requests"], 8);
    assert_eq!(bench.rows("spot", "UNLUCKY").len(), 4);
    bench.verifies();
}
