//! The ten laws of the ledger over random histories.
//!
//! `VOLLEDGER_SOAK=n` multiplies the number of histories and makes law 10 try every byte.

pub mod damage;
mod inputs;
mod machine;
mod model;
mod projections;

use machine::{World, step};
use proptest::test_runner::{Config, TestRunner};

/// How often the normal number of cases is run.
fn soak() -> u32 {
    let asked = std::env::var("VOLLEDGER_SOAK").ok();
    asked.map_or(1, |times| times.parse().unwrap_or(10))
}

fn histories(cases: u32, steps: std::ops::Range<usize>, on_disk: bool) {
    histories_of(cases, steps, on_disk, false);
}

fn histories_of(cases: u32, steps: std::ops::Range<usize>, on_disk: bool, projections: bool) {
    let scratch = tempfile::tempdir().unwrap();
    let config = Config {
        cases: cases * soak(),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let strategy = proptest::collection::vec(step(), steps);
    let outcome = TestRunner::new(config).run(&strategy, |steps| {
        let scratch = scratch.path().to_owned();
        let mut world = match on_disk {
            true => World::on_disk(scratch),
            false => World::in_memory(scratch),
        };
        if projections {
            world = world.with_projections();
        }
        for step in &steps {
            world.step(step);
        }
        world.end();
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn random_histories_keep_the_laws() {
    histories(1_000, 1..12, false);
}

#[test]
fn more_random_histories_keep_the_laws() {
    histories(1_000, 1..12, false);
}

#[test]
fn long_histories_keep_the_laws() {
    histories(20, 25..45, false);
}

#[test]
fn histories_on_disk_keep_the_laws() {
    histories(40, 4..14, true);
}

#[test]
fn projections_follow_random_histories() {
    histories_of(60, 1..12, false, true);
}

#[test]
fn projections_on_disk_follow_random_histories() {
    histories_of(6, 4..12, true, true);
}

#[test]
fn a_crash_leaves_the_old_or_the_new_ledger() {
    damage::crashes();
    damage::unsealed();
}

#[test]
fn a_value_forged_within_the_engine_is_never_served() {
    damage::forged();
}

#[test]
fn every_changed_byte_is_noticed() {
    let every = std::env::var("VOLLEDGER_SOAK").is_ok();
    let seed = std::env::var("VOLLEDGER_SEED").ok();
    let seed = seed.map_or(42, |text| text.parse().unwrap());
    let (tried, counts, wrong) = damage::flips(150, every, seed);
    eprintln!("{tried} flips; refused, noticed, without effect: {counts:?}");
    assert!(wrong.is_empty(), "{tried} flips, {counts:?}:\n{}", wrong.join("\n"));
}

/// Too rare for the random histories: a batch without a usable row still says what it was to do.
#[test]
fn a_batch_without_a_usable_row_is_read_anew_with_its_own_class() {
    use crate::support::{options, run, stage};
    use volledger::app::import::{ImportOptions, MappingChoice};
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("f.csv");
    std::fs::write(&path, "Date,IV30\n2024-01-02,0.2\n").unwrap();
    for (keep, overlap) in [(false, "replace"), (true, "keep")] {
        let mut ledger = volledger::app::Ledger::in_memory();
        let options = ImportOptions { keep, ..options(volledger::domain::Series::Iv, Some("AAA")) };
        let staged = stage(&mut ledger, &path, &options);
        assert_eq!(staged.review.rows.accepted, 0);
        assert_eq!(staged.review.overlap, overlap);
        let choice = MappingChoice::Text { name: "loose.toml".into(), text: inputs::LOOSE.into() };
        let id = staged.batch.unwrap();
        let again = volledger::app::decide::replay(&mut ledger, id, choice, true, &run());
        let review = again.unwrap().review;
        assert_eq!((review.rows.accepted, review.overlap), (1, overlap));
    }
}
