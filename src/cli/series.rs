//! A series among the words of a command.

use crate::domain::Series;
use clap::builder::{PossibleValue, TypedValueParser};
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
