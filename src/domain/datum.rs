//! A value in a table of analytics: what projections hold and SQL sees. Floats begin here.

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// A number.
    Real(f64),
    /// A text; days are texts as well (`2024-08-05`).
    Text(Box<str>),
}

impl Datum {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<super::Day> for Datum {
    fn from(day: super::Day) -> Self {
        Self::Text(day.to_string().into())
    }
}

impl From<usize> for Datum {
    fn from(count: usize) -> Self {
        i64::try_from(count).map_or(Self::Null, Self::Int)
    }
}

/// What is no number (a division by zero) is null.
impl From<f64> for Datum {
    fn from(number: f64) -> Self {
        Some(number).into()
    }
}

/// What is missing or no number (a division by zero) is null.
impl From<Option<f64>> for Datum {
    fn from(number: Option<f64>) -> Self {
        number.filter(|number| number.is_finite()).map_or(Self::Null, Self::Real)
    }
}

/// Rows of a table, a value per column each.
pub type Table = Vec<Vec<Datum>>;
