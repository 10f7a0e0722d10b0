//! Writes `data/sample/`: three invented symbols, three years, and files with known mistakes.
//!
//! Usage: `cargo run --example make_sample_data [DIR]`. The same program gives the same bytes
//! everywhere; a test compares them with the files in the repository.

use std::error::Error;
use std::fs;
use std::path::Path;
use volledger::domain::Day;

#[path = "support/synthetic.rs"]
mod synthetic;
use synthetic::{Random, mean, push_hundredths, push_integer, trading_days};

const IV_HEADER: &str =
    "Date,IV30,IV30 20-Day MA,OHLC 20-Day Vol,OHLC 52-Week Vol,Options Volume\n";
const SPOT_HEADER: &str = "Date,Open,High,Low,Close,Volume\n";
const HV_HEADER: &str = "Date,HV20,HV30,HV90,HV252\n";

/// Trading days before the first written one, so that every average has its history.
const WARM_UP: usize = 252;
/// Trading days from 2022-01-03 to 2024-12-31.
const WRITTEN: usize = 753;
/// How many of its last days the bad backfill has wrong.
const WRONG_DAYS: usize = 60;

/// What one invented symbol is like.
struct Profile {
    symbol: &'static str,
    seed: u64,
    price_cents: i64,
    /// The level that implied volatility returns to, in percent.
    mean_iv: f64,
    /// The first session that reacts to earnings, in trading days from the start, then every 63;
    /// none for a fund.
    earnings: Option<usize>,
    /// When its announcements are made: `AMC`, the evening before that session, or `BMO`.
    timing: &'static str,
    /// What its options ask for the next announcement, in its mean past reactions.
    dear: f64,
    shares_a_day: i64,
}

const PROFILES: [Profile; 3] = [
    Profile {
        symbol: "VOLA",
        seed: 11,
        price_cents: 8_415,
        mean_iv: 62.0,
        earnings: Some(41),
        timing: "AMC",
        dear: 1.06,
        shares_a_day: 9_400_000,
    },
    Profile {
        symbol: "VOLB",
        seed: 23,
        price_cents: 4_160,
        mean_iv: 34.0,
        earnings: Some(24),
        timing: "BMO",
        dear: 1.7,
        shares_a_day: 3_100_000,
    },
    Profile {
        symbol: "VOLC",
        seed: 37,
        price_cents: 21_230,
        mean_iv: 18.5,
        earnings: None,
        timing: "",
        dear: 1.0,
        shares_a_day: 41_000_000,
    },
];

/// One day of one symbol; prices in cents, volatilities in hundredths of a percent.
struct Bar {
    day: Day,
    open: i64,
    high: i64,
    low: i64,
    close: i64,
    volume: i64,
    iv: i64,
    options: i64,
}

/// Roughly standard normal: the sum of twelve uniform numbers, without a logarithm.
fn normal(random: &mut Random) -> f64 {
    let sum: f64 = (0..12).map(|_| f64::from(random.next())).sum();
    sum / 4_294_967_296.0 - 6.0
}

fn cents(value: f64) -> i64 {
    (value.round() as i64).max(1)
}

/// The natural logarithm of `b / a` for prices that lie near each other.
fn log_ratio(a: i64, b: i64) -> f64 {
    let x = (b - a) as f64 / (b + a) as f64;
    let mut power = x;
    let mut sum = 0.0;
    for odd in (1..40).step_by(2) {
        sum += power / f64::from(odd);
        power *= x * x;
    }
    2.0 * sum
}

/// The made-up history of a symbol: implied volatility returns to its level, jumps with the
/// market and before earnings; prices move by somewhat less than it implies.
fn history(profile: &Profile, days: &[Day]) -> Vec<Bar> {
    let mut market = Random::new(2022); // the same stream for every symbol: they move together
    let mut own = Random::new(profile.seed);
    let (mut level, mut last) = (profile.mean_iv, profile.price_cents);
    let mut bars = Vec::with_capacity(days.len());
    for (index, &day) in days.iter().enumerate() {
        let common = normal(&mut market);
        let jump = market.below(170) == 0;
        let size = market.below(100) as f64 / 100.0;
        let to_earnings = profile.earnings.map(|first| (63 + first % 63 - index % 63) % 63);
        let daily = level / 100.0 / 252f64.sqrt() * 0.9;
        let shock = 0.55 * common + 0.835 * normal(&mut own);
        let mut move_today = 0.0003 + daily * shock;
        level += 0.045 * (profile.mean_iv - level);
        level *= 1.0 - 0.016 * shock + 0.017 * normal(&mut own);
        if jump {
            level *= 1.25 + 0.35 * size;
            move_today -= daily * (1.5 + size);
        }
        let surprise = normal(&mut own);
        if to_earnings == Some(0) {
            move_today += daily * 2.5 * surprise;
        }
        level = level.clamp(profile.mean_iv * 0.55, profile.mean_iv * 2.6);
        let before_earnings = match to_earnings {
            Some(left @ 1..=12) => profile.mean_iv * 0.02 * (13 - left) as f64,
            _ => 0.0,
        };
        let iv = level + before_earnings + 0.004 * profile.mean_iv * normal(&mut own);
        let price = last as f64;
        let close = cents(price * (1.0 + move_today.clamp(-0.25, 0.25)));
        let open = cents(price * (1.0 + 0.3 * daily * normal(&mut own)));
        let above = 1.0 + 0.45 * daily * normal(&mut own).abs();
        let below = 1.0 - 0.45 * daily * normal(&mut own).abs();
        let busy = 0.7 + 14.0 * move_today.abs() + own.below(50) as f64 / 100.0;
        bars.push(Bar {
            day,
            open,
            high: cents(open.max(close) as f64 * above),
            low: cents(open.min(close) as f64 * below),
            close,
            volume: (profile.shares_a_day as f64 * busy) as i64,
            iv: cents(iv * 100.0),
            options: (profile.shares_a_day as f64 * busy / 41.0) as i64 + own.below(900),
        });
        last = close;
    }
    bars
}

/// Yearly volatility in hundredths of a percent from a daily variance.
fn yearly(variance: f64) -> i64 {
    ((variance * 252.0).sqrt() * 10_000.0).round() as i64
}

/// Close-to-close volatility of the last `window` returns; none without enough closes.
fn close_to_close(bars: &[Bar], window: usize) -> Option<i64> {
    let used = bars.get(bars.len().checked_sub(window + 1)?..)?;
    let returns: Vec<f64> = used
        .windows(2)
        .filter_map(|pair| Some(log_ratio(pair.first()?.close, pair.last()?.close)))
        .collect();
    let average = returns.iter().sum::<f64>() / window as f64;
    let squares = returns.iter().map(|r| (r - average) * (r - average));
    Some(yearly(squares.sum::<f64>() / (window - 1) as f64))
}

/// High-low volatility of the last `window` days (Parkinson), as a vendor's OHLC figure.
fn high_low(bars: &[Bar], window: usize) -> i64 {
    const FOUR_LN_2: f64 = 2.772_588_722_239_781;
    let used = bars.get(bars.len().saturating_sub(window)..).unwrap_or(bars);
    let squares = used.iter().map(|bar| {
        let range = log_ratio(bar.low, bar.high);
        range * range
    });
    yearly(squares.sum::<f64>() / FOUR_LN_2 / used.len().max(1) as f64)
}

/// One row of the volatility CSV; `ivs` are the implied volatilities up to and including the day.
fn iv_row(upto: &[Bar], ivs: &[i64]) -> Vec<u8> {
    let mut row = Vec::with_capacity(64);
    let (Some(bar), Some(iv)) = (upto.last(), ivs.last()) else {
        return row;
    };
    let recent = ivs.get(ivs.len().saturating_sub(20)..).unwrap_or(ivs);
    row.extend(bar.day.to_string().bytes());
    for value in [*iv, mean(recent), high_low(upto, 20), high_low(upto, 252)] {
        row.push(b',');
        push_hundredths(&mut row, value);
    }
    row.push(b',');
    push_integer(&mut row, bar.options);
    row.push(b'\n');
    row
}

/// The rows from `first` on, one per bar.
fn iv_rows(bars: &[Bar], ivs: &[i64], first: usize) -> Vec<Vec<u8>> {
    let upto = |i: usize| Some(iv_row(bars.get(..=i)?, ivs.get(..=i)?));
    (first..bars.len()).filter_map(upto).collect()
}

fn iv_file(rows: &[Vec<u8>]) -> Vec<u8> {
    [IV_HEADER.as_bytes(), &rows.concat()].concat()
}

fn spot_file(bars: &[Bar]) -> Vec<u8> {
    let mut out = SPOT_HEADER.as_bytes().to_vec();
    for bar in bars {
        out.extend(bar.day.to_string().bytes());
        for price in [bar.open, bar.high, bar.low, bar.close] {
            out.push(b',');
            push_hundredths(&mut out, price);
        }
        out.push(b',');
        push_integer(&mut out, bar.volume);
        out.push(b'\n');
    }
    out
}

fn hv_file(bars: &[Bar]) -> Vec<u8> {
    let mut out = HV_HEADER.as_bytes().to_vec();
    for (i, bar) in bars.iter().enumerate().skip(20) {
        out.extend(bar.day.to_string().bytes());
        for window in [20, 30, 90, 252] {
            out.push(b',');
            let value = bars.get(..=i).and_then(|upto| close_to_close(upto, window));
            value.into_iter().for_each(|v| push_hundredths(&mut out, v));
        }
        out.push(b'\n');
    }
    out
}

/// The year's rows of a symbol, its last days annualised by the vendor with 365 days instead of
/// 252: a fifth too high, and nothing in the file itself shows it.
fn bad_backfill(bars: &[Bar]) -> Vec<u8> {
    let mut ivs: Vec<i64> = bars.iter().map(|bar| bar.iv).collect();
    let factor = (365f64 / 252.0).sqrt();
    for iv in ivs.iter_mut().rev().take(WRONG_DAYS) {
        *iv = cents(*iv as f64 * factor);
    }
    iv_file(&iv_rows(bars, &ivs, bars.len() - 252))
}

/// A quarter's rows with one of each usual defect; data/sample/README.md lists them.
fn dirty(rows: &[Vec<u8>]) -> Vec<u8> {
    let rows: Vec<String> =
        rows.iter().map(|row| String::from_utf8_lossy(row).trim_end().to_owned()).collect();
    let with = |row: &str, column: usize, cell: &str| {
        let cells = row.split(',').enumerate();
        let cells = cells.map(|(i, old)| if i == column { cell } else { old });
        cells.collect::<Vec<_>>().join(",")
    };
    let mut out = IV_HEADER.to_owned();
    for (i, row) in rows.iter().enumerate() {
        let line = match i {
            5 => format!("{row}\n{row}"),
            9 => format!("{}\n{row}", with(row, 1, "29.99")),
            12 => format!("\n{row}"),
            15 => with(row, 5, "\"1,234,567\""),
            18 => with(row, 1, "N/A"),
            21 => format!(",,,,,\n{row}"),
            24 => format!("{}\n{row}", with(row, 0, "2024-02-30")),
            27 => with(row, 1, "0.2411"),
            30 => with(row, 1, ""),
            33 => with(row, 2, ""),
            36 => format!("  \n{row}"),
            _ => row.clone(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    // The file ends inside its last row.
    let last = rows.last().map_or(0, |row| row.len() / 2 + 1);
    out.truncate(out.len() - last);
    out.into_bytes()
}

/// The announcements of a symbol: index of the announcement's session and of the one that reacts.
fn announcements(profile: &Profile, bars: &[Bar]) -> Vec<(usize, usize)> {
    let Some(first) = profile.earnings else { return Vec::new() };
    let reactions = (WARM_UP..bars.len()).filter(|index| index % 63 == first % 63);
    let announced = |reaction: usize| match profile.timing {
        "AMC" => (reaction - 1, reaction),
        _ => (reaction, reaction),
    };
    reactions.map(announced).collect()
}

/// The size of the move of a session against the close before it, in percent.
fn size(bars: &[Bar], session: usize) -> f64 {
    let close = |index: usize| bars.get(index).map_or(f64::NAN, |bar| bar.close as f64);
    (close(session) / close(session.wrapping_sub(1)) - 1.0).abs() * 100.0
}

/// The calendar of a symbol: what it announced, and a day to come that nobody has confirmed.
fn calendar_rows(profile: &Profile, bars: &[Bar], timing: &str) -> Vec<String> {
    let row = |(announced, _): &(usize, usize)| {
        let day = bars.get(*announced).map(|bar| bar.day);
        Some(format!("{},{},{timing},1\n", profile.symbol, day?))
    };
    let past = announcements(profile, bars);
    let mut rows: Vec<String> = past.iter().filter_map(row).collect();
    rows.push(format!("{},2025-03-06,{timing},0\n", profile.symbol));
    rows
}

/// The moves of a symbol as a careless vendor has them: without sign, and of the announcement's own
/// session, which after the close is the one before the news.
fn move_rows(profile: &Profile, bars: &[Bar]) -> Vec<String> {
    let row = |(announced, _): &(usize, usize)| {
        let (before, bar) = (bars.get(announced.checked_sub(1)?)?, bars.get(*announced)?);
        let price = |cents: i64| cents as f64 / 100.0;
        Some(format!(
            "{},{},{},{:.2},{:.2},{:.4}\n",
            profile.symbol,
            bar.day,
            profile.timing,
            price(before.close),
            price(bar.close),
            size(bars, *announced)
        ))
    };
    announcements(profile, bars).iter().filter_map(row).collect()
}

/// A straddle five sessions before the last announcement. Its price knows how the stock really
/// reacts.
fn straddle_row(profile: &Profile, bars: &[Bar]) -> Option<String> {
    let past = announcements(profile, bars);
    let ((announced, _), earlier) = past.split_last()?;
    let (scan, event) = (bars.get(announced.checked_sub(5)?)?, bars.get(*announced)?);
    let sizes = earlier.iter().map(|(_, reaction)| size(bars, *reaction));
    let implied = sizes.sum::<f64>() / earlier.len() as f64 * profile.dear;
    let spot = scan.close as f64 / 100.0;
    // Half call, half put, in cents.
    let leg = (spot * implied / 2.0).round() / 100.0;
    let strike = (spot / 5.0).round() * 5.0;
    // The Friday of that week or the next.
    let friday = (event.day.0 + 1..).map(Day).find(|day| (day.0 + 3).rem_euclid(7) == 4)?;
    Some(format!(
        "{},{},{friday},{},{spot:.2},{strike:.1},{leg:.2},{leg:.2},{:.2}\n",
        profile.symbol,
        event.day,
        scan.day,
        2.0 * leg
    ))
}

const README: &str = "\
# Sample data (synthetic)

Everything in this folder is made up. `VOLA`, `VOLB` and `VOLC` are not tickers of anything; the
numbers come from a seeded random walk (`cargo run --example make_sample_data`), on the trading
days of the New York Stock Exchange from 2022-01-03 to 2024-12-31. A test checks that the program
still writes these bytes.

| file | what |
| --- | --- |
| `iv/SYMBOL.csv` | implied volatility in the layout of Market Chameleon's export, in percent |
| `spot/SYMBOL.csv` | daily prices |
| `hv/SYMBOL.csv` | close-to-close volatility of those prices, in percent; empty until enough closes exist |
| `bad/VOLA_wrong_scale.csv` | the year 2024 again, the last 60 days' IV30 annualised with 365 days instead of 252: every value passes the checks and is 10 to 25 points too high |
| `dirty/VOLB_dirty.csv` | the first quarter of 2024 with the defects below |
| `earnings/calendar.csv` | announcements: VOLA's after the close, VOLB's before the open; the last ones are to come |
| `earnings/calendar_wrong.csv` | VOLA's again, said to be before the open |
| `earnings/moves.csv` | moves as a careless vendor has them: without sign, and after the close of the session before the news |
| `earnings/straddles.csv` | what options asked for the last announcement, five sessions before it |

Defects of `dirty/VOLB_dirty.csv`: one row twice, one date with two different values (the last one
is right), an empty line, a line of commas, a line of blanks, `N/A` and nothing as IV30, nothing as
its average, the date 2024-02-30, an IV30 of 0.2411 (a fraction instead of percent), a volume with
thousands separators, and a last row that was cut off.
";

/// Writes every file below `dir`.
pub fn write_all(dir: &Path) -> Result<(), Box<dyn Error>> {
    let last = Day::from_ymd(2024, 12, 31).ok_or("no such day")?;
    let days = trading_days(last, WARM_UP + WRITTEN);
    let write = |path: String, bytes: Vec<u8>| -> Result<(), Box<dyn Error>> {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        Ok(fs::write(path, bytes)?)
    };
    write("README.md".into(), README.into())?;
    let head = "ticker,announcement_date,timing,confirmed\n";
    let (mut calendar, mut wrong) = (head.to_owned(), head.to_owned());
    let mut moves =
        "ticker,earnings_date,timing,prev_close,earnings_close,close_move_pct\n".to_owned();
    let mut straddles =
        "ticker,earnings_date,expiration,scan_date,stock_price,atm_strike,call_mid,\
                         put_mid,straddle_cost\n"
            .to_owned();
    for profile in &PROFILES {
        let symbol = profile.symbol;
        let bars = history(profile, &days);
        if profile.earnings.is_some() {
            calendar.extend(calendar_rows(profile, &bars, profile.timing));
            moves.extend(move_rows(profile, &bars));
            straddles.extend(straddle_row(profile, &bars));
        }
        if symbol == "VOLA" {
            wrong.extend(calendar_rows(profile, &bars, "BMO"));
        }
        let ivs: Vec<i64> = bars.iter().map(|bar| bar.iv).collect();
        let rows = iv_rows(&bars, &ivs, WARM_UP);
        let written = bars.get(WARM_UP..).unwrap_or_default();
        write(format!("iv/{symbol}.csv"), iv_file(&rows))?;
        write(format!("spot/{symbol}.csv"), spot_file(written))?;
        write(format!("hv/{symbol}.csv"), hv_file(written))?;
        if symbol == "VOLA" {
            write("bad/VOLA_wrong_scale.csv".into(), bad_backfill(&bars))?;
        }
        if symbol == "VOLB" {
            // 2024 has 252 trading days, its first quarter 61.
            let quarter = rows.len() - 252;
            let rows = rows.get(quarter..quarter + 61).unwrap_or_default();
            write("dirty/VOLB_dirty.csv".into(), dirty(rows))?;
        }
    }
    for (name, text) in [
        ("calendar", calendar),
        ("calendar_wrong", wrong),
        ("moves", moves),
        ("straddles", straddles),
    ] {
        write(format!("earnings/{name}.csv"), text.into_bytes())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args_os().nth(1);
    write_all(Path::new(&dir.unwrap_or_else(|| "data/sample".into())))
}
