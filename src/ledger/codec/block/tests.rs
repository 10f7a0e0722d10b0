use super::*;
use crate::domain::rows::{Head, Place};
use crate::domain::{Field, Op, Value};

fn window() -> Window {
    let mut rows = Rows::new();
    let symbols = ["ZZ", "AAPL", "BRK.B"].map(|name| name.parse::<Symbol>().unwrap());
    let shapes = [
        vec![Field::Known(10), Field::Known(40)],
        vec![Field::Known(10)],
        vec![Field::Known(10), Field::DateMark, Field::of(Series::Iv, "odd (IV)")],
    ];
    let texts = ["0.4553", "-0.5", "0.24109999999999998", "1.00", "7", "1e-05"];
    for seq in 0..10_000u32 {
        let symbol = rows.intern_symbol(&symbols[seq as usize % 3]);
        let shape = &shapes[seq as usize % 7 % 3];
        let wide = "12345678901234567890.123";
        let count = shape.iter().filter(|f| !f.is_mark()).count();
        let values = (0..count).map(|i| match (seq as usize + i) % 11 {
            0 => Value::Null,
            1 => Value::Text("naïve".into()),
            2 if seq > 9_000 => Value::from_json_number(wide),
            n => Value::from_json_number(texts[n % texts.len()]),
        });
        let values: Vec<_> = values.collect();
        let shape = rows.intern_shape(shape);
        let offset = u64::from(seq) * 47 + u64::from(seq % 5);
        let place =
            Place { seq: seq + seq / 100, source: seq / 5_000, line: seq + 2, offset, len: 44 };
        let day = Day(18_000 + (seq as i32 * 7919) % 500);
        rows.push(place, Series::Iv, Op::Put, symbol, day, shape, values);
        if seq % 5_000 > 2_500 {
            let item = rows.intern_item(&format!("O:{}", seq % 37));
            rows.set_item(item);
        }
    }
    let rejects = (0..100).map(|n| Reject {
        seq: n * 101 + 100,
        source: 0,
        line: n,
        offset: 5,
        len: 3,
        series: Series::Iv,
        code: "invalid_date".into(),
        raw: format!("raw {n}").into(),
    });
    Window { rows, rejects: rejects.collect(), ..Window::default() }
}

fn canonical(window: &Window) -> Vec<Vec<u8>> {
    let mut events: Vec<(u32, Vec<u8>)> = Vec::new();
    for row in window.rows.iter() {
        let mut bytes = Vec::new();
        canon::put_row(&mut bytes, row);
        events.push((row.head.seq, bytes));
    }
    for reject in &window.rejects {
        let mut bytes = Vec::new();
        canon::put_reject(&mut bytes, reject);
        events.push((reject.seq, bytes));
    }
    events.sort();
    events.into_iter().map(|(_, bytes)| bytes).collect()
}

#[test]
fn both_codecs_give_every_event_back_and_the_same_bytes_again() {
    let window = window();
    for codec in [Codec::Columns, Codec::Plain] {
        let blocks = encode_blocks(&window, codec).unwrap();
        let mut back = Window::default();
        for block in &blocks {
            let header = decode_block(block, &mut back).unwrap();
            assert_eq!(header.window_events, 10_100);
            let counted: u32 = header.symbols.iter().map(|(_, count)| count).sum();
            assert!(header.series.is_none() || counted == header.events);
        }
        assert_eq!(canonical(&back), canonical(&window));
        assert_eq!(encode_blocks(&back, codec).unwrap(), blocks, "{codec:?}");
    }
}

/// Symbol, day, fields and place of each row.
fn keys_of(rows: &Rows) -> Vec<(Symbol, Day, Vec<Field>, Op, u32)> {
    let key = |head: &Head| {
        let symbol = rows.symbols()[head.symbol as usize].clone();
        let shape = rows.shapes()[head.shape as usize].to_vec();
        (symbol, head.day, shape, head.op, head.seq)
    };
    rows.heads().iter().map(key).collect()
}

#[test]
fn neighbours_are_packed_and_others_compressed() {
    // As they stand in the source, backwards, with a few left out; every third; those with items.
    let order: Vec<u32> = (0..2_000).collect();
    let backwards: Vec<u32> = (0..2_000).rev().collect();
    let gaps: Vec<u32> = order.iter().copied().filter(|n| n % 100 > 5).collect();
    let far: Vec<u32> = (0..2_000).map(|n| n * 20 % 2_000).collect();
    let all = window();
    let kind = |order: &[u32]| {
        let mut window = Window::default();
        let block = encode_rows(&all.rows, order, (0, 10_100), Codec::Columns).unwrap().0;
        let (header, codec, ..) = open(&block).unwrap();
        decode_block(&block, &mut window).unwrap();
        let want: Vec<_> = order.iter().map(|n| all.rows.get(*n as usize).unwrap()).collect();
        for (found, want) in window.rows.iter().zip(&want) {
            assert_eq!((found.symbol, found.item), (want.symbol, want.item));
            assert_eq!((found.shape, found.values), (want.shape, want.values));
        }
        assert_eq!((window.len(), header.events as usize), (order.len(), order.len()));
        let mut keys = Rows::new();
        let read = decode_keys(&block, &mut keys).unwrap();
        assert!(read.is_none() || keys_of(&keys) == keys_of(&window.rows));
        (codec, block[1], read.is_some())
    };
    assert_eq!(kind(&order), (TEXTS, V2, true));
    assert_eq!(kind(&backwards), (TEXTS, V2, true));
    assert_eq!(kind(&gaps), (TEXTS, V2, true));
    assert_eq!(kind(&far), (COLUMNS, V1, true));
    let items: Vec<u32> = order.iter().map(|n| n + 2_600).collect();
    assert_eq!(kind(&items), (TEXTS, V2, false), "a key has an item");
    let far: Vec<u32> = far.iter().map(|n| n + 2_600).collect();
    assert_eq!(kind(&far), (ITEMS, V1, false));
}

#[test]
fn wide_rows_are_cut_once_for_all() {
    let mut rows = Rows::new();
    let symbol = rows.intern_symbol(&"AAPL".parse().unwrap());
    let fields: Vec<Field> = (0..8).map(|n| Field::of(Series::Iv, &format!("field {n}"))).collect();
    let shape = rows.intern_shape(&fields);
    let mut noise = 1u64;
    for seq in 0..20_000u32 {
        let place = Place { seq, source: 0, line: seq, offset: 0, len: 3 };
        let value = |_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Value::from_json_number(&(noise >> 40).to_string())
        };
        let values: Vec<_> = (0..8).map(value).collect();
        rows.push(place, Series::Iv, Op::Put, symbol, Day(seq as i32), shape, values);
    }
    let window = Window { rows, ..Window::default() };
    let blocks = encode_blocks(&window, Codec::Columns).unwrap();
    assert!(blocks.iter().all(|block| block.len() <= MAX_VALUE));
    let mut back = Window::default();
    let events = |block: &Vec<u8>| decode_block(block, &mut back).unwrap().events;
    let events: Vec<u32> = blocks
        .iter()
        .map({
            let mut events = events;
            move |b| events(b)
        })
        .collect();
    assert_eq!((events[0], events.iter().sum::<u32>()), (1_024, 20_000));
    assert_eq!(canonical(&back), canonical(&window));
}

#[test]
fn blocks_of_long_texts_stay_below_the_engines_safe_size() {
    let mut long = Window::default();
    let mut noise = 1u64;
    for seq in 0..300 {
        let letter = |_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(33 + (noise >> 33) as u8 % 90)
        };
        let raw: String = (0..512).map(letter).collect();
        let (series, code, raw) = (Series::Iv, "invalid_date".into(), raw.into());
        let (line, offset) = (seq, 0);
        long.rejects.push(Reject { seq, source: 0, line, offset, len: 512, series, code, raw });
    }
    let blocks = encode_blocks(&long, Codec::Columns).unwrap();
    assert!(blocks.iter().all(|block| block.len() <= MAX_VALUE));
    let mut back = Window::default();
    blocks.iter().for_each(|block| drop(decode_block(block, &mut back).unwrap()));
    assert_eq!(canonical(&back), canonical(&long));
}

#[test]
fn blocks_of_texts_that_pack_well_can_be_read_back() {
    let mut rows = Rows::new();
    let symbol = rows.intern_symbol(&"AAPL".parse().unwrap());
    let shape = rows.intern_shape(&[Field::of(Series::Iv, "note")]);
    let text = |size: usize| Value::Text("x".repeat(size).into());
    for seq in 0..90u32 {
        let place = Place { seq, source: 0, line: seq, offset: 0, len: 3 };
        rows.push(place, Series::Iv, Op::Put, symbol, Day(seq as i32), shape, [text(1 << 20)]);
    }
    let window = Window { rows, ..Window::default() };
    let mut back = Window::default();
    let blocks = encode_blocks(&window, Codec::Columns).unwrap();
    blocks.iter().for_each(|block| drop(decode_block(block, &mut back).unwrap()));
    assert_eq!((blocks.len(), canonical(&back)), (2, canonical(&window)));
    let mut one = Window::default();
    let shape = one.rows.intern_shape(&[Field::of(Series::Iv, "note")]);
    let (symbol, place) = (
        one.rows.intern_symbol(&"A".parse().unwrap()),
        Place { seq: 0, source: 0, line: 0, offset: 0, len: 3 },
    );
    one.rows.push(place, Series::Iv, Op::Put, symbol, Day(1), shape, [text(MAX_BODY)]);
    let refused = encode_blocks(&one, Codec::Columns);
    assert!(matches!(refused, Err(LedgerError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn any_changed_byte_of_a_block_is_refused() {
    let mut small = Window::default();
    for row in window().rows.iter().take(20) {
        small.rows.push_row(row);
    }
    let block = encode_blocks(&small, Codec::Columns).unwrap().remove(0);
    for at in 0..block.len() {
        let mut bad = block.clone();
        bad[at] ^= 0x20;
        assert!(decode_block(&bad, &mut Window::default()).is_err(), "byte {at}");
    }
    for cut in 0..block.len() {
        assert!(decode_block(&block[..cut], &mut Window::default()).is_err());
    }
}
