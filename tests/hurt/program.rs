//! The program before a ledger that is hurt: exit codes, words, what `--at` still reads.

use crate::program::{Desk, Ran, sample};
use std::path::PathBuf;

/// Three batches; the second from a file that is too large for the mirror.
pub fn desk() -> Desk {
    let desk = Desk::with_iv();
    let row = |n: u32| {
        let (year, month, day) = (2000 + n / 336, n / 28 % 12 + 1, n % 28 + 1);
        format!("{year}-{month:02}-{day:02},{}.{}\n", 10 + n % 80, n * 7919 % 100_000)
    };
    let rows: String = (0..6000).map(row).collect();
    let large = desk.write("large.csv", &format!("Date,IV30\n{rows}"));
    desk.run(&format!("import iv {large} -s LARGE --force")).exits(0);
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk
}

pub fn file(desk: &Desk, name: &str) -> PathBuf {
    desk.path().join(".volledger").join(name)
}

pub fn change(desk: &Desk, name: &str, work: impl FnOnce(&mut Vec<u8>)) {
    let path = file(desk, name);
    let mut bytes = std::fs::read(&path).unwrap();
    work(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

pub fn no_panic(ran: Ran) -> Ran {
    let text = format!("{}{}", ran.out, ran.err);
    assert!(!text.contains("panicked") && !text.contains("internal error"), "{text}");
    ran
}

#[test]
fn a_ledger_without_its_engine_is_read_and_recovered_from_the_mirror() {
    let desk = desk();
    let status = desk.run("status --json").json();
    let view = desk.run("view iv VOLA --json").json();
    let large = desk.run("view iv LARGE --json").json();
    change(&desk, "sled/db", |bytes| bytes.truncate(1000));
    for line in ["status", "view iv VOLA", "verify --deep", "log", "batch list"] {
        let ran = no_panic(desk.run(line).exits(30));
        assert!(ran.err.contains("the mirror has it whole, up to #6"), "{}", ran.err);
        assert!(ran.err.contains("volledger recover DIR NEWDIR"), "{}", ran.err);
    }
    let past = no_panic(desk.run("view iv VOLA --at #6 --json").exits(0));
    assert!(past.err.contains("read from what verifies of it, up to #6"), "{}", past.err);
    assert_eq!(past.json()["views"], view["views"]);
    desk.run("view iv VOLB --at #4 --json").exits(0);

    let look = desk.run("recover .volledger --dry-run --json").exits(0).json();
    assert_eq!((&look["whole"], &look["to"]), (&true.into(), &serde_json::Value::Null));
    let made = desk.run("recover .volledger new --json").exits(0).json();
    assert_eq!((&made["position"], &made["confirmed_by"]), (&6.into(), &"HEAD".into()));
    assert_eq!(made["taken"][0]["mirror"], 6);
    assert_eq!(desk.run("-L new status --json").json()["position"], status["position"]);
    assert_eq!(desk.run("-L new view iv VOLA --json").json()["views"], view["views"]);
    assert_eq!(desk.run("-L new view iv LARGE --json").json()["views"], large["views"]);
    desk.run("-L new verify --deep").exits(0);
    let again = desk.run("recover .volledger new").exits(1);
    assert!(again.err.contains("holds a ledger already"), "{}", again.err);
    desk.run("recover nowhere other").exits(1);
    let table = desk.run("recover .volledger --dry-run").exits(0).out;
    assert!(table.contains("nothing that was acknowledged is lost"), "{table}");
}

#[test]
fn what_is_lost_is_named() {
    let desk = desk();
    // A large source is in its pack only. Where its bytes are, the pack is largest.
    change(&desk, "sources/000001.pack", |bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    let report = desk.run("recover .volledger one --json").exits(30).json();
    assert_eq!((&report["position"], &report["whole"]), (&6.into(), &false.into()));
    assert_eq!(report["missing"][0]["name"], "large.csv");
    assert_eq!(report["missing"].as_array().unwrap().len(), 1);
    let text = desk.run("-L one verify --deep").exits(30).out;
    assert!(text.contains("is not in the ledger"), "{text}");
    let rows = |at: &str| desk.run(&format!("{at} view iv LARGE -o csv")).exits(0).out;
    assert_eq!(rows("-L one"), rows("-L .volledger"));

    // Nobody is sent in a circle: the file itself is what puts it back.
    let told = desk.run("recover .volledger again").exits(30);
    assert!(told.err.contains("`volledger -L again verify`"), "{}", told.err);
    for line in ["-L one verify", "-L one verify --deep"] {
        let told = desk.run(line).exits(30);
        assert!(
            told.err.contains("only large.csv, which b2 was read from, is lost"),
            "{}",
            told.err
        );
        assert!(told.err.contains("import the same file again"), "{}", told.err);
        assert!(!told.err.contains("volledger recover"), "{}", told.err);
    }
    let told = desk.run("-L one verify --json").exits(30).json();
    assert_eq!(
        (&told["missing"][0]["name"], &told["missing"][0]["batch"]),
        (&"large.csv".into(), &"b2".into())
    );
    let day = rows("-L one").lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let why = desk.run(&format!("-L one why iv LARGE {day} --json")).exits(0).json();
    let event = &why["fields"][0]["event"];
    assert_eq!(
        (&event["lost"], &event["raw"], &event["proven"]),
        (&true.into(), &"".into(), &true.into())
    );
    let why = desk.run(&format!("-L one why iv LARGE {day}")).exits(0).out;
    assert!(why.contains("the bytes of large.csv are lost: import it again"), "{why}");
    let put = desk.run("-L one import iv large.csv -s LARGE --yes").exits(0);
    assert!(put.err.contains("large.csv of b2 is back: its bytes were lost"), "{}", put.err);
    desk.run("-L one verify --deep").exits(0);
    let put = desk.run("-L one import iv large.csv -s LARGE --yes").exits(0);
    assert!(put.out.contains("Nothing to do") && !put.err.contains("is back"), "{put:?}");
    let why = desk.run(&format!("-L one why iv LARGE {day} --json")).exits(0).json();
    assert!(why["fields"][0]["event"].get("lost").is_none(), "{why}");

    // Without a mirror a lost tail is lost, and said so; HEAD cannot vouch for what is left.
    std::fs::remove_dir_all(file(&desk, "mirror")).unwrap();
    std::fs::remove_dir_all(file(&desk, "sled")).unwrap();
    let report = desk.run("recover .volledger two --json").exits(30).json();
    assert_eq!((&report["position"], &report["head"]), (&0.into(), &6.into()));
    assert_eq!(report["confirmed_by"], "nothing");
    let ran = no_panic(desk.run("view iv VOLA --at #3").exits(30));
    assert!(ran.err.contains("nothing of it is sound"), "{}", ran.err);
}

#[test]
fn a_batch_that_is_lost_in_both_ends_the_sound_log_before_it() {
    let desk = desk();
    let before = desk.run("view iv VOLA --at #2 --json").json();
    std::fs::remove_dir_all(file(&desk, "sled")).unwrap();
    // A block of the second batch.
    change(&desk, "mirror/000001.vlb", |bytes| {
        let mut at = 0;
        while bytes[at + 8..at + 13] != [b'B', 2, 0, 0, 0] {
            at += 8 + u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        }
        bytes[at + 100] ^= 1;
    });
    let ran = desk.run("status").exits(30);
    assert!(ran.err.contains("the mirror has it up to #2"), "{}", ran.err);
    let report = desk.run("recover .volledger new --json").exits(30).json();
    assert_eq!(report["position"], 2);
    assert_eq!(report["lost"][0]["batch"], "b2");
    assert_eq!(report["behind"], serde_json::json!(["b3"]));
    desk.run("-L new verify --deep").exits(0);
    assert_eq!(desk.run("-L new view iv VOLA --at #2 --json").json()["views"], before["views"]);
    let table = desk.run("recover .volledger --dry-run").exits(30).out;
    assert!(table.contains("b2 of #3 is lost"), "{table}");
}

#[test]
fn the_mirror_can_be_switched_off() {
    let desk = Desk::new();
    let off = |line: &str| {
        let mut command = desk.command(line.split_whitespace());
        command.env("VOLLEDGER_MIRROR", "0");
        crate::program::ran(command, None).exits(0)
    };
    off("init");
    off(&format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv")));
    assert!(!file(&desk, "mirror").exists());
    off("verify --deep");
    assert!(desk.run("verify --deep").exits(0).err.is_empty(), "made at the next opening");
    assert!(file(&desk, "mirror/000001.vlb").exists());
}

/// It stops `verify` as well, so `verify` is no help.
#[test]
fn a_mirror_that_is_no_folder_is_moved_away_or_gone_without() {
    let desk = Desk::with_iv();
    let mirror = file(&desk, "mirror");
    std::fs::remove_dir_all(&mirror).unwrap();
    std::fs::write(&mirror, "").unwrap();
    let said = no_panic(desk.run("verify --deep")).exits(1).err;
    assert!(said.contains("move it out") && said.contains("VOLLEDGER_MIRROR=0"), "{said}");
    let mut without = desk.command(["verify", "--deep"]);
    without.env("VOLLEDGER_MIRROR", "0");
    crate::program::ran(without, None).exits(0);
    std::fs::remove_file(&mirror).unwrap();
    desk.run("verify --deep").exits(0);
    assert!(mirror.join("000001.vlb").is_file());
}
