//! What all the stores load: the rows of the generated CSV, read with the `csv` crate into typed
//! values; and the files themselves.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use volledger::domain::Day;

/// A row as a database would hold it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub symbol: String,
    /// Days since 1970.
    pub day: i32,
    /// `atm_iv`, `iv30_ma20`, `hv20`, `hv252` in percent, as the file has them.
    pub values: [f64; 4],
    pub volume: i64,
    /// Which file of the load it came from, and the number of its row there.
    pub batch: u32,
    pub number: u32,
}

/// Bytes of a row in its fixed form.
pub const WIDTH: usize = 68;

impl Row {
    /// A fixed form: what a bare file and a key-value store hold.
    pub fn bytes(&self) -> [u8; WIDTH] {
        let mut out = [0; WIDTH];
        let symbol = self.symbol.as_bytes();
        let (head, tail) = out.split_at_mut(16);
        head[0] = symbol.len() as u8;
        head[1..=symbol.len()].copy_from_slice(symbol);
        tail[0..4].copy_from_slice(&self.day.to_le_bytes());
        for (place, value) in tail[4..36].chunks_exact_mut(8).zip(self.values) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        tail[36..44].copy_from_slice(&self.volume.to_le_bytes());
        tail[44..48].copy_from_slice(&self.batch.to_le_bytes());
        tail[48..52].copy_from_slice(&self.number.to_le_bytes());
        out
    }

    /// Reads the fixed form into what is there.
    pub fn read(&mut self, bytes: &[u8]) {
        let four = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap();
        let eight = |at: usize| <[u8; 8]>::try_from(&bytes[at..at + 8]).unwrap();
        let length = usize::from(bytes[0]);
        self.symbol.clear();
        self.symbol.push_str(std::str::from_utf8(&bytes[1..=length]).unwrap());
        self.day = i32::from_le_bytes(four(16));
        for (i, value) in self.values.iter_mut().enumerate() {
            *value = f64::from_le_bytes(eight(20 + i * 8));
        }
        self.volume = i64::from_le_bytes(eight(52));
        self.batch = u32::from_le_bytes(four(60));
        self.number = u32::from_le_bytes(four(64));
    }
}

fn number<T: std::str::FromStr>(field: &[u8]) -> T
where
    T::Err: std::fmt::Debug,
{
    std::str::from_utf8(field).unwrap().parse().unwrap()
}

/// Hands every row of the files over, with its values read.
pub fn each(files: &[PathBuf], take: &mut dyn FnMut(&Row)) {
    let mut row = Row::default();
    let mut record = csv::ByteRecord::new();
    for (batch, file) in (0..).zip(files) {
        let mut reader =
            csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_path(file).unwrap();
        (row.batch, row.number) = (batch, 0);
        while reader.read_byte_record(&mut record).unwrap() {
            row.symbol.clear();
            row.symbol.push_str(std::str::from_utf8(&record[0]).unwrap());
            let date = &record[1];
            let day = Day::from_ymd(number(&date[..4]), number(&date[5..7]), number(&date[8..]));
            row.day = day.unwrap().0;
            for (i, value) in row.values.iter_mut().enumerate() {
                *value = number(&record[2 + i]);
            }
            row.volume = number(&record[6]);
            row.number += 1;
            take(&row);
        }
    }
}

/// A row as the fold keeps it: day, place in the log, values, volume.
type Kept = (i32, u64, [f64; 4], i64);

/// The latest row of each symbol and day, gathered per symbol: the fold of a log of rows.
#[derive(Default)]
pub struct Latest {
    symbols: std::collections::HashMap<String, Vec<Kept>>,
    seen: u64,
}

impl Latest {
    pub fn take(&mut self, row: &Row) {
        let value = (row.day, self.seen, row.values, row.volume);
        self.seen += 1;
        match self.symbols.get_mut(&row.symbol) {
            Some(days) => days.push(value),
            None => {
                self.symbols.insert(row.symbol.clone(), vec![value]);
            }
        }
    }

    /// How many days of how many symbols there are.
    pub fn finish(mut self) -> u64 {
        let mut count = 0;
        for days in self.symbols.values_mut() {
            if !days.is_sorted_by_key(|day| day.0) {
                days.sort_by_key(|day| (day.0, day.1));
            }
            days.reverse(); // the last of equal days stays
            days.dedup_by_key(|day| day.0);
            count += std::hint::black_box(days).len() as u64;
        }
        count
    }
}

/// Cuts a CSV into files of the same number of rows, each with its header.
pub fn cut(csv: &Path, folder: &Path, parts: usize, rows: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let mut lines = BufReader::with_capacity(1 << 20, File::open(csv).unwrap()).split(b'\n');
    let header = lines.next().unwrap().unwrap();
    for part in 0..parts {
        let file = File::create(folder.join(format!("part-{part:03}.csv"))).unwrap();
        let mut out = BufWriter::with_capacity(1 << 20, file);
        out.write_all(&header).unwrap();
        out.write_all(b"\n").unwrap();
        for line in lines.by_ref().take(rows / parts) {
            out.write_all(&line.unwrap()).unwrap();
            out.write_all(b"\n").unwrap();
        }
        out.flush().unwrap();
    }
}

/// The newest `days` days of every symbol, with another IV: a vendor's restatement.
pub fn restate(csv: &Path, out: &Path, all: usize, days: usize) {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(csv).unwrap()).split(b'\n');
    let mut out = BufWriter::new(File::create(out).unwrap());
    out.write_all(&lines.next().unwrap().unwrap()).unwrap();
    for (index, line) in lines.enumerate() {
        if index % all >= all - days {
            let line = String::from_utf8(line.unwrap()).unwrap();
            let mut fields: Vec<&str> = line.split(',').collect();
            let raised = format!("{:.2}", fields[2].parse::<f64>().unwrap() + 1.0);
            fields[2] = &raised;
            out.write_all(b"\n").unwrap();
            out.write_all(fields.join(",").as_bytes()).unwrap();
        }
    }
    out.write_all(b"\n").unwrap();
}
