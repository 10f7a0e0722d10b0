//! A series, or the id of a mapping, among the words of a command.

use crate::app::import;
use crate::domain::Series;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use std::ffi::OsStr;

/// A series by its name; the names are what a shell completes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeriesParser;

impl TypedValueParser for SeriesParser {
    type Value = Series;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Series, clap::Error> {
        (|text: &str| text.parse::<Series>()).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Series::ALL.iter().map(|series| PossibleValue::new(series.name()))))
    }
}

/// The id of a mapping that the program brings, which a shell completes; what there is not is told by
/// the command.
#[derive(Clone, Copy, Debug)]
pub(super) struct MappingParser;

impl TypedValueParser for MappingParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(import::mapping_ids().map(PossibleValue::new)))
    }
}
