//! Option tickers of the Options Clearing Corporation: `O:AAPL251219C00275000`.

use super::Day;
use rust_decimal::Decimal;
use std::fmt;
use std::str::FromStr;

/// Call or put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

/// What an option ticker says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contract {
    /// Root: mostly the underlying; may end in a digit after a corporate action.
    pub root: String,
    /// Day of expiry.
    pub expiry: Day,
    /// Call or put.
    pub right: Right,
    /// Strike in thousandths of a dollar.
    pub strike_mills: u32,
}

impl Contract {
    /// The strike in dollars.
    pub fn strike(&self) -> Decimal {
        Decimal::new(i64::from(self.strike_mills), 3).normalize()
    }
}

/// 1–6 capitals and digits, the first a letter.
fn is_root(text: &str) -> bool {
    let inner = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    text.starts_with(|c: char| c.is_ascii_uppercase()) && inner && text.len() <= 6
}

impl FromStr for Contract {
    type Err = NotAContract;

    /// Reads from the end: 8 digits of strike, the right, 6 digits of date; the rest is the root.
    /// `O:` before it may be missing, and the root may be padded with blanks (OSI form).
    fn from_str(text: &str) -> Result<Self, NotAContract> {
        let wrong = || NotAContract(text.chars().take(40).collect());
        let bare = text.strip_prefix("O:").unwrap_or(text);
        let cut = bare.len().checked_sub(15).ok_or_else(wrong)?;
        if !bare.is_ascii() {
            return Err(wrong());
        }
        let (root, tail) = bare.split_at(cut);
        let root = root.trim_end_matches(' ');
        if !is_root(root) {
            return Err(wrong());
        }
        let (date, rest) = tail.split_at(6);
        let (right, strike) = rest.split_at(1);
        if !date.bytes().chain(strike.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let two =
            |from: usize| date.get(from..from + 2).and_then(|digits| digits.parse::<u32>().ok());
        let (year, month, day) = (two(0), two(2), two(4));
        let (Some(year), Some(month), Some(day)) = (year, month, day) else {
            return Err(wrong());
        };
        let expiry = Day::from_ymd(2000 + year as i32, month, day).ok_or_else(wrong)?;
        let right = match right {
            "C" => Right::Call,
            "P" => Right::Put,
            _ => return Err(wrong()),
        };
        let strike_mills = strike.parse().ok().filter(|mills| *mills > 0).ok_or_else(wrong)?;
        Ok(Self { root: root.to_owned(), expiry, right, strike_mills })
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.expiry.date().format("%y%m%d");
        let right = if self.right == Right::Call { 'C' } else { 'P' };
        write!(f, "O:{}{date}{right}{:08}", self.root, self.strike_mills)
    }
}

/// Text that is not an option ticker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an option ticker such as O:AAPL251219C00275000")]
pub struct NotAContract(pub String);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn tickers_are_read_from_the_end() {
        let one: Contract = "O:SOXS1270115C00001000".parse().unwrap();
        assert_eq!((one.root.as_str(), one.strike_mills), ("SOXS1", 1000));
        assert_eq!(one.to_string(), "O:SOXS1270115C00001000");
        let two: Contract = "SPY   251219P00650500".parse().unwrap();
        assert_eq!(
            (two.to_string().as_str(), two.strike().to_string().as_str()),
            ("O:SPY251219P00650500", "650.5")
        );
    }

    /// The original made a call of strike 400, one day to expiry, of what it could not read.
    #[test]
    fn d20_what_cannot_be_read_is_an_error() {
        for wrong in [
            "",
            "O:",
            "O:SPY",
            "O:SPY251319C00650000",
            "O:SPY251219X00650000",
            "O:SPY251219C00000000",
            "O:spy251219C00650000",
            "O:251219C00650000",
            "O:SPÝ251219C00650000",
            "O:O:SPY251219C00650000",
            "O:SPYSPYS251219C00650000",
        ] {
            assert!(wrong.parse::<Contract>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_shared_vectors_are_read() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/vectors/option_tickers.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            // Not `eprintln!`, which cargo hides when a test passes.
            let line = b"SKIPPED: ../shared is absent (option_tickers.csv not compared)\n";
            std::io::stderr().write_all(line).unwrap();
            return;
        };
        let (mut good, mut bad) = (0, 0);
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.splitn(8, ',').collect();
            let [result, root, expiry, right, strike, ticker, osi, _] = cells[..] else {
                panic!("{line}");
            };
            let read = ticker.parse::<Contract>();
            if result == "error" {
                assert!(read.is_err(), "{line}");
                bad += 1;
                continue;
            }
            let read = read.unwrap();
            assert_eq!((read.root.as_str(), read.expiry.to_string().as_str()), (root, expiry));
            assert_eq!(read.right == Right::Call, right == "call", "{line}");
            assert_eq!(read.strike(), strike.parse().unwrap(), "{line}");
            assert_eq!((read.to_string().as_str(), osi.parse()), (ticker, Ok(read.clone())));
            good += 1;
        }
        assert_eq!((good, bad), (10, 8));
    }
}
