//! The series of the ledger and their fields: names, codes and units.
//!
//! Codes are stored and hashed; they never change. `schemas/series/*.json` describes the same
//! table for other programs, and a test keeps both equal.

use super::Field;
use super::fields::code;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A kind of history kept per symbol and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Daily implied volatility and what is derived from the option surface.
    Iv,
    /// Daily realised (historical) volatility.
    Hv,
    /// Daily prices of the underlying.
    Spot,
    /// Bars shorter than a day; the item is the bar's length and its New York time.
    Bars,
    /// Option chain snapshots; the item is the contract.
    Chain,
    /// Option contracts as listed on a day; the item is the contract.
    Contracts,
    /// Daily levels of an index, such as `I:VIX`.
    Index,
    /// News articles; the item is the article's address.
    News,
    /// Stock splits, on the day from which they hold.
    Splits,
    /// Dividends, on the ex-dividend day.
    Dividends,
    /// What an exchange says of its sessions; the symbol is the exchange.
    Calendar,
    /// The session so far of a ticker of any kind, as a snapshot endpoint gives it.
    Quotes,
    /// What is known of a ticker itself: name, exchange, identifiers.
    Tickers,
    /// Earnings announcements, on the day of the announcement.
    Earnings,
    /// Moves on earnings as a vendor computed them, on the day of the announcement.
    Moves,
    /// Straddles around earnings, on the day of the quotes; the item is the announcement's day.
    Straddles,
}

/// What a field's number means, which decides its look and its comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An annualised volatility as a fraction: 0.4553 is 45.53 %.
    Vol,
    /// Volatility points: 1.0 is one point.
    Points,
    /// A rank or percentile, nominally 0 to 100.
    Rank,
    /// A change of a price as a fraction of the price before: 0.05 is 5 %.
    Move,
    /// A price in the quote currency.
    Price,
    /// A number of shares or contracts.
    Count,
    /// A number without a unit, or with one that its description names.
    Number,
    /// An instant: milliseconds or nanoseconds since 1970 UTC, as the description says, or a text.
    Time,
    /// A word or a text; a nested JSON value as text.
    Text,
}

impl Unit {
    /// The word for it in `schemas/series`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vol => "vol",
            Self::Points => "points",
            Self::Rank => "rank",
            Self::Move => "move",
            Self::Price => "price",
            Self::Count => "count",
            Self::Number => "number",
            Self::Time => "time",
            Self::Text => "text",
        }
    }
}

/// One known field: its stored code, its name and its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldDef {
    /// Stored code; never reused.
    pub code: u16,
    /// Name in views, exports and JSON.
    pub name: &'static str,
    /// The view that shows the field.
    pub series: Series,
    /// Meaning of the number.
    pub unit: Unit,
}

impl FieldDef {
    /// Whether it is a number of shares: these are traded in parts, too, and contracts are not.
    pub fn is_of_shares(&self) -> bool {
        let of_stocks = matches!(self.series, Series::Spot | Series::Moves);
        of_stocks && self.unit == Unit::Count && self.name.starts_with("volume")
    }
}

/// Code of the marker "the record's date stands here".
pub const DATE_MARK: u16 = 1;
/// Code of the marker "the record's symbol stands here".
pub const SYMBOL_MARK: u16 = 2;

pub use super::fields::FIELDS;

impl Series {
    /// Every series, in the order of their codes.
    pub const ALL: [Self; 16] = [
        Self::Iv,
        Self::Hv,
        Self::Spot,
        Self::Bars,
        Self::Chain,
        Self::Contracts,
        Self::Index,
        Self::News,
        Self::Splits,
        Self::Dividends,
        Self::Calendar,
        Self::Quotes,
        Self::Tickers,
        Self::Earnings,
        Self::Moves,
        Self::Straddles,
    ];

    /// The stored code.
    pub fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The series of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|series| series.code() == code)
    }

    /// The name in commands, views and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iv => "iv",
            Self::Hv => "hv",
            Self::Spot => "spot",
            Self::Bars => "bars",
            Self::Chain => "chain",
            Self::Contracts => "contracts",
            Self::Index => "index",
            Self::News => "news",
            Self::Splits => "splits",
            Self::Dividends => "dividends",
            Self::Calendar => "calendar",
            Self::Quotes => "quotes",
            Self::Tickers => "tickers",
            Self::Earnings => "earnings",
            Self::Moves => "moves",
            Self::Straddles => "straddles",
        }
    }

    /// The known fields of the series, in their usual order.
    pub fn fields(self) -> impl Iterator<Item = &'static FieldDef> {
        FIELDS.iter().filter(move |field| field.series == self)
    }

    /// The field that classifies a day as new, changed, drifted or same.
    pub fn primary(self) -> u16 {
        match self {
            Self::Iv => code::ATM_IV,
            Self::Hv => code::HV20,
            Self::Spot => code::CLOSE,
            Self::Chain => code::IMPLIED_VOLATILITY,
            Self::Contracts => code::LISTED_STRIKE,
            Self::Bars => code::BAR_CLOSE,
            Self::Index => code::INDEX_CLOSE,
            Self::News => code::TITLE,
            Self::Splits => code::SPLIT_TO,
            Self::Dividends => code::CASH_AMOUNT,
            Self::Calendar => code::STATUS,
            Self::Quotes => code::QUOTED_VALUE,
            Self::Tickers => code::TICKER_NAME,
            Self::Earnings => code::TIMING,
            Self::Moves => code::CLOSE_MOVE,
            Self::Straddles => code::STRADDLE_COST,
        }
    }

    /// Whether a value of a field makes a day one with a value: one of its primary field, and of
    /// historical volatilities one over any span.
    pub fn is_measured_by(self, field: &Field) -> bool {
        let Field::Known(code) = field else { return false };
        match self {
            Self::Hv => (code::HV20..=code::HV252).contains(code),
            _ => *code == self.primary(),
        }
    }

    /// What the item of a key is called in views and JSON, for series that have several events of
    /// one symbol and day.
    pub fn item_name(self) -> Option<&'static str> {
        match self {
            Self::Bars => Some("bar"),
            Self::Chain | Self::Contracts => Some("contract"),
            Self::News => Some("article"),
            Self::Dividends => Some("dividend"),
            Self::Calendar => Some("at"),
            Self::Straddles => Some("earnings_date"),
            _ => None,
        }
    }

    /// Whether the series has a record for every session of the exchange, so that a session
    /// without one is a gap.
    pub fn is_daily(self) -> bool {
        matches!(self, Self::Iv | Self::Hv | Self::Spot | Self::Index)
    }

    /// Whether so many events fall on one symbol and day that a view is kept day by day, and not
    /// year by year.
    pub fn is_dense(self) -> bool {
        matches!(self, Self::Bars | Self::Chain | Self::Contracts)
    }

    /// Largest difference of the primary field that still counts as drift, in volatility points.
    /// Prices have none: any difference is a change.
    pub fn default_threshold_points(self) -> Option<u32> {
        match self {
            Self::Iv | Self::Hv | Self::Chain => Some(3),
            _ => None,
        }
    }
}

/// The known field of a code.
pub fn field(code: u16) -> Option<&'static FieldDef> {
    FIELDS.binary_search_by_key(&code, |field| field.code).ok().and_then(|at| FIELDS.get(at))
}

/// Whether a vendor computes the field anew at each call, so that late digits of it differ
/// although nothing happened (`polygon.md` 4).
pub fn is_volatile(code: u16) -> bool {
    matches!(code, code::IMPLIED_VOLATILITY | code::DELTA..=code::VEGA)
}

/// The known field of a series by its exact name.
pub fn field_named(series: Series, name: &str) -> Option<&'static FieldDef> {
    FIELDS.iter().find(|field| field.series == series && field.name == name)
}

/// Names that records have of their own: a vendor's field of such a name would take their place in
/// views, tables and exports.
const OWN_NAMES: [&str; 7] = ["symbol", "date", "series", "item", "fill", "position", "event"];

/// The name of a vendor's field without a code: its own, or `$.` and its own where that is the name
/// of a field with a code, or of what every record has.
pub fn free_name(series: Series, name: &str) -> Arc<str> {
    // SQL's columns are the same in capitals and small letters. What begins with the mark already
    // gets a second one, so two fields never become one.
    let mut own = OWN_NAMES.iter().copied().chain(series.item_name());
    let taken = field_named(series, name).is_some()
        || name.starts_with("$.")
        || own.any(|own| name.eq_ignore_ascii_case(own));
    if taken { format!("$.{name}").into() } else { name.into() }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Series {
    type Err = NotASeries;

    fn from_str(text: &str) -> Result<Self, NotASeries> {
        let wanted = text.trim().to_ascii_lowercase();
        let found = Self::ALL.into_iter().find(|series| series.name() == wanted);
        found.ok_or_else(|| NotASeries(text.to_owned()))
    }
}

/// Text that names no series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a series; there are {all}", all = Series::ALL.map(Series::name).join(", "))]
pub struct NotASeries(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_primaries_exist() {
        for (i, one) in FIELDS.iter().enumerate() {
            assert!(one.code > SYMBOL_MARK);
            assert_eq!(field(one.code), Some(one));
            assert!(FIELDS.iter().skip(i + 1).all(|other| other.code != one.code));
            assert_eq!(field_named(one.series, one.name), Some(one));
        }
        for series in Series::ALL {
            assert_eq!(field(series.primary()).unwrap().series, series);
            assert_eq!(Series::from_code(series.code()), Some(series));
            assert_eq!(series.name().parse(), Ok(series));
        }
    }
}
