//! A person who reads or thinks, and a slow reader of a pipe, keep nobody out of the ledger.

use super::{Desk, Ran, ran, sample};
use std::io::{Read, Write};
#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program at a terminal, which `script` of util-linux makes; without it, this is said loudly.
struct Terminal {
    child: Child,
    seen: String,
}

impl Terminal {
    fn of(desk: &Desk, line: &str, pager: &str) -> Option<Self> {
        if Command::new("script").arg("--version").output().is_err() {
            // Written directly: cargo hides what passing tests print through the macros.
            let _ = writeln!(std::io::stderr(), "SKIPPED: there is no `script` to make a terminal");
            return None;
        }
        let plain = desk.command(line.split_whitespace());
        let words: Vec<_> = std::iter::once(plain.get_program()).chain(plain.get_args()).collect();
        let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.display())).collect();
        let mut command = Command::new("script");
        command.args(["-qfec", &words.join(" "), "/dev/null"]).current_dir(desk.path());
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("VOLLEDGER_PAGER", pager).stdin(Stdio::piped()).stdout(Stdio::piped());
        Some(Self { child: command.spawn().unwrap(), seen: String::new() })
    }

    /// Waits until the terminal shows a text that it has not shown yet.
    fn shows(&mut self, text: &str) {
        let mut seen = Vec::new();
        let out = self.child.stdout.as_mut().unwrap();
        while !String::from_utf8_lossy(&seen).contains(text) {
            let mut byte = [0];
            let read = out.read(&mut byte).unwrap();
            assert_eq!(read, 1, "it ended without {text:?}: {}", String::from_utf8_lossy(&seen));
            seen.extend(byte);
        }
        self.seen += &String::from_utf8_lossy(&seen);
    }

    fn types(&mut self, line: &str) {
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// What it showed, and how it ended.
    fn ends(mut self, with: i32) -> String {
        let mut rest = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
        self.seen += &String::from_utf8_lossy(&rest);
        assert_eq!(self.child.wait().unwrap().code(), Some(with), "{}", self.seen);
        self.seen
    }
}

/// Another command, that waits for nobody.
fn at_once(desk: &Desk, line: &str) -> Ran {
    let mut command = desk.command(line.split_whitespace());
    command.env("VOLLEDGER_LOCK_WAIT", "0");
    ran(command, None)
}

#[test]
fn a_question_keeps_nobody_out_and_is_about_what_was_shown() {
    let desk = Desk::with_iv();
    let file = sample("bad/VOLA_wrong_scale.csv");
    let open = format!("import iv {file} -s VOLA");
    let Some(mut asks) = Terminal::of(&desk, &open, "cat") else { return };
    asks.shows("(n) ›");
    at_once(&desk, "batch list").exits(0);
    // Somebody else decides about other cells: what was shown still holds.
    let spot = sample("spot/VOLA.csv");
    at_once(&desk, &format!("import spot {spot} -s VOLA --yes")).exits(0);
    asks.types("d\n");
    asks.shows("(n) ›");
    at_once(&desk, "status").exits(0);
    asks.types("y\n");
    let seen = asks.ends(0);
    assert!(seen.contains("Confirmed b2"), "{seen}");
    // And here about the same ones.
    let desk = Desk::with_iv();
    let mut asks = Terminal::of(&desk, &open, "cat").unwrap();
    asks.shows("(n) ›");
    at_once(&desk, "batch rollback b1").exits(0);
    asks.types("y\n");
    let seen = asks.ends(20);
    assert!(seen.contains("cannot confirm b2"), "{seen}");
    assert_eq!(desk.run("batch show b2 --json").json()["state"], "staged");
    // The other answers.
    for (answer, state) in [("n\n", "staged"), ("x\n", "discarded")] {
        let mut asks = Terminal::of(&desk, &open, "cat").unwrap();
        asks.shows("(n) ›");
        asks.types(answer);
        asks.ends(0);
        assert_eq!(desk.run("batch show b2 --json").json()["state"], state);
    }
}

#[test]
fn the_question_of_an_erasure_keeps_nobody_out_and_its_plan_is_made_again() {
    let desk = Desk::with_iv();
    let Some(mut asks) = Terminal::of(&desk, "erase b1 --reason x", "cat") else { return };
    asks.shows("Type `erase`");
    at_once(&desk, "erase b1/3 --reason y --yes").exits(0);
    asks.types("erase\n");
    let seen = asks.ends(20);
    assert!(seen.contains("not what was shown"), "{seen}");
    let line = "erase b1/4 --reason x";
    let mut asks = Terminal::of(&desk, line, "cat").unwrap();
    asks.shows("Erase 1 event for good? Type `erase`");
    let spot = sample("spot/VOLA.csv");
    at_once(&desk, &format!("import spot {spot} -s VOLA --yes")).exits(0);
    asks.types("erase\n");
    asks.ends(0);
    desk.run("verify --deep").exits(0);
    // Said so that it fits one event and several.
    let refused = desk.run("batch export b1 b1.vlb").exits(1);
    assert!(refused.err.contains("a part of b1 (1 event) was erased"), "{}", refused.err);
}

#[test]
fn who_reads_page_by_page_or_slowly_keeps_nobody_out() {
    let desk = Desk::with_iv();
    let gate = desk.path().join("gate");
    let made = Command::new("mkfifo").arg(&gate).status();
    if made.is_ok_and(|status| status.success()) {
        let pager = "cat > pages; echo PAGED; cat gate; echo DONE";
        let Some(mut reads) = Terminal::of(&desk, "view iv VOLA", pager) else { return };
        reads.shows("PAGED");
        at_once(&desk, "status").exits(0);
        let spot = sample("spot/VOLA.csv");
        at_once(&desk, &format!("import spot {spot} -s VOLA --yes")).exits(0);
        std::fs::write(&gate, "").unwrap();
        reads.shows("DONE");
        reads.ends(0);
        let pages = std::fs::read_to_string(desk.path().join("pages")).unwrap();
        assert!(pages.lines().count() > 700, "{pages}");
        // What is said about it comes behind the pager.
        let pager = "cat > /dev/null; echo DONE";
        let mut reads = Terminal::of(&desk, "batch diff b1 --full", pager).unwrap();
        reads.shows("DONE");
        assert!(reads.ends(0).contains("Hint:"));
    }
    for line in ["export iv VOLA -f json", "batch diff b1 --full --json"] {
        let mut command = desk.command(line.split_whitespace());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0]).unwrap();
        at_once(&desk, "batch list").exits(0);
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        assert!(rest.len() > 1 << 16, "{line}: {} bytes fit into a pipe", rest.len());
        assert!(child.wait().unwrap().success());
    }
}

/// Who reads nothing holds the program where it begins to tell, with all of its answer made.
#[cfg(target_os = "linux")]
#[test]
fn a_slow_reader_of_all_rows_keeps_neither_the_ledger_nor_memory() {
    let desk = Desk::with_ledger();
    let file = std::fs::read_to_string(sample("iv/VOLA.csv")).unwrap();
    let (head, days) = file.split_once('\n').unwrap();
    let mut text = format!("Symbol,{head}\n");
    for symbol in 0..80 {
        days.lines().for_each(|day| text += &format!("S{symbol},{day}\n"));
    }
    desk.write("all.csv", &text);
    desk.run("import iv all.csv --symbol-from column --yes").exits(0);
    let peak = |line: &str, temporary: &Path| {
        let mut command = desk.command(line.split_whitespace());
        let mut child = command.env("TMPDIR", temporary).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut text = vec![0];
        out.read_exact(&mut text).unwrap();
        at_once(&desk, "batch list").exits(0);
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak = peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
        out.read_to_end(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        (peak, text)
    };
    let temporary = desk.path().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let (few, _) = peak("view iv S1 S2 S3 --json", &temporary);
    for line in ["view iv -o csv", "view iv --json", "view iv", "export iv", "export iv -f json"] {
        let (all, text) = peak(line, &temporary);
        assert!(text.len() > 2 << 20, "{line}: {} bytes", text.len());
        assert!(all < few + (24 << 10), "{line}: {all} KiB for all symbols, {few} for three");
    }
    // Where there is no room beside memory, memory it is.
    let (_, text) = peak("export iv -f json", &temporary.join("not/there"));
    assert!(text == peak("export iv -f json", &temporary).1 && text.len() > 4 << 20);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}
