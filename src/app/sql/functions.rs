//! Functions that traders miss in SQLite: deviations, percentiles, ranks, GARCH, logarithms.

use crate::quant::garch::{self, Parameters};
use crate::quant::rank::{self, Definition};
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::{Connection, Error, Result};
use std::collections::VecDeque;

/// A function of one number.
type Scalar = (&'static str, fn(f64) -> f64);

const SCALARS: [Scalar; 4] =
    [("ln", f64::ln), ("exp", f64::exp), ("sqrt", f64::sqrt), ("log10", f64::log10)];

/// Makes the functions known to a connection.
pub fn register(connection: &Connection) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("stddev", 1, pure, Deviation)?;
    connection.create_aggregate_function("percentile", 2, pure, Percentile)?;
    connection.create_aggregate_function("median", 1, pure, Percentile)?;
    for arguments in [1, 2] {
        let (rank, percentile) = (Newest { percentile: false }, Newest { percentile: true });
        connection.create_window_function("iv_rank", arguments, pure, rank)?;
        connection.create_window_function("iv_percentile", arguments, pure, percentile)?;
    }
    connection.create_window_function("garch", 5, pure, Forecast)?;
    // What is no number (the logarithm of a loss of everything) is null, as in SQLite's own.
    for (name, function) in SCALARS {
        let call = move |context: &Context<'_>| {
            let number: Option<f64> = context.get(0)?;
            Ok(number.map(function).filter(|number| number.is_finite()))
        };
        connection.create_scalar_function(name, 1, pure, call)?;
    }
    let power = |context: &Context<'_>| {
        let (base, to): (Option<f64>, Option<f64>) = (context.get(0)?, context.get(1)?);
        Ok(base.zip(to).map(|(base, to)| base.powf(to)).filter(|number| number.is_finite()))
    };
    connection.create_scalar_function("pow", 2, pure, power)
}

/// Sample standard deviation (n − 1), by Welford's recurrence; null below two values.
struct Deviation;

impl Aggregate<(f64, f64, f64), Option<f64>> for Deviation {
    fn init(&self, _: &mut Context<'_>) -> Result<(f64, f64, f64)> {
        Ok((0.0, 0.0, 0.0))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut (f64, f64, f64)) -> Result<()> {
        let Some(value) = context.get::<Option<f64>>(0)? else { return Ok(()) };
        let (count, mean, squares) = state;
        *count += 1.0;
        let off = value - *mean;
        *mean += off / *count;
        *squares += off * (value - *mean);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<(f64, f64, f64)>) -> Result<Option<f64>> {
        let enough = state.filter(|(count, ..)| *count > 1.0);
        Ok(enough.map(|(count, _, squares)| (squares / (count - 1.0)).sqrt()))
    }
}

/// The value below which a share of the values lies, 0 to 100, between neighbours in a straight
/// line (as NumPy's default does); with one argument the median.
struct Percentile;

impl Aggregate<(Vec<f64>, f64), Option<f64>> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<(Vec<f64>, f64)> {
        Ok((Vec::new(), 50.0))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut (Vec<f64>, f64)) -> Result<()> {
        if context.len() > 1 {
            let share: f64 = context.get(1)?;
            if !(0.0..=100.0).contains(&share) {
                let text = format!("percentile takes a share from 0 to 100, not {share}");
                return Err(Error::UserFunctionError(text.into()));
            }
            state.1 = share;
        }
        state.0.extend(context.get::<Option<f64>>(0)?.filter(|value| value.is_finite()));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<(Vec<f64>, f64)>) -> Result<Option<f64>> {
        let Some((mut values, share)) = state else { return Ok(None) };
        values.sort_by(f64::total_cmp);
        let Some(last) = values.len().checked_sub(1) else { return Ok(None) };
        let at = share / 100.0 * last as f64;
        let (low, part) = (at.floor(), at.fract());
        let value = |index: f64| values.get(index as usize).copied();
        let (Some(below), above) = (value(low), value(low + 1.0)) else { return Ok(None) };
        Ok(Some(above.map_or(below, |above| below + (above - below) * part)))
    }
}

/// Where the newest value of a window stands among those before it, 0 to 100 (`tomic.md` 7.4):
/// `iv_rank(atm_iv) OVER (PARTITION BY symbol ORDER BY date)`, with the number of observations as
/// a second argument (252 when it is left out; 504 wants 378 of them, others want all).
struct Newest {
    percentile: bool,
}

/// Longest window that can be asked for.
const LONGEST: i64 = 5_000;

/// The rows of a window.
struct Rows {
    definition: Definition,
    /// The last observations (finite, above zero), oldest first; no more than the window needs.
    kept: VecDeque<f64>,
    /// Observations among the rows, also those that are not kept.
    count: usize,
    /// Whether the newest row has an observation.
    newest: bool,
}

impl Newest {
    fn answer(&self, rows: Option<&Rows>) -> Option<f64> {
        let rows = rows.filter(|rows| rows.newest)?;
        let series: Vec<Option<f64>> = rows.kept.iter().copied().map(Some).collect();
        let standing = rank::windowed_at(&series, series.len().checked_sub(1)?, rows.definition)?;
        if self.percentile { standing.percentile } else { standing.rank }
    }
}

impl Aggregate<Rows, Option<f64>> for Newest {
    fn init(&self, _: &mut Context<'_>) -> Result<Rows> {
        let (kept, definition) = (VecDeque::new(), rank::ONE_YEAR);
        Ok(Rows { definition, kept, count: 0, newest: false })
    }

    fn step(&self, context: &mut Context<'_>, rows: &mut Rows) -> Result<()> {
        if context.len() > 1 {
            let window: i64 = context.get(1)?;
            if !(2..=LONGEST).contains(&window) {
                let text = format!("a rank looks at 2 to {LONGEST} observations, not {window}");
                return Err(Error::UserFunctionError(text.into()));
            }
            let window = window.unsigned_abs() as usize;
            let known = [rank::ONE_YEAR, rank::TWO_YEARS];
            let known = known.into_iter().find(|definition| definition.window == window);
            rows.definition = known.unwrap_or(Definition { window, minimum: window });
        }
        let value = rank::valid(context.get(0)?);
        rows.newest = value.is_some();
        if let Some(value) = value {
            rows.count += 1;
            rows.kept.push_back(value);
            // The window, and the newest one itself.
            if rows.kept.len() > rows.definition.window + 1 {
                rows.kept.pop_front();
            }
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, rows: Option<Rows>) -> Result<Option<f64>> {
        Ok(self.answer(rows.as_ref()))
    }
}

impl WindowAggregate<Rows, Option<f64>> for Newest {
    fn value(&self, rows: Option<&mut Rows>) -> Result<Option<f64>> {
        Ok(self.answer(rows.as_deref()))
    }

    fn inverse(&self, context: &mut Context<'_>, rows: &mut Rows) -> Result<()> {
        if rank::valid(context.get(0)?).is_some() {
            rows.count -= 1;
            // The oldest row leaves; it may not have been kept any more.
            if rows.kept.len() > rows.count {
                rows.kept.pop_front();
            }
        }
        Ok(())
    }
}

/// The annual volatility that GARCH(1,1) with given parameters sees for the session after the newest
/// row (`options_platform.md` B10):
/// `garch(close, 40, 0.000001, 0.09, 0.9) OVER (PARTITION BY symbol ORDER BY date)`, with the number
/// of returns, omega, alpha and beta. Nothing is fitted. Null where fewer returns precede, and where
/// one of the closes is no price. The rows are taken for sessions in a row, without a split.
struct Forecast;

/// The closes that a forecast is made of.
struct Closes {
    returns: usize,
    model: Option<Parameters>,
    /// The last closes, oldest first, one more than the returns; `None` for one that is no price.
    kept: VecDeque<Option<f64>>,
    /// Rows, also those whose close is not kept.
    count: usize,
}

impl Closes {
    fn answer(&self) -> Option<f64> {
        let closes: Option<Vec<f64>> = self.kept.iter().copied().collect();
        let closes = closes.filter(|closes| closes.len() > self.returns)?;
        let pairs = closes.iter().zip(closes.iter().skip(1));
        let returns: Vec<f64> = pairs.map(|(before, close)| (close / before).ln()).collect();
        let run = self.model?.run(&returns)?;
        Some(garch::annualised(run.next_variance))
    }
}

impl Aggregate<Closes, Option<f64>> for Forecast {
    fn init(&self, _: &mut Context<'_>) -> Result<Closes> {
        Ok(Closes { returns: 0, model: None, kept: VecDeque::new(), count: 0 })
    }

    fn step(&self, context: &mut Context<'_>, closes: &mut Closes) -> Result<()> {
        let returns: i64 = context.get(1)?;
        if !(1..=LONGEST).contains(&returns) {
            let text = format!("garch looks at 1 to {LONGEST} returns, not {returns}");
            return Err(Error::UserFunctionError(text.into()));
        }
        closes.returns = returns.unsigned_abs() as usize;
        closes.model = Parameters::new(context.get(2)?, context.get(3)?, context.get(4)?);
        if closes.model.is_none() {
            let text = "garch takes omega, alpha and beta of zero and more";
            return Err(Error::UserFunctionError(text.into()));
        }
        closes.kept.push_back(rank::valid(context.get(0)?));
        closes.count += 1;
        if closes.kept.len() > closes.returns + 1 {
            closes.kept.pop_front();
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, closes: Option<Closes>) -> Result<Option<f64>> {
        Ok(closes.and_then(|closes| closes.answer()))
    }
}

impl WindowAggregate<Closes, Option<f64>> for Forecast {
    fn value(&self, closes: Option<&mut Closes>) -> Result<Option<f64>> {
        Ok(closes.and_then(|closes| closes.answer()))
    }

    fn inverse(&self, _: &mut Context<'_>, closes: &mut Closes) -> Result<()> {
        closes.count -= 1;
        // The oldest row leaves; it may not have been kept any more.
        if closes.kept.len() > closes.count {
            closes.kept.pop_front();
        }
        Ok(())
    }
}
