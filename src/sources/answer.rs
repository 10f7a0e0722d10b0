//! What the readers of a service's answers have in common.

use super::polygon::PageSummary;
use super::raw::{Entry, entries};
use crate::domain::{Day, Finding, Series, Severity, Symbol};
use serde_json::value::RawValue;

/// Most names of an object that is taken apart; a daily series of twenty years has 5,000.
const MOST_NAMES: usize = 60_000;

/// Why a body is no answer, although it came with a 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something else came: a page, half a document, another shape.
    Payload(String),
    /// Too many requests; `today` when the service will say so until tomorrow.
    Throttled {
        /// What the service said.
        text: String,
        /// Whether waiting a little is of no use.
        today: bool,
    },
    /// The service has nothing about it.
    NoData(String),
    /// The plan does not include it.
    Plan(String),
    /// The key is not accepted.
    Key(String),
}

impl Refusal {
    /// What a body gives that is no answer: nothing, and a fatal finding that says why.
    pub(super) fn summary(self, source: u32) -> PageSummary {
        let text = match self {
            Self::Payload(text) | Self::NoData(text) | Self::Plan(text) | Self::Key(text) => text,
            Self::Throttled { text, .. } => text,
        };
        let findings = vec![Finding::about(source, "bad_payload", Severity::Fatal, text)];
        PageSummary { findings, ..PageSummary::default() }
    }
}

/// What an answer was asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The view that the items are for.
    pub series: Series,
    /// The symbol asked about; `None` for all.
    pub symbol: Option<Symbol>,
    /// First and last day asked; items outside are left out.
    pub range: Option<(Day, Day)>,
    /// The session of a snapshot.
    pub as_of: Day,
    /// Index of the source in its batch.
    pub source: u32,
}

/// A body as the entries of its object.
pub(super) fn object(body: &[u8]) -> Result<Vec<Entry<'_>>, Refusal> {
    let wrong = |text: String| Err(Refusal::Payload(text));
    if body.iter().all(u8::is_ascii_whitespace) {
        return wrong("the body is empty".into());
    }
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            return wrong(format!("the body is not UTF-8 at byte {}", error.valid_up_to()));
        }
    };
    // Some texts begin with a byte order mark, which JSON does not know.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let not_json = |error: serde_json::Error| match error.is_eof() {
        true => "the body is cut short".to_owned(),
        false if text.trim_start().starts_with('<') => "the body is HTML, not JSON".to_owned(),
        false => format!("the body is not JSON: {error}"),
    };
    match serde_json::from_str::<&RawValue>(text) {
        Err(error) => wrong(not_json(error)),
        Ok(whole) if !whole.get().starts_with('{') => wrong("the body is no object".into()),
        Ok(whole) => members(whole.get()),
    }
}

/// The entries of an object within a body.
pub(super) fn members(raw: &str) -> Result<Vec<Entry<'_>>, Refusal> {
    match entries(raw, MOST_NAMES) {
        Ok(found) if found.len() <= MOST_NAMES => Ok(found),
        _ => Err(Refusal::Payload("an object of the body has too many names, or is none".into())),
    }
}

/// The value of a name, by its source text; `null` and the text `null` are none.
pub(super) fn member<'b>(of: &[Entry<'b>], name: &str) -> Option<&'b str> {
    let found = of.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get())?;
    (!matches!(found, "null" | "\"null\"")).then_some(found)
}

/// A list, or the one element that stands where a list is due; nulls are none.
pub(super) fn one_or_many(raw: &str) -> Result<Vec<&str>, Refusal> {
    let mut found: Vec<&str> = match raw.starts_with('[') {
        false => vec![raw],
        true => {
            let list: Result<Vec<&RawValue>, _> = serde_json::from_str(raw);
            let wrong = |_| Refusal::Payload("a list of the body cannot be read".into());
            list.map_err(wrong)?.into_iter().map(RawValue::get).collect()
        }
    };
    found.retain(|raw| !matches!(*raw, "null" | "\"null\""));
    Ok(found)
}

/// Where a part of a body stands in it.
pub(super) fn place(body: &[u8], part: &str) -> (u64, u32) {
    // The part borrows from the body, so the distance of the two is its place.
    let offset = (part.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    (offset as u64, u32::try_from(part.len()).unwrap_or(u32::MAX))
}
