//! The key is in the `Authorization` header, and nowhere else.

use super::responder::{Responder, ok, whole};
use super::{Bench, KEY, bars_body, sessions, wait_until};
use crate::support::files;
use std::collections::BTreeSet;
use std::path::Path;

pub fn holds(bytes: &[u8], word: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let word = word.to_ascii_lowercase();
    lower.windows(word.len()).any(|window| window == word.as_bytes())
}

/// The files below a directory that hold `word`, as they are or inside of a zstd frame.
pub fn holding(directory: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(directory) {
        let bytes = std::fs::read(&path).unwrap();
        if holds(&bytes, word) {
            found.push(format!("{} as it is", path.display()));
        }
        let starts = bytes.windows(4).enumerate().filter(|(_, four)| *four == b"\x28\xb5\x2f\xfd");
        for (at, _) in starts {
            let mut plain = Vec::new();
            let frame = zstd::stream::read::Decoder::new(&bytes[at..]).unwrap().single_frame();
            // Four bytes may stand there by chance; then it is no frame.
            let _ = std::io::copy(&mut std::io::BufReader::new(frame), &mut plain);
            if holds(&plain, word) {
                found.push(format!("{} at {at}, packed", path.display()));
            }
        }
    }
    found
}

/// Runs of every ending, as talkative as can be.
#[test]
fn the_key_is_nowhere() {
    let days = sessions("2025-11-10", "2025-11-13");
    let echo = format!(r#"{{"status":"ERROR","error":"Unknown API Key {KEY}"}}"#);
    let service = Responder::new(move |target, _| match target.split('/').nth(4).unwrap_or("") {
        "REFUSED" => whole("401 Unauthorized", &echo),
        "PLAN" => whole(
            "403 Forbidden",
            format!(r#"{{"status":"NOT_AUTHORIZED","message":"not for apiKey={KEY}"}}"#),
        ),
        "ECHO" => ok(format!(r#"{{"results":[],"note":"{KEY}"}}"#)),
        "HEADER" => whole(&format!("200 OK\r\nX-Request-Id: {KEY}"), "{}"),
        "MOVED" => whole(&format!("302 Found\r\nLocation: /x?apiKey={KEY}"), ""),
        "NEXT" if !target.contains("cursor") => {
            let next = format!("{target}&cursor=x&apiKey={KEY}").replace('&', "\\u0026");
            let body = bars_body("NEXT", &days, |_| "5".into());
            let more = format!(r#""next_url":"https://api.polygon.io{next}","#);
            ok(format!("{{{more}{}", &body[1..]))
        }
        symbol => ok(bars_body(symbol, &days, |n| format!("4{n}.125"))),
    });
    let mut bench = Bench::new(service.base());
    let mut said = String::new();
    let mut say = |bench: &Bench, line: &str, exits: i32| {
        let mut command = bench.command(line);
        command.env("VOLLEDGER_LOG", "trace");
        let ran = crate::program::ran(command, None);
        assert_eq!(ran.exit, exits, "{line}: {}\n{}", ran.out, ran.err);
        said += &ran.out;
        said += &ran.err;
    };
    let range = "--from 2025-11-10 --to 2025-11-13 --grouped never --yes -vv";
    for (symbol, exits) in
        [("GOOD", 0), ("NEXT", 40), ("PLAN", 42), ("REFUSED", 41), ("ECHO", 40), ("HEADER", 40)]
    {
        say(&bench, &bench.fetch_line(&format!("spot {symbol} {range}")), exits);
    }
    let moved = bench.fetch(&format!("spot MOVED {range}"));
    assert!([0, 1, 40].contains(&moved.exit), "{}", moved.err);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bench.base = format!("http://{closed}");
    say(&bench, &bench.fetch_line(&format!("spot NOBODY {range}")), 40);
    bench.base = format!("http://{KEY}:x@{closed}");
    say(&bench, &bench.fetch_line(&format!("spot NOBODY {range}")), 2);
    for line in [
        "status --json",
        "log --json",
        "batch list --json",
        "batch show b1 --json --full",
        "export spot -f csv -O spot.csv",
        "export tomic tomic",
        "batch export b1 b1.bundle",
        "backup all.backup",
        "why spot GOOD 2025-11-12 --json",
        "verify --deep",
    ] {
        say(&bench, line, 0);
    }
    said += &moved.out;
    said += &moved.err;
    // The search is not blind: what must be there is found, packed and plain.
    assert!(holds(said.as_bytes(), "asked") && said.contains("TRACE"), "the log said nothing");
    assert!(!holding(bench.desk.path(), "resultsCount").is_empty(), "no body was searched");
    // Each line of diagnostics and each recorded answer names the run that it belongs to.
    let runs: BTreeSet<&str> = said
        .lines()
        .filter(|line| line.contains("volledger::net"))
        .map(|line| line.split(['[', ']']).nth(1).unwrap_or(line))
        .collect();
    assert!(runs.len() > 5 && runs.iter().all(|run| run.len() == 8), "{runs:?}");
    assert!(!holding(bench.desk.path(), "x-volledger-run").is_empty(), "no answer names its run");
    assert_eq!(holding(bench.desk.path(), KEY), [""; 0]);
    assert!(!holds(said.as_bytes(), KEY), "{said}");
    let head = format!("bearer {}", KEY.to_lowercase());
    for request in service.asked() {
        let (line, headers) = request.split_once("\r\n").unwrap();
        assert!(!holds(line.as_bytes(), KEY), "{line}");
        assert!(headers.to_lowercase().contains(&head), "{request}");
        assert_eq!(headers.matches(KEY).count(), 1, "{request}");
    }
}

#[test]
fn the_key_is_not_in_the_list_of_processes() {
    let service = Responder::new(|_, _| super::responder::Play::Hang);
    let bench = Bench::new(service.base());
    let mut child = bench.start("spot NEW --from 2025-11-10 --yes -vv");
    wait_until("it asks", || !service.asked().is_empty());
    let words = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(holds(&words, "--base-url"));
    assert!(!holds(&words, KEY));
    let inbox = bench.ledger();
    assert!(!files(&inbox).is_empty());
    assert_eq!(holding(&inbox, KEY), [""; 0]);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A third host gets neither a request nor the key.
#[test]
fn another_host_does_not_get_the_key() {
    let other = Responder::new(|_, _| ok("{}"));
    let to = other.base();
    let service = Responder::new(move |target, _| {
        if target.contains("/MOVED/") {
            return whole(&format!("302 Found\r\nLocation: {to}/x"), "");
        }
        let days = sessions("2025-11-10", "2025-11-13");
        let body = bars_body("NEXT", &days, |_| "5".into());
        ok(format!(r#"{{"next_url":"{to}/v2/more?cursor=1",{}"#, &body[1..]))
    });
    let bench = Bench::new(service.base());
    for symbol in ["MOVED", "NEXT"] {
        let words =
            format!("spot {symbol} --from 2025-11-10 --to 2025-11-13 --grouped never --yes");
        bench.fetch(&words).exits(40);
    }
    assert_eq!(other.asked(), [""; 0]);
    bench.verifies();
}
