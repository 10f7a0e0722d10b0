//! Cells that are no numbers: words, days, yes or no.

use super::dates::Orders;
use super::numbers::MISSING;
use crate::domain::Value;
use crate::domain::guard::unguarded;
use crate::sources::mapping::{CellUnit, Column};

/// Longest word or text that is read, in bytes.
const MAX_TEXT: usize = 1_000;

/// The value of a cell of a column that holds no numbers.
///
/// # Errors
/// The finding code of a cell that is empty, or that cannot be used.
pub(super) fn read<'m>(text: &str, column: &'m Column, orders: Orders) -> Result<Value, &'m str> {
    // Our own exports mark texts that a spreadsheet would take for formulas.
    let text = unguarded(text.trim());
    let said = column.words.get(&text.to_lowercase()).map_or(text, String::as_str);
    let nothing = said.is_empty() || MISSING.iter().any(|word| said.eq_ignore_ascii_case(word));
    let said = match (nothing, &column.default) {
        (true, Some(default)) => default.as_str(),
        (true, None) => return Err(&column.codes.missing),
        (false, _) => said,
    };
    let invalid = Err(column.codes.invalid.as_str());
    if said.len() > MAX_TEXT
        || !(column.one_of.is_empty() || column.one_of.iter().any(|w| w == said))
    {
        return invalid;
    }
    match column.unit {
        CellUnit::Flag => match said.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "y" => Ok(Value::Dec(1.into())),
            "0" | "false" | "no" | "n" => Ok(Value::Dec(0.into())),
            _ => invalid,
        },
        CellUnit::Day => match orders.day(said.as_bytes()) {
            Some(day) => Ok(Value::Text(day.to_string().into())),
            None => invalid,
        },
        _ => Ok(Value::Text(said.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::mapping::Mapping;

    #[test]
    fn words_days_and_flags() {
        let mapping = Mapping::bundled("earnings").unwrap();
        let of = |name: &str, text: &str| {
            let named = |column: &&Column| column.names.iter().any(|known| known.text == name);
            let column = mapping.columns.iter().find(named).unwrap();
            read(text, column, Orders::default()).map(|value| value.to_string())
        };
        for (name, text, want) in [
            ("timing", "post-market", Ok("AMC")),
            ("timing", " BMO ", Ok("BMO")),
            ("timing", "", Ok("UNKNOWN")),
            ("timing", "None", Ok("UNKNOWN")),
            ("timing", "noon", Err("invalid_timing")),
            ("confirmed", "True", Ok("1")),
            ("confirmed", "0", Ok("0")),
            ("confirmed", "", Err("missing_value")),
            ("confirmed", "2", Err("invalid_value")),
            ("fiscalDateEnding", "2029-12-31", Ok("2029-12-31")),
            ("fiscalDateEnding", "2029-13-31", Err("invalid_value")),
            ("name", "Test, Inc.", Ok("Test, Inc.")),
            ("name", "n/a", Err("missing_value")),
        ] {
            assert_eq!(of(name, text).as_deref().map_err(|e| *e), want, "{name} {text:?}");
        }
        let long = "x".repeat(MAX_TEXT + 1);
        assert_eq!(of("name", &long), Err("invalid_value"));
    }
}
