//! The built program, run in a hermetic environment.

mod answers;
mod beginner;
mod decisions;
mod doubts;
mod failures;
mod folders;
mod meanwhile;
mod tour;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A directory of its own, with nothing of the machine around it.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one JSON document of standard output, checked against its schema.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document: Value =
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out));
        assert!(self.out.starts_with("{\"schema\":\"volledger/"), "{}", self.out);
        let name = document["schema"].as_str().unwrap().split('/').nth(1).unwrap().to_owned();
        let schema = crate::schemas::output_schema(&name);
        assert_eq!(crate::schemas::violations(&schema, &document), [""; 0], "{}", self.out);
        document
    }

    #[track_caller]
    pub fn exits(self, with: i32) -> Self {
        assert_eq!(self.exit, with, "{}\n{}", self.out, self.err);
        self
    }
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A desk with a ledger.
    pub fn with_ledger() -> Self {
        let desk = Self::new();
        desk.run("init").exits(0);
        desk
    }

    /// A desk whose ledger holds IV of VOLA as b1, confirmed.
    pub fn with_iv() -> Self {
        let desk = Self::with_ledger();
        desk.run(&format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv"))).exits(0);
        desk
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these words.
    pub fn command<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Command {
        let mut command = Command::new(cargo_bin("volledger"));
        command.env_clear().current_dir(self.path()).args(words).stdin(Stdio::null());
        command.env("HOME", self.path().join("home")).env("USER", "tester");
        command.env("VOLLEDGER_NOW", "2025-12-13T12:00:00Z").env("LANG", "C.UTF-8");
        command
    }

    /// Runs words that are separated by blanks.
    pub fn run(&self, line: &str) -> Ran {
        self.words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn words(&self, words: &[&str]) -> Ran {
        ran(self.command(words), None)
    }

    pub fn fed(&self, line: &str, input: &str) -> Ran {
        ran(self.command(line.split_whitespace()), Some(input))
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

pub fn ran(mut command: Command, input: Option<&str>) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let Some(input) = input {
        // A program that refuses its words ends without reading what it is fed.
        let fed = child.stdin.take().unwrap().write_all(input.as_bytes());
        assert!(fed.is_ok() || fed.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe));
    }
    let output = child.wait_with_output().unwrap();
    Ran {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of the sample data.
pub fn sample(name: &str) -> String {
    let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "data", "sample"].iter().collect();
    root.join(name).to_string_lossy().into_owned()
}
