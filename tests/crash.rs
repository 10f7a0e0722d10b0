//! The program killed at random moments of staging, confirming, rolling back, rebuilding and erasing:
//! nothing that it acknowledged is lost, nothing is half there, and the ledger verifies after reopening.

use crate::support::{copy, files, reopen, run, shown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use volledger::app::{OpenOptions, outside, recover, verify};
use volledger::domain::{Day, Position};

/// Kills per operation, six operations: 150 in all; `VOLLEDGER_SOAK` raises it for a long run.
fn kills() -> u32 {
    std::env::var("VOLLEDGER_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

pub fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("volledger"));
    command.args(["-L"]).arg(dir).args(args).env_clear().env("USER", "tester");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// What is there, as it lies, can be recovered whole from the first to the last acknowledged entry.
pub fn whole_to_recover(dir: &Path, least: Position) -> Result<(), String> {
    let options = OpenOptions::new("test", Duration::from_secs(5));
    match recover::recover(dir, None, &options, &run()) {
        Ok(report) if report.whole && report.position >= least.0 => Ok(()),
        other => Err(format!("cannot be recovered whole: {other:?}")),
    }
}

/// Runs `args` on copies of `base`, kills it after a random delay each time, and checks that the
/// ledger is the old or the new one, and the new one if the program said so.
fn kill_at_random(base: &Path, args: &[&str], seed: u64) {
    kill_so_often(kills(), base, args, seed);
}

fn kill_so_often(kills: u32, base: &Path, args: &[&str], seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("l");
    let open = || outside::open(&path, "test", Duration::from_secs(5), &run()).unwrap().ledger;

    copy(base, &path);
    let start = Instant::now();
    let whole = program(&path, args).output().unwrap();
    let mut duration = start.elapsed();
    assert!(whole.status.success(), "{args:?}: {whole:?}");
    let ledger = open();
    let after = (ledger.position(), shown(&ledger));
    drop(ledger);
    std::fs::remove_dir_all(&path).unwrap();
    copy(base, &path);
    let ledger = open();
    let before = (ledger.position(), shown(&ledger));
    drop(ledger);
    let contents = |dir: &Path| -> Vec<Vec<u8>> {
        let files = files(dir).into_iter().filter(|path| !path.ends_with("LOCK"));
        files.map(|path| std::fs::read(path).unwrap()).collect()
    };
    let untouched = contents(base);
    // What is confirmed at once is durable at once; killed in between it may also be staged alone.
    let at_once = args.first() == Some(&"import") && args.contains(&"--yes");
    let steps = if at_once { 1 } else { 0 };
    let half = (Position(before.0.0 + steps), before.1.clone());
    let (mut old, mut new, mut random) = (0, 0, seed);
    let (mut killed, mut within, mut runs) = (0, 0, 0);
    // The kills must hit both sides, or the delays prove nothing: where the machine was busy with
    // other things, there are more of them.
    let hit = |old: u32, killed: u32, within: u32| {
        (old > 0 || before == after) && killed * 3 > kills && within > 0
    };
    while runs < kills || (!hit(old, killed, within) && runs < kills * 10) {
        runs += 1;
        std::fs::remove_dir_all(&path).unwrap();
        copy(base, &path);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let share = (random >> 33) as f64 / f64::from(1u32 << 31);
        let mut child = program(&path, args).spawn().unwrap();
        std::thread::sleep(duration.mul_f64(share * 1.1));
        let _ = child.kill(); // it may be over already
        let output = child.wait_with_output().unwrap();
        let acknowledged = output.status.success();
        killed += u32::from(output.status.code().is_none());
        // The one run that was timed may have been a slow or a quick one: two of three are to be killed.
        duration = duration.mul_f64(if output.status.code().is_none() { 1.05 } else { 0.9 });
        // Something was written, and the end was not reached.
        within += u32::from(output.status.code().is_none() && contents(&path) != untouched);

        whole_to_recover(&path, before.0).unwrap_or_else(|what| panic!("{args:?}: {what}"));
        let ledger = open();
        let now = (ledger.position(), shown(&ledger));
        if now == after {
            new += 1;
        } else if now == half && !acknowledged {
            old += 1; // staged, and not confirmed
        } else {
            assert!(!acknowledged, "{args:?} said it was done, and it is not");
            assert_eq!(now, before, "{args:?} left something between old and new");
            old += 1;
        }
        let report = verify::verify(&ledger, true, &run()).unwrap();
        assert!(report.ok, "{args:?}: {report:?}");
    }
    eprintln!("{args:?}: {runs} runs, {killed} killed, {within} at work; {old} old, {new} new");
    assert!(hit(old, killed, within), "{args:?}: of {runs} runs {killed} killed, {within} at work");
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
    kill_at_random(&path, &["import", "iv", &b, "-s", "VOLA", "--yes"], 6);
    ok(&["import", "iv", &b, "-s", "VOLA", "--stage-only"]);
    kill_at_random(&path, &["batch", "confirm", "b2"], 2);
    ok(&["batch", "confirm", "b2"]);
    kill_at_random(&path, &["batch", "rollback", "b1"], 3);
    kill_at_random(&path, &["projection", "rebuild", "iv"], 4);
    kill_at_random(&path, &["erase", "b2/1", "b1", "--reason", "gone", "--yes"], 5);
    drop(reopen(&directory));
}

/// The engine is told of a large batch's blocks before they come (`ledger/store/sled/ahead.rs`).
#[test]
fn a_large_import_that_is_killed_leaves_no_block() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = ledger(directory.path());
    let first = Day::from_ymd(2010, 1, 4).unwrap();
    let days = std::iter::successors(Some(first), |day| Some(day.next()));
    let days: Vec<Day> = days.filter(|day| !day.is_weekend()).take(2_500).collect();
    let mut rows =
        String::from("Symbol,Date,IV30,OHLC 20-Day Vol,OHLC 52-Week Vol,Options Volume\n");
    let mut random = 1u64;
    for (symbol, day) in (0..40).flat_map(|symbol| days.iter().map(move |day| (symbol, day))) {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let [iv, short, long] = [11, 27, 43].map(|bits| (random >> bits) % 90);
        rows += &format!("S{symbol:02},{day},{iv}.11,{short}.22,{long}.33,{}\n", random >> 40);
    }
    let large = directory.path().join("large.csv");
    std::fs::write(&large, rows).unwrap();
    let large = large.to_string_lossy();
    let args = ["import", "iv", &large, "--symbol-from", "column", "--stage-only"];
    kill_so_often(kills() / 2, &path, &args, 7);
}

/// A small ledger with VOLA confirmed, and the file to import next.
fn ledger(root: &Path) -> (PathBuf, String) {
    let path = root.join("l");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    let file = |name: &str| sample.join(name).to_string_lossy().into_owned();
    let run = |args: &[&str]| assert!(program(&path, args).status().unwrap().success(), "{args:?}");
    run(&["init"]);
    run(&["import", "iv", &file("VOLA.csv"), "-s", "VOLA", "--yes"]);
    (path, file("VOLB.csv"))
}

/// What a run of the program leaves: its exit code and what it says.
fn told(mut command: Command) -> (i32, String) {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("panicked") && !text.contains("internal error"), "{text}");
    (output.status.code().unwrap_or(-1), text)
}

/// After a failure: what was acknowledged is there, whole.
fn is_whole(path: &Path) {
    let opened = outside::open(path, "test", Duration::from_secs(5), &run()).unwrap();
    let report = verify::verify(&opened.ledger, true, &run()).unwrap();
    assert!(report.ok && opened.ledger.position().0 >= 2, "{report:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing_and_says_so() {
    use std::io::Write;
    let root = tempfile::tempdir().unwrap();
    let small = root.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=9m", "none"]).arg(&small).stderr(Stdio::null());
    let mounted = mount.status().is_ok_and(|status| status.success());
    if !mounted {
        let _ =
            writeln!(std::io::stderr(), "SKIPPED: a full disk needs the right to mount a tmpfs");
        return;
    }
    /// Takes it away again, however the test ends.
    struct Mounted<'a>(&'a Path);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }
    let mounted = Mounted(&small);
    let (path, next) = ledger(mounted.0);
    let filler = small.join("filler");
    let (mut refused, mut done) = (0, 0);
    // From no room at all to room enough, in steps.
    for free in (0..40).map(|step| step * 4096) {
        let copied = small.join("copy");
        let _ = std::fs::remove_file(&filler);
        let _ = std::fs::remove_dir_all(&copied);
        copy(&path, &copied);
        // As much as there is, less what is to be free.
        let mut file = std::fs::File::create(&filler).unwrap();
        let mut size = 0u64;
        while file.write_all(&[1; 4096]).is_ok() {
            size += 4096;
        }
        file.set_len(size.saturating_sub(free)).unwrap();
        drop(file);
        let import = ["import", "iv", &next, "-s", "VOLB", "--yes"];
        let (exit, text) = told(program(&copied, &import));
        match exit {
            0 => done += 1,
            // Sled does not open on a full disk; a decision may be made and only a view not.
            22 | 30 | 1 | 12 => refused += 1,
            _ => panic!("{free} bytes free: exit {exit}: {text}"),
        }
        std::fs::remove_file(&filler).unwrap();
        is_whole(&copied);
    }
    eprintln!("full disk: {refused} refused, {done} done");
    assert!(refused > 3 && done > 0, "{refused} refused, {done} done");

    // sled's threads may hold a file a moment longer than the ledger that was let go.
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{how}")]).arg(&small);
        let mounted = (0..100).any(|_| {
            let done = mount.status().unwrap().success();
            std::thread::sleep(Duration::from_millis(if done { 0 } else { 100 }));
            done
        });
        assert!(mounted, "{small:?} cannot be mounted {how}");
    };
    remount("ro");
    for (args, want) in [
        (&["status"][..], 0),
        (&["view", "iv", "VOLA"], 0),
        (&["verify"], 0),
        (&["batch", "rollback", "b1"], 22),
    ] {
        let (exit, text) = told(program(&path, args));
        assert_eq!(exit, want, "{args:?}: {text}");
    }
    // What is only read there goes elsewhere.
    let new = root.path().join("new");
    let recover = ["recover", path.to_str().unwrap(), new.to_str().unwrap()];
    let (exit, text) = told(program(&path, &recover));
    assert_eq!(exit, 0, "{text}");
    is_whole(&new);
    remount("rw");
    is_whole(&path);
}

#[cfg(unix)]
#[test]
fn too_few_file_handles_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (path, next) = ledger(root.path());
    let (mut refused, mut done) = (0, 0);
    for limit in 3..30 {
        let copied = root.path().join("copy");
        let _ = std::fs::remove_dir_all(&copied);
        copy(&path, &copied);
        let program = assert_cmd::cargo::cargo_bin!("volledger");
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n $0 && exec \"$@\"", &limit.to_string()]);
        shell.arg(program).arg("-L").arg(&copied);
        shell.args(["import", "iv", &next, "-s", "VOLB", "--yes"]);
        shell.env_clear().env("USER", "tester").env("PATH", "/usr/bin:/bin");
        let (exit, _) = told({
            shell.stdin(Stdio::null()).stdout(Stdio::null());
            shell
        });
        match exit {
            0 => done += 1,
            _ => refused += 1,
        }
        is_whole(&copied);
    }
    eprintln!("file handles: {refused} refused, {done} done");
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done");
}
