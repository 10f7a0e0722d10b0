use super::*;

#[test]
fn a_row_comes_back_as_it_was_pushed() {
    let mut rows = Rows::new();
    let aapl = rows.intern_symbol(&"AAPL".parse().unwrap());
    let shape = [Field::DateMark, Field::Known(10), Field::of(Series::Iv, "odd key")];
    let shape = rows.intern_shape(&shape);
    let place = Place { seq: 4, source: 0, line: 6, offset: 100, len: 12 };
    let values = [Value::from_json_number("0.24"), Value::Null];
    rows.push(place, Series::Iv, Op::Put, aapl, Day(3), shape, values.clone());
    rows.push(place, Series::Iv, Op::Retract, aapl, Day(4), shape, []);
    let row = rows.get(0).unwrap();
    assert_eq!(row.values.iter().collect::<Vec<_>>(), values);
    let names: Vec<_> = row.fields().map(|(field, _)| field.name().to_owned()).collect();
    assert_eq!(names, ["atm_iv", "odd key"]);
    assert!(rows.get(1).unwrap().fields().all(|(_, value)| value.is_none()));
    assert!(rows.get(2).is_none());
}

/// What a row says, without the numbers of its pools.
fn said(row: Row<'_>) -> String {
    let (seq, day, op) = (row.head.seq, row.head.day, row.head.op);
    let fields: Vec<_> = row.fields().map(|(field, v)| format!("{}={v:?}", field.name())).collect();
    format!("{seq} {} {day} {op:?} {:?} {fields:?}", row.symbol, row.item)
}

/// Rows with one symbol, or with several in an order of their own.
fn sample(symbols: &[&str]) -> Rows {
    let mut rows = Rows::new();
    for seq in 0..12u32 {
        let symbol = symbols[seq as usize % symbols.len()].parse().unwrap();
        let fields = [Field::Known(10), Field::DateMark, Field::Known(11), Field::Known(12)];
        let fields = &fields[..2 + seq as usize % 3];
        let (symbol, shape) = (rows.intern_symbol(&symbol), rows.intern_shape(fields));
        let op = if seq == 7 { Op::Retract } else { Op::Put };
        let count = value_count(op, fields) as u32;
        let values = (0..count).map(|n| Value::from_json_number(&format!("{seq}.{n}")));
        let place = Place { seq, source: 1, line: 9, offset: 5, len: 2 };
        rows.push(place, Series::Iv, op, symbol, Day(seq as i32), shape, values);
        if seq > 8 {
            let item = rows.intern_item(&format!("item {}", seq % 2));
            rows.set_item(item);
        }
    }
    rows
}

#[test]
fn sets_are_joined_and_copied_in_parts_as_row_by_row() {
    let (mut whole, mut slow) = (sample(&["A", "B"]), sample(&["A", "B"]));
    let other = sample(&["C", "B", "A"]);
    whole.absorb(&other);
    other.iter().for_each(|row| slow.push_row(row));
    let all: Vec<_> = whole.iter().map(said).collect();
    assert_eq!((all.len(), &all), (24, &slow.iter().map(said).collect()));

    let (mut parts, mut slow) = (Rows::new(), Rows::new());
    for run in other.heads().chunk_by(|a, b| a.shape == b.shape && a.op == b.op) {
        let head = &run[0];
        let shape = &other.shapes()[head.shape as usize];
        let symbol = parts.intern_symbol(&other.symbols()[0]);
        let number = parts.intern_shared(shape);
        let slots: Vec<usize> = (0..value_count(Op::Put, shape)).collect();
        parts.append_parts(run, &other, symbol, number, &slots);
    }
    for row in other.iter() {
        let (symbol, shape) =
            (slow.intern_symbol(&other.symbols()[0]), slow.intern_shape(row.shape));
        let place = Place { seq: row.head.seq, source: 0, line: 0, offset: 0, len: 0 };
        let Head { series, op, day, .. } = *row.head;
        slow.push(place, series, op, symbol, day, shape, row.values.iter());
    }
    let all: Vec<_> = parts.iter().map(said).collect();
    assert_eq!((all.len(), &all), (12, &slow.iter().map(said).collect()));
    assert_eq!(parts.get(7).map(|row| row.head.line), Some(0));
}
