//! JSON taken apart without changing a character: keys in their order, values as their source text.

use crate::domain::Value;
use crate::domain::value::parse_plain;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One entry of an object: its key, and its value's source text.
pub(super) type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// The entries of an object in their order, repeated keys included; at most one more than
/// `limit`, which is enough for a caller to refuse the object.
///
/// # Errors
/// Text that is not an object, or one with a key that no string can hold.
pub(super) fn entries(text: &str, limit: usize) -> Result<Vec<Entry<'_>>, serde_json::Error> {
    serde_json::Deserializer::from_str(text).deserialize_map(Entries(limit))
}

/// A JSON value, as exactly as the domain can hold it.
pub(super) fn value_of(raw: &str) -> Value {
    let json = || Value::Json(raw.into());
    match raw.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        // Text that no string can hold (half a surrogate pair) is kept in its JSON form.
        Some(b'"') => text_of(raw).map_or_else(json, |text| Value::Text(text.into())),
        Some(b'{' | b'[') => json(),
        _ => number_of(raw),
    }
}

/// A JSON number: as [`Value::from_json_number`], without printing what must come out the same.
fn number_of(raw: &str) -> Value {
    // Up to 18 digits are held exactly, and JSON has no leading zeros; only a zero loses its sign.
    match parse_plain(raw).filter(|_| raw.len() <= 18 && !raw.starts_with("-0")) {
        Some(decimal) => Value::Dec(decimal),
        None => Value::from_json_number(raw),
    }
}

/// The content of a JSON string, borrowed where it has no escapes; `None` for any other value.
pub(super) fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str(raw).ok().map(Cow::Owned),
    }
}

/// Collects an object's entries in their order, repeated keys included.
struct Entries(usize);

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::with_capacity(8);
        while let Some((Key(key), value)) = map.next_entry()? {
            if entries.len() <= self.0 {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }
}

/// A key, borrowed from the input where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_the_domain(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?") {
            prop_assert!(number_of(&text).same_text(&Value::from_json_number(&text)));
            prop_assert_eq!(number_of(&text).to_string(), text);
        }
    }

    #[test]
    fn texts_are_taken_out_of_their_quotes() {
        assert_eq!(text_of(r#""a\u00e9""#).as_deref(), Some("aé"));
        assert_eq!(text_of(r#""""#).as_deref(), Some(""));
        for none in ["\"", "1", "null", r#""\ud800""#] {
            assert_eq!(text_of(none), None, "{none}");
        }
        assert!(matches!(value_of(r#""\ud800""#), Value::Json(_)));
    }
}
