//! Whether the prices of a bar go together: columns may be swapped, and single numbers be wrong.

use crate::domain::{Cells, Series, ValueRef, float, series};
use crate::sources::mapping::Column;

/// The fields of a bar's prices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    open: Option<u16>,
    high: Option<u16>,
    low: Option<u16>,
    close: Option<u16>,
}

/// What the highest price may fall short of another one, as a part of it: vendors who adjust prices for
/// splits and dividends round each by itself.
const SLACK: f64 = 1e-4;

impl Bar {
    /// The bar that some columns are of, where a high and a low are among them.
    pub(super) fn of(columns: &[(usize, &Column)]) -> Option<Self> {
        let of = |home: Series| {
            let field = |name: &str| {
                let code = series::field_named(home, name)?.code;
                columns.iter().any(|(_, column)| column.field == code).then_some(code)
            };
            let [open, high, low, close] = ["open", "high", "low", "close"].map(field);
            (high.is_some() && low.is_some()).then_some(Self { open, high, low, close })
        };
        of(Series::Spot).or_else(|| of(Series::Index)).or_else(|| of(Series::Bars))
    }

    /// Whether the prices of a row, given with its fields, contradict each other. A price of zero, as some
    /// vendors write for old opens, says nothing.
    pub(super) fn contradicts(self, fields: &[u16], values: Cells<'_>) -> bool {
        let price = |field: Option<u16>| {
            let at = fields.iter().position(|code| Some(*code) == field)?;
            // The last digit of a float is far below the slack.
            let price = match values.get_ref(at)? {
                ValueRef::Decimal(digits, places) => digits as f64 / 10f64.powi(i32::from(places)),
                ValueRef::Other(value) => float(value.decimal()?),
            };
            (price > 0.0).then_some(price)
        };
        let [open, high, low, close] = [self.open, self.high, self.low, self.close].map(price);
        let over = |price: Option<f64>, other: Option<f64>| {
            price.zip(other).is_some_and(|(price, other)| price - other > other * SLACK)
        };
        [open, low, close].into_iter().any(|price| over(price, high))
            || [open, close].into_iter().any(|price| over(low, price))
    }
}
