//! Historical volatility by every estimator, from daily bars.

use crate::domain::{Calendar, Datum, Day, Series, Table, code};
use crate::projections::projection::{Column, Facts, Projection};
use crate::projections::view::Record;
use crate::quant::adjustment::{self, Adjustment};
use crate::quant::estimators::{Bar, Estimate, Estimator};
use crate::quant::hv;

/// `hv_estimators@1` to `@3`: nine estimators over the last 20 sessions (`options_platform.md` B10).
///
/// A window that spans missing sessions, an unsound bar or a split has no value.
pub struct HvEstimators {
    /// Whether splits that are known count as such. Else one is told by a close outside 0.6 to 1.6
    /// times the one before: 3:2 lies within.
    known_splits: bool,
    /// Whether a variance below zero, which bars that contradict themselves give, is a volatility of 0.
    negative_is_zero: bool,
}

impl HvEstimators {
    /// Version 1, kept for comparison.
    pub const FIRST: Self = Self { known_splits: false, negative_is_zero: true };
    /// Version 2, kept for comparison.
    pub const SECOND: Self = Self { known_splits: true, negative_is_zero: true };
    /// Version 3.
    pub const NEW: Self = Self { known_splits: true, negative_is_zero: false };
}

/// Sessions of a window.
const WINDOW: usize = 20;

/// The prices of a day of the spot view.
const CODES: [u16; 4] = [code::CLOSE, code::OPEN, code::HIGH, code::LOW];

impl Projection for HvEstimators {
    fn name(&self) -> &'static str {
        "hv_estimators"
    }

    fn version(&self) -> u32 {
        1 + u32::from(self.known_splits) + u32::from(!self.negative_is_zero)
    }

    fn about(&self) -> &'static str {
        match (self.known_splits, self.negative_is_zero) {
            (false, _) => {
                "historical volatility of 20 sessions by nine estimators, annualised with 252 \
                 sessions; a split of 3:2 counts as a fall, for comparison"
            }
            (true, true) => {
                "historical volatility of 20 sessions by nine estimators, annualised with 252 \
                 sessions; 0 where bars contradict themselves, for comparison"
            }
            (true, false) => {
                "historical volatility of 20 sessions by nine estimators, annualised with 252 sessions"
            }
        }
    }

    fn views(&self) -> &'static [Series] {
        match self.known_splits {
            false => &[Series::Spot],
            true => &[Series::Spot, Series::Splits],
        }
    }

    fn columns(&self) -> &'static [Column] {
        const COLUMNS: [Column; 10] = [
            Column::new("date", "the day"),
            Column::new("close_to_close", "sample deviation of log returns, a fraction"),
            Column::new("close_to_close_zero_mean", "the same without a mean, a fraction"),
            Column::new("parkinson", "from highs and lows, a fraction"),
            Column::new("garman_klass", "from whole bars, a fraction"),
            Column::new("garman_klass_yang_zhang", "with overnight moves, a fraction"),
            Column::new("rogers_satchell", "from whole bars, with drift, a fraction"),
            Column::new("yang_zhang", "overnight, body and range, a fraction"),
            Column::new("ewma_094_demeaned", "decaying weights, a fraction"),
            Column::new("ewma_094_zero_mean", "decaying weights without a mean, a fraction"),
        ];
        &COLUMNS
    }

    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let bar = |record: &Record| {
            let [close, open, high, low] = CODES.map(|code| record.number(code));
            // Estimators that only look at closes work without the rest.
            let or_nan = |price: Option<f64>| price.unwrap_or(f64::NAN);
            let bar =
                Bar { open: or_nan(open), high: or_nan(high), low: or_nan(low), close: close? };
            Some((record.day, (bar, facts.adjustment(record))))
        };
        let bars = facts.records(Series::Spot).iter().filter_map(bar);
        let (days, bars): (Vec<Day>, Vec<(Bar, Adjustment)>) = bars.unzip();
        let (bars, adjusted): (Vec<Bar>, Vec<Adjustment>) = bars.into_iter().unzip();
        // A split looks like a move of the market: windows across it have no value either.
        let closes: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
        let mut jumps = hv::suspicious_jumps(&days, &closes, &[]);
        if self.known_splits {
            let splits = facts.splits();
            jumps.extend(hv::doubtful_splits(&days, &closes, &splits));
            jumps.extend(adjustment::seams(&days, &closes, &adjusted, &splits));
        }
        let jumps = jumps.into_iter().map(|jump| jump.index);
        let holes = hv::holes(&days, Calendar::nyse()).into_iter().map(|hole| hole.index);
        let mut breaks: Vec<usize> = holes.chain(jumps).collect();
        breaks.sort_unstable();
        let all = Estimator::ALL.map(|estimator| estimator.series(&bars, WINDOW, &breaks));
        let rows = days.iter().enumerate().map(|(at, day)| {
            let value = |of: &Vec<Result<_, _>>| self.volatility(of.get(at)?.as_ref().ok()?);
            let mut row: Vec<Datum> = vec![(*day).into()];
            row.extend(all.iter().map(|of| Datum::from(value(of))));
            row
        });
        Ok(rows.filter(|row| row.iter().skip(1).any(|value| *value != Datum::Null)).collect())
    }
}

impl HvEstimators {
    /// The volatility that was measured; 0 is one, of prices that do not move.
    fn volatility(&self, found: &Estimate) -> Option<f64> {
        (self.negative_is_zero || !found.negative).then_some(found.volatility)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, Class, EventId, Field, Symbol, Value};
    use crate::projections::view::Cell;
    use std::collections::BTreeMap;

    fn record(day: Day, batch: u32, fields: &[(u16, f64)]) -> Record {
        let event = EventId { batch: BatchId(batch), seq: 0 };
        let cell = |(code, number): &(u16, f64)| {
            let value = Value::from_json_number(&number.to_string());
            Cell { field: Field::Known(*code), value, event, class: Class::Vendor }
        };
        let cells: Vec<Cell> = fields.iter().map(cell).collect();
        let order = cells.iter().map(|cell| cell.field.clone()).collect();
        Record { day, item: "".into(), order, cells }
    }

    /// A step of a factor at the fortieth of 80 sessions, and a split of 3:2 so many sessions off it;
    /// from the step on closes are of a second batch. How many days have a value.
    fn valued(of: &HvEstimators, factor: f64, off: usize, as_traded: &[u32]) -> usize {
        let first: Day = "2024-03-01".parse().unwrap();
        let sessions = (first.0..).map(Day).filter(|day| Calendar::nyse().is_open(*day));
        let days: Vec<Day> = sessions.take(80).collect();
        let spot = days.iter().enumerate().map(|(at, day)| {
            let close = 100.0 + (at * 7 % 5) as f64;
            let (close, batch) = if at < 40 { (close * factor, 1) } else { (close, 2) };
            record(*day, batch, &[(code::CLOSE, close)])
        });
        let ratio = [(code::SPLIT_FROM, 2.0), (code::SPLIT_TO, 3.0)];
        let views = BTreeMap::from([
            (Series::Spot, spot.collect()),
            (Series::Splits, vec![record(days[40 + off], 3, &ratio)]),
        ]);
        let symbol: Symbol = "AAA".parse().unwrap();
        let adjusted = as_traded.iter().map(|batch| (BatchId(*batch), Adjustment::AsTraded));
        let facts = Facts::new(&symbol, views, BTreeMap::new()).with_adjusted(adjusted.collect());
        of.rows(&facts).unwrap().len()
    }

    #[test]
    fn no_window_spans_a_split_that_is_known() {
        let (old, new) = (HvEstimators::FIRST, HvEstimators::NEW);
        assert_eq!((valued(&old, 1.5, 0, &[]), valued(&new, 1.5, 0, &[])), (60, 40));
        // One that the vendor applied is no step, and one on another day explains none.
        assert_eq!((valued(&new, 1.0, 0, &[]), valued(&new, 1.5, 1, &[])), (60, 60));
        // Unless it is later and one side alone is as traded.
        assert_eq!((valued(&new, 1.5, 1, &[1]), valued(&new, 1.5, 1, &[1, 2])), (40, 60));
        let all = [old, HvEstimators::SECOND, new];
        assert_eq!(all.map(|of| of.version()), [1, 2, 3]);
    }

    /// Bars that open and close outside of their range have no variance above zero.
    #[test]
    fn bars_that_contradict_themselves_have_no_volatility_of_nought() {
        let first: Day = "2024-03-01".parse().unwrap();
        let sessions = (first.0..).map(Day).filter(|day| Calendar::nyse().is_open(*day));
        let of = |version: HvEstimators, outside: f64| {
            let bar = |(at, day): (usize, Day)| {
                let close = outside + (at % 2) as f64;
                let prices = [100.0, 106.0, 104.0, close];
                let codes = [code::OPEN, code::HIGH, code::LOW, code::CLOSE];
                record(day, 1, &codes.into_iter().zip(prices).collect::<Vec<_>>())
            };
            let spot = sessions.clone().take(21).enumerate().map(bar).collect();
            let symbol: Symbol = "AAA".parse().unwrap();
            let facts =
                Facts::new(&symbol, BTreeMap::from([(Series::Spot, spot)]), BTreeMap::new());
            let mut rows = version.rows(&facts).unwrap();
            let row = rows.pop().unwrap();
            let names = version.columns().iter().map(|column| column.name);
            let of: BTreeMap<&str, Datum> = names.zip(row).collect();
            ["close_to_close", "parkinson", "garman_klass", "rogers_satchell"].map(|name| match of
                [name]
            {
                Datum::Real(value) => Some(value > 0.0),
                _ => None,
            })
        };
        let nought = [Some(true), Some(true), Some(false), Some(false)];
        assert_eq!(of(HvEstimators::SECOND, 109.0), nought);
        assert_eq!(of(HvEstimators::NEW, 109.0), [Some(true), Some(true), None, None]);
    }
}
