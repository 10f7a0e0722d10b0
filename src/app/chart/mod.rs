//! Values for drawing: one a session, with holes where the ledger has none.

mod days;
mod heatmap;
mod preview;

pub use days::days;
pub use heatmap::{Heat, Metric, heatmap};
pub use preview::preview;

use super::error::{AppError, Result};
use super::report::{BatchSpan, Chart, ChartLine, ChartPoint};
use super::views::ViewReader;
use crate::domain::series::{self, FieldDef, Unit};
use crate::domain::{BatchId, Calendar, Day, Position, Series, Symbol, code};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Record, Which, fold};
use crate::quant::moving;
use crate::quant::rank::{self, Definition, Standing};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

/// What a chart is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Fields of a view with a record a day.
    View(Series),
    /// Where implied volatility stood among its own past, day by day (`tomic.md` 7.4).
    Rank,
    /// Implied volatility, historical volatility of 20 and of 252 returns, and the close; of an index
    /// its level.
    All,
}

impl Kind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::View(series) => series.name(),
            Self::Rank => "rank",
            Self::All => "all",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "rank" => return Ok(Self::Rank),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let series = text.parse().ok().filter(|series: &Series| series.is_daily());
        series.map(Self::View).ok_or_else(|| {
            format!("`{text}` cannot be drawn; iv, hv, spot, index, rank, all and gaps can")
        })
    }
}

/// What to draw.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// What the chart is of.
    pub kind: Kind,
    /// The symbol.
    pub symbol: Symbol,
    /// The fields; none means those that the kind usually has.
    pub fields: Vec<String>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// The position; the head when absent.
    pub at: Option<Position>,
    /// Which of several assertions about a value counts.
    pub which: Which,
}

/// How a line's value of a day comes from the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Field,
    /// Our own average over the last 20 observations, never a vendor's.
    Average,
    Rank(Definition),
    Percentile(Definition),
}

impl Source {
    fn is_rank(self) -> bool {
        matches!(self, Self::Rank(_) | Self::Percentile(_))
    }
}

/// One line to draw.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    series: Series,
    /// The field that is read; of a rank the one that it is computed from.
    code: u16,
    name: &'static str,
    unit: &'static str,
    source: Source,
    panel: usize,
}

/// A value of a line and the batch that asserts it.
type Known = (Day, f64, BatchId);

/// The lines on every session between the first and the last day with a value.
///
/// # Errors
/// [`AppError::Usage`] for an unknown field, [`AppError::NotFound`] when there is nothing to draw.
pub fn chart(ledger: &Ledger, drawn: &Drawn) -> Result<Chart> {
    let at = drawn.at.unwrap_or(ledger.position());
    let days = drawn.from.unwrap_or(Day(i32::MIN))..=drawn.to.unwrap_or(Day(i32::MAX));
    let reader = ViewReader::new(ledger)?;
    let mut records: BTreeMap<Series, Vec<Record>> = BTreeMap::new();
    let (mut lines, mut absent, mut observed) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in wanted(drawn)? {
        let series = wanted.series;
        let records = match records.entry(series) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let activity = Activity::at(ledger.batches(), series, at);
                let history = reader.history(series, &drawn.symbol)?;
                free.insert(fold(series, &history, &activity, drawn.which))
            }
        };
        let (mut known, most) = values(&wanted, records);
        known.retain(|(day, ..)| days.contains(day));
        if known.is_empty() {
            absent.push(why_absent(&wanted, most));
            continue;
        }
        if wanted.source.is_rank() {
            // A rank that is missing for want of history is missing on the chart too.
            let valid = records.iter().filter(|r| rank::valid(r.number(wanted.code)).is_some());
            observed.extend(valid.map(|record| record.day).filter(|day| days.contains(day)));
        }
        lines.push((wanted, known));
    }
    let Some((main, _)) = lines.first() else {
        let (kind, symbol) = (drawn.kind, &drawn.symbol);
        if kind == Kind::All {
            // Of an index there is its level, and nothing else.
            let level = Drawn { kind: Kind::View(Series::Index), ..drawn.clone() };
            match chart(ledger, &level) {
                Err(AppError::NotFound(_)) => {}
                drawn => return drawn,
            }
        }
        let why = absent.first().map(String::as_str).unwrap_or_default();
        let text = match kind {
            Kind::All => {
                format!(
                    "there is nothing of {symbol} to draw: no view of a value a day shows any then"
                )
            }
            kind => format!("there is nothing of {kind} {symbol} to draw: {why}"),
        };
        return Err(AppError::NotFound(text));
    };
    let (series, field) = (main.series.name(), main.name);
    let sessions = sessions(&lines, &observed);
    Ok(Chart {
        kind: drawn.kind.name(),
        series,
        symbol: drawn.symbol.to_string(),
        field,
        position: at.0,
        which: drawn.which.told(),
        lines: panels(lines.iter().map(|(wanted, known)| line(wanted, known, &sessions)).collect()),
        absent,
        points: points(&sessions, &lines),
    })
}

/// Every session has a place, so that a hole is as wide as it is long.
fn sessions(lines: &[(Wanted, Vec<Known>)], observed: &[Day]) -> Vec<Day> {
    let known = lines.iter().flat_map(|(_, known)| known.iter().map(|(day, ..)| *day));
    let mut days: Vec<Day> = known.chain(observed.iter().copied()).collect();
    if let Some((first, last)) = days.iter().min().copied().zip(days.iter().max().copied()) {
        days.extend(Calendar::nyse().open_days(first, last));
    }
    days.sort_unstable();
    days.dedup();
    days
}

fn points(sessions: &[Day], lines: &[(Wanted, Vec<Known>)]) -> Vec<ChartPoint> {
    let value = |known: &[Known], day: &Day| {
        let found = known.binary_search_by_key(day, |(day, ..)| *day).ok();
        found.and_then(|index| known.get(index)).map(|(_, value, _)| *value)
    };
    let point = |day: &Day| ChartPoint {
        date: day.to_string(),
        values: lines.iter().map(|(_, known)| value(known, day)).collect(),
    };
    sessions.iter().map(point).collect()
}

fn line(wanted: &Wanted, known: &[Known], sessions: &[Day]) -> ChartLine {
    let edge = |at: Option<&Known>| at.map_or(Day(0), |(day, ..)| *day);
    let (mut first, last) = (edge(known.first()), edge(known.last()));
    if wanted.source.is_rank() {
        first = sessions.first().copied().unwrap_or(first);
    }
    let all = sessions.iter().filter(|day| (first..=last).contains(day)).count();
    let mut batches: Vec<BatchSpan> = Vec::new();
    for (day, _, batch) in known {
        let (day, batch) = (day.to_string(), batch.to_string());
        match batches.last_mut() {
            Some(last) if last.batch == batch => last.to = day,
            _ => batches.push(BatchSpan { batch, from: day.clone(), to: day }),
        }
    }
    ChartLine {
        series: wanted.series.name(),
        field: wanted.name,
        unit: wanted.unit,
        panel: wanted.panel,
        known: known.len() as u64,
        missing: all.saturating_sub(known.len()) as u64,
        batches,
    }
}

/// Numbers the panels from 0 without holes, where lines of one were absent.
fn panels(mut lines: Vec<ChartLine>) -> Vec<ChartLine> {
    let mut used: Vec<usize> = lines.iter().map(|line| line.panel).collect();
    used.sort_unstable();
    used.dedup();
    for line in &mut lines {
        line.panel = used.binary_search(&line.panel).unwrap_or(0);
    }
    lines
}

/// The values of a line, and the most observations before a day where it is a rank.
fn values(wanted: &Wanted, records: &[Record]) -> (Vec<Known>, usize) {
    let told = |record: &Record, value: Option<f64>| {
        let cell = record.known(wanted.code)?;
        Some((record.day, value.filter(|value| value.is_finite())?, cell.event.batch))
    };
    let of = |definition: Definition, pick: fn(&Standing) -> Option<f64>| {
        let series: Vec<Option<f64>> = records.iter().map(|r| r.number(wanted.code)).collect();
        let standings = rank::windowed(&series, definition);
        let most = standings.iter().map(|standing| standing.n).max().unwrap_or(0);
        let pairs = records.iter().zip(&standings);
        (pairs.filter_map(|(record, standing)| told(record, pick(standing))).collect(), most)
    };
    match wanted.source {
        Source::Field => {
            let number = |record: &Record| told(record, record.number(wanted.code));
            (records.iter().filter_map(number).collect(), 0)
        }
        Source::Average => {
            let series: Vec<Option<f64>> = records.iter().map(|r| r.number(wanted.code)).collect();
            let most = series.iter().filter(|value| rank::valid(**value).is_some()).count();
            let pairs = records.iter().zip(moving::iv_ma20(&series));
            (pairs.filter_map(|(record, value)| told(record, value)).collect(), most)
        }
        Source::Rank(definition) => of(definition, |standing| standing.rank),
        Source::Percentile(definition) => of(definition, |standing| standing.percentile),
    }
}

fn why_absent(wanted: &Wanted, most: usize) -> String {
    let name = wanted.name;
    match wanted.source {
        Source::Rank(definition) | Source::Percentile(definition) if most < definition.minimum => {
            let minimum = definition.minimum;
            format!("{name} (at most {most} observations before a day, {minimum} are wanted)")
        }
        Source::Average if most < moving::AVERAGE => {
            let wanted = moving::AVERAGE;
            format!("{name} ({most} observations, {wanted} are wanted)")
        }
        _ => format!("{name} (no value there)"),
    }
}

/// The word for a unit that can be drawn.
fn unit_name(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Vol => Some("vol"),
        Unit::Points => Some("points"),
        Unit::Rank => Some("rank"),
        Unit::Price => Some("price"),
        Unit::Count => Some("count"),
        Unit::Number => Some("number"),
        Unit::Move | Unit::Time | Unit::Text => None,
    }
}

const ONE: Definition = rank::ONE_YEAR;
const TWO: Definition = rank::TWO_YEARS;

/// The lines of a rank chart: one panel a window.
const RANKS: [(&str, Source, usize); 4] = [
    ("iv_rank_252", Source::Rank(ONE), 0),
    ("iv_percentile_252", Source::Percentile(ONE), 0),
    ("iv_rank_504", Source::Rank(TWO), 1),
    ("iv_percentile_504", Source::Percentile(TWO), 1),
];

fn wanted(drawn: &Drawn) -> Result<Vec<Wanted>> {
    match drawn.kind {
        Kind::View(series) => of_view(series, &drawn.fields),
        Kind::All if !drawn.fields.is_empty() => Err(AppError::Usage(
            "`chart all` has its own fields; name fields with one view, as in `chart iv`".into(),
        )),
        Kind::All => {
            let of = |code: u16, panel| {
                let field = series::field(code)?;
                let unit = unit_name(field.unit)?;
                let (series, name, source) = (field.series, field.name, Source::Field);
                Some(Wanted { series, code, name, unit, source, panel })
            };
            let average = of(code::ATM_IV, 0).map(|of| Wanted {
                name: "iv_ma20",
                source: Source::Average,
                ..of
            });
            let all = [
                of(code::ATM_IV, 0),
                average,
                of(code::HV20, 0),
                of(code::HV252, 0),
                of(code::CLOSE, 1),
            ];
            Ok(all.into_iter().flatten().collect())
        }
        Kind::Rank => {
            let known = || RANKS.map(|(name, ..)| name).join(", ");
            let strange = drawn.fields.iter().find(|f| RANKS.iter().all(|(name, ..)| name != f));
            if let Some(name) = strange {
                let text = format!("a rank has no field `{name}`; it has {}", known());
                return Err(AppError::Usage(text));
            }
            let asked =
                |name: &str| drawn.fields.is_empty() || drawn.fields.iter().any(|f| f == name);
            let lines = RANKS.into_iter().filter(|(name, ..)| asked(name));
            let line = |(name, source, panel)| {
                let (series, code) = (Series::Iv, code::ATM_IV);
                Wanted { series, code, name, unit: "rank", source, panel }
            };
            Ok(lines.map(line).collect())
        }
    }
}

/// Fields of one view: those of one unit share a panel.
fn of_view(series: Series, names: &[String]) -> Result<Vec<Wanted>> {
    let usage = |text: String| Err(AppError::Usage(text));
    if !series.is_daily() {
        let text = format!("{series} has no value a day; charts are of iv, hv, spot and index");
        return usage(text);
    }
    let mut fields: Vec<&'static FieldDef> = Vec::new();
    for name in names {
        match series::field_named(series, name) {
            Some(field) if unit_name(field.unit).is_none() => {
                return usage(format!("`{name}` of view {series} is no number to draw"));
            }
            Some(field) if fields.contains(&field) => {}
            Some(field) => fields.push(field),
            None => {
                let known: Vec<_> = series.fields().map(|field| field.name).collect();
                let known = known.join(", ");
                return usage(format!("view {series} has no field `{name}`; it has {known}"));
            }
        }
    }
    if names.is_empty() {
        fields.extend(series::field(series.primary()));
    }
    let mut units: Vec<&'static str> = Vec::new();
    let mut lines = Vec::new();
    for field in fields {
        let Some(unit) = unit_name(field.unit) else { continue };
        let panel = units.iter().position(|known| *known == unit).unwrap_or(units.len());
        if panel == units.len() {
            units.push(unit);
        }
        let (code, name, source) = (field.code, field.name, Source::Field);
        lines.push(Wanted { series, code, name, unit, source, panel });
    }
    Ok(lines)
}
