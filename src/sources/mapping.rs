//! Mapping files: which column of a vendor's CSV means which field, in which unit.
//!
//! A mapping is a small TOML text. The bundled ones are compiled in; a user's own comes as text
//! from the caller. The text itself is kept, because the ledger stores and hashes it: a batch
//! says for ever how it was read.

mod file;
mod keys;
mod others;

pub use file::toml_said;
use keys::KEYS;

use super::DateOrder;
use crate::domain::batch::Class;
use crate::domain::{Series, Symbol};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The bundled definitions, by id; `schemas/mappings/` holds them.
const BUNDLED: [(&str, &str); 15] = [
    ("mc-iv", include_str!("../../schemas/mappings/mc-iv.toml")),
    ("mc-iv-basic", include_str!("../../schemas/mappings/mc-iv-basic.toml")),
    ("iv-fraction", include_str!("../../schemas/mappings/iv-fraction.toml")),
    ("hv-percent", include_str!("../../schemas/mappings/hv-percent.toml")),
    ("hv-fraction", include_str!("../../schemas/mappings/hv-fraction.toml")),
    ("spot-ohlc", include_str!("../../schemas/mappings/spot-ohlc.toml")),
    ("spot-full", include_str!("../../schemas/mappings/spot-full.toml")),
    ("index-ohlc", include_str!("../../schemas/mappings/index-ohlc.toml")),
    ("event-bars", include_str!("../../schemas/mappings/event-bars.toml")),
    ("event-closes", include_str!("../../schemas/mappings/event-closes.toml")),
    ("earnings", include_str!("../../schemas/mappings/earnings.toml")),
    ("moves", include_str!("../../schemas/mappings/moves.toml")),
    ("moves-fraction", include_str!("../../schemas/mappings/moves-fraction.toml")),
    ("straddles", include_str!("../../schemas/mappings/straddles.toml")),
    ("straddles-fraction", include_str!("../../schemas/mappings/straddles-fraction.toml")),
];

/// How the cells of a CSV file become fields.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Name, for example `mc-iv`.
    pub id: String,
    /// Version of the definition.
    pub version: u32,
    /// What the rows are records of.
    pub series: Series,
    /// One sentence for a person.
    pub description: String,
    pub(super) date: Vec<Name>,
    pub(super) date_order: Option<DateOrder>,
    /// Whether days after the one that counts as today are what the file is about.
    pub(super) future: bool,
    /// The column that tells the events of a symbol and day apart; a date.
    pub(super) item: Vec<Name>,
    pub(super) symbol: Vec<Name>,
    pub(super) known: Vec<Name>,
    pub(super) decimal: DecimalMark,
    pub(super) columns: Vec<Column>,
    /// What else a row says, about other days: each an event of its own.
    pub(super) more: Vec<Part>,
    classes: Vec<(Series, Class)>,
    text: String,
}

/// A column's name as the mapping spells it, and in normal spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) normal: String,
}

impl Name {
    fn of(text: String) -> Self {
        Self { normal: normal_name(&text), text }
    }
}

/// A further day that a row speaks of, with its columns.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) date: Vec<Name>,
    pub(super) columns: Vec<Column>,
}

/// One column of values.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) names: Vec<Name>,
    /// Whether it may be called as the symbol is.
    pub(super) own_name: bool,
    pub(super) field: u16,
    pub(super) unit: CellUnit,
    /// Whether whole numbers may have parts all the same: shares are traded in parts, contracts are not.
    pub(super) in_parts: bool,
    pub(super) need: Need,
    /// Whether nothing is to be said where it is not there.
    pub(super) quiet: bool,
    pub(super) codes: Codes,
    pub(super) range: Range,
    /// What other words of the cell mean, by the word in small letters.
    pub(super) words: BTreeMap<String, String>,
    /// The words that may stand there; none means any.
    pub(super) one_of: Vec<String>,
    /// What an empty or absent cell means.
    pub(super) default: Option<String>,
}

/// The finding codes of a column.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    pub(super) missing: String,
    pub(super) invalid: String,
    pub(super) out_of_range: String,
    pub(super) suspect_scale: String,
    pub(super) high: String,
}

impl Codes {
    fn of(code: &str) -> Self {
        Self {
            missing: format!("missing_{code}"),
            invalid: format!("invalid_{code}"),
            out_of_range: format!("{code}_out_of_range"),
            suspect_scale: format!("{code}_suspect_scale"),
            high: format!("{code}_high"),
        }
    }
}

/// Bounds of a column's numbers, in the unit of the cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    /// The number is greater than this.
    pub(super) above: Option<Decimal>,
    /// The number is this or greater; 0 unless the column is `signed` or has `above`.
    pub(super) at_least: Option<Decimal>,
    /// The number is this or less.
    pub(super) at_most: Option<Decimal>,
    /// Below this the number was probably written in another unit.
    pub(super) suspect_below: Option<Decimal>,
    /// From this on the number is used and remarked upon.
    pub(super) high_from: Option<Decimal>,
    /// Most numbers of a file are this or more; if not, they were probably written in another unit.
    pub(super) mostly_from: Option<Decimal>,
    /// As `mostly_from`, of numbers that are mostly less than this.
    pub(super) mostly_below: Option<Decimal>,
}

impl Range {
    /// Whether all the file's numbers tell if they are of the column's unit.
    pub(super) fn judges_unit(&self) -> bool {
        self.mostly_from.is_some() || self.mostly_below.is_some()
    }
}

/// How a cell's number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CellUnit {
    /// `24.11` is the fraction 0.2411.
    Percent,
    /// `0.2411` as it is.
    Fraction,
    /// A number as it is, for example a price.
    Number,
    /// A whole number; of shares, parts of one are kept.
    Integer,
    /// Yes or no: 1 or 0, true or false, stored as 1 or 0.
    Flag,
    /// A word or text, trimmed.
    Word,
    /// A date, stored as `YYYY-MM-DD`.
    Day,
}

impl CellUnit {
    /// The word for it in a mapping.
    fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Fraction => "fraction",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Flag => "flag",
            Self::Word => "word",
            Self::Day => "day",
        }
    }
}

/// Whether a row can do without the column's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Need {
    /// No.
    Required,
    /// Yes, as long as another `one_of` column has one.
    OneOf,
    /// Yes.
    #[default]
    Optional,
}

/// Which character ends the whole part of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DecimalMark {
    /// Decided per cell from what else stands in it.
    #[default]
    Auto,
    /// Always a point; commas group thousands.
    Point,
    /// Always a comma; points group thousands.
    Comma,
}

/// Why a mapping file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not TOML, a key that mappings do not have, or a value of the wrong kind.
    #[error("the mapping is not readable: {0}")]
    Syntax(String),
    /// No such series.
    #[error(
        "the mapping's series `{0}` does not exist; there are iv, hv, spot, index, earnings, moves, \
         straddles"
    )]
    Series(String),
    /// No such field.
    #[error(
        "the mapping's column `{column}` names the field `{field}`, which does not exist; fields of \
         {series} are {}",
        field_names(*series)
    )]
    Field {
        /// The column's first name.
        column: String,
        /// The unknown field.
        field: String,
        /// What the mapping's rows are records of.
        series: Series,
    },
    /// Two columns for one field.
    #[error("the mapping fills the field `{0}` from two columns")]
    FieldTwice(String),
    /// One name for two columns.
    #[error("the mapping gives the name `{0}` to two columns")]
    NameTwice(String),
    /// What a kind of column cannot have.
    #[error("the mapping's column `{0}` has bounds, and is no number")]
    NoBounds(String),
    /// A column in a unit that its field is never in.
    #[error(
        "the mapping's column `{column}` has the unit `{unit}`, in which `{field}` is not written; say {}",
        units.join(" or ")
    )]
    Unit {
        /// The column's first name.
        column: String,
        /// Its unit.
        unit: &'static str,
        /// The field.
        field: &'static str,
        /// The units that it may have.
        units: &'static [&'static str],
    },
    /// A column, or the date, without a name.
    #[error("the mapping's {0} has no column name")]
    Unnamed(&'static str),
    /// No column that a row has to have.
    #[error("the mapping has no column with need = \"required\" or \"one_of\"")]
    NothingRequired,
    /// A bound that is not a plain number.
    #[error("the mapping's bound `{0}` is not a number such as \"0\" or \"2.5\"")]
    Bound(String),
    /// An id or a code outside its alphabet.
    #[error("the mapping's {what} `{text}` may only have lower-case letters, digits, `-` and `_`")]
    Word {
        /// Which word.
        what: &'static str,
        /// Its text.
        text: String,
    },
}

fn field_names(series: Series) -> String {
    series.fields().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

/// Brings a column name into its normal spelling: trimmed (also of no-break spaces), inner
/// spaces collapsed, lower case.
pub(super) fn normal_name(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

impl Mapping {
    /// The bundled mapping of that id; each is parsed once.
    pub fn bundled(id: &str) -> Option<Arc<Self>> {
        static PARSED: [OnceLock<Option<Arc<Mapping>>>; BUNDLED.len()] =
            [const { OnceLock::new() }; BUNDLED.len()];
        let ((_, text), parsed) =
            BUNDLED.iter().zip(&PARSED).find(|((known, _), _)| *known == id)?;
        parsed.get_or_init(|| Self::parse(text).ok().map(Arc::new)).clone()
    }

    /// The ids of the bundled mappings.
    pub fn bundled_ids() -> impl Iterator<Item = &'static str> {
        BUNDLED.iter().map(|(id, _)| *id)
    }

    /// The bundled mapping for files of a series when the user names none.
    pub fn default_for(series: Series) -> Option<Arc<Self>> {
        Self::bundled(Self::default_id(series)?)
    }

    /// The id of that mapping; `None` of a series that no mapping reads.
    pub fn default_id(series: Series) -> Option<&'static str> {
        Some(match series {
            Series::Iv => "mc-iv",
            Series::Hv => "hv-percent",
            Series::Spot => "spot-ohlc",
            Series::Index => "index-ohlc",
            Series::Earnings => "earnings",
            Series::Moves => "moves",
            Series::Straddles => "straddles",
            _ => return None,
        })
    }

    /// The mapping for a file about one symbol, after which a column may be called: `DATE,VVIX`.
    pub fn about(&self, symbol: Option<&Symbol>) -> Cow<'_, Self> {
        let Some(symbol) = symbol.filter(|_| self.columns.iter().any(|column| column.own_name))
        else {
            return Cow::Borrowed(self);
        };
        let name = Name::of(symbol.bare().to_owned());
        // A fund that is called LOW has no claim to the column of lows.
        if self.all_names().any(|known| known.normal == name.normal) {
            return Cow::Borrowed(self);
        }
        let mut named = self.clone();
        for column in named.columns.iter_mut().filter(|column| column.own_name) {
            column.names.push(name.clone());
        }
        Cow::Owned(named)
    }

    /// The names of all columns.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &Name> {
        let more = self.more.iter().flat_map(|part| &part.columns);
        let columns = self.columns.iter().chain(more).flat_map(|column| &column.names);
        let dates = self.more.iter().flat_map(|part| &part.date).chain(&self.date);
        columns.chain(dates).chain(&self.symbol).chain(&self.item).chain(&self.known)
    }

    /// The definition as a file to start from: it says above what its keys mean, and which fields
    /// there are.
    pub fn template(&self) -> String {
        let fields = field_names(self.series);
        let mut names = format!("# The fields of {}:", self.series);
        let mut width = names.len();
        for name in fields.split(' ') {
            if width + name.len() >= 98 {
                names += "\n#  ";
                width = 3;
            }
            names.push(' ');
            names += name;
            width += name.len() + 1;
        }
        format!("{KEYS}{names}\n\n{}", self.text)
    }

    /// The definition as it was written, for keeping and hashing.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How the values of a view rank against those of other batches.
    pub fn class(&self, view: Series) -> Class {
        let listed = self.classes.iter().find(|(series, _)| *series == view);
        listed.map_or(Class::Vendor, |(_, class)| *class)
    }

    /// Whether a file can say which symbol each row is about.
    pub fn has_symbol_column(&self) -> bool {
        !self.symbol.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::series;

    #[test]
    fn every_bundled_mapping_is_readable_and_named_by_its_id() {
        for id in Mapping::bundled_ids() {
            let text = BUNDLED.iter().find(|(known, _)| *known == id).unwrap().1;
            let mapping = Mapping::parse(text).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(mapping.id, id);
            assert_eq!(mapping.text(), text);
            assert!(mapping.has_symbol_column());
            let home = |column: &Column| series::field(column.field).unwrap().series;
            assert!(mapping.columns.iter().any(|column| home(column) == mapping.series));
        }
        for series in [
            Series::Iv,
            Series::Hv,
            Series::Spot,
            Series::Index,
            Series::Earnings,
            Series::Moves,
            Series::Straddles,
        ] {
            assert_eq!(Mapping::default_for(series).unwrap().series, series);
        }
        assert!(Mapping::bundled("mc").is_none());
    }

    #[test]
    fn a_template_is_the_mapping_with_its_keys_explained() {
        for id in Mapping::bundled_ids() {
            let mapping = Mapping::bundled(id).unwrap();
            let text = mapping.template();
            assert_eq!(Mapping::parse(&text).unwrap().columns.len(), mapping.columns.len(), "{id}");
            let explained: String = text.split(mapping.text()).next().unwrap().to_owned();
            assert!(explained.lines().all(|line| line.is_empty() || line.starts_with('#')));
            assert!(explained.lines().all(|line| line.chars().count() <= 100), "{explained}");
            for key in mapping.text().lines().filter_map(|line| line.split_once(" = ")) {
                let words = key.0.starts_with('"');
                let is_word = |text: &str| text.trim_end_matches(',') == key.0;
                let named = words || explained.split_whitespace().any(is_word);
                assert!(named, "{id}: {}", key.0);
            }
        }
    }

    #[test]
    fn market_chameleon_values_of_hv_only_fill() {
        let mapping = Mapping::bundled("mc-iv").unwrap();
        assert_eq!(mapping.class(Series::Hv), Class::Fill);
        assert_eq!(mapping.class(Series::Iv), Class::Vendor);
        let iv30 = mapping.columns.first().unwrap();
        assert_eq!(iv30.codes.suspect_scale, "iv30_suspect_scale");
        assert_eq!(iv30.codes.missing, "missing_iv30");
    }

    #[test]
    fn an_adjusted_close_is_not_a_close() {
        let mapping = Mapping::bundled("spot-ohlc").unwrap();
        let names = mapping.columns.iter().flat_map(|column| &column.names);
        assert!(names.into_iter().all(|name| !name.normal.contains("adj")));
    }

    #[test]
    fn a_column_may_be_called_as_the_index_is_and_no_other_column_is_taken_for_it() {
        let mapping = Mapping::bundled("index-ohlc").unwrap();
        let names = |symbol: &str| {
            let mapping = mapping.about(Some(&symbol.parse().unwrap()));
            mapping.columns[0].names.iter().map(|name| name.normal.clone()).next_back().unwrap()
        };
        assert_eq!((names("I:VVIX").as_str(), names("SKEW").as_str()), ("vvix", "skew"));
        assert_eq!((names("I:LOW").as_str(), names("I:DATE").as_str()), ("c", "c"));
        assert!(matches!(mapping.about(None), Cow::Borrowed(_)));
        let spot = Mapping::bundled("spot-ohlc").unwrap();
        assert!(matches!(spot.about(Some(&"VVIX".parse().unwrap())), Cow::Borrowed(_)));
    }

    #[test]
    fn names_are_compared_in_normal_spelling() {
        assert_eq!(normal_name("\u{a0} OHLC  52-WEEK\u{a0}Vol "), "ohlc 52-week vol");
    }
}
