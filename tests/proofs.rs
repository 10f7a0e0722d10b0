//! Checkpoints and proofs through the program: made, checked, forged, and read by others.

use crate::program::{Desk, Ran, sample};
use crate::support::copy;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// A desk with IV of VOLA confirmed, a key named `example.com/vol`, and its public part.
fn signing() -> (Desk, String) {
    let desk = Desk::with_iv();
    let made = desk.run("key new --name example.com/vol --json").exits(0).json();
    let vkey = made["vkey"].as_str().unwrap().to_owned();
    assert!(vkey.starts_with("example.com/vol+"), "{vkey}");
    (desk, vkey)
}

fn key_file(desk: &Desk) -> std::path::PathBuf {
    desk.path().join("home/.config/volledger/signing.key")
}

fn text(desk: &Desk, name: &str) -> String {
    std::fs::read_to_string(desk.path().join(name)).unwrap()
}

#[test]
fn a_row_is_proven_to_somebody_who_has_only_the_public_key() {
    let (desk, vkey) = signing();
    desk.run("prove b1/3 -O row.proof").exits(1);
    let signed = desk.run("checkpoint sign -O one.checkpoint --json").exits(0).json();
    assert_eq!((&signed["position"], &signed["again"]), (&2.into(), &false.into()));
    let again = desk.run("checkpoint sign --json").exits(0).json();
    assert_eq!(again["again"], true);
    assert_eq!(again["note"], text(&desk, "one.checkpoint"));
    assert_eq!(desk.run("checkpoint sign").exits(0).out, text(&desk, "one.checkpoint"));
    let shown = desk.run("show b1/3 --json").json();
    for (what, proves) in [("b1/3", "row"), ("#2", "entry")] {
        let written = desk.run(&format!("prove {what} -O a.proof --json")).exits(0).json();
        assert_eq!((&written["proves"], &written["subject"]), (&proves.into(), &what.into()));
        assert_eq!(written["vkey"], vkey);
        // Somebody else's desk: no ledger, no key.
        let elsewhere = Desk::new();
        elsewhere.write("a.proof", &text(&desk, "a.proof"));
        let proven = elsewhere.run(&format!("verify-proof a.proof --key {vkey} --json"));
        let proven = proven.exits(0).json();
        assert_eq!(proven["proves"], proves);
        assert_eq!(proven["checkpoint"]["position"], 2);
        if proves == "row" {
            assert_eq!(proven["values"], shown["values"]);
            assert_eq!((&proven["symbol"], &proven["event"]), (&"VOLA".into(), &"b1/3".into()));
        }
        let told = elsewhere.run(&format!("verify-proof a.proof --key {vkey}")).exits(0).out;
        assert!(told.starts_with("Proven: `"), "{told}");
        let other = elsewhere.run("key new --name example.com/vol --json").exits(0).json();
        let other = other["vkey"].as_str().unwrap();
        let refused = elsewhere.run(&format!("verify-proof a.proof --key {other}")).exits(30);
        assert!(refused.err.contains("not with the key"), "{}", refused.err);
    }
    desk.run("prove b1/99999 -O a.proof").exits(1);
    desk.run("prove b9/1 -O a.proof").exits(1);
    desk.run("prove #0 -O a.proof").exits(1);
    desk.run("prove #3 -O a.proof").exits(1);
    desk.run("prove nonsense -O a.proof").exits(2);
}

#[test]
fn what_is_not_a_proof_or_a_key_is_said_without_a_panic() {
    let (desk, vkey) = signing();
    desk.run("checkpoint sign -O one.checkpoint").exits(0);
    desk.run("prove b1/3 -O row.proof").exits(0);
    let sound = text(&desk, "row.proof");
    let check = |text: &str| {
        desk.write("x.proof", text);
        desk.run(&format!("verify-proof x.proof --key {vkey}"))
    };
    check(&sound).exits(0);
    for malformed in ["", "\n", "volledger proof 1\n", &sound[..sound.len() / 2], "\u{0}\u{1}"] {
        check(malformed).exits(1);
    }
    desk.write("bytes", "");
    std::fs::write(desk.path().join("bytes"), [0xff, 0xfe]).unwrap();
    desk.run(&format!("verify-proof bytes --key {vkey}")).exits(1);
    desk.run(&format!("verify-proof none --key {vkey}")).exits(1);
    desk.run("verify-proof row.proof --key nonsense").exits(2);
    desk.run(&format!("verify-proof row.proof --key {}x", vkey)).exits(2);
    // A changed value, where people read it and where it is proven.
    let says = sound.lines().find(|line| line.starts_with("says put")).unwrap();
    let lied = sound.replace(says, &says.replace("atm_iv=0.", "atm_iv=1."));
    assert_ne!(lied, sound);
    let refused = check(&lied).exits(30);
    assert!(refused.err.contains("does not say what"), "{}", refused.err);
    let row = sound.lines().find(|line| line.starts_with("row ")).unwrap();
    let swapped = row.replacen(&row[12..13], if &row[12..13] == "A" { "B" } else { "A" }, 1);
    assert_ne!(check(&sound.replace(row, &swapped)).exit, 0);
    desk.write("bad.checkpoint", "example.com/vol\n2\nAAAA\n");
    desk.run("verify --against bad.checkpoint").exits(1);
}

#[test]
fn a_checkpoint_catches_an_older_copy_and_a_rewritten_history() {
    let (desk, vkey) = signing();
    copy(&desk.path().join(".volledger"), &desk.path().join("older"));
    desk.run("checkpoint sign -O two.checkpoint").exits(0);
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run("checkpoint sign -O four.checkpoint").exits(0);
    for file in ["two.checkpoint", "four.checkpoint"] {
        let line = format!("verify --against {file} --key {vkey} --json");
        let report = desk.run(&line).exits(0).json();
        assert_eq!(report["against"]["signature"], "good");
        assert_eq!(report["against"]["ok"], true);
        let told = desk.run(&format!("verify --against {file}")).exits(0).out;
        assert!(told.contains("signature not checked"), "{told}");
    }
    // The older copy is sound in itself: only the checkpoint knows better.
    desk.run("-L older verify --deep").exits(0);
    desk.run(&format!("-L older verify --against two.checkpoint --key {vkey}")).exits(0);
    let caught = desk.run("-L older verify --against four.checkpoint --json").exits(30).json();
    assert_eq!((&caught["ok"], &caught["against"]["ok"]), (&false.into(), &false.into()));
    let told = desk.run("-L older verify --against four.checkpoint").exits(30);
    assert!(told.out.contains("older copy"), "{}", told.out);
    // And the same length with another history.
    desk.run(&format!("-L older import hv {} -s VOLA --yes", sample("hv/VOLA.csv"))).exits(0);
    desk.run("-L older verify --deep").exits(0);
    let told = desk.run("-L older verify --against four.checkpoint").exits(30);
    assert!(told.out.contains("rewritten"), "{}", told.out);
    // Nothing is signed or proven from it: the key remembers.
    for line in ["checkpoint sign", "prove #4 -O no.proof", "prove --consistency #2 #4 -O no.proof"]
    {
        let refused = desk.run(&format!("-L older {line}")).exits(30);
        assert!(refused.err.contains("rewritten"), "{line}: {}", refused.err);
    }
    assert!(!desk.path().join("no.proof").exists());
    let list = desk.run("-L older checkpoint list --json").exits(30).json();
    assert_eq!(list["checkpoints"][0]["holds"], true);
    assert_eq!(list["checkpoints"][1]["holds"], false);
    let list = desk.run("checkpoint list --json").exits(0).json();
    assert_eq!(list["checkpoints"].as_array().unwrap().len(), 2);
    for form in ["table", "jsonl", "csv", "markdown"] {
        desk.run(&format!("checkpoint list -o {form}")).exits(0);
    }
    // Another's signature on the same text is not that key's.
    let other = Desk::new().run("key new --name example.com/vol --json").json();
    let other = other["vkey"].as_str().unwrap();
    let bad = desk.run(&format!("verify --against two.checkpoint --key {other} --json")).exits(30);
    assert_eq!(bad.json()["against"]["signature"], "bad");
}

#[test]
fn a_later_log_is_proven_to_extend_an_earlier_one() {
    let (desk, vkey) = signing();
    desk.run("checkpoint sign -O two.checkpoint").exits(0);
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run("batch rollback b2 --reason wrong").exits(0);
    desk.run("checkpoint sign -O five.checkpoint").exits(0);
    desk.run("prove --consistency #2 #5 -O a.proof").exits(0);
    desk.run("prove --consistency two.checkpoint five.checkpoint -O b.proof").exits(0);
    assert_eq!(text(&desk, "a.proof"), text(&desk, "b.proof"));
    let proven = desk.run(&format!("verify-proof a.proof --key {vkey} --json")).exits(0).json();
    assert_eq!(
        (&proven["proves"], &proven["since"]["position"]),
        (&"consistency".into(), &2.into())
    );
    desk.run("prove --consistency #5 #2 -O c.proof").exits(1);
    desk.run("prove --consistency #3 #5 -O c.proof").exits(1);
    // A row of an old batch, in the old checkpoint and in the new one.
    desk.run("prove b1/1 --checkpoint two.checkpoint -O old.proof").exits(0);
    desk.run("prove b1/1 -O new.proof").exits(0);
    for file in ["old.proof", "new.proof"] {
        desk.run(&format!("verify-proof {file} --key {vkey}")).exits(0);
    }
    desk.run("prove b2/1 --checkpoint two.checkpoint -O c.proof").exits(1);
}

/// Nothing leaves that its reader would refuse, if that can be known here.
#[test]
fn a_proof_is_not_made_from_a_checkpoint_whose_signature_is_wrong() {
    let (desk, vkey) = signing();
    desk.run("checkpoint sign -O good").exits(0);
    let good = text(&desk, "good");
    let at = good.trim_end().len() - 20;
    let other = if &good[at..=at] == "A" { "B" } else { "A" };
    desk.write("bad", &[&good[..at], other, &good[at + 1..]].concat());
    for what in ["#1", "b1/3"] {
        refused(desk.run(&format!("prove {what} --checkpoint bad -O x.proof")), 30, "signature");
    }
    refused(desk.run("prove --consistency #2 bad -O x.proof"), 30, "signature");
    assert!(!desk.path().join("x.proof").exists());
    let made = desk.run("prove #1 --checkpoint good -O x.proof").exits(0);
    assert!(made.err.contains(&vkey), "{}", made.err);
    // Of somebody else's key nothing is known but what it says.
    let theirs = Desk::with_iv();
    theirs.run("key new --name example.com/vol").exits(0);
    theirs.run("checkpoint sign").exits(0);
    theirs.write("good", &good);
    let made = theirs.run("prove #1 --checkpoint good -O x.proof").exits(0);
    assert!(made.err.contains("was not checked") && !made.err.contains("anywhere"), "{}", made.err);
}

fn refused(ran: Ran, exit: i32, word: &str) {
    let ran = ran.exits(exit);
    assert!(ran.err.contains(word), "{word}: {}", ran.err);
}

#[test]
#[cfg(unix)]
fn a_key_is_private_lies_outside_and_never_shows() {
    use std::os::unix::fs::PermissionsExt;
    let (desk, _) = signing();
    let file = key_file(&desk);
    let secret = std::fs::read_to_string(&file).unwrap();
    // PRIVATE+KEY+name+id+key; the key is base64 and may have a + of its own.
    let secret = secret.trim_end().splitn(5, '+').nth(4).unwrap().to_owned();
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    refused(desk.run("key new"), 1, "never replaced");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap().trim_end().splitn(5, '+').nth(4),
        Some(&*secret)
    );
    for open in [0o644, 0o640, 0o604, 0o700, 0o660] {
        mode(open);
        refused(desk.run("checkpoint sign"), 1, "chmod 600");
    }
    mode(0o400);
    desk.run("checkpoint sign").exits(0);
    let record = file.with_file_name("signing.key.signed");
    assert_eq!(std::fs::metadata(&record).unwrap().permissions().mode() & 0o777, 0o600);
    refused(desk.run("key new -O .volledger/k"), 1, "inside a ledger");
    refused(desk.run("key new -O .volledger/a/b/k"), 1, "inside a ledger");
    refused(desk.run("key new -O nowhere/../.volledger/k"), 1, "inside a ledger");
    assert!(!desk.path().join(".volledger/a").exists());
    desk.run("-L other init").exits(0);
    refused(desk.run("key new -O other/k"), 1, "inside a ledger");
    mode(0o600);
    std::fs::copy(&file, desk.path().join(".volledger/k")).unwrap();
    refused(desk.run("checkpoint sign --key-file .volledger/k"), 1, "inside a ledger");
    std::os::unix::fs::symlink(desk.path().join(".volledger/k"), desk.path().join("link")).unwrap();
    refused(desk.run("checkpoint sign --key-file link"), 1, "inside a ledger");
    std::fs::remove_file(desk.path().join(".volledger/k")).unwrap();
    refused(desk.run("checkpoint sign --key-file none"), 1, "key new");
    // Half of it in another file: refused without repeating it.
    let half = desk.write("half", &format!("PRIVATE+KEY+example.com/vol+00000000+{secret}\n"));
    std::fs::set_permissions(&half, PermissionsExt::from_mode(0o600)).unwrap();
    let mut said = String::new();
    for line in [
        "checkpoint sign --key-file half",
        "checkpoint sign -vv",
        "checkpoint list --json -vv",
        "prove b1/1 -O a.proof -vv",
        "verify --deep -vv",
    ] {
        let mut command = desk.command(line.split_whitespace());
        command.env("VOLLEDGER_LOG", "trace");
        let ran = crate::program::ran(command, None);
        said += &(ran.out + &ran.err);
    }
    for file in ["a.proof", "home/.config/volledger/signing.key.signed"] {
        said += &text(&desk, file);
    }
    let seed = &secret[4..20];
    assert!(said.len() > 1000 && !said.contains(seed), "{said}");
    let mut grep = Command::new("grep");
    grep.args(["-r", "-l", seed, ".volledger"]).current_dir(desk.path());
    let found = grep.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[test]
fn the_signers_record_is_not_believed_when_it_was_changed() {
    let (desk, _) = signing();
    desk.run("checkpoint sign").exits(0);
    let record = key_file(&desk).with_file_name("signing.key.signed");
    let whole = std::fs::read_to_string(&record).unwrap();
    // A line that a crash cut was never given away.
    std::fs::write(&record, format!("{whole}{{\"signed_at\":\"2025")).unwrap();
    let again = desk.run("checkpoint sign --json").exits(0).json();
    assert_eq!(again["again"], true);
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    desk.run("checkpoint sign").exits(0);
    assert_eq!(std::fs::read_to_string(&record).unwrap().lines().count(), 2);
    std::fs::write(&record, whole.replacen("\\n2\\n", "\\n1\\n", 1)).unwrap();
    refused(desk.run("checkpoint sign"), 30, "no signed checkpoint");
    refused(desk.run("prove b1/1 -O x"), 30, "no signed checkpoint");
}

/// The Python that has `blake3`; without one, what needs it says loudly that it is skipped.
fn python() -> Option<String> {
    let python = std::env::var("VOLLEDGER_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import blake3"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let line = format!("SKIPPED: {python} cannot import blake3, proofs not checked by Python\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

#[test]
fn python_checks_the_same_proofs_from_the_page_alone() {
    let Some(python) = python() else { return };
    let (desk, vkey) = signing();
    desk.run(&format!("import iv {} -s VOLB --yes --force", sample("dirty/VOLB_dirty.csv")));
    desk.run("checkpoint sign").exits(0);
    desk.run("undo").exits(0);
    desk.run("checkpoint sign").exits(0);
    // A day that a later snapshot lacks, and an erasure of two batches with a reason of its own.
    for (folder, days) in [("one", &["2024-01-02", "2024-01-03"][..]), ("two", &["2024-01-03"])] {
        let place = desk.path().join(folder).join("iv_daily_summary");
        std::fs::create_dir_all(&place).unwrap();
        let rows: Vec<_> = days
            .iter()
            .map(|day| format!("  {{\n    \"date\": \"{day}\",\n    \"atm_iv\": 0.2\n  }}"))
            .collect();
        std::fs::write(place.join("ZZZ.json"), format!("[\n{}\n]", rows.join(",\n"))).unwrap();
        let snapshot = if folder == "two" { " --snapshot" } else { "" };
        desk.run(&format!("import tomic {folder} --yes{snapshot}")).exits(0);
    }
    assert_eq!(desk.run("show b4/2 --json").exits(0).json()["op"], "retract");
    desk.words(&["erase", "b1/700", "b3/2", "--reason", "asked \"for\"\nby é", "--yes"]).exits(0);
    desk.run("checkpoint sign").exits(0);
    let erased = desk.run("log --json").exits(0).json()["position"].as_u64().unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify_proof.py");
    let check = |file: &str, key: &str| {
        let mut command = Command::new(&python);
        command.arg(&program).args([file, "--key", key]).current_dir(desk.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut events = vec!["#1".to_owned(), "#2".into(), "--consistency #4 #5".into()];
    events.extend((1..=9).chain([250]).map(|number| format!("b1/{number}")));
    events.extend((1..=12).map(|number| format!("b2/{number}")));
    events.extend([format!("#{erased}"), "b4/1".into(), "b4/2".into()]);
    let (mut sound, mut refused) = (0, 0);
    for event in &events {
        let ran = desk.run(&format!("prove {event} -O p.proof"));
        if ran.exit != 0 {
            assert!(event.starts_with("b2/") && ran.err.contains("there is no event"), "{event}");
            continue;
        }
        let (code, out) = check("p.proof", &vkey);
        assert_eq!(code, Some(0), "{event}: {out}");
        sound += 1;
        let whole = text(&desk, "p.proof");
        for at in (sound * 7..whole.len()).step_by(whole.len() / 3) {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1 << (at % 7);
            std::fs::write(desk.path().join("x.proof"), bytes).unwrap();
            let (code, out) = check("x.proof", &vkey);
            assert_ne!(code, Some(0), "{event} byte {at}: {out}");
            refused += 1;
        }
    }
    assert!(sound > 14 && refused > 28, "{sound} {refused}");
    let other = Desk::new().run("key new --name example.com/vol --json").json();
    assert_ne!(check("p.proof", other["vkey"].as_str().unwrap()).0, Some(0));
}

#[test]
fn a_second_ledger_of_the_same_person_gets_a_key_of_its_own() {
    let desk = Desk::with_iv();
    desk.run("key new").exits(0);
    desk.run("checkpoint sign").exits(0);
    desk.run("-L other init").exits(0);
    let own = "another ledger needs a key of its own: `volledger key new -O other.key`";
    for line in ["checkpoint sign", "checkpoint list"] {
        let told = desk.run(&format!("-L other {line}")).exits(30).err;
        assert!(told.contains(own), "{line}: {told}");
    }
    let told = desk.run("-L other checkpoint sign").exits(30).err;
    assert!(told.contains("or it is another ledger"), "{told}");
    let help = desk.run("key new --help").exits(0).out;
    assert!(help.contains("another ledger needs a key of its own"), "{help}");
    // What the hint says can be typed.
    desk.run("-L other key new -O other.key").exits(0);
    desk.run("-L other checkpoint sign --key-file other.key").exits(0);
    desk.run("-L other checkpoint list --key-file other.key").exits(0);
    desk.run("checkpoint sign").exits(0);
}
