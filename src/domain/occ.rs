//! Option tickers of the Options Clearing Corporation: `O:AAPL251219C00275000`.

use super::Day;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::fmt;
use std::str::FromStr;

/// Strikes, in dollars, are below this: eight digits of thousandths hold no more.
const MAX_STRIKE: Decimal = Decimal::from_parts(100_000, 0, 0, false, 0);

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
    /// A contract from its parts, the strike in dollars; the root may come in small letters.
    ///
    /// # Errors
    /// A root that is no 1–6 letters and digits beginning with a letter, a day beyond the years
    /// 2000–2099, a strike that is not a positive multiple of 0.001 below 100 000.
    pub fn new(
        root: &str,
        expiry: Day,
        right: Right,
        strike: Decimal,
    ) -> Result<Self, NotAContract> {
        let wrong = || {
            let side = if right == Right::Call { "call" } else { "put" };
            NotAContract(format!("{root} {expiry} {side} {strike}").chars().take(40).collect())
        };
        let root = root.to_ascii_uppercase();
        let strike = strike.normalize();
        // Three decimals at most, so the product is exact.
        let fits = strike > Decimal::ZERO && strike < MAX_STRIKE && strike.scale() <= 3;
        let mills = fits.then(|| strike * Decimal::ONE_THOUSAND).and_then(|mills| mills.to_u32());
        let strike_mills = mills.ok_or_else(wrong)?;
        if !is_root(&root) || !(2000..=2099).contains(&expiry.year()) {
            return Err(wrong());
        }
        Ok(Self { root, expiry, right, strike_mills })
    }

    /// The strike in dollars.
    pub fn strike(&self) -> Decimal {
        Decimal::new(i64::from(self.strike_mills), 3).normalize()
    }

    /// The form of 21 characters without `O:`, the root padded to six (`SPY   251219C00650000`).
    pub fn osi(&self) -> String {
        format!("{:<6}{}", self.root, self.tail())
    }

    /// Date, right and strike, as in both forms.
    fn tail(&self) -> String {
        let date = self.expiry.date().format("%y%m%d");
        let right = if self.right == Right::Call { 'C' } else { 'P' };
        format!("{date}{right}{:08}", self.strike_mills)
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
        write!(f, "O:{}{}", self.root, self.tail())
    }
}

/// Text that is not an option ticker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an option ticker such as O:AAPL251219C00275000")]
pub struct NotAContract(pub String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shared;

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
    fn contracts_are_built_of_what_a_ticker_can_say() {
        let day: Day = "2025-12-19".parse().unwrap();
        let build = |root: &str, strike: &str| {
            Contract::new(root, day, Right::Call, strike.parse().unwrap()).map(|c| c.to_string())
        };
        assert_eq!(build("spy", "650").unwrap(), "O:SPY251219C00650000");
        assert_eq!(build("SPY", "650.0000000").unwrap(), "O:SPY251219C00650000");
        assert_eq!(build("SPY", "99999.999").unwrap(), "O:SPY251219C99999999");
        for strike in [
            "0",
            "-1",
            "0.0005",
            "650.0001",
            "99999.99899999999999999999999",
            "100000",
            "79228162514264337593543950335",
        ] {
            assert!(build("SPY", strike).is_err(), "{strike}");
        }
        for root in ["", "1SPY", "SPY ", "BRK.B", "SPYSPYS", "SPÝ"] {
            assert!(build(root, "650").is_err(), "{root}");
        }
        for year in [1999, 2100] {
            let day = Day::from_ymd(year, 1, 15).unwrap();
            assert!(Contract::new("SPY", day, Right::Put, Decimal::ONE).is_err());
        }
        let refused = build("SPY", "0.0005").unwrap_err().to_string();
        assert!(refused.starts_with("`SPY 2025-12-19 call 0.0005` is not"), "{refused}");
    }

    #[test]
    fn the_shared_vectors_are_read_and_built() {
        let Some(text) = shared::text("vectors/option_tickers.csv") else { return };
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
            let right = if right == "call" { Right::Call } else { Right::Put };
            let strike = strike.parse().unwrap();
            let built = Contract::new(root, expiry.parse().unwrap(), right, strike).unwrap();
            assert_eq!(read.as_ref(), Ok(&built), "{line}");
            assert_eq!(osi.parse::<Contract>().as_ref(), Ok(&built), "{line}");
            assert_eq!((built.to_string().as_str(), built.osi().as_str()), (ticker, osi));
            assert_eq!(built.strike(), strike);
            good += 1;
        }
        assert_eq!((good, bad), (10, 8));
    }
}
