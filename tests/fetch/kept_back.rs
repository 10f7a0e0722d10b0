//! What was taken back stays away: also where an answer of before waits, where another question would
//! bring it, and where its day is another one in UTC.

use super::responder::{Responder, ok};
use super::{Bench, bars_body, sessions, wait_until};
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
    assert!(ran.err.contains("1 answers are kept"), "{}", ran.err);
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
