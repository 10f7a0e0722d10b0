//! The program killed at random moments of staging, confirming and rolling back: nothing that it
//! acknowledged is lost, nothing is half there, and the ledger verifies after reopening.

use crate::support::{reopen, run, shown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use volledger::app::{outside, verify};

/// Kills per operation; `VOLLEDGER_SOAK` raises it for a long run.
fn kills() -> u32 {
    std::env::var("VOLLEDGER_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(30)
}

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("volledger"));
    command.args(["-L"]).arg(dir).args(args).env_clear().env("USER", "tester");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Runs `args` on copies of `base`, kills it after a random delay each time, and checks that the
/// ledger is the old or the new one, and the new one if the program said so.
fn kill_at_random(base: &Path, args: &[&str], seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("l");
    let open = || outside::open(&path, "test", Duration::from_secs(5), &run()).unwrap().ledger;

    copy(base, &path);
    let start = Instant::now();
    let whole = program(&path, args).output().unwrap();
    let duration = start.elapsed();
    assert!(whole.status.success(), "{args:?}: {whole:?}");
    let ledger = open();
    let after = (ledger.position(), shown(&ledger));
    drop(ledger);
    std::fs::remove_dir_all(&path).unwrap();
    copy(base, &path);
    let ledger = open();
    let before = (ledger.position(), shown(&ledger));
    drop(ledger);
    assert_ne!(before.0, after.0);

    let (mut old, mut new, mut random) = (0, 0, seed);
    for _ in 0..kills() {
        std::fs::remove_dir_all(&path).unwrap();
        copy(base, &path);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = (random >> 33) as f64 / f64::from(1u32 << 31);
        let mut child = program(&path, args).spawn().unwrap();
        std::thread::sleep(duration.mul_f64(share * 1.1));
        let _ = child.kill(); // it may be over already
        let output = child.wait_with_output().unwrap();
        let acknowledged = output.status.success();

        let ledger = open();
        let now = (ledger.position(), shown(&ledger));
        if now == after {
            new += 1;
        } else {
            assert!(!acknowledged, "{args:?} said it was done, and it is not");
            assert_eq!(now, before, "{args:?} left something between old and new");
            old += 1;
        }
        let report = verify::verify(&ledger, true, &run()).unwrap();
        assert!(report.ok, "{args:?}: {report:?}");
    }
    // The kills must have hit both sides, or the delays prove nothing.
    assert!(old > 0, "{args:?}: {old} old, {new} new");
}

#[test]
fn kill_9_leaves_the_old_or_the_new_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("l");
    drop(outside::create(&path, "test", Duration::ZERO).unwrap());
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    let file = |name: &str| sample.join(name).to_string_lossy().into_owned();
    let (a, b) = (file("VOLA.csv"), file("VOLB.csv"));
    let ok = |args: &[&str]| {
        let output = program(&path, args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    ok(&["import", "iv", &a, "-s", "VOLA", "--yes"]);
    kill_at_random(&path, &["import", "iv", &b, "-s", "VOLA", "--stage-only"], 1);
    ok(&["import", "iv", &b, "-s", "VOLA", "--stage-only"]);
    kill_at_random(&path, &["batch", "confirm", "b2"], 2);
    ok(&["batch", "confirm", "b2"]);
    kill_at_random(&path, &["batch", "rollback", "b1"], 3);
    drop(reopen(&directory));
}
