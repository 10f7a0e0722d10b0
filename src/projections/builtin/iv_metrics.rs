//! Where implied volatility stands among its own past, day by day.

use crate::domain::{Datum, Series, Table, code};
use crate::projections::projection::{Column, Facts, Projection};
use crate::quant::{moving, rank};

/// `iv_metrics@1`: windowed ranks and percentiles, averages and changes (`tomic.md` 7.4, 14).
pub struct IvMetrics;

impl Projection for IvMetrics {
    fn name(&self) -> &'static str {
        "iv_metrics"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "rank, percentile, average and changes of atm_iv on each day, from the days before it only"
    }

    fn views(&self) -> &'static [Series] {
        &[Series::Iv]
    }

    fn columns(&self) -> &'static [Column] {
        const COLUMNS: [Column; 14] = [
            Column::new("date", "the day"),
            Column::new("atm_iv", "implied volatility at the money, a fraction"),
            Column::new("iv_rank_252", "0 to 100 between lowest and highest of 252 observations"),
            Column::new(
                "iv_percentile_252",
                "0 to 100: share of the 252 observations before it below",
            ),
            Column::new("n_252", "observations before it, at most 252; a rank wants 252"),
            Column::new("iv_rank_504", "0 to 100 between lowest and highest of 504 observations"),
            Column::new(
                "iv_percentile_504",
                "0 to 100: share of the 504 observations before it below",
            ),
            Column::new("n_504", "observations before it, at most 504; a rank wants 378"),
            Column::new("iv_ma20", "mean of the last 20 observations, a fraction"),
            Column::new("iv_vs_ma20", "atm_iv over iv_ma20, less 1"),
            Column::new("iv_mean_21", "mean of the 21 observations before it, a fraction"),
            Column::new("change_1", "difference to the observation before, a fraction"),
            Column::new("change_5", "difference to 5 observations before, a fraction"),
            Column::new("change_20", "difference to 20 observations before, a fraction"),
        ];
        &COLUMNS
    }

    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let records = facts.records(Series::Iv);
        let series: Vec<Option<f64>> = records.iter().map(|r| r.number(code::ATM_IV)).collect();
        let one = rank::windowed(&series, rank::ONE_YEAR);
        let two = rank::windowed(&series, rank::TWO_YEARS);
        let (average, off) = (moving::iv_ma20(&series), moving::iv_vs_iv_ma20(&series));
        let before = moving::iv_mean_21(&series);
        let changes = moving::STEPS.map(|step| moving::changes(&series, step));
        let rows = records.iter().enumerate().filter_map(|(at, record)| {
            let value = rank::valid(*series.get(at)?)?;
            let (one, two) = (one.get(at)?, two.get(at)?);
            let mut row: Vec<Datum> = vec![
                record.day.into(),
                Some(value).into(),
                one.rank.into(),
                one.percentile.into(),
                one.n.into(),
                two.rank.into(),
                two.percentile.into(),
                two.n.into(),
                (*average.get(at)?).into(),
                (*off.get(at)?).into(),
                (*before.get(at)?).into(),
            ];
            let of_step = |of: &Vec<Option<moving::Change>>| {
                of.get(at).copied().flatten().map(|change| change.absolute).into()
            };
            row.extend(changes.iter().map(of_step));
            Some(row)
        });
        Ok(rows.collect())
    }
}
