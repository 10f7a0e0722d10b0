//! Writes one big synthetic CSV of many invented symbols, to measure imports with.
//!
//! Usage: `cargo run --release --example make_large_csv OUT SYMBOLS DAYS`. Symbols are `SYN00001`
//! and so on; every symbol has the last DAYS trading days up to 2025-10-31. The same arguments
//! give the same bytes.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use volledger::domain::Day;

#[path = "support/synthetic.rs"]
mod synthetic;
use synthetic::{Random, mean, push_hundredths, push_integer, trading_days};

const HEADER: &[u8] =
    b"Symbol,Date,IV30,IV30 20-Day MA,OHLC 20-Day Vol,OHLC 52-Week Vol,Options Volume\n";

/// Writes the rows of one symbol; volatilities are hundredths of a percent throughout.
fn write_symbol(out: &mut impl Write, number: u32, dates: &[String]) -> std::io::Result<()> {
    let mut random = Random::new(u64::from(number));
    let symbol = format!("SYN{number:05}");
    let level = 1_800 + random.below(5_000);
    let volume = 2_000 + random.below(400_000) as u32;
    let (mut iv, mut hv20, mut hv252) = (level, level * 9 / 10, level * 9 / 10);
    let mut recent = VecDeque::with_capacity(20);
    let mut row = Vec::with_capacity(96);
    for date in dates {
        iv += (level - iv) / 24 + (random.below(401) - 200) * iv / 8_000;
        if random.below(180) == 0 {
            iv += iv / 3;
        }
        iv = iv.clamp(900, 30_000);
        hv20 += (iv * 9 / 10 - hv20) / 12;
        hv252 += (hv20 - hv252) / 40;
        if recent.len() == 20 {
            recent.pop_front();
        }
        recent.push_back(iv);
        row.clear();
        row.extend(symbol.bytes());
        row.push(b',');
        row.extend(date.bytes());
        for value in [iv, mean(recent.make_contiguous()), hv20, hv252] {
            row.push(b',');
            push_hundredths(&mut row, value);
        }
        row.push(b',');
        push_integer(&mut row, random.below(volume) + 100);
        row.push(b'\n');
        out.write_all(&row)?;
    }
    Ok(())
}

/// Writes the whole file: `symbols` symbols of `days` trading days each.
pub fn write_csv(out: &mut impl Write, symbols: usize, days: usize) -> Result<(), Box<dyn Error>> {
    let last = Day::from_ymd(2025, 10, 31).ok_or("no such day")?;
    let dates: Vec<String> = trading_days(last, days).iter().map(Day::to_string).collect();
    out.write_all(HEADER)?;
    for number in 1..=u32::try_from(symbols)? {
        write_symbol(out, number, &dates)?;
    }
    Ok(out.flush()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: make_large_csv OUT SYMBOLS DAYS";
    let mut args = std::env::args().skip(1);
    let out = args.next().ok_or(usage)?;
    let symbols: usize = args.next().ok_or(usage)?.parse()?;
    let days: usize = args.next().ok_or(usage)?.parse()?;
    write_csv(&mut BufWriter::with_capacity(1 << 20, File::create(out)?), symbols, days)
}
