//! The trader's views: where a symbol's volatility stands, and all of it on one line.
//!
//! Derived when asked, from the views at a position; nothing here is stored, and nothing of a day
//! depends on later days (`tomic.md` 7.4, 12.1).

use super::error::Result;
use super::lookup::known;
use super::parallel::{self, threads};
use super::report::{Rank, RankRow, Snapshot, SnapshotRow};
use super::views::{Roots, ViewReader};
use crate::domain::{Calendar, Day, Position, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::projections::view::{Record, fold};
use crate::quant::{moving, rank};
use std::sync::Arc;

pub use crate::projections::view::Which;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The symbols; none means all.
    pub symbols: Vec<Symbol>,
    /// The position; the head when absent.
    pub at: Option<Position>,
    /// The day; the newest one of each symbol when absent. Later days are not looked at.
    pub date: Option<Day>,
    /// Whether the newest or the earliest values count.
    pub which: Which,
}

/// Sessions after which a value is called stale.
const STALE: u32 = 5;

/// Observations that the longest window looks at, the newest one included.
const LONGEST: usize = 505;

/// More observations than an average of [`rank_row`] looks at.
const AVERAGED: usize = 40;

/// A view's fold at a position, symbol by symbol.
pub(super) struct Past<'a> {
    pub(super) reader: ViewReader<'a>,
    ledger: &'a Ledger,
    pub(super) at: Position,
    until: Day,
    which: Which,
}

impl<'a> Past<'a> {
    pub(super) fn of(ledger: &'a Ledger, asked: &Asked) -> Result<Self> {
        let roots: Arc<Roots> = ViewReader::new(ledger)?.roots();
        let at = asked.at.unwrap_or(ledger.position());
        let until = asked.date.unwrap_or(Day(i32::MAX));
        Ok(Self { reader: ViewReader::with(ledger, roots), ledger, at, until, which: asked.which })
    }

    /// The newest records up to the day asked, of as few stored years as have `enough` of them with
    /// a value in `field`; all records where there are not so many. What lies further back says
    /// nothing about windows that end at the newest one.
    pub(super) fn newest(
        &self,
        view: Series,
        symbol: &Symbol,
        field: u16,
        enough: usize,
    ) -> Result<Vec<Record>> {
        let mut years = self.reader.periods(view, symbol)?;
        years.retain(|year| *year <= self.until.year());
        let activity = self.reader.activity(view, self.at);
        let mut back = 1 + enough / 250;
        loop {
            let first = years.len().checked_sub(back).and_then(|index| years.get(index));
            let from = first.and_then(|year| Day::from_ymd(*year, 1, 1));
            let from = from.unwrap_or(Day(i32::MIN));
            let history = self.reader.history_between(view, symbol, from, self.until)?;
            let mut records = fold(view, &history, &activity, self.which);
            records.retain(|record| record.day <= self.until);
            let with =
                records.iter().filter(|record| record.number(field).is_some_and(|v| v > 0.0));
            if with.count() >= enough || back >= years.len() {
                return Ok(records);
            }
            back *= 2;
        }
    }

    /// The days of a symbol's earnings announcements, ascending, also those to come.
    pub(super) fn announced(&self, symbol: &Symbol) -> Result<Vec<Day>> {
        let records = self.reader.records(Series::Earnings, symbol, self.at, self.which)?;
        Ok(records.iter().map(|record| record.day).collect())
    }

    /// The symbols asked for, or all that the views know.
    pub(super) fn symbols(&self, asked: &Asked, views: &[Series]) -> Result<Vec<Symbol>> {
        if !asked.symbols.is_empty() {
            known(self.ledger, &asked.symbols, views, asked.at)?;
            return Ok(asked.symbols.clone());
        }
        let all = views.iter().map(|view| self.reader.symbols(*view));
        let mut all = all.collect::<Result<Vec<_>>>()?.concat();
        all.sort();
        all.dedup();
        Ok(all)
    }
}

/// Where implied volatility stands among its own history.
///
/// # Errors
/// Those of [`known`]; a stored value that cannot be read.
pub fn ranks(ledger: &Ledger, asked: &Asked) -> Result<Rank> {
    let past = Past::of(ledger, asked)?;
    let found = parallel::map(&past.symbols(asked, &[Series::Iv])?, threads(), |symbol| {
        let records = past.newest(Series::Iv, symbol, code::ATM_IV, LONGEST)?;
        Ok(rank_row(symbol, &records, asked.date))
    })?;
    let mut rows: Vec<RankRow> = found.into_iter().flatten().collect();
    // The dearest first; those without a rank at the end.
    let size = |row: &RankRow| row.iv_percentile_252.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.symbol.cmp(&b.symbol)));
    let which = asked.which.told();
    Ok(Rank { position: past.at.0, which, rows })
}

/// The newest day with a volatility, or the day asked for if it has one.
pub(super) fn rank_row(symbol: &Symbol, records: &[Record], date: Option<Day>) -> Option<RankRow> {
    let series: Vec<Option<f64>> = records.iter().map(|r| r.number(code::ATM_IV)).collect();
    let at = match date {
        Some(date) => records.binary_search_by_key(&date, |record| record.day).ok()?,
        None => series.iter().rposition(|value| rank::valid(*value).is_some())?,
    };
    let record = records.get(at)?;
    let standing = |definition| rank::windowed_at(&series, at, definition).unwrap_or_default();
    let (one, two) = (standing(rank::ONE_YEAR), standing(rank::TWO_YEARS));
    // Averages look at the last observations only; a part of the series that has them is enough.
    let upto = series.iter().enumerate().take(at + 1).rev();
    let mut valid = upto.filter(|(_, value)| rank::valid(**value).is_some());
    let from = valid.nth(AVERAGED).map_or(0, |(index, _)| index);
    let last = |of: fn(&[Option<f64>]) -> Vec<Option<f64>>| {
        of(series.get(from..=at).unwrap_or_default()).last().copied().flatten()
    };
    Some(RankRow {
        symbol: symbol.to_string(),
        date: record.day.to_string(),
        atm_iv: rank::valid(series.get(at).copied().flatten()),
        iv_rank_252: one.rank,
        iv_percentile_252: one.percentile,
        n_252: one.n as u64,
        iv_rank_504: two.rank,
        iv_percentile_504: two.percentile,
        n_504: two.n as u64,
        iv_ma20: last(moving::iv_ma20),
        iv_vs_ma20: last(moving::iv_vs_iv_ma20),
    })
}

/// One line a symbol: price, volatilities, where they stand, and from which day each of them is.
///
/// # Errors
/// Those of [`known`]; a stored value that cannot be read.
pub fn snapshot(ledger: &Ledger, asked: &Asked, today: Day) -> Result<Snapshot> {
    let rows = lines(ledger, asked, today)?.into_iter().map(|(row, _)| row).collect();
    let (at, which) = (asked.at.unwrap_or(ledger.position()), asked.which.told());
    Ok(Snapshot { position: at.0, which, rows })
}

/// The lines of a snapshot, each with where the volatility that it shows stands on its own day.
pub(super) fn lines(
    ledger: &Ledger,
    asked: &Asked,
    today: Day,
) -> Result<Vec<(SnapshotRow, Option<RankRow>)>> {
    let past = Past::of(ledger, asked)?;
    let symbols = past.symbols(asked, &[Series::Iv, Series::Hv, Series::Spot])?;
    let mut rows = parallel::map(&symbols, threads(), |symbol| {
        let iv = past.newest(Series::Iv, symbol, code::ATM_IV, LONGEST)?;
        let hv = past.newest(Series::Hv, symbol, code::HV20, 1)?;
        let spot = past.newest(Series::Spot, symbol, code::CLOSE, 1)?;
        let date = asked.date.unwrap_or(today);
        let announced = past.announced(symbol)?;
        let next = announced.into_iter().find(|day| *day >= date);
        let (row, standing) = snapshot_row(symbol, [&iv, &hv, &spot], date);
        let next_earnings = next.map(|day| day.to_string());
        Ok((SnapshotRow { next_earnings, ..row }, standing))
    })?;
    // A symbol whose facts came later is not heard of yet, unless it was asked for.
    let known = |row: &SnapshotRow| {
        [&row.iv_date, &row.hv_date, &row.spot_date].into_iter().any(Option::is_some)
    };
    rows.retain(|(row, _)| !asked.symbols.is_empty() || known(row));
    Ok(rows)
}

/// Whether values of these days are no picture of one day: they differ, or one is older than
/// [`STALE`] sessions.
pub(super) fn stale(days: &[Day], today: Day) -> bool {
    // Values of several days are never read as one: the line says so.
    let mixed = days.iter().any(|day| Some(day) != days.first());
    let oldest = days.iter().min();
    let late = oldest.is_some_and(|day| Calendar::nyse().open_days_between(*day, today) > STALE);
    mixed || late
}

/// The newest record with a value in a field.
fn newest(records: &[Record], code: u16) -> Option<&Record> {
    records.iter().rev().find(|record| record.number(code).is_some())
}

fn snapshot_row(
    symbol: &Symbol,
    [iv, hv, spot]: [&[Record]; 3],
    today: Day,
) -> (SnapshotRow, Option<RankRow>) {
    let of = |record: Option<&Record>, code| record.and_then(|record| record.number(code));
    let iv_day = newest(iv, code::ATM_IV);
    let hv_day = [code::HV20, code::HV30, code::HV90, code::HV252]
        .into_iter()
        .filter_map(|code| newest(hv, code));
    let hv_day = hv_day.max_by_key(|record| record.day);
    let spot_day = newest(spot, code::CLOSE);
    let days: Vec<Day> = [iv_day, hv_day, spot_day].into_iter().flatten().map(|r| r.day).collect();
    let standing = iv_day.and_then(|record| rank_row(symbol, iv, Some(record.day)));
    // A volatility of 0 stands for none (`tomic.md` 9.3).
    let (iv_value, hv20) = (rank::valid(of(iv_day, code::ATM_IV)), of(hv_day, code::HV20));
    let text = |record: Option<&Record>| record.map(|record| record.day.to_string());
    let row = SnapshotRow {
        symbol: symbol.to_string(),
        spot: of(spot_day, code::CLOSE),
        spot_date: text(spot_day),
        atm_iv: iv_value,
        iv_date: text(iv_day),
        hv20,
        hv30: of(hv_day, code::HV30),
        hv90: of(hv_day, code::HV90),
        hv252: of(hv_day, code::HV252),
        hv_date: text(hv_day),
        iv_rank_252: standing.as_ref().and_then(|row| row.iv_rank_252),
        iv_percentile_252: standing.as_ref().and_then(|row| row.iv_percentile_252),
        n_252: standing.as_ref().map_or(0, |row| row.n_252),
        iv_vs_hv20: crate::quant::moving::spread(iv_value, hv20),
        term_m1_m2: of(iv_day, code::TERM_M1_M2),
        term_m1_m3: of(iv_day, code::TERM_M1_M3),
        skew: of(iv_day, code::SKEW),
        next_earnings: None,
        stale: stale(&days, today),
    };
    (row, standing)
}
