//! The series of the ledger and their fields: names, codes and units.
//!
//! Codes are stored and hashed; they never change. `schemas/series/*.json` describes the same
//! table for other programs, and a test keeps both equal.

use std::fmt;
use std::str::FromStr;

/// A kind of history kept per symbol and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Daily implied volatility and what is derived from the option surface.
    Iv,
    /// Daily realised (historical) volatility.
    Hv,
    /// Daily prices of the underlying.
    Spot,
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
    /// A price in the quote currency.
    Price,
    /// A number of shares or contracts.
    Count,
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

const fn def(code: u16, name: &'static str, series: Series, unit: Unit) -> FieldDef {
    FieldDef { code, name, series, unit }
}

/// Code of the marker "the record's date stands here".
pub const DATE_MARK: u16 = 1;
/// Code of the marker "the record's symbol stands here".
pub const SYMBOL_MARK: u16 = 2;

/// Every known field. The first of a series is the one that classifies a day in a diff.
pub const FIELDS: &[FieldDef] = &[
    def(10, "atm_iv", Series::Iv, Unit::Vol),
    def(11, "iv30_ma20", Series::Iv, Unit::Vol),
    def(12, "options_volume", Series::Iv, Unit::Count),
    def(13, "iv_rank (IV)", Series::Iv, Unit::Rank),
    def(14, "iv_percentile (IV)", Series::Iv, Unit::Rank),
    def(15, "iv_rank (HV)", Series::Iv, Unit::Rank),
    def(16, "iv_percentile (HV)", Series::Iv, Unit::Rank),
    def(17, "term_m1_m2", Series::Iv, Unit::Points),
    def(18, "term_m1_m3", Series::Iv, Unit::Points),
    def(19, "skew", Series::Iv, Unit::Points),
    def(40, "hv20", Series::Hv, Unit::Vol),
    def(41, "hv30", Series::Hv, Unit::Vol),
    def(42, "hv90", Series::Hv, Unit::Vol),
    def(43, "hv252", Series::Hv, Unit::Vol),
    def(60, "close", Series::Spot, Unit::Price),
    def(61, "open", Series::Spot, Unit::Price),
    def(62, "high", Series::Spot, Unit::Price),
    def(63, "low", Series::Spot, Unit::Price),
    def(64, "volume", Series::Spot, Unit::Count),
    def(65, "atr", Series::Spot, Unit::Price),
];

impl Series {
    /// Every series, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Iv, Self::Hv, Self::Spot];

    /// The stored code.
    pub fn code(self) -> u8 {
        match self {
            Self::Iv => 1,
            Self::Hv => 2,
            Self::Spot => 3,
        }
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
        }
    }

    /// The known fields of the series, in their usual order.
    pub fn fields(self) -> impl Iterator<Item = &'static FieldDef> {
        FIELDS.iter().filter(move |field| field.series == self)
    }

    /// The field that classifies a day as new, changed, drifted or same.
    pub fn primary(self) -> u16 {
        match self {
            Self::Iv => 10,
            Self::Hv => 40,
            Self::Spot => 60,
        }
    }

    /// Largest difference of the primary field that still counts as drift, in volatility points.
    /// Prices have none: any difference is a change.
    pub fn default_threshold_points(self) -> Option<u32> {
        match self {
            Self::Iv | Self::Hv => Some(3),
            Self::Spot => None,
        }
    }
}

/// The known field of a code.
pub fn field(code: u16) -> Option<&'static FieldDef> {
    FIELDS.iter().find(|field| field.code == code)
}

/// The known field of a series by its exact name.
pub fn field_named(series: Series, name: &str) -> Option<&'static FieldDef> {
    FIELDS.iter().find(|field| field.series == series && field.name == name)
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
#[error("`{0}` is not a series; there are iv, hv and spot")]
pub struct NotASeries(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_primaries_exist() {
        for (i, one) in FIELDS.iter().enumerate() {
            assert!(one.code > SYMBOL_MARK);
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
