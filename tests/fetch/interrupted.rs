//! A fetch that is killed or stopped goes on where it was.

use super::fake::Fake;
use super::responder::{Responder, ok, whole};
use super::{Bench, bars_body, exported, sessions, soak, wait_until};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const JOBS: usize = 4;

#[test]
fn killed_three_times_and_finished_it_is_the_undisturbed_ledger() {
    let Some(fake) = Fake::start(&[]) else { return };
    let symbols = soak(40, 500);
    let calm = Bench::new(fake.base());
    let (list, _) = calm.watchlist(symbols);
    calm.fetch(&format!("spot {list} --years 2 --yes -q")).exits(0);

    fake.reset();
    fake.control(r#"{"slow_ms": 60}"#);
    let killed = Bench::new(fake.base());
    let (list, _) = killed.watchlist(symbols);
    let words = format!("spot {list} --years 2 --yes -q --jobs {JOBS}");
    for part in 1..=3 {
        let mut child = killed.start(&words);
        let enough = (symbols * part / 4) as u64;
        wait_until("enough was asked", || {
            assert_eq!(child.try_wait().unwrap(), None, "it was over before it was killed");
            fake.requests() >= enough
        });
        child.kill().unwrap();
        child.wait().unwrap();
        killed.verifies();
    }
    fake.control(r#"{"slow_ms": 0}"#);
    killed.fetch(&words).exits(0);
    assert_eq!(killed.shown(), calm.shown());
    assert!(calm.shown().iter().any(|line| line.starts_with("hv ")));
    assert!(exported(&killed) == exported(&calm));
    killed.verifies();

    // What was durable is not asked again: at most what was under way at each kill.
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    for request in fake.log() {
        assert_eq!(request["status"], 200);
        *asked.entry(request["path"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(asked.len(), symbols);
    let total: usize = asked.values().sum();
    assert!(total <= symbols + 3 * 2 * JOBS, "{total} requests");
    fake.reset();
    killed.fetch(&words).exits(0);
    assert_eq!(fake.requests(), 0);
}

/// Answers each symbol at once until a number of them, then waits for the gate.
fn gated(days: &'static str, free: usize, gate: &Arc<AtomicBool>) -> Responder {
    let (gate, all) = (Arc::clone(gate), sessions(days, "2025-11-13"));
    Responder::new(move |target, number| {
        while number >= free && !gate.load(Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let symbol = target.split('/').nth(4).unwrap();
        ok(bars_body(symbol, &all, |n| format!("{}.25", 100 + n)))
    })
}

#[test]
fn an_answer_that_was_durable_at_a_kill_is_never_asked_again() {
    let gate = Arc::new(AtomicBool::new(false));
    let service = gated("2025-11-03", 7, &gate);
    let bench = Bench::new(service.base());
    let (list, names) = bench.watchlist(12);
    let file = bench.desk.write("OLD.csv", "Date,Close\n2025-11-04,5\n");
    bench.run(&format!("import spot {file} -s OLD --yes")).exits(0);
    let words = format!("spot {list} --from 2025-11-03 --yes -q --grouped never --jobs 1");
    let mut child = bench.start(&words);
    wait_until("seven were kept", || service.asked().len() == 8 && bench.arrived() == 7);
    child.kill().unwrap();
    child.wait().unwrap();
    let told = bench.run("status").exits(0);
    assert!(
        told.out.contains("of answers that came") && told.err.contains("goes on"),
        "{}",
        told.out
    );
    let status = |words: &str| bench.run(&format!("status --json {words}")).exits(0).json();
    let waits = std::fs::metadata(bench.ledger().join("inbox/arrived")).unwrap().len();
    assert_eq!((&status("")["inbox"], &status("--at #0")["inbox"]), (&waits.into(), &0.into()));
    gate.store(true, Ordering::SeqCst);
    bench.fetch(&words).exits(0);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for target in service.targets() {
        *times.entry(target.split('/').nth(4).unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(times.len(), names.len());
    // The eighth was never answered.
    for (number, name) in (1..).zip(&names) {
        assert_eq!(times[name], if number == 8 { 2 } else { 1 }, "{name}: {times:?}");
    }
    for name in &names {
        assert_eq!(bench.rows("spot", name).len(), 9, "{name}");
    }
    assert_eq!(status("")["inbox"], 0);
    bench.verifies();
}

#[test]
fn stopped_by_ctrl_c_it_says_so_and_goes_on() {
    let gate = Arc::new(AtomicBool::new(false));
    let service = gated("2025-11-03", 5, &gate);
    let bench = Bench::new(service.base());
    let (list, names) = bench.watchlist(12);
    let words = format!("spot {list} --from 2025-11-03 --yes --grouped never --jobs 1");
    let child = bench.start(&words);
    wait_until("five were answered", || service.asked().len() == 6);
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{err}");
    assert!(err.contains("stopped; 5 of 12 answers are kept"), "{err}");
    assert!(err.contains("goes on where it was"), "{err}");
    assert_eq!(bench.size().0, 0);
    bench.verifies();

    gate.store(true, Ordering::SeqCst);
    let ran = bench.fetch(&words).exits(0);
    assert!(ran.err.contains("5 answers kept from an interrupted fetch"), "{}", ran.err);
    assert!(names.iter().all(|name| bench.rows("spot", name).len() == 9));
    let mut targets = service.targets();
    targets.sort();
    targets.dedup();
    assert_eq!((targets.len(), service.targets().len()), (12, 13));
}

/// Killed between staging and confirming, a batch would wait for ever behind runs that end well:
/// the next unattended run decides about it, by its own limits.
#[test]
fn an_unattended_run_decides_about_a_batch_that_was_left_staged() {
    let days = sessions("2025-11-03", "2025-11-13");
    let service = Responder::new(move |_, _| ok(bars_body("VOLA", &days, |n| format!("1{n}.5"))));
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-11-03 --grouped never";
    bench.fetch(&format!("{words} --stage-only")).exits(0);
    let ran = bench.fetch(&format!("{words} --stage-only")).exits(0);
    assert!(ran.out.contains("waits for a decision"), "{}", ran.out);
    bench.run("view spot VOLA").exits(1);
    bench.fetch(&format!("{words} --yes")).exits(0);
    assert_eq!(service.asked().len(), 1);
    assert_eq!(bench.rows("spot", "VOLA").len(), 9);
    // What was rejected keeps it staged, run after run, and its day alone is asked again.
    let bad = Responder::new(|target, _| {
        let mut parts = target.split(['/', '?']).skip(8);
        let days = sessions(parts.next().unwrap(), parts.next().unwrap());
        let bad = days.iter().position(|day| day.to_string() == "2025-11-06");
        let price = |n| if Some(n) == bad { "-1.5".to_owned() } else { format!("1{n}.5") };
        ok(bars_body("VOLB", &days, price))
    });
    let bench = Bench::new(bad.base());
    let words = "spot VOLB --from 2025-11-03 --grouped never";
    for _ in 0..2 {
        bench.fetch(&format!("{words} --yes")).exits(11);
    }
    assert!(bad.targets()[1].contains("/2025-11-06/2025-11-06?"), "{:?}", bad.targets());
    bench.fetch(&format!("{words} --yes --max-rejected 1")).exits(0);
    assert_eq!((bad.asked().len(), bench.size().1["active"].as_u64()), (3, Some(1)));
    assert_eq!(bench.rows("spot", "VOLB").len(), 8);
}

/// A failure that was kept at a kill is asked again by the next run, and not told again.
#[test]
fn what_failed_before_a_stop_is_asked_again() {
    let gate = Arc::new(AtomicBool::new(false));
    let all = sessions("2025-11-03", "2025-11-13");
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, number| {
        let symbol = target.split('/').nth(4).unwrap();
        let open = || theirs.load(Ordering::SeqCst);
        if number == 0 {
            return whole("400 Bad", r#"{"status":"ERROR","error":"bad luck"}"#);
        }
        while !open() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        ok(bars_body(symbol, &all, |n| format!("{}.25", 100 + n)))
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA VOLB --from 2025-11-03 --yes --grouped never --jobs 1";
    let mut child = bench.start(words);
    wait_until("the failure was kept", || service.asked().len() == 2 && bench.arrived() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.store(true, Ordering::SeqCst);
    bench.fetch(words).exits(0);
    assert_eq!(bench.rows("spot", "VOLA").len(), 9);
    assert_eq!(bench.rows("spot", "VOLB").len(), 9);
    bench.verifies();
}

/// Asked on the next day, the question begins and ends elsewhere: what failed before is no news either,
/// and neither is what failed of another symbol.
#[test]
fn what_failed_before_a_stop_is_not_told_of_the_next_day() {
    let gate = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, number| {
        let open = || theirs.load(Ordering::SeqCst);
        if number < 2 {
            return whole("400 Bad", r#"{"status":"ERROR","error":"bad luck"}"#);
        }
        while !open() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        ok(bars_body(parts[4], &sessions(parts[8], parts[9]), |n| format!("{}.25", 100 + n)))
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-11-13T21:35:00Z".to_owned();
    let words = "--days 5 --grouped never --jobs 1 --no-derive";
    let mut child = bench.start(&format!("spot VOLX VOLA VOLB {words} --yes"));
    wait_until("the third was asked", || service.asked().len() == 3 && bench.arrived() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.store(true, Ordering::SeqCst);
    bench.now = super::NOW.to_owned();
    let ran = bench.fetch(&format!("spot VOLA VOLB {words} --yes")).exits(0);
    assert!(!ran.err.contains("failed"), "{}", ran.err);
    assert_eq!((bench.count("spot", "VOLA"), bench.count("spot", "VOLB")), (4, 4));
    assert_eq!(bench.size().1["active"], 1, "one batch: {:?}", bench.size());
    assert!(bench.size().1["staged"].as_u64().unwrap_or_default() == 0);
    // What failed is still missing.
    let plan = bench.fetch(&format!("spot VOLX {words} --dry-run --json")).exits(0).json();
    assert_eq!(plan["plan"]["questions"], 1, "{plan}");
    bench.verifies();
}

/// A chain that was kept at a kill in the morning is not that of the close; both are kept. Also where
/// it was asked for before the open, as that of the session before.
#[test]
fn a_snapshot_that_aged_in_the_inbox_is_asked_again() {
    for hour in [15, 14] {
        aged(hour);
    }
}

/// The first chain is of five minutes past this hour, UTC.
fn aged(hour: u32) {
    let gate = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, number| {
        let open = || theirs.load(Ordering::SeqCst);
        let symbol = target.split(['/', '?']).nth(4).unwrap();
        while number > 0 && !open() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let hour = if open() { 21 } else { hour };
        let quoted = format!("2025-11-14T{hour}:00:00Z");
        let ns = chrono::DateTime::parse_from_rfc3339(&quoted).unwrap().timestamp() * 1_000_000_000;
        ok(format!(
            r#"{{"status":"OK","request_id":"r","results":[{{"details":{{"contract_type":"call","expiration_date":"2025-12-19","strike_price":90,"ticker":"O:{symbol}251219C00090000"}},"last_quote":{{"ask":2,"bid":1.{hour},"last_updated":{ns}}}}}]}}"#
        ))
    });
    let mut bench = Bench::new(service.base());
    bench.now = format!("2025-11-14T{hour}:05:00Z");
    let words = "chain VOLA VOLB --yes --jobs 1 --no-derive";
    let mut child = bench.start(words);
    wait_until("the second was asked", || service.asked().len() == 2 && bench.arrived() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.store(true, Ordering::SeqCst);
    bench.now = super::NOW.to_owned();
    let ran = bench.fetch(words).exits(0);
    assert!(ran.err.contains("b1 was staged from an earlier fetch"), "{}", ran.err);
    for symbol in ["VOLA", "VOLB"] {
        assert_eq!(bench.rows("chain", symbol)[0]["bid"].to_string(), "1.21", "{symbol}");
    }
    bench.verifies();
}

/// A fetch with today in it, killed: its days up to yesterday stand, today is asked again. What came of
/// it before and what comes of it now are no contradiction, and neither is left out.
fn bars_until_today() -> (Responder, Arc<AtomicBool>) {
    let gate = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, number| {
        let open = || theirs.load(Ordering::SeqCst);
        while number > 0 && !open() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        let days = sessions(parts[8], parts[9]);
        let now = if open() { "9" } else { "8" };
        ok(bars_body(parts[4], &days, |n| match days[n].to_string().as_str() {
            "2025-11-14" => format!("{now}.5"),
            _ => "7.5".to_owned(),
        }))
    });
    (service, gate)
}

#[test]
fn what_was_kept_of_days_that_are_asked_again_is_confirmed_before_them() {
    let (service, gate) = bars_until_today();
    let mut bench = Bench::new(service.base());
    bench.now = "2025-11-14T20:00:00Z".to_owned();
    let words = "spot VOLA VOLB --from 2025-11-03 --jobs 1 --grouped never --no-derive --to";
    let mut child = bench.start(&format!("{words} 2025-11-14 --yes"));
    wait_until("the second was asked", || service.asked().len() == 2 && bench.arrived() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    gate.store(true, Ordering::SeqCst);
    bench.now = "2025-11-17T23:00:00Z".to_owned();
    let review = bench.confirmed(&format!("{words} 2025-11-17"));
    assert!(service.targets()[2].contains("/2025-11-14/2025-11-17?"), "{:?}", service.targets());
    let series = &review["series"][0];
    assert_eq!((&series["new"], &series["changed"]), (&1.into(), &1.into()), "{review}");
    for name in ["VOLA", "VOLB"] {
        let rows = bench.rows("spot", name);
        assert_eq!((rows.len(), rows[9]["close"].to_string()), (11, "9.5".to_owned()), "{name}");
    }
    bench.verifies();
}

/// What keeps one of the two from being confirmed keeps no other, and is not hidden by it.
#[test]
fn a_batch_that_waits_is_named_beside_one_that_came() {
    let days = |target: &str| {
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        sessions(parts[8], parts[9])
    };
    let service = Responder::new(move |target, _| {
        let days = days(target);
        ok(bars_body("VOLA", &days, |n| format!("1{n}.5")))
    });
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-11-03 --grouped never --no-derive";
    bench.fetch(&format!("{words} --to 2025-11-07 --stage-only")).exits(0);
    let ran = bench.fetch(&format!("{words} --to 2025-11-12 --yes")).exits(11);
    assert!(ran.err.contains("b1 waits for a decision"), "{}", ran.err);
    assert_eq!(bench.rows("spot", "VOLA").len(), 3);
    // The alert does not end by itself, whatever else comes.
    let ran = bench.fetch(&format!("{words} --to 2025-11-13 --yes --json")).exits(11);
    assert_eq!(ran.json()["fetch"]["waiting"], serde_json::json!(["b1"]));
    assert_eq!(bench.rows("spot", "VOLA").len(), 4);
    bench.run("batch discard b1").exits(0);
    let ran = bench.fetch(&format!("{words} --to 2025-11-13 --yes --json")).exits(0);
    assert!(ran.json()["fetch"].get("waiting").is_none(), "{}", ran.out);
    assert_eq!(bench.rows("spot", "VOLA").len(), 9);
}
