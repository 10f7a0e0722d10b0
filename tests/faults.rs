//! The whole ledger on a simulated disk: whatever is torn, forgotten or refused, an operation is
//! done or not done, and what was acknowledged stays.

mod disk;
mod engine;

use crate::support::{input, options, run, shown, try_shown};
use disk::{Disk, Fault, Random};
use engine::Engine;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use volledger::app::import::Staged;
use volledger::app::{AppError, Head, Ledger, Run, decide, import, outside, verify};
use volledger::domain::{BatchId, Series};
use volledger::ledger::files::Files;

/// Something that a history does; each appends one entry.
#[derive(Clone, Copy, Debug)]
enum Step {
    Stage(usize),
    Confirm(u32),
    RollBack(u32),
    Undo,
}

type Done = Result<(), AppError>;

const STEPS: [Step; 8] = [
    Step::Stage(0),
    Step::Confirm(1),
    Step::Stage(1),
    Step::Confirm(2),
    Step::RollBack(1),
    Step::Undo,
    Step::Stage(2),
    Step::Confirm(3),
];

struct World {
    _folder: tempfile::TempDir,
    files: Vec<PathBuf>,
    /// The log after so many steps, and what is shown then, where nothing fails.
    states: Vec<(Head, Vec<String>)>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, rows: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("Date,IV30,OHLC 20-Day Vol\n{rows}")).unwrap();
            path
        };
        // The second one takes more than a sector.
        let many = |day: u32| {
            format!("2024-{:02}-{:02},{}.5,18\n", day / 28 + 1, day % 28 + 1, 20 + day % 50)
        };
        let files = vec![
            file("one.csv", "2023-12-28,20.5,18\n2024-01-02,21,19\n"),
            file("two.csv", &(0..60).map(many).collect::<String>()),
            file("three.csv", "2024-01-02,25.5,\n"),
        ];
        let mut world = Self { _folder: folder, files, states: Vec::new() };
        let mut ledger = Ledger::in_memory();
        world.states.push((ledger.head(), shown(&ledger)));
        for step in STEPS {
            world.step(&mut ledger, step).unwrap();
            world.states.push((ledger.head(), shown(&ledger)));
        }
        world
    }

    fn stage(&self, ledger: &mut Ledger, file: usize) -> Result<Staged, AppError> {
        let options = options(Series::Iv, Some("AAA"));
        import::import_csv(ledger, &[input(&self.files[file])], &options, &run())
    }

    /// The step after so many, or that one and the next at once: a stage entry and its decision
    /// become durable together. Says how many steps were acknowledged, and whether all of them.
    fn steps(&self, ledger: &mut Ledger, done: usize, at_once: bool) -> (usize, Done) {
        let (Step::Stage(file), true) = (STEPS[done], at_once) else {
            let ended = self.step(ledger, STEPS[done]);
            return (usize::from(ended.is_ok()), ended);
        };
        let stage = |ledger: &mut Ledger| self.stage(ledger, file);
        match decide::stage_and_confirm(ledger, &run(), stage, |_, _| true) {
            Ok((_, decided)) => match decided.unwrap() {
                Ok(_) => (2, Ok(())),
                Err(error) => (1, Err(error)),
            },
            Err(error) => (0, Err(error)),
        }
    }

    fn step(&self, ledger: &mut Ledger, step: Step) -> Done {
        match step {
            Step::Stage(file) => self.stage(ledger, file).map(|_| ()),
            Step::Confirm(batch) => {
                decide::confirm(ledger, BatchId(batch), None, &run()).map(|_| ())
            }
            Step::RollBack(batch) => {
                decide::roll_back(ledger, BatchId(batch), None, false, &run()).map(|_| ())
            }
            Step::Undo => decide::undo(ledger, false, &run()).map(|_| ()),
        }
    }
}

fn open(disk: &Disk) -> Result<Ledger, AppError> {
    let store = Box::new(Engine::open(disk)?);
    let ledger = Ledger::open_on(store, Arc::new(disk.clone()), true)?;
    Ok(outside::ready(ledger, &run())?.ledger)
}

fn create(disk: &Disk) -> Result<Ledger, AppError> {
    let store = Box::new(Engine::open(disk)?);
    Ok(Ledger::create_on(store, Arc::new(disk.clone()), true)?)
}

/// How far the mirror goes, read frame by frame without the ledger's help: the last checkpoint
/// with a root that the log had.
fn mirrored(world: &World, disk: &Disk) -> usize {
    let mut upto = 0;
    for name in disk.list("mirror").unwrap_or_default().into_keys() {
        let mut bytes = Vec::new();
        let file = disk.read_from(&format!("mirror/{name}"), 0);
        file.and_then(|mut file| file.read_to_end(&mut bytes)).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((prefix, body)) = rest.split_first_chunk::<8>() {
            let size = u32::from_le_bytes(prefix[..4].try_into().unwrap()) as usize;
            let Some((body, next)) = body.split_at_checked(size).filter(|_| size > 0) else {
                break;
            };
            if let (b'C', Some((size, root))) = (body[0], body[1..].split_first_chunk::<8>()) {
                let size = u64::from_le_bytes(*size) as usize;
                let state = world.states.get(size);
                upto =
                    if state.is_some_and(|(head, _)| head.root.0 == *root) { size } else { upto };
            }
            rest = next;
        }
    }
    upto
}

/// Opens the ledger of a disk on which nothing fails now, and says what breaks a law. `least` is
/// the number of steps that were acknowledged; as many as `most` may have been done.
fn judged(
    world: &World,
    disk: &Disk,
    least: usize,
    most: usize,
) -> Result<(Ledger, usize), String> {
    let upto = mirrored(world, disk);
    if upto < least {
        return Err(format!("the mirror ends at #{upto}, {least} steps were acknowledged"));
    }
    let ledger = open(disk).map_err(|error| format!("does not open: {error}"))?;
    let found = world.states.iter().position(|(head, _)| *head == ledger.head());
    let steps = found.ok_or_else(|| format!("between: {ledger:?}"))?;
    if steps < least || steps > most {
        return Err(format!("{steps} steps are there, {least} were acknowledged"));
    }
    if shown(&ledger) != world.states[steps].1 {
        return Err(format!("after {steps} steps something else is shown"));
    }
    let report = verify::verify(&ledger, true, &run()).map_err(|error| error.to_string())?;
    if !report.ok {
        return Err(format!("{:?} {:?}", report.damage, report.stale));
    }
    Ok((ledger, steps))
}

/// Runs a history with faults from a seed; the words of a law that it breaks.
fn history(world: &World, seed: u64, told: bool) -> Result<u32, String> {
    let disk = Disk::new(seed);
    let mut random = Random::new(seed ^ 0xABCD);
    if told {
        disk.tell();
    }
    let mut ledger = create(&disk).map_err(|error| error.to_string())?;
    let (mut done, mut struck) = (0, 0);
    while done < STEPS.len() {
        if struck < 2 {
            let fault = Fault::ALL[random.below(4) as usize];
            disk.plan(random.below(70), fault);
        }
        let at_once = random.below(2) == 0 && matches!(STEPS[done], Step::Stage(_));
        let most = done + 1 + usize::from(at_once);
        let (acknowledged, ended) = world.steps(&mut ledger, done, at_once);
        if told {
            eprintln!("{done}: {:?}, at once: {at_once}, {ended:?}", STEPS[done]);
        }
        done += acknowledged;
        if ended.is_ok() {
            // Half of the faults strike while nobody looks, or in the next step.
            if !disk.is_dead() && random.below(2) == 0 {
                continue;
            }
        }
        drop(ledger);
        // Without power, or only without the process. A read of the next opening may fail too.
        if disk.is_dead() || random.below(3) == 0 {
            struck += u32::from(disk.unplan());
            disk.power_cycle();
        } else if let Ok(ledger) = open(&disk) {
            drop(ledger);
        }
        if disk.is_dead() {
            disk.power_cycle();
        }
        struck += u32::from(disk.unplan());
        (ledger, done) = judged(world, &disk, done, most)
            .map_err(|what| format!("seed {seed}, step {done} ({:?}): {what}", STEPS.get(done)))?;
    }
    Ok(struck)
}

#[test]
fn a_thousand_histories_on_a_failing_disk_keep_the_laws() {
    let soak = std::env::var("VOLLEDGER_SOAK").ok().and_then(|n| n.parse().ok());
    let seeds: u64 = soak.unwrap_or(1_000);
    // One of them, told operation by operation.
    let one = std::env::var("VOLLEDGER_SEED").ok().and_then(|n| n.parse::<u64>().ok());
    let world = World::new();
    let halves = std::thread::scope(|scope| {
        let world = &world;
        let half = |from| {
            scope.spawn(move || {
                let seeds = (from..seeds).step_by(2);
                let seeds = seeds.filter(|seed| one.is_none_or(|one| one == *seed));
                seeds.map(|seed| history(world, seed, one.is_some())).collect::<Vec<_>>()
            })
        };
        [half(0), half(1)].map(|thread| thread.join().unwrap())
    });
    let all: Vec<_> = halves.into_iter().flatten().collect();
    let struck: u32 = all.iter().flatten().sum();
    let wrong: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    eprintln!("{seeds} seeds, {struck} faults struck, {} violations", wrong.len());
    assert!(wrong.is_empty(), "{} of {seeds}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        one.is_some() || u64::from(struck) > seeds,
        "{struck} faults in {seeds} seeds prove little"
    );
}

#[test]
fn every_operation_of_a_commit_fails_in_turn() {
    let world = World::new();
    let (mut tried, mut wrong) = (0, Vec::new());
    let mut left = [0; 3];
    // A staging and a confirmation, each the first of its kind and a later one; and both at once.
    for (target, count) in [(0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (2, 2), (6, 2)] {
        for fault in Fault::ALL {
            for at in 0.. {
                let disk = Disk::new(at * 7 + target as u64);
                let mut ledger = create(&disk).unwrap();
                for step in &STEPS[..target] {
                    world.step(&mut ledger, *step).unwrap();
                }
                disk.plan(at, fault);
                let (acknowledged, ended) = world.steps(&mut ledger, target, count == 2);
                let dead = disk.is_dead();
                let struck = disk.unplan();
                let (least, most) = (target + acknowledged, target + count);
                // Refused, the old or the new: the entry may be durable and only a view not.
                let shows = try_shown(&ledger).ok();
                let both = [&world.states[target].1, &world.states[most].1];
                if !dead && shows.is_some_and(|now| !both.contains(&&now)) {
                    wrong.push(format!(
                        "step {target}, {fault:?} at {at}: the handle shows neither"
                    ));
                }
                drop(ledger);
                if dead || at % 2 == 0 {
                    disk.power_cycle();
                }
                match judged(&world, &disk, least, most) {
                    Ok((_, steps)) if count == 2 => left[steps - target] += 1,
                    Ok(_) => {}
                    Err(what) => {
                        wrong.push(format!("step {target}, {fault:?} at {at}, {ended:?}: {what}"));
                    }
                }
                tried += 1;
                if !struck {
                    break;
                }
            }
        }
    }
    eprintln!("{tried} failed operations; at once left nothing, one, both: {left:?}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(left.iter().all(|count| *count > 0), "{left:?}");
    assert!(tried > 200, "{tried}");
}

/// Whoever is told of a failure and goes on with the same handle, as a server might, is refused, or what
/// is done then is as durable as ever.
#[test]
fn a_handle_that_goes_on_after_a_failure_keeps_the_laws() {
    let world = World::new();
    let (mut tried, mut went_on, mut wrong) = (0, 0, Vec::new());
    for (target, count) in [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (0, 2), (2, 2), (6, 2)] {
        for fault in [Fault::Io, Fault::Full, Fault::Short] {
            for at in 0.. {
                let disk = Disk::new(at * 11 + target as u64);
                let mut ledger = create(&disk).unwrap();
                for step in &STEPS[..target] {
                    world.step(&mut ledger, *step).unwrap();
                }
                disk.plan(at, fault);
                let (acknowledged, ended) = world.steps(&mut ledger, target, count == 2);
                let struck = disk.unplan();
                let mut done = target + acknowledged;
                let made = |ended: &Done| matches!(ended, Err(AppError::ViewsBehind { .. }));
                done += usize::from(made(&ended));
                // The disk is whole again; the failed step is tried first.
                for _ in 0..3 {
                    let Some(step) = STEPS.get(done) else { break };
                    let again = world.step(&mut ledger, *step);
                    if again.is_ok() || made(&again) {
                        done += 1;
                        went_on += u32::from(struck && ended.is_err());
                    }
                }
                let most = done.max(target + count);
                if let Ok(now) = try_shown(&ledger)
                    && (ledger.head(), &now) != (world.states[done].0, &world.states[done].1)
                {
                    wrong
                        .push(format!("step {target}, {fault:?} at {at}: the handle is at {done}"));
                }
                drop(ledger);
                if at % 2 == 0 {
                    disk.power_cycle();
                }
                if let Err(what) = judged(&world, &disk, done, most) {
                    wrong.push(format!("step {target}, {fault:?} at {at}, {ended:?}: {what}"));
                }
                tried += 1;
                if !struck {
                    break;
                }
            }
        }
    }
    eprintln!("{tried} failures, {went_on} steps done after one by the same handle");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(went_on > 20, "{went_on}");
}

/// A refusal between staging and confirming leaves a batch that is staged, durably, before whoever
/// asked is told so.
#[test]
fn a_refusal_in_between_leaves_a_durable_staged_batch() {
    let world = World::new();
    for (number, refusal) in ["not agreed", "not allowed", "an error", "a panic"].iter().enumerate()
    {
        let disk = Disk::new(number as u64);
        let mut ledger = create(&disk).unwrap();
        let stage = |ledger: &mut Ledger| world.stage(ledger, 0);
        let two_person = Run { two_person: true, ..run() };
        match *refusal {
            "not agreed" => {
                let (_, decided) =
                    decide::stage_and_confirm(&mut ledger, &run(), stage, |_, _| false).unwrap();
                assert!(decided.is_none());
            }
            "not allowed" => {
                let done = decide::stage_and_confirm(&mut ledger, &two_person, stage, |_, _| true);
                assert!(done.unwrap().1.unwrap().is_err());
            }
            "an error" => {
                let failed = ledger.together(|ledger| {
                    stage(ledger)?;
                    Err::<(), _>(AppError::Usage("something else".into()))
                });
                assert!(matches!(failed, Err(AppError::Usage(_))), "{failed:?}");
            }
            _ => {
                let panics = std::panic::AssertUnwindSafe(|| {
                    let agreed = |_: &Ledger, _: &mut Staged| panic!("in between");
                    let _ = decide::stage_and_confirm(&mut ledger, &run(), stage, agreed);
                });
                assert!(std::panic::catch_unwind(panics).is_err());
            }
        }
        assert_eq!(ledger.head(), world.states[1].0, "{refusal}");
        drop(ledger);
        disk.power_cycle();
        let (ledger, steps) = judged(&world, &disk, 1, 1).unwrap();
        assert_eq!(steps, 1, "{refusal}");
        drop(ledger);
    }
}

/// What waits does so for its decision alone: anything else that is appended is not acknowledged
/// with it, or a crash could leave more behind HEAD than can be told from an older HEAD.
#[test]
fn only_a_decision_becomes_durable_together_with_a_stage_entry() {
    let world = World::new();
    let disk = Disk::new(7);
    let mut ledger = create(&disk).unwrap();
    let head = |disk: &Disk| Head::read(disk).unwrap().unwrap();
    let done: Done = ledger.together(|ledger| {
        world.stage(ledger, 0)?;
        assert_eq!((ledger.position().0, head(&disk).size.0), (1, 0));
        // A second one does not wait beside it.
        world.stage(ledger, 1)?;
        assert_eq!((ledger.position().0, head(&disk).size.0), (2, 1));
        ledger.together(|ledger| {
            world.stage(ledger, 2)?;
            assert_eq!((ledger.position().0, head(&disk).size.0), (3, 2));
            Ok::<_, AppError>(())
        })?;
        assert_eq!(head(&disk).size.0, 2, "the inner one ends nothing");
        decide::confirm(ledger, BatchId(3), None, &run())?;
        assert_eq!((ledger.position().0, head(&disk).size.0), (4, 4));
        world.stage(ledger, 0).map(|_| ())
    });
    done.unwrap();
    assert_eq!((ledger.head(), head(&disk).size.0), (head(&disk), 4));
    assert!(verify::verify(&ledger, true, &run()).unwrap().ok);
}
