//! The fuzzing targets of `tests/fuzz`, without a fuzzer: every seed, everything that ever broke one
//! (`tests/fuzz/found/TARGET/NAME`), and a bounded number of random changes to the seeds. What finds
//! new things is `tests/fuzz/run.sh`; this keeps the targets compiling and the found things fixed.

use std::path::{Path, PathBuf};

#[path = "fuzz/src/lib.rs"]
#[allow(dead_code)]
mod targets;
use targets::TARGETS;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files(folder: &Path) -> Vec<PathBuf> {
    let inside = std::fs::read_dir(folder).into_iter().flatten();
    let mut found: Vec<PathBuf> = inside.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// xorshift64: the same changes on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// One to four changes: a flipped bit, another byte, a cut, a piece twice, a piece of another seed.
fn changed(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let (at, end) = (random.below(out.len()), random.below(out.len()));
        let (from, to) = (at.min(end), at.max(end));
        match random.below(6) {
            _ if out.is_empty() => out.extend_from_slice(other),
            0 => out[at] ^= 1 << random.below(8),
            1 => out[at] = [0, 1, 0x7f, 0x80, 0xff, b',', b'"', b'\n'][random.below(8)],
            2 => out.truncate(at),
            3 => drop(out.drain(from..to)),
            4 => {
                let piece = out[from..to].to_vec();
                out.splice(at..at, piece);
            }
            _ => {
                let from = random.below(other.len());
                let piece = &other[from..(from + random.below(40)).min(other.len())];
                out.splice(at..at, piece.iter().copied());
            }
        }
        out.truncate(16 << 10);
    }
    out
}

/// Runs a target, and names the input when it panics.
fn run(name: &str, target: fn(&[u8]), input: &[u8], what: &str) {
    let held = std::panic::catch_unwind(|| target(input));
    assert!(held.is_ok(), "{name} panics on {what}: {:?}", String::from_utf8_lossy(input));
}

#[test]
fn what_ever_broke_a_target_is_mended() {
    let found = Path::new(ROOT).join("tests/fuzz/found");
    let known: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    for folder in files(&found) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(known.contains(&name.as_str()), "there is no target {name}");
    }
    for (name, target) in TARGETS {
        for file in files(&found.join(name)) {
            let bytes = std::fs::read(&file).unwrap();
            run(name, target, &bytes, &file.display().to_string());
        }
    }
}

#[test]
fn changed_seeds_break_no_target() {
    let corpus = tempfile::tempdir().unwrap();
    targets::seeds::write(corpus.path(), Path::new(ROOT)).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let soak = std::env::var("VOLLEDGER_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    for (name, target) in TARGETS {
        let seeds: Vec<Vec<u8>> = files(&corpus.path().join(name))
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for seed in &seeds {
            run(name, target, seed, "a seed");
        }
        // Conditions start SQLite each time, bundles a ledger.
        let count: usize = if matches!(name, "conditions" | "bundle") { 150 } else { 1_500 };
        let count = count.saturating_mul(soak);
        for number in 0..count {
            let (one, other) = (random.below(seeds.len()), random.below(seeds.len()));
            let input = changed(&seeds[one], &seeds[other], &mut random);
            run(name, target, &input, &format!("change {number}"));
        }
    }
}
