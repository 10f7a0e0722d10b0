//! Who may do what: settings files, actors, the two-person rule, file modes, and the audit of it.

use crate::program::{Desk, sample};
use serde_json::Value;

fn config(desk: &Desk, text: &str) {
    std::fs::write(desk.path().join(".volledger/config.toml"), text).unwrap();
}

fn setting(report: &Value, key: &str) -> (String, String) {
    let lines = report["settings"].as_array().unwrap();
    let line = lines.iter().find(|line| line["key"] == key).unwrap();
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    (text("value"), text("from"))
}

#[test]
fn settings_say_where_they_come_from() {
    let desk = Desk::with_ledger();
    let mine = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&mine).unwrap();
    let text = "actor = \"desk 3\"\n[retention]\nchain = \"30d\"\n[polygon]\njobs = 2\n";
    std::fs::write(mine.join("config.toml"), text).unwrap();
    config(&desk, "mirror = false\n[retention]\nchain = \"90d\"\n");
    let report = desk.run("config show --json").exits(0).json();
    let (actor, from) = setting(&report, "actor");
    assert!(actor == "desk 3" && from.ends_with("home/.config/volledger/config.toml"), "{from}");
    let (days, from) = setting(&report, "retention.chain");
    assert!(days == "90d" && from.ends_with(".volledger/config.toml"), "{from}");
    assert_eq!(setting(&report, "access.two_person"), ("false".into(), "default".into()));
    assert_eq!(setting(&report, "polygon.jobs").0, "2");
    let mut command = desk.command(["config", "show", "--json"]);
    command.env("VOLLEDGER_ACTOR", "ann").env("VOLLEDGER_MIRROR", "1");
    command.env("MASSIVE_API_KEY", "s3cret-canary");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("s3cret"), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(setting(&report, "actor"), ("ann".into(), "VOLLEDGER_ACTOR".into()));
    assert_eq!(setting(&report, "mirror"), ("true".into(), "VOLLEDGER_MIRROR".into()));
    let paths = desk.run("config path --json").exits(0).json();
    assert_eq!(paths["files"][1]["there"], true, "{paths}");
    // The settings work: no mirror is written, the entry bears the name.
    desk.run(&format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv"))).exits(0);
    let log = desk.run("log --json").exits(0).json();
    assert_eq!(log["entries"][0]["actor"], "desk 3", "{log}");
}

#[test]
fn everything_wrong_with_a_settings_file_is_told_at_once() {
    let desk = Desk::with_ledger();
    config(&desk, "miror = true\nmirror = 3\n[polygon]\njobs = 1\n");
    let ran = desk.run("status").exits(2);
    for said in ["line 1: there is no key miror", "line 2: mirror must be", "line 4: polygon.jobs"]
    {
        // Each on a line of its own.
        let mut lines = ran.err.lines();
        assert!(lines.any(|line| line.contains(said) && !line.contains("; ")), "{}", ran.err);
    }
    let error = desk.run("status --json").exits(2).json()["error"].as_str().unwrap().to_owned();
    assert_eq!((error.split("; ").count(), error.contains('\n')), (3, false), "{error}");
    desk.run("config path").exits(0);
    config(&desk, "");
    // And what is wrong with variables.
    for (name, value) in [("VOLLEDGER_LOG", "xyz"), ("VOLLEDGER_ACTOR", "two\nlines")] {
        let mut command = desk.command(["status"]);
        command.env(name, value);
        let ran = crate::program::ran(command, None).exits(2);
        assert!(ran.err.contains(&format!("{name} is {value:?}")), "{}", ran.err);
    }
}

fn by(desk: &Desk, actor: &str, line: &str) -> crate::program::Ran {
    let mut command = desk.command(line.split(' '));
    command.env("VOLLEDGER_ACTOR", actor);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    crate::program::Ran {
        exit: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

#[test]
fn who_staged_a_batch_does_not_confirm_it() {
    let desk = Desk::with_ledger();
    config(&desk, "[access]\ntwo_person = true\n");
    let import = format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv"));
    let ran = by(&desk, "ann", &import).exits(12);
    assert!(ran.err.contains("another person"), "{}", ran.err);
    for line in ["batch confirm b1", &format!("{import} --force"), &import] {
        let ran = by(&desk, "ann", &line.replace("--yes --force", "--force")).exits(12);
        assert!(ran.err.contains("ann staged it"), "{line}: {}", ran.err);
        assert!(ran.err.contains("Hint:") && ran.err.contains("batch discard b1"), "{}", ran.err);
    }
    // A blank makes nobody another person.
    assert!(by(&desk, "ann ", "batch confirm b1").exits(12).err.contains("ann staged it"));
    let report = by(&desk, "ann", "batch show b1 --json").exits(0).json();
    assert_eq!(report["state"], "staged");
    // Taking it away is not forbidden, nor is bringing it back.
    by(&desk, "ann", "batch discard b1").exits(0);
    by(&desk, "ann", "undo").exits(0);
    by(&desk, "bo", "batch confirm b1").exits(0);
    by(&desk, "bo", "batch rollback b1").exits(0);
    by(&desk, "ann", "undo").exits(0);
    let audit = desk.run("log --audit --json").exits(0).json();
    assert_eq!(audit["batches"][0]["same_person"], false, "{audit}");
    let acts = audit["batches"][0]["acts"].as_array().unwrap();
    let did: Vec<_> = acts.iter().map(|act| format!("{} {}", act["what"], act["actor"])).collect();
    let want = [
        "\"stage\" \"ann\"",
        "\"discard\" \"ann\"",
        "\"reinstate\" \"ann\"",
        "\"commit\" \"bo\"",
        "\"rollback\" \"bo\"",
        "\"reinstate\" \"ann\"",
    ];
    assert_eq!(did, want);
}

/// Who splits a batch has brought none of its rows.
#[test]
fn who_staged_a_batch_does_not_confirm_its_parts() {
    let desk = Desk::with_ledger();
    config(&desk, "[access]\ntwo_person = true\n");
    let file = desk.write("s.csv", "Symbol,Date,IV30\nAAA,2024-12-02,20\nBBB,2024-12-02,30\n");
    let import =
        format!("import iv {file} --symbol-from column --mapping mc-iv-basic --stage-only");
    by(&desk, "ann", &import).exits(0);
    by(&desk, "bo", "batch split b1 -s AAA").exits(0);
    for line in ["batch confirm b2", "batch confirm b3", "batch confirm b3 --plan"] {
        let ran = by(&desk, "ann", line).exits(12);
        assert!(ran.err.contains("ann staged b1, of which it is a part"), "{line}: {}", ran.err);
    }
    assert!(by(&desk, "bo", "batch confirm b2").exits(12).err.contains("bo staged it"));
    by(&desk, "cy", "batch confirm b2").exits(0);
    // Also of a part of a part, and where another one brings the part's rows in a file of their own.
    by(&desk, "ann", "batch export b3 part.vlb").exits(0);
    by(&desk, "cy", "batch discard b3").exits(0);
    by(&desk, "cy", "batch import part.vlb --stage-only").exits(0);
    assert!(by(&desk, "ann", "batch confirm b4").exits(12).err.contains("ann staged b1"));
    by(&desk, "dee", "batch confirm b4").exits(0);
}

#[test]
fn the_audit_points_at_what_stands_out() {
    let desk = Desk::with_iv();
    let bad = "Date,IV30\n2024-01-02,20.5\n2024-01-03,n/a\n";
    std::fs::write(desk.path().join("bad.csv"), bad).unwrap();
    by(&desk, "bo", "import iv bad.csv -s <b>X --stage-only").exits(2);
    by(&desk, "bo", "import iv bad.csv -s VOLB --stage-only --mapping mc-iv-basic").exits(0);
    by(&desk, "cy", "batch confirm b2").exits(0);
    by(&desk, "bo", "batch rollback b2 --reason <script>alert(1)</script>").exits(0);
    let audit = desk.run("log --audit --json").exits(0).json();
    let codes = audit["findings"].as_array().unwrap();
    let codes: Vec<_> = codes.iter().map(|f| format!("{} {}", f["code"], f["batch"])).collect();
    assert_eq!(codes, ["\"same_person\" \"b1\"", "\"accepted_findings\" \"b2\""]);
    assert!(audit["batches"][1]["token"].is_string());
    let head = desk.run("log --json").exits(0).json();
    let last = audit["batches"][1]["acts"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["log_root"], head["log_root"]);
    // By person and by time.
    let count = |line: &str| {
        let audit = desk.run(&format!("log --audit --json {line}")).exits(0).json();
        audit["batches"].as_array().unwrap().len()
    };
    assert_eq!((count("--actor cy"), count("--actor tester"), count("--actor no")), (1, 1, 0));
    assert_eq!(
        (count("--since #3"), count("--since 2025-12-13"), count("--since 2025-12-14")),
        (1, 2, 0)
    );
    desk.run("log --audit --since someday").exits(2);
    // A page of its own, in which nothing runs.
    desk.run("log --audit --html audit.html").exits(0);
    let page = std::fs::read_to_string(desk.path().join("audit.html")).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"), "{page}");
    assert!(page.contains("default-src 'none'") && !page.contains("http:"), "{page}");
    let text = desk.run("log --audit").exits(0).out;
    assert!(text.contains("! same person: tester staged b1 and confirmed it"), "{text}");
}

#[cfg(unix)]
mod modes {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Runs the program under a umask that takes nothing, through the shell.
    fn loosely(desk: &Desk, line: &str) {
        let program = assert_cmd::cargo::cargo_bin("volledger");
        let mut command = std::process::Command::new("sh");
        command.arg("-c").arg(format!("umask 000; exec {} {line}", program.display()));
        command.env_clear().current_dir(desk.path()).env("HOME", desk.path());
        command.env("USER", "tester").env("VOLLEDGER_NOW", "2025-12-13T12:00:00Z");
        assert!(command.output().unwrap().status.success(), "{line}");
    }

    fn private(folder: &Path) -> usize {
        assert_eq!(mode(folder), 0o700, "{folder:?}");
        let mut files = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += private(&path);
            } else {
                assert_eq!(mode(&path), 0o600, "{path:?}");
                files += 1;
            }
        }
        files
    }

    #[test]
    fn a_ledger_is_its_owners_whatever_the_umask() {
        let desk = Desk::new();
        loosely(&desk, "init");
        loosely(&desk, &format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv")));
        loosely(&desk, "batch rollback b1");
        let ledger = desk.path().join(".volledger");
        assert!(private(&ledger) >= 6);
        loosely(&desk, "backup whole.bundle");
        loosely(&desk, "batch export b1 b1.bundle");
        loosely(&desk, "undo");
        loosely(&desk, "export iv VOLA -f csv -O iv.csv");
        assert_eq!(mode(&desk.path().join("whole.bundle")), 0o600);
        assert_eq!(mode(&desk.path().join("b1.bundle")), 0o666);
        assert_eq!(mode(&desk.path().join("iv.csv")), 0o666);
        loosely(&desk, "restore whole.bundle again");
        private(&desk.path().join("again"));
    }

    #[test]
    fn a_ledger_that_others_may_read_is_told() {
        let desk = Desk::with_iv();
        let ledger = desk.path().join(".volledger");
        assert!(!desk.run("verify").exits(0).err.contains("chmod"));
        std::fs::set_permissions(&ledger, std::fs::Permissions::from_mode(0o755)).unwrap();
        let said = desk.run("verify").exits(0).err;
        assert!(said.contains("mode 0755") && said.contains("chmod 700"), "{said}");
        let status = desk.run("status --json").exits(0).json();
        assert!(status["notes"][0].as_str().unwrap().contains("chmod 700"), "{status}");
    }
}
