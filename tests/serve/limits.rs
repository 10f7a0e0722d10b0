//! What a page refuses because it is too much, and what no request may keep from the others.

use super::client::encoded;
use super::{Site, desk};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many rows, each with this value.
fn many(rows: usize, value: &str) -> String {
    let query = format!(
        "with recursive t(n) as (select 1 union all select n+1 from t where n<{rows}) \
         select n, {value} as v from t"
    );
    encoded(&[("q", &query)])
}

/// A query of a page's whole patience.
fn slow() -> String {
    let query =
        "with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n";
    encoded(&[("q", query)])
}

/// A part of them would look like the whole.
#[test]
fn an_answer_of_too_many_rows_is_refused_and_not_cut_off() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let all = site.get(&format!("/sql.csv?{}", many(200_000, "1"))).is(200);
    assert_eq!(all.body.lines().count(), 200_001);
    let query = many(200_001, "1");
    for path in ["/sql.csv", "/sql.json"] {
        let refused = site.get(&format!("{path}?{query}")).is(400);
        assert!(refused.body.contains("200,000 rows"), "{}", refused.body);
        assert!(refused.body.contains("volledger sql"), "{}", refused.body);
    }
    // The page has the first of them and says so.
    assert!(site.get(&format!("/sql?{query}")).is(200).body.contains("There are more"));
}

#[test]
fn an_answer_of_too_many_bytes_is_given_up() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    // Of the third one each byte is written with six.
    let escaped = "replace(hex(zeroblob(16000)), '0', char(1))";
    for query in [
        many(1_000, "hex(zeroblob(500000))"),
        many(1, "hex(zeroblob(50000000))"),
        many(1_200, escaped),
    ] {
        for path in ["/sql.csv", "/sql.json"] {
            let refused = site.get(&format!("{path}?{query}")).is(400);
            assert!(refused.body.contains("too large"), "{}", refused.body);
        }
        let page = site.get(&format!("/sql?{query}")).is(200);
        assert!(
            page.body.contains("too large for a page; ") && page.body.len() < 100_000,
            "{}",
            page.body.len()
        );
    }
}

/// A query of a page's whole patience, a command that wants the ledger, and a page: the command waits for
/// the query, the page for nobody.
#[test]
fn pages_go_on_beside_a_slow_query_and_a_command_that_waits() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    site.get("/").is(200);
    let slow = slow();
    std::thread::scope(|scope| {
        let query = scope.spawn(|| site.get(&format!("/sql.json?{slow}")));
        std::thread::sleep(Duration::from_millis(500));
        let command = scope.spawn(|| desk.run("status --json"));
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(!query.is_finished(), "the query was not slow");
        for path in ["/events/3", "/batches", "/symbols.json"] {
            let asked = Instant::now();
            let page = site.get(path).is(200);
            let took = asked.elapsed();
            assert!(took < Duration::from_secs(4), "{path}: {took:?}\n{}", page.body);
        }
        assert!(!query.is_finished(), "the pages waited for the query");
        query.join().unwrap().is(400);
        command.join().unwrap().exits(0);
    });
}

/// One query after the other has the ledger, and a command gets it all the same.
#[test]
fn a_command_gets_its_turn_among_slow_queries() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    site.get("/").is(200);
    let slow = slow();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for wait in [0, 3_000] {
            let (site, slow, done) = (&site, &slow, &done);
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(wait));
                while !done.load(Ordering::Relaxed) {
                    let status = site.get(&format!("/sql.json?{slow}")).status;
                    assert!(matches!(status, 400 | 503), "{status}");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(1_000));
        let mut command = desk.command(["status"]);
        let ran = crate::program::ran(
            {
                command.env("VOLLEDGER_LOCK_WAIT", "40");
                command
            },
            None,
        );
        done.store(true, Ordering::Relaxed);
        ran.exits(0);
    });
}

/// Else a few hundred who do not read would have every place for connections.
#[test]
fn who_does_not_read_an_answer_is_hung_up_on() {
    const ASKED: usize = 60;
    let desk = desk();
    let site = Site::of(&desk, &[]);
    // A megabyte each.
    let query = many(1_000, "hex(zeroblob(500))");
    let request = format!("GET /sql.csv?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", site.host());
    let mut stream = site.connect();
    stream.write_all(request.repeat(ASKED).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(16));
    let mut bytes = Vec::new();
    // The end may be that of a connection that was cut off.
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "nothing came at all");
    assert!(bytes.len() < ASKED * 1_000_000, "{} bytes came: everything was kept", bytes.len());
    site.get("/status.json").is(200);
}
