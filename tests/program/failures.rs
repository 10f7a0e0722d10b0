//! Failures: exit code, one line, a hint, and one JSON document.

use super::{Desk, sample};
use std::path::{Path, PathBuf};

#[test]
fn a_failure_says_what_and_what_next() {
    let desk = Desk::with_iv();
    let file = sample("iv/VOLA.csv");
    desk.write("plain", "not a directory");
    let cases = [
        ("-L nowhere status".to_owned(), 1, "there is no ledger in nowhere"),
        ("init".to_owned(), 1, "holds a ledger already"),
        (format!("import iv {file}"), 2, "which symbol is"),
        (format!("import iv {file} -s VOLA --mapping none"), 2, "mapping none"),
        ("import iv missing.csv -s A".to_owned(), 1, "cannot read missing.csv"),
        ("batch confirm b9".to_owned(), 1, "no batch b9"),
        ("batch confirm b1".to_owned(), 1, "cannot confirm b1"),
        ("view iv VOLA --at #99".to_owned(), 1, "beyond the head"),
        ("view iv VOLA --at soon".to_owned(), 2, "neither a position"),
        ("show zz".to_owned(), 2, "is not an event"),
        ("redo".to_owned(), 1, "no undone decision"),
        ("restore missing copy".to_owned(), 1, "missing"),
        ("export iv VOLA -O plain/x.csv".to_owned(), 22, "cannot write"),
        ("backup plain/x".to_owned(), 22, "cannot write"),
    ];
    for (line, exit, text) in cases {
        let ran = desk.run(&line).exits(exit);
        assert!(ran.err.starts_with("Error: ") && ran.err.contains(text), "{line}: {}", ran.err);
        assert!(ran.err.contains("\nHint: "), "{line}: {}", ran.err);
        let document = desk.run(&format!("{line} --json")).exits(exit).json();
        assert_eq!(document["exit"], exit, "{line}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_lists_it() {
    let desk = Desk::with_iv();
    for (line, text, next) in [
        ("show b1/9999", "no event b1/9999", "volledger batch show b1"),
        ("erase b1/9999 --plan", "no event b1/9999", "volledger batch show b1"),
        ("erase b9 --plan", "no batch b9", "volledger batch list"),
        ("show #99", "no entry #99", "volledger log"),
        ("prove #99 -O x.proof", "no entry #99", "volledger log"),
        ("projection drop nope", "no projection nope", "volledger projection list"),
        ("projection show nope", "no projection nope", "volledger projection list"),
    ] {
        let document = desk.run(&format!("{line} --json")).exits(1).json();
        let (error, hint) = (document["error"].to_string(), document["hint"].to_string());
        assert!(error.contains(text) && hint.contains(next), "{line}: {error} {hint}");
        let words: Vec<&str> = next.split(' ').skip(1).collect();
        desk.run(&words.join(" ")).exits(0);
    }
}

#[test]
fn words_that_do_not_fit_exit_with_two() {
    let desk = Desk::new();
    for line in ["", "nonsense", "view", "view vol X", "log --json -o csv", "import iv"] {
        desk.run(line).exits(2);
    }
    let document = desk.run("nonsense --json").exits(2).json();
    assert_eq!(document["exit"], 2);
    for (name, value) in
        [("VOLLEDGER_NOW", "soon"), ("VOLLEDGER_LOCK_WAIT", "x"), ("VOLLEDGER_LOG", "a=b=c")]
    {
        let output = desk.command(["status"]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(name), "{name}");
    }
}

#[test]
fn a_mapping_is_not_named_as_what_a_service_or_the_program_says() {
    let desk = Desk::with_ledger();
    let rows = desk.write("X.csv", "Date,Close\n2024-01-02,5\n");
    for (id, exit) in [
        ("alpha-vantage", 2),
        ("polygon", 2),
        ("tradier", 2),
        ("derive-hv", 2),
        ("derive-x", 2),
        ("alpha-vantage-mine", 0),
    ] {
        let text = include_str!("../../schemas/mappings/spot-ohlc.toml");
        let text = text.replacen("id = \"spot-ohlc\"", &format!("id = \"{id}\""), 1);
        let mapping = desk.write("own.toml", &text);
        let line = format!("import spot {rows} -s X --mapping {mapping} --dry-run");
        let ran = desk.run(&line).exits(exit);
        assert!(exit == 0 || ran.err.contains(&format!("`{id}`")), "{id}: {}", ran.err);
    }
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let all = crate::support::files(folder).into_iter();
    all.map(|path| path.strip_prefix(folder).unwrap().to_owned()).collect()
}

#[test]
fn a_damaged_ledger_exits_with_thirty() {
    let desk = Desk::with_iv();
    let whole = desk.path().join(".volledger");
    let names = files(&whole);
    let mut damaged = 0;
    for (index, hurt) in names.iter().enumerate() {
        // A copy for each, since opening one may write to it.
        let copy = desk.path().join(format!("copy{index}"));
        for name in &names {
            let to = copy.join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            let mut bytes = std::fs::read(whole.join(name)).unwrap();
            let middle = bytes.len() / 2;
            if let (true, Some(byte)) = (name == hurt, bytes.get_mut(middle)) {
                *byte ^= 0x40;
            }
            std::fs::write(to, bytes).unwrap();
        }
        let ran = desk.run(&format!("-L copy{index} verify --deep --json"));
        // Padding and the lock file may be changed without harm; no crash may come of it.
        assert!([0, 1, 30, 31, 32].contains(&ran.exit), "{}: {ran:?}", hurt.display());
        ran.json();
        damaged += usize::from(ran.exit == 30);
    }
    assert!(damaged > 0);
}

#[test]
fn what_is_hurt_is_never_answered_otherwise() {
    let desk = Desk::with_iv();
    let whole = desk.path().join(".volledger");
    let questions = [
        "view iv VOLA --json",
        "why iv VOLA 2024-12-30 --json",
        "batch list --json",
        "batch show b1 --json",
        "log --json",
        "log --audit --json",
        "show b1/3 --json",
        "coverage --date 2024-12-31 --json",
        "export hv",
    ];
    let sound = questions.map(|question| desk.run(question).exits(0).out);
    let names = files(&whole);
    let mut refused = 0;
    // At the end of a file stands what was written last, such as which sources a batch has.
    for hurt in &names {
        for (question, sound) in questions.iter().zip(&sound) {
            let copy = desk.path().join("copy");
            for name in &names {
                let to = copy.join(name);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                let bytes = std::fs::read(whole.join(name)).unwrap();
                let length = if name == hurt { bytes.len() / 2 } else { bytes.len() };
                std::fs::write(to, &bytes[..length]).unwrap();
            }
            let ran = desk.run(&format!("-L copy {question}"));
            let hurt = hurt.display();
            assert!(ran.exit == 30 || ran.exit == 0, "{hurt} {question}: {ran:?}");
            assert!(ran.exit == 30 || ran.out == *sound, "{hurt} {question}: {ran:?}");
            refused += usize::from(ran.exit == 30);
            std::fs::remove_dir_all(copy).unwrap();
        }
    }
    assert!(refused > questions.len(), "{refused}");
}
