//! The tables that SQL sees, and how their rows come out of the ledger.

use super::page::Page;
use super::view;
use crate::app::clock::rfc3339;
use crate::app::error::Result;
use crate::app::projection::definition::Body;
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::series::Unit;
use crate::domain::{
    BatchId, BatchState, Datum, Day, EventId, Op, Series, Symbol, Table as Rows, Value, Window,
    float,
};
use crate::projections::view::History;
use std::ops::RangeInclusive;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Table {
    /// What a view shows.
    View(Series),
    /// What a projection answers.
    Projection(ProjectionName),
    /// Every assertion ever committed, with the position from which its batch counted first, and the
    /// one up to which it counted last.
    Assertions,
    /// Batches.
    Batches,
    /// Row events, rejected rows left out.
    Events,
    /// Sources of batches.
    Sources,
}

const ASSERTIONS: [&str; 13] = [
    "symbol",
    "date",
    "series",
    "item",
    "field",
    "value",
    "number",
    "event",
    "batch",
    "class",
    "from_position",
    "to_position",
    "active",
];
const BATCHES: [&str; 10] = [
    "batch",
    "state",
    "series",
    "mapping",
    "symbols",
    "accepted",
    "rejected",
    "staged_at",
    "confirmed_at",
    "content_id",
];
const EVENTS: [&str; 10] =
    ["symbol", "date", "event", "batch", "series", "item", "op", "source", "line", "offset"];
const SOURCES: [&str; 7] = ["batch", "digest", "kind", "name", "bytes", "observed_at", "status"];

/// What a query wants of a table.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this symbol.
    pub symbol: Option<String>,
    /// First day.
    pub from: Option<Day>,
    /// Last day.
    pub to: Option<Day>,
    /// The columns that are looked at, as bits; the last bit stands for all beyond 62.
    pub used: u64,
}

impl Filter {
    /// Whether a column is looked at.
    pub fn uses(&self, column: usize) -> bool {
        self.used & (1u64 << column.min(63)) != 0
    }

    /// The days that are asked for.
    pub fn days(&self) -> RangeInclusive<Day> {
        self.from.unwrap_or(Day(i32::MIN))..=self.to.unwrap_or(Day(i32::MAX))
    }
}

impl Table {
    /// The tables of facts, which every ledger has.
    pub fn facts() -> impl Iterator<Item = Self> {
        let views = Series::ALL.into_iter().map(Self::View);
        views.chain([Self::Assertions, Self::Batches, Self::Events, Self::Sources])
    }

    /// Every table: facts, then projections by name alone and by name and version.
    pub fn all(vantage: &Vantage) -> Vec<Self> {
        let known = vantage.projections();
        let mut tables: Vec<Self> = Self::facts().collect();
        let mut last: Option<&str> = None;
        for id in &known {
            if last.replace(&id.name) != Some(&id.name) {
                let name = ProjectionName { name: id.name.clone(), version: None };
                tables.push(Self::Projection(name));
            }
            let name = ProjectionName { name: id.name.clone(), version: Some(id.version) };
            tables.push(Self::Projection(name));
        }
        tables
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Self::View(series) => series.name().to_owned(),
            Self::Projection(name) => name.to_string(),
            Self::Assertions => "assertions".to_owned(),
            Self::Batches => "batches".to_owned(),
            Self::Events => "events".to_owned(),
            Self::Sources => "sources".to_owned(),
        }
    }

    /// Its columns. Where there are a symbol and a date they are the first two.
    ///
    /// # Errors
    /// Those of [`Vantage::definition`].
    pub fn columns(&self, vantage: &Vantage) -> Result<Vec<String>> {
        let fixed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Ok(match self {
            Self::View(series) => {
                let mut columns = vec!["symbol".to_owned(), "date".to_owned()];
                columns.extend(series.item_name().map(str::to_owned));
                columns.extend(series.fields().map(|field| field.name.to_owned()));
                columns
            }
            Self::Projection(name) => vantage.definition(&vantage.id(name)?)?.columns.clone(),
            Self::Assertions => fixed(&ASSERTIONS),
            Self::Batches => fixed(&BATCHES),
            Self::Events => fixed(&EVENTS),
            Self::Sources => fixed(&SOURCES),
        })
    }

    /// Whether a symbol and days can be asked for.
    ///
    /// # Errors
    /// Those of [`Vantage::definition`].
    pub fn has_keys(&self, vantage: &Vantage) -> Result<bool> {
        Ok(match self {
            Self::View(_) | Self::Assertions | Self::Events => true,
            Self::Batches | Self::Sources => false,
            Self::Projection(name) => {
                let definition = vantage.definition(&vantage.id(name)?)?;
                let whole = matches!(definition.body, Body::Query { by_symbol: false, .. });
                !whole && definition.columns.first().is_some_and(|name| name == "symbol")
            }
        })
    }

    /// The rows of a table, a part at a time.
    ///
    /// # Errors
    /// Those of [`Vantage::definition`].
    pub fn scan(&self, vantage: &Vantage, filter: Filter) -> Result<Scan> {
        vantage.note(filter.symbol.as_deref());
        // Where one symbol is asked for, the others are not looked at.
        let of_view = |series: Series| -> Result<Vec<Part>> {
            let reader = vantage.reader();
            let symbols = match filter.symbol.as_deref().map(Symbol::exact) {
                None => reader.symbols(series)?,
                Some(Ok(one)) if reader.events(series, &one)? > 0 => vec![one],
                Some(_) => Vec::new(),
            };
            Ok(symbols.into_iter().map(|symbol| Part::Symbol(series, symbol)).collect())
        };
        let parts: Vec<Part> = match self {
            Self::View(series) => of_view(*series)?,
            Self::Assertions => Series::ALL
                .into_iter()
                .map(of_view)
                .collect::<Result<Vec<_>>>()?
                .into_iter()
                .flatten()
                .collect(),
            Self::Projection(name) => {
                let definition = vantage.definition(&vantage.id(name)?)?;
                let symbols = match filter.symbol.as_deref() {
                    None => vantage.symbols(&definition)?,
                    Some(one) => vantage.symbols_among(&definition, std::iter::once(one))?,
                };
                match symbols {
                    Some(symbols) => symbols.into_iter().map(|s| Part::Answer(Some(s))).collect(),
                    None => vec![Part::Answer(None)],
                }
            }
            Self::Batches | Self::Sources | Self::Events => {
                let known = vantage.ledger.batches().iter();
                let staged = known.filter(|(_, batch)| batch.staged_at <= vantage.at);
                staged.map(|(id, _)| Part::Batch(id)).collect()
            }
        };
        let (table, vantage) = (self.clone(), vantage.clone());
        Ok(Scan { table, vantage, filter, parts: parts.into_iter() })
    }
}

/// A part of a table that is read at once.
enum Part {
    Symbol(Series, Symbol),
    Answer(Option<Symbol>),
    Batch(BatchId),
}

/// A table that is being read.
pub struct Scan {
    table: Table,
    vantage: Vantage,
    filter: Filter,
    parts: std::vec::IntoIter<Part>,
}

impl Scan {
    /// How many parts have not been read.
    pub fn parts_left(&self) -> usize {
        self.parts.len()
    }

    /// The next rows; `None` after the last.
    ///
    /// # Errors
    /// A stored value that cannot be read.
    pub fn next_page(&mut self) -> Result<Option<Page>> {
        let Some(part) = self.parts.next() else { return Ok(None) };
        let rows = match (&self.table, part) {
            (Table::View(_), Part::Symbol(series, symbol)) => {
                return view::page(&self.vantage, &self.filter, series, &symbol).map(Some);
            }
            (_, Part::Symbol(series, symbol)) => self.assertions(series, &symbol)?,
            (Table::Projection(name), Part::Answer(symbol)) => {
                let definition = self.vantage.definition(&self.vantage.id(name)?)?;
                self.vantage.rows(&definition, symbol.as_ref())?
            }
            (_, Part::Answer(_)) => Rows::new(),
            (Table::Batches, Part::Batch(id)) => self.batch(id).into_iter().collect(),
            (Table::Sources, Part::Batch(id)) => self.sources(id)?,
            (_, Part::Batch(id)) => self.events(id)?,
        };
        Ok(Some(rows.into()))
    }

    fn history(&self, series: Series, symbol: &Symbol) -> Result<History> {
        let days = self.filter.days();
        self.vantage.reader().history_between(series, symbol, *days.start(), *days.end())
    }

    fn assertions(&self, series: Series, symbol: &Symbol) -> Result<Rows> {
        let history = self.history(series, symbol)?;
        let table = self.vantage.ledger.batches();
        let days = self.filter.days();
        let mut rows = Vec::new();
        for (row, number) in history.rows.iter().zip(&history.batches) {
            let id = BatchId(*number);
            let batch = table.get(id);
            let Some((batch, from)) = batch.and_then(|batch| Some((batch, batch.committed_at?)))
            else {
                continue;
            };
            if from > self.vantage.at || !days.contains(&row.head.day) {
                continue;
            }
            let until = batch.counted_until(self.vantage.at);
            let active = batch.state_at(self.vantage.at) == Some(BatchState::Active);
            let to = until.map_or(Datum::Null, |at| int(at.0));
            let class = batch.class(series).name();
            let event = EventId { batch: id, seq: row.head.seq };
            let whole = row.shape.is_empty();
            let fields = row.fields().map(|(field, value)| (Some(field), value));
            for (field, value) in fields.chain(whole.then_some((None, None))) {
                rows.push(vec![
                    text(symbol.as_str()),
                    text(&row.head.day.to_string()),
                    text(series.name()),
                    if row.item.is_empty() { Datum::Null } else { text(row.item) },
                    field.map_or(Datum::Null, |field| text(field.name())),
                    value.as_ref().map_or(Datum::Null, |value| text(&value.to_string())),
                    value.as_ref().map_or(Datum::Null, |value| sql_of(value, Unit::Number)),
                    text(&event.to_string()),
                    text(&id.to_string()),
                    text(if row.head.op == Op::Retract { "retract" } else { class }),
                    int(from.0),
                    to.clone(),
                    Datum::Int(i64::from(active)),
                ]);
            }
        }
        Ok(rows)
    }

    fn batch(&self, id: BatchId) -> Option<Vec<Datum>> {
        let batch = self.vantage.ledger.batches().get(id)?;
        let stage = &batch.stage;
        let confirmed = batch.committed_by(self.vantage.at);
        Some(vec![
            text(&id.to_string()),
            text(batch.state_at(self.vantage.at).unwrap_or(BatchState::Staged).name()),
            text(stage.series.name()),
            text(&format!("{}/{}", stage.mapping.id, stage.mapping.version)),
            int(u64::from(stage.symbols)),
            int(stage.rows.accepted),
            int(stage.rows.rejected),
            text(&rfc3339(batch.staged_ms)),
            confirmed.map_or(Datum::Null, |at| text(&rfc3339(at))),
            text(&stage.content_id.to_string()),
        ])
    }

    fn sources(&self, id: BatchId) -> Result<Rows> {
        let Some(batch) = self.vantage.ledger.batches().get(id) else { return Ok(Vec::new()) };
        let manifest = self.vantage.ledger.known_manifest(&batch.stage)?;
        let row = |source: &crate::ledger::codec::ManifestSource| {
            vec![
                text(&id.to_string()),
                text(&source.digest.to_string()),
                text(source.kind.name()),
                text(&source.name),
                int(source.size),
                text(&rfc3339(source.observed_ms)),
                source.http.as_ref().map_or(Datum::Null, |http| Datum::Int(i64::from(http.status))),
            ]
        };
        Ok(manifest.sources.iter().map(row).collect())
    }

    fn events(&self, id: BatchId) -> Result<Rows> {
        let Some(batch) = self.vantage.ledger.batches().get(id) else { return Ok(Vec::new()) };
        let manifest = self.vantage.ledger.known_manifest(&batch.stage)?;
        let mut blocks = self.vantage.ledger.read(id);
        let (mut rows, days) = (Vec::new(), self.filter.days());
        while let Some((index, header)) = blocks.next_header()? {
            let wanted = self.filter.symbol.as_deref();
            let known = |wanted: &str| header.symbols.iter().any(|(s, _)| s.as_str() == wanted);
            let apart = header.days.0 > *days.end() || header.days.1 < *days.start();
            if header.series.is_none() || wanted.is_some_and(|name| !known(name)) || apart {
                continue;
            }
            let mut window = Window::default();
            blocks.read_into(index, &mut window)?;
            for row in window.rows.iter() {
                let symbol = row.symbol.as_str();
                if wanted.is_some_and(|name| name != symbol) || !days.contains(&row.head.day) {
                    continue;
                }
                let source = manifest.sources.get(row.head.source as usize);
                rows.push(vec![
                    text(symbol),
                    text(&row.head.day.to_string()),
                    text(&EventId { batch: id, seq: row.head.seq }.to_string()),
                    text(&id.to_string()),
                    text(row.head.series.name()),
                    if row.item.is_empty() { Datum::Null } else { text(row.item) },
                    text(if row.head.op == Op::Put { "put" } else { "retract" }),
                    source.map_or(Datum::Null, |source| text(&source.name)),
                    int(u64::from(row.head.line)),
                    int(row.head.offset),
                ]);
            }
        }
        Ok(rows)
    }
}

fn text(of: &str) -> Datum {
    Datum::Text(of.into())
}

fn int(of: u64) -> Datum {
    Datum::Int(i64::try_from(of).unwrap_or(i64::MAX))
}

/// A value as SQL sees it. Counts and instants are whole numbers where they are whole; everything
/// else is a float, so that a division of two prices is never that of two integers.
pub fn sql_of(value: &Value, unit: Unit) -> Datum {
    match value {
        Value::Null => Datum::Null,
        Value::Bool(flag) => Datum::Int(i64::from(*flag)),
        Value::Text(of) | Value::Json(of) => Datum::Text(of.clone()),
        Value::Dec(decimal) => {
            let (mantissa, scale) = (decimal.mantissa(), decimal.scale());
            if scale == 0 && matches!(unit, Unit::Count | Unit::Time) {
                return i64::try_from(mantissa).map_or(Datum::Real(mantissa as f64), Datum::Int);
            }
            Datum::Real(float(*decimal))
        }
        Value::Num(digits) => match digits.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && matches!(unit, Unit::Count | Unit::Time) => {
                Datum::Int(number as i64)
            }
            Ok(number) => Datum::Real(number),
            Err(_) => Datum::Null,
        },
    }
}
