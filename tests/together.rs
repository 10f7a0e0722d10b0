//! Eight processes at once on one ledger: one writes at a time, the others wait or are told, and
//! nothing that one of them was told is done is missing afterwards.

use crate::program::{Desk, Ran, ran};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

const PROCESSES: usize = 8;

fn rounds() -> usize {
    let soak = std::env::var("VOLLEDGER_SOAK").ok().and_then(|n| n.parse().ok());
    soak.map_or(3, |times: usize| times.clamp(3, 40))
}

/// Runs a command of one process until it is not turned away. Those with an even number wait for
/// the ledger, the others are told at once who has it, and come again.
fn insist(desk: &Desk, number: usize, told: &AtomicUsize, line: &str) -> Ran {
    loop {
        let mut command = desk.command(line.split_whitespace());
        command.env("USER", format!("p{number}"));
        command.env("VOLLEDGER_LOCK_WAIT", if number.is_multiple_of(2) { "120" } else { "0" });
        let ended = ran(command, None);
        if ended.exit != 21 {
            return ended;
        }
        assert!(number % 2 == 1, "{}", ended.err);
        assert!(ended.err.contains("process"), "the holder is not named: {}", ended.err);
        told.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(15));
    }
}

/// What one process does in a round: a symbol of its own, and one that all of them write.
fn round(desk: &Desk, number: usize, round: usize, told: &AtomicUsize) -> [String; 2] {
    let day = format!("2024-{:02}-{:02}", round % 12 + 1, round / 12 + 1);
    let own = desk.write(&format!("own-{number}-{round}.csv"), &csv(&day, number, round));
    let all = desk.write(&format!("all-{number}-{round}.csv"), &csv("2024-01-02", number, round));
    [format!("import iv {own} -s OWN{number}"), format!("import iv {all} -s ALL")].map(|import| {
        let staged = insist(desk, number, told, &format!("{import} --stage-only --json")).exits(0);
        let batch = staged.json()["batch"].as_str().unwrap().to_owned();
        // Whoever decided about the same cell in between makes the review stale.
        let mut confirm = format!("batch confirm {batch}");
        loop {
            let ended = insist(desk, number, told, &confirm);
            match ended.exit {
                0 => break,
                20 => {
                    let diff = insist(desk, number, told, &format!("batch diff {batch} --json"));
                    let token = diff.json()["token"].as_str().unwrap().to_owned();
                    confirm = format!("batch confirm {batch} --expect {token}");
                }
                other => panic!("exit {other}: {}", ended.err),
            }
        }
        batch
    })
}

fn csv(day: &str, number: usize, round: usize) -> String {
    format!("Date,IV30\n{day},{}.{:03}\n", 20 + number, round)
}

#[test]
fn eight_processes_lose_no_update() {
    let desk = Desk::with_ledger();
    let told = AtomicUsize::new(0);
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let (desk, told) = (&desk, &told);
        let threads: Vec<_> = (0..PROCESSES)
            .map(|number| {
                let rounds = move || (0..rounds()).flat_map(move |n| round(desk, number, n, told));
                scope.spawn(move || rounds().collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let wanted = PROCESSES * rounds() * 2;
    assert_eq!(acknowledged.iter().collect::<BTreeSet<_>>().len(), wanted, "one number, twice");

    let log = desk.run("log --json -n 100000").json();
    let entries = log["entries"].as_array().unwrap();
    let of_kind = |kind: &str| -> Vec<String> {
        let entries = entries.iter().filter(|entry| entry["kind"] == kind);
        entries.map(|entry| entry["batches"][0].as_str().unwrap().to_owned()).collect()
    };
    let (staged, committed) = (of_kind("stage"), of_kind("commit"));
    assert_eq!((staged.len(), committed.len(), entries.len()), (wanted, wanted, 2 * wanted));
    let committed_once: BTreeSet<_> = committed.iter().collect();
    assert_eq!(committed_once, acknowledged.iter().collect());
    let actors: BTreeSet<_> = entries.iter().map(|entry| entry["actor"].to_string()).collect();
    assert_eq!(actors.len(), PROCESSES, "{actors:?}");

    for number in 0..PROCESSES {
        let view = desk.run(&format!("view iv OWN{number} --json")).exits(0).json();
        assert_eq!(view["rows"].as_array().map(Vec::len), Some(rounds()), "{number}");
    }
    // Of the contested cell, the one that was confirmed last.
    let last = newest(&committed, &desk);
    let view = desk.run("view iv ALL --json").exits(0).json();
    let rows = &view["rows"];
    assert_eq!((rows.as_array().map(Vec::len), &rows[0]["atm_iv"]), (Some(1), &last));
    desk.run("verify --deep").exits(0);
    let whole = desk.run("recover .volledger --dry-run --json").exits(0).json();
    assert_eq!(whole["whole"], true);
    let told = told.into_inner();
    eprintln!("{PROCESSES} processes, {wanted} batches, turned away {told} times");
    assert!(told > 0, "nobody was ever turned away");
}

/// The value that the batch of `ALL` says that was committed last; the log has the newest first.
fn newest(committed: &[String], desk: &Desk) -> Value {
    for batch in committed {
        let diff = desk.run(&format!("batch show {batch} --json")).json();
        if diff["sources"][0]["name"].as_str().is_some_and(|name| name.contains("all-")) {
            return diff["changes"][0]["new"].clone();
        }
    }
    panic!("no batch of ALL");
}
