//! The columns of an exported view, and how a record becomes a row of them.
//!
//! A column has one type, and no value is bent to fit it: what the type cannot hold, and fields
//! that have no column, stand in the column `other` with their exact text. So the typed columns
//! are for analytics, and nothing is lost.

use super::about::about;
use crate::app::error::{AppError, Result};
use crate::app::report::{ManifestColumn, json_value};
use crate::app::sql::sql_of;
use crate::domain::series::{FieldDef, Unit};
use crate::domain::{Datum, Day, Field, Series, Symbol, Value};
use crate::projections::view::{Cell as Shown, Record};
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A civil date.
    Day,
    /// A whole number of 64 bits.
    Whole,
    /// A binary float of 64 bits.
    Real,
}

impl Kind {
    /// The type's name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Day => "date",
            Self::Whole => "int64",
            Self::Real => "double",
        }
    }

    /// How the values of a field are exported. Volumes are counts, but vendors adjust them for
    /// splits and count parts of shares, so they are not always whole.
    fn of(field: &FieldDef) -> Self {
        match field.unit {
            Unit::Text => Self::Text,
            Unit::Count if matches!(field.name, "volume" | "session.volume") => Self::Real,
            Unit::Count | Unit::Time => Self::Whole,
            Unit::Vol | Unit::Points | Unit::Rank | Unit::Move | Unit::Price | Unit::Number => {
                Self::Real
            }
        }
    }
}

/// A value on its way into a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    None,
    /// A text.
    Text(Cow<'a, str>),
    /// A day.
    Day(Day),
    /// A whole number.
    Whole(i64),
    /// A float, never infinite and never NaN.
    Real(f64),
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, that of the field.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether every row has a value.
    pub required: bool,
    /// The word for the unit; empty for keys and provenance.
    pub unit: &'static str,
    /// What it means.
    pub about: String,
}

impl From<&Column> for ManifestColumn {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            kind: column.kind.name(),
            unit: column.unit,
            about: column.about.clone(),
        }
    }
}

/// The columns of one view.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The view.
    pub series: Series,
    /// Key, fields, and then where the values come from.
    pub columns: Vec<Column>,
    /// The codes of the fields that have a column, with their types, in the order of the columns.
    fields: Vec<(u16, Kind)>,
    /// Whether all fields are wanted, those without a column too.
    whole: bool,
}

impl Layout {
    /// The columns of a view: all known fields, or the named ones.
    ///
    /// # Errors
    /// [`AppError::Usage`] for a name that no known field of the view has.
    pub fn of(series: Series, names: &[String]) -> Result<Self> {
        let mut fields: Vec<&FieldDef> = series.fields().collect();
        if !names.is_empty() {
            let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let strange = |name: &&String| {
                !known.contains(&name.as_str()) && series.item_name() != Some(name)
            };
            if let Some(name) = names.iter().find(strange) {
                let known = known.join(", ");
                return Err(AppError::Usage(format!(
                    "view {series} has no column `{name}`; it has {known}"
                )));
            }
            let named = |name: &String| fields.iter().find(|f| f.name == *name).copied();
            fields = names.iter().filter_map(named).collect();
        }
        let about = about(series);
        let column = |name: &str, required, about: &str| Column {
            name: name.to_owned(),
            kind: Kind::Text,
            required,
            unit: "",
            about: about.to_owned(),
        };
        let day = column("date", true, "The day that the record is about.");
        let mut columns = vec![
            column("symbol", true, "The symbol that the record is about."),
            Column { kind: Kind::Day, ..day },
        ];
        let item = series.item_name();
        let item = item.map(|name| column(name, false, "Tells apart records of one day."));
        columns.extend(item);
        columns.extend(fields.iter().map(|field| Column {
            name: field.name.to_owned(),
            kind: Kind::of(field),
            required: false,
            unit: field.unit.name(),
            about: about.field(field.name),
        }));
        columns.extend([
            column(
                "other",
                false,
                "JSON: fields without a column, and values that their column's type cannot hold.",
            ),
            column("event", false, "The row event that asserted the record, as `why` names it."),
            column("batch", false, "The batch of that event."),
            column("class", false, "Who says so: vendor, fill (where no other has it), manual."),
            column("field_events", false, "JSON: the events of fields that another one asserted."),
        ]);
        let fields = fields.iter().map(|field| (field.code, Kind::of(field))).collect();
        Ok(Self { series, columns, fields, whole: names.is_empty() })
    }

    /// The columns before the first field: symbol, date, and the item where the view has one.
    pub fn keys(&self) -> usize {
        2 + usize::from(self.series.item_name().is_some())
    }

    /// Hands each record to `each` as a row, a cell for each column.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn rows(
        &self,
        symbol: &Symbol,
        records: &[Record],
        mut each: impl FnMut(&Record, &[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        let mut row = Vec::with_capacity(self.columns.len());
        for record in records {
            self.row(symbol.as_str(), record, &mut row);
            each(record, &row)?;
        }
        Ok(())
    }

    /// Puts a record into `row`.
    fn row<'r>(&self, symbol: &'r str, record: &'r Record, row: &mut Vec<Cell<'r>>) {
        row.clear();
        row.push(Cell::Text(symbol.into()));
        row.push(Cell::Day(record.day));
        let keys = self.keys();
        if keys == 3 {
            row.push(match &*record.item {
                "" => Cell::None,
                item => Cell::Text(item.into()),
            });
        }
        row.resize(keys + self.fields.len(), Cell::None);
        let from = self.asserting(record);
        let (mut other, mut events) = (serde_json::Map::new(), serde_json::Map::new());
        for shown in &record.cells {
            let place = self.place(&shown.field);
            if place.is_none() && !self.whole {
                continue;
            }
            let cell = place.and_then(|(_, kind)| cell_of(&shown.value, kind));
            match (place, cell) {
                (Some((index, _)), Some(cell)) => {
                    if let Some(slot) = row.get_mut(keys + index) {
                        *slot = cell;
                    }
                }
                _ => {
                    other.insert(shown.field.name().to_owned(), json_value(&shown.value));
                }
            }
            if from.is_some_and(|from| from.event != shown.event) {
                let name = shown.field.name().to_owned();
                events.insert(name, shown.event.to_string().into());
            }
        }
        let json = |of: serde_json::Map<_, _>| match of.is_empty() {
            true => Cell::None,
            false => Cell::Text(serde_json::Value::Object(of).to_string().into()),
        };
        let told = |text: Option<Cow<'r, str>>| text.map_or(Cell::None, Cell::Text);
        row.push(json(other));
        row.push(told(from.map(|from| from.event.to_string().into())));
        row.push(told(from.map(|from| from.event.batch.to_string().into())));
        row.push(told(from.map(|from| from.class.name().into())));
        row.push(json(events));
    }

    /// The cell that stands for the record: the primary field's, else the first.
    fn asserting<'r>(&self, record: &'r Record) -> Option<&'r Shown> {
        record.known(self.series.primary()).or_else(|| record.cells.first())
    }

    fn place(&self, field: &Field) -> Option<(usize, Kind)> {
        let Field::Known(code) = field else { return None };
        let index = self.fields.iter().position(|(known, _)| known == code)?;
        self.fields.get(index).map(|(_, kind)| (index, *kind))
    }
}

/// A value as a column's type has it; `None` where the type cannot hold it.
fn cell_of(value: &Value, kind: Kind) -> Option<Cell<'_>> {
    match (value, kind) {
        (Value::Null, _) => Some(Cell::None),
        (Value::Text(text) | Value::Json(text), Kind::Text) => Some(Cell::Text((&**text).into())),
        (value, Kind::Text) => Some(Cell::Text(value.to_string().into())),
        (value, Kind::Whole) => {
            let number = value.decimal()?.normalize();
            (number.scale() == 0).then(|| number.to_i64().map(Cell::Whole))?
        }
        (value @ (Value::Dec(_) | Value::Num(_)), Kind::Real) => {
            match sql_of(value, Unit::Number) {
                Datum::Real(number) if number.is_finite() => Some(Cell::Real(number)),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, Class, EventId};

    fn shown(code: u16, value: Value, seq: u32) -> Shown {
        let event = EventId { batch: BatchId(7), seq };
        Shown { field: Field::Known(code), value, event, class: Class::Vendor }
    }

    #[test]
    fn what_a_column_cannot_hold_stands_in_other_with_its_digits() {
        let layout = Layout::of(Series::Iv, &[]).unwrap();
        let number = Value::from_json_number;
        let record = Record {
            day: Day(19_000),
            item: "".into(),
            order: Vec::new(),
            cells: vec![
                shown(10, number("0.4500"), 3),
                shown(11, Value::Bool(true), 3),
                shown(12, number("1234.0"), 4),
                shown(19, number("1e999"), 3),
                shown(13, Value::Null, 3),
            ],
        };
        let mut row = Vec::new();
        layout.row("A", &record, &mut row);
        assert_eq!(row.len(), layout.columns.len());
        let cell = |name: &str| {
            let index = layout.columns.iter().position(|column| column.name == name);
            row[index.unwrap()].clone()
        };
        assert_eq!(cell("atm_iv"), Cell::Real(0.45));
        assert_eq!(cell("options_volume"), Cell::Whole(1234));
        assert_eq!(cell("iv30_ma20"), Cell::None);
        assert_eq!(cell("iv_rank (IV)"), Cell::None);
        assert_eq!(cell("other"), Cell::Text(r#"{"iv30_ma20":true,"skew":1e+999}"#.into()));
        assert_eq!(cell("event"), Cell::Text("b7/4".into()));
        assert_eq!(cell("batch"), Cell::Text("b7".into()));
        assert_eq!(cell("class"), Cell::Text("vendor".into()));
        assert_eq!(cell("field_events"), Cell::Text(r#"{"options_volume":"b7/5"}"#.into()));
    }

    #[test]
    fn whole_columns_take_whole_numbers_only() {
        let cell = |text| cell_of(&Value::from_json_number(text), Kind::Whole).is_some();
        assert!(cell("5") && cell("115328808.0") && cell("1e3") && cell("9223372036854775807"));
        assert!(!cell("0.5") && !cell("9223372036854775808"));
        let named = Layout::of(Series::Iv, &["skew".into(), "atm_iv".into()]).unwrap();
        assert_eq!(named.columns[2].name, "skew");
        assert!(Layout::of(Series::Iv, &["hv20".into()]).is_err());
    }

    #[test]
    fn no_field_has_the_name_of_a_column_of_ours() {
        for series in Series::ALL {
            let columns = Layout::of(series, &[]).unwrap().columns;
            for (index, column) in columns.iter().enumerate() {
                let later = columns.iter().skip(index + 1);
                assert!(!["series", "year"].contains(&column.name.as_str()), "{series}");
                assert!(!column.about.is_empty(), "{series} {}", column.name);
                assert!(
                    later.into_iter().all(|other| !other.name.eq_ignore_ascii_case(&column.name)),
                    "{series} {}",
                    column.name
                );
            }
        }
    }
}
