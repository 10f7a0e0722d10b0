use super::*;
use crate::domain::rows::Place;
use crate::domain::{Digest, Erased, Field, Op, Position, Reject, Series, Value};
use crate::ledger::codec::{Codec, encode_blocks};

/// Rows of these days, sources and offsets.
fn window(of: impl IntoIterator<Item = (i32, u32, u64)>) -> Window {
    let mut window = Window::default();
    let symbol = window.rows.intern_symbol(&"AAA".parse().unwrap());
    let shape = window.rows.intern_shape(&[Field::Known(10)]);
    for (seq, (day, source, offset)) in of.into_iter().enumerate() {
        let place = Place { seq: seq as u32, source, line: 2, offset, len: 5 };
        let values = [Value::from_json_number("0.25")];
        window.rows.push(place, Series::Iv, Op::Put, symbol, Day(day), shape, values);
    }
    window
}

fn reject(source: u32, offset: u64) -> Reject {
    let (code, raw) = ("invalid_date".into(), "row".into());
    Reject { seq: 0, source, line: 2, offset, len: 3, series: Series::Iv, code, raw }
}

fn gathered(of: &Window, codec: Codec) -> Result<Option<Window>> {
    let mut window = Window::default();
    let mut whole = None;
    for block in encode_blocks(of, codec).unwrap() {
        whole = gather(&mut window, &block)?;
    }
    Ok(whole)
}

fn refused<T: std::fmt::Debug>(result: Result<T>, why: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, LedgerError::Bundle { what } if what == why), "{error}");
}

#[test]
fn a_window_larger_than_any_is_refused_before_it_is_unpacked() {
    let most = window((0..WINDOW_EVENTS as i32).map(|day| (day, 0, 0)));
    assert_eq!(gathered(&most, Codec::Columns).unwrap().unwrap().len(), WINDOW_EVENTS);
    let more = window((0..=WINDOW_EVENTS as i32).map(|day| (day, 0, 0)));
    let first = encode_blocks(&more, Codec::Columns).unwrap().remove(0);
    let mut taken = Window::default();
    refused(gather(&mut taken, &first), "a window has too many events");
    assert!(taken.is_empty());
    // Nor does a block unpack to more than its window has room for.
    let blocks = encode_blocks(&window([(1, 0, 0), (2, 0, 0)]), Codec::Columns).unwrap();
    let mut taken = window([(1, 0, 0)]);
    refused(gather(&mut taken, &blocks[0]), "a window has too many events");
    assert_eq!(taken.len(), 1);
}

#[test]
fn offsets_that_could_not_be_read_again_are_the_files_fault() {
    let edge = i64::MAX as u64;
    for codec in [Codec::Plain, Codec::Columns] {
        gathered(&window([(1, 0, edge)]), codec).unwrap();
        gathered(&Window { rejects: vec![reject(0, edge)], ..Window::default() }, codec).unwrap();
    }
    let why = "an event stands where no file reaches";
    refused(gathered(&window([(1, 0, edge + 1)]), Codec::Plain), why);
    let beyond = Window { rejects: vec![reject(0, u64::MAX)], ..Window::default() };
    refused(gathered(&beyond, Codec::Columns), why);
    // So is what cannot be decoded at all.
    let unreadable = gathered(&window([(1, 0, edge + 1)]), Codec::Columns);
    refused(unreadable, "the columns of a block cannot be decoded");
    refused(gather(&mut Window::default(), b"B"), "a block cannot be decoded");
}

#[test]
fn events_that_no_source_gives_are_refused() {
    let day = |year, month, day| Day::from_ymd(year, month, day).unwrap().0;
    let ends = [(day(0, 1, 1), 0, 0), (day(9_999, 12, 31), 1, 0)];
    check(&window(ends), 2).unwrap();
    for wrong in [i32::MIN, day(0, 1, 1) - 1, day(9_999, 12, 31) + 1, i32::MAX] {
        let why = "a day is not of the years 0 to 9999";
        refused(check(&window([(1, 0, 0), (wrong, 0, 0)]), 1), why);
    }
    refused(check(&window([(1, 5, 0)]), 1), "an event names no source");
    let rejects = |source| Window { rejects: vec![reject(source, 0)], ..Window::default() };
    check(&rejects(0), 1).unwrap();
    refused(check(&rejects(1), 1), "an event names no source");
    let erased = Erased {
        seq: 0,
        leaf: Digest::default(),
        entry: Position(1),
        series: Series::Iv,
        symbol: None,
        day: Day(0),
        source: 0,
    };
    let erased = Window { erased: vec![erased], ..Window::default() };
    refused(check(&erased, 1), "events of it are erased");
}
