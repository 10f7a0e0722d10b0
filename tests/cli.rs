//! The program's JSON against its schemas, its exit codes in the life of a batch, and what two
//! streams carry.

use crate::schemas::{output_schema, violations};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Desk {
    root: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { root: tempfile::tempdir().unwrap() };
        desk.ok(&["init"]);
        desk
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("volledger"));
        command.arg("-L").arg(self.root.path().join("l")).args(args);
        command.env_clear().env("USER", "tester").env("LC_ALL", "C.UTF-8");
        command.env("VOLLEDGER_NOW", "2026-01-05T12:00:00Z");
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn code(&self, args: &[&str], code: i32) -> Output {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
        output
    }

    /// Runs with `--json` and holds the one document against its schema.
    fn json(&self, args: &[&str], code: i32, schema: &str) -> Json {
        let args = [args, &["--json"]].concat();
        let output = self.code(&args, code);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("{\"schema\":\"volledger/"), "{args:?}: schema is first: {text}");
        let document: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], format!("volledger/{schema}/1"), "{args:?}");
        let wrong = violations(&output_schema(schema), &document);
        assert!(wrong.is_empty(), "{args:?}: {wrong:?}\n{text}");
        document
    }
}

fn sample(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(name);
    path.to_string_lossy().into_owned()
}

#[test]
fn every_document_keeps_its_schema_through_the_life_of_a_batch() {
    let desk = Desk::new();
    let (iv, spot, bad) =
        (sample("iv/VOLA.csv"), sample("spot/VOLA.csv"), sample("bad/VOLA_wrong_scale.csv"));
    let dirty = sample("dirty/VOLB_dirty.csv");

    let dry = desk.json(&["import", "iv", &iv, "-s", "VOLA", "--dry-run"], 0, "review");
    assert_eq!(dry["batch"], Json::Null);
    let review = desk.json(&["import", "iv", &iv, "-s", "VOLA"], 12, "review");
    assert_eq!((&review["batch"], &review["state"]), (&"b1".into(), &"staged".into()));
    assert_eq!(review["rows"]["accepted"], 753);
    assert_eq!(review["content_id"], dry["content_id"]);
    let token = review["token"].as_str().unwrap().to_owned();
    desk.json(&["batch", "confirm", "b1", "--expect", "0000000000"], 20, "error");
    let decided = desk.json(&["batch", "confirm", "b1", "--expect", &token[..12]], 0, "decision");
    assert_eq!(decided["action"], "commit");
    desk.json(&["batch", "confirm", "b1"], 1, "error");
    let again = desk.json(&["import", "iv", &iv, "-s", "VOLA", "--yes"], 0, "review");
    assert_eq!((&again["batch"], &again["known"]), (&"b1".into(), &true.into()));

    desk.json(&["import", "spot", &spot, "-s", "VOLA", "--yes"], 0, "review");
    let wrong = desk.json(&["import", "iv", &bad, "-s", "VOLA", "--yes"], 0, "review");
    assert_eq!((&wrong["batch"], &wrong["state"]), (&"b3".into(), &"active".into()));
    desk.json(&["import", "iv", &dirty, "-s", "VOLB", "--yes"], 11, "review");
    desk.json(&["import", "iv", &dirty, "-s", "VOLB", "--force"], 0, "review");
    desk.json(&["check", &dirty, "-s", "VOLB"], 11, "check");

    let view = desk.json(&["view", "iv", "VOLA"], 0, "view");
    assert_eq!(view["rows"].as_array().unwrap().len(), 753);
    desk.json(&["why", "iv", "VOLA", "2024-12-30"], 0, "why");
    desk.json(&["show", "b3/1"], 0, "event");
    desk.json(&["show", "#2"], 0, "event");
    desk.json(&["log"], 0, "log");
    desk.json(&["gaps", "VOLA"], 0, "gaps");
    desk.json(&["status"], 0, "status");
    desk.json(&["batch", "list"], 0, "batches");
    desk.json(&["batch", "show", "b3"], 0, "review");
    let full = desk.json(&["batch", "diff", "b3", "--full"], 0, "review");
    assert_eq!(full["changes"].as_array().unwrap().len() as u64, full["changes_total"]);
    desk.code(&["batch", "diff", "b3", "--exit-code"], 10);
    let plan = desk.json(&["batch", "rollback", "b3", "--plan"], 0, "decision");
    assert_eq!(plan["plan"], true);
    assert_eq!(desk.json(&["view", "iv", "VOLA"], 0, "view")["digest"], view["digest"]);
    desk.json(&["batch", "rollback", "b3", "--reason", "wrong scale"], 0, "decision");
    desk.json(&["import", "iv", &bad, "-s", "VOLA", "--yes"], 23, "error");
    desk.json(&["undo"], 0, "decision");
    assert_eq!(desk.json(&["view", "iv", "VOLA"], 0, "view")["digest"], view["digest"]);
    desk.json(&["redo"], 0, "decision");
    desk.json(&["diff", "#2", "#6"], 0, "diff");
    desk.json(&["rollback", "--to", "#2"], 0, "decision");
    desk.json(&["batch", "replay", "b1", "--mapping", "mc-iv-basic"], 12, "review");
    desk.json(&["verify", "--deep"], 0, "verify");
    desk.json(&["why", "iv", "VOLA", "1999-01-01"], 1, "error");
}

#[test]
fn exports_and_copies_carry_what_the_view_shows() {
    let desk = Desk::new();
    desk.ok(&["import", "iv", &sample("iv/VOLA.csv"), "-s", "VOLA", "--yes"]);
    let view = desk.json(&["view", "iv", "VOLA"], 0, "view");
    let rows = view["rows"].as_array().unwrap();
    let json: Json =
        serde_json::from_str(&desk.ok(&["export", "iv", "VOLA", "-f", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap(), rows);
    let lines = desk.ok(&["export", "iv", "VOLA", "-f", "jsonl"]);
    assert_eq!(lines.lines().count(), rows.len());
    let csv = desk.ok(&["export", "iv", "VOLA", "-f", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "atm_iv").unwrap();
    let first = reader.records().next().unwrap().unwrap();
    assert_eq!(first[column], rows[0]["atm_iv"].to_string());

    let bundle = desk.root.path().join("backup");
    let copy = desk.root.path().join("copy");
    let (bundle, copy) = (bundle.to_string_lossy(), copy.to_string_lossy());
    desk.ok(&["backup", &bundle]);
    desk.ok(&["restore", &bundle, &copy]);
    let moved = Desk { root: tempfile::tempdir().unwrap() };
    std::fs::rename(&*copy, moved.root.path().join("l")).unwrap();
    let other = moved.json(&["view", "iv", "VOLA"], 0, "view");
    assert_eq!(other["digest"], view["digest"]);
}

#[test]
fn a_closed_pipe_is_no_error_and_quiet_is_quiet() {
    let desk = Desk::new();
    desk.ok(&["import", "iv", &sample("iv/VOLA.csv"), "-s", "VOLA", "--yes", "-q"]);
    let program = assert_cmd::cargo::cargo_bin!("volledger");
    let ledger = desk.root.path().join("l");
    let line = format!(
        "'{}' -L '{}' view iv VOLA | head -n 1; echo ${{PIPESTATUS[0]}}",
        program.display(),
        ledger.display()
    );
    let output = Command::new("bash").args(["-c", &line]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.trim_end().ends_with('0'), "{out}");
    assert!(output.stderr.is_empty(), "{:?}", String::from_utf8(output.stderr));
}
