//! Where a ledger lies: directories that are moved or swapped under an open ledger, that others use
//! too, and what is left beside them.

use crate::program::{Desk, sample};
use crate::support::{confirmed, copy, ledger, options, run, signals_are_heard, stage};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use volledger::app::{AppError, Ledger, LedgerError, decide, outside, verify};
use volledger::domain::Series;

fn file(name: &str) -> PathBuf {
    sample(name).into()
}

fn opened(at: &Path) -> Ledger {
    outside::open(at, "test", Duration::from_secs(5), &run()).unwrap().ledger
}

fn sound(at: &Path) -> u64 {
    let ledger = opened(at);
    let verified = verify::verify(&ledger, true, &run()).unwrap();
    assert!(verified.ok, "{verified:?}");
    verified.position
}

/// What was opened already stays where it is, what is opened by name would belong to another ledger.
#[cfg(unix)]
#[test]
fn a_ledger_that_was_moved_while_it_was_open_acknowledges_nothing() {
    let iv = options(Series::Iv, Some("VOLA"));
    for (before, swapped) in [(false, false), (true, false), (false, true), (true, true)] {
        let (directory, mut ledger) = ledger();
        let (root, away) = (directory.path().join("l"), directory.path().join("away"));
        if before {
            // The packs and the mirror are open.
            confirmed(&mut ledger, &file("iv/VOLA.csv"), &iv);
        }
        let position = ledger.position().0;
        std::fs::rename(&root, &away).unwrap();
        if swapped {
            let mut other = outside::create(&root, "test", Duration::ZERO).unwrap();
            let hv = options(Series::Hv, Some("VOLB"));
            confirmed(&mut other, &file("hv/VOLB.csv"), &hv);
        }
        let spot = options(Series::Spot, Some("VOLA"));
        let input = [crate::support::input(&file("spot/VOLA.csv"))];
        let refused = volledger::app::import::import_csv(&mut ledger, &input, &spot, &run());
        let refused = refused.unwrap_err();
        assert!(matches!(refused, AppError::Ledger(LedgerError::Moved)), "{refused:?}");
        assert_eq!(ledger.position().0, position);
        drop(ledger);
        assert_eq!(sound(&away), position, "nothing of it was handed on");
        match swapped {
            true => assert_eq!(sound(&root), 2),
            false => assert!(!root.exists()),
        }
    }
}

/// A server keeps a ledger open; somebody puts a restored one in its place and confirms.
#[cfg(unix)]
#[test]
fn a_decision_about_a_ledger_that_was_swapped_is_not_made() {
    let (directory, mut ledger) = ledger();
    let (root, away) = (directory.path().join("l"), directory.path().join("away"));
    let staged = stage(&mut ledger, &file("iv/VOLA.csv"), &options(Series::Iv, Some("VOLA")));
    std::fs::rename(&root, &away).unwrap();
    drop(outside::create(&root, "test", Duration::ZERO).unwrap());
    let files = |name: &str| std::fs::read(root.join(name)).ok();
    let before = ["HEADS", "mirror/000001.vlb"].map(files);
    let refused = decide::confirm_staged(&mut ledger, &staged, &run()).unwrap_err();
    assert!(matches!(refused, AppError::Ledger(LedgerError::Moved)), "{refused:?}");
    // Nor is anything erased in the other one.
    let refused = decide::confirm_staged(&mut ledger, &staged, &run()).unwrap_err();
    assert!(matches!(refused, AppError::Ledger(_)), "{refused:?}");
    drop(ledger);
    assert_eq!(["HEADS", "mirror/000001.vlb"].map(files), before);
    assert_eq!((sound(&root), sound(&away)), (0, 1));
}

/// A volume is a directory that stays: a backup is unpacked in it, and the files of the ledger that is open
/// have no name any more.
#[cfg(unix)]
#[test]
fn a_ledger_that_was_swapped_within_its_directory_is_noticed() {
    let (directory, mut ledger) = ledger();
    let (root, other) = (directory.path().join("l"), directory.path().join("other"));
    confirmed(&mut ledger, &file("iv/VOLA.csv"), &options(Series::Iv, Some("VOLA")));
    let staged = stage(&mut ledger, &file("hv/VOLA.csv"), &options(Series::Hv, Some("VOLA")));
    drop(ledger);
    copy(&root, &other);
    let before = sound(&other);
    for act in 0..3 {
        let mut ledger = opened(&root);
        if act == 1 {
            // With its files open.
            decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
        }
        for entry in root.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => std::fs::remove_dir_all(entry).unwrap(),
                false => std::fs::remove_file(entry).unwrap(),
            }
        }
        copy(&other, &root);
        let refused = match act {
            0 => decide::confirm_staged(&mut ledger, &staged, &run()).map(drop),
            1 => decide::undo(&mut ledger, false, &run()).map(drop),
            _ => {
                let spot = options(Series::Spot, Some("VOLA"));
                let input = [crate::support::input(&file("spot/VOLA.csv"))];
                volledger::app::import::import_csv(&mut ledger, &input, &spot, &run()).map(drop)
            }
        };
        let refused = refused.unwrap_err();
        assert!(matches!(refused, AppError::Ledger(LedgerError::Moved)), "{refused:?}");
        drop(ledger);
        assert_eq!(sound(&root), before, "{act}");
    }
}

/// What is looked for by name is not there; that says nothing of the ledger.
#[cfg(unix)]
#[test]
fn a_verification_of_a_ledger_that_was_moved_tells_of_no_damage() {
    let (directory, mut ledger) = ledger();
    let (root, away) = (directory.path().join("l"), directory.path().join("away"));
    confirmed(&mut ledger, &file("iv/VOLA.csv"), &options(Series::Iv, Some("VOLA")));
    let moved = |deep| {
        matches!(verify::verify(&ledger, deep, &run()), Err(AppError::Ledger(LedgerError::Moved)))
    };
    assert!(!moved(true));
    // While the first batch is being looked at, so that its sources and the mirror are next.
    let found = ledger.verify(true, &mut |_| std::fs::rename(&root, &away).unwrap());
    assert!(found.moved && !found.stopped, "{found:?}");
    assert!(found.damage.len() < 2, "{found:?}");
    assert!(moved(true) && moved(false));
    std::fs::create_dir(&root).unwrap();
    assert!(moved(true) && moved(false));
    std::fs::remove_dir(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    assert!(verify::verify(&ledger, true, &run()).unwrap().ok);
}

fn begun(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never comes");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A download may take hours; nobody else waits for the ledger meanwhile.
#[test]
fn standard_input_is_read_before_the_ledger_is_opened() {
    let desk = Desk::with_ledger();
    let temporary = desk.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let text = std::fs::read_to_string(sample("iv/VOLA.csv")).unwrap();
    for line in ["import iv - -s VOLA --yes", "import chain - -s VOLA --date 2025-01-02"] {
        let mut command = desk.command(line.split(' '));
        let mut child = begun(command.env("TMPDIR", &temporary).stdin(Stdio::piped()));
        let mut input = child.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        until(|| temporary.read_dir().unwrap().next().is_some());
        let mut other = desk.command(["status"]);
        other.env("VOLLEDGER_LOCK_WAIT", "0");
        crate::program::ran(other, None).exits(0);
        drop(input);
        child.wait_with_output().unwrap();
    }
    assert_eq!(desk.run("batch list --json").exits(0).json()["batches"][0]["state"], "active");
}

/// The names in a folder, those in its folders too.
fn names(folder: &Path) -> Vec<String> {
    let listed = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = listed.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn signal(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// Whose copy takes a while.
#[cfg(unix)]
fn large_backup(desk: &Desk) {
    let rows = |symbol: usize| {
        let day = |n: usize| format!("{}-{:02}-{:02}", 1980 + n / 336, n / 28 % 12 + 1, n % 28 + 1);
        (0..9_000).fold(String::new(), |all, n| {
            all + &format!("S{symbol},{},{}.{}\n", day(n), 10 + n % 80, n * 7919 % 100_000)
        })
    };
    let rows: String = (0..6).map(rows).collect();
    let large = desk.write("large.csv", &format!("Symbol,Date,IV30\n{rows}"));
    desk.run(&format!("import iv {large} --symbol-from column --mapping mc-iv-basic --force"))
        .exits(0);
    desk.run("backup whole.vlb").exits(0);
}

/// They hold what the ledger holds, and would outlive its erasure.
#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_no_copy_of_the_ledger() {
    if !signals_are_heard() {
        return;
    }
    let desk = Desk::with_ledger();
    large_backup(&desk);
    let (out, temporary) = (desk.path().join("out"), desk.path().join("tmp"));
    std::fs::create_dir(&out).unwrap();
    std::fs::create_dir(&temporary).unwrap();
    let lines = ["restore whole.vlb out/r", "recover .volledger out/r", "backup out/b.vlb --plain"];
    for line in lines {
        let mut command = desk.command(line.split(' '));
        let child = begun(command.env("TMPDIR", &temporary));
        until(|| !names(&out).is_empty());
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{line}: {told}");
        assert!(!told.contains("error"), "{line}: {told}");
        assert_eq!((names(&out), names(&temporary)), (vec![], vec![]), "{line}");
    }
    // What was piped in is a copy too.
    let mut command = desk.command(["import", "iv", "-", "-s", "VOLA"]);
    let mut child = begun(command.env("TMPDIR", &temporary).stdin(Stdio::piped()));
    let input = child.stdin.take().unwrap();
    until(|| !names(&temporary).is_empty());
    signal(&child, "-INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    drop(input);
    assert_eq!(names(&temporary), [""; 0]);
    desk.run("verify").exits(0);
}

/// `nohup`, or the background of a script: what is to go on after a logout does. Another signal ends it.
#[cfg(unix)]
#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let desk = Desk::with_ledger();
    large_backup(&desk);
    for (name, sent) in [("HUP", "HUP"), ("INT", "INT"), ("HUP", "TERM")] {
        let out = desk.path().join(name);
        let _ = std::fs::remove_dir_all(&out);
        std::fs::create_dir(&out).unwrap();
        let plain = desk.command(["restore", "whole.vlb", &format!("{name}/r")]);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("trap '' {name}; exec \"$@\""), "sh"]).current_dir(desk.path());
        let child = begun(shell.arg(plain.get_program()).args(plain.get_args()));
        until(|| !names(&out).is_empty());
        signal(&child, &format!("-{sent}"));
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        let (code, left) = if sent == name { (0, vec!["r".to_owned()]) } else { (130, vec![]) };
        assert_eq!(output.status.code(), Some(code), "{name} {sent}: {told}");
        assert_eq!(names(&out), left);
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_directory_that_holds_other_things_keeps_its_rights() {
    let desk = Desk::new();
    for (name, other, rights) in [("shared", true, 0o755), ("own", false, 0o700)] {
        let folder = desk.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        set_mode(&folder, 0o755);
        if other {
            std::fs::write(folder.join("notes.txt"), "x").unwrap();
        }
        let ran = desk.run(&format!("-L {name} init")).exits(0);
        assert_eq!(mode(&folder), rights, "{name}");
        assert_eq!(ran.err.contains("others may read the ledger"), other, "{}", ran.err);
        assert_eq!(mode(&folder.join("sled")), 0o700);
    }
}

#[cfg(unix)]
#[test]
fn a_recovered_ledger_has_its_settings_and_an_inbox_of_its_owners_alone() {
    let desk = Desk::with_iv();
    let old = desk.path().join(".volledger");
    std::fs::write(old.join("config.toml"), "[access]\ntwo_person = true\n").unwrap();
    std::fs::create_dir(old.join("inbox")).unwrap();
    std::fs::write(old.join("inbox/arrived"), "").unwrap();
    let ran = desk.run("recover .volledger new").exits(0);
    assert!(ran.err.contains("config.toml"), "{}", ran.err);
    let new = desk.path().join("new");
    assert_eq!((mode(&new.join("inbox")), mode(&new.join("inbox/arrived"))), (0o700, 0o600));
    let hv = sample("hv/VOLA.csv");
    desk.run(&format!("-L new import hv {hv} -s VOLA --stage-only")).exits(0);
    desk.run("-L new batch confirm b2").exits(12);
    // A backup has no settings, and that is said.
    desk.run("backup whole.vlb").exits(0);
    let ran = desk.run("restore whole.vlb other").exits(0);
    assert!(ran.err.contains("config.toml"), "{}", ran.err);
}

/// The commonest trouble of a machine with several users is no mistake in the settings.
#[cfg(target_os = "linux")]
#[test]
fn another_users_ledger_is_told_as_such() {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        let _ = writeln!(std::io::stderr(), "SKIPPED: only root can be another user");
        return;
    }
    let desk = Desk::with_iv();
    set_mode(desk.path(), 0o755);
    let ledger = desk.path().join(".volledger");
    let plain = desk.command(["-L".as_ref(), ledger.as_os_str(), "status".as_ref()]);
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--clear-groups"]).arg(plain.get_program()).args(plain.get_args());
    let vars = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
    other.env_clear().envs(vars).current_dir("/").env("PATH", "/usr/bin:/bin");
    if other.output().is_err() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: there is no `setpriv`");
        return;
    }
    let refused = crate::program::ran(other, None).exits(22);
    assert!(refused.err.contains("for its owner alone (root, mode 0700)"), "{}", refused.err);
    assert!(refused.err.contains("as that user"), "{}", refused.err);
}

/// Nobody may ever write into it.
#[cfg(unix)]
#[test]
fn settings_in_a_pipe_are_not_waited_for() {
    let desk = Desk::with_iv();
    let made = Command::new("mkfifo").arg(desk.path().join(".volledger/config.toml")).status();
    assert!(made.unwrap().success());
    let refused = desk.run("status").exits(2);
    assert!(refused.err.contains("a pipe or a device, not a file"), "{}", refused.err);
}

/// They can be written anew; the data cannot.
#[cfg(target_os = "linux")]
#[test]
fn a_ledger_is_recovered_without_settings_that_cannot_be_read() {
    let desk = Desk::with_iv();
    // A regular file, whose first byte nobody can read.
    let settings = desk.path().join(".volledger/config.toml");
    std::os::unix::fs::symlink("/proc/self/mem", settings).unwrap();
    assert!(desk.run("status").exits(2).err.contains("cannot be read"));
    let ran = desk.run("recover .volledger --dry-run").exits(0);
    assert!(!ran.err.contains("config.toml"), "{}", ran.err);
    let ran = desk.run("recover .volledger new").exits(0);
    assert!(ran.out.contains("hurt: config.toml: it cannot be read"), "{}", ran.out);
    assert!(ran.err.contains("could not be read: write them anew"), "{}", ran.err);
    assert!(!desk.path().join("new/config.toml").exists());
    desk.run("-L new verify --deep").exits(0);
}

#[cfg(unix)]
#[test]
fn a_restored_ledger_gets_a_name_that_can_be_given() {
    let desk = Desk::with_iv();
    desk.run("backup whole.vlb").exits(0);
    let (empty, link) = (desk.path().join("empty"), desk.path().join("link"));
    std::fs::create_dir(&empty).unwrap();
    let mut command = desk.command(["restore", "../whole.vlb", "."]);
    command.current_dir(&empty);
    let refused = crate::program::ran(command, None).exits(2);
    assert!(refused.err.contains("the command runs in it"), "{}", refused.err);
    desk.write("empty/x", "");
    for line in ["restore whole.vlb empty", "recover .volledger empty"] {
        let refused = desk.run(line).exits(2);
        assert!(refused.err.contains("there are other things in it"), "{}", refused.err);
        assert!(!refused.err.contains("volledger log"), "{}", refused.err);
    }
    std::fs::remove_file(empty.join("x")).unwrap();
    for line in ["restore . new", "batch import ."] {
        let refused = desk.run(line).exits(1);
        assert!(refused.err.contains("check the path"), "{line}: {}", refused.err);
    }
    // Told before anything is restored.
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for line in ["restore whole.vlb link", "recover .volledger link"] {
        let refused = desk.run(line).exits(2);
        assert!(refused.err.contains("a link that leads nowhere"), "{}", refused.err);
    }
    assert!(names(desk.path()).iter().all(|name| !name.starts_with(".restore-")));
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("empty", &link).unwrap();
    desk.run("restore whole.vlb link").exits(0);
    assert!(link.is_symlink());
    desk.run("-L link verify --deep").exits(0);
    desk.run("-L empty verify").exits(0);
}

/// A wrong completion of a name, or `-O config.toml` from within: the ledger stays what it is.
#[test]
fn no_command_writes_a_file_into_a_ledger() {
    let desk = Desk::with_iv();
    let before = names(desk.path());
    let own = desk.path().join(".volledger");
    let kept = ["HEAD", "HEADS", "sled/db"].map(|name| std::fs::read(own.join(name)).unwrap());
    let lines = [
        "export iv -f csv -O .volledger/HEAD",
        "export iv -f sqlite -O .volledger/sled/db",
        "export iv -f parquet -O .volledger/new/iv.parquet",
        "export all -f parquet -O .volledger/sources/all",
        "export all -f xlsx -O .volledger/all.xlsx",
        "export tomic .volledger",
        "chart iv VOLA --html .volledger/HEAD",
        "chart iv VOLA --svg .volledger/HEADS",
        "log --audit --html .volledger/HEAD",
        "batch export b1 .volledger/HEADS",
        "backup .volledger/HEAD",
        "backup data/../.volledger/mirror/b.vlb",
    ];
    std::fs::create_dir(desk.path().join("data")).unwrap();
    for line in lines {
        let refused = desk.run(line).exits(2);
        assert!(refused.err.contains("inside the ledger"), "{line}: {}", refused.err);
        assert!(refused.err.contains("outside of it"), "{line}: {}", refused.err);
    }
    let mut within = desk.command(["export", "iv", "-f", "json", "-O", "config.toml"]);
    within.current_dir(&own).env("VOLLEDGER_DIR", ".");
    crate::program::ran(within, None).exits(2);
    std::fs::remove_dir(desk.path().join("data")).unwrap();
    assert_eq!(names(desk.path()), before);
    let now = ["HEAD", "HEADS"].map(|name| std::fs::read(own.join(name)).unwrap());
    assert_eq!(now, kept[..2]);
    desk.run("verify --deep").exits(0);
    // Diagnostics are a file too.
    let folder = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&folder).unwrap();
    let head = own.join("HEAD");
    std::fs::write(folder.join("config.toml"), format!("[log]\nfile = {head:?}\n")).unwrap();
    desk.run("status").exits(2);
    assert_eq!(std::fs::read(&head).unwrap(), kept[0]);
}

/// What is not text is not written to standard output, nor into a file of that name.
#[test]
fn standard_output_is_no_file() {
    let desk = Desk::with_iv();
    let before = names(desk.path());
    let lines = ["backup -", "batch export b1 -", "export all -f parquet -O -", "export tomic -"];
    for line in lines {
        let refused = desk.run(line).exits(2);
        assert!(refused.err.contains("standard output"), "{line}: {}", refused.err);
    }
    assert_eq!(names(desk.path()), before);
    desk.run("backup ./-").exits(0);
}

/// What a backup, or the file of a batch, takes the place of without a copy is what it holds itself.
#[test]
fn a_backup_replaces_an_earlier_one_and_keeps_any_other_file() {
    let desk = Desk::with_iv();
    let (file, kept) = (desk.path().join("f"), desk.path().join("f.bak"));
    for line in ["backup f", "batch export b1 f"] {
        desk.write("f", "precious");
        let told = desk.run(&format!("{line} --json")).exits(0);
        assert!(told.err.contains("stays as f.bak"), "{}", told.err);
        assert_eq!(told.json()["kept"][0], "f.bak");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "precious", "{line}");
        assert_ne!(std::fs::read(&file).unwrap(), b"precious");
        std::fs::remove_file(&kept).unwrap();
        desk.run(line).exits(0);
        desk.run(&format!("{line} --plain")).exits(0);
        desk.write("f", "");
        desk.run(line).exits(0);
        assert!(!kept.exists(), "{line}");
    }
}

/// The last copy of another ledger, or of a fuller one, is what nobody gets again.
#[test]
fn a_bundle_with_what_the_new_one_has_not_is_never_lost() {
    let desk = Desk::with_iv();
    let read = |name: &str| std::fs::read(desk.path().join(name)).unwrap_or_default();
    desk.run("backup early").exits(0);
    desk.run("restore early copy").exits(0);
    desk.run("-L other init").exits(0);
    desk.run("-L empty init").exits(0);
    let iv = sample("iv/VOLA.csv");
    desk.words(&["-L", "other", "import", "iv", &iv, "-s", "OTHR", "--yes"]).exits(0);
    desk.run("batch rollback b1 --reason later").exits(0);
    desk.run("backup full").exits(0);
    let full = read("full");
    let others =
        ["-L empty backup f", "-L other backup f", "-L copy backup f", "batch export b1 f"];
    for line in others {
        std::fs::write(desk.path().join("f"), &full).unwrap();
        let told = desk.run(line).exits(0);
        assert!(told.err.contains("stays as f.bak"), "{line}: {}", told.err);
        assert!(read("f.bak") == full && read("f") != full, "{line}");
        // A second run replaces its own, and the first one's copy stays.
        desk.run(line).exits(0);
        assert!(read("f.bak") == full, "{line}");
        std::fs::remove_file(desk.path().join("f.bak")).unwrap();
    }
    // Two desks with one name: whichever was there before stays, and nothing piles up.
    for line in ["backup f", "-L other backup f", "backup f", "-L other backup f"] {
        desk.run(line).exits(0);
    }
    assert!(read("f.bak") == full && !desk.path().join("f.bak.2").exists());
    // A third: the copy that the new one does not hold gets another name.
    let other = read("f");
    desk.run("-L empty backup f").exits(0);
    assert!(read("f.bak") == other);
    let numbered = std::fs::read(desk.path().join("f.bak.1")).unwrap();
    assert!(numbered == full || read("f.bak.2") == full);
    // Over an empty one nothing is lost, nor by a backup that went on.
    std::fs::remove_file(desk.path().join("f.bak")).unwrap();
    for line in ["-L copy backup f", "backup f"] {
        desk.run(line).exits(0);
        assert!(!desk.path().join("f.bak").exists(), "{line}");
    }
    std::fs::copy(desk.path().join("early"), desk.path().join("f")).unwrap();
    desk.run("batch export b1 f").exits(0);
    assert!(read("f.bak") == read("early"));
}

/// The batch is confirmed before anything is written about it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_undoes_nothing_and_says_so() {
    let desk = Desk::with_ledger();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let iv = sample("iv/VOLA.csv");
    let mut command = desk.command(["import", "iv", &iv, "-s", "VOLA", "--yes"]);
    let output = command.stdout(full()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(22), "{told}");
    assert!(told.contains("volledger log") && !told.contains("nothing was changed"), "{told}");
    assert_eq!(desk.run("batch list --json").exits(0).json()["batches"][0]["state"], "active");
}
