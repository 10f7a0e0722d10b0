//! The fields of an event: what each of its values is.

use crate::domain::{Series, series};
use std::sync::Arc;

/// One field of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// A known field, by its stored code; belongs to the view that the code names.
    Known(u16),
    /// A field that this version does not know, kept under its own name; belongs to the view of
    /// the event's series.
    Named(Arc<str>),
    /// "The record's date stands here": carries no value, only the order of the source's record.
    DateMark,
    /// "The record's symbol stands here": likewise.
    SymbolMark,
}

impl Field {
    /// The known or named field called `name` in `series`.
    pub fn of(series: Series, name: &str) -> Self {
        match series::field_named(series, name) {
            Some(def) => Self::Known(def.code),
            None => Self::Named(name.into()),
        }
    }

    /// Whether the field is only a place in a record, without a value.
    pub fn is_mark(&self) -> bool {
        matches!(self, Self::DateMark | Self::SymbolMark)
    }

    /// The name in views and exports.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(code) => series::field(*code).map_or("unknown", |def| def.name),
            Self::Named(name) => name,
            Self::DateMark => "date",
            Self::SymbolMark => "symbol",
        }
    }

    /// The view that shows this field of an event of series `event`.
    pub fn home(&self, event: Series) -> Series {
        match self {
            Self::Known(code) => series::field(*code).map_or(event, |def| def.series),
            _ => event,
        }
    }
}

/// The ordered fields of an event. Marks are present when the source is a record whose order
/// must be reproducible (JSON); a CSV row has none and only adds fields.
pub type Shape = Arc<[Field]>;
