use super::super::files::Directory;
use super::*;
use std::path::Path;

fn head(size: u64) -> Head {
    Head { size: Position(size), root: Digest([size as u8; 32]) }
}

fn read(directory: &Path) -> Result<Option<(Head, Slots)>, LedgerError> {
    Slots::read(&Directory::new(directory))
}

/// A directory whose slots hold `old` and `new`, as they were written, and where the second stands.
fn two(old: u64, new: u64) -> (tempfile::TempDir, usize) {
    let directory = tempfile::tempdir().unwrap();
    let files = Directory::new(directory.path());
    head(old).write(&files).unwrap();
    let (_, mut slots) = Slots::read(&files).unwrap().unwrap();
    slots.write(&files, &head(new)).unwrap();
    (directory, if slots.last == Some(true) { SLOT } else { 0 })
}

/// What the first release did, in the words of its source: format 1.
fn as_read_by_format_1(text: Vec<u8>) -> Result<(), u32> {
    let text = String::from_utf8(text).unwrap();
    let (body, check) = text.split_at_checked(text.find("check ").unwrap()).unwrap();
    assert_eq!(check, format!("check {}\n", content(body.as_bytes()).short()), "damaged");
    let mut lines = body.lines();
    assert_eq!(lines.next(), Some("volledger"), "damaged");
    let format = lines.next().unwrap().strip_prefix("format ").unwrap().parse().unwrap();
    if format > 1 { Err(format) } else { Ok(()) }
}

/// Reads HEAD where a folder has the name of one of its files: it is there, and cannot be read.
fn at_a_folder(name: &str) -> Result<Option<(Head, Slots)>, LedgerError> {
    let (directory, _) = two(7, 8);
    let path = directory.path().join(name);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    read(directory.path())
}

#[test]
fn a_head_that_cannot_be_read_is_not_one_that_is_missing() {
    for name in ["HEAD", "HEADS"] {
        let found = at_a_folder(name);
        assert!(matches!(found, Err(LedgerError::Io { .. })), "{name}: {found:?}");
    }
}

#[test]
fn head_moves_in_place_and_an_older_program_says_that_it_is_newer() {
    let directory = tempfile::tempdir().unwrap();
    let files = Directory::new(directory.path());
    assert_eq!(Head::read(&files).unwrap(), None);
    head(7).write(&files).unwrap();
    let (found, mut slots) = Slots::read(&files).unwrap().unwrap();
    assert_eq!((found, slots.torn(), slots.format()), (head(7), false, 2));
    let bytes = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    let notice = bytes("HEAD");
    assert_eq!(as_read_by_format_1(notice.clone()), Err(2));
    let mut before = bytes("HEADS");
    for size in [8, 10, 11, 12, 14] {
        slots.write(&files, &head(size)).unwrap();
        assert_eq!(Head::read(&files).unwrap(), Some(head(size)));
        // One slot changed, the other holds what was there before.
        let now = bytes("HEADS");
        assert_eq!((now.len(), bytes("HEAD")), (2 * SLOT, notice.clone()));
        let same = |from: usize| now[from..from + SLOT] == before[from..from + SLOT];
        assert_ne!(same(0), same(SLOT));
        before = now;
        if size == 11 {
            // The next process goes on where this one was.
            slots = Slots::read(&files).unwrap().unwrap().1;
        }
    }
    assert!(before.iter().all(|byte| byte.is_ascii()));
}

/// The slot that is written is the one that does not hold HEAD: a torn write never takes both.
#[test]
fn a_move_leaves_the_slot_that_holds_head_alone() {
    for again in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let files = Directory::new(directory.path());
        head(1).write(&files).unwrap();
        let (_, mut slots) = Slots::read(&files).unwrap().unwrap();
        for size in 2..8 {
            slots.write(&files, &head(size)).unwrap();
            assert!(!slots.torn());
            let now = std::fs::read(directory.path().join("HEADS")).unwrap();
            let (first, second) = now.split_at(SLOT);
            let (old, new) = (head(size - 1).slot(), head(size).slot());
            assert!((first, second) == (&old, &new) || (first, second) == (&new, &old), "{size}");
            if again {
                slots = Slots::read(&files).unwrap().unwrap().1;
            }
        }
    }
    // Of two slots one of which is hurt, that one is written, wherever it stands.
    for moves in 1..3 {
        let (directory, files, mut slots) = {
            let directory = tempfile::tempdir().unwrap();
            let files = Directory::new(directory.path());
            head(1).write(&files).unwrap();
            let (_, slots) = Slots::read(&files).unwrap().unwrap();
            (directory, files, slots)
        };
        (0..moves).for_each(|n| slots.write(&files, &head(2 + n)).unwrap());
        let path = directory.path().join("HEADS");
        let mut bytes = std::fs::read(&path).unwrap();
        let newest = head(1 + moves).slot();
        let hurt = if bytes[..SLOT] == newest { SLOT } else { 0 };
        bytes[hurt] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let files = Directory::new(directory.path());
        let (found, mut slots) = Slots::read(&files).unwrap().unwrap();
        assert_eq!((found, slots.torn()), (head(1 + moves), true));
        slots.write(&files, &head(9)).unwrap();
        let now = std::fs::read(&path).unwrap();
        assert_eq!(now[hurt..hurt + SLOT], head(9).slot());
        assert_eq!(now[SLOT - hurt..2 * SLOT - hurt], newest);
        assert!(!slots.torn());
    }
}

/// What was read is synced, since it may be in memory only: shown by a place that cannot be.
#[test]
fn the_slots_that_were_read_are_made_durable_and_no_others() {
    let (directory, _) = two(7, 8);
    let (_, slots) = read(directory.path()).unwrap().unwrap();
    slots.sync(&Directory::new(directory.path())).unwrap();
    let path = directory.path().join("HEADS");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let failed = slots.sync(&Directory::new(directory.path()));
    assert!(matches!(failed, Err(LedgerError::NotWritable { .. })), "{failed:?}");
    // HEAD of format 1 has none.
    std::fs::write(directory.path().join("HEAD"), sealed(1, &head(5).lines())).unwrap();
    let (_, slots) = read(directory.path()).unwrap().unwrap();
    slots.sync(&Directory::new(directory.path())).unwrap();
}

#[test]
fn a_head_of_format_1_is_read_and_replaced_whole() {
    let directory = tempfile::tempdir().unwrap();
    let files = Directory::new(directory.path());
    let path = directory.path().join("HEAD");
    std::fs::write(&path, sealed(1, &head(5).lines())).unwrap();
    // Slots beside it are from another time.
    std::fs::write(directory.path().join("HEADS"), [head(9).slot(), head(8).slot()].concat())
        .unwrap();
    let (found, mut slots) = Slots::read(&files).unwrap().unwrap();
    assert_eq!((found, slots.torn(), slots.format()), (head(5), false, 1));
    slots.write(&files, &head(6)).unwrap();
    assert_eq!(Head::read(&files).unwrap(), Some(head(6)));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), notice());
    slots.write(&files, &head(7)).unwrap();
    assert_eq!(Head::read(&files).unwrap(), Some(head(7)));
    // Every change of the old one is found.
    let text = sealed(1, &head(5).lines()).into_bytes();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bad = text.clone();
            bad[at] ^= 1 << bit;
            std::fs::write(&path, bad).unwrap();
            assert!(read(directory.path()).is_err(), "byte {at} bit {bit}");
        }
        std::fs::write(&path, &text[..at]).unwrap();
        assert!(read(directory.path()).is_err(), "cut {at}");
    }
}

#[test]
fn any_changed_bit_of_a_slot_leaves_the_other_one_and_is_known() {
    let (directory, newer) = two(7, 8);
    let path = directory.path().join("HEADS");
    let whole = std::fs::read(&path).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let put = |at: usize, byte: u8| {
        use std::io::{Seek, SeekFrom, Write};
        (&file).seek(SeekFrom::Start(at as u64)).unwrap();
        (&file).write_all(&[byte]).unwrap();
    };
    for (at, byte) in whole.iter().enumerate() {
        // All bits of what is said, and some of each byte that fills up.
        let said = at % SLOT < 160;
        for bit in (0..8).filter(|bit| said || (at + bit) % 8 == 0) {
            put(at, byte ^ (1 << bit));
            let (found, slots) = read(directory.path()).unwrap().unwrap();
            let in_newer = (at >= SLOT) == (newer == SLOT);
            let want = if in_newer { head(7) } else { head(8) };
            assert_eq!((found, slots.torn()), (want, true), "byte {at} bit {bit}");
        }
        put(at, *byte);
    }
    let (found, slots) = read(directory.path()).unwrap().unwrap();
    assert_eq!((found, slots.torn()), (head(8), false));
    // Both hurt, one cut short, one too many, none.
    for (name, bytes) in [
        ("both", { [&b"x"[..], &whole[1..SLOT], b"x", &whole[SLOT + 1..]].concat() }),
        ("cut", whole[..2 * SLOT - 1].to_vec()),
        ("half", whole[..SLOT].to_vec()),
        ("empty", Vec::new()),
        ("long", [&whole[..], b"\n"].concat()),
        ("contradiction", {
            let other = Head { root: Digest([1; 32]), ..head(8) };
            [head(8).slot(), other.slot()].concat()
        }),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let refused = read(directory.path());
        assert!(matches!(refused, Err(LedgerError::Damaged { .. })), "{name}: {refused:?}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(read(directory.path()), Err(LedgerError::Damaged { .. })));
}

#[test]
fn any_change_of_the_notice_is_found_and_a_newer_format_is_named_not_guessed() {
    let (directory, _) = two(7, 8);
    let path = directory.path().join("HEAD");
    let text = std::fs::read(&path).unwrap();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bad = text.clone();
            bad[at] ^= 1 << bit;
            std::fs::write(&path, bad).unwrap();
            assert!(read(directory.path()).is_err(), "byte {at} bit {bit}");
        }
        std::fs::write(&path, &text[..at]).unwrap();
        assert!(read(directory.path()).is_err(), "cut {at}");
    }
    std::fs::write(&path, sealed(3, "something new\n")).unwrap();
    let newer = read(directory.path());
    assert!(matches!(newer, Err(LedgerError::Newer { found: 3, known: 2 })), "{newer:?}");
    for other in [sealed(2, "slots ELSEWHERE\n"), sealed(2, &head(8).lines()), sealed(0, "")] {
        std::fs::write(&path, other).unwrap();
        assert!(matches!(read(directory.path()), Err(LedgerError::Damaged { .. })));
    }
}

/// Power goes while a slot is written: any of its sectors is old or new.
#[test]
fn a_torn_slot_is_the_old_head_or_the_new_one() {
    for sector in [512, SLOT] {
        for (old, new) in [(9, 10), (99, 101), (0, 1)] {
            let (directory, newer) = two(old, new);
            let path = directory.path().join("HEADS");
            let whole = std::fs::read(&path).unwrap();
            let next = if newer == SLOT { 0 } else { SLOT };
            let later = head(new + 1).slot();
            let sectors = SLOT / sector;
            for mask in 0..1u32 << sectors {
                let mut torn = whole.clone();
                for part in (0..sectors).filter(|part| mask & (1 << part) != 0) {
                    let (from, to) = (part * sector, (part + 1) * sector);
                    torn[next + from..next + to].copy_from_slice(&later[from..to]);
                }
                std::fs::write(&path, torn).unwrap();
                let (found, _) = read(directory.path()).unwrap().unwrap();
                let want = if mask & 1 == 0 { head(new) } else { head(new + 1) };
                assert_eq!(found, want, "{mask:b} of {sector}");
            }
            // A write that stops in the middle of a sector, as no disk should, but a file may.
            for cut in (0..160).chain((160..SLOT).step_by(97)) {
                let mut torn = whole.clone();
                torn[next..next + cut].copy_from_slice(&later[..cut]);
                std::fs::write(&path, torn).unwrap();
                let (found, _) = read(directory.path()).unwrap().unwrap();
                assert!(found == head(new) || found == head(new + 1), "cut {cut}");
            }
        }
    }
}

#[test]
fn a_head_that_could_not_be_moved_is_not_moved_again() {
    let directory = tempfile::tempdir().unwrap();
    let files = Directory::new(directory.path());
    head(1).write(&files).unwrap();
    let (_, mut slots) = Slots::read(&files).unwrap().unwrap();
    // A folder stands where the file was.
    let path = directory.path().join("HEADS");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(slots.write(&files, &head(2)), Err(LedgerError::NotWritable { .. })));
    std::fs::remove_dir(&path).unwrap();
    assert!(matches!(slots.write(&files, &head(2)), Err(LedgerError::Poisoned)));
    assert!(matches!(slots.check(), Err(LedgerError::Poisoned)));
}
