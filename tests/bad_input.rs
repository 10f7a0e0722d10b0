//! Bad input through the program itself: each gives a clear error with a hint and its exit code,
//! no panic text, and nothing in the ledger changes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use volledger::app::outside;

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { root: tempfile::tempdir().unwrap() };
        drop(outside::create(&place.ledger(), "test", Duration::ZERO).unwrap());
        place
    }

    fn ledger(&self) -> PathBuf {
        self.root.path().join("l")
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.root.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        program(&self.ledger(), args).output().unwrap()
    }

    /// Runs and checks the exit code, the tone of the error, and that nothing was appended.
    fn refused(&self, args: &[&str], code: i32, says: &str) {
        let before = std::fs::read(self.ledger().join("HEADS")).unwrap();
        let output = self.run(args);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{err}");
        assert!(err.contains(says), "{args:?} should say `{says}`: {err}");
        assert!(err.contains("Error: ") && err.contains("Hint: "), "{args:?}: {err}");
        assert!(!err.contains("panicked") && !err.contains("RUST_BACKTRACE"), "{args:?}: {err}");
        assert_eq!(std::fs::read(self.ledger().join("HEADS")).unwrap(), before, "{args:?}");
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

fn program(ledger: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("volledger"));
    command.arg("-L").arg(ledger).args(args).env_clear().env("USER", "tester");
    command.env("LC_ALL", "C.UTF-8").env("VOLLEDGER_LOCK_WAIT", "0");
    command.stdin(Stdio::null());
    command
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_reason() {
    let place = Place::new();
    let good = b"Date,IV30\n2024-01-02,45.5\n";
    let import = |file: &str| ["import", "iv", file, "-s", "AAPL", "--yes"].map(str::to_owned);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("binary.csv", [b"Date,IV30\n".as_slice(), &[0, 1, 2, 0]].concat(), "binary"),
        ("utf16.csv", [0xff, 0xfe, b'D', 0, b'a', 0].to_vec(), "UTF-16"),
        ("columns.csv", b"Day,Vol\n2024-01-02,45.5\n".to_vec(), "Date"),
        ("empty.csv", Vec::new(), "empty"),
        ("packed.csv", b"\x1f\x8b\x08\0\0".to_vec(), "gzip"),
        ("book.csv", b"PK\x03\x04\0\0".to_vec(), "workbook"),
        ("dates.csv", b"Date,IV30\n13/01/2024,45\n01/13/2024,45\n".to_vec(), "day"),
        ("line.csv", [b"Date,IV30\n".to_vec(), vec![b'9'; 200_000]].concat(), "line"),
        ("fields.csv", [b"Date,IV30\n2024-01-02".to_vec(), vec![b','; 5_000]].concat(), "field"),
    ];
    for (name, bytes, says) in cases {
        let file = place.file(name, &bytes);
        let args = import(&file);
        place.refused(&args.each_ref().map(String::as_str), 1, says);
    }
    place.refused(&["import", "iv", "/no/such/file.csv", "-s", "AAPL"], 1, "no/such/file.csv");
    let directory = place.root.path().to_string_lossy().into_owned();
    place.refused(&["import", "iv", &directory, "-s", "AAPL"], 1, "directory");
    let file = place.file("good.csv", good);
    place.refused(&["import", "iv", &file], 2, "symbol");
    place.refused(&["import", "iv", &file, "-s", "AAPL", "--mapping", "nope"], 2, "mapping");
    place.refused(&["import", "tomic", "/no/such/folder"], 1, "folder");
    let corrupt = place.root.path().join("tomic/iv_daily_summary");
    std::fs::create_dir_all(&corrupt).unwrap();
    std::fs::write(corrupt.join("AAPL.json"), "[{\"date\": ").unwrap();
    let folder = place.root.path().join("tomic").to_string_lossy().into_owned();
    place.refused(&["import", "tomic", &folder, "--yes"], 1, "AAPL.json");
    // A symbol that is none is a matter of the command's words.
    let output = place.run(&["import", "iv", &file, "-s", "A B!"]);
    assert_eq!(output.status.code(), Some(2), "{:?}", texts(&output));
    // After all of this the good file goes in, and the ledger is sound.
    assert!(place.run(&["import", "iv", &file, "-s", "AAPL", "--yes"]).status.success());
    assert!(place.run(&["verify", "--deep"]).status.success());
}

/// What is known of these files says that somebody should look; `--yes` looks at nothing.
#[test]
fn files_that_say_something_else_than_they_are_taken_for_wait_for_a_person() {
    let place = Place::new();
    for (name, text, says) in [
        ("rows.csv", "Date,IV30\n", "no rows"),
        ("twice.csv", "Date,IV30,IV30\n2024-01-02,45,54\n", "of equal columns the first was read"),
        ("other.csv", "Symbol,Date,IV30\nMSFT,2024-01-02,45\n", "--symbol-from column"),
    ] {
        let file = place.file(name, text.as_bytes());
        let waits = place.run(&["import", "iv", &file, "-s", "AAPL", "--yes"]);
        let (out, err) = texts(&waits);
        assert_eq!(waits.status.code(), Some(11), "{name}: {err}");
        assert!(err.contains("stays staged") && err.contains(says), "{name}: {err}");
        let wide = out.contains("not as many cells as the header: 2024-01-02,1132,25");
        assert_eq!(wide, name == "wide.csv", "{out}");
    }
    let rows = place.root.path().join("rows.csv").to_string_lossy().into_owned();
    assert_eq!(place.run(&["check", &rows]).status.code(), Some(1));
    // Nobody said which symbol it is, so the column contradicts nothing.
    let other = place.root.path().join("other.csv").to_string_lossy().into_owned();
    let checked = place.run(&["check", &other]);
    assert_eq!(checked.status.code(), Some(0));
    let (out, err) = texts(&checked);
    assert!(err.contains("--symbol-from column") && !out.contains("other_symbols"), "{out}{err}");
}

/// As above, of what only the cells tell; `check` says the same, and advises no import.
#[test]
fn cells_that_may_be_misread_wait_for_a_person() {
    let place = Place::new();
    for (name, series, text, says) in [
        ("wide.csv", "spot", "Date,Close\n2024-01-02,1132,25\n2024-01-03,1133\n", "1 rejected row"),
        (
            "thirty.csv",
            "spot",
            "Date,Close\n2024-01-02,110'18\n2024-01-03,1133\n",
            "1 rejected row",
        ),
        ("hv.csv", "hv", "date,hv20\n2024-01-02,0.3089\n", "`--mapping hv-fraction` reads"),
        ("marks.csv", "spot", "Date;Close\n2024-01-02;998,50\n2024-01-03;1.012\n", "decimal mark"),
        ("years.csv", "spot", "Date,Close\n24/01/02,7\n24/01/03,8\n", "years seem to stand first"),
        (
            "places.csv",
            "spot",
            "Date,Close,Volume\n2024-01-02,185.64,123.000\n2024-01-03,184.25,1234.000\n",
            "`decimal = \"point\"`",
        ),
        (
            "bars.csv",
            "spot",
            "Date,Open,High,Low,Close\n2024-01-02,7,8,6,7\n2024-01-03,7,6,8,7\n",
            "1 row whose high is below its low",
        ),
        (
            "volumes.csv",
            "spot",
            "Date,Close,Volume\n2024-01-02,7,62.30M\n2024-01-03,8,58.41M\n",
            "2 of 2 cells of `volume` cannot be used, the first of them `62.30M`",
        ),
        (
            "german.csv",
            "spot",
            "Date;Close\n02.01.2024;33.288\n03.01.2024;33.193\n",
            "`decimal = \"comma\"`",
        ),
        (
            "shift.csv",
            "spot",
            "Date,Close,\n2024-01-02,4,7.81\n2024-01-03,4704,\n",
            "1 rejected row",
        ),
        (
            "sign.csv",
            "spot",
            "Date,Close\n2024-01-02,¥181.18\n2024-01-03,8\n",
            "1 rejected row, the first for `¥181.18` under `close`",
        ),
        ("year.csv", "spot", "Date,Close\n0024-01-02,7\n2024-01-03,8\n", "2024-01-31"),
        ("times.csv", "spot", "Date,Close\n2024-01-02 16:00,7\n2024-01-03,8\n", "2024-01-31"),
    ] {
        let file = place.file(name, text.as_bytes());
        let waits = place.run(&["import", series, &file, "-s", "AAPL", "--yes"]);
        let (_, err) = texts(&waits);
        assert_eq!(waits.status.code(), Some(11), "{name}: {err}");
        assert!(err.contains("stays staged") && err.contains(says), "{name}: {err}");
        let checked = place.run(&["check", &file, "--series", series]);
        let (_, err) = texts(&checked);
        assert_eq!(checked.status.code(), Some(11), "{name}: {err}");
        assert!(err.contains(says) && !err.contains("import it with"), "{name}: {err}");
    }
}

/// No mapping makes a table of what is none, or reads another form of dates.
#[test]
fn a_mapping_is_advised_only_where_one_helps() {
    let place = Place::new();
    for (name, text, says) in [
        ("empty.csv", "", "the file is empty"),
        ("page.csv", "<!DOCTYPE html><p>no such file</p>\n", "a web page"),
        ("data.csv", "{\"Date\": \"2024-01-02\"}\n", "JSON"),
        ("times.csv", "Date,IV30\n2024-01-02T05:00:00Z,20\n", "no time of day but 00:00"),
        ("rows.csv", "Date,IV30\n", "no rows"),
    ] {
        let file = place.file(name, text.as_bytes());
        let checked = place.run(&["check", &file]);
        let (_, err) = texts(&checked);
        assert_eq!(checked.status.code(), Some(1), "{name}: {err}");
        assert!(err.contains(says) && !err.contains("--mapping"), "{name}: {err}");
        assert!(!err.contains("staged"), "{name}: {err}");
    }
    let file = place.file("dates.csv", b"Date,IV30\n2 Jan 2024,20\n");
    let (_, err) = texts(&place.run(&["import", "iv", &file, "-s", "AAPL", "--yes"]));
    assert!(err.contains("2024-01-31") && !err.contains("accept it as it is"), "{err}");
}

/// pandas and Excel write days as midnights.
#[test]
fn a_midnight_behind_a_date_is_that_day_and_no_other_time_is() {
    let place = Place::new();
    let rows =
        "2024-01-02 00:00:00,20\n2024-01-03T00:00:00Z,21\n\"2024-01-04 00:00:00-05:00\",22\n";
    let file = place.file("pandas.csv", format!("Date,IV30\n{rows}").as_bytes());
    let read = place.run(&["import", "iv", &file, "-s", "AAPL", "--yes"]);
    assert_eq!(read.status.code(), Some(0), "{:?}", texts(&read));
    let (out, _) = texts(&place.run(&["view", "iv", "AAPL", "-o", "csv", "--columns", "atm_iv"]));
    for row in ["2024-01-02,0.20", "2024-01-03,0.21", "2024-01-04,0.22"] {
        assert!(out.lines().any(|line| line.ends_with(row)), "{row}: {out}");
    }
    let times = "Date,IV30\n2024-01-05 00:00:00,20\n2024-01-08 16:00:00,21\n";
    let file = place.file("times.csv", times.as_bytes());
    let read = place.run(&["import", "iv", &file, "-s", "AAPL", "--yes"]);
    let (out, err) = texts(&read);
    assert_eq!(read.status.code(), Some(11), "{err}");
    assert!(err.contains("with no time of day but 00:00"), "{err}");
    let told =
        "1 date with a time of day, which is another day in another zone (write the day alone)";
    assert!(out.contains(&format!("{told}: line 3")), "{out}");
}

/// A shell's `<(zcat FILE)` is a pipe with a name.
#[test]
fn a_pipe_is_read_like_standard_input() {
    let place = Place::new();
    let pipe = place.root.path().join("pipe.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, "Date,IV30\n2024-01-02,45\n"))
    };
    let name = pipe.to_string_lossy().into_owned();
    let read = place.run(&["import", "iv", &name, "-s", "AAPL", "--yes"]);
    assert_eq!(read.status.code(), Some(0), "{:?}", texts(&read));
    writer.join().unwrap().unwrap();
}

/// A decision about it could be made, and then the views could not follow: no command would open the
/// ledger any more.
#[test]
fn more_rows_of_a_symbol_and_year_than_a_view_can_hold_are_refused() {
    let place = Place::new();
    let mut text = String::from("Date,IV30\n");
    (0..=1 << 20).for_each(|row| text += ["2024-03-05,20.5\n", "2024-03-06,21\n"][row % 2]);
    let file = place.file("million.csv", text.as_bytes());
    let args = ["import", "iv", &file, "-s", "AAA", "--force"];
    place.refused(&args, 1, "iv of AAA would have 1048577 rows in 2024");
    let one = place.file("one.csv", b"Date,IV30\n2024-03-05,20.5\n");
    let after = place.run(&["import", "iv", &one, "-s", "AAA", "--yes"]);
    assert_eq!(after.status.code(), Some(0), "{:?}", texts(&after));
    let (out, err) = texts(&place.run(&["status"]));
    assert!(out.contains("1 active") && !err.contains("unfinished"), "{out}{err}");
}

#[test]
fn a_gigabyte_in_one_line_ends_quickly_and_small() {
    let place = Place::new();
    let path = place.root.path().join("huge.csv");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"Date,IV30\n").unwrap();
    file.set_len(1 << 30).unwrap(); // a hole reads as zero bytes: binary, and one line
    let file = path.to_string_lossy().into_owned();
    place.refused(&["import", "iv", &file, "-s", "AAPL"], 1, "huge.csv");
    let size = |dir: &Path| -> u64 {
        std::fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.metadata().unwrap().len())
            .sum()
    };
    assert!(size(&place.ledger().join("sources")) < 1 << 20);
}

#[test]
fn ledgers_that_are_absent_newer_held_or_not_writable_have_their_codes() {
    let place = Place::new();
    let nowhere = place.root.path().join("nowhere");
    let output = program(&nowhere, &["status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{:?}", texts(&output));
    assert!(texts(&output).1.contains("volledger init"));
    place.refused(&["init"], 1, "already");

    // Another process holds it.
    let options = volledger::app::OpenOptions::new("the test", Duration::ZERO);
    let held = volledger::app::Ledger::open(&place.ledger(), &options).unwrap();
    place.refused(&["status"], 21, "the test");
    drop(held);

    // A later version wrote it.
    let head = place.ledger().join("HEAD");
    let saved = std::fs::read(&head).unwrap();
    let body = "volledger\nformat 3\nsize 0\n";
    let digest = volledger::ledger::hash::content(body.as_bytes()).short();
    std::fs::write(&head, format!("{body}check {digest}\n")).unwrap();
    place.refused(&["status"], 32, "newer");
    // HEAD with a changed byte, and HEAD gone.
    let mut bad = saved.clone();
    bad[30] ^= 1;
    std::fs::write(&head, &bad).unwrap();
    place.refused(&["status"], 30, "damaged");
    std::fs::remove_file(&head).unwrap();
    let output = place.run(&["status"]);
    assert_eq!(output.status.code(), Some(30), "{:?}", texts(&output));
    std::fs::write(&head, &saved).unwrap();
    assert!(place.run(&["status"]).status.success());
}

const VERIFY: [&[&str]; 2] = [&["verify", "--json"], &["verify", "--deep", "--json"]];

/// Where nothing can be written, the whole ledger is verified in a copy; where there is no room for
/// one either, nobody is told that the engine was looked at.
fn verified_without_writing(ledger: &Path, whole: [&Output; 2], mount: &dyn Fn(&[&str]) -> bool) {
    for (args, whole) in VERIFY.into_iter().zip(whole) {
        let again = program(ledger, args).output().unwrap();
        let (_, err) = texts(&again);
        assert_eq!(again.status.code(), Some(0), "{args:?}: {err}");
        assert_eq!(texts(&again).0, texts(whole).0, "{args:?}");
        assert!(err.contains("Read-only file system") && err.contains("in a copy"), "{err}");
    }
    let nowhere = |args: &[&str]| {
        let ran = program(ledger, args).env("TMPDIR", ledger).output().unwrap();
        let (out, err) = texts(&ran);
        assert_eq!(ran.status.code(), Some(22), "{args:?}: {out}{err}");
        assert!(err.contains("and not the engine") && err.contains("Hint: "), "{err}");
        out
    };
    assert!(nowhere(&["verify"]).contains("! not checked: the engine's files"));
    for (args, whole) in VERIFY.into_iter().zip(whole) {
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let (mut part, mut whole) = (read(&nowhere(args)), read(&texts(whole).0));
        assert_eq!(part["unchecked"], serde_json::json!(["engine"]), "{part}");
        assert_eq!(part["projections"], 0, "views made just now prove nothing: {part}");
        for report in [&mut part, &mut whole] {
            report
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key != "unchecked" && key != "projections");
        }
        assert_eq!(part, whole);
    }
    // A byte of the engine that is not as it was: seen in the copy, and not in the mirror.
    let db = ledger.join("sled").join("db");
    let sound = std::fs::read(&db).unwrap();
    let mut hurt = sound.clone();
    let entry = b"VOLA";
    let at = sound.windows(entry.len()).position(|bytes| bytes == entry).unwrap();
    hurt[at] ^= 1;
    let put = |file: &Path, bytes: &[u8]| {
        assert!(mount(&["-o", "remount,rw"]));
        std::fs::write(file, bytes).unwrap();
        assert!(mount(&["-o", "remount,ro"]));
    };
    put(&db, &hurt);
    let seen = program(ledger, &["verify", "--deep"]).output().unwrap();
    assert_eq!(seen.status.code(), Some(30), "{:?}", texts(&seen));
    nowhere(&["verify", "--deep"]);
    put(&db, &sound);
    // A mirror that a crash left half-written: only writing mends it, so it is not checked.
    let mirror = std::fs::read_dir(ledger.join("mirror")).unwrap();
    let mirror = mirror.map(|file| file.unwrap().path()).max().unwrap();
    let whole_mirror = std::fs::read(&mirror).unwrap();
    put(&mirror, &whole_mirror[..whole_mirror.len() - 20]);
    let half = program(ledger, &["verify", "--deep", "--json"]).output().unwrap();
    let (out, err) = texts(&half);
    assert_eq!(half.status.code(), Some(22), "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["unchecked"], &report["ok"]), (&["mirror"][..].into(), &true.into()));
    assert!(err.contains("Hint: ") && err.contains("in a copy"), "{err}");
    // What is not deep does not look at it.
    let quick = program(ledger, &["verify"]).output().unwrap();
    assert_eq!(quick.status.code(), Some(0), "{:?}", texts(&quick));
    put(&mirror, &whole_mirror);
}

/// Root may write anywhere, so a read-only place needs a file system that refuses even root: a
/// full or read-only tmpfs, where the test may mount one.
#[test]
fn a_full_or_read_only_disk_changes_nothing() {
    let place = Place::new();
    let disk = place.root.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |args: &[&str]| {
        let done = Command::new("mount").args(args).arg(&disk).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=12m", "none"]) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no tmpfs can be mounted here");
        return;
    }
    let umount = || drop(Command::new("umount").arg("-l").arg(&disk).status());
    let outcome = std::panic::catch_unwind(|| {
        let ledger = disk.join("l");
        let run = |args: &[&str]| program(&ledger, args).output().unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
        let file = |name: &str| sample.join(name).to_string_lossy().into_owned();
        let (a, b) = (file("VOLA.csv"), file("VOLB.csv"));
        assert!(run(&["init"]).status.success());
        let first = run(&["import", "iv", &a, "-s", "VOLA", "--yes"]);
        assert!(first.status.success(), "{:?}", texts(&first));
        // What only reads gets its answer from the mirror where nothing can be written.
        let questions = [
            &["view", "iv", "VOLA", "--json"][..],
            &["why", "iv", "VOLA", "2024-12-30", "--json"],
            &["log", "--json"],
            &["show", "b1/3", "--json"],
            &["batch", "diff", "b1", "--json"],
            &["rank", "--json"],
            &["sql", "SELECT count(*), sum(atm_iv) FROM iv", "--json"],
            &["gaps", "VOLA", "--json"],
            &["export", "iv", "VOLA"],
            &["batch", "list", "--json"],
            &["import", "iv", &b, "-s", "VOLB", "--dry-run", "--json"],
            // And so do plans and lists.
            &["fetch", "spot", "VOLB", "--from", "2024-01-01", "--to", "2024-06-28", "--dry-run"],
            &["undo", "--plan", "--json"],
            &["batch", "rollback", "b1", "--plan", "--json"],
            &["rollback", "--to", "#1", "--plan", "--json"],
            &["erase", "b1/3", "--plan", "--json"],
            &["retention", "apply", "--dry-run", "--json"],
            &["projection", "list", "--json"],
            &["projection", "show", "iv_metrics", "--json"],
        ];
        let answers = || questions.map(&run);
        let before = answers();
        for (question, answer) in questions.iter().zip(&before) {
            assert!(answer.status.success(), "{question:?}: {:?}", texts(answer));
        }
        let same_answers = |note: &str| {
            for ((question, was), is) in questions.iter().zip(&before).zip(answers()) {
                let (_, err) = texts(&is);
                assert_eq!(is.status.code(), Some(0), "{question:?}: {err}");
                assert_eq!(is.stdout, was.stdout, "{question:?}: {err}");
                assert!(err.contains(note), "{question:?}: {err}");
            }
        };

        let whole = VERIFY.map(run);
        assert!(whole.iter().all(|whole| whole.status.success()), "{whole:?}");

        // Fill the disk to the last byte.
        let filler = disk.join("filler");
        let mut full = std::fs::File::create(&filler).unwrap();
        while full.write_all(&[7; 4096]).is_ok() {}
        drop(full);
        same_answers(""); // the engine does not always need room to open
        for (args, whole) in VERIFY.into_iter().zip(&whole) {
            let again = run(args);
            assert_eq!(texts(&again).0, texts(whole).0, "{args:?}: {:?}", texts(&again));
        }
        let refused = run(&["import", "iv", &b, "-s", "VOLB", "--yes"]);
        let (_, err) = texts(&refused);
        assert_eq!(refused.status.code(), Some(22), "{err}");
        assert!(err.contains("Hint: ") && !err.contains("panicked"), "{err}");
        std::fs::remove_file(&filler).unwrap();
        same_answers("");
        assert!(run(&["verify", "--deep"]).status.success());

        assert!(mount(&["-o", "remount,ro"]));
        same_answers("Read-only file system (os error 30); this is only read");
        let status = texts(&run(&["status", "--json"])).0;
        assert!(status.contains("this is only read") && status.contains("disk/l"), "{status}");
        let refused = run(&["import", "iv", &b, "-s", "VOLB", "--yes"]);
        let (_, err) = texts(&refused);
        assert_eq!(refused.status.code(), Some(22), "{err}");
        assert!(err.contains("Hint: ") && !err.contains("panicked"), "{err}");
        verified_without_writing(&ledger, whole.each_ref(), &mount);
        assert!(mount(&["-o", "remount,rw"]));
        same_answers("");
    });
    umount();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
