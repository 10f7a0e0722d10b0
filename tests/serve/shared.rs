//! One ledger, many hands: a server under load and commands that stage and confirm beside it.

use super::client::Site;
use super::work::led;
use super::{deciding, hidden};
use crate::program::{Desk, ran};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROCESSES: usize = 8;
const ROUNDS: usize = 3;

/// Runs a command that waits for the ledger.
fn run(desk: &Desk, line: &str) -> crate::program::Ran {
    let mut command = desk.command(line.split_whitespace());
    command.env("VOLLEDGER_LOCK_WAIT", "120");
    ran(command, None)
}

/// One process: a symbol of its own, staged and then confirmed by another command.
fn commands(desk: &Desk, number: usize) -> Vec<String> {
    let each = |round: usize| {
        let name = format!("own-{number}-{round}.csv");
        let csv = format!("Date,IV30\n2024-01-{:02},{}.5\n", round + 2, 20 + number);
        let file = desk.write(&name, &csv);
        let line = format!("import iv {file} -s OWN{number} --stage-only --json");
        let batch = run(desk, &line).exits(0).json()["batch"].as_str().unwrap().to_owned();
        run(desk, &format!("batch confirm {batch}")).exits(0);
        batch
    };
    (0..ROUNDS).map(each).collect()
}

/// Reads pages until told to stop; how many came, and how many were put off.
fn load(site: &Site, stop: &AtomicBool, put_off: &AtomicUsize) -> usize {
    let paths = ["/", "/batches.json", "/symbols", "/events", "/gaps.json", "/audit"];
    let mut came = 0;
    for path in paths.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return came;
        }
        let answer = site.get(path);
        match answer.status {
            200 => came += 1,
            503 => {
                assert!(answer.body.contains("process") || answer.body.contains("too much"));
                put_off.fetch_add(1, Ordering::Relaxed);
            }
            other => panic!("{path}: {other} {}", answer.body),
        }
    }
    came
}

/// Tells the readers to stop, also when something failed: they would go on for ever.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_server_under_load_and_eight_processes_lose_nothing() {
    let desk = Desk::with_ledger();
    let (site, token) = deciding(&desk);
    let (stop, put_off) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (own, uploaded, pages) = std::thread::scope(|scope| {
        let (desk, site, stop, put_off, token) = (&desk, &site, &stop, &put_off, &token);
        let stops = Stop(stop);
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(|| load(site, stop, put_off))).collect();
        let processes: Vec<_> =
            (0..PROCESSES).map(|number| scope.spawn(move || commands(desk, number))).collect();
        // The page stages and confirms as well.
        let page = scope
            .spawn(move || (0..ROUNDS).map(|round| page(site, token, round)).collect::<Vec<_>>());
        let own: Vec<String> = processes.into_iter().flat_map(|one| one.join().unwrap()).collect();
        let uploaded = page.join().unwrap();
        drop(stops);
        let pages: usize = readers.into_iter().map(|one| one.join().unwrap()).sum();
        (own, uploaded, pages)
    });
    let all: BTreeSet<String> = own.iter().chain(&uploaded).cloned().collect();
    assert_eq!(all.len(), (PROCESSES + 1) * ROUNDS, "one number, twice");
    let put_off = put_off.into_inner();
    eprintln!("{pages} pages meanwhile, {put_off} put off, {} batches", all.len());
    assert!(pages > 20, "{pages}");
    // Both see everything that either did.
    for seen in [desk.run("batch list --json").exits(0).json(), site.get("/batches.json").json()] {
        let lines = seen["batches"].as_array().unwrap();
        let active = lines.iter().filter(|line| line["state"] == "active");
        let active: BTreeSet<_> =
            active.map(|line| line["batch"].as_str().unwrap().to_owned()).collect();
        assert_eq!(active, all);
    }
    assert_eq!(site.get("/events.json?limit=5000").json()["position"], all.len() * 2);
    desk.run("verify --deep").exits(0);
}

/// Uploads and confirms on the page, until it has its turn.
fn page(site: &Site, token: &str, round: usize) -> String {
    let csv = format!("Date,IV30\n2024-01-{:02},33.5\n", round + 2);
    let words = [("token", token), ("series", "iv"), ("symbol", "PAGE")];
    let patient = |act: &dyn Fn() -> super::Answer| loop {
        let answer = act();
        if answer.status != 503 {
            return answer;
        }
    };
    let sent = patient(&|| site.upload(&words, ("PAGE.csv", csv.as_bytes())).unwrap());
    // On a busy machine it is a job that the answer leads to.
    let place = led(site, sent);
    let expect = hidden(&patient(&|| site.get(&place)).is(200), "expect");
    let form = [("token", token), ("expect", &expect)];
    patient(&|| site.post(&format!("{place}/confirm"), &form)).is(303);
    place.trim_start_matches("/batches/").to_owned()
}

#[test]
fn a_command_beside_an_idle_server_hardly_waits() {
    let desk = super::desk();
    let site = Site::of(&desk, &[]);
    for path in ["/", "/batches"] {
        site.get(path).is(200);
        let started = Instant::now();
        let mut command = desk.command(["status", "--json"]);
        // Even one that is told not to wait: a server lends.
        command.env("VOLLEDGER_LOCK_WAIT", "0");
        ran(command, None).exits(0);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    assert_eq!(site.get("/status.json").is(200).json()["position"], 5);
}

#[test]
fn a_page_says_who_holds_the_ledger() {
    let desk = super::desk();
    let site = Site::of(&desk, &[]);
    let place = desk.path().join(".volledger");
    let held = volledger::app::Run::new("somebody else").open(&place).unwrap();
    let page = site.get("/batches").is(503);
    assert!(page.body.contains("somebody else"), "{}", page.body);
    assert_eq!(site.get("/batches.json").is(503).json()["exit"], 21);
    drop(held);
    site.get("/batches").is(200);
}
