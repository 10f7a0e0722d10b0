//! Historical volatility from the closes of the spot view (`tomic.md` 5).

use super::super::error::Result;
use super::super::traded::adjustments;
use super::super::views::ViewReader;
use super::{Computed, Values, digest_of, warning};
use crate::domain::{Calendar, Day, Field, Finding, Series, Symbol, Value, code};
use crate::ledger::Ledger;
use crate::projections::projection;
use crate::projections::view::Which;
use crate::quant::adjustment::{self, Adjustment};
use crate::quant::hv;

/// What the formula is; kept with each batch.
pub const DEFINITION: &str = "\
id = \"derive-hv\"\nversion = 2\n\
# hv20, hv30, hv90, hv252: sample standard deviation (n - 1) of the last 20, 30, 90, 252 log returns of\n\
# consecutive closes, times the square root of 252, rounded to 9 decimals. A window that is not full, or\n\
# that spans a close-to-close factor outside 0.6 ... 1.6 which no split in the ledger explains, has no\n\
# value. Closes before a split that its vendor did not apply are divided by its ratio: those of a vendor\n\
# whose prices are as traded, and others where the factor lies outside 0.6 ... 1.6. Where it lies within\n\
# and a split explains it better than the market does, windows across it have no value.\n";

/// Windows in returns, with the fields that they fill.
const WINDOWS: [(usize, u16); 4] =
    [(20, code::HV20), (30, code::HV30), (90, code::HV90), (252, code::HV252)];

/// Computes all days of a symbol.
pub fn compute(ledger: &Ledger, reader: &ViewReader<'_>, symbol: &Symbol) -> Result<Computed> {
    let at = ledger.position();
    let spot = reader.records(Series::Spot, symbol, at, Which::Latest)?;
    let listed = reader.records(Series::Splits, symbol, at, Which::Latest)?;
    let known = adjustments(ledger, symbol, &spot, &listed)?;
    let (mut days, mut closes): (Vec<Day>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut adjusted: Vec<Adjustment> = Vec::new();
    for record in &spot {
        // A missing close is a hole, not a zero.
        if let Some(close) = record.number(code::CLOSE).filter(|close| *close > 0.0) {
            days.push(record.day);
            closes.push(close);
            adjusted.push(known.of(record));
        }
    }
    let splits = projection::splits(&listed);
    let mut computed = Computed::default();
    let open = apply_known(&days, &mut closes, &mut adjusted, &splits);
    let jumps = hv::suspicious_jumps(&days, &closes, &open);
    let mut doubtful = hv::doubtful_splits(&days, &closes, &open);
    doubtful.extend(adjustment::seams(&days, &closes, &adjusted, &splits));
    computed.findings =
        notes(symbol, (&jumps, &doubtful), &hv::holes(&days, Calendar::nyse()), &splits);
    let closes = hv::split_adjusted(&days, &closes, &open);
    let mut breaks: Vec<usize> = jumps.iter().chain(&doubtful).map(|jump| jump.index).collect();
    breaks.sort();
    let series =
        WINDOWS.map(|(window, code)| (Field::Known(code), hv::hv_series(&closes, window, &breaks)));
    for (index, day) in days.iter().enumerate() {
        let value = |(field, values): &(Field, Vec<Option<f64>>)| {
            let value = values.get(index).copied().flatten().and_then(hv::recorded)?;
            Some((field.clone(), Value::Dec(value)))
        };
        let values: Values = series.iter().filter_map(value).collect();
        if !values.is_empty() {
            computed.days.insert(*day, values);
        }
    }
    let inputs = &mut computed.inputs;
    inputs.insert("spot".into(), digest_of(Series::Spot, symbol, &spot).to_string().into());
    inputs.insert("closes".into(), days.len().into());
    inputs.insert("from".into(), days.first().map(ToString::to_string).into());
    inputs.insert("to".into(), days.last().map(ToString::to_string).into());
    if !splits.is_empty() {
        let digest = digest_of(Series::Splits, symbol, &listed).to_string();
        inputs.insert("splits".into(), digest.into());
    }
    Ok(computed)
}

/// What is to be said of steps that no known split explains, of those that a split explains better
/// than the market does, and of missing days.
fn notes(
    symbol: &Symbol,
    (jumps, doubtful): (&[hv::Jump], &[hv::Jump]),
    holes: &[hv::Hole],
    splits: &[(Day, f64)],
) -> Vec<Finding> {
    let unexplained = jumps.iter().map(|jump| {
        // Prices that were not asked again after a split end in a step of its size, years before it.
        let explains = |ratio: f64| (0.8..=1.25).contains(&(jump.factor * ratio));
        let later = splits.iter().rfind(|(day, ratio)| jump.before < *day && explains(*ratio));
        let why = match later {
            Some((day, _)) => {
                format!("; a split of {day} is known, and the closes until {} are of before it", jump.before)
            }
            None => " and no split is known that explains it".to_owned(),
        };
        let text = format!(
            "{symbol}: the close of {} is {:.3} times the one before{why}: windows across it have no value",
            jump.day, jump.factor
        );
        warning("unadjusted_split", Some(jump.day), text)
    });
    let doubtful = doubtful.iter().map(|jump| {
        let text = format!(
            "{symbol}: the close of {} is {:.3} times the one before, which a split explains \
             better than the market does: windows across it have no value",
            jump.day, jump.factor
        );
        warning("split_not_adjusted", Some(jump.day), text)
    });
    let holes = holes.iter().map(|hole| {
        let text = format!(
            "{symbol}: {} trading days are missing before {}; returns across them count as one",
            hole.missing_days, hole.until
        );
        warning("hole", Some(hole.until), text)
    });
    unexplained.chain(doubtful).chain(holes).collect()
}

/// Brings closes as traded into the shares of the last day, and returns the splits that may still
/// stand in the others. A split that is announced for a later day has not happened to any of them.
fn apply_known(
    days: &[Day],
    closes: &mut [f64],
    adjusted: &mut [Adjustment],
    splits: &[(Day, f64)],
) -> Vec<(Day, f64)> {
    let last = days.last().copied().unwrap_or_default();
    let passed = splits.iter().filter(|(split, _)| *split <= last);
    let mut open = Vec::new();
    for (split, ratio) in passed {
        let first_after = days.partition_point(|day| day < split);
        let before = closes.iter_mut().zip(&*adjusted).take(first_after);
        let traded = before.filter(|(_, of)| **of == Adjustment::AsTraded);
        traded.for_each(|(close, _)| *close /= ratio);
        let of_before = first_after.checked_sub(1).and_then(|at| adjusted.get(at));
        if of_before != Some(&Adjustment::AsTraded) {
            open.push((*split, *ratio));
        }
    }
    let traded = adjusted.iter_mut().filter(|of| **of == Adjustment::AsTraded);
    traded.for_each(|of| *of = Adjustment::Until(last));
    open
}
