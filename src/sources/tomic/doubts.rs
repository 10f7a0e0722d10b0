//! What is odd about the values of a TOMIC file.
//!
//! They are kept as they are, since the folder is given back as it came; what a CSV file's rows would be
//! rejected for is told, and stops a batch from being confirmed in passing.

use crate::domain::{Day, Field, Finding, Severity, Value, code};
use crate::sources::notes::Counts;

/// Implied volatility above which it is taken for a percentage: 1,000 %. The mappings' bound, as the next.
const MOST_IV: f64 = 10.0;
/// Historical volatility above which it cannot be one.
const MOST_HV: f64 = 100.0;
/// Historical volatility that single days may well be above, and most of a file's are below.
const MOSTLY_HV: f64 = 3.0;

/// What was noticed in the records of a file so far.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    counts: Counts<'static>,
    /// Historical volatilities above what most are below, and all.
    high: (u64, u64),
}

impl Doubts {
    /// Takes in an accepted record; `stranger` when it names another symbol than its file.
    pub(super) fn add(
        &mut self,
        (shape, values): (&[Field], &[Value]),
        stranger: bool,
        (line, day): (u32, Day),
    ) {
        let (mut odd_iv, mut odd_hv, mut odd_close) = (false, false, false);
        let fields = shape.iter().filter(|field| !field.is_mark());
        for (field, value) in fields.zip(values) {
            let Field::Known(known) = field else { continue };
            let Some(number) = number(value) else { continue };
            match *known {
                // Zero stands for a value that the original did not have, and no rank counts it.
                code::ATM_IV => odd_iv |= !(0.0..=MOST_IV).contains(&number),
                code::CLOSE => odd_close |= number <= 0.0,
                code::HV20 | code::HV30 | code::HV90 | code::HV252 => {
                    odd_hv |= !(0.0..=MOST_HV).contains(&number);
                    self.high.0 += u64::from(number >= MOSTLY_HV);
                    self.high.1 += 1;
                }
                _ => {}
            }
        }
        for (code, met) in [
            ("other_symbols", stranger),
            ("iv_out_of_range", odd_iv),
            ("hv_out_of_range", odd_hv),
            ("close_out_of_range", odd_close),
        ] {
            if met {
                self.counts.add(code, line, Some(day));
            }
        }
    }

    /// What there is to tell of the file.
    pub(super) fn findings(&self, source: u32) -> Vec<Finding> {
        let words = |code: &str| match code {
            "other_symbols" => [
                "record names another symbol than its file, which it is taken for",
                "records name another symbol than their file, which they are taken for",
            ],
            "iv_out_of_range" => [
                "implied volatility below zero or above 1,000 % (fractions are expected: 0.25 is 25 %)",
                "implied volatilities below zero or above 1,000 % (fractions are expected: 0.25 is 25 %)",
            ],
            "hv_out_of_range" => [
                "record with a historical volatility below zero or above 10,000 %",
                "records with a historical volatility below zero or above 10,000 %",
            ],
            _ => ["close of zero or below", "closes of zero or below"],
        };
        let of = |code: &str| (Severity::Warning, words(code));
        let mut found: Vec<Finding> = self.counts.findings_by(source, "item", of).collect();
        let (high, all) = self.high;
        if 2 * high > all {
            let text = format!(
                "{high} of {all} historical volatilities are 300 % or more: they look like percentages \
                 (fractions are expected: 0.25 is 25 %)"
            );
            let finding = Finding::about(source, "suspect_scale", Severity::Warning, text);
            found.push(Finding { count: high, ..finding });
        }
        found
    }
}

/// A number, also one that is too large for a float.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Num(text) => text.parse().ok(),
        other => other.float(),
    }
}
