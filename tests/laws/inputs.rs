//! Random files, as text for the ledger and, independently of its readers, as the assertions that
//! they stand for.

use super::model::{Assert, Class, Event, Op};
use proptest::prelude::*;
use std::path::Path;
use volledger::app::Ledger;
use volledger::domain::{BatchId, Calendar, Day, Series, Value};

pub const SYMBOLS: [&str; 3] = ["AAA", "BB.B", "CCC"];
pub const DAYS: [&str; 7] = [
    "2023-12-27",
    "2023-12-28",
    "2023-12-29",
    "2023-12-31",
    "2024-01-02",
    "2024-01-03",
    "2024-01-05",
];
/// Percentages: equal in meaning, within a millionth, within three points, and beyond.
const PERCENTS: [&str; 6] = ["20.00", "20.0", "20.00004", "21.37", "23.00", "57.1"];
const VOLUMES: [&str; 3] = ["1200", "0", "7"];

/// A mapping of the user's own, which takes fractions for percentages.
pub const LOOSE: &str = "id = \"loose\"\nversion = 1\nseries = \"iv\"\ndescription = \"all\"\n\
[date]\nnames = [\"Date\"]\n[symbol]\nnames = [\"Symbol\"]\n\
[[column]]\nnames = [\"IV30\"]\nfield = \"atm_iv\"\nunit = \"percent\"\nneed = \"required\"\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mapping {
    Mc,
    Basic,
    Loose,
}

impl Mapping {
    pub fn id(self) -> &'static str {
        match self {
            Self::Mc => "mc-iv",
            Self::Basic => "mc-iv-basic",
            Self::Loose => "loose",
        }
    }

    pub fn class(self, view: Series) -> Class {
        match (self, view) {
            (Self::Mc, Series::Hv) => Class::Fill,
            _ => Class::Vendor,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Trouble {
    None,
    BadDate,
    NoIv,
    /// 0.2: a fraction, which only the loose mapping takes.
    Fraction,
    Future,
    Blank,
}

#[derive(Clone, Debug)]
pub struct CsvRow {
    trouble: Trouble,
    symbol: usize,
    day: usize,
    iv: usize,
    /// Per optional column: no value, a value, or a cell that is no number.
    cells: [Option<usize>; 4],
}

#[derive(Clone, Debug)]
pub struct CsvFile {
    /// The symbol of the whole file; `None` for a symbol column.
    pub symbol: Option<usize>,
    columns: [bool; 4],
    rows: Vec<CsvRow>,
}

const COLUMNS: [(&str, &str, Series); 4] = [
    ("IV30 20-Day MA", "iv30_ma20", Series::Iv),
    ("OHLC 20-Day Vol", "hv20", Series::Hv),
    ("OHLC 52-Week Vol", "hv252", Series::Hv),
    ("Options Volume", "options_volume", Series::Iv),
];

/// Two places to the left, digit by digit.
fn fraction(percent: &str) -> String {
    let (whole, rest) = percent.split_once('.').unwrap_or((percent, ""));
    let digits = format!("{whole:0>3}{rest}");
    let (whole, rest) = digits.split_at(digits.len() - rest.len() - 2);
    let whole = whole.trim_start_matches('0');
    format!("{}.{rest}", if whole.is_empty() { "0" } else { whole })
}

impl CsvFile {
    pub fn text(&self) -> String {
        let mut text = String::from("Date");
        if self.symbol.is_none() {
            text.push_str(",Symbol");
        }
        text.push_str(",IV30");
        for (name, wanted) in COLUMNS.iter().zip(self.columns) {
            if wanted {
                text.push(',');
                text.push_str(name.0);
            }
        }
        text.push('\n');
        for row in &self.rows {
            let blank = matches!(row.trouble, Trouble::Blank);
            text.push_str(match row.trouble {
                Trouble::Blank => "",
                Trouble::BadDate => "2023-02-30",
                Trouble::Future => "2031-01-02",
                _ => DAYS[row.day],
            });
            if self.symbol.is_none() {
                text.push(',');
                text.push_str(if blank { "" } else { SYMBOLS[row.symbol] });
            }
            text.push(',');
            text.push_str(match row.trouble {
                Trouble::Blank | Trouble::NoIv => "",
                Trouble::Fraction => "0.2",
                // One spelling that the reader's quick path leaves to the thorough one.
                _ if row.iv == 5 => "57.1%",
                _ => PERCENTS[row.iv],
            });
            for (index, wanted) in self.columns.into_iter().enumerate() {
                if wanted {
                    text.push(',');
                    text.push_str(match row.cells[index] {
                        _ if blank => "",
                        None => "",
                        Some(9) => "abc",
                        Some(value) if index == 3 => VOLUMES[value % 3],
                        Some(value) => PERCENTS[value],
                    });
                }
            }
            text.push('\n');
        }
        text
    }

    /// What the rows assert under a mapping; a rejected row is an event that asserts nothing.
    pub fn events(&self, mapping: Mapping) -> Vec<Event> {
        let mut events = Vec::new();
        for row in &self.rows {
            if matches!(row.trouble, Trouble::Blank) {
                continue;
            }
            let iv = match row.trouble {
                Trouble::None => Some(fraction(PERCENTS[row.iv])),
                Trouble::Fraction if mapping == Mapping::Loose => Some("0.002".into()),
                _ => None,
            };
            let mut asserts = Vec::new();
            if let Some(iv) = iv {
                let symbol = SYMBOLS[self.symbol.unwrap_or(row.symbol)];
                let mut put = |view, field: &str, value| {
                    asserts.push(Assert {
                        view,
                        symbol: symbol.into(),
                        day: DAYS[row.day].into(),
                        field: field.into(),
                        op: Op::Put(value),
                    });
                };
                put(Series::Iv, "atm_iv", iv);
                for (index, (_, field, view)) in COLUMNS.into_iter().enumerate() {
                    let cell = row.cells[index].filter(|value| *value != 9);
                    let Some(value) = cell.filter(|_| self.columns[index]) else {
                        continue;
                    };
                    let value = match index {
                        3 => VOLUMES[value % 3].to_owned(),
                        _ => fraction(PERCENTS[value]),
                    };
                    if mapping == Mapping::Mc {
                        put(view, field, value);
                    }
                }
            }
            events.push(Event { home: Series::Iv, asserts });
        }
        events
    }
}

pub fn csv_file() -> impl Strategy<Value = CsvFile> {
    let trouble = prop_oneof![
        16 => Just(Trouble::None),
        1 => Just(Trouble::BadDate),
        1 => Just(Trouble::NoIv),
        2 => Just(Trouble::Fraction),
        1 => Just(Trouble::Future),
        1 => Just(Trouble::Blank),
    ];
    let cell = || prop_oneof![2 => Just(None), 6 => (0..6usize).prop_map(Some), 1 => Just(Some(9))];
    let cells = [cell(), cell(), cell(), cell()];
    let row = (trouble, 0..3usize, 0..7usize, 0..6usize, cells);
    let row = row.prop_map(|(trouble, symbol, day, iv, cells)| CsvRow {
        trouble,
        symbol,
        day,
        iv,
        cells,
    });
    let symbol = prop_oneof![3 => (0..3usize).prop_map(Some), 1 => Just(None)];
    let columns = any::<[bool; 4]>();
    let rows = proptest::collection::vec(row, 0..7);
    (symbol, columns, rows).prop_map(|(symbol, columns, rows)| CsvFile { symbol, columns, rows })
}

/// Closes of as many sessions as the last ones need that are [`DAYS`].
pub fn closes() -> String {
    let last: Day = DAYS[6].parse().unwrap();
    let days = (0..last.0 + 1).rev().map(Day).filter(|day| Calendar::nyse().is_open(*day));
    let mut days: Vec<Day> = days.take(27).collect();
    days.reverse();
    let row = |(at, day): (usize, &Day)| format!("{day},{}\n", 110 + (at * 7) % 5);
    let rows: String = days.iter().enumerate().map(row).collect();
    format!("Date,Close\n{rows}")
}

/// What a batch asserts that the program made, or read of a file like no other.
pub fn events_of(ledger: &Ledger, id: BatchId) -> Vec<Event> {
    let (mut events, mut blocks) = (Vec::new(), ledger.read(id));
    while let Some(window) = blocks.next_window().unwrap() {
        for row in window.rows.iter() {
            let assert = |field: &str, op| Assert {
                view: row.head.series,
                symbol: row.symbol.to_string(),
                day: row.head.day.to_string(),
                field: field.into(),
                op,
            };
            let asserts = match row.head.op {
                volledger::domain::Op::Retract => {
                    row.shape.iter().map(|field| assert(field.name(), Op::Retract)).collect()
                }
                _ => {
                    let values = row.fields().filter_map(|(field, value)| Some((field, value?)));
                    let put = |value: Value| Op::Put(value.to_string());
                    values.map(|(field, value)| assert(field.name(), put(value))).collect()
                }
            };
            events.push((row.head.seq, Event { home: row.head.series, asserts }));
        }
    }
    events.sort_by_key(|(seq, _)| *seq);
    events.into_iter().map(|(_, event)| event).collect()
}

/// TOMIC's folders.
const DATASETS: [(&str, Series); 3] = [
    ("iv_daily_summary", Series::Iv),
    ("historical_volatility", Series::Hv),
    ("spot_prices", Series::Spot),
];
const KEYS: [[&str; 5]; 3] = [
    ["atm_iv", "skew", "odd key", "hv20", "a\"b"],
    ["hv20", "hv252", "close", "symbol", "dat\u{e9}"],
    ["close", "volume", "symbol", "other", "x"],
];
const VALUES: [&str; 8] =
    ["0.2000", "0.213", "null", "1e-05", "115.0", "\"text\"", "true", "{\"n\": [1, 2]}"];

#[derive(Clone, Debug)]
pub struct Record {
    /// 0 to 9: usable; 10 and more: some way of not being so.
    trouble: usize,
    day: usize,
    /// Where the date stands among the keys.
    place: usize,
    keys: Vec<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub struct Folder {
    /// Per dataset, and in it per symbol, a file or none.
    datasets: [Option<[Option<Vec<Record>>; 3]>; 3],
}

pub fn folder() -> impl Strategy<Value = Folder> {
    let keys = proptest::sample::subsequence(vec![0usize, 1, 2, 3, 4], 0..4).prop_shuffle();
    let keys = (keys, proptest::array::uniform5(0..8usize));
    let keys = keys.prop_map(|(keys, values)| keys.into_iter().zip(values).collect::<Vec<_>>());
    let record = (0..14usize, 0..7usize, 0..3usize, keys);
    let record =
        record.prop_map(|(trouble, day, place, keys)| Record { trouble, day, place, keys });
    let file = proptest::option::weighted(0.5, proptest::collection::vec(record, 0..5));
    let dataset = proptest::option::weighted(0.6, proptest::array::uniform3(file));
    proptest::array::uniform3(dataset).prop_map(|datasets| Folder { datasets })
}

impl Record {
    fn text(&self, dataset: usize, symbol: &str) -> String {
        let mut parts: Vec<String> = self
            .keys
            .iter()
            .map(|(key, value)| {
                let name = KEYS[dataset][*key];
                // Half of the symbols in the spot files are the file's own.
                let own = name == "symbol" && value % 2 == 0;
                let value = match own {
                    true => format!("\"{symbol}\""),
                    false => VALUES[*value].to_owned(),
                };
                format!("{}: {value}", serde_json::Value::from(name))
            })
            .collect();
        let date = match self.trouble {
            10 => "\"2023-02-30\"".to_owned(),
            11 => "null".to_owned(),
            _ => format!("\"{}\"", DAYS[self.day]),
        };
        let place = self.place.min(parts.len());
        parts.insert(place, format!("\"date\": {date}"));
        match self.trouble {
            12 => format!("[{place}]"),
            13 => format!("{{{}, \"date\": {date}}}", parts.join(",")),
            _ => format!("{{ {} }}", parts.join(" , ")),
        }
    }

    fn event(&self, dataset: usize, symbol: &str) -> Event {
        let view = DATASETS[dataset].1;
        let mut asserts = Vec::new();
        if self.trouble < 10 {
            let mut put = |field: &str, value: &str| {
                asserts.push(Assert {
                    view,
                    symbol: symbol.into(),
                    day: DAYS[self.day].into(),
                    field: field.into(),
                    op: Op::Put(value.to_owned()),
                });
            };
            // That the record is there is an assertion too.
            put("", "");
            for (key, value) in &self.keys {
                let name = KEYS[dataset][*key];
                match name == "symbol" && value % 2 == 0 {
                    // In a spot record the own symbol is only a place.
                    true if dataset == 2 => {}
                    true => put(name, &format!("\"{symbol}\"")),
                    false => {
                        let value: serde_json::Value =
                            serde_json::from_str(VALUES[*value]).unwrap();
                        put(name, &value.to_string());
                    }
                }
            }
        }
        Event { home: view, asserts }
    }
}

impl Folder {
    /// Whether there is nothing to read: such a folder is refused.
    pub fn is_empty(&self) -> bool {
        self.files().is_empty()
    }

    pub fn views(&self) -> Vec<Series> {
        let present = self.datasets.iter().zip(DATASETS);
        present.filter(|(set, _)| set.is_some()).map(|(_, (_, view))| view).collect()
    }

    /// The files' names and texts, in the order of reading.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for (index, set) in self.datasets.iter().enumerate() {
            for (symbol, file) in SYMBOLS.iter().zip(set.iter().flatten()) {
                if let Some(records) = file {
                    let items: Vec<_> = records.iter().map(|r| r.text(index, symbol)).collect();
                    let name = format!("{}/{symbol}.json", DATASETS[index].0);
                    files.push((name, format!("[{}]", items.join(",\n"))));
                }
            }
        }
        files
    }

    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (index, set) in self.datasets.iter().enumerate() {
            for (symbol, file) in SYMBOLS.iter().zip(set.iter().flatten()) {
                let records = file.iter().flatten();
                events.extend(records.map(|record| record.event(index, symbol)));
            }
        }
        events
    }

    /// Writes the folder; its name is always the same, since a listing is kept under it.
    pub fn write(&self, dir: &Path) {
        let _ = std::fs::remove_dir_all(dir);
        for (set, (name, _)) in self.datasets.iter().zip(DATASETS) {
            if set.is_some() {
                std::fs::create_dir_all(dir.join(name)).unwrap();
            }
        }
        std::fs::create_dir_all(dir).unwrap();
        for (name, text) in self.files() {
            std::fs::write(dir.join(name), text).unwrap();
        }
    }
}
