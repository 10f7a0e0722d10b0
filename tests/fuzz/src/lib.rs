//! What is fuzzed: everything that reads bytes from outside or from the disk. Each target is a
//! plain function; it must not panic, hang or take memory that the input does not pay for, and
//! what it accepts must agree with itself.

pub mod seeds;
pub mod wire;

use std::io::Cursor;
use volledger::app::Ledger;
use volledger::app::import::with_events;
use volledger::app::rules::RuleSet;
use volledger::app::sql::Metrics;
use volledger::domain::{Calendar, Collector, Day, Digest, Series, Window};
use volledger::ledger::note::{Note, VerifierKey};
use volledger::ledger::proof::{Checkpoint, Proof};
use volledger::ledger::{bundle, canon, codec};
use volledger::sources::csv::{CsvOptions, SymbolFrom, read_csv, read_csv_once};
use volledger::sources::polygon::{
    ChainTable, Endpoint, FlatKind, FlatPage, Page, envelope, read_chain_table, read_flat,
    read_page, recognise,
};
use volledger::sources::{Limits, Mapping, ReadError, ReadSummary, tomic};

/// 2025-12-13.
const AS_OF: Day = Day(20_435);
const OBSERVED_MS: i64 = 1_765_627_200_000;

/// Small limits are met by small inputs.
const LIMITS: Limits = Limits { line_bytes: 2_048, fields: 64, file_bytes: 1 << 20 };

/// Hands the rest over with the first byte as a number.
fn choice(data: &[u8]) -> Option<(usize, &[u8])> {
    data.split_first().map(|(first, rest)| (usize::from(*first), rest))
}

/// Reads with a collector; returns how many events came out of it. What was read can be stored and
/// read again.
fn events<T>(read: impl FnOnce(&mut Collector<'_, ()>) -> T) -> (u64, T) {
    let mut count = 0;
    let mut flush = |window: &mut Window| {
        count += window.len() as u64;
        stored(window);
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let found = read(&mut out);
    out.finish().expect("the receiver never fails");
    (count, found)
}

/// What a window holds comes back from its blocks, and from its events' canonical bytes.
fn stored(window: &Window) {
    for form in [codec::Codec::Columns, codec::Codec::Plain] {
        let blocks = codec::encode_blocks(window, form).expect("it can be stored");
        let mut again = Window::default();
        for block in &blocks {
            codec::decode_block(block, &mut again).expect("what was stored can be read");
        }
        assert_eq!(again.len(), window.len());
    }
    let mut bytes = Vec::new();
    for row in window.rows.iter() {
        bytes.clear();
        canon::put_row(&mut bytes, row);
        let mut one = Window::default();
        canon::read_event(row.head.seq, &bytes, &mut one.rows, &mut one.rejects)
            .expect("canonical");
        let mut twice = Vec::new();
        one.rows.iter().for_each(|row| canon::put_row(&mut twice, row));
        assert_eq!(bytes, twice);
    }
}

/// Rows and events agree, unless the file was refused.
fn agrees(summary: &ReadSummary, count: u64) {
    if summary.fatal.is_none() {
        assert_eq!(summary.rows.accepted + summary.rows.rejected, count, "{summary:?}");
    }
}

/// A CSV file, through one of the bundled mappings.
pub fn csv(data: &[u8]) {
    let Some((first, text)) = choice(data) else { return };
    let ids: Vec<&str> = Mapping::bundled_ids().collect();
    let mapping = Mapping::bundled(ids[first % ids.len()]).expect("it is bundled");
    let column = first >= 128 && mapping.has_symbol_column();
    let symbol = match column {
        true => SymbolFrom::Column,
        false => SymbolFrom::Given("VOLA".parse().expect("a symbol")),
    };
    let options = CsvOptions {
        mapping: &mapping,
        symbol,
        source: 0,
        as_of: AS_OF,
        calendar: Calendar::nyse(),
        limits: LIMITS,
        progress: &|_| {},
        seen: &|_| {},
    };
    let (count, read) = events(|out| read_csv(&mut Cursor::new(text), &options, out));
    let read = read.expect("memory can be read");
    agrees(&read, count);
    // One pass finds what two find, or says that it cannot.
    let (events, once) = events(|out| read_csv_once(&mut Cursor::new(text), &options, out));
    match once {
        Ok(once) => assert_eq!((once, events), (read, count)),
        Err(error) => assert!(matches!(error, ReadError::NotAsPresumed)),
    }
}

/// A mapping file.
pub fn mapping(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(mapping) = Mapping::parse(text) {
        assert_eq!(mapping.text(), text);
        let csv = b"Date,Symbol,IV30,Close\n2024-01-02,VOLA,12.5,10\n2024-01-03,VOLA,,\n";
        let options = CsvOptions {
            mapping: &mapping,
            symbol: SymbolFrom::Given("VOLA".parse().expect("a symbol")),
            source: 0,
            as_of: AS_OF,
            calendar: Calendar::nyse(),
            limits: LIMITS,
            progress: &|_| {},
            seen: &|_| {},
        };
        let (count, read) = events(|out| read_csv(&mut Cursor::new(csv), &options, out));
        agrees(&read.expect("memory can be read"), count);
    }
}

const ENDPOINTS: [Endpoint; 17] = [
    Endpoint::Aggs,
    Endpoint::Previous,
    Endpoint::Grouped,
    Endpoint::OpenClose,
    Endpoint::Contracts,
    Endpoint::Contract,
    Endpoint::Chain,
    Endpoint::ChainContract,
    Endpoint::Snapshot,
    Endpoint::Indices,
    Endpoint::News,
    Endpoint::Splits,
    Endpoint::Dividends,
    Endpoint::Holidays,
    Endpoint::MarketStatus,
    Endpoint::Tickers,
    Endpoint::Ticker,
];

/// An answer of the service, or a TOMIC file.
pub fn bodies(data: &[u8]) {
    let Some((first, body)) = choice(data) else { return };
    let symbol = "VOLA".parse().expect("a symbol");
    let Some(endpoint) = ENDPOINTS.get(first % (ENDPOINTS.len() + 1)) else {
        let options =
            tomic::JsonOptions { as_of: AS_OF, calendar: Calendar::nyse(), limits: LIMITS };
        let series = if first < 128 { Series::Iv } else { Series::Spot };
        let (count, read) = events(|out| tomic::read_json(body, series, &symbol, 0, &options, out));
        agrees(&read.expect("the receiver never fails"), count);
        return;
    };
    let _ = envelope(*endpoint, body);
    let bars = first >= 128 && *endpoint == Endpoint::Aggs;
    let page = Page {
        endpoint: *endpoint,
        series: if bars { Series::Bars } else { endpoint.series() },
        symbol: Some(symbol),
        only: Vec::new(),
        timespan: if bars { "1minute".into() } else { String::new() },
        range: None,
        as_of: AS_OF,
        observed_ms: OBSERVED_MS,
        source: 0,
    };
    let (count, read) = events(|out| read_page(body, &page, out));
    let rows = read.expect("the receiver never fails").rows;
    assert_eq!(rows.accepted + rows.rejected, count, "{rows:?}");
}

/// A flat file or a table of an option chain, packed or not.
pub fn flat(data: &[u8]) {
    let Some((first, file)) = choice(data) else { return };
    let _ = recognise(file);
    let kinds = [
        FlatKind::StockDays,
        FlatKind::StockMinutes,
        FlatKind::OptionDays,
        FlatKind::OptionChain,
        FlatKind::OptionMinutes,
        FlatKind::IndexDays,
        FlatKind::IndexMinutes,
    ];
    let (count, read) = match kinds.get(first % 8) {
        Some(kind) => {
            let page = FlatPage {
                kind: *kind,
                range: None,
                observed_ms: OBSERVED_MS,
                source: 0,
                limits: LIMITS,
            };
            events(|out| read_flat(file, &page, out))
        }
        None => {
            let page = ChainTable {
                symbol: Some("VOLA".parse().expect("a symbol")),
                day: Some(AS_OF),
                observed_ms: OBSERVED_MS,
                source: 0,
                limits: LIMITS,
            };
            events(|out| read_chain_table(file, &page, out))
        }
    };
    // A gzip stream that is broken is an error.
    if let Ok(summary) = read {
        agrees(&summary, count);
    }
}

/// What is stored of batches and views; also with seals that fit, which a change breaks.
pub fn blocks(data: &[u8]) {
    let Some((first, bytes)) = choice(data) else { return };
    match first % 16 {
        0 => block(bytes),
        1 => block(&wire::sealed(bytes)),
        2 => drop(codec::decode_manifest(bytes)),
        3 => drop(codec::decode_kept(bytes)),
        4 => chunk(bytes),
        5 => {
            drop(codec::decode_directory(bytes));
            if let Ok(periods) = codec::decode_periods(bytes) {
                let again = codec::encode_periods(&periods).expect("they were decoded");
                assert_eq!(codec::decode_periods(&again).ok(), Some(periods));
            }
            // Where a root is one, its position is its beginning.
            if let Ok((position, _)) = codec::decode_root(bytes) {
                assert_eq!(codec::decode_root_position(bytes).ok(), Some(position));
            }
        }
        6 => {
            drop(codec::decode_table_root(bytes));
            drop(codec::decode_table(bytes, &Digest::default()));
        }
        // The rest: how many events there are said to be, and what was packed.
        kind => {
            let Some((count, raw)) = bytes.split_first_chunk() else { return };
            let count = u32::from_le_bytes(*count);
            match kind {
                7 => block(&wire::block(count, 1, 1, raw)),
                8 => block(&wire::block(count, 1, 2, raw)),
                9 => block(&wire::block(count, 0, 1, raw)),
                10 => chunk(&wire::chunk(b'C', count, raw)),
                11 => chunk(&wire::chunk(b'I', count, raw)),
                12 => chunk(&wire::chunk_v2(count, raw, false)),
                13 => chunk(&wire::chunk_v2(count, raw, true)),
                14 => block(&wire::block(count, 1, 4, raw)),
                _ => block(&wire::block(count, 1, 5, raw)),
            }
        }
    }
}

fn block(bytes: &[u8]) {
    let header = codec::read_header(bytes);
    let mut window = Window::default();
    let decoded = codec::decode_block(bytes, &mut window);
    if let Ok(decoded) = &decoded {
        assert_eq!(header.as_ref().ok().map(|header| header.events), Some(decoded.events));
        assert_eq!(window.len(), decoded.events as usize);
        let mut out = Vec::new();
        window.rows.iter().for_each(|row| canon::put_row(&mut out, row));
        window.rejects.iter().for_each(|reject| canon::put_reject(&mut out, reject));
    }
    let mut keys = volledger::domain::Rows::new();
    if let (Ok(Some(())), Ok(_)) = (codec::decode_keys(bytes, &mut keys), decoded) {
        assert_eq!(keys.len(), window.rows.len());
    }
}

fn chunk(bytes: &[u8]) {
    if let Ok((rows, batches)) = codec::decode_chunk(bytes) {
        assert_eq!(rows.len(), batches.len());
        let mut out = Vec::new();
        rows.iter().for_each(|row| canon::put_row(&mut out, row));
    }
}

/// Entries of the control log, and events in their canonical bytes.
pub fn entries(data: &[u8]) {
    let Some((first, bytes)) = choice(data) else { return };
    if first % 2 == 0 {
        if let Ok(entry) = codec::decode_entry(bytes) {
            let again = codec::encode_entry(&entry).expect("what was read can be written");
            assert_eq!(codec::decode_entry(&again).expect("and read"), entry);
        }
        return;
    }
    let mut window = Window::default();
    if canon::read_event(0, bytes, &mut window.rows, &mut window.rejects).is_ok() {
        let mut again = Vec::new();
        window.rows.iter().for_each(|row| canon::put_row(&mut again, row));
        window.rejects.iter().for_each(|reject| canon::put_reject(&mut again, reject));
        // One event has one spelling, or two rows could be proven for one.
        assert_eq!(bytes, again);
    }
}

/// A bundle of one batch, as it is and with checksums and seals that fit.
pub fn bundle(data: &[u8]) {
    for bytes in [data, &wire::mended(data)] {
        let mut ledger = Ledger::in_memory();
        let _ = with_events(&mut ledger, false, |target, writer| {
            bundle::read_batch(&mut &*bytes, target, writer, 0)?;
            Ok(())
        });
        assert_eq!(ledger.position().0, 0);
    }
}

/// The key of the seeds.
pub const KEY_NAME: &str = "fuzz.example/log";

/// Keys, notes, checkpoints and proofs.
pub fn proofs(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The first line may be the key.
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let key = VerifierKey::parse(line);
    for text in [text, rest] {
        if let Ok(note) = Note::parse(text) {
            assert_eq!(note.to_string(), text);
            if let Ok(checkpoint) = Checkpoint::unverified(&note) {
                assert_eq!(checkpoint.text(), format!("{}", note.unverified()));
            }
            if let Ok(key) = &key {
                let _ = Checkpoint::verified(&note, key);
            }
        }
        if let Ok(proof) = Proof::parse(text) {
            assert_eq!(proof.text().expect("what was read can be written"), text);
            if let Ok(key) = &key {
                let _ = proof.check(key);
            }
        }
    }
}

/// A condition of `screen` or of a rule.
pub fn conditions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lower = text.to_ascii_lowercase();
    // A query may take as long as it likes; that is its writer's business.
    if text.len() > 300 || lower.contains("recursive") || lower.matches("join").count() > 1 {
        return;
    }
    let row = |text: &str| serde_json_row(text);
    let rows = [row(r#"{"symbol":"VOLA","atm_iv":"0.5","n":3}"#), row(r#"{"symbol":"VOLB"}"#)];
    let metrics = Metrics::new(&["symbol", "atm_iv", "n"], &rows).expect("a table in memory");
    if let Ok(found) = metrics.holding(text) {
        assert!(found.len() <= rows.len() && found.iter().all(|row| *row < rows.len()));
    }
}

fn serde_json_row(text: &str) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_str(text).expect("JSON of our own")
}

/// A file of rules.
pub fn rules(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = RuleSet::parse("fuzzed", text);
}

/// Words of the command line and of settings.
pub fn words(data: &[u8]) {
    use volledger::domain::projection::ProjectionName;
    use volledger::domain::{BatchId, EventId, Position, Symbol};
    let Some((first, rest)) = choice(data) else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match first % 8 {
        0 => drop(text.parse::<Day>().map(|day| assert_eq!(day.to_string().parse(), Ok(day)))),
        1 => drop(text.parse::<Symbol>().map(|one| assert!(Symbol::exact(one.as_str()).is_ok()))),
        2 => drop(text.parse::<ProjectionName>()),
        3 => drop(text.parse::<BatchId>()),
        4 => drop(text.parse::<EventId>()),
        5 => drop(text.parse::<Position>()),
        6 => drop(text.parse::<volledger::domain::occ::Contract>()),
        _ => drop(volledger::app::lookup::position_of(&Ledger::in_memory(), text)),
    }
}

/// A target's name and function.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("blocks", blocks),
    ("bodies", bodies),
    ("bundle", bundle),
    ("conditions", conditions),
    ("csv", csv),
    ("entries", entries),
    ("flat", flat),
    ("mapping", mapping),
    ("proofs", proofs),
    ("rules", rules),
    ("words", words),
];
