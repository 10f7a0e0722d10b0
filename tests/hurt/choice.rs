//! Which log is taken, and from where the blocks of each batch: what is there whole is never left out
//! without a word, and nothing else is taken for it.

use super::attacks::{copied, frames, replace};
use super::program::{desk, no_panic};
use crate::program::{Desk, Ran, ran, sample};
use crate::support::copy;
use serde_json::{Value, json};
use std::path::Path;

fn off(desk: &Desk, line: &str) -> Ran {
    let mut command = desk.command(line.split_whitespace());
    command.env("VOLLEDGER_MIRROR", "0");
    ran(command, None)
}

fn import(name: &str) -> String {
    format!("import iv {} -s {name} --yes --force", sample("iv/VOLB.csv"))
}

/// Turns a bit of `HEAD`.
fn hurt_head(dir: &Path) {
    let mut bytes = std::fs::read(dir.join("HEAD")).unwrap();
    bytes[10] ^= 1;
    std::fs::write(dir.join("HEAD"), bytes).unwrap();
}

fn batches(desk: &Desk, ledger: &str) -> Vec<(Value, Value)> {
    let list = desk.run(&format!("-L {ledger} batch list --json")).exits(0).json();
    let all = list["batches"].as_array().unwrap();
    all.iter().map(|batch| (batch["batch"].clone(), batch["state"].clone())).collect()
}

/// HEAD and the mirror may both say less than the engine has, or something else: the engine's batches
/// are taken all the same, and it is told what nothing vouches for.
#[test]
fn what_the_engine_has_whole_is_taken_whatever_head_and_mirror_say() {
    let desk = Desk::with_iv();
    let old = copied(&desk, "old");
    off(&desk, &import("BBB")).exits(0);
    off(&desk, &import("CCC")).exits(0);
    let dir = desk.path().join(".volledger");
    let whole = copied(&desk, "whole");
    let all = batches(&desk, ".volledger"); // which brings that mirror up to date
    assert_eq!(all.len(), 3);
    let other = Desk::with_ledger();
    other.run(&format!("import iv {} -s OTHER --stage-only", sample("iv/VOLA.csv"))).exits(0);
    let other = other.path().join(".volledger");
    type Injury<'a> = (&'a str, &'a dyn Fn());
    let heads: [Injury; 5] = [
        ("as it is", &|| {}),
        ("hurt", &|| hurt_head(&dir)),
        ("gone", &|| std::fs::remove_file(dir.join("HEAD")).unwrap()),
        ("older", &|| replace(&old, &dir, "HEADS")),
        ("foreign", &|| replace(&other, &dir, "HEADS")),
    ];
    let mirrors: [Injury; 4] = [
        ("behind", &|| {}),
        ("gone", &|| std::fs::remove_dir_all(dir.join("mirror")).unwrap()),
        ("cut", &|| {
            let path = dir.join("mirror/000001.vlb");
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() - 20]).unwrap();
        }),
        ("foreign", &|| replace(&other, &dir, "mirror")),
    ];
    for (head, hurt_head) in heads {
        for (mirror, hurt_mirror) in mirrors {
            let place = format!("HEAD {head}, mirror {mirror}");
            std::fs::remove_dir_all(&dir).unwrap();
            copy(&whole, &dir);
            hurt_head();
            hurt_mirror();
            let _ = std::fs::remove_dir_all(desk.path().join("new"));
            let ran = no_panic(desk.run("recover .volledger new --json"));
            let report = ran.json();
            if (head, mirror) == ("foreign", "foreign") {
                // Both say the same of another log: the engine is what is strange.
                let said = "another log than the one that HEAD names: 6 entries with b1 b2 b3";
                assert!(report["hurt"].to_string().contains(said), "{report}");
                continue;
            }
            let fine = head == "as it is";
            assert_eq!(ran.exit, if fine { 0 } else { 30 }, "{place}: {report}");
            assert_eq!((&report["whole"], &report["end_known"]), (&json!(fine), &json!(fine)));
            if mirror == "foreign" && ["hurt", "gone"].contains(&head) {
                // The mirror alone vouches for its own log; the other one is named.
                assert_eq!(report["left_out"][0]["batches"], json!(["b1", "b2", "b3"]), "{report}");
                continue;
            }
            assert_eq!(batches(&desk, "new"), all, "{place}: {report}");
            desk.run("-L new verify --deep").exits(0);
            let vouched = match (head, mirror) {
                ("as it is", _) => 6,
                ("older", _) => 2,
                (_, "behind") => 2,
                (_, "cut") => 1,
                _ => 0,
            };
            assert_eq!(report["confirmed_to"], vouched, "{place}: {report}");
            let beyond = match vouched {
                6 => json!([]),
                0 => json!(["b1", "b2", "b3"]),
                _ => json!(["b2", "b3"]),
            };
            assert_eq!(report["beyond"], beyond, "{place}: {report}");
            let said = desk.run("recover .volledger --dry-run");
            let claims = said.out.contains("nothing that was acknowledged is lost");
            assert_eq!(claims, fine, "{}", said.out);
            assert_eq!(
                said.out.contains("nothing says where the log ended"),
                !fine,
                "{}",
                said.out
            );
        }
    }
}

/// Without HEAD, engine and mirror vouch for each other only where they end at one place.
#[test]
fn without_head_a_mirror_alone_does_not_say_where_the_log_ended() {
    let desk = desk();
    let whole = copied(&desk, "whole");
    hurt_head(&whole);
    let report = desk.run("recover whole --dry-run --json").exits(0).json();
    assert_eq!((&report["whole"], &report["head"]), (&json!(true), &json!(null)));
    std::fs::remove_dir_all(whole.join("sled")).unwrap();
    let report = desk.run("recover whole new --json").exits(30).json();
    assert_eq!((&report["position"], &report["confirmed_by"]), (&json!(6), &json!("mirror")));
    assert_eq!((&report["end_known"], &report["beyond"]), (&json!(false), &json!([])));
    let ran = no_panic(desk.run("-L whole status").exits(30));
    assert!(ran.err.contains("the mirror has it up to #6"), "{}", ran.err);
    // The last checkpoint of the mirror is lost as well: its entry is taken, and told apart.
    let path = whole.join("mirror/000001.vlb");
    let bytes = std::fs::read(&path).unwrap();
    let last = *frames(&bytes, b'C').last().unwrap();
    std::fs::write(&path, &bytes[..last]).unwrap();
    let report = desk.run("recover whole other --json").exits(30).json();
    assert_eq!((&report["position"], &report["confirmed_to"]), (&json!(6), &json!(5)), "{report}");
    assert_eq!(batches(&desk, "other").len(), 3);
}

/// Entries that cannot be reached, since one before them is lost, are named with their batches.
#[test]
fn what_lies_behind_a_lost_entry_is_named() {
    let desk = desk();
    std::fs::remove_dir_all(desk.path().join(".volledger/sled")).unwrap();
    super::program::change(&desk, "mirror/000001.vlb", |bytes| {
        let third = frames(bytes, b'E')[2];
        bytes[third + 20] ^= 1;
    });
    let report = desk.run("recover .volledger new --json").exits(30).json();
    assert_eq!((&report["position"], &report["lost"]), (&json!(2), &json!([])), "{report}");
    let left = json!([{"place": "mirror", "from": 3, "entries": 3, "batches": ["b3"]}]);
    assert_eq!(report["left_out"], left, "{report}");
    let said = desk.run("recover .volledger --dry-run").exits(30).out;
    assert!(said.contains("#3 to #6: not here, though HEAD names them"), "{said}");
    assert!(said.contains("left out: 3 entries of mirror from #3 on, with b3"), "{said}");
}

/// Blocks under the numbers of a batch that are those of another one: of a staging that died, of another
/// ledger. Neither stands in the way of the place that has the batch whole.
#[test]
fn blocks_of_two_places_are_mixed_only_where_neither_has_a_batch_whole() {
    let large = desk(); // its second batch has more blocks than any here
    let desk = Desk::with_iv();
    let foreign = large.path().join(".volledger");
    let mirror = std::fs::read(foreign.join("mirror/000001.vlb")).unwrap();
    let mut died = Vec::new();
    for at in frames(&mirror, b'B') {
        let size = u32::from_le_bytes(mirror[at..at + 4].try_into().unwrap()) as usize;
        if mirror[at + 9] == 2 {
            died.extend_from_slice(&mirror[at..at + 8 + size]);
        }
    }
    super::program::change(&desk, "mirror/000001.vlb", |bytes| bytes.extend(&died));
    off(&desk, &import("BBB")).exits(0);
    off(&desk, &import("CCC")).exits(0);
    off(&desk, "verify --deep").exits(0);
    let report = desk.run("recover .volledger new --json").exits(0).json();
    assert_eq!((&report["position"], &report["whole"]), (&json!(6), &json!(true)), "{report}");
    assert_eq!(batches(&desk, "new"), batches(&desk, ".volledger"));
    desk.run("-L new verify --deep").exits(0);
    // The engine, then the mirror, of another ledger, whose batches are larger.
    let desk = Desk::with_iv();
    desk.run(&import("BBB")).exits(0);
    let view = desk.run("view iv BBB -o csv").exits(0).out;
    for name in ["sled", "mirror"] {
        let hurt = copied(&desk, name);
        replace(&foreign, &hurt, name);
        let report = desk.run(&format!("recover {name} {name}-new --json")).exits(0).json();
        assert_eq!((&report["position"], &report["whole"]), (&json!(4), &json!(true)), "{report}");
        assert!(report["hurt"].to_string().contains("it holds another log"), "{report}");
        desk.run(&format!("-L {name}-new verify --deep")).exits(0);
        assert_eq!(desk.run(&format!("-L {name}-new view iv BBB -o csv")).exits(0).out, view);
    }
}

/// Folders that cannot be read cost what is in them, and nothing else.
#[test]
fn a_folder_that_cannot_be_listed_is_told_and_does_without() {
    let desk = desk();
    for name in ["sources", "mirror"] {
        let hurt = copied(&desk, name);
        std::fs::remove_dir_all(hurt.join(name)).unwrap();
        std::fs::write(hurt.join(name), "").unwrap();
        let ran = no_panic(desk.run(&format!("recover {name} {name}-new --json")));
        let report = ran.json();
        let taken = &report["taken"];
        assert_eq!((&taken[0]["engine"], &taken[0]["mirror"]), (&json!(6), &json!(0)), "{report}");
        assert_eq!(taken[1]["mirror"], 0, "{report}");
        assert!(
            report["hurt"].as_array().unwrap().iter().any(|of| of["place"] == name),
            "{report}"
        );
        let missing = report["missing"].as_array().unwrap();
        match name {
            // A large source stands in its pack alone.
            "sources" => assert_eq!((missing.len(), &missing[0]["name"]), (1, &json!("large.csv"))),
            _ => assert_eq!((ran.exit, missing.len()), (0, 0), "{report}"),
        }
        let views = desk.run(&format!("-L {name}-new view iv LARGE -o csv")).exits(0).out;
        assert_eq!(views, desk.run("view iv LARGE -o csv").exits(0).out);
    }
}

/// Without its sources folder and its mirror a ledger has lost what its batches were read from. Their
/// values are known all the same, new ones come in, and what is there is still known.
#[test]
fn a_ledger_that_lost_every_manifest_can_be_gone_on_with() {
    let desk = desk();
    let dir = desk.path().join(".volledger");
    let known = batches(&desk, ".volledger");
    ["mirror", "sources"].iter().for_each(|name| std::fs::remove_dir_all(dir.join(name)).unwrap());
    let report = no_panic(desk.run("recover .volledger new --json")).exits(30).json();
    assert_eq!(report["position"], 6, "{report}");
    assert_eq!(batches(&desk, "new"), known);
    let again = desk.run(&format!("-L new import iv {} -s VOLA --yes", sample("iv/VOLA.csv")));
    assert!(again.exits(0).out.contains("Nothing to do"));
    std::fs::write(desk.path().join("new.csv"), "Date,IV30\n2025-01-02,31.5\n").unwrap();
    desk.run("-L new import iv new.csv -s VOLA --yes").exits(0);
    let days = desk.run("-L new view iv VOLA --json").exits(0).json();
    assert_eq!(days["rows"].as_array().unwrap().len(), 754, "{days}");
    for look in ["batch list", "batch show b1", "log --audit", "coverage", "gaps"] {
        no_panic(desk.run(&format!("-L new {look}"))).exits(0);
    }
    // Who asks where a value comes from is told that nobody knows.
    let why = no_panic(desk.run("-L new why iv VOLA 2024-12-30")).exits(1);
    assert!(why.err.contains("is not in the ledger"), "{}", why.err);
    desk.run("-L new rollback --to 6 --reason back").exits(0);
    assert!(desk.run("-L new verify --deep").exits(30).out.contains("b1"));
}
