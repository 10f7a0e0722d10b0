//! Implied against historical volatility of the same day.

use crate::domain::{Datum, Series, Table, code};
use crate::projections::projection::{Column, Facts, Projection};
use crate::projections::view::Record;
use crate::quant::moving::{ratio, spread};

/// `iv_hv@1`: spreads and ratios of `atm_iv` and the four historical volatilities (`tomic.md`
/// 12.2). Days of different dates are never put together.
pub struct IvHv;

const HV: [u16; 4] = [code::HV20, code::HV30, code::HV90, code::HV252];

impl Projection for IvHv {
    fn name(&self) -> &'static str {
        "iv_hv"
    }

    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "atm_iv against hv20, hv30, hv90 and hv252 of the same day: differences and ratios"
    }

    fn views(&self) -> &'static [Series] {
        &[Series::Iv, Series::Hv]
    }

    fn columns(&self) -> &'static [Column] {
        const COLUMNS: [Column; 10] = [
            Column::new("date", "the day"),
            Column::new("atm_iv", "implied volatility at the money, a fraction"),
            Column::new("iv_vs_hv20", "atm_iv less hv20, a fraction: 0.05 is 5 points"),
            Column::new("iv_vs_hv30", "atm_iv less hv30, a fraction"),
            Column::new("iv_vs_hv90", "atm_iv less hv90, a fraction"),
            Column::new("iv_vs_hv252", "atm_iv less hv252, a fraction"),
            Column::new("iv_hv20_ratio", "atm_iv over hv20"),
            Column::new("iv_hv30_ratio", "atm_iv over hv30"),
            Column::new("iv_hv90_ratio", "atm_iv over hv90"),
            Column::new("iv_hv252_ratio", "atm_iv over hv252"),
        ];
        &COLUMNS
    }

    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let hv = facts.records(Series::Hv);
        let row = |record: &Record| {
            let iv = record.number(code::ATM_IV)?;
            let same = hv.binary_search_by_key(&record.day, |record| record.day).ok()?;
            let hv = hv.get(same)?;
            let mut row: Vec<Datum> = vec![record.day.into(), Some(iv).into()];
            row.extend(HV.map(|code| Datum::from(spread(Some(iv), hv.number(code)))));
            row.extend(HV.map(|code| Datum::from(ratio(Some(iv), hv.number(code)))));
            Some(row)
        };
        Ok(facts.records(Series::Iv).iter().filter_map(row).collect())
    }
}
