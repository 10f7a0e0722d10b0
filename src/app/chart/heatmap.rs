//! Many symbols over the months: where implied volatility stood at the end of each.

use super::super::error::Result;
use super::super::lookup::known;
use super::super::report::{HeatCell, HeatRow, Heatmap};
use super::super::views::ViewReader;
use super::super::{parallel, threads};
use crate::domain::{Day, Position, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::projections::view::{Which, each};
use crate::quant::rank::{self, Definition, Standing};
use std::collections::BTreeMap;

/// Months shown when neither end is given.
const MONTHS: usize = 24;

/// What the cells of a heat map hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// Share of the 252 observations before the day that are lower.
    #[default]
    Percentile252,
    /// Place between lowest and highest of the last 252 observations.
    Rank252,
    /// As the percentile, over 504.
    Percentile504,
    /// As the rank, over 504.
    Rank504,
    /// Implied volatility itself, a fraction.
    AtmIv,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 5] =
        [Self::Percentile252, Self::Rank252, Self::Percentile504, Self::Rank504, Self::AtmIv];

    /// Its name, as `rank` and the views have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile252 => "iv_percentile_252",
            Self::Rank252 => "iv_rank_252",
            Self::Percentile504 => "iv_percentile_504",
            Self::Rank504 => "iv_rank_504",
            Self::AtmIv => "atm_iv",
        }
    }

    /// What it means, in a sentence (`tomic.md` 7.4).
    pub fn definition(self) -> &'static str {
        match self {
            Self::Percentile252 => {
                "Share, 0 to 100, of the 252 observations of IV before the day that are lower \
                 than it; with fewer than 252 there is none."
            }
            Self::Rank252 => {
                "Place of IV, 0 to 100, between lowest and highest of the last 252 observations, \
                 the day's own included; with fewer than 252 before it there is none."
            }
            Self::Percentile504 => {
                "Share, 0 to 100, of the last 504 observations of IV before the day that are lower \
                 than it; with fewer than 378 there is none."
            }
            Self::Rank504 => {
                "Place of IV, 0 to 100, between lowest and highest of the last 504 observations, \
                 the day's own included; with fewer than 378 before it there is none."
            }
            Self::AtmIv => "Implied volatility at the money, in percent a year.",
        }
    }

    fn window(self) -> Definition {
        match self {
            Self::Percentile504 | Self::Rank504 => rank::TWO_YEARS,
            _ => rank::ONE_YEAR,
        }
    }

    fn of(self, iv: f64, standing: &Standing) -> Option<f64> {
        match self {
            Self::Percentile252 | Self::Percentile504 => standing.percentile,
            Self::Rank252 | Self::Rank504 => standing.rank,
            Self::AtmIv => Some(iv),
        }
    }
}

/// What to show in a heat map.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    /// The symbols; none means all with implied volatility.
    pub symbols: Vec<Symbol>,
    /// What the cells hold.
    pub metric: Metric,
    /// First day; the months of the newest two years when absent.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// The position; the head when absent.
    pub at: Option<Position>,
    /// Which of several assertions about a value counts.
    pub which: Which,
    /// Most symbols shown; 0 is all.
    pub limit: usize,
}

/// The month of a day, counted so that neighbours differ by one.
fn month_of(day: Day) -> i32 {
    day.year() * 12 + day.month() as i32 - 1
}

fn month_name(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

/// Symbols × months, with the value of the last observation of each month.
///
/// # Errors
/// Those of [`known`] for view `iv`; a stored value that cannot be read.
pub fn heatmap(ledger: &Ledger, heat: &Heat) -> Result<Heatmap> {
    let reader = ViewReader::new(ledger)?;
    let at = heat.at.unwrap_or(ledger.position());
    known(ledger, &heat.symbols, &[Series::Iv], heat.at)?;
    let mut symbols = heat.symbols.clone();
    if symbols.is_empty() {
        symbols = reader.symbols(Series::Iv)?;
    }
    let to = heat.to.unwrap_or(Day(i32::MAX));
    let found = parallel::map(&symbols, threads(), |symbol| {
        let reader = ViewReader::with(ledger, reader.roots());
        let observed = newest(&reader, heat, symbol, at, to)?;
        Ok((symbol.clone(), ends_of_months(&observed, heat)))
    })?;
    let ends = || found.iter().flat_map(|(_, cells)| cells.keys().copied());
    // Without any observation there are no months.
    let months: Vec<i32> = match ends().min().zip(ends().max()) {
        Some((oldest, newest)) => {
            let from = heat.from.map_or(newest + 1 - MONTHS as i32, month_of);
            (oldest.max(from)..=newest).collect()
        }
        None => Vec::new(),
    };
    let row = |(symbol, mut cells): (Symbol, BTreeMap<i32, HeatCell>)| {
        let cells: Vec<_> = months.iter().map(|month| cells.remove(month)).collect();
        let latest = cells.iter().rev().flatten().next();
        HeatRow {
            symbol: symbol.to_string(),
            newest: latest.and_then(|cell| cell.value),
            n: latest.map_or(0, |cell| cell.n),
            cells,
        }
    };
    let mut rows: Vec<HeatRow> = found.into_iter().map(row).collect();
    // A symbol whose months are all before the first one shown has nothing to show.
    if heat.symbols.is_empty() {
        rows.retain(|row| row.cells.iter().any(Option::is_some));
    }
    let size = |row: &HeatRow| row.newest.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.symbol.cmp(&b.symbol)));
    let most = if heat.limit == 0 { usize::MAX } else { heat.limit };
    let hidden = rows.len().saturating_sub(most) as u64;
    rows.truncate(most);
    Ok(Heatmap {
        position: at.0,
        which: heat.which.told(),
        metric: heat.metric.name(),
        definition: heat.metric.definition(),
        by: "month",
        months: months.iter().copied().map(month_name).collect(),
        rows,
        hidden,
    })
}

/// A symbol's implied volatility up to the last day: of as few stored years as the first month needs.
fn newest(
    reader: &ViewReader<'_>,
    heat: &Heat,
    symbol: &Symbol,
    at: Position,
    to: Day,
) -> Result<Vec<Observed>> {
    let activity = reader.activity(Series::Iv, at);
    let mut years = reader.periods(Series::Iv, symbol)?;
    years.retain(|year| *year <= to.year());
    let window = heat.metric.window().window;
    let mut back = 3 + window / 250;
    loop {
        let first = years.len().checked_sub(back).and_then(|index| years.get(index));
        let from = first.and_then(|year| Day::from_ymd(*year, 1, 1)).unwrap_or(Day(i32::MIN));
        let history = reader.history_between(Series::Iv, symbol, from, to)?;
        let mut observed = Vec::with_capacity(history.batches.len());
        each(Series::Iv, &history, &activity, heat.which, &mut |shown| {
            observed.push((shown.day(), shown.number(code::ATM_IV)));
        });
        observed.retain(|(day, _)| *day <= to);
        // A full window has to lie before the first day shown. Without a first day that is at
        // most two years before the symbol's own newest one.
        let two_years = |(day, _): &Observed| Day::from_ymd(day.year() - 2, 1, 1);
        let start = heat.from.or(observed.last().and_then(two_years)).unwrap_or(from);
        let valid = |(_, iv): &&Observed| rank::valid(*iv).is_some();
        let before = observed.iter().filter(|(day, _)| *day < start).filter(valid).count();
        if before >= window || back >= years.len() {
            return Ok(observed);
        }
        back *= 2;
    }
}

/// A day, and implied volatility at the money where it is known.
type Observed = (Day, Option<f64>);

/// The last observation of each month and where it stands.
fn ends_of_months(observed: &[Observed], heat: &Heat) -> BTreeMap<i32, HeatCell> {
    let series: Vec<Option<f64>> = observed.iter().map(|(_, iv)| *iv).collect();
    let standings = rank::windowed(&series, heat.metric.window());
    let mut months: BTreeMap<i32, (Day, f64, &Standing)> = BTreeMap::new();
    // The last of a month is the first that is met from the end.
    for ((day, iv), standing) in observed.iter().zip(&standings).rev() {
        let Some(iv) = rank::valid(*iv) else { continue };
        if heat.from.is_none_or(|from| *day >= from) {
            months.entry(month_of(*day)).or_insert((*day, iv, standing));
        }
    }
    let cell = |(day, iv, standing): (Day, f64, &Standing)| HeatCell {
        date: day.to_string(),
        value: heat.metric.of(iv, standing),
        n: standing.n as u64,
    };
    months.into_iter().map(|(month, of)| (month, cell(of))).collect()
}
