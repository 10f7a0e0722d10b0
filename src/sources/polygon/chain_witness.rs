//! What a table of an option chain says of itself: its day, its underlying, the unit of its volatilities.

use super::times::ms_of_ns;
use crate::domain::occ::Contract;
use crate::domain::{Calendar, Day, Finding, Severity, Symbol, Value, eastern};
use crate::sources::ReadSummary;
use crate::sources::csv::few;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the contract may be one on this underlying, going by the name that its ticker begins with:
/// contracts on SPX are SPX and SPXW, those after a split have a digit behind the name.
pub(super) fn is_on(contract: &Contract, underlying: &Symbol) -> bool {
    let name = underlying.as_str();
    let name = name.strip_prefix("I:").unwrap_or(name);
    let mut root = contract.root.chars();
    let same = name.chars().filter(char::is_ascii_alphanumeric).all(|c| root.next() == Some(c));
    same && root.all(|c| c.is_ascii_digit() || matches!(c, 'P' | 'Q' | 'W'))
}

/// From this on an implied volatility is more likely a percentage; single contracts do have more.
const PERCENT: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// The implied volatilities of a table: how many there are, and those that look like percentages.
#[derive(Debug, Default)]
pub(super) struct Volatilities {
    count: u64,
    odd: u64,
    /// Cells that end in a percent sign.
    percent: u64,
    first: Option<u32>,
}

impl Volatilities {
    pub(super) fn add(&mut self, value: &Value, line: u32) {
        let percent = matches!(value, Value::Text(text) if text.trim_end().ends_with('%'));
        let number = value.decimal();
        if number.is_none() && !percent {
            return;
        }
        let odd = number.is_some_and(|number| number >= PERCENT);
        self.count += 1;
        self.odd += u64::from(odd);
        self.percent += u64::from(percent);
        if odd || percent {
            self.first.get_or_insert(line);
        }
    }

    /// Says so where half of them or more are percentages, or one is for certain.
    fn finding(&self, source: u32) -> Option<Finding> {
        let odd = self.odd + self.percent;
        if odd == 0 || (self.percent == 0 && odd * 2 < self.count) {
            return None;
        }
        let (percent, all) = (self.percent, self.count);
        let text = match percent {
            0 => format!(
                "{odd} of {all} implied volatilities are 3 or more: they look like percentages, and \
                 fractions are read (0.25 is 25 %)"
            ),
            _ => format!(
                "percent signs stand in {percent} of {all} implied volatilities, and fractions are read \
                 (0.25 is 25 %)"
            ),
        };
        let found = Finding::about(source, "suspect_scale", Severity::Warning, text);
        Some(Finding { line: self.first, count: odd, ..found })
    }
}

/// The code of a table whose tickers are mostly none of contracts: nothing else tells whether strikes and
/// expirations were read rightly, and an underlying's ticker makes one record of a whole chain.
pub const NO_CONTRACTS: &str = "no_contracts";

/// The tickers of a table: how many there are, and those that are none of contracts.
#[derive(Debug, Default)]
pub(super) struct Tickers {
    count: u64,
    odd: u64,
    first: Option<(u32, String)>,
}

impl Tickers {
    pub(super) fn add(&mut self, ticker: &str, is_contract: bool, line: u32) {
        self.count += 1;
        if !is_contract {
            self.odd += 1;
            self.first.get_or_insert_with(|| (line, ticker.to_owned()));
        }
    }

    /// Says so where half of them or more are none.
    fn finding(&self, source: u32) -> Option<Finding> {
        let (line, first) = self.first.as_ref()?;
        let (odd, count) = (self.odd, self.count);
        if odd * 2 < count {
            return None;
        }
        let first = few(std::slice::from_ref(first));
        let text = format!(
            "{odd} of {count} tickers are not those of option contracts (O:AAPL240119C00185000), first \
             {first}: nothing tells whether strikes and expirations are right, and rows of one ticker and \
             day are one record"
        );
        let found = Finding::about(source, NO_CONTRACTS, Severity::Warning, text);
        Some(Finding { line: Some(*line), count: odd, ..found })
    }
}

/// What the table itself says of its day.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Per day given and day that `dte` counts from, when they differ: rows, and the first line.
    counted: BTreeMap<(Day, Day), (u64, u32)>,
    /// The latest time of a quote or trade, and the latest day given.
    latest: Option<(i64, Day)>,
    days: BTreeSet<Day>,
    pub(super) volatilities: Volatilities,
    pub(super) tickers: Tickers,
}

impl Witness {
    pub(super) fn add(
        &mut self,
        line: u32,
        day: Day,
        expiry: Option<Day>,
        dte: Option<Decimal>,
        times: [Option<&Value>; 2],
    ) {
        let dte = dte.and_then(|dte| i32::try_from(dte).ok());
        let from = expiry.zip(dte).and_then(|(expiry, dte)| expiry.0.checked_sub(dte)).map(Day);
        if let Some(from) = from.filter(|from| *from != day) {
            self.counted.entry((day, from)).or_insert((0, line)).0 += 1;
        }
        let times = times.into_iter().flatten().filter_map(|ns| ms_of_ns(&ns.to_string()));
        if let Some(ms) = times.max() {
            let known = self.latest.map_or(ms, |(known, _)| known.max(ms));
            self.latest = Some((known, day));
        }
        self.days.insert(day);
    }

    /// Writes what was noticed into the summary.
    pub(super) fn finish(self, source: u32, summary: &mut ReadSummary) {
        let warning = |code, text| Finding::about(source, code, Severity::Warning, text);
        for ((day, from), (count, line)) in self.counted.into_iter().take(5) {
            let text = format!(
                "{count} row{} of {day}: `dte` counts from {from}",
                if count == 1 { "" } else { "s" }
            );
            let found = warning("dte_mismatch", text);
            summary.findings.push(Finding { line: Some(line), day: Some(day), count, ..found });
        }
        if let ([day], Some((ms, _))) = (&self.days.iter().collect::<Vec<_>>()[..], self.latest)
            && let Some(quoted) = eastern::day_of(ms).filter(|quoted| quoted != *day)
        {
            let text = format!("the latest quote or trade is of {quoted}, not of {day}");
            summary.findings.push(Finding { day: Some(**day), ..warning("quote_date", text) });
        }
        summary.findings.extend(self.volatilities.finding(source));
        summary.findings.extend(self.tickers.finding(source));
        let closed = self.days.into_iter().filter(|day| !Calendar::nyse().is_open(*day));
        summary.non_trading_days = closed.collect();
        for day in summary.non_trading_days.iter().take(5) {
            let text = format!("the exchange was closed on {day}");
            let found = warning("non_trading_days", text);
            summary.findings.push(Finding { day: Some(*day), ..found });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickers_tell_the_underlying_of_a_contract() {
        for (ticker, underlying, want) in [
            ("O:AAPL240621C00100000", "AAPL", true),
            ("O:AAPL1240621C00100000", "AAPL", true),
            ("O:SPXW240621C05000000", "I:SPX", true),
            ("O:SPXW240621C05000000", "^SPX", true),
            ("O:NDXP240621C05000000", "NDX", true),
            ("O:BRKB240621C00100000", "BRK/B", true),
            ("O:AAPL240621C00100000", "MSFT", false),
            ("O:AAPL240621C00100000", "A", false),
            ("O:A240621C00100000", "AAPL", false),
        ] {
            let contract = ticker.parse().unwrap();
            assert_eq!(
                is_on(&contract, &underlying.parse().unwrap()),
                want,
                "{ticker} {underlying}"
            );
        }
    }

    #[test]
    fn tickers_that_are_mostly_none_of_contracts_are_told() {
        let finding = |are: &[bool]| {
            let mut found = Tickers::default();
            for (is, line) in are.iter().zip(2..) {
                found.add("AAPL", *is, line);
            }
            found.finding(0).map(|found| (found.line.unwrap(), found.count))
        };
        assert_eq!((finding(&[]), finding(&[true, false, true])), (None, None));
        assert_eq!((finding(&[true, false]), finding(&[false])), (Some((3, 1)), Some((2, 1))));
    }

    #[test]
    fn percentages_show_in_most_volatilities_or_by_their_sign() {
        let finding = |cells: &[&str]| {
            let mut found = Volatilities::default();
            for (cell, line) in cells.iter().zip(2..) {
                let number = cell.parse::<Decimal>().ok().map(Value::Dec);
                found.add(&number.unwrap_or_else(|| Value::Text((*cell).into())), line);
            }
            found.finding(0).map(|found| (found.line.unwrap(), found.count))
        };
        // Contracts about to expire do have an implied volatility of several hundred percent.
        assert_eq!(finding(&["0.21", "5.5", "1.2", "?"]), None);
        assert_eq!(finding(&["0.9", "21.5", "34"]), Some((3, 2)));
        assert_eq!(finding(&["0.21", "0.22", "0.23", "21.5%"]), Some((5, 1)));
    }
}
