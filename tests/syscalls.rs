//! A commit on a real ledger by the real program, with each of its system calls failed in turn:
//! told of an error, told of a full disk, killed there. It is done or not done, and never between.

use crate::crash::{program, whole_to_recover};
use crate::support::{copy, run, shown, signals_are_heard};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use volledger::app::{OpenOptions, outside, recover, verify};
use volledger::domain::Position;

/// What changes something on disk. All of these are tried in every run.
const WRITES: [&str; 15] = [
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "fchmod",
    "chmod",
];

/// What only looks; most of them before anything is written. A sample of them in every run. Not
/// `close`: it cannot fail on a local folder, and the standard library panics when told it did.
const READS: [&str; 10] = [
    "openat",
    "read",
    "pread64",
    "lseek",
    "statx",
    "newfstatat",
    "getdents64",
    "flock",
    "fcntl",
    "access",
];

const FAULTS: [&str; 3] = ["error=EIO", "error=ENOSPC", "signal=SIGKILL"];

/// How a run of the program ended.
#[derive(Debug)]
struct Ended {
    /// Its exit code; nothing when it was killed.
    exit: Option<i32>,
    /// How many calls were failed.
    hit: usize,
    err: String,
}

/// Whether `strace` is there and may be used; says loudly when not.
fn traceable() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"]);
    let status = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let able = status.is_ok_and(|status| status.success());
    if !able {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: failing system calls needs strace and the right to trace"
        );
    }
    able
}

/// Runs the program under a tracer that injects something.
fn injected(scratch: &Path, dir: &Path, args: &[&str], inject: &str) -> Ended {
    let (log, out, err) = (scratch.join("log"), scratch.join("out"), scratch.join("err"));
    let call = inject.split(':').next().unwrap_or_default();
    let plain = program(dir, args);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o"]).arg(&log).args(["-e", &format!("trace={call}"), "-e"]);
    strace.arg(format!("inject={inject}")).arg(plain.get_program()).args(plain.get_args());
    // The path is for the tracer; the program does not look at it.
    strace.env_clear().env("USER", "tester").env("PATH", std::env::var_os("PATH").unwrap());
    let file = |path: &Path| std::fs::File::create(path).unwrap();
    strace.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err)).process_group(0);
    let mut child = strace.spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if start.elapsed() > Duration::from_secs(60) => break None,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let Some(status) = status else {
        let group = format!("-{}", child.id()); // the tracer and what it traces, nothing else
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = child.wait();
        return Ended { exit: Some(-1), hit: 1, err: "it hangs".into() };
    };
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let hit = read(&log).matches("(INJECTED)").count();
    // The tracer ends as what it traced ended.
    let killed = status.signal() == Some(9);
    Ended {
        exit: if killed { None } else { status.code() },
        hit: hit + usize::from(killed),
        err: read(&err),
    }
}

/// Without a power cut one only sees the order: before a slot of HEAD is written, all that was
/// written to the mirror, the packs and the engine's file has been synced, not only handed on.
#[test]
fn whatever_head_acknowledges_was_synced_before() {
    if !traceable() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (base, next) = base(root.path());
    let import = ["import", "iv", &next, "-s", "VOLC", "--force"];
    for (args, heads) in [(&["batch", "confirm", "b2"][..], 1), (&import, 1)] {
        let dir = root.path().join("l");
        let _ = std::fs::remove_dir_all(&dir);
        copy(&base, &dir);
        let plain = program(&dir, args);
        let log = root.path().join("log");
        let mut strace = Command::new("strace");
        let calls = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2";
        strace.args(["-f", "-y", "-s", "0", "-e", &format!("trace={calls}"), "-o"]).arg(&log);
        strace.arg(plain.get_program()).args(plain.get_args());
        strace.env_clear().env("USER", "tester").env("PATH", std::env::var_os("PATH").unwrap());
        assert!(strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        let text = std::fs::read_to_string(&log).unwrap();
        let (moved, synced, wrong) = unsynced(&text);
        assert_eq!(moved, heads, "{args:?}: HEAD moved\n{text}");
        assert!(wrong.is_empty(), "{args:?}: {wrong:?}\n{text}");
        for name in ["/sled/db", "/mirror/000001.vlb", "/sources/000001.pack"] {
            assert!(synced.iter().any(|path| path.ends_with(name)), "{args:?}: {name}\n{text}");
        }
    }
}

/// A loss of power after the rename must not leave a ledger without the rules of who may decide.
#[test]
fn a_recovered_ledger_gets_its_name_when_all_of_it_is_synced() {
    if !traceable() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (base, _) = base(root.path());
    std::fs::write(base.join("config.toml"), "[access]\ntwo_person = true\n").unwrap();
    std::fs::create_dir(base.join("inbox")).unwrap();
    std::fs::write(base.join("inbox/arrived"), "").unwrap();
    let (new, log) = (root.path().join("new"), root.path().join("log"));
    let plain = program(&base, &["recover", base.to_str().unwrap(), new.to_str().unwrap()]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o"]);
    strace.arg(&log).arg(plain.get_program()).args(plain.get_args());
    strace.env_clear().env("USER", "tester").env("PATH", std::env::var_os("PATH").unwrap());
    assert!(strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    let text = std::fs::read_to_string(&log).unwrap();
    let name = format!("{}\"", new.display());
    let (before, _) = text.split_once(&name).expect("it gets its name");
    let synced = |file: &str| {
        let mut lines = before.lines().filter(|line| line.contains("sync("));
        lines.any(|line| line.contains("/.restore-") && line.contains(&format!("{file}>")))
    };
    for file in ["/config.toml", "/inbox/arrived", "/inbox", "/sled/db", "/mirror/000001.vlb"] {
        assert!(synced(file), "{file}\n{before}");
    }
    // The folder itself, after its last name.
    let inbox = before.rfind("/inbox>").unwrap();
    assert!(
        before[inbox..].lines().any(|line| {
            line.split_once("/.restore-").is_some_and(|(_, rest)| {
                rest.split_once('>').is_some_and(|(name, _)| !name.contains('/'))
            })
        }),
        "{before}"
    );
}

/// How often HEAD moved, what was synced before it last did, and what was not each time.
fn unsynced(text: &str) -> (usize, BTreeSet<String>, Vec<String>) {
    let (mut dirty, mut synced) = (BTreeSet::new(), BTreeSet::new());
    let (mut moved, mut wrong) = (0, Vec::new());
    let heads = |path: &str| path.ends_with("/HEADS");
    let mut waiting: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let path = call.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        let path = path.map(|(path, _)| path.to_owned()).unwrap_or_default();
        let sync = ["fsync(", "fdatasync("].iter().any(|name| call.starts_with(name));
        if ["write(", "pwrite64("].iter().any(|name| call.starts_with(name)) {
            if heads(&path) {
                moved += 1;
                wrong.extend(dirty.iter().map(|path| format!("{path} before HEAD moved")));
            }
            let kept = ["/sled/db", "/mirror/", "/sources/", "/HEADS"];
            if kept.iter().any(|part| path.contains(part)) {
                dirty.insert(path);
            }
        } else if sync && call.contains("<unfinished") {
            waiting.insert(pid, path);
        } else if sync && call.ends_with("= 0") {
            dirty.remove(&path);
            synced.insert(path);
        } else if call.starts_with("<...")
            && call.contains("sync resumed")
            && let Some(path) = waiting.remove(pid).filter(|_| call.ends_with("= 0"))
        {
            dirty.remove(&path);
            synced.insert(path);
        }
    }
    // And HEAD itself, before the program says that it is done.
    wrong.extend(dirty.into_iter().filter(|path| heads(path)));
    (moved, synced, wrong)
}

/// Each system call of one command failed in turn.
struct Trial<'a> {
    scratch: &'a Path,
    base: PathBuf,
    args: &'a [&'a str],
    before: (Position, Vec<String>),
    after: (Position, Vec<String>),
    runs: usize,
    /// How often it ended how: fault, exit code, old or new.
    ended: BTreeMap<(String, Option<i32>, &'static str), usize>,
    wrong: Vec<String>,
}

impl<'a> Trial<'a> {
    fn new(scratch: &'a Path, base: &Path, args: &'a [&'a str]) -> Self {
        let state = |dir: &Path| {
            let opened = outside::open(dir, "test", Duration::from_secs(5), &run()).unwrap();
            (opened.ledger.position(), shown(&opened.ledger))
        };
        let dir = scratch.join("plain");
        let _ = std::fs::remove_dir_all(&dir);
        copy(base, &dir);
        let before = state(&dir);
        assert!(program(&dir, args).status().unwrap().success(), "{args:?}");
        let after = state(&dir);
        assert_ne!(before.0, after.0);
        let base = base.to_owned();
        let (ended, wrong) = (BTreeMap::new(), Vec::new());
        Self { scratch, base, args, before, after, runs: 0, ended, wrong }
    }

    /// Fails one call, and judges what is there then. Says whether the call was made at all.
    fn fail(&mut self, call: &str, fault: &str, when: &str) -> bool {
        let dir = self.scratch.join("l");
        let _ = std::fs::remove_dir_all(&dir);
        copy(&self.base, &dir);
        let inject = format!("{call}:{fault}:when={when}");
        let ended = injected(self.scratch, &dir, self.args, &inject);
        if ended.hit == 0 && ended.exit == Some(0) {
            return false;
        }
        self.runs += 1;
        let place = format!("{:?} with {inject}: {:?}", self.args, ended.exit);
        match self.judged(&dir, &ended, call, fault) {
            Ok(state) => {
                *self.ended.entry((fault.to_owned(), ended.exit, state)).or_default() += 1;
            }
            Err(what) => self.wrong.push(format!("{place}: {what}\n{}", ended.err)),
        }
        true
    }

    /// Whether it is the old or the new ledger; otherwise which law is broken.
    fn judged(
        &self,
        dir: &Path,
        ended: &Ended,
        call: &str,
        fault: &str,
    ) -> Result<&'static str, String> {
        for word in ["panicked", "internal error", "backtrace", "memory allocation", "hangs"] {
            if ended.err.contains(word) {
                return Err(format!("it says \"{word}\""));
            }
        }
        let killed = fault.starts_with("signal");
        let sensible = match ended.exit {
            None => killed,
            Some(0 | 1 | 12 | 22 | 30) => true,
            // A settings file that cannot be read ends a command before it begins.
            Some(2) => ended.err.contains("config.toml: cannot be read"),
            // The system's loader could not start the program.
            Some(127) => ended.err.contains("error while loading shared libraries"),
            Some(_) => false,
        };
        if !sensible {
            return Err("not one of its exit codes".into());
        }
        // As it lies there, before any opening mends it.
        whole_to_recover(dir, self.before.0)?;
        let open = |dir: &Path| outside::open(dir, "test", Duration::from_secs(5), &run());
        // The engine takes a read that fails while it opens for the end of its log, and cuts it
        // there. That is noticed, and everything is in the mirror.
        let (mut opened, mut restored) = (open(dir), false);
        if opened.is_err() && READS.contains(&call) {
            let new = self.scratch.join("new");
            let _ = std::fs::remove_dir_all(&new);
            let options = OpenOptions::new("test", Duration::ZERO);
            recover::recover(dir, Some(&new), &options, &run()).map_err(|e| e.to_string())?;
            (opened, restored) = (open(&new), true);
        }
        let ledger = opened.map_err(|error| format!("does not open: {error}"))?.ledger;
        let now = (ledger.position(), shown(&ledger));
        let report = verify::verify(&ledger, true, &run()).map_err(|error| error.to_string())?;
        if !report.ok {
            return Err(format!("{:?} {:?}", report.damage, report.stale));
        }
        let staged = now.0.0 == self.before.0.0 + 1 && now.1 == self.before.1;
        if now == self.after {
            Ok("new")
        } else if staged && self.args.contains(&"--yes") && ended.exit != Some(0) {
            Ok("staged")
        } else if now != self.before {
            Err(format!("between: {now:?}"))
        } else if ended.exit == Some(0) {
            Err("it said it was done, and it is not".into())
        } else if restored {
            Ok("old, restored")
        } else {
            Ok("old")
        }
    }

    fn all(&mut self, call: &str, step: usize) {
        for fault in FAULTS {
            for when in (1usize..).step_by(step) {
                if !self.fail(call, fault, &when.to_string()) {
                    break;
                }
            }
        }
    }

    fn end(self) {
        let (runs, args) = (self.runs, self.args);
        eprintln!("{args:?}: {runs} runs with a failed call: {:?}", self.ended);
        let wrong = &self.wrong;
        assert!(wrong.is_empty(), "{} of {runs}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// A ledger with one batch active and one staged.
fn base(root: &Path) -> (PathBuf, String) {
    let base = root.join("base");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    let file = |name: &str| sample.join(name).to_string_lossy().into_owned();
    let ok = |args: &[&str]| assert!(program(&base, args).status().unwrap().success(), "{args:?}");
    ok(&["init"]);
    ok(&["import", "iv", &file("VOLA.csv"), "-s", "VOLA", "--yes"]);
    ok(&["import", "iv", &file("VOLB.csv"), "-s", "VOLA", "--stage-only"]);
    (base, file("VOLB.csv"))
}

#[test]
fn every_system_call_of_a_commit_fails_in_turn() {
    if !traceable() {
        return;
    }
    let soak = std::env::var("VOLLEDGER_SOAK").is_ok();
    let root = tempfile::tempdir().unwrap();
    let (base, next) = base(root.path());
    let mut trial = Trial::new(root.path(), &base, &["batch", "confirm", "b2"]);
    for call in WRITES {
        trial.all(call, 1);
    }
    for call in READS {
        trial.all(call, if soak { 1 } else { 20 });
    }
    assert!(trial.runs > 60, "{} runs prove little", trial.runs);
    let killed = trial.ended.keys().any(|(_, exit, state)| exit.is_none() && *state == "new");
    assert!(killed || !trial.wrong.is_empty(), "no kill came after the entry: {:?}", trial.ended);
    trial.end();

    // What stages and confirms at once; of its many writes before the entries a sample.
    let import = ["import", "iv", &next, "-s", "VOLC", "--force"];
    let mut trial = Trial::new(root.path(), &base, &import);
    for call in &WRITES[..5] {
        trial.all(call, if soak { 1 } else { 3 });
    }
    trial.end();
}

/// A disk that stays as it is: from one call on, all of that kind fail.
#[test]
fn a_disk_that_fails_and_goes_on_failing_tears_nothing() {
    if !traceable() {
        return;
    }
    let soak = std::env::var("VOLLEDGER_SOAK").is_ok();
    let root = tempfile::tempdir().unwrap();
    let (base, next) = base(root.path());
    let import = ["import", "iv", &next, "-s", "VOLC", "--stage-only"];
    let commands: [&[&str]; 3] =
        [&["batch", "confirm", "b2"], &import, &["batch", "rollback", "b1"]];
    for args in &commands[..if soak { 3 } else { 1 }] {
        let mut trial = Trial::new(root.path(), &base, args);
        for call in &WRITES[..if soak { WRITES.len() } else { 5 }] {
            for fault in &FAULTS[..2] {
                for when in 1.. {
                    if !trial.fail(call, fault, &format!("{when}+")) {
                        break;
                    }
                }
            }
        }
        if soak && *args != commands[0] {
            WRITES.iter().chain(&READS).for_each(|call| trial.all(call, 1));
        }
        trial.end();
    }
}

/// What is removed goes by handles: it would go on under the name that a finished copy gets meanwhile.
#[test]
fn ctrl_c_empties_nothing_that_has_its_name() {
    if !traceable() || !signals_are_heard() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (base, _) = base(root.path());
    let path = |name: &str| root.path().join(name).to_string_lossy().into_owned();
    let (backup, new, export) = (path("whole.vlb"), path("new"), path("export"));
    let whole = || std::fs::read_dir(&export).unwrap().count();
    assert!(program(&base, &["backup", &backup]).status().unwrap().success());
    let exporting = ["export", "all", "-f", "parquet", "-O", &export];
    assert!(program(&base, &exporting).status().unwrap().success());
    let files = whole();
    // An empty directory goes, and the earlier export, a moment before the other one gets the name.
    std::fs::create_dir(&new).unwrap();
    for (args, name) in [(&["restore", &backup, &new][..], &new), (&exporting, &export)] {
        let plain = program(&base, args);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", &path("log"), "-e", "trace=rename,renameat,renameat2,unlinkat"]);
        for slow in ["rename,renameat,renameat2:delay_enter=700000", "unlinkat:delay_enter=100000"]
        {
            strace.args(["-e", &format!("inject={slow}")]);
        }
        strace.arg(plain.get_program()).args(plain.get_args());
        strace.env_clear().env("USER", "tester").env("PATH", std::env::var_os("PATH").unwrap());
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = strace.process_group(0).spawn().unwrap();
        let start = Instant::now();
        while Path::new(name).exists() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        let group = format!("-{}", child.id());
        assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{args:?}");
        assert!(Path::new(name).exists(), "{args:?}: the name was about to be given");
    }
    assert!(program(Path::new(&new), &["verify", "--deep"]).status().unwrap().success());
    assert_eq!(whole(), files);
}

#[test]
fn a_ledger_whose_making_was_interrupted_is_made_by_the_next_try() {
    if !traceable() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("l");
    let (mut runs, mut made) = (0, 0);
    for call in WRITES.into_iter().chain(["openat"]) {
        for fault in FAULTS {
            for when in (1usize..).step_by(if call == "openat" { 5 } else { 1 }) {
                let _ = std::fs::remove_dir_all(&dir);
                let inject = format!("{call}:{fault}:when={when}");
                let ended = injected(root.path(), &dir, &["init"], &inject);
                if ended.hit == 0 {
                    break;
                }
                runs += 1;
                assert!(!ended.err.contains("internal error"), "{inject}: {}", ended.err);
                let again = program(&dir, &["init"]).stderr(Stdio::piped()).output().unwrap();
                let said = String::from_utf8_lossy(&again.stderr).into_owned();
                match again.status.code() {
                    Some(0) => {}
                    _ if said.contains("holds a ledger already") => made += 1,
                    other => panic!("{inject}: {ended:?}, then {other:?}: {said}"),
                }
                let opened = outside::open(&dir, "test", Duration::from_secs(5), &run());
                assert_eq!(opened.unwrap().ledger.position().0, 0, "{inject}");
            }
        }
    }
    eprintln!("init: {runs} runs with a failed call, {made} had made the ledger");
    assert!(runs > 30 && made > 0, "{runs}, {made}");
}
