//! The layout of a mapping file, and the checks that make a [`Mapping`] of it.

use super::{CellUnit, Codes, Column, DecimalMark, Mapping, MappingError, Name, Need, Part, Range};
use crate::domain::batch::Class;
use crate::domain::series::{self, FIELDS, Unit};
use crate::domain::{Series, value};
use crate::sources::DateOrder;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The file's own layout; strict, so that a misspelt key is not passed over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    id: String,
    version: u32,
    series: String,
    description: String,
    #[serde(default)]
    known: Vec<String>,
    #[serde(default)]
    decimal: DecimalMark,
    date: DateFile,
    #[serde(default)]
    symbol: SymbolFile,
    #[serde(default)]
    item: ItemFile,
    #[serde(default)]
    class: ClassFile,
    #[serde(default)]
    column: Vec<ColumnFile>,
    #[serde(default)]
    part: Vec<PartFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartFile {
    date: Vec<String>,
    column: Vec<ColumnFile>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemFile {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DateFile {
    names: Vec<String>,
    #[serde(default)]
    order: OrderWord,
    #[serde(default)]
    future: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OrderWord {
    #[default]
    Auto,
    Dmy,
    Mdy,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SymbolFile {
    names: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassFile {
    iv: Option<ClassWord>,
    hv: Option<ClassWord>,
    spot: Option<ClassWord>,
    index: Option<ClassWord>,
    earnings: Option<ClassWord>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClassWord {
    Vendor,
    Fill,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    names: Vec<String>,
    #[serde(default)]
    own_name: bool,
    field: String,
    unit: CellUnit,
    #[serde(default)]
    need: Need,
    #[serde(default)]
    quiet: bool,
    code: Option<String>,
    #[serde(default)]
    signed: bool,
    above: Option<String>,
    at_least: Option<String>,
    at_most: Option<String>,
    suspect_below: Option<String>,
    high_from: Option<String>,
    mostly_from: Option<String>,
    mostly_below: Option<String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    one_of: Vec<String>,
    default: Option<String>,
}

impl ColumnFile {
    fn is_bounded(&self) -> bool {
        let bounds = [&self.above, &self.at_least, &self.at_most, &self.suspect_below];
        let more = [&self.high_from, &self.mostly_from, &self.mostly_below];
        bounds.into_iter().chain(more).any(Option::is_some)
    }
}

impl Mapping {
    /// Reads a mapping file's text.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let file: MappingFile = toml::from_str(text).map_err(|error| syntax(text, &error))?;
        word("id", &file.id)?;
        let series = file.series.parse();
        let series = series.map_err(|_| MappingError::Series(file.series.clone()))?;
        let date_order = match file.date.order {
            OrderWord::Auto => None,
            OrderWord::Dmy => Some(DateOrder::DayFirst),
            OrderWord::Mdy => Some(DateOrder::MonthFirst),
        };
        let class = &file.class;
        let classes = [
            (Series::Iv, class.iv),
            (Series::Hv, class.hv),
            (Series::Spot, class.spot),
            (Series::Index, class.index),
            (Series::Earnings, class.earnings),
        ];
        let classes = classes.into_iter().filter_map(|(view, word)| {
            let class = match word? {
                ClassWord::Vendor => Class::Vendor,
                ClassWord::Fill => Class::Fill,
            };
            Some((view, class))
        });
        let columns = |of: Vec<ColumnFile>| {
            of.into_iter().map(|of| column(of, series)).collect::<Result<Vec<_>, _>>()
        };
        let part = |of: PartFile| Ok(Part { date: names(of.date), columns: columns(of.column)? });
        let mapping = Self {
            series,
            date: names(file.date.names),
            date_order,
            future: file.date.future,
            item: names(file.item.names),
            symbol: names(file.symbol.names),
            known: names(file.known),
            decimal: file.decimal,
            columns: columns(file.column)?,
            more: file.part.into_iter().map(part).collect::<Result<_, _>>()?,
            classes: classes.collect(),
            text: text.to_owned(),
            id: file.id,
            version: file.version,
            description: file.description,
        };
        mapping.check()?;
        Ok(mapping)
    }

    fn check(&self) -> Result<(), MappingError> {
        check_part(&self.date, &self.columns)?;
        for part in &self.more {
            check_part(&part.date, &part.columns)?;
        }
        let mut all: Vec<&Name> = self.all_names().collect();
        all.sort_by(|a, b| a.normal.cmp(&b.normal));
        match all.windows(2).find(|pair| matches!(pair, [a, b] if a.normal == b.normal)) {
            Some([name, _]) => Err(MappingError::NameTwice(name.text.clone())),
            _ => Ok(()),
        }
    }
}

/// Checks a day of a row and its columns.
fn check_part(date: &[Name], columns: &[Column]) -> Result<(), MappingError> {
    if date.is_empty() {
        return Err(MappingError::Unnamed("date"));
    }
    if columns.iter().any(|column| column.names.is_empty()) {
        return Err(MappingError::Unnamed("column"));
    }
    let sure = |column: &Column| column.need != Need::Optional || column.default.is_some();
    if !columns.iter().any(sure) {
        return Err(MappingError::NothingRequired);
    }
    for (i, column) in columns.iter().enumerate() {
        if columns.iter().take(i).any(|other| other.field == column.field) {
            let name = series::field(column.field).map_or("", |field| field.name);
            return Err(MappingError::FieldTwice(name.to_owned()));
        }
    }
    Ok(())
}

fn syntax(text: &str, error: &toml::de::Error) -> MappingError {
    MappingError::Syntax(toml_said(text, error))
}

/// One line for a person; the parser's own text draws a picture of several.
pub fn toml_said(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let message = error.message().trim().replace('\n', ", ");
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

fn names(texts: Vec<String>) -> Vec<Name> {
    texts.into_iter().map(Name::of).filter(|name| !name.normal.is_empty()).collect()
}

fn column(file: ColumnFile, home: Series) -> Result<Column, MappingError> {
    let (bounded, judged) = (file.signed || file.is_bounded(), file.is_bounded());
    let names = names(file.names);
    let first = names.first().ok_or(MappingError::Unnamed("column"))?;
    // A name that several series have means the mapping's own.
    let own = series::field_named(home, &file.field);
    let field = own.or_else(|| FIELDS.iter().find(|field| field.name == file.field));
    let field = field.ok_or_else(|| MappingError::Field {
        column: first.text.clone(),
        field: file.field.clone(),
        series: home,
    })?;
    let code = file.code.as_deref().unwrap_or("value");
    word("code", code)?;
    let is_number = !matches!(file.unit, CellUnit::Flag | CellUnit::Word | CellUnit::Day);
    if !is_number && bounded {
        return Err(MappingError::NoBounds(first.text.clone()));
    }
    let units = units_of(field.unit);
    if is_number && !units.is_empty() && !units.contains(&file.unit.name()) {
        let (column, unit, field) = (first.text.clone(), file.unit.name(), field.name);
        return Err(MappingError::Unit { column, unit, field, units });
    }
    let usual = match judged {
        true => (None, None),
        false => usual_bounds(field.unit, file.unit, file.need),
    };
    let zero = (!file.signed && file.above.is_none()).then_some(Decimal::ZERO);
    let range = Range {
        above: bound(file.above)?,
        at_least: bound(file.at_least)?.or(zero),
        at_most: bound(file.at_most)?,
        suspect_below: bound(file.suspect_below)?,
        high_from: bound(file.high_from)?,
        mostly_from: bound(file.mostly_from)?.or(usual.0),
        mostly_below: bound(file.mostly_below)?.or(usual.1),
    };
    let in_parts = file.unit == CellUnit::Integer && field.is_of_shares();
    let (field, codes) = (field.code, Codes::of(code));
    let words = file.words.into_iter().map(|(word, means)| (word.to_lowercase(), means)).collect();
    let (unit, need, one_of, default) = (file.unit, file.need, file.one_of, file.default);
    let (own_name, quiet) = (file.own_name, file.quiet);
    Ok(Column {
        names,
        own_name,
        field,
        unit,
        in_parts,
        need,
        quiet,
        codes,
        range,
        words,
        one_of,
        default,
    })
}

/// The units of cells that a kind of field may have; none where any will do.
fn units_of(kind: Unit) -> &'static [&'static str] {
    match kind {
        // `number` takes the cells as they are: fractions.
        Unit::Vol | Unit::Move => &["percent", "fraction", "number"],
        Unit::Points | Unit::Rank | Unit::Price | Unit::Count => &["number", "integer"],
        Unit::Number | Unit::Time | Unit::Text => &[],
    }
}

/// From where, and up to where, most numbers of a column are of which the mapping says no bound: else a file in
/// another unit than its mapping says would be believed, a hundred times too large or too small.
fn usual_bounds(field: Unit, unit: CellUnit, need: Need) -> (Option<Decimal>, Option<Decimal>) {
    match (field, unit) {
        (Unit::Vol, CellUnit::Fraction | CellUnit::Number) => (None, Some(Decimal::from(3))),
        (Unit::Move, CellUnit::Fraction | CellUnit::Number) => (None, Some(Decimal::ONE)),
        // Columns beside it are in the same unit.
        (Unit::Vol, CellUnit::Percent) if need != Need::Optional => (Some(Decimal::TWO), None),
        _ => (None, None),
    }
}

fn bound(text: Option<String>) -> Result<Option<Decimal>, MappingError> {
    let parse = |text: String| value::parse_plain(&text).ok_or(MappingError::Bound(text));
    text.map(parse).transpose()
}

fn word(what: &'static str, text: &str) -> Result<(), MappingError> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if text.is_empty() || text.len() > 64 || !text.chars().all(inner) {
        return Err(MappingError::Word { what, text: text.chars().take(64).collect() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
id = "own"
version = 2
series = "iv"
description = "d"
[date]
names = ["Day"]
[[column]]
names = ["IV"]
field = "atm_iv"
unit = "percent"
need = "required"
"#;

    #[test]
    fn mistakes_are_named() {
        assert_eq!(Mapping::parse(SMALL).unwrap().version, 2);
        for (from, to, want) in [
            ("id = \"own\"", "id = \"Own\"", "the mapping's id `Own`"),
            ("id = \"own\"", "id = \"own", "not readable"),
            ("version = 2", "", "missing field `version`"),
            ("description", "descripton", "unknown field `descripton`"),
            ("\"iv\"", "\"vol\"", "series `vol` does not exist"),
            ("\"atm_iv\"", "\"iv30\"", "names the field `iv30`"),
            ("\"atm_iv\"", "\"iv\"", "does not exist; fields of iv are atm_iv, "),
            ("\"percent\"", "\"percents\"", "unknown variant `percents`"),
            ("need = \"required\"", "", "no column with need"),
            ("[\"Day\"]", "[\" \"]", "the mapping's date has no column name"),
            ("[\"Day\"]", "[\"iv \"]", "gives the name"),
            ("[\"IV\"]", "[]", "the mapping's column has no column name"),
            ("need =", "at_most = \"1e3\"\nneed =", "bound `1e3` is not a number"),
            ("need =", "code = \"a b\"\nneed =", "code `a b`"),
            ("need =", "colour = 1\nneed =", "unknown field `colour`"),
            (
                "unit = \"percent\"",
                "unit = \"word\"\nat_most = \"3\"",
                "has bounds, and is no number",
            ),
            (
                "\"percent\"",
                "\"integer\"",
                "column `IV` has the unit `integer`, in which `atm_iv` is not written; say percent or \
                 fraction or number",
            ),
            ("[[column]]", "[item]\nnames = [\"IV\"]\n[[column]]", "gives the name"),
            (
                "[[column]]",
                "[[column]]\nnames = [\"X\"]\nfield = \"atm_iv\"\nunit = \"number\"\n[[column]]",
                "fills the field `atm_iv` from two columns",
            ),
        ] {
            let text = SMALL.replacen(from, to, 1);
            let error = Mapping::parse(&text).unwrap_err().to_string();
            assert!(error.contains(want), "{error} does not say {want}");
        }
    }

    #[test]
    fn units_that_cannot_be_meant_are_refused_and_the_others_judged_by_the_file() {
        let of = |field: &str, unit: &str| {
            let text = SMALL.replace("\"atm_iv\"", &format!("\"{field}\""));
            Mapping::parse(&text.replace("\"percent\"", &format!("\"{unit}\"")))
        };
        let units = ["percent", "fraction", "number", "integer"];
        for (field, allowed) in [
            ("atm_iv", [true, true, true, false]),
            ("close_move", [true, true, true, false]),
            ("close", [false, false, true, true]),
            ("volume", [false, false, true, true]),
            ("iv_rank (IV)", [false, false, true, true]),
            ("skew", [false, false, true, true]),
            ("vrp_ratio", [true; 4]),
        ] {
            let found = units.map(|unit| of(field, unit).is_ok());
            assert_eq!(found, allowed, "{field}");
        }
        let range = |field: &str, unit: &str| {
            let range = of(field, unit).unwrap().columns.remove(0).range;
            [range.mostly_from, range.mostly_below]
                .map(|bound| bound.map(|bound| bound.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(range("atm_iv", "number"), [None, some("3")]);
        assert_eq!(range("hv20", "fraction"), [None, some("3")]);
        assert_eq!(range("close_move", "number"), [None, some("1")]);
        assert_eq!(range("atm_iv", "percent"), [some("2"), None]);
        assert_eq!(range("close", "number"), [None, None]);
        let bounded = SMALL.replace("need =", "at_most = \"900\"\nneed =");
        assert!(!Mapping::parse(&bounded).unwrap().columns.remove(0).range.judges_unit());
    }

    #[test]
    fn a_part_is_checked_like_the_row_itself() {
        let part = "[[part]]\ndate = [\"Next\"]\n[[part.column]]\nnames = [\"IV2\"]\nfield = \"atm_iv\"\n\
            unit = \"percent\"\nneed = \"required\"\n";
        let parsed = Mapping::parse(&format!("{SMALL}{part}")).unwrap();
        assert_eq!(parsed.more.len(), 1, "one field of two days is no mistake");
        for (from, to, want) in [
            ("[\"Next\"]", "[]", "the mapping's date has no column name"),
            ("[\"Next\"]", "[\"day\"]", "gives the name"),
            ("[\"IV2\"]", "[\"iv\"]", "gives the name"),
            ("need = \"required\"\n", "", "no column with need"),
        ] {
            let text = format!("{SMALL}{}", part.replacen(from, to, 1));
            let error = Mapping::parse(&text).unwrap_err().to_string();
            assert!(error.contains(want), "{error} does not say {want}");
        }
    }
}
