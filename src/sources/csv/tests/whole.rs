//! Files as a whole: what is refused, what changes while it is read, what is reported meanwhile.

use super::*;

#[test]
fn what_cannot_be_read_at_all() {
    for (text, want) in [
        (&b""[..], "no_table"),
        (b"\xef\xbb\xbf", "no_table"),
        (b"\n\n", "no_table"),
        (b"\n<!DOCTYPE html>\n<p>Date, IV30</p>", "no_table"),
        (b"{\"Date\": 1, \"IV30\": 2}", "no_table"),
        (b"<html><body>Date, IV30</body></html>", "no_table"),
        (b"<?xml version=\"1.0\", a?>", "no_table"),
        (b"<table>, <tr><td>1</td></tr>", "no_table"),
        (b"[[1],[2]]", "no_table"),
        (b"[{\"Date\":1},{\"Date\":2}]", "no_table"),
        (b"[1]", "no_table"),
        // Stooq's and MetaTrader's columns, and what SQL tools write.
        (b"<TICKER>,<PER>,<DATE>,<CLOSE>\nAAPL.US,D,20240102,185.64\n", "missing_columns"),
        (b"\xef\xbb\xbf<DATE>\t<OPEN>\t<CLOSE>\r\n2024.01.02\t1\t2\r\n", "missing_columns"),
        (b"[Date],[Close]\n2024-01-02,185.64\n", "missing_columns"),
        (b"[Trade Date]; Close\n", "missing_columns"),
        (b"Day,Vol\n", "missing_columns"),
        (b"Date,x\n", "missing_columns"),
        (b"\xff\xfeD\0a\0", "unsupported_encoding"),
        (b"\xfe\xff\0D\0a", "unsupported_encoding"),
        (b"PK\x03\x04\0\0", "binary_file"),
        (b"Date,IV30\n2025-01-02,20\n", "none"),
    ] {
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        let read = read_from(&mut Cursor::new(text), &mapping, given(), Limits::default());
        let summary = read.unwrap().summary;
        let code = summary.fatal.map_or("none".to_owned(), |finding| finding.code);
        assert_eq!(code, want, "{text:?}");
    }
    let late_nul = [b"Date,IV30\n".to_vec(), b"2025-01-02,20\n".repeat(1000), vec![0]].concat();
    assert_eq!(read_fatal(&late_nul, Limits::default()), "binary_file");
    let limits = Limits { line_bytes: 20, fields: 3, file_bytes: 60 };
    for (text, want) in [
        ("Date,IV30\n2025-01-02,20,a,b\n", "too_many_fields"),
        ("Date,IV30\n2025-01-02,20,aaaaaaaaaaaaa\n", "line_too_long"),
        ("Date,IV30\n2025-01-02,\"20\n2025-01-03,20\n", "line_too_long"),
        (&format!("Date,IV30\n{}", "2025-01-02,20\n".repeat(5)), "file_too_large"),
    ] {
        assert_eq!(read_fatal(text.as_bytes(), limits), want, "{text}");
    }
}

fn read_fatal(text: &[u8], limits: Limits) -> String {
    let mapping = Mapping::bundled("mc-iv-basic").unwrap();
    let read = read_from(&mut Cursor::new(text), &mapping, given(), limits).unwrap();
    assert!(read.rows.is_empty());
    read.summary.fatal.unwrap().code
}

/// A header and then one byte for ever; counts what was asked for.
struct Endless {
    len: u64,
    at: u64,
    served: u64,
    largest: usize,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let head = b"Date,IV30\n";
        self.largest = self.largest.max(out.len());
        let count = out.len().min(usize::try_from(self.len - self.at).unwrap());
        for (i, slot) in out[..count].iter_mut().enumerate() {
            *slot = head.get(self.at as usize + i).copied().unwrap_or(b'7');
        }
        self.at += count as u64;
        self.served += count as u64;
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(from) => self.len.checked_add_signed(from).unwrap(),
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn a_gigabyte_in_one_line_ends_early_and_small() {
    let mut input = Endless { len: 1 << 30, at: 0, served: 0, largest: 0 };
    let mapping = Mapping::bundled("mc-iv-basic").unwrap();
    let read = read_from(&mut input, &mapping, given(), Limits::default()).unwrap();
    let fatal = read.summary.fatal.unwrap();
    assert_eq!((fatal.code.as_str(), fatal.line), ("line_too_long", Some(2)));
    assert!(input.served < 1 << 20, "{}", input.served);
    assert!(input.largest <= 256 * 1024, "{}", input.largest);
}

#[test]
fn one_pass_takes_what_most_files_are_and_refuses_the_others() {
    for (text, taken) in [
        (&b"Date,IV30\n2025-01-02,20\n,\nn.v.t.,21\n2025/1/3,22"[..], true),
        (b"\xef\xbb\xbfDate;IV30\r\n20250102;20\r\n02.01.2025;20\r\n", true),
        (b"Note \xe2\x82\xac\nDate,IV30\n2025-01-02,20\n", true),
        (b"Date,IV30\n2025-01-02,20\n1/3/2025,21\n", false),
        (b"Date,IV30\n2025-01-02,20\n03-01-2025,21\n", false),
        (b"Date,IV30\n2025-01-02,20 \xe9\n", false),
        (b"Date,IV30\n2025-01-02,20 \xe2\x82", false),
        (b"Date,IV30,Note\n2025-01-02,20,\"\n\n\n", true),
    ] {
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        let (input, limits) = (&mut Cursor::new(text), Limits::default());
        let read = read_by(read_csv_once, input, &mapping, given(), limits);
        let shown = String::from_utf8_lossy(text);
        match read {
            Ok(_) => assert!(taken, "{shown}"),
            Err(error) => assert!(!taken && matches!(error, ReadError::NotAsPresumed), "{shown}"),
        }
    }
    // What is wrong with a file beyond its head is told by reading it in two passes.
    let nul = [&b"Date,IV30\n"[..], &b"2025-01-02,20\n".repeat(1_000), b"2025-01-03,\0\n"].concat();
    let long = [&b"Date,IV30\n"[..], &b"2025-01-02,20\n".repeat(1_000), &[b'x'; 70_000]].concat();
    for (text, code) in [(&nul, "binary_file"), (&long, "line_too_long")] {
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        let limits = Limits::default();
        let once = read_by(read_csv_once, &mut Cursor::new(text), &mapping, given(), limits).err();
        assert!(matches!(once, Some(ReadError::NotAsPresumed)));
        let read = read_from(&mut Cursor::new(text), &mapping, given(), limits).unwrap();
        assert_eq!(read.summary.fatal.unwrap().code, code);
    }
}

#[test]
fn a_file_that_grows_while_it_is_read_once_is_noticed() {
    let now = b"Date,IV30\n2025-01-02,20\n";
    for (later, same) in [
        (&now[..], true),
        (b"Date,IV30\n2025-01-02,20\n2025-01-03,20\n", false),
        (b"Date,IV30\n2025-01-02,200", false),
    ] {
        // Head, header, rows.
        let mut input = Changing { now: Cursor::new(now), later, turn: 3 };
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        let read = read_by(read_csv_once, &mut input, &mapping, given(), Limits::default());
        assert_eq!(input.turn, 0);
        match read {
            Ok(_) => assert!(same),
            Err(error) => assert!(!same && matches!(error, ReadError::NotAsPresumed)),
        }
    }
}

/// Gives other bytes from the `turn`th seek to the start on.
struct Changing<'a> {
    now: Cursor<&'a [u8]>,
    later: &'a [u8],
    turn: u32,
}

impl Read for Changing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.now.read(out)
    }
}

impl Seek for Changing<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if to == SeekFrom::Start(0) {
            self.turn -= 1;
            if self.turn == 0 {
                self.now = Cursor::new(self.later);
            }
        }
        self.now.seek(to)
    }
}

#[test]
fn a_file_that_changes_between_the_passes_is_noticed() {
    let now = b"Date,IV30\n2025-01-02,20\n";
    for (later, same) in [
        (&now[..], true),
        (b"Date,IV30\n2025-01-02,21\n", false),
        (b"Date,IV30\n2025-01-02,20\n2025-01-03,20\n", false),
        (b"", false),
    ] {
        // Head, header, first pass, second pass.
        let mut input = Changing { now: Cursor::new(now), later, turn: 4 };
        let mapping = Mapping::bundled("mc-iv-basic").unwrap();
        let read = read_from(&mut input, &mapping, given(), Limits::default());
        assert_eq!(input.turn, 0);
        match read {
            Ok(_) => assert!(same),
            Err(error) => assert!(!same && matches!(error, ReadError::Changed)),
        }
    }
}

#[test]
fn both_passes_are_reported_and_a_failing_receiver_stops_the_reading() {
    let rows = b"2025-01-02,20\n".repeat(100_000);
    let text = [&b"Date,IV30\n"[..], &rows].concat();
    let last = std::cell::Cell::new(0);
    let mut flush = |_: &mut Window| Err("full");
    let mut out = Collector::new(&mut flush);
    let mapping = Mapping::bundled("mc-iv-basic").unwrap();
    let options = CsvOptions {
        mapping: &mapping,
        symbol: given(),
        source: 0,
        as_of: Day(30_000),
        calendar: &Calendar::default(),
        limits: Limits::default(),
        progress: &|bytes| {
            assert!(bytes >= last.get());
            last.set(bytes);
        },
        seen: &|_| {},
    };
    let read = read_csv(&mut Cursor::new(&text), &options, &mut out);
    assert!(matches!(read, Err(ReadError::Sink("full"))));
    assert!(last.get() > text.len() as u64 && last.get() < 2 * text.len() as u64);
}
