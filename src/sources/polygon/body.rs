//! Finding the items of a body, and what stands beside them.

use super::table::{Kind, Place, Table};
use super::walk::MAX_LEAVES;
use super::{Endpoint, Envelope};
use crate::sources::raw::{Entry, entries, text_of};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Most items of a page. The service gives 50,000 bars at most, and 12,000 stocks of a day; a page of
/// millions of nothings would be as many rejected rows.
pub(super) const MAX_ITEMS: usize = 100_000;

/// What begins some texts without being part of them; JSON does not know it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A body taken apart at its top.
pub(super) struct Body<'b> {
    /// What stands beside the items; empty for bare lists and flat objects.
    pub(super) beside: Vec<Entry<'b>>,
    /// The source text of each item.
    pub(super) items: Vec<&'b str>,
}

/// Keys that a flat answer without an item may have.
const FAILURE: [&str; 2] = ["error", "message"];

/// Takes a body apart.
///
/// # Errors
/// One sentence: why it is no answer of this endpoint.
pub(super) fn parse<'b>(table: &Table, body: &'b [u8]) -> Result<Body<'b>, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty".into());
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("the body is not UTF-8 at byte {}", error.valid_up_to()))?;
    let wrong = |error: serde_json::Error| match error.is_eof() {
        true => format!("the body is cut short: {error}"),
        false if text.trim_start().starts_with('<') => "the body is HTML, not JSON".into(),
        false => format!("the body is not JSON: {error}"),
    };
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let whole: &RawValue = serde_json::from_str(text).map_err(wrong)?;
    let whole = whole.get();
    let texts = |raw| {
        let found = serde_json::Deserializer::from_str(raw).deserialize_seq(Items);
        match found.map_err(wrong)? {
            Some(items) => Ok(items),
            None => Err(format!("the body has more than {MAX_ITEMS} items")),
        }
    };
    if table.place == Place::Bare && whole.starts_with('[') {
        return Ok(Body { beside: Vec::new(), items: texts(whole)? });
    }
    if !whole.starts_with('{') {
        return Err(format!("the body is {} where {} is due", name(whole), due(table.place)));
    }
    let beside = entries(whole, MAX_LEAVES).map_err(wrong)?;
    if beside.len() > MAX_LEAVES {
        return Err(format!("the body has more than {MAX_LEAVES} names"));
    }
    let has = |wanted: &str| beside.iter().any(|(key, _)| key == wanted);
    let failed = FAILURE.iter().any(|key| has(key));
    if table.place == Place::Bare {
        // Only a failure is told as an object.
        let items = Vec::new();
        return match failed {
            true => Ok(Body { beside, items }),
            false => Err("the body is an object where a list is due".into()),
        };
    }
    if table.place == Place::Flat {
        let itemless = table.required.iter().all(|path| !has(path));
        if beside.is_empty() || (failed && itemless) {
            return Ok(Body { beside, items: Vec::new() });
        }
        return Ok(Body { beside, items: vec![whole] });
    }
    let results = beside.iter().find(|(key, _)| key == "results");
    if beside.iter().filter(|(key, _)| key == "results").count() > 1 {
        return Err("the body has `results` twice".into());
    }
    let raw = results.map_or("null", |(_, raw)| raw.get());
    let empty =
        raw == "null" || (raw.starts_with('{') && entries(raw, 1).is_ok_and(|e| e.is_empty()));
    let items = match table.place {
        _ if empty => Vec::new(),
        Place::List if raw.starts_with('[') => texts(raw)?,
        Place::Object if raw.starts_with('{') => vec![raw],
        Place::Object => return Err(format!("`results` is {} where an object is due", name(raw))),
        _ => return Err(format!("`results` is {} where a list is due", name(raw))),
    };
    Ok(Body { beside, items })
}

/// Collects the source texts of a list's elements; `None` when there are more than a page has.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Option<Vec<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut more) = (Vec::new(), false);
        while let Some(item) = list.next_element::<&RawValue>()? {
            more |= items.len() >= MAX_ITEMS;
            if !more {
                items.push(item.get());
            }
        }
        Ok((!more).then_some(items))
    }
}

fn name(raw: &str) -> &'static str {
    Kind::of(raw).map_or("null", Kind::name)
}

fn due(place: Place) -> &'static str {
    if place == Place::Bare { "a list" } else { "an object" }
}

/// Names beside the items of which an answer has at least one, even where it has no item.
const SPOKEN: [&str; 4] = ["results", "resultsCount", "queryCount", "count"];

/// What a body says about itself.
pub(super) fn envelope(endpoint: Endpoint, body: &[u8]) -> Result<Envelope, String> {
    let table = Table::of(endpoint, endpoint.series());
    let body = parse(table, body)?;
    let raw = |wanted: &str| {
        let found = body.beside.iter().find(|(key, _)| key == wanted);
        found.map(|(_, raw)| raw.get()).filter(|raw| *raw != "null")
    };
    let text = |wanted: &str| raw(wanted).and_then(text_of).map(std::borrow::Cow::into_owned);
    if let Some(odd) = raw("next_url").filter(|raw| text_of(raw).is_none()) {
        return Err(format!("`next_url` is {} where a text is due", name(odd)));
    }
    let (status, said) = (text("status"), text("error").or_else(|| text("message")));
    let has = |names: &[&str]| body.beside.iter().any(|(key, _)| names.contains(&&**key));
    let speaks = match table.place {
        Place::Bare => true,
        Place::Flat => has(table.required),
        Place::List | Place::Object => status.is_some() || has(&SPOKEN),
    };
    Ok(Envelope {
        speaks: speaks || said.is_some(),
        status,
        text: said,
        next_url: text("next_url").filter(|url| !url.is_empty()),
        items: body.items.len() as u64,
        promised: raw("resultsCount").and_then(|raw| raw.parse().ok()),
        ticker: ticker(endpoint, &body.beside),
        adjusted: raw("adjusted").and_then(|raw| raw.parse().ok()),
    })
}

/// The symbol that bars are of, where the body says so beside them.
pub(super) fn ticker(endpoint: Endpoint, beside: &[Entry<'_>]) -> Option<String> {
    let told = |(key, _): &&Entry<'_>| key == "ticker";
    let found = beside.iter().find(told).and_then(|(_, raw)| text_of(raw.get()));
    found
        .filter(|_| matches!(endpoint, Endpoint::Aggs | Endpoint::Previous))
        .map(std::borrow::Cow::into_owned)
}
