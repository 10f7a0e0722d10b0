//! Historical volatility by every estimator, from daily bars.

use crate::domain::{Calendar, Datum, Day, Series, Table, code};
use crate::projections::projection::{Column, Facts, Projection};
use crate::projections::view::Record;
use crate::quant::estimators::{Bar, Estimator};
use crate::quant::hv;

/// `hv_estimators@1`: nine estimators over the last 20 sessions (`options_platform.md` B10).
///
/// A window that spans missing sessions, an unsound bar or a split has no value.
pub struct HvEstimators;

/// Sessions of a window.
const WINDOW: usize = 20;

/// The prices of a day of the spot view.
const CODES: [u16; 4] = [code::CLOSE, code::OPEN, code::HIGH, code::LOW];

impl Projection for HvEstimators {
    fn name(&self) -> &'static str {
        "hv_estimators"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "historical volatility of 20 sessions by nine estimators, annualised with 252 sessions"
    }

    fn views(&self) -> &'static [Series] {
        &[Series::Spot]
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
            Some((record.day, bar))
        };
        let bars = facts.records(Series::Spot).iter().filter_map(bar);
        let (days, bars): (Vec<Day>, Vec<Bar>) = bars.unzip();
        // A split looks like a move of the market: windows across it have no value either.
        let closes: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
        let jumps = hv::suspicious_jumps(&days, &closes, &[]).into_iter().map(|jump| jump.index);
        let holes = hv::holes(&days, Calendar::nyse()).into_iter().map(|hole| hole.index);
        let mut breaks: Vec<usize> = holes.chain(jumps).collect();
        breaks.sort_unstable();
        let all = Estimator::ALL.map(|estimator| estimator.series(&bars, WINDOW, &breaks));
        let rows = days.iter().enumerate().map(|(at, day)| {
            let value = |of: &Vec<Result<_, _>>| of.get(at).and_then(volatility);
            let mut row: Vec<Datum> = vec![(*day).into()];
            row.extend(all.iter().map(|of| Datum::from(value(of))));
            row
        });
        Ok(rows.filter(|row| row.iter().skip(1).any(|value| *value != Datum::Null)).collect())
    }
}

fn volatility(
    found: &Result<crate::quant::estimators::Estimate, crate::quant::estimators::NoEstimate>,
) -> Option<f64> {
    found.as_ref().ok().map(|estimate| estimate.volatility)
}
