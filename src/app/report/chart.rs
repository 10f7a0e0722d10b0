//! What pictures are made of: lines over sessions, months of many symbols, days of one.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

/// Lines over the sessions of one time axis: `volledger/chart/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/chart/1")]
pub struct Chart {
    /// What was asked for: iv, hv, spot, index, rank or all.
    pub kind: &'static str,
    /// The view of the first line.
    pub series: &'static str,
    /// The symbol.
    pub symbol: String,
    /// The field of the first line.
    pub field: &'static str,
    /// The position shown.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// The lines, in the order of the points' values.
    pub lines: Vec<ChartLine>,
    /// Lines that were asked for and have no value there, each with the reason.
    pub absent: Vec<String>,
    /// Every session from the first to the last day with a value.
    pub points: Vec<ChartPoint>,
}

/// One line of a chart.
#[derive(Clone, Debug, Serialize)]
pub struct ChartLine {
    /// The view that it is read or computed from.
    pub series: &'static str,
    /// The field.
    pub field: &'static str,
    /// What its numbers are: vol (a fraction), points, rank (0 to 100), price, count, number.
    pub unit: &'static str,
    /// The panel that it belongs to; lines of one panel share a value axis.
    pub panel: usize,
    /// Sessions with a value.
    pub known: u64,
    /// Sessions without one between its first and last; of a rank those before its first as well.
    pub missing: u64,
    /// Which batch asserts the values, from day to day, ascending.
    pub batches: Vec<BatchSpan>,
}

/// Days whose values one batch asserts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchSpan {
    /// The batch.
    pub batch: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
}

/// One session: `["2024-01-02", 0.61, null]` in JSON, a value for each line.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartPoint {
    /// The day.
    pub date: String,
    /// The values in the order of the lines; `None` is a hole.
    pub values: Vec<Option<f64>>,
}

impl Serialize for ChartPoint {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut list = out.serialize_seq(Some(1 + self.values.len()))?;
        list.serialize_element(&self.date)?;
        for value in &self.values {
            list.serialize_element(value)?;
        }
        list.end()
    }
}

/// Symbols × months: `volledger/heatmap/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/heatmap/1")]
pub struct Heatmap {
    /// The position shown.
    pub position: u64,
    /// `first` when the earliest values are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub which: Option<&'static str>,
    /// What is shown: iv_percentile_252, iv_rank_252, iv_percentile_504, iv_rank_504 or atm_iv.
    pub metric: &'static str,
    /// Its definition in a sentence.
    pub definition: &'static str,
    /// The periods: month.
    pub by: &'static str,
    /// The months, ascending: `2025-11`.
    pub months: Vec<String>,
    /// A row a symbol, the highest newest value first, those without one last.
    pub rows: Vec<HeatRow>,
    /// Symbols left out by the limit.
    pub hidden: u64,
}

/// One symbol of a heat map.
#[derive(Clone, Debug, Serialize)]
pub struct HeatRow {
    /// The symbol.
    pub symbol: String,
    /// Its newest value of the months shown.
    pub newest: Option<f64>,
    /// Observations behind it (before the day, at most the window).
    pub n: u64,
    /// A cell for each month; `None` where the month has no observation.
    pub cells: Vec<Option<HeatCell>>,
}

/// One month of one symbol.
#[derive(Clone, Debug, Serialize)]
pub struct HeatCell {
    /// The last day of the month with an observation.
    pub date: String,
    /// The value on that day; `None` with too few observations before it.
    pub value: Option<f64>,
    /// Observations before that day, at most the window.
    pub n: u64,
}

/// What is known of each day of one symbol: `volledger/days/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/days/1")]
pub struct Days {
    /// The symbol.
    pub symbol: String,
    /// The position shown.
    pub position: u64,
    /// Per view.
    pub views: Vec<DaysView>,
}

/// The days of one view.
#[derive(Clone, Debug, Serialize)]
pub struct DaysView {
    /// The view.
    pub series: &'static str,
    /// First day told of: the first with a value, or the first that a service was asked about.
    pub from: String,
    /// Last day told of.
    pub to: String,
    /// How many days of each kind.
    pub counts: DayCounts,
    /// Every day told of, ascending; on days in between that are not listed the
    /// exchange was closed, and there is no record.
    pub days: Vec<(String, DayKind)>,
}

/// What is known of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A session with a record.
    Value,
    /// A session without one, between sessions that have one.
    Missing,
    /// A session without one, and a service said that it has nothing.
    Empty,
    /// The exchange was closed, and there is a record all the same.
    ClosedValue,
    /// A session outside the days with a record that no service was asked about.
    NotAsked,
}

/// Days by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DayCounts {
    /// Sessions with a record.
    pub value: u64,
    /// Sessions without one.
    pub missing: u64,
    /// Sessions that a service has nothing for.
    pub empty: u64,
    /// Closed days with a record.
    pub closed_value: u64,
    /// Sessions outside the days with a record, between those and days asked about.
    pub not_asked: u64,
}
