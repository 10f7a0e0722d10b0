//! The page in a real browser, where there is one: `tests/browser.py` drives it.

use assert_cmd::cargo::cargo_bin;
use std::io::Write;
use std::path::Path;
use std::process::Command;

fn found(program: &str, words: &[&str]) -> bool {
    Command::new(program).args(words).output().is_ok_and(|ran| ran.status.success())
}

#[test]
fn a_person_s_way_through_a_backfill() {
    let python = std::env::var("VOLLEDGER_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("browser.py");
    let ended = match found(&python, &["--version"]) {
        true => {
            let mut command = Command::new(python);
            Some(command.arg(script).arg(cargo_bin("volledger")).output().unwrap())
        }
        false => None,
    };
    let skipped = ended.as_ref().is_none_or(|ended| ended.status.code() == Some(77));
    if skipped {
        // Written directly: cargo hides what passing tests print through the macros.
        let line = b"SKIPPED: no python3 or no chromium here (the page in a browser)\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    }
    let ended = ended.unwrap();
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (told(&ended.stdout), told(&ended.stderr));
    assert!(ended.status.success(), "{out}\n{err}");
    assert_eq!(out.matches("ok  ").count(), 10, "{out}");
}
