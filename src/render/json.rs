//! JSON as programs read it: one document on one line, `schema` first, numbers with their digits.

use serde::Serialize;
use serde_json::Value as Json;

/// A document or an item as one line of JSON.
pub fn line<T: Serialize + ?Sized>(item: &T) -> String {
    serde_json::to_string(item).unwrap_or_else(|_| "null".to_owned())
}

/// What can be written as one line of JSON: whatever is serialised. Unlike [`Serialize`] it can be
/// a trait object.
pub trait Line {
    /// The document on one line.
    fn line(&self) -> String;
}

impl<T: Serialize> Line for T {
    fn line(&self) -> String {
        line(self)
    }
}

/// One line for each item of a list.
pub fn lines<T: Serialize>(items: &[T]) -> Vec<String> {
    items.iter().map(line).collect()
}

/// The document that says why a command failed: `volledger/error/1`.
pub fn error(error: &str, causes: &[String], hint: Option<&str>, exit: u8) -> String {
    let document = serde_json::json!({
        "schema": "volledger/error/1", "error": error, "causes": causes, "hint": hint, "exit": exit,
    });
    document.to_string()
}

/// A value as a cell of CSV or Markdown: strings bare, lists joined by blanks, null empty.
pub(super) fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_comes_first() {
        let text = error("no", &["because".into()], None, 2);
        assert!(text.starts_with("{\"schema\":\"volledger/error/1\",\"error\":\"no\""), "{text}");
        assert!(text.contains("\"hint\":null") && text.ends_with("\"exit\":2}"), "{text}");
    }

    #[test]
    fn numbers_keep_their_digits_in_cells() {
        let value: Json = serde_json::from_str("[0.45530, null, \"a b\", true]").unwrap();
        assert_eq!(cell(&value), "0.45530  a b true");
    }
}
