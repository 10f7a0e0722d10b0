//! Telling by its content what a file holds: no name is trusted.

use super::chain_columns;
use super::flat::FlatKind;
use super::keys::Clock;
use super::stream::{Blind, unpacked};
use super::times::ms_of_ns;
use crate::sources::Limits;
use crate::sources::csv::few;
use crate::sources::csv::records::{Records, Stop};
use std::io::{self, Read};

/// What a file was recognised as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// A flat file; daily bars of options are [`FlatKind::OptionDays`].
    Flat(FlatKind),
    /// A table of an option chain.
    Chain,
    /// Neither, with the reason.
    Other(String),
}

/// Rows that are looked at. An index has bars at night, so one row at midnight proves nothing.
const ROWS: usize = 1_000;

/// Looks at the header and the first rows of a file, packed or not.
///
/// # Errors
/// An input that cannot be read, a gzip stream that is broken so early.
pub fn recognise(input: impl Read) -> io::Result<Recognised> {
    let mut input = unpacked(input)?;
    let mut blind = Blind;
    let other = |text: &str| Ok(Recognised::Other(text.to_owned()));
    let mut records = match Records::new(&mut input, &mut blind, b',', 0, Limits::default()) {
        Ok(records) => records,
        Err(Stop::Io(error)) => return Err(error),
        Err(_) => return other("the file is too large"),
    };
    let (names, line): (Vec<String>, String) = match records.next() {
        Ok(Some(header)) => {
            let names = header.cells().map(|cell| chain_columns::normal(&cell)).collect();
            (names, String::from_utf8_lossy(header.bytes).into_owned())
        }
        Ok(None) => return other("the file is empty"),
        Err(Stop::Io(error)) => return Err(error),
        Err(_) => return other("the first line is no header"),
    };
    let place = |name: &str| names.iter().position(|known| known == name);
    let Some((ticker, start)) = place("ticker").zip(place("window_start")) else {
        return Ok(match chain_columns::is_chain(&names) {
            true => Recognised::Chain,
            false => Recognised::Other(neither(&names, &line)),
        });
    };
    let mut seen = Seen::default();
    let mut clock = Clock::default();
    while seen.rows < ROWS {
        let record = match records.next() {
            Ok(Some(record)) => record,
            // Not an error here: the reading meets it again and says where it is.
            Ok(None) | Err(_) => break,
        };
        let (ticker, start) = (record.cell(ticker), record.cell(start));
        let text = |cell| std::str::from_utf8(cell).unwrap_or_default();
        let Some(ms) = ms_of_ns(text(&start)) else { continue };
        seen.rows += 1;
        seen.midnights += usize::from(clock.is_midnight(ms) == Ok(true));
        seen.options += usize::from(ticker.starts_with(b"O:"));
        seen.indices += usize::from(ticker.starts_with(b"I:"));
    }
    Ok(match seen.kind() {
        Some(kind) => Recognised::Flat(kind),
        None => Recognised::Other("no row of the file has a time in `window_start`".into()),
    })
}

/// Separators that are not read here.
const OTHERS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "pipes")];

/// Why a file is neither, by the names in its first line.
fn neither(names: &[String], line: &str) -> String {
    for (mark, words) in OTHERS {
        let cells = line.split(mark).map(|cell| cell.trim().trim_matches('"'));
        let cells: Vec<String> = cells.map(|cell| chain_columns::normal(cell.as_bytes())).collect();
        let flat = ["ticker", "window_start"].iter().all(|name| cells.iter().any(|c| c == name));
        if flat || chain_columns::is_chain(&cells) {
            return format!(
                "its columns stand between {words}, and only commas are read here: save it with commas"
            );
        }
    }
    format!(
        "the file is neither a flat file (columns ticker, open, close, high, low, window_start) nor a \
         table of an option chain ({}); its first line has {}",
        chain_columns::needed(),
        few(names)
    )
}

/// What the first rows are like.
#[derive(Default)]
struct Seen {
    rows: usize,
    midnights: usize,
    options: usize,
    indices: usize,
}

impl Seen {
    /// What most of the rows are.
    fn kind(&self) -> Option<FlatKind> {
        let most = |count: usize| count * 2 > self.rows;
        let daily = most(self.midnights);
        (self.rows > 0).then_some(match (most(self.options), most(self.indices)) {
            (true, _) if daily => FlatKind::OptionDays,
            (true, _) => FlatKind::OptionMinutes,
            (_, true) if daily => FlatKind::IndexDays,
            (_, true) => FlatKind::IndexMinutes,
            _ if daily => FlatKind::StockDays,
            _ => FlatKind::StockMinutes,
        })
    }
}
