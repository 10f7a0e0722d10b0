//! Places of records, limits, and the `csv` crate as the reference for cells.

use super::*;
use proptest::prelude::*;
use std::io::Cursor;

impl Watch for () {
    fn take(&mut self, _: &[u8]) {}
}

/// Hands out a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(self.1).min(self.0.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

type Cut = (u32, u64, Vec<u8>, Vec<Vec<u8>>);

fn cut_upto(text: &[u8], limits: Limits, wanted: usize) -> Result<Vec<Cut>, Stop> {
    let mut input = Trickle(text, 7);
    let mut watch = ();
    let mut records = Records::new(&mut input, &mut watch, b',', 0, limits)?;
    let mut out = Vec::new();
    while let Some(record) = records.next_upto(wanted)? {
        let at = record.offset as usize;
        assert_eq!(&text[at..at + record.bytes.len()], record.bytes);
        let cells = record.cells().take(wanted).map(Cow::into_owned).collect();
        out.push((record.line, record.offset, record.bytes.to_vec(), cells));
    }
    Ok(out)
}

fn cut(text: &[u8], limits: Limits) -> Result<Vec<Cut>, Stop> {
    let whole = cut_upto(text, limits, usize::MAX);
    // Who wants some of the cells only gets the same records, or is refused for the same reason.
    for wanted in 0..5 {
        let of_whole = whole.as_ref().map(|records| {
            let some = |(line, at, bytes, cells): &Cut| {
                (*line, *at, bytes.clone(), cells.iter().take(wanted).cloned().collect::<Vec<_>>())
            };
            records.iter().map(some).collect::<Vec<_>>()
        });
        let some = cut_upto(text, limits, wanted);
        assert_eq!(format!("{some:?}"), format!("{of_whole:?}"), "{wanted} of {text:?}");
    }
    whole
}

#[test]
fn lines_and_offsets_are_physical() {
    for (text, want) in [
        ("a,b\nc\n", &[(1, 0, 2), (2, 4, 1)][..]),
        ("a,b\r\nc\r\n", &[(1, 0, 2), (2, 5, 1)]),
        ("a,b\rc\r", &[(1, 0, 2), (2, 4, 1)]),
        ("a\n\nb", &[(1, 0, 1), (2, 2, 1), (3, 3, 1)]),
        ("a\r\n\r\nb", &[(1, 0, 1), (2, 3, 1), (3, 5, 1)]),
        ("\r\rb\n\r", &[(1, 0, 1), (2, 1, 1), (3, 2, 1), (4, 4, 1)]),
        ("\"a\nb\",c\nd\n", &[(1, 0, 2), (3, 8, 1)]),
        ("\"a\r\nb\r\"\r\nd", &[(1, 0, 1), (4, 9, 1)]),
        ("a,\"b\"\"\"\nd", &[(1, 0, 2), (2, 8, 1)]),
        ("a\"\nb", &[(1, 0, 1), (2, 3, 1)]),
        ("a,\"open\nend", &[(1, 0, 2)]),
        ("", &[]),
        (",", &[(1, 0, 2)]),
    ] {
        let cut = cut(text.as_bytes(), Limits::default()).unwrap();
        let got = cut.iter().map(|(line, at, _, cells)| (*line, *at, cells.len()));
        let got: Vec<_> = got.collect();
        assert_eq!(got, want, "{text:?}");
    }
}

#[test]
fn records_at_the_limits_pass_and_beyond_them_do_not() {
    let limits = Limits { line_bytes: 10, fields: 3, file_bytes: 1000 };
    assert_eq!(cut(b"0123456789\r\nab\n", limits).unwrap().len(), 2);
    assert!(matches!(cut(b"a\n01234567890\n", limits), Err(Stop::LineTooLong(2))));
    assert_eq!(cut(b"a,b,c\n", limits).unwrap().len(), 1);
    assert!(matches!(cut(b"\na,b,c,d\n", limits), Err(Stop::TooManyFields(2))));
    assert!(matches!(cut(&b"a\n".repeat(501), limits), Err(Stop::FileTooLarge)));
}

#[test]
fn records_longer_than_what_is_left_of_the_buffer_are_whole() {
    // Every row is of another letter, so a row found at a wrong place is not the right one.
    let rows = (b'a'..b'j').map(|letter| [vec![letter; 50_000], b"\r\n".to_vec()].concat());
    let cut = cut(&rows.collect::<Vec<_>>().concat(), Limits::default()).unwrap();
    assert_eq!(cut.len(), 9);
    for (i, (line, offset, bytes, _)) in cut.iter().enumerate() {
        assert_eq!((*line, *offset), (i as u32 + 1, i as u64 * 50_002));
        assert_eq!(bytes.len(), 50_000);
    }
}

proptest! {
    /// The `csv` crate is the reference for what a cell holds.
    #[test]
    fn cells_are_those_of_the_csv_crate(text in "[ab,\"\r\n]{0,40}") {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(text.as_bytes()));
        let want: Vec<Vec<Vec<u8>>> = reader
            .byte_records()
            .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
            .collect();
        let got = cut(text.as_bytes(), Limits::default()).unwrap();
        let filled = got.into_iter().filter(|(_, _, bytes, _)| !bytes.is_empty());
        let got: Vec<_> = filled.map(|(_, _, _, cells)| cells).collect();
        prop_assert_eq!(got, want);
    }
}
