//! Articles: what the service's language model says about the ticker asked for, and nobody's name.

use crate::domain::{Field, Symbol, Value};
use crate::sources::raw::{entries, text_of, value_of};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Words that a sentiment can be.
const SENTIMENTS: [&str; 3] = ["positive", "neutral", "negative"];

/// What the insights of an article gave.
#[derive(Debug, Default)]
pub(super) struct Insight {
    /// Sentiment and reasoning about the ticker itself, never another one's.
    pub(super) fields: Vec<(Field, Value)>,
    /// Whether any sentiment is none of the three words.
    pub(super) odd: bool,
}

/// Reads the list `insights` for one ticker.
pub(super) fn insight(raw: &str, symbol: &Symbol) -> Insight {
    let mut found = Insight::default();
    let list: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
    for element in list {
        let Ok(inner) = entries(element.get(), 64) else { continue };
        let at = |wanted: &str| {
            let entry = inner.iter().find(|(key, _)| key == wanted);
            entry.map(|(_, value)| value.get()).filter(|raw| *raw != "null")
        };
        let sentiment = at("sentiment");
        let known = |raw| text_of(raw).is_some_and(|word| SENTIMENTS.contains(&&*word));
        found.odd |= sentiment.is_some_and(|raw| !known(raw));
        let own = at("ticker").and_then(text_of).is_some_and(|ticker| *ticker == *symbol.as_str());
        if own && found.fields.is_empty() {
            let reasoning = at("sentiment_reasoning");
            let fields = [(227, sentiment), (228, reasoning)].into_iter();
            let fields =
                fields.filter_map(|(code, raw)| Some((Field::Known(code), value_of(raw?))));
            found.fields.extend(fields);
        }
    }
    found
}

/// An article's source text without the author's name, for a reject that keeps raw text.
pub(super) fn without_author(text: &str) -> Cow<'_, str> {
    let Ok(top) = entries(text, super::walk::MAX_LEAVES) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::new();
    let mut rest = 0;
    for (_, raw) in top.iter().filter(|(key, _)| key == "author") {
        // The value borrows from the text, so the distance of the two is its place.
        let from = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        out.push_str(text.get(rest..from).unwrap_or_default());
        out.push_str("\"\"");
        rest = from + raw.get().len();
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(rest..).unwrap_or_default());
    Cow::Owned(out)
}
